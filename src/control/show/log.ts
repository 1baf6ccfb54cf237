// `show log`: the lines of the log that are kept, oldest first.

import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import { DEBUG, ERROR, LEVELS, levelOf } from '../core/log.ts';

/** Who logs: what stands in a level's place is one of these, also if it has said nothing yet. */
const FACILITIES = 'card config console crash dhcp dns lan ntp syslog time update wan'.split(' ');

/** @param first a level; who leaves it out has a facility there */
export function* showLog(context: Context, first: string, others: string[]): Job {
  const { clock, log, output, wallClock } = context;
  const all = log.entries();
  const isFacility = FACILITIES.includes(first) || all.some(({ facility }) => facility === first);
  const level = isFacility ? DEBUG : levelOf(first);
  if (level < ERROR)
    throw new Refusal(`Cannot show the log from ${first} on: it is one of ${LEVELS.join(', ')}`);
  const facilities = isFacility ? [first, ...others] : others;
  const entries = all.filter(
    entry => entry.level <= level && (facilities.length === 0 || facilities.includes(entry.facility)),
  );
  for (const { tick, facility, text } of entries) {
    // Before the time is known, how long ago it was says more than nothing.
    const ago = `${formatTicks(clock.uptime() - tick)} ago`;
    output.line(`${wallClock.text(tick) ?? ago.padStart(12)}  ${facility}: ${text}`);
    yield 0;
  }
  if (all.length === 0) output.line('Nothing has been logged');
  else if (entries.length === 0) output.line('Nothing of that has been logged');
}
