// Users of a disk take turns: numbers are drawn by those who come, and the one that is served has its turn.

import type { DiskJob } from './disk.ts';

export interface Turns {
  /** Waits for its turn, and gives it on however the user's generator ends; answers why it did not get it, or the job's. */
  inTurn(job: () => DiskJob): DiskJob;
}

/** @param most the ticks after which who waits is told that the disk is busy. */
export function createTurns(now: () => number, most: number): Turns {
  let drawn = 0;
  let served = 0;
  /** Numbers that are done, or were given up before their turn. */
  const left = new Set<number>();

  function* inTurn(job: () => DiskJob): DiskJob {
    const number = drawn++;
    const from = now();
    try {
      while (served !== number) {
        if (((now() - from) | 0) > most) return 'the disk is busy';
        yield 1;
      }
      return yield* job();
    } finally {
      left.add(number);
      while (left.delete(served)) served++;
    }
  }

  return { inTurn };
}
