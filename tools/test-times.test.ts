import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test from 'ava';
import { groupOf, timesTable } from './test-times.ts';

test('timesTable() adds up by folders, the longest first', t => {
  t.deepEqual(
    timesTable([
      { file: 'src/control/dns/a.test.ts', seconds: 2 },
      { file: 'test/b.test.ts', seconds: 60 },
      { file: 'src/control/dns/c.test.ts', seconds: 1 },
    ]),
    [
      '    63 s  all 3 files',
      '    60 s  test, 1 file',
      '     3 s  src/control/dns, 2 files',
      'The slowest files:',
      '    60 s  test/b.test.ts',
      '     2 s  src/control/dns/a.test.ts',
      '     1 s  src/control/dns/c.test.ts',
    ],
  );
  t.is(groupOf('src/plane/ip/a.test.ts'), 'src/plane');
  t.is(groupOf('src/control/core/net/a.test.ts'), 'src/control/core');
});

test('a file that has run is noted', t => {
  const file = 'src/base/pool.test.ts';
  execFileSync('npx', ['ava', file]);
  t.true(existsSync(`build/test-times/${file}`));
});
