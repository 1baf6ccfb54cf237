// Whether what is set is saved: for who is about to lose it.

import { Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import type { Machine } from '../machine.ts';
import { isOutcome } from './refused.ts';
import type { Saved } from './store-types.ts';

/** Lines of a board on which nothing is set. */
const USUAL = new Set(['set nat profile rfc', 'set nat filter address', 'set engine native']);
/** A disk that does not answer in this time is not waited for. */
const LOOK_TICKS = 500;

/** What of the settings is in force, or a text why that cannot be told. */
export type Kept = 'saved' | 'not saved' | 'not saved, as there is no disk' | 'perhaps not saved';

/** Whether what is in force is what the saved text came to when it was applied, however it is written. */
export function isAsSaved(machine: Machine, saved: Saved | undefined): boolean {
  return saved?.bytes !== undefined && isOutcome(machine, saved.key);
}

/** Compares what is in force with what is saved. */
export function* keptNow({ machine, registry, store }: Context): Generator<number, Kept, void> {
  const own = registry.lines().filter(line => !USUAL.has(line));
  if (store?.hasSettings !== true)
    return own.length === 0 && registry.sections.now.bytes === 0 ? 'saved' : 'not saved, as there is no disk';
  registry.write();
  const task = store.load();
  for (let ticks = 0; !task.done; ticks++) {
    if (ticks === LOOK_TICKS) return 'perhaps not saved';
    yield 1;
  }
  if (isAsSaved(machine, task.value)) return 'saved';
  if (task.value?.isSameSections !== true) return 'not saved';
  const saved = new Set((task.value.lines ?? []).filter(line => !USUAL.has(line)));
  const isSame = own.length === saved.size && own.every(line => saved.has(line));
  return isSame ? 'saved' : 'not saved';
}

/** Before a reset: who has settings that are not saved may have forgotten it, and is asked. Throws a Refusal. */
export function* askToLose(context: Context, action: string): Generator<number, void, void> {
  const kept = yield* keptNow(context);
  if (kept === 'saved' || context.ask === undefined) return;
  context.output.line(`The settings are ${kept}`);
  const answer = yield* context.ask(
    `${action.charAt(0).toUpperCase()}${action.slice(1)} all the same: yes or no [no]: `,
  );
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new Refusal(`Cannot ${action}: it was not confirmed`);
}
