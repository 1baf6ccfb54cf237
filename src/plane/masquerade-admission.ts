// Who gets an entry, and who gives one when the table is full. Inside hosts' shares.
//
// Every entry in use is of one class. Three of them are lists, the one that may go first at the front:
//
//    UNANSWERED   one side only has sent, or SYN   one list
//    CLOSED       TCP connections that are over    one list
//    IDLE         answered, not TCP (UDP, ICMP)    one list for each inside host
//    ESTABLISHED  TCP connections                  no list: they never go for another's sake
//
// A new session is unanswered by nature, so no established connection is ever evicted. In this order:
// 1. A free entry, but the last MASQUERADE_RESERVE only for a host that holds less than its share.
// 2. The oldest unanswered entry, among the MASQUERADE_EVICT_WINDOW oldest rather one whose host is over its
//    share. A host that is over its own share gets only such a one: it cannot push out the others.
// 3. The oldest closed one, for whoever asks.
// 4. If the asking host is within its share: the oldest idle session (unused for MASQUERADE_IDLE_SECONDS) of
//    the host that holds the most, if that is over its share.
// 5. Refused: DROP_HOST_SHARE if the asking host is over its share, else DROP_TABLE_FULL.
// A session that a stranger opens from outside may only take a free entry above the reserve, or that of
// another stranger's unanswered one: nothing that comes from outside pushes out what the inside has begun.
//
// A host's share is the table without the reserve, divided by the hosts that have an answered session: hosts
// that only send, such as forged source addresses, do not make the others' shares smaller.
//
// Cost: all constant, at most EVICT_WINDOW entries looked at for each list; step 4 looks through all
// HOST_COUNT records, but only once a tick, and remembers whom it found. Lists are ordered by the time of
// entering them, and corrected by the ageing tick, which moves entries used since its last visit to the end
// (masquerade-timeout.ts): the packet path never touches a link, and the order is right to about a second.
//
// A host's record:  0 address | 4 entries | 8 answered entries | 12 first, last of its idle list

import { NOW_AT } from './cells.ts';
import {
  COUNT_EVICTED_CLOSED,
  COUNT_EVICTED_SHARE,
  COUNT_EVICTED_UNANSWERED,
  count,
  DROP_HOST_SHARE,
  DROP_TABLE_FULL,
} from './counters.ts';
import { PROTOCOL_TCP as TCP } from './ipv4.ts';
import {
  HOST_BYTES,
  HOST_COUNT,
  HOST_PROBES,
  HOSTS_AT,
  MASQUERADE_COUNT,
  MASQUERADE_EVICT_WINDOW,
  MASQUERADE_IDLE_SECONDS,
  MASQUERADE_RESERVE,
  TICKS_PER_SECOND,
} from './limits.ts';
import {
  CLOSED_AT,
  E_CLASS,
  E_EXPIRES,
  E_FLAGS,
  E_HOST,
  E_LIST_NEXT,
  E_LIST_PREVIOUS,
  E_PROTOCOL,
  E_STATE,
  E_TIMER,
  ENTRY_ANSWERED,
  ENTRY_CLASSIC,
  ENTRY_SENT,
  entryAt,
  GREEDIEST_AT,
  GREEDIEST_TICK_AT,
  giveFree,
  HOSTS_ANSWERED_AT,
  IN_USE_AT,
  numberOf,
  takeFree,
  UNANSWERED_AT,
  unlink,
} from './masquerade-table.ts';
import { get8, i32at, put8, puti32, putu16, u16at } from './memory.ts';
import { parameter } from './parameters.ts';
import { tcpClassicOpening, tcpClassicOver } from './tcp-classic.ts';
import { tcpRfcOpening, tcpRfcOver } from './tcp-rfc.ts';

export const CLASS_ESTABLISHED: i32 = 0;
export const CLASS_UNANSWERED: i32 = 1;
export const CLASS_CLOSED: i32 = 2;
export const CLASS_IDLE: i32 = 3;

export const H_ADDRESS: i32 = 0;
export const H_ENTRIES: i32 = 4;
export const H_ANSWERED: i32 = 8;
export const H_IDLE: i32 = 12;

/** The record that hosts share which found none of their own. */
export const HOST_OTHERS: i32 = 0;

/** Address of a host's record. */
export function hostAt(index: i32): i32 {
  return HOSTS_AT + index * HOST_BYTES;
}

/**
 * Gives an entry for a session of the inside host `inside`, which the outside has opened if `stranger`: its
 * address, all zero but for the host. Or the reason of the drop.
 */
export function admit(inside: i32, stranger: i32): i32 {
  const host: i32 = hostFor(inside);
  const free: i32 = MASQUERADE_COUNT - i32at(IN_USE_AT);
  const over: i32 = overShare(host, 1);
  if (free <= MASQUERADE_RESERVE && (free === 0 || over !== 0 || stranger !== 0)) {
    const reason: i32 = stranger !== 0 ? evictStranger() : evict(over);
    if (reason !== 0) return reason;
  }
  const e: i32 = takeFree();
  put8(e + E_HOST, host);
  const record: i32 = hostAt(host);
  puti32(record + H_ENTRIES, i32at(record + H_ENTRIES) + 1);
  put8(e + E_CLASS, CLASS_UNANSWERED);
  append(UNANSWERED_AT, e);
  return e;
}

/** Ends a session: out of its list, ring and chains. */
export function removeEntry(e: i32): void {
  leaveClass(e);
  const record: i32 = hostAt(get8(e + E_HOST));
  puti32(record + H_ENTRIES, i32at(record + H_ENTRIES) - 1);
  unlink(e);
  giveFree(e);
}

/** Moves an entry to the list of its class, if state or flags have made it another. */
export function classify(e: i32): void {
  const class_: i32 = classOf(e);
  if (class_ === get8(e + E_CLASS)) return;
  leaveClass(e);
  put8(e + E_CLASS, class_);
  const list: i32 = listOf(e);
  if (list !== 0) append(list, e);
  if (class_ === CLASS_UNANSWERED) return;
  const record: i32 = hostAt(get8(e + E_HOST));
  const answered: i32 = i32at(record + H_ANSWERED);
  puti32(record + H_ANSWERED, answered + 1);
  if (answered === 0) puti32(HOSTS_ANSWERED_AT, i32at(HOSTS_ANSWERED_AT) + 1);
}

/** Moves an entry to the end of its list: it has been used. */
export function renew(e: i32): void {
  const list: i32 = listOf(e);
  if (list === 0 || u16at(list + 2) === numberOf(e)) return;
  detach(list, e);
  append(list, e);
}

export function classOf(e: i32): i32 {
  const flags: i32 = get8(e + E_FLAGS);
  if ((flags & ENTRY_ANSWERED) !== ENTRY_ANSWERED) return CLASS_UNANSWERED;
  if (get8(e + E_PROTOCOL) !== TCP) return CLASS_IDLE;
  const state: i32 = get8(e + E_STATE);
  const classic: i32 = flags & ENTRY_CLASSIC;
  // A forged segment may have come back before the SYN was answered: the state says what is true.
  if ((classic !== 0 ? tcpClassicOpening(state) : tcpRfcOpening(state)) !== 0) return CLASS_UNANSWERED;
  return (classic !== 0 ? tcpClassicOver(state) : tcpRfcOver(state)) !== 0 ? CLASS_CLOSED : CLASS_ESTABLISHED;
}

/** Ticks since the session was last used. */
export function idleTicks(e: i32): i32 {
  return (i32at(NOW_AT) - (i32at(e + E_EXPIRES) - parameter(get8(e + E_TIMER)))) | 0;
}

/** Address of the list that an entry is in, or 0. */
export function listOf(e: i32): i32 {
  const class_: i32 = get8(e + E_CLASS);
  if (class_ === CLASS_UNANSWERED) return UNANSWERED_AT;
  if (class_ === CLASS_CLOSED) return CLOSED_AT;
  return class_ === CLASS_IDLE ? hostAt(get8(e + E_HOST)) + H_IDLE : 0;
}

/** Entries that each host may have when the table is full. */
export function share(): i32 {
  const hosts: i32 = i32at(HOSTS_ANSWERED_AT);
  const all: i32 = MASQUERADE_COUNT - MASQUERADE_RESERVE;
  return hosts < 2 ? all : (all / hosts) | 0;
}

/** 1 if a host with `more` entries more than now would be over its share. */
function overShare(host: i32, more: i32): i32 {
  return i32at(hostAt(host) + H_ENTRIES) + more > share() ? 1 : 0;
}

/** Makes room for a host of the inside: 0, or the reason why there is none. */
function evict(over: i32): i32 {
  let n: i32 = u16at(UNANSWERED_AT);
  let victim: i32 = over !== 0 || n === 0 ? 0 : entryAt(n);
  for (let i: i32 = 0; n !== 0 && i < MASQUERADE_EVICT_WINDOW; i++) {
    const e: i32 = entryAt(n);
    if (overShare(get8(e + E_HOST), 1) !== 0) {
      victim = e;
      break;
    }
    n = u16at(e + E_LIST_NEXT);
  }
  if (victim !== 0) {
    removeEntry(victim);
    count(COUNT_EVICTED_UNANSWERED);
    return 0;
  }
  n = u16at(CLOSED_AT);
  if (n !== 0) {
    removeEntry(entryAt(n));
    count(COUNT_EVICTED_CLOSED);
    return 0;
  }
  if (over !== 0) return DROP_HOST_SHARE;
  victim = idleOfGreediest();
  if (victim === 0) return DROP_TABLE_FULL;
  removeEntry(victim);
  count(COUNT_EVICTED_SHARE);
  return 0;
}

/** Makes room for a session opened from outside, at the cost of another such: 0, or the reason. */
function evictStranger(): i32 {
  let n: i32 = u16at(UNANSWERED_AT);
  for (let i: i32 = 0; n !== 0 && i < MASQUERADE_EVICT_WINDOW; i++) {
    const e: i32 = entryAt(n);
    if ((get8(e + E_FLAGS) & ENTRY_SENT) === 0) {
      removeEntry(e);
      count(COUNT_EVICTED_UNANSWERED);
      return 0;
    }
    n = u16at(e + E_LIST_NEXT);
  }
  return DROP_TABLE_FULL;
}

/** The longest idle session of the host that holds the most, or 0 if nobody is over the share or idle. */
function idleOfGreediest(): i32 {
  const now: i32 = i32at(NOW_AT);
  if (overShare(i32at(GREEDIEST_AT), 0) === 0 && i32at(GREEDIEST_TICK_AT) !== now) {
    puti32(GREEDIEST_TICK_AT, now);
    let most: i32 = 0;
    for (let i: i32 = 1; i < HOST_COUNT; i++) {
      if (i32at(hostAt(i) + H_ENTRIES) > i32at(hostAt(most) + H_ENTRIES)) most = i;
    }
    puti32(GREEDIEST_AT, most);
  }
  const host: i32 = i32at(GREEDIEST_AT);
  if (overShare(host, 0) === 0) return 0;
  let n: i32 = u16at(hostAt(host) + H_IDLE);
  for (let i: i32 = 0; n !== 0 && i < MASQUERADE_EVICT_WINDOW; i++) {
    const e: i32 = entryAt(n);
    if (idleTicks(e) >= MASQUERADE_IDLE_SECONDS * TICKS_PER_SECOND) return e;
    n = u16at(e + E_LIST_NEXT);
  }
  return 0;
}

/** The record of an inside host: its own, a free one that it gets, or the common one. */
function hostFor(address: i32): i32 {
  // The hosts of one /24 all have different low bytes, so each of them finds its own slot at once.
  const start: i32 = (address ^ (address >>> 8)) & 255;
  let free: i32 = HOST_OTHERS;
  for (let i: i32 = 0; i < HOST_PROBES; i++) {
    const host: i32 = 1 + ((start + i) % (HOST_COUNT - 1));
    const record: i32 = hostAt(host);
    if (i32at(record + H_ENTRIES) === 0) {
      if (free === HOST_OTHERS) free = host;
    } else if (i32at(record + H_ADDRESS) === address) {
      return host;
    }
  }
  if (free !== HOST_OTHERS) puti32(hostAt(free) + H_ADDRESS, address);
  return free;
}

function leaveClass(e: i32): void {
  const list: i32 = listOf(e);
  if (list !== 0) detach(list, e);
  if (get8(e + E_CLASS) === CLASS_UNANSWERED) return;
  const record: i32 = hostAt(get8(e + E_HOST));
  const answered: i32 = i32at(record + H_ANSWERED) - 1;
  puti32(record + H_ANSWERED, answered);
  if (answered === 0) puti32(HOSTS_ANSWERED_AT, i32at(HOSTS_ANSWERED_AT) - 1);
}

// Lists: first and last (u16) at `list`, linked both ways.

function append(list: i32, e: i32): void {
  const n: i32 = numberOf(e);
  const last: i32 = u16at(list + 2);
  putu16(e + E_LIST_NEXT, 0);
  putu16(e + E_LIST_PREVIOUS, last);
  putu16(list + 2, n);
  if (last === 0) putu16(list, n);
  else putu16(entryAt(last) + E_LIST_NEXT, n);
}

function detach(list: i32, e: i32): void {
  const next: i32 = u16at(e + E_LIST_NEXT);
  const previous: i32 = u16at(e + E_LIST_PREVIOUS);
  if (previous === 0) putu16(list, next);
  else putu16(entryAt(previous) + E_LIST_NEXT, next);
  if (next === 0) putu16(list + 2, previous);
  else putu16(entryAt(next) + E_LIST_PREVIOUS, previous);
}
