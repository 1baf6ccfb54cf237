// nat for the router's own packets: to whom they go, by which source, what comes back, and what is not asked.

import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import {
  ACK,
  address,
  echo,
  faults,
  frame,
  icmpError,
  payload,
  put16,
  put32,
  read,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
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
import { addRule, countsOf, NAME_LAN, NAME_WAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_NO_ROUTE, DROP_RULE } from '../../base/counters.ts';
import { put8, puti32, putu16 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';
import * as R from '../../base/rule-record.ts';
import { SOCKET_CLIENT, SOCKET_INSIDE } from '../../base/socket-record.ts';

const [ICMP, TCP, UDP] = [1, 6, 17];
/** Operations of a packet that begins a flow, as of others (src/plane/flow/flow-cost.test.ts). */
const NEW_FLOW = 3000;
const FURTHER = '198.51.100.7';
const ALIAS = '10.1.2.9';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;

  const start = (): Router => {
    const router = startRouter(build);
    startRules(plane);
    plane.socketOpen(UDP, 1043, SOCKET_CLIENT);
    plane.socketOpen(TCP, 1044, SOCKET_CLIENT);
    plane.tcpOpen(address(SERVER), (1044 << 16) | 80);
    plane.socketOpen(ICMP, 77, SOCKET_CLIENT);
    plane.socketOpen(UDP, 53, SOCKET_INSIDE);
    return router;
  };
  /** What control sends. */
  const send = (datagram: Uint8Array): number => {
    build.use();
    const packet = plane.allocateForControl();
    memory.set(datagram, packet + PACKET_IP);
    const ip = memory.subarray(packet + PACKET_IP);
    put16(ip, 4, 0);
    put32(ip, 12, 0);
    puti32(packet + PACKET_LENGTH, datagram.length);
    return plane.localSend(packet);
  };
  const ask = (port = 53, to = SERVER) =>
    send(udp({ source: '0.0.0.1', destination: to }, 1043, port, payload(10)));
  const ping = () => send(echo({ source: '0.0.0.1', destination: SERVER }, 8, 77, 1, payload(9)));
  const connect = () =>
    send(
      tcp({ source: '0.0.0.1', destination: SERVER }, { sourcePort: 1044, destinationPort: 80, flags: SYN }),
    );
  const addresses = (host: string, ports: [number, number] = [0, 0]) => ({
    kind: R.OPERATION_ADDRESSES,
    write: (at: number) => {
      put8(at + 4, (host !== '' ? R.ADDRESSES_ADDRESS : 0) | (ports[0] !== 0 ? R.ADDRESSES_PORTS : 0));
      if (host !== '') for (const place of [8, 12]) puti32(at + place, address(host));
      putu16(at + 16, ports[0]);
      putu16(at + 18, ports[1]);
    },
  });
  const leads = (protocol: number, host: string, port = 0) =>
    addRule(plane, R.CHAIN_NAT_OUTPUT, {
      protocol,
      target: R.TARGET_DNAT,
      operations: [addresses(host, [port, port])],
    });
  const sources = (host: string, ports?: [number, number]) =>
    addRule(plane, R.CHAIN_NAT_POSTROUTING, {
      target: R.TARGET_SNAT,
      operations: [addresses(host, ports)],
    });
  const ends = (datagram: Uint8Array | undefined) => {
    if (datagram === undefined) return 'nothing';
    const { source, destination, sourcePort, destinationPort, identifier, protocol } = read(datagram);
    const wrong = faults(datagram);
    if (protocol === ICMP) return `${source}>${destination} ${identifier}${wrong}`;
    return `${source}:${sourcePort}>${destination}:${destinationPort}${wrong}`;
  };
  const packets = (rule: number) => countsOf(plane, { rule })[0];

  test.serial(`OUTPUT leads what the router asks to another host, whose answers are heard (${name})`, t => {
    const router = start();
    const rule = leads(UDP, FURTHER, 5353);
    for (let i = 0; i < 3; i++) {
      t.is(ask(), 0);
      t.deepEqual(router.toWan().map(ends), [`${WAN_ADDRESS}:1043>${FURTHER}:5353`]);
      router.fromGateway(udp({ source: FURTHER, destination: WAN_ADDRESS }, 5353, 1043, payload(20)));
      t.is(ends(router.punted()), `${SERVER}:53>${WAN_ADDRESS}:1043`);
    }
    t.deepEqual([packets(rule), plane.masqueradeCount(), plane.masqueradeCheck()], [1, 1, 0]);
    t.is(router.held(), 0);
  });

  test.serial(
    `the same by its address outside of what it asks a host inside, with further addresses outside (${name})`,
    t => {
      const router = start();
      leads(UDP, FURTHER, 5353);
      sources(WAN_ADDRESS);
      for (const alias of ['', '10.1.2.34']) {
        if (alias !== '') plane.aliasSet(address(alias), -1, address(OTHER), WAN);
        t.is(ask(53, OTHER), 0);
        const [asked] = router.toWan();
        t.regex(ends(asked), /^10\.1\.2\.3:\d+>.*:5353$/);
        const port = read(asked as Uint8Array).sourcePort as number;
        router.fromGateway(udp({ source: FURTHER, destination: WAN_ADDRESS }, 5353, port, payload(20)));
        t.is(ends(router.punted()), `${OTHER}:53>${LAN_ADDRESS}:1043`, alias);
      }
      t.is(router.held(), 0);
    },
  );

  test.serial(`the same to a host inside, by the link that leads there (${name})`, t => {
    const router = start();
    leads(TCP, OTHER, 3128);
    const seen = addRule(plane, R.CHAIN_OUTPUT, {
      destination: `${OTHER}/32`,
      out: NAME_WAN,
      ports: [3128, 3128],
    });
    const heard = addRule(plane, R.CHAIN_INPUT, {
      source: `${OTHER}/32`,
      in: NAME_LAN,
      sourcePorts: [3128, 3128],
    });
    const late = addRule(plane, R.CHAIN_MANGLE_POSTROUTING, { destination: `${OTHER}/32`, out: NAME_LAN });
    t.is(connect(), 0);
    t.deepEqual(router.toLan().map(ends), [`${WAN_ADDRESS}:1044>${OTHER}:3128`]);
    router.put(
      LAN,
      frame(
        LAN_MAC,
        OTHER_MAC,
        tcp(
          { source: OTHER, destination: WAN_ADDRESS },
          { sourcePort: 3128, destinationPort: 1044, sequence: 5, acknowledgment: 1, flags: SYN | ACK },
        ),
      ),
    );
    t.is(ends(router.punted()), `${SERVER}:80>${WAN_ADDRESS}:1044`);
    t.deepEqual([packets(seen), packets(heard), packets(late)], [1, 1, 1]);
    t.deepEqual([router.toLan().length, router.toWan().length], [0, 0]);
  });

  test.serial(`POSTROUTING says by which source and port the router asks (${name})`, t => {
    const router = start();
    const rule = sources(WAN_ADDRESS, [6000, 6001]);
    t.is(ask(), 0);
    const [first] = router.toWan();
    t.regex(ends(first), /^10\.1\.2\.3:600[01]>204\.152\.184\.112:53$/);
    const port = read(first as Uint8Array).sourcePort as number;
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, port, payload(20)));
    t.is(ends(router.punted()), `${SERVER}:53>${WAN_ADDRESS}:1043`);
    // An error about it is heard as about what was asked.
    const error = icmpError({ source: SERVER, destination: WAN_ADDRESS }, 3, 3, first as Uint8Array);
    router.fromGateway(error);
    const told = router.punted();
    t.is(faults(told as Uint8Array), '');
    t.is(ends(read(told as Uint8Array).data), `${WAN_ADDRESS}:1043>${SERVER}:53`);
    t.is(packets(rule), 1);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `what a rule gives the source that it has stays as it is, and is counted once a flow (${name})`,
    t => {
      const router = start();
      const rule = addRule(plane, R.CHAIN_NAT_POSTROUTING, { out: NAME_WAN, target: R.TARGET_MASQUERADE });
      for (let i = 0; i < 3; i++) {
        t.deepEqual([ask(), ping()], [0, 0]);
        t.deepEqual(router.toWan().map(ends), [
          `${WAN_ADDRESS}:1043>${SERVER}:53`,
          `${WAN_ADDRESS}>${SERVER} 77`,
        ]);
        router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043, payload(20)));
        router.fromGateway(echo({ source: SERVER, destination: WAN_ADDRESS }, 0, 77, 1, payload(9)));
        t.is(ends(router.punted()), `${SERVER}:53>${WAN_ADDRESS}:1043`);
        t.is(ends(router.punted()), `${SERVER}>${WAN_ADDRESS} 77`);
      }
      t.is(packets(rule), 2);
    },
  );

  test.serial(`nat is not asked about answers of a server of the router’s (${name})`, t => {
    const router = start();
    const rule = sources(ALIAS);
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 4000, 53, payload(9)));
    t.truthy(router.punted());
    t.is(send(udp({ source: '0.0.0.1', destination: HOST }, 53, 4000, payload(9))), 0);
    router.fromHost(echo({ source: HOST, destination: LAN_ADDRESS }, 8, 5));
    router.fromHost(
      tcp({ source: HOST, destination: LAN_ADDRESS }, { sourcePort: 4, destinationPort: 9, flags: SYN }),
    );
    t.deepEqual(
      router.toLan().map(datagram => read(datagram).source),
      [LAN_ADDRESS, LAN_ADDRESS, LAN_ADDRESS],
    );
    t.is(packets(rule), 0);
  });

  test.serial(`a ping of the router’s is led elsewhere, and its answer known (${name})`, t => {
    const router = start();
    leads(ICMP, FURTHER);
    sources(ALIAS);
    for (let i = 0; i < 2; i++) {
      t.is(ping(), 0);
      t.deepEqual(router.toWan().map(ends), [`${ALIAS}>${FURTHER} 77`]);
    }
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `what filter refuses begins no flow, and what is led to the router itself goes nowhere (${name})`,
    t => {
      const router = start();
      const rule = leads(UDP, FURTHER);
      addRule(plane, R.CHAIN_OUTPUT, { destination: `${FURTHER}/32`, target: R.TARGET_DROP });
      for (let i = 0; i < 2; i++) t.is(ask(), DROP_RULE);
      t.deepEqual([packets(rule), plane.masqueradeCount()], [2, 0]);
      addRule(plane, R.CHAIN_NAT_OUTPUT, { protocol: TCP, target: R.TARGET_REDIRECT });
      t.is(connect(), DROP_NO_ROUTE);
      t.deepEqual([router.toWan().length, router.held()], [0, 0]);
    },
  );
}

test.serial('what rules of nat cost a packet of the router’s own is bounded', async t => {
  const build = await meteredBuild();
  const { plane, memory } = build;
  const router = startRouter(build);
  const cost = (port: number): number => {
    const datagram = udp({ source: WAN_ADDRESS, destination: SERVER }, port, 53, payload(10));
    const packet = plane.allocateForControl();
    memory.set(datagram, packet + PACKET_IP);
    puti32(packet + PACKET_LENGTH, datagram.length);
    const operations = build.operations(() => void plane.localSend(packet));
    router.toWan();
    return operations;
  };
  cost(4000);
  const plain = cost(4001);
  startRules(plane);
  addRule(plane, R.CHAIN_NAT_POSTROUTING, { out: NAME_LAN, target: R.TARGET_MASQUERADE });
  cost(4002);
  const asIs = cost(4003);
  addRule(plane, R.CHAIN_NAT_POSTROUTING, {
    out: NAME_WAN,
    target: R.TARGET_SNAT,
    operations: [
      {
        kind: R.OPERATION_ADDRESSES,
        write: at => {
          put8(at + 4, R.ADDRESSES_PORTS);
          putu16(at + 16, 6000);
          putu16(at + 18, 6999);
        },
      },
    ],
  });
  cost(4004);
  const first = cost(4005);
  const next = cost(4005);
  t.log(`without rules ${plain}; first as it is ${asIs}; first translated ${first}, next ${next}`);
  t.true(asIs < NEW_FLOW && first < NEW_FLOW && next < first);
});
