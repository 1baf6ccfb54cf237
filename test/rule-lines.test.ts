// A hundred thousand lines of rules, true and bent, for the suite; `npm run fuzz` goes on with other seeds.

import test from 'ava';
import { runSeed } from '../tools/harness/random.ts';
import { tryRuleLines } from './fuzz/rule-lines.ts';

const LINES = 100_000;
/** Of a laboratory of its own, that none has what another has left. */
const ROUND = 20_000;
const MILLISECONDS = 600_000;

test('any line of the three dialects is taken or refused in words, and no cell is lost', t => {
  t.timeout(MILLISECONDS);
  let taken = 0;
  for (let round = 0; round < LINES / ROUND; round++) {
    const tried = tryRuleLines(runSeed() + round, ROUND);
    t.is(tried.fault, '');
    taken += tried.taken;
  }
  t.log(`${taken} of ${LINES} lines were taken`);
  t.true(taken > LINES / 10);
});
