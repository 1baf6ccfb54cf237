import test from 'ava';
import { address, BROADCAST, frame, payload, read, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  introduce,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  startRouter,
} from '../../../test/plane-router.ts';
import { type Build, javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  LEASE_COUNT,
  LEASE_STATIONS_AT,
  NEIGHBOUR_SWEEP_TICKS,
  PUNT_DHCP_LIMIT,
  PUNT_UDP_LIMIT,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { puti32 } from '../../base/memory.ts';
import { stationWord } from '../../base/punt-source.ts';
import { STATION_LEASE_TICKS, STATION_SETTLE_TICKS } from '../../base/station-limits.ts';

const LEAST = 0.95;
const TICKS = 10 * TICKS_PER_SECOND;
const TAKEN_A_TICK = 2;
const FLOOD_A_TICK = 20;
const ASK_TICKS = 4;
const NEW_MAC = '02:00:00:00:00:98';
const LEASED_MAC = '02:00:00:00:00:99';
const station = (n: number) =>
  `02:66:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;
const host = (n: number) => `192.168.0.${5 + (n % 245)}`;

type Service = 'names' | 'leases';

/** A question of a station; its source port tells who it is. */
function ask(router: Router, mac: string, source: string, service: Service, port: number): void {
  const ip = { source, destination: LAN_ADDRESS };
  const [to, data] = service === 'names' ? [53, payload(30)] : [67, payload(300)];
  router.put(LAN, frame(LAN_MAC, mac, udp(ip, port, to, data)));
}

function settle(router: Router): void {
  router.ticks(STATION_SETTLE_TICKS + 2 * NEIGHBOUR_SWEEP_TICKS + LEASE_COUNT * STATION_LEASE_TICKS);
  router.taken(LAN);
}

function start(build: Build): Router {
  const router = startRouter(build);
  build.plane.socketOpen(17, 53, 1 << LAN);
  build.plane.socketOpen(17, 67, 1 << LAN);
  return router;
}

/** What of a good host's questions is heard beside a flood that many stations share evenly. */
function beside(
  router: Router,
  {
    stations,
    service,
    mac = HOST_MAC,
    from = 0,
    every = ASK_TICKS,
  }: { stations: number; service: Service; mac?: string; from?: number; every?: number },
): number {
  let [asked, heard, sent] = [0, 0, 0];
  for (let tick = 0; tick < TICKS + TICKS_PER_SECOND; tick++) {
    for (let i = 0; tick < TICKS && i < FLOOD_A_TICK; i++) {
      const n = sent++ % stations;
      ask(router, station(n), host(n), service, 9999);
    }
    if (tick >= from && tick < TICKS && tick % every === 0) {
      asked++;
      ask(router, mac, HOST, service, 1000);
    }
    for (let i = 0; i < TAKEN_A_TICK; i++) {
      const packet = router.punted();
      if (packet !== undefined && read(packet).sourcePort === 1000) heard++;
    }
    router.taken(LAN);
    router.ticks(1);
  }
  return heard / asked;
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  test.serial(`stations that say ARP first do not fill a class (${name})`, t => {
    for (const [service, limit] of [
      ['names', PUNT_UDP_LIMIT],
      ['leases', PUNT_DHCP_LIMIT],
    ] as const) {
      const router = start(build);
      settle(router);
      for (let n = 0; n < limit; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
      for (let n = 0; n < limit; n++) ask(router, station(n), host(n), service, 9999);
      ask(router, HOST_MAC, HOST, service, 7);
      t.is(plane.puntWaiting(), limit);
      const ports = Array.from({ length: limit }, () => read(router.punted() as Uint8Array).sourcePort);
      t.is(ports.indexOf(7), 1, service);
    }
  });

  for (const service of ['names', 'leases'] as const) {
    for (const stations of [40, 245]) {
      test.serial(
        `${service}: who was there before ${stations} stations of a flood is heard (${name})`,
        t => {
          const router = start(build);
          settle(router);
          for (let n = 0; n < stations; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
          // The second time the flood has lasted longer than it takes to settle.
          for (let round = 0; round < 4; round++) {
            const share = beside(router, { stations, service });
            t.true(share >= LEAST, `round ${round}: ${share}`);
          }
        },
      );
    }

    test.serial(`${service}: of 40 stations that waited before they flood too (${name})`, t => {
      const router = start(build);
      for (let n = 0; n < 40; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
      settle(router);
      // They are known for what they are when they have been loud for a second or two.
      const share = beside(router, { stations: 40, service, from: 2 * TICKS_PER_SECOND });
      t.true(share >= LEAST, `${share}`);
    });
  }

  test.serial(`a lease that has run for long is renewed through the flood of known stations (${name})`, t => {
    const router = start(build);
    build.memory.set([2, 0, 0, 0, 0, 0x99], 128);
    puti32(LEASE_STATIONS_AT + 4 * 17, stationWord(128));
    // ARP has forgotten it, and it never asked us for a name.
    settle(router);
    for (let n = 0; n < 245; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
    const share = beside(router, { stations: 245, service: 'leases', mac: LEASED_MAC });
    t.true(share >= LEAST, `${share}`);
  });

  test.serial(`who comes new while known stations flood is heard within some tries (${name})`, t => {
    const router = start(build);
    for (let n = 0; n < 245; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
    // It has no address yet, so that it is a stranger, whose queue this flood does not use.
    const share = beside(router, { stations: 245, service: 'leases', mac: NEW_MAC });
    t.true(share >= LEAST, `${share}`);
  });

  for (const service of ['names', 'leases'] as const) {
    test.serial(`${service}: who is known since the flood of 245 stations began is heard (${name})`, t => {
      const router = start(build);
      for (let n = 0; n < 245; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
      const options = { stations: 245, service, every: 30 } as const;
      for (let round = 0; round < 4; round++) {
        // In the first second all have asked for as little.
        const share = beside(router, { ...options, from: round === 0 ? TICKS_PER_SECOND : 0 });
        t.true(share >= LEAST, `round ${round}: ${share}`);
      }
      t.is(router.held(), plane.puntWaiting());
    });
  }

  test.serial(
    `hosts behind an inner router that ARP knows are that router, and no strangers (${name})`,
    t => {
      const router = start(build);
      plane.routeAdd(address('10.5.0.0'), address('255.255.0.0'), address(OTHER), LAN);
      settle(router);
      for (let n = 0; n < PUNT_UDP_LIMIT + 8; n++) ask(router, station(n), host(n), 'names', 9999);
      ask(router, OTHER_MAC, '10.5.0.7', 'names', 7);
      ask(router, station(0), '10.5.0.7', 'names', 9999);
      const ports = Array.from({ length: 2 }, () => read(router.punted() as Uint8Array).sourcePort);
      t.is(ports.indexOf(7), 1);
    },
  );

  test.serial(`who was there before and starts anew without an address is no stranger (${name})`, t => {
    const router = start(build);
    settle(router);
    const discover = (mac: string, port: number) =>
      router.put(
        LAN,
        frame(
          BROADCAST,
          mac,
          udp({ source: '0.0.0.0', destination: '255.255.255.255' }, port, 67, payload(300)),
        ),
      );
    for (let n = 0; n < 2 * PUNT_DHCP_LIMIT; n++) discover(station(n), 68);
    discover(HOST_MAC, 7);
    const ports = Array.from({ length: 2 }, () => read(router.punted() as Uint8Array).sourcePort);
    t.is(ports.indexOf(7), 1);
  });

  test.serial(`stations made up without end push out nobody who has settled (${name})`, t => {
    const router = start(build);
    settle(router);
    for (let n = 0; n < 3000; n++) {
      introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
      ask(router, station(n), host(n), 'names', 9999);
      if (n % 100 === 0) router.ticks(1);
    }
    ask(router, HOST_MAC, HOST, 'names', 7);
    // Newcomers have a turn before it, and strangers: whose addresses are others' already.
    const ports = Array.from({ length: 3 }, () => read(router.punted() as Uint8Array).sourcePort);
    t.true(ports.includes(7), `${ports}`);
    while (router.punted() !== undefined) router.taken(LAN);
    t.is(router.held(), 0);
  });

  test.serial(
    `a page's questions of who was there all find room, beside newcomers that go on (${name})`,
    t => {
      const router = start(build);
      settle(router);
      for (let n = 0; n < 40; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
      for (let n = 0; n < 200; n++) ask(router, station(n % 40), host(n % 40), 'names', 9999);
      const page = 40;
      for (let n = 0; n < page; n++) {
        ask(router, HOST_MAC, HOST, 'names', 7);
        ask(router, station(n), host(n), 'names', 9999);
      }
      let mine = 0;
      for (let n = 0; n < PUNT_UDP_LIMIT; n++) mine += Number(read(router.punted()!).sourcePort === 7);
      t.is(mine, page);
      t.is(router.held(), 0);
    },
  );
}
