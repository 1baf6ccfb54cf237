import test from 'ava';
import { address, addressText } from '../../../test/packets.ts';
import { GATEWAY, HOST, LAN, OTHER, SERVER, startRouter, WAN } from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { ROUTE_CACHE_COUNT, ROUTE_COUNT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  ROUTE_BROADCAST,
  ROUTE_LINK,
  ROUTE_LOCAL,
  ROUTE_MARTIAN,
  ROUTE_MULTICAST,
  ROUTE_NONE,
  ROUTE_NOWHERE,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_NEXT_HOP,
  TO_ROUTE,
} from '../../base/route-record.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const kind = (to: string) => i32at(plane.routeTo(address(to)) + TO_ROUTE) >> ROUTE_TYPE_SHIFT;
  const out = (to: string) => i32at(plane.routeTo(address(to)) + TO_ROUTE) & ROUTE_LINK;
  const hop = (to: string) => addressText(i32at(plane.routeTo(address(to)) + TO_NEXT_HOP));

  test.serial(`routeTo() tells addresses apart, again and again (${name})`, t => {
    startRouter(build);
    const kinds: [string, number][] = [
      ['0.0.0.0', ROUTE_MARTIAN],
      ['0.1.2.3', ROUTE_MARTIAN],
      ['127.0.0.1', ROUTE_MARTIAN],
      ['240.0.0.1', ROUTE_MARTIAN],
      ['255.255.255.254', ROUTE_MARTIAN],
      ['255.255.255.255', ROUTE_BROADCAST],
      ['224.0.0.1', ROUTE_MULTICAST],
      ['239.255.255.255', ROUTE_MULTICAST],
      ['192.168.0.1', ROUTE_LOCAL],
      ['10.1.2.3', ROUTE_LOCAL],
      ['192.168.0.0', ROUTE_BROADCAST],
      ['192.168.0.255', ROUTE_BROADCAST],
      ['10.1.2.255', ROUTE_BROADCAST],
      ['192.168.0.254', ROUTE_UNICAST],
      ['223.255.255.255', ROUTE_UNICAST],
      ['126.0.0.0', ROUTE_UNICAST],
      ['128.0.0.0', ROUTE_UNICAST],
    ];
    for (let round = 0; round < 2; round++) {
      for (const [to, expected] of kinds) t.is(kind(to), expected, to);
    }
    t.is(out('192.168.0.77'), LAN);
    t.is(hop('192.168.0.77'), '192.168.0.77');
    t.is(out('198.51.100.1'), WAN);
    t.is(hop('198.51.100.1'), GATEWAY);
    t.is(out('10.1.2.1'), WAN);
  });

  test.serial(`routeTo() takes the longest prefix, and the link's own net before a route (${name})`, t => {
    const { plane } = startRouter(build);
    const add = (net: string, mask: string, gateway: string, index: number) =>
      plane.routeAdd(address(net), address(mask), address(gateway), index);
    add('172.16.0.0', '255.240.0.0', '192.168.0.9', LAN);
    add('172.16.5.0', '255.255.255.0', '192.168.0.8', LAN);
    add('172.16.5.6', '255.255.255.255', '0.0.0.0', WAN);
    add('192.168.0.0', '255.255.255.0', GATEWAY, WAN);
    t.is(hop('172.16.1.1'), '192.168.0.9');
    t.is(hop('172.16.5.1'), '192.168.0.8');
    t.is(hop('172.16.5.6'), '172.16.5.6');
    t.is(out('172.16.5.6'), WAN);
    t.is(out('192.168.0.5'), LAN);
    t.is(plane.routeRemove(address('172.16.5.0'), address('255.255.255.0')), 1);
    t.is(plane.routeRemove(address('172.16.5.0'), address('255.255.255.0')), 0);
    t.is(hop('172.16.5.1'), '192.168.0.9');
    add('172.16.0.0', '255.240.0.0', '192.168.0.7', LAN);
    t.is(hop('172.16.5.1'), '192.168.0.7', 'a route is replaced');
  });

  test.serial(`routeTo() leads to a link-local address by its link or its own route alone (${name})`, t => {
    startRouter(build);
    t.is(kind('169.254.169.254'), ROUTE_NONE);
    t.is(kind('169.253.255.255'), ROUTE_UNICAST);
    t.is(kind('169.255.0.0'), ROUTE_UNICAST);
    plane.routeAdd(address('169.0.0.0'), address('255.0.0.0'), address(GATEWAY), WAN);
    t.is(kind('169.254.169.254'), ROUTE_NONE);
    plane.routeAdd(address('169.254.169.254'), -1, address('192.168.0.9'), LAN);
    t.is(hop('169.254.169.254'), '192.168.0.9');
    t.is(kind('169.254.169.253'), ROUTE_NONE);
    plane.configureInterface(WAN, 1, address('169.254.1.2'), address('255.255.0.0'), 1500);
    plane.interfacesChanged();
    t.is(hop('169.254.169.253'), '169.254.169.253');
    t.is(hop('169.254.169.254'), '192.168.0.9', 'the longer prefix');
  });

  test.serial(`routeAdd() refuses route ${ROUTE_COUNT + 1} (${name})`, t => {
    const { plane } = startRouter(build);
    for (let i = 1; i < ROUTE_COUNT; i++) t.is(plane.routeAdd(address(`172.16.${i}.0`), -256, 0, LAN), 1);
    t.is(plane.routeAdd(address('172.17.0.0'), -256, 0, LAN), 0);
    t.is(plane.routeAdd(address('172.16.1.0'), -256, 0, WAN), 1);
    t.is(out('172.16.1.1'), WAN);
  });

  test.serial(`routeTo() forgets when an interface changes (${name})`, t => {
    const router = startRouter(build);
    t.is(out('198.51.100.1'), WAN);
    t.is(kind('192.168.0.77'), ROUTE_UNICAST);
    plane.configureInterface(WAN, 1, 0, 0, 1500);
    plane.configureInterface(LAN, 0, address('192.168.0.77'), -256, 1500);
    router.ticks(1);
    t.is(kind('198.51.100.1'), ROUTE_NONE);
    t.is(kind('192.168.0.77'), ROUTE_LOCAL);
    t.is(kind('192.168.0.1'), ROUTE_UNICAST);
  });

  test.serial(`routeTo() knows no broadcast on a link of two (${name})`, t => {
    startRouter(build);
    plane.configureInterface(WAN, 1, address('198.51.100.2'), address('255.255.255.254'), 1500);
    plane.interfacesChanged();
    t.is(kind('198.51.100.3'), ROUTE_UNICAST);
    t.is(kind('198.51.100.2'), ROUTE_LOCAL);
  });

  test.serial(`routeTo() answers right for more addresses than its cache holds (${name})`, t => {
    startRouter(build);
    for (let round = 0; round < 2; round++) {
      for (let i = 1; i < 8 * ROUTE_CACHE_COUNT; i++) {
        const to = `198.18.${i >> 8}.${i & 255}`;
        if (kind(to) !== ROUTE_UNICAST || out(to) !== WAN) t.fail(to);
        const near = `192.168.0.${2 + (i % 250)}`;
        if (out(near) !== LAN || hop(near) !== near) t.fail(near);
      }
    }
    t.pass();
  });

  test.serial(`a learned route takes nothing from the inside or from what was set (${name})`, t => {
    startRouter(build);
    const learn = (to: string, mask: string) =>
      plane.routeLearn(address(to), address(mask), address(GATEWAY), WAN);
    t.is(plane.routeAdd(address('10.20.0.0'), address('255.255.0.0'), address(HOST), LAN), 1);
    learn('10.20.0.0', '255.255.0.0');
    learn('10.20.3.0', '255.255.255.0');
    learn('192.168.0.128', '255.255.255.128');
    learn('10.30.0.0', '255.255.0.0');
    learn('10.1.2.64', '255.255.255.192');
    for (const to of ['10.20.0.1', '10.20.3.1']) t.deepEqual([out(to), hop(to)], [LAN, HOST], to);
    t.deepEqual([out('192.168.0.200'), hop('192.168.0.200')], [LAN, '192.168.0.200']);
    t.deepEqual([out('10.30.0.1'), hop('10.30.0.1')], [WAN, GATEWAY]);
    t.is(hop('10.1.2.70'), GATEWAY, 'a part of the link outside may lie behind a router');
    t.is(hop('10.1.2.10'), '10.1.2.10');
    plane.routeForget(address('10.20.0.0'), address('255.255.0.0'), WAN);
    t.is(hop('10.20.0.1'), HOST);
    plane.routeRemove(address('10.20.0.0'), address('255.255.0.0'));
    t.deepEqual([out('10.20.3.1'), hop('10.20.3.1')], [WAN, GATEWAY], 'nobody has it any more');
    t.is(plane.routeForget(address('10.20.0.0'), address('255.255.0.0'), WAN), 0);
  });

  test.serial(
    `each link has its own learned default route, and the lower one's that is up leads (${name})`,
    t => {
      startRouter(build);
      plane.routeRemove(0, 0);
      const [first, second, kind] = [4, 5, 1];
      for (const [link, own] of [
        [second, '10.9.0.2'],
        [first, '10.8.0.2'],
      ] as const) {
        plane.lineBind(link, link - 3, kind);
        plane.configureInterface(link, 1, address(own), -1, 1500);
        plane.interfacesChanged();
        t.is(plane.routeLearn(0, 0, address(own) - 1, link), 1);
      }
      t.deepEqual([out(SERVER), hop(SERVER)], [first, '10.8.0.1']);
      plane.configureInterface(first, 1, 0, 0, 1500);
      plane.interfacesChanged();
      t.deepEqual([out(SERVER), hop(SERVER)], [second, '10.9.0.1']);
      plane.configureInterface(first, 1, address('10.8.0.2'), -1, 1500);
      plane.interfacesChanged();
      t.is(out(SERVER), first);
      t.is(plane.routeForget(0, 0, first), 1);
      t.is(out(SERVER), second, 'it has not taken the other one along');
      t.is(plane.routeForget(0, 0, first), 0);
      plane.routeAdd(0, 0, address(GATEWAY), WAN);
      t.is(out(SERVER), WAN, 'what was set goes first');
    },
  );

  test.serial(`nothing of a set route that waits goes by a learned one (${name})`, t => {
    startRouter(build);
    const [sixteen, gateway] = [address('255.255.0.0'), address('192.168.7.2')];
    plane.routeLearn(address('10.20.0.0'), sixteen, address(HOST), LAN);
    plane.routeLearn(address('10.20.3.0'), address('255.255.255.0'), address(HOST), LAN);
    t.is(hop('10.20.0.1'), HOST);
    t.is(plane.routeGateway(address('10.20.0.0'), sixteen), -1);
    t.is(plane.routeAdd(address('10.20.0.0'), sixteen, gateway, ROUTE_NOWHERE), 1);
    t.is(plane.routeGateway(address('10.20.0.0'), sixteen), gateway);
    for (const to of ['10.20.0.1', '10.20.3.1'])
      t.deepEqual([out(to), hop(to)], [WAN, GATEWAY], `${to} goes by what else was set`);
    for (let tick = 0; tick < 2 * ROUTE_COUNT; tick++) plane.neighbourTick();
    t.is(plane.routeAdd(address('10.20.0.0'), sixteen, address(OTHER), LAN), 1);
    t.is(hop('10.20.3.1'), OTHER);
    plane.routeRemove(address('10.20.0.0'), sixteen);
    t.is(hop('10.20.3.1'), HOST);
  });
}
