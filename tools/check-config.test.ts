import test from 'ava';
import { longConfiguration } from '../test/harness/long-configuration.ts';
import { refusedLines } from './check-config.ts';

const GOOD = `set password hash 2000 ${'0123456789abcdef'.repeat(2)} ${'0123456789abcdef'.repeat(4)}`;

test('refusedLines() finds what the board would not take, with the numbers of the file', async t => {
  const text = [
    '# a comment',
    '',
    'set lan address 10.0.0.1/24\r',
    'set lan adress 10.0.0.1/24',
    GOOD,
    '\tset wan gateway 203.0.113.1',
    'set wan address 203.0.113.5/24',
    'reboot',
    'set nat timeout udp 60',
    `${GOOD}00`,
    'set dhcp lease 7200 confirm 5',
    '',
  ].join('\n');
  const refused = await refusedLines(text);
  t.deepEqual(
    refused.map(({ number }) => number),
    [4, 8, 9, 10, 11],
  );
  const [word, command, value, password, confirm] = refused.map(({ why }) => why);
  t.is(word, 'Cannot run set lan adress 10.0.0.1/24: there is no such command, see help');
  t.is(command, 'Cannot apply reboot: it is no setting');
  t.is(value, 'Cannot set NAT timeout udp 60: the RFCs ask for 120 s at least');
  t.is(password, 'Cannot set password hash: it is not what password makes');
  t.regex(confirm ?? '', /^Cannot apply set dhcp lease 7200 confirm 5: /);
});

test('refusedLines() lets a long configuration and an empty one pass', async t => {
  t.deepEqual(await refusedLines(longConfiguration), []);
  t.deepEqual(await refusedLines(''), []);
});
