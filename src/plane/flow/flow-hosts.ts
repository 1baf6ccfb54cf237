// Records of inside hosts: how many sessions each has, its lists of those that may go, and its share of the ports.
//
//     0         4         6          8                  12                        16
//     | address | entries | answered | idle: first,last | established: first,last | eight counts of ports |
//
// A host has a place of its own in a /24, and another by a keyed hash, so that hosts of wider networks that fall
// together on the one do not on the other. From each, HOST_PROBES records are looked at. A host that finds none free
// shares record 0, HOST_OTHERS, with all whose source address nobody knows to be theirs (src/plane/ip/sender.ts).
//
// The host that holds the most is found without a search: a tree over the records, whose nodes hold the winner of
// the two below, is put right on each change, at most eight levels up.
//
//    HOST_TREE_AT: node n, 1 to HOST_COUNT - 1, has the children 2n and 2n + 1; from HOST_COUNT on they are records
//
// Shares of ports. In 512 to 1023 and in 61000 to 65095, the ranges that are drawn from, and in each parity of
// either, a host may take a port while it holds fewer than are free there. So the first greedy host gets half, the
// next half of the rest, and no number of them gets the last. Who may not is given a port elsewhere.
// Not here: who gets an entry (flow-admission.ts), which port (masquerade-ports.ts).

import {
  HOST_BYTES,
  HOST_COUNT,
  HOST_PROBES,
  HOST_TREE_AT,
  HOSTS_AT,
  MASQUERADE_STATE_AT,
} from '../../base/limits.ts';
import { fill, get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { PROTOCOL_ICMP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { hash } from './flow-table.ts';

export const H_ADDRESS: i32 = 0;
export const H_ENTRIES: i32 = 4;
export const H_ANSWERED: i32 = 6;
export const H_IDLE: i32 = 8;
export const H_ESTABLISHED: i32 = 12;
const H_PORTS: i32 = 16;

/** The record that hosts share which found none of their own. */
export const HOST_OTHERS: i32 = 0;

/** Ports below 1024 that are drawn; those below 512 are too often served. */
export const LOW_FIRST: i32 = 512;
export const LOW_LAST: i32 = 1023;
/** Ports that are drawn else: PORT_FIRST and PORT_LAST as they come (src/base/parameters.ts). */
const HIGH_FIRST: i32 = 61000;
const HIGH_LAST: i32 = 65095;
/** Ports taken by mappings: eight counts (u16), as in a host's record. */
const TAKEN_AT: i32 = MASQUERADE_STATE_AT + 208;
/** Not in a range that is shared out. */
const NO_RANGE: i32 = -1;

export function resetHosts(): void {
  fill(HOSTS_AT, 0, HOST_COUNT * HOST_BYTES);
  for (let node: i32 = HOST_COUNT - 1; node !== 0; node--) {
    const left: i32 = 2 * node - HOST_COUNT;
    put8(HOST_TREE_AT + node, left >= 0 ? left : get8(HOST_TREE_AT + 2 * node));
  }
}

/** Address of a host's record. */
export function hostAt(index: i32): i32 {
  return HOSTS_AT + index * HOST_BYTES;
}

export function entriesOf(index: i32): i32 {
  return u16at(HOSTS_AT + index * HOST_BYTES + H_ENTRIES);
}

/** Adds an entry to a host. */
export function addEntry(host: i32): void {
  const entries: i32 = entriesOf(host) + 1;
  putu16(hostAt(host) + H_ENTRIES, entries);
  for (let node: i32 = (HOST_COUNT + host) >> 1; node !== 0; node >>= 1) {
    const winner: i32 = get8(HOST_TREE_AT + node);
    if (winner !== host) {
      if (entriesOf(winner) >= entries) return;
      put8(HOST_TREE_AT + node, host);
    }
  }
}

/** Takes an entry from a host. */
export function dropEntry(host: i32): void {
  putu16(hostAt(host) + H_ENTRIES, entriesOf(host) - 1);
  let winner: i32 = host;
  let below: i32 = HOST_COUNT + host;
  for (let node: i32 = below >> 1; node !== 0; node >>= 1) {
    if (get8(HOST_TREE_AT + node) !== host) return;
    const sibling: i32 = below ^ 1;
    const rival: i32 = sibling >= HOST_COUNT ? sibling - HOST_COUNT : get8(HOST_TREE_AT + sibling);
    if (entriesOf(rival) > entriesOf(winner)) winner = rival;
    put8(HOST_TREE_AT + node, winner);
    below = node;
  }
}

/** The host that holds the most entries. */
export function greediest(): i32 {
  return get8(HOST_TREE_AT + 1);
}

/** The record of an inside host: its own, a free one that it gets, or the common one. */
export function hostFor(address: i32): i32 {
  let free: i32 = HOST_OTHERS;
  let host: i32 = (address ^ (address >>> 8)) & 255;
  for (let from: i32 = 2; from !== 0; from--) {
    for (let left: i32 = HOST_PROBES; left !== 0; left--) {
      host = host >= HOST_COUNT - 1 ? 1 : host + 1;
      if (entriesOf(host) === 0) {
        if (free === HOST_OTHERS) free = host;
      } else if (i32at(hostAt(host) + H_ADDRESS) === address) {
        return host;
      }
    }
    host = hash(address, 0, 0, 0) & 255;
  }
  if (free !== HOST_OTHERS) puti32(hostAt(free) + H_ADDRESS, address);
  return free;
}

/** Place of a port's count among the eight: protocol, range and parity; or NO_RANGE. */
function rangeOf(protocol: i32, port: i32): i32 {
  if (protocol === PROTOCOL_ICMP) return NO_RANGE;
  const udp: i32 = protocol === PROTOCOL_UDP ? 8 : 0;
  if (port >= LOW_FIRST && port <= LOW_LAST) return udp + 2 * (port & 1);
  return port >= HIGH_FIRST && port <= HIGH_LAST ? udp + 4 + 2 * (port & 1) : NO_RANGE;
}

/** Adds to the ports of TCP or UDP that a host's mappings have. */
export function addPorts(host: i32, protocol: i32, port: i32, more: i32): void {
  const range: i32 = rangeOf(protocol, port);
  if (range === NO_RANGE) return;
  const held: i32 = hostAt(host) + H_PORTS + range;
  putu16(held, u16at(held) + more);
  putu16(TAKEN_AT + range, u16at(TAKEN_AT + range) + more);
}

/** 1 if a host may take a port like this one: it holds fewer than are free of its range and parity. */
export function mayTake(host: i32, protocol: i32, port: i32): i32 {
  const range: i32 = rangeOf(protocol, port);
  if (range === NO_RANGE) return 1;
  const all: i32 = (range & 4) !== 0 ? (HIGH_LAST - HIGH_FIRST + 1) >> 1 : (LOW_LAST - LOW_FIRST + 1) >> 1;
  return u16at(hostAt(host) + H_PORTS + range) < all - u16at(TAKEN_AT + range) ? 1 : 0;
}

/** Ports of one range (0 to 14, even) that a host's mappings have, or all hosts'. For flow-check.ts. */
export function portsHeld(host: i32, range: i32): i32 {
  return u16at(hostAt(host) + H_PORTS + range);
}

export function portsTaken(range: i32): i32 {
  return u16at(TAKEN_AT + range);
}
