// The disk as control has it: the one that we were booted from, found when control starts (hal/disk/ide.ts), or the
// reason why there is none. Control works without.

import { FACT_DRIVE } from '../../firmware/abi.ts';
import { runNow } from '../../hal/disk/disk.ts';
import { findDisk } from '../../hal/disk/ide.ts';
import { MEDIUM_AT, NOW_AT } from '../plane/cells.ts';
import { DISK_BUFFER_AT, TICKS_PER_SECOND } from '../plane/limits.ts';
import { i32at } from '../plane/memory.ts';
import { fact } from './commands/show.ts';
import type { Context } from './context.ts';

/** BIOS numbers of disks start here, those of floppies at 0. */
const FIRST_DISK = 0x80;
/** The search ends after this, so that a dead disk costs a slow boot and no more. */
const SEARCH_TICKS = 2 * TICKS_PER_SECOND;

/** Puts the disk, or the reason, into the context. */
export function openDisk(context: Context): void {
  if (fact(FACT_DRIVE) < FIRST_DISK) {
    context.noDisk = 'the board was booted from a floppy';
    return;
  }
  const now = (): number => i32at(NOW_AT);
  const place = { memory: context.machine.memory, buffer: DISK_BUFFER_AT, now };
  const found = runNow(findDisk(place, i32at(MEDIUM_AT)), now, SEARCH_TICKS);
  if (found === undefined) context.noDisk = 'the disk does not answer';
  else if (typeof found.value === 'string') context.noDisk = found.value;
  else context.disk = found.value;
}
