// The console on one serial line: bytes in, commands run, text out. All work is done in short slices.
//
//   receive ring -> typed ahead -> line editor -> command -> job -> output -> transmit ring
//                                     question <- job
//
// Typed ahead keeps a paste that comes faster than lines are run; when it is full the ring fills, and the driver
// tells the peer to wait. ^C is seen as it arrives: it ends the running job and forgets what was typed ahead, as a
// terminal driver does. ^S holds the output, ^Q lets it go, where the driver leaves them to us.
// A line of which bytes were lost on the way is not run: two halves of a paste may well be a command.
// A job that says more than a page waits for a key, but never while more is typed ahead: a paste needs no keys.
// Not here: who may use it (src/control/access/access.ts), what completion and marks say (src/control/schema/line-help.ts).

import { isOutOfMemory } from '../loader.ts';
import { type Command, findCommand, type Job, lettersOf, Refusal } from './command.ts';
import { LINE_LIMIT, LineEditor, type LineEvent, SCREEN_COLUMNS } from './line-editor.ts';
import type { LineHelp } from './line-help.ts';
import { Losses } from './losses.ts';
import { createOutput, type Output } from './output.ts';
import type { Guard, Line, LineShell, RawLine } from './terminal.ts';
import { TypedAhead } from './typed-ahead.ts';

/** Bytes that the editor gets in one slice. */
const EDIT_SLICE = 64;
/** Resumptions of a job in one slice; each writes a row or two. */
const JOB_SLICE = 8;
/** Rows of a page: a screen of 24 less the row that asks. */
const PAGE_ROWS = 23;
export const MORE = '-- more: space, Enter, a(ll), q(uit) --';
const CONTROL_C = 3;
/** What ends the text that a job asks for. */
export const CONTROL_D = '\x04';
const LF = 10;
const CR = 13;
const XON = 17;
const XOFF = 19;

export const PROMPT = 'masqbox> ';

export class Console implements RawLine {
  readonly output: Output;
  guard: Guard | undefined;
  shell: LineShell | undefined;
  /** Lines that a job has asked for and not got, as bytes of them were lost or too many. */
  damaged = 0;
  /** Whether long output waits at each page. */
  paged = true;
  dumb = false;
  readonly ahead = new TypedAhead();
  private letters = '';
  private lostBytes = 0;
  /** Bytes that the editor has had, or that were forgotten; and where some were lost, in the same count. */
  private edited = 0;
  private readonly losses = new Losses();
  private held = false;
  /** Whether what runs leaves the heap's others their room. */
  keepsRoom: () => boolean = () => true;
  /** Takes off a line's end what is no command's; throws a Refusal. Is given '' when the line has run. */
  strip: (line: string) => string = line => line;
  private job: Job | undefined;
  /** The job, where it is an answer to TAB or `?`: the line goes on behind it. */
  private aside: Job | undefined;
  private isLogin = false;
  private resumeAt = 0;
  /** The line that runs, until it has said something. */
  private running: { text: string; column: number; isShell?: boolean } | undefined;
  private paging = false;
  private asking = false;
  private answer: string | undefined;
  private keyed = false;
  private keyedAt = 0;
  private now = 0;
  private isOpened = false;
  private receiver: ((bytes: Uint8Array) => void) | undefined;
  private readonly editor: LineEditor;

  /** @param tools made when first needed. */
  constructor(
    private readonly line: Line,
    private readonly table: readonly Command[],
    private readonly tools?: () => LineHelp,
  ) {
    this.output = createOutput({
      write: text => (this.held ? 0 : line.write(text)),
      put: bytes => !this.held && line.put?.(bytes) === true,
    });
    this.editor = new LineEditor(PROMPT, this.output.write);
  }

  /** Writes the first prompt, or asks for the password. */
  open(): void {
    this.isOpened = true;
    this.resumeAt = this.now;
    this.keyedAt = this.now;
    const login = this.guard?.login();
    this.isLogin = login !== undefined;
    this.job = login;
    if (login === undefined) this.editor.ask(PROMPT);
  }

  /** Whether more is typed ahead. */
  get hasMore(): boolean {
    return this.ahead.from !== this.ahead.to;
  }

  /** The line that is being run, '' of none. */
  get runningText(): string {
    return this.running?.text ?? '';
  }

  /** Whether a command of the person at the terminal is being run. */
  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Asks a person for a line; a job delegates to it. CONTROL_D is one where it `isEndable`. */
  *ask(prompt: string, secret = false, isEndable = false): Generator<number, string, void> {
    this.asking = true;
    this.answer = undefined;
    this.editor.ask(prompt, secret, isEndable);
    try {
      while (this.answer === undefined) yield 0;
      return this.answer;
    } finally {
      this.asking = false;
      // What the job prints next starts a page.
      this.output.rows = 0;
    }
  }

  /** Takes the line that has come whole, past the editor, and shows it; none where bytes of it were lost, or what TypedAhead.line() leaves. */
  takeWhole(prompt: string, keys = ''): string | undefined {
    const { ahead, output, editor } = this;
    const bytes = (this.losses.next ?? Number.POSITIVE_INFINITY) - this.edited;
    ahead.lineEnd = editor.lastByte;
    const text = ahead.line(bytes, LINE_LIMIT, keys);
    editor.lastByte = ahead.lineEnd;
    this.edited += ahead.passed;
    if (text === undefined) return undefined;
    if (prompt !== '') output.write(prompt);
    output.echo?.(ahead.lineBytes());
    output.write('\r\n');
    output.rows = 0;
    return text;
  }

  /** Prints a line that no command asked for; what is being typed moves below it. */
  notice(text: string): void {
    if (this.receiver !== undefined) return;
    if (!this.isOpened) {
      this.output.line(text);
      return;
    }
    // What a job's output goes to otherwise is not for this.
    const taker = this.output.divert(undefined);
    const isOpen = this.job === undefined || this.asking;
    if (isOpen) this.output.write('\r\n');
    this.output.line(text);
    if (isOpen) this.editor.open();
    this.output.divert(taker);
  }

  take(receive: (bytes: Uint8Array) => void): void {
    this.receiver = receive;
    this.line.setTransparent?.(true);
  }

  giveBack(): void {
    this.receiver = undefined;
    this.line.setTransparent?.(false);
  }

  /** Ends what runs and asks for the password, if there is one. */
  logout(why: string): void {
    this.guard?.lock();
    if (!this.isOpened) return;
    if (this.job === undefined || this.asking) this.output.write('\r\n');
    this.end();
    if (why !== '') this.output.line(why);
    this.open();
  }

  private end(): void {
    this.job?.return();
    this.job = undefined;
    this.aside = undefined;
    this.paging = false;
    this.running = undefined;
  }

  /** Ends the job, and asks for a line; behind an answer to TAB or `?` the one that has begun. */
  private endJob(): void {
    const isAside = this.job === this.aside;
    this.end();
    if (isAside) this.editor.open();
    else this.open();
  }

  private interrupt(): void {
    this.edited += this.ahead.drop();
    this.losses.passed(this.edited + 1);
    this.held = false;
    this.line.release?.();
    this.output.discard();
    if (this.job === undefined) {
      this.ahead.bytes[this.ahead.to++] = CONTROL_C;
      return;
    }
    // Where something is asked it stands behind the question, before what the job may say at its end.
    const isAsked = this.asking;
    if (isAsked) this.output.line('^C');
    if (!this.isLogin) this.end();
    if (!isAsked) this.output.line('^C');
    if (!this.isLogin) this.open();
    else if (this.asking) this.editor.open();
  }

  /** Forgets what is typed ahead; answers how many bytes that was. */
  forget(): number {
    const bytes = this.ahead.drop();
    this.edited += bytes;
    this.losses.passed(this.edited + 1);
    this.ahead.taken();
    return bytes;
  }

  /** Takes what has been received, as far as there is room. */
  receive(): void {
    if (!this.ahead.makeRoom()) {
      if (this.line.holds?.(CONTROL_C) !== true) return;
      this.edited += this.ahead.drop();
    }
    const from = this.ahead.to;
    const end = from + this.line.read(this.ahead.bytes, from);
    // Asked for behind the bytes: what becomes known while these are taken may be among them.
    const loss = this.line.takeLoss?.();
    if (loss !== undefined && this.receiver === undefined)
      this.losses.add(this.edited + end - this.ahead.from, loss);
    this.keyed ||= end > from;
    if (this.receiver !== undefined) {
      if (end > from) this.receiver(this.ahead.bytes.slice(from, end));
      // The job that waits for these bytes need not wait out its time.
      if (end > from) this.resumeAt = this.now;
      return;
    }
    const chunk = this.ahead.bytes.subarray(from, end);
    if (!chunk.includes(CONTROL_C) && !chunk.includes(XOFF) && !chunk.includes(XON)) {
      this.ahead.to = end;
      return;
    }
    for (let i = from; i < end; i++) {
      const byte = this.ahead.bytes[i] as number;
      if (byte === CONTROL_C) this.interrupt();
      else if (byte === XOFF) this.held = true;
      else if (byte === XON) this.held = false;
      else {
        this.ahead.bytes[this.ahead.to++] = byte;
        continue;
      }
      this.losses.without(this.edited + this.ahead.to - this.ahead.from);
    }
  }

  /** What the schema says; undefined where the heap has no room for it. */
  private advice<T>(ask: (tools: LineHelp) => T): T | undefined {
    try {
      return this.tools && ask(this.tools());
    } catch (error) {
      if (!(error instanceof Refusal || isOutOfMemory(error))) throw error;
      return undefined;
    }
  }

  private refuse(error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    const { running } = this;
    // Of a shell's lines the schema knows nothing.
    const isMarked = running !== undefined && running.isShell !== true;
    const mark = isMarked ? this.advice(tools => tools.mark(running.text, running.column)) : undefined;
    if (mark !== undefined) this.output.line(mark);
    this.output.line(error.message);
  }

  private run(text: string, hidden: number): void {
    // A comment: an exported configuration starts with one.
    if (text.trim() === '' || text.trimStart().startsWith('#')) return;
    this.running = { text, column: PROMPT.length - hidden };
    this.output.rows = 0;
    try {
      this.job = this.begin(this.running, text);
    } catch (error) {
      this.refuse(error);
    } finally {
      this.strip('');
    }
    if (this.job === undefined) this.running = undefined;
  }

  /** A shell's line, or a command's. */
  private begin(running: { text: string; isShell?: boolean }, text: string): Job | undefined {
    const { shell } = this;
    running.isShell = shell?.takes(text, false) === true;
    if (running.isShell && shell !== undefined) return shell.run(text);
    running.text = this.strip(text);
    if (this.letters.length !== this.table.length) this.letters = lettersOf(this.table);
    const found = findCommand(this.table, running.text, this.letters);
    if (!('refusal' in found)) return found.command.run(found.args);
    running.isShell = shell?.takes(text, true) === true;
    if (running.isShell && shell !== undefined) return shell.run(text);
    throw new Refusal(found.refusal);
  }

  /** Gives the editor a slice of what was typed. */
  private feed(): LineEvent {
    let end = Math.min(this.ahead.to, this.ahead.from + EDIT_SLICE);
    const lost = this.losses.next;
    // The line that such a byte belongs to is spoiled, so the editor gets no more than leads there.
    if (lost !== undefined && this.edited >= lost) this.editor.spoil();
    else if (lost !== undefined) end = Math.min(end, this.ahead.from + lost - this.edited);
    const { used, event } = this.editor.feed(this.ahead.bytes, this.ahead.from, end);
    this.ahead.from += used;
    this.edited += used;
    this.losses.passed(this.edited);
    this.ahead.taken();
    return event;
  }

  /** A whole line of a paste, whose echo costs a tenth past the editor; else a slice of what was typed, by it. */
  private next(): LineEvent {
    if (this.asking || !this.editor.isEmpty) return this.feed();
    // TAB and `?` are keys here, whose answer may be the line's end.
    const text = this.takeWhole('', '\t?');
    if (text === undefined) return this.feed();
    this.editor.remember(text);
    this.ahead.taken();
    // Where it wraps no row has the mark's columns.
    const hidden = PROMPT.length + text.length < SCREEN_COLUMNS ? 0 : text.length + PROMPT.length;
    return { kind: 'line', text, hidden };
  }

  private edit(): void {
    const event = this.next();
    if (event.kind === 'tab' || event.kind === 'help') {
      this.advise(event);
      return;
    }
    if (event.kind === 'spoiled') {
      this.reportLoss(false);
      this.output.line('Cannot take the line: bytes of it were lost');
    }
    if (this.asking) {
      if (event.kind === 'line') this.answer = event.text;
      else if (event.kind === 'end') this.answer = CONTROL_D;
      else if (event.kind !== 'more') this.editor.open();
      if (event.kind === 'spoiled' || event.kind === 'too-long') this.damaged++;
      return;
    }
    if (event.kind === 'more' || event.kind === 'end') return;
    if (event.kind === 'line') this.run(event.text, event.hidden);
    if (event.kind === 'too-long')
      this.output.line(`Cannot run the line: it is longer than ${LINE_LIMIT} bytes`);
    if (this.job === undefined) this.open();
  }

  /** Answers TAB and `?`. */
  private advise({ kind, before }: { kind: 'tab' | 'help'; before: string }): void {
    // In a script that is pasted both are characters.
    const isText = kind === 'tab' ? this.hasMore && before.trim() === '' : before.endsWith('$');
    if (this.asking || this.tools === undefined || isText || this.shell?.takes(before, false) === true) {
      this.editor.insert(kind === 'tab' ? ' ' : '?');
      return;
    }
    const advice = this.advice(tools =>
      kind === 'tab' ? tools.complete(before) : { add: '', rows: tools.hints(before) },
    );
    if (advice !== undefined && advice.add !== '') {
      this.editor.insert(advice.add);
      return;
    }
    const hints = advice?.rows ?? [];
    if (hints.length === 0) {
      if (kind === 'tab' && this.hasMore) this.editor.insert(' ');
      else this.output.write('\x07');
      return;
    }
    this.output.write(kind === 'tab' ? '\r\n' : '?\r\n');
    this.output.rows = 0;
    this.job = this.aside = this.list(hints);
  }

  /** Rows as a job prints them, a page at a time. */
  private *list(rows: readonly string[]): Job {
    for (const row of rows) {
      this.output.line(row);
      yield 0;
    }
  }

  private reportLoss(isOpen: boolean): void {
    const lost = this.line.lost?.() ?? 0;
    if (lost === this.lostBytes) return;
    const bytes = (lost - this.lostBytes) | 0;
    this.output.line(`${isOpen ? '\r\n' : ''}${bytes} bytes were lost on the line: turn on its flow control`);
    this.lostBytes = lost;
    if (isOpen) this.editor.open();
  }

  /** Takes the key that the pager waits for. */
  private turn(): void {
    const key = this.ahead.bytes[this.ahead.from++] as number;
    this.edited++;
    this.ahead.taken();
    this.paging = false;
    this.output.write(`\r${' '.repeat(MORE.length)}\r`);
    const letter = String.fromCharCode(key | 32);
    if (letter === 'q') this.endJob();
    else if (letter === 'a') this.output.rows = -0x7fffffff;
    else this.output.rows = key === CR || key === LF ? PAGE_ROWS - 1 : 0;
  }

  /** Runs the job until it waits, the output is full or its slice is over. */
  private resume(now: number): number {
    for (let i = 0; i < JOB_SLICE && this.job !== undefined && !this.output.busy; i++) {
      const left = (this.resumeAt - now) | 0;
      if (left > 0) return left;
      if (this.asking && this.answer === undefined) return this.ahead.from === this.ahead.to ? -1 : 0;
      if (this.paged && this.output.rows >= PAGE_ROWS && this.ahead.from === this.ahead.to) {
        this.paging = true;
        this.output.write(MORE);
        return -1;
      }
      let result: IteratorResult<number, void>;
      try {
        result = this.job.next();
      } catch (error) {
        if (this.output.rows > 0) this.running = undefined;
        this.refuse(error);
        result = { done: true, value: undefined };
      }
      if (result.done === true) {
        this.endJob();
        return 0;
      }
      this.resumeAt = (now + result.value) | 0;
      // What trickles is not paged: nobody reads it later.
      if (result.value > 0 && this.output.rows > 0) this.output.rows = 0;
    }
    return this.output.busy ? 1 : 0;
  }

  /** Does a slice of work. Answers the ticks until there is more to do, or -1 for "when something comes". */
  work(now: number): number {
    this.now = now;
    if (this.keyed) this.keyedAt = now;
    this.keyed = false;
    const wait = this.slice(now);
    const idle = this.isLogin ? 0 : (this.guard?.idleTicks() ?? 0);
    if (idle === 0) return wait;
    const left = (this.keyedAt + idle - now) | 0;
    if (left <= 0) {
      this.logout('Logged out, as nothing was typed for a while');
      return 0;
    }
    return wait < 0 ? left : Math.min(left, wait);
  }

  /** A command that runs out of memory ends; what it held is free then, and control goes on. */
  private slice(now: number): number {
    try {
      const wait = this.part(now);
      if (this.job === undefined || this.keepsRoom()) return wait;
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      this.keepsRoom();
    }
    this.end();
    this.output.line('Cannot go on with that: out of memory');
    this.open();
    return 0;
  }

  private part(now: number): number {
    this.output.flush();
    // The ring drains by interrupt and nobody tells: look again at the next tick.
    if (this.output.busy) return this.held ? -1 : 1;
    const isTyped = this.ahead.from !== this.ahead.to;
    if (this.paging) {
      if (!isTyped) return -1;
      this.turn();
      return 0;
    }
    if (this.job !== undefined && !(this.asking && this.answer === undefined)) return this.resume(now);
    if (!this.asking) this.reportLoss(true);
    if (!isTyped) return -1;
    this.edit();
    this.resumeAt = now;
    return this.ahead.from === this.ahead.to && this.job === undefined && !this.output.busy ? -1 : 0;
  }
}
