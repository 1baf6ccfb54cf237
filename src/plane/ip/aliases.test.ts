// Further outside addresses, and hosts that have one of their own, by frames in and frames out.

import test from 'ava';
import {
  ACK,
  ARP_REPLY,
  ARP_REQUEST,
  address,
  arpFrame,
  echo,
  faults,
  frame,
  icmpError,
  ipv4,
  payload,
  read,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  arpTexts,
  GATEWAY,
  GATEWAY_MAC,
  HOST,
  LAN,
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
import { DROP_MARTIAN_SOURCE, DROP_UNSOLICITED } from '../../base/counters.ts';
import { ALIAS_COUNT } from '../../base/limits.ts';
import { WAN_PING } from '../../base/parameters.ts';

const MORE = '10.1.2.18';
const ELSEWHERE = '203.0.113.18';
/** Stands for HOST, and for OTHER. */
const HOST_OUT = '10.1.2.34';
const OTHER_OUT = '10.1.2.35';
const STRANGER = '198.51.100.7';
const ONE = -1;
const TCP = 6;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const only = (datagrams: Uint8Array[]) => {
    if (datagrams.length !== 1) throw new Error(`${datagrams.length} datagrams`);
    const [datagram] = datagrams as [Uint8Array];
    if (faults(datagram) !== '') throw new Error(faults(datagram));
    return read(datagram);
  };
  const asks = (router: Router, target: string, senderAddress = GATEWAY) => {
    const ask = { operation: ARP_REQUEST, senderMac: GATEWAY_MAC, senderAddress, targetAddress: target };
    router.put(WAN, arpFrame('ff:ff:ff:ff:ff:ff', ask));
    return arpTexts(router.taken(WAN));
  };
  const fromOther = (router: Router, datagram: Uint8Array) =>
    router.put(LAN, frame(LAN_MAC, OTHER_MAC, datagram));
  const oneToOne = () => {
    const router = startRouter(build);
    plane.aliasSet(address('10.1.2.32'), address('255.255.255.240'), address('192.168.0.0'), WAN);
    router.taken(WAN);
    return router;
  };

  test.serial(`a further address is told and answered for, and nothing listens there (${name})`, t => {
    const router = startRouter(build);
    t.deepEqual(asks(router, MORE), []);
    t.is(plane.aliasSet(address(MORE), ONE, 0, WAN), 1);
    t.deepEqual(arpTexts(router.taken(WAN)), [`request ${MORE} from ${MORE} to ff:ff:ff:ff:ff:ff`]);
    t.deepEqual(asks(router, MORE), [`reply ${GATEWAY} from ${MORE} to ${GATEWAY_MAC}`]);
    t.deepEqual(asks(router, WAN_ADDRESS), [`reply ${GATEWAY} from ${WAN_ADDRESS} to ${GATEWAY_MAC}`]);
    t.deepEqual(asks(router, '10.1.2.19'), []);
    plane.socketOpen(17, 53, (1 << LAN) | (1 << WAN));
    for (const datagram of [
      udp({ source: STRANGER, destination: MORE }, 4000, 53),
      tcp({ source: STRANGER, destination: MORE }, { sourcePort: 1, destinationPort: 22, flags: SYN }),
      ipv4({ source: STRANGER, destination: MORE }, 47, payload(8)),
    ]) {
      const before = router.counter(DROP_UNSOLICITED);
      router.fromGateway(datagram);
      t.is(router.counter(DROP_UNSOLICITED), before + 1);
    }
    router.fromHost(udp({ source: HOST, destination: MORE }, 4000, 53));
    t.is(router.punted(), undefined);
    const spoofed = router.counter(DROP_MARTIAN_SOURCE);
    router.fromGateway(udp({ source: MORE, destination: WAN_ADDRESS }, 4000, 53));
    t.is(router.counter(DROP_MARTIAN_SOURCE), spoofed + 1);
    plane.setParameter(WAN_PING, 1);
    router.fromGateway(echo({ source: STRANGER, destination: MORE }, 8, 7));
    t.like(only(router.toWan()), { source: MORE, destination: STRANGER });
    t.deepEqual(router.toLan(), []);
    plane.aliasRemove(0);
    t.deepEqual(asks(router, MORE), []);
    t.is(router.held(), 0);
  });

  test.serial(
    `a forward of a further address, from outside and inside, and source translation to it (${name})`,
    t => {
      const router = startRouter(build);
      plane.aliasSet(address(ELSEWHERE), ONE, 0, WAN);
      plane.forwardSet(TCP, (80 << 16) | 80, 8000, address(HOST), 1, address(ELSEWHERE));
      const open = { sourcePort: 4000, destinationPort: 80, flags: SYN };
      router.fromGateway(tcp({ source: STRANGER, destination: ELSEWHERE }, open));
      t.like(only(router.toLan()), { destination: HOST, destinationPort: 8000 });
      const back = { sourcePort: 8000, destinationPort: 4000, flags: SYN | ACK, acknowledgment: 1 };
      router.fromHost(tcp({ source: HOST, destination: STRANGER }, back));
      t.like(only(router.toWan()), { source: ELSEWHERE, sourcePort: 80 });
      router.fromGateway(tcp({ source: STRANGER, destination: WAN_ADDRESS }, open));
      t.deepEqual(router.toLan(), [], 'the other address has none');
      fromOther(router, tcp({ source: OTHER, destination: ELSEWHERE }, open));
      t.like(only(router.toLan()), { source: ELSEWHERE, destination: HOST, destinationPort: 8000 });
      t.is(plane.masqueradeCheck(), 0);
      plane.aliasRemove(0);
      t.is(plane.aliasEnd(address(ELSEWHERE), ONE, 1), 0);
      router.fromHost(tcp({ source: HOST, destination: STRANGER }, back));
      t.not(router.toWan().map(datagram => read(datagram).source)[0], ELSEWHERE);
      router.ticks(700);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(`with an address that is taken back its sessions end, and no others (${name})`, t => {
    const router = startRouter(build);
    for (const [i, more] of [MORE, '10.1.2.19'].entries()) {
      plane.aliasSet(address(more), ONE, 0, WAN);
      plane.forwardSet(TCP, (80 << 16) | 80, 80, address(HOST), 1, address(more));
      for (const sourcePort of [4000 + 2 * i, 4001 + 2 * i])
        router.fromGateway(
          tcp({ source: STRANGER, destination: more }, { sourcePort, destinationPort: 80, flags: SYN }),
        );
    }
    router.fromHost(udp({ source: HOST, destination: STRANGER }, 7, 7));
    t.is(plane.masqueradeCount(), 5);
    plane.aliasRemove(0);
    for (let from = 1; from !== 0; ) from = plane.aliasEnd(address(MORE), ONE, from);
    t.is(plane.masqueradeCount(), 3);
    t.is(plane.masqueradeCheck(), 0);
    router.toWan();
    const back = { sourcePort: 80, destinationPort: 4002, flags: SYN | ACK, acknowledgment: 1 };
    router.fromHost(tcp({ source: HOST, destination: STRANGER }, back));
    t.like(only(router.toWan()), { source: '10.1.2.19' });
  });

  test.serial(`one to one: both ways, every port, pings and what has no ports (${name})`, t => {
    const router = oneToOne();
    t.deepEqual(asks(router, HOST_OUT), [`reply ${GATEWAY} from ${HOST_OUT} to ${GATEWAY_MAC}`]);
    // From outside.
    for (const port of [22, 80, 61000]) {
      const ports = { sourcePort: 4000, destinationPort: port, flags: SYN };
      router.fromGateway(tcp({ source: STRANGER, destination: HOST_OUT }, ports));
      t.like(only(router.toLan()), { source: STRANGER, destination: HOST, destinationPort: port });
      const back = { sourcePort: port, destinationPort: 4000, flags: SYN | ACK, acknowledgment: 1 };
      router.fromHost(tcp({ source: HOST, destination: STRANGER }, back));
      t.like(only(router.toWan()), { source: HOST_OUT, sourcePort: port, destination: STRANGER });
    }
    // From inside, by the port that it has, whoever else has that one.
    plane.forwardSet(17, (700 << 16) | 700, 700, address(OTHER), 1, 0);
    router.fromHost(udp({ source: HOST, destination: SERVER }, 700, 53));
    t.like(only(router.toWan()), { source: HOST_OUT, sourcePort: 700 });
    router.fromGateway(udp({ source: SERVER, destination: HOST_OUT }, 53, 700));
    t.like(only(router.toLan()), { destination: HOST, destinationPort: 700 });
    router.fromGateway(udp({ source: STRANGER, destination: HOST_OUT }, 53, 700));
    t.like(
      only(router.toLan()),
      { destination: HOST },
      'a forward of any address is not for one that is a host’s',
    );
    // Pings, both ways.
    router.fromGateway(echo({ source: STRANGER, destination: HOST_OUT }, 8, 77));
    t.like(only(router.toLan()), { source: STRANGER, destination: HOST });
    router.fromHost(echo({ source: HOST, destination: STRANGER }, 0, 77));
    t.like(only(router.toWan()), { source: HOST_OUT, destination: STRANGER });
    router.fromHost(echo({ source: HOST, destination: SERVER }, 8, 78));
    t.like(only(router.toWan()), { source: HOST_OUT });
    router.fromGateway(echo({ source: SERVER, destination: HOST_OUT }, 0, 78));
    t.like(only(router.toLan()), { destination: HOST });
    router.fromGateway(echo({ source: SERVER, destination: HOST_OUT }, 0, 79));
    t.deepEqual(router.toLan(), [], 'an answer that nobody asked for');
    // GRE, and an error about what the host has sent.
    router.fromGateway(ipv4({ source: STRANGER, destination: HOST_OUT }, 47, payload(8)));
    t.like(only(router.toLan()), { destination: HOST, protocol: 47 });
    const quoted = udp({ source: HOST_OUT, destination: SERVER }, 700, 53);
    router.fromGateway(icmpError({ source: SERVER, destination: HOST_OUT }, 3, 3, quoted));
    t.like(only(router.toLan()), { destination: HOST });
    // And one that the host itself sends, about what it was let have.
    router.fromGateway(udp({ source: STRANGER, destination: HOST_OUT }, 9, 701));
    const [had] = router.toLan() as [Uint8Array];
    router.fromHost(icmpError({ source: HOST, destination: STRANGER }, 3, 3, had));
    const told = only(router.toWan());
    t.like(told, { source: HOST_OUT, destination: STRANGER, type: 3 });
    t.like(read(told.data), { source: STRANGER, destination: HOST_OUT, destinationPort: 701 });
    // Who has no address of its own leaves by ours.
    router.put(
      LAN,
      frame(LAN_MAC, '02:00:00:00:00:99', udp({ source: '192.168.0.77', destination: SERVER }, 5, 53)),
    );
    t.like(only(router.toWan()), { source: WAN_ADDRESS });
    t.is(plane.masqueradeCheck(), 0);
    t.is(router.held(), 0);
  });

  test.serial(`one to one from inside: hosts reach each other by their outside addresses (${name})`, t => {
    const router = oneToOne();
    const open = { sourcePort: 4000, destinationPort: 80, flags: SYN };
    router.fromHost(tcp({ source: HOST, destination: OTHER_OUT }, open));
    t.like(only(router.toLan()), {
      source: HOST_OUT,
      destination: OTHER,
      sourcePort: 4000,
      destinationPort: 80,
    });
    const back = { sourcePort: 80, destinationPort: 4000, flags: SYN | ACK, acknowledgment: 1 };
    fromOther(router, tcp({ source: OTHER, destination: HOST_OUT }, back));
    t.like(only(router.toLan()), {
      source: OTHER_OUT,
      destination: HOST,
      sourcePort: 80,
      destinationPort: 4000,
    });
    router.fromHost(echo({ source: HOST, destination: OTHER_OUT }, 8, 5));
    t.like(only(router.toLan()), { source: HOST_OUT, destination: OTHER });
    fromOther(router, echo({ source: OTHER, destination: HOST_OUT }, 0, 5));
    t.like(only(router.toLan()), { source: OTHER_OUT, destination: HOST });
    t.is(plane.masqueradeCheck(), 0);
    t.is(router.held(), 0);
  });

  test.serial(`a link's own address and the gateway's are none, and a conflict is told (${name})`, t => {
    const router = startRouter(build);
    plane.aliasSet(address('10.1.2.0'), address('255.255.255.240'), address('192.168.0.0'), WAN);
    t.deepEqual(asks(router, GATEWAY, '10.1.2.20'), []);
    router.fromHost(udp({ source: '192.168.0.3', destination: SERVER }, 9, 53));
    router.taken(WAN);
    // 10.1.2.3 would be OTHER's, and is the router's own.
    fromOther(router, udp({ source: OTHER, destination: GATEWAY }, 9, 53));
    t.like(only(router.toWan()), { source: WAN_ADDRESS, destination: GATEWAY });
    router.fromHost(udp({ source: HOST, destination: SERVER }, 9, 53));
    t.like(only(router.toWan()), { source: '10.1.2.2' });
    const claim = {
      operation: ARP_REPLY,
      senderMac: '02:00:00:00:07:07',
      senderAddress: '10.1.2.5',
      targetAddress: '10.1.2.5',
    };
    router.put(WAN, arpFrame('ff:ff:ff:ff:ff:ff', claim));
    t.is(arpTexts(router.taken(WAN)).length, 1, 'we say that we are there');
    for (let n = 1; n < ALIAS_COUNT; n++) t.is(plane.aliasSet(address('10.9.0.1') + n, ONE, 0, WAN), 1);
    t.is(plane.aliasSet(address('10.9.1.1'), ONE, 0, WAN), 0);
    t.is(plane.masqueradeCheck(), 0);
  });
}
