// Access to the plane's memory as src/base/memory.ts, but each one is checked: addresses inside the plane's
// memory and past PLANE_FIRST, or in what the heap has lent, fields of tables on multiples of their size, values whole and of 32 bits.
// A slip that the typed arrays forgive, and that WebAssembly would carry out elsewhere, is an exception here.

import { PLANE_END, PLANE_FIRST } from '../../src/base/limits.ts';

let view = new DataView(new ArrayBuffer(0));
let bytes = new Uint8Array(0);

export function attach(buffer: ArrayBuffer, offset: number, length: number): void {
  view = new DataView(buffer, offset, length);
  bytes = new Uint8Array(buffer, offset, length);
}

let lent: readonly (readonly [from: number, to: number])[] = [];

/** Memory that the heap has lent to the plane from now on; it has no other behind PLANE_END. */
export function lend(parts: readonly (readonly [from: number, to: number])[]): void {
  lent = parts;
}

function check(p: number, width: number, alignment: number): void {
  const isOwn = p >= PLANE_FIRST && p + width <= PLANE_END;
  const isThere = isOwn || lent.some(([from, to]) => p >= from && p + width <= to);
  if (!Number.isInteger(p) || !isThere || p % alignment !== 0) {
    throw new RangeError(`Wild access: ${width} bytes at ${p}`);
  }
}

function checkValue(value: number): void {
  if ((value | 0) !== value || Object.is(value, -0)) throw new RangeError(`Not an i32: ${value}`);
}

export function get8(p: number): number {
  check(p, 1, 1);
  return view.getUint8(p);
}

export function put8(p: number, value: number): void {
  check(p, 1, 1);
  checkValue(value);
  view.setUint8(p, value);
}

export function get16(p: number): number {
  check(p, 2, 1);
  return view.getUint16(p);
}

export function put16(p: number, value: number): void {
  check(p, 2, 1);
  checkValue(value);
  view.setUint16(p, value);
}

export function get32(p: number): number {
  check(p, 4, 1);
  return view.getInt32(p);
}

export function put32(p: number, value: number): void {
  check(p, 4, 1);
  checkValue(value);
  view.setInt32(p, value);
}

export function u16at(p: number): number {
  check(p, 2, 2);
  return view.getUint16(p, true);
}

export function putu16(p: number, value: number): void {
  check(p, 2, 2);
  checkValue(value);
  view.setUint16(p, value, true);
}

export function i32at(p: number): number {
  check(p, 4, 4);
  return view.getInt32(p, true);
}

export function sumOfTen(p: number): number {
  check(p, 20, 4);
  let total = 0;
  for (let i = 0; i < 10; i++) total += view.getUint16(p + 2 * i, true);
  return (total & 0xffff) + (total >>> 16);
}

export function puti32(p: number, value: number): void {
  check(p, 4, 4);
  checkValue(value);
  view.setInt32(p, value, true);
}

/** A length of 0 is allowed anywhere, as for memory.copy; a negative one nowhere. */
function checkRange(p: number, n: number): void {
  checkValue(n);
  if (n !== 0) check(p, n < 0 ? Number.POSITIVE_INFINITY : n, 1);
}

export function copy(to: number, from: number, n: number): void {
  checkRange(to, n);
  checkRange(from, n);
  bytes.copyWithin(to, from, from + n);
}

export function fill(p: number, value: number, n: number): void {
  checkRange(p, n);
  bytes.fill(value, p, p + n);
}

export function multiply(a: number, b: number): number {
  checkValue(a);
  checkValue(b);
  return Math.imul(a, b);
}
