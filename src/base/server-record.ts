// A server: one host of a forward, as long as it is set or has sessions, whatever place its forward has. How many sessions it has that are
// not over, and whether it answers. Read by control too, which asks it (src/control/forward/).
//
//    0         4         8          10      12       14     16           18      19       20              24      28
//    | address | outside | protocol | first | inside | live | generation | state | misses | next question | since | places |
//
// A flow by a forward names its server in E_SERVER: number and generation. Where a server's record is given to another its generation is another,
// and the flows of the one before count for nobody.
// Not here: who counts (src/plane/flow/servers.ts).

import { FORWARD_LOG_AT, FORWARD_LOG_BYTES, FORWARD_LOG_COUNT, SERVER_BYTES, SERVERS_AT } from './limits.ts';

// Whose it is: what its forward has in the fields of these names.
export const SERVER_ADDRESS: i32 = 0;
export const SERVER_OUTSIDE: i32 = 4;
export const SERVER_PROTOCOL: i32 = 8;
export const SERVER_FIRST: i32 = 10;
export const SERVER_INSIDE: i32 = 12;
/** Sessions that are not over (u16): all but connections of which both sides have said that they end. */
export const SERVER_LIVE: i32 = 14;
/** u16, SERVER_GENERATIONS of them. */
export const SERVER_GENERATION: i32 = 16;
/** SERVER_UP, SERVER_DOWN or SERVER_UNKNOWN (u8), and the questions in a row that it has not answered (u8). */
export const SERVER_STATE: i32 = 18;
export const SERVER_MISSED: i32 = 19;
/** The tick at which it is asked next, and the one at which its state became what it is. */
export const SERVER_DUE: i32 = 20;
export const SERVER_SINCE: i32 = 24;
/** Places of forwards that have it (u16). */
export const SERVER_PLACES: i32 = 28;

export const SERVER_UP: i32 = 0;
export const SERVER_DOWN: i32 = 1;
/** Nobody has answered, or asked, yet: as good as up. */
export const SERVER_UNKNOWN: i32 = 2;

/** In E_SERVER: the number below, the generation above. */
export const SERVER_BITS: i32 = 6;
export const SERVER_MASK: i32 = 63;
export const SERVER_GENERATIONS: i32 = 1024;

/** Address of server number n, from 1. */
export function serverAt(n: i32): i32 {
  return SERVERS_AT + (n - 1) * SERVER_BYTES;
}

// Sessions that are to be logged wait here for control: a ring of FORWARD_LOG_COUNT. How many were written, read, and had no place.
export const FORWARD_LOG_WRITTEN: i32 = FORWARD_LOG_AT;
export const FORWARD_LOG_READ: i32 = FORWARD_LOG_AT + 4;
export const FORWARD_LOG_LOST: i32 = FORWARD_LOG_AT + 8;
/** In a record: the client, its port and the outside port (as PACKET_PORTS), the host, its port and the protocol (u16 each). */
export const LOGGED_CLIENT: i32 = 0;
export const LOGGED_PORTS: i32 = 4;
export const LOGGED_HOST: i32 = 8;
export const LOGGED_PORT: i32 = 12;
export const LOGGED_PROTOCOL: i32 = 14;

/** Address of the record with a number, free-running. */
export function loggedAt(n: i32): i32 {
  return FORWARD_LOG_AT + 64 + (n & (FORWARD_LOG_COUNT - 1)) * FORWARD_LOG_BYTES;
}
