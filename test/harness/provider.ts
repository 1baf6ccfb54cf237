// An internet provider for a router that comes out of the box: a LAN with nothing on it yet, a WAN with the host
// `inet` at 203.0.113.1, on which a test starts the DHCP server that it wants.
//
//    (hosts) -- lan -- (router under test) -- wan -- inet 203.0.113.1, .2

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, Network, type Segment, within } from '../../tools/harness/namespace.ts';
import type { Running } from '../../tools/harness/processes.ts';

export const GATEWAY = '203.0.113.1';
export const WEB = '203.0.113.2';
const NODE_DHCP = join(import.meta.dirname, '../../node_modules/dhcp');

export class Provider {
  private constructor(
    readonly network: Network,
    readonly lan: Segment,
    readonly wan: Segment,
    readonly inet: Host,
    /** For files of the programs; removed at the end. */
    readonly directory: string,
  ) {}

  static async create(): Promise<Provider> {
    const network = await Network.create();
    const directory = await mkdtemp(join(tmpdir(), 'masqbox-provider-'));
    const lan = await network.segment('lan');
    const wan = await network.segment('wan');
    const inet = await network.host('inet', wan, [`${GATEWAY}/24`, `${WEB}/24`]);
    // node-dhcp sends to 255.255.255.255, for which Linux wants a route.
    await network.ip(inet.namespace, 'route', 'add', '255.255.255.255', 'dev', 'eth0');
    return new Provider(network, lan, wan, inet, directory);
  }

  async remove(): Promise<void> {
    await this.network.remove();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** A host on the LAN without an address: it must ask for one. */
  async newcomer(name: string): Promise<string> {
    const namespace = await this.network.addNamespace(name);
    await this.lan.veth(namespace, 'eth0');
    return namespace;
  }

  /** dnsmasq: DHCP for the range, DNS for page.example, which is WEB. */
  async dnsmasq(first: string, last: string, ...words: string[]): Promise<Running> {
    const leases = join(this.directory, `leases-${first}-${performance.now()}`);
    const options = [
      ...['-C', '/dev/null', '-k', '--user=root', '--no-resolv', '--no-hosts', '--pid-file='],
      ...['--interface=eth0', '--bind-interfaces', '--log-facility=-', '--log-dhcp', '--no-ping'],
      ...[`--dhcp-range=${first},${last},2m`, `--dhcp-leasefile=${leases}`, '--dhcp-authoritative'],
      ...[`--address=/page.example/${WEB}`],
    ];
    const running = this.inet.start(['dnsmasq', ...options, ...words]);
    await running.until(/DHCP, IP range/);
    return running;
  }

  /** node-dhcp's server: acknowledges everything, never refuses, forgets nothing. */
  async nodeDhcp(first: string, last: string, leaseSeconds: number): Promise<Running> {
    const file = join(this.directory, 'server.cjs');
    const settings = {
      range: [first, last],
      netmask: '255.255.255.0',
      router: [GATEWAY],
      dns: [GATEWAY],
      server: GATEWAY,
      broadcast: '255.255.255.255',
      leaseTime: leaseSeconds,
      renewalTime: Math.floor(leaseSeconds / 2),
      rebindingTime: Math.floor((leaseSeconds * 7) / 8),
    };
    const program = `const server = require(${JSON.stringify(NODE_DHCP)}).createServer(${JSON.stringify(settings)});
server.on('message', data => console.log('message', data.options[53]));
server.on('error', error => console.log('error', error.message));
server.on('listening', () => console.log('listening'));
server.listen();
`;
    await writeFile(file, program);
    const running = this.inet.start([process.execPath, file]);
    await running.until(/listening/);
    return running;
  }

  /** Runs a command in a namespace. */
  async within(namespace: string, command: readonly string[]): Promise<string> {
    return await this.network.processes.output(command, { within: within(namespace) });
  }
}
