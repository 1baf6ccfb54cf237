// A user who is called back: once he has shown who he is and has been hung up on, his number is called by the modem that waits for calls otherwise, a few
// times where that fails. Not here: the call (caller.ts), who has which number (accounts.ts), that he has to show once more who he is (answer.ts).
//
//    ask(name, number) .. begin() --BACK_TICKS--> called --over, or in vain for the last time--> over()
//                                     ^             | in vain: BACK_AGAIN_TICKS
//                                     '------------ '

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Call, Caller } from './caller.ts';

export interface BackHost {
  readonly clock: Clock;
  /** Calls a number, in the place of waiting; comeBack() ends that. */
  callOut(number: string, who: string): Caller;
  comeBack(): void;
}

/** Until the line is free that he has just used. */
const BACK_TICKS = 10 * TICKS_PER_SECOND;
const BACK_AGAIN_TICKS = 30 * TICKS_PER_SECOND;
const BACK_TRIES = 3;
const LOOK_TICKS = TICKS_PER_SECOND;

export class CallBack {
  /** Who is called back, or ''. */
  name = '';
  private number = '';
  private tries = 0;
  private timer: Timer | undefined;

  /** @param over all of it is over; the calls that were made last */
  constructor(
    private readonly host: BackHost,
    private readonly over: () => void,
    private readonly made: (calls: readonly Call[]) => void,
  ) {}

  ask(name: string, number: string): void {
    this.name = name;
    this.number = number;
    this.tries = 0;
  }

  begin(ticks = BACK_TICKS): void {
    const { host } = this;
    this.after(ticks, () => this.watch(host.callOut(this.number, `${this.name}, who is called back`)));
  }

  stop(): void {
    if (this.timer !== undefined) this.host.clock.cancel(this.timer);
    this.timer = undefined;
    this.name = '';
  }

  private watch(caller: Caller): void {
    this.after(LOOK_TICKS, () => {
      if (caller.state !== 'idle') {
        this.watch(caller);
        return;
      }
      this.host.comeBack();
      this.made(caller.calls);
      const [last] = caller.calls;
      // Without a call there is none that may be made: of the budget nothing is left.
      const isInVain = last?.end?.failure !== undefined && last.end.failure !== 'lost';
      if (isInVain && ++this.tries < BACK_TRIES) {
        this.begin(BACK_AGAIN_TICKS);
        return;
      }
      this.name = '';
      this.over();
    });
  }

  private after(ticks: number, run: () => void): void {
    this.timer = this.host.clock.after(ticks, () => {
      this.timer = undefined;
      run();
    });
  }
}
