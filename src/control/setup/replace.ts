// All settings at once, or none: what `setup` and `import` end with. Lines that mean nothing are found before anything is
// touched; what only its setting can refuse, beside the others, is taken back with the rest. The plane is told of addresses
// when all is over (HELD_AT), so that what has the same one before and after keeps its sessions, refused or not.
// Not here: the order in which settings are changed (src/control/core/reconcile.ts), where the lines come from.

import { HELD_AT } from '../../base/cells.ts';
import { puti32 } from '../../base/memory.ts';
import { unbroken } from '../core/background.ts';
import type { Context } from '../core/context.ts';

/**
 * Makes the settings these lines and no others, and with `hasDraft` the sections' the draft; answers the refusals, and then
 * nothing has changed.
 */
export function replaceAll(
  context: Context,
  lines: readonly string[],
  hasDraft = false,
): Generator<number, string[], void> {
  return unbroken(context.clock, replace(context, lines, hasDraft));
}

function* replace(
  { machine, registry }: Context,
  lines: readonly string[],
  hasDraft: boolean,
): Generator<number, string[], void> {
  const before = registry.lines();
  puti32(HELD_AT, 1);
  const refusals = yield* hasDraft ? registry.reconcileAll(lines, true) : registry.reconcile(lines);
  if (refusals.length > 0) yield* registry.reconcile(before);
  if (hasDraft) registry.sections.draft.clear();
  puti32(HELD_AT, 0);
  machine.plane.interfacesChanged();
  return refusals;
}
