// PBKDF2 with HMAC-SHA-256, one block of 32 bytes (RFC 8018, section 5.2; RFC 2104; FIPS 180-4, sections 4.2.2, 5).
// The plane does the work (src/base/sha256.ts); here are padding and pauses. Constants: ../core/sha256.ts.

import { HASH_AT, HASH_BYTES } from '../../base/limits.ts';
import { fill, i32at, put8, put32, puti32 } from '../../base/memory.ts';
import { HASH_BLOCK, HASH_INNER, HASH_OUTER, HASH_STATE, HASH_SUM } from '../../base/sha256.ts';
import { hex } from '../core/address.ts';
import type { Plane } from '../core/machine.ts';
import { FIRST_STATE, putConstants, putWords } from '../core/sha256.ts';

/** The key of HMAC is not hashed first: it is one block at most. */
export const PASSWORD_MOST = 64;
export const SALT_BYTES = 16;
/** Rounds of one call: interrupts are off meanwhile. */
const ROUNDS_AT_ONCE = 1;
/** Calls between two pauses for the rest of control. */
const CALLS_AT_ONCE = 16;
const STATE_BYTES = 32;

/** Fills the block with a text and zeros. */
function putText(text: string): void {
  fill(HASH_BLOCK, 0, 64);
  for (let i = 0; i < text.length; i++) put8(HASH_BLOCK + i, text.charCodeAt(i));
}

/** Ends the message in the block, of `used` bytes here and a block before it. */
function pad(used: number): void {
  put8(HASH_BLOCK + used, 0x80);
  fill(HASH_BLOCK + used + 1, 0, 63 - used);
  put32(HASH_BLOCK + 60, 8 * (64 + used));
}

/** The state behind a block of the key with a pad. */
function keyed(plane: Plane, password: string, mask: number, state: number): void {
  putText(password);
  for (let i = 0; i < 64; i++) put8(HASH_BLOCK + i, (password.charCodeAt(i) || 0) ^ mask);
  putWords(state, FIRST_STATE);
  plane.sha256Block(state);
}

/** Hashes the block behind a pad, and puts the hash into it. */
function half(plane: Plane, before: number): void {
  for (let i = 0; i < STATE_BYTES; i += 4) puti32(HASH_STATE + i, i32at(before + i));
  plane.sha256Block(HASH_STATE);
  for (let i = 0; i < STATE_BYTES; i += 4) put32(HASH_BLOCK + i, i32at(HASH_STATE + i));
  pad(STATE_BYTES);
}

/** The hash of a password in hexadecimal, by a job that gives way to all else. Nobody else may use HASH_AT. */
export function* pbkdf2(
  plane: Plane,
  password: string,
  salt: string,
  iterations: number,
): Generator<number, string, void> {
  try {
    return yield* derive(plane, password, salt, iterations);
  } finally {
    // Keys and sums do not stay in memory that others can show, even if ^C ends this.
    fill(HASH_AT, 0, HASH_BYTES);
  }
}

function* derive(
  plane: Plane,
  password: string,
  salt: string,
  iterations: number,
): Generator<number, string, void> {
  putConstants();
  keyed(plane, password, 0x36, HASH_INNER);
  keyed(plane, password, 0x5c, HASH_OUTER);
  const bytes = (salt.match(/../g) ?? [])
    .map(pair => String.fromCharCode(Number.parseInt(pair, 16)))
    .join('');
  putText(`${bytes}\0\0\0\x01`);
  pad(bytes.length + 4);
  half(plane, HASH_INNER);
  half(plane, HASH_OUTER);
  for (let i = 0; i < STATE_BYTES; i += 4) puti32(HASH_SUM + i, i32at(HASH_STATE + i));
  let left = iterations - 1;
  while (left > 0) {
    for (let call = 0; call < CALLS_AT_ONCE && left > 0; call++) {
      plane.pbkdf2Rounds(Math.min(left, ROUNDS_AT_ONCE));
      left -= ROUNDS_AT_ONCE;
    }
    yield 0;
  }
  let hash = '';
  for (let i = 0; i < STATE_BYTES; i += 4) hash += hex(i32at(HASH_SUM + i), 8);
  return hash;
}
