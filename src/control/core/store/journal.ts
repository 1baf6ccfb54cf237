// The flash log: a ring of LOG_SECTORS sectors that holds the newest record of each key (a lease, a crash). A sector
// is written whole, once a lap, with a sequence and a CRC-32 (src/base/layout.ts); the newest record of a key counts.
//
//       older ... newest                oldest ...
//    | 81 | 82 | 83 | 84 | 20 | 21 | 22 | 23 | ...      writing 85: it goes over 20, and what still counts
//                     newest  clean clean               of 22 goes with it
//
// Two sectors ahead of the newest hold nothing that counts: the one that is written next, so that a cut in the middle
// of it loses nothing, and one more, so that a sector that cannot be written can be passed over. Each write keeps it
// so, by taking along what counts of the sectors behind them. A flush after each keeps the order of the writes.
//
// Not here: what records mean (lease-store.ts), how often may be written (store.ts).

import type { Disk } from '../../../../hal/disk/disk.ts';
import {
  LOG_AT_CRC,
  LOG_AT_MAGIC,
  LOG_AT_RECORDS,
  LOG_AT_SEQUENCE,
  LOG_MAGIC,
  LOG_RECORD_AT_KEY,
  LOG_RECORD_AT_KIND,
  LOG_RECORD_AT_LENGTH,
  LOG_RECORD_AT_PAYLOAD,
  LOG_SECTOR,
  LOG_SECTORS,
  SECTOR_BYTES,
} from '../../../base/layout.ts';
import { STORE_AT } from '../../../base/limits.ts';
import { fill, get8, i32at, put8, puti32, putu16, u16at } from '../../../base/memory.ts';
import type { StoreMachine } from './config-store.ts';

export interface Entry {
  kind: number;
  /** An i32. */
  key: number;
  payload: Uint8Array;
}

/** The longest payload. */
export const PAYLOAD_MOST = SECTOR_BYTES - LOG_AT_RECORDS - LOG_RECORD_AT_PAYLOAD;
/** The sector that is made, and behind it the one that is looked at. */
const MADE_AT = STORE_AT;
const SEEN_AT = STORE_AT + SECTOR_BYTES;
/** Sectors read at once: what the store's memory has room for. */
const SCAN_SECTORS = 32;
const SECTOR_END = SECTOR_BYTES;
/** Sectors that cannot be written, in one go: then the disk is broken, not a sector. */
const FAILURES_MOST = 3;
/** Clean sectors ahead of the newest. */
const CLEAN = 2;
/** Keys that are known at once, twice as many as there are leases. Where the ring has more, those of its oldest sectors go. */
export const KEYS_MOST = 512;
/** Sectors ahead that a sector is filled up from when a record does not fit: a large one then finds an empty sector. */
const PACKED = 10;

export interface Journal {
  /** Reads all; tells of the newest record of each key. To be called once, before the others. */
  open(visit: (entry: Entry) => void): Generator<number, string | undefined>;
  /** Tells of the newest records of a kind. */
  read(kind: number, visit: (entry: Entry) => void): Generator<number, string | undefined>;
  /** Writes records, and whatever must go with them. */
  write(entries: readonly Entry[]): Generator<number, string | undefined>;
  /** Forgets everything. */
  erase(): Generator<number, string | undefined>;
  has(kind: number, key: number): boolean;
  /** Sectors written since control started, and ever. */
  readonly written: number;
  readonly sequence: number;
}

/** @param isLive whether a record still matters when its sector comes to be written over. */
export class FlashLog implements Journal {
  /** The place of each key's newest record. */
  private readonly places = new Map<number, number>();
  private readonly bad = new Set<number>();
  private newest = LOG_SECTORS - 1;
  sequence = 0;
  written = 0;
  private end = LOG_AT_RECORDS;

  constructor(
    private readonly machine: StoreMachine,
    private readonly disk: Disk,
    private readonly isLive: (kind: number, key: number) => boolean,
  ) {}

  has(kind: number, key: number): boolean {
    return this.places.has(idOf(kind, key));
  }

  private crcOf(at: number): number {
    const { plane } = this.machine;
    return plane.crc32(plane.crc32(0, at, LOG_AT_CRC), at + LOG_AT_RECORDS, SECTOR_BYTES - LOG_AT_RECORDS);
  }

  private isWhole(at: number): boolean {
    return i32at(at + LOG_AT_MAGIC) === LOG_MAGIC && this.crcOf(at) === i32at(at + LOG_AT_CRC);
  }

  private sectorView(at: number): Uint8Array {
    return this.machine.memory.subarray(at, at + SECTOR_BYTES);
  }

  /** Reads the ring; tells of each record of the sectors that are whole. What cannot be read is left out. */
  private *scan(
    visit: (place: number, kind: number, key: number, at: number, length: number) => void,
    note?: (place: number, sequence: number) => void,
  ): Generator<number, string | undefined> {
    let problem: string | undefined;
    for (let first = 0; first < LOG_SECTORS; first += SCAN_SECTORS) {
      const count = Math.min(SCAN_SECTORS, LOG_SECTORS - first);
      const whole = this.machine.memory.subarray(STORE_AT, STORE_AT + count * SECTOR_BYTES);
      const why = yield* this.disk.read(LOG_SECTOR + first, whole);
      for (let i = 0; i < count; i++) {
        const at = STORE_AT + i * SECTOR_BYTES;
        if (why !== undefined) {
          // One of them is bad: each by itself.
          const cause = yield* this.disk.read(LOG_SECTOR + first + i, this.sectorView(at));
          problem = cause ?? problem;
          if (cause !== undefined) continue;
        }
        if (!this.isWhole(at)) continue;
        note?.(first + i, i32at(at + LOG_AT_SEQUENCE));
        records(at, (kind, key, from, length) => visit(first + i, kind, key, from, length));
        // A sector has up to 62 records: all in one go would be six seconds of the slowest processor.
        yield 0;
      }
    }
    return problem;
  }

  *open(visit: (entry: Entry) => void): Generator<number, string | undefined> {
    const found = new Map<number, Entry>();
    const sequences = new Int32Array(LOG_SECTORS);
    let isFirst = true;
    let forgotten = 0;
    /** Makes room for a record of this place; false if all that is known is newer. */
    const makesRoom = (place: number): boolean => {
      if (forgotten++ >= LOG_SECTORS) return false;
      let oldest = place;
      for (const at of new Set(this.places.values()))
        if (isNewer(sequences[oldest] as number, sequences[at] as number)) oldest = at;
      if (oldest === place) return false;
      for (const [id, at] of this.places) {
        if (at !== oldest) continue;
        this.places.delete(id);
        found.delete(id);
      }
      return true;
    };
    const why = yield* this.scan(
      (place, kind, key, at, length) => {
        const id = idOf(kind, key);
        const other = this.places.get(id);
        if (other !== undefined && isNewer(sequences[other] as number, sequences[place] as number)) return;
        if (other === undefined && this.places.size === KEYS_MOST && !makesRoom(place)) return;
        this.places.set(id, place);
        found.set(id, { kind, key, payload: this.machine.memory.slice(at, at + length) });
      },
      (place, number) => {
        sequences[place] = number;
        if (!isFirst && !isNewer(number, this.sequence)) return;
        isFirst = false;
        this.newest = place;
        this.sequence = number;
      },
    );
    for (const entry of found.values()) visit(entry);
    return why;
  }

  read(kind: number, visit: (entry: Entry) => void): Generator<number, string | undefined> {
    return this.scan((place, of, key, at, length) => {
      if (of === kind && this.places.get(idOf(of, key)) === place)
        visit({ kind, key, payload: this.machine.memory.slice(at, at + length) });
    });
  }

  /** The next `count` sectors after one, without the bad ones. */
  private after(place: number, count: number): number[] {
    const next: number[] = [];
    for (let i = 1; i < LOG_SECTORS && next.length < count; i++) {
      const candidate = (place + i) % LOG_SECTORS;
      if (!this.bad.has(candidate)) next.push(candidate);
    }
    return next;
  }

  /**
   * Takes along what counts of a sector that will be written over, as far as there is room, but not the records in
   * `spared`: newer ones are about to be written, and until then they stay where they are.
   */
  private *takeAlong(
    place: number,
    taken: Set<number>,
    spared?: Map<number, Entry>,
  ): Generator<number, void> {
    const counts = [...this.places].filter(([, at]) => at === place);
    if (counts.length === 0) return;
    const why = yield* this.disk.read(LOG_SECTOR + place, this.sectorView(SEEN_AT));
    if (why !== undefined || !this.isWhole(SEEN_AT)) {
      for (const [id] of counts) this.places.delete(id);
      return;
    }
    records(SEEN_AT, (kind, key, at, length) => {
      const id = idOf(kind, key);
      if (this.places.get(id) !== place || spared?.has(id) === true) return;
      if (!this.isLive(kind, key)) this.places.delete(id);
      else this.append(taken, kind, key, this.machine.memory.subarray(at, at + length));
    });
  }

  /** Puts a record into the sector that is made; false if it does not fit. */
  private append(taken: Set<number>, kind: number, key: number, payload: Uint8Array): boolean {
    const at = MADE_AT + this.end;
    const next = this.end + LOG_RECORD_AT_PAYLOAD + ((payload.length + 3) & ~3);
    if (next > SECTOR_END) return false;
    put8(at + LOG_RECORD_AT_KIND, kind);
    putu16(at + LOG_RECORD_AT_LENGTH, payload.length);
    puti32(at + LOG_RECORD_AT_KEY, key);
    this.machine.memory.set(payload, at + LOG_RECORD_AT_PAYLOAD);
    this.end = next;
    taken.add(idOf(kind, key));
    return true;
  }

  /** Makes the sector for `place` with as many of the waiting as fit, and writes it. */
  private *writeOne(place: number, waiting: Map<number, Entry>): Generator<number, string | undefined> {
    const taken = new Set<number>();
    const news: number[] = [];
    fill(MADE_AT, 0, SECTOR_BYTES);
    this.end = LOG_AT_RECORDS;
    const [first, second] = this.after(place, CLEAN) as [number, number];
    // The next sector is clean but after a failure: what it has goes first, all fits, as it came of one sector.
    yield* this.takeAlong(first, taken);
    yield* this.takeAlong(second, taken, waiting);
    let fits = true;
    for (const [id, { kind, key, payload }] of waiting) {
      if (taken.has(id)) continue;
      fits = this.append(taken, kind, key, payload);
      if (!fits) break;
      news.push(id);
    }
    if (!fits)
      for (const later of this.after(place, PACKED).slice(CLEAN))
        yield* this.takeAlong(later, taken, waiting);
    puti32(MADE_AT + LOG_AT_MAGIC, LOG_MAGIC);
    puti32(MADE_AT + LOG_AT_SEQUENCE, (this.sequence + 1) | 0);
    puti32(MADE_AT + LOG_AT_CRC, this.crcOf(MADE_AT));
    this.written++;
    const why =
      (yield* this.disk.write(LOG_SECTOR + place, this.sectorView(MADE_AT))) ?? (yield* this.disk.flush());
    if (why !== undefined) return why;
    this.sequence = (this.sequence + 1) | 0;
    this.newest = place;
    for (const id of taken) this.places.set(id, place);
    for (const id of news) waiting.delete(id);
    return undefined;
  }

  *write(entries: readonly Entry[]): Generator<number, string | undefined> {
    const waiting = new Map(entries.map(entry => [idOf(entry.kind, entry.key), entry]));
    let failures = 0;
    for (let turn = 0; turn < 2 * LOG_SECTORS && waiting.size > 0; turn++) {
      const [place] = this.after(this.newest, 1) as [number];
      const why = yield* this.writeOne(place, waiting);
      if (why === undefined) continue;
      failures++;
      if (failures === FAILURES_MOST) {
        this.bad.clear();
        return why;
      }
      this.bad.add(place);
    }
    return waiting.size === 0 ? undefined : 'the log is full';
  }

  *erase(): Generator<number, string | undefined> {
    const blank = this.machine.memory.subarray(STORE_AT, STORE_AT + SCAN_SECTORS * SECTOR_BYTES);
    fill(STORE_AT, 0, blank.length);
    for (let first = 0; first < LOG_SECTORS; first += SCAN_SECTORS) {
      const part = blank.subarray(0, Math.min(SCAN_SECTORS, LOG_SECTORS - first) * SECTOR_BYTES);
      const why = yield* this.disk.write(LOG_SECTOR + first, part);
      if (why !== undefined) return why;
    }
    this.places.clear();
    return yield* this.disk.flush();
  }
}

/** Kind and key in one number. */
function idOf(kind: number, key: number): number {
  return kind * 2 ** 32 + (key >>> 0);
}

function isNewer(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** Tells of each record of a sector in plane memory: where its payload lies. */
function records(
  sector: number,
  visit: (kind: number, key: number, at: number, length: number) => void,
): void {
  let at = LOG_AT_RECORDS;
  while (at + LOG_RECORD_AT_PAYLOAD <= SECTOR_END) {
    const kind = get8(sector + at + LOG_RECORD_AT_KIND);
    const length = u16at(sector + at + LOG_RECORD_AT_LENGTH);
    const next = at + LOG_RECORD_AT_PAYLOAD + ((length + 3) & ~3);
    if (kind === 0 || next > SECTOR_END) return;
    visit(kind, i32at(sector + at + LOG_RECORD_AT_KEY), sector + at + LOG_RECORD_AT_PAYLOAD, length);
    at = next;
  }
}
