// `npm run bench`: what things cost on the emulated 486, in instructions. With -icount shift=5 an instruction
// is 32 ns of the machine's time, on every host the same; what the floor did not sleep, it worked. Frames go
// through the whole path: card, interrupt, driver, plane, driver, card.
//
// `npm run bench -- parts heap boot restore frames rates rules services keys floods hour off queue` runs what is named. Prints Markdown, as
// docs/performance.md keeps them. Not here: limits that fail a build; people decide.

import { build } from '../image/build.ts';
import { FACT_FLOOR_COUNTS, FACT_HEAP_BYTES, FACT_LOADER_COUNTS, FACT_MEMORY_KIB } from '../src/base/abi.ts';
import { BOOT_FACTS_AT, READY_AT } from '../src/base/cells.ts';
import { IF_RX_BYTES, interfaceAt } from '../src/base/interface.ts';
import {
  FRAME_MAX,
  INTERFACE_LAN,
  INTERFACE_WAN,
  PLANE_BYTES,
  TICKS_PER_SECOND,
} from '../src/base/limits.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { Machine } from '../tools/harness/qemu.ts';
import { HOST, ip, OUTSIDE, SERVER } from './bench/addresses.ts';
import { configured } from './bench/configured.ts';
import { floods } from './bench/floods.ts';
import { frames } from './bench/frames.ts';
import { heapTable } from './bench/heap.ts';
import { hour } from './bench/hour.ts';
import { interruptsOff } from './bench/interrupts-off.ts';
import { keys } from './bench/keys.ts';
import { eachLook, FRAME_ON_WIRE, Pace, pause, start, T1_BITS_PER_SECOND } from './bench/lab.ts';
import { overlays } from './bench/parts.ts';
import { queue } from './bench/queue.ts';
import { restore } from './bench/restore.ts';
import { rules } from './bench/rules.ts';
import { services } from './bench/services.ts';
import { IMAGE } from './harness/board-router.ts';
import { PIT_COUNTS_PER_SECOND, planeWord, reading, spent } from './harness/icount.ts';
import * as packets from './packets.ts';

/** Bytes that a frame takes of the wire beside its own: preamble, checksum and gap. */
const AROUND_FRAME = FRAME_ON_WIRE - FRAME_MAX;
/** Bytes of the wire that are sent at once: no more comes between two looks at the clock, a millisecond. */
const BURST_BYTES = 2 * FRAME_ON_WIRE;

/** Loss at a rate, in frames of `bytes`, for seconds on end. The rate that was reached is told. */
async function sustained(
  engine: string,
  bytes: number,
  bitsPerSecond: number,
  bothWays: boolean,
  seconds: number,
): Promise<void> {
  const onWire = bytes + AROUND_FRAME;
  const burst = Math.floor(BURST_BYTES / onWire);
  const bench = await start('isapc', false);
  const { machine, lan, wan } = bench;
  try {
    await machine.console.command(`set engine ${engine}`);
    const data = packets.payload(bytes - 42);
    const out = packets.udp(ip(HOST, SERVER), 5000, 7, data);
    lan.send(out);
    if (!(await wan.reaches(1))) throw new Error('nothing is forwarded');
    const back = packets.udp(ip(SERVER, OUTSIDE), 7, packets.get16(wan.last, 34), data);
    wan.send(back);
    if (!(await lan.reaches(1))) throw new Error('nothing comes back');
    const [atWan, atLan] = [wan.received, lan.received];
    const framesPerSecond = bitsPerSecond / (8 * onWire);
    const frames = Math.floor(framesPerSecond * seconds);
    const pace = new Pace(framesPerSecond);
    // By bytes, so that the few frames of ARP do not count.
    const taken = async (): Promise<number> =>
      ((await planeWord(machine, interfaceAt(INTERFACE_LAN) + IF_RX_BYTES)) +
        (await planeWord(machine, interfaceAt(INTERFACE_WAN) + IF_RX_BYTES))) /
      bytes;
    const before = await reading(machine);
    const takenBefore = await taken();
    let sent = 0;
    await eachLook(machine, tick => {
      for (let n = pace.take(tick, Math.min(burst, frames - sent)); n > 0; n--, sent++) {
        lan.send(out);
        if (bothWays) wan.send(back);
      }
      return sent < frames;
    });
    const after = await reading(machine);
    await pause(500);
    const reached = (frames * 8 * onWire * TICKS_PER_SECOND) / (after.ticks - before.ticks);
    const { load } = spent(before, after);
    const all = frames * (bothWays ? 2 : 1);
    const through = wan.received - atWan + (bothWays ? lan.received - atLan : 0);
    // Where a busy host holds the machine up, frames come faster than by any wire, and QEMU drops them at the card.
    const inRouter = Math.floor((await taken()) - takenBefore) - through;
    const ways = bothWays ? 'both ways' : 'one way';
    console.log(
      `| ${engine}, ${bytes} bytes, ${(reached / 1e6).toFixed(3)} Mb/s ${ways}, ${seconds} s | ${(load * 100).toFixed(0)} % | ${all - through} of ${all} | ${inRouter} |`,
    );
  } finally {
    await bench.stop();
  }
}

async function boot(): Promise<void> {
  console.log('\n| start | |\n| --- | ---: |');
  for (const memory of [4, 8, 16]) {
    const machine = await Machine.start({ disk: IMAGE, memory, icount: 5 });
    await machine.console.expect(PROMPT, 60);
    const fact = (index: number): Promise<number> => planeWord(machine, BOOT_FACTS_AT + 4 * index);
    const loader = ((await fact(FACT_LOADER_COUNTS)) * 1000) / PIT_COUNTS_PER_SECOND;
    const floor = ((await fact(FACT_FLOOR_COUNTS)) * 1000) / PIT_COUNTS_PER_SECOND;
    while ((await planeWord(machine, READY_AT)) === 0) await pause(20);
    const control = (await planeWord(machine, READY_AT)) * 10;
    console.log(
      `| ${memory} MiB: loader ${loader.toFixed(0)} ms, floor ${floor.toFixed(0)} ms, control at most ${control} ms | ${(loader + floor + control).toFixed(0)} ms |`,
    );
    const free = /, (\d+) KiB free/.exec(await machine.console.command('show memory'))?.[1];
    console.log(
      `| ${memory} MiB: heap for control, of ${await fact(FACT_MEMORY_KIB)} KiB | ${(await fact(FACT_HEAP_BYTES)) >> 10} KiB, ${free} KiB free |`,
    );
    await machine.stop();
  }
  await configured();
}

async function parts(): Promise<void> {
  const { sizes } = await build();
  console.log('| part | bytes |\n| --- | ---: |');
  for (const [name, bytes] of Object.entries(sizes)) {
    console.log(`| ${name} | ${bytes.toLocaleString('en-US')} |`);
  }
  console.log(`| plane's tables | ${PLANE_BYTES.toLocaleString('en-US')} |`);
  await overlays();
}

async function rates(): Promise<void> {
  console.log('\n| frames | load | lost | of them by the router |\n| --- | ---: | ---: | ---: |');
  await sustained('native', FRAME_MAX, T1_BITS_PER_SECOND, true, 60);
  await sustained('interpreted', FRAME_MAX, T1_BITS_PER_SECOND, true, 60);
  await sustained('native', FRAME_MAX, 10_000_000, false, 60);
  await sustained('native', 60, 10_000_000, false, 60);
}

const sections: Record<string, () => Promise<void>> = {
  off: interruptsOff,
  parts,
  heap: heapTable,
  boot,
  restore,
  frames,
  floods,
  rates,
  rules,
  services,
  keys,
  hour,
  queue,
};
const chosen = process.env['QUICK'] === undefined ? process.argv.slice(2) : ['frames'];
for (const [name, section] of Object.entries(sections)) {
  if (chosen.length === 0 || chosen.includes(name)) await section();
}
