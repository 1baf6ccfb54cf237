// IPv4 headers of what control sends. RFC 791, section 3.1. What is left 0 here (time to live, identification,
// checksums, source) is filled in by the plane (src/plane/local/local-send.ts).

import { puti32 } from '../../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../../base/packet.ts';
import { IP_HEADER_BYTES as IP_HEADER } from '../../../wire/ipv4.ts';

export function set16(memory: Uint8Array, at: number, value: number): void {
  memory[at] = value >> 8;
  memory[at + 1] = value;
}

export function set32(memory: Uint8Array, at: number, value: number): void {
  set16(memory, at, value >>> 16);
  set16(memory, at + 2, value);
}

/** Fills the header into a packet buffer; answers where the payload begins. */
export function fillHeader(
  memory: Uint8Array,
  packet: number,
  protocol: number,
  source: number,
  destination: number,
  payloadBytes: number,
): number {
  const ip = packet + PACKET_IP;
  memory.fill(0, ip, ip + IP_HEADER);
  memory[ip] = 0x45;
  set16(memory, ip + 2, IP_HEADER + payloadBytes);
  memory[ip + 9] = protocol;
  set32(memory, ip + 12, source);
  set32(memory, ip + 16, destination);
  puti32(packet + PACKET_LENGTH, IP_HEADER + payloadBytes);
  return ip + IP_HEADER;
}
