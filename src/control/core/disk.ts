// The disk as control has it: the one that we were booted from, found when control starts (hal/disk/ide.ts), or the
// reason why there is none. Control works without. A disk that is there and does not answer is waited for, as the settings
// are on it and the password with them; what nobody could read in time is told (Unread), and locks the console.
// Not here: trying again later, and what a locked console takes (access/).

import { runFor } from '../../../hal/disk/disk.ts';
import { findDisk } from '../../../hal/disk/ide.ts';
import { out8 } from '../../../hal/ports.ts';
import { FACT_DRIVE } from '../../base/abi.ts';
import { MEDIUM_AT, NOW_AT } from '../../base/cells.ts';
import { DISK_BUFFER_AT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import type { Context } from './context.ts';
import { fact } from './facts.ts';

/** BIOS numbers of disks start here, those of floppies at 0. */
const FIRST_DISK = 0x80;
/** The floppy controller's Digital Output Register, and in it: no motor, no reset (hal/disk/floppy-registers.ts). */
const FLOPPY_DOR = 0x3f2;
const MOTORS_OFF = 0x0c;
/** The search takes so long in one go: a disk that is well answers in less. */
const SEARCH_TICKS = 2 * TICKS_PER_SECOND;
/** What is not read so long after the start is given up; the board then starts without, and its console is locked. */
const WAIT_TICKS = 20 * TICKS_PER_SECOND;

const now = (): number => i32at(NOW_AT);

/**
 * Runs an operation of the start: for so many ticks in one go, then in slices, so that the floor does not take it for a
 * hang. Answers undefined if the time was over.
 */
export function* waitFor<T>(
  { output }: Context,
  job: Generator<number, T, void>,
  ticks: number,
  isWaitedFor: () => boolean,
): Generator<number, { value: T } | undefined, void> {
  const done = runFor(job, now, ticks);
  if (done !== undefined) return done;
  if (isWaitedFor()) {
    output.line('\r\nThe disk has not answered yet; it is waited for, as settings and password are on it');
    while (now() < WAIT_TICKS && isWaitedFor()) {
      const result = job.next();
      if (result.done === true) return { value: result.value };
      yield result.value;
    }
  }
  job.return(undefined as T);
  return undefined;
}

/** Why settings cannot be saved, if they cannot. */
export function whyUnsaved({ isFloppy, noDisk }: Context): string | undefined {
  return isFloppy === true ? undefined : noDisk;
}

/** Puts the disk, or the reason, into the context. One that is waited for in vain leaves unread what is on it. */
export function* openDisk(context: Context, isWaitedFor: boolean): Generator<number, void, void> {
  const found = yield* waitFor(context, searchDisk(context), SEARCH_TICKS, () => isWaitedFor);
  if (found === undefined) context.noDisk = 'the disk does not answer';
  if (isWaitedFor && found?.value !== false)
    context.unread = { why: context.noDisk ?? '', isTriedAgain: true };
}

/** Looks for the disk; answers whether there is one that could not be read. */
export function* searchDisk(context: Context): Generator<number, boolean, void> {
  if (fact(FACT_DRIVE) < FIRST_DISK) {
    context.noDisk = 'the board was booted from a floppy';
    context.isFloppy = true;
    // A control that died may have left the motor on.
    out8(FLOPPY_DOR, MOTORS_OFF);
    return false;
  }
  const place = { memory: context.machine.memory, buffer: DISK_BUFFER_AT, now };
  const found = yield* findDisk(place, i32at(MEDIUM_AT));
  if ('why' in found) {
    context.noDisk = found.why;
    return found.isUnread;
  }
  delete context.noDisk;
  context.disk = found;
  yield* context.machine.useDisk(found);
  return false;
}
