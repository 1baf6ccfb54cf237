// Frames for tests, as bytes: Ethernet, ARP, IPv4, UDP, TCP and ICMP, with right checksums unless a field
// says otherwise, and the reader that takes them apart again.
//
// These sums are computed here from the whole packet, byte by byte, and share nothing with the plane's
// incremental ones, so that a test which compares the two can fail. Addresses are written '192.168.0.1'.

import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../src/wire/ipv4.ts';
import { TCP_ACK as ACK } from '../src/wire/tcp.ts';

export { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../src/wire/ipv4.ts';
export {
  TCP_ACK as ACK,
  TCP_FIN as FIN,
  TCP_PSH as PSH,
  TCP_RST as RST,
  TCP_SYN as SYN,
} from '../src/wire/tcp.ts';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** Fields of an IPv4 header; what is left out gets the ordinary value. */
export interface Ip {
  source: string;
  destination: string;
  ttl?: number;
  id?: number;
  tos?: number;
  dontFragment?: boolean;
  moreFragments?: boolean;
  /** Bit 15 of the flags, which must be zero. */
  evil?: boolean;
  /** Bytes from the start of the datagram, a multiple of 8. */
  fragmentOffset?: number;
  options?: number[];
  /** Values that lie. */
  version?: number;
  headerWords?: number;
  totalLength?: number;
  checksum?: number;
}

export interface Tcp {
  sourcePort: number;
  destinationPort: number;
  sequence?: number;
  acknowledgment?: number;
  flags?: number;
  window?: number;
  options?: number[];
  headerWords?: number;
  checksum?: number;
}

/** An address in the plane's form: i32, host order. */
export function address(text: string): number {
  return text.split('.').reduce((all, part) => (all << 8) | Number(part), 0);
}

export function addressText(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

export function mac(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), part => Number.parseInt(part, 16));
}

export function macText(bytes: Uint8Array, at = 0): string {
  return Array.from(bytes.subarray(at, at + 6), b => b.toString(16).padStart(2, '0')).join(':');
}

export function concat(...parts: ArrayLike<number>[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `length` bytes that differ from their neighbours, so that a shift of one shows. */
export function payload(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13 + seed) & 255);
}

export function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function get32(bytes: Uint8Array, at: number): number {
  return (get16(bytes, at) << 16) | get16(bytes, at + 2);
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}

/** RFC 1071: the ones-complement sum of 16-bit words, inverted. An odd last byte is padded with zero. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += (bytes[i] as number) << (i % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function pseudoHeader(source: number, destination: number, protocol: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12);
  put32(bytes, 0, source);
  put32(bytes, 4, destination);
  bytes[9] = protocol;
  put16(bytes, 10, length);
  return bytes;
}

/** The transport checksum of a segment, over its pseudo header; the field itself must be zero. */
export function transportChecksum(
  source: number,
  destination: number,
  protocol: number,
  segment: Uint8Array,
): number {
  return internetChecksum(concat(pseudoHeader(source, destination, protocol, segment.length), segment));
}

/** An IPv4 datagram. */
export function ipv4(ip: Ip, protocol: number, data: Uint8Array): Uint8Array {
  const options = ip.options ?? [];
  const headerBytes = 20 + Math.ceil(options.length / 4) * 4;
  const bytes = new Uint8Array(headerBytes + data.length);
  bytes[0] = ((ip.version ?? 4) << 4) | (ip.headerWords ?? headerBytes / 4);
  bytes[1] = ip.tos ?? 0;
  put16(bytes, 2, ip.totalLength ?? bytes.length);
  put16(bytes, 4, ip.id ?? 0x1234);
  const flags = (ip.evil ? 0x8000 : 0) | (ip.dontFragment ? 0x4000 : 0) | (ip.moreFragments ? 0x2000 : 0);
  put16(bytes, 6, flags | ((ip.fragmentOffset ?? 0) >> 3));
  bytes[8] = ip.ttl ?? 64;
  bytes[9] = protocol;
  put32(bytes, 12, address(ip.source));
  put32(bytes, 16, address(ip.destination));
  bytes.set(options, 20);
  bytes.set(data, headerBytes);
  put16(bytes, 10, ip.checksum ?? internetChecksum(bytes.subarray(0, headerBytes)));
  return bytes;
}

/** A UDP datagram in IPv4. `checksum` 0 leaves it out, as UDP may. */
export function udp(
  ip: Ip,
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array = payload(32),
  checksum?: number,
): Uint8Array {
  const segment = new Uint8Array(8 + data.length);
  put16(segment, 0, sourcePort);
  put16(segment, 2, destinationPort);
  put16(segment, 4, segment.length);
  segment.set(data, 8);
  const right = transportChecksum(address(ip.source), address(ip.destination), UDP, segment);
  put16(segment, 6, checksum ?? (right === 0 ? 0xffff : right));
  return ipv4(ip, UDP, segment);
}

/** A TCP segment in IPv4. */
export function tcp(ip: Ip, header: Tcp, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const options = header.options ?? [];
  const headerBytes = 20 + Math.ceil(options.length / 4) * 4;
  const segment = new Uint8Array(headerBytes + data.length);
  put16(segment, 0, header.sourcePort);
  put16(segment, 2, header.destinationPort);
  put32(segment, 4, header.sequence ?? 1000);
  put32(segment, 8, header.acknowledgment ?? 0);
  segment[12] = (header.headerWords ?? headerBytes / 4) << 4;
  segment[13] = header.flags ?? ACK;
  put16(segment, 14, header.window ?? 5840);
  segment.set(options, 20);
  segment.set(data, headerBytes);
  const right = transportChecksum(address(ip.source), address(ip.destination), TCP, segment);
  put16(segment, 16, header.checksum ?? right);
  return ipv4(ip, TCP, segment);
}

/** The option bytes of an MSS. */
export function mssOption(mss: number): number[] {
  return [2, 4, mss >> 8, mss & 255];
}

/** An ICMP message in IPv4; `rest` is the header's second word. */
export function icmp(
  ip: Ip,
  type: number,
  code: number,
  rest: number,
  data: Uint8Array,
  checksum?: number,
): Uint8Array {
  const message = new Uint8Array(8 + data.length);
  message[0] = type;
  message[1] = code;
  put32(message, 4, rest);
  message.set(data, 8);
  put16(message, 2, checksum ?? internetChecksum(message));
  return ipv4(ip, ICMP, message);
}

/** An echo request (type 8) or reply (type 0). */
export function echo(ip: Ip, type: number, identifier: number, sequence = 1, data = payload(56)): Uint8Array {
  return icmp(ip, type, 0, (identifier << 16) | sequence, data);
}

/** An ICMP error about `quoted`, of which it carries `quotedBytes` (as RFC 1812, 4.3.2.3: up to 576 in all). */
export function icmpError(
  ip: Ip,
  type: number,
  code: number,
  quoted: Uint8Array,
  rest = 0,
  quotedBytes = 548,
): Uint8Array {
  return icmp(ip, type, code, rest, quoted.slice(0, quotedBytes));
}

/** Cuts a datagram without options into fragments of at most `dataBytes` (a multiple of 8), in order. */
export function fragments(datagram: Uint8Array, dataBytes: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  const data = datagram.subarray(20);
  for (let at = 0; at < data.length; at += dataBytes) {
    const part = data.subarray(at, at + dataBytes);
    const bytes = concat(datagram.subarray(0, 20), part);
    put16(bytes, 2, bytes.length);
    const more = at + dataBytes < data.length ? 0x2000 : 0;
    put16(bytes, 6, more | (at >> 3));
    sealIp(bytes);
    all.push(bytes);
  }
  return all;
}

/** Puts fragments together again, in whatever order they are; their headers must agree. */
export function reassemble(parts: Uint8Array[]): Uint8Array {
  const sorted = [...parts].sort((a, b) => (get16(a, 6) & 0x1fff) - (get16(b, 6) & 0x1fff));
  let end = 0;
  for (const part of sorted) {
    if ((get16(part, 6) & 0x1fff) * 8 !== end)
      throw new Error('Cannot reassemble: a gap or overlap at ' + end);
    if (get16(part, 4) !== get16(sorted[0] as Uint8Array, 4))
      throw new Error('Cannot reassemble: ids differ');
    end += get16(part, 2) - 20;
  }
  const bytes = concat(
    (sorted[0] as Uint8Array).subarray(0, 20),
    ...sorted.map(p => p.subarray(20, get16(p, 2))),
  );
  put16(bytes, 2, bytes.length);
  put16(bytes, 6, 0);
  return sealIp(bytes);
}

/** Puts the right header checksum into an IPv4 header, in place. */
export function sealIp(datagram: Uint8Array): Uint8Array {
  const headerBytes = ((datagram[0] as number) & 15) * 4;
  put16(datagram, 10, 0);
  put16(datagram, 10, internetChecksum(datagram.subarray(0, headerBytes)));
  return datagram;
}

/** An Ethernet frame, padded to 60 bytes as the wire has it. */
export function ethernet(to: string, from: string, type: number, data: Uint8Array, pad = 60): Uint8Array {
  const bytes = new Uint8Array(Math.max(pad, 14 + data.length));
  bytes.set(mac(to), 0);
  bytes.set(mac(from), 6);
  put16(bytes, 12, type);
  bytes.set(data, 14);
  return bytes;
}

/** An IPv4 datagram in its frame. */
export function frame(to: string, from: string, datagram: Uint8Array): Uint8Array {
  return ethernet(to, from, 0x0800, datagram);
}

export interface Arp {
  /** 1 request, 2 reply. */
  operation: number;
  senderMac: string;
  senderAddress: string;
  targetMac?: string;
  targetAddress: string;
}

/** An ARP packet (RFC 826), without its frame. */
export function arp(fields: Arp): Uint8Array {
  const bytes = new Uint8Array(28);
  bytes.set([0, 1, 8, 0, 6, 4, 0, fields.operation]);
  bytes.set(mac(fields.senderMac), 8);
  put32(bytes, 14, address(fields.senderAddress));
  bytes.set(mac(fields.targetMac ?? '00:00:00:00:00:00'), 18);
  put32(bytes, 24, address(fields.targetAddress));
  return bytes;
}

export function arpFrame(to: string, fields: Arp): Uint8Array {
  return ethernet(to, fields.senderMac, 0x0806, arp(fields));
}

/** What a test asks of a datagram. Fields of a transport that is not there are 0. */
export interface Read {
  source: string;
  destination: string;
  protocol: number;
  ttl: number;
  id: number;
  dontFragment: boolean;
  moreFragments: boolean;
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

/** Takes a datagram apart. It may be followed by padding. */
export function read(datagram: Uint8Array): Read {
  const headerBytes = ((datagram[0] as number) & 15) * 4;
  const totalLength = get16(datagram, 2);
  const word = get16(datagram, 6);
  const segment = datagram.subarray(headerBytes, totalLength);
  const protocol = datagram[9] as number;
  const fragmentOffset = (word & 0x1fff) * 8;
  const first = fragmentOffset === 0;
  const ports = first && (protocol === TCP || protocol === UDP);
  const isTcp = first && protocol === TCP;
  const isIcmp = first && protocol === ICMP;
  const dataAt = isTcp ? ((segment[12] as number) >> 4) * 4 : first ? 8 : 0;
  return {
    source: addressText(get32(datagram, 12)),
    destination: addressText(get32(datagram, 16)),
    protocol,
    ttl: datagram[8] as number,
    id: get16(datagram, 4),
    dontFragment: (word & 0x4000) !== 0,
    moreFragments: (word & 0x2000) !== 0,
    fragmentOffset,
    headerBytes,
    totalLength,
    sourcePort: ports ? get16(segment, 0) : 0,
    destinationPort: ports ? get16(segment, 2) : 0,
    sequence: isTcp ? get32(segment, 4) : 0,
    acknowledgment: isTcp ? get32(segment, 8) : 0,
    tcpFlags: isTcp ? (segment[13] as number) : 0,
    window: isTcp ? get16(segment, 14) : 0,
    type: isIcmp ? (segment[0] as number) : 0,
    code: isIcmp ? (segment[1] as number) : 0,
    rest: isIcmp ? get32(segment, 4) : 0,
    identifier: isIcmp ? get16(segment, 4) : 0,
    data: segment.slice(dataAt),
  };
}

/**
 * What is wrong with a datagram's checksums and lengths: '' if nothing is. The transport's sum is looked at
 * in whole datagrams only; an ICMP error's quoted header is looked at too, if `quoted` says so.
 */
export function faults(datagram: Uint8Array, quoted = true): string {
  const headerBytes = ((datagram[0] as number) & 15) * 4;
  const totalLength = get16(datagram, 2);
  if (totalLength > datagram.length) return `total length ${totalLength} of ${datagram.length} bytes`;
  if (internetChecksum(datagram.subarray(0, headerBytes)) !== 0) return 'IP header checksum';
  if ((get16(datagram, 6) & 0x3fff) !== 0) return '';
  const protocol = datagram[9] as number;
  const segment = datagram.subarray(headerBytes, totalLength);
  if (protocol === ICMP) {
    if (internetChecksum(segment) !== 0) return 'ICMP checksum';
    const type = segment[0] as number;
    const isError = type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
    if (!isError || !quoted) return '';
    const inner = segment.subarray(8);
    const innerHeaderBytes = ((inner[0] as number) & 15) * 4;
    if (internetChecksum(inner.subarray(0, innerHeaderBytes)) !== 0) return 'quoted IP header checksum';
    return get16(inner, 2) <= inner.length ? faults(inner, false) && 'quoted ' + faults(inner, false) : '';
  }
  if (protocol !== TCP && protocol !== UDP) return '';
  if (protocol === UDP && get16(segment, 4) !== segment.length) return 'UDP length';
  if (protocol === UDP && get16(segment, 6) === 0) return '';
  const sum = transportChecksum(get32(datagram, 12), get32(datagram, 16), protocol, segment);
  return sum === 0 ? '' : protocol === UDP ? 'UDP checksum' : 'TCP checksum';
}
