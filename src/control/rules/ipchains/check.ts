// `ipchains -C`: what a chain says to a packet that is made up of the line's words. It is walked here, over the rules as they were
// written, and counts nothing. Not here: the walk of real packets (src/plane/filter/walk.ts).

import { get8, i32at, u16at } from '../../../base/memory.ts';
import { RULE_DEPTH, RULE_LINKS_AT, RULE_WALK_LIMIT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { firstRule, isBuiltIn, nextRule } from '../chains.ts';
import { policyOf } from '../old/chains.ts';
import * as own from './rule.ts';

const TARGET_WORDS: Record<string, string> = {
  ACCEPT: 'accepted',
  DENY: 'denied',
  REJECT: 'rejected',
  MASQ: 'masqueraded',
  REDIRECT: 'redirected',
};
const POLICY_WORDS = ['accepted', 'accepted', 'denied', 'rejected', 'masqueraded', 'accepted'];

const is = (value: boolean, inverse: number, bit: number): boolean => value === ((inverse & bit) === 0);

/** Whether a rule applies to a packet that comes in or leaves by a link. */
function applies(cell: number, packet: own.ChainsRule, link: number): boolean {
  const rule = own.readRule(cell);
  const { flags, inverse, ports, protocol } = rule;
  const name = get8(record.cellAt(cell) + record.RULE_IN);
  if (name !== 0 && !is(((i32at(RULE_LINKS_AT + 4 * link) >>> name) & 1) === 1, inverse, own.NOT_LINK))
    return false;
  if (!is(((packet.source ^ rule.source) & rule.sourceMask) === 0, inverse, own.NOT_SOURCE)) return false;
  const isThere = ((packet.destination ^ rule.destination) & rule.destinationMask) === 0;
  if (!is(isThere, inverse, own.NOT_DESTINATION)) return false;
  if (protocol !== 0 && !is(protocol === packet.protocol, inverse, own.NOT_PROTOCOL)) return false;
  const isFragment = (packet.flags & own.FLAG_FRAGMENT) !== 0;
  if ((flags & own.FLAG_FRAGMENT) !== 0 && !is(isFragment, inverse, own.NOT_FRAGMENT)) return false;
  if ((flags & own.FLAG_SYN) !== 0) {
    const isSyn = (packet.flags & own.FLAG_SYN) !== 0;
    if (isFragment || !is(isSyn, inverse, own.NOT_SYN)) return false;
  }
  if (protocol !== packet.protocol || !own.hasPorts(protocol)) return true;
  const isWithin = (place: 0 | 2, bit: number): boolean => {
    const first = ports[place] as number;
    const last = ports[place + 1] as number;
    if (isFragment) return first === 0 && last === own.PORT_MOST;
    const port = packet.ports[place] as number;
    return is(port >= first && port <= last, inverse, bit);
  };
  return isWithin(0, own.NOT_SOURCE_PORTS) && isWithin(2, own.NOT_DESTINATION_PORTS);
}

/** The word that -C prints. */
export function verdictOf(chain: number, packet: own.ChainsRule, link: number): string {
  const back: number[] = [];
  let rule = firstRule(chain);
  for (let left = RULE_WALK_LIMIT; left > 0; left--) {
    if (rule === 0) {
      const next = back.pop();
      if (next === undefined)
        return isBuiltIn(chain) ? (POLICY_WORDS[policyOf(chain)] as string) : 'passed through chain';
      rule = next;
      continue;
    }
    const cell = rule;
    rule = nextRule(cell);
    if (!applies(cell, packet, link)) continue;
    const { label } = own.readRule(cell);
    if (label === '') continue;
    const word = TARGET_WORDS[label];
    if (word !== undefined) return word;
    if (label === 'RETURN') rule = 0;
    else {
      if (back.length === RULE_DEPTH) break;
      back.push(rule);
      rule = firstRule(u16at(record.cellAt(cell) + record.RULE_ARGUMENT));
    }
  }
  return 'caught in loop';
}
