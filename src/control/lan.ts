// The LAN's network: set by hand, or 192.168.0.0/24, or another private one where the WAN has that already.
// RFC 1918. A modem that is a router itself often hands out 192.168.0.x, and then no packet would find its way.
// Not here: who gets the LAN's addresses (dhcp/server.ts), which reads the LAN's address for each answer.

import { INTERFACE_INSIDE } from '../plane/interface.ts';
import {
  INTERFACE_LAN,
  INTERFACE_WAN,
  MTU_DEFAULT,
  ROUTE_BYTES,
  ROUTE_COUNT,
  ROUTES_AT,
} from '../plane/limits.ts';
import { i32at } from '../plane/memory.ts';
import { ROUTE_DESTINATION, ROUTE_INTERFACE, ROUTE_MASK, ROUTE_SET, ROUTE_USED } from '../plane/route.ts';
import {
  formatAddress,
  formatPrefix,
  lengthOf,
  maskOf,
  overlap,
  type Prefix,
  parsePrefix,
} from './address.ts';
import { Refusal } from './console/command.ts';
import type { Context } from './context.ts';
import type { DhcpConfig } from './dhcp/pool.ts';
import { NOTICE, WARNING } from './log.ts';
import type { Setting } from './registry.ts';
import { configure, LAN_DEFAULT, prefixOf, setLan } from './settings.ts';

/** Where the LAN may go, best first; the last two are seldom chosen by providers or by makers of modems. */
const PLACES: readonly Prefix[] = [
  LAN_DEFAULT,
  { address: 0xc0a80101 | 0, length: 24 },
  { address: 0x0a4d0001, length: 24 },
  { address: 0xac1b0001 | 0, length: 24 },
];

/** The word by which it is confirmed that other settings change too. */
const MOVE = 'move';

export interface Lan {
  /** Why the WAN cannot have these networks, or undefined: then the LAN is elsewhere, or moves by makeRoom(). */
  refuse(networks: readonly Prefix[]): string | undefined;
  /** Moves the LAN if it shares addresses with one of these networks. */
  makeRoom(networks: readonly Prefix[]): void;
  settings(): Setting[];
  /** The DHCP server's settings, which must fit the LAN's network. */
  dhcp: DhcpConfig | undefined;
}

/** Why networks on the WAN's link would take addresses to which a route by the LAN was set by hand; '' if they do not. */
function insideRoute(networks: readonly Prefix[]): string {
  for (let i = 0; i < ROUTE_COUNT; i++) {
    const at = ROUTES_AT + i * ROUTE_BYTES;
    if (i32at(at + ROUTE_USED) !== ROUTE_SET || i32at(at + ROUTE_INTERFACE) === INTERFACE_WAN) continue;
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

  /** The first of the networks that shares addresses with a LAN, or undefined. */
  function clash(networks: readonly Prefix[], lan: Prefix | undefined): Prefix | undefined {
    return lan === undefined ? undefined : networks.find(network => overlap(network, lan));
  }

  function makeRoom(networks: readonly Prefix[]): void {
    const before = prefixOf(INTERFACE_LAN);
    const network = clash(networks, before);
    if (before === undefined || network === undefined || isByHand) return;
    const place = PLACES.find(place => clash(networks, place) === undefined);
    if (place === undefined) return;
    configure(plane, INTERFACE_LAN, INTERFACE_INSIDE, place.address, maskOf(place.length), MTU_DEFAULT);
    const moved = `moved from ${formatAddress(before.address)} to ${formatPrefix(place.address, place.length)}`;
    context.log(NOTICE, 'lan', `${moved}, as the WAN has ${formatPrefix(network.address, network.length)}`);
    follow(before, place);
  }

  function hasAddresses(): boolean {
    return lan.dhcp !== undefined && (lan.dhcp.range !== undefined || lan.dhcp.reservations.length > 0);
  }

  /** The LAN has moved by itself, and range and reservations with it. */
  function follow(before: Prefix, prefix: Prefix): void {
    if (lan.dhcp === undefined || !hasAddresses() || context.registry.isRestoring) return;
    const why = context.machine.overlay('lan').move(lan.dhcp, before, prefix);
    if (why === undefined) context.registry.changed();
    else context.log(WARNING, 'lan', why);
  }

  /** Sets the address as it is typed; with `move` range and reservations go along. Answers why not, or undefined. */
  function set(prefix: Prefix, word: string): string | undefined {
    const before = prefixOf(INTERFACE_LAN);
    if (word !== '' && word !== MOVE) return `${word} is not move`;
    // Of saved lines, those for the range come later.
    if (lan.dhcp === undefined || !hasAddresses() || context.registry.isRestoring)
      return setLan(plane, prefix);
    const overlay = context.machine.overlay('lan');
    const left = overlay.misfits(lan.dhcp, prefix);
    if (left !== '' && word !== MOVE) return `${left} would not fit; with move behind it they go along`;
    const why = setLan(plane, prefix);
    if (why !== undefined || left === '' || before === undefined) return why;
    const stuck = overlay.move(lan.dhcp, before, prefix);
    if (stuck !== undefined) setLan(plane, before);
    return stuck;
  }

  const lan: Lan = {
    dhcp: undefined,
    refuse: networks => {
      const own = prefixOf(INTERFACE_LAN);
      const captured = insideRoute(networks);
      if (captured !== '') return captured;
      const network = clash(networks, own);
      if (network === undefined || own === undefined) return undefined;
      const theirs = formatPrefix(network.address, network.length);
      const ours = formatPrefix(own.address & maskOf(own.length), own.length);
      if (isByHand) return `${theirs} shares addresses with the LAN's ${ours}, which was set by hand`;
      const isRoom = PLACES.some(place => clash(networks, place) === undefined);
      return isRoom ? undefined : `${theirs} leaves no private network for the LAN`;
    },
    makeRoom,
    settings: () => [
      {
        words: 'lan address',
        arguments: 'ADDRESS/LENGTH:prefix=192.168.0.1/24 [move]',
        help: 'address of the router on the LAN; move takes DHCP range and reservations along',
        set: ([text = '', word = '']) => {
          const prefix = parsePrefix(text);
          const why = typeof prefix === 'string' ? prefix : set(prefix, word);
          if (why !== undefined) throw new Refusal(`Cannot set LAN address ${text}: ${why}`);
          isByHand = true;
        },
        unset: () => {
          isByHand = false;
          const before = prefixOf(INTERFACE_LAN);
          if (setLan(plane, LAN_DEFAULT) !== undefined) {
            const free = PLACES.find(place => setLan(plane, place) === undefined);
            if (free === undefined)
              throw new Refusal('Cannot unset LAN address: the WAN leaves no private network');
          }
          const after = prefixOf(INTERFACE_LAN);
          if (before !== undefined && after !== undefined) follow(before, after);
        },
        unsetHelp: 'puts the LAN to 192.168.0.1/24, or elsewhere if the WAN has that',
        lines: () => {
          const own = prefixOf(INTERFACE_LAN);
          if (!isByHand || own === undefined) return [];
          return [`set lan address ${formatPrefix(own.address, own.length)}`];
        },
      },
    ],
  };
  return lan;
}
