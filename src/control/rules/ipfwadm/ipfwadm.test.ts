// ipfwadm against what the genuine 2.3.0 prints: listings, echoes, refusals, and the lines that are kept.

import test from 'ava';
import { payload, read, udp } from '../../../../test/packets.ts';
import { HOST, SERVER, WAN_ADDRESS } from '../../../../test/plane-router.ts';
import { rulesLab } from '../rules-lab.ts';

const TRY = "Try `ipfwadm -h' for more information.";

function filled() {
  const lab = rulesLab();
  lab.quiet(
    'ipfwadm -F -p deny',
    'ipfwadm -F -a m -S 192.168.0.0/24 -W ppp0',
    'ipfwadm -I -a deny -P tcp -S 0/0 -D 192.168.0.1 25 1024:65535 80 -y -o',
    'ipfwadm -I -a accept -P tcp -S 0/0 -D 0/0 80 -r 3128',
    'ipfwadm -I -a reject -P icmp -S 0/0 5 8 -V 203.0.113.5',
    'ipfwadm -O -a accept -b -k -P tcp -S 192.168.0.0/24 -D 0/0 22 -t 0x01 0x10',
    'ipfwadm -A both -a -P tcp -S 192.168.0.2 -D 0/0 80',
  );
  return lab;
}

const LISTINGS: Record<string, string> = {
  '-I -l': `IP firewall input rules, default policy: accept
type  prot source               destination          ports
deny  tcp  anywhere             192.168.0.1          any -> 1024:65535,smtp,http
acc/r tcp  anywhere             anywhere             any -> http => 3128
rej   icmp anywhere             anywhere             5,8`,
  '-I -l -n': `IP firewall input rules, default policy: accept
type  prot source               destination          ports
deny  tcp  0.0.0.0/0            192.168.0.1          * -> 1024:65535,25,80
acc/r tcp  0.0.0.0/0            0.0.0.0/0            * -> 80 => 3128
rej   icmp 0.0.0.0/0            0.0.0.0/0            5,8`,
  '-I -l -n -e': `IP firewall input rules, default policy: accept
 pkts bytes type  prot opt  tosa tosx ifname  ifaddress       source               destination          ports
    0     0 deny  tcp  --yo 0xFF 0x00 *       0.0.0.0         0.0.0.0/0            192.168.0.1          * -> 1024:65535,25,80
    0     0 acc/r tcp  ---- 0xFF 0x00 *       0.0.0.0         0.0.0.0/0            0.0.0.0/0            * -> 80 => 3128
    0     0 rej   icmp ---- 0xFF 0x00 *       203.0.113.5     0.0.0.0/0            0.0.0.0/0            5,8`,
  '-I -l -e -x': `IP firewall input rules, default policy: accept
    pkts      bytes type  prot opt  tosa tosx ifname  ifaddress       source               destination          ports
       0          0 deny  tcp  --yo 0xFF 0x00 any     any             anywhere             192.168.0.1          any -> 1024:65535,smtp,http
       0          0 acc/r tcp  ---- 0xFF 0x00 any     any             anywhere             anywhere             any -> http => 3128
       0          0 rej   icmp ---- 0xFF 0x00 any     203.0.113.5     anywhere             anywhere             5,8`,
  '-O -l -n -e': `IP firewall output rules, default policy: accept
 pkts bytes type  prot opt  tosa tosx ifname  ifaddress       source               destination          ports
    0     0 acc   tcp  bk-- 0x01 0x10 *       0.0.0.0         192.168.0.0/24       0.0.0.0/0            * -> 22`,
  '-O -l': `IP firewall output rules, default policy: accept
type  prot source               destination          ports
acc   tcp  192.168.0.0/24       anywhere             any -> ssh`,
  '-F -l -n': `IP firewall forward rules, default policy: deny
type  prot source               destination          ports
acc/m all  192.168.0.0/24       0.0.0.0/0            n/a`,
  '-F -l -n -e': `IP firewall forward rules, default policy: deny
 pkts bytes type  prot opt  tosa tosx ifname  ifaddress       source               destination          ports
    0     0 acc/m all  ---- 0xFF 0x00 ppp0    0.0.0.0         192.168.0.0/24       0.0.0.0/0            n/a`,
  '-F -l -e -x': `IP firewall forward rules, default policy: deny
    pkts      bytes type  prot opt  tosa tosx ifname  ifaddress       source               destination          ports
       0          0 acc/m all  ---- 0xFF 0x00 ppp0    any             192.168.0.0/24       anywhere             n/a`,
  '-A -l': `IP accounting rules
 pkts bytes dir prot source               destination          ports
    0     0 i/o tcp  192.168.0.2          anywhere             any -> http`,
  '-A -l -n': `IP accounting rules
 pkts bytes dir prot source               destination          ports
    0     0 i/o tcp  192.168.0.2          0.0.0.0/0            * -> 80`,
  '-A -l -n -e': `IP accounting rules
 pkts bytes dir prot opt  ifname  ifaddress       source               destination          ports
    0     0 i/o tcp  ---- *       0.0.0.0         192.168.0.2          0.0.0.0/0            * -> 80`,
  '-A -l -e -x': `IP accounting rules
    pkts      bytes dir prot opt  ifname  ifaddress       source               destination          ports
       0          0 i/o tcp  ---- any     any             192.168.0.2          anywhere             any -> http`,
};

test('-l is what 2.3.0 lists, in all its forms', t => {
  const lab = filled();
  for (const [words, text] of Object.entries(LISTINGS))
    t.is(lab.type(`ipfwadm ${words}`).join('\n'), text, words);
  // The chains of the other old dialect are as if they were empty, and it says so.
  t.is(lab.type('ipchains -L -n').length, 4);
  t.deepEqual(lab.type('ipfwadm -v -F -a m -S 192.168.1.0/24 -W ppp0'), [
    'acc/m all opt ---- tos 0xFF 0x00 via ppp0 0.0.0.0   192.168.1.0/24 -> 0.0.0.0/0   n/a',
  ]);
});

test('without rules there are titles, and no memory is read', t => {
  const lab = rulesLab();
  t.deepEqual(lab.type('ipfwadm -F -l -n'), ['IP firewall forward rules, default policy: accept']);
  t.deepEqual(lab.type('ipfwadm -A -l'), ['IP accounting rules']);
  lab.quiet('ipfwadm -F -f', 'ipfwadm -I -f', 'ipfwadm -A -f', 'ipfwadm -A -z');
  t.deepEqual(lab.type('ipfwadm -M -l'), ['IP masquerading entries']);
  t.deepEqual(lab.type('ipfwadm -M -s 1200 60 120'), ['timeouts 1200 60 120']);
});

const REFUSED: [line: string, text: string][] = [
  ['-F -p accpt', 'invalid policy "accpt" specified'],
  ['-I -a deny -P TCP', 'invalid protocol "TCP" specified'],
  ['-l', 'missing -A, -F, -I, -O, or -M flag'],
  ['-F -I -l', 'multiple categories specified'],
  ['-F -a deny -f', 'multiple commands specified'],
  ['-F -a -S 0/0', 'policy required for firewall entries'],
  ['-A -a deny', 'no policy allowed with non-firewall entries'],
  ['-I -a deny -S 0/0 80', 'no ports allowed without specific protocol'],
  ['-I -a deny -P icmp -D 0/0 8', 'ICMP types only allowed with -S, not with -D'],
  ['-O -a accept -P tcp -r 80', 'redirecting only allowed in combination with -I'],
  ['-I -a accept -m', 'masquerading only allowed in combination with -F'],
  ['-F -a deny -m', 'masquerading only allowed with policy accept'],
  ['-F -a accept -P icmp -m', 'masquerading not allowed with protocol ICMP'],
  ['-F -a deny -S nobody', 'host/network "nobody" not found'],
  ['-F -c -P tcp -S 1.2.3.4 1 -D 1.2.3.4 2', 'interface address (-V) required for this command'],
  ['-I -a deny -P tcp -D 0/0 1:2 3:4', 'multiple ranges not allowed'],
  ['-M -f', '-M only allowed in combination with -s or -l command'],
  ['-I -a deny x y', 'unknown arguments found on commandline'],
  ['-I -a deny -P tcp -D 0/0 1 2 3 4 5 6 7 8 9 10 11', 'too many ports specified (maximum 10)'],
];

test('refuses what 2.3.0 and its kernel refuse, with their texts', t => {
  const lab = rulesLab();
  for (const [line, text] of REFUSED)
    t.deepEqual(lab.type(`ipfwadm ${line}`), [`ipfwadm: ${text}`, TRY], line);
  t.deepEqual(lab.type('ipfwadm -F -d deny'), ['ipfwadm: setsockopt failed: Invalid argument']);
  lab.quiet(
    'ipfwadm -a accept -I -W lo',
    'ipfwadm -I -a deny -S 127.0/8',
    'ipfwadm -I -a d -S 10.1/16 -D any/0',
    'ipfwadm -f -I',
  );
});

test('lines are kept in canonical form, and bring the same about', t => {
  const lab = filled();
  lab.quiet('ipfwadm -A in -i -W eth0', 'ipfwadm -A out -a -V 10.1.2.3', 'ipfwadm -I -i accept -W lo');
  const lines = lab.saved(true);
  t.deepEqual(lines, [
    'ipfwadm -F -p deny',
    'ipfwadm -I -a accept -W lo',
    'ipfwadm -I -a deny -P tcp -D 192.168.0.1/32 1024:65535 25 80 -y -o',
    'ipfwadm -I -a accept -P tcp -D 0.0.0.0/0 80 -r 3128',
    'ipfwadm -I -a reject -P icmp -S 0.0.0.0/0 5 8 -V 203.0.113.5',
    'ipfwadm -F -a accept -S 192.168.0.0/24 -W ppp0 -m',
    'ipfwadm -O -a accept -P tcp -S 192.168.0.0/24 -D 0.0.0.0/0 22 -b -k -t 0x01 0x10',
    'ipfwadm -A in -a -W eth0',
    'ipfwadm -A -a -P tcp -S 192.168.0.2/32 -D 0.0.0.0/0 80',
    'ipfwadm -A out -a -V 10.1.2.3',
  ]);
  const before = ['-I', '-F', '-O', '-A'].flatMap(category => lab.type(`ipfwadm ${category} -l -n -e`));
  const section = lab.context.registry.sections.all[1];
  section?.begin?.();
  for (const line of lines) section?.take(line);
  section?.end?.(true);
  t.deepEqual(
    ['-I', '-F', '-O', '-A'].flatMap(category => lab.type(`ipfwadm ${category} -l -n -e`)),
    before,
  );
  lab.quiet(
    'ipfwadm -A -d -P tcp -S 192.168.0.2 -D 0/0 80',
    'ipfwadm -I -d accept -P tcp -D 0/0 80 -r 3129',
    'ipfwadm -A -f',
    'ipfwadm -F -f',
  );
  t.deepEqual(
    lab.saved(true),
    lines.filter((_, i) => ![3, 5, 7, 8, 9].includes(i)),
  );
  lab.quiet('clear rules');
  t.deepEqual(lab.saved(true), []);
});

test('-c walks the rules for a packet that is made up', t => {
  const lab = filled();
  const packet = '-P tcp -S 1.2.3.4 2000 -V 10.1.2.3 -W eth1';
  t.deepEqual(lab.type(`ipfwadm -I -c ${packet} -D 192.168.0.1 25 -y`), ['packet denied']);
  t.deepEqual(lab.type(`ipfwadm -I -c ${packet} -D 192.168.0.1 25`), ['packet accepted']);
  t.deepEqual(lab.type(`ipfwadm -F -c -P udp -S 192.168.0.9 2 -D 1.2.3.4 5 -V 1.1.1.1 -W ppp0`), [
    'packet masqueraded',
  ]);
});

test('packets are masqueraded and counted once for both ways', t => {
  const lab = rulesLab();
  lab.quiet(
    'ipfwadm -F -p deny',
    'ipfwadm -F -a m -S 192.168.0.0/24 -D 0/0',
    'ipfwadm -A -a -b -P udp -S 0/0 -D 0/0 7',
  );
  lab.router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 7, payload(10)));
  const [frame] = lab.router.toWan();
  t.is(read(frame as Uint8Array).source, WAN_ADDRESS);
  t.is(lab.type('ipfwadm -A -l -n')[2]?.slice(0, 16), '    2    76 i/o ');
  t.is(lab.type('ipfwadm -F -l -n -e')[2]?.slice(0, 18), '    1    38 acc/m ');
});
