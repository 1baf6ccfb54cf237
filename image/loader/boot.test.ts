// The boot, for real: QEMU's BIOS, our boot sector and loader, and a kernel that prints what it was given.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import * as layout from '../../src/base/layout.ts';
import { buildLoader, type Loader } from '../loader-build.ts';
import { writeImage, writeSlot } from '../writer.ts';

const { SECTOR_BYTES } = layout;
const here = path.dirname(fileURLToPath(import.meta.url));
const KERNEL_BYTES = 300_000;
const LAST_WORD = 0xcafef00d;
const SLOT_A = layout.SLOT_SECTOR * SECTOR_BYTES;
const SLOT_B = (layout.SLOT_SECTOR + layout.SLOT_SECTORS) * SECTOR_BYTES;

let folder: string;
let loader: Loader;
let firmware: { kernel: Uint8Array; snapshot: Uint8Array; version: string };

test.before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'masqbox-boot-'));
  loader = await buildLoader();
  firmware = { kernel: buildKernel(), snapshot: new Uint8Array(5000).fill(7), version: '0.1.0' };
});
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** The test kernel, filled up with bytes that pack badly, its last word known. */
function buildKernel(): Uint8Array {
  const output = path.join(folder, 'kernel');
  const options = `-m32 -nostdlib -static -no-pie -DKERNEL_BYTES=${KERNEL_BYTES}`.split(' ');
  const link = '-Wl,--build-id=none,-Ttext,0x100000,--oformat=binary';
  execFileSync('gcc', [...options, link, path.join(here, 'test-kernel.S'), '-o', output]);
  const kernel = Buffer.alloc(KERNEL_BYTES);
  for (let i = 0; i < KERNEL_BYTES; i++) kernel[i] = Math.imul(i, i) >> 13;
  readFileSync(output).copy(kernel);
  kernel.writeUInt32LE(LAST_WORD, KERNEL_BYTES - 4);
  return kernel;
}

function goodImage(): Uint8Array {
  return writeImage({ ...firmware, ...loader });
}

/** Boots an image with QEMU until it leaves or has printed `until`; answers what it printed on COM1. */
async function boot(image: Uint8Array, options: string, until?: RegExp): Promise<string> {
  const file = path.join(folder, `${Math.random()}.img`);
  writeFileSync(file, image);
  const output = await bootFile(file, options, until);
  rmSync(file, { force: true });
  return output;
}

/** The same from a file, which keeps what the board writes. @param block how QEMU opens the file */
function bootFile(file: string, options: string, until?: RegExp, block = `file=${file}`): Promise<string> {
  const drive = options.includes('floppy') ? 'floppy' : 'ide';
  const machine = options.replace(/ floppy| ide/, '').split(' ');
  const qemu = spawn('qemu-system-i386', [
    ...machine,
    ...'-display none -serial stdio -net none -no-reboot -device isa-debug-exit,iobase=0xf4'.split(' '),
    ...'-icount shift=5,sleep=off -drive'.split(' '),
    `${block},format=raw,if=${drive}`,
  ]);
  return new Promise((resolve, reject) => {
    let output = '';
    const limit = setTimeout(() => qemu.kill(), 300_000);
    qemu.stdout.on('data', chunk => {
      output += String(chunk);
      if (until?.test(output)) qemu.kill();
    });
    qemu.stderr.on('data', chunk => {
      output += String(chunk);
    });
    qemu.on('error', reject);
    // Not at its exit: what it has printed may still be in the pipe.
    qemu.on('close', () => {
      clearTimeout(limit);
      resolve(output.replaceAll('\r', ''));
    });
  });
}

/** The words that the test kernel printed. */
function facts(t: ExecutionContext, output: string): number[] {
  const words = output.match(/^[0-9a-f]{8}$/gm)?.map(word => Number.parseInt(word, 16)) ?? [];
  t.is(words.length, 18, output);
  t.is(words[0], layout.BOOT_MAGIC, output);
  t.is(words[16], LAST_WORD);
  t.is(words[17], 0x00080010, 'code and data segments');
  return words;
}

const word = (at: number) => at / 4;

for (const [options, drive, kib] of [
  ['-M isapc -cpu 486 -m 4 ide', 0x80, 4096],
  ['-M isapc -cpu 486 -m 8 floppy', 0, 8192],
  ['-M pc -m 8 ide', 0x80, 8192],
  ['-M pc -m 32 floppy', 0, layout.MEMORY_MAX_KIB],
] as const) {
  test(`the image boots with ${options}`, async t => {
    const output = await boot(goodImage(), options);
    const words = facts(t, output);
    t.regex(output, /Masqbox loader: slot A, \d+ KiB\n/);
    t.is(words[word(layout.BOOT_AT_DRIVE)], drive);
    t.is(words[word(layout.BOOT_AT_SLOT)], 0);
    const memory = words[word(layout.BOOT_AT_MEMORY_KIB)] as number;
    t.true(memory <= kib && memory >= kib - 256, `${memory} KiB of RAM`); // the BIOS keeps some for itself
    t.true((words[word(layout.BOOT_AT_LOW_MEMORY_KIB)] as number) >= 600);
    t.is(words[word(layout.BOOT_AT_SNAPSHOT_BYTES)], firmware.snapshot.length);
    t.is(words[word(layout.BOOT_AT_KERNEL_BYTES)], KERNEL_BYTES);
    // From the boot sector to the kernel: 30 ms at least, and in reason. The clock ran through all of it.
    const milliseconds = (words[word(layout.BOOT_AT_COUNTS)] as number) / 1193.182;
    t.true(milliseconds > 30 && milliseconds < 1500, `${milliseconds} ms`);
    t.log(`${Math.round(milliseconds)} ms of virtual time`);
  });
}

test('a damaged slot A makes way for slot B', async t => {
  const image = new Uint8Array(layout.MEDIUM_SECTORS * SECTOR_BYTES);
  image.set(goodImage());
  image.set(writeSlot(firmware), SLOT_B);
  image[SLOT_A + 5000] = (image[SLOT_A + 5000] as number) ^ 0x10;
  const output = await boot(image, '-M isapc -cpu 486 -m 4 ide');
  t.is(facts(t, output)[word(layout.BOOT_AT_SLOT)], 1);
  t.regex(output, /slot A, \d+ KiB\nCannot boot slot A: its contents are damaged\nMasqbox loader: slot B/);
});

/** A medium with confirmed firmware in slot A and firmware on trial in slot B, as a file. */
function trialFile(tries: number): string {
  const image = new Uint8Array(layout.MEDIUM_SECTORS * SECTOR_BYTES);
  image.set(goodImage());
  const medium = Buffer.from(image.buffer).readUInt32LE(layout.BOOT_SECTOR_AT_MEDIUM);
  image.set(writeSlot(firmware, { sequence: 2, tries, medium }), SLOT_B);
  const file = path.join(folder, `trial-${tries}-${Math.random()}.img`);
  writeFileSync(file, image);
  return file;
}

for (const options of ['-M isapc -cpu 486 -m 4 ide', '-M pc -m 8 ide']) {
  test(`${options}: each boot of a slot on trial costs it a try, and then the old slot is back`, async t => {
    const file = trialFile(2);
    for (const left of [1, 0]) {
      const output = await bootFile(file, options);
      const words = facts(t, output);
      t.is(words[word(layout.BOOT_AT_SLOT)], 1);
      t.is(words[word(layout.BOOT_AT_TRIES)], left);
      t.regex(output, new RegExp(`slot B is on trial, boots left after this one: ${left}\n`));
    }
    const output = await bootFile(file, options);
    t.is(facts(t, output)[word(layout.BOOT_AT_SLOT)], 0);
    t.regex(output, /Cannot boot slot B: it has failed its trial\nMasqbox loader: slot A/);
  });
}

test('a trial is not started on a disk that cannot be written to', async t => {
  const file = trialFile(2);
  const block = `file.driver=blkdebug,file.image.driver=file,file.image.filename=${file},file.inject-error.0.event=write_aio,file.inject-error.0.iotype=write`;
  const output = await bootFile(file, '-M isapc -cpu 486 -m 4 ide', undefined, block);
  t.is(facts(t, output)[word(layout.BOOT_AT_SLOT)], 0);
  t.regex(
    output,
    /Cannot boot slot B: its try cannot be noted, for the disk is not written to\nMasqbox loader: slot A/,
  );
});

test('without a good slot the loader says so, waits, and tries again', async t => {
  const image = goodImage();
  image[SLOT_A + 100] = 1;
  const again = /(no slot is good; trying again in 10 s.*){2}/s;
  const output = await boot(image, '-M isapc -cpu 486 -m 4 ide', again);
  t.regex(output, again);
  t.regex(output, /Cannot boot slot A: its header is damaged\n/);
});

test('an image that ends in slot A is found out', async t => {
  const cut = goodImage().subarray(0, SLOT_A + 64 * 1024);
  const output = await boot(cut, '-M isapc -cpu 486 -m 4 ide', /no slot/);
  t.regex(output, /Cannot boot slot A: it cannot be read\n/);
});

for (const options of ['-M isapc -cpu 486 -m 4 ide', '-M isapc -cpu 486 -m 8 floppy', '-M pc -m 8 ide']) {
  test(`${options}: the boot sector says on COM1 that the loader is damaged, and tries again`, async t => {
    const image = goodImage();
    image[20_000] = (image[20_000] as number) ^ 1;
    const again = /(Cannot load Masqbox\r?\n){2}/;
    t.regex(await boot(image, options, again), again);
  });
}

test('a loader of zeros is none', async t => {
  const image = goodImage();
  image.fill(0, SECTOR_BYTES, layout.CONFIG_SECTOR * SECTOR_BYTES);
  t.regex(await boot(image, '-M isapc -cpu 486 -m 4 ide', /Cannot load Masqbox/), /^Cannot load Masqbox/m);
});

test('the boot sector says on the screen too that the loader is damaged', async t => {
  const image = goodImage();
  image[20_000] = (image[20_000] as number) ^ 1;
  // Without graphics QEMU's BIOS sends the screen to the serial line as well.
  const twice = /C\s?C\s?a\s?a\s?n\s?n/;
  t.regex(await boot(image, '-M pc,graphics=off -m 4 ide', twice), twice);
});

test('a loader that cannot be read at first is started when it can', async t => {
  const file = path.join(folder, `slow-${Math.random()}.img`);
  writeFileSync(file, goodImage());
  // The BIOS reads the boot sector; each read of the loader fails, EDD's and the five of the first track, and then one of
  // the second round: the state goes on with each read.
  const rule = 'file.driver=blkdebug,file.image.driver=file';
  const states = Array.from({ length: 8 }, (_, i) => {
    const at = `file.set-state.${i}`;
    return `${at}.event=read_aio,${at}.state=${i + 1},${at}.new_state=${i + 2}`;
  });
  const errors = [3, 4, 5, 6, 7, 8].map(
    (state, i) =>
      `file.inject-error.${i}.event=read_aio,file.inject-error.${i}.state=${state},file.inject-error.${i}.once=on,file.inject-error.${i}.sector=1`,
  );
  const block = [rule, `file.image.filename=${file}`, ...states, ...errors].join(',');
  const output = await bootFile(file, '-M isapc -cpu 486 -m 4 ide', undefined, block);
  t.regex(output, /^(Cannot load Masqbox\n)+Masqbox loader: slot A/m);
  facts(t, output);
});
