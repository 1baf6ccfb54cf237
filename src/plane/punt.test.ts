import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../test/builds.ts';
import { read, udp } from '../../test/packets.ts';
import { HOST, LAN, LAN_ADDRESS, SERVER, startRouter, WAN, WAN_ADDRESS } from '../../test/plane-router.ts';
import { COUNT_PUNTED, DROP_PUNT_FULL } from './counters.ts';
import { PUNT_OUTSIDE_LIMIT, PUNT_RING_COUNT } from './limits.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  test.serial(`the punt ring keeps the order, and drops past ${PUNT_RING_COUNT} (${name})`, t => {
    const router = startRouter(build);
    plane.socketOpen(17, 53, 1 << LAN);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < PUNT_RING_COUNT + 3; i++) {
        router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1000 + i, 53));
      }
      t.is(plane.puntWaiting(), PUNT_RING_COUNT);
      t.is(plane.wanted(), 1);
      for (let i = 0; i < PUNT_RING_COUNT; i++) {
        t.is(read(router.punted() as Uint8Array).sourcePort, 1000 + i);
      }
      t.is(router.punted(), undefined);
      t.is(router.counter(DROP_PUNT_FULL), 3 * (round + 1));
      t.is(router.counter(COUNT_PUNTED), PUNT_RING_COUNT * (round + 1));
      t.is(router.held(), 0);
    }
  });

  test.serial(`a flood from outside leaves places of the punt ring to the inside (${name})`, t => {
    const router = startRouter(build);
    plane.socketOpen(17, 53, 1 << LAN);
    plane.socketOpen(17, 68, 1 << WAN);
    const rest = PUNT_RING_COUNT - PUNT_OUTSIDE_LIMIT;
    const fromInside = () => router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1000, 53));
    const fromOutside = (count: number) => {
      for (let i = 0; i < count; i++) {
        router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 67, 68));
      }
    };
    fromOutside(2 * PUNT_RING_COUNT);
    t.is(plane.puntWaiting(), PUNT_OUTSIDE_LIMIT);
    t.is(router.counter(DROP_PUNT_FULL), 2 * PUNT_RING_COUNT - PUNT_OUTSIDE_LIMIT);
    for (let i = 0; i < rest; i++) fromInside();
    t.is(plane.puntWaiting(), PUNT_RING_COUNT);
    // As one is taken another may follow; who comes from inside may have all places.
    for (let i = 0; i < PUNT_RING_COUNT; i++) {
      t.is(read(router.punted() as Uint8Array).destinationPort, i < PUNT_OUTSIDE_LIMIT ? 68 : 53);
      fromInside();
      t.is(plane.puntWaiting(), PUNT_RING_COUNT);
    }
    t.truthy(router.punted());
    fromOutside(2);
    t.is(plane.puntWaiting(), PUNT_RING_COUNT, 'answers from outside get in too');
    for (let i = 0; i < PUNT_RING_COUNT; i++) router.punted();
    t.is(router.held(), 0);
  });

  test.serial(`a packet that control took and never released is reclaimed (${name})`, t => {
    const router = startRouter(build);
    plane.socketOpen(17, 53, 1 << LAN);
    for (let i = 0; i < 3; i++) router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1000, 53));
    build.use();
    plane.puntTake();
    plane.puntTake();
    t.is(plane.reclaim(), 2);
    t.is(router.held(), 1);
    t.truthy(router.punted());
    t.is(router.held(), 0);
  });
}
