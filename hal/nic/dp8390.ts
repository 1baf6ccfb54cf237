// The DP8390 Ethernet controller: set-up, receive ring, transmit, overrun, reset.
// National Semiconductor DP8390D/NS32490D data sheet, July 1995, sections 7.0 to 11.0, and AN-874.
// Not here: frames out of the ring (dp8390-receive.ts), registers and state (dp8390-registers.ts), how a board wires and is
// found (ne2000.ts).
//
// Port accesses are what a frame costs (1 us each on a real bus), so there are few:
// - A visit reads ISR until it is clean, then CURR once, and drains the ring up to there. A frame that comes
//   meanwhile sets PRX again. Since ISR was seen clean, the line was low, and an edge follows.
// - The first remote DMA brings header and first 60 bytes of a frame in one piece; a short frame needs no other.
// - The end of a transmit raises an interrupt only when a second frame waits for it; otherwise the next send,
//   visit or tick finds PTX. Between visits RDC is always clear: each remote DMA ends by resetting it.
//
// Every wait is bounded; what does not come leads to dp8390Restart(), which is counted.

import { NOW_AT } from '../../src/base/cells.ts';
import { COUNT_CARD_RESET, COUNT_RING_OVERRUN, count, DROP_TRANSMIT_ERROR } from '../../src/base/counters.ts';
import {
  IF_RX_DROPPED,
  IF_RX_ERRORS,
  IF_TX_BYTES,
  IF_TX_ERRORS,
  IF_TX_PACKETS,
} from '../../src/base/interface.ts';
import { FRAME_MAX, NIC_TRANSMIT_TICKS, RECOVERY_FRAMES } from '../../src/base/limits.ts';
import { fill, get8, i32at, puti32 } from '../../src/base/memory.ts';
import { frameAt, frameBytes } from '../../src/base/packet.ts';
import { release } from '../../src/base/pool.ts';
import { ETHERNET_HEADER_BYTES as ETHERNET_HEADER } from '../../src/wire/ethernet.ts';
import { DELAY_FRAME, DELAY_SLICE, delay } from '../delay.ts';
import { in8, out8, out8x3 } from '../ports.ts';
import {
  add,
  cardAt,
  FRAME_MIN,
  NIC_MAC,
  NIC_OVERRUNS,
  NIC_PORT,
  NIC_RECEIVED,
  NIC_RECORD,
  NIC_RESETS,
  NIC_SENT,
  NIC_STARTED,
  NIC_STATION,
} from './card.ts';
import { remoteWrite } from './dp8390-dma.ts';
import { isTagged } from './dp8390-frame.ts';
import * as R from './dp8390-registers.ts';

/** Reads of ISR until a reset has ended. A read takes a microsecond; National allows a frame's time, 1.6 ms. */
const RESET_POLLS: i32 = 2000;
/** Of them, those of one piece of work: 0.1 ms. */
const RESET_SLICE: i32 = 100;
/** In DP_RESTART: at the end of recovery, by which the ring is emptied. */
const RESTART_AFTER_RECOVERY: i32 = -1;
/** Rounds of reading ISR in one visit, and then the mask makes the edge. */
const SERVICE_ROUNDS: i32 = 8;
/** The tallies are collected at two of 64 ticks, long before they stop at 192 in ordinary use (CNT comes at 128). */
const TALLY_TICKS_MASK: i32 = 62;

/** Causes that a visit looks at, and those that interrupt while nothing waits for the transmitter. */
const WATCHED: i32 = R.ISR_PRX | R.ISR_PTX | R.ISR_RXE | R.ISR_TXE | R.ISR_OVW | R.ISR_CNT;
const MASK_RECEIVE: i32 = R.ISR_PRX | R.ISR_OVW | R.ISR_CNT;
const TRANSMIT_DONE: i32 = R.ISR_PTX | R.ISR_TXE;

// --- set-up -------------------------------------------------------------------------------------------

/**
 * Resets the chip and waits until it stands still: 1 if it does. The board's port ends at once what is under way;
 * where that port does nothing, the command register lets a frame that arrives end, and RST comes after it.
 */
export function dp8390Reset(index: i32): i32 {
  const port: i32 = i32at(cardAt(index) + NIC_PORT);
  beginReset(index);
  for (let polls: i32 = 0; polls < RESET_POLLS; polls++) {
    if ((in8(port + R.ISR) & R.ISR_RST) !== 0) return 1;
  }
  return 0;
}

function beginReset(index: i32): void {
  const at: i32 = cardAt(index);
  const reset: i32 = i32at(at + R.DP_RESET_PORT);
  if (reset !== 0) out8(reset, in8(reset));
  out8(i32at(at + NIC_PORT) + R.CR, R.CR_STOP);
}

/**
 * Resets the chip and sets all registers (data sheet, section 11.0, "Initialization"). It is left stopped, in
 * loopback. Only a chip that stands still keeps what is written: the end of a frame under way sets CURR.
 */
export function dp8390SetUp(index: i32): void {
  dp8390Reset(index);
  setRegisters(index);
}

function setRegisters(index: i32): void {
  const at: i32 = cardAt(index);
  const port: i32 = i32at(at + NIC_PORT);
  out8(port + R.DCR, R.DCR_WORDS);
  out8(port + R.RBCR0, 0);
  out8(port + R.RBCR1, 0);
  // Some boards (QEMU's) go by the PROM's address whatever PAR holds: with another one they hear all, and src/wire/ethernet.ts
  // sorts out.
  let other: i32 = 0;
  for (let i: i32 = 0; i < 6; i++) other |= get8(at + NIC_STATION + i) ^ get8(at + NIC_MAC + i);
  out8(port + R.RCR, other === 0 ? R.RCR_NORMAL : R.RCR_NORMAL | R.RCR_PRO);
  out8(port + R.TCR, R.TCR_LOOPBACK);
  out8(port + R.TPSR, R.TRANSMIT_PAGE_0);
  out8(port + R.PSTART, R.RING_START);
  out8(port + R.PSTOP, R.RING_STOP);
  out8(port + R.BNRY, R.RING_START);
  out8(port + R.ISR, 0xff);
  out8(port + R.IMR, 0);
  out8(port + R.CR, R.CR_STOP_PAGE1);
  for (let i: i32 = 0; i < 6; i++) out8(port + R.PAR0 + i, get8(at + NIC_STATION + i));
  for (let i: i32 = 0; i < 8; i++) out8(port + R.MAR0 + i, 0);
  // One page ahead of BNRY: were both equal, a full ring would look like an empty one.
  out8(port + R.CURR, R.RING_START + 1);
  out8(port + R.CR, R.CR_STOP);
  puti32(at + R.DP_NEXT, R.RING_START + 1);
  puti32(at + R.DP_CURRENT, R.RING_START + 1);
  puti32(at + R.DP_SENDING, 0);
  puti32(at + R.DP_LOADED, 0);
  puti32(at + R.DP_MASK, MASK_RECEIVE);
  puti32(at + R.DP_RECOVER, 0);
  puti32(at + R.DP_STOPPED, 0);
  puti32(at + R.DP_RESEND, 0);
  puti32(at + R.DP_RESTART, 0);
}

/** Joins the network. */
export function dp8390Start(index: i32): void {
  const at: i32 = cardAt(index);
  const port: i32 = i32at(at + NIC_PORT);
  out8(port + R.CR, R.CR_START);
  out8(port + R.TCR, R.TCR_NORMAL);
  out8(port + R.IMR, i32at(at + R.DP_MASK));
}

/** Leaves the network. What was waiting in the card is lost. */
export function dp8390Stop(index: i32): void {
  dp8390SetUp(index);
}

/** Sets the chip up anew, for another station address. What was waiting in it is lost. */
export function dp8390Readdress(index: i32): void {
  if (i32at(cardAt(index) + NIC_STARTED) === 0) dp8390SetUp(index);
  else beginRestart(index);
}

/**
 * Resets a chip that no longer does what it should, and starts it afresh: counted, and what its tallies say. How many frames
 * are lost with its ring nobody can tell: whoever finds it out of order has counted one. dp8390Receive() goes on with it.
 */
export function dp8390Restart(index: i32): void {
  const at: i32 = cardAt(index);
  readTallies(index, i32at(at + NIC_PORT));
  const errors: i32 = i32at(at + NIC_RECORD) + IF_TX_ERRORS;
  if (i32at(at + R.DP_SENDING) !== 0) loseFrame(errors);
  if (i32at(at + R.DP_LOADED) !== 0) loseFrame(errors);
  add(at + NIC_RESETS, 1);
  count(COUNT_CARD_RESET);
  beginRestart(index);
}

function beginRestart(index: i32): void {
  const at: i32 = cardAt(index);
  puti32(at + R.DP_SENDING, 0);
  puti32(at + R.DP_LOADED, 0);
  out8(i32at(at + NIC_PORT) + R.IMR, 0);
  beginReset(index);
  puti32(at + R.DP_RESTART, RESET_POLLS);
  goOnRestart(index);
}

/** A piece of a restart. It takes one where the board's reset port works, RESET_POLLS / RESET_SLICE at most. */
export function goOnRestart(index: i32): void {
  const at: i32 = cardAt(index);
  const port: i32 = i32at(at + NIC_PORT);
  let left: i32 = i32at(at + R.DP_RESTART);
  for (let polls: i32 = 0; polls < RESET_SLICE && left > 0; polls++) {
    left = (in8(port + R.ISR) & R.ISR_RST) !== 0 ? 0 : left - 1;
  }
  puti32(at + R.DP_RESTART, left);
  if (left > 0) return;
  setRegisters(index);
  dp8390Start(index);
  puti32(at + R.DP_FREED, 1);
}

function loseFrame(errors: i32): void {
  add(errors, 1);
  count(DROP_TRANSMIT_ERROR);
}

// --- interrupt -------------------------------------------------------------------------------------------

/** Acknowledges what the chip has to say: bits NIC_RECEIVED and NIC_SENT. */
export function dp8390Service(index: i32): i32 {
  const at: i32 = cardAt(index);
  const port: i32 = i32at(at + NIC_PORT);
  if (i32at(at + R.DP_STOPPED) !== 0 || i32at(at + R.DP_RESTART) > 0) return NIC_RECEIVED;
  const watched: i32 = i32at(at + R.DP_RECOVER) === 0 ? WATCHED : WATCHED & ~R.ISR_OVW;
  let seen: i32 = 0;
  let bits: i32 = 0;
  let rounds: i32 = 0;
  for (; rounds < SERVICE_ROUNDS; rounds++) {
    const all: i32 = in8(port + R.ISR);
    const status: i32 = all & watched;
    // All ones is the empty bus: the card is gone, and there is nothing to be done with it.
    if (status === 0 || all === 0xff) break;
    seen |= status;
    // OVW is reset by the end of recovery and not before (data sheet, section 7.0, step 9).
    out8(port + R.ISR, status & ~R.ISR_OVW);
    if ((status & R.ISR_CNT) !== 0) readTallies(index, port);
    if ((status & TRANSMIT_DONE) !== 0) {
      transmitted(at, port, status);
      bits |= NIC_SENT;
    }
    if ((status & R.ISR_OVW) !== 0) {
      beginRecovery(index, at, port);
      return NIC_RECEIVED;
    }
  }
  if (rounds === SERVICE_ROUNDS) makeEdge(at, port);
  if ((seen & R.ISR_PRX) !== 0) readCurrent(index, at, port);
  if (i32at(at + R.DP_NEXT) !== i32at(at + R.DP_CURRENT)) bits |= NIC_RECEIVED;
  if (i32at(at + R.DP_RECOVER) !== 0 || i32at(at + R.DP_RESTART) !== 0) bits |= NIC_RECEIVED;
  if (i32at(at + R.DP_FREED) !== 0) {
    puti32(at + R.DP_FREED, 0);
    bits |= NIC_SENT;
  }
  return bits;
}

/** Each 10 ms: serves a card whose interrupt was lost (or that has none), and ends a transmit that hangs. */
export function dp8390Tick(index: i32): i32 {
  const at: i32 = cardAt(index);
  const now: i32 = i32at(NOW_AT);
  const bits: i32 = dp8390Service(index);
  // Frames that wait over a tick are the sign of a flood, in which the tallies are full after 13 ms.
  if ((bits & NIC_RECEIVED) !== 0 || (now & TALLY_TICKS_MASK) === 0) readTallies(index, i32at(at + NIC_PORT));
  if (i32at(at + R.DP_SENDING) === 0 || i32at(at + R.DP_RECOVER) !== 0 || i32at(at + R.DP_RESTART) !== 0)
    return bits;
  if (((now - i32at(at + R.DP_SENT_AT)) | 0) <= NIC_TRANSMIT_TICKS) return bits;
  // What the chip has received is taken first, as after an overrun.
  puti32(at + R.DP_RESTART, RESTART_AFTER_RECOVERY);
  stopToRecover(index, at, i32at(at + NIC_PORT), R.RING_PAGES);
  return bits | NIC_RECEIVED;
}

/** The line must fall once, or the edge-triggered controller stays deaf to causes that are still there. */
function makeEdge(at: i32, port: i32): void {
  if (i32at(at + R.DP_RECOVER) !== 0) return;
  out8(port + R.IMR, 0);
  out8(port + R.IMR, i32at(at + R.DP_MASK));
}

/** Reads CURR, in page 1. A page outside the ring is a chip out of order. */
function readCurrent(index: i32, at: i32, port: i32): void {
  out8(port + R.CR, R.CR_START_PAGE1);
  const current: i32 = in8(port + R.CURR);
  out8(port + R.CR, R.CR_START);
  if (current < R.RING_START || current >= R.RING_STOP) {
    ringBad(index);
    return;
  }
  puti32(at + R.DP_CURRENT, current);
}

/** Reading a tally clears it. A card that is gone reads as all ones, which is no count. */
function readTallies(index: i32, port: i32): void {
  if (in8(port + R.ISR) === 0xff) return;
  const record: i32 = i32at(cardAt(index) + NIC_RECORD);
  const errors: i32 = in8(port + R.CNTR0) + in8(port + R.CNTR1);
  const missed: i32 = in8(port + R.CNTR2);
  if (errors !== 0) add(record + IF_RX_ERRORS, errors);
  if (missed !== 0) add(record + IF_RX_DROPPED, missed);
}

/**
 * What the ring holds makes no sense. On QEMU it is a ring that frames of several sizes have filled to the last page: its chip
 * takes that for an empty one and writes over it, where a real one reports an overrun (data sheet, section 7.0).
 */
export function ringBad(index: i32): void {
  add(i32at(cardAt(index) + NIC_RECORD) + IF_RX_ERRORS, 1);
  add(cardAt(index) + NIC_OVERRUNS, 1);
  count(COUNT_RING_OVERRUN);
  dp8390Restart(index);
}

// --- overrun: data sheet, section 7.0, "Buffer Ring Overflow", by its steps ------------------------------

/** Steps 1 and 2. The caller goes on with dp8390Receive(): step 3 in slices, then frames, which are step 8. */
function beginRecovery(index: i32, at: i32, port: i32): void {
  add(at + NIC_OVERRUNS, 1);
  count(COUNT_RING_OVERRUN);
  stopToRecover(index, at, port, RECOVERY_FRAMES);
}

function stopToRecover(index: i32, at: i32, port: i32, frames: i32): void {
  // The tallies stand still in stop mode, so what was missed is read first. No interrupts until the end:
  // the mask, set again there, makes an edge for whatever came meanwhile.
  readTallies(index, port);
  out8(port + R.IMR, 0);
  const sending: i32 = in8(port + R.CR) & R.CR_TXP;
  out8(port + R.CR, R.CR_STOP);
  puti32(at + R.DP_RESEND, sending !== 0 && i32at(at + R.DP_SENDING) !== 0 ? 1 : 0);
  puti32(at + R.DP_RECOVER, frames + 1);
  puti32(at + R.DP_STOPPED, DELAY_FRAME);
}

/** A slice of step 3, and behind the last one steps 4 to 7. (RST is no reliable sign here, says the data sheet.) */
export function waitStopped(index: i32, at: i32, port: i32): void {
  const left: i32 = i32at(at + R.DP_STOPPED);
  // One more than is counted, for the change that a slice begins with may follow at once.
  delay((left < DELAY_SLICE ? left : DELAY_SLICE) + 1);
  if (left > DELAY_SLICE) {
    puti32(at + R.DP_STOPPED, left - DELAY_SLICE);
    return;
  }
  puti32(at + R.DP_STOPPED, 0);
  out8(port + R.RBCR0, 0);
  out8(port + R.RBCR1, 0);
  // A transmit that was cut off has set neither bit. (Both are clear when a transmit starts.)
  if ((in8(port + R.ISR) & TRANSMIT_DONE) !== 0) puti32(at + R.DP_RESEND, 0);
  out8(port + R.TCR, R.TCR_LOOPBACK);
  out8(port + R.CR, R.CR_START);
  readCurrent(index, at, port);
}

/** Steps 9 to 11, when the ring is empty or enough frames have been removed. */
export function endRecovery(index: i32, at: i32, port: i32): void {
  if (i32at(at + R.DP_RESTART) !== 0) {
    dp8390Restart(index);
    return;
  }
  puti32(at + R.DP_RECOVER, 0);
  // What could not be sent meanwhile waits for a word.
  puti32(at + R.DP_FREED, 1);
  out8(port + R.ISR, R.ISR_OVW);
  out8(port + R.TCR, R.TCR_NORMAL);
  if (i32at(at + R.DP_RESEND) !== 0) {
    puti32(at + R.DP_RESEND, 0);
    transmit(at, port, i32at(at + R.DP_SENDING), i32at(at + R.DP_SENDING_BYTES));
  }
  out8(port + R.IMR, i32at(at + R.DP_MASK));
}

// --- transmit ------------------------------------------------------------------------------------------------

/** Takes a frame: 1, and the buffer is released; 0 when both of the card's buffers are in use. */
export function dp8390Send(index: i32, packet: i32): i32 {
  const at: i32 = cardAt(index);
  const port: i32 = i32at(at + NIC_PORT);
  const record: i32 = i32at(at + NIC_RECORD);
  // The remote DMA stands still too; and what hangs is about to be reset.
  if ((i32at(at + R.DP_STOPPED) | i32at(at + R.DP_RESTART)) !== 0) return 0;
  const frame: i32 = frameAt(packet);
  let length: i32 = frameBytes(packet);
  if (length < ETHERNET_HEADER || (length > FRAME_MAX && isTagged(frame, length) === 0)) {
    loseFrame(record + IF_TX_ERRORS);
    release(packet);
    return 1;
  }
  if (i32at(at + R.DP_SENDING) !== 0) {
    const status: i32 = in8(port + R.ISR) & TRANSMIT_DONE;
    if (status !== 0) {
      out8(port + R.ISR, status);
      transmitted(at, port, status);
    }
    if (i32at(at + R.DP_LOADED) !== 0) return 0;
  }
  if (length < FRAME_MIN) {
    // Zeros, not what the buffer held before: that would tell strangers of other packets (RFC 1042; CVE-2003-0001).
    fill(frame + length, 0, FRAME_MIN - length);
    length = FRAME_MIN;
  }
  const sending: i32 = i32at(at + R.DP_SENDING);
  const page: i32 = sending === R.TRANSMIT_PAGE_0 ? R.TRANSMIT_PAGE_1 : R.TRANSMIT_PAGE_0;
  const loaded: i32 = remoteWrite(at, page << 8, frame, (length + 1) & ~1);
  release(packet);
  if (loaded === 0) {
    loseFrame(record + IF_TX_ERRORS);
    dp8390Restart(index);
    return 1;
  }
  add(record + IF_TX_PACKETS, 1);
  add(record + IF_TX_BYTES, length);
  if (sending === 0) begin(at, port, page, length);
  else wait(at, port, page, length);
  return 1;
}

/** Sends a loaded buffer, or leaves that to the end of recovery: in loopback nothing reaches the wire. */
function begin(at: i32, port: i32, page: i32, length: i32): void {
  puti32(at + R.DP_SENDING, page);
  puti32(at + R.DP_SENDING_BYTES, length);
  if (i32at(at + R.DP_RECOVER) !== 0) puti32(at + R.DP_RESEND, 1);
  else transmit(at, port, page, length);
}

/** Keeps a loaded buffer until the one before it is sent, which now interrupts. */
function wait(at: i32, port: i32, page: i32, length: i32): void {
  puti32(at + R.DP_LOADED, page);
  puti32(at + R.DP_LOADED_BYTES, length);
  puti32(at + R.DP_MASK, MASK_RECEIVE | TRANSMIT_DONE);
  if (i32at(at + R.DP_RECOVER) === 0) out8(port + R.IMR, MASK_RECEIVE | TRANSMIT_DONE);
}

function transmit(at: i32, port: i32, page: i32, length: i32): void {
  puti32(at + R.DP_SENT_AT, i32at(NOW_AT));
  // TPSR, TBCR0 and TBCR1 lie one behind the other.
  out8x3(port + R.TPSR, page, length);
  out8(port + R.CR, R.CR_TRANSMIT);
}

/** A transmit has ended, by success or error, and ISR's bit is reset: goes on with the buffer that waits. */
function transmitted(at: i32, port: i32, status: i32): void {
  if ((status & R.ISR_TXE) !== 0) loseFrame(i32at(at + NIC_RECORD) + IF_TX_ERRORS);
  const page: i32 = i32at(at + R.DP_LOADED);
  puti32(at + R.DP_SENDING, 0);
  if (page === 0) return;
  puti32(at + R.DP_LOADED, 0);
  puti32(at + R.DP_MASK, MASK_RECEIVE);
  if (i32at(at + R.DP_RECOVER) === 0) out8(port + R.IMR, MASK_RECEIVE);
  begin(at, port, page, i32at(at + R.DP_LOADED_BYTES));
}
