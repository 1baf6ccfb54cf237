// The links' two doors: what came by one, and what goes out by one, by the link's type. Between them a packet is a datagram,
// and only the files of this folder know what stands before it.
//
//    Ethernet    header on and off, ARP answered, the next hop's station looked for (RFC 894, RFC 826)
//    point link  there is one at the other end: nothing is asked, no header is told here; ARP is never spoken
//    a session   on an Ethernet link: its frames are taken out of the link's below (pppoe-input.ts)
//    on a port   frames of the link's own beside datagrams (line-input.ts)
//
// Not here: the header itself (src/wire/ethernet.ts), the queue and the device (transmit.ts), the neighbours (neighbour.ts).

import { CAPTURE_IN } from '../../base/capture-record.ts';
import { NOW_AT } from '../../base/cells.ts';
import { DROP_ETHERTYPE } from '../../base/counters.ts';
import {
  DEVICE_SERIAL,
  IF_ABOVE,
  IF_DEVICE,
  IF_LINK,
  IF_NUMBER,
  interfaceAt,
  LINK_ETHERNET,
} from '../../base/interface.ts';
import { lineAt } from '../../base/line-record.ts';
import { i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  KEPT,
  NEIGHBOUR_HEADER,
  NEIGHBOUR_RESOLVING,
  NEIGHBOUR_STATE,
  NEIGHBOUR_USED,
} from '../../base/neighbour-record.ts';
import { FOR_LINK, HELD, PACKET_HEADER, PACKET_PORTS, PASS } from '../../base/packet.ts';
import { ETHERTYPE_IPV4, ethernetFrom, ethernetHead, ethernetInput } from '../../wire/ethernet.ts';
import { arpInput } from './arp-input.ts';
import { CAPTURE_MASK_AT, capture } from './capture.ts';
import { lineInput } from './line-input.ts';
import { lineHead } from './line-output.ts';
import { neighbourResolve } from './neighbour.ts';
import { neighbourAt, neighbourFind, neighbourNumber } from './neighbour-table.ts';
import { pppoeInput } from './pppoe-input.ts';
import { transmit } from './transmit.ts';

/** What came by a link, whose record is `at`. PASS: a datagram, not checked yet; HELD: it was the link's; PUNT: what the link says of itself; or a drop. */
export function linkInput(packet: i32, index: i32, at: i32): i32 {
  if (i32at(CAPTURE_MASK_AT) !== 0) capture(packet, index, CAPTURE_IN);
  if (i32at(at + IF_LINK) !== LINK_ETHERNET)
    return i32at(at + IF_DEVICE) === DEVICE_SERIAL ? lineInput(packet, at) : PASS;
  const verdict: i32 = ethernetInput(packet, at);
  if (verdict === PASS) return PASS;
  if (verdict === DROP_ETHERTYPE && i32at(at + IF_ABOVE) !== 0) return pppoeInput(packet, index);
  return verdict === FOR_LINK ? arp(packet, index) : verdict;
}

/** The same of what came in a session on a link (FOR_ABOVE), and is the link's above: its number and record. */
export function aboveInput(packet: i32, index: i32, at: i32): i32 {
  if (i32at(CAPTURE_MASK_AT) !== 0) {
    lineHead(packet, lineAt(i32at(at + IF_NUMBER)), i32at(packet + PACKET_PORTS));
    capture(packet, index, CAPTURE_IN);
  }
  return lineInput(packet, at);
}

/** ARP is answered by the link that it came by. */
function arp(packet: i32, index: i32): i32 {
  const verdict: i32 = arpInput(packet, index);
  if (verdict !== PASS) return verdict;
  transmit(packet, index);
  return HELD;
}

/** Sends a datagram to its next hop (PACKET_NEXT_HOP) by a link: PASS, or HELD, both taken; or a drop, and it is the caller's. */
export function linkOutput(packet: i32, index: i32): i32 {
  if (i32at(interfaceAt(index) + IF_LINK) === LINK_ETHERNET) {
    const verdict: i32 = neighbourResolve(packet);
    if (verdict !== PASS) return verdict;
  } else {
    putu16(packet + PACKET_HEADER, 0);
  }
  transmit(packet, index);
  return PASS;
}

/** The same of one whose next hop is a known neighbour: its record's number, or 0 on a point link. Takes the packet. */
export function linkOutputTo(packet: i32, index: i32, neighbour: i32): void {
  if (neighbour !== 0) {
    const at: i32 = neighbourAt(neighbour);
    ethernetHead(packet, at + NEIGHBOUR_HEADER);
    puti32(at + NEIGHBOUR_USED, i32at(NOW_AT));
  } else {
    putu16(packet + PACKET_HEADER, 0);
  }
  transmit(packet, index);
}

/** The number of a next hop's record, from now on kept for linkOutputTo(); 0 on a point link; -1 if its station is not known. */
export function neighbourToKeep(address: i32, index: i32): i32 {
  if (i32at(interfaceAt(index) + IF_LINK) !== LINK_ETHERNET) return 0;
  const at: i32 = neighbourFind(address, index);
  if (at === 0 || u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) return -1;
  putu16(at + KEPT, 1);
  return neighbourNumber(at);
}

/** Sends a datagram to the station at PACKET_TO_STATION, or to whoever is at the other end of a point link. Takes it. */
export function linkSendTo(packet: i32, index: i32): void {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_LINK) === LINK_ETHERNET) ethernetFrom(packet, at, ETHERTYPE_IPV4);
  transmit(packet, index);
}
