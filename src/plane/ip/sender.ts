// Whether a packet's sender is where its source address says: then what is shared among hosts is the address's, else that of
// all whom nobody knows together. So a station that makes up source addresses is one host, and takes nothing in another's name.
// Used for the places of the masquerade, of fragments, of packets that wait for a neighbour, and of errors.
//
// ARP has heard that the address is at the station, or that the router on the way to it is. A host speaks ARP before its
// first packet, and is known for NEIGHBOUR_IDLE_TICKS after its last use; one whose record has gone (src/base/limits.ts), and one that
// sends from another station than it answers ARP with, shares with the unknown until it speaks ARP again.
// A station that answers ARP for many addresses is as many hosts: so does a bridge for what is behind it.
// Cost: two look-ups of a neighbour and one of a route, which the check of the source has just done (source.ts).
// Not here: who has been there for long, for the services (src/plane/link/station.ts).

import { IF_LINK, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt, LINK_ETHERNET } from '../../base/interface.ts';
import { i32at } from '../../base/memory.ts';
import { PACKET_IN, PACKET_STATION } from '../../base/packet.ts';
import { ROUTE_TYPE_SHIFT, ROUTE_UNICAST, TO_NEXT_HOP, TO_ROUTE } from '../../base/route-record.ts';
import { neighbourIs } from '../link/neighbour-table.ts';
import { routeTo } from './route.ts';

/** 1 if the packet's sender is known to have the address, or the side that it came from has no stations that could tell. */
export function isSender(packet: i32, address: i32): i32 {
  const index: i32 = i32at(packet + PACKET_IN);
  if (index < 0) return 1;
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_SIDE) === INTERFACE_OUTSIDE || i32at(at + IF_LINK) !== LINK_ETHERNET) return 1;
  return isAt(index, address, packet + PACKET_STATION);
}

/** 1 if ARP has heard that the address is at the station (6 bytes at `mac`), or that the router on the way to it is. */
export function isAt(index: i32, address: i32, mac: i32): i32 {
  if (neighbourIs(index, address, mac) !== 0) return 1;
  const to: i32 = routeTo(address);
  const hop: i32 = i32at(to + TO_NEXT_HOP);
  if (i32at(to + TO_ROUTE) !== ((ROUTE_UNICAST << ROUTE_TYPE_SHIFT) | index) || hop === address) return 0;
  return neighbourIs(index, hop, mac);
}
