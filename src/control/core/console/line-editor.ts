// The line editor: bytes from a terminal in, a finished line and the terminal's echo out.
// It uses nothing but printable characters, CR LF, backspace and bell, so that a dumb terminal does; arrows
// and other keys are understood in the sequences of the VT100 and its descendants (ECMA-48 CSI, SS3).
// Not here: where bytes come from, what a line means (console.ts).
//
// The editor knows what the screen shows behind the prompt (`shown`) and where the cursor is (`column`). An
// edit changes text and position; show() then writes only what differs. A line longer than the screen is
// seen through a window, as backspace does not cross the screen's edge. Text is UTF-8 in bytes (utf8.ts).

import { before, behind, columnsOf, continues, wholeEnd } from './utf8.ts';

/** Bytes in a line: an iptables command with every match takes some 300. */
export const LINE_LIMIT = 1000;
/** Lines that can be called back. */
export const HISTORY_LIMIT = 20;
/** Columns of the narrowest terminal that is served; the last is never written, as it may wrap. */
export const SCREEN_COLUMNS = 80;
/** How far the window moves at once, so that typing past the edge does not redraw the line each time. */
const WINDOW_STEP = 16;

/** Characters that ^R looks for. */
const SOUGHT_LIMIT = 24;

const BELL = '\x07';
const BACKSPACE = '\b';
const CONTROL_C = 3;
const CONTROL_G = 7;
const TAB = 9;
const CONTROL_R = 18;
const CONTROL_V = 22;
const QUESTION = 63;
const LF = 10;
const CR = 13;
const ESCAPE = 27;

/**
 * What feed() found: a line (`hidden`: bytes at its start that were not on the screen), `too-long` or `spoiled`
 * with nothing to run, `cancelled` by ^C, `end` by ^D where nothing is typed, the keys TAB and `?` behind a text; or that it needs more.
 */
export type LineEvent =
  | { kind: 'line'; text: string; hidden: number }
  | { kind: 'tab' | 'help'; before: string }
  | { kind: 'too-long' }
  | { kind: 'spoiled' }
  | { kind: 'cancelled' }
  | { kind: 'end' }
  | { kind: 'more' };

const MORE: LineEvent = { kind: 'more' };

/** One terminal's line: `write` is its screen. */
export class LineEditor {
  private readonly history: string[] = [];
  /** Which line of the history is being shown; history.length is the new one. */
  private recalled = 0;
  private draft = '';
  private text = '';
  private position = 0;
  /** The first bytes of a letter whose others have not come: half a letter would spoil the screen. */
  private half = '';
  private tooLong = false;
  private isSpoiled = false;
  private shown = '';
  private column = 0;
  private windowStart = 0;
  private killed = '';
  /** The byte before: a LF behind a CR is no line. */
  lastByte = 0;
  /** What is typed is not shown. */
  private secret = false;
  /** ^D where nothing is typed ends what is asked for. */
  private isEndable = false;
  /** The next byte is taken as it is: ^V. */
  private literal = false;
  /** The prompt that comes back after a search. */
  private ownPrompt = '';
  /** What ^R looks for, or undefined. */
  private sought: string | undefined;
  /** '' outside of an escape sequence, else what of it has come. */
  private sequence = '';

  constructor(
    private prompt: string,
    private readonly write: (text: string) => void,
  ) {}

  /** Bytes of this line were lost. */
  spoil(): void {
    this.isSpoiled = true;
  }

  /** Whether nothing of a line has been typed, nor a key begun. */
  get isEmpty(): boolean {
    const isBegun = this.text !== '' || this.half !== '' || this.sequence !== '' || this.sought !== undefined;
    return !isBegun && !this.literal && !this.isSpoiled && !this.tooLong;
  }

  private get width(): number {
    return SCREEN_COLUMNS - 1 - this.prompt.length;
  }

  /** Asks for a new line with another prompt; a secret one is neither shown nor kept in the history. */
  ask(prompt: string, secret = false, isEndable = false): void {
    this.clear();
    this.prompt = prompt;
    this.secret = secret;
    this.isEndable = isEndable;
    this.open();
  }

  /** Writes the prompt and what has been typed. */
  open(): void {
    this.write(this.prompt);
    this.shown = '';
    this.column = 0;
    this.windowStart = 0;
    this.show();
  }

  /** Takes bytes from `at` up to `end` or the end of a line. `used` says how many. */
  feed(bytes: Uint8Array, at: number, end: number): { used: number; event: LineEvent } {
    let next = at;
    while (next < end) {
      const byte = bytes[next] as number;
      const lfOfCrLf = byte === LF && this.lastByte === CR;
      this.lastByte = byte;
      if (this.sequence !== '' && byte >= 32) {
        this.inSequence(byte);
        next++;
        continue;
      }
      this.sequence = '';
      const to = this.printableRun(bytes, next, end);
      if (to > next) {
        this.typed(String.fromCharCode(...bytes.subarray(next, to)));
        next = to;
        continue;
      }
      next++;
      this.endLetter();
      if (this.sought !== undefined && this.whileSeeking(byte)) continue;
      if ((byte === TAB || byte === QUESTION) && !this.secret) {
        const before = this.text.slice(0, this.position);
        return { used: next - at, event: { kind: byte === TAB ? 'tab' : 'help', before } };
      }
      if (byte === CR || (byte === LF && !lfOfCrLf)) return { used: next - at, event: this.enterLine() };
      if (byte === CONTROL_C) {
        this.write('^C\r\n');
        this.clear();
        return { used: next - at, event: { kind: 'cancelled' } };
      }
      if (byte === 4 && this.text === '' && this.isEndable) {
        this.write('\r\n');
        return { used: next - at, event: { kind: 'end' } };
      }
      if (byte === ESCAPE) this.sequence = '\x1b';
      else if (byte !== LF) this.control(byte);
    }
    return { used: next - at, event: MORE };
  }

  private moveTo(target: number): void {
    if (target < this.column) this.write(BACKSPACE.repeat(columnsOf(this.shown.slice(target, this.column))));
    else if (target > this.column) this.write(this.shown.slice(this.column, target));
    this.column = target;
  }

  /** Brings the screen to text and position. */
  private show(): void {
    if (this.secret) return;
    if (this.position < this.windowStart) this.windowStart = Math.max(0, this.position - WINDOW_STEP);
    if (this.position - this.windowStart > this.width)
      this.windowStart = this.position - this.width + WINDOW_STEP;
    while (continues(this.text, this.windowStart)) this.windowStart++;
    let windowEnd = this.windowStart + this.width;
    while (continues(this.text, windowEnd)) windowEnd--;
    const wanted = this.text.slice(this.windowStart, windowEnd);
    if (wanted !== this.shown) {
      let same = 0;
      while (same < wanted.length && same < this.shown.length && wanted[same] === this.shown[same]) same++;
      while (continues(wanted, same) || continues(this.shown, same)) same--;
      this.moveTo(same);
      const tail = wanted.slice(same);
      // Where nothing is taken back, as in most of what is typed, nothing is to be counted.
      const old = same === this.shown.length ? 0 : columnsOf(this.shown.slice(same));
      const gap = old === 0 ? 0 : Math.max(0, old - columnsOf(tail));
      this.write(gap === 0 ? tail : tail + ' '.repeat(gap) + BACKSPACE.repeat(gap));
      this.shown = wanted;
      this.column = wanted.length;
    }
    this.moveTo(this.position - this.windowStart);
  }

  private replace(from: number, to: number, by: string): void {
    this.text = this.text.slice(0, from) + by + this.text.slice(to);
    this.position = from + by.length;
    this.show();
  }

  private kill(from: number, to: number): void {
    if (from === to) return;
    if (!this.secret) this.killed = this.text.slice(from, to);
    this.replace(from, to, '');
  }

  private typed(run: string): void {
    this.literal = false;
    const all = this.half + run;
    const end = wholeEnd(all);
    this.half = all.slice(end);
    if (end > 0) this.take(all.slice(0, end));
  }

  /** Whatever comes next is no part of the letter that has begun. */
  private endLetter(): void {
    const { half } = this;
    this.half = '';
    if (half !== '') this.take(half);
  }

  private take(run: string): void {
    if (this.sought === undefined) this.insert(run);
    else this.seek((this.sought + run).slice(0, SOUGHT_LIMIT), this.recalled);
  }

  /** Inserts a run of printable characters; what passes the limit makes the whole line unusable. */
  insert(run: string): void {
    const room = LINE_LIMIT - this.text.length;
    if (run.length > room) {
      this.tooLong = true;
      this.write(BELL);
    }
    const fits = run.slice(0, Math.max(0, room));
    const plain =
      !this.secret &&
      this.position === this.text.length &&
      this.column === this.shown.length &&
      this.windowStart === 0;
    if (plain && this.text.length + fits.length <= this.width) {
      // The usual case, and the fast one: a paste is echoed as it comes.
      this.text += fits;
      this.position = this.text.length;
      this.shown = this.text;
      this.column = this.position;
      this.write(fits);
    } else if (fits !== '') this.replace(this.position, this.position, fits);
  }

  private recall(step: number): void {
    const next = this.recalled + step;
    if (next < 0 || next > this.history.length) {
      this.write(BELL);
      return;
    }
    if (this.recalled === this.history.length) this.draft = this.text;
    this.recalled = next;
    this.replace(
      0,
      this.text.length,
      next === this.history.length ? this.draft : (this.history[next] as string),
    );
  }

  private wordStart(): number {
    let at = this.position;
    while (at > 0 && this.text[at - 1] === ' ') at--;
    while (at > 0 && this.text[at - 1] !== ' ') at--;
    return at;
  }

  private go(target: number): void {
    if (target < 0 || target > this.text.length) {
      this.write(BELL);
      return;
    }
    this.position = target;
    this.show();
  }

  private clear(): void {
    this.text = '';
    this.position = 0;
    this.half = '';
    this.tooLong = false;
    this.isSpoiled = false;
    this.shown = '';
    this.column = 0;
    this.windowStart = 0;
    this.draft = '';
    this.literal = false;
    this.recalled = this.history.length;
  }

  private enterLine(): LineEvent {
    this.write('\r\n');
    const line = this.text;
    const spoiled = this.isSpoiled;
    const refused = this.tooLong || spoiled;
    const hidden = this.windowStart;
    if (!refused && !this.secret) this.remember(line);
    this.clear();
    if (spoiled) return { kind: 'spoiled' };
    return refused ? { kind: 'too-long' } : { kind: 'line', text: line, hidden };
  }

  /** Keeps a line in the history, and begins at its end. */
  remember(line: string): void {
    if (line.trim() !== '' && this.history[this.history.length - 1] !== line) {
      this.history.push(line);
      if (this.history.length > HISTORY_LIMIT) this.history.shift();
    }
    this.recalled = this.history.length;
  }

  /** Keys that take one byte, but for those that end the line. */
  private control(byte: number): void {
    if (byte === 1) this.go(0);
    else if (byte === 5) this.go(this.text.length);
    else if (byte === 2) this.go(before(this.text, this.position));
    else if (byte === 6) this.go(behind(this.text, this.position));
    else if (byte === 8 || byte === 127) {
      if (this.position === 0) this.write(BELL);
      else this.replace(before(this.text, this.position), this.position, '');
    } else if (byte === 4) this.erase();
    else if (byte === 11) this.kill(this.position, this.text.length);
    else if (byte === 21) this.killBack(0);
    else if (byte === 23) this.killBack(this.wordStart());
    else if (byte === 25) this.insert(this.killed);
    else if (byte === 16) this.recall(-1);
    else if (byte === 14) this.recall(1);
    else if (byte === 12) this.redraw();
    else if (byte === CONTROL_V) this.literal = true;
    else if (byte === CONTROL_R && !this.secret) this.seek('', this.history.length);
    else if (byte !== 0) this.write(BELL);
  }

  private killBack(from: number): void {
    this.kill(from, this.position);
  }

  /** Deletes the character under the cursor. */
  private erase(): void {
    if (this.position === this.text.length) {
      this.write(BELL);
      return;
    }
    this.text = this.text.slice(0, this.position) + this.text.slice(behind(this.text, this.position));
    this.show();
  }

  /** A whole escape sequence, without its ESC. Keys that are not known do nothing. */
  private key(code: string): void {
    const last = code[code.length - 1];
    if (last === 'A') this.recall(-1);
    else if (last === 'B') this.recall(1);
    else if (last === 'C') this.go(behind(this.text, this.position));
    else if (last === 'D') this.go(before(this.text, this.position));
    else if (last === 'H' || code === '[1~' || code === '[7~') this.go(0);
    else if (last === 'F' || code === '[4~' || code === '[8~') this.go(this.text.length);
    else if (code === '[3~') this.erase();
  }

  /** One byte inside an escape sequence: CSI parameters are 30 to 3F, its final byte 40 to 7E. */
  private inSequence(byte: number): void {
    this.sequence += String.fromCharCode(byte);
    if (this.sequence === '\x1b[' || this.sequence === '\x1bO') return;
    const csi = this.sequence[1] === '[';
    if (csi && byte >= 0x20 && byte < 0x40 && this.sequence.length < 16) return;
    const code = this.sequence.slice(1);
    this.sequence = '';
    if (code[0] === '[' || code[0] === 'O') this.key(code);
  }

  /** Shows the newest line with `sought` in it that is older than `from`, under a prompt of its own. */
  private seek(sought: string, from: number): void {
    if (this.sought === undefined) this.draft = this.text;
    const fits = (line: string): boolean => line.includes(sought);
    let at = Math.min(from, this.history.length - 1);
    while (at >= 0 && !fits(this.history[at] as string)) at--;
    if (sought !== '' && at < 0) this.write(BELL);
    else if (sought !== '') {
      this.recalled = at;
      this.text = this.history[at] as string;
      this.position = this.text.indexOf(sought);
    }
    this.entitle(`search '${sought}': `, sought);
  }

  /** Whether a key belongs to the search; others end it and keep what it found. */
  private whileSeeking(byte: number): boolean {
    const sought = this.sought ?? '';
    if (byte === CONTROL_R) this.seek(sought, this.recalled - 1);
    else if (byte === 8 || byte === 127) {
      this.recalled = this.history.length;
      this.seek(sought.slice(0, -1), this.recalled);
    } else {
      if (byte === CONTROL_G || byte === CONTROL_C) {
        this.text = this.draft;
        this.position = this.text.length;
        this.recalled = this.history.length;
      }
      this.entitle(this.ownPrompt, undefined);
      return byte === CONTROL_G;
    }
    return true;
  }

  /** Writes the row anew under another prompt. */
  private entitle(prompt: string, sought: string | undefined): void {
    this.write(`\r${' '.repeat(this.prompt.length + columnsOf(this.shown))}\r`);
    if (this.sought === undefined) this.ownPrompt = this.prompt;
    this.sought = sought;
    this.prompt = prompt;
    this.open();
  }

  private redraw(): void {
    this.write('\r\n');
    this.open();
  }

  /** Bytes at `at` that can be inserted as one run: ASCII and what UTF-8 is made of, but no `?` that asks. */
  private printableRun(bytes: Uint8Array, at: number, end: number): number {
    let to = at;
    while (to < end) {
      const byte = bytes[to] as number;
      const asks = byte === QUESTION && !this.secret && !this.literal && this.sought === undefined;
      if (byte < 32 || byte === 127 || byte === 0xc0 || byte === 0xc1 || byte > 0xf4 || asks) break;
      to++;
    }
    return to;
  }
}
