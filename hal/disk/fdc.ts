// The PC's floppy controller, polled: reset, bytes of commands, results, and the DMA channel that moves its data. NEC
// uPD765A, Intel 82077AA (290166), section 5; 8237A. Registers: floppy-registers.ts.
//
//    command     for each byte: wait for RQM=1 DIO=0, write it
//    execution   the DMA moves data, or the head steps; the processor has nothing to do
//    result      wait for RQM=1; while DIO=1 there is a byte to read
//
// Its interrupt (IRQ 6) stays masked: a command takes at least one turn of the floppy's 200 ms, so a look at each tick
// costs nothing, and nothing happens with interrupts off. No command is used that the uPD765A does not have, and none is
// given while the head steps, which its data sheet forbids.
// Not here: where sectors are, retries, the motor (floppy.ts).

import * as ports from '../ports.ts';
import * as fdc from './floppy-registers.ts';

/** Texts of failures that are asked for. */
export const NO_ANSWER = 'the floppy drive does not answer';
export const NO_CONTROLLER = 'no floppy controller answers';

/** Reads of the status before a wait gives way: some ms on a 486, and the controller wants a byte within 50 us. */
const SPINS = 100;
/** The same when a tick has passed. */
const SPINS_LATER = 4;
/** A controller that is well takes a byte long before. */
const BYTE_TICKS = 5;
/** Results have 7 bytes at most; what reads more is no controller. */
const RESULT_MOST = 7;
/** From a reset to the interrupt with which the controller says that it has looked at the drives: 2 ms at most. */
const RESET_TICKS = 2;
const DRIVES = 4;

/** Time in ticks, 10 ms each. */
export type Now = () => number;

/** Waits until the controller wants or has a byte; answers the status, or -1 after `ticks`. */
function* settle(now: Now, ticks: number): Generator<number, number, void> {
  const from = now();
  let spins = SPINS;
  for (;;) {
    for (let i = 0; i < spins; i++) {
      const status = ports.in8(fdc.MSR) & 0xff;
      if ((status & fdc.RQM) !== 0) return status;
    }
    if (((now() - from) | 0) >= ticks) return -1;
    spins = SPINS_LATER;
    yield 1;
  }
}

/** Gives a command; answers whether the controller has taken all of it. */
export function* give(now: Now, bytes: readonly number[]): Generator<number, boolean, void> {
  for (const byte of bytes) {
    const status = yield* settle(now, BYTE_TICKS);
    if (status < 0 || (status & fdc.DIO) !== 0) return false;
    ports.out8(fdc.FIFO, byte);
  }
  return true;
}

/** What a command answers within so many ticks, or undefined. */
export function* results(now: Now, ticks: number): Generator<number, number[] | undefined, void> {
  const bytes: number[] = [];
  for (let wait = ticks; bytes.length <= RESULT_MOST; wait = BYTE_TICKS) {
    const status = yield* settle(now, wait);
    if (status < 0) return undefined;
    if ((status & fdc.DIO) === 0) return bytes;
    bytes.push(ports.in8(fdc.FIFO) & 0xff);
  }
  return undefined;
}

/** What SENSE INTERRUPT STATUS answers: ST0, and the cylinder if there was an interrupt; or undefined. */
export function* senseInterrupt(now: Now): Generator<number, number[] | undefined, void> {
  if (!(yield* give(now, [fdc.SENSE_INTERRUPT_STATUS]))) return undefined;
  const bytes = yield* results(now, BYTE_TICKS);
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
}

/** Resets the controller, whatever it is doing, with the motor on; answers why not, or undefined. */
export function* resetController(now: Now): Generator<number, string | undefined, void> {
  const running = fdc.DOR_MOTOR_A | fdc.DOR_DMA_GATE;
  ports.out8(fdc.DOR, running);
  yield 1;
  ports.out8(fdc.DOR, running | fdc.DOR_NOT_RESET);
  ports.out8(fdc.CCR, fdc.CCR_500K);
  yield RESET_TICKS;
  // What an empty bus reads.
  if ((ports.in8(fdc.MSR) & 0xff) === 0xff) return NO_CONTROLLER;
  for (let i = 0; i < DRIVES; i++) {
    const bytes = yield* senseInterrupt(now);
    if (bytes === undefined) return NO_ANSWER;
    if (bytes[0] === fdc.ST0_INVALID) break;
  }
  return (yield* give(now, [fdc.SPECIFY, fdc.SRT_HUT, fdc.HLT_ND])) ? undefined : NO_ANSWER;
}

/** Makes the DMA ready to move `bytes` from or to a physical address, within DMA_PAGE_BYTES and below 16 MiB. */
export function startDma(address: number, bytes: number, mode: number): void {
  stopDma();
  ports.out8(fdc.DMA_CLEAR_FLIPFLOP, 0);
  ports.out8(fdc.DMA_MODE, mode | fdc.DMA_CHANNEL);
  ports.out8(fdc.DMA_ADDRESS, address & 0xff);
  ports.out8(fdc.DMA_ADDRESS, (address >> 8) & 0xff);
  ports.out8(fdc.DMA_PAGE, (address >> 16) & 0xff);
  ports.out8(fdc.DMA_COUNT, (bytes - 1) & 0xff);
  ports.out8(fdc.DMA_COUNT, ((bytes - 1) >> 8) & 0xff);
  ports.out8(fdc.DMA_MASK, fdc.DMA_CHANNEL);
}

/** Nothing moves any more, whatever the controller asks for. */
export function stopDma(): void {
  ports.out8(fdc.DMA_MASK, fdc.DMA_MASKED | fdc.DMA_CHANNEL);
}
