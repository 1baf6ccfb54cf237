// Runs a job that nobody at the console waits for: its steps are timers.

import type { Clock } from './clock.ts';

/** Runs it to its end whatever becomes of who waits for it: ^C ends the wait alone. */
export function* unbroken<T>(clock: Clock, job: Generator<number, T, void>): Generator<number, T, void> {
  let answer: { value: T } | undefined;
  runInBackground(clock, job, value => {
    answer = { value };
  });
  while (answer === undefined) yield 1;
  return (answer as { value: T }).value;
}

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
