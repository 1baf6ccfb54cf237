// The frames of a script that runs (frame.ts): they begin and end here, and what was before each is put back. `exit`, `return` and
// `break` end all up to theirs. Bounds: CALLS_MOST functions in each other, FRAMES_MOST of all kinds.
// Not here: the operations that ask for it (machine.ts).

import { type Aside, Fields } from './fields.ts';
import { FRAME_CALL, FRAME_LOOP, FRAME_SOURCE, Frame, type Redirection } from './frame.ts';
import * as op from './operations.ts';
import type { ShellState } from './state.ts';
import { Fault, type Sink, type Source } from './streams.ts';

export const CALLS_MOST = 16;
const FRAMES_MOST = 200;

export abstract class Stack {
  code: op.Code = [];
  at = 0;
  line = 0;
  readonly frames: Frame[] = [];
  readonly fields: Fields;
  redirections: Redirection[] = [];
  /** Assignments before a command: names and values in turn. */
  lent: string[] = [];
  isDone = false;
  /** The script has ended by `exit`, or a fault. */
  isEnded = false;
  /** By `exit`. */
  isLeft = false;
  out: Sink;
  err: Sink;
  /** Words that wait for one within them. */
  protected readonly asides: Aside[] = [];
  /** What a case is about, and where to go on behind the text of a here-document. */
  protected subject = '';
  protected hereAt = 0;
  private calls = 0;

  constructor(
    readonly state: ShellState,
    readonly console: Sink,
    public input: Source,
    glob: (pattern: string) => string[],
  ) {
    this.out = console;
    this.err = console;
    this.fields = new Fields(
      () => state.get('IFS') ?? ' \t\n',
      pattern => (state.has('f') ? [] : glob(pattern)),
    );
  }

  /** Writes a file that a command has ended. */
  protected abstract close(sink: Sink): void;

  enter(kind: number): Frame {
    if (this.frames.length >= FRAMES_MOST) throw new Fault('it is nested too deeply');
    if (kind <= FRAME_SOURCE && ++this.calls > CALLS_MOST) {
      this.calls--;
      throw new Fault(`more than ${CALLS_MOST} functions call each other`);
    }
    const frame = new Frame(kind, this.code, this.at);
    if (frame.isShell) {
      frame.before = new Map();
      frame.options = this.state.options;
      frame.directory = this.state.directory;
      frame.parameters = this.state.parameters;
      this.keep(frame);
    }
    this.frames.push(frame);
    return frame;
  }

  /** What a command has gathered waits for the shell that runs in it. */
  private keep(frame: Frame): void {
    frame.lent = this.lent;
    frame.redirections = this.redirections;
    frame.asides = this.asides.length;
    frame.subject = this.subject;
    frame.hereAt = this.hereAt;
    this.lent = [];
    this.redirections = [];
  }

  get frame(): Frame | undefined {
    return this.frames[this.frames.length - 1];
  }

  /** Ends the innermost frame, and puts back what was before it. */
  leave(): Frame {
    const frame = this.frames.pop() as Frame;
    if (frame.kind <= FRAME_SOURCE) this.calls--;
    this.putBack(frame);
    if (frame.parameters !== undefined) this.state.parameters = frame.parameters;
    if (frame.isShell) {
      this.state.options = frame.options;
      this.state.directory = frame.directory;
      this.lent = frame.lent;
      this.redirections = frame.redirections;
      this.asides.length = frame.asides;
      this.subject = frame.subject;
      this.hereAt = frame.hereAt;
    }
    if (frame.words !== undefined) this.fields.back(frame.words);
    this.input = frame.input ?? this.input;
    this.out = frame.out ?? this.out;
    this.err = frame.err ?? this.err;
    for (const sink of frame.sinks) this.close(sink);
    return frame;
  }

  protected putBack({ before }: Frame): void {
    if (before === undefined) return;
    for (const [name, value] of before) {
      if (value === undefined) this.state.variables.delete(name);
      else this.state.variables.set(name, value);
    }
    before.clear();
  }

  /** Notes what a variable is before it is changed in a shell of its own. */
  note(name: string): void {
    for (let i = this.frames.length - 1; i >= 0; i--) {
      const frame = this.frames[i] as Frame;
      if (frame.before === undefined || !(frame.isShell || frame.before.has(name))) continue;
      if (!frame.before.has(name)) frame.before.set(name, this.state.get(name));
      return;
    }
  }

  assign(name: string, value: string): void {
    this.note(name);
    this.state.set(name, value);
  }

  // --- ends ----------------------------------------------------------------------------------------------

  /** Ends the shell that is running: a substitution's, a pipe's, or the script's. */
  exit(status: number): void {
    this.state.status = status;
    this.fresh();
    while (this.frames.length > 0) {
      const { frame } = this;
      if (frame?.isShell === true) {
        this.code = frame.code;
        this.at = frame.next;
        return;
      }
      this.leave();
    }
    this.isDone = true;
    this.isEnded = true;
  }

  /** What a command had gathered is gone. */
  private fresh(): void {
    this.fields.take();
    this.fields.pattern();
    this.lent = [];
    this.redirections = [];
  }

  /** Ends a function, or a script that was read by `.`. */
  return(status: number): void {
    this.state.status = status;
    const index = this.frames.findLastIndex(({ kind, isShell }) => kind <= FRAME_SOURCE || isShell);
    const frame = this.frames[index];
    if (frame === undefined || frame.isShell) {
      this.exit(status);
      return;
    }
    while (this.frames.length > index) this.leave();
    this.code = frame.code;
    this.at = frame.at;
  }

  /** `break` and `continue`, out of so many loops. */
  breakLoop(count: number, isContinue: boolean): void {
    let left = count;
    let index = this.frames.length - 1;
    let found = -1;
    for (; index >= 0 && left > 0; index--) {
      const { kind, isShell } = this.frames[index] as Frame;
      if (kind === FRAME_CALL || isShell) break;
      if (kind !== FRAME_LOOP) continue;
      found = index;
      left--;
    }
    if (found < 0) return;
    while (this.frames.length > found + 1) this.leave();
    const loop = this.frame as Frame;
    loop.status = 0;
    this.state.status = 0;
    if (!isContinue) this.leave();
    this.code = loop.code;
    this.at = isContinue ? loop.next : loop.at;
  }

  /** Goes on in another code, a function's or a script's. */
  call(kind: number, code: op.Code, at: number): Frame {
    // What comes next says whether somebody looks at how it ends.
    const next = this.code[this.at];
    const frame = this.enter(kind);
    frame.isTested = next === op.IF || next === op.UNLESS || next === op.NOT || next === op.IDLE;
    this.code = code;
    this.at = at;
    return frame;
  }
}
