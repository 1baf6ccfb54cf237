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
// An RST, a FIN or a SYN,ACK that is not where the session is, changes nothing (RFC 7857, section 2.2; tcp-window.ts). It
// is passed on all the same: the host knows its window to the byte and judges better than we.
//
// Ageing: each tick visits a slice of the entries, so that all are visited about once a second; entries end
// up to a second late. Only as far as the highest entry in use, for a small network pays little. The visit
// also puts entries used since the last one to the end of their list, see flow-admission.ts.

import { NOW_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import { COUNT_MASQUERADE_EXPIRED, count } from '../../base/counters.ts';
import {
  ADDRESS_SHIFT,
  ADDRESSES_AT,
  ALIASED,
  CURSOR_AT,
  E_ADDRESS,
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
  HIGHEST_AT,
  HIGHEST_SEEN_AT,
  isLost,
} from '../../base/flow-record.ts';
import {
  MASQUERADE_BYTES,
  MASQUERADE_END_LIMIT,
  MASQUERADE_REAP_SLICE,
  PARAMETERS_AT,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { get8, get16, get32, i32at, put8, puti32 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_L4 } from '../../base/packet.ts';
import { CLASSIC_ICMP, CLASSIC_UDP, parameter, RFC_ICMP, RFC_UDP } from '../../base/parameters.ts';
import { PROTOCOL_ICMP as ICMP, IP_LENGTH, PROTOCOL_TCP as TCP } from '../../wire/ipv4.ts';
import {
  TCP_ACK,
  TCP_FIN,
  TCP_FLAGS,
  TCP_RST,
  TCP_SEQUENCE,
  TCP_SYN,
  tcpHeaderBytesOf,
} from '../../wire/tcp.ts';
import { foldDue } from '../filter/paths.ts';
import { classify, removeEntry, renew } from './flow-admission.ts';
import { addressesLost, loseAddress } from './masquerade-addresses.ts';
import { tcpClassicBegins, tcpClassicNext, tcpClassicTimer } from './tcp-classic.ts';
import {
  DATA_FRESH,
  DATA_NEAR,
  INBOUND,
  OUTBOUND,
  RFC_ESTABLISHED,
  RFC_INIT_OUT,
  RFC_TRANS,
  tcpRfcBegins,
  tcpRfcNext,
  tcpRfcOpening,
  tcpRfcTimer,
} from './tcp-rfc.ts';
import {
  finCounts,
  follow,
  IN_SIDE,
  isFresh,
  noteEnd,
  OUT_SIDE,
  pickUp,
  rstCounts,
  synCounts,
} from './tcp-window.ts';

// What placeSegment() answers, beside the DATA_* of tcp-rfc.ts.
const PLACED_DATA: i32 = 3;
const PLACED_NEAR: i32 = 4;
const PLACED_FIN: i32 = 8;

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
  const state: i32 = get8(e + E_STATE);
  const classic: i32 = get8(e + E_FLAGS) & ENTRY_CLASSIC;
  let control: i32 = get8(l4 + TCP_FLAGS);
  let data: i32 = 0;
  if ((control & TCP_RST) !== 0) {
    // The state's number 2 is SYN_SENT in both profiles.
    const opening: i32 = state === RFC_INIT_OUT ? 1 : 0;
    if (rstCounts(e, l4, control, sideOf(direction), opening) === 0) return;
  } else if ((control & TCP_SYN) !== 0) {
    const begins: i32 = classic !== 0 ? tcpClassicBegins(state) : tcpRfcBegins(state, direction);
    if (synCounts(e, l4, control, direction, begins) === 0) return;
  } else {
    data = placeSegment(e, packet, l4, control, direction);
    if ((data & PLACED_FIN) === 0) control &= ~TCP_FIN;
    // What comes from outside and is not near keeps no session.
    if ((data & PLACED_NEAR) === 0 && direction === INBOUND) return;
  }
  const next: i32 =
    classic !== 0
      ? tcpClassicNext(state, control, direction)
      : tcpRfcNext(state, control, direction, data & PLACED_DATA);
  put8(e + E_TIMER, classic !== 0 ? tcpClassicTimer(next) : tcpRfcTimer(next));
  if (classic === 0 && tcpRfcOpening(next) !== 0 && tcpRfcOpening(state) === 0) {
    // It starts, or starts over: then it is unanswered again.
    const others: i32 = get8(e + E_FLAGS) & ~ENTRY_ANSWERED;
    put8(e + E_FLAGS, others | (direction === OUTBOUND ? ENTRY_SENT : ENTRY_HEARD));
  }
  put8(e + E_STATE, next);
  if (next !== state) classify(e);
  if (next !== state || (control & TCP_RST) === 0) refresh(e);
}

function sideOf(direction: i32): i32 {
  return direction === OUTBOUND ? OUT_SIDE : IN_SIDE;
}

/** What a segment without SYN and RST is: PLACED_* and DATA_*. Moves the session's numbers if it is near. */
function placeSegment(e: i32, packet: i32, l4: i32, control: i32, direction: i32): i32 {
  if ((control & TCP_ACK) === 0) return 0;
  const side: i32 = sideOf(direction);
  if (direction === OUTBOUND && get8(e + E_STATE) !== RFC_INIT_OUT) pickUp(e, l4);
  const datagramEnd: i32 = packet + PACKET_IP + get16(packet + PACKET_IP + IP_LENGTH);
  const dataBytes: i32 = datagramEnd - l4 - tcpHeaderBytesOf(l4);
  const end: i32 = (get32(l4 + TCP_SEQUENCE) + dataBytes) | 0;
  // Both are asked before the numbers move.
  const fresh: i32 = isFresh(e, side, end);
  const fin: i32 = (control & TCP_FIN) !== 0 ? finCounts(e, l4, side) : 0;
  if (follow(e, l4, side) === 0) return 0;
  let placed: i32 = fin !== 0 ? PLACED_NEAR | PLACED_FIN : PLACED_NEAR;
  if (dataBytes > 0 && (get8(e + E_FLAGS) & ENTRY_ANSWERED) === ENTRY_ANSWERED) {
    placed |= fresh !== 0 ? DATA_FRESH : DATA_NEAR;
  }
  noteEnd(e, side, end);
  return placed;
}

/**
 * Visits the next slice of the table: a hundredth of the entries that may be in use, more while those of a lost
 * address are looked for. It ends at most MASQUERADE_END_LIMIT sessions; what more is due waits for the next tick. Answers
 * how many it has ended.
 */
export function masqueradeTick(): i32 {
  const now: i32 = i32at(NOW_AT);
  const highest: i32 = i32at(HIGHEST_AT);
  const lost: i32 = addressesLost();
  const rules: i32 = i32at(RULE_HOOKS_AT);
  let left: i32 = ((highest / TICKS_PER_SECOND) | 0) + 1;
  if (left < MASQUERADE_REAP_SLICE && lost !== 0) left = MASQUERADE_REAP_SLICE;
  let ends: i32 = MASQUERADE_END_LIMIT;
  let n: i32 = i32at(CURSOR_AT);
  let seen: i32 = 0;
  let e: i32 = entryAt(n + 1);
  for (; left !== 0 && ends !== 0; left--) {
    if (n >= highest) {
      puti32(HIGHEST_AT, seen > i32at(HIGHEST_SEEN_AT) ? seen : i32at(HIGHEST_SEEN_AT));
      puti32(HIGHEST_SEEN_AT, 0);
      seen = 0;
      n = 0;
      break;
    }
    n += 1;
    if (get8(e + E_PROTOCOL) !== 0) {
      seen = n;
      if (rules !== 0) foldDue(e);
      const rest: i32 = (i32at(e + E_EXPIRES) - now) | 0;
      if (lost !== 0 && isLost(e) !== 0) {
        removeEntry(e);
        ends -= 1;
      } else if (rest <= 0) {
        expire(e);
        ends -= 1;
      } else if (((i32at(PARAMETERS_AT + 4 * get8(e + E_TIMER)) - rest) | 0) <= TICKS_PER_SECOND) {
        renew(e);
      }
    }
    e += MASQUERADE_BYTES;
  }
  if (seen > i32at(HIGHEST_SEEN_AT)) puti32(HIGHEST_SEEN_AT, seen);
  puti32(CURSOR_AT, n);
  return MASQUERADE_END_LIMIT - ends;
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

/**
 * Ends the sessions by aliases of a network, from flow number `from` on, counted from 1, some a call: where it goes on, or 0 if that were all. They are
 * accounted together (masquerade-addresses.ts), so they are looked for.
 */
export function aliasEnd(address: i32, mask: i32, from: i32): i32 {
  const highest: i32 = i32at(HIGHEST_AT);
  let n: i32 = from;
  let ends: i32 = MASQUERADE_END_LIMIT;
  for (let left: i32 = MASQUERADE_REAP_SLICE; left !== 0 && ends !== 0 && n <= highest; left--) {
    const e: i32 = entryAt(n);
    const whose: i32 = i32at(ADDRESSES_AT + 4 * (get8(e + E_ADDRESS) >>> ADDRESS_SHIFT));
    if (get8(e + E_PROTOCOL) !== 0 && whose === ALIASED && ((i32at(e + E_OUTSIDE) ^ address) & mask) === 0) {
      removeEntry(e);
      ends -= 1;
    }
    n += 1;
  }
  return n > highest ? 0 : n;
}

/** Ends all sessions. */
export function masqueradeFlush(): void {
  loseAddress(0);
}

/** Ends the sessions that use an outside address which we have lost; the others stay. */
export function masqueradeForgetAddress(address: i32): void {
  if (address !== 0) loseAddress(address);
}
