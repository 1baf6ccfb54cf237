// When a session ends: its timers, what restarts them, and the ageing of the table.
//
// An entry holds the tick at which it ends and the parameter that is its timer; using it stores now + timer.
// What restarts the timer:
// - every outbound packet (RFC 4787, REQ-6), and so every fragment of one;
// - an inbound packet, if the inside has sent in this very session. REQ-6a leaves that open. We do it, for
//   streams that flow only inwards for long (and TCP's timers are about both directions anyway); but a
//   session that only a stranger uses is never prolonged by him, and when he opens it, it ends no later than
//   the session whose filter let him in (masquerade.ts), so he cannot hold a mapping open;
// - not an RST (RFC 7857, sections 2.2 and 7.1: it keeps no session alive), not an ICMP error (RFC 5508,
//   REQ-6), not a packet that the filter refused.
//
// An inbound RST must be near what the inside expects next, or it changes nothing (RFC 7857, section 2.2). It
// is passed on all the same: the host knows its window to the byte and judges better than we. For the check
// we keep the high half of the last acknowledgment number, one 16-bit copy for each outbound segment: a
// blind guess has 18 chances in 65,536. While only our SYN is out, the RST must acknowledge it instead.
//
// Ageing: each tick visits a slice of the entries, so that all are visited about once a second; entries end
// up to a second late. Only as far as the highest entry in use, for a small network pays little. The visit
// also puts entries used since the last one to the end of their list, see masquerade-admission.ts.

import { NOW_AT } from './cells.ts';
import { COUNT_MASQUERADE_EXPIRED, count } from './counters.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP } from './ipv4.ts';
import { MASQUERADE_COUNT, TICKS_PER_SECOND } from './limits.ts';
import { classify, idleTicks, removeEntry, renew } from './masquerade-admission.ts';
import {
  CURSOR_AT,
  E_ACK,
  E_EXPIRES,
  E_FLAGS,
  E_OUTSIDE,
  E_PROTOCOL,
  E_STATE,
  E_TIMER,
  ENTRY_ANSWERED,
  ENTRY_CLASSIC,
  ENTRY_HEARD,
  ENTRY_SENT,
  entryAt,
  FRESH_AT,
  HIGHEST_AT,
  HIGHEST_SEEN_AT,
} from './masquerade-table.ts';
import { get8, get16, i32at, put8, puti32, putu16, u16at } from './memory.ts';
import { PACKET_IP, PACKET_L4 } from './packet.ts';
import { CLASSIC_ICMP, CLASSIC_UDP, parameter, RFC_ICMP, RFC_UDP } from './parameters.ts';
import { tcpClassicNext, tcpClassicTimer } from './tcp-classic.ts';
import {
  INBOUND,
  OUTBOUND,
  RFC_ESTABLISHED,
  RFC_INIT_IN,
  RFC_INIT_OUT,
  RFC_TRANS,
  TCP_ACK,
  TCP_RST,
  TCP_SYN,
  tcpRfcNext,
  tcpRfcOver,
  tcpRfcTimer,
} from './tcp-rfc.ts';

/** Halves of the sequence space that an RST may be ahead of the last acknowledgment: a window of 1 MiB. */
const RST_AHEAD: i32 = 16;

/** Restarts an entry's timer. A session that only the outside uses is not prolonged, but may be cut short. */
export function refresh(e: i32): void {
  const expires: i32 = (i32at(NOW_AT) + parameter(get8(e + E_TIMER))) | 0;
  if ((get8(e + E_FLAGS) & ENTRY_SENT) === 0 && ((i32at(e + E_EXPIRES) - expires) | 0) < 0) return;
  puti32(e + E_EXPIRES, expires);
}

/** Sets the timer of a session that is not TCP. */
export function startTimer(e: i32): void {
  const classic: i32 = get8(e + E_FLAGS) & ENTRY_CLASSIC;
  if (get8(e + E_PROTOCOL) === ICMP) put8(e + E_TIMER, classic !== 0 ? CLASSIC_ICMP : RFC_ICMP);
  else put8(e + E_TIMER, classic !== 0 ? CLASSIC_UDP : RFC_UDP);
  refresh(e);
}

/** Notes that one side (ENTRY_SENT or ENTRY_HEARD) has used the session for the first time. */
export function noteSide(e: i32, side: i32): void {
  put8(e + E_FLAGS, get8(e + E_FLAGS) | side);
  classify(e);
}

/** Lets a TCP segment change its session's state and timer. For first segments and all that are no mere ACK. */
export function trackTcp(e: i32, packet: i32, direction: i32): void {
  const l4: i32 = i32at(packet + PACKET_L4);
  const control: i32 = get8(l4 + 13);
  const state: i32 = get8(e + E_STATE);
  if ((control & TCP_RST) !== 0 && direction === INBOUND && rstBelongs(e, l4, control, state) === 0) return;
  let next: i32 = state;
  if ((get8(e + E_FLAGS) & ENTRY_CLASSIC) !== 0) {
    next = tcpClassicNext(state, control, direction);
    put8(e + E_TIMER, tcpClassicTimer(next));
  } else {
    next = tcpRfcNext(state, control, direction, answeredData(e, packet, l4));
    put8(e + E_TIMER, tcpRfcTimer(next));
    if ((next === RFC_INIT_OUT || next === RFC_INIT_IN) && tcpRfcOver(state) !== 0) {
      // It starts over, so it is unanswered again.
      const both: i32 = get8(e + E_FLAGS) & ~ENTRY_ANSWERED;
      put8(e + E_FLAGS, both | (direction === OUTBOUND ? ENTRY_SENT : ENTRY_HEARD));
    }
  }
  put8(e + E_STATE, next);
  noteSequence(e, l4, control, direction, state, next);
  if (next !== state) classify(e);
  if (next !== state || (control & TCP_RST) === 0) refresh(e);
}

/** Remembers what an inbound RST is compared with. A SYN that opens nothing is a repeated or a forged one. */
function noteSequence(e: i32, l4: i32, control: i32, direction: i32, before: i32, state: i32): void {
  if (direction === INBOUND) {
    if ((control & TCP_SYN) !== 0 && state !== before) putu16(e + E_ACK, get16(l4 + 4));
  } else if (state === RFC_INIT_OUT) {
    if ((control & TCP_SYN) !== 0) putu16(e + E_ACK, get16(l4 + 4));
  } else if ((control & TCP_ACK) !== 0) {
    putu16(e + E_ACK, get16(l4 + 8));
  }
}

/** Whether an inbound RST may be the remote host's. The state's number 2 is SYN_SENT in both profiles. */
function rstBelongs(e: i32, l4: i32, control: i32, state: i32): i32 {
  const expected: i32 = u16at(e + E_ACK);
  if (state === RFC_INIT_OUT) {
    if ((control & TCP_ACK) === 0) return 0;
    return ((get16(l4 + 8) - expected) & 0xffff) <= 1 ? 1 : 0;
  }
  return ((get16(l4 + 4) - expected + 1) & 0xffff) <= RST_AHEAD + 1 ? 1 : 0;
}

/** 1 if the segment brings data and both sides have used the session. */
function answeredData(e: i32, packet: i32, l4: i32): i32 {
  if ((get8(e + E_FLAGS) & ENTRY_ANSWERED) !== ENTRY_ANSWERED) return 0;
  const end: i32 = packet + PACKET_IP + get16(packet + PACKET_IP + 2);
  return l4 + ((get8(l4 + 12) >>> 4) << 2) < end ? 1 : 0;
}

/** Visits the next slice of the table. A slice is a hundredth of the entries that may be in use. */
export function masqueradeTick(): void {
  const now: i32 = i32at(NOW_AT);
  const highest: i32 = i32at(HIGHEST_AT);
  let n: i32 = i32at(CURSOR_AT);
  for (let left: i32 = ((highest / TICKS_PER_SECOND) | 0) + 1; left !== 0; left--) {
    if (n >= highest) {
      puti32(HIGHEST_AT, i32at(HIGHEST_SEEN_AT));
      puti32(HIGHEST_SEEN_AT, 0);
      n = 0;
      break;
    }
    n += 1;
    const e: i32 = entryAt(n);
    if (get8(e + E_PROTOCOL) === 0) continue;
    puti32(HIGHEST_SEEN_AT, n);
    if (((i32at(e + E_EXPIRES) - now) | 0) <= 0) expire(e);
    else if (idleTicks(e) <= TICKS_PER_SECOND) renew(e);
  }
  puti32(CURSOR_AT, n);
}

/** Ends a session whose time is over; an established one passes through TRANS (RFC 7857, section 2, Figure 1). */
function expire(e: i32): void {
  const rfc: i32 = (get8(e + E_FLAGS) & ENTRY_CLASSIC) === 0 ? 1 : 0;
  if (rfc !== 0 && get8(e + E_PROTOCOL) === TCP && get8(e + E_STATE) === RFC_ESTABLISHED) {
    put8(e + E_STATE, RFC_TRANS);
    put8(e + E_TIMER, tcpRfcTimer(RFC_TRANS));
    refresh(e);
    classify(e);
    return;
  }
  removeEntry(e);
  count(COUNT_MASQUERADE_EXPIRED);
}

/** Ends all sessions. */
export function masqueradeFlush(): void {
  for (let n: i32 = 1; n <= MASQUERADE_COUNT; n++) {
    if (n > i32at(FRESH_AT)) return;
    const e: i32 = entryAt(n);
    if (get8(e + E_PROTOCOL) !== 0) removeEntry(e);
  }
}

/** Ends the sessions that use an outside address which we have lost; the others stay. */
export function masqueradeForgetAddress(address: i32): void {
  for (let n: i32 = 1; n <= MASQUERADE_COUNT; n++) {
    if (n > i32at(FRESH_AT)) return;
    const e: i32 = entryAt(n);
    if (get8(e + E_PROTOCOL) !== 0 && i32at(e + E_OUTSIDE) === address) removeEntry(e);
  }
}
