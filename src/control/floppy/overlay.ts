// The overlay `floppy`: the saved settings on the floppy that the board was booted from. It is loaded when they are first
// written, or read anew: what was saved at the start the loader has read, so that a board whose settings are never changed
// has neither the driver's heap nor the noise of its drive, and boots as fast as without.
// Not here: the drive (hal/disk/floppy.ts), the two places (../core/store/config-store.ts), what needs no drive (createFloppyStore).

import { FloppyDisk } from '../../../hal/disk/floppy.ts';
import { MEDIUM_AT } from '../../base/cells.ts';
import { DISK_BUFFER_AT, DISK_BUFFER_BYTES } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import type { Context } from '../core/context.ts';
import { ConfigAreas, type FloppyStore } from '../core/store/config-store.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    floppy: typeof import('./overlay.ts');
  }
}

/** @param stopped called when the drive stands still again, and need not be held any more. */
export function openFloppy({ clock, machine }: Context, stopped: () => void): FloppyStore {
  const { memory } = machine;
  const place = {
    ...{ memory, buffer: DISK_BUFFER_AT, now: clock.now, physical: machine.physical },
    after: (ticks: number, run: () => void) => void clock.after(ticks, run),
    stopped,
  };
  const disk = new FloppyDisk(place, i32at(MEDIUM_AT));
  const store = new ConfigAreas(machine, disk);

  function* ready(): Generator<number, string | undefined> {
    // Looks whether there is a floppy, and the right one, before settings are looked for on it.
    const why = yield* disk.read(0, memory.subarray(DISK_BUFFER_AT, DISK_BUFFER_AT + DISK_BUFFER_BYTES));
    if (why !== undefined) return why;
    // Which place is in force may have changed: a floppy is taken out, and written to elsewhere.
    yield* store.load();
    return undefined;
  }

  return Object.assign(store, { ready });
}
