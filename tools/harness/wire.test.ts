// The wire's faults under a virtual clock, where a seed gives the same run every time, and its real ends.

import { readFileSync, rmSync } from 'node:fs';
import test from 'ava';
import { openTap } from '../../test/harness/tap.ts';
import { pings } from '../../test/harness/town.ts';
import { Network, within } from './namespace.ts';
import { Capture } from './pcap.ts';
import { Processes } from './processes.ts';
import { type Clock, dgramEnd, type Faults, FaultyWire, functionEnd, NO_FAULTS } from './wire.ts';

const isRoot = process.getuid?.() === 0;

/** A clock that jumps to the next timer; never goes backwards. */
function virtualClock(): Clock & { run(): void } {
  const timers: { at: number; callback: () => void }[] = [];
  let time = 0;
  return {
    now: () => time,
    after: (milliseconds, callback) => {
      const timer = { at: time + Math.max(0, milliseconds), callback };
      timers.push(timer);
      timers.sort((a, b) => a.at - b.at);
      return () => {
        const place = timers.indexOf(timer);
        if (place >= 0) timers.splice(place, 1);
      };
    },
    run: () => {
      for (let next = timers.shift(); next !== undefined; next = timers.shift()) {
        time = next.at;
        next.callback();
      }
    },
  };
}

interface Arrival {
  readonly at: number;
  readonly frame: Uint8Array;
}

function passing(
  seed: number,
  faults: Faults,
  frames: number,
  bytes = 60,
): { arrivals: Arrival[]; wire: FaultyWire } {
  const clock = virtualClock();
  const arrivals: Arrival[] = [];
  const first = functionEnd(() => {});
  const second = functionEnd(frame => arrivals.push({ at: clock.now(), frame }));
  const wire = new FaultyWire(first, second, { seed, there: faults, clock });
  for (let i = 0; i < frames; i++) {
    const frame = new Uint8Array(bytes);
    new DataView(frame.buffer).setUint32(0, i);
    first.receive(frame);
  }
  clock.run();
  return { arrivals, wire };
}

const number = ({ frame }: Arrival): number => new DataView(frame.buffer).getUint32(0);

test('FaultyWire without faults hands on every frame at once, in order', t => {
  const { arrivals, wire } = passing(1, {}, 100);
  t.deepEqual(arrivals.map(number), [...Array(100).keys()]);
  t.true(arrivals.every(({ at }) => at === 0));
  t.is(wire.there.tally.delivered, 100);
});

test('FaultyWire repeats a run from its seed, and another seed gives another run', t => {
  const faults = {
    loss: 0.15,
    duplicate: 0.05,
    corrupt: 0.15,
    truncate: 0.05,
    reorder: 0.1,
    delayMilliseconds: 2,
  };
  const run = (seed: number): string => JSON.stringify(passing(seed, faults, 300).arrivals);
  t.is(run(7), run(7));
  t.not(run(7), run(8));
});

test('FaultyWire loses, doubles, corrupts and cuts about as often as it is told', t => {
  const { wire } = passing(3, { loss: 0.1, duplicate: 0.1, corrupt: 0.1, truncate: 0.1 }, 10_000);
  const { lost, duplicated, corrupted, truncated, delivered, frames, overflowed } = wire.there.tally;
  for (const [name, value] of Object.entries({ lost, duplicated, corrupted, truncated })) {
    t.true(value > 800 && value < 1200, `${name} ${value}`);
  }
  t.is(overflowed, 0);
  t.is(delivered, frames - lost + duplicated);
});

test('FaultyWire corrupts exactly one bit and leaves the sender its frame', t => {
  const { arrivals } = passing(4, { corrupt: 1 }, 50);
  for (const [i, { frame }] of arrivals.entries()) {
    const expected = new Uint8Array(60);
    new DataView(expected.buffer).setUint32(0, i);
    let bits = 0;
    for (let k = 0; k < 60; k++) {
      for (let x = frame[k]! ^ expected[k]!; x !== 0; x &= x - 1) bits++;
    }
    t.is(bits, 1);
  }
});

test('FaultyWire cuts frames to every length but 0, which is no frame', t => {
  const { arrivals } = passing(6, { truncate: 1 }, 2000, 14);
  const lengths = new Set(arrivals.map(({ frame }) => frame.length));
  t.deepEqual(
    [...lengths].sort((a, b) => a - b),
    [...Array(13).keys()].map(i => i + 1),
  );
});

test('FaultyWire and Capture keep frames of a sender that uses its Buffer again', t => {
  const clock = virtualClock();
  const seen: number[] = [];
  const first = functionEnd(() => {});
  const capture = new Capture();
  const second = functionEnd(frame => seen.push(frame[0]!));
  new FaultyWire(first, second, { seed: 1, there: { delayMilliseconds: 5 }, clock, capture });
  const buffer = Buffer.alloc(60);
  for (const byte of [1, 2, 3]) first.receive(buffer.fill(byte));
  clock.run();
  t.deepEqual(seen, [1, 2, 3]);
  const path = capture.keep(`buffer test ${process.pid}`);
  t.teardown(() => rmSync(path));
  t.deepEqual(
    [0, 1, 2].map(i => readFileSync(path)[24 + 76 * i + 16]),
    [1, 2, 3],
  );
});

test('FaultyWire reorders by holding frames back', t => {
  const { arrivals } = passing(5, { reorder: 0.2, rate: 10_000_000, queue: 10_000 }, 500);
  const order = arrivals.map(number);
  t.notDeepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  t.deepEqual(
    [...order].sort((a, b) => a - b),
    [...Array(500).keys()],
  );
});

test('FaultyWire paces frames at its rate and drops what its queue does not hold', t => {
  const { arrivals, wire } = passing(6, { rate: 10_000_000, queue: 20 }, 50, 1514);
  t.is(arrivals.length, 20);
  t.is(wire.there.tally.overflowed, 30);
  const perFrame = (8 * (1514 + 24)) / 10_000; // 1.23 ms, as on a 10 Mb/s Ethernet
  t.true(Math.abs(arrivals[19]!.at - 20 * perFrame) < 1e-6);
  t.deepEqual(arrivals.map(number), [...Array(20).keys()]);
});

test('FaultyWire describes seed and all options', t => {
  const { wire } = passing(9, { loss: 0.5 }, 1);
  const text = wire.describe();
  t.regex(text, /"seed":9/);
  for (const name of Object.keys(NO_FAULTS)) t.regex(text, new RegExp(`"${name}"`));
});

test('dgramEnd() exchanges frames with a UDP socket as QEMU has it', async t => {
  const { end: a, wire: options } = await dgramEnd();
  const { createSocket } = await import('node:dgram');
  const peer = createSocket('udp4');
  t.teardown(() => peer.close());
  await new Promise<void>(resolve => peer.bind(options.dgram.local, options.dgram.host, resolve));
  const echoed = new Promise<Uint8Array>(resolve => {
    a.receive = resolve;
  });
  peer.on('message', frame => peer.send(frame, options.dgram.remote, options.dgram.host));
  a.send(new Uint8Array(1514).fill(7));
  t.deepEqual(new Uint8Array(await echoed), new Uint8Array(1514).fill(7));
  await a.close();
});

test('Capture writes what tcpdump reads', async t => {
  const capture = new Capture();
  // An ARP request, who has 192.168.0.1, tell 192.168.0.2.
  const arp = '0001080006040001020000000002c0a80002000000000000c0a80001';
  capture.add(Buffer.from(`ffffffffffff0200000000020806${arp}`, 'hex'), 1_000_500.25);
  const path = capture.keep(`capture test ${process.pid}`);
  t.teardown(() => rmSync(path));
  t.is(readFileSync(path).length, 24 + 16 + 42);
  const text = await new Processes().output(['tcpdump', '-tt', '-n', '-r', path]);
  t.regex(text, /^1000\.500250 ARP, Request who-has 192\.168\.0\.1 tell 192\.168\.0\.2/m);
});

(isRoot ? test : test.skip)('openTap() joins a namespace: a host pings another over a wire', async t => {
  const network = await Network.create();
  t.teardown(() => network.remove());
  const left = await network.segment('left');
  const right = await network.segment('right');
  const a = await network.host('a', left, ['10.9.0.1/24']);
  await network.host('b', right, ['10.9.0.2/24']);
  await left.tap('tapl');
  await right.tap('tapr');
  const capture = new Capture();
  const ends = [openTap('tapl', network.switch), openTap('tapr', network.switch)] as const;
  const wire = new FaultyWire(...ends, { seed: 1, capture, there: { delayMilliseconds: 30 } });
  t.teardown(() => wire.close());
  await pings(t, a, '10.9.0.2');
  t.true(capture.length >= 6);
  wire.there.faults = { ...wire.there.faults, loss: 1 };
  t.regex((await a.run(['ping', '-c', '2', '-i', '0.2', '-W', '1', '10.9.0.2'])).stdout, / 100% packet loss/);
  // This thread is where it was before: its own namespace has no such bridge.
  const here = await network.processes.run(['ip', 'link', 'show', 'left']);
  t.not(here.status, 0);
  const there = await network.processes.run(['ip', 'link', 'show', 'left'], {
    within: within(network.switch),
  });
  t.is(there.status, 0);
});
