import test from 'ava';
import {
  BROADCAST,
  echo,
  faults,
  fragments,
  frame,
  get16,
  icmpError,
  payload,
  read,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  GATEWAY,
  GATEWAY_MAC,
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
import {
  COUNT_ICMP_LIMITED,
  COUNT_ICMP_SENT,
  DROP_NO_ROUTE,
  DROP_TOO_BIG,
  DROP_TTL,
} from '../../base/counters.ts';
import { ICMP_BURST, ICMP_ERROR_BYTES, ICMP_REFILL_TICKS } from '../../base/limits.ts';

const OUT = { source: HOST, destination: SERVER };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`a TTL of 1 or 0 ends here, and traceroute sees us (${name})`, t => {
    for (const ttl of [0, 1]) {
      const router = startRouter(build);
      const probe = udp({ ...OUT, ttl }, 40000, 33434, payload(32));
      router.fromHost(probe);
      const [error, ...more] = router.toLan();
      t.is(more.length, 0);
      t.is(faults(error as Uint8Array), '');
      t.like(read(error as Uint8Array), {
        source: LAN_ADDRESS,
        destination: HOST,
        type: 11,
        code: 0,
        rest: 0,
      });
      t.deepEqual((error as Uint8Array).slice(28), probe, 'the quote is what was sent');
      t.deepEqual(router.toWan(), []);
      t.is(router.counter(DROP_TTL), 1);
      t.is(router.held(), 0);
    }
    const router = startRouter(build);
    router.fromHost(udp({ ...OUT, ttl: 2 }, 40000, 33434));
    t.is(read(router.toWan()[0] as Uint8Array).ttl, 1);
  });

  test.serial(`DF and too long for the next link: 3/4 with its MTU (${name})`, t => {
    const router = startRouter(build, { wanMtu: 1400 });
    const long = tcp({ ...OUT, dontFragment: true }, { sourcePort: 1, destinationPort: 80 }, payload(1361));
    router.fromHost(long);
    const [error] = router.toLan();
    t.like(read(error as Uint8Array), {
      source: LAN_ADDRESS,
      destination: HOST,
      type: 3,
      code: 4,
      rest: 1400,
    });
    t.is(faults(error as Uint8Array), '');
    t.deepEqual((error as Uint8Array).slice(28), long.slice(0, ICMP_ERROR_BYTES - 28));
    t.is(router.counter(DROP_TOO_BIG), 1);
    router.fromHost(
      tcp({ ...OUT, dontFragment: true }, { sourcePort: 1, destinationPort: 80, flags: 2 }, payload(1360)),
    );
    t.is(router.toWan().length, 1);
  });

  test.serial(`DF and too long from outside: 3/4 that quotes our outside address (${name})`, t => {
    const router = startRouter(build, { lanMtu: 1400 });
    router.fromHost(udp(OUT, 1043, 53));
    router.toWan();
    const long = udp(
      { source: SERVER, destination: WAN_ADDRESS, dontFragment: true },
      53,
      1043,
      payload(1440),
    );
    router.fromGateway(long);
    const [error] = router.toWan();
    t.like(read(error as Uint8Array), {
      source: WAN_ADDRESS,
      destination: SERVER,
      type: 3,
      code: 4,
      rest: 1400,
    });
    t.deepEqual((error as Uint8Array).slice(28), long.slice(0, ICMP_ERROR_BYTES - 28));
    t.deepEqual(router.toLan(), []);
  });

  test.serial(`without a route the sender hears net unreachable (${name})`, t => {
    const router = startRouter(build);
    router.plane.routeRemove(0, 0);
    router.fromHost(udp(OUT, 1, 53));
    t.like(read(router.toLan()[0] as Uint8Array), {
      source: LAN_ADDRESS,
      destination: HOST,
      type: 3,
      code: 0,
    });
    t.is(router.counter(DROP_NO_ROUTE), 1);
  });

  test.serial(`an error quotes as much as fits ${ICMP_ERROR_BYTES} bytes (${name})`, t => {
    for (const bytes of [0, 8, 519, 520, 521, 1472]) {
      const router = startRouter(build);
      const probe = udp({ ...OUT, ttl: 1 }, 1, 2, payload(bytes));
      router.fromHost(probe);
      const error = router.toLan()[0] as Uint8Array;
      t.is(get16(error, 2), Math.min(ICMP_ERROR_BYTES, 28 + probe.length));
      t.deepEqual(error.slice(28), probe.slice(0, ICMP_ERROR_BYTES - 28));
      t.is(error[1], 0xc0, 'precedence: internetwork control');
      t.is(faults(error), '');
    }
  });

  test.serial(`no error about an error, a later fragment, or what came for everybody (${name})`, t => {
    const router = startRouter(build);
    const quoted = udp({ source: SERVER, destination: HOST }, 53, 1043);
    for (const type of [3, 4, 5, 11, 12]) router.fromHost(icmpError({ ...OUT, ttl: 1 }, type, 0, quoted));
    const parts = fragments(udp({ ...OUT, ttl: 1 }, 1, 2, payload(3000)), 1480);
    router.fromHost(parts[1] as Uint8Array);
    router.fromHost(parts[0] as Uint8Array);
    t.is(router.toLan().length, 1, 'about the first fragment alone');
    router.fromHost(udp({ source: HOST, destination: '192.168.0.255' }, 1, 9));
    router.fromHost(udp({ source: HOST, destination: '224.0.0.9', ttl: 1 }, 1, 9));
    router.put(LAN, frame(BROADCAST, HOST_MAC, udp({ ...OUT, ttl: 1 }, 1, 9)));
    t.deepEqual(router.toLan(), []);
    t.is(router.counter(COUNT_ICMP_SENT), 1);
    // An echo request is a query, and an error about it is right.
    router.fromHost(echo({ ...OUT, ttl: 1 }, 8, 3));
    t.is(router.toLan().length, 1);
    t.is(router.held(), 0);
  });

  test.serial(`errors to one host are limited, to another they go on (${name})`, t => {
    const router = startRouter(build);
    const other = (datagram: Uint8Array) => router.put(LAN, frame(LAN_MAC, OTHER_MAC, datagram));
    const flood = (count: number) => {
      for (let i = 0; i < count; i++) router.fromHost(udp({ ...OUT, ttl: 1 }, 1, 2));
      return router.toLan().length;
    };
    const first = Array.from({ length: 20 }, () => flood(20)).reduce((sum, n) => sum + n);
    t.true(first > ICMP_BURST / 2 && first < 2 * ICMP_BURST, `${first}`);
    t.is(router.counter(COUNT_ICMP_LIMITED), 400 - first);
    other(udp({ ...OUT, source: OTHER, ttl: 1 }, 1, 2));
    t.is(router.toLan().length, 1);
    // One each ICMP_REFILL_TICKS on average, and what a bucket of a fresh second holds.
    let later = 0;
    for (let i = 0; i < 1000; i++) {
      later += flood(4);
      router.ticks(1);
    }
    t.true(later > 70 && later < 10 * (ICMP_BURST + 10) * 1.3, `${later}`);
    router.ticks(ICMP_BURST * ICMP_REFILL_TICKS);
    t.true(flood(15) > 8);
    t.is(router.held(), 0);
  });

  test.serial(`who counts the errors that he gets learns nothing of what others got (${name})`, t => {
    const router = startRouter(build);
    const [server, stranger] = [SERVER, '198.51.100.7'];
    // Sessions with two servers; the second would find the first's port.
    for (const destination of [server, stranger])
      router.fromHost(udp({ source: HOST, destination }, 4000, 53));
    router.taken(WAN);
    const probe = (source: string, port: number, count: number) => {
      let errors = 0;
      for (let i = 0; i < count; i++) {
        router.fromGateway(udp({ source, destination: WAN_ADDRESS, ttl: 1 }, 53, port));
        errors += router.toWan().length;
      }
      return errors;
    };
    // Forged probes in the first one's name hit its session, or none; he then counts the errors about his own.
    const counted = { hit: 0, missed: 0 };
    for (let round = 0; round < 200; round++) {
      introduce(router, WAN, GATEWAY_MAC, GATEWAY, WAN_ADDRESS);
      probe(server, round % 2 === 0 ? 4000 : 4001, 2 * ICMP_BURST);
      counted[round % 2 === 0 ? 'hit' : 'missed'] += probe(stranger, 4000, 2 * ICMP_BURST);
      router.ticks(ICMP_BURST * ICMP_REFILL_TICKS);
      router.taken(LAN);
      router.taken(WAN);
    }
    const [hit, missed] = [counted.hit / 100, counted.missed / 100];
    t.true(missed > ICMP_BURST * 0.8 && missed < ICMP_BURST * 1.3, `${missed}`);
    // By one bucket for all he would count none after a hit. The two share one in a 32nd of the rounds.
    t.true(Math.abs(hit - missed) < ICMP_BURST * 0.15, `${hit} and ${missed}`);
  });

  test.serial(`an echo request to us is answered byte for byte (${name})`, t => {
    const router = startRouter(build);
    for (const bytes of [0, 1, 56, 1471, 1472]) {
      const request = echo({ source: HOST, destination: LAN_ADDRESS, ttl: 3 }, 8, 77, bytes, payload(bytes));
      router.fromHost(request);
      t.deepEqual(
        router.toLan()[0],
        echo({ source: LAN_ADDRESS, destination: HOST, ttl: 64 }, 0, 77, bytes, payload(bytes)),
      );
    }
    router.fromHost(echo({ source: HOST, destination: WAN_ADDRESS }, 8, 77));
    t.like(read(router.toLan()[0] as Uint8Array), { source: WAN_ADDRESS, destination: HOST, type: 0 });
    const bad = echo({ source: HOST, destination: LAN_ADDRESS }, 8, 77);
    bad[40] = (bad[40] as number) ^ 1;
    router.fromHost(bad);
    t.deepEqual(router.toLan(), []);
  });
}
