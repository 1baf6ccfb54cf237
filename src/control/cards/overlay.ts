// The overlay `cards`: who gets which role where it is not as at the last start, and what `set card` answers. Cards get
// their links while all are stopped, before the first is started.
// Not here: the rule (roles.ts), the ordinary start (cards.ts).

import { cardAt, NIC_KIND, NIC_LINK, NIC_MAC, NIC_NONE, NIC_PLACE, NIC_PORT } from '../../../hal/nic/card.ts';
import {
  ABSENT_MISSING,
  cardOf,
  IF_ABSENT,
  IF_MISSING_MAC,
  IF_MISSING_PLACE,
  interfaceAt,
} from '../../base/interface.ts';
import { INTERFACE_LAN, INTERFACE_WAN, NIC_COUNT } from '../../base/limits.ts';
import { get8, i32at, put8, puti32 } from '../../base/memory.ts';
import { formatMac } from '../core/address.ts';
import type { Plane } from '../core/machine.ts';
import { bindCards, KNOWN_BYTES, RECORD_BYTES } from './cards.ts';
import { decide, type Found, isMeant, type Known, type Pair, ROLES } from './roles.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    cards: typeof import('./overlay.ts');
  }
}

export interface Assigned {
  /** What has changed, for the log. */
  news: string[];
  /** What is to be remembered, if it is not what was. */
  record: Uint8Array | undefined;
}

/** The cards that answered, by number; undefined where there is none. */
function cards(): (Found | undefined)[] {
  return Array.from({ length: NIC_COUNT }, (_, index) => {
    const at = cardAt(index);
    if (i32at(at + NIC_KIND) === NIC_NONE) return undefined;
    const mac = formatMac(Array.from({ length: 6 }, (_, i) => get8(at + NIC_MAC + i)));
    return { mac, place: i32at(at + NIC_PLACE), port: i32at(at + NIC_PORT) };
  });
}

/** Gives the roles. `set` is what the saved lines say, `record` what is remembered. */
export function assign(plane: Plane, set: Pair<string>, record: Uint8Array | undefined): Assigned {
  const slots = cards();
  const found = slots.filter(card => card !== undefined);
  const { roles, missing, known, news } = decide(found, knownOf(record), set);
  const numberOf = (index: number | undefined) => (index === undefined ? -1 : slots.indexOf(found[index]));
  bindCards(plane, roles.map(numberOf));
  for (const [side, card] of missing.entries()) if (card !== undefined) mark(side, card);
  const next = recordOf(known);
  const isSame = next === undefined || (record !== undefined && next.every((byte, i) => byte === record[i]));
  return { news, record: isSame ? undefined : next };
}

/** Notes of a link without a card which one is missing. */
function mark(index: number, { place, mac }: Known): void {
  const at = interfaceAt(index);
  puti32(at + IF_ABSENT, ABSENT_MISSING);
  puti32(at + IF_MISSING_PLACE, place);
  const bytes = mac.split(':');
  for (let i = 0; i < 6; i++) put8(at + IF_MISSING_MAC + i, Number.parseInt(bytes[i] ?? '0', 16) || 0);
}

/** What is to be remembered now: who has a role, and who had it last. */
export function remembered(record: Uint8Array | undefined): Uint8Array | undefined {
  const [lan, wan] = knownOf(record);
  const slots = cards();
  return recordOf([slots[cardOf(INTERFACE_LAN)] ?? lan, slots[cardOf(INTERFACE_WAN)] ?? wan]);
}

function knownOf(record: Uint8Array | undefined): Pair<Known> {
  if (record === undefined || record.length !== RECORD_BYTES) return [undefined, undefined];
  const view = new DataView(record.buffer, record.byteOffset, RECORD_BYTES);
  const one = (at: number): Known => ({
    place: view.getInt32(at, true),
    mac: formatMac(record.subarray(at + 4, at + KNOWN_BYTES)),
  });
  return [one(0), one(KNOWN_BYTES)];
}

/** As bytes, if both are known: with one card alone nothing is remembered. */
function recordOf(known: Pair<Known>): Uint8Array | undefined {
  const record = new Uint8Array(RECORD_BYTES);
  const view = new DataView(record.buffer);
  for (const [side, card] of known.entries()) {
    if (card === undefined) return undefined;
    view.setInt32(side * KNOWN_BYTES, card.place, true);
    for (const [i, byte] of card.mac.split(':').entries())
      record[side * KNOWN_BYTES + 4 + i] = Number.parseInt(byte, 16);
  }
  return record;
}

/** What somebody who sets a card is told, or undefined: nothing changes. */
export function whatChanges(side: number, word: string, other: string | undefined): string | undefined {
  const slots = cards();
  const indexOf = (text: string) => slots.findIndex(card => card !== undefined && isMeant(card, text));
  const index = indexOf(word);
  if (other === word || (other !== undefined && index >= 0 && indexOf(other) === index))
    return 'Both are set to one card: lan gets it, and wan has none';
  if (index >= 0 && i32at(cardAt(index) + NIC_LINK) === side) return undefined;
  const when = 'at the next start, if it is saved';
  if (index < 0) return `No card ${word} answered at this start; ${ROLES[side]} looks for it ${when}`;
  return `It becomes ${ROLES[side]} ${when}`;
}

/** Words by which cards may be set, for completion. */
export function choices(): string[] {
  const found = cards().filter(card => card !== undefined);
  return found.flatMap(({ mac, port }) => [mac, `0x${port.toString(16)}`]);
}
