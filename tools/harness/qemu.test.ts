// The driver of QEMU against the smallest guest there is: a boot sector that echoes the serial line by INT 14h.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { PATIENCE_SECONDS } from './processes.ts';
import { Machine, machineArguments } from './qemu.ts';

const BANNER = '\r\nmasqbox> ';

/** Prints the banner, then echoes; a carriage return brings the banner again. */
function bootSector(): Uint8Array {
  const code = [
    ...[0x31, 0xc0], // 00 xor ax, ax
    ...[0x8e, 0xd8], // 02 mov ds, ax
    ...[0x31, 0xd2], // 04 xor dx, dx       COM1
    ...[0xb8, 0xe3, 0x00], // 06 mov ax, 00e3h    9600 8N1
    ...[0xcd, 0x14], // 09 int 14h
    ...[0xbe, 0x40, 0x7c], // 0b mov si, 7c40h    the banner
    ...[0xac], // 0e lodsb
    ...[0x08, 0xc0], // 0f or al, al
    ...[0x74, 0x06], // 11 jz 19
    ...[0xb4, 0x01], // 13 mov ah, 1        send
    ...[0xcd, 0x14], // 15 int 14h
    ...[0xeb, 0xf5], // 17 jmp 0e
    ...[0xb4, 0x02], // 19 mov ah, 2        receive
    ...[0xcd, 0x14], // 1b int 14h
    ...[0xf6, 0xc4, 0x80], // 1d test ah, 80h     nothing came in a second
    ...[0x75, 0xf7], // 20 jnz 19
    ...[0x3c, 0x0d], // 22 cmp al, 13
    ...[0x74, 0xe5], // 24 je 0b
    ...[0xb4, 0x01], // 26 mov ah, 1
    ...[0xcd, 0x14], // 28 int 14h
    ...[0xeb, 0xed], // 2a jmp 19
  ];
  const sector = new Uint8Array(1_474_560);
  sector.set(code);
  sector.set(Buffer.from(`${BANNER}\0`), 0x40);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

for (const drive of ['disk', 'floppy'] as const) {
  for (const machine of ['isapc', 'pc'] as const) {
    test(`Machine boots ${machine} from its ${drive} and talks over the serial line`, async t => {
      const directory = await mkdtemp(join(tmpdir(), 'masqbox-boot-'));
      const image = join(directory, 'image');
      await writeFile(image, bootSector());
      const computer = await Machine.start({ machine, [drive]: image, memory: 4 });
      t.teardown(async () => {
        await computer.stop();
        await rm(directory, { recursive: true });
      });
      await computer.console.expect('masqbox> ', PATIENCE_SECONDS);
      t.is(await computer.console.command('two words'), '');
      t.regex(computer.console.transcript, /masqbox> two words\r\nmasqbox> $/);
      t.is((await computer.memory(0x7c40, 4)).toString(), '\r\nma');
      t.regex(await computer.human('info registers'), /EIP=/);
      await t.throwsAsync(computer.console.expect('not printed', 0.2), { message: /two words/ });
      await computer.stop();
      t.false(computer.alive);
    });
  }
}

test('Machine says why QEMU does not start', async t => {
  await t.throwsAsync(Machine.start({ disk: '/nonexistent/image' }), { message: /nonexistent/ });
});

test('machineArguments() never asks for another accelerator than TCG, nor another processor than a 486', t => {
  const words = machineArguments({ icount: 5, cards: [{ model: 'ne2k_pci', wire: { user: true } }] }).join(
    ' ',
  );
  t.regex(words, /-M isapc -cpu 486 -accel tcg -m 8192k /);
  t.regex(words, /-icount shift=5,sleep=off/);
  t.notRegex(words, /kvm/);
});
