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
// Not here: messages as bytes (ntp-message.ts), the clock itself (wall-clock.ts), commands (time.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress } from '../core/address.ts';
import { dateText } from '../core/civil.ts';
import { since, type Timer } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { NTP_ADDRESSES, NTP_SERVERS } from '../core/limits.ts';
import { INFO, WARNING } from '../core/log.ts';
import { type Datagram, isQuoteOf } from '../core/net/udp.ts';
import { ANY_INTERFACE } from '../core/sockets.ts';
import { majority } from './majority.ts';
import { type Answer, buildRequest, NTP_BYTES, readAnswer } from './ntp-message.ts';
import type { WallClock } from './wall-clock.ts';

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

/** @param isSet told after each time that the clock was set. */
export function createNtp(context: Context, wallClock: WallClock, isSet: () => void): Ntp {
  const { clock, log, random, udp } = context;
  const request = new Uint8Array(NTP_BYTES);
  let state: NtpState = 'OFF';
  let timer: Timer | undefined;
  let set: Server[] = [];
  let learnt: Server[] = [];
  /** The servers of this round, which of them is asked now, and what those before it have told. */
  let round: Server[] = [];
  let place = 0;
  let told: Told[] = [];
  let rated = false;
  let roundAt = 0;
  let port = 0;
  let askedAt = 0;
  let nonceHigh = 0;
  let nonceLow = 0;
  let pollSeconds = POLL_LEAST_SECONDS;
  let retrySeconds = RETRY_LEAST_SECONDS;
  let silent = false;
  /** The last round set the clock. */
  let good = false;
  /** The uptime at which a request was sent last. */
  let sentAt: number | undefined;
  let started = false;
  /** Counts the states, so that a name that is resolved too late is told from one that is waited for. */
  let turn = 0;

  const usable = (): Server[] => (set.length > 0 ? set : learnt).filter(({ denied }) => !denied);

  /** The one place where the state changes. */
  function enter(next: NtpState, ticks: number, then: () => void): void {
    if (port !== 0) udp.close(port);
    if (timer !== undefined) clock.cancel(timer);
    port = 0;
    turn++;
    state = next;
    timer = next === 'OFF' ? undefined : clock.after(ticks, then);
  }

  /** Waits for so many seconds, a tenth more or less, so that clients do not stay in step. */
  function wait(seconds: number): void {
    if (usable().length === 0) {
      enter('OFF', 0, begin);
      return;
    }
    const ticks = seconds * TICKS_PER_SECOND;
    enter('WAITING', Math.round(ticks * 0.9) + (Math.abs(random()) % Math.ceil(ticks / 5)), begin);
  }

  function begin(): void {
    round = usable();
    place = 0;
    told = [];
    rated = false;
    roundAt = clock.now();
    ask();
  }

  /** Asks the server whose turn it is; behind the last one the round is over. */
  function ask(): void {
    const server = round[place];
    if (server === undefined) {
      decide();
      return;
    }
    const [address] = server.addresses;
    if (address === undefined) {
      resolve(server);
      return;
    }
    enter('ASKED', ANSWER_TICKS, failed);
    nonceHigh = random();
    nonceLow = random();
    buildRequest(request, nonceHigh, nonceLow);
    port = udp.openRandom(
      ANY_INTERFACE,
      datagram => receive(server, address, datagram),
      quoted => {
        if (isQuoteOf(quoted, request, NTP_BYTES)) failed();
      },
    );
    askedAt = clock.now();
    // Not sent, for want of a route or a buffer: the timer ends it as it would a lost request.
    if (port !== 0 && udp.send(address, NTP_PORT, port, request)) sentAt = clock.uptime();
  }

  function resolve(server: Server): void {
    enter('RESOLVING', RESOLVE_TICKS, failed);
    const mine = turn;
    // Without DNS, the timer ends it.
    context.resolve?.(server.text, addresses => {
      if (turn !== mine) return;
      const wanted = addresses.filter(address => !server.refusing.includes(address));
      server.addresses = wanted.slice(0, NTP_ADDRESSES);
      server.denied = addresses.length > 0 && wanted.length === 0;
      if (wanted.length === 0) next();
      else ask();
    });
  }

  /** No answer, or none that is good. A name may have another address; behind its last one it is looked up anew. */
  function failed(): void {
    const server = round[place];
    if (server?.isName === true) server.addresses.shift();
    if (server?.isName === true && server.addresses.length > 0) ask();
    else next();
  }

  function next(): void {
    place++;
    ask();
  }

  function receive(server: Server, address: number, datagram: Datagram): void {
    if (datagram.source !== address || datagram.sourcePort !== NTP_PORT) return;
    const answer = readAnswer(datagram.data, nonceHigh, nonceLow);
    // What does not fit may be a stranger's: the true answer may still come.
    if (typeof answer === 'string') return;
    if ('kiss' in answer) kissed(server, address, answer.kiss);
    else answered(server, answer);
  }

  function answered(server: Server, { received, transmitted, stratum, rootError }: Answer): void {
    const now = clock.now();
    const roundTrip = (since(now, askedAt) * 1000) / TICKS_PER_SECOND;
    const delay = Math.max(0, roundTrip - (transmitted - received));
    if (delay > DELAY_MOST_MS) return;
    const time = transmitted + delay / 2;
    if (!wallClock.isPossible(time)) {
      doubt(server, time, 'which cannot be');
      failed();
      return;
    }
    // Of one moment: the round takes seconds.
    told.push({
      server,
      stratum,
      time: time - millisecondsOf(now),
      error: delay / 2 + rootError + MARGIN_MS,
    });
    next();
  }

  function millisecondsOf(tick: number): number {
    return (since(tick, roundAt) * 1000) / TICKS_PER_SECOND;
  }

  function doubt(server: Server, time: number, why: string): void {
    if (!server.doubted)
      log(WARNING, 'ntp', `${server.text} tells ${dateText(Math.floor(time / 1000))} UTC, ${why}`);
    server.doubted = true;
  }

  /** The round is over. */
  function decide(): void {
    const agreed = majority(told);
    const [best] = agreed;
    good = best !== undefined;
    if (best === undefined) {
      if (told.length > 0) for (const { server, time } of told) doubt(server, time, 'and no majority agrees');
      else if (!silent && round.length > 0)
        log(INFO, 'ntp', `no time from ${round.map(({ text }) => text).join(', ')}`);
      silent = true;
      wait(rated ? POLL_MOST_SECONDS : retrySeconds);
      retrySeconds = Math.min(RETRY_MOST_SECONDS, retrySeconds * 2);
      return;
    }
    for (const each of told) {
      if (agreed.includes(each)) each.server.doubted = false;
      else doubt(each.server, each.time, 'and the majority something else');
    }
    setClock(best);
    silent = false;
    retrySeconds = RETRY_LEAST_SECONDS;
    if (rated) pollSeconds = POLL_MOST_SECONDS;
    wait(pollSeconds);
    pollSeconds = Math.min(POLL_MOST_SECONDS, pollSeconds * 2);
    isSet();
  }

  function setClock({ server, stratum, time: atStart }: Told): void {
    const now = clock.now();
    const time = atStart + millisecondsOf(now);
    const before = wallClock.milliseconds(now);
    wallClock.set(time, now, `NTP server ${server.text}, stratum ${stratum}`, true);
    const step = before === undefined ? 0 : time - before;
    if (!silent && before !== undefined && Math.abs(step) <= STEP_MS) return;
    const by = before === undefined ? '' : `, ${(step / 1000).toFixed(1)} s later than ours`;
    log(
      Math.abs(step) > STEP_WARNING_MS ? WARNING : INFO,
      'ntp',
      `${wallClock.text()} from ${server.text}${by}`,
    );
  }

  /**
   * RATE asks for patience, DENY and RSTR send away for good. All others mean nothing to a client (RFC 5905, section 7.4):
   * a server that has just been switched on answers INIT until it has the time itself.
   */
  function kissed(server: Server, address: number, kiss: string): void {
    const isDenial = kiss === 'DENY' || kiss === 'RSTR';
    if (isDenial || kiss === 'RATE') log(INFO, 'ntp', `${server.text} answers ${kiss}`);
    if (isDenial && server.isName) server.refusing.push(address);
    else server.denied = isDenial;
    rated ||= kiss === 'RATE';
    failed();
  }

  /** Begins anew after the servers have changed. */
  function renew(): void {
    if (!started) return;
    silent = false;
    good = false;
    pollSeconds = POLL_LEAST_SECONDS;
    retrySeconds = RETRY_LEAST_SECONDS;
    wait(START_LEAST_SECONDS);
  }

  function hurry(): void {
    if (!started || usable().length === 0 || rated || (good && state === 'WAITING')) return;
    retrySeconds = RETRY_LEAST_SECONDS;
    const spaced = sentAt === undefined ? 0 : SPACING_TICKS - (clock.uptime() - sentAt);
    enter('WAITING', Math.max(START_LEAST_SECONDS * TICKS_PER_SECOND, spaced), begin);
  }

  function serverOf(text: string, address: number): Server {
    const addresses = address === 0 ? [] : [address];
    return { text, isName: address === 0, addresses, refusing: [], denied: false, doubted: false };
  }

  return {
    start: () => {
      started = true;
      wait(START_LEAST_SECONDS + ((random() >>> 0) % START_SECONDS));
    },
    get servers() {
      return set.map(({ text }) => text);
    },
    add: (text, address) => {
      if (set.some(server => server.text === text)) return true;
      if (set.length === NTP_SERVERS) return false;
      set.push(serverOf(text, address));
      renew();
      return true;
    },
    remove: text => {
      const kept = set.filter(server => server.text !== text);
      if (kept.length === set.length) return false;
      set = kept;
      renew();
      return true;
    },
    hurry,
    learn: addresses => {
      const texts = addresses.slice(0, NTP_SERVERS).map(formatAddress);
      if (texts.join() === learnt.map(({ text }) => text).join()) return;
      learnt = texts.map((text, i) => serverOf(text, addresses[i] as number));
      if (set.length === 0) renew();
    },
    get state() {
      return state;
    },
    listing: () =>
      (set.length > 0 ? set : learnt).map(({ text, denied }) => (denied ? `${text} (denied)` : text)),
    nextIn: () => (state === 'WAITING' && timer !== undefined ? since(timer.tick, clock.now()) : undefined),
  };
}
