import test from 'ava';
import { address, arp, arpFrame, BROADCAST, ethernet, macText, udp } from '../../../test/packets.ts';
import {
  arpTexts,
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { NOW_AT, PROXIED_LINKS_AT } from '../../base/cells.ts';
import {
  COUNT_ARP_CONFLICT,
  DROP_ARP_MALFORMED,
  DROP_INTERFACE_DOWN,
  DROP_MARTIAN_SOURCE,
  DROP_NOT_FOR_US,
} from '../../base/counters.ts';
import { ARP_DEFEND_TICKS } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';

const REQUEST = { operation: 1, senderMac: HOST_MAC, senderAddress: HOST, targetAddress: LAN_ADDRESS };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`a request for our address is answered to the asker alone (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    router.put(LAN, arpFrame(BROADCAST, REQUEST));
    const [reply, ...more] = router.taken(LAN);
    t.is(more.length, 0);
    t.deepEqual(
      reply,
      ethernet(
        HOST_MAC,
        LAN_MAC,
        0x0806,
        arp({
          operation: 2,
          senderMac: LAN_MAC,
          senderAddress: LAN_ADDRESS,
          targetMac: HOST_MAC,
          targetAddress: HOST,
        }),
        42,
      ),
    );
    t.is(router.held(), 0);
  });

  test.serial(`a probe, whose sender is 0, is answered and teaches nothing (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, senderAddress: '0.0.0.0' }));
    t.deepEqual(arpTexts(router.taken(LAN)), [`reply 0.0.0.0 from ${LAN_ADDRESS} to ${HOST_MAC}`]);
  });

  test.serial(`only our own address is answered for (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    for (const targetAddress of ['192.168.0.3', '192.168.0.255', SERVER, WAN_ADDRESS, HOST]) {
      router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, targetAddress }));
    }
    t.deepEqual(router.taken(LAN), []);
    t.is(router.counter(DROP_NOT_FOR_US), 5);
  });

  test.serial(`the address of another link's peer is answered for where control says so (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    const peer = '192.168.0.77';
    router.plane.routeAdd(address(peer), -1, 0, WAN);
    const ask = (senderAddress = HOST) => {
      router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, senderAddress, targetAddress: peer }));
      return arpTexts(router.taken(LAN));
    };
    t.deepEqual(ask(), []);
    puti32(PROXIED_LINKS_AT, 1 << WAN);
    t.deepEqual(ask(), [`reply ${HOST} from ${peer} to ${HOST_MAC}`]);
    t.deepEqual(
      ask('0.0.0.0'),
      [`reply 0.0.0.0 from ${peer} to ${HOST_MAC}`],
      'who wants to have it hears of it',
    );
    router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, targetAddress: OTHER }));
    router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, targetAddress: SERVER }));
    t.deepEqual(router.taken(LAN), [], 'for no other');
    router.put(
      WAN,
      arpFrame(BROADCAST, {
        ...REQUEST,
        senderMac: GATEWAY_MAC,
        senderAddress: '10.1.2.1',
        targetAddress: peer,
      }),
    );
    t.deepEqual(router.taken(WAN), [], 'nor on its own link');
    puti32(PROXIED_LINKS_AT, 0);
    t.deepEqual(ask(), []);
  });

  test.serial(`a sender off the link's own net is neither answered nor learned (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    for (const senderAddress of ['10.1.2.9', '127.0.0.1', '192.168.0.255', '192.168.0.0', '224.0.0.1']) {
      router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, senderAddress }));
    }
    t.deepEqual(router.taken(LAN), []);
    t.is(router.counter(DROP_MARTIAN_SOURCE), 5);
  });

  test.serial(`an ARP packet is refused when cut at any length or wrong in any field (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    const right = arpFrame(BROADCAST, REQUEST);
    for (let n = 14; n < 42; n++) router.put(LAN, right.slice(0, n));
    t.is(router.counter(DROP_ARP_MALFORMED), 28);
    // Hardware and protocol types, lengths, operation, and a group or empty sender.
    const lies: [number, number][] = [
      [15, 2],
      [16, 7],
      [17, 1],
      [18, 5],
      [19, 5],
      [20, 1],
      [21, 3],
      [22, 3],
    ];
    for (const [at, value] of lies) {
      const bad = right.slice();
      bad[at] = value;
      router.put(LAN, bad);
    }
    const empty = right.slice();
    empty.fill(0, 22, 28);
    router.put(LAN, empty);
    t.is(router.counter(DROP_ARP_MALFORMED), 28 + lies.length + 1);
    t.deepEqual(router.taken(LAN), []);
    router.put(LAN, right.slice(0, 42));
    t.is(router.taken(LAN).length, 1);
    t.is(router.held(), 0);
  });

  test.serial(`a probe asks without an address, and whoever has it is told of (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    build.use();
    const { plane } = router;
    const target = '10.9.8.7';
    plane.configureInterface(WAN, 1, 0, 0, 1500); // down, as before the first lease
    plane.arpProbe(WAN, address(target));
    const [probe] = router.taken(WAN);
    t.deepEqual(
      probe,
      ethernet(
        BROADCAST,
        WAN_MAC,
        0x0806,
        arp({ operation: 1, senderMac: WAN_MAC, senderAddress: '0.0.0.0', targetAddress: target }),
        42,
      ),
    );
    t.is(plane.arpProbed(WAN), 0);
    const claim = { operation: 2, senderMac: OTHER_MAC, senderAddress: target, targetAddress: '0.0.0.0' };
    const silent = [
      arpFrame(BROADCAST, { ...claim, senderAddress: '10.9.8.6' }),
      arpFrame(BROADCAST, { ...claim, senderMac: WAN_MAC }), // our own, sent back by a bridge
      arpFrame(BROADCAST, { ...claim, operation: 1, senderAddress: '10.9.8.6', targetAddress: target }),
      arpFrame(BROADCAST, { ...claim, senderAddress: '0.0.0.0', targetAddress: target }), // a reply to a probe
    ];
    for (const bytes of silent) router.put(WAN, bytes);
    for (let n = 14; n < 42; n++) router.put(WAN, arpFrame(WAN_MAC, claim).slice(0, n));
    router.put(LAN, arpFrame(BROADCAST, claim));
    t.is(plane.arpProbed(WAN), 0);
    router.put(WAN, arpFrame(WAN_MAC, claim));
    build.use();
    const mac = plane.arpProbed(WAN);
    t.is(macText(build.memory, mac), OTHER_MAC);
    plane.arpProbe(WAN, address(target)); // the next probe of the same address forgets nothing
    t.is(plane.arpProbed(WAN), mac);
    plane.arpProbe(WAN, address('10.9.8.8'));
    t.is(plane.arpProbed(WAN), 0);
    // Another host probes for the same address at the same time.
    const rival = { ...claim, operation: 1, senderAddress: '0.0.0.0', targetAddress: '10.9.8.8' };
    router.put(WAN, arpFrame(BROADCAST, rival));
    build.use();
    t.not(plane.arpProbed(WAN), 0);
    plane.arpProbeEnd(WAN);
    t.is(plane.arpProbed(WAN), 0);
    router.put(WAN, arpFrame(BROADCAST, rival));
    t.is(plane.arpProbed(WAN), 0);
    router.taken(WAN);
    t.is(router.held(), 0);
  });

  test.serial(`an address that is set is announced on its link (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    build.use();
    router.plane.configureInterface(LAN, 0, (192 << 24) | (168 << 16) | 9, 0xffffff00 | 0, 1500);
    router.ticks(1);
    const [announcement, ...more] = router.taken(LAN);
    t.is(more.length, 0);
    t.deepEqual(arpTexts([announcement as Uint8Array]), [
      `request 192.168.0.9 from 192.168.0.9 to ${BROADCAST}`,
    ]);
    t.is(macText(announcement as Uint8Array, 22), LAN_MAC);
    t.deepEqual(router.taken(WAN), []);
    router.ticks(10);
    t.deepEqual(router.taken(LAN), []);
  });

  test.serial(`somebody with our address is counted, and answered once in a while (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    const claim = arpFrame(BROADCAST, { ...REQUEST, senderAddress: LAN_ADDRESS });
    for (let i = 0; i < 5; i++) router.put(LAN, claim);
    t.is(router.counter(COUNT_ARP_CONFLICT), 5);
    const defence = [`request ${LAN_ADDRESS} from ${LAN_ADDRESS} to ${BROADCAST}`];
    t.deepEqual(arpTexts(router.taken(LAN)), defence);
    router.ticks(ARP_DEFEND_TICKS + 1);
    router.put(LAN, claim);
    t.deepEqual(arpTexts(router.taken(LAN)), defence);
    // After half a year and after a whole turn of the clock too.
    for (const passed of [0x80000000, 0xffffffff]) {
      puti32(NOW_AT, (i32at(NOW_AT) + passed) | 0);
      router.put(LAN, claim);
      t.deepEqual(arpTexts(router.taken(LAN)), defence);
    }
    // Our own announcement that a bridge sends back is no conflict.
    router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, senderMac: LAN_MAC, senderAddress: LAN_ADDRESS }));
    t.is(router.counter(COUNT_ARP_CONFLICT), 8);
  });

  test.serial(`an interface without an address hears no ARP (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    build.use();
    router.plane.configureInterface(WAN, 1, 0, 0, 1500);
    router.ticks(1);
    router.put(
      WAN,
      arpFrame(BROADCAST, { ...REQUEST, senderAddress: '10.1.2.1', targetAddress: WAN_ADDRESS }),
    );
    t.deepEqual(router.taken(WAN), []);
    t.is(router.counter(DROP_INTERFACE_DOWN), 1);
  });

  test.serial(`a next hop off a lease of /32 is answered where the way to it leaves (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    const gateway = '100.64.0.1';
    const request = {
      operation: 1,
      senderMac: GATEWAY_MAC,
      senderAddress: gateway,
      targetAddress: WAN_ADDRESS,
    };
    router.plane.configureInterface(WAN, 1, address(WAN_ADDRESS), -1, 1500);
    router.plane.interfacesChanged();
    router.plane.routeRemove(0, 0);
    router.taken(WAN);
    router.put(WAN, arpFrame(BROADCAST, request));
    t.deepEqual(router.taken(WAN), [], 'without a way back nobody is answered');
    router.plane.routeAdd(0, 0, address(gateway), WAN);
    router.put(WAN, arpFrame(BROADCAST, request));
    t.deepEqual(arpTexts(router.taken(WAN)), [`reply ${gateway} from ${WAN_ADDRESS} to ${GATEWAY_MAC}`]);
    // Nothing was learned: the first packet asks.
    router.fromHost(udp({ source: HOST, destination: SERVER }, 1000, 53));
    t.deepEqual(arpTexts(router.taken(WAN)), [`request ${gateway} from ${WAN_ADDRESS} to ${BROADCAST}`]);
    router.put(WAN, arpFrame(WAN_MAC, { ...request, operation: 2 }));
    t.is(router.toWan().length, 1);
    // Nobody of the LAN is answered by the WAN, and nobody of the world by the LAN.
    router.put(WAN, arpFrame(BROADCAST, { ...request, senderAddress: HOST }));
    router.put(LAN, arpFrame(BROADCAST, { ...REQUEST, senderAddress: SERVER }));
    t.deepEqual([...router.taken(WAN), ...router.taken(LAN)], []);
    t.is(router.counter(DROP_MARTIAN_SOURCE), 3);
  });

  test.serial(`a host behind another router of the LAN is answered, and not learned (${name})`, t => {
    const router = startRouter(build, { strangers: true });
    const request = { ...REQUEST, senderAddress: '10.9.0.7' };
    router.plane.routeAdd(address('10.9.0.0'), address('255.255.0.0'), address(OTHER), LAN);
    router.put(LAN, arpFrame(BROADCAST, request));
    t.deepEqual(arpTexts(router.taken(LAN)), [`reply 10.9.0.7 from ${LAN_ADDRESS} to ${HOST_MAC}`]);
    t.is(router.plane.addressHeld(LAN, address('10.9.0.7'), 0), 0);
  });
}
