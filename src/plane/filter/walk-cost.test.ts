// What rules cost, in operations (test/metered.ts): one that does not apply, one that applies, operations, a thousand of them for a packet that begins a
// flow, and for one of a known flow.

import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import { payload, read, udp } from '../../../test/packets.ts';
import { HOST, type Router, SERVER, startRouter, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { addRule, NAME_WAN, type RuleFields, startRules } from '../../../test/rule-lab.ts';
import { DROP_RULE_LOOP } from '../../base/counters.ts';
import { put8, puti32 } from '../../base/memory.ts';
import { PORT_TRIES, RULE_COUNT, RULE_OPERATION_MOST } from '../../base/rule-limits.ts';
import {
  ADDRESSES_PORTS,
  CHAIN_FORWARD,
  CHAIN_NAT_POSTROUTING,
  LIMIT_COST,
  LIMIT_LEFT,
  LIMIT_MOST,
  LIMIT_REFILL,
  OPERATION_ADDRESSES,
  OPERATION_LIMIT,
  OPERATION_LOG,
  OPERATION_MULTIPORT,
  PORTS_EITHER,
  STATE_BIT_INVALID,
  TABLE_FILTER,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_JUMP,
  TARGET_LOG,
  TARGET_MASQUERADE,
} from '../../base/rule-record.ts';

/** A rule walked, in operations of WebAssembly, of which gcc makes some two thirds in instructions (docs/performance.md). */
const RULE = 60;
/** A packet of a known flow, from its interrupt on, and by how much rules may change that. */
const SAME = 0;

const build = await meteredBuild();
const { plane } = build;
const query = () => udp({ source: HOST, destination: SERVER }, 1043, 7000, payload(10));

/** A router with `rules` like these in front of one that accepts; ticks are over. */
function start(rules: number, fields: RuleFields | undefined): Router {
  const router = startRouter(build);
  startRules(plane);
  for (let i = 0; i < rules; i++) addRule(plane, CHAIN_FORWARD, fields ?? {});
  addRule(plane, CHAIN_FORWARD, { target: TARGET_ACCEPT });
  router.ticks(30);
  return router;
}

/** Operations of the first packet of a flow. */
function first(rules: number, fields?: RuleFields): number {
  const router = start(rules, fields);
  // The very first flow draws keys.
  router.fromHost(udp({ source: HOST, destination: SERVER }, 9, 9));
  return build.operations(() => router.fromHost(query()));
}

const KINDS: [string, RuleFields][] = [
  ['by its protocol', { protocol: 6, target: TARGET_DROP }],
  ['by the link it leaves by', { out: 1, target: TARGET_DROP }],
  ['by its source', { source: '10.0.0.0/8', target: TARGET_DROP }],
  [
    'by its destination',
    { out: NAME_WAN, source: '192.168.0.0/16', destination: '1.2.3.4/32', protocol: 17 },
  ],
  ['by a port', { out: NAME_WAN, source: '192.168.0.0/16', protocol: 17, ports: [53, 53] }],
  ['by its state', { protocol: 17, states: STATE_BIT_INVALID }],
];

for (const [why, fields] of KINDS) {
  test.serial(`a rule that refuses a packet ${why} costs at most ${RULE} operations`, t => {
    const each = (first(500, fields) - first(0)) / 500;
    t.log(`${each} operations`);
    t.true(each <= RULE, `${each}`);
    t.true(each >= 10);
  });
}

test.serial('a rule that applies, and goes on, costs no more than twice that', t => {
  const counted = (first(500) - first(0)) / 500;
  t.log(`${counted} operations`);
  t.true(counted <= 2 * RULE);
  const limited =
    (first(300, {
      target: TARGET_LOG,
      operations: [
        {
          kind: OPERATION_LIMIT,
          write: at => {
            for (const [field, value] of [
              [LIMIT_COST, 1],
              [LIMIT_MOST, 9],
              [LIMIT_LEFT, 9],
              [LIMIT_REFILL, 1],
            ] as const)
              puti32(at + field, value);
          },
        },
        { kind: OPERATION_LOG },
      ],
    }) -
      first(0)) /
    300;
  t.log(`${limited} operations with a limit, and logged`);
  t.true(limited <= 5 * RULE);
});

test.serial('a packet of a known flow costs the same with a thousand rules as with none', t => {
  const known = (rules: number): number => {
    const router = start(rules, { protocol: 6, target: TARGET_DROP });
    router.fromHost(query());
    const port = read(router.toWan()[0] as Uint8Array).sourcePort;
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 7000, port));
    router.fromHost(query());
    router.fromHost(query());
    router.toWan();
    return build.operations(() => router.fromHost(query()));
  };
  const none = known(0);
  const thousand = known(RULE_COUNT - 1);
  t.log(`${none} operations, ${thousand} with ${RULE_COUNT - 1} rules`);
  t.is(thousand - none, SAME);
});

test.serial('a walk that comes to its limit ends, and the packet is dropped', t => {
  const router = start(0, undefined);
  const chain = plane.chainNew(TABLE_FILTER);
  for (let i = 0; i < 500; i++) addRule(plane, chain, { protocol: 6, target: TARGET_DROP });
  plane.chainFlush(CHAIN_FORWARD);
  router.ticks(30);
  for (let i = 0; i < 500; i++) addRule(plane, CHAIN_FORWARD, { target: TARGET_JUMP, argument: chain });
  const cost = build.operations(() => router.fromHost(query()));
  t.log(`${cost} operations`);
  t.true(cost < 150_000);
  t.is(router.toWan().length, 0);
});

/** One that lists so many ports, none of which is the packet's. */
const listed = (entries: number) => ({
  kind: OPERATION_MULTIPORT,
  not: true,
  write: (at: number) => {
    put8(at + 4, PORTS_EITHER);
    put8(at + 5, entries);
  },
});

test.serial(
  'as many rules as there are, each with the dearest list of ports, cost what they cost together',
  t => {
    const rules = RULE_COUNT - 1;
    const cost = first(rules, { target: TARGET_DROP, operations: [{ ...listed(15), not: false }] });
    t.log(`${cost} operations, ${cost / rules} a rule`);
    t.true(cost < 400 * RULE_COUNT, `${cost}`);
  },
);

test.serial('operations that many jumps lead to are asked up to a limit, and the packet is dropped', t => {
  const router = start(0, undefined);
  const chain = plane.chainNew(TABLE_FILTER);
  plane.chainFlush(CHAIN_FORWARD);
  router.ticks(30);
  const operations = Array.from({ length: RULE_OPERATION_MOST }, () => listed(15));
  for (let i = 0; i < 20; i++) addRule(plane, chain, { operations });
  for (let i = 0; i < 90; i++) addRule(plane, CHAIN_FORWARD, { target: TARGET_JUMP, argument: chain });
  addRule(plane, CHAIN_FORWARD, { target: TARGET_ACCEPT });
  const cost = build.operations(() => router.fromHost(query()));
  t.log(`${cost} operations`);
  t.true(cost < 800_000, `${cost}`);
  t.is(router.toWan().length, 0);
  t.is(router.counter(DROP_RULE_LOOP), 1);
});

test.serial('a flow for which a range of ports has none left is refused at a bounded cost', t => {
  const router = startRouter(build);
  startRules(plane);
  const last = 5000 + PORT_TRIES - 1;
  const operations = [
    {
      kind: OPERATION_ADDRESSES,
      write: (at: number) => {
        put8(at + 4, ADDRESSES_PORTS);
        puti32(at + 16, 5000 | (last << 16));
      },
    },
  ];
  addRule(plane, CHAIN_NAT_POSTROUTING, { target: TARGET_MASQUERADE, operations });
  router.ticks(30);
  const ask = (port: number) => router.fromHost(udp({ source: HOST, destination: SERVER }, port, 7000));
  for (let port = 5000; port <= last; port++) ask(port);
  router.toWan();
  const cost = build.operations(() => ask(1043));
  t.log(`${cost} operations, and the error`);
  t.true(cost < 14_000, `${cost}`);
  t.is(router.toWan().length, 0);
});
