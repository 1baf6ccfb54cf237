import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import { civilOf, dateText, daysOf, secondsOf, shortDateText } from './civil.ts';

/** 1582 to 4000: JavaScript's own calendar is the oracle. */
const seconds = fc.integer({ min: -12244089600, max: 64060588800 });

test('civilOf() and secondsOf() agree with JavaScript over 2,400 years', t => {
  fc.assert(
    fc.property(seconds, time => {
      const civil = civilOf(time);
      const date = new Date(time * 1000);
      t.deepEqual(civil, {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
        weekday: date.getUTCDay(),
      });
      const { year, month, day, hour, minute, second } = civil;
      t.is(secondsOf(year, month, day, hour, minute, second), time);
    }),
    { numRuns: 2000, seed: runSeed() },
  );
});

test('daysOf() knows the leap years of centuries', t => {
  t.is(daysOf(2000, 3, 1) - daysOf(2000, 2, 28), 2);
  t.is(daysOf(2100, 3, 1) - daysOf(2100, 2, 28), 1);
  t.is(daysOf(1970, 1, 1), 0);
});

test('dateText() and shortDateText() are as syslog has them', t => {
  const time = secondsOf(2026, 11, 2, 3, 5, 9);
  t.is(dateText(time), '2026-11-02 03:05:09');
  t.is(dateText(time, 'T'), '2026-11-02T03:05:09');
  t.is(shortDateText(time), 'Nov  2 03:05:09');
});
