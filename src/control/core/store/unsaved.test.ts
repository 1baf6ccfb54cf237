// Whether what is set counts as saved, on the sim board: by what the saved text has come to, however it is written.

import test from 'ava';
import { encodeConfig } from '../../../../image/records.ts';
import { areaAt, blank, powerOn } from './store-lab.ts';

/** As people write it: shortened, one line for two, in another order, with a comment, and one that no board takes. */
const TEXT = `# for the shop
set timezone berlin
se wan static 203.0.113.5/24 203.0.113.1
set lan addr 10.1.0.1/24
set no such thing
`;
const TAKEN = TEXT.replace('set no such thing\n', '');

async function boardWith(text: string, isSafe = false) {
  const bytes = blank();
  Buffer.from(encodeConfig(1, text)).copy(bytes, areaAt(0));
  const { command, board } = await powerOn(bytes, undefined, isSafe);
  /** Whether `reboot` asks; it is answered no. */
  const asks = (): boolean => {
    board.type('reboot\r');
    const said = command('no');
    return /The settings are not saved\n.*Cannot reboot/s.test(said);
  };
  return { command, asks, board };
}

for (const [what, text] of [
  ['a text as people write it', TAKEN],
  ['one of which a line was refused', TEXT],
] as const) {
  test(`what ${what} has come to is saved, until something is changed`, async t => {
    const { command, asks } = await boardWith(text);
    t.notRegex(command('show config'), /^\+/m);
    t.is(/^- set no such thing$/m.test(command('show config')), text === TEXT);
    command('set dns host a 10.1.0.9');
    t.regex(command('show config'), /^\+ set dns host a/m);
    t.true(asks());
    command('unset dns host a');
    t.notRegex(command('show config'), /^\+/m);
    command('set dns host a 10.1.0.9');
    command('debug crash throw');
    t.true(asks(), 'after a restart of control');
    command('unset dns host a');
    t.false(asks());
  });
}

test('reverting, and importing the same, brings back what is saved; a restart of control forgets nothing', async t => {
  const { command, asks } = await boardWith(TEXT);
  command('debug crash throw');
  t.regex(command('show refused'), / 5 {2}set no such thing\n1 lines were not taken/);
  t.notRegex(command('show config'), /^\+/m);
  command('set lan address 10.2.0.1/24');
  t.regex(command('revert'), /Reverted: as saved/);
  t.notRegex(command('show config'), /^\+/m);
  command('set lan address 10.2.0.1/24');
  for (const line of ['import', ...TAKEN.trim().split('\n')]) command(line);
  t.regex(command('end'), /3 lines are in force, and saved$/);
  t.false(asks());
});

test('in safe mode nothing is lost by a reset until something is set, and show config tells what is saved', async t => {
  const { command, asks } = await boardWith(TAKEN, true);
  t.regex(command('show config'), /^- set lan addr 10\.1\.0\.1\/24$/m);
  command('set dns host a 192.168.0.9');
  t.true(asks());
  command('unset dns host a');
  t.false(asks());
});

test('what is saved anew counts by its own lines', async t => {
  const { command, asks } = await boardWith(TEXT);
  command('set dns host a 10.1.0.9');
  t.is(command('save'), 'Saved');
  t.notRegex(command('show config'), /^[+-]/m);
  command('unset dns host a');
  t.true(asks());
});
