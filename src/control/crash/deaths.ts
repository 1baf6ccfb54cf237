// `debug crash`: the ways to die, to try what then happens.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';

/** Neither RAM nor plane lies there. */
const NOWHERE = 0x40000000;
/** The last words get this long to leave the transmit ring. */
const LAST_WORDS_TICKS = TICKS_PER_SECOND / 4;

function recurse(depth: number): number {
  return 1 + recurse(depth + 1);
}

/** The ways for control to end. */
const DEATHS: Record<string, (context: Context) => void> = {
  throw: () => {
    throw new Error('debug crash control throw');
  },
  // A command that is out of memory is ended: so all is kept, and a timer asks for more.
  oom: ({ clock }) => {
    const kept: Uint8Array[] = [];
    (globalThis as { kept?: unknown }).kept = kept;
    clock.after(1, () => {
      for (;;) kept.push(new Uint8Array(1024));
    });
  },
  hang: () => {
    for (;;);
  },
  stack: () => {
    recurse(0);
  },
};

function* die(context: Context, death: (context: Context) => void): Job {
  while (context.output.busy) yield 0;
  yield LAST_WORDS_TICKS;
  death(context);
}

export function crashControl(context: Context, how: string): Job {
  const death = DEATHS[how];
  if (death === undefined)
    throw new Refusal(`Cannot crash control by ${how}: it is one of ${Object.keys(DEATHS).join(', ')}`);
  return die(context, death);
}

/** A wild access in the plane. */
export function crashPlane(context: Context): Job {
  return die(context, () => {
    context.machine.plane.checksum(NOWHERE, 2);
  });
}

/** Interrupts off and never on again: only a watchdog ends that. */
export function crashAll(context: Context): Job {
  return die(context, () => {
    context.machine.lock();
    for (;;);
  });
}
