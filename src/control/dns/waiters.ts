// Who waits for the answers of queries under way: one table for all of them, a few words each, which grows as far as it
// was ever needed. Those of a query hang together in the order in which they came.
//
//    waiter | address | port, identifier | its longest answer, flags | next | query | age | client, two words |
//    cases  | a bit for each letter that is spelt otherwise than in the query that was sent          |
//
// When DNS_WAITERS wait, one of the client that has most goes: the newcomer's own oldest if nobody has more, else the
// oldest of those who have most. Not here: what they are told (forwarder.ts).

import { DNS_WAITERS } from '../core/limits.ts';
import { sourceOf } from '../core/net/client.ts';
import { Shares } from '../core/net/shares.ts';
import type { Asker, Flight } from './flight.ts';
import { HEADER_BYTES, NAME_BYTES } from './message.ts';

const ADDRESS = 0;
const PORT_AND_ID = 1;
const SIZE_AND_FLAGS = 2;
const NEXT = 3;
const FLIGHT = 4;
const AGE = 5;
const CLIENT = 6;
const FIELDS = 8;
/** A client (../core/net/client.ts) is a number of two words. */
const WORDS = 2 ** 32;
/** With the size: its question is spelt otherwise. */
const HAS_CASE = 0x10000;
const CASE_BYTES = (NAME_BYTES + 1) >> 3;
/** Places that are added at a time, doubled each time. */
const FIRST_PLACES = 8;

type Reply = Asker['reply'];

export class Waiters {
  private words = new Int32Array(0);
  private cases = new Uint8Array(0);
  private readonly replies: Reply[] = [];
  /** The first place that is free again, and the first that was never used. */
  private free = -1;
  private unused = 0;
  private age = 0;
  private readonly shares = new Shares();
  count = 0;

  get isFull(): boolean {
    return this.count === DNS_WAITERS;
  }

  /** The next who waits for the same, or -1. */
  next(waiter: number): number {
    return this.words[waiter * FIELDS + NEXT] as number;
  }

  address(waiter: number): number {
    return this.words[waiter * FIELDS + ADDRESS] as number;
  }

  port(waiter: number): number {
    return (this.words[waiter * FIELDS + PORT_AND_ID] as number) >>> 16;
  }

  id(waiter: number): number {
    return (this.words[waiter * FIELDS + PORT_AND_ID] as number) & 0xffff;
  }

  /** Bytes of the longest answer that it takes. */
  size(waiter: number): number {
    return (this.words[waiter * FIELDS + SIZE_AND_FLAGS] as number) & 0xffff;
  }

  /** In whose share it is. */
  client(waiter: number): number {
    const at = waiter * FIELDS + CLIENT;
    const high = this.words[at + 1] as number;
    return high <= 0 ? (this.words[at] as number) : high * WORDS + ((this.words[at] as number) >>> 0);
  }

  reply(waiter: number): Reply {
    return this.replies[waiter];
  }

  /** The number of the query that it waits for. */
  flight(waiter: number): number {
    return this.words[waiter * FIELDS + FLIGHT] as number;
  }

  /** Lets one more wait, who asked by this query; there is room. */
  add(flight: Flight, data: Uint8Array, asker: Asker, id: number, size: number): void {
    let waiter = this.free;
    if (waiter >= 0) this.free = this.next(waiter);
    else waiter = this.unused++;
    if (waiter * FIELDS === this.words.length) this.grow();
    const { words } = this;
    const at = waiter * FIELDS;
    words[at + ADDRESS] = asker.address;
    words[at + PORT_AND_ID] = (asker.port << 16) | id;
    // Who began the query spelt it as it is sent.
    const isFirst = flight.tries === 0 && flight.firstWaiter < 0;
    const isSpelt = !isFirst && this.noteCase(waiter, flight, data);
    words[at + SIZE_AND_FLAGS] = size | (isSpelt ? HAS_CASE : 0);
    words[at + NEXT] = -1;
    words[at + FLIGHT] = flight.number;
    words[at + AGE] = this.age++;
    words[at + CLIENT] = asker.client;
    words[at + CLIENT + 1] = asker.client < WORDS ? 0 : Math.floor(asker.client / WORDS);
    this.replies[waiter] = asker.reply;
    if (flight.lastWaiter >= 0) words[flight.lastWaiter * FIELDS + NEXT] = waiter;
    else flight.firstWaiter = waiter;
    flight.lastWaiter = waiter;
    this.count++;
    this.shares.count(asker.client, 1);
  }

  /** Whether the client waits already by this port and identifier: it repeats itself. */
  has(flight: Flight, asker: Asker, id: number): boolean {
    const { words } = this;
    const wanted = (asker.port << 16) | id;
    // By the engine's own search: a look at each of 320 would take a tenth of what a second has.
    for (let at = words.indexOf(wanted); at >= 0; at = words.indexOf(wanted, at + 1)) {
      if (at % FIELDS !== PORT_AND_ID) continue;
      const waiter = (at - PORT_AND_ID) / FIELDS;
      if (this.flight(waiter) !== flight.number || this.address(waiter) !== asker.address) continue;
      if (this.reply(waiter) === asker.reply) return true;
    }
    return false;
  }

  /** A client that waits for the query beside this one, of another source if there is one; or undefined. */
  other(flight: Flight, client: number): number | undefined {
    let found: number | undefined;
    for (let waiter = flight.firstWaiter; waiter >= 0; waiter = this.next(waiter)) {
      const other = this.client(waiter);
      if (other === client) continue;
      if (sourceOf(other) !== sourceOf(client)) return other;
      found ??= other;
    }
    return found;
  }

  /** Writes the waiter's own spelling of the name into a message. */
  spell(waiter: number, asked: Uint8Array, message: Uint8Array): void {
    message.set(asked, HEADER_BYTES);
    if (((this.words[waiter * FIELDS + SIZE_AND_FLAGS] as number) & HAS_CASE) === 0) return;
    const bits = waiter * CASE_BYTES;
    for (let i = 0; i < asked.length; i++) {
      const isOther = ((this.cases[bits + (i >> 3)] as number) >> (i & 7)) & 1;
      if (isOther !== 0) message[HEADER_BYTES + i] = (asked[i] as number) ^ 32;
    }
  }

  /** The one that goes for a new one of a client, when all places are taken; -1 if all are about to be told. */
  victimFor(client: number): number {
    const isGreediest = this.shares.greediest(client);
    let victim = -1;
    for (let waiter = 0; waiter < this.unused; waiter++) {
      if (this.flight(waiter) < 0 || (victim >= 0 && !this.isOlder(waiter, victim))) continue;
      if (isGreediest(this.client(waiter))) victim = waiter;
    }
    return victim;
  }

  private isOlder(a: number, b: number): boolean {
    const { words } = this;
    return (((words[a * FIELDS + AGE] as number) - (words[b * FIELDS + AGE] as number)) | 0) < 0;
  }

  /** Takes all off a query; answers the first. Each is then given back by release(), and until then goes for nobody. */
  takeAll(flight: Flight): number {
    const first = flight.firstWaiter;
    for (let waiter = first; waiter >= 0; waiter = this.next(waiter))
      this.words[waiter * FIELDS + FLIGHT] = -1;
    flight.firstWaiter = -1;
    flight.lastWaiter = -1;
    return first;
  }

  /** Takes one off a query and gives it back. */
  remove(flight: Flight, waiter: number): void {
    let before = -1;
    for (let at = flight.firstWaiter; at >= 0 && at !== waiter; at = this.next(at)) before = at;
    const next = this.next(waiter);
    if (before < 0) flight.firstWaiter = next;
    else this.words[before * FIELDS + NEXT] = next;
    if (flight.lastWaiter === waiter) flight.lastWaiter = before;
    this.release(waiter);
  }

  /** Gives back the place of one that hangs on no query any more; answers the next of its row. */
  release(waiter: number): number {
    const next = this.next(waiter);
    this.shares.count(this.client(waiter), -1);
    this.words[waiter * FIELDS + FLIGHT] = -1;
    this.words[waiter * FIELDS + NEXT] = this.free;
    this.replies[waiter] = undefined;
    this.free = waiter;
    this.count--;
    return next;
  }

  /** Notes which letters of its question are spelt otherwise; answers whether any is. */
  private noteCase(waiter: number, { asked }: Flight, data: Uint8Array): boolean {
    const bits = waiter * CASE_BYTES;
    let isOther = false;
    for (let i = 0; i < asked.length; i++) {
      if (data[HEADER_BYTES + i] === asked[i]) continue;
      if (!isOther) this.cases.fill(0, bits, bits + CASE_BYTES);
      isOther = true;
      const at = bits + (i >> 3);
      this.cases[at] = (this.cases[at] as number) | (1 << (i & 7));
    }
    return isOther;
  }

  private grow(): void {
    const places = Math.min(DNS_WAITERS, Math.max(FIRST_PLACES, 2 * (this.words.length / FIELDS)));
    const words = new Int32Array(places * FIELDS);
    words.set(this.words);
    this.words = words;
    const cases = new Uint8Array(places * CASE_BYTES);
    cases.set(this.cases);
    this.cases = cases;
  }
}
