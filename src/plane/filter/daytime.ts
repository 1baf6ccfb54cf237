// `time`: whether it is the hour, the day of the week or of the month that a rule names. What time it is control has said (WALL_SECONDS_AT);
// as long as it does not know, no such rule applies.
// The calendar: days since 1 March of the year 0, in which leap days come last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").

import { NOW_AT } from '../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { get8, i32at, multiply } from '../../base/memory.ts';
import { TIME_CONTIGUOUS, TIME_LOCAL } from '../../base/rule-record.ts';
import { WALL_SECONDS_AT, WALL_TICK_AT, WALL_ZONE_AT } from '../../base/rule-state.ts';

const DAY_SECONDS: i32 = 86400;
/** A day is 128 times as long, so that unsigned seconds become a number that has no sign. */
const DAY_PARTS: i32 = 675;
const EPOCH_DAYS: i32 = 719468;

/** Unsigned comparison. */
function isLess(a: i32, b: i32): i32 {
  return (a ^ -2147483648) < (b ^ -2147483648) ? 1 : 0;
}

/** Day of the month, 1 to 31, of a day counted from 1970. */
function monthDay(days: i32): i32 {
  const all: i32 = days + EPOCH_DAYS;
  const era: i32 = (all / 146097) | 0;
  const day: i32 = all - multiply(era, 146097);
  const leaps: i32 = day - ((day / 1460) | 0) + ((day / 36524) | 0) - ((day / 146096) | 0);
  const year: i32 = (leaps / 365) | 0;
  const ofYear: i32 = day - (365 * year + ((year / 4) | 0) - ((year / 100) | 0));
  const month: i32 = ((5 * ofYear + 2) / 153) | 0;
  return ofYear - (((153 * month + 2) / 5) | 0) + 1;
}

/** 1 if an OPERATION_TIME holds now. */
export function applyTime(operation: i32): i32 {
  const known: i32 = i32at(WALL_SECONDS_AT);
  if (known === 0) return 0;
  const flags: i32 = get8(operation + 5);
  const passed: i32 = (i32at(NOW_AT) - i32at(WALL_TICK_AT)) | 0;
  let now: i32 = (known + ((passed / TICKS_PER_SECOND) | 0)) | 0;
  if (isLess(now, i32at(operation + 8)) !== 0 || isLess(i32at(operation + 12), now) !== 0) return 0;
  if ((flags & TIME_LOCAL) !== 0) now = (now + i32at(WALL_ZONE_AT)) | 0;
  let days: i32 = ((now >>> 7) / DAY_PARTS) | 0;
  const second: i32 = (now - multiply(days, DAY_SECONDS)) | 0;
  const first: i32 = i32at(operation + 16);
  const last: i32 = i32at(operation + 20);
  if (first < last) {
    if (second < first || second > last) return 0;
  } else {
    if (second < first && second > last) return 0;
    // What goes on after midnight is of the day on which it began.
    if ((flags & TIME_CONTIGUOUS) !== 0 && second <= last) days -= 1;
  }
  // 1 January 1970 was a Thursday; Monday is 1.
  const weekday: i32 = ((days + 3) % 7) + 1;
  if ((get8(operation + 4) & (1 << weekday)) === 0) return 0;
  return (i32at(operation + 24) & (1 << monthDay(days))) !== 0 ? 1 : 0;
}
