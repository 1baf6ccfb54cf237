// What rules ask of a transport header beside its ports: TCP's flags, or ICMP's type and code.

import { get8, get16, i32at } from '../../base/memory.ts';
import { PACKET_IP, PACKET_L4 } from '../../base/packet.ts';
import { IP_PROTOCOL, PROTOCOL_ICMP, PROTOCOL_TCP } from '../../wire/ipv4.ts';
import { TCP_FLAGS } from '../../wire/tcp.ts';

/** Of another protocol, or of a fragment whose first one is not known. */
export const KIND_UNKNOWN: i32 = -1;

/** Of a packet with its transport header: TCP's flags, or ICMP's type << 8 | code; else KIND_UNKNOWN. */
export function kindOf(packet: i32): i32 {
  const l4: i32 = i32at(packet + PACKET_L4);
  const protocol: i32 = get8(packet + PACKET_IP + IP_PROTOCOL);
  if (l4 === 0) return KIND_UNKNOWN;
  if (protocol === PROTOCOL_TCP) return get8(l4 + TCP_FLAGS);
  return protocol === PROTOCOL_ICMP ? get16(l4) : KIND_UNKNOWN;
}
