// A forward of ports: what strangers send to them, of an outside address of ours, is for a host inside. Read by control too.
// Not here: who looks for one (src/plane/flow/forwards.ts).
//
//    0          2       4      6              8         12                               16       18     20
//    | protocol | first | last | inside first | address | sessions that have begun by it | weight | left | flags |
//
// Places in use come first: FORWARDS_SET_AT of them. A forward to several hosts has a place for each.

import { FORWARD_BYTES, FORWARDS_AT } from './limits.ts';

/** IP protocol (u16): TCP or UDP. */
export const FORWARD_PROTOCOL: i32 = 0;
/** Outside ports, from the first to the last (u16). */
export const FORWARD_FIRST: i32 = 2;
export const FORWARD_LAST: i32 = 4;
/** The host's port for the first of them; the others follow (u16). */
export const FORWARD_INSIDE: i32 = 6;
export const FORWARD_ADDRESS: i32 = 8;
export const FORWARD_SESSIONS: i32 = 12;

/** Sessions that it gets one behind the other before it is another host's turn, 1 to 65535, and how many of them are left (u16). */
export const FORWARD_WEIGHT: i32 = 16;
export const FORWARD_LEFT: i32 = 18;
/** u16: FORWARD_STICKY. */
export const FORWARD_FLAGS: i32 = 20;
/** A client comes to the same host each time. */
export const FORWARD_STICKY: i32 = 1;

/** Address of forward number n, from 0. */
export function forwardAt(n: i32): i32 {
  return FORWARDS_AT + n * FORWARD_BYTES;
}
