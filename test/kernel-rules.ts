// Our rules against the kernel's: both are given the same rule set and the same packets, and each must pass, translate, refuse and count
// as the other does. Not here: what is given (test/rule-cases.ts), the kernel (test/harness/kernel-router.ts).

import * as counters from '../src/base/counters.ts';
import { puti32 } from '../src/base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../src/base/packet.ts';
import { SOCKET_CLIENT } from '../src/base/socket-record.ts';
import { rulesLab } from '../src/control/rules/rules-lab.ts';
import { type Random, seeded } from '../tools/harness/random.ts';
import type { KernelRouter, Sent } from './harness/kernel-router.ts';
import * as packets from './packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER_MAC,
  OWN_PORTS,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from './plane-router.ts';
import { HOST_PORTS, HOSTS, RANGE, type RuleSet, ruleSet, SERVER_PORTS, SERVERS } from './rule-cases.ts';

const TABLES = ['mangle', 'nat', 'filter'];
/** Ticks between two packets: what a router sends of its own is limited by time. */
const TICKS = 10;
const MSS = 1460;
/** What a SYN says beside its numbers, by the bytes that the packet would have else; without these its segment size. */
const SYN_OPTIONS: Record<number, number[]> = {
  1: [],
  20: [1, 3, 3, 2, 4, 2, 1, 1],
  33: Array(40).fill(1),
  60: [1, 1, ...packets.mssOption(MSS), 1, 1],
};
/** Sequence numbers of who begins and who answers. */
const BEGINS = 1000;
const ANSWERS = 5000;

type Protocol = 'tcp' | 'udp' | 'icmp';
type Judge = 'ours' | 'kernel';
const JUDGES: readonly Judge[] = ['ours', 'kernel'];

/** In the place of a card: the router itself sends, and what is given is no frame, but the datagram. */
const OWN = -1;

/** A conversation, begun inside by a host, outside with a port that is forwarded, or by the router. */
interface Flow {
  /** The card by which its first packet comes, or OWN. */
  from: number;
  protocol: Protocol;
  source: string;
  sourcePort: number;
  destination: string;
  port: number;
  /** Its newest datagram as it left each router, and by which card: what is answered. */
  left: Partial<Record<Judge, Sent>>;
  /** Of TCP: an answer came, and was acknowledged. */
  isHeard: boolean;
  isOpen: boolean;
  /**
   * An answer was refused, or what the router would have answered: the kernel takes the flow for established all the same, and ours does not,
   * so nobody speaks of it any more.
   */
  isOver: boolean;
}

/** What a side sends, as a frame for each router: addresses and ports of an answer are what that router has made of them. */
type Frames = Record<Judge, { index: number; frame: Uint8Array }>;

/** Whatever of a flow's packets differ from each other. */
interface Look {
  id: number;
  tos: number;
  ttl: number;
  bytes: number;
}

function sent(index: number, source: string, datagram: Uint8Array): { index: number; frame: Uint8Array } {
  if (index === OWN) return { index, frame: datagram };
  if (index === WAN) return { index, frame: packets.frame(WAN_MAC, GATEWAY_MAC, datagram) };
  return { index, frame: packets.frame(LAN_MAC, source === HOST ? HOST_MAC : OTHER_MAC, datagram) };
}

/** The packet that the flow's beginner sends next. */
function next(flow: Flow, look: Look): Uint8Array {
  const { source, destination, sourcePort, port } = flow;
  const ip = { source, destination, id: look.id, tos: look.tos, ttl: look.ttl };
  const data = packets.payload(look.bytes);
  if (flow.protocol === 'udp') return packets.udp(ip, sourcePort, port, data);
  if (flow.protocol === 'icmp') return packets.echo(ip, 8, sourcePort, 1, data);
  const ports = { sourcePort, destinationPort: port };
  if (!flow.isHeard) {
    const options = SYN_OPTIONS[look.bytes] ?? packets.mssOption(MSS);
    return packets.tcp(ip, { ...ports, sequence: BEGINS, flags: packets.SYN, options });
  }
  const numbers = { sequence: BEGINS + 1, acknowledgment: ANSWERS + 1 };
  if (!flow.isOpen) return packets.tcp(ip, { ...ports, ...numbers, flags: packets.ACK });
  return packets.tcp(ip, { ...ports, ...numbers, flags: packets.ACK | packets.PSH }, data);
}

/** What answers a datagram: the same protocol the other way, or an ICMP error about it. */
function answer(flow: Flow, asked: Uint8Array, look: Look, isError: boolean): Uint8Array {
  const { source, destination, sourcePort, destinationPort, identifier } = packets.read(asked);
  const ip = { source: destination, destination: source, id: look.id, tos: look.tos, ttl: look.ttl };
  const data = packets.payload(look.bytes, 1);
  if (isError) return packets.icmpError(ip, 3, 3, asked);
  if (flow.protocol === 'udp') return packets.udp(ip, destinationPort, sourcePort, data);
  if (flow.protocol === 'icmp') return packets.echo(ip, 0, identifier, 1, data);
  const ports = { sourcePort: destinationPort, destinationPort: sourcePort };
  if (!flow.isOpen) {
    const numbers = { sequence: ANSWERS, acknowledgment: BEGINS + 1 };
    return packets.tcp(ip, { ...ports, ...numbers, flags: packets.SYN | packets.ACK });
  }
  const numbers = { sequence: ANSWERS + 1, acknowledgment: BEGINS + 1 };
  return packets.tcp(ip, { ...ports, ...numbers, flags: packets.ACK }, data);
}

/**
 * A frame that left, in words that are the same of both routers: each takes its own outside port of a masqueraded flow, by `ranged` protocols one of RANGE
 * as the rules say.
 */
function inWords({ index, frame }: Sent, ranged: readonly number[]): string {
  const datagram = index === OWN ? frame : packets.datagramIn(frame);
  const read = packets.read(datagram);
  const { source, destination, protocol, tcpFlags, ttl, data } = read;
  const way = `${index === OWN ? 'router' : index === LAN ? 'lan' : 'wan'} ${source}>${destination}`;
  const mapped = source === WAN_ADDRESS || source === LAN_ADDRESS || source === '172.16.0.9';
  // A port that is drawn from all may be one of the range by chance.
  const isRanged = (port: number): boolean =>
    ranged.includes(protocol) && port >= RANGE[0] && port <= RANGE[1];
  const portWord = (port: number): string => (!mapped ? String(port) : isRanged(port) ? 'ranged' : '*');
  if (protocol === packets.ICMP) {
    if (read.type !== 0 && read.type !== 8) {
      const isOurs = source === LAN_ADDRESS || source === WAN_ADDRESS;
      const quoted = packets.read(data);
      // What a router says of its own accord quotes as much as it likes, and of a packet as it was or as it left.
      const about = `${quoted.source}:${quoted.sourcePort}>${quoted.destination}:${quoted.destinationPort}`;
      return `${way} icmp ${read.type}/${read.code}${isOurs || index === WAN ? '' : ` about ${about}`}`;
    }
    return `${way} echo ${read.type} ${mapped ? '*' : read.identifier} ttl ${ttl} ${data.length} bytes`;
  }
  const ports = `${portWord(read.sourcePort as number)}>${read.destinationPort}`;
  if (protocol === packets.UDP)
    return `${way} udp ${ports} ttl ${ttl} tos ${datagram[1]} ${data.length} bytes`;
  const numbers = `${read.sequence}/${read.acknowledgment}`;
  if ((tcpFlags & packets.RST) !== 0) return `${way} reset ${ports} ${numbers} flags ${tcpFlags}`;
  const isSyn = (tcpFlags & packets.SYN) !== 0;
  const options = isSyn ? ` options ${datagram.slice(40, read.totalLength)} ${packets.faults(datagram)}` : '';
  return `${way} tcp ${ports} ${numbers} flags ${tcpFlags} ttl ${ttl} tos ${datagram[1]} ${read.totalLength} bytes${options}`;
}

/**
 * The lines that both must have. The kernel counts for a table's policies as soon as it is loaded, we while a built-in chain of it has a rule
 * or a policy of its own; nat's policies count with us where there are rules to ask. Its rules are not asked again about a flow that a rule of
 * PREROUTING has led elsewhere and that another has refused, nor about the router's own resets: then they are `isUncounted`.
 */
function comparable(table: string, lines: readonly string[], isUncounted: boolean): string[] {
  const said = lines.filter(line => !line.startsWith('#'));
  const isSet = said.some(line => /^\[.* -A [A-Z]/.test(line) || / DROP /.test(line));
  if (table === 'nat' && isUncounted) return said.map(line => line.replace(/\[\d+:\d+\]/, ''));
  return table === 'nat' || !isSet ? said.map(line => line.replace(/^(:.*) \[.*/, '$1')) : said;
}

class Play {
  private readonly lab = rulesLab();
  private readonly flows: Flow[] = [];
  private id = 1;
  /** Of the last packet: a range of ports is used up, or something else that is said and counted by one of both alone. */
  private isApart = false;
  /** What our sockets have heard of the last packet. */
  private readonly heard: string[] = [];
  /** What was sent, for who looks for the cause of a difference. */
  readonly told: string[] = [];
  /** Protocols whose outside ports a rule says. */
  private readonly ranged: readonly number[];

  constructor(
    private readonly random: Random,
    private readonly kernel: KernelRouter,
    private readonly set: RuleSet,
  ) {
    const isSaid = (protocol: string): boolean =>
      set.lines.some(line => line.includes(`-p ${protocol} `) && /(:|--to-ports )6000/.test(line));
    this.ranged = [...(isSaid('tcp') ? [packets.TCP] : []), ...(isSaid('udp') ? [packets.UDP] : [])];
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)] as T;
  }

  private look(): Look {
    return {
      id: this.id++,
      tos: this.pick([0, 0, 0x10, 0x08]),
      ttl: this.pick([64, 64, 65, 6, 5]),
      bytes: this.pick([0, 1, 20, 33, 60]),
    };
  }

  /** Another conversation, or one that has the same ends. */
  private begin(): Flow {
    const { random, set } = this;
    const rest = { left: {}, isHeard: false, isOpen: false, isOver: false };
    const server = this.pick(SERVERS);
    if (set.forwarded.length > 0 && random.chance(0.3)) {
      const { protocol, port } = this.pick(set.forwarded);
      const sourcePort = this.pick([4000, 4001]);
      return this.known({
        ...{ from: WAN, protocol, source: server, sourcePort, destination: WAN_ADDRESS, port },
        ...rest,
      });
    }
    if (random.chance(0.2)) {
      const isInside = random.chance(0.3);
      const destination = isInside ? this.pick(HOSTS) : server;
      const port = this.pick(SERVER_PORTS);
      const place =
        [...HOSTS, ...SERVERS].indexOf(destination) * SERVER_PORTS.length + SERVER_PORTS.indexOf(port);
      return this.known({
        from: OWN,
        protocol: this.pick(['udp', 'udp', 'icmp'] as const),
        source: isInside ? LAN_ADDRESS : WAN_ADDRESS,
        sourcePort: OWN_PORTS[place] as number,
        destination,
        port,
        ...rest,
      });
    }
    const toUs = random.chance(0.15);
    const host = random.below(HOSTS.length);
    return this.known({
      from: LAN,
      protocol: toUs ? 'icmp' : this.pick(['tcp', 'tcp', 'udp', 'udp', 'icmp'] as const),
      source: HOSTS[host] as string,
      sourcePort: this.pick(HOST_PORTS[host] as readonly number[]),
      destination: toUs ? LAN_ADDRESS : server,
      port: this.pick(SERVER_PORTS),
      ...rest,
    });
  }

  private known(flow: Flow): Flow {
    const key = (one: Flow): string =>
      [
        one.protocol,
        one.source,
        one.sourcePort,
        one.destination,
        one.protocol === 'icmp' ? 0 : one.port,
      ].join();
    const there = this.flows.find(other => key(other) === key(flow));
    if (there !== undefined) return there;
    this.flows.push(flow);
    return flow;
  }

  private ours(index: number, frame: Uint8Array): Sent[] {
    const { router } = this.lab;
    if (index === OWN) this.sendOwn(frame);
    else router.put(index, frame);
    for (let heard = router.punted(); heard !== undefined; heard = router.punted()) this.hear(heard);
    const all = [LAN, WAN].flatMap(card => router.taken(card).map(out => ({ index: card, frame: out })));
    this.lab.ticks(TICKS);
    return all.filter(({ frame: out }) => packets.isIpv4(out));
  }

  private sendOwn(datagram: Uint8Array): void {
    const { memory, router } = this.lab;
    const packet = router.plane.allocateForControl();
    memory.set(datagram, packet + PACKET_IP);
    puti32(packet + PACKET_LENGTH, datagram.length);
    router.plane.localSend(packet);
  }

  /** As test/harness/own-sockets.ts says it. */
  private hear(datagram: Uint8Array): void {
    const { protocol, source, sourcePort, destinationPort, identifier, type, data } = packets.read(datagram);
    if (protocol === packets.UDP)
      this.heard.push(`udp ${source}:${sourcePort}>${destinationPort} ${data.length} bytes`);
    if (protocol === packets.ICMP && type === 0) this.heard.push(`echo ${source} ${identifier}`);
  }

  /** All reasons' counts of dropped packets. */
  private drops(): number[] {
    return Object.values(counters).map(index =>
      typeof index === 'number' ? this.lab.router.counter(index) : 0,
    );
  }

  /** The reasons whose count has grown. */
  private dropsSaid(before: readonly number[]): string {
    const now = this.drops();
    return (
      Object.keys(counters)
        .filter((_, i) => now[i] !== before[i])
        .join(', ') || 'nothing counted'
    );
  }

  /** Gives both routers their frame; answers what differs, and what left each. */
  private give(frames: Frames): { difference: string; isHeard: boolean; left: Record<Judge, Sent[]> } {
    const drops = this.drops();
    const { index, frame } = frames.kernel;
    this.heard.length = 0;
    const left = {
      ours: this.ours(frames.ours.index, frames.ours.frame),
      kernel: index === OWN ? this.kernel.sendOwn(frame) : this.kernel.send(index, frame),
    };
    const heard = { ours: this.heard, kernel: this.kernel.heard() };
    const [ours, theirs] = JUDGES.map(
      judge =>
        [
          ...left[judge].map(out => inWords(out, this.ranged)).sort(),
          ...heard[judge].map(text => `heard ${text}`),
        ].join(', ') || 'nothing',
    );
    this.told.push(`${inWords(frames.kernel, this.ranged)} -> ${theirs}`);
    // Whom no port is left for is told so; the kernel says nothing.
    const [before, now] = [drops, this.drops()].map(
      all => all[Object.keys(counters).indexOf('DROP_NO_PORT')],
    );
    this.isApart = before !== now && theirs === 'nothing';
    return {
      difference: ours === theirs || this.isApart ? '' : `ours sends ${ours} (${this.dropsSaid(drops)})`,
      isHeard: heard.kernel.length > 0,
      left,
    };
  }

  /** One packet; answers what differs. */
  private packet(): string {
    const { random } = this;
    const flow = this.flows.length > 0 && random.chance(0.7) ? this.pick(this.flows) : this.begin();
    const { ours, kernel } = flow.left;
    if (flow.isOver) return '';
    const look = this.look();
    const { from } = flow;
    if (ours !== undefined && kernel !== undefined && random.chance(0.5)) {
      const isError = random.chance(0.1);
      const made = (asked: Sent): Frames[Judge] => {
        const datagram = answer(flow, packets.datagramIn(asked.frame), look, isError);
        return sent(asked.index, packets.read(datagram).source, datagram);
      };
      const { difference, isHeard, left } = this.give({ ours: made(ours), kernel: made(kernel) });
      const isThrough = from === OWN ? isHeard : left.kernel.some(({ index }) => index === from);
      if (!isError && isThrough) flow.isHeard = true;
      flow.isOver = !isError && !isThrough;
      return difference;
    }
    const made = sent(from, flow.source, next(flow, look));
    const { difference, left } = this.give({ ours: made, kernel: made });
    for (const judge of JUDGES) {
      const through = left[judge].find(({ index }) => index !== from);
      if (through !== undefined) flow.left[judge] = through;
    }
    // The kernel tells itself of what it rejects of its own.
    if (from === OWN && left.kernel.length === 0 && this.set.lines.some(line => line.includes('REJECT')))
      this.isApart = true;
    flow.isOver = flow.destination === LAN_ADDRESS && left.kernel.length === 0;
    if (flow.isHeard && left.kernel.some(({ index }) => index !== from)) flow.isOpen = true;
    return difference;
  }

  /** Plays so many packets; answers the first difference, of a packet or of the counts at the end. */
  async run(count: number): Promise<string> {
    const said = this.lab.restore('', this.set.lines);
    if (said.some(line => !line.startsWith("The LAN's "))) return `ours says ${said.join(' / ')}`;
    await this.kernel.restore(this.set.lines);
    for (const port of OWN_PORTS)
      for (const protocol of [packets.UDP, packets.ICMP])
        this.lab.router.plane.socketOpen(protocol, port, SOCKET_CLIENT);
    for (let i = 0; i < count; i++) {
      const difference = this.packet();
      if (difference !== '') return difference;
      // What is said of it is in the counts from here on; nat is not asked about that.
      if (this.isApart) break;
    }
    const isUncounted = this.set.lines.some(line => /-i lan .*-j DNAT|tcp-reset/.test(line));
    for (const table of this.isApart ? ['nat'] : TABLES) {
      const theirs = comparable(table, await this.kernel.save(table), isUncounted);
      const ours = comparable(table, this.lab.type(`iptables-save -c -t ${table}`), isUncounted);
      const only = (lines: string[], others: string[]): string =>
        lines.filter(line => !others.includes(line)).join('\n');
      if (ours.join() !== theirs.join())
        return `${table}: the kernel counts\n${only(theirs, ours)}\nours\n${only(ours, theirs)}`;
    }
    return '';
  }
}

/** Plays a rule set of its own for a seed; answers '' or what differs, with the rules and the packets. */
export async function compareRules(kernel: KernelRouter, seed: number, count: number): Promise<string> {
  const random = seeded(seed);
  const set = ruleSet(random, seed);
  const play = new Play(random, kernel, set);
  const difference = await play.run(count);
  if (difference === '') return '';
  return [`seed ${seed}: ${difference}`, ...play.told.slice(-12), ...set.lines].join('\n');
}
