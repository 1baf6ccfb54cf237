// Links on serial ports that are set, and what they have in common: frames of their own come by one door, ports are looked at in one step, and
// their name servers are one list. Not here: one link (ppp-link.ts), what is set of them (ppp.ts).

import { LINES_BOUND_AT, SERIAL_CHANGED_AT } from '../../base/cells.ts';
import { SERIAL_COUNT } from '../../base/limits.ts';
import { LINE_LINK, lineAt } from '../../base/line-record.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { PACKET_IN, PACKET_IP, PACKET_LENGTH, PACKET_PORTS } from '../../base/packet.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { WARNING } from '../core/log.ts';
import type { LinkWants } from './options.ts';
import { PppLink } from './ppp-link.ts';

export class Links {
  readonly all = new Map<number, PppLink>();
  private isRestart: boolean;

  constructor(
    private readonly context: Context,
    private readonly tell: () => void,
    restarted: boolean,
  ) {
    this.isRestart = restarted;
    const { memory } = context.machine;
    context.sockets.frames(packet => {
      const at = packet + PACKET_IP;
      const bytes = memory.slice(at, at + i32at(packet + PACKET_LENGTH));
      this.all.get(i32at(packet + PACKET_IN))?.frame(i32at(packet + PACKET_PORTS), bytes);
    });
  }

  get isEmpty(): boolean {
    return this.all.size === 0;
  }

  /** A link is wanted so from now on, or not any more. */
  take(link: number, wants: LinkWants | undefined): void {
    const before = this.all.get(link);
    if (before !== undefined && (wants === undefined || before.isOther(wants))) {
      before.stop();
      this.all.delete(link);
    } else if (before !== undefined && wants !== undefined) {
      before.change(wants);
      return;
    }
    if (wants === undefined) return;
    for (const other of this.all.values()) {
      if (other.port !== wants.port) continue;
      const name = interfaceName(link);
      this.context.log(
        WARNING,
        name,
        `its port is ${other.name}'s: set another one, then set ${name}'s again`,
      );
      return;
    }
    const made = new PppLink(this.context, link, wants, this.tell);
    this.all.set(link, made);
    made.start(this.isRestart);
  }

  /** All that were set at the start have been taken: lines of others, from before control was started again, end. */
  settled(): void {
    this.isRestart = false;
    const { plane } = this.context.machine;
    for (let port = 0; port < SERIAL_COUNT; port++) {
      if (((i32at(LINES_BOUND_AT) >> port) & 1) === 0) continue;
      const link = this.all.get(i32at(lineAt(port) + LINE_LINK));
      if (link === undefined || link.port !== port) plane.lineUnbind(port);
    }
  }

  /** Looks at the ports. */
  work(): void {
    const changed = i32at(SERIAL_CHANGED_AT);
    if (changed !== 0) {
      const { machine } = this.context;
      machine.lock();
      puti32(SERIAL_CHANGED_AT, i32at(SERIAL_CHANGED_AT) & ~changed);
      machine.unlock();
    }
    for (const link of this.all.values()) link.work(((changed >> link.port) & 1) !== 0);
  }

  dnsServers(): readonly number[] {
    const all: number[] = [];
    for (const link of this.all.values()) all.push(...link.dns);
    return all;
  }
}
