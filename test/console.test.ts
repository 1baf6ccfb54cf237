// The console of the booted 486 as a person sees it: keys to the serial line, and the screen of a terminal of 80
// columns and 24 rows after them. One machine, from its first boot on; the tests follow each other.
// Not here: the terminal (harness/terminal.ts), what each part of the console does (src/control/core/console/, src/control/schema/).

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { HELD_PEER, SERIAL_HELD, SERIAL_RX_BYTES, serialAt } from '../hal/serial/ns16550.ts';
import { isaCards, Machine } from '../tools/harness/qemu.ts';
import { IMAGE } from './harness/board-router.ts';
import { planeWord } from './harness/icount.ts';
import { COLUMNS, ROWS, Terminal } from './harness/terminal.ts';

const LEFT = '\x1b[D';
const UP = '\x1b[A';
const CONTROL_Q = '\x11';
const CONTROL_S = '\x13';

const folder = mkdtempSync(join(tmpdir(), 'masqbox-console-'));
const disk = join(folder, 'disk.img');
let terminal: Terminal;
/** A test has failed: where the next would start from is not known. */
let isLost = false;

/** The board is switched on, with what its disk has. */
async function switchOn(): Promise<void> {
  const cards = isaCards({ user: true }, { user: true });
  terminal = new Terminal(await Machine.start({ disk, writable: true, cards }));
}

test.before(async () => {
  copyFileSync(IMAGE, disk);
  await switchOn();
  await terminal.prompt('');
});

test.after.always(async () => {
  await terminal?.machine.stop();
  rmSync(folder, { recursive: true, force: true });
});

function step(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  test.serial(title, async t => {
    if (isLost) {
      t.fail('a test before this one failed');
      return;
    }
    isLost = true;
    await body(t);
    isLost = !t.passed;
  });
}

/** A command, until the prompt comes again. */
async function command(line: string): Promise<string[]> {
  return await terminal.prompt(`${line}\r`);
}

step(
  'setup that is refused at its end has changed nothing, and reboot asks where settings are not saved',
  async t => {
    // Notices would come between the rows that are compared.
    await command('set log console error');
    await terminal.row('setup\r', /^LAN: /);
    for (const next of [/^WAN: /, /^Time zone, /, /^Time servers /, /^A password .* \[no\]:$/])
      await terminal.row('\r', next);
    await terminal.row('yes\r', /^New password, nothing for none:$/);
    await terminal.row('open sesame\r', /^Once more:$/);
    const differ = (rows: string[]): boolean =>
      rows.slice(-2).join('|') ===
      'That will not do: the two are not the same|New password, nothing for none:';
    await terminal.expect('open simsim\r', differ, 'the question again');
    await terminal.row('open sesame\r', /^Once more:$/);
    const shown = await terminal.row('open sesame\r', /^Set this: yes or no \[yes\]:$/);
    t.is(shown.at(-2), '+ the password');
    const refused = await terminal.prompt('no\r');
    t.is(refused.at(-2), 'Nothing was changed; the settings in force are not saved');
    const config = await command('show config');
    t.false(config.slice(config.indexOf('masqbox> show config')).some(row => row.includes('password')));
    const asked = await terminal.row('reboot\r', /^Reboot all the same: yes or no \[no\]:$/);
    t.is(asked.at(-2), 'The settings are not saved');
    t.is((await terminal.prompt('\r')).at(-2), 'Cannot reboot: it was not confirmed');
  },
);

step('setup: a few questions at the first boot', async t => {
  await terminal.row('setup\r', /^LAN: the router's address \[192\.168\.0\.1\/24\]:$/);
  const asked = (rows: string[]): boolean => rows.at(-2)?.startsWith('That will not do: ') === true;
  await terminal.expect('192.168.0.1\r', asked, 'the question again');
  await terminal.row('192.168.9.1/24\r', /^WAN: dhcp, static or none \[dhcp\]:$/);
  await terminal.row('\r', /^Time zone, as in /);
  await terminal.row('CET-1CEST,M3.5.0,M10.5.0/3\r', /^Time servers \(NTP\), .* \[none\]:$/);
  await terminal.row('\r', /^A password for this console: yes or no \[no\]:$/);
  await terminal.row('\r', /^Set this: yes or no \[yes\]:$/);
  const rows = await terminal.prompt('\r');
  t.deepEqual(rows.slice(-3), ['Saved', 'In force, and saved; show config lists the settings', 'masqbox>']);
  for (const line of ['+ set lan address 192.168.9.1/24', '+ set timezone CET-1CEST,M3.5.0,M10.5.0/3'])
    t.true(rows.includes(line), rows.join('\n'));
});

step('TAB completes and lists, ? tells what may come, a wrong word is marked', async t => {
  await terminal.row('se', /^masqbox> se$/);
  await terminal.row('\t dh\t', /^masqbox> set dhcp$/);
  await terminal.expect('\t', rows => rows.some(row => /^ {2}boot +dns +domain +lease/.test(row)), 'words');
  await terminal.row('ra\t', /^masqbox> set dhcp range$/);
  const isHinted = (rows: string[]): boolean =>
    rows.at(-1) === 'masqbox> set dhcp range' && rows.at(-2)?.includes('FIRST, an address') === true;
  const hints = await terminal.expect('?', isHinted, 'hints');
  t.regex(hints.at(-2) ?? '', /^ {2}FIRST +FIRST, an address, as in 192\.168\.0\.100$/);
  const marked = await terminal.prompt('192.168.9.9 192.168.9.999\r');
  t.deepEqual(marked.slice(-5), [
    'masqbox> set dhcp range 192.168.9.9 192.168.9.999',
    `${' '.repeat(36)}^`,
    '  expected: LAST, an address, as in 192.168.0.199',
    'Cannot set DHCP range 192.168.9.9 192.168.9.999: 999 is not 0 to 255',
    'masqbox>',
  ]);
  const misspelt = await command('set dhcp rnge 192.168.9.9 192.168.9.99');
  t.is(misspelt.at(-5), `${' '.repeat('masqbox> set dhcp '.length)}^`);
  t.regex(misspelt.at(-4) ?? '', /^ {2}expected: range, lease, dns, domain, .*option, reserve, on or off/);
  t.is((await command('shwo')).at(-3), '         ^ expected: a command, see ?');
});

step('names and addresses of hosts and interfaces are completed; help gives an example', async t => {
  await command('set dhcp reserve 00:11:22:33:44:55 192.168.9.20 printer');
  await terminal.row('ping pr\t', /^masqbox> ping printer$/);
  await terminal.row('\x15ping 192.168.9.2\t', /^masqbox> ping 192\.168\.9\.20$/);
  await terminal.row('\x15capture w\t', /^masqbox> capture wan$/);
  await terminal.prompt('\x15');
  const help = await command('help set wan mtu');
  t.deepEqual(help.slice(-5), [
    'set wan mtu SIZE',
    "  the longest packet that the WAN takes, 1500 or the lease's if nothing is set",
    '  SIZE, 68 to 1500 bytes, 1500 if nothing is set',
    '  as in: set wan mtu 1492',
    'masqbox>',
  ]);
});

step('a line longer than the screen is edited through a window, UTF-8 passes', async t => {
  const long = `help ${'abcdefghi '.repeat(12)}end`;
  const rows = await terminal.row(long, /end$/);
  t.true((rows.at(-1)?.length ?? 0) < COLUMNS);
  await terminal.row('\x01', /^masqbox> help abcdefghi/, 'masqbox> '.length);
  await terminal.row('\x05\x17\x17', / abcdefghi$/);
  await terminal.prompt('\x15');
  const bytes = Buffer.from('größe 東京').toString('latin1');
  await terminal.row(bytes, /^masqbox> größe 東京$/);
  await terminal.row(`${LEFT}\x7f`, /^masqbox> größe 京$/, 'masqbox> größe '.length);
  await terminal.row('\x01\x04\x04\x04', /^masqbox> ße 京$/);
  await terminal.row('\x1b[F\x1b[H\x1b[C\x0b', /^masqbox> ß$/);
  await terminal.prompt('\x15');
});

step('^R finds what was typed, arrows recall it', async t => {
  await command('show version');
  await command('show masq');
  await terminal.row('\x12ver', /^search 'ver': show version$/);
  await terminal.prompt('\x07');
  await terminal.row('\x12show', /^search 'show': show masq$/);
  await terminal.row('\x12', /^search 'show': show version$/);
  const ran = await terminal.expect(
    '\r',
    rows => rows.at(-1) === 'masqbox>' && rows.some(row => /^up /.test(row)),
    'it ran',
  );
  t.true(ran.some(row => row.startsWith('Masqbox ')));
  await terminal.row(`${UP}${UP}`, /^masqbox> show masq$/);
  await terminal.prompt('\x15');
});

step('long output waits at each page, and not when the pager is off', async t => {
  await terminal.row('\x0chelp\r', /^-- more: /);
  t.is(terminal.screen().length, ROWS);
  const next = await terminal.expect(
    ' ',
    rows => /^-- more: /.test(rows.at(-1) ?? '') && !rows[0]?.startsWith('help'),
    'a page',
  );
  t.is(next.length, ROWS);
  await terminal.prompt('q');
  const hinted = await terminal.row('\x0c?', /^-- more: /);
  t.is(hinted.length, ROWS);
  t.regex(hinted[0] ?? '', /^ {2}help \[COMMAND \.\.\.\]/, 'the first row is on the screen');
  await terminal.prompt('a');
  await command('set console pager off');
  t.true((await command('help')).some(row => row.includes('? at any point')));
  await command('unset console pager');
});

step('show status is one screen, watch comes back to its top, but not on a dumb terminal', async t => {
  const status = await command('show status');
  t.true(status.length <= ROWS);
  for (const row of status) t.true(row.length < COLUMNS, row);
  for (const name of ['load', 'memory', 'sessions', 'lan', 'wan', 'warnings'])
    t.true(
      status.some(row => row.startsWith(`${name} `)),
      name,
    );
  const title = 'show masq, every 2 s, ^C ends it';
  const rounds = (rows: string[]): number => rows.filter(row => row === title).length;
  const watched = await terminal.expect(
    'watch show masq\r',
    rows => rows[0] === title && rows[1] === '0 sessions',
    'watch',
  );
  t.deepEqual(watched, [title, '0 sessions']);
  await terminal.prompt('\x03');
  await command('set console terminal dumb');
  await terminal.expect('watch show masq\r', rows => rounds(rows) > 2, 'rounds below each other');
  await terminal.prompt('\x03');
  await command('unset console terminal');
});

/**
 * Types as a wire does that has at most so many bytes under way: what is sent when the board says XOFF cannot be called
 * back. Lets the board's output go when told to wait; answers how often that was.
 */
const UNDER_WAY = 256;
async function paste({ machine, seeFlow }: Terminal, text: string): Promise<number> {
  const state = (field: number): Promise<number> => planeWord(machine, serialAt(0) + field);
  const start = await state(SERIAL_RX_BYTES);
  let holds = 0;
  for (let sent = 0; sent < text.length; ) {
    const taken = (await state(SERIAL_RX_BYTES)) - start;
    if ((await state(SERIAL_HELD)) & HELD_PEER) {
      holds++;
      await seeFlow('XOFF');
      machine.console.write(CONTROL_Q);
      await seeFlow('XON');
    }
    const more = text.slice(sent, taken + UNDER_WAY);
    machine.console.write(more);
    sent += more.length;
  }
  return holds;
}

step('a paste of 1,000 lines while the output is held loses no byte', async t => {
  const { machine } = terminal;
  const hosts = 25;
  const lines = Array.from(
    { length: 1000 },
    (_, i) =>
      `set dns host number-${i % hosts}-of-the-hosts-that-are-in-this-paste 10.${i >> 8}.${i & 255}.7`,
  );
  // As the echo cannot go, all that is pasted has to wait, until the board has no room for more.
  machine.console.write(CONTROL_S);
  const holds = await paste(terminal, lines.map(line => `${line}\r`).join(''));
  t.true(holds > 0, 'the board never said XOFF');
  await terminal.expect(
    '',
    rows => rows.slice(-2).join('|') === `masqbox> ${lines.at(-1)}|masqbox>`,
    'the last line',
  );
  const config = await machine.console.command('show config');
  for (const line of lines.slice(-hosts)) t.true(config.includes(line), line);
  const { transcript } = machine.console;
  t.notRegex(transcript, /bytes were lost|characters of output lost/);
  for (const line of lines) t.true(transcript.includes(`masqbox> ${line}\r\n`), line);
});

step('a password: asked for at log-out, slow when wrong, and after idleness', async t => {
  await terminal.row('password\r', /^New password, nothing for none:$/);
  await terminal.row('open sesame\r', /^Once more:$/);
  const set = await terminal.prompt('open sesame\r');
  t.true(set.at(-2)?.startsWith('The password is set'));
  await terminal.row('logout\r', /^Password:$/);
  const isWrong = (rows: string[]): boolean =>
    rows.slice(-2).join('|') === 'Wrong; the next try is in 1 s|Password:';
  await terminal.expect('sesame\r', isWrong, 'the next try');
  t.false(terminal.machine.console.transcript.includes('sesame'));
  await terminal.prompt('open sesame\r');
  const log = async (filter: string): Promise<string[]> =>
    (await terminal.machine.console.command(`show log ${filter}`)).split('\n');
  const [all, wrong] = [await log(''), / {2}console: a wrong password was typed, 1 since/];
  t.true(all.some(row => wrong.test(row)) && all.some(row => / {2}wan: /.test(row)), all.join('\n'));
  t.deepEqual(
    (await log('info console')).map(row => wrong.test(row)),
    [true],
  );
  const notices = await log('notice');
  t.false(notices.some(row => wrong.test(row)));
  t.true(notices.length < all.length);
  t.deepEqual(await log('error'), ['Nothing of that has been logged']);
  await command('set console idle 5');
  const out = (rows: string[]): boolean =>
    rows.at(-1) === 'Password:' && rows.slice(-3).some(row => row.startsWith('Logged out, as nothing'));
  await terminal.expect('', out, 'a log-out');
  // In one go: who waits for the prompt is logged out again.
  const isUnset = (rows: string[]): boolean =>
    rows.slice(-2).join('|') === 'masqbox> unset console idle|masqbox>';
  await terminal.expect('open sesame\runset console idle\r', isUnset, 'no log-out any more');
});

step(
  'a lost password: what is typed after power-on forgets all settings, and after a reset nothing',
  async t => {
    t.is((await command('save')).at(-2), 'Saved');
    const asked = (rows: string[]): boolean => rows.slice(-2).join('|').startsWith('Is it lost? For 60 s ');
    await terminal.expect(
      'reboot\r',
      rows => rows.at(-1) === 'Password:' && rows.at(-2)?.startsWith('Type help') === true,
      'the question for the password',
    );
    await terminal.expect('reset factory\r', rows => rows.at(-2)?.startsWith('Wrong') === true, 'no reset');
    await terminal.machine.stop();
    await switchOn();
    await terminal.expect('', asked, 'the way out of a lost password');
    await terminal.expect(
      '\rshow config\r',
      rows => rows.slice(-2)[0]?.startsWith('Wrong') === true,
      'no answer',
    );
    const isFresh = (rows: string[]): boolean => {
      const before = rows.findLastIndex(row => row.startsWith('All settings and leases are erased'));
      const banner = rows.findLastIndex(row => row.startsWith('Type help for the commands'));
      return before >= 0 && banner > before && rows.at(-1) === 'masqbox>';
    };
    await terminal.expect('reset factory\r', isFresh, 'a fresh board');
    const config = await command('show config');
    t.true(config.includes('# nothing is saved'));
    t.false(config.some(row => row.includes('password')));
  },
);
