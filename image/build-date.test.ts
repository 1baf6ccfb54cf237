import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { buildDate } from './build-date.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'masqbox-date-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

test.serial(
  'buildDate() is the commit’s date, of a repository’s top only, and SOURCE_DATE_EPOCH goes first',
  t => {
    delete process.env['SOURCE_DATE_EPOCH'];
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...words], {
        cwd: folder,
        stdio: 'ignore',
        env: { ...process.env, GIT_COMMITTER_DATE: '1700000000 +0100', GIT_AUTHOR_DATE: '1600000000 +0100' },
      });
    git('init', '-q');
    const inside = path.join(folder, 'copy');
    mkdirSync(inside);
    for (const at of [folder, inside]) {
      writeFileSync(path.join(at, 'package.json'), '{}');
      utimesSync(path.join(at, 'package.json'), 1_500_000_000, 1_500_000_000);
    }
    t.is(buildDate(folder), 1_500_000_000, 'no commit yet');
    git('add', 'package.json');
    git('commit', '-q', '-m', 'x');
    t.is(buildDate(folder), 1_700_000_000);
    t.is(buildDate(inside), 1_500_000_000, 'another repository around it does not count');
    process.env['SOURCE_DATE_EPOCH'] = '1234567890';
    t.is(buildDate(folder), 1_234_567_890);
    process.env['SOURCE_DATE_EPOCH'] = 'now';
    t.throws(() => buildDate(folder), { message: /^Cannot build for SOURCE_DATE_EPOCH=now/ });
    delete process.env['SOURCE_DATE_EPOCH'];
  },
);
