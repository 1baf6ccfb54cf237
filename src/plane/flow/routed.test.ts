// Flows that are routed as they are: a network behind another router inside, reached by the link that its hosts come in by.

import test from 'ava';
import fc from 'fast-check';
import { ACK, address, echo, frame, payload, RST, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  LAN,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { COUNT_FORWARDED } from '../../base/counters.ts';
import {
  COUNT_BYTES,
  COUNT_PACKETS,
  COUNTS_BYTES,
  E_COUNTS,
  E_FLAGS,
  E_OUT_ROUTE,
  ENTRY_LEADER,
  entryAt,
  isRouted,
} from '../../base/flow-record.ts';
import { MASQUERADE_COUNT } from '../../base/limits.ts';
import { get8, i32at } from '../../base/memory.ts';

/** A host behind OTHER, which is a router too. */
const FAR = '10.9.0.5';
const there = { source: HOST, destination: FAR };
const back = { source: FAR, destination: HOST };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const start = () => {
    const router = startRouter(build);
    plane.routeAdd(address('10.9.0.0'), address('255.255.255.0'), address(OTHER), LAN);
    return router;
  };
  const fromFar = (router: Router, datagram: Uint8Array) =>
    router.put(LAN, frame(LAN_MAC, OTHER_MAC, datagram));
  const counts = (n: number) =>
    [0, 1].flatMap(side => {
      const at = entryAt(n) + E_COUNTS + side * COUNTS_BYTES;
      return [i32at(at + COUNT_PACKETS), i32at(at + COUNT_BYTES)];
    });

  test.serial(`a routed connection is one flow, takes no port, and goes the short way (${name})`, t => {
    const router = start();
    router.fromHost(tcp(there, { sourcePort: 1043, destinationPort: 80, flags: SYN, sequence: 1000 }));
    fromFar(
      router,
      tcp(back, {
        sourcePort: 80,
        destinationPort: 1043,
        flags: SYN | ACK,
        sequence: 5000,
        acknowledgment: 1001,
      }),
    );
    const segment = tcp(
      there,
      { sourcePort: 1043, destinationPort: 80, flags: ACK, sequence: 1001, acknowledgment: 5001 },
      payload(100),
    );
    for (let i = 0; i < 3; i++) router.fromHost(segment);
    t.is(plane.masqueradeCount(), 1);
    t.is(isRouted(entryAt(1)), 1);
    t.is(get8(entryAt(1) + E_FLAGS) & ENTRY_LEADER, 0);
    t.is(plane.masqueradePortUsed(6, 1043, address(WAN_ADDRESS)), 0);
    t.not(i32at(entryAt(1) + E_OUT_ROUTE), 0);
    t.deepEqual(counts(1), [4, 40 + 3 * 140, 1, 40]);
    const left = router.toLan();
    t.is(left.length, 5);
    const expected = Uint8Array.from(segment);
    for (const datagram of left.slice(2)) {
      t.like(read(datagram), { source: HOST, destination: FAR, sourcePort: 1043, ttl: 63 });
      t.deepEqual(datagram.slice(20), expected.slice(20));
    }
    t.is(router.counter(COUNT_FORWARDED), 5);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`what of ICMP is a flow, what an RST begins, and later fragments (${name})`, t => {
    const router = start();
    router.fromHost(tcp(there, { sourcePort: 1, destinationPort: 2, flags: RST, sequence: 1 }));
    router.fromHost(echo(there, 0, 7));
    t.is(plane.masqueradeCount(), 0);
    router.fromHost(echo(there, 8, 7));
    fromFar(router, echo(back, 0, 7));
    // The other side may use the same identifier.
    fromFar(router, echo(back, 8, 7));
    t.is(plane.masqueradeCount(), 1);
    t.deepEqual(
      counts(1).map((_, i) => (i % 2 === 0 ? counts(1)[i] : 0)),
      [1, 0, 2, 0],
    );
    t.is(router.toLan().length, 5);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `a flow whose other end is outside from now on is masqueraded, not let out as it is (${name})`,
    t => {
      const router = start();
      // So that the gateway's station is known.
      router.fromHost(udp({ source: HOST, destination: SERVER }, 1, 53));
      router.toWan();
      const ask = () => router.fromHost(udp(there, 1043, 53, payload(8)));
      ask();
      fromFar(router, udp(back, 53, 1043, payload(8)));
      ask();
      router.toLan();
      t.is(isRouted(entryAt(2)), 1);
      plane.routeRemove(address('10.9.0.0'), address('255.255.255.0'));
      for (let i = 0; i < 2; i++) {
        ask();
        t.deepEqual(
          router.toWan().map(datagram => read(datagram).source),
          [WAN_ADDRESS],
        );
      }
      t.is(plane.masqueradeCount(), 2);
      t.is(isRouted(entryAt(2)), 0);
      // And back inside: its session ends by its timer, and the packets pass as they are.
      plane.routeAdd(address('10.9.0.0'), address('255.255.255.0'), address(OTHER), LAN);
      ask();
      t.is(read(router.toLan()[0] as Uint8Array).source, HOST);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(
    `where the table has no room, packets are routed all the same, and nobody loses a session (${name})`,
    t => {
      const router = start();
      for (let i = 0; i < MASQUERADE_COUNT + 100; i++) {
        router.fromHost(udp(there, 1024 + i, 53));
        fromFar(router, udp(back, 53, 1024 + i));
        t.is(router.toLan().length, 2);
      }
      t.true(plane.masqueradeCount() <= MASQUERADE_COUNT);
      router.put(LAN, frame(LAN_MAC, OTHER_MAC, udp({ source: OTHER, destination: SERVER }, 1, 53)));
      t.is(router.toWan().length, 1);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(`the short way leads to the same bytes as the long one (${name})`, t => {
    const step = fc.record({
      forth: fc.boolean(),
      isTcp: fc.boolean(),
      bytes: fc.integer({ min: 0, max: 60 }),
      ttl: fc.oneof(fc.constant(64), fc.integer({ min: 0, max: 255 })),
      checksum: fc.option(fc.constantFrom(0, 1, 0xffff, 0xfffe), { nil: undefined }),
    });
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
    const walk = (steps: Step[], forgets: boolean) => {
      const router = start();
      const left: string[] = [];
      for (const { forth, isTcp, bytes, ttl, checksum } of steps) {
        if (forgets) plane.interfacesChanged();
        const ip = { ...(forth ? there : back), ttl };
        const [from, to] = forth ? [1043, 80] : [80, 1043];
        const ends = { sourcePort: from, destinationPort: to, flags: ACK, sequence: 1, acknowledgment: 1 };
        const datagram = isTcp ? tcp(ip, ends, payload(bytes)) : udp(ip, from, to, payload(bytes));
        if (checksum !== undefined) {
          const at = isTcp ? 36 : 26;
          datagram[at] = checksum >> 8;
          datagram[at + 1] = checksum & 0xff;
        }
        router.put(LAN, frame(LAN_MAC, forth ? HOST_MAC : OTHER_MAC, datagram));
        for (const one of router.toLan()) left.push(Buffer.from(one).toString('hex'));
      }
      left.push(`${plane.masqueradeCount()} ${counts(1).join()} ${counts(2).join()}`);
      return left;
    };
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 30 }), steps => {
        t.deepEqual(walk(steps, false), walk(steps, true));
      }),
      { numRuns: 60 },
    );
  });
}
