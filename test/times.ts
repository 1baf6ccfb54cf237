// Notes how long each file of tests took, start of its process included, in build/test-times/: AVA loads this before the tests.
// tools/test-times.ts adds it up.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = join(import.meta.dirname, '..');

process.on('exit', () => {
  const file = relative(ROOT, fileURLToPath(test.meta.file));
  const note = join(ROOT, 'build/test-times', file);
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, String(Math.round(process.uptime() * 1000)));
});
