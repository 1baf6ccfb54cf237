// The loader's decisions, in JavaScript and as WebAssembly, on images in memory: which slot is taken, and
// what is refused. Booting for real: boot.test.ts.
import test, { type ExecutionContext } from 'ava';
import * as layout from '../../src/base/layout.ts';
import { PLANE_BASE } from '../../src/base/limits.ts';
import { attach } from '../../src/base/memory.ts';
import { compilePortable } from '../plane-wasm.ts';
import { encodeSlotHeader } from '../records.ts';
import { type SlotOptions, writeImage, writeSlot } from '../writer.ts';
import { load } from './loader.ts';
import { attachMachine } from './machine.ts';
import {
  SLOT_BAD_HEADER,
  SLOT_BAD_KERNEL,
  SLOT_BAD_PAYLOAD,
  SLOT_EMPTY,
  SLOT_FAILED,
  SLOT_GOOD,
  SLOT_IMPOSSIBLE,
  SLOT_ON_TRIAL,
  SLOT_TOO_BIG,
  SLOT_UNCOUNTED,
  SLOT_UNREADABLE,
} from './slots.ts';

const { SECTOR_BYTES } = layout;
const MEMORY_END = 3 << 20;
const SLOT_OFFSETS = [0, 1].map(slot => (layout.SLOT_SECTOR + slot * layout.SLOT_SECTORS) * SECTOR_BYTES);

interface Result {
  slot: number;
  /** What was reported of each slot, in order. */
  reports: [event: number, slot: number, value: number][];
  /** What the disk holds then. */
  disk: Uint8Array;
}

/** What the disk does with a write: takes it, refuses it, or says yes and drops it. */
type Writes = 'taken' | 'refused' | 'dropped';

interface Build {
  name: string;
  bytes: Uint8Array;
  load: (memoryEnd: number) => number;
}

/** The disk of the run that is going on. Sectors that it does not have cannot be read. */
let disk: Uint8Array = new Uint8Array(0);
let reports: Result['reports'] = [];
let writes: Writes = 'taken';
const builds: Build[] = [];

test.before(async () => {
  const size = MEMORY_END + 65536;
  const machineOf = (bytes: Uint8Array) => ({
    readSectors(sector: number, count: number, p: number): number {
      const part = disk.subarray(sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES);
      bytes.set(part, p);
      return part.length === count * SECTOR_BYTES ? 1 : 0;
    },
    writeSector(sector: number, p: number): number {
      if (writes === 'taken') disk.set(bytes.subarray(p, p + SECTOR_BYTES), sector * SECTOR_BYTES);
      return writes === 'refused' ? 0 : 1;
    },
    report: (event: number, slot: number, value: number) => void reports.push([event, slot, value]),
    clockPoll() {},
  });
  const buffer = new ArrayBuffer(size);
  attach(buffer, 0, size);
  attachMachine(machineOf(new Uint8Array(buffer)));
  builds.push({ name: 'JavaScript', bytes: new Uint8Array(buffer), load });
  const memory = new WebAssembly.Memory({ initial: (size + PLANE_BASE) >> 16 });
  const bytes = new Uint8Array(memory.buffer, PLANE_BASE);
  const module = new WebAssembly.Module(await compilePortable('image/loader/loader.ts'));
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, machine: machineOf(bytes) });
  builds.push({ name: 'WebAssembly', bytes, load: exports['load'] as Build['load'] });
});

/** Lets both builds load from an image; they must agree. */
function run(t: ExecutionContext, image: Uint8Array, does: Writes = 'taken'): Result {
  const results = builds.map(build => {
    disk = image.slice();
    reports = [];
    writes = does;
    build.bytes.fill(0xa5);
    build.bytes.set(image.subarray(0, SECTOR_BYTES), layout.BOOT_SECTOR_AT);
    return { slot: build.load(MEMORY_END), reports, disk };
  });
  const [one, other] = results as [Result, Result];
  t.deepEqual([other.slot, other.reports], [one.slot, one.reports]);
  t.true(Buffer.from(other.disk).equals(one.disk));
  const [first] = builds as [Build];
  const [a, b] = builds.map(build => Buffer.from(build.bytes.subarray(0, MEMORY_END)));
  if (a?.equals(b as Buffer) !== true) t.fail('memory differs between the builds');
  t.true(first.bytes.subarray(MEMORY_END, MEMORY_END + 65536).every(byte => byte === 0xa5));
  return results[0] as Result;
}

const kernel = Buffer.from(Array.from({ length: 20000 }, (_, i) => (i * i) >> (i % 7)));
const snapshot = Buffer.from(Array.from({ length: 3001 }, (_, i) => i % 251));
const firmware = { kernel, snapshot, version: '0.1.0' };

/** A medium whose slots have these options; null leaves one empty. */
function imageOf(a: SlotOptions | null, b: SlotOptions | null): Uint8Array {
  const image = new Uint8Array(layout.MEDIUM_SECTORS * SECTOR_BYTES);
  image.set(writeImage({ ...firmware, bootSector: new Uint8Array(512), loader: new Uint8Array(0) }));
  [a, b].forEach((options, slot) => {
    image.fill(0, SLOT_OFFSETS[slot], (SLOT_OFFSETS[slot] as number) + layout.SLOT_SECTORS * SECTOR_BYTES);
    if (options !== null) image.set(writeSlot(firmware, options), SLOT_OFFSETS[slot]);
  });
  return image;
}

test.serial('load() unpacks the kernel and says where the packed snapshot lies', t => {
  t.is(run(t, imageOf({ sequence: 7 }, null)).slot, 0);
  for (const { bytes } of builds) {
    t.deepEqual(Buffer.from(bytes.subarray(layout.KERNEL_AT, layout.KERNEL_AT + kernel.length)), kernel);
    const info = new DataView(bytes.buffer, bytes.byteOffset + layout.BOOT_INFO_AT);
    const word = (at: number) => info.getUint32(at, true);
    t.is(word(layout.BOOT_AT_MAGIC), layout.BOOT_MAGIC);
    t.is(word(layout.BOOT_AT_SLOT), 0);
    t.is(word(layout.BOOT_AT_SEQUENCE), 7);
    t.is(word(layout.BOOT_AT_KERNEL_BYTES), kernel.length);
    t.is(word(layout.BOOT_AT_SNAPSHOT_BYTES), snapshot.length);
    const at = word(layout.BOOT_AT_SNAPSHOT);
    const packed = word(layout.BOOT_AT_SNAPSHOT_PACKED);
    t.true(at % 4 === 0 && at + packed <= MEMORY_END && at + packed > MEMORY_END - 8192);
    const slot = Buffer.from(writeSlot(firmware));
    t.deepEqual(Buffer.from(bytes.subarray(at, at + packed)), slot.subarray(slot.length - packed));
  }
});

test.serial('load() takes the slot with the higher sequence, by signed difference', t => {
  const cases: [number, number, number][] = [
    [1, 2, 1],
    [2, 1, 0],
    [5, 5, 0],
    [0x7fffffff, -0x80000000, 1],
    [-1, 0, 1],
    [0, -1, 0],
  ];
  for (const [a, b, expected] of cases) {
    const { slot, reports } = run(t, imageOf({ sequence: a }, { sequence: b }));
    t.is(slot, expected, `${a} against ${b}`);
    t.is(reports.length, 1);
  }
});

test.serial('load() leaves a slot alone that has no tries left', t => {
  t.is(run(t, imageOf({ sequence: 1 }, { sequence: 2, tries: 1 })).slot, 1);
  t.deepEqual(run(t, imageOf({ sequence: 1 }, { sequence: 2, tries: 0 })).reports[0], [SLOT_FAILED, 1, 0]);
  t.is(run(t, imageOf({ sequence: 1 }, { sequence: 2, tries: 0 })).slot, 0);
});

test.serial('load() takes a try from the medium before each boot, and then goes back', t => {
  let image = imageOf({ sequence: 1 }, { sequence: 2, tries: 3 });
  for (const left of [2, 1, 0]) {
    const result = run(t, image);
    t.is(result.slot, 1);
    t.deepEqual(result.reports[0], [SLOT_ON_TRIAL, 1, left]);
    image = result.disk;
    t.deepEqual(
      Buffer.from(image.subarray(SLOT_OFFSETS[1], (SLOT_OFFSETS[1] as number) + SECTOR_BYTES)),
      Buffer.from(writeSlot(firmware, { sequence: 2, tries: left }).subarray(0, SECTOR_BYTES)),
    );
  }
  const { slot, reports, disk: after } = run(t, image);
  t.is(slot, 0);
  t.deepEqual(reports[0], [SLOT_FAILED, 1, 0]);
  t.true(Buffer.from(after).equals(image), 'the way back writes nothing');
});

test.serial('load() writes nothing when the slot is confirmed', t => {
  const image = imageOf({ sequence: 1 }, { sequence: 2 });
  const { slot, disk: after } = run(t, image, 'refused');
  t.is(slot, 1);
  t.true(Buffer.from(after).equals(image));
});

test.serial('load() prefers the other slot to a trial that the medium does not count', t => {
  const image = imageOf({ sequence: 1 }, { sequence: 2, tries: 3 });
  for (const does of ['refused', 'dropped'] as const) {
    const { slot, reports } = run(t, image, does);
    t.is(slot, 0, does);
    t.deepEqual(reports[0], [SLOT_UNCOUNTED, 1, 0]);
    t.is(reports.length, 2);
  }
});

test.serial('load() boots what failed its trial, or cannot be counted, when nothing else is good', t => {
  const damaged = imageOf({ sequence: 1 }, { sequence: 2, tries: 0 });
  damaged[(SLOT_OFFSETS[0] as number) + 5000] = (damaged[(SLOT_OFFSETS[0] as number) + 5000] as number) ^ 4;
  t.is(run(t, damaged).slot, 1);
  t.is(run(t, imageOf({ tries: 0 }, null)).slot, 0);
  t.is(run(t, imageOf(null, { tries: 2 }), 'refused').slot, 1);
  t.is(run(t, imageOf({ sequence: 4, tries: 0 }, { sequence: 5, tries: 0 })).slot, 1);
});

test.serial('load() leaves a slot alone that an earlier image wrote', t => {
  const image = imageOf({ sequence: 1 }, { sequence: 2, medium: 77 });
  const { slot, reports } = run(t, image);
  t.is(slot, 0);
  t.deepEqual(reports, [
    [SLOT_EMPTY, 1, 0],
    [SLOT_GOOD, 0, Math.ceil((writeSlot(firmware).length - SECTOR_BYTES) / 1024)],
  ]);
});

test.serial('load() says what is wrong when no slot is good', t => {
  const { slot, reports } = run(t, imageOf(null, null));
  t.is(slot, -1);
  t.deepEqual(reports, [
    [SLOT_EMPTY, 0, 0],
    [SLOT_EMPTY, 1, 0],
  ]);
});

test.serial('load() goes to the other slot when any bit of the header is wrong', t => {
  const good = imageOf({ sequence: 1 }, { sequence: 2 });
  for (let at = 0; at < SECTOR_BYTES; at += at < 80 || at >= 500 ? 1 : 13) {
    const image = good.slice();
    const offset = (SLOT_OFFSETS[1] as number) + at;
    image[offset] = (image[offset] as number) ^ (1 << (at % 8));
    const { slot, reports } = run(t, image);
    t.is(slot, 0, `byte ${at}`);
    t.deepEqual(reports[0], [at < 4 ? SLOT_EMPTY : SLOT_BAD_HEADER, 1, 0]);
  }
});

test.serial('load() goes to the other slot when a bit of the payload is wrong', t => {
  const good = imageOf({ sequence: 1 }, { sequence: 2 });
  const { length } = writeSlot(firmware);
  t.true(length > 4096);
  for (let at = SECTOR_BYTES; at < length; at += at < 520 || at > length - 8 ? 1 : 331) {
    const image = good.slice();
    const offset = (SLOT_OFFSETS[1] as number) + at;
    image[offset] = (image[offset] as number) ^ (1 << (at % 8));
    const { slot, reports } = run(t, image);
    t.is(slot, 0, `byte ${at}`);
    t.deepEqual(reports[1], [SLOT_BAD_PAYLOAD, 1, 0]);
  }
});

test.serial('load() refuses a payload that is sound but does not unpack to what the header says', t => {
  const slot = Buffer.from(writeSlot(firmware));
  for (const kernelBytes of [kernel.length - 1, kernel.length + 1]) {
    const image = imageOf(null, { sequence: 1 });
    const header = encodeSlotHeader({ ...decode(slot), kernelBytes });
    image.set(slot, SLOT_OFFSETS[0]);
    image.set(header, SLOT_OFFSETS[0]);
    const { slot: taken, reports } = run(t, image);
    t.is(taken, 1);
    t.deepEqual(reports[1], [SLOT_BAD_KERNEL, 0, 0]);
  }
});

test.serial('load() refuses values that cannot be, and lengths that do not fit the slot or the RAM', t => {
  const header = decode(Buffer.from(writeSlot(firmware)));
  const max = layout.SLOT_PAYLOAD_SECTORS * SECTOR_BYTES;
  const room = MEMORY_END - layout.KERNEL_AT + layout.SLOT_LOW_BYTES - layout.SLOT_WORK_BYTES;
  const bad: [Partial<typeof header>, number][] = [
    [{ kernelPacked: 0 }, SLOT_IMPOSSIBLE],
    [{ kernelPacked: max + 1 }, SLOT_IMPOSSIBLE],
    [{ kernelPacked: 0xfffffffd }, SLOT_IMPOSSIBLE],
    [{ snapshotPacked: 0 }, SLOT_IMPOSSIBLE],
    [{ snapshotPacked: max }, SLOT_IMPOSSIBLE],
    [{ snapshotPacked: 0xffffffff }, SLOT_IMPOSSIBLE],
    [{ kernelBytes: 0 }, SLOT_IMPOSSIBLE],
    [{ kernelBytes: MEMORY_END - layout.KERNEL_AT }, SLOT_TOO_BIG],
    [{ kernelBytes: 0x7fffffff }, SLOT_TOO_BIG],
    [{ kernelBytes: 0x80000000 }, SLOT_IMPOSSIBLE],
    [{ snapshotBytes: 0 }, SLOT_IMPOSSIBLE],
    [{ snapshotBytes: room }, SLOT_TOO_BIG],
    [{ snapshotBytes: 0x7fffffff }, SLOT_TOO_BIG],
    [{ snapshotBytes: 0x80000000 }, SLOT_IMPOSSIBLE],
    [{ tries: -2 }, SLOT_IMPOSSIBLE],
    [{ tries: layout.SLOT_TRIES_MOST + 1 }, SLOT_IMPOSSIBLE],
    [{ tries: 0x7fffffff }, SLOT_IMPOSSIBLE],
  ];
  for (const [change, state] of bad) {
    const image = imageOf({ sequence: 1 }, { sequence: 2 });
    image.set(encodeSlotHeader({ ...header, ...change, sequence: 3 }), SLOT_OFFSETS[1]);
    const { slot, reports } = run(t, image);
    t.is(slot, 0, JSON.stringify(change));
    t.deepEqual(reports[0], [state, 1, 0]);
  }
});

test.serial(
  'load() takes nothing from a disk that ends in the payload, and the other slot when it can',
  t => {
    const image = imageOf({ sequence: 1 }, { sequence: 2 });
    const payload = layout.SLOT_SECTOR + layout.SLOT_SECTORS + 1;
    const { slot, reports } = run(t, image.subarray(0, (payload + 3) * SECTOR_BYTES));
    t.is(slot, 0);
    t.deepEqual(
      reports.map(([event, of]) => [event, of]),
      [
        [SLOT_GOOD, 1],
        [SLOT_UNREADABLE, 1],
        [SLOT_GOOD, 0],
      ],
    );
    t.is(run(t, image.subarray(0, (layout.SLOT_SECTOR + 3) * SECTOR_BYTES)).slot, -1);
    t.is(run(t, new Uint8Array(0)).slot, -1);
    // A floppy has no slot B: no trouble.
    const floppy = run(t, image.subarray(0, layout.IMAGE_SECTORS * SECTOR_BYTES));
    t.is(floppy.slot, 0);
    t.deepEqual(floppy.reports[0], [SLOT_EMPTY, 1, 0]);
  },
);

test('the regions of the flash follow each other and end with the image', t => {
  t.is(layout.CONFIG_SECTOR, 63);
  t.is(layout.SLOT_SECTOR, 192);
  t.is(layout.SLOT_SECTOR + layout.SLOT_SECTORS, layout.IMAGE_SECTORS);
  t.is(layout.SLOT_SECTORS % 8, 0);
  t.is(layout.IMAGE_SECTORS * SECTOR_BYTES, 1_474_560);
  t.true(layout.SLOT_HEADERS_AT + layout.SLOT_COUNT * SECTOR_BYTES <= layout.BOUNCE_AT);
  t.is(layout.BOUNCE_AT % 65536, 0);
  t.true(layout.BOUNCE_SECTORS * SECTOR_BYTES <= 65536);
});

test('writeImage() refuses parts that do not fit', t => {
  const noise = Buffer.alloc(layout.SLOT_SECTORS * SECTOR_BYTES);
  for (let i = 0, x = 1; i < noise.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    noise[i] = x >>> 24;
  }
  const parts = { ...firmware, bootSector: new Uint8Array(512), loader: new Uint8Array(31744) };
  t.is(writeImage(parts).length, 1_474_560);
  t.throws(() => writeImage({ ...parts, kernel: noise }), {
    message: /^Cannot write the image: the packed firmware has \d+ bytes, and 1376256 fit$/,
  });
  t.throws(() => writeImage({ ...parts, loader: new Uint8Array(31745) }), {
    message: /the loader has 31745/,
  });
});

/** What a slot's header says, as encodeSlotHeader() takes it. */
function decode(slot: Buffer): Parameters<typeof encodeSlotHeader>[0] {
  return {
    sequence: slot.readInt32LE(layout.SLOT_AT_SEQUENCE),
    tries: slot.readInt32LE(layout.SLOT_AT_TRIES),
    kernelPacked: slot.readUInt32LE(layout.SLOT_AT_KERNEL_PACKED),
    kernelBytes: slot.readUInt32LE(layout.SLOT_AT_KERNEL_BYTES),
    snapshotPacked: slot.readUInt32LE(layout.SLOT_AT_SNAPSHOT_PACKED),
    snapshotBytes: slot.readUInt32LE(layout.SLOT_AT_SNAPSHOT_BYTES),
    payloadCrc: slot.readUInt32LE(layout.SLOT_AT_PAYLOAD_CRC),
    medium: slot.readUInt32LE(layout.SLOT_AT_MEDIUM),
    version: '0.1.0',
  };
}
