// When calls may be made: times of the day, on some days of the week, as in `mon-fri/18:00-8:00`. Times are the zone's.
// Not here: what happens when such a time ends (caller.ts).

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_MINUTES = 1440;
const DAY_SECONDS = 86400;
/** 1970-01-01 was a Thursday. */
const FIRST_DAY = 4;

export interface Hours {
  /** A bit a day, Sunday's is 1: the day on which the time begins. */
  days: number;
  /** Minutes of the day; a time that ends before it begins goes on over midnight. */
  from: number;
  to: number;
}

/** One rule, or why it is none. */
export function readHours(text: string): Hours | string {
  const slash = text.indexOf('/');
  const days = slash < 0 ? 127 : readDays(text.slice(0, slash).toLowerCase());
  if (days === 0) return `days are ${DAYS.join(', ')}, as in mon-fri`;
  const match = /^(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)$/.exec(text.slice(slash + 1));
  const why = 'a time is 8:00-18:00, or mon-fri/18:00-8:00';
  if (match === null) return why;
  const [from, to] = [minutesOf(match[1], match[2]), minutesOf(match[3], match[4])];
  if (from >= DAY_MINUTES || to > DAY_MINUTES || from === to) return why;
  return { days, from, to };
}

function minutesOf(hours = '', minutes = ''): number {
  return Number(minutes) > 59 ? Number.POSITIVE_INFINITY : 60 * Number(hours) + Number(minutes);
}

/** The bits of a day or of a row of days, 0 where it is none. */
function readDays(text: string): number {
  const ends = text.split('-');
  const first = DAYS.indexOf(ends[0] as string);
  const last = DAYS.indexOf(ends[1] ?? (ends[0] as string));
  if (first < 0 || last < 0 || ends.length > 2) return 0;
  let bits = 1 << first;
  for (let day = first; day !== last; ) {
    day = (day + 1) % DAYS.length;
    bits |= 1 << day;
  }
  return bits;
}

/** Whether one of the rules has this time, seconds since 1970 by the zone's clock. Without rules, and without a time, it is always so. */
export function isWithin(rules: readonly Hours[], seconds: number | undefined): boolean {
  if (rules.length === 0 || seconds === undefined) return true;
  const day = (Math.floor(seconds / DAY_SECONDS) + FIRST_DAY) % DAYS.length;
  const before = (day + DAYS.length - 1) % DAYS.length;
  const minute = Math.floor(seconds / 60) % DAY_MINUTES;
  for (const { days, from, to } of rules) {
    const isToday = (days & (1 << day)) !== 0;
    if (to > from) {
      if (isToday && minute >= from && minute < to) return true;
    } else {
      if (isToday && minute >= from) return true;
      if ((days & (1 << before)) !== 0 && minute < to) return true;
    }
  }
  return false;
}
