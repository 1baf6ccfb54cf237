import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import { nextChange } from '../time/next-change.ts';
import { secondsOf } from './civil.ts';
import { localAt, parseZone, type Zone } from './timezone.ts';

/** Zones whose rules are what they have been since 2007, with their POSIX strings. Node knows them by name. */
const ZONES: [string, string][] = [
  ['Europe/Berlin', 'CET-1CEST,M3.5.0,M10.5.0/3'],
  ['Europe/London', 'GMT0BST,M3.5.0/1,M10.5.0'],
  ['America/New_York', 'EST5EDT,M3.2.0,M11.1.0'],
  ['America/St_Johns', 'NST3:30NDT,M3.2.0,M11.1.0'],
  ['Australia/Sydney', 'AEST-10AEDT,M10.1.0,M4.1.0/3'],
  ['Australia/Lord_Howe', '<+1030>-10:30<+11>-11,M10.1.0,M4.1.0'],
  ['Asia/Kathmandu', '<+0545>-5:45'],
  ['Asia/Tokyo', 'JST-9'],
];

function zoneOf(text: string): Zone {
  const zone = parseZone(text);
  if (typeof zone === 'string') throw new Error(`${text}: ${zone}`);
  return zone;
}

/** What Node's own tables say, in seconds. */
function offsetByIntl(format: Intl.DateTimeFormat, seconds: number): number {
  const parts = new Map(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, Number(value)]));
  const part = (name: string) => parts.get(name as Intl.DateTimeFormatPartTypes) ?? 0;
  return (
    secondsOf(part('year'), part('month'), part('day'), part('hour') % 24, part('minute'), part('second')) -
    seconds
  );
}

for (const [name, text] of ZONES) {
  test(`localAt() agrees with the tables of ${name}, 2008 to 2036`, t => {
    const zone = zoneOf(text);
    const digits = '2-digit' as const;
    const format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: name, year: 'numeric', month: digits, day: digits, hour: digits, minute: digits },
      ...{ second: digits, hourCycle: 'h23' },
    });
    const time = fc.integer({
      min: secondsOf(2009, 1, 1, 0, 0, 0),
      max: secondsOf(2036, 12, 31, 23, 59, 59),
    });
    fc.assert(
      fc.property(time, seconds => {
        t.is(localAt(zone, seconds).offset, offsetByIntl(format, seconds), String(seconds));
      }),
      { numRuns: 500, seed: runSeed() },
    );
    // Every change of one year, to the second: found by halving where the table's offset changes.
    for (let day = 0; day < 366; day++) {
      const start = secondsOf(2027, 1, 1, 0, 0, 0) + day * 86400;
      let [low, high] = [start, start + 86400];
      if (offsetByIntl(format, low) === offsetByIntl(format, high)) continue;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (offsetByIntl(format, middle) === offsetByIntl(format, low)) low = middle;
        else high = middle;
      }
      t.is(localAt(zone, low).offset, offsetByIntl(format, low));
      t.is(localAt(zone, high).offset, offsetByIntl(format, high));
    }
  });
}

test('localAt() counts J days without and plain days with February 29', t => {
  const julian = zoneOf('AAA0BBB,J60/0,J300');
  t.is(localAt(julian, secondsOf(2024, 2, 29, 23, 59, 59)).name, 'AAA');
  t.is(localAt(julian, secondsOf(2024, 3, 1, 0, 0, 0)).name, 'BBB');
  t.is(localAt(julian, secondsOf(2023, 3, 1, 0, 0, 0)).name, 'BBB');
  const plain = zoneOf('AAA0BBB,59/0,300');
  t.is(localAt(plain, secondsOf(2024, 2, 29, 0, 0, 0)).name, 'BBB');
  t.is(localAt(plain, secondsOf(2023, 2, 28, 23, 59, 59)).name, 'AAA');
});

test('parseZone() takes a summer time without rules, and signed offsets', t => {
  const zone = zoneOf('EST+5EDT');
  t.is(localAt(zone, secondsOf(2026, 7, 1, 0, 0, 0)).offset, -4 * 3600);
  t.is(zoneOf('<-03>3').standard.offset, -3 * 3600);
  t.is(zoneOf('IST-05:30:00').standard.offset, 19800);
  t.is(zoneOf('CET-1').summer, undefined);
});

test('parseZone() refuses what is no zone, and every beginning of one that is none itself', t => {
  const wrong = [
    '',
    'CE',
    'CET',
    'CET-25',
    'CET-1:60',
    'CET-1CEST,',
    'CET-1CEST,M3.5.0',
    'CET-1CEST,M3.6.0,M1.1.0',
  ];
  for (const text of [...wrong, 'CET-1CEST,M13.1.0,M1.1.0', 'CET-1CEST,J0,J1', 'CET-1CEST,366,1', '<C>1'])
    t.is(typeof parseZone(text), 'string', text);
  const whole = 'CET-1CEST,M3.5.0,M10.5.0/3';
  const zones = [...whole]
    .map((_, n) => whole.slice(0, n))
    .filter(text => typeof parseZone(text) !== 'string');
  t.deepEqual(zones, ['CET-1', 'CET-1CES', 'CET-1CEST', 'CET-1CEST,M3.5.0,M10.5.0']);
  t.is(parseZone(`${whole}x`), 'x is too much');
});

test('parseZone() never throws', t => {
  const text = fc.string({ unit: fc.constantFrom(...'ABC<>+-0123456789:,./MJ') });
  fc.assert(
    fc.property(text, candidate => {
      const zone = parseZone(candidate);
      if (typeof zone !== 'string') localAt(zone, 1_800_000_000);
    }),
    { numRuns: 3000, seed: runSeed() },
  );
  t.pass();
});

test('nextChange() is the moment at which localAt() changes, and none comes before it', t => {
  for (const [name, text] of ZONES) {
    const zone = zoneOf(text);
    for (let year = 2020; year < 2032; year++) {
      for (const month of [1, 3, 4, 7, 10, 11, 12]) {
        const now = secondsOf(year, month, 20, 12, 0, 0);
        const change = nextChange(zone, now);
        if (zone.summer === undefined) {
          t.is(change, undefined, name);
          continue;
        }
        const { at, from, to } = change!;
        t.deepEqual([localAt(zone, at - 1), localAt(zone, at)], [from, to], `${name} after ${now}`);
        t.deepEqual(localAt(zone, now), from);
        t.true(at - now < 366 * 86400);
      }
    }
  }
  const berlin = nextChange(zoneOf('CET-1CEST,M3.5.0,M10.5.0/3'), secondsOf(2026, 11, 29, 0, 0, 0));
  t.is(berlin?.at, secondsOf(2027, 3, 28, 1, 0, 0));
});
