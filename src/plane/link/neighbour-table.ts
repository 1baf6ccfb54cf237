// The neighbours' records: how one is found, which one goes when all places are taken.
// Not here: a record's fields (src/base/neighbour-record.ts), the states and timers (neighbour.ts).
//
// A record is found by a chain (u16 links) of a keyed hash, pair-multiply-shift as in src/plane/flow/flow-table.ts: whoever
// chooses the addresses of a link cannot choose what meets in a chain. The keys change whenever the table is empty.
//
// Who goes: two lists, the one to go at the front. UNUSED has those that spoke to us and that no packet was sent
// to, by the time of their coming; USED the others, by the time of their use, which the ageing corrects each
// NEIGHBOUR_SWEEP_TICKS: the packet path touches no link. Next hops of routes (hop: when one was last seen to be
// one) are passed over. Those RESOLVING are in no list: they are as few as the packets that wait.

import { NOW_AT } from '../../base/cells.ts';
import { random32 } from '../../base/entropy.ts';
import {
  ARP_STATE_AT,
  ARP_STATE_BYTES,
  INTERFACE_COUNT,
  NEIGHBOUR_BUCKETS,
  NEIGHBOUR_BYTES,
  NEIGHBOUR_CONFIRMED_TICKS,
  NEIGHBOUR_COUNT,
  NEIGHBOUR_EVICT_LOOKS,
  NEIGHBOUR_HEADS_AT,
  NEIGHBOUR_IDLE_TICKS,
  NEIGHBOUR_SWEEP_TICKS,
  NEIGHBOURS_AT,
} from '../../base/limits.ts';
import { fill, get16, get32, i32at, multiply, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  CHAIN_NEXT,
  HOP,
  KEPT,
  LINKS,
  LIST,
  LIST_NEXT,
  LIST_PREVIOUS,
  NEIGHBOUR_ADDRESS,
  NEIGHBOUR_HEADER,
  NEIGHBOUR_LINK,
  NEIGHBOUR_RESOLVING,
  NEIGHBOUR_STATE,
  NEIGHBOUR_USED,
} from '../../base/neighbour-record.ts';
import { forgetRoutes } from '../flow/kept-route.ts';

/** Addresses of the lists' heads: first and last (u16 each). */
export const UNUSED_LIST: i32 = ARP_STATE_AT + 48;
export const USED_LIST: i32 = ARP_STATE_AT + 52;
const HOP_KNOWN: i32 = 0x8000;

/** First free record that was in use before, records that ever were, records that are. */
const FREE_RECORD: i32 = ARP_STATE_AT + 12;
const FRESH: i32 = ARP_STATE_AT + 16;
const IN_USE: i32 = ARP_STATE_AT + 20;
const KEY_LOW: i32 = ARP_STATE_AT + 24;
const KEY_HIGH: i32 = ARP_STATE_AT + 28;

/** Top bits of the product that choose a chain. */
const HASH_SHIFT: i32 = 23;

export function resetNeighbourTable(): void {
  fill(NEIGHBOURS_AT, 0, NEIGHBOUR_COUNT * NEIGHBOUR_BYTES);
  fill(NEIGHBOUR_HEADS_AT, 0, 2 * NEIGHBOUR_BUCKETS);
  fill(ARP_STATE_AT, 0, ARP_STATE_BYTES);
  for (let i: i32 = 0; i < INTERFACE_COUNT; i++) puti32(LINKS + 4 * i, i);
}

/** Record of the neighbour that has an address on an interface, or 0. */
export function neighbourFind(address: i32, index: i32): i32 {
  const link: i32 = i32at(LINKS + 4 * index);
  const n: i32 = u16at(NEIGHBOUR_HEADS_AT + 2 * hash(address));
  if (n === 0) return 0;
  const at: i32 = neighbourAt(n);
  if (i32at(at + NEIGHBOUR_ADDRESS) === address && u16at(at + NEIGHBOUR_LINK) === link) return at;
  return findFurther(u16at(at + CHAIN_NEXT), address, link);
}

/** 1 if the station at `mac` (6 bytes) is known to have that address: it has said so, or has answered. */
export function neighbourIs(index: i32, address: i32, mac: i32): i32 {
  const at: i32 = neighbourFind(address, index);
  if (at === 0 || u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) return 0;
  return isStationOf(at, mac);
}

/** Whether a record's station is the one at `mac` (6 bytes). */
export function isStationOf(at: i32, mac: i32): i32 {
  const ours: i32 = at + NEIGHBOUR_HEADER;
  return get32(ours) === get32(mac) && get16(ours + 4) === get16(mac + 4) ? 1 : 0;
}

/** How many records were ever taken: those from there on are free. */
export function neighboursEver(): i32 {
  return i32at(FRESH);
}

/** The rest of the chain, from record number `first` on. Most chains have one record. */
function findFurther(first: i32, address: i32, link: i32): i32 {
  let n: i32 = first;
  for (let left: i32 = NEIGHBOUR_COUNT; n !== 0 && left !== 0; left--) {
    const at: i32 = neighbourAt(n);
    if (i32at(at + NEIGHBOUR_ADDRESS) === address && u16at(at + NEIGHBOUR_LINK) === link) return at;
    n = u16at(at + CHAIN_NEXT);
  }
  return 0;
}

/** From now on no neighbour of the interface is found that is there already. */
export function forgetLink(index: i32): void {
  puti32(LINKS + 4 * index, (i32at(LINKS + 4 * index) + 0x100) & 0xffff);
  forgetRoutes();
}

/** A record for an address that has none, in its chain; all else in it is 0. 0 if nobody may go for it. */
export function neighbourTake(address: i32, index: i32): i32 {
  if (i32at(FREE_RECORD) === 0 && i32at(FRESH) === NEIGHBOUR_COUNT) evict();
  let n: i32 = i32at(FREE_RECORD);
  if (n !== 0) {
    puti32(FREE_RECORD, u16at(neighbourAt(n) + CHAIN_NEXT));
  } else {
    n = i32at(FRESH) + 1;
    if (n > NEIGHBOUR_COUNT) return 0;
    puti32(FRESH, n);
  }
  if (i32at(IN_USE) === 0) {
    puti32(KEY_LOW, random32());
    puti32(KEY_HIGH, random32());
  }
  puti32(IN_USE, i32at(IN_USE) + 1);
  const at: i32 = neighbourAt(n);
  const head: i32 = NEIGHBOUR_HEADS_AT + 2 * hash(address);
  puti32(at + NEIGHBOUR_ADDRESS, address);
  putu16(at + NEIGHBOUR_LINK, i32at(LINKS + 4 * index));
  putu16(at + CHAIN_NEXT, u16at(head));
  putu16(head, n);
  return at;
}

/** Gives a record back. */
export function neighbourFree(at: i32): void {
  const n: i32 = neighbourNumber(at);
  let link: i32 = NEIGHBOUR_HEADS_AT + 2 * hash(i32at(at + NEIGHBOUR_ADDRESS));
  for (let left: i32 = NEIGHBOUR_COUNT; u16at(link) !== n && left !== 0; left--) {
    link = neighbourAt(u16at(link)) + CHAIN_NEXT;
  }
  putu16(link, u16at(at + CHAIN_NEXT));
  leaveList(at);
  if (u16at(at + KEPT) !== 0) forgetRoutes();
  fill(at, 0, NEIGHBOUR_BYTES);
  putu16(at + CHAIN_NEXT, i32at(FREE_RECORD));
  puti32(FREE_RECORD, n);
  puti32(IN_USE, i32at(IN_USE) - 1);
}

/** Puts a record at the end of a list, out of the one that it is in. */
export function enterList(at: i32, list: i32): void {
  leaveList(at);
  const n: i32 = neighbourNumber(at);
  const last: i32 = u16at(list + 2);
  putu16(at + LIST, list - ARP_STATE_AT);
  putu16(at + LIST_PREVIOUS, last);
  if (last === 0) putu16(list, n);
  else putu16(neighbourAt(last) + LIST_NEXT, n);
  putu16(list + 2, n);
}

function leaveList(at: i32): void {
  if (u16at(at + LIST) === 0) return;
  const list: i32 = ARP_STATE_AT + u16at(at + LIST);
  const next: i32 = u16at(at + LIST_NEXT);
  const previous: i32 = u16at(at + LIST_PREVIOUS);
  if (previous === 0) putu16(list, next);
  else putu16(neighbourAt(previous) + LIST_NEXT, next);
  if (next === 0) putu16(list + 2, previous);
  else putu16(neighbourAt(next) + LIST_PREVIOUS, previous);
  putu16(at + LIST, 0);
  putu16(at + LIST_NEXT, 0);
  putu16(at + LIST_PREVIOUS, 0);
}

/** When a neighbour that nobody has used yet is said to have been used: it is forgotten after a minute. */
export function neverUsed(now: i32): i32 {
  return (now - NEIGHBOUR_IDLE_TICKS + NEIGHBOUR_CONFIRMED_TICKS) | 0;
}

/** Moves a record to the end of USED if a packet went to it since the ageing was here. */
export function noteUse(at: i32, now: i32): void {
  const state: i32 = u16at(at + NEIGHBOUR_STATE);
  if (state === NEIGHBOUR_RESOLVING) return;
  if (((now - i32at(at + NEIGHBOUR_USED)) | 0) <= NEIGHBOUR_SWEEP_TICKS) enterList(at, USED_LIST);
}

/** Notes that a record is the next hop of a route. */
export function noteHop(at: i32, now: i32): void {
  putu16(at + HOP, (now & (HOP_KNOWN - 1)) | HOP_KNOWN);
}

/** Forgets that a record was a next hop, if it has not been one lately. */
export function checkHop(at: i32, now: i32): void {
  if (u16at(at + HOP) !== 0 && isHop(at, now) === 0) putu16(at + HOP, 0);
}

function isHop(at: i32, now: i32): i32 {
  const hop: i32 = u16at(at + HOP);
  return hop !== 0 && ((now - hop) & (HOP_KNOWN - 1)) <= NEIGHBOUR_SWEEP_TICKS ? 1 : 0;
}

/** Frees the record that is missed least, if there is one that may go. */
function evict(): void {
  const now: i32 = i32at(NOW_AT);
  const recent: i32 = NEIGHBOUR_IDLE_TICKS - NEIGHBOUR_CONFIRMED_TICKS;
  for (let i: i32 = 0; i < NEIGHBOUR_EVICT_LOOKS; i++) {
    const unused: i32 = u16at(UNUSED_LIST);
    const n: i32 = unused !== 0 ? unused : u16at(USED_LIST);
    if (n === 0) return;
    const at: i32 = neighbourAt(n);
    const idle: i32 = (now - i32at(at + NEIGHBOUR_USED)) | 0;
    // Used since the ageing was here; where everybody is, a quarter of the looks is enough to see it.
    const fresh: i32 = unused !== 0 ? recent : NEIGHBOUR_SWEEP_TICKS;
    const isFresh: i32 = idle <= fresh && i < NEIGHBOUR_EVICT_LOOKS >> 2 ? 1 : 0;
    if (isFresh === 0 && isHop(at, now) === 0) {
      neighbourFree(at);
      return;
    }
    enterList(at, USED_LIST);
  }
}

/** Address of record number n, from 1 on. */
export function neighbourAt(n: i32): i32 {
  return NEIGHBOURS_AT + (n - 1) * NEIGHBOUR_BYTES;
}

export function neighbourNumber(at: i32): i32 {
  return (((at - NEIGHBOURS_AT) / NEIGHBOUR_BYTES) | 0) + 1;
}

/** A chain, 0 to NEIGHBOUR_BUCKETS - 1. */
function hash(address: i32): i32 {
  return (
    multiply((i32at(KEY_LOW) + (address & 0xffff)) | 0, (i32at(KEY_HIGH) + (address >>> 16)) | 0) >>>
    HASH_SHIFT
  );
}
