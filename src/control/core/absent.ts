// Why a link has no card, in words. Not here: who says so in the link's record (../cards/).

import { UNDRIVEN_AT } from '../../base/cells.ts';
import {
  ABSENT_MISSING,
  IF_ABSENT,
  IF_ADDRESS,
  IF_MISSING_MAC,
  IF_MISSING_PLACE,
  IF_STATE,
  INTERFACE_ABSENT,
  interfaceAt,
} from '../../base/interface.ts';
import { INTERFACE_LAN, INTERFACE_WAN } from '../../base/limits.ts';
import { get8, i32at } from '../../base/memory.ts';
import { formatMac, hex } from './address.ts';

/** The card that an interface misses, in words, or undefined. */
export function missingText(index: number): string | undefined {
  const at = interfaceAt(index);
  if (i32at(at + IF_STATE) !== INTERFACE_ABSENT || i32at(at + IF_ABSENT) !== ABSENT_MISSING) return undefined;
  const station = Array.from({ length: 6 }, (_, i) => get8(at + IF_MISSING_MAC + i));
  const place = i32at(at + IF_MISSING_PLACE);
  const words = station.some(byte => byte !== 0) ? [formatMac(station)] : [];
  if (place > 0) words.push(`at port 0x${hex(place, 3)}`);
  else if (place !== -1) words.push('on the PCI bus');
  return `its card ${words.join(' ')} does not answer`;
}

/** Whether an interface has no card and should: LAN, WAN, and a link that is set. */
export function isMissed(index: number): boolean {
  const at = interfaceAt(index);
  const isWanted = index === INTERFACE_LAN || index === INTERFACE_WAN || i32at(at + IF_ADDRESS) !== 0;
  return isWanted && i32at(at + IF_STATE) === INTERFACE_ABSENT;
}

/** Why an interface without a card has none: for the banner, `show interfaces`, `show status` and who reads that. */
export function absentText(index: number): string {
  const missing = missingText(index);
  if (missing !== undefined) return missing;
  const id = i32at(UNDRIVEN_AT);
  const undriven = `; the one on the PCI bus, ${hex(id & 0xffff, 4)}:${hex(id >>> 16, 4)}, has no driver`;
  return `no network card was found${id === 0 ? '' : undriven}`;
}
