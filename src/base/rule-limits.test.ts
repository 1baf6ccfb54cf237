// The map of what rules need: rule-limits.ts says it, this holds it.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { RULES_AT, RULES_BYTES } from './limits.ts';
import * as limits from './rule-limits.ts';

const all = limits as unknown as Record<string, number>;
const text = readFileSync(new URL('rule-limits.ts', import.meta.url), 'utf8');
/** Region names and what their addresses are made of, in the order of the map. */
const regions = [...text.matchAll(/^export const (\w+_AT|RULES_END): i32 =\s+([^;]+);/gm)].map(
  ([, name, sum]) => [name as string, sum as string] as const,
);

test('each region of the rules starts where the one before it ends, on a cache line', t => {
  t.true(regions.length > 8);
  for (const [i, [name, sum]] of regions.entries()) {
    t.is(/\w+/.exec(sum)?.[0], i === 0 ? 'RULES_AT' : regions[i - 1]?.[0], `${name} = ${sum}`);
    t.is((all[name] as number) % 64, 0, name);
    if (i > 0) t.true((all[name] as number) > (all[regions[i - 1]?.[0] as string] as number), name);
  }
});

test('what is lent by itself is whole pages, and all of it has its place', t => {
  for (const at of [limits.RULE_STATE_AT, limits.FLOW_RULES_AT, limits.RULE_CELLS_AT, limits.RECENT_AT])
    t.is(at % 4096, 0);
  t.is(limits.RULES_END, RULES_AT + RULES_BYTES);
});
