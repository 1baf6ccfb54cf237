// The driver against the model of a channel: ata.ts, ata-disk.ts, ide.ts and ata-model.ts.

import test from 'ava';
import { BOOT_SECTOR_AT_MEDIUM } from '../../src/base/layout.ts';
import { DISK_BUFFER_AT, STORE_AT } from '../../src/base/limits.ts';
import { javascriptBuild } from '../../tools/builds.ts';
import { BusModel } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import { COMMAND_TICKS, type Device } from './ata.ts';
import { AtaDisk, addressOf, type Identity, identify, readIdentity } from './ata-disk.ts';
import { ChannelModel, DriveModel, type DriveOptions, memoryMedium } from './ata-model.ts';
import {
  ABRT,
  FLUSH_CACHE,
  IDENTIFY_DEVICE,
  READ_SECTORS,
  SET_FEATURES,
  UNC,
  WRITE_SECTORS,
} from './ata-registers.ts';
import { type DiskJob, type PromptDisk, runFor, SECTOR_BYTES } from './disk.ts';
import { CHANNELS, findDisk } from './ide.ts';

const SECTORS = 600;
const MEDIUM = -0x12345678;

/** A board with a channel that has these drives, and a clock that the waits move on. */
function bench(drives: (DriveModel | undefined)[], channel = 0) {
  const { memory } = javascriptBuild();
  const bus = new BusModel();
  const model = new ChannelModel(drives);
  const { command, control } = CHANNELS[channel]!;
  bus.place(command, 8, model.command);
  bus.place(control, 1, model.controlBlock);
  attachPorts(bus);
  const state = { ticks: 0 };
  const place = { memory, buffer: DISK_BUFFER_AT, now: () => state.ticks };
  const run = <T>(job: Generator<number, T, void>): T => {
    for (;;) {
      const result = job.next();
      if (result.done === true) return result.value;
      state.ticks += result.value;
    }
  };
  const device: Device = { ...place, command, control, unit: 0 };
  const disk = (unit = 0): PromptDisk => {
    const identity = run(identify({ ...device, unit }, new Uint8Array(SECTOR_BYTES)));
    if (typeof identity === 'string') throw new Error(identity);
    return new AtaDisk({ ...device, unit }, identity);
  };
  return { bus, model, memory, state, run, device, disk, place };
}

function drive(options: DriveOptions = {}, medium = MEDIUM): DriveModel {
  const bytes = Buffer.alloc(SECTORS * SECTOR_BYTES);
  for (let sector = 0; sector < SECTORS; sector++) bytes.fill(sector & 0xff, sector * SECTOR_BYTES);
  bytes.writeInt32LE(medium, BOOT_SECTOR_AT_MEDIUM);
  return new DriveModel(memoryMedium(bytes), options);
}

const pattern = (sectors: number): Uint8Array =>
  Uint8Array.from({ length: sectors * SECTOR_BYTES }, (_, i) => (i * 7 + (i >> 9)) & 0xff);

const KINDS: [string, DriveOptions][] = [
  ['LBA', {}],
  ['CHS', { geometry: [10, 4, 17] }],
  ['slow', { slowness: 400 }],
];

for (const [name, options] of KINDS) {
  test.serial(`write() and read() move every sector, ${name}`, t => {
    const { run, disk, memory } = bench([drive(options)]);
    const ata = disk();
    t.is(ata.sectorCount, options.geometry === undefined ? SECTORS : 680);
    t.is(ata.model, 'Masqbox model');
    const written = pattern(300);
    t.is(run(ata.write(17, written)), undefined);
    t.is(run(ata.flush()), undefined);
    const back = new Uint8Array(written.length);
    t.is(run(ata.read(17, back)), undefined);
    t.deepEqual(back, written);
    // The neighbours are as they were, and plane memory is read into without the buffer.
    const near = memory.subarray(STORE_AT, STORE_AT + SECTOR_BYTES);
    t.is(run(ata.read(16, near)), undefined);
    t.true(near.every(byte => byte === 16));
    t.is(run(ata.read(317, near)), undefined);
    t.true(near.every(byte => byte === (317 & 0xff)));
  });
}

test.serial('a transfer gives way at least every 16 sectors', t => {
  const { run, disk, state } = bench([drive()]);
  const ata = disk();
  const job = ata.read(0, new Uint8Array(256 * SECTOR_BYTES));
  let steps = 0;
  while (job.next().done !== true) steps++;
  t.is(steps, 16);
  t.is(state.ticks, 0);
  t.is(run(ata.read(0, new Uint8Array(SECTOR_BYTES))), undefined);
});

test('addressOf() counts as the standard does', t => {
  const identity: Identity = {
    model: '',
    sectorCount: 1 << 28,
    hasLba: true,
    hasFlush: true,
    heads: 16,
    sectors: 63,
  };
  t.deepEqual(addressOf(identity, 0x0abcdef1), [0xf1, 0xde, 0xbc, 0x4a]);
  const chs = { ...identity, hasLba: false };
  t.deepEqual(addressOf(chs, 0), [1, 0, 0, 0]);
  t.deepEqual(addressOf(chs, 62), [63, 0, 0, 0]);
  t.deepEqual(addressOf(chs, 63), [1, 0, 0, 1]);
  t.deepEqual(addressOf(chs, 16 * 63 * 0x123 + 5), [6, 0x23, 1, 0]);
});

test.serial('an error is tried again, with a reset before, and then told', t => {
  const model = drive();
  const { run, disk } = bench([model]);
  const ata = disk();
  const sector = new Uint8Array(SECTOR_BYTES);
  let errors = 1;
  model.fault = command => (command === READ_SECTORS && errors-- > 0 ? UNC : undefined);
  t.is(run(ata.read(5, sector)), undefined);
  t.is(model.commands.filter(command => command === READ_SECTORS).length, 2);
  model.bad.set(7, UNC);
  t.is(run(ata.read(7, sector)), 'the data cannot be read (UNC)');
  t.is(run(ata.write(6, pattern(2))), 'the data cannot be read (UNC)');
  t.is(model.commands.filter(command => command === WRITE_SECTORS).length, 3);
  t.is(run(ata.read(8, sector)), undefined);
  t.is(run(ata.read(SECTORS, sector)), `sector ${SECTORS} is behind the disk's end`);
});

test.serial('a disk that hangs is given up after its time, and comes back by a reset', t => {
  const model = drive();
  const { run, disk, state } = bench([model]);
  const ata = disk();
  const sector = new Uint8Array(SECTOR_BYTES);
  model.fault = () => 'hang';
  const from = state.ticks;
  t.is(run(ata.read(5, sector)), 'the disk does not answer');
  t.true(state.ticks - from >= COMMAND_TICKS && state.ticks - from < COMMAND_TICKS + 100);
  model.fault = () => undefined;
  t.is(run(ata.read(5, sector)), undefined);
  t.is(sector[0], 5);
});

test.serial('a disk that is dead costs bounded time', t => {
  const model = drive();
  const { run, disk, state } = bench([model]);
  const ata = disk();
  model.isHung = true;
  model.isDead = true;
  for (let i = 0; i < 3; i++) {
    const from = state.ticks;
    t.is(run(ata.write(5, pattern(1))), 'the disk does not answer');
    t.true(state.ticks - from < 2 * COMMAND_TICKS);
  }
});

test.serial('a user who goes away in the middle of a command leaves a disk that works', t => {
  const model = drive({ slowness: 1000 });
  const { run, disk } = bench([model]);
  const ata = disk();
  const job = ata.write(40, pattern(64));
  for (let i = 0; i < 5; i++) t.false(job.next().done);
  job.return(undefined);
  const back = new Uint8Array(SECTOR_BYTES);
  t.is(run(ata.read(200, back)), undefined);
  t.true(back.every(byte => byte === 200));
});

test.serial('operations take turns, and one that is given up lets the next go on', t => {
  const { disk, state } = bench([drive({ slowness: 1000 })]);
  const ata = disk();
  const jobs: { job: DiskJob; bytes: Uint8Array; first: number }[] = [];
  for (let i = 0; i < 6; i++) {
    const bytes = new Uint8Array(8 * SECTOR_BYTES);
    jobs.push({ job: ata.read(10 + 20 * i, bytes), bytes, first: 10 + 20 * i });
  }
  for (const { job } of jobs) t.false(job.next().done);
  jobs[2]!.job.return(undefined);
  jobs.splice(2, 1);
  const waiting = new Set(jobs);
  for (let turn = 0; turn < 10_000 && waiting.size > 0; turn++) {
    state.ticks++;
    for (const entry of waiting) {
      const result = entry.job.next();
      if (result.done !== true) continue;
      t.is(result.value, undefined);
      t.is(entry.bytes[0], entry.first);
      t.is(entry.bytes[7 * SECTOR_BYTES], entry.first + 7);
      waiting.delete(entry);
    }
  }
  t.is(waiting.size, 0);
});

/** A clock that goes on while somebody looks at it. */
function goesOn(state: { ticks: number }): void {
  let ticks = state.ticks;
  Object.defineProperty(state, 'ticks', { get: () => ticks++, set: value => (ticks = value) });
}

test.serial('readNow() ends the command that is under way, whose user finds it done', t => {
  const model = drive({ slowness: 1000 });
  const { disk, state } = bench([model]);
  const ata = disk();
  const written = pattern(64);
  const writer = ata.write(40, written);
  const waiting = ata.read(300, new Uint8Array(SECTOR_BYTES));
  for (let i = 0; i < 5; i++) t.false(writer.next().done);
  t.false(waiting.next().done);
  goesOn(state);
  const now = new Uint8Array(70 * SECTOR_BYTES);
  t.is(ata.readNow(38, now, 100_000), undefined);
  t.deepEqual(now.subarray(2 * SECTOR_BYTES, 66 * SECTOR_BYTES), written);
  t.is(now[0], 38);
  t.deepEqual(writer.next(), { done: true, value: undefined });
  let result = waiting.next();
  while (result.done !== true) result = waiting.next();
  t.is(result.value, undefined);
  t.is(model.commands.filter(command => command === WRITE_SECTORS).length, 1);
});

test.serial('readNow() is given up after its time, its own command or that of another', t => {
  const model = drive();
  const { disk, state } = bench([model]);
  const ata = disk();
  const sector = new Uint8Array(SECTOR_BYTES);
  goesOn(state);
  model.fault = () => 'hang';
  let from = state.ticks;
  t.is(ata.readNow(5, sector, 200), 'the disk does not answer');
  t.true(state.ticks - from < 300);
  const writer = ata.write(9, pattern(1));
  t.false(writer.next().done);
  from = state.ticks;
  t.is(ata.readNow(5, sector, 200), 'the disk is busy');
  t.true(state.ticks - from < 300);
  // Its user goes on with it, and the next finds a disk that works.
  model.fault = () => undefined;
  let result = writer.next();
  while (result.done !== true) result = writer.next();
  t.is(ata.readNow(5, sector, 2000), undefined);
  t.is(sector[0], 5);
  model.isHung = true;
  model.isDead = true;
  t.is(ata.readNow(5, sector, 200), 'the disk does not answer');
});

test.serial('readNow() before a user who is gone in the middle of his command', t => {
  const model = drive({ slowness: 1000 });
  const { disk, state } = bench([model]);
  const ata = disk();
  const job = ata.write(40, pattern(64));
  for (let i = 0; i < 5; i++) t.false(job.next().done);
  job.return(undefined);
  goesOn(state);
  const sector = new Uint8Array(SECTOR_BYTES);
  t.is(ata.readNow(200, sector, 10_000), undefined);
  t.true(sector.every(byte => byte === 200));
});

test.serial('a disk without FLUSH CACHE is told to write at once, again after a reset', t => {
  const old = drive({ hasNoFlush: true });
  const { run, disk } = bench([old]);
  const ata = disk();
  t.is(run(ata.read(5, new Uint8Array(SECTOR_BYTES))), undefined);
  t.false(old.isWriteThrough);
  for (let i = 0; i < 2; i++) t.is(run(ata.write(5, pattern(1))), undefined);
  t.true(old.isWriteThrough);
  t.is(run(ata.flush()), undefined);
  // A refusal costs no reset and no second try.
  t.deepEqual(old.commands.slice(2), [SET_FEATURES, WRITE_SECTORS, WRITE_SECTORS, FLUSH_CACHE]);
  old.bad.set(9, UNC);
  t.is(run(ata.read(9, new Uint8Array(SECTOR_BYTES))), 'the data cannot be read (UNC)');
  old.fault = command => {
    if (command === WRITE_SECTORS) t.true(old.isWriteThrough);
    return undefined;
  };
  t.is(run(ata.write(5, pattern(1))), undefined);
  const card = drive({ hasNoFlush: true, hasNoFeatures: true });
  const second = bench([card]);
  const plain = second.disk();
  t.is(second.run(plain.write(5, pattern(1))) ?? second.run(plain.flush()), undefined);
  t.deepEqual(card.commands.slice(1), [SET_FEATURES, WRITE_SECTORS, FLUSH_CACHE]);
  const young = drive();
  const third = bench([young]);
  t.is(third.run(third.disk().write(5, pattern(1))), undefined);
  t.deepEqual(young.commands.slice(1), [WRITE_SECTORS]);
});

test.serial('flush() believes a refusal only of a disk that has the command', t => {
  const young = drive();
  const second = bench([young]);
  young.fault = command => (command === FLUSH_CACHE ? ABRT : undefined);
  t.is(second.run(second.disk().flush()), 'the disk refuses the command (ABRT)');
});

test.serial('findDisk() takes the disk with the medium number, on any channel and unit', t => {
  for (const channel of [0, 1]) {
    for (const unit of [0, 1]) {
      const drives = [drive({}, 1), drive({}, 2)];
      drives[unit] = drive({ model: 'this one' });
      const { run, place } = bench(drives, channel);
      const found = run(findDisk(place, MEDIUM));
      t.is('why' in found ? found.why : found.model, 'this one');
    }
  }
  const { run, place, state } = bench([undefined, drive()]);
  t.false('why' in run(findDisk(place, MEDIUM)), 'a slave without a master');
  t.is(state.ticks, 0);
});

test.serial('a card that wakes slowly is waited for, at the start and after a reset', t => {
  const card = drive({ wakeReads: 700 });
  const { run, place, state } = bench([card]);
  const found = run(findDisk(place, MEDIUM));
  if ('why' in found) throw new Error(found.why);
  t.true(state.ticks > 50 && state.ticks < 200);
  t.is(card.commands[0], IDENTIFY_DEVICE);
  let errors = 1;
  card.fault = command => (command === READ_SECTORS && errors-- > 0 ? UNC : undefined);
  const sector = new Uint8Array(SECTOR_BYTES);
  t.is(run(found.read(5, sector)), undefined);
  t.is(sector[0], 5);
  // Nothing was asked of it while it was not ready: that would be refused, and tried again.
  t.is(card.commands.filter(command => command === READ_SECTORS).length, 3);
});

test.serial('findDisk() ends a command that was left behind', t => {
  const model = drive();
  const { run, disk, place } = bench([model]);
  const job = disk().write(5, pattern(20));
  t.false(job.next().done ?? false);
  const found = run(findDisk(place, MEDIUM));
  t.false('why' in found);
  t.deepEqual(model.commands.slice(-2), [IDENTIFY_DEVICE, READ_SECTORS]);
});

test('readIdentity() takes what a device says with a grain of salt', t => {
  const words = (changes: Record<number, number>): Uint8Array => {
    const list = new Uint16Array(SECTOR_BYTES / 2);
    const all = { 1: 500, 3: 8, 6: 32, 49: 1 << 9, 60: 0xf000, 61: 1, ...changes };
    for (const [index, value] of Object.entries(all)) list[Number(index)] = value;
    return new Uint8Array(list.buffer);
  };
  const read = (changes: Record<number, number>) => {
    const identity = readIdentity(words(changes));
    return typeof identity === 'string' ? identity : [identity.hasLba, identity.sectorCount];
  };
  t.deepEqual(read({}), [true, 0x1f000]);
  t.deepEqual(read({ 49: 0 }), [false, 128_000]);
  t.deepEqual(read({ 60: 0, 61: 0 }), [false, 128_000], 'LBA without sectors');
  t.deepEqual(read({ 49: 0, 53: 1, 54: 100, 55: 16, 56: 63 }), [false, 100_800], 'the BIOS has another');
  t.deepEqual(read({ 49: 0, 53: 1 }), [false, 128_000], 'none in force');
  t.deepEqual(read({ 60: 0xffff, 61: 0xffff }), [true, 2 ** 28], 'more than LBA28 reaches');
  t.is(read({ 49: 0, 3: 17 }), 'what it says of itself makes no sense');
  t.is(read({ 49: 0, 1: 0 }), 'what it says of itself makes no sense');
  t.is(readIdentity(new Uint8Array(SECTOR_BYTES)), 'what it says of itself makes no sense');
  const flush = (word: number): unknown => {
    const identity = readIdentity(words({ 83: word }));
    return typeof identity === 'string' ? identity : identity.hasFlush;
  };
  t.true(flush(0x5000));
  for (const word of [0, 0x4000, 0x1000, 0x9000, 0xffff]) t.false(flush(word), `word 83 is ${word}`);
});

test.serial('findDisk() says why there is none, and does not wait for what is not there', t => {
  const none = bench([undefined, undefined]);
  t.deepEqual(none.run(findDisk(none.place, MEDIUM)), { why: 'no disk answers', isUnread: false });
  t.is(none.state.ticks, 0);
  const other = bench([drive({}, 5)]);
  const why = 'Masqbox model is not the disk that was booted';
  t.deepEqual(other.run(findDisk(other.place, MEDIUM)), { why, isUnread: false });
  const packet = drive();
  const refusing = bench([packet]);
  packet.fault = command => (command === IDENTIFY_DEVICE ? ABRT : undefined);
  t.deepEqual(refusing.run(findDisk(refusing.place, MEDIUM)), { why: 'no disk answers', isUnread: false });
});

test.serial('findDisk() says that there may be one, where none was heard or read', t => {
  const dead = drive();
  dead.isHung = true;
  dead.isDead = true;
  const silent = bench([dead]);
  t.deepEqual(silent.run(findDisk(silent.place, MEDIUM)), {
    why: 'the disk does not answer',
    isUnread: true,
  });
  const spoiled = drive();
  spoiled.bad.set(0, UNC);
  const bad = bench([spoiled]);
  const why = 'the boot sector of Masqbox model cannot be read: the data cannot be read (UNC)';
  t.deepEqual(bad.run(findDisk(bad.place, MEDIUM)), { why, isUnread: true });
});

test.serial('runFor() is bounded where time stands still', t => {
  const model = drive();
  const { disk, run } = bench([model]);
  const ata = disk();
  const sector = new Uint8Array(SECTOR_BYTES);
  t.deepEqual(
    runFor(ata.read(3, sector), () => 0, 100),
    { value: undefined },
  );
  model.fault = () => 'hang';
  const hung = ata.read(3, sector);
  t.is(
    runFor(hung, () => 0, 100),
    undefined,
  );
  hung.return(undefined);
  model.fault = () => undefined;
  t.is(run(ata.read(3, sector)), undefined);
});
