import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { planeNames } from '../firmware/host.ts';
import * as plane from '../firmware/plane.ts';
import { numberedCalls } from './plane-calls.ts';

const names = planeNames(plane);
const number = (name: string): number => names.indexOf(name);

test('numberedCalls() puts numbers into the places of names', t => {
  t.is(numberedCalls('machine.plane.poolFree()'), `machine.plane.call(${number('poolFree')})`);
  t.is(
    numberedCalls('this.plane.stirEntropy(a, plane.random32())'),
    `this.plane.call(${number('stirEntropy')}, a, plane.call(${number('random32')}))`,
  );
  t.is(numberedCalls('plane.crc32(0, at, n)'), 'plane.crc32(0, at, n)');
  t.throws(() => numberedCalls('plane.noSuchThing(1)'), { message: /noSuchThing/ });
});

/** Names that members of other things have as well. */
const OTHERS = [
  'checksum',
  'crc32',
  'interrupt',
  'keyedHash',
  'receive',
  'release',
  'tick',
  'wanted',
  'work',
];

test('control calls the plane in no other way: what is handed it calls it plane, too', t => {
  const byName = names.filter(name => !OTHERS.includes(name)).join('|');
  const wrong = [
    new RegExp(String.raw`(?<!\bplane|overlay\('interpreted'\))\??\.(${byName})\b`),
    // Functions that are handed on, or taken out of the object.
    /\bplane\.\w+\b(?!\()|\bplane\?|\bplane\[|\} = (\w+\.)*plane\b/,
  ];
  for (const file of readdirSync('src/control', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /\.test\.ts$|-lab\.ts$|^debug\//.test(file)) continue;
    const lines = readFileSync(`src/control/${file}`, 'utf8').split('\n');
    for (const line of lines.filter(it => !/^\s*(\/\/|\*|\/\*)|from '/.test(it))) {
      for (const way of wrong) t.notRegex(line.replace(/import\('.*'\)/, ''), way, `${file}: ${line}`);
    }
  }
});
