// Saved lines on the booted 486, as many as the card has room for: whatever they are, the board starts, with the password
// in force, on a processor of 8 million instructions a second too. Time is the board's own, by its instructions.
// Not here: what becomes of each line (src/control/core/apply.test.ts).

import { pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { encodeConfig, putConfig } from '../image/records.ts';
import { IDLE_COUNTS_AT, NOW_AT } from '../src/base/cells.ts';
import { CONFIGURATION_BYTES, TICKS_PER_SECOND } from '../src/base/limits.ts';
import { DHCP_RESERVATIONS } from '../src/control/core/limits.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { isaCards, Machine } from '../tools/harness/qemu.ts';
import { IMAGE } from './harness/board-router.ts';
import { ICOUNT_SHIFT, PIT_COUNTS_PER_SECOND, planeWord } from './harness/icount.ts';
import { longConfiguration } from './harness/long-configuration.ts';

const BOOT_SECONDS = 180;
/** 2^7 ns an instruction. */
const SLOW_SHIFT = 7;
const SALT = '00112233445566778899aabbccddeeff';
const HASH = pbkdf2Sync('secret', Buffer.from(SALT, 'hex'), 2, 32, 'sha256').toString('hex');
const PASSWORD = `set password hash 2 ${SALT} ${HASH}\n`;

const folder = mkdtempSync(join(tmpdir(), 'masqbox-saved-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** A board with these settings saved; answers what it said up to its question, and the tick then. */
async function start(t: ExecutionContext, text: string, question: string | RegExp, shift: number) {
  const disk = join(folder, 'disk.img');
  const image = Buffer.from(readFileSync(IMAGE));
  putConfig(image, 0, encodeConfig(1, text));
  writeFileSync(disk, image);
  const cards = isaCards({ user: true }, { user: true });
  const machine = await Machine.start({ disk, memory: 4, cards, icount: shift, sleep: true });
  t.teardown(() => machine.stop());
  const said = await machine.console.expect(question, BOOT_SECONDS);
  return { machine, said, ticks: await planeWord(machine, NOW_AT) };
}

/** Settings have this much room; a saved text may be longer by what sections have. */
const MOST = CONFIGURATION_BYTES - 4;

/** Lines up to what settings have room for, then the password. */
function filled(line: (i: number) => string): string {
  let text = '';
  for (let i = 0; text.length + line(i).length + PASSWORD.length <= MOST; i++) text += line(i);
  return text + PASSWORD;
}

const hex = (i: number): string => (i & 255).toString(16).padStart(2, '0');
const TEXTS: Record<string, string> = {
  'lines of a newer firmware': filled(i => `set filter rule ${i} drop tcp from any\n`),
  'reservations, of which 64 fit': filled(
    i => `set dhcp reserve 52:54:00:00:${hex(i >> 8)}:${hex(i)} 192.168.0.${(i % 200) + 2}\n`,
  ),
  'the shortest lines': filled(() => 's\n'),
  'one line': filled(i => (i === 0 ? 'x'.repeat(MOST - PASSWORD.length - 1) : '\n')),
  'names that fit in many ways': filled(() => `set syslog ${'a'.repeat(200)}!\n`),
};

/** The dearest that each kind of line can be, of which some or all are taken; and the seconds that they may take. */
const DEAR: Record<string, [line: (i: number) => string, seconds: number]> = {
  'shortened words with tabs': [i => `s\td  x ${i} drop tcp from any\n`, 20],
  'addresses in turn': [i => `s w a 1.1.1.${1 + (i & 1)}/8\n`, 60],
  'no WAN and one by DHCP in turn': [i => `s w ${i % 2 === 0 ? 'd' : 'n'}\n`, 60],
  'gateways that are refused': [() => 's w g 1.1.1.2\n', 60],
  'routes whose gateways are nowhere': [i => `s r 10.${i % 16}.0.0/16 1.1.1.${(i % 200) + 1}\n`, 40],
  'parts that have no room': [i => `s e ${i % 2 === 0 ? 'native' : 'interpreted'}\n`, 40],
  'options of long names': [() => `s dh o 119 ${'a.'.repeat(480)}x\n`, 20],
  'zones that there are not': [i => `s t Q${i}\n`, 60],
  'zones in turn': [i => `s t ${i % 2 === 0 ? 'Paris' : 'Tokyo'}\n`, 90],
  'a zone of 960 letters': [() => `s t ${'a'.repeat(960)}\n`, 20],
};

for (const [what, [line, seconds]] of Object.entries(DEAR)) {
  test.serial(`16 KB of saved lines, ${what}: the password is asked for in time`, async t => {
    const { machine, said, ticks } = await start(t, filled(line), 'Password: ', SLOW_SHIFT);
    t.log(`${(ticks / TICKS_PER_SECOND).toFixed(1)} s of a board with 8 MIPS`);
    t.notRegex(said, /Control was restarted|Floor:/);
    t.true(ticks < seconds * TICKS_PER_SECOND, `${ticks} ticks`);
    await machine.stop();
  });
}

for (const [what, text] of Object.entries(TEXTS)) {
  test.serial(`16 KB of saved lines, ${what}: the board starts and asks for the password`, async t => {
    const { machine, said, ticks } = await start(t, text, 'Password: ', SLOW_SHIFT);
    t.log(`${(ticks / TICKS_PER_SECOND).toFixed(1)} s of a board with 8 MIPS`);
    t.notRegex(said, /Control was restarted|Floor:/);
    t.regex(said, /lines were not taken: show refused lists them|too long for a line/);
    // 16 KB are a quarter of what there will be room for.
    t.true(ticks < 40 * TICKS_PER_SECOND, `${ticks} ticks`);
    await machine.stop();
  });
}

test.serial('a legal configuration with all tables full starts on a board with 8 MIPS', async t => {
  const comments = filled(i => `# what stands in room ${i}\n`).slice(0, MOST - longConfiguration.length);
  const text =
    longConfiguration + comments.slice(0, comments.lastIndexOf('\n', comments.length - 200) + 1) + PASSWORD;
  t.true(text.length > MOST - 500 && text.length <= MOST, `${text.length}`);
  const { machine, said, ticks } = await start(t, text, 'Password: ', SLOW_SHIFT);
  t.log(`${(ticks / TICKS_PER_SECOND).toFixed(1)} s of a board with 8 MIPS`);
  t.notRegex(said, /Control was restarted|Floor:|not taken|too long/);
  t.true(ticks < 20 * TICKS_PER_SECOND, `${ticks} ticks`);
  machine.console.write('secret\r');
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  const config = await machine.console.command('show config', BOOT_SECONDS);
  t.is(config.match(/^ *set dhcp reserve/gm)?.length, DHCP_RESERVATIONS);
});

/** Ticks to the prompt less those that were slept, the least of a few starts: how long the disk takes depends on the host. */
async function fastest(t: ExecutionContext, text: string): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const { machine, ticks } = await start(t, text, PROMPT, ICOUNT_SHIFT);
    const idle = (await planeWord(machine, IDLE_COUNTS_AT)) / PIT_COUNTS_PER_SECOND;
    await machine.stop();
    least = Math.min(least, ticks - idle * TICKS_PER_SECOND);
  }
  return least;
}

test.serial('an unknown saved line costs 2 ms at most, one of shortened words 2.5 ms', async t => {
  const count = 400;
  const lines = (start: string): string =>
    Array.from({ length: count }, (_, i) => `${start} x ${i} drop tcp from any\n`).join('');
  // As many bytes in as many lines, which are read and mean nothing.
  const none = await fastest(t, lines('### q'));
  for (const [start, most] of [
    ['set q', 2],
    ['set\tq', 2],
    ['s  d', 2.5],
  ] as const) {
    const all = await fastest(t, lines(start));
    const milliseconds = ((all - none) * 1000) / TICKS_PER_SECOND / count;
    t.log(`${JSON.stringify(start)}: ${milliseconds.toFixed(2)} ms a line`);
    t.true(milliseconds <= most, `${start}: ${milliseconds} ms`);
  }
});

test.serial('reset factory at Password: needs the power switch', async t => {
  const { machine, said } = await start(t, PASSWORD, 'Password: ', ICOUNT_SHIFT);
  t.regex(said, /Is it lost\?/);
  await machine.human('system_reset');
  const again = await machine.console.expect('Password: ', BOOT_SECONDS);
  t.regex(again, /Masqbox loader/);
  t.notRegex(again, /Is it lost\?/);
  machine.console.write('reset factory\r');
  t.regex(await machine.console.expect('Password: ', BOOT_SECONDS), /Wrong/);
});
