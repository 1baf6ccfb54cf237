// The table of rules: cells, chains, and how they are changed. Control calls this, with interrupts off, so a change is in force for the
// next packet, whole. A cell's fields are src/base/rule-record.ts.
//
//    free cells     a list by RULE_NEXT
//    a chain        first, last, how many; rules linked by RULE_NEXT
//    a draft        rules beside those of a chain, for all chains of a table, which take their place in one step
//    gone           rules that were taken out of a chain: flows' paths may still name them, so their cells are free only when
//                   every flow's counts have been folded since (src/plane/filter/paths.ts)
//
// Worst case: a rule's place in its chain is found by going along it, RULE_COUNT steps of five instructions; a chain that is
// emptied is gone in one step, whatever its length. What follows of that is a tick's work, in slices.
// Not here: walking (walk.ts), what is allowed where, loops, names (src/control/rules/).

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { fill, get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  CHAIN_BYTES,
  CHAIN_COUNT,
  CHAINS_AT,
  FREE_CELLS,
  RULE_CELL_BYTES,
  RULE_CELL_COUNT,
  RULE_COUNT,
  RULE_OPERATION_MOST,
  RULE_STATE_AT,
  RULE_STATE_BYTES,
} from '../../base/rule-limits.ts';
import {
  CHAIN_DRAFT_FIRST,
  CHAIN_DRAFT_LAST,
  CHAIN_DRAFT_RULES,
  CHAIN_FIRST,
  CHAIN_LAST,
  CHAIN_MANGLE_POSTROUTING,
  CHAIN_NAT_POSTROUTING,
  CHAIN_OLD_OUTPUT,
  CHAIN_OUTPUT,
  CHAIN_PACKETS,
  CHAIN_POLICY,
  CHAIN_REFERENCES,
  CHAIN_RULES,
  CHAIN_TABLE,
  CHAIN_USER,
  cellAt,
  chainAt,
  POLICY_HOUSE,
  RULE_ARGUMENT,
  RULE_NEXT,
  RULE_OPERATIONS,
  RULE_PACKETS,
  RULE_TARGET,
  TABLE_ACCOUNT,
  TABLE_FILTER,
  TABLE_MANGLE,
  TABLE_NAT,
  TABLE_OLD,
  TARGET_GOTO,
  TARGET_JUMP,
} from '../../base/rule-record.ts';
import { CELL_FREE_AT, CELLS_FREE_AT, RULES_GONE_AT, RULES_USED_AT } from '../../base/rule-state.ts';
import { forgetRoutes } from '../flow/kept-route.ts';
import { beginSweep, isSweeping, resetPaths, sweepPaths } from './paths.ts';

/** Bit 0 of RULE_HOOKS_AT: the memory is there. */
const THERE: i32 = 1;

/** Makes the tables empty, in memory that has just been lent, and says to the plane that they are there. No cell is free yet. */
export function rulesReset(): void {
  fill(RULE_STATE_AT, 0, RULE_STATE_BYTES);
  fill(CHAINS_AT, 0, CHAIN_COUNT * CHAIN_BYTES);
  for (let n: i32 = 1; n < CHAIN_USER; n++) put8(chainAt(n) + CHAIN_TABLE, tableOf(n));
  resetPaths();
  puti32(RULE_HOOKS_AT, THERE);
}

/** The table of a built-in chain. */
function tableOf(chain: i32): i32 {
  if (chain <= CHAIN_OUTPUT) return TABLE_FILTER;
  if (chain <= CHAIN_NAT_POSTROUTING) return TABLE_NAT;
  if (chain <= CHAIN_MANGLE_POSTROUTING) return TABLE_MANGLE;
  return chain <= CHAIN_OLD_OUTPUT ? TABLE_OLD : TABLE_ACCOUNT;
}

/** The memory is about to be given back: there are no rules any more. */
export function rulesEnd(): void {
  puti32(RULE_HOOKS_AT, 0);
  forgetRoutes();
}

/** Makes cells that have got memory free, from number `first` on: whole pages at a time. */
export function cellsAdd(first: i32, cells: i32): void {
  for (let n: i32 = first + cells - 1; n >= first; n--) {
    if (n > 0 && n < RULE_CELL_COUNT) freeCell(n);
  }
}

/** Takes a cell: its number, and all of it zero; or 0 if none is free. */
export function cellTake(): i32 {
  const n: i32 = u16at(CELL_FREE_AT);
  if (n === 0) return 0;
  const at: i32 = cellAt(n);
  putu16(CELL_FREE_AT, u16at(at + RULE_NEXT));
  putu16(CELLS_FREE_AT, u16at(CELLS_FREE_AT) - 1);
  fill(at, 0, RULE_CELL_BYTES);
  return n;
}

function freeCell(n: i32): void {
  putu16(cellAt(n) + RULE_NEXT, u16at(CELL_FREE_AT));
  putu16(CELL_FREE_AT, n);
  putu16(CELLS_FREE_AT, u16at(CELLS_FREE_AT) + 1);
}

/** Frees a rule that is in no chain, and its operations. */
export function cellGive(rule: i32): void {
  let n: i32 = u16at(cellAt(rule) + RULE_OPERATIONS);
  for (let left: i32 = RULE_OPERATION_MOST; n !== 0 && left !== 0; left--) {
    const next: i32 = u16at(cellAt(n) + RULE_NEXT);
    freeCell(n);
    n = next;
  }
  freeCell(rule);
}

/** A tick's part of what is left of changes: flows' paths are given up, then the rules that are gone are free. */
export function ruleTick(): void {
  if (isSweeping() !== 0) {
    sweepPaths();
    return;
  }
  let rule: i32 = u16at(RULES_GONE_AT);
  for (let left: i32 = FREE_CELLS; rule !== 0 && left > 0; left--) {
    const next: i32 = u16at(cellAt(rule) + RULE_NEXT);
    cellGive(rule);
    rule = next;
  }
  putu16(RULES_GONE_AT, rule);
}

/** Takes a rule out of use, that packets may have met. */
function forsake(rule: i32): void {
  putu16(cellAt(rule) + RULE_NEXT, u16at(RULES_GONE_AT));
  putu16(RULES_GONE_AT, rule);
  beginSweep();
}

/** Counts a rule in or out, and the chain that it leads to. */
function refer(rule: i32, by: i32): void {
  const at: i32 = cellAt(rule);
  const target: i32 = get8(at + RULE_TARGET);
  putu16(RULES_USED_AT, u16at(RULES_USED_AT) + by);
  if (target !== TARGET_JUMP && target !== TARGET_GOTO) return;
  const led: i32 = chainAt(u16at(at + RULE_ARGUMENT)) + CHAIN_REFERENCES;
  putu16(led, u16at(led) + by);
}

/** The rule before the one at a place of a chain, counted from 0; 0 of the first. */
function before(chain: i32, place: i32): i32 {
  let n: i32 = 0;
  for (let i: i32 = 0; i < place && i < RULE_COUNT; i++)
    n = u16at(n === 0 ? chainAt(chain) + CHAIN_FIRST : cellAt(n) + RULE_NEXT);
  return n;
}

/** Puts a rule into a chain before the one at a place, counted from 0; past the end, behind all. 0 if there are RULE_COUNT already. */
export function ruleInsert(chain: i32, place: i32, rule: i32): i32 {
  const at: i32 = chainAt(chain);
  const rules: i32 = u16at(at + CHAIN_RULES);
  if (u16at(RULES_USED_AT) >= RULE_COUNT) return 0;
  const previous: i32 = place >= rules ? u16at(at + CHAIN_LAST) : before(chain, place);
  const link: i32 = previous === 0 ? at + CHAIN_FIRST : cellAt(previous) + RULE_NEXT;
  putu16(cellAt(rule) + RULE_NEXT, u16at(link));
  putu16(link, rule);
  if (u16at(cellAt(rule) + RULE_NEXT) === 0) putu16(at + CHAIN_LAST, rule);
  putu16(at + CHAIN_RULES, rules + 1);
  refer(rule, 1);
  hookChains();
  return 1;
}

/** Takes the rule at a place out of its chain: 0 if there is none. */
export function ruleDelete(chain: i32, place: i32): i32 {
  const at: i32 = chainAt(chain);
  if (place < 0 || place >= u16at(at + CHAIN_RULES)) return 0;
  const previous: i32 = before(chain, place);
  const link: i32 = previous === 0 ? at + CHAIN_FIRST : cellAt(previous) + RULE_NEXT;
  const rule: i32 = u16at(link);
  const next: i32 = u16at(cellAt(rule) + RULE_NEXT);
  putu16(link, next);
  if (next === 0) putu16(at + CHAIN_LAST, previous);
  putu16(at + CHAIN_RULES, u16at(at + CHAIN_RULES) - 1);
  refer(rule, -1);
  forsake(rule);
  hookChains();
  return 1;
}

/** Puts a rule in the place of another: 0 if there is none. */
export function ruleReplace(chain: i32, place: i32, rule: i32): i32 {
  const at: i32 = chainAt(chain);
  if (place < 0 || place >= u16at(at + CHAIN_RULES)) return 0;
  const previous: i32 = before(chain, place);
  const link: i32 = previous === 0 ? at + CHAIN_FIRST : cellAt(previous) + RULE_NEXT;
  const old: i32 = u16at(link);
  putu16(cellAt(rule) + RULE_NEXT, u16at(cellAt(old) + RULE_NEXT));
  putu16(link, rule);
  if (u16at(at + CHAIN_LAST) === old) putu16(at + CHAIN_LAST, rule);
  refer(old, -1);
  refer(rule, 1);
  forsake(old);
  hookChains();
  return 1;
}

/** Takes all rules out of a chain. */
export function chainFlush(chain: i32): void {
  const at: i32 = chainAt(chain);
  const first: i32 = u16at(at + CHAIN_FIRST);
  if (first === 0) return;
  countOut(first);
  putu16(cellAt(u16at(at + CHAIN_LAST)) + RULE_NEXT, u16at(RULES_GONE_AT));
  putu16(RULES_GONE_AT, first);
  putu16(at + CHAIN_FIRST, 0);
  putu16(at + CHAIN_LAST, 0);
  putu16(at + CHAIN_RULES, 0);
  beginSweep();
  hookChains();
}

/** Counts the rules of a list out, and where they lead. */
function countOut(first: i32): void {
  let n: i32 = first;
  for (let i: i32 = 0; n !== 0 && i < RULE_COUNT; i++) {
    refer(n, -1);
    n = u16at(cellAt(n) + RULE_NEXT);
  }
}

/** Puts the counts of the rule at a place to 0; of all and of the policy if `place` is below 0. */
export function chainZero(chain: i32, place: i32): void {
  const at: i32 = chainAt(chain);
  let n: i32 = u16at(at + CHAIN_FIRST);
  for (let i: i32 = 0; n !== 0 && i < RULE_COUNT; i++) {
    if (place < 0 || i === place) fill(cellAt(n) + RULE_PACKETS, 0, RULE_CELL_BYTES - RULE_PACKETS);
    n = u16at(cellAt(n) + RULE_NEXT);
  }
  if (place < 0) fill(at + CHAIN_PACKETS, 0, CHAIN_BYTES - CHAIN_PACKETS);
}

/** Gives a built-in chain its policy: POLICY_*. */
export function chainPolicy(chain: i32, policy: i32): void {
  put8(chainAt(chain) + CHAIN_POLICY, policy);
  beginSweep();
  hookChains();
}

/** A new chain of a table: its number, without a name yet; or 0 if there are CHAIN_COUNT. */
export function chainNew(table: i32): i32 {
  for (let n: i32 = CHAIN_USER; n < CHAIN_COUNT; n++) {
    const at: i32 = chainAt(n);
    if (get8(at + CHAIN_TABLE) !== 0) continue;
    fill(at, 0, CHAIN_BYTES);
    put8(at + CHAIN_TABLE, table);
    return n;
  }
  return 0;
}

/** Ends a user's chain, which is empty, and to which nothing leads. A path that names it has been folded: see forsake(). */
export function chainDelete(chain: i32): void {
  fill(chainAt(chain), 0, CHAIN_BYTES);
}

/** From here on rules are gathered for all chains of a table (draftAppend), beside those in force. */
export function draftBegin(table: i32): void {
  for (let n: i32 = 1; n < CHAIN_COUNT; n++) {
    const at: i32 = chainAt(n);
    if (get8(at + CHAIN_TABLE) === table) fill(at + CHAIN_DRAFT_FIRST, 0, CHAIN_PACKETS - CHAIN_DRAFT_FIRST);
  }
}

/** Puts a rule behind those of a chain's draft. */
export function draftAppend(chain: i32, rule: i32): void {
  const at: i32 = chainAt(chain);
  const last: i32 = u16at(at + CHAIN_DRAFT_LAST);
  putu16(last === 0 ? at + CHAIN_DRAFT_FIRST : cellAt(last) + RULE_NEXT, rule);
  putu16(cellAt(rule) + RULE_NEXT, 0);
  putu16(at + CHAIN_DRAFT_LAST, rule);
  putu16(at + CHAIN_DRAFT_RULES, u16at(at + CHAIN_DRAFT_RULES) + 1);
}

/** The draft of a table is in force, and what was is gone: in one step for the packets. 0 if that would be more than RULE_COUNT. */
export function draftCommit(table: i32): i32 {
  let rules: i32 = 0;
  for (let n: i32 = 1; n < CHAIN_COUNT; n++) {
    const at: i32 = chainAt(n);
    rules += u16at(at + (get8(at + CHAIN_TABLE) === table ? CHAIN_DRAFT_RULES : CHAIN_RULES));
  }
  if (rules > RULE_COUNT) return 0;
  for (let n: i32 = 1; n < CHAIN_COUNT; n++) if (get8(chainAt(n) + CHAIN_TABLE) === table) chainFlush(n);
  for (let n: i32 = 1; n < CHAIN_COUNT; n++) if (get8(chainAt(n) + CHAIN_TABLE) === table) takeDraft(n);
  hookChains();
  return 1;
}

function takeDraft(chain: i32): void {
  const at: i32 = chainAt(chain);
  putu16(at + CHAIN_FIRST, u16at(at + CHAIN_DRAFT_FIRST));
  putu16(at + CHAIN_LAST, u16at(at + CHAIN_DRAFT_LAST));
  putu16(at + CHAIN_RULES, u16at(at + CHAIN_DRAFT_RULES));
  fill(at + CHAIN_DRAFT_FIRST, 0, CHAIN_PACKETS - CHAIN_DRAFT_FIRST);
  let n: i32 = u16at(at + CHAIN_FIRST);
  for (let i: i32 = 0; n !== 0 && i < RULE_COUNT; i++) {
    refer(n, 1);
    n = u16at(cellAt(n) + RULE_NEXT);
  }
}

/** Forgets the draft of a table: its cells are free. */
export function draftDrop(table: i32): void {
  for (let n: i32 = 1; n < CHAIN_COUNT; n++) {
    const at: i32 = chainAt(n);
    if (get8(at + CHAIN_TABLE) !== table) continue;
    let rule: i32 = u16at(at + CHAIN_DRAFT_FIRST);
    for (let i: i32 = 0; rule !== 0 && i < RULE_COUNT; i++) {
      const next: i32 = u16at(cellAt(rule) + RULE_NEXT);
      cellGive(rule);
      rule = next;
    }
    fill(at + CHAIN_DRAFT_FIRST, 0, CHAIN_PACKETS - CHAIN_DRAFT_FIRST);
  }
}

/**
 * Says at which hooks packets are asked, and that what flows keep of rules is over. Where a chain of a table has a rule or a policy all of the table's are asked, for their
 * policies count.
 */
function hookChains(): void {
  let hooks: i32 = i32at(RULE_HOOKS_AT) & THERE;
  let tables: i32 = 0;
  for (let n: i32 = 1; n < CHAIN_USER; n++) {
    const at: i32 = chainAt(n);
    if (u16at(at + CHAIN_FIRST) !== 0 || get8(at + CHAIN_POLICY) !== POLICY_HOUSE) tables |= 1 << tableOf(n);
  }
  for (let n: i32 = 1; n < CHAIN_USER; n++) if ((tables & (1 << tableOf(n))) !== 0) hooks |= 1 << n;
  puti32(RULE_HOOKS_AT, hooks);
  forgetRoutes();
}
