// `show log`, which is an overlay (show/log.ts); `set log console`: which lines are shown as they come.

import { type Command, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { ERROR, LEVELS, type Log, levelOf } from '../core/log.ts';
import type { Setting } from '../core/setting.ts';

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

export function logSetting(log: Log): Setting {
  const standard = log.shown;
  const nameOf = (level: number): string => LEVELS[level - ERROR] as string;
  return {
    words: 'log console',
    arguments: `${CHOICES}=${nameOf(standard)}`,
    help: 'the level from which on the log is shown here as it comes',
    set: ([text = '']) => {
      const level = levelOf(text);
      if (level < ERROR)
        throw new Refusal(`Cannot set log console ${text}: it is one of ${LEVELS.join(', ')}`);
      log.shown = level;
    },
    unset: () => {
      log.shown = standard;
    },
    lines: () => (log.shown === standard ? [] : [`set log console ${nameOf(log.shown)}`]),
  };
}
