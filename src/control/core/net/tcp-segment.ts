// TCP segments as bytes: RFC 9293, section 3.1. The plane has checked lengths and checksum of what arrives
// and computes the checksum of what leaves. The one option is the maximum segment size (section 3.7.1).

import { DROP_ARP_QUEUE_FULL } from '../../../base/counters.ts';
import { TCP_MSS } from '../../../base/limits.ts';
import { get16, get32, i32at } from '../../../base/memory.ts';
import { PACKET_IN, PACKET_IP, PACKET_L4, PASS } from '../../../base/packet.ts';
import { put16, put32 } from '../../../wire/bytes.ts';
import {
  DESTINATION_PORT,
  IP_DESTINATION,
  IP_LENGTH,
  IP_SOURCE,
  SOURCE_PORT,
  PROTOCOL_TCP as TCP,
} from '../../../wire/ipv4.ts';
import {
  TCP_HEADER_BYTES as HEADER,
  TCP_MSS_BYTES as MSS_BYTES,
  TCP_OPTION_END as OPTION_END,
  TCP_OPTION_MSS as OPTION_MSS,
  TCP_OPTION_NONE as OPTION_NONE,
  TCP_SYN as SYN,
  TCP_ACKNOWLEDGMENT,
  TCP_FLAGS,
  TCP_LENGTH,
  TCP_SEQUENCE,
  TCP_WINDOW,
  tcpHeaderBytesOf,
} from '../../../wire/tcp.ts';
import type { Machine } from '../machine.ts';
import { clientOf } from './client.ts';
import { fillHeader } from './ipv4.ts';

/** What a host takes that does not say (RFC 9293, section 3.7.1). */
export const MSS_DEFAULT = 536;
/** Less than this is an attempt to make us send many small segments. */
const MSS_LEAST = 88;

/** A segment that has arrived. */
export interface Segment {
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  /** The interface that it came in by. */
  index: number;
  /** Whose share of the connections it would take. */
  client: number;
  sequence: number;
  acknowledgment: number;
  flags: number;
  window: number;
  /** Of its MSS option, or the default. */
  mss: number;
  /** A view of the packet buffer. */
  data: Uint8Array;
}

/** Reads a punted segment; undefined if its header is longer than the segment. */
export function readSegment(memory: Uint8Array, packet: number): Segment | undefined {
  const ip = packet + PACKET_IP;
  const l4 = i32at(packet + PACKET_L4);
  const end = ip + get16(ip + IP_LENGTH);
  const dataAt = l4 + tcpHeaderBytesOf(l4);
  if (dataAt < l4 + HEADER || dataAt > end) return undefined;
  return {
    source: get32(ip + IP_SOURCE),
    destination: get32(ip + IP_DESTINATION),
    sourcePort: get16(l4 + SOURCE_PORT),
    destinationPort: get16(l4 + DESTINATION_PORT),
    index: i32at(packet + PACKET_IN),
    client: clientOf(packet),
    sequence: get32(l4 + TCP_SEQUENCE),
    acknowledgment: get32(l4 + TCP_ACKNOWLEDGMENT),
    flags: memory[l4 + TCP_FLAGS] as number,
    window: get16(l4 + TCP_WINDOW),
    mss: mssOption(memory.subarray(l4 + HEADER, dataAt)),
    data: memory.subarray(dataAt, end),
  };
}

/** The MSS that a segment's options tell, at least MSS_LEAST and at most ours. */
export function mssOption(options: Uint8Array): number {
  let at = 0;
  while (at < options.length) {
    const kind = options[at] as number;
    if (kind === OPTION_END) break;
    if (kind === OPTION_NONE) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) break;
    if (kind === OPTION_MSS && length === MSS_BYTES) {
      const mss = ((options[at + 2] as number) << 8) | (options[at + 3] as number);
      return Math.min(TCP_MSS, Math.max(MSS_LEAST, mss));
    }
    at += length;
  }
  return MSS_DEFAULT;
}

/** Where a segment goes. */
export interface Ends {
  local: number;
  localPort: number;
  remote: number;
  remotePort: number;
}

/** What a segment's header says of its connection. */
type Numbers = Pick<Segment, 'sequence' | 'acknowledgment' | 'flags' | 'window'>;

/** Sends a segment; a SYN tells our MSS. It may be lost for want of a buffer, as on the way. */
export function sendSegment(
  machine: Machine,
  ends: Ends,
  { sequence, acknowledgment, flags, window }: Numbers,
  data: Uint8Array | undefined,
): boolean {
  const { memory, plane } = machine;
  const packet = plane.allocateForControl();
  if (packet === 0) return false;
  const headerBytes = (flags & SYN) === 0 ? HEADER : HEADER + MSS_BYTES;
  const bytes = headerBytes + (data?.length ?? 0);
  const at = fillHeader(memory, packet, TCP, ends.local, ends.remote, bytes);
  memory.fill(0, at, at + headerBytes);
  put16(memory, at + SOURCE_PORT, ends.localPort);
  put16(memory, at + DESTINATION_PORT, ends.remotePort);
  put32(memory, at + TCP_SEQUENCE, sequence);
  put32(memory, at + TCP_ACKNOWLEDGMENT, acknowledgment);
  memory[at + TCP_LENGTH] = headerBytes << 2;
  memory[at + TCP_FLAGS] = flags;
  put16(memory, at + TCP_WINDOW, window);
  if (headerBytes > HEADER) put32(memory, at + HEADER, (OPTION_MSS << 24) | (MSS_BYTES << 16) | TCP_MSS);
  if (data !== undefined) memory.set(data, at + headerBytes);
  const verdict = plane.localSend(packet);
  // As if it were lost on the way: it is sent again.
  return verdict === PASS || verdict === DROP_ARP_QUEUE_FULL;
}
