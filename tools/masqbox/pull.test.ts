import test from 'ava';
import { versionLine } from '../../src/control/core/store/version.ts';
import { Failure } from './failure.ts';
import { configurationOf, pull } from './pull.ts';
import type { Answer, Session } from './session.ts';

const ROWS = [versionLine(), 'set lan address 10.0.0.1/8', 'set engine native'];
const TEXT = `${ROWS.join('\n')}\n`;

/** A session whose readings are these, the last again and again. */
function sessionOf(readings: readonly (readonly string[])[]): { session: Session; count: () => number } {
  let count = 0;
  const run = async (): Promise<Answer> => {
    const rows = readings[Math.min(count++, readings.length - 1)] ?? [];
    return { rows, refusal: rows.find(row => row.startsWith('Cannot ')) };
  };
  return { session: { run } as unknown as Session, count: () => count };
}

test('configurationOf() leaves out what the log says, and wants the first line', t => {
  const between = ROWS.flatMap(row => [
    'wan: lease of 192.0.2.7',
    row,
    '',
    'update: slot B is permanent now',
  ]);
  t.is(configurationOf(between), TEXT);
  t.is(configurationOf(ROWS.slice(1)), '');
});

test('pull() reads until two readings agree', async t => {
  const damaged = [ROWS[0]!, 'set lan address 10.0.0.7/8', ROWS[2]!];
  const clean = sessionOf([ROWS]);
  t.is(await pull(clean.session), TEXT);
  t.is(clean.count(), 2);
  const once = sessionOf([damaged, ROWS]);
  t.is(await pull(once.session), TEXT);
  t.is(once.count(), 3);
  const never = sessionOf([ROWS, damaged, ROWS, damaged]);
  await t.throwsAsync(pull(never.session), {
    message: 'Cannot read the configuration: 4 readings all differ',
  });
  await t.throwsAsync(pull(sessionOf([[]]).session), { instanceOf: Failure });
  await t.throwsAsync(pull(sessionOf([['Cannot run export: x']]).session), {
    message: 'Cannot run export: x',
  });
});
