// The slots: is a slot's header good, and which slot to boot. The layout of the header: layout.ts.
// Tries: a header that is CONFIRMED is booted for good. One with tries left is on trial: each boot takes one away
// before it starts (loader.ts), and at 0 the slot has failed and the other one is in force again.
// Nothing here touches the disk; headers are in memory.

import {
  BOARD_I486,
  BOOT_SECTOR_AT,
  BOOT_SECTOR_AT_MEDIUM,
  KERNEL_AT,
  SECTOR_BYTES,
  SLOT_AT_BOARD,
  SLOT_AT_FORMAT,
  SLOT_AT_HEADER_CRC,
  SLOT_AT_KERNEL_BYTES,
  SLOT_AT_KERNEL_PACKED,
  SLOT_AT_LOAD_ADDRESS,
  SLOT_AT_MAGIC,
  SLOT_AT_MEDIUM,
  SLOT_AT_SEQUENCE,
  SLOT_AT_SNAPSHOT_BYTES,
  SLOT_AT_SNAPSHOT_PACKED,
  SLOT_AT_TRIES,
  SLOT_CONFIRMED,
  SLOT_COUNT,
  SLOT_FORMAT,
  SLOT_HEADERS_AT,
  SLOT_LOW_BYTES,
  SLOT_MAGIC,
  SLOT_PAYLOAD_SECTORS,
  SLOT_TRIES_MOST,
  SLOT_WORK_BYTES,
} from '../../src/base/layout.ts';
import { i32at } from '../../src/base/memory.ts';
import { crc32 } from './crc32.ts';

// What is the matter with a slot. loader.c has a text for each, in this order.
export const SLOT_GOOD: i32 = 0;
/** Nothing was ever written there, or by an earlier image. */
export const SLOT_EMPTY: i32 = 1;
export const SLOT_UNREADABLE: i32 = 2;
export const SLOT_BAD_HEADER: i32 = 3;
/** Another format or another board. */
export const SLOT_FOREIGN: i32 = 4;
/** It was tried as often as it may be, and did not prove itself. */
export const SLOT_FAILED: i32 = 5;
/** The board has too little RAM for it. */
export const SLOT_TOO_BIG: i32 = 6;
export const SLOT_BAD_PAYLOAD: i32 = 7;
export const SLOT_BAD_KERNEL: i32 = 8;
/** It is on trial, and the medium does not take the note that another try has begun. */
export const SLOT_UNCOUNTED: i32 = 9;
/** A field of its header has a value that no writer of ours puts there. */
export const SLOT_IMPOSSIBLE: i32 = 10;
/** Nothing is the matter: it is on trial, with so many boots left after this one. */
export const SLOT_ON_TRIAL: i32 = 11;

/** Where the header of a slot is kept. */
export function headerAt(slot: i32): i32 {
  return SLOT_HEADERS_AT + slot * SECTOR_BYTES;
}

/** Bytes of the packed kernel with the zeros that follow it. */
export function kernelRoom(header: i32): i32 {
  return (i32at(header + SLOT_AT_KERNEL_PACKED) + 3) & ~3;
}

/** Bytes of the payload: the packed kernel and the packed snapshot. */
export function payloadBytes(header: i32): i32 {
  return kernelRoom(header) + i32at(header + SLOT_AT_SNAPSHOT_PACKED);
}

/** Where in RAM the payload goes: as high as it fits in whole sectors, on a page. */
export function payloadAt(header: i32, memoryEnd: i32): i32 {
  const sectors: i32 = ((payloadBytes(header) + SECTOR_BYTES - 1) / SECTOR_BYTES) | 0;
  return (memoryEnd - sectors * SECTOR_BYTES) & ~4095;
}

/** SLOT_GOOD, or what is the matter, for a board whose RAM ends at `memoryEnd`. Needs crc32.ts's tables. */
export function checkHeader(header: i32, memoryEnd: i32): i32 {
  if (i32at(header + SLOT_AT_MAGIC) !== SLOT_MAGIC) return SLOT_EMPTY;
  if (crc32(header, SLOT_AT_HEADER_CRC) !== i32at(header + SLOT_AT_HEADER_CRC)) return SLOT_BAD_HEADER;
  const medium: i32 = i32at(BOOT_SECTOR_AT + BOOT_SECTOR_AT_MEDIUM);
  if (i32at(header + SLOT_AT_MEDIUM) !== medium) return SLOT_EMPTY;
  if (i32at(header + SLOT_AT_FORMAT) !== SLOT_FORMAT) return SLOT_FOREIGN;
  if (i32at(header + SLOT_AT_BOARD) !== BOARD_I486) return SLOT_FOREIGN;
  if (i32at(header + SLOT_AT_LOAD_ADDRESS) !== KERNEL_AT) return SLOT_FOREIGN;
  if (outside(i32at(header + SLOT_AT_TRIES), SLOT_CONFIRMED, SLOT_TRIES_MOST) !== 0) return SLOT_IMPOSSIBLE;
  const lengths: i32 = checkLengths(header, memoryEnd);
  if (lengths !== SLOT_GOOD) return lengths;
  // Last: but for that, the slot could be booted.
  if (i32at(header + SLOT_AT_TRIES) === 0) return SLOT_FAILED;
  return SLOT_GOOD;
}

/**
 * The four lengths. Kernel, packed payload, snapshot, and what any firmware needs beside them must fit in RAM: what is
 * below 640 KiB, and from the kernel to the end.
 */
function checkLengths(header: i32, memoryEnd: i32): i32 {
  const max: i32 = SLOT_PAYLOAD_SECTORS * SECTOR_BYTES;
  const kernel: i32 = i32at(header + SLOT_AT_KERNEL_BYTES);
  const snapshot: i32 = i32at(header + SLOT_AT_SNAPSHOT_BYTES);
  if (outside(i32at(header + SLOT_AT_KERNEL_PACKED), 1, max) !== 0) return SLOT_IMPOSSIBLE;
  if (outside(i32at(header + SLOT_AT_SNAPSHOT_PACKED), 1, max) !== 0) return SLOT_IMPOSSIBLE;
  if (payloadBytes(header) > max || kernel < 1 || snapshot < 1) return SLOT_IMPOSSIBLE;
  const room: i32 = payloadAt(header, memoryEnd) - KERNEL_AT;
  if (kernel > room) return SLOT_TOO_BIG;
  // Not a sum: a snapshot's length may be any number of 31 bits.
  return snapshot > room - kernel + SLOT_LOW_BYTES - SLOT_WORK_BYTES ? SLOT_TOO_BIG : SLOT_GOOD;
}

function outside(value: i32, least: i32, most: i32): i32 {
  return value < least || value > most ? 1 : 0;
}

/** The slot to boot of those whose bit is set in `usable`: the one with the newest header; -1 if none is. */
export function chooseSlot(usable: i32): i32 {
  let chosen: i32 = -1;
  for (let slot: i32 = 0; slot < SLOT_COUNT; slot++) {
    if (((usable >> slot) & 1) === 0) continue;
    if (chosen < 0 || isNewer(headerAt(slot), headerAt(chosen)) !== 0) chosen = slot;
  }
  return chosen;
}

/** 1 if header a has the higher sequence. Sequences wrap: what counts is the sign of the difference. */
function isNewer(a: i32, b: i32): i32 {
  return ((i32at(a + SLOT_AT_SEQUENCE) - i32at(b + SLOT_AT_SEQUENCE)) | 0) > 0 ? 1 : 0;
}
