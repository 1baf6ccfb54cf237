// Rules of the old dialects as files: /proc/net against what the genuine tools left in a kernel's memory, ipchains-save and
// ipchains-restore, one behind the other.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { payload, udp } from '../../../../test/packets.ts';
import { HOST, SERVER } from '../../../../test/plane-router.ts';
import { type RulesLab, rulesLab } from '../rules-lab.ts';
import { procText, restoreChains } from './overlay.ts';

const CHAINS = [
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

function filled(): RulesLab {
  const lab = rulesLab();
  lab.quiet(...CHAINS);
  return lab;
}

const FWCHAINS = `    input 00000000/00000000->C0A80001/FFFFFFFF - 2 0 6 0         0         0         0         1024-65535 80-80 AFF X00 00000C38 0 0  REDIRECT
    input 00000000/00000000->00000000/00000000 ppp0 1 0 1 0         0         0         0         8-8 0-65535 AFF X00 00000000 0 0      DENY
    input 0A000000/FF000000->00000000/00000000 eth 10 21 0 0         0         0         0         0-65535 0-65535 AFF X00 00000000 0 0     user1
    input 00000000/00000000->00000000/00000000 - 0 0 6 0         0         0         0         0-65535 0-65535 AFF X00 00000000 0 0  REDIRECT
  forward C0A80000/FFFFFF00->00000000/00000000 ppp0 0 0 0 0         0         0         0         0-65535 0-65535 AFF X00 00000000 0 0      MASQ
   output 00000000/00000000->00000000/00000000 - 0 0 6 0         0         0         0         0-65535 22-22 A01 X10 00000000 4294967293 0         -
    user1 00000000/00000000->00000000/00000000 - 8 0 47 0         0         0         0         0-65535 0-65535 AFF X00 00000000 5 0    RETURN
    user1 00000000/00000000->00000000/00000000 - 4 0 0 0         0         0         0         0-65535 0-65535 AFF X00 00000000 0 0    REJECT
`;

test('/proc/net/ip_fwchains and ip_fwnames are those of 2.2, with exact counts', t => {
  const lab = filled();
  const { context } = lab;
  t.is(procText(context, 'ip_fwchains'), FWCHAINS);
  t.is(
    procText(context, 'ip_fwnames'),
    'input ACCEPT 1 0 0 0 0\nforward DENY 1 0 0 0 0\noutput ACCEPT 1 0 0 0 0\nuser1 - 1 0 0 0 0\n',
  );
  lab.quiet('ipchains -A forward -j MASQ', 'ipchains -A output -o -j ACCEPT', 'ipchains -A output -i + -m 7');
  for (let i = 0; i < 3; i++) {
    lab.router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 9, payload(10)));
    t.is(lab.router.toWan().length, 1);
  }
  const rows = procText(context, 'ip_fwchains').split('\n');
  t.is(
    rows[5],
    '  forward 00000000/00000000->00000000/00000000 - 0 0 0 0         0         0         0         0-65535 0-65535 AFF X00 00000000 0 0      MASQ',
  );
  t.regex(rows[4] ?? '', / 0 {9}3 {9}0 {9}114 {7}0-65535/);
  t.regex(rows[7] ?? '', / - 20 0 0 .* 0 65535 {4}ACCEPT$/);
  t.regex(rows[8] ?? '', / - 18 0 0 .* 00000000 7 0 {9}-$/);
  t.is(procText(context, 'ip_fwnames').split('\n')[0], 'input ACCEPT 1 0 3 0 114');
});

const FWADM = [
  'ipfwadm -F -p deny',
  'ipfwadm -F -a m -S 192.168.0.0/24 -W ppp0',
  'ipfwadm -I -a deny -P tcp -S 0/0 -D 192.168.0.1 25 1024:65535 80 -y -o',
  'ipfwadm -I -a accept -P tcp -S 0/0 -D 0/0 80 -r 3128',
  'ipfwadm -I -a reject -P icmp -S 0/0 5 8 -V 203.0.113.5',
  'ipfwadm -O -a accept -b -k -P tcp -S 192.168.0.0/24 -D 0/0 22 -t 0x01 0x10',
  'ipfwadm -A both -a -P tcp -S 192.168.0.2 -D 0/0 80',
];
const PROC: Record<string, string> = {
  ip_acct: `IP accounting rules
C0A80002/FFFFFFFF->00000000/00000000 - 00000000 1 0 1 0          0          80 0 0 0 0 0 0 0 0 0 AFF X00
`,
  ip_forward: `IP firewall forward rules, default 0
C0A80000/FFFFFF00->00000000/00000000 ppp0 00000000 204 0 0 0          0          0 0 0 0 0 0 0 0 0 0 AFF X00
`,
  ip_input: `IP firewall input rules, default 4
00000000/00000000->C0A80001/FFFFFFFF - 00000000 B1 0 4 0          0          1024 65535 25 80 0 0 0 0 0 0 AFF X00
00000000/00000000->00000000/00000000 - 00000000 805 0 1 0          0          80 3128 0 0 0 0 0 0 0 0 AFF X00
00000000/00000000->00000000/00000000 - CB007105 103 2 0 0          0          5 8 0 0 0 0 0 0 0 0 AFF X00
`,
  ip_output: `IP firewall output rules, default 4
C0A80000/FFFFFF00->00000000/00000000 - 00000000 445 0 1 0          0          22 0 0 0 0 0 0 0 0 0 A01 X10
`,
};

test('/proc/net/ip_input, ip_output, ip_forward and ip_acct are those of 2.0, with exact counts', t => {
  const lab = rulesLab();
  const { context } = lab;
  t.is(procText(context, 'ip_forward'), 'IP firewall forward rules, default 4\n');
  t.is(procText(context, 'ip_acct'), 'IP accounting rules\n');
  lab.quiet(...FWADM);
  for (const [name, text] of Object.entries(PROC)) t.is(procText(context, name), text, name);
  // A kernel has the tables of one dialect.
  t.is(procText(context, 'ip_fwchains'), '');
  t.is(procText(context, 'ip_fwnames').split('\n')[1], 'forward ACCEPT 1 0 0 0 0');
  lab.quiet('ipfwadm -F -p masquerade', 'ipfwadm -A out -i -S 0/0 -D 0/0', 'ipfwadm -A in -a -W eth0');
  lab.router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 9, payload(10)));
  t.is(lab.router.toWan().length, 1);
  t.is(procText(context, 'ip_forward').split('\n')[0], 'IP firewall forward rules, default 516');
  const rows = procText(context, 'ip_acct').split('\n');
  t.regex(rows[1] ?? '', / - 00000000 2000 0 0 1 {10}38 {9}0 0/);
  t.regex(rows[3] ?? '', / eth0 00000000 1000 0 0 1 {10}38 {9}0 0/);
});

const SAVED = `:input ACCEPT
:forward DENY
:output ACCEPT
:user1 -
-A input -s 0.0.0.0/0.0.0.0 1024:65535 -d 192.168.0.1/255.255.255.255 80:80 -p 6 -j REDIRECT 3128 -y
-A input -s 0.0.0.0/0.0.0.0 8:8 -d 0.0.0.0/0.0.0.0 -i ppp0 -p 1 -j DENY -l
-A input -s ! 10.0.0.0/255.0.0.0 -d 0.0.0.0/0.0.0.0 -i ! eth+ -j user1
-A input -s 0.0.0.0/0.0.0.0 -d 0.0.0.0/0.0.0.0 -p 6 -j REDIRECT
-A forward -s 192.168.0.0/255.255.255.0 -d 0.0.0.0/0.0.0.0 -i ppp0 -j MASQ
-A output -s 0.0.0.0/0.0.0.0 -d 0.0.0.0/0.0.0.0 22:22 -p 6 -m -3 -t 0x01 0x10
-A user1 -s 0.0.0.0/0.0.0.0 -d 0.0.0.0/0.0.0.0 -p 47 -j RETURN -m 5
-A user1 -s 0.0.0.0/0.0.0.0 -d 0.0.0.0/0.0.0.0 -j REJECT -f`.split('\n');
const RESTORING = ['input', 'forward', 'output', 'user1'].map(name => `Restoring \`${name}'.`);

test('ipchains-save writes what ipchains-restore reads: rules, listing and saved lines are as before', t => {
  const lab = filled();
  t.deepEqual(lab.type('ipchains-save'), SAVED);
  t.deepEqual(lab.type('ipchains-save user1 -v'), [SAVED[3], ...SAVED.slice(-2)]);
  const listed = lab.type('ipchains -L -n -v');
  const lines = lab.saved(true);
  const other = rulesLab();
  t.deepEqual(other.feed('ipchains-restore', ['# a comment', '', ...SAVED]), RESTORING);
  t.deepEqual(other.type('ipchains -L -n -v'), listed);
  t.deepEqual(other.saved(true), lines);
  t.deepEqual(other.type('ipchains-save'), SAVED);
  // Over what is there already: what is not named stays, and the chain of a user is passed over or emptied.
  other.quiet('ipchains -A output -j DENY', 'ipchains -N last', 'ipchains -A last -j DENY');
  t.deepEqual(other.feed('ipchains-restore', [...SAVED.slice(0, 2), ...SAVED.slice(3)]), [
    "Flushing `input'.",
    "Restoring `input'.",
    "Flushing `forward'.",
    "Restoring `forward'.",
    "Skipping `user1'.",
  ]);
  t.deepEqual(other.saved(true), [
    ...lines.slice(0, 2),
    'ipchains -N last',
    ...lines.slice(2, 8).filter(line => !line.includes('-A user1')),
    'ipchains -A output -j DENY',
    lines[7] as string,
    ...lines.slice(8),
    'ipchains -A last -j DENY',
  ]);
  t.deepEqual(
    other.feed('ipchains-restore -f -v', [':user1 -', '-A user1 -s 10.0.0.0/255.0.0.0 -d 0/0 -j DENY']),
    [
      "Flushing `user1'.",
      "Restoring `user1'.",
      'DENY  all opt    ------ tos 0xFF 0x00  via *    10.0.0.0/8 -> 0.0.0.0/0    n/a',
    ],
  );
  t.deepEqual(
    other.saved(true).filter(line => line.includes('-A user1')),
    ['ipchains -A user1 -s 10.0.0.0/8 -j DENY'],
  );
});

test('what is refused of a text is told with its number, and the rest is in force', t => {
  const lab = rulesLab();
  t.deepEqual(
    lab.feed('ipchains-restore', [
      ':input DENY',
      ':forward MASQ',
      ':output MASQ',
      ':much-too-long -',
      '-A input -s 10.0.0.0/33 -j ACCEPT',
      '-A input -j nobody',
      '-A nobody -j ACCEPT',
      'ipchains -A input -b -s 10.0.0.1 -d 10.0.0.2 -j ACCEPT',
      '-F input',
      '-A input -j DENY',
    ]),
    [
      "Restoring `input'.",
      "Restoring `forward'.",
      "ipchains-restore: line 3: Invalid policy `MASQ' for `output'",
      "ipchains-restore: line 4: chain name `much-too-long' too long (must be under 8 chars)",
      "ipchains-restore: line 5: invalid mask `33' specified",
      'ipchains-restore: line 6: No target by that name',
      'ipchains-restore: line 7: No chain by that name',
      'ipchains-restore: line 9: what is kept are lines with -A, -N and -P',
    ],
  );
  t.deepEqual(lab.saved(true), [
    'ipchains -P input DENY',
    'ipchains -P forward MASQ',
    'ipchains -A input -s 10.0.0.1/32 -d 10.0.0.2/32 -j ACCEPT',
    'ipchains -A input -s 10.0.0.2/32 -d 10.0.0.1/32 -j ACCEPT',
    'ipchains -A input -j DENY',
  ]);
  // With -p chains are made that nothing has made; a loop leaves all as it was.
  t.deepEqual(lab.feed('ipchains-restore -p', [':input ACCEPT', '-A input -j one', '-A one -j two']), [
    "Flushing `input'.",
    "Restoring `input'.",
  ]);
  const lines = lab.saved(true);
  t.deepEqual(lines, [
    'ipchains -P forward MASQ',
    'ipchains -N one',
    'ipchains -N two',
    'ipchains -A input -j one',
    'ipchains -A one -j two',
  ]);
  t.deepEqual(lab.feed('ipchains-restore', [':three -', '-A two -j one', '-A three -j DENY']), [
    "Restoring `three'.",
    'ipchains-restore: Too many levels of symbolic links; nothing has changed',
  ]);
  t.deepEqual(lab.saved(true), lines);
  t.is(lab.type('ipchains -L three')[0], 'ipchains: No chain by that name');
  t.regex(lab.type('ipchains-restore -x')[0] ?? '', /^Usage: /);
  t.regex(lab.type('ipchains-save nobody')[0] ?? '', /No chain by that name: nobody$/);
  lab.quiet('clear rules');
  t.deepEqual(lab.type('ipchains-save output'), [':output ACCEPT']);
  lab.quiet('iptables -A INPUT -j ACCEPT');
  t.regex(lab.type('ipchains-restore')[0] ?? '', /those of iptables are in force/);
});

test('the recipes of the manual are taken as they stand there', t => {
  for (const tool of ['ipchains', 'ipfwadm']) {
    const page = readFileSync(join(import.meta.dirname, `../../../../docs/${tool}.md`), 'utf8');
    const recipes = page.split('## Recipes')[1]?.split('\n## ')[0] ?? '';
    const lines = recipes
      .split('\n')
      .filter(line => line.startsWith(`    ${tool} `))
      .map(line => line.trim());
    t.true(lines.length >= 8);
    rulesLab().quiet(...lines);
  }
});

test('who types is asked about a chain that is there already', t => {
  const lab = rulesLab();
  lab.quiet('ipchains -N a', 'ipchains -A a -j DENY', 'ipchains -N b', 'ipchains -A b -j DENY');
  const { context } = lab;
  const asked: string[] = [];
  const answers = ['f', ''];
  context.ask = function* (prompt) {
    yield 0;
    asked.push(prompt);
    return answers.shift() ?? '';
  };
  const rules = { context, aliases: new Map(), section: context.registry.sections.all[1], masquerade: {} };
  const told: string[] = [];
  const beside = { complain: (text: string) => told.push(text), canAsk: true };
  const text = ':a -\n:b -\n-A a -j ACCEPT\n-A b -j ACCEPT\n';
  for (const _ of restoreChains(
    rules as unknown as Parameters<typeof restoreChains>[0],
    [],
    () => text,
    beside,
  ));
  t.deepEqual(
    asked,
    ['a', 'b'].map(name => `Chain \`${name}' already exists. Skip or flush? [S/f]? `),
  );
  t.deepEqual(told, ["Flushing `a'.", "Restoring `a'.", "Skipping `b'."]);
  t.deepEqual(lab.saved(true).slice(2), ['ipchains -A a -j ACCEPT', 'ipchains -A b -j DENY']);
});
