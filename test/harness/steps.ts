// The longest step of control on a running board: how long control kept the processor in one go, which the floor ends after
// five seconds. Looked at from outside while something runs, so good to a tick and to the time between two looks.
// Not here: the instructions of all of it (icount.ts).

import { execFileSync } from 'node:child_process';
import { NOW_AT } from '../../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../../src/base/limits.ts';
import type { Machine } from '../../tools/harness/qemu.ts';
import { INSTRUCTIONS_PER_SECOND, planeWord } from './icount.ts';

const KERNEL = 'build/kernel.elf';
const LOOK_MILLISECONDS = 4;

/** Addresses of the kernel's variables, also of those that only one file of C knows. */
export function symbolAddresses(names: readonly string[]): number[] {
  const table = execFileSync('nm', [KERNEL], { encoding: 'latin1' });
  return names.map(name => {
    const found = new RegExp(`^([0-9a-f]+) \\w ${name}$`, 'm').exec(table);
    if (found === null) throw new Error(`Cannot find ${name} in ${KERNEL}`);
    return Number.parseInt(found[1] as string, 16);
  });
}

/** Instructions of the longest step that began or went on while `run` did. */
export async function longestStep(machine: Machine, run: () => Promise<void>): Promise<number> {
  const [started = 0, inControl = 0] = symbolAddresses(['step_started', 'in_control']);
  const word = async (at: number): Promise<number> => {
    const bytes = await machine.memory(at, 4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  };
  let isOver = false;
  let ticks = 0;
  const look = async (): Promise<void> => {
    while (!isOver) {
      try {
        // The step may end between two of these, and the next begin: then it seems shorter, never longer.
        const now = await planeWord(machine, NOW_AT);
        if ((await word(inControl)) === 1) ticks = Math.max(ticks, (now - (await word(started))) | 0);
      } catch {
        // The plane's memory is not mapped before the kernel has come up.
      }
      await new Promise(resolve => setTimeout(resolve, LOOK_MILLISECONDS));
    }
  };
  const looking = look();
  try {
    await run();
  } finally {
    isOver = true;
    await looking;
  }
  return (ticks / TICKS_PER_SECOND) * INSTRUCTIONS_PER_SECOND;
}
