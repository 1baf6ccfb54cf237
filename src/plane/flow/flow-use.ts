// What a packet does to the flow that it is of: its side has sent, its state goes on, its timer starts anew
// (flow-timeout.ts says what restarts it), and it is counted.
// Not here: which flow it is (known-flow.ts, masquerade.ts, routed.ts), the short way of packets that change nothing
// (known-flow.ts).

import { NOW_AT, PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import {
  COUNT_BYTES,
  COUNT_PACKETS,
  COUNTS_BYTES,
  E_COUNTS,
  E_EXPIRES,
  E_FLAGS,
  E_SENT,
  E_STATE,
  E_TIMER,
  ENTRY_HEARD,
  ENTRY_SENT,
  STATE_ESTABLISHED,
} from '../../base/flow-record.ts';
import { PARAMETERS_AT } from '../../base/limits.ts';
import { get8, i32at, put8, puti32 } from '../../base/memory.ts';
import {
  FLAG_FLOW_MARKED,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_FLOW_MARK,
  PACKET_L4,
  PACKET_LENGTH,
} from '../../base/packet.ts';
import { NOTE_FLOW, PROBE_FLOW } from '../../base/probe-record.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../../wire/ipv4.ts';
import { TCP_ACK, TCP_FLAGS, TCP_STATE_MASK } from '../../wire/tcp.ts';
import { foldSide, noteFolded, setFlowMark } from '../filter/paths.ts';
import { met, noteEnds } from '../filter/probing.ts';
import { noteSide, trackTcp } from './flow-timeout.ts';
import { queryOf } from './queries.ts';
import { INBOUND, OUTBOUND } from './tcp-rfc.ts';
import { follow, IN_SIDE, OUT_SIDE } from './tcp-window.ts';

/** A packet of side 0 of a flow. Of ICMP a query is noted, so that its answer is let in. */
export function useOutbound(packet: i32, e: i32, protocol: i32): void {
  const l4: i32 = i32at(packet + PACKET_L4);
  if (i32at(PROBE_AT) !== 0) return;
  if (protocol === ICMP && l4 !== 0) put8(e + E_STATE, get8(e + E_STATE) | queryOf(get8(l4)));
  if ((get8(e + E_FLAGS) & ENTRY_SENT) === 0) noteSide(e, ENTRY_SENT);
  if (protocol === TCP && l4 !== 0) {
    if (isPlain(e, l4) === 0) {
      trackTcp(e, packet, OUTBOUND);
      return;
    }
    follow(e, l4, OUT_SIDE);
  } else if (protocol !== UDP && protocol !== ICMP && protocol !== TCP) {
    puti32(e + E_SENT, i32at(NOW_AT));
  }
  restart(e);
}

/** A packet of side 1. It prolongs no flow in which side 0 has not sent. */
export function useInbound(packet: i32, e: i32, protocol: i32): void {
  const l4: i32 = i32at(packet + PACKET_L4);
  const flags: i32 = get8(e + E_FLAGS);
  if (i32at(PROBE_AT) !== 0) return;
  if ((flags & ENTRY_HEARD) === 0) noteSide(e, ENTRY_HEARD);
  if (protocol === TCP && l4 !== 0 && isPlain(e, l4) === 0) {
    trackTcp(e, packet, INBOUND);
  } else if ((flags & ENTRY_SENT) !== 0) {
    if (protocol === TCP && l4 !== 0) follow(e, l4, IN_SIDE);
    restart(e);
  }
}

/** Whether a segment changes no state: ACK alone of FIN, SYN, RST and ACK, in an established connection. */
function isPlain(e: i32, l4: i32): i32 {
  return (get8(l4 + TCP_FLAGS) & TCP_STATE_MASK) === TCP_ACK && get8(e + E_STATE) === STATE_ESTABLISHED
    ? 1
    : 0;
}

function restart(e: i32): void {
  puti32(e + E_EXPIRES, (i32at(NOW_AT) + i32at(PARAMETERS_AT + 4 * get8(e + E_TIMER))) | 0);
}

/** Notes that a packet is a flow's, sent by a side, and counts it there. One that has begun it brings the mark that rules have given it. */
export function noteFlow(packet: i32, e: i32, side: i32): void {
  puti32(packet + PACKET_FLOW, e | side);
  if ((i32at(packet + PACKET_FLAGS) & FLAG_FLOW_MARKED) !== 0)
    setFlowMark(e, i32at(packet + PACKET_FLOW_MARK));
  if (i32at(PROBE_AT) !== 0) {
    noteEnds(packet);
    if (e !== PROBE_FLOW) met(NOTE_FLOW);
    return;
  }
  const counts: i32 = e + E_COUNTS + side * COUNTS_BYTES;
  const rules: i32 = i32at(RULE_HOOKS_AT);
  if (rules !== 0) foldSide(e, side, counts);
  puti32(counts + COUNT_PACKETS, (i32at(counts + COUNT_PACKETS) + 1) | 0);
  puti32(counts + COUNT_BYTES, (i32at(counts + COUNT_BYTES) + i32at(packet + PACKET_LENGTH)) | 0);
  // What goes this way is counted by the rules themselves.
  if (rules !== 0) noteFolded(e, side, counts);
}
