// What translating changes in a packet: its tuple becomes the other one of its flow, turned round. This is the long form, for
// packets with options, fragments and queries of ICMP too; the packets of known flows take the short one (known-flow.ts), which
// must leave the same bytes.
//
// RFC 1624, equation 3: a checksum goes by the sum of ~m + m' over all words that change, made once for both checksums. In later
// fragments there is no transport header (PACKET_L4 is 0): they get the addresses only.

import { TUPLE_BYTES, TUPLE_DESTINATION, TUPLE_PORTS, TUPLE_SOURCE } from '../../base/flow-record.ts';
import { get8, get16, get32, i32at, put16, put32 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_L4, PACKET_PORTS } from '../../base/packet.ts';
import { ICMP_CHECKSUM, ICMP_IDENTIFIER } from '../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  PROTOCOL_ICMP as ICMP,
  IP_CHECKSUM,
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  SOURCE_PORT,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { TCP_CHECKSUM } from '../../wire/tcp.ts';
import { UDP_CHECKSUM } from '../../wire/udp.ts';

/** The two halves of a word, summed. */
export function halves(word: i32): i32 {
  return (word & 0xffff) + (word >>> 16);
}

/** The same of its complement. */
export function inverse(word: i32): i32 {
  return halves(~word);
}

/** Of a sum of a few halves, 16 bits of ones' complement. */
export function folded(sum: i32): i32 {
  return halves(halves(sum));
}

/** Gives a packet that a side has sent the other tuple of its flow, turned round, and corrects the checksums. */
export function translate(packet: i32, e: i32, side: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const other: i32 = e + TUPLE_BYTES - side * TUPLE_BYTES;
  const source: i32 = i32at(other + TUPLE_DESTINATION);
  const destination: i32 = i32at(other + TUPLE_SOURCE);
  const gone: i32 = inverse(get32(ip + IP_SOURCE)) + inverse(get32(ip + IP_DESTINATION));
  const addresses: i32 = gone + halves(source) + halves(destination);
  put32(ip + IP_SOURCE, source);
  put32(ip + IP_DESTINATION, destination);
  put16(ip + IP_CHECKSUM, corrected(get16(ip + IP_CHECKSUM), addresses));
  const l4: i32 = i32at(packet + PACKET_L4);
  if (l4 !== 0) translateTransport(packet, l4, i32at(other + TUPLE_PORTS), addresses);
}

/** The same of the transport's header. `turned` are the other tuple's ports; `addresses` what the addresses add. */
function translateTransport(packet: i32, l4: i32, turned: i32, addresses: i32): void {
  const protocol: i32 = get8(packet + PACKET_IP + IP_PROTOCOL);
  if (protocol === ICMP) {
    // ICMP's checksum does not cover the addresses.
    const identifier: i32 = turned & 0xffff;
    const other: i32 = (~get16(l4 + ICMP_IDENTIFIER) & 0xffff) + identifier;
    put16(l4 + ICMP_CHECKSUM, corrected(get16(l4 + ICMP_CHECKSUM), other));
    put16(l4 + ICMP_IDENTIFIER, identifier);
    return;
  }
  if (protocol !== TCP && protocol !== UDP) return;
  put16(l4 + SOURCE_PORT, turned & 0xffff);
  put16(l4 + DESTINATION_PORT, turned >>> 16);
  const at: i32 = protocol === TCP ? l4 + TCP_CHECKSUM : l4 + UDP_CHECKSUM;
  const old: i32 = get16(at);
  // UDP: 0 is "no checksum" and stays; a sum that comes out as 0 is sent as its other form, all ones (RFC 768).
  if (protocol === UDP && old === 0) return;
  const sum: i32 = corrected(old, addresses + inverse(i32at(packet + PACKET_PORTS)) + halves(turned));
  put16(at, protocol === UDP && sum === 0 ? 0xffff : sum);
}

/** A checksum after what changes its words by `difference`, a sum of a few ~m + m'. */
function corrected(checksum: i32, difference: i32): i32 {
  return ~folded((~checksum & 0xffff) + difference) & 0xffff;
}
