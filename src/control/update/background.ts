// Runs a job that nobody at the console waits for: its steps are timers.

import type { Clock } from '../clock.ts';

/** Runs a generator that yields the ticks it wants to wait; `done` gets what it answers. */
export function runInBackground<T>(
  clock: Clock,
  job: Generator<number, T, void>,
  done: (answer: T) => void,
): void {
  const step = (): void => {
    const result = job.next();
    if (result.done === true) done(result.value);
    else clock.after(result.value, step);
  };
  clock.after(0, step);
}
