// A property: whatever lines of ipchains are typed, what becomes of each packet and what every rule and policy has counted is as in a plain
// walk, written here a second time from what the manuals of the time say: all chains are asked for every packet, each about one link, a
// demasqueraded answer not by forward, and nothing is kept. What is compared goes the whole way, from words to /proc/net/ip_fwchains.
// Not here: ipfwadm's (fwadm-model.test.ts), the plane's own walk (src/plane/filter/rules-model.test.ts).

import test from 'ava';
import fc from 'fast-check';
import { procText } from '../files/overlay.ts';
import { rulesLab } from '../rules-lab.ts';
import { type Asked, inside, OldTraffic, type Sent, sent } from './traffic-lab.ts';

const CHAINS = ['input', 'forward', 'output', 'one', 'two'];
const LINKS = ['', 'eth0', 'eth1', 'ppp0', 'eth+', 'slip0'];
const NETS = ['192.168.0.0/24', '192.168.0.2', '204.152.0.0/16', '204.152.184.112', '10.1.2.3', '0/0'];
const PROTOCOLS: Record<string, number> = { icmp: 1, tcp: 6, udp: 17 };

interface Given {
  chain: number;
  link: string;
  protocol: string;
  source: string;
  destination: string;
  sourcePorts: [number, number] | undefined;
  ports: [number, number] | undefined;
  syn: boolean;
  /** What a `!` is before: link, protocol, source, destination, ports of either, SYN. */
  nots: boolean[];
  target: string;
}

const ports = fc.option(
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
    .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
  { nil: undefined, freq: 2 },
);
const rule: fc.Arbitrary<Given> = fc
  .record({
    chain: fc.nat({ max: 4 }),
    link: fc.constantFrom(...LINKS, '', ''),
    protocol: fc.constantFrom('', '', 'tcp', 'udp', 'icmp'),
    source: fc.constantFrom('', '', ...NETS),
    destination: fc.constantFrom('', '', ...NETS),
    sourcePorts: ports,
    ports,
    syn: fc.boolean(),
    nots: fc.array(
      fc.nat({ max: 3 }).map(n => n === 0),
      { minLength: 7, maxLength: 7 },
    ),
    target: fc.constantFrom('', 'ACCEPT', 'ACCEPT', 'DENY', 'RETURN', 'MASQ', 'one', 'two'),
  })
  .map(possible);

/** The same as the tool takes it; and what differs between the packets of a flow decides nothing about masquerading. */
function possible(given: Given): Given {
  const [link, protocol, source, destination, from, to, syn] = given.nots as boolean[];
  const hasPorts = given.protocol !== '' && !(protocol && given.protocol !== '');
  const isSyn = given.syn && given.protocol === 'tcp' && hasPorts;
  const isBehind = given.target === 'one' || given.target === 'two';
  let { target } = given;
  if (isBehind && CHAINS.indexOf(target) <= given.chain) target = 'DENY';
  if (target === 'MASQ' && given.chain !== 1) target = 'ACCEPT';
  if (isSyn && given.chain !== 0 && given.chain !== 2) target = target === '' ? '' : 'DENY';
  return {
    ...given,
    target,
    // Of ICMP types with codes that are refused there are more forms than the plane asks for.
    sourcePorts: hasPorts && given.protocol !== 'icmp' ? given.sourcePorts : undefined,
    ports: hasPorts && given.protocol !== 'icmp' ? given.ports : undefined,
    syn: isSyn,
    nots: [
      link === true && given.link !== '',
      protocol === true && given.protocol !== '',
      source === true && given.source !== '',
      destination === true && given.destination !== '',
      from === true,
      to === true,
      syn === true,
    ],
  };
}

function lineOf(given: Given): string {
  const not = (place: number): string => (given.nots[place] === true ? '! ' : '');
  let line = `ipchains -A ${CHAINS[given.chain]}`;
  if (given.link !== '') line += ` -i ${not(0)}${given.link}`;
  if (given.protocol !== '') line += ` -p ${not(1)}${given.protocol}`;
  const side = (option: string, net: string, place: number, range: [number, number] | undefined): string => {
    if (net === '' && range === undefined) return '';
    const text = ` ${option} ${not(place)}${net === '' ? '0/0' : net}`;
    return range === undefined ? text : `${text} ${not(place + 2)}${1000 + range[0]}:${1000 + range[1]}`;
  };
  line += side('-s', given.source, 2, given.sourcePorts) + side('-d', given.destination, 3, given.ports);
  if (given.syn) line += ` ${not(6)}-y`;
  return given.target === '' ? line : `${line} -j ${given.target}`;
}

class Model {
  readonly counts: [number, number][];
  readonly policies: [number, number][] = [0, 1, 2].map(() => [0, 0]);

  constructor(
    private readonly rules: readonly Given[],
    private readonly denied: readonly boolean[],
  ) {
    this.counts = rules.map(() => [0, 0]);
  }

  /** '' is the policy's answer that lets it pass. */
  ask(chain: number, packet: Asked): string {
    const answer = this.walk(chain, packet);
    if (answer !== undefined) return answer;
    this.count(this.policies[chain] as [number, number], packet);
    return this.denied[chain] === true ? 'DENY' : '';
  }

  /** Whether a chain has any rule. */
  has(chain: number): boolean {
    return this.rules.some(given => given.chain === chain);
  }

  private count(counts: [number, number], { bytes }: Asked): void {
    counts[0]++;
    counts[1] += bytes;
  }

  private walk(chain: number, packet: Asked): string | undefined {
    for (const [i, given] of this.rules.entries()) {
      if (given.chain !== chain || !this.applies(given, packet)) continue;
      this.count(this.counts[i] as [number, number], packet);
      if (given.target === 'RETURN') return undefined;
      if (given.target === 'one' || given.target === 'two') {
        const answer = this.walk(CHAINS.indexOf(given.target), packet);
        if (answer !== undefined) return answer;
      } else if (given.target !== '') return given.target;
    }
    return undefined;
  }

  private applies(given: Given, packet: Asked): boolean {
    const is = (value: boolean, place: number): boolean => value !== (given.nots[place] === true);
    const links = packet.link === 0 ? ['eth0', 'eth+'] : ['eth1', 'ppp0', 'eth+'];
    if (given.link !== '' && !is(links.includes(given.link), 0)) return false;
    if (given.protocol !== '' && !is(packet.protocol === PROTOCOLS[given.protocol], 1)) return false;
    if (given.source !== '' && !is(inside(packet.source, given.source), 2)) return false;
    if (given.destination !== '' && !is(inside(packet.destination, given.destination), 3)) return false;
    if (given.syn && !is(packet.isSyn, 6)) return false;
    const between = (port: number, range: [number, number] | undefined, place: number): boolean =>
      range === undefined || is(port >= 1000 + range[0] && port <= 1000 + range[1], place);
    return between(packet.sourcePort, given.sourcePorts, 4) && between(packet.port, given.ports, 5);
  }
}

/** What differs between the board and the model: '' if nothing does. */
function difference(rules: readonly Given[], packets: readonly Sent[], denied: readonly boolean[]): string {
  const lab = rulesLab();
  const said = ['-N one', '-N two', ...[0, 1, 2].map(n => `-P ${CHAINS[n]} ${denied[n] ? 'DENY' : 'ACCEPT'}`)]
    .map(words => `ipchains ${words}`)
    .concat(rules.map(lineOf))
    .flatMap(line => lab.type(line))
    .filter(text => !text.startsWith("The LAN's DNS"));
  if (said.length > 0) return said.join(' / ');
  const model = new Model(rules, denied);
  const traffic = new OldTraffic(lab.router, model);
  for (const [i, packet] of packets.entries()) {
    const wrong = traffic.send(packet);
    if (wrong !== '') return `packet ${i}: ${wrong}`;
  }
  const order = [0, 1, 2, 3, 4].flatMap(chain =>
    rules.flatMap((given, i) => (given.chain === chain ? [`${model.counts[i]}`] : [])),
  );
  const rows = procText(lab.context, 'ip_fwchains').split('\n').slice(0, -1);
  for (const [i, row] of rows.entries()) {
    const words = row.trim().split(/ +/);
    const counts = `${words[7]},${words[9]}`;
    if (counts !== order[i]) return `rule ${i} (${row}) has counted ${counts}, not ${order[i]}`;
  }
  const names = procText(lab.context, 'ip_fwnames').split('\n').slice(0, 3);
  for (const [i, row] of names.entries()) {
    const words = row.split(' ');
    const counts = `${words[4]},${words[6]}`;
    if (counts !== `${model.policies[i]}`) return `${row}: not ${model.policies[i]}`;
  }
  return '';
}

test('what ipchains says of packets and counts is what a plain walk says', t => {
  t.timeout(600_000);
  const property = fc.property(
    fc.array(rule, { maxLength: 14 }),
    fc.array(sent, { minLength: 1, maxLength: 25 }),
    fc.array(
      fc.nat({ max: 3 }).map(n => n === 0),
      { minLength: 3, maxLength: 3 },
    ),
    (rules, packets, denied) => {
      t.is(difference(rules, packets, denied), '');
    },
  );
  fc.assert(property, { numRuns: 250, seed: 1999 });
});
