// The town around a router under test: three hosts on its LAN, the internet on its WAN, and what each may expect.
//
//   laptop 192.168.0.2 --.                                          .-- inet 203.0.113.1, .2, .3 (gateway)
//   desk   192.168.0.3 --+-- lan -- 192.168.0.1 ROUTER 203.0.113.10 -- wan      | its link beyond has MTU 1,000
//   shelf  192.168.0.4 --'                                                       '-- far 198.51.100.2
//
// The addresses are those of RFC 5737. On the WAN, inet gives 203.0.113.10 by DHCP to who asks. Any implementation of Router can be put in the middle.

import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Host, Network, type Segment, within } from '../../tools/harness/namespace.ts';
import { CAPTURES } from '../../tools/harness/pcap.ts';
import { eventually, type Running } from '../../tools/harness/processes.ts';
import { Peer } from './peer.ts';

export const LAN_ADDRESS = '192.168.0.1';
export const LAN_NETWORK = '192.168.0.0/24';
export const WAN_ADDRESS = '203.0.113.10';
export const WAN_PREFIX = 24;
export const GATEWAY = '203.0.113.1';
/** Further addresses of the gateway's host: other endpoints for the same mapping. */
export const SERVER = '203.0.113.2';
export const STRANGER = '203.0.113.3';
export const FAR = '198.51.100.2';
export const FAR_MTU = 1000;
export const ECHO_PORT = 7;
export const HTTP_PORT = 80;
/** Bytes kept of each captured frame: every header, little content. */
const SNAP_BYTES = 200;

/** Where a router can stand: between two segments of a network. */
export type Place = Pick<Town, 'network' | 'lan' | 'wan'>;

/** What is tested: a router that stands between the town's segments. */
export interface Router {
  readonly name: string;
  /** Starts it between town.lan and town.wan; resolves when it can forward. */
  start(town: Town): Promise<void>;
  /** Types a line at its console and answers what it prints. */
  console?(line: string, seconds?: number): Promise<string>;
  setWanMtu(bytes: number): Promise<void>;
  stop(): Promise<void>;
  /** What helps to understand a failure: the console's transcript. */
  report(): string;
}

/** Waits until the town's provider has given a router its address. */
export async function hasLease(router: Required<Pick<Router, 'console'>>): Promise<void> {
  const bound = new RegExp(`^mode +dhcp, bound\naddress +${WAN_ADDRESS}/${WAN_PREFIX}$`, 'm');
  await eventually(
    () => router.console('show wan'),
    text => bound.test(text),
  );
}

export interface Town {
  readonly network: Network;
  readonly lan: Segment;
  readonly wan: Segment;
  readonly laptop: Host;
  readonly desk: Host;
  readonly shelf: Host;
  readonly inet: Host;
  readonly far: Host;
  readonly servers: { readonly inet: Peer; readonly far: Peer };
  /** A peer on a LAN host, started at its first use. */
  peer(host: Host): Promise<Peer>;
  /** Copies what both segments saw so far to build/captures; answers the paths. */
  keepCaptures(name: string): string[];
  remove(): Promise<void>;
}

export async function buildTown(): Promise<Town> {
  const network = await Network.create();
  const directory = await mkdtemp(join(tmpdir(), 'masqbox-town-'));
  const remove = async (): Promise<void> => {
    await network.remove();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return await settle(network, directory, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function settle(network: Network, directory: string, remove: () => Promise<void>): Promise<Town> {
  const lan = await network.segment('lan');
  const wan = await network.segment('wan');
  const beyond = await network.segment('beyond');
  const inside = async (name: string, last: number): Promise<Host> =>
    await network.host(name, lan, [`192.168.0.${last}/24`], LAN_ADDRESS);
  const laptop = await inside('laptop', 2);
  const desk = await inside('desk', 3);
  const shelf = await inside('shelf', 4);
  const addresses = [GATEWAY, SERVER, STRANGER].map(address => `${address}/${WAN_PREFIX}`);
  const inet = await network.host('inet', wan, addresses);
  const far = await network.host('far', beyond, [`${FAR}/24`], '198.51.100.1');
  await beyond.veth(inet.namespace, 'eth1');
  await network.ip(inet.namespace, 'address', 'add', '198.51.100.1/24', 'dev', 'eth1');
  await network.ip(inet.namespace, 'link', 'set', 'eth1', 'mtu', String(FAR_MTU));
  await inet.output(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
  // The internet knows a way to the private network, as a careless provider's router does: what keeps its
  // packets out must be the router under test.
  await network.ip(inet.namespace, 'route', 'add', LAN_NETWORK, 'via', WAN_ADDRESS);
  const [inetPeer, farPeer] = await Promise.all([Peer.start(inet), Peer.start(far)]);
  await inetPeer.http(HTTP_PORT, '0.0.0.0');
  await farPeer.http(HTTP_PORT, '0.0.0.0');
  for (const address of [GATEWAY, SERVER, STRANGER]) await inetPeer.echo(ECHO_PORT, address);
  await provide(inet);
  const captures = await Promise.all([lan, wan].map(segment => capture(network, segment, directory)));
  const peers = new Map<Host, Promise<Peer>>();
  return {
    ...{ network, lan, wan, laptop, desk, shelf, inet, far, remove },
    servers: { inet: inetPeer, far: farPeer },
    peer: host => {
      const peer = peers.get(host) ?? Peer.start(host);
      peers.set(host, peer);
      return peer;
    },
    keepCaptures: name => captures.flatMap(file => keep(file, name)),
  };
}

/** The router's address and gateway by DHCP, and no DNS server: tests bring their own. */
async function provide(inet: Host): Promise<void> {
  const running = inet.start([
    ...['dnsmasq', '-C', '/dev/null', '-k', '--user=root', '--pid-file=', '--port=0', '--log-facility=-'],
    ...['--interface=eth0', '--bind-interfaces', '--no-ping', '--dhcp-authoritative', '--leasefile-ro'],
    ...[`--dhcp-range=${WAN_ADDRESS},${WAN_ADDRESS},12h`, `--dhcp-option=3,${GATEWAY}`, '--dhcp-option=6'],
  ]);
  await running.until(/DHCP, IP range/);
}

/** Captures a segment into two files of 20 MB in turn. */
async function capture(network: Network, { name }: Segment, directory: string): Promise<string> {
  const file = join(directory, `${name}.pcap`);
  const words = `-i ${name} -s ${SNAP_BYTES} -U -Z root -C 20 -W 2 -w ${file}`.split(' ');
  const running = network.processes.start(['tcpdump', ...words], { within: within(network.switch) });
  await running.until(/listening on/);
  return file;
}

function keep(file: string, name: string): string[] {
  mkdirSync(CAPTURES, { recursive: true });
  const stem = name.replace(/[^\w.-]+/g, '-');
  const parts = ['0', '1'].filter(part => existsSync(file + part));
  return parts.map(part => {
    const path = join(CAPTURES, `${stem}-${file.split('/').pop()!.replace('.pcap', '')}${part}.pcap`);
    copyFileSync(file + part, path);
    return path;
  });
}

/** Watches a host's card for packets that match a filter of tcpdump's; `seen` are their lines. */
export async function watch(host: Host, filter: string): Promise<{ seen(): string[]; running: Running }> {
  const words = ['-i', 'eth0', '-n', '-l', '-v', '-t', '--immediate-mode', '-Z', 'root', filter];
  const running = host.start(['tcpdump', ...words]);
  await running.until(/listening on/);
  return { seen: () => running.stdout.split('\n').filter(line => line !== ''), running };
}

/** Runs a few lines of Python with scapy on a host, against which it has no say in what is a valid packet. */
export async function scapy(host: Host, ...lines: string[]): Promise<string> {
  const program = ['from scapy.all import *', 'conf.verb = 0', ...lines].join('\n');
  return await host.output(['/usr/bin/python3', '-c', program]);
}

/** SHA-256 of what a host gets of a file of `bytes` bytes. Throws with curl's own words when it does not get all. */
export async function downloadSum(
  host: Host,
  address: string,
  bytes: number,
  seconds: number,
): Promise<string> {
  const curl = `curl -sS --fail --max-time ${seconds} http://${address}/bytes/${bytes} | sha256sum`;
  const line = ['bash', '-o', 'pipefail', '-c', curl];
  return (await host.output(line, { seconds: seconds + 5 })).slice(0, 64);
}

/**
 * Pings three times: the first three must be answered once, however late. (By its own count ping forgets a last answer
 * that is later than twice the others, and sends a fourth while it waits for the first.)
 */
export async function pings(
  t: ExecutionContext,
  host: Host,
  address: string,
  ...options: string[]
): Promise<void> {
  const words = ['ping', '-n', '-c', '3', '-i', '0.2', '-w', '30', ...options, address];
  const { stdout } = await host.run(words);
  const answered = [...stdout.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, sequence]) => Number(sequence));
  t.deepEqual(
    answered.filter(sequence => sequence <= 3),
    [1, 2, 3],
    stdout,
  );
}

/** Waits until a socket is bound on a host: for servers that do not say when they are ready. */
export async function listening(host: Host, socket: string, kind: 'udp' | 'tcp' = 'udp'): Promise<void> {
  await eventually(
    () => host.output(['ss', '-H', '-l', '-n', `--${kind}`]),
    sockets => sockets.includes(socket),
  );
}

export async function pause(milliseconds: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, milliseconds));
}
