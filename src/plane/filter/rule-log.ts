// Packets that rules log: a copy of their beginning, in a ring that control reads and writes lines of (src/control/rules/). While the ring is
// full they are counted, and nothing else: so a flood costs its packets a copy each, up to RULE_LOG_COUNT, and control writes as
// fast as it can.
//
// The record is src/base/rule-log-record.ts.

import { NOW_AT, PROBE_AT } from '../../base/cells.ts';
import { copy, get8, i32at, put8, put32, puti32, putu16 } from '../../base/memory.ts';
import { PACKET_FRAME, PACKET_IP, PACKET_L4 } from '../../base/packet.ts';
import { RULE_CELL_BYTES, RULE_CELLS_AT, RULE_LOG_BYTES, RULE_LOG_COUNT } from '../../base/rule-limits.ts';
import {
  LOG_DATAGRAM,
  LOG_ETHERNET,
  LOG_IN,
  LOG_KIND,
  LOG_LEVEL,
  LOG_MARK,
  LOG_OUT,
  LOG_PREFIX,
  LOG_PREFIX_MOST,
  LOG_RULE,
  LOG_TICK,
  LOG_TTL,
  logAt,
} from '../../base/rule-log-record.ts';
import { OPERATION_KIND } from '../../base/rule-record.ts';
import {
  LOG_DUE_AT,
  LOG_LOST_AT,
  LOG_READ_AT,
  LOG_WRITTEN_AT,
  VIEW_DESTINATION,
  VIEW_IN_LINK,
  VIEW_MARK,
  VIEW_OUT_LINK,
  VIEW_PACKET,
  VIEW_PORTS,
  VIEW_PROTOCOL,
  VIEW_RULE,
  VIEW_SOURCE,
  VIEW_TTL,
} from '../../base/rule-state.ts';
import { IP_DESTINATION, IP_SOURCE, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';

/** Bytes of an Ethernet header. */
const ETHERNET: i32 = PACKET_IP - PACKET_FRAME;

/** Notes the packet in the view for the log, by an operation of a rule, which has just applied (VIEW_RULE). */
export function logPacket(operation: i32): void {
  const written: i32 = get8(LOG_WRITTEN_AT);
  if (i32at(PROBE_AT) !== 0) return;
  if (((written - get8(LOG_READ_AT)) & 0xff) >= RULE_LOG_COUNT) {
    puti32(LOG_LOST_AT, (i32at(LOG_LOST_AT) + 1) | 0);
    return;
  }
  const at: i32 = logAt(written);
  const packet: i32 = i32at(VIEW_PACKET);
  puti32(at + LOG_TICK, i32at(NOW_AT));
  // Level, flags and how long the prefix is, and the prefix.
  copy(at + LOG_LEVEL, operation + 4, 3);
  copy(at + LOG_PREFIX, operation + 8, LOG_PREFIX_MOST);
  put8(at + LOG_KIND, get8(operation + OPERATION_KIND));
  put8(at + LOG_IN, i32at(VIEW_IN_LINK));
  put8(at + LOG_OUT, i32at(VIEW_OUT_LINK));
  put8(at + LOG_TTL, i32at(VIEW_TTL));
  putu16(at + LOG_RULE, ((i32at(VIEW_RULE) - RULE_CELLS_AT) / RULE_CELL_BYTES) | 0);
  puti32(at + LOG_MARK, i32at(VIEW_MARK));
  copy(at + LOG_ETHERNET, packet + PACKET_FRAME, ETHERNET);
  copy(at + LOG_DATAGRAM, packet + PACKET_IP, RULE_LOG_BYTES - LOG_DATAGRAM);
  asSeen(at + LOG_DATAGRAM, packet);
  put8(LOG_WRITTEN_AT, written + 1);
}

/** Gives a copy of a packet the ends that rules see: what the masquerade has had already is asked, and logged, as it came. */
function asSeen(datagram: i32, packet: i32): void {
  put32(datagram + IP_SOURCE, i32at(VIEW_SOURCE));
  put32(datagram + IP_DESTINATION, i32at(VIEW_DESTINATION));
  const l4: i32 = i32at(packet + PACKET_L4);
  const protocol: i32 = i32at(VIEW_PROTOCOL);
  if (l4 === 0 || (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP)) return;
  const offset: i32 = l4 - packet - PACKET_IP;
  if (offset <= RULE_LOG_BYTES - LOG_DATAGRAM - 4) put32(datagram + offset, i32at(VIEW_PORTS));
}

/** 1 if control is to write lines of them: there are some, and it has not just done so. */
export function isLogWaiting(): i32 {
  if (get8(LOG_WRITTEN_AT) === get8(LOG_READ_AT)) return 0;
  return ((i32at(NOW_AT) - i32at(LOG_DUE_AT)) | 0) >= 0 ? 1 : 0;
}
