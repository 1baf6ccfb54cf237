// A pause of known length without a clock: the refresh line of the AT, bit 4 of port 0x61, changes every
// 15.085 us (PIT channel 1 at 18 counts of 838 ns). IBM PC AT Technical Reference, system control port B.
// Not here: anything that waits for a card's answer (the chip's file bounds that by a count).
//
// A board without the line, or a model, ends the wait by the bound: a read of an ISA port takes about 1 us,
// so READS_PER_CHANGE of them are longer than one change of the line. QEMU changes it at every read.

import { in8 } from './ports.ts';

const PORT_B: i32 = 0x61;
const REFRESH: i32 = 0x10;
const READS_PER_CHANGE: i32 = 32;

/** 1.6 ms and some: what National asks for to let a frame in progress end (DP8390D, section 7.0). */
export const DELAY_FRAME: i32 = 110;
/** Part of a longer wait, 0.15 ms: others are served between two. */
export const DELAY_SLICE: i32 = 10;

/** Waits for `changes` changes of the refresh line, 15 us each. */
export function delay(changes: i32): void {
  let last: i32 = in8(PORT_B) & REFRESH;
  let seen: i32 = 0;
  for (let reads: i32 = 0; reads < changes * READS_PER_CHANGE; reads++) {
    const now: i32 = in8(PORT_B) & REFRESH;
    if (now !== last) {
      last = now;
      seen += 1;
      if (seen === changes) return;
    }
  }
}
