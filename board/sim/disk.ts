// The sim board's disk: a model of an IDE channel (hal/disk/ata-model.ts) behind the host's port calls, so that the
// driver is the board's, over a medium in memory or in a file. A blank medium gets a boot sector with a number, by
// which control finds it; there is nothing to boot from it.

import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ChannelModel, DriveModel, type Medium } from '../../hal/disk/ata-model.ts';
import { SECTOR_BYTES } from '../../hal/disk/disk.ts';
import { CHANNELS } from '../../hal/disk/ide.ts';
import {
  HOST_IN8,
  HOST_IN16,
  HOST_IN32,
  HOST_INS16,
  HOST_OUT8,
  HOST_OUT16,
  HOST_OUTS16,
} from '../../src/base/abi.ts';
import { BOOT_SECTOR_AT_MEDIUM, IMAGE_SECTORS } from '../../src/base/layout.ts';

/** The medium number of a medium that the sim has made. */
const SIM_MEDIUM = 0x53494d31;

/** The BIOS number of the first disk. */
export const FIRST_DISK = 0x80;

export interface SimDisk {
  readonly mediumNumber: number;
  /** The number by which a BIOS would boot it. */
  readonly biosNumber: number;
  /** The board starts, with this memory of the plane's. */
  powerOn(memory: Uint8Array): void;
  readonly drive: DriveModel;
  /** A host call for a port; answers its result, or undefined if it is none. Plane memory is `memory`. */
  call(op: number, args: readonly number[], memory: Uint8Array): number | undefined;
}

/** Answers the boot sector, with a medium number. */
export function readMedium(medium: Medium): Buffer {
  const boot = Buffer.from(medium.read(0));
  if (boot.readInt32LE(BOOT_SECTOR_AT_MEDIUM) === 0) {
    boot.writeInt32LE(SIM_MEDIUM, BOOT_SECTOR_AT_MEDIUM);
    medium.write(0, boot);
  }
  return boot;
}

export function simDisk(medium: Medium): SimDisk {
  const boot = readMedium(medium);
  const drive = new DriveModel(medium, { model: 'Masqbox sim' });
  const channel = new ChannelModel([drive, undefined]);
  const [place] = CHANNELS as [{ command: number; control: number }];
  const find = (port: number) => {
    if (port === place.control) return { device: channel.controlBlock, offset: 0 };
    return port >= place.command && port < place.command + 8
      ? { device: channel.command, offset: port - place.command }
      : undefined;
  };
  const call = (op: number, [port = 0, a = 0, count = 0]: readonly number[], memory: Uint8Array) => {
    const found = find(port);
    if (found === undefined) return isRead(op) ? -1 : undefined;
    const { device, offset } = found;
    switch (op) {
      case HOST_IN8:
        return device.read(offset, 1);
      case HOST_IN16:
      case HOST_IN32:
        return device.read(offset, 2);
      case HOST_OUT8:
      case HOST_OUT16:
        device.write(offset, a, op === HOST_OUT8 ? 1 : 2);
        break;
      case HOST_INS16:
        for (let i = 0; i < count; i++) {
          const word = device.read(offset, 2);
          memory[a + 2 * i] = word;
          memory[a + 2 * i + 1] = word >> 8;
        }
        break;
      case HOST_OUTS16:
        for (let i = 0; i < count; i++) {
          device.write(offset, (memory[a + 2 * i] as number) | ((memory[a + 2 * i + 1] as number) << 8), 2);
        }
    }
    return undefined;
  };
  const mediumNumber = boot.readInt32LE(BOOT_SECTOR_AT_MEDIUM);
  return { mediumNumber, biosNumber: FIRST_DISK, powerOn() {}, drive, call };
}

function isRead(op: number): boolean {
  return op === HOST_IN8 || op === HOST_IN16 || op === HOST_IN32;
}

/** A medium in a file, which is made if it is not there; what is written lies in it at once. */
export function fileMedium(path: string): Medium & { close(): void } {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, existsSync(path) ? 'r+' : 'w+');
  ftruncateSync(file, IMAGE_SECTORS * SECTOR_BYTES);
  return {
    sectorCount: IMAGE_SECTORS,
    read: sector => {
      const bytes = new Uint8Array(SECTOR_BYTES);
      readSync(file, bytes, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
      return bytes;
    },
    write: (sector, bytes) => {
      writeSync(file, bytes, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
    },
    close: () => closeSync(file),
  };
}
