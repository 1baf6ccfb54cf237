// The card of `npm start -- --card FILE`: a file that the emulated board boots from and writes to. Everything that
// speaks against a file is said before anything is built.

import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { SECTOR_BYTES } from '../src/base/layout.ts';
import { SetupError } from './setup.ts';

/** Room for a second slot of firmware, which an update needs. */
const CARD_BYTES = 4 << 20;
/** Where a boot sector of ours says so (image/loader/boot-sector.S). */
const MARK_AT = 3;
const MARK = 'MASQBOX';

/** Throws what speaks against a card's path: it is no image, or cannot be made there. */
export function refuseCard(path: string): void {
  const refuse = (why: string): never => {
    throw new SetupError(`Cannot start with card ${path}: ${why}`);
  };
  if (path === '') throw new SetupError('Cannot start with a card: FILE is missing behind --card');
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
      refuse(`there is no directory ${dirname(path)}`);
    return;
  }
  if (stat.isDirectory()) refuse('it is a directory');
  if (!stat.isFile()) refuse('it is no plain file; flash.sh writes to disks');
  if (stat.size === 0 || stat.size % SECTOR_BYTES !== 0 || readMark(path) !== MARK)
    refuse('it is not a Masqbox image, and is left as it is');
}

/** Makes the card of an image where there is none. */
export function makeCard(image: string, path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  try {
    copyFileSync(image, path);
    truncateSync(path, CARD_BYTES);
  } catch (error) {
    throw new SetupError(`Cannot make card ${path}: ${(error as Error).message}`);
  }
}

function readMark(path: string): string {
  const bytes = Buffer.alloc(MARK.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, bytes.length, MARK_AT);
  } finally {
    closeSync(file);
  }
  return bytes.toString('latin1');
}
