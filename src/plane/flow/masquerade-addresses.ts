// Outside addresses that sessions use, so that those of a lost address end at once: a record each, with the number of
// its sessions. When an address is lost its record is marked, and no search finds a session that has it any more. The
// entries are cleared up in slices (flow-timeout.ts); with the last of them the record is free. An address that
// comes back meanwhile gets another record. Routed flows have one too, of address 0.
//
//    0                    32                 48                        56
//    | eight addresses    | eight counts     | eight marks, a byte     |

import { ADDRESSES_AT, ADDRESSES_LOST_AT } from '../../base/flow-record.ts';
import { MASQUERADE_STATE_AT, OUTSIDE_COUNT } from '../../base/limits.ts';
import { get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { forgetRoutes } from './kept-route.ts';

/** In the state block, behind the addresses. */
const COUNTS_AT: i32 = MASQUERADE_STATE_AT + 96;

/** No record is free. */
export const NO_ADDRESS: i32 = -1;

/** The record of an outside address, or NO_ADDRESS. Free until a session is counted. */
export function addressFor(outside: i32): i32 {
  let free: i32 = NO_ADDRESS;
  for (let n: i32 = 0; n < OUTSIDE_COUNT; n++) {
    if (u16at(COUNTS_AT + 2 * n) === 0) {
      if (free === NO_ADDRESS) free = n;
    } else if (i32at(ADDRESSES_AT + 4 * n) === outside && get8(ADDRESSES_LOST_AT + n) === 0) {
      return n;
    }
  }
  if (free !== NO_ADDRESS) puti32(ADDRESSES_AT + 4 * free, outside);
  return free;
}

/** Adds to the sessions of a record; the last one's end takes the mark away. */
export function addToAddress(n: i32, more: i32): void {
  const count: i32 = u16at(COUNTS_AT + 2 * n) + more;
  putu16(COUNTS_AT + 2 * n, count);
  if (count === 0) put8(ADDRESSES_LOST_AT + n, 0);
}

/** Marks the record of an address, or all if it is 0: their sessions have ended. */
export function loseAddress(outside: i32): void {
  for (let n: i32 = 0; n < OUTSIDE_COUNT; n++) {
    if (u16at(COUNTS_AT + 2 * n) === 0) continue;
    if (outside === 0 || i32at(ADDRESSES_AT + 4 * n) === outside) put8(ADDRESSES_LOST_AT + n, 1);
  }
  forgetRoutes();
}

/** 1 while there are sessions to clear up. */
export function addressesLost(): i32 {
  return (i32at(ADDRESSES_LOST_AT) | i32at(ADDRESSES_LOST_AT + 4)) !== 0 ? 1 : 0;
}
