import { readFileSync } from 'node:fs';
import test from 'ava';
import { consoleTable } from './console-table.ts';
import { MANUAL_PATH, manual } from './manual.ts';

const file = readFileSync(MANUAL_PATH, 'utf8');

test('docs/console.md has the commands as they are', t => {
  t.is(manual(file), file, 'the schema has changed: npm run manual');
});

test('manual() has an entry for every command, keeps what is written by hand, and needs its mark', t => {
  const made = manual(file);
  for (const { words } of consoleTable()) {
    t.regex(made, new RegExp(`^(### )?\`${words}( [^\`]*)?\``, 'm'), words);
  }
  t.true(manual(file.replace('# The console', '# Another title')).startsWith('# Another title'));
  t.throws(() => manual('# The console\n'), { message: /has no line/ });
});
