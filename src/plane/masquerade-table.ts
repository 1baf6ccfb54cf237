// The masquerade table: layout of an entry, the five hash tables that find it.
//
// An entry is one session: an inside endpoint that talks with one remote endpoint by one outside port. The
// sessions of one inside endpoint and protocol form a mapping (RFC 4787, section 4.1): they share the outside
// port and hang in one ring. Entries are named by their address; links hold their number, 1 to
// MASQUERADE_COUNT, and 0 is none.
//
//     0         4         8         12                         16                         20
//     | inside  | remote  | outside | inside port, remote port | remote port, outside port | expires |
//     24      25      26              27      28     29                   30                        48
//     | proto | state | flags, class | timer | host | way, known, scale | seven links, two for lists | sequence |
//
// The two words of ports are what PACKET_PORTS holds in an outbound and in an inbound packet of the session,
// so that the fast path compares whole words. An ICMP session's are its inside and its outside identifier,
// twice each.
//
// Hash tables (chains of u16 links, MASQUERADE_BUCKETS each):
//    OUT   (inside, remote, both ports)       every session: outbound packets
//    IN    (outside, remote, both ports)      every session: inbound packets
//    MAP   (inside, inside port)              a mapping's leader: a new session asks for its outside port
//    PORT  (outside port)                     the leader: is a port taken? whose is it?
//    PEER  (outside, remote, outside port)    one session for each remote address of a mapping: has the
//                                             inside sent anything to that address (RFC 4787, section 5)?
// A session of a lost outside address (masquerade-ways.ts) stays in its chains until it is cleared up, and is
// not found. So a chain may hold two of one key, of which one is found.
//
// The hash is pair-multiply-shift (M. Thorup, "High Speed Hashing for Integers and Strings", section 3.5) over
// all bits of addresses and ports: with random keys any two different sessions meet in a chain with probability
// 1 in 4,096, so nobody can choose addresses that make a long chain. A last mixing step keeps rows of
// addresses or ports from falling into few chains with unlucky keys. The keys change whenever the table is empty.
// What chance may do all the same is bounded: no chain grows past MASQUERADE_CHAIN_LIMIT (masquerade-link.ts).
// Not here: linking (masquerade-link.ts), which entry goes when the table is full (masquerade-admission.ts), when one
// ends (masquerade-timeout.ts), the sequence numbers (tcp-window.ts).

import { random32 } from './entropy.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from './ipv4.ts';
import {
  MASQUERADE_AT,
  MASQUERADE_BUCKETS,
  MASQUERADE_BYTES,
  MASQUERADE_CHAIN_LIMIT,
  MASQUERADE_COUNT,
  MASQUERADE_IN_HEADS_AT,
  MASQUERADE_MAP_HEADS_AT,
  MASQUERADE_OUT_HEADS_AT,
  MASQUERADE_PEER_HEADS_AT,
  MASQUERADE_PORT_HEADS_AT,
  MASQUERADE_STATE_AT,
  MASQUERADE_STATE_BYTES,
} from './limits.ts';
import { WAYS_LOST_AT } from './masquerade-ways.ts';
import { fill, get8, i32at, multiply, puti32, putu16, u16at } from './memory.ts';

// Fields of an entry.
export const E_INSIDE: i32 = 0;
export const E_REMOTE: i32 = 4;
export const E_OUTSIDE: i32 = 8;
export const E_OUT_PORTS: i32 = 12;
export const E_IN_PORTS: i32 = 16;
/** The tick at which it ends. */
export const E_EXPIRES: i32 = 20;
/** IP protocol (u8); 0 marks a free entry. */
export const E_PROTOCOL: i32 = 24;
/** TCP: RFC_* or CLASSIC_* by ENTRY_CLASSIC (u8). ICMP: the QUERY_* that were sent. */
export const E_STATE: i32 = 25;
/** ENTRY_*, and above them the CLASS_* of masquerade-admission.ts (u8). */
export const E_FLAGS: i32 = 26;
/** Index of the parameter that is its timer (u8). */
export const E_TIMER: i32 = 27;
/** Record of the inside host (u8). */
export const E_HOST: i32 = 28;
/** Record of the outside address, from WAY_SHIFT on; below it what tcp-window.ts keeps (u8). */
export const E_WAY: i32 = 29;
export const E_OUT_NEXT: i32 = 30;
export const E_IN_NEXT: i32 = 32;
export const E_MAP_NEXT: i32 = 34;
export const E_PORT_NEXT: i32 = 36;
export const E_PEER_NEXT: i32 = 38;
export const E_RING_NEXT: i32 = 40;
export const E_RING_PREVIOUS: i32 = 42;
/** Neighbours in the list of its class; the first also links the free entries. */
export const E_LIST_NEXT: i32 = 44;
export const E_LIST_PREVIOUS: i32 = 46;
/** TCP: four sequence numbers, see tcp-window.ts. */
export const E_SEQUENCE: i32 = 48;
/** A protocol without ports: the tick at which the inside sent last. In the place of the sequence numbers. */
export const E_SENT: i32 = 48;

export const WAY_SHIFT: i32 = 5;
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
/** Made by a port forward (DNAT). */
export const ENTRY_FORWARD: i32 = 32;

// Fields of the state block. Behind them: masquerade-ways.ts (64), tcp-classic.ts (128), masquerade-hosts.ts (208).
/** An odd number whose bits are even spread: 2^32 divided by the golden ratio. */
const MIX: i32 = -1640531535;
/** Six keys of the hash. */
const KEYS_AT: i32 = MASQUERADE_STATE_AT;
const KEYS_BYTES: i32 = 24;
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
/** Lists of masquerade-admission.ts: first and last (u16 each). */
export const UNANSWERED_AT: i32 = MASQUERADE_STATE_AT + 48;
export const CLOSED_AT: i32 = MASQUERADE_STATE_AT + 52;
/** Inside hosts with an answered session. */
export const HOSTS_ANSWERED_AT: i32 = MASQUERADE_STATE_AT + 56;
/** Where the last entry of a lost address was looked for, when room was needed. */
export const CLEARED_AT: i32 = MASQUERADE_STATE_AT + 60;

export function resetTable(): void {
  fill(MASQUERADE_STATE_AT, 0, MASQUERADE_STATE_BYTES);
  fill(MASQUERADE_OUT_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_IN_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_MAP_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_PORT_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_PEER_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_AT, 0, MASQUERADE_COUNT * MASQUERADE_BYTES);
}

/** Address of entry number n, 1 to MASQUERADE_COUNT. */
export function entryAt(n: i32): i32 {
  return MASQUERADE_AT + (n - 1) * MASQUERADE_BYTES;
}

export function numberOf(entry: i32): i32 {
  return (((entry - MASQUERADE_AT) / MASQUERADE_BYTES) | 0) + 1;
}

export { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from './ipv4.ts';

/** 1 if sessions of the protocol have ports or an identifier. */
export function hasPorts(protocol: i32): i32 {
  return protocol === TCP || protocol === UDP || protocol === ICMP ? 1 : 0;
}

/** A chain, 0 to MASQUERADE_BUCKETS - 1. Words are halved because the proof wants at most 21 bits a factor. */
export function hash(local: i32, remote: i32, ports: i32, protocol: i32): i32 {
  const a: i32 = multiply(
    (i32at(KEYS_AT) + (remote & 0xffff)) | 0,
    (i32at(KEYS_AT + 4) + (remote >>> 16)) | 0,
  );
  const b: i32 = multiply(
    (i32at(KEYS_AT + 8) + (ports & 0xffff)) | 0,
    (i32at(KEYS_AT + 12) + (ports >>> 16)) | 0,
  );
  const c: i32 = multiply(
    (i32at(KEYS_AT + 16) + (local & 0xffff)) | 0,
    (i32at(KEYS_AT + 20) + ((local >>> 16) | ((protocol & 31) << 16))) | 0,
  );
  const sum: i32 = (a + b + c) | 0;
  return multiply(sum ^ (sum >>> 15), MIX) >>> 20;
}

/** 1 if the session's outside address was lost: it has ended, and only waits to be cleared up. */
export function isLost(e: i32): i32 {
  return get8(WAYS_LOST_AT + (get8(e + E_WAY) >>> WAY_SHIFT));
}

/** The session of an outbound packet, or 0. */
export function findOutbound(inside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  const n: i32 = u16at(MASQUERADE_OUT_HEADS_AT + 2 * hash(inside, remote, ports, protocol));
  if (n === 0) return 0;
  const e: i32 = entryAt(n);
  if (
    i32at(e + E_OUT_PORTS) === ports &&
    i32at(e + E_REMOTE) === remote &&
    i32at(e + E_INSIDE) === inside &&
    get8(e + E_PROTOCOL) === protocol &&
    isLost(e) === 0
  ) {
    return e;
  }
  return furtherOutbound(u16at(e + E_OUT_NEXT), inside, remote, ports, protocol);
}

/** The rest of the chain, from entry number `first` on. Most chains have one entry. */
function furtherOutbound(first: i32, inside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  let n: i32 = first;
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      i32at(e + E_OUT_PORTS) === ports &&
      i32at(e + E_REMOTE) === remote &&
      i32at(e + E_INSIDE) === inside &&
      get8(e + E_PROTOCOL) === protocol &&
      isLost(e) === 0
    ) {
      return e;
    }
    n = u16at(e + E_OUT_NEXT);
  }
  return 0;
}

/** The session of an inbound packet, or 0. */
export function findInbound(outside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  const n: i32 = u16at(MASQUERADE_IN_HEADS_AT + 2 * hash(outside, remote, ports, protocol));
  if (n === 0) return 0;
  const e: i32 = entryAt(n);
  if (
    i32at(e + E_IN_PORTS) === ports &&
    i32at(e + E_REMOTE) === remote &&
    i32at(e + E_OUTSIDE) === outside &&
    get8(e + E_PROTOCOL) === protocol &&
    isLost(e) === 0
  ) {
    return e;
  }
  return furtherInbound(u16at(e + E_IN_NEXT), outside, remote, ports, protocol);
}

/** The rest of the chain, from entry number `first` on. Most chains have one entry. */
function furtherInbound(first: i32, outside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  let n: i32 = first;
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      i32at(e + E_IN_PORTS) === ports &&
      i32at(e + E_REMOTE) === remote &&
      i32at(e + E_OUTSIDE) === outside &&
      get8(e + E_PROTOCOL) === protocol &&
      isLost(e) === 0
    ) {
      return e;
    }
    n = u16at(e + E_IN_NEXT);
  }
  return 0;
}

/** The leader of the mapping of an inside endpoint to an outside address, or 0. Never one of profile classic. */
export function findMapping(inside: i32, port: i32, protocol: i32, outside: i32): i32 {
  let n: i32 = u16at(MASQUERADE_MAP_HEADS_AT + 2 * hash(inside, 0, port, protocol));
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      i32at(e + E_INSIDE) === inside &&
      i32at(e + E_OUT_PORTS) >>> 16 === port &&
      get8(e + E_PROTOCOL) === protocol &&
      i32at(e + E_OUTSIDE) === outside &&
      isLost(e) === 0
    ) {
      return e;
    }
    n = u16at(e + E_MAP_NEXT);
  }
  return 0;
}

/** The leader of the mapping that has an outside port, or 0: the port is free. */
export function findPort(outside: i32, port: i32, protocol: i32): i32 {
  let n: i32 = u16at(MASQUERADE_PORT_HEADS_AT + 2 * hash(0, 0, port, protocol));
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      (i32at(e + E_IN_PORTS) & 0xffff) === port &&
      get8(e + E_PROTOCOL) === protocol &&
      i32at(e + E_OUTSIDE) === outside &&
      isLost(e) === 0
    ) {
      return e;
    }
    n = u16at(e + E_PORT_NEXT);
  }
  return 0;
}

/** The first session of a mapping with a remote address, whatever its port there, or 0. */
export function findPeer(outside: i32, remote: i32, port: i32, protocol: i32): i32 {
  let n: i32 = u16at(MASQUERADE_PEER_HEADS_AT + 2 * hash(outside, remote, port, protocol));
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      (i32at(e + E_IN_PORTS) & 0xffff) === port &&
      i32at(e + E_REMOTE) === remote &&
      get8(e + E_PROTOCOL) === protocol &&
      i32at(e + E_OUTSIDE) === outside &&
      isLost(e) === 0
    ) {
      return e;
    }
    n = u16at(e + E_PEER_NEXT);
  }
  return 0;
}

/** Takes an entry from the free ones, all zero, or 0. */
export function takeFree(): i32 {
  let n: i32 = u16at(FREE_AT);
  if (n !== 0) {
    putu16(FREE_AT, u16at(entryAt(n) + E_LIST_NEXT));
  } else {
    n = i32at(FRESH_AT) + 1;
    if (n > MASQUERADE_COUNT) return 0;
    puti32(FRESH_AT, n);
  }
  if (i32at(IN_USE_AT) === 0) {
    // All chains are empty, so the keys may change: by now the pool knows more than it did at the reset.
    for (let i: i32 = 0; i < KEYS_BYTES; i += 4) puti32(KEYS_AT + i, random32());
  }
  puti32(IN_USE_AT, i32at(IN_USE_AT) + 1);
  if (n > i32at(HIGHEST_AT)) puti32(HIGHEST_AT, n);
  if (n > i32at(HIGHEST_SEEN_AT)) puti32(HIGHEST_SEEN_AT, n);
  const e: i32 = entryAt(n);
  fill(e, 0, MASQUERADE_BYTES);
  return e;
}

/** Gives an unlinked entry back. */
export function giveFree(e: i32): void {
  fill(e, 0, MASQUERADE_BYTES);
  putu16(e + E_LIST_NEXT, u16at(FREE_AT));
  putu16(FREE_AT, numberOf(e));
  puti32(IN_USE_AT, i32at(IN_USE_AT) - 1);
}
