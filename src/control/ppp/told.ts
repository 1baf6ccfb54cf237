// What strangers bring about, for the log: so many lines an hour, and the last one says that it is the last. Not here: the log (../core/log.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { type Clock, since } from '../core/clock.ts';

const LOGGED_MOST = 10;
const LOGGED_TICKS = 3600 * TICKS_PER_SECOND;

export class Told {
  private count = 0;
  private from = 0;

  constructor(
    private readonly clock: Clock,
    private readonly log: (text: string, isBad: boolean) => void,
  ) {}

  tell(text: string, isBad: boolean): void {
    const now = this.clock.now();
    if (this.count === 0 || since(now, this.from) >= LOGGED_TICKS) {
      this.from = now;
      this.count = 0;
    }
    this.count++;
    if (this.count < LOGGED_MOST) this.log(text, isBad);
    else if (this.count === LOGGED_MOST) this.log(`${text}; for an hour no more of this is told`, isBad);
  }
}
