// The DHCP server against real clients: on the sim board, and on the image booted on an emulated 486.
// Not here: what it does message by message (src/control/dhcp/server.test.ts), the WAN's client.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Host, within } from '../tools/harness/namespace.ts';
import { eventually } from '../tools/harness/processes.ts';
import { runSeed } from '../tools/harness/random.ts';
import { boardRouter } from './harness/board-router.ts';
import { simRouter } from './harness/sim-router.ts';
import { LAN_ADDRESS, listening, pings, type Router, scapy, type Town } from './harness/town.ts';
import { wholeTests } from './harness/whole.ts';

const ROOT = join(import.meta.dirname, '..');

/** What udhcpc and dhclient call when they have a lease: the address on the card, the way out. */
const SCRIPT = `#!/bin/sh
dev=$interface
[ -n "$new_ip_address" ] && ip=$new_ip_address subnet=$new_subnet_mask router=$new_routers dns=$new_domain_name_servers
case "$1$reason" in
  bound|renew|BOUND|RENEW|REBIND|REBOOT)
    ip address flush dev $dev
    ip address add $ip/$subnet dev $dev
    ip route replace default via $router
    echo "script: $1$reason $ip $subnet $router dns $dns wpad $wpad" ;;
  deconfig|PREINIT) ip address flush dev $dev; ip link set $dev up ;;
esac
exit 0
`;

/** A host on the LAN whose card has no address. */
async function newHost(town: Town, name: string): Promise<Host> {
  const namespace = await town.network.addNamespace(name);
  await town.lan.veth(namespace, 'eth0');
  const { processes } = town.network;
  return {
    ...{ name, namespace, address: '' },
    run: (command, options) => processes.run(command, { ...options, within: within(namespace) }),
    output: (command, options) => processes.output(command, { ...options, within: within(namespace) }),
    start: (command, options) => processes.start(command, { ...options, within: within(namespace) }),
  };
}

async function withFiles(run: (directory: string, script: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'masqbox-dhcp-'));
  const script = join(directory, 'script');
  await writeFile(script, SCRIPT, { mode: 0o755 });
  try {
    await run(directory, script);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const LEASE = new RegExp(
  `script: \\S+ (192\\.168\\.0\\.1\\d\\d) 255\\.255\\.255\\.0 ${LAN_ADDRESS} dns ${LAN_ADDRESS}`,
);

/** The leased address that a client's script printed, which must be able to reach the router. */
async function reached(t: ExecutionContext, host: Host, text: string): Promise<string> {
  const address = text.match(LEASE)?.[1];
  t.not(address, undefined, text);
  const ping = await host.run(['ping', '-c', '1', '-W', '20', LAN_ADDRESS]);
  t.is(ping.status, 0, ping.stdout);
  return address!;
}

async function listed(router: Router, address: string): Promise<string> {
  return (
    (await router.console!('show leases')).split('\n').find(line => line.startsWith(`${address} `)) ?? ''
  );
}

/** The same once it says that the lease has ended; a release is under way for a moment. */
async function listedEnded(router: Router, address: string): Promise<string> {
  return await eventually(
    () => listed(router, address),
    line => line.includes('ended'),
  );
}

type Check = (t: ExecutionContext, town: Town, router: Router) => Promise<void>;

const udhcpc: Check = async (t, town, router) => {
  const host = await newHost(town, 'small');
  await withFiles(async (_directory, script) => {
    const client = async (...words: string[]): Promise<string> => {
      const all = ['udhcpc', '-i', 'eth0', '-n', '-f', '-t', '3', '-T', '1', '-s', script, ...words];
      // It gives up after three seconds. An offer that takes longer never comes in time; a machine that stands still
      // for so long does so once.
      return await eventually(
        async () => {
          const { status, stdout, stderr } = await host.run(all);
          return `${stdout}${stderr}status ${status}`;
        },
        text => text.endsWith('status 0'),
      );
    };
    const address = await reached(t, host, await client('-q', '-x', 'hostname:small'));
    t.regex(await listed(router, address), /leased .* small/);
    t.is(await reached(t, host, await client('-q', '-r', address)), address, 'the same once more');
    // -R releases when it is told to leave, by a datagram of the kernel's; then the script flushes the address, and
    // with it what still waits for ARP. So the host must know the router's station before.
    const running = host.start(['udhcpc', '-i', 'eth0', '-f', '-R', '-s', script]);
    await reached(t, host, (await running.until(LEASE))[0]);
    await running.stop();
    t.regex(await listedEnded(router, address), /ended/);
  });
};

const dhclient: Check = async (t, town, router) => {
  const host = await newHost(town, 'debian');
  await withFiles(async (directory, script) => {
    // It asks once in ten seconds, and forgets its lease after them, unless it is told otherwise.
    const settings = join(directory, 'dhclient.conf');
    await writeFile(settings, 'initial-interval 2;\nreboot 60;\ntimeout 80;\n');
    const files = ['-lf', join(directory, 'leases'), '-pf', join(directory, 'pid'), '-cf', settings];
    const client = async (...words: string[]): Promise<string> => {
      const { status, stdout, stderr } = await host.run([
        'dhclient',
        ...words,
        '-v',
        '-sf',
        script,
        ...files,
        'eth0',
      ]);
      t.is(status, 0, stdout + stderr);
      return stdout + stderr;
    };
    const first = await client('-1');
    t.regex(first, /DHCPDISCOVER[\s\S]*DHCPOFFER[\s\S]*DHCPREQUEST[\s\S]*DHCPACK[\s\S]*bound to/);
    t.regex(first, /renewal in \d+ seconds/);
    const address = await reached(t, host, first);
    await client('-x'); // leaves without a release
    const again = await client('-1');
    t.notRegex(again, /DHCPDISCOVER/, 'it remembers its lease: INIT-REBOOT');
    t.is(await reached(t, host, again), address);
    await client('-r');
    t.regex(await listedEnded(router, address), /ended/);
  });
};

/**
 * dhcpcd has one control socket, one pid file and one folder of leases for the whole machine: a mount namespace with
 * empty folders there keeps it to itself. It takes settings from the kernel, not from a script.
 */
const dhcpcd: Check = async (t, town, router) => {
  const host = await newHost(town, 'berkeley');
  const own =
    'for d in /run /var/lib/dhcpcd; do mkdir -p $d && mount -t tmpfs tmpfs $d || exit 1; done; exec "$@"';
  const words = '-4 -B -d -f /dev/null -c /bin/true -h berkeley --noipv4ll --nohook resolv.conf'.split(' ');
  const running = host.start(['unshare', '-m', 'sh', '-c', own, 'sh', 'dhcpcd', ...words, 'eth0']);
  const [, address] = await running.until(/eth0: leased (192\.168\.0\.1\d\d) for \d+ seconds/);
  await running.until(/adding default route via 192\.168\.0\.1\b/);
  await pings(t, host, LAN_ADDRESS);
  t.regex(await listed(router, address!), /leased .* berkeley/);
  await running.stop('SIGALRM'); // gives the lease back and leaves
  t.regex(await listedEnded(router, address!), /ended/);
};

/** node-dhcp's client can only read what is sent to an address of its host: here, all of the range are. */
const nodeDhcp: Check = async (t, town) => {
  const host = await newHost(town, 'node');
  await town.network.ip(host.namespace, 'route', 'add', 'default', 'dev', 'eth0');
  for (const part of ['192.168.0.64/26', '192.168.0.128/25']) {
    await town.network.ip(host.namespace, 'route', 'add', 'local', part, 'dev', 'lo');
  }
  // But it does not say so to those who ask.
  await host.output(['sysctl', '-q', '-w', 'net.ipv4.conf.eth0.arp_ignore=8']);
  const [link] = JSON.parse(await town.network.ip(host.namespace, '-j', 'link', 'show', 'eth0'));
  const mac = String(link.address);
  const program = `
    const client = require('dhcp').createClient({ mac: '${mac}', features: ['router', 'dns', 'hostname'] });
    client.on('bound', state => { console.log('bound', JSON.stringify(state)); process.exit(0); });
    client.on('error', error => { console.log('error', error); });
    client.on('listening', () => client.sendDiscover());
    client.listen();`;
  const { stdout, stderr } = await host.run([process.execPath, '-e', program], { cwd: ROOT });
  t.regex(stdout, /bound .*192\.168\.0\.1\d\d/, stdout + stderr);
  t.regex(stdout, new RegExp(`"router":\\["${LAN_ADDRESS}"\\]`));
  // By those routes its kernel answers for half of the LAN's addresses: the next check must not meet it.
  await town.network.ip(host.namespace, 'link', 'set', 'eth0', 'down');
};

/** The station address of a host's card. */
async function stationOf(town: Town, host: Host): Promise<string> {
  const [link] = JSON.parse(await town.network.ip(host.namespace, '-j', 'link', 'show', 'eth0'));
  return String(link.address);
}

/** Two cards with one reserved address, of which each is asked by several systems; BOOTP; an option that is forced. */
const identities: Check = async (t, town, router) => {
  const shared = '192.168.0.77';
  const [cable, radio] = [await newHost(town, 'cable'), await newHost(town, 'radio')];
  const type = async (line: string): Promise<string> => await router.console!(line);
  t.is(await type(`set dhcp reserve ${await stationOf(town, cable)} ${shared} twin`), '');
  t.regex(
    await type(`set dhcp reserve ${await stationOf(town, radio)} ${shared} twin`),
    /reserved for .* too/,
  );
  t.is(await type('set dhcp option 252 http://192.168.0.4/wpad.dat always'), '');
  await withFiles(async (directory, script) => {
    const udhcpc = async (host: Host, ...words: string[]): Promise<string> => {
      const all = ['udhcpc', '-i', 'eth0', '-n', '-f', '-q', '-t', '10', '-T', '2', '-s', script, ...words];
      const text = await eventually(
        async () => (await host.run(all)).stdout,
        stdout => stdout.includes('script: bound'),
      );
      t.true(text.includes('wpad http://192.168.0.4/wpad.dat'), text);
      return /script: bound (\S+)/.exec(text)?.[1] ?? '';
    };
    // The boot ROM, one system and another.
    t.is(await udhcpc(cable), shared);
    t.is(await udhcpc(cable, '-C', '-x', '0x3d:00aabbccddee'), shared);
    const settings = join(directory, 'dhclient.conf');
    await writeFile(
      settings,
      'send dhcp-client-identifier "another system";\ninitial-interval 2;\ntimeout 80;\n',
    );
    const files = ['-lf', join(directory, 'leases'), '-pf', join(directory, 'pid'), '-cf', settings];
    const { stdout, stderr } = await cable.run(['dhclient', '-1', '-v', '-sf', script, ...files, 'eth0']);
    t.true((stdout + stderr).includes(`DHCPACK of ${shared}`), stdout + stderr);
    await cable.run(['dhclient', '-x', ...files, 'eth0']);
    t.regex(await listed(router, shared), / twin/);
    // The cable is there, so the radio gets another address; without the cable it gets this one.
    await town.network.ip(cable.namespace, 'address', 'replace', `${shared}/24`, 'dev', 'eth0');
    t.regex(await udhcpc(radio), /^192\.168\.0\.1\d\d$/);
    await town.network.ip(cable.namespace, 'link', 'set', 'eth0', 'down');
    t.is(await udhcpc(radio), shared);
  });
  const old = await newHost(town, 'bootp');
  const mac = await stationOf(town, old);
  t.is(await type(`set dhcp reserve ${mac} 192.168.0.78`), '');
  const said = await scapy(
    old,
    `mac = "${mac}"`,
    'chaddr = bytes.fromhex(mac.replace(":", ""))',
    'ask = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)',
    'ask = ask / BOOTP(chaddr=chaddr, xid=77, flags=0x8000) / Raw(bytes(64))',
    'got = lambda p: BOOTP in p and p[BOOTP].op == 2 and p[BOOTP].xid == 77',
    'sniffer = AsyncSniffer(iface="eth0", lfilter=got, count=1, timeout=60, started_callback=lambda: sendp(ask, iface="eth0"))',
    'sniffer.start()',
    'sniffer.join()',
    'print(sniffer.results[0][BOOTP].yiaddr)',
  );
  t.is(said.trim(), '192.168.0.78');
  for (const host of [cable, radio, old]) await type(`unset dhcp reserve ${await stationOf(town, host)}`);
  t.is(await type('unset dhcp option 252'), '');
};

/** iPXE, the boot ROM of a PC on the LAN: it loads by TFTP what set dhcp boot names, a script that says what it was told. */
const netboot: Check = async (t, town, router) => {
  const { network, shelf } = town;
  t.is(await router.console!(`set dhcp boot hello.ipxe ${shelf.address}`), '');
  await withFiles(async directory => {
    const values = ['net0/ip', 'net0/gateway', 'next-server', 'filename'].map(name => `\${${name}}`);
    await writeFile(join(directory, 'hello.ipxe'), `#!ipxe\necho told ${values.join(' ')}\nsleep 600\n`);
    await chmod(directory, 0o755);
    const tftp = ['--port=0', '--enable-tftp', `--tftp-root=${directory}`, '--log-facility=-', '--pid-file='];
    const server = shelf.start(['dnsmasq', '-C', '/dev/null', '-k', '--user=root', ...tftp]);
    await listening(shelf, ':69');
    await town.lan.tap('pc');
    const pc = network.processes.start(
      [
        ...['qemu-system-i386', '-M', 'pc,graphics=off', '-accel', 'tcg', '-m', '64', '-nodefaults'],
        ...[
          '-display',
          'none',
          '-serial',
          'stdio',
          '-netdev',
          'tap,id=lan,ifname=pc,script=no,downscript=no',
        ],
        ...['-device', 'e1000,netdev=lan,mac=52:54:00:00:77:01,romfile=pxe-e1000.rom,bootindex=0'],
      ],
      { within: within(network.switch) },
    );
    const [, address] = await pc.until(
      new RegExp(`told (192\\.168\\.0\\.1\\d\\d) ${LAN_ADDRESS} ${shelf.address} hello\\.ipxe`),
    );
    t.regex(await listed(router, address!), /52:54:00:00:77:01 leased/);
    await pc.stop();
    await server.stop();
  });
  t.is(await router.console!('unset dhcp boot'), '');
};

/** perfdhcp is a relay with many clients behind it; new ones come no faster than the limit. */
const perfdhcp: Check = async (t, town, router) => {
  const host = await newHost(town, 'crowd');
  await town.network.ip(host.namespace, 'address', 'add', '192.168.0.9/24', 'dev', 'eth0');
  const words = '-4 -l eth0 -r 5 -n 25 -R 25 -d 20 -W 3000000 -p 60'.split(' ');
  const { stdout, stderr } = await host.run(['perfdhcp', ...words]);
  const received = [...stdout.matchAll(/received packets: (\d+)/g)].map(([, count]) => Number(count));
  t.true(received.length === 2 && received.every(count => count >= 24), stdout + stderr);
  t.regex(await router.console!('show leases'), /leased/);
};

/** Four hosts at once, twice: each has one address of its own, whatever is lost or comes twice. */
const faulty: Check = async (t, town, router) => {
  const names = ['one', 'two', 'three', 'four'];
  const hosts: Host[] = [];
  for (const name of names) hosts.push(await newHost(town, name));
  await withFiles(async (_directory, script) => {
    const leased = async (host: Host): Promise<string> => {
      const words = ['-i', 'eth0', '-n', '-f', '-q', '-t', '20', '-T', '1', '-s', script];
      const all = ['udhcpc', ...words, '-x', `hostname:${host.name}`];
      const text = await eventually(
        async () => (await host.run(all)).stdout,
        stdout => LEASE.test(stdout),
      );
      return LEASE.exec(text)?.[1] ?? '';
    };
    const addresses = await Promise.all(hosts.map(leased));
    t.is(new Set(addresses).size, hosts.length, addresses.join(' '));
    t.deepEqual(await Promise.all(hosts.map(leased)), addresses, 'the same once more');
    const leases = await router.console!('show leases');
    for (const [i, name] of names.entries()) {
      const rows = leases.split('\n').filter(line => line.includes(` ${name}`));
      t.is(rows.length, 1, leases);
      t.true(rows[0]!.startsWith(`${addresses[i]} `) && rows[0]!.includes('leased'), leases);
    }
  });
};

const checks: [string, Check][] = [
  ['udhcpc gets a lease in its three seconds, again, and gives it back', udhcpc],
  ['dhclient gets a lease, remembers it, and gives it back', dhclient],
  ['dhcpcd gets a lease and gives it back', dhcpcd],
  ["node-dhcp's client gets a lease", nodeDhcp],
  ['one card, several systems; two cards, one address; BOOTP; an option that nobody asks for', identities],
  ['iPXE loads what set dhcp boot names', netboot],
  ['perfdhcp: 25 clients behind a relay', perfdhcp],
];

const sim = wholeTests(test, simRouter);
for (const [title, check] of checks) sim(`sim: ${title}`, check);
const board = wholeTests(test, boardRouter);
for (const [title, check] of checks) board(`board: ${title}`, check);
const faults = { loss: 0.2, duplicate: 0.2, corrupt: 0.02, reorder: 0.1, delayMilliseconds: 5 };
const faultyBoard = wholeTests(test, () =>
  boardRouter({ name: 'faulty', faults: { seed: runSeed(), lan: faults, wan: {} } }),
);
faultyBoard('board, a faulty wire: four clients at once get an address each, and keep it', faulty);
