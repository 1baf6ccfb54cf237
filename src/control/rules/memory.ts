// The memory of rules, which the heap lends: state, names, chains and what flows have beside their records when the first rule or
// policy is set, cells by the page as they are wanted. All is given back when nothing is set any more. What control has to know of
// rules lies there alone, so a control that has died finds it when it comes back.
// Not here: what the fields are (src/base/rule-record.ts), the plane's part (src/plane/filter/rule-table.ts).

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { sessionLimit } from '../../base/flow-record.ts';
import { MASQUERADE_COUNT } from '../../base/limits.ts';
import { fill, get8, i32at, put8, puti32, u16at } from '../../base/memory.ts';
import {
  CHAIN_COUNT,
  CHAINS_AT,
  FLOW_RULES_AT,
  FLOW_RULES_BYTES,
  RECENT_AT,
  RULE_CELL_BYTES,
  RULE_CELL_COUNT,
  RULE_CELLS_AT,
  RULE_NAMES_AT,
  RULE_STATE_AT,
  RULE_STATE_BYTES,
  RULES_END,
} from '../../base/rule-limits.ts';
import {
  CHAIN_ACCOUNT_IN,
  CHAIN_MANGLE_PREROUTING,
  CHAIN_NAT_PREROUTING,
  CHAIN_OLD_INPUT,
  CHAIN_POLICY,
  CHAIN_RULES,
  CHAIN_TABLE,
  CHAIN_USER,
  chainAt,
  POLICY_HOUSE,
  TABLE_ACCOUNT,
  TABLE_FILTER,
  TABLE_MANGLE,
  TABLE_NAT,
  TABLE_OLD,
} from '../../base/rule-record.ts';
import { CELLS_FREE_AT } from '../../base/rule-state.ts';
import { Refusal } from '../core/console/command.ts';
import { SECTION_SPARE_BYTES } from '../core/limits.ts';
import type { Machine } from '../core/machine.ts';
import { putText } from '../core/store/text.ts';
import { NO_MEMORY, refuse } from './refuse.ts';

/** Behind what the plane has of the state: where chains end, how many cells have memory, and what was said once (TOLD_*). */
const CHAINS_END_AT = RULE_STATE_AT + RULE_STATE_BYTES - 12;
const CELLS_LENT_AT = RULE_STATE_AT + RULE_STATE_BYTES - 8;
const TOLD_AT = RULE_STATE_AT + RULE_STATE_BYTES - 4;
export const TOLD_POLICY = 1;
export const TOLD_LAN = 2;
/** What of the LAN's was cut off when it was told (warnings.ts), five bits. */
export const TOLD_CUT = 0x7c;
export const TOLD_CUT_SHIFT = 2;
/** nat has rules that are not asked. */
export const TOLD_UNASKED = 0x80;

const PAGE = 4096;
const PAGE_CELLS = PAGE / RULE_CELL_BYTES;
const CELLS_END = RULE_CELLS_AT + RULE_CELL_COUNT * RULE_CELL_BYTES;
const paged = (address: number): number => (address + PAGE - 1) & ~(PAGE - 1);

/** Names of the chains that are built in, by number. */
export const BUILT_IN =
  ' INPUT FORWARD OUTPUT PREROUTING INPUT OUTPUT POSTROUTING PREROUTING INPUT FORWARD OUTPUT POSTROUTING input forward output in out'.split(
    ' ',
  );

/** Whether there is memory for rules. */
export function isOpen(): boolean {
  return i32at(RULE_HOOKS_AT) !== 0;
}

/** One more than the highest number that a chain has had since there are rules: loops over chains end here. */
export function chainsEnd(): number {
  return i32at(CHAINS_END_AT);
}

/** A new chain has been made. */
export function chainMade(chain: number): void {
  if (chain >= chainsEnd()) puti32(CHAINS_END_AT, chain + 1);
}

/** On a board with little RAM there are half as many cells. */
const isSmall = (): boolean => sessionLimit() < MASQUERADE_COUNT;

function tableOf(chain: number): number {
  if (chain >= CHAIN_ACCOUNT_IN) return TABLE_ACCOUNT;
  if (chain >= CHAIN_OLD_INPUT) return TABLE_OLD;
  if (chain >= CHAIN_MANGLE_PREROUTING) return TABLE_MANGLE;
  return chain >= CHAIN_NAT_PREROUTING ? TABLE_NAT : TABLE_FILTER;
}

/** Sees to it that there are the chains that are built in; a Refusal if the heap has no room. */
export function openRules({ heapFree, lend, memory, plane }: Machine): void {
  if (isOpen()) return;
  const end = paged(FLOW_RULES_AT + sessionLimit() * FLOW_RULES_BYTES);
  if (heapFree() < end - RULE_STATE_AT + SECTION_SPARE_BYTES || !lend(RULE_STATE_AT, end, RULE_CELLS_AT))
    refuse(`${NO_MEMORY}: control's heap has no room for rules`);
  fill(RULE_STATE_AT, 0, RULE_STATE_BYTES);
  fill(RULE_NAMES_AT, 0, CHAINS_AT - RULE_NAMES_AT);
  plane.rulesReset();
  puti32(CHAINS_END_AT, CHAIN_USER);
  for (let chain = 1; chain < CHAIN_USER; chain++) {
    put8(chainAt(chain) + CHAIN_TABLE, tableOf(chain));
    putText(memory, chainAt(chain), BUILT_IN[chain] as string);
  }
}

/** Gives the memory back if nothing is set. */
export function closeRules({ lend, plane }: Machine): void {
  if (!isOpen()) return;
  // Those of other languages, too.
  for (let chain = 1; chain < CHAIN_COUNT; chain++) {
    const at = chainAt(chain);
    if (u16at(at + CHAIN_RULES) !== 0 || get8(at + CHAIN_POLICY) !== POLICY_HOUSE) return;
    if (chain >= CHAIN_USER && get8(at + CHAIN_TABLE) !== 0) return;
  }
  plane.rulesEnd();
  lend(RECENT_AT, RECENT_AT, RULES_END);
  lend(RULE_CELLS_AT, RULE_CELLS_AT, paged(CELLS_END));
  lend(RULE_STATE_AT, RULE_STATE_AT, RULE_CELLS_AT);
}

/** Sees to it that `recent` has memory; a Refusal if the heap has no room. */
export function openRecent({ heapFree, lend }: Machine): void {
  if (heapFree() < RULES_END - RECENT_AT + SECTION_SPARE_BYTES || !lend(RECENT_AT, RULES_END, RULES_END))
    refuse(`${NO_MEMORY}: control's heap has no room for what recent remembers`);
}

/** Takes a cell, all zero; a Refusal if the heap has no page for it or there are as many as there can be. */
export function takeCell(machine: Machine): number {
  const { plane } = machine;
  const cell = plane.cellTake();
  if (cell !== 0) return cell;
  const lent = i32at(CELLS_LENT_AT);
  if (lent >= (isSmall() ? RULE_CELL_COUNT >> 1 : RULE_CELL_COUNT))
    refuse(`${NO_MEMORY}: all ${lent} places for rules and what they say are taken`);
  const end = RULE_CELLS_AT + (lent + PAGE_CELLS) * RULE_CELL_BYTES;
  if (machine.heapFree() < PAGE + SECTION_SPARE_BYTES || !machine.lend(RULE_CELLS_AT, end, paged(CELLS_END)))
    refuse(`${NO_MEMORY}: control's heap has no room for more rules`);
  puti32(CELLS_LENT_AT, lent + PAGE_CELLS);
  plane.cellsAdd(lent, PAGE_CELLS);
  return plane.cellTake();
}

/** Cells that a rule takes which the plane reads itself. */
const READ_CELLS = 4;

/** Sees to it that the plane has cells for a rule that it reads; answers whether it has. */
export function hasCells(machine: Machine): boolean {
  if (u16at(CELLS_FREE_AT) >= READ_CELLS) return true;
  const cells: number[] = [];
  try {
    while (cells.length < READ_CELLS) cells.push(takeCell(machine));
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return false;
  } finally {
    for (const cell of cells) machine.plane.cellGive(cell);
  }
}

/** Whether this is said for the first time since there are rules. */
export function isNews(told: number): boolean {
  const before = i32at(TOLD_AT);
  puti32(TOLD_AT, before | told);
  return (before & told) === 0;
}

/** What was told. */
export function told(): number {
  return i32at(TOLD_AT);
}

export function setTold(mask: number, bits: number): void {
  puti32(TOLD_AT, (i32at(TOLD_AT) & ~mask) | bits);
}

/** The number of a cell by its address. */
export function cellOf(at: number): number {
  return (at - RULE_CELLS_AT) / RULE_CELL_BYTES;
}
