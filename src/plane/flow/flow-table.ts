// The table of flows: the four hash tables that find a flow's record (src/base/flow-record.ts). The
// sessions of one inside endpoint and protocol form a mapping (RFC 4787, section 4.1): they share the outside
// port and hang in one ring.
//
// Hash tables (chains of u16 links):
//    TUPLE (source, destination, both ports)  both tuples of every flow: a node is the flow's number, twice, and the side
//    MAP   (inside, inside port)              a mapping's leader: a new session asks for its outside port
//    PORT  (outside port)                     the leader: is a port taken? whose is it?
//    PEER  (outside, remote, outside port)    one session for each remote address of a mapping: has the
//                                             inside sent anything to that address (RFC 4787, section 5)?
// A routed flow is in TUPLE alone. A flow of a lost outside address (masquerade-addresses.ts) stays in its chains until it is
// cleared up, and is not found. So a chain may hold two of one key, of which one is found.
//
// The hash is pair-multiply-shift (M. Thorup, "High Speed Hashing for Integers and Strings", section 3.5) over
// all bits of addresses and ports: with random keys any two different tuples meet in a chain with probability
// 1 in 8,192, so nobody can choose addresses that make a long chain. A last mixing step keeps rows of
// addresses or ports from falling into few chains with unlucky keys. The keys change whenever the table is empty.
// What chance may do all the same is bounded: no chain grows past MASQUERADE_CHAIN_LIMIT (flow-link.ts).
// Not here: linking (flow-link.ts), which entry goes when the table is full (flow-admission.ts), when one
// ends (flow-timeout.ts), the sequence numbers (tcp-window.ts).

import { random32 } from '../../base/entropy.ts';
import {
  E_FAR,
  E_FLAGS,
  E_IN_PORTS,
  E_INSIDE,
  E_LIST_NEXT,
  E_MAP_NEXT,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PEER_NEXT,
  E_PORT_NEXT,
  E_PROTOCOL,
  E_REMOTE,
  E_TUPLE_NEXT,
  ENTRY_FORWARD,
  entryAt,
  FREE_AT,
  FRESH_AT,
  HIGHEST_AT,
  HIGHEST_SEEN_AT,
  IN_USE_AT,
  isLost,
  isRouted,
  sessionLimit,
  TUPLE_BYTES,
  TUPLE_DESTINATION,
  TUPLE_PORTS,
  TUPLE_SOURCE,
} from '../../base/flow-record.ts';
import {
  MASQUERADE_AT,
  MASQUERADE_BUCKETS,
  MASQUERADE_BYTES,
  MASQUERADE_CHAIN_LIMIT,
  MASQUERADE_MAP_HEADS_AT,
  MASQUERADE_PEER_HEADS_AT,
  MASQUERADE_PORT_HEADS_AT,
  MASQUERADE_STATE_AT,
  MASQUERADE_STATE_BYTES,
  TUPLE_BUCKETS,
  TUPLE_HEADS_AT,
} from '../../base/limits.ts';

import { fill, get8, i32at, multiply, puti32, putu16, u16at } from '../../base/memory.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../../wire/ipv4.ts';

// Fields of the state block. Behind them: masquerade-addresses.ts (64), tcp-classic.ts (128), flow-hosts.ts (208).
/** An odd number whose bits are even spread: 2^32 divided by the golden ratio. */
const MIX: i32 = -1640531535;
/** Six keys of the hash. */
const KEYS_AT: i32 = MASQUERADE_STATE_AT;
const KEYS_BYTES: i32 = 24;

export function resetTable(): void {
  fill(MASQUERADE_STATE_AT, 0, MASQUERADE_STATE_BYTES);
  fill(TUPLE_HEADS_AT, 0, 2 * TUPLE_BUCKETS);
  fill(MASQUERADE_MAP_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_PORT_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_PEER_HEADS_AT, 0, 2 * MASQUERADE_BUCKETS);
  fill(MASQUERADE_AT, 0, sessionLimit() * MASQUERADE_BYTES);
}

export function numberOf(entry: i32): i32 {
  return (((entry - MASQUERADE_AT) / MASQUERADE_BYTES) | 0) + 1;
}

export { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../../wire/ipv4.ts';

/** UDP-Lite and DCCP have checksums that cover the addresses, in places of their own; 0 is no protocol of an entry. */
const DCCP: i32 = 33;
const UDP_LITE: i32 = 136;

/** 1 if packets of the protocol can be translated. */
export function canTranslate(protocol: i32): i32 {
  return protocol === 0 || protocol === DCCP || protocol === UDP_LITE ? 0 : 1;
}

/** 1 if sessions of the protocol have ports or an identifier. */
export function hasPorts(protocol: i32): i32 {
  return protocol === TCP || protocol === UDP || protocol === ICMP ? 1 : 0;
}

/** 1 if no two ports tell apart who of the inside speaks with an outside address of ours: a rule that leads such elsewhere is asked before the routing (turned.ts). */
export function isTurnedFirst(protocol: i32): i32 {
  return protocol === ICMP || hasPorts(protocol) === 0 ? 1 : 0;
}

/** 1 if a flow is in a mapping: it is masqueraded, by a protocol with ports, and not by a forward. */
export function isMapped(e: i32): i32 {
  if ((get8(e + E_FLAGS) & ENTRY_FORWARD) !== 0 || isRouted(e) !== 0) return 0;
  return hasPorts(get8(e + E_PROTOCOL));
}

/** 1 if a flow's destination was changed by a rule, for a client inside. */
export function isTurned(e: i32): i32 {
  if (i32at(e + E_FAR) !== i32at(e + E_REMOTE)) return 1;
  return get8(e + E_PROTOCOL) !== ICMP && (i32at(e + E_OUT_PORTS) & 0xffff) !== i32at(e + E_IN_PORTS) >>> 16
    ? 1
    : 0;
}

/** A hash of which the top bits choose a chain. Words are halved because the proof wants at most 21 bits a factor. */
function mixed(local: i32, remote: i32, ports: i32, protocol: i32): i32 {
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
  return multiply(sum ^ (sum >>> 15), MIX);
}

/** A chain of MAP, PORT or PEER, 0 to MASQUERADE_BUCKETS - 1. */
export function hash(local: i32, remote: i32, ports: i32, protocol: i32): i32 {
  return mixed(local, remote, ports, protocol) >>> 20;
}

/** Address of the head of a tuple's chain. */
export function tupleChain(source: i32, destination: i32, ports: i32, protocol: i32): i32 {
  return TUPLE_HEADS_AT + 2 * (mixed(source, destination, ports, protocol) >>> 19);
}

/** The flow that has a tuple, and in bit 0 the side that sends it; or 0. */
export function findTuple(source: i32, destination: i32, ports: i32, protocol: i32): i32 {
  let node: i32 = u16at(tupleChain(source, destination, ports, protocol));
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; node !== 0 && left !== 0; left--) {
    const side: i32 = node & 1;
    const e: i32 = entryAt(node >>> 1);
    const tuple: i32 = e + side * TUPLE_BYTES;
    if (
      i32at(tuple + TUPLE_PORTS) === ports &&
      i32at(tuple + TUPLE_DESTINATION) === destination &&
      i32at(tuple + TUPLE_SOURCE) === source &&
      get8(e + E_PROTOCOL) === protocol &&
      isLost(e) === 0
    ) {
      return e | side;
    }
    node = u16at(e + E_TUPLE_NEXT + 2 * side);
  }
  return 0;
}

/** The flow of a packet from inside, or from who began a routed one; or 0. */
export function findOutbound(inside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  const found: i32 = findTuple(inside, remote, ports, protocol);
  return (found & 1) === 0 ? found : 0;
}

/** The flow of a packet from outside, or of an answer in a routed one; or 0. */
export function findInbound(outside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  const found: i32 = findTuple(remote, outside, ports, protocol);
  return (found & 1) !== 0 ? found ^ 1 : 0;
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
    if (n > sessionLimit()) return 0;
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
