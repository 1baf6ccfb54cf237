// What time it is: an offset to the plane's ticks, set by the RTC at boot and by NTP. Between two settings the
// crystal's error is put right by what the last settings have shown. Setting it steps the time: nothing here
// measures durations by it, those are ticks.
// Not here: where the time comes from (src/control/core/rtc.ts, src/control/time/ntp.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { dateText } from './civil.ts';
import type { Clock } from './clock.ts';
import { localAt, UTC, type Zone } from './timezone.ts';

const MS_PER_TICK = 1000 / TICKS_PER_SECOND;
/** Settings closer than this say more about the way than about the crystal: 10 ms in 1,000 s are 10 ppm. */
const RATE_MS = 1000 * 1000;
/** Crystals are within 100 ppm; the PIT's division adds 15. More is a mistake, or a step of the server's. */
const RATE_MOST = 500e-6;
/** 2100-01-01: what has two digits for the year, as the board's clock, or counts 32 bits of seconds, ends about there. */
const END_SECONDS = 4102444800;

export interface WallClock {
  /** Unix time in milliseconds at a tick of these months, now when left out; undefined as long as nobody has set it. */
  milliseconds(tick?: number): number | undefined;
  /** The same at an uptime, however long ago. */
  at(uptime: number): number | undefined;
  /**
   * Says what time it was at a tick; `source` as in "by NTP from 203.0.113.1". False, and nothing happens, if it cannot
   * be: before the firmware was built, or from 2100 on.
   */
  set(milliseconds: number, tick: number, source: string, isMeasured: boolean): boolean;
  isPossible(milliseconds: number): boolean;
  /** Who set it and when, as uptime in ticks. */
  readonly source: string | undefined;
  readonly setAt: number;
  zone: Zone;
  /** "2026-11-21 04:15:02 CET" of an uptime; undefined as long as nobody has set it. */
  text(uptime?: number): string | undefined;
}

/** @param built when the firmware was built, Unix seconds */
export function createWallClock(clock: Clock, built: number): WallClock {
  let anchor: { milliseconds: number; tick: number } | undefined;
  /** The tick and error-free time of the last measured setting. */
  let measured: { milliseconds: number; tick: number } | undefined;
  let rate = 0;
  let source: string | undefined;
  let setAt = 0;
  let zone = UTC;

  /** Ticks here are uptimes: a log's line may be older than what the tick counter can tell. */
  function at(uptime: number): number | undefined {
    return anchor && anchor.milliseconds + (uptime - anchor.tick) * MS_PER_TICK * (1 + rate);
  }

  function set(time: number, tick: number, by: string, isMeasured: boolean): void {
    const expected = at(tick);
    if (isMeasured && measured !== undefined && expected !== undefined) {
      const elapsed = time - measured.milliseconds;
      if (elapsed > RATE_MS) {
        const wanted = rate + (time - expected) / elapsed;
        if (Math.abs(wanted) < RATE_MOST) rate = wanted;
      }
    }
    if (isMeasured && (measured === undefined || time - measured.milliseconds > RATE_MS))
      measured = { milliseconds: time, tick };
    anchor = { milliseconds: time, tick };
    source = by;
    setAt = tick;
  }

  const isPossible = (time: number): boolean => time >= built * 1000 && time < END_SECONDS * 1000;

  return {
    at,
    milliseconds: (tick = clock.now()) => at(clock.whole(tick)),
    isPossible,
    set: (time, tick, by, isMeasured) => {
      if (!isPossible(time)) return false;
      set(time, clock.whole(tick), by, isMeasured);
      return true;
    },
    get source() {
      return source;
    },
    get setAt() {
      return setAt;
    },
    get zone() {
      return zone;
    },
    set zone(value) {
      zone = value;
    },
    text: (uptime = clock.uptime()) => {
      const time = at(uptime);
      if (time === undefined) return undefined;
      const seconds = Math.floor(time / 1000);
      const { name, offset } = localAt(zone, seconds);
      return `${dateText(seconds + offset)} ${name}`;
    },
  };
}
