// TCP for control's services: a small number of connections, each bounded (tcp-connection.ts). Until the other side
// has answered our SYN with the right number, and when a segment belongs to nobody, the plane answers alone
// (src/plane/local/tcp-local.ts): what comes here is of a connection, or opens one.
//
// A client (client.ts) has at most TCP_CLIENT of the places; one too many ends the client's own that has been idle longest.
// When all places are taken, a connection of the router's own that nobody waits for goes; else the one that has been idle
// longest of the client that has most of them (shares.ts), and while all are busy only a client, or a source, that has more
// than the new one loses one. So nobody keeps the others out by holding places, under however many addresses or stations.
// What a connection does is an overlay: where the heap has no room for it, there is no place either.

import { IF_ADDRESS, interfaceAt } from '../../../base/interface.ts';
import { TCP_WINDOW_BYTES, TICKS_PER_SECOND } from '../../../base/limits.ts';
import { get16, get32, i32at } from '../../../base/memory.ts';
import { FLAG_ICMP_ERROR, PACKET_FLAGS, PACKET_L4 } from '../../../base/packet.ts';
import { ROUTE_LINK, ROUTE_TYPE_SHIFT, ROUTE_UNICAST, TO_ROUTE } from '../../../base/route-record.ts';
import { ICMP_HEADER_BYTES, ICMP_UNREACHABLE } from '../../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_DESTINATION,
  SOURCE_PORT,
  PROTOCOL_TCP as TCP,
} from '../../../wire/ipv4.ts';
import {
  TCP_ACK as ACK,
  TCP_FIN as FIN,
  TCP_RST as RST,
  TCP_SYN as SYN,
  TCP_SEQUENCE,
} from '../../../wire/tcp.ts';
import { type Clock, since } from '../clock.ts';
import { Refusal } from '../console/command.ts';
import { TCP_ACCEPTED, TCP_CLIENT, TCP_CONNECTIONS, TCP_REPAIRS_PER_SECOND } from '../limits.ts';
import type { Machine } from '../machine.ts';
import { ASKING, type Sockets } from '../sockets.ts';
import { ROUTER_ITSELF } from './client.ts';
import { freePort } from './port.ts';
import { Shares } from './shares.ts';
import type { Below, Connection, TcpConnection } from './tcp-connection.ts';
import { type Ends, readSegment, type Segment, sendSegment } from './tcp-segment.ts';

export type { Connection, End } from './tcp-connection.ts';

export interface Tcp {
  /** Takes connections on a port; `accept` sets the callbacks of one that is open. False if the port is taken. */
  listen(
    port: number,
    interfaces: number,
    accept: (connection: Connection) => void,
    idleSeconds?: number,
  ): boolean;
  /** Takes no more of them; those that are open stay. */
  unlisten(port: number): void;
  /** Opens a connection from a random port; undefined if there is no way or no room. Set its callbacks at once. */
  connect(address: number, port: number, idleSeconds?: number): Connection | undefined;
  /** The last connect() had a way but no place, socket or port: it may succeed later. */
  isShort(): boolean;
  /** For tests and listings. */
  connections(): readonly Connection[];
}

/** Both ports as the plane has them. */
function portsOf({ localPort, remotePort }: Ends): number {
  return (localPort << 16) | remotePort;
}

interface Listener {
  port: number;
  accept: (connection: Connection) => void;
  idleSeconds: number | undefined;
}

export class TcpSockets implements Tcp {
  private readonly listeners: Listener[] = [];
  private open: TcpConnection[] = [];
  private repairs = TCP_REPAIRS_PER_SECOND;
  private repairsSince = 0;
  /** The last connect() had a way, and then something was used up. */
  private short = false;
  private readonly below: Below;
  private readonly plane: Machine['plane'];
  private readonly memory: Machine['memory'];

  constructor(
    private readonly machine: Machine,
    private readonly clock: Clock,
    private readonly sockets: Sockets,
  ) {
    this.plane = machine.plane;
    this.memory = machine.memory;
    this.below = {
      clock: clock,
      send: (ends, sequence, acknowledgment, flags, window, data) => {
        sendSegment(machine, ends, { sequence, acknowledgment, flags, window }, data);
      },
      mayRepair: () => this.mayRepair(),
      gone: connection => {
        machine.plane.tcpClose(connection.remote, portsOf(connection));
        this.open = this.open.filter(other => other !== connection);
        this.release(connection.localPort);
      },
    };
  }

  listen(
    port: number,
    interfaces: number,
    accept: (connection: Connection) => void,
    idleSeconds?: number,
  ): boolean {
    if (
      this.plane.socketUses(TCP, port) !== 0 ||
      !this.sockets.open(TCP, port, interfaces, packet => this.input(packet))
    )
      return false;
    this.listeners.push({ port, accept, idleSeconds });
    return true;
  }

  unlisten(port: number): void {
    const at = this.listeners.findIndex(other => other.port === port);
    if (at >= 0) this.listeners.splice(at, 1);
    this.release(port);
  }

  connect(address: number, port: number, idleSeconds?: number): Connection | undefined {
    const local = this.localFor(address);
    this.short = local !== 0;
    if (local === 0 || (this.open.length >= TCP_CONNECTIONS && !this.end(this.over(this.open))))
      return undefined;
    const Made = this.maker();
    const localPort = freePort(this.plane, TCP);
    if (
      Made === undefined ||
      localPort === 0 ||
      !this.sockets.open(TCP, localPort, ASKING, packet => this.input(packet))
    )
      return undefined;
    this.short = false;
    const ends = { local, localPort, remote: address, remotePort: port };
    const connection = new Made(this.below, ends, -1, ROUTER_ITSELF, this.plane.random32(), idleSeconds);
    connection.isBusy = true; // until who opened it says otherwise
    this.add(connection);
    connection.connect();
    return connection;
  }

  isShort(): boolean {
    return this.short;
  }

  connections(): readonly Connection[] {
    return this.open;
  }

  private mayRepair(): boolean {
    const now = this.clock.now();
    if (since(now, this.repairsSince) >= TICKS_PER_SECOND || since(now, this.repairsSince) < 0) {
      this.repairsSince = now;
      this.repairs = TCP_REPAIRS_PER_SECOND;
    }
    return this.repairs > 0 && this.repairs-- > 0;
  }

  /** Closes a port that nobody uses any more. */
  private release(port: number): void {
    if (!this.isListening(port) && !this.open.some(({ localPort }) => localPort === port))
      this.sockets.close(TCP, port);
  }

  private find(localPort: number, remote: number, remotePort: number): TcpConnection | undefined {
    return this.open.find(
      other => other.remotePort === remotePort && other.remote === remote && other.localPort === localPort,
    );
  }

  private input(packet: number): void {
    if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) {
      this.icmpError(i32at(packet + PACKET_L4));
      return;
    }
    const segment = readSegment(this.memory, packet);
    if (segment === undefined) return;
    const { flags, sourcePort, destinationPort, source } = segment;
    const connection = this.find(destinationPort, source, sourcePort);
    const isSyn = (flags & (SYN | ACK | RST)) === SYN;
    if (connection?.state === 'TIME_WAIT' && isSyn && this.isListening(destinationPort)) {
      // The same port again (RFC 9293, section 3.6.1).
      connection.abort();
      this.below.send(
        this.endsOf(segment),
        this.plane.tcpCookie(packet),
        (segment.sequence + 1) | 0,
        SYN | ACK,
        TCP_WINDOW_BYTES,
      );
    } else if (connection !== undefined) connection.receive(segment);
    else this.accept(segment, this.plane.tcpAccepts(packet));
  }

  private isListening(port: number): boolean {
    return this.listeners.some(other => other.port === port);
  }

  /** Destination unreachable, any code, about a segment of ours that is quoted (RFC 1122, section 4.2.3.9). */
  private icmpError(icmp: number): void {
    if (this.memory[icmp] !== ICMP_UNREACHABLE) return;
    const quoted = icmp + ICMP_HEADER_BYTES;
    const l4 = quoted + headerBytesOf(quoted);
    const remote = get32(quoted + IP_DESTINATION);
    this.find(get16(l4 + SOURCE_PORT), remote, get16(l4 + DESTINATION_PORT))?.unreachable(
      get32(l4 + TCP_SEQUENCE),
    );
  }

  /** What makes a connection, or undefined when the heap has no room for that. */
  private maker(): typeof TcpConnection | undefined {
    try {
      return this.machine.overlay('tcp').TcpConnection;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    }
  }

  /** @param mss of the other side, or 0 if the segment is of a connection that has ended. */
  private accept(segment: Segment, mss: number): void {
    const listener = this.listeners.find(({ port }) => port === segment.destinationPort);
    const Made = listener === undefined || mss === 0 ? undefined : this.maker();
    if (listener === undefined || Made === undefined || !this.hasRoom(segment.client)) {
      if ((segment.flags & RST) === 0 && this.mayRepair()) this.reset(segment);
      return;
    }
    const ends = this.endsOf(segment);
    const connection = new Made(this.below, ends, segment.index, segment.client, 0, listener.idleSeconds);
    this.add(connection);
    connection.accept(segment, mss);
    listener.accept(connection);
    connection.receive(segment);
  }

  private add(connection: TcpConnection): void {
    this.open.push(connection);
    this.plane.tcpOpen(connection.remote, portsOf(connection));
  }

  /** Whether a client may have one more connection; another may have to go for it. */
  private hasRoom(client: number): boolean {
    const accepted = this.open.filter(({ index }) => index >= 0);
    const own = accepted.filter(other => other.client === client);
    if (own.length >= TCP_CLIENT) return this.end(this.over(own) ?? this.idlest(own));
    if (accepted.length < TCP_ACCEPTED) {
      if (this.open.length < TCP_CONNECTIONS) return true;
      // Ours that nobody waits for go before those of clients.
      const ours = this.over(this.open) ?? this.idlest(this.open.filter(({ index }) => index < 0));
      if (ours !== undefined) return this.end(ours);
    }
    const shares = new Shares();
    for (const each of accepted) shares.count(each.client, 1);
    const isGreediest = shares.greediest(client);
    const ofMost = accepted.filter(each => isGreediest(each.client));
    return this.end(
      this.over(accepted) ??
        this.idlest(ofMost) ??
        this.idlest(accepted.filter(each => shares.isFewer(client, each.client))) ??
        (isGreediest(client) ? undefined : this.oldest(ofMost)),
    );
  }

  /** One that is over and only waits. */
  private over(among: readonly TcpConnection[]): TcpConnection | undefined {
    return among.find(({ state }) => state === 'TIME_WAIT');
  }

  /** The one that has been idle longest, unless all are busy. */
  private idlest(among: readonly TcpConnection[]): TcpConnection | undefined {
    return this.oldest(among.filter(({ isBusy }) => !isBusy));
  }

  private oldest(among: readonly TcpConnection[]): TcpConnection | undefined {
    let found: TcpConnection | undefined;
    for (const each of among)
      if (found === undefined || since(each.activeAt, found.activeAt) < 0) found = each;
    return found;
  }

  private end(connection: TcpConnection | undefined): boolean {
    connection?.abort();
    return connection !== undefined;
  }

  private endsOf(segment: Segment): Ends {
    return {
      local: segment.destination,
      localPort: segment.destinationPort,
      remote: segment.source,
      remotePort: segment.sourcePort,
    };
  }

  private reset(segment: Segment): void {
    const { flags, sequence, acknowledgment, data } = segment;
    if ((flags & ACK) !== 0) this.below.send(this.endsOf(segment), acknowledgment, 0, RST, 0);
    else {
      const taken = data.length + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0);
      this.below.send(this.endsOf(segment), 0, (sequence + taken) | 0, RST | ACK, 0);
    }
  }

  /** Our address on the way to a host, or 0. */
  private localFor(address: number): number {
    const way = i32at(this.plane.routeTo(address) + TO_ROUTE);
    return way >> ROUTE_TYPE_SHIFT === ROUTE_UNICAST ? i32at(interfaceAt(way & ROUTE_LINK) + IF_ADDRESS) : 0;
  }
}
