// Fuzzing of the DP8390's driver: a card whose ring holds garbage, whose transmits and remote DMAs hang, and
// whose interrupts come when they like. No access leaves the plane's memory, no buffer is lost, no visit lasts
// for ever, and a card that is well again works again.

import { BusModel, portsOf } from '../../hal/bus-model.ts';
import { NIC_NE2000_ISA, NIC_RING } from '../../hal/nic/card.ts';
import { Dp8390Model } from '../../hal/nic/dp8390-model.ts';
import type { Ports } from '../../hal/ports.ts';
import { FRAME_MAX, NIC_TRANSMIT_TICKS, PLANE_END, PLANE_FIRST } from '../../src/base/limits.ts';
import { settle } from '../../src/control/debug/changes.ts';
import { LAN_ADDRESS, LAN_NETWORK, macOf } from '../../src/control/debug/hosts.ts';
import { createRandom, type Random } from '../../src/control/debug/random.ts';
import { createTraffic } from '../../src/control/debug/traffic.ts';
import { ARP_OPERATION, ARP_REPLY, ARP_REQUEST } from '../../src/wire/arp.ts';
import { arpFrame } from '../../src/wire/build.ts';
import { get16 } from '../../src/wire/bytes.ts';
import { ETHERNET_HEADER_BYTES as ETHERNET, ETHERNET_TYPE, ETHERTYPE_ARP } from '../../src/wire/ethernet.ts';
import type { Build } from '../../tools/builds.ts';
import { audit } from './audit.ts';
import { checkedBuild } from './checked-plane.ts';
import { mutate } from './mutate.ts';

const PORT = 0x300;
const LINE = 9;
const WAN_LINE = 30;
/** Where nothing stands: reading it takes its time, as time on the bus goes on by accesses. */
const IDLE_PORT = 0x80;
const MAC = new Uint8Array([2, 0x4d, 0x42, 0, 0, 1]);
/** The board's memory in which the ring lies. */
const RING_FIRST = 0x40;
const RING_PAGES = 0x40;
/** Accesses to the bus that one interrupt may take: its budget of full frames, a reset, and patience for hangs. */
const VISIT_ACCESSES = 400_000;

interface Bench {
  build: Build;
  bus: BusModel;
  card: Dp8390Model;
  random: Random;
}

function spoilCard({ card, random }: Bench): void {
  const kind = random.below(12);
  if (kind < 4) card.damage(card.current, random.below(4), random.next() & 0xff);
  else if (kind < 7)
    card.damage(RING_FIRST + random.below(RING_PAGES), random.below(4), random.next() & 0xff);
  else if (kind === 7) {
    const page = RING_FIRST + random.below(RING_PAGES);
    for (let i = 0; i < 256; i++) card.damage(page, i, random.next() & 0xff);
  } else if (kind === 8) card.transmitStuck = !card.transmitStuck;
  else if (kind === 9) card.transmitFails = !card.transmitFails;
  else if (kind === 10) card.remoteSticksAfter = random.below(40);
  else card.addTally(random.below(3));
}

/** Everything that the plane has for others is taken. */
function collect({ build: { plane } }: Bench): void {
  for (let p = plane.ringTake(1); p !== 0; p = plane.ringTake(1)) plane.release(p);
  for (let p = plane.puntTake(); p !== 0; p = plane.puntTake()) plane.release(p);
}

function step(bench: Bench, frame: Uint8Array): string | undefined {
  const { build, bus, card, random } = bench;
  const { plane } = build;
  const sent = card.sent.length;
  card.receive(frame);
  if (random.below(3) === 0) spoilCard(bench);
  const before = bus.time;
  if (bus.pic.take(LINE) || random.below(8) === 0) plane.interrupt(LINE, random.below(11932));
  if (random.below(4) === 0) tick(bench, random.below(11932));
  collect(bench);
  if (bus.time - before > VISIT_ACCESSES) return `a visit took ${bus.time - before} accesses`;
  const wrong = card.sent.slice(sent).find(({ length }) => length < 60 || length > FRAME_MAX);
  if (wrong !== undefined) return `a frame of ${wrong.length} bytes was sent`;
  return audit()[0];
}

/** A tick, and as much time on the bus as passes in a small part of it. */
function tick({ build, bus }: Bench, sample: number): void {
  for (let i = 0; i < 100; i++) bus.in8(IDLE_PORT);
  build.plane.tick(sample);
}

/** The faults are over: within a second the card must answer again. */
function recovers(bench: Bench): string | undefined {
  const { build, bus, card } = bench;
  Object.assign(card, {
    transmitStuck: false,
    transmitFails: false,
    remoteSticksAfter: -1,
    remoteStuck: 'no',
  });
  for (let i = 0; i < 4 * NIC_TRANSMIT_TICKS; i++) {
    tick(bench, i);
    if (bus.pic.take(LINE)) build.plane.interrupt(LINE, i);
    collect(bench);
  }
  card.sent.length = 0;
  const host = LAN_NETWORK | 10;
  card.receive(arpFrame(ARP_REQUEST, host, macOf(host, 0), LAN_ADDRESS));
  for (let i = 0; i < NIC_TRANSMIT_TICKS; i++) {
    if (bus.pic.take(LINE)) build.plane.interrupt(LINE, i);
    tick(bench, i);
  }
  const answered = card.sent.some(
    frame =>
      get16(frame, ETHERNET_TYPE) === ETHERTYPE_ARP && get16(frame, ETHERNET + ARP_OPERATION) === ARP_REPLY,
  );
  return answered ? undefined : 'the card does not answer when its faults are over';
}

export interface DriverFuzzer {
  /** Answers what went wrong, or nothing. */
  run(seed: number, count: number): string | undefined;
}

export async function driverFuzzer(): Promise<DriverFuzzer> {
  let bus = new BusModel();
  const ports: Ports = {
    ...portsOf(() => bus),
    // The bus reaches memory by src/base/memory.ts, which forgives; here it is checked that the block lies inside.
    ins16: (port, p, count) => bus.ins16(port, inside(p, count), count),
    outs16: (port, p, count) => bus.outs16(port, inside(p, count), count),
    ins32: (port, p, count) => bus.ins32(port, inside(p, 2 * count), count),
    outs32: (port, p, count) => bus.outs32(port, inside(p, 2 * count), count),
  };
  const build = await checkedBuild(ports);
  const run = (seed: number, count: number): string | undefined => {
    const random = createRandom(seed);
    bus = new BusModel();
    const card = new Dp8390Model(bus, PORT, MAC, { transmitTime: 60, stopAborts: random.below(2) === 0 });
    const bench: Bench = { build, bus, card, random };
    build.use();
    build.memory.fill(0);
    try {
      build.plane.planeReset();
      if (build.plane.nicProbe(0, NIC_NE2000_ISA, PORT, LINE) !== 1) return 'the card was not found';
      build.plane.nicProbe(1, NIC_RING, 2, WAN_LINE);
      for (const index of [0, 1]) build.plane.nicStart(index);
      settle(build.plane, seed);
      const traffic = createTraffic(seed);
      for (let i = 1; i <= count; i++) {
        const { frame } = traffic.next();
        const fault = step(bench, random.below(4) === 0 ? mutate(random, frame) : frame);
        if (fault !== undefined) return `step ${i}: ${fault}`;
      }
      return recovers(bench) ?? card.violations[0];
    } catch (error) {
      return String((error as Error).stack);
    }
  };
  return { run };
}

function inside(p: number, count: number): number {
  if (p < PLANE_FIRST || p + 2 * count > PLANE_END)
    throw new RangeError(`Wild access: ${count} words at ${p}`);
  return p;
}
