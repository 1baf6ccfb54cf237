// The masquerade table: layout of an entry, the five hash tables that find it, linking and unlinking.
//
// An entry is one session: an inside endpoint that talks with one remote endpoint by one outside port. The
// sessions of one inside endpoint and protocol form a mapping (RFC 4787, section 4.1): they share the outside
// port and hang in one ring. Entries are named by their address; links hold their number, 1 to
// MASQUERADE_COUNT, and 0 is none.
//
//     0         4         8         12                         16                         20
//     | inside  | remote  | outside | inside port, remote port | remote port, outside port | expires |
//     24      25     26     27     28    29     30
//     | proto | state | flags | timer | host | class | ack | eight links and two for lists, below |
//     50        52        56      58         60     64
//     | control | init_seq | delta | previous | mark |
//
// The two words of ports are what PACKET_PORTS holds in an outbound and in an inbound packet of the session,
// so that the fast path compares whole words. An ICMP session's are its inside and its outside identifier,
// twice each.
//
// Hash tables (chains of u16 links, MASQUERADE_BUCKETS each):
//    OUT   (inside, remote, both ports)       every session: outbound packets
//    IN    (outside, remote, both ports)      every session: inbound packets
//    MAP   (inside, inside port)              a mapping's leader: a new session asks for its outside port
//    PORT  (outside, outside port)            the leader: is a port taken? whose is it?
//    PEER  (outside, remote, outside port)    one session for each remote address of a mapping: has the
//                                             inside sent anything to that address (RFC 4787, section 5)?
// A ring is ordered so that sessions with one remote address are neighbours. The first of each such group is
// in PEER, the first of all is the leader; when one goes, its neighbour inherits: no search, however many
// sessions a mapping has. A session of profile classic is a mapping of its own: leader, in PORT only.
// One of a protocol without ports is in OUT and IN only.
//
// The hash is pair-multiply-shift (M. Thorup, "High Speed Hashing for Integers and Strings", section 3.5):
// with random keys any two different sessions meet in a chain with probability 1 in 4,096, so nobody can
// choose addresses that make a long chain. The keys change whenever the table is empty. Walks are bounded by
// the table's size all the same.
// Not here: which entry goes when the table is full (masquerade-admission.ts), when one ends
// (masquerade-timeout.ts).

import { NOW_AT } from './cells.ts';
import { random32 } from './entropy.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from './ipv4.ts';
import {
  HOST_BYTES,
  HOST_COUNT,
  HOSTS_AT,
  MASQUERADE_AT,
  MASQUERADE_BUCKETS,
  MASQUERADE_BYTES,
  MASQUERADE_COUNT,
  MASQUERADE_IN_HEADS_AT,
  MASQUERADE_MAP_HEADS_AT,
  MASQUERADE_OUT_HEADS_AT,
  MASQUERADE_PEER_HEADS_AT,
  MASQUERADE_PORT_HEADS_AT,
  MASQUERADE_STATE_AT,
  MASQUERADE_STATE_BYTES,
} from './limits.ts';
import { fill, get8, i32at, multiply, put8, puti32, putu16, u16at } from './memory.ts';

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
/** ENTRY_* (u8). */
export const E_FLAGS: i32 = 26;
/** Index of the parameter that is its timer (u8). */
export const E_TIMER: i32 = 27;
/** Record of the inside host (u8). */
export const E_HOST: i32 = 28;
/** CLASS_* of masquerade-admission.ts (u8). */
export const E_CLASS: i32 = 29;
/** High half of the sequence number that the inside expects next (u16): an RST must be near it. */
export const E_ACK: i32 = 30;
export const E_OUT_NEXT: i32 = 32;
export const E_IN_NEXT: i32 = 34;
export const E_MAP_NEXT: i32 = 36;
export const E_PORT_NEXT: i32 = 38;
export const E_PEER_NEXT: i32 = 40;
export const E_RING_NEXT: i32 = 42;
export const E_RING_PREVIOUS: i32 = 44;
/** Neighbours in the list of its class; the first also links the free entries. */
export const E_LIST_NEXT: i32 = 46;
export const E_LIST_PREVIOUS: i32 = 48;
/** Number of the session that this one belongs to (FTP's control connection), for helpers (u16). */
export const E_CONTROL: i32 = 50;
// Sequence numbers shifted by a helper: from where on, by how much, and by how much before (i16 each).
export const E_INIT_SEQUENCE: i32 = 52;
export const E_DELTA: i32 = 56;
export const E_PREVIOUS_DELTA: i32 = 58;
/** Mark, for the firewall. */
export const E_MARK: i32 = 60;

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

// Fields of the state block; the second half is tcp-classic.ts's.
/** Five keys of the hash. */
const KEYS_AT: i32 = MASQUERADE_STATE_AT;
/** Entries in use. */
export const IN_USE_AT: i32 = MASQUERADE_STATE_AT + 20;
/** First of the free list (u16). */
export const FREE_AT: i32 = MASQUERADE_STATE_AT + 24;
/** Entries that were ever in use: those above are not in the free list yet. */
export const FRESH_AT: i32 = MASQUERADE_STATE_AT + 28;
/** Ageing: the next entry to look at, the last that may be in use, and the last seen in use this round. */
export const CURSOR_AT: i32 = MASQUERADE_STATE_AT + 32;
export const HIGHEST_AT: i32 = MASQUERADE_STATE_AT + 36;
export const HIGHEST_SEEN_AT: i32 = MASQUERADE_STATE_AT + 40;
/** Lists of masquerade-admission.ts: first and last (u16 each). */
export const UNANSWERED_AT: i32 = MASQUERADE_STATE_AT + 44;
export const CLOSED_AT: i32 = MASQUERADE_STATE_AT + 48;
/** Inside hosts with an answered session. */
export const HOSTS_ANSWERED_AT: i32 = MASQUERADE_STATE_AT + 52;
/** The host found to hold the most entries, and the tick at which it was looked for. */
export const GREEDIEST_AT: i32 = MASQUERADE_STATE_AT + 56;
export const GREEDIEST_TICK_AT: i32 = MASQUERADE_STATE_AT + 60;

export function resetTable(): void {
  fill(MASQUERADE_STATE_AT, 0, MASQUERADE_STATE_BYTES);
  puti32(GREEDIEST_TICK_AT, i32at(NOW_AT) - 1);
  fill(HOSTS_AT, 0, HOST_COUNT * HOST_BYTES);
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
  const c: i32 = multiply(i32at(KEYS_AT + 16), (local & 0xffff) | ((protocol & 31) << 16));
  return ((a + b + c) | 0) >>> 20;
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
    get8(e + E_PROTOCOL) === protocol
  ) {
    return e;
  }
  return furtherOutbound(u16at(e + E_OUT_NEXT), inside, remote, ports, protocol);
}

/** The rest of the chain, from entry number `first` on. Most chains have one entry. */
function furtherOutbound(first: i32, inside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  let n: i32 = first;
  for (let left: i32 = MASQUERADE_COUNT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      i32at(e + E_OUT_PORTS) === ports &&
      i32at(e + E_REMOTE) === remote &&
      i32at(e + E_INSIDE) === inside &&
      get8(e + E_PROTOCOL) === protocol
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
    get8(e + E_PROTOCOL) === protocol
  ) {
    return e;
  }
  return furtherInbound(u16at(e + E_IN_NEXT), outside, remote, ports, protocol);
}

/** The rest of the chain, from entry number `first` on. Most chains have one entry. */
function furtherInbound(first: i32, outside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  let n: i32 = first;
  for (let left: i32 = MASQUERADE_COUNT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      i32at(e + E_IN_PORTS) === ports &&
      i32at(e + E_REMOTE) === remote &&
      i32at(e + E_OUTSIDE) === outside &&
      get8(e + E_PROTOCOL) === protocol
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
  for (let left: i32 = MASQUERADE_COUNT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      i32at(e + E_INSIDE) === inside &&
      i32at(e + E_OUT_PORTS) >>> 16 === port &&
      get8(e + E_PROTOCOL) === protocol &&
      i32at(e + E_OUTSIDE) === outside
    ) {
      return e;
    }
    n = u16at(e + E_MAP_NEXT);
  }
  return 0;
}

/** The leader of the mapping that has an outside port, or 0: the port is free. */
export function findPort(outside: i32, port: i32, protocol: i32): i32 {
  let n: i32 = u16at(MASQUERADE_PORT_HEADS_AT + 2 * hash(outside, 0, port, protocol));
  for (let left: i32 = MASQUERADE_COUNT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      (i32at(e + E_IN_PORTS) & 0xffff) === port &&
      get8(e + E_PROTOCOL) === protocol &&
      i32at(e + E_OUTSIDE) === outside
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
  for (let left: i32 = MASQUERADE_COUNT; n !== 0 && left !== 0; left--) {
    const e: i32 = entryAt(n);
    if (
      (i32at(e + E_IN_PORTS) & 0xffff) === port &&
      i32at(e + E_REMOTE) === remote &&
      get8(e + E_PROTOCOL) === protocol &&
      i32at(e + E_OUTSIDE) === outside
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
    for (let i: i32 = 0; i < 20; i += 4) puti32(KEYS_AT + i, random32());
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

/** Puts an entry whose addresses, ports, protocol and profile are set into ring and chains. */
export function link(e: i32): void {
  const protocol: i32 = get8(e + E_PROTOCOL);
  const outside: i32 = i32at(e + E_OUTSIDE);
  const remote: i32 = i32at(e + E_REMOTE);
  const port: i32 = i32at(e + E_IN_PORTS) & 0xffff;
  const n: i32 = numberOf(e);
  putu16(e + E_RING_NEXT, n);
  putu16(e + E_RING_PREVIOUS, n);
  if (hasPorts(protocol) !== 0) {
    const leader: i32 = findPort(outside, port, protocol);
    if (leader === 0) {
      lead(e);
      if ((get8(e + E_FLAGS) & ENTRY_CLASSIC) === 0) chainPeer(e);
    } else {
      const peer: i32 = findPeer(outside, remote, port, protocol);
      if (peer !== 0) {
        ringAfter(peer, e);
      } else {
        ringAfter(entryAt(u16at(leader + E_RING_PREVIOUS)), e);
        chainPeer(e);
      }
    }
  }
  chainAdd(outChain(e), e, E_OUT_NEXT);
  chainAdd(inChain(e), e, E_IN_NEXT);
}

/** Takes an entry out of ring and chains; its neighbour inherits its duties. */
export function unlink(e: i32): void {
  const flags: i32 = get8(e + E_FLAGS);
  const next: i32 = entryAt(u16at(e + E_RING_NEXT));
  const previous: i32 = entryAt(u16at(e + E_RING_PREVIOUS));
  chainRemove(outChain(e), e, E_OUT_NEXT);
  chainRemove(inChain(e), e, E_IN_NEXT);
  if ((flags & ENTRY_PEER) !== 0) {
    chainRemove(peerChain(e), e, E_PEER_NEXT);
    if (next !== e && (get8(next + E_FLAGS) & ENTRY_PEER) === 0) chainPeer(next);
  }
  if ((flags & ENTRY_LEADER) !== 0) {
    chainRemove(portChain(e), e, E_PORT_NEXT);
    if ((flags & ENTRY_CLASSIC) === 0) chainRemove(mapChain(e), e, E_MAP_NEXT);
    if (next !== e) lead(next);
  }
  putu16(next + E_RING_PREVIOUS, numberOf(previous));
  putu16(previous + E_RING_NEXT, numberOf(next));
}

/** Makes an entry the leader of its mapping. */
function lead(e: i32): void {
  const flags: i32 = get8(e + E_FLAGS);
  put8(e + E_FLAGS, flags | ENTRY_LEADER);
  chainAdd(portChain(e), e, E_PORT_NEXT);
  if ((flags & ENTRY_CLASSIC) === 0) chainAdd(mapChain(e), e, E_MAP_NEXT);
}

/** Makes an entry the one that PEER knows for its remote address. */
function chainPeer(e: i32): void {
  put8(e + E_FLAGS, get8(e + E_FLAGS) | ENTRY_PEER);
  chainAdd(peerChain(e), e, E_PEER_NEXT);
}

function ringAfter(at: i32, e: i32): void {
  const n: i32 = numberOf(e);
  const next: i32 = u16at(at + E_RING_NEXT);
  putu16(e + E_RING_PREVIOUS, numberOf(at));
  putu16(e + E_RING_NEXT, next);
  putu16(entryAt(next) + E_RING_PREVIOUS, n);
  putu16(at + E_RING_NEXT, n);
}

// Addresses of the heads of an entry's five chains.

export function outChain(e: i32): i32 {
  const bucket: i32 = hash(
    i32at(e + E_INSIDE),
    i32at(e + E_REMOTE),
    i32at(e + E_OUT_PORTS),
    get8(e + E_PROTOCOL),
  );
  return MASQUERADE_OUT_HEADS_AT + 2 * bucket;
}

export function inChain(e: i32): i32 {
  const bucket: i32 = hash(
    i32at(e + E_OUTSIDE),
    i32at(e + E_REMOTE),
    i32at(e + E_IN_PORTS),
    get8(e + E_PROTOCOL),
  );
  return MASQUERADE_IN_HEADS_AT + 2 * bucket;
}

export function mapChain(e: i32): i32 {
  const bucket: i32 = hash(i32at(e + E_INSIDE), 0, i32at(e + E_OUT_PORTS) >>> 16, get8(e + E_PROTOCOL));
  return MASQUERADE_MAP_HEADS_AT + 2 * bucket;
}

export function portChain(e: i32): i32 {
  const bucket: i32 = hash(i32at(e + E_OUTSIDE), 0, i32at(e + E_IN_PORTS) & 0xffff, get8(e + E_PROTOCOL));
  return MASQUERADE_PORT_HEADS_AT + 2 * bucket;
}

export function peerChain(e: i32): i32 {
  const port: i32 = i32at(e + E_IN_PORTS) & 0xffff;
  const bucket: i32 = hash(i32at(e + E_OUTSIDE), i32at(e + E_REMOTE), port, get8(e + E_PROTOCOL));
  return MASQUERADE_PEER_HEADS_AT + 2 * bucket;
}

function chainAdd(head: i32, e: i32, link: i32): void {
  putu16(e + link, u16at(head));
  putu16(head, numberOf(e));
}

function chainRemove(head: i32, e: i32, link: i32): void {
  const n: i32 = numberOf(e);
  let at: i32 = head;
  for (let left: i32 = MASQUERADE_COUNT; left !== 0; left--) {
    const here: i32 = u16at(at);
    if (here === n) {
      putu16(at, u16at(e + link));
      return;
    }
    if (here === 0) return;
    at = entryAt(here) + link;
  }
}
