// The record of a flow, and what of the table's state control reads too. A flow is all that two endpoints send each other by one
// protocol, by the same ports: masqueraded (a session), or routed as it is.
// Not here: the hash tables that find it (src/plane/flow/flow-table.ts), which entry goes when the table is full
// (src/plane/flow/flow-admission.ts), when one ends (src/plane/flow/flow-timeout.ts), the sequence numbers
// (src/plane/flow/tcp-window.ts).
//
// Entries are named by their address; links hold their number, 1 to sessionLimit(), and 0 is none.
//
//     0                                  12                                  24        28      29      30
//     | inside  | remote | their ports   | remote | outside | their ports    | expires | proto | state | flags, class |
//     31      32     33                   34                            52         68             76            80       96
//     | timer | host | way, known, scale  | seven links, two for lists  | sequence | two routes   | differences | counts |
//
// There are two tuples, source, destination and both ports each: what a packet of the flow has that comes from inside, and
// what one has that comes from outside. A packet that has one tuple leaves with the other, turned round: so any translation of
// source, destination or both is the same record, and where the one is the other turned round, nothing is translated. A side, 0
// or 1, is who sends the first or the second tuple; of a routed flow side 0 is who has sent first. The words of ports
// are what PACKET_PORTS holds of such packets, so that the fast path compares whole words. An ICMP session's are its inside and
// its outside identifier, twice each.

import { SESSIONS_LESS_AT } from './cells.ts';
import { MASQUERADE_AT, MASQUERADE_BYTES, MASQUERADE_COUNT, MASQUERADE_STATE_AT } from './limits.ts';
import { get8, i32at, u16at } from './memory.ts';

// Fields of an entry.
/** The tuple of what comes from inside, and of what comes from outside, TUPLE_BYTES on. */
export const E_INSIDE: i32 = 0;
export const E_REMOTE: i32 = 4;
export const E_OUT_PORTS: i32 = 8;
/** The remote address as the outside has it. */
export const E_FAR: i32 = 12;
export const E_OUTSIDE: i32 = 16;
export const E_IN_PORTS: i32 = 20;
export const TUPLE_BYTES: i32 = 12;
/** In a tuple. */
export const TUPLE_SOURCE: i32 = 0;
export const TUPLE_DESTINATION: i32 = 4;
export const TUPLE_PORTS: i32 = 8;
/** The tick at which it ends. */
export const E_EXPIRES: i32 = 24;
/** IP protocol (u8); 0 marks a free entry. */
export const E_PROTOCOL: i32 = 28;
/** TCP: RFC_* or CLASSIC_* by ENTRY_CLASSIC (u8). ICMP: the QUERY_* that were sent. */
export const E_STATE: i32 = 29;
/** ENTRY_*, and above them the CLASS_* of flow-admission.ts (u8). */
export const E_FLAGS: i32 = 30;
/** Index of the parameter that is its timer (u8). */
export const E_TIMER: i32 = 31;
/** Record of the inside host (u8). */
export const E_HOST: i32 = 32;
/** Record of the outside address, from ADDRESS_SHIFT on; below it what tcp-window.ts keeps (u8). */
export const E_ADDRESS: i32 = 33;
/** In the chains of the two tuples: 2 bytes a side. */
export const E_TUPLE_NEXT: i32 = 34;
export const E_MAP_NEXT: i32 = 38;
/** A flow that is in no mapping: 1 if side 0 has begun it, BEGUN_BY_US if that is the router itself (u16). */
export const E_BEGUN: i32 = 38;
export const BEGUN_BY_US: i32 = 2;
export const E_PORT_NEXT: i32 = 40;
export const E_PEER_NEXT: i32 = 42;
/** A flow by a forward, which is in none of these chains: its server (server-record.ts), or 0. */
export const E_SERVER: i32 = 42;
export const E_RING_NEXT: i32 = 44;
export const E_RING_PREVIOUS: i32 = 46;
/** Neighbours in the list of its class; the first also links the free entries. */
export const E_LIST_NEXT: i32 = 48;
export const E_LIST_PREVIOUS: i32 = 50;
/** TCP: four sequence numbers, see tcp-window.ts. */
export const E_SEQUENCE: i32 = 52;
/** A protocol without ports: the tick at which the inside sent last. In the place of the sequence numbers. */
export const E_SENT: i32 = 52;
/** The routes that are kept of packets from inside, and of those from outside (src/plane/flow/kept-route.ts). */
export const E_OUT_ROUTE: i32 = 68;
export const E_IN_ROUTE: i32 = 72;
/** What translating a packet from inside adds to its header's checksum, and to TCP's or UDP's (u16 each). */
export const E_HEADER_DIFFERENCE: i32 = 76;
export const E_TRANSPORT_DIFFERENCE: i32 = 78;
/** What each side has sent, COUNTS_BYTES a side: datagrams, and bytes of them, free-running. */
export const E_COUNTS: i32 = 80;
export const COUNTS_BYTES: i32 = 8;
export const COUNT_PACKETS: i32 = 0;
export const COUNT_BYTES: i32 = 4;

/** E_STATE of an established TCP connection, in both profiles. */
export const STATE_ESTABLISHED: i32 = 1;

export const ADDRESS_SHIFT: i32 = 5;
/** Where the class stands in E_FLAGS. */
export const CLASS_SHIFT: i32 = 6;

/** The inside has sent in this session. */
export const ENTRY_SENT: i32 = 1;
/** The outside has sent in this session. With both it is answered. */
export const ENTRY_HEARD: i32 = 2;
export const ENTRY_ANSWERED: i32 = 3;
/** In PORT, and in MAP if not classic. */
export const ENTRY_LEADER: i32 = 4;
/** In PEER. */
export const ENTRY_PEER: i32 = 8;
/** Made under profile classic: its own mapping, states of tcp-classic.ts. */
export const ENTRY_CLASSIC: i32 = 16;
/** Made by a forward of ports: in no mapping. */
export const ENTRY_FORWARD: i32 = 32;

/** Entries in use. */
export const IN_USE_AT: i32 = MASQUERADE_STATE_AT + 24;
/** First of the free list (u16). */
export const FREE_AT: i32 = MASQUERADE_STATE_AT + 28;
/** Entries that were ever in use: those above are not in the free list yet. */
export const FRESH_AT: i32 = MASQUERADE_STATE_AT + 32;
/** Ageing: the next entry to look at, the last that may be in use, and the last seen in use this round. */
export const CURSOR_AT: i32 = MASQUERADE_STATE_AT + 36;
export const HIGHEST_AT: i32 = MASQUERADE_STATE_AT + 40;
export const HIGHEST_SEEN_AT: i32 = MASQUERADE_STATE_AT + 44;
/** Lists of flow-admission.ts: first and last (u16 each). */
export const UNANSWERED_AT: i32 = MASQUERADE_STATE_AT + 48;
export const CLOSED_AT: i32 = MASQUERADE_STATE_AT + 52;
/** Inside hosts with an answered session. */
export const HOSTS_ANSWERED_AT: i32 = MASQUERADE_STATE_AT + 56;
/** Where the last entry of a lost address was looked for, when room was needed. */
export const CLEARED_AT: i32 = MASQUERADE_STATE_AT + 60;

/** How many sessions this board has room for: MASQUERADE_COUNT, or MASQUERADE_COUNT_SMALL. Behind them lies no memory of the table's. */
export function sessionLimit(): i32 {
  return MASQUERADE_COUNT - i32at(SESSIONS_LESS_AT);
}

/** Address of entry number n, 1 to sessionLimit(). */
export function entryAt(n: i32): i32 {
  return MASQUERADE_AT + (n - 1) * MASQUERADE_BYTES;
}

/** Not 0: there has been a flow by a port or an endpoint that others may have: each new one is looked for then (src/plane/flow/flow-begin.ts). */
export const SHARED_AT: i32 = MASQUERADE_STATE_AT + 120;

/** A byte for each outside address (src/plane/flow/masquerade-addresses.ts); 1: the address was lost. */
export const ADDRESSES_LOST_AT: i32 = MASQUERADE_STATE_AT + 112;

/** The outside addresses that sessions use, by the number in E_ADDRESS (src/plane/flow/masquerade-addresses.ts). */
export const ADDRESSES_AT: i32 = MASQUERADE_STATE_AT + 64;
/** What routed flows have for an outside address, and those whose destination a rule has changed on the inside. */
export const ROUTED: i32 = 0;
export const TURNED: i32 = -1;
/** What sessions by an alias have there (alias-record.ts), whichever. */
export const ALIASED: i32 = -2;

/** 1 if a flow is passed on as it is: nothing of it is translated. */
export function isRouted(e: i32): i32 {
  return i32at(ADDRESSES_AT + 4 * (get8(e + E_ADDRESS) >>> ADDRESS_SHIFT)) === ROUTED ? 1 : 0;
}

/** 1 if a flow is the router's own, and translated by a rule (src/plane/flow/led-own.ts): what comes back in it is for the router. */
export function isLedOwn(e: i32): i32 {
  return (get8(e + E_FLAGS) & ENTRY_FORWARD) !== 0 && u16at(e + E_BEGUN) === BEGUN_BY_US ? 1 : 0;
}

/** 1 if the session's outside address was lost: it has ended, and only waits to be cleared up. */
export function isLost(e: i32): i32 {
  return get8(ADDRESSES_LOST_AT + (get8(e + E_ADDRESS) >>> ADDRESS_SHIFT));
}

/** 1 if the session is of a host that has an outside address of its own: nobody else's packets have that, and no port is another. */
export function isOneToOne(e: i32): i32 {
  if ((get8(e + E_FLAGS) & ENTRY_FORWARD) === 0) return 0;
  return i32at(ADDRESSES_AT + 4 * (get8(e + E_ADDRESS) >>> ADDRESS_SHIFT)) === ALIASED ? 1 : 0;
}
