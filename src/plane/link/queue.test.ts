// The queues of a link with a rate: order, limits, who has what part of the line, acknowledgments; on both builds of the plane.
// Not here: what people wait for on a slow line (queue-line.test.ts), what it costs (queue-cost.test.ts).

import test from 'ava';
import { audit } from '../../../test/fuzz/audit.ts';
import {
  ACK,
  arpFrame,
  faults,
  frame,
  isArp,
  PSH,
  payload,
  read,
  reassemble,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  GATEWAY,
  GATEWAY_MAC,
  HOST,
  introduce,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { type Build, javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_QUEUE_DELAY, DROP_TRANSMIT_FULL } from '../../base/counters.ts';
import { IF_QUEUES, IF_TX_DROPPED } from '../../base/interface.ts';
import { BUFFER_COUNT, COUNTERS_AT, POOL_RESERVE } from '../../base/limits.ts';
import { fill, i32at } from '../../base/memory.ts';
import { QUEUE_ACKS, QUEUE_LEAST_PACKETS, QUEUE_POOL_SHARE, queueRecordAt } from '../../base/queue-limits.ts';
import {
  QUEUE_DROPPED_DELAY,
  QUEUE_DROPPED_LIMIT,
  QUEUE_FILTERED,
  QUEUE_HELD_BYTES,
  QUEUE_LIMIT_PACKETS,
  QUEUE_PACKETS,
} from '../../base/queue-record.ts';

const builds = [javascriptBuild(), await wasmBuild()];
const OUT = { source: HOST, destination: SERVER };
const SLOW = 33600;

function startSlow(build: Build, rate = SLOW, { isByFlow = 0, wanMtu = 576 } = {}): Router {
  const router = startRouter(build, { wanMtu });
  router.plane.queueFair(isByFlow);
  router.plane.queueSet(WAN, rate, 0, 1);
  return router;
}

const of = (field: number): number => i32at(queueRecordAt(WAN) + field);
const ports = (router: Router): number[] => router.toWan().map(bytes => read(bytes).sourcePort);

/** Ticks until all that waits has gone; answers what went. */
function drainAll(router: Router, ticks = 3000): Uint8Array[] {
  const all = router.toWan();
  for (let i = 0; i < ticks && of(QUEUE_PACKETS) > 0; i++) {
    router.ticks(1);
    all.push(...router.toWan());
  }
  return all;
}

/** A host of the LAN, known to us, and a datagram from it. */
function hostNumber(n: number): { name: string; station: string } {
  return {
    name: `192.168.0.${10 + n}`,
    station: `02:00:00:00:01:${(n & 0xff).toString(16).padStart(2, '0')}`,
  };
}

/** Numbers from 0 to 1, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

function send(router: Router, n: number, port: number, bytes: number): void {
  const { name, station } = hostNumber(n);
  router.put(
    LAN,
    frame(LAN_MAC, station, udp({ source: name, destination: SERVER }, port, 53, payload(bytes))),
  );
}

for (const build of builds) {
  const { name } = build;

  test.serial(`what goes out keeps to the rate, whatever the packets are (${name})`, t => {
    for (const [rate, bytes] of [
      [9600, 548],
      [33600, 548],
      [33600, 12],
      [128000, 300],
      [512000, 548],
      [10000000, 548],
    ] as const) {
      const router = startSlow(build, rate);
      let sent = 0;
      const seconds = 2;
      for (let tick = 0; tick < 100 * seconds; tick++) {
        for (let i = 0; i < 24; i++) router.fromHost(udp(OUT, 2000, 53, payload(bytes)));
        router.ticks(1);
        sent += router.toWan().reduce((sum, datagram) => sum + read(datagram).totalLength, 0);
      }
      const most = (rate / 8) * seconds;
      const offered = 24 * (28 + bytes) * 100 * seconds;
      const expected = Math.min(most, offered);
      t.true(sent <= most + rate / 800 + 2 * 576, `${rate}: ${sent} of ${most}`);
      t.true(sent > expected * 0.98 - 1152, `${rate}: ${sent} of ${expected}`);
    }
  });

  test.serial(`a new flow goes before those that wait, and each keeps its order (${name})`, t => {
    const router = startSlow(build);
    for (let i = 0; i < 6; i++) router.fromHost(udp(OUT, 2000, 53, payload(500, i)));
    router.fromHost(udp(OUT, 2001, 53));
    router.fromHost(udp(OUT, 2001, 53));
    const out = drainAll(router).map(datagram => read(datagram));
    t.deepEqual(
      out.map(({ sourcePort }) => sourcePort),
      [2000, 2001, 2001, 2000, 2000, 2000, 2000, 2000],
    );
    t.deepEqual(
      out.filter(({ sourcePort }) => sourcePort === 2000).map(({ data }) => data[0]),
      Array.from({ length: 6 }, (_, i) => payload(1, i)[0]),
    );
    t.is(router.held(), 0);
  });

  test.serial(`ARP goes before all that waits, a few of it (${name})`, t => {
    const router = startSlow(build);
    for (let i = 0; i < 6; i++) router.fromHost(udp(OUT, 2000, 53, payload(500)));
    router.taken(WAN);
    for (let i = 0; i < 20; i++)
      router.put(
        WAN,
        arpFrame('ff:ff:ff:ff:ff:ff', {
          operation: 1,
          senderMac: GATEWAY_MAC,
          senderAddress: GATEWAY,
          targetAddress: WAN_ADDRESS,
        }),
      );
    const frames: Uint8Array[] = [];
    for (let tick = 0; tick < 300; tick++) {
      router.ticks(1);
      frames.push(...router.taken(WAN));
    }
    t.is(
      frames.findIndex(bytes => !isArp(bytes)),
      8,
    );
    t.is(frames.filter(isArp).length, 8);
    t.is(of(QUEUE_DROPPED_LIMIT), 12);
    t.is(router.held(), 0);
  });

  test.serial(
    `beyond the limit the fattest queue loses its oldest, and who sends little loses nothing (${name})`,
    t => {
      const router = startSlow(build, 64000, { isByFlow: 1 });
      router.fromHost(udp(OUT, 2999, 53, payload(500)));
      router.taken(WAN);
      for (let i = 0; i < 3; i++) router.fromHost(udp(OUT, 2001, 53, payload(8, i)));
      for (let i = 0; i < 100; i++) router.fromHost(udp(OUT, 2000, 53, payload(500, i)));
      t.true(of(QUEUE_HELD_BYTES) <= 8000);
      t.is(of(QUEUE_DROPPED_LIMIT), router.counter(DROP_TRANSMIT_FULL));
      t.is(router.interfaceField(WAN, IF_TX_DROPPED), of(QUEUE_DROPPED_LIMIT));
      const out = drainAll(router).map(datagram => read(datagram));
      t.is(out.filter(({ sourcePort }) => sourcePort === 2001).length, 3);
      const fat = out.filter(({ sourcePort }) => sourcePort === 2000);
      t.is(fat.at(-1)?.data[0], payload(1, 99)[0]);
      t.is(100 - fat.length, of(QUEUE_DROPPED_LIMIT) + of(QUEUE_DROPPED_DELAY));
      t.is(router.held(), 0);
    },
  );

  test.serial(`a link holds no more than its share of the pool, and when that is low a few (${name})`, t => {
    const router = startSlow(build, 2000000);
    for (let i = 0; i < 200; i++) router.fromHost(udp(OUT, 2000 + (i & 31), 53));
    const share = (BUFFER_COUNT * QUEUE_POOL_SHARE) >> 4;
    t.is(of(QUEUE_LIMIT_PACKETS), share);
    t.true(of(QUEUE_PACKETS) <= share);
    // 63 of the shortest are two ticks of the rate.
    t.true(of(QUEUE_PACKETS) > share - 4);
    const kept: number[] = [];
    while (router.plane.poolFree() > POOL_RESERVE) kept.push(router.plane.allocate());
    const before = of(QUEUE_PACKETS);
    for (let i = 0; i < 100; i++) router.fromHost(udp(OUT, 2000 + (i & 31), 53));
    t.true(of(QUEUE_PACKETS) <= before && of(QUEUE_PACKETS) >= QUEUE_LEAST_PACKETS);
    t.true(router.plane.poolFree() >= POOL_RESERVE - 1);
    for (const packet of kept) router.plane.release(packet);
    drainAll(router);
    t.is(router.held(), 0);
  });

  test.serial(`2, 16 and 100 hosts that send alike have like parts of the line (${name})`, t => {
    for (const [hosts, worst] of [
      [2, 1.02],
      [16, 1.1],
      [100, 2.6],
    ] as const) {
      const router = startSlow(build, 512000);
      for (let n = 0; n < hosts; n++)
        introduce(router, LAN, hostNumber(n).station, hostNumber(n).name, LAN_ADDRESS);
      const random = seeded(hosts);
      const got = new Map<number, number>();
      for (let tick = 0; tick < 4000; tick++) {
        // Each offers three times its part or more, at moments of chance.
        for (let n = 0; n < hosts; n++) if (random() * hosts < 4) send(router, n, 2000 + n, 548);
        router.ticks(1);
        if (tick < 1000) {
          router.toWan();
          continue;
        }
        for (const datagram of router.toWan()) {
          const { sourcePort, totalLength } = read(datagram);
          got.set(sourcePort, (got.get(sourcePort) ?? 0) + totalLength);
        }
      }
      const parts = Array.from({ length: hosts }, (_, n) => got.get(2000 + n) ?? 0);
      const fair = parts.reduce((a, b) => a + b) / hosts;
      t.log(
        `${hosts}: ${(Math.min(...parts) / fair).toFixed(2)} to ${(Math.max(...parts) / fair).toFixed(2)}`,
      );
      t.true(Math.min(...parts) > fair / worst && Math.max(...parts) < fair * worst, `${parts}`);
    }
  });

  test.serial(`a host with a thousand flows has as much as one with one, by host (${name})`, t => {
    const share = (isByFlow: number): number => {
      const router = startSlow(build, 512000, { isByFlow });
      for (const n of [0, 1]) introduce(router, LAN, hostNumber(n).station, hostNumber(n).name, LAN_ADDRESS);
      let [one, many] = [0, 0];
      for (let tick = 0; tick < 3000; tick++) {
        send(router, 0, 2000, 548);
        for (let i = 0; i < 3; i++) send(router, 1, 3000 + ((tick * 3 + i) % 1000), 548);
        router.ticks(1);
        for (const datagram of router.toWan())
          if (read(datagram).sourcePort === 2000) one++;
          else many++;
      }
      return one / (one + many);
    };
    const [byHost, byFlow] = [share(0), share(1)];
    t.log(`by host ${byHost.toFixed(2)}, by flow ${byFlow.toFixed(2)}`);
    t.true(byHost > 0.4 && byHost < 0.6);
    t.true(byFlow < 0.25);
  });

  test.serial(`what is longer than the link leaves in fragments, in order, among others (${name})`, t => {
    const router = startSlow(build);
    router.fromHost(udp(OUT, 2999, 53, payload(500)));
    router.taken(WAN);
    router.fromHost(udp(OUT, 2000, 53, payload(1472)));
    router.fromHost(udp(OUT, 2001, 53, payload(400)));
    const out = drainAll(router).filter(
      datagram => read(datagram).sourcePort !== 2001 || read(datagram).fragmentOffset > 0,
    );
    const parts = out.filter(datagram => read(datagram).moreFragments || read(datagram).fragmentOffset > 0);
    t.is(parts.length, 3);
    const whole = reassemble(parts);
    t.is(faults(whole), '');
    t.deepEqual(read(whole).data, payload(1472));
    t.is(router.held(), 0);
  });

  test.serial(`what waits leaves by the FIFO when the queues end, and the other way round (${name})`, t => {
    const router = startSlow(build, 9600);
    for (let i = 0; i < 8; i++) router.fromHost(udp(OUT, 2000 + i, 53, payload(200)));
    const before = ports(router).length;
    router.plane.queueRemove(WAN);
    router.ticks(1);
    t.is(before + ports(router).length, 8);
    t.is(router.interfaceField(WAN, IF_QUEUES), 0);
    for (let i = 0; i < 40; i++) router.fromHost(udp(OUT, 2000, 53));
    router.plane.queueSet(WAN, 64000, 0, 1);
    router.plane.queueSet(WAN, 128000, 0, 1);
    t.is(drainAll(router).length, 40);
    t.is(router.held(), 0);
  });

  test.serial(`a queue that stands is thinned out, and one that does not is left alone (${name})`, t => {
    const router = startSlow(build, 64000);
    for (let tick = 0; tick < 1000; tick++) {
      // 14 packets a second fit; 17 come.
      if (tick % 6 === 0) router.fromHost(udp(OUT, 2000, 53, payload(548)));
      router.ticks(1);
      router.toWan();
    }
    t.true(of(QUEUE_DROPPED_DELAY) > 5);
    t.is(router.counter(DROP_QUEUE_DELAY), of(QUEUE_DROPPED_DELAY));
    t.is(of(QUEUE_DROPPED_LIMIT), 0);
    const gentle = startSlow(build, 64000);
    for (let tick = 0; tick < 1000; tick++) {
      if (tick % 40 === 0) for (let i = 0; i < 4; i++) gentle.fromHost(udp(OUT, 2000, 53, payload(548)));
      gentle.ticks(1);
      gentle.toWan();
    }
    t.is(of(QUEUE_DROPPED_DELAY), 0);
  });

  test.serial(`a link without a rate knows nothing of queues (${name})`, t => {
    const router = startRouter(build);
    const [from, bytes] = [queueRecordAt(0), 8 * 2048];
    fill(from, 0xa5, bytes);
    for (let i = 0; i < 40; i++) router.fromHost(udp(OUT, 2000 + i, 53, payload(500)));
    router.ticks(10);
    t.is(router.toWan().length, 40);
    t.true(build.memory.subarray(from, from + bytes).every(byte => byte === 0xa5));
    t.is(i32at(COUNTERS_AT + 4 * DROP_QUEUE_DELAY), 0);
  });
}

for (const build of builds) {
  const { name } = build;
  const LINE = { sourcePort: 2000, destinationPort: 80 };
  const STAMP = (value: number) => [1, 1, 8, 10, 0, 0, 0, value, 0, 0, 0, 0];

  /** A connection on a line that is busy; segments of it that were sent while nothing could go, as they leave. */
  const through = (
    segments: {
      flags?: number;
      options?: number[];
      acknowledgment: number;
      window?: number;
      data?: number;
    }[],
  ) => {
    const router = startRouter(build, { wanMtu: 576 });
    router.fromHost(tcp(OUT, { ...LINE, sequence: 0, flags: SYN }));
    router.fromGateway(
      tcp(
        { source: SERVER, destination: WAN_ADDRESS },
        { sourcePort: 80, destinationPort: 2000, sequence: 0, acknowledgment: 1, flags: SYN | ACK },
      ),
    );
    router.fromHost(tcp(OUT, { ...LINE, sequence: 1, acknowledgment: 1 }));
    router.taken(WAN);
    router.taken(LAN);
    router.plane.queueSet(WAN, 9600, 0, 1);
    // What is sent while nothing waits is not noted: one of the connection waits first.
    for (let i = 0; i < 2; i++) router.fromHost(udp(OUT, 3000, 53, payload(500)));
    router.fromHost(tcp(OUT, { ...LINE, sequence: 1, acknowledgment: 1 }));
    for (const { data = 0, ...fields } of segments)
      router.fromHost(tcp(OUT, { ...LINE, sequence: 1, ...fields }, payload(data)));
    const filtered = of(QUEUE_FILTERED);
    const acks: number[] = [];
    for (let tick = 0; tick < 300; tick++) {
      router.ticks(1);
      for (const datagram of router.toWan())
        if (read(datagram).sourcePort === 2000) acks.push(read(datagram).acknowledgment);
    }
    return { acks: acks.slice(1), filtered, held: router.held() };
  };

  test.serial(`a newer acknowledgment takes the place of an older one of its connection (${name})`, t => {
    t.deepEqual(through([{ acknowledgment: 1000 }, { acknowledgment: 2000 }, { acknowledgment: 3000 }]), {
      acks: [3000],
      filtered: 2,
      held: 0,
    });
    const stamped = [1000, 2000].map((acknowledgment, i) => ({ acknowledgment, options: STAMP(i) }));
    t.is(through(stamped).filtered, 1);
  });

  test.serial(`duplicates, unknown options, shrunk windows and other flags are sent (${name})`, t => {
    const kept = (...segments: Parameters<typeof through>[0]) => {
      const { acks, filtered, held } = through(segments);
      t.is(filtered, 0);
      t.is(held, 0);
      t.is(acks.length, segments.length);
    };
    kept({ acknowledgment: 1000 }, { acknowledgment: 1000 });
    kept({ acknowledgment: 1000 }, { acknowledgment: 1000 }, { acknowledgment: 2000 });
    kept({ acknowledgment: 1 }, { acknowledgment: 2000 });
    kept({ acknowledgment: 2000 }, { acknowledgment: 1000 });
    kept({ acknowledgment: 1000, window: 5000 }, { acknowledgment: 2000, window: 4999 });
    kept({ acknowledgment: 1000 }, { acknowledgment: 2000, options: [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2] });
    kept({ acknowledgment: 1000, options: [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2] }, { acknowledgment: 2000 });
    kept({ acknowledgment: 1000, options: STAMP(2) }, { acknowledgment: 2000, options: STAMP(1) });
    kept({ acknowledgment: 1000, options: STAMP(2) }, { acknowledgment: 2000 });
    kept({ acknowledgment: 1000 }, { acknowledgment: 2000, flags: ACK | 0x40 });
    kept({ acknowledgment: 1000 }, { acknowledgment: 2000, flags: ACK | PSH });
    kept({ acknowledgment: 1000 }, { acknowledgment: 2000, data: 1 });
  });

  test.serial(
    `acknowledgments do not starve who else waits, and those without a place wait with it (${name})`,
    t => {
      const router = startSlow(build, 33600);
      router.fromHost(udp(OUT, 3999, 53, payload(500)));
      router.taken(WAN);
      for (let i = 0; i < 4; i++) router.fromHost(udp(OUT, 3000, 53, payload(100)));
      // Made-up ones, of a connection each.
      for (let i = 0; i < QUEUE_ACKS + 5; i++)
        router.fromHost(
          tcp(OUT, { sourcePort: 2000 + i, destinationPort: 80, acknowledgment: 1, flags: SYN }),
        );
      router.taken(WAN);
      const order: string[] = [];
      for (let tick = 0; tick < 400; tick++) {
        router.fromHost(tcp(OUT, { sourcePort: 2000 + (tick % 20), destinationPort: 80, acknowledgment: 1 }));
        router.ticks(1);
        for (const datagram of router.toWan())
          order.push(read(datagram).sourcePort === 3000 ? 'data' : 'ack');
      }
      t.is(order.filter(what => what === 'data').length, 4);
      t.true(order.lastIndexOf('data') < 60, `${order.lastIndexOf('data')}`);
    },
  );
}

test.serial('both builds leave the same memory, whatever comes, and no buffer is lost', t => {
  const run = (build: Build): { memory: Uint8Array; held: number; sent: number; faults: string[] } => {
    build.memory.fill(0);
    const router = startRouter(build, { wanMtu: 576 });
    for (let n = 0; n < 6; n++)
      introduce(router, LAN, hostNumber(n).station, hostNumber(n).name, LAN_ADDRESS);
    const random = seeded(7);
    const pick = (most: number): number => Math.floor(random() * most);
    let sent = 0;
    const faults: string[] = [];
    for (let step = 0; step < 6000; step++) {
      const kind = pick(100);
      if (kind === 0) router.plane.queueSet(WAN, 2 ** pick(10) * 9600, pick(20), pick(4) === 0 ? 0 : 1);
      else if (kind === 1 && pick(8) === 0) router.plane.queueRemove(WAN);
      else if (kind === 2) router.plane.queueFair(pick(2));
      else if (kind < 30) router.ticks(1 + pick(3));
      else if (kind < 70) send(router, pick(6), 2000 + pick(40), pick(1400));
      else {
        const flags = [ACK, ACK, ACK, ACK | PSH, SYN][pick(5)] as number;
        const fields = { sourcePort: 2000 + pick(4), destinationPort: 80, flags };
        router.fromHost(
          tcp(
            OUT,
            { ...fields, acknowledgment: 1000 + pick(9) * 100, window: 5000 + pick(2) },
            payload(pick(8) === 0 ? 5 : 0),
          ),
        );
      }
      if (step % 50 === 0) faults.push(...audit());
      if (pick(4) === 0) sent += router.taken(WAN).length;
      router.taken(LAN);
    }
    router.plane.queueRemove(WAN);
    for (let i = 0; i < 50; i++) {
      router.ticks(1);
      sent += router.taken(WAN).length;
      router.taken(LAN);
    }
    return { memory: build.memory.slice(), held: router.held(), sent, faults };
  };
  const [first, second] = builds.map(run);
  t.is(first?.held, 0);
  t.deepEqual(first?.faults, []);
  t.true((first?.sent ?? 0) > 500);
  t.is(first?.sent, second?.sent);
  t.is(Buffer.compare(first?.memory as Uint8Array, second?.memory as Uint8Array), 0);
});
