// What each overlay costs: packed in the kernel, of the heap once it is loaded, and the time of a 486DX2-66 that loading takes.
// That is measured for all together, as what their commands take the first time and not the second, and told of each by its
// bytes of bytecode: a reading is good to 10 ms, and most load in less. Not here: sizes of the image (../bench.ts).

import { pack, SMALL } from '../../image/pack.ts';
import { takeSnapshot } from '../../image/snapshot.ts';
import { PROMPT } from '../../tools/harness/console.ts';
import { Machine } from '../../tools/harness/qemu.ts';
import { IMAGE } from '../harness/board-router.ts';
import { ICOUNT_SHIFT, INSTRUCTIONS_PER_SECOND, reading, spent } from '../harness/icount.ts';

/** A command for each overlay, which does little beside. */
const USES: Readonly<Record<string, string>> = {
  schema: 'help show version',
  show: 'show routes',
  status: 'show status',
  update: 'show update',
  time: 'show time',
  crash: 'show crash',
  cards: 'set card lan 0x999',
  wan: 'set wan client-id none',
  dns: 'resolve masqbox',
  dhcp: 'show leases',
  debug: 'debug frame 0 0 0 00',
};

async function loadMilliseconds(): Promise<number> {
  const machine = await Machine.start({ disk: IMAGE, memory: 8, icount: ICOUNT_SHIFT });
  try {
    await machine.console.expect(PROMPT, 60);
    const round = async (): Promise<number> => {
      const before = await reading(machine);
      for (const line of Object.values(USES)) await machine.console.command(line);
      return spent(before, await reading(machine)).instructions;
    };
    const first = await round();
    return ((first - (await round())) * 1000) / INSTRUCTIONS_PER_SECOND;
  } finally {
    await machine.stop();
  }
}

export async function overlays(): Promise<void> {
  const parts = (await takeSnapshot()).overlays.map(part => ({
    ...part,
    name: part.name.replace('.js', ''),
  }));
  const measured = parts.filter(({ name }) => name in USES);
  const bytes = measured.reduce((sum, { bytecode }) => sum + bytecode.length, 0);
  const milliseconds = await loadMilliseconds();
  console.log(
    `\n| overlay | bytecode | packed | heap | load, of ${milliseconds.toFixed(0)} ms for ${bytes} bytes |`,
  );
  console.log('| --- | ---: | ---: | ---: | ---: |');
  const text = (n: number): string => n.toLocaleString('en-US');
  for (const { name, bytecode, heapBytes } of parts) {
    const load = ((milliseconds * bytecode.length) / bytes).toFixed(0);
    const row = [
      name,
      text(bytecode.length),
      text(pack(bytecode, SMALL).length),
      text(heapBytes),
      `${load} ms`,
    ];
    console.log(`| ${row.join(' | ')} |`);
  }
}
