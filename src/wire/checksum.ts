// The Internet checksum: whole (RFC 1071) and updated in place (RFC 1624).

import { get8, get16, i32at, put16 } from '../base/memory.ts';

/**
 * Ones-complement sum of n bytes at p, folded to 16 bits, not inverted; n at most 65,535. An odd last byte
 * counts as the high half of a word (RFC 1071).
 */
export function sum(p: i32, n: i32): i32 {
  let total: i32 = 0;
  let at: i32 = p;
  const end: i32 = p + n;
  if ((p & 3) === 0) {
    // The sum does not depend on the order of bytes (RFC 1071, 2B): add the machine's words, and turn the
    // result once. Headers are aligned, so this is the way that is taken.
    const whole: i32 = p + (n & ~3);
    for (; at < whole; at += 4) {
      const word: i32 = i32at(at);
      total += (word & 0xffff) + (word >>> 16);
    }
    total = (total & 0xffff) + (total >>> 16);
    total = (total & 0xffff) + (total >>> 16);
    total = ((total & 0xff) << 8) | (total >>> 8);
  }
  for (; at + 1 < end; at += 2) total += get16(at);
  if (at < end) total += get8(at) << 8;
  total = (total & 0xffff) + (total >>> 16);
  return (total & 0xffff) + (total >>> 16);
}

/** The checksum field's value for n bytes at p in which that field is zero; 0 if the field is there and right. */
export function checksum(p: i32, n: i32): i32 {
  return ~sum(p, n) & 0xffff;
}

/** Updates the checksum at p for a 16-bit word that changed: RFC 1624, equation 3. */
export function adjust16(p: i32, oldValue: i32, newValue: i32): void {
  let total: i32 = (~get16(p) & 0xffff) + (~oldValue & 0xffff) + (newValue & 0xffff);
  total = (total & 0xffff) + (total >>> 16);
  total = (total & 0xffff) + (total >>> 16);
  put16(p, ~total & 0xffff);
}

/** The same for a 32-bit word at an even distance from the start of what is summed. */
export function adjust32(p: i32, oldValue: i32, newValue: i32): void {
  const inverted: i32 = ~oldValue;
  let total: i32 =
    (~get16(p) & 0xffff) + (inverted & 0xffff) + (inverted >>> 16) + (newValue & 0xffff) + (newValue >>> 16);
  total = (total & 0xffff) + (total >>> 16);
  total = (total & 0xffff) + (total >>> 16);
  put16(p, ~total & 0xffff);
}

/** Sum of the pseudo header of TCP and UDP (RFC 793, 3.1), folded to 16 bits. */
export function pseudoSum(source: i32, destination: i32, protocol: i32, bytes: i32): i32 {
  let total: i32 = (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff);
  total += protocol + bytes;
  total = (total & 0xffff) + (total >>> 16);
  return (total & 0xffff) + (total >>> 16);
}
