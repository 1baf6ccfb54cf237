// Cards and their roles: LAN and WAN stick to the cards that had them. The flash log remembers place and station address
// of both (LOG_KIND_CARDS), the settings what was set by hand. Where all is as at the last start, which is nearly always,
// the cards go to their interfaces here; the rule for all else is in the overlay `cards` (roles.ts).
// A floppy remembers them with its settings, at each save. On a board without either the first card found is the LAN, the
// second the WAN.
//
//    record of the log   | LAN: place, 4 bytes | station address, 6 | WAN: the same |

import { cardAt, NIC_KIND, NIC_MAC, NIC_NONE, NIC_PLACE } from '../../../hal/nic/card.ts';
import { NIC_END_AT } from '../../base/cells.ts';
import { INTERFACE_LAN, INTERFACE_WAN, NIC_COUNT } from '../../base/limits.ts';
import { get8, i32at } from '../../base/memory.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Plane } from '../core/machine.ts';
import type { Setting } from '../core/setting.ts';
import type { Store } from '../core/store/store-types.ts';
import type { Pair } from './roles.ts';

export const KNOWN_BYTES = 10;
export const RECORD_BYTES = 2 * KNOWN_BYTES;
const WORD = /^([0-9a-f]{2}(:[0-9a-f]{2}){5}|0x[0-9a-f]{1,4})$/;
const NAMES = ['lan', 'wan'] as const;

export interface Cards {
  /** Gives the roles, before any card is started. Answers what has changed, for the log. */
  assign(): string[];
  settings(): Setting[];
}

/** Number of the card that is the one remembered for a role, or -1. */
function find(record: Uint8Array, role: number): number {
  const view = new DataView(record.buffer, record.byteOffset + role * KNOWN_BYTES, KNOWN_BYTES);
  for (let card = 0; card < NIC_COUNT; card++) {
    const at = cardAt(card);
    if (i32at(at + NIC_KIND) === NIC_NONE || i32at(at + NIC_PLACE) !== view.getInt32(0, true)) continue;
    let same = 0;
    while (same < 6 && get8(at + NIC_MAC + same) === view.getUint8(4 + same)) same++;
    if (same === 6) return card;
  }
  return -1;
}

/**
 * Makes cards, by their numbers, the devices of the first links in turn (-1: that link has none); those that are not named
 * come behind them. There are as many links for cards as cards: one for which none is left is no link's, and never started.
 */
export function bindCards(plane: Plane, first: number[]): void {
  const cards = Array.from({ length: i32at(NIC_END_AT) }, (_, card) => card);
  for (const card of cards) plane.nicBind(card, -1);
  const isFound = (card: number) => i32at(cardAt(card) + NIC_KIND) !== NIC_NONE;
  const others = cards.filter(card => isFound(card) && !first.includes(card));
  for (const [link, card] of [...first, ...others].entries())
    if (card >= 0 && link < NIC_COUNT) plane.nicBind(card, link);
}

export function createCards(context: Context, store: Store): Cards {
  const { machine, output } = context;
  const { plane } = machine;
  const words: (string | undefined)[] = [undefined, undefined];

  /** Whether all is as it was; then the cards are where they belong. */
  function asBefore(record: Uint8Array): boolean {
    if (record.length !== RECORD_BYTES) return false;
    const [lan, wan] = [find(record, INTERFACE_LAN), find(record, INTERFACE_WAN)];
    if (lan < 0 || wan < 0) return false;
    if (lan !== 0 || wan !== 1) bindCards(plane, [lan, wan]);
    return true;
  }

  function setting(side: number): Setting {
    const name = NAMES[side] as string;
    return {
      words: `card ${name}`,
      arguments: 'MAC|PORT:card',
      help: `the card that is the ${name.toUpperCase()}, from the next start on | ${side === 0 ? '0x300' : '0x320'}`,
      set: ([text = '']) => {
        const word = text.toLowerCase();
        if (!WORD.test(word))
          throw new Refusal(`Cannot set card ${name} ${text}: it is no station address and no port`);
        // Where the overlay cannot be loaded, nothing is set.
        const note = context.registry.isRestoring
          ? undefined
          : machine.overlay('cards').whatChanges(side, word, words[1 - side]);
        words[side] = word;
        if (note !== undefined) output.line(note);
      },
      unset: () => {
        words[side] = undefined;
      },
      unsetHelp: `leaves ${name} to the card that has it`,
      lines: () => (words[side] === undefined ? [] : [`set card ${name} ${words[side]}`]),
    };
  }

  const own = [setting(INTERFACE_LAN), setting(INTERFACE_WAN)];

  /** What the saved lines say of LAN and WAN: the same lines count as when they are applied, however they are written. */
  function saved(): Pair<string> {
    const set: Pair<string> = [undefined, undefined];
    for (const line of store.startLines('set card')) {
      const found = context.registry.meaningOf(line);
      const side = typeof found === 'string' ? -1 : own.indexOf(found.setting);
      if (typeof found === 'string' || side < 0) continue;
      const word = (found.args[0] as string).toLowerCase();
      if (WORD.test(word)) set[side] = word;
    }
    return set;
  }

  return {
    assign: () => {
      const set = saved();
      const record = store.cards;
      const isAlone = i32at(NIC_END_AT) < 2;
      const isSet = set.some(word => word !== undefined);
      if (!isSet && (record === undefined ? isAlone || !store.isWhole : asBefore(record))) return [];
      const { news, record: next } = machine.overlay('cards').assign(plane, set, record);
      if (next !== undefined && store.isWhole) store.keepCards(next);
      return news;
    },
    settings: () => own,
  };
}
