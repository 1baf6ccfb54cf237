// What control's death costs: from the exception that ended it to the snapshot unpacked again, and to the end of
// the new one's first step, in which it has taken its settings and opened its services. The board's own time.

import { FACT_RESTART_COUNTS, FACT_RESTORE_COUNTS } from '../../src/base/abi.ts';
import { BOOT_FACTS_AT } from '../../src/base/cells.ts';
import { PROMPT } from '../../tools/harness/console.ts';
import { eventually } from '../../tools/harness/processes.ts';
import { Machine } from '../../tools/harness/qemu.ts';
import { IMAGE } from '../harness/board-router.ts';
import { PIT_COUNTS_PER_SECOND, planeWord } from '../harness/icount.ts';

/** Real time for what takes a second on a quiet host. */
const PATIENCE_SECONDS = 60;
/** Settings that a small network has, so that the new one has something to take. */
const SETTINGS = [
  'set lan address 192.168.0.1/24',
  'set wan address 203.0.113.10/24',
  'set wan gateway 203.0.113.1',
  'set dns server 203.0.113.1',
];

export async function restore(): Promise<void> {
  console.log('\n| control dies | snapshot unpacked | first step over |\n| --- | ---: | ---: |');
  for (const memory of [4, 8]) {
    const machine = await Machine.start({ disk: IMAGE, memory, icount: 5 });
    try {
      await machine.console.expect(PROMPT, PATIENCE_SECONDS);
      for (const line of SETTINGS) await machine.console.command(line);
      machine.console.write('debug crash control throw\r');
      await machine.console.expect('Control was restarted', PATIENCE_SECONDS);
      await machine.console.expect(PROMPT, PATIENCE_SECONDS);
      const counts = (fact: number): Promise<number> => planeWord(machine, BOOT_FACTS_AT + 4 * fact);
      // The prompt comes out while the first step still runs.
      const whole = await eventually(
        () => counts(FACT_RESTART_COUNTS),
        value => value !== 0,
      );
      const milliseconds = (value: number): string => ((value * 1000) / PIT_COUNTS_PER_SECOND).toFixed(0);
      console.log(
        `| ${memory} MiB | ${milliseconds(await counts(FACT_RESTORE_COUNTS))} ms | ${milliseconds(whole)} ms |`,
      );
    } finally {
      await machine.stop();
    }
  }
}
