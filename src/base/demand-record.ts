// Links that are dialled when a packet wants to go (src/plane/link/demand.ts): which packets may dial, which of them wait, and who has dialled.
// Read by control, which makes the call. Sizes: line-limits.ts.
//
//    a link's, from DEMAND_FIRST on:
//    0          4         8          12         16
//    | quiet    | refused | used     | (free)   | words: DEMAND_WORDS of 8 bytes: kind | minus | from port (u16) | to port (u16) | - (u16)
//
//    quiet    the tick until which control need not be asked again: it has begun a call or, if `refused`, cannot
//    used     the tick of the last packet that counts as use: what keeps the link up
//
//    places, behind the links': | packet | tick | each; 0 is a free one
//    who has dialled, behind the places: | link | source | destination | protocol | ports | packet, or 0 |

import { DEMAND_AT } from './limits.ts';
import {
  DEMAND_COUNT,
  DEMAND_FIRST,
  DEMAND_LINK_BYTES,
  DEMAND_PLACE_BYTES,
  DEMAND_PLACES,
} from './line-limits.ts';

export const DEMAND_QUIET: i32 = 0;
export const DEMAND_REFUSED: i32 = 4;
export const DEMAND_USED: i32 = 8;
export const DEMAND_WORD: i32 = 16;

/** A word's kind: TCP that opens, UDP, ICMP's echo requests, any other protocol, and the router's own packets of whichever of them. 0 ends the words. */
export const DEMAND_TCP: i32 = 1;
export const DEMAND_UDP: i32 = 2;
export const DEMAND_ICMP: i32 = 3;
export const DEMAND_OTHER: i32 = 4;
export const DEMAND_OWN: i32 = 5;

export const DEMAND_PLACES_AT: i32 = DEMAND_AT + DEMAND_COUNT * DEMAND_LINK_BYTES;
export const DEMAND_PACKET: i32 = 0;
export const DEMAND_TICK: i32 = 4;

/** Who wanted the call that control has been asked for last. */
export const WANTED_LINK_AT: i32 = DEMAND_PLACES_AT + DEMAND_PLACES * DEMAND_PLACE_BYTES;
export const WANTED_SOURCE_AT: i32 = WANTED_LINK_AT + 4;
export const WANTED_DESTINATION_AT: i32 = WANTED_LINK_AT + 8;
export const WANTED_PROTOCOL_AT: i32 = WANTED_LINK_AT + 12;
/** Source port << 16 | destination port. */
export const WANTED_PORTS_AT: i32 = WANTED_LINK_AT + 16;
/** The packet itself while it waits, else 0. */
export const WANTED_PACKET_AT: i32 = WANTED_LINK_AT + 20;

/** A link's record; 0 for one that is none of these. */
export function demandAt(link: i32): i32 {
  if (link < DEMAND_FIRST || link >= DEMAND_FIRST + DEMAND_COUNT) return 0;
  return DEMAND_AT + (link - DEMAND_FIRST) * DEMAND_LINK_BYTES;
}

/** One of the places of packets that wait. */
export function demandPlace(n: i32): i32 {
  return DEMAND_PLACES_AT + n * DEMAND_PLACE_BYTES;
}
