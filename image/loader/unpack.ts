// Unpacks an LZ4 block (lz4_Block_format.md of the lz4 project) from memory to memory: the loader the kernel, the
// kernel the heap snapshot. Every length is checked: damaged input yields an error, never a read or a write outside
// of its ranges. Packing: image/pack.ts.
//
//     token: literals << 4 | match - 4     a 15 goes on in bytes that are added, up to one that is not 255
//     | token | more literals | literals | offset, 2 bytes, low first | more match |   the last has literals only
//
// A restart of control waits for this, so what most sequences are, short, is copied by double words without a loop:
// up to 15 bytes too many, where input and target have room for them. What is left goes the careful way.

import { UNPACK_AT } from '../../src/base/layout.ts';
import { copy, fill, get8, get16, get32, i32at, put8, put32, puti32 } from '../../src/base/memory.ts';
import { clockPoll } from './machine.ts';

export const UNPACK_TRUNCATED: i32 = -1;
/** The target is full and the input goes on. */
export const UNPACK_FULL: i32 = -2;
/** A copy from before the target's start, or of what is not yet written. */
export const UNPACK_BAD_OFFSET: i32 = -3;

/** Where the next sequence is read. The place in the target is what the functions answer. */
const IN_AT: i32 = UNPACK_AT;

/** A nibble of the token that goes on. */
const MORE: i32 = 15;
const MATCH_LEAST: i32 = 4;
/** A byte of length behind which another follows. */
const FULL_BYTE: i32 = 255;
/** What a sequence with one further byte to each length reads and writes at most, with what is copied too many. */
const QUICK_IN: i32 = 4 + MORE + FULL_BYTE + 16;
const QUICK_OUT: i32 = MATCH_LEAST + 2 * (MORE + FULL_BYTE) + 16;
/** Input between two looks at the clock: some 1,400 sequences at most, 2 ms on a 486, if they are short. */
const STRETCH_BYTES: i32 = 4096;

/** Unpacks `sourceLength` bytes. Answers how many were written, or one of UNPACK_*, which are below 0. */
export function unpack(source: i32, sourceLength: i32, target: i32, targetLength: i32): i32 {
  const inEnd: i32 = source + sourceLength;
  const outEnd: i32 = target + targetLength;
  let out: i32 = target;
  puti32(IN_AT, source);
  // Each turn takes a byte at least.
  while (i32at(IN_AT) < inEnd) {
    const stretchEnd: i32 = min(i32at(IN_AT) + STRETCH_BYTES, inEnd);
    while (i32at(IN_AT) < stretchEnd) {
      out = quick(min(stretchEnd, inEnd - QUICK_IN), target, out, outEnd - QUICK_OUT);
      if (i32at(IN_AT) < stretchEnd) out = sequence(inEnd, target, out, outEnd);
      if (out < 0) return out;
    }
    clockPoll();
  }
  return out - target;
}

function min(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

/** Sequences as long as they are quick and there is room. Answers where the target stands. */
function quick(inEnd: i32, target: i32, begin: i32, outEnd: i32): i32 {
  let at: i32 = i32at(IN_AT);
  let out: i32 = begin;
  while (at < inEnd && out < outEnd) {
    const token: i32 = get8(at);
    let next: i32 = at + 1;
    let literals: i32 = token >> 4;
    if (literals !== 0) {
      if (literals === MORE) {
        literals = get8(next);
        if (literals === FULL_BYTE) break;
        literals += MORE;
        next += 1;
        for (let i: i32 = 8; i < literals; i += 4) put32(out + i, get32(next + i));
      } else if (literals > 8) {
        put32(out + 8, get32(next + 8));
        put32(out + 12, get32(next + 12));
      }
      put32(out, get32(next));
      put32(out + 4, get32(next + 4));
      next += literals;
    }
    const to: i32 = out + literals;
    const offset: i32 = littleEndian(get16(next));
    const from: i32 = to - offset;
    // Nearer than a double word the copy repeats what it has just written.
    if (offset < 4 || from < target) break;
    let match: i32 = token & 15;
    put32(to, get32(from));
    put32(to + 4, get32(from + 4));
    if (match > 8 - MATCH_LEAST) {
      put32(to + 8, get32(from + 8));
      put32(to + 12, get32(from + 12));
      put32(to + 16, get32(from + 16));
      if (match === MORE) {
        match = get8(next + 2);
        if (match === FULL_BYTE) break;
        match += MORE;
        next += 1;
        for (let i: i32 = 20; i < match + MATCH_LEAST; i += 4) put32(to + i, get32(from + i));
      }
    }
    at = next + 2;
    out = to + match + MATCH_LEAST;
  }
  puti32(IN_AT, at);
  return out;
}

/** Both compilers' one access to two bytes is in network order. On the 486 the two swaps cancel. */
function littleEndian(half: i32): i32 {
  return ((half & 0xff) << 8) | (half >> 8);
}

/** One sequence, everything checked. Answers where the target stands, or UNPACK_*. */
function sequence(inEnd: i32, target: i32, begin: i32, outEnd: i32): i32 {
  const token: i32 = get8(i32at(IN_AT));
  puti32(IN_AT, i32at(IN_AT) + 1);
  const literals: i32 = lengthOf(token >> 4, inEnd);
  const at: i32 = i32at(IN_AT);
  if (literals < 0 || inEnd - at < literals) return UNPACK_TRUNCATED;
  if (outEnd - begin < literals) return UNPACK_FULL;
  copy(begin, at, literals);
  const out: i32 = begin + literals;
  const next: i32 = at + literals;
  puti32(IN_AT, next);
  if (next === inEnd) return out;
  if (inEnd - next < 2) return UNPACK_TRUNCATED;
  const offset: i32 = littleEndian(get16(next));
  puti32(IN_AT, next + 2);
  const match: i32 = lengthOf(token & 15, inEnd);
  if (match < 0) return UNPACK_TRUNCATED;
  if (offset === 0 || offset > out - target) return UNPACK_BAD_OFFSET;
  if (outEnd - out - MATCH_LEAST < match) return UNPACK_FULL;
  copyMatch(out, offset, match + MATCH_LEAST);
  return out + match + MATCH_LEAST;
}

/** A length whose nibble in the token is given; -1 when the input ends in it, or it is longer than any. */
function lengthOf(nibble: i32, inEnd: i32): i32 {
  if (nibble !== MORE) return nibble;
  let length: i32 = nibble;
  let at: i32 = i32at(IN_AT);
  let more: i32 = FULL_BYTE;
  while (more === FULL_BYTE) {
    if (at >= inEnd) return -1;
    more = get8(at);
    at += 1;
    length = (length + more) | 0;
  }
  puti32(IN_AT, at);
  return length;
}

/** Copies n bytes from `offset` below, upwards, so that a copy can repeat what it has just written. */
function copyMatch(to: i32, offset: i32, n: i32): void {
  const from: i32 = to - offset;
  if (offset >= n) {
    copy(to, from, n);
    return;
  }
  if (offset === 1) {
    fill(to, get8(from), n);
    return;
  }
  const words: i32 = offset < 4 ? 0 : n & ~3;
  for (let i: i32 = 0; i < words; i += 4) put32(to + i, get32(from + i));
  for (let i: i32 = words; i < n; i++) put8(to + i, get8(from + i));
}
