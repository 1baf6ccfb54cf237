// `recent`: addresses that rules have seen lately, in tables by number, as iptables' match of that name has them: when each was seen, up to
// RECENT_STAMPS times.
//
//    0         4       5     6        7      8
//    | address | table | ttl | stamps | next | ticks ... |      table: its number and 1, 0 of a free place
//
// An address is looked for in a set of places that a keyed hash chooses, so nobody can choose whom he pushes out.
// Cost: a set's RECENT_SET places, and one's stamps: 500 operations at most.

import { NOW_AT, PROBE_AT } from '../../base/cells.ts';
import { keyedHash5 } from '../../base/keyed-hash.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { fill, get8, i32at, multiply, put8, puti32, u16at } from '../../base/memory.ts';
import { PROBE_SET_ADDRESS, PROBE_SET_TABLE } from '../../base/probe-record.ts';
import { RECENT_AT, RECENT_BYTES, RECENT_COUNT, RECENT_SET, RECENT_STAMPS } from '../../base/rule-limits.ts';
import {
  RECENT_DESTINATION,
  RECENT_REAP,
  RECENT_REMOVE,
  RECENT_TTL,
  RECENT_UPDATE,
  RECENT_SET as SET,
} from '../../base/rule-record.ts';
import { VIEW_DESTINATION, VIEW_SOURCE, VIEW_TTL } from '../../base/rule-state.ts';

const TABLE: i32 = 4;
const TTL: i32 = 5;
const STAMPS: i32 = 6;
const NEXT: i32 = 7;
const TICKS: i32 = 8;
const SETS: i32 = (RECENT_COUNT / RECENT_SET) | 0;

export function resetRecent(): void {
  fill(RECENT_AT, 0, RECENT_COUNT * RECENT_BYTES);
}

/** First place of an address's set. */
function setOf(address: i32, table: i32): i32 {
  return RECENT_AT + multiply(keyedHash5(address, table, 0, 0, 0) & (SETS - 1), RECENT_SET * RECENT_BYTES);
}

/** The place of an address in a table, by its time to live if that is not 0; or 0. */
function find(address: i32, table: i32, ttl: i32): i32 {
  let at: i32 = setOf(address, table);
  for (let i: i32 = 0; i < RECENT_SET; i++) {
    if (i32at(at) === address && get8(at + TABLE) === table)
      return ttl === 0 || get8(at + TTL) === ttl ? at : 0;
    at += RECENT_BYTES;
  }
  return 0;
}

/** The tick at which a place was seen last. */
function lastOf(at: i32): i32 {
  const last: i32 = (get8(at + NEXT) + RECENT_STAMPS - 1) % RECENT_STAMPS;
  return i32at(at + TICKS + 4 * last);
}

/** A place for an address: a free one of its set, or that which was seen longest ago. */
function take(address: i32, table: i32): i32 {
  const now: i32 = i32at(NOW_AT);
  let at: i32 = setOf(address, table);
  let best: i32 = at;
  let age: i32 = -1;
  for (let i: i32 = 0; i < RECENT_SET; i++) {
    const old: i32 = get8(at + TABLE) === 0 ? 0x7fffffff : (now - lastOf(at)) | 0;
    if (old > age) {
      age = old;
      best = at;
    }
    at += RECENT_BYTES;
  }
  fill(best, 0, RECENT_BYTES);
  puti32(best, address);
  put8(best + TABLE, table);
  return best;
}

function stamp(at: i32, ttl: i32): void {
  const next: i32 = get8(at + NEXT);
  puti32(at + TICKS + 4 * next, i32at(NOW_AT));
  put8(at + NEXT, (next + 1) % RECENT_STAMPS);
  if (get8(at + STAMPS) < RECENT_STAMPS) put8(at + STAMPS, get8(at + STAMPS) + 1);
  put8(at + TTL, ttl);
}

/** How many stamps of a place are not older than so many seconds; all if that is 0. */
function hits(at: i32, seconds: i32): i32 {
  const stamps: i32 = get8(at + STAMPS);
  if (seconds === 0) return stamps;
  const now: i32 = i32at(NOW_AT);
  // More than 248 days are as good as ever.
  const most: i32 = seconds > 21000000 || seconds < 0 ? 0x7fffffff : seconds * TICKS_PER_SECOND;
  let seen: i32 = 0;
  for (let i: i32 = 0; i < stamps && i < RECENT_STAMPS; i++)
    if (((now - i32at(at + TICKS + 4 * i)) | 0) <= most) seen += 1;
  return seen;
}

/** Forgets a place that was not seen in so many seconds. */
function reap(at: i32, seconds: i32): void {
  if (hits(at, seconds) === 0) fill(at, 0, RECENT_BYTES);
}

/** What is answered of a made-up packet, by which nothing is remembered but what it has set itself last. */
function foreseen(at: i32, operation: i32, table: i32, address: i32): i32 {
  const flags: i32 = get8(operation + 4);
  const wanted: i32 = u16at(operation + 6);
  const isSet: i32 = i32at(PROBE_SET_TABLE) === table && i32at(PROBE_SET_ADDRESS) === address ? 1 : 0;
  if ((flags & SET) !== 0) {
    puti32(PROBE_SET_TABLE, table);
    puti32(PROBE_SET_ADDRESS, address);
    return 1;
  }
  if (at === 0 && isSet === 0) return 0;
  if ((flags & RECENT_REMOVE) !== 0) return 1;
  const seen: i32 = (at === 0 ? 0 : hits(at, i32at(operation + 8))) + isSet;
  return seen !== 0 && (wanted === 0 || seen >= wanted) ? 1 : 0;
}

/** 1 if an OPERATION_RECENT holds for the packet in the view; it remembers what it is to. */
export function applyRecent(operation: i32): i32 {
  const flags: i32 = get8(operation + 4);
  const table: i32 = get8(operation + 5) + 1;
  const wanted: i32 = u16at(operation + 6);
  const seconds: i32 = i32at(operation + 8);
  const whole: i32 = i32at((flags & RECENT_DESTINATION) !== 0 ? VIEW_DESTINATION : VIEW_SOURCE);
  const address: i32 = whole & i32at(operation + 12);
  const ttl: i32 = i32at(VIEW_TTL);
  let at: i32 = find(address, table, (flags & RECENT_TTL) !== 0 ? ttl : 0);
  if (i32at(PROBE_AT) !== 0) return foreseen(at, operation, table, address);
  if (at === 0) {
    if ((flags & SET) === 0) return 0;
    at = take(address, table);
    stamp(at, ttl);
    return 1;
  }
  if ((flags & SET) !== 0) {
    stamp(at, ttl);
    return 1;
  }
  if ((flags & RECENT_REMOVE) !== 0) {
    fill(at, 0, RECENT_BYTES);
    return 1;
  }
  const seen: i32 = hits(at, seconds);
  const holds: i32 = seen !== 0 && (wanted === 0 || seen >= wanted) ? 1 : 0;
  if (holds !== 0 && (flags & RECENT_UPDATE) !== 0) stamp(at, ttl);
  else if ((flags & RECENT_REAP) !== 0) reap(at, seconds);
  return holds;
}
