// The DNS service: port 53 of the LAN by UDP and TCP, and names for the router's own needs.
// Nothing listens on the WAN. Not here: what becomes of a query (forwarder.ts), settings (commands.ts).

import { INTERFACE_LAN } from '../../plane/limits.ts';
import { formatAddress, parseAddress } from '../address.ts';
import type { Context } from '../context.ts';
import type { Service } from '../control.ts';
import { DNS_QUERY_BYTES, DNS_SERVERS, DNS_TCP_QUERIES } from '../limits.ts';
import { ERROR, NOTICE, WARNING } from '../log.ts';
import type { Connection } from '../net/tcp.ts';
import type { Asker } from './flight.ts';
import { DNS_PORT, Forwarder, type Policy } from './forwarder.ts';
import { Local } from './local.ts';
import { CLASS_IN, FLAG_RD, HEADER_BYTES, nameBytes, read16, skipName, TYPE_A, write16 } from './message.ts';
import { framed, MessageStream } from './stream.ts';
import { Upstream } from './upstream.ts';

/**
 * So long after a query or an answer the next query must have come whole, and the answer must have been taken: bytes
 * that come one by one do not keep a connection.
 */
const TCP_IDLE_SECONDS = 10;
const LAN_ONLY = 1 << INTERFACE_LAN;

export interface Dns extends Service {
  /**
   * Finds the addresses of a name for the router itself. Calls back once and later, with none if there are none
   * or nobody knows. An address as text is its own answer.
   */
  resolve(name: string, done: (addresses: number[]) => void): void;
  /** The domain of the LAN's names. */
  domain(): string;
  readonly local: Local;
  readonly upstream: Upstream;
  readonly policy: Policy;
  /** Servers set by hand; without any, those that the WAN was told. */
  servers: number[];
  /** Takes the servers that now count. */
  refresh(): void;
  /** Undefined before start(). */
  forwarder(): Forwarder | undefined;
}

export function createDns(context: Context): Dns {
  const local = new Local(() => context.leases);
  const upstream = new Upstream(({ address, isDown }) => {
    const text = `server ${formatAddress(address)} ${isDown ? 'does not answer' : 'answers again'}`;
    context.log(isDown ? WARNING : NOTICE, 'dns', text);
  });
  const policy: Policy = { guard: true, allowed: [] };
  let forwarder: Forwarder | undefined;
  const asker: Asker = { address: 0, port: 0, index: INTERFACE_LAN, reply: undefined };

  const dns: Dns = {
    ...{ local, upstream, policy, servers: [] },
    forwarder: () => forwarder,
    domain: () => local.domain,
    refresh: () => {
      const learnt = context.wan?.dnsServers() ?? [];
      upstream.use((dns.servers.length > 0 ? dns.servers : learnt).slice(0, DNS_SERVERS));
    },
    start: () => {
      const started = new Forwarder(context, local, upstream, policy);
      forwarder = started;
      dns.refresh();
      context.wan?.onChange(() => dns.refresh());
      const opened = context.udp.open(DNS_PORT, LAN_ONLY, datagram => {
        asker.address = datagram.source;
        asker.port = datagram.sourcePort;
        started.ask(datagram.data, asker);
      });
      const listening = context.tcp.listen(
        DNS_PORT,
        LAN_ONLY,
        connection => serve(started, connection),
        TCP_IDLE_SECONDS,
      );
      if (!opened || !listening) context.log(ERROR, 'dns', 'cannot listen on port 53: it is in use');
    },
    resolve: (name, done) => {
      const later = (addresses: number[]): void => {
        context.clock.after(0, () => done(addresses));
      };
      const literal = parseAddress(name);
      const wire = nameBytes(name);
      if (typeof literal === 'number') later([literal]);
      else if (forwarder === undefined || typeof wire === 'string') later([]);
      else {
        const reply = (message: Uint8Array): void => later(addressesOf(message));
        forwarder.ask(queryFor(wire, context.random()), { ...asker, address: 0, port: 0, reply });
      }
    },
  };
  return dns;
}

/** Answers the queries of a connection. They may come without waiting for answers (RFC 7766, section 6.2.1.1). */
function serve(forwarder: Forwarder, connection: Connection): void {
  let waiting = 0;
  let ended = false;
  const asker: Asker = {
    address: connection.remote,
    port: connection.remotePort,
    index: connection.index,
    reply: message => {
      waiting--;
      connection.isBusy = waiting > 0;
      connection.active();
      if (!connection.write(framed(message))) connection.abort();
      else if (ended && waiting === 0) connection.close();
    },
  };
  const stream = new MessageStream(DNS_QUERY_BYTES, message => {
    // What is no query is not answered: such a client is not one.
    const isQuery = message.length >= HEADER_BYTES && ((message[2] as number) & 0x80) === 0;
    if (!isQuery || waiting === DNS_TCP_QUERIES) return false;
    waiting++;
    connection.isBusy = true;
    connection.active();
    forwarder.ask(message, asker);
    return true;
  });
  connection.onData = data => {
    if (!stream.take(data)) connection.abort();
  };
  connection.onEnd = () => {
    ended = true;
    if (waiting === 0) connection.close();
  };
}

function queryFor(wire: Uint8Array, id: number): Uint8Array {
  const query = new Uint8Array(HEADER_BYTES + wire.length + 4);
  write16(query, 0, id);
  write16(query, 2, FLAG_RD);
  write16(query, 4, 1);
  query.set(wire, HEADER_BYTES);
  write16(query, HEADER_BYTES + wire.length, TYPE_A);
  write16(query, HEADER_BYTES + wire.length + 2, CLASS_IN);
  return query;
}

/** The addresses in an answer, in order. Aliases need no following: what they lead to is in the answer too. */
function addressesOf(message: Uint8Array): number[] {
  const addresses: number[] = [];
  let at = skipName(message, message.length, HEADER_BYTES) + 4;
  const count = read16(message, 6);
  for (let i = 0; i < count && at >= HEADER_BYTES + 5; i++) {
    at = skipName(message, message.length, at);
    if (at === 0 || at + 10 > message.length) break;
    const end = at + 10 + read16(message, at + 8);
    if (read16(message, at) === TYPE_A && read16(message, at + 8) === 4 && end <= message.length) {
      addresses.push((read16(message, at + 10) << 16) | read16(message, at + 12));
    }
    at = end;
  }
  return addresses;
}
