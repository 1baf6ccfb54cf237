// Frames of made-up hosts, as arrays of bytes: of the differential's traffic, the sim's small network and the tests. Sums are
// computed here from the whole packet, byte by byte, and share nothing with the plane's, so that a test which compares the
// two can fail. RFC 894 (IPv4 on Ethernet), 791, 768 (UDP), 9293 (TCP), 792 (ICMP), 826 (ARP).
// Not here: taking frames apart (read.ts); addresses as text (test/packets.ts); what the router itself sends.

import {
  ARP_BYTES,
  ARP_ETHERNET_IPV4,
  ARP_LENGTHS,
  ARP_SENDER,
  ARP_SENDER_MAC,
  ARP_SIX_AND_FOUR,
  ARP_TARGET,
  ARP_TARGET_MAC,
} from './arp.ts';
import { put16, put32 } from './bytes.ts';
import {
  ETHERNET_HEADER_BYTES as ETHERNET,
  ETHERNET_DESTINATION,
  ETHERNET_SOURCE,
  ETHERNET_TYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
} from './ethernet.ts';
import { ICMP_CHECKSUM, ICMP_CODE, ICMP_TYPE } from './icmp.ts';
import {
  IP_CHECKSUM,
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_ID,
  IP_LENGTH,
  IP_OFFSET,
  IP_OPTIONS,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TOS,
  IP_TTL,
  IP_VERSION,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from './ipv4.ts';
import {
  TCP_ACKNOWLEDGMENT,
  TCP_CHECKSUM,
  TCP_FLAGS,
  TCP_HEADER_BYTES,
  TCP_LENGTH,
  TCP_OPTION_MSS,
  TCP_OPTIONS,
  TCP_SEQUENCE,
  TCP_SYN,
  TCP_WINDOW,
} from './tcp.ts';
import { UDP_CHECKSUM, UDP_HEADER_BYTES, UDP_LENGTH } from './udp.ts';

/** The least that Ethernet carries, without its checksum. */
export const FRAME_LEAST = 60;
const WINDOW = 8192;
const MSS = 1460;

/** What an IPv4 header says, and what follows it. What is left out gets the ordinary value. */
export interface Datagram {
  source: number;
  destination: number;
  protocol: number;
  payload: Uint8Array;
  ttl?: number | undefined;
  tos?: number | undefined;
  /** Flags and fragment offset. */
  fragment?: number | undefined;
  identification?: number | undefined;
  options?: ArrayLike<number> | undefined;
  /** These lie. */
  version?: number | undefined;
  headerWords?: number | undefined;
  totalLength?: number | undefined;
  checksum?: number | undefined;
}

/** Source and destination of a header, for a transport's checksum. */
type Ends = Pick<Datagram, 'source' | 'destination'>;

/** The Internet checksum (RFC 1071) over bytes from `at` to `end`, with `start` added. */
export function internetChecksum(bytes: Uint8Array, at = 0, end = bytes.length, start = 0): number {
  let sum = start;
  for (let i = at; i < end; i += 2) {
    sum += ((bytes[i] as number) << 8) | (i + 1 < end ? (bytes[i + 1] as number) : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The checksum of a TCP or UDP segment, over its pseudo header; 0 if the field is there and right. */
export function transportChecksum(
  { source, destination }: Ends,
  protocol: number,
  segment: Uint8Array,
): number {
  const halves = (address: number) => (address >>> 16) + (address & 0xffff);
  const start = halves(source) + halves(destination) + protocol + segment.length;
  return internetChecksum(segment, 0, segment.length, start);
}

/** Options as they stand in a header: whole words. */
function padded({ length }: ArrayLike<number>): number {
  return (length + 3) & ~3;
}

/** A datagram's bytes. */
export function ipv4(datagram: Datagram): Uint8Array {
  const { payload, options = [] } = datagram;
  const header = IP_HEADER_BYTES + padded(options);
  const bytes = new Uint8Array(header + payload.length);
  bytes[IP_VERSION] = ((datagram.version ?? 4) << 4) | (datagram.headerWords ?? header >> 2);
  bytes[IP_TOS] = datagram.tos ?? 0;
  put16(bytes, IP_LENGTH, datagram.totalLength ?? bytes.length);
  put16(bytes, IP_ID, datagram.identification ?? 1);
  put16(bytes, IP_OFFSET, datagram.fragment ?? 0);
  bytes[IP_TTL] = datagram.ttl ?? 64;
  bytes[IP_PROTOCOL] = datagram.protocol;
  put32(bytes, IP_SOURCE, datagram.source);
  put32(bytes, IP_DESTINATION, datagram.destination);
  bytes.set(options, IP_OPTIONS);
  put16(bytes, IP_CHECKSUM, datagram.checksum ?? internetChecksum(bytes, 0, header));
  bytes.set(payload, header);
  return bytes;
}

/** Computes the header's checksum anew, of a datagram that begins at `at`, as far as it is there. */
export function sealIp(bytes: Uint8Array, at = 0): Uint8Array {
  put16(bytes, at + IP_CHECKSUM, 0);
  const header = Math.max(IP_HEADER_BYTES, ((bytes[at] as number) & 15) << 2);
  put16(bytes, at + IP_CHECKSUM, internetChecksum(bytes, at, Math.min(bytes.length, at + header)));
  return bytes;
}

/** A UDP datagram; `ports` is source << 16 | destination. A checksum of 0 says that there is none. */
export function udp(
  source: number,
  destination: number,
  ports: number,
  data: Uint8Array,
  checksum?: number,
): Datagram {
  const payload = new Uint8Array(UDP_HEADER_BYTES + data.length);
  put32(payload, 0, ports);
  put16(payload, UDP_LENGTH, payload.length);
  payload.set(data, UDP_HEADER_BYTES);
  const datagram = { source, destination, protocol: PROTOCOL_UDP, payload };
  const sum = checksum ?? (transportChecksum(datagram, PROTOCOL_UDP, payload) || 0xffff);
  put16(payload, UDP_CHECKSUM, sum);
  return datagram;
}

export interface Segment {
  /** Source << 16 | destination. */
  ports: number;
  sequence: number;
  acknowledgment: number;
  flags: number;
  data: Uint8Array;
  window?: number | undefined;
  /** Left out, a SYN offers an MSS of 1,460. */
  options?: ArrayLike<number> | undefined;
  /** These lie. */
  headerWords?: number | undefined;
  checksum?: number | undefined;
}

export function tcp(source: number, destination: number, segment: Segment): Datagram {
  const { flags, data } = segment;
  const options = segment.options ?? ((flags & TCP_SYN) !== 0 ? mssOption(MSS) : []);
  const header = TCP_HEADER_BYTES + padded(options);
  const payload = new Uint8Array(header + data.length);
  put32(payload, 0, segment.ports);
  put32(payload, TCP_SEQUENCE, segment.sequence);
  put32(payload, TCP_ACKNOWLEDGMENT, segment.acknowledgment);
  payload[TCP_LENGTH] = (segment.headerWords ?? header >> 2) << 4;
  payload[TCP_FLAGS] = flags;
  put16(payload, TCP_WINDOW, segment.window ?? WINDOW);
  payload.set(options, TCP_OPTIONS);
  payload.set(data, header);
  const datagram = { source, destination, protocol: PROTOCOL_TCP, payload };
  put16(payload, TCP_CHECKSUM, segment.checksum ?? transportChecksum(datagram, PROTOCOL_TCP, payload));
  return datagram;
}

/** The option bytes of an MSS. */
export function mssOption(mss: number): number[] {
  return [TCP_OPTION_MSS, 4, mss >> 8, mss & 255];
}

/** An ICMP message; `rest` is what follows the checksum. */
export function icmp(
  source: number,
  destination: number,
  type: number,
  code: number,
  rest: Uint8Array,
  checksum?: number,
): Datagram {
  const payload = new Uint8Array(4 + rest.length);
  payload[ICMP_TYPE] = type;
  payload[ICMP_CODE] = code;
  payload.set(rest, 4);
  put16(payload, ICMP_CHECKSUM, checksum ?? internetChecksum(payload));
  return { source, destination, protocol: PROTOCOL_ICMP, payload };
}

/** An Ethernet frame. */
export function ethernet(
  to: ArrayLike<number>,
  from: ArrayLike<number>,
  type: number,
  data: Uint8Array,
  least = 0,
): Uint8Array {
  const bytes = new Uint8Array(Math.max(least, ETHERNET + data.length));
  bytes.set(to, ETHERNET_DESTINATION);
  bytes.set(from, ETHERNET_SOURCE);
  put16(bytes, ETHERNET_TYPE, type);
  bytes.set(data, ETHERNET);
  return bytes;
}

/** The frame of a datagram. */
export function ipFrame(to: ArrayLike<number>, from: ArrayLike<number>, datagram: Datagram): Uint8Array {
  return ethernet(to, from, ETHERTYPE_IPV4, ipv4(datagram));
}

/** An ARP packet without its frame. A target that is not known is 0. */
export function arp(
  operation: number,
  sender: number,
  senderMac: ArrayLike<number>,
  target: number,
  targetMac?: ArrayLike<number>,
): Uint8Array {
  const bytes = new Uint8Array(ARP_BYTES);
  put32(bytes, 0, ARP_ETHERNET_IPV4);
  put32(bytes, ARP_LENGTHS, ARP_SIX_AND_FOUR | operation);
  bytes.set(senderMac, ARP_SENDER_MAC);
  put32(bytes, ARP_SENDER, sender);
  if (targetMac !== undefined) bytes.set(targetMac, ARP_TARGET_MAC);
  put32(bytes, ARP_TARGET, target);
  return bytes;
}

/** An ARP packet from a station, to everybody or to one. */
export function arpFrame(
  operation: number,
  sender: number,
  senderMac: ArrayLike<number>,
  target: number,
  targetMac?: ArrayLike<number>,
): Uint8Array {
  const to = targetMac ?? [255, 255, 255, 255, 255, 255];
  return ethernet(
    to,
    senderMac,
    ETHERTYPE_ARP,
    arp(operation, sender, senderMac, target, targetMac),
    FRAME_LEAST,
  );
}
