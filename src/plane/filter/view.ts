// The packet in the view (src/base/rule-state.ts): what rules are asked about it, filled in before the first chain; and its state, as
// Linux's connection tracking has it.
//
//    ESTABLISHED  of a flow of which the other side has sent
//    NEW          that begins a flow, or of one of which this side alone has sent
//    RELATED      an ICMP error about a packet of a flow; what the router itself says of a packet that it refuses
//    INVALID      TCP flags that no segment has; what cannot begin a flow and is of none; an error about no flow
// Not here: who asks (hooks.ts), what a flow's path is (paths.ts).

import { PROBE_AT } from '../../base/cells.ts';
import {
  COUNT_PACKETS,
  COUNTS_BYTES,
  E_BEGUN,
  E_COUNTS,
  E_FLAGS,
  E_INSIDE,
  E_OUTSIDE,
  E_PROTOCOL,
  ENTRY_ANSWERED,
  ENTRY_FORWARD,
  ENTRY_HEARD,
  ENTRY_SENT,
  isLedOwn,
  isRouted,
  TUPLE_BYTES,
  TUPLE_DESTINATION,
  TUPLE_PORTS,
  TUPLE_SOURCE,
} from '../../base/flow-record.ts';
import { MASQUERADE_AT } from '../../base/limits.ts';
import { get8, get32, i32at, puti32, u16at } from '../../base/memory.ts';
import {
  FLAG_DESTINATION_TRANSLATED,
  FLAG_ICMP_ERROR,
  FLAG_MARKED,
  FLAG_SOURCE_TRANSLATED,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_LENGTH,
  PACKET_MARK,
  PACKET_PORTS,
} from '../../base/packet.ts';
import { PROBE_STATE } from '../../base/probe-record.ts';
import { RULE_LINKS_AT } from '../../base/rule-limits.ts';
import {
  STATE_BIT_DNAT,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_RELATED,
  STATE_BIT_SNAT,
} from '../../base/rule-record.ts';
import {
  OLD_ANSWER_AT,
  VIEW_BYTES,
  VIEW_DESTINATION,
  VIEW_FLOW,
  VIEW_IN,
  VIEW_IN_LINK,
  VIEW_KIND,
  VIEW_MARK,
  VIEW_OUT,
  VIEW_OUT_LINK,
  VIEW_PACKET,
  VIEW_PATH,
  VIEW_PORTS,
  VIEW_PROTOCOL,
  VIEW_SOURCE,
  VIEW_STATE,
  VIEW_TTL,
} from '../../base/rule-state.ts';
import {
  IP_DESTINATION,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../wire/ipv4.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_STATE_MASK, TCP_SYN } from '../../wire/tcp.ts';
import { findTuple, isTurned } from '../flow/flow-table.ts';
import { errorFlow } from '../flow/icmp-translate.ts';
import { KNOWN_NONE } from '../flow/known-flow.ts';
import { queryOf } from '../flow/queries.ts';
import { CONTEXT_KIND } from '../ip/fragment-context.ts';
import { kindOf } from './kind.ts';
import { isSweeping, NO_PATH } from './paths.ts';

const FLAGS_TRANSLATED: i32 = FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED;
const TCP_URG: i32 = 32;

/** Which names mean a link, -1 for none. */
function namesOf(link: i32): i32 {
  return link < 0 ? 0 : i32at(RULE_LINKS_AT + 4 * link);
}

/** Fills in the packet that came in by a link and leaves by another (-1: none), as it stands. */
export function look(packet: i32, came: i32, out: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const context: i32 = i32at(packet + PACKET_CONTEXT);
  puti32(VIEW_PACKET, packet);
  puti32(VIEW_IN_LINK, came);
  puti32(VIEW_OUT_LINK, out);
  puti32(VIEW_IN, namesOf(came));
  puti32(VIEW_OUT, namesOf(out));
  puti32(VIEW_SOURCE, get32(ip + IP_SOURCE));
  puti32(VIEW_DESTINATION, get32(ip + IP_DESTINATION));
  puti32(VIEW_PORTS, i32at(packet + PACKET_PORTS));
  puti32(VIEW_PROTOCOL, get8(ip + IP_PROTOCOL));
  puti32(VIEW_KIND, context !== 0 ? i32at(context + CONTEXT_KIND) : kindOf(packet));
  puti32(VIEW_BYTES, i32at(packet + PACKET_LENGTH));
  puti32(VIEW_TTL, get8(ip + IP_TTL));
  if ((i32at(packet + PACKET_FLAGS) & FLAG_MARKED) === 0) puti32(packet + PACKET_MARK, 0);
  puti32(VIEW_MARK, i32at(packet + PACKET_MARK));
  puti32(OLD_ANSWER_AT, 0);
  const flow: i32 = flowOf(packet);
  puti32(VIEW_FLOW, flow);
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  if (flow !== 0 && (flags & (FLAG_DESTINATION_TRANSLATED | FLAG_ICMP_ERROR)) === FLAG_DESTINATION_TRANSLATED)
    lookTranslated(flow & ~1, flow & 1);
  // Who sends an error about a turned flow is one of its ends, or as good as one: its own address is gone.
  else if (flow !== 0 && (flags & FLAGS_TRANSLATED) === FLAGS_TRANSLATED)
    puti32(VIEW_SOURCE, i32at((flow & ~1) + (flow & 1) * TUPLE_BYTES + TUPLE_SOURCE));
  const state: i32 = stateOf(packet, flow);
  // Whoever is refused before there is a flow is told so even where only what is RELATED may leave.
  puti32(VIEW_STATE, came < 0 && state === STATE_BIT_INVALID ? STATE_BIT_RELATED : state);
  puti32(VIEW_PATH, keepsPath(packet, flow) !== 0 ? 0 : NO_PATH);
  if (i32at(PROBE_AT) === 0) return;
  puti32(VIEW_PATH, NO_PATH);
  if (i32at(PROBE_STATE) !== 0) puti32(VIEW_STATE, i32at(PROBE_STATE));
}

/** The packet in the view leaves by that link. */
export function lookOut(out: i32): void {
  puti32(VIEW_OUT, namesOf(out));
  puti32(VIEW_OUT_LINK, out);
}

/** The packet in the view has got that destination. */
export function lookLed(to: i32, port: i32): void {
  puti32(VIEW_DESTINATION, to);
  puti32(VIEW_PORTS, (i32at(VIEW_PORTS) & ~0xffff) | port);
}

/** Of a packet that is translated already: the source that it came with, and the destination that it leaves with. */
function lookTranslated(e: i32, side: i32): void {
  const tuple: i32 = e + side * TUPLE_BYTES;
  const other: i32 = e + TUPLE_BYTES - side * TUPLE_BYTES;
  puti32(VIEW_SOURCE, i32at(tuple + TUPLE_SOURCE));
  puti32(VIEW_DESTINATION, i32at(other + TUPLE_SOURCE));
  puti32(VIEW_PORTS, (i32at(tuple + TUPLE_PORTS) & ~0xffff) | (i32at(other + TUPLE_PORTS) >>> 16));
}

/** The packet in the view as it came: by its flow, or, where it is of none, as it stands. */
export function lookAsCame(): void {
  const flow: i32 = i32at(VIEW_FLOW);
  const packet: i32 = i32at(VIEW_PACKET);
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  if ((flags & FLAG_ICMP_ERROR) !== 0) {
    // It came to the address that its flow has there.
    if (flow !== 0 && (flags & FLAG_DESTINATION_TRANSLATED) !== 0)
      puti32(VIEW_DESTINATION, i32at((flow & ~1) + (flow & 1) * TUPLE_BYTES + TUPLE_DESTINATION));
    return;
  }
  if (flow === 0) {
    puti32(VIEW_SOURCE, get32(packet + PACKET_IP + IP_SOURCE));
    puti32(VIEW_DESTINATION, get32(packet + PACKET_IP + IP_DESTINATION));
    puti32(VIEW_PORTS, i32at(packet + PACKET_PORTS));
    return;
  }
  const tuple: i32 = (flow & ~1) + (flow & 1) * TUPLE_BYTES;
  puti32(VIEW_SOURCE, i32at(tuple + TUPLE_SOURCE));
  puti32(VIEW_DESTINATION, i32at(tuple + TUPLE_DESTINATION));
  puti32(VIEW_PORTS, i32at(tuple + TUPLE_PORTS));
}

/** The flow of a packet, and its side; or 0. Of an ICMP error the flow that it is about. */
function flowOf(packet: i32): i32 {
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  if ((flags & FLAG_DESTINATION_TRANSLATED) !== 0) return i32at(packet + PACKET_FLOW);
  // One of the router's own about what it has let in is as its receiver knows it, and says no more whose it is.
  if ((flags & FLAG_ICMP_ERROR) !== 0)
    return (flags & FLAG_SOURCE_TRANSLATED) !== 0 ? i32at(packet + PACKET_FLOW) : errorFlow(packet);
  const known: i32 = i32at(packet + PACKET_KNOWN);
  if (known >= MASQUERADE_AT) return known;
  if (known === KNOWN_NONE) return 0;
  return findTuple(i32at(VIEW_SOURCE), i32at(VIEW_DESTINATION), i32at(VIEW_PORTS), i32at(VIEW_PROTOCOL));
}

/** STATE_BIT_* of the packet in the view. */
function stateOf(packet: i32, flow: i32): i32 {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0)
    return flow !== 0 ? STATE_BIT_RELATED | translationOf(flow) : STATE_BIT_INVALID;
  const protocol: i32 = i32at(VIEW_PROTOCOL);
  const kind: i32 = i32at(VIEW_KIND);
  if (protocol === PROTOCOL_TCP && kind >= 0 && isSegment(kind) === 0) return STATE_BIT_INVALID;
  if (flow !== 0) {
    const others: i32 = (flow & 1) === 0 ? ENTRY_HEARD : ENTRY_SENT;
    const e: i32 = flow & ~1;
    const isAnswered: i32 = (get8(e + E_FLAGS) & others) !== 0 ? 1 : 0;
    return (isAnswered !== 0 ? STATE_BIT_ESTABLISHED : STATE_BIT_NEW) | translationOf(flow);
  }
  return begins(protocol, kind) !== 0 ? STATE_BIT_NEW : STATE_BIT_INVALID;
}

function translationOf(flow: i32): i32 {
  const e: i32 = flow & ~1;
  if (isRouted(e) !== 0) return 0;
  if (isTurned(e) !== 0) {
    // Of the first packet the source is changed when it leaves. One of the router's own is of no flow then.
    const first: i32 = u16at(e + E_BEGUN) !== 0 ? 0 : 1;
    const isOne: i32 =
      (flow & 1) === first &&
      i32at(e + E_COUNTS + first * COUNTS_BYTES + COUNT_PACKETS) === 1 &&
      isLedOwn(e) === 0
        ? 1
        : 0;
    const isSource: i32 = isOne === 0 && i32at(e + E_OUTSIDE) !== i32at(e + E_INSIDE) ? STATE_BIT_SNAT : 0;
    return STATE_BIT_DNAT | isSource;
  }
  return (get8(e + E_FLAGS) & ENTRY_FORWARD) !== 0 && u16at(e + E_BEGUN) === 0
    ? STATE_BIT_DNAT
    : STATE_BIT_SNAT;
}

/** Whether a segment has flags that one may have (RFC 9293, section 3.10). */
function isSegment(flags: i32): i32 {
  const control: i32 = flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
  const urgent: i32 = flags & TCP_URG;
  if (control === TCP_SYN || control === TCP_ACK || control === (TCP_FIN | TCP_ACK)) return 1;
  if (urgent !== 0) return 0;
  return control === (TCP_SYN | TCP_ACK) || control === TCP_RST || control === (TCP_RST | TCP_ACK) ? 1 : 0;
}

/** Whether such a packet may begin a flow: a SYN, or an ACK in the middle of a connection; a query. */
function begins(protocol: i32, kind: i32): i32 {
  if (kind < 0) return 1;
  if (protocol === PROTOCOL_ICMP) return queryOf(kind >> 8) !== 0 ? 1 : 0;
  const control: i32 = kind & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
  return control === TCP_SYN || control === TCP_ACK ? 1 : 0;
}

/** Whether the flow's next packets of this side may go the short way, and so need the path of this one. */
function keepsPath(packet: i32, flow: i32): i32 {
  const protocol: i32 = i32at(VIEW_PROTOCOL);
  if (flow === 0 || (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP)) return 0;
  // What a segment that opens or ends meets is none of the plain ones', which alone go the short way.
  if (protocol === PROTOCOL_TCP && (i32at(VIEW_KIND) & TCP_STATE_MASK) !== TCP_ACK) return 0;
  if (i32at(packet + PACKET_CONTEXT) !== 0 || (i32at(VIEW_STATE) & STATE_BIT_ESTABLISHED) === 0) return 0;
  const e: i32 = flow & ~1;
  return (get8(e + E_FLAGS) & ENTRY_ANSWERED) === ENTRY_ANSWERED &&
    get8(e + E_PROTOCOL) === protocol &&
    isSweeping() === 0
    ? 1
    : 0;
}
