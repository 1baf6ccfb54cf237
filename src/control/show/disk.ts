// `show disk`: the disk that the board was booted from, or why there is none.

import type { Context } from '../core/context.ts';

export function showDisk({ disk, isFloppy, noDisk, output, store }: Context): undefined {
  if (disk === undefined) {
    output.line(
      isFloppy === true
        ? `${noDisk}: settings are saved on it, leases are not`
        : `nothing can be saved: ${noDisk}`,
    );
    return;
  }
  const megabytes = (disk.sectorCount / 2048).toFixed(1);
  output.line(`${disk.model}, ${disk.sectorCount} sectors (${megabytes} MiB)`);
  const { now = 0, ever = 0 } = store?.written() ?? {};
  output.line(`flash log: ${ever} sectors written, ${now} of them since control started`);
}
