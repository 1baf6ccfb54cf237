// The store on the sim board: what is saved, what comes back, what the console says. The whole firmware runs, its disk
// is a medium in memory.

import test from 'ava';
import { simDisk } from '../../../../board/sim/disk.ts';
import { memoryMedium } from '../../../../hal/disk/ata-model.ts';
import { UNC } from '../../../../hal/disk/ata-registers.ts';
import { configArea, decodeConfig, encodeConfig, putConfig } from '../../../../image/records.ts';
import { longConfiguration, longSettings } from '../../../../test/harness/long-configuration.ts';
import { consoleTable } from '../../../../tools/console-table.ts';
import {
  CONFIG_AT_TEXT,
  CONFIG_SECTOR,
  CONFIG_SECTORS,
  LOG_SECTOR,
  SECTOR_BYTES,
} from '../../../base/layout.ts';
import { REFUSED_AT, STORE_AT, STORE_BYTES, TICKS_PER_SECOND } from '../../../base/limits.ts';
import { parametersOf } from '../../schema/grammar.ts';
import { exampleFor } from '../../schema/line-help.ts';
import { areaAt, blank, powerOn, SETTINGS_MOST, settingsOf } from './store-lab.ts';
import { versionLine } from './version.ts';

const MINUTE = 60 * TICKS_PER_SECOND;

function saved(disk: Buffer, index: number) {
  return decodeConfig(configArea(disk, index));
}

test('save keeps the settings, and writes the two areas in turn', async t => {
  const bytes = blank();
  const first = await powerOn(bytes);
  t.is(
    first.command('show config'),
    '# nothing is saved\n+ set nat profile rfc\n+ set nat filter address\n+ set engine native',
  );
  t.is(first.command('set lan address 10.1.2.1/24'), '');
  t.is(first.command('save'), 'Saved');
  t.is(first.command('set ntp server 192.0.2.5'), '');
  t.is(first.command('save'), 'Saved');
  t.is(saved(bytes, 0)?.sequence, 1);
  t.is(saved(bytes, 1)?.sequence, 2);
  t.regex(
    saved(bytes, 1)!.text,
    /^# masqbox configuration 1\nset lan address 10\.1\.2\.1\/24\n(.*\n)*set ntp server 192\.0\.2\.5\n$/,
  );
  t.is(first.command('set lan address 10.1.3.1/24'), '');
  t.is(first.command('unset ntp server 192.0.2.5'), '');
  const shown = first.command('show config').split('\n');
  t.is(shown[0], '+ set lan address 10.1.3.1/24');
  t.deepEqual(shown.slice(-2), ['- set lan address 10.1.2.1/24', '- set ntp server 192.0.2.5']);
  const second = await powerOn(bytes);
  t.regex(second.start, /lan: 10\.1\.2\.1\/24\n/);
  t.notRegex(second.start, /config:/);
  t.regex(
    second.command('show config'),
    /^ {2}set lan address 10\.1\.2\.1\/24\n(.*\n)* {2}set ntp server 192\.0\.2\.5$/,
  );
});

test('export is what another board becomes the same by', async t => {
  const one = await powerOn(blank());
  const lines = [
    'set lan address 10.9.0.1/16',
    'set wan address 203.0.113.9/24',
    'set wan gateway 203.0.113.1',
    'set dhcp range 10.9.1.1 10.9.1.99',
    'set dns host printer 10.9.0.7',
    'set dhcp reserve 52:54:00:00:00:01 10.9.0.9 desk',
    'set nat profile classic',
  ];
  for (const line of lines) t.is(one.command(line), '', line);
  const text = one.command('export secrets');
  const other = await powerOn(blank());
  for (const line of text.split('\n')) t.is(other.command(line), '', line);
  t.is(other.command('export secrets'), text);
});

/** Settings whose numbers have another range for each of their words. */
const OWN_RANGES = ['set dhcp option', 'set nat timeout'];

const LINKS = ['set ppp0', 'set ppp1', 'set sl0'];
/** Of links on serial ports, each of whose options has values of its own. */
const LINK_VALUES: Record<string, string> = {
  port: 'com2',
  number: '0191011 0191022',
  init: 'AT&F1',
  chat: "'' ATZ OK ATDT\\\\T CONNECT",
  user: 'me@provider',
  speed: '38400',
  flow: 'none',
  carrier: 'off',
  role: 'lan',
  dial: 'demand',
  demand: 'tcp udp:53 -udp:137-139 icmp own',
  idle: '2h',
  retry: '1m 10m',
  hours: 'mon-fri/18:00-8:00',
  'hour-minutes': '30',
  'hour-calls': '9',
  'month-minutes': '100',
  'month-calls': '99',
  price: '6 90',
  address: '10.9.0.1:10.9.0.2',
  dns: '10.9.0.3',
  vj: 'off',
  accm: 'a0000',
  mru: '576',
  auth: 'pap',
  echo: '10 3',
};

/** A line for every choice and both ends of every range of each setting; the others' values are the examples'. */
function everySetting(): string[] {
  // Values that are keys too, or not ASCII.
  const odd = ['tftp://boot/what\x16?ever=\x16?', Buffer.from('größe').toString('latin1'), 'a " b\\'];
  const lines = odd.map(value => `set dhcp option 67 ${value}`);
  for (const command of consoleTable().filter(({ words }) => words.startsWith('set '))) {
    const example = exampleFor(command).split(' ');
    const depth = command.words.split(' ').length;
    lines.push(example.join(' '));
    for (const [i, { type, values, least, most }] of parametersOf(command).entries()) {
      const ends =
        type === 'integer' && !OWN_RANGES.includes(command.words) ? [String(least), String(most)] : [];
      for (const value of LINKS.includes(command.words) ? [] : [...values, ...ends])
        lines.push([...example.slice(0, depth + i), value, ...example.slice(depth + i + 1)].join(' '));
    }
  }
  for (const link of LINKS)
    for (const [option, value] of Object.entries(LINK_VALUES)) lines.push(`${link} ${option} ${value}`);
  return lines;
}

test('every setting is exported, taken by another board, and taken back by revert and by itself', async t => {
  const [one, other, third] = [await powerOn(blank()), await powerOn(blank()), await powerOn(blank())];
  const fresh = one.command('export secrets');
  // Taken on trial alone: the time is longer than what follows.
  const typed = (line: string): string =>
    line.startsWith('set anti-spoofing ') ? `${line} confirm 5` : line;
  for (const line of everySetting()) {
    const before = line.startsWith('set wan gateway') ? ['set wan address 203.0.113.5/24'] : [];
    for (const each of [...before, line]) t.notRegex(one.command(typed(each)), /Cannot/, each);
    const text = one.command('export secrets');
    for (const each of text.split('\n')) t.notRegex(other.command(typed(each)), /Cannot/, each);
    t.is(other.command('export secrets'), text, line);
    for (const { command } of [one, other]) {
      t.regex(command('revert'), /^Reverted/m);
      t.is(command('export secrets'), fresh, `revert of ${line}`);
    }
    t.notRegex(third.command(`${before[0] ?? line} confirm 1`), /Cannot/);
    third.command(line);
    t.is(third.command('export secrets'), text, line);
    third.board.advance(MINUTE);
    t.is(third.command('export secrets'), fresh, `${line} without confirm`);
  }
});

test('revert goes back to what is saved, also where LAN and WAN change places', async t => {
  const { command } = await powerOn(blank());
  const before = command('export secrets');
  command('set lan address 10.0.0.1/24');
  command('set wan address 172.20.0.1/24');
  command('set wan gateway 172.20.0.9');
  command('set dhcp off');
  const kept = command('export secrets');
  t.is(command('save'), 'Saved');
  command('unset wan address');
  command('set lan address 172.20.0.1/24');
  command('set wan address 10.0.0.1/24');
  command('set dns host x 172.20.0.5');
  command('set wan none');
  t.is(command('revert'), 'Reverted: as saved');
  t.is(command('export secrets'), kept);
  const fresh = await powerOn(blank());
  for (const line of kept.split('\n')) fresh.command(line);
  t.is(fresh.command('revert'), 'Reverted: nothing is saved, the settings are the defaults');
  t.is(fresh.command('export secrets'), before);
});

test('an unreadable configuration is told, and the older one or the defaults are used', async t => {
  const bytes = blank();
  const { command } = await powerOn(bytes);
  command('set lan address 10.1.1.1/24');
  command('save');
  command('set lan address 10.2.2.1/24');
  command('save');
  bytes[areaAt(1) + CONFIG_AT_TEXT + 40]! ^= 1;
  const older = await powerOn(bytes);
  t.regex(older.start, /lan: 10\.1\.1\.1\/24\n/);
  t.regex(older.start, /config: saved configuration 1 cannot be used: its checksum is wrong\n/);
  t.regex(older.start, /config: the other saved configuration is used\n/);
  t.is(older.command('save'), 'Saved', 'over the damaged one');
  t.is(saved(bytes, 1)?.sequence, 2);
  bytes[areaAt(0)]! ^= 1;
  bytes[areaAt(1) + 9]! ^= 1;
  const none = await powerOn(bytes);
  t.regex(none.start, /lan: 192\.168\.0\.1\/24\n/);
  t.regex(none.start, /config: saved configuration 0 cannot be used: it is no configuration\n/);
  t.regex(none.start, /config: the settings are the defaults\n/);
  t.regex(none.since(), /Locked: the saved settings cannot be read, and a password may be among them/);
});

test('a configuration of 200 lines is applied, is as it was written, and outlives control', async t => {
  const bytes = blank();
  putConfig(bytes, 0, encodeConfig(1, longConfiguration));
  const { start, command, board } = await powerOn(bytes);
  t.notRegex(start, /config:/);
  const all = (line: string): string[] => command(line).split('\n');
  t.deepEqual(all('export secrets').slice(1), [...longSettings]);
  t.true(all('show config').every(line => line.startsWith('  set ')));
  t.is(command('save'), 'Saved');
  t.is(saved(bytes, 1)?.text, [versionLine(), ...longSettings, ''].join('\n'));
  board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
  t.regex(command(''), /Control was restarted/);
  t.deepEqual(all('export secrets').slice(1), [...longSettings]);
});

test('settings for which there is no room are refused, and nothing else is touched', async t => {
  for (const [characters, answer] of [
    [SETTINGS_MOST, 'Saved'],
    [
      SETTINGS_MOST + 1,
      `Cannot save: the settings have ${SETTINGS_MOST + 1} characters, and ${SETTINGS_MOST} fit`,
    ],
  ] as const) {
    const bytes = blank();
    const text = settingsOf(characters);
    t.is(text.length, characters);
    putConfig(bytes, 0, encodeConfig(1, text));
    const { command, board, start } = await powerOn(bytes);
    if (answer === 'Saved') t.notRegex(start, /config:/);
    else t.regex(start, /config: the settings are longer than 16380 characters: a restart forgets some/);
    const behind = () =>
      Buffer.from(board.memory.subarray(STORE_AT + STORE_BYTES, REFUSED_AT)).toString('hex');
    const before = behind();
    t.true(command('save').endsWith(answer));
    t.true(behind() === before);
    t.is(saved(bytes, 0)?.text, text);
    const more = versionLine().length + 1;
    t.is(saved(bytes, 1)?.text.length, answer === 'Saved' ? SETTINGS_MOST + more : undefined);
  }
});

test('a saved line that cannot be applied is told, and the others are', async t => {
  const bytes = blank();
  const text =
    'set lan address 10.7.0.1/24\nset no such thing\nset dhcp lease x\n# a comment\n\nset dns host a 10.7.0.2\n';
  putConfig(bytes, 0, encodeConfig(-1, text));
  const { start, command } = await powerOn(bytes);
  t.regex(start, /lan: 10\.7\.0\.1\/24\n/);
  t.regex(start, /config: Cannot run set no such thing: there is no such command/);
  t.regex(start, /config: Cannot set DHCP lease x/);
  t.regex(command('export secrets'), /set dns host a 10\.7\.0\.2/);
  // The sequence wraps: 0 is newer than -1.
  t.is(command('save'), 'Saved');
  t.is(saved(bytes, 1)?.sequence, 0);
  t.regex((await powerOn(bytes)).start, /lan: 10\.7\.0\.1\/24\n/);
});

test('a configuration of a newer firmware is told, and what is understood of it is applied', async t => {
  const bytes = blank();
  const text = '# masqbox configuration 7\nset dns host a 10.7.0.2\nset flux capacitor on\n';
  putConfig(bytes, 1, encodeConfig(3, text));
  const { start, command } = await powerOn(bytes);
  t.regex(start, /config: the saved settings are of a newer firmware \(version 7\)/);
  t.regex(start, /config: Cannot run set flux capacitor on: there is no such command/);
  t.regex(command('export secrets'), /^# masqbox configuration 1\n(.*\n)*set dns host a 10\.7\.0\.2$/);
  // The firmware that wrote it finds it still, until settings are saved twice.
  t.is(command('save'), 'Saved');
  t.is(saved(bytes, 1)?.text, text);
});

test('reset factory forgets everything, unless ^C stops it', async t => {
  const bytes = blank();
  const { command, board, since } = await powerOn(bytes);
  command('set lan address 10.5.0.1/24');
  command('save');
  command('save');
  board.type('reset factory\r');
  board.advance(3 * TICKS_PER_SECOND);
  board.type('\x03');
  board.run();
  t.regex(since(), /erased in 5 s; \^C stops it\r\n\^C\r\n/);
  board.advance(5 * TICKS_PER_SECOND);
  t.regex(command('export secrets'), /10\.5\.0\.1/);
  board.type('reset factory\r');
  board.advance(7 * TICKS_PER_SECOND);
  t.regex(command('export secrets'), /^# masqbox configuration 1\nset nat profile rfc\n/);
  t.true(
    bytes.subarray(SECTOR_BYTES).every(byte => byte === 0),
    'nothing of it is on the disk',
  );
});

test('errors of the disk are told, and the router goes on', async t => {
  const bytes = blank();
  const { command, disk } = await powerOn(bytes);
  command('set lan address 10.5.0.1/24');
  disk!.drive.bad.set(CONFIG_SECTOR, UNC);
  disk!.drive.bad.set(CONFIG_SECTOR + CONFIG_SECTORS, UNC);
  t.is(command('save'), 'Cannot save: the data cannot be read (UNC)');
  t.is(command('show config').split('\n')[0], '# nothing is saved');
  disk!.drive.bad.clear();
  t.is(command('save'), 'Saved');
  disk!.drive.bad.set(CONFIG_SECTOR, UNC);
  t.regex(
    command('revert'),
    /saved configuration 0 cannot be used: the data cannot be read \(UNC\)\nReverted/,
  );
});

test('a place with a lasting read error does not keep settings from being saved', async t => {
  const bytes = blank();
  const { command, disk } = await powerOn(bytes);
  command('set lan address 10.5.0.1/24');
  t.is(command('save'), 'Saved');
  let warnings = 0;
  for (const index of [1, 0]) {
    disk!.drive.bad.clear();
    disk!.drive.bad.set(CONFIG_SECTOR + index * CONFIG_SECTORS + 1, UNC);
    command(`set dhcp domain ${'x'.repeat(60)}.${'y'.repeat(50)}`);
    for (let i = 0; i < 8; i++) command(`set dns host ${'h'.repeat(40)}${i} 10.5.0.${i + 2}`);
    for (const value of ['7200', '9000', '7200']) {
      command(`set dhcp lease ${value}`);
      const said = command('save');
      t.regex(said, /Saved$/);
      warnings +=
        said.split('one of the two places for settings is bad (the data cannot be read (UNC))').length - 1;
      t.regex(saved(bytes, 1 - index)!.text, new RegExp(`set dhcp lease ${value}`));
    }
  }
  // The log counts what it repeats; who saves is told each time, but where the good place was the older one.
  t.is(warnings, 5);
});

test('an unreadable sector of the log is said to be one of the log', async t => {
  const bytes = blank();
  const { command } = await powerOn(bytes);
  command('set lan address 10.5.0.1/24');
  command('save');
  const disk = simDisk(memoryMedium(bytes));
  disk.drive.bad.set(LOG_SECTOR + 3, UNC);
  const { start } = await powerOn(bytes, disk);
  t.regex(start, /lan: 10\.5\.0\.1\/24/);
  // Time stands still here, and the disk tries again.
  t.regex(
    start,
    /config: (the disk is too slow: the flash log was not read|the flash log has bad sectors: .*)\n/,
  );
  t.notRegex(start, /other saved configuration|defaults/);
});

test('without a disk the console says that nothing can be saved', async t => {
  const { start, command } = await powerOn(undefined);
  t.regex(start, /nothing can be saved: no disk answers\n/);
  t.is(command('save'), 'Cannot save: no disk answers');
  t.is(command('show disk'), 'nothing can be saved: no disk answers');
});
