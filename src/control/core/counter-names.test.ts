import { readFileSync } from 'node:fs';
import test from 'ava';
import { COUNTER_COUNT } from '../../base/limits.ts';
import { counterList } from './counter-names.ts';

test('counterList() has every counter of the plane, by its name and number', t => {
  const source = readFileSync(new URL('../../base/counters.ts', import.meta.url), 'utf8');
  const constants = [...source.matchAll(/export const (?:COUNT_)?((?:DROP_)?\w+): i32 = (\d+);/g)];
  t.deepEqual(
    counterList().map(({ name, index }) => [name, index]),
    constants.map(([, name = '', index]) => [name.toLowerCase().replaceAll('_', '-'), Number(index)]),
  );
});

test('counterList() has each index once, all inside the table', t => {
  const indices = counterList().map(counter => counter.index);
  t.is(new Set(indices).size, indices.length);
  t.true(indices.every(index => index >= 0 && index < COUNTER_COUNT));
  t.is(counterList()[0]?.name, 'drop-no-buffer');
  t.is(counterList()[0]?.meaning, 'no packet buffer was free');
});
