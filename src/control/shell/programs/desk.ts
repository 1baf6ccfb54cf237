// What the programs of the time have of the board: files, links by their names of the time, commands of the console.

import type { Command } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import type { Files } from '../files.ts';
import type { Outcome } from '../host.ts';
import type { ShellState } from '../state.ts';
import type { Io } from '../streams.ts';
import type { Links } from './names.ts';

/** What lasts longer than a script, of the part (../shell.ts). */
export interface Kept {
  readonly table: readonly Command[];
  /** What `set alias` says. */
  readonly aliases: ReadonlyMap<string, number>;
  /** Modules that are loaded, with their parameters. */
  readonly modules: Map<string, string>;
  /** Files of other parts, as `/proc/net/ip_fwchains`, with who makes their text. */
  readonly files: Map<string, () => string>;
}

export interface Desk {
  readonly context: Context;
  readonly state: ShellState;
  readonly kept: Kept;
  readonly files: Files;
  readonly links: Links;
  /** Runs a line of the console. */
  run(words: readonly string[]): Outcome;
}

export type Program = (args: readonly string[], io: Io, desk: Desk) => Outcome;

/** Says something once in a shell's life. */
export function once(desk: Desk, key: string, say: () => void): void {
  if (desk.state.told.has(key)) return;
  desk.state.told.add(key);
  say();
}
