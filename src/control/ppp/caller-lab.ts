// A caller for tests: a modem that is told what the line does, PPP that opens at once, and virtual time that passes from timer to timer.

import { NOW_AT, NOW_WRAPS_AT } from '../../base/cells.ts';
import { PLANE_BYTES, TICKS_PER_SECOND } from '../../base/limits.ts';
import { attach, i32at, puti32 } from '../../base/memory.ts';
import { civilOf } from '../core/civil.ts';
import { type Clock, createClock } from '../core/clock.ts';
import { Budget, type Limits } from './budget.ts';
import { Caller, type CallerHost, type CallerWants } from './caller.ts';

attach(new ArrayBuffer(PLANE_BYTES), 0, PLANE_BYTES);

/** 2027-03-01, a Monday, at midnight. */
export const MONDAY = Date.UTC(2027, 2, 1) / 1000;

export const WANTS: CallerWants = {
  mode: 'demand',
  numbers: ['0191011'],
  init: '',
  chat: '',
  idleSeconds: 300,
  retrySeconds: 15,
  retryMostSeconds: 900,
  hours: [],
  price: 0,
  priceSeconds: 60,
};

export class Phone implements CallerHost {
  readonly clock: Clock;
  readonly budget: Budget;
  readonly caller: Caller;
  readonly logged: string[] = [];
  readonly dialled: string[] = [];
  /** What the modem says to a number; '' is silence. */
  answer: (number: string) => string = () => 'CONNECT 33600';
  answerSeconds = 20;
  /** What PPP does: opens, or why it does not. */
  ppp: 'opens' | 'refused' | 'silent' = 'opens';
  hearsDtr = true;
  isCut = false;
  /** Unix seconds at the start, or nobody knows. */
  readonly clockFrom: number | undefined;
  lastTraffic = 0;
  kept: Uint8Array | undefined;
  carrier = false;
  /** Seconds for which the carrier was there, and its calls. */
  online = 0;
  private carrierFrom = 0;
  private command = '';

  constructor(
    wants: Partial<CallerWants> = {},
    limits: Partial<Limits> = {},
    old: { from?: number; kept?: Uint8Array | undefined } = {},
  ) {
    puti32(NOW_AT, 0);
    puti32(NOW_WRAPS_AT, 0);
    this.clock = createClock();
    this.clockFrom = 'from' in old ? old.from : MONDAY;
    this.budget = new Budget({
      uptime: () => this.now,
      unix: () => this.localSeconds(),
      month: () => {
        const seconds = this.localSeconds();
        if (seconds === undefined) return undefined;
        const { year, month } = civilOf(seconds);
        return year * 12 + month;
      },
    });
    this.budget.limits = { hourSeconds: 0, hourCalls: 0, monthSeconds: 0, monthCalls: 0, ...limits };
    if (old.kept !== undefined) this.budget.restore(old.kept);
    this.caller = new Caller(this, { ...WANTS, ...wants });
  }

  /** Seconds since the start. */
  get now(): number {
    return this.clock.uptime() / TICKS_PER_SECOND;
  }

  localSeconds(): number | undefined {
    return this.clockFrom === undefined ? undefined : Math.floor(this.clockFrom + this.now);
  }

  sendBytes(bytes: Uint8Array): void {
    this.command += String.fromCharCode(...bytes);
    if (this.command === '+++') {
      this.command = '';
      return;
    }
    if (!this.command.endsWith('\r')) return;
    const command = this.command.slice(0, -1);
    this.command = '';
    if (command === 'ATH') {
      this.hangUp();
      return;
    }
    const isDial = command.startsWith('ATD');
    if (isDial) this.dialled.push(command.slice(4));
    const answer = isDial ? this.answer(command.slice(4)) : 'OK';
    if (answer === '') return;
    this.clock.after(isDial ? this.answerSeconds * TICKS_PER_SECOND : 5, () => {
      if (isDial && this.caller.state !== 'dialling') return;
      if (answer.startsWith('CONNECT')) {
        this.carrier = true;
        this.carrierFrom = this.now;
      }
      this.caller.input(Uint8Array.from(`${command}\r\r\n${answer}\r\n`, c => c.charCodeAt(0)));
    });
  }

  sendBreak(): void {}

  setDtr(isOn: boolean): void {
    if (!isOn && this.hearsDtr) this.hangUp();
  }

  hangUp(): void {
    if (this.carrier) this.online += this.now - this.carrierFrom;
    this.carrier = false;
  }

  hasCarrier(): boolean {
    return this.carrier;
  }

  begin(): void {
    if (this.ppp === 'silent') return;
    this.clock.after(3 * TICKS_PER_SECOND, () => {
      this.traffic();
      if (this.ppp === 'opens') this.caller.opened();
      else this.caller.closed('Authentication failed. no such user', true);
    });
  }

  end(reason: string): void {
    this.clock.after(30, () => this.caller.closed(reason, false));
  }

  release(): void {}

  idleTicks(): number {
    return this.clock.now() - this.lastTraffic;
  }

  traffic(): void {
    this.lastTraffic = this.clock.now();
  }

  /** How often what waited was told that no call comes about. */
  givenUp = 0;
  gaveUp(): void {
    this.givenUp++;
  }

  /** How often what has come to wait since was let ask again. */
  asked = 0;
  askAnew(): void {
    this.asked++;
  }

  keep(): void {
    this.kept = this.budget.record();
  }

  log(text: string, isBad: boolean): void {
    this.logged.push(isBad ? `! ${text}` : text);
  }

  run(seconds: number, until: () => boolean = () => false): this {
    const end = Math.round((this.now + seconds) * TICKS_PER_SECOND);
    while (this.clock.uptime() < end && !until()) {
      const next = Math.min(end, Math.max(i32at(NOW_AT) + 1, this.clock.next()));
      puti32(NOW_AT, next);
      this.clock.run();
    }
    return this;
  }
}
