// What the two sides of a link have agreed on comes into force, and ends: address, ways, queues, and what a control that was started again must find
// of it in the line's record. Links on serial ports and PPPoE have it in common. Not here: how they agree (session.ts), name servers (links.ts).

import { IF_ADDRESS, IF_MTU, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { LINE_DNS, LINE_LINK, LINE_PEER, lineAt } from '../../base/line-record.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { configure, refuseLink } from '../core/addresses.ts';
import type { Clock } from '../core/clock.ts';
import { interfaceName } from '../core/facts.ts';
import type { Log } from '../core/log.ts';
import { WARNING } from '../core/log.ts';
import type { Machine } from '../core/machine.ts';
import { setQueues, unsetQueues } from '../core/queues.ts';
import { noWayTo, wayTo } from './proxy.ts';
import type { Opened } from './session.ts';

const HOST = -1;

/** How fast a link is. */
export interface Pace {
  /** Bits a second; 0: nobody knows, and it has one FIFO. */
  rate: number;
  /** Bytes that are sent beside a datagram. */
  overhead: number;
  /** It is held to the rate, as its device is faster. */
  isShaped: boolean;
}

/** Why a link cannot have the address that the peer gives, or undefined. */
export function refuseResult(link: number, { local }: Opened): string | undefined {
  return refuseLink(link, INTERFACE_OUTSIDE, { address: local, length: 32 });
}

/** Datagrams pass from now on. @param number the line's @param side INTERFACE_INSIDE or INTERFACE_OUTSIDE @param isGiven the peer has its address of us */
export function bringUp(
  { machine, log, clock }: { machine: Machine; log: Log; clock: Clock },
  number: number,
  side: number,
  { local, remote, mtu, dns }: Opened,
  pace: Pace,
  isGiven: boolean,
): void {
  const { plane } = machine;
  const line = lineAt(number);
  const link = i32at(line + LINE_LINK);
  puti32(line + LINE_PEER, remote);
  puti32(line + LINE_DNS, dns[0] ?? 0);
  puti32(line + LINE_DNS + 4, dns[1] ?? 0);
  plane.configureInterface(link, side, 0, 0, mtu);
  if (remote !== 0) wayTo({ machine, log, clock }, link, remote, isGiven);
  if (side === INTERFACE_OUTSIDE) plane.routeLearn(0, 0, remote, link);
  setPace({ machine, log }, link, pace);
  plane.lineOpen(number, 1);
  // With its address it is up, and packets that have waited for it go: all else must be as it will be.
  configure(plane, link, side, local, HOST, mtu);
}

/** It has queues for a rate, or none. Without room for them it goes on with one FIFO. */
export function setPace(
  { machine, log }: { machine: Machine; log: Log },
  link: number,
  { rate, overhead, isShaped }: Pace,
): void {
  const why = rate === 0 ? undefined : setQueues(machine, link, rate, overhead, isShaped);
  if (rate === 0 || why !== undefined) unsetQueues(machine, link);
  if (why !== undefined) log(WARNING, interfaceName(link), `it has no queues: ${why}`);
}

/** Address and ways go; the line stays, if it has one. */
export function takeDown(machine: Machine, link: number, side: number, { remote, mtu }: Opened): void {
  const { plane } = machine;
  if (remote !== 0) noWayTo(machine, link, remote);
  // Its role may be another by now.
  plane.routeForget(0, 0, link);
  configure(plane, link, side, 0, 0, mtu);
  unsetQueues(machine, link);
}

/** Ends a line that nobody goes on with: control was started again before it was open, or the link is set no more. */
export function unbind(machine: Machine, number: number): void {
  const line = lineAt(number);
  // A peer that was told of its way before.
  noWayTo(machine, i32at(line + LINE_LINK), i32at(line + LINE_PEER));
  machine.plane.lineUnbind(number);
}

/** What a line has agreed on that was open before control was started again. */
export function adopted(number: number): Opened {
  const line = lineAt(number);
  const at = interfaceAt(i32at(line + LINE_LINK));
  return {
    local: i32at(at + IF_ADDRESS),
    remote: i32at(line + LINE_PEER),
    dns: [i32at(line + LINE_DNS), i32at(line + LINE_DNS + 4)].filter(address => address !== 0),
    mtu: i32at(at + IF_MTU),
    vjIn: undefined,
    vjOut: undefined,
    peer: '',
  };
}
