// `show disk`: the disk that the board was booted from, or why there is none.

import type { Command } from '../console/command.ts';
import type { Context } from '../context.ts';

export function diskCommands(context: Context): Command[] {
  return [
    {
      words: 'show disk',
      help: 'the disk that settings and leases are saved on',
      run: () => {
        showDisk(context);
        return undefined;
      },
    },
  ];
}

function showDisk({ disk, isFloppy, noDisk, output, store }: Context): void {
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
