import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { crc16, sum8 } from './modem.ts';
import { PATIENCE, Receiver } from './receiver.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'masqbox-transfer-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes of every value, with runs that look like the protocol's own. */
function contents(length: number): Buffer {
  return Buffer.from(
    Array.from(
      { length },
      (_, i) => (i % 700 < 40 ? [1, 2, 4, 0x18, 0x18, 3, 17, 19][i % 8] : (i * i) >> 3)! & 0xff,
    ),
  );
}

/** A receiver whose user takes all at once; times are ticks. */
function fixture() {
  let sent = '';
  const received: number[] = [];
  const events: string[] = [];
  const receiver = new Receiver(text => {
    sent += text;
  }, 0);
  const settle = (now: number): void => {
    for (let event = receiver.event; event !== undefined; event = receiver.event) {
      if (event.kind === 'data') received.push(...event.bytes);
      else events.push(JSON.stringify(event));
      if (event.kind === 'done') return;
      receiver.accept(now);
    }
  };
  return {
    receiver,
    received,
    events,
    feed: (bytes: Iterable<number>, now: number) => {
      for (const byte of bytes) {
        receiver.feed(Uint8Array.of(byte), now);
        settle(now);
      }
    },
    wait: (now: number) => {
      const ticks = receiver.work(now);
      settle(now);
      return ticks;
    },
    take: () => {
      const text = sent;
      sent = '';
      return text;
    },
  };
}

/** A block with a CRC, or with a sum. */
function block(number: number, data: Uint8Array, withCrc = true): number[] {
  const crc = crc16(data, 0, data.length);
  const check = withCrc ? [crc >> 8, crc & 0xff] : [sum8(data, 0, data.length)];
  return [data.length === 1024 ? 2 : 1, number, 255 - number, ...data, ...check];
}

const title = (text: string): Uint8Array => {
  const data = new Uint8Array(128);
  data.set(Buffer.from(text, 'latin1'));
  return data;
};
const ACK = '\x06';
const NAK = '\x15';
const CANCELLED = '\x18'.repeat(8) + '\b'.repeat(8);

test('crc16() and sum8() are those of XMODEM', t => {
  const text = Buffer.from('123456789');
  t.is(crc16(text, 0, 9), 0x31c3); // the check value of CRC-16/XMODEM
  t.is(crc16(text, 0, 0), 0);
  t.is(sum8(text, 0, 9), 0xdd);
});

test('a YMODEM batch of one file, with the first EOT refused', t => {
  const { feed, wait, take, received, events } = fixture();
  const file = contents(1100);
  t.is(wait(0), 300);
  t.is(take(), 'C');
  feed(block(0, title('masqbox.img\x001100 15000000000 100644')), 10);
  t.is(take(), `${ACK}C`);
  feed(block(1, file.subarray(0, 1024)), 20);
  t.is(take(), ACK);
  feed(block(2, Buffer.concat([file.subarray(1024), Buffer.alloc(52, 0x1a)])), 30);
  t.is(take(), ACK);
  feed([4], 40);
  t.is(wait(40), 30);
  wait(70);
  t.is(take(), NAK);
  feed([4], 80);
  t.is(take(), ACK);
  t.is(wait(80), 300);
  t.is(take(), 'C');
  feed(block(0, title('')), 90);
  t.is(take(), ACK);
  t.deepEqual(Buffer.from(received), file);
  t.deepEqual(events, [
    '{"kind":"file","name":"masqbox.img","length":1100}',
    '{"kind":"end"}',
    '{"kind":"done"}',
  ]);
});

test('a second file is refused, and the first one stays', t => {
  const { feed, wait, take, events } = fixture();
  wait(0);
  feed(block(0, title('a\x001')), 1);
  feed(block(1, title('x')), 2);
  feed([4], 3);
  wait(33);
  feed([4], 40);
  wait(40);
  take();
  feed(block(0, title('b\x001')), 50);
  t.is(take(), CANCELLED);
  wait(150);
  t.is(events.at(-1), '{"kind":"done"}');
});

test('YMODEM without a last name is complete after three questions', t => {
  const { feed, wait, take, events } = fixture();
  wait(0);
  feed(block(0, title('a\x001')), 1);
  feed(block(1, title('x')), 2);
  feed([4], 3);
  wait(33);
  feed([4, 4], 40); // our acknowledgement was lost, so EOT comes again
  take();
  for (const now of [40, 340, 640, 940]) wait(now);
  t.is(take(), 'CCC');
  t.is(events.at(-1), '{"kind":"done"}');
});

test('XMODEM with sums is asked for after ten questions for a CRC', t => {
  const { feed, wait, take, received, events } = fixture();
  for (let i = 0; i < 11; i++) t.is(wait(300 * i), 300);
  t.is(take(), `${'C'.repeat(10)}${NAK}`);
  const data = contents(128);
  feed(block(1, data, false), 3100);
  t.is(take(), ACK);
  feed([4], 3200);
  wait(3230);
  feed([4], 3240);
  t.deepEqual(received, [...data]);
  t.is(events.at(-1), '{"kind":"done"}');
});

test('nobody sends: the end after two minutes, with the line quiet', t => {
  const { wait, take, events } = fixture();
  for (let i = 0; i <= 40; i++) wait(300 * i);
  t.true(take().endsWith(CANCELLED));
  wait(12_100);
  t.deepEqual(events, ['{"kind":"done","why":"nothing was sent"}']);
});

test('damage is answered when the line is quiet, by NAK', t => {
  const { feed, wait, take, received } = fixture();
  const data = contents(1024);
  wait(0);
  feed(block(1, data), 1);
  take();
  const bad = block(2, data);
  for (const at of [1, 2, 3, 500, 1027, 1028]) {
    const damaged = bad.slice();
    damaged[at]! ^= 0x20;
    feed(damaged, 10);
    t.is(wait(10), 30, 'still purging');
    feed([1, 2, 4, 0x18], 30); // more of it
    t.is(wait(40), 20);
    wait(60);
    t.is(take(), NAK);
  }
  feed(bad, 70);
  t.is(take(), ACK);
  t.is(received.length, 2048);
});

test('a block that stops short is asked for again after a second', t => {
  const { feed, wait, take } = fixture();
  wait(0);
  feed(block(1, contents(128)), 1);
  take();
  feed(block(2, contents(128)).slice(0, 60), 10);
  t.is(wait(10), 100);
  wait(110);
  t.is(take(), NAK);
});

test('a block whose acknowledgement was lost is acknowledged and not taken again', t => {
  const { feed, wait, take, received } = fixture();
  wait(0);
  feed(block(0, title('a\x001000')), 1);
  feed(block(0, title('a\x001000')), 2);
  t.is(take(), `C${ACK}C${ACK}C`);
  for (let number = 1; number <= 300; number++) {
    feed(block(number & 0xff, contents(128)), number);
    feed(block(number & 0xff, contents(128)), number);
  }
  t.is(take(), ACK.repeat(600));
  t.is(received.length, 1000);
});

test('a block out of turn ends the transfer', t => {
  for (const numbers of [[2], [1, 3], [1, 2, 0]]) {
    const { feed, wait, take, events } = fixture();
    wait(0);
    for (const number of numbers) feed(block(number, contents(128)), 1);
    t.true(take().endsWith(CANCELLED));
    wait(101);
    t.regex(events.at(-1)!, /block \d came where \d was due/);
  }
});

test('an EOT is none where a block has lost its start, and where bytes are missing', t => {
  const { feed, wait, take, events } = fixture();
  wait(0);
  for (let number = 1; number < 4; number++) feed(block(number, contents(128)), number);
  take();
  feed(block(4, contents(128)).slice(1), 10); // 4 is EOT
  wait(40);
  t.is(take(), NAK);
  feed(block(4, contents(128)).slice(1), 50);
  wait(80);
  t.is(take(), NAK);
  feed(block(4, contents(128)), 90);
  t.is(take(), ACK);
  t.deepEqual(events, []);

  const named = fixture();
  named.wait(0);
  named.feed(block(0, title('a\x001000')), 0);
  named.feed(block(1, contents(128)), 1);
  for (const now of [10, 50, 90]) {
    named.feed([4], now);
    named.wait(now + 30);
  }
  t.deepEqual(named.events, ['{"kind":"file","name":"a","length":1000}']);
});

test('the sender cancels by two CANs in a row, and one alone is noise', t => {
  const { feed, wait, events } = fixture();
  wait(0);
  feed(block(1, contents(128)), 1);
  feed([0x18, 0x41], 2);
  wait(32);
  feed([0x18], 33);
  t.deepEqual(events, []);
  feed([0x18], 34);
  wait(134);
  t.deepEqual(events, ['{"kind":"done","why":"the sender cancelled"}']);

  const broken = fixture();
  broken.wait(0);
  broken.feed(block(1, contents(128)), 1);
  broken.feed([...block(2, contents(1024)).slice(0, 300), 0x18, 0x18, 8, 8], 2);
  broken.wait(102);
  broken.wait(202);
  t.deepEqual(broken.events, ['{"kind":"done","why":"the sender cancelled"}']);
});

test('^C cancels while nothing has come, and is data afterwards', t => {
  const first = fixture();
  first.wait(0);
  first.feed([3], 1);
  first.wait(31);
  t.deepEqual(first.events, ['{"kind":"done","why":"cancelled"}']);
  const second = fixture();
  second.wait(0);
  second.feed(block(1, contents(128)), 1);
  second.feed([3], 2);
  second.wait(200);
  t.deepEqual(second.events, []);
});

test('a sender that vanishes is given up, and so is a line that is all noise', t => {
  const lost = fixture();
  lost.wait(0);
  lost.feed(block(1, contents(128)), 0);
  lost.take();
  for (let i = 1; i <= PATIENCE; i++) lost.wait(1000 * i);
  t.is(lost.take(), NAK.repeat(PATIENCE - 1) + CANCELLED);
  lost.wait(1000 * PATIENCE + 100);
  t.deepEqual(lost.events, ['{"kind":"done","why":"the sender fell silent"}']);

  const noise = fixture();
  noise.wait(0);
  noise.feed(block(1, contents(128)), 0);
  let now = 0;
  for (; noise.events.length === 0 && now < 100_000; now += 5) {
    noise.feed([1, 7, 9], now);
    noise.wait(now);
  }
  t.true(now < 40_000, `${now} ticks`);
  t.deepEqual(noise.events, ['{"kind":"done","why":"too many blocks were damaged"}']);
});

test('cancel() at the end of the file is heard by the sender', t => {
  const sent: string[] = [];
  const receiver = new Receiver(text => sent.push(text), 0);
  receiver.feed(Uint8Array.from(block(1, contents(128))), 0);
  receiver.accept(0);
  receiver.feed(Uint8Array.of(4), 0);
  receiver.work(30);
  receiver.feed(Uint8Array.of(4), 30);
  t.is(receiver.event?.kind, 'end');
  receiver.cancel('its checksum is wrong', 30);
  t.deepEqual(sent, [ACK, NAK, CANCELLED]);
  receiver.work(130);
  t.deepEqual(receiver.event, { kind: 'done', why: 'its checksum is wrong' });
});

// --- lrzsz, for real ---------------------------------------------------------------------------------------

/** Runs one of lrzsz's senders against a receiver; answers what came and how the sender ended. */
async function withLrzsz(t: ExecutionContext, words: string[], cancelAt = Number.POSITIVE_INFINITY) {
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...words]);
  t.teardown(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>(resolve => child.on('close', resolve));
  const now = (): number => Math.floor(performance.now() / 10);
  const received: Buffer[] = [];
  const facts: { name?: string; length?: number | undefined; why?: string | undefined } = {};
  let count = 0;
  child.stdin!.on('error', () => {});
  const receiver = new Receiver(text => void child.stdin!.write(Buffer.from(text, 'latin1')), now());
  const done = new Promise<void>(resolve => {
    const turn = (): void => {
      clearTimeout(timer);
      for (let event = receiver.event; event !== undefined; event = receiver.event) {
        if (event.kind === 'file') Object.assign(facts, event);
        if (event.kind === 'data') {
          received.push(Buffer.from(event.bytes));
          count += event.bytes.length;
        }
        if (event.kind === 'done') {
          facts.why = event.why;
          resolve();
          return;
        }
        if (count > cancelAt) receiver.cancel('enough', now());
        else receiver.accept(now());
      }
      timer = setTimeout(turn, 10 * receiver.work(now()) + 1);
    };
    let timer = setTimeout(turn, 1);
    child.stdout!.on('data', (bytes: Buffer) => {
      // A pipe may bring more than one answer's worth: an event ends what feed() takes.
      receiver.feed(bytes, now());
      turn();
    });
  });
  await done;
  child.stdin!.end();
  return { status: await ended, bytes: Buffer.concat(received), ...facts };
}

const file = path.join(folder, 'image.bin');
const FILE = contents(300_123);
writeFileSync(file, FILE);

test('sz --ymodem', async t => {
  const { status, bytes, name, length, why } = await withLrzsz(t, ['sz', '--ymodem', '--binary', file]);
  t.is(why, undefined);
  t.is(name, 'image.bin');
  t.is(length, FILE.length);
  t.true(bytes.equals(FILE));
  t.is(status, 0);
});

test('sb, a file whose last block is full', async t => {
  writeFileSync(path.join(folder, 'short'), FILE.subarray(0, 40_960));
  const { bytes, why } = await withLrzsz(t, ['sb', '--ymodem', path.join(folder, 'short')]);
  t.is(why, undefined);
  t.true(bytes.equals(FILE.subarray(0, 40_960)));
});

for (const words of [['sx', '-k'], ['sx']]) {
  test(`${words.join(' ')}: XMODEM, the end filled up`, async t => {
    const { status, bytes, name, why } = await withLrzsz(t, [...words, file]);
    t.is(why, undefined);
    t.is(name, undefined);
    t.true(bytes.subarray(0, FILE.length).equals(FILE));
    t.true(bytes.length - FILE.length < 1024);
    t.true(bytes.subarray(FILE.length).every(byte => byte === 0x1a));
    t.is(status, 0);
  });
}

test('sz --ymodem hears that the transfer is cancelled', async t => {
  const { status, why } = await withLrzsz(t, ['sz', '--ymodem', file], 50_000);
  t.is(why, 'enough');
  t.not(status, 0);
});
