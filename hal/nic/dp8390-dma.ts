// The DP8390's remote DMA: moves words between the chip's own memory and the board's data port.
// DP8390D data sheet, July 1995, section 9.0. RDC is clear before each of them, and remoteDone() clears it.
// Not here: what the words mean (dp8390.ts, ne2000.ts).
//
// RSAR0, RSAR1, RBCR0 and RBCR1 lie one behind the other, and are written as one word's bytes.
// The data sheet gives the wrap at PSTOP to the Send Packet command only: callers cut their reads there.

import { i32at } from '../../src/base/memory.ts';
import { in8, ins16, ins32, out8, out8x4, outs16, outs32 } from '../ports.ts';
import { NIC_PORT } from './card.ts';
import {
  CR,
  CR_REMOTE_READ,
  CR_REMOTE_WRITE,
  DATA,
  DP_WIDE,
  ISR,
  ISR_RDC,
  RSAR0,
} from './dp8390-registers.ts';

/** Reads of ISR until a remote DMA has ended. The last word needs some microseconds; a read takes one. */
const REMOTE_POLLS: i32 = 100;

/** Reads `bytes` (even) at `from` of the memory of the chip whose card's block is `at`, to `p`. remoteDone() must follow. */
export function remoteRead(at: i32, from: i32, p: i32, bytes: i32): void {
  const port: i32 = i32at(at + NIC_PORT);
  out8x4(port + RSAR0, from, bytes);
  out8(port + CR, CR_REMOTE_READ);
  if (i32at(at + DP_WIDE) === 0) {
    ins16(port + DATA, p, bytes >> 1);
    return;
  }
  ins32(port + DATA, p, bytes >> 2);
  if ((bytes & 2) !== 0) ins16(port + DATA, p + (bytes & ~3), 1);
}

/** Writes `bytes` (even) from `p` to `to` of the chip's memory: 1 when the last one is there, 0 if it hangs. */
export function remoteWrite(at: i32, to: i32, p: i32, bytes: i32): i32 {
  const port: i32 = i32at(at + NIC_PORT);
  out8x4(port + RSAR0, to, bytes);
  out8(port + CR, CR_REMOTE_WRITE);
  if (i32at(at + DP_WIDE) === 0) {
    outs16(port + DATA, p, bytes >> 1);
  } else {
    outs32(port + DATA, p, bytes >> 2);
    if ((bytes & 2) !== 0) outs16(port + DATA, p + (bytes & ~3), 1);
  }
  return remoteDone(port);
}

/** Waits for the end of a remote DMA and resets RDC: 1, or 0 if it does not come. Most often it has come. */
export function remoteDone(port: i32): i32 {
  if ((in8(port + ISR) & ISR_RDC) === 0) {
    if (remoteWait(port) === 0) return 0;
  }
  out8(port + ISR, ISR_RDC);
  return 1;
}

function remoteWait(port: i32): i32 {
  for (let polls: i32 = 1; polls < REMOTE_POLLS; polls++) {
    if ((in8(port + ISR) & ISR_RDC) !== 0) return 1;
  }
  return 0;
}
