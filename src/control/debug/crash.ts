// `show crash`: the records of the crash page with registers and traces. `debug crash`: the ways to die, to try what
// then happens. Part of the overlay `debug`. Not here: what the records are (crash.ts).

import {
  RECORD_AT_BOOT,
  RECORD_AT_CLOCK,
  RECORD_AT_CLOCK_TICK,
  RECORD_AT_NUMBER,
  RECORD_AT_REGISTERS,
  RECORD_AT_TICK,
  RECORD_AT_TRACE,
  RECORD_REGISTERS,
  RECORD_TRACE,
} from '../../../firmware/crash-page.ts';
import { TICKS_PER_SECOND } from '../../plane/limits.ts';
import { i32at } from '../../plane/memory.ts';
import { hex } from '../address.ts';
import { since } from '../clock.ts';
import { type Job, Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { bootNumber, crashRecords, crashSummary, recordLines } from '../crash.ts';
import { formatTicks } from '../masquerade-view.ts';
import { dateText } from '../time/civil.ts';

const REGISTERS = [
  'edi',
  'esi',
  'ebp',
  'esp',
  'ebx',
  'edx',
  'ecx',
  'eax',
  'vec',
  'err',
  'eip',
  'cs',
  'efl',
  'cr2',
];
/** Neither RAM nor plane lies there. */
const NOWHERE = 0x40000000;
/** The last words get this long to leave the transmit ring. */
const LAST_WORDS_TICKS = TICKS_PER_SECOND / 4;

/** When it happened: the date as far as it was known, or the time since that start. */
function timeOf(context: Context, record: number): string {
  const tick = i32at(record + RECORD_AT_TICK);
  const boot = i32at(record + RECORD_AT_BOOT);
  const known = boot === bootNumber() ? context.time?.wallClock.text(tick) : undefined;
  if (known !== undefined) return known;
  const seconds = i32at(record + RECORD_AT_CLOCK);
  if (seconds !== 0) {
    const later = since(tick, i32at(record + RECORD_AT_CLOCK_TICK)) / TICKS_PER_SECOND;
    return `${dateText(seconds + Math.floor(later))} UTC`;
  }
  return `${formatTicks(tick)} after start ${boot}`;
}

function words(record: number, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i32at(record + at + 4 * i));
}

export function* showCrash(context: Context): Job {
  const { output } = context;
  const records = crashRecords();
  if (records.length === 0) output.line('Nothing has gone wrong since power-on');
  for (const record of records) {
    output.line(`${i32at(record + RECORD_AT_NUMBER)}. ${timeOf(context, record)}: ${crashSummary(record)}`);
    for (const line of recordLines(record).slice(1)) output.line(`    ${line}`);
    const registers = words(record, RECORD_AT_REGISTERS, RECORD_REGISTERS);
    if (registers.some(value => value !== 0)) {
      const texts = registers.map((value, i) => `${REGISTERS[i]}=${hex(value, 8)}`);
      for (let i = 0; i < texts.length; i += 5) output.line(`    ${texts.slice(i, i + 5).join(' ')}`);
    }
    const trace = words(record, RECORD_AT_TRACE, RECORD_TRACE).filter(value => value !== 0);
    for (let i = 0; i < trace.length; i += 8) {
      output.line(
        `    ${i === 0 ? 'trace' : '     '} ${trace
          .slice(i, i + 8)
          .map(value => hex(value, 8))
          .join(' ')}`,
      );
    }
    yield 0;
  }
  const starts = bootNumber();
  output.line(starts === 1 ? '1 start since power-on' : `${starts} starts since power-on`);
}

function recurse(depth: number): number {
  return 1 + recurse(depth + 1);
}

/** The ways for control to end. */
const DEATHS: Record<string, () => void> = {
  throw: () => {
    throw new Error('debug crash control throw');
  },
  oom: () => {
    const kept: Uint8Array[] = [];
    for (;;) kept.push(new Uint8Array(4096));
  },
  hang: () => {
    for (;;);
  },
  stack: () => {
    recurse(0);
  },
};

function* die(context: Context, death: () => void): Job {
  while (context.output.busy) yield 0;
  yield LAST_WORDS_TICKS;
  death();
}

export function crashControl(context: Context, how: string): Job {
  const death = DEATHS[how];
  if (death === undefined)
    throw new Refusal(`Cannot crash control by ${how}: it is one of ${Object.keys(DEATHS).join(', ')}`);
  return die(context, death);
}

/** A wild access in the plane. */
export function crashPlane(context: Context): Job {
  return die(context, () => {
    context.machine.plane.checksum(NOWHERE, 2);
  });
}

/** Interrupts off and never on again: only a watchdog ends that. */
export function crashAll(context: Context): Job {
  return die(context, () => {
    context.machine.lock();
    for (;;);
  });
}
