// The sim board with DNS clients on its LAN and servers on its WAN, in virtual time and in this process: what a
// test needs to see each datagram and to answer it, or not. Not here: real clients and servers (dns.test.ts).

import { setImmediate } from 'node:timers/promises';
import dns from 'dns-packet';
import { createSimBoard, type SimBoard } from '../board/sim/board.ts';
import { MORE, plainOutput } from '../src/control/core/console/screen.ts';
import * as packets from './packets.ts';

const LAN_MAC = '02:00:00:00:01:00';
const WAN_MAC = '02:00:00:00:02:00';
export const ROUTER = '192.168.0.1';
export const OUTSIDE = '203.0.113.2';
const GATEWAY = '203.0.113.1';
export const SERVER = '203.0.113.53';
export const SECOND = '203.0.113.54';
export const HOST = '192.168.0.10';
export const RA = 0x0080;
export const RD = 0x0100;

const PROBES = ['known.example', '.', ''];

/** A datagram to port 53 on the WAN. */
export interface Asked {
  server: string;
  port: number;
  data: Uint8Array;
  message: dns.DecodedPacket;
}

/** A datagram that a LAN host got from the router's port 53. */
export interface Told {
  host: string;
  port: number;
  data: Uint8Array;
  message: dns.DecodedPacket;
}

export function query(name: string, options: Partial<dns.Packet> = {}, type = 'A'): Uint8Array {
  const questions = [{ name, type: type as dns.RecordType, class: 'IN' as const }];
  return Uint8Array.from(dns.encode({ type: 'query', id: 1, flags: RD, questions, ...options }));
}

export function opt(udpPayloadSize: number, options: object[] = [], flags = 0): dns.Answer {
  const fields = { type: 'OPT', name: '.', extendedRcode: 0, ednsVersion: 0 };
  return { ...fields, udpPayloadSize, flags, flag_do: flags !== 0, options } as unknown as dns.Answer;
}

export function record(name: string, data: string, ttl = 300, type = 'A'): dns.Answer {
  return { type, name, ttl, data } as dns.Answer;
}

/** The answer of a server to what it was asked. */
export function answerTo(asked: Asked, answers: dns.Answer[], options: Partial<dns.Packet> = {}): Uint8Array {
  const { id, questions = [] } = asked.message;
  const flags = RD | RA | (options.flags ?? 0);
  return Uint8Array.from(
    dns.encode({
      type: 'response',
      ...(id === undefined ? {} : { id }),
      questions,
      answers,
      ...options,
      flags,
    }),
  );
}

export class DnsLab {
  readonly asked: Asked[] = [];
  /** What the router asked to learn whether a server is there: what it has answered before, or the root. */
  readonly probes: Asked[] = [];
  readonly told: Told[] = [];
  /** Frames by the WAN card other than ARP and queries. */
  readonly other: Uint8Array[] = [];
  /** What servers answer at once; without it, or where it answers nothing, the test does. */
  answerer: (asked: Asked) => Uint8Array | undefined = () => undefined;
  private board!: SimBoard;
  private readonly queue: [number, Uint8Array][] = [];
  /** Of hosts that are not at the lab's own. */
  private readonly stations = new Map<string, string>();
  private text = '';
  private isReady = false;
  private routers = ['ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff'];

  static async create(...lines: string[]): Promise<DnsLab> {
    const lab = new DnsLab();
    lab.board = await createSimBoard({
      onFrame: (card, frame) => lab.frame(card, frame),
      onOutput: text => {
        lab.text += text;
      },
    });
    lab.settle();
    const setUp = [`set wan address ${OUTSIDE}/24`, `set wan gateway ${GATEWAY}`];
    for (const line of [...setUp, `set dns server ${SERVER}`, ...lines]) lab.command(line);
    // The cards' neighbours are known from here on.
    lab.ask(query('known.example'));
    lab.wait(10);
    const asked = lab.takeAsked();
    lab.reply(asked, answerTo(asked, []));
    lab.takeTold();
    lab.isReady = true;
    await setImmediate();
    return lab;
  }

  /** Types a line; what is printed meanwhile. */
  command(line: string): string {
    this.text = '';
    this.board.type(`${line}\r`);
    this.settle();
    if (MORE.test(this.text)) this.board.type('a');
    for (let i = 0; i < 20 && !this.text.endsWith('masqbox> '); i++) this.wait(1);
    return plainOutput(this.text)
      .replace(/^[^\n]*\n/, '')
      .replace(/masqbox> $/, '');
  }

  counts(): Record<string, number> {
    const rows = this.command('show dns').matchAll(/^(\w+) +(\d+) {2}/gm);
    return Object.fromEntries([...rows].map(([, name, value]) => [name!, Number(value)]));
  }

  /** A LAN host sends a datagram to port 53. */
  ask(data: Uint8Array, host = HOST, port = 4000, mac = LAN_MAC): void {
    this.send(0, packets.udp({ source: host, destination: ROUTER, ttl: 64 }, port, 53, data), mac);
  }

  /** ARP hears that a host is at a station; it is the one that answers for that address from here on. */
  introduce(host: string, mac: string): void {
    this.stations.set(host, mac);
    const said = { operation: 1, senderMac: mac, senderAddress: host, targetAddress: ROUTER };
    this.queue.push([0, packets.arpFrame('ff:ff:ff:ff:ff:ff', said)]);
    this.settle();
  }

  /** A server, or somebody else, sends a datagram to the port that the query came from. */
  reply(asked: Asked, data: Uint8Array, server = asked.server, port = 53, to = asked.port): void {
    this.send(1, packets.udp({ source: server, destination: OUTSIDE, ttl: 60 }, port, to, data));
  }

  /** The only datagram that servers got since. */
  takeAsked(): Asked {
    if (this.asked.length !== 1) throw new Error(`${this.asked.length} queries, not 1`);
    return this.asked.shift()!;
  }

  takeTold(): Told {
    if (this.told.length !== 1) throw new Error(`${this.told.length} answers, not 1`);
    return this.told.shift()!;
  }

  /** Asks, answers with these records, and takes what the host gets. */
  exchange(data: Uint8Array, answers: dns.Answer[], options: Partial<dns.Packet> = {}): Told {
    this.ask(data);
    const asked = this.takeAsked();
    this.reply(asked, answerTo(asked, answers, options));
    return this.takeTold();
  }

  wait(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.board.advance(1);
      this.settle();
    }
  }

  sendFrame(card: number, datagram: Uint8Array): void {
    this.send(card, datagram);
  }

  private send(card: number, datagram: Uint8Array, from = [LAN_MAC, WAN_MAC][card]!): void {
    this.queue.push([card, packets.frame(this.routers[card]!, from, datagram)]);
    this.settle();
    this.wait(1); // between two ticks the plane takes a bounded number of frames
  }

  private settle(): void {
    this.board.run();
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.board.receive(...next);
      this.board.run();
    }
  }

  private frame(card: number, frame: Uint8Array): void {
    this.routers[card] = packets.stationOf(frame);
    if (packets.isArp(frame)) this.arp(card, frame);
    else this.datagram(card, packets.datagramIn(frame));
  }

  /** Everybody but the router's own probes gets an answer: all addresses are this station's. */
  private arp(card: number, frame: Uint8Array): void {
    const { isRequest, sender, target } = packets.arpIn(frame);
    if (!isRequest || sender === target || sender === '0.0.0.0') return;
    const own = this.stations.get(target) ?? [LAN_MAC, WAN_MAC][card]!;
    this.queue.push([card, packets.arpAnswer(frame, own)]);
  }

  private datagram(card: number, datagram: Uint8Array): void {
    const { protocol, source, destination, sourcePort, destinationPort, data } = packets.read(datagram);
    const message = (): dns.DecodedPacket => {
      try {
        return dns.decode(Buffer.from(data));
      } catch {
        return { type: 'query' } as dns.DecodedPacket; // nothing that dns-packet can read
      }
    };
    if (protocol !== packets.UDP) this.other.push(datagram);
    else if (card === 1 && destinationPort === 53) {
      const asked = { server: destination, port: sourcePort, data, message: message() };
      const name = asked.message.questions?.[0]?.name.toLowerCase() ?? 'none';
      (this.isReady && PROBES.includes(name) ? this.probes : this.asked).push(asked);
      const answer = this.answerer(asked);
      if (answer === undefined) return;
      const ends = { source: destination, destination: source, ttl: 60 };
      const reply = packets.udp(ends, 53, sourcePort, answer);
      this.queue.push([1, packets.frame(this.routers[1]!, WAN_MAC, reply)]);
    } else if (card === 0 && sourcePort === 53 && source === ROUTER)
      this.told.push({ host: destination, port: destinationPort, data, message: message() });
    else this.other.push(datagram);
  }
}
