// A forward of ports: what strangers send to them, of an outside address of ours, is for a host inside. Read by control too.
// Not here: who looks for one (src/plane/flow/forwards.ts), what is known of its hosts (server-record.ts).
//
//    0          2       4      6              8         12                               16       18     20      22
//    | protocol | first | last | inside first | address | sessions that have begun by it | weight | left | flags | seconds, misses |
//    24       26     28
//    | server | most | outside |
//
// Places in use come first: FORWARDS_SET_AT of them. A forward to several hosts has a place for each.
// One of a mark has no protocol and no ports: it is for what a rule has marked so.

import { FORWARD_BYTES, FORWARDS_AT } from './limits.ts';

/** IP protocol (u16): TCP or UDP; FORWARD_MARKED: it is for a mark. */
export const FORWARD_PROTOCOL: i32 = 0;
export const FORWARD_MARKED: i32 = 0;
/** Outside ports, from the first to the last (u16). */
export const FORWARD_FIRST: i32 = 2;
export const FORWARD_LAST: i32 = 4;
/** The host's port for the first of them; the others follow (u16). Of a mark: the host's port, or 0, the one that the packet has. */
export const FORWARD_INSIDE: i32 = 6;
export const FORWARD_ADDRESS: i32 = 8;
export const FORWARD_SESSIONS: i32 = 12;

/** Sessions that it gets one behind the other before it is another host's turn, 1 to 65535, and how many of them are left (u16). */
export const FORWARD_WEIGHT: i32 = 16;
export const FORWARD_LEFT: i32 = 18;
/** u16: FORWARD_*. */
export const FORWARD_FLAGS: i32 = 20;
/** A client comes to the same host each time. */
export const FORWARD_STICKY: i32 = 1;
/** Who has the fewest sessions by his weight gets the next. */
export const FORWARD_LEAST: i32 = 2;
/** Control asks each host whether it is there, by a connection or a ping: one that does not answer gets no new sessions. */
export const FORWARD_CHECK_TCP: i32 = 4;
export const FORWARD_CHECK_PING: i32 = 8;
export const FORWARD_CHECKED: i32 = 12;
/** Each session is noted for the log. */
export const FORWARD_LOGGED: i32 = 16;
/** A host has no more than FORWARD_MOST sessions at a time. */
export const FORWARD_LIMITED: i32 = 32;
/** It was set as autofw's, in whose listing it is. */
export const FORWARD_AUTO: i32 = 64;
/** Seconds between two questions, and how many in a row a host may miss (u8). */
export const FORWARD_SECONDS: i32 = 22;
export const FORWARD_MISSES: i32 = 23;
/** The host's server (u16), see server-record.ts; 0: none is known. */
export const FORWARD_SERVER: i32 = 24;
/** Sessions that a host may have at a time (u16), with FORWARD_LIMITED. */
export const FORWARD_MOST: i32 = 26;
/** The outside address that it is for; 0: whichever we have. Or the mark. */
export const FORWARD_OUTSIDE: i32 = 28;

/** Address of forward number n, from 0. */
export function forwardAt(n: i32): i32 {
  return FORWARDS_AT + n * FORWARD_BYTES;
}
