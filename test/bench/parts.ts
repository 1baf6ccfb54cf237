// What each part costs: of it what is always there; and its overlay: packed in the kernel, of the heap once it is loaded, and the time of a 486DX2-66 that loading takes.
// That is measured for all together, as what their commands take the first time and not the second, and told of each by its
// bytes of bytecode: a reading is good to 10 ms, and most load in less. Not here: sizes of the image (../bench.ts).

import { build } from 'esbuild';
import { encode } from '../../image/overlays/encode.ts';
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
  shell: 'A=1',
  'shell/filters': 'echo x | head -1',
  'shell/programs': 'uname',
  debug: 'debug frame 0 0 0 00',
  rules: 'iptables -V',
  'rules-listing': 'iptables -S',
};

/** Of all together, on a board of so many MB: one of 4 has them on the disk, but for four. */
async function loadMilliseconds(memory: number): Promise<number> {
  const machine = await Machine.start({ disk: IMAGE, memory, icount: ICOUNT_SHIFT });
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

/** Bytes of minified source that are always there of each folder of src/control/: entries, settings, services. */
async function manifests(): Promise<Map<string, number>> {
  const { metafile } = await build({
    entryPoints: ['firmware/control.ts'],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    logLevel: 'silent',
  });
  const bytes = new Map<string, number>();
  const [output] = Object.values(metafile.outputs);
  for (const [file, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
    const part = /^src\/control\/(\w+)\//.exec(file)?.[1];
    if (part !== undefined) bytes.set(part, (bytes.get(part) ?? 0) + bytesInOutput);
  }
  return bytes;
}

/** A row a part: what is always there of it, and what its overlay takes. */
export async function overlays(): Promise<void> {
  const parts = (await takeSnapshot()).overlays.map(part => ({
    ...part,
    name: part.name.replace('.js', ''),
  }));
  const measured = parts.filter(({ name }) => name in USES);
  const { packed } = encode(parts.map(({ bytecode }) => bytecode));
  const bytes = measured.reduce((sum, { bytecode }) => sum + bytecode.length, 0);
  const milliseconds = await loadMilliseconds(8);
  const fromDisk = await loadMilliseconds(4);
  const resident = await manifests();
  const text = (n: number): string => n.toLocaleString('en-US');
  console.log(
    `\n| part | manifest, source | overlay: bytecode | packed | heap | load, of ${milliseconds.toFixed(0)} ms for ${text(bytes)} bytes; with 4 MB, from the disk, ${fromDisk.toFixed(0)} ms |`,
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  const names = [...new Set([...resident.keys(), ...parts.map(({ name }) => name)])].sort();
  for (const name of names) {
    const overlay = parts.find(part => part.name === name);
    const row = [name, text(resident.get(name) ?? 0)];
    if (overlay === undefined) row.push('', '', '', '');
    else {
      const { bytecode, heapBytes } = overlay;
      const load = ((milliseconds * bytecode.length) / bytes).toFixed(0);
      row.push(
        text(bytecode.length),
        text(packed[parts.indexOf(overlay)]?.bytes.length ?? 0),
        text(heapBytes),
        `${load} ms`,
      );
    }
    console.log(`| ${row.join(' | ')} |`);
  }
}
