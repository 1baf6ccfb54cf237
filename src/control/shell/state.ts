// What a shell remembers from one line to the next: variables, functions, parameters, options. Plain data, which the part keeps
// while the code that runs it comes and goes; it is bounded in all.
// Not here: what a command has open (machine.ts).

import type { Code } from './operations.ts';
import { Fault, TEXT_MOST } from './streams.ts';

/** Characters of all variables, functions and files together. */
export const MEMORY_MOST = 128 * 1024;
/** What a variable or an item of a list takes beside its text. */
const ITEM_BYTES = 32;

export interface ShellFunction {
  code: Code;
  at: number;
}

export class ShellState {
  readonly variables = new Map<string, string>([
    ['IFS', ' \t\n'],
    ['PATH', '/sbin:/usr/sbin:/bin:/usr/bin'],
    ['HOME', '/'],
    ['PS1', '# '],
    ['PS4', '+ '],
    ['OPTIND', '1'],
    ['PWD', '/'],
  ]);
  readonly exported = new Set<string>(['PATH', 'HOME']);
  readonly fixed = new Set<string>();
  readonly functions = new Map<string, ShellFunction>();
  /** Files that a script has made, in /tmp and the like. */
  readonly files = new Map<string, string>();
  readonly traps = new Map<string, string>();
  /** Things that are said but once. */
  readonly told = new Set<string>();
  parameters: readonly string[] = [];
  /** $0. */
  name = 'sh';
  status = 0;
  /** Letters of `set`. */
  options = '';
  directory = '/';
  private bytes = 0;

  get(name: string): string | undefined {
    return this.variables.get(name);
  }

  set(name: string, value: string): void {
    if (this.fixed.has(name)) throw new Fault(`${name}: is read only`);
    if (value.length > TEXT_MOST) throw new Fault(`${name}: it is longer than 64 KB`);
    const before = this.variables.get(name);
    this.count(value.length - (before === undefined ? -ITEM_BYTES : before.length));
    this.variables.set(name, value);
  }

  unset(name: string): void {
    if (this.fixed.has(name)) throw new Fault(`${name}: is read only`);
    const before = this.variables.get(name);
    if (before === undefined) return;
    this.variables.delete(name);
    this.count(-before.length - ITEM_BYTES);
  }

  /** Notes what more is kept; refuses more than there may be. */
  count(more: number): void {
    if (more > 0 && this.bytes + more > MEMORY_MOST)
      throw new Fault('variables and functions have more than 128 KB');
    this.bytes += more;
  }

  has(option: string): boolean {
    return this.options.includes(option);
  }
}

/** Where variables are looked up and set. */
export interface Scope {
  readonly state: ShellState;
  readonly line: number;
  /** Sets a variable of the shell that is running. */
  assign(name: string, value: string): void;
}
