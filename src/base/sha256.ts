// SHA-256 (FIPS 180-4, section 6.2.2) and the inner loop of PBKDF2-HMAC-SHA-256 (RFC 8018, section 5.2): a slow hash
// wants to be counted in rounds per second of this machine, and JavaScript makes a twentieth of them.
// Not here: the constants, padding and what is hashed (src/control/access/pbkdf2.ts), which writes them into HASH_AT.
//
//    0     K, 64 words             512   chaining value behind the HMAC key's inner pad
//    256   W, 64 words             544   the same behind the outer pad
//    576   block: U, then the padding of a message of 96 bytes
//    640   T, the exclusive or of all U, 8 words
//    672   working state, 8 words

import { HASH_AT } from './limits.ts';
import { copy, get32, i32at, put32, puti32 } from './memory.ts';

export const HASH_W: i32 = HASH_AT + 256;
export const HASH_INNER: i32 = HASH_AT + 512;
export const HASH_OUTER: i32 = HASH_AT + 544;
export const HASH_BLOCK: i32 = HASH_AT + 576;
export const HASH_SUM: i32 = HASH_AT + 640;
export const HASH_STATE: i32 = HASH_AT + 672;
const STATE_BYTES: i32 = 32;

/** Takes the block at HASH_BLOCK into a state of 8 words. */
export function sha256Block(state: i32): void {
  schedule();
  let a: i32 = i32at(state);
  let b: i32 = i32at(state + 4);
  let c: i32 = i32at(state + 8);
  let d: i32 = i32at(state + 12);
  let e: i32 = i32at(state + 16);
  let f: i32 = i32at(state + 20);
  let g: i32 = i32at(state + 24);
  let h: i32 = i32at(state + 28);
  for (let i: i32 = 0; i < 256; i += 4) {
    const s1: i32 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1: i32 = (h + s1 + ((e & f) ^ (~e & g)) + i32at(HASH_AT + i) + i32at(HASH_W + i)) | 0;
    const s0: i32 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2: i32 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  puti32(state, (i32at(state) + a) | 0);
  puti32(state + 4, (i32at(state + 4) + b) | 0);
  puti32(state + 8, (i32at(state + 8) + c) | 0);
  puti32(state + 12, (i32at(state + 12) + d) | 0);
  puti32(state + 16, (i32at(state + 16) + e) | 0);
  puti32(state + 20, (i32at(state + 20) + f) | 0);
  puti32(state + 24, (i32at(state + 24) + g) | 0);
  puti32(state + 28, (i32at(state + 28) + h) | 0);
}

/** The message schedule of the block. */
function schedule(): void {
  for (let i: i32 = 0; i < 64; i += 4) puti32(HASH_W + i, get32(HASH_BLOCK + i));
  for (let i: i32 = 64; i < 256; i += 4) {
    const x: i32 = i32at(HASH_W + i - 60);
    const y: i32 = i32at(HASH_W + i - 8);
    const s0: i32 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1: i32 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    puti32(HASH_W + i, (i32at(HASH_W + i - 64) + s0 + i32at(HASH_W + i - 28) + s1) | 0);
  }
}

/** So many rounds of PBKDF2: U = HMAC(password, U), T = T xor U. */
export function pbkdf2Rounds(count: i32): void {
  for (let n: i32 = 0; n < count; n++) {
    half(HASH_INNER);
    half(HASH_OUTER);
    for (let i: i32 = 0; i < STATE_BYTES; i += 4) {
      puti32(HASH_SUM + i, i32at(HASH_SUM + i) ^ i32at(HASH_STATE + i));
    }
  }
}

/** Half an HMAC: the block's hash behind a pad, back into the block. */
function half(pad: i32): void {
  copy(HASH_STATE, pad, STATE_BYTES);
  sha256Block(HASH_STATE);
  for (let i: i32 = 0; i < STATE_BYTES; i += 4) put32(HASH_BLOCK + i, i32at(HASH_STATE + i));
}
