// Chains of the old dialects in their order: input, forward, output, then those of users as they were made, which the record of each says
// behind its name. And where the lines of all this stand among those that the configuration keeps:
//
//    ipchains -P forward DENY                  policies that were set
//    ipchains -N dmz                           chains of users
//    ipchains -A input -i eth1 -j dmz          rules, by chain
//
// Not here: the texts of rules (../ipchains/, ../ipfwadm/), ipfwadm's accounting (../ipfwadm/account.ts).

import { get8, putu16, u16at } from '../../../base/memory.ts';
import { CHAIN_COUNT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { chainNamed, isBuiltIn } from '../chains.ts';
import { isOpen } from '../memory.ts';

/** Behind a user chain's name, which has at most eight letters: its number since there are any, and that of its draft (u16). */
export const ORDER_AT = 24;
export const DRAFT_ORDER_AT = 26;

const BUILT_IN = [record.CHAIN_OLD_INPUT, record.CHAIN_OLD_FORWARD, record.CHAIN_OLD_OUTPUT];

/** All chains but those of accounting. */
export function oldChains(): number[] {
  if (!isOpen()) return [];
  const users: number[] = [];
  for (let chain = record.CHAIN_USER; chain < CHAIN_COUNT; chain++)
    if (get8(record.chainAt(chain) + record.CHAIN_TABLE) === record.TABLE_OLD) users.push(chain);
  users.sort((a, b) => u16at(record.chainAt(a) + ORDER_AT) - u16at(record.chainAt(b) + ORDER_AT));
  return [...BUILT_IN, ...users];
}

/** Makes a chain the last of all. */
export function orderLast(chain: number): void {
  let most = 0;
  for (const other of oldChains())
    if (!isBuiltIn(other) && other !== chain) most = Math.max(most, u16at(record.chainAt(other) + ORDER_AT));
  putu16(record.chainAt(chain) + ORDER_AT, most + 1);
}

export function oldChainNamed(name: string): number {
  return isOpen() ? chainNamed(record.TABLE_OLD, name) : 0;
}

export const rulesOf = (chain: number): number => u16at(record.chainAt(chain) + record.CHAIN_RULES);

export const policyOf = (chain: number): number => get8(record.chainAt(chain) + record.CHAIN_POLICY);

const hasHead = (chain: number): boolean => !isBuiltIn(chain) || policyOf(chain) !== record.POLICY_HOUSE;

/** Lines of policies and of users' chains. */
function headCount(): number {
  let count = 0;
  for (const chain of oldChains()) if (hasHead(chain)) count++;
  return count;
}

/** All lines but those of accounting. */
export function oldLineCount(): number {
  let count = headCount();
  for (const chain of oldChains()) count += rulesOf(chain);
  return count;
}

/** The number of the line that a chain's head has, or would have; of no chain that of the next one's. */
export function headLine(chain: number): number {
  let line = 0;
  for (const other of oldChains()) {
    if (other === chain) return line;
    if (hasHead(other)) line++;
  }
  return line;
}

/** The number of the line of the rule at a place of a chain. */
export function ruleLine(chain: number, place: number): number {
  let line = headCount() + place;
  for (const other of oldChains()) {
    if (other === chain) break;
    line += rulesOf(other);
  }
  return line;
}
