// The overlay `rules/ipfwadm`: what the command and its saved lines do. Not here: what is always there (../old/manifest.ts).

import { put8 } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import type { Beside, Job } from '../../core/console/command.ts';
import { CHAIN_DRAFT_POLICY, firstRule, nextRule } from '../chains.ts';
import { get64 } from '../listing/saved.ts';
import { closeRules, isOpen } from '../memory.ts';
import { serviceName } from '../names.ts';
import { policyOf as policyIn } from '../old/chains.ts';
import { DIALECT_IPFWADM, ownerOf, refuseOthers, tellOthers } from '../old/dialect.ts';
import type { OldRules } from '../old/rules.ts';
import { beginLines, clearLines, endLines, firstOf, named } from '../old/section.ts';
import { rejoined, splitWords } from '../words.ts';
import * as account from './account.ts';
import { CHAINS, FwadmChange, policyOf } from './change.ts';
import { verdictOf } from './check.ts';
import { FwadmLine } from './line.ts';
import { echoOf, headOf, POLICY_NAMES, rowOf, type Style } from './listing.ts';
import { fail, usage, VERSION } from './refuse.ts';
import { readRule, writeRule } from './rule.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'rules/ipfwadm': typeof import('./overlay.ts');
  }
}

export { beginLines, clearLines };

const TITLES: Record<string, string> = { I: 'input', F: 'forward', O: 'output' };

/** `ipfwadm WORDS`. */
export function runIpfwadm(rules: OldRules, args: readonly string[], beside?: Beside): Job | undefined {
  const { context } = rules;
  const { machine, output } = context;
  const line = new FwadmLine(rejoined(args) ?? usage('a quote is not closed'));
  try {
    line.read();
    const { category, commands } = line;
    if (commands === 'h') {
      output.line(VERSION);
      output.line('See help ipfwadm');
    } else if (category === 'M') return masquerade(rules, line);
    else if (commands.includes('l')) return list(rules, line, beside);
    else if (commands === 'c') check(rules, line, beside);
    else for (const text of new FwadmChange(rules, line).run()) output.line(text);
    return undefined;
  } catch (error) {
    throw named(error, 'ipfwadm');
  } finally {
    closeRules(machine);
  }
}

function masquerade({ context, masquerade: own }: OldRules, line: FwadmLine): Job | undefined {
  const { machine, output } = context;
  if (line.commands !== 's')
    return machine
      .overlay('show')
      .periodListing(context, 'ipfwadm', line.has('e'), line.has('n') ? undefined : serviceName);
  const [tcp = 0, tcpFin = 0, udp = 0] = line.timeouts;
  for (const text of own.setTimeouts(tcp, tcpFin, udp)) output.line(text);
  return undefined;
}

function check({ aliases, context }: OldRules, line: FwadmLine, beside?: Beside): void {
  const { machine, output } = context;
  tellOthers(context, DIALECT_IPFWADM, beside);
  if (line.has('v')) output.line(echoOf(line.rule, false, true));
  output.line(`packet ${verdictOf(machine, aliases, CHAINS[line.category] as number, line.rule)}`);
}

function list(rules: OldRules, line: FwadmLine, beside?: Beside): Job {
  if (line.commands.includes('z')) refuseOthers(DIALECT_IPFWADM, ownerOf());
  tellOthers(rules.context, DIALECT_IPFWADM, beside);
  return listed(rules, line);
}

function* listed({ context }: OldRules, line: FwadmLine): Job {
  const { output } = context;
  const { plane } = context.machine;
  const { category } = line;
  const isAccount = category === 'A';
  const chain = CHAINS[category] ?? 0;
  const style: Style = {
    isNumeric: line.has('n'),
    isExtended: line.has('e'),
    isExact: line.has('x'),
    isAccount,
  };
  if (isOpen()) for (let from = plane.rulesFold(0); from !== 0; from = plane.rulesFold(from)) yield 0;
  const policy = isAccount || !isOpen() ? record.POLICY_HOUSE : policyIn(chain);
  if (isAccount) output.line('IP accounting rules');
  else output.line(`IP firewall ${TITLES[category]} rules, default policy: ${POLICY_NAMES[policy]}`);
  if (!isOpen()) return;
  let rows = 0;
  if (isAccount) {
    for (const entry of account.entries()) {
      if (rows++ === 0) output.line(headOf(style));
      const [packets, bytes] = account.countsOf(entry);
      output.line(rowOf(account.entryRule(entry), packets, bytes, style));
      yield 0;
    }
  } else if (ownerOf() === DIALECT_IPFWADM) {
    for (let cell = firstRule(chain); cell !== 0; cell = nextRule(cell)) {
      if (rows++ === 0) output.line(headOf(style));
      const at = record.cellAt(cell);
      output.line(
        rowOf(readRule(cell), get64(at + record.RULE_PACKETS), get64(at + record.RULE_BYTES), style),
      );
      yield 0;
    }
  }
  if (!line.commands.includes('z') || !isOpen()) return;
  for (const zeroed of isAccount ? account.ACCOUNT_CHAINS : [chain]) plane.chainZero(zeroed, -1);
}

// --- the section's lines ----------------------------------------------------------------------------------------------

/** A saved line, `ipfwadm` and what stands behind it; a Refusal, of one line. `order` counts the lines. */
export function takeLine(rules: OldRules, text: string, order: number): void {
  try {
    const words = splitWords(text);
    if (words === undefined) fail('a quote is not closed');
    else draftWords(rules, words.slice(1), order);
  } catch (error) {
    firstOf(named(error, 'ipfwadm'));
  }
}

function draftWords(
  { aliases, context: { machine } }: OldRules,
  words: readonly string[],
  order: number,
): void {
  const line = new FwadmLine(words);
  line.read();
  const { category, commands, rule } = line;
  const chain = CHAINS[category] ?? 0;
  if (commands === 'p') put8(record.chainAt(chain) + CHAIN_DRAFT_POLICY, policyOf(rule.flags));
  else if (commands !== 'a') fail('what is kept are lines with -a and -p');
  else if (category === 'A')
    for (const into of account.chainsFor(rule.flags))
      machine.plane.draftAppend(into, writeRule(machine, aliases, rule, true, order));
  else machine.plane.draftAppend(chain, writeRule(machine, aliases, rule, false, 0));
}

export function endTaken(rules: OldRules, isTaken: boolean): void {
  endLines(rules, DIALECT_IPFWADM, isTaken);
}
