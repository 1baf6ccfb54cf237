// What a stranger begins by a rule of PREROUTING, and to which one of POSTROUTING gives another source: both addresses are changed.

import test from 'ava';
import { ACK, address, faults, icmpError, payload, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  HOST,
  LAN_ADDRESS,
  type Router,
  SERVER,
  startRouter,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { addRule, countsOf, NAME_LAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { E_IN_ROUTE, E_OUT_ROUTE, entryAt } from '../../base/flow-record.ts';
import { i32at, put8, puti32, putu16 } from '../../base/memory.ts';
import * as R from '../../base/rule-record.ts';

const SERVER_2 = '198.51.100.7';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const to = (host: string, first = 0, last = first) => ({
    kind: R.OPERATION_ADDRESSES,
    write: (at: number) => {
      put8(at + 4, (host !== '' ? R.ADDRESSES_ADDRESS : 0) | (first !== 0 ? R.ADDRESSES_PORTS : 0));
      if (host !== '') for (const place of [8, 12]) puti32(at + place, address(host));
      putu16(at + 16, first);
      putu16(at + 18, last);
    },
  });
  const start = (target: number, operations: ReturnType<typeof to>[]): [Router, number] => {
    const router = startRouter(build);
    startRules(plane);
    addRule(plane, R.CHAIN_NAT_PREROUTING, { target: R.TARGET_DNAT, operations: [to(HOST, 80)] });
    return [router, addRule(plane, R.CHAIN_NAT_POSTROUTING, { out: NAME_LAN, target, operations })];
  };
  const said = (datagrams: Uint8Array[]) =>
    datagrams.map(datagram => {
      const { source, sourcePort, destination, destinationPort } = read(datagram);
      return `${source}:${sourcePort}>${destination}:${destinationPort}${faults(datagram)}`;
    });
  const asked = (router: Router, source = SERVER, port = 4000) => {
    router.fromGateway(udp({ source, destination: WAN_ADDRESS }, port, 8080, payload(9)));
    return said(router.toLan());
  };
  const answer = (router: Router, source: string, port: number) => {
    router.fromHost(udp({ source: HOST, destination: source }, 80, port, payload(9)));
    return said(router.toWan());
  };

  test.serial(`the host sees the router's address, and the stranger the one that he asked (${name})`, t => {
    const [router, rule] = start(R.TARGET_MASQUERADE, []);
    router.ticks(2);
    for (let i = 0; i < 3; i++) {
      t.deepEqual(asked(router), [`${LAN_ADDRESS}:4000>${HOST}:80`]);
      t.deepEqual(answer(router, LAN_ADDRESS, 4000), [`${WAN_ADDRESS}:8080>${SERVER}:4000`]);
    }
    t.deepEqual(asked(router, SERVER_2)[0]?.replace(/:\d+>/, '>'), `${LAN_ADDRESS}>${HOST}:80`);
    t.not(asked(router, SERVER_2)[0], `${LAN_ADDRESS}:4000>${HOST}:80`);
    t.is(countsOf(plane, { rule })[0], 2, 'asked once about each flow');
    t.not(i32at(entryAt(1) + E_OUT_ROUTE), 0);
    t.not(i32at(entryAt(1) + E_IN_ROUTE), 0);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`its source may be any address and a port of a range, and errors find back (${name})`, t => {
    const [router] = start(R.TARGET_SNAT, [to('172.16.0.9', 600, 601)]);
    const [there = ''] = asked(router);
    t.regex(there, /^172\.16\.0\.9:60[01]>192\.168\.0\.2:80$/);
    const port = Number(there.slice(11, 14));
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 4000, 8080, payload(9)));
    const quoted = router.toLan()[0] as Uint8Array;
    router.fromHost(icmpError({ source: HOST, destination: '172.16.0.9' }, 3, 3, quoted));
    const error = router.toWan()[0] as Uint8Array;
    t.is(faults(error), '');
    t.is(read(error).source, WAN_ADDRESS);
    t.is(read(error).destination, SERVER);
    const about = read(read(error).data);
    t.deepEqual([about.source, about.destination, about.destinationPort], [SERVER, WAN_ADDRESS, 8080]);
    t.deepEqual(answer(router, '172.16.0.9', port), [`${WAN_ADDRESS}:8080>${SERVER}:4000`]);
    t.is(asked(router, SERVER_2).length, 1);
    t.is(asked(router, SERVER_2, 4001).length, 0, 'the range is used up');
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`a connection is followed on both sides, and a rule sees both translations (${name})`, t => {
    const [router] = start(R.TARGET_MASQUERADE, []);
    const both = addRule(plane, R.CHAIN_FORWARD, { states: R.STATE_BIT_SNAT });
    const sent = { sourcePort: 4000, destinationPort: 8080 };
    const back = { sourcePort: 80, destinationPort: 4000 };
    const out = { source: SERVER, destination: WAN_ADDRESS };
    router.fromGateway(tcp(out, { ...sent, flags: SYN, sequence: 10 }));
    router.fromHost(
      tcp(
        { source: HOST, destination: LAN_ADDRESS },
        { ...back, flags: SYN | ACK, sequence: 20, acknowledgment: 11 },
      ),
    );
    router.fromGateway(tcp(out, { ...sent, flags: ACK, sequence: 11, acknowledgment: 21 }));
    t.deepEqual(said(router.toLan()), Array(2).fill(`${LAN_ADDRESS}:4000>${HOST}:80`));
    t.deepEqual(said(router.toWan()), [`${WAN_ADDRESS}:8080>${SERVER}:4000`]);
    t.is(countsOf(plane, { rule: both })[0], 2, 'all but the first, which had not left yet');
    t.is(plane.masqueradeCheck(), 0);
  });
}
