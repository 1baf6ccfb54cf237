// The loader's way: read both slots' headers, take the newest good one, read its payload to the top of RAM,
// check it, unpack the kernel. A slot that fails at any step is left aside and the other one is tried. A slot on
// trial is charged a try first.
//
//     0        1 MiB                                                      end of RAM
//     | BIOS.. | kernel, unpacked | free ...            | kernel | snapshot |
//                                                       `--- as packed ----'
//
// Not here: how sectors are read and what is printed (loader.c), the boot information's facts about the
// machine (loader.c), unpacking the snapshot (the kernel).

import {
  BOOT_AT_KERNEL_BYTES,
  BOOT_AT_MAGIC,
  BOOT_AT_MEDIUM,
  BOOT_AT_SEQUENCE,
  BOOT_AT_SLOT,
  BOOT_AT_SNAPSHOT,
  BOOT_AT_SNAPSHOT_BYTES,
  BOOT_AT_SNAPSHOT_PACKED,
  BOOT_AT_TRIES,
  BOOT_INFO_AT,
  BOOT_MAGIC,
  KERNEL_AT,
  SECTOR_BYTES,
  SLOT_AT_HEADER_CRC,
  SLOT_AT_KERNEL_BYTES,
  SLOT_AT_KERNEL_PACKED,
  SLOT_AT_MEDIUM,
  SLOT_AT_PAYLOAD_CRC,
  SLOT_AT_SEQUENCE,
  SLOT_AT_SNAPSHOT_BYTES,
  SLOT_AT_SNAPSHOT_PACKED,
  SLOT_AT_TRIES,
  SLOT_COUNT,
  SLOT_SECTOR,
  SLOT_SECTORS,
  UNPACK_AT,
} from '../../src/base/layout.ts';
import { fill, i32at, puti32 } from '../../src/base/memory.ts';
import { crc32, makeCrcTables } from './crc32.ts';
import { readSectors, report, writeSector } from './machine.ts';
import {
  checkHeader,
  chooseSlot,
  headerAt,
  kernelRoom,
  payloadAt,
  payloadBytes,
  SLOT_BAD_KERNEL,
  SLOT_BAD_PAYLOAD,
  SLOT_EMPTY,
  SLOT_FAILED,
  SLOT_GOOD,
  SLOT_ON_TRIAL,
  SLOT_UNCOUNTED,
  SLOT_UNREADABLE,
} from './slots.ts';
import { unpack } from './unpack.ts';

export { readSettings } from './settings.ts';

/** Makes the kernel ready at KERNEL_AT and answers its slot, or -1 if no slot is good. RAM ends at `memoryEnd`. */
export function load(memoryEnd: i32): i32 {
  makeCrcTables();
  let usable: i32 = 0;
  let spare: i32 = 0;
  for (let slot: i32 = 0; slot < SLOT_COUNT; slot++) {
    const state: i32 = readHeader(slot, memoryEnd);
    if (state === SLOT_GOOD) usable |= 1 << slot;
    else report(state, slot, 0);
    if (state === SLOT_FAILED) spare |= 1 << slot;
  }
  for (let turn: i32 = 0; turn < SLOT_COUNT && usable !== 0; turn++) {
    const slot: i32 = chooseSlot(usable);
    usable &= ~(1 << slot);
    if (countTry(slot) === 0) {
      report(SLOT_UNCOUNTED, slot, 0);
      spare |= 1 << slot;
    } else if (tryOut(slot, memoryEnd) !== 0) {
      return slot;
    }
  }
  // Firmware that has failed its trial, or whose trial cannot be counted, is better than none.
  for (let turn: i32 = 0; turn < SLOT_COUNT && spare !== 0; turn++) {
    const slot: i32 = chooseSlot(spare);
    spare &= ~(1 << slot);
    if (tryOut(slot, memoryEnd) !== 0) return slot;
  }
  return -1;
}

/**
 * Takes a try from a slot that is on trial, on the medium, before anything of it runs: firmware that hangs the board
 * must not be started for ever. Answers 0 if the medium does not keep the note; then the other slot goes first.
 * A write that is cut leaves a header whose checksum is wrong, and with that the other slot too.
 */
function countTry(slot: i32): i32 {
  const header: i32 = headerAt(slot);
  const left: i32 = i32at(header + SLOT_AT_TRIES) - 1;
  if (left < 0) return 1;
  const sector: i32 = SLOT_SECTOR + slot * SLOT_SECTORS;
  puti32(header + SLOT_AT_TRIES, left);
  puti32(header + SLOT_AT_HEADER_CRC, crc32(header, SLOT_AT_HEADER_CRC));
  if (writeSector(sector, header) === 0) return 0;
  // Some BIOSes, and cards that are write-protected, say yes and write nothing.
  if (readSectors(sector, 1, UNPACK_AT) === 0) return 0;
  if (crc32(UNPACK_AT, SLOT_AT_HEADER_CRC) !== i32at(header + SLOT_AT_HEADER_CRC)) return 0;
  report(SLOT_ON_TRIAL, slot, left);
  return 1;
}

/** Makes a slot's kernel ready: 1, or 0 when it is no good. */
function tryOut(slot: i32, memoryEnd: i32): i32 {
  const header: i32 = headerAt(slot);
  report(SLOT_GOOD, slot, (payloadBytes(header) + 1023) >> 10);
  const state: i32 = loadSlot(slot, payloadAt(header, memoryEnd));
  if (state === SLOT_GOOD) describe(slot, memoryEnd);
  else report(state, slot, 0);
  return state === SLOT_GOOD ? 1 : 0;
}

/** Reads and checks one header. That a floppy, or a disk as small, has no second slot is no trouble. */
function readHeader(slot: i32, memoryEnd: i32): i32 {
  fill(headerAt(slot), 0, SECTOR_BYTES);
  if (readSectors(SLOT_SECTOR + slot * SLOT_SECTORS, 1, headerAt(slot)) === 0) {
    return slot === 0 ? SLOT_UNREADABLE : SLOT_EMPTY;
  }
  return checkHeader(headerAt(slot), memoryEnd);
}

/** Reads a slot's payload to `at`, checks it, and unpacks the kernel. */
function loadSlot(slot: i32, at: i32): i32 {
  const header: i32 = headerAt(slot);
  const bytes: i32 = payloadBytes(header);
  const sectors: i32 = ((bytes + SECTOR_BYTES - 1) / SECTOR_BYTES) | 0;
  if (readSectors(SLOT_SECTOR + slot * SLOT_SECTORS + 1, sectors, at) === 0) return SLOT_UNREADABLE;
  if (crc32(at, bytes) !== i32at(header + SLOT_AT_PAYLOAD_CRC)) return SLOT_BAD_PAYLOAD;
  const kernelBytes: i32 = i32at(header + SLOT_AT_KERNEL_BYTES);
  const written: i32 = unpack(at, i32at(header + SLOT_AT_KERNEL_PACKED), KERNEL_AT, kernelBytes);
  return written === kernelBytes ? SLOT_GOOD : SLOT_BAD_KERNEL;
}

/** Writes what the kernel must know of its slot into the boot information. */
function describe(slot: i32, memoryEnd: i32): void {
  const header: i32 = headerAt(slot);
  puti32(BOOT_INFO_AT + BOOT_AT_MAGIC, BOOT_MAGIC);
  puti32(BOOT_INFO_AT + BOOT_AT_SLOT, slot);
  puti32(BOOT_INFO_AT + BOOT_AT_SEQUENCE, i32at(header + SLOT_AT_SEQUENCE));
  puti32(BOOT_INFO_AT + BOOT_AT_TRIES, i32at(header + SLOT_AT_TRIES));
  puti32(BOOT_INFO_AT + BOOT_AT_MEDIUM, i32at(header + SLOT_AT_MEDIUM));
  puti32(BOOT_INFO_AT + BOOT_AT_SNAPSHOT, payloadAt(header, memoryEnd) + kernelRoom(header));
  puti32(BOOT_INFO_AT + BOOT_AT_SNAPSHOT_PACKED, i32at(header + SLOT_AT_SNAPSHOT_PACKED));
  puti32(BOOT_INFO_AT + BOOT_AT_SNAPSHOT_BYTES, i32at(header + SLOT_AT_SNAPSHOT_BYTES));
  puti32(BOOT_INFO_AT + BOOT_AT_KERNEL_BYTES, i32at(header + SLOT_AT_KERNEL_BYTES));
}
