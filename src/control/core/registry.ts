// Settings as data: each is a `set` command, perhaps an `unset` command, and the lines that bring its present
// value about. `show config` lists the lines of all, in the order in which they were added.
//
// After a change the lines are written to the plane's memory (settings-text.ts), which survives when control is thrown away: a
// restarted control applies them again. Settings that live in the plane's own tables are there still and are not applied.
// Of a paste they are written now and then: what control loses with its life are the lines of WRITE_TICKS at most.
// What has an order lies there as it is set, and is another's to keep (sections.ts).
//
// Not here: the settings themselves (each with its service), keeping them over a power cut (store/).

import { NOW_AT } from '../../base/cells.ts';
import { CONFIGURATION_AT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { Application } from './apply.ts';
import { type Command, type Help, Refusal } from './console/command.ts';
import { type Log, WARNING } from './log.ts';
import type { Machine } from './machine.ts';
import { createMeanings, type Meaning, withoutSecrets } from './meaning.ts';
import { reconcile } from './reconcile.ts';
import type { Section } from './section.ts';
import { Sections } from './sections.ts';
import type { Setting } from './setting.ts';
import { SettingsText, TEXT_AT, TEXT_BYTES } from './settings-text.ts';
import { clearRefused, isOutcome, refusedKey, setOutcome } from './store/refused.ts';
import { crcOf, type Text } from './store/text.ts';

const SET = 'Cannot set ';
/** The first word of settings of which others may depend. */
const WIDE = 'lan ';
/** While more is typed ahead, the lines are written this often. */
const WRITE_TICKS = TICKS_PER_SECOND / 2;

export interface Registry {
  add(...settings: Setting[]): void;
  /** The settings as lines. */
  lines(): string[];
  /** What else there is: lines that have an order. */
  readonly sections: Sections;
  /** Why a line is no setting, or undefined. What its values are worth is not looked at. */
  refusalOf(line: string): string | undefined;
  /** What a line stands for, however it is written: '' where it is no setting. */
  meaningOf(line: string): Meaning;
  /** Whether it is a line that goes before all others: the password. */
  isFirst(line: string): boolean;
  /** A line as anybody may see it. */
  shown(line: string): string;
  /**
   * Something was changed otherwise than by a command of a setting: all settings perhaps, or a section, whose lines are in
   * memory already. The settings will lie there soon.
   */
  changed(what?: Section): void;
  /** Writes the configuration to the plane's memory, if it has changed. */
  write(): void;
  /** Whether changes follow each other, as in a paste: then they may wait to be written. */
  isBusy: () => boolean;
  /** Whether what is changed now goes back by itself unless it is confirmed (store/rollback.ts). */
  isOnTrial: () => boolean;
  /** Tells of each change from now on. */
  onChange(listener: () => void): void;
  /** Lines are applied that somebody set before: nobody types them. */
  readonly isRestoring: boolean;
  /** Brings about what the settings' lines say, and nothing else, a few at a time; answers a refusal for each that cannot be. */
  reconcile(lines: readonly string[]): Generator<number, string[], void>;
  /** The same with the sections' draft. With `isWhole` that is left alone where a setting was refused. */
  reconcileAll(lines: readonly string[], isWhole: boolean): Generator<number, string[], void>;
  /** Applies a text's lines on top of the defaults; answers what is to be told of those that were refused. */
  apply(text: Text): Generator<number, string[], void>;
  /** Applies the lines of a text that go before the others, and no more. */
  applyFirst(text: Text): Generator<number, void, void>;
  /** Applies what the plane's memory holds, after a restart of control; answers whether that was all. */
  restore(): Generator<number, boolean, void>;
}

/** @param table the console's commands, to which those of the settings are added. */
export function createRegistry(machine: Machine, log: Log, table: Command[]): Registry {
  const written = new SettingsText(machine.memory);
  const { settings } = written;
  const meanings = createMeanings();
  const sections = new Sections(machine);
  const listeners: (() => void)[] = [];
  let writtenAt = 0;
  let isWaiting = false;
  let isApplying = false;

  function change(run: (setting: Setting, args: string[]) => void, setting: Setting, args: string[]): void {
    plain();
    try {
      run(setting, args);
    } catch (error) {
      // Perhaps a part of it was done before.
      if (!(isApplying || written.isAsWritten())) changed();
      throw error;
    }
    changedBy(setting);
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

  /** Those that a change of one may have changed: who shares its first word. The LAN's address takes others along. */
  function touched(setting: Setting): Setting[] {
    return setting.words.startsWith(WIDE) ? settings : meanings.fellows(setting);
  }

  function changedBy(setting: Setting): void {
    if (isApplying) return;
    written.mark(touched(setting));
    tell();
  }

  function changed(what?: Section): void {
    if (isApplying) return;
    if (what === undefined) written.mark();
    tell();
  }

  function tell(): void {
    isWaiting = true;
    for (const listener of listeners) listener();
    if (!result.isBusy() || ((i32at(NOW_AT) - writtenAt) | 0) >= WRITE_TICKS) write();
  }

  function write(): void {
    if (!isWaiting || isApplying) return;
    isWaiting = false;
    if (!written.write()) {
      setOutcome(undefined);
      const text = `the settings are longer than ${TEXT_BYTES} characters: a restart forgets some`;
      log(WARNING, 'config', text, true);
    }
    writtenAt = i32at(NOW_AT);
  }

  /** Before a change: the lines of a text are written as they are listed, and what it has come to is known as these. */
  function plain(): void {
    if (!written.isRaw) return;
    const isSaved = isOutcome(machine, refusedKey());
    isWaiting = true;
    written.mark();
    write();
    if (isSaved) setOutcome(machine);
  }

  function* applied(text: Text, isRestart: boolean): Generator<number, string[], void> {
    isApplying = true;
    if (!isRestart) sections.reset();
    // The text may lie where these did.
    written.forget();
    const application = new Application(machine, meanings, sections, text, isRestart);
    const { refusals, count, lines, from } = yield* application.run();
    isApplying = false;
    if (lines === undefined || !written.adopt(lines, from)) changed();
    write();
    if (!isRestart) setOutcome(machine);
    const more = count - refusals.length;
    return more > 0 ? [...refusals, `${count} lines were not taken: show refused lists them`] : refusals;
  }

  function* applyFirst(text: Text): Generator<number, void, void> {
    const key = crcOf(machine.plane, 0, text.at, text.bytes);
    isApplying = true;
    sections.reset();
    yield* new Application(machine, meanings, sections, text, false).password();
    isApplying = false;
    changed();
    write();
    clearRefused(key);
    setOutcome(machine);
  }

  function* whole(
    wanted: readonly string[],
    draft: 'no' | 'too' | 'whole',
  ): Generator<number, string[], void> {
    while (isApplying) yield 1;
    plain();
    isApplying = true;
    const refusals = yield* reconcile(settings, meanings, wanted);
    // QuickJS cannot compile a yield in the head of a loop.
    if (draft === 'too' || (draft === 'whole' && refusals.length === 0)) {
      const more = yield* sections.bringAbout();
      refusals.push(...more);
    }
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
    isApplying = true;
    if (sections.isBroken)
      log(WARNING, 'config', 'the lines of sections are lost: control ended while they were moved');
    const more = yield* sections.takeAgain();
    refusals.push(...more);
    isApplying = false;
    for (const refusal of refusals) log(WARNING, 'config', refusal);
    return true;
  }

  const result: Registry = {
    ...{ add, sections, changed, write, applyFirst, restore },
    lines: () => written.lines(),
    isBusy: () => false,
    isOnTrial: () => false,
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
    reconcile: wanted => whole(wanted, 'no'),
    reconcileAll: (wanted, isWhole) => whole(wanted, isWhole ? 'whole' : 'too'),
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
