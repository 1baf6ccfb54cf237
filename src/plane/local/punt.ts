// Packets for control, and who may hold how many of the places. Control reads a packet in place and releases it.
//
// Classes (src/base/limits.ts says how many may wait of each): DHCP, UDP, TCP and other from inside, answers from outside, and frames of
// links' own (FLAG_FRAME: PPP's), whose source is the link. In a class each source has a queue of its own: inside a station that was there before, outside an address. Stations that
// nobody knows share one queue of each class, those that became known lately another, and the loud a third
// (src/plane/link/station.ts), so that made-up ones, however many, are three sources.
//
//    class DHCP      strangers  | DISCOVER | DISCOVER | DISCOVER |
//                    station a  | REQUEST |
//    class UDP       station b  | query | query | query | query |
//    class answers   server     | answer |
//
// Control takes from the classes in turn. In a class each second packet is that of the source that asked crowded classes for
// least lately, and each other one of the sources in turn: so who asks little is served at once, however many others ask for
// more than there is, and each of those has its turn in half of the time. In a full class a packet of a source that holds fewer pushes the oldest one
// out of the longest queue; a source that holds as many as any other is refused. A flood so loses its own packets. Shared
// queues give first, down to one packet each, so that a page's names of a station that was there before find room at once.
// Where nobody holds more, the station that asked for most lately gives way to one that asked for less, so that sixty who each ask
// for as much as a good host may leave one that asks for little PUNT_KEPT places. Among newcomers the station that asked for most lately gives way, so one that comes during a flood of known ones is heard.
// Strangers have no record: what of them is heard is chance, and no better for one who repeats itself (src/base/limits.ts).
//
// Known is a station that ARP has heard for the packet's source address, or for the router that the way to it goes by, or
// one whose lease runs, or one without an address that has settled: the flood of a host that makes up addresses, or
// stations, is none. Behind an inner router all share that router's queue. What a host sends under another's address and
// station cannot be told from that one's.
// Cost of a packet, worst: 5,500 operations from the card on (punt-cost.test.ts), of them 1,300 for the leases, 1,800 for
// two looks through PUNT_LIMIT queues, 250 for the station's record, 400 for the newcomers' queue.
// Not here: which ports are open (sockets.ts).

import { PUNT_TURN_AT, PUNT_WAITING_AT } from '../../base/cells.ts';
import { COUNT_PUNTED, count, DROP_PUNT_FULL } from '../../base/counters.ts';
import { IF_LINK, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt, LINK_ETHERNET } from '../../base/interface.ts';
import {
  LEASE_COUNT,
  LEASE_STATIONS_AT,
  POOL_RESERVE,
  PUNT_ANSWER_LIMIT,
  PUNT_DHCP_LIMIT,
  PUNT_KEPT,
  PUNT_LIMIT,
  PUNT_LINK_LIMIT,
  PUNT_OTHER_LIMIT,
  PUNT_QUEUE_BYTES,
  PUNT_QUEUES_AT,
  PUNT_STATE_AT,
  PUNT_STATE_BYTES,
  PUNT_TCP_LIMIT,
  PUNT_UDP_LIMIT,
} from '../../base/limits.ts';
import { copy, fill, get8, get32, i32at, puti32 } from '../../base/memory.ts';
import {
  FLAG_CONTROL,
  FLAG_FRAME,
  FLAG_ICMP_ERROR,
  HELD,
  PACKET_ASKED,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_NEXT,
  PACKET_PORTS,
  PACKET_SOURCE,
  PACKET_STATION,
} from '../../base/packet.ts';
import { poolFree, release } from '../../base/pool.ts';
import { LOUD, NEWCOMERS, SHARED_SOURCES, STRANGERS, stationWord } from '../../base/punt-source.ts';
import { STATION_MUCH, STATION_SHARED_ASKED } from '../../base/station-limits.ts';
import { IP_PROTOCOL, IP_SOURCE, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { isAt } from '../ip/sender.ts';
import {
  hasSettled,
  STATION_IS_LOUD,
  STATION_SETTLED,
  STATION_WORD,
  stationAsked,
  stationAsks,
  stationCrowd,
  stationHeard,
} from '../link/station.ts';

const CLASS_DHCP: i32 = 0;
const CLASS_UDP: i32 = 1;
const CLASS_TCP: i32 = 2;
const CLASS_OTHER: i32 = 3;
const CLASS_ANSWER: i32 = 4;
const CLASS_LINK: i32 = 5;
const CLASS_COUNT: i32 = 6;
const ANY_CLASS: i32 = -1;

/**
 * Queues in use, dense; a bit for each class, 1 if its next packet is that of who asked for least; then of each class how many
 * packets wait, and its last turn.
 */
const QUEUES_USED: i32 = PUNT_STATE_AT;
const LEAST_NEXT: i32 = PUNT_STATE_AT + 4;
const CLASSES_AT: i32 = PUNT_STATE_AT + 8;
const CLASS_BYTES: i32 = 8;
const CLASS_WAITING: i32 = 0;
const CLASS_TURN: i32 = 4;

const QUEUE_CLASS: i32 = 0;
const QUEUE_SOURCE: i32 = 4;
const QUEUE_FIRST: i32 = 8;
const QUEUE_LAST: i32 = 12;
const QUEUE_LENGTH: i32 = 16;
const QUEUE_TURN: i32 = 20;
/** What its station had asked crowded classes for lately, up to STATION_MUCH, when its last packet came, that was refused or not; of sources that are no station, the same for all. */
const QUEUE_ASKED: i32 = 24;

/** In place of a station's record: nobody knows it; it is none, as on a link without stations. */
const UNKNOWN: i32 = -1;
const NO_STATION: i32 = -2;
const DHCP_SERVER_PORT: i32 = 67;
const DHCP_CLIENT_PORT: i32 = 68;

export function resetPunt(): void {
  fill(PUNT_STATE_AT, 0, PUNT_STATE_BYTES + PUNT_LIMIT * PUNT_QUEUE_BYTES);
  puti32(PUNT_WAITING_AT, 0);
  puti32(PUNT_TURN_AT, 0);
}

/** Puts a packet into its source's queue: HELD, or a drop if the source holds its share. */
export function punt(packet: i32): i32 {
  const isOutside: i32 =
    i32at(interfaceAt(i32at(packet + PACKET_IN)) + IF_SIDE) === INTERFACE_OUTSIDE ? 1 : 0;
  const kind: i32 = classOf(packet, isOutside);
  const station: i32 = isOutside !== 0 ? NO_STATION : stationOf(packet);
  const isFull: i32 = waitingOf(kind) >= limitOf(kind) ? 1 : 0;
  const isShort: i32 = poolFree() < POOL_RESERVE ? 1 : 0;
  // Counted is what comes to one that is nearly full too: else who comes just when a place is free would seem to ask for little.
  const isCrowded: i32 = 4 * waitingOf(kind) >= 3 * limitOf(kind) ? 1 : 0;
  const source: i32 = station === NO_STATION ? addressOf(packet) : sourceOf(station, isCrowded | isShort);
  const queue: i32 = find(kind, source);
  const own: i32 = queue === 0 ? 0 : i32at(queue + QUEUE_LENGTH);
  const isOwn: i32 = station > 0 && source !== NEWCOMERS && source !== LOUD ? 1 : 0;
  let asked: i32 = isOwn !== 0 ? stationAsked(station) : STATION_SHARED_ASKED;
  if (asked > STATION_MUCH) asked = STATION_MUCH;
  puti32(packet + PACKET_ASKED, station > 0 ? stationAsked(station) : STATION_SHARED_ASKED);
  if (queue !== 0) puti32(queue + QUEUE_ASKED, asked);
  let isRoom: i32 = 1;
  if (isFull !== 0) isRoom = pushOut(kind, source, own, asked);
  else if (isShort !== 0) isRoom = pushOut(ANY_CLASS, source, own, asked);
  if (isRoom === 0) {
    if (source === NEWCOMERS) stationCrowd();
    if (source !== NEWCOMERS || queue === 0 || giveWay(queue, packet) === 0) return DROP_PUNT_FULL;
  }
  puti32(packet + PACKET_SOURCE, source);
  const into: i32 = queue !== 0 ? stillAt(queue, kind, source) : begin(kind, source);
  puti32(into + QUEUE_ASKED, asked);
  append(into, packet);
  count(COUNT_PUNTED);
  return HELD;
}

/** The packet whose turn it is, or 0. It is control's from now on: marked, until it is released. */
export function puntTake(): i32 {
  if (i32at(PUNT_WAITING_AT) === 0) return 0;
  let kind: i32 = -1;
  for (let i: i32 = 0; i < CLASS_COUNT; i++) {
    if (waitingOf(i) !== 0 && (kind < 0 || isSooner(turnOf(i), turnOf(kind)) !== 0)) kind = i;
  }
  const isLeast: i32 = (i32at(LEAST_NEXT) >>> kind) & 1;
  puti32(LEAST_NEXT, i32at(LEAST_NEXT) ^ (1 << kind));
  const queue: i32 = nextOf(kind, isLeast);
  const turn: i32 = nextTurn();
  puti32(CLASSES_AT + kind * CLASS_BYTES + CLASS_TURN, turn);
  puti32(queue + QUEUE_TURN, turn);
  const packet: i32 = takeFirst(queue);
  if (i32at(queue + QUEUE_LENGTH) === 0) end(queue);
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_CONTROL);
  return packet;
}

/** The queue of a class whose turn it is, or of the source that asked for least. What many share has no more than its turns. */
function nextOf(kind: i32, isLeast: i32): i32 {
  let queue: i32 = 0;
  let least: i32 = 0;
  const used: i32 = i32at(QUEUES_USED);
  for (let i: i32 = 0; i < used; i++) {
    const at: i32 = PUNT_QUEUES_AT + i * PUNT_QUEUE_BYTES;
    if (i32at(at + QUEUE_CLASS) !== kind) continue;
    let asked: i32 = 0;
    if (isLeast !== 0)
      asked = isShared(i32at(at + QUEUE_SOURCE)) !== 0 ? STATION_MUCH : i32at(at + QUEUE_ASKED);
    if (queue !== 0 && asked > least) continue;
    if (queue !== 0 && asked === least && isSooner(i32at(at + QUEUE_TURN), i32at(queue + QUEUE_TURN)) === 0)
      continue;
    queue = at;
    least = asked;
  }
  return queue;
}

/**
 * In the newcomers' queue a packet takes the place of the station's that asked for most lately, if that is more: of a few
 * hundred that flood each asks for more than one that comes and wants its names.
 */
function giveWay(queue: i32, packet: i32): i32 {
  const before: i32 = beforeMost(queue);
  const most: i32 = before === 0 ? i32at(queue + QUEUE_FIRST) : i32at(before + PACKET_NEXT);
  if (i32at(most + PACKET_ASKED) <= i32at(packet + PACKET_ASKED)) return 0;
  count(DROP_PUNT_FULL);
  release(takeAfter(queue, before));
  return 1;
}

/** The packet in front of the oldest of those whose stations asked for most; 0 if that is the first. */
function beforeMost(queue: i32): i32 {
  let found: i32 = 0;
  let before: i32 = i32at(queue + QUEUE_FIRST);
  let most: i32 = i32at(before + PACKET_ASKED);
  for (let left: i32 = i32at(queue + QUEUE_LENGTH) - 1; left > 0; left--) {
    const at: i32 = i32at(before + PACKET_NEXT);
    if (i32at(at + PACKET_ASKED) > most) {
      most = i32at(at + PACKET_ASKED);
      found = before;
    }
    before = at;
  }
  return found;
}

/** How many packets wait for control. */
export function puntWaiting(): i32 {
  return i32at(PUNT_WAITING_AT);
}

function classOf(packet: i32, isOutside: i32): i32 {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_FRAME) !== 0) return CLASS_LINK;
  const protocol: i32 = get8(packet + PACKET_IP + IP_PROTOCOL);
  if (protocol === PROTOCOL_UDP) {
    const port: i32 = i32at(packet + PACKET_PORTS) & 0xffff;
    if (port === DHCP_SERVER_PORT || port === DHCP_CLIENT_PORT) return CLASS_DHCP;
    return isOutside !== 0 ? CLASS_ANSWER : CLASS_UDP;
  }
  if (isOutside !== 0) return CLASS_ANSWER;
  return protocol === PROTOCOL_TCP ? CLASS_TCP : CLASS_OTHER;
}

/** The source of what comes from outside; errors, which any router may send, have one queue together. */
function addressOf(packet: i32): i32 {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_FRAME) !== 0) return i32at(packet + PACKET_IN) + 1;
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) return STRANGERS;
  return get32(packet + PACKET_IP + IP_SOURCE);
}

/** The record of the inside station that a packet comes from; 0 if it is known and has none, UNKNOWN, or NO_STATION. */
function stationOf(packet: i32): i32 {
  const index: i32 = i32at(packet + PACKET_IN);
  if (index < 0 || i32at(interfaceAt(index) + IF_LINK) !== LINK_ETHERNET) return NO_STATION;
  const address: i32 = get32(packet + PACKET_IP + IP_SOURCE);
  const mac: i32 = packet + PACKET_STATION;
  const word: i32 = stationWord(mac);
  // Without an address it is one that starts anew, or floods so.
  const isThere: i32 = address === 0 ? hasSettled(word) : isAt(index, address, mac);
  if (isThere === 0 && hasLease(word) === 0) return UNKNOWN;
  return stationHeard(word);
}

/** A station's source, where what it asks for counts or does not: its own if it has settled and is not loud. */
function sourceOf(station: i32, isCounted: i32): i32 {
  if (station === UNKNOWN) return STRANGERS;
  const kind: i32 = stationAsks(station, isCounted);
  if (kind === STATION_SETTLED) return i32at(station + STATION_WORD);
  return kind === STATION_IS_LOUD ? LOUD : NEWCOMERS;
}

/** Of answers from outside 0 is the errors', which any router may send. */
function isShared(source: i32): i32 {
  return source <= 0 && source > -SHARED_SOURCES ? 1 : 0;
}

function hasLease(word: i32): i32 {
  for (let i: i32 = 0; i < LEASE_COUNT; i++) {
    if (i32at(LEASE_STATIONS_AT + 4 * i) === word) return 1;
  }
  return 0;
}

function limitOf(kind: i32): i32 {
  if (kind === CLASS_DHCP) return PUNT_DHCP_LIMIT;
  if (kind === CLASS_UDP) return PUNT_UDP_LIMIT;
  if (kind === CLASS_TCP) return PUNT_TCP_LIMIT;
  if (kind === CLASS_LINK) return PUNT_LINK_LIMIT;
  return kind === CLASS_OTHER ? PUNT_OTHER_LIMIT : PUNT_ANSWER_LIMIT;
}

function waitingOf(kind: i32): i32 {
  return i32at(CLASSES_AT + kind * CLASS_BYTES + CLASS_WAITING);
}

function turnOf(kind: i32): i32 {
  return i32at(CLASSES_AT + kind * CLASS_BYTES + CLASS_TURN);
}

function isSooner(turn: i32, than: i32): i32 {
  return ((turn - than) | 0) < 0 ? 1 : 0;
}

function nextTurn(): i32 {
  const turn: i32 = (i32at(PUNT_TURN_AT) + 1) | 0;
  puti32(PUNT_TURN_AT, turn);
  return turn;
}

/** Address of the source's queue, or 0. */
function find(kind: i32, source: i32): i32 {
  const end: i32 = PUNT_QUEUES_AT + i32at(QUEUES_USED) * PUNT_QUEUE_BYTES;
  for (let at: i32 = PUNT_QUEUES_AT; at < end; at += PUNT_QUEUE_BYTES) {
    if (i32at(at + QUEUE_SOURCE) === source && i32at(at + QUEUE_CLASS) === kind) return at;
  }
  return 0;
}

/** A queue that was found before another one ended, which may have moved it, or be the same. */
function stillAt(queue: i32, kind: i32, source: i32): i32 {
  if (i32at(queue + QUEUE_SOURCE) === source && i32at(queue + QUEUE_CLASS) === kind) return queue;
  const at: i32 = find(kind, source);
  return at !== 0 ? at : begin(kind, source);
}

/** A new queue, behind those that wait for their turn already. A place is free: there are as many as packets may wait. */
function begin(kind: i32, source: i32): i32 {
  const used: i32 = i32at(QUEUES_USED);
  const at: i32 = PUNT_QUEUES_AT + used * PUNT_QUEUE_BYTES;
  puti32(QUEUES_USED, used + 1);
  puti32(at + QUEUE_CLASS, kind);
  puti32(at + QUEUE_SOURCE, source);
  puti32(at + QUEUE_LENGTH, 0);
  puti32(at + QUEUE_TURN, nextTurn());
  return at;
}

/** Gives an empty queue's place to the last one. */
function end(queue: i32): void {
  const used: i32 = i32at(QUEUES_USED) - 1;
  const last: i32 = PUNT_QUEUES_AT + used * PUNT_QUEUE_BYTES;
  puti32(QUEUES_USED, used);
  if (last !== queue) copy(queue, last, PUNT_QUEUE_BYTES);
  fill(last, 0, PUNT_QUEUE_BYTES);
}

function append(queue: i32, packet: i32): void {
  const length: i32 = i32at(queue + QUEUE_LENGTH);
  puti32(packet + PACKET_NEXT, 0);
  if (length === 0) puti32(queue + QUEUE_FIRST, packet);
  else puti32(i32at(queue + QUEUE_LAST) + PACKET_NEXT, packet);
  puti32(queue + QUEUE_LAST, packet);
  puti32(queue + QUEUE_LENGTH, length + 1);
  changeWaiting(i32at(queue + QUEUE_CLASS), 1);
}

/** Takes the packet behind one, or the first. */
function takeAfter(queue: i32, before: i32): i32 {
  if (before === 0) return takeFirst(queue);
  const packet: i32 = i32at(before + PACKET_NEXT);
  puti32(before + PACKET_NEXT, i32at(packet + PACKET_NEXT));
  if (i32at(queue + QUEUE_LAST) === packet) puti32(queue + QUEUE_LAST, before);
  puti32(queue + QUEUE_LENGTH, i32at(queue + QUEUE_LENGTH) - 1);
  changeWaiting(i32at(queue + QUEUE_CLASS), -1);
  return packet;
}

function takeFirst(queue: i32): i32 {
  const packet: i32 = i32at(queue + QUEUE_FIRST);
  puti32(queue + QUEUE_FIRST, i32at(packet + PACKET_NEXT));
  puti32(queue + QUEUE_LENGTH, i32at(queue + QUEUE_LENGTH) - 1);
  changeWaiting(i32at(queue + QUEUE_CLASS), -1);
  return packet;
}

function changeWaiting(kind: i32, by: i32): void {
  const at: i32 = CLASSES_AT + kind * CLASS_BYTES + CLASS_WAITING;
  puti32(at, i32at(at) + by);
  puti32(PUNT_WAITING_AT, i32at(PUNT_WAITING_AT) + by);
}

/**
 * Drops the oldest packet of the longest queue, of a class or of all, for a source that holds `own`: 1, or 0 if no queue is
 * longer than that one will be; who asked for less than the source keeps PUNT_KEPT. Else that of the station that asked for most lately goes, if that is more than `asked`, and
 * by a quarter where the source, a station's own, has some already. Shared queues give first, down to a packet each, and a shared source that has one takes
 * from others of its kind alone: it has its turns all the same.
 */
function pushOut(kind: i32, source: i32, own: i32, asked: i32): i32 {
  const used: i32 = i32at(QUEUES_USED);
  const isCommon: i32 = isShared(source);
  let longest: i32 = 0;
  let length: i32 = own + 1;
  let loudest: i32 = 0;
  // Among such as ask for the same, little more is no reason.
  let most: i32 = own === 0 ? asked : asked + (asked >> 2);
  for (let i: i32 = 0; i < used; i++) {
    const at: i32 = PUNT_QUEUES_AT + i * PUNT_QUEUE_BYTES;
    if (kind !== ANY_CLASS && i32at(at + QUEUE_CLASS) !== kind) continue;
    let held: i32 = i32at(at + QUEUE_LENGTH);
    if (held > 1) {
      const isOther: i32 = isShared(i32at(at + QUEUE_SOURCE));
      if (isCommon === 0 && isOther !== 0) held += PUNT_LIMIT;
      if (isCommon !== 0 && isOther === 0 && own !== 0) held = 0;
      if (held <= PUNT_KEPT && isOther === 0 && i32at(at + QUEUE_ASKED) < asked) held = 0;
      if (held > length) {
        length = held;
        longest = at;
      }
    }
    if (i32at(at + QUEUE_ASKED) > most) {
      most = i32at(at + QUEUE_ASKED);
      loudest = at;
    }
  }
  if (longest === 0 && (own === 0 || (isCommon === 0 && own < PUNT_KEPT))) longest = loudest;
  if (longest === 0) return 0;
  const isNewcomers: i32 = i32at(longest + QUEUE_SOURCE) === NEWCOMERS ? 1 : 0;
  if (isNewcomers !== 0) stationCrowd();
  count(DROP_PUNT_FULL);
  release(isNewcomers !== 0 ? takeAfter(longest, beforeMost(longest)) : takeFirst(longest));
  if (i32at(longest + QUEUE_LENGTH) === 0) end(longest);
  return 1;
}
