// A small town of network namespaces: segments (bridges) in one namespace, hosts around them, each host in a
// namespace of its own with its own address and a veth pair to its segment.
//
//      laptop 192.168.0.2 --.
//      desk   192.168.0.3 --+-- bridge lan -- (router under test) -- bridge wan -- inet 203.0.113.1, .2, .3
//      shelf  192.168.0.4 --'
//
// Offloads are off on every end: a veth hands on partial checksums and oversized frames otherwise, and a TAP's
// reader would see packets that no wire ever carries. Names carry pid and a random part; what a killed run
// left behind is removed by the next.

import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { PATIENCE_SECONDS, Processes, type Result, type Running, type StartOptions } from './processes.ts';

const PREFIX = 'masqbox-test-';
const OFFLOADS = ['tx', 'rx', 'sg', 'tso', 'gso', 'gro'];

/** A bridge: one Ethernet segment. */
export interface Segment {
  readonly name: string;
  /** Makes a TAP on this segment; it lives in the network's switch namespace. */
  tap(name: string): Promise<void>;
  /** Makes a veth pair from this segment to `device` in `namespace`. */
  veth(namespace: string, device: string): Promise<void>;
}

export interface Host {
  readonly name: string;
  readonly namespace: string;
  /** The first of its addresses. */
  readonly address: string;
  run(command: readonly string[], options?: StartOptions): Promise<Result>;
  output(command: readonly string[], options?: StartOptions): Promise<string>;
  start(command: readonly string[], options?: StartOptions): Running;
}

export function within(namespace: string): string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--'];
}

export class Network {
  readonly processes = new Processes();
  readonly #token = `${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #namespaces: string[] = [];
  #ports = 0;
  /** The namespace of bridges and TAPs. A router that needs both segments runs here. */
  readonly switch = this.namespaceName('switch');

  static async create(): Promise<Network> {
    await removeStale();
    const network = new Network();
    await network.addNamespace('switch');
    return network;
  }

  namespaceName(name: string): string {
    return `${PREFIX}${this.#token}-${name}`;
  }

  async addNamespace(name: string): Promise<string> {
    const namespace = this.namespaceName(name);
    await this.processes.output(['ip', 'netns', 'add', namespace]);
    this.#namespaces.push(namespace);
    // IPv6 would only add neighbour discovery to every capture. A host must see spoofed packets to report
    // them, so it does not filter by reverse path.
    const settings = [
      'net.ipv6.conf.all.disable_ipv6=1',
      'net.ipv6.conf.default.disable_ipv6=1',
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.default.rp_filter=0',
    ];
    await this.processes.run(['sysctl', '-q', '-e', '-w', ...settings], { within: within(namespace) });
    await this.ip(namespace, 'link', 'set', 'lo', 'up');
    return namespace;
  }

  async segment(name: string): Promise<Segment> {
    await this.ip(this.switch, ...`link add ${name} type bridge forward_delay 0 mcast_snooping 0`.split(' '));
    await this.ip(this.switch, 'link', 'set', name, 'up');
    return {
      name,
      tap: async device => {
        await this.ip(this.switch, 'tuntap', 'add', 'dev', device, 'mode', 'tap');
        await this.#join(device, name);
      },
      veth: async (namespace, device) => {
        const port = `port${this.#ports++}`;
        const peer = ['peer', 'name', device, 'netns', namespace];
        await this.ip(this.switch, 'link', 'add', port, 'type', 'veth', ...peer);
        await this.#offloadsOff(this.switch, port);
        await this.#offloadsOff(namespace, device);
        await this.#join(port, name);
        // A router that stands still for three seconds, on a busy machine, is not gone: what waits for it stays.
        const settings = ['mcast', 'ucast'].map(
          kind => `net.ipv4.neigh.${device}.${kind}_solicit=${PATIENCE_SECONDS}`,
        );
        await this.processes.output(['sysctl', '-q', '-w', ...settings], { within: within(namespace) });
        await this.ip(namespace, 'link', 'set', device, 'up');
      },
    };
  }

  /** Adds a host with addresses in CIDR form on eth0, and a default route if a gateway is given. */
  async host(name: string, segment: Segment, addresses: readonly string[], gateway?: string): Promise<Host> {
    const namespace = await this.addNamespace(name);
    await segment.veth(namespace, 'eth0');
    for (const address of addresses) await this.ip(namespace, 'address', 'add', address, 'dev', 'eth0');
    if (gateway !== undefined) await this.ip(namespace, 'route', 'add', 'default', 'via', gateway);
    const inside = (options: StartOptions = {}): StartOptions => ({ ...options, within: within(namespace) });
    return {
      name,
      namespace,
      address: addresses[0]!.split('/')[0]!,
      run: (command, options) => this.processes.run(command, inside(options)),
      output: (command, options) => this.processes.output(command, inside(options)),
      start: (command, options) => this.processes.start(command, inside(options)),
    };
  }

  async ip(namespace: string, ...words: string[]): Promise<string> {
    return await this.processes.output(['ip', '-n', namespace, ...words]);
  }

  /** Ends every program of this network and removes its namespaces; their devices go with them. */
  async remove(): Promise<void> {
    await this.processes.stopAll();
    for (const namespace of this.#namespaces.splice(0)) {
      await this.processes.run(['ip', 'netns', 'delete', namespace]);
    }
  }

  async #join(device: string, bridge: string): Promise<void> {
    await this.ip(this.switch, 'link', 'set', device, 'master', bridge, 'up');
  }

  async #offloadsOff(namespace: string, device: string): Promise<void> {
    const words = OFFLOADS.flatMap(name => [name, 'off']);
    await this.processes.run(['ethtool', '-K', device, ...words], { within: within(namespace) });
  }
}

/** Removes the namespaces of runs whose process is gone. */
export async function removeStale(): Promise<void> {
  const processes = new Processes();
  for (const name of namespaces()) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : 0;
    if (pid > 0 && !isAlive(pid)) await processes.run(['ip', 'netns', 'delete', name]);
  }
}

export function namespaces(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return []; // no namespace was ever made on this machine
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
