// Who calls the plane, and what it then does: interrupts, ticks, and the idle loop of the interpreted engine.
//
// Native engine: an interrupt serves its card at once. Interpreted engine: the packet path is JavaScript and
// cannot be entered from an interrupt, so an interrupt only leaves its mark in PENDING_AT, and servicePending()
// does the work; the cards' rings are its patience. Serial ports are served natively always, and so is what a
// tick does to the tables and asks of the cards: only the frames that it finds are left to JavaScript. While
// JavaScript is in the plane (PLANE_BUSY_AT), a tick only counts, and control calls catchUp() right after.
//
// Budgets: RECEIVE_BUDGET frames from a card before the other cards get their turn, RECEIVE_ROUNDS turns in a
// visit, RECEIVE_TICK_BUDGET frames between two ticks. What is left over waits in its ring for the next tick:
// a flood delays packets, it does not take the processor from control.

import { cardAt, NIC_KIND, NIC_NE2000_PCI, NIC_RECEIVED, NIC_SENT } from '../../hal/nic/card.ts';
import { nicIrq, nicReceive, nicService, nicTick, resetNics } from '../../hal/nic/nic.ts';
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
import { captureStop } from './capture.ts';
import {
  ENGINE_AT,
  ENGINE_INTERPRETED,
  ENGINE_NATIVE,
  HELD_AT,
  NOW_AT,
  NOW_WRAPS_AT,
  PENDING_AT,
  PLANE_BUSY_AT,
  RECEIVE_LEFT_AT,
  TICKED_AT,
  WAKE_AT,
} from './cells.ts';
import { resetCounters } from './counters.ts';
import { resetEntropy, stirEntropy } from './entropy.ts';
import { receive, releaseFragments, unreachable } from './forward.ts';
import { fragmentTick, resetFragments } from './fragment.ts';
import { resetIcmp } from './icmp.ts';
import { resetIdentifications } from './identification.ts';
import { resetInterfaces } from './interface.ts';
import { interfacesChanged } from './interface-change.ts';
import { resetKeyedHash } from './keyed-hash.ts';
import {
  INTERFACE_COUNT,
  NEIGHBOUR_HELD_LIMIT,
  RECEIVE_BUDGET,
  RECEIVE_ROUNDS,
  RECEIVE_TICK_BUDGET,
  SERIAL_COUNT,
  TICKS_PER_SECOND,
} from './limits.ts';
import { masqueradeReset } from './masquerade.ts';
import { masqueradeTick } from './masquerade-timeout.ts';
import { i32at, puti32 } from './memory.ts';
import { neighbourFailed, neighbourTick, resetNeighbours } from './neighbour.ts';
import { resetParameters } from './parameters.ts';
import { resetPool } from './pool.ts';
import { puntWaiting, resetPunt } from './punt.ts';
import { resetRoutes } from './route.ts';
import { resetSockets } from './sockets.ts';
import { resetTcp } from './tcp-local.ts';
import { drain } from './transmit.ts';

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
  resetInterfaces();
  resetSockets();
  resetTcp();
  resetPunt();
  resetNeighbours();
  resetRoutes();
  resetFragments();
  resetIcmp();
  resetIdentifications();
  resetKeyedHash();
  captureStop();
  masqueradeReset();
  puti32(NOW_AT, 0);
  puti32(NOW_WRAPS_AT, 0);
  puti32(HELD_AT, 0);
  puti32(ENGINE_AT, ENGINE_NATIVE);
  puti32(PENDING_AT, 0);
  puti32(PLANE_BUSY_AT, 0);
  puti32(WAKE_AT, 0);
  puti32(RECEIVE_LEFT_AT, RECEIVE_TICK_BUDGET);
  puti32(TICKED_AT, 0);
}

/** An interrupt line other than the timer's; `sample` is a reading of the PIT. */
export function interrupt(irq: i32, sample: i32): void {
  stirEntropy(sample);
  serialInterrupt(irq);
  const isInterpreted: i32 = i32at(ENGINE_AT) === ENGINE_INTERPRETED ? 1 : 0;
  for (let index: i32 = 0; index < INTERFACE_COUNT; index++) {
    if (nicIrq(index) === irq) {
      if (isInterpreted !== 0) {
        // A PCI card's line stays up until the card is served: it would interrupt again at once, and for ever.
        if (isLevel(index) !== 0) maskLine(irq);
        puti32(PENDING_AT, i32at(PENDING_AT) | (1 << irq));
        return;
      }
      // A full budget says that there may be more: then all cards take turns.
      if (serve(index, nicService(index)) === RECEIVE_BUDGET) takeTurns();
    }
  }
}

/** The timer, TICKS_PER_SECOND times a second. */
export function tick(sample: i32): void {
  const now: i32 = (i32at(NOW_AT) + 1) | 0;
  puti32(NOW_AT, now);
  if (now === 0) puti32(NOW_WRAPS_AT, (i32at(NOW_WRAPS_AT) + 1) | 0);
  stirEntropy(sample);
  serialTick();
  watchdogTick(now);
  if (i32at(ENGINE_AT) === ENGINE_INTERPRETED) {
    if (i32at(PLANE_BUSY_AT) === 0) catchUp();
    return;
  }
  puti32(TICKED_AT, now);
  age();
  tickCards();
}

/** Interpreted engine, but compiled always: the work of the ticks up to now. Frames are left to servicePending(). */
export function catchUp(): void {
  const now: i32 = i32at(NOW_AT);
  let behind: i32 = (now - i32at(TICKED_AT)) | 0;
  // After a long halt, one second's ageing is enough to find what ran out: the timers compare with NOW_AT.
  if (behind < 0 || behind > TICKS_PER_SECOND) behind = TICKS_PER_SECOND;
  puti32(TICKED_AT, now);
  // A mark that was lost between servicePending()'s reading and clearing would leave its line held back.
  letThrough(~i32at(PENDING_AT));
  for (let i: i32 = 0; i < behind; i++) age();
  for (let index: i32 = 0; index < INTERFACE_COUNT; index++) {
    const causes: i32 = nicTick(index);
    if ((causes & NIC_SENT) !== 0) drain(index);
    if ((causes & NIC_RECEIVED) !== 0) puti32(PENDING_AT, i32at(PENDING_AT) | PENDING_TICK);
  }
}

/** The interpreted engine's turn: the frames that interrupts and ticks have left. */
export function servicePending(): void {
  puti32(PLANE_BUSY_AT, 1);
  // An interrupt between reading and clearing would be lost; all cards are looked at after it, so none is.
  const pending: i32 = i32at(PENDING_AT);
  puti32(PENDING_AT, 0);
  puti32(RECEIVE_LEFT_AT, RECEIVE_TICK_BUDGET);
  takeTurns();
  letThrough(pending);
  puti32(PLANE_BUSY_AT, 0);
}

/** 1 for a card whose interrupt line is a level and not an edge: those on the PCI bus. */
function isLevel(index: i32): i32 {
  return i32at(cardAt(index) + NIC_KIND) === NIC_NE2000_PCI ? 1 : 0;
}

/** Lets the lines, a bit each, through that interrupt() has held back. */
function letThrough(lines: i32): void {
  for (let index: i32 = 0; index < INTERFACE_COUNT; index++) {
    if (isLevel(index) !== 0 && ((lines >> nicIrq(index)) & 1) !== 0) unmaskLine(nicIrq(index));
  }
}

/** Whether control has something to do: packets, console bytes, the interpreted engine's work, a timer. */
export function wanted(): i32 {
  if (puntWaiting() !== 0) return 1;
  if (i32at(PENDING_AT) !== 0) return 1;
  if (((i32at(NOW_AT) - i32at(WAKE_AT)) | 0) >= 0) return 1;
  for (let index: i32 = 0; index < SERIAL_COUNT; index++) {
    const at: i32 = serialAt(index);
    if (i32at(at + SERIAL_RX_HEAD) !== i32at(at + SERIAL_RX_TAIL)) return 1;
  }
  return 0;
}

/** Timers of all tables, a slice of each. */
function age(): void {
  interfacesChanged();
  masqueradeTick();
  fragmentTick();
  releaseFragments();
  neighbourTick();
  for (let i: i32 = 0; i < NEIGHBOUR_HELD_LIMIT; i++) {
    const packet: i32 = neighbourFailed();
    if (packet === 0) return;
    unreachable(packet);
  }
}

/** The cards' tick: a new budget, lost interrupts, what the last budgets left over. */
function tickCards(): void {
  puti32(RECEIVE_LEFT_AT, RECEIVE_TICK_BUDGET);
  let isMore: i32 = 0;
  for (let index: i32 = 0; index < INTERFACE_COUNT; index++) {
    if (serve(index, nicTick(index)) === RECEIVE_BUDGET) isMore = 1;
  }
  if (isMore !== 0) takeTurns();
}

/** The cards in turn, until none has more or the rounds are over. */
function takeTurns(): void {
  for (let round: i32 = 0; round < RECEIVE_ROUNDS; round++) {
    let isMore: i32 = 0;
    for (let index: i32 = 0; index < INTERFACE_COUNT; index++) {
      if (serve(index, nicService(index)) === RECEIVE_BUDGET) isMore = 1;
    }
    if (isMore === 0) return;
  }
}

/** What a card's causes ask for. Answers how many frames were taken, at most RECEIVE_BUDGET. */
function serve(index: i32, causes: i32): i32 {
  if ((causes & NIC_SENT) !== 0) drain(index);
  if ((causes & NIC_RECEIVED) === 0) return 0;
  const left: i32 = i32at(RECEIVE_LEFT_AT);
  const limit: i32 = left < RECEIVE_BUDGET ? left : RECEIVE_BUDGET;
  let taken: i32 = 0;
  for (; taken < limit; taken++) {
    const packet: i32 = nicReceive(index);
    if (packet === 0) break;
    receive(packet);
  }
  puti32(RECEIVE_LEFT_AT, left - taken);
  return taken;
}
