// `connlimit`: how many flows the packet's source has, or its destination, or their networks, this one among them.
// Cost: all flows are looked at, up to the one that is too many: 15 operations each, so with a full table and a source that has few a
// millisecond, with interrupts off. It is asked behind what stands before it in its rule, --syn as a rule, and the time for frames
// is bounded as ever (src/plane/service.ts): a flood of such packets leaves control its share. No other rule costs so much.

import { E_INSIDE, E_PROTOCOL, E_REMOTE, entryAt, HIGHEST_AT } from '../../base/flow-record.ts';
import { MASQUERADE_BYTES, MASQUERADE_COUNT } from '../../base/limits.ts';
import { get8, i32at, puti32 } from '../../base/memory.ts';
import { CONNLIMIT_ABOVE, CONNLIMIT_DESTINATION } from '../../base/rule-record.ts';
import { OPERATIONS_LEFT_AT, VIEW_DESTINATION, VIEW_FLOW, VIEW_SOURCE } from '../../base/rule-state.ts';

/** So many flows, as a power of two, cost what some other operation costs at most. */
const FLOWS_SHIFT: i32 = 6;

/** 1 if an OPERATION_CONNLIMIT holds for the packet in the view. */
export function applyConnlimit(operation: i32): i32 {
  const flags: i32 = get8(operation + 4);
  const most: i32 = i32at(operation + 8);
  const mask: i32 = i32at(operation + 12);
  const address: i32 = i32at((flags & CONNLIMIT_DESTINATION) !== 0 ? VIEW_DESTINATION : VIEW_SOURCE);
  const isAbove: i32 = (flags & CONNLIMIT_ABOVE) !== 0 ? 1 : 0;
  const highest: i32 = i32at(HIGHEST_AT);
  let flows: i32 = i32at(VIEW_FLOW) === 0 ? 1 : 0;
  let e: i32 = entryAt(1);
  let n: i32 = 0;
  for (; n < MASQUERADE_COUNT && n < highest && flows <= most; n++) {
    const isIts: i32 =
      ((i32at(e + E_INSIDE) ^ address) & mask) === 0 || ((i32at(e + E_REMOTE) ^ address) & mask) === 0
        ? 1
        : 0;
    if (isIts !== 0 && get8(e + E_PROTOCOL) !== 0) flows += 1;
    e += MASQUERADE_BYTES;
  }
  puti32(OPERATIONS_LEFT_AT, i32at(OPERATIONS_LEFT_AT) - (n >> FLOWS_SHIFT));
  return flows > most ? isAbove : 1 - isAbove;
}
