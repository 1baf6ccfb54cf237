// ipfwadm's accounting: rules that count what passes in, out, or both. One for both is two rules in the plane, one in each chain, with the
// same number of order; it is listed once, with what both have counted. The order is that of the original's one list.

import * as record from '../../../base/rule-record.ts';
import { firstRule, nextRule } from '../chains.ts';
import { get64 } from '../listing/saved.ts';
import { isOpen } from '../memory.ts';
import { ACCOUNT_IN, ACCOUNT_OUT, type FwadmRule, orderOf, readRule } from './rule.ts';

export const ACCOUNT_CHAINS = [record.CHAIN_ACCOUNT_IN, record.CHAIN_ACCOUNT_OUT];

/** A rule of the list: where it is in each chain, -1 where it is not, and its first cell. */
export interface Entry {
  order: number;
  cell: number;
  other: number;
  places: [number, number];
}

/** All accounting rules, in their order; of the draft if that is wanted. */
export function entries(isDraft = false): Entry[] {
  const found: Entry[] = [];
  if (!isOpen()) return found;
  for (const [side, chain] of ACCOUNT_CHAINS.entries()) {
    let place = 0;
    for (let cell = firstRule(chain, isDraft); cell !== 0; cell = nextRule(cell)) {
      const order = orderOf(cell);
      const twin = side === 1 ? found.find(entry => entry.order === order) : undefined;
      if (twin === undefined)
        found.push({ order, cell, other: 0, places: side === 0 ? [place, -1] : [-1, place] });
      else {
        twin.other = cell;
        twin.places[1] = place;
      }
      place++;
    }
  }
  return found.sort((a, b) => a.order - b.order);
}

/** What an entry has counted, in both chains. */
export function countsOf({ cell, other }: Entry): [packets: number, bytes: number] {
  const sum = (field: number): number =>
    get64(record.cellAt(cell) + field) + (other === 0 ? 0 : get64(record.cellAt(other) + field));
  return [sum(record.RULE_PACKETS), sum(record.RULE_BYTES)];
}

export const entryRule = ({ cell }: Entry): FwadmRule => readRule(cell);

/** Into which of the chains a rule belongs. */
export function chainsFor(flags: number): number[] {
  if ((flags & ACCOUNT_IN) !== 0) return [record.CHAIN_ACCOUNT_IN];
  return (flags & ACCOUNT_OUT) !== 0 ? [record.CHAIN_ACCOUNT_OUT] : ACCOUNT_CHAINS;
}

/** An order before all others, or behind them. */
export function nextOrder(list: readonly Entry[], isFirst: boolean): number {
  if (list.length === 0) return 0;
  return isFirst ? (list[0] as Entry).order - 1 : (list[list.length - 1] as Entry).order + 1;
}
