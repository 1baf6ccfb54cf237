// Cards that hear a busy network while they are looked for, started, stopped and restarted: a frame may come at any
// access to the bus, and whatever came before, the card must be found and bring all that it stores afterwards.
// Not here: which card is which interface (nic.test.ts), the ring in ordinary use (dp8390.test.ts).

import test, { type ExecutionContext } from 'ava';
import { NOW_AT } from '../../src/base/cells.ts';
import { COUNT_CARD_RESET, COUNT_RING_OVERRUN, resetCounters } from '../../src/base/counters.ts';
import { IF_MAC, IF_RX_ERRORS, interfaceAt, resetInterfaces } from '../../src/base/interface.ts';
import { BUFFER_COUNT, COUNTERS_AT, NIC_TRANSMIT_TICKS } from '../../src/base/limits.ts';
import { get8, i32at, put8, puti32 } from '../../src/base/memory.ts';
import { frameAt, frameBytes, PACKET_FRAME, setFrame } from '../../src/base/packet.ts';
import { allocate, poolFree, release, resetPool } from '../../src/base/pool.ts';
import { javascriptBuild, type Plane, wasmBuild } from '../../tools/builds.ts';
import { BusModel, portsOf } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import { NIC_NE2000_ISA, NIC_NE2000_PCI, NIC_RECEIVED, resetCards } from './card.ts';
import { Dp8390Model, type Dp8390Options } from './dp8390-model.ts';

const MAC = new Uint8Array([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
const PORT = 0x300;
const LINE = 9;
/** Frames that come one after the other once the card runs. */
const AFTERWARDS = 4;

let bus = new BusModel();
const ports = portsOf(() => bus);
const builds = [javascriptBuild(), await wasmBuild(ports)];
attachPorts(ports);

/** Chips: one after the data sheet, QEMU's, one on which frames take their time, one whose reset port does nothing. */
const CHIPS: Record<string, Dp8390Options> = {
  'by the data sheet': {},
  'that hears in loopback': { hearsInLoopback: true },
  'on a slow wire': { receiveTime: 25 },
  'on a slow wire that hears in loopback': { receiveTime: 25, hearsInLoopback: true },
  'with a reset port that does nothing': { deafResetPort: true, receiveTime: 25 },
};

interface Machine {
  plane: Plane;
  card: Dp8390Model;
}

/** A frame to the card, or to all; its bytes are made from `seed`. */
function frame(seed: number, isBroadcast = false): Uint8Array {
  const bytes = new Uint8Array(60 + ((seed * 97) % 600));
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + seed * 13) & 0xff;
  bytes.set(isBroadcast ? new Uint8Array(6).fill(0xff) : MAC);
  return bytes;
}

function bytesOf(packet: number): Uint8Array {
  const length = frameBytes(packet);
  const bytes = Uint8Array.from({ length }, (_, i) => get8(frameAt(packet) + i));
  release(packet);
  return bytes;
}

/** A frame for the wire: where it goes matters to nobody. */
function packetOf(bytes: Uint8Array): number {
  const packet = allocate();
  bytes.forEach((byte, i) => {
    put8(packet + PACKET_FRAME + i, byte);
  });
  setFrame(packet, bytes.length);
  return packet;
}

/** A frame comes after access number `first` from now on, and then after each `each`th. */
function traffic(card: Dp8390Model, first: number, each: number): void {
  const start = bus.time;
  let count = 0;
  card.onAccess = () => {
    const since = bus.time - start - first;
    if (since >= 0 && since % each === 0) card.receive(TRAFFIC[count++ % TRAFFIC.length] as Uint8Array);
  };
}

const TRAFFIC = Array.from({ length: 16 }, (_, seed) => frame(seed, (seed & 1) === 1));

/** What an interrupt brings, if there is one: the frames that make() made, in order. */
function interrupt(plane: Plane): Uint8Array[] {
  const frames: Uint8Array[] = [];
  if (!bus.pic.take(LINE)) return frames;
  if ((plane.nicService(0) & NIC_RECEIVED) === 0) return frames;
  while (plane.nicWaiting(0) !== 0) {
    const packet = plane.nicReceive(0);
    if (packet !== 0) frames.push(bytesOf(packet));
  }
  return frames;
}

/** The traffic ends; what it left is taken, and from then on each frame that comes is brought by an interrupt. */
function works(t: ExecutionContext, { plane, card }: Machine, overruns = 0): void {
  card.onAccess = undefined;
  for (let i = 0; i < 40; i++) bus.in8(0x61);
  for (let i = 0; i < 4; i++) interrupt(plane);
  for (let seed = 0; seed < AFTERWARDS; seed++) {
    if (!card.receive(frame(seed))) t.fail(`frame ${seed} is not heard`);
    for (let i = 0; i < 40; i++) bus.in8(0x61);
    const [got, ...more] = interrupt(plane);
    if (got === undefined || more.length > 0 || Buffer.compare(got, frame(seed)) !== 0)
      t.deepEqual([got, ...more], [frame(seed)], `frame ${seed}`);
  }
  t.is(i32at(interfaceAt(0) + IF_RX_ERRORS), 0);
  t.is(i32at(COUNTERS_AT + 4 * COUNT_RING_OVERRUN), overruns);
  t.is(poolFree(), BUFFER_COUNT);
  t.deepEqual(card.violations, []);
}

/** Runs a body for each build and chip, and for traffic that starts at each access up to `most`, thin and thick. */
function underTraffic(
  title: string,
  most: number,
  body: (t: ExecutionContext, m: Machine, at: number) => void,
  isFor = (_: Dp8390Options) => true,
) {
  for (const build of builds) {
    for (const [what, options] of Object.entries(CHIPS)) {
      if (!isFor(options)) continue;
      test.serial(`${title}, on a chip ${what} (${build.name})`, t => {
        build.use();
        for (let at = 0; at < most; at++) {
          resetPool();
          resetCounters();
          resetInterfaces();
          resetCards();
          puti32(NOW_AT, 1);
          bus = new BusModel();
          body(
            t,
            { plane: build.plane, card: new Dp8390Model(bus, PORT, MAC, { ...options, line: LINE }) },
            at,
          );
        }
      });
    }
  }
}

/** Accesses of a probe with the search for the line, and some more. */
const PROBE = 330;

for (const [how, each, starts] of [
  ['one frame at any access', 10000, PROBE],
  ['a frame at each 7th access', 7, 7],
  ['a frame at each access', 1, 1],
] as const) {
  underTraffic(`nicProbe() and nicStart() under traffic, ${how}`, starts, (t, { plane, card }, at) => {
    traffic(card, at, each);
    t.is(plane.nicProbe(0, NIC_NE2000_ISA, PORT, -1), 1, `traffic from access ${at} on`);
    t.is(plane.nicIrq(0), LINE);
    bus.pic.take(LINE);
    plane.nicStart(0);
    card.onAccess = undefined;
    works(t, { plane, card });
  });
}

/** Brings up a card whose network is quiet. */
function quietStart(t: ExecutionContext, { plane }: Machine): void {
  t.is(plane.nicProbe(0, NIC_NE2000_PCI, PORT, LINE), 1);
  plane.nicStart(0);
}

underTraffic(
  'nicProbe() of a card that runs from before, as after a warm reset',
  330,
  (t, { plane, card }, at) => {
    quietStart(t, { plane, card });
    // The last run ended in the middle of whatever it did: so far into a visit, or in page 1.
    for (let seed = 0; seed < 5; seed++) card.receive(frame(seed));
    if ((at & 2) !== 0) bus.out8(PORT + 0x0f, 0x3f);
    if ((at & 1) !== 0) bus.out8(PORT, 0x62);
    resetPool();
    resetInterfaces();
    resetCards();
    traffic(card, at, 5);
    t.is(plane.nicProbe(0, NIC_NE2000_ISA, PORT, -1), 1);
    t.is(plane.nicIrq(0), LINE);
    bus.pic.take(LINE);
    plane.nicStart(0);
    card.onAccess = undefined;
    works(t, { plane, card });
  },
);

underTraffic('nicStop() and nicStart() under traffic', 60, (t, { plane, card }, at) => {
  quietStart(t, { plane, card });
  traffic(card, at, 9);
  plane.nicStop(0);
  plane.nicStart(0);
  works(t, { plane, card });
});

underTraffic('a reset of a card whose transmit never ends, under traffic', 60, (t, { plane, card }, at) => {
  quietStart(t, { plane, card });
  card.transmitStuck = true;
  plane.nicSend(0, packetOf(frame(1)));
  puti32(NOW_AT, NIC_TRANSMIT_TICKS + 2);
  traffic(card, at, 9);
  t.is(plane.nicTick(0) & NIC_RECEIVED, NIC_RECEIVED);
  for (let i = 0; i < 100 && plane.nicWaiting(0) !== 0; i++) {
    const packet = plane.nicReceive(0);
    if (packet !== 0) release(packet);
  }
  card.transmitStuck = false;
  t.is(i32at(COUNTERS_AT + 4 * COUNT_CARD_RESET), 1);
  works(t, { plane, card });
});

underTraffic(
  'recovery from an overrun, under traffic',
  60,
  (t, { plane, card }, at) => {
    quietStart(t, { plane, card });
    for (let seed = 0; seed < 60 && card.missed === 0; seed++) {
      card.receive(frame(seed));
      for (let i = 0; i < 30; i++) bus.in8(0x61);
    }
    t.true(card.missed > 0);
    traffic(card, at, 40);
    interrupt(plane);
    card.onAccess = undefined;
    for (let i = 0; i < 40; i++) bus.in8(0x61);
    interrupt(plane);
    works(t, { plane, card }, i32at(COUNTERS_AT + 4 * COUNT_RING_OVERRUN));
  },
  ({ hearsInLoopback }) => hearsInLoopback !== true,
);

for (const build of builds) {
  test.serial(
    `another station address is heard at once, and kept when the chip is reset (${build.name})`,
    t => {
      build.use();
      resetPool();
      resetCounters();
      resetInterfaces();
      resetCards();
      bus = new BusModel();
      const card = new Dp8390Model(bus, PORT, MAC, { line: LINE });
      const { plane } = build;
      t.is(plane.nicProbe(0, NIC_NE2000_ISA, PORT, LINE), 1);
      plane.nicStart(0);
      const other = Uint8Array.of(2, 0, 0, 0, 0, 9);
      const to = (mac: Uint8Array): boolean => {
        const bytes = frame(1);
        bytes.set(mac);
        const heard = card.receive(bytes);
        interrupt(plane);
        return heard;
      };
      t.deepEqual([to(MAC), to(other)], [true, false]);
      plane.nicReaddress(0, 0x02000000, 9);
      t.true(to(other));
      const own = Array.from({ length: 6 }, (_, i) => get8(interfaceAt(0) + IF_MAC + i));
      t.deepEqual(own, [...other]);
      plane.nicStop(0);
      plane.nicStart(0);
      t.true(to(other));
      plane.nicReaddress(0, 0x52540012, 0x3456);
      t.deepEqual([to(MAC), to(other)], [true, false], 'back to its own');
      t.is(poolFree(), BUFFER_COUNT);
      t.deepEqual(card.violations, []);
    },
  );
}
