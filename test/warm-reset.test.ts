// A warm reset leaves RAM as it was, and nothing of it may matter but the crash page, which vouches for itself by
// its magic and its sum. So the board is reset with its RAM full of ones, full of zeros, and as the last run left
// it, with control restarted in that run: the next start is each time that of a board that was just switched on.
// The RAM is a file that QEMU maps; the test writes to it while the machine stands still.

import test from 'ava';
import { NOW_AT } from '../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../src/base/limits.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { isaCards, Machine, pciCards } from '../tools/harness/qemu.ts';
import { IMAGE } from './harness/board-router.ts';
import { ICOUNT_SHIFT, planeWord } from './harness/icount.ts';
import { Ram } from './harness/ram.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

const MEMORY_MIB = 4;
const MEMORY_BYTES = MEMORY_MIB << 20;
const BIOS_FROM = 0xc0000;
const BIOS_END = 0x100000;
const BOOT_SECONDS = 180;
/** Of the machine's time, in which ticks are counted; its calendar clock shows whole seconds. */
const CLOCK_SECONDS = 20;

/** Seconds of the machine's calendar clock, which an instruction moves on by 32 ns. */
async function seconds(machine: Machine): Promise<number> {
  const date = (await machine.monitor('qom-get', { path: '/machine', property: 'rtc-time' })) as Record<
    string,
    number
  >;
  const at = (name: string): number => date[name] as number;
  return (
    Date.UTC(at('tm_year'), at('tm_mon'), at('tm_mday'), at('tm_hour'), at('tm_min'), at('tm_sec')) / 1000
  );
}

/** Ticks of the board in a second. */
async function frequency(machine: Machine): Promise<number> {
  const moment = async (): Promise<[number, number]> => {
    await machine.monitor('stop');
    const now: [number, number] = [await seconds(machine), await planeWord(machine, NOW_AT)];
    await machine.monitor('cont');
    return now;
  };
  const [from, ticksBefore] = await moment();
  for (;;) {
    await new Promise(resolve => setTimeout(resolve, 50));
    const [to, ticks] = await moment();
    if (to - from >= CLOCK_SECONDS) return (ticks - ticksBefore) / (to - from);
  }
}

/** Fills the RAM below the BIOS's copy of itself, which a reset by QEMU does not renew, and above it. */
function overwrite(ram: Ram, byte: number): void {
  ram.write(0, Buffer.alloc(BIOS_FROM, byte));
  ram.write(BIOS_END, Buffer.alloc(MEMORY_BYTES - BIOS_END, byte));
}

/** Resets a machine that stands still. QEMU only notes the wish at first, and must not run what RAM holds meanwhile. */
async function reset(machine: Machine): Promise<void> {
  await machine.monitor('system_reset');
  while (((await machine.monitor('query-status')) as { status: string }).status !== 'prelaunch') {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  await machine.monitor('cont');
}

const LEFT: readonly [string, number | undefined][] = [
  ['the last run', undefined],
  ['ones', 0xff],
  ['zeros', 0],
];

for (const [name, cards] of [
  ['isapc', isaCards],
  ['pc', pciCards],
] as const) {
  test.serial(`a warm reset starts the board afresh, whatever RAM holds (${name})`, async t => {
    t.timeout(TEST_MILLISECONDS);
    const ram = new Ram(MEMORY_MIB);
    t.teardown(() => ram.remove());
    const machine = await Machine.start({
      machine: name,
      memory: MEMORY_MIB,
      disk: IMAGE,
      cards: cards({ user: true }, { user: true }),
      icount: ICOUNT_SHIFT,
      extra: [...ram.extra, '-rtc', 'clock=vm'],
    });
    t.teardown(() => machine.stop());
    const { console } = machine;
    await console.expect(PROMPT, BOOT_SECONDS);
    for (const [what, byte] of LEFT) {
      console.write('debug crash control throw\r');
      await console.expect(/Control was restarted/, BOOT_SECONDS);
      await console.expect(PROMPT, BOOT_SECONDS);
      t.regex(await console.command('show version'), /control restarted 1 times \(exception\)/);
      await machine.monitor('stop');
      if (byte !== undefined) overwrite(ram, byte);
      await reset(machine);
      await console.expect(/Masqbox loader: slot A/, BOOT_SECONDS);
      await console.expect(PROMPT, BOOT_SECONDS);
      const version = await console.command('show version');
      t.regex(version, /control restarted 0 times \(power-on\)/, what);
      t.regex(version, /boot: loader \d+ ms, floor \d+ ms/, what);
      const ticks = await frequency(machine);
      t.true(Math.abs(ticks - TICKS_PER_SECOND) < TICKS_PER_SECOND / 10, `${what}: ${ticks} ticks a second`);
      // What must be empty after a start from nothing, and is only where the crash page is no longer good.
      const crashes = await console.command('show crash');
      if (byte === undefined) t.regex(crashes, /exception/);
      else t.regex(crashes, /Nothing has gone wrong/, what);
    }
  });
}
