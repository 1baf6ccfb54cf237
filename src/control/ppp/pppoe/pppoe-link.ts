// One link that is a session of PPPoE: joins discovery (../discovery.ts), PPP (../session.ts) and the plane's line, and begins again when it has
// ended. What was agreed on lies in the plane, so that an open link does not need control.
//
//    down --set, dial--> asking --PADS--> negotiating --IPCP open--> up
//      ^                   ^                   |                      |
//      '-- hung up --------'---- waiting <-----'----------------------'
//
// One timer of its own: waiting      after an end: 1 to 3 s if it had lasted a minute, else the time of `retry`, twice as long each time; 5 minutes
//                                    at the least where user or password was refused. All a little longer by chance: concentrators come
//                                    back to a thousand houses at once
//                       negotiating  a minute, then it comes to nothing
//                       ending       five seconds for PPP's own end
//                       down         ten seconds while the card below is missing
//
// A session is remembered on the disk when it is given; after a power cut its concentrator is told first that it is over.
// Not here: the plane's side (session-line.ts), what is set (../options.ts), what is shown (../show-pppoe.ts).

import { INTERFACE_OUTSIDE } from '../../../base/interface.ts';
import { LOG_KIND_SESSION } from '../../../base/layout.ts';
import { SERIAL_COUNT, TICKS_PER_SECOND } from '../../../base/limits.ts';
import { LINE_MAGIC, LINE_OPEN, LINE_RX_FRAMES } from '../../../base/line-record.ts';
import { i32at } from '../../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH, PACKET_STATION } from '../../../base/packet.ts';
import { get16 } from '../../../wire/bytes.ts';
import { PPPOE_CODE, PPPOE_HEADER_BYTES, PPPOE_MRU, PPPOE_SESSION } from '../../../wire/pppoe.ts';
import { formatAddress } from '../../core/address.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Context } from '../../core/context.ts';
import { interfaceName } from '../../core/facts.ts';
import { NOTICE, WARNING } from '../../core/log.ts';
import { adopted, bringUp, type Pace, refuseResult, setPace, takeDown, unbind } from '../agreed.ts';
import { Discovery, type SessionPlace } from '../discovery.ts';
import type { LcpWay } from '../lcp.ts';
import type { LinkWants } from '../options.ts';
import { type Opened, Session, type SessionHost } from '../session.ts';
import { record, remembered } from './remembered.ts';
import { SessionLine, STATION_BYTES } from './session-line.ts';

/** The number of the first link, whose line is the first behind the serial ports'. */
const FIRST_LINK = 4;
/** Beside a datagram: Ethernet's header and FCS, PPPoE's header, the protocol. */
const FRAME_BYTES = 26;
/** How often it is looked whether the disk has been read, and whether the card is there. */
const READ_TICKS = 5;
const CARD_TICKS = 10 * TICKS_PER_SECOND;
const PPP_TICKS = 60 * TICKS_PER_SECOND;
const ENDING_TICKS = 5 * TICKS_PER_SECOND;
/** A session that has lasted so long was none that failed. */
const LASTED_TICKS = 60 * TICKS_PER_SECOND;
const AGAIN_TICKS = TICKS_PER_SECOND;
const AGAIN_CHANCE = 2 * TICKS_PER_SECOND;
/** Who does not know us does not know us in a minute: providers lock out who asks again and again. */
const REFUSED_SECONDS = 300;
/** What concentrators say that is no session goes to the log so often at most: a neighbour may say much. */
const TOLD_TICKS = 30 * TICKS_PER_SECOND;
/** Sessions that are remembered for `show ppp`. */
const ENDS = 8;

export type Failure = 'refused' | 'no ppp' | 'ended' | 'lost';

/** A session that is over. */
export interface End {
  /** Uptime in ticks when it was over, and ticks that it was up. */
  at: number;
  ticks: number;
  /** Undefined where it was meant to end, or had lasted. */
  failure: Failure | undefined;
  text: string;
}

export type PppoeState = 'down' | 'asking' | 'negotiating' | 'up' | 'ending' | 'waiting';

export class PppoeLink implements SessionHost {
  readonly clock: Clock;
  readonly name: string;
  readonly line: SessionLine;
  state: PppoeState = 'down';
  dns: readonly number[] = [];
  result: Opened | undefined;
  /** Uptime in ticks since when it is in this state. */
  since = 0;
  /** Uptime in ticks when it begins again. */
  again = 0;
  /** What a concentrator has said last that was no session; the last first. */
  said = '';
  readonly ends: End[] = [];
  readonly discovery: Discovery;
  private session: Session | undefined;
  private timer: Timer | undefined;
  private isGone = false;
  /** Nothing begins by itself until dial(). */
  private isHeld = false;
  private failures = 0;
  private upFrom: number | undefined;
  private stale: SessionPlace | undefined;
  /** Whose session it is or was, and who is not to be taken first. */
  private station: Uint8Array | undefined;
  private avoided: Uint8Array | undefined;
  /** Why we end it, and whether that is a failure. */
  private reason: { text: string; failure: Failure | undefined } | undefined;
  private toldAt: number | undefined;

  constructor(
    private readonly context: Context,
    readonly link: number,
    public wants: LinkWants,
    private readonly tell: () => void,
  ) {
    this.clock = context.clock;
    this.name = interfaceName(link);
    this.line = new SessionLine(context.machine, link, SERIAL_COUNT + link - FIRST_LINK);
    this.discovery = this.newDiscovery();
  }

  /** Of the plane's line. */
  get number(): number {
    return this.line.number;
  }

  private newDiscovery(): Discovery {
    const how = () => this.wants;
    return new Discovery(
      {
        clock: this.clock,
        random: () => this.random(),
        send: (station, code, session, tags) => this.line.discover(station, code, session, tags),
        opened: place => this.given(place),
        ended: text => {
          this.reason = { text, failure: 'ended' };
          this.over(text, false);
        },
        told: what => this.told(what),
      },
      {
        // Frames of 1,522 bytes are none that the cards' drivers take, so RFC 4638 is not asked for.
        mru: PPPOE_MRU,
        get service() {
          return how().service;
        },
        get concentrator() {
          return how().concentrator;
        },
      },
    );
  }

  private get hasLine(): boolean {
    return this.line.isBound(this.wants.below);
  }

  /** @param restarted control was started again, perhaps over an open session */
  start(restarted: boolean): void {
    const { line, context } = this;
    if (restarted && this.hasLine) {
      if (i32at(line.at + LINE_OPEN) !== 0) {
        this.resume();
        return;
      }
      this.stale = line.place;
    }
    if (this.hasLine) unbind(context.machine, line.number);
    this.since = this.clock.uptime();
    const { store, disk } = context;
    const task =
      this.stale !== undefined || disk === undefined
        ? undefined
        : store?.read(LOG_KIND_SESSION, ({ key, payload }) => {
            if (key === this.link) this.stale = remembered(payload, this.wants.below);
          });
    const begin = (): void => {
      if (this.isGone) return;
      if (task !== undefined && !task.done) this.wait(READ_TICKS, begin);
      else if (this.isWanted) this.begin();
    };
    begin();
  }

  /** Nothing of it stays. */
  stop(): void {
    this.isGone = true;
    this.rest();
    this.drop();
    const { plane } = this.context.machine;
    if (this.hasLine) plane.lineUnbind(this.line.number);
  }

  isOther({ below }: LinkWants): boolean {
    return below !== this.wants.below;
  }

  /** It is wanted otherwise: an open session goes on as it is, what waits begins at once. */
  change(wants: LinkWants): void {
    if (wants.text === this.wants.text) return;
    const hadMode = this.wants.caller.mode;
    this.wants = wants;
    if (wants.caller.mode !== hadMode) this.isHeld = false;
    if (this.state === 'up') setPace(this.context, this.link, this.pace);
    else if (this.state !== 'ending' && (this.state !== 'down' || this.isWanted)) this.dial();
  }

  private get isWanted(): boolean {
    return this.wants.caller.mode === 'always' && !this.isHeld;
  }

  /** By hand, at once; answers why not. */
  dial(): string | undefined {
    if (this.state === 'up') return 'it is up';
    if (this.state === 'ending') return 'it is ending';
    this.isHeld = false;
    this.failures = 0;
    this.avoided = undefined;
    this.drop();
    this.begin();
    return undefined;
  }

  /** By hand; answers why not. */
  hangUp(): string | undefined {
    if (this.state === 'down' && !this.isWanted) return 'it is down';
    this.isHeld = true;
    this.failures = 0;
    if (this.session !== undefined) this.end('hung up by hand', undefined);
    else {
      this.drop();
      this.go('down');
    }
    return undefined;
  }

  // --- what comes ------------------------------------------------------------------------------------------------

  /** A frame of the session's own. */
  frame(protocol: number, bytes: Uint8Array): void {
    this.session?.input(protocol, bytes);
  }

  /** A discovery packet by the card below. What is not waited for is not read. */
  discovered(packet: number): void {
    const { memory } = this.context.machine;
    const at = packet + PACKET_IP;
    const code = memory[at + PPPOE_CODE] as number;
    const session = get16(memory, at + PPPOE_SESSION);
    if (!this.discovery.awaits(code, session)) return;
    const station = memory.slice(packet + PACKET_STATION, packet + PACKET_STATION + STATION_BYTES);
    this.discovery.input(
      station,
      code,
      session,
      memory.slice(at + PPPOE_HEADER_BYTES, at + i32at(packet + PACKET_LENGTH)),
    );
  }

  // --- the way up and down ---------------------------------------------------------------------------------------

  private begin(): void {
    if (!this.hasLine && !this.line.bind(this.wants.below)) {
      this.said = `${interfaceName(this.wants.below)} has no card`;
      this.go('down', CARD_TICKS, () => this.begin());
      return;
    }
    this.reason = undefined;
    this.upFrom = undefined;
    this.said = '';
    this.go('asking');
    this.discovery.start(this.avoided, this.stale);
  }

  /** We end it, PPP first. */
  private end(text: string, failure: Failure | undefined): void {
    this.reason ??= { text, failure };
    this.go('ending', ENDING_TICKS, () => this.over('', false));
    this.session?.close(text);
  }

  /** A session that came to something or not is over: what now? */
  private over(text: string, wasRefused: boolean): void {
    const { clock, wants } = this;
    const now = clock.uptime();
    const ticks = this.upFrom === undefined ? 0 : now - this.upFrom;
    const hasLasted = ticks >= LASTED_TICKS;
    const failure = wasRefused ? 'refused' : this.upFrom === undefined ? 'no ppp' : 'lost';
    const why = this.reason ?? { text, failure: hasLasted ? undefined : failure };
    if (hasLasted) why.failure = undefined;
    // Who has let us in keeps its place before others.
    this.avoided = this.upFrom === undefined ? this.station : undefined;
    this.drop();
    this.ends.unshift({ at: now, ticks, ...why });
    this.ends.length = Math.min(this.ends.length, ENDS);
    this.log(
      why.failure === undefined ? `ends: ${why.text}` : `${why.failure}: ${why.text}`,
      why.failure !== undefined,
    );
    if (!this.isWanted) {
      this.go('down');
      return;
    }
    let wait = AGAIN_TICKS;
    this.failures = why.failure === undefined ? 0 : this.failures + 1;
    if (this.failures > 0) {
      const { retrySeconds, retryMostSeconds } = wants.caller;
      let seconds = Math.min(
        Math.max(retryMostSeconds, retrySeconds),
        retrySeconds * 2 ** Math.min(20, this.failures - 1),
      );
      if (why.failure === 'refused') seconds = Math.max(REFUSED_SECONDS, seconds);
      wait = seconds * TICKS_PER_SECOND;
    }
    wait += (this.random() >>> 1) % AGAIN_CHANCE;
    this.again = now + wait;
    this.go('waiting', wait, () => this.begin());
  }

  /** Session and discovery end, and what is bound stays: nobody is told but the concentrator. */
  private drop(): void {
    const { session, discovery } = this;
    this.session = undefined;
    session?.lost('');
    this.down();
    discovery.stop();
    if (this.hasLine) this.line.end();
  }

  /** Addresses and ways go. */
  private down(): void {
    const { result, link, wants, context } = this;
    if (result === undefined) return;
    this.result = undefined;
    this.dns = [];
    if (this.hasLine) context.machine.plane.lineOpen(this.line.number, 0);
    takeDown(context.machine, link, wants.side, result);
    this.tell();
  }

  /** Control was started again over an open session. */
  private resume(): void {
    const { line, wants } = this;
    const place = line.place;
    if (place !== undefined) this.discovery.resume(place);
    this.result = adopted(line.number);
    this.dns = this.result.dns;
    this.upFrom = this.clock.uptime();
    this.session = new Session(this, wants.session);
    const { mtu, local } = this.result;
    this.session.resume({ magic: i32at(line.at + LINE_MAGIC), mtu, local });
    this.go('up');
    this.log('goes on, as control was started again', false);
    this.tell();
  }

  get pace(): Pace {
    return { rate: this.wants.rate ?? 0, overhead: FRAME_BYTES, isShaped: true };
  }

  // --- for discovery ---------------------------------------------------------------------------------------------

  told(what: string): void {
    const now = this.clock.uptime();
    if (what === this.said) return;
    this.said = what;
    if (this.toldAt !== undefined && now - this.toldAt < TOLD_TICKS) return;
    this.toldAt = now;
    this.log(what, true);
  }

  /** There is a session: PPP begins in it. */
  private given(place: SessionPlace): void {
    if (!this.line.begin(place)) {
      this.end('no packet buffer is free', 'no ppp');
      return;
    }
    this.stale = undefined;
    this.station = place.station;
    const payload = record(place, this.wants.below);
    this.context.store?.keep({ kind: LOG_KIND_SESSION, key: this.link, payload }, true);
    this.go('negotiating', PPP_TICKS, () => this.end('PPP has come to nothing', 'no ppp'));
    this.session = new Session(this, this.wants.session);
    this.session.open();
  }

  // --- for PPP -----------------------------------------------------------------------------------------------------

  random(): number {
    return this.context.random();
  }

  send(protocol: number, bytes: Uint8Array): void {
    this.line.send(protocol, bytes);
  }

  framing(_send: Readonly<LcpWay>, receive: Readonly<LcpWay>, isOpen: boolean): void {
    this.context.machine.plane.lineEchoes(this.line.number, isOpen ? 1 : 0, receive.magic);
  }

  received(): number {
    return i32at(this.line.at + LINE_RX_FRAMES);
  }

  opened(result: Opened): void {
    const { wants, line } = this;
    const why = refuseResult(this.link, result);
    if (why !== undefined) {
      this.end(`cannot have the address ${formatAddress(result.local)}: ${why}`, 'no ppp');
      return;
    }
    this.result = result;
    // Peers say the one that they have twice.
    this.dns = wants.side === INTERFACE_OUTSIDE ? [...new Set(result.dns)] : [];
    bringUp(
      this.context,
      line.number,
      wants.side,
      { ...result, dns: this.dns },
      this.pace,
      !wants.session.ipcp.takesRemote,
    );
    this.upFrom ??= this.clock.uptime();
    this.go('up');
    const peer = result.remote === 0 ? 'one without an address' : formatAddress(result.remote);
    this.log(`up: ${formatAddress(result.local)}, peer ${peer}, MTU ${result.mtu}`, false);
    this.tell();
  }

  held(): void {
    this.down();
    this.go('negotiating', PPP_TICKS, () => this.end('PPP has come to nothing', undefined));
  }

  closed(reason: string, wasRefused: boolean): void {
    // Of a session that we let go nobody need hear.
    if (this.session !== undefined) this.over(reason, wasRefused);
  }

  private log(text: string, isBad: boolean): void {
    this.context.log(isBad ? WARNING : NOTICE, this.name, text);
  }

  // --- state and timer ---------------------------------------------------------------------------------------------

  /** The one place where the state changes, and with it the timer. */
  private go(state: PppoeState, ticks = -1, run: () => void = () => {}): void {
    if (state !== this.state) this.since = this.clock.uptime();
    this.state = state;
    this.wait(ticks, run);
  }

  private wait(ticks: number, run: () => void): void {
    this.rest();
    if (ticks < 0) return;
    this.timer = this.clock.after(ticks, () => {
      this.timer = undefined;
      run();
    });
  }

  private rest(): void {
    if (this.timer !== undefined) this.clock.cancel(this.timer);
    this.timer = undefined;
  }
}
