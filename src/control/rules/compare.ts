// Whether two rules say the same, as -D and -C ask: but for what they have counted, and what their matches have.

import { get8, i32at, u16at } from '../../base/memory.ts';
import * as record from '../../base/rule-record.ts';

const CELL_WORDS = 16;
/** Words of a rule's cell that are compared: from its links' names to its value. */
const RULE_FROM = record.RULE_IN;
const RULE_END = record.RULE_PACKETS;

function isSameOperation(a: number, b: number): boolean {
  if (get8(a + record.OPERATION_KIND) !== get8(b + record.OPERATION_KIND)) return false;
  if (get8(a + record.OPERATION_FLAGS) !== get8(b + record.OPERATION_FLAGS)) return false;
  const kind = get8(a + record.OPERATION_KIND);
  for (let i = 1; i < CELL_WORDS; i++) {
    // What is left in a bucket, when that was, and the packets since the last nth one.
    if (kind === record.OPERATION_LIMIT && (4 * i === record.LIMIT_LEFT || 4 * i === record.LIMIT_TICK))
      continue;
    if (kind === record.OPERATION_STATISTIC && i === 4) continue;
    if (i32at(a + 4 * i) !== i32at(b + 4 * i)) return false;
  }
  return true;
}

/** Compares two rules by their numbers. */
export function isSameRule(first: number, second: number): boolean {
  const a = record.cellAt(first);
  const b = record.cellAt(second);
  for (let at = RULE_FROM; at < RULE_END; at += 4) if (i32at(a + at) !== i32at(b + at)) return false;
  return sameOperations(u16at(a + record.RULE_OPERATIONS), u16at(b + record.RULE_OPERATIONS));
}

function sameOperations(first: number, second: number): boolean {
  let a = first;
  let b = second;
  while (a !== 0 && b !== 0) {
    if (!isSameOperation(record.cellAt(a), record.cellAt(b))) return false;
    a = u16at(record.cellAt(a) + record.OPERATION_NEXT);
    b = u16at(record.cellAt(b) + record.OPERATION_NEXT);
  }
  return a === b;
}
