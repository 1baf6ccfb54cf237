// What one frame costs: the whole path, card, interrupt, driver, plane, driver, card; by size, direction, protocol and how many
// are under way. Not here: rates and what is lost at them (../bench.ts).

import { MASQUERADE_COUNT } from '../../src/base/limits.ts';
import { reading, spent } from '../harness/icount.ts';
import * as packets from '../packets.ts';
import { HOST, ip, OUTSIDE, SERVER } from './addresses.ts';
import { type Bench, idleness, type Station, start } from './lab.ts';

/** What the floor's own reading does not see of an interrupt: the processor's and the stub's entry and exit. */
const INTERRUPT_ENTRY = 50;
/** Frames under way at once: as many of 1,514 bytes as an NE2000's receive ring holds, less one; or each alone. */
const WINDOWS = [6, 1] as const;
/** Hosts that each talk with one of as many others. */
const HOSTS = 250;
/** Sessions of which a board has its table nearly full. */
const SESSIONS = 4000;

/**
 * Instructions a frame. The native engine works in the cards' interrupts, which the floor measures; the
 * interpreted one from the idle loop: there it is what the frames cost above the same ticks' idleness. A frame is sent
 * when an earlier one has come out at the other side, so none is lost, and the machine's time, which leaps
 * while it sleeps, goes on by few ticks a frame.
 */
async function cost(
  bench: Bench,
  count: number,
  send: (i: number) => void,
  to: Station,
  window: number = WINDOWS[0],
): Promise<number> {
  const { machine } = bench;
  const warm = to.received;
  send(0); // the neighbour's address is asked for once
  if (!(await to.reaches(warm + 1))) return Number.NaN;
  const before = await reading(machine);
  const first = to.received;
  for (let i = 0; i < count; i++) {
    if (!(await to.reaches(first + i - window + 1))) return Number.NaN;
    send(i);
  }
  if (!(await to.reaches(first + count))) return Number.NaN;
  const after = await reading(machine);
  const { seconds, instructions, inInterrupts } = spent(before, after);
  if (bench.engine === 'native') return Math.round(inInterrupts / count) + INTERRUPT_ENTRY;
  const quiet = await idleness(machine);
  return Math.round((instructions - (quiet.instructions * seconds) / quiet.seconds) / count);
}

/** Of one frame each way, six under way and each alone: out, out alone, back, back alone. */
async function bothWays(bench: Bench, count: number, out: Uint8Array, back: Uint8Array): Promise<number[]> {
  const { lan, wan } = bench;
  const costs: number[] = [];
  for (const window of WINDOWS) costs.push(await cost(bench, count, () => lan.send(out), wan, window));
  for (const window of WINDOWS) costs.push(await cost(bench, count, () => wan.send(back), lan, window));
  return costs;
}

async function forwarding(bench: Bench, engine: string, count: number): Promise<void> {
  const { machine, lan, wan } = bench;
  await machine.console.command(`set engine ${engine}`);
  bench.engine = engine;
  await idle(bench, `an idle second, ${engine}`);
  for (const [what, bytes] of [
    ['60-byte', 46],
    ['1,514-byte', 1500],
  ] as const) {
    const data = packets.payload(bytes - 28);
    const out = packets.udp(ip(HOST, SERVER), 5000, 7, data);
    await cost(bench, 1, () => lan.send(out), wan);
    const back = packets.udp(ip(SERVER, OUTSIDE), 7, packets.get16(wan.last, 34), data);
    await cost(bench, 1, () => wan.send(back), lan);
    row(`UDP ${what}, ${engine}`, ...(await bothWays(bench, count, out, back)));
    row(`TCP ${what}, ${engine}`, ...(await connection(bench, count, bytes)));
  }
  const fresh = (i: number) => packets.udp(ip(HOST, SERVER), 10000 + i, 7, packets.payload(18));
  const some = Math.min(count, 1000);
  row(
    `new UDP flow, ${engine}`,
    await cost(bench, some, i => lan.send(fresh(i)), wan),
    await cost(bench, some, i => lan.send(fresh(2000 + i)), wan, 1),
  );
  if (engine !== 'native') return;
  row(`${HOSTS} hosts with ${HOSTS} others, each its turn`, ...(await crowd(bench, count)));
  row('new UDP flow, its port taken, the table full', await drawn(bench));
  await idle(bench, `an idle second, ${SESSIONS} sessions`);
}

async function idle(bench: Bench, what: string): Promise<void> {
  const { seconds, instructions } = await idleness(bench.machine, 3000);
  row(what, instructions / seconds);
}

/** Address of the host of that number on the LAN; they all are at one station. */
const hostOf = (n: number): string => `192.168.0.${2 + n}`;

/** Established flows of many hosts with as many others, in turn. */
async function crowd(bench: Bench, count: number): Promise<number[]> {
  const { lan, wan } = bench;
  const flow = (i: number) => {
    const n = i % HOSTS;
    return packets.udp(ip(hostOf(n), `198.51.100.${1 + n}`), 3000 + n, 7, packets.payload(18));
  };
  for (let i = 0; i < HOSTS; i++) {
    await cost(bench, 1, () => lan.send(flow(i)), wan, 1);
    const port = packets.get16(wan.last, 34);
    const answer = packets.udp(ip(`198.51.100.${1 + i}`, OUTSIDE), 7, port, packets.payload(18));
    await cost(bench, 1, () => wan.send(answer), lan, 1);
  }
  const costs: number[] = [];
  for (const window of WINDOWS) costs.push(await cost(bench, count, i => lan.send(flow(i)), wan, window));
  return costs;
}

/** A new flow for which a port is drawn and another one put out: 200 hosts want the same few ports. */
async function drawn(bench: Bench): Promise<number> {
  const { lan, wan } = bench;
  const flow = (i: number) =>
    packets.udp(
      ip(`192.168.0.${3 + (i % 200)}`, SERVER),
      61000 + 2 * Math.floor(i / 200),
      7,
      packets.payload(18),
    );
  await cost(bench, MASQUERADE_COUNT, i => lan.send(flow(i)), wan);
  return await cost(bench, 1000, i => lan.send(flow(MASQUERADE_COUNT + i)), wan);
}

/** An established connection's data segments, each way. */
async function connection(bench: Bench, count: number, bytes: number): Promise<number[]> {
  const { lan, wan } = bench;
  const data = packets.payload(bytes - 40);
  const segment = (
    from: string,
    to: string,
    source: number,
    destination: number,
    flags: number,
    text = data,
  ) => {
    // Both sides' first sequence number is 1,000.
    const acknowledgment = (flags & packets.ACK) !== 0 ? 1001 : 0;
    const header = { sourcePort: source, destinationPort: destination, flags, acknowledgment };
    return packets.tcp(ip(from, to), header, text);
  };
  const none = new Uint8Array();
  const open = async (): Promise<number> => {
    await cost(bench, 1, () => lan.send(segment(HOST, SERVER, 6000, 80, packets.SYN, none)), wan);
    const port = packets.get16(wan.last, 34);
    const answer = segment(SERVER, OUTSIDE, 80, port, packets.SYN | packets.ACK, none);
    await cost(bench, 1, () => wan.send(answer), lan);
    await cost(bench, 1, () => lan.send(segment(HOST, SERVER, 6000, 80, packets.ACK, none)), wan);
    return port;
  };
  const port = await open();
  const out = segment(HOST, SERVER, 6000, 80, packets.ACK);
  const back = segment(SERVER, OUTSIDE, 80, port, packets.ACK);
  return await bothWays(bench, count, out, back);
}

function row(what: string, ...costs: number[]): void {
  const texts = [0, 1, 2, 3].map(i =>
    costs[i] === undefined ? '' : Math.round(costs[i]).toLocaleString('en-US'),
  );
  console.log(`| ${what} | ${texts.join(' | ')} |`);
}

export async function frames(): Promise<void> {
  for (const name of ['isapc', 'pc'] as const) {
    const hosts = Array.from({ length: HOSTS }, (_, n) => hostOf(n));
    const bench = await start(name, true, { hosts });
    try {
      console.log(
        `\n| ${name}, instructions a frame | out, ${WINDOWS[0]} under way | alone | back, ${WINDOWS[0]} | alone |`,
      );
      console.log('| --- | ---: | ---: | ---: | ---: |');
      await forwarding(bench, 'native', 2000);
      await forwarding(bench, 'interpreted', 300);
    } finally {
      await bench.stop();
    }
  }
}
