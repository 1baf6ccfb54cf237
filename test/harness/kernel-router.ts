// The kernel's own iptables as the judge of ours: a namespace whose devices `lan` and `wan` are TAPs of this process, with the addresses and
// stations of test/plane-router.ts, so that one frame may be given to both. A frame's outcome is there when send() ends.
// Not here: rules and packets (test/rule-cases.ts), the comparison (test/kernel-rules.ts).

import { Network, within } from '../../tools/harness/namespace.ts';
import { PATIENCE_SECONDS, type Running } from '../../tools/harness/processes.ts';
import { ARP_REQUEST, arpFrame, BROADCAST, isArp, isIpv4 } from '../packets.ts';
import {
  GATEWAY,
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  OWN_PORTS,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../plane-router.ts';
import { type OwnSockets, openOwnSockets } from './own-sockets.ts';
import { forgetConnections, openTapNow, type Tap } from './tap.ts';

const SETTINGS = [
  'net.ipv4.ip_forward=1',
  // All answers are wanted, however many (Documentation/networking/ip-sysctl.rst).
  'net.ipv4.icmp_ratelimit=0',
  'net.ipv4.icmp_ratemask=0',
  'net.ipv4.conf.all.send_redirects=0',
  'net.ipv4.conf.default.send_redirects=0',
];
const LINKS = [
  { index: LAN, name: 'lan', mac: LAN_MAC, address: LAN_ADDRESS, peer: HOST, peerMac: HOST_MAC },
  { index: WAN, name: 'wan', mac: WAN_MAC, address: WAN_ADDRESS, peer: GATEWAY, peerMac: GATEWAY_MAC },
];
/** Looks at a TAP before the kernel counts as dead: each takes a microsecond. */
const LOOKS = 3_000_000;
const MARK = '===== said =====';

/** A frame that the kernel sent, and by which card. */
export interface Sent {
  index: number;
  frame: Uint8Array;
}

export class KernelRouter {
  private constructor(
    private readonly network: Network,
    private readonly namespace: string,
    private readonly taps: readonly Tap[],
    private readonly own: OwnSockets,
    private readonly shell: Running,
    private readonly lines: string[],
  ) {}

  static async start(): Promise<KernelRouter> {
    const network = await Network.create();
    try {
      const namespace = await network.addNamespace('judge');
      const taps = LINKS.map(({ name }) => openTapNow(name, namespace));
      const ip = async (words: string): Promise<string> => await network.ip(namespace, ...words.split(' '));
      for (const { name, mac, address, peer, peerMac } of LINKS) {
        await ip(`link set ${name} address ${mac}`);
        await ip(`address add ${address}/24 dev ${name}`);
        await ip(`link set ${name} up`);
        await ip(`neighbour replace ${peer} lladdr ${peerMac} dev ${name} nud permanent`);
      }
      await ip(`neighbour replace ${OTHER} lladdr ${OTHER_MAC} dev lan nud permanent`);
      await ip(`route add default via ${GATEWAY}`);
      const inside = { within: within(namespace) };
      await network.processes.output(['sysctl', '-q', '-w', ...SETTINGS], inside);
      const lines: string[] = [];
      const shell = network.processes.start(['sh'], {
        ...inside,
        interactive: true,
        onLine: line => lines.push(line),
      });
      return new KernelRouter(network, namespace, taps, openOwnSockets(namespace, OWN_PORTS), shell, lines);
    } catch (error) {
      await network.remove();
      throw error;
    }
  }

  /** Runs a command of the shell; answers its lines, standard error's among them. */
  private async run(command: string): Promise<string[]> {
    this.lines.length = 0;
    this.shell.send(`${command} 2>&1\necho '${MARK}'\n`);
    await this.shell.wait(() => this.lines.at(-1) === MARK || this.shell.ended, PATIENCE_SECONDS);
    if (this.lines.pop() !== MARK)
      throw new Error(`The judge's shell does not answer: ${this.shell.report()}`);
    return [...this.lines];
  }

  /** Puts other rules in the place of all that there are, as iptables-restore takes them; the kernel knows no connection then. */
  async restore(lines: readonly string[]): Promise<void> {
    const said = await this.run(`iptables-legacy-restore <<'END'\n${lines.join('\n')}\nEND\n:`);
    if (said.length > 0)
      throw new Error(`The judge refuses the rules: ${said.join(' / ')}\n${lines.join('\n')}`);
    forgetConnections(this.namespace);
  }

  /** iptables-save -c of a table, without its comments. */
  async save(table: string): Promise<string[]> {
    return (await this.run(`iptables-legacy-save -c -t ${table}`)).filter(line => !line.startsWith('#'));
  }

  /** Gives a frame to a card; answers what the kernel sent for it. ARP is left out. */
  send(index: number, frame: Uint8Array): Sent[] {
    this.tap(index).send(frame);
    return this.settle();
  }

  /** Sends a datagram of the kernel's own; answers what left. */
  sendOwn(datagram: Uint8Array): Sent[] {
    this.own.send(datagram);
    return this.settle();
  }

  /** What its sockets have heard since the last time. */
  heard(): string[] {
    return this.own.heard();
  }

  private tap(index: number): Tap {
    return this.taps[LINKS.findIndex(link => link.index === index)] as Tap;
  }

  /** An ARP request follows the frame through the same queue, so its reply comes behind all that the frame brings about. */
  private settle(): Sent[] {
    const sent: Sent[] = [];
    for (const { index, address, peer, peerMac } of LINKS) {
      const request = {
        operation: ARP_REQUEST,
        senderMac: peerMac,
        senderAddress: peer,
        targetAddress: address,
      };
      this.tap(index).send(arpFrame(BROADCAST, request));
    }
    for (const { index, name } of LINKS) {
      let looks = 0;
      for (;;) {
        const frame = this.tap(index).take();
        if (frame === undefined) {
          if (++looks > LOOKS) throw new Error(`The judge does not answer on ${name}`);
          continue;
        }
        if (isIpv4(frame)) sent.push({ index, frame });
        else if (isArp(frame)) break;
      }
    }
    return sent;
  }

  async stop(): Promise<void> {
    this.own.close();
    for (const tap of this.taps) tap.close();
    await this.network.remove();
  }
}
