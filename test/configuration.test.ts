// The configuration on the booted 486: flash.sh puts one on the card, the board starts with it and exports it, and
// another board that gets that at its console exports the same. On a floppy it is found and saved too.
// Not here: power cuts (power-loss.test.ts), what each command does (src/control/core/store/store.test.ts).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { decodeConfig } from '../image/records.ts';
import { CONFIG_COUNT, CONFIG_SECTOR, CONFIG_SECTORS, SECTOR_BYTES } from '../src/base/layout.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { eventually } from '../tools/harness/processes.ts';
import { isaCards, Machine, type MachineOptions } from '../tools/harness/qemu.ts';
import { IMAGE } from './harness/board-router.ts';

const BOOT_SECONDS = 180;
const FILE = `# the house
set lan address 10.7.0.1/24

# machines
set dhcp reserve 52:54:00:00:01:01 10.7.0.9 desk
set wan address 203.0.113.9/24
set dns host printer 10.7.0.7
  set nat profile classic
set flux capacitor on
`;

async function start(t: ExecutionContext, options: MachineOptions): Promise<Machine> {
  const machine = await Machine.start({ cards: isaCards({ user: true }, { user: true }), ...options });
  t.teardown(() => machine.stop());
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return machine;
}

/** Types a line until its answer is good: a notice may come before it, with a prompt of its own. */
async function answers(machine: Machine, line: string, pattern: RegExp): Promise<string> {
  return await eventually(
    () => machine.console.command(line, BOOT_SECONDS),
    answer => pattern.test(answer),
  );
}

test.serial('flash.sh --config, export, and paste into another board', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-configuration-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [file, disk] = [join(folder, 'house.conf'), join(folder, 'disk.img')];
  writeFileSync(file, FILE);
  execFileSync(join(import.meta.dirname, '../flash.sh'), ['--unchecked', '--config', file, IMAGE, disk], {
    stdio: 'pipe',
  });
  const one = await start(t, { disk });
  t.regex(one.console.transcript, /lan: 10\.7\.0\.1\/24\r\nwan: 203\.0\.113\.9\/24/);
  await eventually(
    () => one.console.transcript,
    text => /config: Cannot run set flux capacitor on: there is no such command/.test(text),
  );
  const whole = /^# masqbox configuration \d+\n(set .*\n)*set [^\n]*$/;
  const text = await answers(one, 'export', whole);
  for (const line of FILE.split('\n').filter(entry => entry.trim().startsWith('set ') && !/flux/.test(entry)))
    t.true(text.split('\n').includes(line.trim()), line);
  const shown = await answers(one, 'show config', /- set flux capacitor on$/);
  t.deepEqual(
    shown.split('\n').filter(line => /^[+]/.test(line)),
    [],
    'what is in force has come from the file',
  );
  const other = await start(t, { disk: IMAGE });
  t.not(await answers(other, 'export', whole), text);
  for (const line of text.split('\n')) await answers(other, line, /^$/);
  t.is(await answers(other, 'export', whole), text);
});

/** Where a floppy's settings are saved. */
function places(floppy: string) {
  const bytes = readFileSync(floppy);
  return Array.from({ length: CONFIG_COUNT }, (_, i) => {
    const at = (CONFIG_SECTOR + i * CONFIG_SECTORS) * SECTOR_BYTES;
    return decodeConfig(bytes.subarray(at, at + CONFIG_SECTORS * SECTOR_BYTES));
  });
}

/** A floppy on which this is saved. */
function floppyOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-floppy-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [file, floppy] = [join(folder, 'house.conf'), join(folder, 'floppy.img')];
  writeFileSync(file, FILE);
  execFileSync(join(import.meta.dirname, '../flash.sh'), ['--unchecked', '--config', file, IMAGE, floppy], {
    stdio: 'pipe',
  });
  return floppy;
}

async function restart(machine: Machine): Promise<void> {
  await machine.monitor('system_reset');
  await machine.console.expect(/Masqbox \d/, BOOT_SECONDS);
  await machine.console.expect(PROMPT, BOOT_SECONDS);
}

const KINDS: [string, MachineOptions][] = [
  ['4 MB', { memory: 4 }],
  ['a PC', { memory: 8, machine: 'pc' }],
];
for (const [name, options] of KINDS) {
  test.serial(
    `a floppy with a configuration starts with it, and what is saved on it is there again, ${name}`,
    async t => {
      const floppy = floppyOf(t);
      const machine = await start(t, { floppy, writable: true, ...options });
      t.regex(machine.console.transcript, /lan: 10\.7\.0\.1\/24\r\nwan: 203\.0\.113\.9\/24/);
      t.notRegex(machine.console.transcript, /saved/);
      await answers(machine, 'show config', /^ {2}set dns host printer 10\.7\.0\.7$/m);
      const free = async (): Promise<number> =>
        Number(/(\d+) KiB free/.exec(await answers(machine, 'show memory', /KiB free/))?.[1]);
      const before = await free();
      for (const host of ['one', 'two', 'three']) {
        await answers(machine, `set dns host ${host} 10.7.0.8`, /^$/);
        await answers(machine, 'save', /^Saved$/m);
      }
      t.log(`${before} KiB of the heap were free, ${await free()} with the floppy's driver`);
      const saved = places(floppy);
      t.deepEqual(saved.map(place => place?.sequence).sort(), [3, 4]);
      await restart(machine);
      t.regex(
        await answers(machine, 'show config', /^ {2}set dns host three 10\.7\.0\.8$/m),
        /^(?!.*^[+-])/ms,
      );
      await answers(
        machine,
        'show disk',
        /^the board was booted from a floppy: settings are saved on it, leases are not$/m,
      );
      machine.console.write('reset factory\r');
      await machine.console.expect(/Rebooting/, BOOT_SECONDS);
      await machine.console.expect(/lan: 192\.168\.0\.1\/24/, BOOT_SECONDS);
      await machine.console.expect(PROMPT, BOOT_SECONDS);
      await answers(machine, 'show config', /^# nothing is saved$/m);
      t.true(places(floppy).every(place => !place));
      await machine.stop();
    },
  );
}

test.serial('a floppy that is protected, gone, or another one is told, and not written to', async t => {
  const floppy = floppyOf(t);
  const before = readFileSync(floppy);
  const protectedOne = await start(t, { floppy, isProtected: true });
  await answers(protectedOne, 'set dns host one 10.7.0.8', /^$/);
  await answers(protectedOne, 'save', /^Cannot save: the floppy is write-protected$/m);
  await answers(protectedOne, 'show config', /^\+ set dns host one/m);
  await protectedOne.stop();
  const machine = await start(t, { floppy, writable: true });
  const change = (filename: string) =>
    machine.monitor('blockdev-change-medium', { device: 'floppy0', filename, format: 'raw' });
  await answers(machine, 'set dns host one 10.7.0.8', /^$/);
  await machine.monitor('eject', { device: 'floppy0', force: true });
  await answers(machine, 'save', /^Cannot save: there is no floppy in the drive$/m);
  const other = `${floppy}.other`;
  writeFileSync(other, Buffer.alloc(before.length));
  await change(other);
  await answers(machine, 'save', /^Cannot save: the floppy in the drive is not the one that was booted$/m);
  t.true(readFileSync(other).every(byte => byte === 0));
  t.true(readFileSync(floppy).equals(before));
  await change(floppy);
  await answers(machine, 'save', /^Saved$/m);
  t.regex(places(floppy)[1]!.text, /set dns host one 10\.7\.0\.8/);
});
