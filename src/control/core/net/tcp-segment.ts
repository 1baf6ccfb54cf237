// TCP segments as bytes: RFC 9293, section 3.1. The plane has checked lengths and checksum of what arrives
// and computes the checksum of what leaves. The one option is the maximum segment size (section 3.7.1).

import { DROP_ARP_QUEUE_FULL } from '../../../base/counters.ts';
import { TCP_MSS } from '../../../base/limits.ts';
import { get16, get32, i32at } from '../../../base/memory.ts';
import { PACKET_IN, PACKET_IP, PACKET_L4, PASS } from '../../../base/packet.ts';
import { PROTOCOL_TCP as TCP } from '../../../wire/ipv4.ts';
import { TCP_SYN as SYN } from '../../../wire/tcp.ts';
import type { Machine } from '../machine.ts';
import { clientOf } from './client.ts';
import { fillHeader, set16, set32 } from './ipv4.ts';

/** What a host takes that does not say (RFC 9293, section 3.7.1). */
export const MSS_DEFAULT = 536;
/** Less than this is an attempt to make us send many small segments. */
const MSS_LEAST = 88;
const HEADER = 20;
const OPTION_END = 0;
const OPTION_NONE = 1;
const OPTION_MSS = 2;

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
  const end = ip + get16(ip + 2);
  const dataAt = l4 + ((memory[l4 + 12] as number) >> 4) * 4;
  if (dataAt < l4 + HEADER || dataAt > end) return undefined;
  return {
    source: get32(ip + 12),
    destination: get32(ip + 16),
    sourcePort: get16(l4),
    destinationPort: get16(l4 + 2),
    index: i32at(packet + PACKET_IN),
    client: clientOf(packet),
    sequence: get32(l4 + 4),
    acknowledgment: get32(l4 + 8),
    flags: memory[l4 + 13] as number,
    window: get16(l4 + 14),
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
    if (kind === OPTION_MSS && length === 4) {
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

/** Sends a segment; a SYN tells our MSS. It may be lost for want of a buffer, as on the way. */
export function sendSegment(
  machine: Machine,
  ends: Ends,
  sequence: number,
  acknowledgment: number,
  flags: number,
  window: number,
  data: Uint8Array | undefined,
): boolean {
  const { memory, plane } = machine;
  const packet = plane.allocateForControl();
  if (packet === 0) return false;
  const headerBytes = (flags & SYN) === 0 ? HEADER : HEADER + 4;
  const bytes = headerBytes + (data?.length ?? 0);
  const at = fillHeader(memory, packet, TCP, ends.local, ends.remote, bytes);
  memory.fill(0, at, at + headerBytes);
  set16(memory, at, ends.localPort);
  set16(memory, at + 2, ends.remotePort);
  set32(memory, at + 4, sequence);
  set32(memory, at + 8, acknowledgment);
  memory[at + 12] = headerBytes << 2;
  memory[at + 13] = flags;
  set16(memory, at + 14, window);
  if (headerBytes > HEADER) set32(memory, at + HEADER, (OPTION_MSS << 24) | (4 << 16) | TCP_MSS);
  if (data !== undefined) memory.set(data, at + headerBytes);
  const verdict = plane.localSend(packet);
  // As if it were lost on the way: it is sent again.
  return verdict === PASS || verdict === DROP_ARP_QUEUE_FULL;
}
