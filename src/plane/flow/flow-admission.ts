// Who gets an entry, and who gives one when the table is full. Inside hosts' shares.
//
// Every entry in use is of one class, and in a list of it, the one that may go first at the front:
//
//    UNANSWERED   one side only has sent, or SYN   one list
//    CLOSED       TCP connections that are over    one list
//    IDLE         answered, not TCP (UDP, ICMP)    one list for each inside host
//    ESTABLISHED  TCP connections                  one list for each inside host
//
// A new session is unanswered by nature. In this order:
// 1. A free entry, but the last MASQUERADE_RESERVE only for a host that holds less than its share.
// 2. An entry of a lost outside address that waits to be cleared up.
// 3. The oldest unanswered entry, among the MASQUERADE_EVICT_WINDOW oldest rather one whose host is over its
//    share. A host that is over its own share gets only such a one: it cannot push out the others.
// 4. The oldest closed one, for whoever asks.
// 5. A host over its share: its own longest idle session, if that was not used for MASQUERADE_IDLE_SECONDS; else it
//    is refused (DROP_HOST_SHARE). Its connections stay: RFC 5382, REQ-5.
// 6. A host within its share: a session of the host that holds the most. The longest idle one; if none is idle,
//    the one that was used least lately, a connection too: an innocent host goes before the last of 2,000
//    connections of one, and this departs from REQ-5 for that one alone.
// When neither 3 nor 4 finds any, all entries are answered, so their number is more than the sum of the shares, and
// some host is over its own: a host within its share always gets a place.
// A session that a stranger opens from outside may only take a free entry above the reserve, or that of
// another stranger's unanswered one: nothing that comes from outside pushes out what the inside has begun.
//
// A host's share is the table without the reserve, divided by the hosts that have an answered session: hosts
// that only send, such as forged source addresses, do not make the others' shares smaller. Hosts that share the common
// record count as one; since that is no fault of theirs, 3 gives them the oldest in any case.
//
// Cost: all constant, at most EVICT_WINDOW entries looked at for each list. Lists are ordered by the time of
// entering them, and corrected by the ageing tick, which moves entries used since its last visit to the end
// (flow-timeout.ts): the packet path never touches a link, and the order is right to about a second.
// Not here: the hosts' records (flow-hosts.ts).

import { NOW_AT, PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import {
  COUNT_EVICTED_CLOSED,
  COUNT_EVICTED_SHARE,
  COUNT_EVICTED_UNANSWERED,
  count,
  DROP_HOST_SHARE,
  DROP_TABLE_FULL,
} from '../../base/counters.ts';
import {
  CLASS_SHIFT,
  CLEARED_AT,
  CLOSED_AT,
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
  ENTRY_FORWARD,
  ENTRY_SENT,
  entryAt,
  HIGHEST_AT,
  HOSTS_ANSWERED_AT,
  IN_USE_AT,
  isLost,
  sessionLimit,
  UNANSWERED_AT,
} from '../../base/flow-record.ts';
import {
  MASQUERADE_BYTES,
  MASQUERADE_EVICT_WINDOW,
  MASQUERADE_IDLE_SECONDS,
  MASQUERADE_RESERVE,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { fill, get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { parameter } from '../../base/parameters.ts';
import { PROBE_FLOW, PROBE_GONE } from '../../base/probe-record.ts';
import { PROTOCOL_TCP as TCP } from '../../wire/ipv4.ts';
import { beginBeside, foldFlow } from '../filter/paths.ts';
import {
  addEntry,
  dropEntry,
  entriesOf,
  greediest,
  H_ANSWERED,
  H_ESTABLISHED,
  H_IDLE,
  HOST_OTHERS,
  hostAt,
} from './flow-hosts.ts';
import { unlink } from './flow-link.ts';
import { giveFree, numberOf, takeFree } from './flow-table.ts';
import { addressesLost } from './masquerade-addresses.ts';
import { countLive } from './servers.ts';
import { tcpClassicOpening, tcpClassicOver } from './tcp-classic.ts';
import { tcpRfcOpening, tcpRfcOver } from './tcp-rfc.ts';

export const CLASS_ESTABLISHED: i32 = 0;
export const CLASS_UNANSWERED: i32 = 1;
export const CLASS_CLOSED: i32 = 2;
export const CLASS_IDLE: i32 = 3;

/**
 * Gives an entry for a session of the inside host whose record is `host`, which the outside has opened if
 * `stranger`: its address, all zero but for host and class. Or the reason of the drop.
 */
export function admit(host: i32, stranger: i32): i32 {
  const free: i32 = sessionLimit() - i32at(IN_USE_AT);
  const over: i32 = overShare(host, 1);
  if (free <= MASQUERADE_RESERVE && (free === 0 || over !== 0 || stranger !== 0) && clearOne() === 0) {
    const reason: i32 = stranger !== 0 ? evictStranger() : evict(host, over);
    if (reason !== 0) return reason;
  }
  if (i32at(PROBE_AT) !== 0) return madeUp(host);
  const e: i32 = takeFree();
  if (i32at(RULE_HOOKS_AT) !== 0) beginBeside(e);
  put8(e + E_HOST, host);
  addEntry(host);
  put8(e + E_FLAGS, CLASS_UNANSWERED << CLASS_SHIFT);
  append(UNANSWERED_AT, e);
  return e;
}

/** What a made-up packet's flow has in the place of an entry. */
function madeUp(host: i32): i32 {
  fill(PROBE_FLOW, 0, MASQUERADE_BYTES);
  put8(PROBE_FLOW + E_HOST, host);
  return PROBE_FLOW;
}

/** Ends a session: out of its list, ring and chains. */
export function removeEntry(e: i32): void {
  if (i32at(PROBE_AT) !== 0) {
    puti32(PROBE_GONE, e);
    return;
  }
  if (i32at(RULE_HOOKS_AT) !== 0) foldFlow(e);
  if ((get8(e + E_FLAGS) & ENTRY_FORWARD) !== 0 && classIn(e) !== CLASS_CLOSED) countLive(e, -1);
  leaveClass(e);
  dropEntry(get8(e + E_HOST));
  unlink(e);
  giveFree(e);
}

/** Gives back an entry of admit() that was not linked. */
export function refuseEntry(e: i32): void {
  if (e === PROBE_FLOW) return;
  leaveClass(e);
  dropEntry(get8(e + E_HOST));
  giveFree(e);
}

/** The CLASS_* that an entry has. */
export function classIn(e: i32): i32 {
  return get8(e + E_FLAGS) >>> CLASS_SHIFT;
}

/** Moves an entry to the list of its class, if state or flags have made it another. */
export function classify(e: i32): void {
  const class_: i32 = classOf(e);
  if (class_ === classIn(e)) return;
  if ((get8(e + E_FLAGS) & ENTRY_FORWARD) !== 0) {
    if (class_ === CLASS_CLOSED) countLive(e, -1);
    else if (classIn(e) === CLASS_CLOSED) countLive(e, 1);
  }
  leaveClass(e);
  put8(e + E_FLAGS, (get8(e + E_FLAGS) & ((1 << CLASS_SHIFT) - 1)) | (class_ << CLASS_SHIFT));
  append(listOf(e), e);
  if (class_ === CLASS_UNANSWERED) return;
  const record: i32 = hostAt(get8(e + E_HOST));
  const answered: i32 = u16at(record + H_ANSWERED);
  putu16(record + H_ANSWERED, answered + 1);
  if (answered === 0) puti32(HOSTS_ANSWERED_AT, i32at(HOSTS_ANSWERED_AT) + 1);
}

/** Moves an entry to the end of its list: it has been used. */
export function renew(e: i32): void {
  const list: i32 = listOf(e);
  if (u16at(list + 2) === numberOf(e)) return;
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

/** Address of the list that an entry is in. */
export function listOf(e: i32): i32 {
  const class_: i32 = classIn(e);
  if (class_ === CLASS_UNANSWERED) return UNANSWERED_AT;
  if (class_ === CLASS_CLOSED) return CLOSED_AT;
  return hostAt(get8(e + E_HOST)) + (class_ === CLASS_IDLE ? H_IDLE : H_ESTABLISHED);
}

/** Entries that each host may have when the table is full. */
export function share(): i32 {
  const hosts: i32 = i32at(HOSTS_ANSWERED_AT);
  const all: i32 = sessionLimit() - MASQUERADE_RESERVE;
  return hosts < 2 ? all : (all / hosts) | 0;
}

/** 1 if a host with `more` entries more than now would be over its share. */
function overShare(host: i32, more: i32): i32 {
  return entriesOf(host) + more > share() ? 1 : 0;
}

/** Clears up an entry of a lost outside address, if one is among the next few: 1 if it has. */
function clearOne(): i32 {
  if (addressesLost() === 0 || i32at(PROBE_AT) !== 0) return addressesLost();
  let n: i32 = i32at(CLEARED_AT);
  for (let i: i32 = 0; i < MASQUERADE_EVICT_WINDOW; i++) {
    n = n >= i32at(HIGHEST_AT) ? 1 : n + 1;
    puti32(CLEARED_AT, n);
    const e: i32 = entryAt(n);
    if (get8(e + E_PROTOCOL) !== 0 && isLost(e) !== 0) {
      removeEntry(e);
      return 1;
    }
  }
  return 0;
}

/** Makes room for a host of the inside: 0, or the reason why there is none. */
function evict(host: i32, over: i32): i32 {
  const most: i32 = share();
  let n: i32 = u16at(UNANSWERED_AT);
  let victim: i32 = (over !== 0 && host !== HOST_OTHERS) || n === 0 ? 0 : entryAt(n);
  for (let i: i32 = 0; n !== 0 && i < MASQUERADE_EVICT_WINDOW; i++) {
    const e: i32 = entryAt(n);
    if (entriesOf(get8(e + E_HOST)) >= most) {
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
  victim = over !== 0 ? idleOf(host) : leastUsedOf(greediest());
  if (victim === 0) return over !== 0 ? DROP_HOST_SHARE : DROP_TABLE_FULL;
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

/** The longest idle session of a host, or 0 if none is idle. */
function idleOf(host: i32): i32 {
  let n: i32 = u16at(hostAt(host) + H_IDLE);
  for (let i: i32 = 0; n !== 0 && i < MASQUERADE_EVICT_WINDOW; i++) {
    const e: i32 = entryAt(n);
    if (idleTicks(e) >= MASQUERADE_IDLE_SECONDS * TICKS_PER_SECOND) return e;
    n = u16at(e + E_LIST_NEXT);
  }
  return 0;
}

/** The session that a host over its share can miss most, or 0 if it is not over it. */
function leastUsedOf(host: i32): i32 {
  if (overShare(host, 0) === 0) return 0;
  const idle: i32 = idleOf(host);
  if (idle !== 0) return idle;
  const first: i32 = u16at(hostAt(host) + H_IDLE);
  const connection: i32 = u16at(hostAt(host) + H_ESTABLISHED);
  if (first === 0 || connection === 0) return first + connection === 0 ? 0 : entryAt(first + connection);
  return idleTicks(entryAt(first)) >= idleTicks(entryAt(connection)) ? entryAt(first) : entryAt(connection);
}

function leaveClass(e: i32): void {
  detach(listOf(e), e);
  if (classIn(e) === CLASS_UNANSWERED) return;
  const record: i32 = hostAt(get8(e + E_HOST));
  const answered: i32 = u16at(record + H_ANSWERED) - 1;
  putu16(record + H_ANSWERED, answered);
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
