import test from 'ava';
import fc from 'fast-check';
import { meteredBuild } from '../../../test/metered.ts';
import {
  addressText,
  concat,
  echo,
  faults,
  fragments,
  frame,
  ipv4,
  payload,
  put16,
  read,
  reassemble,
  sealIp,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  introduce,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import {
  DROP_FRAGMENT_LIMIT,
  DROP_FRAGMENT_MALFORMED,
  DROP_FRAGMENT_OVERLAP,
  DROP_FRAGMENT_TIMEOUT,
  DROP_TRANSPORT_HEADER,
} from '../../base/counters.ts';
import {
  FRAGMENT_CONTEXT_COUNT,
  FRAGMENT_HELD_LIMIT,
  FRAGMENT_HELD_SIDE,
  FRAGMENT_LIFE_TICKS,
  FRAGMENT_RANGE_COUNT,
  FRAGMENT_RELEASE,
  FRAGMENT_TICK_RELEASE,
  FRAGMENT_WAIT_TICKS,
} from '../../base/limits.ts';

const OUT = { source: HOST, destination: SERVER };
const IN = { source: SERVER, destination: WAN_ADDRESS };
const metered = await meteredBuild();
/** Ticks in which all that waits follows its first fragment. */
const RELEASE = Math.ceil(FRAGMENT_HELD_LIMIT / FRAGMENT_TICK_RELEASE);

/** A fragment made by hand: `bytes` of UDP at `offset`. */
const piece = (offset: number, bytes: number, more: boolean, id = 7, protocol = 17) =>
  ipv4(
    { ...OUT, id, fragmentOffset: offset, moreFragments: more },
    protocol,
    udp(OUT, 1043, 53, payload(3000)).slice(20 + offset, 20 + offset + bytes),
  );

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`fragments pass in any order, both ways, translated (${name})`, t => {
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [0, 2, 1],
      [2, 0, 1],
      [1, 0, 2],
    ];
    for (const order of orders) {
      const router = startRouter(build);
      const sent = udp({ ...OUT, id: 99 }, 1043, 53, payload(4000));
      const parts = fragments(sent, 1480);
      for (const i of order) router.fromHost(parts[i] as Uint8Array);
      const whole = reassemble(router.toWan());
      t.is(faults(whole), '');
      t.like(read(whole), { source: WAN_ADDRESS, destination: SERVER, sourcePort: 1043, ttl: 63 });
      t.deepEqual(read(whole).data, payload(4000));
      const back = fragments(udp(IN, 53, 1043, payload(3000, 5)), 1480);
      for (const i of order) router.fromGateway(back[i] as Uint8Array);
      const received = reassemble(router.toLan());
      t.is(faults(received), '');
      t.like(read(received), { source: SERVER, destination: HOST, destinationPort: 1043 });
      t.is(router.held(), 0);
    }
  });

  test.serial(`hosts with equal identifications leave with different ones (${name})`, t => {
    const router = startRouter(build);
    const a = fragments(udp({ ...OUT, id: 1 }, 1000, 53, payload(3000)), 1480);
    const b = fragments(udp({ ...OUT, source: OTHER, id: 1 }, 1000, 53, payload(3000, 9)), 1480);
    for (let i = 0; i < 3; i++) {
      router.fromHost(a[i] as Uint8Array);
      router.fromHost(b[i] as Uint8Array);
    }
    const out = router.toWan();
    t.is(out.length, 6);
    const ids = [...new Set(out.map(bytes => read(bytes).id))];
    t.is(ids.length, 2);
    for (const id of ids) t.is(faults(reassemble(out.filter(bytes => read(bytes).id === id))), '');
  });

  test.serial(`fragments in any order and of any size arrive whole (${name})`, t => {
    const router = startRouter(build);
    let id = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 180 }),
        fc.integer({ min: 1, max: 14 }),
        fc.infiniteStream(fc.nat()),
        (units, count, random) => {
          id = (id + 1) & 0xffff;
          const sent = udp({ ...OUT, id }, 1043, 53, payload(units * 8 * count - 11));
          const parts = fragments(sent, units * 8).map(part => ({
            part,
            key: random.next().value as number,
          }));
          parts.sort((x, y) => x.key - y.key);
          for (const { part } of parts) router.fromHost(part);
          router.ticks(2);
          const whole = reassemble(router.toWan());
          return faults(whole) === '' && router.held() === 0;
        },
      ),
      { numRuns: 100, seed: runSeed() },
    );
    t.pass();
  });

  test.serial(`a fragment that is seen twice passes once (${name})`, t => {
    const router = startRouter(build);
    const parts = fragments(udp(OUT, 1043, 53, payload(4000)), 1480);
    for (const part of [parts[0], parts[1], parts[1], parts[0], parts[2]])
      router.fromHost(part as Uint8Array);
    t.is(router.toWan().length, 3);
    t.is(router.counter(DROP_FRAGMENT_OVERLAP), 2);
  });

  test.serial(`an overlap ends the datagram, before and after its first fragment (${name})`, t => {
    for (const first of [true, false]) {
      const router = startRouter(build);
      if (first) router.fromHost(piece(0, 800, true));
      router.fromHost(piece(800, 800, true));
      t.is(router.toWan().length, first ? 2 : 0);
      router.fromHost(piece(1592, 16, true));
      router.fromHost(piece(1600, 100, false));
      if (!first) router.fromHost(piece(0, 800, true));
      t.deepEqual(router.toWan(), []);
      t.is(router.held(), 0);
      t.true(router.counter(DROP_FRAGMENT_OVERLAP) >= 2);
    }
  });

  test.serial(`fragments that lie about the end are dropped with their datagram (${name})`, t => {
    const lies = [
      [piece(0, 800, true), piece(1600, 100, false), piece(1800, 8, true)],
      [piece(0, 800, true), piece(1600, 100, false), piece(2400, 8, false)],
      [piece(0, 800, true), piece(1600, 8, true), piece(800, 8, false)],
    ];
    for (const [index, all] of lies.entries()) {
      const router = startRouter(build);
      for (const part of all) router.fromHost(part);
      t.is(router.toWan().length, 2, `case ${index}`);
      router.fromHost(piece(1200, 8, true));
      t.deepEqual(router.toWan(), [], `case ${index}`);
      t.is(router.counter(DROP_FRAGMENT_OVERLAP), 2, `case ${index}`);
    }
  });

  test.serial(`malformed fragments are dropped alone (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(piece(800, 0, true));
    router.fromHost(piece(800, 12, true));
    // Beyond 65,535: what made hosts crash once.
    router.fromHost(ipv4({ ...OUT, fragmentOffset: 65528 }, 1, payload(40)));
    router.fromHost(ipv4({ ...OUT, fragmentOffset: 8, moreFragments: true }, 6, payload(40)));
    router.fromHost(ipv4({ ...OUT, fragmentOffset: 16 }, 6, payload(40)));
    t.is(router.counter(DROP_FRAGMENT_MALFORMED), 5);
    const whole = tcp(OUT, { sourcePort: 1, destinationPort: 2 }, payload(100));
    router.fromHost(fragments(whole, 8)[0] as Uint8Array);
    t.is(router.counter(DROP_TRANSPORT_HEADER), 1);
    t.deepEqual(router.toWan(), []);
    t.is(router.held(), 0);
  });

  test.serial(`what waits for a first fragment that never comes is dropped in time (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(piece(1480, 1480, true));
    t.is(router.held(), 1);
    router.ticks(FRAGMENT_WAIT_TICKS - 1);
    t.is(router.held(), 1);
    router.ticks(FRAGMENT_CONTEXT_COUNT + 1);
    t.is(router.held(), 0);
    t.is(router.counter(DROP_FRAGMENT_TIMEOUT), 1);
  });

  test.serial(`ports are remembered until the context's time is over (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(piece(0, 1480, true));
    router.ticks(FRAGMENT_LIFE_TICKS - 1);
    router.fromHost(piece(1480, 800, true));
    t.is(router.toWan().length, 2);
    router.ticks(FRAGMENT_CONTEXT_COUNT + 1);
    router.fromHost(piece(2280, 8, true));
    t.is(router.toWan().length, 0);
    t.is(router.held(), 1);
  });

  test.serial(`a flood of fragments takes one side's share, and the other side goes on (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(udp(OUT, 1043, 53));
    router.toWan();
    for (let i = 0; i < 500; i++) {
      const lost = fragments(udp({ ...IN, id: i }, 53, 1043, payload(3000)), 1480);
      router.fromGateway(lost[1] as Uint8Array);
    }
    t.true(router.held() <= FRAGMENT_HELD_SIDE);
    t.true(router.counter(DROP_FRAGMENT_LIMIT) >= 500 - FRAGMENT_HELD_SIDE);
    for (const part of fragments(udp(OUT, 1043, 53, payload(20000)), 1480).reverse()) router.fromHost(part);
    router.ticks(RELEASE);
    t.is(faults(reassemble(router.toWan())), '');
    // A datagram from outside that comes in order needs no place to wait.
    for (const part of fragments(udp({ ...IN, id: 501 }, 53, 1043, payload(3000)), 1480))
      router.fromGateway(part);
    t.is(faults(reassemble(router.toLan())), '');
    router.ticks(FRAGMENT_LIFE_TICKS + FRAGMENT_CONTEXT_COUNT);
    t.is(router.held(), 0);
  });

  test.serial(`a large ping of our own address is answered fragment by fragment (${name})`, t => {
    const router = startRouter(build);
    const data = payload(3000);
    const ping = echo({ source: HOST, destination: LAN_ADDRESS, id: 4 }, 8, 77, 1, data);
    for (const part of fragments(ping, 1480)) router.fromHost(part);
    const reply = reassemble(router.toLan());
    t.is(faults(reply), '');
    t.like(read(reply), { source: LAN_ADDRESS, destination: HOST, type: 0, identifier: 77, ttl: 64 });
    t.deepEqual(read(reply).data, data);
    for (const part of fragments(ping, 1480).reverse()) router.fromHost(part);
    t.is(faults(reassemble(router.toLan())), '');
    const outside = echo({ ...IN, id: 4 }, 8, 77, 1, data);
    for (const part of fragments(outside, 1480)) router.fromGateway(part);
    t.deepEqual(router.toWan(), []);
    t.is(router.held(), 0);
  });

  test.serial(`more ranges than a context has places are refused, and nothing leaks (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(piece(0, 8, true));
    for (let i = 0; i < 40; i++) router.fromHost(piece(16 + 16 * i, 8, true));
    t.is(router.toWan().length, FRAGMENT_RANGE_COUNT);
    t.is(router.counter(DROP_FRAGMENT_LIMIT), 41 - FRAGMENT_RANGE_COUNT);
    t.is(router.held(), 0);
    const odd = concat(piece(0, 8, true));
    put16(odd, 4, 8);
    router.fromHost(sealIp(odd));
    t.is(router.toWan().length, 1);
  });

  test.serial(`a datagram of any size arrives, its fragments in any order, both ways (${name})`, t => {
    const orders: ((i: number) => number)[] = [
      i => i,
      i => -i,
      i => (i % 2 === 0 ? 100 : 0) + i,
      i => (i * 29) % 47,
    ];
    for (const order of orders) {
      const router = startRouter(build);
      const inOrder = (parts: Uint8Array[]) =>
        parts.map((part, i) => [order(i), part] as const).sort(([a], [b]) => a - b);
      router.fromHost(udp(OUT, 1043, 53));
      router.taken(WAN);
      const largest = payload(65507);
      const out: Uint8Array[] = [];
      for (const [, part] of inOrder(fragments(udp({ ...OUT, id: 9 }, 1043, 53, largest), 1480))) {
        router.fromHost(part);
        out.push(...router.toWan());
      }
      router.ticks(RELEASE);
      const whole = reassemble([...out, ...router.toWan()]);
      t.is(faults(whole), '');
      t.deepEqual(read(whole).data, largest);
      const back: Uint8Array[] = [];
      for (const [, part] of inOrder(fragments(udp({ ...IN, id: 9 }, 53, 1043, largest), 1480))) {
        router.fromGateway(part);
        back.push(...router.toLan());
      }
      router.ticks(RELEASE);
      t.deepEqual(read(reassemble([...back, ...router.toLan()])).data, largest);
      t.is(router.held(), 0);
      t.is(router.counter(DROP_FRAGMENT_LIMIT), 0);
    }
  });

  test.serial(`what waited follows its first fragment at the pace of a link (${name})`, t => {
    const router = startRouter(build);
    const parts = fragments(udp({ ...OUT, id: 9 }, 1043, 53, payload(60000)), 1480).reverse();
    for (const part of parts) router.fromHost(part);
    t.is(router.toWan().length, 1 + FRAGMENT_RELEASE);
    for (let left = parts.length - 1 - FRAGMENT_RELEASE; left > 0; left -= FRAGMENT_TICK_RELEASE) {
      router.ticks(1);
      t.is(router.toWan().length, Math.min(left, FRAGMENT_TICK_RELEASE));
    }
    // The context is free at once: a datagram of the same name begins anew.
    router.fromHost(parts[0] as Uint8Array);
    t.deepEqual(router.toWan(), []);
    t.is(router.held(), 1);
  });

  test.serial(`one host's fragments leave another's their places (${name})`, t => {
    const router = startRouter(build);
    const flood = (from: number, count: number) => {
      for (let id = from; id < from + count; id++) {
        const parts = fragments(udp({ ...OUT, id }, 1043, 53, payload(4000)), 1480);
        for (const part of parts.slice(1)) router.fromHost(part);
      }
    };
    flood(100, 200);
    t.true(router.held() >= FRAGMENT_HELD_SIDE - 1);
    // A host of the flood, and the flood goes on between each two of the other's fragments.
    const parts = fragments(
      udp({ source: OTHER, destination: SERVER, id: 1 }, 2000, 53, payload(20000)),
      1480,
    ).reverse();
    for (const [i, part] of parts.entries()) {
      router.put(LAN, frame(LAN_MAC, OTHER_MAC, part));
      flood(1000 + 10 * i, 10);
    }
    router.ticks(RELEASE);
    t.is(faults(reassemble(router.toWan())), '');
    router.ticks(FRAGMENT_LIFE_TICKS + FRAGMENT_CONTEXT_COUNT);
    t.is(router.held(), 0);
  });

  test.serial(
    `forged sources outside take what one side may have, and the inside keeps its own (${name})`,
    t => {
      const router = startRouter(build);
      for (let i = 0; i < 500; i++) {
        const source = addressText((198 << 24) + i);
        const lost = fragments(
          udp({ source, destination: WAN_ADDRESS, id: i }, 53, 1043, payload(4000)),
          1480,
        );
        for (const part of lost.slice(1)) router.fromGateway(part);
      }
      t.true(router.held() <= FRAGMENT_HELD_SIDE);
      const room = FRAGMENT_HELD_LIMIT - FRAGMENT_HELD_SIDE;
      for (const part of fragments(udp(OUT, 1043, 53, payload(1480 * room)), 1480).reverse())
        router.fromHost(part);
      router.ticks(RELEASE);
      t.is(faults(reassemble(router.toWan())), '');
    },
  );
}

test.serial('a fragment costs a bounded search, and what waited never goes all at once', t => {
  const router = startRouter(metered);
  let worst = 0;
  const send = (datagram: Uint8Array) => {
    worst = Math.max(
      worst,
      metered.operations(() => router.fromHost(datagram)),
    );
    router.taken(WAN);
  };
  // Each from another source, in two pieces that wait: all contexts and all places are taken, and taken again.
  for (let i = 0; i < 200; i++) {
    const source = `192.168.0.${10 + (i % 60)}`;
    if (i < 60) introduce(router, LAN, HOST_MAC, source, LAN_ADDRESS);
    const parts = fragments(udp({ source, destination: SERVER, id: i }, 1043, 53, payload(4000)), 1480);
    for (const part of parts.slice(1)) send(part);
  }
  // As many ranges as a context has, and then one that touches two.
  for (let i = 1; i < FRAGMENT_RANGE_COUNT + 3; i++) send(piece(16 * i, 8, true, 5000));
  send(piece(24, 8, true, 5000));
  t.log(`to wait: ${worst} operations`);
  t.true(worst < 5000, `${worst}`);
  router.ticks(FRAGMENT_LIFE_TICKS + FRAGMENT_CONTEXT_COUNT);
  // The first of all sessions and fragments draws keys that stay, from a fresh block of the generator.
  for (const part of fragments(udp({ ...OUT, id: 8 }, 1042, 53, payload(2000)), 1480)) router.fromHost(part);
  router.taken(WAN);
  const parts = fragments(udp({ ...OUT, id: 9 }, 1043, 53, payload(60000)), 1480).reverse();
  for (const part of parts.slice(0, -1)) router.fromHost(part);
  const first = metered.operations(() => router.fromHost(parts.at(-1) as Uint8Array));
  router.taken(WAN);
  const tick = metered.operations(() => router.ticks(1));
  t.log(`the first: ${first}, a tick: ${tick}`);
  t.true(first < 8000, `${first}`);
  t.true(tick < 12000, `${tick}`);
});
