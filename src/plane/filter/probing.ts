// What steps do of a made-up packet in the place of what would stay (PROBE_AT; src/plane/filter/probe.ts).

import { PROBE_AT } from '../../base/cells.ts';
import { get32, i32at, puti32, putu16 } from '../../base/memory.ts';
import {
  DROP_FIRST,
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IP,
  PACKET_L4,
  PACKET_OUT,
  PASS,
  PUNT,
} from '../../base/packet.ts';
import {
  NOTE_FLOW,
  PROBE_MET_AT,
  PROBE_MOST,
  PROBE_NOW_DESTINATION,
  PROBE_NOW_PORTS,
  PROBE_NOW_SOURCE,
  PROBE_OUT,
  PROBE_PORTS,
  PROBE_PROTOCOL,
  PROBE_VERDICT,
} from '../../base/probe-record.ts';
import { ICMP_IDENTIFIER } from '../../wire/icmp.ts';
import { IP_DESTINATION, IP_SOURCE, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';

/** It has met a rule, a policy or something else that leads it: PROBE_MET_AT has what. */
export function met(what: i32): void {
  const before: i32 = i32at(PROBE_AT) - 1;
  if (before >= PROBE_MOST) return;
  putu16(PROBE_MET_AT + 2 * before, what);
  puti32(PROBE_AT, before + 2);
}

/** Notes its ends as it stands. */
export function noteEnds(packet: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = i32at(PROBE_PROTOCOL);
  const l4: i32 = i32at(packet + PACKET_L4);
  let ports: i32 = i32at(PROBE_PORTS);
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) ports = get32(l4);
  else if (protocol === PROTOCOL_ICMP) ports = get32(l4 + ICMP_IDENTIFIER) & ~0xffff;
  puti32(PROBE_NOW_SOURCE, get32(ip + IP_SOURCE));
  puti32(PROBE_NOW_DESTINATION, get32(ip + IP_DESTINATION));
  puti32(PROBE_NOW_PORTS, ports);
}

/** The end of its way: PASS, PUNT, LOCAL (it is answered), or the reason to drop it. */
export function settle(packet: i32, verdict: i32): void {
  puti32(PROBE_VERDICT, verdict);
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) {
    // Of errors nothing is noted in the flow that they are about, so nothing has been said of it yet.
    if (i32at(packet + PACKET_FLOW) !== 0) met(NOTE_FLOW);
    if (verdict === PASS || verdict === PUNT) noteEnds(packet);
  }
  if (verdict < DROP_FIRST) puti32(PROBE_OUT, i32at(packet + PACKET_OUT));
}
