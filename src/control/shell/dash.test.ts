// Each script by this shell and by dash: both say the same, and end alike. Messages differ, and are compared nowhere.

import test from 'ava';
import { CASES } from './cases-lab.ts';
import { dash, ours } from './shell-lab.ts';

for (const [topic, scripts] of Object.entries(CASES)) {
  test(`dash runs these as the shell does: ${topic}`, t => {
    for (const script of scripts) {
      const expected = dash(script);
      const found = ours(script);
      t.is(found.out, expected.out, script);
      t.is(found.status, expected.status, `${script}\n${found.err}\n${expected.err}`);
    }
  });
}
