// A start with a saved configuration of 200 lines: from power-on to the prompt, and until a key is answered, which is
// when all services have started. Time is the machine's; it is read some milliseconds after the fact at most.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeConfig, putConfig } from '../../image/records.ts';
import { FACT_FLOOR_COUNTS, FACT_LOADER_COUNTS } from '../../src/base/abi.ts';
import { BOOT_FACTS_AT, NOW_AT } from '../../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../../src/base/limits.ts';
import { PROMPT } from '../../tools/harness/console.ts';
import { isaCards, Machine } from '../../tools/harness/qemu.ts';
import { IMAGE } from '../harness/board-router.ts';
import { PIT_COUNTS_PER_SECOND, planeWord } from '../harness/icount.ts';
import { longConfiguration } from '../harness/long-configuration.ts';

const GOAL_MILLISECONDS = 1500;

export async function configured(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-bench-'));
  const disk = join(folder, 'disk.img');
  const image = Buffer.from(readFileSync(IMAGE));
  putConfig(image, 0, encodeConfig(1, longConfiguration));
  writeFileSync(disk, image);
  try {
    for (const memory of [4, 8]) {
      const cards = isaCards({ user: true }, { user: true });
      const machine = await Machine.start({ disk, memory, cards, icount: 5, sleep: true });
      await machine.console.expect(PROMPT, 60);
      const prompt = await planeWord(machine, NOW_AT);
      machine.console.write('\r');
      await machine.console.expect(PROMPT, 60);
      const answer = await planeWord(machine, NOW_AT);
      const counts =
        (await planeWord(machine, BOOT_FACTS_AT + 4 * FACT_LOADER_COUNTS)) +
        (await planeWord(machine, BOOT_FACTS_AT + 4 * FACT_FLOOR_COUNTS));
      const after = (ticks: number): string =>
        ((counts * 1000) / PIT_COUNTS_PER_SECOND + (ticks * 1000) / TICKS_PER_SECOND).toFixed(0);
      console.log(
        `| ${memory} MiB, 200 lines saved: prompt; a key answered (goal ${GOAL_MILLISECONDS} ms) | ${after(prompt)} ms; ${after(answer)} ms |`,
      );
      await machine.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
