// The overlay `rules/ipchains`: what the command and its saved lines do. Not here: what is always there (../old/manifest.ts), ipchains-save and
// -restore, and what /proc shows (../files/overlay.ts).

import type { Beside, Job } from '../../core/console/command.ts';
import { firstRule, nextRule } from '../chains.ts';
import { linkOfName } from '../links.ts';
import { closeRules, isOpen } from '../memory.ts';
import { icmpTypes, serviceName } from '../names.ts';
import { oldChainNamed, oldChains } from '../old/chains.ts';
import { DIALECT_IPCHAINS, ownerOf, refuseOthers, tellOthers } from '../old/dialect.ts';
import type { OldRules } from '../old/rules.ts';
import { beginLines, clearLines, endLines, firstOf, named } from '../old/section.ts';
import { rejoined, splitWords } from '../words.ts';
import { ChainsChange } from './change.ts';
import { verdictOf } from './check.ts';
import { ChainsLine } from './line.ts';
import { echoOf, emptyTitle, headOf, rowOf, type Style, savedRule, titleOf } from './listing.ts';
import { fail, NO_CHAIN, usage, VERSION } from './refuse.ts';
import { readRule, turned } from './rule.ts';
import { draftWords } from './section.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'rules/ipchains': typeof import('./overlay.ts');
  }
}

export { copyRule } from '../builder.ts';
export { beginDraft, commitDraft, dropDraft } from '../draft.ts';
export { closeRules } from '../memory.ts';
export { beginLines, clearLines, draftWords, echoOf, readRule, savedRule };

const ALL_LINES = 0x7fff;
const BUILT_IN = ['input', 'forward', 'output'];

/** `ipchains WORDS`. */
export function runIpchains(rules: OldRules, args: readonly string[], beside?: Beside): Job | undefined {
  const { context } = rules;
  const { machine, output } = context;
  const line = new ChainsLine(rejoined(args) ?? usage('a quote is not closed'));
  try {
    line.read();
    const { commands } = line;
    if (commands === 'V') output.line(VERSION);
    else if (commands === 'h') help(output.line, line.isIcmpHelp);
    else if (commands.includes('M') || commands === 'S') return masquerade(rules, line);
    else if (commands.includes('L')) return list(rules, line, beside);
    else if (commands === 'C') check(rules, line, beside);
    else for (const text of new ChainsChange(rules, line).run()) output.line(text);
    return undefined;
  } catch (error) {
    throw named(error, 'ipchains');
  } finally {
    closeRules(machine);
  }
}

function help(print: (text: string) => void, isIcmp: boolean): void {
  print(VERSION);
  print('');
  if (!isIcmp) {
    print('See help ipchains');
    return;
  }
  print('Valid ICMP Types:');
  let text = '';
  let before = { type: -1, first: -1, last: -1 };
  for (const type of icmpTypes()) {
    if (type.name === 'any') continue;
    const isAlias = type.type === before.type && type.first === before.first && type.last === before.last;
    if (isAlias) text += ` (${type.name})`;
    else {
      if (text !== '') print(text);
      text = type.type === before.type ? `   ${type.name}` : type.name;
    }
    before = type;
  }
  print(text);
}

function masquerade({ context, masquerade: own }: OldRules, line: ChainsLine): Job | undefined {
  const { machine, output } = context;
  if (line.commands.includes('L'))
    return machine
      .overlay('show')
      .periodListing(context, 'ipchains', line.has('v'), line.has('n') ? undefined : serviceName);
  const [tcp = 0, tcpFin = 0, udp = 0] = line.timeouts;
  for (const text of own.setTimeouts(tcp, tcpFin, udp)) output.line(text);
  return undefined;
}

/** Adds what flows have counted since to their rules; ends when all are. */
export function* fold({ machine: { plane } }: OldRules['context']): Job {
  if (isOpen()) for (let from = plane.rulesFold(0); from !== 0; from = plane.rulesFold(from)) yield 0;
}

/** What may be refused is, before the listing begins. */
function list(rules: OldRules, line: ChainsLine, beside?: Beside): Job {
  const name = line.chain;
  const isThere = isOpen() ? oldChainNamed(name ?? 'input') !== 0 : BUILT_IN.includes(name ?? 'input');
  if (!isThere) fail(NO_CHAIN);
  if (line.commands.includes('Z')) refuseOthers(DIALECT_IPCHAINS, ownerOf());
  tellOthers(rules.context, DIALECT_IPCHAINS, beside);
  return listed(rules, line);
}

function* listed(rules: OldRules, line: ChainsLine): Job {
  const { context } = rules;
  const { output } = context;
  const style: Style = {
    isNumeric: line.has('n'),
    isVerbose: line.has('v'),
    isExact: line.has('x'),
    isNumbered: line.has('3'),
  };
  yield* fold(context);
  // What another dialect has set is not for these eyes.
  if (ownerOf() !== DIALECT_IPCHAINS) {
    for (const name of BUILT_IN)
      if (line.chain === undefined || line.chain === name) output.line(emptyTitle(name, style));
    return;
  }
  const chosen = line.chain === undefined ? oldChains() : [oldChainNamed(line.chain)];
  for (const chain of chosen) {
    output.line(titleOf(chain, style));
    let place = 0;
    for (let rule = firstRule(chain); rule !== 0; rule = nextRule(rule)) {
      if (place === 0) output.line(headOf(style));
      place++;
      output.line(rowOf(rule, place, style));
      yield 0;
    }
  }
  if (line.commands.includes('Z') && isOpen())
    for (const chain of chosen) context.machine.plane.chainZero(chain, -1);
}

/** -C: with -b the packet the other way round as well. */
function check({ aliases, context }: OldRules, line: ChainsLine, beside?: Beside): void {
  const { machine, output } = context;
  const chain = oldChainNamed(line.chain ?? '');
  const link = linkOfName(aliases, line.rule.link);
  if (link < 0) fail('bad arguments (does that interface exist?)');
  if (chain === 0 && !(BUILT_IN.includes(line.chain ?? '') && !isOpen())) fail(NO_CHAIN);
  tellOthers(context, DIALECT_IPCHAINS, beside);
  for (const packet of line.has('b') ? [line.rule, turned(line.rule)] : [line.rule]) {
    if (line.has('v')) output.line(echoOf(packet));
    output.line(chain === 0 ? 'accepted' : verdictOf(machine, chain, packet, link));
  }
}

// --- the section's lines ----------------------------------------------------------------------------------------------

/** A saved line, `ipchains` and what stands behind it; a Refusal, of one line. `order` counts the lines. */
export function takeLine(rules: OldRules, text: string, order: number): void {
  try {
    const words = splitWords(text);
    if (words === undefined) fail('a quote is not closed');
    else draftWords(rules, words.slice(1), order);
  } catch (error) {
    firstOf(named(error, 'ipchains'));
  }
}

export function endTaken(rules: OldRules, isTaken: boolean): void {
  endLines(rules, DIALECT_IPCHAINS, isTaken);
}

/** `clear rules`: all of the old dialects' rules, and their lines. */
export function clearAll(rules: OldRules): void {
  rules.context.registry.sections.splice(rules.section, 0, ALL_LINES, []);
  clearLines(rules);
  rules.context.registry.changed(rules.section);
}
