// A hash that nobody outside can foresee: HalfSipHash-2-4 (J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast
// short-input PRF", 2012; the variant of 32-bit words from its reference code) under a key drawn when it is first used.
// For what strangers must neither make collide (names in the DNS cache) nor guess (the first sequence numbers of src/plane/local/tcp-local.ts).
//
//    KEYED_HASH_AT    key: two words | whether it has been drawn
//    KEYED_TEXT_AT    room for a text that does not lie in the plane's memory

import { freshenEntropy, random32 } from './entropy.ts';
import { KEYED_HASH_AT, KEYED_HASH_BYTES, KEYED_TEXT_AT, KEYED_TEXT_BYTES } from './limits.ts';
import { fill, get8, i32at, put32, puti32 } from './memory.ts';

const DRAWN_AT: i32 = KEYED_HASH_AT + 8;
/** Rounds of a word, and of the end. */
const WORD_ROUNDS: i32 = 2;
const END_ROUNDS: i32 = 4;

export function resetKeyedHash(): void {
  fill(KEYED_HASH_AT, 0, KEYED_HASH_BYTES + KEYED_TEXT_BYTES);
}

/** 32 bits of up to KEYED_TEXT_BYTES bytes at `at`. With `fold` 1 capital letters count as small ones. */
export function keyedHash(at: i32, bytes: i32, fold: i32): i32 {
  if (i32at(DRAWN_AT) === 0) drawKey();
  const count: i32 = bytes < KEYED_TEXT_BYTES ? bytes : KEYED_TEXT_BYTES;
  const k0: i32 = i32at(KEYED_HASH_AT);
  const k1: i32 = i32at(KEYED_HASH_AT + 4);
  const whole: i32 = count >> 2;
  let v0: i32 = k0;
  let v1: i32 = k1;
  let v2: i32 = k0 ^ 0x6c796765;
  let v3: i32 = k1 ^ 0x74656462;
  for (let i: i32 = 0; i <= whole + 1; i++) {
    // The whole words, the rest under the length, and the end.
    let word: i32 = 0;
    let rounds: i32 = WORD_ROUNDS;
    if (i <= whole) {
      word = wordAt(at + 4 * i, i < whole ? 4 : count & 3, fold);
      if (i === whole) word |= count << 24;
      v3 ^= word;
    } else {
      v2 ^= 0xff;
      rounds = END_ROUNDS;
    }
    for (let round: i32 = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  return v1 ^ v3;
}

/** The same of five words, which need not lie anywhere. */
export function keyedHash5(a: i32, b: i32, c: i32, d: i32, e: i32): i32 {
  put32(KEYED_TEXT_AT, a);
  put32(KEYED_TEXT_AT + 4, b);
  put32(KEYED_TEXT_AT + 8, c);
  put32(KEYED_TEXT_AT + 12, d);
  put32(KEYED_TEXT_AT + 16, e);
  return keyedHash(KEYED_TEXT_AT, 20, 0);
}

/** Up to four bytes as the hash reads them, the first the lowest. */
function wordAt(at: i32, bytes: i32, fold: i32): i32 {
  let word: i32 = 0;
  for (let i: i32 = 0; i < 4; i++) {
    if (i < bytes) {
      let byte: i32 = get8(at + i);
      if (fold !== 0 && byte >= 65 && byte <= 90) byte += 32;
      word |= byte << (8 * i);
    }
  }
  return word;
}

function drawKey(): void {
  freshenEntropy();
  puti32(KEYED_HASH_AT, random32());
  puti32(KEYED_HASH_AT + 4, random32());
  puti32(DRAWN_AT, 1);
}
