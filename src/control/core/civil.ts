// The proleptic Gregorian calendar: days since 1970-01-01 and back, by eras of 400 years that start in March,
// so that the leap day is a year's last. All times are Unix seconds (POSIX.1, section 4.16: no leap seconds).
// Not here: time zones (src/control/core/timezone.ts).

export interface Civil {
  year: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** 0 is Sunday. */
  weekday: number;
}

const DAY = 86400;
const DAYS_OF_ERA = 146097;
/** 1970-01-01 counted from 0000-03-01. */
const EPOCH_DAYS = 719468;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Days from 1970-01-01 to a date. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_OF_ERA + dayOfEra - EPOCH_DAYS;
}

export function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  return daysOf(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
}

export function civilOf(seconds: number): Civil {
  const days = Math.floor(seconds / DAY);
  const rest = seconds - days * DAY;
  const z = days + EPOCH_DAYS;
  const era = Math.floor(z / DAYS_OF_ERA);
  const dayOfEra = z - era * DAYS_OF_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: (((days + 4) % 7) + 7) % 7,
  };
}

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const two = (n: number): string => String(n).padStart(2, '0');

/** 2026-11-21 03:15:02, with another separator for RFC 3339. */
export function dateText(seconds: number, separator = ' '): string {
  const { year, month, day, hour, minute, second } = civilOf(seconds);
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}${separator}${two(hour)}:${two(minute)}:${two(second)}`;
}

/** Nov 21 03:15:02, the day padded with a space (RFC 3164, section 4.1.2). */
export function shortDateText(seconds: number): string {
  const { month, day, hour, minute, second } = civilOf(seconds);
  return `${MONTHS[month - 1]} ${String(day).padStart(2, ' ')} ${two(hour)}:${two(minute)}:${two(second)}`;
}
