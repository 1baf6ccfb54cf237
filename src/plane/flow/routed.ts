// Flows that are routed as they are, from inside to inside: nothing is translated, no port is taken. They are in the table so that
// their packets take the short way (known-flow.ts), their state is known, and they are counted.
// A host's share of the table holds for them as for sessions. Where there is no room for one its packets pass all the
// same, each by the long way.
// Not here: what passes and what does not (src/plane/ip/forward.ts).

import { DROP_TABLE_FULL } from '../../base/counters.ts';
import {
  E_FAR,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PROTOCOL,
  E_REMOTE,
  ENTRY_CLASSIC,
  ENTRY_SENT,
  isRouted,
  ROUTED,
} from '../../base/flow-record.ts';
import { IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { MASQUERADE_AT } from '../../base/limits.ts';
import { get8, get32, i32at, put8, puti32 } from '../../base/memory.ts';
import {
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_L4,
  PACKET_PORTS,
} from '../../base/packet.ts';
import { NAT_PROFILE, PROFILE_CLASSIC, parameter } from '../../base/parameters.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP as TCP,
} from '../../wire/ipv4.ts';
import { TCP_FLAGS, TCP_RST } from '../../wire/tcp.ts';
import { isSender } from '../ip/sender.ts';
import { admit } from './flow-admission.ts';
import { beginFlow } from './flow-begin.ts';
import { HOST_OTHERS, hostFor } from './flow-hosts.ts';
import { findTuple } from './flow-table.ts';
import { noteFlow, useInbound, useOutbound } from './flow-use.ts';
import { KNOWN_NONE } from './known-flow.ts';
import { queryOf } from './queries.ts';

/** A packet that is about to be passed on as it is: what it does to its flow, which it begins if there is none. */
export function trackRouted(packet: i32): void {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) return;
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const source: i32 = get32(ip + IP_SOURCE);
  const destination: i32 = get32(ip + IP_DESTINATION);
  let flow: i32 = i32at(packet + PACKET_KNOWN);
  if (flow < MASQUERADE_AT && flow !== KNOWN_NONE)
    flow = findTuple(source, destination, i32at(packet + PACKET_PORTS), protocol);
  if (flow < MASQUERADE_AT) {
    const made: i32 = add(packet, source, destination, protocol);
    if (made < MASQUERADE_AT) return;
    flow = made;
  }
  const side: i32 = flow & 1;
  const e: i32 = flow ^ side;
  // A session whose remote host is inside now: it ends by its timer, and this packet is none of its.
  if (isRouted(e) === 0) return;
  if (side === 0) useOutbound(packet, e, protocol);
  else useInbound(packet, e, protocol);
  noteFlow(packet, e, side);
}

/** A new flow: its entry, or a number below MASQUERADE_AT where a packet begins none or there is no room. */
function add(packet: i32, source: i32, destination: i32, protocol: i32): i32 {
  const l4: i32 = i32at(packet + PACKET_L4);
  if (l4 === 0 || protocol === 0 || source === destination) return 0;
  if (protocol === TCP && (get8(l4 + TCP_FLAGS) & TCP_RST) !== 0) return 0;
  if (protocol === ICMP && queryOf(get8(l4)) === 0) return 0;
  const came: i32 = i32at(packet + PACKET_IN);
  const isStranger: i32 = came >= 0 && i32at(interfaceAt(came) + IF_SIDE) === INTERFACE_OUTSIDE ? 1 : 0;
  const host: i32 = isStranger === 0 && isSender(packet, source) !== 0 ? hostFor(source) : HOST_OTHERS;
  const e: i32 = admit(host, isStranger);
  if (e < MASQUERADE_AT) return DROP_TABLE_FULL;
  const ports: i32 = i32at(packet + PACKET_PORTS);
  put8(e + E_PROTOCOL, protocol);
  puti32(e + E_INSIDE, source);
  puti32(e + E_REMOTE, destination);
  puti32(e + E_OUT_PORTS, ports);
  puti32(e + E_FAR, destination);
  puti32(e + E_OUTSIDE, source);
  puti32(e + E_IN_PORTS, (ports << 16) | (ports >>> 16));
  const isClassic: i32 = parameter(NAT_PROFILE) === PROFILE_CLASSIC ? 1 : 0;
  return beginFlow(e, ROUTED, isClassic !== 0 ? ENTRY_CLASSIC | ENTRY_SENT : ENTRY_SENT);
}
