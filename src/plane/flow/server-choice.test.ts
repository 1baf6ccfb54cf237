// Which host of a forward gets a session, by frames in and frames out.

import test from 'ava';
import { ACK, address, FIN, frame, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  introduce,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  startRouter,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_HOST_SHARE } from '../../base/counters.ts';
import {
  FORWARD_CHECK_PING,
  FORWARD_LEAST,
  FORWARD_LIMITED,
  FORWARD_SERVER,
  FORWARD_STICKY,
  forwardAt,
} from '../../base/forward-record.ts';
import { SERVER_COUNT } from '../../base/limits.ts';
import { i32at, u16at } from '../../base/memory.ts';
import { NAT_PROFILE, PROFILE_CLASSIC, PROFILE_RFC } from '../../base/parameters.ts';
import { SERVER_DOWN, SERVER_LIVE, SERVER_UP, serverAt } from '../../base/server-record.ts';

const TCP = 6;
const HOSTS = ['192.168.0.11', '192.168.0.12', '192.168.0.13'];
const CLIENT = '198.51.100.7';
const mac = (host: string) => `02:00:00:00:00:${host.slice(-2)}`;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  function lab(flags: number, weights = [1, 1, 1], profile = PROFILE_RFC) {
    const router = startRouter(build);
    plane.setParameter(NAT_PROFILE, profile);
    for (const host of HOSTS) introduce(router, LAN, mac(host), host, LAN_ADDRESS);
    for (const [i, host] of HOSTS.entries())
      plane.forwardSet(TCP, (80 << 16) | 80, 80, address(host), (weights[i] as number) | (flags << 16), 0);
    let port = 3000;
    /** A client opens a connection: which host gets it, or -1. */
    const open = (sourcePort = ++port, source = CLIENT): number => {
      router.toLan();
      router.toWan();
      const ports = { sourcePort, destinationPort: 80, flags: SYN, sequence: 7000 };
      router.fromGateway(tcp({ source, destination: WAN_ADDRESS }, ports));
      const [datagram] = router.toLan();
      return datagram === undefined ? -1 : HOSTS.indexOf(read(datagram).destination);
    };
    /** The host answers and the client acknowledges; then both close, or the host resets. */
    const establish = (host: number, destinationPort: number): void => {
      const back = { sourcePort: 80, destinationPort, sequence: 100, acknowledgment: 7001 };
      const datagram = tcp(
        { source: HOSTS[host] as string, destination: CLIENT },
        { ...back, flags: SYN | ACK },
      );
      router.put(LAN, frame(LAN_MAC, mac(HOSTS[host] as string), datagram));
      const on = { sourcePort: destinationPort, destinationPort: 80, sequence: 7001, acknowledgment: 101 };
      router.fromGateway(tcp({ source: CLIENT, destination: WAN_ADDRESS }, { ...on, flags: ACK }));
    };
    const finish = (host: number, destinationPort: number): void => {
      const back = { sourcePort: 80, destinationPort, sequence: 101, acknowledgment: 7001 };
      const datagram = tcp(
        { source: HOSTS[host] as string, destination: CLIENT },
        { ...back, flags: FIN | ACK },
      );
      router.put(LAN, frame(LAN_MAC, mac(HOSTS[host] as string), datagram));
      const on = { sourcePort: destinationPort, destinationPort: 80, sequence: 7001, acknowledgment: 102 };
      router.fromGateway(tcp({ source: CLIENT, destination: WAN_ADDRESS }, { ...on, flags: FIN | ACK }));
      router.toLan();
      router.toWan();
    };
    const server = (n: number) => u16at(forwardAt(n) + FORWARD_SERVER);
    const live = () => HOSTS.map((_, n) => u16at(serverAt(server(n)) + SERVER_LIVE));
    const last = () => port;
    return { router, open, establish, finish, server, live, last };
  }

  for (const profile of [PROFILE_RFC, PROFILE_CLASSIC])
    test.serial(
      `least: who has fewest live connections by weight gets the next (${name}, profile ${profile})`,
      t => {
        const { open, establish, finish, live, last, router } = lab(FORWARD_LEAST, [1, 1, 2], profile);
        const held: [number, number][] = [];
        for (let i = 0; i < 8; i++) {
          const host = open();
          establish(host, last());
          held.push([host, last()]);
        }
        t.deepEqual(live(), [2, 2, 4]);
        for (const [host, port] of held) if (host === 1) finish(host, port);
        t.deepEqual(live(), [2, 0, 4], 'a connection that is over counts no more');
        t.deepEqual([open(), open()], [1, 1]);
        t.deepEqual(live(), [2, 2, 4]);
        t.is(plane.masqueradeCheck(), 0);
        router.ticks(100 * 8000);
        t.deepEqual(live(), [0, 0, 0]);
        t.is(plane.masqueradeCount(), 0);
        t.is(plane.masqueradeCheck(), 0);
      },
    );

  test.serial(`a connection that is opened again counts again (${name})`, t => {
    const { open, establish, finish, live, last } = lab(FORWARD_LEAST);
    const host = open();
    establish(host, last());
    finish(host, last());
    t.deepEqual(live(), [0, 0, 0]);
    t.is(open(last()), host);
    t.is(live()[host], 1);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `a host that is down gets none, in turn, sticky and least; with all down all do (${name})`,
    t => {
      for (const flags of [0, FORWARD_LEAST, FORWARD_STICKY]) {
        const { open, server } = lab(flags | FORWARD_CHECK_PING);
        const before = Array.from({ length: 60 }, (_, i) => open(2000 + i, `198.51.100.${i + 1}`));
        t.deepEqual([...new Set(before)].sort(), [0, 1, 2]);
        plane.serverState(server(1), SERVER_DOWN, 3, 0);
        const without = Array.from({ length: 60 }, (_, i) => open(3000 + i, `198.51.100.${i + 1}`));
        t.deepEqual([...new Set(without)].sort(), [0, 2]);
        if (flags === FORWARD_STICKY)
          t.true(
            without.every((host, i) => before[i] === 1 || before[i] === host),
            'the others stay',
          );
        for (const n of [0, 2]) plane.serverState(server(n), SERVER_DOWN, 3, 0);
        const all = Array.from({ length: 60 }, (_, i) => open(4000 + i, `198.51.100.${i + 1}`));
        t.deepEqual([...new Set(all)].sort(), [0, 1, 2]);
        plane.serverState(server(0), SERVER_UP, 0, 0);
        t.is(open(), 0);
        t.is(plane.masqueradeCheck(), 0);
      }
    },
  );

  test.serial(`no host has more than it may, and when all have as many the next is refused (${name})`, t => {
    const { open, establish, finish, live, last, router } = lab(FORWARD_LIMITED);
    for (let n = 0; n < 3; n++) plane.forwardLimit(n, 0, 0, 2);
    const held: [number, number][] = [];
    for (let i = 0; i < 6; i++) {
      const host = open();
      establish(host, last());
      held.push([host, last()]);
    }
    router.toWan();
    router.toLan();
    const refused = router.counter(DROP_HOST_SHARE);
    t.is(open(), -1);
    t.is(router.counter(DROP_HOST_SHARE), refused + 1);
    t.deepEqual(router.toWan(), []);
    const [host, port] = held[3] as [number, number];
    finish(host, port);
    t.is(open(), host);
    t.deepEqual(live(), [2, 2, 2]);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `a forward that is set anew keeps its servers' counts; one that is forgotten counts for nobody (${name})`,
    t => {
      const { router, open, live, server } = lab(FORWARD_LEAST);
      open();
      open();
      const before = live();
      for (let n = 2; n >= 0; n--) plane.forwardRemove(n);
      for (const host of HOSTS)
        plane.forwardSet(TCP, (80 << 16) | 80, 80, address(host), 1 | (FORWARD_LEAST << 16), 0);
      t.deepEqual(live(), before);
      for (let n = 2; n >= 0; n--) plane.forwardRemove(n);
      for (let i = 0; i < SERVER_COUNT; i++) {
        plane.forwardSet(TCP, (80 << 16) | 80, 80, address(`192.168.0.${20 + i}`), 1, 0);
        router.fromGateway(
          tcp(
            { source: CLIENT, destination: WAN_ADDRESS },
            { sourcePort: 900 + i, destinationPort: 80, flags: SYN },
          ),
        );
        plane.forwardRemove(0);
      }
      for (const host of HOSTS)
        plane.forwardSet(TCP, (80 << 16) | 80, 80, address(host), 1 | (FORWARD_LEAST << 16), 0);
      t.true(
        live().every((count, n) => count === 0 || count === before[n]),
        live().join(),
      );
      t.not(server(0), 0);
      t.is(plane.masqueradeCheck(), 0);
      plane.masqueradeFlush();
      router.ticks(700);
      t.deepEqual(live(), [0, 0, 0]);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(
    `a forward for one outside address is for no other, and goes before those of any (${name})`,
    t => {
      const router = startRouter(build);
      for (const host of HOSTS) introduce(router, LAN, mac(host), host, LAN_ADDRESS);
      const to = (port: number) => {
        router.fromGateway(udp({ source: CLIENT, destination: WAN_ADDRESS }, 4000, port));
        return router.toLan().map(datagram => read(datagram).destination)[0];
      };
      plane.forwardSet(17, (53 << 16) | 53, 53, address(HOSTS[0] as string), 1, address('203.0.113.18'));
      t.true(to(53) === undefined);
      plane.forwardSet(17, (50 << 16) | 60, 50, address(HOSTS[1] as string), 1, address(WAN_ADDRESS));
      plane.forwardSet(17, (54 << 16) | 54, 54, address(HOSTS[2] as string), 1, 0);
      t.is(to(54), HOSTS[1]);
      t.is(i32at(forwardAt(1) + 12), 1);
    },
  );
}
