// The stations of the inside links that have been heard of: since when, and how much they ask control for. Whoever makes up
// stations can let each of them say ARP first, so that one is known says little; that it was there before a flood, or
// that it asks little, is what a flood cannot make up meanwhile.
//
//    STRANGER    neither ARP nor the leases know it                 made-up ones
//    NEWCOMER    known for less than STATION_SETTLE_TICKS           made-up ones that say ARP first
//    LOUD        asks crowded classes for more than STATION_LOUD       whoever floods
//                in about a second, until it asks for half of that
//    settled     all others: a source of its own
//
// What is asked while there is room takes nothing from anybody and is not counted, so a flood finds those that were there
// before it with a count of nothing.
//
// A record has a place in one of eight of a set, which a keyed hash of the station chooses: nobody can choose who meets
// whom there. One that has not settled gives way to a new one, so made-up stations push each other out. Nobody
// settles while newcomers crowd each other out. Stations that were there quietly before, and of which each asks no more
// than a good host, cannot be told from hosts.
// Cost of a look: 12 operations for the hash, 5 for each of 8 records; 60 to take a place. Each fourth tick looks once, for a
// lease: 130 operations. What passes through the router to others never comes here.
// Not here: who is known (src/plane/local/punt.ts).

import { NOW_AT } from '../../base/cells.ts';
import { random32 } from '../../base/entropy.ts';
import {
  LEASE_COUNT,
  LEASE_STATIONS_AT,
  STATION_BYTES,
  STATION_SET,
  STATION_SETS,
  STATION_STATE_AT,
  STATION_STATE_BYTES,
  STATIONS_AT,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { fill, i32at, multiply, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  STATION_FORGET_TICKS,
  STATION_LEASE_TICKS,
  STATION_LOUD,
  STATION_ONE_ASKED,
  STATION_SETTLE_TICKS,
} from '../../base/station-limits.ts';

/** Key of the hash, drawn with the first record; the last crowd's tick, and whether there was one; the lease looked at next. */
const KEY_LOW: i32 = STATION_STATE_AT;
const KEY_HIGH: i32 = STATION_STATE_AT + 4;
const CROWD_TICK: i32 = STATION_STATE_AT + 8;
const WAS_CROWD: i32 = STATION_STATE_AT + 12;
const LEASE_PLACE: i32 = STATION_STATE_AT + 16;

export const STATION_WORD: i32 = 0;
/** The tick of its coming. */
const SINCE: i32 = 4;
/** What it asked for of crowded classes lately, by STATION_ONE_ASKED, halved each second; and the tick up to which that has been done. */
const ASKED: i32 = 8;
const FLAGS: i32 = 10;
const HALVED: i32 = 12;
const FLAG_SETTLED: i32 = 1;
/** It has been loud, and has not become silent since. */
const FLAG_LOUD: i32 = 2;
const ASKED_MOST: i32 = 0xffff;

export const STATION_NEWCOMER: i32 = 0;
export const STATION_IS_LOUD: i32 = 1;
export const STATION_SETTLED: i32 = 2;

export function resetStations(): void {
  fill(STATION_STATE_AT, 0, STATION_STATE_BYTES + STATION_SETS * STATION_SET * STATION_BYTES);
}

/** A station is there: its record, brought up to date, or 0 if its set is full of settled ones. */
export function stationHeard(word: i32): i32 {
  const now: i32 = i32at(NOW_AT);
  const set: i32 = setOf(word);
  let at: i32 = 0;
  for (let i: i32 = 0; i < STATION_SET; i++) {
    if (i32at(set + i * STATION_BYTES + STATION_WORD) === word) at = set + i * STATION_BYTES;
  }
  if (at === 0) at = take(set, word, now);
  if (at === 0) return 0;
  const seconds: i32 = (((now - i32at(at + HALVED)) | 0) / TICKS_PER_SECOND) | 0;
  if (seconds !== 0) {
    const asked: i32 = seconds < 0 || seconds > 15 ? 0 : u16at(at + ASKED) >>> seconds;
    putu16(at + ASKED, asked);
    puti32(at + HALVED, secondOf(now));
    if (asked < (STATION_LOUD * STATION_ONE_ASKED) >> 1) putu16(at + FLAGS, u16at(at + FLAGS) & ~FLAG_LOUD);
  }
  if ((u16at(at + FLAGS) & FLAG_SETTLED) !== 0) return at;
  if (isLong((now - i32at(at + SINCE)) | 0) !== 0 && isCrowd(now) === 0) {
    putu16(at + FLAGS, u16at(at + FLAGS) | FLAG_SETTLED);
  }
  return at;
}

/** Whether a station has settled: it was there before, whatever address it has now. */
export function hasSettled(word: i32): i32 {
  const set: i32 = setOf(word);
  for (let i: i32 = 0; i < STATION_SET; i++) {
    const at: i32 = set + i * STATION_BYTES;
    if (i32at(at + STATION_WORD) === word) return u16at(at + FLAGS) & FLAG_SETTLED;
  }
  return 0;
}

/** The station of a record (or 0) asks control for something, of a class that is crowded or not: what it counts as. */
export function stationAsks(at: i32, isCrowded: i32): i32 {
  if (at === 0) return STATION_NEWCOMER;
  const asked: i32 = u16at(at + ASKED);
  if (isCrowded !== 0 && asked <= ASKED_MOST - STATION_ONE_ASKED)
    putu16(at + ASKED, asked + STATION_ONE_ASKED);
  if (asked >= STATION_LOUD * STATION_ONE_ASKED) putu16(at + FLAGS, u16at(at + FLAGS) | FLAG_LOUD);
  const flags: i32 = u16at(at + FLAGS);
  if ((flags & FLAG_LOUD) !== 0) return STATION_IS_LOUD;
  return (flags & FLAG_SETTLED) !== 0 ? STATION_SETTLED : STATION_NEWCOMER;
}

/** How much it asked crowded classes for lately, by STATION_ONE_ASKED. */
export function stationAsked(at: i32): i32 {
  return u16at(at + ASKED);
}

/** A newcomer's packet found no place. */
export function stationCrowd(): void {
  puti32(CROWD_TICK, i32at(NOW_AT));
  puti32(WAS_CROWD, 1);
}

/** Who has a lease is there, though it may ask for nothing until it renews it: one lease each STATION_LEASE_TICKS. */
export function stationTick(): void {
  if ((i32at(NOW_AT) & (STATION_LEASE_TICKS - 1)) !== 0) return;
  const place: i32 = i32at(LEASE_PLACE);
  puti32(LEASE_PLACE, (place + 1) & (LEASE_COUNT - 1));
  const word: i32 = i32at(LEASE_STATIONS_AT + 4 * place);
  if (word !== 0) stationHeard(word);
  // Long after it the clock's difference would wrap.
  if (isCrowd(i32at(NOW_AT)) === 0) puti32(WAS_CROWD, 0);
}

/** The tick with which a second began: the same for all, so that nobody's count is halved before another's. */
function secondOf(now: i32): i32 {
  return ((now / TICKS_PER_SECOND) | 0) * TICKS_PER_SECOND;
}

/** Less than nothing: the clock's difference has wrapped, so it is long. */
function isLong(passed: i32): i32 {
  return passed < 0 || passed >= STATION_SETTLE_TICKS ? 1 : 0;
}

function isCrowd(now: i32): i32 {
  return i32at(WAS_CROWD) !== 0 && isLong((now - i32at(CROWD_TICK)) | 0) === 0 ? 1 : 0;
}

/**
 * A place in a set: a free one, that of who has not settled and was silent longest, or that of a settled one that was
 * silent for STATION_FORGET_TICKS.
 */
function take(set: i32, word: i32, now: i32): i32 {
  let place: i32 = 0;
  let longest: i32 = -1;
  for (let i: i32 = 0; i < STATION_SET; i++) {
    const at: i32 = set + i * STATION_BYTES;
    const passed: i32 = (now - i32at(at + HALVED)) | 0;
    const silent: i32 = i32at(at + STATION_WORD) === 0 || passed < 0 ? 0x7fffffff : passed;
    if ((u16at(at + FLAGS) & FLAG_SETTLED) !== 0 && silent < STATION_FORGET_TICKS) continue;
    if (silent <= longest) continue;
    longest = silent;
    place = at;
  }
  if (place === 0) return 0;
  fill(place, 0, STATION_BYTES);
  puti32(place + STATION_WORD, word);
  puti32(place + SINCE, now);
  puti32(place + HALVED, secondOf(now));
  return place;
}

function setOf(word: i32): i32 {
  if (i32at(KEY_LOW) === 0) {
    puti32(KEY_LOW, random32() | 1);
    puti32(KEY_HIGH, random32());
  }
  const product: i32 = multiply(
    (i32at(KEY_LOW) + (word & 0xffff)) | 0,
    (i32at(KEY_HIGH) + (word >>> 16)) | 0,
  );
  return STATIONS_AT + ((product >>> 16) & (STATION_SETS - 1)) * STATION_SET * STATION_BYTES;
}
