// `help` and `reboot`.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Command, Job } from '../core/console/command.ts';
import type { LineHelp } from '../core/console/line-help.ts';
import type { Context } from '../core/context.ts';
import { askToLose } from '../core/store/unsaved.ts';

/** The last words get this long to leave the transmit ring: 4,096 bytes at 115200 baud take 355 ms. */
const LAST_WORDS_TICKS = TICKS_PER_SECOND / 2;

function* reboot(context: Context): Job {
  yield* askToLose(context, 'reboot');
  context.output.line('Rebooting');
  yield LAST_WORDS_TICKS;
  context.machine.reset();
}

export function systemCommands(context: Context, tools: () => LineHelp): Command[] {
  return [
    {
      words: 'help',
      arguments: '[COMMAND:command...9]',
      help: 'all commands, or what COMMAND does | set dhcp',
      run: words => tools().help(context.output, words),
    },
    {
      words: 'reboot',
      help: 'starts the board again; asks first if settings are not saved',
      run: () => reboot(context),
    },
  ];
}
