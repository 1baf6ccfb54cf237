// What the entries say when they cannot do what they are asked: an old Node, options that npm kept, a card that is none.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import test from 'ava';

const ROOT = join(import.meta.dirname, '..');

function run(words: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, words, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { status, stderr };
}

test('node-version.cjs refuses an old Node in words, and lets a new one pass', t => {
  const as = (version: string) =>
    run([
      '-e',
      `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require('./tools/node-version.cjs')`,
    ]);
  for (const old of ['18.20.4', '20.18.3', '12.22.12']) {
    const { status, stderr } = as(old);
    t.is(status, 2, old);
    t.true(stderr.startsWith(`Masqbox needs Node 20.19 or newer, and this is ${old} (`), stderr);
    t.is(stderr.split('\n').length, 2, 'one line');
  }
  for (const good of ['20.19.0', '20.20.2', '22.1.0']) t.is(as(good).status, 0, good);
});

test('every script and program of package.json has Node checked before anything that an old one cannot read', t => {
  const { scripts, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const goesWith = (name: string): boolean =>
    name.replace(/^(pre|post)/, '') !== name && name.replace(/^(pre|post)/, '') in scripts;
  const own = Object.keys(scripts).filter(name => !goesWith(name));
  t.true(own.length >= 9);
  for (const name of own)
    t.regex(
      scripts[`pre${name}`] ?? '',
      /^node tools\/node-version\.cjs( && rm -rf build\/test-times)?$/,
      name,
    );
  for (const path of ['tools/node-version.cjs', ...Object.values<string>(bin)])
    t.notThrows(
      () => parse(readFileSync(join(ROOT, path), 'utf8'), { ecmaVersion: 5, allowHashBang: true }),
      path,
    );
  for (const path of Object.values<string>(bin)) {
    const as = `Object.defineProperty(process.versions, 'node', { value: '12.22.12' }); require('./${path}')`;
    const { status, stderr } = run(['-e', as]);
    t.is(status, 2, path);
    t.regex(stderr, /^Masqbox needs Node 20\.19 or newer, and this is 12\.22\.12 \(.*\)\n$/);
  }
});

const start = ['--import=tsx', 'tools/start.ts'];

test('npm start tells where options go that npm took for itself', t => {
  const { status, stderr } = run(start, { npm_config_card: 'card.img' });
  t.is(status, 1);
  t.is(stderr, 'Cannot start: npm took --card for itself; write npm start -- --card ...\n');
});

test('npm start refuses a card that is none before it builds anything', t => {
  const { status, stderr } = run([...start, '--card', 'README.md']);
  t.is(status, 1);
  const rootsWord = 'Cannot start with card README.md: it is not a Masqbox image, and is left as it is\n';
  const othersWord = 'Cannot start with a card: the sim board keeps its own, build/sim-disk.img\n';
  t.is(stderr, process.getuid?.() === 0 ? rootsWord : othersWord);
});
