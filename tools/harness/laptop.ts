// A laptop that is plugged in: dhclient asks for an address, and what it gets is put in force in the laptop's
// namespace, as at home: address, default route, and the resolver's file.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { within } from './namespace.ts';
import type { Processes, Running } from './processes.ts';

export interface Laptop {
  readonly namespace: string;
  /** What would be its /etc/resolv.conf. */
  readonly resolver: string;
  /** dhclient, which stays to renew the lease. */
  readonly running: Running;
}

/**
 * Asks by `device`, `eth0` in tests, until there is an address.
 * @param directory for dhclient's files, and for the resolver's unless that is given
 */
export async function plugIn(
  processes: Processes,
  namespace: string,
  device: string,
  directory: string,
  resolver: string = join(directory, `${namespace}.resolv`),
): Promise<Laptop> {
  const file = (name: string): string => join(directory, `${namespace}.${name}`);
  const lines = [
    '#!/bin/sh',
    'case "$reason" in BOUND|RENEW|REBIND|REBOOT)',
    '  [ "$old_ip_address" = "$new_ip_address" ] || ip address flush dev "$interface"',
    '  ip address replace "$new_ip_address/$new_subnet_mask" dev "$interface"',
    '  for router in $new_routers; do ip route replace default via "$router"; break; done',
    `  for server in $new_domain_name_servers; do echo "nameserver $server"; done > ${resolver};;`,
    'EXPIRE|FAIL|RELEASE|STOP) ip address flush dev "$interface";;',
    'esac',
    '',
  ];
  writeFileSync(resolver, '');
  writeFileSync(file('sh'), lines.join('\n'));
  chmodSync(file('sh'), 0o755);
  const files = ['-sf', file('sh'), '-lf', file('leases'), '-pf', file('pid')];
  const running = processes.start(['dhclient', '-d', '-4', '-v', ...files, device], {
    within: within(namespace),
  });
  await running.until(/bound to/);
  return { namespace, resolver, running };
}
