// The floods of test/bench/floods.ts against the plane alone, in virtual time: a control that takes two packets a tick, 30
// frames of a flood a tick, and a host that asks for something each fourth. What the board makes of it: test/floods.test.ts.

import test from 'ava';
import { FLOODS } from '../../../test/bench/flood-frames.ts';
import { echo, frame, payload, read, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  introduce,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  startRouter,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { NEIGHBOUR_SWEEP_TICKS } from '../../base/limits.ts';
import { STATION_SETTLE_TICKS } from '../../base/station-limits.ts';

const TICKS = 120;
const FLOOD_A_TICK = 30;
const TAKEN_A_TICK = 2;
const BAD = '192.168.0.77';
const BAD_MAC = '02:00:00:00:00:77';
const LEAST = 0.95;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  for (const flood of FLOODS.filter(({ outside }) => outside !== true)) {
    test.serial(`${flood.name}: who asks little is heard (${build.name})`, t => {
      const router = startRouter(build);
      build.plane.socketOpen(17, 53, 1 << LAN);
      build.plane.socketOpen(17, 67, 1 << LAN);
      build.plane.socketOpen(6, 53, 1 << LAN);
      introduce(router, LAN, BAD_MAC, BAD, LAN_ADDRESS);
      router.ticks(STATION_SETTLE_TICKS + 2 * NEIGHBOUR_SWEEP_TICKS);
      router.taken(LAN);
      let [asked, heard, sent] = [0, 0, 0];
      for (let tick = 0; tick < TICKS + 50; tick++) {
        for (let i = 0; tick < TICKS && i < FLOOD_A_TICK; i++) router.put(LAN, flood.make(sent++, LAN_MAC));
        if (tick < TICKS && tick % 4 === 0) {
          asked++;
          const ip = { source: HOST, destination: LAN_ADDRESS };
          const kind = (tick >> 2) % 3;
          if (kind === 0) router.put(LAN, frame(LAN_MAC, HOST_MAC, udp(ip, 4000, 53, payload(30))));
          else if (kind === 1) router.put(LAN, frame(LAN_MAC, HOST_MAC, udp(ip, 68, 67, payload(300))));
          else router.put(LAN, frame(LAN_MAC, HOST_MAC, echo(ip, 8, 0x55)));
        }
        for (let i = 0; i < TAKEN_A_TICK; i++) {
          const packet = router.punted();
          if (packet !== undefined && read(packet).source === HOST) heard++;
        }
        heard += router.toLan().filter(d => read(d).destination === HOST && read(d).type === 0).length;
        router.ticks(1);
      }
      t.true(heard >= LEAST * asked, `${heard} of ${asked}`);
    });
  }
}
