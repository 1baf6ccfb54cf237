// The floppy's driver against the model of controller, drive and DMA: floppy.ts, fdc.ts and floppy-model.ts. The pages of
// the plane's memory lie in RAM in an order of their own, as on the board.

import test from 'ava';
import { BOOT_SECTOR_AT_MEDIUM, FLOPPY_TRACK_SECTORS, IMAGE_SECTORS } from '../../src/base/layout.ts';
import { DISK_BUFFER_AT, PLANE_BYTES, STORE_AT, STORE_BYTES } from '../../src/base/limits.ts';
import { javascriptBuild } from '../../tools/builds.ts';
import { BusModel } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import { type Medium, memoryMedium } from './ata-model.ts';
import type { DiskJob } from './disk.ts';
import { SECTOR_BYTES } from './disk.ts';
import { NO_ANSWER, NO_CONTROLLER } from './fdc.ts';
import { FloppyDisk, MOTOR_TICKS, NO_FLOPPY, NOT_BOOTED, SPIN_TICKS, WRITE_PROTECTED } from './floppy.ts';
import { FdcModel, FloppyModel, type Status } from './floppy-model.ts';
import * as fdc from './floppy-registers.ts';

const MEDIUM = -0x12345678;
const PAGE = 4096;
/** What a job may take that is told of after one try. */
const SOON_TICKS = 400;
const ABNORMAL = fdc.ST0_ABNORMAL;

function floppy(medium = MEDIUM): { bytes: Buffer; medium: Medium } {
  const bytes = Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
  for (let sector = 0; sector < IMAGE_SECTORS; sector++) bytes.fill(sector & 0xff, sector * SECTOR_BYTES);
  bytes.writeInt32LE(medium, BOOT_SECTOR_AT_MEDIUM);
  return { bytes, medium: memoryMedium(bytes) };
}

/** Pages lie behind each other from `first` on, but each `gap`-th is the next one's neighbour. */
function pagesOf(first: number, gap: number) {
  const places = Array.from(
    { length: PLANE_BYTES / PAGE },
    (_, page) => first + page + Math.floor(page / gap),
  );
  const physical = (at: number): number => (places[(at / PAGE) | 0] as number) * PAGE + (at % PAGE);
  const back = (address: number): number => {
    const page = places.indexOf(Math.floor(address / PAGE));
    if (page < 0) throw new Error(`The DMA went to 0x${address.toString(16)}`);
    return page * PAGE + (address % PAGE);
  };
  return { physical, back };
}

/** A board with a floppy drive, a clock that the waits move on, and timers. */
function bench({ first = 0x321, gap = 3, hasController = true, given = floppy() } = {}) {
  const { memory } = javascriptBuild();
  const bus = new BusModel();
  const state = { ticks: 1000 };
  const drive = new FloppyModel(given.medium);
  const { physical, back } = pagesOf(first, gap);
  const model = new FdcModel(
    drive,
    () => state.ticks,
    () => memory,
    back,
  );
  if (hasController) {
    bus.place(fdc.FLOPPY_PORT, fdc.FLOPPY_PORTS, model.device);
    bus.place(fdc.DIR, 1, model.last);
  }
  bus.place(0, 16, model.dma.device);
  bus.place(fdc.DMA_PAGE, 1, model.dma.page);
  attachPorts(bus);
  let timers: { at: number; run: () => void }[] = [];
  const pass = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      state.ticks++;
      const due = timers.filter(timer => timer.at <= state.ticks);
      timers = timers.filter(timer => timer.at > state.ticks);
      for (const { run } of due) run();
    }
  };
  const place = {
    memory,
    buffer: DISK_BUFFER_AT,
    physical,
    now: () => state.ticks,
    after: (ticks: number, run: () => void) => void timers.push({ at: state.ticks + ticks, run }),
  };
  /** Runs a job; answers what came of it, and how long it and its longest step took. */
  const run = (job: DiskJob): string | undefined => {
    for (;;) {
      const before = bus.time;
      const result = job.next();
      longest = Math.max(longest, bus.time - before);
      if (result.done === true) return result.value;
      pass(result.value);
    }
  };
  let longest = 0;
  const disk = new FloppyDisk(place, MEDIUM);
  const moves = () => drive.commands.filter(([code]) => code === fdc.READ_DATA || code === fdc.WRITE_DATA);
  return {
    ...{ bus, drive, model, memory, state, run, pass, disk, moves, bytes: given.bytes },
    longest: () => longest,
  };
}

const pattern = (sectors: number): Uint8Array =>
  Uint8Array.from({ length: sectors * SECTOR_BYTES }, (_, i) => (i * 7 + (i >> 9)) & 0xff);

test("sectors of the plane's memory lie on one page each", t => {
  t.is(DISK_BUFFER_AT % SECTOR_BYTES, 0);
  t.is(STORE_AT % SECTOR_BYTES, 0);
});

// Where pages are apart, where they are side by side, and where a DMA's 64 KiB end within the store's memory.
for (const [first, gap] of [
  [0x321, 1],
  [0x321, 1000],
  [0x400 - Math.floor(STORE_AT / PAGE) - 2, 1000],
] as const) {
  test.serial(`write() and read() move every sector, pages from ${first} on and ${gap} together`, t => {
    const { disk, run, memory, model, bytes } = bench({ first, gap });
    const sectors = STORE_BYTES / SECTOR_BYTES;
    const store = memory.subarray(STORE_AT, STORE_AT + STORE_BYTES);
    store.set(pattern(sectors));
    t.is(run(disk.write(63, store)), undefined);
    t.is(run(disk.flush()), undefined);
    t.deepEqual(
      bytes.subarray(63 * SECTOR_BYTES, (63 + sectors) * SECTOR_BYTES),
      Buffer.from(pattern(sectors)),
    );
    t.true(bytes.subarray(62 * SECTOR_BYTES, 63 * SECTOR_BYTES).every(byte => byte === 62));
    t.true(
      bytes
        .subarray((63 + sectors) * SECTOR_BYTES, (64 + sectors) * SECTOR_BYTES)
        .every(byte => byte === 63 + sectors),
    );
    store.fill(0);
    t.is(run(disk.read(63, store)), undefined);
    t.deepEqual(Buffer.from(store), Buffer.from(pattern(sectors)));
    // Elsewhere, and in the middle of a sector: by the buffer.
    const heap = pattern(40);
    t.is(run(disk.write(IMAGE_SECTORS - 40, heap)), undefined);
    const askew = memory.subarray(STORE_AT + 100, STORE_AT + 100 + 3 * SECTOR_BYTES);
    t.is(run(disk.read(IMAGE_SECTORS - 20, askew)), undefined);
    t.deepEqual(Buffer.from(askew), Buffer.from(heap.subarray(20 * SECTOR_BYTES, 23 * SECTOR_BYTES)));
    t.deepEqual(model.violations, []);
    t.is(run(disk.read(IMAGE_SECTORS, askew)), `sector ${IMAGE_SECTORS + 2} is behind the floppy's end`);
  });
}

test.serial('a command moves what lies side by side on a track and in RAM', t => {
  const { disk, run, memory, moves } = bench({ first: 0, gap: 1000 });
  t.is(run(disk.read(70, memory.subarray(STORE_AT, STORE_AT + 30 * SECTOR_BYTES))), undefined);
  const firsts = moves()
    .map(([, sector]) => sector)
    .slice(1);
  t.is(firsts[0], 70);
  t.true(firsts.includes(4 * FLOPPY_TRACK_SECTORS) && firsts.includes(5 * FLOPPY_TRACK_SECTORS));
  t.true(firsts.length <= 4, `${firsts}`);
});

test.serial('no step of a job takes long, and the motor stops when nothing was done for a while', t => {
  const { disk, run, drive, memory, state, pass, longest } = bench();
  t.is(drive.motorStarts, 0);
  const from = state.ticks;
  const store = memory.subarray(STORE_AT, STORE_AT + 8 * SECTOR_BYTES);
  t.is(run(disk.write(63, store)), undefined);
  t.true(state.ticks - from >= SPIN_TICKS && state.ticks - from < SOON_TICKS);
  t.true(drive.isMotorOn);
  pass(MOTOR_TICKS - 10);
  t.true(drive.isMotorOn);
  t.is(run(disk.read(63, store)), undefined);
  pass(MOTOR_TICKS - 10);
  t.true(drive.isMotorOn);
  t.is(drive.motorStarts, 1);
  pass(20);
  t.false(drive.isMotorOn);
  // A wait of the controller's polls the most ports: SPINS in fdc.ts, and what is given before.
  t.true(longest() < 150, `${longest()} accesses to ports in a step`);
  t.is(run(disk.read(63, store)), undefined);
  t.is(drive.motorStarts, 2);
});

const ERRORS: [string, Status, string][] = [
  ['a CRC', [ABNORMAL, fdc.ST1_DE, 0], 'the data cannot be read (DE)'],
  ['an overrun', [ABNORMAL, fdc.ST1_OR, 0], 'the data came too late (OR)'],
  ['no such sector', [ABNORMAL, fdc.ST1_ND, 0], 'the sector is not found (ND)'],
  ['no address mark', [ABNORMAL, fdc.ST1_MA, 0], 'the sector is not found (ND)'],
  ['another cylinder', [ABNORMAL, fdc.ST1_ND, fdc.ST2_WC], 'the head is on another cylinder (WC)'],
  ['a drive that is not ready', [ABNORMAL | fdc.ST0_NR, 0, 0], 'the floppy drive is not ready (NR)'],
  ['no end', [ABNORMAL, fdc.ST1_EN, 0], 'the DMA did not move the data (EN)'],
  ['anything else', [0x80, 0, 0x40], 'the floppy controller reports 0x800040'],
];
for (const [name, status, words] of ERRORS) {
  test.serial(`${name} is tried again from track 0, and then told`, t => {
    const { disk, run, drive, model, bytes, moves } = bench();
    let errors = 2;
    drive.fault = code => (code === fdc.WRITE_DATA && errors-- > 0 ? status : undefined);
    t.is(run(disk.write(63, pattern(1))), undefined);
    t.deepEqual(bytes.subarray(63 * SECTOR_BYTES, 64 * SECTOR_BYTES), Buffer.from(pattern(1)));
    t.is(moves().filter(([code]) => code === fdc.WRITE_DATA).length, 3);
    t.is(drive.commands.filter(([code]) => code === fdc.RECALIBRATE).length, 3);
    errors = 1000;
    t.is(run(disk.write(63, pattern(1))), words);
    t.is(moves().filter(([code]) => code === fdc.WRITE_DATA).length, 3 + 4);
    errors = 0;
    t.is(run(disk.write(64, pattern(1))), undefined);
    t.deepEqual(model.violations, []);
  });
}

test.serial('a seek that ends elsewhere is found out by the sector, and by the controller', t => {
  const { disk, run, drive, model, bytes } = bench();
  drive.strayTo = 7;
  t.is(run(disk.write(63, pattern(1))), 'the head is on another cylinder (WC)');
  t.true(bytes.subarray(63 * SECTOR_BYTES, 64 * SECTOR_BYTES).every(byte => byte === 63));
  drive.strayTo = undefined;
  t.is(run(disk.write(63, pattern(1))), undefined);
  t.deepEqual(model.violations, []);
});

test.serial('a head that is farther out than a RECALIBRATE reaches is brought back by two', t => {
  const { disk, run, drive } = bench();
  drive.cylinder = 82;
  t.is(run(disk.write(63, pattern(1))), undefined);
});

test.serial('a write-protected floppy is told at once, and is read', t => {
  const { disk, run, drive, moves } = bench();
  drive.isProtected = true;
  t.is(run(disk.write(63, pattern(2))), WRITE_PROTECTED);
  t.is(moves().filter(([code]) => code === fdc.WRITE_DATA).length, 1);
  const back = new Uint8Array(SECTOR_BYTES);
  t.is(run(disk.read(63, back)), undefined);
  t.is(back[0], 63);
});

test.serial('without a controller, a drive, a floppy that is told, in bounded time', t => {
  const none = bench({ hasController: false });
  t.is(none.run(none.disk.write(63, pattern(1))), NO_CONTROLLER);
  t.true(none.state.ticks - 1000 < 20);
  const bare = bench();
  bare.drive.isThere = false;
  t.is(bare.run(bare.disk.write(63, pattern(1))), 'no floppy drive answers (EC)');
  t.true(bare.state.ticks - 1000 < SOON_TICKS);
  const empty = bench();
  empty.drive.change(undefined);
  t.is(empty.run(empty.disk.write(63, pattern(1))), NO_FLOPPY);
  t.true(empty.state.ticks - 1000 < SOON_TICKS);
  empty.drive.change(floppy().medium);
  t.is(empty.run(empty.disk.write(63, pattern(1))), undefined);
  t.deepEqual([bare.model.violations, empty.model.violations], [[], []]);
});

test.serial(
  'a controller that hangs is reset before the next command; one that is dead costs bounded time',
  t => {
    const { disk, run, drive, model, state } = bench();
    drive.fault = () => 'hang';
    t.is(run(disk.write(63, pattern(1))), NO_ANSWER);
    drive.fault = () => undefined;
    t.is(run(disk.write(63, pattern(1))), undefined);
    t.deepEqual(model.violations, []);
    model.isDead = true;
    for (let i = 0; i < 3; i++) {
      const from = state.ticks;
      t.is(run(disk.write(63, pattern(1))), NO_ANSWER);
      t.true(state.ticks - from < SOON_TICKS);
    }
  },
);

test.serial('another floppy is never written to, whether the drive tells of it or not', t => {
  const { disk, run, drive, model, pass } = bench();
  t.is(run(disk.write(63, pattern(1))), undefined);
  const other = floppy(5);
  const before = Buffer.from(other.bytes);
  drive.change(other.medium);
  for (let i = 0; i < 2; i++) t.is(run(disk.write(63, pattern(1))), NOT_BOOTED);
  t.true(other.bytes.equals(before));
  const same = floppy();
  drive.change(same.medium);
  t.is(run(disk.write(63, pattern(1))), undefined);
  t.deepEqual(same.bytes.subarray(63 * SECTOR_BYTES, 64 * SECTOR_BYTES), Buffer.from(pattern(1)));
  // A line that never tells: the start of the motor does.
  drive.changeLine = false;
  pass(2 * MOTOR_TICKS);
  drive.change(other.medium);
  t.is(run(disk.write(63, pattern(1))), NOT_BOOTED);
  // One that always does.
  drive.changeLine = true;
  t.is(run(disk.write(63, pattern(1))), NOT_BOOTED);
  drive.change(same.medium);
  t.is(run(disk.write(64, pattern(2))), undefined);
  t.true(other.bytes.equals(before));
  t.deepEqual(model.violations, []);
});

test.serial('a boot sector that is read badly once is read again', t => {
  const { disk, run, drive } = bench();
  let errors = 1;
  drive.fault = () => (errors-- > 0 ? [ABNORMAL, fdc.ST1_DE, 0] : undefined);
  t.is(run(disk.write(63, pattern(1))), undefined);
  drive.bad.add(64);
  t.is(run(disk.read(64, new Uint8Array(SECTOR_BYTES))), 'the data cannot be read (DE)');
});

test.serial(
  'a user who goes away in the middle of a command leaves a floppy that works, and the next its turn',
  t => {
    const { disk, run, pass, model } = bench();
    for (let steps = 1; steps < 40; steps++) {
      const job = disk.write(63, pattern(6));
      const next = disk.read(200, new Uint8Array(SECTOR_BYTES));
      let wait = 0;
      for (let i = 0; i < steps; i++) {
        const result = job.next();
        if (result.done === true) break;
        wait = result.value;
        t.false(next.next().done);
        pass(wait);
      }
      job.return(undefined);
      t.is(run(next), undefined);
      const back = new Uint8Array(SECTOR_BYTES);
      t.is(run(disk.read(210, back)), undefined);
      t.true(back.every(byte => byte === 210));
    }
    t.deepEqual(model.violations, []);
  },
);
