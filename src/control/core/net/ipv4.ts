// IPv4 headers of what control sends. RFC 791, section 3.1. What is left 0 here (time to live, identification,
// checksums, source) is filled in by the plane (src/plane/local/local-send.ts).

import { puti32 } from '../../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../../base/packet.ts';
import { put16, put32 } from '../../../wire/bytes.ts';
import {
  IP_DESTINATION,
  IP_HEADER_BYTES as IP_HEADER,
  IP_LENGTH,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_VERSION,
} from '../../../wire/ipv4.ts';

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
  memory[ip + IP_VERSION] = 0x45;
  put16(memory, ip + IP_LENGTH, IP_HEADER + payloadBytes);
  memory[ip + IP_PROTOCOL] = protocol;
  put32(memory, ip + IP_SOURCE, source);
  put32(memory, ip + IP_DESTINATION, destination);
  puti32(packet + PACKET_LENGTH, IP_HEADER + payloadBytes);
  return ip + IP_HEADER;
}
