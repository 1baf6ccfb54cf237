// The firmware slots of the disk as control sees them: reading and checking a header, and changing it. The loader
// makes the same checks with code of its own (image/loader/slots.ts); layout and meaning: image/layout.ts.
// A header is one sector, so a change of it is made whole or not at all, and its checksum tells.
// Not here: the payload (writer.ts), who decides when (keeper.ts, overlay.ts).

import { FACT_MEMORY_KIB, FACT_SLOT } from '../../../firmware/abi.ts';
import type { Disk, DiskJob } from '../../../hal/disk/disk.ts';
import * as layout from '../../../image/layout.ts';
import { MEDIUM_AT } from '../../plane/cells.ts';
import { DISK_BUFFER_AT } from '../../plane/limits.ts';
import { i32at } from '../../plane/memory.ts';
import { fact } from '../commands/show.ts';
import type { Context } from '../context.ts';
import type { Machine } from '../machine.ts';

/** Not taken out of `layout`: that would make an object of all its names, 38 KB of heap. */
export const SECTOR_BYTES = layout.SECTOR_BYTES;
const UNPACK_PAGE = 4096;

/** The slot that runs, and the other one. */
export const runningSlot = (): number => fact(FACT_SLOT);
export const idleSlot = (): number => 1 - fact(FACT_SLOT);

export function slotName(slot: number): string {
  return `slot ${'AB'[slot] ?? slot}`;
}

export function slotSector(slot: number): number {
  return layout.SLOT_SECTOR + slot * layout.SLOT_SECTORS;
}

export function wordOf(header: Uint8Array, at: number): number {
  return new DataView(header.buffer, header.byteOffset).getInt32(at, true);
}

export function setWord(header: Uint8Array, at: number, value: number): void {
  new DataView(header.buffer, header.byteOffset).setInt32(at, value, true);
}

export function versionOf(header: Uint8Array): string {
  const bytes = header.subarray(layout.SLOT_AT_VERSION, layout.SLOT_AT_VERSION + layout.SLOT_VERSION_BYTES);
  return String.fromCharCode(...bytes.filter(byte => byte >= 0x20 && byte < 0x7f));
}

/** Bytes of the payload: the packed kernel, zeros, the packed snapshot. */
export function payloadBytes(header: Uint8Array): number {
  const kernel = (wordOf(header, layout.SLOT_AT_KERNEL_PACKED) + 3) & ~3;
  return kernel + wordOf(header, layout.SLOT_AT_SNAPSHOT_PACKED);
}

/**
 * Continues a CRC-32, 0 at first. The plane's own function does it, a fortieth of the time of JavaScript's; it wants
 * the bytes in its memory, where the disk's buffer is free between two of the disk's steps.
 */
export function crcOf({ plane, memory }: Machine, crc: number, bytes: Uint8Array): number {
  let value = crc;
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    const part = bytes.subarray(at, at + SECTOR_BYTES);
    memory.set(part, DISK_BUFFER_AT);
    value = plane.crc32(value, DISK_BUFFER_AT, part.length);
  }
  return value;
}

/** Why this is no slot's header that can be used on this board, or undefined. Its medium and tries are not looked at. */
export function refuseHeader(machine: Machine, header: Uint8Array): string | undefined {
  const word = (at: number): number => wordOf(header, at);
  if (word(layout.SLOT_AT_MAGIC) !== layout.SLOT_MAGIC) return 'there is no firmware';
  const crc = crcOf(machine, 0, header.subarray(0, layout.SLOT_AT_HEADER_CRC));
  if (crc !== word(layout.SLOT_AT_HEADER_CRC)) return 'its header is damaged';
  if (word(layout.SLOT_AT_FORMAT) !== layout.SLOT_FORMAT)
    return `it has format ${word(layout.SLOT_AT_FORMAT)}`;
  if (word(layout.SLOT_AT_BOARD) !== layout.BOARD_I486) return 'it is for another board';
  if (word(layout.SLOT_AT_LOAD_ADDRESS) !== layout.KERNEL_AT) return 'it is for another board';
  const most = layout.SLOT_PAYLOAD_SECTORS * SECTOR_BYTES;
  const kernelPacked = word(layout.SLOT_AT_KERNEL_PACKED);
  const snapshotPacked = word(layout.SLOT_AT_SNAPSHOT_PACKED);
  const isPossible =
    kernelPacked > 0 && kernelPacked <= most && snapshotPacked >= 0 && snapshotPacked <= most;
  if (!isPossible || payloadBytes(header) > most || word(layout.SLOT_AT_SNAPSHOT_BYTES) < 0) {
    return 'its lengths are impossible';
  }
  const sectors = Math.ceil(payloadBytes(header) / SECTOR_BYTES);
  const payloadAt = (fact(FACT_MEMORY_KIB) * 1024 - sectors * SECTOR_BYTES) & -UNPACK_PAGE;
  const kernelBytes = word(layout.SLOT_AT_KERNEL_BYTES);
  if (kernelBytes <= 0 || kernelBytes > payloadAt - layout.KERNEL_AT)
    return 'the board has too little RAM for it';
  return undefined;
}

/** Whether the slot was written on this medium; otherwise it is what an earlier image has left. */
export function isOurs(header: Uint8Array): boolean {
  return wordOf(header, layout.SLOT_AT_MEDIUM) === i32at(MEDIUM_AT);
}

/** Reads a slot's header: answers why not, or undefined. */
export function readHeader(disk: Disk, slot: number, header: Uint8Array): DiskJob {
  return disk.read(slotSector(slot), header);
}

/** Writes a header with its checksum, for good: answers why not, or undefined. */
export function* writeHeader(machine: Machine, disk: Disk, slot: number, header: Uint8Array): DiskJob {
  const crc = crcOf(machine, 0, header.subarray(0, layout.SLOT_AT_HEADER_CRC));
  setWord(header, layout.SLOT_AT_HEADER_CRC, crc);
  const why = (yield* disk.write(slotSector(slot), header)) ?? (yield* disk.flush());
  if (why !== undefined) return why;
  const back = new Uint8Array(SECTOR_BYTES);
  return (
    (yield* disk.read(slotSector(slot), back)) ?? (same(header, back) ? undefined : 'it is not written to')
  );
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

/** Sets the tries of the slot that runs: SLOT_CONFIRMED makes it permanent, 0 gives it up. */
export function* setTries({ machine }: Context, disk: Disk, tries: number): DiskJob {
  const header = new Uint8Array(SECTOR_BYTES);
  const why = (yield* readHeader(disk, runningSlot(), header)) ?? refuseHeader(machine, header);
  if (why !== undefined) return why;
  setWord(header, layout.SLOT_AT_TRIES, tries);
  return yield* writeHeader(machine, disk, runningSlot(), header);
}
