// What a packet for control costs in the interrupt at worst, in operations of the metered plane (test/metered.ts), and what
// the stations' ageing costs each tick.

import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import { frame, payload, udp } from '../../../test/packets.ts';
import { introduce, LAN, LAN_ADDRESS, LAN_MAC, startRouter } from '../../../test/plane-router.ts';
import {
  LEASE_COUNT,
  LEASE_STATIONS_AT,
  NEIGHBOUR_SWEEP_TICKS,
  PUNT_DHCP_LIMIT,
  PUNT_UDP_LIMIT,
} from '../../base/limits.ts';
import { puti32 } from '../../base/memory.ts';
import { STATION_SETTLE_TICKS } from '../../base/station-limits.ts';

const metered = await meteredBuild();
const hex = (n: number) => n.toString(16).padStart(2, '0');
const station = (n: number) => `02:66:00:00:${hex(n >> 8)}:${hex(n & 255)}`;
const host = (n: number) => `192.168.0.${5 + (n % 245)}`;

function start() {
  const router = startRouter(metered);
  metered.plane.socketOpen(17, 53, 1 << LAN);
  metered.plane.socketOpen(17, 67, 1 << LAN);
  return router;
}

test.serial('a packet for control costs a bounded search, whoever waits', t => {
  const router = start();
  const cost = (n: number, source: string, port: number) =>
    metered.operations(() =>
      router.put(
        LAN,
        frame(LAN_MAC, station(n), udp({ source, destination: LAN_ADDRESS }, 9, port, payload(30))),
      ),
    );
  const alone = cost(0, host(0), 53);
  const count = PUNT_UDP_LIMIT + PUNT_DHCP_LIMIT;
  for (let n = 0; n < count; n++) introduce(router, LAN, station(n), host(n), LAN_ADDRESS);
  router.ticks(STATION_SETTLE_TICKS + 2 * NEIGHBOUR_SWEEP_TICKS);
  router.taken(LAN);
  let worst = 0;
  for (let n = 0; n < count; n++) worst = Math.max(worst, cost(n, host(n), n < PUNT_UDP_LIMIT ? 53 : 67));
  // Each has a queue of its own in one class or another; now strangers, whom the leases are searched for, and newcomers.
  for (let n = 0; n < 40; n++) {
    worst = Math.max(worst, cost(500 + n, host(n), 53));
    introduce(router, LAN, station(600 + n), host(200 + n), LAN_ADDRESS);
    worst = Math.max(worst, cost(600 + n, host(200 + n), 53));
  }
  t.log(`alone ${alone} operations, worst ${worst}`);
  t.true(worst < 6000, `${worst}`);
});

test.serial('a tick of the stations costs one look, however many leases run', t => {
  start();
  for (let i = 0; i < LEASE_COUNT; i++) puti32(LEASE_STATIONS_AT + 4 * i, 0x02000000 + i * 77);
  const { plane } = metered;
  /** The most of some ticks: another service looks at its table every few of them. */
  const tick = (): number => {
    let most = 0;
    for (let i = 0; i < LEASE_COUNT; i++)
      most = Math.max(
        most,
        metered.operations(() => plane.tick(0)),
      );
    return most;
  };
  tick();
  const whole = tick();
  for (let i = 0; i < LEASE_COUNT; i++) puti32(LEASE_STATIONS_AT + 4 * i, 0);
  const none = tick();
  t.log(`${whole - none} operations a tick, of ${whole}`);
  t.true(whole - none < 400, `${whole - none}`);
});
