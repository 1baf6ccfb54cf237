// The order of the steps: what happens to a packet, from the driver to the driver. A step does not call the
// next one; it answers with a verdict, and the functions here go on.
//
//    receive     link -> ipv4 -> known session: translated and out | source -> fragment
//    handle      -> masquerade: inbound, hairpin -> local | route
//    forward     -> same interface -> TTL -> MTU -> rules -> masquerade: outbound -> MSS -> TTL
//    dispatch    -> link: neighbour -> cut to the MTU -> transmit
//
// What is refused with an ICMP error is refused before the masquerade, so that the error quotes the packet as
// its sender sent it; what fails later goes back through the masquerade (explain).

import { ALIASES_SET_AT, DEMAND_LINKS_AT, PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import {
  COUNT_FORWARDED,
  count,
  DROP_ARP_FAILED,
  DROP_BROADCAST,
  DROP_INTERFACE_DOWN,
  DROP_LOCAL_CLOSED,
  DROP_MARTIAN_DESTINATION,
  DROP_NO_ROUTE,
  DROP_REJECTED,
  DROP_TOO_BIG,
  DROP_TTL,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import { isRouted } from '../../base/flow-record.ts';
import {
  IF_ADDRESS,
  IF_MTU,
  IF_SIDE,
  IF_STATE,
  INTERFACE_INSIDE,
  INTERFACE_OUTSIDE,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import { FRAGMENT_RELEASE } from '../../base/limits.ts';
import { get8, get16, get32, i32at, put16, put32, puti32 } from '../../base/memory.ts';
import {
  DROP_FIRST,
  FLAG_ASKED,
  FLAG_BROADCAST,
  FLAG_DESTINATION_TRANSLATED,
  FLAG_HAIRPIN,
  FLAG_LONG,
  FLAG_SOURCE_TRANSLATED,
  FOR_ABOVE,
  HELD,
  LOCAL,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_NEXT_HOP,
  PACKET_OUT,
  PASS,
  PUNT,
} from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import {
  ROUTE_BROADCAST,
  ROUTE_LINK,
  ROUTE_LOCAL,
  ROUTE_MARTIAN,
  ROUTE_MULTICAST,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_NEXT_HOP,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { REJECT_RESET, TARGET_REDIRECT } from '../../base/rule-record.ts';
import { NAT_SOURCE_AT, OLD_ANSWER_AT, REJECT_AT, VIEW_FLOW } from '../../base/rule-state.ts';
import { adjust16 } from '../../wire/checksum.ts';
import { ICMP_ECHO_REQUEST } from '../../wire/icmp.ts';
import {
  IP_CHECKSUM,
  IP_DESTINATION,
  IP_DONT_FRAGMENT,
  IP_FRAGMENT,
  IP_ID,
  IP_OFFSET,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  ipv4Check,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
} from '../../wire/ipv4.ts';
import { TCP_FLAGS, TCP_SYN } from '../../wire/tcp.ts';
import { askForward, askLeaving, HOOKS_FORWARD, keepAnswer, strangerPolicy } from '../filter/hooks.ts';
import { AS_IS, AS_LINK, HOOK_SOURCE, hasSourceRules, sourceByRules } from '../filter/nat.ts';
import { masqueradePolicy, mayAnswer, turnPolicy } from '../filter/policy.ts';
import { settle } from '../filter/probing.ts';
import { masqueradeHairpin } from '../flow/hairpin.ts';
import { forwardKnown, keepRoute } from '../flow/known-flow.ts';
import { masqueradeAs, masqueradeInbound, masqueradeOutbound } from '../flow/masquerade.ts';
import { describeOwn } from '../flow/own.ts';
import { trackRouted } from '../flow/routed.ts';
import { turn, turnHere, turnRefusal } from '../flow/turned.ts';
import { demandHold } from '../link/demand.ts';
import { aboveInput, linkInput, linkOutput } from '../link/link.ts';
import { broadcastInput, localInput, ownInput, resetSender } from '../local/local.ts';
import { punt } from '../local/punt.ts';
import { fragmentIdentify, fragmentInput, fragmentNext } from './fragment.ts';
import { icmpError, icmpOwed } from './icmp.ts';
import { nextIdentification } from './identification.ts';
import { clampMssBetween } from './mss.ts';
import { outputByRules } from './output.ts';
import { routeTo } from './route.ts';
import { sourceCheck } from './source.ts';

const FLAGS_TRANSLATED: i32 = FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED;

/** A frame from a card. Takes the packet: 1 if it went the short way of a known session, which costs little, else 0. */
export function receive(packet: i32): i32 {
  let index: i32 = i32at(packet + PACKET_IN);
  let at: i32 = interfaceAt(index);
  let verdict: i32 = linkInput(packet, index, at);
  if (verdict !== PASS && verdict === FOR_ABOVE) {
    index = i32at(packet + PACKET_IN);
    at = interfaceAt(index);
    verdict = aboveInput(packet, index, at);
  }
  if (verdict === PASS) verdict = ipv4Check(packet);
  if (verdict === PASS) {
    if (i32at(at + IF_STATE) === INTERFACE_UP) {
      const isWhole: i32 = (get16(packet + PACKET_IP + IP_OFFSET) & IP_FRAGMENT) === 0 ? 1 : 0;
      if (isWhole !== 0 && forwardKnown(packet, index) !== 0) return 1;
      verdict = sourceCheck(packet, index);
    } else {
      verdict = broadcastInput(packet, index, DROP_INTERFACE_DOWN);
    }
  }
  if (verdict !== PASS) dispose(packet, verdict);
  else if ((get16(packet + PACKET_IP + IP_OFFSET) & IP_FRAGMENT) === 0) deliver(packet, index, at);
  else receiveFragment(packet, index, at);
  return 0;
}

/** A made-up packet, as a whole one that the door has checked (src/plane/filter/probe.ts). */
export function receiveProbe(packet: i32, index: i32): void {
  const at: i32 = interfaceAt(index);
  const verdict: i32 =
    i32at(at + IF_STATE) === INTERFACE_UP
      ? sourceCheck(packet, index)
      : broadcastInput(packet, index, DROP_INTERFACE_DOWN);
  if (verdict !== PASS) dispose(packet, verdict);
  else deliver(packet, index, at);
}

/** A fragment, and after it the first of those that have waited for it. */
function receiveFragment(packet: i32, index: i32, at: i32): void {
  const verdict: i32 = fragmentInput(packet);
  if (verdict !== PASS) {
    dispose(packet, verdict);
    return;
  }
  const context: i32 = i32at(packet + PACKET_CONTEXT);
  deliver(packet, index, at);
  for (let i: i32 = 0; i < FRAGMENT_RELEASE; i++) {
    const waiting: i32 = fragmentNext(context);
    if (waiting === 0) return;
    resume(waiting);
  }
}

/** A datagram that the door has let in, and that has waited, goes on: a fragment whose first one has come, or what a link is up for. */
export function resume(packet: i32): void {
  const came: i32 = i32at(packet + PACKET_IN);
  deliver(packet, came, interfaceAt(came));
}

/** A checked datagram or fragment: to us, through us, or neither. */
function deliver(packet: i32, index: i32, at: i32): void {
  if (i32at(RULE_HOOKS_AT) !== 0 && i32at(at + IF_SIDE) === INTERFACE_INSIDE) {
    let turned: i32 = turn(packet, index);
    if (turned === LOCAL) {
      turned = localInput(packet, index);
      if (turned === PASS) {
        answer(packet);
        return;
      }
    }
    if (turned !== PASS) {
      dispose(packet, turned);
      return;
    }
  }
  let to: i32 = routeTo(get32(packet + PACKET_IP + IP_DESTINATION));
  const route: i32 = i32at(to + TO_ROUTE);
  const isPlain: i32 =
    i32at(at + IF_SIDE) === INTERFACE_INSIDE &&
    route >> ROUTE_TYPE_SHIFT === ROUTE_UNICAST &&
    (i32at(packet + PACKET_FLAGS) & FLAG_BROADCAST) === 0
      ? 1
      : 0;
  if (isPlain === 0) {
    let verdict: i32 = accept(packet, route, index, i32at(at + IF_SIDE));
    if (verdict === LOCAL) {
      verdict = localInput(packet, index);
      if (verdict === PASS) {
        answer(packet);
        return;
      }
    }
    if (verdict === PASS) {
      // Its destination has been translated.
      to = routeTo(get32(packet + PACKET_IP + IP_DESTINATION));
      if (i32at(to + TO_ROUTE) >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST) verdict = DROP_NO_ROUTE;
    }
    if (verdict !== PASS) {
      dispose(packet, verdict);
      return;
    }
  }
  forward(packet, at, to);
}

/**
 * What is not plainly from inside to a host elsewhere. PASS: its destination is now a host's; LOCAL: it is for
 * us; or what else becomes of it.
 */
function accept(packet: i32, route: i32, index: i32, side: i32): i32 {
  const kind: i32 = route >> ROUTE_TYPE_SHIFT;
  if (
    kind === ROUTE_BROADCAST ||
    kind === ROUTE_MULTICAST ||
    (i32at(packet + PACKET_FLAGS) & FLAG_BROADCAST) !== 0
  ) {
    // A host's address in a frame for everybody (RFC 1122, 3.3.6) is no better than a broadcast.
    return broadcastInput(packet, index, DROP_BROADCAST);
  }
  if (kind === ROUTE_LOCAL) {
    const ours: i32 = route & ROUTE_LINK;
    // The address of another link of ours is nobody's outside.
    if (side === INTERFACE_OUTSIDE)
      return ours === index ? heardAt(packet, ours, masqueradeInbound(packet)) : DROP_UNSOLICITED;
    if (i32at(interfaceAt(ours) + IF_SIDE) === INTERFACE_OUTSIDE)
      return heardAt(packet, ours, masqueradeHairpin(packet));
    return LOCAL;
  }
  if (kind === ROUTE_MARTIAN) return DROP_MARTIAN_DESTINATION;
  const verdict: i32 = strangerPolicy(interfaceAt(index));
  return verdict === PASS && kind !== ROUTE_UNICAST ? DROP_NO_ROUTE : verdict;
}

/**
 * A verdict; but what would be for the router itself, and came for another address than its link's own, is not: nothing listens there. Pings are answered,
 * and what a flow has translated is heard where the flow says.
 */
function heardAt(packet: i32, link: i32, verdict: i32): i32 {
  if (verdict !== LOCAL || i32at(ALIASES_SET_AT) === 0) return verdict;
  if ((i32at(packet + PACKET_FLAGS) & FLAG_DESTINATION_TRANSLATED) !== 0) return LOCAL;
  const ip: i32 = packet + PACKET_IP;
  if (get32(ip + IP_DESTINATION) === i32at(interfaceAt(link) + IF_ADDRESS)) return LOCAL;
  const l4: i32 = i32at(packet + PACKET_L4);
  const isPing: i32 =
    get8(ip + IP_PROTOCOL) === PROTOCOL_ICMP && l4 !== 0 && get8(l4) === ICMP_ECHO_REQUEST ? 1 : 0;
  return isPing !== 0 ? LOCAL : DROP_UNSOLICITED;
}

/** Through us: `to` is the route of its destination. */
function forward(packet: i32, at: i32, to: i32): void {
  const out: i32 = i32at(to + TO_ROUTE) & ROUTE_LINK;
  const outAt: i32 = interfaceAt(out);
  const ip: i32 = packet + PACKET_IP;
  puti32(packet + PACKET_OUT, out);
  puti32(packet + PACKET_NEXT_HOP, i32at(to + TO_NEXT_HOP));
  const allowed: i32 = (i32at(packet + PACKET_FLAGS) & FLAG_HAIRPIN) !== 0 ? PASS : turnPolicy(at, outAt);
  if (allowed !== PASS) {
    dispose(packet, allowed);
    return;
  }
  if (get8(ip + IP_TTL) <= 1) {
    dispose(packet, DROP_TTL);
    return;
  }
  const mtu: i32 = i32at(outAt + IF_MTU);
  const isLong: i32 = i32at(packet + PACKET_LENGTH) > mtu ? 1 : 0;
  if (isLong !== 0 && (get16(ip + IP_OFFSET) & IP_DONT_FRAGMENT) !== 0) {
    dispose(packet, DROP_TOO_BIG);
    return;
  }
  if (((i32at(DEMAND_LINKS_AT) >> out) & 1) !== 0 && i32at(outAt + IF_STATE) !== INTERFACE_UP) {
    dispose(packet, waitForCall(packet, out));
    return;
  }
  let verdict: i32 = PASS;
  if ((i32at(RULE_HOOKS_AT) & (HOOKS_FORWARD | HOOK_SOURCE)) !== 0) verdict = forwardByRules(packet, at, out);
  else if (masqueradePolicy(at, outAt) !== 0) verdict = masqueradeOutbound(packet);
  else if ((i32at(packet + PACKET_FLAGS) & FLAGS_TRANSLATED) === 0) trackRouted(packet);
  if (verdict !== PASS) {
    if (verdict === LOCAL) verdict = ownInput(packet, i32at(packet + PACKET_IN));
    if (verdict === PASS) answer(packet);
    else dispose(packet, verdict);
    return;
  }
  if (isLong !== 0 || i32at(packet + PACKET_CONTEXT) !== 0) identify(packet);
  // The TTL goes down by one, so its half of the checksum goes up by one (RFC 1624; 0xffff is no checksum).
  const word: i32 = get32(ip + IP_TTL);
  let total: i32 = (word & 0xffff) + 0x100;
  total = (total & 0xffff) + (total >>> 16);
  if (total === 0xffff) total = 0;
  put32(ip + IP_TTL, ((word & ~0xffff) - 0x01000000) | 0 | total);
  if (((word >>> 16) & 0xff) === PROTOCOL_TCP) {
    const tcp: i32 = i32at(packet + PACKET_L4);
    if (tcp !== 0 && (get8(tcp + TCP_FLAGS) & TCP_SYN) !== 0) clampMssBetween(packet, at, outAt);
  }
  count(COUNT_FORWARDED);
  if (isLong !== 0) puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_LONG);
  dispatch(packet);
}

/** By a link that a packet dials: what rules refuse dials nobody. */
function waitForCall(packet: i32, out: i32): i32 {
  if (i32at(PROBE_AT) !== 0) return DROP_INTERFACE_DOWN;
  const verdict: i32 = (i32at(RULE_HOOKS_AT) & HOOKS_FORWARD) !== 0 ? askForward(packet, out) : PASS;
  return verdict === PASS ? demandHold(packet, out) : verdict;
}

/** A packet for us that has become the answer. */
function answer(packet: i32): void {
  if (i32at(PROBE_AT) !== 0) settle(packet, LOCAL);
  else emit(packet);
}

/** What rules, and then the masquerade, make of a packet that goes through us: PASS, or the reason to drop it. */
function forwardByRules(packet: i32, at: i32, out: i32): i32 {
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  // The first packet of a flow from outside was asked about before its flow was made.
  if ((flags & FLAG_ASKED) !== 0) return PASS;
  let verdict: i32 = askForward(packet, out);
  if (verdict !== PASS) return verdict;
  if (i32at(OLD_ANSWER_AT) === TARGET_REDIRECT && i32at(at + IF_SIDE) !== INTERFACE_OUTSIDE)
    return turnHere(packet);
  if ((flags & FLAGS_TRANSLATED) === 0) {
    verdict = translateByRules(packet, at, out);
    if (verdict === PASS) verdict = askLeaving(packet);
  }
  keepAnswer(packet);
  return verdict;
}

/** Masquerades a packet that has been asked about as its flow is, or, where it begins one, as nat's rules or the house say. */
function translateByRules(packet: i32, at: i32, out: i32): i32 {
  const flow: i32 = i32at(VIEW_FLOW);
  const house: i32 = masqueradePolicy(at, interfaceAt(out));
  const isRuled: i32 = hasSourceRules();
  const routed: i32 = flow === 0 ? 0 : isRouted(flow & ~1);
  // A flow of the inside whose other end is outside by now begins anew (masqueradeOutbound).
  const isOver: i32 = routed !== 0 && house !== 0 && isRuled === 0 && (flow & 1) === 0 ? 1 : 0;
  if (routed === 0 || isOver !== 0) {
    const address: i32 =
      flow === 0 && isRuled !== 0 ? sourceByRules() : house !== 0 || flow !== 0 ? AS_LINK : AS_IS;
    if (address !== AS_IS) {
      const verdict: i32 = masqueradeAs(packet, address === AS_LINK ? 0 : address);
      puti32(NAT_SOURCE_AT, 0);
      return verdict;
    }
  }
  trackRouted(packet);
  return PASS;
}

/** A masqueraded datagram that is or will be in fragments gets an identification of our own (RFC 6864, 5.3.1). */
function identify(packet: i32): void {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_SOURCE_TRANSLATED) === 0) return;
  if (i32at(packet + PACKET_CONTEXT) !== 0) {
    fragmentIdentify(packet);
    return;
  }
  const ip: i32 = packet + PACKET_IP;
  const id: i32 = nextIdentification(get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION));
  adjust16(ip + IP_CHECKSUM, get16(ip + IP_ID), id);
  put16(ip + IP_ID, id);
}

/** A datagram of our own to an address of ours on interface `index`: local delivery. Takes the packet. */
export function receiveOwn(packet: i32, index: i32): void {
  let verdict: i32 = ipv4Check(packet);
  if (verdict === PASS) verdict = ownInput(packet, index);
  // Nothing that is answered again comes here: localSend lets echo requests alone through.
  dispose(packet, verdict === PASS ? DROP_LOCAL_CLOSED : verdict);
}

/** A datagram of our own: routes it and sends it. Takes the packet; PASS, or HELD, or why it is dropped. */
export function emit(packet: i32): i32 {
  const to: i32 = routeTo(get32(packet + PACKET_IP + IP_DESTINATION));
  const route: i32 = i32at(to + TO_ROUTE);
  if (route >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST) return refuseOwn(packet, DROP_NO_ROUTE);
  let out: i32 = route & ROUTE_LINK;
  puti32(packet + PACKET_OUT, out);
  puti32(packet + PACKET_NEXT_HOP, i32at(to + TO_NEXT_HOP));
  if (i32at(RULE_HOOKS_AT) !== 0) {
    const refused: i32 = outputByRules(packet, out);
    if (refused !== PASS) return refuseOwn(packet, refused);
    out = i32at(packet + PACKET_OUT);
  }
  const mtu: i32 = i32at(interfaceAt(out) + IF_MTU);
  if (i32at(packet + PACKET_LENGTH) > mtu)
    puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_LONG);
  return dispatch(packet);
}

/** One that does not leave, of which nobody is told. */
function refuseOwn(packet: i32, reason: i32): i32 {
  if (i32at(PROBE_AT) !== 0) {
    settle(packet, reason);
    return reason;
  }
  count(reason);
  release(packet);
  return reason;
}

/** To the next hop: PACKET_OUT and PACKET_NEXT_HOP are set, and it fits. Takes the packet; PASS, or why not. */
function dispatch(packet: i32): i32 {
  if (i32at(PROBE_AT) !== 0) {
    settle(packet, PASS);
    return PASS;
  }
  keepRoute(packet);
  const verdict: i32 = linkOutput(packet, i32at(packet + PACKET_OUT));
  if (verdict !== PASS) dispose(packet, verdict);
  return verdict;
}

/** The end of a packet's way, other than out: HELD, PUNT, or a drop with its count and perhaps its error. */
function dispose(packet: i32, verdict: i32): void {
  let reason: i32 = verdict;
  if (i32at(PROBE_AT) !== 0) {
    settle(packet, reason === LOCAL ? DROP_UNSOLICITED : reason);
    return;
  }
  if (reason === PUNT) reason = punt(packet);
  if (reason === HELD) return;
  if (reason < DROP_FIRST) reason = DROP_UNSOLICITED; // LOCAL where nothing local is: no step answers so
  count(reason);
  if (icmpFor(packet, reason) !== 0) emit(packet);
  else release(packet);
}

/** A packet whose next hop did not answer (neighbourFailed): tells its sender. Takes the packet. */
export function unreachable(packet: i32): void {
  if (icmpFor(packet, DROP_ARP_FAILED) !== 0) emit(packet);
  else release(packet);
}

/**
 * Turns a dropped packet into the ICMP error that its sender is owed, 1, or answers 0. The error about a packet
 * that was translated already quotes it translated: it goes back through the masquerade, as if the error had
 * come from where the packet was going.
 */
function icmpFor(packet: i32, reason: i32): i32 {
  const owed: i32 = icmpOwed(reason);
  if (owed < 0) return 0;
  const isReset: i32 = reason === DROP_REJECTED && i32at(REJECT_AT) === REJECT_RESET ? 1 : 0;
  const out: i32 = i32at(packet + PACKET_OUT);
  const word: i32 = reason === DROP_TOO_BIG ? i32at(interfaceAt(out) + IF_MTU) : 0;
  const came: i32 = i32at(packet + PACKET_IN);
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  const flow: i32 = i32at(packet + PACKET_FLOW);
  if (came < 0) return 0;
  // Whom no mapping knows outside hears nothing from us.
  const isKnown: i32 = flags & FLAG_DESTINATION_TRANSLATED;
  if (isKnown === 0 && reason !== DROP_REJECTED && mayAnswer(interfaceAt(came)) === 0) return 0;
  if (isReset !== 0) {
    if (resetSender(packet) !== PASS) return 0;
    describeOwn(packet);
  } else if (icmpError(packet, owed >> 8, owed & 0xff, word) === 0) {
    return 0;
  }
  if ((flags & FLAGS_TRANSLATED) === 0) return 1;
  if ((flags & FLAG_HAIRPIN) === 0 && (flags & FLAGS_TRANSLATED) === FLAGS_TRANSLATED) {
    turnRefusal(packet, flow, isReset);
    return 1;
  }
  // To the sender's outside port, from which it is turned round as the packet was.
  if ((flags & FLAG_HAIRPIN) !== 0) return masqueradeHairpin(packet) === PASS ? 1 : 0;
  puti32(packet + PACKET_IN, out);
  puti32(packet + PACKET_OUT, came);
  const verdict: i32 = isKnown !== 0 ? masqueradeOutbound(packet) : masqueradeInbound(packet);
  return verdict === PASS ? 1 : 0;
}
