// IPv4: the one check of a header, and what the header tells the later steps.
// RFC 791; what a router must and must not check: RFC 1812, sections 4.2.2 and 5.2.2.
// Not here: whether the source may be there (src/plane/ip/source.ts), the way (src/plane/ip/route.ts), fragments (src/plane/ip/fragment.ts),
// identifications of our own (src/plane/ip/identification.ts).
//
//    0                4                8                12       16            20
//    | 4|words|tos|len | id | flags|off | ttl|proto|sum  | source | destination | options ...

import {
  DROP_IP_CHECKSUM,
  DROP_IP_HEADER,
  DROP_IP_LENGTH,
  DROP_IP_OPTIONS,
  DROP_SOURCE_ROUTE,
  DROP_TRANSPORT_HEADER,
} from '../base/counters.ts';
import { get8, get16, get32, i32at, put16, puti32, sumOfTen, u16at } from '../base/memory.ts';
import {
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_PORTS,
  PASS,
} from '../base/packet.ts';
import { checksum } from './checksum.ts';
import { ICMP_HEADER_BYTES, ICMP_IDENTIFIER, ICMP_TYPE, icmpIsError } from './icmp.ts';
import { TCP_HEADER_BYTES, tcpHeaderBytesOf } from './tcp.ts';
import { UDP_HEADER_BYTES, UDP_LENGTH } from './udp.ts';

/** Version in the upper four bits, the header's words below. */
export const IP_VERSION: i32 = 0;
export const IP_TOS: i32 = 1;
export const IP_LENGTH: i32 = 2;
export const IP_ID: i32 = 4;
/** Flags in the upper three bits, offset in units of 8 bytes below. */
export const IP_OFFSET: i32 = 6;
export const IP_TTL: i32 = 8;
export const IP_PROTOCOL: i32 = 9;
export const IP_CHECKSUM: i32 = 10;
export const IP_SOURCE: i32 = 12;
export const IP_DESTINATION: i32 = 16;
export const IP_OPTIONS: i32 = 20;
export const IP_HEADER_BYTES: i32 = 20;

/** The first byte of a header without options: version 4, five words. */
export const IP_PLAIN: i32 = 0x45;

export const IP_DONT_FRAGMENT: i32 = 0x4000;
export const IP_MORE_FRAGMENTS: i32 = 0x2000;
/** Bits that are the offset. */
export const IP_OFFSET_UNITS: i32 = 0x1fff;
/** More fragments, or an offset: the packet is a fragment. */
export const IP_FRAGMENT: i32 = 0x3fff;

export const PROTOCOL_ICMP: i32 = 1;
export const PROTOCOL_TCP: i32 = 6;
export const PROTOCOL_UDP: i32 = 17;

/** Of TCP and UDP alike, in the transport header. */
export const SOURCE_PORT: i32 = 0;
export const DESTINATION_PORT: i32 = 2;

const OPTION_END: i32 = 0;
const OPTION_NOP: i32 = 1;
const OPTION_LSRR: i32 = 131;
const OPTION_SSRR: i32 = 137;

/**
 * Proves the header and the lengths of what follows, cuts the padding off PACKET_LENGTH, and fills PACKET_L4,
 * PACKET_PORTS and PACKET_FLAGS. The reserved bits of flags and TOS are not looked at: RFC 1812, 4.2.2.3,
 * forbids to drop for them.
 */
export function ipv4Check(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  if (get8(ip) !== IP_PLAIN) return checkUnusual(packet, ip);
  const length: i32 = get16(ip + IP_LENGTH);
  if (length < IP_HEADER_BYTES || length > i32at(packet + PACKET_LENGTH)) return DROP_IP_LENGTH;
  const sum: i32 = sumOfTen(ip);
  if (sum !== 0xffff && sum !== 0x1fffe) return DROP_IP_CHECKSUM;
  return checked(packet, IP_HEADER_BYTES, length);
}

/** One with options, or one that begins with what is no header. */
function checkUnusual(packet: i32, ip: i32): i32 {
  const available: i32 = i32at(packet + PACKET_LENGTH);
  if (available < IP_HEADER_BYTES) return DROP_IP_LENGTH;
  const first: i32 = get8(ip);
  if (first >>> 4 !== 4) return DROP_IP_HEADER;
  const headerBytes: i32 = (first & 15) << 2;
  if (headerBytes < IP_HEADER_BYTES) return DROP_IP_HEADER;
  const length: i32 = get16(ip + IP_LENGTH);
  if (length < headerBytes || length > available) return DROP_IP_LENGTH;
  let total: i32 = sumOfTen(ip);
  for (let at: i32 = ip + IP_OPTIONS; at < ip + headerBytes; at += 2) total += u16at(at);
  total = (total & 0xffff) + (total >>> 16);
  if (total !== 0xffff && (total & 0xffff) + (total >>> 16) !== 0xffff) return DROP_IP_CHECKSUM;
  const verdict: i32 = checkOptions(ip + IP_OPTIONS, ip + headerBytes);
  return verdict === PASS ? checked(packet, headerBytes, length) : verdict;
}

/** What a good header is followed by. */
function checked(packet: i32, headerBytes: i32, length: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  puti32(packet + PACKET_LENGTH, length);
  const offset: i32 = get16(ip + IP_OFFSET);
  if ((offset & IP_OFFSET_UNITS) !== 0) return PASS; // a later fragment: its ports come from its context
  const l4: i32 = ip + headerBytes;
  return transport(packet, l4, length - headerBytes, get8(ip + IP_PROTOCOL), offset & IP_MORE_FRAGMENTS);
}

/**
 * Finds the ports of a whole datagram or first fragment with `bytes` after its IP header. A first fragment
 * that does not hold its whole transport header is a trick (RFC 1858): 68 bytes pass every link.
 */
function transport(packet: i32, l4: i32, bytes: i32, protocol: i32, more: i32): i32 {
  puti32(packet + PACKET_L4, l4);
  if (protocol === PROTOCOL_TCP) {
    if (bytes < TCP_HEADER_BYTES) return DROP_TRANSPORT_HEADER;
    const headerBytes: i32 = tcpHeaderBytesOf(l4);
    if (headerBytes < TCP_HEADER_BYTES || headerBytes > bytes) return DROP_TRANSPORT_HEADER;
    puti32(packet + PACKET_PORTS, get32(l4));
  } else if (protocol === PROTOCOL_UDP) {
    if (bytes < UDP_HEADER_BYTES) return DROP_TRANSPORT_HEADER;
    const length: i32 = get16(l4 + UDP_LENGTH);
    if (length < UDP_HEADER_BYTES) return DROP_TRANSPORT_HEADER;
    if (length > bytes && more === 0) return DROP_TRANSPORT_HEADER;
    puti32(packet + PACKET_PORTS, get32(l4));
  } else if (protocol === PROTOCOL_ICMP) {
    if (bytes < ICMP_HEADER_BYTES) return DROP_TRANSPORT_HEADER;
    if (icmpIsError(get8(l4 + ICMP_TYPE)) !== 0) {
      puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_ICMP_ERROR);
    } else {
      const identifier: i32 = get16(l4 + ICMP_IDENTIFIER);
      puti32(packet + PACKET_PORTS, (identifier << 16) | identifier);
    }
  }
  return PASS;
}

/**
 * Source routes are dropped (RFC 7126, 4.3 and 4.4): they go around the masquerade. The other options pass
 * untouched, as RFC 3022 leaves them: who sends them wants them, and a record route that we do not sign
 * tells nobody our inside. An option that does not end within the header is dropped.
 */
function checkOptions(from: i32, end: i32): i32 {
  let at: i32 = from;
  // Each turn takes a byte at least, and there are 40.
  while (at < end) {
    const kind: i32 = get8(at);
    if (kind === OPTION_END) return PASS;
    if (kind === OPTION_NOP) {
      at++;
    } else {
      if (kind === OPTION_LSRR || kind === OPTION_SSRR) return DROP_SOURCE_ROUTE;
      if (at + 1 >= end) return DROP_IP_OPTIONS;
      const bytes: i32 = get8(at + 1);
      if (bytes < 2 || at + bytes > end) return DROP_IP_OPTIONS;
      at += bytes;
    }
  }
  return PASS;
}

/** Bytes of the IP header at ip. */
export function headerBytesOf(ip: i32): i32 {
  return (get8(ip) & 15) << 2;
}

/** Computes the header checksum anew. */
export function sealHeader(ip: i32): void {
  put16(ip + IP_CHECKSUM, 0);
  put16(ip + IP_CHECKSUM, checksum(ip, headerBytesOf(ip)));
}
