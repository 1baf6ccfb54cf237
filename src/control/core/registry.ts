// Settings as data: each is a `set` command, perhaps an `unset` command, and the lines that bring its present
// value about. `show config` lists the lines of all, in the order in which they were added.
//
// After each change the whole configuration is written to CONFIGURATION_AT in the plane's memory, which
// survives when control is thrown away: a restarted control applies it again. Settings that live in the
// plane's own tables are there still and are not applied. Of a paste it is written now and then, as making all lines
// takes a tenth of a second when they are many: what control loses with its life are the lines of WRITE_TICKS at most.
//
//    0        4
//    | bytes  | lines, each ended by a line feed, ASCII
//
// Not here: the settings themselves (each with its service), keeping them over a power cut (store/).

import { NOW_AT } from '../../base/cells.ts';
import { CONFIGURATION_AT, CONFIGURATION_BYTES, TICKS_PER_SECOND } from '../../base/limits.ts';
import { copy, i32at, puti32 } from '../../base/memory.ts';
import { Application, type Text } from './apply.ts';
import { type Command, type Help, Refusal } from './console/command.ts';
import { type Log, WARNING } from './log.ts';
import type { Machine } from './machine.ts';
import { createMeanings, type Meaning, withoutSecrets } from './meaning.ts';
import { reconcile } from './reconcile.ts';
import type { Setting } from './setting.ts';
import { clearRefused, isOutcome, refusedKey, setOutcome } from './store/refused.ts';
import { putText } from './store/text.ts';

const TEXT_AT = CONFIGURATION_AT + 4;
const TEXT_BYTES = CONFIGURATION_BYTES - 4;
const SET = 'Cannot set ';
/** While more is typed ahead, the lines are written this often. */
const WRITE_TICKS = TICKS_PER_SECOND / 2;

export interface Registry {
  add(...settings: Setting[]): void;
  /** The whole configuration as lines. */
  lines(): string[];
  /** Why a line is no setting, or undefined. What its values are worth is not looked at. */
  refusalOf(line: string): string | undefined;
  /** What a line stands for, however it is written: '' where it is no setting. */
  meaningOf(line: string): Meaning;
  /** Whether it is a line that goes before all others: the password. */
  isFirst(line: string): boolean;
  /** A line as anybody may see it. */
  shown(line: string): string;
  /** Something was changed otherwise than by a command. The configuration will lie in the plane's memory soon. */
  changed(): void;
  /** Writes the configuration to the plane's memory, if it has changed. */
  write(): void;
  /** Whether changes follow each other, as in a paste: then they may wait to be written. */
  isBusy: () => boolean;
  /** Tells of each change from now on. */
  onChange(listener: () => void): void;
  /** Lines are applied that somebody set before: nobody types them. */
  readonly isRestoring: boolean;
  /** Brings about what the lines say, and nothing else, a few at a time; answers a refusal for each that cannot be. */
  reconcile(lines: readonly string[]): Generator<number, string[], void>;
  /** Applies a text's lines on top of the defaults; answers what is to be told of those that were refused. */
  apply(text: Text): Generator<number, string[], void>;
  /** Applies the lines of a text that go before the others, and no more. */
  applyFirst(text: Text): Generator<number, void, void>;
  /** Applies what the plane's memory holds, after a restart of control; answers whether that was all. */
  restore(): Generator<number, boolean, void>;
}

/** @param table the console's commands, to which those of the settings are added. */
export function createRegistry(machine: Machine, log: Log, table: Command[]): Registry {
  const settings: Setting[] = [];
  const meanings = createMeanings();
  const listeners: (() => void)[] = [];
  /** The lines that lie in the plane's memory, and their bytes. */
  let written: string[] = [];
  let writtenBytes = 0;
  let writtenAt = 0;
  let isWaiting = false;
  let isApplying = false;
  /** The lines in the plane's memory are those of a text that was applied, as they were written there. */
  let isRaw = false;

  function change(run: (setting: Setting, args: string[]) => void, setting: Setting, args: string[]): void {
    plain();
    try {
      run(setting, args);
    } catch (error) {
      // Perhaps a part of it was done before.
      if (!(isApplying || isAsWritten())) changed();
      throw error;
    }
    changed();
  }

  function add(...added: Setting[]): void {
    for (const setting of added) {
      settings.push(setting);
      const command = new SetCommand(`set ${setting.words}`, setting, change);
      meanings.add(setting, command);
      table.push(command);
      if (setting.unset !== undefined)
        table.push(new UnsetCommand(`unset ${setting.words}`, setting, change));
    }
  }

  function lines(): string[] {
    return settings.flatMap(setting => setting.lines());
  }

  function isAsWritten(): boolean {
    const all = lines();
    return all.length === written.length && all.every((line, i) => line === written[i]);
  }

  function changed(): void {
    if (isApplying) return;
    isWaiting = true;
    for (const listener of listeners) listener();
    if (!result.isBusy() || ((i32at(NOW_AT) - writtenAt) | 0) >= WRITE_TICKS) write();
  }

  function write(): void {
    if (!isWaiting || isApplying) return;
    isWaiting = false;
    isRaw = false;
    const all = lines();
    const bytes = bytesOf(all);
    if (bytes <= TEXT_BYTES) put(all, bytes);
    else {
      setOutcome(undefined);
      const text = `the settings are longer than ${TEXT_BYTES} characters: a restart forgets some`;
      log(WARNING, 'config', text, true);
    }
    writtenAt = i32at(NOW_AT);
  }

  /** Before a change: the lines of a text are written as they are listed, and what it has come to is known as these. */
  function plain(): void {
    if (!isRaw) return;
    const isSaved = isOutcome(machine, refusedKey());
    isWaiting = true;
    write();
    if (isSaved) setOutcome(machine);
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

  function* applied(text: Text, isRestart: boolean): Generator<number, string[], void> {
    isApplying = true;
    // The text may lie where these did.
    written = [];
    writtenBytes = 0;
    const {
      refusals,
      count,
      lines: all,
      from,
    } = yield* new Application(machine, meanings, text, isRestart).run();
    isApplying = false;
    if (all === undefined) changed();
    else {
      // They may stay as they lie there, even if they are not as lines() has them.
      writtenBytes = bytesOf(all);
      written = all;
      copy(TEXT_AT, from, writtenBytes);
      puti32(CONFIGURATION_AT, writtenBytes);
      isRaw = true;
    }
    write();
    if (!isRestart) setOutcome(machine);
    const more = count - refusals.length;
    return more > 0 ? [...refusals, `${count} lines were not taken: show refused lists them`] : refusals;
  }

  function* applyFirst(text: Text): Generator<number, void, void> {
    const key = machine.plane.crc32(0, text.at, text.bytes);
    isApplying = true;
    yield* new Application(machine, meanings, text, false).password();
    isApplying = false;
    changed();
    write();
    clearRefused(key);
    setOutcome(machine);
  }

  function* whole(wanted: readonly string[]): Generator<number, string[], void> {
    while (isApplying) yield 1;
    plain();
    isApplying = true;
    const refusals = yield* reconcile(settings, meanings, wanted);
    isApplying = false;
    changed();
    return refusals;
  }

  function* restore(): Generator<number, boolean, void> {
    const bytes = i32at(CONFIGURATION_AT);
    if (bytes <= 0 || bytes > TEXT_BYTES) {
      log(WARNING, 'config', 'the settings are lost: control ended while they were written');
      changed();
      return false;
    }
    const refusals = yield* applied({ at: TEXT_AT, bytes }, true);
    for (const refusal of refusals) log(WARNING, 'config', refusal);
    return true;
  }

  const result: Registry = {
    ...{ add, lines, changed, write, applyFirst, restore },
    isBusy: () => false,
    refusalOf: line => {
      const found = meanings.of(line);
      return typeof found === 'string' ? found : undefined;
    },
    meaningOf: line => meanings.of(line, false),
    isFirst: line => {
      const found = meanings.of(line, false);
      return typeof found !== 'string' && found.setting.isFirst === true;
    },
    shown: line => {
      const found = meanings.of(line, false);
      if (typeof found === 'string') return withoutSecrets(line);
      return found.setting.isSecret === true ? `set ${found.setting.words} (not shown)` : line;
    },
    onChange: listener => {
      listeners.push(listener);
    },
    reconcile: whole,
    get isRestoring() {
      return isApplying;
    },
    apply: text => applied(text, false),
  };
  return result;
}

type Change = (run: (setting: Setting, args: string[]) => void, setting: Setting, args: string[]) => void;

/** The command that sets. There are seventy, so what they have in common is a class's, and no closure of each. */
class SetCommand implements Command {
  constructor(
    readonly words: string,
    protected readonly setting: Setting,
    protected readonly change: Change,
  ) {}

  get arguments(): string {
    return this.setting.arguments;
  }

  get help(): Help {
    return this.setting.help;
  }

  run(args: string[]): undefined {
    this.change(set, this.setting, args);
  }
}

/** The command that takes back. */
class UnsetCommand extends SetCommand {
  override get arguments(): string {
    return this.setting.unsetArguments ?? '';
  }

  override get help(): Help {
    return this.setting.unsetHelp ?? `takes back set ${this.setting.words}`;
  }

  override run(args: string[]): undefined {
    this.change(unset, this.setting, args);
  }
}

function set(setting: Setting, args: string[]): void {
  setting.set(args);
}

/** Settings read their arguments by the same functions for both, whose refusals speak of `set`. */
function unset(setting: Setting, args: string[]): void {
  try {
    setting.unset?.(args);
  } catch (error) {
    if (!(error instanceof Refusal) || !error.message.startsWith(SET)) throw error;
    throw new Refusal(`Cannot unset ${error.message.slice(SET.length)}`);
  }
}

function bytesOf(lines: readonly string[]): number {
  let sum = lines.length;
  for (const line of lines) sum += line.length;
  return sum;
}
