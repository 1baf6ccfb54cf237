// Users of a disk take turns: numbers are drawn by those who come, and the one that is served has its turn. Who cannot wait,
// as he must not give way, brings the operation that is under way to its end himself (finish()): its user finds it done.

import { type DiskJob, runFor } from './disk.ts';

export interface Turns {
  /** Waits for its turn, and gives it on however the user's generator ends; answers why it did not get it, or the job's. */
  inTurn(job: () => DiskJob): DiskJob;
  /** Ends what is under way, without giving way; false if that takes longer than so many ticks, and it goes on as before. */
  finish(ticks: number): boolean;
}

/** An operation, and what it wants to wait for. */
interface Operation {
  job: DiskJob;
  wait: number;
  done?: { why: string | undefined };
}

/** @param most the ticks after which who waits is told that the disk is busy. */
export function createTurns(now: () => number, most: number): Turns {
  let drawn = 0;
  let served = 0;
  /** Numbers that are done, or were given up before their turn. */
  const left = new Set<number>();
  let running: Operation | undefined;

  function step(operation: Operation): void {
    const result = operation.job.next();
    if (result.done === true) operation.done = { why: result.value };
    else operation.wait = result.value;
  }

  function* rest(operation: Operation): Generator<number, void, void> {
    while (operation.done === undefined) {
      // Its user has perhaps waited for less than it wants.
      yield operation.wait;
      step(operation);
    }
  }

  function* inTurn(job: () => DiskJob): DiskJob {
    const number = drawn++;
    const from = now();
    let own: Operation | undefined;
    try {
      while (served !== number) {
        if (((now() - from) | 0) > most) return 'the disk is busy';
        yield 1;
      }
      own = { job: job(), wait: 0 };
      running = own;
      for (step(own); own.done === undefined; ) {
        yield own.wait;
        // Somebody may have brought it to its end.
        if (own.done === undefined) step(own);
      }
      return own.done.why;
    } finally {
      if (own !== undefined) {
        running = undefined;
        own.job.return(undefined);
      }
      left.add(number);
      while (left.delete(served)) served++;
    }
  }

  return {
    inTurn,
    finish: ticks => running === undefined || runFor(rest(running), now, ticks) !== undefined,
  };
}
