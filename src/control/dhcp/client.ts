// The DHCP client of the WAN: RFC 2131, section 4.4. It gets an address and keeps it; what is done with the
// address is its user's (src/control/wan/wan.ts). No message is believed that does not fit the state, the last xid and our
// station address.
//
//    stopped --start--> init --> selecting --OFFER--> requesting --ACK--> probing --> bound <-------------.
//       ^  stop          ^           ^                    |                  |          | T1              | ACK
//       |                |           '------ no ACK ------|                  |          v                 |
//     any state          |<------------- NAK -------------'                  |      renewing --T2--> rebinding
//                        |<---- somebody has the address: DECLINE -----------'          |                 |
//                        '<------------------------- NAK, or the lease is over ---------'-----------------'
//    rebooting: a restarted control asks whether the address that it still uses is good; then bound or init.
//
// One timer, set by each state:
//    init        at start up to START_TICKS; after a DECLINE 10 s, after many 60 s; after NAKs 0, 2, 4 ... 64 s
//    selecting   DISCOVER again after 4, 8, 16, 32, 64, 64, ... s (each ±1 s), for ever
//    requesting  REQUEST again after 4, 8, 16, 32 s (±1 s), then init
//    rebooting   REQUEST again after 4 and 8 s (±1 s), then on as if nothing had been asked
//    probing     PROBE_COUNT ARP probes PROBE_TICKS apart
//    bound       T1, less up to a 32nd of the lease, so that clients that started together part
//    renewing    REQUEST to the server, again after half of what is left until T2
//    rebinding   REQUEST to everybody, again after half of what is left of the lease
// Not here: what is sent (client-sender.ts), what a lease must look like (client-lease.ts).

import { IF_MAC, interfaceAt } from '../../base/interface.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress, formatMac, formatPrefix } from '../core/address.ts';
import { since, type Timer } from '../core/clock.ts';
import { DEBUG, NOTICE, WARNING } from '../core/log.ts';
import type { Datagram } from '../core/net/udp.ts';
import { type Lease, readLease } from './client-lease.ts';
import { createSender, type Sender } from './client-sender.ts';
import type { ClientContext, User } from './client-user.ts';
import { complete } from './complete.ts';
import { confirmLease, forgetLease, keptLease, writeLease } from './kept-lease.ts';
import { ACK, CLIENT_PORT, isAnswer, NAK, OFFER, Reader, SERVER_PORT } from './message.ts';
import { OPTION_SERVER_IDENTIFIER } from './options.ts';

export type State =
  | 'stopped'
  | 'init'
  | 'selecting'
  | 'requesting'
  | 'probing'
  | 'bound'
  | 'renewing'
  | 'rebinding'
  | 'rebooting';

/** RFC 2131 wants 1 to 10 s here, against many hosts that start at once. A router starts alone, and people wait. */
const START_TICKS = TICKS_PER_SECOND;
const BACKOFF_FIRST = 4;
const BACKOFF_LAST = 64;
/** REQUESTs for an offer: 4 + 8 + 16 + 32 s are the RFC's 60. */
const REQUEST_TRIES = 4;
/** A restarted control asks for 12 s whether its address is good, then uses it until its end (RFC 2131, 3.2). */
const REBOOT_TRIES = 2;
/**
 * RFC 5227 would probe for 3 to 7 s and then wait for 2 more. Who has an address on a wire answers in
 * milliseconds, and people wait: three probes in 0.6 s, and 0.3 s for the last answer.
 */
const PROBE_COUNT = 3;
const PROBE_TICKS = (3 * TICKS_PER_SECOND) / 10;
/** RFC 2131, section 3.1, step 5: ten seconds at least. RFC 5227, 2.1.1: 60 s after ten conflicts. */
const DECLINE_SECONDS = 10;
const DECLINE_LATER_SECONDS = 60;
const DECLINE_MANY = 10;
/**
 * RFC 2131, 4.4.5 repeats a renewal after 60 s at the soonest. On leases under 16 minutes that would leave one or
 * two tries, and two lost packets would cost the address: there it is a sixteenth of the lease, but 4 s at least.
 */
const RENEW_SECONDS = 60;
const RENEW_SHARE = 16;

export class DhcpClient {
  private readonly reader = new Reader();
  private readonly other = new Reader();
  private readonly sender: Sender;
  private current: State = 'stopped';
  private timer: Timer | undefined;
  private xid = 0;
  /** Messages or probes sent in this state. */
  private tries = 0;
  /** When we began to look for an address; `secs` of the last DISCOVER, which its REQUEST repeats. */
  private lookingSince = 0;
  private secs = 0;
  /** Offered or acknowledged, not in use yet, and the tick of the first request for it. */
  private candidate: Lease | undefined;
  private candidateTick = 0;
  /** The offer that was taken: what its ACK leaves out holds. */
  private offer: Uint8Array | undefined;
  /** In use, and the tick of the request that it answers: its times count from there. */
  private held: Lease | undefined;
  private heldTick = 0;
  /** The station that brought the last ACK: the server, or the router before it. */
  private station: Uint8Array | undefined;
  /** The address that we had last and would like again, or 0. */
  private wished = 0;
  private naks = 0;
  private conflicts = 0;
  /** What was complained of last: a server that goes on does not fill the log. */
  private complaint = '';

  constructor(
    private readonly context: ClientContext,
    private readonly user: User,
    /** The link on which it wants an address. */
    private readonly link: number,
  ) {
    this.sender = createSender(context.udp, link, () => this.mac(), user.identity);
  }

  get state(): State {
    return this.current;
  }

  /** The lease in use. */
  get lease(): Lease | undefined {
    return this.held;
  }

  /** Seconds since the lease in use was asked for. */
  get ageSeconds(): number {
    return Math.floor(this.ageTicks() / TICKS_PER_SECOND);
  }

  /** @param restarted control had died: the plane's memory holds the lease that is in use. */
  start(restarted: boolean): void {
    if (this.current !== 'stopped') return;
    const { machine, clock, udp, log } = this.context;
    if (!udp.open(CLIENT_PORT, 1 << this.link, datagram => this.receive(datagram))) {
      log(
        WARNING,
        'wan',
        `cannot open UDP port ${CLIENT_PORT} for DHCP: it or the table of sockets is taken`,
      );
      return;
    }
    this.lookingSince = clock.now();
    this.naks = 0;
    const kept = restarted ? keptLease(machine.memory) : undefined;
    const isWhole = kept !== undefined && this.reader.parse(kept.ack) === undefined;
    const lease = isWhole ? readLease(this.reader) : undefined;
    if (kept === undefined || lease === undefined || typeof lease === 'string') {
      forgetLease();
      this.user.use(undefined);
      if (this.wished === 0) this.wished = this.user.lastAddress?.() ?? 0;
      this.enter('init', this.below(START_TICKS));
      return;
    }
    this.held = lease;
    this.heldTick = kept.tick;
    this.wished = lease.address;
    this.user.use(lease);
    this.xid = this.context.random();
    this.enter('rebooting', 0);
  }

  /** Gives the lease back and stops. */
  stop(): void {
    if (this.current === 'stopped') return;
    if (this.held !== undefined) this.sender.release(this.context.random(), this.held, this.station);
    this.drop();
    this.enter('stopped', -1);
    this.context.udp.close(CLIENT_PORT);
  }

  /** Asks for more time, or for an address, now. */
  renew(): void {
    if (this.current === 'stopped') this.start(false);
    else if (this.current === 'bound') this.enter('renewing', 0);
    else if (this.held !== undefined) this.wake(0);
    else if (this.current !== 'probing') this.enter('init', 0);
  }

  // --- states -------------------------------------------------------------------------------------

  /** The one place where the state changes. After `ticks` (negative: never) it acts. */
  private enter(state: State, ticks: number): void {
    const { log, machine } = this.context;
    // What repeats itself, renewals and a server that goes on refusing, would push all else out of the log.
    const isRenewal = state === 'renewing' || (state === 'bound' && this.current === 'renewing');
    const isRoutine = isRenewal || this.complaint !== '';
    if (state !== this.current && !isRoutine) log(DEBUG, 'wan', `DHCP: ${this.current} -> ${state}`);
    this.current = state;
    this.tries = 0;
    if (state !== 'probing') machine.plane.arpProbeEnd(this.link);
    this.expect();
    this.wake(ticks);
  }

  /** Tells the plane whether an answer is waited for, and which: no other passes. */
  private expect(): void {
    const { plane } = this.context.machine;
    if (this.isWaiting()) plane.dhcpExpect(this.link, this.xid);
    else plane.dhcpExpectNothing();
  }

  private isWaiting(): boolean {
    const { current } = this;
    return (
      current === 'selecting' || current === 'requesting' || current === 'rebooting' || isExtending(current)
    );
  }

  private wake(ticks: number): void {
    const { clock } = this.context;
    if (this.timer !== undefined) clock.cancel(this.timer);
    this.timer = ticks < 0 ? undefined : clock.after(Math.floor(ticks), () => this.act());
  }

  /** The timer is due. */
  private act(): void {
    this.timer = undefined;
    switch (this.current) {
      case 'init':
        this.xid = this.context.random();
        this.enter('selecting', 0);
        break;
      case 'selecting':
        this.secs = this.secondsLooking();
        this.sender.discover(this.xid, this.secs, this.wished);
        this.wake(this.backoff());
        break;
      case 'requesting':
        this.select();
        break;
      case 'probing':
        this.probe();
        break;
      case 'rebooting':
        this.verify();
        break;
      case 'bound':
      case 'renewing':
      case 'rebinding':
        this.keep();
        break;
      case 'stopped':
        break;
    }
  }

  private select(): void {
    if (this.tries === REQUEST_TRIES) {
      this.enter('init', 0);
      return;
    }
    if (this.tries === 0) this.candidateTick = this.context.clock.now();
    this.sender.select(this.xid, this.secs, this.candidate as Lease);
    this.wake(this.backoff());
  }

  private verify(): void {
    const lease = this.held as Lease;
    if (this.tries === REBOOT_TRIES || this.isOver(lease)) {
      this.goOn(lease);
      return;
    }
    if (this.tries === 0) this.candidateTick = this.context.clock.now();
    this.sender.verify(this.xid, this.secondsLooking(), lease.address);
    this.wake(this.backoff());
  }

  /** Waits for T1 of the lease in use. */
  private goOn({ renewalSeconds, seconds }: Lease): void {
    const early = this.below((seconds * TICKS_PER_SECOND) / 32);
    this.enter('bound', Math.max(0, renewalSeconds * TICKS_PER_SECOND - early - this.ageTicks()));
  }

  /** T1 has passed: asks the server, from T2 on everybody, until the lease is over. */
  private keep(): void {
    const lease = this.held as Lease;
    if (this.isOver(lease)) {
      this.end(lease);
      return;
    }
    const isLate = this.ageTicks() >= lease.rebindingSeconds * TICKS_PER_SECOND;
    const state = isLate ? 'rebinding' : 'renewing';
    if (this.current !== state) {
      this.enter(state, 0);
      return;
    }
    // Another xid each time: so it is known which request an answer is for, and from when the lease counts.
    this.xid = this.context.random();
    this.expect();
    this.candidateTick = this.context.clock.now();
    this.sender.extend(this.xid, this.secondsLooking(), lease, isLate);
    const rest = (isLate ? lease.seconds : lease.rebindingSeconds) * TICKS_PER_SECOND - this.ageTicks();
    const least = Math.max(BACKOFF_FIRST, Math.min(RENEW_SECONDS, lease.seconds / RENEW_SHARE));
    this.wake(Math.min(rest, Math.max(rest / 2, least * TICKS_PER_SECOND)));
  }

  private end(lease: Lease): void {
    if (lease.isForever) {
      // Nobody renewed what needs no renewal: it counts anew.
      this.heldTick = this.context.clock.now();
      confirmLease(this.heldTick);
      this.goOn(lease);
      return;
    }
    this.context.log(
      NOTICE,
      'wan',
      `the lease of ${formatAddress(lease.address)} is over, no server renewed it`,
    );
    this.drop();
    this.enter('init', 0);
  }

  /** Asks by ARP whether somebody has the address; if nobody says so in time, it is ours. */
  private probe(): void {
    const { plane, memory } = this.context.machine;
    const lease = this.candidate as Lease;
    const at = plane.arpProbed(this.link);
    // The station that brought the ACK answers for everybody where it does proxy ARP (RFC 1027): no conflict.
    if (at !== 0 && !equal(memory.subarray(at, at + 6), this.station)) {
      this.decline(lease, formatMac(memory.subarray(at, at + 6)));
      return;
    }
    if (this.tries === PROBE_COUNT) {
      this.bind(lease);
      return;
    }
    this.tries++;
    plane.arpProbe(this.link, lease.address);
    this.wake(PROBE_TICKS);
  }

  private decline(lease: Lease, mac: string): void {
    this.context.log(NOTICE, 'wan', `${formatAddress(lease.address)} is declined: ${mac} has it`);
    this.sender.decline(this.context.random(), lease);
    this.conflicts++;
    this.wished = 0;
    this.drop();
    const seconds = this.conflicts < DECLINE_MANY ? DECLINE_SECONDS : DECLINE_LATER_SECONDS;
    this.enter('init', seconds * TICKS_PER_SECOND + this.below(TICKS_PER_SECOND));
  }

  /** Uses a lease from now on. */
  private bind(lease: Lease): void {
    const before = this.held;
    this.held = lease;
    this.heldTick = this.candidateTick;
    confirmLease(this.heldTick);
    this.candidate = undefined;
    this.wished = lease.address;
    this.naks = 0;
    this.conflicts = 0;
    this.complaint = '';
    this.lookingSince = this.context.clock.now();
    if (before?.address !== lease.address || before.server !== lease.server) {
      const time = lease.isForever ? 'for ever' : `for ${lease.seconds} s`;
      const prefix = formatPrefix(lease.address, lease.length);
      this.context.log(NOTICE, 'wan', `lease of ${prefix} ${time} from ${formatAddress(lease.server)}`);
    }
    this.user.use(lease);
    this.goOn(lease);
  }

  /** Has no lease any more: the address is not used from now on. */
  private drop(): void {
    forgetLease();
    this.candidate = undefined;
    if (this.held === undefined) return;
    this.held = undefined;
    this.lookingSince = this.context.clock.now();
    this.user.use(undefined);
  }

  // --- what comes in ------------------------------------------------------------------------------

  private receive(datagram: Datagram): void {
    const { reader } = this;
    if (datagram.sourcePort !== SERVER_PORT || !this.isWaiting()) return;
    if (!isAnswer(datagram.data, this.xid, this.mac()) || reader.parse(datagram.data) !== undefined) return;
    const { type } = reader;
    if (type === OFFER) this.offered(datagram);
    else if (type === ACK) this.acknowledged(datagram);
    else if (type === NAK) this.refused();
  }

  /** The first offer that can be used is taken: others would come later and be no better. */
  private offered(datagram: Datagram): void {
    if (this.current !== 'selecting') return;
    const lease = this.usable('offer');
    if (lease === undefined) return;
    this.candidate = lease;
    this.offer = datagram.data.slice();
    this.enter('requesting', 0);
  }

  private acknowledged(datagram: Datagram): void {
    if (!this.isAwaited()) return;
    const { reader } = this;
    const { memory } = this.context.machine;
    const before = this.current === 'requesting' ? this.offer : keptLease(memory)?.ack;
    const ack = complete(datagram.data, reader, before, this.other);
    if (ack !== datagram.data && reader.parse(ack) !== undefined) return;
    const lease = this.usable('acknowledgment');
    if (lease === undefined) return;
    this.offer = undefined;
    this.station = memory.slice(datagram.mac, datagram.mac + 6);
    if (this.held?.address === lease.address) {
      writeLease(memory, ack);
      this.bind(lease);
      return;
    }
    if (this.held !== undefined) {
      const [before, after] = [formatAddress(this.held.address), formatAddress(lease.address)];
      this.context.log(NOTICE, 'wan', `the server takes ${before} away and gives ${after}`);
    }
    this.drop();
    writeLease(memory, ack);
    this.candidate = lease;
    this.enter('probing', 0);
  }

  private refused(): void {
    if (!this.isAwaited()) return;
    const address = formatAddress((this.held ?? this.candidate)?.address ?? 0);
    const server = this.reader.word(OPTION_SERVER_IDENTIFIER);
    this.complain(`${formatAddress(server)} says that ${address} is not ours (NAK)`);
    this.drop();
    this.wished = 0;
    // A server that refuses what it has offered is not asked in a circle as fast as the wire is.
    const seconds = this.naks === 0 ? 0 : Math.min(BACKOFF_LAST, 1 << this.naks);
    this.naks = Math.min(this.naks + 1, 6);
    this.enter('init', seconds * TICKS_PER_SECOND + this.below(TICKS_PER_SECOND));
  }

  /**
   * Whether an ACK or NAK is what this state waits for: in requesting, from the chosen server only. An ACK that names none
   * is taken for its.
   */
  private isAwaited(): boolean {
    const { current, reader } = this;
    if (current === 'requesting') {
      const isUntold = reader.type === ACK && !reader.has(OPTION_SERVER_IDENTIFIER);
      return isUntold || reader.word(OPTION_SERVER_IDENTIFIER) === this.candidate?.server;
    }
    return current === 'rebooting' || isExtending(current);
  }

  /** The lease of the message, if it can be used. */
  private usable(what: string): Lease | undefined {
    const lease = readLease(this.reader);
    const why = typeof lease === 'string' ? lease : this.user.refuse(lease);
    if (typeof lease !== 'string' && why === undefined) return lease;
    const server = formatAddress(this.reader.word(OPTION_SERVER_IDENTIFIER));
    this.complain(`cannot use the ${what} of ${server}: ${why}`);
    return undefined;
  }

  private complain(text: string): void {
    if (text !== this.complaint) this.context.log(NOTICE, 'wan', text);
    this.complaint = text;
  }

  // --- time, chance, addresses ----------------------------------------------------------------------

  /** Counts a try; answers the ticks to wait before the next: 4, 8, ... 64 s ±1 s (RFC 2131, section 4.1). */
  private backoff(): number {
    const seconds = Math.min(BACKOFF_LAST, BACKOFF_FIRST << Math.min(this.tries, 4));
    this.tries++;
    return (seconds - 1) * TICKS_PER_SECOND + this.below(2 * TICKS_PER_SECOND + 1);
  }

  /** A random number from 0 to below `limit`. */
  private below(limit: number): number {
    return (this.context.random() >>> 0) % Math.max(1, Math.floor(limit));
  }

  private ageTicks(): number {
    return since(this.context.clock.now(), this.heldTick);
  }

  private isOver(lease: Lease): boolean {
    return this.ageTicks() >= lease.seconds * TICKS_PER_SECOND;
  }

  private secondsLooking(): number {
    const ticks = since(this.context.clock.now(), this.lookingSince);
    return ticks < 0 ? 0xffff : Math.min(0xffff, Math.floor(ticks / TICKS_PER_SECOND));
  }

  private mac(): Uint8Array {
    const at = interfaceAt(this.link) + IF_MAC;
    return this.context.machine.memory.subarray(at, at + 6);
  }
}

function isExtending(state: State): boolean {
  return state === 'renewing' || state === 'rebinding';
}

function equal(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
