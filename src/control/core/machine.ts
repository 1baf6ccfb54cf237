// What control needs of the machine it runs on. firmware/control.ts provides it from the floor's host calls;
// tests provide it in Node. Not here: the plane's tables, which control reads through src/base/memory.ts.

import type { PromptDisk } from '../../../hal/disk/disk.ts';
import type { OverlayName, Overlays } from './overlays.ts';

declare module './overlays.ts' {
  interface Overlays {
    interpreted: Plane;
  }
}

/** The plane's functions: the native ones on the board and the sim, or the bundle's own. */
export type Plane = typeof import('../../../firmware/plane.ts');

export interface Machine {
  /** The native plane; each call runs with interrupts off. In the firmware it is called by number (image/plane-calls.ts). */
  plane: Plane;
  /** The native plane with its functions by name, as the debug commands want it, which are handed either. */
  named(interpreted: Plane): Plane;
  /**
   * What an overlay holds; it is evaluated when it is not there. Throws a Refusal when that fails, for want of room above all.
   * Keep nothing of it: it is free again when whoever called it is done.
   */
  overlay<Name extends OverlayName>(name: Name): Overlays[Name];
  /** The disk is found from which the board was booted: a small board has its overlays there, and their RAM for the heap. */
  useDisk(disk: PromptDisk): Generator<number, void, void>;
  /** Gives up overlays that have not been wanted for a minute. */
  tidy(): void;
  /** Whether the heap has the room that a command must leave to others, or will want. Gives up what it can, if need be (loader.ts). */
  keepsRoom(bytes?: number): boolean;
  /** The plane's memory. */
  memory: Uint8Array;
  /** The firmware's version, from package.json. */
  version: string;
  /** When the firmware was built, Unix seconds: no time of day is earlier. */
  built: number;
  /** Interrupts off, and on again. Calls do not nest. */
  lock(): void;
  unlock(): void;
  /** Lets an interrupt line through. */
  unmask(line: number): void;
  /** Resets the board; what runs after it, if anything, must do no harm. */
  reset(): void;
  /** Bytes that the engine's heap may still take. */
  heapFree(): number;
  /** Lets lent memory (LENT_AT) reach from one page's start to another's, and no more up to a third; false where the heap has none. */
  lend(from: number, to: number, end: number): boolean;
  /** The physical address of a byte of the plane's memory, for DMA: below 16 MiB, and its pages lie anywhere. */
  physical(at: number): number;
  /** One character to the console by polling, when the rings cannot be used. */
  put(character: number): void;
}
