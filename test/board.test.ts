// The whole board: the image from the BIOS on, on an emulated 486 with two ISA cards, between real hosts. One boot is
// shared by all checks but the last, which boot other machines.
// Not here: what any router must do (scenarios.ts), the town (harness/town.ts).

import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Host } from '../tools/harness/namespace.ts';
import { eventually } from '../tools/harness/processes.ts';
import { pciCards } from '../tools/harness/qemu.ts';
import { runSeed } from '../tools/harness/random.ts';
import { type BoardOptions, type BoardRouter, boardRouter, IMAGE } from './harness/board-router.ts';
import { contents, sha256 } from './harness/contents.ts';
import {
  downloadSum,
  FAR,
  GATEWAY,
  LAN_ADDRESS,
  pings,
  SERVER,
  STRANGER,
  type Town,
  WAN_ADDRESS,
} from './harness/town.ts';
import { wholeTests } from './harness/whole.ts';
import { scenarios } from './scenarios.ts';

const board = boardRouter();
const whole = wholeTests(test, () => board);
/** The interpreted engine moves some hundred packets a second: these scenarios are light enough for it. */
const FOR_INTERPRETER =
  /ping the router|sees the outside|one source port|of every size|reverse order|traceroute|no stranger/;

async function counters(router: BoardRouter): Promise<Map<string, number>> {
  const lines = (await router.console('show counters')).split('\n');
  const rows = lines.map(line => line.match(/^(\S+) +(\d+) /)).filter(row => row !== null);
  return new Map(rows.map(([, name, value]) => [name!, Number(value)]));
}

whole('board: banner and prompt come up by themselves', async t => {
  const { transcript } = board.machine().console;
  t.regex(transcript, /Masqbox \d+\.\d+\.\d+/);
  t.regex(transcript, /lan: 192\.168\.0\.1\/24/);
  t.notRegex(transcript, /restarted|panic|trap/i);
});

for (const { title, run } of scenarios) whole(`board: ${title}`, run);

whole('board: every kind of packet that the scenarios had dropped is counted', async t => {
  const counted = await counters(board);
  const provoked = [
    'drop-unsolicited',
    'drop-source-route',
    'drop-spoofed-from-wan',
    'drop-foreign-from-lan',
    'drop-martian-source',
    'drop-ttl',
    'icmp-sent',
    'echo-answered',
    'masquerade-new',
    'mss-clamped',
    'fragmented',
    'forwarded',
  ];
  for (const name of provoked) t.true((counted.get(name) ?? 0) > 0, `${name}: ${counted.get(name)}`);
});

whole('board: help, and refusals that say why', async t => {
  const help = await board.console('help');
  const commands = [
    ...['set lan address', 'set wan address', 'set wan gateway', 'set nat profile', 'set engine', 'reboot'],
    ...['show masq', 'show interfaces', 'show arp', 'show counters', 'show memory', 'show version'],
    ...['ipfwadm', 'ping', 'traceroute', 'capture'],
  ];
  for (const command of commands) t.regex(help, new RegExp(`^${command}( |$)`, 'm'));
  t.regex(await board.console('no such thing'), /^Cannot /);
  t.regex(await board.console('set wan address 192.168.0.77/24'), /^Cannot set /);
  t.regex(await board.console('set lan address 192.168.0.300/24'), /^Cannot set /);
});

whole('board: the tables show what is there', async (t, town) => {
  for (const host of [town.laptop, town.desk, town.shelf]) {
    await host.run(['ping', '-n', '-c', '1', '-W', '20', GATEWAY]);
  }
  const arp = await board.console('show arp');
  for (const { address } of [town.laptop, town.desk, town.shelf])
    t.regex(arp, new RegExp(`^${address} .* lan `, 'm'));
  t.regex(arp, new RegExp(`^${GATEWAY} .* wan `, 'm'));
  const interfaces = await board.console('show interfaces');
  t.regex(interfaces, /^lan up, NE2000 ISA at port 0x300, line 9$/m);
  t.regex(interfaces, /^wan up, NE2000 ISA at port 0x320, line 10$/m);
  t.regex(interfaces, /station 52:54:00:12:34:01/);
  t.regex(await board.console('show version'), /native engine/);
  t.regex(await board.console('show memory'), /^board +\d+ KiB$/m);
});

whole('board: a session is listed, byte for byte as ipfwadm does', async (t, town) => {
  const socket = await (await town.peer(town.desk)).udp(4020);
  const server = await town.servers.inet.udp(4021, STRANGER);
  await socket.send(STRANGER, 4021, 'list me');
  const outside = (await server.next())!.fromPort;
  t.regex(
    await board.console('show masq'),
    new RegExp(`^udp +192\\.168\\.0\\.3:4020 +${outside} ${STRANGER}:4021 `, 'm'),
  );
  const listing = (await board.console('ipfwadm -M -l -n')).split('\n');
  t.is(listing[0], 'IP masquerading entries');
  t.is(listing[1], 'prot expire   source               destination          ports');
  const row = listing.find(line => line.includes(' 4020 ('));
  t.regex(row ?? '', /^udp {2}0[0-5]:\d\d\.\d\d 192\.168\.0\.3 {10}203\.0\.113\.3 {10}4020 \(\d+\) -> 4021$/);
});

/** A server that is down, further addresses, a host with an address of its own, and the commands of the time, by real traffic. */
async function furtherForwards(
  t: ExecutionContext,
  town: Town,
  get: (host: Host, url: string) => Promise<string>,
): Promise<void> {
  const desk = town.desk.address;
  // The laptop has nothing at that port, which its host says: all connections come to the desk.
  const checked = `tcp 8081 ${desk}:8000 ${town.laptop.address}:9`;
  t.is(await board.console(`set forward ${checked} least check tcp 2 2 log`), '');
  await eventually(
    () => board.console('show forwards'),
    text => /:9 .* has not answered for /.test(text),
    60,
  );
  for (let i = 0; i < 4; i++) t.is(await get(town.inet, `http://${WAN_ADDRESS}:8081/`), `${GATEWAY}\n`);
  await eventually(
    () => board.console('show log'),
    text => /forward: tcp 8081: .* to 192\.168\.0\.3:8000/.test(text),
    60,
  );
  t.is(await board.console('redir --syslog --lport=8083 --caddr=192.168.0.3 --cport=8000 &'), '');
  t.is(await get(town.inet, `http://${WAN_ADDRESS}:8083/`), `${GATEWAY}\n`);
  t.is(await board.console('set wan also 203.0.113.18'), '');
  t.is(await board.console(`set forward tcp 203.0.113.18:8082 ${desk}:8000`), '');
  t.is(await get(town.inet, 'http://203.0.113.18:8082/'), `${GATEWAY}\n`);
  t.is(await board.console(`set nat one-to-one 203.0.113.35 ${desk}`), '');
  t.is(await get(town.inet, 'http://203.0.113.35:8000/'), `${GATEWAY}\n`);
  t.is(await get(town.laptop, 'http://203.0.113.35:8000/'), '203.0.113.35\n');
  await town.inet.output('ping -n -c 2 -W 20 203.0.113.35'.split(' '));
  t.is(await board.console('ipautofw -A -r udp 6970 7170 -c tcp 7070'), '');
  t.regex(
    await board.console('cat /proc/net/ip_masq/autofw'),
    /^ {3}1 {3}11 1B3A-1C02\/0000 0000 00000000 00000000 0006 1B9E {6}0 {4}6/m,
  );
  for (const line of [
    'forward tcp 8081',
    'forward tcp 8083',
    'forward tcp 203.0.113.18:8082',
    'wan also',
    'nat one-to-one 203.0.113.35',
    'trigger udp 6970-7170 tcp 7070',
  ])
    t.is(await board.console(`unset ${line}`), '', line);
}

whole(
  'board: a server inside is reached by a forward, from outside and from inside, and nothing else is',
  async (t, town) => {
    await (await town.peer(town.desk)).http(8000, town.desk.address);
    const get = async (host: Host, url: string): Promise<string> =>
      await host.output(['curl', '-sS', '--max-time', '60', url]);
    t.is(await board.console(`set forward tcp 8080 ${town.desk.address}:8000`), '');
    try {
      const url = `http://${WAN_ADDRESS}:8080`;
      // The server tells who asked: outside the stranger himself, inside the outside address.
      t.is(await get(town.inet, `${url}/`), `${GATEWAY}\n`);
      t.is(await get(town.laptop, `${url}/`), `${WAN_ADDRESS}\n`);
      t.is(await downloadSum(town.inet, `${WAN_ADDRESS}:8080`, 500_000, 120), sha256(contents(500_000)));
      const scan = `nmap -n -Pn -sS -p 8000-8100 -S ${STRANGER} -e eth0 --max-retries 1 ${WAN_ADDRESS}`;
      t.deepEqual((await town.inet.output(scan.split(' '), { seconds: 120 })).match(/\d+\/tcp +open/g), [
        '8080/tcp open',
      ]);
      t.regex(await board.console('show forwards'), /^tcp 8080 +192\.168\.0\.3:8000 +[4-9] sessions/m);
      t.regex(
        await board.console('show flows tcp 8000'),
        /^tcp +192\.168\.0\.3:8000 +203\.0\.113\.\d+:\d+ /m,
      );
      t.regex(await board.console('export'), /^set forward tcp 8080 192\.168\.0\.3:8000\r?$/m);
    } finally {
      t.is(await board.console('unset forward tcp 8080'), '');
      const rule = `-P tcp -L ${WAN_ADDRESS} 8080`;
      t.is(await board.console(`ipmasqadm portfw -a ${rule} -R ${town.desk.address} 8000`), '');
      t.is(await get(town.inet, `http://${WAN_ADDRESS}:8080/`), `${GATEWAY}\n`);
      t.regex(
        await board.console('ipmasqadm portfw -l'),
        /^TCP {2}203\.0\.113\.10 {9}192\.168\.0\.3 {14}8080 {5}8000 {5}9 {4}10$/m,
      );
      t.is(await board.console(`ipmasqadm portfw -d ${rule}`), '');
      await furtherForwards(t, town, get);
    }
    const refused = await town.inet.run(['curl', '-sS', '--max-time', '4', `http://${WAN_ADDRESS}:8080/`]);
    t.regex(refused.stderr, /timed out/i);
  },
);

whole('board: ping from the console', async t => {
  t.regex(await board.console(`ping ${GATEWAY}`), /5 sent, 5 received, 0 lost/);
  t.regex(await board.console('ping 203.0.113.99 count 2 size 1472'), /2 sent, 0 received, 2 lost/);
});

whole('board: traceroute from the console', async t => {
  const lines = (await board.console(`traceroute ${FAR}`)).split('\n');
  t.regex(lines[1] ?? '', /^ 1 {2}203\.0\.113\.1( {2}<?\d+ ms){3}$/);
  t.regex(lines[2] ?? '', /^ 2 {2}198\.51\.100\.2( {2}<?\d+ ms){3}$/);
  t.is(lines.length, 3);
});

whole('board: a capture is a file that tcpdump reads, and a line a packet', async (t, town) => {
  const { console } = board.machine();
  const filter = `icmp host ${STRANGER}`;
  const sent = board.console(`capture wan pcap count 6 ${filter}`);
  await eventually(
    () => console.transcript,
    text => text.includes('!0000 '),
  );
  await pings(t, town.laptop, STRANGER, '-s', '1000');
  const lines = (await sent).split('\n');
  t.is(lines.at(-1), '!end 6 packets captured, 0 dropped');
  const parts = lines
    .map(line => line.match(/^!([0-9a-f]{4}) (\S+) ([0-9a-f]{8})$/))
    .filter(row => row !== null);
  t.deepEqual(
    parts.map(([, sequence]) => Number.parseInt(sequence!, 16)),
    [0, 1, 2, 3, 4, 5, 6],
  );
  const file = join(tmpdir(), `masqbox-capture-${process.pid}.pcap`);
  t.teardown(() => rmSync(file, { force: true }));
  writeFileSync(file, Buffer.concat(parts.map(([, , text]) => Buffer.from(text!, 'base64'))));
  const read = await town.network.processes.output(['tcpdump', '-n', '-v', '-r', file]);
  for (const [from, to, kind] of [
    [WAN_ADDRESS, STRANGER, 'request'],
    [STRANGER, WAN_ADDRESS, 'reply'],
  ] as const) {
    const pattern = new RegExp(`${from} > ${to}: ICMP echo ${kind}, id \\d+, seq \\d+, length 1008`, 'g');
    t.is(read.match(pattern)?.length, 3, read);
  }
  t.notRegex(read, /bad|wrong|truncated/);

  const shown = board.console(`capture lan count 2 out ${filter}`);
  await eventually(
    () => console.transcript,
    text => text.includes('Capturing, '),
  );
  await pings(t, town.laptop, STRANGER);
  t.regex(await shown, /lan out 203\.0\.113\.3 > 192\.168\.0\.2: ICMP echo reply, id \d+, seq 1, length 64/);
});

whole('board: profile classic takes its ports from 61000 to 65095', async (t, town) => {
  t.is(await board.console('set nat profile classic'), '');
  const socket = await (await town.peer(town.shelf)).udp(4030);
  const server = await town.servers.inet.udp(4031, SERVER);
  await socket.send(SERVER, 4031, 'classic');
  const seen = await server.next();
  t.is(seen?.from, WAN_ADDRESS);
  t.true(seen!.fromPort >= 61000 && seen!.fromPort <= 65095, String(seen!.fromPort));
  await server.send(WAN_ADDRESS, seen!.fromPort, 'back');
  t.is((await socket.next())?.data.toString(), 'back');
  t.is(await board.console('set nat profile rfc'), '');
});

whole('board: the interpreted engine does the same', async (t, town) => {
  t.is(await board.console('set engine interpreted'), '');
  try {
    for (const { title, run } of scenarios) {
      if (!FOR_INTERPRETER.test(title)) continue;
      const before = performance.now();
      await run(t, town, board);
      t.log(`${title}: ${((performance.now() - before) / 1000).toFixed(1)} s`);
    }
    t.regex(await board.console('show version'), /interpreted engine/);
  } finally {
    await board.console('set engine native');
  }
});

whole('board: no packet buffer is lost', async t => {
  // Fragments and packets that wait for ARP give theirs back when their time is over.
  const show = () => board.console('show memory');
  await eventually(show, text => /^packet buffers +(\d+), \1 free$/m.test(text));
  t.pass();
});

whole('board: reboot starts it again, with nothing remembered', async (t, town) => {
  board.machine().console.write('reboot\ryes\r');
  t.regex(await board.comeUp(), /Masqbox \d/);
  await pings(t, town.laptop, SERVER);
  t.regex(await board.console('show version'), /up 0:\d\d/);
  t.notRegex(board.machine().console.transcript, /Control was restarted|panic/);
});

const others: { readonly title: string; readonly options: BoardOptions; readonly card: RegExp }[] = [
  {
    title: 'a PC with PCI cards',
    options: { name: 'pci', machine: 'pc', cards: pciCards },
    card: /NE2000 PCI/,
  },
  { title: 'a PC with ISA cards', options: { name: 'pc', machine: 'pc' }, card: /NE2000 ISA/ },
  { title: '4 MB of RAM', options: { name: 'small', memory: 4 }, card: /NE2000 ISA/ },
  { title: 'a floppy drive', options: { name: 'floppy', floppy: IMAGE }, card: /NE2000 ISA/ },
];

for (const { title, options, card } of others) {
  whole(`board: boots with ${title}, and forwards`, async (t, town) => {
    await board.stop(); // its addresses are needed
    const other = boardRouter(options);
    try {
      await other.start(town);
      await pings(t, town.laptop, LAN_ADDRESS);
      await pings(t, town.laptop, SERVER);
      t.regex(await other.console('show interfaces'), card);
      if (options.floppy === undefined) return;
      // Packets go on while it writes; only QEMU's copy of the image is written to.
      const ping = ['ping', '-n', '-c', '40', '-i', '0.1', '-w', '60', SERVER];
      const [{ stdout }, said] = await Promise.all([town.laptop.run(ping), other.console('save')]);
      t.is(said, 'Saved');
      t.regex(stdout, /^40 packets transmitted, 40 received/m);
    } catch (error) {
      t.log(other.report());
      throw error;
    } finally {
      await other.stop();
    }
  });
}

whole('board: two bad wires, and every file arrives unchanged', async (t, town) => {
  await board.stop();
  const seed = runSeed();
  const lan = {
    loss: 0.01,
    duplicate: 0.01,
    corrupt: 0.01,
    truncate: 0.005,
    reorder: 0.02,
    delayMilliseconds: 1,
  };
  const other = boardRouter({
    name: 'bad',
    faults: { seed, lan, wan: { ...lan, rate: 10_000_000, queue: 40 } },
  });
  try {
    await other.start(town);
    const bytes = 300_000;
    const sum = (host: Host): Promise<string> => downloadSum(host, SERVER, bytes, 240);
    const expected = sha256(contents(bytes));
    t.deepEqual(await Promise.all([sum(town.laptop), sum(town.shelf)]), [expected, expected]);
    t.is(await other.console('set nat profile classic'), ''); // the console lives
  } catch (error) {
    t.log(`MASQBOX_SEED=${seed}`, other.report());
    throw error;
  } finally {
    await other.stop();
  }
});
