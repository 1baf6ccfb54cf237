// The same traffic through two builds of the plane: after every BATCH frames the CRC-32 of the plane's memory
// must be the same. The plane is reset and gets two ring cards, fixed addresses, and time and entropy from
// the traffic's seed, so that a board, the sim and a test in Node all arrive at the same numbers.
// Not here: the traffic (traffic.ts), who may disturb the plane meanwhile (commands.ts).

import { NIC_RING } from '../../../hal/nic/card.ts';
import { ENGINE_AT, ENGINE_NATIVE, NOW_AT, PENDING_AT, TICKED_AT } from '../../base/cells.ts';
import { entryAt, sessionLimit } from '../../base/flow-record.ts';
import {
  BUFFERS_AT,
  CRC_TABLE_AT,
  PARAMETERS_AT,
  PUNT_STATE_AT,
  SERIAL_STATES_AT,
} from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { frameAt, frameBytes, PACKET_FRAME, setFrame } from '../../base/packet.ts';
import type { Plane } from '../core/machine.ts';
import { change, settle } from './changes.ts';
import { fillTable } from './flood.ts';
import { LAN_CARD, WAN_CARD } from './hosts.ts';
import { createRandom, type Random } from './random.ts';
import { SEED_RULES, setRules, someRulesMemory } from './some-rules.ts';
import { type Arrival, createTraffic, SEED_FULL_TABLE, type Traffic } from './traffic.ts';

/** Frames between two checks. */
export const BATCH = 64;
/** Lines that no real interrupt has. */
const LINES = [30, 31];
/** Ticks that are run where time leaps: the work of one is bounded, the time it sees is not. */
const TICKS_RUN = 4;
/** A change, and a stall, each once in so many frames, and how long it lasts at most. */
const CHANGE_EVERY = 64;
const CHANGE_FRAMES = 48;
const STALL_EVERY = 250;
const STALL_FRAMES = 150;
/** What may stall: either card's wire, and control, which takes no punted packets. */
const STALL_CONTROL = 4;

/**
 * What is compared: all tables and buffers, and rules if the seed has some. Left out are the serial ports, whose rings carry the results, the
 * table of the CRC itself, the cells, which hold the host call's answer, and places of sessions that the board has not.
 */
export function compared(seed: number): [from: number, to: number][] {
  const rules = (seed & SEED_RULES) !== 0 ? someRulesMemory() : [];
  return [
    ...rules.map(([from, to]): [number, number] => [from, to]),
    [PARAMETERS_AT, SERIAL_STATES_AT],
    [PUNT_STATE_AT, entryAt(sessionLimit() + 1)],
    [BUFFERS_AT, CRC_TABLE_AT],
  ];
}

/** Resets the plane to two ring cards with addresses, all else empty; the seed's bits choose settings. */
export function setUp(plane: Plane, memory: Uint8Array, seed: number, wanAddress?: number): void {
  for (const [from, to] of compared(seed)) memory.fill(0, from, to);
  puti32(NOW_AT, 0); // some resets note the time
  plane.planeReset();
  puti32(ENGINE_AT, ENGINE_NATIVE);
  puti32(PENDING_AT, 0);
  puti32(TICKED_AT, 0);
  for (const [index, number] of [LAN_CARD, WAN_CARD].entries()) {
    plane.nicProbe(index, NIC_RING, number, LINES[index] as number);
    plane.nicStart(index);
  }
  settle(plane, seed, wanAddress);
  if ((seed & SEED_RULES) !== 0) setRules(plane, seed);
}

/** What disturbs the router besides the frames. */
export class Disturbance {
  /** Bits of what is stalled. */
  stalled = 0;
  private changed = 0;
  private stall = 0;
  private readonly random: Random;

  constructor(private readonly seed: number) {
    this.random = createRandom(~seed);
  }

  /** Before each frame. */
  next(plane: Plane, memory: Uint8Array): void {
    const { random } = this;
    if (this.changed > 0) {
      this.changed--;
      if (this.changed === 0) settle(plane, this.seed);
    } else if (random.below(CHANGE_EVERY) === 0) {
      change(plane, memory, random);
      this.changed = 1 + random.below(CHANGE_FRAMES);
    }
    if (this.stall > 0) {
      this.stall--;
      if (this.stall === 0) this.stalled = 0;
    } else if (random.below(STALL_EVERY) === 0) {
      this.stalled = 1 + random.below(7);
      this.stall = 1 + random.below(STALL_FRAMES);
    }
  }
}

/** Takes what the cards have sent and what was punted, so that every buffer that should be free is free. */
function collect(plane: Plane, memory: Uint8Array, traffic: Traffic, stalled: number): void {
  for (const card of LINES.keys()) {
    if ((stalled & (1 << card)) !== 0) continue;
    for (let packet = plane.ringTake(card); packet !== 0; packet = plane.ringTake(card)) {
      const at = frameAt(packet);
      traffic.sent(card, memory.subarray(at, at + frameBytes(packet)));
      plane.release(packet);
    }
  }
  if ((stalled & STALL_CONTROL) !== 0) return;
  plane.captureDone();
  for (let packet = plane.puntTake(); packet !== 0; packet = plane.puntTake()) plane.release(packet);
}

/** One frame in, and all that comes of it. */
export function feed(plane: Plane, memory: Uint8Array, traffic: Traffic, stalled: number): void {
  const { ticks, sample, card, frame } = traffic.next();
  if (ticks > TICKS_RUN) puti32(NOW_AT, (i32at(NOW_AT) + ticks - TICKS_RUN) | 0);
  for (let i = Math.min(ticks, TICKS_RUN); i > 0; i--) plane.tick(sample + i);
  const packet = plane.allocate();
  if (packet !== 0) {
    memory.set(frame, packet + PACKET_FRAME);
    setFrame(packet, frame.length);
    if (plane.ringPut(card, packet) !== 1) plane.release(packet);
  }
  plane.interrupt(LINES[card] as number, sample);
  collect(plane, memory, traffic, stalled);
}

/** The CRC-32 of what is compared. */
export function fingerprint(plane: Plane, seed: number): number {
  let crc = 0;
  for (const [from, to] of compared(seed)) crc = plane.crc32(crc, from, to - from);
  return crc;
}

/**
 * Runs `count` frames of a seed through a plane whose memory is attached, and yields the CRC after every BATCH
 * and at the end. `native` computes the CRC and fills the table: the other takes minutes for it.
 */
export function* runTraffic(
  plane: Plane,
  native: Plane,
  memory: Uint8Array,
  seed: number,
  count: number,
): Generator<number, void, void> {
  const traffic = createTraffic(seed);
  const disturbance = new Disturbance(seed);
  setUp(plane, memory, seed);
  if ((seed & SEED_FULL_TABLE) !== 0) fillTable(native, memory);
  for (let i = 1; i <= count; i++) {
    disturbance.next(plane, memory);
    feed(plane, memory, traffic, disturbance.stalled);
    if (i % BATCH === 0 || i === count) yield fingerprint(native, seed);
  }
}

/** The same with captured frames, in order, through a router of the default settings that nothing disturbs. */
export function* runCapture(
  plane: Plane,
  native: Plane,
  memory: Uint8Array,
  wanAddress: number,
  arrivals: readonly Arrival[],
): Generator<number, void, void> {
  let place = 0;
  const traffic: Traffic = { next: () => arrivals[place] as Arrival, sent: () => {} };
  setUp(plane, memory, 0, wanAddress);
  while (place < arrivals.length) {
    feed(plane, memory, traffic, 0);
    place++;
    if (place % BATCH === 0 || place === arrivals.length) yield fingerprint(native, 0);
  }
}
