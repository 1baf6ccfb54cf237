// How two sides of a PPP link show each other who they are: what PAP (pap.ts) and CHAP (chap.ts) have in common.
// Not here: which method it is (lcp.ts), what happens then (session.ts).

import type { Clock, Timer } from '../core/clock.ts';

/** A name and a password. */
export interface Account {
  name: string;
  password: string;
}

/** What one way of authentication works with. */
export interface AuthHost {
  readonly clock: Clock;
  /** 32 unpredictable bits. */
  random(): number;
  send(packet: Uint8Array): void;
  /** It is over, well or not. CHAP may ask again later, and be over again. */
  done(name: string): void;
  /** @param isSilence nobody has said no: nothing has come */
  failed(reason: string, isSilence?: boolean): void;
}

/** Whom the peer may be: the password of a name, or undefined. */
export type PasswordOf = (name: string) => string | undefined;

/** Packets that are sent again for want of an answer, so far apart, and how often. */
export const AUTH_TRIES = 10;

/** Sends something until it is answered. */
export class Repeater {
  private timer: Timer | undefined;
  private tries = 0;

  constructor(
    private readonly clock: Clock,
    private readonly ticks: number,
    private readonly silent: () => void,
  ) {}

  start(send: () => void): void {
    this.stop();
    this.tries = 0;
    this.again(send);
  }

  stop(): void {
    if (this.timer !== undefined) this.clock.cancel(this.timer);
    this.timer = undefined;
  }

  private again(send: () => void): void {
    if (this.tries++ === AUTH_TRIES) {
      this.silent();
      return;
    }
    send();
    this.timer = this.clock.after(this.ticks, () => this.again(send));
  }
}

/** Unpredictable bytes. */
export function randomBytes(count: number, random: () => number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i += 4) {
    const word = random();
    for (let n = i; n < count && n < i + 4; n++) bytes[n] = word >> (8 * (n - i));
  }
  return bytes;
}
