// The LAN's network: set by hand, or 192.168.0.0/24, or another private one where the WAN has that already.
// RFC 1918. A modem that is a router itself often hands out 192.168.0.x, and then no packet would find its way.
// Not here: who gets the LAN's addresses (dhcp/server.ts), which reads the LAN's address for each answer.

import { INTERFACE_INSIDE } from '../plane/interface.ts';
import { INTERFACE_LAN, MTU_DEFAULT } from '../plane/limits.ts';
import { formatAddress, formatPrefix, maskOf, overlap, type Prefix, parsePrefix } from './address.ts';
import { Refusal } from './console/command.ts';
import type { Context } from './context.ts';
import { NOTICE } from './log.ts';
import type { Setting } from './registry.ts';
import { configure, LAN_DEFAULT, prefixOf, setLan } from './settings.ts';

/** Where the LAN may go, best first; the last two are seldom chosen by providers or by makers of modems. */
const PLACES: readonly Prefix[] = [
  LAN_DEFAULT,
  { address: 0xc0a80101 | 0, length: 24 },
  { address: 0x0a4d0001, length: 24 },
  { address: 0xac1b0001 | 0, length: 24 },
];

export interface Lan {
  /** Why the WAN cannot have these networks, or undefined: then the LAN is elsewhere, or moves by makeRoom(). */
  refuse(networks: readonly Prefix[]): string | undefined;
  /** Moves the LAN if it shares addresses with one of these networks. */
  makeRoom(networks: readonly Prefix[]): void;
  settings(): Setting[];
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
  }

  return {
    refuse: networks => {
      const lan = prefixOf(INTERFACE_LAN);
      const network = clash(networks, lan);
      if (network === undefined || lan === undefined) return undefined;
      const theirs = formatPrefix(network.address, network.length);
      const ours = formatPrefix(lan.address & maskOf(lan.length), lan.length);
      if (isByHand) return `${theirs} shares addresses with the LAN's ${ours}, which was set by hand`;
      const isRoom = PLACES.some(place => clash(networks, place) === undefined);
      return isRoom ? undefined : `${theirs} leaves no private network for the LAN`;
    },
    makeRoom,
    settings: () => [
      {
        words: 'lan address',
        arguments: 'ADDRESS/LENGTH:prefix=192.168.0.1/24',
        help: 'address of the router on the LAN, as in 192.168.0.1/24',
        set: ([text = '']) => {
          const prefix = parsePrefix(text);
          const why = typeof prefix === 'string' ? prefix : setLan(plane, prefix);
          if (why !== undefined) throw new Refusal(`Cannot set LAN address ${text}: ${why}`);
          isByHand = true;
        },
        unset: () => {
          isByHand = false;
          if (setLan(plane, LAN_DEFAULT) !== undefined) {
            const free = PLACES.find(place => setLan(plane, place) === undefined);
            if (free === undefined)
              throw new Refusal('Cannot unset LAN address: the WAN leaves no private network');
          }
        },
        unsetHelp: 'puts the LAN to 192.168.0.1/24, or elsewhere if the WAN has that',
        lines: () => {
          const lan = prefixOf(INTERFACE_LAN);
          if (!isByHand || lan === undefined) return [];
          return [`set lan address ${formatPrefix(lan.address, lan.length)}`];
        },
      },
    ],
  };
}
