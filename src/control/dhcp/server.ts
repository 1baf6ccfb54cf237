// The DHCP server of the LAN: RFC 2131, section 4.3; client identifiers RFC 4361 and 6842; relays 4.1 and RFC 3046.
//
//    DISCOVER               -> OFFER, at once if the address is the client's now, else after a probe
//    REQUEST, SELECTING     -> ACK, or NAK if it is not what we offered; another server's: the offer ends
//             INIT-REBOOT   -> ACK, NAK for another network or address; silence if we do not know the client
//             RENEWING, REBINDING -> ACK, NAK; a client that we have forgotten keeps its address if it is free
//    DECLINE                -> the address is left alone for DHCP_QUARANTINE_SECONDS
//    RELEASE                -> the lease ends, the address is remembered for the client
//    INFORM                 -> ACK without a lease
//
// A new address is asked for by ARP before it is offered, and the offer waits DHCP_PROBE_TICKS for the answer: a
// row of addresses probed ahead of need would be stale when the need comes, a client that wants its old
// address back asks for one that nobody could foresee, and 0.2 s is a fifteenth of what udhcpc waits.
//
// Against floods: stations with a lease, and those that ARP knows, come in turn from the plane's queues; strangers'
// messages are read at a bounded rate, clients without a record are served at a lower one, running leases are never
// taken away, and while the pool is scarce new ones are short.
// Timers: pending offers (DHCP_PROBE_TICKS each), sweep (SWEEP_TICKS: ends what is over, follows the LAN).
// Not here: the table (leases.ts), who gets which address (pool.ts), what a reply says (reply.ts).

import { INTERFACE_LAN, TICKS_PER_SECOND } from '../../plane/limits.ts';
import { formatAddress, formatMac } from '../address.ts';
import type { Context } from '../context.ts';
import {
  DHCP_LEASE_LEAST_SECONDS,
  DHCP_LEASE_SHORT_SECONDS,
  DHCP_MESSAGE_BURST,
  DHCP_MESSAGE_TICKS,
  DHCP_NEW_BURST,
  DHCP_NEW_TICKS,
  DHCP_PENDING,
  DHCP_PROBE_TICKS,
  DHCP_PROBE_TRIES,
  DHCP_QUARANTINE_SECONDS,
} from '../limits.ts';
import { INFO, WARNING } from '../log.ts';
import type { Datagram } from '../net/udp.ts';
import { createBucket } from './bucket.ts';
import { hostNameOf } from './host-name.ts';
import {
  BOUND,
  createKey,
  keyFrom,
  type Lease,
  type LeaseStore,
  type Leases,
  LeaseTable,
  OFFERED,
} from './leases.ts';
import {
  ACK,
  BOOTREQUEST,
  DECLINE,
  DISCOVER,
  INFORM,
  NAK,
  OFFER,
  RELEASE,
  REQUEST,
  Reader,
  SERVER_PORT,
} from './message.ts';
import {
  OPTION_CLIENT_IDENTIFIER,
  OPTION_LEASE_TIME,
  OPTION_REQUESTED_ADDRESS,
  OPTION_SERVER_IDENTIFIER,
} from './options.ts';
import { type DhcpConfig, defaultConfig, Pool, type Reservation } from './pool.ts';
import { Replies } from './reply.ts';

const SWEEP_TICKS = 10 * TICKS_PER_SECOND;

/** A DISCOVER whose offer waits for the answer to a probe. */
interface Pending {
  data: Uint8Array;
  source: number;
  slot: number;
  address: number;
  tick: number;
  tries: number;
}

export class DhcpServer implements Leases {
  readonly config: DhcpConfig = defaultConfig();
  readonly table: LeaseTable;
  readonly pool: Pool;
  private readonly reader = new Reader();
  private readonly replies: Replies;
  private readonly key = createKey();
  private reservation: Reservation | undefined;
  private pending: Pending[] = [];
  private started = false;
  private isOpen = false;
  private readonly mayRead = createBucket(DHCP_MESSAGE_BURST, DHCP_MESSAGE_TICKS);
  private readonly mayAdd = createBucket(DHCP_NEW_BURST, DHCP_NEW_TICKS);

  constructor(
    private readonly context: Context,
    store?: LeaseStore,
  ) {
    this.table = new LeaseTable(context.machine.memory, context.clock, store);
    this.pool = new Pool(this.config, this.table);
    this.replies = new Replies(context.udp, this.config, this.pool, () => context.wan?.ntpServers() ?? []);
  }

  start(restarted: boolean): void {
    this.started = true;
    this.table.open(restarted);
    this.pool.refresh();
    this.apply();
    this.sweep();
  }

  /** Brings changed settings into force. */
  apply(): void {
    if (!this.started || this.isOpen === this.config.on) return;
    if (this.config.on) {
      this.isOpen = this.context.udp.open(SERVER_PORT, 1 << INTERFACE_LAN, datagram =>
        this.receive(datagram),
      );
      if (!this.isOpen) this.log(WARNING, `cannot serve: port ${SERVER_PORT} is not free`);
    } else {
      this.context.udp.close(SERVER_PORT);
      this.isOpen = false;
    }
  }

  addressOf(name: string): number | undefined {
    const reserved = this.config.reservations.find(reservation => reservation.name === name);
    if (reserved !== undefined) return reserved.address;
    const slot = this.table.named(name);
    return slot >= 0 && this.table.stateOf(slot) === BOUND ? this.table.addressOf(slot) : undefined;
  }

  nameOf(address: number): string | undefined {
    const reserved = this.config.reservations.find(reservation => reservation.address === address);
    if (reserved !== undefined && reserved.name !== '') return reserved.name;
    const slot = this.table.at(address);
    if (slot < 0 || this.table.stateOf(slot) !== BOUND) return undefined;
    return this.table.nameOf(slot) || undefined;
  }

  each(visit: (lease: Lease) => void): void {
    this.table.each(visit);
  }

  get domain(): string {
    return this.config.domain;
  }

  /** Takes a lease away: the client is told at its next REQUEST. False if there is none. */
  revoke(address: number): boolean {
    const slot = this.table.at(address);
    if (slot >= 0) this.table.forget(slot);
    return slot >= 0;
  }

  private log(level: number, text: string): void {
    this.context.log(level, 'dhcp', text);
  }

  private sweep(): void {
    this.table.sweep();
    this.followLan();
    this.context.clock.after(SWEEP_TICKS, () => this.sweep());
  }

  private followLan(): void {
    if (!this.pool.refresh()) return;
    this.pending = [];
    this.table.keep(address => this.pool.isHost(address));
  }

  private receive({ data, source, isKnown }: Datagram): void {
    // Who is known has a share of its own from the plane on (src/plane/punt.ts).
    if (!isKnown && !this.mayRead(this.context.clock.now())) return;
    this.followLan();
    if (this.pool.router === 0 || !this.read(data)) return;
    const { reader } = this;
    switch (reader.type) {
      case DISCOVER:
        this.discover(data, source, 0);
        break;
      case REQUEST:
        this.request(source);
        break;
      case DECLINE:
        this.decline();
        break;
      case RELEASE:
        this.release();
        break;
      case INFORM:
        this.inform(source);
        break;
    }
  }

  /** Takes a message apart and says whose it is; false if it is none for us. */
  private read(data: Uint8Array): boolean {
    const { reader, pool } = this;
    if (reader.parse(data) !== undefined || reader.op !== BOOTREQUEST) return false;
    const { chaddr, giaddr } = reader;
    const id = reader.bytes(OPTION_CLIENT_IDENTIFIER);
    if (id.length < 2 && chaddr.length === 0) return false; // nobody
    // A relay of another network: there is no pool for it.
    if (giaddr !== 0 && (!pool.isLocal(giaddr) || giaddr === pool.router)) return false;
    keyFrom(this.key, id, reader.htype, chaddr);
    this.reservation = pool.reservationOf(id, chaddr);
    return true;
  }

  private discover(data: Uint8Array, source: number, tries: number): void {
    const slot = this.choose(this.reader.word(OPTION_REQUESTED_ADDRESS));
    if (slot < 0) return;
    const { table } = this;
    if (table.stateOf(slot) !== BOUND) {
      table.offer(slot);
      if (!table.isProbed(slot)) {
        this.probe(slot, data, source, tries);
        return;
      }
    }
    this.reply(OFFER, slot, source);
  }

  /** The record with the address for the client that is being read; -1 if there is none to be had. */
  private choose(requested: number): number {
    const { table, pool, key, reader } = this;
    let slot = table.find(key);
    if (slot >= 0 && pool.mayKeep(slot, this.reservation)) return slot;
    if (slot < 0 && !this.mayAdd(this.context.clock.now())) return -1;
    if (slot >= 0) table.forget(slot);
    slot = -1;
    const address = pool.pick(key, slot, this.reservation, requested);
    if (address !== 0) slot = table.add(key, reader.htype, reader.chaddr, address);
    if (slot < 0) this.log(WARNING, `no address is left for ${formatMac(macOf(reader.chaddr))}`);
    return slot;
  }

  /** Asks whether anybody has the address, and offers it when nobody answers. */
  private probe(slot: number, data: Uint8Array, source: number, tries: number): void {
    const { plane } = this.context.machine;
    const address = this.table.addressOf(slot);
    const waiting = this.pending.find(other => other.slot === slot && other.address === address);
    if (waiting !== undefined) {
      waiting.data = data.slice();
      return;
    }
    if (this.pending.length === DHCP_PENDING) return;
    const tick = this.context.clock.now();
    plane.addressAsk(INTERFACE_LAN, address);
    const pending: Pending = { data: data.slice(), source, slot, address, tick, tries };
    this.pending.push(pending);
    this.context.clock.after(DHCP_PROBE_TICKS, () => this.probed(pending));
  }

  private probed(pending: Pending): void {
    const { slot, address, tick, tries, data, source } = pending;
    const { table } = this;
    if (!this.pending.includes(pending)) return; // the LAN is another one now
    this.pending = this.pending.filter(other => other !== pending);
    if (!this.read(data) || table.find(this.key) !== slot || table.addressOf(slot) !== address) return;
    const holder = this.context.machine.plane.addressHeld(INTERFACE_LAN, address, tick);
    if (holder === 0 || this.isClient(holder)) {
      table.setProbed(slot);
    } else {
      const who = formatMac(this.context.machine.memory.subarray(holder, holder + 6));
      this.conflict(slot, `${formatAddress(address)} is used by ${who}`);
      if (tries + 1 === DHCP_PROBE_TRIES) return;
    }
    this.discover(data, source, tries + 1);
  }

  /** Whether the station address at `mac` is that of the client which is being read. */
  private isClient(mac: number): boolean {
    const { chaddr } = this.reader;
    const { memory } = this.context.machine;
    for (let i = 0; i < 6; i++) if (memory[mac + i] !== chaddr[i]) return false;
    return true;
  }

  private conflict(slot: number, what: string): void {
    this.table.quarantine(slot);
    this.log(WARNING, `${what}: it is left alone for ${DHCP_QUARANTINE_SECONDS} s`);
  }

  private request(source: number): void {
    const { reader, table, pool } = this;
    const { ciaddr } = reader;
    const requested = reader.word(OPTION_REQUESTED_ADDRESS);
    const slot = table.find(this.key);
    if (reader.has(OPTION_SERVER_IDENTIFIER)) {
      if (reader.word(OPTION_SERVER_IDENTIFIER) === pool.router) {
        // SELECTING; or RENEWING of a client that names the server against the RFC.
        this.settle(slot, requested !== 0 ? requested : ciaddr, source);
      } else if (slot >= 0 && table.stateOf(slot) === OFFERED) {
        table.end(slot);
      }
      return;
    }
    const address = ciaddr !== 0 ? ciaddr : requested;
    if (address === 0) {
      // node-dhcp's client names neither server nor address in SELECTING; what it has been offered is meant.
      if (slot >= 0 && table.stateOf(slot) === OFFERED) this.settle(slot, table.addressOf(slot), source);
      return;
    }
    if (!pool.isLocal(address)) this.refuse('that address is of another network');
    else if (slot >= 0) this.settle(slot, address, source);
    else if (ciaddr !== 0) this.adopt(ciaddr, source); // RENEWING, REBINDING; INIT-REBOOT: silence
  }

  /** Acknowledges the address if it is the client's, or refuses it. */
  private settle(slot: number, address: number, source: number): void {
    const { table, pool } = this;
    if (slot < 0 || table.addressOf(slot) !== address) {
      this.refuse('that address is not yours');
    } else if (!pool.mayKeep(slot, this.reservation)) {
      table.forget(slot);
      this.refuse('that address is no longer yours');
    } else {
      this.bind(slot, source);
    }
  }

  /** A lease that runs, and that we have no record of: from before the power went. */
  private adopt(address: number, source: number): void {
    const { table, pool, key, reader } = this;
    if (!pool.mayAdopt(address, this.reservation)) {
      // Out of our range it may be another server's.
      if (pool.isInRange(address) || pool.reservationAt(address) !== undefined) {
        this.refuse('that address is not yours');
      }
      return;
    }
    if (!this.mayAdd(this.context.clock.now())) return;
    const other = table.at(address);
    if (other >= 0) table.forget(other);
    const slot = table.add(key, reader.htype, reader.chaddr, address);
    if (slot >= 0) this.bind(slot, source);
  }

  private bind(slot: number, source: number): void {
    const { table, reader } = this;
    const isNew = table.stateOf(slot) !== BOUND;
    table.setChaddr(slot, reader.htype, reader.chaddr);
    const seconds = this.secondsFor(slot);
    table.bind(slot, seconds, this.nameFor(slot));
    this.reply(ACK, slot, source);
    if (isNew) {
      const name = table.nameOf(slot);
      const client = `${formatMac(macOf(reader.chaddr))}${name === '' ? '' : ` (${name})`}`;
      this.log(INFO, `${formatAddress(table.addressOf(slot))} to ${client} for ${seconds} s`);
    }
  }

  /** The client's name if nobody else has it; its reservation's goes before its own. */
  private nameFor(slot: number): string {
    if (this.reservation !== undefined && this.reservation.name !== '') return this.reservation.name;
    const name = hostNameOf(this.reader);
    if (name === '') return '';
    const other = this.table.named(name);
    if (other >= 0 && other !== slot && this.table.stateOf(other) === BOUND) return '';
    return this.config.reservations.some(reservation => reservation.name === name) ? '' : name;
  }

  /** Seconds of the lease: what the client asks for, at most what is set, less while addresses are scarce. */
  private secondsFor(slot: number): number {
    const { pool, reservation } = this;
    let most = this.config.leaseSeconds;
    const waits = reservation !== undefined && reservation.address !== this.table.addressOf(slot);
    if (waits || (pool.isScarce && reservation === undefined))
      most = Math.min(most, DHCP_LEASE_SHORT_SECONDS);
    const asked = this.reader.word(OPTION_LEASE_TIME);
    return asked >= DHCP_LEASE_LEAST_SECONDS && asked < most ? asked : most;
  }

  private decline(): void {
    const { reader, table } = this;
    const slot = this.ownRecord(reader.word(OPTION_REQUESTED_ADDRESS));
    if (slot < 0) return;
    const address = formatAddress(table.addressOf(slot));
    this.conflict(slot, `${formatMac(macOf(reader.chaddr))} declines ${address}, which another host uses`);
  }

  private release(): void {
    const { table } = this;
    const slot = this.ownRecord(this.reader.ciaddr);
    if (slot < 0 || table.stateOf(slot) !== BOUND) return;
    table.end(slot);
    this.log(INFO, `${formatAddress(table.addressOf(slot))} was released`);
  }

  /** The client's record if it has this address and means us; -1 otherwise. */
  private ownRecord(address: number): number {
    const { reader, table } = this;
    if (reader.word(OPTION_SERVER_IDENTIFIER) !== this.pool.router) return -1;
    const slot = table.find(this.key);
    return slot >= 0 && table.addressOf(slot) === address ? slot : -1;
  }

  private inform(source: number): void {
    const { reader, pool } = this;
    const address = reader.ciaddr !== 0 ? reader.ciaddr : source;
    if (pool.isLocal(address)) this.replies.send(reader, ACK, { address: 0, seconds: 0, name: '' }, source);
  }

  private reply(type: number, slot: number, source: number): void {
    const address = this.table.addressOf(slot);
    const isBound = this.table.stateOf(slot) === BOUND && type === ACK;
    const left = Math.max(1, Math.round(this.table.ticksLeft(slot) / TICKS_PER_SECOND));
    const seconds = isBound ? left : this.secondsFor(slot);
    const name = this.reservation?.name ?? '';
    this.replies.send(this.reader, type, { address, seconds, name }, source);
  }

  private refuse(why: string): void {
    this.replies.refuse(this.reader, NAK, why);
  }
}

/** Six bytes for the log, whatever the hardware. */
function macOf(chaddr: Uint8Array): Uint8Array {
  if (chaddr.length === 6) return chaddr;
  const mac = new Uint8Array(6);
  mac.set(chaddr.subarray(0, 6));
  return mac;
}
