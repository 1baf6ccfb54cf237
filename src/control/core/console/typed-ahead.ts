// What has been typed and not been taken: a buffer that grows with a paste, and whole lines of it for jobs that take a text.
// Not here: keys (line-editor.ts), whose turn it is (console.ts).

import { isOutOfMemory } from '../loader.ts';

/** A paste of 600 lines of 80. At 115200 baud it comes within 4 s; a 486 needs longer to run it. */
export const TYPED_AHEAD_LIMIT = 48 * 1024;
/** What is kept for it while little is typed; it doubles as it fills. */
const TYPED_AHEAD_LEAST = 1024;
/** A LF of the line before, and this one's end. */
const LINE_ENDS = 2;
const LF = 10;
const CR = 13;

export class TypedAhead {
  bytes = new Uint8Array(TYPED_AHEAD_LEAST);
  from = 0;
  to = 0;
  /** What ended the line that was taken last. */
  lineEnd = LF;
  /** Bytes that line() has passed when it was called last. */
  passed = 0;
  private lineFrom = 0;
  private lineTo = 0;

  clear(): void {
    this.from = 0;
    this.to = 0;
  }

  /** Forgets all; answers how many bytes that was. */
  drop(): number {
    const bytes = this.to - this.from;
    this.clear();
    return bytes;
  }

  /** Makes room behind what is there, for a quarter of the buffer or all that there can be; false if there is none. */
  makeRoom(): boolean {
    const { bytes, from, to } = this;
    if (4 * (bytes.length - to) >= bytes.length) return true;
    if (2 * (to - from) <= bytes.length || !this.grow()) this.move(bytes);
    return this.to < this.bytes.length;
  }

  /** Doubles the buffer; false where it is as large as it may be, or the heap has no room: then more waits in the ring. */
  private grow(): boolean {
    if (this.bytes.length === TYPED_AHEAD_LIMIT) return false;
    try {
      this.move(new Uint8Array(Math.min(2 * this.bytes.length, TYPED_AHEAD_LIMIT)));
      return true;
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      return false;
    }
  }

  /** Moves what is there to the begin of a buffer. */
  private move(into: Uint8Array<ArrayBuffer>): void {
    const { from, to } = this;
    if (into === this.bytes) into.copyWithin(0, from, to);
    else into.set(this.bytes.subarray(from, to));
    this.bytes = into;
    this.from = 0;
    this.to = to - from;
  }

  /** Something was taken: a buffer that is empty need not be large. */
  taken(): void {
    if (this.from !== this.to) return;
    this.clear();
    if (this.bytes.length > TYPED_AHEAD_LEAST) this.bytes = new Uint8Array(TYPED_AHEAD_LEAST);
  }

  /**
   * Takes the line that is there whole in the next `bytes`, with its end; undefined where there is none, or it is longer than `most`, or has any key but TAB. With
   * `keys`: or one of these, or a letter that is no ASCII.
   */
  line(bytes: number, most: number, keys = ''): string | undefined {
    this.passed = 0;
    // Of a paste of 48 KB whose lines end with CR, each would be searched for LF to its end.
    const to = Math.min(this.from + Math.min(bytes, most + LINE_ENDS), this.to);
    if (this.from >= to) return undefined;
    if (this.lineEnd === CR && this.bytes[this.from] === LF) {
      this.from++;
      this.passed++;
    }
    this.lineEnd = LF;
    const all = this.bytes.subarray(this.from, to);
    const feed = all.indexOf(LF);
    const end = (feed < 0 ? all : all.subarray(0, feed)).indexOf(CR);
    const length = end < 0 ? feed : end;
    if (length < 0 || length > most) return undefined;
    const text = String.fromCharCode.apply(null, all.subarray(0, length) as unknown as number[]);
    if (!isPlain(text)) return undefined;
    for (let i = 0; i < keys.length; i++) if (text.includes(keys[i] as string)) return undefined;
    if (keys !== '' && !isAscii(text)) return undefined;
    this.lineEnd = all[length] as number;
    this.lineFrom = this.from;
    this.lineTo = this.from + length;
    this.from = this.lineTo + 1;
    this.passed += length + 1;
    // The line itself stays where it is: see lineBytes().
    if (this.from === this.to) this.clear();
    return text.includes('\t') ? text.replaceAll('\t', ' ') : text;
  }

  /** The bytes of the line that was just taken, until something comes. */
  lineBytes(): Uint8Array {
    return this.bytes.subarray(this.lineFrom, this.lineTo);
  }
}

/** Whether all of a text is ASCII: of what is not, the editor knows what is a letter. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 126) return false;
  return true;
}

/** Whether a line has no keys in it: letters and tabs alone. JSON writes what is below a blank as several, as it does these two, and all is the engine's own work. */
function isPlain(text: string): boolean {
  if (text.includes('\x7f')) return false;
  const bare = text.replaceAll('"', '').replaceAll('\\', '').replaceAll('\t', '');
  return JSON.stringify(bare).length === bare.length + 2;
}
