// Who calls: when the modem of a link dials, which number, how often, and when it hangs up. Here: the states of a call and what they wait for.
// Not here: what is said to the modem (dial-script.ts, chat.ts), PPP (session.ts), what calls may cost (budget.ts), the plane (line.ts).
//
//    idle --dial()--> dialling --chat is over--> negotiating --opened()--> up --+
//     ^  ^               | failed: the next number, 5 s later  |                | closed(), hangUp(), idle, limits, hours
//     |  |               v                                     v                v
//     |  '- planned --- hanging up <--------------------------------------------'
//     '---- waiting <------ '
//        it has failed: so long as RETRY has it, twice as long each time
//
// One timer: the pause between numbers and after a failure, hanging up, the bound of what may take for ever, and while a call is up the looks at
// how idle it is and what it costs. A call that has come to nothing is made again by itself where the link is always up, by the
// next packet where it is up on demand, never where it is dialled by hand. After an end of our own, or of a call that had
// lasted, the next one may begin at once.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { type Clock, since, type Timer } from '../core/clock.ts';
import type { Budget } from './budget.ts';
import { Chat } from './chat.ts';
import { CONNECT, type DialWants, dialScript, type Failure, failureOf } from './dial-script.ts';
import { type Hours, isWithin } from './hours.ts';

export type CallerState = 'idle' | 'waiting' | 'dialling' | 'negotiating' | 'up' | 'hanging up';
export type DialMode = 'demand' | 'always' | 'manual';

export interface CallerWants extends DialWants {
  mode: DialMode;
  /** In turn; none: a cable. */
  numbers: readonly string[];
  /** Seconds without traffic that end a call; 0: none do. */
  idleSeconds: number;
  /** Seconds after the first failure, and the most after further ones. */
  retrySeconds: number;
  retryMostSeconds: number;
  hours: readonly Hours[];
  /** What each begun piece of so many seconds costs; 0: nothing. */
  price: number;
  priceSeconds: number;
}

/** Why a call has ended, in words, and whether it was a failure. */
export interface Ending {
  text: string;
  failure: Failure | undefined;
}

/** A call that was made. */
export interface Call {
  /** Uptime in ticks when the modem began to dial. */
  from: number;
  /** Seconds that it cost, and what. */
  seconds: number;
  cost: number;
  number: string;
  /** Who wanted it. */
  who: string;
  /** What the modem said of the speed, or ''. */
  report: string;
  /** Undefined while it goes on. */
  end: Ending | undefined;
}

export interface CallerHost {
  readonly clock: Clock;
  readonly budget: Budget;
  /** Seconds since 1970 by the zone's clock, where the time of day is known. */
  localSeconds(): number | undefined;
  sendBytes(bytes: Uint8Array): void;
  sendBreak(): void;
  setDtr(isOn: boolean): void;
  /** Undefined where the line has none to go by. */
  hasCarrier(): boolean | undefined;
  /** The peer is there: PPP begins, with so many of the bytes that came last. It answers by opened() and closed(). */
  begin(unread: number): void;
  /** Ends PPP in good order; closed() follows. */
  end(reason: string): void;
  /** The line is the modem's again, whatever PPP was about. */
  release(): void;
  /** Ticks since the last packet that counts. */
  idleTicks(): number;
  /** No call comes about: what waits for one need not wait. */
  gaveUp(): void;
  /** A call is over that has worked: what has come to wait since asks for another. */
  askAnew(): void;
  /** What budget.record() says is to be kept. */
  keep(): void;
  log(text: string, isBad: boolean): void;
}

/** Calls that are remembered. */
export const CALLS = 20;
const NEXT_NUMBER_TICKS = 5 * TICKS_PER_SECOND;
/** Modems want a second without DTR; then the line is let settle. */
const DTR_TICKS = 2 * TICKS_PER_SECOND;
/** Around `+++`, by which a modem is told that ignores DTR. */
const GUARD_TICKS = 1.5 * TICKS_PER_SECOND;
/** PPP has its own timers, which end it long before. */
const PPP_TICKS = 180 * TICKS_PER_SECOND;
const ENDING_TICKS = 10 * TICKS_PER_SECOND;
const LOOK_TICKS = 2 * TICKS_PER_SECOND;
/** How often a link that is to be up always looks whether it may. */
const MAY_TICKS = 30 * TICKS_PER_SECOND;
/** A call that has lasted so long was none that failed. */
const LASTED_SECONDS = 60;
/** Who does not know us does not know us in a minute: providers lock out who asks again and again. */
const REFUSED_SECONDS = 300;
/** The record is written so long before what it says is used up. */
const KEEP_TICKS = 540 * TICKS_PER_SECOND;

/** Failures after which another number may do. */
const OTHER_NUMBER: readonly Failure[] = ['busy', 'no carrier', 'no answer', 'no ppp', 'login'];

/** Those that nobody has answered. One whose modems did not agree was answered. */
const FREE: readonly Failure[] = ['busy', 'no dial tone', 'no answer', 'no modem'];

export class Caller {
  state: CallerState = 'idle';
  readonly calls: Call[] = [];
  private chat: Chat | undefined;
  private timer: Timer | undefined;
  private index = 0;
  private failures = 0;
  private wasUp = false;
  private isConnected = false;
  /** Nothing dials until dial(): it was hung up by hand. */
  private isHeld = false;
  private ending: Ending | undefined;
  /** Who wants a call as soon as this one has been hung up. */
  private wanted: string | undefined;
  private upTick = 0;
  private keptTick = 0;
  private retryTick = 0;

  constructor(
    private readonly host: CallerHost,
    private wants: CallerWants,
  ) {}

  /** The link's settings are whole. @param isUp control alone was restarted, over a call that goes on */
  start(isUp: boolean): void {
    if (isUp) this.adopt();
    else if (this.wants.mode === 'always') this.dialIfMay();
  }

  /** The settings are others, or gone: at once, and nobody is told. */
  stop(): void {
    this.chat?.stop();
    this.chat = undefined;
    this.host.release();
    if (this.state !== 'idle' && this.state !== 'waiting') this.host.setDtr(false);
    this.finishCall('the settings have changed', undefined);
    this.go('idle');
  }

  /** Other wishes hold at once; a call that goes on stays. */
  change(wants: CallerWants): void {
    const isOther = wants.mode !== this.wants.mode;
    this.wants = wants;
    if (isOther) this.isHeld = false;
    if (isOther && wants.mode === 'always') this.dialIfMay();
  }

  get call(): Call | undefined {
    const last = this.calls[0];
    return last?.end === undefined ? last : undefined;
  }

  /** Ticks until a call may be made again, after a failure. */
  get waitTicks(): number {
    return this.state === 'waiting' ? Math.max(0, since(this.retryTick, this.host.clock.now())) : 0;
  }

  /** By hand, at once even after a failure; answers why not. */
  dial(who: string): string | undefined {
    if (this.state === 'up') return 'it is up';
    if (this.state !== 'idle' && this.state !== 'waiting' && this.state !== 'hanging up')
      return `it is ${this.state}`;
    const why = this.noCall();
    if (why !== undefined) return why;
    this.isHeld = false;
    this.failures = 0;
    if (this.state === 'hanging up') this.wanted = who;
    else this.begin(who);
    return undefined;
  }

  /** A packet wants to go; false: it cannot be waited for. */
  demand(who: string): boolean {
    if (this.wants.mode !== 'demand' || this.isHeld) return false;
    // Before the next number there is a pause, which is waited for.
    if (this.state === 'waiting') return this.index > 0;
    if (this.state !== 'idle' && this.state !== 'hanging up') return true;
    if (this.noCall() !== undefined) return false;
    if (this.state === 'hanging up') this.wanted = who;
    else this.begin(who);
    return true;
  }

  /** By hand; answers why not. */
  hangUp(): string | undefined {
    const isManual = this.wants.mode === 'manual';
    if (this.state === 'idle' && (isManual || this.isHeld)) return 'it is down';
    this.isHeld = !isManual;
    this.wanted = undefined;
    if (this.state === 'idle' || this.state === 'waiting') {
      this.failures = 0;
      this.go('idle');
      this.host.gaveUp();
    } else if (this.state !== 'hanging up') this.end('hung up by hand');
    return undefined;
  }

  /** Why nothing dials by itself now. */
  refusal(): string | undefined {
    return this.isHeld ? 'it was hung up by hand, until dial' : this.noCall();
  }

  /** Why no call may be made now, not by hand either. */
  private noCall(): string | undefined {
    if (!isWithin(this.wants.hours, this.host.localSeconds())) return 'it is not the time for it';
    return this.host.budget.refusal();
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  /** Bytes from the line while the modem is spoken to. */
  input(bytes: Uint8Array): void {
    this.chat?.input(bytes);
  }

  /** PPP is open. */
  opened(): void {
    if (this.state !== 'negotiating') return;
    this.failures = 0;
    this.wasUp = true;
    this.upTick = this.host.clock.now();
    this.go('up', LOOK_TICKS, () => this.look());
  }

  /** PPP is over. */
  closed(reason: string, wasRefused: boolean): void {
    if (this.state !== 'negotiating' && this.state !== 'up') return;
    let failure: Failure | undefined;
    if (this.ending === undefined) {
      failure = wasRefused ? 'refused' : this.wasUp ? 'lost' : 'no ppp';
      if (failure === 'lost' && this.upSeconds >= LASTED_SECONDS) failure = undefined;
      this.ending = { text: reason, failure };
    }
    this.hangs();
  }

  /** The modem's carrier has gone. */
  carrierLost(): void {
    if (this.state === 'dialling') this.chat?.hungUp();
    else this.closed('The line was hung up', false);
  }

  private get upSeconds(): number {
    return since(this.host.clock.now(), this.upTick) / TICKS_PER_SECOND;
  }

  // --- a call ---------------------------------------------------------------------------------------------------

  private adopt(): void {
    this.calls.unshift({
      from: this.host.clock.uptime(),
      seconds: 0,
      cost: 0,
      number: '',
      who: '',
      report: '',
      end: undefined,
    });
    this.host.budget.begin();
    this.isConnected = true;
    this.state = 'negotiating';
    this.opened();
  }

  private begin(who: string): void {
    this.index = 0;
    this.next(who);
  }

  /** Dials the number whose turn it is. */
  private next(who: string): void {
    const { host, wants } = this;
    const number = wants.numbers[this.index] ?? '';
    const from = host.clock.uptime();
    this.calls.unshift({ from, seconds: 0, cost: 0, number, who, report: '', end: undefined });
    this.calls.length = Math.min(this.calls.length, CALLS);
    this.wasUp = false;
    this.isConnected = false;
    this.ending = undefined;
    this.go('dialling');
    host.log(number === '' ? `begins, for ${who}` : `dials ${number}, for ${who}`, false);
    const steps = dialScript(wants, number);
    if (typeof steps === 'string') {
      this.failed({ text: steps, failure: 'no modem' });
      return;
    }
    // From now on somebody may answer, and it costs.
    host.budget.begin();
    this.keep();
    this.chat = new Chat(
      {
        clock: host.clock,
        send: bytes => host.sendBytes(bytes),
        sendBreak: () => host.sendBreak(),
        say: text => host.log(text, false),
        echo: () => {},
        report: line => this.reported(line),
        done: () => this.connected(),
        failed: (reason, abort) =>
          this.failed({ text: reason, failure: failureOf(abort, reason, this.isConnected) }),
      },
      steps,
    );
    this.chat.start();
  }

  private reported(line: string): void {
    if (!this.isConnected && line.startsWith(CONNECT)) this.host.budget.answered();
    this.isConnected = true;
    if (this.call !== undefined) this.call.report = line;
  }

  private connected(): void {
    const unread = this.chat?.unread ?? 0;
    this.chat = undefined;
    this.isConnected = true;
    this.go('negotiating', PPP_TICKS, () => this.end('PPP has come to nothing', 'no ppp'));
    this.host.begin(unread);
  }

  private failed(ending: Ending): void {
    this.chat = undefined;
    this.ending = ending;
    this.hangs();
  }

  /** We end it, in good order. */
  private end(reason: string, failure?: Failure): void {
    if (this.state === 'dialling') {
      this.chat?.stop();
      this.failed({ text: reason, failure });
      return;
    }
    this.ending ??= { text: reason, failure };
    this.wait(ENDING_TICKS, () => this.hangs());
    this.host.end(reason);
  }

  /** While it is up. */
  private look(): void {
    const { host, wants } = this;
    const { clock, budget } = host;
    if (host.hasCarrier() === false) {
      this.carrierLost();
      return;
    }
    const left = budget.left();
    if (left === 0) this.end('what calls may cost is used up');
    else if (!isWithin(wants.hours, host.localSeconds())) this.end('the time for calls is over');
    else if (
      wants.mode !== 'always' &&
      wants.idleSeconds > 0 &&
      host.idleTicks() >= wants.idleSeconds * TICKS_PER_SECOND
    )
      this.end('nobody has used it');
    if (this.ending !== undefined) return;
    if (since(clock.now(), this.keptTick) >= KEEP_TICKS) this.keep();
    this.wait(Math.min(LOOK_TICKS, Math.ceil(left) * TICKS_PER_SECOND), () => this.look());
  }

  private keep(): void {
    this.keptTick = this.host.clock.now();
    this.host.keep();
  }

  // --- hanging up ----------------------------------------------------------------------------------------------

  private hangs(): void {
    const { host } = this;
    this.chat = undefined;
    host.release();
    host.setDtr(false);
    this.go('hanging up', DTR_TICKS, () => {
      host.setDtr(true);
      if (host.hasCarrier() === true) this.escape();
      else this.over();
    });
  }

  /** The modem has not heard of DTR. */
  private escape(): void {
    this.wait(GUARD_TICKS, () => {
      this.host.sendBytes(Uint8Array.of(43, 43, 43));
      this.wait(GUARD_TICKS, () => {
        this.host.sendBytes(Uint8Array.of(65, 84, 72, 13));
        this.wait(DTR_TICKS, () => this.over());
      });
    });
  }

  private finishCall(text: string, failure: Failure | undefined): void {
    const { call, host, wants } = this;
    if (call === undefined) return;
    call.seconds = host.budget.end(failure !== undefined && FREE.includes(failure));
    if (wants.price > 0 && this.isConnected)
      call.cost = wants.price * Math.ceil(call.seconds / wants.priceSeconds);
    call.end = { text, failure };
    this.keep();
  }

  /** The line is free: what now? */
  private over(): void {
    const { host, wants, wanted } = this;
    const { text, failure } = this.ending ?? { text: 'The line was hung up', failure: undefined };
    const who = this.call?.who ?? '';
    this.finishCall(text, failure);
    this.ending = undefined;
    this.wanted = undefined;
    host.log(failure === undefined ? `ends: ${text}` : `${failure}: ${text}`, failure !== undefined);
    if (failure !== undefined) {
      if (
        OTHER_NUMBER.includes(failure) &&
        ++this.index < wants.numbers.length &&
        this.refusal() === undefined
      ) {
        this.retryTick = (host.clock.now() + NEXT_NUMBER_TICKS) | 0;
        this.go('waiting', NEXT_NUMBER_TICKS, () => this.next(who));
        return;
      }
      this.failures++;
      this.index = 0;
      this.waits(failure, who);
      host.gaveUp();
      return;
    }
    this.go('idle');
    if (wanted !== undefined && this.refusal() === undefined) this.begin(wanted);
    else if (wants.mode === 'always') this.dialIfMay();
    if (this.state !== 'idle') return;
    if (this.wasUp && wanted === undefined) host.askAnew();
    else host.gaveUp();
  }

  /** After a failure. */
  private waits(failure: Failure, who: string): void {
    const { wants, host } = this;
    if (wants.mode === 'manual') {
      this.go('idle');
      return;
    }
    const most = Math.max(wants.retryMostSeconds, wants.retrySeconds);
    let seconds = Math.min(most, wants.retrySeconds * 2 ** Math.min(20, this.failures - 1));
    if (failure === 'refused') seconds = Math.max(REFUSED_SECONDS, seconds);
    const ticks = seconds * TICKS_PER_SECOND;
    this.retryTick = (host.clock.now() + ticks) | 0;
    this.go('waiting', ticks, () => {
      this.go('idle');
      if (wants.mode === 'always') this.dialIfMay(who);
    });
  }

  private dialIfMay(who = 'the link, which is to be up always'): void {
    if (this.state !== 'idle' || this.isHeld) return;
    if (this.refusal() === undefined) this.begin(who);
    else this.wait(MAY_TICKS, () => this.dialIfMay());
  }

  // --- state and timer ----------------------------------------------------------------------------------------

  /** The one place where the state changes, and with it the timer. */
  private go(state: CallerState, ticks = -1, run: () => void = () => {}): void {
    this.state = state;
    this.wait(ticks, run);
  }

  private wait(ticks: number, run: () => void): void {
    this.rest();
    if (ticks < 0) return;
    this.timer = this.host.clock.after(ticks, () => {
      this.timer = undefined;
      run();
    });
  }

  private rest(): void {
    if (this.timer !== undefined) this.host.clock.cancel(this.timer);
    this.timer = undefined;
  }
}
