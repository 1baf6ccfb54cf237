// The console on one serial line: bytes in, commands run, text out. All work is done in short slices.
//
//   receive ring -> typed ahead -> line editor -> command -> job -> output -> transmit ring
//
// Typed ahead keeps a paste that comes faster than lines are run. ^C is seen as it arrives: it ends the
// running job and forgets what was typed ahead, as a terminal driver does. ^S holds the output, ^Q lets it go.

import { SERIAL_RECEIVE_BYTES } from '../../plane/limits.ts';
import { type Command, findCommand, type Job, Refusal } from './command.ts';
import { LINE_LIMIT, LineEditor } from './line-editor.ts';
import { createOutput, type Output, type Sink } from './output.ts';

/** A paste of 600 lines of 80. At 115200 baud it comes within 4 s; a 486 needs longer to run it. */
export const TYPED_AHEAD_LIMIT = 48 * 1024;
/** Bytes taken from the receive ring in one step: all that it holds. */
const ARRIVED_BYTES = SERIAL_RECEIVE_BYTES;
/** Bytes that the editor gets in one slice. */
const EDIT_SLICE = 64;
/** Resumptions of a job in one slice; each writes a row or two. */
const JOB_SLICE = 8;
const CONTROL_C = 3;
const XON = 17;
const XOFF = 19;

/** The serial port's rings. */
export interface Line extends Sink {
  /** Moves what has been received to `into` from `at` on; answers how many bytes. */
  read(into: Uint8Array, at: number): number;
  /** Whether every byte passes as it is: the driver then obeys no XON or XOFF and sends none. */
  setTransparent?(on: boolean): void;
}

/** The line for a program at its other end: a job that transfers a file takes it, and gives it back. */
export interface RawLine {
  /** All bytes go to `receive` as they come, ^C too, and nothing that the job did not write is printed. */
  take(receive: (bytes: Uint8Array) => void): void;
  giveBack(): void;
}

export const PROMPT = 'masqbox> ';

export class Console implements RawLine {
  readonly output: Output;
  private readonly typed = new Uint8Array(TYPED_AHEAD_LIMIT);
  private readonly arrived = new Uint8Array(ARRIVED_BYTES);
  private typedFrom = 0;
  private typedTo = 0;
  private lostBytes = 0;
  private held = false;
  private job: Job | undefined;
  private resumeAt = 0;
  private now = 0;
  private receiver: ((bytes: Uint8Array) => void) | undefined;
  private readonly editor: LineEditor;

  constructor(
    private readonly line: Line,
    private readonly table: readonly Command[],
  ) {
    this.output = createOutput({ write: text => (this.held ? 0 : line.write(text)) });
    this.editor = new LineEditor(PROMPT, this.output.write);
  }

  /** Writes the first prompt. */
  open(): void {
    this.editor.open();
  }

  /** Prints a line that no command asked for; what is being typed moves below it. */
  notice(text: string): void {
    if (this.receiver !== undefined) return;
    if (this.job === undefined) this.output.write('\r\n');
    this.output.line(text);
    if (this.job === undefined) this.editor.open();
  }

  take(receive: (bytes: Uint8Array) => void): void {
    this.receiver = receive;
    this.line.setTransparent?.(true);
  }

  giveBack(): void {
    this.receiver = undefined;
    this.line.setTransparent?.(false);
  }

  private interrupt(): void {
    this.typedFrom = 0;
    this.typedTo = 0;
    this.held = false;
    this.output.discard();
    if (this.job === undefined) {
      this.keep(CONTROL_C);
      return;
    }
    this.job.return();
    this.job = undefined;
    this.output.line('^C');
    this.editor.open();
  }

  private keep(byte: number): void {
    if (this.typedTo === TYPED_AHEAD_LIMIT && this.typedFrom > 0) {
      this.typed.copyWithin(0, this.typedFrom, this.typedTo);
      this.typedTo -= this.typedFrom;
      this.typedFrom = 0;
    }
    if (this.typedTo < TYPED_AHEAD_LIMIT) this.typed[this.typedTo++] = byte;
    else this.lostBytes++;
  }

  /** Takes what has been received. */
  receive(): void {
    const count = this.line.read(this.arrived, 0);
    if (this.receiver !== undefined) {
      if (count > 0) this.receiver(this.arrived.subarray(0, count));
      // The job that waits for these bytes need not wait out its time.
      if (count > 0) this.resumeAt = this.now;
      return;
    }
    for (let i = 0; i < count; i++) {
      const byte = this.arrived[i] as number;
      if (byte === CONTROL_C) this.interrupt();
      else if (byte === XOFF) this.held = true;
      else if (byte === XON) this.held = false;
      else this.keep(byte);
    }
  }

  private run(text: string): void {
    if (text.trim() === '') return;
    const found = findCommand(this.table, text);
    if ('refusal' in found) {
      this.output.line(found.refusal);
      return;
    }
    try {
      this.job = found.command.run(found.args);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.output.line(error.message);
    }
  }

  /** Gives the editor a slice of what was typed, and runs the line when one is complete. */
  private edit(): void {
    const { used, event } = this.editor.feed(
      this.typed,
      this.typedFrom,
      Math.min(this.typedTo, this.typedFrom + EDIT_SLICE),
    );
    this.typedFrom += used;
    if (this.typedFrom === this.typedTo) {
      this.typedFrom = 0;
      this.typedTo = 0;
    }
    if (event.kind === 'more') return;
    if (event.kind === 'line') this.run(event.text);
    if (event.kind === 'too-long')
      this.output.line(`Cannot run the line: it is longer than ${LINE_LIMIT} characters`);
    if (this.job === undefined) this.editor.open();
  }

  private reportLoss(): void {
    this.output.line(
      `Cannot keep what is typed: ${this.lostBytes} bytes lost, ${TYPED_AHEAD_LIMIT} were waiting`,
    );
    this.lostBytes = 0;
  }

  /** Runs the job until it waits, the output is full or its slice is over. */
  private resume(now: number): number {
    for (let i = 0; i < JOB_SLICE && this.job !== undefined && !this.output.busy; i++) {
      const left = (this.resumeAt - now) | 0;
      if (left > 0) return left;
      let result: IteratorResult<number, void>;
      try {
        result = this.job.next();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.output.line(error.message);
        result = { done: true, value: undefined };
      }
      if (result.done === true) {
        this.job = undefined;
        this.editor.open();
        return 0;
      }
      this.resumeAt = (now + result.value) | 0;
    }
    return this.output.busy ? 1 : 0;
  }

  /** Does a slice of work. Answers the ticks until there is more to do, or -1 for "when something comes". */
  work(now: number): number {
    this.now = now;
    this.output.flush();
    // The ring drains by interrupt and nobody tells: look again at the next tick.
    if (this.output.busy) return this.held ? -1 : 1;
    if (this.job !== undefined) return this.resume(now);
    if (this.lostBytes > 0) this.reportLoss();
    if (this.typedFrom === this.typedTo) return -1;
    this.edit();
    this.resumeAt = now;
    return this.typedFrom === this.typedTo && this.job === undefined && !this.output.busy ? -1 : 0;
  }
}
