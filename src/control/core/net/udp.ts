// UDP for control's services. RFC 768; random ports: RFC 6056, section 3.3.1; fragments: RFC 791, section 3.2.
// The plane has checked lengths and checksums of what arrives and computes those of what leaves. What is
// longer than a frame leaves in fragments, which are made here; fragments that arrive are not put together.
// Not here: which ports are delivered to control (src/control/core/sockets.ts), the way to a host (src/plane/local/local-send.ts).

import { DROP_ARP_QUEUE_FULL, DROP_NO_BUFFER } from '../../../base/counters.ts';
import { IF_ADDRESS, interfaceAt } from '../../../base/interface.ts';
import { get16, get32, i32at } from '../../../base/memory.ts';
import {
  FLAG_BROADCAST,
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_PORTS,
  PACKET_STATION,
  PACKET_TO_STATION,
  PASS,
} from '../../../base/packet.ts';
import { ROUTE_LINK, ROUTE_TYPE_SHIFT, ROUTE_UNICAST, TO_ROUTE } from '../../../base/route-record.ts';
import { SOCKET_CLIENT } from '../../../base/socket-record.ts';
import { put16 } from '../../../wire/bytes.ts';
import { ICMP_HEADER_BYTES as ICMP_HEADER, ICMP_UNREACHABLE } from '../../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_DESTINATION,
  IP_ID,
  IP_LENGTH,
  IP_OFFSET,
  IP_SOURCE,
  IP_MORE_FRAGMENTS as MORE_FRAGMENTS,
  SOURCE_PORT,
  PROTOCOL_UDP as UDP,
} from '../../../wire/ipv4.ts';
import { UDP_CHECKSUM, UDP_HEADER_BYTES as UDP_HEADER, UDP_LENGTH } from '../../../wire/udp.ts';
import { UDP_SEND_BYTES } from '../limits.ts';
import type { Machine } from '../machine.ts';
import type { Sockets } from '../sockets.ts';
import { clientOf } from './client.ts';
import { fillHeader } from './ipv4.ts';
import { freePort } from './port.ts';

/** Data of one frame: 1,500 bytes less the headers. */
const WHOLE_BYTES = 1472;
/** IP payload of a fragment, a multiple of 8. */
const FRAGMENT_BYTES = 1480;

/** A datagram that has arrived. It is valid during the call only: the object and the buffer are used again. */
export interface Datagram {
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  /** The interface that it came in by. */
  index: number;
  /** Sent to all stations, or while the interface has no address. */
  broadcast: boolean;
  /** Whose share of what control has few of it takes. */
  client: number;
  /** A view of the packet buffer. */
  data: Uint8Array;
  /** Plane address of the sender's station address in the frame, 6 bytes. */
  mac: number;
}

/** Of the source and of the destination. */
export type Ports = readonly [number, number];

export type Receive = (datagram: Datagram) => void;

/** @param quoted a view of the packet buffer. */
export type Unreachable = (quoted: Uint8Array) => void;

/** Whether an ICMP error quotes this datagram, `least` bytes of it at least: who has not seen it can only guess. */
export function isQuoteOf(quoted: Uint8Array, sent: Uint8Array, least: number): boolean {
  if (quoted.length < least) return false;
  for (let i = 0; i < quoted.length && i < sent.length; i++) if (quoted[i] !== sent[i]) return false;
  return true;
}

export interface Udp {
  /** Opens a port on the interfaces of the bit mask. False if it is open already, or no socket is free. */
  open(port: number, interfaces: number, receive: Receive): boolean;
  /**
   * Opens a random port that neither a socket nor the masquerade uses; answers it, or 0. It hears only the
   * remote end to which it sent last (SOCKET_CLIENT). `unreachable` is told when a host or router refuses what was
   * sent from the port, and gets the data that it quotes.
   */
  openRandom(interfaces: number, receive: Receive, unreachable?: Unreachable): number;
  close(port: number): void;
  /**
   * Sends by the route to the destination, from the address of the interface on the way unless `source` is
   * given. False if it could not. Where too much waits for a station's address already it is as if it were lost on the
   * way, which who asks again need not know.
   */
  send(
    destination: number,
    destinationPort: number,
    sourcePort: number,
    data: Uint8Array,
    source?: number,
  ): boolean;
  /** The same, of one frame at most, for who does not ask again: false in that case, too. */
  trySend(destination: number, destinationPort: number, sourcePort: number, data: Uint8Array): boolean;
  /** The last datagram of send() did not go for want of our own: a buffer, or room among what waits for a station. */
  isShort(): boolean;
  /**
   * Sends by an interface in a frame to a station, or to all when `mac` is left out, whatever the addresses
   * are (DHCP). A source of 0 stays 0. At most one frame's data.
   */
  sendTo(
    index: number,
    mac: Uint8Array | undefined,
    source: number,
    destination: number,
    ports: Ports,
    data: Uint8Array,
  ): boolean;
}

export class UdpSockets implements Udp {
  private short = false;
  /** Used again for each that arrives. */
  private readonly datagram: Datagram = {
    source: 0,
    sourcePort: 0,
    destination: 0,
    destinationPort: 0,
    index: 0,
    broadcast: false,
    client: 0,
    data: new Uint8Array(0),
    mac: 0,
  };
  private readonly plane: Machine['plane'];
  private readonly memory: Machine['memory'];

  constructor(
    machine: Machine,
    private readonly sockets: Sockets,
  ) {
    this.plane = machine.plane;
    this.memory = machine.memory;
  }

  openRandom(interfaces: number, receive: Receive, unreachable?: Unreachable): number {
    const port = freePort(this.plane, UDP);
    return port !== 0 && this.open(port, interfaces | SOCKET_CLIENT, receive, unreachable) ? port : 0;
  }

  close(port: number): void {
    this.sockets.close(UDP, port);
  }

  send(
    destination: number,
    destinationPort: number,
    sourcePort: number,
    data: Uint8Array,
    source = 0,
  ): boolean {
    this.short = false;
    if (data.length > WHOLE_BYTES)
      return this.sendFragments(source, destination, [sourcePort, destinationPort], data);
    const verdict = this.sendWhole(source, destination, [sourcePort, destinationPort], data);
    this.short = verdict === DROP_NO_BUFFER || verdict === DROP_ARP_QUEUE_FULL;
    return verdict === PASS || verdict === DROP_ARP_QUEUE_FULL;
  }

  trySend(destination: number, destinationPort: number, sourcePort: number, data: Uint8Array): boolean {
    return (
      data.length <= WHOLE_BYTES &&
      this.sendWhole(0, destination, [sourcePort, destinationPort], data) === PASS
    );
  }

  isShort(): boolean {
    return this.short;
  }

  sendTo(
    index: number,
    mac: Uint8Array | undefined,
    source: number,
    destination: number,
    ports: Ports,
    data: Uint8Array,
  ): boolean {
    if (data.length > WHOLE_BYTES) return false;
    const packet = this.plane.allocateForControl();
    if (packet === 0) return false;
    if (mac === undefined) this.memory.fill(0xff, packet + PACKET_TO_STATION, packet + PACKET_TO_STATION + 6);
    else this.memory.set(mac.subarray(0, 6), packet + PACKET_TO_STATION);
    const at = fillHeader(this.memory, packet, UDP, source, destination, UDP_HEADER + data.length);
    this.udpHeader(at, ports[0], ports[1], data.length);
    this.memory.set(data, at + UDP_HEADER);
    return this.plane.localSendTo(packet, index) === PASS;
  }

  private read(packet: number): Datagram {
    const ip = packet + PACKET_IP;
    const l4 = i32at(packet + PACKET_L4);
    const ports = i32at(packet + PACKET_PORTS);
    this.datagram.source = get32(ip + IP_SOURCE);
    this.datagram.sourcePort = ports >>> 16;
    this.datagram.destination = get32(ip + IP_DESTINATION);
    this.datagram.destinationPort = ports & 0xffff;
    this.datagram.index = i32at(packet + PACKET_IN);
    this.datagram.broadcast = (i32at(packet + PACKET_FLAGS) & FLAG_BROADCAST) !== 0;
    this.datagram.client = clientOf(packet);
    this.datagram.data = this.memory.subarray(l4 + UDP_HEADER, l4 + get16(l4 + UDP_LENGTH));
    this.datagram.mac = packet + PACKET_STATION;
    return this.datagram;
  }

  open(port: number, interfaces: number, receive: Receive, unreachable?: Unreachable): boolean {
    if (this.plane.socketUses(UDP, port) !== 0) return false;
    return this.sockets.open(UDP, port, interfaces, packet => {
      if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) === 0) receive(this.read(packet));
      else if (this.memory[i32at(packet + PACKET_L4)] === ICMP_UNREACHABLE)
        unreachable?.(this.quotedData(packet));
    });
  }

  /** What an ICMP error quotes behind the UDP header; the plane has checked that the headers are there. */
  private quotedData(packet: number): Uint8Array {
    const ip = packet + PACKET_IP;
    const quoted = i32at(packet + PACKET_L4) + ICMP_HEADER;
    const l4 = quoted + headerBytesOf(quoted);
    return this.memory.subarray(
      l4 + UDP_HEADER,
      Math.min(ip + get16(ip + IP_LENGTH), l4 + get16(l4 + UDP_LENGTH)),
    );
  }

  private udpHeader(at: number, sourcePort: number, destinationPort: number, dataBytes: number): void {
    put16(this.memory, at + SOURCE_PORT, sourcePort);
    put16(this.memory, at + DESTINATION_PORT, destinationPort);
    put16(this.memory, at + UDP_LENGTH, UDP_HEADER + dataBytes);
    put16(this.memory, at + UDP_CHECKSUM, 0);
  }

  /** Sends what is longer than a frame. Without a checksum: each fragment is covered by its link's. */
  private sendFragments(source: number, destination: number, ports: Ports, data: Uint8Array): boolean {
    if (data.length > UDP_SEND_BYTES) return false;
    const way = i32at(this.plane.routeTo(destination) + TO_ROUTE);
    if (way >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST) return false;
    // That of the pair, as the plane gives it to whole ones: 0 would be filled in differently for each.
    const from = source === 0 ? i32at(interfaceAt(way & ROUTE_LINK) + IF_ADDRESS) : source;
    const next = (): number => this.plane.nextIdentification(from, destination);
    const identification = next() || next();
    const total = UDP_HEADER + data.length;
    for (let offset = 0; offset < total; offset += FRAGMENT_BYTES) {
      const packet = this.plane.allocateForControl();
      if (packet === 0) {
        this.short = true;
        return false;
      }
      const payload = Math.min(FRAGMENT_BYTES, total - offset);
      const at = fillHeader(this.memory, packet, UDP, source, destination, payload);
      put16(this.memory, packet + PACKET_IP + IP_ID, identification);
      put16(
        this.memory,
        packet + PACKET_IP + IP_OFFSET,
        (offset >> 3) | (offset + FRAGMENT_BYTES < total ? MORE_FRAGMENTS : 0),
      );
      if (offset === 0) {
        this.udpHeader(at, ports[0], ports[1], data.length);
        this.memory.set(data.subarray(0, payload - UDP_HEADER), at + UDP_HEADER);
      } else {
        this.memory.set(data.subarray(offset - UDP_HEADER, offset - UDP_HEADER + payload), at);
      }
      const verdict = this.plane.localSend(packet);
      if (verdict === DROP_ARP_QUEUE_FULL) this.short = true;
      else if (verdict !== PASS) return false;
    }
    return true;
  }

  /** Sends what one frame takes: PASS, or why not. */
  private sendWhole(source: number, destination: number, ports: Ports, data: Uint8Array): number {
    const packet = this.plane.allocateForControl();
    if (packet === 0) return DROP_NO_BUFFER;
    const at = fillHeader(this.memory, packet, UDP, source, destination, UDP_HEADER + data.length);
    this.udpHeader(at, ports[0], ports[1], data.length);
    this.memory.set(data, at + UDP_HEADER);
    return this.plane.localSend(packet);
  }
}
