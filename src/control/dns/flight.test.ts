import test from 'ava';
import { Flight } from './flight.ts';
import { EXACT, HEADER_BYTES, parseQuery, Query, SAME } from './message.ts';

const NONE = (): void => {};

/** A query for one label of these characters, of type and class 0x4141, which look like letters. */
function begun(label: number[]): Flight {
  const question = [label.length, ...label, 0, 0x41, 0x41, 0x41, 0x41];
  const data = Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question]);
  const query = new Query();
  parseQuery(data, query, () => 0);
  const flight = new Flight(0, NONE, NONE);
  flight.begin(data, query, 1);
  flight.id = 7;
  return flight;
}

/** A buffer that has been used before, with a message in it. */
function answering({ query }: Flight): { message: Uint8Array; words: Int32Array } {
  const words = new Int32Array(64).fill(-1);
  const message = new Uint8Array(words.buffer);
  message.set(query);
  message[2] = 0x81;
  return { message, words };
}

test('shuffle() changes the case of letters and nothing else, at every length', t => {
  const all = Array.from({ length: 256 }, (_, i) => i);
  for (let length = 1; length <= 63; length++) {
    for (let from = 0; from < 256; from += length) {
      const flight = begun(all.slice(from, from + length));
      const before = flight.query.slice();
      const seen = [0, ~0, 0x5bd1e995].map(bits => {
        flight.shuffle(true, () => bits);
        return flight.query.slice();
      });
      before.forEach((byte, i) => {
        const isLetter = /[a-z]/i.test(String.fromCharCode(byte)) && i > HEADER_BYTES && i < flight.nameEnd;
        const cases = [byte | 32, byte & ~32, byte | 32];
        seen.forEach((query, n) => {
          if (!isLetter) t.is(query[i], byte);
          else if (n < 2) t.is(query[i], cases[n]);
          else t.is((query[i] as number) | 32, byte | 32);
        });
      });
    }
  }
});

test('shuffle() gives each of 32 letters a bit of its own', t => {
  const flight = begun(new Array<number>(63).fill(97));
  const places = new Set<number>();
  for (let bit = 0; bit < 32; bit++) {
    let calls = 0;
    flight.shuffle(true, () => (calls++ === 0 ? 1 << bit : 0));
    const upper = flight.query.slice(0, flight.nameEnd).lastIndexOf(65);
    if (upper >= 0) places.add(upper);
  }
  t.is(places.size, 31, 'the length takes one of the first 32');
});

test('isAnswer() tells one spelling from another, wherever they differ', t => {
  for (let length = 1; length <= 63; length++) {
    const flight = begun(new Array<number>(length).fill(97));
    flight.shuffle(true, () => 0x5bd1e995);
    const { message, words } = answering(flight);
    t.is(flight.isAnswer(message, words), EXACT);
    for (let i = HEADER_BYTES; i < flight.questionEnd; i++) {
      message[i] = (message[i] as number) ^ 32;
      const isLetter = i > HEADER_BYTES && i < flight.nameEnd - 1;
      t.is(flight.isAnswer(message, words), isLetter ? SAME : 0, `${length}: ${i}`);
      message[i] = (message[i] as number) ^ 32;
    }
  }
});
