// Each script with these filters and with the machine's own: both say the same, and end alike.

import test from 'ava';
import { dash, Lab } from '../shell-lab.ts';
import { FILES, FILTER_CASES } from './cases-lab.ts';
import { filters } from './overlay.ts';
import { Regex } from './regex.ts';

for (const [topic, scripts] of Object.entries(FILTER_CASES)) {
  test(`the machine's own filters do these alike: ${topic}`, t => {
    for (const script of scripts) {
      const lab = new Lab();
      for (const [name, tool] of Object.entries(filters)) lab.tools.set(name, tool);
      const expected = dash(FILES + script);
      const found = lab.run(FILES + script);
      t.is(found.out, expected.out, script);
      t.is(found.status, expected.status, `${script}\n${found.err}\n${expected.err}`);
    }
  });
}

test('a pattern that tries for long is refused, not waited for', t => {
  for (const pattern of ['(a*)*b', '(a|a)*b', 'a*a*a*a*a*a*a*b', '(((a*)*)*)*b', '(a|aa)+$x']) {
    const regex = new Regex(pattern, true);
    const start = performance.now();
    try {
      t.is(regex.exec('a'.repeat(200)), undefined, pattern);
    } catch (error) {
      t.regex((error as Error).message, /takes too long/);
    }
    t.true(performance.now() - start < 500, pattern);
  }
});
