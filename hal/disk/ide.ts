// Which disk this is: looks at the two IDE channels of a PC for the one whose boot sector has the medium number
// that the loader has seen. A number of the BIOS alone would be a guess, with two disks or with translations.
// Where two cards hold the same image, the first is taken, as a BIOS does.
//
// Not here: talking to a device (ata.ts), what the medium number is (src/base/layout.ts).

import { BOOT_SECTOR_AT_MEDIUM } from '../../src/base/layout.ts';
import * as ports from '../ports.ts';
import { type Device, NO_ANSWER, settle, softReset } from './ata.ts';
import { AtaDisk, identify } from './ata-disk.ts';
import * as ata from './ata-registers.ts';
import { type PromptDisk, SECTOR_BYTES } from './disk.ts';

/** Command and control block of the primary and the secondary channel (ATA/ATAPI-4 leaves them to the PC). */
export const CHANNELS: readonly { command: number; control: number }[] = [
  { command: 0x1f0, control: 0x3f6 },
  { command: 0x170, control: 0x376 },
];
/** What an unused port of the bus reads: all ones, or bit 7 pulled down as the standard asks (4.3.1). */
const FLOATING = 0x7f;
/** Longer than a card takes to write what it has (CF: some 10 ms), so that a search at the start is not held up. */
const BUSY_TICKS = 50;

/** What the search needs of the machine. */
export type Place = Pick<Device, 'memory' | 'buffer' | 'now'>;

/** Why there is no disk. */
export interface NoDisk {
  why: string;
  /** There is one, and it may be the one that was booted: it was not heard, or not read. */
  isUnread: boolean;
}

/** Finds the disk; answers why there is none. */
export function* findDisk(place: Place, medium: number): Generator<number, PromptDisk | NoDisk> {
  let why = 'no disk answers';
  let isUnread = false;
  const bytes = place.memory.subarray(place.buffer, place.buffer + SECTOR_BYTES);
  for (const { command, control } of CHANNELS) {
    if ((ports.in8(command + ata.STATUS) & FLOATING) === FLOATING) continue;
    // A control that died may have left a command behind. A device that is only busy may be writing: it gets time.
    const first: Device = { ...place, command, control, unit: 0 };
    const status = yield* settle(first, ata.BSY, BUSY_TICKS);
    if (status < 0 || (status & ata.DRQ) !== 0) yield* softReset(first);
    for (const unit of [0, 1]) {
      const device: Device = { ...place, command, control, unit };
      const identity = yield* identify(device, bytes);
      if (typeof identity === 'string') {
        // For a device 1 that is not there, nobody need answer.
        if (identity !== NO_ANSWER || unit !== 0) continue;
        isUnread = true;
        why = identity;
        continue;
      }
      const disk = new AtaDisk(device, identity);
      const cause = yield* disk.read(0, bytes);
      if (cause === undefined && mediumOf(bytes) === medium) return disk;
      isUnread ||= cause !== undefined;
      why =
        cause === undefined
          ? `${disk.model} is not the disk that was booted`
          : `the boot sector of ${disk.model} cannot be read: ${cause}`;
    }
  }
  return { why, isUnread };
}

function mediumOf(bytes: Uint8Array): number {
  let value = 0;
  for (let i = 3; i >= 0; i--) value = (value << 8) | (bytes[BOOT_SECTOR_AT_MEDIUM + i] as number);
  return value | 0;
}
