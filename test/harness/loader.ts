// The loader's own code in Node, on a disk that is bytes: which slot it takes, what it reports, what it writes.

import { load } from '../../image/loader/loader.ts';
import { attachMachine } from '../../image/loader/machine.ts';
import * as layout from '../../src/base/layout.ts';
import { attach } from '../../src/base/memory.ts';

const { SECTOR_BYTES } = layout;
/** Room for the small firmware of tests; a real one wants a board's. */
const MEMORY_BYTES = 3 << 20;

export interface Booted {
  /** The slot, or -1. */
  readonly slot: number;
  readonly reports: number[][];
  /** The disk after it. */
  readonly disk: Uint8Array;
}

/** What the loader does with a disk. Another memory than the plane's is attached afterwards: the loader's. */
export function boot(disk: Uint8Array, memoryBytes = MEMORY_BYTES): Booted {
  const buffer = new ArrayBuffer(memoryBytes);
  const memory = new Uint8Array(buffer);
  const after = disk.slice();
  const reports: number[][] = [];
  attach(buffer, 0, memoryBytes);
  attachMachine({
    readSectors: (sector, count, p) => {
      const part = after.subarray(sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES);
      memory.set(part, p);
      return part.length === count * SECTOR_BYTES ? 1 : 0;
    },
    writeSector: (sector, p) => {
      after.set(memory.subarray(p, p + SECTOR_BYTES), sector * SECTOR_BYTES);
      return 1;
    },
    report: (...report) => void reports.push(report),
    clockPoll: () => {},
  });
  memory.set(disk.subarray(0, SECTOR_BYTES), layout.BOOT_SECTOR_AT);
  return { slot: load(memoryBytes), reports, disk: after };
}
