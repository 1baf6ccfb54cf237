// A forward of ports: what strangers send to them, of an outside address of ours, is for a host inside. Read by control too.
// Not here: who looks for one (src/plane/flow/forwards.ts).
//
//    0          2       4      6              8         12
//    | protocol | first | last | inside first | address | sessions that have begun by it |
//
// Places in use come first: FORWARDS_SET_AT of them.

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

/** Address of forward number n, from 0. */
export function forwardAt(n: i32): i32 {
  return FORWARDS_AT + n * FORWARD_BYTES;
}
