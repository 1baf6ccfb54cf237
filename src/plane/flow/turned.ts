// Flows from inside whose destination a rule has changed: to a proxy (DNAT), or to a port of the router (REDIRECT). Both tuples are in the record as
// those of any flow, so that what is said of it, "we ask the server, and it answers", is true for both ends.
//
//    192.168.0.2:1043 -> 203.0.113.2:80      becomes      192.168.0.1:1043 -> 192.168.0.5:3128     a proxy on the same link
//    192.168.0.2:1043 -> 203.0.113.2:53      becomes      192.168.0.2:1043 -> 192.168.0.1:53       the router
//
// A proxy on the client's own link would answer it directly, and the client not know the answer: so there the source is the router's
// too, by itself, where Linux wants a second rule for that. Its port is the client's, or, where another client has it with that proxy, one
// that is drawn.
// A server outside is asked from our address there, as by all of the inside. A rule of POSTROUTING may say another source of all of these; it is
// asked before those of filter are.
// They are translated before they are routed; all others of the inside are routed first (masquerade.ts).

import { DEMAND_LINKS_AT, PROBE_AT } from '../../base/cells.ts';
import {
  DROP_FRAGMENT_TIMEOUT,
  DROP_INTERFACE_DOWN,
  DROP_NO_PORT,
  DROP_PROTOCOL,
  DROP_TCP_STATE,
} from '../../base/counters.ts';
import { random32 } from '../../base/entropy.ts';
import {
  E_BEGUN,
  E_FAR,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PROTOCOL,
  E_REMOTE,
  ENTRY_CLASSIC,
  ENTRY_FORWARD,
  ENTRY_SENT,
  isLedOwn,
  TUPLE_BYTES,
  TUPLE_PORTS,
  TURNED,
} from '../../base/flow-record.ts';
import {
  IF_ADDRESS,
  IF_SIDE,
  IF_STATE,
  INTERFACE_OUTSIDE,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import { IDENTIFIER_TRIES, MASQUERADE_AT } from '../../base/limits.ts';
import { get8, get32, i32at, put8, puti32, putu16 } from '../../base/memory.ts';
import {
  FLAG_DESTINATION_TRANSLATED,
  FLAG_ICMP_ERROR,
  FLAG_SOURCE_TRANSLATED,
  LOCAL,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_L4,
  PACKET_OUT,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import { NAT_PROFILE, PROFILE_CLASSIC, parameter } from '../../base/parameters.ts';
import {
  ROUTE_LINK,
  ROUTE_LOCAL,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { NAT_ADDRESS_AT, NAT_PORT_AT, NAT_SOURCE_AT } from '../../base/rule-state.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP as TCP,
} from '../../wire/ipv4.ts';
import { TCP_FLAGS, TCP_RST } from '../../wire/tcp.ts';
import { AS_IS, destinationByRules, hasDestinationRules, redirectedByRule, sourceTo } from '../filter/nat.ts';
import { routeTo } from '../ip/route.ts';
import { isSender } from '../ip/sender.ts';
import { demandHold } from '../link/demand.ts';
import { admit } from './flow-admission.ts';
import { beginFlow, noteShared } from './flow-begin.ts';
import { HOST_OTHERS, hostFor } from './flow-hosts.ts';
import { canTranslate, findTuple, hasPorts, isTurned, isTurnedFirst } from './flow-table.ts';
import { noteFlow, useInbound, useOutbound } from './flow-use.ts';
import { errorFlow, turnError } from './icmp-translate.ts';
import { KNOWN_NONE } from './known-flow.ts';
import { NO_PORT } from './port-map.ts';
import { portByRule } from './rule-ports.ts';
import { translate } from './translate.ts';

/** The flow of a packet as it stands, and its side; or 0. */
export function flowAs(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const known: i32 = i32at(packet + PACKET_KNOWN);
  if (known >= MASQUERADE_AT) return known;
  if (known === KNOWN_NONE) return 0;
  return findTuple(
    get32(ip + IP_SOURCE),
    get32(ip + IP_DESTINATION),
    i32at(packet + PACKET_PORTS),
    get8(ip + IP_PROTOCOL),
  );
}

/**
 * A packet that came in from inside by link number `index`, before it is routed: translated if its flow is such a one, or a rule
 * makes it one. PASS, LOCAL if it answers the router itself, or the reason to drop it.
 */
export function turn(packet: i32, index: i32): i32 {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) {
    const about: i32 = errorFlow(packet);
    if (about === 0 || isLed(about & ~1) === 0) return PASS;
    turnError(packet, about & ~1, about & 1);
    return isLedOwn(about & ~1) !== 0 ? LOCAL : PASS;
  }
  let flow: i32 = flowAs(packet);
  if (flow === 0) {
    // What is for our outside address has its own way back (hairpin.ts).
    const to: i32 = i32at(routeTo(get32(packet + PACKET_IP + IP_DESTINATION)) + TO_ROUTE);
    if (hasDestinationRules() === 0 || i32at(packet + PACKET_L4) === 0) return PASS;
    if (
      to >> ROUTE_TYPE_SHIFT === ROUTE_LOCAL &&
      isTurnedFirst(get8(packet + PACKET_IP + IP_PROTOCOL)) === 0 &&
      i32at(interfaceAt(to & ROUTE_LINK) + IF_SIDE) === INTERFACE_OUTSIDE
    )
      return PASS;
    const said: i32 = destinationByRules(packet, index);
    if (said !== 1) return said === 0 ? PASS : said;
    const isPort: i32 = i32at(NAT_PORT_AT) === (i32at(packet + PACKET_PORTS) & 0xffff) ? 1 : 0;
    if (isPort !== 0 && i32at(NAT_ADDRESS_AT) === get32(packet + PACKET_IP + IP_DESTINATION)) return PASS;
    flow = add(packet, index);
    if (flow < MASQUERADE_AT) return flow;
  }
  if (isLed(flow & ~1) === 0) return PASS;
  turnBy(packet, flow & ~1, flow & 1);
  return isLedOwn(flow & ~1) !== 0 ? LOCAL : PASS;
}

/** 1 if a flow's destination was changed, or it is the router's own and translated. */
function isLed(e: i32): i32 {
  return isTurned(e) !== 0 ? 1 : isLedOwn(e);
}

/** A packet that has come to be sent on, and that a rule of ipchains or ipfwadm leads to the router: LOCAL, or the reason to drop it. */
export function turnHere(packet: i32): i32 {
  redirectedByRule();
  return turnToUs(packet);
}

/** A packet that a rule leads to the router: LOCAL, or the reason to drop it. */
export function turnToUs(packet: i32): i32 {
  if (i32at(packet + PACKET_L4) === 0) return DROP_FRAGMENT_TIMEOUT;
  const e: i32 = add(packet, i32at(packet + PACKET_IN));
  if (e < MASQUERADE_AT) return e;
  turnBy(packet, e, 0);
  return LOCAL;
}

/** A packet of the router's own, which it may have sent in such a flow, or about one: as the client knows it. PASS. */
export function turnOwn(packet: i32): i32 {
  const isError: i32 = (i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0 ? 1 : 0;
  const flow: i32 = isError !== 0 ? errorFlow(packet) : flowAs(packet);
  if (flow === 0 || isLed(flow & ~1) === 0) return PASS;
  if (isError !== 0) turnError(packet, flow & ~1, flow & 1);
  else turnBy(packet, flow & ~1, flow & 1);
  puti32(packet + PACKET_FLOW, 0);
  return PASS;
}

/** An error of the router's own, or a reset, about a packet of such a flow that was refused: to who sent that, as he knows the flow. */
export function turnRefusal(packet: i32, flow: i32, isReset: i32): void {
  const back: i32 = 1 - (flow & 1);
  if (isReset !== 0) translate(packet, flow & ~1, back);
  else turnError(packet, flow & ~1, back);
}

/** Translates a packet by its flow, of whose side it is. PASS, or the reason to drop it. */
export function turnBy(packet: i32, e: i32, side: i32): i32 {
  const protocol: i32 = get8(packet + PACKET_IP + IP_PROTOCOL);
  if (side === 0) {
    useOutbound(packet, e, protocol);
  } else {
    useInbound(packet, e, protocol);
  }
  translate(packet, e, side);
  noteFlow(packet, e, side);
  puti32(packet + PACKET_KNOWN, e | side);
  const ports: i32 = i32at(e + TUPLE_BYTES - side * TUPLE_BYTES + TUPLE_PORTS);
  puti32(packet + PACKET_PORTS, (ports << 16) | (ports >>> 16));
  puti32(
    packet + PACKET_FLAGS,
    i32at(packet + PACKET_FLAGS) | FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED,
  );
  return PASS;
}

/** A packet whose flow would leave by a link that a packet dials: HELD, or the reason to drop it. */
function waitFor(packet: i32, link: i32): i32 {
  if (i32at(PROBE_AT) !== 0) return DROP_INTERFACE_DOWN;
  puti32(packet + PACKET_OUT, link);
  return demandHold(packet, link);
}

/** A new flow to where the rules have said: its entry, or the reason to drop. */
function add(packet: i32, index: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const client: i32 = get32(ip + IP_SOURCE);
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const to: i32 = i32at(NAT_ADDRESS_AT);
  const port: i32 = protocol === ICMP ? ports & 0xffff : i32at(NAT_PORT_AT);
  if (canTranslate(protocol) === 0) return DROP_PROTOCOL;
  if (protocol === TCP && (get8(l4 + TCP_FLAGS) & TCP_RST) !== 0) return DROP_TCP_STATE;
  const way: i32 = i32at(routeTo(to) + TO_ROUTE);
  const there: i32 = interfaceAt(way & ROUTE_LINK);
  // By a link that is down there is no address to ask from: it waits as it came.
  if (
    way >> ROUTE_TYPE_SHIFT === ROUTE_UNICAST &&
    ((i32at(DEMAND_LINKS_AT) >> (way & ROUTE_LINK)) & 1) !== 0 &&
    i32at(there + IF_STATE) !== INTERFACE_UP
  )
    return waitFor(packet, way & ROUTE_LINK);
  const isLocal: i32 = way >> ROUTE_TYPE_SHIFT === ROUTE_LOCAL ? 1 : 0;
  const isOutside: i32 = isLocal === 0 && i32at(there + IF_SIDE) === INTERFACE_OUTSIDE ? 1 : 0;
  const isSame: i32 = isLocal === 0 && (way & ROUTE_LINK) === index ? 1 : 0;
  let ours: i32 = isLocal !== 0 ? AS_IS : sourceTo(packet, to, port, 0);
  if (ours === AS_IS) ours = isSame !== 0 || isOutside !== 0 ? i32at(there + IF_ADDRESS) : client;
  const back: i32 = backPort(to, ours, (port << 16) | (ports >>> 16), protocol);
  if (back === NO_PORT) return DROP_NO_PORT;
  if (isOutside !== 0 && ours === 0) return DROP_INTERFACE_DOWN;
  const host: i32 = isSender(packet, client) !== 0 ? hostFor(client) : HOST_OTHERS;
  const e: i32 = admit(host, 0);
  if (e < MASQUERADE_AT) return e;
  put8(e + E_PROTOCOL, protocol);
  puti32(e + E_INSIDE, client);
  puti32(e + E_REMOTE, get32(ip + IP_DESTINATION));
  puti32(e + E_OUT_PORTS, ports);
  puti32(e + E_FAR, to);
  puti32(e + E_OUTSIDE, ours);
  puti32(e + E_IN_PORTS, ((protocol === ICMP ? back : port) << 16) | back);
  putu16(e + E_BEGUN, 1);
  const isClassic: i32 = parameter(NAT_PROFILE) === PROFILE_CLASSIC ? ENTRY_CLASSIC : 0;
  noteShared();
  return beginFlow(e, isOutside !== 0 ? ours : TURNED, ENTRY_SENT | ENTRY_FORWARD | isClassic);
}

/** The port by which a flow comes to another end with another source, as a rule says, or as the client has it if it is free; or NO_PORT. `ports` are those of the answers. */
export function backPort(to: i32, source: i32, ports: i32, protocol: i32): i32 {
  if (hasPorts(protocol) === 0) {
    puti32(NAT_SOURCE_AT, 0);
    return findTuple(to, source, ports & ~0xffff, protocol) === 0 ? 0 : NO_PORT;
  }
  if (i32at(NAT_SOURCE_AT) === 0) return freePort(to, ports >>> 16, source, ports & 0xffff, protocol);
  const port: i32 = portByRule(protocol, (ports << 16) | (ports >>> 16), to, source, 0);
  puti32(NAT_SOURCE_AT, 0);
  return port === NO_PORT ? port : port & 0xffff;
}

/** A port, or identifier, by which the answers of `to` to our address are this flow's alone: `wanted` if it is free; or NO_PORT. */
function freePort(to: i32, port: i32, ours: i32, wanted: i32, protocol: i32): i32 {
  let back: i32 = wanted;
  for (let i: i32 = 0; i < IDENTIFIER_TRIES; i++) {
    const far: i32 = protocol === ICMP ? back : port;
    if (findTuple(to, ours, (far << 16) | back, protocol) === 0) return back;
    back = 0x8000 | (random32() & 0x7fff);
  }
  return NO_PORT;
}
