// ICMP errors through the masquerade: the packet that an error quotes is translated back as well.
// RFC 5508, sections 4 and 5 (REQ-3 to REQ-7); RFC 3022, section 4.3; RFC 792.
//
// Inbound: the quoted packet is one that we have sent, so its source is an outside port of ours. It becomes
// the inside host's, and the error goes there. Outbound: the quoted packet is one that we have let in, so
// its destination is an inside host. It becomes the outside port again, and the error's own source our
// outside address, whichever host or router inside has sent it. A hairpinned error goes through both, as the
// quoted packet did: first its destination, then its source.
//
//    | IP | ICMP: type code sum ........ | quoted IP (+ options) | 8 bytes of the transport, or more |
//    ip   l4                             quoted                  transport                           end
//
// The outer ICMP checksum is verified, for the quote decides whom the error reaches (REQ-3); so a fragmented error,
// which cannot be verified, is dropped. The quoted IP header's is not, which departs from REQ-3a: routers decrement
// the TTL before they quote the header with the sum that it had, and path MTU discovery through them needs their
// errors. The outer sum has vouched for every bit of the quote. What was wrong in it stays wrong by as much.
// The quoted transport's checksum is corrected if it was not cut off, never verified (REQ-3c). What follows, RFC 4884's
// extensions too, stays as it is (REQ-3d). The ICMP checksum is then computed afresh: errors are rare, and
// that is simpler than the sum of all differences.
// Only unreachable, time exceeded and parameter problem pass. Redirects mean our own link, and source quench
// is dead (RFC 6633). An error never refreshes or ends a session (REQ-6), and none about an unknown session
// passes.

import { ALIASES_SET_AT } from '../../base/cells.ts';
import {
  DROP_ICMP_CHECKSUM,
  DROP_ICMP_MALFORMED,
  DROP_ICMP_TYPE,
  DROP_ICMP_UNMATCHED,
} from '../../base/counters.ts';
import {
  E_FAR,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_REMOTE,
  isLedOwn,
  isRouted,
} from '../../base/flow-record.ts';
import { get8, get16, get32, i32at, put16, put32, puti32 } from '../../base/memory.ts';
import {
  FLAG_DESTINATION_TRANSLATED,
  FLAG_SOURCE_TRANSLATED,
  LOCAL,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IP,
  PACKET_L4,
  PASS,
} from '../../base/packet.ts';
import { adjust16, adjust32, checksum } from '../../wire/checksum.ts';
import {
  ICMP_CHECKSUM,
  ICMP_HEADER_BYTES,
  ICMP_IDENTIFIER,
  ICMP_PARAMETER_PROBLEM as PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED as TIME_EXCEEDED,
  ICMP_UNREACHABLE as UNREACHABLE,
} from '../../wire/icmp.ts';
import {
  headerBytesOf,
  IP_CHECKSUM,
  IP_DESTINATION,
  IP_FRAGMENT,
  IP_HEADER_BYTES,
  IP_LENGTH,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../wire/ipv4.ts';
import { TCP_CHECKSUM } from '../../wire/tcp.ts';
import { UDP_CHECKSUM } from '../../wire/udp.ts';
import { aliasOf } from '../ip/aliases.ts';
import { socketUses } from '../local/sockets.ts';
import { findInbound, findOutbound, findTuple, isTurned } from './flow-table.ts';

/** What every error quotes of the transport header (RFC 792). */
const QUOTED_TRANSPORT_BYTES: i32 = 8;

/** An error from outside for our address: PASS, LOCAL if it is about a packet of our own, or a drop. */
export function translateErrorInbound(packet: i32): i32 {
  const verdict: i32 = checkError(packet);
  if (verdict !== PASS) return verdict;
  const ip: i32 = packet + PACKET_IP;
  const quoted: i32 = i32at(packet + PACKET_L4) + ICMP_HEADER_BYTES;
  const protocol: i32 = get8(quoted + IP_PROTOCOL);
  const ports: i32 = quotedPorts(quoted);
  const outside: i32 = get32(quoted + IP_SOURCE);
  // The quoted packet was outbound: turned round, its ports are the key of an inbound one.
  const key: i32 = (ports << 16) | (ports >>> 16);
  // The quote was sent from the address that the error came to, or it was not ours.
  const ours: i32 = outside === get32(ip + IP_DESTINATION) ? 1 : 0;
  const e: i32 = ours === 0 ? 0 : findInbound(outside, get32(quoted + IP_DESTINATION), key, protocol);
  if (e === 0) return ours !== 0 && socketUses(protocol, ports >>> 16) !== 0 ? LOCAL : DROP_ICMP_UNMATCHED;
  // About a packet that the router has asked by (own.ts).
  if (isRouted(e) !== 0) return LOCAL;
  const isOwn: i32 = isLedOwn(e);
  if (isTurned(e) !== 0 || isOwn !== 0) {
    turnError(packet, e, 1);
    return isOwn !== 0 ? LOCAL : PASS;
  }
  const inside: i32 = i32at(e + E_INSIDE);
  rewriteQuoted(packet, IP_SOURCE, 0, inside, i32at(e + E_OUT_PORTS) >>> 16);
  adjust32(ip + IP_CHECKSUM, get32(ip + IP_DESTINATION), inside);
  put32(ip + IP_DESTINATION, inside);
  puti32(packet + PACKET_FLOW, e | 1);
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_DESTINATION_TRANSLATED);
  return PASS;
}

/** An error from inside, about a packet that we have let in: PASS or a drop. `address`: that of the way out. */
export function translateErrorOutbound(packet: i32, address: i32): i32 {
  const verdict: i32 = checkError(packet);
  if (verdict !== PASS) return verdict;
  const ip: i32 = packet + PACKET_IP;
  const quoted: i32 = i32at(packet + PACKET_L4) + ICMP_HEADER_BYTES;
  const protocol: i32 = get8(quoted + IP_PROTOCOL);
  const ports: i32 = quotedPorts(quoted);
  const key: i32 = (ports << 16) | (ports >>> 16);
  const e: i32 = findOutbound(get32(quoted + IP_DESTINATION), get32(quoted + IP_SOURCE), key, protocol);
  if (e === 0) return DROP_ICMP_UNMATCHED;
  const outside: i32 = i32at(e + E_OUTSIDE);
  // Of a further address of that link the flow leaves by it as well.
  const isFurther: i32 = outside !== address && i32at(ALIASES_SET_AT) !== 0 && aliasOf(outside) !== 0 ? 1 : 0;
  if (outside !== address && isFurther === 0) return DROP_ICMP_UNMATCHED;
  rewriteQuoted(packet, IP_DESTINATION, 2, outside, i32at(e + E_IN_PORTS) & 0xffff);
  adjust32(ip + IP_CHECKSUM, get32(ip + IP_SOURCE), outside);
  put32(ip + IP_SOURCE, outside);
  puti32(packet + PACKET_FLOW, e);
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_SOURCE_TRANSLATED);
  return PASS;
}

/**
 * An error about a packet of a flow whose destination a rule has changed (turned.ts), from the end of `side`, 1 being the server: who gets it knows the
 * other end by another address, and so both addresses of the error and of what it quotes are changed.
 */
export function turnError(packet: i32, e: i32, side: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const source: i32 = i32at(e + (side !== 0 ? E_INSIDE : E_FAR));
  const destination: i32 = i32at(e + (side !== 0 ? E_REMOTE : E_OUTSIDE));
  const ports: i32 = i32at(e + (side !== 0 ? E_OUT_PORTS : E_IN_PORTS));
  // Of a query both halves are the identifier.
  rewriteQuoted(packet, IP_DESTINATION, 2, destination, ports & 0xffff);
  rewriteQuoted(packet, IP_SOURCE, 0, source, ports >>> 16);
  adjust32(ip + IP_CHECKSUM, get32(ip + IP_SOURCE), destination);
  put32(ip + IP_SOURCE, destination);
  adjust32(ip + IP_CHECKSUM, get32(ip + IP_DESTINATION), source);
  put32(ip + IP_DESTINATION, source);
  puti32(packet + PACKET_FLOW, e | side);
  puti32(
    packet + PACKET_FLAGS,
    i32at(packet + PACKET_FLAGS) | FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED,
  );
}

/** The flow that an error is about which is not translated (yet), and the side that it comes from, as rules want it; or 0. */
export function errorFlow(packet: i32): i32 {
  if (checkError(packet) !== PASS) return 0;
  const quoted: i32 = i32at(packet + PACKET_L4) + ICMP_HEADER_BYTES;
  const ports: i32 = quotedPorts(quoted);
  return findTuple(
    get32(quoted + IP_DESTINATION),
    get32(quoted + IP_SOURCE),
    (ports << 16) | (ports >>> 16),
    get8(quoted + IP_PROTOCOL),
  );
}

/** Proves that an error may be translated: whole, right, of a type that passes, with enough quoted. */
function checkError(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  if (l4 === 0 || (get16(ip + IP_OFFSET) & IP_FRAGMENT) !== 0) return DROP_ICMP_MALFORMED;
  const type: i32 = get8(l4);
  if (type !== UNREACHABLE && type !== TIME_EXCEEDED && type !== PARAMETER_PROBLEM) return DROP_ICMP_TYPE;
  const bytes: i32 = ip + get16(ip + IP_LENGTH) - l4;
  const available: i32 = bytes - ICMP_HEADER_BYTES;
  if (available < IP_HEADER_BYTES + QUOTED_TRANSPORT_BYTES) return DROP_ICMP_MALFORMED;
  if (checksum(l4, bytes) !== 0) return DROP_ICMP_CHECKSUM;
  const quoted: i32 = l4 + ICMP_HEADER_BYTES;
  const headerBytes: i32 = headerBytesOf(quoted);
  if (get8(quoted) >>> 4 !== 4 || headerBytes < IP_HEADER_BYTES) return DROP_ICMP_MALFORMED;
  if (available < headerBytes + QUOTED_TRANSPORT_BYTES) return DROP_ICMP_MALFORMED;
  // A later fragment has no ports to be known by, and hosts send no errors about it (RFC 1122, 3.2.2).
  return (get16(quoted + IP_OFFSET) & IP_OFFSET_UNITS) !== 0 ? DROP_ICMP_UNMATCHED : PASS;
}

/** The quoted packet's ports, or its identifier in both halves, as PACKET_PORTS has them. */
function quotedPorts(quoted: i32): i32 {
  const protocol: i32 = get8(quoted + IP_PROTOCOL);
  const l4: i32 = quoted + headerBytesOf(quoted);
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) return get32(l4);
  if (protocol !== PROTOCOL_ICMP) return 0;
  const identifier: i32 = get16(l4 + ICMP_IDENTIFIER);
  return (identifier << 16) | identifier;
}

/** Rewrites one address and port of the quoted packet, corrects its checksums, and seals the error anew. */
function rewriteQuoted(packet: i32, addressAt: i32, portAt: i32, address: i32, port: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const icmp: i32 = i32at(packet + PACKET_L4);
  const end: i32 = ip + get16(ip + IP_LENGTH);
  const quoted: i32 = icmp + ICMP_HEADER_BYTES;
  const l4: i32 = quoted + headerBytesOf(quoted);
  const protocol: i32 = get8(quoted + IP_PROTOCOL);
  const old: i32 = get32(quoted + addressAt);
  adjust32(quoted + IP_CHECKSUM, old, address);
  put32(quoted + addressAt, address);
  if (protocol === PROTOCOL_ICMP) {
    adjust16(l4 + ICMP_CHECKSUM, get16(l4 + ICMP_IDENTIFIER), port);
    put16(l4 + ICMP_IDENTIFIER, port);
  } else if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
    const sum: i32 = l4 + (protocol === PROTOCOL_TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
    const absent: i32 = sum + 2 > end || (protocol === PROTOCOL_UDP && get16(sum) === 0) ? 1 : 0;
    if (absent === 0) {
      adjust32(sum, old, address);
      adjust16(sum, get16(l4 + portAt), port);
      if (protocol === PROTOCOL_UDP && get16(sum) === 0) put16(sum, 0xffff);
    }
    put16(l4 + portAt, port);
  }
  put16(icmp + ICMP_CHECKSUM, 0);
  put16(icmp + ICMP_CHECKSUM, checksum(icmp, end - icmp));
}
