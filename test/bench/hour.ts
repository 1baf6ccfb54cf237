// An hour of the machine's own time with bad neighbours on both sides at once, by a seed: twelve hosts keep 48 sessions
// that speak twice a minute, and ask for a name now and then; nothing of theirs may be lost, the clock goes right, and
// memory ends where it began. Sleep is skipped, so the hour takes some minutes of the host's.
// Not here: what the neighbours do (hostile.ts); rates that a flood reaches.

import { NOW_AT } from '../../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../../src/base/limits.ts';
import { createRandom, type Random } from '../../src/control/debug/random.ts';
import { runSeed } from '../../tools/harness/random.ts';
import { planeWord, reading, spent } from '../harness/icount.ts';
import * as packets from '../packets.ts';
import { OUTSIDE, ROUTER, SERVER } from './addresses.ts';
import { type Campaign, type Known, lanCampaigns, wanCampaigns } from './hostile.ts';
import { type Bench, type Station, start } from './lab.ts';

const HOUR_SECONDS = 3600;
/** What comes before the first look at the memory: caches and tables are full then. */
const WARM_SECONDS = 600;
const HOSTS = 12;
const FIRST_HOST = 10;
const TCP_A_HOST = 3;
/** Seconds between two messages of a session, between two tries of one, and tries until it counts as lost. */
const TALK_SECONDS = 30;
const RETRY_SECONDS = 3;
const TRIES = 8;
const MESSAGE_BYTES = 40;
const CAMPAIGN_SECONDS = 60;
/** Frames that a bad neighbour sends at once, and the share of the looks at the clock in which it does. */
const BURST = 16;
/** What control's heap may have less at the end, which falls between two runs of its collector. */
const HEAP_KIB = 48;
/** Packet buffers of what is under way when one looks. */
const HELD_MOST = 8;
const WORDS_OF_TROUBLE = /restarted (?!0 times)|crash|conflict gave up|panic/i;

/** What a session needs of the wire and of the time. */
interface World {
  readonly bench: Bench;
  readonly random: Random;
  tick: number;
  /** What the bad neighbours do now. */
  trouble: string;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** One conversation of a good host: it speaks, the server answers, and both know what must come. */
abstract class Session implements Known {
  outsidePort = 0;
  messages = 0;
  retries = 0;
  fault = '';
  #due: number;
  #tries = 0;

  constructor(
    protected readonly world: World,
    readonly host: string,
    readonly hostPort: number,
    readonly serverPort: number,
  ) {
    this.#due = world.tick + world.random.below(TALK_SECONDS * TICKS_PER_SECOND);
  }

  protected abstract speak(): void;

  look(): void {
    const { tick } = this.world;
    if (this.fault !== '' || ((tick - this.#due) | 0) < 0) return;
    if (this.#tries === TRIES) {
      this.fault = `no answer to message ${this.messages} in ${TRIES} tries, beside ${this.world.trouble}`;
      return;
    }
    if (this.#tries > 0) this.retries++;
    this.#tries++;
    this.#due = tick + RETRY_SECONDS * TICKS_PER_SECOND;
    this.speak();
  }

  /** What it said last has been answered. */
  protected answered(): void {
    if (this.#tries === 0) return;
    this.#tries = 0;
    this.messages++;
    this.#due = this.world.tick + TALK_SECONDS * TICKS_PER_SECOND;
  }

  /** Whether what the server got is this session's: a bad host's packet may go to the same port. */
  protected abstract isOwn(read: packets.Read): boolean;

  /** The server sees a port; it must stay. */
  protected seen(port: number): void {
    if (this.outsidePort !== 0 && this.outsidePort !== port)
      this.fault = `left by port ${this.outsidePort}, then by ${port}, beside ${this.world.trouble}`;
    this.outsidePort = port;
  }

  protected out(datagram: (source: string, destination: string) => Uint8Array): void {
    this.world.bench.lan.send(datagram(this.host, SERVER));
  }

  abstract atServer(read: packets.Read): void;
  abstract atHost(read: packets.Read): void;
}

class UdpSession extends Session {
  protected speak(): void {
    this.out((source, destination) =>
      packets.udp(
        { source, destination },
        this.hostPort,
        this.serverPort,
        packets.payload(MESSAGE_BYTES, this.messages),
      ),
    );
  }

  protected isOwn({ protocol, data }: packets.Read): boolean {
    return protocol === packets.UDP && isSame(data, packets.payload(MESSAGE_BYTES, this.messages));
  }

  atServer(read: packets.Read): void {
    const { sourcePort, data } = read;
    if (!this.isOwn(read)) return;
    this.seen(sourcePort);
    const ip = { source: SERVER, destination: OUTSIDE };
    this.world.bench.wan.send(packets.udp(ip, this.serverPort, sourcePort, data));
  }

  atHost({ data }: packets.Read): void {
    if (data[0] === packets.payload(1, this.messages)[0]) this.answered();
  }
}

class TcpSession extends Session {
  #isOpen = false;
  #mine: number;
  #theirs: number;
  readonly #firstOfServer: number;

  constructor(world: World, host: string, hostPort: number, serverPort: number) {
    super(world, host, hostPort, serverPort);
    this.#mine = world.random.next();
    this.#firstOfServer = world.random.next();
    this.#theirs = this.#firstOfServer;
  }

  protected speak(): void {
    const flags = this.#isOpen ? packets.ACK | packets.PSH : packets.SYN;
    this.#segment(flags, this.#isOpen ? packets.payload(MESSAGE_BYTES) : new Uint8Array());
  }

  #segment(flags: number, data: Uint8Array): void {
    const { hostPort: sourcePort, serverPort: destinationPort } = this;
    const acknowledgment = flags === packets.SYN ? 0 : this.#theirs;
    this.out((source, destination) =>
      packets.tcp(
        { source, destination },
        { sourcePort, destinationPort, flags, sequence: this.#mine, acknowledgment },
        data,
      ),
    );
  }

  protected isOwn({ protocol, sequence, acknowledgment, tcpFlags: flags }: packets.Read): boolean {
    if (protocol !== packets.TCP || (flags & packets.RST) !== 0) return false;
    return sequence === this.#mine && ((flags & packets.SYN) !== 0 || acknowledgment === this.#theirs);
  }

  atServer(read: packets.Read): void {
    const { sourcePort, sequence, acknowledgment, tcpFlags: flags, data } = read;
    if (!this.isOwn(read)) return;
    this.seen(sourcePort);
    const isSyn = (flags & packets.SYN) !== 0;
    if (!isSyn && data.length === 0) return;
    const header = {
      sourcePort: this.serverPort,
      destinationPort: sourcePort,
      flags: packets.ACK | (isSyn ? packets.SYN : packets.PSH),
      sequence: isSyn ? this.#firstOfServer : acknowledgment,
      acknowledgment: (sequence + (isSyn ? 1 : data.length)) | 0,
    };
    const answer = isSyn ? new Uint8Array() : packets.payload(MESSAGE_BYTES);
    this.world.bench.wan.send(packets.tcp({ source: SERVER, destination: OUTSIDE }, header, answer));
  }

  atHost({ sequence, acknowledgment, tcpFlags: flags, data }: packets.Read): void {
    const isSyn = (flags & packets.SYN) !== 0;
    const sent = this.#isOpen ? MESSAGE_BYTES : 1;
    // As a host does: only what answers the last segment, to the byte.
    if (acknowledgment !== ((this.#mine + sent) | 0) || sequence !== this.#theirs) return;
    if ((flags & packets.RST) !== 0 || isSyn === this.#isOpen) return;
    this.#mine = acknowledgment;
    this.#theirs = (sequence + (isSyn ? 1 : data.length)) | 0;
    this.#isOpen = true;
    this.#segment(packets.ACK, new Uint8Array());
    this.answered();
  }
}

/** A host's queries to the router: each is for a new name, and must be answered in the end. */
class Resolver extends Session {
  protected isOwn(): boolean {
    return false;
  }

  protected speak(): void {
    const label = `n${this.messages}`;
    const id = this.messages & 0xffff;
    const query = packets.concat(
      [id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, label.length],
      Buffer.from(label),
      [4, ...Buffer.from('good'), 7, ...Buffer.from('example'), 0, 0, 1, 0, 1],
    );
    const ip = { source: this.host, destination: ROUTER };
    this.world.bench.lan.send(packets.udp(ip, this.hostPort, this.serverPort, query));
  }

  atServer(): void {}

  atHost({ data }: packets.Read): void {
    if (packets.get16(data, 0) === (this.messages & 0xffff) && ((data[3] ?? 2) & 15) === 0) this.answered();
  }
}

/** The DNS server outside: one address for each name. */
function answerName(bench: Bench, { sourcePort, data }: packets.Read): void {
  if (data.length < 17 || packets.get16(data, 4) !== 1) return;
  let end = 12;
  while (end < data.length && data[end] !== 0) end += 1 + (data[end] as number);
  const answer = packets.concat(
    data.slice(0, end + 5),
    [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1],
  );
  answer.set([0x81, 0x80], 2);
  answer.set([0, 1, 0, 0, 0, 0], 6);
  bench.wan.send(packets.udp({ source: SERVER, destination: OUTSIDE }, 53, sourcePort, answer));
}

function createSessions(world: World): Session[] {
  const all: Session[] = [];
  for (let i = 0; i < HOSTS; i++) {
    const host = `192.168.0.${FIRST_HOST + i}`;
    for (let k = 0; k < TCP_A_HOST; k++)
      all.push(new TcpSession(world, host, 20000 + 100 * i + k, 8000 + 100 * i + k));
    all.push(new UdpSession(world, host, 30000 + i, 10000 + i));
    all.push(new Resolver(world, host, 40000 + i, 53));
  }
  return all;
}

function connect(bench: Bench, sessions: readonly Session[]): void {
  const byServerPort = new Map(sessions.map(s => [s.serverPort, s]));
  const byHost = new Map(sessions.map(s => [`${s.host}:${s.hostPort}`, s]));
  bench.wan.onFrame = frame => {
    const read = packets.read(frame.slice(14));
    if (read.destination !== SERVER) return;
    if (read.protocol === packets.UDP && read.destinationPort === 53) answerName(bench, read);
    else byServerPort.get(read.destinationPort)?.atServer(read);
  };
  bench.lan.onFrame = frame => {
    const read = packets.read(frame.slice(14));
    const session = byHost.get(`${read.destination}:${read.destinationPort}`);
    if (session !== undefined && read.sourcePort === session.serverPort) session.atHost(read);
  };
}

/** Seconds by the machine's real-time clock, which runs by its instructions as everything does. */
async function rtcSeconds(bench: Bench): Promise<number> {
  const now = (await bench.machine.monitor('qom-get', { path: '/machine', property: 'rtc-time' })) as Record<
    string,
    number
  >;
  return (
    Date.UTC(
      1900 + (now['tm_year'] as number),
      now['tm_mon'] as number,
      now['tm_mday'],
      now['tm_hour'],
      now['tm_min'],
      now['tm_sec'],
    ) / 1000
  );
}

/** Control's free heap, KiB, and packet buffers that are held. */
async function memoryOf(bench: Bench): Promise<{ heap: number; held: number }> {
  const text = await bench.machine.console.command('show memory', 600);
  const [, buffers, free] = /packet buffers +(\d+), (\d+) free/.exec(text) ?? [];
  return { heap: Number(/, (\d+) KiB free/.exec(text)?.[1]), held: Number(buffers) - Number(free) };
}

/** One bad frame. An empty one is left out: QEMU takes an empty datagram for the end of the wire. */
function send(station: Station, campaign: Campaign | undefined, random: Random): number {
  const frame = campaign?.make(random, station.router) ?? new Uint8Array();
  if (frame.length === 0) return 0;
  station.sendFrame(frame);
  return 1;
}

interface Sides {
  readonly lan: readonly Campaign[];
  readonly wan: readonly Campaign[];
}

/** Lets the time pass until a tick; `hostile` has the campaigns, or nothing. Answers how many bad frames were sent. */
async function pass(
  world: World,
  sessions: readonly Session[],
  until: number,
  hostile: Sides | undefined,
): Promise<number> {
  const { bench, random } = world;
  let sent = 0;
  let over = world.tick;
  let lan: Campaign | undefined;
  let wan: Campaign | undefined;
  let seen = -1;
  while (world.tick < until) {
    world.tick = await planeWord(bench.machine, NOW_AT);
    for (const session of sessions) session.look();
    if (hostile !== undefined) {
      if (world.tick >= over) {
        over = world.tick + CAMPAIGN_SECONDS * TICKS_PER_SECOND;
        lan = hostile.lan[random.below(hostile.lan.length)];
        wan = hostile.wan[random.below(hostile.wan.length)];
        world.trouble = `${lan?.name} and ${wan?.name} since ${world.tick}`;
      }
      // A machine that is busy for long has no new tick to show: it gets no more until it has.
      if (world.tick !== seen) {
        for (let i = 0; i < BURST; i++) {
          sent += send(bench.lan, lan, random) + send(bench.wan, wan, random);
        }
      }
      seen = world.tick;
    }
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  return sent;
}

/** The section's table; throws if something of the good hosts was lost. */
export async function hour(): Promise<void> {
  const addresses = Array.from({ length: HOSTS }, (_, i) => `192.168.0.${FIRST_HOST + i}`);
  const bench = await start('isapc', true, { hosts: addresses, extra: ['-rtc', 'base=2026-01-01,clock=vm'] });
  const { machine } = bench;
  try {
    await machine.console.command(`set dns server ${SERVER}`);
    const world: World = {
      bench,
      random: createRandom(runSeed()),
      tick: await planeWord(machine, NOW_AT),
      trouble: 'nothing',
    };
    const sessions = createSessions(world);
    connect(bench, sessions);
    const known = sessions.filter(s => !(s instanceof Resolver));
    const hostile: Sides = { lan: lanCampaigns(), wan: wanCampaigns(known) };
    const end = (seconds: number): number => world.tick + seconds * TICKS_PER_SECOND;
    await pass(world, sessions, end(2 * TALK_SECONDS), undefined);
    const from = { ...(await reading(machine)), rtc: await rtcSeconds(bench) };
    let frames = await pass(world, sessions, end(WARM_SECONDS), hostile);
    const memoryBefore = await memoryOf(bench);
    frames += await pass(world, sessions, end(HOUR_SECONDS - WARM_SECONDS), hostile);
    await pass(world, sessions, end(3 * TALK_SECONDS), undefined);
    const to = { ...(await reading(machine)), rtc: await rtcSeconds(bench) };
    const memoryAfter = await memoryOf(bench);
    const counters = await machine.console.command('show counters', 600);
    const version = await machine.console.command('show version', 600);
    const { load, seconds } = spent(from, to);
    const drift = seconds - (to.rtc - from.rtc);
    const lost = sessions.filter(s => s.fault !== '');
    const sum = (of: (s: Session) => number): number => sessions.reduce((all, s) => all + of(s), 0);
    console.log(
      `\n| an hour of bad neighbours | |\n| --- | ---: |\n| seed | ${runSeed()} |\n` +
        `| time, load | ${seconds} s, ${(load * 100).toFixed(0)} % |\n| bad frames | ${frames} |\n` +
        `| sessions lost | ${lost.length} of ${sessions.length} |\n` +
        `| messages, said again | ${sum(s => s.messages)}, ${sum(s => s.retries)} |\n` +
        `| clock, against the RTC's | ${drift.toFixed(0)} s |\n` +
        `| control's heap free, before and after | ${memoryBefore.heap}, ${memoryAfter.heap} KiB |\n` +
        `| packet buffers held | ${memoryAfter.held} |\n` +
        `| chips started anew (QEMU's write over a full ring: hal/nic/dp8390.ts) | ${/card-reset +(\d+)/.exec(counters)?.[1] ?? 0} |`,
    );
    if (lost.length > 0) console.log(counters);
    for (const s of lost) console.log(`${s.host}:${s.hostPort} to ${s.serverPort}: ${s.fault}`);
    console.log(version);
    if (lost.length > 0) throw new Error(`${lost.length} sessions were lost`);
    if (Math.abs(drift) > 1.5) throw new Error(`the clock is ${drift} s off`);
    if (!(memoryAfter.heap >= memoryBefore.heap - HEAP_KIB))
      throw new Error(`the heap has ${memoryBefore.heap - memoryAfter.heap} KiB less`);
    if (!(memoryAfter.held <= HELD_MOST)) throw new Error(`${memoryAfter.held} packet buffers are held`);
    if (WORDS_OF_TROUBLE.test(version)) throw new Error('control was restarted');
  } finally {
    await bench.stop();
  }
}
