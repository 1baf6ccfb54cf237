// Rule sets as text, and traffic for them, at random: what the kernel's iptables and ours are both given. Rules are of those that
// do the same in every kernel since 2.4; traffic keeps to what both must take for the same flows.
// Not here: who judges (test/harness/kernel-router.ts), the comparison (test/kernel-rules.ts).

import type { Random } from '../tools/harness/random.ts';
import { HOST, OTHER, SERVER, WAN_ADDRESS } from './plane-router.ts';

export const SERVERS = [SERVER, '198.51.100.7'];
export const HOSTS = [HOST, OTHER];
export const SERVER_PORTS = [53, 80, 7000];
/** Ports of the router's outside address that a set may forward to a host. */
export const FORWARDED = [8080, 2222];
/** Ports of each of HOSTS: others of another, as each router has its own way to tell two with one port apart. */
export const HOST_PORTS = [
  [1024, 5000],
  [1025, 5001],
];
const PREFIXES = [
  '192.168.0.0/24',
  HOST,
  OTHER,
  '192.168.0.2/31',
  '204.152.0.0/16',
  '198.51.100.0/25',
  SERVER,
  '0.0.0.0/0',
  '10.1.2.0/24',
  WAN_ADDRESS,
  '10.0.0.2/255.0.0.255',
];
const REJECTIONS = [
  'icmp-net-unreachable',
  'icmp-host-unreachable',
  'icmp-port-unreachable',
  'icmp-proto-unreachable',
  'icmp-net-prohibited',
  'icmp-host-prohibited',
  'icmp-admin-prohibited',
];
const STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID'];
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const MARKS = ['0x1', '0x2', '0x5', '0x7/0x3', '0x10/0xf0'];
const FILTER_RULES = 10;
const MANGLE_RULES = 5;
const USER_CHAINS = 3;

/** Ports by which flows leave where a rule says them: no host's, and none that is forwarded. */
export const RANGE: readonly [number, number] = [6000, 6003];

/** A set of rules for iptables-restore, and which outside ports lead to a host. */
export interface RuleSet {
  lines: string[];
  forwarded: { protocol: 'tcp' | 'udp'; port: number }[];
}

class Writer {
  /** Names of what `recent` remembers are a rule set's own. */
  private names = 0;

  constructor(
    private readonly random: Random,
    private readonly seed: number,
  ) {}

  pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)] as T;
  }

  private some<T>(from: readonly T[]): T[] {
    const taken = from.filter(() => this.random.chance(0.4));
    return taken.length > 0 ? taken : [this.pick(from)];
  }

  not(): string {
    return this.random.chance(0.2) ? '! ' : '';
  }

  private range(isExact: boolean): string {
    const port = this.pick([...SERVER_PORTS, ...HOST_PORTS.flat(), ...FORWARDED]);
    if (isExact) return String(port);
    const kind = this.random.below(4);
    if (kind === 0) return `${this.random.below(port)}:${port}`;
    if (kind === 1) return `${port}:65535`;
    return String(port);
  }

  private transport(chain: string): { text: string; protocol: string } {
    const kind = this.random.below(8);
    if (kind < 3) return { text: `-p tcp${this.ports('tcp', chain)}${this.flags()}`, protocol: 'tcp' };
    if (kind < 6) return { text: `-p udp${this.ports('udp', chain)}`, protocol: 'udp' };
    if (kind === 6) {
      const types = ['echo-request', '0', '8', '3/3', 'any', 'destination-unreachable'];
      const type = this.random.chance(0.6) ? ` -m icmp ${this.not()}--icmp-type ${this.pick(types)}` : '';
      return { text: `-p icmp${type}`, protocol: 'icmp' };
    }
    return { text: `! -p ${this.pick(['tcp', 'udp', 'icmp', '47'])}`, protocol: '' };
  }

  /** Before the routing an answer has the outside port of its flow, which each router may have drawn: a range there could have the one and not the other. */
  private ports(protocol: string, chain: string): string {
    const kind = this.random.below(5);
    const isExact = chain === 'PREROUTING';
    if (kind === 0) return '';
    if (kind === 4) {
      const some = isExact ? '1024' : '1000:2000';
      const list = this.some([...SERVER_PORTS.map(String), some, '5000', '8080']).slice(0, 4);
      return ` -m multiport ${this.not()}--${this.pick(['dports', 'sports', 'ports'])} ${list.join(',')}`;
    }
    const source = this.random.chance(0.3) ? ` ${this.not()}--sport ${this.range(false)}` : '';
    return ` -m ${protocol}${source} ${this.not()}--dport ${this.range(isExact)}`;
  }

  private flags(): string {
    if (!this.random.chance(0.3)) return '';
    if (this.random.chance(0.4)) return ` -m tcp ${this.not()}--syn`;
    if (this.random.chance(0.2)) return ` -m tcp ${this.not()}--tcp-option ${this.pick([2, 3])}`;
    const mask = this.some(FLAGS);
    const value = mask.filter(() => this.random.chance(0.5));
    return ` -m tcp ${this.not()}--tcp-flags ${mask.join(',')} ${value.join(',') || 'NONE'}`;
  }

  /** A match by a module of its own. */
  private extension(chain: string): string {
    const { random } = this;
    const isRange = random.chance(0.5);
    const all = [
      () => `-m state ${this.not()}--state ${this.some(STATES).join(',')}`,
      () => `-m conntrack ${this.not()}--ctstate ${this.some([...STATES, 'SNAT', 'DNAT']).join(',')}`,
      () =>
        `-m length ${this.not()}--length ${isRange ? `${20 + random.below(60)}:100` : 28 + random.below(40)}`,
      () => `-m tos ${this.not()}--tos ${this.pick(['0x10', '0x08', '0x00'])}`,
      () => `-m ttl ${this.pick(['--ttl-eq', '--ttl-lt', '--ttl-gt'])} ${this.pick([5, 63, 64])}`,
      () => `-m mark ${this.not()}--mark ${this.pick(MARKS)}`,
      () => `-m connmark ${this.not()}--mark ${this.pick(MARKS)}`,
      () => `-m iprange ${this.not()}--${this.pick(['src', 'dst'])}-range 192.168.0.3-204.152.184.112`,
      () => `-m addrtype ${this.not()}--${this.pick(['src', 'dst'])}-type ${this.pick(['LOCAL', 'UNICAST'])}`,
      () => `-m pkttype ${this.not()}--pkt-type ${this.pick(['unicast', 'broadcast'])}`,
      () => `-m statistic --mode nth --every ${2 + random.below(3)} --packet ${random.below(2)}`,
      () => `-m limit --limit 1/hour --limit-burst ${1 + random.below(6)}`,
      () => `-m recent --name s${this.seed}n${this.names++} --set`,
      () =>
        `-m recent --name s${this.seed}n${random.below(this.names + 1)} ${this.not()}--rcheck --seconds 600 --hitcount ${1 + random.below(3)}`,
      () =>
        `-m recent --name s${this.seed}n${random.below(this.names + 1)} --update --seconds 600 --hitcount ${1 + random.below(3)} --rdest`,
      () => '-m comment --comment "said of it"',
    ];
    if (chain !== 'OUTPUT' && chain !== 'POSTROUTING' && !chain.startsWith('u'))
      all.push(
        () => `-m mac ${this.not()}--mac-source ${this.pick(['02:00:00:00:00:02', '02:00:00:00:01:01'])}`,
      );
    return this.pick(all)();
  }

  /** What the table that marks has said of a packet, or of its flow, before it is led elsewhere. */
  marked(): string {
    if (!this.random.chance(0.3)) return '';
    return ` -m ${this.pick(['mark', 'connmark'])} ${this.not()}--mark ${this.pick(MARKS)}`;
  }

  /** A rule's matches, and the protocol that it asks for. */
  matches(chain: string): { text: string; protocol: string } {
    const { random } = this;
    const words: string[] = [];
    if (random.chance(0.3)) words.push(`${this.not()}-s ${this.pick(PREFIXES)}`);
    if (random.chance(0.3)) words.push(`${this.not()}-d ${this.pick(PREFIXES)}`);
    const names = ['lan', 'wan', 'w+', 'tun9'];
    if (chain !== 'OUTPUT' && chain !== 'POSTROUTING' && random.chance(0.25))
      words.push(`${this.not()}-i ${this.pick(names)}`);
    if (chain !== 'INPUT' && chain !== 'PREROUTING' && random.chance(0.2))
      words.push(`${this.not()}-o ${this.pick(names)}`);
    const transport = random.chance(0.6) ? this.transport(chain) : { text: '', protocol: '' };
    if (transport.text !== '') words.push(transport.text);
    for (let i = 0; i < 2; i++) if (random.chance(0.3)) words.push(this.extension(chain));
    return { text: words.join(' '), protocol: transport.protocol };
  }

  private verdict(protocol: string): string {
    const kind = this.random.below(8);
    if (kind < 3) return '-j ACCEPT';
    if (kind < 5) return '-j DROP';
    if (kind === 5) return '-j RETURN';
    if (kind === 6 && protocol === 'tcp') return '-p tcp -j REJECT --reject-with tcp-reset';
    return kind === 6 ? `-j REJECT --reject-with ${this.pick(REJECTIONS)}` : '';
  }

  /** @param index of the chain among the users' or -1: jumps lead to later ones alone. */
  filterRule(chain: string, index: number): string {
    const { text, protocol } = this.matches(chain);
    const further = index + 1 + this.random.below(USER_CHAINS);
    const jumps = further < USER_CHAINS && this.random.chance(0.3);
    // -p stands in the rule already.
    const target = jumps
      ? `-${this.pick(['j', 'g'])} u${further}`
      : this.verdict(protocol).replace('-p tcp ', '');
    return `-A ${chain} ${text} ${target}`.replace(/ +/g, ' ').trim();
  }

  mangleRule(chain: string): string {
    if (this.random.chance(0.2)) return this.sizeRule(chain);
    const { text } = this.matches(chain);
    const mark = this.pick(MARKS);
    const targets = [
      `-j MARK --set-mark ${mark}`,
      `-j MARK --set-xmark ${mark}`,
      '-j MARK --or-mark 0x10',
      '-j MARK --and-mark 0x6',
      `-j CONNMARK --set-mark ${mark}`,
      '-j CONNMARK --save-mark',
      '-j CONNMARK --restore-mark',
      `-j TOS --set-tos ${this.pick(['0x10', '0x08/0x1c', '0x00'])}`,
      '-j RETURN',
      '-j ACCEPT',
      '',
    ];
    return `-A ${chain} ${text} ${this.pick(targets)}`.replace(/ +/g, ' ').trim();
  }

  /** Addresses and protocols alone: of nat, which is asked of some flows before and of others behind the table that marks. */
  private plainMatches(): string {
    const words: string[] = [];
    if (this.random.chance(0.4)) words.push(`${this.not()}-s ${this.pick(PREFIXES)}`);
    if (this.random.chance(0.4)) words.push(`${this.not()}-d ${this.pick(PREFIXES)}`);
    words.push(this.pick(['', '-p udp', '-p tcp', `-p tcp -m tcp --dport ${this.range(false)}`, '-p icmp']));
    return words.join(' ');
  }

  /** Which source flows get: of those that come in or are turned, and then of all that leave. */
  sources(isTurned: boolean): string[] {
    const { random } = this;
    const rules: string[] = [];
    const draw = (): string => (random.chance(0.2) ? this.pick([' --random', ' --random-fully']) : '');
    if (random.chance(0.3)) rules.push(`-A POSTROUTING ${this.plainMatches()}`);
    if (random.chance(0.3)) {
      const target = this.pick(['MASQUERADE', 'SNAT --to-source 172.16.0.9', 'ACCEPT']);
      rules.push(`-A POSTROUTING -o lan ${this.plainMatches()} -j ${target}`);
    }
    for (const protocol of ['tcp', 'udp']) {
      // A port of one that is turned is taken before filter is asked.
      if (isTurned || !random.chance(0.3)) continue;
      const ports = this.pick([`${RANGE[0]}-${RANGE[1]}`, `${RANGE[0]}-${RANGE[0] + 1}`, String(RANGE[0])]);
      const target = random.chance(0.5)
        ? `MASQUERADE --to-ports ${ports}`
        : `SNAT --to-source ${WAN_ADDRESS}:${ports}`;
      rules.push(`-A POSTROUTING -o wan -p ${protocol} -j ${target}${draw()}`);
    }
    rules.push(
      `-A POSTROUTING -o wan -j ${this.pick(['MASQUERADE', `SNAT --to-source ${WAN_ADDRESS}`])}${draw()}`,
    );
    return rules.map(rule => rule.replace(/ +/g, ' ').trim());
  }

  /** To whom the router's own packets go. */
  ownDestinations(): string[] {
    const { random } = this;
    const rules: string[] = [];
    for (let i = random.below(3); i > 0; i--) {
      const protocol = this.pick(['udp', 'udp', 'icmp']);
      const host = this.pick([...SERVERS, ...HOSTS]);
      const port = protocol === 'udp' && random.chance(0.5) ? `:${this.pick([53, 5353])}` : '';
      const target = this.pick([
        `DNAT --to-destination ${host}${port}`,
        `DNAT --to-destination ${host}${port}`,
        'ACCEPT',
      ]);
      const matches = [
        random.chance(0.3) ? `${this.not()}-d ${this.pick(PREFIXES)}` : '',
        random.chance(0.2) ? `-o ${this.pick(['lan', 'wan', 'w+'])}` : '',
        `-p ${protocol}`,
        protocol === 'udp' && random.chance(0.5) ? `-m udp --dport ${this.range(false)}` : '',
        this.marked(),
      ];
      rules.push(`-A OUTPUT ${matches.join(' ')} -j ${target}`.replace(/ +/g, ' '));
    }
    return rules;
  }

  /** Where a forwarded port leads: a host, its port, the first of some ports, or one as far behind. */
  destination(port: number): string {
    const first = port === FORWARDED[0] ? 80 : 81;
    const ports = ['', '', `:${first}`, `:${first}-${first + 2}`, `:${port - 1}-${port + 1}`];
    const shifted = `:${first}-${first + 9}/${port - this.random.below(5)}`;
    const flag = this.random.chance(0.2) ? ' --persistent' : '';
    return this.pick(HOSTS) + this.pick([...ports, shifted]) + flag;
  }

  /** What a SYN says of its segments' size: a rule of it asks for SYNs. */
  private sizeRule(chain: string): string {
    const asks = this.pick(['--tcp-flags SYN,RST SYN', '--syn', '--tcp-flags SYN,ACK SYN,ACK']);
    const isLate = chain === 'FORWARD' || chain === 'OUTPUT' || chain === 'POSTROUTING';
    const sizes = [100, 536, 1000, 1459].map(size => `--set-mss ${size}`);
    const size = this.pick(isLate ? [...sizes, '--clamp-mss-to-pmtu'] : sizes);
    return `-A ${chain} -p tcp -m tcp ${asks} -j TCPMSS ${size}`;
  }
}

const policies = (random: Random, names: readonly string[], drop: number): string[] =>
  names.map(name => `:${name} ${random.chance(drop) ? 'DROP' : 'ACCEPT'} [0:0]`);

/** A rule set: some rules of the tables filter and mangle, and masquerading with forwards in nat. `seed`: which one it is. */
export function ruleSet(random: Random, seed: number): RuleSet {
  const writer = new Writer(random, seed);
  const users = Array.from({ length: USER_CHAINS }, (_, i) => `u${i}`);
  const marks = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];
  const forwarded: RuleSet['forwarded'] = [];
  const nat: string[] = [];
  for (const port of FORWARDED) {
    const protocol = writer.pick(['tcp', 'udp'] as const);
    if (random.chance(0.5)) continue;
    forwarded.push({ protocol, port });
    const leads = `-A PREROUTING -i wan -p ${protocol} -m ${protocol} --dport ${port}`;
    const marked = writer.marked();
    // To another host where the mark says so: what is led nowhere the kernel answers itself.
    if (marked !== '') nat.push(`${leads}${marked} -j DNAT --to-destination ${writer.destination(port)}`);
    nat.push(`${leads} -j DNAT --to-destination ${writer.destination(port)}`);
  }
  const isTurned = random.chance(0.3);
  if (isTurned) {
    const { text } = writer.matches('PREROUTING');
    if (!/recent|limit|nth/.test(text))
      nat.push(
        `-A PREROUTING -i lan -p tcp -m tcp --dport 80${writer.marked()} -j DNAT --to-destination ${SERVERS[1]}:7000`,
      );
  }
  const lines = ['*mangle', ...policies(random, marks, 0)];
  for (let i = random.below(MANGLE_RULES); i > 0; i--) lines.push(writer.mangleRule(writer.pick(marks)));
  lines.push('COMMIT', '*nat');
  lines.push(...policies(random, ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], 0), ...nat);
  lines.push(...writer.ownDestinations());
  lines.push(...writer.sources(isTurned));
  lines.push('COMMIT', '*filter', ...policies(random, ['INPUT', 'FORWARD', 'OUTPUT'], 0.3));
  lines.push(...users.map(name => `:${name} - [0:0]`));
  const chains = ['INPUT', 'FORWARD', 'FORWARD', 'FORWARD', 'OUTPUT', ...users];
  for (let i = 1 + random.below(FILTER_RULES); i > 0; i--) {
    const chain = writer.pick(chains);
    lines.push(writer.filterRule(chain, users.indexOf(chain)));
  }
  lines.push('COMMIT');
  return { lines, forwarded };
}
