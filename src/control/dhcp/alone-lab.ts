// The DHCP server alone, for tests of many messages: a clock that goes from timer to timer, a wire that is a list.
// Not here: the server on a board, with ARP (server-lab.ts).

import * as packets from '../../../test/packets.ts';
import { javascriptBuild } from '../../../tools/builds.ts';
import { INTERFACE_INSIDE } from '../../base/interface.ts';
import { CONFIGURATION_AT, INTERFACE_LAN, MTU_DEFAULT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { puti32 } from '../../base/memory.ts';
import { PACKET_SOURCE, PACKET_STATION } from '../../base/packet.ts';
import { STRANGERS, stationWord } from '../../base/punt-source.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import type { Machine } from '../core/machine.ts';
import { clientOf } from '../core/net/client.ts';
import type { Datagram, Udp } from '../core/net/udp.ts';
import type { LeaseStore } from '../core/store/stored-lease.ts';
import { ACK, DISCOVER, INFORM, REQUEST, Reader } from './message.ts';
import { DhcpServer } from './server.ts';
import { compose, type Said, station } from './server-lab.ts';

/** Beyond i32: a year is 3.2 thousand million ticks. */
const START = 0x7fff0000;

/** Time that goes from timer to timer; ticks wrap as the plane's do. */
class Time implements Clock {
  timers: Timer[] = [];
  /** Ticks since the start, not wrapped. */
  passed = 0;

  now(): number {
    return (START + this.passed) | 0;
  }

  uptime(): number {
    return START + this.passed;
  }

  whole(tick: number): number {
    return this.uptime() - ((this.now() - tick) | 0);
  }

  after(ticks: number, run: () => void): Timer {
    const timer = { tick: this.passed + ticks, run };
    this.timers.push(timer);
    return timer;
  }

  cancel(timer: Timer): void {
    this.timers = this.timers.filter(other => other !== timer);
  }

  run(): void {}

  next(): number {
    return 0;
  }

  /** Goes to the next timer, or to a time if it comes first. */
  go(until: number): void {
    for (;;) {
      let first: Timer | undefined;
      for (const timer of this.timers) if (first === undefined || timer.tick < first.tick) first = timer;
      if (first === undefined || first.tick > until) break;
      this.cancel(first);
      this.passed = first.tick;
      first.run();
    }
    this.passed = until;
  }
}

/** Who speaks: the station of the frame, else the client's; what the plane takes it for, else one that has settled; its port. */
export interface Speaker {
  mac?: string;
  source?: number;
  port?: number;
}

/** The server with nothing behind its UDP but a list, and a station that speaks to it. */
export function fixture(store?: LeaseStore) {
  const built = javascriptBuild();
  const { memory } = built;
  /** Who answers ARP: address to station. */
  const holders = new Map<string, string>();
  const addressHeld = (_index: number, address: number): number => {
    const mac = holders.get(packets.addressText(address));
    if (mac === undefined) return 0;
    memory.set(packets.mac(mac), CONFIGURATION_AT);
    return CONFIGURATION_AT;
  };
  /** The addresses that were asked for by ARP since the last message. */
  const questions: string[] = [];
  const addressAsk = (index: number, address: number): void => {
    questions.push(packets.addressText(address));
    built.plane.addressAsk(index, address);
  };
  const plane = { ...built.plane, addressAsk, addressHeld };
  plane.planeReset();
  plane.configureInterface(INTERFACE_LAN, INTERFACE_INSIDE, 0xc0a80001 | 0, -256, MTU_DEFAULT);
  const clock = new Time();
  const sent: Reader[] = [];
  /** When each of them was sent. */
  const times: number[] = [];
  /** The same as bytes. */
  const raw: Uint8Array[] = [];
  let receive: (datagram: Datagram) => void = () => {};
  const deliver = (data: Uint8Array): boolean => {
    const reader = new Reader();
    if (reader.parse(data.slice()) !== undefined) throw new Error('The server sends what it cannot read');
    sent.push(reader);
    times.push(clock.passed);
    raw.push(data.slice());
    return true;
  };
  const udp: Udp = {
    open: (_port, _interfaces, handler) => {
      receive = handler;
      return true;
    },
    openRandom: () => 0,
    close: () => {},
    send: (_to, _port, _from, data) => deliver(data),
    trySend: (_to, _port, _from, data) => deliver(data),
    isShort: () => false,
    sendTo: (_index, _mac, _source, _destination, _ports, data) => deliver(data),
  };
  const machine = { plane, memory } as unknown as Machine;
  const said: string[] = [];
  const log = (_level: number, _facility: string, text: string): number => said.push(text);
  const server = new DhcpServer({ machine, clock, udp, log } as unknown as Context, store);
  server.start(false);
  /** A datagram comes, and time passes; all that the server says meanwhile. */
  const hear = (data: Uint8Array, ticks: number, speaker: Speaker = {}): Reader[] => {
    const mac = CONFIGURATION_AT + 8;
    memory.fill(0, mac, mac + 6);
    memory.set(speaker.mac === undefined ? data.subarray(28, 34) : packets.mac(speaker.mac), mac);
    const packet = CONFIGURATION_AT + 64;
    puti32(packet + PACKET_SOURCE, speaker.source ?? stationWord(mac));
    memory.copyWithin(packet + PACKET_STATION, mac, mac + 6);
    sent.length = 0;
    times.length = 0;
    raw.length = 0;
    questions.length = 0;
    receive({
      source: 0,
      sourcePort: speaker.port ?? 68,
      destination: -1,
      destinationPort: 67,
      index: 0,
      broadcast: true,
      client: clientOf(packet),
      data,
      mac,
    });
    clock.go(clock.passed + ticks);
    return [...sent];
  };
  const say = (n: number, type: number, said: Said = {}, ticks = 25): Reader | undefined =>
    hear(compose(station(n), type, said), ticks)[0];
  /** DISCOVER, OFFER, REQUEST, ACK; answers the address. */
  const join = (n: number, words: Said = {}): string => {
    const offer = say(n, DISCOVER, words, 70);
    const requested = packets.addressText(offer?.yiaddr ?? 0);
    const answer = say(n, REQUEST, { ...words, requested, server: '192.168.0.1' });
    return answer?.type === ACK ? packets.addressText(answer.yiaddr) : `no lease of ${requested}`;
  };
  /** REQUEST in RENEWING, or in INIT-REBOOT; answers the type of what is said within a second, 0 for nothing. */
  const renew = (n: number, ciaddr: string, words: Said = {}): number =>
    say(n, REQUEST, { ...words, ciaddr }, 100)?.type ?? 0;
  const reboot = (n: number, requested: string, words: Said = {}): number =>
    say(n, REQUEST, { ...words, requested }, 10)?.type ?? 0;
  return {
    clock,
    server,
    plane: built.plane,
    holders,
    questions,
    times,
    raw,
    said,
    hear,
    say,
    join,
    renew,
    reboot,
    seconds: () => clock.passed / TICKS_PER_SECOND,
  };
}

/** A message that is answered at once. */
export const INFORMS: Uint8Array = compose(station(1), INFORM, { ciaddr: '192.168.0.50' });
/** The same with so many pieces of options. */
export const inPieces = (count: number): Uint8Array =>
  packets.concat(INFORMS.slice(0, 243), ...Array.from({ length: count }, () => [12, 1, 97]), [255]);

/** A server with room for an office, to which strangers speak. */
export function office() {
  const lab = fixture();
  lab.server.config.range = { first: 0xc0a80010 | 0, last: 0xc0a800f0 | 0 };
  const reboot = (n: number): Uint8Array =>
    compose(station(n), REQUEST, { requested: `192.168.0.${20 + n}`, xid: n });
  return {
    ...lab,
    reboot,
    stranger: (data: Uint8Array, ticks = 0): Reader[] => lab.hear(data, ticks, { source: STRANGERS }),
  };
}

/** A generator of numbers below n that repeats. */
export function lottery(seed: number): (n: number) => number {
  let state = seed;
  return n => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
