// How a flow comes into the table: linked, counted, its timer started. Who gets a place is said by flow-admission.ts.

import { ALIASES_SET_AT, PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import { COUNT_MASQUERADE_NEW, count, DROP_NO_PORT, DROP_TABLE_FULL } from '../../base/counters.ts';
import {
  ADDRESS_SHIFT,
  ALIASED,
  E_ADDRESS,
  E_FAR,
  E_FLAGS,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PROTOCOL,
  E_REMOTE,
  ROUTED,
  SHARED_AT,
  TURNED,
} from '../../base/flow-record.ts';
import { get8, i32at, put8, puti32 } from '../../base/memory.ts';
import { PROBE_FLOW, PROBE_GONE } from '../../base/probe-record.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP } from '../../wire/ipv4.ts';
import { aliasOf } from '../ip/aliases.ts';
import { refuseEntry } from './flow-admission.ts';
import { link } from './flow-link.ts';
import { findTuple } from './flow-table.ts';
import { startTimer } from './flow-timeout.ts';
import { addressFor, NO_ADDRESS } from './masquerade-addresses.ts';

/**
 * Links a new flow by an outside address, or ROUTED, or TURNED; its tuples are set, but for that address. Its entry, DROP_NO_PORT if another flow has one of them, or DROP_TABLE_FULL if
 * there is no room in its chains or for its address.
 */
export function beginFlow(e: i32, outside: i32, flags: i32): i32 {
  const number: i32 = addressFor(i32at(ALIASES_SET_AT) !== 0 && aliasOf(outside) !== 0 ? ALIASED : outside);
  if (outside !== ROUTED && outside !== TURNED) puti32(e + E_OUTSIDE, outside);
  // Rules lead flows to endpoints that others have, which outlive them: of two with one tuple the second would get the first one's answers.
  if ((i32at(RULE_HOOKS_AT) | i32at(SHARED_AT)) !== 0 && isTaken(e) !== 0) {
    refuseEntry(e);
    return DROP_NO_PORT;
  }
  put8(e + E_FLAGS, get8(e + E_FLAGS) | flags);
  put8(e + E_ADDRESS, number << ADDRESS_SHIFT);
  if (number === NO_ADDRESS || (e !== PROBE_FLOW && link(e) === 0)) {
    refuseEntry(e);
    return DROP_TABLE_FULL;
  }
  count(COUNT_MASQUERADE_NEW);
  if (get8(e + E_PROTOCOL) !== TCP) startTimer(e);
  return e;
}

/** A flow begins by a port or an endpoint that others may have: from now on each is looked for. */
export function noteShared(): void {
  if (i32at(PROBE_AT) === 0) puti32(SHARED_AT, 1);
}

/** 1 if another flow has a tuple of an entry that is not linked yet, or both of its are one: then nobody could tell who sends. */
function isTaken(e: i32): i32 {
  const protocol: i32 = get8(e + E_PROTOCOL);
  const isSame: i32 =
    i32at(e + E_INSIDE) === i32at(e + E_FAR) && i32at(e + E_REMOTE) === i32at(e + E_OUTSIDE) ? 1 : 0;
  if (isSame !== 0 && i32at(e + E_OUT_PORTS) === i32at(e + E_IN_PORTS)) return 1;
  if (isThere(findTuple(i32at(e + E_INSIDE), i32at(e + E_REMOTE), i32at(e + E_OUT_PORTS), protocol)) !== 0)
    return 1;
  return isThere(findTuple(i32at(e + E_FAR), i32at(e + E_OUTSIDE), i32at(e + E_IN_PORTS), protocol));
}

/** 1 of a flow that is found, but for one that would have made room for a made-up packet's. */
function isThere(flow: i32): i32 {
  return flow !== 0 && (i32at(PROBE_AT) === 0 || (flow & ~1) !== i32at(PROBE_GONE)) ? 1 : 0;
}

/** Fills in the tuples of a new session, but for its outside address. `outPorts` are those of what the inside sends. */
export function fillEntry(
  e: i32,
  protocol: i32,
  inside: i32,
  remote: i32,
  outPorts: i32,
  outsidePort: i32,
): void {
  const farPort: i32 = protocol === ICMP ? outsidePort : outPorts & 0xffff;
  put8(e + E_PROTOCOL, protocol);
  puti32(e + E_INSIDE, inside);
  puti32(e + E_REMOTE, remote);
  puti32(e + E_FAR, remote);
  puti32(e + E_OUT_PORTS, outPorts);
  // ICMP has one identifier, that of the side the packet is on, in the place of both ports.
  puti32(e + E_IN_PORTS, (farPort << 16) | outsidePort);
}
