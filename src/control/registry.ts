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
import { argumentCount, type Command, type Found, findCommand, Refusal, wordsOf } from './console/command.ts';
import { type Log, WARNING } from './log.ts';
import type { Machine } from './machine.ts';
import { putText, textFrom } from './store/text.ts';

const TEXT_AT = CONFIGURATION_AT + 4;
const TEXT_BYTES = CONFIGURATION_BYTES - 4;
/** Words of the longest command, as in `set dhcp range`. */
const WORDS_MOST = 3;

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
  /**
   * Brings about what the lines say, and nothing else; answers a refusal for each that cannot be. `areWritten` where
   * they lie in the plane's memory already, as changed() would write them.
   */
  become(lines: readonly string[], areWritten?: boolean): string[];
  /** Lines are applied that somebody set before: nobody types them. */
  readonly isRestoring: boolean;
  /** Applies what the plane's memory holds, after a restart of control. */
  restore(): void;
}

/** @param table the console's commands, to which those of the settings are added. */
export function createRegistry(machine: Machine, log: Log, table: Command[]): Registry {
  const settings: Setting[] = [];
  const own: Command[] = [];
  const byWords = new Map<string, Command>();
  const settingOf = new Map<Command, Setting>();
  const counts = new Map<Command, [number, number]>();
  /** What the last line was, as far as it says what the next one is that starts so. */
  let last: { start: string; setting: Setting; counts: [number, number] } | undefined;
  const listeners: (() => void)[] = [];
  const kept = new Set<Command>();
  /** The lines that lie in the plane's memory, and their bytes. */
  let written: string[] = [];
  let writtenBytes = 0;
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
    const all = lines();
    const bytes = bytesOf(all);
    if (bytes <= TEXT_BYTES) put(all, bytes);
    else
      log(WARNING, 'config', `the settings are longer than ${TEXT_BYTES} characters: a restart forgets some`);
    for (const listener of listeners) listener();
  }

  /** Writes the lines between those that have not changed: a character is a thousand instructions. */
  function put(all: string[], bytes: number): void {
    const { memory } = machine;
    let at = TEXT_AT;
    let first = 0;
    while (first < all.length && all[first] === written[first]) at += (all[first++] as string).length + 1;
    let [end, before, tail] = [all.length, written.length, 0];
    while (end > first && before > first && all[end - 1] === written[before - 1]) {
      tail += (all[--end] as string).length + 1;
      before--;
    }
    puti32(CONFIGURATION_AT, 0);
    memory.copyWithin(TEXT_AT + bytes - tail, TEXT_AT + writtenBytes - tail, TEXT_AT + writtenBytes);
    for (const line of all.slice(first, end)) at += putText(memory, at, `${line}\n`);
    puti32(CONFIGURATION_AT, bytes);
    written = all;
    writtenBytes = bytes;
  }

  /**
   * A configuration line's command. Its words are whole as a rule, and then there is no walk through the commands: of
   * 200 lines it would take two seconds on a 486.
   */
  function find(line: string): Found {
    const words = wordsOf(line);
    let start = words[0] ?? '';
    let known: Command | undefined;
    let depth = 0;
    for (let count = 1; count < words.length && count < WORDS_MOST; count++) {
      start += ` ${words[count]}`;
      const command = byWords.get(start);
      if (command === undefined) continue;
      known = command;
      depth = count + 1;
    }
    if (known === undefined) return findCommand(own, line);
    const [least, most] = countsOf(known);
    const count = words.length - depth;
    if (count < least || count > most) return findCommand([known], line);
    return { command: known, args: words.slice(depth) };
  }

  function countsOf(command: Command): [number, number] {
    let known = counts.get(command);
    if (known === undefined) {
      known = argumentCount(command);
      counts.set(command, known);
    }
    return known;
  }

  function meaning(line: string): Meaning {
    // Many lines have the words of the one before; with so many of them, nothing longer can be meant.
    if (last !== undefined && line.startsWith(last.start)) {
      const args = line.slice(last.start.length).split(' ');
      const [least, most] = last.counts;
      if (args.length >= least && args.length <= most && !args.includes('') && !line.includes('\t'))
        return { setting: last.setting, args };
    }
    const found = find(line);
    if ('refusal' in found) return found.refusal;
    const { command, args } = found;
    const setting = settingOf.get(command);
    if (setting === undefined) return `Cannot apply ${line}: it is no setting`;
    const start = `${command.words} `;
    if (wordsOf(setting.words).length === WORDS_MOST - 1)
      last = { start, setting, counts: countsOf(command) };
    return { setting, args };
  }

  function whole(lines: readonly string[], areWritten = false): string[] {
    // As in restore(): what kills control is not there when control comes back.
    puti32(CONFIGURATION_AT, 0);
    if (areWritten) {
      written = [...lines];
      writtenBytes = bytesOf(lines);
    }
    restoring = true;
    const refusals = become(settings, meaning, lines);
    restoring = false;
    // Lines that were brought about as they lie there may stay, even if they are not as lines() has them.
    if (areWritten && refusals.length === 0) puti32(CONFIGURATION_AT, writtenBytes);
    else changed();
    return refusals;
  }

  function restore(): void {
    const length = i32at(CONFIGURATION_AT);
    if (length <= 0 || length > TEXT_BYTES) {
      log(WARNING, 'config', 'the settings are lost: control ended while they were applied');
      changed();
      return;
    }
    const text = textFrom(machine.memory, TEXT_AT, length);
    // A setting that kills control must not kill it again: until all are applied, there are none.
    puti32(CONFIGURATION_AT, 0);
    restoring = true;
    const all = text.split('\n').filter(line => line !== '');
    for (const line of all) apply(line);
    if (bytesOf(all) === length) {
      written = all;
      writtenBytes = length;
    }
    restoring = false;
    changed();
  }

  function apply(line: string): void {
    const found = find(line);
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
    get isRestoring() {
      return restoring;
    },
    restore,
  };
}

function bytesOf(lines: readonly string[]): number {
  let sum = lines.length;
  for (const line of lines) sum += line.length;
  return sum;
}
