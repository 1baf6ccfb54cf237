// Raw inflate (RFC 1951) from memory to memory: the loader unpacks the kernel with it, the kernel the
// snapshot. Every length is checked: corrupt input yields an error, never a write outside the target.
// What zlib refuses is refused here, and nothing else.
//
// Here: the blocks, and the fast and the careful way through one. Code tables: huffman.ts. Bits: bits.ts.
//
// The fast way keeps the bit buffer in a local variable, 32 bits wide, and fills it by 16-bit words. `bits`
// counts what it holds in its low 8 bits; above them it is rubbish, because a whole table entry is taken
// from it where only the entry's low byte, the code's length, is meant. That, and shift counts that are
// modulo 32 in both compilers, save three instructions a symbol.

import { copy, fill, get8, get32, i32at, put8, put32, puti32, u16at } from '../../src/plane/memory.ts';
import {
  alignToByte,
  BITS_AT,
  HOLD_AT,
  IN_AT,
  IN_END_AT,
  needBits,
  OUT_AT,
  OUT_END_AT,
  TARGET_AT,
  takeBits,
} from './bits.ts';
import {
  buildDynamic,
  buildFixed,
  DISTANCE_INDEX_BITS,
  DISTANCE_SUB_BITS,
  DISTANCE_SUBTABLES,
  DISTANCE_TABLE,
  decode,
  ENTRY_PLAIN,
  KIND_END,
  LITERAL_INDEX_BITS,
  LITERAL_SUB_BITS,
  LITERAL_SUBTABLES,
  LITERAL_TABLE,
  longEntry,
  SUBTABLE_FIRST,
} from './huffman.ts';
import { clockPoll } from './machine.ts';

export const INFLATE_TRUNCATED: i32 = -1;
/** The target is full and the input goes on. */
export const INFLATE_FULL: i32 = -2;
export const INFLATE_BAD_BLOCK: i32 = -3;
export const INFLATE_BAD_CODES: i32 = -4;
/** A code without a meaning, or the input ends in one. */
export const INFLATE_BAD_SYMBOL: i32 = -5;
/** A copy from before the target's start. */
export const INFLATE_BAD_DISTANCE: i32 = -6;

// How a way through a block ends, other than by an error.
const GO_ON: i32 = 0;
const BLOCK_END: i32 = 1;

/** Symbols between two looks at the clock: at most 300 instructions each, 10 ms on a 486. */
const STRETCH: i32 = 1024;
/** log2 of the bytes that one symbol can read (four words) and write (258, rounded up to words). */
const SYMBOL_IN_SHIFT: i32 = 3;
const SYMBOL_OUT_SHIFT: i32 = 9;

const LITERAL_MASK: i32 = (1 << LITERAL_INDEX_BITS) - 1;
const DISTANCE_MASK: i32 = (1 << DISTANCE_INDEX_BITS) - 1;

/** Unpacks `sourceLength` bytes. Answers how many bytes were written, or one of INFLATE_*, which are below 0. */
export function inflate(source: i32, sourceLength: i32, target: i32, targetLength: i32): i32 {
  puti32(HOLD_AT, 0);
  puti32(BITS_AT, 0);
  puti32(IN_AT, source);
  puti32(IN_END_AT, source + sourceLength);
  puti32(OUT_AT, target);
  puti32(OUT_END_AT, target + targetLength);
  puti32(TARGET_AT, target);
  let last: i32 = 0;
  // Each turn takes 3 bits at least, so it ends with the input.
  while (last === 0) {
    last = takeBits(1);
    const type: i32 = takeBits(2);
    if (last < 0 || type < 0) return INFLATE_TRUNCATED;
    const result: i32 = block(type);
    if (result < 0) return result;
    clockPoll();
  }
  return i32at(OUT_AT) - target;
}

/** One block after its header: BLOCK_END or an error. */
function block(type: i32): i32 {
  if (type === 0) return stored();
  if (type === 3) return INFLATE_BAD_BLOCK;
  if ((type === 1 ? buildFixed() : buildDynamic()) === 0) return INFLATE_BAD_CODES;
  let result: i32 = GO_ON;
  while (result === GO_ON) {
    if ((i32at(IN_AT) & 1) !== 0) needBits(i32at(BITS_AT) + 8); // fast() reads words at even addresses
    const room: i32 = min(
      (i32at(IN_END_AT) - i32at(IN_AT)) >> SYMBOL_IN_SHIFT,
      (i32at(OUT_END_AT) - i32at(OUT_AT)) >> SYMBOL_OUT_SHIFT,
    );
    // Two calls, not one: a compiler that puts the only call's body here runs out of registers in its loop.
    if (room > STRETCH) result = fast(STRETCH);
    else result = room > 0 ? fast(room) : careful();
    clockPoll();
  }
  return result;
}

function min(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

/** A stored block (section 3.2.4): its length, the length's complement, the bytes. */
function stored(): i32 {
  alignToByte();
  const at: i32 = i32at(IN_AT);
  const out: i32 = i32at(OUT_AT);
  if (i32at(IN_END_AT) - at < 4) return INFLATE_TRUNCATED;
  const length: i32 = get8(at) | (get8(at + 1) << 8);
  if ((get8(at + 2) | (get8(at + 3) << 8)) !== (length ^ 0xffff)) return INFLATE_BAD_BLOCK;
  if (i32at(IN_END_AT) - at - 4 < length) return INFLATE_TRUNCATED;
  if (i32at(OUT_END_AT) - out < length) return INFLATE_FULL;
  copy(out, at + 4, length);
  puti32(IN_AT, at + 4 + length);
  puti32(OUT_AT, out + length);
  return BLOCK_END;
}

/** One symbol, every bit checked: near the end of input or target. */
function careful(): i32 {
  const entry: i32 = decode(LITERAL_TABLE, LITERAL_INDEX_BITS, LITERAL_SUBTABLES, LITERAL_SUB_BITS);
  const out: i32 = i32at(OUT_AT);
  const room: i32 = i32at(OUT_END_AT) - out;
  if (entry < 0) {
    if (room < 1) return INFLATE_FULL;
    put8(out, entry >> 16);
    puti32(OUT_AT, out + 1);
    return GO_ON;
  }
  if (entry < ENTRY_PLAIN) return endOf(entry);
  const moreLength: i32 = takeBits((entry >> 8) & 0xff);
  if (moreLength < 0) return INFLATE_TRUNCATED;
  const length: i32 = (entry >> 16) + moreLength;
  const where: i32 = decode(DISTANCE_TABLE, DISTANCE_INDEX_BITS, DISTANCE_SUBTABLES, DISTANCE_SUB_BITS);
  if (where < ENTRY_PLAIN) return INFLATE_BAD_SYMBOL;
  const moreDistance: i32 = takeBits((where >> 8) & 0xff);
  if (moreDistance < 0) return INFLATE_TRUNCATED;
  const from: i32 = out - (where >> 16) - moreDistance;
  if (from < i32at(TARGET_AT)) return INFLATE_BAD_DISTANCE;
  if (room < length) return INFLATE_FULL;
  copyForward(out, from, length);
  puti32(OUT_AT, out + length);
  return GO_ON;
}

/** What an entry that is neither literal nor length means for the block. */
function endOf(entry: i32): i32 {
  return entry >> 8 === KIND_END ? BLOCK_END : INFLATE_BAD_SYMBOL;
}

/** Copies byte by byte upwards, so that a copy can repeat what it has just written. */
function copyForward(to: i32, from: i32, n: i32): void {
  if (from + 1 === to) {
    fill(to, get8(from), n);
    return;
  }
  for (let i: i32 = 0; i < n; i++) put8(to + i, get8(from + i));
}

/** Copies n bytes from `distance` below where 512 bytes of room are left, and answers where they end. */
function copyFast(to: i32, distance: i32, n: i32): i32 {
  const end: i32 = to + n;
  let from: i32 = to - distance;
  if (distance < 4) {
    copyForward(to, from, n);
    return end;
  }
  // By words, so up to 7 bytes too many. Most copies are no longer than two words.
  put32(to, get32(from));
  put32(to + 4, get32(from + 4));
  for (let at: i32 = to + 8; at < end; at += 4) {
    put32(at, get32(from + 8));
    from += 4;
  }
  return end;
}

/** Puts the bit buffer and both places back into memory. Answers `result`. */
function leave(hold: i32, bits: i32, at: i32, out: i32, result: i32): i32 {
  puti32(HOLD_AT, hold);
  puti32(BITS_AT, bits & 0xff);
  puti32(IN_AT, at);
  puti32(OUT_AT, out);
  return result;
}

/** Up to n symbols where input and target have room for them: BLOCK_END, GO_ON, or an error. */
function fast(n: i32): i32 {
  let hold: i32 = i32at(HOLD_AT);
  let bits: i32 = i32at(BITS_AT);
  let at: i32 = i32at(IN_AT);
  let out: i32 = i32at(OUT_AT);
  for (let left: i32 = n; left > 0; left--) {
    if ((bits & 0xff) < 16) {
      hold |= u16at(at) << bits;
      at += 2;
      bits += 16;
    }
    let entry: i32 = i32at(LITERAL_TABLE + ((hold & LITERAL_MASK) << 2));
    hold = hold >>> (entry & 31);
    bits = (bits - entry) | 0;
    if (entry < 0) {
      put8(out, entry >> 16);
      out += 1;
      continue;
    }
    if (entry < ENTRY_PLAIN) {
      if (entry < SUBTABLE_FIRST) return leave(hold, bits, at, out, endOf(entry));
      entry = longEntry(LITERAL_SUBTABLES, LITERAL_SUB_BITS, entry, hold >>> LITERAL_INDEX_BITS);
      hold = hold >>> (entry & 31);
      bits = (bits - entry) | 0;
      if (entry < 0) {
        put8(out, entry >> 16);
        out += 1;
        continue;
      }
      if (entry < ENTRY_PLAIN) return leave(hold, bits, at, out, endOf(entry));
    }
    let length: i32 = entry >> 16;
    let extra: i32 = (entry >> 8) & 31;
    if (extra !== 0) {
      if ((bits & 0xff) < 16) {
        hold |= u16at(at) << bits;
        at += 2;
        bits += 16;
      }
      length += hold & ((1 << extra) - 1);
      hold = hold >>> extra;
      bits -= extra;
    }
    if ((bits & 0xff) < 16) {
      hold |= u16at(at) << bits;
      at += 2;
      bits += 16;
    }
    entry = i32at(DISTANCE_TABLE + ((hold & DISTANCE_MASK) << 2));
    if (entry < ENTRY_PLAIN) {
      entry = longEntry(DISTANCE_SUBTABLES, DISTANCE_SUB_BITS, entry, hold >>> DISTANCE_INDEX_BITS);
      if (entry < ENTRY_PLAIN) return INFLATE_BAD_SYMBOL;
    }
    hold = hold >>> (entry & 31);
    bits = (bits - entry) | 0;
    if ((bits & 0xff) < 16) {
      hold |= u16at(at) << bits;
      at += 2;
      bits += 16;
    }
    extra = (entry >> 8) & 31;
    const distance: i32 = (entry >> 16) + (hold & ((1 << extra) - 1));
    hold = (hold >>> extra) | 0;
    bits -= extra;
    if (out - distance < i32at(TARGET_AT)) return INFLATE_BAD_DISTANCE;
    out = copyFast(out, distance, length);
  }
  return leave(hold, bits, at, out, GO_ON);
}
