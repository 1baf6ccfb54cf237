// Fragments on their way through: virtual reassembly. Only the first fragment has ports, so a context
// remembers them for the others; those that come before it wait. Each goes on as it came, in its own packet.
// RFC 791; what attackers do with fragments: RFC 1858, RFC 3128; overlaps drop the datagram: RFC 5722.
// Not here: the fragments that we make (transmit.ts).
//
// Each side of the masquerade has half of the contexts and of the waiting packets, so that a flood from
// outside leaves the inside its own. In a half, a context stands in one of FRAGMENT_WINDOW places.
//
//    0     4        8             12      16      20      24              32      36      40    44      48
//    | key | source | destination | since | ports | flags | waiting: 2    | state | id    | end | count | seen
//
//    key: id << 16 | protocol << 8 | 1; 0 free. seen: FRAGMENT_RANGE_COUNT ranges, disjoint and not touching,
//    each its start and end (u16) in units of 8 bytes.
//
// Timer (fragmentTick, "since" the first fragment that came): FRAGMENT_WAIT_TICKS without the one with the
// ports, or FRAGMENT_LIFE_TICKS, end the context.

import { NOW_AT } from './cells.ts';
import { adjust16 } from './checksum.ts';
import {
  count,
  DROP_FRAGMENT_LIMIT,
  DROP_FRAGMENT_MALFORMED,
  DROP_FRAGMENT_OVERLAP,
  DROP_FRAGMENT_TIMEOUT,
} from './counters.ts';
import { nextIdentification } from './identification.ts';
import { IF_SIDE, interfaceAt } from './interface.ts';
import {
  headerBytesOf,
  IP_CHECKSUM,
  IP_DESTINATION,
  IP_ID,
  IP_LENGTH,
  IP_MORE_FRAGMENTS,
  IP_OFFSET,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP,
} from './ipv4.ts';
import {
  FRAGMENT_CONTEXT_BYTES,
  FRAGMENT_CONTEXT_COUNT,
  FRAGMENT_HELD_LIMIT,
  FRAGMENT_LIFE_TICKS,
  FRAGMENT_RANGE_COUNT,
  FRAGMENT_STATE_AT,
  FRAGMENT_STATE_BYTES,
  FRAGMENT_WAIT_TICKS,
  FRAGMENT_WINDOW,
  FRAGMENTS_AT,
  POOL_RESERVE,
} from './limits.ts';
import { fill, get8, get16, get32, i32at, put16, puti32, putu16, u16at } from './memory.ts';
import {
  FLAG_ICMP_ERROR,
  HELD,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_NEXT,
  PACKET_PORTS,
  PASS,
} from './packet.ts';
import { poolFree, release } from './pool.ts';

const KEY: i32 = 0;
const SOURCE: i32 = 4;
const DESTINATION: i32 = 8;
const SINCE: i32 = 12;
const PORTS: i32 = 16;
/** FLAG_ICMP_ERROR of the first fragment. */
const FLAGS: i32 = 20;
const FIRST_WAITING: i32 = 24;
const LAST_WAITING: i32 = 28;
const STATE: i32 = 32;
/** Identification of our own, or -1. */
const IDENTIFICATION: i32 = 36;
/** Bytes of the whole datagram's payload, or -1 while the last fragment is missing. */
const END: i32 = 40;
const COUNT: i32 = 44;
/** The datagram is an echo request to us, answered fragment by fragment (local.ts). Half a word is enough. */
export const CONTEXT_ECHO: i32 = 46;
const SEEN: i32 = 48;

/** The first fragment has not come. */
const STATE_WAITING: i32 = 0;
/** It has: the ports are known. */
const STATE_OPEN: i32 = 1;
/** Its fragments lied: whatever else comes of it is dropped. */
const STATE_REFUSED: i32 = 2;

/** Waiting packets, a word a side; then the context that the next tick looks at. */
const HELD_PACKETS: i32 = FRAGMENT_STATE_AT;
const PLACE: i32 = FRAGMENT_STATE_AT + 8;
const SIDE_COUNT: i32 = (FRAGMENT_CONTEXT_COUNT / 2) | 0;
const SIDE_HELD_LIMIT: i32 = (FRAGMENT_HELD_LIMIT / 2) | 0;

export function resetFragments(): void {
  fill(FRAGMENTS_AT, 0, FRAGMENT_CONTEXT_COUNT * FRAGMENT_CONTEXT_BYTES);
  fill(FRAGMENT_STATE_AT, 0, FRAGMENT_STATE_BYTES);
}

/**
 * Finds or makes the fragment's context. PASS: the ports are known (PACKET_PORTS, PACKET_CONTEXT), go on, and
 * then take what fragmentNext() gives; HELD: it waits for the first one; or a drop.
 */
export function fragmentInput(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const word: i32 = get16(ip + IP_OFFSET);
  const headerBytes: i32 = headerBytesOf(ip);
  const bytes: i32 = get16(ip + IP_LENGTH) - headerBytes;
  const start: i32 = word & 0x1fff;
  const end: i32 = start * 8 + bytes;
  const more: i32 = word & IP_MORE_FRAGMENTS;
  if (bytes === 0 || end + headerBytes > 0xffff) return DROP_FRAGMENT_MALFORMED;
  if (more !== 0 && (bytes & 7) !== 0) return DROP_FRAGMENT_MALFORMED;
  // It would write over the TCP header that the first fragment must hold (RFC 1858, 4.2; RFC 3128).
  if (start !== 0 && start < 3 && get8(ip + IP_PROTOCOL) === PROTOCOL_TCP) return DROP_FRAGMENT_MALFORMED;
  const side: i32 = i32at(interfaceAt(i32at(packet + PACKET_IN)) + IF_SIDE);
  let at: i32 = find(ip, side);
  if (at === 0) at = take(ip, side);
  if (i32at(at + STATE) === STATE_REFUSED) return DROP_FRAGMENT_OVERLAP;
  const verdict: i32 = note(at, start, (end + 7) >> 3, more === 0 ? end : -1);
  if (verdict !== PASS) return verdict;
  if (start === 0) {
    puti32(at + PORTS, i32at(packet + PACKET_PORTS));
    puti32(at + FLAGS, i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR);
    puti32(at + STATE, STATE_OPEN);
  } else if (i32at(at + STATE) === STATE_WAITING) {
    return wait(packet, at, side);
  }
  join(packet, at);
  return PASS;
}

/**
 * After a fragment of the context has gone on: the next that waited, ready to go on, or 0. When all of the
 * datagram has passed, the context is free, though its fields stay until somebody takes it.
 */
export function fragmentNext(at: i32): i32 {
  const packet: i32 = i32at(at + FIRST_WAITING);
  if (packet === 0) {
    if (isComplete(at) !== 0) puti32(at + KEY, 0);
    return 0;
  }
  puti32(at + FIRST_WAITING, i32at(packet + PACKET_NEXT));
  letGo(at);
  join(packet, at);
  return packet;
}

/** Gives a masqueraded fragment the identification of our own that its datagram got (RFC 3022, 6.3). */
export function fragmentIdentify(packet: i32): void {
  const at: i32 = i32at(packet + PACKET_CONTEXT);
  const ip: i32 = packet + PACKET_IP;
  let id: i32 = i32at(at + IDENTIFICATION);
  if (id < 0) {
    id = nextIdentification(get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION));
    puti32(at + IDENTIFICATION, id);
  }
  adjust16(ip + IP_CHECKSUM, get16(ip + IP_ID), id);
  put16(ip + IP_ID, id);
}

/** Ends one context whose time is over; each is looked at every 0.64 s. */
export function fragmentTick(): void {
  const place: i32 = i32at(PLACE);
  puti32(PLACE, (place + 1) & (FRAGMENT_CONTEXT_COUNT - 1));
  const at: i32 = FRAGMENTS_AT + place * FRAGMENT_CONTEXT_BYTES;
  if (i32at(at + KEY) === 0) return;
  const limit: i32 = i32at(at + STATE) === STATE_WAITING ? FRAGMENT_WAIT_TICKS : FRAGMENT_LIFE_TICKS;
  if (((i32at(NOW_AT) - i32at(at + SINCE)) | 0) >= limit) {
    empty(at, DROP_FRAGMENT_TIMEOUT);
    puti32(at + KEY, 0);
  }
}

/** Makes a packet one of the context's. */
function join(packet: i32, at: i32): void {
  puti32(packet + PACKET_PORTS, i32at(at + PORTS));
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | i32at(at + FLAGS));
  puti32(packet + PACKET_CONTEXT, at);
}

/** Keeps a packet until the first fragment comes. */
function wait(packet: i32, at: i32, side: i32): i32 {
  const held: i32 = i32at(HELD_PACKETS + 4 * side);
  if (held >= SIDE_HELD_LIMIT || poolFree() < POOL_RESERVE) return DROP_FRAGMENT_LIMIT;
  puti32(HELD_PACKETS + 4 * side, held + 1);
  puti32(packet + PACKET_NEXT, 0);
  if (i32at(at + FIRST_WAITING) === 0) puti32(at + FIRST_WAITING, packet);
  else puti32(i32at(at + LAST_WAITING) + PACKET_NEXT, packet);
  puti32(at + LAST_WAITING, packet);
  return HELD;
}

/** One packet less waits. */
function letGo(at: i32): void {
  const held: i32 = HELD_PACKETS + (at >= FRAGMENTS_AT + SIDE_COUNT * FRAGMENT_CONTEXT_BYTES ? 4 : 0);
  puti32(held, i32at(held) - 1);
}

/** Drops all that waits in a context. */
function empty(at: i32, reason: i32): void {
  let packet: i32 = i32at(at + FIRST_WAITING);
  puti32(at + FIRST_WAITING, 0);
  for (let i: i32 = 0; i < FRAGMENT_HELD_LIMIT && packet !== 0; i++) {
    const next: i32 = i32at(packet + PACKET_NEXT);
    letGo(at);
    count(reason);
    release(packet);
    packet = next;
  }
}

/** The datagram's fragments lie: none of them passes any more. */
function refuse(at: i32): i32 {
  empty(at, DROP_FRAGMENT_OVERLAP);
  puti32(at + STATE, STATE_REFUSED);
  return DROP_FRAGMENT_OVERLAP;
}

/**
 * Notes what a fragment brings: units from start to end, and where the datagram ends, if it says so. What
 * has been seen is dropped alone (networks duplicate); what overlaps in part ends the datagram, and so do
 * two ends, or bytes behind the end.
 */
function note(at: i32, start: i32, end: i32, last: i32): i32 {
  const known: i32 = i32at(at + END);
  if (known >= 0 && (last >= 0 ? last !== known : end * 8 > known)) return refuse(at);
  let from: i32 = start;
  let to: i32 = end;
  let ranges: i32 = u16at(at + COUNT);
  let i: i32 = 0;
  // Each turn passes over a range or takes one away.
  while (i < ranges) {
    const range: i32 = at + SEEN + 4 * i;
    const low: i32 = u16at(range);
    const high: i32 = u16at(range + 2);
    if (from < high && low < to) return low <= from && to <= high ? DROP_FRAGMENT_OVERLAP : refuse(at);
    if (last >= 0 && high > end) return refuse(at);
    if (high === from || low === to) {
      if (high === from) from = low;
      else to = high;
      ranges--;
      puti32(range, i32at(at + SEEN + 4 * ranges));
    } else {
      i++;
    }
  }
  if (ranges === FRAGMENT_RANGE_COUNT) return DROP_FRAGMENT_LIMIT;
  putu16(at + SEEN + 4 * ranges, from);
  putu16(at + SEEN + 4 * ranges + 2, to);
  putu16(at + COUNT, ranges + 1);
  if (last >= 0) puti32(at + END, last);
  return PASS;
}

/** 1 if nothing is missing. */
function isComplete(at: i32): i32 {
  const end: i32 = i32at(at + END);
  if (end < 0 || i32at(at + STATE) !== STATE_OPEN || u16at(at + COUNT) !== 1) return 0;
  return u16at(at + SEEN) === 0 && u16at(at + SEEN + 2) === (end + 7) >> 3 ? 1 : 0;
}

function keyOf(ip: i32): i32 {
  return (get16(ip + IP_ID) << 16) | (get8(ip + IP_PROTOCOL) << 8) | 1;
}

/** Place of a datagram's context in its side's half. */
function home(ip: i32): i32 {
  const mixed: i32 = get32(ip + IP_SOURCE) ^ get32(ip + IP_DESTINATION) ^ get16(ip + IP_ID);
  return (mixed ^ (mixed >>> 5) ^ (mixed >>> 16)) & (SIDE_COUNT - 1);
}

/** The datagram's context, or 0. */
function find(ip: i32, side: i32): i32 {
  const key: i32 = keyOf(ip);
  const source: i32 = get32(ip + IP_SOURCE);
  const destination: i32 = get32(ip + IP_DESTINATION);
  const place: i32 = home(ip);
  for (let i: i32 = 0; i < FRAGMENT_WINDOW; i++) {
    const at: i32 = contextAt(side, place + i);
    if (i32at(at + KEY) === key && i32at(at + SOURCE) === source && i32at(at + DESTINATION) === destination) {
      return at;
    }
  }
  return 0;
}

/** A new context: a free place of the window, or its oldest, whose waiting packets are dropped. */
function take(ip: i32, side: i32): i32 {
  const now: i32 = i32at(NOW_AT);
  const place: i32 = home(ip);
  let best: i32 = 0;
  let bestAge: i32 = -1;
  for (let i: i32 = 0; i < FRAGMENT_WINDOW; i++) {
    const at: i32 = contextAt(side, place + i);
    const age: i32 = i32at(at + KEY) === 0 ? 0x7fffffff : (now - i32at(at + SINCE)) | 0;
    if (age > bestAge) {
      best = at;
      bestAge = age;
    }
  }
  if (i32at(best + KEY) !== 0) empty(best, DROP_FRAGMENT_LIMIT);
  fill(best, 0, FRAGMENT_CONTEXT_BYTES);
  puti32(best + KEY, keyOf(ip));
  puti32(best + SOURCE, get32(ip + IP_SOURCE));
  puti32(best + DESTINATION, get32(ip + IP_DESTINATION));
  puti32(best + SINCE, now);
  puti32(best + IDENTIFICATION, -1);
  puti32(best + END, -1);
  return best;
}

function contextAt(side: i32, place: i32): i32 {
  const index: i32 = side * SIDE_COUNT + (place & (SIDE_COUNT - 1));
  return FRAGMENTS_AT + index * FRAGMENT_CONTEXT_BYTES;
}
