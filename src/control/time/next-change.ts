// When a time zone's clocks change next, for people who look whether the rule is the right one.

import { civilOf } from '../core/civil.ts';
import { changeAt, type Local, type Zone } from '../core/timezone.ts';

/** The change after a time, Unix seconds; undefined in a zone without summer time. */
export function nextChange(
  { standard, summer, start, end }: Zone,
  seconds: number,
): { at: number; from: Local; to: Local } | undefined {
  if (summer === undefined || start === undefined || end === undefined) return undefined;
  const { year } = civilOf(seconds + standard.offset);
  const changes = [year - 1, year, year + 1].flatMap(of => [
    { at: changeAt(start, of) - standard.offset, from: standard, to: summer },
    { at: changeAt(end, of) - summer.offset, from: summer, to: standard },
  ]);
  return changes.filter(({ at }) => at > seconds).sort((a, b) => a.at - b.at)[0];
}
