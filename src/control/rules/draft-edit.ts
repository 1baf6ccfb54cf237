// What takes something out of a table's draft, as `iptables-restore -n` may: -D, -R, -F, -X and -Z. The draft is nobody's yet, so all is done
// here and not in the plane, but for the cells that are given back.
// Not here: what is put into it (draft.ts).

import { fill, get8, put8, putu16, u16at } from '../../base/memory.ts';
import { RULE_CELL_BYTES } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import type { Machine } from '../core/machine.ts';
import { CHAIN_DRAFT, chainNamed, chainsOf, DRAFT_NAMED, firstRule, isBuiltIn, nextRule } from './chains.ts';
import { isSameRule } from './compare.ts';
import type { Line } from './line.ts';
import { INVALID, NO_CHAIN, refuse } from './refuse.ts';

const isNamed = (chain: number): boolean => (get8(record.chainAt(chain) + CHAIN_DRAFT) & DRAFT_NAMED) !== 0;

/** A line's chain, or all of its table's where it names none. */
function chainsFor({ chain, table }: Line): number[] {
  if (chain === '') return chainsOf(table).filter(isNamed);
  const found = chainNamed(table, chain);
  return found !== 0 && isNamed(found) ? [found] : refuse(NO_CHAIN);
}

/** Takes the rule at a place of a chain's draft, counted from 0, out of it. */
function removeAt({ plane }: Machine, chain: number, place: number): void {
  const at = record.chainAt(chain);
  let before = 0;
  for (let i = 0; i < place; i++) before = before === 0 ? firstRule(chain, true) : nextRule(before);
  const rule = before === 0 ? firstRule(chain, true) : nextRule(before);
  const next = nextRule(rule);
  putu16(before === 0 ? at + record.CHAIN_DRAFT_FIRST : record.cellAt(before) + record.RULE_NEXT, next);
  if (next === 0) putu16(at + record.CHAIN_DRAFT_LAST, before);
  putu16(at + record.CHAIN_DRAFT_RULES, u16at(at + record.CHAIN_DRAFT_RULES) - 1);
  plane.cellGive(rule);
}

function placeOf(chain: number, rule: number): number {
  let place = 0;
  for (let other = firstRule(chain, true); other !== 0; other = nextRule(other), place++)
    if (isSameRule(rule, other)) return place;
  return refuse('Bad rule (does a matching rule exist in that chain?)');
}

/** `-D CHAIN NUMBER` and `-D CHAIN RULE`, one for each pair of its addresses. */
export function draftDelete(machine: Machine, line: Line): void {
  const [chain = 0] = chainsFor(line);
  if (line.isNumbered) {
    if (line.number > u16at(record.chainAt(chain) + record.CHAIN_DRAFT_RULES))
      refuse('Index of deletion too big');
    removeAt(machine, chain, line.number - 1);
    return;
  }
  const { rule } = line.builder;
  for (let source = 0; 2 * source < line.sources.length; source++) {
    for (let destination = 0; 2 * destination < line.destinations.length; destination++) {
      line.putAddresses(record.cellAt(rule), source, destination);
      removeAt(machine, chain, placeOf(chain, rule));
    }
  }
}

/** Makes room for what `-R` puts in the place of a rule. */
export function draftReplace(machine: Machine, line: Line): void {
  const [chain = 0] = chainsFor(line);
  if (line.number > u16at(record.chainAt(chain) + record.CHAIN_DRAFT_RULES))
    refuse('Index of replacement too big');
  removeAt(machine, chain, line.number - 1);
}

export function draftFlush(machine: Machine, line: Line): void {
  for (const chain of chainsFor(line)) while (firstRule(chain, true) !== 0) removeAt(machine, chain, 0);
}

/** `-Z`: the draft's rules are counted from 0. What its policies have counted goes on. */
export function draftZero(line: Line): void {
  for (const chain of chainsFor(line))
    for (let rule = firstRule(chain, true); rule !== 0; rule = nextRule(rule))
      fill(record.cellAt(rule) + record.RULE_PACKETS, 0, RULE_CELL_BYTES - record.RULE_PACKETS);
}

/** `-X`: the chain is not of the draft any more. */
export function draftDeleteChains(line: Line): void {
  const chains = chainsFor(line).filter(chain => line.chain !== '' || !isBuiltIn(chain));
  for (const chain of chains) {
    if (isBuiltIn(chain)) refuse(INVALID);
    if (firstRule(chain, true) !== 0) refuse('Directory not empty');
    if (chainsOf(line.table).some(other => leadsTo(other, chain))) refuse('Too many links');
  }
  for (const chain of chains) {
    const at = record.chainAt(chain) + CHAIN_DRAFT;
    put8(at, get8(at) & ~DRAFT_NAMED);
  }
}

function leadsTo(from: number, chain: number): boolean {
  for (let rule = firstRule(from, true); rule !== 0; rule = nextRule(rule)) {
    const at = record.cellAt(rule);
    const target = get8(at + record.RULE_TARGET);
    const isJump = target === record.TARGET_JUMP || target === record.TARGET_GOTO;
    if (isJump && u16at(at + record.RULE_ARGUMENT) === chain) return true;
  }
  return false;
}
