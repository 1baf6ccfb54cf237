// A script from its lines: what is complete is run, and what is not waits for the next line.
// Not here: where lines come from (session.ts).

import type { Job } from '../core/console/command.ts';
import { Compiler } from './compiler.ts';
import type { Machine } from './machine.ts';
import { type Code, SyntaxFault } from './operations.ts';
import { Fault, isFault } from './streams.ts';

/** Lines that are read in one step. */
const SLICE_LINES = 4;

function faultOf(error: unknown, line: number): Fault {
  if (!(error instanceof SyntaxFault)) throw error;
  return new Fault(`${line > 0 ? `line ${line}: ` : ''}syntax error: ${error.message}`);
}

/** All of a text at once, for `eval` and `.`. */
export function compiled(text: string): Code {
  const compiler = new Compiler();
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  let isComplete = true;
  try {
    for (const line of lines) isComplete = compiler.feed(`${line}\n`);
    if (!isComplete) throw new SyntaxFault(`${compiler.openText()} is not ended`);
  } catch (error) {
    throw faultOf(error, 0);
  }
  return compiler.take();
}

/** Takes lines one by one. */
export class Script {
  private compiler = new Compiler();
  /** Lines before those of the present command, if lines are counted. */
  isOpen = false;

  constructor(private readonly machine: Machine) {}

  get line(): number {
    return this.compiler.line;
  }

  /** What is not ended. */
  openText(): string {
    return this.compiler.openText();
  }

  /** Takes a line, and runs what is complete with it. Throws a Fault where it is no shell's; what was open is forgotten then. */
  take(line: string): Job | undefined {
    const { compiler } = this;
    try {
      this.isOpen = !compiler.feed(`${line}\n`);
    } catch (error) {
      this.forget();
      throw faultOf(error, compiler.line);
    }
    return this.isOpen ? undefined : this.machine.run(compiler.take());
  }

  /** Forgets what is open. */
  forget(): void {
    const { line } = this.compiler;
    this.compiler = new Compiler();
    this.compiler.line = line;
    this.isOpen = false;
  }
}

/** Runs a text to its end, or to where it ends itself; `exit`'s trap last. */
export function* runText(machine: Machine, text: string): Job {
  const script = new Script(machine);
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  let isFaulty = false;
  try {
    for (const [i, line] of lines.entries()) {
      const job = script.take(line);
      if (job !== undefined) yield* job;
      if (machine.isEnded) break;
      if (i % SLICE_LINES === 0) yield 0;
    }
    if (script.isOpen && !machine.isEnded)
      throw new Fault(`line ${script.line}: syntax error: ${script.openText()} is not ended`);
  } catch (error) {
    if (!isFault(error)) throw error;
    machine.line = 0;
    machine.complain(error.message);
    machine.state.status = error.status;
    isFaulty = true;
  }
  if (!isFaulty) yield* atExit(machine);
  if (machine.console.text !== '') yield* machine.runner.print(machine.console);
}

/** What `trap ... EXIT` has asked for. */
export function* atExit(machine: Machine): Job {
  const { state } = machine;
  const text = state.traps.get('EXIT');
  state.traps.delete('EXIT');
  if (text === undefined || text === '') return;
  const { status } = state;
  machine.isEnded = false;
  yield* machine.run(compiled(text));
  if (!machine.isEnded) state.status = status;
  machine.isEnded = true;
}
