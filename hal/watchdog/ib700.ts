// The watchdog of the IB700 single-board computer and its many relatives: two ports that only take writes, so that
// nobody can tell whether it is there. Linux's driver ib700wdt documents it.
//
//    0x443  bits 0..3 start or feed it: 30 s less 2 s for each
//    0x441  any value stops it

import { out8 } from '../ports.ts';

const STOP: i32 = 0x441;
const START: i32 = 0x443;
/** 20 s. */
const TIMEOUT: i32 = 5;

/** Starts it; and feeds it, which is the same. */
export function ib700Feed(): void {
  out8(START, TIMEOUT);
}

export function ib700Stop(): void {
  out8(STOP, 0);
}
