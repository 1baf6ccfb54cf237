// What the commands of iptables that change something do: with the rules in the plane's memory, and with the lines that are kept of them.
// What may be refused is looked at first, and what could still fail is done before anything is in force, so that a line is done whole or
// not at all. Not here: reading the line (line.ts), listings (listing/), many lines at once (draft.ts).

import { get8, u16at } from '../../base/memory.ts';
import { RULE_COUNT } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import { RULES_USED_AT } from '../../base/rule-state.ts';
import type { Context } from '../core/context.ts';
import type { Section } from '../core/section.ts';
import type { Text } from '../core/store/text.ts';
import { copyRule } from './builder.ts';
import { CHAIN_NAME_MOST, chainName, chainNamed, chainsOf, isBuiltIn, nameChain } from './chains.ts';
import { isSameRule } from './compare.ts';
import type { Line } from './line.ts';
import { validChain } from './line-checks.ts';
import {
  firstLine,
  headLine,
  lineCount,
  lineStart,
  policyText,
  ruleLine,
  ruleText,
  tableTexts,
  writtenRule,
} from './lines.ts';
import { chainMade, isNews, isOpen, openRules, TOLD_POLICY } from './memory.ts';
import { checkPlace } from './places.ts';
import { INVALID, NO_CHAIN, NO_MEMORY, refuse } from './refuse.ts';
import { lanWarning } from './warnings.ts';

const BAD_RULE = 'Bad rule (does a matching rule exist in that chain?)';

/** Lines that are written at once where a table's are all written anew. */
const PIECE = 16;

const rulesOf = (chain: number): number => u16at(record.chainAt(chain) + record.CHAIN_RULES);

export class Change {
  private readonly told: string[] = [];

  constructor(
    private readonly context: Context,
    private readonly section: Section,
    private readonly line: Line,
  ) {}

  /** Does what the line says; answers what is to be said of it. A Refusal if it cannot be. */
  run(): string[] {
    const { line, told } = this;
    told.push(...line.warnings);
    const isTold = (news: string | undefined): void => {
      if (news !== undefined) told.push(news);
    };
    switch (line.commands) {
      case 'A':
        this.insert(this.chain(), Number.POSITIVE_INFINITY);
        break;
      case 'I':
        this.insert(this.chain(), line.number - 1);
        break;
      case 'R':
        this.replace();
        break;
      case 'D':
        this.delete();
        break;
      case 'C':
        this.check();
        return told;
      case 'F':
        this.flush();
        break;
      case 'Z':
        this.zero();
        return told;
      case 'N':
        this.newChain();
        break;
      case 'X':
        this.deleteChains();
        break;
      case 'E':
        this.rename();
        break;
      default:
        isTold(this.policy());
    }
    isTold(lanWarning(this.context.machine, line));
    this.context.registry.changed(this.section);
    return told;
  }

  private get plane() {
    return this.context.machine.plane;
  }

  private chain(): number {
    const { chain, table } = this.line;
    openRules(this.context.machine);
    return chainNamed(table, chain) || refuse(NO_CHAIN);
  }

  private splice(first: number, removed: number, lines: readonly string[] | Text): void {
    this.context.registry.sections.splice(this.section, first, removed, lines);
  }

  private text(chain: number, rule: number): string {
    return ruleText(this.context.machine, this.line.table, chain, rule);
  }

  /** The line of one rule, where the plane writes it as such. */
  private written(chain: number, rule: number): readonly string[] | Text {
    return writtenRule(this.context.machine, this.line.table, chain, rule) ?? [this.text(chain, rule)];
  }

  /** With -v, what is done is said: of a rule the rule, of a chain its name. */
  private tell(text: () => string): void {
    if (this.line.options.includes('v')) this.told.push(text());
  }

  private tellRule(rule: number): void {
    const { machine } = this.context;
    this.tell(() => machine.overlay('rules/listing').echoOf(machine.memory, rule));
  }

  /** The rules of a line, one for each pair of its addresses: the first is the one that was read. */
  private rules(): number[] {
    const { line } = this;
    const { machine } = this.context;
    const rules = [line.builder.rule];
    const pairs = (line.sources.length * line.destinations.length) >> 2;
    try {
      for (let i = 1; i < pairs; i++) rules.push(copyRule(machine, rules[0] as number));
    } catch (error) {
      for (const rule of rules.slice(1)) this.plane.cellGive(rule);
      throw error;
    }
    const width = line.destinations.length >> 1;
    for (const [i, rule] of rules.entries())
      line.putAddresses(record.cellAt(rule), Math.floor(i / width), i % width);
    return rules;
  }

  /** Runs what may be refused; if it is, rules that are in no chain yet are given back. */
  private whole(rules: readonly number[], act: () => void): void {
    try {
      act();
    } catch (error) {
      for (const rule of rules.slice(1)) this.plane.cellGive(rule);
      throw error;
    }
  }

  private insert(chain: number, place: number): void {
    const { line } = this;
    const count = rulesOf(chain);
    const isAppended = place === Number.POSITIVE_INFINITY;
    if (!isAppended && place > count) refuse('Index of insertion too big');
    checkPlace(line.table, chain, line.builder.rule);
    const rules = this.rules();
    this.whole(rules, () => {
      if (u16at(RULES_USED_AT) + rules.length > RULE_COUNT)
        refuse(`${NO_MEMORY}: there are ${RULE_COUNT} rules at most`);
      for (const rule of rules) this.tellRule(rule);
      const at = ruleLine(line.table, chain, isAppended ? count : place);
      if (rules.length === 1) {
        this.splice(at, 0, this.written(chain, rules[0] as number));
        return;
      }
      const lines = rules.map(rule => this.text(chain, rule));
      // Each is put before the one before.
      this.splice(at, 0, isAppended ? lines : lines.reverse());
    });
    line.keep();
    for (const rule of rules) this.plane.ruleInsert(chain, isAppended ? 0x7fff : place, rule);
  }

  private replace(): void {
    const { line } = this;
    const chain = this.chain();
    const place = line.number - 1;
    if (place >= rulesOf(chain)) refuse('Index of replacement too big');
    checkPlace(line.table, chain, line.builder.rule);
    const { rule } = line.builder;
    this.tellRule(rule);
    this.splice(ruleLine(line.table, chain, place), 1, this.written(chain, rule));
    line.keep();
    this.plane.ruleReplace(chain, place, rule);
  }

  private delete(): void {
    const { line } = this;
    const chain = this.chain();
    if (line.isNumbered) {
      if (line.number > rulesOf(chain)) refuse('Index of deletion too big');
      this.deleteAt(chain, line.number - 1);
      return;
    }
    for (const place of this.places(chain)) this.deleteAt(chain, place);
  }

  private deleteAt(chain: number, place: number): void {
    this.splice(ruleLine(this.line.table, chain, place), 1, []);
    this.plane.ruleDelete(chain, place);
  }

  /** Where the line's rules are, from the last to the first; a Refusal if one of them is not there. */
  private places(chain: number): number[] {
    const { line } = this;
    const { rule } = line.builder;
    const places: number[] = [];
    for (let source = 0; 2 * source < line.sources.length; source++) {
      for (let destination = 0; 2 * destination < line.destinations.length; destination++) {
        line.putAddresses(record.cellAt(rule), source, destination);
        this.tellRule(rule);
        const place = placeOf(chain, rule, places);
        if (place < 0) refuse(BAD_RULE);
        places.push(place);
      }
    }
    line.drop();
    // To sort one costs 18 ms.
    return places.length > 1 ? places.sort((a, b) => b - a) : places;
  }

  private check(): void {
    this.places(this.chain());
  }

  private flush(): void {
    const { line } = this;
    if (!isOpen() && line.chain === '') return;
    const chains = line.chain === '' ? chainsOf(line.table) : [this.chain()];
    for (const chain of chains) this.tell(() => `Flushing chain \`${chainName(chain)}'`);
    // From the last on, so that the lines before keep their numbers.
    for (const chain of [...chains].reverse()) {
      const count = rulesOf(chain);
      if (count === 0) continue;
      this.splice(ruleLine(line.table, chain, 0), count, []);
      this.plane.chainFlush(chain);
    }
  }

  private zero(): void {
    const { line } = this;
    if (!isOpen() && line.chain === '') return;
    // What flows have counted for rules until now is no later packets'.
    for (let from = this.plane.rulesFold(1); from !== 0; ) from = this.plane.rulesFold(from);
    if (line.number > 0) {
      const chain = this.chain();
      if (line.number > rulesOf(chain)) refuse('Index of counter too big');
      this.plane.chainZero(chain, line.number - 1);
      return;
    }
    for (const chain of line.chain === '' ? chainsOf(line.table) : [this.chain()]) {
      this.plane.chainZero(chain, -1);
      this.tell(() => `Zeroing chain \`${chainName(chain)}'`);
    }
  }

  private newChain(): void {
    const { chain: name, table } = this.line;
    const { machine } = this.context;
    openRules(machine);
    if (chainNamed(table, name) !== 0) refuse('Chain already exists');
    this.splice(headLine(table, name, true, 0), 0, [`${lineStart(table)} -N ${name}`]);
    const chain = this.plane.chainNew(table);
    if (chain === 0) {
      this.splice(headLine(table, name, true, 0), 1, []);
      refuse(`${NO_MEMORY}: there are as many chains as there can be`);
    }
    nameChain(machine.memory, chain, name);
    chainMade(chain);
  }

  private deleteChains(): void {
    const { line } = this;
    if (!isOpen() && line.chain === '') return;
    const chains =
      line.chain === '' ? chainsOf(line.table).filter(chain => !isBuiltIn(chain)) : [this.chain()];
    for (const chain of chains) {
      if (isBuiltIn(chain)) refuse(INVALID);
      if (u16at(record.chainAt(chain) + record.CHAIN_REFERENCES) > 0) refuse('Too many links');
      if (rulesOf(chain) > 0) refuse('Directory not empty');
    }
    for (const chain of chains) {
      this.tell(() => `Deleting chain \`${chainName(chain)}'`);
      this.splice(headLine(line.table, chainName(chain), true, 0), 1, []);
      this.plane.chainDelete(chain);
    }
  }

  private rename(): void {
    const { line } = this;
    const chain = this.chain();
    if (isBuiltIn(chain)) refuse(NO_CHAIN);
    // The kernel says so of what is too long; the rest is asked of a new chain's name alone in the original, and of any here, as a line keeps it.
    if (line.name.length > CHAIN_NAME_MOST) refuse(INVALID);
    validChain(line.name);
    if (chainNamed(line.table, line.name) !== 0) refuse('File exists');
    const first = firstLine(line.table);
    const count = lineCount(line.table);
    nameChain(this.context.machine.memory, chain, line.name);
    this.rewrite(first, count);
  }

  /** Writes a table's lines anew: its chains have another name, or another order. */
  private rewrite(first: number, count: number): void {
    this.splice(first, count, []);
    let at = first;
    let lines: string[] = [];
    for (const text of tableTexts(this.context.machine, this.line.table)) {
      if (lines.push(text) < PIECE) continue;
      this.splice(at, 0, lines);
      at += lines.length;
      lines = [];
    }
    this.splice(at, 0, lines);
  }

  private policy(): string | undefined {
    const { line } = this;
    const { chain: name, table } = line;
    const { machine } = this.context;
    openRules(machine);
    const chain = chainNamed(table, name);
    if (chain === 0 || !isBuiltIn(chain)) refuse('Bad built-in chain name');
    if (line.name !== 'ACCEPT' && line.name !== 'DROP')
      refuse("Bad policy name. Run `dmesg' for more information");
    const isGate = chain === record.CHAIN_INPUT || chain === record.CHAIN_FORWARD;
    if (line.isOpen && !(isGate && this.context.registry.isOnTrial())) refuseOpen(name, isGate);
    const accepted = line.isOpen ? record.POLICY_OPEN : record.POLICY_ACCEPT;
    const policy = line.name === 'DROP' ? record.POLICY_DROP : accepted;
    const at = record.chainAt(chain) + record.CHAIN_POLICY;
    const isSet = get8(at) !== record.POLICY_HOUSE;
    const text = `${lineStart(table)} -P ${name} ${policyText(policy)}`;
    this.splice(headLine(table, name, false, chain), isSet ? 1 : 0, [text]);
    this.plane.chainPolicy(chain, policy);
    if (policy === record.POLICY_OPEN)
      return `${name} is open to everybody outside from now on. It closes again by itself unless you type confirm`;
    if (policy !== record.POLICY_ACCEPT || !isGate || !isNews(TOLD_POLICY)) return undefined;
    return `What comes unasked from outside stays out with -P ${name} ACCEPT too. A rule lets it in, and iptables -P ${name} ACCEPT open confirm 5 all of it`;
  }
}

/** A chain is opened to strangers by who has been warned, and can take it back by doing nothing. */
function refuseOpen(name: string, isGate: boolean): never {
  if (!isGate) refuse(`open is said of INPUT and FORWARD, and not of ${name}`);
  const what =
    name === 'INPUT'
      ? 'everybody outside would reach the router'
      : 'everybody outside would reach the hosts inside';
  return refuse(`${what}, as on Linux: say iptables -P ${name} ACCEPT open confirm 5, and then confirm`);
}

/** Where a rule like this is in a chain, but for the places given; -1 if it is not there. */
function placeOf(chain: number, rule: number, but: readonly number[]): number {
  let other = u16at(record.chainAt(chain) + record.CHAIN_FIRST);
  for (let place = 0; other !== 0; place++) {
    if (!but.includes(place) && isSameRule(rule, other)) return place;
    other = u16at(record.cellAt(other) + record.RULE_NEXT);
  }
  return -1;
}
