// The last calls of a link that waits for who calls, for its list: who it was, since when, and how it ended.
// Not here: calls of our own, and what they cost (caller.ts, budget.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { type Clock, since } from '../core/clock.ts';
import type { Call } from './caller.ts';
import { bytesOf, textOf } from './packet.ts';

/** Calls that are remembered. */
const CALLS = 20;
/** Of a stranger's name no more is told. */
const NAME_MOST = 32;

export class Calls {
  readonly all: Call[] = [];

  constructor(private readonly clock: Clock) {}

  /** The one that goes on. */
  get open(): Call | undefined {
    const last = this.all[0];
    return last?.end === undefined ? last : undefined;
  }

  /** @param from a number, or '' @param report the modem's word for it */
  begin(from: string, report: string): void {
    const number = from === '' ? 'called' : `from ${from}`;
    this.add([{ from: this.clock.uptime(), seconds: 0, cost: 0, report, end: undefined, number, who: '' }]);
  }

  add(calls: readonly Call[]): void {
    this.all.unshift(...calls);
    this.all.length = Math.min(this.all.length, CALLS);
  }

  /** Whose call it is. */
  named(name: string): void {
    const { open } = this;
    if (name !== '' && open !== undefined) open.number = `from ${printable(name)}`;
  }

  finish(text: string): void {
    const { open } = this;
    if (open === undefined) return;
    open.seconds = Math.round(since(this.clock.uptime(), open.from) / TICKS_PER_SECOND);
    open.end = { text, failure: undefined };
  }
}

/** A stranger's name for lists and the log. */
export function printable(name: string): string {
  return textOf(bytesOf(name.slice(0, NAME_MOST)));
}
