// The longest time with interrupts off, in each case that makes much to do at once. The floor measures it on the
// board: from an interrupt, or from control's call of the plane, until others are let through. A count of the PIT is
// 838 ns, and 26 instructions of the emulated 486.
// Not here: an overrun of a card's ring, which QEMU's cards do not have (hal/nic/dp8390.test.ts counts accesses).

import { planeNames } from '../../firmware/host.ts';
import * as javascript from '../../firmware/plane.ts';
import { LONGEST_OFF_AT, LONGEST_OFF_BY_AT, NOW_AT, OFF_CALL } from '../../src/base/cells.ts';
import { COUNT_IDLE_INTERRUPT } from '../../src/base/counters.ts';
import { COUNTERS_AT, TICKS_PER_SECOND } from '../../src/base/limits.ts';
import { PROMPT } from '../../tools/harness/console.ts';
import { PIT_COUNTS_PER_SECOND, planeWord, reading, spent } from '../harness/icount.ts';
import { Ram } from '../harness/ram.ts';
import * as packets from '../packets.ts';
import { HOST, ip, OUTSIDE, ROUTER, SERVER } from './addresses.ts';
import { type Bench, pause, start } from './lab.ts';

/** Half a millisecond: a 16550 that interrupts at 8 bytes has room for 0.78 ms more at 115200. */
export const LONGEST_COUNTS = Math.floor(PIT_COUNTS_PER_SECOND / 2000);
const SESSIONS = 4000;
const IDLE_INTERRUPTS_AT = COUNTERS_AT + 4 * COUNT_IDLE_INTERRUPT;
const MEMORY_MIB = 8;
/** RFC 791: what every link must carry. */
const LEAST_MTU = 68;
/** Frames at once: more than a card's ring holds. */
const BURST = 40;
const BURSTS = 100;

type Case = (bench: Bench) => Promise<void>;

async function bursts(
  { lan, wan }: Bench,
  out: () => Uint8Array,
  back: (() => Uint8Array) | undefined,
): Promise<void> {
  for (let i = 0; i < BURSTS; i++) {
    for (let n = 0; n < BURST; n++) {
      lan.send(out());
      if (back !== undefined) wan.send(back());
    }
    await pause(2);
  }
  await pause(200);
}

/** Datagrams of one session, both ways. */
async function flood(bench: Bench, bytes: number): Promise<void> {
  const { lan, wan } = bench;
  const data = packets.payload(bytes - 42);
  const out = packets.udp(ip(HOST, SERVER), 5000, 7, data);
  const before = wan.received;
  lan.send(out);
  if (!(await wan.reaches(before + 1))) throw new Error('nothing is forwarded');
  const back = packets.udp(ip(SERVER, OUTSIDE), 7, packets.get16(wan.last, 34), data);
  await bursts(
    bench,
    () => out,
    () => back,
  );
}

/** Waits for seconds of the machine's time. */
async function passes({ machine }: Bench, seconds: number): Promise<void> {
  const from = await planeWord(machine, NOW_AT);
  while (((await planeWord(machine, NOW_AT)) - from) / TICKS_PER_SECOND < seconds) await pause(20);
}

/** New flows, as many as the table has room for, eight at a time and none before they came out, once more if lost. */
async function fill({ lan, wan, machine }: Bench): Promise<void> {
  for (let i = 0; i < SESSIONS; i += 8) {
    const flows = Array.from({ length: 8 }, (_, n) =>
      packets.udp(ip(`192.168.0.${20 + ((i + n) % 100)}`, SERVER), 10_000 + i + n, 7, packets.payload(18)),
    );
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = wan.received;
      for (const flow of flows) lan.send(flow);
      if (await wan.reaches(before + flows.length)) break;
    }
  }
  await pause(200);
  const said = /(\d+) in use/.exec(await machine.console.command('show memory'))?.[1];
  if (Number(said) < SESSIONS / 2) throw new Error(`Cannot fill the table of sessions: ${said} in use`);
}

/** Fragments that come last to first: all wait for the first, and go on with it. */
async function reversed({ lan }: Bench): Promise<void> {
  for (let id = 1; id <= 40; id++) {
    const datagram = packets.udp({ ...ip(HOST, SERVER), id }, 4000, 9, packets.payload(24_000));
    for (const fragment of packets.fragments(datagram, 1480).reverse()) {
      lan.send(fragment);
      await pause(0);
    }
    await pause(5);
  }
  await pause(200);
}

/** Packets for hosts that do not answer: all that may wait are given up at once. */
async function unanswered(bench: Bench): Promise<void> {
  for (let i = 0; i < 24; i++) {
    bench.wan.send(packets.udp(ip(SERVER, OUTSIDE), 9, 9));
    bench.lan.send(packets.udp(ip(HOST, `203.0.113.${100 + (i % 6)}`), 6000 + i, 7, packets.payload(500)));
  }
  await passes(bench, 5);
}

/** A station answers for which four hosts' datagrams wait, as many and as long as may be; a card may have missed some. */
async function answered({ lan, wan }: Bench): Promise<void> {
  let most = 0;
  for (let round = 0; round < 20 && most < 28; round++) {
    const to = `203.0.113.${110 + round}`;
    for (let i = 0; i < 4; i++) {
      const host = `192.168.0.${2 + i}`;
      const request = { operation: 1, senderMac: lan.mac, senderAddress: host, targetAddress: ROUTER };
      lan.sendFrame(packets.arpFrame(packets.BROADCAST, request));
      for (let n = 0; n < 8; n++) {
        lan.send(packets.udp(ip(host, to), 6000 + n, 7, packets.payload(1472)));
        await pause(1);
      }
    }
    await pause(20);
    const before = wan.received;
    const reply = { operation: 2, senderMac: wan.mac, senderAddress: to };
    wan.sendFrame(packets.arpFrame(wan.router, { ...reply, targetMac: wan.router, targetAddress: OUTSIDE }));
    await pause(100);
    most = Math.max(most, wan.received - before);
  }
  if (most < 28) throw new Error(`${most} of 32 frames had waited at most`);
}

/** Long datagrams for a link with the smallest MTU. */
async function cut(bench: Bench): Promise<void> {
  const { console } = bench.machine;
  await console.command(`set wan mtu ${LEAST_MTU}`);
  await bursts(bench, () => packets.udp(ip(HOST, SERVER), 5002, 7, packets.payload(1472)), undefined);
  await console.command('set wan mtu 1500');
}

const query = (): Uint8Array =>
  packets.udp(
    ip(HOST, ROUTER),
    4000,
    53,
    Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 120, 0, 0, 1, 0, 1]),
  );

/** Packets far apart, each with an interrupt of its own. */
async function alone({ lan, wan }: Bench): Promise<void> {
  const data = packets.payload(18);
  for (let i = 0; i < LONE_PACKETS; i++) {
    const before = wan.received;
    lan.send(packets.udp(ip(HOST, SERVER), 5001, 7, data));
    if (!(await wan.reaches(before + 1))) throw new Error('nothing is forwarded');
    await pause(2);
  }
}

/** The case in which each packet comes alone, and how many there are. */
export const LONE = 'lone packets';
export const LONE_PACKETS = 200;

/** The case by which the cost of a frame is told, where many are under way. */
export const FLOOD = 'flood of 60-byte frames both ways';

export const CASES: Record<string, Case> = {
  [FLOOD]: bench => flood(bench, 60),
  [LONE]: alone,
  'flood of 1,514-byte frames both ways': bench => flood(bench, 1514),
  'the same with capture on': async bench => {
    bench.machine.console.write('capture all pcap count 1000000\r');
    await pause(100);
    await flood(bench, 1514);
    bench.machine.console.write('\x03');
    await bench.machine.console.command('');
  },
  'flood of DNS queries': bench => bursts(bench, query, undefined),
  'flood of pings to the router': bench =>
    bursts(bench, () => packets.echo(ip(HOST, ROUTER), 8, 1, 1, packets.payload(1400)), undefined),
  'fragments from last to first': reversed,
  'hosts that do not answer': unanswered,
  'one that answers, for whom 32 datagrams wait': answered,
  'datagrams of 1,500 bytes cut for the smallest link': cut,
  'new sessions until the table is full': fill,
  'a command that lists 4,000 sessions': async ({ machine }) => {
    await machine.console.command('show masq');
  },
  'another address with 4,000 sessions': async bench => {
    await fill(bench);
    await bench.machine.console.command('set wan address 203.0.113.11/24');
    await bench.machine.console.command('set wan gateway 203.0.113.1');
    await passes(bench, 2);
    await bench.machine.console.command('set wan address 203.0.113.10/24');
    await bench.machine.console.command('set wan gateway 203.0.113.1');
  },
  '4,000 sessions end by their timers': async bench => {
    await fill(bench);
    await passes(bench, 330);
  },
  'settings, all commands that show': async ({ machine }) => {
    for (const line of [
      'show interfaces',
      'show counters',
      'show arp',
      'show routes',
      'show version',
      'show memory',
    ])
      await machine.console.command(line);
    for (const line of ['set lan address 192.168.7.1/24', 'set lan address 192.168.0.1/24'])
      await machine.console.command(line);
  },
  "control's death and return": async ({ machine }) => {
    machine.console.write('debug crash control throw\r');
    await pause(3000);
    await machine.console.command('');
  },
  // The last one: from then on the console asks for it.
  'a password is set': async ({ machine }) => {
    const { console } = machine;
    console.write('password\r');
    for (const question of [/New password/, /Once more/]) {
      await console.expect(question, 60);
      console.write('correct horse\r');
    }
    await console.expect(PROMPT, 60);
  },
};

export interface Measured {
  counts: number;
  whose: string;
  /** Instructions in interrupts for each frame that came out, and how many did. */
  perFrame: number;
  frames: number;
  /** Interrupts of a card that had nothing to say. */
  idle: number;
}

/** Runs cases on a machine; tells of each. */
export async function measureOff(
  machineName: 'isapc' | 'pc',
  names: readonly string[],
  tell: (name: string, measured: Measured) => void,
): Promise<void> {
  const ram = new Ram(MEMORY_MIB);
  const calls = planeNames(javascript);
  const hosts = Array.from({ length: 120 }, (_, i) => `192.168.0.${2 + i}`);
  const bench = await start(machineName, true, { hosts, extra: ram.extra });
  try {
    const { machine } = bench;
    for (const name of names) {
      await ram.setPlaneWord(machine, LONGEST_OFF_AT, 0);
      const before = await reading(machine);
      const first = bench.lan.received + bench.wan.received;
      const idle = await planeWord(machine, IDLE_INTERRUPTS_AT);
      await (CASES[name] as Case)(bench);
      const frames = bench.lan.received + bench.wan.received - first;
      const perFrame = spent(before, await reading(machine)).inInterrupts / frames;
      const counts = await planeWord(machine, LONGEST_OFF_AT);
      const by = await planeWord(machine, LONGEST_OFF_BY_AT);
      tell(name, {
        counts,
        whose: by < OFF_CALL ? `line ${by}` : `${calls[by - OFF_CALL]}()`,
        perFrame,
        frames,
        idle: (await planeWord(machine, IDLE_INTERRUPTS_AT)) - idle,
      });
    }
  } finally {
    await bench.stop();
    ram.remove();
  }
}

export async function interruptsOff(): Promise<void> {
  for (const name of ['isapc', 'pc'] as const) {
    console.log(`\n| longest with interrupts off, ${name} | ms | whose |\n| --- | ---: | --- |`);
    await measureOff(name, Object.keys(CASES), (what, { counts, whose, perFrame, frames, idle }) => {
      console.log(`| ${what} | ${((counts * 1000) / PIT_COUNTS_PER_SECOND).toFixed(2)} | ${whose} |`);
      if (what === LONE) console.log(`| ${idle} idle interrupts of ${LONE_PACKETS} | | |`);
      if (what === FLOOD)
        console.log(`| at ${Math.round(perFrame)} instructions a frame, of ${frames} | | |`);
    });
  }
}
