import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { freshImage, noteSources, sourcesOf, sourcesSum } from './freshness.ts';

test('an image is fresh until something that it may be built of changes', t => {
  const directory = mkdtempSync(path.join(tmpdir(), 'masqbox-freshness-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const name of ['board', 'firmware', 'hal', 'image', 'src/plane', 'tools'])
    mkdirSync(path.join(directory, name), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(path.join(directory, name), text);
  write('package-lock.json', '{}');
  write('tools/dhcp-options.ts', '');
  write('src/plane/nat.ts', 'one');
  const image = path.join(directory, 'an.img');
  t.throws(() => freshImage(image, directory), { message: 'There is no an.img: npm run image' });
  write('an.img', '');
  const stale = { message: 'an.img is not of the sources as they are: npm run image' };
  t.throws(() => freshImage(image, directory), stale);
  noteSources(image, sourcesSum(directory));
  t.is(freshImage(image, directory), image);
  write('src/plane/nat.test.ts', 'a test is not built');
  t.is(freshImage(image, directory), image);
  write('src/plane/nat.ts', 'two');
  t.throws(() => freshImage(image, directory), stale);
  noteSources(image, sourcesSum(directory));
  cpSync(path.join(directory, 'src/plane/nat.ts'), path.join(directory, 'src/plane/flow.ts'));
  t.throws(() => freshImage(image, directory), stale);
});

test('the sources have what is compiled, bundled and assembled, and no tests', t => {
  const files = sourcesOf();
  for (const file of ['src/control/control.ts', 'board/i486/start.S', 'hal/nic/nic.ts', 'package-lock.json'])
    t.true(files.includes(file), file);
  t.false(files.some(file => file.endsWith('.test.ts')));
});
