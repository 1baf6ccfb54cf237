// How a rule was written (RULE_WRITTEN of a rule's cell and of an OPERATION_FIELDS), so that a listing has its matches in their order:
//
//    bits  0-2             3-4               5                      6-9                        10-13
//          | match of the  | state or        | of two at the same   | how many matches in      | the same before |
//          | protocol      | conntrack       | place this is first  | operations stand before  | the state       |
//
// What stands in the cell is looked at first whatever its place, which is the same to a packet as long as nothing before it counts
// anything. Not here: who writes it (builder.ts), who reads it (saved.ts, listing/).

import { get8, u16at } from '../../base/memory.ts';
import {
  cellAt,
  OPERATION_COMMENT,
  OPERATION_FLAGS,
  OPERATION_KIND,
  OPERATION_MORE,
  OPERATION_NEXT,
  OPERATION_TCP_OPTION,
  RULE_OPERATIONS,
  RULE_WRITTEN,
  WRITTEN_MATCH,
  WRITTEN_MATCH_SHIFT,
  WRITTEN_PLACE_MOST,
  WRITTEN_STATE_FIRST,
  WRITTEN_STATE_SHIFT,
  WRITTEN_STATES,
} from '../../base/rule-record.ts';

export {
  WRITTEN_CONNTRACK,
  WRITTEN_ICMP,
  WRITTEN_MATCH,
  WRITTEN_MATCH_SHIFT,
  WRITTEN_PLACE_MOST,
  WRITTEN_STATE,
  WRITTEN_STATE_FIRST,
  WRITTEN_STATE_SHIFT,
  WRITTEN_STATES,
  WRITTEN_TCP,
  WRITTEN_UDP,
} from '../../base/rule-record.ts';

/** Whether an operation goes on with the match of the one before. */
export function isContinued(at: number): boolean {
  const kind = get8(at + OPERATION_KIND);
  if (kind === OPERATION_TCP_OPTION) return true;
  return kind === OPERATION_COMMENT && (get8(at + OPERATION_FLAGS) & OPERATION_MORE) !== 0;
}

/**
 * Goes through the matches of a rule in their order: the rule's address itself stands for those in its cell, with what of RULE_WRITTEN
 * they are; else an operation's address and 0. Targets' operations are the last.
 */
export function matchesOf(rule: number, seen: (at: number, written: number) => void): void {
  const written = u16at(rule + RULE_WRITTEN);
  const match = written & WRITTEN_MATCH;
  const states = written & WRITTEN_STATES;
  const matchPlace = match === 0 ? -1 : (written >> WRITTEN_MATCH_SHIFT) & WRITTEN_PLACE_MOST;
  const statePlace = states === 0 ? -1 : (written >> WRITTEN_STATE_SHIFT) & WRITTEN_PLACE_MOST;
  let place = 0;
  let operation = u16at(rule + RULE_OPERATIONS);
  for (;;) {
    const at = operation === 0 ? 0 : cellAt(operation);
    if (at === 0 || !isContinued(at)) {
      const isStateFirst = (written & WRITTEN_STATE_FIRST) !== 0;
      if (place === statePlace && isStateFirst) seen(rule, states);
      if (place === matchPlace) seen(rule, match);
      if (place === statePlace && !isStateFirst) seen(rule, states);
      place++;
    }
    if (at === 0) return;
    seen(at, 0);
    operation = u16at(at + OPERATION_NEXT);
  }
}
