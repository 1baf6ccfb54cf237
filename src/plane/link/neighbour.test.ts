import test from 'ava';
import { arpFrame, BROADCAST, icmpError, macText, payload, read, udp } from '../../../test/packets.ts';
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
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_ARP_FAILED, DROP_ARP_QUEUE_FULL } from '../../base/counters.ts';
import {
  NEIGHBOUR_CHECK_TICKS,
  NEIGHBOUR_CHECKS,
  NEIGHBOUR_CONFIRMED_TICKS,
  NEIGHBOUR_HELD_SHARE,
  NEIGHBOUR_IDLE_TICKS,
  NEIGHBOUR_RETRY_TICKS,
  NEIGHBOUR_SWEEP_TICKS,
  NEIGHBOUR_TRIES,
} from '../../base/limits.ts';

const SWEEP = NEIGHBOUR_SWEEP_TICKS;
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

  test.serial(`a host holds NEIGHBOUR_HELD_SHARE packets and no more (${name})`, t => {
    const router = startAlone(build);
    for (let i = 0; i < NEIGHBOUR_HELD_SHARE + 2; i++) router.fromHost(udp(OUT, 1000, 53));
    t.is(router.taken(WAN).length, 1);
    t.is(router.held(), NEIGHBOUR_HELD_SHARE);
    t.is(router.counter(DROP_ARP_QUEUE_FULL), 2);
    router.put(WAN, arpFrame(WAN_MAC, REPLY));
    t.is(router.toWan().length, NEIGHBOUR_HELD_SHARE);
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

  test.serial(`who claims a neighbour's address is not believed while that one answers (${name})`, t => {
    const router = startAlone(build);
    const [old, claimer] = ['02:00:00:00:00:02', '02:00:00:00:00:66'];
    const claim = () => introduce(router, LAN, claimer, HOST, LAN_ADDRESS);
    const answer = { operation: 2, senderMac: old, senderAddress: HOST, targetAddress: LAN_ADDRESS };
    const goesTo = () => {
      router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1, 9));
      return router.taken(LAN).map(bytes => macText(bytes));
    };
    router.ticks(NEIGHBOUR_RETRY_TICKS);
    claim();
    t.deepEqual(goesTo(), [old]);
    router.ticks(NEIGHBOUR_CHECK_TICKS + SWEEP);
    // The claim's poll has left with introduce(); this is the second.
    t.deepEqual(arpTexts(router.taken(LAN)), [`request ${HOST} from ${LAN_ADDRESS} to ${old}`]);
    router.put(LAN, arpFrame(LAN_MAC, answer));
    router.ticks(5 * NEIGHBOUR_RETRY_TICKS);
    t.deepEqual(router.taken(LAN), []);
    t.deepEqual(goesTo(), [old]);
    // A thousand claims ask it no more often than once a second.
    let asked = 0;
    for (let i = 0; i < 1000; i++) {
      router.put(LAN, arpFrame(BROADCAST, { ...answer, operation: 1, senderMac: claimer }));
      const polls = arpTexts(router.taken(LAN)).filter(text => text.startsWith('request'));
      if (polls.length > 0) router.put(LAN, arpFrame(LAN_MAC, answer));
      asked += polls.length;
      router.ticks(1);
    }
    asked += arpTexts(router.taken(LAN)).length;
    t.true(asked >= 5 && asked <= 11, `${asked}`);
    router.put(LAN, arpFrame(LAN_MAC, answer));
    t.deepEqual(goesTo(), [old]);
  });

  test.serial(`a station that is gone is followed by the one that claims its address (${name})`, t => {
    const router = startAlone(build);
    router.ticks(NEIGHBOUR_RETRY_TICKS);
    introduce(router, LAN, '02:00:00:00:00:66', HOST, LAN_ADDRESS);
    router.ticks(NEIGHBOUR_CHECKS * (NEIGHBOUR_CHECK_TICKS + SWEEP));
    router.taken(LAN);
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1, 9));
    t.deepEqual(
      router.taken(LAN).map(bytes => macText(bytes)),
      ['02:00:00:00:00:66'],
    );
    router.ticks(3 * NEIGHBOUR_RETRY_TICKS);
    t.deepEqual(router.taken(LAN), []);
  });
}
