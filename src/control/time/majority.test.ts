import test from 'ava';
import { runSeed, seeded } from '../../../tools/harness/random.ts';
import { majority } from './majority.ts';

const named = (...times: [time: number, error: number][]) =>
  times.map(([time, error], i) => ({ time, error, name: 'abcd'[i] }));
const names = (...times: [time: number, error: number][]) =>
  majority(named(...times))
    .map(({ name }) => name)
    .join('');

test('one is believed alone, and of two that differ none', t => {
  t.is(names(), '');
  t.is(names([5, 1]), 'a');
  t.is(names([5, 1], [5, 2]), 'ab');
  t.is(names([5, 2], [8, 1]), 'ba', 'the surest first; they touch at 7');
  t.is(names([5, 1], [8, 1]), '');
});

test('two of three and three of four are enough, two of four are not', t => {
  t.is(names([5, 1], [900, 1], [6, 2]), 'ac');
  t.is(names([900, 1], [5, 1], [-900, 2]), '');
  t.is(names([5, 1], [900, 1], [6, 2], [5, 3]), 'acd');
  t.is(names([5, 1], [5, 1], [900, 1], [900, 1]), '');
  t.is(names([0, 5], [8, 5], [16, 5]), 'ab', 'each agrees with its neighbour, but not all with all');
});

test('fewer liars than honest ones never move the clock farther than the honest may be off', t => {
  const seed = runSeed();
  const random = seeded(seed);
  for (let round = 0; round < 2000; round++) {
    const count = 3 + random.below(2);
    const opinions = Array.from({ length: count }, (_, i) => {
      const error = 1 + random.below(100);
      const isLiar = i < Math.floor((count - 1) / 2);
      const time = isLiar ? random.below(2000) - 1000 : random.below(2 * error + 1) - error;
      return { time, error };
    });
    const [chosen] = majority(opinions);
    t.true(chosen !== undefined && Math.abs(chosen.time) <= 400, `seed ${seed}, round ${round}`);
  }
});
