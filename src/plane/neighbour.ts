// The neighbours: which station has a next hop's address, and the packets that wait to learn it.
// RFC 826 (merge flag), RFC 1122, sections 2.3.2.1 (ageing, one request a second) and 2.3.2.2 (waiting packet).
// Not here: the ARP packets (arp.ts, arp-input.ts); what the sender of a given-up packet is told (forward.ts).
//
// A neighbour stands in one of NEIGHBOUR_WINDOW places from its own on, so that a look-up is bounded, a free
// place needs no mark, and a network of 256 addresses fills the table without a collision.
//
//    0         4           8                                     20      22      24      28
//    | address | interface | Ethernet header: destination, ours  | state | tries | since | used |
//                          | first and last waiting, how many    |                           while RESOLVING
//
//    FREE --look-up--> RESOLVING --heard--> REACHABLE --unused NEIGHBOUR_IDLE_TICKS--> FREE
//                       | no answer to          ^ |  heard last NEIGHBOUR_CONFIRMED_TICKS ago, used since
//                       v NEIGHBOUR_TRIES       | v
//                      FREE <--no answer------- POLLING (still used)
//
// Timer (neighbourTick, "since"): RESOLVING and POLLING count from the last request, REACHABLE from when it
// was last heard.

import { arpPoll, arpRequest } from './arp.ts';
import { NOW_AT } from './cells.ts';
import { count, DROP_ARP_FAILED, DROP_ARP_QUEUE_FULL } from './counters.ts';
import { IF_MAC, interfaceAt } from './interface.ts';
import {
  ARP_STATE_AT,
  ARP_STATE_BYTES,
  NEIGHBOUR_BYTES,
  NEIGHBOUR_CONFIRMED_TICKS,
  NEIGHBOUR_COUNT,
  NEIGHBOUR_HELD_LIMIT,
  NEIGHBOUR_IDLE_TICKS,
  NEIGHBOUR_QUEUE_LIMIT,
  NEIGHBOUR_RETRY_TICKS,
  NEIGHBOUR_TRIES,
  NEIGHBOUR_WINDOW,
  NEIGHBOURS_AT,
  POOL_RESERVE,
} from './limits.ts';
import { copy, fill, i32at, put16, puti32, putu16, u16at } from './memory.ts';
import { HELD, PACKET_FRAME, PACKET_NEXT, PACKET_NEXT_HOP, PACKET_OUT, PASS } from './packet.ts';
import { poolFree, release } from './pool.ts';
import { transmit } from './transmit.ts';

export const NEIGHBOUR_ADDRESS: i32 = 0;
export const NEIGHBOUR_INTERFACE: i32 = 4;
/** 12 bytes ready for a frame: the neighbour's address, then ours. */
export const NEIGHBOUR_HEADER: i32 = 8;
const FIRST_WAITING: i32 = 8;
const LAST_WAITING: i32 = 12;
const WAITING: i32 = 16;
export const NEIGHBOUR_STATE: i32 = 20;
const TRIES: i32 = 22;
export const NEIGHBOUR_SINCE: i32 = 24;
export const NEIGHBOUR_USED: i32 = 28;

export const NEIGHBOUR_FREE: i32 = 0;
export const NEIGHBOUR_RESOLVING: i32 = 1;
export const NEIGHBOUR_REACHABLE: i32 = 2;
export const NEIGHBOUR_POLLING: i32 = 3;

/** Packets that wait for all neighbours together, and the place that the next tick looks at. */
const HELD_ALL: i32 = ARP_STATE_AT;
const PLACE: i32 = ARP_STATE_AT + 4;
/** Head of the packets whose neighbour was given up (linked by PACKET_NEXT), for neighbourFailed(). */
const FAILED: i32 = ARP_STATE_AT + 8;
/** Places looked at in a tick: the whole table in 0.64 s. */
const PLACES_A_TICK: i32 = 4;

export function resetNeighbours(): void {
  fill(NEIGHBOURS_AT, 0, NEIGHBOUR_COUNT * NEIGHBOUR_BYTES);
  fill(ARP_STATE_AT, 0, ARP_STATE_BYTES);
}

/**
 * Heads the frame for its next hop: PASS, transmit it. If the station is not known yet the packet is kept
 * (HELD) and a request goes out, or it is dropped.
 */
export function neighbourResolve(packet: i32): i32 {
  const index: i32 = i32at(packet + PACKET_OUT);
  const address: i32 = i32at(packet + PACKET_NEXT_HOP);
  const at: i32 = find(address, index);
  if (at === 0) return ask(packet, address, index);
  if (u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) return wait(packet, at);
  const frame: i32 = packet + PACKET_FRAME;
  copy(frame, at + NEIGHBOUR_HEADER, 12);
  put16(frame + 12, 0x0800);
  puti32(at + NEIGHBOUR_USED, i32at(NOW_AT));
  return PASS;
}

/**
 * A station said that it has an address: 6 bytes at `mac`. `wanted`: it spoke to us, so make an entry if there
 * is none (RFC 826: "Merge_flag"). Packets that waited are sent. 0 if it was not noted.
 */
export function neighbourHeard(index: i32, address: i32, mac: i32, wanted: i32): i32 {
  let at: i32 = find(address, index);
  if (at === 0) {
    if (wanted === 0) return 0;
    at = take(address, index, 0);
    if (at === 0) return 0;
    puti32(at + NEIGHBOUR_ADDRESS, address);
    puti32(at + NEIGHBOUR_INTERFACE, index);
    // Nobody has used it yet: the first to go when place is needed.
    puti32(at + NEIGHBOUR_USED, (i32at(NOW_AT) - NEIGHBOUR_IDLE_TICKS + NEIGHBOUR_CONFIRMED_TICKS) | 0);
  }
  let waiting: i32 = 0;
  if (u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) {
    waiting = i32at(at + FIRST_WAITING);
    puti32(HELD_ALL, i32at(HELD_ALL) - i32at(at + WAITING));
  }
  copy(at + NEIGHBOUR_HEADER, mac, 6);
  copy(at + NEIGHBOUR_HEADER + 6, interfaceAt(index) + IF_MAC, 6);
  putu16(at + NEIGHBOUR_STATE, NEIGHBOUR_REACHABLE);
  puti32(at + NEIGHBOUR_SINCE, i32at(NOW_AT));
  for (let i: i32 = 0; i < NEIGHBOUR_QUEUE_LIMIT && waiting !== 0; i++) {
    const packet: i32 = waiting;
    waiting = i32at(packet + PACKET_NEXT);
    if (neighbourResolve(packet) === PASS) transmit(packet, index);
  }
  return 1;
}

/** Ages a slice of the table. Packets given up are then taken with neighbourFailed(). */
export function neighbourTick(): void {
  const now: i32 = i32at(NOW_AT);
  let place: i32 = i32at(PLACE);
  for (let i: i32 = 0; i < PLACES_A_TICK; i++) {
    age(NEIGHBOURS_AT + place * NEIGHBOUR_BYTES, now);
    place = (place + 1) & (NEIGHBOUR_COUNT - 1);
  }
  puti32(PLACE, place);
}

/** The next packet whose neighbour did not answer, or 0. It is counted, and the caller's. */
export function neighbourFailed(): i32 {
  const packet: i32 = i32at(FAILED);
  if (packet !== 0) puti32(FAILED, i32at(packet + PACKET_NEXT));
  return packet;
}

/** Forgets all neighbours of an interface, and gives up what waits for them. */
export function forgetNeighbours(index: i32): void {
  for (let i: i32 = 0; i < NEIGHBOUR_COUNT; i++) {
    const at: i32 = NEIGHBOURS_AT + i * NEIGHBOUR_BYTES;
    if (u16at(at + NEIGHBOUR_STATE) !== NEIGHBOUR_FREE && i32at(at + NEIGHBOUR_INTERFACE) === index)
      giveUp(at);
  }
}

/** Address of the entry, or 0. */
function find(address: i32, index: i32): i32 {
  const place: i32 = home(address, index);
  const at: i32 = NEIGHBOURS_AT + place * NEIGHBOUR_BYTES;
  if (i32at(at + NEIGHBOUR_ADDRESS) === address && i32at(at + NEIGHBOUR_INTERFACE) === index) return at;
  return findAway(address, index, place);
}

/** The same behind the neighbour's own place. */
function findAway(address: i32, index: i32, from: i32): i32 {
  let place: i32 = (from + 1) & (NEIGHBOUR_COUNT - 1);
  for (let i: i32 = 1; i < NEIGHBOUR_WINDOW; i++) {
    const at: i32 = NEIGHBOURS_AT + place * NEIGHBOUR_BYTES;
    if (i32at(at + NEIGHBOUR_ADDRESS) === address && i32at(at + NEIGHBOUR_INTERFACE) === index) return at;
    place = (place + 1) & (NEIGHBOUR_COUNT - 1);
  }
  return 0;
}

/** A free entry has address 0, which is nobody's, so look-ups need not ask for its state. */
function home(address: i32, index: i32): i32 {
  return (address + (index << 7)) & (NEIGHBOUR_COUNT - 1);
}

/** Begins to resolve an address, with the first packet that waits for it. */
function ask(packet: i32, address: i32, index: i32): i32 {
  if (mayWait() === 0) return DROP_ARP_QUEUE_FULL;
  const at: i32 = take(address, index, 1);
  if (at === 0) return DROP_ARP_QUEUE_FULL;
  puti32(at + NEIGHBOUR_ADDRESS, address);
  puti32(at + NEIGHBOUR_INTERFACE, index);
  putu16(at + NEIGHBOUR_STATE, NEIGHBOUR_RESOLVING);
  putu16(at + TRIES, 1);
  puti32(at + NEIGHBOUR_SINCE, i32at(NOW_AT));
  puti32(at + NEIGHBOUR_USED, i32at(NOW_AT));
  puti32(at + FIRST_WAITING, 0);
  puti32(at + WAITING, 0);
  arpRequest(index, address);
  return wait(packet, at);
}

/** Appends a packet to those that wait for the neighbour. */
function wait(packet: i32, at: i32): i32 {
  const waiting: i32 = i32at(at + WAITING);
  if (waiting >= NEIGHBOUR_QUEUE_LIMIT || mayWait() === 0) return DROP_ARP_QUEUE_FULL;
  puti32(packet + PACKET_NEXT, 0);
  if (waiting === 0) puti32(at + FIRST_WAITING, packet);
  else puti32(i32at(at + LAST_WAITING) + PACKET_NEXT, packet);
  puti32(at + LAST_WAITING, packet);
  puti32(at + WAITING, waiting + 1);
  puti32(HELD_ALL, i32at(HELD_ALL) + 1);
  return HELD;
}

function mayWait(): i32 {
  return i32at(HELD_ALL) < NEIGHBOUR_HELD_LIMIT && poolFree() >= POOL_RESERVE ? 1 : 0;
}

/**
 * A place for a new neighbour: a free one, or else the one in the window that is missed least. One in use is
 * never taken: used in the last NEIGHBOUR_CONFIRMED_TICKS and answering. One that nobody used goes first, then
 * the oldest that has not answered yet, and that only for another one that is asked for: so a flood of made-up
 * addresses pushes out only itself.
 */
function take(address: i32, index: i32, asked: i32): i32 {
  const now: i32 = i32at(NOW_AT);
  let place: i32 = home(address, index);
  let best: i32 = 0;
  let bestValue: i32 = 0;
  for (let i: i32 = 0; i < NEIGHBOUR_WINDOW; i++) {
    const at: i32 = NEIGHBOURS_AT + place * NEIGHBOUR_BYTES;
    const state: i32 = u16at(at + NEIGHBOUR_STATE);
    if (state === NEIGHBOUR_FREE) return at;
    const unused: i32 = (now - i32at(at + NEIGHBOUR_USED)) | 0;
    let value: i32 = 0;
    if (state === NEIGHBOUR_RESOLVING) value = asked !== 0 ? 1 + unused : 0;
    else if (unused >= NEIGHBOUR_CONFIRMED_TICKS) value = NEIGHBOUR_IDLE_TICKS + unused;
    if (value > bestValue) {
      best = at;
      bestValue = value;
    }
    place = (place + 1) & (NEIGHBOUR_COUNT - 1);
  }
  // Who waited for it is dropped without a word: there was no time for an answer, so nothing is known.
  if (best !== 0) giveUpSilently(best);
  return best;
}

/** Asks again, gives up or forgets one entry, as its state and the time say. */
function age(at: i32, now: i32): void {
  const state: i32 = u16at(at + NEIGHBOUR_STATE);
  if (state === NEIGHBOUR_FREE) return;
  const since: i32 = (now - i32at(at + NEIGHBOUR_SINCE)) | 0;
  if (state === NEIGHBOUR_REACHABLE) {
    const unused: i32 = (now - i32at(at + NEIGHBOUR_USED)) | 0;
    if (unused >= NEIGHBOUR_IDLE_TICKS) giveUp(at);
    else if (since >= NEIGHBOUR_CONFIRMED_TICKS && unused < since) poll(at, 1, now);
    return;
  }
  if (since < NEIGHBOUR_RETRY_TICKS) return;
  const tries: i32 = u16at(at + TRIES);
  if (tries >= NEIGHBOUR_TRIES) giveUp(at);
  else if (state === NEIGHBOUR_POLLING) poll(at, tries + 1, now);
  else {
    putu16(at + TRIES, tries + 1);
    puti32(at + NEIGHBOUR_SINCE, now);
    arpRequest(i32at(at + NEIGHBOUR_INTERFACE), i32at(at + NEIGHBOUR_ADDRESS));
  }
}

/** Asks the station itself whether it is still there; meanwhile packets go on to it. */
function poll(at: i32, tries: i32, now: i32): void {
  putu16(at + NEIGHBOUR_STATE, NEIGHBOUR_POLLING);
  putu16(at + TRIES, tries);
  puti32(at + NEIGHBOUR_SINCE, now);
  arpPoll(i32at(at + NEIGHBOUR_INTERFACE), i32at(at + NEIGHBOUR_ADDRESS), at + NEIGHBOUR_HEADER);
}

/** Frees an entry; packets that waited for it go to the failed ones. */
function giveUp(at: i32): void {
  if (u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) {
    const waiting: i32 = i32at(at + WAITING);
    puti32(HELD_ALL, i32at(HELD_ALL) - waiting);
    for (let i: i32 = 0; i < waiting; i++) count(DROP_ARP_FAILED);
    if (waiting !== 0) {
      puti32(i32at(at + LAST_WAITING) + PACKET_NEXT, i32at(FAILED));
      puti32(FAILED, i32at(at + FIRST_WAITING));
    }
  }
  fill(at, 0, NEIGHBOUR_BYTES);
}

/** Frees an entry; packets that waited for it are dropped. */
function giveUpSilently(at: i32): void {
  if (u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) {
    const waiting: i32 = i32at(at + WAITING);
    puti32(HELD_ALL, i32at(HELD_ALL) - waiting);
    let packet: i32 = i32at(at + FIRST_WAITING);
    for (let i: i32 = 0; i < waiting; i++) {
      const next: i32 = i32at(packet + PACKET_NEXT);
      count(DROP_ARP_FAILED);
      release(packet);
      packet = next;
    }
  }
  fill(at, 0, NEIGHBOUR_BYTES);
}
