// The host tool's sender: against lrzsz's receiver, and against the board's, over a line with seeded noise.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { Receiver } from '../../src/control/transfer/receiver.ts';
import { runSeed, seeded } from '../harness/random.ts';
import { Inbox } from './inbox.ts';
import { type ByteLine, sendFile, TransferError } from './ymodem.ts';

const FILE = Buffer.from(Array.from({ length: 40_321 }, (_, i) => ((i * i) >> (i % 5)) & 0xff));

test('rz takes what sendFile() sends', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'masqbox-rz-'));
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'rz', '--ymodem', '--binary', '--overwrite'], {
    cwd: folder,
  });
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const ended = new Promise<number | null>(resolve => child.on('close', resolve));
  const inbox = new Inbox();
  child.stdout.on('data', (bytes: Buffer) => inbox.put(bytes));
  const line: ByteLine = {
    write: async bytes => void child.stdin.write(bytes),
    read: milliseconds => inbox.next(milliseconds),
    now: () => performance.now(),
  };
  const seen: number[] = [];
  await sendFile(line, 'image.bin', FILE, sent => seen.push(sent));
  t.is(await ended, 0);
  t.true(readFileSync(path.join(folder, 'image.bin')).equals(FILE));
  t.is(seen.at(-1), FILE.length);
});

/** A line to a receiver in virtual time, 86.8 us a byte; `spoil` says what becomes of a byte on its way. */
function virtualLine(spoil: (byte: number) => number[]) {
  let now = 0;
  const answers: number[] = [];
  const received: number[] = [];
  let why: string | undefined | null = null;
  const tick = (): number => Math.floor(now / 10);
  const receiver = new Receiver(text => answers.push(...[...Buffer.from(text, 'latin1')].flatMap(spoil)), 0);
  const settle = (): void => {
    for (let event = receiver.event; event !== undefined; event = receiver.event) {
      if (event.kind === 'data') received.push(...event.bytes);
      if (event.kind === 'done') {
        why = event.why;
        return;
      }
      receiver.accept(tick());
    }
  };
  const pass = (milliseconds: number): void => {
    now += milliseconds;
    receiver.work(tick());
    settle();
  };
  const line: ByteLine = {
    write: async bytes => {
      for (const byte of bytes) {
        receiver.feed(Uint8Array.from(spoil(byte)), tick());
        settle();
        pass(0.0868);
      }
    },
    read: async milliseconds => {
      const until = now + milliseconds;
      while (answers.length === 0 && now < until) pass(10);
      return answers.shift();
    },
    now: () => now,
  };
  return { line, received, result: () => why, pass };
}

test('a file passes a line that loses, changes and adds bytes', async t => {
  const seed = runSeed();
  let complete = 0;
  for (let run = 0; run < 20; run++) {
    const random = seeded(seed + run);
    const { line, received, result, pass } = virtualLine(byte => {
      if (random.chance(0.0001)) return [];
      if (random.chance(0.0001)) return [byte ^ (1 << random.below(8))];
      if (random.chance(0.0001)) return [byte, random.below(256)];
      return [byte];
    });
    const name = `seed ${seed + run}`;
    try {
      await sendFile(line, 'image.bin', FILE);
    } catch (error) {
      // Two answers in a row may be changed so that the ends lose each other: then both must say so.
      if (!(error instanceof TransferError)) throw error;
      t.log(`${name}: ${error.message}`);
    }
    for (let i = 0; i < 20_000 && result() === null; i++) pass(10);
    t.not(result(), null, `${name}: the receiver ends`);
    if (result() === undefined) {
      complete++;
      t.true(Buffer.from(received).equals(FILE), name);
    } else t.log(`${name}: ${result()}`);
  }
  t.true(complete >= 16, `${complete} of 20 arrived, seed ${seed}`);
});

test('sendFile() says that nobody asks, and that the board cancels', async t => {
  const silent: ByteLine = { write: async () => {}, read: async () => undefined, now: () => 0 };
  await t.throwsAsync(sendFile(silent, 'x', FILE), { message: 'the board does not ask for the file' });
  const answers = [0x43, 0x06, 0x43, 0x18, 0x18];
  const refusing: ByteLine = { write: async () => {}, read: async () => answers.shift(), now: () => 0 };
  await t.throwsAsync(sendFile(refusing, 'x', FILE), { message: 'the board cancelled the transfer' });
});
