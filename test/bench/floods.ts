// What a well-behaved host gets beside each flood: names, its lease, pings, packets through the router, and the console, on
// the emulated 486. A flood comes at 3,000 frames a second, or as many as 10BASE-T carries of its size, by the machine's
// own ticks. It comes from one host that ARP knows, or from made-up stations and addresses, a new one each frame.
// Not here: the floods' frames (flood-frames.ts), hostile traffic of all kinds for an hour (hostile.ts).

import { IF_RX_DROPPED, IF_RX_ERRORS, IF_RX_PACKETS, interfaceAt } from '../../src/base/interface.ts';
import { INTERFACE_BYTES, TICKS_PER_SECOND } from '../../src/base/limits.ts';
import { STATION_SETTLE_TICKS } from '../../src/base/station-limits.ts';
import { ACK, DISCOVER, OFFER, REQUEST, Reader } from '../../src/control/dhcp/message.ts';
import { compose } from '../../src/control/dhcp/server-lab.ts';
import { planeBytes, reading, spent } from '../harness/icount.ts';
import * as packets from '../packets.ts';
import { HOST, ip, OUTSIDE, ROUTER, SERVER } from './addresses.ts';
import {
  BAD,
  BAD_MAC,
  CROWD,
  DNS_PORT,
  FLOODS,
  type Flood,
  question,
  settledHost,
  settledMac,
  toRouter,
} from './flood-frames.ts';
import { type Bench, eachLook, Pace, pause, start, until } from './lab.ts';
import { Newcomer } from './newcomer.ts';

const PER_SECOND = 3000;
const WIRE_BYTES_PER_SECOND = 10_000_000 / 8;
/** Preamble, checksum and gap around a frame (IEEE 802.3, 4.2.3.2). */
const FRAME_OVERHEAD = 24;
/**
 * Pages of 256 bytes that are sent between two looks at the machine's clock: of the card's ring of 58 less than half, as on a
 * busy host nearly none of the machine's time passes between two looks, and what no longer fits is lost before the router.
 */
const RING_PAGES = 24;
const DATA_PORT = 5000;
const IDENTIFIER = 77;
/** Where a busy host holds the machine up its cards lose frames, the good host's too. A run that lost more says nothing. */
const LOST_MOST = 0.002;
/** And what it asks and its resolver answers comes late: where two looks at the machine's clock were farther apart, a run says nothing either. */
const HELD_MOST = 30;
/** Number of a frame that is one of the flood's own, and not what comes before. */
const LATER = 1000;
/** What is due of the machine's time before a good host counts as one that was there before. */
const SETTLE_TICKS = STATION_SETTLE_TICKS + 5 * TICKS_PER_SECOND;
/** The good host asks for one thing after the other, one in so many ticks. */
const ASK_TICKS = 4;
/** And beside a crowd of such as it is, where each has a part of what there is, for little. */
const LITTLE_TICKS = 20;

/** Good hosts that renew their leases in turn, five a second together: one may once a second (DHCP_STATION_TICKS). The first asks for all else. */
const GOOD = [HOST, '192.168.0.3', '192.168.0.4', '192.168.0.5', '192.168.0.6', '192.168.0.7'] as const;

/**
 * A page's names, which the first asks for at once: half in one tick and half in the next, so that they fit into the card's
 * ring beside what it may hold of the flood, however slow the host. Control answers one meanwhile.
 */
const PAGE = 40;
const PAGE_BURST = 20;
const PAGE_PORT = 4002;
/** The flood is at its height then; and resolvers wait for so long before they ask again. */
const PAGE_AFTER_TICKS = 2 * TICKS_PER_SECOND;
const PAGE_TICKS = 5 * TICKS_PER_SECOND;

/** What good hosts ask for, in turn. */
const KINDS = ['cached', 'fresh', 'lease', 'ping', 'through'] as const;
type Kind = (typeof KINDS)[number];

export interface Result {
  readonly perSecond: number;
  /** The part of the flood's frames, 0 to 1, that the card has not taken, as the host held the machine up. */
  readonly lost: number;
  /** The most ticks between two looks at the machine. */
  readonly held: number;
  readonly load: number;
  readonly asked: Record<Kind, number>;
  readonly answered: Record<Kind, number>;
  /** Ticks that a command of the console took meanwhile. */
  readonly consoleTicks: number;
  /** A host that came during the flood. */
  readonly newcomer: Newcomer;
  /** Offers that the known bad station got, and how long it flooded. */
  readonly offers: number;
  readonly seconds: number;
}

/** What a page beside a flood got. */
export interface Page {
  readonly asked: number;
  readonly answered: number;
  /** From the first question to the last answer. */
  readonly ticks: number;
  readonly perSecond: number;
  readonly lost: number;
  readonly held: number;
}

/** Whether the host has held the machine up, so that a run says nothing of floods. */
export function isHeldUp({ lost, held }: Result | Page): boolean {
  return lost > LOST_MOST || held > HELD_MOST;
}

function answer(query: Uint8Array): Uint8Array {
  const bytes = packets.concat(query, [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1]);
  bytes.set([0x81, 0x80], 2);
  bytes[7] = 1;
  return bytes;
}

/** How fast a flood comes, and how much of it between two looks. */
function paceOf(flood: Flood | undefined, router: string): { pace: Pace; burst: number } {
  const lengths = [0, 1, 2, 3].map(i => flood?.make(LATER + i, router).length ?? 60);
  const bytes = Math.max(...lengths);
  const most = Math.min(
    flood?.perSecond ?? PER_SECOND,
    Math.floor(WIRE_BYTES_PER_SECOND / (bytes + FRAME_OVERHEAD)),
  );
  const burst = Math.floor(RING_PAGES / Math.ceil((bytes + 4) / 256));
  return { pace: new Pace(flood === undefined ? 0 : most, 1), burst };
}

export class FloodLab {
  #next = 0;
  /** Of the last look at the machine's clock; and the most that were between two of them in this run. */
  #tick = 0;
  #held = 0;
  readonly #answered = new Set<number>();
  readonly #kinds: Kind[] = [];
  /** Of the page's questions those that were answered. */
  readonly #page = new Set<number>();
  #offers = 0;
  #newcomers = 0;
  #newcomer: Newcomer | undefined;

  private constructor(readonly bench: Bench) {}

  static async create(): Promise<FloodLab> {
    const bench = await start('isapc', false);
    const lab = new FloodLab(bench);
    bench.lan.onFrame = frame => lab.#atLan(packets.read(frame.slice(14)));
    bench.wan.onFrame = frame => lab.#atWan(packets.read(frame.slice(14)));
    bench.lan.others.set(BAD, BAD_MAC);
    const { console } = bench.machine;
    await console.command(`set dns server ${SERVER}`);
    for (const host of GOOD) await lab.#join(host);
    for (let n = 0; n < CROWD; n++) bench.lan.others.set(settledHost(n), settledMac(n));
    await lab.#introduceAll();
    const since = (await reading(bench.machine)).ticks;
    await eachLook(bench.machine, tick => ((tick - since) | 0) < SETTLE_TICKS);
    return lab;
  }

  /** Looks at the machine again and again, as eachLook() does, and notes how far apart. */
  async #eachLook(look: (tick: number) => boolean): Promise<void> {
    this.#tick = (await reading(this.bench.machine)).ticks;
    await eachLook(this.bench.machine, tick => {
      this.#held = Math.max(this.#held, (tick - this.#tick) | 0);
      this.#tick = tick;
      return look(tick);
    });
  }

  /** The station of a good host. */
  #macOf(host: string): string {
    const { lan } = this.bench;
    return host === HOST ? lan.mac : `02:00:00:00:01:0${host.slice(-1)}`;
  }

  /** A good host takes its lease. */
  async #join(host: string): Promise<void> {
    const { lan, machine } = this.bench;
    const mac = this.#macOf(host);
    await machine.console.command(`set dhcp reserve ${mac} ${host} good${host.slice(-1)}`);
    if (host !== HOST) lan.others.set(host, mac);
    let heard: Reader | undefined;
    const onFrame = lan.onFrame;
    lan.onFrame = frame => {
      const { destinationPort, data } = packets.read(frame.slice(14));
      if (destinationPort !== 68) return;
      heard = new Reader();
      heard.parse(data);
    };
    for (const [type, wanted] of [
      [DISCOVER, OFFER],
      [REQUEST, ACK],
    ] as const) {
      const said = type === DISCOVER ? {} : { requested: host, server: ROUTER };
      const message = packets.udp(ip('0.0.0.0', '255.255.255.255'), 68, 67, compose(mac, type, said));
      lan.sendFrame(packets.frame(packets.BROADCAST, mac, message));
      if (!(await until(() => heard?.type === wanted))) throw new Error('The good host gets no lease');
    }
    lan.onFrame = onFrame;
    this.#introduce(host, mac);
    await pause(200);
  }

  #introduce(address: string, mac: string): void {
    this.bench.lan.sendFrame(
      packets.arpFrame(packets.BROADCAST, {
        ...{ operation: 1, senderMac: mac, senderAddress: address, targetAddress: ROUTER },
      }),
    );
  }

  /** All that were there before are known to ARP. */
  async #introduceAll(): Promise<void> {
    for (const host of GOOD) this.#introduce(host, this.#macOf(host));
    this.#introduce(BAD, BAD_MAC);
    for (let n = 0; n < CROWD; n++) {
      this.#introduce(settledHost(n), settledMac(n));
      if (n % 10 === 9) await pause(20);
    }
  }

  #atLan(datagram: packets.Read): void {
    const { protocol, type, sourcePort, destinationPort, data, destination } = datagram;
    if (protocol === packets.UDP) this.#newcomer?.hear(datagram);
    const isReply = protocol === packets.UDP && destinationPort === 68;
    if (isReply && data[242] === OFFER && packets.macText(data, 28) === BAD_MAC) this.#offers++;
    const host = packets.addressText(packets.address(destination));
    if (isReply && GOOD.some(good => good === host) && data[242] === ACK)
      this.#answered.add(packets.get32(data, 4));
    if (host !== HOST) return;
    if (protocol === packets.ICMP && type === 0 && data.length >= 4)
      this.#answered.add(packets.get32(data, 0));
    // Refused is not answered.
    if (protocol !== packets.UDP || sourcePort !== DNS_PORT || (data[3]! & 15) !== 0 || data[7] === 0) return;
    if (destinationPort === PAGE_PORT) this.#page.add(packets.get16(data, 0));
    else this.#answered.add(destinationPort - DATA_PORT);
  }

  #atWan({ protocol, sourcePort, destinationPort, data }: packets.Read): void {
    if (protocol !== packets.UDP) return;
    if (destinationPort === DATA_PORT) this.#answered.add(packets.get32(data, 0));
    if (destinationPort === DNS_PORT)
      this.bench.wan.send(packets.udp(ip(SERVER, OUTSIDE), DNS_PORT, sourcePort, answer(data)));
  }

  /** The good host asks for the next thing; its number comes back in the answer. */
  #ask(): void {
    const { lan } = this.bench;
    const n = this.#next++;
    const kind = KINDS[n % KINDS.length]!;
    this.#kinds[n] = kind;
    const number = Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
    const port = DATA_PORT + n;
    if (kind === 'ping')
      lan.send(packets.echo(toRouter(HOST), 8, IDENTIFIER, n, packets.concat(number, packets.payload(52))));
    else if (kind === 'through') lan.send(packets.udp(ip(HOST, SERVER), DATA_PORT, DATA_PORT, number));
    else if (kind === 'lease') {
      const host = GOOD[Math.floor(n / KINDS.length) % GOOD.length]!;
      const mac = this.#macOf(host);
      const message = compose(mac, REQUEST, { xid: n, ciaddr: host });
      lan.sendFrame(packets.frame(lan.router, mac, packets.udp(toRouter(host), 68, 67, message)));
    } else {
      const name = kind === 'cached' ? 'warm.example' : `good${n}.example`;
      lan.send(packets.udp(toRouter(HOST), port, DNS_PORT, question(name, n)));
    }
  }

  /** The good host asks for a page's new names at once, in the midst of a flood of the LAN: how many are answered, and in how many ticks. */
  async page(flood: Flood | undefined): Promise<Page> {
    const { machine, lan } = this.bench;
    await this.#introduceAll();
    this.#page.clear();
    const { pace, burst } = paceOf(flood, lan.router);
    const serial = ++this.#newcomers;
    const receivedBefore = await this.#received(0);
    const before = await reading(machine);
    let [sent, asked, passed, askedAt] = [0, 0, 0, before.ticks];
    this.#held = 0;
    await this.#eachLook(tick => {
      passed = (tick - before.ticks) | 0;
      const isAsking = passed > PAGE_AFTER_TICKS && asked < PAGE;
      for (let n = isAsking && tick !== askedAt ? PAGE_BURST : 0; n > 0; n--, asked++) {
        askedAt = tick;
        const query = question(`page${asked}x${serial}.example`, asked);
        lan.send(packets.udp(toRouter(HOST), PAGE_PORT, DNS_PORT, query));
      }
      // The wire that brings the page brings nothing else.
      for (let n = pace.take(tick, isAsking ? 0 : burst); n > 0; n--)
        lan.sendFrame(flood!.make(sent++, lan.router));
      return this.#page.size < PAGE && passed < PAGE_AFTER_TICKS + PAGE_TICKS;
    });
    const received = (await this.#received(0)) - receivedBefore;
    const lost = sent === 0 ? 0 : Math.max(0, 1 - received / sent);
    const perSecond = Math.round((sent * TICKS_PER_SECOND) / passed);
    return {
      asked,
      answered: this.#page.size,
      ticks: passed - PAGE_AFTER_TICKS,
      perSecond,
      lost,
      held: this.#held,
    };
  }

  /**
   * One flood, for so many seconds of the machine's time, and until so much was asked: on a busy host the looks at the clock
   * are far apart, the flood is thinner, and less is asked in the time.
   */
  async run(flood: Flood | undefined, seconds: number, least = 0): Promise<Result> {
    const { machine, lan, wan } = this.bench;
    const side = flood?.outside === true ? wan : lan;
    const askTicks = flood?.perSecond === undefined ? ASK_TICKS : LITTLE_TICKS;
    const { pace, burst } = paceOf(flood, side.router);
    const first = this.#next;
    const receivedBefore = await this.#received(side === wan ? 1 : 0);
    await this.#introduceAll();
    this.#offers = 0;
    const before = await reading(machine);
    let [sent, askedAt] = [0, before.ticks];
    let command: Promise<number> | undefined;
    const name = question(`new${++this.#newcomers}.example`, 1);
    const newcomer = new Newcomer(lan, packets.macText(Uint8Array.of(2, 0, 0, 0, 2, this.#newcomers)), name);
    this.#newcomer = newcomer;
    this.#held = 0;
    await this.#eachLook(tick => {
      if (((tick - askedAt) | 0) >= askTicks) {
        askedAt = tick;
        this.#ask();
      }
      // First the flood begins.
      if (((tick - before.ticks) | 0) > TICKS_PER_SECOND) newcomer.look(tick);
      for (let n = pace.take(tick, burst); n > 0; n--) side.sendFrame(flood!.make(sent++, side.router));
      const passed = ((tick - before.ticks) | 0) / TICKS_PER_SECOND;
      if (passed > seconds / 2) command ??= this.#command();
      return passed < seconds || this.#next - first < least || (!newcomer.isDone && passed < 2 * seconds);
    });
    const after = await reading(machine);
    // What is under way comes, and the console's answer.
    let consoleTicks = Number.NaN;
    command?.then(ticks => {
      consoleTicks = ticks;
    });
    await this.#eachLook(tick => {
      const passed = (tick - after.ticks) | 0;
      return passed < TICKS_PER_SECOND || (Number.isNaN(consoleTicks) && passed < 60 * TICKS_PER_SECOND);
    });
    const asked = { cached: 0, fresh: 0, lease: 0, ping: 0, through: 0 };
    const answered = { ...asked };
    for (let n = first; n < this.#next; n++) {
      asked[this.#kinds[n]!]++;
      if (this.#answered.has(n)) answered[this.#kinds[n]!]++;
    }
    const { load, seconds: lasted } = spent(before, after);
    const received = (await this.#received(side === wan ? 1 : 0)) - receivedBefore;
    const lost = sent === 0 ? 0 : Math.max(0, 1 - received / sent);
    return {
      ...{
        perSecond: Math.round(sent / lasted),
        lost,
        held: this.#held,
        load,
        asked,
        answered,
        consoleTicks,
        newcomer,
      },
      ...{ offers: this.#offers, seconds: lasted },
    };
  }

  /** Frames that a card has taken from its wire, or counted as dropped. */
  async #received(index: number): Promise<number> {
    const words = await planeBytes(this.bench.machine, interfaceAt(index), INTERFACE_BYTES);
    return [IF_RX_PACKETS, IF_RX_ERRORS, IF_RX_DROPPED]
      .map(at => words.getUint32(at, true))
      .reduce((a, b) => a + b);
  }

  /** The ticks that a command of the console takes. */
  async #command(): Promise<number> {
    const { machine } = this.bench;
    const from = this.#tick;
    await machine.console.command('show version');
    return this.#tick - from;
  }

  async stop(): Promise<void> {
    await this.bench.stop();
  }
}

/** The section's table; FLOOD_SECONDS=60 and FLOOD='60 stations' make it longer, and of some floods alone. */
export async function floods(): Promise<void> {
  const seconds = Number(process.env['FLOOD_SECONDS'] ?? 20);
  const wanted = FLOODS.filter(({ name }) => name.includes(process.env['FLOOD'] ?? ''));
  console.log(
    '\n| flood | frames a second | load | cached | fresh | lease | ping | through | a command | a new host’s tries |',
  );
  console.log(`| --- |${' ---: |'.repeat(9)}`);
  const lab = await FloodLab.create();
  try {
    for (const flood of [undefined, ...wanted]) {
      const result = await lab.run(flood, seconds);
      const { perSecond, lost, held, load, asked, answered, consoleTicks, newcomer } = result;
      const cells = KINDS.map(kind => `${answered[kind]} of ${asked[kind]}`).join(' | ');
      console.log(
        `| ${flood?.name ?? 'none'} | ${perSecond} | ${(100 * load).toFixed(0)} % | ${cells} | ${10 * consoleTicks} ms | ${newcomer} |${isHeldUp(result) ? ` ${(100 * lost).toFixed(1)} % lost before the card, the host was away for ${10 * held} ms` : ''}`,
      );
      await pause(500);
    }
  } finally {
    await lab.stop();
  }
}
