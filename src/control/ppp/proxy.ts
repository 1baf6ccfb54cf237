// The address of a peer who is called into the LAN: where it is one of an inside network's, we answer ARP for it there (RFC 1027), and a way goes
// before the network's. Whether a host there has it too is asked for, and said. Not here: the answers (src/plane/link/arp-input.ts).

import { PROXIED_LINKS_AT } from '../../base/cells.ts';
import { INTERFACE_INSIDE } from '../../base/interface.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { formatAddress, formatMac } from '../core/address.ts';
import { linkWith, sideOf } from '../core/addresses.ts';
import type { Context } from '../core/context.ts';
import { interfaceName, linkTitle } from '../core/facts.ts';
import { WARNING } from '../core/log.ts';
import type { Machine } from '../core/machine.ts';

const HOST = -1;
const MAC_BYTES = 6;
/** In which a host answers that has the address. */
const ASK_TICKS = TICKS_PER_SECOND;

function mark(machine: Machine, link: number, isOn: boolean): void {
  machine.lock();
  const others = i32at(PROXIED_LINKS_AT) & ~(1 << link);
  puti32(PROXIED_LINKS_AT, isOn ? others | (1 << link) : others);
  machine.unlock();
}

/**
 * A link's peer is there; its way begins, the one that a network inside has in its place, too. @param isGiven the address is one that we have given: whoever
 * says his own takes none away from a host
 */
export function wayTo(
  context: Pick<Context, 'machine' | 'log' | 'clock'>,
  link: number,
  peer: number,
  isGiven: boolean,
): void {
  const { machine, log } = context;
  const { plane } = machine;
  const network = linkWith([{ address: peer, length: 32 }], link);
  if (network < 0 || sideOf(network) !== INTERFACE_INSIDE || sideOf(link) !== INTERFACE_INSIDE) {
    plane.routeLearn(peer, HOST, 0, link);
    return;
  }
  const name = interfaceName(link);
  if (!isGiven) {
    const text = `the peer's address ${formatAddress(peer)} is of the ${linkTitle(network)}, and none that it was given: nothing leads there`;
    log(WARNING, name, text);
    return;
  }
  // What was set for that address stays.
  if (plane.routeGateway(peer, HOST) !== -1) {
    log(WARNING, name, `the peer's address ${formatAddress(peer)} has a route that is set: it stays`);
    return;
  }
  // One that is learned takes nothing away from a network inside.
  if (plane.routeAdd(peer, HOST, 0, link) === 0) return;
  mark(machine, link, true);
  ask(context, link, network, peer);
}

/** Whether a host has a peer's address, who keeps it then; else it is said there whose it is. */
function ask(
  { machine, log, clock }: Pick<Context, 'machine' | 'log' | 'clock'>,
  link: number,
  network: number,
  peer: number,
): void {
  const { plane, memory } = machine;
  const asked = clock.now();
  plane.addressAsk(network, peer);
  clock.after(ASK_TICKS, () => {
    if (!isProxied(link)) return;
    const at = plane.addressHeld(network, peer, asked);
    if (at === 0) {
      // Who had it before has left, and some remember him.
      plane.arpAnnounceAs(network, peer);
      return;
    }
    const station = formatMac(memory.slice(at, at + MAC_BYTES));
    endProxy(machine, link, peer);
    log(
      WARNING,
      interfaceName(link),
      `${station} on the ${linkTitle(network)} has the address ${formatAddress(peer)}, too, and keeps it: nothing leads to the peer`,
    );
  });
}

const isProxied = (link: number): boolean => ((i32at(PROXIED_LINKS_AT) >> link) & 1) !== 0;

function endProxy(machine: Machine, link: number, peer: number): void {
  if (!isProxied(link) || machine.plane.routeRemove(peer, HOST) === 0) return;
  mark(machine, link, false);
}

/** The way to a link's peer ends. */
export function noWayTo(machine: Machine, link: number, peer: number): void {
  endProxy(machine, link, peer);
  // Whatever became of its route, nothing is answered for a link without a peer.
  if (isProxied(link)) mark(machine, link, false);
  machine.plane.routeForget(peer, HOST, link);
}
