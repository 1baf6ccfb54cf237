// Counting instructions on the emulated 486: with -icount shift=5 an instruction is 32 ns of virtual time, on every
// host the same. What the board did not sleep, it worked: the floor counts the sleep (IDLE_COUNTS_AT).
// Not here: the benchmarks (test/bench.ts).

import { memoryMap } from '../../image/memory-map.ts';
import { IDLE_COUNTS_AT, INTERRUPT_COUNTS_AT, NOW_AT } from '../../src/base/cells.ts';
import { PLANE_BASE, TICKS_PER_SECOND } from '../../src/base/limits.ts';
import type { Machine } from '../../tools/harness/qemu.ts';

/** 2^5 ns an instruction: 31.25 million a second, a 486DX2-66's budget. */
export const ICOUNT_SHIFT = 5;
export const INSTRUCTIONS_PER_SECOND = 1e9 / 2 ** ICOUNT_SHIFT;
export const PIT_COUNTS_PER_SECOND = 1_193_182;

/** Plane memory of a running board. */
export async function planeBytes(machine: Machine, at: number, bytes: number): Promise<DataView> {
  const memory = await machine.virtualMemory(memoryMap.LINEAR_AT + PLANE_BASE + at, bytes);
  return new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
}

export async function planeWord(machine: Machine, at: number): Promise<number> {
  return (await planeBytes(machine, at, 4)).getUint32(0, true);
}

export interface Reading {
  /** Since power-on. */
  readonly ticks: number;
  readonly idleCounts: number;
  readonly interruptCounts: number;
}

/** Both at one moment: the machine stands still meanwhile. */
export async function reading(machine: Machine): Promise<Reading> {
  await machine.monitor('stop');
  const ticks = await planeWord(machine, NOW_AT);
  const idleCounts = await planeWord(machine, IDLE_COUNTS_AT);
  const interruptCounts = await planeWord(machine, INTERRUPT_COUNTS_AT);
  await machine.monitor('cont');
  return { ticks, idleCounts, interruptCounts };
}

export interface Spent {
  readonly seconds: number;
  /** Instructions executed; the rest of the time was slept. Good to a tick, 312,500 instructions. */
  readonly instructions: number;
  /** Instructions in interrupts other than the timer's, less the 50 or so of entry and exit. */
  readonly inInterrupts: number;
  /** 0 to 1. */
  readonly load: number;
}

export function spent(from: Reading, to: Reading): Spent {
  const seconds = ((to.ticks - from.ticks) >>> 0) / TICKS_PER_SECOND;
  const idle = ((to.idleCounts - from.idleCounts) >>> 0) / PIT_COUNTS_PER_SECOND;
  const busy = Math.max(0, seconds - idle);
  return {
    seconds,
    instructions: Math.round(busy * INSTRUCTIONS_PER_SECOND),
    inInterrupts: Math.round(
      (((to.interruptCounts - from.interruptCounts) >>> 0) / PIT_COUNTS_PER_SECOND) * INSTRUCTIONS_PER_SECOND,
    ),
    load: seconds > 0 ? busy / seconds : 0,
  };
}
