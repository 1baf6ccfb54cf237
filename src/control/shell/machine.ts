// Runs what compiler.ts has made: a stack of frames in the place of calls, so that whatever a script does, the engine's own stack
// stays as it is, and the script may stop between any two operations. It does after SLICE of them, where a command is a job, and
// where the console has something to print.
//
// Bounds: STEPS_MOST operations; frames are stack.ts's, memory is state.ts's.
// Not here: what ends, and what is put back then (stack.ts), commands (execute.ts), words (fields.ts).

import type { Job } from '../core/console/command.ts';
import type { Aside } from './fields.ts';
import {
  FRAME_LOOP,
  FRAME_PIPE,
  FRAME_SOURCE,
  FRAME_STREAMS,
  FRAME_SUBSHELL,
  FRAME_SUBSTITUTION,
  type Frame,
  type Redirection,
} from './frame.ts';
import * as op from './operations.ts';
import { parameterOf, setParameter } from './parameters.ts';
import { fits, trimmed } from './pattern.ts';
import { Stack } from './stack.ts';
import type { ShellState } from './state.ts';
import { Fault, isFault, Sink, Source, TO_TEXT } from './streams.ts';
import { sumOf } from './sum.ts';

/** Operations between two pauses: some 10 ms of a 486DX2-66. */
const SLICE = 32;
/** Operations of a script: a firewall of 300 lines takes 5,000. */
export const STEPS_MOST = 100_000;

/** What the machine needs of who has it. */
export interface Runner {
  readonly state: ShellState;
  /** Runs a simple command; answers what is left of it. */
  execute(machine: Machine, words: string[]): Job | undefined;
  glob(pattern: string): string[];
  /** Lets a machine's redirections take effect; answers the files that are to be written in the end, undefined if it cannot be. */
  apply(machine: Machine, redirections: readonly Redirection[]): Sink[] | undefined;
  /** Writes a file. */
  close(machine: Machine, sink: Sink): void;
  /** Prints what the console has got. */
  print(sink: Sink): Job;
  /** Says once that `&` waits. */
  background(machine: Machine): void;
}

export class Machine extends Stack {
  isSubstituted = false;
  /** What is wrong is told with its line's number. */
  isNumbered = false;
  private steps = 0;
  private string = '';

  constructor(
    readonly runner: Runner,
    state: ShellState,
    console: Sink,
    input: Source,
  ) {
    super(state, console, input, pattern => runner.glob(pattern));
  }

  protected close(sink: Sink): void {
    this.runner.close(this, sink);
  }

  /** Runs a command's code to its end, or to the end of the script. */
  *run(code: op.Code): Job {
    this.code = code;
    this.at = 0;
    this.isDone = false;
    try {
      while (!this.isDone) {
        const job = this.guarded(() => this.slice());
        if (job !== undefined) yield* this.guardedJob(job);
        else if (!this.isDone && this.console.text === '') yield 0;
        if (this.console.text !== '') yield* this.runner.print(this.console);
      }
    } finally {
      // By ^C, too: nothing may stay redirected, nor a subshell's variables.
      while (this.frames.length > 0) this.leave();
    }
  }

  private *guardedJob(job: Job): Job {
    try {
      yield* job;
    } catch (error) {
      this.fault(error);
    }
  }

  private guarded<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      this.fault(error);
      return undefined;
    }
  }

  /** Says what is wrong, and ends the shell that it is wrong in. */
  private fault(error: unknown): void {
    if (!isFault(error)) throw error;
    this.complain(error.message);
    this.exit(error.status);
  }

  complain(text: string): void {
    const { err } = this;
    const place = this.isNumbered && err === this.console && this.line > 0 ? `line ${this.line}: ` : '';
    try {
      err.write(`${place}${text.replaceAll('\r', '')}\n`);
    } catch (error) {
      if (!isFault(error)) throw error;
    }
  }

  // --- operations ----------------------------------------------------------------------------------------

  /** Runs operations until others are to have a turn; answers a job that is to be run. */
  private slice(): Job | undefined {
    for (let i = 0; i < SLICE && !this.isDone; i++) {
      if (++this.steps > STEPS_MOST) {
        this.steps = 0;
        this.exit(2);
        while (!this.isDone) {
          this.leave();
          this.exit(2);
        }
        throw new Fault(`it has not ended after ${STEPS_MOST} steps`);
      }
      const operation = this.code[this.at++] as number;
      if (operation === op.EXECUTE) {
        const job = this.runner.execute(this, this.fields.take());
        if (job !== undefined || this.console.text !== '') return job;
      } else if (operation <= op.PATTERN) this.word(operation);
      else if (operation < op.SUBSTITUTE) this.command(operation);
      else this.compound(operation);
    }
    return undefined;
  }

  private operand(): number | string {
    return this.code[this.at++] as number | string;
  }

  private word(operation: number): void {
    const { fields } = this;
    if (operation === op.WORD) fields.push(this.operand() as string);
    else if (operation === op.TEXT) fields.add(this.operand() as string);
    else if (operation === op.FIELD) fields.end();
    else if (operation === op.VALUE) this.value(this.operand() as string, this.operand() as number);
    else if (operation === op.STRING) this.string = fields.string();
    else if (operation === op.QUOTE) fields.isWord = true;
    else if (operation === op.SPLIT) fields.split(this.operand() as string);
    else if (operation === op.LENGTH) {
      const value = parameterOf(this, this.operand() as string) ?? '';
      fields.value(String(value.length), this.operand() as number);
    } else if (operation === op.PARAMETER) this.parameter();
    else if (operation === op.ASIDE) this.asides.push(fields.aside(false));
    else if (operation === op.PATTERN) this.string = fields.pattern();
    else this.endAside(operation);
  }

  private value(name: string, mode: number): void {
    const { fields, state } = this;
    if (name === '@' || (name === '*' && mode !== op.MODE_QUOTED)) fields.values(state.parameters, mode);
    else {
      const value = parameterOf(this, name);
      if (value === undefined && state.has('u')) throw new Fault(`${name}: it is not set`);
      fields.value(value ?? '', mode);
    }
  }

  /** `${name:-word}`: whether the word is wanted. */
  private parameter(): void {
    const name = this.operand() as string;
    const kind = this.operand() as string;
    const mode = this.operand() as number;
    const past = this.operand() as number;
    const value = name === '@' || name === '*' ? this.state.parameters.join(' ') : parameterOf(this, name);
    const isThere =
      value !== undefined && (value !== '' || kind[0] !== ':') && !(value === '' && this.isNone(name));
    if (kind.endsWith('+')) {
      if (!isThere) this.at = past;
      return;
    }
    if (!isThere) return;
    if (name === '@' || name === '*') this.value(name, mode);
    else this.fields.value(value, mode);
    this.at = past;
  }

  private isNone(name: string): boolean {
    return (name === '@' || name === '*') && this.state.parameters.length === 0;
  }

  /** A word within a word is made. */
  private endAside(operation: number): void {
    const { fields } = this;
    const text = operation === op.TRIM ? fields.pattern() : fields.string();
    fields.back(this.asides.pop() as Aside);
    if (operation === op.SUM) {
      fields.value(sumOf(this, text), this.operand() as number);
      return;
    }
    const name = this.operand() as string;
    if (operation === op.COMPLAIN) throw new Fault(`${name}: ${text === '' ? 'it is not set' : text}`);
    if (operation === op.DEFAULT) {
      setParameter(this, name, text);
      fields.value(text, this.operand() as number);
      return;
    }
    const kind = this.operand() as string;
    fields.value(trimmed(parameterOf(this, name) ?? '', kind, text), this.operand() as number);
  }

  private command(operation: number): void {
    const { state } = this;
    if (operation === op.LINE) {
      this.line = this.operand() as number;
      this.at++;
      this.isSubstituted = false;
    } else if (operation === op.CHECK) {
      if (state.status !== 0 && state.has('e') && !this.frames.some(({ isTested }) => isTested))
        this.exit(state.status);
    } else if (operation === op.JUMP) this.at = this.operand() as number;
    else if (operation === op.IF || operation === op.UNLESS) {
      const goal = this.operand() as number;
      if ((state.status === 0) === (operation === op.IF)) this.at = goal;
    } else if (operation === op.ASSIGN) {
      if (!this.isSubstituted) state.status = 0;
      this.assign(this.operand() as string, this.string);
    } else if (operation === op.LEND) this.lent.push(this.operand() as string, this.string);
    else if (operation === op.REDIRECT) {
      const descriptor = this.operand() as number;
      this.redirections.push({ descriptor, kind: this.operand() as string, target: this.string });
    } else if (operation === op.NOT) state.status = state.status === 0 ? 1 : 0;
    else if (operation === op.SUCCEED) state.status = 0;
    else if (operation === op.NOTHING) this.at++;
    else this.streams(operation);
  }

  private streams(operation: number): void {
    if (operation === op.PIPE) {
      this.line = this.operand() as number;
      const frame = this.enter(FRAME_PIPE);
      frame.input = this.input;
      frame.out = this.out;
      frame.next = this.operand() as number;
      this.out = new Sink(TO_TEXT);
    } else if (operation === op.TUBE) this.tube();
    else if (operation === op.TUBE_END) this.leave();
    else if (operation === op.APPLY) {
      const { input, out, err } = this;
      const sinks = this.runner.apply(this, this.redirections.splice(0));
      if (sinks === undefined) {
        // Past the jump to the command, which is not run.
        this.at += 2;
        return;
      }
      const frame = this.enter(FRAME_STREAMS);
      frame.input = input;
      frame.out = out;
      frame.err = err;
      frame.sinks = sinks;
    } else if (operation === op.RESTORE) this.leave();
    else if (operation === op.HERE) {
      const descriptor = this.operand() as number;
      this.redirections.push({ descriptor, kind: '<<', target: '' });
      this.hereAt = this.at + 1;
      this.asides.push(this.fields.aside(false));
      this.at = this.operand() as number;
    } else {
      const text = this.fields.string();
      this.fields.back(this.asides.pop() as Aside);
      (this.redirections[this.redirections.length - 1] as Redirection).target = text;
      this.at = this.hereAt;
    }
  }

  /** The next command of a pipe reads what the one before has said. */
  private tube(): void {
    const frame = this.frame as Frame;
    this.putBack(frame);
    this.input = new Source(this.out.text);
    frame.next = this.operand() as number;
    this.out = this.code[frame.next] === op.TUBE_END ? (frame.out as Sink) : new Sink(TO_TEXT);
  }

  private compound(operation: number): void {
    const { fields, frame, state } = this;
    if (operation === op.SUBSTITUTE) {
      const shell = this.enter(FRAME_SUBSTITUTION);
      shell.mode = this.operand() as number;
      shell.next = this.operand() as number;
      shell.words = fields.aside(true);
      shell.out = this.out;
      this.out = new Sink(TO_TEXT);
      state.status = 0;
    } else if (operation === op.SUBSTITUTE_END) this.substitute();
    else if (operation === op.SUBSHELL) this.enter(FRAME_SUBSHELL).next = this.operand() as number;
    else if (operation === op.SUBSHELL_END) this.leave();
    else if (operation === op.FUNCTION) this.define();
    else if (operation === op.RETURN) this.return(state.status);
    else if (operation === op.CASE) {
      this.subject = this.string;
      state.status = 0;
    } else if (operation === op.MATCH) {
      const goal = this.operand() as number;
      if (fits(this.string, this.subject)) this.at = goal;
    } else if (operation === op.BACKGROUND) this.runner.background(this);
    else if (operation === op.END) this.end();
    else if (operation >= op.LOOP && operation <= op.LOOP_END) this.loop(operation, frame as Frame);
  }

  private loop(operation: number, frame: Frame): void {
    const { state } = this;
    if (operation === op.LOOP || operation === op.FOR) {
      const loop = this.enter(FRAME_LOOP);
      if (operation === op.FOR) {
        loop.name = this.operand() as string;
        loop.items = this.fields.take();
      }
      loop.at = this.operand() as number;
      loop.next = this.operand() as number;
    } else if (operation === op.NEXT) {
      if (frame.index < frame.items.length) this.assign(frame.name, frame.items[frame.index++] as string);
      else {
        this.leave();
        state.status = frame.status;
        this.at = frame.at;
      }
    } else if (operation === op.AGAIN) {
      frame.status = state.status;
      this.at = this.operand() as number;
    } else {
      this.leave();
      state.status = frame.status;
    }
  }

  private substitute(): void {
    const { text } = this.out;
    const { mode } = this.leave();
    this.isSubstituted = true;
    let end = text.length;
    while (end > 0 && text.charCodeAt(end - 1) === 10) end--;
    this.fields.value(text.slice(0, end), mode);
  }

  private define(): void {
    const name = this.operand() as string;
    const end = this.operand() as number;
    this.state.count(8 * (end - this.at));
    this.state.functions.set(name, { code: this.code, at: this.at });
    this.state.status = 0;
    this.at = end;
  }

  /** The end of a code: of the command, or of what eval or `.` has read. */
  private end(): void {
    const { frame } = this;
    if (frame?.kind === FRAME_SOURCE) this.return(this.state.status);
    else this.isDone = true;
  }
}
