import test from 'ava';
import type { Disk } from '../../../hal/disk/disk.ts';
import { controlLab, type Lab } from '../../../test/control-lab.ts';
import { RESTART_EXCEPTION, RESTART_HANG, RESTART_TRAP } from '../../base/abi.ts';
import {
  CRASH_AT_COUNT,
  CRASH_AT_SUM,
  CRASH_FAULT,
  CRASH_RECORD_BYTES,
  CRASH_RECORD_COUNT,
  CRASH_RECORDS_AT,
  RECORD_AT_KIND,
  RECORD_AT_NUMBER,
  RECORD_AT_REGISTERS,
  RECORD_AT_REPORTED,
  RECORD_AT_TEXT,
  RECORD_TEXT_BYTES,
} from '../../base/crash-page.ts';
import { CRASH_AT } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import type { Context } from '../core/context.ts';
import type { Machine } from '../core/machine.ts';
import type { Store } from '../core/store/store-types.ts';
import { createCrash } from './crash.ts';
import * as overlay from './overlay.ts';
import { crashSummary, recordLines, recordReport } from './record-text.ts';
import { crashRecords, putCrashWord } from './records.ts';

/** What the floor does. */
function addRecord(memory: Uint8Array, kind: number, text: string, eip = 0): number {
  const number = i32at(CRASH_AT + CRASH_AT_COUNT) + 1;
  puti32(CRASH_AT + CRASH_AT_COUNT, number);
  const at = CRASH_AT + CRASH_RECORDS_AT + ((number - 1) % CRASH_RECORD_COUNT) * CRASH_RECORD_BYTES;
  memory.fill(0, at, at + CRASH_RECORD_BYTES);
  puti32(at + RECORD_AT_KIND, kind);
  puti32(at + RECORD_AT_NUMBER, number);
  puti32(at + RECORD_AT_REGISTERS + 40, eip);
  memory.set(Buffer.from(text.slice(0, RECORD_TEXT_BYTES - 1), 'latin1'), at + RECORD_AT_TEXT);
  return at;
}

/** The overlay is there, as it is on the board. */
function contextOf(lab: Lab): Context {
  const machine: Machine = { ...lab.context.machine, overlay: () => overlay as never };
  return { ...lab.context, machine };
}

const EXCEPTION =
  '{"name":"TypeError","message":"a \\"b\\" is not","stack":"    at f (x.js:1)\\n    at g\\n"}';

test('crashRecords() answers the last ones, oldest first, however many there were', t => {
  const { memory } = controlLab();
  t.deepEqual(crashRecords(), []);
  for (let n = 1; n <= 2 * CRASH_RECORD_COUNT + 2; n++) {
    addRecord(memory, RESTART_TRAP, String(n));
    const expected = Array.from({ length: Math.min(n, CRASH_RECORD_COUNT) }, (_, i) => i + 1);
    const first = Math.max(0, n - CRASH_RECORD_COUNT);
    t.deepEqual(
      crashRecords().map(at => i32at(at + RECORD_AT_NUMBER)),
      expected.map(i => first + i),
    );
  }
});

test('recordLines() reads an exception, also one that is cut at any place', t => {
  const { memory } = controlLab();
  t.deepEqual(recordLines(addRecord(memory, RESTART_EXCEPTION, EXCEPTION)), [
    'TypeError: a "b" is not',
    'at f (x.js:1)',
    'at g',
  ]);
  for (let n = 0; n < EXCEPTION.length; n++) {
    const lines = recordLines(addRecord(memory, RESTART_EXCEPTION, EXCEPTION.slice(0, n)));
    t.true(lines.length >= 1);
  }
});

test('crashSummary() says what died of what', t => {
  const { memory } = controlLab();
  const say = (kind: number, text: string, eip = 0) => crashSummary(addRecord(memory, kind, text, eip));
  t.is(say(RESTART_EXCEPTION, EXCEPTION), 'control ended by an exception: TypeError: a "b" is not');
  t.is(say(RESTART_EXCEPTION, ''), 'control ran out of memory');
  t.is(say(RESTART_EXCEPTION, 'null'), 'control ran out of memory');
  t.is(
    say(RESTART_EXCEPTION, '{"name":"InternalError","message":"out of memory"}'),
    'control ran out of memory',
  );
  t.is(say(RESTART_HANG, 'no answer', 0x123456), 'control hung: no answer at 00123456');
  t.is(
    say(CRASH_FAULT, 'page fault', 0x104260),
    'plane or floor, page fault at 00104260: the board was reset',
  );
});

test('new records go to the log once, also through another restart', t => {
  const lab = controlLab();
  addRecord(lab.memory, RESTART_TRAP, 'one');
  createCrash(contextOf(lab)).start(true);
  lab.ticks(20);
  t.deepEqual(lab.shown, ['crash: control ended by a trap: one']);
  addRecord(lab.memory, RESTART_TRAP, 'two');
  createCrash(contextOf(lab)).start(true);
  lab.ticks(20);
  t.deepEqual(lab.shown.slice(1), ['crash: control ended by a trap: two']);
});

test('putCrashWord() keeps the sum of the page', t => {
  const { memory } = controlLab();
  const at = addRecord(memory, RESTART_TRAP, 'text', -5);
  const sum = (): number => {
    let all = 0;
    for (let i = 0; i < 4096; i += 4) all = (all + i32at(CRASH_AT + i)) | 0;
    return all;
  };
  puti32(CRASH_AT + CRASH_AT_SUM, (i32at(CRASH_AT + CRASH_AT_SUM) - sum()) | 0);
  for (const value of [1, -1, 0x7fffffff, -0x80000000]) {
    putCrashWord(at + RECORD_AT_REPORTED, value);
    t.is(i32at(at + RECORD_AT_REPORTED), value);
    t.is(sum(), 0);
  }
});

/** A store that forgets nothing; `why` is what its disk answers. */
function fakeStore(kept: Map<number, Uint8Array>, why?: string): Pick<Store, 'read' | 'keep' | 'flush'> {
  const waiting = new Map<number, Uint8Array>();
  const done = <T>(value: T) => ({ done: true, value });
  return {
    read: (kind, visit) => {
      for (const [key, payload] of kept) visit({ kind, key, payload });
      return done(undefined);
    },
    keep: ({ key, payload }) => void waiting.set(key, payload),
    flush: () => {
      if (why === undefined) for (const [key, payload] of waiting) kept.set(key, payload);
      return done(why);
    },
  };
}

function show(context: Context, lab: Lab): string {
  const from = lab.output.length;
  for (const _ of overlay.showCrash(context));
  return lab.output.slice(from).join('\n');
}

test('records are kept on the disk, the last few, and shown after the power was off', t => {
  const kept = new Map<number, Uint8Array>();
  const lab = controlLab();
  const context = { ...contextOf(lab), disk: {} as Disk, store: fakeStore(kept) as Store };
  createCrash(context).start(true);
  const count = 2 * overlay.KEPT_COUNT + 1;
  for (let n = 1; n <= count; n++) {
    addRecord(lab.memory, CRASH_FAULT, `fault ${n}${'.'.repeat(300)}`);
    createCrash(context).start(true);
    lab.ticks(20);
  }
  t.is(kept.size, overlay.KEPT_COUNT);
  t.true([...kept.values()].every(({ length }) => length <= 4 + overlay.KEPT_TEXT));
  // What is in memory as well is told once.
  t.is(show(context, lab).match(new RegExp(`fault ${count}\\.`, 'g'))?.length, 1);
  lab.memory.fill(0, CRASH_AT, CRASH_AT + 4096);
  const after = show(context, lab);
  for (let n = 1; n <= count; n++)
    t.is(after.includes(`fault ${n}.`), n > count - overlay.KEPT_COUNT, `${n}`);
  t.regex(after, /\nThat was before power-on\nNothing has gone wrong since power-on\n/);
});

test('a record that the disk did not take is kept by the next control', t => {
  const kept = new Map<number, Uint8Array>();
  const lab = controlLab();
  const context = contextOf(lab);
  addRecord(lab.memory, CRASH_FAULT, 'one');
  createCrash({ ...context, disk: {} as Disk, store: fakeStore(kept, 'it is broken') as Store }).start(true);
  lab.ticks(20);
  t.is(kept.size, 0);
  addRecord(lab.memory, CRASH_FAULT, 'two');
  createCrash({ ...context, disk: {} as Disk, store: fakeStore(kept) as Store }).start(true);
  lab.ticks(20);
  t.is(kept.size, 2);
});

test('a board that dies for ever writes to its disk a bounded number of times', t => {
  const lab = controlLab();
  const store = fakeStore(new Map());
  let writes = 0;
  const flush = () => {
    writes++;
    return store.flush();
  };
  const context = { ...contextOf(lab), disk: {} as Disk, store: { ...store, flush } as Store };
  for (let n = 0; n < 2 * overlay.KEPT_MOST; n++) {
    addRecord(lab.memory, CRASH_FAULT, `fault ${n}`);
    createCrash(context).start(true);
    lab.ticks(20);
  }
  t.is(writes, overlay.KEPT_MOST);
});

test('recordReport() folds what is there many times, and fits a terminal', t => {
  const { memory, context } = controlLab();
  const stack = `${'    at deep\\n'.repeat(12)}    at step\\n`;
  const record = addRecord(
    memory,
    RESTART_EXCEPTION,
    `{"name":"E","message":"m","stack":"${stack}"}`,
    0x1234,
  );
  const [, ...lines] = recordReport(context, record);
  t.deepEqual(lines.slice(0, 2), ['    at deep (12 times)', '    at step']);
  t.regex(lines.slice(2).join('\n'), /^ {4}edi=0{8} .*\n.* eip=00001234 cs=0{8} efl=0{8} cr2=0{8}$/s);
  t.true(lines.every(({ length }) => length < 80));
});
