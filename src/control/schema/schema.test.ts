import test from 'ava';
import type { Command } from '../core/console/command.ts';
import { plainOutput } from '../core/console/screen.ts';
import { createLineHelp } from './line-help.ts';
import { complete, faultOf, hintsAt, type Known } from './schema.ts';

const run = () => undefined;
const table: Command[] = [
  { words: 'help', arguments: '[COMMAND:command...9]', help: '', run },
  { words: 'set dhcp', arguments: 'on|off=on', help: 'whether', run },
  { words: 'set dhcp range', arguments: 'FIRST:address LAST:address', help: 'which', run },
  { words: 'set dhcp lease', arguments: 'TIME:integer(120..8640000,seconds)=43200', help: 'how long', run },
  { words: 'set dns host', arguments: 'NAME:domain ADDRESS:address', help: '', run },
  { words: 'unset dns host', arguments: 'NAME:domain', help: 'forgets', run },
  { words: 'set dns server', arguments: 'ADDRESS:address...4', help: '', run },
  { words: 'show masq', help: 'sessions', run },
  { words: 'show memory', help: '', run },
];
const zone: Command = { words: 'set timezone', arguments: 'ZONE:zone=UTC', help: 'the zone', run };
const known: Known = {
  addresses: () => ['192.168.0.100', '192.168.0.101', '203.0.113.1'],
  names: () => ['printer'],
  cards: () => ['52:54:00:12:34:01', '0x300'],
  zones: () => ['Europe/Berlin', 'Europe/Lisbon', 'Etc/UTC'],
  lines: () => ['set dns host nas 192.168.0.7', 'set dns host nut 192.168.0.8', 'set dhcp lease 600'],
};

function completed(before: string): string {
  const { add, candidates } = complete(table, before, known);
  return candidates.length > 0 ? candidates.join(' ') : before + add;
}

test('complete() adds what is certain and else answers the candidates', t => {
  const cases = [
    ['sho', 'show '],
    ['show ', 'show m'],
    ['show m', 'masq memory'],
    ['show me', 'show memory '],
    ['set d', 'dhcp dns'],
    ['set dhcp ', 'lease off on range'],
    ['set dhcp o', 'off on'],
    ['set dhcp of', 'set dhcp off '],
    ['set dhcp range 2', 'set dhcp range 203.0.113.1 '],
    ['set dhcp range 1', 'set dhcp range 192.168.0.10'],
    ['set dhcp range 192.168.0.100 192.168.0.10', '192.168.0.100 192.168.0.101'],
    ['set dns server 1.1.1.1 9.9.9.9 2', 'set dns server 1.1.1.1 9.9.9.9 203.0.113.1 '],
    ['set dhcp lease ', '43200 600'],
    ['unset dns host ', 'unset dns host n'],
    ['unset dns host n', 'nas nut'],
    ['unset dns host na', 'unset dns host nas '],
    ['help se', 'help set '],
    ['help set dns ', 'host server'],
    ['nonsense', 'nonsense'],
    ['show masq ', 'show masq '],
    ['set dhcp on ', 'set dhcp on '],
    ['set dhcp on c', 'set dhcp on confirm '],
  ];
  for (const [before = '', after] of cases) t.is(completed(before), after, before);
});

test('faultOf() finds the wrong word and what was expected there', t => {
  const cases: [string, number, RegExp][] = [
    ['shwo masq', 0, /help, set, unset, show/],
    ['set dxcp on', 4, /^dhcp, dns$/],
    ['set dhcp range 192.168.0.1 192.168.0.300', 27, /^LAST, an address, as in 192/],
    ['set dhcp lease 5', 15, /^TIME, 120 to 8640000 seconds, 43200 if nothing is set$/],
    ['set dhcp range 1.1.1.1', 23, /^LAST/],
    ['show masq now', 10, /^the end of the line$/],
    ['set dhcp', 9, /range, lease, on or off/],
    // A misspelt word of a longer command looks like the argument of a shorter one.
    ['set dhcp rnge 1.1.1.1 1.1.1.2', 9, /^range, lease, on or off, on if nothing is set$/],
    ['set dhcp lease x confirm', 15, /^TIME/],
    ['set dhcp on confirm', 20, /^MINUTES, 1 to 1440$/],
    ['set dhcp on now', 12, /^confirm, the end of the line$/],
    ['help shwo', 5, /help, set, unset, show/],
  ];
  for (const [line, offset, expected] of cases) {
    const fault = faultOf(table, line);
    t.is(fault?.offset, offset, line);
    t.regex(fault?.expected ?? '', expected, line);
  }
  t.is(faultOf(table, 'set dhcp range 192.168.0.1 192.168.0.9'), undefined);
});

test('hintsAt() tells what may come next', t => {
  t.deepEqual(hintsAt(table, 'set dhcp '), [
    { form: 'range FIRST LAST', help: 'which' },
    { form: 'lease TIME', help: 'how long' },
    { form: 'on or off, on if nothing is set', help: 'whether' },
  ]);
  t.deepEqual(hintsAt(table, 'set dhcp on '), [
    { form: 'confirm MINUTES', help: 'takes it back after MINUTES, unless confirm is typed before' },
    { form: 'Enter', help: 'whether' },
  ]);
  t.deepEqual(hintsAt(table, 'show masq '), [{ form: 'Enter', help: 'sessions' }]);
  t.deepEqual(hintsAt(table, 'se'), [{ form: 'set', help: 'dhcp, dns' }]);
});

test('mark() puts the caret under the word, and the text where it has room', t => {
  const { mark } = createLineHelp(table, known);
  const lease = 'expected: TIME, 120 to 8640000 seconds, 43200 if nothing is set';
  t.is(mark('set dhcp lease 5', 9), `${' '.repeat(24)}^\r\n  ${lease}`);
  t.is(mark('show masq now', 9), `${' '.repeat(19)}^ expected: the end of the line`);
  const long = `show masq ${' '.repeat(40)}now`;
  t.is(mark(long, 9), `${'  expected: the end of the line '.padStart(59)}^`);
  const many = [...Array(12).keys()].map(i => ({ words: `set number-${i}`, help: '', run }));
  const listed = createLineHelp(many, known).mark('set nothing', 9) ?? '';
  t.true(listed.split('\r\n').length === 3 && listed.endsWith('number-11'), listed);
  for (const row of listed.split('\r\n')) t.true(row.length < 80, row);
  t.is(plainOutput(`${listed}\r\nCannot run set nothing: there is none\r\n`).split('\r\n').length, 2);
  for (const line of ['set dhcp lease 5', long, 'shwo', `set dns server ${'1.1.1.1 '.repeat(6)}`]) {
    for (const row of (mark(line, 9) ?? '').split('\r\n')) t.true(row.length < 80, row);
  }
});

test('complete() knows time zones once a letter is typed', t => {
  const of = (before: string) => complete([...table, zone], before, known);
  t.deepEqual(of('set timezone '), { add: 'UTC ', candidates: [] });
  t.deepEqual(of('set timezone Eu'), { add: 'rope/', candidates: [] });
  t.deepEqual(of('set timezone Europe/').candidates, ['Europe/Berlin', 'Europe/Lisbon']);
  t.deepEqual(of('set timezone Europe/B'), { add: 'erlin ', candidates: [] });
});
