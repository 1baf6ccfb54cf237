// The routes that a session keeps, one of the packets from inside and one of those from outside, so that what is the same of
// all its packets is found once: that the source may come in there, the interface and the neighbour that they leave by.
//
//    31          16 15        6 5    3 2     0
//    | generation  | neighbour | in   | out  |      neighbour: its number, 0 is none (a point link)
//
// A kept route is good while its generation is the one of ROUTE_GENERATION_AT, which is raised when an address, a route, a side
// or a state of an interface is another, when an outside address is lost, and when a neighbour goes to which kept routes
// lead. Then the packet takes the way of a first one, and what that finds is kept again: 100 instructions more, once.
// Who makes neighbours come and go costs the others that, and no packet.
// Not here: who uses them (known-flow.ts).

import { ROUTE_GENERATION_AT } from '../../base/cells.ts';
import { E_IN_ROUTE, E_OUT_ROUTE, sessionLimit } from '../../base/flow-record.ts';
import { MASQUERADE_AT, MASQUERADE_BYTES } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';

export const ROUTE_OUT_MASK: i32 = 7;
export const ROUTE_IN_SHIFT: i32 = 3;
export const ROUTE_NEIGHBOUR_SHIFT: i32 = 6;
export const ROUTE_NEIGHBOUR_MASK: i32 = 0x3ff;
/** What of a kept route tells whether it is good for a packet: the generation, and the interface that it came in by. */
export const ROUTE_GOOD_FOR: i32 = -65480;
const GENERATION_SHIFT: i32 = 16;
const NEXT_GENERATION: i32 = 1 << GENERATION_SHIFT;

export function resetKeptRoutes(): void {
  puti32(ROUTE_GENERATION_AT, NEXT_GENERATION);
}

/**
 * No kept route is good any more. The 65,535th time since one was kept it would look good again, so each time one session's
 * are cleared, in turn: long before, it has been every session's. There is a power of two of them.
 */
export function forgetRoutes(): void {
  let next: i32 = (i32at(ROUTE_GENERATION_AT) + NEXT_GENERATION) | 0;
  if (next === 0) next = NEXT_GENERATION;
  puti32(ROUTE_GENERATION_AT, next);
  const e: i32 = MASQUERADE_AT + ((next >>> GENERATION_SHIFT) & (sessionLimit() - 1)) * MASQUERADE_BYTES;
  puti32(e + E_OUT_ROUTE, 0);
  puti32(e + E_IN_ROUTE, 0);
}
