// Before a rule of ipchains or ipfwadm cuts the LAN off from the router itself it is said, once as long as there are rules: a script that
// closes input first and opens it for the LAN behind hears it once. It is no refusal, and `confirm` takes a change back.
// Not here: iptables' (../warnings.ts).

import { INTERFACE_LAN } from '../../../base/limits.ts';
import { get8, i32at, u16at } from '../../../base/memory.ts';
import { RULE_LINKS_AT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { firstRule, nextRule } from '../chains.ts';
import { isNews, isOpen, TOLD_LAN } from '../memory.ts';
import { policyOf } from './chains.ts';

/** Whether a rule may accept something of the LAN's: where it cannot be seen simply, it does. */
function letsIn(rule: number): boolean {
  const at = record.cellAt(rule);
  const target = get8(at + record.RULE_TARGET);
  if (target !== record.TARGET_ACCEPT && target !== record.TARGET_JUMP) return false;
  const link = get8(at + record.RULE_IN);
  const isLan = link === 0 || (i32at(RULE_LINKS_AT + 4 * INTERFACE_LAN) & (1 << link)) !== 0;
  return isLan !== ((u16at(at + record.RULE_FLAGS) & record.RULE_NOT_IN) !== 0);
}

/** What is to be said of a line that has just been done; `way` is the line that opens input again. */
export function lanWarning(way: string): string[] {
  if (!isOpen()) return [];
  const policy = policyOf(record.CHAIN_OLD_INPUT);
  if (policy !== record.POLICY_DROP && policy !== record.POLICY_REJECT) return [];
  for (let rule = firstRule(record.CHAIN_OLD_INPUT); rule !== 0; rule = nextRule(rule))
    if (letsIn(rule)) return [];
  if (!isNews(TOLD_LAN)) return [];
  return [
    `The LAN's DNS and pings to the router are now dropped, and all that goes through it: ${way} lets them in`,
  ];
}
