// What an NE2000 board puts around its DP8390: a reset port, a PROM with the station address, 16 KB of memory
// behind a data port of 16 bits, on the PCI bus of 32. Novell NE2000; RTL8019AS and RTL8029AS data sheets for the ISA and PCI one-chip
// boards. Found by asking, since an ISA board has no name.
// Not here: the chip (dp8390.ts); at which ports to ask (board/).
//
//    port + 0x00   the chip's 16 registers
//         + 0x10   data port
//         + 0x1f   reset port: what is read here and written back resets the chip
//
// Addresses of the remote DMA: the PROM at 0 (each byte the low half of a word), memory from 0x4000 to 0x8000.

import { fill, get8, i32at, put8, puti32 } from '../../src/base/memory.ts';
import { forgetRequest, pendingLines } from '../pic.ts';
import { in8, out8 } from '../ports.ts';
import { cardAt, NIC_MAC, NIC_PORT, NIC_SCRATCH, NIC_STATION } from './card.ts';
import { dp8390Reset, dp8390SetUp } from './dp8390.ts';
import { remoteDone, remoteRead, remoteWrite } from './dp8390-dma.ts';
import * as R from './dp8390-registers.ts';

const RESET: i32 = 0x1f;
const PROM_BYTES: i32 = 32;
const TEST_BYTES: i32 = 64;

/** Lines that an ISA card can have: 3, 4, 5, 7, 9, 10, 11, 12 and 15. The others belong to the PC itself. */
const CARD_LINES: i32 = 0x9eb8;
const LINE_COUNT: i32 = 16;
/** Tries to see one line rise alone, and looks at the controllers in each; a look takes some microseconds. */
const LINE_TRIES: i32 = 3;
const LINE_POLLS: i32 = 50;

/**
 * Whether a board answers at the card's port: 1, then its station address is known and the chip is set up. Only
 * reads are made until something answers, and nothing is believed that memory on the card does not confirm: neither that its
 * data port takes 32 bits at a time, if it should be so `wide`.
 */
export function ne2000Probe(index: i32, wide: i32): i32 {
  const at: i32 = cardAt(index);
  puti32(at + R.DP_WIDE, wide);
  const port: i32 = i32at(at + NIC_PORT);
  if (in8(port + R.CR) === 0xff) return 0;
  puti32(at + R.DP_RESET_PORT, port + RESET);
  if (dp8390Reset(index) === 0) return 0;
  if (in8(port + R.CR) !== R.CR_STOP) return 0;
  out8(port + R.IMR, 0);
  out8(port + R.DCR, R.DCR_WORDS);
  out8(port + R.RBCR0, 0);
  out8(port + R.RBCR1, 0);
  out8(port + R.RCR, R.RCR_MONITOR);
  out8(port + R.TCR, R.TCR_LOOPBACK);
  out8(port + R.PSTART, R.RING_START);
  out8(port + R.PSTOP, R.RING_STOP);
  // The remote DMA runs only in a started chip; in loopback and monitor mode that hears and says nothing. Some chips
  // store frames even so: a ring with one free page keeps them away from what is tested, and from the PROM at 0.
  out8(port + R.BNRY, R.RING_START + 1);
  out8(port + R.ISR, 0xff);
  out8(port + R.CR, R.CR_STOP_PAGE1);
  out8(port + R.CURR, R.RING_START);
  out8(port + R.CR, R.CR_START);
  let found: i32 = testPage(at, port, R.TRANSMIT_PAGE_0);
  if (found === 0 && i32at(at + R.DP_WIDE) !== 0) {
    // Not as wide as its kind is. The command ends a remote DMA that waits for more.
    puti32(at + R.DP_WIDE, 0);
    out8(port + R.CR, R.CR_START);
    out8(port + R.ISR, 0xff);
    found = testPage(at, port, R.TRANSMIT_PAGE_0);
  }
  if (found !== 0) found = testPage(at, port, R.RING_STOP - 1);
  if (found !== 0) found = readStationAddress(at, port);
  if (found === 0) {
    out8(port + R.CR, R.CR_STOP);
    return 0;
  }
  dp8390SetUp(index);
  return 1;
}

/** Writes to a page of the card's memory and reads it back. A board with other memory, or none, fails. */
function testPage(at: i32, port: i32, page: i32): i32 {
  const scratch: i32 = at + NIC_SCRATCH;
  for (let i: i32 = 0; i < TEST_BYTES; i++) put8(scratch + i, pattern(page, i));
  if (remoteWrite(at, page << 8, scratch, TEST_BYTES) === 0) return 0;
  fill(scratch, 0, TEST_BYTES);
  remoteRead(at, page << 8, scratch, TEST_BYTES);
  if (remoteDone(port) === 0) return 0;
  for (let i: i32 = 0; i < TEST_BYTES; i++) {
    if (get8(scratch + i) !== pattern(page, i)) return 0;
  }
  return 1;
}

/** Differs from byte to byte and from page to page. */
function pattern(page: i32, i: i32): i32 {
  return ((i << 2) ^ (page + i)) & 0xff;
}

/** Reads the PROM. Clones lack the 'W' (0x57) at 14 and 15 that Novell's has, so only the address is judged. */
function readStationAddress(at: i32, port: i32): i32 {
  const scratch: i32 = at + NIC_SCRATCH;
  remoteRead(at, 0, scratch, PROM_BYTES);
  if (remoteDone(port) === 0) return 0;
  let all: i32 = 0;
  for (let i: i32 = 0; i < 6; i++) {
    const byte: i32 = get8(scratch + 2 * i);
    put8(at + NIC_MAC + i, byte);
    put8(at + NIC_STATION + i, byte);
    all |= byte;
  }
  // A group address (which all ones is too) or all zeros is no station's (IEEE 802, section 8.2).
  return all !== 0 && (get8(at + NIC_MAC) & 1) === 0 ? 1 : 0;
}

/**
 * Finds the line of an ISA card that is set up and stopped, or -1: the card cannot say it, so it must use it. A
 * remote DMA of no bytes ends at once, and RDC raises the line, which the interrupt controller remembers even
 * while it is masked. (The request may stay in the controller and come as an interrupt without a cause.) A line that
 * waits already, be it of the card's last run, cannot rise: where none rose, those are made to forget.
 */
export function ne2000FindLine(index: i32): i32 {
  const port: i32 = i32at(cardAt(index) + NIC_PORT);
  let line: i32 = -1;
  out8(port + R.RCR, R.RCR_MONITOR);
  for (let tries: i32 = 0; tries < LINE_TRIES && line < 0; tries++) {
    out8(port + R.CR, R.CR_START);
    const before: i32 = pendingLines();
    out8(port + R.IMR, R.ISR_RDC);
    out8(port + R.RBCR0, 0);
    out8(port + R.RBCR1, 0);
    out8(port + R.CR, R.CR_REMOTE_READ);
    let risen: i32 = 0;
    for (let polls: i32 = 0; polls < LINE_POLLS && risen === 0; polls++) {
      risen = pendingLines() & ~before & CARD_LINES;
    }
    out8(port + R.CR, R.CR_START);
    out8(port + R.IMR, 0);
    out8(port + R.ISR, 0xff);
    line = onlyBit(risen);
    if (risen === 0) forgetRequests(before & CARD_LINES);
  }
  dp8390SetUp(index);
  return line;
}

function forgetRequests(lines: i32): void {
  for (let line: i32 = 0; line < LINE_COUNT; line++) {
    if (((lines >> line) & 1) !== 0) forgetRequest(line);
  }
}

/** The number of the one bit that is set, or -1. */
function onlyBit(bits: i32): i32 {
  if (bits === 0 || (bits & (bits - 1)) !== 0) return -1;
  for (let line: i32 = 0; line < LINE_COUNT; line++) {
    if (((bits >> line) & 1) !== 0) return line;
  }
  return -1;
}
