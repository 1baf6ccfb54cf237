// At the start of control: is the firmware that runs on trial, or has the other slot's failed? Most often neither,
// and then the overlay with all the rest stays packed.

import * as layout from '../../base/layout.ts';
import { runInBackground } from '../core/background.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { WARNING } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import {
  idleSlot,
  isOurs,
  readHeader,
  refuseSector,
  runningSlot,
  SECTOR_BYTES,
  wordOf,
} from '../core/slots/slots.ts';

/** @param wan whether it was tried, which firmware on trial must have done */
export function createKeeper(context: Context, wan: { wasTried(): boolean }): Service {
  function* look(): Generator<number, void> {
    const { disk, machine } = context;
    if (disk === undefined || disk.sectorCount < layout.MEDIUM_SECTORS) return;
    const [own, other] = [new Uint8Array(SECTOR_BYTES), new Uint8Array(SECTOR_BYTES)];
    const why = (yield* readHeader(disk, runningSlot(), own)) ?? refuseSector(machine, own);
    if (why !== undefined) return;
    const whyOther = (yield* readHeader(disk, idleSlot(), other)) ?? refuseSector(machine, other);
    const failed = whyOther === undefined && isOurs(other) && wordOf(other, layout.SLOT_AT_TRIES) === 0;
    if (wordOf(own, layout.SLOT_AT_TRIES) < 0 && !failed) return;
    try {
      machine.overlay('update').watchTrial(context, wan, disk, own, failed ? other : undefined);
    } catch (error) {
      // Without a watch the trial fails, and the old firmware is back after the next reboots.
      if (!(error instanceof Refusal)) throw error;
      context.log(WARNING, 'update', error.message);
    }
  }

  return { start: () => runInBackground(context.clock, look(), () => {}) };
}
