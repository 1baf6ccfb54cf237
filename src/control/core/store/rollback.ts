// `set ... confirm MINUTES`: what was set goes back, with all that was set after it, unless `confirm` is typed in time.
// What was before is a copy of the lines that the registry keeps in the plane's memory, so that it outlives control; the board's
// reset brings back what is saved anyway. Sections' lines are the draft (../sections.ts), and those of settings lie behind
// them, in memory that the heap has lent.
//
//    ROLLBACK_AT  0         4               8
//                 | mark    | tick when     | where the copy of the settings' lines lies: bytes, lines
//
// Timer: from the change on, MINUTES; then registry.reconcile() with the copy.

import { CONFIGURATION_AT, ROLLBACK_AT, TICKS_PER_SECOND } from '../../../base/limits.ts';
import { copy, i32at, puti32 } from '../../../base/memory.ts';
import { runInBackground } from '../background.ts';
import { since, type Timer } from '../clock.ts';
import { CONFIRM, type Command, Refusal, walk, wordsOf } from '../console/command.ts';
import type { Context } from '../context.ts';
import { NOTICE, WARNING } from '../log.ts';
import type { Machine } from '../machine.ts';
import type { Registry } from '../registry.ts';
import type { Sections } from '../sections.ts';
import { textFrom } from './text.ts';

const TICK_AT = ROLLBACK_AT + 4;
const PLACE_AT = ROLLBACK_AT + 8;
/** At ROLLBACK_AT while something waits for `confirm`. */
const MARK = 0x726f6c6c;
const MINUTES_MOST = 1440;
const MINUTE_TICKS = 60 * TICKS_PER_SECOND;

export interface Rollback {
  /**
   * Takes `confirm MINUTES` off the end of a line; what the line then changes goes back. Throws a Refusal where the word
   * stands otherwise in a line that changes settings: as a value it would be set for good. It is called once more, with
   * '', when the line is done: what changes later is not the line's.
   */
  strip(line: string): string;
  /** The board has started, or control alone: then a wait goes on. */
  start(restarted: boolean): void;
  /** What was set stays. Answers whether anything waited. */
  confirm(): boolean;
  /** Minutes until everything goes back, rounded up; undefined if nothing waits. */
  minutesLeft(): number | undefined;
}

/** Where the word is in a line that changes what may go back, and its minutes, which nothing may follow. */
function confirmIn(
  line: string,
  table: readonly Command[],
  sections: Sections,
): { at: number; minutes: number } | undefined {
  const small = line.toLowerCase();
  if (!small.includes(CONFIRM)) return undefined;
  const all = wordsOf(small);
  const place = all.indexOf(CONFIRM);
  const isChange = ({ words }: Command): boolean =>
    words.startsWith('set ') ||
    words.startsWith('unset ') ||
    sections.all[sections.of(words)]?.isConfirmed === true;
  if (place < 0 || !walk(table, wordsOf(line)).candidates.some(isChange)) return undefined;
  const text = all[place + 1] ?? '';
  if (place !== all.length - 2 || !/^\d+$/.test(text))
    throw new Refusal(`Cannot run ${line.trim()}: confirm needs its minutes, 1 to ${MINUTES_MOST}`);
  const minutes = Number(text);
  if (minutes < 1 || minutes > MINUTES_MOST)
    throw new Refusal(`Cannot wait ${text} minutes for confirm: they are 1 to ${MINUTES_MOST}`);
  return { at: small.lastIndexOf(CONFIRM), minutes };
}

/** Copies what is in force, or refuses where there is no room. */
function keepBefore({ isRestoring, sections }: Registry): void {
  const { draft, isDrafting, now } = sections;
  if (isRestoring || isDrafting)
    throw new Refusal(`Cannot wait for ${CONFIRM}: other settings are about to take effect`);
  const bytes = 4 + i32at(CONFIGURATION_AT);
  const place = draft.copyFrom(now, bytes);
  if (place === 0)
    throw new Refusal(`Cannot wait for ${CONFIRM}: control's heap has no room for what was before`);
  copy(place, CONFIGURATION_AT, bytes);
  puti32(PLACE_AT, place);
}

/** The settings' lines of before. */
function linesBefore({ memory }: Machine): string[] {
  const place = i32at(PLACE_AT);
  return textFrom(memory, place + 4, i32at(place))
    .split('\n')
    .filter(line => line !== '');
}

/** Something waits for `confirm`. */
const isArmed = (): boolean => i32at(ROLLBACK_AT) === MARK;

/** @param table the console's commands: the word belongs to those that start with `set` and `unset`. */
export function createRollback(
  { clock, log, machine, registry }: Context,
  table: readonly Command[],
): Rollback {
  let asked: number | undefined;
  /** What was before is copied, for a change that has not come yet. */
  let isCopied = false;
  let timer: Timer | undefined;
  const { sections } = registry;

  registry.isOnTrial = () => asked !== undefined || isArmed();
  registry.onChange(() => {
    if (asked === undefined) return;
    puti32(TICK_AT, (clock.now() + asked * MINUTE_TICKS) | 0);
    puti32(ROLLBACK_AT, MARK);
    asked = undefined;
    isCopied = false;
    wait();
  });

  function wait(): void {
    if (timer !== undefined) clock.cancel(timer);
    timer = clock.after(Math.max(0, since(i32at(TICK_AT), clock.now())), goBack);
  }

  function disarm(): void {
    if (timer !== undefined) clock.cancel(timer);
    timer = undefined;
    if (!registry.isRestoring) sections.draft.clear();
    puti32(ROLLBACK_AT, 0);
  }

  /** It stays armed until all is as before: a control that dies meanwhile goes on with it. */
  function goBack(): void {
    timer = undefined;
    runInBackground(clock, registry.reconcileAll(linesBefore(machine), false), refusals => {
      disarm();
      log(NOTICE, 'config', 'the settings are those of before again: nobody typed confirm');
      for (const refusal of refusals) log(WARNING, 'config', refusal);
    });
  }

  return {
    strip: line => {
      asked = undefined;
      if (isCopied) sections.draft.clear();
      isCopied = false;
      const found = confirmIn(line, table, sections);
      if (found === undefined) return line;
      // A second change before the first was confirmed goes back to the same.
      registry.write();
      if (!isArmed()) keepBefore(registry);
      isCopied = !isArmed();
      asked = found.minutes;
      return line.slice(0, found.at).trimEnd();
    },
    start: restarted => {
      if (!restarted) puti32(ROLLBACK_AT, 0);
      else if (isArmed()) wait();
    },
    confirm: () => {
      const was = isArmed();
      disarm();
      return was;
    },
    minutesLeft: () =>
      isArmed() ? Math.max(1, Math.ceil(since(i32at(TICK_AT), clock.now()) / MINUTE_TICKS)) : undefined,
  };
}
