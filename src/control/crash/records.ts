// The crash page as control reads it (src/base/crash-page.ts): where its records are, and its words.
// Not here: what a record says (record-text.ts), who tells of it (crash.ts).

import {
  CRASH_AT_COUNT,
  CRASH_AT_SUM,
  CRASH_RECORD_BYTES,
  CRASH_RECORD_COUNT,
  CRASH_RECORDS_AT,
  RECORD_AT_NUMBER,
} from '../../base/crash-page.ts';
import { CRASH_AT } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';

/** In a record's RECORD_AT_REPORTED: it is in the log, and on the disk. */
export const REPORTED_LOGGED = 1;
export const REPORTED_KEPT = 2;

/** Where the records lie in the plane's memory, the oldest first. Their fields: src/base/crash-page.ts. */
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
