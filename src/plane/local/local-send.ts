// What control sends: datagrams of the router itself. Control fills an IPv4 packet at PACKET_IP and
// PACKET_LENGTH; TTL 0, identification 0, both checksums and source 0 are filled in here.
// They are not masqueraded: their source is ours, and sockets.ts keeps their ports from the masquerade.

import {
  count,
  DROP_INTERFACE_DOWN,
  DROP_IP_LENGTH,
  DROP_NO_ROUTE,
  DROP_TOO_BIG,
} from '../../base/counters.ts';
import {
  IF_ADDRESS,
  IF_MTU,
  IF_STATE,
  INTERFACE_ABSENT,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import { DATAGRAM_MAX } from '../../base/limits.ts';
import { get8, get16, get32, i32at, put8, put16, put32, puti32 } from '../../base/memory.ts';
import {
  FLAG_LOCAL,
  HELD,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_OUT,
  PASS,
} from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import {
  ROUTE_LINK,
  ROUTE_LOCAL,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { ICMP_ECHO_REQUEST, ICMP_IDENTIFIER } from '../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_DESTINATION,
  IP_DONT_FRAGMENT,
  IP_FRAGMENT,
  IP_HEADER_BYTES,
  IP_ID,
  IP_LENGTH,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  PROTOCOL_ICMP,
  SOURCE_PORT,
  sealHeader,
} from '../../wire/ipv4.ts';
import { emit, receiveOwn } from '../ip/forward.ts';
import { icmpEcho, TTL_DEFAULT } from '../ip/icmp.ts';
import { nextIdentification } from '../ip/identification.ts';
import { routeTo } from '../ip/route.ts';
import { demandOwn } from '../link/demand.ts';
import { linkSendTo } from '../link/link.ts';
import { sealTransport } from './local.ts';
import { socketSent } from './sockets.ts';

/** Sends a datagram to a host by its route: PASS, or why not. Takes the packet in any case. */
export function localSend(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const route: i32 = i32at(routeTo(get32(ip + IP_DESTINATION)) + TO_ROUTE);
  if (route >> ROUTE_TYPE_SHIFT === ROUTE_LOCAL) return sendToUs(packet, route & ROUTE_LINK);
  if (route >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST) return refuse(packet, DROP_NO_ROUTE);
  const at: i32 = interfaceAt(route & ROUTE_LINK);
  const verdict: i32 = prepare(packet, i32at(at + IF_ADDRESS));
  if (verdict !== PASS) return verdict;
  if (i32at(at + IF_STATE) !== INTERFACE_UP) {
    demandOwn(packet, route & ROUTE_LINK);
    return refuse(packet, DROP_NO_ROUTE);
  }
  const isLong: i32 = get16(ip + IP_LENGTH) > i32at(at + IF_MTU) ? 1 : 0;
  if (isLong !== 0 && (get16(ip + IP_OFFSET) & IP_DONT_FRAGMENT) !== 0) return refuse(packet, DROP_TOO_BIG);
  noteSent(packet, route & ROUTE_LINK);
  const sent: i32 = emit(packet);
  return sent === HELD ? PASS : sent;
}

/** Tells the socket from which it is sent who may answer. A later fragment has no ports. */
function noteSent(packet: i32, index: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = ip + headerBytesOf(ip);
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const remote: i32 = get32(ip + IP_DESTINATION);
  if ((get16(ip + IP_OFFSET) & IP_OFFSET_UNITS) !== 0) return;
  if (protocol === PROTOCOL_ICMP)
    socketSent(protocol, get16(l4 + ICMP_IDENTIFIER), index, remote, get16(l4 + ICMP_IDENTIFIER));
  else socketSent(protocol, get16(l4 + SOURCE_PORT), index, remote, get16(l4 + DESTINATION_PORT));
}

/**
 * Sends a datagram to a station that control has filled in at PACKET_TO_STATION, by the given interface, which need
 * not be up: DHCP, where nobody has an address yet. A source of 0 stays.
 */
export function localSendTo(packet: i32, index: i32): i32 {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_STATE) === INTERFACE_ABSENT) return refuse(packet, DROP_INTERFACE_DOWN);
  const verdict: i32 = prepare(packet, 0);
  if (verdict !== PASS) return verdict;
  puti32(packet + PACKET_OUT, index);
  linkSendTo(packet, index);
  return PASS;
}

/** One of our own addresses: only pings are answered, and control gets the answer like any other. */
function sendToUs(packet: i32, index: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  if (get8(ip + IP_PROTOCOL) !== PROTOCOL_ICMP) return refuse(packet, DROP_NO_ROUTE);
  const verdict: i32 = prepare(packet, get32(ip + IP_DESTINATION));
  if (verdict !== PASS) return verdict;
  puti32(packet + PACKET_L4, ip + headerBytesOf(ip));
  puti32(packet + PACKET_IN, index);
  if (get8(i32at(packet + PACKET_L4)) !== ICMP_ECHO_REQUEST) return refuse(packet, DROP_NO_ROUTE);
  noteSent(packet, index);
  icmpEcho(packet);
  receiveOwn(packet, index);
  return PASS;
}

/** Fills in what control left out. The packet is gone if the answer is not PASS. */
function prepare(packet: i32, source: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const length: i32 = get16(ip + IP_LENGTH);
  if (i32at(packet + PACKET_LENGTH) !== length) return refuse(packet, DROP_IP_LENGTH);
  if (length > DATAGRAM_MAX) return refuse(packet, DROP_IP_LENGTH);
  const isPart: i32 = (get16(ip + IP_OFFSET) & IP_FRAGMENT) !== 0 ? 1 : 0;
  if (headerBytesOf(ip) < IP_HEADER_BYTES || length < headerBytesOf(ip) + (isPart !== 0 ? 1 : 8))
    return refuse(packet, DROP_IP_LENGTH);
  puti32(packet + PACKET_IN, -1);
  puti32(packet + PACKET_FLAGS, FLAG_LOCAL);
  if (get32(ip + IP_SOURCE) === 0) put32(ip + IP_SOURCE, source);
  if (get8(ip + IP_TTL) === 0) put8(ip + IP_TTL, TTL_DEFAULT);
  if (get16(ip + IP_ID) === 0)
    put16(ip + IP_ID, nextIdentification(get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION)));
  // In a fragment that control has made, the transport's checksum is control's: here is only a part.
  if (isPart !== 0) sealHeader(ip);
  else sealTransport(ip);
  return PASS;
}

function refuse(packet: i32, reason: i32): i32 {
  count(reason);
  release(packet);
  return reason;
}
