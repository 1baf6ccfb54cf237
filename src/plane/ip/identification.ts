// IP identifications of our own: for fragments of masqueraded datagrams and for what the router itself sends.
// RFC 6864, sections 4.3 and 5.3.1; how to choose them: RFC 7739, section 5.3, which is written for IPv6's and holds here.
//
// Each pair of addresses has a sequence of its own: a keyed hash of the pair says where it starts and which counter
// moves it on. So nobody can tell from the numbers that reach him what was sent to another, nor foresee another's;
// and of one pair no two of 65,536 in a row are equal. Pairs share a counter by chance (1 in
// IDENTIFICATION_COUNT), which then goes on faster for both.
// Beside the hash's own key there are two words, drawn when the first number is wanted and once more when the pool
// of chance is full: the first numbers go out soon after power-on.

import { PROBE_AT } from '../../base/cells.ts';
import { entropyBits, freshenEntropy, random32 } from '../../base/entropy.ts';
import { keyedHash5 } from '../../base/keyed-hash.ts';
import {
  IDENTIFICATION_COUNT,
  IDENTIFICATION_STATE_AT,
  IDENTIFICATION_STATE_BYTES,
  IDENTIFICATIONS_AT,
} from '../../base/limits.ts';
import { fill, i32at, puti32, putu16, u16at } from '../../base/memory.ts';

const KEY: i32 = IDENTIFICATION_STATE_AT;
/** Bits of chance that the words were drawn with, or -1. */
const KEY_BITS: i32 = IDENTIFICATION_STATE_AT + 8;
/** With so many they are not drawn again. */
const ENOUGH_BITS: i32 = 128;
/** The hash's upper bits choose a counter, the lower 16 are where the sequence starts. */
const COUNTER_SHIFT: i32 = 16;

export function resetIdentifications(): void {
  fill(IDENTIFICATION_STATE_AT, 0, IDENTIFICATION_STATE_BYTES);
  fill(IDENTIFICATIONS_AT, 0, 2 * IDENTIFICATION_COUNT);
  puti32(KEY_BITS, -1);
}

/** The next identification of a datagram from one address to another. */
export function nextIdentification(source: i32, destination: i32): i32 {
  if (i32at(PROBE_AT) !== 0) return 0;
  if (i32at(KEY_BITS) < ENOUGH_BITS) drawKey();
  const hash: i32 = keyedHash5(source, destination, i32at(KEY), i32at(KEY + 4), 0);
  const counter: i32 = IDENTIFICATIONS_AT + 2 * ((hash >>> COUNTER_SHIFT) & (IDENTIFICATION_COUNT - 1));
  const count: i32 = u16at(counter);
  putu16(counter, count + 1);
  return (hash + count) & 0xffff;
}

function drawKey(): void {
  const bits: i32 = entropyBits();
  if (i32at(KEY_BITS) >= 0 && bits < ENOUGH_BITS) return;
  freshenEntropy();
  puti32(KEY, random32());
  puti32(KEY + 4, random32());
  puti32(KEY_BITS, bits);
}
