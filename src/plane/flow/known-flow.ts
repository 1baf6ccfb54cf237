// The packets of known flows, which are nearly all: found by one look, translated by stored differences, and sent on by
// the route that their flow keeps. What is not plain goes the way of a first packet (src/plane/ip/forward.ts), which
// also says what is right: this file only takes a short way to the same bytes.
//
// Plain is: a whole datagram of UDP or TCP without options of IP, by a session in which both sides have sent, whose route
// is kept and good (kept-route.ts), not longer than its link carries, not at the end of its time to live; a segment of an
// established connection with ACK alone of FIN, SYN, RST and ACK.
//
// A session is looked for in KNOWN, an address and a side for each place, by a sum of its tuple that anybody may foresee: who makes his meet
// another's there costs that one the search of a chain (flow-table.ts) a packet, some 80 instructions, and no more.
// RFC 1624, equation 3: the differences of all that a translation changes are summed once, when a route is kept; the other
// direction adds their complement.

import { NOW_AT, ROUTE_GENERATION_AT } from '../../base/cells.ts';
import { COUNT_FORWARDED, count } from '../../base/counters.ts';
import {
  COUNT_BYTES,
  COUNT_PACKETS,
  COUNTS_BYTES,
  E_COUNTS,
  E_EXPIRES,
  E_FLAGS,
  E_HEADER_DIFFERENCE,
  E_OUT_ROUTE,
  E_PROTOCOL,
  E_STATE,
  E_TIMER,
  E_TRANSPORT_DIFFERENCE,
  ENTRY_ANSWERED,
  isRouted,
  STATE_ESTABLISHED,
  TUPLE_BYTES,
  TUPLE_DESTINATION,
  TUPLE_PORTS,
  TUPLE_SOURCE,
} from '../../base/flow-record.ts';
import { IF_MTU, interfaceAt } from '../../base/interface.ts';
import { KNOWN_AT, KNOWN_COUNT, MASQUERADE_AT, PARAMETERS_AT } from '../../base/limits.ts';
import { get8, get32, i32at, put32, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  FLAG_DESTINATION_TRANSLATED,
  FLAG_SOURCE_TRANSLATED,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_LENGTH,
  PACKET_NEXT_HOP,
  PACKET_OUT,
  PACKET_PORTS,
} from '../../base/packet.ts';
import {
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_PLAIN,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  SOURCE_PORT,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { TCP_ACK, TCP_CHECKSUM, TCP_FLAGS, TCP_STATE_MASK } from '../../wire/tcp.ts';
import { UDP_CHECKSUM } from '../../wire/udp.ts';
import { linkOutputTo, neighbourToKeep } from '../link/link.ts';
import { findTuple } from './flow-table.ts';
import {
  ROUTE_GOOD_FOR,
  ROUTE_IN_SHIFT,
  ROUTE_NEIGHBOUR_MASK,
  ROUTE_NEIGHBOUR_SHIFT,
  ROUTE_OUT_MASK,
} from './kept-route.ts';
import { follow, IN_SIDE, OUT_SIDE } from './tcp-window.ts';
import { folded, halves, inverse } from './translate.ts';

/** In PACKET_KNOWN: nobody has looked; there is no session. Else its address, and in bit 0 the side that it came from. */
export const KNOWN_NOTHING: i32 = 0;
export const KNOWN_NONE: i32 = 2;
/** What the time to live adds to a header's checksum: ~m + m' of its word, whose low byte it is and goes down by 1. */
const TTL_DIFFERENCE: i32 = 0xfffe;
const FLAGS_TRANSLATED: i32 = FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED;
/** For a transport difference: no translation's is 0, as a sum of ones' complement is 0 only of zeros. */
const NOTHING_TRANSLATED: i32 = 0;

export function resetKnown(): void {
  // A free session is none that a packet could have, and its address one that may be read.
  for (let i: i32 = 0; i < KNOWN_COUNT; i++) puti32(KNOWN_AT + 4 * i, MASQUERADE_AT);
}

/** The place of a tuple: its address in KNOWN. */
function placeOf(source: i32, destination: i32, ports: i32): i32 {
  const mixed: i32 = source ^ destination ^ ports;
  return KNOWN_AT + (((mixed ^ (mixed >>> 10) ^ (mixed >>> 20)) & (KNOWN_COUNT - 1)) << 2);
}

/** Looks for the flow of a packet: its address and side, or KNOWN_NONE. */
function lookUp(packet: i32, place: i32, protocol: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const found: i32 = findTuple(
    get32(ip + IP_SOURCE),
    get32(ip + IP_DESTINATION),
    i32at(packet + PACKET_PORTS),
    protocol,
  );
  if (found === 0) return KNOWN_NONE;
  puti32(place, found);
  return found;
}

/**
 * A checked whole datagram that came in by interface `index`, which is up: 1 if it was plain, and is sent on. Else
 * PACKET_KNOWN tells what was found. Takes the packet only then.
 */
export function forwardKnown(packet: i32, index: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  // A broadcast or an ICMP error has its flag.
  if ((protocol !== UDP && protocol !== TCP) || u16at(packet + PACKET_FLAGS) !== 0) return 0;
  const place: i32 = placeOf(get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION), i32at(packet + PACKET_PORTS));
  let known: i32 = i32at(place);
  if (isOf(known, packet, protocol) === 0) {
    known = lookUp(packet, place, protocol);
    puti32(packet + PACKET_KNOWN, known);
    if (known === KNOWN_NONE) return 0;
  }
  const side: i32 = known & 1;
  const e: i32 = known ^ side;
  const route: i32 = i32at(e + E_OUT_ROUTE + (side << 2));
  if ((route & ROUTE_GOOD_FOR) !== (i32at(ROUTE_GENERATION_AT) | (index << ROUTE_IN_SHIFT))) return 0;
  if (i32at(packet + PACKET_LENGTH) > i32at(interfaceAt(route & ROUTE_OUT_MASK) + IF_MTU)) return 0;
  if (get8(ip + IP_TTL) <= 1 || get8(ip) !== IP_PLAIN) return 0;
  if (protocol === TCP && isPlainSegment(e, ip + IP_HEADER_BYTES, side) === 0) return 0;
  puti32(e + E_EXPIRES, (i32at(NOW_AT) + i32at(PARAMETERS_AT + 4 * get8(e + E_TIMER))) | 0);
  const counts: i32 = e + E_COUNTS + side * COUNTS_BYTES;
  puti32(counts + COUNT_PACKETS, (i32at(counts + COUNT_PACKETS) + 1) | 0);
  puti32(counts + COUNT_BYTES, (i32at(counts + COUNT_BYTES) + i32at(packet + PACKET_LENGTH)) | 0);
  translatePlain(ip, e, side, protocol);
  puti32(packet + PACKET_FLOW, known);
  count(COUNT_FORWARDED);
  linkOutputTo(packet, route & ROUTE_OUT_MASK, (route >>> ROUTE_NEIGHBOUR_SHIFT) & ROUTE_NEIGHBOUR_MASK);
  return 1;
}

/** Whether a packet's tuple is that of a session's side, or of what was one. */
function isOf(known: i32, packet: i32, protocol: i32): i32 {
  const side: i32 = known & 1;
  const e: i32 = known ^ side;
  const tuple: i32 = e + side * TUPLE_BYTES;
  return i32at(tuple + TUPLE_PORTS) === i32at(packet + PACKET_PORTS) &&
    i32at(tuple + TUPLE_SOURCE) === get32(packet + PACKET_IP + IP_SOURCE) &&
    i32at(tuple + TUPLE_DESTINATION) === get32(packet + PACKET_IP + IP_DESTINATION) &&
    get8(e + E_PROTOCOL) === protocol
    ? 1
    : 0;
}

/** Whether a segment changes no state of its connection, whose numbers then follow it. */
function isPlainSegment(e: i32, l4: i32, side: i32): i32 {
  if ((get8(l4 + TCP_FLAGS) & TCP_STATE_MASK) !== TCP_ACK || get8(e + E_STATE) !== STATE_ESTABLISHED)
    return 0;
  follow(e, l4, side === 0 ? OUT_SIDE : IN_SIDE);
  return 1;
}

/**
 * Gives a packet without options the other tuple, turned round, takes one from its time to live, and corrects the checksums, all
 * in the machine's order of bytes: sums are the same in either (RFC 1071, 2B).
 */
function translatePlain(ip: i32, e: i32, side: i32, protocol: i32): void {
  const inverted: i32 = side === 0 ? 0 : 0xffff;
  const word: i32 = i32at(ip + IP_TTL);
  let sum: i32 = (~word >>> 16) + (u16at(e + E_HEADER_DIFFERENCE) ^ inverted) + TTL_DIFFERENCE;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  // Of time to live, protocol and checksum the first goes down and the last is replaced.
  puti32(ip + IP_TTL, (((word | -0x10000) - 1) | 0) ^ (sum << 16));
  const difference: i32 = u16at(e + E_TRANSPORT_DIFFERENCE);
  if (difference === NOTHING_TRANSLATED) return;
  const other: i32 = e + TUPLE_BYTES - side * TUPLE_BYTES;
  put32(ip + IP_SOURCE, i32at(other + TUPLE_DESTINATION));
  put32(ip + IP_DESTINATION, i32at(other + TUPLE_SOURCE));
  const ports: i32 = i32at(other + TUPLE_PORTS);
  put32(ip + IP_HEADER_BYTES + SOURCE_PORT, (ports << 16) | (ports >>> 16));
  const at: i32 = ip + IP_HEADER_BYTES + (protocol === TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
  const old: i32 = u16at(at);
  // UDP: 0 is "no checksum" and stays; a sum that comes out as 0 is sent as its other form, all ones (RFC 768).
  if (old === 0 && protocol === UDP) return;
  sum = (old ^ 0xffff) + (difference ^ inverted);
  sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  putu16(at, sum === 0 && protocol === UDP ? 0xffff : sum);
}

/** Keeps the route of a flow's packet that is about to leave by PACKET_OUT to PACKET_NEXT_HOP, if that one's station is known. */
export function keepRoute(packet: i32): void {
  const flow: i32 = i32at(packet + PACKET_FLOW);
  // A hairpin's packet is of two flows; an error, and what is longer than its link, is not plain.
  if (flow === 0 || (u16at(packet + PACKET_FLAGS) & ~FLAGS_TRANSLATED) !== 0) return;
  const side: i32 = flow & 1;
  const e: i32 = flow ^ side;
  const protocol: i32 = get8(e + E_PROTOCOL);
  if ((get8(e + E_FLAGS) & ENTRY_ANSWERED) !== ENTRY_ANSWERED) return;
  if (protocol !== UDP && protocol !== TCP) return;
  const out: i32 = i32at(packet + PACKET_OUT);
  const neighbour: i32 = neighbourToKeep(i32at(packet + PACKET_NEXT_HOP), out);
  if (neighbour < 0) return;
  const tuple: i32 = e + side * TUPLE_BYTES;
  keepDifferences(e);
  puti32(
    e + E_OUT_ROUTE + (side << 2),
    i32at(ROUTE_GENERATION_AT) |
      (neighbour << ROUTE_NEIGHBOUR_SHIFT) |
      (i32at(packet + PACKET_IN) << ROUTE_IN_SHIFT) |
      out,
  );
  const place: i32 = placeOf(
    i32at(tuple + TUPLE_SOURCE),
    i32at(tuple + TUPLE_DESTINATION),
    i32at(tuple + TUPLE_PORTS),
  );
  puti32(place, e | side);
}

/**
 * Sums ~m + m' of the addresses, and of addresses and ports, of a packet from inside, in the machine's order of bytes. The second
 * is never 0 where anything is translated.
 */
function keepDifferences(e: i32): void {
  const other: i32 = e + TUPLE_BYTES;
  let sum: i32 = inverse(i32at(e + TUPLE_SOURCE)) + inverse(i32at(e + TUPLE_DESTINATION));
  sum += halves(i32at(other + TUPLE_SOURCE)) + halves(i32at(other + TUPLE_DESTINATION));
  putu16(e + E_HEADER_DIFFERENCE, swapped(folded(sum)));
  sum += inverse(i32at(e + TUPLE_PORTS)) + halves(i32at(other + TUPLE_PORTS));
  putu16(e + E_TRANSPORT_DIFFERENCE, isRouted(e) !== 0 ? NOTHING_TRANSLATED : swapped(folded(sum)));
}

/** A sum in the machine's order of bytes. */
function swapped(sum: i32): i32 {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/** The flow in which a packet's tuple is a side's, if the door has found one; KNOWN_NOTHING if it has not looked. */
export function knownAs(packet: i32, side: i32): i32 {
  const known: i32 = i32at(packet + PACKET_KNOWN);
  if (known < MASQUERADE_AT) return known === KNOWN_NONE ? KNOWN_NONE : KNOWN_NOTHING;
  return (known & 1) === side ? known ^ side : KNOWN_NONE;
}
