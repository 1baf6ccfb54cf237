// A configuration of 64 KB on the sim board, most of it lines of a section: it is applied, shown, exported, imported, saved and
// gone back to as a short one is, and a cut while it is saved leaves the old or the new. Here the section is of notes.

import test from 'ava';
import { simDisk } from '../../../../board/sim/disk.ts';
import { type Medium, memoryMedium } from '../../../../hal/disk/ata-model.ts';
import { configArea, decodeConfig, encodeConfig, putConfig } from '../../../../image/records.ts';
import { longSettings } from '../../../../test/harness/long-configuration.ts';
import { CONFIG_SECTORS, CONFIG_TEXT_MAX, SECTOR_BYTES } from '../../../base/layout.ts';
import { TICKS_PER_SECOND } from '../../../base/limits.ts';
import { HEAD_BYTES } from '../sections.ts';
import { areaAt, blank, powerOn } from './store-lab.ts';
import { versionLine } from './version.ts';

const MINUTE = 60 * TICKS_PER_SECOND;
const NOTES = 1000;
const note = (i: number): string => `note ${i} of what stands in the room with that number ${i % 7}`;
const notes = Array.from({ length: NOTES }, (_, i) => note(i));

const textOf = (lines: readonly string[]): string => `${[versionLine(), ...lines].join('\n')}\n`;
const savedText = (bytes: Buffer, index: number): string | undefined =>
  decodeConfig(configArea(bytes, index))?.text;

async function longBoard() {
  const bytes = blank();
  const text = textOf([...longSettings, ...notes]);
  putConfig(bytes, 0, encodeConfig(1, text));
  return { bytes, text, ...(await powerOn(bytes)) };
}

test('64 KB are applied, listed, exported and saved as they are, and outlive control', async t => {
  const { board, bytes, command, start, text } = await longBoard();
  t.true(text.length > 60000 && text.length < CONFIG_TEXT_MAX, `${text.length}`);
  t.notRegex(start, /config:/);
  const lines = [...longSettings, ...notes];
  t.deepEqual(command('export secrets').split('\n').slice(1), lines);
  const shown = (): string[] => command('show config').split('\n');
  t.deepEqual(
    shown(),
    lines.map(line => `  ${line}`),
  );
  t.is(command('save'), 'Saved');
  t.is(savedText(bytes, 1), text);
  board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
  t.regex(command(''), /Control was restarted/);
  t.deepEqual(command('export secrets').split('\n').slice(1), lines);
  command('clear note 3');
  command('note a new one');
  const changed = shown();
  t.deepEqual(
    changed.filter(line => !line.startsWith('  ')),
    ['+ note a new one', `- ${notes[2]}`],
  );
  t.is(command('revert'), 'Reverted: as saved');
  t.deepEqual(
    shown(),
    lines.map(line => `  ${line}`),
  );
  t.regex(
    (await powerOn(bytes)).command('show config'),
    /^ {2}set lan address .*\n( {2}.*\n)+ {2}note 999 .*$/,
  );
});

test('at the limit a line is refused with the reason, and what is there can be saved', async t => {
  const { bytes, command, text } = await longBoard();
  const long = 'x'.repeat(900);
  let left = CONFIG_TEXT_MAX - HEAD_BYTES - text.length + versionLine().length + 1;
  let count = 0;
  for (; left >= long.length + 6; left -= long.length + 6) {
    t.is(command(`note ${long}`), '');
    count++;
  }
  const before = command('export secrets');
  t.regex(
    command(`note ${long}`),
    /^Cannot keep it: the configuration would have \d+ characters, and 65536 fit$/,
  );
  t.is(command('export secrets'), before);
  t.is(command('save'), 'Saved');
  t.is(savedText(bytes, 1), `${before}\n`);
  t.is(before.split(long).length - 1, count);
});

test('import takes 64 KB, all or nothing, and confirm goes back from it', async t => {
  const one = await longBoard();
  const { board, command } = await powerOn(blank());
  const fresh = command('export secrets');
  const whole = one.command('export secrets').split('\n').slice(1);
  const imported = (lines: readonly string[]): string => command(`import\r${[...lines, 'end'].join('\r')}`);
  t.regex(
    imported([...whole, 'set dhcp lease 5']),
    /Cannot import: 1 lines were refused; nothing was changed/,
  );
  t.is(command('export secrets'), fresh);
  t.regex(imported(whole), new RegExp(`${whole.length} lines are in force, and not saved`));
  t.deepEqual(command('export secrets').split('\n').slice(1), whole);
  t.is(command('set dhcp lease 7200 confirm 1'), '');
  t.is(command('clear note'), '');
  t.notRegex(command('export'), /^note/m);
  board.advance(MINUTE);
  t.deepEqual(command('export secrets').split('\n').slice(1), whole);
  t.regex(
    imported([...whole, ...whole.filter(line => line.startsWith('note'))]),
    /Cannot import: the configuration has \d+ characters, and \d+ fit/,
  );
  t.deepEqual(command('export secrets').split('\n').slice(1), whole);
  t.is(command('save'), 'Saved');
  t.is(command('set dhcp lease 7200 confirm 1'), '');
  t.is(command('note one more'), '');
  t.is(command('revert'), 'Reverted: as saved');
  t.deepEqual(command('export secrets').split('\n').slice(1), whole);
});

test('a cut at any write of 64 KB leaves the text before or the new one, and a sector that rots the other', async t => {
  const { bytes, text } = await longBoard();
  const states: Buffer[] = [];
  const medium: Medium = {
    ...memoryMedium(bytes),
    write: (sector, data) => {
      states.push(Buffer.from(bytes));
      memoryMedium(bytes).write(sector, data);
    },
  };
  const { command } = await powerOn(undefined, simDisk(medium));
  command('clear note 5');
  states.length = 0;
  t.is(command('save'), 'Saved');
  const after = text.replace(`${notes[4]}\n`, '');
  t.is(savedText(bytes, 1), after);
  t.true(states.length > 120, `${states.length}`);
  const newest = (disk: Buffer): string | undefined =>
    [0, 1]
      .map(index => decodeConfig(configArea(disk, index)))
      .filter(found => found !== null)
      .sort((a, b) => b.sequence - a.sequence)[0]?.text;
  for (const [i, state] of states.entries()) t.is(newest(state), text, `write ${i}`);
  for (const i of [0, Math.floor(states.length / 2), states.length - 1]) {
    const { start, command: type } = await powerOn(states[i] as Buffer);
    t.regex(start, /lan: 10\.9\.0\.1/);
    t.is(type('export secrets'), text.slice(0, -1));
  }
  for (const place of [100, 20_000, 60_000]) {
    const spoiled = Buffer.from(bytes);
    const record = configArea(spoiled, 1);
    record[place]! ^= 1;
    putConfig(spoiled, 1, record);
    const { start, command: type } = await powerOn(spoiled);
    t.regex(start, /saved configuration 1 cannot be used: its checksum is wrong/);
    t.is(type('export secrets'), text.slice(0, -1));
  }
});

test('what fits where it always was is written there, and firmware of before finds it', async t => {
  const bytes = blank();
  const { command } = await powerOn(bytes);
  command('set dns host a 192.168.0.9');
  command('note short');
  t.is(command('save'), 'Saved');
  const old = bytes.subarray(areaAt(0), areaAt(0) + CONFIG_SECTORS * SECTOR_BYTES);
  t.regex(decodeConfig(old)?.text ?? '', /set dns host a 192\.168\.0\.9\n.*note short\n$/s);
  t.true(
    bytes.subarray(areaAt(2)).every(byte => byte === 0),
    'nothing is written elsewhere',
  );
});
