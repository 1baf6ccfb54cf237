// A hairpin: what a host inside sends to our outside address, for the port of another host or an address that is another's alone, is turned round inside.
// First its source is masqueraded, then its destination is found: two flows, each as if the other end were outside (RFC 4787, REQ-9a: the receiver
// sees the outside address and port of the sender).
// Not here: either half (masquerade.ts); pings of our own address that a rule leads to a host (turned.ts).

import { ALIAS_LINK } from '../../base/alias-record.ts';
import { ALIASES_SET_AT } from '../../base/cells.ts';
import { E_IN_PORTS, isOneToOne, isRouted } from '../../base/flow-record.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { FORWARDS_AT } from '../../base/limits.ts';
import { get8, get32, i32at, puti32 } from '../../base/memory.ts';
import {
  DROP_FIRST,
  FLAG_HAIRPIN,
  FLAG_ICMP_ERROR,
  LOCAL,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import { HAIRPIN, parameter } from '../../base/parameters.ts';
import { NAT_ADDRESS_AT } from '../../base/rule-state.ts';
import { IP_DESTINATION, IP_PROTOCOL, IP_SOURCE } from '../../wire/ipv4.ts';
import { destinationByRules, hasDestinationRules, isOurs } from '../filter/nat.ts';
import { aliasOf, aliasOfHost, hostOfAlias } from '../ip/aliases.ts';
import { findOutbound, findPort, isTurnedFirst } from './flow-table.ts';
import { forwardFor, markedFor } from './forwarded.ts';
import { KNOWN_NOTHING } from './known-flow.ts';
import { inbound, masqueradeAs } from './masquerade.ts';
import { turnToUs } from './turned.ts';

/** A packet from the inside for our outside address: PASS if turned round, LOCAL if no mapping knows it. */
export function masqueradeHairpin(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const outside: i32 = get32(ip + IP_DESTINATION);
  if (parameter(HAIRPIN) === 0) return LOCAL;
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) === 0) {
    // A ping of our outside address is for us, whatever identifier another host's ping has.
    const isOwn: i32 = i32at(ALIASES_SET_AT) === 0 ? 0 : isOneToOneHairpin(packet, outside, protocol);
    if (isOwn === 0 && isTurnedFirst(protocol) !== 0) return LOCAL;
    const port: i32 = i32at(packet + PACKET_PORTS) & 0xffff;
    const e: i32 = hasDestinationRules() === 0 ? 0 : turnedFlow(packet, protocol);
    // A flow that goes on is led nowhere anew: what another packet's rule has said is not its.
    if (e !== 0) puti32(NAT_ADDRESS_AT, 0);
    let isRuled: i32 = 0;
    if (e !== 0) isRuled = isSession(e);
    // About these the rules have been asked before the routing.
    else if (isTurnedFirst(protocol) === 0) isRuled = destinationByRules(packet, i32at(packet + PACKET_IN));
    if (isRuled >= DROP_FIRST) return isRuled;
    if (isRuled !== 0 && e === 0 && isOurs(i32at(NAT_ADDRESS_AT)) !== 0) return turnToUs(packet);
    if (
      isOwn === 0 &&
      isRuled === 0 &&
      findPort(outside, port, protocol) === 0 &&
      forwardFor(packet, protocol) === 0
    ) {
      const marked: i32 = markedFor(packet, protocol);
      if (marked < FORWARDS_AT) return marked === 0 ? LOCAL : marked;
    }
  }
  const own: i32 = i32at(ALIASES_SET_AT) === 0 ? 0 : aliasOfHost(get32(packet + PACKET_IP + IP_SOURCE), -1);
  const verdict: i32 = masqueradeAs(packet, own !== 0 ? own : hairpinAddress(outside, protocol));
  if (verdict !== PASS) return verdict;
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) === 0) {
    const e: i32 = i32at(packet + PACKET_FLOW) & ~1;
    const ports: i32 = i32at(packet + PACKET_PORTS);
    puti32(packet + PACKET_PORTS, (i32at(e + E_IN_PORTS) << 16) | (ports & 0xffff));
    puti32(packet + PACKET_KNOWN, KNOWN_NOTHING);
  }
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_HAIRPIN);
  return inbound(packet, 1);
}

/** As whom one inside speaks with an outside address; where no port tells two apart, as a ping's two are one, not as that one itself, by which its own packet would come back. */
function hairpinAddress(outside: i32, protocol: i32): i32 {
  const alias: i32 = isTurnedFirst(protocol) === 0 ? 0 : aliasOf(outside);
  return alias === 0 ? outside : i32at(interfaceAt(i32at(alias + ALIAS_LINK)) + IF_ADDRESS);
}

/** 1 if a packet from inside is for an outside address that stands for a host inside, or is of a session with one. */
function isOneToOneHairpin(packet: i32, outside: i32, protocol: i32): i32 {
  const alias: i32 = aliasOf(outside);
  if (alias !== 0 && hostOfAlias(alias, outside) !== 0) return 1;
  const e: i32 = turnedFlow(packet, protocol);
  return e !== 0 ? isOneToOne(e) : 0;
}

/** The flow of a packet from inside for our outside address, or 0. */
function turnedFlow(packet: i32, protocol: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  return findOutbound(
    get32(ip + IP_SOURCE),
    get32(ip + IP_DESTINATION),
    i32at(packet + PACKET_PORTS),
    protocol,
  );
}

/** 1 if a flow is a session, which goes on to another host, and none with the router itself (own.ts). */
function isSession(e: i32): i32 {
  return isRouted(e) === 0 ? 1 : 0;
}
