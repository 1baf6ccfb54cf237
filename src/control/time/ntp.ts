// The NTP client: a round asks all servers one after the other; what the majority of those that answer says sets the wall
// clock (majority.ts), and the next round comes later and later. RFC 4330, sections 5, 8 and 10; RFC 5905, section 7.4
// (kiss-o'-death).
//
//    OFF -> WAITING -> RESOLVING -> ASKED -> ... -> WAITING      OFF: no server is known
//
// Timers:  waiting   the start delay, the poll interval after a round, or the back-off after silence or disagreement
//          asked     ANSWER_TICKS after a request: the server is given up for this round; RESOLVE_TICKS after
//                    a name was looked up
//
// A time before the firmware was built, or after 2100, is no answer. Where one server answers it is believed alone, for a
// second one that is dead must not stop the clock; our own clock has no vote, as the liar may have set it.
//
// Of a name all addresses are tried, one after the other, until one answers; that one goes first the next time.
// When the WAN gets an address, what was asked in vain is asked again at once.
//
// Servers that were set go before those that DHCP has told (option 42), and replace them.
// Not here: messages as bytes (ntp-message.ts), the clock itself (src/control/core/wall-clock.ts), commands (time.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress } from '../core/address.ts';
import { dateText } from '../core/civil.ts';
import { since, type Timer } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { NTP_ADDRESSES, NTP_SERVERS } from '../core/limits.ts';
import { INFO, WARNING } from '../core/log.ts';
import { type Datagram, isQuoteOf } from '../core/net/udp.ts';
import { ANY_INTERFACE } from '../core/sockets.ts';
import type { WallClock } from '../core/wall-clock.ts';
import { majority } from './majority.ts';
import { type Answer, buildRequest, NTP_BYTES, readAnswer } from './ntp-message.ts';

const NTP_PORT = 123;
const ANSWER_TICKS = 3 * TICKS_PER_SECOND;
const RESOLVE_TICKS = 10 * TICKS_PER_SECOND;
/**
 * After power-on, so that a street that gets its power back does not ask at once. RFC 4330, section 10 advises
 * minutes for clients of public servers; without an RTC these would be minutes without the time.
 */
const START_LEAST_SECONDS = 1;
const START_SECONDS = 15;
/** Never less than 15 s (RFC 4330, section 10, rule 1). */
const POLL_LEAST_SECONDS = 64;
const POLL_MOST_SECONDS = 4096;
const RETRY_LEAST_SECONDS = 16;
/**
 * An outage ends without a word where the address stays the same: the time is known two minutes later. Dead servers are
 * asked no more often than live ones may be.
 */
const RETRY_MOST_SECONDS = 128;
/** Between two requests, whatever happens (RFC 4330, section 10, rule 1). */
const SPACING_TICKS = 15 * TICKS_PER_SECOND;
/** A way there and back that takes longer says too little. */
const DELAY_MOST_MS = 2000;
/** A step worth a line in the log. */
const STEP_MS = 500;
/** A step of a clock that was set which nobody expects: a day. */
const STEP_WARNING_MS = 24 * 3600 * 1000;
/** Servers that differ by no more than twice this and their errors agree: a router needs seconds, not milliseconds. */
const MARGIN_MS = 250;

export type NtpState = 'OFF' | 'WAITING' | 'RESOLVING' | 'ASKED';

interface Server {
  /** Address or name, as it was set. */
  text: string;
  isName: boolean;
  /** What is to be tried, the best first; none until the name is resolved. */
  addresses: number[];
  /** Those of a name that have said that they do not want us. */
  refusing: number[];
  /** None is left that wants us (kisses DENY and RSTR). */
  denied: boolean;
  /** What it told was not believed, and the log has said so. */
  doubted: boolean;
}

/** What a server has told in this round. */
interface Told {
  server: Server;
  stratum: number;
  /** The time at which the round began, and what it may be off, milliseconds. */
  time: number;
  error: number;
}

export interface Ntp {
  start(): void;
  /** The servers that were set, as text. */
  readonly servers: readonly string[];
  /** Adds a server, by address or name; false if there is no room. */
  add(text: string, address: number): boolean;
  /** False if there is none. */
  remove(text: string): boolean;
  /** The WAN has an address, or another one: what was asked in vain is asked again. */
  hurry(): void;
  /** The servers that DHCP tells. */
  learn(addresses: readonly number[]): void;
  readonly state: NtpState;
  /** Servers in use, as text; "denied" behind those that refuse us. */
  listing(): string[];
  /** Ticks until the next request; undefined if none is due. */
  nextIn(): number | undefined;
}

/** Finds the addresses of a name; `done` is called once, later, with none if there are none. */
export type Resolve = (name: string, done: (addresses: number[]) => void) => void;

/** @param isSet told after each time that the clock was set. */
export class NtpClient implements Ntp {
  private readonly request = new Uint8Array(NTP_BYTES);
  state: NtpState = 'OFF';
  private timer: Timer | undefined;
  private set: Server[] = [];
  private learnt: Server[] = [];
  /** The servers of this round, which of them is asked now, and what those before it have told. */
  private round: Server[] = [];
  private place = 0;
  private told: Told[] = [];
  private rated = false;
  private roundAt = 0;
  private port = 0;
  private askedAt = 0;
  private nonceHigh = 0;
  private nonceLow = 0;
  private pollSeconds = POLL_LEAST_SECONDS;
  private retrySeconds = RETRY_LEAST_SECONDS;
  private silent = false;
  /** The last round set the clock. */
  private good = false;
  /** The uptime at which a request was sent last. */
  private sentAt: number | undefined;
  private started = false;
  /** Counts the states, so that a name that is resolved too late is told from one that is waited for. */
  private turn = 0;
  private readonly clock: Context['clock'];
  private readonly log: Context['log'];
  private readonly random: Context['random'];
  private readonly udp: Context['udp'];

  constructor(
    context: Context,
    private readonly wallClock: WallClock,
    private readonly isSet: () => void,
    private readonly resolveName: Resolve,
  ) {
    this.clock = context.clock;
    this.log = context.log;
    this.random = context.random;
    this.udp = context.udp;
  }

  start(): void {
    this.started = true;
    this.wait(START_LEAST_SECONDS + ((this.random() >>> 0) % START_SECONDS));
  }

  get servers() {
    return this.set.map(({ text }) => text);
  }

  add(text: string, address: number): boolean {
    if (this.set.some(server => server.text === text)) return true;
    if (this.set.length === NTP_SERVERS) return false;
    this.set.push(this.serverOf(text, address));
    this.renew();
    return true;
  }

  remove(text: string): boolean {
    const kept = this.set.filter(server => server.text !== text);
    if (kept.length === this.set.length) return false;
    this.set = kept;
    this.renew();
    return true;
  }

  learn(addresses: readonly number[]): void {
    const texts = addresses.slice(0, NTP_SERVERS).map(formatAddress);
    if (texts.join() === this.learnt.map(({ text }) => text).join()) return;
    this.learnt = texts.map((text, i) => this.serverOf(text, addresses[i] as number));
    if (this.set.length === 0) this.renew();
  }

  listing(): string[] {
    return (this.set.length > 0 ? this.set : this.learnt).map(({ text, denied }) =>
      denied ? `${text} (denied)` : text,
    );
  }

  nextIn(): number | undefined {
    return this.state === 'WAITING' && this.timer !== undefined
      ? since(this.timer.tick, this.clock.now())
      : undefined;
  }

  private usable(): Server[] {
    return (this.set.length > 0 ? this.set : this.learnt).filter(({ denied }) => !denied);
  }

  /** The one place where the state changes. */
  private enter(next: NtpState, ticks: number, then: () => void): void {
    if (this.port !== 0) this.udp.close(this.port);
    if (this.timer !== undefined) this.clock.cancel(this.timer);
    this.port = 0;
    this.turn++;
    this.state = next;
    this.timer = next === 'OFF' ? undefined : this.clock.after(ticks, then);
  }

  /** Waits for so many seconds, a tenth more or less, so that clients do not stay in step. */
  private wait(seconds: number): void {
    if (this.usable().length === 0) {
      this.enter('OFF', 0, () => this.begin());
      return;
    }
    const ticks = seconds * TICKS_PER_SECOND;
    this.enter('WAITING', Math.round(ticks * 0.9) + (Math.abs(this.random()) % Math.ceil(ticks / 5)), () =>
      this.begin(),
    );
  }

  private begin(): void {
    this.round = this.usable();
    this.place = 0;
    this.told = [];
    this.rated = false;
    this.roundAt = this.clock.now();
    this.ask();
  }

  /** Asks the server whose turn it is; behind the last one the round is over. */
  private ask(): void {
    const server = this.round[this.place];
    if (server === undefined) {
      this.decide();
      return;
    }
    const [address] = server.addresses;
    if (address === undefined) {
      this.resolve(server);
      return;
    }
    this.enter('ASKED', ANSWER_TICKS, () => this.failed());
    this.nonceHigh = this.random();
    this.nonceLow = this.random();
    buildRequest(this.request, this.nonceHigh, this.nonceLow);
    this.port = this.udp.openRandom(
      ANY_INTERFACE,
      datagram => this.receive(server, address, datagram),
      quoted => {
        if (isQuoteOf(quoted, this.request, NTP_BYTES)) this.failed();
      },
    );
    this.askedAt = this.clock.now();
    // Not sent, for want of a route or a buffer: the timer ends it as it would a lost request.
    if (this.port !== 0 && this.udp.send(address, NTP_PORT, this.port, this.request))
      this.sentAt = this.clock.uptime();
  }

  private resolve(server: Server): void {
    this.enter('RESOLVING', RESOLVE_TICKS, () => this.failed());
    const mine = this.turn;
    this.resolveName(server.text, addresses => {
      if (this.turn !== mine) return;
      const wanted = addresses.filter(address => !server.refusing.includes(address));
      server.addresses = wanted.slice(0, NTP_ADDRESSES);
      server.denied = addresses.length > 0 && wanted.length === 0;
      if (wanted.length === 0) this.next();
      else this.ask();
    });
  }

  /** No answer, or none that is good. A name may have another address; behind its last one it is looked up anew. */
  private failed(): void {
    const server = this.round[this.place];
    if (server?.isName === true) server.addresses.shift();
    if (server?.isName === true && server.addresses.length > 0) this.ask();
    else this.next();
  }

  private next(): void {
    this.place++;
    this.ask();
  }

  private receive(server: Server, address: number, datagram: Datagram): void {
    if (datagram.source !== address || datagram.sourcePort !== NTP_PORT) return;
    const answer = readAnswer(datagram.data, this.nonceHigh, this.nonceLow);
    // What does not fit may be a stranger's: the true answer may still come.
    if (typeof answer === 'string') return;
    if ('kiss' in answer) this.kissed(server, address, answer.kiss);
    else this.answered(server, answer);
  }

  private answered(server: Server, { received, transmitted, stratum, rootError }: Answer): void {
    const now = this.clock.now();
    const roundTrip = (since(now, this.askedAt) * 1000) / TICKS_PER_SECOND;
    const delay = Math.max(0, roundTrip - (transmitted - received));
    if (delay > DELAY_MOST_MS) return;
    const time = transmitted + delay / 2;
    if (!this.wallClock.isPossible(time)) {
      this.doubt(server, time, 'which cannot be');
      this.failed();
      return;
    }
    // Of one moment: the round takes seconds.
    this.told.push({
      server,
      stratum,
      time: time - this.millisecondsOf(now),
      error: delay / 2 + rootError + MARGIN_MS,
    });
    this.next();
  }

  private millisecondsOf(tick: number): number {
    return (since(tick, this.roundAt) * 1000) / TICKS_PER_SECOND;
  }

  private doubt(server: Server, time: number, why: string): void {
    if (!server.doubted)
      this.log(WARNING, 'ntp', `${server.text} tells ${dateText(Math.floor(time / 1000))} UTC, ${why}`);
    server.doubted = true;
  }

  /** The round is over. */
  private decide(): void {
    const agreed = majority(this.told);
    const [best] = agreed;
    this.good = best !== undefined;
    if (best === undefined) {
      if (this.told.length > 0)
        for (const { server, time } of this.told) this.doubt(server, time, 'and no majority agrees');
      else if (!this.silent && this.round.length > 0)
        this.log(INFO, 'ntp', `no time from ${this.round.map(({ text }) => text).join(', ')}`);
      this.silent = true;
      this.wait(this.rated ? POLL_MOST_SECONDS : this.retrySeconds);
      this.retrySeconds = Math.min(RETRY_MOST_SECONDS, this.retrySeconds * 2);
      return;
    }
    for (const each of this.told) {
      if (agreed.includes(each)) each.server.doubted = false;
      else this.doubt(each.server, each.time, 'and the majority something else');
    }
    this.setClock(best);
    this.silent = false;
    this.retrySeconds = RETRY_LEAST_SECONDS;
    if (this.rated) this.pollSeconds = POLL_MOST_SECONDS;
    this.wait(this.pollSeconds);
    this.pollSeconds = Math.min(POLL_MOST_SECONDS, this.pollSeconds * 2);
    this.isSet();
  }

  private setClock({ server, stratum, time: atStart }: Told): void {
    const now = this.clock.now();
    const time = atStart + this.millisecondsOf(now);
    const before = this.wallClock.milliseconds(now);
    this.wallClock.set(time, now, `NTP server ${server.text}, stratum ${stratum}`, true);
    const step = before === undefined ? 0 : time - before;
    if (!this.silent && before !== undefined && Math.abs(step) <= STEP_MS) return;
    const by = before === undefined ? '' : `, ${(step / 1000).toFixed(1)} s later than ours`;
    this.log(
      Math.abs(step) > STEP_WARNING_MS ? WARNING : INFO,
      'ntp',
      `${this.wallClock.text()} from ${server.text}${by}`,
    );
  }

  /**
   * RATE asks for patience, DENY and RSTR send away for good. All others mean nothing to a client (RFC 5905, section 7.4):
   * a server that has just been switched on answers INIT until it has the time itself.
   */
  private kissed(server: Server, address: number, kiss: string): void {
    const isDenial = kiss === 'DENY' || kiss === 'RSTR';
    if (isDenial || kiss === 'RATE') this.log(INFO, 'ntp', `${server.text} answers ${kiss}`);
    if (isDenial && server.isName) server.refusing.push(address);
    else server.denied = isDenial;
    this.rated ||= kiss === 'RATE';
    this.failed();
  }

  /** Begins anew after the servers have changed. */
  private renew(): void {
    if (!this.started) return;
    this.silent = false;
    this.good = false;
    this.pollSeconds = POLL_LEAST_SECONDS;
    this.retrySeconds = RETRY_LEAST_SECONDS;
    this.wait(START_LEAST_SECONDS);
  }

  hurry(): void {
    if (!this.started || this.usable().length === 0 || this.rated || (this.good && this.state === 'WAITING'))
      return;
    this.retrySeconds = RETRY_LEAST_SECONDS;
    const spaced = this.sentAt === undefined ? 0 : SPACING_TICKS - (this.clock.uptime() - this.sentAt);
    this.enter('WAITING', Math.max(START_LEAST_SECONDS * TICKS_PER_SECOND, spaced), () => this.begin());
  }

  private serverOf(text: string, address: number): Server {
    const addresses = address === 0 ? [] : [address];
    return { text, isName: address === 0, addresses, refusing: [], denied: false, doubted: false };
  }
}
