// JavaScript's side of the host call: `__host(op, a, b, ...)` with names and types. src/base/abi.ts says what each does.
// Not here: the ports (ports.ts), what stands behind it (board/i486/control.c, board/sim/).

import {
  HOST_COLLECT,
  HOST_HEAP_FREE,
  HOST_LEND,
  HOST_LOCK,
  HOST_OVERLAY,
  HOST_OVERLAY_READ,
  HOST_OVERLAY_RUN,
  HOST_OVERLAYS_GIVE,
  HOST_PHYSICAL,
  HOST_PLANE,
  HOST_PUT,
  HOST_RESET,
  HOST_UNLOCK,
  HOST_UNMASK,
} from '../src/base/abi.ts';
import { HOST_RESULT_AT } from '../src/base/cells.ts';
import { i32at } from '../src/base/memory.ts';
import type { LoaderHost } from '../src/control/core/loader.ts';

/** All arguments are i32, but the last of HOST_OVERLAY_READ; all answers are in a cell, but HOST_OVERLAY's ArrayBuffer. */
declare const __host: (op: number, ...args: (number | ArrayBuffer)[]) => undefined | ArrayBuffer;

export type Plane = typeof import('./plane.ts');

/** Bytes of which a CRC is computed in one call, with interrupts off: 0.2 ms of a 486DX2-66. */
const CRC_BYTES = 256;

/** The names of the plane's functions, in the order by which HOST_PLANE numbers them: that of UTF-16. */
export function planeNames(exports: Record<string, unknown>): string[] {
  return Object.keys(exports)
    .filter(name => typeof exports[name] === 'function')
    .sort();
}

/** By how many arguments there are: a default value costs the engine as much as three of them, and saved lines call often. */
const call: (index: number, ...six: number[]) => number = (index, a, b, c, d, e, f) => {
  if (a === undefined) __host(HOST_PLANE, index);
  else if (b === undefined) __host(HOST_PLANE, index, a | 0);
  else if (d === undefined) __host(HOST_PLANE, index, a | 0, b | 0, c === undefined ? 0 : c | 0);
  else
    __host(
      HOST_PLANE,
      index,
      a | 0,
      b | 0,
      (c as number) | 0,
      d | 0,
      e === undefined ? 0 : e | 0,
      f === undefined ? 0 : f | 0,
    );
  return i32at(HOST_RESULT_AT);
};

/**
 * The native plane as the firmware's control calls it, by its functions' numbers; crc32() goes on in pieces.
 * @param crc32Number the number of the one that does a piece
 */
export function numberedPlane(crc32Number: number): Plane {
  const crc32 = (crc = 0, at = 0, bytes = 0): number => {
    let sum = crc;
    let done = 0;
    for (; bytes - done > CRC_BYTES; done += CRC_BYTES) sum = call(crc32Number, sum, at + done, CRC_BYTES);
    return call(crc32Number, sum, at + done, bytes - done);
  };
  // The build has put numbers into the places of all other names (image/plane-calls.ts).
  return { call, crc32 } as unknown as Plane;
}

/** An object of the same type as the module plane.ts, whose functions run the native plane. */
export function namedPlane(names: readonly string[]): Plane {
  const native: Record<string, (...args: number[]) => number> = {};
  for (const [index, name] of names.entries()) {
    native[name] = (a, b, c, d, e, f) => call(index, a, b, c, d, e, f);
  }
  return native as unknown as Plane;
}

export const hostLock = (): void => void __host(HOST_LOCK);
export const hostUnlock = (): void => void __host(HOST_UNLOCK);
export const hostReset = (): void => void __host(HOST_RESET);
export const hostUnmask = (line: number): void => void __host(HOST_UNMASK, line);
export const hostPut = (character: number): void => void __host(HOST_PUT, character);

const answer = (op: number, a: number, b?: number, buffer?: ArrayBuffer): number => {
  if (buffer !== undefined) __host(op, a, b as number, buffer);
  else __host(op, a, b === undefined ? 0 : b);
  return i32at(HOST_RESULT_AT);
};
export const hostOverlays: LoaderHost = {
  evaluate: (number, spare) => {
    const buffer = __host(HOST_OVERLAY, number, spare);
    return buffer === undefined ? i32at(HOST_RESULT_AT) : buffer;
  },
  result: () => i32at(HOST_RESULT_AT),
  read: (number, at, buffer) => answer(HOST_OVERLAY_READ, number, at, buffer),
  run: module => answer(HOST_OVERLAY_RUN, module),
  give: () => void __host(HOST_OVERLAYS_GIVE),
  // The engine collects what is garbage in cycles when it makes an object.
  collect: () => {
    __host(HOST_COLLECT);
    return {};
  },
};
export const hostPhysical = (at: number): number => {
  __host(HOST_PHYSICAL, at);
  return i32at(HOST_RESULT_AT);
};
export const hostHeapFree = (): number => {
  __host(HOST_HEAP_FREE);
  return i32at(HOST_RESULT_AT);
};
export const hostLend = (from: number, to: number, end: number): boolean => {
  __host(HOST_LEND, from, to, end);
  return i32at(HOST_RESULT_AT) !== 0;
};
