// The firmware slots of the disk: which one runs, where each lies, and whether a header is whole. This little is always in
// control's heap, for the look at each start (src/control/update/keeper.ts); layout and meaning: src/base/layout.ts.
// Not here: what else must be true of a header, and changing it (header.ts), the payload (writer.ts).

import type { Disk, DiskJob } from '../../../../hal/disk/disk.ts';
import { FACT_SLOT } from '../../../base/abi.ts';
import { MEDIUM_AT } from '../../../base/cells.ts';
import * as layout from '../../../base/layout.ts';
import { DISK_BUFFER_AT } from '../../../base/limits.ts';
import { i32at } from '../../../base/memory.ts';
import { fact } from '../facts.ts';
import type { Machine } from '../machine.ts';

/** Not taken out of `layout`: that would make an object of all its names, 38 KB of heap. */
export const SECTOR_BYTES = layout.SECTOR_BYTES;

/** The slot that runs, and the other one. */
export const runningSlot = (): number => fact(FACT_SLOT);
export const idleSlot = (): number => 1 - fact(FACT_SLOT);

export function slotSector(slot: number): number {
  return layout.SLOT_SECTOR + slot * layout.SLOT_SECTORS;
}

export function wordOf(header: Uint8Array, at: number): number {
  return new DataView(header.buffer, header.byteOffset).getInt32(at, true);
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

/** Why a sector is no slot's header, or undefined. */
export function refuseSector(machine: Machine, header: Uint8Array): string | undefined {
  if (wordOf(header, layout.SLOT_AT_MAGIC) !== layout.SLOT_MAGIC) return 'there is no firmware';
  const crc = crcOf(machine, 0, header.subarray(0, layout.SLOT_AT_HEADER_CRC));
  return crc === wordOf(header, layout.SLOT_AT_HEADER_CRC) ? undefined : 'its header is damaged';
}

/** Whether the slot was written on this medium; otherwise it is what an earlier image has left. */
export function isOurs(header: Uint8Array): boolean {
  return wordOf(header, layout.SLOT_AT_MEDIUM) === i32at(MEDIUM_AT);
}

/** Reads a slot's header: answers why not, or undefined. */
export function readHeader(disk: Disk, slot: number, header: Uint8Array): DiskJob {
  return disk.read(slotSector(slot), header);
}
