// A property: whatever rules there are, what becomes of each packet and what every rule has counted is as in a plain walk, written here a second
// time from the words of Linux's manual, which asks all rules for every packet and keeps no paths.

import test from 'ava';
import fc from 'fast-check';
import { frame, payload, read, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  LAN,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import {
  addRule,
  countsOf,
  NAME_BOTH,
  NAME_LAN,
  NAME_WAN,
  type RuleFields,
  startRules,
} from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import * as R from '../../base/rule-record.ts';

const SERVERS = [SERVER, '198.51.100.7'];
const HOSTS = [HOST, OTHER];
const PORTS = [53, 80, 7000];
const CHAINS = 3;

/** A packet of inside host `host` and port 1000 + `port` with a server's port, or, back, its answer. */
interface Sent {
  host: number;
  port: number;
  server: number;
  remote: number;
  isAnswer: boolean;
  bytes: number;
}

/** A rule of chain number `chain`: 0 is FORWARD, the others are users'. */
interface Given {
  chain: number;
  fields: RuleFields;
  /** Of a jump: how many chains further. */
  jump: number;
}

const prefixes = [
  '192.168.0.0/24',
  `${HOST}/32`,
  '204.0.0.0/8',
  '198.51.100.0/25',
  '0.0.0.0/0',
  '10.0.0.0/8',
];
const prefix = fc.option(
  fc.tuple(fc.boolean(), fc.constantFrom(...prefixes)).map(([isNot, text]) => (isNot ? `!${text}` : text)),
  { nil: undefined },
);
const range = fc.option(
  fc
    .tuple(fc.nat(65535), fc.constantFrom(...PORTS, 1000, 1001))
    .map(([other, port]): [number, number] =>
      other % 3 === 0 ? [port, port] : other < port ? [other, port] : [port, other],
    ),
  { nil: undefined },
);
const flagged = fc
  .subarray(
    [
      R.RULE_NOT_IN,
      R.RULE_NOT_OUT,
      R.RULE_NOT_PROTOCOL,
      R.RULE_NOT_SOURCE_PORTS,
      R.RULE_NOT_DESTINATION_PORTS,
      R.RULE_NOT_STATE,
    ],
    { maxLength: 2 },
  )
  .map(flags => flags.reduce((all, flag) => all | flag, 0));
const rules = fc.array(
  fc.record({
    chain: fc.nat(CHAINS - 1),
    jump: fc.integer({ min: 1, max: CHAINS - 1 }),
    fields: fc.record({
      source: prefix,
      destination: prefix,
      in: fc.constantFrom(0, 0, NAME_LAN, NAME_WAN, NAME_BOTH),
      out: fc.constantFrom(0, 0, NAME_LAN, NAME_WAN, NAME_BOTH),
      protocol: fc.constantFrom(0, 17, 17, 6),
      sourcePorts: range,
      ports: range,
      states: fc.option(fc.constantFrom(R.STATE_BIT_NEW, R.STATE_BIT_ESTABLISHED, R.STATE_BIT_INVALID, 10), {
        nil: undefined,
      }),
      flags: flagged,
      target: fc.constantFrom(
        R.TARGET_NONE,
        R.TARGET_NONE,
        R.TARGET_ACCEPT,
        R.TARGET_DROP,
        R.TARGET_RETURN,
        R.TARGET_JUMP,
        R.TARGET_GOTO,
      ),
    }),
  }),
  { maxLength: 12 },
);
const traffic = fc.array(
  fc.record({
    host: fc.nat(1),
    port: fc.nat(1),
    server: fc.nat(1),
    remote: fc.nat(2),
    isAnswer: fc.boolean(),
    bytes: fc.integer({ min: 8, max: 60 }),
  }),
  { minLength: 1, maxLength: 50 },
);

const number = (text: string): number => text.split('.').reduce((all, part) => all * 256 + Number(part), 0);

/** Whether an address is in `[!]network/bits`. */
function isIn(address: string, text: string | undefined): boolean {
  if (text === undefined) return true;
  const isNot = text.startsWith('!');
  const [network = '', bits] = text.slice(isNot ? 1 : 0).split('/');
  const size = 2 ** (32 - Number(bits));
  return (Math.floor(number(address) / size) === Math.floor(number(network) / size)) !== isNot;
}

interface View {
  source: string;
  destination: string;
  sourcePort: number;
  port: number;
  in: number;
  out: number;
  state: number;
}

/** The plain walk: chains as lists, each rule's and policy's counts beside it. */
class Model {
  readonly chains: { given: Given; counts: [number, number] }[][] = [[], [], []];
  readonly policy: [number, number] = [0, 0];

  constructor(
    given: readonly Given[],
    private readonly accepts: boolean,
  ) {
    for (const one of given) this.chains[one.chain]?.push({ given: one, counts: [0, 0] });
  }

  private applies({ fields, fields: { flags = 0 } }: Given, view: View): boolean {
    const named = (name: number | undefined, link: number, not: number) =>
      !name || (name === NAME_BOTH || name === link) !== ((flags & not) !== 0);
    if (fields.protocol && (fields.protocol === 17) === ((flags & R.RULE_NOT_PROTOCOL) !== 0)) return false;
    if (!named(fields.in, view.in, R.RULE_NOT_IN) || !named(fields.out, view.out, R.RULE_NOT_OUT))
      return false;
    if (!isIn(view.source, fields.source) || !isIn(view.destination, fields.destination)) return false;
    if (fields.ports !== undefined || fields.sourcePorts !== undefined) {
      const within = ([first, last]: [number, number], port: number, not: number) =>
        (port >= first && port <= last) !== ((flags & not) !== 0);
      if (!within(fields.sourcePorts ?? [0, 65535], view.sourcePort, R.RULE_NOT_SOURCE_PORTS)) return false;
      if (!within(fields.ports ?? [0, 65535], view.port, R.RULE_NOT_DESTINATION_PORTS)) return false;
    }
    if (fields.states === undefined) return true;
    return ((fields.states & view.state) !== 0) !== ((flags & R.RULE_NOT_STATE) !== 0);
  }

  /** Whether a packet passes. */
  asks(view: View, bytes: number): boolean {
    const count = (counts: [number, number]) => {
      counts[0]++;
      counts[1] += bytes;
    };
    const walk = (chain: number): boolean | undefined => {
      for (const { given, counts } of this.chains[chain] ?? []) {
        if (!this.applies(given, view)) continue;
        count(counts);
        const { target } = given.fields;
        if (target === R.TARGET_ACCEPT) return true;
        if (target === R.TARGET_DROP) return false;
        if (target === R.TARGET_RETURN) return undefined;
        if (target === R.TARGET_JUMP || target === R.TARGET_GOTO) {
          const answer = walk(chain + given.jump);
          if (answer !== undefined || target === R.TARGET_GOTO) return answer;
        }
      }
      return undefined;
    };
    const answer = walk(0);
    if (answer !== undefined) return answer;
    count(this.policy);
    return this.accepts;
  }
}

/** What has been sent, and what the model says of it. */
class Traffic {
  private readonly flows = new Map<string, { outside: number; isHeard: boolean }>();

  constructor(
    private readonly router: Router,
    private readonly model: Model,
  ) {}

  /** Sends a packet: whether it passed, and whether the model lets it; undefined of an answer to nothing, about which nobody is asked. */
  send(sent: Sent): [boolean, boolean] | undefined {
    const { router, model, flows } = this;
    const key = `${sent.host} ${sent.port} ${sent.server} ${sent.remote}`;
    const flow = flows.get(key);
    const host = HOSTS[sent.host] as string;
    const server = SERVERS[sent.server] as string;
    const [port, remote] = [1000 + sent.port, PORTS[sent.remote] as number];
    const data = payload(sent.bytes);
    if (sent.isAnswer) {
      if (flow === undefined) return undefined;
      flow.isHeard = true;
      router.fromGateway(udp({ source: server, destination: WAN_ADDRESS }, remote, flow.outside, data));
      const view = {
        source: server,
        destination: host,
        sourcePort: remote,
        port,
        in: NAME_WAN,
        out: NAME_LAN,
      };
      const passes = model.asks({ ...view, state: R.STATE_BIT_ESTABLISHED }, data.length + 28);
      return [router.toLan().length === 1, passes];
    }
    const datagram = udp({ source: host, destination: server }, port, remote, data);
    router.put(LAN, frame(LAN_MAC, sent.host === 0 ? HOST_MAC : OTHER_MAC, datagram));
    const view = {
      source: host,
      destination: server,
      sourcePort: port,
      port: remote,
      in: NAME_LAN,
      out: NAME_WAN,
    };
    const state = flow?.isHeard === true ? R.STATE_BIT_ESTABLISHED : R.STATE_BIT_NEW;
    const passes = model.asks({ ...view, state }, data.length + 28);
    const left = router.toWan();
    if (left.length === 1 && flow === undefined)
      flows.set(key, { outside: read(left[0] as Uint8Array).sourcePort, isHeard: false });
    return [left.length === 1, passes];
  }
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  /** What differs between the plane and a plain walk: '' if nothing does. */
  const difference = (all: Given[], packets: Sent[], accepts: boolean): string => {
    const router = startRouter(build);
    startRules(plane);
    const users = [0, plane.chainNew(R.TABLE_FILTER), plane.chainNew(R.TABLE_FILTER)];
    // Jumps lead to later chains alone, as loops are refused before the plane sees them.
    const taken = all.filter(
      ({ chain, jump, fields: { target } }) =>
        (target !== R.TARGET_JUMP && target !== R.TARGET_GOTO) || chain + jump < CHAINS,
    );
    plane.chainPolicy(R.CHAIN_FORWARD, accepts ? R.POLICY_ACCEPT : R.POLICY_DROP);
    const cells = taken.map(({ chain, jump, fields }) =>
      addRule(plane, chain === 0 ? R.CHAIN_FORWARD : (users[chain] as number), {
        ...fields,
        argument: users[chain + jump] ?? 0,
      }),
    );
    router.ticks(5);
    const model = new Model(taken, accepts);
    const play = new Traffic(router, model);
    for (const [i, sent] of packets.entries()) {
      const [passed, passes] = play.send(sent) ?? [false, false];
      if (passed !== passes) return `packet ${i} ${passed ? 'passed' : 'did not pass'}`;
    }
    const places = [0, 0, 0];
    for (const [i, { chain }] of taken.entries()) {
      const place = places[chain] as number;
      places[chain] = place + 1;
      const counts = `${countsOf(plane, { rule: cells[i] as number })}`;
      if (counts !== `${model.chains[chain]?.[place]?.counts}`) return `rule ${i} has counted ${counts}`;
    }
    const counts = `${countsOf(plane, { chain: R.CHAIN_FORWARD })}`;
    return counts === `${model.policy}` ? '' : `the policy has counted ${counts}`;
  };

  test.serial(`verdicts and counts are those of a plain walk (${name})`, t => {
    const property = fc.property(rules, traffic, fc.boolean(), (all, packets, accepts) => {
      t.is(difference(all, packets, accepts), '');
    });
    fc.assert(property, { numRuns: name === 'JavaScript' ? 600 : 3000, seed: 1999 });
  });
}
