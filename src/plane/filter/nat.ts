// What nat's rules say of the first packet of a flow that goes through us: by which source it leaves. Those that follow have their flow.
// Where POSTROUTING has rules they alone say what is masqueraded, as on Linux; without, the house does (policy.ts).
// Not here: the translation (src/plane/flow/).

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { get8, i32at, puti32, u16at } from '../../base/memory.ts';
import {
  ADDRESSES_ADDRESS,
  CHAIN_NAT_POSTROUTING,
  CHAIN_RULES,
  chainAt,
  OPERATION_ADDRESSES,
  TARGET_MASQUERADE,
  TARGET_SNAT,
} from '../../base/rule-record.ts';
import { VIEW_IN, VIEW_RULE } from '../../base/rule-state.ts';
import { operationOf } from './rule-targets.ts';
import { walk } from './walk.ts';

export const HOOK_SOURCE: i32 = 1 << CHAIN_NAT_POSTROUTING;
/** It leaves as it is; or by the address of the link. All else is an address. */
export const AS_IS: i32 = 0;
export const AS_LINK: i32 = -1;

/** 1 if rules say what is masqueraded. */
export function hasSourceRules(): i32 {
  if ((i32at(RULE_HOOKS_AT) & HOOK_SOURCE) === 0) return 0;
  return u16at(chainAt(CHAIN_NAT_POSTROUTING) + CHAIN_RULES) !== 0 ? 1 : 0;
}

/** By which address the packet in the view leaves that begins a flow: AS_LINK, AS_IS, or which. */
export function sourceByRules(): i32 {
  const names: i32 = i32at(VIEW_IN);
  puti32(VIEW_IN, 0);
  const answer: i32 = walk(CHAIN_NAT_POSTROUTING);
  puti32(VIEW_IN, names);
  if (answer === TARGET_MASQUERADE) return AS_LINK;
  if (answer !== TARGET_SNAT) return AS_IS;
  const addresses: i32 = operationOf(i32at(VIEW_RULE), OPERATION_ADDRESSES);
  if (addresses === 0 || (get8(addresses + 4) & ADDRESSES_ADDRESS) === 0) return AS_LINK;
  return i32at(addresses + 8);
}
