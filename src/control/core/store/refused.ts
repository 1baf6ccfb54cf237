// Which lines of the saved text were not taken at the start: a bit for each, in the plane's memory, so that all can be
// listed however many they are, and after a restart of control too.
//
//    0          4                               64
//    | CRC-32   | CRC-32 of what it has come to | a bit for each line, as line-reader.ts counts them from 1
//
// A text that a person has written is not what its settings list: words are shortened, one line does what two others say.
// So what is in force counts as saved if it is what the saved text has come to.
// Not here: listing them (src/control/status/refused.ts).

import {
  CONFIGURATION_AT,
  REFUSED_AT,
  REFUSED_BYTES,
  SECTION_COUNT,
  SECTION_STATE_AT,
  SECTION_TEXT_BYTES,
  SECTION_TEXTS_AT,
} from '../../../base/limits.ts';
import { fill, get8, i32at, put8, puti32 } from '../../../base/memory.ts';
import type { Machine } from '../machine.ts';
import { crcOf } from './text.ts';

type Summing = { plane: Pick<Machine['plane'], 'crc32'> };

const BITS_AT = REFUSED_AT + 64;
const OUTCOME_AT = REFUSED_AT + 4;
const LINES_MOST = 8 * (REFUSED_BYTES - 64);

/** Forgets all; from now on the bits are about the text with this CRC-32. */
export function clearRefused(key: number): void {
  fill(REFUSED_AT, 0, REFUSED_BYTES);
  puti32(REFUSED_AT, key);
}

/** Notes what is in force, the settings' lines in the plane's memory, as what the text has come to; or forgets it. */
export function setOutcome(machine: Summing | undefined): void {
  puti32(OUTCOME_AT, machine === undefined ? 0 : sumOf(machine));
}

/** Whether what is in force is what the text with this CRC-32 has come to. */
export function isOutcome(machine: Summing, key: number): boolean {
  return key === refusedKey() && i32at(OUTCOME_AT) !== 0 && i32at(OUTCOME_AT) === sumOf(machine);
}

function sumOf({ plane }: Summing): number {
  const settings = crcOf(plane, 0, CONFIGURATION_AT, 4 + i32at(CONFIGURATION_AT));
  const number = i32at(SECTION_STATE_AT);
  const sizes = SECTION_STATE_AT + 8 + 4 * SECTION_COUNT * number;
  let bytes = 0;
  for (let i = 0; i < SECTION_COUNT; i++) bytes += i32at(sizes + 4 * i);
  return bytes === 0
    ? settings
    : crcOf(plane, settings, SECTION_TEXTS_AT + SECTION_TEXT_BYTES * number, bytes);
}

/** The CRC-32 of the text that the bits are about. */
export function refusedKey(): number {
  return i32at(REFUSED_AT);
}

export function setRefused(number: number, on: boolean): void {
  if (number >= LINES_MOST) return;
  const at = BITS_AT + (number >> 3);
  const bit = 1 << (number & 7);
  put8(at, on ? get8(at) | bit : get8(at) & ~bit);
}

export function isRefused(number: number): boolean {
  return number < LINES_MOST && (get8(BITS_AT + (number >> 3)) & (1 << (number & 7))) !== 0;
}
