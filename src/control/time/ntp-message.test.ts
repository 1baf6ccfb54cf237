import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import { secondsOf } from '../core/civil.ts';
import { buildRequest, NTP_BYTES, readAnswer } from './ntp-message.ts';

const HIGH = 0x12345678;
const LOW = 0x9abcdef0 | 0;
/** 2026-11-21 03:15:02.25 in seconds since 1900, and the same in era 1. */
const UNIX = secondsOf(2026, 11, 21, 3, 15, 2);

/** A server's answer, stratum 2, received at UNIX and a quarter, transmitted 10 ms later. */
function answer(change: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(NTP_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (4 << 3) | 4);
  view.setUint8(1, 2);
  view.setInt32(4, 0x00001000); // root delay: 1/16 s
  view.setInt32(8, 0x00002000);
  view.setInt32(24, HIGH);
  view.setInt32(28, LOW);
  view.setUint32(32, UNIX + 2208988800);
  view.setUint32(36, 0x40000000);
  view.setUint32(40, UNIX + 2208988800);
  view.setUint32(44, 0x428f5c29); // 0.26
  change(view);
  return bytes;
}

test('buildRequest() is 48 bytes of version 4, mode 3, that tell nothing but the nonce', t => {
  const bytes = new Uint8Array(NTP_BYTES).fill(0xaa);
  buildRequest(bytes, HIGH, LOW);
  t.is(Buffer.from(bytes).toString('hex'), `23${'00'.repeat(39)}123456789abcdef0`);
});

test('readAnswer() reads both timestamps', t => {
  const read = readAnswer(answer(), HIGH, LOW);
  if (typeof read === 'string' || 'kiss' in read) return t.fail();
  t.is(read.stratum, 2);
  t.is(read.received, UNIX * 1000 + 250);
  t.true(Math.abs(read.transmitted - (UNIX * 1000 + 260)) < 0.001);
  return undefined;
});

test('readAnswer() knows that a small number is of era 1, after 2036-02-07', t => {
  const time = secondsOf(2040, 1, 1, 0, 0, 0);
  const read = readAnswer(
    answer(view => {
      for (const at of [32, 40]) view.setUint32(at, time + 2208988800 - 2 ** 32);
    }),
    HIGH,
    LOW,
  );
  t.is(typeof read === 'object' && 'received' in read ? read.received : 0, time * 1000 + 250);
});

test('readAnswer() refuses what is no answer, with the reason', t => {
  const cases: [string, (view: DataView) => void][] = [
    ['its mode is 3', view => view.setUint8(0, (4 << 3) | 3)],
    ['its mode is 5', view => view.setUint8(0, (4 << 3) | 5)],
    ['its version is 0', view => view.setUint8(0, 4)],
    ['its version is 5', view => view.setUint8(0, (5 << 3) | 4)],
    ['the server does not know the time', view => view.setUint8(0, 0xc0 | (4 << 3) | 4)],
    ['its stratum is 16', view => view.setUint8(1, 16)],
    ['it answers something else', view => view.setInt32(24, HIGH ^ 1)],
    ['it answers something else', view => view.setInt32(28, LOW ^ 1)],
    ['the server is too unsure of it', view => view.setInt32(4, 0x10000)],
    ['the server is too unsure of it', view => view.setInt32(8, 0x10000)],
    ['it left before the question came', view => view.setUint32(44, 0)],
  ];
  for (const [reason, change] of cases) t.is(readAnswer(answer(change), HIGH, LOW), reason);
  const empty = answer(view => {
    view.setInt32(40, 0);
    view.setInt32(44, 0);
  });
  t.is(readAnswer(empty, HIGH, LOW), 'it has no time');
});

test('readAnswer() reads a kiss of death, but only one that answers us', t => {
  const kiss = answer(view => {
    view.setUint8(0, 0xe4); // unsynchronized, as servers send it
    view.setUint8(1, 0);
    view.setUint32(12, 0x52415445);
  });
  t.deepEqual(readAnswer(kiss, HIGH, LOW), { kiss: 'RATE' });
  t.is(readAnswer(kiss, HIGH, LOW ^ 1), 'it answers something else');
});

test('readAnswer() takes no answer that is cut, at any length, and never throws', t => {
  for (let length = 0; length < NTP_BYTES; length++)
    t.is(readAnswer(answer().subarray(0, length), HIGH, LOW), `it has ${length} bytes`);
  const long = new Uint8Array(NTP_BYTES + 20);
  long.set(answer());
  t.is(typeof readAnswer(long, HIGH, LOW), 'object');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: NTP_BYTES - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const bytes = answer();
      bytes[at] = value;
      const read = readAnswer(bytes, HIGH, LOW);
      if (typeof read === 'object' && 'received' in read) t.true(read.transmitted >= read.received);
    }),
    { numRuns: 2000, seed: runSeed() },
  );
});
