// Access to the plane's memory, AssemblyScript's body of memory.ts: what is said there holds here.
// PLANE_BASE goes into the offset of each instruction, so that it costs nothing.
import { PLANE_BASE } from "./limits";

export function attach(_buffer: i32, _offset: i32, _length: i32): void {}
// @ts-ignore: decorator
@inline export function get8(p: i32): i32 { return load<u8>(p, PLANE_BASE) as i32; }
// @ts-ignore: decorator
@inline export function put8(p: i32, value: i32): void { store<u8>(p, value as u8, PLANE_BASE); }
// @ts-ignore: decorator
@inline export function get16(p: i32): i32 { const x: i32 = load<u16>(p, PLANE_BASE) as i32; return ((x & 0xff) << 8) | (x >>> 8); }
// @ts-ignore: decorator
@inline export function put16(p: i32, value: i32): void { store<u16>(p, (((value & 0xff) << 8) | ((value >>> 8) & 0xff)) as u16, PLANE_BASE); }
// @ts-ignore: decorator
@inline export function get32(p: i32): i32 { return bswap<i32>(load<i32>(p, PLANE_BASE)); }
// @ts-ignore: decorator
@inline export function put32(p: i32, value: i32): void { store<i32>(p, bswap<i32>(value), PLANE_BASE); }
// @ts-ignore: decorator
@inline export function u16at(p: i32): i32 { return load<u16>(p, PLANE_BASE) as i32; }
// @ts-ignore: decorator
@inline export function putu16(p: i32, value: i32): void { store<u16>(p, value as u16, PLANE_BASE); }
// @ts-ignore: decorator
@inline export function i32at(p: i32): i32 { return load<i32>(p, PLANE_BASE); }
// @ts-ignore: decorator
@inline export function puti32(p: i32, value: i32): void { store<i32>(p, value, PLANE_BASE); }
// @ts-ignore: decorator
@inline export function sumOfTen(p: i32): i32 {
  const words: u64 = (load<u32>(p, PLANE_BASE) as u64) + (load<u32>(p + 4, PLANE_BASE) as u64) + (load<u32>(p + 8, PLANE_BASE) as u64)
    + (load<u32>(p + 12, PLANE_BASE) as u64) + (load<u32>(p + 16, PLANE_BASE) as u64);
  const low: i32 = words as i32;
  return (low & 0xffff) + (low >>> 16) + ((words >>> 32) as i32);
}
export function copy(to: i32, from: i32, n: i32): void { memory.copy(to + PLANE_BASE, from + PLANE_BASE, n); }
export function fill(p: i32, value: i32, n: i32): void { memory.fill(p + PLANE_BASE, value as u8, n); }
// @ts-ignore: decorator
@inline export function multiply(a: i32, b: i32): i32 { return a * b; }
