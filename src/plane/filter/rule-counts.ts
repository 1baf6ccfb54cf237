// What rules and policies have counted: packets and bytes, 64 bits each, at the same places of a rule's cell and of a chain's record
// (src/base/rule-record.ts).

import { PROBE_AT } from '../../base/cells.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { RULE_BYTES, RULE_PACKETS } from '../../base/rule-record.ts';

/** Adds to the counts of a rule, or those of a chain's policy, at its address: 64 bits each. A made-up packet is not counted. */
export function addCounts(at: i32, packets: i32, bytes: i32): void {
  if (i32at(PROBE_AT) !== 0) return;
  add64(at + RULE_PACKETS, packets);
  add64(at + RULE_BYTES, bytes);
}

/** Adds an unsigned number to one of 64 bits. */
function add64(at: i32, more: i32): void {
  const sum: i32 = (i32at(at) + more) | 0;
  puti32(at, sum);
  // Carried, if as unsigned numbers the sum is less than what was added.
  if ((sum ^ -2147483648) < (more ^ -2147483648)) puti32(at + 4, (i32at(at + 4) + 1) | 0);
}
