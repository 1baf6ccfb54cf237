import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../test/builds.ts';
import { arpFrame, BROADCAST, icmpError, macText, payload, read, udp } from '../../test/packets.ts';
import {
  arpTexts,
  GATEWAY,
  GATEWAY_MAC,
  HOST,
  introduce,
  LAN,
  LAN_ADDRESS,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../test/plane-router.ts';
import { DROP_ARP_FAILED, DROP_ARP_QUEUE_FULL } from './counters.ts';
import {
  NEIGHBOUR_CONFIRMED_TICKS,
  NEIGHBOUR_COUNT,
  NEIGHBOUR_HELD_LIMIT,
  NEIGHBOUR_IDLE_TICKS,
  NEIGHBOUR_QUEUE_LIMIT,
  NEIGHBOUR_RETRY_TICKS,
  NEIGHBOUR_TRIES,
  NEIGHBOUR_WINDOW,
} from './limits.ts';

/** Ticks in which the whole table is looked at once. */
const SWEEP = NEIGHBOUR_COUNT / 4;
const OUT = { source: HOST, destination: SERVER };
const REPLY = { operation: 2, senderMac: GATEWAY_MAC, senderAddress: GATEWAY, targetAddress: WAN_ADDRESS };
const ASK = `request ${GATEWAY} from ${WAN_ADDRESS} to ${BROADCAST}`;

/** A LAN host that we know, and a gateway that we do not. */
function startAlone(build: Parameters<typeof startRouter>[0]): Router {
  const router = startRouter(build, { strangers: true });
  introduce(router, LAN, '02:00:00:00:00:02', HOST, LAN_ADDRESS);
  return router;
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`packets wait for the reply and leave in order, with one request (${name})`, t => {
    const router = startAlone(build);
    for (let i = 0; i < 3; i++) router.fromHost(udp(OUT, 1000 + i, 53));
    t.deepEqual(arpTexts(router.taken(WAN)), [ASK]);
    t.is(router.held(), 3);
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    const frames = router.taken(WAN);
    t.deepEqual(
      frames.map(bytes => read(bytes.slice(14)).sourcePort),
      [1000, 1001, 1002],
    );
    for (const bytes of frames) {
      t.is(macText(bytes), GATEWAY_MAC);
      t.is(macText(bytes, 6), WAN_MAC);
    }
    t.is(router.held(), 0);
    router.fromHost(udp(OUT, 1004, 53));
    t.is(router.taken(WAN).length, 1);
  });

  test.serial(`a neighbour holds NEIGHBOUR_QUEUE_LIMIT packets and no more (${name})`, t => {
    const router = startAlone(build);
    for (let i = 0; i < NEIGHBOUR_QUEUE_LIMIT + 2; i++) router.fromHost(udp(OUT, 1000, 53));
    t.is(router.taken(WAN).length, 1);
    t.is(router.held(), NEIGHBOUR_QUEUE_LIMIT);
    t.is(router.counter(DROP_ARP_QUEUE_FULL), 2);
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    t.is(router.toWan().length, NEIGHBOUR_QUEUE_LIMIT);
  });

  test.serial(`all neighbours together hold NEIGHBOUR_HELD_LIMIT packets (${name})`, t => {
    const router = startAlone(build);
    for (let i = 10; i < 10 + NEIGHBOUR_HELD_LIMIT + 5; i++) {
      router.fromHost(udp({ source: HOST, destination: `10.1.2.${i}` }, 1000, 53));
      router.taken(WAN);
    }
    t.is(router.held(), NEIGHBOUR_HELD_LIMIT);
    t.is(router.counter(DROP_ARP_QUEUE_FULL), 5);
  });

  test.serial(
    `after ${NEIGHBOUR_TRIES} requests a second apart the sender hears host unreachable (${name})`,
    t => {
      const router = startAlone(build);
      const sent = udp(OUT, 1043, 53, payload(40));
      router.fromHost(sent);
      const asked = [arpTexts(router.taken(WAN)).length];
      for (let second = 0; second < NEIGHBOUR_TRIES; second++) {
        t.deepEqual(router.toLan(), [], `second ${second}`);
        router.ticks(NEIGHBOUR_RETRY_TICKS + SWEEP);
        asked.push(arpTexts(router.taken(WAN)).length);
      }
      t.deepEqual(asked, [1, 1, 1, 0]);
      const [error, ...more] = router.toLan();
      t.is(more.length, 0);
      t.like(read(error as Uint8Array), { source: LAN_ADDRESS, destination: HOST, type: 3, code: 1 });
      // It left the masquerade and came back: the quote is the host's own packet, but for the TTL.
      const quoted = read((error as Uint8Array).slice(28));
      t.like(quoted, { source: HOST, destination: SERVER, sourcePort: 1043, destinationPort: 53, ttl: 63 });
      t.is(router.counter(DROP_ARP_FAILED), 1);
      t.is(router.held(), 0);
      router.fromHost(sent);
      t.deepEqual(arpTexts(router.taken(WAN)), [ASK], 'the next packet asks again');
    },
  );

  test.serial(`a neighbour in use is asked by unicast, and used meanwhile (${name})`, t => {
    const router = startAlone(build);
    router.fromHost(udp(OUT, 1, 53));
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    router.ticks(NEIGHBOUR_CONFIRMED_TICKS - 10);
    router.fromHost(udp(OUT, 1, 53));
    router.taken(WAN);
    router.ticks(10 + SWEEP);
    t.deepEqual(arpTexts(router.taken(WAN)), [`request ${GATEWAY} from ${WAN_ADDRESS} to ${GATEWAY_MAC}`]);
    router.fromHost(udp(OUT, 1, 53));
    t.is(router.toWan().length, 1);
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    router.ticks(5 * NEIGHBOUR_RETRY_TICKS);
    t.deepEqual(router.taken(WAN), []);
    // The next time nobody answers: after the tries it is asked for by broadcast again.
    router.ticks(NEIGHBOUR_CONFIRMED_TICKS - 6 * NEIGHBOUR_RETRY_TICKS);
    router.fromHost(udp(OUT, 1, 53));
    router.ticks((NEIGHBOUR_TRIES + 3) * (NEIGHBOUR_RETRY_TICKS + SWEEP));
    t.is(arpTexts(router.taken(WAN)).length, NEIGHBOUR_TRIES);
    router.fromHost(udp(OUT, 1, 53));
    t.deepEqual(arpTexts(router.taken(WAN)), [ASK]);
  });

  test.serial(`a neighbour that nobody uses is forgotten without a word (${name})`, t => {
    const router = startAlone(build);
    router.fromHost(udp(OUT, 1, 53));
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    router.ticks(NEIGHBOUR_CONFIRMED_TICKS + SWEEP);
    router.taken(WAN);
    router.ticks(NEIGHBOUR_IDLE_TICKS + SWEEP);
    t.deepEqual(router.taken(WAN), []);
    router.fromHost(udp(OUT, 1, 53));
    t.deepEqual(arpTexts(router.taken(WAN)), [ASK]);
  });

  test.serial(`a flood of made-up neighbours leaves those in use (${name})`, t => {
    const router = startRouter(build);
    build.use();
    router.plane.configureInterface(LAN, 0, (192 << 24) | (168 << 16) | 1, 0xffff0000 | 0, 1500);
    router.plane.interfacesChanged();
    introduce(router, LAN, '02:00:00:00:00:02', HOST, LAN_ADDRESS);
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1, 9));
    t.is(router.toLan().length, 1);
    router.fromHost(udp(OUT, 1, 53));
    router.taken(WAN);
    for (let i = 0; i < 4 * NEIGHBOUR_COUNT; i++) {
      const senderAddress = `192.168.${1 + (i >> 8)}.${i & 255}`;
      introduce(router, LAN, '02:00:00:00:09:09', senderAddress, LAN_ADDRESS);
    }
    router.ticks(1);
    router.taken(LAN);
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1, 9));
    t.is(router.toLan().length, 1);
    // The same by packets to addresses where nobody is.
    for (let i = 4; i < 250; i++) {
      router.fromHost(udp({ source: HOST, destination: `10.1.2.${i}` }, 1, 53));
      router.taken(WAN);
    }
    router.fromHost(udp(OUT, 2, 53));
    t.is(router.toWan().length, 1);
    router.ticks(NEIGHBOUR_TRIES * (NEIGHBOUR_RETRY_TICKS + SWEEP) + SWEEP);
    router.taken(WAN);
    router.taken(LAN);
    t.is(router.held(), 0);
  });

  test.serial(`neighbours in use keep their places, and a new one is refused (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    build.use();
    router.plane.configureInterface(LAN, 0, (192 << 24) | (168 << 16) | 1, 0xffff0000 | 0, 1500);
    router.plane.interfacesChanged();
    router.taken(LAN);
    // All of these have the same place of their own.
    const hosts = Array.from({ length: NEIGHBOUR_WINDOW + 1 }, (_, i) => `192.168.${i}.2`);
    const speak = (source: string) => {
      router.fromHost(udp({ source, destination: LAN_ADDRESS }, 1, 9));
      return router.toLan().length;
    };
    for (const host of hosts.slice(0, -1)) {
      introduce(router, LAN, '02:00:00:00:00:02', host, LAN_ADDRESS);
      t.is(speak(host), 1);
    }
    introduce(router, LAN, '02:00:00:00:00:02', hosts[NEIGHBOUR_WINDOW] as string, LAN_ADDRESS);
    t.is(speak(hosts[NEIGHBOUR_WINDOW] as string), 0);
    t.is(router.counter(DROP_ARP_QUEUE_FULL), 1);
    for (const host of hosts.slice(0, -1)) t.is(speak(host), 1, host);
    // One that was not used for a while makes room.
    router.ticks(NEIGHBOUR_CONFIRMED_TICKS);
    router.taken(LAN);
    introduce(router, LAN, '02:00:00:00:00:02', hosts[NEIGHBOUR_WINDOW] as string, LAN_ADDRESS);
    t.is(speak(hosts[NEIGHBOUR_WINDOW] as string), 1);
    t.is(router.held(), 0);
  });

  test.serial(`a new neighbour takes the place of the oldest that has not answered (${name})`, t => {
    const router = startAlone(build);
    // The places of 10.1.2.4 on the WAN and of 192.168.0.132 on the LAN are the same.
    for (let i = 4; i < 4 + NEIGHBOUR_WINDOW + 2; i++) {
      router.fromHost(udp({ source: HOST, destination: `10.1.2.${i}` }, 1, 53));
      router.ticks(1);
    }
    router.taken(WAN);
    t.is(router.held(), NEIGHBOUR_WINDOW + 2);
    router.fromHost(udp({ source: '192.168.0.132', destination: LAN_ADDRESS }, 1, 9));
    t.deepEqual(arpTexts(router.taken(LAN)), [`request 192.168.0.132 from ${LAN_ADDRESS} to ${BROADCAST}`]);
    t.is(router.counter(DROP_ARP_FAILED), 1);
    t.is(router.held(), NEIGHBOUR_WINDOW + 2);
    // But to be learned without being asked for is no reason to end a search.
    introduce(router, LAN, '02:00:00:00:00:02', '192.168.0.133', LAN_ADDRESS);
    t.is(router.counter(DROP_ARP_FAILED), 1);
  });

  test.serial(`no error is sent about an error that could not be delivered (${name})`, t => {
    const router = startAlone(build);
    router.fromHost(udp(OUT, 1043, 53));
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    router.taken(WAN);
    build.use();
    router.plane.forgetNeighbours(LAN);
    const quoted = udp({ source: WAN_ADDRESS, destination: SERVER }, 1043, 53);
    router.fromGateway(icmpError({ source: SERVER, destination: WAN_ADDRESS }, 3, 3, quoted));
    router.taken(LAN);
    t.is(router.held(), 1);
    router.ticks(NEIGHBOUR_TRIES * (NEIGHBOUR_RETRY_TICKS + SWEEP));
    t.deepEqual(router.toWan(), []);
    t.is(router.counter(DROP_ARP_FAILED), 1);
    router.taken(LAN);
    t.is(router.held(), 0);
  });

  test.serial(`a packet from outside that finds no host tells the sender, untranslated (${name})`, t => {
    const router = startAlone(build);
    router.fromHost(udp(OUT, 1043, 53));
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    router.taken(WAN);
    build.use();
    router.plane.forgetNeighbours(LAN);
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043));
    router.ticks(NEIGHBOUR_TRIES * (NEIGHBOUR_RETRY_TICKS + SWEEP));
    const [error, ...more] = router.toWan();
    t.is(more.length, 0);
    t.like(read(error as Uint8Array), { source: WAN_ADDRESS, destination: SERVER, type: 3, code: 1 });
    t.like(read((error as Uint8Array).slice(28)), {
      source: SERVER,
      destination: WAN_ADDRESS,
      sourcePort: 53,
      destinationPort: 1043,
    });
    router.taken(LAN);
    t.is(router.held(), 0);
  });
}
