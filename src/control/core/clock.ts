// Time and timers of control. Time is the plane's tick counter; nothing is remembered from before the boot.
// Timers: at() starts one, it runs its function once when its tick has come, cancel() stops it.

import { NOW_AT, NOW_WRAPS_AT } from '../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';

/** Ticks after which the counter begins anew. */
const TICKS_OF_WRAP = 2 ** 32;
/** With nothing to wait for, control runs once a minute. */
const IDLE_TICKS = 60 * TICKS_PER_SECOND;

export interface Timer {
  tick: number;
  run: () => void;
}

export interface Clock {
  /** Ticks since power-on, an i32 that wraps: compare with since(). */
  now(): number;
  /** Ticks since power-on, a whole number that does not wrap: for what people read, and ages of more than 248 days. */
  uptime(): number;
  /** The uptime of a tick at most 248 days from now, past or to come. */
  whole(tick: number): number;
  /** Runs `run` after so many ticks. */
  after(ticks: number, run: () => void): Timer;
  cancel(timer: Timer): void;
  /** Runs the timers that are due. */
  run(): void;
  /** The tick at which the next timer is due, at most a minute from now. */
  next(): number;
}

/** Ticks from `then` to `now`, negative if `then` is still to come. */
export function since(now: number, then: number): number {
  return (now - then) | 0;
}

export function createClock(): Clock {
  let timers: Timer[] = [];
  /** When the first of them is due, if that is known: each step asks twice, and most steps run none. */
  let soonest: number | undefined;
  const now = (): number => i32at(NOW_AT);
  const uptime = (): number => (i32at(NOW_WRAPS_AT) >>> 0) * TICKS_OF_WRAP + (now() >>> 0);
  /** The tick of the first timer; of those more than a minute away, a minute from now. */
  const first = (): number => {
    if (soonest !== undefined) return soonest;
    const at = now();
    let best = IDLE_TICKS;
    for (const timer of timers) best = Math.min(best, since(timer.tick, at));
    if (best < IDLE_TICKS) soonest = (at + best) | 0;
    return (at + best) | 0;
  };

  return {
    now,
    uptime,
    whole: tick => uptime() - since(now(), tick),
    after: (ticks, run) => {
      const timer = { tick: (now() + ticks) | 0, run };
      timers.push(timer);
      if (soonest !== undefined && since(timer.tick, soonest) < 0) soonest = timer.tick;
      return timer;
    },
    cancel: timer => {
      timers = timers.filter(other => other !== timer);
      if (timer.tick === soonest) soonest = undefined;
    },
    run: () => {
      const at = now();
      if (since(at, first()) < 0) return;
      soonest = undefined;
      // A timer's function may start or stop others: each is looked for anew, those it starts wait a turn.
      for (const timer of timers.filter(timer => since(at, timer.tick) >= 0)) {
        if (!timers.includes(timer)) continue;
        timers = timers.filter(other => other !== timer);
        timer.run();
      }
    },
    next: () => {
      const at = now();
      return (at + Math.min(IDLE_TICKS, Math.max(0, since(first(), at)))) | 0;
    },
  };
}
