// Where bytes of what is typed were lost on the way, by the number that a byte has since the start. A line with such a place is not run.
// Not here: how many were lost (terminal.ts), what is told of it (console.ts).

import type { Loss } from './terminal.ts';

export class Losses {
  private places: Loss[] = [];

  /** The first byte that a loss may be before; undefined if nothing was lost. */
  get next(): number | undefined {
    return this.places[0]?.from;
  }

  /** A loss among what comes from byte `next` on. */
  add(next: number, { from, to }: Loss): void {
    this.places.push({ from: next + from, to: next + to });
  }

  /** A byte was taken out before it was typed ahead: what came behind byte `next` has one place less before it. */
  without(next: number): void {
    for (const loss of this.places) {
      if (loss.from > next) loss.from--;
      if (loss.to > next) loss.to--;
    }
  }

  /** All before a byte has been taken. */
  passed(byte: number): void {
    while (this.places[0] !== undefined && this.places[0].to < byte) this.places.shift();
  }
}
