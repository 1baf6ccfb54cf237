// Frames taken apart, for made-up hosts and tests: all fields of a datagram or an ARP packet, and what is wrong with sums.
// Not here: how the plane reads (ipv4.ts), frames as they are made (build.ts).

import { ARP_OPERATION, ARP_REQUEST, ARP_SENDER, ARP_SENDER_MAC, ARP_TARGET } from './arp.ts';
import { internetChecksum, transportChecksum } from './build.ts';
import { get16, get32 } from './bytes.ts';
import { ETHERNET_HEADER_BYTES, ETHERNET_TYPE, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from './ethernet.ts';
import { ICMP_CODE, ICMP_HEADER_BYTES, ICMP_IDENTIFIER, ICMP_TYPE, icmpIsError } from './icmp.ts';
import {
  DESTINATION_PORT,
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_DONT_FRAGMENT,
  IP_FRAGMENT,
  IP_ID,
  IP_LENGTH,
  IP_MORE_FRAGMENTS,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  SOURCE_PORT,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from './ipv4.ts';
import { TCP_ACKNOWLEDGMENT, TCP_FLAGS, TCP_LENGTH, TCP_SEQUENCE, TCP_WINDOW } from './tcp.ts';
import { UDP_CHECKSUM, UDP_HEADER_BYTES, UDP_LENGTH } from './udp.ts';

/** A datagram's fields. Those of a transport that is not there are 0. */
export interface Fields {
  source: number;
  destination: number;
  protocol: number;
  ttl: number;
  id: number;
  dontFragment: boolean;
  moreFragments: boolean;
  /** Bytes from the start of the datagram. */
  fragmentOffset: number;
  headerBytes: number;
  totalLength: number;
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledgment: number;
  tcpFlags: number;
  window: number;
  type: number;
  code: number;
  /** Second word of an ICMP header. */
  rest: number;
  /** ICMP: identifier of a query. */
  identifier: number;
  /** What follows the transport header (an ICMP error's quoted packet); all of a later fragment. */
  data: Uint8Array;
}

export function isIpv4(frame: Uint8Array): boolean {
  return get16(frame, ETHERNET_TYPE) === ETHERTYPE_IPV4;
}

export function isArp(frame: Uint8Array): boolean {
  return get16(frame, ETHERNET_TYPE) === ETHERTYPE_ARP;
}

/** What an ARP packet says. */
export interface ArpFields {
  isRequest: boolean;
  sender: number;
  senderMac: Uint8Array;
  target: number;
}

/** Takes the ARP packet in a frame apart. */
export function readArp(frame: Uint8Array): ArpFields {
  const packet = frame.subarray(ETHERNET_HEADER_BYTES);
  return {
    isRequest: get16(packet, ARP_OPERATION) === ARP_REQUEST,
    sender: get32(packet, ARP_SENDER),
    senderMac: packet.slice(ARP_SENDER_MAC, ARP_SENDER),
    target: get32(packet, ARP_TARGET),
  };
}

export function headerBytesOf(datagram: Uint8Array): number {
  return ((datagram[0] as number) & 15) << 2;
}

/** Bytes of a TCP header, by its own word. */
export function tcpHeaderBytesOf(segment: Uint8Array): number {
  return ((segment[TCP_LENGTH] as number) >> 4) << 2;
}

/** Takes a datagram apart. It may be followed by padding. */
export function readDatagram(datagram: Uint8Array): Fields {
  const headerBytes = headerBytesOf(datagram);
  const totalLength = get16(datagram, IP_LENGTH);
  const word = get16(datagram, IP_OFFSET);
  const segment = datagram.subarray(headerBytes, totalLength);
  const protocol = datagram[IP_PROTOCOL] as number;
  const fragmentOffset = (word & IP_OFFSET_UNITS) << 3;
  const first = fragmentOffset === 0;
  const ports = first && (protocol === TCP || protocol === UDP);
  const isTcp = first && protocol === TCP;
  const isIcmp = first && protocol === ICMP;
  const dataAt = isTcp ? tcpHeaderBytesOf(segment) : first ? UDP_HEADER_BYTES : 0;
  return {
    source: get32(datagram, IP_SOURCE),
    destination: get32(datagram, IP_DESTINATION),
    protocol,
    ttl: datagram[IP_TTL] as number,
    id: get16(datagram, IP_ID),
    dontFragment: (word & IP_DONT_FRAGMENT) !== 0,
    moreFragments: (word & IP_MORE_FRAGMENTS) !== 0,
    fragmentOffset,
    headerBytes,
    totalLength,
    sourcePort: ports ? get16(segment, SOURCE_PORT) : 0,
    destinationPort: ports ? get16(segment, DESTINATION_PORT) : 0,
    sequence: isTcp ? get32(segment, TCP_SEQUENCE) : 0,
    acknowledgment: isTcp ? get32(segment, TCP_ACKNOWLEDGMENT) : 0,
    tcpFlags: isTcp ? (segment[TCP_FLAGS] as number) : 0,
    window: isTcp ? get16(segment, TCP_WINDOW) : 0,
    type: isIcmp ? (segment[ICMP_TYPE] as number) : 0,
    code: isIcmp ? (segment[ICMP_CODE] as number) : 0,
    rest: isIcmp ? get32(segment, ICMP_IDENTIFIER) : 0,
    identifier: isIcmp ? get16(segment, ICMP_IDENTIFIER) : 0,
    data: segment.slice(dataAt),
  };
}

/**
 * What is wrong with a datagram's checksums and lengths: '' if nothing is. The transport's sum is looked at
 * in whole datagrams only; an ICMP error's quoted header is looked at too, if `quoted` says so.
 */
export function faults(datagram: Uint8Array, quoted = true): string {
  const headerBytes = headerBytesOf(datagram);
  const totalLength = get16(datagram, IP_LENGTH);
  if (totalLength > datagram.length) return `total length ${totalLength} of ${datagram.length} bytes`;
  if (internetChecksum(datagram, 0, headerBytes) !== 0) return 'IP header checksum';
  if ((get16(datagram, IP_OFFSET) & IP_FRAGMENT) !== 0) return '';
  const protocol = datagram[IP_PROTOCOL] as number;
  const segment = datagram.subarray(headerBytes, totalLength);
  if (protocol === ICMP) {
    if (internetChecksum(segment) !== 0) return 'ICMP checksum';
    const isError = icmpIsError(segment[ICMP_TYPE] as number) !== 0;
    return isError && quoted ? quotedFaults(segment.subarray(ICMP_HEADER_BYTES)) : '';
  }
  if (protocol !== TCP && protocol !== UDP) return '';
  if (protocol === UDP && get16(segment, UDP_LENGTH) !== segment.length) return 'UDP length';
  if (protocol === UDP && get16(segment, UDP_CHECKSUM) === 0) return '';
  const ends = { source: get32(datagram, IP_SOURCE), destination: get32(datagram, IP_DESTINATION) };
  if (transportChecksum(ends, protocol, segment) === 0) return '';
  return protocol === UDP ? 'UDP checksum' : 'TCP checksum';
}

function quotedFaults(inner: Uint8Array): string {
  if (internetChecksum(inner, 0, headerBytesOf(inner)) !== 0) return 'quoted IP header checksum';
  const fault = get16(inner, IP_LENGTH) <= inner.length ? faults(inner, false) : '';
  return fault && `quoted ${fault}`;
}
