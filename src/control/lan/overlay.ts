// The overlay `lan`: what of the DHCP server's settings does not fit another network of the LAN, and how it moves along;
// and which other settings are of the old one still.
// Not here: setting the LAN's address (lan.ts).

import {
  formatAddress,
  formatPrefix,
  maskOf,
  overlap,
  type Prefix,
  parseAddress,
  refuseHost,
} from '../core/address.ts';
import type { Placed } from './lan.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    lan: typeof import('./overlay.ts');
  }
}

/** Whether a host of the LAN may have the address. */
function fits(lan: Prefix, address: number): boolean {
  if (!overlap(lan, { address, length: 32 }) || address === lan.address) return false;
  return refuseHost({ address, length: lan.length }) === undefined;
}

/** What of the settings does not fit, in words; '' if all does. */
export function misfits({ range, reservations }: Placed, lan: Prefix): string {
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

/** They at the same places in another network. */
function moved({ range, reservations }: Placed, before: Prefix, lan: Prefix): Placed {
  const place = (address: number): number => {
    if (!overlap(before, { address, length: 32 })) return address;
    return (lan.address & maskOf(lan.length)) | (address & ~maskOf(before.length));
  };
  return {
    range: range && { first: place(range.first), last: place(range.last) },
    reservations: reservations.map(one => ({ ...one, address: place(one.address) })),
  };
}

/** Moves range and reservations; answers why not, or undefined. */
export function move(config: Placed, before: Prefix, lan: Prefix): string | undefined {
  const there = moved(config, before, lan);
  const left = misfits(there, lan);
  if (left !== '')
    return `${left} would not fit ${formatPrefix(lan.address & maskOf(lan.length), lan.length)} either`;
  Object.assign(config, there);
  return undefined;
}

/** Whether they would fit if they moved: where the router's new address is a reserved one they would not. */
export function canMove(placed: Placed, before: Prefix | undefined, lan: Prefix): boolean {
  return before !== undefined && misfits(moved(placed, before, lan), lan) === '';
}

/** What is typed for another network: answers why it cannot be, or undefined, and then range and reservations fit it. */
export function follow(
  config: Placed,
  before: Prefix | undefined,
  lan: Prefix,
  isMove: boolean,
): string | undefined {
  const left = misfits(config, lan);
  if (left === '') return undefined;
  if (!isMove)
    return `${left} would not fit${canMove(config, before, lan) ? '; with move behind it they go along' : ''}`;
  return before === undefined ? `${left} would not fit` : move(config, before, lan);
}

/** Lines that tell of settings with an address of the old network: nobody but who made them knows what they are to be. */
export function remaining(lines: readonly string[], before: Prefix | undefined, lan: Prefix): string[] {
  if (before === undefined) return [];
  const isOld = (word: string): boolean => {
    const address = parseAddress(word);
    if (typeof address === 'string') return false;
    const host = { address, length: 32 };
    return overlap(before, host) && !overlap(lan, host);
  };
  const old = lines.filter(line => line.split(' ').some(isOld));
  const [first] = old;
  if (first === undefined) return [];
  const network = formatPrefix(before.address & maskOf(before.length), before.length);
  return old.length === 1
    ? [`Still of ${network}: ${first}`]
    : [`Still of ${network} are ${old.length} settings:`, ...old];
}
