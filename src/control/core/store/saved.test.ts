// Saved settings of each version of their language, as a board of that version wrote them, one line of each setting: all are
// read without a refusal, and mean the same. Whoever raises CONFIG_VERSION adds the text of the new version.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { encodeConfig } from '../../../../image/records.ts';
import { areaAt, blank, powerOn } from './store-lab.ts';
import { CONFIG_VERSION, versionOf } from './version.ts';

const textOf = (version: number): string =>
  readFileSync(join(import.meta.dirname, `saved/version-${version}.txt`), 'utf8');

for (let version = 1; version <= CONFIG_VERSION; version++) {
  test(`what version ${version} has saved is read, and saved as today's`, async t => {
    const text = textOf(version);
    t.is(versionOf(text.split('\n')[0] as string), version);
    const disk = blank();
    Buffer.from(encodeConfig(1, text)).copy(disk, areaAt(0));
    const { start, command } = await powerOn(disk);
    t.notRegex(start, /Cannot|not applied|refused/);
    const exported = command('export secrets').split('\n');
    const lost = textOf(CONFIG_VERSION)
      .trim()
      .split('\n')
      .filter(line => !exported.includes(line));
    t.deepEqual(lost, []);
  });
}
