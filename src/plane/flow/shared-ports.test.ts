// Ports and endpoints that several flows have by rules: what outlives its rule, what has no ports, and what a rule leaves for the next packet.

import test from 'ava';
import { address, echo, frame, ipv4, payload, read, udp } from '../../../test/packets.ts';
import * as T from '../../../test/plane-router.ts';
import { addRule, NAME_LAN, NAME_WAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import * as R from '../../base/rule-record.ts';
import { NAT_SOURCE_AT, OPERATIONS_LEFT_AT } from '../../base/rule-state.ts';

const SERVER_2 = '198.51.100.7';
const ALIAS = '10.1.2.18';
const GRE = 47;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name, memory } = build;
  const view = () => new DataView(memory.buffer, memory.byteOffset);
  const put32 = (at: number, value: number): void => view().setInt32(at, value, true);
  const word = (at: number): number => view().getInt32(at, true);

  const addresses = (flags: number, [first, last]: readonly number[] = [0, 0], to = '') => ({
    kind: R.OPERATION_ADDRESSES,
    write: (at: number) => {
      memory[at + 4] = flags;
      if (to !== '') for (const place of [8, 12]) put32(at + place, address(to));
      view().setUint16(at + 16, first as number, true);
      view().setUint16(at + 18, last as number, true);
    },
  });
  const start = (): T.Router => {
    const router = T.startRouter(build);
    startRules(plane);
    return router;
  };
  const fromOther = (router: T.Router, datagram: Uint8Array): void =>
    router.put(T.LAN, frame(T.LAN_MAC, T.OTHER_MAC, datagram));
  const ends = (datagrams: Uint8Array[]): string[] =>
    datagrams.map(datagram => {
      const { source, sourcePort, destination, destinationPort } = read(datagram);
      return `${source}:${sourcePort} ${destination}:${destinationPort}`;
    });

  test.serial(`a shared port that outlives its rule is given to nobody else beside it (${name})`, t => {
    const router = start();
    const operations = [addresses(R.ADDRESSES_PORTS, [5000, 5000])];
    addRule(plane, R.CHAIN_NAT_POSTROUTING, { out: NAME_WAN, target: R.TARGET_MASQUERADE, operations });
    const ask = (): void =>
      router.fromHost(udp({ source: T.HOST, destination: T.SERVER }, 2222, 53, payload(9)));
    fromOther(router, udp({ source: T.OTHER, destination: SERVER_2 }, 1111, 53, payload(9)));
    ask();
    t.deepEqual(ends(router.toWan()), [
      `${T.WAN_ADDRESS}:5000 ${SERVER_2}:53`,
      `${T.WAN_ADDRESS}:5000 ${T.SERVER}:53`,
    ]);
    // The first ends, and the second goes on without the rule.
    for (let i = 0; i < 40; i++) {
      router.ticks(1000);
      T.introduce(router, T.LAN, T.HOST_MAC, T.HOST, T.LAN_ADDRESS);
      T.introduce(router, T.LAN, T.OTHER_MAC, T.OTHER, T.LAN_ADDRESS);
      T.introduce(router, T.WAN, T.GATEWAY_MAC, T.GATEWAY, T.WAN_ADDRESS);
      ask();
      router.toWan();
      router.fromGateway(udp({ source: T.SERVER, destination: T.WAN_ADDRESS }, 53, 5000, payload(3)));
      router.toLan();
    }
    t.is(plane.masqueradeCount(), 1);
    plane.ruleDelete(R.CHAIN_NAT_POSTROUTING, 0);
    router.ticks(200);
    plane.rulesEnd();
    fromOther(router, udp({ source: T.OTHER, destination: T.SERVER }, 5000, 53, payload(9)));
    t.notDeepEqual(ends(router.toWan()), [`${T.WAN_ADDRESS}:5000 ${T.SERVER}:53`]);
    router.fromGateway(udp({ source: T.SERVER, destination: T.WAN_ADDRESS }, 53, 5000, payload(3)));
    t.deepEqual(ends(router.toLan()), [`${T.SERVER}:53 ${T.HOST}:2222`]);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(`no two hosts share an identifier, by which the outside could ask one of them (${name})`, t => {
    const router = start();
    plane.aliasSet(address(ALIAS), -1, 0, T.WAN);
    router.taken(T.WAN);
    const said = R.ADDRESSES_ADDRESS | R.ADDRESSES_PORTS;
    addRule(plane, R.CHAIN_NAT_POSTROUTING, {
      out: NAME_WAN,
      protocol: 1,
      target: R.TARGET_SNAT,
      operations: [addresses(said, [0, 65535], ALIAS)],
    });
    fromOther(router, echo({ source: T.OTHER, destination: SERVER_2 }, 8, 7));
    router.fromHost(echo({ source: T.HOST, destination: T.SERVER }, 8, 7));
    const [first, second] = router.toWan().map(datagram => read(datagram).identifier as number);
    t.is(first, 7);
    t.not(second, 7);
    router.fromGateway(echo({ source: T.SERVER, destination: ALIAS }, 0, second as number));
    t.is(router.toLan().length, 1);
    for (const identifier of [7, second as number])
      router.fromGateway(echo({ source: T.SERVER, destination: ALIAS }, 8, identifier));
    t.is(router.toLan().length, 0);
  });

  test.serial(`a protocol without ports gets none by a rule, and its answers come back (${name})`, t => {
    for (const flags of [R.ADDRESSES_RANDOM, 0]) {
      const router = start();
      addRule(plane, R.CHAIN_NAT_PREROUTING, {
        target: R.TARGET_DNAT,
        in: NAME_WAN,
        operations: [addresses(R.ADDRESSES_ADDRESS, [0, 0], T.HOST)],
      });
      addRule(plane, R.CHAIN_NAT_POSTROUTING, {
        out: NAME_LAN,
        target: R.TARGET_MASQUERADE,
        operations: flags === 0 ? [] : [addresses(flags)],
      });
      const from = (source: string): void =>
        router.fromGateway(ipv4({ source, destination: T.WAN_ADDRESS }, GRE, payload(8)));
      from(T.SERVER);
      t.is(router.toLan().length, 1);
      from(SERVER_2);
      t.is(router.toLan().length, 0, 'their answers could not be told apart');
      router.fromHost(ipv4({ source: T.HOST, destination: T.LAN_ADDRESS }, GRE, payload(8)));
      t.deepEqual(
        router.toWan().map(datagram => read(datagram).destination),
        [T.SERVER],
      );
      t.is(plane.masqueradeCheck(), 0);
    }
  });

  test.serial(`what a rule says of a source holds for its packet alone (${name})`, t => {
    const router = start();
    const said = R.ADDRESSES_ADDRESS | R.ADDRESSES_PORTS;
    addRule(plane, R.CHAIN_NAT_POSTROUTING, {
      out: NAME_WAN,
      protocol: 17,
      target: R.TARGET_SNAT,
      operations: [addresses(said, [5000, 5009], '0.0.0.0')],
    });
    plane.forwardSet(17, (80 << 16) | 80, 80, address(T.OTHER), 1, 0);
    router.fromHost(udp({ source: T.HOST, destination: T.SERVER }, 1111, 53, payload(9)));
    t.deepEqual(ends(router.toWan()), [`${T.HOST}:1111 ${T.SERVER}:53`], 'to 0.0.0.0: as it is');
    t.is(word(NAT_SOURCE_AT), 0);
    router.fromHost(udp({ source: T.HOST, destination: T.WAN_ADDRESS }, 1111, 80, payload(9)));
    t.deepEqual(ends(router.toLan()), [`${T.WAN_ADDRESS}:1111 ${T.OTHER}:80`]);

    const other = start();
    addRule(plane, R.CHAIN_NAT_PREROUTING, {
      target: R.TARGET_DNAT,
      protocol: 17,
      operations: [addresses(R.ADDRESSES_ADDRESS, [0, 0], T.HOST)],
    });
    const operations = [addresses(R.ADDRESSES_RANDOM)];
    addRule(plane, R.CHAIN_NAT_POSTROUTING, { target: R.TARGET_MASQUERADE, operations });
    // The LAN has no address, so that there is none to give.
    plane.configureInterface(T.LAN, 0, 0, 0, 1500);
    plane.interfacesChanged();
    plane.routeRemove(0, 0);
    other.fromGateway(udp({ source: T.GATEWAY, destination: T.WAN_ADDRESS }, 4000, 8080, payload(9)));
    t.is(word(NAT_SOURCE_AT), 0);
  });

  test.serial(`connlimit counts for the flows it has looked at, however it ends (${name})`, t => {
    const left = (most: number): number => {
      const router = start();
      for (let i = 0; i < 2000; i++) {
        fromOther(router, udp({ source: T.OTHER, destination: T.SERVER }, 1024 + i, 53));
        if ((i & 63) === 63) router.taken(T.WAN);
      }
      for (let i = 0; i < 3; i++)
        router.fromHost(udp({ source: T.HOST, destination: T.SERVER }, 7000 + i, 53));
      router.taken(T.WAN);
      const write = (at: number): void => {
        memory[at + 4] = R.CONNLIMIT_ABOVE;
        put32(at + 8, most);
        put32(at + 12, -1);
      };
      for (let i = 0; i < 10; i++) {
        const operations = [{ kind: R.OPERATION_CONNLIMIT, write }];
        addRule(plane, R.CHAIN_FORWARD, { target: R.TARGET_NONE, operations });
      }
      router.fromHost(udp({ source: T.HOST, destination: T.SERVER }, 9000, 53));
      return word(OPERATIONS_LEFT_AT);
    };
    // The host's own flows lie at the end, so both look at nearly all.
    const [all, some] = [left(100), left(2)];
    t.true(Math.abs(all - some) < 30, `${all} and ${some} are left`);
  });
}
