// A forwarder on a network that is a few functions: connections of clients and to servers, whose ends a test holds, and
// datagrams as they are sent. Not here: segments (../core/net/tcp.test.ts), real programs (test/dns.test.ts).

import packet from 'dns-packet';
import { javascriptBuild } from '../../../tools/builds.ts';
import { NOW_AT } from '../../base/cells.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { createClock } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { TCP_SEND_BYTES } from '../core/limits.ts';
import type { Connection } from '../core/net/tcp.ts';
import type { Datagram } from '../core/net/udp.ts';
import { Clients } from './clients.ts';
import { Forwarder } from './forwarder.ts';
import { Local } from './local.ts';
import { Names } from './names.ts';
import { framed, MessageStream, READ_ON } from './stream.ts';
import { Upstream } from './upstream.ts';

export const SERVER = 0xcb007135 | 0;
export const CLIENT = 0xc0a8000a | 0;

/** A connection, of which the test is the other side. */
export class End {
  state = 'ESTABLISHED';
  isBusy = false;
  kept = new Uint8Array(0);
  /** Bytes that were not acknowledged yet. */
  unsent = 0;
  /** What is acknowledged at once. */
  acknowledges = true;
  /** Messages that the router has sent. */
  readonly got: packet.DecodedPacket[] = [];
  readonly raw: Uint8Array[] = [];
  readonly remotePort = 4000;
  readonly index = 0;
  onData = (_: Uint8Array): void => {};
  onSent = (): void => {};
  onOpen = (): void => {};
  onEnd = (): void => {};
  onClose = (_: string): void => {};
  private readonly stream = new MessageStream(65535, message => {
    this.raw.push(message);
    this.got.push(packet.decode(Buffer.from(message)));
    return READ_ON;
  });

  constructor(
    readonly remote: number,
    private readonly gone: (end: End) => void,
    readonly client: number = remote,
  ) {}

  get unread(): number {
    return this.kept.length;
  }

  write(data: Uint8Array): boolean {
    if (this.state === 'CLOSED' || this.unsent + data.length > TCP_SEND_BYTES) return false;
    if (!this.acknowledges) this.unsent += data.length;
    this.stream.take(data);
    return true;
  }

  acknowledge(): void {
    this.unsent = 0;
    this.onSent();
  }

  keep(data: Uint8Array): void {
    this.kept = data.slice();
  }

  read(): void {
    const { kept } = this;
    this.kept = new Uint8Array(0);
    if (kept.length > 0) this.onData(kept);
  }

  /** Bytes of the test's to the router. */
  send(data: Uint8Array): void {
    const all = Uint8Array.from([...this.kept, ...data]);
    this.kept = new Uint8Array(0);
    this.onData(all);
  }

  end(why = 'reset'): void {
    if (this.state === 'CLOSED') return;
    this.state = 'CLOSED';
    this.gone(this);
    this.onClose(why);
  }

  active(): void {}
  close(): void {
    this.end('closed');
  }
  abort(): void {
    this.end('aborted');
  }
}

export interface Sent {
  to: number;
  port: number;
  data: Uint8Array;
}

export function tcpLab(servers: number[] = [SERVER]) {
  const { plane, memory } = javascriptBuild();
  plane.planeReset();
  const clock = createClock();
  const sent: Sent[] = [];
  const logged: string[] = [];
  const calls: End[] = [];
  const ports = new Map<number, (datagram: Datagram) => void>();
  /** What the network does: its places, sockets, buffers and ways, and whether servers take connections. */
  const net = { places: 2, sockets: 64, refuses: false, hasBuffers: true, hasWay: true };
  let number = 0;
  const open = (): number => calls.filter(({ state }) => state !== 'CLOSED').length;
  const context = {
    ...{ machine: { plane, memory, heapFree: () => 1 << 20 }, clock, random: () => ++number * 0x12345 },
    log: (_level: number, _area: string, text: string) => logged.push(text),
    udp: {
      send: (to: number, _port: number, port: number, data: Uint8Array) =>
        net.hasWay && net.hasBuffers && sent.push({ to, port, data: data.slice() }) > 0,
      openRandom: (_interfaces: number, receive: (datagram: Datagram) => void) => {
        if (ports.size >= net.sockets) return 0;
        ports.set(++number + 1024, receive);
        return number + 1024;
      },
      close: (port: number) => ports.delete(port),
      isShort: () => net.hasWay && !net.hasBuffers,
    },
    tcp: {
      isShort: () => net.hasWay && open() >= net.places,
      connect: (address: number) => {
        if (!net.hasWay || open() >= net.places) return undefined;
        const end = new End(address, () => {});
        end.isBusy = true;
        calls.push(end);
        if (net.refuses) clock.after(1, () => end.end());
        return end as unknown as Connection;
      },
    },
  } as unknown as Context;
  const upstream = new Upstream({
    changed: ({ state }) => logged.push(state),
    probe: () => logged.push('probe'),
  });
  upstream.use(servers);
  const policy = { guard: true, allowed: new Names<string>(), forwards: new Names<never>() };
  const forwarder = new Forwarder(context, new Local(() => undefined), upstream, policy);
  const clients = new Clients(context, forwarder);
  const wait = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      puti32(NOW_AT, (i32at(NOW_AT) + 1) | 0);
      clock.run();
    }
  };
  const client = (address = CLIENT, number = address): End => {
    const end = new End(address, () => {}, number);
    clients.serve(end as unknown as Connection);
    return end;
  };
  /** A datagram of a server to a port of ours. */
  const reply = ({ to, port }: Sent, data: Uint8Array): void =>
    ports.get(port)?.({ source: to, sourcePort: 53, data } as Datagram);
  const openPorts = (): number => ports.size;
  return { context, sent, logged, calls, net, upstream, forwarder, wait, client, reply, openPorts };
}

/** The answer to a query with one address. */
export function answer(
  query: packet.DecodedPacket | Uint8Array,
  options: Partial<packet.Packet> = {},
): Uint8Array {
  const { id = 0, questions = [] } = query instanceof Uint8Array ? packet.decode(Buffer.from(query)) : query;
  const answers = [
    { type: 'A', name: questions[0]?.name ?? '', ttl: 300, data: '192.0.2.1' },
  ] as packet.Answer[];
  return Uint8Array.from(packet.encode({ type: 'response', id, questions, answers, ...options }));
}

export { framed };
