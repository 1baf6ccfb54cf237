// Frames as byte arrays, for made-up hosts: the differential's traffic and the sim's small network.
// RFC 894 (IPv4 on Ethernet), 791, 768 (UDP), 9293 (TCP), 792 (ICMP), 826 (ARP). Multi-byte fields are in
// network order; checksums are computed from the whole packet.
// Not here: the plane's own accessors (src/base/memory.ts), which work on its memory.

import {
  PROTOCOL_ICMP as ICMP,
  IP_HEADER_BYTES as IP_HEADER,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { TCP_SYN as SYN } from '../../wire/tcp.ts';

export const ETHERNET = 14;

/** What an IPv4 header says, and what follows it. */
export interface Datagram {
  source: number;
  destination: number;
  protocol: number;
  payload: Uint8Array;
  ttl?: number;
  /** Flags and fragment offset. */
  fragment?: number;
  identification?: number;
  /** Options of the IP header, a multiple of 4 bytes. */
  options?: Uint8Array;
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value);
}

export function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function get32(bytes: Uint8Array, at: number): number {
  return (get16(bytes, at) << 16) | get16(bytes, at + 2);
}

/** The Internet checksum (RFC 1071) over bytes from `at` to `end`, with `start` added. */
export function checksum(bytes: Uint8Array, at: number, end: number, start = 0): number {
  let sum = start;
  for (let i = at; i < end; i += 2) {
    sum += ((bytes[i] as number) << 8) | (i + 1 < end ? (bytes[i + 1] as number) : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The sum over the pseudo header of UDP and TCP. */
function pseudoHeader({ source, destination, protocol, payload }: Datagram): number {
  const halves = (address: number) => (address >>> 16) + (address & 0xffff);
  return halves(source) + halves(destination) + protocol + payload.length;
}

/** The frame of a datagram. */
export function ipFrame(to: ArrayLike<number>, from: ArrayLike<number>, datagram: Datagram): Uint8Array {
  const { payload, options } = datagram;
  const header = IP_HEADER + (options === undefined ? 0 : options.length);
  const frame = new Uint8Array(ETHERNET + header + payload.length);
  frame.set(to, 0);
  frame.set(from, 6);
  put16(frame, 12, 0x0800);
  frame[14] = 0x40 | (header >> 2);
  put16(frame, 16, header + payload.length);
  put16(frame, 18, datagram.identification ?? 1);
  put16(frame, 20, datagram.fragment ?? 0);
  frame[22] = datagram.ttl ?? 64;
  frame[23] = datagram.protocol;
  put32(frame, 26, datagram.source);
  put32(frame, 30, datagram.destination);
  if (options !== undefined) frame.set(options, ETHERNET + IP_HEADER);
  sealIp(frame);
  frame.set(payload, ETHERNET + header);
  return frame;
}

/** Bytes of the frame's IP header, as it says itself. */
export function ipHeaderBytes(frame: Uint8Array): number {
  return ((frame[ETHERNET] as number) & 15) << 2;
}

/** Computes the IP header's checksum anew. */
export function sealIp(frame: Uint8Array): void {
  put16(frame, 24, 0);
  const end = Math.min(frame.length, ETHERNET + Math.max(IP_HEADER, ipHeaderBytes(frame)));
  put16(frame, 24, checksum(frame, ETHERNET, end));
}

/** A UDP datagram; `ports` is source << 16 | destination. Without checksum if so wanted. */
export function udp(
  source: number,
  destination: number,
  ports: number,
  data: Uint8Array,
  sum = true,
): Datagram {
  const payload = new Uint8Array(8 + data.length);
  put32(payload, 0, ports);
  put16(payload, 4, payload.length);
  payload.set(data, 8);
  const datagram = { source, destination, protocol: UDP, payload };
  if (sum) put16(payload, 6, checksum(payload, 0, payload.length, pseudoHeader(datagram)) || 0xffff);
  return datagram;
}

export interface Segment {
  /** Source << 16 | destination. */
  ports: number;
  sequence: number;
  acknowledged: number;
  flags: number;
  data: Uint8Array;
}

/** A TCP segment; one with SYN offers an MSS of 1,460. */
export function tcp(source: number, destination: number, segment: Segment): Datagram {
  const { ports, sequence, acknowledged, flags, data } = segment;
  const header = (flags & SYN) !== 0 ? 24 : 20;
  const payload = new Uint8Array(header + data.length);
  put32(payload, 0, ports);
  put32(payload, 4, sequence);
  put32(payload, 8, acknowledged);
  payload[12] = header << 2;
  payload[13] = flags;
  put16(payload, 14, 8192);
  if (header > 20) put32(payload, 20, 0x020405b4);
  payload.set(data, header);
  const datagram = { source, destination, protocol: TCP, payload };
  put16(payload, 16, checksum(payload, 0, payload.length, pseudoHeader(datagram)));
  return datagram;
}

/** An ICMP message; `rest` is what follows the checksum. */
export function icmp(
  source: number,
  destination: number,
  type: number,
  code: number,
  rest: Uint8Array,
): Datagram {
  const payload = new Uint8Array(4 + rest.length);
  payload[0] = type;
  payload[1] = code;
  payload.set(rest, 4);
  put16(payload, 2, checksum(payload, 0, payload.length));
  return { source, destination, protocol: ICMP, payload };
}

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

/** An ARP packet from a station, to everybody or to one. */
export function arpFrame(
  operation: number,
  sender: number,
  senderMac: ArrayLike<number>,
  target: number,
  targetMac?: ArrayLike<number>,
): Uint8Array {
  const frame = new Uint8Array(60);
  if (targetMac === undefined) frame.fill(255, 0, 6);
  else frame.set(targetMac, 0);
  frame.set(senderMac, 6);
  frame.set([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, operation], 12);
  frame.set(senderMac, 22);
  put32(frame, 28, sender);
  if (targetMac !== undefined) frame.set(targetMac, 32);
  put32(frame, 38, target);
  return frame;
}

/** A frame and the card by which it comes, or left. */
export interface Sent {
  card: number;
  frame: Uint8Array;
}
