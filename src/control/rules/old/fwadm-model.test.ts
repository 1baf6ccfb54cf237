// A property: whatever lines of ipfwadm are typed, what becomes of each packet and what every rule and every accounting rule has counted is as
// in a plain walk, written here a second time from what the manual of 2.3.0 says: the first rule that fits decides, and all accounting rules
// that fit count. It is compared from words to /proc/net/ip_input and ip_acct. Not here: ipchains' (model.test.ts).

import test from 'ava';
import fc from 'fast-check';
import { LAN_ADDRESS, WAN_ADDRESS } from '../../../../test/plane-router.ts';
import { procText } from '../files/overlay.ts';
import { rulesLab } from '../rules-lab.ts';
import { type Asked, inside, OldTraffic, type Sent, sent } from './traffic-lab.ts';

const CATEGORIES = ['I', 'F', 'O', 'A'];
const FILES = ['ip_input', 'ip_forward', 'ip_output', 'ip_acct'];
const ACCOUNT = 3;
const NETS = ['192.168.0.0/24', '192.168.0.2', '204.152.0.0/16', '204.152.184.112', '10.1.2.3', '0/0'];
const PROTOCOLS: Record<string, number> = { all: 0, icmp: 1, tcp: 6, udp: 17 };

interface Given {
  category: number;
  policy: string;
  link: string;
  via: string;
  protocol: string;
  source: string;
  destination: string;
  /** Numbers behind 1000; the first two are a range if that is wanted. */
  sourcePorts: number[];
  ports: number[];
  isRange: boolean;
  letters: string;
  direction: string;
}

const ports = fc.array(fc.nat({ max: 6 }), { maxLength: 4 });
const rule: fc.Arbitrary<Given> = fc
  .record({
    category: fc.nat({ max: 3 }),
    policy: fc.constantFrom('accept', 'accept', 'deny', 'masquerade'),
    link: fc.constantFrom('', '', 'eth0', 'eth1', 'ppp0', 'eth7'),
    via: fc.constantFrom('', '', '', LAN_ADDRESS, WAN_ADDRESS),
    protocol: fc.constantFrom('', 'all', 'tcp', 'udp', 'icmp'),
    source: fc.constantFrom('', ...NETS),
    destination: fc.constantFrom('', ...NETS),
    sourcePorts: ports,
    ports,
    isRange: fc.boolean(),
    letters: fc.constantFrom('', '', 'b', 'b', 'y', 'k', 'by', 'bk', 'o'),
    direction: fc.constantFrom('', 'in', 'out', 'both'),
  })
  .map(possible);

/** The same as the tool takes it; and what differs between the packets of a flow decides nothing about masquerading. */
function possible(given: Given): Given {
  const isPorted = given.protocol === 'tcp' || given.protocol === 'udp';
  const isForward = given.category === 1;
  const letters = given.protocol === 'tcp' ? given.letters : given.letters.replace(/[yk]/, '');
  const differs = /[yk]/.test(letters);
  let { policy } = given;
  if (policy === 'masquerade' && (!isForward || given.protocol === 'icmp' || differs)) policy = 'accept';
  if (isForward && differs) policy = 'deny';
  // What goes both ways would masquerade answers of what is not.
  return {
    ...given,
    policy,
    letters: isForward && policy === 'masquerade' ? letters.replace('b', '') : letters,
    sourcePorts: isPorted ? given.sourcePorts : [],
    ports: isPorted ? given.ports : [],
  };
}

const hasRange = ({ isRange }: Given, list: readonly number[]): boolean => isRange && list.length >= 2;
const rangeOf = ([a = 0, b = 0]: readonly number[]): [number, number] => [Math.min(a, b), Math.max(a, b)];

function lineOf(given: Given): string {
  const isAccount = given.category === ACCOUNT;
  let line = `ipfwadm -${CATEGORIES[given.category]}`;
  line += isAccount ? ` ${given.direction} -a`.replace('  ', ' ') : ` -a ${given.policy}`;
  if (given.protocol !== '') line += ` -P ${given.protocol}`;
  const side = (option: string, net: string, list: readonly number[]): string => {
    if (net === '' && list.length === 0) return '';
    let text = ` ${option} ${net === '' ? '0/0' : net}`;
    let rest = list;
    if (hasRange(given, list)) {
      const [first, last] = rangeOf(list);
      text += ` ${1000 + first}:${1000 + last}`;
      rest = list.slice(2);
    }
    return rest.reduce((all, port) => `${all} ${1000 + port}`, text);
  };
  line += side('-S', given.source, given.sourcePorts) + side('-D', given.destination, given.ports);
  if (given.link !== '') line += ` -W ${given.link}`;
  if (given.via !== '') line += ` -V ${given.via}`;
  for (const letter of given.letters) if (!(letter === 'o' && isAccount)) line += ` -${letter}`;
  return line;
}

class Model {
  readonly counts: [number, number][];

  constructor(
    private readonly rules: readonly Given[],
    private readonly policies: readonly string[],
  ) {
    this.counts = rules.map(() => [0, 0]);
  }

  has(category: number): boolean {
    return this.rules.some(given => given.category === category);
  }

  ask(category: number, packet: Asked): string {
    for (const [i, given] of this.rules.entries()) {
      if (given.category !== category || !this.applies(given, packet)) continue;
      this.count(i, packet);
      return { accept: 'ACCEPT', deny: 'DENY', masquerade: 'MASQ' }[given.policy] as string;
    }
    const policy = this.policies[category];
    return policy === 'deny' ? 'DENY' : policy === 'masquerade' ? 'MASQ' : '';
  }

  account(isOut: boolean, packet: Asked): void {
    for (const [i, given] of this.rules.entries()) {
      const isAsked = given.category === ACCOUNT && given.direction !== (isOut ? 'in' : 'out');
      if (isAsked && this.applies(given, packet)) this.count(i, packet);
    }
  }

  private count(place: number, { bytes }: Asked): void {
    const counts = this.counts[place] as [number, number];
    counts[0]++;
    counts[1] += bytes;
  }

  private applies(given: Given, packet: Asked): boolean {
    const links = packet.link === 0 ? ['eth0'] : ['eth1', 'ppp0'];
    if (given.link !== '' && !links.includes(given.link)) return false;
    if (given.via !== '' && given.via !== (packet.link === 0 ? LAN_ADDRESS : WAN_ADDRESS)) return false;
    const protocol = PROTOCOLS[given.protocol] ?? 0;
    if (protocol !== 0 && protocol !== packet.protocol) return false;
    if (given.letters.includes('y') && !packet.isSyn) return false;
    if (given.letters.includes('k') && !packet.isAck) return false;
    const listed = (list: readonly number[], port: number): boolean => {
      if (list.length === 0) return true;
      const [first, last] = rangeOf(list);
      const isIn = hasRange(given, list) && port >= 1000 + first && port <= 1000 + last;
      return isIn || (hasRange(given, list) ? list.slice(2) : list).includes(port - 1000);
    };
    const between = (source: string, destination: string, from: number, to: number): boolean =>
      (given.source === '' || inside(source, given.source)) &&
      (given.destination === '' || inside(destination, given.destination)) &&
      listed(given.sourcePorts, from) &&
      listed(given.ports, to);
    const { destination, port, source, sourcePort } = packet;
    if (between(source, destination, sourcePort, port)) return true;
    return given.letters.includes('b') && between(destination, source, port, sourcePort);
  }
}

/** What differs between the board and the model: '' if nothing does. */
function difference(rules: readonly Given[], packets: readonly Sent[], policies: readonly string[]): string {
  const lab = rulesLab();
  const said = policies
    .map((policy, n) => `ipfwadm -${CATEGORIES[n]} -p ${policy}`)
    .concat(rules.map(lineOf))
    .flatMap(line => lab.type(line))
    .filter(text => !text.startsWith("The LAN's DNS"));
  if (said.length > 0) return said.join(' / ');
  const model = new Model(rules, policies);
  const traffic = new OldTraffic(lab.router, model);
  for (const [i, packet] of packets.entries()) {
    const wrong = traffic.send(packet);
    if (wrong !== '') return `packet ${i}: ${wrong}`;
  }
  for (const [category, file] of FILES.entries()) {
    const expected = rules.flatMap((given, i) => (given.category === category ? [`${model.counts[i]}`] : []));
    const rows = procText(lab.context, file).split('\n').slice(1, -1);
    if (rows.length !== expected.length) return `${file} has ${rows.length} rows, not ${expected.length}`;
    for (const [i, row] of rows.entries()) {
      const words = row.split(/ +/);
      const counts = `${words[6]},${words[7]}`;
      if (counts !== expected[i]) return `${file}: ${row}: not ${expected[i]}`;
    }
  }
  return '';
}

test('what ipfwadm says of packets and counts is what a plain walk says', t => {
  t.timeout(600_000);
  const property = fc.property(
    fc.array(rule, { maxLength: 14 }),
    fc.array(sent, { minLength: 1, maxLength: 25 }),
    fc.tuple(
      fc.constantFrom('accept', 'accept', 'deny'),
      fc.constantFrom('accept', 'deny', 'masquerade'),
      fc.constantFrom('accept', 'accept', 'deny'),
    ),
    (rules, packets, policies) => {
      t.is(difference(rules, packets, policies), '');
    },
  );
  fc.assert(property, { numRuns: 250, seed: 1996 });
});
