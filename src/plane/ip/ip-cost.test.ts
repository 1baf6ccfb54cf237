// What the steps around the masquerade cost at worst, in operations (test/metered.ts): the rows of "Worst case of each
// loop" in docs/performance.md for routes, header options, quotes and cutting; each test feeds the longest input.
// Not here: neighbours and fragments, which stand in their own tests; the masquerade (flow-cost.test.ts).

import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import { address, echo, icmpError, payload, read, udp } from '../../../test/packets.ts';
import {
  GATEWAY,
  HOST,
  LAN,
  LAN_ADDRESS,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { TERM_ADDRESS } from '../../base/capture-record.ts';
import { CAPTURE_TERM_COUNT, ROUTE_COUNT, SOCKET_COUNT } from '../../base/limits.ts';

const OUT = { source: HOST, destination: SERVER };
const metered = await meteredBuild();

test.serial('a way that is not remembered: every route of the table, each longer than the one before', t => {
  const target = address('170.170.170.170');
  const misses = (['routeAdd', 'routeLearn'] as const).map(add => {
    const router = startRouter(metered);
    router.plane.routeRemove(0, 0);
    for (let bits = 1; bits <= ROUTE_COUNT; bits++)
      router.plane[add](target, -1 << (32 - bits), address(GATEWAY), WAN);
    return metered.operations(() => router.plane.routeTo(target));
  });
  t.log(`missed ${misses.join(', by learned ones ')}`);
  t.true(Math.max(...misses) < 5000, `${misses}`);
  const router = startRouter(metered);
  router.plane.routeTo(target);
  const hit = metered.operations(() => router.plane.routeTo(target));
  t.log(`remembered ${hit}`);
  t.true(hit < 30, `${hit}`);
  const add = metered.operations(() => router.plane.routeAdd(target, -1, address(GATEWAY), WAN));
  t.log(`a route set ${add}`);
  t.true(add < 900, `${add}`);
});

test.serial('40 bytes of options, one of them at a time', t => {
  const router = startRouter(metered);
  const send = (options: number[]) => {
    const datagram = udp({ ...OUT, options }, 1000, 53);
    router.fromHost(datagram);
    router.taken(WAN);
    const operations = metered.operations(() => router.fromHost(datagram));
    t.is(router.toWan().length, 1);
    return operations;
  };
  const worst = send(new Array(40).fill(1));
  t.log(`${worst}, ${send([])} without`);
  t.true(worst < 1900, `${worst}`);
});

test.serial('an error with the longest quote, one that we make, and the longest ping', t => {
  const router = startRouter(metered);
  router.fromHost(udp(OUT, 1000, 53, payload(1472)));
  const [sent] = router.toWan();
  const message = icmpError({ source: SERVER, destination: WAN_ADDRESS }, 3, 3, sent as Uint8Array, 0, 1472);
  const translated = metered.operations(() => router.fromGateway(message));
  t.like(read(router.toLan()[0] as Uint8Array), { destination: HOST, type: 3, totalLength: 1500 });
  const ended = udp({ ...OUT, ttl: 1 }, 1000, 53, payload(1472));
  // The first of all draws keys that stay, from a fresh block of the generator.
  const first = metered.operations(() => router.fromHost(ended));
  router.toLan();
  const made = metered.operations(() => router.fromHost(ended));
  t.like(read(router.toLan()[0] as Uint8Array), { type: 11, totalLength: 576 });
  const ping = echo({ source: HOST, destination: LAN_ADDRESS }, 8, 1, 1, payload(1472));
  const answered = metered.operations(() => router.fromHost(ping));
  t.like(read(router.toLan()[0] as Uint8Array), { type: 0, totalLength: 1500 });
  t.log(`translated ${translated}, made ${made}, ${first} the first of all, a ping ${answered}`);
  t.true(translated < 11700, `${translated}`);
  t.true(made < 7800, `${made}`);
  t.true(first < 11700, `${first}`);
  t.true(answered < 7800, `${answered}`);
});

test.serial('the longest datagram cut for the smallest link', t => {
  const router = startRouter(metered, { wanMtu: 576 });
  const datagram = udp(OUT, 1000, 53, payload(1472));
  router.fromHost(datagram);
  router.taken(WAN);
  const cut = metered.operations(() => router.fromHost(datagram));
  t.is(router.toWan().length, 3);
  t.log(`${cut}`);
  t.true(cut < 7800, `${cut}`);
});

test.serial('a datagram to the last of all sockets, and one to a closed port', t => {
  const router = startRouter(metered);
  for (let n = 0; n < SOCKET_COUNT; n++) router.plane.socketOpen(17, 5000 + n, 1 << LAN);
  const send = (port: number) =>
    metered.operations(() => router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1000, port)));
  // The first of all errors draws keys that stay.
  send(4999);
  send(5000);
  const [last, closed] = [send(5000 + SOCKET_COUNT - 1), send(4999)];
  t.log(`${last}, refused ${closed}`);
  t.true(last < 2500, `${last}`);
  t.true(closed < 7800, `${closed}`);
});

test.serial('a full frame that a capture with all its terms takes', t => {
  const router = startRouter(metered);
  const datagram = udp(OUT, 1000, 53, payload(1472));
  router.fromHost(datagram);
  const plain = metered.operations(() => router.fromHost(datagram));
  for (let n = 0; n < CAPTURE_TERM_COUNT; n++)
    t.is(router.plane.captureTerm(TERM_ADDRESS, address(HOST), -1), 1);
  router.plane.captureStart(1 << LAN, 0);
  const captured = metered.operations(() => router.fromHost(datagram));
  t.not(router.plane.captureNext(), 0);
  router.plane.captureStop();
  router.taken(WAN);
  t.log(`${captured - plain} more`);
  t.true(captured - plain < 4000, `${captured - plain}`);
});
