// Overlays from a disk, against the model of a channel: what is read, and what is refused in which words.

import { crc32 } from 'node:zlib';
import test from 'ava';
import { BusModel } from '../../../hal/bus-model.ts';
import { ChannelModel, DriveModel, memoryMedium } from '../../../hal/disk/ata-model.ts';
import { UNC } from '../../../hal/disk/ata-registers.ts';
import { type PromptDisk, SECTOR_BYTES } from '../../../hal/disk/disk.ts';
import { CHANNELS, findDisk } from '../../../hal/disk/ide.ts';
import { attachPorts } from '../../../hal/ports.ts';
import { writeImage } from '../../../image/writer.ts';
import { javascriptBuild } from '../../../tools/builds.ts';
import { FACT_KERNEL_BYTES, FACT_MEMORY_KIB, FACT_SEQUENCE, FACT_SLOT } from '../../base/abi.ts';
import { BOOT_FACTS_AT, MEDIUM_AT, NOW_AT } from '../../base/cells.ts';
import * as layout from '../../base/layout.ts';
import { DISK_BUFFER_AT, SMALL_BOARD_KIB, TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { DiskOverlays } from './disk-overlays.ts';
import { OVERLAY_DISK_TICKS, OVERLAY_HOLD_TICKS } from './limits.ts';

const SLOT_AT = layout.SLOT_SECTOR * SECTOR_BYTES;
/** Where overlays begin in the image's end, and how long they are packed: the second is longer than any cluster of sectors. */
const OVERLAYS = [
  { from: 30_000, packed: 700 },
  { from: 29_300, packed: 29_000 },
];
const ROOM = 50_000;
const room = (): ArrayBuffer => new ArrayBuffer(ROOM + 2 * SECTOR_BYTES);
const KERNEL = Uint8Array.from({ length: 60_000 }, (_, i) => (i * 7919) >> 5);
const IMAGE = writeImage({
  bootSector: new Uint8Array(SECTOR_BYTES),
  loader: new Uint8Array(0),
  kernel: KERNEL,
  kernelPlain: 30_000,
  snapshot: new Uint8Array(9000).fill(3),
  version: '0.1.0',
});
const place = (number: number): number => {
  const { from, packed } = OVERLAYS[number] as { from: number; packed: number };
  return (from << 8) | (Math.floor(packed / SECTOR_BYTES) + 2);
};
const overlayBytes = (number: number): Uint8Array => {
  const { from, packed } = OVERLAYS[number] as { from: number; packed: number };
  return KERNEL.subarray(KERNEL.length - from, KERNEL.length - from + packed);
};

function headerWord(image: Uint8Array, at: number): number {
  return new DataView(image.buffer, image.byteOffset + SLOT_AT).getInt32(at, true);
}

/** A board of so much RAM that was booted from such a disk; its time goes on as often as somebody looks at a port. */
function board(kib = 4096) {
  const { memory } = javascriptBuild();
  const image = IMAGE.slice();
  const drive = new DriveModel(memoryMedium(image));
  const channel = new ChannelModel([drive]);
  const bus = new BusModel();
  const { command, control } = CHANNELS[0] as (typeof CHANNELS)[number];
  bus.place(command, 8, channel.command);
  let looks = 0;
  bus.place(control, 1, {
    ...channel.controlBlock,
    read: () => {
      if (++looks % 100 === 0) puti32(NOW_AT, (i32at(NOW_AT) + 1) | 0);
      return channel.controlBlock.read();
    },
  });
  attachPorts(bus);
  const facts = [
    [FACT_MEMORY_KIB, kib],
    [FACT_SLOT, 0],
    [FACT_SEQUENCE, headerWord(image, layout.SLOT_AT_SEQUENCE)],
    [FACT_KERNEL_BYTES, KERNEL.length],
  ] as const;
  puti32(NOW_AT, 0x7fffff00 | 0);
  for (const [fact, value] of facts) puti32(BOOT_FACTS_AT + 4 * fact, value);
  puti32(MEDIUM_AT, headerWord(image, layout.SLOT_AT_MEDIUM));
  // Each look at the clock from here on is a tick: whoever waits for one sees it.
  const now = (): number => {
    puti32(NOW_AT, (i32at(NOW_AT) + 1) | 0);
    return i32at(NOW_AT);
  };
  const search = findDisk({ memory, buffer: DISK_BUFFER_AT, now }, i32at(MEDIUM_AT));
  let found = search.next();
  while (found.done !== true) found = search.next();
  const disk = found.value as PromptDisk;
  const state = { given: 0 };
  const overlays = new DiskOverlays({
    give: () => void state.given++,
    read: (number, at, buffer) => {
      const { packed } = OVERLAYS[number] as { packed: number };
      const bytes = new Uint8Array(buffer, at, packed);
      return crc32(bytes) === crc32(overlayBytes(number)) && at + packed >= ROOM ? 1000 + number : 0;
    },
  });
  const use = (): void => {
    const job = overlays.use(disk);
    for (let i = 0; job.next().done !== true; i++) if (i > 10_000) throw new Error('It does not end');
  };
  return { image, drive, disk, overlays, state, use };
}

test.serial(
  'on a small board the RAM is given when the slot that runs has been read, and overlays are read',
  t => {
    const { use, overlays, state } = board();
    use();
    t.is(state.given, 1);
    for (const number of [0, 1, 0]) t.is(overlays.read(number, room(), place(number)), 1000 + number);
  },
);

test.serial(
  'a board with more RAM keeps them, and so does one whose disk has another slot, or none that can be read',
  t => {
    const large = board(SMALL_BOARD_KIB);
    large.use();
    t.is(large.state.given, 0);
    const other = board();
    puti32(BOOT_FACTS_AT + 4 * FACT_SEQUENCE, 77);
    other.use();
    t.is(other.state.given, 0);
    const bad = board();
    bad.drive.bad.set(layout.SLOT_SECTOR, UNC);
    bad.use();
    t.is(bad.state.given, 0);
  },
);

test.serial('firmware that is not the one that runs is never taken', t => {
  for (const at of [
    layout.SLOT_AT_SEQUENCE,
    layout.SLOT_AT_KERNEL_BYTES,

    layout.SLOT_AT_MEDIUM,
    0,
  ]) {
    const { use, image, overlays } = board();
    use();
    image[SLOT_AT + at] = (image[SLOT_AT + at] as number) ^ 1;
    t.throws(() => overlays.read(0, room(), place(0)), { message: 'the disk holds another firmware' });
    image[SLOT_AT + at] = (image[SLOT_AT + at] as number) ^ 1;
    t.is(overlays.read(0, room(), place(0)), 1000);
  }
});

test.serial('bytes that are not right are told, and others are read', t => {
  const { use, image, overlays } = board();
  use();
  const at = SLOT_AT + SECTOR_BYTES + headerWord(image, layout.SLOT_AT_KERNEL_PACKED) - 30_000 + 650;
  t.is(image[at], overlayBytes(0)[650]);
  image[at] = (image[at] as number) ^ 0x10;
  t.throws(() => overlays.read(0, room(), place(0)), { message: 'what the disk has of it is damaged' });
  t.is(overlays.read(1, room(), place(1)), 1001);
});

test.serial(
  'a bad sector, a disk that is gone and one that comes back: refused in words, in bounded time',
  t => {
    const { use, drive, overlays } = board();
    t.throws(() => overlays.read(0, room(), place(0)), { message: 'there is no disk' });
    use();
    const sector =
      layout.SLOT_SECTOR +
      1 +
      Math.floor((headerWord(IMAGE, layout.SLOT_AT_KERNEL_PACKED) - 29_300) / SECTOR_BYTES);
    drive.bad.set(sector + 20, UNC);
    t.throws(() => overlays.read(1, room(), place(1)), { message: 'the data cannot be read (UNC)' });
    drive.bad.clear();
    t.is(overlays.read(1, room(), place(1)), 1001);
    drive.isHung = true;
    drive.isDead = true;
    const from = i32at(NOW_AT);
    t.throws(() => overlays.read(0, room(), place(0)), { message: 'the disk does not answer' });
    const to = i32at(NOW_AT);
    t.true(((to - from) | 0) < OVERLAY_DISK_TICKS + TICKS_PER_SECOND, `${(to - from) | 0}`);
    // It is not waited for again and again.
    for (let i = 0; i < 5; i++)
      t.throws(() => overlays.read(1, room(), place(1)), { message: 'the disk does not answer' });
    t.is(i32at(NOW_AT), to);
    drive.isHung = false;
    drive.isDead = false;
    puti32(NOW_AT, (to + OVERLAY_HOLD_TICKS) | 0);
    t.is(overlays.read(1, room(), place(1)), 1001);
  },
);

test.serial('a save that is under way goes on, and an overlay is read before it has ended', t => {
  const { use, disk, image, overlays } = board();
  use();
  const written = new Uint8Array(40 * SECTOR_BYTES).fill(0x5a);
  const job = disk.write(layout.CONFIG_SECTOR, written);
  t.false(job.next().done);
  t.is(overlays.read(1, room(), place(1)), 1001);
  t.deepEqual(job.next(), { done: true, value: undefined });
  const at = layout.CONFIG_SECTOR * SECTOR_BYTES;
  t.is(Buffer.compare(image.subarray(at, at + written.length), written), 0);
});

test.serial('a save whose disk does not answer is not disturbed: refused, the disk is busy', t => {
  const { use, disk, drive, overlays } = board();
  use();
  drive.fault = () => 'hang';
  const job = disk.write(layout.CONFIG_SECTOR, new Uint8Array(SECTOR_BYTES));
  t.false(job.next().done);
  t.throws(() => overlays.read(0, room(), place(0)), { message: 'the disk is busy' });
  drive.fault = () => undefined;
  let result = job.next();
  while (result.done !== true) result = job.next();
  puti32(NOW_AT, (i32at(NOW_AT) + OVERLAY_HOLD_TICKS) | 0);
  t.is(overlays.read(0, room(), place(0)), 1000);
});
