// Packets that rules log: a copy of their beginning, in a ring that control reads and writes lines of (src/control/rules/). While the ring is
// full they are counted, and nothing else: so a flood costs its packets a copy each, up to RULE_LOG_COUNT, and control writes as
// fast as it can.
//
//    0      4     5      6        8    9     10      12    14        16           46       48       64
//    | tick | level | flags | prefix bytes | in | out | spare | mark .. |  prefix (30 bytes) | spare  | Ethernet header | datagram, 128 |

import { NOW_AT } from '../../base/cells.ts';
import { copy, get8, i32at, put8, puti32 } from '../../base/memory.ts';
import { PACKET_FRAME, PACKET_IP } from '../../base/packet.ts';
import { RULE_LOG_AT, RULE_LOG_BYTES, RULE_LOG_COUNT } from '../../base/rule-limits.ts';
import {
  LOG_LOST_AT,
  LOG_READ_AT,
  LOG_WRITTEN_AT,
  VIEW_IN_LINK,
  VIEW_MARK,
  VIEW_OUT_LINK,
  VIEW_PACKET,
} from '../../base/rule-state.ts';

/** Bytes of an Ethernet header. */
const ETHERNET: i32 = PACKET_IP - PACKET_FRAME;

/** Notes the packet in the view for the log, by an OPERATION_LOG at `operation`. */
export function logPacket(operation: i32): void {
  const written: i32 = get8(LOG_WRITTEN_AT);
  if (((written - get8(LOG_READ_AT)) & 0xff) >= RULE_LOG_COUNT) {
    puti32(LOG_LOST_AT, (i32at(LOG_LOST_AT) + 1) | 0);
    return;
  }
  const at: i32 = RULE_LOG_AT + (written & (RULE_LOG_COUNT - 1)) * RULE_LOG_BYTES;
  const packet: i32 = i32at(VIEW_PACKET);
  puti32(at, i32at(NOW_AT));
  copy(at + 4, operation + 4, 3);
  put8(at + 8, i32at(VIEW_IN_LINK));
  put8(at + 9, i32at(VIEW_OUT_LINK));
  puti32(at + 12, i32at(VIEW_MARK));
  copy(at + 16, operation + 8, 30);
  copy(at + 48, packet + PACKET_FRAME, ETHERNET);
  copy(at + 64, packet + PACKET_IP, RULE_LOG_BYTES - 64);
  put8(LOG_WRITTEN_AT, written + 1);
}
