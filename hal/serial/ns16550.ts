// Serial ports: the 16550 and its ancestors 16450 and 8250, by interrupt, with a ring each way.
// National Semiconductor PC16550D data sheet, June 1995, section 8.0.
// Here: bytes, errors, flow control, a modem's lines. Not here: lines and keys (src/control/core/console/), frames (src/plane/link/line.ts), what a
// modem is told (src/control/ppp/).
//
// Rings: bytes in SERIAL_RECEIVE_AT and SERIAL_TRANSMIT_AT, a ring a port; heads and tails run freely and are
// masked when used. The driver moves SERIAL_RX_TAIL and SERIAL_TX_HEAD, control the two others, then calls
// serialStart(). Two ports may share a line (COM1 and COM3), so an interrupt is served until all are quiet.
//
// Reading LSR forgets the errors it shows, and they belong to the byte that is read next. So LSR is read in one
// place only, receive(), and whoever needs THRE takes that function's answer.

import { SERIAL_CHANGED_AT, SERIAL_LINES_AT, SERIAL_READ_AT } from '../../src/base/cells.ts';
import { COUNT_SERIAL_OVERRUN, count } from '../../src/base/counters.ts';
import {
  SERIAL_COUNT,
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_STATE_BYTES,
  SERIAL_STATES_AT,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
} from '../../src/base/limits.ts';
import { fill, get8, i32at, put8, puti32 } from '../../src/base/memory.ts';
import { in8, out8 } from '../ports.ts';

// Registers.
const RBR: i32 = 0;
const THR: i32 = 0;
const IER: i32 = 1;
const IIR: i32 = 2;
const FCR: i32 = 2;
const LCR: i32 = 3;
const MCR: i32 = 4;
const LSR: i32 = 5;
const MSR: i32 = 6;
const SCR: i32 = 7;
/** While LCR_DLAB is set. */
const DLL: i32 = 0;
const DLM: i32 = 1;

const IER_RECEIVED: i32 = 0x01;
const IER_EMPTY: i32 = 0x02;
const IER_LINE: i32 = 0x04;
const IER_MODEM: i32 = 0x08;
const IIR_NONE: i32 = 0x01;
const IIR_CAUSE: i32 = 0x0e;
const IIR_EMPTY: i32 = 0x02;
const IIR_MODEM: i32 = 0x00;
const IIR_FIFOS: i32 = 0xc0;
/** FIFOs on, both emptied, interrupt at 8 bytes. The 8 places behind them are 0.7 ms of patience at 115200. */
const FCR_ON: i32 = 0x87;
const LCR_8N1: i32 = 0x03;
const LCR_DLAB: i32 = 0x80;
export const MCR_DTR: i32 = 0x01;
const MCR_RTS: i32 = 0x02;
/** On a PC this gate lets the chip's interrupt through to the bus. */
const MCR_OUT2: i32 = 0x08;
const MCR_LOOP: i32 = 0x10;
const LSR_DATA: i32 = 0x01;
const LSR_OVERRUN: i32 = 0x02;
const LSR_PARITY: i32 = 0x04;
const LSR_FRAMING: i32 = 0x08;
const LSR_BREAK: i32 = 0x10;
const LSR_EMPTY: i32 = 0x20;
const LSR_IDLE: i32 = 0x40;
/** RI has gone down, since MSR was read last: a ring is over. */
const MSR_RUNG: i32 = 0x04;
const MSR_CTS: i32 = 0x10;
const MSR_LINES: i32 = 0xf0;

const XON: i32 = 0x11;
const XOFF: i32 = 0x13;
const FIFO_BYTES: i32 = 16;

/** Fill of the receive ring at which the peer is told to wait, and at which to go on. */
const HIGH_WATER: i32 = (SERIAL_RECEIVE_BYTES >> 2) * 3;
const LOW_WATER: i32 = SERIAL_RECEIVE_BYTES >> 2;
/**
 * Bytes taken in one go; causes served of one port; rounds over all ports of a line. A chip that has ever new causes,
 * because it is dead or is QEMU's, whose transmitter is empty at once, gets another interrupt: others come first.
 */
const RECEIVE_LIMIT: i32 = 24;
const SERVE_ROUNDS: i32 = 4;
const LINE_ROUNDS: i32 = 2;
/** Reads of LSR until 16 bytes at 115200 baud (1.4 ms) have left a chip that the loader used. */
const IDLE_POLLS: i32 = 4000;

// State of a port, a word each, from serialAt(index).
const PORT: i32 = 0;
const IRQ: i32 = 4;
/** SERIAL_NONE, SERIAL_16450 or SERIAL_16550. */
export const SERIAL_KIND: i32 = 8;
/** Free-running positions in the rings: control reads at RX_HEAD and writes at TX_TAIL. */
export const SERIAL_RX_HEAD: i32 = 12;
export const SERIAL_RX_TAIL: i32 = 16;
export const SERIAL_TX_HEAD: i32 = 20;
export const SERIAL_TX_TAIL: i32 = 24;
/** SERIAL_RTS_CTS | SERIAL_XON_XOFF: which signs of the peer are obeyed. */
export const SERIAL_MODE: i32 = 28;
/** HELD_*: who waits for whom. */
export const SERIAL_HELD: i32 = 32;
/** What IER holds. */
const ENABLED: i32 = 36;
/** XON or XOFF that goes before the ring's bytes, or 0. */
const URGENT: i32 = 40;
// Counters.
export const SERIAL_RX_BYTES: i32 = 44;
export const SERIAL_TX_BYTES: i32 = 48;
/** Bytes that the chip lost before we came. */
export const SERIAL_OVERRUNS: i32 = 52;
export const SERIAL_PARITY_ERRORS: i32 = 56;
export const SERIAL_FRAMING_ERRORS: i32 = 60;
export const SERIAL_BREAKS: i32 = 64;
/** Bytes lost because control did not empty the ring. */
export const SERIAL_RING_FULL: i32 = 68;
/** 1 when bytes were lost, until who reads the ring puts 0 there; and the first and last position where some may lack. */
export const SERIAL_LOST: i32 = 72;
export const SERIAL_LOST_FROM: i32 = 76;
export const SERIAL_LOST_TO: i32 = 80;
/** 115200 / this is the rate; 0: no chip. */
export const SERIAL_DIVISOR: i32 = 84;
/** What MCR holds while the peer need not wait. */
export const LINES_UP: i32 = 88;
/** The modem's lines as they were seen last, SERIAL_CTS and its like; how often it rang, and lost the carrier. */
export const SERIAL_MODEM: i32 = 92;
export const SERIAL_RINGS: i32 = 96;
export const SERIAL_DROPS: i32 = 100;

export const SERIAL_NONE: i32 = 0;
/** 16450 or 8250, or a 16550 whose FIFOs do not work: one byte at a time. */
export const SERIAL_16450: i32 = 1;
export const SERIAL_16550: i32 = 2;

export const SERIAL_RTS_CTS: i32 = 1;
export const SERIAL_XON_XOFF: i32 = 2;
/** The modem's other lines are watched: a change is a bit of SERIAL_CHANGED_AT, and control is called. */
export const SERIAL_WATCHED: i32 = 4;

/** A modem's lines: it lets us send, is there, rings, has a carrier. */
export const SERIAL_CTS: i32 = 0x10;
export const SERIAL_DSR: i32 = 0x20;
export const SERIAL_RI: i32 = 0x40;
export const SERIAL_DCD: i32 = 0x80;

/** We have told the peer to wait. */
export const HELD_PEER: i32 = 1;
/** The peer has told us to wait, by XOFF or by CTS. */
export const HELD_BY_XOFF: i32 = 2;
export const HELD_BY_CTS: i32 = 4;

/** Address of a port's state. */
export function serialAt(index: i32): i32 {
  return SERIAL_STATES_AT + index * SERIAL_STATE_BYTES;
}

/** Forgets all ports. */
export function resetSerial(): void {
  fill(SERIAL_STATES_AT, 0, SERIAL_COUNT * SERIAL_STATE_BYTES);
  puti32(SERIAL_LINES_AT, 0);
  puti32(SERIAL_CHANGED_AT, 0);
  puti32(SERIAL_READ_AT, 1); // the console's, at power-on
}

/**
 * Looks for a UART and sets it to 8N1 at 115200 / divisor, with DTR and RTS up: 1 if it is there. It is known by
 * bits that always read 0, and by its loopback from MCR to MSR, as the 8250 has no scratch register; where some chip
 * or emulator has no loopback, by the scratch register.
 */
export function serialProbe(index: i32, port: i32, irq: i32, divisor: i32): i32 {
  const at: i32 = serialAt(index);
  fill(at, 0, SERIAL_STATE_BYTES);
  if (isUart(port) === 0) return 0;
  setDivisor(port, divisor);
  out8(port + FCR, FCR_ON);
  // Both bits: the 16550 without A sets only one, and its FIFOs lose bytes (data sheet of the 16550A).
  const fifos: i32 = (in8(port + IIR) & IIR_FIFOS) === IIR_FIFOS ? 1 : 0;
  if (fifos === 0) out8(port + FCR, 0);
  in8(port + LSR);
  in8(port + RBR);
  puti32(at + SERIAL_MODEM, in8(port + MSR) & MSR_LINES);
  puti32(at + PORT, port);
  puti32(at + SERIAL_DIVISOR, divisor);
  puti32(at + LINES_UP, MCR_DTR | MCR_RTS | MCR_OUT2);
  puti32(at + IRQ, irq);
  puti32(SERIAL_LINES_AT, i32at(SERIAL_LINES_AT) | (1 << irq));
  puti32(at + SERIAL_KIND, fifos !== 0 ? SERIAL_16550 : SERIAL_16450);
  out8(port + MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
  enable(at, IER_RECEIVED | IER_LINE);
  return 1;
}

function setDivisor(port: i32, divisor: i32): void {
  out8(port + LCR, LCR_DLAB);
  out8(port + DLL, divisor & 0xff);
  out8(port + DLM, (divisor >> 8) & 0xff);
  out8(port + LCR, LCR_8N1);
}

/** Sets a port's rate to 115200 / divisor: 1, or 0 where there is no chip. What the chip still holds to be sent is spoiled. */
export function serialSetRate(index: i32, divisor: i32): i32 {
  const at: i32 = serialAt(index);
  if (i32at(at + SERIAL_KIND) === SERIAL_NONE || divisor < 1 || divisor > 0xffff) return 0;
  setDivisor(i32at(at + PORT), divisor);
  puti32(at + SERIAL_DIVISOR, divisor);
  return 1;
}

/** Lets DTR be up, or down, which is how a modem is told to hang up. */
export function serialSetDtr(index: i32, isUp: i32): void {
  const at: i32 = serialAt(index);
  if (i32at(at + SERIAL_KIND) === SERIAL_NONE) return;
  const others: i32 = i32at(at + LINES_UP) & ~MCR_DTR;
  puti32(at + LINES_UP, isUp !== 0 ? others | MCR_DTR : others);
  setLines(at, i32at(at + PORT));
}

/** A modem's lines as they are now: SERIAL_CTS | SERIAL_DSR | SERIAL_RI | SERIAL_DCD. */
export function serialModem(index: i32): i32 {
  const at: i32 = serialAt(index);
  if (i32at(at + SERIAL_KIND) === SERIAL_NONE) return 0;
  readModem(index, at, i32at(at + PORT));
  return i32at(at + SERIAL_MODEM);
}

/** Whether control reads a port's bytes, and is called when there are some; what nobody reads stays, and is thrown away when somebody begins to. */
export function serialRead(index: i32, isRead: i32): void {
  const all: i32 = i32at(SERIAL_READ_AT);
  if (((all >> index) & 1) === 0 && isRead !== 0) {
    const at: i32 = serialAt(index);
    puti32(at + SERIAL_RX_HEAD, i32at(at + SERIAL_RX_TAIL));
  }
  puti32(SERIAL_READ_AT, isRead !== 0 ? all | (1 << index) : all & ~(1 << index));
}

function isUart(port: i32): i32 {
  // Last words of who had the port before us.
  for (let polls: i32 = 0; polls < IDLE_POLLS; polls++) {
    if ((in8(port + LSR) & LSR_IDLE) !== 0) break;
  }
  out8(port + LCR, LCR_8N1);
  out8(port + IER, 0x0f);
  if (in8(port + IER) !== 0x0f) return 0;
  out8(port + IER, 0);
  if (in8(port + IER) !== 0) return 0;
  out8(port + MCR, MCR_LOOP | MCR_OUT2 | MCR_RTS);
  // In loopback OUT2 comes back as DCD (0x80) and RTS as CTS (0x10).
  const back: i32 = in8(port + MSR) & 0xf0;
  out8(port + MCR, 0);
  return back === 0x90 ? 1 : hasScratch(port);
}

/** Whether SCR keeps what is written, DLM lies behind IER and not in it, and no interrupt has a cause: not so memory. */
function hasScratch(port: i32): i32 {
  for (let byte: i32 = 0x55; byte < 0xff; byte += 0x55) {
    out8(port + SCR, byte);
    if (in8(port + SCR) !== byte) return 0;
  }
  if ((in8(port + IIR) & (IIR_NONE | IIR_CAUSE)) !== IIR_NONE) return 0;
  out8(port + LCR, LCR_DLAB | LCR_8N1);
  out8(port + DLM, 0xa5);
  const latch: i32 = in8(port + DLM);
  out8(port + LCR, LCR_8N1);
  return latch === 0xa5 && in8(port + IER) === 0 ? 1 : 0;
}

/** Says which signs of the peer are obeyed: SERIAL_RTS_CTS, SERIAL_XON_XOFF, both or 0; and whether its lines are watched, SERIAL_WATCHED. */
export function serialSetMode(index: i32, mode: i32): void {
  const at: i32 = serialAt(index);
  if (i32at(at + SERIAL_KIND) === SERIAL_NONE) return;
  const turned: i32 = (i32at(at + SERIAL_MODE) ^ mode) & SERIAL_XON_XOFF;
  puti32(at + SERIAL_MODE, mode);
  puti32(at + SERIAL_HELD, i32at(at + SERIAL_HELD) & HELD_PEER);
  // A peer that waits for XON would wait for ever, and one that is to wait does not know it yet.
  if (turned !== 0 && (i32at(at + SERIAL_HELD) & HELD_PEER) !== 0) {
    puti32(at + URGENT, (mode & SERIAL_XON_XOFF) !== 0 ? XOFF : XON);
  }
  let interrupts: i32 = i32at(at + ENABLED) & ~IER_MODEM;
  if ((mode & (SERIAL_RTS_CTS | SERIAL_WATCHED)) !== 0) interrupts |= IER_MODEM;
  enable(at, interrupts);
  readModem(index, at, i32at(at + PORT));
}

/** Serves every port of a line until none has a cause, so that the line falls and its next edge is seen; or makes one. */
export function serialInterrupt(irq: i32): void {
  if (((i32at(SERIAL_LINES_AT) >> irq) & 1) === 0) return;
  for (let rounds: i32 = 0; rounds < LINE_ROUNDS; rounds++) {
    let worked: i32 = 0;
    for (let index: i32 = 0; index < SERIAL_COUNT; index++) {
      const at: i32 = serialAt(index);
      if (i32at(at + SERIAL_KIND) === SERIAL_NONE || i32at(at + IRQ) !== irq) continue;
      worked |= serve(index, at, i32at(at + PORT));
    }
    if (worked === 0) return;
  }
  makeEdge(irq);
}

/** The line must fall once, or the edge-triggered controller stays deaf to causes that are still there. */
function makeEdge(irq: i32): void {
  for (let index: i32 = 0; index < SERIAL_COUNT; index++) {
    const at: i32 = serialAt(index);
    if (i32at(at + SERIAL_KIND) !== SERIAL_NONE && i32at(at + IRQ) === irq) out8(i32at(at + PORT) + IER, 0);
  }
  for (let index: i32 = 0; index < SERIAL_COUNT; index++) {
    const at: i32 = serialAt(index);
    if (i32at(at + SERIAL_KIND) !== SERIAL_NONE && i32at(at + IRQ) === irq) {
      out8(i32at(at + PORT) + IER, i32at(at + ENABLED));
    }
  }
}

/** Starts to send what control has put into the transmit ring. */
export function serialStart(index: i32): void {
  const at: i32 = serialAt(index);
  if (i32at(at + SERIAL_KIND) === SERIAL_NONE) return;
  if ((i32at(at + ENABLED) & IER_EMPTY) !== 0) return;
  const port: i32 = i32at(at + PORT);
  if ((receive(index, at, port) & LSR_EMPTY) !== 0) transmit(index, at, port);
  else if (mayStart(at) !== 0) enable(at, i32at(at + ENABLED) | IER_EMPTY);
}

/** Each 10 ms: lost interrupts, and the peer that waits for our ring. */
export function serialTick(): void {
  for (let index: i32 = 0; index < SERIAL_COUNT; index++) {
    const at: i32 = serialAt(index);
    if (i32at(at + SERIAL_KIND) === SERIAL_NONE) continue;
    const port: i32 = i32at(at + PORT);
    if ((i32at(at + SERIAL_HELD) & HELD_PEER) !== 0 && received(at) <= LOW_WATER) letPeer(at, port);
    const status: i32 = receive(index, at, port);
    if ((status & LSR_EMPTY) !== 0 && mayStart(at) !== 0) transmit(index, at, port);
  }
}

/** Bytes in the receive ring. */
function received(at: i32): i32 {
  return (i32at(at + SERIAL_RX_TAIL) - i32at(at + SERIAL_RX_HEAD)) | 0;
}

/** Whether there is something to send and the peer lets us. */
function mayStart(at: i32): i32 {
  if (i32at(at + URGENT) !== 0) return 1;
  if ((i32at(at + SERIAL_HELD) & (HELD_BY_XOFF | HELD_BY_CTS)) !== 0) return 0;
  return i32at(at + SERIAL_TX_HEAD) !== i32at(at + SERIAL_TX_TAIL) ? 1 : 0;
}

/** Serves the causes of one port: 1 if there was one. */
function serve(index: i32, at: i32, port: i32): i32 {
  for (let rounds: i32 = 0; rounds < SERVE_ROUNDS; rounds++) {
    const cause: i32 = in8(port + IIR);
    if ((cause & IIR_NONE) !== 0) return rounds === 0 ? 0 : 1;
    if ((cause & IIR_CAUSE) === IIR_EMPTY) transmit(index, at, port);
    else if ((cause & IIR_CAUSE) === IIR_MODEM) readModem(index, at, port);
    else receive(index, at, port);
    if ((i32at(at + ENABLED) & IER_EMPTY) === 0 && mayStart(at) !== 0) {
      enable(at, i32at(at + ENABLED) | IER_EMPTY);
    }
  }
  return 1;
}

/** Takes what the chip has received. Answers the last LSR, in which no byte is left (or the chip is gone). */
function receive(index: i32, at: i32, port: i32): i32 {
  let status: i32 = 0;
  for (let n: i32 = 0; n < RECEIVE_LIMIT; n++) {
    status = in8(port + LSR);
    if (status === 0xff) return 0;
    if ((status & LSR_OVERRUN) !== 0) {
      add(at + SERIAL_OVERRUNS);
      count(COUNT_SERIAL_OVERRUN);
      // It is shown at once, while what had come before is still in the FIFO (data sheet, LSR bit 1).
      lose(at, i32at(at + SERIAL_KIND) === SERIAL_16550 ? FIFO_BYTES : 0);
    }
    if ((status & LSR_DATA) === 0) return status;
    const byte: i32 = in8(port + RBR);
    if ((status & (LSR_PARITY | LSR_FRAMING | LSR_BREAK)) === 0) accept(index, at, port, byte);
    else countError(at, status);
  }
  // Bytes are still coming, so their error bits must stay in the chip: THRE is not asked for now.
  return status & ~LSR_EMPTY;
}

/** A byte known to be wrong is counted and not passed on. A break shows as a framing error too. */
function countError(at: i32, status: i32): void {
  if ((status & LSR_BREAK) !== 0) {
    add(at + SERIAL_BREAKS);
    return;
  }
  lose(at, 0);
  if ((status & LSR_FRAMING) !== 0) add(at + SERIAL_FRAMING_ERRORS);
  else add(at + SERIAL_PARITY_ERRORS);
}

/** Notes that a byte is missing between here and so many bytes on. */
function lose(at: i32, reach: i32): void {
  const tail: i32 = i32at(at + SERIAL_RX_TAIL);
  if (i32at(at + SERIAL_LOST) === 0) puti32(at + SERIAL_LOST_FROM, tail);
  puti32(at + SERIAL_LOST, 1);
  puti32(at + SERIAL_LOST_TO, (tail + reach) | 0);
}

/** Puts a good byte into the ring, or obeys it where it is flow control. */
function accept(index: i32, at: i32, port: i32, byte: i32): void {
  if ((i32at(at + SERIAL_MODE) & SERIAL_XON_XOFF) !== 0 && (byte === XON || byte === XOFF)) {
    const held: i32 = i32at(at + SERIAL_HELD);
    puti32(at + SERIAL_HELD, byte === XOFF ? held | HELD_BY_XOFF : held & ~HELD_BY_XOFF);
    return;
  }
  const tail: i32 = i32at(at + SERIAL_RX_TAIL);
  const filled: i32 = received(at);
  if (filled >= SERIAL_RECEIVE_BYTES) {
    add(at + SERIAL_RING_FULL);
    count(COUNT_SERIAL_OVERRUN);
    lose(at, 0);
    return;
  }
  put8(SERIAL_RECEIVE_AT + index * SERIAL_RECEIVE_BYTES + (tail & (SERIAL_RECEIVE_BYTES - 1)), byte);
  puti32(at + SERIAL_RX_TAIL, (tail + 1) | 0);
  add(at + SERIAL_RX_BYTES);
  if (filled >= HIGH_WATER && (i32at(at + SERIAL_HELD) & HELD_PEER) === 0) holdPeer(at, port);
}

/** Tells the peer to wait: by RTS always, which a peer without it does not see, and by XOFF in that mode. */
function holdPeer(at: i32, port: i32): void {
  puti32(at + SERIAL_HELD, i32at(at + SERIAL_HELD) | HELD_PEER);
  setLines(at, port);
  if ((i32at(at + SERIAL_MODE) & SERIAL_XON_XOFF) !== 0) puti32(at + URGENT, XOFF);
}

function letPeer(at: i32, port: i32): void {
  puti32(at + SERIAL_HELD, i32at(at + SERIAL_HELD) & ~HELD_PEER);
  setLines(at, port);
  if ((i32at(at + SERIAL_MODE) & SERIAL_XON_XOFF) !== 0) puti32(at + URGENT, XON);
}

function setLines(at: i32, port: i32): void {
  const up: i32 = i32at(at + LINES_UP);
  out8(port + MCR, (i32at(at + SERIAL_HELD) & HELD_PEER) !== 0 ? up & ~MCR_RTS : up);
}

/** Reads MSR, which clears its interrupt: CTS, and what is watched. */
function readModem(index: i32, at: i32, port: i32): void {
  const status: i32 = in8(port + MSR);
  const before: i32 = i32at(at + SERIAL_MODEM);
  puti32(at + SERIAL_MODEM, status & MSR_LINES);
  if ((status & MSR_RUNG) !== 0) add(at + SERIAL_RINGS);
  if ((before & ~status & SERIAL_DCD) !== 0) add(at + SERIAL_DROPS);
  const changed: i32 = ((before ^ status) & (SERIAL_DCD | SERIAL_RI)) | (status & MSR_RUNG);
  if (changed !== 0 && (i32at(at + SERIAL_MODE) & SERIAL_WATCHED) !== 0)
    puti32(SERIAL_CHANGED_AT, i32at(SERIAL_CHANGED_AT) | (1 << index));
  const up: i32 = status & MSR_CTS;
  const held: i32 = i32at(at + SERIAL_HELD) & ~HELD_BY_CTS;
  const stops: i32 = up === 0 && (i32at(at + SERIAL_MODE) & SERIAL_RTS_CTS) !== 0 ? HELD_BY_CTS : 0;
  puti32(at + SERIAL_HELD, held | stops);
}

/** Gives the empty transmitter as much as it takes, and asks for an interrupt only if more is to come. */
function transmit(index: i32, at: i32, port: i32): void {
  let room: i32 = i32at(at + SERIAL_KIND) === SERIAL_16550 ? FIFO_BYTES : 1;
  const urgent: i32 = i32at(at + URGENT);
  if (urgent !== 0) {
    puti32(at + URGENT, 0);
    out8(port + THR, urgent);
    room -= 1;
  }
  if ((i32at(at + SERIAL_HELD) & (HELD_BY_XOFF | HELD_BY_CTS)) === 0) {
    const ring: i32 = SERIAL_TRANSMIT_AT + index * SERIAL_TRANSMIT_BYTES;
    const tail: i32 = i32at(at + SERIAL_TX_TAIL);
    let head: i32 = i32at(at + SERIAL_TX_HEAD);
    for (; room > 0 && head !== tail; room--) {
      out8(port + THR, get8(ring + (head & (SERIAL_TRANSMIT_BYTES - 1))));
      head = (head + 1) | 0;
      add(at + SERIAL_TX_BYTES);
    }
    puti32(at + SERIAL_TX_HEAD, head);
  }
  const others: i32 = i32at(at + ENABLED) & ~IER_EMPTY;
  enable(at, mayStart(at) !== 0 ? others | IER_EMPTY : others);
}

/** Sets IER, if it changes. */
function enable(at: i32, interrupts: i32): void {
  if (i32at(at + ENABLED) === interrupts) return;
  puti32(at + ENABLED, interrupts);
  out8(i32at(at + PORT) + IER, interrupts);
}

function add(counter: i32): void {
  puti32(counter, (i32at(counter) + 1) | 0);
}
