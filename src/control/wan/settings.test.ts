// The WAN's settings at the console. Not here: what they do (../wan.test.ts).

import test from 'ava';
import { lab } from '../dhcp/server-lab.ts';

test('set wan static is address and gateway in one line', async t => {
  const { command } = await lab();
  t.is(command('set wan static 203.0.113.9/24 203.0.113.1'), '');
  const lines = ['set wan address 203.0.113.9/24', 'set wan gateway 203.0.113.1'];
  t.deepEqual(command('show config').split('\n').slice(0, 2), lines);
  t.is(command('set wan static 203.0.113.8/24'), '');
  t.is(command('show config').split('\n').at(0), 'set wan address 203.0.113.8/24');
  t.regex(command('set wan static 192.168.0.9/24'), /^Cannot set WAN address 192\.168\.0\.9\/24: it shares/);
  t.regex(command('set wan static 203.0.113.8/24 1.1.1.1'), /^Cannot set WAN gateway 1\.1\.1\.1: /);
  t.is(command('unset wan address'), '');
  t.regex(command('show wan'), /^mode +dhcp, /);
});

test('set wan static with a gateway that does not fit changes nothing', async t => {
  const { command } = await lab();
  // Of the client, which goes on meanwhile, its state is left out.
  const shown = (): string => command('show wan').replace(/^mode.*$/m, '');
  const before = shown();
  for (const gateway of ['203.0.113.1', '203.0.114.5', '203.0.114.255', '1.1.1', '192.168.0.9'])
    t.regex(
      command(`set wan static 203.0.114.5/24 ${gateway} confirm 5`),
      /^Cannot set WAN gateway /,
      gateway,
    );
  t.regex(command('set wan static 203.0.114.0/24 203.0.114.1'), /^Cannot set WAN address /);
  t.is(shown(), before);
  t.is(command('confirm'), 'Cannot confirm: nothing waits for it');
  t.is(command('set wan static 203.0.113.9/24 203.0.113.1'), '');
  t.regex(command('set wan static 203.0.114.5/24 203.0.113.1'), /^Cannot set WAN gateway /);
  t.deepEqual(command('show config').split('\n').slice(0, 2), [
    'set wan address 203.0.113.9/24',
    'set wan gateway 203.0.113.1',
  ]);
});

test('texts of the WAN with blanks and question marks are listed as they can be pasted', async t => {
  const { board, command } = await lab();
  const typed = (line: string) => {
    // Behind Ctrl-V, ? asks for no help.
    board.type(`${line.replaceAll('?', '\x16?')}\r`);
    board.run();
    return command('show config')
      .split('\n')
      .filter(row => row.startsWith('set wan '));
  };
  const wanted = ['set wan client-id who are you\\x3f', 'set wan vendor-class MSFT 5.0'];
  typed('set wan client-id who are you?');
  t.deepEqual(typed('set wan vendor-class  MSFT   5.0'), wanted);
  for (const line of wanted) t.is(command(line), '');
  t.deepEqual(typed(''), wanted);
  t.regex(command(`set wan vendor-class ${'x'.repeat(256)}`), /it is longer than 255 bytes/);
  t.is(command(`set wan vendor-class ${'x'.repeat(252)}\\x3f\\x3f\\x3f`), '');
});
