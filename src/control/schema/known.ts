// What completion knows: the addresses and names of the network, and the settings' lines.

import { INTERFACE_WAN } from '../../base/limits.ts';
import { formatAddress } from '../core/address.ts';
import { gatewayOf } from '../core/addresses.ts';
import type { Context } from '../core/context.ts';
import type { Known } from './schema.ts';

/** Who has an address of the LAN. */
interface Hosts {
  readonly config: { readonly reservations: readonly { readonly address: number; readonly name: string }[] };
  each(use: (lease: { readonly address: number; readonly name: string }) => void): void;
  nameOf(address: number): string | undefined;
}

/** Who knows of servers outside. */
interface Uplink {
  dnsServers(): readonly number[];
}

export function known({ machine, registry }: Context, server: Hosts, wan: Uplink): Known {
  const hosts = (): { address: number; name: string }[] => {
    const all = server.config.reservations.map(({ address, name }) => ({ address, name }));
    server.each(({ address, name }) => all.push({ address, name: server.nameOf(address) ?? name }));
    return all;
  };
  return {
    cards: () => machine.overlay('cards').choices(),
    lines: () => registry.lines(),
    zones: start => machine.overlay('time').zoneNames(start),
    names: () =>
      hosts()
        .map(({ name }) => name)
        .filter(name => name !== ''),
    addresses: () => {
      const gateway = gatewayOf(INTERFACE_WAN);
      const others = [...(gateway === undefined ? [] : [gateway]), ...wan.dnsServers()];
      return [...hosts().map(({ address }) => address), ...others].map(formatAddress);
    },
  };
}
