// TCP for control's services: a small number of connections, each bounded (tcp-connection.ts). What strangers
// send takes no more memory than that: a SYN too many replaces the oldest that is not open yet, or is
// dropped, and its sender tries again. Segments to no connection are answered by a reset (RFC 9293, 3.10.7.1).

import { IF_ADDRESS, interfaceAt } from '../../plane/interface.ts';
import { TICKS_PER_SECOND } from '../../plane/limits.ts';
import { get16, get32, i32at } from '../../plane/memory.ts';
import { FLAG_ICMP_ERROR, PACKET_FLAGS, PACKET_L4 } from '../../plane/packet.ts';
import { TO_WAY, WAY_INTERFACE, WAY_SHIFT, WAY_UNICAST } from '../../plane/route.ts';
import { type Clock, since } from '../clock.ts';
import { TCP_ACCEPTED, TCP_CONNECTIONS, TCP_REPAIRS_PER_SECOND } from '../limits.ts';
import type { Machine } from '../machine.ts';
import { ANY_INTERFACE, type Sockets } from '../sockets.ts';
import { freePort } from './port.ts';
import { type Below, type Connection, TcpConnection } from './tcp-connection.ts';
import { ACK, type Ends, FIN, RST, readSegment, type Segment, SYN, sendSegment, TCP } from './tcp-segment.ts';

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
  /** For tests and listings. */
  connections(): readonly Connection[];
}

interface Listener {
  port: number;
  accept: (connection: Connection) => void;
  idleSeconds: number | undefined;
}

export function createTcp(machine: Machine, clock: Clock, sockets: Sockets): Tcp {
  const { plane, memory } = machine;
  const listeners: Listener[] = [];
  let connections: TcpConnection[] = [];
  let repairs = TCP_REPAIRS_PER_SECOND;
  let repairsSince = 0;

  const below: Below = {
    clock,
    send: (ends, sequence, acknowledgment, flags, window, data) => {
      sendSegment(machine, ends, sequence, acknowledgment, flags, window, data);
    },
    mayRepair,
    opened: connection => {
      const listener = listeners.find(({ port }) => port === connection.localPort);
      if (listener === undefined) connection.abort();
      else listener.accept(connection);
    },
    gone: connection => {
      connections = connections.filter(other => other !== connection);
      release(connection.localPort);
    },
  };

  function mayRepair(): boolean {
    const now = clock.now();
    if (since(now, repairsSince) >= TICKS_PER_SECOND || since(now, repairsSince) < 0) {
      repairsSince = now;
      repairs = TCP_REPAIRS_PER_SECOND;
    }
    return repairs > 0 && repairs-- > 0;
  }

  /** Closes a port that nobody uses any more. */
  function release(port: number): void {
    const isUsed = listeners.some(other => other.port === port);
    if (!isUsed && !connections.some(({ localPort }) => localPort === port)) sockets.close(TCP, port);
  }

  function find(localPort: number, remote: number, remotePort: number): TcpConnection | undefined {
    return connections.find(
      other => other.remotePort === remotePort && other.remote === remote && other.localPort === localPort,
    );
  }

  function input(packet: number): void {
    if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) {
      icmpError(i32at(packet + PACKET_L4));
      return;
    }
    const segment = readSegment(memory, packet);
    if (segment === undefined) return;
    const { flags, sourcePort, destinationPort, source } = segment;
    let connection = find(destinationPort, source, sourcePort);
    if (connection?.state === 'TIME_WAIT' && (flags & (SYN | ACK | RST)) === SYN) {
      connection.abort(); // the same port again (RFC 9293, section 3.6.1)
      connection = undefined;
    }
    if (connection !== undefined) connection.receive(segment);
    else if ((flags & (SYN | ACK | RST)) === SYN) accept(segment);
    else if ((flags & RST) === 0 && mayRepair()) reset(segment);
  }

  /** Destination unreachable, any code, about a segment of ours that is quoted (RFC 1122, section 4.2.3.9). */
  function icmpError(icmp: number): void {
    if (memory[icmp] !== 3) return;
    const quoted = icmp + 8;
    const l4 = quoted + (((memory[quoted] as number) & 15) << 2);
    find(get16(l4), get32(quoted + 16), get16(l4 + 2))?.unreachable();
  }

  function accept(syn: Segment): void {
    const listener = listeners.find(({ port }) => port === syn.destinationPort);
    if (listener === undefined) {
      if (mayRepair()) reset(syn);
      return;
    }
    const accepted = connections.filter(({ index }) => index >= 0);
    if ((accepted.length >= TCP_ACCEPTED || connections.length >= TCP_CONNECTIONS) && !makeRoom(accepted))
      return;
    const connection = new TcpConnection(
      below,
      endsOf(syn),
      syn.index,
      plane.random32(),
      listener.idleSeconds,
    );
    connections.push(connection);
    connection.accept(syn);
  }

  /** Ends the one that nobody misses: over and waiting, or the oldest that is not open yet. */
  function makeRoom(among: TcpConnection[]): boolean {
    const victim =
      among.find(({ state }) => state === 'TIME_WAIT') ?? among.find(({ state }) => state === 'SYN_RECEIVED');
    victim?.abort();
    return victim !== undefined;
  }

  function endsOf(segment: Segment): Ends {
    return {
      local: segment.destination,
      localPort: segment.destinationPort,
      remote: segment.source,
      remotePort: segment.sourcePort,
    };
  }

  function reset(segment: Segment): void {
    const { flags, sequence, acknowledgment, data } = segment;
    if ((flags & ACK) !== 0) below.send(endsOf(segment), acknowledgment, 0, RST, 0);
    else {
      const taken = data.length + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0);
      below.send(endsOf(segment), 0, (sequence + taken) | 0, RST | ACK, 0);
    }
  }

  /** Our address on the way to a host, or 0. */
  function localFor(address: number): number {
    const way = i32at(plane.routeTo(address) + TO_WAY);
    return way >> WAY_SHIFT === WAY_UNICAST ? i32at(interfaceAt(way & WAY_INTERFACE) + IF_ADDRESS) : 0;
  }

  return {
    listen: (port, interfaces, accept, idleSeconds) => {
      if (plane.socketUses(TCP, port) !== 0 || !sockets.open(TCP, port, interfaces, input)) return false;
      listeners.push({ port, accept, idleSeconds });
      return true;
    },
    unlisten: port => {
      const at = listeners.findIndex(other => other.port === port);
      if (at >= 0) listeners.splice(at, 1);
      release(port);
    },
    connect: (address, port, idleSeconds) => {
      const local = localFor(address);
      const localPort = freePort(plane, TCP);
      if (local === 0 || localPort === 0) return undefined;
      if (connections.length >= TCP_CONNECTIONS && !makeRoom(connections)) return undefined;
      if (!sockets.open(TCP, localPort, ANY_INTERFACE, input)) return undefined;
      const ends = { local, localPort, remote: address, remotePort: port };
      const connection = new TcpConnection(below, ends, -1, plane.random32(), idleSeconds);
      connections.push(connection);
      connection.connect();
      return connection;
    },
    connections: () => connections,
  };
}
