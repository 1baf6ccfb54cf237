// A console that is locked: the settings that are saved could not be read, and nobody knows whether a password is among
// them. No answer lets anybody in, and a password is not asked for, as it would be typed for nothing; what remains is what
// remains without a password, erasing all. The disk is tried again every RETRY_SECONDS: settings that are read after all
// are brought about as by `revert`, in safe mode the password alone.
// Not here: waiting for the disk at the start (src/control/core/disk.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { runInBackground } from '../core/background.ts';
import { type Command, type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { searchDisk } from '../core/disk.ts';
import { bootNumber, isSafeMode } from '../core/facts.ts';
import { NOTICE, WARNING } from '../core/log.ts';
import type { Store } from '../core/store/store-types.ts';
import { outcome } from '../core/store/tasks.ts';
import type { Access } from './access.ts';

export const RESET_SECONDS = 60;
export const RESET_WORDS = 'reset factory';
const RETRY_SECONDS = 10;

/** The first start since the power came, a minute ago at most. */
export function hasPowerReturned({ clock }: Context): boolean {
  return bootNumber() <= 1 && clock.uptime() < RESET_SECONDS * TICKS_PER_SECOND;
}

export function* ask(context: Context, prompt: string): Generator<number, string, void> {
  if (context.ask === undefined) throw new Refusal('Cannot ask: there is no console');
  return yield* context.ask(prompt, true);
}

/** Takes nothing but what erases, until the settings have been read. */
export function* locked(context: Context, access: Access, table: readonly Command[]): Job {
  const { output } = context;
  if (context.unread?.isTriedAgain === true && !access.isRecovering) {
    access.isRecovering = true;
    runInBackground(context.clock, recover(context), () => {
      access.isRecovering = false;
      access.unlock();
    });
  }
  while (context.unread !== undefined) {
    output.line(`Locked: ${context.unread.why}, and a password may be among them`);
    output.line(
      hasPowerReturned(context)
        ? `For ${RESET_SECONDS} s after power-on ${RESET_WORDS} forgets all settings`
        : `Switch the board off and on; it tries again, and ${RESET_WORDS} forgets all settings`,
    );
    const answer = yield* ask(context, 'Locked: ');
    if (answer === RESET_WORDS && hasPowerReturned(context)) {
      const reset = table.find(({ words }) => words === RESET_WORDS)?.run([]);
      if (reset !== undefined) yield* reset;
    }
    yield TICKS_PER_SECOND;
  }
}

/** Reads what is saved, until that is done or it is known that nothing is. */
function* recover(context: Context): Job {
  const { log, registry } = context;
  const store = context.store as Store;
  for (;;) {
    yield RETRY_SECONDS * TICKS_PER_SECOND;
    if (context.disk === undefined) {
      if (yield* searchDisk(context)) continue;
      if (context.disk !== undefined) yield* store.open(context.disk, 'nothing');
      else if (!store.hasSettings) return;
    }
    const isSafe = isSafeMode();
    const { bytes, isCut, lines = [], problems } = yield* outcome(isSafe ? store.load() : store.loadAll());
    if (isCut === true || (bytes === undefined && problems.length > 0)) continue;
    const refusals = yield* isSafe
      ? registry.reconcile(lines.filter(registry.isFirst))
      : registry.reconcileAll(lines, false);
    registry.sections.draft.clear();
    log(NOTICE, 'config', 'the saved settings have been read, and are in force');
    for (const refusal of refusals) log(WARNING, 'config', refusal);
    return;
  }
}
