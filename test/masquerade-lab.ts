// A bench for the masquerade alone: datagrams in, verdict and datagram out. Parsing is the plane's own
// ipv4Check(), so a packet arrives here as src/plane/ip/forward.ts would hand it over.

import { NOW_AT } from '../src/base/cells.ts';
import { resetCounters } from '../src/base/counters.ts';
import {
  configureInterface,
  IF_LINK,
  INTERFACE_INSIDE,
  INTERFACE_OUTSIDE,
  interfaceAt,
  LINK_POINT,
  resetInterfaces,
} from '../src/base/interface.ts';
import {
  BUFFER_BYTES,
  BUFFERS_AT,
  CELLS_AT,
  COUNTERS_AT,
  INTERFACE_LAN,
  INTERFACE_WAN,
} from '../src/base/limits.ts';
import { fill, get8, i32at, put8, puti32 } from '../src/base/memory.ts';
import {
  PACKET_FLOW,
  PACKET_FRAME,
  PACKET_IN,
  PACKET_IP,
  PACKET_KNOWN,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_OUT,
  PACKET_PORTS,
  PASS,
} from '../src/base/packet.ts';
import { resetParameters, setParameter } from '../src/base/parameters.ts';
import { resetSockets } from '../src/plane/local/sockets.ts';
import { ipv4Check } from '../src/wire/ipv4.ts';
import type { Build } from '../tools/builds.ts';
import { address, faults, get16, type Read, read } from './packets.ts';

export const WAN = '10.1.2.3';
export const WAN_2 = '10.1.2.4';
export const SERVER = '198.51.100.1';
export const SERVER_2 = '198.51.100.2';
export const HOST = '192.168.0.2';
export const HOST_2 = '192.168.0.3';

export interface Result {
  verdict: number;
  bytes: Uint8Array;
  /** The datagram taken apart, or the whole of it as it was if it was not passed. */
  read: Read;
}

/** Ports that a later fragment would have got from its context. */
export interface Context {
  ports?: number;
}

export class Lab {
  /** Where the datagrams are put. */
  readonly packet = BUFFERS_AT;
  readonly build: Build;
  /** Compare the sums of every passed datagram with sums computed from scratch. */
  verify = true;

  constructor(build: Build) {
    this.build = build;
    this.reset();
  }

  reset(): void {
    this.build.use();
    fill(CELLS_AT, 0, 512);
    resetCounters();
    resetParameters();
    resetSockets();
    resetInterfaces();
    configureInterface(
      INTERFACE_LAN,
      INTERFACE_INSIDE,
      address('192.168.0.1'),
      address('255.255.255.0'),
      1500,
    );
    // Without stations: each address is a host's (src/plane/ip/sender.ts).
    puti32(interfaceAt(INTERFACE_LAN) + IF_LINK, LINK_POINT);
    configureInterface(INTERFACE_WAN, INTERFACE_OUTSIDE, address(WAN), address('255.255.255.0'), 1500);
    this.build.plane.resetEntropy();
    for (let i = 0; i < 100; i++) this.build.plane.stirEntropy(i * 7919);
    this.build.plane.masqueradeReset();
  }

  set(parameter: number, value: number): void {
    setParameter(parameter, value);
  }

  counter(index: number): number {
    return i32at(COUNTERS_AT + 4 * index);
  }

  get now(): number {
    return i32at(NOW_AT);
  }

  /** Lets time pass, ticking as the board does. */
  ticks(count: number): void {
    for (let i = 0; i < count; i++) {
      puti32(NOW_AT, (i32at(NOW_AT) + 1) | 0);
      this.build.plane.masqueradeTick();
    }
  }

  /** Lets time pass in one jump, then lets the whole table be visited. */
  seconds(count: number): void {
    puti32(NOW_AT, (i32at(NOW_AT) + count * 100) | 0);
    for (let i = 0; i < 700; i++) this.build.plane.masqueradeTick();
  }

  /** Ends all sessions and lets their entries be cleared up. */
  flush(): void {
    this.build.plane.masqueradeFlush();
    this.clearUp(0);
  }

  /** Ticks without time, until so many sessions are left. Bounded: a full table takes 512 ticks and a round. */
  clearUp(left: number): void {
    for (let i = 0; i < 700 && this.build.plane.masqueradeCount() > left; i++)
      this.build.plane.masqueradeTick();
  }

  outbound(datagram: Uint8Array, context: Context = {}): Result {
    return this.run(datagram, INTERFACE_LAN, p => this.build.plane.masqueradeOutbound(p), context);
  }

  inbound(datagram: Uint8Array, context: Context = {}): Result {
    return this.run(datagram, INTERFACE_WAN, p => this.build.plane.masqueradeInbound(p), context);
  }

  hairpin(datagram: Uint8Array): Result {
    return this.run(datagram, INTERFACE_LAN, p => this.build.plane.masqueradeHairpin(p), {});
  }

  private run(
    datagram: Uint8Array,
    from: number,
    step: (packet: number) => number,
    context: Context,
  ): Result {
    const { packet } = this;
    fill(packet, 0xa5, BUFFER_BYTES);
    fill(packet, 0, PACKET_FRAME);
    puti32(packet + PACKET_LENGTH, datagram.length);
    puti32(packet + PACKET_IN, from);
    puti32(packet + PACKET_OUT, from === INTERFACE_LAN ? INTERFACE_WAN : INTERFACE_LAN);
    puti32(packet + PACKET_FLOW, 0);
    puti32(packet + PACKET_KNOWN, 0);
    for (let i = 0; i < datagram.length; i++) put8(packet + PACKET_IP + i, datagram[i] as number);
    const checked = ipv4Check(packet);
    if (checked !== PASS) throw new Error(`Cannot run the datagram: ipv4Check answers ${checked}`);
    if (context.ports !== undefined) puti32(packet + PACKET_PORTS, context.ports);
    const l4 = i32at(packet + PACKET_L4);
    const verdict = step(packet);
    const bytes = Uint8Array.from(datagram, (_, i) => get8(packet + PACKET_IP + i));
    if (get8(packet + PACKET_IP + datagram.length) !== 0xa5) throw new Error('Wrote behind the datagram');
    if (i32at(packet + PACKET_L4) !== l4) throw new Error('PACKET_L4 changed');
    if (this.verify && verdict === PASS) {
      const fault = get16(bytes, 2) <= bytes.length ? faults(bytes, false) : '';
      if (fault !== '') throw new Error(`Wrong after translation: ${fault}`);
    }
    return { verdict, bytes, read: read(bytes) };
  }
}
