// Masquerading: many inside hosts behind one outside address.
// RFC 3022, with the behaviour of RFC 4787 (UDP), 5382 (TCP), 5508 (ICMP) and 7857; profile classic behaves
// as Linux 2.2 did.
//
// There are two verbs. Translate a known flow: find its session, rewrite address and port, correct the
// checksums, restart the timer. Add a new flow: choose the outside port, take an entry, link it.
//
//    inside                            outside
//    192.168.0.2:1043  -> 204.152.184.112:80        masqueradeOutbound() rewrites the source to
//                         10.1.2.3:1043 -> 204.152.184.112:80
//                         204.152.184.112:80 -> 10.1.2.3:1043
//    192.168.0.2:1043 <-  204.152.184.112:80        masqueradeInbound() rewrites the destination back
//
// A hairpin is both at once (hairpin.ts).
//
// Mapping: profile rfc is endpoint-independent (REQ-1): what an inside port sends, to whomever, leaves by one
// outside port. Profile classic makes a mapping for each session. Filtering (rfc): from whom a mapping
// accepts packets is NAT_FILTER: from anyone, from addresses that the inside has sent to, or from endpoints
// only. A packet that the filter lets in from a new endpoint makes a session of its own.
//
// Other protocols: one without ports (GRE, ESP, 6in4) is known by its addresses alone, so one inside host at a time
// can have a session with a remote host; a second one is refused (DROP_PROTOCOL), until the first has sent nothing
// for TUNNEL_IDLE_SECONDS: then the tunnel is the second one's, whatever the remote host still sends to the first. Only
// the protocol's helper could tell two apart. UDP-Lite and DCCP, whose checksums cover the
// addresses, are refused outright.
//
// Known flow: one lookup, one rewrite, one store of the expiry (and TCP's numbers, tcp-window.ts).
// No list is touched, see flow-admission.ts. Later fragments have no transport header (PACKET_L4 is 0): they never make
// a session.
// Not here: the table (flow-table.ts), the rewriting (translate.ts), ICMP errors (icmp-translate.ts), the
// short way of known sessions (known-flow.ts), what is routed as it is (routed.ts).

import { ALIASES_SET_AT, NOW_AT, PROBE_AT, RULE_HOOKS_AT, TRIGGERS_SET_AT } from '../../base/cells.ts';
import {
  DROP_FILTERED,
  DROP_FRAGMENT_TIMEOUT,
  DROP_ICMP_TYPE,
  DROP_INTERFACE_DOWN,
  DROP_NO_PORT,
  DROP_PROTOCOL,
  DROP_TCP_STATE,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import { random32 } from '../../base/entropy.ts';
import {
  E_BEGUN,
  E_EXPIRES,
  E_FLAGS,
  E_HOST,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_SENT,
  E_STATE,
  ENTRY_CLASSIC,
  ENTRY_FORWARD,
  ENTRY_HEARD,
  ENTRY_SENT,
  IN_USE_AT,
  isLedOwn,
  isOneToOne,
  isRouted,
  SHARED_AT,
} from '../../base/flow-record.ts';
import { FORWARD_OUTSIDE } from '../../base/forward-record.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import {
  FORWARDS_AT,
  IDENTIFIER_TRIES,
  MASQUERADE_AT,
  TICKS_PER_SECOND,
  TUNNEL_IDLE_SECONDS,
} from '../../base/limits.ts';
import { get8, get32, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  DROP_FIRST,
  FLAG_DESTINATION_TRANSLATED,
  FLAG_ICMP_ERROR,
  FLAG_SOURCE_TRANSLATED,
  LOCAL,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_OUT,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import {
  FILTER_ADDRESS,
  FILTER_ENDPOINT,
  NAT_FILTER,
  NAT_PROFILE,
  PROFILE_CLASSIC,
  parameter,
} from '../../base/parameters.ts';
import { NOTE_MAPPING, NOTE_ONE_TO_ONE, NOTE_TRIGGER } from '../../base/probe-record.ts';
import { NAT_ADDRESS_AT, NAT_PORT_AT, NAT_SOURCE_AT } from '../../base/rule-state.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP as TCP,
} from '../../wire/ipv4.ts';
import { TCP_FLAGS, TCP_RST, TCP_STATE_MASK, TCP_SYN } from '../../wire/tcp.ts';
import { askStranger, HOOKS_FORWARD } from '../filter/hooks.ts';
import { destinationByRules, hasDestinationRules, isOurs } from '../filter/nat.ts';
import { met } from '../filter/probing.ts';
import { aliasOf, aliasOfHost, hostOfAlias } from '../ip/aliases.ts';
import { isSender } from '../ip/sender.ts';
import { admit, removeEntry } from './flow-admission.ts';
import { beginFlow, fillEntry, noteShared } from './flow-begin.ts';
import { HOST_OTHERS, hostFor, resetHosts } from './flow-hosts.ts';
import {
  canTranslate,
  findInbound,
  findMapping,
  findOutbound,
  findPeer,
  findPort,
  findTuple,
  hasPorts,
  isTurned,
  resetTable,
} from './flow-table.ts';
import { noteFlow, useInbound, useOutbound } from './flow-use.ts';
import { resetForwards } from './forward-set.ts';
import { addForwarded, addTo, forwardFor, isHeard, markedFor } from './forwarded.ts';
import { forwardKeeps, isKept } from './forwards.ts';
import { translateErrorInbound, translateErrorOutbound } from './icmp-translate.ts';
import { resetKeptRoutes } from './kept-route.ts';
import { KNOWN_NONE, KNOWN_NOTHING, knownAs, resetKnown } from './known-flow.ts';
import { choosePort } from './masquerade-ports.ts';
import { NO_PORT, resetPortMaps } from './port-map.ts';
import { queryOf, queryOfReply } from './queries.ts';
import { portByRule, SHARED_PORT } from './rule-ports.ts';
import { resetTcpClassic } from './tcp-classic.ts';
import { translate } from './translate.ts';
import { pullTriggers, resetTriggers, triggeredHost } from './triggers.ts';
import { turnBy } from './turned.ts';

/** Sides of a session, as known-flow.ts numbers them. */
const OUT: i32 = 0;
const IN: i32 = 1;

export function masqueradeReset(): void {
  resetTable();
  resetKnown();
  resetKeptRoutes();
  resetHosts();
  resetPortMaps();
  resetForwards();
  resetTriggers();
  resetTcpClassic();
}

/** Sessions in the table. */
export function masqueradeCount(): i32 {
  return i32at(IN_USE_AT);
}

/** 1 if a mapping or a forward has the port of that outside address: the router should not open a socket there. */
export function masqueradePortUsed(protocol: i32, port: i32, outside: i32): i32 {
  return findPort(outside, port, protocol) !== 0 || forwardKeeps(protocol, port) !== 0 ? 1 : 0;
}

/** A packet from the inside, routed to PACKET_OUT: translates its source. PASS or a reason to drop. */
export function masqueradeOutbound(packet: i32): i32 {
  return outbound(packet, 0);
}

/** The same to an address that a rule has said, or 0, where the packet begins a flow. */
export function masqueradeAs(packet: i32, address: i32): i32 {
  return outbound(packet, address);
}

/** A packet from outside for our address: translates its destination. PASS, LOCAL or a reason to drop. */
export function masqueradeInbound(packet: i32): i32 {
  return inbound(packet, 0);
}

/** The same. `turned`: it comes from inside, and nat's rules have been asked to whom it goes (src/plane/filter/nat.ts). */
export function inbound(packet: i32, turned: i32): i32 {
  const marks: i32 = i32at(packet + PACKET_FLAGS);
  if ((marks & FLAG_ICMP_ERROR) !== 0) return translateErrorInbound(packet);
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const remote: i32 = get32(ip + IP_SOURCE);
  const outside: i32 = get32(ip + IP_DESTINATION);
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const l4: i32 = i32at(packet + PACKET_L4);
  let e: i32 = knownAs(packet, IN);
  if (e === KNOWN_NOTHING) e = findInbound(outside, remote, ports, protocol);
  else if (e === KNOWN_NONE) e = 0;
  if (e === 0) {
    const refused: i32 = turned === 0 ? askDestination(packet, protocol) : PASS;
    if (refused !== PASS) return refused;
    e = addInbound(packet, outside, remote, ports, protocol);
    if (e < MASQUERADE_AT) return e;
  } else if (isRouted(e) !== 0) {
    // An answer to the router itself (own.ts).
    return LOCAL;
  }
  if (protocol === ICMP && l4 !== 0) {
    const query: i32 = queryOfReply(get8(l4));
    if (isAsked(e) === 0 || queryOf(get8(l4)) === 0) {
      if (query === 0) return LOCAL;
      if ((get8(e + E_STATE) & query) === 0) return DROP_UNSOLICITED;
    }
  }
  // An answer to the router itself in a flow that a rule has translated.
  if (i32at(SHARED_AT) !== 0 && isLedOwn(e) !== 0) {
    turnBy(packet, e, IN);
    return LOCAL;
  }
  useInbound(packet, e, protocol);
  translate(packet, e, IN);
  noteFlow(packet, e, IN);
  const both: i32 = isTurned(e) !== 0 ? FLAG_SOURCE_TRANSLATED : 0;
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_DESTINATION_TRANSLATED | both);
  return PASS;
}

/**
 * Asks nat's rules to whom a packet from outside goes: not if a socket hears it, for then the router has asked for it. PASS, or the reason
 * to drop it.
 */
function askDestination(packet: i32, protocol: i32): i32 {
  if (hasDestinationRules() === 0) return PASS;
  puti32(NAT_ADDRESS_AT, 0);
  if (isHeard(packet, protocol) !== 0) return PASS;
  const said: i32 = destinationByRules(packet, i32at(packet + PACKET_IN));
  return said >= DROP_FIRST ? said : PASS;
}

/** 1 if the outside may ask a query in a flow: of a host with an address of its own outside, or that the outside has begun, by a rule. */
function isAsked(e: i32): i32 {
  if (isOneToOne(e) !== 0) return 1;
  return (get8(e + E_FLAGS) & ENTRY_FORWARD) !== 0 && u16at(e + E_BEGUN) === 0 ? 1 : 0;
}

/** The address of the interface that a packet leaves by. */
function addressOut(packet: i32): i32 {
  return i32at(interfaceAt(i32at(packet + PACKET_OUT)) + IF_ADDRESS);
}

/** That by which a new session of a host leaves: the host's own, or that of the interface. */
function addressFor(packet: i32, inside: i32): i32 {
  const own: i32 = i32at(ALIASES_SET_AT) === 0 ? 0 : aliasOfHost(inside, i32at(packet + PACKET_OUT));
  return own !== 0 ? own : addressOut(packet);
}

/** Translates the source of a packet: to the address that its session has, or a new one's to `hairpin`, if any. */
function outbound(packet: i32, hairpin: i32): i32 {
  const marks: i32 = i32at(packet + PACKET_FLAGS);
  if ((marks & FLAG_ICMP_ERROR) !== 0) {
    return translateErrorOutbound(packet, hairpin !== 0 ? hairpin : addressOut(packet));
  }
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const inside: i32 = get32(ip + IP_SOURCE);
  const remote: i32 = get32(ip + IP_DESTINATION);
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const l4: i32 = i32at(packet + PACKET_L4);
  let e: i32 = knownAs(packet, OUT);
  if (e === KNOWN_NOTHING) e = findOutbound(inside, remote, ports, protocol);
  else if (e === KNOWN_NONE) e = 0;
  if (e !== 0 && isRouted(e) !== 0) {
    // What it talks with was inside, and is outside now.
    removeEntry(e);
    e = 0;
  }
  if (e === 0) {
    const outside: i32 = hairpin !== 0 ? hairpin : addressFor(packet, inside);
    e = addOutbound(packet, inside, remote, ports, protocol, outside);
    if (e < MASQUERADE_AT) return e;
  }
  if (protocol === ICMP && l4 !== 0) {
    const query: i32 = queryOf(get8(l4));
    if (query === 0 && (isAsked(e) === 0 || queryOfReply(get8(l4)) === 0)) return DROP_ICMP_TYPE;
  }
  useOutbound(packet, e, protocol);
  translate(packet, e, OUT);
  noteFlow(packet, e, OUT);
  puti32(packet + PACKET_FLAGS, marks | FLAG_SOURCE_TRANSLATED);
  return PASS;
}

/** Adds a session that the inside opens: its entry, or the reason to drop. */
function addOutbound(packet: i32, inside: i32, remote: i32, ports: i32, protocol: i32, outside: i32): i32 {
  const l4: i32 = i32at(packet + PACKET_L4);
  if (outside === 0) return DROP_INTERFACE_DOWN;
  if (canTranslate(protocol) === 0) return DROP_PROTOCOL;
  if (l4 === 0) return DROP_FRAGMENT_TIMEOUT;
  if (protocol === TCP && (get8(l4 + TCP_FLAGS) & TCP_RST) !== 0) return DROP_TCP_STATE;
  if (protocol === ICMP && queryOf(get8(l4)) === 0) return DROP_ICMP_TYPE;
  const classic: i32 = parameter(NAT_PROFILE) === PROFILE_CLASSIC ? 1 : 0;
  const host: i32 = isSender(packet, inside) !== 0 ? hostFor(inside) : HOST_OTHERS;
  let port: i32 = 0;
  const isRuled: i32 = i32at(RULE_HOOKS_AT) !== 0 && i32at(NAT_SOURCE_AT) !== 0 ? 1 : 0;
  // In no mapping: the port is a host's own, or several have it.
  let isOwn: i32 = i32at(ALIASES_SET_AT) !== 0 && aliasOfHost(inside, -1) === outside ? ENTRY_FORWARD : 0;
  if (isOwn !== 0 && hasPorts(protocol) !== 0) {
    port = ports >>> 16;
    // A forward may have given the same to another host.
    if (findInbound(outside, remote, (ports << 16) | port, protocol) !== 0) return DROP_NO_PORT;
  } else if (hasPorts(protocol) !== 0) {
    const mapping: i32 = classic !== 0 ? 0 : findMapping(inside, ports >>> 16, protocol, outside);
    if (mapping !== 0) port = i32at(mapping + E_IN_PORTS) & 0xffff;
    else if (isRuled === 0) port = choosePort(protocol, ports >>> 16, outside, host);
    if (isRuled !== 0) port = portByRule(protocol, ports, remote, outside, mapping);
    // A flow of that very endpoint may be in no mapping: one that a rule has led there (turned.ts), or the router's own.
    for (let left: i32 = IDENTIFIER_TRIES; ; left--) {
      if (port === NO_PORT || left === 0) return DROP_NO_PORT;
      if (isRuled !== 0 || ((i32at(RULE_HOOKS_AT) | i32at(SHARED_AT)) === 0 && remote !== outside)) break;
      const far: i32 = protocol === ICMP ? port : ports & 0xffff;
      // To our own address by that very port it would be its own answer.
      const isItself: i32 = remote === outside && far === port ? 1 : 0;
      if (isItself === 0 && findTuple(remote, outside, (far << 16) | port, protocol) === 0) break;
      port = choosePort(protocol, random32() & 0xffff, outside, host);
    }
    if (port >= SHARED_PORT) {
      port -= SHARED_PORT;
      isOwn = ENTRY_FORWARD;
      noteShared();
    }
  } else {
    const other: i32 = findInbound(outside, remote, 0, protocol);
    if (other !== 0) {
      const silent: i32 = (i32at(NOW_AT) - i32at(other + E_SENT)) | 0;
      // Below 0: for more than 248 days.
      if (silent >= 0 && silent < TUNNEL_IDLE_SECONDS * TICKS_PER_SECOND) return DROP_PROTOCOL;
      removeEntry(other);
    }
  }
  const e: i32 = admit(host, 0);
  if (e < MASQUERADE_AT) return e;
  fillEntry(e, protocol, inside, remote, ports, port);
  if (isOwn !== 0) putu16(e + E_BEGUN, 1);
  const made: i32 = beginFlow(e, outside, (classic !== 0 ? ENTRY_CLASSIC | ENTRY_SENT : ENTRY_SENT) | isOwn);
  if (i32at(PROBE_AT) !== 0) {
    if (isOwn !== 0) met(NOTE_ONE_TO_ONE);
  } else if (i32at(TRIGGERS_SET_AT) !== 0 && made === e) {
    pullTriggers(e);
  }
  return made;
}

/** Adds a session that the outside opens with a host by its own outside address, of which a forward may have another host. */
function addOneToOne(packet: i32, host: i32, outside: i32, protocol: i32): i32 {
  const l4: i32 = i32at(packet + PACKET_L4);
  if (canTranslate(protocol) === 0) return DROP_PROTOCOL;
  if (protocol === ICMP && l4 !== 0 && queryOf(get8(l4)) === 0) return DROP_UNSOLICITED;
  const forward: i32 = protocol === ICMP || hasPorts(protocol) === 0 ? 0 : forwardFor(packet, protocol);
  if (forward !== 0 && i32at(forward + FORWARD_OUTSIDE) === outside)
    return addForwarded(packet, forward, outside);
  if (i32at(PROBE_AT) !== 0) met(NOTE_ONE_TO_ONE);
  return addTo(packet, host, i32at(packet + PACKET_PORTS) & 0xffff, outside);
}

/** The same by a trigger, for a port that no mapping has. */
function addTriggered(packet: i32, outside: i32, remote: i32, port: i32, protocol: i32): i32 {
  if (i32at(TRIGGERS_SET_AT) === 0 || protocol === ICMP) return LOCAL;
  const host: i32 = triggeredHost(protocol, port, remote);
  if (host === 0 || isHeard(packet, protocol) !== 0) return LOCAL;
  if (i32at(PROBE_AT) !== 0) met(NOTE_TRIGGER);
  return addTo(packet, host, port, outside);
}

/** Adds a session that the outside opens, if the filter lets it: its entry, LOCAL, or the reason to drop. */
function addInbound(packet: i32, outside: i32, remote: i32, ports: i32, protocol: i32): i32 {
  if (hasDestinationRules() !== 0 && i32at(NAT_ADDRESS_AT) !== 0) {
    // The router serves nobody outside, by whichever port.
    if (isOurs(i32at(NAT_ADDRESS_AT)) !== 0) return LOCAL;
    return addTo(packet, i32at(NAT_ADDRESS_AT), i32at(NAT_PORT_AT), outside);
  }
  if (i32at(ALIASES_SET_AT) !== 0) {
    const alias: i32 = aliasOf(outside);
    const host: i32 = alias === 0 ? 0 : hostOfAlias(alias, outside);
    if (host !== 0) return addOneToOne(packet, host, outside, protocol);
  }
  if (hasPorts(protocol) === 0) return LOCAL;
  const l4: i32 = i32at(packet + PACKET_L4);
  if (protocol === ICMP && l4 !== 0 && queryOfReply(get8(l4)) === 0) return LOCAL;
  const port: i32 = ports & 0xffff;
  const leader: i32 = findPort(outside, port, protocol);
  const marked: i32 = markedFor(packet, protocol);
  if (marked !== 0) return marked < FORWARDS_AT ? marked : addForwarded(packet, marked, outside);
  const forward: i32 = forwardFor(packet, protocol);
  if (forward !== 0 && (leader === 0 || isKept(forward) !== 0)) return addForwarded(packet, forward, outside);
  if (leader === 0) return addTriggered(packet, outside, remote, port, protocol);
  if (protocol === ICMP || (get8(leader + E_FLAGS) & ENTRY_CLASSIC) !== 0) return DROP_FILTERED;
  const filter: i32 = parameter(NAT_FILTER);
  let via: i32 = 0;
  if (filter === FILTER_ENDPOINT) via = leader;
  else if (filter === FILTER_ADDRESS) via = findPeer(outside, remote, port, protocol);
  if (via === 0) return DROP_FILTERED;
  if (l4 === 0) return DROP_FRAGMENT_TIMEOUT;
  if (protocol === TCP && (get8(l4 + TCP_FLAGS) & TCP_STATE_MASK) !== TCP_SYN) return DROP_UNSOLICITED;
  // What is needed of `via` is read before admit(), which may take that very entry.
  const inside: i32 = i32at(via + E_INSIDE);
  const insidePort: i32 = i32at(via + E_OUT_PORTS) >>> 16;
  const expires: i32 = i32at(via + E_EXPIRES);
  const host: i32 = get8(via + E_HOST);
  // The inside may talk with that very endpoint by another outside port (a session of profile classic, or of
  // another outside address): then the answer would leave by that one.
  if (findTuple(inside, remote, (insidePort << 16) | (ports >>> 16), protocol) !== 0) return DROP_UNSOLICITED;
  if (i32at(PROBE_AT) !== 0) met(NOTE_MAPPING);
  if ((i32at(RULE_HOOKS_AT) & HOOKS_FORWARD) !== 0) {
    const verdict: i32 = askStranger(packet, inside, insidePort, 0);
    if (verdict !== PASS) return verdict;
  }
  const e: i32 = admit(host, 1);
  if (e < MASQUERADE_AT) return e;
  fillEntry(e, protocol, inside, remote, (insidePort << 16) | (ports >>> 16), port);
  // A stranger's session ends no later than the one that let him in: he only makes it shorter.
  puti32(e + E_EXPIRES, expires);
  return beginFlow(e, outside, ENTRY_HEARD);
}
