// What a record of the crash page says: in one line, in the lines of its trace, in registers.
// Not here: where records are (records.ts), the commands and the log (overlay.ts).

import { RESTART_EXCEPTION, RESTART_HANG, RESTART_STACK, RESTART_TRAP } from '../../base/abi.ts';
import {
  CRASH_DEATHS,
  CRASH_FAULT,
  CRASH_GIVEN_UP,
  CRASH_PANIC,
  CRASH_SILENT,
  RECORD_AT_BOOT,
  RECORD_AT_CLOCK,
  RECORD_AT_CLOCK_TICK,
  RECORD_AT_KIND,
  RECORD_AT_REGISTERS,
  RECORD_AT_TEXT,
  RECORD_AT_TICK,
  RECORD_AT_TRACE,
  RECORD_AT_WRAPS,
  RECORD_REGISTERS,
  RECORD_TEXT_BYTES,
  RECORD_TRACE,
} from '../../base/crash-page.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { get8, i32at } from '../../base/memory.ts';
import { hex } from '../core/address.ts';
import { dateText } from '../core/civil.ts';
import { since } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import { bootNumber } from '../core/facts.ts';

/** The registers in the order of the record, 3 letters each. */
const REGISTERS = 'edi esi ebp esp ebx edx ecx eax vec err eip cs  efl cr2';
/** Words before the fault's address in a record's registers. */
const EIP = 4 * 10;

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
      // The engine throws null where the heap has no room for an error.
      if (/out of memory/.test(first) || first === '' || first === 'null') return 'control ran out of memory';
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

/** When it happened: the date as far as it was known, or the time since that start. */
export function timeOf(context: Context, record: number): string {
  const tick = i32at(record + RECORD_AT_TICK);
  const uptime = (i32at(record + RECORD_AT_WRAPS) >>> 0) * 2 ** 32 + (tick >>> 0);
  const boot = i32at(record + RECORD_AT_BOOT);
  const known = boot === bootNumber() ? context.wallClock.text(uptime) : undefined;
  if (known !== undefined) return known;
  const seconds = i32at(record + RECORD_AT_CLOCK);
  if (seconds !== 0) {
    const later = since(tick, i32at(record + RECORD_AT_CLOCK_TICK)) / TICKS_PER_SECOND;
    return `${dateText(seconds + Math.floor(later))} UTC`;
  }
  return `${formatTicks(uptime)} after start ${boot}`;
}

/** All that a record says, its summary first. */
export function recordReport(context: Context, record: number): string[] {
  const [, ...trace] = recordLines(record);
  return [
    `${timeOf(context, record)}: ${crashSummary(record)}`,
    ...foldRepeated(trace).map(line => `    ${line}`),
    ...rows(
      words(record, RECORD_AT_REGISTERS, RECORD_REGISTERS),
      5,
      '',
      (value, i) => `${REGISTERS.slice(4 * i, 4 * i + 3).trim()}=${hex(value, 8)}`,
    ),
    ...rows(
      words(record, RECORD_AT_TRACE, RECORD_TRACE).filter(value => value !== 0),
      8,
      'trace ',
      value => hex(value, 8),
    ),
  ];
}

/** Endless recursion has the same line many times. */
function foldRepeated(lines: readonly string[]): string[] {
  const folded: string[] = [];
  for (let i = 0; i < lines.length; ) {
    let next = i + 1;
    while (lines[next] === lines[i]) next++;
    folded.push(next - i > 1 ? `${lines[i]} (${next - i} times)` : (lines[i] as string));
    i = next;
  }
  return folded;
}

function words(record: number, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i32at(record + at + 4 * i));
}

/** Words in rows; none when all are 0. */
function rows(
  values: readonly number[],
  each: number,
  title: string,
  text: (value: number, index: number) => string,
): string[] {
  const all: string[] = [];
  if (values.every(value => value === 0)) return all;
  const texts = values.map(text);
  for (let i = 0; i < texts.length; i += each) {
    all.push(`    ${i === 0 ? title : ' '.repeat(title.length)}${texts.slice(i, i + each).join(' ')}`);
  }
  return all;
}
