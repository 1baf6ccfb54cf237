import test from 'ava';
import { RESTART_EXCEPTION, RESTART_HANG, RESTART_TRAP } from '../../firmware/abi.ts';
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
} from '../../firmware/crash-page.ts';
import { controlLab } from '../../test/control-lab.ts';
import { CRASH_AT } from '../plane/limits.ts';
import { i32at, puti32 } from '../plane/memory.ts';
import { crashRecords, crashSummary, createCrash, putCrashWord, recordLines } from './crash.ts';

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
  createCrash(lab.context).start(true);
  lab.ticks(20);
  t.deepEqual(lab.shown, ['crash: control ended by a trap: one']);
  addRecord(lab.memory, RESTART_TRAP, 'two');
  createCrash(lab.context).start(true);
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
