// A query under way to a server, and those who wait for its answer. The objects are made when first needed and used again;
// the table says who may have how many, so that one client's flood leaves room for the others.
// Not here: what is sent and what comes back (forwarder.ts).

import { DNS_CLIENT_FLIGHTS, DNS_FLIGHTS } from '../limits.ts';
import type { Datagram } from '../net/udp.ts';
import type { Key } from './cache.ts';
import { HEADER_BYTES, type Query, sameQuestion } from './message.ts';
import type { Server } from './upstream.ts';

/** Who asked. */
export interface Asker {
  address: number;
  port: number;
  /** The interface by which the query came. */
  index: number;
  /** Takes the answer to a query that did not come by UDP. The bytes are valid during the call. */
  reply: ((message: Uint8Array) => void) | undefined;
}

export interface Waiter extends Asker {
  id: number;
  /** Bytes of the longest answer that it takes. */
  size: number;
  /** Its question, where it is spelt otherwise than the one that was sent. */
  question: Uint8Array | undefined;
}

export class Flight implements Key {
  isActive = false;
  /** The query as it was asked, with the identifier and sizes that are ours. */
  query: Uint8Array = new Uint8Array(0);
  hash = 0;
  key = 0;
  questionEnd = 0;
  nameEnd = 0;
  isPlain = false;
  byTcp = false;
  waiters: Waiter[] = [];
  /** The first who asked. */
  client = 0;
  server: Server | undefined;
  tried: Server[] = [];
  tries = 0;
  id = 0;
  port = 0;
  sentAt = 0;
  /** The tick at which it is tried again. */
  deadline = 0;
  spoofs = 0;
  /** Ends the connection of this try by TCP. */
  hangUp: (() => void) | undefined;
  /** Made once, as the socket's callbacks. */
  readonly receive: (datagram: Datagram) => void;
  readonly unreachable: () => void;

  constructor(received: (flight: Flight, datagram: Datagram) => void, failed: (flight: Flight) => void) {
    this.receive = datagram => received(this, datagram);
    this.unreachable = () => failed(this);
  }

  begin(data: Uint8Array, query: Query, client: number): void {
    this.isActive = true;
    this.query = data.slice();
    this.hash = query.hash;
    this.key = query.key;
    this.questionEnd = query.questionEnd;
    this.nameEnd = query.nameEnd;
    this.isPlain = query.plain;
    this.waiters = [];
    this.client = client;
    this.server = undefined;
    this.tried = [];
    this.tries = 0;
    this.spoofs = 0;
  }

  /** Whether its answer also answers this query. */
  isFor(data: Uint8Array, query: Query): boolean {
    if (this.hash !== query.hash || this.key !== query.key || !this.isPlain || !query.plain) return false;
    const bytes = query.questionEnd - HEADER_BYTES;
    return this.questionEnd === query.questionEnd && sameQuestion(this.query, HEADER_BYTES, data, bytes);
  }
}

export class Flights {
  /** Those under way, oldest first. */
  active: Flight[] = [];
  private readonly idle: Flight[] = [];
  private made = 0;
  private readonly held = new Map<number, number>();

  constructor(private readonly make: () => Flight) {}

  find(data: Uint8Array, query: Query, byTcp: boolean): Flight | undefined {
    for (const flight of this.active) {
      if (flight.hash === query.hash && flight.byTcp === byTcp && flight.isFor(data, query)) return flight;
    }
    return undefined;
  }

  /** One that is free for the client, or undefined if the client has its share. */
  take(client: number): Flight | undefined {
    const holds = this.held.get(client) ?? 0;
    if (holds >= DNS_CLIENT_FLIGHTS) return undefined;
    let flight = this.idle.pop();
    if (flight === undefined) {
      if (this.made === DNS_FLIGHTS) return undefined;
      this.made++;
      flight = this.make();
    }
    this.held.set(client, holds + 1);
    this.active.push(flight);
    return flight;
  }

  /** The oldest of the client that has most, if that is at least two more than this one has. */
  victimFor(client: number): Flight | undefined {
    let most = (this.held.get(client) ?? 0) + 1;
    let victim: Flight | undefined;
    for (const flight of this.active) {
      const holds = this.held.get(flight.client) ?? 0;
      if (holds <= most) continue;
      most = holds;
      victim = flight;
    }
    return victim;
  }

  release(flight: Flight): void {
    const at = this.active.indexOf(flight);
    if (at < 0) return;
    this.active.splice(at, 1);
    this.idle.push(flight);
    flight.isActive = false;
    const holds = (this.held.get(flight.client) ?? 1) - 1;
    if (holds === 0) this.held.delete(flight.client);
    else this.held.set(flight.client, holds);
  }
}
