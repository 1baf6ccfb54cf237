// What the rules would do to a packet that nobody has sent: a made-up one goes the way of forward.ts and local.ts, and is asked at the same
// hooks. While PROBE_AT is set nothing of it stays: nothing is counted or logged, no limit gives a token, `recent` remembers nothing, no flow is
// made or marked, and no path is kept. What it met is noted in their place (stepPath).
//
// Not here: what is asked and how it is told (src/control/rules/explain/).

import { DROP_BROADCAST, DROP_NO_ROUTE } from '../../base/counters.ts';
import { IF_ADDRESS, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { fill, get32, i32at, put8, put16, put32, puti32 } from '../../base/memory.ts';
import {
  PACKET_IN,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_OUT,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import { allocate, release } from '../../base/pool.ts';
import {
  PROBE_BYTES,
  PROBE_DESTINATION,
  PROBE_FORWARD,
  PROBE_IN,
  PROBE_INPUT,
  PROBE_KIND,
  PROBE_LEAVES,
  PROBE_MET,
  PROBE_NOWHERE,
  PROBE_OUT,
  PROBE_OUTPUT,
  PROBE_PORTS,
  PROBE_PROTOCOL,
  PROBE_SOURCE,
  PROBE_STATE,
  PROBE_TO,
  PROBE_TO_PORT,
  PROBE_VERDICT,
  PROBE_WHERE,
} from '../../base/probe-record.ts';
import {
  ROUTE_BROADCAST,
  ROUTE_LINK,
  ROUTE_LOCAL,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_ROUTE,
} from '../../base/route-record.ts';
import {
  STATE_BIT_DNAT,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_NEW,
  STATE_BIT_RELATED,
} from '../../base/rule-record.ts';
import {
  NAT_ADDRESS_AT,
  NAT_PORT_AT,
  OLD_ANSWER_AT,
  PROBE_AT,
  VIEW_DESTINATION,
  VIEW_PORTS,
  VIEW_STATE,
} from '../../base/rule-state.ts';
import {
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_LENGTH,
  IP_PLAIN,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
} from '../../wire/ipv4.ts';
import { TCP_FLAGS, TCP_HEADER_BYTES, TCP_LENGTH } from '../../wire/tcp.ts';
import { KNOWN_NOTHING } from '../flow/known-flow.ts';
import { routeTo } from '../ip/route.ts';
import { sourceCheck } from '../ip/source.ts';
import { askChains, askInput, askOutput, LET_IN } from './hooks.ts';
import { AS_IS, AS_LINK, destinationByRules, hasSourceRules, sourceByRules } from './nat.ts';
import { forwardPolicy, masqueradePolicy, turnPolicy } from './policy.ts';
import { look } from './view.ts';

const TTL: i32 = 64;

/** Asks about the packet of src/base/probe-record.ts: 1, or 0 where no buffer is free. There must be memory for rules. */
export function ruleProbe(): i32 {
  const packet: i32 = allocate();
  if (packet === 0) return 0;
  const came: i32 = i32at(PROBE_IN);
  makeUp(packet, came);
  puti32(PROBE_TO, 0);
  puti32(PROBE_LEAVES, AS_IS);
  puti32(PROBE_OUT, -1);
  puti32(PROBE_WHERE, PROBE_NOWHERE);
  puti32(PROBE_AT, 1);
  puti32(PROBE_VERDICT, came < 0 ? probeOwn(packet) : probeComing(packet, came));
  puti32(PROBE_MET, i32at(PROBE_AT) - 1);
  puti32(PROBE_AT, 0);
  release(packet);
  return 1;
}

function makeUp(packet: i32, came: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = ip + IP_HEADER_BYTES;
  const protocol: i32 = i32at(PROBE_PROTOCOL);
  const kind: i32 = i32at(PROBE_KIND);
  fill(ip, 0, IP_HEADER_BYTES + 2 * TCP_HEADER_BYTES);
  put8(ip, IP_PLAIN);
  put16(ip + IP_LENGTH, i32at(PROBE_BYTES));
  put8(ip + IP_TTL, TTL);
  put8(ip + IP_PROTOCOL, protocol);
  put32(ip + IP_SOURCE, i32at(PROBE_SOURCE));
  put32(ip + IP_DESTINATION, i32at(PROBE_DESTINATION));
  if (protocol === PROTOCOL_ICMP) put16(l4, kind);
  else put32(l4, i32at(PROBE_PORTS));
  if (protocol === PROTOCOL_TCP) {
    put8(l4 + TCP_LENGTH, TCP_HEADER_BYTES << 2);
    put8(l4 + TCP_FLAGS, kind);
  }
  puti32(packet + PACKET_IN, came);
  puti32(packet + PACKET_L4, l4);
  puti32(packet + PACKET_LENGTH, i32at(PROBE_BYTES));
  puti32(packet + PACKET_PORTS, i32at(PROBE_PORTS));
  puti32(packet + PACKET_KNOWN, KNOWN_NOTHING);
}

/** 1 if it begins a flow, so that nat's rules are asked. */
function isNew(): i32 {
  const state: i32 = i32at(PROBE_STATE);
  return state === 0 || (state & STATE_BIT_NEW) !== 0 ? 1 : 0;
}

function probeComing(packet: i32, came: i32): i32 {
  const at: i32 = interfaceAt(came);
  const checked: i32 = sourceCheck(packet, came);
  if (checked !== PASS) return checked;
  let destination: i32 = get32(packet + PACKET_IP + IP_DESTINATION);
  let port: i32 = i32at(packet + PACKET_PORTS) & 0xffff;
  let isTurned: i32 = 0;
  if (isNew() !== 0 && destinationByRules(packet, came) !== 0) {
    isTurned = 1;
    destination = i32at(NAT_ADDRESS_AT);
    port = i32at(NAT_PORT_AT);
    puti32(PROBE_TO, destination);
    puti32(PROBE_TO_PORT, port);
  }
  const route: i32 = i32at(routeTo(destination) + TO_ROUTE);
  const kind: i32 = route >> ROUTE_TYPE_SHIFT;
  if (kind === ROUTE_LOCAL || kind === ROUTE_BROADCAST) {
    puti32(PROBE_WHERE, PROBE_INPUT);
    if (kind === ROUTE_BROADCAST && i32at(at + IF_SIDE) === INTERFACE_OUTSIDE) return DROP_BROADCAST;
    return askInput(packet, came);
  }
  if (kind !== ROUTE_UNICAST) return DROP_NO_ROUTE;
  return probeForward(packet, at, route & ROUTE_LINK, isTurned, destination, port);
}

/** Through us by link number `out`, to a destination that may be another than the packet's. */
function probeForward(packet: i32, at: i32, out: i32, isTurned: i32, to: i32, port: i32): i32 {
  const outAt: i32 = interfaceAt(out);
  puti32(PROBE_WHERE, PROBE_FORWARD);
  puti32(PROBE_OUT, out);
  puti32(packet + PACKET_OUT, out);
  const turned: i32 = turnPolicy(at, outAt);
  if (turned !== PASS) return turned;
  look(packet, i32at(PROBE_IN), out);
  puti32(VIEW_DESTINATION, to);
  puti32(VIEW_PORTS, (i32at(VIEW_PORTS) & ~0xffff) | port);
  const known: i32 = i32at(VIEW_STATE) & (STATE_BIT_ESTABLISHED | STATE_BIT_RELATED);
  const house: i32 = known !== 0 || isTurned !== 0 ? PASS : forwardPolicy(at);
  const verdict: i32 = askChains(packet, house, isTurned !== 0 ? LET_IN | STATE_BIT_DNAT : 0);
  if (verdict !== PASS || isNew() === 0 || i32at(at + IF_SIDE) === INTERFACE_OUTSIDE) return verdict;
  if (hasSourceRules() !== 0) puti32(PROBE_LEAVES, sourceByRules());
  else if (i32at(OLD_ANSWER_AT) === 0 && masqueradePolicy(at, outAt) !== 0) puti32(PROBE_LEAVES, AS_LINK);
  if (i32at(PROBE_LEAVES) === AS_LINK) puti32(PROBE_LEAVES, i32at(outAt + IF_ADDRESS));
  return PASS;
}

function probeOwn(packet: i32): i32 {
  const route: i32 = i32at(routeTo(get32(packet + PACKET_IP + IP_DESTINATION)) + TO_ROUTE);
  if (route >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST) return DROP_NO_ROUTE;
  puti32(PROBE_WHERE, PROBE_OUTPUT);
  puti32(PROBE_OUT, route & ROUTE_LINK);
  puti32(packet + PACKET_OUT, route & ROUTE_LINK);
  return askOutput(packet, route & ROUTE_LINK);
}
