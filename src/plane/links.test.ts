// Links by number and by role: LAN and WAN on any two of them, cards on links of other numbers. What is kept of each link is
// computed from how many there are, so nothing of the highest lies in another's place.

import test from 'ava';
import { address, fragments, payload, read, tcp, udp } from '../../test/packets.ts';
import { HOST, LAN_ADDRESS, type Router, SERVER, startRouter, WAN_ADDRESS } from '../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { LINK_END_AT, NIC_END_AT, WORK_AGE, WORK_DRAIN, WORK_RECEIVE } from '../base/cells.ts';
import {
  COUNT_ICMP_SENT,
  COUNT_MASQUERADE_NEW,
  DROP_NOT_FOR_US,
  DROP_SPOOFED_FROM_WAN,
} from '../base/counters.ts';
import { IF_QUEUE_LENGTH, IF_RX_PACKETS, IF_TX_PACKETS, interfaceAt } from '../base/interface.ts';
import {
  ARP_STATE_AT,
  ARP_STATE_BYTES,
  BUFFER_COUNT,
  INTERFACE_COUNT,
  NEIGHBOUR_HELD_LIMIT,
  NIC_COUNT,
  ROUTE_STATE_BYTES,
} from '../base/limits.ts';
import { i32at } from '../base/memory.ts';
import { ARP_HELD } from '../base/neighbour-record.ts';
import { ROUTE_OUT_MASK } from './flow/kept-route.ts';

const HIGHEST = INTERFACE_COUNT - 1;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  /** A router whose sides are the two given links, on the second card and the first. */
  const start = (lan: number, wan: number): Router => startRouter(build, { links: [lan, wan] });

  for (const [lan, wan] of [
    [HIGHEST, 4],
    [1, 0],
    [2, HIGHEST],
  ] as const) {
    test.serial(`inside is link ${lan}, outside link ${wan}: all is as with LAN and WAN (${name})`, t => {
      const router = start(lan, wan);
      // Out by the masquerade, and back.
      router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(9)));
      t.like(read(router.toWan()[0] as Uint8Array), { source: WAN_ADDRESS, sourcePort: 1043 });
      router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043, payload(5)));
      t.like(read(router.toLan()[0] as Uint8Array), { destination: HOST, destinationPort: 1043 });
      t.is(router.counter(COUNT_MASQUERADE_NEW), 1);
      t.is(i32at(interfaceAt(lan) + IF_RX_PACKETS) > 0 && i32at(interfaceAt(wan) + IF_TX_PACKETS) > 0, true);
      // What is the router's own: an error, a socket, an answer from a closed port.
      router.fromHost(udp({ source: HOST, destination: SERVER, ttl: 1 }, 1044, 53));
      t.is(router.counter(COUNT_ICMP_SENT), 1);
      t.like(read(router.toLan()[0] as Uint8Array), { source: LAN_ADDRESS, destination: HOST });
      plane.socketOpen(17, 67, 1 << lan);
      router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 68, 67));
      t.truthy(router.punted());
      router.fromHost(
        tcp({ source: HOST, destination: LAN_ADDRESS }, { sourcePort: 7, destinationPort: 8, flags: 2 }),
      );
      t.is(router.toLan().length, 1);
      // A source of the inside does not come from outside.
      router.fromGateway(udp({ source: HOST, destination: WAN_ADDRESS }, 53, 1043));
      t.is(router.counter(DROP_SPOOFED_FROM_WAN), 1);
      // Fragments, and a burst that waits in the link's queue.
      for (const part of fragments(udp({ source: HOST, destination: SERVER }, 1045, 53, payload(3000)), 1480))
        router.fromHost(part);
      t.is(router.toWan().length, 3);
      for (let i = 0; i < 50; i++) router.fromHost(udp({ source: HOST, destination: SERVER }, 1046, 53));
      t.is(i32at(interfaceAt(wan) + IF_QUEUE_LENGTH), 50 - 32);
      t.is(router.toWan().length, 50);
      t.is(router.held(), 0);
    });
  }

  test.serial(`each link probes, is asked and waits for itself (${name})`, t => {
    const router = start(HIGHEST, 4);
    // A packet waits for a station of the highest link, while the others are probed for addresses.
    router.fromHost(udp({ source: HOST, destination: '192.168.0.77' }, 1, 2));
    const before = Array.from({ length: NEIGHBOUR_HELD_LIMIT }, (_, i) => i32at(ARP_HELD + 4 * i));
    for (let link = 0; link < INTERFACE_COUNT; link++) plane.arpProbe(link, address(`10.9.9.${link + 1}`));
    t.deepEqual(
      before,
      Array.from({ length: NEIGHBOUR_HELD_LIMIT }, (_, i) => i32at(ARP_HELD + 4 * i)),
    );
    t.true(before.some(packet => packet !== 0));
    for (let link = 0; link < INTERFACE_COUNT; link++) plane.arpProbeEnd(link);
    plane.forgetNeighbours(4);
    t.is(i32at(ARP_HELD) !== 0, true, 'those of another link stay');
    plane.forgetNeighbours(HIGHEST);
    router.ticks(400); // its sender is asked for too, to be told, and does not answer
    router.taken(0);
    router.taken(1);
    t.is(router.held(), 0);
    t.is(plane.poolFree(), BUFFER_COUNT);
  });

  test.serial(`what is for another link's station is not for this one (${name})`, t => {
    const router = start(5, 6);
    router.put(0, new Uint8Array([2, 0x4d, 0x42, 0, 0, 2, 2, 0, 0, 0, 0, 2, 8, 0, ...payload(46)]));
    t.is(router.counter(DROP_NOT_FOR_US), 1);
  });

  test.serial(`loops end at what is there (${name})`, t => {
    startRouter(build);
    t.is(i32at(LINK_END_AT), 2);
    t.is(i32at(NIC_END_AT), 2);
    start(HIGHEST, 4);
    t.is(i32at(LINK_END_AT), INTERFACE_COUNT);
    t.is(i32at(NIC_END_AT), 2);
    plane.planeReset();
    t.is(i32at(LINK_END_AT) + i32at(NIC_END_AT), 0);
  });
}

test('what is kept of each link fits where it is, and the bits of work are apart', t => {
  t.is(ARP_HELD + 12 * NEIGHBOUR_HELD_LIMIT <= ARP_STATE_AT + ARP_STATE_BYTES, true);
  t.true(16 * INTERFACE_COUNT <= ROUTE_STATE_BYTES);
  t.is(WORK_RECEIVE & WORK_DRAIN, 0);
  t.is((WORK_RECEIVE | WORK_DRAIN) & WORK_AGE, 0);
  t.is(WORK_DRAIN.toString(2).replaceAll('0', '').length, INTERFACE_COUNT);
  t.true(INTERFACE_COUNT - 1 <= ROUTE_OUT_MASK, 'a kept route has room for the number');
  t.true(NIC_COUNT <= INTERFACE_COUNT, 'a card has the link of its number');
});
