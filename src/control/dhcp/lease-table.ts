// The DHCP server's table of leases: which client has which address, and until when. RFC 2131, section 2.1.
//
// It is in the plane's memory (LEASES_AT, LEASE_COUNT records), so that it outlives control; that it outlives power is
// up to a LeaseStore (../core/store/lease-store.ts). Addresses and hashes of the clients' keys stand in
// columns of their own, so that a client or an address is found by one native search; so do the stations whose leases run,
// for the plane, which lets them through where a flood of strangers is not.
//
//    0       4       8       12      16      17     18       34           35            36    64
//    | state | until | noted | flags | htype | hlen | chaddr | key length | name length | key | name (63) |
//
//    FREE --offer--> OFFERED --bind--> BOUND --DHCP_LEASE_SECONDS or as set, release--> EXPIRED
//      ^                |                ^ |                                              | |
//      |                '-DHCP_OFFER_SECONDS, refused-> EXPIRED    <--offer, bind---------' |
//      |--DHCP_QUARANTINE_SECONDS-- QUARANTINED <--a stranger has the address-- any         |
//      '--DHCP_HISTORY_SECONDS, or its place or address is needed---------------------------'
//
// `until` says when the state ends; of EXPIRED when it began. A state that is over is changed when somebody
// looks (stateOf) or by sweep(). Not here: the clients' keys (client-key.ts), who gets which address (server.ts).

import {
  LEASE_ADDRESSES_AT,
  LEASE_BYTES,
  LEASE_COUNT,
  LEASE_HASHES_AT,
  LEASE_STATE_AT,
  LEASE_STATIONS_AT,
  LEASES_AT,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { fill, i32at, puti32 } from '../../base/memory.ts';
import { stationWord } from '../../base/punt-source.ts';
import { type Clock, since } from '../core/clock.ts';
import {
  DHCP_HISTORY_SECONDS,
  DHCP_NOTE_BURST,
  DHCP_NOTE_SECONDS,
  DHCP_OFFER_LEAST_SECONDS,
  DHCP_OFFER_SECONDS,
  DHCP_QUARANTINE_SECONDS,
} from '../core/limits.ts';
import { type LeaseStore, NOTE_GAIN, type StoredLease } from '../core/store/stored-lease.ts';
import { Buckets } from './bucket.ts';
import { characters, createKey, type Key, keyFrom, wordOf } from './client-key.ts';

export const FREE = 0;
export const OFFERED = 1;
export const BOUND = 2;
export const EXPIRED = 3;
export const QUARANTINED = 4;

const STATE = 0;
const UNTIL = 4;
const NOTED = 8;
const FLAGS = 12;
const HTYPE = 16;
const HLEN = 17;
const CHADDR = 18;
const KEY_LENGTH = 34;
const NAME_LENGTH = 35;
const KEY = 36;
const NAME = 64;
export const NAME_BYTES = 63;

/** The client has had a lease, not only an offer: its address is remembered for it. */
const HAD_LEASE = 1;
/** Nobody answered for the address before it was offered. */
const PROBED = 2;
/** `noted` holds when the store was last told that the lease ends. */
const IS_NOTED = 4;
/** The client's reserved address was in use by another host of the reservation when the lease began. */
export const ASIDE = 8;
/** Two stations at least have the client's identifier: it is that of this one alone. */
const COPIED = 16;
/** The lease began by a relay, so that its client's frames are the relay's. */
export const RELAYED = 32;

/** In LEASE_STATE_AT when the table holds leases. */
const READY = 0x4c656173;
/** Remembered no longer than an offer that nobody took. */
const NO_HISTORY_TICKS = DHCP_QUARANTINE_SECONDS * TICKS_PER_SECOND;
const HISTORY_TICKS = DHCP_HISTORY_SECONDS * TICKS_PER_SECOND;
const STALE_TICKS = (DHCP_OFFER_SECONDS - DHCP_OFFER_LEAST_SECONDS) * TICKS_PER_SECOND;

/** What others may know of a lease. */
export interface Lease {
  address: number;
  state: number;
  /** Seconds left of an offer, a lease or a quarantine; seconds since, of one that has ended. */
  seconds: number;
  chaddr: Uint8Array;
  key: Uint8Array;
  name: string;
}

/** Who has what, for DNS and listings. */
export interface Leases {
  /** Address of the host with this name, lower case and without a domain; of leases that run, and reservations. */
  addressOf(name: string): number | undefined;
  /** Name of the host with this address. */
  nameOf(address: number): string | undefined;
  each(visit: (lease: Lease) => void): void;
  /** The domain of the names, '' if there is none. */
  readonly domain: string;
}

export class LeaseTable {
  /** Leases that run and offers: what is taken of the pool. */
  active = 0;
  /** Records in use. */
  used = 0;
  /** There is or was a lease whose client has an identifier that others have too. */
  hasCopies = false;
  readonly addresses: Int32Array;
  private readonly hashes: Int32Array;
  /** Of leases that run the station, as the plane knows it (src/plane/local/punt.ts); 0 of others. */
  private readonly stations: Int32Array;
  private readonly names = new Map<string, number>();
  private readonly notes = new Buckets(DHCP_NOTE_BURST, DHCP_NOTE_SECONDS * TICKS_PER_SECOND);

  constructor(
    private readonly memory: Uint8Array,
    private readonly clock: Clock,
    /** Made-up identifiers of one hash would make each search look at all their records. */
    private readonly keyedHash: (bytes: Uint8Array) => number,
    /** None: leases live as long as the plane's memory does. */
    private readonly store?: LeaseStore,
  ) {
    const { buffer, byteOffset } = memory;
    this.addresses = new Int32Array(buffer, byteOffset + LEASE_ADDRESSES_AT, LEASE_COUNT);
    this.hashes = new Int32Array(buffer, byteOffset + LEASE_HASHES_AT, LEASE_COUNT);
    this.stations = new Int32Array(buffer, byteOffset + LEASE_STATIONS_AT, LEASE_COUNT);
  }

  /** Takes up the table that control left behind, or begins an empty one. */
  open(restarted: boolean): void {
    if (restarted && i32at(LEASE_STATE_AT) === READY) {
      for (let slot = 0; slot < LEASE_COUNT; slot++) {
        const state = this.addresses[slot] === 0 ? FREE : i32at(recordAt(slot) + STATE);
        this.count(state, 1);
        this.hasCopies ||= this.isCopied(slot);
        if (state === BOUND) this.names.set(this.nameOf(slot), slot);
      }
      this.names.delete('');
      return;
    }
    fill(LEASE_STATE_AT, 0, LEASES_AT + LEASE_COUNT * LEASE_BYTES - LEASE_STATE_AT);
    puti32(LEASE_STATE_AT, READY);
    this.store?.load(lease => this.load(lease));
  }

  /** The record of a client, or -1. */
  find(key: Key): number {
    const hash = this.hashOf(key);
    let slot = this.hashes.indexOf(hash);
    for (let i = 0; i < LEASE_COUNT && slot >= 0; i++) {
      if (this.addresses[slot] !== 0 && this.isKey(slot, key)) return this.stateOf(slot) === FREE ? -1 : slot;
      slot = this.hashes.indexOf(hash, slot + 1);
    }
    return -1;
  }

  /** Never 0, which is nobody's. */
  private hashOf(key: Key): number {
    key.keyed ??= this.keyedHash(key.bytes.subarray(0, key.length)) | 1;
    return key.keyed;
  }

  /** The record of an address, or -1. */
  at(address: number): number {
    const slot = address === 0 ? -1 : this.addresses.indexOf(address);
    return slot < 0 || this.stateOf(slot) === FREE ? -1 : slot;
  }

  addressOf(slot: number): number {
    return this.addresses[slot] as number;
  }

  /** The state now: what is over has ended. */
  stateOf(slot: number): number {
    const at = recordAt(slot);
    const state = i32at(at + STATE);
    const past = since(this.clock.now(), i32at(at + UNTIL));
    if (past < 0 || state === FREE) return state;
    const history = (i32at(at + FLAGS) & HAD_LEASE) !== 0 ? HISTORY_TICKS : NO_HISTORY_TICKS;
    if (state === QUARANTINED || (state === EXPIRED && past >= history)) this.forget(slot);
    else if (state !== EXPIRED) this.change(slot, EXPIRED, i32at(at + UNTIL));
    return i32at(at + STATE);
  }

  /** Ticks from now until the state ends. */
  ticksLeft(slot: number): number {
    return since(i32at(recordAt(slot) + UNTIL), this.clock.now());
  }

  chaddrOf(slot: number): Uint8Array {
    const at = recordAt(slot);
    return this.memory.subarray(at + CHADDR, at + CHADDR + (this.memory[at + HLEN] as number));
  }

  keyOf(slot: number): Uint8Array {
    const at = recordAt(slot);
    return this.memory.subarray(at + KEY, at + KEY + (this.memory[at + KEY_LENGTH] as number));
  }

  nameOf(slot: number): string {
    const at = recordAt(slot);
    return characters(this.memory.subarray(at + NAME, at + NAME + (this.memory[at + NAME_LENGTH] as number)));
  }

  /** The record whose running lease has this name, or -1. */
  named(name: string): number {
    return this.names.get(name) ?? -1;
  }

  isProbed(slot: number): boolean {
    return this.isMarked(slot, PROBED);
  }

  setProbed(slot: number): void {
    this.mark(slot, PROBED, true);
  }

  isCopied(slot: number): boolean {
    return this.isMarked(slot, COPIED);
  }

  setCopied(slot: number): void {
    this.mark(slot, COPIED, true);
    this.hasCopies = true;
  }

  isMarked(slot: number, flag: number): boolean {
    return (i32at(recordAt(slot) + FLAGS) & flag) !== 0;
  }

  mark(slot: number, flag: number, on: boolean): void {
    const at = recordAt(slot) + FLAGS;
    puti32(at, on ? i32at(at) | flag : i32at(at) & ~flag);
  }

  /** Whether the record is of the station with this hardware address, whatever its key. */
  isOf(slot: number, htype: number, chaddr: Uint8Array): boolean {
    const at = recordAt(slot);
    if (this.memory[at + HTYPE] !== htype || this.memory[at + HLEN] !== chaddr.length) return false;
    for (let i = 0; i < chaddr.length; i++) if (this.memory[at + CHADDR + i] !== chaddr[i]) return false;
    return true;
  }

  /** A running lease of the station with this Ethernet address, whatever its key, or -1. */
  ofStation(chaddr: Uint8Array): number {
    const slot = chaddr.length === 6 ? this.stations.indexOf(wordOf(chaddr)) : -1;
    return slot >= 0 && this.stateOf(slot) === BOUND && this.isOf(slot, 1, chaddr) ? slot : -1;
  }

  /** The record is of another client from now on; a record that this one had is gone. */
  handOver(slot: number, key: Key, htype: number, chaddr: Uint8Array): void {
    const before = this.find(key);
    if (before === slot) return;
    if (before >= 0) this.forget(before);
    const at = recordAt(slot);
    this.hashes[slot] = this.hashOf(key);
    this.memory[at + KEY_LENGTH] = key.length;
    this.memory.set(key.bytes.subarray(0, key.length), at + KEY);
    puti32(at + FLAGS, PROBED);
    this.setChaddr(slot, htype, chaddr);
  }

  /** The lease runs, but its client has not asked for it yet. */
  isHandedOver(slot: number): boolean {
    return i32at(recordAt(slot) + STATE) === BOUND && !this.isMarked(slot, HAD_LEASE);
  }

  /** A record for a client that has none, OFFERED; -1 if the table is full of what must stay. */
  add(key: Key, htype: number, chaddr: Uint8Array, address: number): number {
    let slot = this.addresses.indexOf(0);
    if (slot < 0) {
      slot = this.oldest(0, -1);
      if (slot < 0) return -1;
      this.forget(slot);
    }
    const at = recordAt(slot);
    fill(at, 0, LEASE_BYTES);
    this.addresses[slot] = address;
    this.hashes[slot] = this.hashOf(key);
    this.memory[at + KEY_LENGTH] = key.length;
    this.memory.set(key.bytes.subarray(0, key.length), at + KEY);
    this.setChaddr(slot, htype, chaddr);
    this.offer(slot);
    return slot;
  }

  /** The client may have come by another card. */
  setChaddr(slot: number, htype: number, chaddr: Uint8Array): void {
    const at = recordAt(slot);
    this.memory[at + HTYPE] = htype;
    this.memory[at + HLEN] = chaddr.length;
    this.memory.set(chaddr, at + CHADDR);
    this.noteStation(slot);
  }

  private noteStation(slot: number): void {
    const at = recordAt(slot);
    const isEthernet = this.memory[at + HLEN] === 6 && this.memory[at + HTYPE] === 1;
    this.stations[slot] = isEthernet && i32at(at + STATE) === BOUND ? stationWord(at + CHADDR) : 0;
  }

  offer(slot: number): void {
    this.change(slot, OFFERED, this.after(DHCP_OFFER_SECONDS));
  }

  bind(slot: number, seconds: number, name: string): void {
    const at = recordAt(slot);
    if (i32at(at + STATE) !== BOUND || this.nameOf(slot) !== name) this.rename(slot, name);
    this.change(slot, BOUND, this.after(seconds));
    this.mark(slot, HAD_LEASE, true);
    this.note(slot, seconds);
  }

  /** The client gave it back, or took another's offer. */
  end(slot: number): void {
    const wasBound = i32at(recordAt(slot) + STATE) === BOUND;
    this.change(slot, EXPIRED, this.clock.now());
    if (wasBound) this.note(slot, 0);
  }

  /** Somebody else has the address, that station if it is known: no other gets it for a while. */
  quarantine(slot: number, holder?: Uint8Array): void {
    const at = recordAt(slot);
    if (holder !== undefined) this.setChaddr(slot, 1, holder);
    this.memory[at + KEY_LENGTH] = 0;
    this.hashes[slot] = 0;
    this.rename(slot, '');
    this.change(slot, QUARANTINED, this.after(DHCP_QUARANTINE_SECONDS));
    puti32(at + FLAGS, 0);
  }

  forget(slot: number): void {
    this.change(slot, FREE, 0);
    this.addresses[slot] = 0;
    this.hashes[slot] = 0;
  }

  /**
   * The record that is missed least and whose address lies between the two (unsigned): one that was only offered, then one
   * whose lease ended longest ago, then the oldest offer to who never had a lease, after DHCP_OFFER_LEAST_SECONDS; or -1.
   */
  oldest(first: number, last: number): number {
    const now = this.clock.now();
    let best = -1;
    let bestAge = -STALE_TICKS - 1;
    for (let slot = 0; slot < LEASE_COUNT; slot++) {
      const at = recordAt(slot);
      const state = i32at(at + STATE);
      if (state !== EXPIRED && state !== OFFERED) continue;
      const hadLease = (i32at(at + FLAGS) & HAD_LEASE) !== 0;
      if (state === OFFERED && hadLease) continue;
      const address = (this.addresses[slot] as number) >>> 0;
      if (address < first >>> 0 || address > last >>> 0) continue;
      // Of an offer less than nothing, as it is not over.
      let age = since(now, i32at(at + UNTIL));
      if (state === EXPIRED && !hadLease) age += HISTORY_TICKS;
      if (age > bestAge) {
        best = slot;
        bestAge = age;
      }
    }
    return best;
  }

  each(visit: (lease: Lease) => void): void {
    for (let slot = 0; slot < LEASE_COUNT; slot++) {
      const address = this.addresses[slot] as number;
      const state = address === 0 ? FREE : this.stateOf(slot);
      if (state === FREE) continue;
      const seconds = Math.round(Math.abs(this.ticksLeft(slot)) / TICKS_PER_SECOND);
      const [chaddr, key, name] = [this.chaddrOf(slot), this.keyOf(slot), this.nameOf(slot)];
      visit({ address, state, seconds, chaddr, key, name });
    }
  }

  /** Ends what is over. */
  sweep(): void {
    for (let slot = 0; slot < LEASE_COUNT; slot++) if (this.addresses[slot] !== 0) this.stateOf(slot);
  }

  /** Forgets every address that `stays` does not want. */
  keep(stays: (address: number) => boolean): void {
    for (let slot = 0; slot < LEASE_COUNT; slot++) {
      const address = this.addresses[slot] as number;
      if (address !== 0 && !stays(address)) this.forget(slot);
    }
  }

  private after(seconds: number): number {
    return (this.clock.now() + seconds * TICKS_PER_SECOND) | 0;
  }

  /** The one place where a lease changes state. */
  private change(slot: number, state: number, until: number): void {
    const at = recordAt(slot);
    this.count(i32at(at + STATE), -1);
    this.count(state, 1);
    if (state !== BOUND) this.unname(slot);
    puti32(at + STATE, state);
    puti32(at + UNTIL, until);
    this.noteStation(slot);
    // Whoever has had it meanwhile, it is asked for again before the next offer.
    if (state === EXPIRED) this.mark(slot, PROBED, false);
  }

  private count(state: number, one: number): void {
    if (state !== FREE) this.used += one;
    if (state === OFFERED || state === BOUND) this.active += one;
  }

  private rename(slot: number, name: string): void {
    this.unname(slot);
    const at = recordAt(slot);
    const length = Math.min(name.length, NAME_BYTES);
    this.memory[at + NAME_LENGTH] = length;
    for (let i = 0; i < length; i++) this.memory[at + NAME + i] = name.charCodeAt(i);
    if (name !== '') this.names.set(name, slot);
  }

  /** Takes a name from the lease that has it. */
  takeName(name: string): void {
    const slot = this.named(name);
    if (slot >= 0) this.rename(slot, '');
  }

  /** The name is free for others; the record keeps it. */
  private unname(slot: number): void {
    if (this.memory[recordAt(slot) + NAME_LENGTH] === 0) return;
    const name = this.nameOf(slot);
    if (this.names.get(name) === slot) this.names.delete(name);
  }

  private isKey(slot: number, { bytes, length }: Key): boolean {
    const at = recordAt(slot);
    if (this.memory[at + KEY_LENGTH] !== length) return false;
    for (let i = 0; i < length; i++) if (this.memory[at + KEY + i] !== bytes[i]) return false;
    return true;
  }

  private load({ address, key, htype, chaddr, name, seconds }: StoredLease): void {
    const made = createKey();
    keyFrom(made, key, htype, chaddr);
    if (this.find(made) >= 0 || this.at(address) >= 0) return;
    const slot = this.add(made, htype, chaddr, address);
    if (slot < 0) return;
    const at = recordAt(slot);
    this.rename(slot, name);
    this.change(slot, seconds > 0 ? BOUND : EXPIRED, this.after(seconds));
    puti32(at + FLAGS, HAD_LEASE | IS_NOTED);
    puti32(at + NOTED, i32at(at + UNTIL));
  }

  /** Tells the store, unless it knows nearly as much. */
  private note(slot: number, seconds: number): void {
    if (this.store === undefined) return;
    const at = recordAt(slot);
    const flags = i32at(at + FLAGS);
    const isNews = seconds === 0 || (flags & IS_NOTED) === 0;
    const gain = since(i32at(at + UNTIL), i32at(at + NOTED));
    if (!isNews && gain <= seconds * TICKS_PER_SECOND * NOTE_GAIN) return;
    if (!this.notes.take(this.clock.uptime())) return;
    puti32(at + NOTED, i32at(at + UNTIL));
    puti32(at + FLAGS, flags | IS_NOTED);
    const [key, chaddr] = [this.keyOf(slot).slice(), this.chaddrOf(slot).slice()];
    const htype = this.memory[at + HTYPE] as number;
    this.store.note({ address: this.addressOf(slot), key, htype, chaddr, name: this.nameOf(slot), seconds });
  }
}

function recordAt(slot: number): number {
  return LEASES_AT + slot * LEASE_BYTES;
}
