// The DNS cache: answers in wire form in one array of fixed size, and a fixed index.
//
// Two rings, after S3-FIFO (Yang et al., 2023): an answer enters the small one; asked for again before its
// turn to leave, it moves into the large one, where each use earns it another round. So a flood of names that
// nobody asks for twice turns over the small ring only, and what the LAN uses stays.
//
//    arena   | probation, a quarter       | main                                          |
//    entry   | answer | offset of each TTL in it, 16 bits each |      entries do not wrap
//
// Time is given in ticks. Not here: what may be kept and for how long (message.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { since } from '../core/clock.ts';
import { DNS_CACHE_BYTES, DNS_CACHE_ENTRIES, UDP_SEND_BYTES } from '../core/limits.ts';
import { type Answer, HEADER_BYTES, read16, read32, sameQuestion, write32 } from './message.ts';

/** Entries of one bucket that are looked at: bounds the work if somebody finds names of one bucket. */
const CHAIN_MOST = 16;
/** Entries that one insertion gives another round. */
const ROUNDS_MOST = 8;
/** The longest answer kept, with the offsets of its TTLs: it must fit what find() writes into. */
const ENTRY_BYTES = UDP_SEND_BYTES;
/** Uses that are counted. */
const HITS_MOST = 3;

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
  readonly end: number;
  /** Where the next entry goes. */
  at: number;
  first: number;
  last: number;
}

export class Cache {
  private readonly arena: Uint8Array;
  private readonly words: Int32Array;
  private readonly heads: Int16Array;
  private readonly probation: Ring;
  private readonly main: Ring;
  /** The first of those that were used and are not. */
  private free = -1;
  /** From here on none was ever used: to list them all would cost a start 10 ms. */
  private unused = 0;
  private rounds = 0;
  /** Entries in use. */
  count = 0;

  /**
   * @param capacity of the arena, bytes.
   * @param entries that it has at most, a power of two.
   */
  constructor(
    readonly capacity: number = DNS_CACHE_BYTES,
    readonly entries: number = DNS_CACHE_ENTRIES,
  ) {
    const first = capacity >> 2;
    this.arena = new Uint8Array(capacity);
    this.words = new Int32Array(entries * FIELDS);
    this.heads = new Int16Array(entries);
    this.probation = { from: 0, end: first, at: 0, first: -1, last: -1 };
    this.main = { from: first, end: capacity, at: 0, first: -1, last: -1 };
    this.clear();
  }

  clear(): void {
    this.heads.fill(-1);
    this.free = -1;
    this.unused = 0;
    this.count = 0;
    for (const ring of [this.probation, this.main]) {
      ring.at = ring.from;
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
    const offset = this.makeRoom(ring, size);
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

  /** A free entry; the oldest on probation makes room, or else the oldest of all. */
  private take(): number {
    while (this.free < 0 && this.unused === this.entries) {
      const ring = this.probation.first >= 0 ? this.probation : this.main;
      if (ring === this.main) this.rounds = 0; // only makeRoom() knows a place to move it to
      this.evict(ring);
    }
    this.count++;
    const entry = this.free;
    if (entry < 0) return this.unused++;
    this.free = this.get(entry, NEXT);
    return entry;
  }

  private append(ring: Ring, entry: number, offset: number): void {
    this.set(entry, OFFSET, offset);
    this.set(entry, NEXT, -1);
    if (ring.last >= 0) this.set(ring.last, NEXT, entry);
    else ring.first = entry;
    ring.last = entry;
    ring.at = offset + this.size(entry);
  }

  /** Makes room of `size` bytes in one piece; answers where. Entries lie in the order of their arrival. */
  private makeRoom(ring: Ring, size: number): number {
    for (;;) {
      if (ring.first < 0) ring.at = ring.from;
      const oldest = ring.first < 0 ? ring.end : this.get(ring.first, OFFSET);
      if (oldest >= ring.at) {
        if (oldest - ring.at >= size) return ring.at;
        if (ring.first < 0) return ring.from; // the ring is empty and larger than any entry
        this.evict(ring);
      } else if (ring.end - ring.at >= size) return ring.at;
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
      this.set(entry, HITS, ring === this.main ? this.get(entry, HITS) - 1 : 0);
      const from = this.get(entry, OFFSET);
      const size = this.size(entry);
      // In main the gap lies before the oldest entry, and the move shifts it down by the gap.
      const to = ring === this.main ? ring.at : this.makeRoom(this.main, size);
      this.arena.copyWithin(to, from, from + size);
      this.append(this.main, entry, to);
      return;
    }
    this.unchain(entry);
    this.set(entry, NEXT, this.free);
    this.free = entry;
    this.count--;
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
