import { readFileSync } from 'node:fs';
import test from 'ava';
import { COUNTER_COUNT } from '../plane/limits.ts';
import { COUNTER_NAMES, counterList } from './counter-names.ts';

test('COUNTER_NAMES has every counter of the plane, in its order', t => {
  const source = readFileSync(new URL('../plane/counters.ts', import.meta.url), 'utf8');
  const constants = [...source.matchAll(/export const ((?:DROP|COUNT)_\w+): i32 = (\d+);/g)];
  t.deepEqual(
    Object.keys(COUNTER_NAMES),
    constants.map(match => match[1]),
  );
  t.deepEqual(
    counterList().map(counter => counter.index),
    constants.map(match => Number(match[2])),
  );
});

test('counterList() has each index once, all inside the table', t => {
  const indices = counterList().map(counter => counter.index);
  t.is(new Set(indices).size, indices.length);
  t.true(indices.every(index => index >= 0 && index < COUNTER_COUNT));
  t.is(counterList()[0]?.name, 'drop-no-buffer');
});
