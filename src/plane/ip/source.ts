// May this source address come in by this interface? Martians (RFC 1812, 5.3.7), forged ones (RFC 2827).
// ANY_SOURCE takes the second part back by link, which costs nothing where it is not set: it is asked of what else would be dropped.
// The test is the reverse path: an answer to the source must leave where the packet came in (RFC 3704, 2.2).

import { DROP_FOREIGN_FROM_LAN, DROP_MARTIAN_SOURCE, DROP_SPOOFED_FROM_WAN } from '../../base/counters.ts';
import { IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { get8, get32, i32at } from '../../base/memory.ts';
import { PACKET_IP, PACKET_PORTS, PASS } from '../../base/packet.ts';
import { ANY_SOURCE, parameter, setParameter } from '../../base/parameters.ts';
import {
  ROUTE_LINK,
  ROUTE_NONE,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { IP_DESTINATION, IP_PROTOCOL, IP_SOURCE, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { forgetRoutes } from '../flow/kept-route.ts';
import { isLinkLocal, routeTo } from './route.ts';

const DHCP_SERVER_PORT: i32 = 67;

/** Sets by which links any source comes in, a bit each. Routes that flows keep stand on the check, and go. */
export function anySource(links: i32): void {
  setParameter(ANY_SOURCE, links);
  forgetRoutes();
}

/** Checks the source of a packet that came in by interface `index`, which is up. */
export function sourceCheck(packet: i32, index: i32): i32 {
  const source: i32 = get32(packet + PACKET_IP + IP_SOURCE);
  const route: i32 = i32at(routeTo(source) + TO_ROUTE);
  if (route === ((ROUTE_UNICAST << ROUTE_TYPE_SHIFT) | index)) return PASS;
  return unusual(packet, source, route, index);
}

/** The source is not reached by the interface it came in by. */
function unusual(packet: i32, source: i32, route: i32, index: i32): i32 {
  const kind: i32 = route >> ROUTE_TYPE_SHIFT;
  if (kind !== ROUTE_UNICAST && kind !== ROUTE_NONE) {
    // A host that has no address yet speaks to everybody (RFC 1122, 3.2.1.3: {0, 0}); DHCP begins so.
    if (source === 0 && get32(packet + PACKET_IP + IP_DESTINATION) === -1) return PASS;
    return DROP_MARTIAN_SOURCE;
  }
  const isAny: i32 = (parameter(ANY_SOURCE) >> index) & 1;
  if (i32at(interfaceAt(index) + IF_SIDE) !== INTERFACE_OUTSIDE && isAny === 0) {
    return isRebinding(packet) !== 0 ? PASS : DROP_FOREIGN_FROM_LAN;
  }
  // Outside, the way back may be another outside interface, or none yet: that is not forged.
  if (kind === ROUTE_NONE) return isLinkLocal(source) !== 0 ? DROP_MARTIAN_SOURCE : PASS;
  if (isAny !== 0) return PASS;
  const back: i32 = interfaceAt(route & ROUTE_LINK);
  return i32at(back + IF_SIDE) === INTERFACE_OUTSIDE ? PASS : DROP_SPOOFED_FROM_WAN;
}

/**
 * A host of the network that was here before asks every DHCP server for its old address, from that address
 * (RFC 2131, 4.3.2); only the answer will make it ask for another.
 */
function isRebinding(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  if (get32(ip + IP_DESTINATION) !== -1 || get8(ip + IP_PROTOCOL) !== PROTOCOL_UDP) return 0;
  return (i32at(packet + PACKET_PORTS) & 0xffff) === DHCP_SERVER_PORT ? 1 : 0;
}
