// SHA-256 for control (FIPS 180-4, sections 4.2.2, 5, 6.2): the constants, and hashing bytes as they come. The plane does
// the work, a block a call (src/base/sha256.ts), and has one place for it, HASH_AT: jobs of the console use it in turn.
// Not here: the password's slow hash (../access/pbkdf2.ts).

import { HASH_AT } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { HASH_BLOCK, HASH_STATE } from '../../base/sha256.ts';
import type { Machine } from './machine.ts';

export const SHA256_BYTES = 32;
const BLOCK_BYTES = 64;

/** Fractions of the cube roots of the first 64 primes. */
const K =
  '428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5d807aa9812835b01243185be550c7dc3' +
  '72be5d7480deb1fe9bdc06a7c19bf174e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da' +
  '983e5152a831c66db00327c8bf597fc7c6e00bf3d5a7914706ca63511429296727b70a852e1b21384d2c6dfc53380d13' +
  '650a7354766a0abb81c2c92e92722c85a2bfe8a1a81a664bc24b8b70c76c51a3d192e819d6990624f40e3585106aa070' +
  '19a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3748f82ee78a5636f84c878148cc70208' +
  '90befffaa4506cebbef9a3f7c67178f2';
/** Fractions of the square roots of the first 8. */
export const FIRST_STATE = '6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19';

export function putWords(at: number, hex: string): void {
  for (let i = 0; i < hex.length; i += 8) puti32(at + i / 2, Number.parseInt(hex.slice(i, i + 8), 16) | 0);
}

/** The plane keeps them no longer than it is used. */
export function putConstants(): void {
  putWords(HASH_AT, K);
}

/** A hash of bytes that come in pieces. Its state is kept here, so that the plane's place may be used in between. */
export class Sha256 {
  private readonly state = new Uint8Array(SHA256_BYTES);
  private readonly block = new Uint8Array(BLOCK_BYTES);
  private filled = 0;
  private length = 0;

  constructor(private readonly machine: Machine) {
    putWords(HASH_STATE, FIRST_STATE);
    this.state.set(machine.memory.subarray(HASH_STATE, HASH_STATE + SHA256_BYTES));
  }

  take(bytes: Uint8Array): void {
    const { machine, state, block } = this;
    const { memory, plane } = machine;
    putConstants();
    memory.set(state, HASH_STATE);
    this.length += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(BLOCK_BYTES - this.filled, bytes.length - at);
      block.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled < BLOCK_BYTES) break;
      this.filled = 0;
      memory.set(block, HASH_BLOCK);
      plane.sha256Block(HASH_STATE);
    }
    state.set(memory.subarray(HASH_STATE, HASH_STATE + SHA256_BYTES));
  }

  /** The hash of all that came; then it is over. */
  finish(): Uint8Array {
    const bits = this.length * 8;
    const padding = new Uint8Array(((BLOCK_BYTES + 55 - (this.length % BLOCK_BYTES)) % BLOCK_BYTES) + 9);
    padding[0] = 0x80;
    new DataView(padding.buffer).setUint32(padding.length - 4, bits);
    this.take(padding);
    const hash = new Uint8Array(SHA256_BYTES);
    const out = new DataView(hash.buffer);
    for (let i = 0; i < SHA256_BYTES; i += 4) out.setInt32(i, i32at(HASH_STATE + i));
    return hash;
  }
}
