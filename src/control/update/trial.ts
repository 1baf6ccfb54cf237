// Firmware on trial: it is made permanent when control has been up for a minute and the WAN was tried; without that
// within five minutes the board is reset, which costs a try, and with the last one the loader goes back to the other
// slot. A control that dies starts its minute anew; if it dies again and again, the floor resets the board.

import type { Disk } from '../../../hal/disk/disk.ts';
import * as layout from '../../base/layout.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { runInBackground } from '../core/background.ts';
import { since } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { NOTICE, WARNING } from '../core/log.ts';
import { setTries, slotName, versionOf } from '../core/slots/header.ts';
import { idleSlot, runningSlot, wordOf } from '../core/slots/slots.ts';

/** How long control must have been up, and how long it may take until all is well. */
export const TRIAL_LEAST_TICKS = 60 * TICKS_PER_SECOND;
export const TRIAL_MOST_TICKS = 300 * TICKS_PER_SECOND;
const LOOK_TICKS = TICKS_PER_SECOND;

/** Says what the boot has brought, and watches over a trial. Headers are those of the slots that run and that idle. */
export function watchTrial(
  context: Context,
  wan: { wasTried(): boolean },
  disk: Disk,
  own: Uint8Array,
  other: Uint8Array | undefined,
): void {
  const { log, clock, machine } = context;
  const tries = wordOf(own, layout.SLOT_AT_TRIES);
  if (other !== undefined && wordOf(other, layout.SLOT_AT_TRIES) === 0) {
    log(WARNING, 'update', `Masqbox ${versionOf(other)} in ${slotName(idleSlot())} has failed its trial`);
  }
  if (tries < 0) return;
  const name = `Masqbox ${versionOf(own)} in ${slotName(runningSlot())}`;
  log(NOTICE, 'update', `${name} is on trial, tries left: ${tries}`);
  const from = clock.now();

  const look = (): void => {
    const passed = since(clock.now(), from);
    const isTried = wan.wasTried();
    if (passed >= TRIAL_LEAST_TICKS && isTried) confirm();
    else if (passed < TRIAL_MOST_TICKS) clock.after(LOOK_TICKS, look);
    else {
      log(
        WARNING,
        'update',
        `${name} has not tried the WAN in ${TRIAL_MOST_TICKS / TICKS_PER_SECOND} s: resetting`,
      );
      clock.after(LOOK_TICKS, () => machine.reset());
    }
  };
  const confirm = (): void => {
    runInBackground(clock, setTries(context, disk, layout.SLOT_CONFIRMED), why => {
      if (why === undefined) log(NOTICE, 'update', `${name} is permanent now`);
      else log(WARNING, 'update', `${name} cannot be made permanent: ${why}`);
    });
  };
  clock.after(LOOK_TICKS, look);
}
