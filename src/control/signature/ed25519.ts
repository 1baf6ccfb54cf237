// Ed25519: is a signature good? RFC 8032, section 5.1.7, by the equation without cofactor: [S]B = R + [k]A, computed as
// [S]B + [k](-A) and compared with the bytes of R, so that R needs no decoding and only its canonical form passes.
// Refused beside that: S that is not below the group's order (section 5.1.7, step 1; else a second signature could be
// made of each), a key that is no point, is not written canonically, or has a small order (it would sign anything).
//
// All that is computed here is public, so nothing has to take the same time; but each loop has a constant bound. A point
// is X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z (section 5.1.4, from where the formulas are).
// Not here: signing, which the host does (image/signing.ts).

import { sha512 } from './sha512.ts';

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** The field's prime 2^255 - 19, the order of B, and the curve's d, doubled too. */
const P_BITS = 255n;
const P = 2n ** P_BITS - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
const D2 = (2n * D) % P;
/** 2^((p-1)/4), a root of -1. */
const ROOT = 0x2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0n;
const B_X = 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an;
const B_Y = 0x6666666666666666666666666666666666666666666666666666666666666658n;
const SCALAR_BITS = 253;
/** Bits of both scalars between two pauses: some 10 ms of a 486. */
const BITS_AT_ONCE = 2;

interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const NEUTRAL: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
const MASK = 2n ** P_BITS - 1n;

/** The residue of a product of residues: 2^255 is 19, so the upper half goes to the lower one without a division. */
function mod(value: bigint): bigint {
  const once = (value & MASK) + 19n * (value >> P_BITS);
  return once % P;
}

function double(p: Point): Point {
  const a = mod(p.x * p.x);
  const b = mod(p.y * p.y);
  const h = a + b;
  const e = mod(h - (p.x + p.y) * (p.x + p.y) + 4n * P * P);
  const g = P + a - b;
  const f = 2n * mod(p.z * p.z) + g;
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function add(p: Point, q: Point): Point {
  const a = mod((p.y - p.x + P) * (q.y - q.x + P));
  const b = mod((p.y + p.x) * (q.y + q.x));
  const c = mod(mod(p.t * q.t) * D2);
  const d = 2n * mod(p.z * q.z);
  const [e, f, g, h] = [b - a + P, d - c + P, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function affine(x: bigint, y: bigint): Point {
  return { x, y, z: 1n, t: mod(x * y) };
}

function squared(x: bigint, times: number): bigint {
  let value = x;
  for (let i = 0; i < times; i++) value = mod(value * value);
  return value;
}

/** x to the power of 2^250 - 1, and x^11: what both powers below begin with. */
function powers(x: bigint): [long: bigint, eleventh: bigint] {
  const x2 = mod(x * x);
  const x9 = mod(squared(x2, 2) * x);
  const x11 = mod(x9 * x2);
  // From here on, name n is x^(2^n - 1).
  const n5 = mod(mod(x11 * x11) * x9);
  const n10 = mod(squared(n5, 5) * n5);
  const n20 = mod(squared(n10, 10) * n10);
  const n40 = mod(squared(n20, 20) * n20);
  const n50 = mod(squared(n40, 10) * n10);
  const n100 = mod(squared(n50, 50) * n50);
  const n200 = mod(squared(n100, 100) * n100);
  return [mod(squared(n200, 50) * n50), x11];
}

/** 1/x, which is x^(p-2). */
function inverse(x: bigint): bigint {
  const [long, eleventh] = powers(x);
  return mod(squared(long, 5) * eleventh);
}

/** The point of 32 bytes, or undefined if they are none (section 5.1.3). */
function decode(bytes: Uint8Array): Point | undefined {
  const encoded = littleEndian(bytes);
  const y = encoded & MASK;
  const isOdd = encoded >> P_BITS;
  if (y >= P) return undefined;
  const y2 = mod(y * y);
  const [u, v] = [mod(y2 - 1n + P), mod(D * y2) + 1n];
  const v3 = mod(mod(v * v) * v);
  const [long] = powers(mod(u * mod(v3 * mod(v3 * v))));
  // (u/v)^((p+3)/8) is u v^3 (u v^7)^((p-5)/8), and (p-5)/8 is 2^252 - 3.
  let x = mod(mod(u * v3) * mod(squared(long, 2) * mod(u * mod(v3 * mod(v3 * v)))));
  const check = mod(v * mod(x * x));
  if (check !== u) {
    if (check !== mod(P - u)) return undefined;
    x = mod(x * ROOT);
  }
  if (x === 0n && isOdd === 1n) return undefined;
  return affine((x & 1n) === isOdd ? x : P - x, y);
}

function encode(p: Point): bigint {
  const z = inverse(p.z);
  return mod(p.y * z) | ((mod(p.x * z) & 1n) << P_BITS);
}

function littleEndian(bytes: Uint8Array): bigint {
  let hex = '';
  for (let i = bytes.length - 1; i >= 0; i--) hex += (bytes[i] as number).toString(16).padStart(2, '0');
  return BigInt(`0x${hex}`);
}

/** 8 p is neutral. */
function hasSmallOrder(p: Point): boolean {
  const eight = double(double(double(p)));
  return eight.x === 0n && eight.y === eight.z;
}

/** Whether a key has signed a message: a job, as it takes about a second of a 486. */
export function* verify(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Generator<number, boolean, void> {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const r = signature.subarray(0, KEY_BYTES);
  const s = littleEndian(signature.subarray(KEY_BYTES));
  if (s >= L) return false;
  const a = decode(key);
  if (a === undefined || hasSmallOrder(a)) return false;
  yield 0;
  const k = littleEndian(sha512(r, key, message)) % L;
  yield 0;
  const base = affine(B_X, B_Y);
  const minusA = affine(mod(P - a.x), a.y);
  const both = add(base, minusA);
  let sum = NEUTRAL;
  for (let bit = SCALAR_BITS - 1; bit >= 0; bit--) {
    sum = double(sum);
    const at = BigInt(bit);
    const [withBase, withA] = [(s >> at) & 1n, (k >> at) & 1n];
    if (withBase === 1n) sum = add(sum, withA === 1n ? both : base);
    else if (withA === 1n) sum = add(sum, minusA);
    if (bit % BITS_AT_ONCE === 0) yield 0;
  }
  return encode(sum) === littleEndian(r);
}
