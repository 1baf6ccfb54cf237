// Overlays whose packed bytes are read from the disk: on a board of less than SMALL_BOARD_KIB the RAM in which the kernel has
// them is the heap's, once it is known that the slot that runs can be read. Until then, on a board whose disk is none that
// control has a driver for, and on a floppy, all stays in RAM. They lie at the packed kernel's end, as they are (image/packed-overlays.ts).
//
// Who wants an overlay cannot give way, so it is read in one go, and for a bounded time: whoever uses the disk at that moment is brought
// to the end of his command first (hal/disk/turns.ts). What is read is an overlay only if its sum is right, which the floor looks at.
//
//    no disk, no answer    refused in words, and for 10 s at once, as who asks again would hold control up each time
//    another slot there    refused: a card that was exchanged, or written to elsewhere
//
// Not here: which overlays are loaded (loader.ts), and which are always in RAM (overlays.ts).

import type { PromptDisk } from '../../../hal/disk/disk.ts';
import { FACT_KERNEL_BYTES, FACT_MEMORY_KIB, FACT_SEQUENCE } from '../../base/abi.ts';
import { NOW_AT } from '../../base/cells.ts';
import * as layout from '../../base/layout.ts';
import { SMALL_BOARD_KIB } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { since } from './clock.ts';
import { fact } from './facts.ts';
import { OVERLAY_DISK_TICKS, OVERLAY_HOLD_TICKS, OVERLAY_SLOW_TICKS } from './limits.ts';
import { isOurs, readHeader, runningSlot, SECTOR_BYTES, slotSector, wordOf } from './slots/slots.ts';

/** What the machine does of it (src/base/abi.ts). */
export interface OverlayHost {
  /** Gives the RAM to the heap. */
  give(): void;
  /** Reads a module, or answers 0 if these are not the overlay's bytes. */
  read(number: number, at: number, buffer: ArrayBuffer): number;
}

/** Whether this is the header of the slot that was booted. */
function isRunning(header: Uint8Array): boolean {
  return (
    wordOf(header, layout.SLOT_AT_MAGIC) === layout.SLOT_MAGIC &&
    isOurs(header) &&
    wordOf(header, layout.SLOT_AT_SEQUENCE) === fact(FACT_SEQUENCE) &&
    wordOf(header, layout.SLOT_AT_KERNEL_BYTES) === fact(FACT_KERNEL_BYTES)
  );
}

export class DiskOverlays {
  private disk: PromptDisk | undefined;
  /** When the disk let control wait in vain, and what was said of it. */
  private failedAt = 0;
  private failure: string | undefined;

  constructor(private readonly host: OverlayHost) {}

  /** Control has found the disk from which the board was booted: from here on small boards have their overlays there. */
  *use(disk: PromptDisk): Generator<number, void, void> {
    if (fact(FACT_MEMORY_KIB) >= SMALL_BOARD_KIB) return;
    this.disk = disk;
    const header = new Uint8Array(SECTOR_BYTES);
    if ((yield* readHeader(disk, runningSlot(), header)) === undefined && isRunning(header)) this.host.give();
  }

  /**
   * Reads an overlay's module from the disk by way of this buffer, and answers it; throws an Error that says why not.
   * @param place HOST_OVERLAY's answer
   */
  read(number: number, buffer: ArrayBuffer, place: number): number {
    const now = i32at(NOW_AT);
    if (this.failure !== undefined && since(now, this.failedAt) < OVERLAY_HOLD_TICKS)
      throw new Error(this.failure);
    this.failure = undefined;
    const header = new Uint8Array(SECTOR_BYTES);
    this.fetch(slotSector(runningSlot()), header, now);
    if (!isRunning(header)) throw new Error('the disk holds another firmware');
    const from = wordOf(header, layout.SLOT_AT_KERNEL_PACKED) - (place >> 8);
    const skip = from % SECTOR_BYTES;
    const at = buffer.byteLength - (place & 255) * SECTOR_BYTES;
    const sector = slotSector(runningSlot()) + 1 + (from - skip) / SECTOR_BYTES;
    this.fetch(sector, new Uint8Array(buffer, at), now);
    const module = this.host.read(number, at + skip, buffer);
    if (module === 0) throw new Error('what the disk has of it is damaged');
    return module;
  }

  private fetch(sector: number, bytes: Uint8Array, from: number): void {
    const ticks = OVERLAY_DISK_TICKS - since(i32at(NOW_AT), from);
    const why = this.disk === undefined ? 'there is no disk' : this.disk.readNow(sector, bytes, ticks);
    if (why === undefined) return;
    this.failedAt = i32at(NOW_AT);
    if (since(this.failedAt, from) >= OVERLAY_SLOW_TICKS) this.failure = why;
    throw new Error(why);
  }
}
