// The overlay `crash`: what is told and kept of what went wrong, `show crash`, and `debug crash`.
//
// The crash page forgets with the power, so its records go to the flash log as well: what `show crash` prints, cut.
//
//    0        4
//    | number | text, its lines ended by line feeds         the key is number % KEPT_COUNT
//
// Not here: noticing that there is something new (crash.ts), where records are (records.ts).

import { CRASH_AT_KEPT, RECORD_AT_NUMBER, RECORD_AT_REPORTED } from '../../base/crash-page.ts';
import { LOG_KIND_CRASH } from '../../base/layout.ts';
import { CRASH_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { runInBackground } from '../core/background.ts';
import type { Job } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { bootNumber } from '../core/facts.ts';
import { ERROR } from '../core/log.ts';
import type { Store } from '../core/store/store-types.ts';
import { outcome } from '../core/store/tasks.ts';
import { crashSummary, recordReport } from './record-text.ts';
import { crashRecords, putCrashWord, REPORTED_KEPT, REPORTED_LOGGED } from './records.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    crash: typeof import('./overlay.ts');
  }
}

export { crashAll, crashControl, crashPlane } from './deaths.ts';

/** Records on the disk, and the bytes of one: a few take no room that leases need. */
export const KEPT_COUNT = 6;
export const KEPT_TEXT = 400;
/** Records written from power-on to power-off: a board that dies again and again must not wear its card out. */
export const KEPT_MOST = 32;
const AT_TEXT = 4;

interface Kept {
  number: number;
  text: string;
}

function isMarked(record: number, bit: number): boolean {
  return (i32at(record + RECORD_AT_REPORTED) & bit) !== 0;
}

function mark(record: number, bit: number): void {
  putCrashWord(record + RECORD_AT_REPORTED, i32at(record + RECORD_AT_REPORTED) | bit);
}

/** The store, where there is something to write to. */
function storeOf({ disk, store }: Context): Store | undefined {
  return disk === undefined ? undefined : store;
}

/** Tells the log of what is new, and keeps it. */
export function report(context: Context): void {
  for (const record of crashRecords()) {
    if (isMarked(record, REPORTED_LOGGED)) continue;
    mark(record, REPORTED_LOGGED);
    context.log(ERROR, 'crash', crashSummary(record));
  }
  const store = storeOf(context);
  if (store !== undefined) runInBackground(context.clock, keep(context, store), () => {});
}

/** What is on the disk, the oldest first. */
function* readKept(store: Store): Generator<number, Kept[], void> {
  const kept: Kept[] = [];
  const visit = ({ payload }: { payload: Uint8Array }): void => {
    if (payload.length < AT_TEXT) return;
    const number = new DataView(payload.buffer, payload.byteOffset).getInt32(0, true);
    let text = '';
    for (let i = AT_TEXT; i < payload.length; i++) text += String.fromCharCode(payload[i] as number);
    kept.push({ number, text });
  };
  yield* outcome(store.read(LOG_KIND_CRASH, visit));
  return kept.sort((a, b) => a.number - b.number);
}

function* keep(context: Context, store: Store): Job {
  let number = (yield* readKept(store)).at(-1)?.number ?? 0;
  for (const record of crashRecords()) {
    if (isMarked(record, REPORTED_KEPT)) continue;
    const written = i32at(CRASH_AT + CRASH_AT_KEPT);
    if (written >= KEPT_MOST) return;
    putCrashWord(CRASH_AT + CRASH_AT_KEPT, written + 1);
    number++;
    const text = recordReport(context, record).join('\n').slice(0, KEPT_TEXT);
    const payload = new Uint8Array(AT_TEXT + text.length);
    new DataView(payload.buffer).setInt32(0, number, true);
    for (let i = 0; i < text.length; i++) payload[AT_TEXT + i] = text.charCodeAt(i);
    store.keep({ kind: LOG_KIND_CRASH, key: number % KEPT_COUNT, payload }, true);
    if ((yield* outcome(store.flush())) === undefined) mark(record, REPORTED_KEPT);
  }
}

export function* showCrash(context: Context): Job {
  const { output } = context;
  const records = crashRecords();
  const store = storeOf(context);
  const all = store === undefined ? [] : yield* readKept(store);
  const older = all.slice(0, all.length - records.filter(record => isMarked(record, REPORTED_KEPT)).length);
  for (const { text } of older) {
    for (const line of text.split('\n')) output.line(line);
    yield 0;
  }
  if (older.length > 0) output.line('That was before power-on');
  if (records.length === 0) output.line('Nothing has gone wrong since power-on');
  for (const record of records) {
    const [first, ...more] = recordReport(context, record);
    output.line(`${i32at(record + RECORD_AT_NUMBER)}. ${first}`);
    for (const line of more) output.line(line);
    yield 0;
  }
  const starts = bootNumber();
  output.line(starts === 1 ? '1 start since power-on' : `${starts} starts since power-on`);
}
