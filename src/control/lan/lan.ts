// The LAN's network: set by hand, or 192.168.0.0/24, or another private one where the WAN has that already.
// RFC 1918. A modem that is a router itself often hands out 192.168.0.x, and then no packet would find its way.
// Not here: the settings (settings.ts), who gets the LAN's addresses (../dhcp/server.ts), which reads the LAN's address for
// each answer.

import { INTERFACE_INSIDE } from '../../base/interface.ts';
import { INTERFACE_LAN, ROUTE_BYTES, ROUTE_COUNT, ROUTES_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  ROUTE_DESTINATION,
  ROUTE_INTERFACE,
  ROUTE_MASK,
  ROUTE_NOWHERE,
  ROUTE_SET,
  ROUTE_USED,
} from '../../base/route-record.ts';
import { formatAddress, formatPrefix, lengthOf, maskOf, overlap, type Prefix } from '../core/address.ts';
import {
  configure,
  LAN_DEFAULT,
  linkWith,
  mtuOf,
  prefixOf,
  refuseLan,
  setLan,
  sideOf,
} from '../core/addresses.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { linkTitle } from '../core/facts.ts';
import { NOTICE, WARNING } from '../core/log.ts';

/** Where the LAN may go, best first; the last two are seldom chosen by providers or by makers of modems. */
const PLACES: readonly Prefix[] = [
  LAN_DEFAULT,
  { address: 0xc0a80101 | 0, length: 24 },
  { address: 0x0a4d0001, length: 24 },
  { address: 0xac1b0001 | 0, length: 24 },
];

/** The word by which it is confirmed that other settings change too. */
const MOVE = 'move';

/** Settings of others that must be of the LAN's network. */
export interface Placed {
  range: { first: number; last: number } | undefined;
  reservations: readonly { readonly address: number }[];
}

export interface Lan {
  /** Why another link cannot have these networks, or undefined: then the LAN is elsewhere, or moves by makeRoom(). */
  refuse(networks: readonly Prefix[], link: number): string | undefined;
  /** Moves the LAN if it shares addresses with one of these networks. */
  makeRoom(networks: readonly Prefix[]): void;
  /** Puts the LAN elsewhere by hand; the word may be `move`, or ''. Answers why not, or undefined. */
  set(prefix: Prefix, word: string): string | undefined;
  /** Puts it back to where it is by itself. Answers why not, or undefined. */
  unset(word: string): string | undefined;
  /** Whether its place was set by hand; and whether it has moved by itself, and other settings with it. */
  isByHand(): boolean;
  isMoved(): boolean;
  /** The DHCP server's settings, which must fit the LAN's network. */
  dhcp: Placed | undefined;
}

/** Why networks on the WAN's link would take addresses to which a route by the LAN was set by hand; '' if they do not. */
function insideRoute(networks: readonly Prefix[]): string {
  for (let i = 0; i < ROUTE_COUNT; i++) {
    const at = ROUTES_AT + i * ROUTE_BYTES;
    const index = i32at(at + ROUTE_INTERFACE);
    if (i32at(at + ROUTE_USED) !== ROUTE_SET || index === ROUTE_NOWHERE || sideOf(index) !== INTERFACE_INSIDE)
      continue;
    const route = { address: i32at(at + ROUTE_DESTINATION), length: lengthOf(i32at(at + ROUTE_MASK)) };
    // A route that is longer than the link's network goes before it.
    const network = networks.find(one => one.length >= route.length && overlap(one, route));
    if (network !== undefined)
      return `${formatPrefix(network.address, network.length)} is in ${formatPrefix(route.address, route.length)}, to which a route was set by hand`;
  }
  return '';
}

export function createLan(context: Context): Lan {
  const { plane } = context.machine;
  let isByHand = false;

  function hasAddresses(): boolean {
    return lan.dhcp !== undefined && (lan.dhcp.range !== undefined || lan.dhcp.reservations.length > 0);
  }

  /** The first of the networks that shares addresses with a LAN, or undefined. */
  function clash(networks: readonly Prefix[], lan: Prefix | undefined): Prefix | undefined {
    return lan === undefined ? undefined : networks.find(network => overlap(network, lan));
  }

  /** Where the LAN may be beside networks that another link is about to have, and all that others have. */
  function findPlace(networks: readonly Prefix[]): Prefix | undefined {
    return PLACES.find(place => clash(networks, place) === undefined && linkWith([place], INTERFACE_LAN) < 0);
  }

  function makeRoom(networks: readonly Prefix[]): void {
    const before = prefixOf(INTERFACE_LAN);
    const network = clash(networks, before);
    if (before === undefined || network === undefined || isByHand) return;
    const place = findPlace(networks);
    if (place === undefined) return;
    configure(
      plane,
      INTERFACE_LAN,
      INTERFACE_INSIDE,
      place.address,
      maskOf(place.length),
      mtuOf(INTERFACE_LAN),
    );
    const moved = `moved from ${formatAddress(before.address)} to ${formatPrefix(place.address, place.length)}`;
    context.log(NOTICE, 'lan', `${moved}, as the WAN has ${formatPrefix(network.address, network.length)}`);
    follow(before, place);
  }

  /** The LAN has moved by itself: takes what stands in its network along, and tells of what cannot go. */
  function follow(before: Prefix, prefix: Prefix): void {
    const { log, machine, registry } = context;
    // It moves from and to networks of 256 addresses.
    const start = ` ${formatAddress(before.address & -256).slice(0, -1)}`;
    const stands = (): boolean => registry.lines().some(line => line.includes(start));
    if (lan.dhcp === undefined || registry.isRestoring || !stands()) return;
    try {
      const { move, remaining } = machine.overlay('lan');
      const why = move(lan.dhcp, before, prefix);
      const [text] = remaining(registry.lines(), before, prefix);
      for (const left of [why, text]) if (left !== undefined) log(WARNING, 'lan', left);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log(WARNING, 'lan', error.message);
    }
    registry.changed();
  }

  /** Puts the LAN elsewhere as it is typed; with `move` range and reservations go along. Answers why not, or undefined. */
  function put(prefix: Prefix, word: string): string | undefined {
    const { machine, output, registry } = context;
    if (word !== '' && word !== MOVE) return `${word} is not move`;
    const why = refuseLan(prefix);
    // Of saved lines, those for the range come later.
    if (why !== undefined || lan.dhcp === undefined || registry.isRestoring)
      return why ?? setLan(plane, prefix);
    const before = prefixOf(INTERFACE_LAN);
    const { follow, remaining } = machine.overlay('lan');
    const stuck = follow(lan.dhcp, before, prefix, word === MOVE);
    if (stuck !== undefined) return stuck;
    setLan(plane, prefix);
    for (const text of remaining(registry.lines(), before, prefix)) output.line(text);
    return undefined;
  }

  const lan: Lan = {
    dhcp: undefined,
    refuse: (networks, link) => {
      const other = linkWith(networks, link, INTERFACE_LAN);
      if (other >= 0) return `it shares addresses with ${linkTitle(other)}`;
      const own = prefixOf(INTERFACE_LAN);
      const captured = insideRoute(networks);
      if (captured !== '') return captured;
      const network = clash(networks, own);
      if (network === undefined || own === undefined) return undefined;
      const theirs = formatPrefix(network.address, network.length);
      const ours = formatPrefix(own.address & maskOf(own.length), own.length);
      if (isByHand) return `${theirs} shares addresses with the LAN's ${ours}, which was set by hand`;
      return findPlace(networks) !== undefined
        ? undefined
        : `${theirs} leaves no private network for the LAN`;
    },
    makeRoom,
    isByHand: () => isByHand,
    isMoved: () => hasAddresses() && prefixOf(INTERFACE_LAN)?.address !== LAN_DEFAULT.address,
    set: (prefix, word) => {
      const why = put(prefix, word);
      if (why === undefined) isByHand = true;
      return why;
    },
    unset: word => {
      const place = PLACES.find(place => refuseLan(place) === undefined);
      const why = place === undefined ? 'the WAN leaves no private network' : put(place, word);
      if (why === undefined) isByHand = false;
      return why;
    },
  };
  return lan;
}
