// Traffic for the plain models of ipchains' and ipfwadm's walks: packets of two hosts to two servers, their answers, and pings to the router,
// each asked of the chains that it crosses, with what it is there. Not a part of the firmware.
//
//    out      input as it came by the LAN, forward as it came by the WAN, output by the WAN, translated if it is
//    answer   input as it came by the WAN, output by the LAN; forward too if nothing was translated
//    ping     input by the LAN; the router's answer by output

import fc from 'fast-check';
import { ACK, address, echo, frame, payload, read, SYN, tcp, udp } from '../../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  WAN_ADDRESS,
} from '../../../../test/plane-router.ts';

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const HOSTS = [HOST, OTHER];
const SERVERS = [SERVER, '198.41.0.4'];
const HEADERS: Record<number, number> = { [UDP]: 28, [TCP]: 40, [ICMP]: 28 };

export interface Sent {
  host: number;
  server: number;
  protocol: number;
  port: number;
  remote: number;
  bytes: number;
  kind: 'out' | 'answer' | 'ping';
}

export const sent: fc.Arbitrary<Sent> = fc.record({
  host: fc.nat({ max: 1 }),
  server: fc.nat({ max: 1 }),
  protocol: fc.constantFrom(UDP, TCP, ICMP),
  port: fc.nat({ max: 2 }),
  remote: fc.nat({ max: 4 }),
  bytes: fc.integer({ min: 1, max: 60 }),
  kind: fc.constantFrom('out', 'out', 'answer', 'answer', 'ping'),
});

/** A packet as a chain sees it; of ICMP ports are type and code. */
export interface Asked {
  link: 0 | 1;
  protocol: number;
  source: string;
  destination: string;
  sourcePort: number;
  port: number;
  isSyn: boolean;
  isAck: boolean;
  bytes: number;
}

/** What a model answers: DENY, MASQ, ACCEPT, or '' by a policy that lets it pass. */
export interface Walks {
  ask(chain: number, packet: Asked): string;
  has(chain: number): boolean;
  /** Accounting of what has passed input, or output. */
  account?(isOut: boolean, packet: Asked): void;
}

/** Whether an address is of a network. */
export function inside(host: string, net: string): boolean {
  const [base = '', bits = '32'] = net.split('/');
  if (bits === '0') return true;
  return ((address(host) ^ address(base)) & (-1 << (32 - Number(bits)))) === 0;
}

export class OldTraffic {
  private readonly flows = new Map<string, { outside: number; isMasqueraded: boolean; isHeard: boolean }>();

  constructor(
    private readonly router: Router,
    private readonly model: Walks,
  ) {}

  /** Sends a packet: '' if it does what the model says. */
  send(packet: Sent): string {
    if (packet.kind === 'ping') return this.ping(packet);
    return packet.kind === 'out' ? this.out(packet) : this.answer(packet);
  }

  private passes(chain: number, asked: Asked): string | undefined {
    const answer = this.model.ask(chain, asked);
    if (answer === 'DENY') return undefined;
    if (chain !== 1) this.model.account?.(chain === 2, asked);
    return answer;
  }

  private asked({ bytes, protocol }: Sent, link: 0 | 1, flags: number): Asked {
    return {
      link,
      protocol,
      ...{ source: '', destination: '', sourcePort: 0, port: 0 },
      isSyn: protocol === TCP && flags === SYN,
      isAck: protocol === TCP && (flags & ACK) !== 0,
      bytes: bytes + (HEADERS[protocol] as number),
    };
  }

  private put(host: number, datagram: Uint8Array): void {
    this.router.put(LAN, frame(LAN_MAC, host === 0 ? HOST_MAC : OTHER_MAC, datagram));
  }

  private out(packet: Sent): string {
    const { protocol } = packet;
    const [source, destination] = [HOSTS[packet.host] as string, SERVERS[packet.server] as string];
    const [port, remote] = [1000 + packet.port, 1000 + packet.remote];
    const key = `${packet.host} ${packet.server} ${protocol} ${port} ${protocol === ICMP ? 0 : remote}`;
    const flow = this.flows.get(key);
    const flags = flow?.isHeard === true ? ACK : SYN;
    const ends = { source, destination };
    const data = payload(packet.bytes);
    if (protocol === UDP) this.put(packet.host, udp(ends, port, remote, data));
    else if (protocol === ICMP) this.put(packet.host, echo(ends, 8, port, 1, data));
    else this.put(packet.host, tcp(ends, { sourcePort: port, destinationPort: remote, flags }, data));
    const left = this.router.toWan();
    const asked = { ...this.asked(packet, 0, flags), ...ends };
    [asked.sourcePort, asked.port] = protocol === ICMP ? [8, 0] : [port, remote];
    let answer = this.passes(0, asked);
    if (answer !== undefined) answer = this.passes(1, { ...asked, link: 1 });
    const isMasqueraded = answer === 'MASQ' || (answer === '' && !this.model.has(1));
    const shown = left[0] === undefined ? undefined : read(left[0]);
    if (answer !== undefined) {
      const translated: Asked = { ...asked, link: 1, source: isMasqueraded ? WAN_ADDRESS : source };
      // A port that is free is kept; one that is not the board has chosen.
      if (isMasqueraded && protocol !== ICMP)
        translated.sourcePort = flow?.outside ?? shown?.sourcePort ?? port;
      answer = this.passes(2, translated);
    }
    if ((answer !== undefined) !== (left.length === 1))
      return `out ${left.length === 1 ? 'passed' : 'did not'}`;
    if (shown === undefined) return '';
    if (shown.source !== (isMasqueraded ? WAN_ADDRESS : source)) return `it left as ${shown.source}`;
    const outside = protocol === ICMP ? (shown.identifier ?? 0) : shown.sourcePort;
    if (flow === undefined) this.flows.set(key, { outside, isMasqueraded, isHeard: false });
    return '';
  }

  private answer(packet: Sent): string {
    const { protocol } = packet;
    const [host, server] = [HOSTS[packet.host] as string, SERVERS[packet.server] as string];
    const [port, remote] = [1000 + packet.port, 1000 + packet.remote];
    const flow = this.flows.get(
      `${packet.host} ${packet.server} ${protocol} ${port} ${protocol === ICMP ? 0 : remote}`,
    );
    if (flow === undefined) return '';
    const flags = flow.isHeard ? ACK : SYN | ACK;
    const to = flow.isMasqueraded ? WAN_ADDRESS : host;
    const outside = flow.isMasqueraded ? flow.outside : port;
    const ends = { source: server, destination: to };
    const data = payload(packet.bytes);
    if (protocol === UDP) this.router.fromGateway(udp(ends, remote, outside, data));
    else if (protocol === ICMP) this.router.fromGateway(echo(ends, 0, outside, 1, data));
    else this.router.fromGateway(tcp(ends, { sourcePort: remote, destinationPort: outside, flags }, data));
    flow.isHeard = true;
    const asked = { ...this.asked(packet, 1, flags), ...ends };
    [asked.sourcePort, asked.port] = protocol === ICMP ? [0, 0] : [remote, outside];
    let answer = this.passes(0, asked);
    const back: Asked = { ...asked, link: 0, destination: host };
    if (protocol !== ICMP) back.port = port;
    if (answer !== undefined && !flow.isMasqueraded) answer = this.passes(1, back);
    if (answer !== undefined) answer = this.passes(2, back);
    const isThere = this.router.toLan().length === 1;
    return isThere === (answer !== undefined) ? '' : `answer ${isThere ? 'passed' : 'did not'}`;
  }

  private ping(packet: Sent): string {
    const own = { ...packet, protocol: ICMP };
    const host = HOSTS[packet.host] as string;
    this.put(packet.host, echo({ source: host, destination: LAN_ADDRESS }, 8, 7, 1, payload(packet.bytes)));
    const asked: Asked = {
      ...this.asked(own, 0, 0),
      ...{ source: host, destination: LAN_ADDRESS, sourcePort: 8, port: 0 },
    };
    let answer = this.passes(0, asked);
    if (answer !== undefined)
      answer = this.passes(2, { ...asked, source: LAN_ADDRESS, destination: host, sourcePort: 0 });
    const isThere = this.router.toLan().length === 1;
    return isThere === (answer !== undefined) ? '' : `ping ${isThere ? 'was answered' : 'was not'}`;
  }
}
