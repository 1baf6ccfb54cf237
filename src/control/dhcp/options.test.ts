import { readFile } from 'node:fs/promises';
import test from 'ava';
import { OPTION_TABLE_PATH, optionTableFile } from '../../../tools/dhcp-options.ts';
import { OPTION_TABLE } from './option-table.ts';
import { lengthFits, optionType, parseOption } from './options.ts';

test('option-table.ts is what tools/dhcp-options.ts makes of node-dhcp', async t => {
  t.is(await readFile(OPTION_TABLE_PATH, 'utf8'), optionTableFile());
});

test('optionType() is corrected where the package is wrong, and knows what it lacks', t => {
  t.is(optionType(1), 'IP');
  t.is(optionType(61), 'UInt8s');
  t.is(optionType(150), 'IPs');
  t.is(optionType(252), 'ASCII');
  t.is(optionType(0), undefined);
  t.is(optionType(255), undefined);
  t.is(optionType(1001), undefined);
});

test('optionType() answers for each line of the table', t => {
  const lines = OPTION_TABLE.trim().split('\n');
  t.true(lines.length > 80);
  for (const line of lines) {
    const [code, type] = line.split(' ');
    t.is(optionType(Number(code)), type as never);
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

test('parseOption() reads what people write', t => {
  const value = (code: number, line: string): number[] | string => {
    const bytes = parseOption(optionType(code) ?? 'UInt8s', line.split(' '));
    return typeof bytes === 'string' ? bytes : [...bytes];
  };
  const url = `https://portal.example/${'x'.repeat(100)}`;
  t.deepEqual(value(150, '192.168.0.3 192.168.0.4'), [192, 168, 0, 3, 192, 168, 0, 4]);
  t.deepEqual(value(230, '192.168.0.3'), [192, 168, 0, 3], 'of unknown type');
  t.deepEqual(value(230, '1 2 0xff'), [1, 2, 255]);
  t.deepEqual(value(230, 'http://x/y'), [...Buffer.from('http://x/y')]);
  t.deepEqual(value(43, '01:04:c0:a8:00:0A'), [1, 4, 192, 168, 0, 10]);
  t.deepEqual(value(43, '0x0104C0a8000a'), [1, 4, 192, 168, 0, 10]);
  t.deepEqual(value(43, '0xff'), [255]);
  t.deepEqual(value(43, 'ubnt'), [...Buffer.from('ubnt')]);
  t.deepEqual(value(114, url), [...Buffer.from(url)]);
  t.deepEqual(value(119, 'lan home.example.'), [
    3,
    108,
    97,
    110,
    0,
    4,
    ...Buffer.from('home'),
    7,
    ...Buffer.from('example'),
    0,
  ]);
  t.deepEqual(
    value(121, '10.0.0.0/8 192.168.0.2 0.0.0.0/0 192.168.0.1'),
    [8, 10, 192, 168, 0, 2, 0, 192, 168, 0, 1],
  );
  t.deepEqual(
    value(121, '24 10 1 2 192 168 0 2'),
    [24, 10, 1, 2, 192, 168, 0, 2],
    'as it was written before',
  );
  t.is(value(230, '1 256'), '256 is not a number from 0 to 255');
  t.is(value(230, '1.2.3'), 'an address is four numbers with dots');
  t.is(value(119, 'a..b'), 'a..b is no domain name');
  t.is(value(121, '10.0.0.0/8'), 'each network wants a gateway behind it');
  t.is(value(119, `${'a.'.repeat(130)}b`), 'it is longer than 255 bytes');
});
