// The DNS cache: answers in wire form in one array, and an index. Both begin with nothing and are doubled as answers come, up to a
// size that is fixed: a board whose hosts ask little has the rest of it for other things. Where the heap has no room, the cache
// does with what it has, and tries again later.
//
// Two rings, after S3-FIFO (Yang et al., 2023): an answer enters the small one; asked for again before its
// turn to leave, it moves into the large one, where each use earns it another round. So a flood of names that
// nobody asks for twice turns over the small ring only, and what the LAN uses stays.
//
//    arena   | probation, a quarter       | main                          | not there yet  |
//    entry   | answer | offset of each TTL in it, 16 bits each |      entries do not wrap
//
// Time is given in ticks. Not here: what may be kept and for how long (message.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { since } from '../core/clock.ts';
import {
  DNS_CACHE_BYTES,
  DNS_CACHE_ENTRIES,
  DNS_CACHE_REFUSED_TICKS,
  UDP_SEND_BYTES,
} from '../core/limits.ts';
import { type Answer, HEADER_BYTES, read16, read32, sameQuestion, write32 } from './message.ts';

/** Entries of one bucket that are looked at: bounds the work if somebody finds names of one bucket. */
const CHAIN_MOST = 16;
/** Entries that one insertion gives another round. */
const ROUNDS_MOST = 8;
/** The longest answer kept, with the offsets of its TTLs: it must fit what find() writes into. */
const ENTRY_BYTES = UDP_SEND_BYTES;
/** Uses that are counted. */
const HITS_MOST = 3;
/** What the arena begins with, which has room for any entry; and how many entries the index does. */
const ARENA_FIRST_BYTES = ENTRY_BYTES;
const ENTRIES_FIRST = 32;

// Fields of an entry, a word each.
const HASH = 0;
const KEY = 1;
const OFFSET = 2;
/** Bytes of the answer; the TTLs' offsets follow. */
const LENGTH = 3;
const TTLS = 4;
const STORED = 5;
const TICKS = 6;
const HITS = 7;
/** The next of its bucket, and the next of its ring, or -1. */
const CHAIN = 8;
const NEXT = 9;
const FIELDS = 10;

/** What an answer is kept and found by; its question's bytes are in the message. */
export interface Key {
  readonly hash: number;
  readonly key: number;
  readonly questionEnd: number;
}

interface Ring {
  readonly from: number;
  /** Where it ends as yet. */
  end: number;
  /** Where the next entry goes. */
  at: number;
  first: number;
  last: number;
}

export class Cache {
  private arena = new Uint8Array(0);
  private words = new Int32Array(0);
  private heads = new Int16Array(0);
  private readonly probation: Ring = { from: 0, end: 0, at: 0, first: -1, last: -1 };
  private readonly main: Ring;
  /** The first of those that were used and are not. */
  private free = -1;
  /** From here on none was ever used: to list them all would cost a start 10 ms. */
  private unused = 0;
  private rounds = 0;
  private now = 0;
  /** When there was no room to grow. */
  private refusedAt: number | undefined;
  /** Entries in use. */
  count = 0;

  /**
   * @param capacity of the arena, bytes: a power of two, of at least four times ENTRY_BYTES.
   * @param entries that it has at most, a power of two.
   * @param hasRoom whether the heap has so many bytes for it
   */
  constructor(
    readonly capacity: number = DNS_CACHE_BYTES,
    readonly entries: number = DNS_CACHE_ENTRIES,
    private readonly hasRoom: (bytes: number) => boolean = () => true,
  ) {
    const from = capacity >> 2;
    this.main = { from, end: from, at: from, first: -1, last: -1 };
  }

  /** Forgets all, and gives back what that took. */
  clear(): void {
    this.arena = new Uint8Array(0);
    this.words = new Int32Array(0);
    this.heads = new Int16Array(0);
    this.free = -1;
    this.unused = 0;
    this.count = 0;
    this.refusedAt = undefined;
    for (const ring of [this.probation, this.main]) {
      ring.at = ring.from;
      ring.end = ring.from;
      ring.first = -1;
      ring.last = -1;
    }
  }

  /** Bytes that answers take. */
  get bytes(): number {
    let sum = 0;
    for (const ring of [this.probation, this.main]) {
      for (let entry = ring.first; entry >= 0; entry = this.get(entry, NEXT)) sum += this.size(entry);
    }
    return sum;
  }

  /** Copies the answer to a query into `out`, of ENTRY_BYTES, its TTLs counted down. Its length, or 0 if there is none. */
  find(data: Uint8Array, query: Key, now: number, out: Uint8Array): number {
    const { words } = this;
    const entry = this.lookUp(data, query);
    if (entry < 0) return 0;
    const at = entry * FIELDS;
    const age = since(now, words[at + STORED] as number);
    // Less than nothing: it has lain there for half a year, and the clock's difference has wrapped.
    if (age < 0 || age >= (words[at + TICKS] as number)) return 0;
    if ((words[at + HITS] as number) < HITS_MOST) words[at + HITS] = (words[at + HITS] as number) + 1;
    const { arena } = this;
    const offset = words[at + OFFSET] as number;
    const length = words[at + LENGTH] as number;
    const end = offset + length;
    out.set(arena.subarray(offset, end));
    const seconds = (age / TICKS_PER_SECOND) | 0;
    if (seconds > 0) {
      const ttls = end + 2 * (words[at + TTLS] as number);
      for (let i = end; i < ttls; i += 2) {
        const ttlAt = read16(arena, i);
        write32(out, ttlAt, Math.max(0, read32(out, ttlAt) - seconds));
      }
    }
    return length;
  }

  /** Keeps an answer to a query, unless it is longer than ENTRY_BYTES. */
  insert(data: Uint8Array, bytes: number, query: Key, answer: Answer, now: number): void {
    const size = bytes + 2 * answer.ttls;
    if (answer.seconds <= 0 || size > ENTRY_BYTES) return;
    this.rounds = ROUNDS_MOST;
    this.now = now;
    const old = this.lookUp(data, query);
    let ring = this.probation;
    if (old >= 0) {
      // Renewed: whoever was worth keeping is so still. The old bytes leave when their turn comes.
      if ((this.get(old, OFFSET) as number) >= this.main.from || this.get(old, HITS) > 0) ring = this.main;
      this.unchain(old);
      this.set(old, HITS, 0);
      this.set(old, TICKS, 0);
    }
    // The entry first: taking one may move others into main, where the room is.
    const entry = this.take();
    if (entry < 0) return;
    let offset = this.makeRoom(ring, size);
    if (offset < 0 && ring === this.main) {
      ring = this.probation;
      offset = this.makeRoom(ring, size);
    }
    if (offset < 0) {
      this.putBack(entry);
      return;
    }
    const { arena } = this;
    arena.set(data.length === bytes ? data : data.subarray(0, bytes), offset);
    let at = offset + bytes;
    for (let i = 0; i < answer.ttls; i++) {
      const ttlAt = answer.ttlAt[i] as number;
      arena[at++] = ttlAt >> 8;
      arena[at++] = ttlAt;
    }
    this.set(entry, HASH, query.hash);
    this.set(entry, KEY, query.key);
    this.set(entry, LENGTH, bytes);
    this.set(entry, TTLS, answer.ttls);
    this.set(entry, STORED, now);
    this.set(entry, TICKS, answer.seconds * TICKS_PER_SECOND);
    this.set(entry, HITS, 0);
    this.append(ring, entry, offset);
    const bucket = query.hash & (this.entries - 1);
    this.set(entry, CHAIN, this.heads[bucket] as number);
    this.heads[bucket] = entry;
  }

  private get(entry: number, field: number): number {
    return this.words[entry * FIELDS + field] as number;
  }

  private set(entry: number, field: number, value: number): void {
    this.words[entry * FIELDS + field] = value;
  }

  private size(entry: number): number {
    return this.get(entry, LENGTH) + 2 * this.get(entry, TTLS);
  }

  /** The entry that answers the query, expired or not, or -1. */
  private lookUp(data: Uint8Array, query: Key): number {
    const { words, arena } = this;
    if (this.count === 0) return -1;
    const { hash, key } = query;
    const bytes = query.questionEnd - HEADER_BYTES;
    let entry = this.heads[hash & (this.entries - 1)] as number;
    for (let i = 0; i < CHAIN_MOST && entry >= 0; i++) {
      const at = entry * FIELDS;
      if (words[at + HASH] === hash && words[at + KEY] === key) {
        if (sameQuestion(arena, (words[at + OFFSET] as number) + HEADER_BYTES, data, bytes)) return entry;
      }
      entry = words[at + CHAIN] as number;
    }
    return -1;
  }

  /** A free entry, or -1; the oldest on probation makes room, or else the oldest of all. */
  private take(): number {
    while (this.free < 0 && this.unused * FIELDS === this.words.length && !this.growIndex()) {
      const ring = this.probation.first >= 0 ? this.probation : this.main;
      if (ring.first < 0) return -1;
      if (ring === this.main) this.rounds = 0; // only makeRoom() knows a place to move it to
      this.evict(ring);
    }
    this.count++;
    const entry = this.free;
    if (entry < 0) return this.unused++;
    this.free = this.get(entry, NEXT);
    return entry;
  }

  private putBack(entry: number): void {
    this.set(entry, NEXT, this.free);
    this.free = entry;
    this.count--;
  }

  /** Whether it may have so many bytes now. Who is refused asks again after a while, as asking walks the heap. */
  private mayGrow(bytes: number): boolean {
    if (this.refusedAt !== undefined && since(this.now, this.refusedAt) < DNS_CACHE_REFUSED_TICKS)
      return false;
    this.refusedAt = this.hasRoom(bytes) ? undefined : this.now;
    return this.refusedAt === undefined;
  }

  private growIndex(): boolean {
    const { words, entries } = this;
    const bytes = Math.max(4 * FIELDS * ENTRIES_FIRST, 2 * words.byteLength);
    if (words.length === entries * FIELDS || !this.mayGrow(bytes)) return false;
    this.words = new Int32Array(bytes >> 2);
    this.words.set(words);
    if (words.length === 0) this.heads = new Int16Array(entries).fill(-1);
    return true;
  }

  /** Doubles the arena, and so one of the rings. */
  private growArena(): boolean {
    const { arena, capacity, probation, main } = this;
    const bytes = Math.max(ARENA_FIRST_BYTES, 2 * arena.length);
    if (arena.length === capacity || !this.mayGrow(bytes)) return false;
    this.arena = new Uint8Array(bytes);
    this.arena.set(arena);
    probation.end = Math.min(main.from, bytes);
    main.end = Math.max(main.from, bytes);
    return true;
  }

  private append(ring: Ring, entry: number, offset: number): void {
    this.set(entry, OFFSET, offset);
    this.set(entry, NEXT, -1);
    if (ring.last >= 0) this.set(ring.last, NEXT, entry);
    else ring.first = entry;
    ring.last = entry;
    ring.at = offset + this.size(entry);
  }

  /**
   * Makes room of `size` bytes in one piece; answers where, or -1 if the ring is empty and cannot grow to it. Entries lie in the
   * order of their arrival.
   */
  private makeRoom(ring: Ring, size: number): number {
    for (;;) {
      if (ring.first < 0) ring.at = ring.from;
      const isWrapped = ring.first >= 0 && this.get(ring.first, OFFSET) >= ring.at;
      const end = isWrapped ? this.get(ring.first, OFFSET) : ring.end;
      if (end - ring.at >= size) return ring.at;
      if (isWrapped) this.evict(ring);
      // While it does not go round a ring can grow; it does that before it goes round.
      else if (this.growArena()) continue;
      else if (ring.first < 0) return -1;
      else ring.at = ring.from;
    }
  }

  /** Removes the oldest of a ring, or moves it to where it was earned: on into main, or to main's end. */
  private evict(ring: Ring): void {
    const entry = ring.first;
    ring.first = this.get(entry, NEXT);
    if (ring.first < 0) ring.last = -1;
    if (this.get(entry, HITS) > 0 && this.rounds > 0) {
      this.rounds--;
      const from = this.get(entry, OFFSET);
      const size = this.size(entry);
      // In main the gap lies before the oldest entry, and the move shifts it down by the gap.
      const to = ring === this.main ? ring.at : this.makeRoom(this.main, size);
      if (to >= 0) {
        this.set(entry, HITS, ring === this.main ? this.get(entry, HITS) - 1 : 0);
        this.arena.copyWithin(to, from, from + size);
        this.append(this.main, entry, to);
        return;
      }
    }
    this.unchain(entry);
    this.putBack(entry);
  }

  /** Takes it out of its bucket, so that it is not found; no harm if it is out already. */
  private unchain(entry: number): void {
    const bucket = this.get(entry, HASH) & (this.entries - 1);
    let before = -1;
    for (let at = this.heads[bucket] as number; at >= 0; at = this.get(at, CHAIN)) {
      if (at === entry) {
        if (before < 0) this.heads[bucket] = this.get(entry, CHAIN);
        else this.set(before, CHAIN, this.get(entry, CHAIN));
        return;
      }
      before = at;
    }
  }
}
