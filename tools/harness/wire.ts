// One wire for tests, with faults: between QEMU's datagram sockets, TAPs, or functions of this process.
//
// Each direction loses, doubles, corrupts, holds back and paces frames by a seeded generator. Every frame draws
// the same number of random values whatever the options, so that changing one probability leaves the other
// faults of a seed where they were. All queues are bounded; time comes from a clock that may be virtual.

import { createSocket } from 'node:dgram';
import type { Capture } from './pcap.ts';
import { type Random, seeded } from './random.ts';

/** Probabilities are 0 to 1. What is left out does not happen. */
export interface Faults {
  readonly loss?: number;
  readonly duplicate?: number;
  /** One bit of the frame is flipped. */
  readonly corrupt?: number;
  /** The frame is cut short, to any length but 0: QEMU takes an empty datagram for the end of the wire. */
  readonly truncate?: number;
  /** The frame is held back by reorderMilliseconds, so that later ones pass it. */
  readonly reorder?: number;
  readonly reorderMilliseconds?: number;
  readonly delayMilliseconds?: number;
  /** Bits a second, counted with the 24 bytes of preamble, CRC and gap that Ethernet adds. 0 is no limit. */
  readonly rate?: number;
  /** Frames that may be under way; more are dropped, as a full queue drops them. */
  readonly queue?: number;
}

export const NO_FAULTS: Required<Faults> = {
  loss: 0,
  duplicate: 0,
  corrupt: 0,
  truncate: 0,
  reorder: 0,
  reorderMilliseconds: 5,
  delayMilliseconds: 0,
  rate: 0,
  queue: 1000,
};

/** Preamble and delimiter 8, frame check sequence 4, gap between frames 12. */
const ETHERNET_OVERHEAD_BYTES = 24;

export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls back after some milliseconds; answers what cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, Math.max(0, Math.ceil(milliseconds)));
    return () => clearTimeout(timer);
  },
};

/** One end of a wire. */
export interface End {
  send(frame: Uint8Array): void;
  /** Set by the wire: called with each frame that comes in at this end. */
  receive: (frame: Uint8Array) => void;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly seed: number;
  readonly there?: Faults;
  readonly back?: Faults;
  readonly capture?: Capture;
  readonly clock?: Clock;
  /** Frames that are never corrupted: ARP has no checksum, and one flipped bit there cuts a host off for long. */
  readonly spare?: (frame: Uint8Array) => boolean;
}

export interface Tally {
  frames: number;
  lost: number;
  duplicated: number;
  corrupted: number;
  truncated: number;
  reordered: number;
  overflowed: number;
  delivered: number;
}

/** Joins two ends; `there` are the faults from the first to the second. */
export class FaultyWire {
  readonly there: Direction;
  readonly back: Direction;
  readonly #first: End;
  readonly #second: End;
  readonly #options: WireOptions;

  constructor(first: End, second: End, options: WireOptions) {
    this.#first = first;
    this.#second = second;
    this.#options = options;
    const clock = options.clock ?? realClock;
    const spare = options.spare ?? ((): boolean => false);
    this.there = new Direction(
      second,
      seeded(options.seed),
      { ...NO_FAULTS, ...options.there },
      clock,
      spare,
    );
    this.back = new Direction(
      first,
      seeded(options.seed ^ 0x5a5a5a5a),
      { ...NO_FAULTS, ...options.back },
      clock,
      spare,
    );
    first.receive = frame => this.#take(frame, this.there, clock);
    second.receive = frame => this.#take(frame, this.back, clock);
  }

  /** Seed and every option as they hold, to repeat a failure. */
  describe(): string {
    const { seed } = this.#options;
    const side = (direction: Direction): object => ({ ...direction.faults, ...direction.tally });
    return JSON.stringify({ seed, there: side(this.there), back: side(this.back) });
  }

  async close(): Promise<void> {
    this.there.stop();
    this.back.stop();
    await Promise.all([this.#first.close(), this.#second.close()]);
  }

  #take(frame: Uint8Array, direction: Direction, clock: Clock): void {
    this.#options.capture?.add(frame, clock.now());
    direction.take(frame);
  }
}

interface Flight {
  readonly at: number;
  readonly frame: Uint8Array;
}

/** One direction. Its faults may be changed while it runs: a wire that is cut has loss 1. */
export class Direction {
  faults: Required<Faults>;
  readonly tally: Tally = {
    frames: 0,
    lost: 0,
    duplicated: 0,
    corrupted: 0,
    truncated: 0,
    reordered: 0,
    overflowed: 0,
    delivered: 0,
  };
  readonly #to: End;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #spare: (frame: Uint8Array) => boolean;
  /** Frames under way, first to arrive first. */
  readonly #flights: Flight[] = [];
  /** When the line will have sent what it was given. */
  #freeAt = 0;
  #cancel: (() => void) | undefined;

  constructor(
    to: End,
    random: Random,
    faults: Required<Faults>,
    clock: Clock,
    spare: (frame: Uint8Array) => boolean,
  ) {
    this.#to = to;
    this.#random = random;
    this.faults = faults;
    this.#clock = clock;
    this.#spare = spare;
  }

  take(frame: Uint8Array): void {
    const { faults, tally } = this;
    const random = this.#random;
    tally.frames++;
    const lost = random.chance(faults.loss);
    const doubled = random.chance(faults.duplicate);
    const corrupted = random.chance(faults.corrupt) && !this.#spare(frame);
    const bit = random.below(frame.length * 8);
    const truncated = random.chance(faults.truncate);
    const length = Math.max(1, random.below(frame.length));
    const held = random.chance(faults.reorder);
    if (lost) {
      tally.lost++;
      return;
    }
    let bytes = new Uint8Array(frame); // a copy: slice() of a Buffer is none, and a TAP's is used again
    if (corrupted) {
      tally.corrupted++;
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    if (truncated) {
      tally.truncated++;
      bytes = bytes.slice(0, length);
    }
    if (held) tally.reordered++;
    if (doubled) tally.duplicated++;
    this.#launch(bytes, held ? faults.reorderMilliseconds : 0);
    if (doubled) this.#launch(bytes, 0);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#flights.length = 0;
  }

  #launch(frame: Uint8Array, extra: number): void {
    const { faults, tally } = this;
    if (this.#flights.length >= faults.queue) {
      tally.overflowed++;
      return;
    }
    const now = this.#clock.now();
    let at = now;
    if (faults.rate > 0) {
      const bits = 8 * (frame.length + ETHERNET_OVERHEAD_BYTES);
      this.#freeAt = Math.max(now, this.#freeAt) + (1000 * bits) / faults.rate;
      at = this.#freeAt;
    }
    at += faults.delayMilliseconds + extra;
    if (at <= now && this.#flights.length === 0) {
      this.#deliver(frame);
      return;
    }
    // Behind all that arrive no later: equal times keep their order.
    let place = this.#flights.length;
    while (place > 0 && this.#flights[place - 1]!.at > at) place--;
    this.#flights.splice(place, 0, { at, frame });
    if (place === 0 || this.#cancel === undefined) this.#arm();
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const next = this.#flights[0];
    if (next === undefined) return;
    this.#cancel = this.#clock.after(next.at - this.#clock.now(), () => {
      this.#cancel = undefined;
      const now = this.#clock.now();
      while (this.#flights.length > 0 && this.#flights[0]!.at <= now)
        this.#deliver(this.#flights.shift()!.frame);
      this.#arm();
    });
  }

  #deliver(frame: Uint8Array): void {
    this.tally.delivered++;
    this.#to.send(frame);
  }
}

/** An end that is a function of this process: `send` is what the wire calls with each frame that arrives. */
export function functionEnd(send: (frame: Uint8Array) => void): End {
  return { send, receive: () => {}, close: async () => {} };
}

/**
 * Each process of the tests has an address of 127/8 to itself, so that nobody takes a port between here and QEMU, which
 * must be told its port before it binds it. Below those that the kernel gives to sockets that do not care.
 */
const OWN_ADDRESS = `127.${64 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
const FIRST_PORT = 20_000;
let ports = 0;

export interface DgramWire {
  readonly dgram: { readonly host: string; readonly local: number; readonly remote: number };
}

/** An end for `-netdev dgram`: answers QEMU's wire option along with the end. */
export async function dgramEnd(): Promise<{ end: End; wire: DgramWire }> {
  const host = OWN_ADDRESS;
  const local = FIRST_PORT + ports++;
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).bind(0, host, resolve);
  });
  // Frames that come before QEMU listens are refused; a wire loses such frames silently.
  socket.removeAllListeners('error').on('error', () => {});
  const end: End = {
    send: frame => socket.send(frame, local, host, () => {}),
    receive: () => {},
    close: async () => await new Promise<void>(resolve => socket.close(() => resolve())),
  };
  socket.on('message', frame => end.receive(frame));
  return { end, wire: { dgram: { host, local, remote: socket.address().port } } };
}
