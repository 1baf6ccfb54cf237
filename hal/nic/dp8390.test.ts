import test from 'ava';
import { NOW_AT } from '../../src/base/cells.ts';
import {
  COUNT_CARD_RESET,
  COUNT_RING_OVERRUN,
  DROP_NO_BUFFER,
  DROP_TRANSMIT_ERROR,
  resetCounters,
} from '../../src/base/counters.ts';
import {
  IF_RX_BYTES,
  IF_RX_DROPPED,
  IF_RX_ERRORS,
  IF_RX_PACKETS,
  IF_TX_BYTES,
  IF_TX_ERRORS,
  IF_TX_PACKETS,
  interfaceAt,
  resetInterfaces,
} from '../../src/base/interface.ts';
import {
  BUFFER_COUNT,
  COUNTERS_AT,
  FRAME_MAX,
  FRAME_TAGGED_MAX,
  NIC_TRANSMIT_TICKS,
  RECOVERY_FRAMES,
} from '../../src/base/limits.ts';
import { get8, i32at, put8, puti32 } from '../../src/base/memory.ts';
import { frameAt, frameBytes, PACKET_FRAME, PACKET_IN, setFrame } from '../../src/base/packet.ts';
import { allocate, poolFree, release, resetPool } from '../../src/base/pool.ts';
import { javascriptBuild, type Plane, wasmBuild } from '../../tools/builds.ts';
import { BusModel, portsOf } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import {
  cardAt,
  FRAME_MIN,
  NIC_NE2000_ISA,
  NIC_NE2000_PCI,
  NIC_RECEIVED,
  NIC_SENT,
  resetCards,
} from './card.ts';
import { Dp8390Model, type Dp8390Options } from './dp8390-model.ts';
import { DP_WIDE } from './dp8390-registers.ts';

const MAC = new Uint8Array([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
const PORT = 0x300;
const LINE = 9;

/** The bus of the test that runs: the builds are made once, each test has a machine of its own. */
let bus = new BusModel();
const ports = portsOf(() => bus);
const builds = [javascriptBuild(), await wasmBuild(ports)];
attachPorts(ports);

interface Machine {
  plane: Plane;
  card: Dp8390Model;
}

/** Runs a test with each build of the plane, on a fresh machine with one started card. */
function onCard(
  title: string,
  options: Dp8390Options,
  body: (t: import('ava').ExecutionContext, m: Machine) => void,
) {
  for (const build of builds) {
    test.serial(`${title} (${build.name})`, t => {
      build.use();
      resetState();
      bus = new BusModel();
      const card = new Dp8390Model(bus, PORT, MAC, options);
      t.is(build.plane.nicProbe(0, NIC_NE2000_ISA, PORT, LINE), 1);
      build.plane.nicStart(0);
      bus.pic.take(LINE);
      card.resets = 0;
      body(t, { plane: build.plane, card });
      t.deepEqual(card.violations, []);
    });
  }
}

function resetState(): void {
  resetPool();
  resetCounters();
  resetInterfaces();
  resetCards();
  puti32(NOW_AT, 1);
}

function counter(index: number): number {
  return i32at(COUNTERS_AT + 4 * index);
}

function statistic(field: number): number {
  return i32at(interfaceAt(0) + field);
}

/** A frame for the card, its bytes made from `seed`. */
function frame(length: number, seed = length): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + seed * 13 + (i >> 8)) & 0xff;
  bytes.set(MAC);
  return bytes;
}

/** A packet that holds a frame, with other bytes behind it. */
function packetOf(bytes: Uint8Array): number {
  const packet = allocate();
  for (let i = bytes.length; i < Math.max(bytes.length, FRAME_MIN) + 2; i++)
    put8(packet + PACKET_FRAME + i, 0xdb);
  bytes.forEach((byte, i) => {
    put8(packet + PACKET_FRAME + i, byte);
  });
  setFrame(packet, bytes.length);
  return packet;
}

/** The frame of a packet, which is released. */
function bytesOf(packet: number): Uint8Array {
  const length = frameBytes(packet);
  const bytes = Uint8Array.from({ length }, (_, i) => get8(frameAt(packet) + i));
  release(packet);
  return bytes;
}

/** All that one visit takes: up to `budget` frames, and a recovery to its end. */
function take(plane: Plane, budget = 100): Uint8Array[] {
  const frames: Uint8Array[] = [];
  while (frames.length < budget && plane.nicWaiting(0) !== 0) {
    const packet = plane.nicReceive(0);
    if (packet !== 0) frames.push(bytesOf(packet));
  }
  return frames;
}

/** What an interrupt of the line does, if there is one. */
function interrupt(plane: Plane, budget = 100): Uint8Array[] {
  if (!bus.pic.take(LINE)) return [];
  return (plane.nicService(0) & NIC_RECEIVED) !== 0 ? take(plane, budget) : [];
}

/** Accesses to the bus, a microsecond each, in which nobody else is served: twice what a full frame takes there. */
const PIECE_ACCESSES = 60;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

onCard('nicReceive() brings every length from 60 to 1,514, around the ring again and again', {}, (t, m) => {
  for (let length = FRAME_MIN; length <= FRAME_MAX; length++) {
    const sent = frame(length);
    t.true(m.card.receive(sent));
    t.true(bus.pic.take(LINE));
    t.is(m.plane.nicService(0), NIC_RECEIVED);
    const packet = m.plane.nicReceive(0);
    t.is(i32at(packet + PACKET_IN), 0);
    t.deepEqual(bytesOf(packet), sent);
    t.is(m.plane.nicReceive(0), 0);
  }
  t.is(statistic(IF_RX_PACKETS), FRAME_MAX - FRAME_MIN + 1);
  t.is(statistic(IF_RX_BYTES), ((FRAME_MIN + FRAME_MAX) * (FRAME_MAX - FRAME_MIN + 1)) / 2);
  t.is(statistic(IF_RX_ERRORS), 0);
  t.is(poolFree(), BUFFER_COUNT);
});

onCard('nicReceive() takes 1,518 bytes with a tag, and longer ones no more than without', {}, (t, m) => {
  const tagged = (length: number) => {
    const bytes = frame(length);
    bytes.set([0x81, 0, 0xe0, 0], 12);
    return bytes;
  };
  for (let length = FRAME_MAX - 1; length <= FRAME_TAGGED_MAX; length++) {
    m.card.receive(tagged(length));
    t.deepEqual(interrupt(m.plane), [tagged(length)]);
  }
  t.is(statistic(IF_RX_ERRORS), 0);
  for (const bytes of [tagged(FRAME_TAGGED_MAX + 1), frame(FRAME_MAX + 1), frame(FRAME_TAGGED_MAX)]) {
    m.card.receive(bytes);
    t.deepEqual(interrupt(m.plane), []);
  }
  t.is(statistic(IF_RX_ERRORS), 3);
  t.is(poolFree(), BUFFER_COUNT);
});

onCard('nicReceive() cuts its reads where the ring ends, at every word around each page', {}, (t, m) => {
  for (let pages = 1; pages <= 5; pages++) {
    for (let length = 256 * pages - 10; length <= 256 * pages + 10; length++) {
      // Ends at the ring's last byte, or some words before or behind it.
      for (let i = 0; m.card.current !== 0x80 - pages; i++) {
        if (i > 52) throw new Error('the ring has another size');
        m.card.receive(frame(FRAME_MIN));
        interrupt(m.plane);
      }
      m.card.receive(frame(length));
      t.deepEqual(interrupt(m.plane), [frame(length)]);
    }
  }
});

for (const options of [
  { remoteWraps: true },
  { extraPage: false },
  { remoteWraps: true, extraPage: false },
]) {
  onCard(`nicReceive() works on a chip with ${JSON.stringify(options)}`, options, (t, m) => {
    for (let length = FRAME_MIN; length <= FRAME_MAX; length++) {
      t.true(m.card.receive(frame(length)));
      t.deepEqual(interrupt(m.plane), [frame(length)]);
    }
  });
}

onCard('10,000 random frames each way come through unchanged, in order', { transmitTime: 60 }, (t, m) => {
  const next = random(8390);
  const waiting: Uint8Array[] = [];
  let received = 0;
  let sent = 0;
  let matched = 0;
  const outgoing: Uint8Array[] = [];
  while (received < 10000 || sent < 10000) {
    const dice = next();
    const length = FRAME_MIN + Math.floor(next() ** 3 * (FRAME_MAX - FRAME_MIN + 1));
    if (dice < 0.5 && received < 10000 && waiting.length < 8) {
      const bytes = frame(length, received);
      if (m.card.receive(bytes)) {
        waiting.push(bytes);
        received++;
      }
    } else if (dice < 0.8 && sent < 10000) {
      const bytes = frame(length, sent);
      const packet = packetOf(bytes);
      if (m.plane.nicSend(0, packet) === 1) {
        outgoing.push(bytes);
        sent++;
      } else release(packet);
    } else {
      const got = interrupt(m.plane, 1 + Math.floor(next() * 4));
      for (const bytes of got) {
        if (Buffer.compare(bytes, waiting.shift()!) !== 0) t.fail('a received frame differs');
      }
      if (next() < 0.3) m.plane.nicTick(0);
      for (const bytes of take(m.plane, 2)) {
        if (Buffer.compare(bytes, waiting.shift()!) !== 0) t.fail('a received frame differs');
      }
    }
    while (matched < m.card.sent.length) {
      if (Buffer.compare(m.card.sent[matched]!, outgoing[matched]!) !== 0) t.fail('a sent frame differs');
      matched++;
    }
  }
  for (let i = 0; i < 1000; i++) bus.in8(0x61);
  interrupt(m.plane);
  for (let i = 0; i < 1000; i++) bus.in8(0x61);
  t.is(m.card.sent.length, 10000);
  t.is(statistic(IF_RX_PACKETS) + waiting.length, 10000);
  t.is(statistic(IF_TX_PACKETS), 10000);
  t.is(counter(COUNT_CARD_RESET), 0);
  t.is(poolFree(), BUFFER_COUNT);
});

onCard('nicSend() sends every length from 14 to 1,514, short ones padded with zeros', {}, (t, m) => {
  for (let length = 14; length <= FRAME_MAX; length++) {
    t.is(m.plane.nicSend(0, packetOf(frame(length))), 1);
    const expected = new Uint8Array(Math.max(length, FRAME_MIN));
    expected.set(frame(length));
    t.deepEqual(m.card.sent.pop(), expected);
  }
  t.is(statistic(IF_TX_PACKETS), FRAME_MAX - 13);
  t.is(statistic(IF_TX_ERRORS), 0);
  t.is(poolFree(), BUFFER_COUNT);
  let bytes = 0;
  for (let length = 14; length <= FRAME_MAX; length++) bytes += Math.max(length, FRAME_MIN);
  t.is(statistic(IF_TX_BYTES), bytes);
});

onCard('nicSend() frees and counts frames that no Ethernet carries', {}, (t, m) => {
  for (const length of [0, 1, 13, FRAME_MAX + 1]) {
    const packet = packetOf(frame(14));
    setFrame(packet, length);
    t.is(m.plane.nicSend(0, packet), 1);
  }
  t.is(statistic(IF_TX_ERRORS), 4);
  t.is(m.card.sent.length, 0);
  t.is(poolFree(), BUFFER_COUNT);
});

onCard(
  'nicSend() takes two frames, refuses a third, and says NIC_SENT when one is gone',
  { transmitTime: 5000 },
  (t, m) => {
    t.is(m.plane.nicSend(0, packetOf(frame(100, 1))), 1);
    t.is(m.plane.nicSend(0, packetOf(frame(200, 2))), 1);
    const third = packetOf(frame(300, 3));
    t.is(m.plane.nicSend(0, third), 0);
    t.is(m.plane.nicService(0), 0);
    for (let i = 0; i < 5000; i++) bus.in8(0x61);
    t.is(m.card.sent.length, 1);
    t.true(bus.pic.take(LINE), 'the end interrupts because a frame waits for it');
    t.is(m.plane.nicService(0), NIC_SENT);
    t.is(m.plane.nicSend(0, third), 1);
    for (let i = 0; i < 10000; i++) bus.in8(0x61);
    if (bus.pic.take(LINE)) m.plane.nicService(0);
    for (let i = 0; i < 10000; i++) bus.in8(0x61);
    t.deepEqual(m.card.sent, [frame(100, 1), frame(200, 2), frame(300, 3)]);
  },
);

onCard('a transmit without one waiting behind it does not interrupt', {}, (t, m) => {
  for (let i = 0; i < 5; i++) t.is(m.plane.nicSend(0, packetOf(frame(60, i))), 1);
  t.false(bus.pic.take(LINE));
  t.is(m.card.sent.length, 5);
});

onCard('a failed transmit is counted and the next one goes on', {}, (t, m) => {
  m.card.transmitFails = true;
  t.is(m.plane.nicSend(0, packetOf(frame(60))), 1);
  m.card.transmitFails = false;
  t.is(m.plane.nicSend(0, packetOf(frame(61))), 1);
  t.deepEqual(m.card.sent, [frame(61)]);
  t.is(statistic(IF_TX_ERRORS), 1);
  t.is(counter(DROP_TRANSMIT_ERROR), 1);
});

onCard('nicTick() resets a card whose transmit never ends, and loses what was in it', {}, (t, m) => {
  m.card.transmitStuck = true;
  m.plane.nicSend(0, packetOf(frame(60)));
  m.plane.nicSend(0, packetOf(frame(61)));
  const third = packetOf(frame(62));
  t.is(m.plane.nicSend(0, third), 0);
  for (let i = 0; i < NIC_TRANSMIT_TICKS; i++) {
    puti32(NOW_AT, i32at(NOW_AT) + 1);
    t.is(m.plane.nicTick(0), 0);
  }
  m.card.transmitStuck = false;
  puti32(NOW_AT, i32at(NOW_AT) + 1);
  t.is(m.plane.nicTick(0), NIC_RECEIVED);
  t.deepEqual(take(m.plane), []);
  t.is(m.plane.nicTick(0), NIC_SENT);
  t.is(counter(COUNT_CARD_RESET), 1);
  t.is(statistic(IF_TX_ERRORS), 2);
  t.is(m.plane.nicSend(0, third), 1);
  t.deepEqual(m.card.sent, [frame(62)]);
});

onCard('nicTick() serves a card whose interrupt was lost', {}, (t, m) => {
  m.card.receive(frame(77));
  bus.pic.take(LINE);
  t.is(m.plane.nicTick(0), NIC_RECEIVED);
  t.deepEqual(take(m.plane), [frame(77)]);
  t.is(m.plane.nicTick(0), 0);
});

onCard('the watchdog survives the wrap of the tick counter', {}, (t, m) => {
  puti32(NOW_AT, 0x7fffffff);
  m.card.transmitStuck = true;
  m.plane.nicSend(0, packetOf(frame(60)));
  puti32(NOW_AT, (0x7fffffff + NIC_TRANSMIT_TICKS) | 0);
  t.is(m.plane.nicTick(0), 0);
  puti32(NOW_AT, (0x7fffffff + NIC_TRANSMIT_TICKS + 1) | 0);
  t.is(m.plane.nicTick(0), NIC_RECEIVED);
  t.deepEqual(take(m.plane), []);
  t.is(m.plane.nicTick(0), NIC_SENT);
});

/** Fills the ring until a frame is lost. Answers what is in it. */
function overrun(m: Machine, length: number): Uint8Array[] {
  const stored: Uint8Array[] = [];
  for (let i = 0; i < 60; i++) {
    if (!m.card.receive(frame(length, i))) return stored;
    stored.push(frame(length, i));
  }
  throw new Error('the ring has no end');
}

for (const length of [60, 300, 1514]) {
  onCard(`an overrun by frames of ${length} bytes loses none that was stored, and is counted`, {}, (t, m) => {
    for (let round = 1; round <= 20; round++) {
      const stored = overrun(m, length);
      t.true(stored.length >= 8);
      m.card.receive(frame(70));
      const got = interrupt(m.plane);
      for (let visit = 0; visit < 4; visit++) {
        if ((m.plane.nicTick(0) & NIC_RECEIVED) !== 0) got.push(...take(m.plane, RECOVERY_FRAMES));
      }
      t.deepEqual(got, stored);
      t.is(counter(COUNT_RING_OVERRUN), round);
      t.is(statistic(IF_RX_DROPPED), 2 * round);
      t.true(m.card.receive(frame(80)), 'the card receives again');
      t.true(bus.pic.take(LINE), 'and interrupts');
      t.is(m.plane.nicService(0), NIC_RECEIVED);
      t.deepEqual(take(m.plane), [frame(80)]);
    }
    t.is(m.card.missed, 40);
    t.is(m.card.resets, 0);
  });
}

for (const stopAborts of [false, true]) {
  const how = stopAborts ? 'cut off by stop is sent again' : 'that stop lets end is not sent twice';
  onCard(`a transmit ${how} after an overrun`, { transmitTime: 90, stopAborts }, (t, m) => {
    const stored = overrun(m, 1000);
    m.plane.nicSend(0, packetOf(frame(500, 1)));
    m.plane.nicSend(0, packetOf(frame(500, 2)));
    t.deepEqual(interrupt(m.plane), stored);
    for (let i = 0; i < 300; i++) {
      interrupt(m.plane);
      bus.in8(0x61);
    }
    t.deepEqual(m.card.sent, [frame(500, 1), frame(500, 2)]);
    t.is(counter(COUNT_CARD_RESET), 0);
  });
}

onCard(
  'a single transmit that stop lets end is not sent twice after an overrun',
  { transmitTime: 90 },
  (t, m) => {
    const stored = overrun(m, 1000);
    m.plane.nicSend(0, packetOf(frame(500, 1)));
    t.deepEqual(interrupt(m.plane), stored);
    for (let i = 0; i < 300; i++) {
      interrupt(m.plane);
      bus.in8(0x61);
    }
    t.deepEqual(m.card.sent, [frame(500, 1)]);
  },
);

onCard('frames sent during recovery wait for its end', { transmitTime: 90 }, (t, m) => {
  overrun(m, 60);
  bus.pic.take(LINE);
  t.is(m.plane.nicService(0), NIC_RECEIVED);
  const [first, second, third] = [1, 2, 3].map(seed => packetOf(frame(100, seed))) as [
    number,
    number,
    number,
  ];
  t.is(m.plane.nicSend(0, first), 0, 'the chip stands still');
  const got: Uint8Array[] = [];
  while (got.length === 0) got.push(...take(m.plane, 1));
  t.is(m.plane.nicSend(0, first), 1);
  t.is(m.plane.nicSend(0, second), 1);
  t.is(m.plane.nicSend(0, third), 0);
  take(m.plane);
  t.is(m.plane.nicService(0) & NIC_SENT, NIC_SENT);
  for (let i = 0; i < 300; i++) {
    bus.in8(0x61);
    interrupt(m.plane);
  }
  t.deepEqual(m.card.sent, [frame(100, 1), frame(100, 2)]);
  release(third);
});

onCard('the chip stands still for 1.6 ms after an overrun, and nobody waits for it as long', {}, (t, m) => {
  const stored = overrun(m, 60);
  bus.pic.take(LINE);
  const from = bus.time;
  m.plane.nicService(0);
  let longest = bus.time - from;
  let packet = 0;
  while (packet === 0) {
    const before = bus.time;
    packet = m.plane.nicReceive(0);
    longest = Math.max(longest, bus.time - before);
    t.is(m.plane.nicService(0) & NIC_RECEIVED, NIC_RECEIVED);
  }
  release(packet);
  t.true(bus.time - from > 3 * 107, 'by the refresh line, which the model changes at every third read');
  t.true(longest <= PIECE_ACCESSES, `${longest} accesses in one piece`);
  t.is(take(m.plane).length, stored.length - 1);
});

onCard('each frame of a flood is taken or counted, whatever the router has time for', {}, (t, m) => {
  const next = random(11);
  let sent = 0;
  let stored = 0;
  let taken = 0;
  for (let now = 1; now <= 300; now++) {
    puti32(NOW_AT, now);
    const frames = next() < 0.5 ? 149 : 20;
    const visits = Math.floor(next() * 8);
    for (let i = 0; i < frames; i++) {
      if (m.card.hears) sent++;
      if (m.card.receive(frame(60, i))) stored++;
      if (visits > 0 && i % Math.ceil(frames / visits) === 0) taken += interrupt(m.plane, 8).length;
    }
    m.plane.nicTick(0);
    taken += take(m.plane, 20).length;
  }
  m.plane.nicTick(0);
  taken += take(m.plane).length;
  m.plane.nicTick(0);
  t.is(taken, stored);
  t.true(m.card.missed > 1000);
  t.is(statistic(IF_RX_PACKETS) + statistic(IF_RX_DROPPED), sent);
  t.is(m.card.resets, 0);
});

/** The same of a restart: its waits, and all registers. */
const RESTART_ACCESSES = 200;

/** The most accesses of a piece of what a visit does, and the frames that it took. */
function pieces(m: Machine): { most: number; frames: Uint8Array[]; count: number } {
  let [most, count] = [0, 0];
  const frames: Uint8Array[] = [];
  for (; m.plane.nicWaiting(0) !== 0; count++) {
    const before = bus.time;
    const packet = m.plane.nicReceive(0);
    most = Math.max(most, bus.time - before);
    if (packet !== 0) frames.push(bytesOf(packet));
  }
  return { most, frames, count };
}

onCard('a hanging transmit takes no frame with it, and no piece of its end is long', {}, (t, m) => {
  m.card.transmitStuck = true;
  for (const round of [1, 2]) {
    m.plane.nicSend(0, packetOf(frame(100)));
    const stored = Array.from({ length: 45 }, (_, i) => frame(60, i));
    for (const each of stored) t.true(m.card.receive(each));
    puti32(NOW_AT, i32at(NOW_AT) + 1 + NIC_TRANSMIT_TICKS);
    const before = bus.time;
    t.is(m.plane.nicTick(0), NIC_RECEIVED);
    t.true(bus.time - before < PIECE_ACCESSES, `${bus.time - before}`);
    const { most, frames } = pieces(m);
    t.deepEqual(frames, stored);
    t.true(most < RESTART_ACCESSES, `${most}`);
    t.is(counter(COUNT_CARD_RESET), round);
    t.is(statistic(IF_TX_ERRORS), round);
    t.is(counter(COUNT_RING_OVERRUN), 0);
    t.is(m.plane.nicTick(0), NIC_SENT);
  }
  t.is(statistic(IF_RX_DROPPED), 0);
  m.card.transmitStuck = false;
  t.is(m.plane.nicSend(0, packetOf(frame(101))), 1);
  t.deepEqual(m.card.sent, [frame(101)]);
});

onCard(
  'a restart waits in pieces for a frame that arrives, where the reset port does nothing',
  { deafResetPort: true, receiveTime: 1200 },
  (t, m) => {
    const page = m.card.current;
    m.card.receive(frame(300));
    while (m.card.stored === 0) bus.in8(0x80);
    m.card.damage(page, 3, 0xff);
    m.card.receive(frame(301));
    bus.pic.take(LINE);
    t.is(m.plane.nicService(0), NIC_RECEIVED);
    const { most, frames, count } = pieces(m);
    t.deepEqual(frames, []);
    t.true(most < RESTART_ACCESSES, `${most}`);
    t.true(count > 5 && count < 20, `${count}`);
    t.is(counter(COUNT_CARD_RESET), 1);
    t.is(m.plane.nicSend(0, packetOf(frame(100))), 1);
    t.deepEqual(m.card.sent, [frame(100)]);
  },
);

onCard('nothing is sent while a restart waits', { deafResetPort: true, receiveTime: 1200 }, (t, m) => {
  m.card.receive(frame(301));
  m.card.remoteStuck = 'for ever';
  t.is(m.plane.nicSend(0, packetOf(frame(100))), 1);
  m.card.remoteStuck = 'no';
  const packet = packetOf(frame(101));
  t.is(m.plane.nicSend(0, packet), 0);
  t.is(m.plane.nicService(0), NIC_RECEIVED);
  pieces(m);
  t.is(m.plane.nicService(0), NIC_SENT);
  t.is(m.plane.nicSend(0, packet), 1);
  t.deepEqual(m.card.sent, [frame(101)]);
});

for (const [what, offset, value] of [
  ['next page below the ring', 1, 0x40],
  ['next page past the ring', 1, 0x80],
  ['next page that does not fit the length', 1, 0x60],
  ['length of 0', 3, 0],
  ['length past the ring', 3, 0xff],
  ['length of many pages', 3, 0x10],
] as const) {
  onCard(`a header with a ${what} resets the ring, counted, and the card goes on`, {}, (t, m) => {
    const page = m.card.current;
    m.card.receive(frame(400));
    m.card.receive(frame(401));
    m.card.damage(page, offset, value);
    if (what === 'length of 0') m.card.damage(page, 2, 0);
    m.card.addTally(2);
    t.deepEqual(interrupt(m.plane), []);
    t.is(statistic(IF_RX_DROPPED), 1, 'what the chip had missed');
    t.is(counter(COUNT_RING_OVERRUN), 1);
    t.is(counter(COUNT_CARD_RESET), 1);
    t.is(statistic(IF_RX_ERRORS), 1);
    t.is(poolFree(), BUFFER_COUNT);
    t.true(m.card.receive(frame(402)));
    t.deepEqual(interrupt(m.plane), [frame(402)]);
  });
}

onCard(
  'nicTick() says NIC_SENT after a reset that emptied the transmit buffers',
  { transmitTime: 5000 },
  (t, m) => {
    for (const seed of [1, 2]) m.plane.nicSend(0, packetOf(frame(100, seed)));
    const third = packetOf(frame(100, 3));
    t.is(m.plane.nicSend(0, third), 0);
    m.card.damage(m.card.current, 1, 0);
    const page = m.card.current;
    m.card.receive(frame(400));
    m.card.damage(page, 1, 0);
    t.deepEqual(interrupt(m.plane), []);
    t.is(statistic(IF_TX_ERRORS), 2);
    t.is(m.plane.nicTick(0), NIC_SENT);
    t.is(m.plane.nicSend(0, third), 1);
  },
);

onCard('a frame with a bad status, too short or too long is passed over alone', {}, (t, m) => {
  const page = m.card.current;
  m.card.receive(frame(100));
  m.card.damage(page, 0, 3);
  m.card.receive(frame(59));
  m.card.receive(frame(1515));
  m.card.receive(frame(3000));
  m.card.receive(frame(101));
  t.deepEqual(interrupt(m.plane), [frame(101)]);
  t.is(statistic(IF_RX_ERRORS), 4);
  t.is(counter(COUNT_CARD_RESET), 0);
  t.is(poolFree(), BUFFER_COUNT);
});

onCard('frames without a buffer are passed over and counted', {}, (t, m) => {
  const held = Array.from({ length: BUFFER_COUNT - 2 }, () => allocate());
  for (let i = 0; i < 5; i++) m.card.receive(frame(300, i));
  bus.pic.take(LINE);
  t.is(m.plane.nicService(0), NIC_RECEIVED);
  const got = [m.plane.nicReceive(0), m.plane.nicReceive(0), m.plane.nicReceive(0)];
  t.is(got[2], 0);
  t.is(statistic(IF_RX_DROPPED), 3);
  t.is(counter(DROP_NO_BUFFER), 3);
  for (const packet of [...held, got[0]!, got[1]!]) release(packet);
  m.card.receive(frame(301));
  t.deepEqual(interrupt(m.plane), [frame(301)]);
});

onCard(
  'a remote DMA that hangs in a receive resets the card within a bounded number of accesses',
  {},
  (t, m) => {
    m.card.receive(frame(1000));
    m.card.remoteStuck = 'until reset';
    const before = bus.time;
    t.deepEqual(interrupt(m.plane), []);
    t.true(bus.time - before < 5000);
    t.is(counter(COUNT_CARD_RESET), 1);
    t.is(m.card.resets, 1);
    t.is(statistic(IF_RX_DROPPED), 1);
    t.is(poolFree(), BUFFER_COUNT);
    m.card.receive(frame(1001));
    t.deepEqual(interrupt(m.plane), [frame(1001)]);
  },
);

for (const [which, after, page] of [
  ['second', 1, 0x60],
  ['second, before the wrap,', 1, 0x7e],
  ['third, behind the wrap,', 2, 0x7e],
] as const) {
  onCard(`a hang in the ${which} remote DMA of a frame is seen`, {}, (t, m) => {
    while (m.card.current !== page) {
      m.card.receive(frame(FRAME_MIN));
      interrupt(m.plane);
    }
    m.card.receive(frame(1000));
    m.card.remoteSticksAfter = after;
    t.deepEqual(interrupt(m.plane), []);
    t.is(counter(COUNT_CARD_RESET), 1);
    t.is(poolFree(), BUFFER_COUNT);
  });
}

onCard('a remote DMA that hangs in a send resets the card, and the frame is lost', {}, (t, m) => {
  m.card.remoteStuck = 'until reset';
  t.is(m.plane.nicSend(0, packetOf(frame(1000))), 1);
  t.is(counter(COUNT_CARD_RESET), 1);
  t.is(statistic(IF_TX_ERRORS), 1);
  t.is(m.plane.nicSend(0, packetOf(frame(1001))), 1);
  t.deepEqual(m.card.sent, [frame(1001)]);
  t.is(poolFree(), BUFFER_COUNT);
});

onCard('a card that hangs for ever, or is pulled out, costs bounded time', {}, (t, m) => {
  m.card.remoteStuck = 'for ever';
  for (const pulled of [false, true]) {
    m.card.absent = pulled;
    for (let i = 0; i < 20; i++) {
      const before = bus.time;
      m.card.receive(frame(60));
      puti32(NOW_AT, i32at(NOW_AT) + 1);
      if ((m.plane.nicTick(0) & NIC_RECEIVED) !== 0) take(m.plane);
      t.is(m.plane.nicSend(0, packetOf(frame(60))), 1);
      t.true(bus.time - before < 10000);
    }
  }
  t.is(poolFree(), BUFFER_COUNT);
  t.true(statistic(IF_RX_DROPPED) <= 20, 'what an empty bus reads is no count');
  const before = bus.time;
  t.is(m.plane.nicTick(0), 0, 'a card that is gone');
  t.true(bus.time - before <= 1);
});

onCard('a card that has ever new causes is left with an edge to come', {}, (t, m) => {
  m.card.receive(frame(FRAME_MIN));
  bus.pic.take(LINE);
  const read = bus.in8.bind(bus);
  bus.in8 = port => {
    const value = read(port);
    // Between the read of ISR and its reset, always the cause that was not read: the line never falls.
    if (port === PORT + 7 && (value & 1) === 0) m.card.receive(frame(FRAME_MIN));
    else if (port === PORT + 7) for (let i = 0; i < 128; i++) m.card.addTally(0);
    return value;
  };
  const before = bus.time;
  t.is(m.plane.nicService(0), NIC_RECEIVED);
  t.true(bus.time - before < 100);
  t.true(bus.pic.take(LINE));
});

onCard('an interrupt without a cause reads one register', {}, (t, m) => {
  const before = bus.time;
  t.is(m.plane.nicService(0), 0);
  t.is(bus.time - before, 1);
});

onCard('a frame that comes during a visit makes another interrupt', {}, (t, m) => {
  m.card.receive(frame(60, 1));
  bus.pic.take(LINE);
  t.is(m.plane.nicService(0), NIC_RECEIVED);
  m.card.receive(frame(60, 2));
  t.deepEqual(take(m.plane), [frame(60, 1)], 'CURR is read once a visit');
  t.deepEqual(interrupt(m.plane), [frame(60, 2)]);
});

onCard('tallies are read before they overflow', {}, (t, m) => {
  for (let i = 0; i < 130; i++) m.card.addTally(i & 1);
  for (let i = 0; i < 130; i++) m.card.addTally(1);
  t.true(bus.pic.take(LINE));
  m.plane.nicService(0);
  t.is(statistic(IF_RX_ERRORS), 257);
  m.card.addTally(2);
  puti32(NOW_AT, 64);
  m.plane.nicTick(0);
  t.is(statistic(IF_RX_DROPPED), 1);
});

onCard('a stopped card hears, sends and interrupts nothing; started again it does', {}, (t, m) => {
  m.plane.nicStop(0);
  t.false(m.card.receive(frame(60)));
  t.is(m.plane.nicSend(0, packetOf(frame(60))), 1);
  t.is(m.card.sent.length, 0);
  t.is(poolFree(), BUFFER_COUNT);
  m.plane.nicStart(0);
  t.true(m.card.receive(frame(61)));
  t.deepEqual(interrupt(m.plane), [frame(61)]);
});

onCard('port accesses of a frame stay within the budget', {}, (t, m) => {
  for (const [length, receive, send] of [
    [60, 15, 14],
    [1514, 22, 14],
  ] as const) {
    m.card.receive(frame(length));
    m.plane.nicSend(0, packetOf(frame(60)));
    let before = bus.time;
    t.is(interrupt(m.plane).length, 1);
    t.true(bus.time - before <= receive, `receive of ${length}: ${bus.time - before}`);
    before = bus.time;
    m.plane.nicSend(0, packetOf(frame(length)));
    t.true(bus.time - before <= send, `send of ${length}: ${bus.time - before}`);
  }
});

for (const build of builds) {
  for (const wide of [true, false]) {
    const width = wide ? 'of 32 bits' : 'that should be of 32 bits and is not';
    test.serial(
      `a PCI card with a data port ${width} brings and sends frames of all lengths (${build.name})`,
      t => {
        build.use();
        resetState();
        bus = new BusModel();
        const card = new Dp8390Model(bus, PORT, MAC, { wide });
        t.is(build.plane.nicProbe(0, NIC_NE2000_PCI, PORT, LINE), 1);
        t.is(i32at(cardAt(0) + DP_WIDE), wide ? 1 : 0);
        build.plane.nicStart(0);
        card.resets = 0;
        // Twice round the ring, so that frames lie across its end with every rest of four.
        for (let length = FRAME_MIN; length < FRAME_MIN + 80; length++) {
          for (const bytes of [frame(length), frame(length + 700)]) {
            t.true(card.receive(bytes));
            const got = interrupt(build.plane);
            if (got.length !== 1 || Buffer.compare(got[0] as Uint8Array, bytes) !== 0)
              t.deepEqual(got, [bytes]);
            t.is(build.plane.nicSend(0, packetOf(bytes)), 1);
            const sent = card.sent.at(-1) as Uint8Array;
            t.is(Buffer.compare(sent.subarray(0, bytes.length), bytes), 0, `${length}`);
            t.is(sent.length, bytes.length);
          }
        }
        t.is(card.resets, 0);
        t.deepEqual(card.violations, []);
        t.is(poolFree(), BUFFER_COUNT);
      },
    );
  }
}
