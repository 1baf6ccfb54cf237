// Time zones as POSIX TZ strings: POSIX.1-2017, volume 1, section 8.3, with RFC 9636's wider range of the hours
// in a rule (-167 to 167, section 3.3.2). Offsets are written as POSIX has them: hours west of Greenwich, so
// that CET-1 is east of it.
//
//    CET-1CEST,M3.5.0,M10.5.0/3     standard time, offset, summer time [offset], its start and end
//    <+0330>-3:30                   a name that is not letters only

import { civilOf, daysOf, isLeap } from './civil.ts';

const DAY = 86400;
const HOUR = 3600;
/** A change of the clock is at 2 in the morning unless the rule says otherwise. */
const CHANGE_AT = 2 * HOUR;
/** What a summer time without rules follows: the rules of the USA, as other implementations have it. */
const DEFAULT_RULES = 'M3.2.0,M11.1.0';

/** A day of the year and the time of the change in seconds of that day. */
interface Rule {
  /** M: of a month's week; J: day 1 to 365, never February 29; N: day 0 to 365. */
  kind: 'M' | 'J' | 'N';
  month: number;
  week: number;
  /** Weekday with M, else day. */
  day: number;
  at: number;
}

export interface Local {
  name: string;
  /** Seconds to add to UTC. */
  offset: number;
}

export interface Zone {
  text: string;
  standard: Local;
  summer?: Local;
  start?: Rule;
  end?: Rule;
}

export const UTC: Zone = { text: 'UTC', standard: { name: 'UTC', offset: 0 } };

/** Reads a TZ string; answers why it is refused. */
export function parseZone(text: string): Zone | string {
  const reader = new Reader(text);
  const standardName = reader.name();
  if (standardName === undefined) return 'it does not begin with a name of three letters or more';
  const west = reader.time(24);
  if (west === undefined) return `the offset behind ${standardName} is missing, as in ${standardName}-1`;
  const zone: Zone = { text, standard: { name: standardName, offset: 0 - west } };
  if (reader.atEnd()) return zone;
  const summerName = reader.name();
  if (summerName === undefined) return `${reader.rest()} is not the name of a summer time`;
  const summerWest = reader.atEnd() || reader.peek() === ',' ? west - HOUR : reader.time(24);
  if (summerWest === undefined) return `${reader.rest()} is not an offset`;
  zone.summer = { name: summerName, offset: 0 - summerWest };
  const rules = reader.atEnd() ? new Reader(`,${DEFAULT_RULES}`) : reader;
  for (const which of ['start', 'end'] as const) {
    if (!rules.take(',')) return `the rule for the ${which} of ${summerName} is missing`;
    const text = rules.rest();
    const rule = rules.rule();
    if (rule === undefined) return `${text} is no rule for the ${which} of ${summerName}`;
    zone[which] = rule;
  }
  return rules.atEnd() ? zone : `${rules.rest()} is too much`;
}

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  atEnd(): boolean {
    return this.at === this.text.length;
  }

  peek(): string {
    return this.text[this.at] ?? '';
  }

  rest(): string {
    return this.atEnd() ? 'nothing' : this.text.slice(this.at);
  }

  take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.at = pattern.lastIndex;
    return found[1] ?? found[0];
  }

  name(): string | undefined {
    return this.match(/<([A-Za-z0-9+-]{3,10})>/y) ?? this.match(/[A-Za-z]{3,10}/y);
  }

  number(most: number): number | undefined {
    const before = this.at;
    const digits = this.match(/\d{1,3}/y);
    if (digits !== undefined && Number(digits) <= most) return Number(digits);
    this.at = before;
    return undefined;
  }

  /** [+-]hh[:mm[:ss]] in seconds. */
  time(mostHours: number): number | undefined {
    const sign = this.take('-') ? -1 : 1;
    if (sign === 1) this.take('+');
    const hours = this.number(mostHours);
    if (hours === undefined) return undefined;
    const minutes = this.take(':') ? this.number(59) : 0;
    if (minutes === undefined) return undefined;
    const seconds = this.take(':') ? this.number(59) : 0;
    return seconds === undefined ? undefined : sign * (hours * HOUR + minutes * 60 + seconds);
  }

  rule(): Rule | undefined {
    const day = this.ruleDay();
    if (day === undefined) return undefined;
    if (!this.take('/')) return day;
    const at = this.time(167);
    return at === undefined ? undefined : { ...day, at };
  }

  private ruleDay(): Rule | undefined {
    const plain = { month: 0, week: 0, at: CHANGE_AT };
    if (this.take('J')) {
      const day = this.number(365);
      return day === undefined || day === 0 ? undefined : { ...plain, kind: 'J', day };
    }
    if (!this.take('M')) {
      const day = this.number(365);
      return day === undefined ? undefined : { ...plain, kind: 'N', day };
    }
    const month = this.number(12);
    const week = this.take('.') ? this.number(5) : undefined;
    const day = this.take('.') ? this.number(6) : undefined;
    if (month === undefined || week === undefined || day === undefined || month === 0 || week === 0)
      return undefined;
    return { kind: 'M', month, week, day, at: CHANGE_AT };
  }
}

/** What clocks show at a time, Unix seconds. */
export function localAt(zone: Zone, seconds: number): Local {
  const { standard, summer, start, end } = zone;
  if (summer === undefined || start === undefined || end === undefined) return standard;
  const { year } = civilOf(seconds + standard.offset);
  const from = changeAt(start, year) - standard.offset;
  const to = changeAt(end, year) - summer.offset;
  // South of the equator, summer goes over the new year.
  const isSummer = from < to ? seconds >= from && seconds < to : seconds >= from || seconds < to;
  return isSummer ? summer : standard;
}

/** When a rule changes the clocks in a year, in seconds as the clocks show them before it. */
export function changeAt(rule: Rule, year: number): number {
  const first = daysOf(year, 1, 1);
  if (rule.kind === 'N') return (first + rule.day) * DAY + rule.at;
  if (rule.kind === 'J') {
    const leap = isLeap(year) && rule.day >= 60 ? 1 : 0;
    return (first + rule.day - 1 + leap) * DAY + rule.at;
  }
  const month = daysOf(year, rule.month, 1);
  const next = rule.month === 12 ? daysOf(year + 1, 1, 1) : daysOf(year, rule.month + 1, 1);
  const weekday = (((month + 4) % 7) + 7) % 7;
  let day = month + ((rule.day - weekday + 7) % 7) + (rule.week - 1) * 7;
  if (day >= next) day -= 7; // week 5 is the last one
  return day * DAY + rule.at;
}
