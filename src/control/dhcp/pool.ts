// Which addresses the DHCP server gives: the range, the reservations, and who may have what.
// RFC 2131, section 4.3.1: the client's present address, its last one, the one it asks for, one of the pool.
// Not here: the leases themselves (lease-table.ts), messages (server.ts).

import { IF_ADDRESS, IF_MASK, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_LAN } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { DHCP_LEASE_SECONDS } from '../core/limits.ts';
import { characters, KEY_BYTES, type Key } from './client-key.ts';
import { ASIDE, BOUND, EXPIRED, type LeaseTable, OFFERED, QUARANTINED } from './lease-table.ts';

/** An address that a client gets and no other; several may share one, as cable and radio of a laptop. */
export interface Reservation {
  /** As it was typed: a MAC address, or id: and the client identifier in hexadecimal. */
  client: string;
  /** The station address, or the client identifier. */
  bytes: Uint8Array;
  isId: boolean;
  address: number;
  /** '' if it has none. */
  name: string;
}

/** What can be set. */
export interface DhcpConfig {
  on: boolean;
  range: { first: number; last: number } | undefined;
  leaseSeconds: number;
  /** DNS servers to be told of; none: the router itself. */
  dns: number[];
  /** Domain of the LAN; '' none. */
  domain: string;
  reservations: Reservation[];
  /** Further options, or others than ours: code, value, and the words that were typed. */
  options: { code: number; value: Uint8Array; words: string; always: boolean }[];
  /** What hosts that start by the network load, and from where; 0: the router. */
  boot: { file: string; server: number } | undefined;
}

/** RFC 5625, section 5.2 would tell none. Names below this one are answered here and leak nowhere (dns/local.ts). */
export const DOMAIN_DEFAULT = 'lan';

export function defaultConfig(): DhcpConfig {
  return {
    on: true,
    range: undefined,
    leaseSeconds: DHCP_LEASE_SECONDS,
    dns: [],
    domain: DOMAIN_DEFAULT,
    reservations: [],
    options: [],
    boot: undefined,
  };
}

/** Hosts of the LAN from and to which the range goes when none is set. */
const DEFAULT_FIRST = 100;
const DEFAULT_LAST = 199;

export class Pool {
  /** The router on the LAN, and the LAN's mask. */
  router = 0;
  mask = 0;
  first = 0;
  last = 0;
  private range: DhcpConfig['range'];
  /** The reservations as they were when they were put into what follows. */
  private known: readonly Reservation[] = [];
  private count = 0;
  /** Identifiers and station addresses as texts; of several for an address the first. */
  private readonly byIdentifier = new Map<string, Reservation>();
  private readonly byStation = new Map<string, Reservation>();
  private readonly byAddress = new Map<number, Reservation>();
  private readonly byName = new Map<string, Reservation>();

  constructor(
    private readonly config: DhcpConfig,
    private readonly leases: LeaseTable,
  ) {}

  /** Follows the LAN's address and the settings. True if the LAN is another one now. */
  refresh(): boolean {
    const at = interfaceAt(INTERFACE_LAN);
    const router = i32at(at + IF_ADDRESS);
    const mask = i32at(at + IF_MASK);
    const isOther = router !== this.router || mask !== this.mask;
    if (!isOther && this.range === this.config.range) return false;
    this.router = router;
    this.mask = mask;
    this.range = this.config.range;
    const network = router & mask;
    // Unsigned from here on: the half of the address space that DHCP is used in is negative.
    const lowest = (network >>> 0) + 1;
    const highest = ((network | ~mask) >>> 0) - 1;
    const { range } = this.config;
    // The LAN may have moved away from a range that was set for it.
    const wanted =
      range !== undefined && this.isLocal(range.first) && this.isLocal(range.last) ? range : undefined;
    this.first = Math.max(lowest, wanted === undefined ? lowest - 1 + DEFAULT_FIRST : wanted.first >>> 0);
    this.last = Math.min(highest, wanted === undefined ? lowest - 1 + DEFAULT_LAST : wanted.last >>> 0);
    if (this.first > this.last) [this.first, this.last] = [lowest, highest];
    return isOther;
  }

  get size(): number {
    return this.last - this.first + 1;
  }

  /** Three quarters are taken: leases are short until that is over. */
  get isScarce(): boolean {
    return 4 * this.leases.active >= 3 * this.size;
  }

  isLocal(address: number): boolean {
    return ((address ^ this.router) & this.mask) === 0;
  }

  /** Whether it is a host's of the LAN: not the router, the network's number or its broadcast address. */
  isHost(address: number): boolean {
    const host = address & ~this.mask;
    return this.isLocal(address) && address !== this.router && host !== 0 && host !== ~this.mask;
  }

  isInRange(address: number): boolean {
    const value = address >>> 0;
    return value >= this.first && value <= this.last && address !== this.router;
  }

  /** The reservation of a client; one by its identifier goes before one by its station address. */
  reservationOf(id: Uint8Array, chaddr: Uint8Array): Reservation | undefined {
    this.index();
    if (this.count === 0) return undefined;
    const { byIdentifier, byStation } = this;
    const isLong = id.length > KEY_BYTES; // none is reserved for
    return (isLong ? undefined : byIdentifier.get(characters(id))) ?? byStation.get(characters(chaddr));
  }

  reservationAt(address: number): Reservation | undefined {
    this.index();
    return this.byAddress.get(address);
  }

  reservationNamed(name: string): Reservation | undefined {
    this.index();
    return this.byName.get(name);
  }

  /** Brings the look-ups up to date: a list that was changed has another length, or is another one. */
  private index(): void {
    const { reservations } = this.config;
    if (this.known === reservations && this.count === reservations.length) return;
    this.known = reservations;
    this.count = reservations.length;
    const { byIdentifier, byStation, byAddress, byName } = this;
    for (const map of [byIdentifier, byStation, byAddress, byName]) map.clear();
    for (let i = this.count - 1; i >= 0; i--) {
      const one = reservations[i] as Reservation;
      (one.isId ? byIdentifier : byStation).set(characters(one.bytes), one);
      byAddress.set(one.address, one);
      if (one.name !== '') byName.set(one.name, one);
    }
  }

  /**
   * Whether a client with this reservation, or none, may go on with the address of its record. One that renews keeps what
   * it got when another host of its reservation had the address, until it asks anew.
   */
  mayKeep(slot: number, own: Reservation | undefined, renews: boolean): boolean {
    const address = this.leases.addressOf(slot);
    if (this.leases.stateOf(slot) === QUARANTINED) return false;
    if (own !== undefined && own.address !== address && this.isFreeFor(own.address, slot)) {
      if (!renews || !this.leases.isMarked(slot, ASIDE)) return false;
    }
    if (this.reservationAt(address) !== undefined) return own?.address === address;
    return this.isInRange(address);
  }

  /** The running lease of another host by which the reserved address is taken, or -1. */
  fellow(own: Reservation): number {
    const slot = this.leases.at(own.address);
    if (slot < 0 || this.leases.stateOf(slot) !== BOUND) return -1;
    const theirs = this.reservationOf(this.leases.keyOf(slot), this.leases.chaddrOf(slot));
    return theirs?.address === own.address ? slot : -1;
  }

  /** Whether a reserved address could be given now to the client of `slot` (or -1). */
  isFreeFor(address: number, slot: number): boolean {
    // The LAN may have moved since it was reserved.
    if (!this.isHost(address)) return false;
    const other = this.leases.at(address);
    if (other < 0 || other === slot) return true;
    const state = this.leases.stateOf(other);
    return state !== BOUND && state !== QUARANTINED;
  }

  /**
   * The address for a client without one that it may keep; 0 if there is none. What stood in its way (the remembered lease
   * of another) is forgotten.
   */
  pick(key: Key, slot: number, own: Reservation | undefined, requested: number): number {
    if (own !== undefined && this.isFreeFor(own.address, slot)) return this.clear(own.address, slot);
    if (requested !== 0 && this.mayGive(requested) && this.leases.at(requested) < 0) return requested;
    const { first, size, leases } = this;
    // As many places as records and reservations could take, one more, and the router's own.
    const tries = Math.min(size, leases.used + this.config.reservations.length + 2);
    const start = (key.hash >>> 0) % size;
    const likely = (first + start) | 0;
    if (leases.at(likely) < 0 && this.mayGive(likely)) return likely;
    const free = this.firstFree(start, tries);
    if (free >= 0) return (first + ((start + free) % size)) | 0;
    if (requested !== 0 && this.mayGive(requested) && leases.stateOf(leases.at(requested)) === EXPIRED) {
      return this.clear(requested, slot);
    }
    const oldest = leases.oldest(this.first, this.last);
    const address = oldest < 0 ? 0 : leases.addressOf(oldest);
    return address !== 0 && this.mayGive(address) ? this.clear(address, slot) : 0;
  }

  /** Of so many addresses from the one at `start` of the range on, and around its end, the first that is nobody's; or -1. */
  private firstFree(start: number, tries: number): number {
    const { first, size } = this;
    const taken = new Uint8Array(tries);
    const take = (address: number): void => {
      const place = (address >>> 0) - first;
      if (place >= 0 && place < size) taken[(place - start + size) % size] = 1;
    };
    for (const address of this.leases.addresses) if (address !== 0) take(address);
    for (const { address } of this.config.reservations) take(address);
    take(this.router);
    return taken.indexOf(0);
  }

  private mayGive(address: number): boolean {
    return this.isInRange(address) && this.reservationAt(address) === undefined;
  }

  private clear(address: number, slot: number): number {
    const other = this.leases.at(address);
    if (other >= 0 && other !== slot) this.leases.forget(other);
    return address;
  }

  /**
   * Whether this client may take up a running lease that we have no record of, or that of its own station by another
   * identifier.
   */
  mayAdopt(address: number, own: Reservation | undefined, htype: number, chaddr: Uint8Array): boolean {
    if (!this.isHost(address)) return false;
    if (own === undefined) {
      if (this.reservationAt(address) !== undefined || !this.isInRange(address)) return false;
    } else if (own.address !== address) return false;
    const other = this.leases.at(address);
    if (other < 0) return true;
    const state = this.leases.stateOf(other);
    if (state === EXPIRED || state === OFFERED || this.leases.isOf(other, htype, chaddr)) return true;
    return own !== undefined && this.leases.isHandedOver(other);
  }
}
