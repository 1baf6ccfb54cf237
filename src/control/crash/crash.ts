// What the crash page tells control (src/base/crash-page.ts): what went wrong before and since the last reset, and
// whether the board starts in a loop. New records go to the log, so to syslog, and to the disk, by the overlay `crash`,
// which no board needs on which nothing goes wrong.
// Not here: writing records (the floor), what they say (crash/).

import {
  CRASH_AT_CLOCK,
  CRASH_AT_CLOCK_TICK,
  CRASH_AT_STARTS,
  CRASH_LASTING_SECONDS,
  RECORD_AT_REPORTED,
} from '../../base/crash-page.ts';
import { CRASH_AT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { ERROR } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import { crashRecords, putCrashWord, REPORTED_LOGGED } from './records.ts';

/** After a start, the log is told once syslog has a way out; after a restart of control it has. */
const REPORT_TICKS = 10 * TICKS_PER_SECOND;
const REPORT_RESTARTED_TICKS = 10;
const CLOCK_TICKS = 60 * TICKS_PER_SECOND;

export function createCrash(context: Context): Service {
  const { clock, log, machine } = context;

  function report(): void {
    const isNew = (record: number): boolean => (i32at(record + RECORD_AT_REPORTED) & REPORTED_LOGGED) === 0;
    if (!crashRecords().some(isNew)) return;
    try {
      machine.overlay('crash').report(context);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log(ERROR, 'crash', error.message);
    }
  }

  function noteTime(): void {
    const milliseconds = context.wallClock.milliseconds();
    if (milliseconds !== undefined) {
      putCrashWord(CRASH_AT + CRASH_AT_CLOCK, Math.floor(milliseconds / 1000) | 0);
      putCrashWord(CRASH_AT + CRASH_AT_CLOCK_TICK, clock.now());
    }
    clock.after(CLOCK_TICKS, noteTime);
  }

  return {
    start: restarted => {
      clock.after(restarted ? REPORT_RESTARTED_TICKS : REPORT_TICKS, report);
      // A start that has lasted so long was none of a loop.
      clock.after(CRASH_LASTING_SECONDS * TICKS_PER_SECOND, () =>
        putCrashWord(CRASH_AT + CRASH_AT_STARTS, 0),
      );
      noteTime();
    },
  };
}
