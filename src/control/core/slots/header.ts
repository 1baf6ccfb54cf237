// A slot's header as the update needs it: is all in it possible on this board, what does it say, and changing it. The
// loader makes the same checks with code of its own (image/loader/slots.ts).
// A header is one sector, so a change of it is made whole or not at all, and its checksum tells.
// Not here: the signature (signature.ts), who decides when (src/control/update/).

import type { Disk, DiskJob } from '../../../../hal/disk/disk.ts';
import { FACT_MEMORY_KIB } from '../../../base/abi.ts';
import * as layout from '../../../base/layout.ts';
import type { Context } from '../context.ts';
import { fact } from '../facts.ts';
import type { Machine } from '../machine.ts';
import { crcOf, readHeader, refuseSector, runningSlot, SECTOR_BYTES, slotSector, wordOf } from './slots.ts';

const PAGE_BYTES = 4096;

export function slotName(slot: number): string {
  return `slot ${'AB'[slot] ?? slot}`;
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

/** Why this is no slot's header that can be used on this board, or undefined. Its medium is not looked at. */
export function refuseHeader(machine: Machine, header: Uint8Array): string | undefined {
  const word = (at: number): number => wordOf(header, at);
  const why = refuseSector(machine, header);
  if (why !== undefined) return why;
  if (word(layout.SLOT_AT_FORMAT) !== layout.SLOT_FORMAT)
    return `it has format ${word(layout.SLOT_AT_FORMAT)}`;
  if (word(layout.SLOT_AT_BOARD) !== layout.BOARD_I486) return 'it is for another board';
  if (word(layout.SLOT_AT_LOAD_ADDRESS) !== layout.KERNEL_AT) return 'it is for another board';
  const tries = word(layout.SLOT_AT_TRIES);
  if (tries < layout.SLOT_CONFIRMED || tries > layout.SLOT_TRIES_MOST) return 'its tries are impossible';
  if (!hasText(header)) return 'its version is no text';
  return refuseLengths(header, fact(FACT_MEMORY_KIB) * 1024);
}

/** A version is printable, then zeros. */
function hasText(header: Uint8Array): boolean {
  const bytes = header.subarray(layout.SLOT_AT_VERSION, layout.SLOT_AT_VERSION + layout.SLOT_VERSION_BYTES);
  const end = bytes.indexOf(0);
  const text = bytes.subarray(0, end < 0 ? bytes.length : end);
  return (
    text.length > 0 &&
    text.every(byte => byte > 0x20 && byte < 0x7f) &&
    bytes.subarray(text.length).every(byte => byte === 0)
  );
}

/** The four lengths, as loader and kernel will use them on a board whose RAM ends there. */
function refuseLengths(header: Uint8Array, memoryEnd: number): string | undefined {
  const word = (at: number): number => wordOf(header, at);
  const most = layout.SLOT_PAYLOAD_SECTORS * SECTOR_BYTES;
  const packed = [word(layout.SLOT_AT_KERNEL_PACKED), word(layout.SLOT_AT_SNAPSHOT_PACKED)];
  const [kernel, snapshot] = [word(layout.SLOT_AT_KERNEL_BYTES), word(layout.SLOT_AT_SNAPSHOT_BYTES)];
  if (
    packed.some(bytes => bytes < 1 || bytes > most) ||
    payloadBytes(header) > most ||
    kernel < 1 ||
    snapshot < 1
  )
    return 'its lengths are impossible';
  const sectors = Math.ceil(payloadBytes(header) / SECTOR_BYTES);
  const room = ((memoryEnd - sectors * SECTOR_BYTES) & -PAGE_BYTES) - layout.KERNEL_AT - kernel;
  const rest = snapshot + layout.SLOT_WORK_BYTES - layout.SLOT_LOW_BYTES;
  return room < 0 || rest > room ? 'the board has too little RAM for it' : undefined;
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

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Sets the tries of the slot that runs: SLOT_CONFIRMED makes it permanent. */
export function* setTries({ machine }: Context, disk: Disk, tries: number): DiskJob {
  const header = new Uint8Array(SECTOR_BYTES);
  const why = (yield* readHeader(disk, runningSlot(), header)) ?? refuseHeader(machine, header);
  if (why !== undefined) return why;
  setWord(header, layout.SLOT_AT_TRIES, tries);
  return yield* writeHeader(machine, disk, runningSlot(), header);
}
