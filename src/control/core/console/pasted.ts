// Lines of a text that is pasted, for a job that takes many (terminal.ts): whole ones as they are, past the editor, whose work on a letter is ten
// times as much; what is typed by hand goes through it, as it is shown and may be edited.
// Not here: what has come (typed-ahead.ts), the editor's turn (console.ts).

import type { Console } from './console.ts';
import type { PastedLines } from './terminal.ts';

/** Nothing has come for so long: what there is of a line has been typed by hand. */
const HAND_TICKS = 3;

export class Pasted implements PastedLines {
  /** The line that was asked for last was taken past the editor. */
  private isWhole = false;
  private lines = 0;

  constructor(readonly console: Console) {}

  *next(prompt: string): Generator<number, string, void> {
    const { ahead } = this.console;
    let waiting = -1;
    for (let quiet = 0; quiet < HAND_TICKS; ) {
      // Others get their turn. What copy() is asked for must not move before it is.
      if ((++this.lines & 1) === 0) yield 0;
      const line = this.console.takeWhole(prompt);
      this.isWhole = line !== undefined;
      if (line !== undefined) return line;
      const now = ahead.to - ahead.from;
      quiet = now === waiting ? quiet + 1 : 0;
      waiting = now;
      yield 1;
    }
    return yield* this.console.ask(prompt);
  }

  copy(into: Uint8Array, at: number): number {
    if (!this.isWhole) return -1;
    const bytes = this.console.ahead.lineBytes();
    into.set(bytes, at);
    return bytes.length;
  }
}
