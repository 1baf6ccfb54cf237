// `help` and `reboot`.

import { TICKS_PER_SECOND } from '../../plane/limits.ts';
import { type Command, type Job, Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import type { Tools } from '../schema/tools.ts';
import { keptNow } from '../store/unsaved.ts';

/** The last words get this long to leave the transmit ring: 4,096 bytes at 115200 baud take 355 ms. */
const LAST_WORDS_TICKS = TICKS_PER_SECOND / 2;

/** Whoever reboots with settings that are not saved may have forgotten it. */
function* reboot(context: Context): Job {
  const kept = yield* keptNow(context);
  if (kept !== 'saved' && context.ask !== undefined) {
    context.output.line(`The settings are ${kept}`);
    const answer = yield* context.ask('Reboot all the same: yes or no [no]: ');
    if (!/^\s*y(es)?\s*$/i.test(answer)) throw new Refusal('Cannot reboot: it was not confirmed');
  }
  context.output.line('Rebooting');
  yield LAST_WORDS_TICKS;
  context.machine.reset();
}

export function systemCommands(context: Context, tools: () => Tools): Command[] {
  return [
    {
      words: 'help',
      arguments: '[COMMAND:command...9]',
      help: 'all commands, or what COMMAND does',
      run: words => tools().help(context.output, words),
    },
    {
      words: 'reboot',
      help: 'starts the board again; asks first if settings are not saved',
      run: () => reboot(context),
    },
  ];
}
