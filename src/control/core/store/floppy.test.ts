// The store on a floppy: what is saved on it, what comes back, what the console says; the whole firmware on the sim board,
// its floppy in memory. Then every state in which a power cut can have left it, as the loader sees it.

import test from 'ava';
import { type SimFloppy, simFloppy } from '../../../../board/sim/floppy.ts';
import { memoryMedium } from '../../../../hal/disk/ata-model.ts';
import { ST0_ABNORMAL, ST1_DE, WRITE_DATA } from '../../../../hal/disk/floppy-registers.ts';
import { makeCrcTables } from '../../../../image/loader/crc32.ts';
import { attachMachine } from '../../../../image/loader/machine.ts';
import { readSettings } from '../../../../image/loader/settings.ts';
import { decodeConfig, encodeConfig } from '../../../../image/records.ts';
import { type DiskEvent, powerCuts, recordingMedium } from '../../../../test/harness/disk-log.ts';
import { NOW_AT } from '../../../base/cells.ts';
import * as layout from '../../../base/layout.ts';
import { TICKS_PER_SECOND } from '../../../base/limits.ts';
import { attach } from '../../../base/memory.ts';
import { Refusal } from '../console/command.ts';
import { createFloppyStore } from './config-store.ts';
import { areaAt, blank, powerOn, settingsOf } from './store-lab.ts';

const AREA_BYTES = layout.CONFIG_SECTORS * layout.SECTOR_BYTES;

function saved(bytes: Uint8Array, index: number) {
  return decodeConfig(Buffer.from(bytes.subarray(areaAt(index), areaAt(index) + AREA_BYTES)));
}

function floppyOf(bytes: Buffer): SimFloppy {
  return simFloppy(memoryMedium(bytes));
}

/** A floppy with this text saved. */
function withText(text: string, sequence = 4): Buffer {
  const bytes = blank();
  bytes.set(encodeConfig(sequence, text), areaAt(0));
  return bytes;
}

const TEXT = 'set lan address 10.7.0.1/24\nset dns host a 10.7.0.2\n';

test('settings are in force at the start, and read again, without the drive; save writes the two places in turn', async t => {
  const bytes = withText(`${TEXT}set no such thing\n`);
  const { start, command, disk } = await powerOn(undefined, floppyOf(bytes));
  const { drive } = disk!;
  t.regex(start, /lan: 10\.7\.0\.1\/24\nwan: no address yet\nType help/);
  t.regex(command('show config'), /^ {2}set lan address 10\.7\.0\.1\/24$/m);
  t.regex(command('show refused'), / 3 {2}set no such thing\n1 lines were not taken/);
  command('set dns host b 10.7.0.3');
  t.regex(command('show config'), /^\+ set dns host b 10\.7\.0\.3$/m);
  t.regex(command('revert'), /Reverted: as saved/);
  t.notRegex(command('export'), /dns host b/);
  t.is(command('show disk'), 'the board was booted from a floppy: settings are saved on it, leases are not');
  t.is(command('update'), 'Cannot update: the board was booted from a floppy');
  t.is(drive.motorStarts, 0);
  for (const [address, place] of [
    ['10.7.0.5', 1],
    ['10.7.0.6', 0],
    ['10.7.0.7', 1],
  ] as const) {
    t.is(command(`set dns host c ${address}`), '');
    t.is(command('save'), 'Saved');
    t.true(saved(bytes, place)!.text.includes(`set dns host c ${address}\n`));
  }
  t.deepEqual([saved(bytes, 0)?.sequence, saved(bytes, 1)?.sequence], [6, 7]);
  // Somebody has written to the floppy elsewhere.
  bytes.set(encodeConfig(8, 'set dns host d 10.7.0.8\n'), areaAt(0));
  command('set dns host c 10.7.0.9');
  t.is(command('save'), 'Saved');
  t.deepEqual([saved(bytes, 0)?.sequence, saved(bytes, 1)?.sequence], [8, 9]);
  const { motorStarts } = drive;
  t.notRegex(command('show config'), /^[+-]/m);
  t.regex(command('revert'), /Reverted: as saved/);
  t.is(drive.motorStarts, motorStarts, 'what was saved is known without the drive');
  const again = await powerOn(undefined, floppyOf(bytes));
  t.regex(again.command('show config'), /^ {2}set dns host c 10\.7\.0\.9$/m);
  t.deepEqual(disk!.violations, []);
});

test('the first save on a floppy, reset factory, and a control that starts anew', async t => {
  const bytes = blank();
  const { start, command, board, disk, since } = await powerOn(undefined, floppyOf(bytes));
  t.notRegex(start, /saved/);
  t.regex(command('show config'), /^# nothing is saved$/m);
  t.is(disk!.drive.motorStarts, 0);
  command('set lan address 10.7.0.1/24');
  t.is(command('save'), 'Saved');
  t.is(saved(bytes, 0)?.sequence, 1);
  // The drive's motor was on when control died.
  t.true(disk!.drive.isMotorOn);
  board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
  t.regex(command('show version'), /Control was restarted/);
  t.false(disk!.drive.isMotorOn);
  const { motorStarts } = disk!.drive;
  t.regex(command('show config'), /^ {2}set lan address 10\.7\.0\.1\/24$/m);
  t.is(disk!.drive.motorStarts, motorStarts + 1, 'it does not rely on what lies in memory');
  command('set dns host a 10.7.0.2');
  t.is(command('save'), 'Saved');
  t.is(saved(bytes, 1)?.sequence, 2);
  board.type('reset factory\r');
  board.advance(40 * TICKS_PER_SECOND);
  t.regex(since(), /Rebooting(.|\s)*lan: 192\.168\.0\.1\/24/);
  t.regex(command('show config'), /^# nothing is saved$/m);
  t.true(bytes.subarray(areaAt(0), areaAt(0) + 2 * AREA_BYTES).every(byte => byte === 0));
  t.deepEqual(disk!.violations, []);
});

test('each save keeps which card is the LAN, which is no setting', async t => {
  const bytes = blank();
  const { command } = await powerOn(undefined, floppyOf(bytes));
  const station = (text: string, name: string) =>
    new RegExp(`^${name} [^]*?([0-9a-f]{2}(:[0-9a-f]{2}){5})`, 'm').exec(text)?.[1];
  const first = command('show interfaces');
  const [lan, wan] = [station(first, 'lan'), station(first, 'wan')];
  t.not(lan, undefined);
  t.not(lan, wan);
  t.is(command('save'), 'Saved');
  const digits = /^# masqbox configuration 1\n# cards ([0-9a-f]{40})\n/.exec(saved(bytes, 0)!.text)?.[1];
  t.is(digits?.slice(8, 20), lan?.replaceAll(':', ''));
  t.is(digits?.slice(28, 40), wan?.replaceAll(':', ''));
  t.notRegex(command('export'), /cards/);
  t.notRegex(command('show config'), /^[+-]|cards/m);
  // The floppy of a board whose cards are found in the other order.
  const turned = withText(
    `# masqbox configuration 1\n# cards ${digits?.slice(20)}${digits?.slice(0, 20)}\n${TEXT}`,
  );
  const other = await powerOn(undefined, floppyOf(turned));
  const second = other.command('show interfaces');
  t.deepEqual([station(second, 'lan'), station(second, 'wan')], [wan, lan]);
  t.is(other.command('save'), 'Saved');
  t.is(saved(turned, 1)?.text.split('\n')[1], `# cards ${digits?.slice(20)}${digits?.slice(0, 20)}`);
  // A control that starts anew has the roles as they are.
  other.board.engine.evaluate('Math.max = () => { throw new Error("test") }; 0');
  t.regex(other.command('show version'), /Control was restarted/);
  t.is(other.command('save'), 'Saved');
  t.is(saved(turned, 0)?.text.split('\n')[1], `# cards ${digits?.slice(20)}${digits?.slice(0, 20)}`);
});

test('why settings cannot be saved or erased is told in words, and nothing else is touched', async t => {
  const bytes = withText(TEXT);
  const { command, disk } = await powerOn(undefined, floppyOf(bytes));
  const { drive } = disk!;
  const before = Buffer.from(bytes);
  const { medium } = drive;
  command('set dns host b 10.7.0.3');
  drive.isProtected = true;
  t.is(command('save'), 'Cannot save: the floppy is write-protected');
  t.regex(command('reset factory'), /^Cannot erase the settings: the floppy is write-protected$/m);
  t.regex(command('show config'), /^\+ set dns host b/m);
  drive.isProtected = false;
  drive.change(undefined);
  t.is(command('save'), 'Cannot save: there is no floppy in the drive');
  const other = Buffer.alloc(bytes.length, 7);
  drive.change(memoryMedium(other));
  t.is(command('save'), 'Cannot save: the floppy in the drive is not the one that was booted');
  t.true(other.every(byte => byte === 7));
  drive.change(medium);
  drive.isThere = false;
  t.is(command('save'), 'Cannot save: no floppy drive answers (EC)');
  drive.isThere = true;
  drive.fault = (_code, sector) => (sector > 0 ? 'hang' : undefined);
  t.is(command('save'), 'Cannot save: the floppy drive does not answer');
  drive.fault = () => undefined;
  t.true(bytes.equals(before));
  t.is(command('save'), 'Saved');
  t.deepEqual(disk!.violations, []);
});

/** Seconds that pass on the board while something is done. */
function secondsOf(board: { memory: Uint8Array }, what: () => void): number {
  const now = () => new DataView(board.memory.buffer, board.memory.byteOffset).getInt32(NOW_AT, true);
  const from = now();
  what();
  return (now() - from) / TICKS_PER_SECOND;
}

test('save takes a few seconds, the longer the more there is', async t => {
  for (const [text, most] of [
    [TEXT, 3],
    [settingsOf(16_000), 7],
  ] as const) {
    const { board, command, disk } = await powerOn(undefined, floppyOf(withText(text)));
    const seconds = secondsOf(board, () => t.is(command('save'), 'Saved'));
    t.true(seconds > 1 && seconds < most, `${seconds} s for ${text.length} characters`);
    t.deepEqual(disk!.violations, []);
  }
});

test('a place that cannot be written leaves the other, which is then written over and told', async t => {
  const bytes = withText(TEXT);
  const { board, command, disk } = await powerOn(undefined, floppyOf(bytes));
  disk!.drive.fault = (code, sector) =>
    code === WRITE_DATA && sector >= layout.CONFIG_SECTOR + layout.CONFIG_SECTORS
      ? [ST0_ABNORMAL, ST1_DE, 0]
      : undefined;
  command('set dns host b 10.7.0.3');
  let said = '';
  const seconds = secondsOf(board, () => {
    said = command('save');
  });
  t.true(seconds < 30, `${seconds} s`);
  t.regex(said, /one of the two places for settings is bad \(the data cannot be read \(DE\)\)/);
  t.regex(said, /Saved$/);
  t.regex(saved(bytes, 0)!.text, /set dns host b/);
});

test('a floppy whose settings cannot be read locks the console, and reset factory erases them', async t => {
  const bytes = withText(TEXT);
  bytes[areaAt(0) + layout.CONFIG_AT_TEXT] ^= 1;
  const { board, since, command } = await powerOn(undefined, floppyOf(bytes));
  t.regex(
    since(),
    /Locked: the saved configurations of the floppy cannot be used, and a password may be among/,
  );
  board.type('reset factory\r');
  board.advance(40 * TICKS_PER_SECOND);
  t.regex(command('show config'), /^# nothing is saved$/m);
});

test.serial(
  "a floppy's drive that has no room in the heap is told, and what was read at the start is there",
  t => {
    const memory = new Uint8Array(0x100000);
    attach(memory.buffer, 0, memory.length);
    const plane = { crc32: () => 0 };
    const none = (): never => {
      throw new Refusal('no room');
    };
    const run = <T>(job: Generator<number, T, void>): T => {
      const { value, done } = job.next();
      t.true(done);
      return value as T;
    };
    const store = createFloppyStore({ memory, plane }, none, true);
    t.deepEqual(run(store.load()), { bytes: undefined, problems: [], isFirstCut: false });
    t.is(run(store.ready()), 'no room');
    t.is(run(store.save('', [], false)), 'no room');
    t.is(run(store.erase()), 'no room');
    t.deepEqual(run(store.load()).problems, ['no room']);
  },
);

/** What the loader hands over of a floppy: a text, or the word for none or lost. `bad` is a sector that cannot be read. */
function loaderFinds(image: Buffer, bad = -1): string | number {
  const snapshotAt = 0x80000;
  const bytes = new Uint8Array(snapshotAt + 4096);
  attach(bytes.buffer, 0, bytes.length);
  attachMachine({
    readSectors: (sector, count, p) => {
      if (bad >= sector && bad < sector + count) return 0;
      bytes.set(image.subarray(sector * layout.SECTOR_BYTES, (sector + count) * layout.SECTOR_BYTES), p);
      return 1;
    },
    writeSector: () => 0,
    report() {},
    clockPoll() {},
  });
  const view = new DataView(bytes.buffer);
  view.setInt32(layout.BOOT_INFO_AT + layout.BOOT_AT_SNAPSHOT, snapshotAt, true);
  makeCrcTables();
  readSettings();
  const at = view.getInt32(layout.BOOT_INFO_AT + layout.BOOT_AT_SETTINGS, true);
  const magic = view.getInt32(at, true);
  return magic === layout.CONFIG_MAGIC
    ? (decodeConfig(Buffer.from(bytes.subarray(at, at + AREA_BYTES)))?.text ?? 'damaged')
    : magic;
}

test.serial('a power cut at any sector of a save leaves the old settings or the new ones', async t => {
  const bytes = blank();
  const events: DiskEvent[] = [];
  const floppy = simFloppy(recordingMedium(memoryMedium(bytes), events));
  const { command } = await powerOn(undefined, floppy);
  command('set lan address 10.7.1.1/24');
  t.is(command('save'), 'Saved');
  // Settings of several sectors, to both places.
  for (let i = 0; i < 24; i++) command(`set dns host host-with-a-long-name-${i} 10.7.1.${i + 20}`);
  t.is(command('save'), 'Saved');
  const before = Buffer.from(bytes);
  events.length = 0;
  const [old = ''] = [saved(bytes, 1)!.text];
  command('set lan address 10.7.2.1/24');
  t.is(command('save'), 'Saved');
  const fresh = saved(bytes, 0)!.text;
  t.not(fresh, old);
  const seen = new Set<string | number>();
  let count = 0;
  for (const { image, title, isWhole } of powerCuts(before, events)) {
    const found = loaderFinds(image);
    t.true(found === old || found === fresh, title);
    seen.add(found);
    count++;
    // A sector in which the power went has a CRC that is wrong: the drive cannot read it at all.
    const torn = /sector (\d+)$/.exec(title)?.[1];
    if (!isWhole && torn !== undefined) t.is(loaderFinds(image, Number(torn)), old, title);
  }
  t.is(seen.size, 2);
  t.true(count > 20, `${count} states`);
  t.true(
    events.filter(({ kind }) => kind === 'flush').length >= 3,
    'a sector is on the floppy when the next is written',
  );
});
