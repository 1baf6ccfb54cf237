// The sim board's floppy drive, in the place of its disk: the model of a controller (hal/disk/floppy-model.ts) behind the
// host's port calls, and what BIOS, loader and floor do of it at a start: the saved settings lie in the store's memory.

import type { Medium } from '../../hal/disk/ata-model.ts';
import { FdcModel, FloppyModel } from '../../hal/disk/floppy-model.ts';
import { DIR, DMA_PAGE, FLOPPY_PORT, FLOPPY_PORTS } from '../../hal/disk/floppy-registers.ts';
import { decodeConfig } from '../../image/records.ts';
import { HOST_IN8, HOST_IN16, HOST_IN32, HOST_OUT8 } from '../../src/base/abi.ts';
import { NOW_AT } from '../../src/base/cells.ts';
import {
  BOOT_SECTOR_AT_MEDIUM,
  CONFIG_AT_LENGTH,
  CONFIG_AT_MAGIC,
  CONFIG_AT_SEQUENCE,
  CONFIG_AT_TEXT,
  CONFIG_COUNT,
  CONFIG_MORE_SECTOR,
  CONFIG_MORE_SECTORS,
  CONFIG_SECTOR,
  CONFIG_SECTORS,
  SETTINGS_LOST,
} from '../../src/base/layout.ts';
import { LONG_SETTINGS_AT, STORE_AT, STORE_BYTES } from '../../src/base/limits.ts';
import { readMedium, type SimDisk } from './disk.ts';

export interface SimFloppy extends Omit<SimDisk, 'drive'> {
  readonly drive: FloppyModel;
  /** What the driver did that it must not do. */
  readonly violations: string[];
}

/** The areas of saved settings, whole. */
function areas(medium: Medium): Buffer[] {
  const sectors = (first: number, count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => medium.read(first + i));
  return Array.from({ length: CONFIG_COUNT }, (_, area) =>
    Buffer.concat([
      ...sectors(CONFIG_SECTOR + area * CONFIG_SECTORS, CONFIG_SECTORS),
      ...sectors(CONFIG_MORE_SECTOR + area * CONFIG_MORE_SECTORS, CONFIG_MORE_SECTORS),
    ]),
  );
}

/** What the floor leaves in the store's memory: the newest that is whole, or why there is none. */
function settingsOf(medium: Medium): Uint8Array {
  const all = areas(medium);
  const sequence = (area: Buffer): number => area.readInt32LE(CONFIG_AT_SEQUENCE);
  const [newest] = all
    .filter(area => decodeConfig(area) !== undefined)
    .sort((a, b) => (sequence(b) - sequence(a)) | 0);
  if (newest !== undefined) return newest;
  const word = Buffer.alloc(4);
  word.writeInt32LE(all.every(area => area.readInt32LE(CONFIG_AT_MAGIC) === 0) ? 0 : SETTINGS_LOST);
  return word;
}

export function simFloppy(medium: Medium): SimFloppy {
  const mediumNumber = readMedium(medium).readInt32LE(BOOT_SECTOR_AT_MEDIUM);
  const drive = new FloppyModel(medium);
  const violations: string[] = [];
  let memory: Uint8Array = new Uint8Array();
  let model: FdcModel;
  const powerOn = (given: Uint8Array): void => {
    memory = given;
    const now = () => new DataView(memory.buffer, memory.byteOffset).getInt32(NOW_AT, true);
    model = new FdcModel(drive, now, () => memory, undefined, violations);
    drive.isMotorOn = false;
    if (drive.medium === undefined) return;
    const found = settingsOf(drive.medium);
    memory.set(found.subarray(0, STORE_BYTES), STORE_AT);
    const isLong =
      found.length > 4 && Buffer.from(found).readInt32LE(CONFIG_AT_LENGTH) + CONFIG_AT_TEXT > STORE_BYTES;
    if (isLong) memory.set(found, LONG_SETTINGS_AT);
  };
  const find = (port: number) => {
    if (port >= FLOPPY_PORT && port < FLOPPY_PORT + FLOPPY_PORTS)
      return { device: model.device, offset: port - FLOPPY_PORT };
    if (port === DIR) return { device: model.last, offset: 0 };
    if (port === DMA_PAGE) return { device: model.dma.page, offset: 0 };
    return port < 16 ? { device: model.dma.device, offset: port } : undefined;
  };
  const call = (op: number, [port = 0, value = 0]: readonly number[], given: Uint8Array) => {
    memory = given;
    const found = find(port);
    if (op === HOST_OUT8) found?.device.write(found.offset, value);
    if (op === HOST_IN8) return found === undefined ? -1 : found.device.read(found.offset);
    return op === HOST_IN16 || op === HOST_IN32 ? -1 : undefined;
  };
  return { mediumNumber, biosNumber: 0, powerOn, drive, violations, call };
}
