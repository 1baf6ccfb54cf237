// What the crash page tells control (firmware/crash-page.ts): the records of what went wrong, before and since the
// last reset, and whether the board starts in a loop. New records go to the log, and so to syslog.
// Not here: writing records (the floor), listing them (debug/crash.ts), keeping them in the flash (store/).

import {
  FACT_SAFE,
  RESTART_EXCEPTION,
  RESTART_HANG,
  RESTART_STACK,
  RESTART_TRAP,
} from '../../firmware/abi.ts';
import {
  CRASH_AT_BOOT,
  CRASH_AT_CLOCK,
  CRASH_AT_CLOCK_TICK,
  CRASH_AT_COUNT,
  CRASH_AT_STARTS,
  CRASH_AT_SUM,
  CRASH_DEATHS,
  CRASH_FAULT,
  CRASH_GIVEN_UP,
  CRASH_LASTING_SECONDS,
  CRASH_PANIC,
  CRASH_RECORD_BYTES,
  CRASH_RECORD_COUNT,
  CRASH_RECORDS_AT,
  CRASH_SILENT,
  RECORD_AT_KIND,
  RECORD_AT_NUMBER,
  RECORD_AT_REGISTERS,
  RECORD_AT_REPORTED,
  RECORD_AT_TEXT,
  RECORD_TEXT_BYTES,
} from '../../firmware/crash-page.ts';
import { CRASH_AT, TICKS_PER_SECOND } from '../plane/limits.ts';
import { get8, i32at, puti32 } from '../plane/memory.ts';
import { hex } from './address.ts';
import { fact } from './commands/show.ts';
import type { Context } from './context.ts';
import type { Service } from './control.ts';
import { ERROR } from './log.ts';

/** After a start, the log is told once syslog has a way out; after a restart of control it has. */
const REPORT_TICKS = 10 * TICKS_PER_SECOND;
const REPORT_RESTARTED_TICKS = 10;
const CLOCK_TICKS = 60 * TICKS_PER_SECOND;
/** Words before the fault's address and cause in a record's registers. */
const EIP = 4 * 10;

/** The board has started too often in a row: the saved settings must not be applied, and stay untouched. */
export function isSafeMode(): boolean {
  return fact(FACT_SAFE) !== 0;
}

/** The starts of the board since power-on, this one included. */
export function bootNumber(): number {
  return i32at(CRASH_AT + CRASH_AT_BOOT);
}

/** Where the records lie in the plane's memory, the oldest first. Their fields: firmware/crash-page.ts. */
export function crashRecords(): number[] {
  const records: number[] = [];
  const count = i32at(CRASH_AT + CRASH_AT_COUNT);
  for (let number = Math.max(1, count - CRASH_RECORD_COUNT + 1); number <= count; number++) {
    const at = CRASH_AT + CRASH_RECORDS_AT + ((number - 1) % CRASH_RECORD_COUNT) * CRASH_RECORD_BYTES;
    if (i32at(at + RECORD_AT_NUMBER) === number) records.push(at);
  }
  return records;
}

/** Changes a word of the page and keeps its sum. */
export function putCrashWord(at: number, value: number): void {
  const sum = CRASH_AT + CRASH_AT_SUM;
  puti32(sum, (i32at(sum) - value + i32at(at)) | 0);
  puti32(at, value);
}

/** The record's text; an exception's is the engine's JSON, cut where the record ends. */
function recordText(record: number): string {
  let text = '';
  for (let i = 0; i < RECORD_TEXT_BYTES; i++) {
    const code = get8(record + RECORD_AT_TEXT + i);
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}

/** A record's exception as its first line and the lines of its trace. */
export function recordLines(record: number): string[] {
  const text = recordText(record);
  const part = (name: string): string => {
    const quoted = new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*)`).exec(text)?.[1];
    return quoted === undefined ? '' : JSON.parse(`${quoted}"`);
  };
  if (!text.startsWith('{')) return [text];
  const trace = part('stack').split('\n');
  return [
    `${part('name')}: ${part('message')}`,
    ...trace.map(line => line.trim()).filter(line => line !== ''),
  ];
}

/** What happened, in one line. */
export function crashSummary(record: number): string {
  const kind = i32at(record + RECORD_AT_KIND);
  const [first = ''] = recordLines(record);
  const eip = i32at(record + RECORD_AT_REGISTERS + EIP);
  const place = eip === 0 ? '' : ` at ${hex(eip, 8)}`;
  switch (kind) {
    case RESTART_EXCEPTION:
      if (/out of memory/.test(first) || first === '') return 'control ran out of memory';
      return `control ended by an exception: ${first}`;
    case RESTART_HANG:
      return `control hung: ${first}${place}`;
    case RESTART_STACK:
    case RESTART_TRAP:
      return `control ended by a trap: ${first}${place}`;
    case CRASH_FAULT:
      return `plane or floor, ${first}${place}: the board was reset`;
    case CRASH_PANIC:
      return `floor: ${first}: the board was reset`;
    case CRASH_GIVEN_UP:
      return `control died ${CRASH_DEATHS} times in a minute: the board was reset`;
    case CRASH_SILENT:
      return 'the board was reset from outside: by its watchdog or the reset button';
    default:
      return `unknown, kind ${kind}`;
  }
}

export function createCrash(context: Context): Service {
  const { clock, log } = context;

  function report(): void {
    for (const record of crashRecords()) {
      const reported = i32at(record + RECORD_AT_REPORTED);
      if ((reported & 1) !== 0) continue;
      putCrashWord(record + RECORD_AT_REPORTED, reported | 1);
      log(ERROR, 'crash', crashSummary(record));
    }
  }

  function noteTime(): void {
    const milliseconds = context.time?.wallClock.milliseconds();
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
