// Which packets may dial a link that is down (demand.ts), and keep it up: up to DEMAND_WORDS words of each link, in the order in which they were set. A
// packet is meant where a word without minus has it and none with one does: `tcp udp -udp:137-139`.
//
// TCP dials where it opens a connection; all of it but a refusal is use. ICMP is echo requests: an answer, or an error about what came, is no wish of
// a host's. Later fragments have no port, and go with their protocol's words.

import { NOW_AT } from '../../base/cells.ts';
import {
  DEMAND_ICMP,
  DEMAND_OTHER,
  DEMAND_OWN,
  DEMAND_TCP,
  DEMAND_UDP,
  DEMAND_USED,
  DEMAND_WORD,
  demandAt,
} from '../../base/demand-record.ts';
import { DEMAND_WORDS } from '../../base/line-limits.ts';
import { get8, get16, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { PACKET_IN, PACKET_IP } from '../../base/packet.ts';
import { ICMP_ECHO_REQUEST } from '../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  PROTOCOL_ICMP as ICMP,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { TCP_ACK, TCP_FIN, TCP_FLAGS, TCP_RST, TCP_SYN } from '../../wire/tcp.ts';

/** Of a packet without ports: each word of its kind has it, but those that take single ports out. */
export const NO_PORT: i32 = -1;
/** Fields of a word. */
const MINUS: i32 = 1;
const FROM: i32 = 2;
const TO: i32 = 4;
const WORD_BYTES: i32 = 8;

/** The n-th word of those that say which packets may dial a link, and keep it up: DEMAND_TCP and its like, or 0 behind the last one. */
export function demandWord(link: i32, n: i32, kind: i32, isMinus: i32, from: i32, to: i32): void {
  const record: i32 = demandAt(link);
  if (record === 0 || n < 0 || n >= DEMAND_WORDS) return;
  const word: i32 = record + DEMAND_WORD + n * WORD_BYTES;
  put8(word, kind);
  put8(word + MINUS, isMinus);
  putu16(word + FROM, from);
  putu16(word + TO, to);
}

/** Whether a link's words have a packet of this kind and destination port, or NO_PORT. */
export function isMeant(record: i32, kind: i32, port: i32): i32 {
  let found: i32 = 0;
  let word: i32 = record + DEMAND_WORD;
  for (let n: i32 = 0; n < DEMAND_WORDS; n++) {
    const has: i32 = get8(word);
    if (has === 0) return found;
    if (has === kind) {
      const isAll: i32 = u16at(word + FROM) === 0 && u16at(word + TO) === 0xffff ? 1 : 0;
      if (get8(word + MINUS) === 0) {
        if (port === NO_PORT || isAll !== 0 || (port >= u16at(word + FROM) && port <= u16at(word + TO)))
          found = 1;
      } else if (isAll !== 0 || (port >= u16at(word + FROM) && port <= u16at(word + TO))) {
        return 0;
      }
    }
    word += WORD_BYTES;
  }
  return found;
}

/** Whether a datagram is of a link's words; of TCP what opens (`isUse` 0), or all but a refusal. What others' errors are about is nobody's use. */
export function isOfWords(record: i32, packet: i32, isUse: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const isWhole: i32 = (get16(ip + IP_OFFSET) & IP_OFFSET_UNITS) === 0 ? 1 : 0;
  const l4: i32 = ip + headerBytesOf(ip);
  if (protocol === UDP)
    return isMeant(record, DEMAND_UDP, isWhole !== 0 ? get16(l4 + DESTINATION_PORT) : NO_PORT);
  if (isWhole === 0) return 0;
  if (protocol === ICMP) return get8(l4) === ICMP_ECHO_REQUEST ? isMeant(record, DEMAND_ICMP, NO_PORT) : 0;
  if (protocol !== TCP) return isMeant(record, DEMAND_OTHER, NO_PORT);
  const flags: i32 = get8(l4 + TCP_FLAGS);
  if ((flags & TCP_RST) !== 0) return 0;
  if (isUse === 0 && (flags & (TCP_SYN | TCP_ACK | TCP_FIN)) !== TCP_SYN) return 0;
  return isMeant(record, DEMAND_TCP, get16(l4 + DESTINATION_PORT));
}

/** A datagram leaves by a link: whether it counts as use. Answers to who knocks outside do not, nor the router's own, unless a word says so. */
export function demandUse(packet: i32, link: i32): void {
  const record: i32 = demandAt(link);
  if (record === 0) return;
  const came: i32 = i32at(packet + PACKET_IN);
  if (came === link || (came < 0 && isMeant(record, DEMAND_OWN, NO_PORT) === 0)) return;
  if (isOfWords(record, packet, 1) !== 0) puti32(record + DEMAND_USED, i32at(NOW_AT));
}
