// Whole scripts in the manner of the time, by this shell and by dash: the tools that they call are fakes in both, which note how they
// were called. And the listings of the articles that people paste.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { filters } from './filters/overlay.ts';
import { Lab } from './shell-lab.ts';

const FAKES = 'iptables ipchains ipfwadm ipmasqadm modprobe insmod rmmod depmod lsmod route ifconfig'.split(
  ' ',
);
/** What the fakes say. */
const SAID: Record<string, string> = {
  ifconfig: `eth      Link encap:Ethernet  HWaddr 52:54:00:12:34:56
          inet addr:203.0.113.5  Bcast:203.0.113.255  Mask:255.255.255.0
          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1
`,
  route: `Kernel IP routing table
Destination     Gateway         Genmask         Flags Metric Ref    Use Iface
203.0.113.0     0.0.0.0         255.255.255.0   U     0      0        0 eth1
0.0.0.0         203.0.113.1     0.0.0.0         UG    0      0        0 eth1
`,
  lsmod: 'Module                  Size  Used by\nip_conntrack           12345   1\n',
};
const CONF = ['all', 'default', 'eth0', 'eth1', 'lo'].flatMap(link =>
  ['rp_filter', 'accept_source_route', 'accept_redirects'].map(
    name => `/proc/sys/net/ipv4/conf/${link}/${name}`,
  ),
);
const FILES: Record<string, string> = {
  ...Object.fromEntries(CONF.map(path => [path, '0\n'])),
  ...Object.fromEntries(
    [
      'ip_forward',
      'ip_dynaddr',
      'ip_always_defrag',
      'tcp_syncookies',
      'icmp_echo_ignore_broadcasts',
      'ip_local_port_range',
    ].map(name => [`/proc/sys/net/ipv4/${name}`, '0\n']),
  ),
  '/proc/net/ip_fwchains': '',
  '/etc/rc.d/init.d/functions': '',
  '/etc/sysconfig/network': 'NETWORKING=yes\n',
  '/var/run/x': '',
  '/var/lock/subsys/x': '',
  '/dev/y': '',
};

interface Outcome {
  calls: string[];
  out: string;
  status: number;
  files: string[];
}

/** By dash, in a folder that stands for the root. */
function byDash(script: string, args: readonly string[]): Outcome {
  const root = mkdtempSync(join(tmpdir(), 'masqbox-scripts-'));
  try {
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    mkdirSync(join(root, 'sbin'));
    for (const name of FAKES) {
      writeFileSync(join(root, `${name}.txt`), SAID[name] ?? '');
      const call = `{ printf '%s' ${name}; for a; do printf '|%s' "$a"; done; echo; } >>${root}/calls`;
      writeFileSync(join(root, 'sbin', name), `#!/bin/dash\n${call}\n/bin/cat ${root}/${name}.txt\n`);
      chmodSync(join(root, 'sbin', name), 0o755);
    }
    // echo -e is not dash's.
    const own = `echo() { /bin/echo "$@"; }\n${script.replaceAll(/(?<![\w.])\/(sbin|proc|etc|var)\//g, `${root}/$1/`)}`;
    const { stdout, status } = spawnSync('dash', ['-s', '--', ...args], {
      input: own,
      encoding: 'latin1',
      env: { PATH: `${root}/sbin:/usr/bin:/bin`, LC_ALL: 'C' },
      timeout: 60_000,
    });
    const calls = existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'latin1') : '';
    const files = Object.keys(FILES).map(path => `${path}: ${readFileSync(join(root, path), 'latin1')}`);
    return {
      calls: calls
        .split('\n')
        .slice(0, -1)
        .map(line => line.replaceAll(root, '')),
      out: stdout.replaceAll(root, ''),
      status: status ?? -1,
      files,
    };
  } finally {
    rmSync(root, { recursive: true });
  }
}

function byOurs(script: string, args: readonly string[]): Outcome {
  const lab = new Lab();
  const calls: string[] = [];
  for (const [path, text] of Object.entries(FILES)) lab.files.set(path, text);
  for (const name of FAKES) lab.files.set(`/sbin/${name}`, '');
  for (const [name, tool] of Object.entries(filters)) lab.tools.set(name, tool);
  for (const name of FAKES) {
    lab.tools.set(name, (words, io) => {
      calls.push(words.join('|'));
      io.write(SAID[name] ?? '');
      return 0;
    });
  }
  lab.tools.set('date', () => 0);
  lab.tools.set('touch', () => 0);
  lab.tools.set('rm', () => 0);
  const { out, status } = lab.run(script, args);
  const files = Object.keys(FILES).map(path => `${path}: ${lab.files.get(path)}`);
  return { calls, out, status, files };
}

const scriptOf = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'scripts', `${name}.txt`), 'latin1');

const RUNS: [name: string, args: string[], calls: number][] = [
  ['masq-2.0', [], 35],
  ['masq-2.0', ['-v'], 36],
  ['ipchains-init', ['start'], 35],
  ['ipchains-init', ['stop'], 8],
  ['ipchains-init', ['restart'], 45],
  ['ipchains-init', ['status'], 3],
  ['ipchains-init', [], 2],
  ['iptables-strong', [], 50],
  ['iptables-options', ['start'], 25],
  ['iptables-options', ['-n', 'start'], 3],
  ['iptables-options', ['-v', 'stop'], 9],
  ['iptables-options', ['block', '192.0.2.1', 'x', '198.51.100.7'], 2],
  ['iptables-options', ['block'], 0],
  ['iptables-options', ['list'], 1],
  ['iptables-options', ['-q'], 0],
  ['iptables-options', ['--help'], 0],
  ['iptables-options', ['jump'], 0],
  ['dialled', ['ppp0', 'ttyS1', '115200', '203.0.113.5', '203.0.113.1'], 6],
  ['dialled', ['ppp0'], 0],
];

for (const [name, args, least] of RUNS) {
  test(`${name} ${args.join(' ')} calls what it calls under dash, says the same and ends alike`, t => {
    const script = scriptOf(name);
    const expected = byDash(script, args);
    const found = byOurs(script, args);
    t.deepEqual(found, expected);
    t.true(found.calls.length >= least, `${found.calls.length} calls`);
  });
}

test('the listings of articles are pasted as their pages have them', t => {
  const one = byOurs(scriptOf('listing-one'), []);
  t.deepEqual(one.calls, [
    'depmod|-a',
    ...['ftp', 'raudio', 'irc'].map(name => `modprobe|ip_masq_${name}`),
    'modprobe|ip_masq_quake|ports=26000,27000,27910',
    'modprobe|ip_masq_cuseeme',
    'modprobe|ip_masq_vdolive',
    'ipchains|-M|-S|7200|10|160',
    'ipchains|-P|forward|DENY',
    'ipchains|-A|forward|-s|192.168.0.0/24|-j|MASQ',
  ]);
  const notes = byOurs(scriptOf('notes-2002'), []);
  t.is(notes.calls.length, 13);
  t.is(notes.calls[3], 'iptables|-A|FORWARD|-i|ppp0|-o|eth0|-m|state|--state|ESTABLISHED,RELATED|-j|ACCEPT');
  t.true(notes.files.includes('/proc/sys/net/ipv4/ip_forward: 1\n'));
  const before = byOurs(scriptOf('followup-1997'), []);
  t.deepEqual(before.calls, [
    'ipfwadm|-F|-a|m|-S|192.168.1.0/24|-D|0.0.0.0/0|-W|ppp0',
    'ipfwadm|-F|-p|deny',
    'ipfwadm|-M|-s|1200|60|120',
  ]);
});
