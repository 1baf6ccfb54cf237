// The WAN in a laboratory: the real Wan with its DHCP client, UDP and sockets over the JavaScript plane with ring
// cards, and a DHCP server that does what the test says. Frames go in and come out; time jumps from timer to timer,
// so that a year takes seconds.
//
//    LAN 192.168.0.1/24 -- [card 0] plane + control's WAN [card 1] -- server and gateway 203.0.113.1

import { NOW_AT } from '../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../src/base/limits.ts';
import { i32at, puti32 } from '../src/base/memory.ts';
import { frameAt, frameBytes, PACKET_FRAME, setFrame } from '../src/base/packet.ts';
import { LAN_DEFAULT, prefixOf, setLan } from '../src/control/core/addresses.ts';
import { createClock } from '../src/control/core/clock.ts';
import type { Command } from '../src/control/core/console/command.ts';
import type { Context } from '../src/control/core/context.ts';
import { furtherLinks } from '../src/control/core/link-settings.ts';
import { createLog } from '../src/control/core/log.ts';
import type { Machine } from '../src/control/core/machine.ts';
import { UdpSockets } from '../src/control/core/net/udp.ts';
import { createRegistry } from '../src/control/core/registry.ts';
import { createSockets } from '../src/control/core/sockets.ts';
import { createWallClock } from '../src/control/core/wall-clock.ts';
import { DhcpClient } from '../src/control/dhcp/client.ts';
import { createLan } from '../src/control/lan/lan.ts';
import { lanSettings } from '../src/control/lan/settings.ts';
import { Wan } from '../src/control/wan/wan.ts';
import { javascriptBuild } from '../tools/builds.ts';
import { seeded } from '../tools/harness/random.ts';
import {
  address,
  addressText,
  arpAnswer,
  arpIn,
  BROADCAST,
  concat,
  datagramIn,
  frame,
  get16,
  get32,
  isArp,
  isIpv4,
  macText,
  put32,
  read,
  UDP,
  udp,
} from './packets.ts';

export const SERVER = '203.0.113.1';
export const SERVER_MAC = '02:00:00:00:02:01';
export const ADDRESS = '203.0.113.10';
export const WAN_MAC = '02:4d:42:00:00:02';
export const LAN_MAC = '02:4d:42:00:00:01';
const HOST_MAC = '02:00:00:00:00:02';
const LINES = [9, 10];
const NIC_RING = 1;
const LAN = 0;
const WAN = 1;

export const DISCOVER = 1;
export const OFFER = 2;
export const REQUEST = 3;
export const DECLINE = 4;
export const ACK = 5;
export const NAK = 6;
export const RELEASE = 7;
const TYPES = ['', 'DISCOVER', 'OFFER', 'REQUEST', 'DECLINE', 'ACK', 'NAK', 'RELEASE'];

/** A DHCP message of the client, with what carried it. */
export interface Message {
  /** Seconds since the laboratory was opened. */
  at: number;
  type: number;
  name: string;
  toMac: string;
  source: string;
  destination: string;
  bytes: Uint8Array;
  xid: number;
  secs: number;
  flags: number;
  ciaddr: string;
  options: Map<number, Uint8Array>;
}

export interface Answer {
  type: number;
  yiaddr?: string;
  /** '': it names none. */
  server?: string;
  seconds?: number;
  /** Further options, before END; `mask` and `router` are there unless they are given here. */
  options?: number[][];
  /** Neither mask nor router is there. */
  bare?: boolean;
}

/** What the server answers: nothing, one or several messages. */
export type Server = (message: Message) => Answer | Answer[] | undefined;

export function text(message: Message, code: number): string | undefined {
  const value = message.options.get(code);
  return value?.length === 4 ? addressText(get32(value, 0)) : undefined;
}

export function addressOption(code: number, ...addresses: string[]): number[] {
  const bytes = addresses.flatMap(a => a.split('.').map(Number));
  return [code, bytes.length, ...bytes];
}

/** A server that gives one address for some time. */
export function obliging(yiaddr = ADDRESS, seconds = 3600, options?: number[][]): Server {
  const more = options === undefined ? {} : { options };
  return ({ type }) => {
    if (type === DISCOVER) return { type: OFFER, yiaddr, seconds, ...more };
    if (type === REQUEST) return { type: ACK, yiaddr, seconds, ...more };
    return undefined;
  };
}

/** Reads the frame of a DHCP message that came `at` seconds. */
export function parseMessage(at: number, bytes: Uint8Array): Message {
  const ip = read(datagramIn(bytes));
  const { data } = ip;
  const options = new Map<number, Uint8Array>();
  for (let i = 240; i < data.length && data[i] !== 255; ) {
    const length = data[i + 1] as number;
    options.set(data[i] as number, data.slice(i + 2, i + 2 + length));
    i += 2 + length;
  }
  const type = options.get(53)?.[0] ?? 0;
  return {
    at,
    type,
    name: TYPES[type] ?? String(type),
    toMac: macText(bytes),
    source: ip.source,
    destination: ip.destination,
    bytes: data,
    xid: get32(data, 4),
    secs: get16(data, 8),
    flags: get16(data, 10),
    ciaddr: addressText(get32(data, 12)),
    options,
  };
}

/** The bytes of an answer to a message. */
export function answerBytes(message: Message, answer: Answer): Uint8Array {
  const fixed = message.bytes.slice(0, 240);
  fixed[0] = 2;
  fixed.fill(0, 8, 28); // secs, flags and addresses
  put32(fixed, 16, address(answer.yiaddr ?? '0.0.0.0'));
  const options = [[53, 1, answer.type]];
  if (answer.server !== '') options.push(addressOption(54, answer.server ?? SERVER));
  if (answer.seconds !== undefined) {
    const { seconds } = answer;
    options.push([
      51,
      4,
      (seconds >>> 24) & 255,
      (seconds >>> 16) & 255,
      (seconds >>> 8) & 255,
      seconds & 255,
    ]);
  }
  const given = answer.options ?? [];
  if (answer.type !== NAK && answer.bare !== true) {
    if (!given.some(option => option[0] === 1)) options.push(addressOption(1, '255.255.255.0'));
    if (!given.some(option => option[0] === 3 || option[0] === 121)) options.push(addressOption(3, SERVER));
  }
  return concat(fixed, ...options, ...given, [255]);
}

export class WanLab {
  readonly build = javascriptBuild();
  readonly plane = this.build.plane;
  readonly sent: Message[] = [];
  readonly logged: string[] = [];
  /** Frames other than DHCP and ARP that left by the WAN, and those that left by the LAN. */
  readonly toWan: Uint8Array[] = [];
  readonly toLan: Uint8Array[] = [];
  readonly probes: string[] = [];
  /** Who answers ARP on the WAN: station addresses by IP address. */
  readonly stations = new Map<string, string>([[SERVER, SERVER_MAC]]);
  server: Server | undefined;
  context!: Context;
  wan!: Wan;
  table: Command[] = [];
  changes = 0;
  private random = seeded(1);
  private seconds = 0;

  /** @param link the WAN's link; its card is the second one all the same. */
  constructor(
    seed = 1,
    readonly link: number = WAN,
  ) {
    this.random = seeded(seed);
    const { plane } = this;
    this.build.use();
    plane.planeReset();
    plane.nicProbe(LAN, NIC_RING, 1, LINES[LAN] as number);
    plane.nicProbe(WAN, NIC_RING, 2, LINES[WAN] as number);
    plane.nicBind(WAN, link);
    plane.nicStart(LAN);
    plane.nicStart(WAN);
    setLan(plane, LAN_DEFAULT);
    this.control();
  }

  /** Control as after a start; the plane stays. */
  control(): void {
    const { plane } = this;
    const machine: Machine = {
      lend: () => true,
      plane,
      named: () => plane,
      keepsRoom: () => true,
      *useDisk() {},
      tidy() {},
      overlay() {
        throw new Error('There are no overlays here');
      },
      memory: this.build.memory,
      version: 'test',
      built: 0,
      lock() {},
      unlock() {},
      unmask() {},
      reset() {},
      heapFree: () => 0,
      physical: at => at,
      put() {},
    };
    plane.resetSockets();
    const clock = createClock();
    const sockets = createSockets(plane);
    const log = createLog(clock, () => {});
    log.onEntry(({ facility, text }) => this.logged.push(`${facility}: ${text}`));
    this.table = [];
    const registry = createRegistry(machine, log, this.table);
    const context = {
      ...{ machine, clock, sockets, wallClock: createWallClock(clock, 0), log, registry },
      udp: new UdpSockets(machine, sockets),
      random: () => this.random.below(2 ** 32) | 0,
    };
    this.context = context as unknown as Context;
    const lan = createLan(this.context);
    registry.add(...lanSettings(this.context, lan), furtherLinks(this.context));
    this.wan = new Wan(
      this.context,
      lan,
      this.link,
      (user, link) => new DhcpClient(this.context, user, link),
    );
    this.wan.onChange(() => this.changes++);
  }

  /** The client by DHCP. */
  get client(): DhcpClient {
    return this.wan.client as DhcpClient;
  }

  /** Types a setting. */
  set(line: string): void {
    const command = this.table.find(({ words }) => line.startsWith(words));
    if (command === undefined) throw new Error(`There is no command for ${line}`);
    command.run(line.slice(command.words.length).split(' ').filter(Boolean));
  }

  /** Seconds since the laboratory was opened. */
  get now(): number {
    return this.seconds;
  }

  /** Lets time pass, jumping from timer to timer, at most a minute at a time. */
  run(seconds: number): void {
    const { clock } = this.context;
    let left = Math.round(seconds * TICKS_PER_SECOND);
    this.settle();
    while (left > 0) {
      const next = (clock.next() - i32at(NOW_AT)) | 0;
      const step = Math.max(1, Math.min(next, left));
      left -= step;
      puti32(NOW_AT, (i32at(NOW_AT) + step) | 0);
      this.seconds += step / TICKS_PER_SECOND;
      clock.run();
      this.settle();
    }
  }

  /** The address in force on the WAN, or ''. */
  address(index = this.link): string {
    const prefix = prefixOf(index);
    return prefix === undefined ? '' : `${addressText(prefix.address)}/${prefix.length}`;
  }

  /** The names of the messages since the last call. */
  took(): string[] {
    return this.sent.splice(0).map(({ name }) => name);
  }

  /** A frame comes in by the WAN. */
  put(bytes: Uint8Array, index = WAN): void {
    const packet = this.plane.allocate();
    if (packet === 0) throw new Error('Cannot put a frame: the pool is empty');
    this.build.memory.set(bytes, packet + PACKET_FRAME);
    setFrame(packet, bytes.length);
    if (this.plane.ringPut(index, packet) !== 1) throw new Error('Cannot put a frame: the ring is full');
    this.plane.interrupt(LINES[index] as number, 0);
  }

  /** A DHCP message of the server, as a broadcast. */
  answer(bytes: Uint8Array, sourcePort = 67, sourceMac = SERVER_MAC): void {
    const data = udp({ source: SERVER, destination: '255.255.255.255' }, sourcePort, 68, bytes);
    this.put(frame(BROADCAST, sourceMac, data));
  }

  /** A datagram of a host of the LAN. */
  fromHost(datagram: Uint8Array): void {
    this.put(frame(LAN_MAC, HOST_MAC, datagram), LAN);
  }

  /** Hands frames around until all is quiet. */
  settle(): void {
    for (let i = 0; i < 100; i++) {
      this.context.sockets.receive();
      const frames = this.taken(WAN);
      this.toLan.push(...this.taken(LAN).filter(isIpv4));
      if (frames.length === 0 && this.plane.puntWaiting() === 0) return;
      for (const bytes of frames) this.serve(bytes);
    }
    throw new Error('Frames go around without end');
  }

  private serve(bytes: Uint8Array): void {
    if (isArp(bytes)) {
      this.serveArp(bytes);
      return;
    }
    const { destinationPort, protocol } = read(datagramIn(bytes));
    if (protocol !== UDP || destinationPort !== 67) {
      this.toWan.push(bytes);
      return;
    }
    const message = parseMessage(this.seconds, bytes);
    this.sent.push(message);
    const answers = this.server?.(message) ?? [];
    for (const answer of [answers].flat()) this.answer(answerBytes(message, answer));
  }

  private serveArp(bytes: Uint8Array): void {
    const { sender, target } = arpIn(bytes);
    if (sender === '0.0.0.0') this.probes.push(target);
    const station = this.stations.get(target);
    if (station !== undefined && sender !== target) this.put(arpAnswer(bytes, station));
  }

  private taken(index: number): Uint8Array[] {
    const { plane, build } = this;
    const all: Uint8Array[] = [];
    for (let packet = plane.ringTake(index); packet !== 0; packet = plane.ringTake(index)) {
      const start = frameAt(packet);
      all.push(build.memory.slice(start, start + frameBytes(packet)));
      plane.release(packet);
      plane.interrupt(LINES[index] as number, 0);
    }
    return all;
  }
}
