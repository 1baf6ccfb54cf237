import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { read, SYN, tcp } from '../../../test/packets.ts';
import { HOST, SERVER, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { FORWARD_COUNT } from '../../base/limits.ts';
import { runIpmasqadm, runIpportfw, setForward, showForwards, unsetForward } from './overlay.ts';
import { forwardSetting } from './settings.ts';
import { ForwardWatch } from './watch.ts';

function lab() {
  const { router, context, output, refusal } = controlLab();
  const { plane } = router;
  return {
    router,
    refusal,
    set: (line: string) => setForward(plane, line.split(' ')),
    unset: (line: string) => unsetForward(plane, line.split(' ')),
    lines: () => forwardSetting(context, new ForwardWatch(context)).lines(),
    shown: () => {
      output.length = 0;
      for (const _ of showForwards(context));
      return [...output];
    },
  };
}

test('lines come back as they were set, in their order, and bring about the same', t => {
  const { set, unset, lines } = lab();
  t.deepEqual(lines(), []);
  const all = [
    'tcp 80 192.168.0.2',
    'udp 6112-6119 192.168.0.3',
    'tcp 8080 192.168.0.2:80 192.168.0.3*3 192.168.0.4:8000*100 sticky',
    'udp 1-65535 192.168.0.9',
    'tcp 203.0.113.18:80 192.168.0.2 least check tcp 5 2 most 20 log',
    'mark 5 192.168.0.2 192.168.0.3:80 check ping 10 3',
  ];
  for (const line of all) set(line);
  t.deepEqual(
    lines(),
    all.map(line => `set forward ${line}`),
  );
  set('tcp 80 192.168.0.7:8000');
  unset('udp 6112-6119');
  t.deepEqual(
    lines(),
    [all[2], all[3], all[4], all[5], 'tcp 80 192.168.0.7:8000'].map(line => `set forward ${line}`),
  );
  for (const line of ['tcp 80', 'tcp 8080', 'udp 1:65535', 'tcp 203.0.113.18:80', 'mark 5']) unset(line);
  t.deepEqual(lines(), []);
});

test('what cannot be is refused with its reason', t => {
  const { set, unset, refusal } = lab();
  set('tcp 80-90 192.168.0.2');
  const why = (line: string) => refusal(() => set(line));
  t.regex(why('icmp 80 192.168.0.2'), /it is one of tcp, udp, mark/);
  for (const ports of ['0', '65536', '80-', '-80', '80-65536', '8o', ''])
    t.regex(why(`tcp ${ports} 192.168.0.2`), /ports are 1 to 65535/);
  t.regex(why('tcp 90-80 192.168.0.2'), /it ends before it begins/);
  for (const host of ['192.168.0', '0.0.0.0', '224.0.0.1', '255.255.255.255'])
    t.regex(why(`tcp 22 ${host}`), /^Cannot set forward tcp 22 /);
  t.regex(why('tcp 22 192.168.0.1'), /is the router's own address/);
  t.regex(why(`tcp 22 ${WAN_ADDRESS}`), /is the router's own address/);
  for (const port of ['0', '65536'])
    t.regex(why(`tcp 22 192.168.0.2:${port}`), /the host has ports 1 to 65535/);
  t.regex(why('tcp 1000-1010 192.168.0.2:65530'), /the host has ports 1 to 65535/);
  for (const server of ['192.168.0.2:x', '192.168.0.2*0', '192.168.0.2*101', '192.168.0.2*', 'sticky', ':80'])
    t.regex(why(`tcp 22 ${server}`), /^Cannot set forward tcp 22 /);
  t.regex(why(`tcp 22${' 192.168.0.2'.repeat(9)}`), /there is one host to 8/);
  for (const words of [
    'sticky least',
    'check',
    'check udp',
    'check tcp 1',
    'check ping 5 0',
    'most',
    'most 0',
    'quickly',
  ])
    t.regex(why(`tcp 22 192.168.0.2 log ${words}`), /^Cannot set forward tcp 22 .*: /);
  t.regex(why('udp 22 192.168.0.2 check tcp'), /here it is check ping/);
  for (const mark of ['0', 'x', '4294967296'])
    t.regex(why(`mark ${mark} 192.168.0.2`), /a mark is 1 to 4294967295/);
  t.regex(why('tcp 85-95 192.168.0.3'), /it shares ports with tcp 80-90/);
  set('tcp 85-96 192.168.0.3');
  set('udp 85-95 192.168.0.3');
  t.regex(
    refusal(() => unset('tcp 80')),
    /Cannot unset forward tcp 80: it is not set/,
  );
  for (let i = 3; i < FORWARD_COUNT; i++) set(`udp ${1000 + i} 192.168.0.2`);
  t.regex(why('udp 2000 192.168.0.2'), /there are 32 places for hosts, and 0 are free/);
});

test('show forwards counts the sessions', t => {
  const { router, set, shown } = lab();
  t.deepEqual(shown(), ['No port is forwarded, see set forward']);
  set(`tcp 8080 ${HOST}:80`);
  for (const sourcePort of [4000, 4001]) {
    const ports = { sourcePort, destinationPort: 8080, flags: SYN };
    router.fromGateway(tcp({ source: SERVER, destination: WAN_ADDRESS }, ports));
  }
  t.deepEqual(
    router.toLan().map(datagram => read(datagram).destinationPort),
    [80, 80],
  );
  t.deepEqual(shown(), ['tcp 8080        192.168.0.2:80        2 sessions since it was set, 2 now']);
});

test('ipmasqadm portfw and ipportfw do as those tools did, and list to the byte', t => {
  const { context, output, refusal } = controlLab();
  const run = (tool: typeof runIpmasqadm, line: string): string[] => {
    output.length = 0;
    for (const _ of tool(context, line.split(' ')));
    return [...output];
  };
  const adm = (line: string) => run(runIpmasqadm, line);
  const lines = () => forwardSetting(context, new ForwardWatch(context)).lines();
  t.deepEqual(adm(`-a -P tcp -L ${WAN_ADDRESS} 80 -R 192.168.0.2 8080`), []);
  adm(`-a -P tcp -L ${WAN_ADDRESS} 80 -R 192.168.0.3 80 -p 5`);
  adm(`-a -P udp -L ${WAN_ADDRESS} 53 -R 192.168.0.3 53 -p 1`);
  t.deepEqual(lines(), [
    'set forward tcp 80 192.168.0.2:8080*10 192.168.0.3*5',
    'set forward udp 53 192.168.0.3',
  ]);
  t.deepEqual(adm('-l -n'), [
    'prot localaddr            rediraddr               lport    rport  pcnt  pref',
    'UDP  10.1.2.3             192.168.0.3                53       53     1     1',
    'TCP  10.1.2.3             192.168.0.2                80     8080    10    10',
    'TCP  10.1.2.3             192.168.0.3                80       80     5     5',
  ]);
  t.deepEqual(run(runIpportfw, '-L'), [
    'Prot Local Addr/Port > Remote Addr/Port'.padEnd(63),
    '',
    'UDP 10.1.2.3/53 > 192.168.0.3/53'.padEnd(63),
    '',
    'TCP 10.1.2.3/80 > 192.168.0.2/8080'.padEnd(63),
    '',
    'TCP 10.1.2.3/80 > 192.168.0.3/80'.padEnd(63),
    '',
  ]);
  adm(`-d -P tcp -L ${WAN_ADDRESS} 80 -R 192.168.0.2 8080`);
  t.deepEqual(lines(), ['set forward udp 53 192.168.0.3', 'set forward tcp 80 192.168.0.3*5']);
  adm(`-d -P tcp -L ${WAN_ADDRESS} 80`);
  run(runIpportfw, `-A -t${WAN_ADDRESS}/25 -R 192.168.0.2/25`.replace('-t', '-t '));
  run(runIpportfw, `-D -u ${WAN_ADDRESS}/53`);
  t.deepEqual(lines(), ['set forward tcp 25 192.168.0.2']);
  run(runIpportfw, '-C');
  t.deepEqual(lines(), []);
  const why = (tool: typeof runIpmasqadm, line: string) => refusal(() => run(tool, line));
  t.regex(
    why(runIpmasqadm, '-a -P tcp -L 192.0.2.1 80 -R 192.168.0.2 80'),
    /192\.0\.2\.1 is none of our addresses outside, 10\.1\.2\.3$/,
  );
  t.regex(why(runIpmasqadm, `-a -P tcp -L ${WAN_ADDRESS} 80`), /-R is needed/);
  t.regex(why(runIpmasqadm, `-a -P tcp -L ${WAN_ADDRESS}`), /behind -L something is missing/);
  t.regex(why(runIpmasqadm, '-x'), /-x is no option of it/);
  t.regex(why(runIpmasqadm, '-a -l'), /one of -a, -d, -f, -l is needed/);
  t.regex(why(runIpmasqadm, `-d -P tcp -L ${WAN_ADDRESS} 80`), /it is not set/);
  t.regex(
    why(runIpportfw, '-A -t 10.1.2.3:80 -R 192.168.0.2/80'),
    /10\.1\.2\.3:80 is not an address, \/ and a port/,
  );
});
