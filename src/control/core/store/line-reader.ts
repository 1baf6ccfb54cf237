// The lines of a configuration's text in the plane's memory, one after another. A string is made of a piece of the text
// at a time, as each making costs 8,000 instructions whatever its length.
// Lines are counted from 1, empty ones not: so there are at most half as many as bytes.

import { textFrom } from './text.ts';

/** More than the longest line that the console takes (LINE_LIMIT). */
const PIECE_BYTES = 1024;
/** What is shown of a line that is longer. */
const SHOWN = 40;

export class LineReader {
  /** Of the line answered last. */
  number = 0;
  /** It is longer than any line can be; what was answered is its beginning. */
  isTooLong = false;
  /** Where it begins in memory. */
  lineAt = 0;
  private lines: string[] = [];
  private index = 0;
  private nextAt = 0;

  constructor(
    private readonly memory: Uint8Array,
    private at: number,
    private readonly end: number,
  ) {}

  /** The next line that is not empty, without its end; undefined behind the last. */
  next(): string | undefined {
    for (;;) {
      if (this.index === this.lines.length && !this.fill()) return undefined;
      const line = this.lines[this.index++] as string;
      this.lineAt = this.nextAt;
      this.nextAt += line.length + 1;
      if (line === '') continue;
      this.number++;
      return line;
    }
  }

  private fill(): boolean {
    const { at, end } = this;
    if (at >= end) return false;
    const text = textFrom(this.memory, at, Math.min(PIECE_BYTES, end - at));
    const last = text.lastIndexOf('\n');
    this.isTooLong = last < 0 && text.length === PIECE_BYTES;
    this.index = 0;
    this.nextAt = at;
    if (last >= 0) {
      this.lines = text.slice(0, last).split('\n');
      this.at = at + last + 1;
    } else if (this.isTooLong) {
      const rest = this.memory.subarray(at, end).indexOf(10);
      this.lines = [text.slice(0, SHOWN)];
      this.at = rest < 0 ? end : at + rest + 1;
    } else {
      this.lines = [text];
      this.at = end;
    }
    return true;
  }
}
