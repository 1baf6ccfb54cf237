import { readFile } from 'node:fs/promises';
import test from 'ava';
import { OPTION_TABLE_PATH, optionTableFile } from '../../../tools/dhcp-options.ts';
import { OPTION_TABLE } from './option-table.ts';
import { lengthFits, optionInfo, parseOption } from './options.ts';

test('option-table.ts is what tools/dhcp-options.ts makes of node-dhcp', async t => {
  t.is(await readFile(OPTION_TABLE_PATH, 'utf8'), optionTableFile());
});

test('optionInfo() knows names and types, corrected where the package is wrong', t => {
  t.deepEqual(optionInfo(1), { name: 'Subnet Mask', type: 'IP' });
  t.deepEqual(optionInfo(61), { name: 'Client-Identifier', type: 'UInt8s' });
  t.deepEqual(optionInfo(252), { name: 'Web Proxy Auto-Discovery', type: 'ASCII' });
  t.is(optionInfo(0), undefined);
  t.is(optionInfo(255), undefined);
  t.is(optionInfo(1001), undefined);
});

test('optionInfo() answers for each line of the table', t => {
  const lines = OPTION_TABLE.trim().split('\n');
  t.true(lines.length > 80);
  for (const line of lines) {
    const [code, type, ...name] = line.split(' ');
    t.deepEqual(optionInfo(Number(code)), { name: name.join(' '), type: type as never });
  }
});

test('lengthFits() knows the lengths of each type', t => {
  const fitting = (type: Parameters<typeof lengthFits>[0]) =>
    Array.from({ length: 10 }, (_, n) => n).filter(n => lengthFits(type, n));
  t.deepEqual(fitting('IP'), [4]);
  t.deepEqual(fitting('IPs'), [4, 8]);
  t.deepEqual(fitting('Bool'), [1]);
  t.deepEqual(fitting('UInt16'), [2]);
  t.deepEqual(fitting('UInt16s'), [2, 4, 6, 8]);
  t.is(fitting('ASCII').length, 9);
});

test('parseOption() takes a question mark as it is typed and as it is listed', t => {
  t.deepEqual(parseOption('ASCII', ['what?', 'a\\x3fb']), Uint8Array.from(Buffer.from('what? a?b')));
});
