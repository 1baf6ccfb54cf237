// What a walk that refuses a packet means for it, and for its sender.

import { DROP_REJECTED, DROP_RULE } from '../../base/counters.ts';
import { i32at, puti32, u16at } from '../../base/memory.ts';
import { REJECT_PORT, RULE_ARGUMENT, TARGET_REJECT, WALK_REJECT } from '../../base/rule-record.ts';
import { REJECT_AT, VIEW_RULE } from '../../base/rule-state.ts';

/** The reason to drop a packet: DROP_RULE, or DROP_REJECTED and in REJECT_AT what its sender is told. */
export function refusal(answer: i32): i32 {
  if (answer !== TARGET_REJECT && answer !== WALK_REJECT) return DROP_RULE;
  puti32(REJECT_AT, answer === WALK_REJECT ? REJECT_PORT : u16at(i32at(VIEW_RULE) + RULE_ARGUMENT));
  return DROP_REJECTED;
}
