// Asks the rules of a chain, one after the other, for the packet in the view (src/base/rule-state.ts): what is to become of it.
//
//    a rule that applies is counted; then its target decides, or the next rule follows (LOG, MARK, none), or another chain (a jump,
//    after which the rule behind it follows; goto, after which the one behind the last jump does)
//    at a chain's end, and at RETURN, who jumped there goes on; of the built-in chain the policy decides, and counts
//
// Worst case: RULE_WALK_LIMIT rules and OPERATION_WALK_LIMIT operations at one hook, then the packet is dropped and counted. A rule that does not
// apply costs 20 to 50 instructions by which of its fields refuses the packet (docs/performance.md).
// Not here: who asks, and when (hooks.ts), operations (operations.ts), what a flow keeps (paths.ts).

import { count, DROP_RULE_LOOP } from '../../base/counters.ts';
import { get8, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import { OPERATION_WALK_LIMIT, RULE_DEPTH, RULE_WALK_LIMIT } from '../../base/rule-limits.ts';
import {
  CHAIN_FIRST,
  CHAIN_POLICY,
  cellAt,
  chainAt,
  POLICY_DROP,
  POLICY_MASQUERADE,
  POLICY_OPEN,
  POLICY_REJECT,
  RULE_ARGUMENT,
  RULE_DESTINATION,
  RULE_DESTINATION_MASK,
  RULE_DESTINATION_PORTS,
  RULE_FLAGS,
  RULE_FRAGMENT,
  RULE_HAS_PORTS,
  RULE_HAS_STATE,
  RULE_IN,
  RULE_NEXT,
  RULE_NOT_DESTINATION,
  RULE_NOT_DESTINATION_PORTS,
  RULE_NOT_IN,
  RULE_NOT_OUT,
  RULE_NOT_PROTOCOL,
  RULE_NOT_SOURCE,
  RULE_NOT_SOURCE_PORTS,
  RULE_NOT_STATE,
  RULE_OPERATIONS,
  RULE_OUT,
  RULE_PROTOCOL,
  RULE_SOURCE,
  RULE_SOURCE_MASK,
  RULE_SOURCE_PORTS,
  RULE_STATES,
  RULE_TARGET,
  TARGET_ACCEPT,
  TARGET_CONNMARK,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_LOG,
  TARGET_MARK,
  TARGET_NONE,
  TARGET_RETURN,
  TARGET_TCPMSS,
  TARGET_TOS,
  WALK_DROP,
  WALK_LOOP,
  WALK_MASQUERADE,
  WALK_OPEN,
  WALK_POLICY,
  WALK_REJECT,
} from '../../base/rule-record.ts';
import {
  OPERATIONS_LEFT_AT,
  RETURNS_AT,
  VIEW_BYTES,
  VIEW_DESTINATION,
  VIEW_IN,
  VIEW_OUT,
  VIEW_PORTS,
  VIEW_PROTOCOL,
  VIEW_RULE,
  VIEW_SOURCE,
  VIEW_STATE,
} from '../../base/rule-state.ts';
import { applyFields, applyOperations } from './operations.ts';
import { POLICY_PLACE, stepPath } from './paths.ts';
import { addCounts } from './rule-counts.ts';
import { change } from './rule-targets.ts';

/** A rule that has none of these says of addresses, links, protocol, ports and state what they are. */
const INVERSIONS: i32 =
  RULE_NOT_SOURCE |
  RULE_NOT_DESTINATION |
  RULE_NOT_IN |
  RULE_NOT_OUT |
  RULE_NOT_PROTOCOL |
  RULE_NOT_SOURCE_PORTS |
  RULE_NOT_DESTINATION_PORTS |
  RULE_NOT_STATE;
// All else that is answered is the TARGET_* of the rule that has decided, whose address is in VIEW_RULE.

/** What becomes of the packet in the view by a built-in chain: WALK_*, or the target of the rule that decides. */
export function walk(chain: i32): i32 {
  let rule: i32 = u16at(chainAt(chain) + CHAIN_FIRST);
  let depth: i32 = 0;
  puti32(OPERATIONS_LEFT_AT, OPERATION_WALK_LIMIT);
  for (let left: i32 = RULE_WALK_LIMIT; left > 0; left--) {
    if (rule === 0) {
      if (depth === 0) {
        if (i32at(OPERATIONS_LEFT_AT) <= 0) break;
        return policy(chain);
      }
      depth -= 1;
      rule = u16at(RETURNS_AT + 2 * depth);
      continue;
    }
    const number: i32 = rule;
    const at: i32 = cellAt(number);
    const next: i32 = u16at(at + RULE_NEXT);
    rule = next;
    if (applies(at) === 0) continue;
    addCounts(at, 1, i32at(VIEW_BYTES));
    stepPath(number);
    const target: i32 = get8(at + RULE_TARGET);
    if (target === TARGET_JUMP || target === TARGET_GOTO) {
      if (target === TARGET_JUMP) {
        if (depth >= RULE_DEPTH) break;
        putu16(RETURNS_AT + 2 * depth, next);
        depth += 1;
      }
      rule = u16at(chainAt(u16at(at + RULE_ARGUMENT)) + CHAIN_FIRST);
    } else if (target === TARGET_RETURN) {
      rule = 0;
    } else if (target === TARGET_ACCEPT || isDecision(target) !== 0) {
      if (i32at(OPERATIONS_LEFT_AT) <= 0) break;
      puti32(VIEW_RULE, at);
      return target;
    } else if (target !== TARGET_NONE) {
      change(at, target);
    }
  }
  count(DROP_RULE_LOOP);
  return WALK_LOOP;
}

/** 1 if a target ends the walk. */
function isDecision(target: i32): i32 {
  return target === TARGET_NONE ||
    target === TARGET_LOG ||
    target === TARGET_MARK ||
    target === TARGET_CONNMARK ||
    target === TARGET_TOS ||
    target === TARGET_TCPMSS
    ? 0
    : 1;
}

function policy(chain: i32): i32 {
  const at: i32 = chainAt(chain);
  addCounts(at, 1, i32at(VIEW_BYTES));
  stepPath(chain | POLICY_PLACE);
  const said: i32 = get8(at + CHAIN_POLICY);
  if (said === POLICY_DROP) return WALK_DROP;
  if (said === POLICY_REJECT) return WALK_REJECT;
  if (said === POLICY_MASQUERADE) return WALK_MASQUERADE;
  return said === POLICY_OPEN ? WALK_OPEN : WALK_POLICY;
}

/** 1 if all that a rule says holds for the packet in the view. What most packets are refused for is asked first. */
function applies(at: i32): i32 {
  const flags: i32 = u16at(at + RULE_FLAGS);
  if ((flags & INVERSIONS) !== 0) return appliesInverted(at, flags);
  const protocol: i32 = get8(at + RULE_PROTOCOL);
  if (protocol !== 0 && protocol !== i32at(VIEW_PROTOCOL)) return 0;
  if ((flags & RULE_HAS_PORTS) !== 0) {
    const ports: i32 = i32at(VIEW_PORTS);
    const port: i32 = ports & 0xffff;
    if (port < u16at(at + RULE_DESTINATION_PORTS) || port > u16at(at + RULE_DESTINATION_PORTS + 2)) return 0;
    const from: i32 = ports >>> 16;
    if (from < u16at(at + RULE_SOURCE_PORTS) || from > u16at(at + RULE_SOURCE_PORTS + 2)) return 0;
  }
  if ((flags & RULE_HAS_STATE) !== 0 && (get8(at + RULE_STATES) & i32at(VIEW_STATE)) === 0) return 0;
  const inName: i32 = get8(at + RULE_IN);
  if (inName !== 0 && ((i32at(VIEW_IN) >>> inName) & 1) === 0) return 0;
  const outName: i32 = get8(at + RULE_OUT);
  if (outName !== 0 && ((i32at(VIEW_OUT) >>> outName) & 1) === 0) return 0;
  if (((i32at(VIEW_SOURCE) ^ i32at(at + RULE_SOURCE)) & i32at(at + RULE_SOURCE_MASK)) !== 0) return 0;
  if (((i32at(VIEW_DESTINATION) ^ i32at(at + RULE_DESTINATION)) & i32at(at + RULE_DESTINATION_MASK)) !== 0)
    return 0;
  return appliesFurther(at, flags & ~(RULE_HAS_PORTS | RULE_HAS_STATE));
}

/** The same of one that says of a field what it is not. */
function appliesInverted(at: i32, flags: i32): i32 {
  const protocol: i32 = get8(at + RULE_PROTOCOL);
  if (protocol !== 0 && (protocol === i32at(VIEW_PROTOCOL) ? 1 : 0) === ((flags >> 4) & 1)) return 0;
  const inName: i32 = get8(at + RULE_IN);
  if (inName !== 0 && ((i32at(VIEW_IN) >>> inName) & 1) === ((flags >> 2) & 1)) return 0;
  const outName: i32 = get8(at + RULE_OUT);
  if (outName !== 0 && ((i32at(VIEW_OUT) >>> outName) & 1) === ((flags >> 3) & 1)) return 0;
  const source: i32 = (i32at(VIEW_SOURCE) ^ i32at(at + RULE_SOURCE)) & i32at(at + RULE_SOURCE_MASK);
  if ((source === 0 ? 1 : 0) === (flags & 1)) return 0;
  const destination: i32 =
    (i32at(VIEW_DESTINATION) ^ i32at(at + RULE_DESTINATION)) & i32at(at + RULE_DESTINATION_MASK);
  if ((destination === 0 ? 1 : 0) === ((flags >> 1) & 1)) return 0;
  return appliesFurther(at, flags);
}

/** What is left of a rule: fields that not every rule has, and operations. */
function appliesFurther(at: i32, flags: i32): i32 {
  if (flags >= RULE_FRAGMENT && applyFields(at, flags) === 0) return 0;
  const operations: i32 = u16at(at + RULE_OPERATIONS);
  if (operations === 0) return 1;
  puti32(VIEW_RULE, at);
  return applyOperations(operations);
}
