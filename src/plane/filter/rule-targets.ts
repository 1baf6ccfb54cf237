// What a rule does to a packet before the next one is asked: LOG, TOS, MARK, CONNMARK, TCPMSS.
// Not here: targets that decide (hooks.ts).

import { IF_MTU, interfaceAt } from '../../base/interface.ts';
import { get8, i32at, puti32, u16at } from '../../base/memory.ts';
import {
  FLAG_FLOW_MARKED,
  PACKET_FLAGS,
  PACKET_FLOW_MARK,
  PACKET_L4,
  PACKET_MARK,
} from '../../base/packet.ts';
import { RULE_OPERATION_MOST } from '../../base/rule-limits.ts';
import {
  cellAt,
  MARK_RESTORE,
  MARK_SAVE,
  OPERATION_KIND,
  OPERATION_LOG,
  OPERATION_MARK_SET,
  OPERATION_NEXT,
  RULE_ARGUMENT,
  RULE_OPERATIONS,
  RULE_VALUE,
  TARGET_CONNMARK,
  TARGET_LOG,
  TARGET_TCPMSS,
  TARGET_TOS,
} from '../../base/rule-record.ts';
import {
  VIEW_BYTES,
  VIEW_FLOW,
  VIEW_IN_LINK,
  VIEW_KIND,
  VIEW_MARK,
  VIEW_OUT_LINK,
  VIEW_PACKET,
  VIEW_PROTOCOL,
} from '../../base/rule-state.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import { TCP_MSS_BYTES, TCP_SYN } from '../../wire/tcp.ts';
import { MSS_HEADERS, setMss } from '../ip/mss.ts';
import { flowMark, setFlowMark } from './paths.ts';
import { logPacket } from './rule-log.ts';
import { setTos } from './tos.ts';
import { varies } from './varies.ts';

/** What every link carries (RFC 791, section 3.2): before the routing nobody knows by which one a packet leaves. */
const MTU_LEAST: i32 = 68;

/** Does what the target of the rule at `at` says to the packet in the view. */
export function change(at: i32, target: i32): void {
  if (target === TARGET_LOG) {
    varies();
    const operation: i32 = operationOf(at, OPERATION_LOG);
    if (operation !== 0) logPacket(operation);
  } else if (target === TARGET_TOS) {
    varies();
    setTos(get8(at + RULE_ARGUMENT), i32at(at + RULE_VALUE));
  } else if (target === TARGET_TCPMSS) {
    changeMss(i32at(at + RULE_VALUE));
  } else {
    const operation: i32 = operationOf(at, OPERATION_MARK_SET);
    if (operation !== 0) setMark(operation, target === TARGET_CONNMARK ? 1 : 0);
  }
}

/** The operation of a kind that a rule has, its address; or 0. */
export function operationOf(rule: i32, kind: i32): i32 {
  let n: i32 = u16at(rule + RULE_OPERATIONS);
  for (let left: i32 = RULE_OPERATION_MOST; n !== 0 && left !== 0; left--) {
    const at: i32 = cellAt(n);
    if (get8(at + OPERATION_KIND) === kind) return at;
    n = u16at(at + OPERATION_NEXT);
  }
  return 0;
}

/** Lowers the segment size that a SYN offers, or says it for one that does not: a number, or, 0, what both links carry. */
function changeMss(size: i32): void {
  const packet: i32 = i32at(VIEW_PACKET);
  if (i32at(VIEW_PROTOCOL) !== PROTOCOL_TCP || i32at(packet + PACKET_L4) === 0) return;
  if ((i32at(VIEW_KIND) & TCP_SYN) === 0) return;
  const came: i32 = i32at(VIEW_IN_LINK);
  const out: i32 = i32at(VIEW_OUT_LINK);
  const mtuOut: i32 = i32at(interfaceAt(out < 0 ? came : out) + IF_MTU);
  const mtuIn: i32 = came < 0 ? mtuOut : i32at(interfaceAt(came) + IF_MTU);
  const mtu: i32 = mtuIn < mtuOut ? mtuIn : mtuOut;
  const room: i32 = out < 0 ? MTU_LEAST : mtuOut;
  if (setMss(packet, size !== 0 ? size : mtu - MSS_HEADERS, room) !== 0)
    puti32(VIEW_BYTES, i32at(VIEW_BYTES) + TCP_MSS_BYTES);
}

/** Marks the packet, or its flow if `ofFlow`, or copies one of the marks to the other. */
function setMark(operation: i32, ofFlow: i32): void {
  const mode: i32 = get8(operation + 4);
  const value: i32 = i32at(operation + 8);
  const mask: i32 = i32at(operation + 12);
  const e: i32 = i32at(VIEW_FLOW) & ~1;
  const mark: i32 = i32at(VIEW_MARK);
  const kept: i32 = markOfFlow();
  if (mode === MARK_SAVE) {
    markFlow(e, (kept & ~value) ^ (mark & mask));
  } else if (mode === MARK_RESTORE) {
    markPacket((mark & ~mask) ^ (kept & value));
  } else if (ofFlow !== 0) {
    markFlow(e, (kept & ~mask) ^ value);
  } else {
    markPacket((mark & ~mask) ^ value);
  }
}

function markPacket(mark: i32): void {
  puti32(VIEW_MARK, mark);
  puti32(i32at(VIEW_PACKET) + PACKET_MARK, mark);
}

/** The mark of the flow that the packet in the view is of, or begins. */
export function markOfFlow(): i32 {
  const flow: i32 = i32at(VIEW_FLOW);
  if (flow !== 0) return flowMark(flow & ~1);
  const packet: i32 = i32at(VIEW_PACKET);
  return (i32at(packet + PACKET_FLAGS) & FLAG_FLOW_MARKED) !== 0 ? i32at(packet + PACKET_FLOW_MARK) : 0;
}

/** Marks the flow of the packet in the view: one that it begins gets the mark when it is there (src/plane/flow/flow-use.ts). */
function markFlow(e: i32, mark: i32): void {
  const packet: i32 = i32at(VIEW_PACKET);
  if (e !== 0) {
    setFlowMark(e, mark);
    return;
  }
  puti32(packet + PACKET_FLOW_MARK, mark);
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_FLOW_MARKED);
}
