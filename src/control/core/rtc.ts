// The real-time clock of a PC: the MC146818A's registers behind ports 0x70 (index) and 0x71 (data). Motorola
// MC146818A data sheet, figures 6 and 12; it is read and written as UTC. A board without one reads 0xFF.
// The century is not kept by the chip, and where BIOSes put it differs: two digits from 80 on are 19xx.

import { in8, out8 } from '../../../hal/ports.ts';
import { civilOf, secondsOf } from './civil.ts';

const INDEX = 0x70;
const DATA = 0x71;
const REG_SECONDS = 0;
const REG_MINUTES = 2;
const REG_HOURS = 4;
const REG_WEEKDAY = 6;
const REG_DAY = 7;
const REG_MONTH = 8;
const REG_YEAR = 9;
const REG_A = 10;
const REG_B = 11;
const REG_D = 13;
/** Register A: update in progress, at most 1,984 us. */
const UIP = 0x80;
/** Register B: updates are held; numbers are binary, not BCD; hours are 0 to 23. */
const SET = 0x80;
const BINARY = 0x04;
const HOURS_24 = 0x02;
/** Register D: the battery has kept time and RAM valid. */
const VRT = 0x80;
/** In the hours of the 12-hour mode: afternoon. */
const PM = 0x80;
const FIELDS = [REG_SECONDS, REG_MINUTES, REG_HOURS, REG_DAY, REG_MONTH, REG_YEAR];
/** Looks at register A; each takes 2 us at least on an ISA bus, so that this outlasts an update. */
const UIP_LOOKS = 2000;
/** Readings until two are the same: an update may fall into one, not into two in a row. */
const READINGS = 4;

function read(register: number): number {
  out8(INDEX, register);
  return in8(DATA) & 0xff;
}

function write(register: number, value: number): void {
  out8(INDEX, register);
  out8(DATA, value);
}

/** Waits for the end of an update; false if it does not end. */
function settled(): boolean {
  for (let i = 0; i < UIP_LOOKS; i++) if ((read(REG_A) & UIP) === 0) return true;
  return false;
}

/** Unix seconds of the clock, or undefined if there is none, or none that is right. */
export function readRtc(): number | undefined {
  const control = read(REG_B);
  if (control === 0xff || (read(REG_D) & VRT) === 0 || !settled()) return undefined;
  let fields = FIELDS.map(read);
  for (let i = 0; i < READINGS; i++) {
    if (!settled()) return undefined;
    const again = FIELDS.map(read);
    if (again.every((value, n) => value === fields[n])) return decode(again, control);
    fields = again;
  }
  return undefined;
}

/** Unix seconds of the registers' values, or undefined if they are no time. */
export function decode(fields: readonly number[], control: number): number | undefined {
  const isBinary = (control & BINARY) !== 0;
  const number = (value: number) => (isBinary ? value : fromBcd(value));
  const [second = -1, minute = -1, , day = 0, month = 0, shortYear = -1] = fields.map(number);
  const rawHour = fields[2] as number;
  let hour = number((control & HOURS_24) !== 0 ? rawHour : rawHour & ~PM);
  if ((control & HOURS_24) === 0) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + ((rawHour & PM) !== 0 ? 12 : 0);
  }
  const inRange = (value: number, least: number, most: number) => value >= least && value <= most;
  if (!inRange(second, 0, 59) || !inRange(minute, 0, 59) || !inRange(hour, 0, 23)) return undefined;
  if (!inRange(day, 1, 31) || !inRange(month, 1, 12) || !inRange(shortYear, 0, 99)) return undefined;
  return secondsOf(shortYear + (shortYear >= 80 ? 1900 : 2000), month, day, hour, minute, second);
}

/** Sets the clock; nothing happens where there is none. */
export function writeRtc(seconds: number): void {
  const control = read(REG_B);
  if (control === 0xff || !settled()) return;
  write(REG_B, control | SET);
  for (const [register, value] of encode(seconds, control)) write(register, value);
  write(REG_B, control & ~SET);
}

/** Registers and values that say a time, in the chip's present mode. */
export function encode(seconds: number, control: number): [number, number][] {
  const { year, month, day, hour, minute, second, weekday } = civilOf(Math.floor(seconds));
  const value = (n: number) => ((control & BINARY) !== 0 ? n : (Math.floor(n / 10) << 4) | (n % 10));
  let hours = value(hour);
  if ((control & HOURS_24) === 0) hours = value(hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? PM : 0);
  return [
    [REG_SECONDS, value(second)],
    [REG_MINUTES, value(minute)],
    [REG_HOURS, hours],
    [REG_WEEKDAY, value(weekday + 1)],
    [REG_DAY, value(day)],
    [REG_MONTH, value(month)],
    [REG_YEAR, value(year % 100)],
  ];
}

/** A number of two decimal digits, or -1. */
function fromBcd(value: number): number {
  const tens = value >> 4;
  const ones = value & 15;
  return tens > 9 || ones > 9 ? -1 : tens * 10 + ones;
}
