import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';
import { NOW_AT } from '../../base/cells.ts';
import { CRASH_AT_BOOT } from '../../base/crash-page.ts';
import { CRASH_AT } from '../../base/limits.ts';
import { MORE } from '../core/console/screen.ts';
import { PASSWORD_LINE, savedDisk, start } from './access-lab.ts';

/** A console whose lines are typed when the one before has been answered. */
async function terminal() {
  let text = '';
  const board = await createSimBoard({ onFrame: () => {}, onOutput: output => (text += output) });
  board.run();
  const settle = (ticks: number): string => {
    for (let i = 0; i < ticks; i++) {
      board.advance(1);
      board.run();
    }
    const taken = text;
    text = '';
    return taken;
  };
  const type = (typed: string, ticks = 20): string => {
    board.type(typed);
    board.run();
    return settle(ticks);
  };
  return { board, type, settle };
}

/** Sets a password; the hash takes some ticks. */
function setPassword({ type }: Awaited<ReturnType<typeof terminal>>, password: string): string {
  type('password\r');
  type(`${password}\r`);
  return type(`${password}\r`, 100);
}

test('password asks twice, keeps a hash with a salt, and who set it stays logged in', async t => {
  const parts = await terminal();
  const { type } = parts;
  t.regex(type('password\r'), /New password, nothing for none: $/);
  t.regex(type('secret 1?\r'), /Once more: $/);
  t.regex(type('secret 2\r', 100), /That will not do: the two are not the same\r\nNew password, .*: $/);
  t.regex(type('reset factory\r'), /That will not do: it is what resets the board\r\nNew password/);
  type('secret\r');
  const said = type('secret\r', 100);
  t.regex(said, /The password is set.*masqbox> $/s);
  const line = /set password hash \d+ [0-9a-f]{32} [0-9a-f]{64}/.exec(type('export secrets\r'))?.[0];
  t.truthy(line);
  t.regex(type('show config\r'), /^set password hash \(not shown\)\r$/m);
  t.regex(type('export\r'), /\n# set password hash \(not shown\): export secrets has it\r\n/);
  // What was typed is neither echoed nor in the history.
  t.notRegex(type('\x1b[A\x1b[A\x1b[A\x1b[A\x15\r'), /secret(?!s)/);
  t.regex(setPassword(parts, 'other'), /Cannot change the password: the old one is another/);
});

test('logout asks for the password; wrong tries take longer each time, ^C does not help', async t => {
  const parts = await terminal();
  const { type, settle } = parts;
  t.regex(type('logout\r'), /Cannot log out: there is no password, see password/);
  setPassword(parts, 'secret');
  t.regex(type('logout\r'), /Password: $/);
  t.regex(type('\x03'), /\^C\r\nPassword: $/);
  t.regex(type('wrong\r', 80), /Wrong; the next try is in 1 s\r\n$/);
  t.regex(settle(100), /Password: $/);
  t.regex(type('show config\r', 80), /in 2 s\r\n$/);
  t.regex(type('\x03\x03', 100), /^(\^C\r\n)*$/);
  t.regex(settle(150), /Password: $/);
  t.regex(type('secret\r', 100), /masqbox> $/);
  t.regex(type('show masq\r'), /0 sessions/);
});

test('who types nothing is logged out, what runs is ended, and a restarted control asks again', async t => {
  const parts = await terminal();
  const { board, type, settle } = parts;
  type('set console idle 5\r');
  t.is(settle(1000), '', 'without a password nobody is logged out');
  setPassword(parts, 'secret');
  t.regex(settle(600), /Logged out, as nothing was typed for a while\r\n.*Password: $/s);
  t.regex(type('secret\r', 100), /masqbox> $/);
  type('watch show masq\r');
  const watched = settle(800);
  t.true(watched.split('0 sessions').length > 2);
  t.regex(watched, /Logged out.*Password: $/s);
  board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
  t.regex(type('\r', 100), /Control was restarted.*Password: $/s);
  t.notRegex(type('show config\r', 200), /set /);
});

test('a lost password: reset factory within a minute of power-on forgets all settings', async t => {
  const parts = await terminal();
  const { type, settle } = parts;
  type('set console idle 1000\r');
  setPassword(parts, 'secret');
  t.regex(type('logout\r'), /For 60 s after power-on reset factory forgets all settings\r\nPassword: $/);
  t.regex(type('reset factory\r', 2000), /masqbox> $/);
  t.false(type('show config\r').includes('idle'));
  setPassword(parts, 'secret');
  settle(6000);
  type('logout\r');
  t.regex(type('reset factory\r', 80), /Wrong/);
});

test('the minute for a lost password is none when the tick counter begins anew, nor after a warm reset', async t => {
  const parts = await terminal();
  const { board, type } = parts;
  setPassword(parts, 'secret');
  const cell = (at: number, value: number): void =>
    new DataView(board.memory.buffer, board.memory.byteOffset).setInt32(at, value, true);
  const isOpen = (): boolean => {
    const said = type('logout\r');
    type('secret\r', 100);
    return said.includes('reset factory');
  };
  t.true(isOpen());
  for (const tick of [0x7fffffb0, -80]) {
    cell(NOW_AT, tick);
    t.false(isOpen());
    type('', 200);
    t.false(isOpen(), `after ${tick}`);
    type('logout\r');
    t.regex(type('reset factory\r', 80), /Wrong/);
    type('', 200);
    type('secret\r', 100);
  }
  t.regex(type('show version\r'), /up 11930:28:\d\d,/);
  const other = await terminal();
  setPassword(other, 'secret');
  new DataView(other.board.memory.buffer, other.board.memory.byteOffset).setInt32(
    CRASH_AT + CRASH_AT_BOOT,
    2,
    true,
  );
  t.notRegex(other.type('logout\r'), /reset factory/);
  t.regex(other.type('reset factory\r', 80), /Wrong/);
});

test('the saved password is asked for in safe mode, where the other settings are the defaults', async t => {
  const { type } = await start(savedDisk(`set lan address 10.9.0.1/24\n${PASSWORD_LINE}`), true);
  const banner = type('');
  t.regex(banner, /lan: 192\.168\.0\.1\/24/);
  t.regex(banner, /Started too often in a row/);
  t.regex(banner, /Password: $/);
  t.notRegex(type('show config\r'), /10\.9\.0\.1/);
  t.regex(type('secret\r'), /masqbox> $/);
  t.regex(type('show config\r'), /^- set lan address 10\.9\.0\.1\/24\r$/m);
  t.regex(type('show config\r'), /^ {2}set password hash \(not shown\)\r$/m);
  t.regex(type('save\r'), /Saved/);
});

test('the saved password is in force whatever else is saved, and all that was refused is listed', async t => {
  const unknown = Array.from({ length: 300 }, (_, i) => `set later thing ${i}\x1b[2J`);
  const { type } = await start(
    savedDisk(`set lan address 10.9.0.1/24\n${unknown.join('\n')}\n${PASSWORD_LINE}`),
  );
  const banner = type('');
  t.regex(banner, /lan: 10\.9\.0\.1\/24/);
  t.regex(banner, /300 lines were not taken: show refused lists them/);
  t.regex(banner, /Password: $/);
  t.regex(type('secret\r'), /masqbox> $/);
  const listed = type('show refused\r') + type('a', 400);
  t.is(listed.split('set later thing').length - 1, 300);
  t.regex(listed, /^ 301 {2}set later thing 299\?\[2J\r$/m);
  t.regex(listed, /300 lines were not taken/);
  t.false(listed.includes('\x1b'));
  t.false((type('show config\r') + type('a', 400)).includes('\x1b'));
  type('save\r');
  t.regex(type('show refused\r'), /What is saved was saved since the start/);
});

test('show status is one screen, show masq and show log take filters, long output is paged', async t => {
  const { type } = await terminal();
  type('');
  const status = type('show status\r', 200);
  t.true(status.split('\r\n').length <= 24, status);
  for (const row of ['load', 'memory', 'sessions', 'lan', 'wan', 'warnings'])
    t.regex(status, new RegExp(`^${row} `, 'm'));
  for (const row of status.split('\r\n')) t.true(row.length < 80, row);
  t.regex(type('show masq tcp 192.168.0.9 80\r'), /0 sessions/);
  t.regex(type('show masq foo\r'), /expected: FILTER, a protocol, an address or a port/);
  t.regex(type('show log warning dhcp\r'), /Nothing of that has been logged/);
  t.regex(type('set log console debug\r'), /masqbox> $/);
  t.regex(type('help\r'), MORE);
  t.regex(type('q'), /masqbox> $/);
  t.is(type('set dhcp ra\t'), 'set dhcp range ');
  t.regex(type('?'), /FIRST, an address, as in 192\.168\.0\.100/);
  type('\x03');
  t.regex(
    type('help set wan mtu\r'),
    /set wan mtu SIZE\r\n.*68 to 1500 bytes, 1500 if nothing is set.*as in: set wan mtu 1492/s,
  );
});
