// What the loader finds of a floppy's saved settings, in JavaScript and as WebAssembly. On a booted board:
// test/configuration.test.ts.
import test from 'ava';
import * as layout from '../../src/base/layout.ts';
import { PLANE_BASE } from '../../src/base/limits.ts';
import { attach } from '../../src/base/memory.ts';
import { compilePortable } from '../plane-wasm.ts';
import { decodeConfig, encodeConfig, putConfig } from '../records.ts';
import { makeCrcTables } from './crc32.ts';
import { attachMachine } from './machine.ts';
import { readSettings } from './settings.ts';

const { SECTOR_BYTES } = layout;
const SNAPSHOT_AT = 0x80804;
const AREA_BYTES = layout.SETTINGS_BYTES;
const AT = 0x80000 - AREA_BYTES;
const SIZE = 0x100000;

let disk = new Uint8Array(0);
let bad = -1;
const machineOf = (bytes: Uint8Array) => ({
  readSectors(sector: number, count: number, p: number): number {
    if (bad >= sector && bad < sector + count) return 0;
    bytes.set(disk.subarray(sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES), p);
    return 1;
  },
  writeSector: () => 0,
  report() {},
  clockPoll() {},
});
const builds: { name: string; bytes: Uint8Array; run: () => void }[] = [];

test.before(async () => {
  const buffer = new ArrayBuffer(SIZE);
  attach(buffer, 0, SIZE);
  attachMachine(machineOf(new Uint8Array(buffer)));
  const run = (): void => {
    makeCrcTables();
    readSettings();
  };
  builds.push({ name: 'JavaScript', bytes: new Uint8Array(buffer), run });
  const memory = new WebAssembly.Memory({ initial: (SIZE + PLANE_BASE) >> 16 });
  const bytes = new Uint8Array(memory.buffer, PLANE_BASE);
  const module = new WebAssembly.Module(await compilePortable('image/loader/loader.ts'));
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, machine: machineOf(bytes) });
  const { load, readSettings: read } = exports as Record<string, (n?: number) => number>;
  builds.push({
    name: 'WebAssembly',
    bytes,
    run: () => {
      // It has no slot: this makes the tables.
      load?.(0);
      new DataView(bytes.buffer, PLANE_BASE).setInt32(
        layout.BOOT_INFO_AT + layout.BOOT_AT_SNAPSHOT,
        SNAPSHOT_AT,
        true,
      );
      read?.();
    },
  });
});

/** The record that both builds find: a text, or the first word where there is none. */
function found(areas: readonly (Uint8Array | undefined)[], badSector = -1): string | number {
  disk = new Uint8Array(layout.IMAGE_SECTORS * SECTOR_BYTES);
  areas.forEach((area, i) => {
    if (area !== undefined) putConfig(disk, i, area);
  });
  bad = badSector;
  const results = builds.map(({ bytes, run }) => {
    bytes.fill(0xee, AT - 64, AT + AREA_BYTES + 64);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setInt32(layout.BOOT_INFO_AT + layout.BOOT_AT_SNAPSHOT, SNAPSHOT_AT, true);
    run();
    if (view.getInt32(layout.BOOT_INFO_AT + layout.BOOT_AT_SETTINGS, true) !== AT)
      throw new Error('elsewhere');
    const around = [...bytes.subarray(AT - 64, AT), ...bytes.subarray(AT + AREA_BYTES, AT + AREA_BYTES + 64)];
    if (around.some(byte => byte !== 0xee)) throw new Error('it has written beside its place');
    const first = view.getInt32(AT, true);
    return first === layout.CONFIG_MAGIC
      ? (decodeConfig(Buffer.from(bytes.subarray(AT, AT + AREA_BYTES)))?.text ?? 'damaged')
      : first;
  });
  if (results[0] !== results[1]) throw new Error(`${results[0]} and ${results[1]}`);
  return results[0] as string | number;
}

/** A record with a byte changed. */
function spoiled(area: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(area);
  copy[at]! ^= 1;
  return copy;
}

test.serial('readSettings() takes the newer record that is whole', t => {
  const text = (n: number): string => `set dns host h${n} 10.0.0.${n}\n`.repeat(40 * n);
  const [one, two] = [encodeConfig(1, text(1)), encodeConfig(2, text(2))];
  t.is(found([undefined, undefined]), 0);
  t.is(found([one, undefined]), text(1));
  t.is(found([undefined, one]), text(1));
  t.is(found([one, two]), text(2));
  t.is(found([two, one]), text(2));
  t.is(found([encodeConfig(0x7fffffff, text(1)), encodeConfig(-0x80000000, text(2))]), text(2));
  t.is(found([encodeConfig(0, text(1)), encodeConfig(-1, text(2))]), text(1));
  for (const at of [4, 9, 13, 17, layout.CONFIG_AT_TEXT, layout.CONFIG_AT_TEXT + 1000]) {
    t.is(found([one, spoiled(two, at)]), text(1), `byte ${at}`);
    t.is(found([undefined, spoiled(two, at)]), layout.SETTINGS_LOST, `byte ${at}`);
  }
  const long = 'x'.repeat(layout.CONFIG_TEXT_MAX);
  t.is(found([encodeConfig(1, long), undefined]), long);
  t.is(found([encodeConfig(1, ''), undefined]), '');
});

test.serial('readSettings() says where there may be settings that cannot be read', t => {
  const [one, two] = [encodeConfig(1, 'set dhcp off\n'.repeat(100)), encodeConfig(2, 'set dns rebind off\n')];
  const second = layout.CONFIG_SECTOR + layout.CONFIG_SECTORS;
  t.is(found([undefined, undefined], second), layout.SETTINGS_LOST);
  t.is(found([one, undefined], layout.CONFIG_SECTOR + 1), layout.SETTINGS_LOST);
  t.is(found([one, two], second), 'set dhcp off\n'.repeat(100));
});
