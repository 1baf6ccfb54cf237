// What the store does on the disk, one task after another: they share its memory (STORE_AT), and the disk is slow. A
// task runs to its end whatever becomes of who asked for it: ^C ends a command's wait, never a write.

import type { Clock } from '../clock.ts';

/** A task under way; `value` is there once `done`. */
export interface Task<T> {
  done: boolean;
  value: T | undefined;
}

export interface Tasks {
  start<T>(job: Generator<number, T, void>): Task<T>;
}

export function createTasks(clock: Clock): Tasks {
  const waiting: { job: Generator<number, unknown, void>; task: Task<unknown> }[] = [];

  function step(): void {
    const [first] = waiting;
    if (first === undefined) return;
    const result = first.job.next();
    if (result.done === true) {
      first.task.value = result.value;
      first.task.done = true;
      waiting.shift();
      if (waiting.length > 0) clock.after(0, step);
    } else clock.after(result.value, step);
  }

  return {
    start: <T>(job: Generator<number, T, void>) => {
      const task: Task<T> = { done: false, value: undefined };
      waiting.push({ job, task });
      if (waiting.length === 1) clock.after(0, step);
      return task;
    },
  };
}

/** Waits for a task, as a part of a job. */
export function* outcome<T>(task: Task<T>): Generator<number, T, void> {
  while (!task.done) yield 1;
  return task.value as T;
}
