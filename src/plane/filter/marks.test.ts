// Marks of packets and of flows, from the first packet of a flow on: in mangle's PREROUTING for nat's, and for the flow that it begins.

import test from 'ava';
import { address, echo, payload, RST, read, tcp, udp } from '../../../test/packets.ts';
import { HOST, OTHER, type Router, SERVER, startRouter, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { addRule, countsOf, type RuleFields, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_RULE } from '../../base/counters.ts';
import { put8, puti32, putu16 } from '../../base/memory.ts';
import * as R from '../../base/rule-record.ts';

const UDP = 17;
const PROXY = 3128;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const start = (): Router => {
    const router = startRouter(build);
    startRules(plane);
    return router;
  };
  const add = (chain: number, fields: RuleFields) => addRule(plane, chain, fields);
  const packets = (rule: number) => countsOf(plane, { rule })[0];
  const mark = (value: number) => ({
    kind: R.OPERATION_MARK_SET,
    write: (at: number) => {
      put8(at + 4, R.MARK_SET);
      puti32(at + 8, value);
      puti32(at + 12, -1);
    },
  });
  const asks = (kind: number, value: number) => ({
    kind,
    write: (at: number) => {
      puti32(at + 4, value);
      puti32(at + 8, -1);
    },
  });
  const to = (host: string, port: number) => ({
    kind: R.OPERATION_ADDRESSES,
    write: (at: number) => {
      put8(at + 4, R.ADDRESSES_ADDRESS | R.ADDRESSES_PORTS);
      for (const place of [8, 12]) puti32(at + place, address(host));
      for (const place of [16, 18]) putu16(at + place, port);
    },
  });
  const asked = (source: string, port: number) =>
    udp({ source, destination: SERVER }, 1043, port, payload(9));
  /** PREROUTING's rule that marks, and nat's that leads what it has marked to a host. */
  const marking = (kind: number, host: string): [number, number] => {
    const target = kind === R.OPERATION_MARK ? R.TARGET_MARK : R.TARGET_CONNMARK;
    const first = { protocol: UDP, ports: [53, 53] as [number, number] };
    const marks = add(R.CHAIN_MANGLE_PREROUTING, { ...first, target, operations: [mark(7)] });
    const operations = [asks(kind, 7), to(host, PROXY)];
    return [marks, add(R.CHAIN_NAT_PREROUTING, { target: R.TARGET_DNAT, operations })];
  };

  for (const kind of [R.OPERATION_MARK, R.OPERATION_CONNMARK]) {
    const what = kind === R.OPERATION_MARK ? 'a packet' : 'a flow';
    test.serial(
      `what mangle has marked of ${what} nat leads to a proxy, and each is asked once (${name})`,
      t => {
        const router = start();
        const [marks, leads] = marking(kind, OTHER);
        router.fromHost(asked(HOST, 53));
        t.is(read(router.toLan()[0] as Uint8Array).destinationPort, PROXY);
        router.fromHost(asked(HOST, 54));
        t.is(read(router.toWan()[0] as Uint8Array).destinationPort, 54);
        t.deepEqual([packets(marks), packets(leads)], [1, 1]);
        router.fromHost(asked(HOST, 53));
        t.deepEqual([packets(marks), packets(leads)], [2, 1]);
        t.is(plane.masqueradeCheck(), 0);
      },
    );

    test.serial(
      `the same of a stranger, and of a host that asks for the address outside: ${what} (${name})`,
      t => {
        const router = start();
        const [marks, leads] = marking(kind, OTHER);
        router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 4000, 53, payload(9)));
        t.is(read(router.toLan()[0] as Uint8Array).destinationPort, PROXY);
        t.deepEqual([packets(marks), packets(leads)], [1, 1]);
        router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1043, 53, payload(9)));
        t.is(read(router.toLan()[0] as Uint8Array).destinationPort, PROXY);
        t.deepEqual([packets(marks), packets(leads)], [2, 2]);
        t.is(plane.masqueradeCheck(), 0);
      },
    );
  }

  test.serial(`what mangle drops before the routing nat does not lead (${name})`, t => {
    const router = start();
    const drops = add(R.CHAIN_MANGLE_PREROUTING, { protocol: UDP, target: R.TARGET_DROP });
    const leads = add(R.CHAIN_NAT_PREROUTING, { target: R.TARGET_DNAT, operations: [to(OTHER, PROXY)] });
    router.fromHost(asked(HOST, 53));
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 4000, 53, payload(9)));
    router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1043, 53, payload(9)));
    t.is(router.toLan().length + router.toWan().length, 0);
    t.deepEqual([packets(drops), packets(leads), router.counter(DROP_RULE)], [3, 0, 3]);
    t.is(plane.masqueradeCount(), 0);
  });

  test.serial(`what begins no flow nat is not asked about (${name})`, t => {
    const router = start();
    const leads = add(R.CHAIN_NAT_PREROUTING, { target: R.TARGET_DNAT, operations: [to(OTHER, PROXY)] });
    const out = { source: HOST, destination: SERVER };
    router.fromHost(tcp(out, { sourcePort: 1043, destinationPort: 80, flags: RST }));
    router.fromHost(echo(out, 0, 5, 1, payload(9)));
    t.is(packets(leads), 0);
    t.is(router.toLan().length, 0);
  });

  test.serial(`a flow has the mark that rules give it by its first packet (${name})`, t => {
    const router = start();
    const set = { target: R.TARGET_CONNMARK, operations: [mark(5)] };
    add(R.CHAIN_MANGLE_PREROUTING, { ...set, states: R.STATE_BIT_NEW });
    add(R.CHAIN_MANGLE_OUTPUT, { ...set, states: R.STATE_BIT_NEW });
    const meets = (chain: number) => add(chain, { operations: [asks(R.OPERATION_CONNMARK, 5)] });
    const [through, here, ours] = [R.CHAIN_FORWARD, R.CHAIN_INPUT, R.CHAIN_MANGLE_POSTROUTING].map(meets);
    router.fromHost(asked(HOST, 53));
    const { sourcePort = 0 } = read(router.toWan()[0] as Uint8Array);
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, sourcePort, payload(9)));
    t.is(router.toLan().length, 1);
    t.is(packets(through as number), 2, 'its first packet, and the answer');
    router.fromHost(echo({ source: HOST, destination: '192.168.0.1' }, 8, 5, 1, payload(9)));
    t.is(router.toLan().length, 1);
    t.is(packets(here as number), 1);
    t.is(packets(ours as number), 3, 'and what answers it');
    t.is(plane.masqueradeCheck(), 0);
  });
}
