// The bit stream of inflate (RFC 1951, section 3.1.1), its state in memory, and the careful way to read it:
// bit by bit, checked against the end. inflate.ts has the fast way for the middle of a block.

import { get8, i32at, puti32 } from '../../src/plane/memory.ts';
import { INFLATE_AT } from '../layout.ts';

// The state: bits read but not used, the next lowest, and how many; where input and output stand and end.
export const HOLD_AT: i32 = INFLATE_AT;
export const BITS_AT: i32 = INFLATE_AT + 4;
export const IN_AT: i32 = INFLATE_AT + 8;
export const IN_END_AT: i32 = INFLATE_AT + 12;
export const OUT_AT: i32 = INFLATE_AT + 16;
export const OUT_END_AT: i32 = INFLATE_AT + 20;
export const TARGET_AT: i32 = INFLATE_AT + 24;
/** What comes after the state. */
export const BITS_END: i32 = INFLATE_AT + 64;

/** Reads whole bytes while fewer than n bits are held and there is input. Answers the count. At most 32 fit. */
export function needBits(n: i32): i32 {
  let bits: i32 = i32at(BITS_AT);
  if (bits >= n) return bits;
  let hold: i32 = i32at(HOLD_AT);
  let at: i32 = i32at(IN_AT);
  const end: i32 = i32at(IN_END_AT);
  for (; bits < n && at < end; bits += 8) {
    hold |= get8(at) << bits;
    at += 1;
  }
  puti32(HOLD_AT, hold);
  puti32(BITS_AT, bits);
  puti32(IN_AT, at);
  return bits;
}

/** Drops n bits, 1 to 15, that are held. */
export function dropBits(n: i32): void {
  puti32(HOLD_AT, i32at(HOLD_AT) >>> n);
  puti32(BITS_AT, i32at(BITS_AT) - n);
}

/** Takes n bits, 0 to 15, as a number; -1 when the input ends before. */
export function takeBits(n: i32): i32 {
  if (n === 0) return 0;
  if (needBits(n) < n) return -1;
  const value: i32 = i32at(HOLD_AT) & ((1 << n) - 1);
  dropBits(n);
  return value;
}

/** Gives back the whole bytes that are held and drops the rest of the byte that is in use. */
export function alignToByte(): void {
  puti32(IN_AT, i32at(IN_AT) - (i32at(BITS_AT) >> 3));
  puti32(HOLD_AT, 0);
  puti32(BITS_AT, 0);
}
