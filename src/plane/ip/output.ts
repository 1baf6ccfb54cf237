// What rules make of a packet of the router's own, in the order of Linux:
//
//    mangle OUTPUT -> nat OUTPUT, to whom -> filter OUTPUT -> mangle POSTROUTING -> nat POSTROUTING, by which source
//
// nat is asked about the first packet of a flow that the router begins; the next ones go as their flow does. What it answers is never asked
// about: of what comes to a server's port no flow is known where no rule of filter or mangle makes one (src/plane/flow/own.ts).
// Of later fragments rules hear nothing: the first one was asked.
// Not here: the questions (src/plane/filter/), the translation (src/plane/flow/led-own.ts).

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { DROP_NO_ROUTE } from '../../base/counters.ts';
import { E_FAR, E_IN_PORTS, isLedOwn } from '../../base/flow-record.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { get8, get32, i32at, puti32 } from '../../base/memory.ts';
import {
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_IP,
  PACKET_L4,
  PACKET_NEXT_HOP,
  PACKET_OUT,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import {
  ROUTE_LINK,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_NEXT_HOP,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { STATE_BIT_DNAT, STATE_BIT_NEW } from '../../base/rule-record.ts';
import { NAT_ADDRESS_AT, NAT_PORT_AT, NAT_SOURCE_AT, VIEW_FLOW, VIEW_STATE } from '../../base/rule-state.ts';
import {
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../wire/ipv4.ts';
import { TCP_ACK, TCP_FLAGS, TCP_SYN } from '../../wire/tcp.ts';
import { askOutput, askOutputTo, HOOKS_OUTPUT } from '../filter/hooks.ts';
import {
  AS_IS,
  AS_LINK,
  HOOKS_OWN,
  hasSourceRules,
  ownDestinationByRules,
  sourceByRules,
} from '../filter/nat.ts';
import { lookLed } from '../filter/view.ts';
import { leadOwn } from '../flow/led-own.ts';
import { describeOwn, trackOwn } from '../flow/own.ts';
import { queryOf } from '../flow/queries.ts';
import { flowAs, turnOwn } from '../flow/turned.ts';
import { socketAnswers } from '../local/sockets.ts';
import { routeTo } from './route.ts';

/** No verdict: a packet keeps its addresses. */
const STAYS: i32 = -1;

/** A packet of our own that would leave by link number `out`: PASS, or the reason to drop it. Where it goes, PACKET_OUT says. */
export function outputByRules(packet: i32, out: i32): i32 {
  if (describeOwn(packet) === 0) return PASS;
  const destination: i32 = get32(packet + PACKET_IP + IP_DESTINATION);
  const hooks: i32 = i32at(RULE_HOOKS_AT);
  const mayBegin: i32 = (hooks & HOOKS_OWN) !== 0 ? mayBeginFlow(packet) : 0;
  const verdict: i32 =
    (hooks & HOOKS_OUTPUT) === 0 && mayBegin === 0 ? turnOwn(packet) : asked(packet, out, mayBegin);
  const now: i32 = get32(packet + PACKET_IP + IP_DESTINATION);
  if (verdict !== PASS || now === destination) return verdict;
  const to: i32 = routeTo(now);
  if (i32at(to + TO_ROUTE) >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST) return DROP_NO_ROUTE;
  puti32(packet + PACKET_OUT, i32at(to + TO_ROUTE) & ROUTE_LINK);
  puti32(packet + PACKET_NEXT_HOP, i32at(to + TO_NEXT_HOP));
  return PASS;
}

/** The same of one that rules are asked about. `mayBegin`: it may be the first one of a flow. */
function asked(packet: i32, out: i32, mayBegin: i32): i32 {
  let verdict: i32 = askOutput(packet, out);
  if (verdict !== PASS) return verdict;
  const flow: i32 = i32at(VIEW_FLOW) & ~1;
  const isNew: i32 = mayBegin !== 0 && flow === 0 && (i32at(VIEW_STATE) & STATE_BIT_NEW) !== 0 ? 1 : 0;
  let to: i32 = get32(packet + PACKET_IP + IP_DESTINATION);
  let port: i32 = i32at(packet + PACKET_PORTS) & 0xffff;
  if (isNew !== 0 && ownDestinationByRules(out) === 1) {
    if (i32at(NAT_ADDRESS_AT) !== to || i32at(NAT_PORT_AT) !== port)
      puti32(VIEW_STATE, i32at(VIEW_STATE) | STATE_BIT_DNAT);
    to = i32at(NAT_ADDRESS_AT);
    if (get8(packet + PACKET_IP + IP_PROTOCOL) !== PROTOCOL_ICMP) port = i32at(NAT_PORT_AT);
  } else if (flow !== 0 && isOwnAsked(packet, flow) !== 0) {
    to = i32at(flow + E_FAR);
    port = i32at(flow + E_IN_PORTS) >>> 16;
  }
  const route: i32 = i32at(routeTo(to) + TO_ROUTE);
  // Nothing of the router's listens to itself.
  if (route >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST) return DROP_NO_ROUTE;
  lookLed(to, port);
  verdict = askOutputTo(packet, route & ROUTE_LINK);
  if (verdict !== PASS) return verdict;
  if (isNew !== 0) {
    const led: i32 = leadNew(packet, to, port, route & ROUTE_LINK);
    if (led !== STAYS) return led;
  }
  return trackOwn(packet) !== 0 ? PASS : turnOwn(packet);
}

/** Asks by which source a packet leaves that begins a flow with that host and port: PASS where it is translated, STAYS where it is not, or the reason to drop it. */
function leadNew(packet: i32, to: i32, port: i32, out: i32): i32 {
  const own: i32 = get32(packet + PACKET_IP + IP_SOURCE);
  let source: i32 = hasSourceRules() !== 0 ? sourceByRules() : AS_IS;
  if (source === AS_LINK) source = i32at(interfaceAt(out) + IF_ADDRESS);
  if (source === AS_IS) source = own;
  const isPort: i32 = port === (i32at(packet + PACKET_PORTS) & 0xffff) ? 1 : 0;
  const isTo: i32 = to === get32(packet + PACKET_IP + IP_DESTINATION) ? 1 : 0;
  if (isTo !== 0 && isPort !== 0 && source === own && i32at(NAT_SOURCE_AT) === 0) return STAYS;
  return leadOwn(packet, to, port, source, out);
}

/** 1 if a packet is one of those that the router itself sends in a flow that a rule has translated. */
function isOwnAsked(packet: i32, flow: i32): i32 {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) return 0;
  return (i32at(VIEW_FLOW) & 1) === 0 ? isLedOwn(flow) : 0;
}

/** 1 if a packet may be the first of a flow: a question, and none that a server's port sends. */
function mayBeginFlow(packet: i32): i32 {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) return 0;
  const l4: i32 = i32at(packet + PACKET_L4);
  const protocol: i32 = get8(packet + PACKET_IP + IP_PROTOCOL);
  if (protocol === PROTOCOL_TCP && (get8(l4 + TCP_FLAGS) & (TCP_SYN | TCP_ACK)) !== TCP_SYN) return 0;
  if (protocol === PROTOCOL_ICMP && queryOf(get8(l4)) === 0) return 0;
  if (protocol === PROTOCOL_UDP && socketAnswers(protocol, i32at(packet + PACKET_PORTS) >>> 16) !== 0)
    return 0;
  return flowAs(packet) === 0 ? 1 : 0;
}
