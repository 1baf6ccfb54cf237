// PPP sessions for tests: two of them over a line with delay and loss, or one against a peer that the test writes, in virtual time.

import { type Random, seeded } from '../../../tools/harness/random.ts';
import { NOW_AT } from '../../base/cells.ts';
import { PLANE_BYTES, TICKS_PER_SECOND } from '../../base/limits.ts';
import { attach, i32at, puti32 } from '../../base/memory.ts';
import { PPP_IPCP, PPP_LCP } from '../../wire/ppp.ts';
import { type Clock, createClock } from '../core/clock.ts';
import type { LcpWay } from './lcp.ts';
import { type Option, type Packet, readOptions, readPacket, writeOptions, writePacket } from './packet.ts';
import { type Opened, Session, type SessionHost, type SessionWants } from './session.ts';

attach(new ArrayBuffer(PLANE_BYTES), 0, PLANE_BYTES);

export const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
export const hex = (data: ArrayLike<number>): string => Buffer.from(Array.from(data)).toString('hex');
export const address = (text: string): number =>
  text.split('.').reduce((value, part) => (value << 8) | Number(part), 0);

export interface WantsChange {
  lcp?: Partial<SessionWants['lcp']>;
  ipcp?: Partial<SessionWants['ipcp']>;
  rest?: Partial<Omit<SessionWants, 'lcp' | 'ipcp'>>;
}

export function wants(change: WantsChange = {}): SessionWants {
  return {
    lcp: {
      mru: 1500,
      mtu: 1500,
      accm: 0,
      isShort: true,
      hasMagic: true,
      demanded: [],
      offered: [],
      ignoresEcho: false,
      ...change.lcp,
    },
    ipcp: {
      local: 0,
      takesLocal: true,
      remote: 0,
      takesRemote: true,
      asksDns: true,
      givesDns: [],
      hasVj: true,
      ...change.ipcp,
    },
    account: { name: 'user', password: 'secret' },
    name: 'masqbox',
    passwordOf: name => (name === 'user' ? 'secret' : undefined),
    echoTicks: 0,
    echoMost: 3,
    keepsOpen: false,
    ...change.rest,
  };
}

export const PROVIDER: WantsChange = {
  ipcp: {
    local: address('198.51.100.1'),
    remote: address('198.51.100.2'),
    takesRemote: false,
    asksDns: false,
    givesDns: [address('198.51.100.53'), address('198.51.100.54')],
  },
};

export interface Sent {
  tick: number;
  protocol: number;
  data: Uint8Array;
  packet: Packet;
}

/** One end: its session, and all that it said and was told. */
export class End implements SessionHost {
  readonly session: Session;
  readonly sent: Sent[] = [];
  /** What it told its user, in order. */
  readonly events: string[] = [];
  result: Opened | undefined;
  reason: string | undefined;
  wasRefused = false;
  send_: (protocol: number, data: Uint8Array) => void = () => {};
  frames = 0;
  sends: LcpWay | undefined;
  receives: LcpWay | undefined;

  constructor(
    readonly clock: Clock,
    private readonly chance: Random,
    wanted: SessionWants,
  ) {
    this.session = new Session(this, wanted);
  }

  random(): number {
    return (this.chance.fraction() * 2 ** 32) | 0;
  }

  send(protocol: number, data: Uint8Array): void {
    const packet = readPacket(data) as Packet;
    this.sent.push({ tick: i32at(NOW_AT), protocol, data, packet });
    this.send_(protocol, data);
  }

  framing(send: LcpWay, receive: LcpWay): void {
    this.sends = { ...send };
    this.receives = { ...receive };
  }

  received(): number {
    return this.frames;
  }

  opened(result: Opened): void {
    this.result = result;
    this.events.push('opened');
  }

  held(): void {
    this.result = undefined;
    this.events.push('held');
  }

  closed(reason: string, wasRefused: boolean): void {
    this.result = undefined;
    this.reason = reason;
    this.wasRefused = wasRefused;
    this.events.push('closed');
  }

  /** A frame that comes. */
  hear(protocol: number, data: Uint8Array): void {
    this.frames++;
    this.session.input(protocol, data);
  }

  /** Options of the last request of a protocol. */
  lastRequest(protocol: number): { identifier: number; options: Option[] } {
    const last = this.sent.findLast(sent => sent.protocol === protocol && sent.packet.code === 1);
    if (last === undefined) throw new Error('nothing was asked for');
    return { identifier: last.packet.identifier, options: readOptions(last.packet.data) ?? [] };
  }
}

/** Virtual time. */
export class PppTime {
  readonly clock: Clock;
  private readonly waiting: { tick: number; run: () => void }[] = [];

  constructor() {
    puti32(NOW_AT, 0);
    this.clock = createClock();
  }

  now(): number {
    return i32at(NOW_AT);
  }

  after(ticks: number, run: () => void): void {
    this.waiting.push({ tick: this.now() + ticks, run });
  }

  seconds(seconds: number, until: () => boolean = () => false): void {
    const end = this.now() + Math.round(seconds * TICKS_PER_SECOND);
    while (this.now() < end && !until()) {
      puti32(NOW_AT, this.now() + 1);
      while (true) {
        const at = this.waiting.findIndex(({ tick }) => tick <= this.now());
        if (at < 0) break;
        this.waiting.splice(at, 1)[0]?.run();
      }
      this.clock.run();
    }
  }
}

/** Two ends and the line between them. */
export class Pair {
  readonly time = new PppTime();
  readonly a: End;
  readonly b: End;
  private readonly chance: Random;

  constructor(
    a: SessionWants,
    b: SessionWants,
    private readonly line: { delay?: number; loss?: number; seed?: number } = {},
  ) {
    this.chance = seeded(line.seed ?? 1);
    this.a = new End(this.time.clock, seeded((line.seed ?? 1) + 1000), a);
    this.b = new End(this.time.clock, seeded((line.seed ?? 1) + 2000), b);
    this.a.send_ = (protocol, data) => this.carry(this.b, protocol, data);
    this.b.send_ = (protocol, data) => this.carry(this.a, protocol, data);
  }

  private carry(to: End, protocol: number, data: Uint8Array): void {
    if (this.chance.chance(this.line.loss ?? 0)) return;
    const copy = data.slice();
    this.time.after(this.line.delay ?? 1, () => to.hear(protocol, copy));
  }

  start(): this {
    this.a.session.open();
    this.b.session.open();
    return this;
  }

  isOpen(): boolean {
    return this.a.result !== undefined && this.b.result !== undefined;
  }

  isOver(): boolean {
    return this.a.reason !== undefined && this.b.reason !== undefined;
  }
}

/** One session, and the test as its peer. */
export class Alone {
  readonly time = new PppTime();
  readonly end: End;
  private seen = 0;

  constructor(change: WantsChange = {}) {
    this.end = new End(this.time.clock, seeded(7), wants(change));
    this.end.session.open();
  }

  say(protocol: number, code: number, identifier: number, data: ArrayLike<number> = []): void {
    this.end.hear(protocol, writePacket(code, identifier, data));
  }

  /** What it has said since this was asked last, as hexadecimal text: protocol and packet. */
  said(): string[] {
    const all = this.end.sent.slice(this.seen);
    this.seen = this.end.sent.length;
    return all.map(({ protocol, data }) => `${protocol.toString(16).padStart(4, '0')} ${hex(data)}`);
  }

  /** The peer agrees to all that was asked for last. */
  agree(protocol: number): void {
    const { identifier, options } = this.end.lastRequest(protocol);
    this.say(protocol, 2, identifier, writeOptions(options));
  }

  /** LCP with nothing special of the peer's, then IPCP with these addresses. */
  openLcp(theirs = '0506 11223344'): this {
    this.agree(PPP_LCP);
    this.say(PPP_LCP, 1, 1, bytes(theirs));
    return this;
  }

  openIpcp(): this {
    const { identifier } = this.end.lastRequest(PPP_IPCP);
    this.say(PPP_IPCP, 3, identifier, bytes('0306 c6336402 8106 c6336435 8306 c6336436'));
    this.agree(PPP_IPCP);
    this.say(PPP_IPCP, 1, 1, bytes('0306 c6336401'));
    return this;
  }
}
