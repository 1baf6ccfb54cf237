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

import { ARP_BYTES, ARP_REPLY, ARP_REQUEST } from '../../src/wire/arp.ts';
import { arpFrame, type Datagram, icmp, ipFrame, ipv4, tcp, udp } from '../../src/wire/build.ts';
import { put16 } from '../../src/wire/bytes.ts';
import {
  ETHERNET_HEADER_BYTES as ETHERNET,
  ETHERNET_SOURCE,
  ETHERNET_TYPE,
} from '../../src/wire/ethernet.ts';
import {
  CODE_HOST_UNREACHABLE,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_IDENTIFIER,
  ICMP_UNREACHABLE,
} from '../../src/wire/icmp.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_HEADER_BYTES as IP_HEADER,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../src/wire/ipv4.ts';
import { type Fields, isArp, isIpv4, readArp, readDatagram } from '../../src/wire/read.ts';
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

/** A datagram's fields, and its payload as bytes. */
interface Parsed extends Fields {
  /** The IP payload. */
  body: Uint8Array;
  ports: number;
}

/** The IPv4 datagram in a frame; undefined for anything else, and for fragments, which nobody here makes. */
function parse(frame: Uint8Array): Parsed | undefined {
  if (frame.length < ETHERNET + IP_HEADER + 8 || !isIpv4(frame)) return undefined;
  const datagram = frame.subarray(ETHERNET);
  const fields = readDatagram(datagram);
  if (fields.headerBytes !== IP_HEADER || fields.moreFragments || fields.fragmentOffset > 0) return undefined;
  const ports = (fields.sourcePort << 16) | fields.destinationPort;
  return { ...fields, body: datagram.subarray(IP_HEADER, fields.totalLength), ports };
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
function internetAnswers(packet: Parsed): Datagram[] {
  const { source, destination, protocol, body, ports } = packet;
  if (isFor(destination, UNREACHABLE_NETWORK)) {
    const quoted = new Uint8Array(4 + IP_HEADER + 8);
    quoted.set(ipv4({ source, destination, protocol, payload: body }).subarray(0, IP_HEADER + 8), 4);
    return [icmp(GATEWAY, source, ICMP_UNREACHABLE, CODE_HOST_UNREACHABLE, quoted)];
  }
  if (protocol === ICMP) return isPing(packet) ? [pong(packet)] : [];
  if (protocol === UDP) return [udp(destination, source, swap(ports), packet.data)];
  return protocol === TCP ? webAnswers(packet) : [];
}

function isPing({ protocol, type }: Parsed): boolean {
  return protocol === ICMP && type === ICMP_ECHO_REQUEST;
}

function pong({ source, destination, body }: Parsed): Datagram {
  return icmp(destination, source, ICMP_ECHO_REPLY, 0, body.slice(ICMP_IDENTIFIER));
}

/** A web server without memory: what it answers to each segment follows from the segment. */
function webAnswers(packet: Parsed): Datagram[] {
  const { source, destination, ports, tcpFlags: flags, sequence, acknowledgment, data } = packet;
  const answer = (flags: number, from: number, upTo: number, data = new Uint8Array(0)): Datagram =>
    tcp(destination, source, { ports: swap(ports), sequence: from, acknowledgment: upTo, flags, data });
  if ((flags & RST) !== 0) return [];
  if ((ports & 0xffff) !== HTTP_PORT) return [answer(RST | ACK, 0, (sequence + 1) | 0)];
  if ((flags & SYN) !== 0) return [answer(SYN | ACK, WEB_SEQUENCE, (sequence + 1) | 0)];
  const next = (sequence + data.length + (flags & FIN)) | 0;
  if (data.length > 0) {
    const page = `HTTP/1.0 200 OK\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`;
    return [answer(ACK | FIN, acknowledgment, next, new TextEncoder().encode(page))];
  }
  return (flags & FIN) !== 0 ? [answer(ACK, acknowledgment, next)] : [];
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
    if (frame.length >= ETHERNET + ARP_BYTES && isArp(frame)) {
      this.arp(card, frame);
      return;
    }
    const packet = parse(frame);
    if (packet === undefined) return;
    if (card === 1) {
      const router = frame.slice(ETHERNET_SOURCE, ETHERNET_TYPE);
      if (packet.protocol === UDP && this.provide(packet, router)) return;
      for (const answer of internetAnswers(packet)) this.send(1, ipFrame(router, GATEWAY_MAC, answer));
      return;
    }
    const host = this.hosts.find(host => this.addressOf(host) === packet.destination);
    if (host !== undefined) this.receive(host, packet);
  }

  /** What the provider answers; false if the datagram is not for it. */
  private provide(packet: Parsed, router: Uint8Array): boolean {
    const { source, destination, destinationPort: port, ports, data } = packet;
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
    this.sendFrom(host, icmp(this.addressOf(host), destination, ICMP_ECHO_REQUEST, 0, rest));
  }

  /** A LAN host fetches the page at an address, by HTTP. */
  get(number: number, destination: number): void {
    const host = this.hosts[number] as Host;
    const ports = (this.port() << 16) | HTTP_PORT;
    const data = new Uint8Array(0);
    const syn = { ports, sequence: 1000, acknowledgment: 0, flags: SYN, data };
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
    const { isRequest, sender, senderMac: mac, target } = readArp(frame);
    if (card === 1) {
      if (isRequest && target === GATEWAY) {
        this.send(1, arpFrame(ARP_REPLY, GATEWAY, GATEWAY_MAC, sender, mac));
      }
      return;
    }
    for (const host of this.hosts) {
      if (target !== this.addressOf(host)) continue;
      if (isRequest) this.send(0, arpFrame(ARP_REPLY, target, macOf(host), sender, mac));
      else if (sender === this.options.lanAddress()) {
        host.routerMac = mac;
        for (const datagram of host.waiting.splice(0)) this.sendFrom(host, datagram);
      }
    }
  }

  /** What a LAN host makes of a packet. */
  private receive(host: Host, packet: Parsed): void {
    const { source, protocol, type, code, sourcePort, data } = packet;
    if (isPing(packet)) this.sendFrom(host, pong(packet));
    else if (protocol === ICMP && type === ICMP_ECHO_REPLY)
      this.report(`${host.name}: ${text(source)} answers ping`);
    else if (protocol === ICMP)
      this.report(`${host.name}: ${text(source)} says ICMP type ${type} code ${code}`);
    else if (protocol === UDP)
      this.report(`${host.name}: ${text(source)}:${sourcePort} echoes ${data.length} bytes`);
    else if (protocol === TCP) this.client(host, packet);
  }

  /** The web client, without memory too: SYN,ACK asks for the request, data for the end. */
  private client(host: Host, packet: Parsed): void {
    const { source, destination, sourcePort, ports, tcpFlags: flags, data } = packet;
    const acknowledgment = (packet.sequence + data.length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0)) | 0;
    const answer = { ports: swap(ports), sequence: packet.acknowledgment, acknowledgment };
    const segment = (flags: number, data = new Uint8Array(0)) =>
      this.sendFrom(host, tcp(destination, source, { ...answer, flags, data }));
    if ((flags & RST) !== 0) this.report(`${host.name}: ${text(source)}:${sourcePort} refuses`);
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
