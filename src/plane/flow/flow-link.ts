// Linking an entry of the masquerade table into ring and chains, and taking it out.
//
// A ring is ordered so that sessions with one remote address are neighbours. The first of each such group is
// in PEER, the first of all is the leader; when one goes, its neighbour inherits: no search, however many
// sessions a mapping has. A session of profile classic is a mapping of its own: leader, in PORT only.
// One of a protocol without ports, one by a forward, and a routed flow, is in TUPLE only.
// A leader's port is noted as taken (port-map.ts) and counted for its host (flow-hosts.ts).
// Not here: the layout, the searches (flow-table.ts).

import {
  ADDRESS_SHIFT,
  E_ADDRESS,
  E_FLAGS,
  E_HOST,
  E_IN_PORTS,
  E_INSIDE,
  E_MAP_NEXT,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PEER_NEXT,
  E_PORT_NEXT,
  E_PROTOCOL,
  E_REMOTE,
  E_RING_NEXT,
  E_RING_PREVIOUS,
  E_TUPLE_NEXT,
  ENTRY_CLASSIC,
  ENTRY_LEADER,
  ENTRY_PEER,
  entryAt,
  TUPLE_BYTES,
  TUPLE_DESTINATION,
  TUPLE_PORTS,
  TUPLE_SOURCE,
} from '../../base/flow-record.ts';
import {
  MASQUERADE_CHAIN_LIMIT,
  MASQUERADE_MAP_HEADS_AT,
  MASQUERADE_PEER_HEADS_AT,
  MASQUERADE_PORT_HEADS_AT,
} from '../../base/limits.ts';
import { get8, i32at, put8, putu16, u16at } from '../../base/memory.ts';
import { addPorts } from './flow-hosts.ts';
import { findPeer, findPort, hash, isMapped, numberOf, tupleChain } from './flow-table.ts';
import { addToAddress } from './masquerade-addresses.ts';
import { notePort, PORT_MAPPED } from './port-map.ts';

/**
 * Puts an entry whose addresses, ports, protocol, way and profile are set into ring and chains: 1, or 0 and nothing is
 * done, if a chain that it would join is full.
 */
export function link(e: i32): i32 {
  const protocol: i32 = get8(e + E_PROTOCOL);
  const outside: i32 = i32at(e + E_OUTSIDE);
  const port: i32 = i32at(e + E_IN_PORTS) & 0xffff;
  const first: i32 = chainOfTuple(e, 0);
  const second: i32 = chainOfTuple(e, 1);
  if (tuplesHaveRoom(first) === 0 || tuplesHaveRoom(second) === 0) return 0;
  const n: i32 = numberOf(e);
  putu16(e + E_RING_NEXT, n);
  putu16(e + E_RING_PREVIOUS, n);
  if (isMapped(e) !== 0) {
    const leader: i32 = findPort(outside, port, protocol);
    const classic: i32 = get8(e + E_FLAGS) & ENTRY_CLASSIC;
    if (leader === 0) {
      if (chainHasRoom(portChain(e), E_PORT_NEXT) === 0) return 0;
      if (classic === 0 && chainHasRoom(mapChain(e), E_MAP_NEXT) === 0) return 0;
    }
    const peer: i32 = leader === 0 ? 0 : findPeer(outside, i32at(e + E_REMOTE), port, protocol);
    if (peer === 0 && classic === 0 && chainHasRoom(peerChain(e), E_PEER_NEXT) === 0) return 0;
    if (leader === 0) {
      lead(e);
      notePort(protocol, port, PORT_MAPPED, 1);
    } else {
      ringAfter(peer !== 0 ? peer : entryAt(u16at(leader + E_RING_PREVIOUS)), e);
    }
    if (peer === 0 && classic === 0) chainPeer(e);
  }
  addTuple(first, e, 0);
  addTuple(second, e, 1);
  addToAddress(get8(e + E_ADDRESS) >>> ADDRESS_SHIFT, 1);
  return 1;
}

/** Takes an entry out of ring and chains; its neighbour inherits its duties. */
export function unlink(e: i32): void {
  const flags: i32 = get8(e + E_FLAGS);
  addToAddress(get8(e + E_ADDRESS) >>> ADDRESS_SHIFT, -1);
  const next: i32 = entryAt(u16at(e + E_RING_NEXT));
  const previous: i32 = entryAt(u16at(e + E_RING_PREVIOUS));
  removeTuple(e, 0);
  removeTuple(e, 1);
  if ((flags & ENTRY_PEER) !== 0) {
    chainRemove(peerChain(e), e, E_PEER_NEXT);
    if (next !== e && (get8(next + E_FLAGS) & ENTRY_PEER) === 0) chainPeer(next);
  }
  if ((flags & ENTRY_LEADER) !== 0) {
    addPorts(get8(e + E_HOST), get8(e + E_PROTOCOL), i32at(e + E_IN_PORTS) & 0xffff, -1);
    chainRemove(portChain(e), e, E_PORT_NEXT);
    if ((flags & ENTRY_CLASSIC) === 0) chainRemove(mapChain(e), e, E_MAP_NEXT);
    if (next !== e) lead(next);
    else givePort(e);
  }
  putu16(next + E_RING_PREVIOUS, numberOf(previous));
  putu16(previous + E_RING_NEXT, numberOf(next));
}

/** Makes an entry the leader of its mapping. */
function lead(e: i32): void {
  const flags: i32 = get8(e + E_FLAGS);
  put8(e + E_FLAGS, flags | ENTRY_LEADER);
  addPorts(get8(e + E_HOST), get8(e + E_PROTOCOL), i32at(e + E_IN_PORTS) & 0xffff, 1);
  chainAdd(portChain(e), e, E_PORT_NEXT);
  if ((flags & ENTRY_CLASSIC) === 0) chainAdd(mapChain(e), e, E_MAP_NEXT);
}

/** A mapping has ended: its port is free, unless a mapping of another outside address has it as well. */
function givePort(e: i32): void {
  const protocol: i32 = get8(e + E_PROTOCOL);
  const port: i32 = i32at(e + E_IN_PORTS) & 0xffff;
  let n: i32 = u16at(portChain(e));
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; n !== 0 && left !== 0; left--) {
    const other: i32 = entryAt(n);
    if ((i32at(other + E_IN_PORTS) & 0xffff) === port && get8(other + E_PROTOCOL) === protocol) return;
    n = u16at(other + E_PORT_NEXT);
  }
  notePort(protocol, port, PORT_MAPPED, 0);
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

// Addresses of the heads of an entry's chains.

/** That of the tuple which a side sends. */
export function chainOfTuple(e: i32, side: i32): i32 {
  const tuple: i32 = e + side * TUPLE_BYTES;
  return tupleChain(
    i32at(tuple + TUPLE_SOURCE),
    i32at(tuple + TUPLE_DESTINATION),
    i32at(tuple + TUPLE_PORTS),
    get8(e + E_PROTOCOL),
  );
}

export function mapChain(e: i32): i32 {
  const bucket: i32 = hash(i32at(e + E_INSIDE), 0, i32at(e + E_OUT_PORTS) >>> 16, get8(e + E_PROTOCOL));
  return MASQUERADE_MAP_HEADS_AT + 2 * bucket;
}

export function portChain(e: i32): i32 {
  const bucket: i32 = hash(0, 0, i32at(e + E_IN_PORTS) & 0xffff, get8(e + E_PROTOCOL));
  return MASQUERADE_PORT_HEADS_AT + 2 * bucket;
}

export function peerChain(e: i32): i32 {
  const port: i32 = i32at(e + E_IN_PORTS) & 0xffff;
  const bucket: i32 = hash(i32at(e + E_OUTSIDE), i32at(e + E_REMOTE), port, get8(e + E_PROTOCOL));
  return MASQUERADE_PEER_HEADS_AT + 2 * bucket;
}

function chainHasRoom(head: i32, link: i32): i32 {
  let n: i32 = u16at(head);
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; left !== 0; left--) {
    if (n === 0) return 1;
    n = u16at(entryAt(n) + link);
  }
  return 0;
}

function chainAdd(head: i32, e: i32, link: i32): void {
  putu16(e + link, u16at(head));
  putu16(head, numberOf(e));
}

function chainRemove(head: i32, e: i32, link: i32): void {
  const n: i32 = numberOf(e);
  let at: i32 = head;
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; left !== 0; left--) {
    const here: i32 = u16at(at);
    if (here === n) {
      putu16(at, u16at(e + link));
      return;
    }
    if (here === 0) return;
    at = entryAt(here) + link;
  }
}

// Chains of tuples. A node is a flow's number, twice, and a side.

function nextOf(node: i32): i32 {
  return entryAt(node >>> 1) + E_TUPLE_NEXT + 2 * (node & 1);
}

function tuplesHaveRoom(head: i32): i32 {
  let node: i32 = u16at(head);
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT; left !== 0; left--) {
    if (node === 0) return 1;
    node = u16at(nextOf(node));
  }
  return 0;
}

function addTuple(head: i32, e: i32, side: i32): void {
  putu16(e + E_TUPLE_NEXT + 2 * side, u16at(head));
  putu16(head, 2 * numberOf(e) + side);
}

function removeTuple(e: i32, side: i32): void {
  const node: i32 = 2 * numberOf(e) + side;
  let at: i32 = chainOfTuple(e, side);
  // Both tuples of a flow may be in one chain that had one place left.
  for (let left: i32 = MASQUERADE_CHAIN_LIMIT + 1; left !== 0; left--) {
    const here: i32 = u16at(at);
    if (here === node) {
      putu16(at, u16at(nextOf(node)));
      return;
    }
    if (here === 0) return;
    at = nextOf(here);
  }
}
