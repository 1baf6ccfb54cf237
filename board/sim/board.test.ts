import test from 'ava';
import {
  BUFFER_COUNT,
  FRAME_TAGGED_MAX,
  SERIAL_RECEIVE_BYTES,
  TICKS_PER_SECOND,
} from '../../src/base/limits.ts';
import { hex, parseAddress } from '../../src/control/core/address.ts';
import { MORE, plainOutput } from '../../src/control/core/console/screen.ts';
import { runTraffic } from '../../src/control/debug/differential.ts';
import { GROUPS } from '../../src/control/debug/selftest.ts';
import { javascriptBuild } from '../../tools/builds.ts';
import { simulate } from '../../tools/start-sim.ts';

const NO_DISK = 'nothing can be saved: no disk answers';
const PROMPT = 'masqbox> ';

/** A board with its network; `command` types a line and answers what it prints. */
async function fixture() {
  let text = '';
  const reports: string[] = [];
  const { board, network, settle } = await simulate(
    output => {
      text += output;
    },
    report => reports.push(report),
  );
  settle();
  const take = (): string => {
    const taken = text;
    text = '';
    return taken;
  };
  const wait = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      board.advance(1);
      settle();
    }
  };
  const command = (line: string, ticks = 0): string => {
    take();
    board.type(`${line}\r`);
    settle();
    if (MORE.test(text)) board.type('a');
    settle();
    wait(ticks);
    const all = plainOutput(take());
    if (!all.startsWith(`${line}\r\n`)) throw new Error(`No echo of ${line} in ${all}`);
    return all.slice(line.length + 2).replace(/masqbox> $/, '');
  };
  return { board, network, settle, take, wait, command, reports };
}

async function configured() {
  const parts = await fixture();
  parts.command('set wan address 203.0.113.2/24');
  parts.command('set wan gateway 203.0.113.1');
  return parts;
}

function address(text: string): number {
  return parseAddress(text) as number;
}

test('the first step prints banner and prompt', async t => {
  const { take } = await fixture();
  t.is(
    take(),
    `\r\nMasqbox 0.1.0\r\nlan: 192.168.0.1/24\r\nwan: no address yet\r\n${NO_DISK}\r\nType help for the commands, setup for a short dialogue\r\n${PROMPT}`,
  );
});

test('settings are refused in house form and change nothing', async t => {
  const { command } = await fixture();
  const refusals: [string, string][] = [
    ['set lan address 192.168.0.300/24', 'Cannot set LAN address 192.168.0.300/24: 300 is not 0 to 255'],
    [
      'set lan address 192.168.0.0/24',
      "Cannot set LAN address 192.168.0.0/24: it is the network's own number",
    ],
    [
      'set wan address 192.168.0.9/16',
      "Cannot set WAN address 192.168.0.9/16: it shares addresses with the LAN's network 192.168.0.0/24",
    ],
    ['set wan gateway 10.0.0.1', 'Cannot set WAN gateway 10.0.0.1: it comes by DHCP, see set wan address'],
    ['set wan mtu 67', 'Cannot set WAN MTU 67: it is not 68 to 1500'],
    ['set wan mtu all', 'Cannot set WAN MTU all: it is not a number'],
    ['set nat profile full', 'Cannot set NAT profile full: it is one of rfc, classic'],
    ['set nat filter x', 'Cannot set NAT filter x: it is one of endpoint, address, address-port'],
    ['set engine fast', 'Cannot set engine fast: it is one of native, interpreted'],
    ['ping 192.168.0.1', 'Cannot ping 192.168.0.1: it is an address of the router'],
    ['ping 224.0.0.1', 'Cannot ping 224.0.0.1: it is a multicast address'],
    ['ping 9.9.9.9', 'Cannot ping 9.9.9.9: no route to the destination'],
    ['debug differential x 1', 'Cannot run the differential: seed x is not a number up to 2147483647'],
  ];
  for (const [line, refusal] of refusals) t.is(command(line), `${refusal}\r\n`);
  t.is(command('show config'), 'set nat profile rfc\r\nset nat filter address\r\nset engine native\r\n');
});

test('show config lists commands that bring the same settings about', async t => {
  const lines = [
    'set lan address 10.1.0.1/16',
    'set wan address 203.0.113.10/28',
    'set wan mtu 1492',
    'set wan gateway 203.0.113.1',
    'set nat profile classic',
    'set nat filter address-port',
    'set engine interpreted',
  ];
  const first = await fixture();
  for (const line of lines) t.is(first.command(line), '');
  const listed = first.command('show config');
  t.is(listed, lines.map(line => `${line}\r\n`).join(''));
  const second = await fixture();
  second.board.type(listed);
  second.settle();
  t.is(second.command('show config'), listed);
});

test('set wan address removes a gateway that is out of reach and says so', async t => {
  const { command } = await configured();
  t.is(
    command('set wan gateway 203.0.112.1'),
    "Cannot set WAN gateway 203.0.112.1: it is not in the WAN's network 203.0.113.0/24\r\n",
  );
  t.is(
    command('set wan address 198.51.100.2/24'),
    'The gateway was not in the new network and has been removed\r\n',
  );
  t.false(command('show config').includes('gateway'));
  t.is(command('show routes').split('\r\n').length, 4);
});

test('plugged in and nothing typed: the WAN gets its address, hosts reach it, names are known', async t => {
  const { command, network, settle, reports, wait } = await fixture();
  wait(15 * TICKS_PER_SECOND);
  const shown = command('show wan');
  t.regex(shown, /^mode +dhcp, bound\r$/m);
  t.regex(shown, /^address +203\.0\.113\.2\/24\r$/m);
  t.regex(shown, /^DNS servers +203\.0\.113\.1\r$/m);
  network.get(0, address('198.51.100.7'));
  settle();
  t.deepEqual(reports, ['laptop: 198.51.100.7 sends: You came here through Masqbox.']);
  t.regex(
    command('ping www.example.com count 2', 3 * TICKS_PER_SECOND),
    /^PING www\.example\.com \(198\.51\.100\.7\)[\s\S]*2 sent, 2 received, 0 lost\r\n$/,
  );
  wait(3600 * TICKS_PER_SECOND);
  t.regex(command('show wan'), /dhcp, bound/, 'renewed');
});

for (const engine of ['native', 'interpreted']) {
  test(`hosts reach the WAN through the ${engine} engine`, async t => {
    const { command, network, settle, reports } = await configured();
    command(`set engine ${engine}`);
    network.get(0, address('198.51.100.7'));
    settle();
    network.ping(1, address('8.8.8.8'));
    settle();
    network.udp(0, address('9.9.9.9'), 53);
    settle();
    network.ping(0, address('192.0.2.1'));
    settle();
    t.deepEqual(reports, [
      'laptop: 198.51.100.7 sends: You came here through Masqbox.',
      'desk: 8.8.8.8 answers ping',
      'laptop: 9.9.9.9:53 echoes 5 bytes',
      'laptop: 203.0.113.1 says ICMP type 3 code 1',
    ]);
    const table = command('show masq').split('\r\n');
    t.is(table[1], 'tcp   192.168.0.10:40001      40001 198.51.100.7:80       BOTH_FIN       4:00');
    t.is(table[2], 'icmp  192.168.0.11:267          267 8.8.8.8               answered       1:00');
    t.is(table[3], 'udp   192.168.0.10:40002      40002 9.9.9.9:53            answered       5:00');
    t.is(table[4], 'icmp  192.168.0.10:266          266 192.0.2.1             unanswered     1:00');
    t.is(table[5], '4 sessions');
    t.true(command('show version').startsWith(`Masqbox 0.1.0, ${engine} engine\r\n`));
  });
}

test('the engine is changed under traffic, and control sleeps when nothing is to be done', async t => {
  const { board, command, network, settle, reports, wait } = await configured();
  for (let i = 0; i < 20; i++) {
    const engine = ['interpreted', 'native'][i % 2];
    network.ping(0, address('8.8.8.8'));
    t.is(command(`set engine ${engine}`), '');
    wait(1);
    t.is(board.plane.wanted(), 0, `after set engine ${engine}`);
  }
  settle();
  t.is(reports.length, 20);
  t.is(board.plane.poolFree(), BUFFER_COUNT);
});

test('sessions expire in virtual time, and show masq counts down', async t => {
  const { command, network, settle, board } = await configured();
  network.ping(0, address('8.8.8.8'));
  settle();
  network.udp(0, address('9.9.9.9'), 53);
  settle();
  board.advance(20 * TICKS_PER_SECOND);
  t.regex(command('show masq'), /icmp .* answered {7}0:40\r\nudp .* answered {7}4:40\r\n2 sessions/);
  board.advance(42 * TICKS_PER_SECOND);
  t.regex(command('show masq'), /expires\r\nudp .* 3:58\r\n1 session\r\n/);
  board.advance(300 * TICKS_PER_SECOND);
  t.is(command('show masq'), '0 sessions\r\n');
});

test('ipfwadm -M -l and ipchains -M -L list byte for byte', async t => {
  const { command, network, settle, board } = await configured();
  t.is(command('ipfwadm -M -l -n'), 'IP masquerading entries\r\n');
  t.is(command('ipchains -M -L -n'), 'IP masquerading entries\r\n');
  network.get(0, address('204.152.184.112'));
  network.udp(1, address('198.41.0.4'), 53);
  settle();
  network.ping(0, address('8.8.8.8'));
  settle();
  board.advance(3);
  // In the order of 2.0's buckets: protocol ^ outside address ^ outside port, 256 of them.
  const rows = [
    ['udp', '04:59.97', '192.168.0.11', '198.41.0.4', '40002 (40002) -> 53'],
    ['tcp', '03:59.97', '192.168.0.10', '204.152.184.112', '40001 (40001) -> 80'],
    ['icmp', '00:59.97', '192.168.0.10', '8.8.8.8', '266 (266) -> 8'],
  ].sort(([a = ''], [b = '']) => bucket(a) - bucket(b));
  function bucket(name: string): number {
    const [protocol, port] = { udp: [17, 40002], tcp: [6, 40001], icmp: [1, 266] }[name] as [number, number];
    return (protocol ^ 2 ^ port) & 255;
  }
  const list = (upper: boolean, wide: string) =>
    rows
      .map(([name = '', expire, source = '', destination = '', ports]) => {
        const shown = (upper ? name.toUpperCase() : name).padEnd(5);
        return `${shown}${expire} ${wide}${source.padEnd(20)} ${destination.padEnd(20)} ${ports}\r\n`;
      })
      .join('');
  const title = 'IP masquerading entries\r\n';
  const header = 'prot expire   source               destination          ports\r\n';
  const wideHeader =
    'prot expire      initseq delta prevd source               destination          ports\r\n';
  t.is(command('ipfwadm -M -l -n'), title + header + list(false, ''));
  t.is(command('ipfwadm -Mlne'), title + wideHeader + list(false, '         0     0     0 '));
  t.is(command('ipchains -M -L -n'), title + header + list(true, ''));
  t.is(command('ipchains -M -L -n -v'), title + wideHeader + list(true, '         0     0     0 '));
});

test('ping sends five, prints answers and errors, and ^C stops it', async t => {
  const { command, board, settle, take, wait } = await configured();
  const lines = command('ping 198.51.100.9', 6 * TICKS_PER_SECOND).split('\r\n');
  t.is(lines[0], 'PING 198.51.100.9: 56 data bytes, ^C stops');
  for (let i = 0; i < 5; i++)
    t.regex(lines[i + 1] ?? '', new RegExp(`^64 bytes from 198.51.100.9: seq=${i} ttl=64 time`));
  t.is(lines[6], '5 sent, 5 received, 0 lost');
  const errors = command('ping 192.0.2.1', 6 * TICKS_PER_SECOND).split('\r\n');
  t.is(errors[1], 'from 203.0.113.1: host unreachable');
  t.is(errors[6], '5 sent, 0 received, 5 lost');
  board.type('ping 198.51.100.9\r');
  settle();
  wait(50);
  board.type('\x03');
  settle();
  t.regex(take(), /seq=0.*\r\n\^C\r\nmasqbox> $/s);
  // The identifier is free again: all sockets are closed.
  for (let i = 0; i < 70; i++) {
    board.type('ping 198.51.100.9\r');
    settle();
    wait(2);
    board.type('\x03');
    settle();
  }
  t.false(take().includes('Cannot'));
});

test('show arp, show interfaces and show counters tell what happened', async t => {
  const { command, network, settle } = await configured();
  t.is(command('show counters'), 'All counters are 0\r\n');
  network.ping(0, address('8.8.8.8'));
  settle();
  t.regex(command('show arp'), /192\.168\.0\.10 +02:00:00:00:00:0a lan {7}reachable/);
  t.regex(command('show arp'), /203\.0\.113\.1 +02:00:cb:00:71:01 wan {7}reachable/);
  t.regex(command('show counters'), /^masquerade-new +1 {2}masquerade entries made$/m);
  t.regex(command('show counters'), /^forwarded +2 {2}packets forwarded$/m);
  const interfaces = command('show interfaces');
  t.regex(interfaces, /^lan up, ring in memory, line 9\r$/m);
  t.regex(interfaces, /station 02:4d:42:00:00:02, MTU 1500\r$/m);
  t.regex(command('show memory'), /^sessions +4096, 1 in use, of 256 hosts at most\r$/m);
  t.true(command('show memory').includes(`packet buffers   ${BUFFER_COUNT}, ${BUFFER_COUNT} free\r`));
});

test('a paste larger than the receive ring loses no line', async t => {
  const { board, settle, take, command } = await fixture();
  const lines = Array.from({ length: 150 }, (_, i) => `set lan address 10.${i}.0.1/24`);
  t.true(lines.join('\r\n').length > SERIAL_RECEIVE_BYTES);
  board.type(lines.join('\r\n'));
  board.type('\r\n');
  settle();
  const echoed = take().match(/masqbox> set lan address/g) ?? [];
  t.is(echoed.length, lines.length);
  t.true(command('show config').startsWith('set lan address 10.149.0.1/24\r\n'));
});

test('control that dies is started again, and sessions go on', async t => {
  const { board, command, network, settle, take, reports, wait } = await configured();
  network.get(0, address('198.51.100.7'));
  settle();
  const before = command('show masq');
  board.engine.evaluate('Math.max = () => { throw new Error("test") }; 0');
  take();
  board.type('help\r');
  settle();
  wait(1);
  t.regex(
    take(),
    /Floor: control ended by an exception.*test.*Control was restarted \(exception, 1 since power-on\)/s,
  );
  t.is(command('show masq'), before);
  t.true(command('show config').includes('set wan gateway 203.0.113.1'));
  network.ping(0, address('8.8.8.8'));
  settle();
  t.is(reports.at(-1), 'laptop: 8.8.8.8 answers ping');
});

test('reboot says so and starts from the defaults', async t => {
  const { command, take, wait } = await configured();
  t.regex(command('reboot'), /Reboot all the same: yes or no \[no\]: $/);
  t.regex(command('yes'), /Rebooting\r\n$/);
  wait(51);
  t.true(
    take().endsWith(
      `wan: no address yet\r\n${NO_DISK}\r\nType help for the commands, setup for a short dialogue\r\n${PROMPT}`,
    ),
  );
});

test('debug differential finds both engines equal, and the numbers are those of Node', async t => {
  const { command, wait, take } = await fixture();
  command('debug differential 5 192');
  wait(60);
  const text = take();
  const { plane, memory } = javascriptBuild();
  const expected = [...runTraffic(plane, plane, memory, 5, 192)];
  for (const crc of expected) {
    t.true(text.includes(`differential native ${hex(crc, 8)}\r\n`));
    t.true(text.includes(`differential interpreted ${hex(crc, 8)}\r\n`));
  }
  t.true(text.includes('differential equal\r\n'));
  t.true(text.endsWith(PROMPT), 'the board has started again');
});

test('debug selftest prints a line for each group', async t => {
  const { board, settle, take } = await fixture();
  board.type('debug selftest\r');
  let text = '';
  for (let i = 0; i < 100 && !text.includes('total'); i++) {
    settle();
    text += take();
  }
  t.is((text.match(/^selftest \S+ \d+ [0-9a-f]{8}\r$/gm) ?? []).length, Object.keys(GROUPS).length + 1);
  t.regex(text, /^selftest total \d{4} [0-9a-f]{8}\r$/m);
});

test('receive() refuses frames that are too long and does not leak', async t => {
  const { board, settle } = await configured();
  t.false(board.receive(0, new Uint8Array(FRAME_TAGGED_MAX + 1)));
  for (let length = 0; length <= 60; length++) board.receive(0, new Uint8Array(length));
  settle();
  t.is(board.plane.poolFree(), BUFFER_COUNT);
});
