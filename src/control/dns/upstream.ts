// The servers that queries go to: in the order in which they were given, those that answer first.
// One that fails DNS_FAILURES times in a row in DNS_BLAME_TICKS or more, and answers nothing meanwhile, is doubted: it is asked after all others, and
// by a question of our own whether it is there (probe.ts). If that is not answered it is down, and every
// DNS_DOWN_TICKS one query tries it first, which finds out when it is back.
//
//    up --failures--> doubted --no answer to the probe--> down        any answer --> up
//                             --we could not ask--> up
//
// Not here: the queries (sender.ts).

import { mtuOf, outsideLink } from '../core/addresses.ts';
import { since } from '../core/clock.ts';
import {
  DNS_BLAME_TICKS,
  DNS_DOWN_TICKS,
  DNS_FAILURES,
  DNS_NO_TCP_TICKS,
  DNS_UPSTREAM_BYTES,
} from '../core/limits.ts';
import { UDP_BYTES } from './message.ts';

const IP_UDP_BYTES = 28;

export interface Server {
  readonly address: number;
  state: 'up' | 'doubted' | 'down';
  /** In a row, and when the first of them was asked. */
  failures: number;
  failingAt: number;
  /** When it is tried again. */
  trial: number;
  /** It has refused connections, and when one is tried again. */
  noTcp: boolean;
  tcpTrial: number;
  sent: number;
  answered: number;
  timeouts: number;
  /** When it answered last, once it has. */
  answeredAt: number;
  /** Eight times the smoothed time of an answer, ticks (after RFC 6298). */
  time: number;
  /** Answers in a row that did not keep the case of the name. */
  spoils: number;
  /** A question that it has answered. */
  known: Uint8Array | undefined;
}

function serverAt(address: number): Server {
  return {
    ...{ address, state: 'up', failures: 0, failingAt: 0, trial: 0, noTcp: false, tcpTrial: 0 },
    ...{ sent: 0, answered: 0, timeouts: 0, answeredAt: 0, time: 0, spoils: 0, known: undefined },
  };
}

/** What a server's state has to do with others. */
export interface ServerWatch {
  /** A server went down or came back. */
  changed(server: Server): void;
  /** Is it there? Answered by answered() or silent(). */
  probe(server: Server): void;
}

export class Upstream {
  servers: Server[] = [];

  constructor(private readonly watch: ServerWatch) {}

  /** Takes these servers; what is known of one that stays is kept. */
  use(addresses: readonly number[]): void {
    this.servers = addresses.map(
      address => this.servers.find(server => server.address === address) ?? serverAt(address),
    );
  }

  /** The server to ask next by a query that asked those of the list already; undefined if there is none at all. */
  choose(tried: readonly Server[], now: number): Server | undefined {
    const { servers } = this;
    let last: Server | undefined;
    for (const server of servers) {
      if (tried.includes(server)) continue;
      if (server.state === 'up') return server;
      if (server.state === 'down' && isOver(server.trial, now, DNS_DOWN_TICKS)) {
        server.trial = (now + DNS_DOWN_TICKS) | 0; // this query only
        return server;
      }
      if (last === undefined || last.state === 'down') last = server;
    }
    // All were asked: the first again, rather one that is not down.
    return last ?? servers.find(server => server.state === 'up') ?? servers[0];
  }

  /** Whether queries of a server may go by TCP. */
  speaksTcp(server: Server, now: number): boolean {
    return !server.noTcp || isOver(server.tcpTrial, now, DNS_NO_TCP_TICKS);
  }

  /** A server's connection was refused, or brought nothing. */
  refusesTcp(server: Server, now: number): void {
    server.noTcp = true;
    server.tcpTrial = (now + DNS_NO_TCP_TICKS) | 0;
  }

  answered(server: Server, ticks: number, now: number): void {
    server.answered++;
    server.failures = 0;
    server.answeredAt = now;
    server.time += server.time === 0 ? ticks << 3 : ticks - (server.time >> 3);
    const wasDown = server.state === 'down';
    server.state = 'up';
    if (wasDown) this.watch.changed(server);
  }

  /** A query that was sent at `sentAt` was not answered. */
  failed(server: Server, sentAt: number, now: number): void {
    // What has answered others since is there.
    if (server.answered > 0 && since(server.answeredAt, sentAt) > 0 && since(now, server.answeredAt) >= 0)
      return;
    if (server.failures++ === 0) server.failingAt = sentAt;
    if (server.failures < DNS_FAILURES || server.state !== 'up') return;
    const lasts = since(now, server.failingAt);
    // Less than nothing: it has been so for half a year.
    if (lasts >= 0 && lasts < DNS_BLAME_TICKS) return;
    server.state = 'doubted';
    this.watch.probe(server);
  }

  /** The probe of a server that is doubted could not go for want of ours: it is believed until it fails again. */
  unknown(server: Server): void {
    if (server.state !== 'doubted') return;
    server.state = 'up';
    server.failures = DNS_FAILURES - 1;
  }

  /** A server that is doubted has not answered the probe either. */
  silent(server: Server, now: number): void {
    if (server.state !== 'doubted') return;
    server.state = 'down';
    server.trial = (now + DNS_DOWN_TICKS) | 0;
    this.watch.changed(server);
  }
}

/** Whether a time has come that lies at most `most` ahead. If it is more, nobody asked for half a year and it has wrapped. */
function isOver(time: number, now: number, most: number): boolean {
  const left = since(time, now);
  return left <= 0 || left > most;
}

/**
 * What servers are told that we take by UDP: what reaches us in one piece, as fragments are not put together for the
 * router itself. Forged ones could be slipped in among them (RFC 9715); what is longer comes by TCP.
 */
export function upstreamBytes(): number {
  const mtu = mtuOf(outsideLink());
  return Math.max(UDP_BYTES, Math.min(DNS_UPSTREAM_BYTES, mtu - IP_UDP_BYTES));
}
