// Unpacks an overlay from memory to memory. It is LZ77 whose symbols have Huffman's codes. The codes are not in the packed bytes, but
// one set for all overlays (codes.ts), as most of them are short. Every length is checked: damaged input yields an error, never a read
// or a write outside of its ranges, and each turn of the loop writes a byte at least, so that there is an end.
//
//    symbol                a literal, 0 to 255, or 256 and a slot of lengths; its code is of the context that the byte before it says
//    | bits of the length  where the slot is that of several
//    | slot of distances   0 to 2: one of the last three once more; else 3 and a slot. Its code is one of DISTANCE_KINDS
//    | bits of it
//
// Bits are read from the highest of each byte on. A code of up to FAST_BITS bits is found in a table by its bits, a longer one, one in
// seven, by where the codes of each length end. The tables are made anew for each overlay, in the low memory that is the unpacker's.
// Portable subset. Packing: encode.ts. Not here: LZ4, which kernel and snapshot are (../loader/unpack.ts).

import { CRC_TABLES_AT } from '../../src/base/layout.ts';
import { get8, get16, get32, i32at, put8, put32, puti32, putu16, u16at } from '../../src/base/memory.ts';
import { UNPACK_BAD_OFFSET, UNPACK_FULL, UNPACK_TRUNCATED, unpack } from '../loader/unpack.ts';
import {
  CONTEXTS,
  COUNT_BYTES,
  DISTANCE_BITS,
  DISTANCE_KINDS,
  DISTANCES_PLAIN,
  LENGTH_LEAST,
  LENGTHS_PLAIN,
  LITERALS,
  MANY_SHIFT,
  REPEATS,
  SYMBOL_BITS,
} from './format.ts';

/** Bits that are no code: as UNPACK_* of LZ4. */
const BAD_CODE: i32 = -4;

const FAST_BITS: i32 = 8;
/** For each context, by the next bits, halves: symbol << 4 | the bits of its code, or 0. */
const FAST_BYTES: i32 = 2 << FAST_BITS;
const FAST_AT: i32 = CRC_TABLES_AT;
/** The same for each kind of distance, which has no longer codes. */
const DISTANCE_BYTES: i32 = 2 << DISTANCE_BITS;
const DISTANCE_AT: i32 = FAST_AT + CONTEXTS * FAST_BYTES;
/** For each context: its symbols' address; for each longer length where its codes end, what leads from a code to its symbol, the first of LITERALS and more. */
const SLOW_STEP: i32 = 12;
const SLOW_BYTES: i32 = 4 + SLOW_STEP * (SYMBOL_BITS - FAST_BITS);
const SLOW_AT: i32 = DISTANCE_AT + DISTANCE_KINDS * DISTANCE_BYTES;
/** The last REPEATS distances, the newest first. */
const LAST_AT: i32 = SLOW_AT + CONTEXTS * SLOW_BYTES;

/** An LZ4 block, or with the address of codes an overlay. Answers how many bytes were written, or what is below 0. */
export function unpackEither(
  source: i32,
  sourceLength: i32,
  target: i32,
  targetLength: i32,
  codes: i32,
): i32 {
  if (codes === 0) return unpack(source, sourceLength, target, targetLength);
  let counts: i32 = codes + LITERALS;
  for (let i: i32 = 0; i < CONTEXTS; i++) {
    counts = makeTable(counts, SYMBOL_BITS, FAST_BITS, FAST_AT + i * FAST_BYTES, SLOW_AT + i * SLOW_BYTES);
  }
  for (let i: i32 = 0; i < DISTANCE_KINDS; i++) {
    counts = makeTable(counts, DISTANCE_BITS, DISTANCE_BITS, DISTANCE_AT + i * DISTANCE_BYTES, LAST_AT);
  }
  return decode(source, source + sourceLength, target, target + targetLength, codes);
}

/** Of canonical codes: those of a length are one behind the other, in the order of their symbols. Answers where the next ones' counts are. */
function makeTable(counts: i32, most: i32, fastBits: i32, fastAt: i32, slowAt: i32): i32 {
  const symbols: i32 = counts + COUNT_BYTES * most;
  let fast: i32 = fastAt;
  let slow: i32 = slowAt;
  let code: i32 = 0; // of 16 bits, the highest first
  let index: i32 = 0;
  puti32(slow, symbols);
  slow += 4;
  for (let n: i32 = 1; n <= most; n++) {
    const word: i32 = get16(counts + COUNT_BYTES * (n - 1));
    const end: i32 = index + (word & ((1 << MANY_SHIFT) - 1));
    const many: i32 = end - (word >> MANY_SHIFT);
    if (n > fastBits) {
      const first: i32 = code >> (16 - n);
      code += (end - index) << (16 - n);
      puti32(slow, code);
      puti32(slow + 4, index - first);
      puti32(slow + 8, many);
      slow += SLOW_STEP;
      index = end;
      continue;
    }
    code += (end - index) << (16 - n);
    for (; index < end; index++) {
      const symbol: i32 = get8(symbols + index) + (index < many ? 0 : LITERALS);
      const next: i32 = fast + (2 << (fastBits - n));
      for (; fast < next; fast += 2) putu16(fast, (symbol << 4) | n);
    }
  }
  for (; fast < fastAt + (2 << fastBits); fast += 2) putu16(fast, 0);
  return symbols + index;
}

/** A longer code, of 16 bits that begin with it: symbol << 4 | its bits, or BAD_CODE. */
function longCode(context: i32, bits: i32): i32 {
  const at: i32 = SLOW_AT + context * SLOW_BYTES;
  let slow: i32 = at + 4;
  for (let n: i32 = FAST_BITS + 1; n <= SYMBOL_BITS; n++) {
    if (bits < i32at(slow)) {
      const index: i32 = (bits >> (16 - n)) + i32at(slow + 4);
      const symbol: i32 = get8(i32at(at) + index) + (index < i32at(slow + 8) ? 0 : LITERALS);
      return (symbol << 4) | n;
    }
    slow += SLOW_STEP;
  }
  return BAD_CODE;
}

/** `bits` are the next `have` ones, the next of all the highest; there are 16 whenever some are taken. */
function decode(source: i32, inEnd: i32, target: i32, outEnd: i32, codes: i32): i32 {
  let at: i32 = source;
  let out: i32 = target;
  let bits: i32 = 0;
  let have: i32 = 0;
  let context: i32 = get8(codes);
  for (let i: i32 = 0; i < REPEATS; i++) puti32(LAST_AT + 4 * i, 1);
  while (out < outEnd) {
    if (have < 16) {
      if (inEnd - at < 2) return UNPACK_TRUNCATED;
      bits |= get16(at) << (16 - have);
      have += 16;
      at += 2;
    }
    let entry: i32 = u16at(FAST_AT + context * FAST_BYTES + ((bits >>> (32 - FAST_BITS)) << 1));
    if (entry === 0) entry = longCode(context, bits >>> 16);
    if (entry < 0) return entry;
    bits <<= entry & 15;
    have -= entry & 15;
    if (entry < LITERALS << 4) {
      put8(out, entry >> 4);
      out += 1;
      context = get8(codes + (entry >> 4));
      continue;
    }
    let length: i32 = (entry >> 4) - LITERALS;
    const kind: i32 = length < DISTANCE_KINDS - 1 ? length : DISTANCE_KINDS - 1;
    if (have < 16) {
      if (inEnd - at < 2) return UNPACK_TRUNCATED;
      bits |= get16(at) << (16 - have);
      have += 16;
      at += 2;
    }
    if (length < LENGTHS_PLAIN) {
      length += LENGTH_LEAST;
    } else {
      const more: i32 = length - LENGTHS_PLAIN + 1;
      length = LENGTHS_PLAIN + (1 << more) + (bits >>> (32 - more));
      bits <<= more;
      have -= more;
    }
    entry = u16at(DISTANCE_AT + kind * DISTANCE_BYTES + ((bits >>> (32 - DISTANCE_BITS)) << 1));
    if (entry === 0) return BAD_CODE;
    bits <<= entry & 15;
    have -= entry & 15;
    if (have < 16) {
      if (inEnd - at < 2) return UNPACK_TRUNCATED;
      bits |= get16(at) << (16 - have);
      have += 16;
      at += 2;
    }
    const slot: i32 = (entry >> 4) - REPEATS;
    const more: i32 = slot < DISTANCES_PLAIN ? 0 : (slot >> 1) - 1;
    const distance: i32 = distanceOf(slot, more, bits);
    bits <<= more;
    have -= more;
    if (distance > out - target) return UNPACK_BAD_OFFSET;
    if (length > outEnd - out) return UNPACK_FULL;
    copyMatch(out, distance, length, outEnd);
    out += length;
    context = get8(codes + get8(out - 1));
  }
  return out - target;
}

/** The distance of a slot with so many bits, which come next, or below 0 one of the last. It is the last one then. */
function distanceOf(slot: i32, more: i32, bits: i32): i32 {
  let distance: i32 = slot + 1;
  if (slot < 0) distance = i32at(LAST_AT + 4 * (slot + REPEATS));
  else if (more !== 0) distance = ((2 | (slot & 1)) << more) + (bits >>> (32 - more)) + 1;
  if (slot > -2) puti32(LAST_AT + 8, i32at(LAST_AT + 4));
  if (slot > -REPEATS) {
    puti32(LAST_AT + 4, i32at(LAST_AT));
    puti32(LAST_AT, distance);
  }
  return distance;
}

/** By double words, up to 3 bytes too many, where there is room for them and none is read before it is written. */
function copyMatch(to: i32, distance: i32, length: i32, outEnd: i32): void {
  const from: i32 = to - distance;
  if (distance >= 4 && outEnd - to >= length + 3) {
    for (let i: i32 = 0; i < length; i += 4) put32(to + i, get32(from + i));
    return;
  }
  for (let i: i32 = 0; i < length; i++) put8(to + i, get8(from + i));
}
