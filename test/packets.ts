// Frames for tests, as src/wire/build.ts makes and src/wire/read.ts reads them, with addresses as text: '192.168.0.1'.

import { ARP_REPLY } from '../src/wire/arp.ts';
import * as build from '../src/wire/build.ts';
import { get16, put16, put32 } from '../src/wire/bytes.ts';
import {
  ETHERNET_HEADER_BYTES,
  ETHERNET_SOURCE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
} from '../src/wire/ethernet.ts';
import {
  IP_DONT_FRAGMENT,
  IP_HEADER_BYTES,
  IP_ID,
  IP_LENGTH,
  IP_MORE_FRAGMENTS,
  IP_OFFSET,
  IP_OFFSET_UNITS,
} from '../src/wire/ipv4.ts';
import { type Fields, readArp, readDatagram } from '../src/wire/read.ts';
import { TCP_ACK as ACK } from '../src/wire/tcp.ts';

export { ARP_REPLY, ARP_REQUEST } from '../src/wire/arp.ts';
export { internetChecksum, mssOption, sealIp, transportChecksum } from '../src/wire/build.ts';
export { get16, get32, put16, put32 } from '../src/wire/bytes.ts';
export {
  ETHERNET_HEADER_BYTES as ETHERNET,
  ETHERNET_SOURCE,
  ETHERNET_TYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_TAG,
} from '../src/wire/ethernet.ts';
export { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../src/wire/ipv4.ts';
export { faults, isArp, isIpv4 } from '../src/wire/read.ts';
export {
  TCP_ACK as ACK,
  TCP_FIN as FIN,
  TCP_PSH as PSH,
  TCP_RST as RST,
  TCP_SYN as SYN,
} from '../src/wire/tcp.ts';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
/** Bit 15 of flags and offset, which must be zero (RFC 3514 has the name). */
const EVIL = 0x8000;

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

/** An IPv4 datagram. */
export function ipv4(ip: Ip, protocol: number, data: Uint8Array): Uint8Array {
  return build.ipv4(datagramOf(ip, protocol, data));
}

function datagramOf(ip: Ip, protocol: number, payload: Uint8Array): build.Datagram {
  const { evil, dontFragment, moreFragments, fragmentOffset = 0 } = ip;
  const flags =
    (evil ? EVIL : 0) | (dontFragment ? IP_DONT_FRAGMENT : 0) | (moreFragments ? IP_MORE_FRAGMENTS : 0);
  return {
    ...ip,
    source: address(ip.source),
    destination: address(ip.destination),
    protocol,
    payload,
    identification: ip.id ?? 0x1234,
    fragment: flags | (fragmentOffset >> 3),
  };
}

/** A UDP datagram in IPv4. `checksum` 0 leaves it out, as UDP may. */
export function udp(
  ip: Ip,
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array = payload(32),
  checksum?: number,
): Uint8Array {
  const [source, destination] = [address(ip.source), address(ip.destination)];
  const ports = (sourcePort << 16) | destinationPort;
  const made = build.udp(source, destination, ports, data, checksum);
  return ipv4(ip, made.protocol, made.payload);
}

/** A TCP segment in IPv4. */
export function tcp(ip: Ip, header: Tcp, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const { sourcePort, destinationPort, headerWords, checksum } = header;
  const made = build.tcp(address(ip.source), address(ip.destination), {
    ports: (sourcePort << 16) | destinationPort,
    sequence: header.sequence ?? 1000,
    acknowledgment: header.acknowledgment ?? 0,
    flags: header.flags ?? ACK,
    window: header.window ?? 5840,
    options: header.options ?? [],
    data,
    headerWords,
    checksum,
  });
  return ipv4(ip, made.protocol, made.payload);
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
  const bytes = new Uint8Array(4 + data.length);
  put32(bytes, 0, rest);
  bytes.set(data, 4);
  const made = build.icmp(0, 0, type, code, bytes, checksum);
  return ipv4(ip, made.protocol, made.payload);
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
  const data = datagram.subarray(IP_HEADER_BYTES);
  for (let at = 0; at < data.length; at += dataBytes) {
    const part = data.subarray(at, at + dataBytes);
    const bytes = concat(datagram.subarray(0, IP_HEADER_BYTES), part);
    put16(bytes, IP_LENGTH, bytes.length);
    const more = at + dataBytes < data.length ? IP_MORE_FRAGMENTS : 0;
    put16(bytes, IP_OFFSET, more | (at >> 3));
    build.sealIp(bytes);
    all.push(bytes);
  }
  return all;
}

/** Puts fragments together again, in whatever order they are; their headers must agree. */
export function reassemble(parts: Uint8Array[]): Uint8Array {
  const offsetOf = (part: Uint8Array): number => (get16(part, IP_OFFSET) & IP_OFFSET_UNITS) << 3;
  const sorted = [...parts].sort((a, b) => offsetOf(a) - offsetOf(b));
  const first = sorted[0] as Uint8Array;
  let end = 0;
  for (const part of sorted) {
    if (offsetOf(part) !== end) throw new Error(`Cannot reassemble: a gap or overlap at ${end}`);
    if (get16(part, IP_ID) !== get16(first, IP_ID)) throw new Error('Cannot reassemble: ids differ');
    end += get16(part, IP_LENGTH) - IP_HEADER_BYTES;
  }
  const bytes = concat(
    first.subarray(0, IP_HEADER_BYTES),
    ...sorted.map(part => part.subarray(IP_HEADER_BYTES, get16(part, IP_LENGTH))),
  );
  put16(bytes, IP_LENGTH, bytes.length);
  put16(bytes, IP_OFFSET, 0);
  return build.sealIp(bytes);
}

/** An Ethernet frame, padded to 60 bytes as the wire has it. */
export function ethernet(
  to: string,
  from: string,
  type: number,
  data: Uint8Array,
  pad = build.FRAME_LEAST,
): Uint8Array {
  return build.ethernet(mac(to), mac(from), type, data, pad);
}

/** An IPv4 datagram in its frame. */
export function frame(to: string, from: string, datagram: Uint8Array): Uint8Array {
  return ethernet(to, from, ETHERTYPE_IPV4, datagram);
}

export interface Arp {
  /** ARP_REQUEST or ARP_REPLY. */
  operation: number;
  senderMac: string;
  senderAddress: string;
  targetMac?: string;
  targetAddress: string;
}

/** An ARP packet (RFC 826), without its frame. */
export function arp({ operation, senderMac, senderAddress, targetMac, targetAddress }: Arp): Uint8Array {
  const target = targetMac === undefined ? undefined : mac(targetMac);
  return build.arp(operation, address(senderAddress), mac(senderMac), address(targetAddress), target);
}

export function arpFrame(to: string, fields: Arp): Uint8Array {
  return ethernet(to, fields.senderMac, ETHERTYPE_ARP, arp(fields));
}

/** The ARP packet in a frame. */
export function arpIn(frame: Uint8Array): { isRequest: boolean; sender: string; target: string } {
  const { isRequest, sender, target } = readArp(frame);
  return { isRequest, sender: addressText(sender), target: addressText(target) };
}

/** The reply of station `senderMac` to the ARP request in a frame: it has what is asked for. */
export function arpAnswer(request: Uint8Array, senderMac: string): Uint8Array {
  const { sender, target } = arpIn(request);
  const asker = stationOf(request);
  const addresses = { senderAddress: target, targetMac: asker, targetAddress: sender };
  return arpFrame(asker, { operation: ARP_REPLY, senderMac, ...addresses });
}

/** Who sent a frame. */
export function stationOf(frame: Uint8Array): string {
  return macText(frame, ETHERNET_SOURCE);
}

/** The IPv4 datagram in a frame, and what pads it. */
export function datagramIn(frame: Uint8Array): Uint8Array {
  return frame.slice(ETHERNET_HEADER_BYTES);
}

/** What a test asks of a datagram. Fields of a transport that is not there are 0. */
export interface Read extends Omit<Fields, 'source' | 'destination'> {
  source: string;
  destination: string;
}

/** Takes a datagram apart. It may be followed by padding. */
export function read(datagram: Uint8Array): Read {
  const fields = readDatagram(datagram);
  return {
    ...fields,
    source: addressText(fields.source),
    destination: addressText(fields.destination),
  };
}
