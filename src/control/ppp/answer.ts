// Who is called: a link that waits on a modem or a null-modem cable, lets somebody in, and waits again.
// Not here: what a modem says (ringing.ts), the modem that is none (hayes.ts), prompts (login.ts), who may (accounts.ts), calling back (call-back.ts), PPP (session.ts), the list (calls.ts).
//
//    preparing --the modem is set up--> waiting for a call --RING--> answering --CONNECT--> login --frames, or logged in--> negotiating
//       ^  ^                                |                                                ^            opened() |
//       |  |                                '--cable: ATD---------------------------------- '                      v
//       |  |                                '--cable: frames, CLIENT------------------------> negotiating          up
//       |  '-- hanging up <-- nobody speaks, no carrier, a wrong password, `+++`, the end ------------------------- '
//       '-- calling back <-- '  a user with a number, who has shown who he is
//
// One timer, of the state: how long it may last; and one for looks at the line while somebody is there. Who fails is let wait: hanging up takes
// the longer the more calls in a row came to nothing.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress } from '../core/address.ts';
import type { Timer } from '../core/clock.ts';
import { callbackOf, giveAddress, hasCallbacks, hasUsers, isUser } from './accounts.ts';
import type { AnswerHost, AnswerState, AnswerWants } from './answer-wants.ts';
import { AtRest, ESCAPE, modemWish } from './at-rest.ts';
import { CallBack } from './call-back.ts';
import type { Call } from './caller.ts';
import { Calls, printable } from './calls.ts';
import { FrameStart } from './frame-start.ts';
import { Hayes } from './hayes.ts';
import { isWithin } from './hours.ts';
import { Login } from './login.ts';
import { bytesOf } from './packet.ts';
import { Ringing } from './ringing.ts';
import type { SessionWants } from './session.ts';
import { Told } from './told.ts';

const SECOND = TICKS_PER_SECOND;
/** How long who has been answered may say nothing, or be logging in. */
const LOGIN_TICKS = 60 * SECOND;
/** Behind which PPP begins by itself where nobody is asked for a name. */
const SILENT_TICKS = 5 * SECOND;
const CONNECT_TICKS = 90 * SECOND;
const PPP_TICKS = 60 * SECOND;
const ENDING_TICKS = 10 * SECOND;
const LOOK_TICKS = SECOND;
/** For DTR; and on a cable, where nobody has to notice it. */
const DTR_TICKS = 2 * SECOND;
const CABLE_TICKS = SECOND / 2;
const GUARD_TICKS = 1.5 * SECOND;
/** A modem that does not answer is asked again after so long, twice as long each time. */
const MODEM_TICKS = 30 * SECOND;
const MODEM_MOST_TICKS = 900 * SECOND;
/** A failed call is followed by a second of silence, of two seconds, and so on up to this. */
const PENALTY_MOST_TICKS = 60 * SECOND;

export class Answerer {
  state: AnswerState = 'preparing';
  /** It has no call that has to wait. */
  readonly waitTicks = 0;
  private readonly modem: Ringing | undefined;
  private readonly hayes: Hayes | undefined;
  private readonly login: Login;
  private frames = new FrameStart();
  private rest: AtRest;
  private timer: Timer | undefined;
  private looks: Timer | undefined;
  /** The cable's caller has dialled, and is told when it is over. */
  private hasDialled = false;
  private from = '';
  /** Who has logged in by the prompts, or ''. */
  private user = '';
  private wasUp = false;
  private ending: { text: string; isFailure: boolean } | undefined;
  /** Calls in a row that came to nothing, and times that the modem said nothing. */
  private failures = 0;
  private deaf = 0;
  private readonly list: Calls;
  private readonly told: Told;
  private readonly back: CallBack;

  constructor(
    private readonly host: AnswerHost,
    private wants: AnswerWants,
  ) {
    const send = (text: string) => this.send(text);
    this.list = new Calls(host.clock);
    this.told = new Told(host.clock, (text, isBad) => host.log(text, isBad));
    this.back = new CallBack(
      host,
      () => this.prepare(),
      calls => this.list.add(calls),
    );
    this.rest = new AtRest(host.port);
    this.login = new Login({
      clock: host.clock,
      send,
      isUser: (name, password) => {
        const isRight = isUser(this.wants.accounts, name, password);
        if (!isRight) this.told.tell(`a wrong name or password is typed: ${printable(name)}`, true);
        return isRight;
      },
      loggedIn: name => this.loggedIn(name),
      failed: why => this.fails(why),
    });
    if (wants.isModem)
      this.modem = new Ringing({
        clock: host.clock,
        send,
        ready: () => this.isReady(),
        rang: (count, from) => this.rang(count, from),
        connected: report => this.connected(report),
        failed: word => this.modemFailed(word),
        stale: () => this.prepare(),
      });
    else
      this.hayes = new Hayes({
        send,
        connected: () => {
          this.hasDialled = true;
          this.connected('');
        },
        isGuest: () => this.isGuest(),
      });
  }

  /** @param isUp control alone was restarted, over a call that goes on */
  start(isUp: boolean): void {
    if (!isUp) {
      this.prepare();
      return;
    }
    this.begins('');
    this.go('negotiating');
    this.opened();
    // It may be a call of ours, to a user who is called back, with its own hours and budget: nobody knows that any more.
    const { isSlip, accounts } = this.wants;
    if (this.modem !== undefined && !isSlip && hasCallbacks(accounts))
      this.end('control was started again, and a call back would not be known', false);
  }

  /** The settings are others, or gone: at once, and nobody is told. */
  stop(): void {
    this.modem?.stop();
    this.login.stop();
    this.back.stop();
    this.host.release();
    if (this.call !== undefined) this.host.setDtr(false);
    else if (this.modem !== undefined && isAlone(this.wants)) this.send('ATS0=0\r');
    this.list.finish('the settings have changed');
    this.wait(-1);
    this.look(false);
  }

  /** Other wishes hold from the next call on. */
  change(wants: AnswerWants): void {
    const isOther = wants.init !== this.wants.init || isAlone(wants) !== isAlone(this.wants);
    this.wants = wants;
    if (isOther && this.state === 'waiting for a call') this.prepare();
  }

  get calls(): Call[] {
    return this.list.all;
  }

  get call(): Call | undefined {
    return this.list.open;
  }

  dial(_who: string): string | undefined {
    return 'it waits for who calls';
  }

  /** By hand; answers why not. */
  hangUp(): string | undefined {
    if (this.call === undefined) return 'nobody has called';
    this.end('hung up by hand', false);
    return undefined;
  }

  /** Why nobody is answered now. */
  refusal(): string | undefined {
    const { hours } = this.wants;
    return hours.length === 0 || isWithin(hours, this.host.localSeconds())
      ? undefined
      : 'it is not the time for it';
  }

  /** What PPP is to be: who has logged in need not show once more who he is. */
  get session(): SessionWants {
    const { session } = this.wants;
    const known: SessionWants['known'] = (name, ipcp) => this.known(name, ipcp);
    // Addresses are each session's own: known() writes his into them.
    if (this.user === '') return { ...session, known, ipcp: { ...session.ipcp } };
    return { ...session, lcp: { ...session.lcp, demanded: [] }, ipcp: this.addresses() };
  }

  /** The addresses of who has logged in. */
  private addresses(): SessionWants['ipcp'] {
    const ipcp = { ...this.wants.session.ipcp };
    giveAddress(this.wants.accounts, this.user, ipcp);
    return ipcp;
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  /** Bytes from the line while they are no frames. */
  input(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      const { state } = this;
      if (state === 'login' || (state === 'waiting for a call' && this.hayes !== undefined)) {
        if (this.frames.isFrame(byte) && !this.wants.isSlip) {
          if (state !== 'login') this.begins('');
          this.negotiate(bytes.length - i + 1);
          return;
        }
      }
      if (state === 'login') this.login.input(byte);
      else if (this.modem !== undefined) this.modem.input(byte);
      else if (state === 'waiting for a call') this.hayes?.input(byte);
      if (this.state === 'negotiating') return;
    }
  }

  opened(): void {
    if (this.state !== 'negotiating') return;
    this.wasUp = true;
    this.failures = 0;
    this.list.named(this.host.result?.peer ?? '');
    this.go('up');
    this.look(true);
  }

  /** PPP is over. */
  closed(reason: string, _wasRefused: boolean): void {
    if (this.state !== 'negotiating' && this.state !== 'up') return;
    this.ending ??= { text: reason, isFailure: !this.wasUp };
    this.hangs();
  }

  /** The modem's carrier has gone. */
  carrierLost(): void {
    if (this.call !== undefined && this.state !== 'hanging up') {
      this.ending ??= { text: 'The line was hung up', isFailure: !this.wasUp };
      this.hangs();
    }
  }

  // --- waiting --------------------------------------------------------------------------------------------------

  private prepare(): void {
    this.hasDialled = false;
    this.user = '';
    this.from = '';
    this.wasUp = false;
    this.ending = undefined;
    this.frames = new FrameStart();
    if (this.modem === undefined) {
      this.go('waiting for a call');
      return;
    }
    this.go('preparing');
    this.modem.start(this.wants.init, isAlone(this.wants));
  }

  private isReady(): void {
    this.deaf = 0;
    this.go('waiting for a call');
  }

  private rang(count: number, from: string): void {
    if (this.state !== 'waiting for a call' || isAlone(this.wants) || count < this.wants.rings) return;
    if (this.refusal() !== undefined) return;
    this.from = from;
    this.begins('');
    this.go('answering', CONNECT_TICKS, () => this.fails('The modem does not connect'));
    this.modem?.answer();
  }

  private modemFailed(word: string): void {
    if (this.state === 'answering') {
      this.fails(word === '' ? 'The modem does not connect' : `"${word}"`);
      return;
    }
    // While nobody is there: once is told, and asked again by and by.
    const { host } = this;
    if (this.deaf++ === 0)
      host.log(`no modem: ${word === '' ? 'it does not answer' : `"${word}"`}, it is asked again`, true);
    const ticks = Math.min(MODEM_MOST_TICKS, MODEM_TICKS * 2 ** Math.min(10, this.deaf - 1));
    this.go('preparing', ticks, () => this.prepare());
  }

  // --- somebody is there ------------------------------------------------------------------------------------------

  /** A call begins. */
  private begins(report: string): void {
    this.rest = new AtRest(this.host.port);
    this.list.begin(this.from, report);
  }

  private connected(report: string): void {
    if (this.state !== 'answering') this.begins(report);
    const { call } = this;
    if (call !== undefined) call.report = report;
    this.frames = new FrameStart();
    if (this.isRefused()) return;
    if (hasUsers(this.wants.accounts)) {
      this.go('login', LOGIN_TICKS, () => this.fails('Nobody has logged in'));
      this.login.start();
    } else if (this.wants.isSlip) {
      // SLIP asks nobody who he is.
      if (this.wants.session.lcp.demanded.length > 0) this.fails('There is no user who may call in');
      else this.negotiate(0);
    } else {
      this.go('login', SILENT_TICKS, () => this.negotiate(0));
    }
    this.look(true);
  }

  /** A modem that answers by itself, or a cable's caller, does not ask first whether it is the time for it. */
  private isRefused(): boolean {
    const why = this.refusal();
    if (why !== undefined) this.fails(why);
    return why !== undefined;
  }

  private isGuest(): void {
    // PPP shows who it is, SLIP does not.
    if (this.wants.isSlip) {
      this.connected('CLIENT');
      return;
    }
    this.begins('CLIENT');
    this.negotiate(0);
  }

  private negotiate(unread: number): void {
    if (this.isRefused()) return;
    this.go('negotiating', PPP_TICKS, () => this.end('PPP has come to nothing', true));
    this.look(true);
    this.host.begin(unread);
  }

  private loggedIn(name: string): void {
    const { isSlip, session } = this.wants;
    const ipcp = { ...session.ipcp };
    const why = this.known(name, ipcp);
    if (why !== undefined) {
      this.login.end(why);
      return;
    }
    this.user = name;
    const addresses = `your address is ${formatAddress(ipcp.remote)}, ours ${formatAddress(ipcp.local)}`;
    this.send(isSlip ? `SLIP: ${addresses}\r\n` : 'PPP begins\r\n');
    this.negotiate(0);
  }

  /** PPP knows who it is: what he may have. Answers why he may have nothing. */
  private known(name: string, ipcp: SessionWants['ipcp']): string | undefined {
    const { accounts } = this.wants;
    this.list.named(name);
    const number = callbackOf(accounts, name);
    if (this.back.name === '' && number !== '' && this.modem !== undefined) {
      // Whoever answers there would not be asked who he is.
      if (this.wants.isSlip) return 'There is no call-back by SLIP';
      this.back.ask(name, number);
      this.ending = { text: 'is called back', isFailure: false };
      return 'You are called back';
    }
    if (this.back.name !== '' && this.back.name !== name) return 'Somebody else was called back';
    return giveAddress(accounts, name, ipcp);
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  private fails(text: string): void {
    this.ending ??= { text, isFailure: true };
    this.hangs();
  }

  /** We end it, in good order. */
  private end(text: string, isFailure: boolean): void {
    this.ending ??= { text, isFailure };
    if (this.state !== 'negotiating' && this.state !== 'up') {
      this.hangs();
      return;
    }
    this.wait(ENDING_TICKS, () => this.hangs());
    this.host.end(text);
  }

  private hangs(): void {
    const { host, modem, hayes } = this;
    this.modem?.stop();
    this.login.stop();
    this.look(false);
    host.release();
    if (this.ending?.isFailure === true) this.failures++;
    if (this.hasDialled) hayes?.disconnected();
    const penalty = this.failures === 0 ? 0 : SECOND * 2 ** Math.min(10, this.failures - 1);
    this.go(
      'hanging up',
      (modem === undefined ? CABLE_TICKS : DTR_TICKS) + Math.min(PENALTY_MOST_TICKS, penalty),
      () => {
        host.setDtr(true);
        if (host.hasCarrier() === true) this.escape();
        else this.over();
      },
    );
    // What was said last goes out before, where nothing waits for it.
    host.setDtr(false);
  }

  /** The modem has not heard of DTR. */
  private escape(): void {
    this.wait(GUARD_TICKS, () => {
      this.send(ESCAPE);
      this.wait(GUARD_TICKS, () => {
        this.send('ATH\r');
        this.wait(DTR_TICKS, () => this.over());
      });
    });
  }

  /** The line is free: what now? */
  private over(): void {
    const { text, isFailure } = this.ending ?? { text: 'The line was hung up', isFailure: false };
    const who = this.call?.number ?? '';
    this.list.finish(text);
    this.told.tell(`a call, ${who}, ends: ${text}`, isFailure);
    this.user = '';
    if (this.back.name === '') {
      this.prepare();
      return;
    }
    this.go('calling back');
    this.back.begin();
  }

  // --- looks, state and timer --------------------------------------------------------------------------------------

  /** Looks each second at the line of somebody who is there, or no more. */
  private look(isOn: boolean): void {
    const { clock } = this.host;
    if (this.looks !== undefined) clock.cancel(this.looks);
    this.looks = undefined;
    if (!isOn) return;
    this.looks = clock.after(LOOK_TICKS, () => {
      this.looks = undefined;
      this.looksAt();
      if (this.call !== undefined && this.state !== 'hanging up') this.look(true);
    });
  }

  private looksAt(): void {
    const { host, state, wants } = this;
    if (host.hasCarrier() === false && state !== 'answering' && this.modem !== undefined) {
      this.carrierLost();
      return;
    }
    const isIdle = state === 'up' && wants.idleSeconds > 0 && host.idleTicks() >= wants.idleSeconds * SECOND;
    const why = isIdle ? 'nobody has used it' : this.refusal();
    // Once: each end has its time.
    if (why !== undefined && this.ending === undefined) this.end(why, false);
    else if (this.hayes !== undefined) this.atRest(this.rest.look());
  }

  /** A cable's caller has said something that is no frame, and waits: it wants the modem back. */
  private atRest(text: string): void {
    const wish = modemWish(text, this.state === 'login');
    if (wish === undefined) return;
    this.look(false);
    this.host.release();
    this.list.finish('The caller has begun anew');
    this.prepare();
    if (wish === '') this.hayes?.escaped();
    for (const byte of bytesOf(wish)) this.hayes?.input(byte);
  }

  /** The one place where the state changes, and with it the timer. */
  private go(state: AnswerState, ticks = -1, run: () => void = () => {}): void {
    this.state = state;
    this.wait(ticks, run);
  }

  private send(text: string): void {
    this.host.sendBytes(bytesOf(text));
  }

  private wait(ticks: number, run: () => void = () => {}): void {
    const { clock } = this.host;
    if (this.timer !== undefined) clock.cancel(this.timer);
    this.timer = undefined;
    if (ticks < 0) return;
    this.timer = clock.after(ticks, () => {
      this.timer = undefined;
      run();
    });
  }
}

/** Whether the modem is to answer by itself: not where there are hours, of which it knows nothing. */
function isAlone({ rings, hours }: AnswerWants): boolean {
  return rings === 0 && hours.length === 0;
}
