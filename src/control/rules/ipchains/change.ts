// What the commands of ipchains that change something do: with the rules in the plane's memory, and with the lines that are kept of them.
// What may be refused is looked at first, so that a rule is entered whole or not at all; of a line with several, as -b and -F without a
// chain, those before a refused one stay, as they do in the original.
// Not here: words (line.ts), listings (listing.ts), many lines at once (section.ts).

import { u16at } from '../../../base/memory.ts';
import { RULE_COUNT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { RULES_USED_AT } from '../../../base/rule-state.ts';
import { chainName, firstRule, isBuiltIn, nameChain, nextRule } from '../chains.ts';
import { chainMade, isOpen } from '../memory.ts';
import { isAlike } from '../old/cells.ts';
import * as chains from '../old/chains.ts';
import { claim, DIALECT_IPCHAINS } from '../old/dialect.ts';
import type { OldRules } from '../old/rules.ts';
import { lanWarning } from '../old/warning.ts';
import { checkPlace } from '../places.ts';
import type { ChainsLine } from './line.ts';
import { echoOf, POLICY_NAMES, savedRule } from './listing.ts';
import * as refusals from './refuse.ts';
import { type ChainsRule, readRule, turned, writeRule } from './rule.ts';

const NO_MEMORY = 'Memory allocation problem';
/** A number past all rules. */
const END = 0x7fff;

export class ChainsChange {
  private readonly told: string[] = [];

  constructor(
    private readonly rules: OldRules,
    private readonly line: ChainsLine,
  ) {}

  /** Does what the line says; answers what is to be said of it. A Refusal if it cannot be. */
  run(): string[] {
    const { line, told } = this;
    const { commands } = line;
    told.push(...line.warnings);
    // What takes nothing away where there is nothing needs no memory.
    if ('FZX'.includes(commands) && !isOpen()) {
      if (line.chain !== undefined && !['input', 'forward', 'output'].includes(line.chain)) this.noChain();
      if (line.chain !== undefined && commands === 'X') refusals.fail(refusals.BUSY);
      return told;
    }
    claim(this.rules.context.machine, DIALECT_IPCHAINS);
    if ('AIRD'.includes(commands)) this.rule();
    else if (commands === 'E') this.deleteAt(this.chain(), line.number - 1);
    else if (commands === 'F') this.flush();
    else if (commands === 'Z') this.zero();
    else if (commands === 'N') this.newChain();
    else if (commands === 'X') this.deleteChains();
    else this.policy();
    if (commands !== 'Z') this.rules.context.registry.changed(this.rules.section);
    if ('PFDER'.includes(commands)) told.push(...lanWarning('ipchains -A input -i lan -j ACCEPT'));
    return told;
  }

  private get plane() {
    return this.rules.context.machine.plane;
  }

  private noChain(): never {
    return refusals.fail(refusals.NO_CHAIN);
  }

  private chain(): number {
    return chains.oldChainNamed(this.line.chain ?? '') || this.noChain();
  }

  private splice(first: number, removed: number, lines: readonly string[]): void {
    this.rules.context.registry.sections.splice(this.rules.section, first, removed, lines);
  }

  private tell(text: () => string): void {
    if (this.line.has('v')) this.told.push(text());
  }

  /** The line's rule, and with -b the one the other way round. */
  private rule(): void {
    const { line } = this;
    this.one(line.rule);
    if (line.has('b')) this.one(turned(line.rule));
  }

  private one(rule: ChainsRule): void {
    const { commands, number } = this.line;
    this.tell(() => echoOf(rule));
    const chain = chains.oldChainNamed(this.line.chain ?? '');
    if (chain === 0) {
      if (commands === 'D') this.noChain();
      refusals.failTarget(rule.label);
    }
    const { aliases, context } = this.rules;
    const cell = writeRule(context.machine, aliases, rule);
    try {
      if (commands === 'D') {
        this.deleteAt(chain, placeOf(chain, cell));
        this.plane.cellGive(cell);
      } else this.put(chain, cell, commands === 'A' ? END : number - 1);
    } catch (error) {
      this.plane.cellGive(cell);
      throw error;
    }
  }

  private put(chain: number, cell: number, place: number): void {
    const count = chains.rulesOf(chain);
    const isReplaced = this.line.commands === 'R';
    if (place !== END && (isReplaced ? place >= count : place > count)) refusals.fail(refusals.BAD_RULE);
    checkPlace(record.TABLE_OLD, chain, cell);
    if (!isReplaced && u16at(RULES_USED_AT) >= RULE_COUNT)
      refusals.fail(`${NO_MEMORY}: there are ${RULE_COUNT} rules at most`);
    const text = `ipchains -A ${chainName(chain)}${savedRule(readRule(cell))}`;
    this.splice(chains.ruleLine(chain, Math.min(place, count)), isReplaced ? 1 : 0, [text]);
    if (isReplaced) this.plane.ruleReplace(chain, place, cell);
    else this.plane.ruleInsert(chain, place, cell);
  }

  private deleteAt(chain: number, place: number): void {
    if (place < 0 || place >= chains.rulesOf(chain)) refusals.fail(refusals.BAD_RULE);
    this.splice(chains.ruleLine(chain, place), 1, []);
    this.plane.ruleDelete(chain, place);
  }

  private flush(): void {
    const chosen = this.line.chain === undefined ? chains.oldChains() : [this.chain()];
    for (const chain of chosen) {
      this.tell(() => `Flushing chain \`${chainName(chain)}'`);
      const count = chains.rulesOf(chain);
      if (count === 0) continue;
      this.splice(chains.ruleLine(chain, 0), count, []);
      this.plane.chainFlush(chain);
    }
  }

  private zero(): void {
    for (const chain of this.line.chain === undefined ? chains.oldChains() : [this.chain()]) {
      this.tell(() => `Zeroing chain \`${chainName(chain)}'`);
      this.plane.chainZero(chain, -1);
    }
  }

  private newChain(): void {
    const name = this.line.chain ?? '';
    if (chains.oldChainNamed(name) !== 0) refusals.fail('Chain already exists');
    const chain = this.plane.chainNew(record.TABLE_OLD);
    if (chain === 0) refusals.fail(`${NO_MEMORY}: there are as many chains as there can be`);
    try {
      chainMade(chain);
      nameChain(this.rules.context.machine.memory, chain, name);
      chains.orderLast(chain);
      this.splice(chains.headLine(chain), 0, [`ipchains -N ${name}`]);
    } catch (error) {
      this.plane.chainDelete(chain);
      throw error;
    }
  }

  private deleteChains(): void {
    const { line } = this;
    const chosen =
      line.chain === undefined ? chains.oldChains().filter(chain => !isBuiltIn(chain)) : [this.chain()];
    let refusal = '';
    for (const chain of chosen) {
      this.tell(() => `Deleting chain \`${chainName(chain)}'`);
      const isLed = u16at(record.chainAt(chain) + record.CHAIN_REFERENCES) > 0;
      if (isBuiltIn(chain) || isLed) refusal = refusals.BUSY;
      else if (chains.rulesOf(chain) > 0) refusal = 'Chain is not empty';
      else {
        this.splice(chains.headLine(chain), 1, []);
        this.plane.chainDelete(chain);
      }
    }
    if (refusal === '') return;
    // What could be deleted has been.
    this.rules.context.registry.changed(this.rules.section);
    refusals.fail(refusal);
  }

  private policy(): void {
    const { line } = this;
    const chain = this.chain();
    const policy = POLICY_NAMES.indexOf(line.policy, 1);
    const isSet = chains.policyOf(chain) !== record.POLICY_HOUSE;
    this.splice(chains.headLine(chain), isSet ? 1 : 0, [`ipchains -P ${line.chain} ${line.policy}`]);
    this.plane.chainPolicy(chain, policy);
  }
}

/** Where a rule like this is in a chain; -1 if it is not there. */
function placeOf(chain: number, cell: number): number {
  const text = savedRule(readRule(cell));
  let other = firstRule(chain);
  for (let place = 0; other !== 0; place++) {
    if (isAlike(cell, other) && savedRule(readRule(other)) === text) return place;
    other = nextRule(other);
  }
  return -1;
}
