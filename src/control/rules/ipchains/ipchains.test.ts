// ipchains against what the genuine 1.3.9 prints: listings, echoes, refusals, and the lines that are kept.

import test from 'ava';
import { payload, read, tcp, udp } from '../../../../test/packets.ts';
import { HOST, SERVER } from '../../../../test/plane-router.ts';
import { rulesLab } from '../rules-lab.ts';
import { runIpchains } from './overlay.ts';

const TRY = "Try `ipchains -h' or 'ipchains --help' for more information.";

const SCRIPT = [
  'ipchains -N user1',
  'ipchains -P forward DENY',
  'ipchains -A input -p tcp -s 0/0 1024:65535 -d 192.168.0.1 80 -y -j REDIRECT 3128',
  'ipchains -A input -i ppp0 -p icmp -s 0/0 8 -l -j DENY',
  'ipchains -A input -i ! eth+ -s ! 10.0.0.0/8 -j user1',
  'ipchains -A user1 -p 47 -m 5 -j RETURN',
  'ipchains -A user1 -f -j REJECT',
  'ipchains -A forward -i ppp0 -s 192.168.0.0/24 -j MASQ',
  'ipchains -A output -p tcp -d 0/0 22 -t 0x01 0x10 -m -3',
  'ipchains -A input -p tcp -j REDIRECT',
];

function filled() {
  const lab = rulesLab();
  lab.quiet(...SCRIPT);
  return lab;
}

const LISTED = `Chain input (policy ACCEPT):
target     prot opt     source                destination           ports
REDIRECT   tcp  -y----  0.0.0.0/0            192.168.0.1           1024:65535 ->   80 => 3128
DENY       icmp ----l-  0.0.0.0/0            0.0.0.0/0             8 ->   *
user1      all  ------ !10.0.0.0/8           0.0.0.0/0             n/a
REDIRECT   tcp  ------  0.0.0.0/0            0.0.0.0/0             * ->   * =>  *
Chain forward (policy DENY):
target     prot opt     source                destination           ports
MASQ       all  ------  192.168.0.0/24       0.0.0.0/0             n/a
Chain output (policy ACCEPT):
target     prot opt     source                destination           ports
-          tcp  ------  0.0.0.0/0            0.0.0.0/0             * ->   22
Chain user1 (1 references):
target     prot opt     source                destination           ports
RETURN     gre  ------  0.0.0.0/0            0.0.0.0/0             n/a
REJECT     all  ---f--  0.0.0.0/0            0.0.0.0/0             n/a`;

const VERBOSE = `Chain input (policy ACCEPT: 0 packets, 0 bytes):
 pkts bytes target     prot opt    tosa tosx  ifname     mark       outsize  source                destination           ports
    0     0 REDIRECT   tcp  -y---- 0xFF 0x00  *                              0.0.0.0/0            192.168.0.1           1024:65535 ->   80 => 3128
    0     0 DENY       icmp ----l- 0xFF 0x00  ppp0                           0.0.0.0/0            0.0.0.0/0             8 ->   *
    0     0 user1      all  ------ 0xFF 0x00 !eth+                          !10.0.0.0/8           0.0.0.0/0             n/a
    0     0 REDIRECT   tcp  ------ 0xFF 0x00  *                              0.0.0.0/0            0.0.0.0/0             * ->   * =>  *
Chain forward (policy DENY: 0 packets, 0 bytes):
 pkts bytes target     prot opt    tosa tosx  ifname     mark       outsize  source                destination           ports
    0     0 MASQ       all  ------ 0xFF 0x00  ppp0                           192.168.0.0/24       0.0.0.0/0             n/a
Chain output (policy ACCEPT: 0 packets, 0 bytes):
 pkts bytes target     prot opt    tosa tosx  ifname     mark       outsize  source                destination           ports
    0     0 -          tcp  ------ 0x01 0x10  *          0xfffffffd            0.0.0.0/0            0.0.0.0/0             * ->   22
Chain user1 (1 references):
 pkts bytes target     prot opt    tosa tosx  ifname     mark       outsize  source                destination           ports
    0     0 RETURN     gre  ------ 0xFF 0x00  *          0x5                   0.0.0.0/0            0.0.0.0/0             n/a
    0     0 REJECT     all  ---f-- 0xFF 0x00  *                              0.0.0.0/0            0.0.0.0/0             n/a`;

test('-L is what 1.3.9 lists, in all its forms', t => {
  const lab = filled();
  t.is(lab.type('ipchains -L -n').join('\n'), LISTED);
  t.is(lab.type('ipchains -L -n -v').join('\n'), VERBOSE);
  t.is(
    lab.type('ipchains --list input --numeric --exact').join('\n'),
    LISTED.split('\n').slice(0, 6).join('\n'),
  );
  t.deepEqual(lab.type('ipchains -L input'), [
    'Chain input (policy ACCEPT):',
    'target     prot opt     source                destination           ports',
    'REDIRECT   tcp  -y----  anywhere             192.168.0.1           1024:65535 ->   http => 3128',
    'DENY       icmp ----l-  anywhere             anywhere              echo-request',
    'user1      all  ------ !10.0.0.0/8           anywhere              n/a',
    'REDIRECT   tcp  ------  anywhere             anywhere              any ->   any =>  any',
  ]);
  t.deepEqual(lab.type('ipchains -L user1 -n --line-numbers'), [
    'Chain user1 (1 references):',
    'num  target     prot opt     source                destination           ports',
    '1    RETURN     gre  ------  0.0.0.0/0            0.0.0.0/0             n/a',
    '2    REJECT     all  ---f--  0.0.0.0/0            0.0.0.0/0             n/a',
  ]);
});

test('without rules there are three chains, and no memory is read', t => {
  const lab = rulesLab();
  t.deepEqual(lab.type('ipchains -L -n -v'), [
    'Chain input (policy ACCEPT: 0 packets, 0 bytes):',
    'Chain forward (policy ACCEPT: 0 packets, 0 bytes):',
    'Chain output (policy ACCEPT: 0 packets, 0 bytes):',
  ]);
  lab.quiet('ipchains -F', 'ipchains -F input', 'ipchains -X', 'ipchains -Z');
  t.deepEqual(lab.type('ipchains -L nobody'), ['ipchains: No chain by that name']);
  t.deepEqual(lab.type('ipchains -F nobody'), ['ipchains: No chain by that name']);
});

test('-v says what is done', t => {
  const lab = rulesLab();
  t.deepEqual(lab.type('ipchains -v -A forward -i ppp0 -s 192.168.1.0/24 -j MASQ'), [
    'MASQ  all opt    ------ tos 0xFF 0x00  via ppp0    192.168.1.0/24 -> 0.0.0.0/0    n/a',
  ]);
  lab.quiet('ipchains -N x');
  t.deepEqual(lab.type('ipchains -F forward -v'), ["Flushing chain `forward'"]);
  t.deepEqual(lab.type('ipchains -Z x -v'), ["Zeroing chain `x'"]);
  t.deepEqual(lab.type('ipchains -X -v'), ["Deleting chain `x'"]);
  t.deepEqual(lab.type('ipchains -V'), ['ipchains 1.3.9, 17-Mar-1999']);
});

test('a `!` stands before the option or behind it', t => {
  const lab = rulesLab();
  lab.quiet(
    'ipchains -A input -p tcp ! -y -s ! 10.0.0.1 ! 80 -j ACCEPT',
    'ipchains -A input ! -i eth0 ! -f -j DENY',
    'ipchains -A input -p ! tcp',
    'ipchains -A input -p tcp --sport ! 53 ! --dport 80',
  );
  t.deepEqual(lab.type('ipchains -L input -n').slice(2), [
    'ACCEPT     tcp  !y---- !10.0.0.1             0.0.0.0/0            !80 ->   *',
    'DENY       all  --!f--  0.0.0.0/0            0.0.0.0/0             n/a',
    '-         !tcp  ------  0.0.0.0/0            0.0.0.0/0             * ->   *',
    '-          tcp  ------  0.0.0.0/0            0.0.0.0/0            !53 ->  !80',
  ]);
  t.deepEqual(lab.type('ipchains -A input -p tcp -y ! -j ACCEPT'), [
    'ipchains: cannot have ! before -j',
    '',
    TRY,
  ]);
});

const REFUSED: [line: string, text: string][] = [
  ['-P input deny', "Invalid policy `deny' for -P"],
  ['-P user1 DENY', 'Can only set policy in built-in chains.'],
  ['-P input MASQ', "`-P MASQ' only valid for `forward' chain."],
  ['-N much-too-long', "chain name `much-too-long' too long (must be under 8 chars)"],
  ['-A input -j much-too-long', "Invalid target name `much-too-long' (8 chars max)"],
  ['-A input -p upd', "unknown protocol `upd' specified"],
  ['-A input -p tcp -d 0/0 foo', "invalid port/service `foo' specified"],
  ['-A input -p 47 -d 0/0 80', 'can only specify ports for icmp, tcp or udp'],
  ['-A input -p ! tcp -d 0/0 80', 'no ports allowed without specific protocol'],
  ['-A input -p udp -y', '-y only allowed with TCP protocol'],
  ['-A input -j MASQ', 'masquerading not allowed for input and output chains'],
  ['-A forward -p tcp -j REDIRECT', 'redirect not allowed for output and forward chains'],
  ['-A input -j REDIRECT', 'redirecting only allowed with TCP or UDP'],
  ['-A input -s nobody.example', "host/network `nobody.example' not found"],
  ['-A forward -s -j MASQ', "host/network `-j' not found"],
  ['-A input -s 10.0.0.0/33', "invalid mask `33' specified"],
  ['-D input x', "Invalid rule number `x'"],
  [
    '-C input -p tcp -s 1.2.3.4 -d 1.2.3.4 -i eth0',
    'one port required with source/destination address for -C',
  ],
  ['-M', '-M/--masquerading requires -L/--list or -S/--set'],
  ['-M -S 1', '-S requires 3 timeout values'],
  ['-n', 'no command specified'],
  ['-L -- x', 'unknown arguments found on commandline'],
  ['-A input -p icmp --icmp-type echo-re', "Ambiguous ICMP `echo-re' : `echo-reply' or `echo-request'?"],
];
const SPACED: [line: string, text: string][] = [
  ['-A input -p tcp -p tcp', 'multiple -p flags not allowed'],
  ['-A input -S 1 2 3', "Can't use -S with -A"],
  ['-A input -t 0x00 0x10', 'TOS manipulation cannot alter bit 0 (RFC1349)'],
  ['-A input -n', "Illegal option `-n' with this command"],
  ['-C input', "You need to supply the `-s' option for this command"],
];
const FAILED: [line: string, text: string][] = [
  ['-A nobody', 'No target by that name'],
  ['-A input -j deny', 'No target by that name'],
  ['-A nobody -j MASQ', "No target by that name (Maybe this kernel doesn't support masquerading?)"],
  ['-D nobody -j DENY', 'No chain by that name'],
  ['-D input -j DENY', 'bad rule (does a matching rule exist in that chain?)'],
  ['-D input 9', 'bad rule (does a matching rule exist in that chain?)'],
  ['-R input 9 -j DENY', 'bad rule (does a matching rule exist in that chain?)'],
  ['-X full', 'Chain is not empty'],
  ['-X led', 'Device or resource busy'],
  ['-X input', 'Device or resource busy'],
  ['-N full', 'Chain already exists'],
  ['-C input -i eth9 -p 47 -s 1.2.3.4 -d 1.2.3.4', 'bad arguments (does that interface exist?)'],
  ['-A led -j led', 'Too many levels of symbolic links'],
];

test('refuses what 1.3.9 and its kernel refuse, with their texts', t => {
  const lab = rulesLab();
  lab.quiet('ipchains -N full', 'ipchains -A full -j DENY', 'ipchains -N led', 'ipchains -A input -j led');
  const before = lab.saved(true);
  for (const [line, text] of REFUSED)
    t.deepEqual(lab.type(`ipchains ${line}`), [`ipchains: ${text}`, TRY], line);
  for (const [line, text] of SPACED)
    t.deepEqual(lab.type(`ipchains ${line}`), [`ipchains: ${text}`, '', TRY], line);
  for (const [line, text] of FAILED) t.deepEqual(lab.type(`ipchains ${line}`), [`ipchains: ${text}`], line);
  t.deepEqual(lab.type('ipchains -A input x'), [TRY]);
  t.deepEqual(lab.saved(true), before);
});

test('lines are kept in canonical form, in their order', t => {
  const lab = filled();
  const lines = lab.saved(true);
  t.deepEqual(
    lines,
    [
      'ipchains -P forward DENY',
      'ipchains -N user1',
      'ipchains -A input -p tcp -s 0.0.0.0/0 1024:65535 -d 192.168.0.1/32 80 -y -j REDIRECT 3128',
      'ipchains -A input -i ppp0 -p icmp -s 0.0.0.0/0 8 -j DENY -l',
      'ipchains -A input -i ! eth+ -s ! 10.0.0.0/8 -j user1',
      'ipchains -A input -p tcp -j REDIRECT',
      'ipchains -A forward -i ppp0 -s 192.168.0.0/24 -j MASQ',
      'ipchains -A output -p tcp -d 0.0.0.0/0 22 -m -3 -t 0x01 0x10',
      'ipchains -A user1 -p gre -j RETURN -m 5',
      'ipchains -A user1 -j REJECT -f',
    ].map(line => line.replace('-j REJECT -f', '-f -j REJECT')),
  );
  // Insertions, deletions and another order.
  lab.quiet(
    'ipchains -I input -j ACCEPT',
    'ipchains -D input 3',
    'ipchains -R input 2 -p udp -j DENY',
    'ipchains -b -A input -s 1.2.3.4 -d 4.3.2.1',
  );
  t.deepEqual(
    lab.saved(true).filter(line => line.includes('-A input')),
    [
      'ipchains -A input -j ACCEPT',
      'ipchains -A input -p udp -j DENY',
      'ipchains -A input -i ! eth+ -s ! 10.0.0.0/8 -j user1',
      'ipchains -A input -p tcp -j REDIRECT',
      'ipchains -A input -s 1.2.3.4/32 -d 4.3.2.1/32',
      'ipchains -A input -s 4.3.2.1/32 -d 1.2.3.4/32',
    ],
  );
  lab.quiet(
    'ipchains -D input -p tcp -j REDIRECT',
    'ipchains -D input -b -s 1.2.3.4 -d 4.3.2.1',
    'ipchains -F',
    'ipchains -X',
    'clear rules',
  );
  t.deepEqual(lab.saved(true), []);
  // Made now: the memory that is looked at is that of the last one made.
  const other = rulesLab();
  other.quiet(...lines);
  t.deepEqual(other.saved(true), lines);
  t.is(other.type('ipchains -L -n -v').join('\n'), VERBOSE);
});

test('one dialect owns the rules, until there are none', t => {
  const lab = rulesLab();
  lab.quiet('ipchains -A input -j ACCEPT');
  t.deepEqual(lab.type('iptables -A INPUT -j DROP'), [
    'Cannot change rules by iptables: those of ipchains are in force, until clear rules takes them away',
  ]);
  t.deepEqual(lab.type('iptables -L -n').slice(0, 2), [
    'Rules of ipchains are in force, which iptables does not list: ipchains -L does',
    'Chain INPUT (policy ACCEPT)',
  ]);
  lab.quiet('clear rules', 'iptables -A INPUT -j ACCEPT');
  t.deepEqual(lab.type('ipchains -A input -j DENY'), [
    'Cannot change rules by ipchains: those of iptables are in force, until clear rules takes them away',
  ]);
  const told = (dialect: string) =>
    `Rules of iptables are in force, which ${dialect} does not list: iptables -L does`;
  t.deepEqual(lab.type('ipchains -L -n'), [
    told('ipchains'),
    'Chain input (policy ACCEPT):',
    'Chain forward (policy ACCEPT):',
    'Chain output (policy ACCEPT):',
  ]);
  t.deepEqual(lab.type('ipchains -C input -i eth0 -p udp -s 1.2.3.4 1 -d 1.2.3.4 1'), [
    told('ipchains'),
    'accepted',
  ]);
  t.deepEqual(lab.type('ipfwadm -I -l -n'), [
    told('ipfwadm'),
    'IP firewall input rules, default policy: accept',
  ]);
  // In a script it is on standard error.
  const errors: string[] = [];
  const beside = { complain: (text: string) => errors.push(text), canAsk: false };
  lab.output.length = 0;
  const job = runIpchains(
    { context: lab.context, aliases: new Map() } as unknown as Parameters<typeof runIpchains>[0],
    ['-L', '-n'],
    beside,
  );
  for (const _ of job ?? []);
  t.is(lab.output.length, 3);
  t.deepEqual(errors, [told('ipchains')]);
  lab.quiet('iptables -F', 'ipchains -P forward DENY');
});

test('who cuts the LAN off is told so, once', t => {
  const lab = rulesLab();
  const [told = ''] = lab.type('ipchains -P input DENY');
  t.regex(told, /^The LAN's DNS .*: ipchains -A input -i lan -j ACCEPT lets them in$/);
  lab.quiet('ipchains -P input REJECT', 'ipchains -F', 'ipchains -A input -i lan -j ACCEPT', 'clear rules');
  lab.quiet('ipchains -A input -i eth+ -j ACCEPT', 'ipchains -P input DENY');
  t.deepEqual(lab.type('ipchains -R input 1 -i ! lan -j ACCEPT'), [told]);
  lab.quiet('clear rules');
  t.regex(lab.type('ipfwadm -I -p deny').join(), /dropped.*: ipfwadm -I -a accept -W lan lets them in$/);
});

test('a section of lines is taken whole or not at all', t => {
  const lab = filled();
  const { sections } = lab.context.registry;
  const section = sections.all[1];
  if (section === undefined) return t.fail();
  const take = (lines: readonly string[]): string[] => {
    const refusals: string[] = [];
    section.begin?.();
    for (const line of lines) refusals.push(lab.refusal(() => section.take(line)));
    refusals.push(lab.refusal(() => section.end?.(refusals.every(text => text === ''))));
    return refusals.filter(text => text !== '');
  };
  t.deepEqual(take(['ipchains -N b', 'ipchains -N a', 'ipchains -A input -j user1']), [
    'ipchains: No target by that name',
  ]);
  t.is(lab.type('ipchains -L -n').join('\n'), LISTED);
  t.deepEqual(
    take(['ipchains -N b', 'ipchains -N a', 'ipchains -A input -j a', 'ipchains -A a -j DENY']),
    [],
  );
  t.deepEqual(
    lab.type('ipchains -L -n').filter(row => row.startsWith('Chain')),
    [
      'Chain input (policy ACCEPT):',
      'Chain forward (policy ACCEPT):',
      'Chain output (policy ACCEPT):',
      'Chain b (0 references):',
      'Chain a (1 references):',
    ],
  );
  t.deepEqual(take(['ipchains -N a', 'ipchains -A a -j a']).length, 1);
  t.deepEqual(take([]), []);
  t.is(lab.type('ipchains -L -n').length, 3);
});

test('-C walks the rules for a packet that is made up', t => {
  const lab = filled();
  const asked = (words: string): string => lab.type(`ipchains -C ${words}`).join('\n');
  t.is(asked('input -i eth0 -p tcp -y -s 1.2.3.4 2000 -d 192.168.0.1 80'), 'redirected');
  t.is(asked('input -i ppp0 -p icmp -s 1.2.3.4 8 -d 192.168.0.1 0'), 'denied');
  t.is(asked('input -i eth1 -p udp -s 1.2.3.4 8 -d 192.168.0.1 9'), 'accepted');
  t.is(asked('forward -i ppp0 -p udp -s 192.168.0.9 8 -d 1.2.3.4 9'), 'masqueraded');
  t.is(asked('forward -i ppp0 -p udp -s 192.168.1.9 8 -d 1.2.3.4 9'), 'denied');
  t.is(asked('user1 -i eth0 -p 47 -s 192.168.1.9 -d 1.2.3.4'), 'passed through chain');
  t.is(rulesLab().type('ipchains -C input -i eth0 -p 47 -s 192.168.1.9 -d 1.2.3.4').join(), 'accepted');
});

test('-M -S is told to the masquerade, -M -L lists its table', t => {
  const lab = rulesLab();
  t.deepEqual(lab.type('ipchains -M -S 7200 10 160'), ['timeouts 7200 10 160']);
  t.deepEqual(lab.type('ipchains -M -L -n'), ['IP masquerading entries']);
  lab.router.fromHost(
    tcp({ source: HOST, destination: SERVER }, { sourcePort: 1043, destinationPort: 80, flags: 2 }),
  );
  t.regex(
    lab.type('ipchains -M -L')[2] ?? '',
    /^TCP {2}\d\d:\d\d\.\d\d 192\.168\.0\.2 +204\.152\.184\.112 +1043 \(1043\) -> http$/,
  );
  t.regex(lab.type('ipchains -M -L -n -v')[2] ?? '', / 0 {5}0 {5}0 192\.168\.0\.2 .* -> 80$/);
});

test('packets are masqueraded and denied by the rules, and counted', t => {
  const lab = rulesLab();
  lab.quiet(
    'ipchains -P forward DENY',
    'ipchains -A forward -i eth1 -s 192.168.0.0/24 -j MASQ',
    'ipchains -A input -i lan -p udp -d 0/0 9 -l -j DENY',
  );
  const send = (port: number) => {
    lab.router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, port, payload(10)));
    return lab.router.toWan();
  };
  t.is(send(9).length, 0);
  const [frame] = send(7);
  t.is(read(frame as Uint8Array).source, '10.1.2.3');
  t.deepEqual(
    lab
      .type('ipchains -L -n -v')
      .filter(row => / (MASQ|DENY) /.test(row))
      .map(row => row.slice(0, 16)),
    ['    1    38 DENY', '    1    38 MASQ'],
  );
});
