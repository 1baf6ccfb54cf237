// `show leases`: who has an address of the LAN from the router, and for whom one is reserved.

import { formatAddress, formatMac, hex } from '../core/address.ts';
import type { Job } from '../core/console/command.ts';
import { BOUND, EXPIRED, type Lease, OFFERED, QUARANTINED } from './lease-table.ts';
import type { DhcpServer } from './server.ts';

const STATES = new Map([
  [OFFERED, 'offered'],
  [BOUND, 'leased'],
  [EXPIRED, 'ended'],
  [QUARANTINED, 'conflict'],
]);

export function* showLeases(server: DhcpServer, line: (row: string) => void): Job {
  const leases: { address: number; row: string }[] = [];
  server.each(lease =>
    leases.push({ address: lease.address, row: rowOf(lease, server.nameOf(lease.address)) }),
  );
  for (const { client, address, name } of server.config.reservations) {
    if (leases.some(lease => lease.address === address)) continue;
    leases.push({ address, row: row(address, client, 'reserved', '', name) });
  }
  if (leases.length === 0) {
    line('There are no leases');
    return;
  }
  leases.sort((a, b) => (a.address >>> 0) - (b.address >>> 0));
  line('address         client            state        time name');
  for (const lease of leases) {
    yield 0;
    line(lease.row);
  }
}

function rowOf({ address, state, seconds, chaddr, name }: Lease, known: string | undefined): string {
  const client = chaddr.length === 6 ? formatMac(chaddr) : Array.from(chaddr, byte => hex(byte, 2)).join('');
  return row(
    address,
    client,
    STATES.get(state) ?? '',
    timeOf(seconds),
    known ?? (state === BOUND ? '' : name),
  );
}

function row(address: number, client: string, state: string, time: string, name: string): string {
  return `${formatAddress(address).padEnd(15)} ${client.padEnd(17)} ${state.padEnd(8)} ${time.padStart(8)} ${name}`.trimEnd();
}

/** Hours, minutes and seconds. */
function timeOf(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
