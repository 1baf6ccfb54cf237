// The contexts of fragmented datagrams: how one is found, which one goes, and the fragments that wait in it.
// Not here: what a context is told and says (fragment.ts).
//
//    0     4        8             12      16      20      24              32      36      40    44      46
//    | key | source | destination | since | ports | flags | waiting: 2    | state | id    | end | count | echo
//    48        50       52     56
//    | waiting | holder | kind | seen ...
//
//    key: id << 16 | protocol << 8 | 1; 0 free. seen: FRAGMENT_RANGE_COUNT ranges, disjoint and not touching,
//    each its start and end (u16) in units of 8 bytes.
//
// Each side of the masquerade has half of the contexts, and of the waiting packets what FRAGMENT_HELD_SIDE and
// FRAGMENT_HELD_LIMIT leave it, so that a flood from outside leaves the inside its own. In a half each context and
// each packet is charged to the source of the datagram, or to all unknown ones (sender.ts) together (a holder: address | contexts |
// packets): whoever has most
// gives way to who has less. Tables of 32 are searched from end to end.

import { NOW_AT } from '../../base/cells.ts';
import { count, DROP_FRAGMENT_LIMIT } from '../../base/counters.ts';
import {
  FRAGMENT_CONTEXT_BYTES,
  FRAGMENT_CONTEXT_COUNT,
  FRAGMENT_HELD_LIMIT,
  FRAGMENT_HELD_SIDE,
  FRAGMENT_STATE_AT,
  FRAGMENT_STATE_BYTES,
  FRAGMENTS_AT,
  POOL_RESERVE,
} from '../../base/limits.ts';
import { fill, get8, get16, get32, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import { PACKET_IP, PACKET_NEXT } from '../../base/packet.ts';
import { poolFree, release } from '../../base/pool.ts';
import { IP_DESTINATION, IP_ID, IP_PROTOCOL, IP_SOURCE } from '../../wire/ipv4.ts';
import { isSender } from './sender.ts';

export const KEY: i32 = 0;
const SOURCE: i32 = 4;
const DESTINATION: i32 = 8;
export const SINCE: i32 = 12;
export const PORTS: i32 = 16;
/** FLAG_ICMP_ERROR of the first fragment. */
export const FLAGS: i32 = 20;
export const FIRST_WAITING: i32 = 24;
const LAST_WAITING: i32 = 28;
export const STATE: i32 = 32;
/** Identification of our own, or -1. */
export const IDENTIFICATION: i32 = 36;
/** Bytes of the whole datagram's payload, or -1 while the last fragment is missing. */
export const END: i32 = 40;
export const COUNT: i32 = 44;
/** The datagram is an echo request to us, answered fragment by fragment (src/plane/local/local.ts). Half a word is enough. */
export const CONTEXT_ECHO: i32 = 46;
const WAITING: i32 = 48;
const HOLDER: i32 = 50;
/** What rules ask of a transport header, by the first fragment (src/plane/filter/kind.ts). */
export const CONTEXT_KIND: i32 = 52;
export const SEEN: i32 = 56;

/** The first fragment has not come. */
export const STATE_WAITING: i32 = 0;
/** It has: the ports are known. */
export const STATE_OPEN: i32 = 1;
/** Its fragments lied: whatever else comes of it is dropped. */
export const STATE_REFUSED: i32 = 2;

/** Waiting packets, a word a side; then the context that the next tick looks at. */
const HELD_PACKETS: i32 = FRAGMENT_STATE_AT;
export const PLACE: i32 = FRAGMENT_STATE_AT + 8;
/** Of the waiting packets those whose first fragment has come, and where the next of them is looked for. */
const DUE: i32 = FRAGMENT_STATE_AT + 12;
const DUE_PLACE: i32 = FRAGMENT_STATE_AT + 16;
const HOLDERS: i32 = FRAGMENT_STATE_AT + 64;
const HOLDER_BYTES: i32 = 12;
const HOLDER_CONTEXTS: i32 = 4;
const HOLDER_PACKETS: i32 = 8;
/** The holder of all whose source address is not known to be theirs. */
const STRANGERS: i32 = 0;
const SIDE_COUNT: i32 = (FRAGMENT_CONTEXT_COUNT / 2) | 0;
/** Packets that a side may have whatever the other one holds. */
const SIDE_OWN: i32 = FRAGMENT_HELD_LIMIT - FRAGMENT_HELD_SIDE;

export function resetContexts(): void {
  fill(FRAGMENTS_AT, 0, FRAGMENT_CONTEXT_COUNT * FRAGMENT_CONTEXT_BYTES);
  fill(FRAGMENT_STATE_AT, 0, FRAGMENT_STATE_BYTES);
}

/** The context of a fragment's datagram, or 0. */
export function findContext(ip: i32, side: i32): i32 {
  const key: i32 = keyOf(ip);
  let at: i32 = FRAGMENTS_AT + side * SIDE_COUNT * FRAGMENT_CONTEXT_BYTES;
  for (let i: i32 = 0; i < SIDE_COUNT; i++) {
    if (
      i32at(at + KEY) === key &&
      i32at(at + SOURCE) === get32(ip + IP_SOURCE) &&
      i32at(at + DESTINATION) === get32(ip + IP_DESTINATION)
    ) {
      return at;
    }
    at += FRAGMENT_CONTEXT_BYTES;
  }
  return 0;
}

/** A new context: a free place, or the oldest of the source that has the most. */
export function takeContext(packet: i32, side: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const source: i32 = get32(ip + IP_SOURCE);
  const whose: i32 = isSender(packet, source) !== 0 ? source : STRANGERS;
  let best: i32 = freePlace(side);
  if (best === 0) {
    const mine: i32 = findHolder(whose, side);
    const own: i32 = mine === 0 ? 0 : i32at(mine + HOLDER_CONTEXTS);
    const most: i32 = mostOf(side, HOLDER_CONTEXTS);
    best = oldest(side, most <= own ? mine : 0, HOLDER_CONTEXTS, most);
    endContext(best, DROP_FRAGMENT_LIMIT);
  }
  const holder: i32 = enterHolder(whose, side);
  fill(best, 0, FRAGMENT_CONTEXT_BYTES);
  puti32(best + KEY, keyOf(ip));
  puti32(best + SOURCE, source);
  puti32(best + DESTINATION, get32(ip + IP_DESTINATION));
  puti32(best + SINCE, i32at(NOW_AT));
  puti32(best + IDENTIFICATION, -1);
  puti32(best + END, -1);
  putu16(best + HOLDER, ((holder - HOLDERS) / HOLDER_BYTES) | 0);
  puti32(holder + HOLDER_CONTEXTS, i32at(holder + HOLDER_CONTEXTS) + 1);
  return best;
}

/** Frees a context; its waiting packets are dropped. The other fields stay until somebody takes it. */
export function endContext(at: i32, reason: i32): void {
  emptyContext(at, reason);
  const contexts: i32 = holderOf(at) + HOLDER_CONTEXTS;
  puti32(contexts, i32at(contexts) - 1);
  puti32(at + KEY, 0);
}

/** Drops all that waits in a context. */
export function emptyContext(at: i32, reason: i32): void {
  for (let i: i32 = 0; i < FRAGMENT_HELD_LIMIT; i++) {
    const packet: i32 = takeWaiting(at);
    if (packet === 0) return;
    count(reason);
    release(packet);
  }
}

/** Keeps a packet until the first fragment comes: 1. 0: there is no place, or its source has its share. */
export function keep(packet: i32, at: i32, side: i32): i32 {
  const held: i32 = HELD_PACKETS + 4 * side;
  if (mayKeep(side) === 0) {
    const own: i32 = i32at(holderOf(at) + HOLDER_PACKETS);
    const most: i32 = mostOf(side, HOLDER_PACKETS);
    // One more than ours at least, or the two would take it from each other in turn.
    if (most <= own + 1) return 0;
    endContext(oldest(side, 0, HOLDER_PACKETS, most), DROP_FRAGMENT_LIMIT);
  }
  puti32(held, i32at(held) + 1);
  const packets: i32 = holderOf(at) + HOLDER_PACKETS;
  puti32(packets, i32at(packets) + 1);
  puti32(packet + PACKET_NEXT, 0);
  if (i32at(at + FIRST_WAITING) === 0) puti32(at + FIRST_WAITING, packet);
  else puti32(i32at(at + LAST_WAITING) + PACKET_NEXT, packet);
  puti32(at + LAST_WAITING, packet);
  putu16(at + WAITING, u16at(at + WAITING) + 1);
  return 1;
}

/** The first fragment has come: what waits is due. */
export function openContext(at: i32): void {
  if (i32at(at + STATE) === STATE_WAITING) puti32(DUE, i32at(DUE) + u16at(at + WAITING));
  puti32(at + STATE, STATE_OPEN);
}

/** The packet that has waited longest in a context, or 0. It waits no more. */
export function takeWaiting(at: i32): i32 {
  const packet: i32 = i32at(at + FIRST_WAITING);
  if (packet === 0) return 0;
  puti32(at + FIRST_WAITING, i32at(packet + PACKET_NEXT));
  putu16(at + WAITING, u16at(at + WAITING) - 1);
  const isInside: i32 = at < FRAGMENTS_AT + SIDE_COUNT * FRAGMENT_CONTEXT_BYTES ? 1 : 0;
  const held: i32 = isInside !== 0 ? HELD_PACKETS : HELD_PACKETS + 4;
  puti32(held, i32at(held) - 1);
  const packets: i32 = holderOf(at) + HOLDER_PACKETS;
  puti32(packets, i32at(packets) - 1);
  if (i32at(at + STATE) === STATE_OPEN) puti32(DUE, i32at(DUE) - 1);
  return packet;
}

/** How many packets wait whose first fragment has come. */
export function fragmentsDue(): i32 {
  return i32at(DUE);
}

/** A context that has packets which are due, or 0. */
export function dueContext(): i32 {
  if (i32at(DUE) === 0) return 0;
  let place: i32 = i32at(DUE_PLACE);
  for (let i: i32 = 0; i < FRAGMENT_CONTEXT_COUNT; i++) {
    const at: i32 = FRAGMENTS_AT + place * FRAGMENT_CONTEXT_BYTES;
    if (i32at(at + KEY) !== 0 && i32at(at + STATE) === STATE_OPEN && i32at(at + FIRST_WAITING) !== 0) {
      puti32(DUE_PLACE, place);
      return at;
    }
    place = (place + 1) & (FRAGMENT_CONTEXT_COUNT - 1);
  }
  return 0;
}

/** Whether one more packet of a side may wait. */
function mayKeep(side: i32): i32 {
  const mine: i32 = i32at(HELD_PACKETS + 4 * side);
  const other: i32 = i32at(HELD_PACKETS + 4 * (1 - side));
  const theirs: i32 = other > SIDE_OWN ? other : SIDE_OWN;
  if (mine >= FRAGMENT_HELD_SIDE || mine + theirs >= FRAGMENT_HELD_LIMIT) return 0;
  return poolFree() >= POOL_RESERVE ? 1 : 0;
}

function keyOf(ip: i32): i32 {
  return (get16(ip + IP_ID) << 16) | (get8(ip + IP_PROTOCOL) << 8) | 1;
}

function freePlace(side: i32): i32 {
  let at: i32 = FRAGMENTS_AT + side * SIDE_COUNT * FRAGMENT_CONTEXT_BYTES;
  for (let i: i32 = 0; i < SIDE_COUNT; i++) {
    if (i32at(at + KEY) === 0) return at;
    at += FRAGMENT_CONTEXT_BYTES;
  }
  return 0;
}

/** The oldest context of a holder or, if that is 0, of all whose holder has `most` in a field. */
function oldest(side: i32, holder: i32, field: i32, most: i32): i32 {
  const now: i32 = i32at(NOW_AT);
  let best: i32 = 0;
  let bestAge: i32 = -1;
  let at: i32 = FRAGMENTS_AT + side * SIDE_COUNT * FRAGMENT_CONTEXT_BYTES;
  for (let i: i32 = 0; i < SIDE_COUNT; i++) {
    const age: i32 = (now - i32at(at + SINCE)) | 0;
    const its: i32 = holderOf(at);
    let isOne: i32 = i32at(at + KEY) !== 0 && age > bestAge ? 1 : 0;
    if (field === HOLDER_PACKETS && u16at(at + WAITING) === 0) isOne = 0;
    if (isOne !== 0 && (holder === 0 ? i32at(its + field) === most : its === holder)) {
      best = at;
      bestAge = age;
    }
    at += FRAGMENT_CONTEXT_BYTES;
  }
  return best;
}

function holderOf(at: i32): i32 {
  return HOLDERS + u16at(at + HOLDER) * HOLDER_BYTES;
}

/** The holder of an address on a side, or 0. */
function findHolder(address: i32, side: i32): i32 {
  let at: i32 = HOLDERS + side * SIDE_COUNT * HOLDER_BYTES;
  for (let i: i32 = 0; i < SIDE_COUNT; i++) {
    if (i32at(at) === address && i32at(at + HOLDER_CONTEXTS) !== 0) return at;
    at += HOLDER_BYTES;
  }
  return 0;
}

/** The same, made if there is none: there are as many as contexts, and one of those is free. */
function enterHolder(address: i32, side: i32): i32 {
  const found: i32 = findHolder(address, side);
  if (found !== 0) return found;
  let at: i32 = HOLDERS + side * SIDE_COUNT * HOLDER_BYTES;
  for (let i: i32 = 1; i < SIDE_COUNT && i32at(at + HOLDER_CONTEXTS) !== 0; i++) at += HOLDER_BYTES;
  puti32(at, address);
  return at;
}

/** The most that a holder of the side has in a field. */
function mostOf(side: i32, field: i32): i32 {
  let most: i32 = 0;
  let at: i32 = HOLDERS + side * SIDE_COUNT * HOLDER_BYTES;
  for (let i: i32 = 0; i < SIDE_COUNT; i++) {
    if (i32at(at + field) > most) most = i32at(at + field);
    at += HOLDER_BYTES;
  }
  return most;
}
