import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { writePrivate } from './private-file.ts';

const ONLY_OWNER = 0o600;
const mode = (file: string): number => statSync(file).mode & 0o777;

test('a file with the hash of a password is for its owner alone, new or not', t => {
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-private-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [fresh, old] = [join(folder, 'fresh'), join(folder, 'old')];
  writePrivate(fresh, 'set password hash 1 a b\n');
  t.is(mode(fresh), ONLY_OWNER);
  writeFileSync(old, 'before');
  chmodSync(old, 0o644);
  writePrivate(old, 'set password hash 1 a b\n');
  t.is(mode(old), ONLY_OWNER);
  t.is(readFileSync(old, 'utf8'), 'set password hash 1 a b\n');
});

test('what is no file, as a terminal, keeps its mode', t => {
  const before = mode('/dev/null');
  t.notThrows(() => writePrivate('/dev/null', 'x'));
  t.is(mode('/dev/null'), before);
});
