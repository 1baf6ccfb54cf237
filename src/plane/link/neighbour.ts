// The neighbours: which station has a next hop's address. States and timers.
// RFC 826 (merge flag), RFC 1122, sections 2.3.2.1 (ageing, one request a second) and 2.3.2.2 (waiting packet).
// Not here: the records (neighbour-table.ts), the packets that wait (neighbour-queue.ts), the ARP packets (arp.ts,
// arp-input.ts); what the sender of a given-up packet is told (src/plane/ip/forward.ts).
//
//    FREE --look-up--> RESOLVING --heard--> REACHABLE --unused NEIGHBOUR_IDLE_TICKS--> FREE
//                       | no answer to        ^ ^ | |  heard last NEIGHBOUR_CONFIRMED_TICKS ago, used since
//                       v NEIGHBOUR_TRIES     | | | v
//                      FREE <--no answer------|-|-|-POLLING (still used)
//                                             | | | another station claims the address
//                                             | | v
//           the old one answers, or, after NEIGHBOUR_CHECKS, the new one has it -- DOUBTED (still used)
//
// Who claims an address that another station has is not believed before that one has been asked, by unicast, and
// is silent: a forged claim moves nobody, a host that is truly gone is replaced within three seconds.
//
// Timer (neighbourTick, "since"): RESOLVING, POLLING and DOUBTED count from the last request, REACHABLE from when
// it was last heard; DOUBTED without tries is one that was heard so shortly before that it is not asked yet.

import { NOW_AT } from '../../base/cells.ts';
import { count, DROP_ARP_FAILED, DROP_ARP_QUEUE_FULL } from '../../base/counters.ts';
import { IF_MAC, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import {
  ARP_STATE_AT,
  NEIGHBOUR_BYTES,
  NEIGHBOUR_CHECK_TICKS,
  NEIGHBOUR_CHECKS,
  NEIGHBOUR_CONFIRMED_TICKS,
  NEIGHBOUR_COUNT,
  NEIGHBOUR_HELD_LIMIT,
  NEIGHBOUR_IDLE_TICKS,
  NEIGHBOUR_RETRY_TICKS,
  NEIGHBOUR_SWEEP_TICKS,
  NEIGHBOUR_TRIES,
  NEIGHBOURS_AT,
  ROUTE_BYTES,
  ROUTE_COUNT,
  ROUTES_AT,
} from '../../base/limits.ts';
import { copy, get32, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  CLAIM,
  FIRST_WAITING,
  LAST_WAITING,
  NEIGHBOUR_ADDRESS,
  NEIGHBOUR_DOUBTED,
  NEIGHBOUR_FREE,
  NEIGHBOUR_HEADER,
  NEIGHBOUR_POLLING,
  NEIGHBOUR_REACHABLE,
  NEIGHBOUR_RESOLVING,
  NEIGHBOUR_SINCE,
  NEIGHBOUR_STATE,
  NEIGHBOUR_USED,
  neighbourInterface,
  neighbourState,
  TRIES,
  WAITING,
} from '../../base/neighbour-record.ts';
import { HELD, PACKET_IP, PACKET_NEXT, PACKET_NEXT_HOP, PACKET_OUT, PASS } from '../../base/packet.ts';
import { stationWord } from '../../base/punt-source.ts';
import { ROUTE_GATEWAY, ROUTE_INTERFACE, ROUTE_NOWHERE, ROUTE_USED } from '../../base/route-record.ts';
import { ethernetHead } from '../../wire/ethernet.ts';
import { IP_DESTINATION } from '../../wire/ipv4.ts';
import { arpPoll, arpRequest } from './arp.ts';
import { awaited, hold, letGo, makeRoom } from './neighbour-queue.ts';
import {
  checkHop,
  enterList,
  forgetLink,
  isStationOf,
  neighbourFind,
  neighbourFree,
  neighboursEver,
  neighbourTake,
  neverUsed,
  noteHop,
  noteUse,
  resetNeighbourTable,
  UNUSED_LIST,
  USED_LIST,
} from './neighbour-table.ts';
import { stationHeard } from './station.ts';
import { transmitLater } from './transmit.ts';

/** The record that the next tick looks at first, and the route. */
const PLACE: i32 = ARP_STATE_AT + 4;
const ROUTE_PLACE: i32 = ARP_STATE_AT + 60;
/** Head of the packets whose neighbour was given up (linked by PACKET_NEXT), for neighbourFailed(). */
const FAILED: i32 = ARP_STATE_AT + 8;
/** Records looked at in a tick; a divisor of their number. */
const PLACES_A_TICK: i32 = (NEIGHBOUR_COUNT / NEIGHBOUR_SWEEP_TICKS) | 0;

export function resetNeighbours(): void {
  resetNeighbourTable();
}

/**
 * Heads the frame for its next hop: PASS, transmit it. If the station is not known yet the packet is kept
 * (HELD) and a request goes out, or it is dropped.
 */
export function neighbourResolve(packet: i32): i32 {
  const at: i32 = neighbourFind(i32at(packet + PACKET_NEXT_HOP), i32at(packet + PACKET_OUT));
  if (at === 0 || u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) return wait(packet);
  ethernetHead(packet, at + NEIGHBOUR_HEADER);
  puti32(at + NEIGHBOUR_USED, i32at(NOW_AT));
  return PASS;
}

/** Keeps a packet until its next hop is known, and asks for it if nobody has yet. */
function wait(packet: i32): i32 {
  const holder: i32 = makeRoom(packet);
  if (holder < 0) return DROP_ARP_QUEUE_FULL;
  const index: i32 = i32at(packet + PACKET_OUT);
  const address: i32 = i32at(packet + PACKET_NEXT_HOP);
  const now: i32 = i32at(NOW_AT);
  let at: i32 = neighbourFind(address, index);
  if (at === 0) {
    at = neighbourTake(address, index);
    if (at === 0) return DROP_ARP_QUEUE_FULL;
    putu16(at + NEIGHBOUR_STATE, NEIGHBOUR_RESOLVING);
    putu16(at + TRIES, 1);
    puti32(at + NEIGHBOUR_SINCE, now);
    puti32(at + NEIGHBOUR_USED, now);
    if (address !== get32(packet + PACKET_IP + IP_DESTINATION)) noteHop(at, now);
    arpRequest(index, address);
  }
  hold(packet, at, holder);
  return HELD;
}

/**
 * A station said that it has an address: 6 bytes at `mac`. `wanted`: it spoke to us, so make an entry if there
 * is none (RFC 826: "Merge_flag"). Packets that waited are sent. 0 if it was not noted.
 */
export function neighbourHeard(index: i32, address: i32, mac: i32, wanted: i32): i32 {
  const now: i32 = i32at(NOW_AT);
  let at: i32 = neighbourFind(address, index);
  if (at === 0) {
    if (wanted === 0) return 0;
    at = neighbourTake(address, index);
    if (at === 0) return 0;
    puti32(at + NEIGHBOUR_USED, neverUsed(now));
    enterList(at, UNUSED_LIST);
    settle(at, index, mac);
  } else if (u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) {
    resolved(at, index, mac);
  } else if (isStationOf(at, mac) !== 0) {
    putu16(at + NEIGHBOUR_STATE, NEIGHBOUR_REACHABLE);
    puti32(at + NEIGHBOUR_SINCE, now);
  } else {
    doubt(at, mac, now);
  }
  return 1;
}

/** What has waited for the station goes out, a few frames a piece of work: all at once took a millisecond. */
function resolved(at: i32, index: i32, mac: i32): void {
  let waiting: i32 = i32at(at + FIRST_WAITING);
  settle(at, index, mac);
  enterList(at, USED_LIST);
  for (let i: i32 = 0; i < NEIGHBOUR_HELD_LIMIT && waiting !== 0; i++) {
    const packet: i32 = waiting;
    waiting = i32at(packet + PACKET_NEXT);
    letGo(packet);
    if (neighbourResolve(packet) === PASS) transmitLater(packet, index);
  }
}

/** The address is the station's from now on. */
function settle(at: i32, index: i32, mac: i32): void {
  copy(at + NEIGHBOUR_HEADER, mac, 6);
  copy(at + NEIGHBOUR_HEADER + 6, interfaceAt(index) + IF_MAC, 6);
  putu16(at + NEIGHBOUR_STATE, NEIGHBOUR_REACHABLE);
  puti32(at + NEIGHBOUR_SINCE, i32at(NOW_AT));
}

/** A station claims the address of another: that one is asked, once a second at most. */
function doubt(at: i32, mac: i32, now: i32): void {
  copy(at + CLAIM, mac, 6);
  if (u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_DOUBTED) return;
  const isRecent: i32 = ((now - i32at(at + NEIGHBOUR_SINCE)) | 0) < NEIGHBOUR_RETRY_TICKS ? 1 : 0;
  putu16(at + NEIGHBOUR_STATE, NEIGHBOUR_DOUBTED);
  putu16(at + TRIES, 0);
  if (isRecent === 0) poll(at, NEIGHBOUR_DOUBTED, 1, now);
}

/** Ages a slice of the table, and notes the next hop of a route. Packets given up: neighbourFailed(). */
export function neighbourTick(): void {
  const now: i32 = i32at(NOW_AT);
  const first: i32 = i32at(PLACE);
  // Above what was ever taken there is nobody.
  const places: i32 = first < neighboursEver() ? PLACES_A_TICK : 0;
  for (let place: i32 = first; place < first + places; place++) {
    const at: i32 = NEIGHBOURS_AT + place * NEIGHBOUR_BYTES;
    if (u16at(at + NEIGHBOUR_STATE) !== NEIGHBOUR_FREE) age(at, now);
  }
  puti32(PLACE, (first + PLACES_A_TICK) & (NEIGHBOUR_COUNT - 1));
  const number: i32 = i32at(ROUTE_PLACE);
  const route: i32 = ROUTES_AT + number * ROUTE_BYTES;
  puti32(ROUTE_PLACE, (number + 1) & (ROUTE_COUNT - 1));
  const index: i32 = i32at(route + ROUTE_INTERFACE);
  if (i32at(route + ROUTE_USED) !== 0 && i32at(route + ROUTE_GATEWAY) !== 0 && index !== ROUTE_NOWHERE) {
    const hop: i32 = neighbourFind(i32at(route + ROUTE_GATEWAY), index);
    if (hop !== 0) noteHop(hop, now);
  }
}

/** Whether neighbourFailed() has one. */
export function haveFailed(): i32 {
  return i32at(FAILED) !== 0 ? 1 : 0;
}

/** The next packet whose neighbour did not answer, or 0. It is counted, and the caller's. */
export function neighbourFailed(): i32 {
  const packet: i32 = i32at(FAILED);
  if (packet !== 0) puti32(FAILED, i32at(packet + PACKET_NEXT));
  return packet;
}

/** Forgets all neighbours of an interface, and gives up what waits for them. */
export function forgetNeighbours(index: i32): void {
  for (let i: i32 = 0; i < NEIGHBOUR_HELD_LIMIT; i++) {
    const at: i32 = awaited(i, index);
    if (at !== 0) giveUp(at);
  }
  forgetLink(index);
}

/** Asks again, gives up or forgets one entry, as its state and the time say. */
function age(at: i32, now: i32): void {
  const state: i32 = neighbourState(at);
  if (state === NEIGHBOUR_FREE) {
    neighbourFree(at);
    return;
  }
  checkHop(at, now);
  noteUse(at, now);
  // Who answers ARP inside is there, before it asks us for anything.
  if (
    state !== NEIGHBOUR_RESOLVING &&
    i32at(interfaceAt(neighbourInterface(at)) + IF_SIDE) !== INTERFACE_OUTSIDE
  )
    stationHeard(stationWord(at + NEIGHBOUR_HEADER));
  const since: i32 = (now - i32at(at + NEIGHBOUR_SINCE)) | 0;
  const tries: i32 = u16at(at + TRIES);
  if (state === NEIGHBOUR_REACHABLE) {
    const unused: i32 = (now - i32at(at + NEIGHBOUR_USED)) | 0;
    if (unused >= NEIGHBOUR_IDLE_TICKS) neighbourFree(at);
    else if (since >= NEIGHBOUR_CONFIRMED_TICKS && unused < since) poll(at, NEIGHBOUR_POLLING, 1, now);
  } else if (state === NEIGHBOUR_DOUBTED) {
    if (since < (tries === 0 ? NEIGHBOUR_RETRY_TICKS : NEIGHBOUR_CHECK_TICKS)) return;
    if (tries < NEIGHBOUR_CHECKS) poll(at, NEIGHBOUR_DOUBTED, tries + 1, now);
    else settle(at, neighbourInterface(at), at + CLAIM);
  } else if (since >= NEIGHBOUR_RETRY_TICKS) {
    if (tries >= NEIGHBOUR_TRIES) giveUp(at);
    else if (state === NEIGHBOUR_POLLING) poll(at, NEIGHBOUR_POLLING, tries + 1, now);
    else {
      putu16(at + TRIES, tries + 1);
      puti32(at + NEIGHBOUR_SINCE, now);
      arpRequest(neighbourInterface(at), i32at(at + NEIGHBOUR_ADDRESS));
    }
  }
}

/** Asks the station itself whether it is still there; meanwhile packets go on to it. */
function poll(at: i32, state: i32, tries: i32, now: i32): void {
  putu16(at + NEIGHBOUR_STATE, state);
  putu16(at + TRIES, tries);
  puti32(at + NEIGHBOUR_SINCE, now);
  arpPoll(neighbourInterface(at), i32at(at + NEIGHBOUR_ADDRESS), at + NEIGHBOUR_HEADER);
}

/** Frees an entry; packets that waited for it go to the failed ones. */
function giveUp(at: i32): void {
  if (u16at(at + NEIGHBOUR_STATE) === NEIGHBOUR_RESOLVING) {
    let packet: i32 = i32at(at + FIRST_WAITING);
    const waiting: i32 = u16at(at + WAITING);
    for (let i: i32 = 0; i < NEIGHBOUR_HELD_LIMIT && i < waiting; i++) {
      letGo(packet);
      count(DROP_ARP_FAILED);
      packet = i32at(packet + PACKET_NEXT);
    }
    puti32(i32at(at + LAST_WAITING) + PACKET_NEXT, i32at(FAILED));
    puti32(FAILED, i32at(at + FIRST_WAITING));
  }
  neighbourFree(at);
}
