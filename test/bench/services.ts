// What DNS and DHCP cost on the emulated 486, in instructions, and what forwarding loses meanwhile. Each query is a
// datagram on the LAN card's wire and ends with the answer there; what an idle board spends meanwhile is taken off.

import { ACK, DISCOVER, OFFER, REQUEST, Reader } from '../../src/control/dhcp/message.ts';
import { compose, station } from '../../src/control/dhcp/server-lab.ts';
import { reading, spent } from '../harness/icount.ts';
import * as packets from '../packets.ts';
import { HOST, ip, OUTSIDE, ROUTER, SERVER } from './addresses.ts';
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

const NAMES = ['www.example.com', 'a-rather-long-name.with.many.labels.in.some.example.org'];
const QUERIES = 100;
/** As many new clients as the server serves without a pause, and some in hand. */
const CLIENTS = 24;
const FLOOD_SECONDS = 60;
const FLOOD_A_SECOND = 200;
const DNS_PORT = 53;
const HOST_PORT = 4000;
const DATA_PORT = 5000;
/** Queries and frames sent between two looks at the machine's clock. */
const BURST = 3;

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

/** A host that asks, and a server that answers at once. */
export class Services {
  /** DNS answers that the host got. */
  answers = 0;
  /** The DHCP message that was last heard. */
  heard: Reader | undefined;
  /** Datagrams of the forwarded traffic that have come out at either side, and the port that the WAN saw last. */
  forwarded = 0;
  outsidePort = 0;

  constructor(readonly bench: Bench) {
    bench.lan.onFrame = frame => this.atLan(packets.read(frame.slice(14)));
    bench.wan.onFrame = frame => this.atWan(packets.read(frame.slice(14)));
  }

  private atLan({ protocol, sourcePort, destinationPort, data }: packets.Read): void {
    if (protocol !== packets.UDP) return;
    if (destinationPort === DATA_PORT) this.forwarded++;
    else if (sourcePort === DNS_PORT) this.answers++;
    else if (destinationPort === 68) {
      this.heard = new Reader();
      this.heard.parse(data);
    }
  }

  private atWan({ protocol, sourcePort, destinationPort, data }: packets.Read): void {
    if (protocol !== packets.UDP) return;
    if (destinationPort === DNS_PORT)
      this.bench.wan.send(packets.udp(ip(SERVER, OUTSIDE), DNS_PORT, sourcePort, answer(data)));
    if (destinationPort !== DATA_PORT) return;
    this.outsidePort = sourcePort;
    this.forwarded++;
  }

  ask(name: string, id: number): void {
    this.bench.lan.send(packets.udp(ip(HOST, ROUTER), HOST_PORT, DNS_PORT, question(name, id)));
  }

  /** A query and its answer. */
  async query(name: string, id: number): Promise<boolean> {
    const { answers } = this;
    this.ask(name, id);
    return await until(() => this.answers > answers);
  }

  /** DISCOVER, OFFER, REQUEST, ACK of client number `n`. */
  async join(n: number): Promise<boolean> {
    const mac = station(n);
    const wants = [1, 3, 6, 15, 28, 42];
    const xid = n + 1;
    const said = { xid, wants, name: `host${n}`, id: [1, ...packets.mac(mac)] };
    const say = async (bytes: Uint8Array, answer: number): Promise<boolean> => {
      const datagram = packets.udp(ip('0.0.0.0', '255.255.255.255'), 68, 67, bytes);
      this.bench.lan.sendFrame(packets.frame(packets.BROADCAST, mac, datagram));
      return await until(() => this.heard?.xid === xid && this.heard.type === answer);
    };
    if (!(await say(compose(mac, DISCOVER, said), OFFER))) return false;
    const requested = packets.addressText(this.heard?.yiaddr ?? 0);
    return await say(compose(mac, REQUEST, { ...said, requested, server: ROUTER }), ACK);
  }

  /** Instructions of one of `count` exchanges, each begun when the one before it was over. */
  async cost(count: number, exchange: (i: number) => Promise<boolean>): Promise<number> {
    const { machine } = this.bench;
    const quiet = await idleness(machine, 2000);
    const before = await reading(machine);
    for (let i = 0; i < count; i++) if (!(await exchange(i))) return Number.NaN;
    const { seconds, instructions } = spent(before, await reading(machine));
    return Math.round((instructions - (quiet.instructions * seconds) / quiet.seconds) / count);
  }

  /** T1 both ways in full frames while queries for random names arrive: what is lost of the frames. */
  async flood(): Promise<string> {
    const { machine, lan, wan } = this.bench;
    const data = packets.payload(1472);
    const out = packets.udp(ip(HOST, SERVER), DATA_PORT, DATA_PORT, data);
    lan.send(out);
    if (!(await until(() => this.forwarded === 1))) throw new Error('nothing is forwarded');
    const back = packets.udp(ip(SERVER, OUTSIDE), DATA_PORT, this.outsidePort, data);
    const framesPerSecond = T1_BITS_PER_SECOND / (8 * FRAME_ON_WIRE);
    const frames = Math.floor(framesPerSecond * FLOOD_SECONDS);
    const [traffic, queries] = [new Pace(framesPerSecond), new Pace(FLOOD_A_SECOND)];
    this.forwarded = 0;
    this.answers = 0;
    let [sent, asked] = [0, 0];
    const before = await reading(machine);
    await eachLook(machine, tick => {
      for (let n = traffic.take(tick, Math.min(BURST, frames - sent)); n > 0; n--, sent++) {
        lan.send(out);
        wan.send(back);
      }
      for (let n = queries.take(tick, BURST); n > 0; n--, asked++) this.ask(`${asked}.flood.example`, asked);
      return sent < frames;
    });
    const { load, seconds } = spent(before, await reading(machine));
    await pause(1000);
    const rate = (frames * 8 * FRAME_ON_WIRE) / seconds / 1e6;
    return (
      `${rate.toFixed(3)} Mb/s both ways, ${Math.round(asked / seconds)} queries a second, ${seconds.toFixed(0)} s ` +
      `| ${(load * 100).toFixed(0)} % | ${2 * frames - this.forwarded} of ${2 * frames} | ${this.answers} of ${asked}`
    );
  }
}

function row(what: string, instructions: number, goal: number): void {
  console.log(`| ${what} | ${instructions.toLocaleString('en-US')} | ${goal.toLocaleString('en-US')} |`);
}

/** The section's tables. */
export async function services(): Promise<void> {
  const bench = await start('isapc', false);
  try {
    const lab = new Services(bench);
    await bench.machine.console.command(`set dns server ${SERVER}`);
    await lab.query('warm.example', 0);
    console.log('\n| services | instructions | goal |\n| --- | ---: | ---: |');
    for (const name of NAMES) {
      await lab.query(name, 0);
      const cached = await lab.cost(QUERIES, i => lab.query(name, i));
      row(`DNS answer from the cache, ${name.length} characters`, cached, 400_000);
      const forwarded = await lab.cost(QUERIES, i => lab.query(`${i}.${name}`, i));
      row(`DNS query forwarded, ${name.length + 3} characters`, forwarded, 900_000);
    }
    row('DNS name of the LAN', await lab.cost(QUERIES, i => lab.query('masqbox.home.arpa', i)), 400_000);
    row('DHCP, four messages, new client', await lab.cost(CLIENTS, i => lab.join(i)), 2_500_000);
    await pause(3000);
    row('DHCP, four messages, known client', await lab.cost(CLIENTS, i => lab.join(i)), 2_500_000);
    console.log('\n| T1 and DNS | load | frames lost | queries answered |\n| --- | ---: | ---: | ---: |');
    console.log(`| ${await lab.flood()} |`);
  } finally {
    await bench.stop();
  }
}
