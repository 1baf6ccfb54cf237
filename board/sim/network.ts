// A small LAN and WAN for the sim board, in this process: enough to see the router work without root.
//
//    laptop .10, desk .11          sim board          gateway 203.0.113.1 = provider and internet
//    -------- LAN ---------------- card 0 | card 1 ---------------- WAN
//
// The LAN hosts take their addresses from the network that the router has now. Behind the gateway every
// address answers: pings; UDP to any port with an echo; TCP to port 80 with a web page; other ports refuse.
// The provider gives the router its address, and an address to every name (provider.ts).
// An address 192.0.2.x (TEST-NET-1) is unreachable. No frame is lost here, so nothing is sent twice.
// Not here: the router (board.ts), what is typed (tools/start-sim.ts).

import {
  ARP_REPLY,
  ARP_REQUEST,
  arpFrame,
  type Datagram,
  ETHERNET,
  get16,
  get32,
  icmp,
  ipFrame,
  put16,
  tcp,
  udp,
} from '../../src/control/debug/frames.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_HEADER_BYTES as IP_HEADER,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../src/wire/ipv4.ts';
import { TCP_ACK as ACK, TCP_FIN as FIN, TCP_RST as RST, TCP_SYN as SYN } from '../../src/wire/tcp.ts';
import { DHCP_PORT, DNS_PORT, GATEWAY, leaseAnswer, nameAnswer } from './provider.ts';

const UNREACHABLE_NETWORK = 0xc0000200 | 0;
const HTTP_PORT = 80;
const EVERYBODY_MAC = [255, 255, 255, 255, 255, 255];
const DHCP_CLIENT_PORT = 68;
const GATEWAY_MAC = [2, 0, 0xcb, 0, 0x71, 1];
/** Source ports of the hosts, in turn. */
const PORT_FIRST = 40000;
const PORT_LAST = 60000;
const WEB_SEQUENCE = 5000;
const PAGE = 'You came here through Masqbox.\n';

/** What a host of the LAN tells of what it did. */
export type Report = (text: string) => void;

export interface NetworkOptions {
  /** Sends a frame to the router by a card. Never called from within frame(). */
  send(card: number, frame: Uint8Array): void;
  report: Report;
  /** The router's LAN address now, from which the hosts take theirs. */
  lanAddress(): number;
}

interface Host {
  name: string;
  number: number;
  routerMac?: Uint8Array;
  /** Frames that wait for the router's station address. */
  waiting: Datagram[];
}

/** A frame's IPv4 parts; undefined for anything else, and for fragments, which nobody here makes. */
interface Parsed {
  source: number;
  destination: number;
  protocol: number;
  /** The IP payload. */
  body: Uint8Array;
  ports: number;
}

function parse(frame: Uint8Array): Parsed | undefined {
  if (frame.length < ETHERNET + IP_HEADER + 8 || get16(frame, 12) !== 0x0800 || frame[14] !== 0x45)
    return undefined;
  if ((get16(frame, 20) & 0x3fff) !== 0) return undefined;
  const body = frame.subarray(ETHERNET + IP_HEADER, ETHERNET + get16(frame, 16));
  return {
    source: get32(frame, 26),
    destination: get32(frame, 30),
    protocol: frame[23] as number,
    body,
    ports: get32(body, 0),
  };
}

function swap(ports: number): number {
  return (ports << 16) | (ports >>> 16);
}

function isFor(address: number, name: number): boolean {
  return ((address ^ name) & ~255) === 0;
}

function text(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
}

/** The answer of the internet to a datagram, or several, or none. */
export function internetAnswers(packet: Parsed): Datagram[] {
  const { source, destination, protocol, body, ports } = packet;
  if (isFor(destination, UNREACHABLE_NETWORK)) {
    const quoted = new Uint8Array(4 + IP_HEADER + 8);
    quoted.set(
      ipFrame(GATEWAY_MAC, GATEWAY_MAC, { source, destination, protocol, payload: body }).subarray(14, 42),
      4,
    );
    return [icmp(GATEWAY, source, 3, 1, quoted)];
  }
  if (protocol === ICMP) return body[0] === 8 ? [icmp(destination, source, 0, 0, body.slice(4))] : [];
  if (protocol === UDP) return [udp(destination, source, swap(ports), body.slice(8))];
  return protocol === TCP ? webAnswers(packet) : [];
}

/** A web server without memory: what it answers to each segment follows from the segment. */
function webAnswers({ source, destination, body, ports }: Parsed): Datagram[] {
  const flags = body[13] as number;
  const sequence = get32(body, 4);
  const acknowledged = get32(body, 8);
  const data = body.subarray(((body[12] as number) >> 4) * 4);
  const answer = (flags: number, from: number, upTo: number, data = new Uint8Array(0)): Datagram =>
    tcp(destination, source, { ports: swap(ports), sequence: from, acknowledged: upTo, flags, data });
  if ((flags & RST) !== 0) return [];
  if ((ports & 0xffff) !== HTTP_PORT) return [answer(RST | ACK, 0, (sequence + 1) | 0)];
  if ((flags & SYN) !== 0) return [answer(SYN | ACK, WEB_SEQUENCE, (sequence + 1) | 0)];
  const next = (sequence + data.length + (flags & FIN)) | 0;
  if (data.length > 0) {
    const page = `HTTP/1.0 200 OK\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`;
    return [answer(ACK | FIN, acknowledged, next, new TextEncoder().encode(page))];
  }
  return (flags & FIN) !== 0 ? [answer(ACK, acknowledged, next)] : [];
}

function macOf(host: Host): number[] {
  return [2, 0, 0, 0, 0, host.number];
}

/** The network of one sim board. */
export class Network {
  private readonly send: (card: number, frame: Uint8Array) => void;
  private readonly report: Report;
  private readonly hosts: Host[] = [
    { name: 'laptop', number: 10, waiting: [] },
    { name: 'desk', number: 11, waiting: [] },
  ];
  private lastPort = PORT_FIRST;
  private sequence = 0;

  constructor(private readonly options: NetworkOptions) {
    this.send = options.send;
    this.report = options.report;
  }

  /** A frame that the router sent by a card. */
  frame(card: number, frame: Uint8Array): void {
    if (frame.length >= 42 && get16(frame, 12) === 0x0806) {
      this.arp(card, frame);
      return;
    }
    const packet = parse(frame);
    if (packet === undefined) return;
    if (card === 1) {
      const router = frame.slice(6, 12);
      if (packet.protocol === UDP && this.provide(packet, router)) return;
      for (const answer of internetAnswers(packet)) this.send(1, ipFrame(router, GATEWAY_MAC, answer));
      return;
    }
    const host = this.hosts.find(host => this.addressOf(host) === packet.destination);
    if (host !== undefined) this.receive(host, packet);
  }

  /** What the provider answers; false if the datagram is not for it. */
  private provide({ source, destination, body, ports }: Parsed, router: Uint8Array): boolean {
    const port = ports & 0xffff;
    const data = body.slice(8);
    if (port === DHCP_PORT) {
      const answer = leaseAnswer(data);
      const back = (DHCP_PORT << 16) | DHCP_CLIENT_PORT;
      if (answer !== undefined && source === 0)
        this.send(1, ipFrame(EVERYBODY_MAC, GATEWAY_MAC, udp(GATEWAY, -1, back, answer)));
      else if (answer !== undefined)
        this.send(1, ipFrame(router, GATEWAY_MAC, udp(GATEWAY, source, back, answer)));
      return true;
    }
    if (destination !== GATEWAY || port !== DNS_PORT) return false;
    const answer = nameAnswer(data);
    if (answer !== undefined)
      this.send(1, ipFrame(router, GATEWAY_MAC, udp(GATEWAY, source, swap(ports), answer)));
    return true;
  }

  /** A LAN host (0 or 1) pings an address. */
  ping(number: number, destination: number): void {
    const host = this.hosts[number] as Host;
    this.sequence++;
    const rest = new Uint8Array(4 + 56);
    put16(rest, 0, 0x100 + host.number);
    put16(rest, 2, this.sequence);
    this.sendFrom(host, icmp(this.addressOf(host), destination, 8, 0, rest));
  }

  /** A LAN host fetches the page at an address, by HTTP. */
  get(number: number, destination: number): void {
    const host = this.hosts[number] as Host;
    const ports = (this.port() << 16) | HTTP_PORT;
    const data = new Uint8Array(0);
    const syn = { ports, sequence: 1000, acknowledged: 0, flags: SYN, data };
    this.sendFrom(host, tcp(this.addressOf(host), destination, syn));
  }

  /** A LAN host sends a UDP datagram. */
  udp(number: number, destination: number, to: number): void {
    const host = this.hosts[number] as Host;
    const data = new TextEncoder().encode('hello');
    this.sendFrom(host, udp(this.addressOf(host), destination, (this.port() << 16) | to, data));
  }

  private addressOf(host: Host): number {
    return (this.options.lanAddress() & ~255) | host.number;
  }

  private port(): number {
    this.lastPort = this.lastPort === PORT_LAST ? PORT_FIRST : this.lastPort + 1;
    return this.lastPort;
  }

  private sendFrom(host: Host, datagram: Datagram): void {
    if (host.routerMac !== undefined) {
      this.send(0, ipFrame(host.routerMac, macOf(host), datagram));
      return;
    }
    host.waiting.push(datagram);
    this.send(0, arpFrame(ARP_REQUEST, this.addressOf(host), macOf(host), this.options.lanAddress()));
  }

  /** ARP on a segment: requests for one of its stations, and the reply that a host waits for. */
  private arp(card: number, frame: Uint8Array): void {
    const sender = get32(frame, 28);
    const target = get32(frame, 38);
    const mac = frame.slice(22, 28);
    if (card === 1) {
      if (frame[21] === ARP_REQUEST && target === GATEWAY) {
        this.send(1, arpFrame(ARP_REPLY, GATEWAY, GATEWAY_MAC, sender, mac));
      }
      return;
    }
    for (const host of this.hosts) {
      if (target !== this.addressOf(host)) continue;
      if (frame[21] === ARP_REQUEST) this.send(0, arpFrame(ARP_REPLY, target, macOf(host), sender, mac));
      else if (sender === this.options.lanAddress()) {
        host.routerMac = mac;
        for (const datagram of host.waiting.splice(0)) this.sendFrom(host, datagram);
      }
    }
  }

  /** What a LAN host makes of a packet. */
  private receive(host: Host, { source, destination, protocol, body, ports }: Parsed): void {
    if (protocol === ICMP && body[0] === 8)
      this.sendFrom(host, icmp(destination, source, 0, 0, body.slice(4)));
    else if (protocol === ICMP && body[0] === 0) this.report(`${host.name}: ${text(source)} answers ping`);
    else if (protocol === ICMP)
      this.report(`${host.name}: ${text(source)} says ICMP type ${body[0]} code ${body[1]}`);
    else if (protocol === UDP)
      this.report(`${host.name}: ${text(source)}:${ports >>> 16} echoes ${body.length - 8} bytes`);
    else if (protocol === TCP) this.client(host, source, destination, body, ports);
  }

  /** The web client, without memory too: SYN,ACK asks for the request, data for the end. */
  private client(host: Host, source: number, destination: number, body: Uint8Array, ports: number): void {
    const flags = body[13] as number;
    const data = body.subarray(((body[12] as number) >> 4) * 4);
    const acknowledged = (get32(body, 4) + data.length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0)) | 0;
    const segment = (flags: number, data = new Uint8Array(0)) =>
      this.sendFrom(
        host,
        tcp(destination, source, { ports: swap(ports), sequence: get32(body, 8), acknowledged, flags, data }),
      );
    if ((flags & RST) !== 0) this.report(`${host.name}: ${text(source)}:${ports >>> 16} refuses`);
    else if ((flags & SYN) !== 0) {
      segment(ACK);
      segment(ACK, new TextEncoder().encode('GET / HTTP/1.0\r\n\r\n'));
    } else if (data.length > 0) {
      const page = new TextDecoder().decode(data).split('\r\n\r\n')[1] ?? '';
      this.report(`${host.name}: ${text(source)} sends: ${page.trimEnd()}`);
      segment(ACK | FIN);
    }
  }
}
