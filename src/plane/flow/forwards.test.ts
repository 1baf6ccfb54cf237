// Forwards of ports, by frames in and frames out. 198.51.100.7 is a stranger outside.

import test from 'ava';
import {
  ACK,
  address,
  FIN,
  faults,
  fragments,
  frame,
  payload,
  RST,
  read,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  HOST,
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
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_UNSOLICITED } from '../../base/counters.ts';
import { FORWARD_SESSIONS, FORWARD_STICKY, forwardAt } from '../../base/forward-record.ts';
import {
  FORWARD_COUNT,
  FORWARD_KEPT_PORTS,
  MASQUERADE_COUNT,
  MASQUERADE_RESERVE,
} from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  FILTER_ENDPOINT,
  HAIRPIN,
  NAT_FILTER,
  NAT_PROFILE,
  PROFILE_CLASSIC,
  PROFILE_RFC,
} from '../../base/parameters.ts';

const STRANGER = '198.51.100.7';
const TCP = 6;
const UDP = 17;
const range = (first: number, last = first) => (first << 16) | last;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const forward = (protocol: number, ports: number, inside: number, host: number, share = 1) =>
    plane.forwardSet(protocol, ports, inside, host, share, 0);
  const fromStranger = (router: Router, sourcePort: number, destinationPort: number, flags = SYN, ack = 0) =>
    router.fromGateway(
      tcp(
        { source: STRANGER, destination: WAN_ADDRESS },
        { sourcePort, destinationPort, flags, sequence: 7000, acknowledgment: ack },
      ),
    );
  const asked = (router: Router, port: number, source = STRANGER) => {
    router.fromGateway(udp({ source, destination: WAN_ADDRESS }, 4000, port, payload(9)));
    const datagram = router.toLan()[0];
    return datagram === undefined ? undefined : read(datagram);
  };
  const only = (datagrams: Uint8Array[]) => {
    if (datagrams.length !== 1) throw new Error(`${datagrams.length} datagrams`);
    const [datagram] = datagrams as [Uint8Array];
    if (faults(datagram) !== '') throw new Error(faults(datagram));
    return read(datagram);
  };

  for (const profile of [PROFILE_RFC, PROFILE_CLASSIC]) {
    test.serial(`a whole connection to a server inside, by another port (${name}, profile ${profile})`, t => {
      const router = startRouter(build);
      plane.setParameter(NAT_PROFILE, profile);
      fromStranger(router, 4000, 8080);
      t.deepEqual(router.toLan(), []);
      t.is(forward(TCP, range(8080), 80, address(HOST)), 1);
      fromStranger(router, 4000, 8080);
      t.like(only(router.toLan()), {
        source: STRANGER,
        destination: HOST,
        sourcePort: 4000,
        destinationPort: 80,
        ttl: 63,
      });
      const answer = (flags: number, sequence: number, acknowledgment: number, data = payload(0)) =>
        router.fromHost(
          tcp(
            { source: HOST, destination: STRANGER },
            { sourcePort: 80, destinationPort: 4000, flags, sequence, acknowledgment },
            data,
          ),
        );
      answer(SYN | ACK, 100, 7001);
      t.like(only(router.toWan()), {
        source: WAN_ADDRESS,
        destination: STRANGER,
        sourcePort: 8080,
        destinationPort: 4000,
      });
      fromStranger(router, 4000, 8080, ACK, 101);
      for (let i = 0; i < 3; i++) answer(ACK, 101 + 100 * i, 7001, payload(100));
      t.is(router.toWan().length, 3);
      answer(FIN | ACK, 401, 7001);
      fromStranger(router, 4000, 8080, RST | ACK, 402);
      t.is(router.toLan().length, 2);
      t.is(router.toWan().length, 1);
      // A second client from the same port number, and a second connection of the first.
      router.fromGateway(
        tcp(
          { source: SERVER, destination: WAN_ADDRESS },
          { sourcePort: 4000, destinationPort: 8080, flags: SYN },
        ),
      );
      fromStranger(router, 4001, 8080);
      t.is(router.toLan().length, 2);
      t.is(i32at(forwardAt(0) + FORWARD_SESSIONS), 3);
      t.is(plane.masqueradeCheck(), 0);
      t.is(router.held(), 0);
    });
  }

  test.serial(`what opens no connection is refused, and other ports are as they were (${name})`, t => {
    const router = startRouter(build);
    forward(TCP, range(80), 80, address(HOST));
    const before = router.counter(DROP_UNSOLICITED);
    fromStranger(router, 4000, 80, ACK, 1);
    fromStranger(router, 4000, 81);
    t.is(asked(router, 80), undefined);
    const parts = fragments(udp({ source: STRANGER, destination: WAN_ADDRESS }, 1, 80, payload(3000)), 1480);
    for (const part of parts) router.fromGateway(part);
    t.deepEqual(router.toLan(), []);
    t.is(plane.masqueradeCount(), 0);
    t.true(router.counter(DROP_UNSOLICITED) >= before + 3);
  });

  test.serial(`ranges keep their order, and of two the one of fewer ports goes first (${name})`, t => {
    const router = startRouter(build);
    forward(UDP, range(6112, 6119), 7000, address(HOST));
    forward(UDP, range(1, 65535), 1, address(OTHER));
    forward(UDP, range(6115), 6115, address(OTHER));
    for (const [port, host, inside] of [
      [6112, HOST, 7000],
      [6119, HOST, 7007],
      [6115, OTHER, 6115],
      [6120, OTHER, 6120],
      [65535, OTHER, 65535],
      [1, OTHER, 1],
    ] as const)
      t.like(asked(router, port), { destination: host, destinationPort: inside });
    plane.forwardRemove(0);
    plane.forwardRemove(2);
    t.like(asked(router, 6119, SERVER), { destination: OTHER, destinationPort: 6119 });
    t.like(asked(router, 6119), { destination: HOST }, 'a session that has begun stays');
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `a kept port is no mapping's, and a forward of all ports takes none from hosts (${name})`,
    t => {
      const router = startRouter(build);
      plane.setParameter(NAT_FILTER, FILTER_ENDPOINT);
      const leave = (port: number) => {
        router.fromHost(udp({ source: HOST, destination: SERVER }, port, 53));
        return only(router.toWan()).sourcePort;
      };
      t.is(leave(5000), 5000);
      forward(UDP, range(5000, 5000 + FORWARD_KEPT_PORTS - 1), 5000, address(OTHER));
      t.like(asked(router, 5000), { destination: OTHER }, 'it goes before the filter of the mapping');
      const drawn = leave(5001) as number;
      t.true(drawn < 5000 || drawn >= 5000 + FORWARD_KEPT_PORTS, `${drawn}`);
      t.is(plane.masqueradePortUsed(UDP, 5001, address(WAN_ADDRESS)), 1);
      plane.socketOpen(UDP, 5002, 1 << WAN);
      plane.socketClose(UDP, 5002);
      const beside = leave(5002) as number;
      t.true(
        beside < 5000 || beside >= 5000 + FORWARD_KEPT_PORTS,
        'a socket that is closed gives no kept port away',
      );
      plane.socketOpen(UDP, 5003, 1 << WAN);
      plane.forwardRemove(0);
      t.is(leave(5004), 5004);
      t.not(leave(5003), 5003, "a socket's port stays its own");
      forward(UDP, range(1, 65535), 1, address(OTHER));
      t.is(leave(9000), 9000);
      t.like(asked(router, 9000), { destination: HOST }, 'what a mapping has is the host’s');
      t.like(asked(router, 9001), { destination: OTHER });
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(`what the router itself hears outside is not forwarded (${name})`, t => {
    const router = startRouter(build);
    forward(UDP, range(1, 65535), 1, address(HOST));
    plane.socketOpen(UDP, 9000, 1 << WAN);
    t.is(asked(router, 9000), undefined);
    t.not(router.punted(), undefined);
    t.like(asked(router, 9001), { destination: HOST });
  });

  test.serial(
    `inside, the outside address leads to the server as well, unless hairpin is off (${name})`,
    t => {
      const router = startRouter(build);
      forward(TCP, range(80), 8000, address(HOST));
      const open = (sourcePort: number) => {
        const ports = { sourcePort, destinationPort: 80, flags: SYN };
        router.put(LAN, frame(LAN_MAC, OTHER_MAC, tcp({ source: OTHER, destination: WAN_ADDRESS }, ports)));
        return router.toLan();
      };
      t.like(only(open(4000)), { source: WAN_ADDRESS, destination: HOST, destinationPort: 8000 });
      const answer = { sourcePort: 8000, destinationPort: 4000, flags: SYN | ACK, acknowledgment: 1 };
      router.fromHost(tcp({ source: HOST, destination: WAN_ADDRESS }, answer));
      t.like(only(router.toLan()), { source: WAN_ADDRESS, destination: OTHER, sourcePort: 80 });
      plane.setParameter(HAIRPIN, 0);
      const refused = open(4001).map(datagram => read(datagram));
      t.deepEqual(
        refused.map(({ destination }) => destination),
        [OTHER],
        'a reset',
      );
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(
    `strangers fill no more than is free, and push out nothing that the inside began (${name})`,
    t => {
      const router = startRouter(build);
      forward(TCP, range(80), 80, address(HOST));
      router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53));
      router.toWan();
      for (let i = 0; i < MASQUERADE_COUNT + 200; i++) {
        fromStranger(router, 1024 + i, 80);
        router.toLan();
      }
      t.is(plane.masqueradeCount(), MASQUERADE_COUNT - MASQUERADE_RESERVE);
      router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043));
      t.is(router.toLan().length, 1);
      router.put(LAN, frame(LAN_MAC, OTHER_MAC, udp({ source: OTHER, destination: SERVER }, 1, 53)));
      t.is(router.toWan().length, 1);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(`several servers have turns by their weights; what is refused takes none (${name})`, t => {
    const router = startRouter(build);
    const hosts = ['192.168.0.11', '192.168.0.12', '192.168.0.13'];
    for (const host of hosts) introduce(router, LAN, `02:00:00:00:00:${host.slice(-2)}`, host, LAN_ADDRESS);
    for (const [i, weight] of [1, 3, 2].entries())
      forward(UDP, range(53), 53, address(hosts[i] as string), weight);
    forward(UDP, range(54), 54, address(HOST));
    const turns: number[] = [];
    for (let i = 0; i < 12; i++) {
      router.fromGateway(udp({ source: STRANGER, destination: WAN_ADDRESS }, 4000 + i, 53, payload(9)));
      turns.push(...router.toLan().map(datagram => hosts.indexOf(read(datagram).destination)));
      router.fromGateway(
        tcp(
          { source: STRANGER, destination: WAN_ADDRESS },
          { sourcePort: 1, destinationPort: 53, flags: ACK },
        ),
      );
    }
    t.deepEqual(turns, [0, 1, 1, 1, 2, 2, 0, 1, 1, 1, 2, 2]);
    t.deepEqual(
      [0, 1, 2, 3].map(n => i32at(forwardAt(n) + FORWARD_SESSIONS)),
      [2, 6, 4, 0],
    );
    plane.forwardRemove(1);
    turns.length = 0;
    for (let i = 0; i < 6; i++)
      turns.push(hosts.indexOf(asked(router, 53, `198.51.100.${10 + i}`)!.destination));
    t.deepEqual(turns, [0, 2, 2, 0, 2, 2]);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`a sticky forward sends a client to one host always, and clients to all (${name})`, t => {
    const router = startRouter(build);
    const hosts = ['192.168.0.11', '192.168.0.12', '192.168.0.13'];
    for (const host of hosts) introduce(router, LAN, `02:00:00:00:00:${host.slice(-2)}`, host, LAN_ADDRESS);
    for (const [i, weight] of [1, 1, 2].entries())
      forward(UDP, range(53), 53, address(hosts[i] as string), weight | (FORWARD_STICKY << 16));
    const clients = new Map<string, Set<string>>();
    for (let i = 0; i < 600; i++) {
      const source = `198.51.${100 + (i % 4)}.${1 + (i % 50)}`;
      router.fromGateway(udp({ source, destination: WAN_ADDRESS }, 1024 + i, 53, payload(9)));
      for (const datagram of router.toLan()) {
        const { source: who, destination } = read(datagram);
        clients.set(who, (clients.get(who) ?? new Set()).add(destination));
      }
    }
    t.is(clients.size, 100);
    t.true([...clients.values()].every(set => set.size === 1));
    const share = hosts.map(host => [...clients.values()].filter(set => set.has(host)).length);
    t.true(
      share.every(count => count >= 10),
      share.join(),
    );
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`all places taken, the last refused; all taken back (${name})`, t => {
    startRouter(build);
    for (let i = 0; i < FORWARD_COUNT; i++) t.is(forward(TCP, range(100 + i), 80, address(HOST)), 1);
    t.is(forward(TCP, range(99), 80, address(HOST)), 0);
    for (let i = 0; i < FORWARD_COUNT; i++) plane.forwardRemove(0);
    for (let port = 90; port < 140; port++) t.is(plane.socketUses(TCP, port), 0);
  });
  test(`a host that asks our own address by the port that it asks from comes to the server, and not to itself (${name})`, t => {
    const router = startRouter(build);
    forward(UDP, range(1000, 9000), 1000, address(OTHER));
    router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 5060, 5060, payload(9)));
    const led = only(router.toLan());
    t.is(led.destination, OTHER);
    t.is(led.source, WAN_ADDRESS);
    t.not(led.sourcePort, 5060);
  });
}
