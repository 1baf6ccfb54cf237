// What tests of updates stand on: firmware old and new, signed; a disk in memory that may fail; control on a board that
// runs a slot of it; and a sender by YMODEM. The loader is the real one (image/loader/).
import { generateKeyPairSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import type { Disk, DiskJob } from '../../../hal/disk/disk.ts';
import { signerOf } from '../../../image/signing.ts';
import { type SlotOptions, writeImage, writeSlot } from '../../../image/writer.ts';
import { controlLab } from '../../../test/control-lab.ts';
import { boot } from '../../../test/harness/loader.ts';
import { seeded } from '../../../tools/harness/random.ts';
import { FACT_MEMORY_KIB, FACT_SLOT } from '../../base/abi.ts';
import { BOOT_FACTS_AT, MEDIUM_AT } from '../../base/cells.ts';
import * as layout from '../../base/layout.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import { SlotWriter, type Trust } from '../core/slots/writer.ts';
import * as signature from '../signature/overlay.ts';
import { crc16 } from '../transfer/modem.ts';
import * as transfer from '../transfer/overlay.ts';
import { updateCommands } from './commands.ts';
import * as update from './overlay.ts';

export const { SECTOR_BYTES } = layout;
export const MEDIUM = 0x1234567;
export const SLOT_AT = [0, 1].map(slot => (layout.SLOT_SECTOR + slot * layout.SLOT_SECTORS) * SECTOR_BYTES);
/** Bytes that do not pack. */
export const noise = (length: number, seed: number): Buffer => {
  const random = seeded(seed);
  return Buffer.from(Array.from({ length }, () => random.below(256)));
};
export const key = generateKeyPairSync('ed25519').privateKey;
export const otherKey = generateKeyPairSync('ed25519').privateKey;
export const signer = signerOf(key);
export const oldFirmware = {
  kernel: noise(9000, 3),
  snapshot: noise(2001, 5),
  version: '0.1.0',
  built: 1000,
  signer,
};
export const newFirmware = {
  ...{ kernel: noise(11_001, 7), snapshot: noise(3003, 11), version: '0.2.0' },
  ...{ built: 2000, signer },
};
export const OWN = writeSlot(oldFirmware).slice(0, SECTOR_BYTES);
export const bootSector = Buffer.alloc(SECTOR_BYTES);
bootSector.write('MASQBOX ', 3);
export const IMAGE = writeImage({ ...newFirmware, bootSector, loader: new Uint8Array(0) });
export const SLOT = writeSlot(newFirmware);

/** A disk with these slots; null leaves one empty. */
export function diskOf(a: SlotOptions | null, b: SlotOptions | null): Uint8Array {
  const bytes = new Uint8Array(layout.MEDIUM_SECTORS * SECTOR_BYTES);
  new DataView(bytes.buffer).setInt32(layout.BOOT_SECTOR_AT_MEDIUM, MEDIUM, true);
  [a, b].forEach((options, slot) => {
    if (options !== null) bytes.set(writeSlot(oldFirmware, { medium: MEDIUM, ...options }), SLOT_AT[slot]);
  });
  return bytes;
}

export type Write = { sector: number; bytes: Uint8Array } | 'flush';

/** What is on the disk of a write that went wrong: nothing, all, or the first so many bytes. */
export type Fate = 'nothing' | 'all' | number;

/**
 * A disk in memory that keeps what it was told. `fails` names the operation, counted from 0, that goes wrong; `forGood`,
 * that all after it do so too.
 */
export function memoryDisk(bytes: Uint8Array, fails = -1, fate: Fate = 'nothing', forGood = false) {
  const writes: Write[] = [];
  const attempt = (): string | undefined =>
    writes.length === fails || (forGood && fails >= 0 && writes.length > fails)
      ? 'the disk does not answer'
      : undefined;
  const kept = (why: string | undefined): number =>
    why === undefined || (fate === 'all' && writes.length === fails)
      ? SECTOR_BYTES
      : typeof fate === 'number' && writes.length === fails
        ? fate
        : 0;
  const disk: Disk = {
    sectorCount: bytes.length / SECTOR_BYTES,
    model: 'memory',
    *read(sector, into): DiskJob {
      yield 0;
      into.set(bytes.subarray(sector * SECTOR_BYTES, sector * SECTOR_BYTES + into.length));
      return undefined;
    },
    *write(sector, from): DiskJob {
      yield 0;
      const why = attempt();
      const count = kept(why);
      for (let at = 0; at < from.length; at += SECTOR_BYTES) {
        const part = from.slice(at, at + SECTOR_BYTES);
        writes.push({ sector: sector + at / SECTOR_BYTES, bytes: part });
        bytes.set(part.subarray(0, count), sector * SECTOR_BYTES + at);
      }
      return why;
    },
    *flush(): DiskJob {
      yield 0;
      const why = attempt();
      writes.push('flush');
      return why;
    },
  };
  return { disk, writes, bytes };
}

const overlays = { update, transfer, signature };

/** Control on a board that runs `slot` of this disk. */
export function boardWith(disk: Disk | undefined, slot = 0) {
  const lab = controlLab();
  puti32(BOOT_FACTS_AT + 4 * FACT_MEMORY_KIB, 8192);
  puti32(BOOT_FACTS_AT + 4 * FACT_SLOT, slot);
  puti32(MEDIUM_AT, MEDIUM);
  let resets = 0;
  let tried = false;
  const { context } = lab;
  if (disk === undefined) context.noDisk = 'the board was booted from a floppy';
  else context.disk = disk;
  Object.assign(context.machine, {
    overlay: (name: keyof typeof overlays) => overlays[name],
    reset: () => resets++,
  });
  return { ...lab, wan: { wasTried: () => tried }, resets: () => resets, tryWan: () => (tried = true) };
}

export function runToEnd<T>(job: Generator<number, T>): T {
  for (;;) {
    const result = job.next();
    if (result.done === true) return result.value;
  }
}

export function* install(
  board: ReturnType<typeof boardWith>,
  disk: Disk,
  file: Uint8Array,
  step = 1024,
  trust: Trust = 'signed',
): DiskJob {
  const writer = new SlotWriter(board.context.machine, disk, 1, OWN, trust);
  for (let at = 0; at < file.length; at += step) {
    const why = yield* writer.take(file.subarray(at, at + step));
    if (why !== undefined) return why;
  }
  return yield* writer.finish();
}

/** What is booted from a disk must be whole firmware. */
export function bootsWell(t: ExecutionContext, disk: Uint8Array, what: string): number {
  const { slot } = boot(disk);
  const { kernel } = slot === 1 ? newFirmware : oldFirmware;
  const memory = Buffer.from(
    Array.from({ length: kernel.length >> 2 }, (_, i) => i32at(layout.KERNEL_AT + 4 * i)),
  );
  const expected = Buffer.from(
    Array.from({ length: kernel.length >> 2 }, (_, i) => kernel.readInt32LE(4 * i)),
  );
  t.true(slot >= 0 && memory.equals(expected), `${what}: slot ${slot}`);
  return slot;
}

/** Signed firmware with a byte of its header changed by these bits, and its checksum put right. */
export function signedWith(at: number, bits: number): Uint8Array {
  const slot = Buffer.from(SLOT);
  slot[at]! ^= bits;
  slot.writeUInt32LE(crc32(slot.subarray(0, layout.SLOT_AT_HEADER_CRC)), layout.SLOT_AT_HEADER_CRC);
  return slot;
}

/** Signed firmware whose payload is another with the same CRC-32: four bytes make up for the change. */
export function otherPayload(): Uint8Array {
  const slot = Buffer.from(SLOT);
  const payload = slot.subarray(SECTOR_BYTES);
  const wanted = crc32(payload);
  payload[100]! ^= 1;
  const [head, tail] = [payload.subarray(0, payload.length - 4), payload.subarray(payload.length - 4)];
  // CRC-32 is linear: which of the last 32 bits to change is a system of equations, solved from the top bit down.
  const of = (last: Uint8Array): number => crc32(last, crc32(head));
  const at = of(Buffer.alloc(4));
  const columns = Array.from({ length: 32 }, (_, bit) => {
    const one = Buffer.alloc(4);
    one[bit >> 3] = 1 << (bit & 7);
    return { crc: of(one) ^ at, bits: 2 ** bit };
  });
  let [left, bits] = [wanted ^ at, 0];
  for (let bit = 31; bit >= 0; bit--) {
    const pivot = columns.findIndex(({ crc }) => Math.clz32(crc) === 31 - bit);
    const [column] = columns.splice(pivot, 1);
    for (const each of columns) {
      if (((each.crc >>> bit) & 1) === 0) continue;
      each.crc ^= column!.crc;
      each.bits = (each.bits ^ column!.bits) >>> 0;
    }
    if (((left >>> bit) & 1) === 0) continue;
    left ^= column!.crc;
    bits = (bits ^ column!.bits) >>> 0;
  }
  tail.writeUInt32LE(bits >>> 0);
  if (crc32(payload) !== wanted) throw new Error('Cannot forge the CRC-32');
  return slot;
}

/** Runs a command as the console would; answers its refusal, or ''. A line is given what `send` says. */
export function run(
  board: ReturnType<typeof boardWith>,
  words: string,
  send: (reply: string) => Uint8Array | undefined = () => undefined,
): string {
  const { context, output } = board;
  let receive: ((bytes: Uint8Array) => void) | undefined;
  context.rawLine = { take: to => (receive = to), giveBack: () => (receive = undefined) };
  const command = updateCommands(context).find(entry => entry.words === words);
  try {
    const job = command?.run([]) as Job;
    let seen = output.length;
    for (let i = 0; i < 100_000; i++) {
      const result = job.next();
      if (result.done === true) return '';
      const bytes = receive === undefined ? undefined : send(output.slice(seen).join(''));
      seen = output.length;
      if (bytes === undefined) board.ticks(result.value);
      else receive?.(bytes);
      if (board.resets() > 0) return '';
    }
    throw new Error('The command never ends');
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

export function once(bytes: Uint8Array): () => Uint8Array | undefined {
  const rest = [bytes];
  return () => rest.shift();
}

/** A sender by YMODEM: answers each acknowledgement with the next block. */
export function ymodem(file: Uint8Array): (reply: string) => Uint8Array | undefined {
  const blocks: Uint8Array[] = [];
  const block = (number: number, data: Uint8Array): void => {
    const crc = crc16(data, 0, data.length);
    blocks.push(
      Uint8Array.from([
        data.length === 1024 ? 2 : 1,
        number & 255,
        255 - (number & 255),
        ...data,
        crc >> 8,
        crc & 255,
      ]),
    );
  };
  const title = new Uint8Array(128);
  title.set(Buffer.from(`masqbox.img\0${file.length}`));
  block(0, title);
  for (let at = 0; at < file.length; at += 1024) {
    const data = new Uint8Array(1024);
    data.set(file.subarray(at, at + 1024));
    block(1 + at / 1024, data);
  }
  blocks.push(Uint8Array.of(4), Uint8Array.of(4));
  block(0, new Uint8Array(128));
  return reply => (['C', '\x06', '\x15'].some(byte => reply.includes(byte)) ? blocks.shift() : undefined);
}
