// `ipchains-save [CHAIN] [-v]`: the rules in the form that the script of that name writes, which ipchains-restore reads.
//
//    :input ACCEPT                             a chain with its policy; - of a user's
//    -A input -s 0.0.0.0/0.0.0.0 -d 192.168.0.1/255.255.255.255 80:80 -p 6 -j REDIRECT 3128 -y
//
// What the script says to standard error is said where its output goes elsewhere alone, so that what the console shows can be pasted back.
// Not here: the lines that the configuration keeps, which say no more than is needed (../ipchains/listing.ts).

import { get8 } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { formatAddress } from '../../core/address.ts';
import { type Beside, type Job, Refusal } from '../../core/console/command.ts';
import { chainName, firstRule, isBuiltIn, nextRule } from '../chains.ts';
import * as own from '../ipchains/rule.ts';
import { oldChainNamed, oldChains } from '../old/chains.ts';
import { hexByte } from '../old/columns.ts';
import { DIALECT_IPCHAINS, ownerOf } from '../old/dialect.ts';
import type { OldRules } from '../old/rules.ts';

const BUILT_IN = ['input', 'forward', 'output'];
const POLICIES = ['ACCEPT', 'ACCEPT', 'DENY', 'REJECT', 'MASQ', 'ACCEPT'];

/** What may be refused is, before the first line. */
export function saveChains(rules: OldRules, words: readonly string[], beside?: Beside): Job {
  let name: string | undefined;
  let isVerbose = false;
  for (const word of words) {
    if (word === '-v' || word === '--verbose') isVerbose = true;
    else if (word.startsWith('-') || name !== undefined)
      throw new Refusal('Usage: ipchains-save [chain] [-v]');
    else name = word;
  }
  const isOwn = ownerOf() === DIALECT_IPCHAINS;
  const isThere = isOwn ? oldChainNamed(name ?? 'input') !== 0 : BUILT_IN.includes(name ?? 'input');
  if (!isThere) throw new Refusal(`ipchains-save: No chain by that name: ${name}`);
  return save(rules, isOwn, name, { isVerbose, beside });
}

function* save(
  { context: { output } }: OldRules,
  isOwn: boolean,
  name: string | undefined,
  { beside, isVerbose }: { beside: Beside | undefined; isVerbose: boolean },
): Job {
  if (!isOwn) {
    for (const chain of BUILT_IN) if (name === undefined || name === chain) output.line(`:${chain} ACCEPT`);
    return;
  }
  const chosen = name === undefined ? oldChains() : [oldChainNamed(name)];
  for (const chain of chosen) {
    const policy = isBuiltIn(chain) ? POLICIES[get8(record.chainAt(chain) + record.CHAIN_POLICY)] : '-';
    output.line(`:${chainName(chain)} ${policy}`);
  }
  for (const chain of chosen) {
    const label = chainName(chain);
    beside?.complain(`Saving \`${label}'.`);
    for (let cell = firstRule(chain); cell !== 0; cell = nextRule(cell)) {
      const text = `-A ${label}${ruleText(own.readRule(cell))}`;
      output.line(text);
      if (isVerbose) beside?.complain(text);
      yield 0;
    }
  }
}

/** What stands behind `-A CHAIN`. */
function ruleText(rule: own.ChainsRule): string {
  const { flags, inverse, ports } = rule;
  const not = (bit: number): string => ((inverse & bit) !== 0 ? '! ' : '');
  const portText = (first: number, last: number, bit: number): string =>
    first === 0 && last === own.PORT_MOST && (inverse & bit) === 0 ? '' : ` ${not(bit)}${first}:${last}`;
  let text = ` -s ${not(own.NOT_SOURCE)}${formatAddress(rule.source)}/${formatAddress(rule.sourceMask)}`;
  text += portText(ports[0], ports[1], own.NOT_SOURCE_PORTS);
  text += ` -d ${not(own.NOT_DESTINATION)}${formatAddress(rule.destination)}/${formatAddress(rule.destinationMask)}`;
  text += portText(ports[2], ports[3], own.NOT_DESTINATION_PORTS);
  if (rule.link !== '') text += ` -i ${not(own.NOT_LINK)}${rule.link}`;
  if (rule.protocol !== 0) text += ` -p ${not(own.NOT_PROTOCOL)}${rule.protocol}`;
  if (rule.label !== '') text += ` -j ${rule.label}`;
  if (rule.redirect !== 0) text += ` ${rule.redirect}`;
  if ((flags & own.FLAG_SYN) !== 0) text += ` ${not(own.NOT_SYN)}-y`;
  if ((flags & own.FLAG_FRAGMENT) !== 0) text += ` ${not(own.NOT_FRAGMENT)}-f`;
  if ((flags & own.FLAG_LOG) !== 0) text += ' -l';
  if ((flags & own.FLAG_OUTPUT) !== 0)
    text += rule.outputSize === own.PORT_MOST ? ' -o' : ` -o ${rule.outputSize}`;
  if ((flags & own.FLAG_MARK_ABSOLUTE) !== 0) text += ` -m ${rule.mark >>> 0}`;
  else if (rule.mark !== 0) text += ` -m ${rule.mark > 0 ? '+' : ''}${rule.mark}`;
  if (rule.tosAnd !== 0xff || rule.tosXor !== 0)
    text += ` -t ${hexByte(rule.tosAnd)} ${hexByte(rule.tosXor)}`;
  return text;
}
