// A slot's payload as it lies on the disk. Not here: how it comes there (writer.ts), the header (header.ts).

import type { Disk, DiskJob } from '../../../../hal/disk/disk.ts';
import * as layout from '../../../base/layout.ts';
import type { Machine } from '../machine.ts';
import { payloadBytes } from './header.ts';
import { crcOf, SECTOR_BYTES, slotSector, wordOf } from './slots.ts';

/** Sectors written and read at a time: the page of most cards. */
const CHUNK_SECTORS = 8;
export const CHUNK_BYTES = CHUNK_SECTORS * SECTOR_BYTES;

/** Reads a slot's payload and compares its CRC: answers what is wrong, or undefined. */
export function* checkPayload(machine: Machine, disk: Disk, slot: number, header: Uint8Array): DiskJob {
  const chunk = new Uint8Array(CHUNK_BYTES);
  const bytes = payloadBytes(header);
  let crc = 0;
  for (let at = 0; at < bytes; at += CHUNK_BYTES) {
    const sectors = Math.ceil(Math.min(CHUNK_BYTES, bytes - at) / SECTOR_BYTES);
    const part = chunk.subarray(0, sectors * SECTOR_BYTES);
    const why = yield* disk.read(slotSector(slot) + 1 + at / SECTOR_BYTES, part);
    if (why !== undefined) return why;
    crc = crcOf(machine, crc, part.subarray(0, Math.min(part.length, bytes - at)));
    yield 0;
  }
  return crc === wordOf(header, layout.SLOT_AT_PAYLOAD_CRC) ? undefined : 'its contents are damaged';
}
