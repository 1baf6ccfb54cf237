import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import {
  address,
  addressText,
  arpFrame,
  BROADCAST,
  echo,
  macText,
  read,
  udp,
} from '../../../test/packets.ts';
import {
  arpTexts,
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
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_ARP_QUEUE_FULL } from '../../base/counters.ts';
import {
  NEIGHBOUR_BYTES,
  NEIGHBOUR_COUNT,
  NEIGHBOUR_SWEEP_TICKS,
  NEIGHBOURS_AT,
  ROUTE_COUNT,
} from '../../base/limits.ts';
import { neighbourState } from '../../base/neighbour-record.ts';

const metered = await meteredBuild();
const OUT = { source: HOST, destination: SERVER };
/** A LAN of 192.168.0.0/16: more addresses than the table has places. */
const WIDE = '255.255.0.0';

function startWide(build: Parameters<typeof startRouter>[0]): Router {
  const router = startRouter(build, { strangers: true });
  router.plane.configureInterface(LAN, 0, address(LAN_ADDRESS), address(WIDE), 1500);
  router.plane.interfacesChanged();
  router.plane.routeAdd(0, 0, address(GATEWAY), WAN);
  router.taken(LAN);
  return router;
}

const ping = (source: string) => echo({ source, destination: LAN_ADDRESS }, 8, 1);
const hostName = (i: number) => addressText(address('192.168.1.0') + i);
const hostMac = (i: number) =>
  `02:00:00:01:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;

/** A host pings us; if it is asked who it is, it answers. Replies that it gets. */
function speak(router: Router, i: number): number {
  const source = hostName(i);
  const mac = hostMac(i);
  const heard = () => router.taken(LAN).filter(bytes => macText(bytes) === mac && bytes[13] === 0).length;
  router.fromHost(ping(source));
  const frames = router.taken(LAN);
  const asked = arpTexts(frames).some(text => text.startsWith(`request ${source} `));
  if (!asked) return frames.filter(bytes => macText(bytes) === mac && bytes[13] === 0).length;
  router.put(
    LAN,
    arpFrame(LAN_MAC, { operation: 2, senderMac: mac, senderAddress: source, targetAddress: LAN_ADDRESS }),
  );
  return heard();
}

function introduceGateway(router: Router): void {
  introduce(router, WAN, GATEWAY_MAC, GATEWAY, WAN_ADDRESS);
  router.fromHost(udp(OUT, 1, 53));
  router.ticks(NEIGHBOUR_SWEEP_TICKS);
  router.taken(WAN);
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`hosts whose addresses are alike leave the gateway its place (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    for (let i = 129; i < 137; i++) {
      introduce(router, LAN, hostMac(i), `192.168.0.${i}`, LAN_ADDRESS);
      router.fromHost(ping(`192.168.0.${i}`));
      t.is(router.toLan().length, 1);
    }
    router.fromHost(udp(OUT, 1000, 53));
    t.is(arpTexts(router.taken(WAN)).length, 1);
    introduce(router, WAN, GATEWAY_MAC, GATEWAY, WAN_ADDRESS);
    router.fromHost(udp(OUT, 1000, 53));
    t.is(router.toWan().length, 1);
    t.is(router.counter(DROP_ARP_QUEUE_FULL), 0);
  });

  test.serial(`300 hosts of a /22 are asked for once each and answered from then on (${name})`, t => {
    const router = startWide(build);
    introduceGateway(router);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 300; i++) {
        t.is(speak(router, i), 1, `host ${i}`);
        if (i % 10 === 0) router.ticks(10);
      }
    }
    // Known hosts are not asked again.
    router.fromHost(ping(hostName(7)));
    t.deepEqual(arpTexts(router.taken(LAN)), []);
  });

  test.serial(`more hosts than the table has places are all served, and the gateway stays (${name})`, t => {
    const router = startWide(build);
    introduceGateway(router);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < NEIGHBOUR_COUNT + 200; i++) {
        t.is(speak(router, i), 1, `host ${i}`);
        if (i % 10 === 0) router.ticks(10);
      }
    }
    t.is(router.counter(DROP_ARP_QUEUE_FULL), 0);
    router.taken(WAN);
    router.fromHost(udp(OUT, 1, 53));
    const frames = router.taken(WAN);
    t.deepEqual(
      frames.map(bytes => macText(bytes)),
      [GATEWAY_MAC],
    );
    t.is(router.held(), 0);
  });

  test.serial(`the longest unused goes first, next hops of routes last (${name})`, t => {
    const router = startWide(build);
    introduceGateway(router);
    // The oldest of all are the next hops of as many routes as there may be, and no packet goes to them.
    for (let i = 0; i < ROUTE_COUNT - 1; i++) {
      introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
      router.plane.routeAdd(address(`10.${100 + i}.0.0`), address('255.255.0.0'), address(hostName(i)), LAN);
    }
    for (let i = 100; i < 200; i++) speak(router, i);
    router.ticks(10 * NEIGHBOUR_SWEEP_TICKS);
    for (let i = 150; i < 200; i++) speak(router, i);
    router.ticks(NEIGHBOUR_SWEEP_TICKS);
    router.taken(LAN);
    // As many come as there are free places, and 50 more.
    for (let i = 1000; i < 1000 + NEIGHBOUR_COUNT - ROUTE_COUNT - 100 + 50; i++) speak(router, i);
    build.use();
    const known = (host: string) => router.plane.addressHeld(LAN, address(host), 0) !== 0;
    for (let i = 0; i < ROUTE_COUNT - 1; i++) t.true(known(hostName(i)), `next hop ${i}`);
    for (let i = 100; i < 150; i++) t.false(known(hostName(i)), `host ${i}, long unused`);
    for (let i = 150; i < 200; i++) t.true(known(hostName(i)), `host ${i}`);
  });

  test.serial(`stations that only speak, however many, leave those in use (${name})`, t => {
    const router = startWide(build);
    introduceGateway(router);
    for (let i = 0; i < 100; i++) t.is(speak(router, i), 1);
    for (let i = 1000; i < 1000 + 4 * NEIGHBOUR_COUNT; i++) {
      router.put(
        LAN,
        arpFrame(BROADCAST, {
          operation: 1,
          senderMac: hostMac(i),
          senderAddress: hostName(i),
          targetAddress: LAN_ADDRESS,
        }),
      );
      router.taken(LAN);
      if (i % 50 === 0) router.ticks(1);
    }
    for (let i = 0; i < 100; i++) {
      router.fromHost(ping(hostName(i)));
      const [error] = router.toLan();
      t.is(error && read(error).type, 0, `host ${i}`);
      router.ticks(10);
    }
    router.taken(WAN);
    router.fromHost(udp(OUT, 1, 53));
    t.is(router.toWan().length, 1);
  });

  test.serial(
    `an interface's neighbours are forgotten at once, their records within a sweep (${name})`,
    t => {
      const router = startWide(build);
      introduceGateway(router);
      for (let i = 0; i < 200; i++) introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
      build.use();
      const records = () =>
        Array.from({ length: NEIGHBOUR_COUNT }, (_, i) => NEIGHBOURS_AT + i * NEIGHBOUR_BYTES);
      const inUse = () => records().filter(at => neighbourState(at) !== 0).length;
      t.is(inUse(), 201);
      router.plane.forgetNeighbours(LAN);
      t.is(inUse(), 1);
      router.fromHost(ping(hostName(5)));
      t.is(arpTexts(router.taken(LAN)).length, 1);
      for (let i = 0; i < 10; i++) introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
      router.ticks(NEIGHBOUR_SWEEP_TICKS);
      t.is(inUse(), 11);
      for (let i = 0; i < NEIGHBOUR_COUNT; i++) introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
      t.is(inUse(), NEIGHBOUR_COUNT);
    },
  );
}

test.serial('a full table, whoever fills it, costs a bounded search', t => {
  const router = startWide(metered);
  introduceGateway(router);
  for (let i = 0; i < ROUTE_COUNT - 1; i++) {
    introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
    router.plane.routeAdd(address(`10.${100 + i}.0.0`), address('255.255.0.0'), address(hostName(i)), LAN);
  }
  // All in use: the worst for who looks for one that may go.
  let known = 0;
  let place = 0;
  for (let i = 1000; i < 1000 + 3 * NEIGHBOUR_COUNT; i++) {
    const [source, senderMac] = [hostName(i), hostMac(i)];
    const arp = arpFrame(BROADCAST, {
      operation: 1,
      senderMac,
      senderAddress: source,
      targetAddress: LAN_ADDRESS,
    });
    place = Math.max(
      place,
      metered.operations(() => router.put(LAN, arp)),
    );
    router.fromHost(ping(source));
    const error = ping(source);
    router.taken(LAN);
    known = Math.max(
      known,
      metered.operations(() => router.fromHost(error)),
    );
    router.taken(LAN);
    if (i % 40 === 0) router.ticks(1);
  }
  t.log(`a place: ${place} operations, a known one: ${known}`);
  t.true(place < 4000, `${place} for a new neighbour`);
  t.true(known < 2500, `${known} for an error to a known one`);
});

test.serial('no tick takes long over the neighbours, and to forget them all is cheap', t => {
  const router = startWide(metered);
  const idle = metered.operations(() => router.plane.neighbourTick());
  for (let i = 0; i < NEIGHBOUR_COUNT; i++) {
    introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
    router.fromHost(ping(hostName(i)));
    router.taken(LAN);
  }
  const forget = metered.operations(() => router.plane.forgetNeighbours(LAN));
  let worst = 0;
  for (let i = 0; i < NEIGHBOUR_SWEEP_TICKS; i++) {
    worst = Math.max(
      worst,
      metered.operations(() => router.plane.neighbourTick()),
    );
  }
  t.log(`idle ${idle}, forget ${forget}, to free ${worst} a tick`);
  t.true(idle < 150, `${idle}`);
  t.true(forget < 1000, `${forget}`);
  t.true(worst < 2000, `${worst}`);
});
