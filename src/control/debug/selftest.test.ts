import { crc32 } from 'node:zlib';
import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';
import { hex } from '../core/address.ts';
import { crcOfText, createRandom } from './random.ts';
import { GROUPS, type GroupResult, selftest } from './selftest.ts';

/**
 * Where the language leaves the last digit to the engine (Math, radixes other than 10, parseInt of them), or
 * this engine is wrong (BigInt.asUintN(64) of some numbers is negative), V8 is no judge.
 */
const ENGINE_SPECIFIC = ['number-format', 'number-parse', 'math', 'bigint'];

function results(): GroupResult[] {
  return [...selftest()].filter(result => result !== undefined);
}

test('crcOfText() is CRC-32', t => {
  const bytes = Buffer.from('123456789 \u20ac', 'utf16le');
  t.is(crcOfText('123456789 \u20ac') >>> 0, crc32(bytes));
  t.is(crcOfText('789', crcOfText('123456')), crcOfText('123456789'));
});

test('selftest() has a few thousand cases, each group with results of its own', t => {
  const all = results();
  t.deepEqual(
    all.map(({ name }) => name),
    Object.keys(GROUPS),
  );
  t.true(all.reduce((sum, { cases }) => sum + cases, 0) > 3000);
  t.true(all.every(({ cases }) => cases >= 200));
  t.is(new Set(all.map(({ crc }) => crc)).size, all.length);
});

test('every group depends on its random numbers', t => {
  for (const [name, group] of Object.entries(GROUPS)) {
    t.notDeepEqual([...group(createRandom(1))], [...group(createRandom(2))], name);
  }
});

test('the embedded engine agrees with V8 where the language leaves no choice', async t => {
  let text = '';
  const board = await createSimBoard({ onFrame: () => {}, onOutput: output => (text += output) });
  board.run();
  board.type('debug selftest\r');
  for (let i = 0; i < 100 && !text.includes('total'); i++) board.run();
  for (const { name, cases, crc } of results()) {
    if (ENGINE_SPECIFIC.includes(name)) t.true(text.includes(`selftest ${name} ${cases} `));
    else t.true(text.includes(`selftest ${name} ${cases} ${hex(crc, 8)}\r\n`), name);
  }
});
