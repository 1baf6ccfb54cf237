// The plane's reader and writer of rules beside control's: what it takes becomes the same cells, and the same saved line.
// Not here: what lines mean (rules.test.ts, source.test.ts), the hashes of words (src/plane/filter/rule-words.test.ts).

import test from 'ava';
import fc from 'fast-check';
import { u16at } from '../../base/memory.ts';
import { RULE_TEXT_AT } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import { putText, textFrom } from '../core/store/text.ts';
import { chainNamed } from './chains.ts';
import { Line } from './line.ts';
import { savedRule } from './listing/saved.ts';
import { hasCells } from './memory.ts';
import { rulesLab } from './rules-lab.ts';
import { splitWords } from './words.ts';

const lab = rulesLab();
const { machine } = lab.context;
lab.quiet(
  'iptables -N web',
  'iptables -t nat -N dmz',
  'iptables -A FORWARD -i eth0 -o eth1',
  'iptables -A FORWARD -i ppp+',
);

const one = (...texts: string[]) => fc.constantFrom(...texts);
const maybe = (texts: fc.Arbitrary<string>) => fc.oneof(fc.constant(''), texts);
const not = one('', '', '', '', '', '', '! ');
const port = fc.oneof(
  fc.integer({ min: 0, max: 65535 }).map(String),
  one('0', '65535', '080', '70000', 'http'),
);
const ports = fc.oneof(
  port,
  fc.tuple(port, port).map(([a, b]) => `${a}:${b}`),
  one(':80', '1024:', ':'),
);
const dotted = fc.oneof(
  fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 255 }))).map(parts => parts.join('.')),
  one('0.0.0.0', '10/8', '10.0.0', '256.1.1.1', '01.2.3.4', 'any', '10.0.0.1,10.0.0.2'),
);
const network = fc.oneof(
  dotted,
  fc
    .tuple(dotted, one('/0', '/8', '/24', '/32', '/33', '/255.255.255.0', '/255.0.255.0', '/'))
    .map(parts => parts.join('')),
);
const states = fc.array(one('NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'new', 'SNAT', ''), {
  minLength: 1,
  maxLength: 3,
});
const flags = fc.array(one('SYN', 'ACK', 'FIN', 'RST', 'URG', 'PSH', 'ALL', 'NONE', 'syn'), {
  minLength: 1,
  maxLength: 3,
});
const match = fc.oneof(
  fc
    .tuple(not, one('--dport', '--sport', '--source-port', '--destination-port'), ports)
    .map(parts => `${parts[0]}${parts[1]} ${parts[2]}`),
  fc.tuple(not, one('--dport !', '--dport'), ports).map(parts => `${parts[0]}${parts[1]} ${parts[2]}`),
  one(
    '-m tcp',
    '-m udp',
    '-m icmp',
    '--syn',
    '! --syn',
    '-m state',
    '-m limit',
    '-m multiport',
    '-m mac',
    '-f',
  ),
  fc.tuple(not, flags, flags).map(([n, a, b]) => `${n}--tcp-flags ${a.join(',')} ${b.join(',')}`),
  fc
    .tuple(not, one('8', '3/1', '0/255', 'any', 'echo-request', 'ping', 'time-exceeded', '300', '8/'))
    .map(([n, a]) => `${n}--icmp-type ${a}`),
  fc
    .tuple(
      one('-m state --state', '-m state ! --state', '-m conntrack --ctstate', '-m conntrack --state'),
      states,
    )
    .map(([o, s]) => `${o} ${s.join(',')}`),
  fc
    .tuple(one('', '0', '1', '3', '10', '20000'), one('s', 'sec', 'minute', 'min', 'h', 'day', 'week', 'SEC'))
    .map(([n, u]) => `-m limit --limit ${n}/${u}`),
  one(
    '-m limit --limit 5/s --limit-burst 10',
    '-m limit --limit-burst 0',
    '-m limit --limit 1/day --limit-burst 10000',
  ),
  fc
    .tuple(not, one('--dports', '--sports', '--ports'), fc.array(ports, { minLength: 1, maxLength: 16 }))
    .map(([n, o, p]) => `-m multiport ${n}${o} ${p.join(',')}`),
);
const target = fc.oneof(
  one(
    '-j ACCEPT',
    '-j DROP',
    '-j RETURN',
    '-j REJECT',
    '-j LOG',
    '-j web',
    '-g web',
    '-j dmz',
    '-j nowhere',
    '-j INPUT',
    '-j MASQUERADE',
  ),
  one(
    'net-unreachable',
    'port-unreachable',
    'host-unreachable',
    'admin-prohibited',
    'net-prohibited',
    'host-prohibited',
    'proto-unreachable',
  ).map(kind => `-j REJECT --reject-with icmp-${kind}`),
  one(
    '-j REJECT --reject-with tcp-reset',
    '-j REJECT --reject-with tcp-rst',
    '--reject-with tcp-reset -j REJECT',
  ),
  fc
    .tuple(
      one('plain', '"a b: "', '"it is"', '"a\\"b"', "'x'", '""', `"${'long '.repeat(9)}"`),
      one('', ' --log-level 6', ' --log-level debug', ' --log-level 9'),
    )
    .map(([prefix, level]) => `-j LOG --log-prefix ${prefix}${level}`),
  fc
    .tuple(
      one('SNAT --to-source', 'DNAT --to-destination', 'DNAT --to', 'SNAT --to'),
      one('1.2.3.4', '1.2.3.4-1.2.3.9', '1.2.3', ':80'),
      maybe(one(':80', ':80-90', ':90-80', ':1024-65535', ':x')),
    )
    .map(([option, address, behind]) => `-j ${option} ${address}${behind}`),
  one(
    '-j DNAT',
    '-j REDIRECT --to-ports 3128',
    '-j REDIRECT --to-ports 1-2',
    '-j REDIRECT',
    '-j MASQUERADE --to-ports 1024-2048',
    '-j MASQUERADE --random',
  ),
);
const plain = fc.array(
  fc.oneof(
    fc.tuple(not, one('-s', '-d', '-s !'), network).map(([n, o, a]) => `${n}${o} ${a}`),
    fc.tuple(not, one('-i', '-o'), one('eth0', 'eth1', 'ppp+', 'eth7')).map(([n, o, a]) => `${n}${o} ${a}`),
  ),
  { maxLength: 3 },
);
const line = fc
  .tuple(
    one(
      '-A FORWARD',
      '-A FORWARD',
      '-A web',
      '-A INPUT',
      '-A OUTPUT',
      '-A PREROUTING',
      '-A POSTROUTING',
      '-A none',
      '-I FORWARD',
    ),
    plain,
    maybe(
      fc
        .tuple(not, one('tcp', 'tcp', 'udp', 'icmp', 'TCP', 'all', '47', 'Udp'))
        .map(([n, p]) => `${n}-p ${p}`),
    ),
    fc.array(match, { maxLength: 3 }),
    maybe(target),
    maybe(one('-m comment --comment x', '!', '--', '-v')),
  )
  .map(([chain, before, protocol, matches, to, behind]) =>
    [chain, ...before, protocol, ...matches, to, behind].filter(word => word !== '').join(' '),
  );

/** A rule's cell and those of its operations, without what links them. */
function cells(rule: number): string[] {
  const all: string[] = [];
  for (let cell = rule, isFirst = true; cell !== 0; isFirst = false) {
    const at = record.cellAt(cell);
    const bytes = machine.memory.slice(at, at + 64);
    cell = u16at(isFirst ? at + record.RULE_OPERATIONS : at + record.OPERATION_NEXT);
    bytes.fill(0, 0, isFirst ? 4 : 2);
    all.push(Buffer.from(bytes).toString('hex'));
  }
  return all;
}

let taken = 0;

function compare(text: string, table: number): void {
  const bytes = putText(machine.memory, RULE_TEXT_AT, text);
  if (!hasCells(machine)) throw new Error('there are no cells');
  const read = machine.plane.ruleRead(RULE_TEXT_AT, bytes, table, 0);
  if (read === 0) return;
  taken++;
  const own = read & 0xffff;
  const other = new Line(machine, new Map(), splitWords(text) as string[]);
  other.table = table;
  try {
    other.read();
    const wanted = { chain: chainNamed(table, other.chain), cells: cells(other.builder.rule) };
    const found = { chain: read >> 16, cells: cells(own) };
    if (JSON.stringify(wanted) !== JSON.stringify(found))
      throw new Error(`${text}\n${JSON.stringify(wanted, null, 1)}\n${JSON.stringify(found, null, 1)}`);
    const end = machine.plane.ruleWrite(own, table, read >> 16, RULE_TEXT_AT);
    const start = `iptables ${table === record.TABLE_NAT ? '-t nat ' : ''}-A ${other.chain}`;
    const saved = `${start}${savedRule(machine.memory, own)}\n`;
    const written = end === 0 ? saved : textFrom(machine.memory, RULE_TEXT_AT, end - RULE_TEXT_AT);
    if (written !== saved) throw new Error(`${text}\n${saved}${written}`);
  } finally {
    other.drop();
    machine.plane.cellGive(own);
  }
}

test('a line that the plane reads is the rule that control makes of it, and is written as control writes it', t => {
  fc.assert(fc.property(line, fc.constantFrom(record.TABLE_FILTER, record.TABLE_NAT), compare), {
    numRuns: 60_000,
    seed: 1999,
  });
  t.log(`${taken} lines of 60,000 were the plane's`);
  t.true(taken > 800);
});

test('no cell is lost, whatever the line', t => {
  const free = () => {
    hasCells(machine);
    const all: number[] = [];
    for (let cell = machine.plane.cellTake(); cell !== 0; cell = machine.plane.cellTake()) all.push(cell);
    for (const cell of all) machine.plane.cellGive(cell);
    return all.length;
  };
  const before = free();
  fc.assert(
    fc.property(line, text => compare(text, record.TABLE_FILTER)),
    { numRuns: 2000, seed: 7 },
  );
  t.is(free(), before);
});

test("lines that iptables-save writes are the plane's", t => {
  const lines = [
    '-A FORWARD -s 192.168.0.0/24 -d 198.51.100.1/32 -i eth0 -o eth1 -p tcp -m tcp --dport 80 -j ACCEPT',
    '-A FORWARD -i eth0 -p tcp -m state --state RELATED,ESTABLISHED -m tcp --dport 22 -j web',
    '-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 1/sec -j ACCEPT',
    '-A web -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m multiport --dports 80,443,8000:8080 -j LOG --log-prefix "web: " --log-level 6',
    '-A web ! -s 10.0.0.0/8 -p udp -m udp --sport 1024:65535 --dport 53 -j REJECT --reject-with icmp-port-unreachable',
  ];
  for (const text of lines) {
    const bytes = putText(machine.memory, RULE_TEXT_AT, text);
    hasCells(machine);
    const read = machine.plane.ruleRead(RULE_TEXT_AT, bytes, record.TABLE_FILTER, 0);
    t.not(read, 0, text);
    const end = machine.plane.ruleWrite(read & 0xffff, record.TABLE_FILTER, read >> 16, RULE_TEXT_AT);
    t.is(textFrom(machine.memory, RULE_TEXT_AT, end - RULE_TEXT_AT), `iptables ${text}\n`);
    machine.plane.cellGive(read & 0xffff);
  }
});
