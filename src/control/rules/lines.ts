// Where a rule's line stands among those that the configuration keeps (../core/section.ts): the tables in the order of iptables-save,
// of each the policies that were set, the users' chains by name, and the rules of its chains.
//
//    iptables -t nat -N dmz
//    iptables -t nat -A PREROUTING -i eth0 -j dmz
//    iptables -P FORWARD DROP
//    iptables -A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT
//
// A change of the rules changes the lines in the same place, so they need not be written anew, and what is saved is what is in force.
// Not here: the text of a rule (listing/saved.ts).

import { get8, u16at } from '../../base/memory.ts';
import { RULE_LINES_FILLED, RULE_TEXT_AT } from '../../base/rule-limits.ts';
import {
  CHAIN_POLICY,
  CHAIN_RULES,
  CHAIN_TABLE,
  CHAIN_USER,
  chainAt,
  POLICY_DROP,
  POLICY_HOUSE,
  POLICY_OPEN,
  TABLE_FILTER,
} from '../../base/rule-record.ts';
import type { Machine } from '../core/machine.ts';
import { type Text, textFrom } from '../core/store/text.ts';
import {
  builtInOf,
  CHAIN_DRAFT,
  CHAIN_DRAFT_POLICY,
  chainName,
  chainsOf,
  DRAFT_NAMED,
  firstRule,
  isBuiltIn,
  nextRule,
  TABLES,
  tableName,
} from './chains.ts';
import { chainsEnd } from './memory.ts';
import { NO_MEMORY, refuse } from './refuse.ts';

/** What a table's lines begin with. */
export function lineStart(table: number): string {
  return table === TABLE_FILTER ? 'iptables' : `iptables -t ${tableName(table)}`;
}

export function policyName(policy: number): string {
  return policy === POLICY_DROP ? 'DROP' : 'ACCEPT';
}

const hasPolicy = (chain: number): boolean => get8(chainAt(chain) + CHAIN_POLICY) !== POLICY_HOUSE;

const rulesOf = (chain: number): number => u16at(chainAt(chain) + CHAIN_RULES);
const isOf = (chain: number, table: number): boolean => get8(chainAt(chain) + CHAIN_TABLE) === table;

/** A rule of a chain. */
interface RuleOf {
  chain: number;
  rule: number;
}

/** A table's lines, one after the other: those of what is in force, or of its draft. */
export function* tableTexts(machine: Machine, table: number, isDraft = false): Generator<string, void, void> {
  for (const line of tableLines(table, isDraft))
    yield typeof line === 'string' ? line : ruleText(machine, table, line.chain, line.rule);
}

/** What a saved line of a policy has behind its chain. */
export function policyText(policy: number): string {
  return policy === POLICY_OPEN ? 'ACCEPT open' : policyName(policy);
}

/** What a table's lines are, of rules which. */
function* tableLines(table: number, isDraft: boolean): Generator<string | RuleOf, void, void> {
  const start = lineStart(table);
  const chains = chainsOf(table).filter(
    chain => !isDraft || (get8(chainAt(chain) + CHAIN_DRAFT) & DRAFT_NAMED) !== 0,
  );
  for (const chain of chains) {
    const policy = get8(chainAt(chain) + (isDraft ? CHAIN_DRAFT_POLICY : CHAIN_POLICY));
    if (!isBuiltIn(chain)) yield `${start} -N ${chainName(chain)}`;
    else if (policy !== POLICY_HOUSE) yield `${start} -P ${chainName(chain)} ${policyText(policy)}`;
  }
  for (const chain of chains) {
    for (let rule = firstRule(chain, isDraft); rule !== 0; rule = nextRule(rule)) yield { chain, rule };
  }
}

/** Lines of a table, with their line feeds: a text, or where one is. */
export interface Piece {
  lines: number;
  text: string | Text;
}

const SAVED_MOST = 1000;

/** What tableTexts() says, as pieces that are in memory where the plane writes them, which takes it a hundredth of the time. */
export function* tablePieces(
  machine: Machine,
  table: number,
  isDraft: boolean,
): Generator<Piece, void, void> {
  let at = RULE_TEXT_AT;
  let lines = 0;
  for (const rule of tableLines(table, isDraft)) {
    const isText = typeof rule === 'string';
    const end = isText ? 0 : machine.plane.ruleWrite(rule.rule, table, rule.chain, at);
    if (end !== 0) {
      at = end;
      lines++;
      if (at < RULE_TEXT_AT + RULE_LINES_FILLED) continue;
    }
    if (lines > 0) yield { lines, text: { at: RULE_TEXT_AT, bytes: at - RULE_TEXT_AT } };
    at = RULE_TEXT_AT;
    lines = 0;
    if (end !== 0) continue;
    yield { lines: 1, text: `${isText ? rule : ruleText(machine, table, rule.chain, rule.rule)}\n` };
  }
  if (lines > 0) yield { lines, text: { at: RULE_TEXT_AT, bytes: at - RULE_TEXT_AT } };
}

/** The line of a rule with its line feed, in memory until the plane writes another; undefined if the plane does not write it. */
export function writtenRule(
  { plane }: Machine,
  table: number,
  chain: number,
  rule: number,
): Text | undefined {
  const end = plane.ruleWrite(rule, table, chain, RULE_TEXT_AT);
  return end === 0 ? undefined : { at: RULE_TEXT_AT, bytes: end - RULE_TEXT_AT };
}

/** The line of a rule; a Refusal if no saved line is so long (../core/store/saved-lines.ts). */
export function ruleText(machine: Machine, table: number, chain: number, rule: number): string {
  const { memory } = machine;
  const written = writtenRule(machine, table, chain, rule);
  if (written !== undefined) return textFrom(memory, written.at, written.bytes - 1);
  const text = machine.overlay('rules/listing').savedRule(memory, rule);
  const line = `${lineStart(table)} -A ${chainName(chain)}${text}`;
  if (line.length > SAVED_MOST) refuse(`${NO_MEMORY}: a rule's line has ${SAVED_MOST} characters at most`);
  return line;
}

/** How many lines a table has. No list of its chains is made for it, as each line that is typed asks for all tables. */
export function lineCount(table: number): number {
  let count = 0;
  const [first, end] = builtInOf(table);
  for (let chain = first; chain < end; chain++) {
    count += rulesOf(chain);
    if (hasPolicy(chain)) count++;
  }
  const all = chainsEnd();
  for (let chain = CHAIN_USER; chain < all; chain++) if (isOf(chain, table)) count += 1 + rulesOf(chain);
  return count;
}

/** The number of a table's first line, counted from 0. */
export function firstLine(table: number): number {
  let line = 0;
  for (const [, other] of TABLES) {
    if (other === table) break;
    line += lineCount(other);
  }
  return line;
}

/** The number of the line of the rule at a place of a chain. */
export function ruleLine(table: number, chain: number, place: number): number {
  let line = firstLine(table) + place;
  const [first, end] = builtInOf(table);
  for (let other = first; other < end; other++) {
    if (hasPolicy(other)) line++;
    if (other < chain) line += rulesOf(other);
  }
  const all = chainsEnd();
  const name = isBuiltIn(chain) ? '' : chainName(chain);
  for (let other = CHAIN_USER; other < all; other++) {
    if (!isOf(other, table)) continue;
    line++;
    if (name !== '' && other !== chain && chainName(other) < name) line += rulesOf(other);
  }
  return line;
}

/** The number of the line that a chain's policy or a user's chain has, or would have. */
export function headLine(table: number, name: string, isUsers: boolean, chain: number): number {
  let line = firstLine(table);
  for (const other of chainsOf(table)) {
    if (isBuiltIn(other) ? !isUsers && other >= chain : isUsers && chainName(other) >= name) break;
    if (!isBuiltIn(other) && !isUsers) break;
    if (!isBuiltIn(other) || hasPolicy(other)) line++;
  }
  return line;
}
