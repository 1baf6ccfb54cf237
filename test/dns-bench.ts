// What DNS costs on the emulated 486, in instructions: `tsx test/dns-bench.ts`. Each query is a datagram on the
// LAN card's wire and ends with the answer there; what an idle board spends meanwhile is taken off.
// Not here: forwarding frames (bench.ts).

import { NOW_AT } from '../src/plane/cells.ts';
import { TICKS_PER_SECOND } from '../src/plane/limits.ts';
import { IMAGE } from './harness/board-router.ts';
import { PROMPT } from './harness/console.ts';
import { planeWord, reading, spent } from './harness/icount.ts';
import { isaCards, Machine } from './harness/qemu.ts';
import { dgramEnd, type End } from './harness/wire.ts';
import * as packets from './packets.ts';

const HOST = '192.168.0.10';
const ROUTER = '192.168.0.1';
const OUTSIDE = '203.0.113.10';
const SERVER = '203.0.113.1';
const LAN_MAC = '02:00:00:00:00:02';
const WAN_MAC = '02:00:00:00:00:01';
const NAMES = ['www.example.com', 'a-rather-long-name.with.many.labels.in.some.example.org'];

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

function question(name: string, id: number): Uint8Array {
  const labels = name.split('.').flatMap(label => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([id >> 8, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
}

/** Three addresses, as large sites have them. */
function answer(query: Uint8Array): Uint8Array {
  const record = (last: number): number[] => [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, last];
  const bytes = packets.concat(query, record(1), record(2), record(3));
  bytes.set([0x81, 0x80], 2);
  bytes[7] = 3;
  return bytes;
}

const SECONDS = 20;
const FLOOD_A_SECOND = 200;
const T1_BITS = 1_544_000;
/** Bytes of a full frame with preamble, CRC and gap. */
const WIRE_BYTES = 1538;
const DATA_PORT = 5000;

class DnsBench {
  answers = 0;
  /** Datagrams of the forwarded traffic that have come out. */
  readonly forwarded = [0, 0];
  private dataPort = 0;
  private routers = ['ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff'];

  private constructor(
    readonly machine: Machine,
    private readonly ends: readonly [End, End],
  ) {
    for (const [card, end] of ends.entries()) end.receive = frame => this.take(card, frame);
  }

  /** The machine sleeps really: time that leaps ahead of the host would be time in which servers are silent. */
  static async start(): Promise<DnsBench> {
    const [lan, wan] = [await dgramEnd(), await dgramEnd()];
    const machine = await Machine.start({
      disk: IMAGE,
      cards: isaCards(lan.wire, wan.wire),
      icount: 5,
      sleep: true,
    });
    const bench = new DnsBench(machine, [lan.end, wan.end]);
    await machine.console.expect(PROMPT, 60);
    for (const line of [
      `set wan address ${OUTSIDE}/24`,
      `set wan gateway ${SERVER}`,
      `set dns server ${SERVER}`,
    ])
      await machine.console.command(line);
    await pause(300);
    bench.ask(question('warm.example', 1));
    await bench.reaches(1, 10_000);
    return bench;
  }

  ask(data: Uint8Array): void {
    this.send(0, packets.udp({ source: HOST, destination: ROUTER, ttl: 64 }, 4000, 53, data));
  }

  async reaches(count: number, milliseconds = 3000): Promise<boolean> {
    const deadline = performance.now() + milliseconds;
    while (this.answers < count && performance.now() < deadline) await new Promise(setImmediate);
    return this.answers >= count;
  }

  /** Instructions of one of `count` queries, each sent when the one before it was answered. */
  async cost(count: number, nameOf: (i: number) => string): Promise<number> {
    const from = await reading(this.machine);
    await pause(500);
    const quiet = spent(from, await reading(this.machine));
    const before = await reading(this.machine);
    for (let i = 0; i < count; i++) {
      const first = this.answers;
      this.ask(question(nameOf(i), i));
      if (!(await this.reaches(first + 1))) return Number.NaN;
    }
    const { seconds, instructions } = spent(before, await reading(this.machine));
    return Math.round((instructions - (quiet.instructions * seconds) / quiet.seconds) / count);
  }

  /** T1 both ways in full frames while queries for random names arrive: what the plane loses meanwhile. */
  async flood(): Promise<string> {
    const data = packets.payload(1472);
    const out = packets.udp({ source: HOST, destination: SERVER, ttl: 64 }, DATA_PORT, DATA_PORT, data);
    this.send(0, out);
    await pause(500);
    const back = packets.udp(
      { source: SERVER, destination: OUTSIDE, ttl: 64 },
      DATA_PORT,
      this.dataPort,
      data,
    );
    const frames = Math.floor((T1_BITS * SECONDS) / (8 * WIRE_BYTES));
    this.forwarded.fill(0);
    const [answers, before] = [this.answers, await reading(this.machine)];
    const started = await planeWord(this.machine, NOW_AT);
    let [sent, asked] = [0, 0];
    let last = started;
    while (sent < frames) {
      // The machine's seconds, not the host's: while it is busy they pass faster. One turn a tick, so that what the
      // host was late with does not arrive all at once, as from a wire it could not.
      await pause(1);
      const tick = await planeWord(this.machine, NOW_AT);
      if (tick === last) continue;
      last = tick;
      const passed = (tick - started) / TICKS_PER_SECOND;
      const due = Math.min(frames, (passed * T1_BITS) / (8 * WIRE_BYTES));
      for (let burst = 0; burst < 2 && sent < due; burst++, sent++) {
        this.send(0, out);
        this.send(1, back);
      }
      for (let burst = 0; burst < 3 && asked < passed * FLOOD_A_SECOND; burst++)
        this.ask(question(`${asked++}-${started}.flood.example`, asked));
    }
    await pause(1000);
    const { load, seconds } = spent(before, await reading(this.machine));
    const lost = 2 * frames - this.forwarded[0]! - this.forwarded[1]!;
    return (
      `${seconds} s, ${(load * 100).toFixed(0)} % load; ${lost} of ${2 * frames} frames lost; ` +
      `${this.answers - answers} of ${asked} queries answered`
    );
  }

  async stop(): Promise<void> {
    await this.machine.stop();
    for (const end of this.ends) await end.close();
  }

  private send(card: number, datagram: Uint8Array): void {
    this.ends[card]!.send(packets.frame(this.routers[card]!, [LAN_MAC, WAN_MAC][card]!, datagram));
  }

  private take(card: number, frame: Uint8Array): void {
    this.routers[card] = packets.macText(frame, 6);
    const router = this.routers[card]!;
    if (packets.get16(frame, 12) === 0x0806) {
      const sender = packets.addressText(packets.get32(frame, 28));
      const target = packets.addressText(packets.get32(frame, 38));
      if (packets.get16(frame, 20) !== 1 || sender === target || sender === '0.0.0.0') return;
      const mac = [LAN_MAC, WAN_MAC][card]!;
      this.ends[card]!.send(
        packets.arpFrame(router, {
          ...{ operation: 2, senderMac: mac, senderAddress: target },
          ...{ targetMac: router, targetAddress: sender },
        }),
      );
      return;
    }
    const datagram = frame.slice(14);
    const { protocol, sourcePort, destinationPort } = packets.read(datagram);
    if (protocol !== packets.UDP) return;
    const data = datagram.slice(28, packets.get16(datagram, 2));
    if (destinationPort === DATA_PORT) {
      if (card === 1) this.dataPort = sourcePort;
      this.forwarded[card]!++;
    } else if (card === 1 && destinationPort === 53) {
      this.send(
        1,
        packets.udp({ source: SERVER, destination: OUTSIDE, ttl: 64 }, 53, sourcePort, answer(data)),
      );
    } else if (card === 0 && sourcePort === 53) this.answers++;
  }
}

if (process.argv[1] === import.meta.filename) {
  const bench = await DnsBench.start();
  try {
    console.log('| DNS, instructions a query | |\n| --- | ---: |');
    const row = (what: string, n: number): void => console.log(`| ${what} | ${n.toLocaleString('en-US')} |`);
    for (const name of NAMES) {
      await bench.cost(1, () => name);
      row(`cached, ${name.length} characters`, await bench.cost(100, () => name));
      row(`forwarded, ${name.length} characters`, await bench.cost(100, i => `${i}-${Date.now()}.${name}`));
    }
    row('local', await bench.cost(100, () => 'masqbox.home.arpa'));
  } finally {
    await bench.stop();
  }
  const busy = await DnsBench.start();
  try {
    console.log(
      `| T1 both ways, ${FLOOD_A_SECOND} random names a second, ${SECONDS} s | ${await busy.flood()} |`,
    );
  } finally {
    await busy.stop();
  }
}
