import test from 'ava';
import { address, echo, fragments, icmpError, payload, read, udp } from '../../../test/packets.ts';
import {
  GATEWAY,
  HOST,
  LAN,
  LAN_ADDRESS,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { SOCKET_COUNT } from '../../base/limits.ts';
import { SOCKET_CLIENT, SOCKET_INSIDE } from '../../base/socket-record.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  test.serial(`socketOpen() takes ${SOCKET_COUNT} ports and refuses one more (${name})`, t => {
    build.use();
    plane.resetSockets();
    for (let i = 0; i < SOCKET_COUNT; i++) t.is(plane.socketOpen(17, i, 3), 1);
    t.is(plane.socketOpen(17, SOCKET_COUNT, 3), 0);
    t.is(plane.socketOpen(17, 0, 1), 1, 'one that is open only changes its mask');
    plane.socketClose(17, 5);
    plane.socketClose(17, 5);
    t.is(plane.socketUses(17, 5), 0);
    t.is(plane.socketOpen(6, 65535, 3), 1);
    t.is(plane.socketUses(6, 65535), 1);
    t.is(plane.socketUses(17, 65535), 0);
    t.is(plane.socketUses(17, SOCKET_COUNT - 1), 1);
  });

  test.serial(`socketClose() closes first, middle and last, and leaves the others (${name})`, t => {
    build.use();
    for (const closed of [0, 3, 6]) {
      plane.resetSockets();
      for (let i = 0; i < 7; i++) plane.socketOpen(6, 100 + i, 1);
      plane.socketClose(6, 100 + closed);
      for (let i = 0; i < 7; i++) t.is(plane.socketUses(6, 100 + i), i === closed ? 0 : 1);
    }
  });

  test.serial(`a client's socket hears only whom it asked last, a server's everybody (${name})`, t => {
    const router = startRouter(build);
    const answer = (source: string, port: number, to = 4000) =>
      router.fromGateway(udp({ source, destination: WAN_ADDRESS }, port, to));
    const isHeard = () => router.punted() !== undefined;
    plane.socketOpen(17, 4000, SOCKET_CLIENT | 3);
    answer(SERVER, 53);
    t.false(isHeard(), 'nobody was asked yet');
    plane.socketSent(17, 4000, WAN, address(SERVER), 53);
    answer(SERVER, 53);
    t.true(isHeard());
    answer(SERVER, 54);
    answer('204.152.184.113', 53);
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 53, 4000));
    t.false(isHeard());
    t.like(read(router.toLan()[0] as Uint8Array), { type: 3, code: 3 }, 'inside, the port looks closed');
    plane.socketSent(17, 4000, LAN, address(HOST), 53);
    answer(SERVER, 53);
    t.false(isHeard(), 'another was asked since');
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 53, 4000));
    t.true(isHeard());
    plane.socketOpen(17, 67, 3);
    plane.socketSent(17, 67, LAN, address(HOST), 68);
    answer(SERVER, 9, 67);
    t.true(isHeard());
    t.is(router.held(), 0);
  });

  test.serial(`a socket of the inside hears the links that are inside at the time, and up (${name})`, t => {
    const router = startRouter(build, { links: [5, 2] });
    plane.socketOpen(17, 53, SOCKET_INSIDE);
    const ask = () => {
      router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1000, 53));
      return router.punted() !== undefined;
    };
    const askOutside = () => {
      router.fromGateway(udp({ source: GATEWAY, destination: WAN_ADDRESS }, 1000, 53));
      return router.punted() !== undefined;
    };
    t.true(ask());
    t.false(askOutside());
    // The sides change places, and it goes along.
    plane.configureInterface(5, 1, address(LAN_ADDRESS), -256, 1500);
    plane.configureInterface(2, 0, address(WAN_ADDRESS), -256, 1500);
    plane.interfacesChanged();
    t.false(ask());
    t.true(askOutside());
    // A link without an address hears nobody by it, a broadcast neither.
    plane.configureInterface(2, 0, 0, 0, 1500);
    plane.interfacesChanged();
    router.fromGateway(udp({ source: GATEWAY, destination: '255.255.255.255' }, 1000, 53));
    t.is(router.punted(), undefined);
  });

  test.serial(
    `an error about a client's datagram is heard with its whole quote right, and not else (${name})`,
    t => {
      const router = startRouter(build);
      plane.socketOpen(17, 4000, SOCKET_CLIENT | 3);
      plane.socketSent(17, 4000, WAN, address(SERVER), 53);
      const about = (source: string, destination: string, from: number, to: number, id = 1) => {
        const quoted = udp({ source, destination, id }, from, to);
        router.fromGateway(icmpError({ source: '198.51.100.9', destination: WAN_ADDRESS }, 3, 3, quoted));
        return router.punted() !== undefined;
      };
      t.true(about(WAN_ADDRESS, SERVER, 4000, 53));
      t.false(about(WAN_ADDRESS, SERVER, 4001, 53));
      t.false(about(WAN_ADDRESS, SERVER, 4000, 54));
      t.false(about(WAN_ADDRESS, '204.152.184.113', 4000, 53));
      t.false(about('10.1.2.4', SERVER, 4000, 53));
      const later = fragments(
        udp({ source: WAN_ADDRESS, destination: SERVER }, 4000, 53, payload(99)),
        48,
      )[1]!;
      router.fromGateway(icmpError({ source: SERVER, destination: WAN_ADDRESS }, 3, 3, later));
      t.is(router.punted(), undefined);
      plane.socketOpen(1, 0x77, SOCKET_CLIENT | 3);
      plane.socketSent(1, 0x77, WAN, address(SERVER), 0x77);
      router.fromGateway(echo({ source: GATEWAY, destination: WAN_ADDRESS }, 0, 0x77));
      router.fromGateway(echo({ source: SERVER, destination: WAN_ADDRESS }, 0, 0x78));
      t.is(router.punted(), undefined, 'a ping is answered by whom it was sent to');
      router.fromGateway(echo({ source: SERVER, destination: WAN_ADDRESS }, 0, 0x77));
      t.truthy(router.punted());
      t.is(router.held(), 0);
    },
  );
}
