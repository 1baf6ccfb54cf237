// The packets that wait for a neighbour's station address, and who may have how many of them.
// RFC 1122, section 2.3.2.2. Not here: the neighbours (neighbour.ts, neighbour-table.ts).
//
// Each packet is charged to a holder: the host for whose sake it waits. Nobody has more than NEIGHBOUR_HELD_SHARE;
// when all NEIGHBOUR_HELD_LIMIT are taken, whoever has the most gives one to who has less. So one who asks for
// addresses where nobody is takes nothing from another's first packet. The holder is
//
//    from inside             the station towards it: the host itself, or the router before its network
//    from outside            the inside host that it is for
//    answers of our own, and hosts whose station we do not know: all together one, for sources can be forged
//    control's               ourselves
//
// HELD has the packets, HOLDERS the holders with their counts. A packet knows its places in both (PACKET_SCRATCH:
// HELD << 8 | HOLDERS) and its turn (PACKET_SCRATCH + 4). Tables of 32 are searched from end to end.

import { count, DROP_ARP_QUEUE_FULL } from '../../base/counters.ts';
import { E_INSIDE } from '../../base/flow-record.ts';
import { ARP_STATE_AT, NEIGHBOUR_HELD_LIMIT, NEIGHBOUR_HELD_SHARE, POOL_RESERVE } from '../../base/limits.ts';
import { get32, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import { ARP_HELD, FIRST_WAITING, LAST_WAITING, WAITING } from '../../base/neighbour-record.ts';
import {
  FLAG_DESTINATION_TRANSLATED,
  FLAG_LOCAL,
  FLAG_SOURCE_TRANSLATED,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_IP,
  PACKET_NEXT,
  PACKET_NEXT_HOP,
  PACKET_OUT,
  PACKET_SCRATCH,
} from '../../base/packet.ts';
import { poolFree, release } from '../../base/pool.ts';
import { TO_NEXT_HOP } from '../../base/route-record.ts';
import { IP_SOURCE } from '../../wire/ipv4.ts';
import { routeTo } from '../ip/route.ts';
import { isSender } from '../ip/sender.ts';
import { neighbourFind, neighbourFree } from './neighbour-table.ts';

/** Packets that wait, and the turn of the one that came last. */
const HELD_ALL: i32 = ARP_STATE_AT;
const TURN: i32 = ARP_STATE_AT + 56;
/** Addresses of the packets; 0 is a free place. */
const HELD: i32 = ARP_HELD;
/** Address of the holder, and how many packets it has; 0 is a free place. */
const HOLDERS: i32 = HELD + 4 * NEIGHBOUR_HELD_LIMIT;

const STRANGERS: i32 = 0;
const OURSELVES: i32 = 1;

/** A place among the holders for a packet that is to wait, or -1. May end another's search to make room. */
export function makeRoom(packet: i32): i32 {
  const who: i32 = holderOf(packet);
  let mine: i32 = -1;
  let free: i32 = -1;
  let most: i32 = 0;
  for (let i: i32 = 0; i < NEIGHBOUR_HELD_LIMIT; i++) {
    const has: i32 = i32at(HOLDERS + 8 * i + 4);
    if (has === 0) {
      if (free < 0) free = i;
    } else {
      if (i32at(HOLDERS + 8 * i) === who) mine = i;
      if (has > i32at(HOLDERS + 8 * most + 4)) most = i;
    }
  }
  const has: i32 = mine < 0 ? 0 : i32at(HOLDERS + 8 * mine + 4);
  if (has >= NEIGHBOUR_HELD_SHARE) return -1;
  if (i32at(HELD_ALL) >= NEIGHBOUR_HELD_LIMIT || poolFree() < POOL_RESERVE) {
    // One more than ours at least, or the two would take it from each other in turn.
    if (i32at(HOLDERS + 8 * most + 4) <= has + 1) return -1;
    dropOldest(most);
  }
  if (mine < 0) mine = free;
  puti32(HOLDERS + 8 * mine, who);
  return mine;
}

/** Appends a packet to those that wait for the neighbour; `holder` is what makeRoom() answered. */
export function hold(packet: i32, at: i32, holder: i32): void {
  const waiting: i32 = u16at(at + WAITING);
  puti32(packet + PACKET_NEXT, 0);
  if (waiting === 0) puti32(at + FIRST_WAITING, packet);
  else puti32(i32at(at + LAST_WAITING) + PACKET_NEXT, packet);
  puti32(at + LAST_WAITING, packet);
  putu16(at + WAITING, waiting + 1);
  let place: i32 = 0;
  while (place < NEIGHBOUR_HELD_LIMIT && i32at(HELD + 4 * place) !== 0) place++;
  const turn: i32 = (i32at(TURN) + 1) | 0;
  puti32(TURN, turn);
  puti32(HELD + 4 * place, packet);
  puti32(packet + PACKET_SCRATCH, (place << 8) | holder);
  puti32(packet + PACKET_SCRATCH + 4, turn);
  puti32(HOLDERS + 8 * holder + 4, i32at(HOLDERS + 8 * holder + 4) + 1);
  puti32(HELD_ALL, i32at(HELD_ALL) + 1);
}

/** The packet waits no more. Its link to the next one is left. */
export function letGo(packet: i32): void {
  const places: i32 = i32at(packet + PACKET_SCRATCH);
  const has: i32 = HOLDERS + 8 * (places & 0xff) + 4;
  puti32(HELD + 4 * (places >>> 8), 0);
  puti32(has, i32at(has) - 1);
  puti32(HELD_ALL, i32at(HELD_ALL) - 1);
}

/** The neighbour that packet number `i` waits for, if it is one of the interface; or 0. */
export function awaited(i: i32, index: i32): i32 {
  const packet: i32 = i32at(HELD + 4 * i);
  if (packet === 0 || i32at(packet + PACKET_OUT) !== index) return 0;
  return neighbourFind(i32at(packet + PACKET_NEXT_HOP), index);
}

/** For whose sake a packet waits. */
function holderOf(packet: i32): i32 {
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  const flow: i32 = i32at(packet + PACKET_FLOW) & ~1;
  const index: i32 = i32at(packet + PACKET_IN);
  if (index < 0) return OURSELVES;
  // An answer of our own in a flow that a rule has led to us (turnOwn in src/plane/flow/turned.ts).
  if (flow === 0 && (flags & (FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED)) !== 0) return STRANGERS;
  if ((flags & FLAG_DESTINATION_TRANSLATED) !== 0) return i32at(flow + E_INSIDE);
  if ((flags & FLAG_LOCAL) !== 0) return STRANGERS;
  const isTranslated: i32 = flags & FLAG_SOURCE_TRANSLATED;
  const inside: i32 = isTranslated !== 0 ? i32at(flow + E_INSIDE) : get32(packet + PACKET_IP + IP_SOURCE);
  return isSender(packet, inside) === 0 ? STRANGERS : i32at(routeTo(inside) + TO_NEXT_HOP);
}

/** Drops the packet of a holder that has waited longest; a search for which nothing waits any more ends. */
function dropOldest(holder: i32): void {
  let oldest: i32 = 0;
  for (let i: i32 = 0; i < NEIGHBOUR_HELD_LIMIT; i++) {
    const packet: i32 = i32at(HELD + 4 * i);
    if (packet === 0 || (i32at(packet + PACKET_SCRATCH) & 0xff) !== holder) continue;
    const turn: i32 = i32at(packet + PACKET_SCRATCH + 4);
    if (oldest === 0 || ((turn - i32at(oldest + PACKET_SCRATCH + 4)) | 0) < 0) oldest = packet;
  }
  if (oldest === 0) return;
  const at: i32 = neighbourFind(i32at(oldest + PACKET_NEXT_HOP), i32at(oldest + PACKET_OUT));
  letGo(oldest);
  takeOut(oldest, at);
  count(DROP_ARP_QUEUE_FULL);
  release(oldest);
  if (u16at(at + WAITING) === 0) neighbourFree(at);
}

/** Takes a packet out of the neighbour's queue. */
function takeOut(packet: i32, at: i32): void {
  const next: i32 = i32at(packet + PACKET_NEXT);
  let before: i32 = 0;
  let here: i32 = i32at(at + FIRST_WAITING);
  for (let i: i32 = 0; i < NEIGHBOUR_HELD_LIMIT && here !== packet; i++) {
    before = here;
    here = i32at(here + PACKET_NEXT);
  }
  if (before === 0) puti32(at + FIRST_WAITING, next);
  else puti32(before + PACKET_NEXT, next);
  if (i32at(at + LAST_WAITING) === packet) puti32(at + LAST_WAITING, before);
  putu16(at + WAITING, u16at(at + WAITING) - 1);
}
