// Dial on demand: a link that is down and has its way to the world all the same, as a packet that would leave by it makes control dial. Here: the
// packets that wait until it is up.
//
//    forward: routed by a link that is down --demandHold()--> waits --up: demandNext()--> routed and masqueraded, as if it came now
//                                              |   '--late, or no call: dropped, its sender is told
//                                              '--> control is asked for a call, once in DEMAND_QUIET_TICKS
//
// A packet waits as it came: its flow is made when the address is known, so none is ever masqueraded by a call's address that is
// over. Rules have been asked before, so what they refuse dials nobody; they are asked again when it goes, and count it twice.
//
// Places are few, so that nobody has many: DEMAND_HOST_PLACES a host, and where none is free one of who has most (line-limits.ts). A TCP segment that
// is there already is sent again, and dropped. Fragments, and what goes on in a flow that
// rules have turned to another address, dial and do not wait.
// Of the rest of a flow (TCP that does not open) nothing dials: whom it is of may be somebody else's by now, and a new call's address is another.
//
// Not here: which packets may dial (demand-words.ts), the call (src/control/ppp/), routes (src/plane/ip/route.ts).

import { DEMAND_ASKED_AT, DEMAND_HELD_AT, DEMAND_LINKS_AT, NOW_AT } from '../../base/cells.ts';
import { count, DROP_INTERFACE_DOWN, DROP_NO_CALL, DROP_TRANSMIT_FULL } from '../../base/counters.ts';
import {
  DEMAND_OWN,
  DEMAND_PACKET,
  DEMAND_QUIET,
  DEMAND_REFUSED,
  DEMAND_TICK,
  demandAt,
  demandPlace,
  WANTED_DESTINATION_AT,
  WANTED_LINK_AT,
  WANTED_PACKET_AT,
  WANTED_PORTS_AT,
  WANTED_PROTOCOL_AT,
  WANTED_SOURCE_AT,
} from '../../base/demand-record.ts';
import { IF_STATE, INTERFACE_UP, interfaceAt } from '../../base/interface.ts';
import { DEMAND_AT, TICKS_PER_SECOND } from '../../base/limits.ts';
import {
  DEMAND_BYTES,
  DEMAND_HOLD_SECONDS,
  DEMAND_HOST_PLACES,
  DEMAND_PLACES,
  DEMAND_QUIET_TICKS,
} from '../../base/line-limits.ts';
import { fill, get8, get16, get32, i32at, puti32 } from '../../base/memory.ts';
import {
  FLAG_ASKED,
  FLAG_DESTINATION_TRANSLATED,
  FLAG_FLOW_MARKED,
  FLAG_MARKED,
  FLAG_SOURCE_TRANSLATED,
  HELD,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_MARK,
  PACKET_OUT,
} from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import {
  headerBytesOf,
  IP_DESTINATION,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  SOURCE_PORT,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { flushRoutes } from '../ip/route.ts';
import { isMeant, isOfWords, NO_PORT } from './demand-words.ts';

const HOLD_TICKS: i32 = DEMAND_HOLD_SECONDS * TICKS_PER_SECOND;

/** No link is dialled by packets. */
export function resetDemand(): void {
  fill(DEMAND_AT, 0, DEMAND_BYTES);
  puti32(DEMAND_LINKS_AT, 0);
  puti32(DEMAND_ASKED_AT, 0);
  puti32(DEMAND_HELD_AT, 0);
}

// --- what control sets ------------------------------------------------------------------------------------------------

/**
 * Whether packets dial a link. What waited for one that is not any more is dropped; where some wait still, as control was started again, it is
 * asked once more.
 */
export function demandSet(link: i32, isOn: i32): void {
  const record: i32 = demandAt(link);
  if (record === 0) return;
  const bit: i32 = 1 << link;
  puti32(record + DEMAND_QUIET, i32at(NOW_AT));
  puti32(record + DEMAND_REFUSED, 0);
  puti32(DEMAND_LINKS_AT, (i32at(DEMAND_LINKS_AT) & ~bit) | (isOn !== 0 ? bit : 0));
  // Its ways lead somewhere now, or nowhere.
  flushRoutes();
  if (isOn === 0) {
    puti32(DEMAND_ASKED_AT, i32at(DEMAND_ASKED_AT) & ~bit);
    giveUp(link);
    return;
  }
  for (let n: i32 = 0; n < DEMAND_PLACES; n++) {
    const packet: i32 = i32at(demandPlace(n) + DEMAND_PACKET);
    if (packet !== 0 && i32at(packet + PACKET_OUT) === link) ask(packet, link, packet);
  }
}

/** Control has heard of the packet that dials: a call is made, or it cannot be, and then what waits is dropped. */
export function demandAnswer(link: i32, isMade: i32): void {
  const record: i32 = demandAt(link);
  if (record === 0) return;
  puti32(DEMAND_ASKED_AT, i32at(DEMAND_ASKED_AT) & ~(1 << link));
  puti32(record + DEMAND_QUIET, (i32at(NOW_AT) + DEMAND_QUIET_TICKS) | 0);
  puti32(record + DEMAND_REFUSED, isMade !== 0 ? 0 : 1);
  if (isMade === 0) giveUp(link);
}

/** What waits for a link has waited long enough. */
function giveUp(link: i32): void {
  for (let n: i32 = 0; n < DEMAND_PLACES; n++) {
    const place: i32 = demandPlace(n);
    const packet: i32 = i32at(place + DEMAND_PACKET);
    if (packet !== 0 && i32at(packet + PACKET_OUT) === link)
      puti32(place + DEMAND_TICK, (i32at(NOW_AT) - HOLD_TICKS) | 0);
  }
}

/** The router itself wants to send by a link that is down: dials if a word says so. */
export function demandOwn(packet: i32, link: i32): void {
  const record: i32 = demandAt(link);
  if (record === 0 || ((i32at(DEMAND_LINKS_AT) >> link) & 1) === 0) return;
  if (
    isMeant(record, DEMAND_OWN, NO_PORT) !== 0 &&
    isOfWords(record, packet, 0) !== 0 &&
    isQuiet(record) === 0
  )
    ask(packet, link, 0);
}

// --- those that wait ---------------------------------------------------------------------------------------------------

/** A packet that is routed by a link that is down: HELD, it waits for the call that it has dialled; or why it is dropped. */
export function demandHold(packet: i32, link: i32): i32 {
  const record: i32 = demandAt(link);
  if (record === 0 || isOfWords(record, packet, 0) === 0) return DROP_INTERFACE_DOWN;
  const quiet: i32 = isQuiet(record);
  if (quiet !== 0 && i32at(record + DEMAND_REFUSED) !== 0) return DROP_NO_CALL;
  const isTurned: i32 = i32at(packet + PACKET_FLAGS) & (FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED);
  const mayWait: i32 = i32at(packet + PACKET_CONTEXT) === 0 && isTurned === 0 ? 1 : 0;
  const place: i32 = mayWait !== 0 ? placeFor(packet) : 0;
  if (quiet === 0) ask(packet, link, place === 0 ? 0 : packet);
  if (place === 0) return DROP_TRANSMIT_FULL;
  puti32(place + DEMAND_PACKET, packet);
  puti32(place + DEMAND_TICK, i32at(NOW_AT));
  puti32(DEMAND_HELD_AT, i32at(DEMAND_HELD_AT) + 1);
  return HELD;
}

/** What lies further ahead is of another turn of the clock: nobody has asked since. */
function isQuiet(record: i32): i32 {
  const left: i32 = (i32at(record + DEMAND_QUIET) - i32at(NOW_AT)) | 0;
  return left > 0 && left <= DEMAND_QUIET_TICKS ? 1 : 0;
}

/** Asks control for a call, and notes who wants it; `held`: the packet, if it waits. */
function ask(packet: i32, link: i32, held: i32): void {
  const asked: i32 = i32at(DEMAND_ASKED_AT);
  // One link's is told after another's, and who was first stays.
  if (asked !== 0) return;
  const ip: i32 = packet + PACKET_IP;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const hasPorts: i32 =
    (protocol === TCP || protocol === UDP) && (get16(ip + IP_OFFSET) & IP_OFFSET_UNITS) === 0 ? 1 : 0;
  puti32(WANTED_LINK_AT, link);
  puti32(WANTED_SOURCE_AT, get32(ip + IP_SOURCE));
  puti32(WANTED_DESTINATION_AT, get32(ip + IP_DESTINATION));
  puti32(WANTED_PROTOCOL_AT, protocol);
  puti32(WANTED_PORTS_AT, hasPorts !== 0 ? get32(ip + headerBytesOf(ip) + SOURCE_PORT) : 0);
  puti32(WANTED_PACKET_AT, held);
  puti32(DEMAND_ASKED_AT, 1 << link);
}

/** A place for a packet: a free one, or that of who has most; 0 if there is none for it. */
function placeFor(packet: i32): i32 {
  const source: i32 = get32(packet + PACKET_IP + IP_SOURCE);
  let free: i32 = 0;
  let own: i32 = 0;
  for (let n: i32 = 0; n < DEMAND_PLACES; n++) {
    const place: i32 = demandPlace(n);
    const other: i32 = i32at(place + DEMAND_PACKET);
    if (other === 0) {
      if (free === 0) free = place;
    } else if (get32(other + PACKET_IP + IP_SOURCE) === source) {
      if (isSentAgain(packet, other) !== 0) return 0;
      own += 1;
    }
  }
  if (own >= DEMAND_HOST_PLACES) return 0;
  return free !== 0 ? free : placeOfMost(own);
}

/** The same connection's opening, sent once more. */
function isSentAgain(packet: i32, other: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const at: i32 = other + PACKET_IP;
  if (get8(ip + IP_PROTOCOL) !== TCP || get8(at + IP_PROTOCOL) !== TCP) return 0;
  if (get32(ip + IP_DESTINATION) !== get32(at + IP_DESTINATION)) return 0;
  return get32(ip + headerBytesOf(ip)) === get32(at + headerBytesOf(at)) ? 1 : 0;
}

/** Of the host with most places, if it has two more than `own`, its latest place, which is free then; else 0. */
function placeOfMost(own: i32): i32 {
  let most: i32 = own + 1;
  let found: i32 = 0;
  for (let n: i32 = 0; n < DEMAND_PLACES; n++) {
    const source: i32 = get32(i32at(demandPlace(n) + DEMAND_PACKET) + PACKET_IP + IP_SOURCE);
    let places: i32 = 0;
    let last: i32 = 0;
    for (let m: i32 = 0; m < DEMAND_PLACES; m++) {
      const place: i32 = demandPlace(m);
      if (get32(i32at(place + DEMAND_PACKET) + PACKET_IP + IP_SOURCE) !== source) continue;
      places += 1;
      if (last === 0 || ((i32at(place + DEMAND_TICK) - i32at(last + DEMAND_TICK)) | 0) >= 0) last = place;
    }
    if (places > most) {
      most = places;
      found = last;
    }
  }
  if (found !== 0) {
    count(DROP_TRANSMIT_FULL);
    release(take(found));
  }
  return found;
}

/** Takes the packet out of a place. */
function take(place: i32): i32 {
  const packet: i32 = i32at(place + DEMAND_PACKET);
  puti32(place + DEMAND_PACKET, 0);
  puti32(DEMAND_HELD_AT, i32at(DEMAND_HELD_AT) - 1);
  if (i32at(WANTED_PACKET_AT) === packet) puti32(WANTED_PACKET_AT, 0);
  return packet;
}

/** Whether the link that a packet waits for is up. */
function isReady(packet: i32): i32 {
  return i32at(interfaceAt(i32at(packet + PACKET_OUT)) + IF_STATE) === INTERFACE_UP ? 1 : 0;
}

/** The place of the packet that has waited longest of those whose link is up, or who have waited too long; 0 if there is none. */
function placeDue(): i32 {
  const now: i32 = i32at(NOW_AT);
  let found: i32 = 0;
  let longest: i32 = -1;
  for (let n: i32 = 0; n < DEMAND_PLACES; n++) {
    const place: i32 = demandPlace(n);
    const packet: i32 = i32at(place + DEMAND_PACKET);
    if (packet === 0) continue;
    const waited: i32 = (now - i32at(place + DEMAND_TICK)) | 0;
    if (waited > longest && (waited >= HOLD_TICKS || isReady(packet) !== 0)) {
      longest = waited;
      found = place;
    }
  }
  return found;
}

/** 1 where demandNext() has one. */
export function demandDue(): i32 {
  return placeDue() !== 0 ? 1 : 0;
}

/**
 * The next packet that has waited and need not any more, or 0: one that goes on now, as it came; or, with PACKET_OUT -1, one for which no call came
 * about, counted already, whose sender is to be told.
 */
export function demandNext(): i32 {
  const place: i32 = placeDue();
  if (place === 0) return 0;
  const packet: i32 = take(place);
  if (isReady(packet) === 0) {
    count(DROP_NO_CALL);
    puti32(packet + PACKET_OUT, -1);
    return packet;
  }
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  puti32(packet + PACKET_FLAGS, flags & ~(FLAG_ASKED | FLAG_MARKED | FLAG_FLOW_MARKED));
  puti32(packet + PACKET_FLOW, 0);
  puti32(packet + PACKET_KNOWN, 0);
  puti32(packet + PACKET_MARK, 0);
  return packet;
}
