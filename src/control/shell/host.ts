// What the shell's parts know of each other: what a command answers, what a tool is, what is given from outside.

import type { Output } from '../core/console/output.ts';
import type { Files } from './files.ts';
import type { Frame } from './frame.ts';
import type { Machine } from './machine.ts';
import type { Code } from './operations.ts';
import type { ShellState } from './state.ts';
import type { Io } from './streams.ts';

/** A status, or a job that ends with one. */
export type Outcome = number | Generator<number, number, void>;

export type Tool = (args: readonly string[], io: Io) => Outcome;

/** What a shell has from outside. */
export interface Host {
  readonly output: Output;
  readonly files: Files;
  /** A tool by its name. */
  tool(name: string): Tool | undefined;
  /**
   * A command of the console for words; undefined if there is none. `input` is what comes in, if that is not who types; what it
   * prints goes to `say` where that is given, and what is no output of it to `complain` where that is.
   */
  command(
    words: readonly string[],
    input?: () => string,
    say?: (text: string) => void,
    complain?: (text: string) => void,
  ): Outcome | undefined;
  /** Why a program of that name is not there. */
  whyNone(name: string): string;
  /** Asks who types for a line; undefined: nobody does. */
  ask(prompt: string): Generator<number, string | undefined, void>;
  /** Compiles a text; throws a Fault. */
  compile(text: string): Code;
}

/** What commands need of the shell that runs them. */
export interface Commands {
  readonly host: Host;
  readonly state: ShellState;
  /** A path from the root. */
  path(text: string): string;
  /** Makes a variable a function's own. */
  local(frame: Frame, name: string, value: string | undefined): void;
  /** Runs words without looking at functions. */
  again(machine: Machine, words: readonly string[]): Outcome;
}
