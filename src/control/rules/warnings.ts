// Before a rule cuts the LAN off from the router itself - its addresses by DHCP, its names, this console's like - it is said, once for
// the line that does it. It is no refusal: who means it, means it, and `confirm` takes it back.

import { INTERFACE_LAN } from '../../base/limits.ts';
import { get8, i32at, u16at } from '../../base/memory.ts';
import { RULE_LINKS_AT } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import { firstRule, nextRule } from './chains.ts';
import type { Line } from './line.ts';
import { isOpen } from './memory.ts';

/** Whether a rule may accept something of the LAN's: where it cannot be seen simply, it does. */
function letsIn(rule: number, chain: number): boolean {
  const at = record.cellAt(rule);
  const target = get8(at + record.RULE_TARGET);
  const isIn =
    target === record.TARGET_ACCEPT || target === record.TARGET_JUMP || target === record.TARGET_GOTO;
  if (!isIn || chain !== record.CHAIN_INPUT) return false;
  const link = get8(at + record.RULE_IN);
  const isLan = link === 0 || (i32at(RULE_LINKS_AT + 4 * INTERFACE_LAN) & (1 << link)) !== 0;
  const isNot = (u16at(at + record.RULE_FLAGS) & record.RULE_NOT_IN) !== 0;
  if (isLan === isNot) return false;
  // What is only for answers lets nobody ask.
  const states = get8(at + record.RULE_STATES);
  const isState = (u16at(at + record.RULE_FLAGS) & record.RULE_HAS_STATE) !== 0;
  return !isState || (states & record.STATE_BIT_NEW) !== 0;
}

/** What is to be said of a line that has just been done. */
export function lanWarning({ chain, commands, name, table }: Line): string | undefined {
  if (!isOpen() || table !== record.TABLE_FILTER || (chain !== 'INPUT' && chain !== '')) return undefined;
  const isClosing = (commands === 'P' && name === 'DROP') || 'FDR'.includes(commands);
  if (!isClosing || get8(record.chainAt(record.CHAIN_INPUT) + record.CHAIN_POLICY) !== record.POLICY_DROP)
    return undefined;
  for (let rule = firstRule(record.CHAIN_INPUT); rule !== 0; rule = nextRule(rule))
    if (letsIn(rule, record.CHAIN_INPUT)) return undefined;
  return "The LAN's DHCP, DNS and pings to the router are now dropped: iptables -A INPUT -i lan -j ACCEPT lets them in";
}
