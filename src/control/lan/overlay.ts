// The overlay `lan`: what of the DHCP server's settings does not fit another network of the LAN, and how it moves along.
// Not here: setting the LAN's address (../lan.ts).

import { formatAddress, formatPrefix, maskOf, overlap, type Prefix, refuseHost } from '../address.ts';
import type { DhcpConfig } from '../dhcp/pool.ts';

/** Whether a host of the LAN may have the address. */
function fits(lan: Prefix, address: number): boolean {
  if (!overlap(lan, { address, length: 32 }) || address === lan.address) return false;
  return refuseHost({ address, length: lan.length }) === undefined;
}

/** What of the settings does not fit, in words; '' if all does. */
export function misfits({ range, reservations }: DhcpConfig, lan: Prefix): string {
  const words: string[] = [];
  if (range !== undefined && !(fits(lan, range.first) && fits(lan, range.last)))
    words.push(`the DHCP range ${formatAddress(range.first)} to ${formatAddress(range.last)}`);
  const outside = reservations.filter(({ address }) => !fits(lan, address));
  const [first] = outside;
  if (first !== undefined) {
    const more = outside.length === 1 ? '' : ` and ${outside.length - 1} more`;
    words.push(`the reservation of ${formatAddress(first.address)}${more}`);
  }
  return words.join(' and ');
}

/** Moves range and reservations to the same places in another network; answers why not, or undefined. */
export function move(config: DhcpConfig, before: Prefix, lan: Prefix): string | undefined {
  const moved = (address: number): number => {
    if (!overlap(before, { address, length: 32 })) return address;
    return (lan.address & maskOf(lan.length)) | (address & ~maskOf(before.length));
  };
  const range = config.range && { first: moved(config.range.first), last: moved(config.range.last) };
  const reservations = config.reservations.map(one => ({ ...one, address: moved(one.address) }));
  const network = formatPrefix(lan.address & maskOf(lan.length), lan.length);
  const left = misfits({ ...config, range, reservations }, lan);
  if (left !== '') return `${left} would not fit ${network} either`;
  config.range = range;
  config.reservations = reservations;
  return undefined;
}
