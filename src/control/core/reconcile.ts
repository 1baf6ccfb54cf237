// From the settings in force to those of another configuration: what differs is taken back, from the last setting to
// the first, then what is missing is set, from the first to the last. What needs another setting stands behind it.
//
// What has one value and gets another is set without taking it back before, so that an address never is the default's
// in between. Where that fails, as when LAN and WAN change places, a second turn takes back all that differs first.
//
// Contract of a setting: `unset` with as many of a line's arguments as it has brings about that lines() has it no more.
// Not here: which settings there are (registry.ts), where configurations come from (store/).

import { NOW_AT } from '../../base/cells.ts';
import { i32at } from '../../base/memory.ts';
import { since } from './clock.ts';
import { Refusal, wordsOf } from './console/command.ts';
import { isSingle, type Meanings } from './meaning.ts';
import type { Setting } from './setting.ts';

/** After so many lines, or ticks, others get a turn: some lines take a third of a second. */
const SLICE_LINES = 16;
const SLICE_TICKS = 4;
/** Lines that mean nothing of which the reason is told. */
const REASONS = 8;

interface Wanted {
  lines: string[];
  args: string[][];
}

/** Brings about what the lines say; answers what could not be, a refusal for each. */
export function* reconcile(
  settings: readonly Setting[],
  meanings: Meanings,
  lines: readonly string[],
): Generator<number, string[], void> {
  const wanted = new Map<Setting, Wanted>();
  const unknown: string[] = [];
  let others = 0;
  const isOver = createSlices();
  for (const line of lines) {
    if (isOver()) yield 0;
    const found = meanings.of(line, unknown.length < REASONS);
    if (typeof found === 'string') {
      if (found === '') others++;
      else unknown.push(found);
      continue;
    }
    const entry = wanted.get(found.setting) ?? { lines: [], args: [] };
    entry.lines.push(line);
    entry.args.push(found.args);
    wanted.set(found.setting, entry);
  }
  if (others > 0) unknown.push(`${others} more lines are no settings`);
  let refusals = yield* turn(settings, wanted, meanings, false);
  if (refusals.length > 0) refusals = yield* turn(settings, wanted, meanings, true);
  return [...unknown, ...refusals];
}

/** Tells before each line whether others are to have a turn. */
function createSlices(): () => boolean {
  let lines = 0;
  let tick = i32at(NOW_AT);
  return () => {
    const isOver = ++lines === SLICE_LINES || since(i32at(NOW_AT), tick) >= SLICE_TICKS;
    if (!isOver) return false;
    lines = 0;
    tick = i32at(NOW_AT);
    return true;
  };
}

function* turn(
  settings: readonly Setting[],
  wanted: Map<Setting, Wanted>,
  meanings: Meanings,
  takesAllBack: boolean,
): Generator<number, string[], void> {
  const refusals: string[] = [];
  const isOver = createSlices();
  const refused = (error: unknown): void => {
    if (!(error instanceof Refusal)) throw error;
    refusals.push(error.message);
  };
  const shared = new Map<Setting, number>();
  for (const setting of [...settings].reverse()) {
    const have = setting.lines();
    const want = wanted.get(setting)?.lines ?? [];
    let same = 0;
    while (same < have.length && have[same] === want[same]) same++;
    shared.set(setting, same);
    const isReplaced = isSingle(setting) && want.length > 0;
    if (isReplaced && !takesAllBack) continue;
    for (const line of have.slice(same).reverse()) {
      if (isOver()) yield 0;
      try {
        const found = meanings.of(line);
        if (typeof found === 'string') throw new Refusal(found);
        const count = isSingle(setting) ? 0 : wordsOf(setting.unsetArguments ?? '').length;
        setting.unset?.(found.args.slice(0, count));
      } catch (error) {
        refused(error);
      }
    }
  }
  for (const setting of settings) {
    const want = wanted.get(setting)?.args ?? [];
    for (const args of want.slice(shared.get(setting))) {
      if (isOver()) yield 0;
      try {
        setting.set(args);
      } catch (error) {
        refused(error);
      }
    }
  }
  return refusals;
}
