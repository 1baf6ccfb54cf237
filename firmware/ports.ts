// Port I/O, the bundle's body of hal/ports.ts: each access is one call of the host, which costs 540 instructions
// where a function and a method before it would make it 1,650. image/bundle.ts puts it in hal/ports.ts's place.

import type { Ports } from '../hal/ports.ts';
import {
  HOST_IN8,
  HOST_IN16,
  HOST_IN32,
  HOST_INS16,
  HOST_INS32,
  HOST_OUT8,
  HOST_OUT8S,
  HOST_OUT16,
  HOST_OUT32,
  HOST_OUTS16,
  HOST_OUTS32,
} from '../src/base/abi.ts';
import { HOST_RESULT_AT } from '../src/base/cells.ts';
import { i32at } from '../src/base/memory.ts';

declare const __host: (op: number, ...args: number[]) => void;

/** A variable of the bundle's is found sooner than a global one. */
const host = __host;

/** The floor stands behind the ports, always. */
export function attachPorts(_behind: Ports): void {}

export function in8(port: i32): i32 {
  host(HOST_IN8, port);
  return i32at(HOST_RESULT_AT);
}

export function in16(port: i32): i32 {
  host(HOST_IN16, port);
  return i32at(HOST_RESULT_AT);
}

export function in32(port: i32): i32 {
  host(HOST_IN32, port);
  return i32at(HOST_RESULT_AT);
}

export function out8(port: i32, value: i32): void {
  host(HOST_OUT8, port, value);
}

export function out16(port: i32, value: i32): void {
  host(HOST_OUT16, port, value | 0);
}

export function out32(port: i32, value: i32): void {
  host(HOST_OUT32, port, value | 0);
}

export function out8x3(port: i32, byte: i32, half: i32): void {
  host(HOST_OUT8S, port, byte | (half << 8), 3);
}

export function out8x4(port: i32, first: i32, second: i32): void {
  host(HOST_OUT8S, port, first | (second << 16), 4);
}

export function ins16(port: i32, p: i32, count: i32): void {
  host(HOST_INS16, port, p, count);
}

export function outs16(port: i32, p: i32, count: i32): void {
  host(HOST_OUTS16, port, p, count);
}

export function ins32(port: i32, p: i32, count: i32): void {
  host(HOST_INS32, port, p, count);
}

export function outs32(port: i32, p: i32, count: i32): void {
  host(HOST_OUTS32, port, p, count);
}
