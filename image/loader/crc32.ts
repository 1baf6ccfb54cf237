// CRC-32 (ISO 3309, the polynomial of Ethernet and gzip: RFC 1952, section 8), four bytes at a time.
// Table k holds the CRC of a byte followed by k zero bytes, so that the four bytes of a word are looked up
// side by side: 15 instructions a word where the byte-wise way takes 24.

import { CRC_TABLES_AT } from '../../src/base/layout.ts';
import { get8, i32at, puti32 } from '../../src/base/memory.ts';
import { clockPoll } from './machine.ts';

/** The polynomial x^32 + x^26 + x^23 + ... + 1, bits reversed. */
const POLYNOMIAL: i32 = -0x12477ce0; // 0xedb88320
const TABLE_BYTES: i32 = 1024;
/** Bytes between two looks at the clock: about 4 ms on a 486. */
const STRETCH_BYTES: i32 = 32768;

/** Fills the four tables at CRC_TABLES_AT. */
export function makeCrcTables(): void {
  for (let i: i32 = 0; i < 256; i++) {
    let crc: i32 = i;
    for (let bit: i32 = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    puti32(CRC_TABLES_AT + 4 * i, crc);
  }
  for (let i: i32 = 0; i < 256; i++) {
    let crc: i32 = i32at(CRC_TABLES_AT + 4 * i);
    for (let k: i32 = 1; k < 4; k++) {
      crc = (crc >>> 8) ^ i32at(CRC_TABLES_AT + 4 * (crc & 0xff));
      puti32(CRC_TABLES_AT + k * TABLE_BYTES + 4 * i, crc);
    }
  }
}

/** CRC-32 of n bytes at p, a multiple of 4. Needs the tables. */
export function crc32(p: i32, n: i32): i32 {
  let crc: i32 = -1;
  const wordsEnd: i32 = p + (n & ~3);
  let at: i32 = p;
  while (at < wordsEnd) {
    const stretchEnd: i32 = wordsEnd - at > STRETCH_BYTES ? at + STRETCH_BYTES : wordsEnd;
    for (; stretchEnd - at >= 16; at += 16) {
      crc = step(crc ^ i32at(at));
      crc = step(crc ^ i32at(at + 4));
      crc = step(crc ^ i32at(at + 8));
      crc = step(crc ^ i32at(at + 12));
    }
    for (; at < stretchEnd; at += 4) crc = step(crc ^ i32at(at));
    clockPoll();
  }
  for (; at < p + n; at++) crc = (crc >>> 8) ^ i32at(CRC_TABLES_AT + (((crc ^ get8(at)) & 0xff) << 2));
  return ~crc;
}

/** The CRC after four bytes that have been added to it. */
function step(crc: i32): i32 {
  return (
    i32at(CRC_TABLES_AT + 3 * TABLE_BYTES + ((crc & 0xff) << 2)) ^
    i32at(CRC_TABLES_AT + 2 * TABLE_BYTES + (((crc >>> 8) & 0xff) << 2)) ^
    i32at(CRC_TABLES_AT + TABLE_BYTES + (((crc >>> 16) & 0xff) << 2)) ^
    i32at(CRC_TABLES_AT + ((crc >>> 24) << 2))
  );
}
