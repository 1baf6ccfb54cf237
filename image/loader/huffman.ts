// Inflate's code tables (RFC 1951, sections 3.2.2, 3.2.5 to 3.2.7): from code lengths to tables that are
// looked up by the next bits of the stream, and the reading of the lengths.
//
// An entry says everything about one symbol:
//
//     31  30        16  15      8  7        0
//     +---+-----------+----------+-----------+
//     | L |   base    |   kind   |  length   |   length: bits of the code
//     +---+-----------+----------+-----------+
//
// L = 1: a literal, base is the byte. Otherwise base is the symbol's value, kind its number of extra bits.
// Base 0: kind says KIND_INVALID, KIND_END, or KIND_SUBTABLE + k: the code is longer than the table's
// index; look at subtable k with the bits that follow (length is 0: nothing is used yet). Subtables all
// have the size of the longest code, so that there is no size to look up: 144 of them are enough, since
// each holds two of 286 symbols.

import { fill, get8, i32at, put8, puti32 } from '../../src/plane/memory.ts';
import { BITS_END, dropBits, HOLD_AT, needBits, takeBits } from './bits.ts';

export const LITERAL_INDEX_BITS: i32 = 10;
export const DISTANCE_INDEX_BITS: i32 = 8;
const LENGTH_INDEX_BITS: i32 = 7;
const CODE_BITS_MAX: i32 = 15;
export const LITERAL_SUB_BITS: i32 = CODE_BITS_MAX - LITERAL_INDEX_BITS;
export const DISTANCE_SUB_BITS: i32 = CODE_BITS_MAX - DISTANCE_INDEX_BITS;

export const KIND_INVALID: i32 = 0;
export const KIND_END: i32 = 1;
const KIND_SUBTABLE: i32 = 2;
export const SUBTABLE_FIRST: i32 = KIND_SUBTABLE << 8;
/** Entries from 0 up to here have no base. */
export const ENTRY_PLAIN: i32 = 0x10000;

// Where things lie: tables, each followed by its subtables (4 bytes an entry), then lengths and counts.
export const LITERAL_TABLE: i32 = BITS_END;
export const LITERAL_SUBTABLES: i32 = LITERAL_TABLE + (4 << LITERAL_INDEX_BITS);
export const DISTANCE_TABLE: i32 = LITERAL_SUBTABLES + 144 * (4 << LITERAL_SUB_BITS);
export const DISTANCE_SUBTABLES: i32 = DISTANCE_TABLE + (4 << DISTANCE_INDEX_BITS);
const LENGTH_TABLE: i32 = DISTANCE_SUBTABLES + 16 * (4 << DISTANCE_SUB_BITS);
/** A byte for each literal and length symbol, then one for each distance symbol. */
const LENGTHS_AT: i32 = LENGTH_TABLE + (4 << LENGTH_INDEX_BITS);
/** A word for each code length: how many codes have it; then: the next code of that length. */
const COUNTS_AT: i32 = LENGTHS_AT + 320;
const NEXT_AT: i32 = COUNTS_AT + 64;
export const HUFFMAN_END: i32 = NEXT_AT + 64;

const LITERAL_SYMBOLS: i32 = 288;
const DISTANCE_SYMBOLS: i32 = 32;

// What a table's symbols mean.
const MEANING_LENGTHS: i32 = 0;
const MEANING_LITERALS: i32 = 1;
const MEANING_DISTANCES: i32 = 2;

/** The tables of block type 1 (RFC 1951, section 3.2.6). Answers 1. */
export function buildFixed(): i32 {
  fill(LENGTHS_AT, 8, 144);
  fill(LENGTHS_AT + 144, 9, 112);
  fill(LENGTHS_AT + 256, 7, 24);
  fill(LENGTHS_AT + 280, 8, 8);
  fill(LENGTHS_AT + LITERAL_SYMBOLS, 5, DISTANCE_SYMBOLS);
  return buildTables(LITERAL_SYMBOLS, DISTANCE_SYMBOLS);
}

/** Reads the code lengths of a block of type 2 (section 3.2.7) and makes its tables: 1, or 0 if they are bad. */
export function buildDynamic(): i32 {
  const literals: i32 = takeBits(5) + 257;
  const distances: i32 = takeBits(5) + 1;
  const lengths: i32 = takeBits(4) + 4;
  if (lengths < 4 || literals > 286 || distances > 30) return 0;
  fill(LENGTHS_AT, 0, 19);
  for (let i: i32 = 0; i < lengths; i++) {
    const length: i32 = takeBits(3);
    if (length < 0) return 0;
    put8(LENGTHS_AT + lengthOrder(i), length);
  }
  if (build(MEANING_LENGTHS, LENGTHS_AT, 19, LENGTH_TABLE, LENGTH_INDEX_BITS, 0) === 0) return 0;
  if (readLengths(literals + distances) === 0) return 0;
  if (get8(LENGTHS_AT + 256) === 0) return 0; // a block that cannot end
  return buildTables(literals, distances);
}

/** Position of the code length code's i-th length: 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15. */
function lengthOrder(i: i32): i32 {
  if (i < 3) return 16 + i;
  if (i === 3) return 0;
  return (i & 1) === 0 ? 6 + (i >> 1) : 9 - (i >> 1);
}

/** Reads n code lengths to LENGTHS_AT, with their repetitions: 1, or 0 if they are bad. */
function readLengths(n: i32): i32 {
  let i: i32 = 0;
  while (i < n) {
    const symbol: i32 = (decode(LENGTH_TABLE, LENGTH_INDEX_BITS, 0, 0) >>> 16) - 1;
    if (symbol < 0) return 0;
    if (symbol < 16) {
      put8(LENGTHS_AT + i, symbol);
      i += 1;
      continue;
    }
    if (symbol === 16 && i === 0) return 0;
    const value: i32 = symbol === 16 ? get8(LENGTHS_AT + i - 1) : 0;
    const more: i32 = takeBits(symbol === 16 ? 2 : symbol === 17 ? 3 : 7);
    const repeat: i32 = more + (symbol === 18 ? 11 : 3);
    if (more < 0 || i + repeat > n) return 0;
    fill(LENGTHS_AT + i, value, repeat);
    i += repeat;
  }
  return 1;
}

/** Both tables from the lengths at LENGTHS_AT. */
function buildTables(literals: i32, distances: i32): i32 {
  return (
    build(MEANING_LITERALS, LENGTHS_AT, literals, LITERAL_TABLE, LITERAL_INDEX_BITS, LITERAL_SUB_BITS) &
    build(
      MEANING_DISTANCES,
      LENGTHS_AT + literals,
      distances,
      DISTANCE_TABLE,
      DISTANCE_INDEX_BITS,
      DISTANCE_SUB_BITS,
    )
  );
}

/** Makes one table of n symbols with the lengths at `lengths`: 1, or 0 if they are no code. */
function build(meaning: i32, lengths: i32, n: i32, table: i32, indexBits: i32, subBits: i32): i32 {
  if (countCodes(meaning, lengths, n) === 0) return 0;
  fill(table, 0, 4 << indexBits);
  let subtables: i32 = 0;
  for (let symbol: i32 = 0; symbol < n; symbol++) {
    const length: i32 = get8(lengths + symbol);
    if (length === 0) continue;
    const code: i32 = i32at(NEXT_AT + 4 * length);
    puti32(NEXT_AT + 4 * length, code + 1);
    const reversed: i32 = reverse16(code) >>> (16 - length);
    if (length <= indexBits) {
      spread(table, reversed, length, indexBits, entryOf(meaning, symbol) | length);
      continue;
    }
    const prefix: i32 = table + 4 * (reversed & ((1 << indexBits) - 1));
    if (i32at(prefix) === 0) {
      puti32(prefix, (KIND_SUBTABLE + subtables) << 8);
      subtables += 1;
    }
    const k: i32 = (i32at(prefix) >> 8) - KIND_SUBTABLE;
    const subtable: i32 = table + (4 << indexBits) + k * (4 << subBits);
    spread(subtable, reversed >>> indexBits, length - indexBits, subBits, entryOf(meaning, symbol) | length);
  }
  return 1;
}

/** Counts the codes of each length and puts the first code of each at NEXT_AT: 1, or 0 if they are no code. */
function countCodes(meaning: i32, lengths: i32, n: i32): i32 {
  fill(COUNTS_AT, 0, 64);
  for (let symbol: i32 = 0; symbol < n; symbol++) {
    const at: i32 = COUNTS_AT + 4 * get8(lengths + symbol);
    puti32(at, i32at(at) + 1);
  }
  let code: i32 = 0;
  let left: i32 = 1;
  let longest: i32 = 0;
  for (let length: i32 = 1; length <= CODE_BITS_MAX; length++) {
    const count: i32 = i32at(COUNTS_AT + 4 * length);
    left = 2 * left - count;
    if (left < 0) return 0;
    if (count !== 0) longest = length;
    puti32(NEXT_AT + 4 * length, code);
    code = (code + count) << 1;
  }
  // Codes that leave bits without a meaning are bad, but for one that zlib allows: a single code of one bit
  // (or none at all) where one distance is all there is. Using the missing code is an error then.
  if (left === 0 || longest === 0) return 1;
  return meaning !== MEANING_LENGTHS && longest === 1 ? 1 : 0;
}

/** Writes an entry to all places whose index ends in `code`, which has `length` bits. */
function spread(table: i32, code: i32, length: i32, indexBits: i32, entry: i32): void {
  const end: i32 = table + (4 << indexBits);
  const step: i32 = 4 << length;
  for (let at: i32 = table + 4 * code; at < end; at += step) puti32(at, entry);
}

/** The lowest 16 bits in reverse order: codes are stored with their first bit highest, the stream's is lowest. */
function reverse16(code: i32): i32 {
  let x: i32 = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
  x = ((x & 0x3333) << 2) | ((x >> 2) & 0x3333);
  x = ((x & 0x0f0f) << 4) | ((x >> 4) & 0x0f0f);
  return ((x & 0x00ff) << 8) | (x >> 8);
}

/** What a symbol means (section 3.2.5), as an entry without its length. */
function entryOf(meaning: i32, symbol: i32): i32 {
  if (meaning === MEANING_LENGTHS) return (symbol + 1) << 16;
  if (meaning === MEANING_DISTANCES) {
    if (symbol < 4) return (symbol + 1) << 16;
    if (symbol >= 30) return KIND_INVALID << 8;
    const extra: i32 = (symbol >> 1) - 1;
    return ((1 + ((2 + (symbol & 1)) << extra)) << 16) | (extra << 8);
  }
  if (symbol < 256) return (1 << 31) | (symbol << 16);
  if (symbol === 256) return KIND_END << 8;
  const s: i32 = symbol - 257;
  if (s < 8) return (3 + s) << 16;
  if (s === 28) return 258 << 16;
  if (s > 28) return KIND_INVALID << 8;
  const extra: i32 = (s >> 2) - 1;
  return ((3 + ((4 + (s & 3)) << extra)) << 16) | (extra << 8);
}

/** The entry in the subtable that `entry` names, by the bits after the index; `entry` if it names none. */
export function longEntry(subtables: i32, subBits: i32, entry: i32, hold: i32): i32 {
  if (entry < SUBTABLE_FIRST) return entry;
  const subtable: i32 = subtables + ((entry >> 8) - KIND_SUBTABLE) * (4 << subBits);
  return i32at(subtable + ((hold & ((1 << subBits) - 1)) << 2));
}

/** Reads one symbol the careful way. Answers its entry; 0 when the input ends or the code means nothing. */
export function decode(table: i32, indexBits: i32, subtables: i32, subBits: i32): i32 {
  const bits: i32 = needBits(CODE_BITS_MAX);
  const hold: i32 = i32at(HOLD_AT);
  let entry: i32 = i32at(table + 4 * (hold & ((1 << indexBits) - 1)));
  if (entry >= 0 && entry < ENTRY_PLAIN) entry = longEntry(subtables, subBits, entry, hold >>> indexBits);
  const length: i32 = entry & 0xff;
  if (length === 0 || length > bits) return 0;
  dropBits(length);
  return entry;
}
