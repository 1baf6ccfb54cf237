// Which overlays are loaded. Each is loaded when it is wanted and not there, and given up when it has not been wanted for
// a minute, or when memory is short: code of it that is still at work lives on until it is done, as with any garbage.
// An overlay's own variables are lost with it; what must last is the context's or a service's.
// Not here: how they are evaluated (board/i486/overlay.c, image/embed.ts), reading those that are on the disk (disk-overlays.ts).

import type { PromptDisk } from '../../../hal/disk/disk.ts';
import { ENGINE_AT, ENGINE_INTERPRETED, NOW_AT } from '../../base/cells.ts';
import { i32at } from '../../base/memory.ts';
import { since } from './clock.ts';
import { Refusal } from './console/command.ts';
import { DiskOverlays, type OverlayHost } from './disk-overlays.ts';
import {
  COMMAND_SPARE_BYTES,
  COMMAND_SPARE_PIECE,
  OVERLAY_COLLECT_TICKS,
  OVERLAY_IDLE_TICKS,
  OVERLAY_SPARE_BYTES,
  OVERLAY_WORK_TICKS,
} from './limits.ts';
import { OVERLAY_NAMES, type OverlayName, type Overlays } from './overlays.ts';

export interface Loader {
  overlay<Name extends OverlayName>(name: Name): Overlays[Name];
  /** The disk is found from which the board was booted. */
  useDisk(disk: PromptDisk): Generator<number, void, void>;
  /** Gives up what has not been wanted for a minute. */
  tidy(): void;
  /**
   * Whether the heap has the room that a command must leave to others. Gives up all that it can, if need be. Of so many `bytes` that a command is about to
   * want it is as much: then what was wanted just now stays, as it is at work.
   */
  keepsRoom(bytes?: number): boolean;
}

/** Whether an exception is the engine's for want of memory. Where even that has no room, it throws null. */
export function isOutOfMemory(error: unknown): boolean {
  return error === null || (error as Error).message.startsWith('out of memory');
}

function hasRoom(bytes: number): boolean {
  const pieces: ArrayBuffer[] = [];
  try {
    while (pieces.length * COMMAND_SPARE_PIECE < bytes) pieces.push(new ArrayBuffer(COMMAND_SPARE_PIECE));
    return true;
  } catch {
    return false;
  }
}

/** What the loader wants of the machine. */
export interface LoaderHost extends OverlayHost {
  /**
   * Puts what an overlay exports into `__overlay`; answers 0 when the heap has no room for it and so many bytes
   * more, and throws what its evaluation throws: that it is out of memory, too, where what is free lies in pieces. Where it is
   * on the disk, that is not done, and answered is what it is to be read into.
   */
  evaluate(number: number, spare: number): number | ArrayBuffer;
  /** The answer of the last call, that has a value of its own. */
  result(): number;
  /** The same with a module that has been read. */
  run(module: number): number;
  /** Lets the engine collect garbage. */
  collect(): unknown;
}

/** Where an overlay puts what it exports. */
const place = globalThis as unknown as { __overlay: unknown };

export function createLoader(host: LoaderHost): Loader {
  const onDisk = new DiskOverlays(host);
  const loaded: Partial<Overlays> = {};
  const wanted: Partial<Record<OverlayName, number>> = {};
  /** When room was made last. */
  let collectedAt: number | undefined;

  /** Gives up what has not been wanted for so long. */
  function giveUp(ticks: number): boolean {
    const now = i32at(NOW_AT);
    const names = (Object.keys(loaded) as OverlayName[]).filter(
      name =>
        since(now, wanted[name] as number) >= ticks &&
        // It forwards packets, and nothing else could.
        (name !== 'interpreted' || i32at(ENGINE_AT) !== ENGINE_INTERPRETED),
    );
    for (const name of names) delete loaded[name];
    return names.length > 0;
  }

  /** Makes room; answers whether that may help. Who is refused may ask at once again, and collecting takes a tenth of a second. */
  function makesRoom(): boolean {
    const now = i32at(NOW_AT);
    if (collectedAt !== undefined && since(now, collectedAt) < OVERLAY_COLLECT_TICKS) return false;
    collectedAt = now;
    giveUp(0);
    host.collect();
    return true;
  }

  return {
    // One function: what is evaluated in it takes most of the engine's stack.
    overlay: <Name extends OverlayName>(name: Name): Overlays[Name] => {
      wanted[name] = i32at(NOW_AT);
      const there = loaded[name];
      if (there !== undefined) return there;
      const number = OVERLAY_NAMES.indexOf(name);
      let bytes = 0;
      for (let tries = 0; bytes === 0; tries++) {
        if (tries > 0 && !(tries === 1 && makesRoom()))
          throw new Refusal(`Cannot load the part ${name}: control's heap has no room for it`);
        try {
          let got = host.evaluate(number, OVERLAY_SPARE_BYTES);
          if (typeof got === 'number') bytes = got;
          else {
            // Nobody has the buffer any more when the module is evaluated.
            got = onDisk.read(number, got, host.result());
            bytes = host.run(got);
          }
        } catch (error) {
          if (!isOutOfMemory(error))
            throw new Refusal(`Cannot load the part ${name}: ${(error as Error).message}`);
        }
      }
      loaded[name] = place.__overlay as Overlays[Name];
      place.__overlay = undefined;
      return loaded[name] as Overlays[Name];
    },
    useDisk: disk => onDisk.use(disk),
    tidy: () => {
      if (giveUp(OVERLAY_IDLE_TICKS)) host.collect();
    },
    keepsRoom: (bytes = COMMAND_SPARE_BYTES) => {
      if (hasRoom(bytes)) return true;
      giveUp(bytes === COMMAND_SPARE_BYTES ? 0 : OVERLAY_WORK_TICKS);
      host.collect();
      return hasRoom(bytes);
    },
  };
}
