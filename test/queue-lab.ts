// A slow line in virtual time: a router of plane-router.ts, hosts behind it that upload, download, ping, type and ask for names, and
// beyond its WAN a modem with one FIFO at the line's rate. Measured are round trips of what people wait for, beside the others.
//
//    hosts -- LAN [router] WAN -- modem: FIFO, rate, delay -- server
//                                 the provider's: the same
//
// A router with queues is told the line's rate, and so keeps the modem's FIFO empty; one without lets it fill. Times are milliseconds; what
// hosts do is done by the tick.

import type { Build } from '../tools/builds.ts';
import {
  ACK,
  arpAnswer,
  arpIn,
  datagramIn,
  echo,
  frame,
  ICMP,
  isArp,
  isIpv4,
  payload,
  read,
  SYN,
  TCP,
  tcp,
  UDP,
  udp,
} from './packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  LAN,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from './plane-router.ts';

export interface LineOptions {
  rate: number;
  mtu?: number;
  /** Queues in the router; else one FIFO, the modem's. */
  queues?: 'flow' | 'host' | undefined;
  /** Connections that upload, and that download, as much as they can. */
  uploads?: number;
  downloads?: number;
  /** Who pings, types and asks: another host than who loads the line, or the same. */
  prober?: string;
  seconds?: number;
}

export interface Measured {
  /** Round trips in ms, sorted. */
  ping: number[];
  key: number[];
  name: number[];
  /** Bytes a second that arrived, of all connections each way. */
  up: number;
  down: number;
  /** Buffers that somebody held at most, and holds at the end, when all is sent. */
  most: number;
  left: number;
}

const TICK = 10;
/** What a modem holds: as many packets as the router's FIFO does for a card. */
const MODEM_PACKETS = 32;
/** A modem's own delay and the way to the server, one way. */
const WAY = 60;
const WINDOW = 32 * 1024;
const HEADERS = 40;

/** One direction of the line: a FIFO, sent at a rate. */
class Line {
  private free = 0;
  private readonly leaving: number[] = [];

  constructor(private readonly rate: number) {}

  /** When the last bit of a datagram arrives, or undefined if the FIFO was full. */
  arrival(now: number, bytes: number): number | undefined {
    while (this.leaving.length > 0 && (this.leaving[0] as number) <= now) this.leaving.shift();
    if (this.leaving.length > MODEM_PACKETS) return undefined;
    this.free = Math.max(now, this.free) + (bytes * 8000) / this.rate;
    this.leaving.push(this.free);
    return this.free + WAY;
  }
}

/** Reno without options: slow start, congestion avoidance, fast retransmit, a timer (RFC 5681, RFC 6298). */
export class Sender {
  una = 1;
  private next = 1;
  private highest = 1;
  private window: number;
  private threshold = WINDOW;
  private duplicates = 0;
  private recover = 0;
  private timeout = 3000;
  private expires = Number.POSITIVE_INFINITY;
  private smooth = 0;
  private variation = 0;
  private timed: { sequence: number; at: number } | undefined;

  constructor(
    private readonly mss: number,
    private readonly send: (sequence: number, bytes: number) => void,
  ) {
    this.window = 2 * mss;
  }

  run(now: number): void {
    if (now >= this.expires) {
      this.threshold = Math.max((this.next - this.una) / 2, 2 * this.mss);
      this.window = this.mss;
      this.next = this.una;
      this.timeout = Math.min(2 * this.timeout, 60000);
      this.timed = undefined;
      this.duplicates = 0;
      this.expires = now + this.timeout;
    }
    while (this.next + this.mss <= this.una + Math.min(this.window, WINDOW)) {
      if (this.timed === undefined && this.next >= this.highest)
        this.timed = { sequence: this.next, at: now };
      this.send(this.next, this.mss);
      if (this.expires === Number.POSITIVE_INFINITY) this.expires = now + this.timeout;
      this.next += this.mss;
      this.highest = Math.max(this.highest, this.next);
    }
  }

  acknowledged(ack: number, now: number): void {
    if (ack > this.una) {
      if (this.timed !== undefined && ack > this.timed.sequence) {
        this.measured(now - this.timed.at);
        this.timed = undefined;
      }
      if (this.duplicates >= 3) {
        if (ack >= this.recover) {
          this.window = this.threshold;
          this.duplicates = 0;
        } else this.send(ack, this.mss);
      } else {
        this.duplicates = 0;
        this.window += this.window < this.threshold ? this.mss : (this.mss * this.mss) / this.window;
      }
      this.una = ack;
      this.next = Math.max(this.next, ack);
      this.expires = this.next > ack ? now + this.timeout : Number.POSITIVE_INFINITY;
    } else if (ack === this.una && this.next > ack) {
      this.duplicates++;
      if (this.duplicates === 3) {
        this.threshold = Math.max((this.next - this.una) / 2, 2 * this.mss);
        this.recover = this.next;
        this.window = this.threshold + 3 * this.mss;
        this.timed = undefined;
        this.send(ack, this.mss);
      } else if (this.duplicates > 3) this.window += this.mss;
    }
    this.run(now);
  }

  private measured(time: number): void {
    this.variation =
      this.smooth === 0 ? time / 2 : 0.75 * this.variation + 0.25 * Math.abs(this.smooth - time);
    this.smooth = this.smooth === 0 ? time : 0.875 * this.smooth + 0.125 * time;
    this.timeout = Math.max(1000, this.smooth + 4 * this.variation);
  }
}

/** Who gets the data: acknowledges all that is in order, each second segment, and at once what is not. */
export class Receiver {
  next = 1;
  private readonly kept = new Map<number, number>();
  private owed = 0;

  /** Whether an acknowledgment is due. */
  got(sequence: number, bytes: number): boolean {
    if (sequence !== this.next) {
      if (sequence > this.next) this.kept.set(sequence, bytes);
      return true;
    }
    this.next += bytes;
    for (let more = this.kept.get(this.next); more !== undefined; more = this.kept.get(this.next)) {
      this.kept.delete(this.next);
      this.next += more;
      this.owed = 1;
    }
    this.owed = (this.owed + 1) & 1;
    return this.owed === 0;
  }
}

const UP_PORT = 2000;
const DOWN_PORT = 3000;
const KEY_PORT = 4000;
const NAME_PORT = 5000;

class Town {
  now = 0;
  most = 0;
  private readonly router: Router;
  private readonly up: Line;
  private readonly down: Line;
  private readonly events = new Map<number, (() => void)[]>();
  private readonly uploads: { sender: Sender; receiver: Receiver }[] = [];
  private readonly downloads: { sender: Sender; receiver: Receiver }[] = [];
  private readonly sentAt = new Map<string, number>();
  private keys = 1;
  readonly trips: Record<'ping' | 'key' | 'name', number[]> = { ping: [], key: [], name: [] };
  isQuiet = false;

  constructor(
    build: Build,
    private readonly options: LineOptions,
  ) {
    const { rate, mtu = 576, queues, uploads = 0, downloads = 0 } = options;
    this.router = startRouter(build, { wanMtu: mtu });
    this.up = new Line(rate);
    this.down = new Line(rate);
    const { plane } = this.router;
    for (let i = 0; i < uploads; i++) this.connect(HOST, UP_PORT + i, 9);
    for (let i = 0; i < downloads; i++) this.connect(HOST, DOWN_PORT + i, 80);
    this.connect(this.prober, KEY_PORT, 23);
    if (queues !== undefined) {
      plane.queueFair(queues === 'flow' ? 1 : 0);
      plane.queueSet(WAN, rate, 0, 1);
    }
    const mss = mtu - HEADERS;
    for (let i = 0; i < uploads; i++)
      this.uploads.push({
        receiver: new Receiver(),
        sender: new Sender(mss, (sequence, bytes) =>
          this.fromHost(HOST, this.segment(HOST, UP_PORT + i, 9, sequence, 1, payload(bytes))),
        ),
      });
    for (let i = 0; i < downloads; i++)
      this.downloads.push({
        receiver: new Receiver(),
        sender: new Sender(mss, (sequence, bytes) =>
          this.toTown(
            tcp(
              { source: SERVER, destination: WAN_ADDRESS },
              { sourcePort: 80, destinationPort: DOWN_PORT + i, sequence, acknowledgment: 1, window: 60000 },
              payload(bytes),
            ),
          ),
        ),
      });
  }

  get prober(): string {
    return this.options.prober ?? OTHER;
  }

  private segment(
    source: string,
    port: number,
    to: number,
    sequence: number,
    acknowledgment: number,
    data: Uint8Array = new Uint8Array(0),
  ) {
    const ports = { sourcePort: port, destinationPort: to };
    return tcp({ source, destination: SERVER }, { ...ports, sequence, acknowledgment, window: 60000 }, data);
  }

  /** A connection that is there before time begins. */
  private connect(source: string, port: number, to: number): void {
    const ports = { sourcePort: port, destinationPort: to };
    const back = { sourcePort: to, destinationPort: port };
    this.fromHost(
      source,
      tcp({ source, destination: SERVER }, { ...ports, sequence: 0, flags: SYN, window: 60000 }),
    );
    const answer = { sequence: 0, acknowledgment: 1, flags: SYN | ACK, window: 60000 };
    this.router.fromGateway(tcp({ source: SERVER, destination: WAN_ADDRESS }, { ...back, ...answer }));
    this.fromHost(source, this.segment(source, port, to, 1, 1));
    this.router.taken(WAN);
    this.router.taken(LAN);
  }

  private fromHost(host: string, datagram: Uint8Array): void {
    const station = host === OTHER ? OTHER_MAC : HOST_MAC;
    this.router.put(LAN, frame(LAN_MAC, station, datagram));
  }

  private at(time: number, what: () => void): void {
    const tick = Math.max(this.now + TICK, Math.ceil(time / TICK) * TICK);
    const list = this.events.get(tick);
    if (list === undefined) this.events.set(tick, [what]);
    else list.push(what);
  }

  /** From the server by the provider's FIFO. */
  private toTown(datagram: Uint8Array): void {
    const time = this.down.arrival(this.now, datagram.length);
    if (time !== undefined) this.at(time, () => this.router.fromGateway(datagram));
  }

  tick(): void {
    this.now += TICK;
    for (const event of this.events.get(this.now) ?? []) event();
    this.events.delete(this.now);
    if (!this.isQuiet) {
      for (const { sender } of this.uploads) sender.run(this.now);
      for (const { sender } of this.downloads) sender.run(this.now);
      this.probe();
    }
    this.most = Math.max(this.most, this.router.held());
    this.router.ticks(1);
    for (const bytes of this.router.taken(WAN)) {
      if (!isIpv4(bytes)) {
        if (isArp(bytes) && arpIn(bytes).isRequest) this.router.put(WAN, arpAnswer(bytes, GATEWAY_MAC));
        continue;
      }
      const datagram = datagramIn(bytes);
      const time = this.up.arrival(this.now, read(datagram).totalLength);
      if (time !== undefined) this.at(time, () => this.served(datagram));
    }
    for (const bytes of this.router.taken(LAN))
      if (isIpv4(bytes)) this.heard(datagramIn(bytes));
      else if (isArp(bytes) && arpIn(bytes).isRequest)
        this.router.put(LAN, arpAnswer(bytes, arpIn(bytes).target === OTHER ? OTHER_MAC : HOST_MAC));
  }

  /** Every so often somebody waits for something; odd times, so that they meet all phases of the load. */
  private probe(): void {
    const { now, prober } = this;
    if (now < 10000) return;
    if (now % 770 === 0) {
      const number = now / 770;
      this.sentAt.set(`ping ${number & 0xffff}`, now);
      this.fromHost(prober, echo({ source: prober, destination: SERVER }, 8, 77, number & 0xffff));
    }
    if (now % 1130 === 0) {
      this.sentAt.set(`key ${this.keys}`, now);
      this.fromHost(prober, this.segment(prober, KEY_PORT, 23, this.keys, this.keys, payload(1)));
      this.keys++;
    }
    if (now % 1510 === 0) {
      const port = NAME_PORT + now / 1510;
      this.sentAt.set(`name ${port}`, now);
      this.fromHost(prober, udp({ source: prober, destination: SERVER }, port, 53, payload(32)));
    }
  }

  /** The server has got something. */
  private served(datagram: Uint8Array): void {
    const { protocol, sourcePort, destinationPort, sequence, acknowledgment, data, rest, identifier, type } =
      read(datagram);
    const back = { source: SERVER, destination: WAN_ADDRESS };
    if (protocol === ICMP) {
      if (type === 8) this.toTown(echo(back, 0, identifier, rest & 0xffff));
    } else if (protocol === UDP) this.toTown(udp(back, 53, sourcePort, payload(80)));
    else if (protocol === TCP) {
      const ports = { sourcePort: destinationPort, destinationPort: sourcePort };
      const upload = this.uploads[sourcePort - UP_PORT];
      if (destinationPort === 9 && upload !== undefined) {
        if (data.length > 0 && upload.receiver.got(sequence, data.length))
          this.toTown(
            tcp(back, { ...ports, sequence: 1, acknowledgment: upload.receiver.next, window: 60000 }),
          );
      } else if (destinationPort === 80) {
        this.downloads[sourcePort - DOWN_PORT]?.sender.acknowledged(acknowledgment, this.now);
      } else if (destinationPort === 23 && data.length > 0) {
        this.toTown(
          tcp(back, { ...ports, sequence, acknowledgment: sequence + 1, window: 60000 }, payload(1)),
        );
      }
    }
  }

  /** A host has got something. */
  private heard(datagram: Uint8Array): void {
    const { protocol, destinationPort, sourcePort, sequence, acknowledgment, data, rest, type } =
      read(datagram);
    const came = (what: 'ping' | 'key' | 'name', key: string) => {
      const sent = this.sentAt.get(`${what} ${key}`);
      if (sent !== undefined) this.trips[what].push(this.now - sent);
      this.sentAt.delete(`${what} ${key}`);
    };
    if (protocol === ICMP && type === 0) came('ping', `${rest & 0xffff}`);
    else if (protocol === UDP) came('name', `${destinationPort}`);
    else if (protocol === TCP && sourcePort === 23) came('key', `${sequence}`);
    else if (protocol === TCP && sourcePort === 9)
      this.uploads[destinationPort - UP_PORT]?.sender.acknowledged(acknowledgment, this.now);
    else if (protocol === TCP && sourcePort === 80 && data.length > 0) {
      const { receiver } = this.downloads[destinationPort - DOWN_PORT] ?? {};
      if (receiver?.got(sequence, data.length))
        this.fromHost(HOST, this.segment(HOST, destinationPort, 80, 1, receiver.next));
    }
  }

  /** Bytes that have arrived. */
  received(): { up: number; down: number } {
    const sum = (all: { receiver: Receiver }[]) => all.reduce((n, { receiver }) => n + receiver.next - 1, 0);
    return { up: sum(this.uploads), down: sum(this.downloads) };
  }

  held(): number {
    return this.router.held();
  }
}

/** Runs a line. What hosts measure begins after ten seconds, when the load has found its rate. */
export function runLine(build: Build, options: LineOptions): Measured {
  const town = new Town(build, options);
  const seconds = options.seconds ?? 60;
  while (town.now < seconds * 1000) town.tick();
  const { up, down } = town.received();
  town.isQuiet = true;
  // What waits leaves: a FIFO of full packets at 9,600 b/s takes half a minute.
  for (let i = 0; i < 12000 && town.held() > 0; i++) town.tick();
  const sorted = (times: number[]) => times.sort((a, b) => a - b);
  const { ping, key, name } = town.trips;
  return {
    ...{ ping: sorted(ping), key: sorted(key), name: sorted(name) },
    up: Math.round(up / seconds),
    down: Math.round(down / seconds),
    most: town.most,
    left: town.held(),
  };
}

/** The middle and the longest of sorted times. */
export function middle(times: number[]): number {
  return times[times.length >> 1] ?? Number.NaN;
}

export function longest(times: number[]): number {
  return times[times.length - 1] ?? Number.NaN;
}
