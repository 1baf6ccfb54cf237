// The way to a peer whose address is of the LAN, by a real plane: who has given the address, what was set for it, and a host that has it.

import test from 'ava';
import { address, arpFrame } from '../../../test/packets.ts';
import { HOST_MAC, LAN, LAN_ADDRESS, LAN_MAC, type Router, startRouter } from '../../../test/plane-router.ts';
import { javascriptBuild } from '../../../tools/builds.ts';
import { PROXIED_LINKS_AT } from '../../base/cells.ts';
import { INTERFACE_INSIDE } from '../../base/interface.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { LINE_PEER, LINE_PPP, lineAt } from '../../base/line-record.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { ROUTE_LINK, TO_NEXT_HOP, TO_ROUTE } from '../../base/route-record.ts';
import { createClock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Machine } from '../core/machine.ts';
import { unbind } from './agreed.ts';
import { noWayTo, wayTo } from './proxy.ts';

const LINK = 4;
const PORT = 1;
const PEER = address('192.168.0.200');
const GATEWAY = address('192.168.0.77');
const { plane, memory, ...build } = javascriptBuild();

function start(): {
  router: Router;
  logged: string[];
  way(isGiven: boolean): void;
  machine: Machine;
  seconds(): void;
} {
  const router = startRouter({ plane, memory, ...build });
  plane.lineBind(LINK, PORT, LINE_PPP);
  plane.lineOpen(PORT, 1);
  plane.configureInterface(LINK, INTERFACE_INSIDE, address('10.9.0.1'), -1, 1500);
  plane.interfacesChanged();
  const machine = { plane, memory, lock: () => {}, unlock: () => {} } as unknown as Machine;
  const clock = createClock();
  const logged: string[] = [];
  const log = ((_: number, name: string, text: string) =>
    void logged.push(`${name}: ${text}`)) as unknown as Log;
  return {
    router,
    logged,
    machine,
    way: isGiven => wayTo({ machine, log, clock }, LINK, PEER, isGiven),
    seconds: () => {
      router.ticks(2 * TICKS_PER_SECOND);
      clock.run();
    },
  };
}

const leads = () => {
  const to = plane.routeTo(PEER);
  return [i32at(to + TO_ROUTE) & ROUTE_LINK, i32at(to + TO_NEXT_HOP)];
};
const isProxied = () => i32at(PROXIED_LINKS_AT) !== 0;

test.serial(
  'an address that we have given is led to the peer and answered for; one that he says himself is not',
  t => {
    const { way, logged, machine } = start();
    way(true);
    t.deepEqual(leads(), [LINK, PEER]);
    t.true(isProxied());
    noWayTo(machine, LINK, PEER);
    t.deepEqual([...leads(), isProxied()], [LAN, PEER, false]);
    t.deepEqual(logged, []);
    way(false);
    t.deepEqual([...leads(), isProxied()], [LAN, PEER, false]);
    t.regex(logged[0] ?? '', /192\.168\.0\.200 is of the LAN, and none that it was given/);
  },
);

test.serial('a host that has the address keeps it', t => {
  const { way, logged, router, seconds } = start();
  way(true);
  t.deepEqual(leads(), [LINK, PEER]);
  const answer = { operation: 2, senderMac: HOST_MAC, senderAddress: '192.168.0.200' };
  router.put(LAN, arpFrame(LAN_MAC, { ...answer, targetMac: LAN_MAC, targetAddress: LAN_ADDRESS }));
  seconds();
  t.deepEqual([...leads(), isProxied()], [LAN, PEER, false]);
  t.regex(logged[0] ?? '', /has the address 192\.168\.0\.200, too, and keeps it/);
});

test.serial('a route that is set for the address stays, also behind the end of the call', t => {
  const { way, logged, machine } = start();
  plane.routeAdd(PEER, -1, GATEWAY, LAN);
  way(true);
  t.deepEqual([...leads(), isProxied()], [LAN, GATEWAY, false]);
  t.regex(logged[0] ?? '', /has a route that is set/);
  noWayTo(machine, LINK, PEER);
  t.deepEqual(leads(), [LAN, GATEWAY]);
});

test.serial('a control that dies before the line is open leaves no way to its peer', t => {
  const { way, machine } = start();
  puti32(lineAt(PORT) + LINE_PEER, PEER);
  way(true);
  t.deepEqual(leads(), [LINK, PEER]);
  unbind(machine, PORT);
  t.deepEqual([...leads(), isProxied()], [LAN, PEER, false]);
});
