// What the commands of ipfwadm that change something do: with the rules in the plane's memory, and with the lines that are kept of them.
// Not here: words (line.ts), listings (listing.ts), many lines at once (section.ts).

import { u16at } from '../../../base/memory.ts';
import { RULE_COUNT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { RULES_USED_AT } from '../../../base/rule-state.ts';
import { firstRule, nextRule } from '../chains.ts';
import { isOpen } from '../memory.ts';
import * as chains from '../old/chains.ts';
import { claim, DIALECT_IPFWADM } from '../old/dialect.ts';
import type { OldRules } from '../old/rules.ts';
import { lanWarning } from '../old/warning.ts';
import * as account from './account.ts';
import type { FwadmLine } from './line.ts';
import { accountStart, echoOf, POLICY_NAMES, savedRule } from './listing.ts';
import { fail } from './refuse.ts';
import * as own from './rule.ts';

const NO_MEMORY = 'Memory allocation problem';
/** A number past all rules. */
const END = 0x7fff;

/** The chain of a category. */
export const CHAINS: Record<string, number> = {
  I: record.CHAIN_OLD_INPUT,
  F: record.CHAIN_OLD_FORWARD,
  O: record.CHAIN_OLD_OUTPUT,
};

export function policyOf(flags: number): number {
  if ((flags & own.MASQUERADE) !== 0) return record.POLICY_MASQUERADE;
  if ((flags & own.ACCEPT) !== 0) return record.POLICY_ACCEPT;
  return (flags & own.REJECT) !== 0 ? record.POLICY_REJECT : record.POLICY_DROP;
}

/** What is said of a rule when another is looked for: all but the type of service and where a redirect leads, as the kernel compares. */
const keyOf = (rule: own.FwadmRule): string =>
  `${rule.flags}${savedRule({ ...rule, tosAnd: 0xff, tosXor: 0, redirect: 0 }, true)}`;

export class FwadmChange {
  constructor(
    private readonly rules: OldRules,
    private readonly line: FwadmLine,
  ) {}

  /** Does what the line says; answers what is to be said of it. A Refusal if it cannot be. */
  run(): string[] {
    const { category, commands, rule } = this.line;
    const isAccount = category === 'A';
    if ('fz'.includes(commands) && !isOpen()) return [];
    const told = this.line.has('v') && 'adi'.includes(commands) ? [echoOf(rule, isAccount)] : [];
    claim(this.rules.context.machine, DIALECT_IPFWADM);
    if (commands === 'z') this.zero(isAccount ? account.ACCOUNT_CHAINS : [CHAINS[category] as number]);
    else if (isAccount) this.account(commands);
    else this.firewall(CHAINS[category] as number, commands);
    if (commands !== 'z') this.rules.context.registry.changed(this.rules.section);
    if ('pfd'.includes(commands)) told.push(...lanWarning('ipfwadm -I -a accept -W lan'));
    return told;
  }

  private get plane() {
    return this.rules.context.machine.plane;
  }

  private splice(first: number, removed: number, lines: readonly string[]): void {
    this.rules.context.registry.sections.splice(this.rules.section, first, removed, lines);
  }

  private zero(zeroed: readonly number[]): void {
    for (const chain of zeroed) this.plane.chainZero(chain, -1);
  }

  private room(count: number): void {
    if (u16at(RULES_USED_AT) + count > RULE_COUNT)
      fail(`${NO_MEMORY}: there are ${RULE_COUNT} rules at most`);
  }

  private firewall(chain: number, commands: string): void {
    const { category, rule } = this.line;
    const { aliases, context } = this.rules;
    const count = chains.rulesOf(chain);
    if (commands === 'f') {
      if (count === 0) return;
      this.splice(chains.ruleLine(chain, 0), count, []);
      this.plane.chainFlush(chain);
    } else if (commands === 'p') {
      const policy = policyOf(rule.flags);
      const isSet = chains.policyOf(chain) !== record.POLICY_HOUSE;
      const name = policy === record.POLICY_MASQUERADE ? 'masquerade' : POLICY_NAMES[policy];
      this.splice(chains.headLine(chain), isSet ? 1 : 0, [`ipfwadm -${category} -p ${name}`]);
      this.plane.chainPolicy(chain, policy);
    } else if (commands === 'd') {
      const place = placeOf(chain, rule);
      if (place < 0) fail();
      this.splice(chains.ruleLine(chain, place), 1, []);
      this.plane.ruleDelete(chain, place);
    } else {
      this.room(1);
      const place = commands === 'i' ? 0 : count;
      const cell = own.writeRule(context.machine, aliases, rule, false, 0);
      try {
        this.splice(chains.ruleLine(chain, place), 0, [`ipfwadm -${category}${savedRule(rule, false)}`]);
      } catch (error) {
        this.plane.cellGive(cell);
        throw error;
      }
      this.plane.ruleInsert(chain, place, cell);
    }
  }

  private account(commands: string): void {
    const { rule } = this.line;
    const { aliases, context } = this.rules;
    const list = account.entries();
    const first = chains.oldLineCount();
    if (commands === 'f') {
      this.splice(first, list.length, []);
      for (const chain of account.ACCOUNT_CHAINS) this.plane.chainFlush(chain);
      return;
    }
    if (commands === 'd') {
      const key = keyOf(rule);
      const place = list.findIndex(entry => keyOf(account.entryRule(entry)) === key);
      const entry = list[place] ?? fail();
      this.splice(first + place, 1, []);
      for (const [side, at] of entry.places.entries())
        if (at >= 0) this.plane.ruleDelete(account.ACCOUNT_CHAINS[side] as number, at);
      return;
    }
    const isFirst = commands === 'i';
    const into = account.chainsFor(rule.flags);
    const order = account.nextOrder(list, isFirst);
    const cells: number[] = [];
    this.room(into.length);
    try {
      for (const _ of into) cells.push(own.writeRule(context.machine, aliases, rule, true, order));
      const text = `${accountStart(rule.flags)}${savedRule(rule, true)}`;
      this.splice(first + (isFirst ? 0 : list.length), 0, [text]);
    } catch (error) {
      for (const cell of cells) this.plane.cellGive(cell);
      throw error;
    }
    for (const [i, chain] of into.entries())
      this.plane.ruleInsert(chain, isFirst ? 0 : END, cells[i] as number);
  }
}

/** Where a rule like this is in a chain; -1 if it is not there. */
function placeOf(chain: number, rule: own.FwadmRule): number {
  const key = keyOf(rule);
  let other = firstRule(chain);
  for (let place = 0; other !== 0; place++) {
    if (keyOf(own.readRule(other)) === key) return place;
    other = nextRule(other);
  }
  return -1;
}
