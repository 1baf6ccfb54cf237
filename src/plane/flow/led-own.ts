// Flows that the router itself begins and that a rule of nat translates: to another host or port (OUTPUT), by another source (POSTROUTING). Such a flow is as
// one that a rule has turned (turned.ts); but what comes back in it ends here, as from whom the router has asked.
//
//    10.1.2.3:1043 -> 192.0.2.53:53       becomes      10.1.2.9:1043 -> 198.51.100.7:53
//
// Not here: what the rules are asked (src/plane/ip/output.ts).

import { PROBE_AT } from '../../base/cells.ts';
import { DROP_INTERFACE_DOWN, DROP_NO_PORT, DROP_PROTOCOL } from '../../base/counters.ts';
import {
  BEGUN_BY_US,
  E_BEGUN,
  E_FAR,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PROTOCOL,
  E_REMOTE,
  E_TIMER,
  ENTRY_CLASSIC,
  ENTRY_FORWARD,
  ENTRY_SENT,
  TURNED,
} from '../../base/flow-record.ts';
import { IF_SIDE, IF_STATE, INTERFACE_OUTSIDE, INTERFACE_UP, interfaceAt } from '../../base/interface.ts';
import { MASQUERADE_AT } from '../../base/limits.ts';
import { get8, get32, i32at, put8, puti32, putu16 } from '../../base/memory.ts';
import { PACKET_FLOW, PACKET_IP, PACKET_PORTS } from '../../base/packet.ts';
import { NAT_PROFILE, PROFILE_CLASSIC, parameter, RFC_ICMP } from '../../base/parameters.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { admit } from './flow-admission.ts';
import { beginFlow, noteShared } from './flow-begin.ts';
import { hostFor } from './flow-hosts.ts';
import { canTranslate } from './flow-table.ts';
import { NO_PORT } from './port-map.ts';
import { backPort, turnBy } from './turned.ts';

/** The first packet of such a flow, to a host and its port by that source and link number `out`: PASS, translated, or the reason to drop it. */
export function leadOwn(packet: i32, to: i32, port: i32, source: i32, out: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const own: i32 = get32(ip + IP_SOURCE);
  if (canTranslate(protocol) === 0) return DROP_PROTOCOL;
  const far: i32 = protocol === ICMP ? ports & 0xffff : port;
  const back: i32 = backPort(to, source, (far << 16) | (ports >>> 16), protocol);
  if (back === NO_PORT) return DROP_NO_PORT;
  const isOutside: i32 = i32at(interfaceAt(out) + IF_SIDE) === INTERFACE_OUTSIDE ? 1 : 0;
  // Of a link that is down: no change of its address would end the flow.
  if (isOutside !== 0 && (source === 0 || i32at(interfaceAt(out) + IF_STATE) !== INTERFACE_UP))
    return DROP_INTERFACE_DOWN;
  const e: i32 = admit(hostFor(own), 0);
  if (e < MASQUERADE_AT) return e;
  put8(e + E_PROTOCOL, protocol);
  puti32(e + E_INSIDE, own);
  puti32(e + E_REMOTE, get32(ip + IP_DESTINATION));
  puti32(e + E_OUT_PORTS, ports);
  puti32(e + E_FAR, to);
  puti32(e + E_OUTSIDE, source);
  puti32(e + E_IN_PORTS, ((protocol === ICMP ? back : far) << 16) | back);
  putu16(e + E_BEGUN, BEGUN_BY_US);
  noteShared();
  const isClassic: i32 = parameter(NAT_PROFILE) === PROFILE_CLASSIC ? ENTRY_CLASSIC : 0;
  const made: i32 = beginFlow(e, isOutside !== 0 ? source : TURNED, ENTRY_SENT | ENTRY_FORWARD | isClassic);
  if (made < MASQUERADE_AT) return made;
  // Who asks names asks each by another port (own.ts).
  if (protocol === UDP && i32at(PROBE_AT) === 0) put8(e + E_TIMER, RFC_ICMP);
  const verdict: i32 = turnBy(packet, e, 0);
  puti32(packet + PACKET_FLOW, 0);
  return verdict;
}
