// Whether the masquerade table is consistent: every chain, ring, list and count agrees with the entries.
// For tests and for `debug`; it takes a good second on the board. Not for the packet path.

import {
  CLOSED_AT,
  E_FAR,
  E_FLAGS,
  E_HOST,
  E_IN_PORTS,
  E_INSIDE,
  E_LIST_NEXT,
  E_LIST_PREVIOUS,
  E_MAP_NEXT,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PEER_NEXT,
  E_PORT_NEXT,
  E_PROTOCOL,
  E_REMOTE,
  E_RING_NEXT,
  E_RING_PREVIOUS,
  E_SERVER,
  E_TUPLE_NEXT,
  ENTRY_CLASSIC,
  ENTRY_FORWARD,
  ENTRY_LEADER,
  ENTRY_PEER,
  entryAt,
  FREE_AT,
  FRESH_AT,
  HIGHEST_AT,
  HOSTS_ANSWERED_AT,
  IN_USE_AT,
  isLost,
  sessionLimit,
  UNANSWERED_AT,
} from '../../base/flow-record.ts';
import {
  HOST_COUNT,
  MASQUERADE_BUCKETS,
  MASQUERADE_CHAIN_LIMIT,
  MASQUERADE_MAP_HEADS_AT,
  MASQUERADE_PEER_HEADS_AT,
  MASQUERADE_PORT_HEADS_AT,
  SERVER_COUNT,
  TUPLE_BUCKETS,
  TUPLE_HEADS_AT,
} from '../../base/limits.ts';
import { get8, i32at, u16at } from '../../base/memory.ts';
import { SERVER_BITS, SERVER_GENERATION, SERVER_LIVE, serverAt } from '../../base/server-record.ts';
import { CLASS_CLOSED, CLASS_UNANSWERED, classIn, classOf, listOf } from './flow-admission.ts';
import {
  entriesOf,
  greediest,
  H_ANSWERED,
  H_ESTABLISHED,
  H_IDLE,
  hostAt,
  portsHeld,
  portsTaken,
} from './flow-hosts.ts';
import { chainOfTuple, mapChain, peerChain, portChain } from './flow-link.ts';
import {
  findInbound,
  findOutbound,
  findPeer,
  findPort,
  ICMP,
  isMapped,
  numberOf,
  TCP,
  UDP,
} from './flow-table.ts';
import { PORT_MAPPED, portNoted } from './port-map.ts';

/** 0, or a number that names what is wrong. */
export function masqueradeCheck(): i32 {
  let code: i32 = checkFree();
  if (code === 0) code = checkEntries();
  if (code === 0) code = checkChains();
  if (code === 0) code = checkLists();
  if (code === 0) code = checkHosts();
  if (code === 0) code = checkPorts();
  if (code === 0) code = checkServers();
  return code;
}

function used(e: i32): i32 {
  return get8(e + E_PROTOCOL) !== 0 ? 1 : 0;
}

function flag(e: i32, bit: i32): i32 {
  return (get8(e + E_FLAGS) & bit) !== 0 ? 1 : 0;
}

/** 1 to 4: free entries. */
function checkFree(): i32 {
  let inUse: i32 = 0;
  for (let n: i32 = 1; n <= sessionLimit(); n++) {
    if (used(entryAt(n)) === 0) continue;
    inUse++;
    if (n > i32at(FRESH_AT)) return 1;
    if (n > i32at(HIGHEST_AT)) return 2;
  }
  if (inUse !== i32at(IN_USE_AT)) return 3;
  let free: i32 = sessionLimit() - i32at(FRESH_AT);
  let n: i32 = u16at(FREE_AT);
  for (let left: i32 = sessionLimit(); n !== 0 && left !== 0; left--) {
    if (used(entryAt(n)) !== 0) return 4;
    free++;
    n = u16at(entryAt(n) + E_LIST_NEXT);
  }
  return free + inUse === sessionLimit() ? 0 : 4;
}

/** 10 to 29: each entry is found, and its ring is right. */
function checkEntries(): i32 {
  for (let n: i32 = 1; n <= sessionLimit(); n++) {
    const e: i32 = entryAt(n);
    if (used(e) === 0) continue;
    const protocol: i32 = get8(e + E_PROTOCOL);
    const remote: i32 = i32at(e + E_REMOTE);
    // One of a lost address is not found, and its ring goes with it.
    if (isLost(e) !== 0) continue;
    if (findOutbound(i32at(e + E_INSIDE), remote, i32at(e + E_OUT_PORTS), protocol) !== e) return 10;
    const far: i32 = i32at(e + E_FAR);
    if (findInbound(i32at(e + E_OUTSIDE), far, i32at(e + E_IN_PORTS), protocol) !== e) return 11;
    const samePort: i32 = (i32at(e + E_OUT_PORTS) & 0xffff) === i32at(e + E_IN_PORTS) >>> 16 ? 1 : 0;
    // Of one that a rule leads elsewhere the remote end is another.
    if (protocol !== ICMP && samePort === 0 && flag(e, ENTRY_FORWARD) === 0) return 12;
    if (classIn(e) !== classOf(e)) return 13;
    const code: i32 = checkRing(e, protocol, remote);
    if (code !== 0) return code;
  }
  return 0;
}

function checkRing(e: i32, protocol: i32, remote: i32): i32 {
  const next: i32 = entryAt(u16at(e + E_RING_NEXT));
  const previous: i32 = entryAt(u16at(e + E_RING_PREVIOUS));
  if (u16at(next + E_RING_PREVIOUS) !== numberOf(e)) return 20;
  if (used(next) === 0 || get8(next + E_PROTOCOL) !== protocol) return 21;
  if (i32at(next + E_INSIDE) !== i32at(e + E_INSIDE)) return 22;
  if (i32at(next + E_OUT_PORTS) >>> 16 !== i32at(e + E_OUT_PORTS) >>> 16) return 22;
  if (isMapped(e) === 0 || flag(e, ENTRY_CLASSIC) !== 0) {
    if (next !== e || flag(e, ENTRY_PEER) !== 0) return 23;
    return flag(e, ENTRY_LEADER) === isMapped(e) ? 0 : 23;
  }
  const port: i32 = i32at(e + E_IN_PORTS) & 0xffff;
  const outside: i32 = i32at(e + E_OUTSIDE);
  if ((i32at(next + E_IN_PORTS) & 0xffff) !== port || i32at(next + E_OUTSIDE) !== outside) return 24;
  const leader: i32 = findPort(outside, port, protocol);
  if (leader === 0 || i32at(leader + E_INSIDE) !== i32at(e + E_INSIDE)) return 25;
  if (flag(e, ENTRY_LEADER) !== (leader === e ? 1 : 0)) return 26;
  const peer: i32 = findPeer(outside, remote, port, protocol);
  if (flag(e, ENTRY_PEER) !== (peer === e ? 1 : 0)) return 27;
  // The leader opens its group, and who does not open one stands behind one of the same remote address.
  if (leader === e && peer !== e) return 28;
  if (peer !== e && i32at(previous + E_REMOTE) !== remote) return 29;
  return peer === 0 ? 27 : 0;
}

/** 30 to 44: the chains hold those that belong there, once. */
function checkChains(): i32 {
  let leaders: i32 = 0;
  let mappings: i32 = 0;
  let peers: i32 = 0;
  for (let n: i32 = 1; n <= sessionLimit(); n++) {
    const e: i32 = entryAt(n);
    if (used(e) === 0) continue;
    leaders += flag(e, ENTRY_LEADER);
    if (flag(e, ENTRY_CLASSIC) === 0) mappings += flag(e, ENTRY_LEADER);
    peers += flag(e, ENTRY_PEER);
  }
  const all: i32 = i32at(IN_USE_AT);
  let code: i32 = checkTuples(2 * all, 30);
  if (code === 0) code = checkTable(MASQUERADE_MAP_HEADS_AT, E_MAP_NEXT, mappings, 36);
  if (code === 0) code = checkTable(MASQUERADE_PORT_HEADS_AT, E_PORT_NEXT, leaders, 39);
  if (code === 0) code = checkTable(MASQUERADE_PEER_HEADS_AT, E_PEER_NEXT, peers, 42);
  return code;
}

function checkTuples(expected: i32, code: i32): i32 {
  let found: i32 = 0;
  for (let i: i32 = 0; i < TUPLE_BUCKETS; i++) {
    const head: i32 = TUPLE_HEADS_AT + 2 * i;
    let node: i32 = u16at(head);
    for (let left: i32 = MASQUERADE_CHAIN_LIMIT + 1; node !== 0; left--) {
      const e: i32 = entryAt(node >>> 1);
      if (left === 0 || used(e) === 0) return code;
      if (chainOfTuple(e, node & 1) !== head) return code + 1;
      found++;
      node = u16at(e + E_TUPLE_NEXT + 2 * (node & 1));
    }
  }
  return found === expected ? 0 : code + 2;
}

function checkTable(heads: i32, link: i32, expected: i32, code: i32): i32 {
  let found: i32 = 0;
  for (let i: i32 = 0; i < MASQUERADE_BUCKETS; i++) {
    const head: i32 = heads + 2 * i;
    let n: i32 = u16at(head);
    for (let left: i32 = sessionLimit(); n !== 0; left--) {
      const e: i32 = entryAt(n);
      if (left === 0 || used(e) === 0) return code;
      if (chainOf(e, link) !== head) return code + 1;
      found++;
      n = u16at(e + link);
    }
  }
  return found === expected ? 0 : code + 2;
}

function chainOf(e: i32, link: i32): i32 {
  if (link === E_MAP_NEXT) return mapChain(e);
  return link === E_PORT_NEXT ? portChain(e) : peerChain(e);
}

/** 50 to 53: the lists of the classes. Answers minus the code, or how many entries a list holds. */
function checkList(list: i32): i32 {
  let found: i32 = 0;
  let previous: i32 = 0;
  let n: i32 = u16at(list);
  for (let left: i32 = sessionLimit(); n !== 0; left--) {
    const e: i32 = entryAt(n);
    if (left === 0 || used(e) === 0) return -50;
    if (listOf(e) !== list) return -51;
    if (u16at(e + E_LIST_PREVIOUS) !== previous) return -52;
    found++;
    previous = n;
    n = u16at(e + E_LIST_NEXT);
  }
  return u16at(list + 2) === previous ? found : -52;
}

function checkLists(): i32 {
  let listed: i32 = checkList(UNANSWERED_AT);
  if (listed < 0) return -listed;
  const closed: i32 = checkList(CLOSED_AT);
  if (closed < 0) return -closed;
  listed += closed;
  for (let i: i32 = 0; i < HOST_COUNT; i++) {
    const idle: i32 = checkList(hostAt(i) + H_IDLE);
    if (idle < 0) return -idle;
    const established: i32 = checkList(hostAt(i) + H_ESTABLISHED);
    if (established < 0) return -established;
    listed += idle + established;
  }
  return listed === i32at(IN_USE_AT) ? 0 : 53;
}

/** 60 to 63: the hosts' counts. */
function checkHosts(): i32 {
  let hostsAnswered: i32 = 0;
  for (let i: i32 = 0; i < HOST_COUNT; i++) {
    const record: i32 = hostAt(i);
    if (entriesOf(i) > entriesOf(greediest())) return 63;
    if (entriesOf(i) === 0 && u16at(record + H_ANSWERED) === 0) continue;
    let entries: i32 = 0;
    let answered: i32 = 0;
    for (let n: i32 = 1; n <= sessionLimit(); n++) {
      const e: i32 = entryAt(n);
      if (used(e) === 0 || get8(e + E_HOST) !== i) continue;
      entries++;
      if (classIn(e) !== CLASS_UNANSWERED) answered++;
    }
    if (entriesOf(i) !== entries) return 60;
    if (u16at(record + H_ANSWERED) !== answered) return 61;
    if (answered !== 0) hostsAnswered++;
  }
  return i32at(HOSTS_ANSWERED_AT) === hostsAnswered ? 0 : 62;
}

/** 70 to 72: ports are noted as taken, and counted, if and only if a mapping has them. Two answers for each port. */
function checkPorts(): i32 {
  let leaders: i32 = 0;
  for (let n: i32 = 1; n <= sessionLimit(); n++) {
    const e: i32 = entryAt(n);
    if (used(e) === 0 || flag(e, ENTRY_LEADER) === 0 || get8(e + E_PROTOCOL) === ICMP) continue;
    if (portNoted(get8(e + E_PROTOCOL), i32at(e + E_IN_PORTS) & 0xffff, PORT_MAPPED) === 0) return 70;
    leaders++;
  }
  let noted: i32 = 0;
  for (let port: i32 = 0; port < 65536; port++) {
    noted += portNoted(TCP, port, PORT_MAPPED) + portNoted(UDP, port, PORT_MAPPED);
  }
  // Mappings of several outside addresses may have one port.
  if (noted > leaders || (noted === 0 && leaders !== 0)) return 71;
  let counted: i32 = 0;
  for (let i: i32 = 0; i < HOST_COUNT; i++) {
    for (let range: i32 = 0; range < 16; range += 2) counted += portsHeld(i, range);
  }
  for (let range: i32 = 0; range < 16; range += 2) counted -= portsTaken(range);
  return counted === 0 ? 0 : 72;
}

/** 80: the sessions that each server has. */
function checkServers(): i32 {
  for (let i: i32 = 1; i <= SERVER_COUNT; i++) {
    const server: i32 = serverAt(i);
    let live: i32 = 0;
    for (let n: i32 = 1; n <= sessionLimit(); n++) {
      const e: i32 = entryAt(n);
      if (used(e) === 0 || flag(e, ENTRY_FORWARD) === 0 || classIn(e) === CLASS_CLOSED) continue;
      if (u16at(e + E_SERVER) === ((u16at(server + SERVER_GENERATION) << SERVER_BITS) | i)) live++;
    }
    if (live !== u16at(server + SERVER_LIVE)) return 80;
  }
  return 0;
}
