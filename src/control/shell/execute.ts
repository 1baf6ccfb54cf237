// Runs simple commands (POSIX, Shell Command Language, section 2.9.1): a function, what is built in, a tool of the time, or whatever
// command the console has; with its redirections, and the assignments before it.
// Not here: what is built in (builtins.ts), the tools (filters/, programs/), how a script goes on (machine.ts).

import { type Job, Refusal } from '../core/console/command.ts';
import { builtinNamed } from './builtins.ts';
import { programName, resolved } from './files.ts';
import { FRAME_CALL, FRAME_SOURCE, type Frame, type Redirection } from './frame.ts';
import type { Commands, Host, Outcome } from './host.ts';
import type { Machine, Runner } from './machine.ts';
import type { Code } from './operations.ts';
import { fits, isPattern, plain } from './pattern.ts';
import type { ShellState } from './state.ts';
import { Fault, type Io, isFault, Sink, Source, TO_FILE, TO_NOTHING } from './streams.ts';

/** Assignments before these last (section 2.14). */
const SPECIAL = ['.', ':', 'eval', 'exec', 'export', 'readonly', 'set', 'shift', 'trap', 'unset', 'source'];

interface Streams {
  input: Source;
  out: Sink;
  err: Sink;
}

export class Shell implements Runner, Commands {
  constructor(
    readonly host: Host,
    readonly state: ShellState,
  ) {}

  path(text: string): string {
    return resolved(this.state.directory, text);
  }

  execute(machine: Machine, words: string[]): Job | undefined {
    const { state } = this;
    const redirections = machine.redirections.splice(0);
    const lent = machine.lent.splice(0);
    const name = words[0];
    if (name === undefined) {
      if (!machine.isSubstituted) state.status = 0;
      if (redirections.length > 0) this.streamed(machine, redirections, () => state.status);
      return undefined;
    }
    if (state.has('x')) machine.err.write(`+ ${words.join(' ')}\n`);
    const found = state.functions.get(name);
    if (found !== undefined) {
      this.call(machine, words, redirections, lent);
      return undefined;
    }
    if (lent.length === 0)
      return this.flow(machine, words, redirections) ? undefined : this.simple(machine, words, redirections);
    if (SPECIAL.includes(name)) {
      for (let i = 0; i < lent.length; i += 2) machine.assign(lent[i] as string, lent[i + 1] as string);
      return this.flow(machine, words, redirections) ? undefined : this.simple(machine, words, redirections);
    }
    return this.lending(machine, words, redirections, lent);
  }

  /** Runs a command while variables have other values. */
  private lending(
    machine: Machine,
    words: string[],
    redirections: Redirection[],
    lent: string[],
  ): Job | undefined {
    const { state } = this;
    const before: (string | undefined)[] = [];
    for (let i = 0; i < lent.length; i += 2) {
      before.push(state.get(lent[i] as string));
      state.set(lent[i] as string, lent[i + 1] as string);
    }
    const putBack = (): void => {
      for (let i = lent.length - 2; i >= 0; i -= 2) {
        const value = before[i / 2];
        if (value === undefined) state.unset(lent[i] as string);
        else state.set(lent[i] as string, value);
      }
    };
    let job: Job | undefined;
    try {
      job = this.simple(machine, words, redirections);
    } finally {
      if (job === undefined) putBack();
    }
    return job === undefined ? undefined : andThen(job, putBack);
  }

  private simple(machine: Machine, words: string[], redirections: Redirection[]): Job | undefined {
    const program = programName(words[0] as string);
    const builtin = builtinNamed(program);
    return this.streamed(machine, redirections, () =>
      builtin === undefined ? this.program(machine, program, words) : builtin(this, machine, words),
    );
  }

  /** Runs something with its redirections. */
  private streamed(machine: Machine, redirections: Redirection[], act: () => Outcome): Job | undefined {
    const { state } = this;
    const before: Streams = { input: machine.input, out: machine.out, err: machine.err };
    const sinks = this.apply(machine, redirections);
    if (sinks === undefined) return undefined;
    const end = (status: number): void => {
      state.status = status;
      Object.assign(machine, before);
      for (const sink of sinks) this.close(machine, sink);
    };
    let outcome: Outcome = 1;
    try {
      outcome = act();
    } catch (error) {
      if (error instanceof Refusal) machine.complain(error.message);
      else {
        end(2);
        throw error;
      }
    }
    if (typeof outcome === 'number') {
      end(outcome);
      return undefined;
    }
    return this.rest(machine, outcome, end);
  }

  private *rest(
    machine: Machine,
    outcome: Generator<number, number, void>,
    end: (status: number) => void,
  ): Job {
    let status = 1;
    try {
      status = yield* outcome;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      machine.complain(error.message);
    } finally {
      end(status);
    }
  }

  private refuse(machine: Machine, error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    machine.complain(error.message);
    this.state.status = 1;
  }

  /** Runs words without looking at functions: a tool, or a command of the console. */
  again(machine: Machine, words: readonly string[]): Outcome {
    const name = programName(words[0] ?? '');
    if (name === '') return 0;
    const builtin = name === 'set' ? undefined : builtinNamed(name);
    return builtin === undefined ? this.program(machine, name, words) : builtin(this, machine, words);
  }

  /** A tool, or a command of the console. */
  private program(machine: Machine, program: string, words: readonly string[]): Outcome {
    const { host } = this;
    const name = words[0] as string;
    const own = program === name ? words : [program, ...words.slice(1)];
    const tool = host.tool(program);
    if (tool !== undefined) return this.tool(machine, program, () => tool(own, this.io(machine, program)));
    const say = machine.out === machine.console ? undefined : (text: string) => machine.out.write(text);
    const input = machine.input.isConsole ? undefined : () => machine.input.rest();
    const complain =
      machine.err === machine.console ? undefined : (text: string) => machine.err.write(`${text}\n`);
    const outcome = host.command(own, input, say, complain);
    if (outcome !== undefined) return outcome;
    machine.complain(`${name}: ${host.whyNone(program)}`);
    return 127;
  }

  /** What is wrong with a tool's words is the tool's affair, and ends nothing. */
  private tool(machine: Machine, name: string, act: () => Outcome): Outcome {
    const failed = (error: unknown): number => {
      if (!isFault(error)) throw error;
      machine.complain(error.message.startsWith(`${name}: `) ? error.message : `${name}: ${error.message}`);
      return error.status;
    };
    let outcome: Outcome;
    try {
      outcome = act();
    } catch (error) {
      return failed(error);
    }
    return typeof outcome === 'number' ? outcome : guarded(outcome, failed);
  }

  private io(machine: Machine, name: string): Io {
    const { host } = this;
    return {
      read: () => machine.input.rest(),
      file: path => (this.path(path) === '/dev/null' ? '' : host.files.read(this.path(path))),
      write: text => machine.out.write(text),
      complain: text => machine.complain(`${name}: ${text}`),
    };
  }

  // --- functions and scripts -----------------------------------------------------------------------------

  private call(machine: Machine, words: string[], redirections: Redirection[], lent: string[]): void {
    const { code, at } = this.state.functions.get(words[0] as string) as { code: Code; at: number };
    const frame = this.begin(machine, FRAME_CALL, code, at, redirections);
    if (frame === undefined) return;
    frame.parameters = this.state.parameters;
    this.state.parameters = words.slice(1);
    this.state.status = 0;
    frame.before = new Map();
    for (let i = 0; i < lent.length; i += 2) this.local(frame, lent[i] as string, lent[i + 1]);
  }

  /** A variable of the function that is running. */
  local(frame: Frame, name: string, value: string | undefined): void {
    const { state } = this;
    if (frame.before?.has(name) === false) frame.before.set(name, state.get(name));
    if (value !== undefined) state.set(name, value);
  }

  /** Goes on in another code, with redirections. */
  private begin(
    machine: Machine,
    kind: number,
    code: Code,
    at: number,
    redirections: Redirection[],
  ): Frame | undefined {
    const before: Streams = { input: machine.input, out: machine.out, err: machine.err };
    const sinks = this.apply(machine, redirections);
    if (sinks === undefined) return undefined;
    const frame = machine.call(kind, code, at);
    Object.assign(frame, before);
    frame.sinks = sinks;
    return frame;
  }

  /** What changes where the script goes on; answers whether it was that. */
  private flow(machine: Machine, words: string[], redirections: Redirection[]): boolean {
    const { state } = this;
    const name = words[0] as string;
    if (name === 'exit' || name === 'return') {
      const status = words[1] === undefined ? state.status : numberOf(name, words[1]);
      if (name === 'exit') machine.exit(status);
      else machine.return(status);
      machine.isLeft ||= machine.isDone;
    } else if (name === 'break' || name === 'continue') {
      const count = words[1] === undefined ? 1 : numberOf(name, words[1]);
      if (count < 1) throw new Fault(`${name}: ${count} is no number of loops`);
      machine.breakLoop(count, name === 'continue');
    } else if (name === 'eval') {
      state.status = 0;
      this.begin(machine, FRAME_SOURCE, this.host.compile(words.slice(1).join(' ')), 0, redirections);
    } else if (name === '.' || name === 'source') this.source(machine, words, redirections);
    else if (name === 'exec') this.exec(machine, words, redirections);
    else return false;
    return true;
  }

  private source(machine: Machine, words: string[], redirections: Redirection[]): void {
    const name = words[1];
    if (name === undefined) throw new Fault(`${words[0]}: a file is missing`);
    let text: string;
    try {
      text = this.host.files.read(this.path(name));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      machine.complain(`${words[0]}: ${error.message}`);
      this.state.status = 2;
      return;
    }
    this.state.status = 0;
    this.begin(machine, FRAME_SOURCE, this.host.compile(text), 0, redirections);
  }

  /** `exec > file` redirects all that follows; `exec command` ends the script with it. */
  private exec(machine: Machine, words: string[], redirections: Redirection[]): void {
    if (words.length > 1) throw new Fault('exec: a command in the place of the shell is not there');
    const sinks = this.redirect(machine, redirections);
    if (sinks.length > 0) throw new Fault('exec: all that follows cannot go to a file here');
    this.state.status = 0;
  }

  // --- streams -------------------------------------------------------------------------------------------

  apply(machine: Machine, redirections: readonly Redirection[]): Sink[] | undefined {
    if (redirections.length === 0) return [];
    try {
      return this.redirect(machine, redirections);
    } catch (error) {
      this.refuse(machine, error);
      this.state.status = 2;
      return undefined;
    }
  }

  /** Lets redirections take effect; answers the files that are to be written. Throws a Refusal, and then nothing has changed. */
  private redirect(machine: Machine, redirections: readonly Redirection[]): Sink[] {
    const { input, out, err } = machine;
    const sinks: Sink[] = [];
    try {
      for (const { descriptor, kind, target } of redirections) {
        if (descriptor > 2) throw new Refusal(`${descriptor}${kind}: there are descriptors 0 to 2 here`);
        if (descriptor === 0) machine.input = this.sourceOf(machine, kind, target);
        else {
          const sink = this.sinkOf(machine, kind, target);
          if (
            sink.kind === TO_FILE &&
            !sinks.includes(sink) &&
            (kind === '>' || kind === '>>' || kind === '>|')
          )
            sinks.push(sink);
          if (descriptor === 1) machine.out = sink;
          else machine.err = sink;
        }
      }
    } catch (error) {
      Object.assign(machine, { input, out, err });
      throw error;
    }
    return sinks;
  }

  private sourceOf(machine: Machine, kind: string, target: string): Source {
    if (kind === '<<') return new Source(target);
    if (kind === '<&') {
      if (target === '0') return machine.input;
      if (target === '-') return new Source('');
      throw new Refusal(`0${kind}${target}: there is no such descriptor to read from`);
    }
    if (kind !== '<') throw new Refusal(`0${kind}: what is read cannot be written`);
    const path = this.path(target);
    return new Source(path === '/dev/null' ? '' : this.host.files.read(path));
  }

  private sinkOf(machine: Machine, kind: string, target: string): Sink {
    if (kind === '>&') {
      if (target === '1') return machine.out;
      if (target === '2') return machine.err;
      if (target === '-') return new Sink(TO_NOTHING);
      throw new Refusal(`>&${target}: there is no such descriptor to write to`);
    }
    if (kind !== '>' && kind !== '>>' && kind !== '>|')
      throw new Refusal(`${kind}: what is written cannot be read`);
    const path = this.path(target);
    if (path === '/dev/null') return new Sink(TO_NOTHING);
    if (path === '/dev/console' || path === '/dev/tty' || path === '/dev/tty1') return machine.console;
    if (path === '/dev/stdout') return machine.out;
    if (path === '/dev/stderr') return machine.err;
    const why = this.host.files.whyNotWritten(path);
    if (why !== undefined) throw new Refusal(`cannot create ${target}: ${why}`);
    return new Sink(TO_FILE, path, kind === '>>');
  }

  close(machine: Machine, sink: Sink): void {
    try {
      this.host.files.write(sink.path, sink.text, sink.isAppended);
    } catch (error) {
      this.refuse(machine, error);
    }
  }

  /** A line a row, so that the pager can count them. */
  *print(sink: Sink): Job {
    const { output } = this.host;
    const source = new Source(sink.text);
    sink.text = '';
    for (let line = source.line(); line !== undefined; line = source.line()) {
      if (source.at === source.text.length && !source.text.endsWith('\n')) output.write(line);
      else output.line(line);
      yield 0;
    }
  }

  background(machine: Machine): void {
    if (this.state.told.has('&')) return;
    this.state.told.add('&');
    machine.complain(
      '& starts nothing beside the rest here: what is before it has run, and then comes what is behind it',
    );
  }

  /** Names of files that a pattern fits, folder by folder. */
  glob(pattern: string): string[] {
    const { files } = this.host;
    let found = [pattern.startsWith('/') ? '/' : ''];
    const parts = pattern.split('/').filter(part => part !== '');
    for (const [i, part] of parts.entries()) {
      const next: string[] = [];
      for (const base of found) {
        const names = isPattern(part) ? files.list(this.path(base === '' ? '.' : base)) : [plain(part)];
        for (const name of names) {
          const path = base + name;
          if (isPattern(part) && (!fits(part, name) || (name[0] === '.' && part[0] !== '.'))) continue;
          const kind = files.kind(this.path(path));
          if (kind === undefined || (i < parts.length - 1 && kind !== 'directory')) continue;
          next.push(i < parts.length - 1 ? `${path}/` : path);
        }
      }
      found = next;
    }
    return found;
  }
}

function* guarded(
  outcome: Generator<number, number, void>,
  failed: (error: unknown) => number,
): Generator<number, number, void> {
  try {
    return yield* outcome;
  } catch (error) {
    return failed(error);
  }
}

function* andThen(job: Job, act: () => void): Job {
  try {
    yield* job;
  } finally {
    act();
  }
}

/** A number that a command wants. */
export function numberOf(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Fault(`${name}: ${text} is no number`);
  return Number(text) & (name === 'exit' || name === 'return' ? 255 : -1);
}
