import test from 'ava';
import { address, read, tcp, udp } from '../../../test/packets.ts';
import { HOST, LAN, LAN_ADDRESS, SERVER, startRouter, WAN, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  DROP_BROADCAST,
  DROP_FOREIGN_FROM_LAN,
  DROP_MARTIAN_SOURCE,
  DROP_NO_ROUTE,
  DROP_SPOOFED_FROM_WAN,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import { FILTER_ENDPOINT, NAT_FILTER, setParameter } from '../../base/parameters.ts';

const MARTIANS = [
  '0.0.0.0',
  '0.1.2.3',
  '127.0.0.1',
  '224.0.0.1',
  '239.1.1.1',
  '240.0.0.1',
  '255.255.255.255',
];

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`martians do not pass from either side (${name})`, t => {
    const router = startRouter(build);
    const all = [...MARTIANS, LAN_ADDRESS, WAN_ADDRESS, '192.168.0.255', '192.168.0.0', '10.1.2.255'];
    for (const source of all) {
      router.fromHost(udp({ source, destination: SERVER }, 1, 2));
      router.fromGateway(udp({ source, destination: WAN_ADDRESS }, 1, 2));
    }
    t.is(router.counter(DROP_MARTIAN_SOURCE), 2 * all.length);
    t.deepEqual([...router.taken(0), ...router.taken(1)], []);
    t.is(router.held(), 0);
  });

  test.serial(`a LAN source from the WAN is spoofed, a foreign one from the LAN too (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(
      tcp({ source: HOST, destination: SERVER }, { sourcePort: 1, destinationPort: 2, flags: 2 }),
    );
    router.toWan();
    router.fromGateway(udp({ source: HOST, destination: WAN_ADDRESS }, 1, 2));
    router.fromGateway(udp({ source: '192.168.0.200', destination: HOST }, 1, 2));
    t.is(router.counter(DROP_SPOOFED_FROM_WAN), 2);
    router.fromHost(udp({ source: SERVER, destination: '198.51.100.1' }, 1, 2));
    router.fromHost(udp({ source: '10.1.2.9', destination: SERVER }, 1, 2));
    t.is(router.counter(DROP_FOREIGN_FROM_LAN), 2);
    t.deepEqual([...router.taken(0), ...router.taken(1)], []);
  });

  test.serial(
    `where the check is off by name any source comes in by that link, but what is none (${name})`,
    t => {
      const router = startRouter(build);
      router.plane.anySource(1 << LAN);
      router.fromHost(udp({ source: '203.0.113.7', destination: SERVER }, 1, 2));
      t.is(router.toWan().length, 1);
      for (const source of [...MARTIANS, LAN_ADDRESS, WAN_ADDRESS, '169.254.1.1'])
        router.fromHost(udp({ source, destination: SERVER }, 1, 2));
      router.fromGateway(udp({ source: HOST, destination: WAN_ADDRESS }, 1, 2));
      t.is(router.counter(DROP_SPOOFED_FROM_WAN), 1);
      t.deepEqual(router.toWan(), []);
      router.plane.anySource(1 << WAN);
      router.fromHost(udp({ source: '203.0.113.7', destination: SERVER }, 1, 2));
      t.deepEqual(router.toWan(), [], 'it is on again for a session that there is, too');
      router.fromGateway(udp({ source: HOST, destination: WAN_ADDRESS }, 1, 2));
      t.is(router.counter(DROP_SPOOFED_FROM_WAN), 1);
      t.is(router.held(), 0);
    },
  );

  test.serial(`a net behind an inside router is no stranger (${name})`, t => {
    const router = startRouter(build);
    router.plane.routeAdd(address('172.16.0.0'), address('255.255.0.0'), address('192.168.0.3'), LAN);
    router.fromHost(udp({ source: '172.16.4.4', destination: SERVER }, 1, 2));
    t.is(router.toWan().length, 1);
    router.fromGateway(udp({ source: '172.16.4.4', destination: WAN_ADDRESS }, 1, 2));
    t.is(router.counter(DROP_SPOOFED_FROM_WAN), 1);
  });

  test.serial(`link-local addresses stay on their link: RFC 3927, section 7 (${name})`, t => {
    const router = startRouter(build);
    setParameter(NAT_FILTER, FILTER_ENDPOINT); // a mapping that lets anybody in
    router.fromHost(udp({ source: HOST, destination: SERVER }, 5000, 2));
    router.toWan();
    router.fromGateway(udp({ source: '169.254.1.1', destination: WAN_ADDRESS }, 1, 5000));
    t.is(router.counter(DROP_MARTIAN_SOURCE), 1);
    router.fromHost(udp({ source: '169.254.1.1', destination: SERVER }, 1, 2));
    t.is(router.counter(DROP_FOREIGN_FROM_LAN), 1);
    t.deepEqual([...router.taken(0), ...router.taken(1)], []);
    router.fromHost(udp({ source: HOST, destination: '169.254.169.254' }, 1, 80));
    t.is(router.counter(DROP_NO_ROUTE), 1);
    t.deepEqual(router.toWan(), []);
    t.is(read(router.toLan()[0] as Uint8Array).type, 3, 'net unreachable');
  });

  test.serial(`without a default route the outside is unknown, not forged (${name})`, t => {
    const router = startRouter(build);
    router.plane.routeRemove(0, 0);
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 1, 2));
    t.is(router.counter(DROP_UNSOLICITED), 1);
  });

  test.serial(`a host without an address may speak to everybody, and to nobody else (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 68, 67));
    t.is(router.counter(DROP_BROADCAST), 1);
    router.plane.socketOpen(17, 67, 1 << LAN);
    router.fromHost(udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 68, 67));
    t.truthy(router.punted());
    router.fromHost(udp({ source: '0.0.0.0', destination: LAN_ADDRESS }, 68, 67));
    t.is(router.counter(DROP_MARTIAN_SOURCE), 1);
    t.is(router.held(), 0);
  });
}
