// What every router must do in the town (harness/town.ts), each with real programs of hosts and servers. The same
// list runs on the booted board, on the sim board, and, where Linux can, on Linux, which checks the scenarios.
// Not here: what is typed at our console (board.test.ts).

import type { ExecutionContext } from 'ava';
import type { Host } from '../tools/harness/namespace.ts';
import { contents, sha256 } from './harness/contents.ts';
import {
  downloadSum,
  ECHO_PORT,
  FAR,
  GATEWAY,
  LAN_ADDRESS,
  listening,
  pause,
  pings,
  type Router,
  SERVER,
  STRANGER,
  scapy,
  type Town,
  WAN_ADDRESS,
  watch,
} from './harness/town.ts';

export interface Scenario {
  readonly title: string;
  /** Only for routers of ours: plain Linux masquerading does not do this. */
  readonly ours?: boolean;
  /** Takes many seconds. */
  readonly heavy?: boolean;
  readonly run: (t: ExecutionContext, town: Town, router: Router) => Promise<void>;
}

const LARGE_BYTES = 4_000_000;
const SMALL_BYTES = 500_000;
/** Where a host of ours would open its own sockets: distinct in each scenario, so that none meets another's mapping. */
const PORTS = { clash: 4001, fragments: 4002, filter: 4003, hairpinA: 4004, hairpinB: 4005, direct: 4006 };

async function ping(host: Host, address: string, ...options: string[]): Promise<string> {
  return (await host.run(['ping', '-n', '-c', '3', '-i', '0.2', '-W', '2', ...options, address])).stdout;
}

export const scenarios: readonly Scenario[] = [
  {
    title: 'hosts ping the router and the internet, small and large, all at once',
    run: async (t, { laptop, desk, shelf }) => {
      await pings(t, laptop, LAN_ADDRESS);
      const all = [laptop, desk, shelf].flatMap(host => [
        pings(t, host, SERVER),
        pings(t, host, GATEWAY, '-s', '1472'),
      ]);
      await Promise.all(all);
      await pings(t, desk, SERVER, '-s', '0');
    },
  },
  {
    title: 'the internet sees the outside address',
    run: async (t, { laptop, shelf }) => {
      for (const host of [laptop, shelf]) {
        t.is(await host.output(['curl', '-sS', '--max-time', '60', `http://${SERVER}/`]), `${WAN_ADDRESS}\n`);
      }
    },
  },
  {
    title: 'a large file arrives unchanged, down and up',
    run: async (t, { laptop, desk }) => {
      t.is(await downloadSum(laptop, SERVER, LARGE_BYTES, 180), sha256(contents(LARGE_BYTES)));
      const upload = ['curl', '-sS', '--max-time', '180', '-T', '-', `http://${SERVER}/up`];
      const bytes = contents(LARGE_BYTES / 2);
      t.is(await desk.output(upload, { input: bytes, seconds: 185 }), sha256(bytes));
    },
  },
  {
    title: 'eight downloads at once arrive unchanged',
    run: async (t, { laptop, desk, shelf }) => {
      const hosts = [laptop, desk, shelf, laptop, desk, shelf, laptop, laptop];
      const sums = hosts.map((host, i) => downloadSum(host, SERVER, SMALL_BYTES + i, 180));
      t.deepEqual(
        await Promise.all(sums),
        hosts.map((_, i) => sha256(contents(SMALL_BYTES + i))),
      );
    },
  },
  {
    title: 'three hosts use one source port for one server, and each gets its own answers',
    run: async (t, town) => {
      const hosts = [town.laptop, town.desk, town.shelf];
      const sockets = await Promise.all(hosts.map(async host => (await town.peer(host)).udp(PORTS.clash)));
      for (const [i, socket] of sockets.entries()) await socket.send(SERVER, ECHO_PORT, `host ${i}`);
      for (const [i, socket] of sockets.entries()) {
        const answer = await socket.next();
        t.is(answer?.data.toString(), `host ${i}`);
        t.is(answer?.from, SERVER);
        t.is(socket.inbox.length, 0);
      }
    },
  },
  {
    title: 'datagrams of every size near the limits come back unchanged, fragmented both ways',
    run: async (t, town) => {
      const socket = await (await town.peer(town.laptop)).udp(PORTS.fragments);
      for (const bytes of [0, 1, 17, 18, 19, 1471, 1472, 1473, 2953, 8000, 8192]) {
        const data = contents(bytes);
        await socket.send(SERVER, ECHO_PORT, data);
        const answer = await socket.next();
        t.is(answer?.data.compare(data), 0, `${bytes} bytes`);
      }
      await pings(t, town.desk, SERVER, '-s', '4000');
    },
  },
  {
    title: 'fragments in reverse order arrive',
    run: async (t, town) => {
      const socket = await (await town.peer(town.desk)).udp(PORTS.fragments);
      await scapy(
        town.desk,
        `whole = IP(dst='${SERVER}', id=4242)/UDP(sport=${PORTS.fragments}, dport=${ECHO_PORT})/(b'0123456789abcdef' * 250)`,
        'send(list(reversed(fragment(whole, fragsize=1000))))',
      );
      const answer = await socket.next();
      t.is(answer?.data.toString(), '0123456789abcdef'.repeat(250));
    },
  },
  {
    title: 'traceroute shows the router, then the destination',
    run: async (t, { laptop }) => {
      for (const method of [[], ['-I']]) {
        const words = ['traceroute', '-n', '-q', '1', '-w', '20,0,0', '-m', '6', ...method, FAR];
        const hops = (await laptop.output(words)).split('\n').slice(1, 4);
        t.regex(hops[0]!, /^ *1 {2}192\.168\.0\.1 /);
        t.regex(hops[1]!, /^ *2 {2}203\.0\.113\.1 /);
        t.regex(hops[2]!, /^ *3 {2}198\.51\.100\.2 /);
      }
    },
  },
  {
    title: 'a narrow link beyond the WAN is found by its ICMP errors',
    run: async (t, { laptop }) => {
      const bytes = contents(SMALL_BYTES);
      const upload = ['curl', '-sS', '--max-time', '120', '-T', '-', `http://${FAR}/up`];
      t.is(await laptop.output(upload, { input: bytes, seconds: 125 }), sha256(bytes));
      // The size was learned from "fragmentation needed", whose quoted packet the router had to translate.
      t.regex(await laptop.output(['ip', 'route', 'get', FAR]), /mtu 1000/);
      // And a closed port from "port unreachable".
      const closed = await laptop.run([
        'traceroute',
        '-n',
        '-q',
        '1',
        '-w',
        '20,0,0',
        '-f',
        '2',
        '-m',
        '3',
        '-U',
        '-p',
        '9',
        SERVER,
      ]);
      t.regex(closed.stdout, /203\.0\.113\.2 /);
    },
  },
  {
    title: 'iperf3 runs both ways',
    heavy: true,
    run: async (t, { inet, laptop }) => {
      const server = inet.start(['iperf3', '-s', '-B', SERVER, '--forceflush']);
      await server.until(/Server listening/);
      for (const direction of [[], ['-R']]) {
        const words = ['iperf3', '-J', '-t', '3', '-c', SERVER, ...direction];
        const report = JSON.parse(await laptop.output(words, { seconds: 90 })) as {
          end: { sum_received: { bits_per_second: number } };
        };
        const rate = report.end.sum_received.bits_per_second / 1e6;
        t.log(`${direction.length === 0 ? 'up' : 'down'} ${rate.toFixed(1)} Mb/s`);
        t.true(rate > 0.1);
      }
      await server.stop();
    },
  },
  {
    title: 'segments are clamped to a smaller MTU of the WAN',
    run: async (t, { network, inet, laptop, desk }, router) => {
      const setMtu = async (bytes: number): Promise<void> => {
        await router.setWanMtu(bytes);
        await network.ip(inet.namespace, 'link', 'set', 'eth0', 'mtu', String(bytes));
      };
      await setMtu(1400);
      try {
        const syn = await watch(
          inet,
          `src ${WAN_ADDRESS} and tcp dst port 80 and tcp[tcpflags] & tcp-syn != 0`,
        );
        t.is(await downloadSum(laptop, SERVER, SMALL_BYTES, 120), sha256(contents(SMALL_BYTES)));
        await syn.running.until(/mss 1360/);
        await syn.running.stop();
        // A larger datagram that may be fragmented gets through in pieces, one that may not learns the MTU.
        await pings(t, desk, SERVER, '-s', '1400', '-M', 'dont');
        t.regex(await ping(laptop, SERVER, '-W', '30', '-s', '1400', '-M', 'do'), /mtu ?= ?1400/i);
      } finally {
        await setMtu(1500);
        await laptop.run(['ip', 'route', 'flush', 'cache']);
      }
    },
  },
  {
    title: 'nothing unsolicited comes in: a port scan of the outside address finds nothing',
    run: async (t, { inet }) => {
      const ports = '1-1024,4000-4010,5000,8080,61000-61100';
      const scan = `nmap -n -Pn -sS -p ${ports} -S ${STRANGER} -e eth0 --min-rate 1500 --max-retries 1`;
      const text = await inet.output([...scan.split(' '), WAN_ADDRESS], { seconds: 180 });
      t.regex(text, /All 1138 scanned ports .* are in ignored states/s);
      t.notRegex(text, /\d+\/tcp +(open|closed) /);
      t.regex(text, /1138 filtered/);
    },
  },
  {
    title: 'nothing unsolicited comes in: packets straight to a LAN address stay outside',
    run: async (t, town) => {
      const socket = await (await town.peer(town.laptop)).udp(PORTS.direct);
      const seen = await watch(town.laptop, 'net 203.0.113.0/24 or net 198.51.100.0/24');
      const { inet } = town.servers;
      const outside = await inet.udp(0, STRANGER);
      await outside.send(town.laptop.address, PORTS.direct, 'straight');
      const straight = await ping(town.inet, town.laptop.address, '-I', STRANGER);
      t.regex(straight, / 100% packet loss/);
      await seen.running.stop();
      t.deepEqual(seen.seen(), []);
      t.is(socket.inbox.length, 0);
    },
  },
  {
    title: 'a mapping lets in who was spoken to, and no stranger',
    run: async (t, town) => {
      const socket = await (await town.peer(town.laptop)).udp(PORTS.filter);
      const known = await town.servers.inet.udp(PORTS.filter, SERVER);
      const stranger = await town.servers.inet.udp(PORTS.filter, STRANGER);
      await socket.send(SERVER, PORTS.filter, 'out');
      const out = await known.next();
      t.is(out?.from, WAN_ADDRESS);
      await stranger.send(WAN_ADDRESS, out!.fromPort, 'stranger');
      await known.send(WAN_ADDRESS, out!.fromPort, 'known');
      t.is((await socket.next())?.data.toString(), 'known');
      await pause(300);
      t.is(socket.inbox.length, 0);
    },
  },
  {
    title: 'packets with addresses of the other side are dropped, both ways',
    run: async (t, town) => {
      const { inet, laptop } = town;
      await pings(t, laptop, SERVER); // and the internet learns our station address
      const inside = await watch(laptop, 'udp port 3999');
      const outside = await watch(
        inet,
        'udp port 3999 and not src net 192.168.0.0/24 and not src host 127.0.0.1',
      );
      const mac = (await inet.output(['ip', 'neighbour', 'show', WAN_ADDRESS])).match(/lladdr (\S+)/)?.[1];
      const from = (source: string): string =>
        `sendp(Ether(dst='${mac}')/IP(src='${source}', dst='${laptop.address}')/UDP(sport=3999, dport=3999), iface='eth0')`;
      await scapy(inet, ...['192.168.0.3', LAN_ADDRESS, '127.0.0.1', '0.0.0.0', '224.0.0.1'].map(from));
      await pause(300);
      t.deepEqual(inside.seen(), []);
      const out = (source: string): string =>
        `send(IP(src='${source}', dst='${SERVER}')/UDP(sport=3999, dport=3999))`;
      await scapy(laptop, ...['10.99.0.1', STRANGER, '127.0.0.1', '255.255.255.255'].map(out));
      await pause(300);
      await outside.running.stop();
      await inside.running.stop();
      const leaked = outside.seen().filter(line => line.includes(SERVER));
      t.deepEqual(leaked, []);
    },
  },
  {
    title: 'source-routed packets are dropped',
    run: async (t, { inet, laptop }) => {
      const outside = await watch(inet, 'udp port 3998');
      const option = (name: string): string =>
        `send(IP(dst='${SERVER}', options=[${name}(routers=['${GATEWAY}', '${SERVER}'])])/UDP(sport=3998, dport=3998))`;
      await scapy(laptop, option('IPOption_LSRR'), option('IPOption_SSRR'));
      await pause(300);
      await outside.running.stop();
      t.deepEqual(outside.seen(), []);
    },
  },
  {
    title: 'the NAT type by RFC 5780: endpoint-independent mapping',
    run: async (t, { inet, laptop }) => {
      const flags = '-n --no-auth --no-tls --no-dtls --no-cli --pidfile=/dev/null --log-file=stdout'.split(
        ' ',
      );
      const listen = [`--listening-ip=${GATEWAY}`, `--listening-ip=${SERVER}`];
      const server = inet.start(['turnserver', ...flags, ...listen]);
      await listening(inet, `${SERVER}:3479`);
      const words = ['turnutils_natdiscovery', '-m', '-f', '-T', '1', GATEWAY];
      const mapping = /NAT with Endpoint Independent Mapping!/;
      const filtered = /NAT with (Address Dependent|Address and Port Dependent) Filtering!/;
      let text = '';
      // It takes an answer that comes late, as where the machine stood still, for the one to its next question, and so
      // for the stranger's. A router that lets strangers in does so each time.
      for (let attempt = 0; attempt < 6 && !(mapping.test(text) && filtered.test(text)); attempt++)
        text = (await laptop.run(words, { seconds: 120 })).stdout;
      t.log(
        text
          .split('\n')
          .filter(line => /NAT with/.test(line))
          .join('; '),
      );
      t.regex(text, mapping);
      t.regex(text, filtered);
      await server.stop();
    },
  },
  {
    title: 'hairpin: two LAN hosts talk by their outside addresses',
    ours: true,
    run: async (t, town) => {
      const a = await (await town.peer(town.laptop)).udp(PORTS.hairpinA);
      const b = await (await town.peer(town.shelf)).udp(PORTS.hairpinB);
      const server = await town.servers.inet.udp(PORTS.hairpinA, SERVER);
      await a.send(SERVER, PORTS.hairpinA, 'a');
      const outsideA = (await server.next())!.fromPort;
      await b.send(SERVER, PORTS.hairpinA, 'b');
      const outsideB = (await server.next())!.fromPort;
      // Each speaks first to the other's outside address, as programs that learned it from a server do.
      await b.send(WAN_ADDRESS, outsideA, 'open');
      await a.send(WAN_ADDRESS, outsideB, 'hello b');
      const atB = await b.next();
      t.is(atB?.data.toString(), 'hello b');
      t.is(atB?.from, WAN_ADDRESS); // RFC 4787 REQ-9a: external source address and port
      t.is(atB?.fromPort, outsideA);
      a.inbox.length = 0;
      await b.send(WAN_ADDRESS, outsideA, 'hello a');
      t.is((await a.next())?.data.toString(), 'hello a');
    },
  },
];
