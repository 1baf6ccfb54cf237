// `show log`: the lines of the log that are kept, oldest first; `set log console`: which are shown as they come.

import { type Command, type Job, Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { ERROR, LEVELS, type Log } from '../log.ts';
import { formatTicks } from '../masquerade-view.ts';
import type { Setting } from '../registry.ts';

const CHOICES = LEVELS.join('|');

function levelOf(text: string): number {
  return ERROR + LEVELS.indexOf(text);
}

function* showLog(context: Context, least: string, facilities: string[]): Job {
  const level = levelOf(least);
  if (level < ERROR)
    throw new Refusal(`Cannot show the log from ${least} on: it is one of ${LEVELS.join(', ')}`);
  const { clock, log, output, time } = context;
  const all = log.entries();
  const entries = all.filter(
    entry => entry.level <= level && (facilities.length === 0 || facilities.includes(entry.facility)),
  );
  for (const { tick, facility, text } of entries) {
    // Before the time is known, how long ago it was says more than nothing.
    const ago = `${formatTicks(clock.uptime() - tick)} ago`;
    output.line(`${time?.wallClock.text(tick) ?? ago.padStart(12)}  ${facility}: ${text}`);
    yield 0;
  }
  if (all.length === 0) output.line('Nothing has been logged');
  else if (entries.length === 0) output.line('Nothing of that has been logged');
}

export function logCommands(context: Context): Command[] {
  return [
    {
      words: 'show log',
      arguments: `[${CHOICES}=debug] [FACILITY:facility...9]`,
      help: 'what the services had to say, of a level and worse, of some facilities',
      run: ([least = 'debug', ...facilities]) => showLog(context, least, facilities),
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
