// CRC-32 of plane memory, for control: saved configurations and the comparison of engines.
// ISO 3309; the polynomial of Ethernet and gzip (RFC 1952, section 8), a byte at a time by a table.
// Not here: the loader's, which has memory of its own (image/loader/crc32.ts).

import { CRC_TABLE_AT } from './limits.ts';
import { get8, i32at, puti32 } from './memory.ts';

/** The polynomial x^32 + x^26 + x^23 + ... + 1, bits reversed: 0xedb88320. */
const POLYNOMIAL: i32 = -0x12477ce0;

/** Continues `crc`, 0 at first, over n bytes at p. Makes its table when it is not there. */
export function crc32(crc: i32, p: i32, n: i32): i32 {
  // The last entry is never 0, so a cleared table shows.
  if (i32at(CRC_TABLE_AT + 4 * 255) === 0) makeTable();
  let value: i32 = ~crc;
  const end: i32 = p + n;
  for (let at: i32 = p; at < end; at++) {
    value = i32at(CRC_TABLE_AT + (((value ^ get8(at)) & 0xff) << 2)) ^ (value >>> 8);
  }
  return ~value;
}

function makeTable(): void {
  for (let i: i32 = 0; i < 256; i++) {
    let value: i32 = i;
    for (let bit: i32 = 0; bit < 8; bit++)
      value = (value & 1) !== 0 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    puti32(CRC_TABLE_AT + 4 * i, value);
  }
}
