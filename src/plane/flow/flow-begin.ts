// How a flow comes into the table: linked, counted, its timer started. Who gets a place is said by flow-admission.ts.

import { COUNT_MASQUERADE_NEW, count, DROP_TABLE_FULL } from '../../base/counters.ts';
import { ADDRESS_SHIFT, E_ADDRESS, E_FLAGS, E_OUTSIDE, E_PROTOCOL, ROUTED } from '../../base/flow-record.ts';
import { get8, put8, puti32 } from '../../base/memory.ts';
import { PROTOCOL_TCP as TCP } from '../../wire/ipv4.ts';
import { refuseEntry } from './flow-admission.ts';
import { link } from './flow-link.ts';
import { startTimer } from './flow-timeout.ts';
import { addressFor, NO_ADDRESS } from './masquerade-addresses.ts';

/**
 * Links a new flow by an outside address, or ROUTED; its tuples are set, but for that address. Its entry, or DROP_TABLE_FULL if
 * there is no room in its chains or for its address.
 */
export function beginFlow(e: i32, outside: i32, flags: i32): i32 {
  const number: i32 = addressFor(outside);
  if (outside !== ROUTED) puti32(e + E_OUTSIDE, outside);
  put8(e + E_FLAGS, get8(e + E_FLAGS) | flags);
  put8(e + E_ADDRESS, number << ADDRESS_SHIFT);
  if (number === NO_ADDRESS || link(e) === 0) {
    refuseEntry(e);
    return DROP_TABLE_FULL;
  }
  count(COUNT_MASQUERADE_NEW);
  if (get8(e + E_PROTOCOL) !== TCP) startTimer(e);
  return e;
}
