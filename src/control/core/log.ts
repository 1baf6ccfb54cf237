// The log: what the services have to say, the last LOG_LINES of it. A line starts with the interface or
// service that it is about: "wan: lease of 203.0.113.10 for 3600 s from 203.0.113.1".
// Levels are those of RFC 5424, section 6.2.1. Notices and worse are shown on the console as they come.
// A facility that says too much is held back: its next line tells how many were left out. One that says the same again is
// not written again: its next line, or one after LOG_FOLD_SECONDS and ever later, tells how often it was repeated.
// Not here: sending it elsewhere (src/control/syslog/syslog.ts, which gets each line by `onEntry`).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Clock, Timer } from './clock.ts';
import {
  LOG_BURST,
  LOG_FACILITIES,
  LOG_FOLD_MOST_SECONDS,
  LOG_FOLD_SECONDS,
  LOG_LINES,
  LOG_REFILL_SECONDS,
  LOG_TEXT,
} from './limits.ts';

export const ERROR = 3;
export const WARNING = 4;
export const NOTICE = 5;
export const INFO = 6;
export const DEBUG = 7;
/** Names of the levels from ERROR on. */
export const LEVELS = ['error', 'warning', 'notice', 'info', 'debug'];

/** The level of a word; below ERROR if it is none. */
export function levelOf(text: string): number {
  return ERROR + LEVELS.indexOf(text);
}

export interface Entry {
  /** When, as uptime in ticks. */
  tick: number;
  level: number;
  facility: string;
  text: string;
}

export interface Log {
  /** What is shown on the console: lines of this level and more serious ones. */
  shown: number;
  /**
   * Adds a line.
   * @param isAnswer a command is answered by it: the console shows it each time, even if the log only counts it
   */
  (level: number, facility: string, text: string, isAnswer?: boolean): void;
  /** The lines kept, oldest first. */
  entries(): Entry[];
  /** Tells of each line from now on. What the listener logs itself is not told. */
  onEntry(listener: (entry: Entry) => void): void;
}

interface Rate {
  tokens: number;
  /** The uptime at which the last token was added. */
  tick: number;
  leftOut: number;
  /** Its last line, when that was said last, how often it was repeated since it was told, and who will tell. */
  level: number;
  text: string;
  saidAt: number;
  repeats: number;
  timer: Timer | undefined;
  wait: number;
}

const FOLD_TICKS = LOG_FOLD_SECONDS * TICKS_PER_SECOND;
const FOLD_MOST_TICKS = LOG_FOLD_MOST_SECONDS * TICKS_PER_SECOND;
const REFILL_TICKS = LOG_REFILL_SECONDS * TICKS_PER_SECOND;

/** @param show prints a line on the console. */
export function createLog(clock: Clock, show: (text: string) => void): Log {
  const ring: Entry[] = [];
  const rates = new Map<string, Rate>();
  const listeners: ((entry: Entry) => void)[] = [];
  let next = 0;
  let telling = false;

  function rateOf(facility: string): Rate {
    let rate = rates.get(facility);
    if (rate === undefined) {
      if (rates.size === LOG_FACILITIES) forgetOne();
      rate = {
        ...{ tokens: LOG_BURST, tick: clock.uptime(), leftOut: 0, level: 0, text: '', saidAt: 0 },
        ...{ repeats: 0, timer: undefined, wait: FOLD_TICKS },
      };
      rates.set(facility, rate);
    }
    return rate;
  }

  /** Makes room: of the facility that has been silent longest, nothing more is known but what is told now. */
  function forgetOne(): void {
    let oldest: [string, Rate] | undefined;
    for (const each of rates) if (oldest === undefined || each[1].saidAt < oldest[1].saidAt) oldest = each;
    if (oldest === undefined) return;
    const [facility, rate] = oldest;
    tellRepeats(facility, rate);
    if (rate.leftOut > 0) add(rate.level, facility, `${rate.leftOut} lines were left out`);
    rates.delete(facility);
  }

  /** Takes a token, of those that time has brought; false if there is none left. */
  function take(rate: Rate): boolean {
    const refill = Math.floor((clock.uptime() - rate.tick) / REFILL_TICKS);
    rate.tokens = Math.min(LOG_BURST, rate.tokens + refill);
    rate.tick += refill * REFILL_TICKS;
    if (rate.tokens === 0) {
      rate.leftOut++;
      return false;
    }
    rate.tokens--;
    return true;
  }

  /** Whether the line is the facility's last once more, soon after; then it is counted and told later. */
  function isRepeated(rate: Rate, level: number, facility: string, text: string): boolean {
    const now = clock.uptime();
    const isSame = text === rate.text && level === rate.level && now - rate.saidAt < FOLD_TICKS;
    rate.saidAt = now;
    if (!isSame) return false;
    rate.repeats++;
    rate.timer ??= clock.after(rate.wait, () => {
      rate.timer = undefined;
      rate.wait = Math.min(FOLD_MOST_TICKS, 4 * rate.wait);
      tellRepeats(facility, rate);
    });
    return true;
  }

  function tellRepeats(facility: string, rate: Rate): void {
    if (rate.timer !== undefined) clock.cancel(rate.timer);
    rate.timer = undefined;
    const { repeats } = rate;
    rate.repeats = 0;
    if (repeats > 0)
      add(rate.level, facility, `last message repeated ${repeats === 1 ? 'once' : `${repeats} times`}`);
  }

  function add(level: number, facility: string, text: string): void {
    const entry = { tick: clock.uptime(), level, facility, text: printable(text) };
    ring[next] = entry;
    next = (next + 1) % LOG_LINES;
    if (level <= result.shown) show(`${facility}: ${entry.text}`);
    if (telling) return;
    telling = true;
    for (const listener of listeners) listener(entry);
    telling = false;
  }

  function log(level: number, facility: string, text: string, isAnswer = false): void {
    const isKept = keep(level, facility, text);
    if (isAnswer && !(isKept && level <= result.shown)) show(`${facility}: ${printable(text)}`);
  }

  /** Adds a line, or counts it; answers whether it is there to be read. */
  function keep(level: number, facility: string, text: string): boolean {
    const rate = rateOf(facility);
    if (isRepeated(rate, level, facility, text)) return false;
    if (!take(rate)) return false;
    tellRepeats(facility, rate);
    rate.level = level;
    rate.text = text;
    rate.wait = FOLD_TICKS;
    if (rate.leftOut > 0) add(level, facility, `${rate.leftOut} lines were left out`);
    rate.leftOut = 0;
    add(level, facility, text);
    return true;
  }

  const result: Log = Object.assign(log, {
    shown: NOTICE,
    entries: () => {
      for (const [facility, rate] of rates) tellRepeats(facility, rate);
      return [...ring.slice(next), ...ring.slice(0, next)];
    },
    onEntry: (listener: (entry: Entry) => void) => {
      listeners.push(listener);
    },
  });
  return result;
}

/** The text in ASCII and cut to length: what a stranger sent must not move the terminal's cursor. */
function printable(text: string): string {
  const cut = text.slice(0, LOG_TEXT);
  return /^[ -~]*$/.test(cut) ? cut : cut.replace(/[^ -~]/g, '?');
}

/** A text for the terminal, its letters as they are: what would be a command for it is shown as `?`. */
export function visible(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  let shown = '';
  /** Bytes of a letter in UTF-8 (RFC 3629) that are still to come. */
  let more = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const isMore = more > 0 && (c & 0xc0) === 0x80;
    // Behind C2, the letters up to 9F are controls too.
    if (isMore) more--;
    else if (c === 0xc2) more = text.charCodeAt(i + 1) >= 0xa0 ? 1 : 0;
    else more = c < 0xc3 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    const isControl = c < 32 || (c >= 127 && c < 160) || (c === 0xc2 && more === 0);
    shown += isControl && !isMore ? '?' : text.charAt(i);
  }
  return shown;
}
