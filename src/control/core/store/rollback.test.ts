// `set ... confirm MINUTES` on the sim board: what goes back when, and that the word is never a value.

import test from 'ava';
import { encodeConfig, putConfig } from '../../../../image/records.ts';
import { controlLab } from '../../../../test/control-lab.ts';
import { TICKS_PER_SECOND } from '../../../base/limits.ts';
import { Refusal } from '../console/command.ts';
import { Console } from '../console/console.ts';
import { createRollback } from './rollback.ts';
import { blank, powerOn, SETTINGS_MOST, settingsOf } from './store-lab.ts';

const MINUTE = 60 * TICKS_PER_SECOND;

test('no saved line has confirm for a value', async t => {
  const lines = [
    'set wan hostname confirm',
    'set dhcp boot Confirm',
    'set dhcp option 67 f confirm 10',
    'set dhcp reserve 52:54:00:00:00:07 192.168.0.33 CONFIRM',
    'set dns host confirm 192.168.0.34',
    'set dns host confirm.lan 192.168.0.35',
  ];
  const bytes = blank();
  putConfig(bytes, 0, encodeConfig(1, `${lines.join('\n')}\n`));
  const { start, command } = await powerOn(bytes);
  for (const line of lines.slice(0, 5))
    t.true(start.includes(`Cannot run ${line}: confirm is no value`), line);
  t.deepEqual(command('export').match(/set (wan|dhcp|dns) .*/g), ['set dns host confirm.lan 192.168.0.35']);
});

test('set ... confirm goes back by itself, with all that was set after it', async t => {
  const { command, board } = await powerOn(blank());
  command('set dns host kept 10.0.0.1');
  const before = command('export secrets');
  t.is(command('set lan address 10.5.0.1/24 confirm 2'), '');
  t.is(command('set dns host lost 10.0.0.2'), '');
  t.is(command('save'), 'Cannot save: the settings go back in 2 min; type confirm first');
  board.advance(2 * MINUTE - 200);
  t.regex(command('export secrets'), /10\.5\.0\.1/);
  board.advance(200);
  t.is(command('export secrets'), before);
  t.is(command('confirm'), 'Cannot confirm: nothing waits for it');
  t.is(command('set lan address 10.5.0.1/24 confirm 1'), '');
  t.is(command('confirm'), '');
  board.advance(2 * MINUTE);
  t.regex(command('export secrets'), /10\.5\.0\.1/);
  t.is(command('save'), 'Saved');
  t.regex(
    command('set lan address 10.5.0.1/24 confirm 0'),
    /Cannot wait 0 minutes for confirm: they are 1 to 1440$/,
  );
  // It belongs to set and unset, whole or shortened.
  for (const line of ['show disk', 'save', 'revert', 'password'])
    t.regex(
      command(`${line} confirm 5`),
      new RegExp(`\\^ expected: .*\nCannot run ${line} confirm 5: the form is`),
      line,
    );
  t.regex(command('set dhcp lease 7200 confirm soon'), /\^ expected: MINUTES, 1 to 1440\nCannot run/);
  t.regex(command('set dhcp lease 7200 confirm'), /\^ expected: MINUTES, 1 to 1440\nCannot run/);
  // It is never a value: neither without its minutes nor in another place, in capitals or behind a shorter word.
  for (const line of [
    'set dns host confirm 10.0.0.3',
    'set dns host Confirm 10.0.0.3 confirm 5',
    'set wan hostname confirm',
    'set dhcp boot confirm',
    'set dhcp option 67 f confirm ten',
    'set dhcp option 67 f confirm 10 min',
    'set dhcp option 67 f confirm -5',
    'set dhcp option 67 f confirm 5.5',
    'set dhcp option 67 f CONFIRM',
    'set dhcp option 67 confirm f confirm 5',
    's dhcp option 67 f confirm',
    'set dhcp reserve 52:54:00:00:00:07 10.20.30.33 confirm',
    'set dhcp domain confirm',
    'se dhcp option 67 file confirm',
    'un dns host confirm',
    'set dhcp reserve 52:54:00:00:00:07 10.20.30.33 pc confirm 5m',
  ])
    t.regex(command(line), /Cannot run .*: confirm needs its minutes, 1 to 1440$/, line);
  t.notRegex(command('export'), /reserve|dhcp domain|option|boot|hostname|confirm/i);
  t.is(command('confirm'), 'Cannot confirm: nothing waits for it');
  for (const line of [
    'se lan address 10.5.0.9/24',
    'unset lan address',
    'u lan address',
    's dhcp option 67 f',
  ]) {
    for (const word of ['confirm', 'CONFIRM']) {
      t.is(command(`${line} ${word} 5`), '', line);
      t.is(command('confirm'), '', line);
    }
  }
  t.is(command('unset dhcp option 67'), '');
  // What is refused arms nothing.
  t.regex(command('set lan address 10.5.0.0/24 confirm 5'), /Cannot set LAN address/);
  t.is(command('confirm'), 'Cannot confirm: nothing waits for it');
});

test('a second confirm waits anew for both, and the wait outlives control', async t => {
  const { command, board } = await powerOn(blank());
  const before = command('export secrets');
  t.is(command('set dns host a 10.0.0.1 confirm 2'), '');
  board.advance(MINUTE);
  t.is(command('set dns host b 10.0.0.2 confirm 4'), '');
  const both = command('export secrets');
  board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
  t.regex(command(''), /Control was restarted/);
  t.is(command('save'), 'Cannot save: the settings go back in 4 min; type confirm first');
  board.advance(3 * MINUTE);
  t.is(command('export secrets'), both);
  board.advance(MINUTE);
  t.is(command('export secrets'), before);
});

test('confirm goes back also from settings that are too long to outlive control', async t => {
  const bytes = blank();
  putConfig(bytes, 0, encodeConfig(1, settingsOf(SETTINGS_MOST - 28)));
  const { command, board } = await powerOn(bytes);
  command('set console pager off');
  const before = command('export secrets');
  t.regex(command(`set dhcp domain ${'d'.repeat(60)} confirm 1`), /config: the settings are longer than/);
  t.false(command('export secrets') === before);
  board.advance(MINUTE);
  t.true(command('export secrets') === before);
});

test('what changes after a line was refused is not what confirm waits for', t => {
  const { commands, context } = controlLab();
  const typed: number[] = [];
  const console = new Console(
    {
      read: (into, at) => {
        const bytes = typed.splice(0, into.length - at);
        into.set(bytes, at);
        return bytes.length;
      },
      write: text => text.length,
    },
    commands,
  );
  const rollback = createRollback(context, commands);
  console.strip = rollback.strip;
  let value = '';
  context.registry.add({
    words: 'one',
    arguments: 'WORD',
    help: '',
    set: ([word = '']) => {
      if (word === 'bad') throw new Refusal('Cannot set one bad: it is bad');
      value = word;
    },
    lines: () => (value === '' ? [] : [`set one ${value}`]),
  });
  console.open();
  const type = (line: string): void => {
    typed.push(...Buffer.from(`${line}\r`));
    console.receive();
    for (let i = 0; i < 10; i++) console.work(i);
  };
  for (const line of ['set one bad confirm 5', 'set one confirm 5', 'set two a confirm 5']) {
    type(line);
    // Something changes by itself, as the LAN does that makes room for the WAN.
    context.registry.changed();
    t.is(rollback.minutesLeft(), undefined, line);
  }
  type('set one good confirm 5');
  t.is(rollback.minutesLeft(), 5);
});
