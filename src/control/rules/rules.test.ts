import test from 'ava';
import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { INTERFACE_LAN, INTERFACE_WAN } from '../../base/limits.ts';
import { get8, i32at, u16at } from '../../base/memory.ts';
import { RULE_DEPTH, RULE_LINKS_AT, RULE_NAME_COUNT } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import { rulesLab } from './rules-lab.ts';

const SYN_OF_FLAGS = 0x0217;

/** The address of a chain's first rule. */
function first(chain: number): number {
  return record.cellAt(u16at(record.chainAt(chain) + record.CHAIN_FIRST));
}

/** Kinds of a rule's operations, in their order. */
function kinds(rule: number): number[] {
  const found: number[] = [];
  for (let cell = u16at(rule + record.RULE_OPERATIONS); cell !== 0; ) {
    const at = record.cellAt(cell);
    found.push(get8(at + record.OPERATION_KIND));
    cell = u16at(at + record.OPERATION_NEXT);
  }
  return found;
}

test('ports, flags, ICMP and states stand in the cell', t => {
  const { quiet } = rulesLab();
  quiet(
    'iptables -A FORWARD -s 10.1.2.3/8 ! -d 192.168.0.0/24 -p tcp --dport 80:90 --syn -m state --state NEW -j DROP',
  );
  const rule = first(record.CHAIN_FORWARD);
  t.is(i32at(rule + record.RULE_SOURCE), 0x0a000000);
  t.is(i32at(rule + record.RULE_SOURCE_MASK) >>> 0, 0xff000000);
  t.is(i32at(rule + record.RULE_DESTINATION) >>> 0, 0xc0a80000);
  t.is(get8(rule + record.RULE_PROTOCOL), 6);
  t.is(get8(rule + record.RULE_TARGET), record.TARGET_DROP);
  t.deepEqual(
    [0, 2].map(i => u16at(rule + record.RULE_SOURCE_PORTS + i)),
    [0, 65535],
  );
  t.deepEqual(
    [0, 2].map(i => u16at(rule + record.RULE_DESTINATION_PORTS + i)),
    [80, 90],
  );
  t.is(u16at(rule + record.RULE_TCP_MASK), SYN_OF_FLAGS);
  t.is(get8(rule + record.RULE_STATES), record.STATE_BIT_NEW);
  const { RULE_HAS_PORTS, RULE_HAS_STATE, RULE_HAS_TCP_FLAGS, RULE_NOT_DESTINATION } = record;
  t.is(
    u16at(rule + record.RULE_FLAGS),
    RULE_HAS_PORTS | RULE_HAS_TCP_FLAGS | RULE_HAS_STATE | RULE_NOT_DESTINATION,
  );
  t.deepEqual(kinds(rule), []);
});

test('behind a match that counts they stand in operations, and so does the second of a kind', t => {
  const { quiet, type } = rulesLab();
  quiet('iptables -A INPUT -p tcp -m limit --limit 5/s --dport 22 -m state --state NEW -j LOG');
  const { OPERATION_FIELDS, OPERATION_LIMIT, OPERATION_LOG, OPERATION_TCP_OPTION } = record;
  t.deepEqual(kinds(first(record.CHAIN_INPUT)), [
    OPERATION_LIMIT,
    OPERATION_FIELDS,
    OPERATION_FIELDS,
    OPERATION_LOG,
  ]);
  t.is(u16at(first(record.CHAIN_INPUT) + record.RULE_FLAGS), 0);
  quiet(
    'iptables -F',
    'iptables -A INPUT -p tcp --dport 22 -m length --length 5 --tcp-option 7 -m state --state NEW',
  );
  const rule = first(record.CHAIN_INPUT);
  t.deepEqual(kinds(rule), [OPERATION_FIELDS, OPERATION_TCP_OPTION, record.OPERATION_LENGTH]);
  t.is(u16at(rule + record.RULE_FLAGS), record.RULE_HAS_STATE);
  t.deepEqual(type('iptables -S INPUT').slice(1), [
    '-A INPUT -p tcp -m tcp --dport 22 --tcp-option 7 -m length --length 5 -m state --state NEW',
  ]);
});

test('a bucket is full when it is written, and too large a one is told in ticks', t => {
  const { quiet, type } = rulesLab();
  quiet(
    'iptables -A FORWARD -m limit --limit 3/sec --limit-burst 7',
    'iptables -A INPUT -m limit --limit 1/day --limit-burst 5',
  );
  const bucket = (chain: number): number[] => {
    const at = record.cellAt(u16at(first(chain) + record.RULE_OPERATIONS));
    return [record.LIMIT_COST, record.LIMIT_MOST, record.LIMIT_LEFT, record.LIMIT_REFILL].map(i =>
      i32at(at + i),
    );
  };
  t.deepEqual(bucket(record.CHAIN_FORWARD), [3333, 23331, 23331, 100]);
  t.deepEqual(bucket(record.CHAIN_INPUT), [8640000, 43200000, 43200000, 1]);
  t.deepEqual(type('iptables -A FORWARD -m limit --limit 1/day --limit-burst 10000'), [
    'iptables: Numerical result out of range.',
  ]);
});

test('what the period wrote is taken beside what 1.8.9 takes', t => {
  const { quiet, type } = rulesLab();
  quiet(
    'iptables -A FORWARD -p ! tcp -i ! eth0 -s ! 10.0.0.1 -d 0/0',
    'iptables -A FORWARD -p TCP --dport ! 22 --sport ! 1024:65535 -m state --state ! NEW',
    'iptables -A FORWARD -m limit --limit 3/minute -j LOG --log-level err --log-prefix "x: "',
    'iptables --append FORWARD --protocol icmp --icmp-type ! 8 --jump REJECT',
    'iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset',
    'iptables -A FORWARD -p ipv6-crypt -d any/0 -j ACCEPT',
  );
  t.deepEqual(type('iptables -S FORWARD').slice(1), [
    '-A FORWARD ! -s 10.0.0.1/32 ! -i eth0 ! -p tcp',
    '-A FORWARD -p tcp -m tcp ! --sport 1024:65535 ! --dport 22 -m state ! --state NEW',
    '-A FORWARD -m limit --limit 3/min -j LOG --log-prefix "x: " --log-level 3',
    '-A FORWARD -p icmp -m icmp ! --icmp-type 8 -j REJECT --reject-with icmp-port-unreachable',
    '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset',
    '-A FORWARD -p esp -j ACCEPT',
  ]);
});

test('nothing of a refused line stays', t => {
  const { memory, quiet, type } = rulesLab();
  quiet('iptables -A FORWARD -p tcp --dport 1 -m comment --comment "a b" -j LOG');
  const before = memory.slice();
  for (const line of [
    '-A FORWARD -p tcp -m multiport --dports 1,2 -m comment --comment x -j NOSUCH',
    '-A FORWARD -s 1.1.1.1,2.2.2.2 -m limit -j MASQUERADE',
    '-A NOSUCH -m limit -j ACCEPT',
    '-I FORWARD 9 -m limit -j ACCEPT',
    '-t nat -A PREROUTING -p tcp -j DNAT --to 1.2.3.4:5 -m nosuch',
    '-D FORWARD -p tcp -m recent --set',
  ])
    t.regex(type(`iptables ${line}`)[0] ?? '', /^iptables/, line);
  // Which cells are free, and what was in them, is another matter.
  const same = (at: number, bytes: number): boolean =>
    memory.slice(at, at + bytes).join() === before.slice(at, at + bytes).join();
  for (let chain = 1; chain < record.CHAIN_USER; chain++) t.true(same(record.chainAt(chain), 64));
  t.true(same(first(record.CHAIN_FORWARD), 64));
  t.deepEqual(type('iptables -S FORWARD').length, 2);
});

test('loops are refused when they are entered, and chains that are too deep', t => {
  const { quiet, type } = rulesLab();
  quiet('iptables -N a', 'iptables -N b', 'iptables -A a -j b');
  t.deepEqual(type('iptables -A b -g a'), ['iptables: Too many levels of symbolic links.']);
  t.deepEqual(type('iptables -A a -j a'), ['iptables: Too many levels of symbolic links.']);
  for (let i = 0; i <= RULE_DEPTH; i++) quiet(`iptables -N d${i}`);
  let refused = 0;
  for (let i = 0; i < RULE_DEPTH; i++) if (type(`iptables -A d${i} -j d${i + 1}`).length > 0) refused++;
  t.is(refused, 1);
});

test("a user's chain may have what all the hooks allow that lead to it", t => {
  const { quiet, type } = rulesLab();
  const invalid = ["iptables: Invalid argument. Run `dmesg' for more information."];
  quiet('iptables -t nat -N u', 'iptables -t nat -A u -j MASQUERADE');
  t.deepEqual(type('iptables -t nat -A PREROUTING -j u'), invalid);
  quiet('iptables -t nat -A POSTROUTING -j u', 'iptables -t nat -N v', 'iptables -t nat -A u -j v');
  t.deepEqual(type('iptables -t nat -A v -j REDIRECT'), invalid);
  quiet('iptables -N w', 'iptables -A OUTPUT -j w');
  t.deepEqual(type('iptables -A w -m mac --mac-source 1:2:3:4:5:6'), invalid);
});

test('names of interfaces mean links, and an alias says which', t => {
  const { quiet, context, type } = rulesLab();
  quiet(
    'iptables -A FORWARD -i eth0 -o eth1',
    'iptables -A FORWARD -i ppp+ -o lan',
    'iptables -A INPUT -i lo',
    'iptables -A INPUT -i eth+',
  );
  const meant = (name: string): boolean[] => {
    for (let n = 1; n < RULE_NAME_COUNT; n++) {
      const at = record.nameAt(n);
      const text = [...context.machine.memory.subarray(at, at + name.length + 1)];
      if (String.fromCharCode(...text) !== `${name}\0`) continue;
      return [INTERFACE_LAN, INTERFACE_WAN].map(link => (i32at(RULE_LINKS_AT + 4 * link) & (1 << n)) !== 0);
    }
    return [];
  };
  t.deepEqual(meant('eth0'), [true, false]);
  t.deepEqual(meant('eth1'), [false, true]);
  t.deepEqual(meant('ppp+'), [false, true]);
  t.deepEqual(meant('lan'), [true, false]);
  t.deepEqual(meant('lo'), [false, false]);
  t.deepEqual(meant('eth+'), [true, true]);
  t.deepEqual(type('set alias eth0 wan'), []);
  t.deepEqual(meant('eth0'), [false, true]);
  t.deepEqual(meant('eth+'), [false, true]);
  t.regex(type('set alias lan wan')[0] ?? '', /^Cannot set alias lan wan: lan is a link's own name$/);
  t.deepEqual(type('unset alias eth0'), []);
  t.deepEqual(meant('eth0'), [true, false]);
});

test('there are so many names of interfaces, and those that no rule has are given to others', t => {
  const { quiet, type } = rulesLab();
  for (let i = 1; i < RULE_NAME_COUNT; i++) quiet(`iptables -A FORWARD -i x${i}`);
  t.regex(
    type('iptables -A FORWARD -i y')[0] ?? '',
    /^iptables: Memory allocation problem: rules have 31 different names/,
  );
  quiet('iptables -D FORWARD -i x7', 'iptables -A FORWARD -i y');
  t.is(type('iptables -S FORWARD').at(-1), '-A FORWARD -i y');
});

test('the configuration keeps lines that are in the order of iptables-save, whatever was typed when', t => {
  const { quiet, saved } = rulesLab();
  quiet(
    'iptables -A FORWARD -j ACCEPT',
    'iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE',
    'iptables -P OUTPUT DROP',
    'iptables -N zoo',
    'iptables -A zoo -p tcp -j DROP',
    'iptables -N ape',
    'iptables -I FORWARD -j zoo',
    'iptables -A INPUT -i lo -j ACCEPT',
    'iptables -P FORWARD DROP',
    'iptables -t mangle -A PREROUTING -j MARK --set-mark 1',
    'iptables -A ape -s 10.0.0.1,10.0.0.2 -j DROP',
  );
  t.deepEqual(saved(), [
    'iptables -t mangle -A PREROUTING -j MARK --set-xmark 0x1/0xffffffff',
    'iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE',
    'iptables -P FORWARD DROP',
    'iptables -P OUTPUT DROP',
    'iptables -N ape',
    'iptables -N zoo',
    'iptables -A INPUT -i lo -j ACCEPT',
    'iptables -A FORWARD -j zoo',
    'iptables -A FORWARD -j ACCEPT',
    'iptables -A ape -s 10.0.0.1/32 -j DROP',
    'iptables -A ape -s 10.0.0.2/32 -j DROP',
    'iptables -A zoo -p tcp -m tcp -j DROP'.replace(' -m tcp', ''),
  ]);
  quiet(
    'iptables -E zoo bar',
    'iptables -D ape 1',
    'iptables -R FORWARD 2 -j DROP',
    'iptables -P OUTPUT ACCEPT',
  );
  t.deepEqual(saved().slice(2), [
    'iptables -P FORWARD DROP',
    'iptables -P OUTPUT ACCEPT',
    'iptables -N ape',
    'iptables -N bar',
    'iptables -A INPUT -i lo -j ACCEPT',
    'iptables -A FORWARD -j bar',
    'iptables -A FORWARD -j DROP',
    'iptables -A ape -s 10.0.0.2/32 -j DROP',
    'iptables -A bar -p tcp -j DROP',
  ]);
  quiet('iptables -F', 'iptables -X');
  t.deepEqual(saved().slice(2), ['iptables -P FORWARD DROP', 'iptables -P OUTPUT ACCEPT']);
  quiet('clear rules');
  t.deepEqual(saved(), []);
  t.is(i32at(RULE_HOOKS_AT), 0);
});

test('saved lines bring the same about, all of them or none', t => {
  const { context, quiet, saved, type } = rulesLab();
  const { sections } = context.registry;
  const [section] = sections.all;
  if (section === undefined) throw new Error('There is no section');
  quiet(
    'iptables -N u',
    'iptables -A u -m comment --comment "a  b" -j LOG --log-prefix "u: "',
    'iptables -A FORWARD -j u',
    'iptables -P OUTPUT DROP',
  );
  const lines = saved();
  const listing = type('iptables -S');
  const take = (all: readonly string[]): string[] => {
    sections.draft.clear();
    for (const line of all) sections.draft.append(0, `${line}\n`);
    const job = sections.bringAbout();
    for (;;) {
      const { done, value } = job.next();
      if (done === true) return value;
    }
  };
  t.deepEqual(take([]), []);
  t.is(i32at(RULE_HOOKS_AT), 0);
  t.deepEqual(take(lines), []);
  t.deepEqual(type('iptables -S'), listing);
  t.deepEqual(saved(), lines);
  t.deepEqual(take([...lines, 'iptables -A FORWARD -j NOSUCH', 'iptables -D FORWARD 1']), [
    "iptables v1.8.9 (legacy): Couldn't load target `NOSUCH':No such file or directory",
    'iptables: -D is not for this: rules are added by -A, -I, -N and -P.',
  ]);
  t.deepEqual(take(['iptables -t nat -A POSTROUTING -j MASQUERADE', 'iptables -N a', 'iptables -A a -j a']), [
    'iptables: Too many levels of symbolic links.',
  ]);
  t.deepEqual(type('iptables -S'), listing);
  t.deepEqual(type('iptables -t nat -S').length, 4);
  t.deepEqual(saved(), lines);
});

test('iptables-restore takes a table whole or not at all', t => {
  const { quiet, restore, saved, type } = rulesLab();
  quiet(
    'iptables -N old',
    'iptables -A old -j DROP',
    'iptables -A INPUT -j old',
    'iptables -t nat -A POSTROUTING -j MASQUERADE',
  );
  const text = [
    '# Generated by iptables-save v1.8.9 on a day',
    '*filter',
    ':INPUT DROP [5:6]',
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ':new - [0:0]',
    '[7:80] -A INPUT -i lo -j ACCEPT',
    '-A INPUT -j new',
    '[1:2] -A new -p tcp --dport 80 -m comment --comment "a  b" -j ACCEPT',
    'COMMIT',
    '# Completed on a day',
  ];
  t.deepEqual(restore('-c', text), []);
  t.deepEqual(type('iptables -S -v'), [
    '-P INPUT DROP -c 5 6',
    '-P FORWARD ACCEPT -c 0 0',
    '-P OUTPUT ACCEPT -c 0 0',
    '-N new',
    '-A INPUT -i lo -c 7 80 -j ACCEPT',
    '-A INPUT -c 0 0 -j new',
    '-A new -p tcp -m tcp --dport 80 -m comment --comment "a  b" -c 1 2 -j ACCEPT',
  ]);
  const lines = saved();
  t.deepEqual(lines, [
    'iptables -t nat -A POSTROUTING -j MASQUERADE',
    'iptables -P INPUT DROP',
    'iptables -N new',
    'iptables -A INPUT -i lo -j ACCEPT',
    'iptables -A INPUT -j new',
    'iptables -A new -p tcp -m tcp --dport 80 -m comment --comment "a  b" -j ACCEPT',
  ]);
  const bad = ['*filter', ':INPUT ACCEPT', '-A INPUT -j ACCEPT'];
  t.deepEqual(restore('', [...bad, '-A INPUT --foo', 'COMMIT']), [
    'iptables-restore v1.8.9 (legacy): unknown option "--foo"',
    'Error occurred at line: 4',
    "Try `iptables-restore -h' or 'iptables-restore --help' for more information.",
  ]);
  t.deepEqual(restore('', [...bad, '-A NOSUCH -j DROP', 'COMMIT']), ['iptables-restore: line 4 failed']);
  t.deepEqual(restore('', [...bad, '-A INPUT -j new', 'COMMIT']), ['iptables-restore: line 4 failed']);
  t.deepEqual(restore('', bad), ['iptables-restore: COMMIT expected at line 4']);
  t.deepEqual(restore('', ['*nat', '-A PREROUTING -j MASQUERADE', 'COMMIT']), [
    'iptables-restore: line 3 failed',
  ]);
  t.deepEqual(saved(), lines);
  t.deepEqual(
    restore('-n', ['*filter', ':new - [0:0]', '-A FORWARD -j new', '-A new -j RETURN', 'COMMIT']),
    [],
  );
  t.deepEqual(saved().slice(3), [
    'iptables -A INPUT -i lo -j ACCEPT',
    'iptables -A INPUT -j new',
    'iptables -A FORWARD -j new',
    'iptables -A new -j RETURN',
  ]);
});

test('iptables-save and iptables-restore go round', t => {
  const { quiet, restore, type } = rulesLab();
  quiet(
    'iptables -P FORWARD DROP',
    'iptables -N u',
    'iptables -A FORWARD -c 5000000000 7000000000000 -p tcp --dport 80 -j u',
    'iptables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to 192.168.0.2:8080',
  );
  const text = type('iptables-save -c');
  t.true(text.includes('[5000000000:7000000000000] -A FORWARD -p tcp -m tcp --dport 80 -j u'));
  quiet('clear rules');
  t.deepEqual(type('iptables-save -c'), []);
  t.deepEqual(restore('--counters', text), []);
  t.deepEqual(type('iptables-save -c'), text);
  t.deepEqual(restore('-t', ['*filter', '-A INPUT -j DROP', 'COMMIT']), []);
  t.deepEqual(type('iptables-save -c'), text);
  t.deepEqual(
    type('iptables-save -t nat').filter(row => row.startsWith('*')),
    ['*nat'],
  );
});

test('what a policy opens, and what cuts the LAN off, is said', t => {
  const { quiet, type } = rulesLab();
  t.regex(type('iptables -P FORWARD ACCEPT')[0] ?? '', /^What comes unasked from outside stays out/);
  t.deepEqual(type('iptables -P FORWARD ACCEPT'), []);
  t.regex(
    type('iptables -P INPUT DROP')[0] ?? '',
    /^The LAN's DHCP, DNS and pings to the router are now dropped/,
  );
  for (const line of ['iptables -A INPUT -i eth0 -j ACCEPT', 'iptables -P INPUT DROP'])
    t.deepEqual(type(line), []);
  t.regex(type('iptables -F INPUT')[0] ?? '', /^The LAN's DHCP/);
  quiet('iptables -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT');
  t.deepEqual(type('iptables -P INPUT DROP'), [], 'it is told once');
  quiet('iptables -I INPUT -i lan -j ACCEPT', 'iptables -P INPUT ACCEPT');
  // By a rule as well, in a chain of its own, and the answers too.
  quiet('iptables -N refuse');
  type('iptables -I INPUT -p udp --dport 53 -j refuse');
  t.deepEqual(type('iptables -A refuse -j REJECT'), [
    "The LAN's DNS are now dropped: iptables -I INPUT -i lan -j ACCEPT lets them in",
  ]);
  t.deepEqual(type('iptables -A OUTPUT -p udp --sport 67 -j DROP'), [
    "The LAN's answers of DHCP are now dropped: iptables -I OUTPUT -o lan -j ACCEPT lets them out",
  ]);
});

test('a chain is opened to strangers by its name, and on trial alone', t => {
  const { context, quiet, saved, type } = rulesLab();
  const { registry } = context;
  t.regex(
    type('iptables -P FORWARD ACCEPT open').join(' '),
    /everybody outside would reach the hosts inside.* confirm 5/,
  );
  t.deepEqual(saved(), []);
  t.is(
    type('explain tcp 204.152.184.112 192.168.0.2 80').at(-1),
    'It is dropped: nobody inside asked for it',
  );
  registry.isOnTrial = () => true;
  t.regex(type('iptables -P OUTPUT ACCEPT open').join(' '), /open is said of INPUT and FORWARD/);
  t.regex(type('iptables -P FORWARD ACCEPT open').join(' '), /^FORWARD is open to everybody outside/);
  registry.isOnTrial = () => false;
  t.is(type('explain tcp 204.152.184.112 192.168.0.2 80').at(-1), 'It leaves by lan');
  t.deepEqual(saved(), ['iptables -P FORWARD ACCEPT open']);
  t.is(type('iptables -S FORWARD')[0], '-P FORWARD ACCEPT');
  quiet('iptables -F');
  t.is(type('explain tcp 204.152.184.112 192.168.0.2 80').at(-1), 'It leaves by lan');
  type('iptables -P FORWARD ACCEPT');
  t.is(
    type('explain tcp 204.152.184.112 192.168.0.2 80').at(-1),
    'It is dropped: nobody inside asked for it',
  );
});

test('iptables-restore -n takes rules and chains out as well, each table whole or not at all', t => {
  const { quiet, restore, saved } = rulesLab();
  quiet(
    'iptables -N old',
    'iptables -N web',
    'iptables -A FORWARD -p tcp --dport 80 -j web',
    'iptables -A FORWARD -p udp -j DROP',
    'iptables -A FORWARD -s 10.0.0.1 -j DROP',
    'iptables -A FORWARD -s 10.0.0.2 -j DROP',
    'iptables -A web -j ACCEPT',
  );
  const before = saved();
  t.regex(restore('-n', ['*filter', '-D FORWARD 9', 'COMMIT']).join(' '), /line 2 failed/);
  t.regex(restore('-n', ['*filter', '-X old', '-X web', 'COMMIT']).join(' '), /line 3 failed/);
  t.regex(restore('-n', ['*filter', '-F web', '-X web', 'COMMIT']).join(' '), /line 3 failed/);
  t.deepEqual(saved(), before);
  const lines = [
    '-D FORWARD -s 10.0.0.1,10.0.0.2 -j DROP',
    '-R FORWARD 2 -p icmp -j DROP',
    '-F web',
    '-X old',
    '-A web -j DROP',
    '-Z',
  ];
  t.deepEqual(restore('-n', ['*filter', ...lines, 'COMMIT']), []);
  t.deepEqual(saved(), [
    'iptables -N web',
    'iptables -A FORWARD -p tcp -m tcp --dport 80 -j web',
    'iptables -A FORWARD -p icmp -j DROP',
    'iptables -A web -j DROP',
  ]);
});

test('a rule of nat about what the router itself gets is taken, and said to be asked by none', t => {
  const { quiet, restore, type } = rulesLab();
  const said = ["nat's INPUT is not asked: what the router itself gets keeps its source"];
  const rule = '-A INPUT -p tcp -m tcp --dport 80 -j SNAT --to-source 192.168.0.5';
  quiet('iptables -t nat -A POSTROUTING -o wan -j MASQUERADE', 'iptables -t nat -A OUTPUT -j ACCEPT');
  t.deepEqual(type(`iptables -t nat ${rule}`), said);
  quiet('iptables -t nat -A INPUT -j ACCEPT', 'iptables -t nat -F');
  t.deepEqual(restore('', ['*nat', rule, 'COMMIT']), said);
  t.deepEqual(
    type('iptables-save -t nat').filter(row => row.startsWith('-A')),
    [rule],
  );
});

test('a segment size of 0 is refused, and is no clamping', t => {
  const { type } = rulesLab();
  t.regex(
    type('iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 0').join(),
    /--set-mss.*1-65515/,
  );
  t.deepEqual(type('iptables -t mangle -S FORWARD'), ['-P FORWARD ACCEPT']);
});
