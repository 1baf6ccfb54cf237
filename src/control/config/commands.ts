// Commands of the configuration as a whole: show config, export, save, revert, confirm, reset factory.
// Not here: single settings (each with its service), where it is kept (core/store/), the listings (show/config.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { unbroken } from '../core/background.ts';
import { type Command, type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { whyUnsaved } from '../core/disk.ts';
import { WARNING } from '../core/log.ts';
import { refusedKey, setOutcome } from '../core/store/refused.ts';
import type { Rollback } from '../core/store/rollback.ts';
import type { Saved, Store } from '../core/store/store-types.ts';
import { outcome } from '../core/store/tasks.ts';

/** Time to press ^C before everything is erased. */
const REGRET_SECONDS = 5;
/** The last words get this long to leave the transmit ring. */
const LAST_WORDS_TICKS = TICKS_PER_SECOND / 2;

/** Refuses what needs a place for settings when there is none. */
function needPlace(context: Context, what: string): void {
  const why = whyUnsaved(context);
  if (why !== undefined) throw new Refusal(`Cannot ${what}: ${why}`);
}

function* save(context: Context, store: Store): Job {
  const why = yield* outcome(store.save());
  if (why !== undefined) throw new Refusal(`Cannot save: ${why}`);
  context.output.line('Saved');
}

function* revert(context: Context, store: Store, rollback: Rollback): Job {
  const { registry } = context;
  while (registry.isRestoring) yield 1;
  // What is saved takes the place of what waits for it.
  rollback.confirm();
  const saved: Saved = !store.hasSettings
    ? { bytes: undefined, key: 0, lines: undefined, isSameSections: false, problems: [] }
    : yield* outcome(store.loadAll());
  if (!store.hasSettings) registry.sections.draft.clear();
  for (const problem of saved.problems) context.output.line(problem);
  if (saved.isCut === true) {
    registry.sections.draft.clear();
    throw new Refusal("Cannot revert: control's heap has no room for the saved lines");
  }
  const refusals = yield* unbroken(context.clock, registry.reconcileAll(saved.lines ?? [], false));
  registry.write();
  registry.sections.draft.clear();
  if (saved.key === refusedKey()) setOutcome(context.machine);
  for (const refusal of refusals) context.log(WARNING, 'config', refusal, true);
  const what = saved.lines === undefined ? 'nothing is saved, the settings are the defaults' : 'as saved';
  context.output.line(`Reverted: ${what}`);
}

function* resetFactory(context: Context, store: Store): Job {
  const why = whyUnsaved(context);
  if (why !== undefined && context.unread !== undefined)
    throw new Refusal(`Cannot erase the settings: ${why}`);
  context.output.line(`All settings and leases are erased in ${REGRET_SECONDS} s; ^C stops it`);
  yield REGRET_SECONDS * TICKS_PER_SECOND;
  if (why === undefined) {
    const cause = yield* outcome(store.erase());
    if (cause !== undefined) throw new Refusal(`Cannot erase the settings: ${cause}`);
  }
  context.output.line('Rebooting');
  yield LAST_WORDS_TICKS;
  context.machine.reset();
}

export function configCommands(context: Context, store: Store, rollback: Rollback): Command[] {
  const refuseWaiting = (what: string): void => {
    const minutes = rollback.minutesLeft();
    if (minutes !== undefined)
      throw new Refusal(`Cannot ${what}: the settings go back in ${minutes} min; type confirm first`);
  };
  return [
    {
      words: 'show config',
      help: 'the settings as commands; + is not saved yet, - is saved and not set any more',
      run: () => context.machine.overlay('show').showConfig(context, store),
    },
    {
      words: 'show refused',
      help: 'the saved lines that were not taken when the board started',
      run: () => context.machine.overlay('status').showRefused(context, store),
    },
    {
      words: 'export',
      arguments: '[secrets]',
      help: 'the settings, to be pasted into another board; the password only with secrets',
      run: ([word]) => {
        if (word !== undefined && word !== 'secrets')
          throw new Refusal(`Cannot export ${word}: it is secrets, or nothing`);
        return context.machine.overlay('show').exportConfig(context, word !== undefined);
      },
    },
    {
      words: 'save',
      help: 'keeps the settings over a power cut',
      run: () => {
        needPlace(context, 'save');
        refuseWaiting('save');
        return save(context, store);
      },
    },
    {
      words: 'revert',
      help: 'goes back to the saved settings, or to the defaults if nothing is saved',
      run: () => revert(context, store, rollback),
    },
    {
      words: 'import',
      arguments: '[LINES:integer(0..99999)] [CRC:hex]',
      help: 'takes lines up to `end`, and makes the settings equal to them, all or none',
      run: args => {
        refuseWaiting('import');
        return context.machine.overlay('setup').importLines(context, args);
      },
    },
    {
      words: 'confirm',
      help: 'lets stay what was set with `... confirm MINUTES`, which goes back otherwise',
      run: () => {
        if (!rollback.confirm()) throw new Refusal('Cannot confirm: nothing waits for it');
        return undefined;
      },
    },
    {
      words: 'reset factory',
      help: 'erases all settings, leases and crash records, and starts the board again',
      run: () => resetFactory(context, store),
    },
  ];
}
