// Who owns the rules. One dialect at a time has rules in force, as in a kernel of the time; the first rule, chain or policy of one that is
// set while there is none is its owner's, until nothing is set any more. Listings and all that is about the masquerade's table ask nobody.
//
// Which of the two old ones it is stands in the record of their first chain, behind the name.

import { get8, put8, u16at } from '../../../base/memory.ts';
import { CHAIN_COUNT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { type Beside, Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import type { Machine } from '../../core/machine.ts';
import { isBuiltIn } from '../chains.ts';
import { isOpen, openRules } from '../memory.ts';

/** Behind the name of the chain input. */
const DIALECT_AT = 28;

export const DIALECT_NONE = 0;
export const DIALECT_IPTABLES = 1;
export const DIALECT_IPCHAINS = 2;
export const DIALECT_IPFWADM = 3;

const NAMES = ['', 'iptables', 'ipchains', 'ipfwadm'];
const LISTS = ['', 'iptables -L', 'ipchains -L', 'ipfwadm -F -l'];

/** Whether anything is set in a table of iptables, or in one of the old dialects. */
function isSet(isOld: boolean): boolean {
  for (let chain = 1; chain < CHAIN_COUNT; chain++) {
    const at = record.chainAt(chain);
    const table = get8(at + record.CHAIN_TABLE);
    if (table === 0 || table >= record.TABLE_OLD !== isOld) continue;
    if (!isBuiltIn(chain) || u16at(at + record.CHAIN_RULES) !== 0) return true;
    if (get8(at + record.CHAIN_POLICY) !== record.POLICY_HOUSE) return true;
  }
  return false;
}

/** Whether iptables has rules in force. */
export function hasIptables(): boolean {
  return isOpen() && isSet(false);
}

/** DIALECT_* of who has rules in force. */
export function ownerOf(): number {
  if (!isOpen()) return DIALECT_NONE;
  if (isSet(true)) return get8(record.chainAt(record.CHAIN_OLD_INPUT) + DIALECT_AT);
  return isSet(false) ? DIALECT_IPTABLES : DIALECT_NONE;
}

/** A Refusal if rules of another dialect are in force. */
export function refuseOthers(dialect: number, owner: number): void {
  if (owner === DIALECT_NONE || owner === dialect) return;
  const [own, other] = [NAMES[dialect], NAMES[owner]];
  throw new Refusal(
    `Cannot change rules by ${own}: those of ${other} are in force, until clear rules takes them away`,
  );
}

/**
 * A dialect lists chains while the rules are another's: theirs are empty, and that is said. On standard error, where a script has one: what reads the
 * listing finds it as it is.
 */
export function tellOthers({ output }: Context, dialect: number, beside?: Beside): void {
  const owner = ownerOf();
  if (owner === DIALECT_NONE || owner === dialect) return;
  const text = `Rules of ${NAMES[owner]} are in force, which ${NAMES[dialect]} does not list: ${LISTS[owner]} does`;
  if (beside === undefined) output.line(text);
  else beside.complain(text);
}

/** A dialect is about to change rules: a Refusal if another has some. Then there are the chains. */
export function claim(machine: Machine, dialect: number): void {
  refuseOthers(dialect, ownerOf());
  openRules(machine);
  markOwner(dialect);
}

export function markOwner(dialect: number): void {
  if (dialect >= DIALECT_IPCHAINS) put8(record.chainAt(record.CHAIN_OLD_INPUT) + DIALECT_AT, dialect);
}
