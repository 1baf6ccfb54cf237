// The worst input that control takes from the console and the disk, on the booted board, and what it costs in instructions:
// the table "from the disk or the operator" of docs/performance.md, with a bound each, some 40 % above what was measured. Where
// a row is of more than one step, the longest is bounded too: control is taken for hung after five seconds, which are 40
// million instructions of the slowest processor that is served.
// Not here: what strangers feed (worst-inputs.test.ts), saved lines (saved-lines.test.ts), a key and its echo (bench/keys.ts).

import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { NOW_AT } from '../src/base/cells.ts';
import * as layout from '../src/base/layout.ts';
import { TICKS_PER_SECOND } from '../src/base/limits.ts';
import {
  ACK,
  ASK_CRC,
  CAN,
  crc16,
  LONG_BLOCK,
  NAK,
  SHORT_BLOCK,
  SOH,
  STX,
} from '../src/control/transfer/modem.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { isaCards, Machine } from '../tools/harness/qemu.ts';
import { idleness, pause, until } from './bench/lab.ts';
import { IMAGE } from './harness/board-router.ts';
import { slotOf } from './harness/firmware.ts';
import { ICOUNT_SHIFT, INSTRUCTIONS_PER_SECOND, planeWord, reading, spent } from './harness/icount.ts';
import { longestStep } from './harness/steps.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

const SECONDS = 60;
const LINE_BYTES = 990;
/** In which a line has been taken that came all at once. */
const TYPED_MILLISECONDS = 3000;
/**
 * What comes by the line costs a step for each byte where that comes alone, and less the more come together, which depends
 * on the host's load: 30,000 instructions a byte.
 */
const TYPED_MOST = 40_000_000;
/** A single step must stay below it, whatever was typed or lies on the disk. */
const STEP_MOST = 22_000_000;

let machine: Machine;
/** Of an idle board, a second. */
let quiet = 0;
/** Rows whose cost is past their bound. */
let failed: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'masqbox-worst-'));

test.serial.before(async t => {
  t.timeout(TEST_MILLISECONDS);
  const disk = join(folder, 'disk.img');
  copyFileSync(IMAGE, disk);
  truncateSync(disk, layout.MEDIUM_SECTORS * layout.SECTOR_BYTES);
  const cards = isaCards({ user: true }, { user: true });
  machine = await Machine.start({
    disk,
    writable: true,
    cards,
    icount: ICOUNT_SHIFT,
    sleep: true,
    align: true,
  });
  await machine.console.expect(PROMPT, SECONDS);
  for (const line of ['set wan none', 'set console idle 0', 'save']) await machine.console.command(line);
  await pause(1000);
  const { instructions, seconds } = await idleness(machine, 2000);
  quiet = instructions / seconds;
});

test.after.always(async () => {
  await machine?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A test of rows: each is told, and those past their bound fail it together. */
function rows(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  test.serial(title, async t => {
    t.timeout(TEST_MILLISECONDS);
    failed = [];
    await run(t);
    t.deepEqual(failed, []);
  });
}

/** What `run` takes, `count` times as much of something, and its longest step. */
async function row(t: ExecutionContext, what: string, most: number, count: number, run: () => Promise<void>) {
  const before = await reading(machine);
  const step = await longestStep(machine, run);
  const { instructions, seconds } = spent(before, await reading(machine));
  const text = (n: number): string => Math.round(n).toLocaleString('en-US');
  const each = (instructions - quiet * seconds) / count;
  t.log(`| ${what} | ${text(each)} | longest step ${text(step)} |`);
  if (!(each < most)) failed.push(`${what}: ${text(each)}, of ${text(most)}`);
  if (!(step < STEP_MOST)) failed.push(`${what}: a step of ${text(step)}, of ${text(STEP_MOST)}`);
}

/** A sender of YMODEM that may say anything. */
class Sender {
  private heard: number[] = [];

  private constructor() {
    machine.console.watcher = bytes => this.heard.push(...bytes);
  }

  static async start(command: string): Promise<Sender> {
    machine.console.write(`${command}\r`);
    await machine.console.expect('^C cancels', SECONDS);
    const sender = new Sender();
    await sender.hears(ASK_CRC);
    return sender;
  }

  say(...bytes: number[]): void {
    machine.console.write(Buffer.from(bytes).toString('latin1'));
  }

  /** Waits for a character; what came before it is forgotten. */
  async hears(character: number): Promise<void> {
    if (!(await until(() => this.heard.includes(character)))) throw new Error(`Cannot hear ${character}`);
    this.heard = this.heard.slice(this.heard.indexOf(character) + 1);
  }

  /** A block, whose CRC is `spoil` away from the right one. */
  block(number: number, data: Uint8Array, spoil = 0): void {
    const crc = crc16(data, 0, data.length) ^ spoil;
    const start = data.length === LONG_BLOCK ? STX : SOH;
    this.say(start, number & 255, ~number & 255, ...data, crc >> 8, crc & 255);
  }

  async taken(number: number, data: Uint8Array): Promise<void> {
    this.block(number, data);
    await this.hears(ACK);
  }

  /** Says it again where it is not heard: on a busy host the line may still be full of noise, and loses what comes then. */
  async cancel(): Promise<void> {
    machine.console.watcher = () => {};
    for (let tries = 1; ; tries++) {
      this.say(CAN, CAN, CAN);
      try {
        await machine.console.expect(PROMPT, SECONDS / 10);
        return;
      } catch (error) {
        if (tries === 10) throw error;
      }
    }
  }
}

const filled = (bytes: number, ...with_: number[]): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => with_[i % with_.length] as number);

rows('YMODEM: block 0, and noise', async t => {
  const A = 0x61;
  const names: [string, Uint8Array][] = [
    ['zeros behind a letter', filled(LONG_BLOCK, 0).fill(A, 0, 1)],
    ['a name of 1,024 letters', filled(LONG_BLOCK, A)],
    ['letters and zeros in turn', filled(LONG_BLOCK, A, 0)],
    ['digits behind the name', filled(LONG_BLOCK, 0x39).fill(A, 0, 1).fill(0, 1, 2)],
  ];
  for (const [what, data] of names) {
    const sender = await Sender.start('update unsigned');
    await row(t, `YMODEM: block 0 of ${what}`, TYPED_MOST, 1, () => sender.taken(0, data));
    await sender.cancel();
  }
  let sender = await Sender.start('update unsigned');
  const noise: [string, number[]][] = [
    ['U', [0x55]],
    ['start of a short block', [SOH]],
    ['start of a long block', [STX]],
    ['CAN and U', [CAN, 0x55]],
    ['backspaces', [8]],
  ];
  const KIB = 16;
  for (const [what, bytes] of noise) {
    await row(t, `YMODEM: KiB of noise before block 0: ${what}`, TYPED_MOST, KIB, async () => {
      sender.say(...filled(KIB * 1024, ...bytes));
      await pause(2000);
    });
  }
  await sender.cancel();
  sender = await Sender.start('update unsigned');
  await sender.taken(0, filled(LONG_BLOCK, 0).fill(A, 0, 1));
  for (const [what, bytes] of noise) {
    await row(t, `YMODEM: KiB of noise before block 1: ${what}`, TYPED_MOST, KIB, async () => {
      sender.say(0x55, ...filled(KIB * 1024, ...bytes));
      await sender.hears(NAK);
    });
  }
  await row(t, 'YMODEM: block of CANs, damaged', TYPED_MOST, 4, async () => {
    for (let i = 0; i < 4; i++) {
      sender.block(1, filled(LONG_BLOCK, CAN, 8), 1);
      await sender.hears(NAK);
    }
  });
  await sender.cancel();
});

rows('an update', async t => {
  const slot = slotOf(IMAGE, '9.9.9');
  const part = (at: number, bytes: number): Uint8Array => Uint8Array.from(slot.subarray(at, at + bytes));
  const sender = await Sender.start('update');
  const name = filled(LONG_BLOCK, 0);
  name.set(Buffer.from(`a\0${slot.length}`));
  await sender.taken(0, name);
  await row(t, 'update: header and its signature', 98_000_000, 1, () => sender.taken(1, part(0, LONG_BLOCK)));
  let at = LONG_BLOCK;
  let number = 2;
  await row(t, 'update: 1,024 bytes in one block', TYPED_MOST, 64, async () => {
    for (let i = 0; i < 64; i++, at += LONG_BLOCK) await sender.taken(number++, part(at, LONG_BLOCK));
  });
  await row(t, 'update: 1,024 bytes in blocks of 128', TYPED_MOST, 16, async () => {
    for (let i = 0; i < 128; i++, at += SHORT_BLOCK) await sender.taken(number++, part(at, SHORT_BLOCK));
  });
  await sender.cancel();
});

/** A line of 990 bytes of these. */
const long = (head: string, tail: string): string => (head + tail.repeat(1000)).slice(0, LINE_BYTES);

rows('lines, keys and commands at the console', async t => {
  const { console } = machine;
  const type = async (line: string): Promise<void> => {
    console.write(line);
    await pause(TYPED_MILLISECONDS);
  };
  await row(t, 'console: a comment of 990 bytes is typed', TYPED_MOST, 1, async () => {
    await type(long('# ', 'a'));
  });
  await console.command('');
  for (const [head, tail] of [
    ['set wan client-id ', 'a '],
    ['set dns host a 192.0.2.1 confirm ', 'set dns host a 192.0.2.1 confirm '],
    ['help ', 's '],
    ['capture lan ', 'host 1.1.1.1 or '],
    ['show masq ', '1.1.1.1 '],
    ['show log ', 'error '],
    ['watch ', 'watch '],
    ['ipfwadm ', '-M '],
    ['resolve ', 'a.'],
    ['debug more ', 'a'],
    ['debug frame 0 0 0 ', 'a'],
  ] as const) {
    await type(long(head, tail));
    await row(t, `console: ${head}${tail}...`, 27_000_000, 1, async () => {
      await console.command('');
    });
  }
  for (const [key, name] of [
    ['\t', 'Tab'],
    ['?', '?'],
  ] as const) {
    for (const [head, tail] of [
      ['set dns host a 192.0.2.1 confirm ', 'set dns host a 192.0.2.1 confirm '],
      ['set wan client-id ', 'a '],
      ['help ', 's '],
      ['s', ''],
      ['', ''],
      [`set dns host ${'a'.repeat(970)} `, ''],
      ['set timezone A', ''],
    ] as const) {
      await type(long(head, tail));
      await row(t, `console: ${name} behind ${(head + tail).slice(0, 60)}...`, 28_000_000, 1, async () => {
        console.write(key);
        await pause(1200);
      });
      console.write('\x03');
      await console.command('');
    }
  }
  for (let i = 0; i < 21; i++) await console.command(`#${'a'.repeat(LINE_BYTES - 3)}${i % 10}`);
  await row(t, 'console: a line called back', 1_000_000, 20, async () => {
    for (let i = 0; i < 20; i++) console.write('\x1b[A');
    await pause(1500);
  });
  console.write('\x03');
  console.write(`\x12${'a'.repeat(23)}`);
  await pause(3000);
  await row(t, 'console: ^R, a key that finds nothing in 20 lines', 9_300_000, 1, async () => {
    console.write('b');
    await pause(1500);
  });
  console.write('\x03\x03');
  await console.command('');
});

rows('import', async t => {
  const { console } = machine;
  for (const [what, line] of [
    ['the shortest lines', 's'],
    ['lines that are no settings', `set ${'x '.repeat(20)}`],
    ['lines that are not complete', 'set dns'],
    ['options of long names', `set dhcp option 119 ${'a.'.repeat(480)}x`],
    ['zones in turn', 'set timezone Europe/Berlin'],
  ] as const) {
    const count = 100;
    const most = 200_000_000 + count * line.length * 50_000;
    await row(t, `import of 100 lines: ${what}`, most, 1, async () => {
      console.write('import\r');
      await console.expect('leaves everything as it is', SECONDS);
      for (let i = 0; i < count; i++) {
        console.write(`${line}\r`);
        await console.expect(/> $/, SECONDS);
      }
      console.write('end\r');
      await console.expect(PROMPT, 4 * SECONDS);
    });
  }
});

/** Sectors of the flash log with these records in each: kind, key, payload. */
function flashLog(records: (sector: number) => [kind: number, key: number, payload: Uint8Array][]): Buffer {
  const all = Buffer.alloc(layout.LOG_SECTORS * layout.SECTOR_BYTES);
  for (let i = 0; i < layout.LOG_SECTORS; i++) {
    const sector = all.subarray(i * layout.SECTOR_BYTES, (i + 1) * layout.SECTOR_BYTES);
    sector.writeInt32LE(layout.LOG_MAGIC, layout.LOG_AT_MAGIC);
    sector.writeInt32LE(i + 1, layout.LOG_AT_SEQUENCE);
    let at = layout.LOG_AT_RECORDS;
    for (const [kind, key, payload] of records(i)) {
      const next = at + layout.LOG_RECORD_AT_PAYLOAD + ((payload.length + 3) & ~3);
      if (next > layout.SECTOR_BYTES) break;
      sector[at + layout.LOG_RECORD_AT_KIND] = kind;
      sector.writeUInt16LE(payload.length, at + layout.LOG_RECORD_AT_LENGTH);
      sector.writeInt32LE(key, at + layout.LOG_RECORD_AT_KEY);
      sector.set(payload, at + layout.LOG_RECORD_AT_PAYLOAD);
      at = next;
    }
    const crc = crc32(sector.subarray(layout.LOG_AT_RECORDS), crc32(sector.subarray(0, layout.LOG_AT_CRC)));
    sector.writeUInt32LE(crc, layout.LOG_AT_CRC);
  }
  return all;
}

/** Ticks to the prompt of a board of 4 MB with this flash log, and what it said. */
async function startWith(log: Buffer): Promise<{ ticks: number; said: string; step: number }> {
  const disk = join(folder, 'log.img');
  const image = readFileSync(IMAGE);
  log.copy(image, layout.LOG_SECTOR * layout.SECTOR_BYTES);
  writeFileSync(disk, image);
  const cards = isaCards({ user: true }, { user: true });
  const board = await Machine.start({ disk, memory: 4, cards, icount: ICOUNT_SHIFT, sleep: true });
  try {
    let said = '';
    const step = await longestStep(board, async () => {
      said = await board.console.expect(PROMPT, SECONDS);
    });
    return { ticks: await planeWord(board, NOW_AT), said, step };
  } finally {
    await board.stop();
  }
}

rows('the flash log at the start', async t => {
  const none = new Uint8Array(0);
  const lease = (key: number): [number, number, Uint8Array] => {
    const name = Buffer.from('a-host-with-a-long-name-');
    const payload = Buffer.alloc(12 + 6 + 30 + name.length);
    payload.writeUInt32LE(43200, 4);
    payload.set([1, 6, 30, name.length, 2, 0, 0, 0, key >> 8, key & 255], 8);
    payload.set(filled(28, key, 7, 9), 18 + 2);
    payload.set(name, 48);
    return [layout.LOG_KIND_LEASE, (0xc0a80000 + (key % 256)) | 0, payload];
  };
  const many = <T>(make: (i: number) => T): T[] => Array.from({ length: 64 }, (_, i) => make(i));
  const texts: Record<string, Buffer> = {
    'full of leases': flashLog(sector => many(i => lease(sector * 6 + i))),
    'full of empty leases': flashLog(sector => many(i => [layout.LOG_KIND_LEASE, sector * 64 + i, none])),
    'full of records of no kind': flashLog(sector => many(i => [9, sector * 64 + i, none])),
    'full of one record': flashLog(() => many(() => [layout.LOG_KIND_WAN, 0, filled(4, 1)])),
    'full of crashes': flashLog(sector => many(i => [layout.LOG_KIND_CRASH, sector * 64 + i, filled(8, i)])),
    'full of cards': flashLog(() => many(() => [layout.LOG_KIND_CARDS, 0, filled(488, 255)])),
    'of ones': Buffer.alloc(layout.LOG_SECTORS * layout.SECTOR_BYTES, 255),
  };
  const empty = await startWith(Buffer.alloc(layout.LOG_SECTORS * layout.SECTOR_BYTES));
  for (const [what, log] of Object.entries(texts)) {
    const { ticks, said, step } = await startWith(log);
    const instructions = ((ticks - empty.ticks) / TICKS_PER_SECOND) * INSTRUCTIONS_PER_SECOND;
    t.log(
      `| flash log ${what} | ${instructions.toLocaleString('en-US')} | longest step ${step.toLocaleString('en-US')} |`,
    );
    if (/Control was restarted|Floor:/.test(said)) failed.push(`flash log ${what}: ${said}`);
    if (!(instructions < 140_000_000)) failed.push(`flash log ${what}: ${instructions}`);
  }
});
