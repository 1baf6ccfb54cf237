// Port I/O, AssemblyScript's body of ports.ts: imports that the floor defines as single instructions.
import { PLANE_BASE } from "../src/base/limits";

export function attachPorts(_behind: i32): void {}
// @ts-ignore: decorator
@external("port", "in8") export declare function in8(port: i32): i32;
// @ts-ignore: decorator
@external("port", "in16") export declare function in16(port: i32): i32;
// @ts-ignore: decorator
@external("port", "in32") export declare function in32(port: i32): i32;
// @ts-ignore: decorator
@external("port", "out8") export declare function out8(port: i32, value: i32): void;
// @ts-ignore: decorator
@external("port", "out16") export declare function out16(port: i32, value: i32): void;
// @ts-ignore: decorator
@external("port", "out32") export declare function out32(port: i32, value: i32): void;
// @ts-ignore: decorator
@inline export function out8x3(port: i32, byte: i32, half: i32): void {
  out8(port, byte);
  out8(port + 1, half & 0xff);
  out8(port + 2, (half >>> 8) & 0xff);
}
// @ts-ignore: decorator
@inline export function out8x4(port: i32, first: i32, second: i32): void {
  out8(port, first & 0xff);
  out8(port + 1, (first >>> 8) & 0xff);
  out8(port + 2, second & 0xff);
  out8(port + 3, (second >>> 8) & 0xff);
}
// @ts-ignore: decorator
@external("port", "ins16") declare function insAt(port: i32, address: i32, count: i32): void;
// @ts-ignore: decorator
@external("port", "outs16") declare function outsAt(port: i32, address: i32, count: i32): void;
// @ts-ignore: decorator
@external("port", "ins32") declare function insWideAt(port: i32, address: i32, count: i32): void;
// @ts-ignore: decorator
@external("port", "outs32") declare function outsWideAt(port: i32, address: i32, count: i32): void;
// @ts-ignore: decorator
@inline export function ins32(port: i32, p: i32, count: i32): void { insWideAt(port, p + PLANE_BASE, count); }
// @ts-ignore: decorator
@inline export function outs32(port: i32, p: i32, count: i32): void { outsWideAt(port, p + PLANE_BASE, count); }
// @ts-ignore: decorator
@inline export function ins16(port: i32, p: i32, count: i32): void { insAt(port, p + PLANE_BASE, count); }
// @ts-ignore: decorator
@inline export function outs16(port: i32, p: i32, count: i32): void { outsAt(port, p + PLANE_BASE, count); }
