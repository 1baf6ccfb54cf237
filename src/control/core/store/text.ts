// Text in the plane's memory, a byte a character, as the store reads and writes it.

import { FIND_BYTES } from '../../../base/limits.ts';

/** A text in the plane's memory. */
export interface Text {
  at: number;
  bytes: number;
}

/** Characters that are made at once: each is an argument on the engine's stack. */
const PIECE = 256;

/** The text of so many bytes at an address. */
export function textFrom(memory: Uint8Array, at: number, bytes: number): string {
  let text = '';
  for (let from = at; from < at + bytes; from += PIECE) {
    const piece = memory.subarray(from, Math.min(from + PIECE, at + bytes));
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}

/** Who finds lines: the plane (src/base/text.ts), a piece of the text at a time. */
interface Finder {
  findLine(at: number, end: number, first: number, second: number): number;
}

/** The start of the next line whose first two words begin with these letters, from a line's start on; `end` if there is none. */
export function findLine(plane: Finder, at: number, end: number, first: number, second: number): number {
  let found = at;
  do found = plane.findLine(found, end, first, second);
  while (found < 0);
  return found;
}

/** Who sums: the plane (src/base/crc32.ts). */
interface Summer {
  crc32(before: number, at: number, bytes: number): number;
}

/** Continues a CRC-32 over a text of any length, a piece at a time: interrupts are off while the plane sums one. */
export function crcOf(plane: Summer, before: number, at: number, bytes: number): number {
  let sum = before;
  for (let from = 0; from < bytes; from += FIND_BYTES)
    sum = plane.crc32(sum, at + from, Math.min(FIND_BYTES, bytes - from));
  return sum;
}

/** Puts a text to an address; answers how many bytes it has. */
export function putText(memory: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) memory[at + i] = text.charCodeAt(i);
  return text.length;
}
