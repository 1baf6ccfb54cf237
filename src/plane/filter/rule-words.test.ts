// The hashes by which words of rules are known: each is that of the text beside it, and they differ.

import { readFileSync } from 'node:fs';
import test from 'ava';
import * as words from './rule-words.ts';

function fnv(text: string): number {
  let hash = 0x811c9dc5;
  for (const c of Buffer.from(text)) hash = Math.imul(hash ^ c, 0x01000193);
  return hash | 0;
}

test('each word has the hash of its text, and no two are the same', t => {
  const source = readFileSync(new URL('rule-words.ts', import.meta.url), 'utf8');
  const found = [...source.matchAll(/^\/\*\* (\S+) \*\/\nexport const (\w+): i32/gm)];
  t.is(found.length, Object.keys(words).length);
  for (const [, text = '', name = ''] of found)
    t.is((words as Record<string, number>)[name], fnv(text), text);
  t.is(new Set(Object.values(words)).size, found.length);
});
