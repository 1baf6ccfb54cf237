// What a disk offers to control, whatever kind it is. A disk is slow, so each operation is a generator that
// yields the ticks it wants to wait, as a job of the console does, and answers the cause of a failure as text,
// or undefined when all went well. Operations of several users take turns: each waits for the one before it.
//
// Not here: which disk (ide.ts), how a disk is talked to (ata.ts), what lies where on it (src/base/layout.ts).

export const SECTOR_BYTES = 512;

export type DiskJob = Generator<number, string | undefined, void>;

export interface Disk {
  readonly sectorCount: number;
  readonly model: string;
  /** Reads from `sector` on as many as `bytes` holds, a multiple of SECTOR_BYTES. Plane memory is the fastest. */
  read(sector: number, bytes: Uint8Array): DiskJob;
  /** Writes; what is written lies on the medium for certain only after flush(). */
  write(sector: number, bytes: Uint8Array): DiskJob;
  flush(): DiskJob;
}

/** A disk that answers at once, or does not. */
export interface PromptDisk extends Disk {
  /**
   * As read(), without giving way and before all who wait, for who cannot wait: an operation that is under way is brought to its end
   * first. After so many ticks it is given up, and nobody else's operation with it.
   */
  readNow(sector: number, bytes: Uint8Array, ticks: number): string | undefined;
}

/** Looks at the clock without a tick passing, after which time stands still (the sim, tests). QEMU takes 25,000. */
const LOOKS = 500_000;

/**
 * Runs an operation without giving way, for who has nothing else to do, or cannot: at most `ticks`, then undefined is
 * answered, and the operation may go on.
 */
export function runFor<T>(
  job: Generator<number, T, void>,
  now: () => number,
  ticks: number,
): { value: T } | undefined {
  const begin = now();
  for (;;) {
    const result = job.next();
    if (result.done === true) return { value: result.value };
    const from = now();
    let last = from;
    let looks = 0;
    for (let at = from; ((at - from) | 0) < result.value && looks < LOOKS; at = now()) {
      looks = at === last ? looks + 1 : 0;
      last = at;
    }
    if (looks === LOOKS || ((now() - begin) | 0) >= ticks) return undefined;
  }
}
