// The DNS forwarder: a query is answered from here (local.ts), from the cache, or by a server, in this order.
// RFC 5625 (proxies pass on what they do not know, unchanged), RFC 5452 (answers that are not ours), RFC 6891.
//
//   query -> local -> cache -> joined with one under way -> server -> checked -> cache -> all who asked
//
// Each query has a random identifier, a random port and by UDP random case of its letters; a repetition to the same server
// has the same, so that its late answer counts. An answer without that case is not taken: the query goes out once more as
// it was asked, under a new identifier and port, and to a server that spoils DNS_SPOILS in a row all do.
// All get an answer: SERVFAIL when no server has one. Names in answers keep the case of their question.
// One timer serves all queries under way: it runs every SCAN_TICKS while there are any.
// Not here: sockets of clients (dns.ts), settings (commands.ts).

import { IF_ADDRESS, interfaceAt } from '../../plane/interface.ts';
import { INTERFACE_WAN, KEYED_TEXT_AT } from '../../plane/limits.ts';
import { i32at } from '../../plane/memory.ts';
import { formatAddress } from '../address.ts';
import type { Timer } from '../clock.ts';
import { since } from '../clock.ts';
import type { Context } from '../context.ts';
import {
  DNS_QUERY_BYTES,
  DNS_SPOILS,
  DNS_SPOOFS,
  DNS_TCP_BYTES,
  DNS_TRY_TICKS,
  DNS_WAITERS,
  UDP_SEND_BYTES,
} from '../limits.ts';
import { NOTICE, WARNING } from '../log.ts';
import { type Datagram, isQuoteOf } from '../net/udp.ts';
import { ANY_INTERFACE } from '../sockets.ts';
import { Cache } from './cache.ts';
import { type Asker, Flight, Flights, type Waiter } from './flight.ts';
import type { Local } from './local.ts';
import {
  Answer,
  addOpt,
  dropOptions,
  EXACT,
  emptyAnswer,
  FLAG_AA,
  FLAG_QR,
  FLAG_RA,
  FLAG_RD,
  FLAG_TC,
  FORMERR,
  HEADER_BYTES,
  isTransfer,
  MALFORMED,
  type NameHash,
  NO_QUERY,
  NXDOMAIN,
  nameText,
  OPCODE,
  parseAnswer,
  parseQuery,
  QUERY,
  Query,
  REFUSED,
  read16,
  SERVFAIL,
  truncate,
  write16,
} from './message.ts';
import { isBelow } from './rebind.ts';
import { framed, MessageStream } from './stream.ts';
import { type Server, type Upstream, upstreamBytes } from './upstream.ts';

export const DNS_PORT = 53;
const SCAN_TICKS = 10;
/** By TCP each try has a handshake, too. */
const TCP_TICKS = 300;

/** What has happened, for `show dns`. */
export interface Counts {
  queries: number;
  tcp: number;
  local: number;
  cached: number;
  joined: number;
  forwarded: number;
  repeated: number;
  malformed: number;
  failed: number;
  refused: number;
  spoofed: number;
  rebound: number;
  truncated: number;
}

/** Which names may have private addresses. */
export interface Policy {
  /** Protection against rebinding is on. */
  guard: boolean;
  /** Domains that are free of it. */
  allowed: { name: string; wire: Uint8Array }[];
}

export class Forwarder {
  readonly cache = new Cache();
  readonly counts: Counts = {
    ...{ queries: 0, tcp: 0, local: 0, cached: 0, joined: 0, forwarded: 0, repeated: 0 },
    ...{ malformed: 0, failed: 0, refused: 0, spoofed: 0, rebound: 0, truncated: 0 },
  };
  private readonly query = new Query();
  /** Of one under way whose answer is made here: the other may be one that has just come. */
  private readonly failed = new Query();
  private readonly answer = new Answer();
  private readonly out = new Uint8Array(UDP_SEND_BYTES);
  private readonly small = new Uint8Array(512);
  private readonly flights = new Flights(
    () =>
      new Flight(
        (flight, datagram) => this.receive(flight, datagram),
        (flight, quoted) => {
          // Who has not seen the query cannot quote it; what is too short to tell is left to the next try.
          if (isQuoteOf(quoted, flight.query, HEADER_BYTES)) this.refused(flight);
        },
      ),
  );
  private timer: Timer | undefined;

  constructor(
    private readonly context: Context,
    private readonly local: Local,
    private readonly upstream: Upstream,
    private readonly policy: Policy,
  ) {}

  /** By the plane: names of one hash would make each search compare them all, and so do it in a tenth of the time. */
  private readonly hashOf: NameHash = (data, from, end) => {
    const { memory, plane } = this.context.machine;
    memory.set(data.subarray(from, end), KEYED_TEXT_AT);
    return plane.keyedHash(KEYED_TEXT_AT, end - from, 1);
  };

  get underWay(): number {
    return this.flights.active.length;
  }

  /** A query has come. The asker is answered once, now or later, unless it was no query. */
  ask(data: Uint8Array, asker: Asker): void {
    const { query, out, counts } = this;
    counts.queries++;
    if (isTcp(asker)) counts.tcp++;
    const what = data.length > DNS_QUERY_BYTES ? NO_QUERY : parseQuery(data, query, this.hashOf);
    if (what !== QUERY) {
      counts.malformed++;
      if (what === MALFORMED) this.complain(data, asker);
      return;
    }
    if (isTransfer(query.type)) {
      this.refuse(asker, data, query, REFUSED);
      return;
    }
    if ((query.flags & OPCODE) === 0) {
      const bytes = this.local.answer(data, query, out, asker.index);
      if (bytes > 0) {
        counts.local++;
        this.give(asker, addOpt(out, bytes, query, UDP_SEND_BYTES), query.size);
        return;
      }
    }
    if (query.plain) {
      const bytes = this.cache.find(data, query, this.context.clock.now(), out);
      if (bytes > 0) {
        counts.cached++;
        out[0] = data[0] as number;
        out[1] = data[1] as number;
        out.set(data.subarray(HEADER_BYTES, query.nameEnd), HEADER_BYTES);
        this.give(asker, bytes, query.size);
        return;
      }
    }
    this.forward(data, asker);
  }

  /** What cannot be read is answered by its header alone. */
  private complain(data: Uint8Array, asker: Asker): void {
    const { out } = this;
    out.fill(0, 0, HEADER_BYTES);
    out.set(data.subarray(0, 2));
    write16(out, 2, FLAG_QR | FLAG_RA | (read16(data, 2) & (OPCODE | FLAG_RD)) | FORMERR);
    this.give(asker, HEADER_BYTES, 512);
  }

  /** Gives the asker the message in `out`; cut to nothing but the question, if it is longer than he takes. */
  private give(asker: Asker, bytes: number, size: number): void {
    const { out } = this;
    if (asker.reply !== undefined) asker.reply(out.subarray(0, bytes));
    else if (bytes <= size && bytes <= UDP_SEND_BYTES) this.send(asker, out.subarray(0, bytes));
    else if (parseAnswer(out, bytes, this.answer)) this.giveTruncated(asker, out);
  }

  private giveTruncated(asker: Asker, message: Uint8Array): void {
    this.counts.truncated++;
    this.send(asker, this.small.subarray(0, truncate(this.small, message, this.answer)));
  }

  private send(asker: Asker, message: Uint8Array): void {
    this.context.udp.send(asker.address, asker.port, DNS_PORT, message);
  }

  private refuse(asker: Asker, data: Uint8Array, query: Query, code: number): void {
    const bytes = emptyAnswer(this.out, data, query, code);
    this.give(asker, addOpt(this.out, bytes, query, UDP_SEND_BYTES), query.size);
  }

  /** Joins a query that is under way, or sends a new one. */
  private forward(data: Uint8Array, asker: Asker): void {
    const { query, flights, counts } = this;
    const byTcp = isTcp(asker);
    const waiter = { ...asker, id: query.id, size: query.size, question: undefined };
    const joined = query.plain ? flights.find(data, query, byTcp) : undefined;
    if (joined !== undefined) {
      this.join(joined, data, waiter);
      return;
    }
    let flight = flights.take(asker.address);
    if (flight === undefined) {
      const victim = flights.victimFor(asker.address);
      if (victim !== undefined) {
        counts.refused++;
        this.fail(victim);
        flight = flights.take(asker.address);
      }
    }
    if (flight === undefined) {
      counts.refused++;
      this.refuse(asker, data, query, SERVFAIL);
      return;
    }
    counts.forwarded++;
    flight.begin(data, query, asker.address);
    flight.byTcp = byTcp;
    const most = upstreamBytes();
    if (!byTcp && query.optAt !== 0 && query.size > most) write16(flight.query, query.optAt + 3, most);
    flight.waiters.push(waiter);
    this.try(flight);
    this.timer ??= this.context.clock.after(SCAN_TICKS, () => this.scan());
  }

  private join(flight: Flight, data: Uint8Array, waiter: Waiter): void {
    const { waiters } = flight;
    for (const other of waiters) {
      // The client repeats itself: it waits already.
      if (other.address === waiter.address && other.port === waiter.port && other.id === waiter.id) return;
    }
    if (waiters.length >= DNS_WAITERS) {
      this.counts.refused++;
      this.refuse(waiter, data, this.query, SERVFAIL);
      return;
    }
    this.counts.joined++;
    const { asked } = flight;
    for (let i = 0; i < asked.length; i++) {
      if (data[HEADER_BYTES + i] === asked[i]) continue;
      waiter.question = data.slice(HEADER_BYTES, flight.nameEnd);
      break;
    }
    waiters.push(waiter);
  }

  /** Sends it to the next server, as often as there are tries; then it fails. */
  private try(flight: Flight): void {
    const { upstream } = this;
    const now = this.context.clock.now();
    while (flight.tries < DNS_TRY_TICKS.length) {
      const server = upstream.choose(flight.tried, now);
      if (server === undefined) break;
      if (flight.tries > 0) this.counts.repeated++;
      const ticks = DNS_TRY_TICKS[flight.tries++] as number;
      const isNew = server !== flight.server;
      flight.server = server;
      if (isNew || flight.byTcp) this.aim(flight);
      flight.tried.push(server);
      flight.sentAt = now;
      flight.deadline = (now + (flight.byTcp ? TCP_TICKS : ticks)) | 0;
      server.sent++;
      if (flight.byTcp ? this.call(flight) : this.sendQuery(flight)) return;
      // That all our connections are taken says nothing of the server.
      if (!flight.byTcp) upstream.failed(server, now);
    }
    this.fail(flight);
  }

  /** A new identifier, a new port and new case. */
  private aim(flight: Flight): void {
    const { random } = this.context;
    this.hangUp(flight);
    flight.id = random() & 0xffff;
    write16(flight.query, 0, flight.id);
    // Nobody slips an answer into a connection, and what is signed must stay as it is.
    const keeps =
      flight.byTcp || flight.keepsCase || !flight.isPlain || (flight.server?.spoils ?? 0) >= DNS_SPOILS;
    flight.shuffle(!keeps, random);
    if (!flight.byTcp)
      flight.port = this.context.udp.openRandom(ANY_INTERFACE, flight.receive, flight.unreachable);
  }

  private sendQuery(flight: Flight): boolean {
    const { server, port, query } = flight;
    return port !== 0 && this.context.udp.send(server?.address ?? 0, DNS_PORT, port, query);
  }

  /** Opens a connection and sends the query by it. */
  private call(flight: Flight): boolean {
    const { id } = flight;
    const connection = this.context.tcp.connect(flight.server?.address ?? 0, DNS_PORT);
    if (connection === undefined) return false;
    const stream = new MessageStream(DNS_TCP_BYTES, message => {
      const isWaiting = flight.isActive && flight.id === id;
      if (isWaiting) this.check(flight, message, message.length);
      return isWaiting;
    });
    connection.onData = data => {
      if (!stream.take(data)) connection.abort();
    };
    connection.onClose = () => {
      if (flight.hangUp === hangUp) this.refused(flight);
    };
    const hangUp = (): void => connection.abort();
    flight.hangUp = hangUp;
    return connection.write(framed(flight.query));
  }

  /** Gives up port or connection of the try before. */
  private hangUp(flight: Flight): void {
    const { hangUp, port } = flight;
    flight.hangUp = undefined;
    flight.port = 0;
    hangUp?.();
    if (port !== 0) this.context.udp.close(port);
  }

  /** The server cannot be reached, or hung up. */
  private refused(flight: Flight): void {
    if (!flight.isActive || flight.server === undefined) return;
    this.upstream.failed(flight.server, this.context.clock.now());
    this.try(flight);
  }

  private scan(): void {
    const now = this.context.clock.now();
    for (const flight of [...this.flights.active]) {
      if (!flight.isActive || since(now, flight.deadline) < 0) continue;
      if (flight.server !== undefined) {
        flight.server.timeouts++;
        this.upstream.failed(flight.server, now);
      }
      this.try(flight);
    }
    const busy = this.flights.active.length > 0;
    this.timer = busy ? this.context.clock.after(SCAN_TICKS, () => this.scan()) : undefined;
  }

  /** A datagram at the port of a query. Only the right server's right answer counts (RFC 5452, section 9.1). */
  private receive(flight: Flight, { source, sourcePort, data }: Datagram): void {
    if (!flight.isActive) return;
    if (source === flight.server?.address && sourcePort === DNS_PORT && data.length <= this.out.length) {
      const match = flight.isAnswer(data);
      if (match !== 0) {
        if (flight.isShuffled && !this.keptCase(flight, flight.server, match)) return;
        this.out.set(data);
        this.check(flight, this.out, data.length);
        return;
      }
    }
    this.counts.spoofed++;
    flight.spoofs++;
    if (flight.spoofs % DNS_SPOOFS !== 0) return;
    // Somebody is guessing: what he has learnt by it is void with another port and identifier.
    this.context.log(WARNING, 'dns', `${flight.spoofs} wrong answers to ${this.nameOf(flight)}`);
    this.aim(flight);
    this.sendQuery(flight);
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
    this.aim(flight);
    this.sendQuery(flight);
    return false;
  }

  private nameOf({ asked }: Flight): string {
    return nameText(asked, 0, asked.length);
  }

  /** An answer of the server's: is it good enough for those who wait? The message's bytes are ours. */
  private check(flight: Flight, message: Uint8Array, bytes: number): void {
    const { answer, context, upstream } = this;
    const { server } = flight;
    if (server === undefined || (flight.byTcp && flight.isAnswer(message) === 0)) {
      this.refused(flight);
      return;
    }
    upstream.answered(server, since(context.clock.now(), flight.sentAt));
    const code = (message[3] as number) & 15;
    if ((code === SERVFAIL || code === REFUSED) && this.hasOther(flight)) {
      this.try(flight);
      return;
    }
    if (read16(message, 4) === 0) {
      this.deliverEmpty(flight, code); // a server that says no more than what is wrong
      return;
    }
    answer.own = i32at(interfaceAt(INTERFACE_WAN) + IF_ADDRESS);
    if (!parseAnswer(message, bytes, answer)) {
      // Old servers cut in the middle of a record; that the client should come by TCP they say all the same.
      if (!flight.byTcp && (read16(message, 2) & FLAG_TC) !== 0) {
        this.deliverEmpty(flight, code | FLAG_TC);
        return;
      }
      this.counts.malformed++;
      if (this.hasOther(flight)) this.try(flight);
      else this.fail(flight);
      return;
    }
    if (answer.hasPrivate && this.policy.guard && !this.mayBePrivate(flight)) {
      this.counts.rebound++;
      context.log(WARNING, 'dns', `${this.nameOf(flight)} has a private address: refused, see set dns allow`);
      this.deliverEmpty(flight, NXDOMAIN);
      return;
    }
    this.deliver(flight, message, bytes);
  }

  private hasOther(flight: Flight): boolean {
    const { servers } = this.upstream;
    return flight.tries < DNS_TRY_TICKS.length && servers.some(server => !flight.tried.includes(server));
  }

  private mayBePrivate(flight: Flight): boolean {
    return this.policy.allowed.some(({ wire: domain }) =>
      isBelow(flight.query, HEADER_BYTES, flight.nameEnd, domain),
    );
  }

  /** The answer goes to the first who asked as it is, and to the cache and the others without its options. */
  private deliver(flight: Flight, message: Uint8Array, bytes: number): void {
    const { answer } = this;
    const { waiters, asked } = flight;
    this.finish(flight);
    let length = bytes;
    for (const [i, waiter] of waiters.entries()) {
      if (i === 1) length = dropOptions(message, bytes, answer);
      write16(message, 0, waiter.id);
      message.set(waiter.question ?? asked, HEADER_BYTES);
      if (waiter.reply !== undefined) waiter.reply(message.subarray(0, length));
      else if (length <= waiter.size) this.send(waiter, message.subarray(0, length));
      else this.giveTruncated(waiter, message);
    }
    if (!flight.isPlain || answer.seconds === 0) return;
    length = dropOptions(message, length, answer);
    // What was authoritative from the server is not from the cache.
    write16(message, 2, answer.flags & ~FLAG_AA & ~FLAG_TC);
    this.cache.insert(message, length, flight, answer, this.context.clock.now());
  }

  /** All who wait get an answer without records: a code, perhaps with further flags. */
  private deliverEmpty(flight: Flight, code: number): void {
    const { out, failed } = this;
    const { waiters, query, asked } = flight;
    this.finish(flight);
    if (parseQuery(query, failed, this.hashOf) !== QUERY) return;
    const bytes = addOpt(out, emptyAnswer(out, query, failed, code), failed, UDP_SEND_BYTES);
    for (const waiter of waiters) {
      write16(out, 0, waiter.id);
      out.set(waiter.question ?? asked, HEADER_BYTES);
      this.give(waiter, bytes, waiter.size);
    }
  }

  private fail(flight: Flight): void {
    this.counts.failed++;
    this.deliverEmpty(flight, SERVFAIL);
  }

  private finish(flight: Flight): void {
    this.hangUp(flight);
    this.flights.release(flight);
  }
}

/** What asks from inside the router has no port, and takes its answers by UDP. */
function isTcp(asker: Asker): boolean {
  return asker.reply !== undefined && asker.port !== 0;
}
