// Settings as data: each is a `set` command, perhaps an `unset` command, and the lines that bring its present
// value about. `show config` lists the lines of all, in the order in which they were added.
//
// After each change the whole configuration is written to CONFIGURATION_AT in the plane's memory, which
// survives when control is thrown away: a restarted control applies it again. Settings that live in the
// plane's own tables are there still and are not applied.
//
//    0        4
//    | bytes  | lines, each ended by a line feed, ASCII
//
// Not here: the settings themselves (each with its service), keeping them over a power cut (store/).

import { CONFIGURATION_AT, CONFIGURATION_BYTES } from '../plane/limits.ts';
import { i32at, puti32 } from '../plane/memory.ts';
import { become, type Meaning } from './become.ts';
import { type Command, findCommand, Refusal, wordsOf } from './console/command.ts';
import { type Log, WARNING } from './log.ts';
import type { Machine } from './machine.ts';

const TEXT_AT = CONFIGURATION_AT + 4;
const TEXT_BYTES = CONFIGURATION_BYTES - 4;
/** Words of the longest command: `set dhcp range` has three. */
const WORDS_MOST = 4;

export interface Setting {
  /** What stands behind `set`, as in `dhcp range`. */
  words: string;
  /** The form of the arguments (console/command.ts). */
  arguments: string;
  help: string;
  /** Sets it; throws a Refusal. */
  set(args: string[]): void;
  /** Puts it back to what it is without a setting; throws a Refusal. */
  unset?(args: string[]): void;
  /** The form of the arguments of `unset`; none when left out. */
  unsetArguments?: string;
  /** What `unset` does, for the help. */
  unsetHelp?: string;
  /** Configuration lines, "set dhcp range A B": zero or more, what differs from the default. */
  lines(): string[];
  /** It lives in the plane's tables and outlives control. */
  inPlane?: boolean;
}

export interface Registry {
  add(...settings: Setting[]): void;
  /** The whole configuration as lines. */
  lines(): string[];
  /** Something was changed otherwise than by a command: writes the configuration to the plane's memory. */
  changed(): void;
  /** Tells of each change from now on. */
  onChange(listener: () => void): void;
  /** Brings about what the lines say, and nothing else; answers a refusal for each that cannot be. */
  become(lines: readonly string[]): string[];
  /** Applies what the plane's memory holds, after a restart of control. */
  restore(): void;
}

/** @param table the console's commands, to which those of the settings are added. */
export function createRegistry(machine: Machine, log: Log, table: Command[]): Registry {
  const settings: Setting[] = [];
  const own: Command[] = [];
  const byWords = new Map<string, Command>();
  const settingOf = new Map<Command, Setting>();
  const listeners: (() => void)[] = [];
  const kept = new Set<Command>();
  let restoring = false;

  function command(words: string, help: string, form: string, run: (args: string[]) => void): Command {
    const entry: Command = {
      words,
      help,
      run: args => {
        run(args);
        changed();
        return undefined;
      },
    };
    if (form !== '') entry.arguments = form;
    return entry;
  }

  function add(...added: Setting[]): void {
    for (const setting of added) {
      settings.push(setting);
      const set = command(`set ${setting.words}`, setting.help, setting.arguments, args => setting.set(args));
      const commands = [set];
      if (setting.unset !== undefined) {
        const help = setting.unsetHelp ?? `takes back set ${setting.words}`;
        commands.push(
          command(`unset ${setting.words}`, help, setting.unsetArguments ?? '', args =>
            setting.unset?.(args),
          ),
        );
      }
      settingOf.set(set, setting);
      byWords.set(set.words, set);
      if (setting.inPlane === true) kept.add(set);
      own.push(...commands);
      table.push(...commands);
    }
  }

  function lines(): string[] {
    return settings.flatMap(setting => setting.lines());
  }

  function changed(): void {
    if (restoring) return;
    const text = lines()
      .map(line => `${line}\n`)
      .join('');
    if (text.length > TEXT_BYTES) {
      log(WARNING, 'config', `the settings are longer than ${TEXT_BYTES} characters: a restart forgets some`);
      return;
    }
    puti32(CONFIGURATION_AT, 0);
    for (let i = 0; i < text.length; i++) machine.memory[TEXT_AT + i] = text.charCodeAt(i);
    puti32(CONFIGURATION_AT, text.length);
    for (const listener of listeners) listener();
  }

  /** What a configuration line means. Its words are whole as a rule, and found without a walk through all commands. */
  function meaning(line: string): Meaning {
    const words = wordsOf(line);
    let candidates = own;
    for (let count = 2; count <= words.length && count <= WORDS_MOST; count++) {
      const command = byWords.get(words.slice(0, count).join(' '));
      if (command !== undefined) candidates = [command];
    }
    const found = findCommand(candidates, line);
    if ('refusal' in found) return found.refusal;
    const setting = settingOf.get(found.command);
    return setting === undefined ? `Cannot apply ${line}: it is no setting` : { setting, args: found.args };
  }

  function whole(lines: readonly string[]): string[] {
    // As in restore(): what kills control is not there when control comes back.
    puti32(CONFIGURATION_AT, 0);
    restoring = true;
    const refusals = become(settings, meaning, lines);
    restoring = false;
    changed();
    return refusals;
  }

  function restore(): void {
    const length = i32at(CONFIGURATION_AT);
    if (length <= 0 || length > TEXT_BYTES) {
      log(WARNING, 'config', 'the settings are lost: control ended while they were applied');
      changed();
      return;
    }
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(machine.memory[TEXT_AT + i] as number);
    // A setting that kills control must not kill it again: until all are applied, there are none.
    puti32(CONFIGURATION_AT, 0);
    restoring = true;
    for (const line of text.split('\n')) if (line !== '') apply(line);
    restoring = false;
    changed();
  }

  function apply(line: string): void {
    const found = findCommand(own, line);
    if ('refusal' in found) {
      log(WARNING, 'config', found.refusal);
      return;
    }
    if (kept.has(found.command)) return;
    try {
      found.command.run(found.args);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log(WARNING, 'config', error.message);
    }
  }

  return {
    add,
    lines,
    changed,
    onChange: listener => {
      listeners.push(listener);
    },
    become: whole,
    restore,
  };
}
