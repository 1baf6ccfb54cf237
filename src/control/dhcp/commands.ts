// `show leases` and `revoke`: who has an address of the LAN from the router. Not here: giving them (server.ts), the listing,
// which is an overlay (overlay.ts).

import { parseAddress } from '../core/address.ts';
import { type Command, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { DhcpServer } from './server.ts';

export function leaseCommands({ machine, output }: Context, server: DhcpServer): Command[] {
  return [
    {
      words: 'show leases',
      help: "addresses given to the LAN's hosts, and reserved ones",
      run: () => machine.overlay('dhcp').showLeases(server, row => output.line(row)),
    },
    {
      words: 'revoke',
      arguments: 'ADDRESS:address',
      help: 'takes a lease away; the host is told when it renews | 192.168.0.101',
      run: ([text = '']) => {
        const address = parseAddress(text);
        const why = typeof address === 'string' ? address : 'there is no lease of it';
        if (typeof address === 'string' || !server.revoke(address)) {
          throw new Refusal(`Cannot revoke ${text}: ${why}`);
        }
        return undefined;
      },
    },
  ];
}
