// The DHCP server of the LAN: RFC 2131, section 4.3; client identifiers RFC 4361 and 6842; relays 4.1 and RFC 3046.
//
//    DISCOVER               -> OFFER, at once if the address is the client's now, else after a probe
//    REQUEST, SELECTING     -> ACK, or NAK if it is not what we offered; another server's: the offer ends
//             INIT-REBOOT   -> ACK, NAK for another network or address; a client that we do not know keeps its
//                              address if nobody answers for it
//             RENEWING, REBINDING -> ACK, NAK; a client that we have forgotten keeps its address if it is free
//    DECLINE                -> the address is left alone for DHCP_QUARANTINE_SECONDS; as RELEASE, of the lease's station only
//    RELEASE                -> the lease ends, the address is remembered for the client
//    INFORM                 -> ACK without a lease
//    BOOTP's request        -> the address that is reserved for the station, for good; others are not answered
//
// A new address is asked for by ARP before it is offered, and the offer waits DHCP_PROBE_TICKS for the answer: a
// row of addresses probed ahead of need would be stale when the need comes, a client that wants its old
// address back asks for one that nobody could foresee, and 0.2 s is a fifteenth of what udhcpc waits.
//
// Against floods: stations come in turn from the plane's queues, what each may say is bounded, and so are clients without a
// record (rates.ts); running leases are never taken away, and while the pool is scarce new ones are short.
// Timers: pending offers (DHCP_PROBE_TICKS each), sweep (SWEEP_TICKS: ends what is over, follows the LAN).
// Not here: whose a message is (asker.ts), the table (lease-table.ts), who gets which address (pool.ts), what a reply says (reply.ts).

import { INTERFACE_LAN, KEYED_TEXT_AT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress, formatMac } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import {
  DHCP_LEASE_LEAST_SECONDS,
  DHCP_LEASE_SHORT_SECONDS,
  DHCP_PROBE_TICKS,
  DHCP_PROBE_TRIES,
  DHCP_QUARANTINE_SECONDS,
  DHCP_REBOOT_TICKS,
} from '../core/limits.ts';
import { INFO, WARNING } from '../core/log.ts';
import type { Datagram } from '../core/net/udp.ts';
import type { LeaseStore } from '../core/store/stored-lease.ts';
import { Asker } from './asker.ts';
import { hostNameOf } from './host-name.ts';
import { ASIDE, BOUND, type Lease, type Leases, LeaseTable, OFFERED, RELAYED } from './lease-table.ts';
import { ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST, SERVER_PORT } from './message.ts';
import {
  OPTION_LEASE_TIME,
  OPTION_MESSAGE_TYPE,
  OPTION_REQUESTED_ADDRESS,
  OPTION_SERVER_IDENTIFIER,
} from './options.ts';
import { type DhcpConfig, defaultConfig, Pool } from './pool.ts';
import { Probes } from './probes.ts';
import { Rates } from './rates.ts';
import { Replies } from './reply.ts';

const SWEEP_TICKS = 10 * TICKS_PER_SECOND;

export class DhcpServer implements Leases {
  readonly config: DhcpConfig = defaultConfig();
  readonly table: LeaseTable;
  readonly pool: Pool;
  private readonly replies: Replies;
  private readonly probes: Probes;
  private readonly asker: Asker;
  private started = false;
  private isOpen = false;
  private readonly rates: Rates;

  constructor(
    private readonly context: Context,
    store?: LeaseStore,
    /** Those that the WAN was told of. */
    ntpServers: () => readonly number[] = () => [],
  ) {
    const { memory, plane } = context.machine;
    const keyedHash = (bytes: Uint8Array): number => {
      memory.set(bytes, KEYED_TEXT_AT);
      return plane.keyedHash(KEYED_TEXT_AT, bytes.length, 0);
    };
    this.table = new LeaseTable(memory, context.clock, keyedHash, store);
    this.pool = new Pool(this.config, this.table);
    this.probes = new Probes(context);
    this.asker = new Asker(this.table, this.pool);
    this.rates = new Rates(context.machine.memory, context.clock);
    this.replies = new Replies(context.udp, this.config, this.pool, ntpServers);
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
    const reserved = this.pool.reservationNamed(name);
    if (reserved !== undefined) return reserved.address;
    const slot = this.table.named(name);
    return slot >= 0 && this.table.stateOf(slot) === BOUND ? this.table.addressOf(slot) : undefined;
  }

  nameOf(address: number): string | undefined {
    const slot = this.table.at(address);
    const own = slot < 0 || this.table.stateOf(slot) !== BOUND ? '' : this.table.nameOf(slot);
    const names = this.config.reservations.filter(other => other.address === address && other.name !== '');
    // Of several that share the address, that of the one which has it.
    if (names.length === 0 || names.some(({ name }) => name === own)) return own || undefined;
    return names[0]?.name;
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
    this.rates.tell(text => this.log(WARNING, text));
    this.followLan();
    this.context.clock.after(SWEEP_TICKS, () => this.sweep());
  }

  private followLan(): void {
    if (!this.pool.refresh()) return;
    this.probes.clear();
    this.table.keep(address => this.pool.isHost(address));
  }

  private receive(datagram: Datagram): void {
    if (!this.rates.mayRead(datagram)) return;
    this.followLan();
    if (this.pool.router === 0) return;
    const { data, source, mac } = datagram;
    const isOurs = this.asker.read(data);
    this.rates.hasRead(this.asker.reader.pieces);
    if (!isOurs) return;
    switch (this.asker.reader.type) {
      case DISCOVER:
        this.discover(source, 0);
        break;
      case REQUEST:
        this.request(source);
        break;
      case DECLINE:
        this.decline(mac);
        break;
      case RELEASE:
        this.release(mac);
        break;
      case INFORM:
        this.inform(source);
        break;
      case 0:
        if (!this.asker.reader.has(OPTION_MESSAGE_TYPE)) this.bootp();
        break;
    }
  }

  private discover(source: number, tries: number): void {
    const { table, asker } = this;
    const doubtful = tries === 0 ? asker.doubtful() : -1;
    if (doubtful >= 0) {
      const address = table.addressOf(doubtful);
      this.ask(address, DHCP_PROBE_TICKS, holder => {
        if (table.at(address) === doubtful) this.resolve(doubtful, holder);
        this.discover(source, 1);
      });
      return;
    }
    const slot = this.choose(asker.reader.word(OPTION_REQUESTED_ADDRESS));
    if (slot < 0) return;
    if (table.stateOf(slot) !== BOUND) {
      table.offer(slot);
      if (!table.isProbed(slot)) {
        this.probe(slot, source, tries);
        return;
      }
    }
    this.reply(OFFER, slot, source);
  }

  /** Says whose the doubtful lease is, now that it is known who uses it. */
  private resolve(slot: number, holder: Uint8Array | undefined): void {
    const { table, asker } = this;
    if (table.find(asker.key) === slot) {
      if (holder !== undefined && !asker.isStation(holder)) this.noteCopy(slot);
    } else if (holder === undefined) this.takeOver(slot);
  }

  /** The client gets the running lease of another that is silent. */
  private takeOver(slot: number): void {
    const { key, reader } = this.asker;
    this.table.handOver(slot, key, reader.htype, reader.chaddr);
  }

  /** Two stations have one identifier: this one gets an address of its own. */
  private noteCopy(slot: number): void {
    const [who, other] = [formatMac(this.asker.mac), formatMac(this.table.chaddrOf(slot))];
    this.log(WARNING, `${who} has the client identifier of ${other}: is its system a copy?`);
    this.asker.noteCopy(slot);
  }

  /** Asks who has an address, and goes on with the message, as it is then, when the time for answers is over. */
  private ask(address: number, ticks: number, then: (holder: Uint8Array | undefined) => void): void {
    const { asker, rates } = this;
    const { chaddr, end } = asker.reader;
    const { group } = rates;
    this.probes.ask(address, ticks, chaddr, asker.data.subarray(0, end), (holder, data) => {
      rates.group = group;
      if (asker.read(data)) then(holder);
    });
  }

  /** The record with the address for the client that is being read; -1 if there is none to be had. */
  private choose(requested: number): number {
    const { table, pool } = this;
    const { key, reader, reservation } = this.asker;
    let slot = table.find(key);
    if (slot >= 0 && pool.mayKeep(slot, reservation, false)) return slot;
    if (slot < 0 && !this.rates.mayAdd()) return -1;
    if (slot >= 0) table.forget(slot);
    slot = -1;
    const address = pool.pick(key, slot, reservation, requested);
    if (address !== 0) slot = table.add(key, reader.htype, reader.chaddr, address);
    if (slot < 0) this.log(WARNING, `no address is left for ${formatMac(this.asker.mac)}`);
    return slot;
  }

  /** Asks whether anybody has the address, and offers it when nobody answers. */
  private probe(slot: number, source: number, tries: number): void {
    const { table } = this;
    const address = table.addressOf(slot);
    this.ask(address, DHCP_PROBE_TICKS, holder => {
      if (table.find(this.asker.key) !== slot || table.addressOf(slot) !== address) return;
      if (holder === undefined || this.asker.isStation(holder)) {
        table.setProbed(slot);
      } else {
        this.conflict(slot, `${formatAddress(address)} is used by ${formatMac(holder)}`, holder);
        if (tries + 1 === DHCP_PROBE_TRIES) return;
      }
      this.discover(source, tries + 1);
    });
  }

  private conflict(slot: number, what: string, holder?: Uint8Array): void {
    this.table.quarantine(slot, holder);
    this.log(WARNING, `${what}: it is left alone for ${DHCP_QUARANTINE_SECONDS} s`);
  }

  private request(source: number): void {
    const { table, pool, asker } = this;
    const { reader } = asker;
    const { ciaddr } = reader;
    const requested = reader.word(OPTION_REQUESTED_ADDRESS);
    const slot = table.find(this.asker.key);
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
    else if (ciaddr === 0) this.reboot(slot, address, source);
    else this.extend(slot, ciaddr, source);
  }

  /** RENEWING or REBINDING. */
  private extend(slot: number, address: number, source: number): void {
    const { table, asker } = this;
    let own = slot;
    if (own >= 0 && table.stateOf(own) === BOUND && !asker.isStationOf(own)) {
      // Both stations are at work with one identifier.
      this.noteCopy(own);
      own = table.find(asker.key);
    }
    if (own >= 0) this.settle(own, address, source);
    else this.adopt(address, source);
  }

  /** INIT-REBOOT: we are the LAN's one server, and say at once whether the address is the client's. */
  private reboot(slot: number, address: number, source: number): void {
    const { table, pool } = this;
    const { reservation } = this.asker;
    if (slot >= 0) {
      const fellow =
        reservation === undefined || table.addressOf(slot) !== address ? -1 : pool.fellow(reservation);
      if (fellow < 0 || fellow === slot) this.settle(slot, address, source);
      else {
        this.ask(reservation?.address as number, DHCP_REBOOT_TICKS, holder => {
          if (holder === undefined) this.refuse('your reserved address is free');
          else this.settle(table.find(this.asker.key), address, source);
        });
      }
      return;
    }
    if (!this.asker.mayReclaim(address)) this.refuse('that address is not yours');
    else if (this.rates.mayAdd()) {
      this.ask(address, DHCP_REBOOT_TICKS, holder => {
        const other = table.at(address);
        const isRunning = other >= 0 && table.stateOf(other) === BOUND;
        // Where the record is of its station by another identifier, that may be who answers.
        const isFree = holder === undefined || (!isRunning && this.asker.isStation(holder));
        if (!isFree || table.find(this.asker.key) >= 0 || !this.asker.mayReclaim(address))
          this.refuse('that address is not yours');
        else if (isRunning) {
          this.takeOver(other);
          this.bind(other, source);
        } else this.take(address, source);
      });
    }
  }

  /** Acknowledges the address if it is the client's, or refuses it. */
  private settle(slot: number, address: number, source: number): void {
    const { table, pool, asker } = this;
    if (slot < 0 || table.addressOf(slot) !== address) {
      this.refuse('that address is not yours');
    } else if (!pool.mayKeep(slot, asker.reservation, asker.reader.ciaddr !== 0)) {
      table.forget(slot);
      this.refuse('that address is no longer yours');
    } else {
      this.bind(slot, source);
    }
  }

  /** A lease that runs, and that we have no record of: from before the power went, or the station's by another identifier. */
  private adopt(address: number, source: number): void {
    const { table, pool } = this;
    const { reader, reservation, key } = this.asker;
    if (!pool.mayAdopt(address, reservation, reader.htype, reader.chaddr)) {
      // Out of our range it may be another server's.
      if (pool.isInRange(address) || pool.reservationAt(address) !== undefined) {
        this.refuse('that address is not yours');
      }
      return;
    }
    const other = table.at(address);
    if (other >= 0 && table.stateOf(other) === BOUND) {
      table.handOver(other, key, reader.htype, reader.chaddr);
      this.bind(other, source);
    } else if (this.rates.mayAdd()) this.take(address, source);
  }

  /** Makes a record of the client's address, whosever it was, and acknowledges it. */
  private take(address: number, source: number): void {
    const { table } = this;
    const { key, reader } = this.asker;
    const other = table.at(address);
    if (other >= 0) table.forget(other);
    const slot = table.add(key, reader.htype, reader.chaddr, address);
    if (slot >= 0) this.bind(slot, source);
  }

  private bind(slot: number, source: number): void {
    const { table } = this;
    const { reader, reservation } = this.asker;
    const isNew = table.stateOf(slot) !== BOUND || table.isHandedOver(slot);
    table.setChaddr(slot, reader.htype, reader.chaddr);
    const isAside = reservation !== undefined && reservation.address !== table.addressOf(slot);
    if (isNew) {
      table.mark(slot, ASIDE, isAside && this.pool.fellow(reservation) >= 0);
      table.mark(slot, RELAYED, reader.giaddr !== 0);
    }
    const seconds = this.secondsFor(slot);
    table.bind(slot, seconds, this.nameFor(slot, isNew));
    this.reply(ACK, slot, source);
    if (isNew) {
      const name = table.nameOf(slot);
      const client = `${formatMac(this.asker.mac)}${name === '' ? '' : ` (${name})`}`;
      this.log(INFO, `${formatAddress(table.addressOf(slot))} to ${client} for ${seconds} s`);
    }
  }

  /** The client's name; its reservation's goes before its own. A name goes to the newest of the leases that have it. */
  private nameFor(slot: number, isNew: boolean): string {
    const { table, pool } = this;
    const { reservation, reader } = this.asker;
    const reserved = reservation?.name ?? '';
    const name = reserved !== '' ? reserved : hostNameOf(reader);
    if (name === '') return '';
    if (reserved === '' && pool.reservationNamed(name) !== undefined) return '';
    const other = table.named(name);
    if (other < 0 || other === slot) return name;
    if (!isNew) return '';
    table.takeName(name);
    return name;
  }

  /** Seconds of the lease: what the client asks for, at most what is set, less while addresses are scarce. */
  private secondsFor(slot: number): number {
    const { pool } = this;
    const { reservation, reader } = this.asker;
    let most = this.config.leaseSeconds;
    const isReserved = reservation === undefined || reservation.address === this.table.addressOf(slot);
    const waits = !isReserved && !this.table.isMarked(slot, ASIDE);
    if (waits || (pool.isScarce && reservation === undefined))
      most = Math.min(most, DHCP_LEASE_SHORT_SECONDS);
    const asked = reader.word(OPTION_LEASE_TIME);
    return asked >= DHCP_LEASE_LEAST_SECONDS && asked < most ? asked : most;
  }

  private decline(from: number): void {
    const { table, asker } = this;
    const slot = this.ownRecord(asker.reader.word(OPTION_REQUESTED_ADDRESS), from);
    if (slot < 0) return;
    const address = formatAddress(table.addressOf(slot));
    this.conflict(slot, `${formatMac(this.asker.mac)} declines ${address}, which another host uses`);
  }

  private release(from: number): void {
    const { table } = this;
    const slot = this.ownRecord(this.asker.reader.ciaddr, from);
    if (slot < 0 || table.stateOf(slot) !== BOUND) return;
    table.end(slot);
    this.log(INFO, `${formatAddress(table.addressOf(slot))} was released`);
  }

  /** The client's record if it has this address, means us, and `from` (in the frame) is its station or a relay; else -1. */
  private ownRecord(address: number, from: number): number {
    const { table, asker } = this;
    const { reader } = asker;
    if (reader.word(OPTION_SERVER_IDENTIFIER) !== this.pool.router) return -1;
    const slot = table.find(asker.key);
    if (slot < 0 || table.addressOf(slot) !== address) return -1;
    if (reader.giaddr !== 0) return table.isMarked(slot, RELAYED) ? slot : -1;
    const frameSource = this.context.machine.memory.subarray(from, from + 6);
    return asker.isStationOf(slot) && asker.isStation(frameSource) ? slot : -1;
  }

  private inform(source: number): void {
    const { pool } = this;
    const { reader } = this.asker;
    const address = reader.ciaddr !== 0 ? reader.ciaddr : source;
    if (pool.isLocal(address)) this.replies.send(reader, ACK, { address: 0, seconds: 0, name: '' }, source);
  }

  /** RFC 951: a host that knows no leases gets what is reserved for it. */
  private bootp(): void {
    const { reader, reservation } = this.asker;
    if (reservation === undefined) return;
    const slot = this.table.at(reservation.address);
    const isTaken = slot >= 0 && this.table.stateOf(slot) === BOUND && !this.asker.isStationOf(slot);
    if (isTaken || !this.pool.isHost(reservation.address)) return;
    const { address, name } = reservation;
    this.replies.send(reader, 0, { address, seconds: 0, name }, 0);
  }

  private reply(type: number, slot: number, source: number): void {
    const address = this.table.addressOf(slot);
    const isBound = this.table.stateOf(slot) === BOUND && type === ACK;
    const left = Math.max(1, Math.round(this.table.ticksLeft(slot) / TICKS_PER_SECOND));
    const seconds = isBound ? left : this.secondsFor(slot);
    const name = this.asker.reservation?.name ?? '';
    this.replies.send(this.asker.reader, type, { address, seconds, name }, source);
  }

  private refuse(why: string): void {
    this.replies.refuse(this.asker.reader, NAK, why);
  }
}
