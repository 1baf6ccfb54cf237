// The DNS service: port 53 of the LAN by UDP and TCP, and names for the router's own needs.
// Nothing listens on the WAN. Not here: what becomes of a query (forwarder.ts), settings (commands.ts).

import { INTERFACE_LAN } from '../../base/limits.ts';
import { SOCKET_INSIDE } from '../../base/socket-record.ts';
import { formatAddress, parseAddress } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import { DNS_SERVERS } from '../core/limits.ts';
import { ERROR, NOTICE, WARNING } from '../core/log.ts';
import { ROUTER_ITSELF } from '../core/net/client.ts';
import type { Service } from '../core/service.ts';
import { Clients } from './clients.ts';
import type { Asker } from './flight.ts';
import { Forwarder, type Policy } from './forwarder.ts';
import { type HostNames, Local } from './local.ts';
import { CLASS_IN, FLAG_RD, HEADER_BYTES, nameBytes, read16, skipName, TYPE_A, write16 } from './message.ts';
import { Names } from './names.ts';
import { DNS_PORT } from './pipe.ts';
import { probe, SILENT, UNASKED } from './probe.ts';
import { type ServerWatch, Upstream } from './upstream.ts';

/**
 * So long after a query or an answer the next query must have come whole, and the answer must have been taken: bytes
 * that come one by one do not keep a connection.
 */
const TCP_IDLE_SECONDS = 10;

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
  /** Servers of a domain's own, which are watched as the others are. */
  upstreamOf(addresses: readonly number[]): Upstream;
  /** Takes the servers that now count. */
  refresh(): void;
  /** Undefined before start(). */
  forwarder(): Forwarder | undefined;
}

/** Where servers are told. */
interface Uplink {
  onChange(listener: () => void): void;
  /** Best first. */
  dnsServers(): readonly number[];
  /** Whether a link is dialled for a host that wants a name, so that there will be a server. */
  dials(host: number, name: string): boolean;
}

/** @param hosts who has a lease, and its name */
export function createDns(context: Context, hosts: HostNames, wan: Uplink): Dns {
  const local = new Local(() => hosts);
  const watch = (own: () => Upstream): ServerWatch => ({
    changed: ({ address, state }) => {
      const isDown = state === 'down';
      const text = `server ${formatAddress(address)} ${isDown ? 'does not answer' : 'answers again'}`;
      context.log(isDown ? WARNING : NOTICE, 'dns', text);
    },
    probe: server =>
      probe(context, server, ticks => {
        const now = context.clock.now();
        if (ticks === UNASKED) own().unknown(server);
        else if (ticks === SILENT) own().silent(server, now);
        else own().answered(server, ticks, now);
      }),
  });
  const upstream: Upstream = new Upstream(watch(() => upstream));
  const policy: Policy = { guard: true, allowed: new Names(), forwards: new Names() };
  let forwarder: Forwarder | undefined;
  const asker: Asker = { address: 0, port: 0, index: INTERFACE_LAN, client: ROUTER_ITSELF, reply: undefined };

  const dns: Dns = {
    ...{ local, upstream, policy, servers: [] },
    upstreamOf: addresses => {
      const made: Upstream = new Upstream(watch(() => made));
      made.use(addresses);
      return made;
    },
    forwarder: () => forwarder,
    domain: () => local.domain,
    refresh: () => {
      const learnt = wan.dnsServers();
      upstream.use((dns.servers.length > 0 ? dns.servers : learnt).slice(0, DNS_SERVERS));
    },
    start: () => {
      const started = new Forwarder(context, local, upstream, policy, wan.dials);
      forwarder = started;
      dns.refresh();
      wan.onChange(() => dns.refresh());
      const opened = context.udp.open(DNS_PORT, SOCKET_INSIDE, datagram => {
        asker.address = datagram.source;
        asker.port = datagram.sourcePort;
        asker.client = datagram.client;
        started.ask(datagram.data, asker);
      });
      const clients = new Clients(context, started);
      const listening = context.tcp.listen(
        DNS_PORT,
        SOCKET_INSIDE,
        connection => clients.serve(connection),
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
        forwarder.ask(queryFor(wire, TYPE_A, context.random()), {
          ...asker,
          address: 0,
          port: 0,
          client: ROUTER_ITSELF,
          reply,
        });
      }
    },
  };
  return dns;
}

/** A query for a name in wire form, as a host without EDNS asks. */
export function queryFor(wire: Uint8Array, type: number, id: number): Uint8Array {
  const query = new Uint8Array(HEADER_BYTES + wire.length + 4);
  write16(query, 0, id);
  write16(query, 2, FLAG_RD);
  write16(query, 4, 1);
  query.set(wire, HEADER_BYTES);
  write16(query, HEADER_BYTES + wire.length, type);
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
