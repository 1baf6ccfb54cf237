// What rules cost whoever pastes them: instructions of a typed line, and the time from the first byte of an iptables-restore of 300 lines,
// as it comes over the serial line, until it is in force. Time is the machine's. Not here: what rules cost packets (frames.ts).

import { PROMPT } from '../../tools/harness/console.ts';
import { isaCards, Machine } from '../../tools/harness/qemu.ts';
import { IMAGE } from '../harness/board-router.ts';
import { ICOUNT_SHIFT, INSTRUCTIONS_PER_SECOND, reading, spent } from '../harness/icount.ts';
import { eachLook, Pace } from './lab.ts';

const TYPED = 100;
const RESTORED = 300;
const PATIENCE = 120;
/** At 115200 baud, with a start and a stop bit. */
const BYTES_PER_SECOND = 11_520;

const rule = (i: number): string =>
  `-A FORWARD -s 192.168.${i >> 6}.${i & 63} -i lan -p tcp -m tcp --dport ${1000 + i} -m state --state NEW -j ACCEPT`;

/** Seconds that a text takes, whose last line says end, until the prompt is there, and what is executed meanwhile. */
async function paste(machine: Machine, text: string) {
  const before = await reading(machine);
  const pace = new Pace(BYTES_PER_SECOND);
  let written = 0;
  await eachLook(machine, tick => {
    const bytes = pace.take(tick, text.length - written);
    if (bytes > 0) machine.console.write(text.slice(written, written + bytes));
    written += bytes;
    return written < text.length;
  });
  await machine.console.expect('end\r\n', PATIENCE);
  await machine.console.expect(PROMPT, PATIENCE);
  return spent(before, await reading(machine));
}

export async function rules(): Promise<void> {
  console.log('\n| rules | time | heap free |\n| --- | ---: | ---: |');
  for (const memory of [4, 8]) {
    const cards = isaCards({ user: true }, { user: true });
    const machine = await Machine.start({ disk: IMAGE, memory, cards, icount: ICOUNT_SHIFT });
    try {
      await machine.console.expect(PROMPT, PATIENCE);
      const free = async (): Promise<string> =>
        `${/, (\d+) KiB free/.exec(await machine.console.command('show memory'))?.[1]} KiB`;
      // The overlay is there before what is measured.
      await machine.console.command('iptables -S');
      const lines = Array.from({ length: TYPED }, (_, i) => `iptables ${rule(i)}\r`);
      const { instructions } = await paste(machine, `${lines.join('')}#end\r`);
      const typed = (instructions * 1000) / INSTRUCTIONS_PER_SECOND / TYPED;
      console.log(
        `| ${memory} MiB: a typed line (goal 60 ms) | ${typed.toFixed(1)} ms | ${await free()} with ${TYPED} rules |`,
      );
      const text = ['*filter', ...Array.from({ length: RESTORED }, (_, i) => rule(i)), 'COMMIT', 'end', ''];
      const { seconds, instructions: all } = await paste(machine, `iptables-restore\r${text.join('\r')}`);
      console.log(
        `| ${memory} MiB: iptables-restore of ${RESTORED} lines, ${text.join(' ').length.toLocaleString('en-US')} bytes (goal 3 s); of it work | ${seconds.toFixed(2)} s; ${(all / INSTRUCTIONS_PER_SECOND).toFixed(2)} s | ${await free()} with ${RESTORED} rules |`,
      );
    } finally {
      await machine.stop();
    }
  }
}
