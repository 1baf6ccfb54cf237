// Many lines at once: those of the configuration, and of iptables-restore. They are gathered beside the rules in force, and take their
// place in one step when all are right (src/plane/filter/rule-table.ts). What is known meanwhile lies in the chains' records, as
// control may end in between: whether a chain is of the draft, and the policy that it is to have.
//
// Not here: reading a line (line.ts), the text of iptables-restore (restore.ts).

import { get8, put8, putu16, u16at } from '../../base/memory.ts';
import { RULE_TEXT_AT } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import { Refusal } from '../core/console/command.ts';
import type { Machine } from '../core/machine.ts';
import { putText } from '../core/store/text.ts';
import { copyRule } from './builder.ts';
import {
  CHAIN_DRAFT,
  CHAIN_DRAFT_POLICY,
  chainNamed,
  chainsOf,
  DRAFT_NAMED,
  DRAFT_NEW,
  firstRule,
  isBuiltIn,
  nameChain,
  nextRule,
  TABLES,
} from './chains.ts';
import { draftDelete, draftDeleteChains, draftFlush, draftReplace, draftZero } from './draft-edit.ts';
import { Line } from './line.ts';
import { put64 } from './line-checks.ts';
import { chainMade, chainsEnd, closeRules, hasCells, isOpen, openRules } from './memory.ts';
import { checkDraft } from './places.ts';
import { INVALID, NO_CHAIN, NO_MEMORY, refuse } from './refuse.ts';
import type { Rules } from './rules.ts';
import { splitWords } from './words.ts';

/** A longer line is not read by the plane. */
const LINE_MOST = 900;

const draftAt = (chain: number): number => record.chainAt(chain) + CHAIN_DRAFT;

/** Begins the draft of a table: empty, or with what is in force. */
export function beginDraft(machine: Machine, table: number, isKept: boolean): void {
  openRules(machine);
  machine.plane.draftBegin(table);
  for (const chain of chainsOf(table)) {
    const at = record.chainAt(chain);
    put8(at + CHAIN_DRAFT, isKept || isBuiltIn(chain) ? DRAFT_NAMED : 0);
    put8(at + CHAIN_DRAFT_POLICY, isKept ? get8(at + record.CHAIN_POLICY) : record.POLICY_HOUSE);
    if (!isKept) continue;
    for (let rule = firstRule(chain); rule !== 0; rule = nextRule(rule))
      machine.plane.draftAppend(chain, copyRule(machine, rule));
  }
}

/** A user's chain is of the draft; one that was there already is empty in it. */
export function draftChain(machine: Machine, table: number, name: string): number {
  const there = chainNamed(table, name);
  if (there !== 0) {
    if (isBuiltIn(there)) refuse('Chain already exists');
    put8(draftAt(there), get8(draftAt(there)) | DRAFT_NAMED);
    return there;
  }
  const chain = machine.plane.chainNew(table);
  if (chain === 0) refuse(`${NO_MEMORY}: there are as many chains as there can be`);
  nameChain(machine.memory, chain, name);
  chainMade(chain);
  put8(draftAt(chain), DRAFT_NAMED | DRAFT_NEW);
  return chain;
}

export function draftPolicy(table: number, name: string, policy: string, isOpen = false): number {
  const chain = chainNamed(table, name);
  if (chain === 0 || !isBuiltIn(chain)) refuse('Bad built-in chain name');
  if (policy !== 'ACCEPT' && policy !== 'DROP') refuse("Bad policy name. Run `dmesg' for more information");
  put8(
    record.chainAt(chain) + CHAIN_DRAFT_POLICY,
    policy === 'DROP' ? record.POLICY_DROP : isOpen ? record.POLICY_OPEN : record.POLICY_ACCEPT,
  );
  return chain;
}

/** A chain is to have no policy but the house's. */
export function houseDraft(chain: number): void {
  put8(record.chainAt(chain) + CHAIN_DRAFT_POLICY, record.POLICY_HOUSE);
}

/** Takes the rules out of a chain's draft. */
export function emptyDraft(machine: Machine, chain: number): void {
  const at = record.chainAt(chain);
  for (let rule = firstRule(chain, true); rule !== 0; ) {
    const next = nextRule(rule);
    machine.plane.cellGive(rule);
    rule = next;
  }
  for (const field of [record.CHAIN_DRAFT_FIRST, record.CHAIN_DRAFT_LAST, record.CHAIN_DRAFT_RULES])
    putu16(at + field, 0);
}

/** Puts a rule into a chain's draft before the one at a place; the draft is nobody's yet, so it is done here. */
function draftInsert(machine: Machine, chain: number, place: number, rule: number): void {
  const at = record.chainAt(chain);
  const count = u16at(at + record.CHAIN_DRAFT_RULES);
  if (place > count) refuse('Index of insertion too big');
  if (place === count) {
    machine.plane.draftAppend(chain, rule);
    return;
  }
  let link = at + record.CHAIN_DRAFT_FIRST;
  for (let i = 0; i < place; i++) link = record.cellAt(u16at(link)) + record.RULE_NEXT;
  putu16(record.cellAt(rule) + record.RULE_NEXT, u16at(link));
  putu16(link, rule);
  putu16(at + record.CHAIN_DRAFT_RULES, count + 1);
}

/** Adds what a line says to a table's draft. */
export function draftLine(rules: Rules, words: readonly string[], table: number): Line {
  const { aliases, context } = rules;
  const { machine } = context;
  const line = new Line(machine, aliases, words);
  if (table !== 0) line.table = table;
  line.read();
  try {
    if (table !== 0 && line.table !== table) refuse(INVALID);
    if (line.commands === 'A' || line.commands === 'I') draftRules(machine, line);
    else if (line.commands === 'N') draftChain(machine, line.table, line.chain);
    else if (line.commands === 'P')
      draftPolicy(line.table, line.chain, line.name, line.isOpen && table === 0);
    else if (table !== 0) draftLess(machine, line);
    else refuse(`-${line.commands} is not for this: rules are added by -A, -I, -N and -P`);
  } finally {
    line.drop();
  }
  return line;
}

/** What takes something out. */
function draftLess(machine: Machine, line: Line): void {
  if (line.commands === 'D') draftDelete(machine, line);
  else if (line.commands === 'F') draftFlush(machine, line);
  else if (line.commands === 'X') draftDeleteChains(line);
  else if (line.commands === 'Z') draftZero(line);
  else if (line.commands === 'R') {
    draftReplace(machine, line);
    draftRules(machine, line);
  } else refuse(`-${line.commands} has no place among lines of many`);
}

/**
 * The same of a line whose text is in the plane's memory, if the plane itself can read it (src/plane/filter/rule-reader.ts), in a hundredth
 * of the time; false if it cannot.
 */
export function draftText(machine: Machine, at: number, bytes: number, table: number): boolean {
  return hasCells(machine) && machine.plane.ruleRead(at, bytes, table, 1) !== 0;
}

/** The rules of a line, one for each pair of its addresses, are of the draft from here on. */
function draftRules(machine: Machine, line: Line): void {
  const chain = chainNamed(line.table, line.chain);
  if (chain === 0 || (get8(draftAt(chain)) & DRAFT_NAMED) === 0) refuse(NO_CHAIN);
  const { rule, at } = line.builder;
  const target = get8(at + record.RULE_TARGET);
  const isJump = target === record.TARGET_JUMP || target === record.TARGET_GOTO;
  if (isJump && (get8(draftAt(u16at(at + record.RULE_ARGUMENT))) & DRAFT_NAMED) === 0) refuse(NO_CHAIN);
  const width = line.destinations.length >> 1;
  const pairs = (line.sources.length >> 1) * width;
  for (let i = 0; i < pairs; i++) {
    // The last is the one that was read, of which the others are copies.
    const own = i === pairs - 1 ? rule : copyRule(machine, rule);
    line.putAddresses(record.cellAt(own), Math.floor(i / width), i % width);
    if (line.commands !== 'A') draftInsert(machine, chain, line.number - 1, own);
    else machine.plane.draftAppend(chain, own);
  }
  line.keep();
}

/** Puts a table's draft in force; a Refusal if it cannot be, and then it is still a draft. */
export function commitDraft(machine: Machine, table: number): void {
  checkDraft(table);
  if (machine.plane.draftCommit(table) === 0) refuse(`${NO_MEMORY}: there are too many rules`);
  for (const chain of chainsOf(table)) {
    const at = record.chainAt(chain);
    if (isBuiltIn(chain)) machine.plane.chainPolicy(chain, get8(at + CHAIN_DRAFT_POLICY));
    else if ((get8(at + CHAIN_DRAFT) & DRAFT_NAMED) === 0) machine.plane.chainDelete(chain);
    put8(at + CHAIN_DRAFT, 0);
    put8(at + CHAIN_DRAFT_POLICY, 0);
  }
}

/** Forgets a table's draft, and the chains that there were for it alone. */
export function dropDraft(machine: Machine, table: number): void {
  machine.plane.draftDrop(table);
  for (let chain = 1; chain < chainsEnd(); chain++) {
    const at = record.chainAt(chain);
    if (get8(at + record.CHAIN_TABLE) !== table) continue;
    if ((get8(at + CHAIN_DRAFT) & DRAFT_NEW) !== 0) machine.plane.chainDelete(chain);
    else {
      put8(at + CHAIN_DRAFT, 0);
      put8(at + CHAIN_DRAFT_POLICY, 0);
    }
  }
}

// --- the section's lines --------------------------------------------------------------------------------------------

/** From here on takeLine() gathers. */
export function beginLines({ context: { machine } }: Rules): void {
  for (const [, table] of TABLES) beginDraft(machine, table, false);
}

/** A saved line, `iptables` and what stands behind it; a Refusal, of one line. */
export function takeLine(rules: Rules, line: string): void {
  try {
    if (takeText(rules, line)) return;
    const words = splitWords(line);
    if (words === undefined) refuse('a quote is not closed');
    else draftLine(rules, words.slice(1), 0);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.message.split('\r\n').find(text => text !== '') ?? error.message);
  }
}

/** Takes a saved line of a rule as the plane reads it; false if it does not. */
function takeText({ context: { machine } }: Rules, line: string): boolean {
  if (line.length > LINE_MOST) return false;
  for (const [name, table] of TABLES) {
    const start = name === 'filter' ? 'iptables ' : `iptables -t ${name} `;
    if (!line.startsWith('-A ', start.length) || !line.startsWith(start)) continue;
    const bytes = putText(machine.memory, RULE_TEXT_AT, line.slice(start.length));
    return draftText(machine, RULE_TEXT_AT, bytes, table);
  }
  return false;
}

/** What was gathered is in force, all of it, or forgotten. */
export function endLines({ context: { machine } }: Rules, isTaken: boolean): void {
  try {
    if (!isTaken) return;
    for (const [, table] of TABLES) checkDraft(table);
    for (const [, table] of TABLES) commitDraft(machine, table);
  } finally {
    for (const [, table] of TABLES) dropDraft(machine, table);
    closeRules(machine);
  }
}

/** As without rules. */
export function clearRules({ context: { machine } }: Rules): void {
  if (!isOpen()) return;
  for (const [, table] of TABLES) {
    beginDraft(machine, table, false);
    commitDraft(machine, table);
  }
  closeRules(machine);
}

/** The counts of a policy, as iptables-restore -c has them. */
export function setCounts(chain: number, packets: number, bytes: number): void {
  put64(record.chainAt(chain) + record.CHAIN_PACKETS, packets);
  put64(record.chainAt(chain) + record.CHAIN_BYTES_COUNT, bytes);
}
