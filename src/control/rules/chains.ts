// Chains by name, in the plane's memory. Not here: rules, what may lead where (places.ts).

import { get8, put8, u16at } from '../../base/memory.ts';
import {
  CHAIN_ACCOUNT_IN,
  CHAIN_DRAFT_FIRST,
  CHAIN_FIRST,
  CHAIN_INPUT,
  CHAIN_MANGLE_PREROUTING,
  CHAIN_NAT_PREROUTING,
  CHAIN_OLD_INPUT,
  CHAIN_TABLE,
  CHAIN_USER,
  cellAt,
  chainAt,
  RULE_NEXT,
  TABLE_FILTER,
  TABLE_MANGLE,
  TABLE_NAT,
} from '../../base/rule-record.ts';
import { putText } from '../core/store/text.ts';
import { chainsEnd } from './memory.ts';
import { INVALID, refuse } from './refuse.ts';

/** A chain's name has so many characters at most. Behind it in the record stand the next two. */
export const CHAIN_NAME_MOST = 28;
export { CHAIN_DRAFT, CHAIN_DRAFT_POLICY, DRAFT_NAMED, DRAFT_NEW } from '../../base/rule-record.ts';

/** Tables by name, in the order in which they are saved. */
export const TABLES: readonly [string, number][] = [
  ['mangle', TABLE_MANGLE],
  ['nat', TABLE_NAT],
  ['filter', TABLE_FILTER],
];

/** Of each table, by its number, the first chain that is built in, and one more than the last. */
const BUILT_IN_OF: readonly (readonly [number, number])[] = [
  [0, 0],
  [CHAIN_INPUT, CHAIN_NAT_PREROUTING],
  [CHAIN_NAT_PREROUTING, CHAIN_MANGLE_PREROUTING],
  [CHAIN_MANGLE_PREROUTING, CHAIN_OLD_INPUT],
  [CHAIN_OLD_INPUT, CHAIN_ACCOUNT_IN],
  [CHAIN_ACCOUNT_IN, CHAIN_USER],
];

export function builtInOf(table: number): readonly [number, number] {
  return BUILT_IN_OF[table] as [number, number];
}

export function tableName(table: number): string {
  for (const [name, number] of TABLES) if (number === table) return name;
  return '';
}

/** A table's number, 0 if there is none of the name. */
export function tableNamed(text: string): number {
  for (const [name, number] of TABLES) if (name === text) return number;
  return 0;
}

function isNamed(at: number, name: string): boolean {
  const { length } = name;
  for (let i = 0; i < length; i++) if (get8(at + i) !== name.charCodeAt(i)) return false;
  return get8(at + length) === 0;
}

/** The number of a table's chain of this name, or 0. */
export function chainNamed(table: number, name: string): number {
  if (name === '' || name.length > CHAIN_NAME_MOST) return 0;
  const [first, end] = builtInOf(table);
  for (let chain = first; chain < end; chain++) if (isNamed(chainAt(chain), name)) return chain;
  const all = chainsEnd();
  for (let chain = CHAIN_USER; chain < all; chain++) {
    const at = chainAt(chain);
    if (get8(at + CHAIN_TABLE) === table && isNamed(at, name)) return chain;
  }
  return 0;
}

export function chainName(chain: number): string {
  const at = chainAt(chain);
  let name = '';
  for (let i = 0; i < CHAIN_NAME_MOST; i++) {
    const c = get8(at + i);
    if (c === 0) break;
    name += String.fromCharCode(c);
  }
  return name;
}

export function nameChain(memory: Uint8Array, chain: number, name: string): void {
  // Whoever gives names has said it in the words of his tool; behind the name lies what the chain is.
  if (name.length > CHAIN_NAME_MOST) refuse(INVALID);
  for (let i = 0; i <= CHAIN_NAME_MOST; i++) put8(chainAt(chain) + i, 0);
  putText(memory, chainAt(chain), name);
}

export const isBuiltIn = (chain: number): boolean => chain < CHAIN_USER;

/** A table's chains in the order of listings: those that are built in by their hooks, the others by name. */
export function chainsOf(table: number): number[] {
  const chains: number[] = [];
  const users: { chain: number; name: string }[] = [];
  const [first, end] = builtInOf(table);
  for (let chain = first; chain < end; chain++) chains.push(chain);
  const all = chainsEnd();
  for (let chain = CHAIN_USER; chain < all; chain++)
    if (get8(chainAt(chain) + CHAIN_TABLE) === table) users.push({ chain, name: chainName(chain) });
  if (users.length > 1) users.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { chain } of users) chains.push(chain);
  return chains;
}

/** A chain's first rule; with `isDraft` that of its draft. */
export function firstRule(chain: number, isDraft = false): number {
  return u16at(chainAt(chain) + (isDraft ? CHAIN_DRAFT_FIRST : CHAIN_FIRST));
}

export function nextRule(rule: number): number {
  return u16at(cellAt(rule) + RULE_NEXT);
}

/** The number of the rule at a place of a chain, counted from 0; 0 if there is none. */
export function ruleAtPlace(chain: number, place: number): number {
  let rule = firstRule(chain);
  for (let i = 0; i < place && rule !== 0; i++) rule = nextRule(rule);
  return rule;
}
