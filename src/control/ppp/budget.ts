// What calls may cost: minutes and calls, of an hour and of a month, and what of it has been used. The month's use is kept on flash, so that
// a power cut does not forget it.
//
//    bytes of the record: | version | month, year * 12 + month, 0 unknown | its calls | its seconds | hour's begin, Unix | its calls | its seconds |
//
// What is kept is ahead of what is used: while a call goes on, the record says that it has lasted NOTE_SECONDS more. A power cut in a call so
// costs up to these, and never makes a month longer than it may be. Use is looked at LEAST_SECONDS before a limit: no call begins
// that would end at once; and a call is ended GRACE_SECONDS before, which is what hanging up may take.
//
// Without a time of day a month is 31 days of uptime, and what was used before the power went counts as this month's.
// Not here: who calls (caller.ts).

export interface Limits {
  /** Seconds and calls; 0: as many as one likes. */
  hourSeconds: number;
  hourCalls: number;
  monthSeconds: number;
  monthCalls: number;
}

export const NO_LIMITS: Limits = { hourSeconds: 0, hourCalls: 0, monthSeconds: 0, monthCalls: 0 };
export const NOTE_SECONDS = 600;
export const GRACE_SECONDS = 15;
export const LEAST_SECONDS = 60;
const HOUR = 3600;
const MONTH = 31 * 24 * HOUR;
const VERSION = 1;
const RECORD_BYTES = 28;

interface Use {
  calls: number;
  seconds: number;
}

/** What it is counted by. */
export interface BudgetTime {
  /** Seconds since power-on. */
  uptime(): number;
  /** Unix seconds, and the month by the zone's clock as year * 12 + month, where the time of day is known. */
  unix(): number | undefined;
  month(): number | undefined;
}

export class Budget {
  limits: Limits = NO_LIMITS;
  readonly hour: Use = { calls: 0, seconds: 0 };
  readonly month: Use = { calls: 0, seconds: 0 };
  private hourFrom = 0;
  private monthFrom = 0;
  private monthKey = 0;
  /** When the call began that goes on, and the seconds of it that are counted. */
  private callFrom: number | undefined;
  private counted = 0;

  constructor(private readonly time: BudgetTime) {
    this.hourFrom = time.uptime();
    this.monthFrom = this.hourFrom;
  }

  /** Why no call may begin, or undefined. */
  refusal(): string | undefined {
    this.turn();
    const { limits } = this;
    if (limits.hourCalls > 0 && this.hour.calls >= limits.hourCalls)
      return `the ${limits.hourCalls} calls of an hour have been made`;
    if (limits.monthCalls > 0 && this.month.calls >= limits.monthCalls)
      return `the ${limits.monthCalls} calls of a month have been made`;
    if (limits.hourSeconds > 0 && limits.hourSeconds - this.hour.seconds < LEAST_SECONDS)
      return `the ${limits.hourSeconds / 60} minutes of an hour are used up`;
    if (limits.monthSeconds > 0 && limits.monthSeconds - this.month.seconds < LEAST_SECONDS)
      return `the ${limits.monthSeconds / 60} minutes of a month are used up`;
    return undefined;
  }

  /** A call begins, from when on it costs. */
  begin(): void {
    this.turn();
    this.hour.calls++;
    this.month.calls++;
    this.callFrom = this.time.uptime();
    this.counted = 0;
  }

  /** It is answered: what it took to dial costs nothing. */
  answered(): void {
    if (this.callFrom === undefined) return;
    this.take(this.counted);
    this.callFrom = this.time.uptime();
    this.counted = 0;
  }

  /** It is over; answers its seconds, each that has begun. @param isFree nobody has answered, and it was a call of no time */
  end(isFree: boolean): number {
    if (this.callFrom === undefined) return 0;
    this.count();
    const { counted } = this;
    this.callFrom = undefined;
    if (!isFree) return counted;
    this.take(counted);
    return 0;
  }

  /** Takes back what was counted. */
  private take(seconds: number): void {
    this.hour.seconds = Math.max(0, this.hour.seconds - seconds);
    this.month.seconds = Math.max(0, this.month.seconds - seconds);
  }

  /** Seconds that the call may go on for; infinite without limits. */
  left(): number {
    this.count();
    this.turn();
    const { limits } = this;
    let left = Number.POSITIVE_INFINITY;
    if (limits.hourSeconds > 0) left = limits.hourSeconds - this.hour.seconds;
    if (limits.monthSeconds > 0) left = Math.min(left, limits.monthSeconds - this.month.seconds);
    return Math.max(0, left - GRACE_SECONDS);
  }

  /** What is to be kept now. */
  record(): Uint8Array {
    this.count();
    const ahead = this.callFrom === undefined ? 0 : NOTE_SECONDS;
    const payload = new Uint8Array(RECORD_BYTES);
    const view = new DataView(payload.buffer);
    const unix = this.time.unix();
    const hourAge = this.time.uptime() - this.hourFrom;
    const words = [
      VERSION,
      this.monthKey,
      this.month.calls,
      this.month.seconds + ahead,
      unix === undefined ? 0 : unix - hourAge,
      this.hour.calls,
      this.hour.seconds + ahead,
    ];
    for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i] as number);
    return payload;
  }

  /** Takes up what was kept, at the start. */
  restore(payload: Uint8Array): void {
    if (payload.length !== RECORD_BYTES) return;
    const view = new DataView(payload.buffer, payload.byteOffset);
    const word = (n: number) => view.getUint32(4 * n);
    if (word(0) !== VERSION) return;
    this.monthKey = word(1);
    this.month.calls += word(2);
    this.month.seconds += word(3);
    const unix = this.time.unix();
    // Nobody knows how long the power was off: the hour begins anew, with what was used of it.
    const age = unix === undefined || word(4) === 0 ? 0 : Math.max(0, unix - word(4));
    this.hourFrom = this.time.uptime() - age;
    this.hour.calls += word(5);
    this.hour.seconds += word(6);
    this.turn();
  }

  /** What of the call has not been counted. */
  private count(): void {
    if (this.callFrom === undefined) return;
    const seconds = Math.ceil(this.time.uptime() - this.callFrom);
    const more = seconds - this.counted;
    this.counted = seconds;
    this.hour.seconds += more;
    this.month.seconds += more;
  }

  /** Begins another hour or month where the last one is over. */
  private turn(): void {
    const now = this.time.uptime();
    if (now - this.hourFrom >= HOUR) {
      this.hourFrom = now;
      reset(this.hour);
    }
    const month = this.time.month();
    if (month === undefined) {
      if (now - this.monthFrom >= MONTH) {
        this.monthFrom = now;
        this.monthKey = 0;
        reset(this.month);
      }
      return;
    }
    // A clock that is put back does not give anything back.
    if (this.monthKey !== 0 && month > this.monthKey) reset(this.month);
    if (month !== this.monthKey) this.monthFrom = now;
    this.monthKey = month;
  }
}

function reset(use: Use): void {
  use.calls = 0;
  use.seconds = 0;
}
