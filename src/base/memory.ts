// Access to the plane's memory, JavaScript's body. AssemblyScript's body is memory.as.ts: same names, same
// results; all other files of the plane have one body. Addresses are offsets from PLANE_BASE.
//
// get/put: fields of packets, network byte order, any alignment.
// i32at/puti32, u16at/putu16: fields of tables, the machine's (little-endian) order, naturally aligned.
//
// In QuickJS a method call of DataView costs 680 instructions of the processor, an access to a typed array 220,
// so four bytes are read by the one and two bytes by the others.

let bytes: Uint8Array = new Uint8Array(0);
let halves: Uint16Array = new Uint16Array(0);
let words: Int32Array = new Int32Array(0);
let view: DataView = new DataView(new ArrayBuffer(0));
/** QuickJS finds a variable of the bundle sooner than a global one's property. */
const imul: (a: number, b: number) => number = Math.imul;

/** Says which buffer is the plane's memory: PLANE_BYTES from PLANE_BASE on. Once, before all else. */
export function attach(buffer: ArrayBufferLike, offset: number, length: number): void {
  bytes = new Uint8Array(buffer, offset, length);
  halves = new Uint16Array(buffer, offset, length >> 1);
  words = new Int32Array(buffer, offset, length >> 2);
  view = new DataView(buffer, offset, length);
}

export function get8(p: i32): i32 {
  return bytes[p] as number;
}

export function put8(p: i32, value: i32): void {
  bytes[p] = value;
}

export function get16(p: i32): i32 {
  return ((bytes[p] as number) << 8) | (bytes[p + 1] as number);
}

export function put16(p: i32, value: i32): void {
  bytes[p] = value >> 8;
  bytes[p + 1] = value;
}

export function get32(p: i32): i32 {
  return view.getInt32(p);
}

export function put32(p: i32, value: i32): void {
  view.setInt32(p, value);
}

export function u16at(p: i32): i32 {
  return halves[p >> 1] as number;
}

export function putu16(p: i32, value: i32): void {
  halves[p >> 1] = value;
}

export function i32at(p: i32): i32 {
  return words[p >> 2] as number;
}

export function puti32(p: i32, value: i32): void {
  words[p >> 2] = value;
}

/** Copies n bytes; the ranges may overlap. */
export function copy(to: i32, from: i32, n: i32): void {
  bytes.copyWithin(to, from, from + n);
}

/** Sets n bytes to one value. */
export function fill(p: i32, value: i32, n: i32): void {
  bytes.fill(value, p, p + n);
}

/**
 * The ones' complement sum of the ten halves at `p`, a multiple of four, in the order of bytes that the machine has: 0xffff or
 * 0x1fffe where that is 0 (RFC 1071, 2B).
 */
export function sumOfTen(p: i32): i32 {
  const at: i32 = p >> 1;
  let total: i32 =
    (halves[at] as number) +
    (halves[at + 1] as number) +
    (halves[at + 2] as number) +
    (halves[at + 3] as number) +
    (halves[at + 4] as number);
  total +=
    (halves[at + 5] as number) +
    (halves[at + 6] as number) +
    (halves[at + 7] as number) +
    (halves[at + 8] as number) +
    (halves[at + 9] as number);
  return (total & 0xffff) + (total >>> 16);
}

/** The low 32 bits of a product. */
export function multiply(a: i32, b: i32): i32 {
  return imul(a, b);
}
