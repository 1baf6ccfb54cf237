// Firmware updates on the booted board: a 486 whose disk is written to takes an image over its console, from lrzsz and
// from our own sender, boots it on trial, makes it permanent, and gets over firmware that never comes up and over power
// cuts in the middle.
// Not here: power cuts at every sector (update-power.test.ts), the host tool (masqbox.test.ts).

import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { signerOf } from '../image/signing.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { isaCards, Machine } from '../tools/harness/qemu.ts';
import { IMAGE } from './harness/board-router.ts';
import { imageOf, send, sendBy, slotOf } from './harness/firmware.ts';

const BOOT_SECONDS = 120;
const TRANSFER_SECONDS = 300;

const folder = mkdtempSync(path.join(tmpdir(), 'masqbox-update-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

function newDisk(name: string): string {
  const disk = path.join(folder, name);
  copyFileSync(IMAGE, disk);
  truncateSync(disk, 4 << 20);
  return disk;
}

async function boot(t: ExecutionContext, disk: string): Promise<Machine> {
  const machine = await Machine.start({
    disk,
    writable: true,
    memory: 4,
    cards: isaCards({ user: true }, { user: true }),
  });
  t.teardown(() => machine.stop());
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return machine;
}

/** Types a line until the answer is this one: a notice that comes meanwhile may stand where the answer was looked for. */
async function answers(machine: Machine, line: string, pattern: RegExp): Promise<void> {
  let answer = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    answer = await machine.console.command(line);
    if (pattern.test(answer)) return;
  }
  throw new Error(`Cannot see ${pattern} in the answer to ${line}: ${answer}`);
}

test.serial('new firmware boots on trial, is made permanent, and update back returns', async t => {
  const machine = await boot(t, newDisk('good'));
  await answers(
    machine,
    'show update',
    /slot A: .* permanent, sequence 1, .*running\nslot B: there is no firmware/,
  );
  const stranger = signerOf(generateKeyPairSync('ed25519').privateKey);
  await t.throwsAsync(
    send(
      machine,
      slotOf(IMAGE, '9.9.9', () => {}, stranger),
    ),
    { message: /cancelled/ },
  );
  await machine.console.expect(
    /Cannot update: it comes with key [0-9a-f]{16}, and this board knows key [0-9a-f]{16}; slot A stays in force/,
    60,
  );
  await answers(
    machine,
    'show update',
    /\nslot B: there is no firmware\nAn update must be signed by key [0-9a-f]{16}$/m,
  );
  const file = path.join(folder, 'new.img');
  writeFileSync(file, imageOf(IMAGE, '9.9.9'));
  t.is(await sendBy(machine, ['sz', '--ymodem', '--binary', file]), 0);
  await machine.console.expect('Masqbox 9.9.9 is in slot B and starts on trial', 60);
  await machine.console.expect('slot B is on trial, boots left after this one: 2', BOOT_SECONDS);
  await machine.console.expect('Masqbox 9.9.9 in slot B is on trial, tries left: 2', BOOT_SECONDS);
  await answers(machine, 'update', /^Cannot update: slot B is itself on trial/m);
  await machine.console.expect('Masqbox 9.9.9 in slot B is permanent now', TRANSFER_SECONDS);
  const slots =
    /slot A: .* permanent, sequence 1, .*\nslot B: Masqbox 9\.9\.9, permanent, sequence 2, .*running/;
  await answers(machine, 'show update', slots);
  machine.console.write('update back\r');
  await machine.console.expect(/Starting Masqbox \S+ in slot A/, 60);
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  await answers(
    machine,
    'show update',
    /slot A: .*permanent, .*running\nslot B: Masqbox 9\.9\.9, permanent, /,
  );
  machine.console.write('update back\r');
  await machine.console.expect('Starting Masqbox 9.9.9 in slot B', 60);
  await machine.console.expect('Masqbox loader: slot B', BOOT_SECONDS);
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  await answers(
    machine,
    'show update',
    /slot A: .*permanent, .*\nslot B: Masqbox 9\.9\.9, permanent, .*running/,
  );
  t.notRegex(machine.console.transcript, /failed|never came up|on trial, tries left: [^2]/);
  t.notRegex(machine.console.transcript, /Control was restarted|panic/);
});

test.serial('firmware that dies at its start is tried three times, then the old one is back', async t => {
  const machine = await boot(t, newDisk('dead'));
  const slot = slotOf(IMAGE, '0.0.6', snapshot => snapshot.fill(0xff, 100, 5000), null);
  const file = path.join(folder, 'dead.slot');
  writeFileSync(file, slot);
  t.is(await sendBy(machine, ['sx', '-k', file], 'update unsigned'), 0);
  await machine.console.expect(/Masqbox 0\.0\.6 is older than Masqbox \S+, which runs/, 60);
  await machine.console.expect('starts on trial', 60);
  for (const left of [2, 1, 0]) {
    await machine.console.expect(`boots left after this one: ${left}`, BOOT_SECONDS);
  }
  await machine.console.expect('Cannot boot slot B: it has failed its trial', BOOT_SECONDS);
  await machine.console.expect('Masqbox 0.0.6 in slot B has failed its trial', BOOT_SECONDS);
  await answers(
    machine,
    'show update',
    /slot A: .*running\nslot B: Masqbox 0\.0\.6, on trial, no tries left/,
  );
  t.pass();
});

test.serial('a power cut in the middle leaves the old firmware, and the next update succeeds', async t => {
  const disk = newDisk('cut');
  const slot = slotOf(IMAGE, '9.9.9');
  for (const share of [0.02, 0.5]) {
    const machine = await boot(t, disk);
    const cut = (sent: number): void => {
      if (sent > share * slot.length) throw new Error('enough');
    };
    await t.throwsAsync(send(machine, slot, cut), { message: 'enough' });
    await machine.stop(); // what was written is in the file, the rest is not
  }
  const machine = await boot(t, disk);
  await answers(machine, 'show update', /slot A: .*running\nslot B: there is no firmware/);
  await send(machine, slot);
  await machine.console.expect('Masqbox 9.9.9 in slot B is on trial', BOOT_SECONDS);
  t.pass();
});
