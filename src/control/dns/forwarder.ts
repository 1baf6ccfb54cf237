// The DNS forwarder: a query is answered from here (local.ts), from the cache, or by a server, in this order.
// RFC 5625 (proxies pass on what they do not know, unchanged), RFC 6891.
//
//   query -> local -> cache -> joined with one under way -> server (sender.ts) -> checked -> cache -> all who asked
//
// All get an answer: SERVFAIL when no server has one. Names in answers keep the case of their question.
// Not here: sockets of clients (dns.ts), connections of theirs (clients.ts), settings (commands.ts).

import { FACT_MEMORY_KIB } from '../../base/abi.ts';
import { BOOT_FACTS_AT } from '../../base/cells.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { KEYED_TEXT_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { outsideLink } from '../core/addresses.ts';
import type { Timer } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import {
  DNS_CACHE_BOARD_KIB,
  DNS_CACHE_BYTES,
  DNS_CACHE_ENTRIES,
  DNS_CACHE_SPARE_BYTES,
  DNS_GIVEN,
  DNS_NEGATIVE_SECONDS,
  DNS_QUERY_BYTES,
  DNS_WAIT_TICKS,
  UDP_SEND_BYTES,
} from '../core/limits.ts';
import { WARNING } from '../core/log.ts';
import { ROUTER_ITSELF } from '../core/net/client.ts';
import { Cache } from './cache.ts';
import type { Counts } from './counts.ts';
import { type Asker, Flight } from './flight.ts';
import { Flights } from './flights.ts';
import type { Local } from './local.ts';
import {
  Answer,
  addOpt,
  dropOptions,
  emptyAnswer,
  FLAG_AA,
  FLAG_QR,
  FLAG_RA,
  FLAG_RD,
  FLAG_TC,
  FORMERR,
  HEADER_BYTES,
  isTransfer,
  KEY_EDNS,
  MALFORMED,
  type NameHash,
  NO_QUERY,
  NOTIMP,
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
  write32,
} from './message.ts';
import { type Names, textOf } from './names.ts';
import { DNS_PORT } from './pipe.ts';
import { Queue, type Queued } from './queue.ts';
import { Sender } from './sender.ts';
import { type Upstream, upstreamBytes } from './upstream.ts';
import { Waiters } from './waiters.ts';

/** How often those who wait for a place are looked at, and how many of them have their turn at once. */
const SWEEP_TICKS = 20;
const SERVED = 8;

/** Which names may have private addresses. */
export interface Policy {
  /** Protection against rebinding is on. */
  guard: boolean;
  /** Domains that are free of it. */
  readonly allowed: Names<string>;
  /** Domains that have servers of their own, which may tell them. */
  readonly forwards: Names<{ name: string; upstream: Upstream }>;
}

/** The cache, half as large on a small board. */
function createCache({ machine }: Context): Cache {
  const kib = i32at(BOOT_FACTS_AT + 4 * FACT_MEMORY_KIB);
  const half = kib > 0 && kib < DNS_CACHE_BOARD_KIB ? 1 : 0;
  return new Cache(DNS_CACHE_BYTES >> half, DNS_CACHE_ENTRIES >> half, bytes => {
    if (machine.heapFree() < bytes + DNS_CACHE_SPARE_BYTES) return false;
    try {
      return new ArrayBuffer(bytes).byteLength === bytes;
    } catch {
      return false; // what is free lies in pieces
    }
  });
}

export class Forwarder {
  readonly cache: Cache;
  /** The last address that we had outside when the cache was asked. */
  private ownAtCache = 0;
  readonly counts: Counts = {
    ...{ queries: 0, tcp: 0, local: 0, cached: 0, joined: 0, waited: 0, forwarded: 0, repeated: 0 },
    ...{ malformed: 0, failed: 0, refused: 0, spoofed: 0, rebound: 0, truncated: 0 },
  };
  private readonly query = new Query();
  /** Of one under way whose answer is made here: the other may be one that has just come. */
  private readonly failed = new Query();
  private readonly answer = new Answer();
  private readonly out = new Uint8Array(UDP_SEND_BYTES);
  private readonly small = new Uint8Array(512);
  private readonly waiters = new Waiters();
  private readonly queue = new Queue();
  private sweeping: Timer | undefined;
  private isServeDue = false;
  private readonly flights: Flights;
  private readonly sender: Sender;
  /** The address of the server whose answer is being given; 0 if none has answered. */
  answerer = 0;
  /** Told when there may be room for a query of a client that had to wait. */
  onRoom: () => void = () => {};

  constructor(
    private readonly context: Context,
    private readonly local: Local,
    private readonly upstream: Upstream,
    private readonly policy: Policy,
    dials: (host: number, name: string) => boolean = () => false,
  ) {
    this.cache = createCache(context);
    this.flights = new Flights(
      this.waiters,
      number =>
        new Flight(
          number,
          (flight, datagram) => this.sender.receive(flight, datagram),
          (flight, quoted) => this.sender.unreachable(flight, quoted),
        ),
    );
    this.sender = new Sender(context, this.flights, this.counts, {
      answered: (flight, message, bytes, isWhole) => this.check(flight, message, bytes, isWhole),
      failed: flight => this.fail(flight),
      dials: flight =>
        flight.client !== ROUTER_ITSELF &&
        flight.firstWaiter >= 0 &&
        dials(this.waiters.address(flight.firstWaiter), this.nameOf(flight)),
    });
  }

  /** By the plane: names of one hash would make each search compare them all, and so do it in a tenth of the time. */
  private readonly hashOf: NameHash = (data, from, end) => {
    const { memory, plane } = this.context.machine;
    memory.set(data.subarray(from, end), KEYED_TEXT_AT);
    return plane.keyedHash(KEYED_TEXT_AT, end - from, 1);
  };

  get underWay(): number {
    return this.flights.active.length;
  }

  /** Whether a client who can wait should: a query more would cost it one of its own. */
  isAtShare(client: number): boolean {
    return this.flights.isAtShare(client);
  }

  /** A query has come. The asker is answered once, now or later, unless it was no query. */
  ask(data: Uint8Array, asker: Asker): void {
    const { query, out, counts } = this;
    counts.queries++;
    if (isTcp(asker)) counts.tcp++;
    const what = data.length > DNS_QUERY_BYTES ? NO_QUERY : parseQuery(data, query, this.hashOf);
    if (what !== QUERY) {
      counts.malformed++;
      if (what !== NO_QUERY) this.complain(data, asker, what === MALFORMED ? FORMERR : NOTIMP);
      return;
    }
    if (isTransfer(query.type)) {
      this.refuse(asker, data, query, REFUSED);
      return;
    }
    const text = textOf(data, HEADER_BYTES, query.nameEnd);
    const forward = this.policy.forwards.above(text);
    let bytes = this.local.answer(data, query, text, out, asker.index, forward !== undefined);
    if (bytes > 0) {
      counts.local++;
      this.give(asker, addOpt(out, bytes, query, UDP_SEND_BYTES), query.size);
      return;
    }
    if (query.plain) {
      // The guard refuses this address as ours from now on: what came before may have it.
      const own = i32at(interfaceAt(outsideLink()) + IF_ADDRESS);
      if (own !== 0 && own !== this.ownAtCache) this.cache.clear();
      this.ownAtCache = own || this.ownAtCache;
      bytes = this.cache.find(data, query, this.context.clock.now(), out);
      if (bytes > 0) {
        counts.cached++;
        out[0] = data[0] as number;
        out[1] = data[1] as number;
        out.set(data.subarray(HEADER_BYTES, query.nameEnd), HEADER_BYTES);
        this.give(asker, bytes, query.size);
        return;
      }
    }
    this.forward(data, asker, forward?.upstream);
  }

  /** One that has waited for a place has its turn: who asked the same meanwhile may have brought the answer. */
  private askAgain({ data, asker }: Queued): void {
    const { counts } = this;
    counts.queries--; // it was counted when it came
    if (isTcp(asker)) counts.tcp--;
    this.ask(data, asker);
  }

  /** What cannot be read, or is not for us, is answered by its header alone. */
  private complain(data: Uint8Array, asker: Asker, code: number): void {
    const { out } = this;
    out.fill(0, 0, HEADER_BYTES);
    out.set(data.subarray(0, 2));
    write16(out, 2, FLAG_QR | FLAG_RA | (read16(data, 2) & (OPCODE | FLAG_RD)) | code);
    this.give(asker, HEADER_BYTES, 512);
  }

  /** Gives the asker the message in `out`; cut to nothing but the question, if it is longer than he takes. */
  private give(asker: Asker, bytes: number, size: number): void {
    const { out } = this;
    if (asker.reply !== undefined) asker.reply(out.subarray(0, bytes));
    else if (bytes <= size && bytes <= UDP_SEND_BYTES)
      this.send(asker.address, asker.port, out.subarray(0, bytes));
    else if (parseAnswer(out, bytes, this.answer)) this.giveTruncated(asker.address, asker.port, out);
  }

  /** @param message the one that `answer` was read from */
  private giveTruncated(address: number, port: number, message: Uint8Array): void {
    this.counts.truncated++;
    this.send(address, port, this.small.subarray(0, truncate(this.small, message, this.answer)));
  }

  private send(address: number, port: number, message: Uint8Array): void {
    this.context.udp.send(address, port, DNS_PORT, message);
  }

  private refuse(asker: Asker, data: Uint8Array, query: Query, code: number): void {
    const bytes = emptyAnswer(this.out, data, query, code);
    this.give(asker, addOpt(this.out, bytes, query, UDP_SEND_BYTES), query.size);
  }

  /** Joins a query that is under way, or sends a new one. */
  private forward(data: Uint8Array, asker: Asker, upstream: Upstream | undefined): void {
    const { query, flights, counts, queue } = this;
    if (queue.count > 0 && queue.has(asker, query.id)) return;
    const byTcp = isTcp(asker);
    const joined = query.plain ? flights.find(data, query, byTcp) : undefined;
    if (joined !== undefined) {
      // The client repeats itself: it waits already.
      if (this.waiters.has(joined, asker, query.id)) return;
      counts.joined++;
      this.wait(joined, data, asker, query);
      return;
    }
    const victim = flights.victimFor(asker.client);
    if (victim !== undefined) {
      counts.refused++;
      this.fail(victim);
    } else if (!flights.hasRoom(asker.client)) {
      this.enqueue(data, asker);
      return;
    }
    counts.forwarded++;
    const flight = flights.take(asker.client);
    flight.begin(data, query, asker.client);
    flight.byTcp = byTcp;
    flight.upstream = upstream ?? this.upstream;
    flight.isForwarded = upstream !== undefined;
    const most = upstreamBytes();
    if (query.optAt !== 0 && query.size > most) write16(flight.query, query.optAt + 3, most);
    this.wait(flight, data, asker, query);
    this.sender.try(flight);
  }

  /** Lets a query wait for a place among those under way; if there are too many, one of the greediest goes. */
  private enqueue(data: Uint8Array, asker: Asker): void {
    const { queue, context, counts } = this;
    while (!queue.hasRoom(data.length)) {
      counts.refused++;
      const victim = queue.takeVictim(asker.client);
      if (victim === undefined) return;
      this.failQueued(victim);
    }
    counts.waited++;
    queue.add(data, asker, context.clock.now());
    this.sweeping ??= context.clock.after(SWEEP_TICKS, () => this.sweep());
  }

  private failQueued({ data, asker }: Queued): void {
    parseQuery(data, this.failed, this.hashOf);
    this.refuse(asker, data, this.failed, SERVFAIL);
  }

  /** What has waited too long is told so, before its host gives up. */
  private sweep(): void {
    const { queue, context, counts } = this;
    for (;;) {
      const late = queue.takeLate(context.clock.now(), DNS_WAIT_TICKS);
      if (late === undefined) break;
      counts.failed++;
      this.failQueued(late);
    }
    // Meanwhile the servers of others may have been found silent.
    for (let i = 0; i < SERVED; i++) {
      const next = queue.next();
      if (next === undefined || this.flights.victimFor(next.asker.client) === undefined) break;
      queue.take();
      this.askAgain(next);
    }
    this.sweeping = queue.count > 0 ? context.clock.after(SWEEP_TICKS, () => this.sweep()) : undefined;
  }

  /** Places have become free: those who wait for one have their turns. */
  private serve(): void {
    const { queue, flights } = this;
    this.isServeDue = false;
    for (let i = 0; i < SERVED && !flights.isFull; i++) {
      const next = queue.take();
      if (next === undefined) return;
      this.askAgain(next);
    }
    if (queue.count > 0 && !flights.isFull) this.serveLater();
  }

  /** Not in the midst of an answer. */
  private serveLater(): void {
    if (this.isServeDue) return;
    this.isServeDue = true;
    this.context.clock.after(0, () => this.serve());
  }

  /** Lets one more wait for a query under way; if there are too many, one of the greediest goes. */
  private wait(flight: Flight, data: Uint8Array, asker: Asker, { id, size }: Query): void {
    const { waiters, flights } = this;
    if (waiters.isFull) {
      this.counts.refused++;
      const victim = waiters.victimFor(asker.client);
      if (victim < 0) {
        this.refuse(asker, data, this.query, SERVFAIL);
        return;
      }
      this.dismiss(flights.at(waiters.flight(victim)), victim);
    }
    waiters.add(flight, data, asker, id, size);
  }

  /** One who waits gets SERVFAIL. The query goes on: its answer is for the cache, if nobody else waits. */
  private dismiss(flight: Flight, waiter: number): void {
    const { out, failed, waiters } = this;
    parseQuery(flight.query, failed, this.hashOf);
    const bytes = addOpt(out, emptyAnswer(out, flight.query, failed, SERVFAIL), failed, UDP_SEND_BYTES);
    this.giveTo(waiter, flight.asked, out, bytes);
    waiters.remove(flight, waiter);
  }

  private nameOf({ asked }: Flight): string {
    return nameText(asked, 0, asked.length);
  }

  /** An answer of the server's: is it good enough for those who wait? The message's bytes are ours. */
  private check(flight: Flight, message: Uint8Array, bytes: number, isWhole: boolean): void {
    const { answer, context, sender } = this;
    if (!isWhole) {
      this.counts.malformed++;
      this.fail(flight);
      return;
    }
    const code = (message[3] as number) & 15;
    if ((code === SERVFAIL || code === REFUSED) && sender.hasOther(flight)) {
      sender.try(flight);
      return;
    }
    // Who came by TCP did so because he wants it whole.
    if (flight.byTcp && (read16(message, 2) & FLAG_TC) !== 0) {
      if (!sender.byTcp(flight)) this.fail(flight);
      return;
    }
    if (read16(message, 4) === 0) {
      this.deliverEmpty(flight, code); // a server that says no more than what is wrong
      return;
    }
    answer.own = i32at(interfaceAt(outsideLink()) + IF_ADDRESS);
    if (!parseAnswer(message, bytes, answer)) {
      // Old servers cut in the middle of a record; that the client should come by TCP they say all the same.
      if (!flight.byTcp && (read16(message, 2) & FLAG_TC) !== 0) {
        this.deliverEmpty(flight, code | FLAG_TC);
        return;
      }
      this.counts.malformed++;
      if (sender.hasOther(flight)) sender.try(flight);
      else this.fail(flight);
      return;
    }
    if (answer.hasPrivate && this.policy.guard && !this.mayBePrivate(flight)) {
      this.counts.rebound++;
      context.log(WARNING, 'dns', `${this.nameOf(flight)} has a private address: refused, see set dns allow`);
      // It is kept as if there were nothing: who asks again need not ask outside.
      message.set(flight.asked, HEADER_BYTES);
      write16(message, 2, (answer.flags & ~(FLAG_AA | 15)) | NXDOMAIN);
      write32(message, 6, 0);
      write16(message, 10, 0);
      answer.ttls = 0;
      answer.seconds = DNS_NEGATIVE_SECONDS;
      if (flight.isPlain && (flight.key & KEY_EDNS) === 0)
        this.cache.insert(message, answer.questionEnd, flight, answer, context.clock.now());
      this.deliverEmpty(flight, NXDOMAIN);
      return;
    }
    this.deliver(flight, message, bytes);
  }

  private mayBePrivate(flight: Flight): boolean {
    if (flight.isForwarded) return true;
    const text = textOf(flight.query, HEADER_BYTES, flight.nameEnd);
    return this.policy.allowed.above(text) !== undefined;
  }

  /** The answer goes to the first who asked as it is, and to the cache and the others without its options. */
  private deliver(flight: Flight, message: Uint8Array, bytes: number): void {
    const { answer, waiters } = this;
    const first = waiters.takeAll(flight);
    this.answerer = flight.server?.address ?? 0;
    this.endFlight(flight);
    const { asked } = flight;
    if (first >= 0) this.giveTo(first, asked, message, bytes);
    const length = dropOptions(message, bytes, answer);
    this.giveAll(first < 0 ? -1 : waiters.release(first), asked, message, length);
    if (!flight.isPlain || answer.seconds === 0) return;
    // What was authoritative from the server is not from the cache.
    write16(message, 2, answer.flags & ~FLAG_AA & ~FLAG_TC);
    this.cache.insert(message, length, flight, answer, this.context.clock.now());
  }

  /** From one on all who wait get a message, DNS_GIVEN at a time: the cards' buffers are few, and others have their turn. */
  private giveAll(first: number, asked: Uint8Array, message: Uint8Array, bytes: number): void {
    let waiter = first;
    for (let i = 0; i < DNS_GIVEN && waiter >= 0; i++) {
      this.giveTo(waiter, asked, message, bytes);
      waiter = this.waiters.release(waiter);
    }
    if (waiter < 0) return;
    const rest = message.slice(0, bytes);
    this.context.clock.after(1, () => {
      // What the answer's offsets are of has changed meanwhile.
      if (parseAnswer(rest, bytes, this.answer)) this.giveAll(waiter, asked, rest, bytes);
      else while (waiter >= 0) waiter = this.waiters.release(waiter);
    });
  }

  /** One who waits gets a message under his identifier and with his spelling; `answer` is of the same message, if it is long. */
  private giveTo(waiter: number, asked: Uint8Array, message: Uint8Array, bytes: number): void {
    const { waiters } = this;
    write16(message, 0, waiters.id(waiter));
    waiters.spell(waiter, asked, message);
    const reply = waiters.reply(waiter);
    if (reply !== undefined) reply(message.subarray(0, bytes));
    else if (bytes <= waiters.size(waiter) && bytes <= UDP_SEND_BYTES)
      this.send(waiters.address(waiter), waiters.port(waiter), message.subarray(0, bytes));
    else this.giveTruncated(waiters.address(waiter), waiters.port(waiter), message);
  }

  /** All who wait get an answer without records: a code, perhaps with further flags. */
  private deliverEmpty(flight: Flight, code: number, answerer = flight.server?.address ?? 0): void {
    const { out, failed, waiters } = this;
    this.answerer = answerer;
    const first = waiters.takeAll(flight);
    this.endFlight(flight);
    parseQuery(flight.query, failed, this.hashOf); // it was a query when it came
    const bytes = addOpt(out, emptyAnswer(out, flight.query, failed, code), failed, UDP_SEND_BYTES);
    this.giveAll(first, flight.asked, out, bytes);
  }

  private fail(flight: Flight): void {
    this.counts.failed++;
    this.deliverEmpty(flight, SERVFAIL, 0);
  }

  private endFlight(flight: Flight): void {
    this.sender.hangUp(flight);
    this.flights.release(flight);
    if (this.queue.count > 0) this.serveLater();
    this.onRoom();
  }
}

/** What asks from inside the router has no port, and takes its answers by UDP. */
function isTcp(asker: Asker): boolean {
  return asker.reply !== undefined && asker.port !== 0;
}
