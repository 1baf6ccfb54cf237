// What a script has of the board: the console's commands, the tools, files, and who types. Commands are found by whole words, those
// of a line that is typed also by their beginnings.
// Not here: the tools (filters/, programs/).

import {
  argumentCount,
  type Beside,
  type Command,
  findCommand,
  type Job,
  Refusal,
  usage,
} from '../core/console/command.ts';
import { CONTROL_D } from '../core/console/console.ts';
import type { Output } from '../core/console/output.ts';
import type { Context } from '../core/context.ts';
import type { Files } from './files.ts';
import type { Host, Outcome, Tool } from './host.ts';
import { compiled } from './script.ts';
import type { ShellState } from './state.ts';

/** What the shell remembers, and what it has of the console (shell.ts). */
export interface Part {
  state: ShellState | undefined;
  readonly context: Context;
  readonly table: readonly Command[];
  readonly terminal: {
    ask(prompt: string, secret?: boolean, isEndable?: boolean): Generator<number, string, void>;
    readonly damaged: number;
    forget(): number;
    strip: (line: string) => string;
  };
  /** Names that scripts have for links. */
  readonly aliases: ReadonlyMap<string, number>;
  readonly modules: Map<string, string>;
  /** Files of other parts. */
  readonly files: Map<string, () => string>;
}

/** What a command is given. */
interface Given {
  args: string[];
  input: (() => string) | undefined;
  beside: Beside;
}

const FILTERS =
  ' grep egrep fgrep sed awk gawk mawk cut head tail tr wc sort uniq expr tee basename dirname cat seq rev ';
const CONFIRM = 'confirm';

/** The command whose words a line begins with, the longest; and how many they are. */
function commandOf(table: readonly Command[], words: readonly string[]): Command | undefined {
  const line = words.slice(0, 3).join(' ');
  let found: Command | undefined;
  for (let i = 0; i < table.length; i++) {
    const command = table[i] as Command;
    const own = command.words;
    if (!line.startsWith(own) || (found !== undefined && found.words.length >= own.length)) continue;
    if (line.length === own.length || line[own.length] === ' ') found = command;
  }
  return found;
}

/** A word as it would be typed: commands that take blanks in a word take quotes. */
function asTyped(word: string): string {
  if (word !== '' && !/[\s"'\\]/.test(word)) return word;
  return `"${word.replace(/["'\\]/g, '\\$&')}"`;
}

export class ConsoleHost implements Host {
  private tree: Files | undefined;

  constructor(
    private readonly part: Part,
    private readonly state: ShellState,
    private readonly isScript: boolean,
    /** Gets what is said where nobody is at the console. */
    private readonly say?: (text: string) => void,
  ) {}

  get output(): Output {
    const { output } = this.part.context;
    const { say } = this;
    return say === undefined ? output : { ...output, line: say, write: say };
  }

  get files(): Files {
    const { context } = this.part;
    const set = (words: readonly string[]): void => {
      const outcome = this.run(words);
      // Settings are in force at once; what takes longer has no place in the end of a redirection.
      if (typeof outcome !== 'number') while (outcome.next().done !== true);
    };
    this.tree ??= context.machine.overlay('shell/programs').filesOf(context, this.state, this.part, set);
    return this.tree;
  }

  tool(name: string): Tool | undefined {
    const { context } = this.part;
    if (FILTERS.includes(` ${name} `)) return context.machine.overlay('shell/filters').filters[name];
    // A command of the console is that, and needs no part to be loaded.
    if (commandOf(this.part.table, [name]) !== undefined) return undefined;
    const given = { files: this.files, run: (words: readonly string[]) => this.run(words) };
    return context.machine.overlay('shell/programs').programOf(context, this.state, this.part, name, given);
  }

  /** Runs a line of the console for a program. */
  private run(words: readonly string[]): Outcome {
    const outcome = this.command(words);
    if (outcome === undefined)
      throw new Refusal(`Cannot run ${words.join(' ')}: there is no such command here`);
    return outcome;
  }

  whyNone(name: string): string {
    return this.part.context.machine.overlay('shell/programs').whyNone(name);
  }

  *ask(prompt: string): Generator<number, string | undefined, void> {
    if (this.say !== undefined) return undefined;
    const line = yield* this.part.terminal.ask(prompt, false, true);
    return line === CONTROL_D ? undefined : line;
  }

  compile(text: string): ReturnType<typeof compiled> {
    return compiled(text);
  }

  command(
    words: readonly string[],
    input?: () => string,
    say?: (text: string) => void,
    complain?: (text: string) => void,
  ): Outcome | undefined {
    const { table, terminal } = this.part;
    let own = words;
    let command = commandOf(table, words);
    if (command === undefined && !this.isScript) {
      const found = findCommand(table, words.join(' '));
      if ('refusal' in found) return undefined;
      command = found.command;
    }
    if (command === undefined) return undefined;
    const place = own.length - 2;
    const isConfirmed = place > 0 && own[place] === CONFIRM;
    if (isConfirmed) {
      // Who keeps what was before takes the word off where it is his.
      const line = own.join(' ');
      if (terminal.strip(line) !== line) own = own.slice(0, -2);
    }
    const args = own.slice(command.words.split(' ').length);
    const [least, most] = argumentCount(command);
    if (args.length < least || args.length > most)
      throw new Refusal(`Cannot run ${words.join(' ')}: the form is ${usage(command)}`);
    const beside = { complain: complain ?? (text => this.aside(text)), canAsk: this.say === undefined };
    return this.start(command, { args: args.map(asTyped), input, beside }, say ?? this.say);
  }

  /** Says a line at once, wherever a command's output goes. */
  private aside(text: string): void {
    const { output } = this;
    const before = output.divert(this.say);
    try {
      output.line(text);
    } finally {
      output.divert(before);
    }
  }

  /** Runs a command; what it prints goes where the script's output goes. */
  private *start(
    command: Command,
    { args, beside, input }: Given,
    say?: (text: string) => void,
  ): Generator<number, number, void> {
    const { output } = this;
    const taker = say === undefined ? undefined : (text: string) => say(text.replaceAll('\r', ''));
    const diverted = <T>(act: () => T): T => {
      const before = output.divert(taker);
      try {
        return act();
      } finally {
        output.divert(before);
      }
    };
    try {
      const job: Job | undefined = diverted(() => command.run(args, input, beside));
      if (job === undefined) return 0;
      try {
        for (;;) {
          const result = diverted(() => job.next());
          if (result.done === true) return 0;
          yield result.value;
        }
      } finally {
        job.return();
      }
    } finally {
      this.part.terminal.strip('');
    }
  }
}
