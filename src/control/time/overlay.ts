// The overlay `time`: what `show time` prints, and the table of zones' names.

import { dateText } from '../core/civil.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import type { WallClock } from '../core/wall-clock.ts';
import { nextChange } from './next-change.ts';
import type { Ntp } from './ntp.ts';
import * as names from './zone-names.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    time: typeof import('./overlay.ts');
  }
}

/** Put in by the build (image/zone-table.ts). */
declare const MASQBOX_ZONES: string;

export function findZone(name: string): { name: string; text: string } | undefined {
  return names.findZone(MASQBOX_ZONES, name);
}

export function zoneNames(start: string): Iterable<string> {
  return names.zoneNames(MASQBOX_ZONES, start);
}

export function showTime({ clock, output }: Context, wallClock: WallClock, ntp: Ntp): void {
  output.line(wallClock.text() ?? 'The time is not known yet');
  if (wallClock.source !== undefined)
    output.line(`set ${formatTicks(clock.uptime() - wallClock.setAt)} ago by ${wallClock.source}`);
  const { zone } = wallClock;
  const time = wallClock.milliseconds();
  const change = time === undefined ? undefined : nextChange(zone, Math.floor(time / 1000));
  const then = change === undefined ? '' : `, next change: ${changeText(change)}`;
  output.line(`time zone ${zone.text}${then}`);
  const servers = ntp.listing();
  const next = ntp.nextIn();
  const when = next === undefined ? '' : `, asked in ${formatTicks(Math.max(0, next))}`;
  output.line(servers.length === 0 ? 'no NTP server is known' : `NTP servers: ${servers.join(', ')}${when}`);
}

/** "2027-03-28 02:00:00 CET is 03:00:00 CEST". */
function changeText({ at, from, to }: NonNullable<ReturnType<typeof nextChange>>): string {
  const [date, before] = dateText(at + from.offset).split(' ');
  const [, after] = dateText(at + to.offset).split(' ');
  return `${date} ${before} ${from.name} is ${after} ${to.name}`;
}
