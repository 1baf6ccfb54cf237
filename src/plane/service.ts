// Who calls the plane, and what it then does: interrupts, ticks, and the idle loop of the interpreted engine.
//
// An interrupt or a tick itself does little: takeInterrupt() and takeTick() ask the cards what they have, and note it
// in WORK_AT. What follows is done by work(), piece by piece: a frame of one card, then one of the next; or a part of
// a tick's ageing. Between two pieces the floor lets other interrupts through, which note theirs. So nothing of the
// plane is ever entered twice, and interrupts are off as long as the longest piece takes, however much there is.
//
// A flood must leave control its share: frames are taken while RECEIVE_LEFT_AT, in counts of the PIT, is not used up,
// and the tick sets it again. Until then the cards' lines are held back, and frames wait in their rings.
//
// Interpreted engine: the packet path is JavaScript and cannot be entered from an interrupt, so an interrupt only
// leaves its mark in PENDING_AT, and servicePending() does the work; the cards' rings are its patience. Serial ports
// are served natively always, and so is what a tick does to the tables and asks of the cards: only the frames that
// it finds are left to JavaScript. While JavaScript is in the plane (PLANE_BUSY_AT), a tick only counts, and control
// calls catchUp() right after.

import { cardAt, NIC_LEVEL, NIC_LINK, NIC_RECEIVED, NIC_SENT } from '../../hal/nic/card.ts';
import { nicIrq, nicReceive, nicService, nicTick, nicWaiting, resetNics } from '../../hal/nic/nic.ts';
import { maskLine, unmaskLine } from '../../hal/pic.ts';
import {
  resetSerial,
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  serialAt,
  serialInterrupt,
  serialTick,
} from '../../hal/serial/ns16550.ts';
import { watchdogTick } from '../../hal/watchdog/watchdog.ts';
import {
  DEMAND_ASKED_AT,
  DEMAND_HELD_AT,
  ENGINE_AT,
  ENGINE_INTERPRETED,
  ENGINE_NATIVE,
  FRAGMENTS_LEFT_AT,
  HELD_AT,
  LINES_BOUND_AT,
  LINKS_CHANGED_AT,
  NIC_END_AT,
  NOW_AT,
  NOW_WRAPS_AT,
  PENDING_AT,
  PLANE_BUSY_AT,
  QUEUES_SET_AT,
  RECEIVE_LEFT_AT,
  RULE_HOOKS_AT,
  SERIAL_CHANGED_AT,
  SERIAL_LINES_AT,
  SERIAL_READ_AT,
  TICKED_AT,
  TURN_AT,
  WAKE_AT,
  WORK_AGE,
  WORK_AT,
  WORK_CHANGES,
  WORK_DEMAND,
  WORK_DRAIN_SHIFT,
  WORK_FAILED,
  WORK_FRAGMENTS,
  WORK_RECEIVE,
  WORK_SESSIONS,
  WORK_TABLES,
  WORK_TICK,
} from '../base/cells.ts';
import { COUNT_IDLE_INTERRUPT, count, resetCounters } from '../base/counters.ts';
import { crc32 } from '../base/crc32.ts';
import { resetEntropy, stirEntropy } from '../base/entropy.ts';
import { IF_ABOVE, interfaceAt, resetInterfaces } from '../base/interface.ts';
import { resetKeyedHash } from '../base/keyed-hash.ts';
import {
  FRAGMENT_TICK_RELEASE,
  INTERFACE_COUNT,
  INTERPRETED_FRAMES,
  KNOWN_BYTES,
  KNOWN_FRAMES,
  NIC_COUNT,
  RECEIVE_TICK_COUNTS,
  SERIAL_COUNT,
  TICKS_PER_SECOND,
  WORK_PIECES,
} from '../base/limits.ts';
import { LINE_LINK, lineAt } from '../base/line-record.ts';
import { i32at, puti32 } from '../base/memory.ts';
import { PACKET_LENGTH, PACKET_OUT } from '../base/packet.ts';
import { resetParameters } from '../base/parameters.ts';
import { resetPool } from '../base/pool.ts';
import { isLogWaiting } from './filter/rule-log.ts';
import { ruleTick } from './filter/rule-table.ts';
import { masqueradeTick } from './flow/flow-timeout.ts';
import { masqueradeReset } from './flow/masquerade.ts';
import { interfacesChanged } from './interface-change.ts';
import { resetAliases } from './ip/alias-set.ts';
import { receive, resume, unreachable } from './ip/forward.ts';
import { fragmentDue, fragmentTick, resetFragments } from './ip/fragment.ts';
import { fragmentsDue } from './ip/fragment-context.ts';
import { resetIcmp } from './ip/icmp.ts';
import { resetIdentifications } from './ip/identification.ts';
import { resetRoutes } from './ip/route.ts';
import { captureStop } from './link/capture.ts';
import { demandDue, demandNext, resetDemand } from './link/demand.ts';
import { resetLines } from './link/line.ts';
import { lineHasBytes, lineIsWaiting, lineReceive } from './link/line-input.ts';
import { lineWantsToSend } from './link/line-output.ts';
import { haveFailed, neighbourFailed, neighbourTick, resetNeighbours } from './link/neighbour.ts';
import { queueTick } from './link/queue-set.ts';
import { resetStations, stationTick } from './link/station.ts';
import { drain } from './link/transmit.ts';
import { puntWaiting, resetPunt } from './local/punt.ts';
import { resetSockets } from './local/sockets.ts';
import { resetTcp } from './local/tcp-local.ts';

/** A tick's mark in PENDING_AT that frames wait; the lines have the bits below. */
const PENDING_TICK: i32 = 1 << 31;

/** Puts all of the plane's state to what it is at power-on, but for the boot facts. */
export function planeReset(): void {
  resetPool();
  resetCounters();
  resetParameters();
  resetEntropy();
  resetSerial();
  resetNics();
  resetLines();
  resetDemand();
  resetInterfaces();
  resetSockets();
  resetTcp();
  resetPunt();
  resetStations();
  resetNeighbours();
  resetRoutes();
  resetFragments();
  resetIcmp();
  resetIdentifications();
  resetKeyedHash();
  captureStop();
  puti32(RULE_HOOKS_AT, 0);
  puti32(QUEUES_SET_AT, 0);
  masqueradeReset();
  resetAliases();
  crc32(0, 0, 0); // its table takes 0.6 ms, for which there is no better moment
  puti32(NOW_AT, 0);
  puti32(NOW_WRAPS_AT, 0);
  puti32(HELD_AT, 0);
  puti32(ENGINE_AT, ENGINE_NATIVE);
  puti32(PENDING_AT, 0);
  puti32(PLANE_BUSY_AT, 0);
  puti32(WAKE_AT, 0);
  puti32(RECEIVE_LEFT_AT, RECEIVE_TICK_COUNTS);
  puti32(TICKED_AT, 0);
  puti32(WORK_AT, 0);
  puti32(TURN_AT, 0);
  puti32(FRAGMENTS_LEFT_AT, 0);
}

/** An interrupt line other than the timer's; `sample` is a reading of the PIT. Frames are left to work(). */
export function takeInterrupt(irq: i32, sample: i32): void {
  stirEntropy(sample);
  serialInterrupt(irq);
  if (i32at(LINES_BOUND_AT) !== 0 && ((i32at(SERIAL_LINES_AT) >> irq) & 1) !== 0) noteLines(0);
  if (i32at(ENGINE_AT) === ENGINE_INTERPRETED || i32at(RECEIVE_LEFT_AT) <= 0) {
    leaveForLater(irq);
    return;
  }
  let isIdle: i32 = 0;
  let all: i32 = 0;
  const end: i32 = i32at(NIC_END_AT);
  for (let card: i32 = 0; card < end; card++) {
    if (nicIrq(card) === irq) {
      const causes: i32 = nicService(card);
      note(card, causes);
      all |= causes;
      isIdle = 1;
    }
  }
  if (isIdle !== 0 && all === 0) count(COUNT_IDLE_INTERRUPT);
}

/** What serial lines have to do is work; or the interpreted engine's, which looks again itself. */
function noteLines(isTick: i32): void {
  const lines: i32 = linesWork(isTick);
  if (lines === 0) return;
  if (i32at(ENGINE_AT) === ENGINE_INTERPRETED) puti32(PENDING_AT, i32at(PENDING_AT) | PENDING_TICK);
  else puti32(WORK_AT, i32at(WORK_AT) | lines);
}

/** Bits of WORK_AT of lines with bytes that a piece should take, and of links whose line has room for what they have. */
function linesWork(isTick: i32): i32 {
  const bound: i32 = i32at(LINES_BOUND_AT);
  let work: i32 = 0;
  for (let port: i32 = 0; port < SERIAL_COUNT; port++) {
    if (((bound >> port) & 1) === 0) continue;
    const line: i32 = lineAt(port);
    if (lineHasBytes(line, isTick) !== 0) work |= 1 << (NIC_COUNT + port);
    if (lineWantsToSend(line) !== 0) work |= 1 << (i32at(line + LINE_LINK) + WORK_DRAIN_SHIFT);
  }
  return work;
}

/** Notes that a line's cards want to be served, and holds the line back until they are. */
function leaveForLater(irq: i32): void {
  const end: i32 = i32at(NIC_END_AT);
  for (let card: i32 = 0; card < end; card++) {
    if (nicIrq(card) === irq) {
      // A PCI card's line stays up until the card is served: it would interrupt again at once, and for ever.
      // An ISA card's stays up too, and so makes no further edge.
      if (isLevel(card) !== 0) maskLine(irq);
      puti32(PENDING_AT, i32at(PENDING_AT) | (1 << irq));
    }
  }
}

/** The timer, TICKS_PER_SECOND times a second. Ageing and frames are left to work(). */
export function takeTick(sample: i32): void {
  const now: i32 = (i32at(NOW_AT) + 1) | 0;
  puti32(NOW_AT, now);
  if (now === 0) puti32(NOW_WRAPS_AT, (i32at(NOW_WRAPS_AT) + 1) | 0);
  puti32(RECEIVE_LEFT_AT, RECEIVE_TICK_COUNTS);
  stirEntropy(sample);
  serialTick();
  if (i32at(LINES_BOUND_AT) !== 0) noteLines(1);
  watchdogTick(now);
  if (i32at(ENGINE_AT) === ENGINE_INTERPRETED) {
    if (i32at(PLANE_BUSY_AT) === 0) catchUp();
    return;
  }
  puti32(TICKED_AT, now);
  puti32(WORK_AT, i32at(WORK_AT) | tickWork());
  const pending: i32 = i32at(PENDING_AT);
  const end: i32 = i32at(NIC_END_AT);
  for (let card: i32 = 0; card < end; card++) {
    if (isDue(card, now, pending) !== 0) note(card, nicTick(card));
  }
  letThrough(pending);
  puti32(PENDING_AT, 0);
}

/**
 * Whether a tick looks after a card: one without a line, one that was held back or has frames left, and of the others, which
 * speak for themselves, each second tick, as it costs an access to the bus: an interrupt that was lost shows within 20 ms.
 */
function isDue(card: i32, now: i32, pending: i32): i32 {
  const line: i32 = nicIrq(card);
  if (line < 0 || ((now ^ card) & 1) === 0) return 1;
  return ((pending >> line) & 1) | ((i32at(WORK_AT) >> card) & 1);
}

/**
 * The next piece of what interrupts and ticks have left: 1 if there may be more. Whoever calls it lets interrupts
 * through between two pieces. `passed`: PIT counts that the pieces before have taken.
 */
export function work(passed: i32): i32 {
  const left: i32 = (i32at(RECEIVE_LEFT_AT) - passed) | 0;
  puti32(RECEIVE_LEFT_AT, left);
  const all: i32 = i32at(WORK_AT);
  if (all === 0) return 0;
  if (i32at(ENGINE_AT) === ENGINE_INTERPRETED) {
    // Frames are servicePending()'s, and while it is in the plane nobody else is.
    if ((all & WORK_AGE) === 0 || i32at(PLANE_BUSY_AT) !== 0) return 0;
    catchUp();
    return 1;
  }
  if ((all & WORK_AGE) !== 0) {
    agePiece(all);
    return i32at(WORK_AT) !== 0 ? 1 : 0;
  }
  return left > 0 ? takeFrame(all) : 0;
}

/** An interrupt, or a tick, with all that follows: for boards without a floor, where nothing comes in between. */
export function interrupt(irq: i32, sample: i32): void {
  takeInterrupt(irq, sample);
  workAll();
}

export function tick(sample: i32): void {
  takeTick(sample);
  workAll();
}

function workAll(): void {
  for (let pieces: i32 = 0; pieces < WORK_PIECES; pieces++) {
    if (work(0) === 0) return;
  }
}

/**
 * Interpreted engine, but compiled always: a piece of the work of the oldest tick that is left; TICKED_AT moves on with
 * its last one. Frames are left to servicePending().
 */
export function catchUp(): void {
  const all: i32 = i32at(WORK_AT);
  if ((all & WORK_AGE) !== 0) {
    agePiece(all);
    if ((i32at(WORK_AT) & WORK_AGE) === 0) puti32(TICKED_AT, (i32at(TICKED_AT) + 1) | 0);
    return;
  }
  const now: i32 = i32at(NOW_AT);
  const behind: i32 = (now - i32at(TICKED_AT)) | 0;
  // After a long halt, one second's ageing is enough to find what ran out: the timers compare with NOW_AT.
  if (behind < 0 || behind > TICKS_PER_SECOND) puti32(TICKED_AT, (now - TICKS_PER_SECOND) | 0);
  puti32(WORK_AT, all | tickWork());
  // A mark that was lost between servicePending()'s reading and clearing would leave its line held back.
  letThrough(~i32at(PENDING_AT));
  for (let card: i32 = 0; card < i32at(NIC_END_AT); card++) note(card, nicTick(card));
  if ((i32at(WORK_AT) & ~WORK_AGE) !== 0) puti32(PENDING_AT, i32at(PENDING_AT) | PENDING_TICK);
}

/** The interpreted engine's turn: frames that interrupts and ticks have left. */
export function servicePending(): void {
  puti32(PLANE_BUSY_AT, 1);
  // An interrupt between reading and clearing would be lost; all cards are looked at after it, so none is.
  const pending: i32 = i32at(PENDING_AT);
  puti32(PENDING_AT, 0);
  for (let card: i32 = 0; card < i32at(NIC_END_AT); card++) note(card, nicService(card));
  if (i32at(LINES_BOUND_AT) !== 0) puti32(WORK_AT, i32at(WORK_AT) | linesWork(1));
  let isMore: i32 = i32at(WORK_AT) !== 0 ? 1 : 0;
  for (let frames: i32 = 0; frames < INTERPRETED_FRAMES && isMore !== 0; frames++) {
    isMore = takeFrame(i32at(WORK_AT));
  }
  letThrough(pending);
  if (isMore !== 0) puti32(PENDING_AT, i32at(PENDING_AT) | PENDING_TICK);
  puti32(PLANE_BUSY_AT, 0);
}

/** Another engine has been chosen: what was left for the one before is the next one's. */
export function engineChanged(): void {
  letThrough(i32at(PENDING_AT));
  puti32(PENDING_AT, i32at(ENGINE_AT) === ENGINE_INTERPRETED ? PENDING_TICK : 0);
}

/** 1 for a card whose interrupt line is a level and not an edge. */
function isLevel(card: i32): i32 {
  return i32at(cardAt(card) + NIC_LEVEL);
}

/** Lets the lines, a bit each, through that interrupt() has held back. */
function letThrough(lines: i32): void {
  const end: i32 = lines === 0 ? 0 : i32at(NIC_END_AT);
  for (let card: i32 = 0; card < end; card++) {
    if (isLevel(card) !== 0 && ((lines >> nicIrq(card)) & 1) !== 0) unmaskLine(nicIrq(card));
  }
}

/** Whether control has something to do: packets, console bytes, the interpreted engine's work, a timer. */
export function wanted(): i32 {
  if (puntWaiting() !== 0) return 1;
  if (i32at(RULE_HOOKS_AT) !== 0 && isLogWaiting() !== 0) return 1;
  if (i32at(PENDING_AT) !== 0 && i32at(ENGINE_AT) === ENGINE_INTERPRETED) return 1;
  if (((i32at(NOW_AT) - i32at(WAKE_AT)) | 0) >= 0) return 1;
  if ((i32at(SERIAL_CHANGED_AT) | i32at(DEMAND_ASKED_AT)) !== 0) return 1;
  const read: i32 = i32at(SERIAL_READ_AT) & ~i32at(LINES_BOUND_AT);
  for (let index: i32 = 0; index < SERIAL_COUNT; index++) {
    if (((read >> index) & 1) === 0) continue;
    const at: i32 = serialAt(index);
    if (i32at(at + SERIAL_RX_HEAD) !== i32at(at + SERIAL_RX_TAIL)) return 1;
  }
  return 0;
}

/** What a tick has to age, and links that may send again. */
function tickWork(): i32 {
  const drains: i32 = i32at(QUEUES_SET_AT) !== 0 ? queueTick() : 0;
  return i32at(LINKS_CHANGED_AT) !== 0 ? WORK_TICK | WORK_CHANGES | drains : WORK_TICK | drains;
}

/** A piece of a tick's ageing: `all` is WORK_AT. Where no session ends, the tables go with the sessions. */
function agePiece(all: i32): void {
  if ((all & WORK_CHANGES) !== 0) {
    puti32(WORK_AT, all & ~WORK_CHANGES);
    interfacesChanged();
  } else if ((all & WORK_SESSIONS) !== 0) {
    puti32(WORK_AT, all & ~WORK_SESSIONS);
    if (masqueradeTick() === 0) ageTables();
  } else if ((all & WORK_TABLES) !== 0) {
    ageTables();
  } else if ((all & WORK_FRAGMENTS) !== 0) {
    const left: i32 = i32at(FRAGMENTS_LEFT_AT);
    const fragment: i32 = left > 0 ? fragmentDue() : 0;
    if (fragment === 0) {
      puti32(WORK_AT, i32at(WORK_AT) & ~WORK_FRAGMENTS);
    } else {
      resume(fragment);
      puti32(FRAGMENTS_LEFT_AT, left - 1);
    }
  } else if ((all & WORK_DEMAND) !== 0) {
    // One a tick: eight of them are no burst.
    puti32(WORK_AT, all & ~WORK_DEMAND);
    resumeDemanded();
  } else {
    const packet: i32 = neighbourFailed();
    if (packet === 0) puti32(WORK_AT, all & ~WORK_FAILED);
    else unreachable(packet);
  }
}

function resumeDemanded(): void {
  const packet: i32 = demandNext();
  if (packet === 0) return;
  if (i32at(packet + PACKET_OUT) < 0) unreachable(packet);
  else resume(packet);
}

function ageTables(): void {
  fragmentTick();
  neighbourTick();
  stationTick();
  if (i32at(RULE_HOOKS_AT) !== 0) ruleTick();
  puti32(FRAGMENTS_LEFT_AT, FRAGMENT_TICK_RELEASE);
  let rest: i32 = i32at(WORK_AT) & ~WORK_TABLES;
  if (fragmentsDue() !== 0) rest |= WORK_FRAGMENTS;
  if (haveFailed() !== 0) rest |= WORK_FAILED;
  if (i32at(DEMAND_HELD_AT) !== 0 && demandDue() !== 0) rest |= WORK_DEMAND;
  puti32(WORK_AT, rest);
}

/** What a card's causes ask for: the queue of its link moves on, its frames are work. */
function note(card: i32, causes: i32): void {
  if ((causes & NIC_SENT) !== 0) {
    const link: i32 = i32at(cardAt(card) + NIC_LINK);
    drainNoted(link);
    const above: i32 = i32at(interfaceAt(link) + IF_ABOVE);
    if (above !== 0) puti32(WORK_AT, i32at(WORK_AT) | (above << WORK_DRAIN_SHIFT));
  }
  if ((causes & NIC_RECEIVED) !== 0) puti32(WORK_AT, i32at(WORK_AT) | (1 << card));
}

/** Gives a link's device what waits for it; what does not go in one piece is work. */
function drainNoted(index: i32): void {
  const bit: i32 = 1 << (index + WORK_DRAIN_SHIFT);
  if (drain(index) !== 0) puti32(WORK_AT, i32at(WORK_AT) | bit);
  else puti32(WORK_AT, i32at(WORK_AT) & ~bit);
}

/** One frame, or a piece of one by a line, or a few that go out: 1 if there is more. `all` is WORK_AT, and not 0. Cards and lines have turns. */
function takeFrame(all: i32): i32 {
  if ((all & ~WORK_RECEIVE) !== 0) {
    takeWaiting(all);
    return i32at(WORK_AT) !== 0 ? 1 : 0;
  }
  const card: i32 = nextCard(all);
  puti32(TURN_AT, card);
  const isLine: i32 = card >= NIC_COUNT ? 1 : 0;
  let left: i32 = isLine === 0 && i32at(ENGINE_AT) === ENGINE_NATIVE ? KNOWN_FRAMES : 1;
  let bytes: i32 = 0;
  while (left !== 0) {
    left -= 1;
    // One way for both, as gcc makes one piece of it.
    const packet: i32 = isLine === 0 ? nicReceive(card) : lineReceive(card - NIC_COUNT);
    if (packet !== 0) {
      bytes += i32at(packet + PACKET_LENGTH);
      if (receive(packet) === 0 || bytes >= KNOWN_BYTES) left = 0;
    } else {
      if (isLine === 0) note(card, nicService(card)); // a recovery goes on or is over, or the card was reset
      left = 0;
    }
    const rest: i32 = i32at(WORK_AT);
    if ((isLine === 0 ? nicWaiting(card) : lineIsWaiting(card - NIC_COUNT)) === 0) {
      puti32(WORK_AT, rest & ~(1 << card));
      return (rest & ~(1 << card)) !== 0 ? 1 : 0;
    }
    // What goes out goes before what comes in.
    if ((rest & ~WORK_RECEIVE) !== 0) left = 0;
  }
  return 1;
}

/** The card, or line, whose turn it is, of those with a bit in `all`: the next one behind the last. */
function nextCard(all: i32): i32 {
  const last: i32 = i32at(TURN_AT);
  const behind: i32 = all & WORK_RECEIVE & (-2 << last);
  return lowestBit(behind !== 0 ? behind : all & WORK_RECEIVE);
}

/** Number of the lowest bit that is set, of the lowest eight. */
function lowestBit(bits: i32): i32 {
  if ((bits & 1) !== 0) return 0;
  if ((bits & 2) !== 0) return 1;
  let n: i32 = 2;
  while (((bits >> n) & 1) === 0 && n < 7) n++;
  return n;
}

/** What waited inside goes before what comes in. */
function takeWaiting(all: i32): void {
  for (let index: i32 = 0; index < INTERFACE_COUNT; index++) {
    if (((all >> (index + WORK_DRAIN_SHIFT)) & 1) !== 0) {
      drainNoted(index);
      return;
    }
  }
}
