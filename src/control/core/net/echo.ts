// An echo request of the router's own. RFC 792, page 14.

import { put16 } from '../../../wire/bytes.ts';
import {
  ICMP_ECHO_REQUEST as ECHO_REQUEST,
  ICMP_HEADER_BYTES as ICMP_HEADER,
  ICMP_IDENTIFIER,
  ICMP_SEQUENCE,
} from '../../../wire/icmp.ts';
import { PROTOCOL_ICMP as ICMP } from '../../../wire/ipv4.ts';
import { fillHeader } from './ipv4.ts';

/** Fills an echo request into a buffer; localSend() sets source, time to live, identification, checksums. */
export function buildEcho(
  memory: Uint8Array,
  packet: number,
  destination: number,
  identifier: number,
  sequence: number,
  bytes: number,
): void {
  const icmp = fillHeader(memory, packet, ICMP, 0, destination, ICMP_HEADER + bytes);
  memory.fill(0, icmp, icmp + ICMP_HEADER);
  memory[icmp] = ECHO_REQUEST;
  put16(memory, icmp + ICMP_IDENTIFIER, identifier);
  put16(memory, icmp + ICMP_SEQUENCE, sequence);
  for (let i = 0; i < bytes; i++) memory[icmp + ICMP_HEADER + i] = i;
}
