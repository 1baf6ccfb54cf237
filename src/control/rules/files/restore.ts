// `ipchains-restore [-v] [-f] [-p]`: what ipchains-save writes, from the console up to a line that says `end`, or from wherever a script
// has it. A chain of the text is emptied and gets the text's rules; chains that it does not name stay as they are. What is refused is
// told with its line's number, and the rest goes on, as it did with the script of that name.
//
//    -f   a user's chain that is there already is emptied; else who types is asked, and where nobody can be it is passed over
//    -p   a user's chain that a rule is for, or leads to, is made where there is none
//    -v   each rule is told
//
// Another than then: all that has been taken is in force in one step, at the end.
// Not here: what a rule's line says (../ipchains/section.ts), drafts (../draft.ts).

import { get8, put8, putu16, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { type Beside, type Job, Refusal } from '../../core/console/command.ts';
import {
  CHAIN_DRAFT,
  CHAIN_DRAFT_POLICY,
  chainName,
  chainNamed,
  DRAFT_NAMED,
  firstRule,
  isBuiltIn,
  nextRule,
} from '../chains.ts';
import { isOpen } from '../memory.ts';
import { DRAFT_ORDER_AT, ORDER_AT, oldChains, oldLineCount, policyOf } from '../old/chains.ts';
import { claim, DIALECT_IPCHAINS, ownerOf, refuseOthers } from '../old/dialect.ts';
import type { OldRules } from '../old/rules.ts';
import { splitWords } from '../words.ts';

const END = 'end';
const BUILT_IN_POLICIES = ['ACCEPT', 'DENY', 'REJECT', 'MASQ'];
const POLICIES: Record<string, number> = {
  // What a chain has that nobody has told anything else.
  ACCEPT: record.POLICY_HOUSE,
  DENY: record.POLICY_DROP,
  REJECT: record.POLICY_REJECT,
  MASQ: record.POLICY_MASQUERADE,
};
const POLICY_NAMES = ['ACCEPT', 'ACCEPT', 'DENY', 'REJECT', 'MASQ', 'ACCEPT'];
/** What -j says that is no chain. */
const TARGETS = ['ACCEPT', 'DENY', 'REJECT', 'MASQ', 'REDIRECT', 'RETURN', 'QUEUE'];
/** Lines of the configuration that are written at once. */
const PIECE = 16;

type Lines = () => Generator<number, string | undefined, void>;

class Restore {
  private isForced = false;
  private isVerbose = false;
  private makesChains = false;
  private number = 0;
  /** Chains that the text has named, and those of it that are passed over. */
  private readonly named: number[] = [];
  private readonly skipped: string[] = [];
  /** Lines that the configuration has. */
  private written = 0;
  private order = 0;

  constructor(
    private readonly rules: OldRules,
    private readonly beside: Beside | undefined,
  ) {}

  private get machine() {
    return this.rules.context.machine;
  }

  private get chains() {
    return this.machine.overlay('rules/ipchains');
  }

  options(words: readonly string[]): void {
    for (const word of words) {
      if (word === '-f' || word === '--force') this.isForced = true;
      else if (word === '-v' || word === '--verbose') this.isVerbose = true;
      else if (word === '-p') this.makesChains = true;
      else throw new Refusal('Usage: ipchains-restore [-v] [-f] [-p]');
    }
  }

  /** All chains are of the draft, empty, with their policies. */
  begin(): void {
    const { machine } = this;
    claim(machine, DIALECT_IPCHAINS);
    this.written = oldLineCount();
    this.chains.beginDraft(machine, record.TABLE_OLD, false);
    for (const chain of oldChains()) {
      const at = record.chainAt(chain);
      put8(at + CHAIN_DRAFT, DRAFT_NAMED);
      put8(at + CHAIN_DRAFT_POLICY, policyOf(chain));
      if (isBuiltIn(chain)) continue;
      putu16(at + DRAFT_ORDER_AT, u16at(at + ORDER_AT));
      this.order = Math.max(this.order, u16at(at + ORDER_AT));
    }
  }

  /** Takes a line; what is refused is told, and the rest goes on. */
  *take(text: string): Generator<number, void, void> {
    this.number++;
    const line = text.trim();
    if (line === '' || line.startsWith('#')) return;
    try {
      if (line.startsWith(':')) yield* this.chain(line.slice(1).split(/\s+/));
      else this.rule(line);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const [first = ''] = error.message.split('\r\n').filter(part => part !== '');
      this.tell(`ipchains-restore: line ${this.number}: ${first.replace(/^ip(chains|tables): /, '')}`);
    }
  }

  private *chain([name = '', policy = '-']: readonly string[]): Generator<number, void, void> {
    const chain = chainNamed(record.TABLE_OLD, name);
    if (chain !== 0 && isBuiltIn(chain)) {
      if (!BUILT_IN_POLICIES.includes(policy) || (policy === 'MASQ' && name !== 'forward'))
        throw new Refusal(`Invalid policy \`${policy}' for \`${name}'`);
      put8(record.chainAt(chain) + CHAIN_DRAFT_POLICY, POLICIES[policy] as number);
      if (firstRule(chain) !== 0) this.tell(`Flushing \`${name}'.`);
    } else if (policy !== '-') throw new Refusal('Can only set policy in built-in chains.');
    else if (chain !== 0 && !this.named.includes(chain)) {
      if (!this.isForced && !(yield* this.isFlushed(name))) {
        this.tell(`Skipping \`${name}'.`);
        this.skipped.push(name);
        return;
      }
      this.tell(`Flushing \`${name}'.`);
    } else if (chain === 0) this.make(name);
    this.tell(`Restoring \`${name}'.`);
    this.name(chainNamed(record.TABLE_OLD, name));
  }

  private *isFlushed(name: string): Generator<number, boolean, void> {
    const { ask } = this.rules.context;
    const question = `Chain \`${name}' already exists. Skip or flush? [S/f]? `;
    if (ask === undefined || this.beside?.canAsk !== true) return false;
    return (yield* ask(question)).trim().toLowerCase().startsWith('f');
  }

  private make(name: string): void {
    this.draft(['-N', name]);
    this.name(chainNamed(record.TABLE_OLD, name));
  }

  private draft(words: readonly string[]) {
    return this.chains.draftWords(this.rules, words, ++this.order);
  }

  private name(chain: number): void {
    if (!this.named.includes(chain)) this.named.push(chain);
  }

  private rule(line: string): void {
    const words = splitWords(line);
    if (words === undefined) throw new Refusal('a quote is not closed');
    if (words[0] === 'ipchains') words.shift();
    const name = words[0] === '-A' ? (words[1] ?? '') : '';
    if (this.skipped.includes(name)) return;
    if (this.makesChains) {
      const target = words[words.indexOf('-j') + 1] ?? '';
      if (name !== '' && chainNamed(record.TABLE_OLD, name) === 0) this.make(name);
      if (words.includes('-j') && !TARGETS.includes(target) && chainNamed(record.TABLE_OLD, target) === 0)
        this.make(target);
    }
    const chain = chainNamed(record.TABLE_OLD, name);
    // A chain that the text has not begun keeps the rules that it has.
    if (chain !== 0 && !this.named.includes(chain)) {
      this.copy(chain);
      this.name(chain);
    }
    const { rule } = this.draft(words);
    if (this.isVerbose) this.tell(this.chains.echoOf(rule));
  }

  private copy(chain: number): void {
    const { machine } = this;
    for (let rule = firstRule(chain); rule !== 0; rule = nextRule(rule))
      machine.plane.draftAppend(chain, this.chains.copyRule(machine, rule));
  }

  private tell(text: string): void {
    if (this.beside === undefined) this.rules.context.output.line(text);
    else this.beside.complain(text);
  }

  /** Puts all of it in force: its lines first, which may be refused, then the rules in one step. */
  *commit(): Job {
    const { context, section } = this.rules;
    for (const chain of oldChains()) if (!this.named.includes(chain)) this.copy(chain);
    // ^C may end this at any piece: the lines are then again those that are in force.
    let isWhole = false;
    try {
      yield* this.write(true);
      this.chains.commitDraft(this.machine, record.TABLE_OLD);
      isWhole = true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Chains that were there for the draft alone have no lines.
      this.drop();
      yield* this.write(false);
      isWhole = true;
      throw new Refusal(
        `ipchains-restore: ${error.message.replace(/^iptables: /, '').replace(/\.$/, '')}; nothing has changed`,
      );
    } finally {
      if (!isWhole) {
        this.drop();
        for (const _ of this.write(false));
      }
    }
    for (const chain of oldChains()) {
      const at = record.chainAt(chain);
      if (!isBuiltIn(chain)) putu16(at + ORDER_AT, u16at(at + DRAFT_ORDER_AT));
    }
    context.registry.changed(section);
  }

  /** Writes the lines of the draft, or of what is in force, in the place of those that there are. */
  private *write(isDraft: boolean): Job {
    const { context, section } = this.rules;
    const { sections } = context.registry;
    sections.splice(section, 0, this.written, []);
    this.written = 0;
    let lines: string[] = [];
    for (const text of this.texts(isDraft)) {
      if (lines.push(text) < PIECE) continue;
      sections.splice(section, this.written, 0, lines);
      this.written += lines.length;
      lines = [];
      yield 0;
    }
    sections.splice(section, this.written, 0, lines);
    this.written += lines.length;
  }

  private *texts(isDraft: boolean): Generator<string, void, void> {
    const { readRule, savedRule } = this.chains;
    const all = oldChains();
    if (isDraft) {
      const orderOf = (chain: number): number =>
        isBuiltIn(chain) ? chain - record.CHAIN_USER : u16at(record.chainAt(chain) + DRAFT_ORDER_AT);
      all.sort((a, b) => orderOf(a) - orderOf(b));
    }
    for (const chain of all) {
      const policy = isDraft ? draftPolicyOf(chain) : policyOf(chain);
      if (!isBuiltIn(chain)) yield `ipchains -N ${chainName(chain)}`;
      else if (policy !== record.POLICY_HOUSE)
        yield `ipchains -P ${chainName(chain)} ${POLICY_NAMES[policy]}`;
    }
    for (const chain of all)
      for (let rule = firstRule(chain, isDraft); rule !== 0; rule = nextRule(rule))
        yield `ipchains -A ${chainName(chain)}${savedRule(readRule(rule))}`;
  }

  drop(): void {
    if (!isOpen()) return;
    this.chains.dropDraft(this.machine, record.TABLE_OLD);
    this.chains.closeRules(this.machine);
  }
}

const draftPolicyOf = (chain: number): number => get8(record.chainAt(chain) + CHAIN_DRAFT_POLICY);

/** `ipchains-restore`, with the console's next lines, or with the text that a script has. */
export function restoreChains(
  rules: OldRules,
  words: readonly string[],
  input?: () => string,
  beside?: Beside,
): Job {
  refuseOthers(DIALECT_IPCHAINS, ownerOf());
  const restore = new Restore(rules, beside);
  restore.options(words);
  return run(restore, input === undefined ? consoleLines(rules) : linesOf(input()));
}

function* run(restore: Restore, next: Lines): Job {
  restore.begin();
  try {
    for (let line = yield* next(); line !== undefined; line = yield* next()) yield* restore.take(line);
    yield* restore.commit();
  } finally {
    restore.drop();
  }
}

function linesOf(text: string): Lines {
  const lines = text.split('\n');
  let next = 0;
  return function* () {
    yield 0;
    return lines[next++];
  };
}

function consoleLines({ context: { ask } }: OldRules): Lines {
  if (ask === undefined) throw new Refusal('Cannot take lines: there is no console');
  return function* () {
    const line = yield* ask('> ');
    return line.trim() === END ? undefined : line;
  };
}
