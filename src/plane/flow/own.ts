// Flows that end at the router itself: of what it asks, and of what it is asked. They are made only where rules ask for states
// (src/plane/filter/), and only of what these have let pass: a box that lets in answers alone then hears its answers.
// They are routed flows of which the router is one end: nothing of them is translated, and no packet of them takes the short way.
//
// A host inside has its share of the table for them as for any, and so has the router; those of strangers are in the share of all unknown
// ones. Where there is no room none is made: then the answer is NEW to the rules, and to nobody else any harm.

import { PROBE_AT } from '../../base/cells.ts';
import { E_PROTOCOL, E_TIMER } from '../../base/flow-record.ts';
import { get8, get16, i32at, put8, puti32 } from '../../base/memory.ts';
import { PACKET_FLOW, PACKET_IP, PACKET_KNOWN, PACKET_L4, PACKET_PORTS } from '../../base/packet.ts';
import { RFC_ICMP } from '../../base/parameters.ts';
import { ICMP_IDENTIFIER, icmpIsError } from '../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../wire/ipv4.ts';
import { KNOWN_NOTHING } from './known-flow.ts';
import { trackRouted } from './routed.ts';

/**
 * Notes a packet to or from the router that the rules have let pass: what it does to its flow, which it begins if there is none. 0 if its flow is
 * another's that a rule has led to the router (turned.ts).
 */
export function trackOwn(packet: i32): i32 {
  puti32(packet + PACKET_FLOW, 0);
  trackRouted(packet);
  const e: i32 = i32at(packet + PACKET_FLOW) & ~1;
  // Who asks a name asks each by another port: they would fill the table for minutes.
  if (e !== 0 && get8(e + E_PROTOCOL) === PROTOCOL_UDP && i32at(PROBE_AT) === 0) put8(e + E_TIMER, RFC_ICMP);
  // Whoever sends it on does not keep its route: the next one is the router's again.
  puti32(packet + PACKET_FLOW, 0);
  return e !== 0 ? 1 : 0;
}

/** Fills in what the door says of packets that come in: of one of our own. 0 of a later fragment, which says nothing. */
export function describeOwn(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = ip + headerBytesOf(ip);
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  if ((get16(ip + IP_OFFSET) & IP_OFFSET_UNITS) !== 0) return 0;
  let ports: i32 = 0;
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
    ports = (get16(l4) << 16) | get16(l4 + DESTINATION_PORT);
  } else if (protocol === PROTOCOL_ICMP && icmpIsError(get8(l4)) === 0) {
    const identifier: i32 = get16(l4 + ICMP_IDENTIFIER);
    ports = (identifier << 16) | identifier;
  }
  puti32(packet + PACKET_L4, l4);
  puti32(packet + PACKET_PORTS, ports);
  puti32(packet + PACKET_KNOWN, KNOWN_NOTHING);
  return 1;
}
