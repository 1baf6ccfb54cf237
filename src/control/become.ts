// From the settings in force to those of another configuration: what differs is taken back, from the last setting to
// the first, then what is missing is set, from the first to the last. What needs another setting stands behind it.
//
// What has one value and gets another is set without taking it back before, so that an address never is the default's
// in between. Where that fails, as when LAN and WAN change places, a second turn takes back all that differs first.
//
// Contract of a setting: `unset` with as many of a line's arguments as it has brings about that lines() has it no more.
// Not here: which settings there are (registry.ts), where configurations come from (store/).

import { Refusal, wordsOf } from './console/command.ts';
import type { Setting } from './registry.ts';

/** A line's setting and its arguments, or why there is none. */
export type Meaning = { setting: Setting; args: string[] } | string;

interface Wanted {
  lines: string[];
  args: string[][];
}

/** Brings about what the lines say; answers what could not be, a refusal for each. */
export function become(
  settings: readonly Setting[],
  meaning: (line: string) => Meaning,
  lines: readonly string[],
): string[] {
  const wanted = new Map<Setting, Wanted>();
  const unknown: string[] = [];
  for (const line of lines) {
    const found = meaning(line);
    if (typeof found === 'string') {
      unknown.push(found);
      continue;
    }
    const entry = wanted.get(found.setting) ?? { lines: [], args: [] };
    entry.lines.push(line);
    entry.args.push(found.args);
    wanted.set(found.setting, entry);
  }
  let refusals = turn(settings, wanted, meaning, false);
  if (refusals.length > 0) refusals = turn(settings, wanted, meaning, true);
  return [...unknown, ...refusals];
}

function turn(
  settings: readonly Setting[],
  wanted: Map<Setting, Wanted>,
  meaning: (line: string) => Meaning,
  takesAllBack: boolean,
): string[] {
  const refusals: string[] = [];
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
    const isReplaced = setting.unsetArguments === undefined && want.length > 0;
    if (isReplaced && !takesAllBack) continue;
    for (const line of have.slice(same).reverse()) {
      try {
        const found = meaning(line);
        if (typeof found === 'string') throw new Refusal(found);
        setting.unset?.(found.args.slice(0, wordsOf(setting.unsetArguments ?? '').length));
      } catch (error) {
        refused(error);
      }
    }
  }
  for (const setting of settings) {
    const want = wanted.get(setting)?.args ?? [];
    for (const args of want.slice(shared.get(setting))) {
      try {
        setting.set(args);
      } catch (error) {
        refused(error);
      }
    }
  }
  return refusals;
}
