// What the listings of ipchains and ipfwadm have in common: counts, addresses, ports.

import { formatAddress } from '../../core/address.ts';
import { serviceName } from '../names.ts';
import { prefixLength } from '../numbers.ts';

/** A count in the largest unit that leaves four figures; thousands are rounded once, from M on to G once more. */
export function scaled(value: number, isGiga: boolean): string {
  if (value <= 99999) return String(value);
  const thousands = Math.floor((value + 500) / 1000);
  if (thousands <= 9999) return `${thousands}K`;
  const millions = Math.floor((value + 500000) / 1000000);
  if (millions <= 9999 || !isGiga) return `${millions}M`;
  return `${Math.floor((millions + 500) / 1000)}G`;
}

/** Packets and bytes before a row; nothing of the other columns is as wide with `isExact`. */
export function countColumns(packets: number, bytes: number, isExact: boolean, isGiga: boolean): string {
  if (isExact) return `${String(packets).padStart(8)} ${String(bytes).padStart(10)} `;
  return `${scaled(packets, isGiga).padStart(5)} ${scaled(bytes, isGiga).padStart(5)} `;
}

export function countHead(isExact: boolean): string {
  return isExact ? '    pkts      bytes ' : ' pkts bytes ';
}

/** An address with its mask; a mask without bits is a name where names are wanted. */
export function networkText(address: number, mask: number, isNumeric: boolean): string {
  if (mask === 0 && !isNumeric) return 'anywhere';
  if (mask === -1) return formatAddress(address);
  const length = prefixLength(mask);
  return `${formatAddress(address)}/${length >= 0 ? length : formatAddress(mask)}`;
}

/** The same for a saved line, with its mask always. */
export function networkWord(address: number, mask: number): string {
  const length = prefixLength(mask);
  return `${formatAddress(address)}/${length >= 0 ? length : formatAddress(mask)}`;
}

/** A port, by its name where names are wanted and the protocol has some. */
export function portText(port: number, hasNames: boolean): string {
  return hasNames ? serviceName(port) : String(port);
}

export function hexByte(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** So many hexadecimal digits, capitals, as /proc has them. */
export function hexCapitals(value: number, digits: number): string {
  return (value >>> 0).toString(16).toUpperCase().padStart(digits, '0');
}
