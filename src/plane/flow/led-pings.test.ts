// Pings that a rule leads elsewhere, and what a rule leads to the router or to who has sent it.

import test from 'ava';
import { address, echo, faults, frame, ipv4, payload, read, udp } from '../../../test/packets.ts';
import {
  HOST,
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
} from '../../../test/plane-router.ts';
import { addRule, countsOf, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_NO_PORT, DROP_UNSOLICITED } from '../../base/counters.ts';
import { put8, puti32, putu16 } from '../../base/memory.ts';
import * as R from '../../base/rule-record.ts';

const ICMP = 1;
const GRE = 47;
const HTTP = 80;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const start = (): Router => {
    const router = startRouter(build);
    startRules(plane);
    return router;
  };
  const to = (host: string, port = 0) => ({
    kind: R.OPERATION_ADDRESSES,
    write: (at: number) => {
      put8(at + 4, (host !== '' ? R.ADDRESSES_ADDRESS : 0) | (port !== 0 ? R.ADDRESSES_PORTS : 0));
      if (host !== '') for (const place of [8, 12]) puti32(at + place, address(host));
      for (const place of [16, 18]) putu16(at + place, port);
    },
  });
  const leads = (protocol: number, host: string): number =>
    addRule(plane, R.CHAIN_NAT_PREROUTING, { protocol, target: R.TARGET_DNAT, operations: [to(host)] });
  const said = (datagrams: Uint8Array[]) =>
    datagrams.map(datagram => {
      const { source, destination, type, identifier } = read(datagram);
      return `${source}>${destination} ${type} ${identifier}${faults(datagram)}`;
    });
  const ping = (source: string, destination: string, type = 8, id = 77) =>
    echo({ source, destination }, type, id, 1, payload(9));
  const fromOther = (router: Router, datagram: Uint8Array) =>
    router.put(LAN, frame(LAN_MAC, OTHER_MAC, datagram));

  for (const target of [WAN_ADDRESS, LAN_ADDRESS, SERVER])
    test.serial(
      `a rule leads a host's pings of ${target} to another host, and its answers back (${name})`,
      t => {
        const router = start();
        const rule = leads(ICMP, OTHER);
        for (let i = 0; i < 2; i++) {
          router.fromHost(ping(HOST, target));
          t.deepEqual(said(router.toLan()), [`${LAN_ADDRESS}>${OTHER} 8 77`]);
          fromOther(router, ping(OTHER, LAN_ADDRESS, 0));
          t.deepEqual(said(router.toLan()), [`${target}>${HOST} 0 77`]);
        }
        t.deepEqual([countsOf(plane, { rule })[0], plane.masqueradeCount()], [1, 1]);
        t.is(plane.masqueradeCheck(), 0);
      },
    );

  test.serial(`a rule leads a stranger's pings to a host, and its answers back (${name})`, t => {
    const router = start();
    const rule = leads(ICMP, HOST);
    for (let i = 0; i < 2; i++) {
      router.fromGateway(ping(SERVER, WAN_ADDRESS));
      t.deepEqual(said(router.toLan()), [`${SERVER}>${HOST} 8 77`]);
      router.fromHost(ping(HOST, SERVER, 0));
      t.deepEqual(said(router.toWan()), [`${WAN_ADDRESS}>${SERVER} 0 77`]);
    }
    // An answer that nobody has asked for is no part of it.
    router.fromGateway(ping(SERVER, WAN_ADDRESS, 0));
    t.is(router.toLan().length, 0);
    t.deepEqual([countsOf(plane, { rule })[0], plane.masqueradeCount()], [1, 1]);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`without a rule pings of our addresses stay ours (${name})`, t => {
    const router = start();
    leads(GRE, OTHER);
    router.fromHost(ping(HOST, WAN_ADDRESS));
    router.fromHost(ping(HOST, LAN_ADDRESS));
    t.deepEqual(said(router.toLan()), [`${WAN_ADDRESS}>${HOST} 0 77`, `${LAN_ADDRESS}>${HOST} 0 77`]);
    t.is(plane.masqueradeCount(), 0);
  });

  test.serial(`a rule leads a protocol without ports to another host, asked by our address (${name})`, t => {
    const router = start();
    leads(GRE, OTHER);
    router.fromHost(ipv4({ source: HOST, destination: WAN_ADDRESS }, GRE, payload(9)));
    t.deepEqual(
      router.toLan().map(datagram => [read(datagram).source, read(datagram).destination]),
      [[LAN_ADDRESS, OTHER]],
    );
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`a host pings another by its own outside address, and is answered by it (${name})`, t => {
    const router = startRouter(build);
    const [hostOut, otherOut] = ['10.1.2.34', '10.1.2.35'];
    const talk = (by: string) => {
      router.fromHost(ping(HOST, otherOut));
      t.deepEqual(said(router.toLan()), [`${by}>${OTHER} 8 77`]);
      fromOther(router, ping(OTHER, by, 0));
      t.deepEqual(said(router.toLan()), [`${otherOut}>${HOST} 0 77`]);
    };
    plane.aliasSet(address(otherOut), -1, address(OTHER), WAN);
    for (let i = 0; i < 2; i++) talk(WAN_ADDRESS);
    plane.masqueradeFlush();
    router.ticks(200);
    plane.aliasSet(address(hostOut), -1, address(HOST), WAN);
    for (let i = 0; i < 2; i++) talk(hostOut);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`a stranger whom a rule leads to the router finds nobody there (${name})`, t => {
    const router = start();
    addRule(plane, R.CHAIN_NAT_PREROUTING, { target: R.TARGET_REDIRECT, operations: [to('', HTTP)] });
    const input = addRule(plane, R.CHAIN_INPUT, {});
    plane.socketOpen(17, HTTP, 1 << LAN);
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 4000, 8080, payload(9)));
    t.is(router.counter(DROP_UNSOLICITED), 1);
    t.is(countsOf(plane, { rule: input })[0], 1, 'INPUT says it');
    t.is(router.toWan().length + router.toLan().length, 0);
  });

  test.serial(`a host that a rule leads from our outside address to the router is served (${name})`, t => {
    const router = start();
    addRule(plane, R.CHAIN_NAT_PREROUTING, { target: R.TARGET_REDIRECT, operations: [to('', HTTP)] });
    for (let i = 0; i < 2; i++) {
      router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1043, 8080, payload(9)));
      const [closed] = router.toLan();
      // Nobody listens: the error comes from the address that was asked, about the port that was.
      t.is(read(closed as Uint8Array).source, WAN_ADDRESS);
      t.is(read(read(closed as Uint8Array).data).destinationPort, 8080);
    }
    t.is(plane.masqueradeCount(), 1);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`a flow whose two sides would be the same is refused (${name})`, t => {
    const router = start();
    addRule(plane, R.CHAIN_NAT_PREROUTING, { target: R.TARGET_DNAT, operations: [to(HOST, HTTP)] });
    addRule(plane, R.CHAIN_NAT_POSTROUTING, { target: R.TARGET_SNAT, operations: [to(SERVER, HTTP)] });
    router.fromHost(udp({ source: HOST, destination: SERVER }, HTTP, HTTP, payload(9)));
    t.deepEqual([router.toLan().length, router.toWan().length], [1, 0], 'its sender is told');
    t.deepEqual([router.counter(DROP_NO_PORT), plane.masqueradeCount()], [1, 0]);
    t.is(plane.masqueradeCheck(), 0);
  });
}
