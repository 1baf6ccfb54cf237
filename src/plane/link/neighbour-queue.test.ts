import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import {
  address,
  addressText,
  arpFrame,
  BROADCAST,
  echo,
  fragments,
  frame,
  payload,
  read,
  udp,
} from '../../../test/packets.ts';
import {
  arpTexts,
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
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_ARP_QUEUE_FULL } from '../../base/counters.ts';
import {
  DRAIN_FRAMES,
  NEIGHBOUR_HELD_LIMIT,
  NEIGHBOUR_HELD_SHARE,
  NEIGHBOUR_RETRY_TICKS,
  NEIGHBOUR_TRIES,
} from '../../base/limits.ts';
import { PACKET_FRAME, PACKET_IP, setFrame } from '../../base/packet.ts';

const metered = await meteredBuild();
const REPLY = { operation: 2, senderMac: GATEWAY_MAC, senderAddress: GATEWAY, targetAddress: WAN_ADDRESS };
const hostName = (i: number) => `192.168.0.${10 + i}`;
const hostMac = (i: number) => `02:00:00:00:00:${(10 + i).toString(16).padStart(2, '0')}`;

/** A datagram from the station that has its source address, as hostMac() and the harness give them out. */
function send(router: Router, datagram: Uint8Array): void {
  router.put(LAN, frame(LAN_MAC, hostMac((datagram[15] as number) - 10), datagram));
}

/** LAN hosts that we know, a gateway that we do not. */
function start(build: Parameters<typeof startRouter>[0], hosts: number): Router {
  const router = startRouter(build, { strangers: true });
  introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
  introduce(router, LAN, OTHER_MAC, OTHER, LAN_ADDRESS);
  for (let i = 0; i < hosts; i++) introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
  return router;
}

/** An inside host asks for as many addresses of the WAN's network where nobody is. */
function scan(router: Router, source: string, count: number, port = 1): void {
  for (let i = 0; i < count; i++) {
    send(router, udp({ source, destination: `10.1.2.${10 + (i % 240)}` }, port, 9));
    router.taken(WAN);
  }
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`one host's search where nobody is leaves another's first packet alone (${name})`, t => {
    const router = start(build, 4);
    scan(router, HOST, 200);
    t.is(router.held(), NEIGHBOUR_HELD_SHARE);
    // Three more of the kind fill all places.
    for (let i = 0; i < 3; i++) scan(router, hostName(i), 200);
    t.is(router.held(), NEIGHBOUR_HELD_LIMIT);
    send(router, udp({ source: OTHER, destination: SERVER }, 1000, 53));
    t.deepEqual(arpTexts(router.taken(WAN)), [`request ${GATEWAY} from ${WAN_ADDRESS} to ${BROADCAST}`]);
    t.is(router.held(), NEIGHBOUR_HELD_LIMIT);
    for (let i = 0; i < 3; i++) scan(router, hostName(i), 200);
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    t.is(router.toWan().length, 1);
    router.ticks(NEIGHBOUR_TRIES * 2 * NEIGHBOUR_RETRY_TICKS);
    router.taken(LAN);
    router.taken(WAN);
    t.is(router.held(), 0);
  });

  test.serial(`a flood to a gateway that is not known yet leaves others their places there (${name})`, t => {
    const router = start(build, 4);
    for (let i = 0; i < 100; i++) send(router, udp({ source: HOST, destination: SERVER }, 1000, 53));
    for (let i = 0; i < 4; i++) send(router, udp({ source: hostName(i), destination: SERVER }, 1000, 53));
    t.is(arpTexts(router.taken(WAN)).length, 1);
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    t.is(router.toWan().length, NEIGHBOUR_HELD_SHARE + 4);
    t.is(router.held(), 0);
  });

  test.serial(`forged sources share the places of one host (${name})`, t => {
    const router = start(build, 4);
    for (let i = 0; i < 200; i++) {
      router.fromHost(udp({ source: `192.168.0.${50 + i}`, destination: `10.1.2.${10 + i}` }, 1, 9));
      // And answers to stations that are not there.
      router.fromHost(echo({ source: `192.168.0.${50 + i}`, destination: LAN_ADDRESS }, 8, 1));
      router.taken(WAN);
      router.taken(LAN);
    }
    t.is(router.held(), NEIGHBOUR_HELD_SHARE);
    send(router, udp({ source: OTHER, destination: SERVER }, 1000, 53));
    t.is(arpTexts(router.taken(WAN)).length, 1);
    t.is(router.held(), NEIGHBOUR_HELD_SHARE + 1);
  });

  test.serial(`what is sent in a known host's name takes nothing from it (${name})`, t => {
    const router = start(build, 4);
    for (let i = 0; i < 100; i++) {
      router.fromHost(udp({ source: OTHER, destination: `10.1.2.${10 + i}` }, 1, 9));
      router.taken(WAN);
    }
    t.is(router.held(), NEIGHBOUR_HELD_SHARE);
    for (let i = 0; i < NEIGHBOUR_HELD_SHARE; i++)
      send(router, udp({ source: OTHER, destination: SERVER }, 1000, 53));
    router.taken(WAN);
    t.is(router.held(), 2 * NEIGHBOUR_HELD_SHARE);
  });

  test.serial(`what waits for an inside host is charged to it, whoever sends (${name})`, t => {
    const router = startRouter(build);
    send(router, udp({ source: HOST, destination: SERVER }, 1000, 53));
    send(router, udp({ source: OTHER, destination: SERVER }, 1001, 53));
    router.taken(WAN);
    build.use();
    router.plane.forgetNeighbours(LAN);
    const answer = (port: number) =>
      router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, port));
    for (let i = 0; i < 40; i++) answer(1000);
    answer(1001);
    t.is(arpTexts(router.taken(LAN)).length, 2);
    t.is(router.held(), NEIGHBOUR_HELD_SHARE + 1);
    t.is(router.counter(DROP_ARP_QUEUE_FULL), 40 - NEIGHBOUR_HELD_SHARE);
    for (const [senderAddress, senderMac] of [
      [HOST, HOST_MAC],
      [OTHER, OTHER_MAC],
    ] as const) {
      router.put(
        LAN,
        arpFrame(LAN_MAC, { operation: 2, senderMac, senderAddress, targetAddress: LAN_ADDRESS }),
      );
    }
    t.is(router.toLan().length, NEIGHBOUR_HELD_SHARE + 1);
    t.is(router.held(), 0);
  });

  test.serial(`what waited goes out a few frames a piece of work, and in order (${name})`, t => {
    const router = start(build, 4);
    for (let i = 0; i < 4; i++)
      for (let n = 0; n < NEIGHBOUR_HELD_SHARE; n++)
        send(router, udp({ source: hostName(i), destination: SERVER }, 1000 + n, 53, payload(1400)));
    router.taken(WAN);
    t.is(router.held(), NEIGHBOUR_HELD_LIMIT);
    build.use();
    const { plane } = router;
    const reply = arpFrame(WAN_MAC, REPLY);
    const packet = plane.allocate();
    build.memory.set(reply, packet + PACKET_FRAME);
    setFrame(packet, reply.length);
    plane.ringPut(WAN, packet);
    plane.takeInterrupt(10, 0);
    let most = 0;
    const ports: number[] = [];
    for (let isMore = true; isMore; ) {
      isMore = plane.work(0) !== 0;
      const before = ports.length;
      for (let gone = plane.ringTake(WAN); gone !== 0; gone = plane.ringTake(WAN)) {
        ports.push(read(build.memory.slice(gone + PACKET_IP, gone + PACKET_IP + 60)).sourcePort);
        plane.release(gone);
      }
      most = Math.max(most, ports.length - before);
    }
    t.true(most > 0 && most <= DRAIN_FRAMES, `${most}`);
    t.is(ports.length, NEIGHBOUR_HELD_LIMIT);
    t.deepEqual(
      ports.slice(0, 8),
      [...ports.slice(0, 8)].sort((a, b) => a - b),
    );
    t.is(router.held(), 0);
  });

  test.serial(`a datagram of 10,000 bytes in fragments waits whole (${name})`, t => {
    const router = start(build, 0);
    const parts = fragments(udp({ source: HOST, destination: SERVER }, 4000, 9, payload(10000)), 1480);
    for (const part of parts) send(router, part);
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    t.is(router.toWan().length, parts.length);
  });

  test.serial(`shares are left right however packets come and go (${name})`, t => {
    const router = start(build, 20);
    let seed = 7;
    const below = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return Math.floor(seed / 65536) % n;
    };
    for (let i = 0; i < 3000; i++) {
      const what = below(10);
      if (what < 7) {
        send(router, udp({ source: hostName(below(20)), destination: `10.1.2.${10 + below(40)}` }, 1, 9));
      } else if (what === 7) {
        const senderAddress = `10.1.2.${10 + below(40)}`;
        router.put(WAN, arpFrame(WAN_MAC, { ...REPLY, senderAddress }));
      } else if (what === 8) {
        router.ticks(below(40));
      } else if (below(20) === 0) {
        build.use();
        router.plane.forgetNeighbours(WAN);
      }
      router.taken(WAN);
      router.taken(LAN);
      t.true(router.held() <= 2 * NEIGHBOUR_HELD_LIMIT);
    }
    router.ticks(NEIGHBOUR_TRIES * 2 * NEIGHBOUR_RETRY_TICKS);
    router.taken(LAN);
    router.taken(WAN);
    t.is(router.held(), 0);
    // Nobody has anything left on his account.
    for (let i = 0; i < 20; i++) introduce(router, LAN, hostMac(i), hostName(i), LAN_ADDRESS);
    for (let i = 0; i < 20; i++) scan(router, hostName(i), 1, 5000 + i);
    t.is(router.held(), 20);
  });
}

test.serial('to wait costs a bounded search, whoever has all places', t => {
  const router = start(metered, 100);
  for (let i = 0; i < 4; i++) scan(router, hostName(i), NEIGHBOUR_HELD_SHARE);
  let worst = 0;
  for (let i = 4; i < 100; i++) {
    // From link to link, so that what is counted has no port in it: the flow, the search, and the request that goes out.
    const first = udp({ source: hostName(i), destination: addressText(address('192.168.0.120') + i) }, 1, 9);
    worst = Math.max(
      worst,
      metered.operations(() => send(router, first)),
    );
    router.taken(LAN);
  }
  t.is(router.held(), NEIGHBOUR_HELD_LIMIT);
  t.log(`${worst} operations`);
  t.true(worst < 5500, `${worst}`);
});
