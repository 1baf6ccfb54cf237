// SHA-512 (FIPS 180-4, section 6.4) of short messages: Ed25519 hashes some hundred bytes with it, for which the
// engine's BigInt is quick enough. Firmware itself is hashed by SHA-256, which the plane does (../core/sha256.ts).

const BLOCK_BYTES = 128;
const ROUNDS = 80;

/** Fractions of the cube roots of the first 80 primes, 64 bits each (section 4.2.3). */
const K =
  '428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc3956c25bf348b53859f111f1b605d019' +
  '923f82a4af194f9bab1c5ed5da6d8118d807aa98a303024212835b0145706fbe243185be4ee4b28c550c7dc3d5ffb4e2' +
  '72be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235c19bf174cf692694e49b69c19ef14ad2efbe4786384f25e3' +
  '0fc19dc68b8cd5b5240ca1cc77ac9c652de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5' +
  '983e5152ee66dfaba831c66d2db43210b00327c898fb213fbf597fc7beef0ee4c6e00bf33da88fc2d5a79147930aa725' +
  '06ca6351e003826f142929670a0e6e7027b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed53380d139d95b3df' +
  '650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353ba2bfe8a14cf10364a81a664bbc423001' +
  'c24b8b70d0f89791c76c51a30654be30d192e819d6ef5218d69906245565a910f40e35855771202a106aa07032bbd1b8' +
  '19a4c116b8d2d0c81e376c085141ab532748774cdf8eeb9934b0bcb5e19b48a8391c0cb3c5c95a634ed8aa4ae3418acb' +
  '5b9cca4f7763e373682e6ff3d6b2b8a3748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec' +
  '90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532bca273eceea26619cd186b8c721c0c207' +
  'eada7dd6cde0eb1ef57d4f7fee6ed17806f067aa72176fba0a637dc5a2c898a6113f9804bef90dae1b710b35131c471b' +
  '28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc431d67c49c100d4c4cc5d4becb3e42b6597f299cfc657e2a' +
  '5fcb6fab3ad6faec6c44198c4a475817';
/** Fractions of the square roots of the first 8 (section 5.3.5). */
const FIRST_STATE =
  '6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1510e527fade682d19b05688c2b3e6c1f' +
  '1f83d9abfb41bd6b5be0cd19137e2179';

function words(hex: string): bigint[] {
  return (hex.match(/.{16}/g) ?? []).map(word => BigInt(`0x${word}`));
}

const MASK = 2n ** 64n - 1n;
/** Not BigInt.asUintN(): the engine answers a negative number for the upper half of 64 bits. */
const wrap = (value: bigint): bigint => value & MASK;
const rotate = (x: bigint, by: bigint): bigint => wrap((x >> by) | (x << (64n - by)));

/** The hash of some parts, one behind the other: 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const k = words(K);
  let state = words(FIRST_STATE);
  const message = padded(parts);
  const view = new DataView(message.buffer);
  for (let at = 0; at < message.length; at += BLOCK_BYTES) state = block(state, schedule(view, at), k);
  const hash = new Uint8Array(64);
  const out = new DataView(hash.buffer);
  for (const [i, word] of state.entries()) out.setBigUint64(8 * i, word);
  return hash;
}

/** The message, a one bit, zeros, and the length in bits, whole blocks (section 5.1.2). */
function padded(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const message = new Uint8Array(Math.ceil((length + 17) / BLOCK_BYTES) * BLOCK_BYTES);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  message[length] = 0x80;
  new DataView(message.buffer).setUint32(message.length - 4, 8 * length);
  return message;
}

function schedule(view: DataView, at: number): bigint[] {
  const w = Array.from({ length: 16 }, (_, i) => view.getBigUint64(at + 8 * i));
  for (let i = 16; i < ROUNDS; i++) {
    const [x, y] = [w[i - 15] as bigint, w[i - 2] as bigint];
    const s0 = rotate(x, 1n) ^ rotate(x, 8n) ^ (x >> 7n);
    const s1 = rotate(y, 19n) ^ rotate(y, 61n) ^ (y >> 6n);
    w.push(wrap((w[i - 16] as bigint) + s0 + (w[i - 7] as bigint) + s1));
  }
  return w;
}

function block(state: readonly bigint[], w: readonly bigint[], k: readonly bigint[]): bigint[] {
  let [a, b, c, d, e, f, g, h] = state as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  for (let i = 0; i < ROUNDS; i++) {
    const s1 = rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n);
    const t1 = h + s1 + ((e & f) ^ (g & ~e)) + (k[i] as bigint) + (w[i] as bigint);
    const s0 = rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, wrap(d + t1), c, b, a, wrap(t1 + t2)];
  }
  return [a, b, c, d, e, f, g, h].map((value, i) => wrap(value + (state[i] as bigint)));
}
