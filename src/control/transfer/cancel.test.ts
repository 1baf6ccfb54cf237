// The sender cancels right behind a block that came damaged, in one go with it: whatever is wrong with the block, and
// wherever, the transfer ends as cancelled, and soon. Not here: the transfer itself (receiver.test.ts).

import test, { type ExecutionContext } from 'ava';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { crc16, sum8 } from './modem.ts';
import { Receiver } from './receiver.ts';

/** A second for the rest of the block, a third of one for silence, and one for what the sender goes on to send. */
const MOST_TICKS = 2.5 * TICKS_PER_SECOND;
/** As many as are allowed; what `masqbox update` sends, and what `sz` does. */
const CANCELS = [[24, 24], Array(8).fill(24), [...Array(10).fill(24), ...Array(10).fill(8)]] as number[][];

/** All that begins, ends or cancels something, and plain bytes; never two CANs in a row. */
function contents(length: number): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, i) => (i % 9 < 6 ? [1, 2, 4, 24, 8, 3][i % 9]! : (i * i) >> 3) & 0xff,
  ).map((byte, i, all) => (byte === 24 && all[i - 1] === 24 ? 25 : byte));
}

interface Form {
  length: number;
  withCrc: boolean;
}
const FORMS: Record<string, Form> = {
  'YMODEM, 1 KB': { length: 1024, withCrc: true },
  'YMODEM, 128 bytes': { length: 128, withCrc: true },
  'XMODEM with sums': { length: 128, withCrc: false },
};

function block(number: number, data: Uint8Array, withCrc: boolean): number[] {
  const crc = crc16(data, 0, data.length);
  const check = withCrc ? [crc >> 8, crc & 0xff] : [sum8(data, 0, data.length)];
  return [data.length === 1024 ? 2 : 1, number, 255 - number, ...data, ...check];
}

/** A receiver that has block 1, and waits for block 2. */
function underWay({ length, withCrc }: Form): { receiver: Receiver; now: number } {
  const receiver = new Receiver(() => {}, 0);
  let now = 0;
  // It asks for sums after ten times for CRCs.
  for (let asks = 0; asks < (withCrc ? 1 : 11); asks++) now += receiver.work(now);
  receiver.work(now);
  if (withCrc) {
    const title = new Uint8Array(128);
    title.set(Buffer.from('masqbox.img\x00900000'));
    receiver.feed(Uint8Array.from(block(0, title, true)), now);
    receiver.accept(now);
  }
  receiver.feed(Uint8Array.from(block(1, contents(length), withCrc)), now);
  receiver.accept(now);
  return { receiver, now };
}

/** Lets time pass until the transfer is over; answers why, and the ticks that took. */
function outcome(receiver: Receiver, now: number): { why: string | undefined; ticks: number } {
  let at = now;
  while (receiver.event?.kind !== 'done' && at - now < 1000 * TICKS_PER_SECOND) {
    if (receiver.event !== undefined) receiver.accept(at);
    at += receiver.work(at);
  }
  const why = receiver.event?.kind === 'done' ? receiver.event.why : 'it goes on';
  return { why, ticks: at - now };
}

function endsAsCancelled(
  t: ExecutionContext,
  form: Form,
  damaged: number[],
  cancel: number[],
  what: string,
): void {
  const { receiver, now } = underWay(form);
  receiver.feed(Uint8Array.from([...damaged, ...cancel]), now);
  const { why, ticks } = outcome(receiver, now);
  if (why !== 'the sender cancelled' || ticks > MOST_TICKS)
    t.fail(`${what}, ${cancel.length} bytes cancel: ${why} after ${ticks} ticks`);
}

for (const [name, form] of Object.entries(FORMS)) {
  const whole = block(2, contents(form.length), form.withCrc);

  test(`a cancel behind a block that lost its end, of any length: ${name}`, t => {
    for (const cancel of CANCELS)
      for (let length = 0; length < whole.length; length++)
        endsAsCancelled(t, form, whole.slice(0, length), cancel, `${length} bytes`);
    t.pass();
  });

  test(`a cancel behind a block that lost its start, or a byte anywhere: ${name}`, t => {
    for (const cancel of CANCELS)
      for (let at = 1; at < whole.length; at++) {
        endsAsCancelled(t, form, whole.slice(at), cancel, `from byte ${at}`);
        endsAsCancelled(
          t,
          form,
          [...whole.slice(0, at - 1), ...whole.slice(at)],
          cancel,
          `less byte ${at - 1}`,
        );
      }
    t.pass();
  });

  test(`a cancel behind a block with a wrong byte, or one too many, anywhere: ${name}`, t => {
    for (const cancel of CANCELS)
      for (let at = 1; at < whole.length; at++) {
        const wrong = whole.with(at, (whole[at] as number) ^ 0x40);
        endsAsCancelled(t, form, wrong, cancel, `byte ${at} wrong`);
        endsAsCancelled(
          t,
          form,
          [...wrong.slice(0, at), 0x55, ...wrong.slice(at)],
          cancel,
          `one more at ${at}`,
        );
      }
    t.pass();
  });

  test(`a cancel while a block is dealt with, behind it and behind what is sent once more: ${name}`, t => {
    for (const cancel of CANCELS) {
      for (const more of [[], whole, whole.slice(0, 50)]) {
        const { receiver, now } = underWay(form);
        receiver.feed(Uint8Array.from(whole), now);
        t.is(receiver.event?.kind, 'data');
        receiver.feed(Uint8Array.from([...more, ...cancel]), now);
        const { why, ticks } = outcome(receiver, now);
        t.is(why, 'the sender cancelled');
        t.true(ticks <= MOST_TICKS, `${ticks}`);
      }
    }
  });
}

test('what only looks like a cancel is contents: the block is asked for again, and the file goes on', t => {
  const form = FORMS['YMODEM, 128 bytes'] as Form;
  const data = new Uint8Array(128).fill(24);
  const whole = block(2, data, true);
  for (let at = 1; at < whole.length; at++) {
    const { receiver, now } = underWay(form);
    receiver.feed(Uint8Array.from(whole.with(at, (whole[at] as number) ^ 0x40)), now);
    let later = now + receiver.work(now);
    receiver.work(later);
    t.is(receiver.event, undefined, `${at}`);
    receiver.feed(Uint8Array.from(whole), later);
    t.is(receiver.event?.kind, 'data', `${at}`);
    receiver.accept(later);
    // Two CANs in a row of a block that is sent while the one before is dealt with.
    receiver.feed(Uint8Array.from(block(3, data, true)), later);
    receiver.feed(Uint8Array.from([...whole.slice(0, 40), 0x55]), later);
    receiver.accept(later);
    later += 1;
    receiver.feed(Uint8Array.from(block(4, data, true)), later);
    t.is(receiver.event?.kind, 'data', `${at}`);
  }
});

test('a cancel that comes damaged itself is heard when it is repeated', t => {
  for (const form of Object.values(FORMS)) {
    const { receiver, now } = underWay(form);
    receiver.feed(
      Uint8Array.from([...block(2, contents(form.length), form.withCrc).slice(3), 24, 0x99]),
      now,
    );
    let at = now;
    while (at - now < 3 * TICKS_PER_SECOND) at += Math.min(receiver.work(at), 10);
    receiver.feed(Uint8Array.from(CANCELS[1] as number[]), at);
    const { why, ticks } = outcome(receiver, at);
    t.is(why, 'the sender cancelled');
    t.true(ticks <= MOST_TICKS, `${ticks}`);
  }
});
