// Links on serial ports and by PPPoE that are set, and what they have in common: frames of their own come by one door, ports are looked at in one
// step, and their name servers are one list. Not here: one link (ppp-link.ts, pppoe/pppoe-link.ts), what is set of them (ppp.ts).

import { DEMAND_ASKED_AT, LINES_BOUND_AT, SERIAL_CHANGED_AT } from '../../base/cells.ts';
import { WANTED_LINK_AT } from '../../base/demand-record.ts';
import { LINE_COUNT } from '../../base/limits.ts';
import { LINE_LINK, lineAt } from '../../base/line-record.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { PACKET_IN, PACKET_IP, PACKET_LENGTH, PACKET_PORTS } from '../../base/packet.ts';
import { ROUTE_LINK, ROUTE_TYPE_SHIFT, ROUTE_UNICAST, TO_ROUTE } from '../../base/route-record.ts';
import { ETHERTYPE_DISCOVERY } from '../../wire/pppoe.ts';
import { formatAddress } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { WARNING } from '../core/log.ts';
import { unbind } from './agreed.ts';
import { hasNames, whoWants } from './demand.ts';
import type { LinkWants } from './options.ts';
import type { PppLink } from './ppp-link.ts';
import type { PppoeLink } from './pppoe/pppoe-link.ts';

/** An address outside that nobody has (RFC 5737), to which the way to the world leads: 192.0.2.1. */
const NOBODY = 0xc0000201 | 0;

export class Links {
  /** Those on serial ports, and those that are sessions of PPPoE. */
  readonly all = new Map<number, PppLink>();
  readonly sessions = new Map<number, PppoeLink>();
  private isRestart: boolean;

  constructor(
    private readonly context: Context,
    private readonly tell: () => void,
    restarted: boolean,
  ) {
    this.isRestart = restarted;
    const { memory } = context.machine;
    context.sockets.frames(packet => {
      const [link, protocol] = [i32at(packet + PACKET_IN), i32at(packet + PACKET_PORTS)];
      if (protocol === ETHERTYPE_DISCOVERY) {
        for (const session of this.sessions.values())
          if (session.wants.below === link) session.discovered(packet);
        return;
      }
      const at = packet + PACKET_IP;
      const bytes = memory.slice(at, at + i32at(packet + PACKET_LENGTH));
      (this.all.get(link) ?? this.sessions.get(link))?.frame(protocol, bytes);
    });
  }

  get isEmpty(): boolean {
    return this.all.size + this.sessions.size === 0;
  }

  /** A link is wanted so from now on, or not any more. */
  take(link: number, wants: LinkWants | undefined): void {
    const isSession = wants !== undefined && wants.below >= 0;
    if (!isSession) this.keep(this.sessions, link, undefined);
    if (isSession || wants === undefined) this.keep(this.all, link, undefined);
    if (wants === undefined || this.keep(isSession ? this.sessions : this.all, link, wants)) return;
    const { machine } = this.context;
    if (isSession) {
      const made = machine.overlay('ppp/pppoe').createPppoe(this.context, link, wants, this.tell);
      this.sessions.set(link, made);
      made.start(this.isRestart);
      return;
    }
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
    const made = machine.overlay('ppp/link').createLink(this.context, link, wants, this.tell);
    this.all.set(link, made);
    made.start(this.isRestart);
  }

  /** A link goes on with other wishes, or ends: whether it is there still. */
  private keep(links: Map<number, PppLink | PppoeLink>, link: number, wants: LinkWants | undefined): boolean {
    const before = links.get(link);
    if (before === undefined) return false;
    if (wants !== undefined && !before.isOther(wants)) {
      before.change(wants);
      return true;
    }
    before.stop();
    links.delete(link);
    return false;
  }

  /** All that were set at the start have been taken: lines of others, from before control was started again, end. */
  settled(): void {
    this.isRestart = false;
    const { machine } = this.context;
    for (let number = 0; number < LINE_COUNT; number++) {
      if (((i32at(LINES_BOUND_AT) >> number) & 1) === 0) continue;
      const link = i32at(lineAt(number) + LINE_LINK);
      const owner = this.all.get(link)?.port ?? this.sessions.get(link)?.number;
      if (owner !== number) unbind(machine, number);
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
    if (i32at(DEMAND_ASKED_AT) !== 0) this.demanded();
  }

  /** A packet has dialled. */
  private demanded(): void {
    const { machine } = this.context;
    const link = i32at(WANTED_LINK_AT);
    const isMade = this.all.get(link)?.demand(whoWants(machine)) === true;
    machine.plane.demandAnswer(link, isMade ? 1 : 0);
  }

  /** The same by a name that a host wants from our cache, as by its own question: where the way to the world leads by a link that is not up. */
  dials(host: number, name: string): boolean {
    const way = i32at(this.context.machine.plane.routeTo(NOBODY) + TO_ROUTE);
    const link = way >> ROUTE_TYPE_SHIFT === ROUTE_UNICAST ? this.all.get(way & ROUTE_LINK) : undefined;
    if (link === undefined || link.caller.state === 'up' || !hasNames(link.wants.demand)) return false;
    return link.demand(`${formatAddress(host)}, dns about ${name}`);
  }

  dnsServers(): readonly number[] {
    const all: number[] = [];
    for (const link of this.sessions.values()) all.push(...link.dns);
    for (const link of this.all.values()) all.push(...link.dns);
    return all;
  }
}
