// The configuration on the booted 486: flash.sh puts one on the card, the board starts with it and exports it, and
// another board that gets that at its console exports the same. From a floppy it is read, and nothing can be saved.
// Not here: power cuts (power-loss.test.ts), what each command does (src/control/store/store.test.ts).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { IMAGE } from './harness/board-router.ts';
import { PROMPT } from './harness/console.ts';
import { eventually } from './harness/processes.ts';
import { isaCards, Machine, type MachineOptions } from './harness/qemu.ts';

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

test.serial('a floppy with a configuration starts with it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-floppy-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [file, floppy] = [join(folder, 'house.conf'), join(folder, 'floppy.img')];
  writeFileSync(file, FILE);
  execFileSync(join(import.meta.dirname, '../flash.sh'), ['--unchecked', '--config', file, IMAGE, floppy], {
    stdio: 'pipe',
  });
  for (const memory of [4, 8]) {
    const machine = await start(t, { floppy, memory });
    t.regex(machine.console.transcript, /lan: 10\.7\.0\.1\/24\r\nwan: 203\.0\.113\.9\/24/);
    await answers(machine, 'show config', /^ {2}set dns host printer 10\.7\.0\.7$/m);
    await answers(machine, 'save', /^Cannot save: the board was booted from a floppy$/m);
    await answers(machine, 'show disk', /^nothing can be saved: the board was booted from a floppy$/m);
    await machine.stop();
  }
});

test.serial('a board that was booted from a floppy says that it can save nothing', async t => {
  const machine = await start(t, { floppy: IMAGE });
  t.regex(machine.console.transcript, /nothing can be saved: the board was booted from a floppy\r\n/);
  await answers(machine, 'save', /^Cannot save: the board was booted from a floppy$/m);
  await answers(machine, 'show disk', /^nothing can be saved: the board was booted from a floppy$/m);
});
