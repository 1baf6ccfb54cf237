// The servers that queries go to: in the order in which they were given, those that answer first.
// A server that fails DNS_FAILURES times in a row is down: it is asked after all others, and every
// DNS_DOWN_TICKS one query tries it first, which finds out when it is back.
// Not here: the queries (forwarder.ts).

import { IF_MTU, interfaceAt } from '../../plane/interface.ts';
import { INTERFACE_WAN } from '../../plane/limits.ts';
import { i32at } from '../../plane/memory.ts';
import { since } from '../clock.ts';
import { DNS_DOWN_TICKS, DNS_FAILURES, DNS_UPSTREAM_BYTES } from '../limits.ts';
import { UDP_BYTES } from './message.ts';

const IP_UDP_BYTES = 28;

export interface Server {
  readonly address: number;
  /** In a row. */
  failures: number;
  isDown: boolean;
  /** When it is tried again. */
  trial: number;
  sent: number;
  answered: number;
  timeouts: number;
  /** Eight times the smoothed time of an answer, ticks (after RFC 6298). */
  time: number;
  /** Answers in a row that did not keep the case of the name. */
  spoils: number;
}

export class Upstream {
  servers: Server[] = [];
  private readonly changed: (server: Server) => void;

  /** @param changed is told of a server that went down or came back. */
  constructor(changed: (server: Server) => void) {
    this.changed = changed;
  }

  /** Takes these servers; what is known of one that stays is kept. */
  use(addresses: readonly number[]): void {
    this.servers = addresses.map(
      address =>
        this.servers.find(server => server.address === address) ?? {
          address,
          failures: 0,
          isDown: false,
          trial: 0,
          sent: 0,
          answered: 0,
          timeouts: 0,
          time: 0,
          spoils: 0,
        },
    );
  }

  /** The server to ask next by a query that asked those of the list already; undefined if there is none at all. */
  choose(tried: readonly Server[], now: number): Server | undefined {
    const { servers } = this;
    let last: Server | undefined;
    for (const server of servers) {
      if (tried.includes(server)) continue;
      if (!server.isDown) return server;
      const left = since(server.trial, now);
      // More than it ever is: nobody has asked for half a year, and the clock's difference has wrapped.
      if (left <= 0 || left > DNS_DOWN_TICKS) {
        server.trial = (now + DNS_DOWN_TICKS) | 0; // this query only
        return server;
      }
      last ??= server;
    }
    // All were asked: the first again, rather one that is not down.
    return last ?? servers.find(server => !server.isDown) ?? servers[0];
  }

  answered(server: Server, ticks: number): void {
    server.answered++;
    server.failures = 0;
    server.time += server.time === 0 ? ticks << 3 : ticks - (server.time >> 3);
    if (!server.isDown) return;
    server.isDown = false;
    this.changed(server);
  }

  failed(server: Server, now: number): void {
    server.failures++;
    if (server.failures < DNS_FAILURES || server.isDown) return;
    server.isDown = true;
    server.trial = (now + DNS_DOWN_TICKS) | 0;
    this.changed(server);
  }
}

/**
 * What servers are told that we take by UDP: what reaches us in one piece, as fragments are not put together for the
 * router itself. Forged ones could be slipped in among them (RFC 9715); what is longer comes by TCP.
 */
export function upstreamBytes(): number {
  const mtu = i32at(interfaceAt(INTERFACE_WAN) + IF_MTU);
  return Math.max(UDP_BYTES, Math.min(DNS_UPSTREAM_BYTES, mtu - IP_UDP_BYTES));
}
