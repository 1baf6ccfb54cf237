// The record of a neighbour: which station has an address on a link. Read by control too.
// Not here: how one is found (src/plane/link/neighbour-table.ts), states and timers (src/plane/link/neighbour.ts).
//
//    0         4      6                                     18           20      22      24      28
//    | address | link | Ethernet header: destination, ours  | chain next | state | tries | since | used |
//                     |   | first and last waiting, how many|                          while RESOLVING
//    32          34              36    38     40
//    | list next | list previous | hop | list | who claims the address while DOUBTED | kept (46) |
//
// link: the interface, and above it how often all its neighbours were forgotten. To forget them is then one store;
// records of an older count are found no more, and the ageing frees them.

import { ARP_STATE_AT, INTERFACE_COUNT } from './limits.ts';
import { i32at, u16at } from './memory.ts';

export const NEIGHBOUR_ADDRESS: i32 = 0;
/** Interface, and the count of forgettings above (u16). */
export const NEIGHBOUR_LINK: i32 = 4;
/** Next in the chain, or in the list of free records. */
export const CHAIN_NEXT: i32 = 18;
/** 12 bytes ready for a frame: the neighbour's address, then ours; they lie as they do in a frame, on an address that is even alone. */
export const NEIGHBOUR_HEADER: i32 = 6;
/** In the header's place while RESOLVING: first and last packet that wait, and how many (u16). */
export const FIRST_WAITING: i32 = 8;
export const LAST_WAITING: i32 = 12;
export const WAITING: i32 = 16;
export const NEIGHBOUR_STATE: i32 = 20;
export const TRIES: i32 = 22;
export const NEIGHBOUR_SINCE: i32 = 24;
export const NEIGHBOUR_USED: i32 = 28;
export const LIST_NEXT: i32 = 32;
export const LIST_PREVIOUS: i32 = 34;
/** 0, or the low bits of the tick at which it was the next hop of a route, and bit 15. */
export const HOP: i32 = 36;
/** Which list it is in: 0, or its head's place in the ARP state. */
export const LIST: i32 = 38;
/** Station that claims the address while DOUBTED, 6 bytes. */
export const CLAIM: i32 = 40;
/** 1: kept routes of sessions lead to it (src/plane/flow/kept-route.ts), and must be forgotten when it is (u16). */
export const KEPT: i32 = 46;

export const NEIGHBOUR_FREE: i32 = 0;
export const NEIGHBOUR_RESOLVING: i32 = 1;
export const NEIGHBOUR_REACHABLE: i32 = 2;
export const NEIGHBOUR_POLLING: i32 = 3;
/** Another station says that the address is its own; the one that we know is asked. */
export const NEIGHBOUR_DOUBTED: i32 = 4;

/** Of each link: what NEIGHBOUR_LINK is now, the tick of the last defence of our address, and what it probes for (16 bytes). */
export const LINKS: i32 = ARP_STATE_AT + 64;
export const LINK_DEFENDED: i32 = LINKS + 4 * INTERFACE_COUNT;
export const LINK_PROBES: i32 = LINK_DEFENDED + 4 * INTERFACE_COUNT;
/** Behind what is kept of links: packets that wait (src/plane/link/neighbour-queue.ts). */
export const ARP_HELD: i32 = LINK_PROBES + 16 * INTERFACE_COUNT;

/** State of a record: FREE too if its interface has forgotten it. */
export function neighbourState(at: i32): i32 {
  const link: i32 = u16at(at + NEIGHBOUR_LINK);
  return i32at(LINKS + 4 * (link & 0xff)) === link ? u16at(at + NEIGHBOUR_STATE) : NEIGHBOUR_FREE;
}

export function neighbourInterface(at: i32): i32 {
  return u16at(at + NEIGHBOUR_LINK) & 0xff;
}
