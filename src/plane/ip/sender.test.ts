import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import {
  address,
  addressText,
  arpFrame,
  faults,
  fragments,
  frame,
  payload,
  read,
  reassemble,
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
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { type Build, javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { COUNT_EVICTED_SHARE, COUNT_ICMP_LIMITED, DROP_HOST_SHARE } from '../../base/counters.ts';
import { FRAGMENT_CONTEXT_COUNT, MASQUERADE_COUNT, NEIGHBOUR_COUNT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { entriesOf, H_ADDRESS, HOST_OTHERS, hostAt } from '../flow/flow-hosts.ts';

const INNER_MAC = '02:00:00:00:00:0a';
const INNER_ROUTER = '192.168.0.10';
const FORGED = 240;

/** Sends a datagram out by a station, and lets the server answer it. Whether the answer came. */
function talk(router: Router, mac: string, source: string, port: number): boolean {
  router.put(LAN, frame(LAN_MAC, mac, udp({ source, destination: SERVER }, port, 53)));
  const [sent] = router.toWan();
  if (sent === undefined) return false;
  const outside = read(sent).sourcePort;
  router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, outside));
  return router.toLan().length === 1;
}

/** A station that makes up sources, whom a friend outside answers: so each is an answered session of another host. */
function forge(router: Router, sessions: number): void {
  for (let i = 0; i < sessions; i++) {
    const source = `192.168.0.${12 + (i % FORGED)}`;
    talk(router, OTHER_MAC, source, 20000 + Math.floor(i / FORGED));
  }
}

for (const build of [javascriptBuild(), await wasmBuild()] as Build[]) {
  const { name } = build;

  test.serial(`made-up sources whom somebody answers are one host, and push nobody out (${name})`, t => {
    const router = startRouter(build);
    for (let port = 0; port < 300; port++) t.true(talk(router, HOST_MAC, HOST, 1000 + port));
    forge(router, 2 * MASQUERADE_COUNT);
    t.true(entriesOf(HOST_OTHERS) > MASQUERADE_COUNT / 3);
    t.is(router.counter(COUNT_EVICTED_SHARE), 0);
    for (let port = 0; port < 300; port++) {
      router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1000 + port));
      t.is(router.toLan().length, 1, `${port}`);
    }
    // And new ones of a host that was there find a place.
    t.true(talk(router, HOST_MAC, HOST, 5000));
    t.is(router.plane.masqueradeCheck(), 0);
  });

  test.serial(`what is sent in a host's name by another station is not on its account (${name})`, t => {
    const router = startRouter(build);
    for (let i = 0; i < MASQUERADE_COUNT; i++) {
      router.put(LAN, frame(LAN_MAC, OTHER_MAC, udp({ source: HOST, destination: SERVER }, 20000 + i, 53)));
      router.taken(WAN);
    }
    const refused = router.counter(DROP_HOST_SHARE);
    for (let port = 0; port < 100; port++) t.true(talk(router, HOST_MAC, HOST, 1000 + port));
    t.is(router.counter(DROP_HOST_SHARE), refused);
    build.use();
    const own = Array.from({ length: 256 }, (_, i) => i).filter(i => entriesOf(i) > 0 && i !== HOST_OTHERS);
    t.deepEqual(
      own.map(i => [addressText(i32at(hostAt(i) + H_ADDRESS)), entriesOf(i)]),
      [[HOST, 100]],
    );
  });

  test.serial(`hosts behind an inner router have each a share of their own (${name})`, t => {
    const router = startRouter(build);
    introduce(router, LAN, INNER_MAC, INNER_ROUTER, LAN_ADDRESS);
    build.use();
    router.plane.routeAdd(address('172.16.0.0'), address('255.255.0.0'), address(INNER_ROUTER), LAN);
    for (let i = 0; i < 20; i++) t.true(talk(router, INNER_MAC, `172.16.3.${i + 1}`, 1000));
    t.is(entriesOf(HOST_OTHERS), 0);
    // Its hosts' names in another station's mouth are nobody's.
    t.true(talk(router, OTHER_MAC, '172.16.3.99', 1000));
    t.is(entriesOf(HOST_OTHERS), 1);
  });

  test.serial(`made-up sources do not take the places of fragments from who is there (${name})`, t => {
    const router = startRouter(build);
    const parts = fragments(udp({ source: HOST, destination: SERVER, id: 7 }, 1043, 53, payload(4000)), 1480);
    for (const part of parts.slice(1)) router.fromHost(part);
    for (let i = 0; i < 4 * FRAGMENT_CONTEXT_COUNT; i++) {
      const datagram = udp(
        { source: `192.168.0.${12 + (i % FORGED)}`, destination: SERVER, id: i },
        1043,
        53,
        payload(4000),
      );
      for (const part of fragments(datagram, 1480).slice(1)) router.put(LAN, frame(LAN_MAC, OTHER_MAC, part));
    }
    router.fromHost(parts[0] as Uint8Array);
    router.ticks(2);
    t.is(faults(reassemble(router.toWan())), '');
  });

  test.serial(`made-up sources do not empty who is there of his errors (${name})`, t => {
    const router = startRouter(build);
    let heard = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < FORGED; i++) {
        const source = `192.168.0.${12 + i}`;
        for (let k = 0; k < 4; k++)
          router.put(LAN, frame(LAN_MAC, OTHER_MAC, udp({ source, destination: SERVER, ttl: 1 }, 1, 2)));
        router.taken(LAN);
      }
      router.fromHost(udp({ source: HOST, destination: SERVER, ttl: 1 }, 1, 2));
      heard += router.toLan().filter(bytes => read(bytes).destination === HOST).length;
      // Requests for those who are not there leave the places of packets that wait.
      router.ticks(100);
      router.taken(LAN);
      introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
    }
    t.true(router.counter(COUNT_ICMP_LIMITED) > 40_000);
    t.is(heard, 50);
    t.is(router.counter(DROP_HOST_SHARE), 0);
  });

  test.serial(`a long datagram's pieces wait on their sender's account (${name})`, t => {
    const router = startRouter(build, { wanMtu: 600, strangers: true });
    introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
    introduce(router, LAN, OTHER_MAC, OTHER, LAN_ADDRESS);
    // Made-up ones have all that they may have.
    for (let i = 0; i < FORGED; i++) {
      const source = `192.168.0.${12 + i}`;
      router.put(LAN, frame(LAN_MAC, OTHER_MAC, udp({ source, destination: '10.1.2.77' }, 1, 9)));
      router.taken(WAN);
    }
    router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(1400)));
    router.taken(WAN);
    const [senderAddress, senderMac] = [GATEWAY, GATEWAY_MAC];
    router.put(
      WAN,
      arpFrame(WAN_MAC, { operation: 2, senderMac, senderAddress, targetAddress: WAN_ADDRESS }),
    );
    t.is(faults(reassemble(router.toWan())), '');
  });
}

test.serial('to look for the sender costs few operations, however many neighbours there are', async t => {
  const metered = await meteredBuild();
  const router = startRouter(metered);
  for (let i = 0; i < NEIGHBOUR_COUNT; i++)
    introduce(router, LAN, INNER_MAC, `192.168.0.${12 + (i % 240)}`, LAN_ADDRESS);
  introduce(router, LAN, INNER_MAC, INNER_ROUTER, LAN_ADDRESS);
  metered.use();
  router.plane.routeAdd(address('172.16.0.0'), address('255.255.0.0'), address(INNER_ROUTER), LAN);
  const cost = (mac: string, source: string, first: number): number => {
    talk(router, mac, source, first - 1);
    let most = 0;
    for (let port = first; port < first + 100; port++) {
      const bytes = frame(LAN_MAC, mac, udp({ source, destination: SERVER }, port, 53));
      most = Math.max(
        most,
        metered.operations(() => router.put(LAN, bytes)),
      );
      router.taken(WAN);
    }
    return most;
  };
  const known = cost(HOST_MAC, HOST, 1000);
  const behind = cost(INNER_MAC, '172.16.0.9', 2000);
  const madeUp = cost(OTHER_MAC, '172.16.0.9', 3000);
  t.log(`known ${known} operations, behind a router ${behind}, made up ${madeUp}`);
  t.true(behind - known < 100, `${behind - known}`);
  t.true(madeUp - known < 100, `${madeUp - known}`);
});
