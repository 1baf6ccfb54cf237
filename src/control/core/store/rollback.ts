// `set ... confirm MINUTES`: what was set goes back, with all that was set after it, unless `confirm` is typed in time.
// The settings of before are a copy of the text that the registry keeps in the plane's memory (CONFIGURATION_AT), and
// lie beside it (ROLLBACK_AT), so that they outlive control; the board's reset brings back what is saved anyway.
//
//    ROLLBACK_AT  0         4               64
//                 | mark    | tick when     | bytes, lines ...
//
// Timer: from the change on, MINUTES; then registry.reconcile() with the copy.

import {
  CONFIGURATION_AT,
  CONFIGURATION_BYTES,
  ROLLBACK_AT,
  TICKS_PER_SECOND,
} from '../../../base/limits.ts';
import { copy, i32at, puti32 } from '../../../base/memory.ts';
import { runInBackground } from '../background.ts';
import { since, type Timer } from '../clock.ts';
import { CONFIRM, type Command, Refusal, walk, wordsOf } from '../console/command.ts';
import type { Context } from '../context.ts';
import { NOTICE, WARNING } from '../log.ts';
import { textFrom } from './text.ts';

const TICK_AT = ROLLBACK_AT + 4;
const COPY_AT = ROLLBACK_AT + 64;
/** At ROLLBACK_AT while something waits for `confirm`. */
const MARK = 0x726f6c6c;
const MINUTES_MOST = 1440;
const MINUTE_TICKS = 60 * TICKS_PER_SECOND;

const isChange = ({ words }: Command): boolean => words.startsWith('set ') || words.startsWith('unset ');

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

/** @param table the console's commands: the word belongs to those that start with `set` and `unset`. */
export function createRollback(
  { clock, log, machine, registry }: Context,
  table: readonly Command[],
): Rollback {
  let asked: number | undefined;
  let timer: Timer | undefined;

  const isArmed = (): boolean => i32at(ROLLBACK_AT) === MARK;

  registry.onChange(() => {
    if (asked === undefined) return;
    puti32(TICK_AT, (clock.now() + asked * MINUTE_TICKS) | 0);
    puti32(ROLLBACK_AT, MARK);
    asked = undefined;
    wait();
  });

  function wait(): void {
    if (timer !== undefined) clock.cancel(timer);
    timer = clock.after(Math.max(0, since(i32at(TICK_AT), clock.now())), goBack);
  }

  function disarm(): void {
    if (timer !== undefined) clock.cancel(timer);
    timer = undefined;
    puti32(ROLLBACK_AT, 0);
  }

  /** It stays armed until all is as before: a control that dies meanwhile goes on with it. */
  function goBack(): void {
    timer = undefined;
    const text = textFrom(machine.memory, COPY_AT + 4, i32at(COPY_AT));
    const lines = text.split('\n').filter(line => line !== '');
    runInBackground(clock, registry.reconcile(lines), refusals => {
      disarm();
      log(NOTICE, 'config', 'the settings are those of before again: nobody typed confirm');
      for (const refusal of refusals) log(WARNING, 'config', refusal);
    });
  }

  return {
    strip: line => {
      asked = undefined;
      const small = line.toLowerCase();
      if (!small.includes(CONFIRM)) return line;
      const words = wordsOf(small);
      const place = words.indexOf(CONFIRM);
      if (place < 0 || !walk(table, wordsOf(line)).candidates.some(isChange)) return line;
      const text = words[place + 1] ?? '';
      if (place !== words.length - 2 || !/^\d+$/.test(text))
        throw new Refusal(`Cannot run ${line.trim()}: confirm needs its minutes, 1 to ${MINUTES_MOST}`);
      const minutes = Number(text);
      if (minutes < 1 || minutes > MINUTES_MOST) {
        throw new Refusal(`Cannot wait ${text} minutes for confirm: they are 1 to ${MINUTES_MOST}`);
      }
      asked = minutes;
      // A second change before the first was confirmed goes back to the same.
      registry.write();
      if (!isArmed()) copy(COPY_AT, CONFIGURATION_AT, CONFIGURATION_BYTES);
      return line.slice(0, small.lastIndexOf(CONFIRM)).trimEnd();
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
