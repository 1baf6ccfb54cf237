// `show log`: the lines of the log that are kept, oldest first.

import { since } from '../clock.ts';
import type { Command, Job } from '../console/command.ts';
import type { Context } from '../context.ts';
import { formatTicks } from '../masquerade-view.ts';

function* showLog(context: Context): Job {
  const { clock, log, output, time } = context;
  const entries = log.entries();
  for (const { tick, facility, text } of entries) {
    // Before the time is known, how long ago it was says more than nothing.
    const ago = `${formatTicks(Math.max(0, since(clock.now(), tick)))} ago`;
    output.line(`${time?.wallClock.text(tick) ?? ago.padStart(12)}  ${facility}: ${text}`);
    yield 0;
  }
  if (entries.length === 0) output.line('Nothing has been logged');
}

export function logCommands(context: Context): Command[] {
  return [{ words: 'show log', help: 'what the services had to say', run: () => showLog(context) }];
}
