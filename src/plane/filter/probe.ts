// What would become of a packet that nobody has sent: a made-up one goes the way of all through src/plane/ip/forward.ts. While PROBE_AT is set
// nothing of it stays: the steps that change what there is ask for it. Nothing is counted or logged, no limit gives a token, `recent` remembers
// nothing, and no flow is made, ended, used or marked: that which it would begin is a record outside the table (PROBE_FLOW). Where it would leave, be
// given to control, answered or dropped, that is noted and it goes no further (probing.ts). Beside chance, which is drawn, the rest is put back here.
//
// A chain may also be asked alone, as ipchains -C and ipfwadm -c do.
// Not here: what is asked and how it is told (src/control/rules/explain/).

import { PROBE_AT } from '../../base/cells.ts';
import { DROP_LOCAL_CLOSED } from '../../base/counters.ts';
import { ADDRESSES_AT } from '../../base/flow-record.ts';
import { COUNTER_COUNT, COUNTERS_AT, OUTSIDE_COUNT } from '../../base/limits.ts';
import { copy, fill, i32at, put8, put16, put32, puti32 } from '../../base/memory.ts';
import { NEIGHBOUR_HEADER } from '../../base/neighbour-record.ts';
import {
  FLAG_BROADCAST,
  FLAG_ICMP_ERROR,
  FLAG_LOCAL,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_PORTS,
  PACKET_STATION,
} from '../../base/packet.ts';
import { allocate, release } from '../../base/pool.ts';
import {
  PROBE_ABOUT,
  PROBE_ABOUT_DESTINATION,
  PROBE_ABOUT_PORTS,
  PROBE_ABOUT_SOURCE,
  PROBE_BYTES,
  PROBE_CHAIN,
  PROBE_CLOSED,
  PROBE_DESTINATION,
  PROBE_GONE,
  PROBE_IN,
  PROBE_KIND,
  PROBE_MARK,
  PROBE_MARKED,
  PROBE_MET,
  PROBE_NAMES,
  PROBE_PORTS,
  PROBE_PROTOCOL,
  PROBE_SET_TABLE,
  PROBE_SOURCE,
  PROBE_VERDICT,
} from '../../base/probe-record.ts';
import {
  ROUTE_BROADCAST,
  ROUTE_MULTICAST,
  ROUTE_TYPE_SHIFT,
  TO_NEXT_HOP,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { VIEW_IN } from '../../base/rule-state.ts';
import { ICMP_ECHO_REQUEST, ICMP_HEADER_BYTES, ICMP_IDENTIFIER } from '../../wire/icmp.ts';
import {
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_LENGTH,
  IP_PLAIN,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  ipv4Check,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  sealHeader,
} from '../../wire/ipv4.ts';
import { TCP_FLAGS, TCP_HEADER_BYTES, TCP_LENGTH } from '../../wire/tcp.ts';
import { UDP_HEADER_BYTES, UDP_LENGTH } from '../../wire/udp.ts';
import { KNOWN_NOTHING } from '../flow/known-flow.ts';
import { emit, receiveProbe } from '../ip/forward.ts';
import { routeTo } from '../ip/route.ts';
import { neighbourFind } from '../link/neighbour-table.ts';
import { sealTransport } from '../local/local.ts';
import { noteEnds } from './probing.ts';
import { look } from './view.ts';
import { walk } from './walk.ts';

const TTL: i32 = 64;
/** Behind the datagram in the packet's buffer: what is put back. */
const KEPT: i32 = PACKET_IP + 512;
const KEPT_COUNTERS: i32 = 4 * COUNTER_COUNT;
const CLOSED: i32 = 4 * DROP_LOCAL_CLOSED;
const KEPT_ADDRESSES: i32 = 4 * OUTSIDE_COUNT;

/** Asks about the packet of src/base/probe-record.ts: 1, or 0 where no buffer is free. There must be memory for rules. */
export function ruleProbe(): i32 {
  const packet: i32 = allocate();
  if (packet === 0) return 0;
  const came: i32 = i32at(PROBE_IN);
  const chain: i32 = i32at(PROBE_CHAIN);
  copy(packet + KEPT, COUNTERS_AT, KEPT_COUNTERS);
  copy(packet + KEPT + KEPT_COUNTERS, ADDRESSES_AT, KEPT_ADDRESSES);
  makeUp(packet, came);
  puti32(PROBE_MARKED, 0);
  puti32(PROBE_MARK, 0);
  puti32(PROBE_GONE, 0);
  puti32(PROBE_SET_TABLE, 0);
  noteEnds(packet);
  puti32(PROBE_AT, 1);
  if (chain !== 0) {
    look(packet, came, -1);
    puti32(VIEW_IN, i32at(PROBE_NAMES));
    puti32(PROBE_VERDICT, walk(chain));
  } else if (came < 0) {
    emit(packet);
  } else {
    receiveProbe(packet, came);
  }
  puti32(PROBE_MET, i32at(PROBE_AT) - 1);
  puti32(PROBE_AT, 0);
  puti32(PROBE_CLOSED, i32at(COUNTERS_AT + CLOSED) - i32at(packet + KEPT + CLOSED));
  copy(COUNTERS_AT, packet + KEPT, KEPT_COUNTERS);
  copy(ADDRESSES_AT, packet + KEPT + KEPT_COUNTERS, KEPT_ADDRESSES);
  release(packet);
  return 1;
}

/** A datagram as one that the door has checked. */
function makeUp(packet: i32, came: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = ip + IP_HEADER_BYTES;
  const protocol: i32 = i32at(PROBE_PROTOCOL);
  const kind: i32 = i32at(PROBE_KIND);
  const bytes: i32 = i32at(PROBE_BYTES);
  const source: i32 = i32at(PROBE_SOURCE);
  fill(ip, 0, IP_HEADER_BYTES + 2 * TCP_HEADER_BYTES);
  put8(ip, IP_PLAIN);
  put16(ip + IP_LENGTH, bytes);
  put8(ip + IP_TTL, TTL);
  put8(ip + IP_PROTOCOL, protocol);
  put32(ip + IP_SOURCE, source);
  put32(ip + IP_DESTINATION, i32at(PROBE_DESTINATION));
  if (protocol === PROTOCOL_ICMP) {
    put16(l4, kind);
    put32(l4 + ICMP_IDENTIFIER, i32at(PROBE_PORTS));
  } else {
    put32(l4, i32at(PROBE_PORTS));
  }
  if (protocol === PROTOCOL_UDP) put16(l4 + UDP_LENGTH, bytes - IP_HEADER_BYTES);
  if (protocol === PROTOCOL_TCP) {
    put8(l4 + TCP_LENGTH, TCP_HEADER_BYTES << 2);
    put8(l4 + TCP_FLAGS, kind);
  }
  const error: i32 = protocol === PROTOCOL_ICMP && i32at(PROBE_ABOUT) !== 0 ? FLAG_ICMP_ERROR : 0;
  if (error !== 0) quote(l4 + ICMP_HEADER_BYTES);
  sealTransport(ip);
  puti32(packet + PACKET_IN, came);
  puti32(packet + PACKET_LENGTH, bytes);
  puti32(packet + PACKET_L4, l4);
  puti32(packet + PACKET_PORTS, 0);
  puti32(packet + PACKET_KNOWN, KNOWN_NOTHING);
  ipv4Check(packet);
  puti32(packet + PACKET_FLAGS, FLAG_LOCAL | error);
  if (came < 0) return;
  const kindTo: i32 = i32at(routeTo(i32at(PROBE_DESTINATION)) + TO_ROUTE) >> ROUTE_TYPE_SHIFT;
  const isAll: i32 = kindTo === ROUTE_BROADCAST || kindTo === ROUTE_MULTICAST ? FLAG_BROADCAST : 0;
  puti32(packet + PACKET_FLAGS, isAll | error);
  // From the station by which its source is reached.
  const station: i32 = neighbourFind(i32at(routeTo(source) + TO_NEXT_HOP), came);
  fill(packet + PACKET_STATION, 0, 6);
  if (station !== 0) copy(packet + PACKET_STATION, station + NEIGHBOUR_HEADER, 6);
}

/** What an error quotes: a header, and the ports, or the query, behind it. */
function quote(at: i32): void {
  const protocol: i32 = i32at(PROBE_ABOUT);
  const ports: i32 = i32at(PROBE_ABOUT_PORTS);
  put8(at, IP_PLAIN);
  put16(at + IP_LENGTH, IP_HEADER_BYTES + UDP_HEADER_BYTES);
  put8(at + IP_TTL, TTL);
  put8(at + IP_PROTOCOL, protocol);
  put32(at + IP_SOURCE, i32at(PROBE_ABOUT_SOURCE));
  put32(at + IP_DESTINATION, i32at(PROBE_ABOUT_DESTINATION));
  if (protocol === PROTOCOL_ICMP) {
    put8(at + IP_HEADER_BYTES, ICMP_ECHO_REQUEST);
    put32(at + IP_HEADER_BYTES + ICMP_IDENTIFIER, ports & ~0xffff);
  } else {
    put32(at + IP_HEADER_BYTES, ports);
  }
  sealHeader(at);
}
