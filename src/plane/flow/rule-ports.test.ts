// Ports that rules say: of the source by which a flow leaves, and of the destination to which it is led.

import test from 'ava';
import { address, echo, payload, read, udp } from '../../../test/packets.ts';
import { HOST, OTHER, type Router, SERVER, startRouter, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { addRule, countsOf, NAME_LAN, NAME_WAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_NO_PORT, DROP_UNSOLICITED } from '../../base/counters.ts';
import { put8, puti32, putu16 } from '../../base/memory.ts';
import * as R from '../../base/rule-record.ts';

const SERVER_2 = '198.51.100.7';
const UDP = 17;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  /** What a target says: its flags, first and last port, and where a shifted range begins; an address, if any. */
  const ports = (flags: number, [first, last]: [number, number] = [0, 0], base = 0, to = '') => ({
    kind: R.OPERATION_ADDRESSES,
    write: (at: number) => {
      put8(at + 4, flags);
      if (to !== '') for (const place of [8, 12]) puti32(at + place, address(to));
      putu16(at + 16, first);
      putu16(at + 18, last);
      putu16(at + 20, base);
    },
  });
  const masquerading = (...said: Parameters<typeof ports>): Router => {
    const router = startRouter(build);
    startRules(plane);
    const target = R.TARGET_MASQUERADE;
    addRule(plane, R.CHAIN_NAT_POSTROUTING, { out: NAME_WAN, target, operations: [ports(...said)] });
    return router;
  };
  const query = (router: Router, source: string, port: number, destination = SERVER) => {
    router.fromHost(udp({ source, destination }, port, 53, payload(9)));
    return router.toWan().map(datagram => read(datagram).sourcePort as number)[0] ?? 0;
  };
  const answered = (router: Router, to: number, source = SERVER) => {
    router.fromGateway(udp({ source, destination: WAN_ADDRESS }, 53, to, payload(9)));
    return router.toLan().map(datagram => `${read(datagram).destination}:${read(datagram).destinationPort}`);
  };
  const { ADDRESSES_PORTS, ADDRESSES_RANDOM, ADDRESSES_FULLY_RANDOM } = R;

  test.serial(`a mapping keeps a port of the range, or takes a free one of it (${name})`, t => {
    const router = masquerading(ADDRESSES_PORTS, [5000, 5009]);
    t.is(query(router, HOST, 5003), 5003);
    const taken = query(router, HOST, 1043);
    t.true(taken >= 5000 && taken <= 5009 && taken !== 5003);
    t.is(query(router, HOST, 1043, SERVER_2), taken, 'one mapping has one port');
    t.deepEqual(answered(router, taken), [`${HOST}:1043`]);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `a range that is used up is shared by remote endpoint, and then refuses and counts (${name})`,
    t => {
      const router = masquerading(ADDRESSES_PORTS, [5000, 5001]);
      const snat = { states: R.STATE_BIT_SNAT, in: NAME_LAN };
      const isSource = addRule(plane, R.CHAIN_FORWARD, snat);
      const taken = [query(router, HOST, 5001), query(router, HOST, 1044)];
      t.deepEqual(taken, [5001, 5000]);
      t.is(query(router, OTHER, 5001), 0);
      t.is(router.counter(DROP_NO_PORT), 1);
      t.is(router.toLan().length, 1, 'which it is told');
      t.is(query(router, OTHER, 5001, SERVER_2), 5001, 'its own, as another server tells the two apart');
      t.is(query(router, OTHER, 5001, SERVER_2), 5001);
      t.deepEqual(countsOf(plane, { rule: isSource }), [1, 37]);
      t.deepEqual(answered(router, 5001), [`${HOST}:5001`]);
      t.deepEqual(answered(router, 5001, SERVER_2), [`${OTHER}:5001`]);
      t.deepEqual(answered(router, 5000), [`${HOST}:1044`]);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(`with --random a mapping's port is drawn (${name})`, t => {
    for (const flag of [ADDRESSES_RANDOM, ADDRESSES_FULLY_RANDOM]) {
      const router = masquerading(flag);
      const drawn = [3000, 3001, 3002, 3003].map(port => query(router, HOST, port));
      t.true(drawn.every((port, i) => port >= 1024 && port !== 3000 + i));
      t.is(query(router, HOST, 3000, SERVER_2), drawn[0] as number);
      const low = query(router, HOST, 700);
      t.true(low >= 600 && low < 1024);
      t.is(plane.masqueradeCheck(), 0);
    }
  });

  test.serial(`a range is one of identifiers to pings (${name})`, t => {
    const router = masquerading(ADDRESSES_PORTS, [5000, 5001]);
    const ping = (source: string, identifier: number) => {
      router.fromHost(echo({ source, destination: SERVER }, 8, identifier));
      return router.toWan().map(datagram => read(datagram).identifier as number);
    };
    t.deepEqual(
      [ping(HOST, 5000), ping(OTHER, 5000), ping(OTHER, 5000), ping(HOST, 7)],
      [[5000], [5001], [5001], []],
    );
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `a range of destinations: the port itself, the first, one as far behind, or one that is free (${name})`,
    t => {
      const led = (said: number, range: [number, number], base: number, sent: readonly number[]) => {
        const router = startRouter(build);
        startRules(plane);
        const operations = [ports(R.ADDRESSES_ADDRESS | ADDRESSES_PORTS | said, range, base, HOST)];
        addRule(plane, R.CHAIN_NAT_PREROUTING, { protocol: UDP, target: R.TARGET_DNAT, operations });
        const came = sent.flatMap(port => {
          router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 4000, port, payload(9)));
          return router.toLan().map(datagram => read(datagram).destinationPort as number);
        });
        t.is(plane.masqueradeCheck(), 0);
        return { came, refused: router.counter(DROP_UNSOLICITED) };
      };
      t.deepEqual(led(0, [8000, 8002], 0, [8001, 9000, 9001, 9002, 9003]), {
        came: [8001, 8000, 8002],
        refused: 2,
      });
      t.deepEqual(
        led(R.ADDRESSES_SHIFTED, [8000, 8010], 9000, [9000, 9004, 9010, 9011]).came,
        [8000, 8004, 8010, 8001],
      );
      const { came } = led(ADDRESSES_RANDOM, [8000, 8002], 0, [8000, 8001, 8002]);
      t.deepEqual([...came].sort(), [8000, 8001, 8002]);
    },
  );
}
