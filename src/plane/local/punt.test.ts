import test from 'ava';
import { audit } from '../../../test/fuzz/audit.ts';
import { ACK, address, frame, payload, read, tcp, udp } from '../../../test/packets.ts';
import {
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
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { COUNT_PUNTED, DROP_PUNT_FULL } from '../../base/counters.ts';
import {
  LEASE_STATIONS_AT,
  NEIGHBOUR_SWEEP_TICKS,
  POOL_RESERVE,
  PUNT_ANSWER_LIMIT,
  PUNT_DHCP_LIMIT,
  PUNT_KEPT,
  PUNT_LIMIT,
  PUNT_TCP_LIMIT,
  PUNT_UDP_LIMIT,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { puti32 } from '../../base/memory.ts';
import { stationWord } from '../../base/punt-source.ts';
import { STATION_SETTLE_TICKS } from '../../base/station-limits.ts';

const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';
const station = (n: number) =>
  `02:00:00:09:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;
const host = (n: number) => `192.168.0.${10 + (n % 200)}`;

/** A query of a station; its source port is its number. */
function ask(router: Router, mac: string, source: string, port: number): void {
  router.put(LAN, frame(LAN_MAC, mac, udp({ source, destination: LAN_ADDRESS }, port, 53)));
}

function discover(router: Router, mac: string, source = '0.0.0.0'): void {
  router.put(
    LAN,
    frame(BROADCAST_MAC, mac, udp({ source, destination: '255.255.255.255' }, 68, 67, payload(300))),
  );
}

/** Source ports, or protocols where there are none, of all that waits, in the order in which control gets it. */
function all(router: Router): number[] {
  const got: number[] = [];
  for (;;) {
    const packet = router.punted();
    if (packet === undefined) return got;
    got.push(read(packet).sourcePort || read(packet).protocol);
  }
}

const builds = [javascriptBuild(), await wasmBuild()];

for (const build of builds) {
  const { plane, name } = build;
  const start = () => {
    const router = startRouter(build);
    plane.socketOpen(17, 53, 3);
    plane.socketOpen(17, 67, 1 << LAN);
    plane.socketOpen(6, 53, 1 << LAN);
    settle(router);
    return router;
  };
  /** Who is known becomes a source of its own. */
  const settle = (router: Router) => {
    router.ticks(STATION_SETTLE_TICKS + 2 * NEIGHBOUR_SWEEP_TICKS);
    router.taken(LAN);
  };

  test.serial(`one source's packets come in order, ${PUNT_UDP_LIMIT} at most, the oldest (${name})`, t => {
    const router = start();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < PUNT_UDP_LIMIT + 3; i++) ask(router, HOST_MAC, HOST, 1000 + i);
      t.is(plane.puntWaiting(), PUNT_UDP_LIMIT);
      t.is(plane.wanted(), 1);
      t.deepEqual(audit(), []);
      t.deepEqual(
        all(router),
        Array.from({ length: PUNT_UDP_LIMIT }, (_, i) => 1000 + i),
      );
      t.is(router.counter(DROP_PUNT_FULL), 3 * (round + 1));
      t.is(router.counter(COUNT_PUNTED), PUNT_UDP_LIMIT * (round + 1));
      t.is(router.held(), 0);
      router.ticks(2 * TICKS_PER_SECOND);
    }
  });

  test.serial(`a host that asks seldom has its place and its turn beside one that floods (${name})`, t => {
    const router = start();
    for (let i = 0; i < 60; i++) ask(router, HOST_MAC, HOST, 1000 + i);
    ask(router, OTHER_MAC, OTHER, 7);
    ask(router, HOST_MAC, HOST, 2000);
    t.is(plane.puntWaiting(), PUNT_UDP_LIMIT);
    t.deepEqual(audit(), []);
    const order = all(router);
    t.is(order.indexOf(7), 1, 'one packet of the flood goes before it');
    t.is(order[0], 1001, 'the flood has lost its oldest one');
    t.false(order.includes(2000));
    t.is(router.held(), 0);
  });

  test.serial(`sources share a full class evenly, whoever came first (${name})`, t => {
    const router = start();
    for (let n = 0; n < 4; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
    settle(router);
    for (let i = 0; i < 50; i++) ask(router, station(0), host(0), 1000);
    router.ticks(5 * TICKS_PER_SECOND);
    for (let i = 0; i < 50; i++) for (let n = 0; n < 4; n++) ask(router, station(n), host(n), 1000 + n);
    t.deepEqual(audit(), []);
    const order = all(router);
    // Who has asked for less so far, as the last, may take one more.
    for (let n = 0; n < 4; n++) {
      const count = order.filter(port => port === 1000 + n).length;
      t.true(Math.abs(count - PUNT_UDP_LIMIT / 4) <= 1, `${n}: ${count}`);
    }
    t.deepEqual(new Set(order.slice(0, 8)).size, 4, 'they take turns');
  });

  test.serial(`made-up addresses and stations are one source together (${name})`, t => {
    const router = start();
    for (let n = 0; n < 300; n++) ask(router, station(n), host(n), 1000);
    // A made-up station under the address of a known host, and a known station under made-up addresses.
    for (let n = 0; n < 50; n++) ask(router, station(n), OTHER, 1000);
    for (let n = 0; n < 50; n++) ask(router, HOST_MAC, host(n), 1000);
    t.is(plane.puntWaiting(), PUNT_UDP_LIMIT);
    for (let i = 0; i < 5; i++) ask(router, OTHER_MAC, OTHER, i + 1);
    t.deepEqual(audit(), []);
    const order = all(router);
    t.deepEqual(
      order.filter(port => port < 1000),
      [1, 2, 3, 4, 5],
    );
    t.deepEqual(order.slice(0, 4), [1000, 1, 1000, 2], 'each second turn is the known one’s');
    t.is(order.length, PUNT_UDP_LIMIT);
  });

  test.serial(`classes do not take each other's places, and take turns (${name})`, t => {
    const router = start();
    plane.tcpOpen(address(host(7)), (53 << 16) | 4000);
    for (let n = 0; n < 100; n++) {
      ask(router, station(n), host(n), 1000);
      discover(router, station(n));
      const segment = { sourcePort: 4000, destinationPort: 53, flags: ACK };
      router.put(
        LAN,
        frame(LAN_MAC, station(n), tcp({ source: host(7), destination: LAN_ADDRESS }, segment)),
      );
      router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 5000, 53));
    }
    t.is(plane.puntWaiting(), PUNT_UDP_LIMIT + PUNT_DHCP_LIMIT + PUNT_TCP_LIMIT + PUNT_ANSWER_LIMIT);
    t.deepEqual(audit(), []);
    const order = all(router);
    for (let turn = 0; turn < PUNT_DHCP_LIMIT; turn++) {
      const four = order.slice(4 * turn, 4 * turn + 4);
      t.deepEqual(
        four.sort((a, b) => a - b),
        [68, 1000, 4000, 5000],
      );
    }
    t.is(router.held(), 0);
  });

  test.serial(`a station whose lease runs is known without an address (${name})`, t => {
    const router = start();
    build.memory.set([2, 0, 0, 9, 1, 5], 128);
    puti32(LEASE_STATIONS_AT + 4 * 17, stationWord(128));
    settle(router);
    const mine = '02:00:00:09:01:05';
    for (let n = 0; n < 100; n++) discover(router, station(n));
    router.put(
      LAN,
      frame(BROADCAST_MAC, mine, udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 69, 67)),
    );
    for (let n = 0; n < 100; n++) discover(router, station(n));
    const order = all(router);
    t.is(order.length, PUNT_DHCP_LIMIT);
    t.is(order.indexOf(69), 1);
  });

  test.serial(`where buffers run short, the longest queue of all gives (${name})`, t => {
    const router = start();
    for (let i = 0; i < PUNT_UDP_LIMIT; i++) ask(router, HOST_MAC, HOST, 1000);
    const taken: number[] = [];
    while (plane.poolFree() > POOL_RESERVE) taken.push(plane.allocate());
    ask(router, OTHER_MAC, OTHER, 7);
    ask(router, HOST_MAC, HOST, 8);
    discover(router, station(1));
    t.is(plane.puntWaiting(), PUNT_UDP_LIMIT);
    t.deepEqual(
      all(router).filter(port => port < 1000),
      [68, 7],
    );
    for (const packet of taken) plane.release(packet);
    t.is(router.held(), 0);
  });

  test.serial(`the last of ${PUNT_LIMIT} places: each its own source, and one more (${name})`, t => {
    const router = start();
    for (let n = 0; n < PUNT_UDP_LIMIT; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
    settle(router);
    for (let n = 0; n < PUNT_UDP_LIMIT; n++) ask(router, station(n), host(n), 1000 + n);
    ask(router, HOST_MAC, HOST, 7);
    t.is(router.counter(DROP_PUNT_FULL), 1, 'nobody has more than one to give');
    t.deepEqual(audit(), []);
    t.is(all(router).length, PUNT_UDP_LIMIT);
    // Who is served and comes again waits behind all others: nobody is passed over.
    for (let n = 0; n < 5; n++) ask(router, station(n), host(n), 1000 + n);
    const order: number[] = [];
    for (let i = 0; i < 20; i++) {
      const port = read(router.punted() as Uint8Array).sourcePort;
      order.push(port);
      ask(router, station(port - 1000), host(port - 1000), port);
      t.deepEqual(audit(), []);
    }
    t.deepEqual(order.slice(0, 5).sort(), [1000, 1001, 1002, 1003, 1004]);
    t.deepEqual(order.slice(5, 10), order.slice(0, 5));
    t.deepEqual(order.slice(15), order.slice(0, 5));
    all(router);
  });

  test.serial(`errors from outside have one queue, answers one for each address (${name})`, t => {
    const router = start();
    const answer = (source: string, port: number) =>
      router.put(WAN, frame(WAN_MAC, GATEWAY_MAC, udp({ source, destination: WAN_ADDRESS }, port, 53)));
    for (let i = 0; i < 50; i++) answer(SERVER, 1000);
    for (let i = 0; i < 3; i++) answer('198.51.100.9', 2000 + i);
    t.deepEqual(all(router).slice(0, 4), [1000, 2000, 1000, 2001]);
    t.is(router.held(), 0);
  });

  test.serial(`a packet that control took and never released is reclaimed (${name})`, t => {
    const router = start();
    for (let i = 0; i < 3; i++) ask(router, HOST_MAC, HOST, 1000);
    build.use();
    plane.puntTake();
    plane.puntTake();
    t.is(plane.reclaim(), 2);
    t.is(router.held(), 1);
    t.truthy(router.punted());
    t.is(router.held(), 0);
  });
}

/** Sixty stations that were there before, none loud, ask for more than there is, each as much as the next. */
function crowd(
  router: Router,
  plane: { socketOpen: (protocol: number, port: number, sides: number) => number },
): {
  pass: (ticks: number, each?: (tick: number) => void) => number[];
} {
  const CROWD = 60;
  /** Each asks for 25 a second; control takes 100 of the 1,500. */
  const PER_TICK = 15;
  plane.socketOpen(17, 53, 3);
  plane.socketOpen(17, 67, 1 << LAN);
  for (let n = 0; n < CROWD; n++) introduce(router, LAN, station(n), host(100 + n), LAN_ADDRESS);
  router.ticks(STATION_SETTLE_TICKS + 2 * NEIGHBOUR_SWEEP_TICKS);
  router.taken(LAN);
  let [sent, tick] = [0, 0];
  const pass = (ticks: number, each: (tick: number) => void = () => {}): number[] => {
    const taken: number[] = [];
    for (const last = tick + ticks; tick < last; tick++) {
      for (let i = 0; i < PER_TICK; i++, sent++) {
        const n = (Math.imul(sent + 1, 0x9e3779b1) >>> 16) % CROWD; // by chance, the same in each run
        const data = udp(
          { source: host(100 + n), destination: LAN_ADDRESS },
          1000 + n,
          sent % 7 === 0 ? 67 : 53,
          payload(300),
        );
        router.put(LAN, frame(LAN_MAC, station(n), data));
      }
      each(tick);
      const packet = router.punted();
      if (packet !== undefined) taken.push(read(packet).sourcePort);
      router.taken(LAN);
      router.ticks(1);
    }
    return taken;
  };
  return { pass };
}

for (const build of builds) {
  const { plane, name } = build;

  test.serial(
    `sixty that ask for more than there is leave who asks for little its answers at once (${name})`,
    t => {
      const router = startRouter(build);
      const { pass } = crowd(router, plane);
      pass(300);
      let [asked, at, longest, heard] = [0, 0, 0, 0];
      let tick = 0;
      const taken = pass(2000, now => {
        tick = now;
        if (now % 20 !== 0) return;
        asked++;
        at = now;
        ask(router, HOST_MAC, HOST, 7);
      });
      heard = taken.filter(port => port === 7).length;
      t.true(heard >= 0.95 * asked, `${heard} of ${asked}`);
      t.true(tick >= at);
      longest = Math.max(...taken.map((port, i) => (port === 7 ? i - taken.lastIndexOf(7, i - 1) : 0)));
      t.true(longest <= 2 * 20 + 8, `${longest} turns between two answers`);
      // Each of the others has had its turns.
      const turns = Array.from({ length: 60 }, (_, n) => taken.filter(port => port === 1000 + n).length);
      t.true(Math.min(...turns) >= 10, `${turns}`);
      t.deepEqual(audit(), []);
    },
  );

  test.serial(
    `beside them what it asks for at once finds room, and is served within half a second (${name})`,
    t => {
      const router = startRouter(build);
      const { pass } = crowd(router, plane);
      pass(500);
      introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < PUNT_KEPT; i++) ask(router, HOST_MAC, HOST, 7);
        t.is(pass(50).filter(port => port === 7).length, PUNT_KEPT, `${round}`);
        pass(100);
      }
      t.deepEqual(audit(), []);
    },
  );

  test.serial(`a lease is renewed beside sixty that ask for theirs once a second (${name})`, t => {
    const router = startRouter(build);
    crowd(router, plane);
    const inform = (n: number, mac: string, source: string): void =>
      router.put(LAN, frame(LAN_MAC, mac, udp({ source, destination: LAN_ADDRESS }, n, 67, payload(300))));
    let heard = 0;
    for (let tick = 0; tick < 3000; tick++) {
      if (tick % 5 !== 4) inform(1000, station(tick % 60), host(100 + (tick % 60)));
      if (tick % 300 === 249) introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
      if (tick % 300 === 250) inform(7, HOST_MAC, HOST);
      // Control reads 20 a second of 80.
      const packet = tick % 5 === 0 ? router.punted() : undefined;
      if (packet !== undefined && read(packet).sourcePort === 7) heard++;
      router.taken(LAN);
      router.ticks(1);
    }
    t.is(heard, 10);
  });
}
