// The map of the plane's memory: limits.ts says it, this holds it.

import { readFileSync } from 'node:fs';
import test from 'ava';
import * as limits from './limits.ts';
import { VJ_PAGE_BYTES } from './line-limits.ts';

const LINE = 64;
const all = limits as unknown as Record<string, number>;
const text = readFileSync(new URL('limits.ts', import.meta.url), 'utf8');
/** Region names and what their addresses are made of, in the order of the map. */
const regions = [...text.matchAll(/^export const (\w+_AT|PLANE_END): i32 =\s+([^;]+);/gm)].map(
  ([, name, sum]) => [name as string, sum as string] as const,
);

test('each region starts where the one before it ends', t => {
  t.true(regions.length > 50);
  for (const [i, [name, sum]] of regions.entries()) {
    if (i === 0) t.is(sum, 'PLANE_FIRST');
    else if (name === 'CRASH_AT') t.is(sum, '(PLANE_END + 4095) & ~4095');
    else t.is(/\w+/.exec(sum)?.[0], regions[i - 1]?.[0], `${name} = ${sum}`);
  }
});

test('each region has a size, and starts on a cache line', t => {
  const starts = regions.map(([name]) => all[name] as number);
  t.deepEqual(
    regions.filter(([name]) => (all[name] as number) % LINE !== 0).map(([name]) => name),
    [],
  );
  for (let i = 1; i < starts.length; i++)
    // What is lent begins with the sections' texts.
    if (regions[i]?.[0] !== 'SECTION_TEXTS_AT')
      t.true((starts[i] as number) > (starts[i - 1] as number), `${regions[i]?.[0]}`);
});

test('nothing is kept below PLANE_FIRST, and what is lent is behind the page that survives a reset', t => {
  t.is(limits.CELLS_AT, limits.PLANE_FIRST);
  t.is(limits.LENT_AT, limits.CRASH_AT + 4096);
  t.is(limits.LENT_AT % 4096, 0);
  t.is(limits.SECTION_TEXT_BYTES % 4096, 0);
  t.is(limits.RULES_AT, limits.LENT_AT + 2 * limits.SECTION_TEXT_BYTES);
  t.is(limits.VJ_PAGES_AT, limits.RULES_AT + limits.RULES_BYTES);
  t.is(VJ_PAGE_BYTES, limits.VJ_PAGE);
  t.is(limits.QUEUES_AT, limits.VJ_PAGES_AT + limits.SERIAL_COUNT * limits.VJ_PAGE);
  t.is(limits.PLANE_BYTES, limits.QUEUES_AT + limits.INTERFACE_COUNT * limits.QUEUE_RECORD_BYTES);
  t.is(limits.PLANE_BYTES % 4096, 0);
  t.true(limits.CRASH_AT >= limits.PLANE_END);
});
