// The console of a board whose saved settings, the password among them, were not read: on the sim board, with a disk that
// answers late, never, or with errors.

import test from 'ava';
import { type SimDisk, simDisk } from '../../../board/sim/disk.ts';
import { memoryMedium } from '../../../hal/disk/ata-model.ts';
import { READ_SECTORS, UNC } from '../../../hal/disk/ata-registers.ts';
import { encodeConfig } from '../../../image/records.ts';
import {
  CONFIG_COUNT,
  CONFIG_SECTOR,
  CONFIG_SECTORS,
  IMAGE_SECTORS,
  SECTOR_BYTES,
} from '../../base/layout.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { PASSWORD_LINE, savedDisk, start } from './access-lab.ts';

const SECOND = TICKS_PER_SECOND;
const LINES = `set lan address 10.9.0.1/24\n${PASSWORD_LINE}`;

/** No answer, whatever is asked, until it is undone. */
function silence({ drive }: SimDisk, on: boolean): void {
  drive.isHung = on;
  drive.isDead = on;
}

/** No sector of the two places can be read. */
function spoil({ drive }: SimDisk): void {
  for (let i = 0; i < CONFIG_COUNT * CONFIG_SECTORS; i++) drive.bad.set(CONFIG_SECTOR + i, UNC);
}

const OPEN = /masqbox> /;

test('a disk that answers late is waited for, and nothing is open before', async t => {
  for (const seconds of [4, 12]) {
    const disk = savedDisk(LINES);
    silence(disk, true);
    const { type } = await start(disk);
    const waiting = type('', seconds * SECOND);
    t.regex(waiting, /The disk has not answered yet; it is waited for, as settings and password are on it/);
    t.notRegex(waiting, /lan:|Password|masqbox>/);
    silence(disk, false);
    const said = type('', 5 * SECOND);
    t.regex(said, /lan: 10\.9\.0\.1\/24\r\n.*Password: $/s, `after ${seconds} s`);
    t.notRegex(said, /Locked|config:/);
    t.regex(type('secret\r'), OPEN);
  }
});

test('a disk that is silent in the middle of its settings is waited for too', async t => {
  const disk = savedDisk(LINES);
  let reads = 0;
  disk.drive.fault = command => (command === READ_SECTORS && ++reads === 3 ? 'hang' : undefined);
  const { type } = await start(disk);
  t.notRegex(type('', 4 * SECOND), OPEN);
  disk.drive.isHung = false;
  t.notRegex(type('', 30 * SECOND), OPEN);
});

test('a disk without settings that answers late has no password', async t => {
  const disk = savedDisk('');
  silence(disk, true);
  const { type } = await start(disk);
  t.notRegex(type('', 5 * SECOND), OPEN);
  silence(disk, false);
  t.regex(type('', 5 * SECOND), /lan: 192\.168\.0\.1\/24\r\n.*masqbox> $/s);
});

test('a disk that is silent too long leaves the console locked, until it answers', async t => {
  const disk = savedDisk(LINES);
  silence(disk, true);
  const { board, type } = await start(disk);
  const begun = type('', 25 * SECOND);
  t.regex(begun, /lan: 192\.168\.0\.1\/24\r\n.*nothing can be saved: the disk does not answer\r\n/s);
  t.regex(begun, /Locked: the disk does not answer, and a password may be among them\r\n.*Locked: $/s);
  for (const typed of ['secret\r', 'export secrets\r', '\r', '\x03'])
    t.notRegex(type(typed), /masqbox>|secret|set lan|hash/, typed);
  t.regex(type('reset factory\r', 8 * SECOND), /Cannot erase the settings: the disk does not answer/);
  // A control that ends does not open it.
  board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
  t.regex(type('\r'), /Control was restarted.*Locked: $/s);
  const other = savedDisk(LINES);
  silence(other, true);
  const second = await start(other);
  second.type('', 25 * SECOND);
  silence(other, false);
  const healed = second.type('', 60 * SECOND);
  t.regex(healed, /The saved settings have been read\r\n.*Password: $/s);
  t.regex(second.type('secret\r'), OPEN);
  t.regex(second.type('export\r'), /set lan address 10\.9\.0\.1\/24/);
  second.board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
  t.regex(second.type('\r'), /Control was restarted.*Password: $/s);
});

test('in safe mode the password alone is in force once it has been read', async t => {
  const disk = savedDisk(LINES);
  silence(disk, true);
  const { type } = await start(disk, true);
  t.regex(type('', 25 * SECOND), /Started too often.*Locked: $/s);
  silence(disk, false);
  t.regex(type('', 60 * SECOND), /Password: $/);
  type('secret\r');
  t.regex(type('show config\r'), /^- set lan address 10\.9\.0\.1\/24\r$/m);
});

test('where no place can be read nothing but reset factory is taken, within a minute of power-on', async t => {
  const disk = savedDisk(LINES);
  spoil(disk);
  const { type } = await start(disk);
  t.regex(
    type(''),
    /Locked: the saved settings cannot be read, and .*\r\nFor 60 s after power-on reset factory forgets all settings\r\nLocked: $/,
  );
  for (const typed of ['secret\r', 'setup\r', 'set password hash\r']) t.notRegex(type(typed), OPEN, typed);
  t.regex(type('reset factory\r', 8 * SECOND), /Cannot erase the settings: the data cannot be read/);
  disk.drive.isHealing = true;
  t.regex(type('reset factory\r', 12 * SECOND), /Rebooting.*lan: 192\.168\.0\.1\/24\r\n.*masqbox> $/s);
});

test('a first save that was cut is no lock; a damaged place beside one that cannot be read is', async t => {
  const torn = (): SimDisk => {
    const bytes = Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
    const whole = Buffer.from(encodeConfig(1, LINES));
    whole.copy(bytes, CONFIG_SECTOR * SECTOR_BYTES, 0, 100);
    return simDisk(memoryMedium(bytes));
  };
  const first = await start(torn());
  t.regex(first.type(''), /masqbox> $/);
  const beside = torn();
  beside.drive.bad.set(CONFIG_SECTOR + CONFIG_SECTORS, UNC);
  t.regex((await start(beside)).type(''), /Locked: /);
});

test('after that minute, and after a reset, reset factory is refused', async t => {
  const disk = savedDisk(LINES);
  spoil(disk);
  disk.drive.isHealing = true;
  const { type } = await start(disk);
  type('', 62 * SECOND);
  const said = type('reset factory\r', 10 * SECOND);
  t.regex(said, /Switch the board off and on; it tries again, and reset factory forgets all settings\r\n/);
  t.notRegex(said, /erased|Rebooting|masqbox>/);
});

test('settings whose reading ends control leave the console locked', async t => {
  const disk = savedDisk(LINES);
  let deaths = 0;
  disk.drive.fault = command => {
    if (command !== READ_SECTORS || disk.drive.commands.length < 4 || deaths === 2) return undefined;
    deaths++;
    disk.drive.commands.length = 0;
    throw new Error('test');
  };
  const { type } = await start(disk);
  t.regex(type('', 5 * SECOND), /Locked: reading the saved settings has ended control, and .*Locked: $/s);
  t.is(deaths, 2);
  t.notRegex(type('secret\r', 60 * SECOND), OPEN);
});
