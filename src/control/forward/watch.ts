// Looks after forwards while one of them wants it: that their hosts are asked whether they are there, and what is to be logged. Its one
// timer runs as long as there is such a forward; what it does is the overlay `forward/health`.

import { FORWARDS_SET_AT } from '../../base/cells.ts';
import { FORWARD_CHECKED, FORWARD_FLAGS, FORWARD_LOGGED, forwardAt } from '../../base/forward-record.ts';
import { i32at, u16at } from '../../base/memory.ts';
import type { Timer } from '../core/clock.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { WARNING } from '../core/log.ts';
import type { Service } from '../core/service.ts';

/** Ticks after which it tries again where the heap has no room for it. */
const LATER_TICKS = 1000;

export class ForwardWatch implements Service {
  private timer: Timer | undefined;

  constructor(private readonly context: Context) {}

  start(): void {
    this.wake();
  }

  /** A forward has been set. */
  wake(): void {
    const { clock } = this.context;
    if (this.timer !== undefined) clock.cancel(this.timer);
    this.timer = clock.after(0, () => this.look());
  }

  private isWanted(): boolean {
    for (let n = 0; n < i32at(FORWARDS_SET_AT); n++)
      if ((u16at(forwardAt(n) + FORWARD_FLAGS) & (FORWARD_CHECKED | FORWARD_LOGGED)) !== 0) return true;
    return false;
  }

  private look(): void {
    const { clock, machine, log } = this.context;
    this.timer = undefined;
    let ticks = LATER_TICKS;
    try {
      if (this.isWanted()) ticks = machine.overlay('forward/health').look(this.context);
      else return;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log(WARNING, 'forward', error.message);
    }
    this.timer = clock.after(ticks, () => this.look());
  }
}
