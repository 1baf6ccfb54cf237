// `show log`, which is an overlay (show/log.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { LEVELS } from '../core/log.ts';

const CHOICES = LEVELS.join('|');

export function logCommands(context: Context): Command[] {
  return [
    {
      words: 'show log',
      arguments: `[${CHOICES}=debug] [FACILITY:facility...9]`,
      help: 'what the services had to say, of a level and worse, of some facilities',
      run: ([least = 'debug', ...facilities]) =>
        context.machine.overlay('show').showLog(context, least, facilities),
    },
  ];
}
