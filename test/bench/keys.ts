// From a keystroke to its echo while frames are forwarded at a T1's rate both ways, in the machine's own time: it stands
// still when the key comes and is stopped when the echo is there, and the ACPI timer of the PC tells its time meanwhile.
// What the host needs to stop it counts too, so that these are upper bounds.

import type { Machine } from '../../tools/harness/qemu.ts';
import { reading, spent } from '../harness/icount.ts';
import * as packets from '../packets.ts';
import { HOST, ip, OUTSIDE, SERVER } from './addresses.ts';
import {
  type Bench,
  eachLook,
  FRAME_ON_WIRE,
  idleness,
  Pace,
  pause,
  start,
  T1_BITS_PER_SECOND,
  until,
} from './lab.ts';

const KEYS = 200;
/** Keys after which the line is emptied, so that it stays on the screen. */
const LINE = 40;
const CLEAR = '\x15';
/** Frames of each way between two looks at the machine's clock. */
const BURST = 3;
const DATA_PORT = 5000;
/** PM_TMR of the PIIX4, where SeaBIOS puts it: 24 bits at 3.58 MHz (ACPI, 4.8.3.3). */
const TIMER_PORT = 0x608;
const TIMER_MASK = 0xffffff;
const COUNTS_PER_MS = 3579.545;

/** The machine's time while it is stopped. */
async function timer(machine: Machine): Promise<number> {
  const said = await machine.human(`i /w 0x${TIMER_PORT.toString(16)}`);
  const value = /= (0x[0-9a-f]+)/.exec(said)?.[1];
  if (value === undefined) throw new Error(`Cannot read the machine's timer: ${said}`);
  return Number(value) & TIMER_MASK;
}

/** Milliseconds from a key to its echo. */
async function echo(machine: Machine, key: string): Promise<number> {
  let isSeen = false;
  machine.console.watcher = bytes => {
    isSeen ||= bytes.includes(key);
  };
  await machine.monitor('stop');
  const from = await timer(machine);
  machine.console.write(key);
  await timer(machine); // by then the key is in the chip
  await machine.monitor('cont');
  if (!(await until(() => isSeen))) throw new Error('Cannot see the echo');
  await machine.monitor('stop');
  const counts = ((await timer(machine)) - from) & TIMER_MASK;
  await machine.monitor('cont');
  return counts / COUNTS_PER_MS;
}

/** Frames both ways until `isOver`; answers how many each way. */
async function forward(
  { machine, lan, wan }: Bench,
  bitsPerSecond: number,
  isOver: () => boolean,
): Promise<number> {
  const data = packets.payload(1472);
  const out = packets.udp(ip(HOST, SERVER), DATA_PORT, DATA_PORT, data);
  lan.send(out);
  if (!(await wan.reaches(1))) throw new Error('Cannot forward: nothing comes out');
  const back = packets.udp(ip(SERVER, OUTSIDE), DATA_PORT, packets.get16(wan.last, 34), data);
  const pace = new Pace(bitsPerSecond / (8 * FRAME_ON_WIRE));
  let sent = 0;
  await eachLook(machine, tick => {
    for (let n = pace.take(tick, BURST); n > 0; n--, sent++) {
      lan.send(out);
      wan.send(back);
    }
    return !isOver();
  });
  return sent;
}

async function measure(engine: string, bitsPerSecond: number): Promise<void> {
  const bench = await start('pc', false);
  const { machine } = bench;
  let isOver = false;
  let traffic: Promise<number> | undefined;
  try {
    await machine.console.command(`set engine ${engine}`);
    const before = await reading(machine);
    traffic = forward(bench, bitsPerSecond, () => isOver);
    const times: number[] = [];
    for (let i = 0; i < KEYS; i++) {
      // Another moment of the tick and between other frames each time.
      await pause(5 + ((i * 7) % 23));
      times.push(await echo(machine, String.fromCharCode(97 + (i % 26))));
      if (i % LINE === LINE - 1) machine.console.write(CLEAR);
    }
    isOver = true;
    const frames = await traffic;
    const { load, seconds } = spent(before, await reading(machine));
    const rate = ((frames / seconds) * 8 * FRAME_ON_WIRE) / 1e6;
    times.sort((a, b) => a - b);
    const at = (part: number): string =>
      `${(times[Math.min(KEYS - 1, Math.floor(KEYS * part))] as number).toFixed(1)} ms`;
    const percent = `${(load * 100).toFixed(0)} %`;
    const name = `${engine}, ${rate.toFixed(2)} Mb/s both ways`;
    console.log(`| ${[name, percent, at(0.5), at(0.95), at(1)].join(' | ')} |`);
  } finally {
    isOver = true;
    await traffic?.catch(() => 0);
    await bench.stop();
  }
}

/** Instructions of a key and its echo, when nothing else is to be done. */
async function cost(): Promise<number> {
  const { machine, stop } = await start('pc', true);
  try {
    const quiet = await idleness(machine, 1000);
    let echoes = 0;
    machine.console.watcher = bytes => {
      echoes += bytes.length;
    };
    const before = await reading(machine);
    for (let i = 0; i < LINE; i++) {
      machine.console.write('x');
      if (!(await until(() => echoes > i))) throw new Error('Cannot see the echo');
    }
    const { instructions, seconds } = spent(before, await reading(machine));
    return Math.round((instructions - (quiet.instructions * seconds) / quiet.seconds) / LINE);
  } finally {
    await stop();
  }
}

export async function keys(): Promise<void> {
  console.log(`\n| a key and its echo, instructions | ${await cost()} |`);
  console.log(
    '\n| a key and its echo | load | median | 95 % | longest |\n| --- | ---: | ---: | ---: | ---: |',
  );
  // What is more than the instructions here, is the host's.
  await measure('native', 0);
  await measure('native', T1_BITS_PER_SECOND);
  await measure('interpreted', T1_BITS_PER_SECOND);
}
