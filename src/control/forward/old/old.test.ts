import test from 'ava';
import { controlLab } from '../../../../test/control-lab.ts';
import { read, SYN, tcp, udp } from '../../../../test/packets.ts';
import { HOST, OTHER, SERVER, WAN_ADDRESS } from '../../../../test/plane-router.ts';
import type { Job } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import * as forward from '../overlay.ts';
import { forwardSetting } from '../settings.ts';
import { triggerSetting } from '../triggers.ts';
import { ForwardWatch } from '../watch.ts';
import { autofw, ipmasqadm, ipportfw, procFile, redir } from './overlay.ts';
import { portfw } from './portfw.ts';

type Tool = (context: Context, args: string[]) => Job;

function lab() {
  const base = controlLab();
  const { context, output } = base;
  Object.assign(context.machine, { overlay: () => forward });
  return {
    ...base,
    run: (tool: Tool, line: string): string[] => {
      output.length = 0;
      for (const _ of tool(context, line === '' ? [] : line.split(' ')));
      return [...output];
    },
    lines: () => [
      ...forwardSetting(context, new ForwardWatch(context)).lines(),
      ...triggerSetting(context).lines(),
    ],
  };
}

test('ipmasqadm portfw and ipportfw do as those tools did, and list to the byte', t => {
  const { run, refusal, lines } = lab();
  const adm = (line: string) => run(portfw, line);
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
  t.deepEqual(run(ipportfw, '-L'), [
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
  run(ipportfw, `-A -t${WAN_ADDRESS}/25 -R 192.168.0.2/25`.replace('-t', '-t '));
  run(ipportfw, `-D -u ${WAN_ADDRESS}/53`);
  t.deepEqual(lines(), ['set forward tcp 25 192.168.0.2']);
  run(ipportfw, '-C');
  t.deepEqual(lines(), []);
  const why = (tool: Tool, line: string) => refusal(() => run(tool, line));
  t.regex(
    why(portfw, '-a -P tcp -L 192.0.2.1 80 -R 192.168.0.2 80'),
    /192\.0\.2\.1 is none of our addresses outside, 10\.1\.2\.3$/,
  );
  t.regex(why(portfw, `-a -P tcp -L ${WAN_ADDRESS} 80`), /-R is needed/);
  t.regex(why(portfw, `-a -P tcp -L ${WAN_ADDRESS}`), /behind -L something is missing/);
  t.regex(why(portfw, '-x'), /-x is no option of it/);
  t.regex(why(portfw, '-a -l'), /one of -a, -d, -f, -l is needed/);
  t.regex(why(portfw, `-d -P tcp -L ${WAN_ADDRESS} 80`), /it is not set/);
  t.regex(
    why(ipportfw, '-A -t 10.1.2.3:80 -R 192.168.0.2/80'),
    /10\.1\.2\.3:80 is not an address, \/ and a port/,
  );
});

test("ipautofw sets forwards and triggers, says what the tool says, and its file is the kernel's to the byte", t => {
  const { run, refusal, lines, context, router } = lab();
  const head = 'Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags\n';
  t.is(procFile(context, 'autofw'), head);
  run(autofw, '-A -r udp 6970 7170 -c tcp 7070');
  run(autofw, '-A -r tcp 80 80 -h 192.168.0.2');
  t.deepEqual(run(autofw, '-A -v -r tcp 113 113 -c tcp 6667 -u'), [
    'Adding autofwd tcp ports 113 - 113 via tcp ctl port 6667 S',
  ]);
  run(ipmasqadm, 'autofw -A -p tcp 8080 192.168.0.3:80');
  t.deepEqual(lines(), [
    'set forward tcp 80 192.168.0.2 autofw',
    'set forward tcp 8080 192.168.0.3:80 autofw',
    'set trigger udp 6970-7170 tcp 7070',
    'set trigger tcp 113 tcp 6667 always',
  ]);
  t.is(
    procFile(context, 'autofw'),
    `${head}   1    6 0071-0071/0000 0000 00000000 00000000 0006 1A0B      0    4\n` +
      '   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6\n' +
      '   2    6 0000-0000/1F90 0050 C0A80003 00000000 0000 0000      0    2\n' +
      '   1    6 0050-0050/0000 0000 C0A80002 00000000 0000 0000      0    2\n',
  );
  t.is(run(portfw, '-l').length, 1, 'portfw lists its own');
  router.fromHost(
    tcp({ source: HOST, destination: SERVER }, { sourcePort: 1043, destinationPort: 7070, flags: SYN }),
  );
  t.regex(
    procFile(context, 'ip_autofw'),
    /^ {3}1 {3}11 1B3A-1C02\/0000 0000 C0A80002 CC98B870 0006 1B9E {3}1500 {4}7$/m,
  );
  router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 5000, 6970));
  t.like(read(router.toLan()[0] as Uint8Array), { destination: HOST, destinationPort: 6970 });
  run(autofw, '-D -r udp 6970 7170 -c tcp 7070');
  run(portfw, '-f');
  t.is(lines().length, 3);
  run(autofw, '-F');
  t.deepEqual(lines(), []);
  const why = (line: string) => refusal(() => run(autofw, line));
  t.is(why('-L'), 'Command must be either -A, -D, or -F');
  t.is(why('-F -v'), 'The flush command does not take options');
  t.is(why('-A -r icmp 1 2'), 'protocol must be either tcp or udp');
  t.is(why('-A -r tcp 2 1'), 'Illegal port numbers');
  t.is(why('-A -c icmp 1'), 'Control protocol must be either tcp or udp');
  t.is(why('-A -c tcp 1'), 'You must select a type of forwarding (direct, port, or range)');
  t.is(why('-A -x'), 'Invalid option: -x');
  t.is(why('-A -r tcp 1 2 -c tcp 3 -h 192.168.0.2'), 'Cannot use -h in secure mode');
  t.regex(why('-A -r tcp 1 2'), /nobody gets what comes/);
  t.regex(why('-A -d tcp 1 2'), /ports of hosts inside are kept/);
  t.regex(why('-D -r tcp 1 2 -c tcp 3'), /it is not set/);
});

test('ipmasqadm mfw lists and files to the byte, and says what the tool says', t => {
  const { run, refusal, lines, context } = lab();
  const mfw = (line: string) => run(ipmasqadm, `mfw ${line}`);
  mfw('-A -m 1 -r 192.168.0.2 80');
  mfw('-A -m 1 -r 192.168.0.3 8080 -p 5');
  mfw('-I -m 1 -r 192.168.0.4 -p 1');
  mfw('-A -m 0x1f -r 192.168.0.2');
  t.deepEqual(lines(), [
    'set forward mark 1 192.168.0.4 192.168.0.2:80*10 192.168.0.3:8080*5',
    'set forward mark 31 192.168.0.2*10',
  ]);
  t.deepEqual(mfw('-L -n'), [
    'fwmark   rediraddr               rport  pcnt  pref',
    '1        192.168.0.4                 0     1     1',
    '1        192.168.0.2                80    10    10',
    '1        192.168.0.3              8080     5     5',
    '31       192.168.0.2                 0    10    10',
  ]);
  t.is(
    procFile(context, 'mfw'),
    [
      'FwMark > RAddr    RPort PrCnt  Pref',
      '0x1 > C0A80004     0     1     1',
      '0x1 > C0A80002    80    10    10',
      '0x1 > C0A80003  8080     5     5',
      '0x1f > C0A80002     0    10    10',
    ]
      .map(line => `${line.padEnd(63)}\n`)
      .join(''),
  );
  mfw('-S -m 1');
  t.regex(mfw('-L')[1] as string, / 0 {5}0 {5}1$/);
  mfw('-E -m 1 -r 192.168.0.4 -p 3');
  mfw('-D -m 1 -r 192.168.0.2 80');
  t.deepEqual(lines()[1], 'set forward mark 1 192.168.0.3:8080*5 192.168.0.4*3');
  mfw('-D -m 1');
  t.deepEqual(lines(), ['set forward mark 31 192.168.0.2*10']);
  mfw('-F');
  t.deepEqual(lines(), []);
  const why = (line: string) => refusal(() => mfw(line));
  t.is(why('-A -D'), 'mfw: multiple commands specified');
  t.is(why('-A -r 192.168.0.2 80'), 'mfw: insufficient options specified');
  t.is(why('-A -m 1 -r 192.168.0.2 -r 192.168.0.3'), 'mfw: multiple destinations specified');
  t.is(why('-L -m 1'), 'mfw: incompatible options specified');
  t.is(why('-A -m 1 -r 192.168.0.2 -p 0'), 'mfw: illegal preference value specified');
  t.is(why('-A -m 1 -r x'), 'mfw: illegal destination specified');
  t.is(why('-L x'), 'mfw: unknown arguments found on commandline');
  t.is(why('-D -m 1'), 'mfw: setsockopt failed: No such process');
  t.is(
    refusal(() => run(ipmasqadm, 'user -l')),
    'user: setsockopt failed: Protocol not available\r\nEntries of single connections are not made by hand here: ipmasqadm portfw lets connections in, ipchains -M -L lists them',
  );
  t.regex(
    refusal(() => run(ipmasqadm, 'xyz')),
    /its modules are portfw, autofw, mfw/,
  );
  for (const name of ['toString', 'constructor', '__proto__'])
    t.is(
      refusal(() => run(ipmasqadm, `${name} -l`)),
      `Cannot run ipmasqadm ${name}: its modules are portfw, autofw, mfw`,
    );
});

test('redir of all its times is a forward, logged where it says so', t => {
  const { run, refusal, lines } = lab();
  const all: [string, string][] = [
    ['--lport=80 --caddr=192.168.0.2 --cport=80', 'tcp 80 192.168.0.2'],
    ['--syslog --lport 8080 --laddr 0.0.0.0 --caddr 192.168.0.2 --cport 80 &', 'tcp 8080 192.168.0.2:80 log'],
    ['--syslog 6001 192.168.0.3 6000 &', 'tcp 6001 192.168.0.3:6000 log'],
    ['-s -t 60 :25 192.168.0.3:25', 'tcp 25 192.168.0.3 log'],
    [`--debug --laddr=${WAN_ADDRESS} --lport=21 --caddr=192.168.0.3 --cport=21`, 'tcp 21 192.168.0.3 log'],
    ['--laddr=203.0.113.18 --lport=22 --caddr=192.168.0.3 --cport=22', 'tcp 203.0.113.18:22 192.168.0.3'],
  ];
  for (const [line, forwarded] of all) {
    const said = run(redir, line);
    t.deepEqual(said, line.includes('-t 60') ? ['redir: timeouts are those of set nat timeout'] : []);
    t.is(lines().at(-1), `set forward ${forwarded}`);
  }
  const why = (line: string) => refusal(() => run(redir, line));
  t.regex(why('--constructor=80 --toString'), /--constructor=80 is none of its options/);
  t.regex(why('--inetd --caddr=192.168.0.2 --cport=80'), /--inetd: there is no inetd here/);
  t.regex(why('--syslog 80 80 &'), /--caddr is missing/);
  t.regex(why('--lport=80 --cport=80'), /--caddr is missing/);
  t.regex(why('--lport=x --caddr=192.168.0.2 --cport=80'), /ports are numbers/);
  t.regex(why('--ftp=both --lport=21 --caddr=192.168.0.2 --cport=21'), /ftp needs no such help/);
  t.regex(why('--max-bandwidth=9 80 192.168.0.2 80'), /is none of its options/);
  t.regex(why(`80 ${OTHER}x 80`), /^Cannot set forward tcp 80 /);
});
