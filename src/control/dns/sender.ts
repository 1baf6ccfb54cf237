// The side of the forwarder that faces the servers: which of them gets a query, by UDP or by a connection, how often and
// for how long, and whether what comes back is its answer. RFC 5452 (answers that are not ours), RFC 7766 (TCP).
//
// Each query has a random identifier, by UDP a random port and random case of its letters; a repetition to the same server
// has the same, so that its late answer counts. An answer without that case is not taken: the query goes out once more as
// it was asked, under a new identifier and port, and to a server that spoils DNS_SPOILS in a row all do.
//
// Queries of clients who came by TCP go by TCP; a server that has none is asked by UDP for DNS_NO_TCP_TICKS.
// Want of our own sockets, buffers, connections and routes is no fault of a server. Without a route another is asked;
// else the query waits, and is tried again every SCAN_TICKS for DNS_WAIT_TICKS, which counts as no try. Where a link is dialled for it, it waits
// for DNS_DIAL_TICKS, silently: who gets no answer asks again, who hears of a failure does not.
// One timer serves all queries under way: it runs every SCAN_TICKS while there are any.
// Not here: clients, and what an answer may say (forwarder.ts).

import { formatAddress } from '../core/address.ts';
import type { Timer } from '../core/clock.ts';
import { since } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import {
  DNS_DIAL_TICKS,
  DNS_SPOILS,
  DNS_SPOOFS,
  DNS_TCP_TICKS,
  DNS_TRY_MOST_TICKS,
  DNS_TRY_NEW_TICKS,
  DNS_TRY_TICKS,
  DNS_WAIT_TICKS,
  UDP_SEND_BYTES,
} from '../core/limits.ts';
import { NOTICE, WARNING } from '../core/log.ts';
import { type Datagram, isQuoteOf } from '../core/net/udp.ts';
import { ANY_INTERFACE } from '../core/sockets.ts';
import type { Counts } from './counts.ts';
import type { Flight } from './flight.ts';
import type { Flights } from './flights.ts';
import { EXACT, HEADER_BYTES, nameText, write16 } from './message.ts';
import { DNS_PORT, type Pipe, Pipes } from './pipe.ts';
import type { Server } from './upstream.ts';

const SCAN_TICKS = 10;

/** What becomes of a query. */
export interface SenderUser {
  /** An answer of its server, whose bytes are ours until the call ends; by TCP perhaps only its beginning. */
  answered(flight: Flight, message: Uint8Array, bytes: number, isWhole: boolean): void;
  /** No server has answered. */
  failed(flight: Flight): void;
  /** There is no way to a server: whether one is being made. */
  dials(flight: Flight): boolean;
}

export class Sender {
  private readonly pipes: Pipes;
  private readonly out = new Uint8Array(UDP_SEND_BYTES);
  private readonly words = new Int32Array(this.out.buffer);
  private timer: Timer | undefined;

  constructor(
    private readonly context: Context,
    private readonly flights: Flights,
    private readonly counts: Counts,
    private readonly user: SenderUser,
  ) {
    this.pipes = new Pipes(context, {
      answered: (flight, message, isWhole) => this.take(flight, message, message.length, isWhole),
      lost: (flight, pipe) => this.lost(flight, pipe),
    });
  }

  /** Sends a query to the next server, as often as there are tries; then it fails. @param isLost there is no way to its server */
  try(flight: Flight, isLost = flight.server === undefined): void {
    const { upstream } = flight;
    const now = this.context.clock.now();
    let hasNoWay = isLost;
    if (flight.tries === 0) flight.begunAt = now;
    while (this.mayTry(flight, now)) {
      const server = upstream?.choose(flight.tried, now);
      if (server === undefined) break;
      if (flight.tries > 0) this.counts.repeated++;
      flight.tries++;
      const isNew = server !== flight.server;
      flight.server = server;
      flight.tried.push(server);
      server.sent++;
      if (this.send(flight, isNew)) return;
      hasNoWay = true;
    }
    if (hasNoWay && flight.waits < DNS_DIAL_TICKS && this.user.dials(flight)) this.waitForCall(flight, now);
    else this.user.failed(flight);
  }

  /** Until a link is up it is as if it had just come. */
  private waitForCall(flight: Flight, now: number): void {
    flight.waits += SCAN_TICKS;
    flight.server = undefined;
    flight.tried = [];
    flight.tries = 0;
    flight.deadline = (now + SCAN_TICKS) | 0;
    this.timer ??= this.context.clock.after(SCAN_TICKS, () => this.scan());
  }

  private mayTry({ tries, begunAt }: Flight, now: number): boolean {
    return tries < DNS_TRY_TICKS.length && since(now, begunAt) < DNS_WAIT_TICKS;
  }

  hasOther(flight: Flight): boolean {
    const servers = flight.upstream?.servers ?? [];
    return (
      this.mayTry(flight, this.context.clock.now()) && servers.some(server => !flight.tried.includes(server))
    );
  }

  /** The same server once more by TCP: by UDP it could not say all. False if that was tried. */
  byTcp(flight: Flight): boolean {
    if (flight.wantsTcp || flight.tries === DNS_TRY_TICKS.length) return false;
    flight.wantsTcp = true;
    flight.tries++;
    return this.send(flight, true);
  }

  /** Gives up port or connection of the try before. */
  hangUp(flight: Flight): void {
    const { pipe, port } = flight;
    flight.port = 0;
    pipe?.remove(flight);
    if (port !== 0) this.context.udp.close(port);
  }

  /** A host or router says that a query did not get there, and quotes it. */
  unreachable(flight: Flight, quoted: Uint8Array): void {
    // Who has not seen the query cannot quote it; what is too short to tell is left to the next try.
    if (!flight.isActive || flight.server === undefined || !isQuoteOf(quoted, flight.query, HEADER_BYTES))
      return;
    flight.upstream?.failed(flight.server, flight.sentAt, this.context.clock.now());
    this.try(flight);
  }

  /** A datagram at the port of a query. Only the right server's right answer counts (RFC 5452, section 9.1). */
  receive(flight: Flight, { source, sourcePort, data }: Datagram): void {
    if (!flight.isActive) return;
    if (source === flight.server?.address && sourcePort === DNS_PORT && data.length <= this.out.length) {
      this.out.set(data);
      const match = flight.isAnswer(data, this.words);
      if (match !== 0) {
        if (flight.isShuffled && !this.keptCase(flight, flight.server, match)) return;
        this.take(flight, this.out, data.length, true);
        return;
      }
    }
    this.counts.spoofed++;
    flight.spoofs++;
    if (flight.spoofs % DNS_SPOOFS !== 0) return;
    // Somebody is guessing: what he has learnt by it is void with another port and identifier.
    const { asked } = flight;
    const text = `${flight.spoofs} wrong answers to ${nameText(asked, 0, asked.length)}`;
    this.context.log(WARNING, 'dns', text);
    this.aim(flight, false);
    this.sendDatagram(flight);
  }

  /** Sends a query to its server. False if there is no way to it. */
  private send(flight: Flight, isNew: boolean): boolean {
    const { server, upstream } = flight;
    const now = this.context.clock.now();
    if (server === undefined || upstream === undefined) return false;
    const byTcp = flight.byTcp && (flight.wantsTcp || upstream.speaksTcp(server, now));
    if (isNew || byTcp || flight.port === 0) this.aim(flight, byTcp);
    flight.isSent = false;
    this.timer ??= this.context.clock.after(SCAN_TICKS, () => this.scan());
    if (!byTcp) return this.sendDatagram(flight);
    flight.deadline = (now + DNS_TCP_TICKS) | 0;
    return this.pipes.to(server.address).add(flight);
  }

  /** A new identifier, and by UDP a new port and new case. */
  private aim(flight: Flight, byTcp: boolean): void {
    const { random, udp } = this.context;
    this.hangUp(flight);
    const pipe = byTcp ? this.pipes.to(flight.server?.address ?? 0) : undefined;
    do flight.id = random() & 0xffff;
    while (pipe?.uses(flight.id) === true);
    write16(flight.query, 0, flight.id);
    // Nobody slips an answer into a connection, and what is signed must stay as it is.
    const keeps = byTcp || flight.keepsCase || !flight.isPlain || (flight.server?.spoils ?? 0) >= DNS_SPOILS;
    flight.shuffle(!keeps, random);
    if (!byTcp) flight.port = udp.openRandom(ANY_INTERFACE, flight.receive, flight.unreachable);
  }

  /** False if there is no way to the server. For want of a socket or buffer it is tried again soon. */
  private sendDatagram(flight: Flight): boolean {
    const { server, port, query } = flight;
    const { udp, clock } = this.context;
    const now = clock.now();
    flight.isSent = false;
    flight.deadline = (now + SCAN_TICKS) | 0;
    if (port === 0) return true;
    const hasWay = udp.send(server?.address ?? 0, DNS_PORT, port, query);
    if (udp.isShort()) return true;
    if (hasWay) flight.sent(now, this.patience(flight, now));
    return hasWay;
  }

  /** How long this try waits: as long as the server may need, and the last to the end. */
  private patience({ server, tries, begunAt }: Flight, now: number): number {
    const left = DNS_WAIT_TICKS - since(now, begunAt);
    if (tries === DNS_TRY_TICKS.length) return left;
    const own = server === undefined || server.answered === 0 ? DNS_TRY_NEW_TICKS : server.time >> 1;
    const ticks = Math.max(DNS_TRY_TICKS[tries - 1] as number, Math.min(own, DNS_TRY_MOST_TICKS));
    // What would be left for one more is too little for an answer.
    return left - ticks < (DNS_TRY_TICKS[0] as number) ? left : ticks;
  }

  private scan(): void {
    const now = this.context.clock.now();
    for (const flight of [...this.flights.active]) {
      if (!flight.isActive || since(now, flight.deadline) < 0) continue;
      this.late(flight, now);
    }
    this.pipes.flush();
    const busy = this.flights.active.length > 0;
    this.timer = busy ? this.context.clock.after(SCAN_TICKS, () => this.scan()) : undefined;
  }

  /** No answer has come in time. */
  private late(flight: Flight, now: number): void {
    const { server, upstream, pipe } = flight;
    if (server === undefined) {
      this.try(flight);
      return;
    }
    if (upstream === undefined) return;
    if (!flight.isSent) {
      this.wait(flight, now);
      return;
    }
    server.timeouts++;
    if (pipe !== undefined && !pipe.hasAnswered) upstream.refusesTcp(server, now);
    else upstream.failed(server, flight.sentAt, now);
    if (pipe?.isSilentSince(flight.sentAt) === true) {
      pipe.remove(flight);
      pipe.giveUp();
    }
    this.try(flight);
  }

  /** What has not left us waits for what it wants, but not longer than a client does. */
  private wait(flight: Flight, now: number): void {
    if (since(now, flight.begunAt) >= DNS_WAIT_TICKS) this.user.failed(flight);
    else if (flight.pipe !== undefined) flight.deadline = (now + SCAN_TICKS) | 0;
    else if (!this.send(flight, false)) this.try(flight, true);
  }

  /** A connection has ended. One that brought answers is opened again; one that brought none is no way to ask. */
  private lost(flight: Flight, pipe: Pipe): void {
    const { server, upstream, deadline } = flight;
    if (!flight.isActive || server === undefined || upstream === undefined) return;
    const now = this.context.clock.now();
    if (!pipe.hasAnswered) upstream.refusesTcp(server, now);
    if (pipe.hasAnswered ? since(now, deadline) >= 0 : flight.wantsTcp) {
      this.try(flight);
      return;
    }
    if (!this.send(flight, true)) this.try(flight, true);
    else if (pipe.hasAnswered) flight.deadline = deadline; // not for ever
  }

  /** Whether an answer has the case of the question; if not, it is asked again without. */
  private keptCase(flight: Flight, server: Server, match: number): boolean {
    if (match === EXACT) {
      server.spoils = 0;
      return true;
    }
    if (++server.spoils === DNS_SPOILS) {
      const text = `server ${formatAddress(server.address)} does not keep the case of names: forged answers are easier`;
      this.context.log(NOTICE, 'dns', text);
    }
    flight.keepsCase = true;
    this.aim(flight, false);
    this.sendDatagram(flight);
    return false;
  }

  private take(flight: Flight, message: Uint8Array, bytes: number, isWhole: boolean): void {
    const { server, upstream } = flight;
    if (!flight.isActive || server === undefined || upstream === undefined) return;
    const now = this.context.clock.now();
    server.known ??= flight.query.slice(HEADER_BYTES, flight.questionEnd);
    upstream.answered(server, since(now, flight.sentAt), now);
    this.user.answered(flight, message, bytes, isWhole);
  }
}
