// Sessions that strangers begin by a forward of ports (forwards.ts), or by a rule that says to whom they go (src/plane/filter/nat.ts). Where a rule
// of nat's POSTROUTING says that they come to the host by another source both addresses are changed, as in turned.ts.

import { MARKS_SET_AT, NOW_AT, PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import {
  DROP_FRAGMENT_TIMEOUT,
  DROP_HOST_SHARE,
  DROP_NO_PORT,
  DROP_PROTOCOL,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import {
  E_EXPIRES,
  E_OUT_PORTS,
  E_REMOTE,
  ENTRY_CLASSIC,
  ENTRY_FORWARD,
  ENTRY_HEARD,
} from '../../base/flow-record.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_FIRST,
  FORWARD_FLAGS,
  FORWARD_INSIDE,
  FORWARD_LEFT,
  FORWARD_LOGGED,
  FORWARD_MARKED,
  FORWARD_OUTSIDE,
  FORWARD_PROTOCOL,
  FORWARD_SESSIONS,
} from '../../base/forward-record.ts';
import { IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { FORWARD_BYTES, FORWARDS_AT, MASQUERADE_AT } from '../../base/limits.ts';
import { get8, get32, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  FLAG_MARKED,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_MARK,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import { NAT_PROFILE, PROFILE_CLASSIC, parameter, RFC_UDP } from '../../base/parameters.ts';
import { NOTE_FORWARD } from '../../base/probe-record.ts';
import { STATE_BIT_DNAT } from '../../base/rule-record.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { TCP_FLAGS, TCP_STATE_MASK, TCP_SYN } from '../../wire/tcp.ts';
import { askMark, askStranger, HOOKS_BEFORE, HOOKS_FORWARD } from '../filter/hooks.ts';
import { AS_IS, sourceTo } from '../filter/nat.ts';
import { met } from '../filter/probing.ts';
import { socketHears } from '../local/sockets.ts';
import { admit } from './flow-admission.ts';
import { beginFlow, fillEntry, noteShared } from './flow-begin.ts';
import { hostFor } from './flow-hosts.ts';
import { canTranslate, findTuple } from './flow-table.ts';
import { forwardOf, forwardOfMark, isKept } from './forwards.ts';
import { NO_PORT } from './port-map.ts';
import { chooseServer } from './server-choice.ts';
import { joinServer, logSession } from './servers.ts';
import { backPort } from './turned.ts';

/** The forward that an unknown packet for an outside address of ours is for, or 0. What a socket hears is for the router. */
export function forwardFor(packet: i32, protocol: i32): i32 {
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const forward: i32 = forwardOf(protocol, ports & 0xffff, get32(packet + PACKET_IP + IP_DESTINATION));
  if (forward === 0) return 0;
  // The router's sockets hear nothing of another address than the link's own.
  if (i32at(forward + FORWARD_OUTSIDE) !== 0) return forward;
  const index: i32 = i32at(packet + PACKET_IN);
  // From inside what is forwarded from outside goes before what the router serves inside by the same port.
  if (isKept(forward) !== 0 && i32at(interfaceAt(index) + IF_SIDE) !== INTERFACE_OUTSIDE) return forward;
  return isHeard(packet, protocol) !== 0 ? 0 : forward;
}

/**
 * The forward of a mark that the rules before the routing give a packet, which they are asked about once: its place, 0, or the reason to
 * drop. What a socket hears is for the router.
 */
export function markedFor(packet: i32, protocol: i32): i32 {
  if (i32at(MARKS_SET_AT) === 0 || (i32at(RULE_HOOKS_AT) & HOOKS_BEFORE) === 0) return 0;
  if (i32at(packet + PACKET_L4) === 0 || (protocol !== TCP && protocol !== UDP)) return 0;
  if ((i32at(packet + PACKET_FLAGS) & FLAG_MARKED) === 0) {
    if (isHeard(packet, protocol) !== 0) return 0;
    const verdict: i32 = askMark(packet, i32at(packet + PACKET_IN));
    if (verdict !== PASS) return verdict;
  }
  const mark: i32 = i32at(packet + PACKET_MARK);
  return mark === 0 ? 0 : forwardOfMark(mark);
}

/** 1 if a socket of the router hears a packet. */
export function isHeard(packet: i32, protocol: i32): i32 {
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const remote: i32 = get32(packet + PACKET_IP + IP_SOURCE);
  return socketHears(protocol, ports & 0xffff, i32at(packet + PACKET_IN), remote, ports >>> 16);
}

/** Adds a session that the outside opens by a forward, whose first place it is: its entry, or the reason to drop. */
export function addForwarded(packet: i32, first: i32, outside: i32): i32 {
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const forward: i32 = chooseServer(first, get32(packet + PACKET_IP + IP_SOURCE));
  if (forward === 0) return DROP_HOST_SHARE;
  let insidePort: i32 = u16at(forward + FORWARD_INSIDE);
  if (u16at(forward + FORWARD_PROTOCOL) !== FORWARD_MARKED || insidePort === 0)
    insidePort += (ports & 0xffff) - u16at(forward + FORWARD_FIRST);
  if (i32at(PROBE_AT) !== 0) met(NOTE_FORWARD + (((forward - FORWARDS_AT) / FORWARD_BYTES) | 0));
  const made: i32 = addTo(packet, i32at(forward + FORWARD_ADDRESS), insidePort, outside);
  if (made >= MASQUERADE_AT && i32at(PROBE_AT) === 0) {
    puti32(forward + FORWARD_SESSIONS, (i32at(forward + FORWARD_SESSIONS) + 1) | 0);
    if (u16at(forward + FORWARD_LEFT) !== 0)
      putu16(forward + FORWARD_LEFT, u16at(forward + FORWARD_LEFT) - 1);
    joinServer(made, forward);
    if ((u16at(forward + FORWARD_FLAGS) & FORWARD_LOGGED) !== 0) logSession(made, forward, ports);
  }
  return made;
}

/** Adds a session that the outside opens with a host inside and its port: its entry, or the reason to drop. */
export function addTo(packet: i32, inside: i32, insidePort: i32, outside: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const remote: i32 = get32(ip + IP_SOURCE);
  const ports: i32 = i32at(packet + PACKET_PORTS);
  if (l4 === 0) return DROP_FRAGMENT_TIMEOUT;
  if (canTranslate(protocol) === 0) return DROP_PROTOCOL;
  if (protocol === TCP && (get8(l4 + TCP_FLAGS) & TCP_STATE_MASK) !== TCP_SYN) return DROP_UNSOLICITED;
  const outPorts: i32 = (insidePort << 16) | (ports >>> 16);
  // The host may talk with that very endpoint by another outside port: then the answer would leave by that one.
  if (findTuple(inside, remote, outPorts, protocol) !== 0) return DROP_UNSOLICITED;
  const isAsked: i32 = (i32at(RULE_HOOKS_AT) & HOOKS_FORWARD) !== 0 ? 1 : 0;
  if (isAsked !== 0) {
    const verdict: i32 = askStranger(packet, inside, insidePort, STATE_BIT_DNAT);
    if (verdict !== PASS) return verdict;
  }
  const source: i32 = i32at(RULE_HOOKS_AT) === 0 ? AS_IS : sourceTo(packet, inside, insidePort, isAsked);
  const back: i32 = source === AS_IS ? 0 : backPort(inside, source, outPorts, protocol);
  if (back === NO_PORT) return DROP_NO_PORT;
  const e: i32 = admit(hostFor(inside), 1);
  if (e < MASQUERADE_AT) return e;
  fillEntry(e, protocol, inside, remote, outPorts, ports & 0xffff);
  if (source !== AS_IS) {
    noteShared();
    puti32(e + E_REMOTE, source);
    puti32(e + E_OUT_PORTS, ((protocol === ICMP ? back : insidePort) << 16) | back);
  }
  // Until it is tracked; a stranger's datagram alone prolongs nothing.
  puti32(e + E_EXPIRES, (i32at(NOW_AT) + parameter(RFC_UDP)) | 0);
  const isClassic: i32 = parameter(NAT_PROFILE) === PROFILE_CLASSIC ? ENTRY_CLASSIC : 0;
  return beginFlow(e, outside, ENTRY_HEARD | ENTRY_FORWARD | isClassic);
}
