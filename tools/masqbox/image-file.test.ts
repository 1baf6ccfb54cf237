import test from 'ava';
import { encodeSlotHeader } from '../../image/records.ts';
import { writeImage, writeSlot } from '../../image/writer.ts';
import * as layout from '../../src/base/layout.ts';
import { readFirmware } from './image-file.ts';

const noise = (bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, i) => (i * i * 31) >> (i % 7)));
const parts = { kernel: noise(9001), snapshot: noise(4002), version: '0.2.0' };
const bootSector = Buffer.alloc(layout.SECTOR_BYTES);
bootSector.write('MASQBOX ', 3);
const IMAGE = writeImage({ ...parts, bootSector, loader: new Uint8Array(0) });
const SLOT = writeSlot(parts);

test('readFirmware() takes the slot out of an image, or as it is, whatever comes behind it', t => {
  for (const file of [IMAGE, SLOT, Buffer.concat([SLOT, Buffer.alloc(1000, 0x1a)])]) {
    const firmware = readFirmware(file);
    if (typeof firmware === 'string') throw new Error(firmware);
    t.is(firmware.version, '0.2.0');
    t.is(firmware.slot.length, SLOT.length);
    t.deepEqual(Buffer.from(firmware.slot.subarray(512)), Buffer.from(SLOT.subarray(512)));
  }
});

const SIGNED = { key: new Uint8Array(32).fill(1), sign: () => new Uint8Array(64).fill(2) };

/** The slot with another header, whose checksum is right. */
function withHeader(change: object): Uint8Array {
  const slot = Buffer.from(SLOT);
  const word = (at: number): number => slot.readUInt32LE(at);
  const facts = {
    ...{ sequence: 1, tries: -1, medium: 1, version: '0.2.0' },
    kernelPacked: word(layout.SLOT_AT_KERNEL_PACKED),
    kernelBytes: word(layout.SLOT_AT_KERNEL_BYTES),
    snapshotPacked: word(layout.SLOT_AT_SNAPSHOT_PACKED),
    snapshotBytes: word(layout.SLOT_AT_SNAPSHOT_BYTES),
    payloadCrc: word(layout.SLOT_AT_PAYLOAD_CRC),
  };
  slot.set(encodeSlotHeader({ ...facts, ...change }));
  return slot;
}

function changed(at: number): Uint8Array {
  const slot = Buffer.from(SLOT);
  slot[at]! ^= 1;
  return slot;
}

test('readFirmware() tells what is wrong with a file, in the words of the board', t => {
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /^it is no Masqbox image$/],
    [noise(5000), /^it is no Masqbox image$/],
    [IMAGE.subarray(0, 90_000), /^it is no Masqbox image$/],
    [changed(100), /^its header is damaged$/],
    [changed(layout.SLOT_AT_HEADER_CRC), /^its header is damaged$/],
    [withHeader({ kernelPacked: 0 }), /^its lengths are impossible$/],
    [withHeader({ kernelPacked: 0xffff_ffff }), /^its lengths are impossible$/],
    [withHeader({ kernelBytes: 0 }), /^its lengths are impossible$/],
    [withHeader({ snapshotPacked: 0 }), /^its lengths are impossible$/],
    [withHeader({ snapshotBytes: 0 }), /^its lengths are impossible$/],
    [
      withHeader({ signing: { ...SIGNED, payloadHash: new Uint8Array(32) } }),
      /^its contents are not those that/,
    ],
    [withHeader({ snapshotPacked: layout.SLOT_SECTORS * 512 }), /^its lengths are impossible$/],
    [withHeader({ payloadCrc: 1 }), /^its contents are damaged$/],
    [changed(SLOT.length - 1), /^its contents are damaged$/],
    [SLOT.subarray(0, SLOT.length - 1), /^it is cut: \d+ of \d+ bytes are there$/],
    [SLOT.subarray(0, 512), /^it is cut: 0 of \d+ bytes are there$/],
  ];
  for (const [file, message] of cases) t.regex(String(readFirmware(file)), message);
});
