// Which lines of the saved text were not taken at the start: a bit for each, in the plane's memory, so that all can be
// listed however many they are, and after a restart of control too.
//
//    0            64
//    | CRC-32     | a bit for each line, as line-reader.ts counts them from 1
//
// Not here: listing them (src/control/status/refused.ts).

import { REFUSED_AT, REFUSED_BYTES } from '../../plane/limits.ts';
import { fill, get8, i32at, put8, puti32 } from '../../plane/memory.ts';

const BITS_AT = REFUSED_AT + 64;
const LINES_MOST = 8 * (REFUSED_BYTES - 64);

/** Forgets all; from now on the bits are about the text with this CRC-32. */
export function clearRefused(key: number): void {
  fill(REFUSED_AT, 0, REFUSED_BYTES);
  puti32(REFUSED_AT, key);
}

/** The CRC-32 of the text that the bits are about. */
export function refusedKey(): number {
  return i32at(REFUSED_AT);
}

export function setRefused(number: number, on: boolean): void {
  if (number >= LINES_MOST) return;
  const at = BITS_AT + (number >> 3);
  const bit = 1 << (number & 7);
  put8(at, on ? get8(at) | bit : get8(at) & ~bit);
}

export function isRefused(number: number): boolean {
  return number < LINES_MOST && (get8(BITS_AT + (number >> 3)) & (1 << (number & 7))) !== 0;
}
