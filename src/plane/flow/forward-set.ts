// Sets and takes back forwards of ports (forwards.ts). Control does, one at a time.
// Cost: a forward's ports are noted as taken by words of 32, 33 words at most.

import { FORWARDS_SET_AT } from '../../base/cells.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_FIRST,
  FORWARD_INSIDE,
  FORWARD_LAST,
  FORWARD_PROTOCOL,
  FORWARD_SESSIONS,
  forwardAt,
} from '../../base/forward-record.ts';
import { FORWARD_BYTES, FORWARD_COUNT, FORWARDS_AT } from '../../base/limits.ts';
import { copy, fill, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import { notePorts } from '../local/sockets.ts';
import { isKept } from './forwards.ts';
import { noteRange } from './port-map.ts';

export function resetForwards(): void {
  fill(FORWARDS_AT, 0, FORWARD_COUNT * FORWARD_BYTES);
  puti32(FORWARDS_SET_AT, 0);
}

/**
 * Forwards the ports from `ports` >>> 16 to `ports` & 0xffff of TCP or UDP to as many of a host inside, from `inside` on; or changes
 * where exactly these go. 0 if all places are taken.
 */
export function forwardSet(protocol: i32, ports: i32, inside: i32, address: i32): i32 {
  let n: i32 = find(protocol, ports);
  if (n < 0) {
    n = i32at(FORWARDS_SET_AT);
    if (n === FORWARD_COUNT) return 0;
    puti32(FORWARDS_SET_AT, n + 1);
  }
  const forward: i32 = forwardAt(n);
  putu16(forward + FORWARD_PROTOCOL, protocol);
  putu16(forward + FORWARD_FIRST, ports >>> 16);
  putu16(forward + FORWARD_LAST, ports);
  putu16(forward + FORWARD_INSIDE, inside);
  puti32(forward + FORWARD_ADDRESS, address);
  puti32(forward + FORWARD_SESSIONS, 0);
  forwardNote(n);
  return 1;
}

/**
 * Takes a forward back; the sessions that have begun by it stay. 0 if it was not set. Its ports are free then, those of others that it
 * shared too: who calls it notes the others anew.
 */
export function forwardRemove(protocol: i32, ports: i32): i32 {
  const n: i32 = find(protocol, ports);
  if (n < 0) return 0;
  const forward: i32 = forwardAt(n);
  const kept: i32 = isKept(forward);
  const last: i32 = i32at(FORWARDS_SET_AT) - 1;
  // The order stays as the lines were set.
  copy(forward, forward + FORWARD_BYTES, (last - n) * FORWARD_BYTES);
  fill(forwardAt(last), 0, FORWARD_BYTES);
  puti32(FORWARDS_SET_AT, last);
  if (kept === 0) return 1;
  noteRange(protocol, ports >>> 16, ports & 0xffff, 0);
  notePorts();
  return 1;
}

/** Notes the ports of forward number n as taken, if it has them for itself. */
export function forwardNote(n: i32): void {
  const forward: i32 = forwardAt(n);
  if (n >= i32at(FORWARDS_SET_AT) || isKept(forward) === 0) return;
  noteRange(
    u16at(forward + FORWARD_PROTOCOL),
    u16at(forward + FORWARD_FIRST),
    u16at(forward + FORWARD_LAST),
    1,
  );
}

/** The number of the forward of exactly these ports, or -1. */
function find(protocol: i32, ports: i32): i32 {
  for (let n: i32 = 0; n < FORWARD_COUNT && n < i32at(FORWARDS_SET_AT); n++) {
    const forward: i32 = forwardAt(n);
    const those: i32 = (u16at(forward + FORWARD_FIRST) << 16) | u16at(forward + FORWARD_LAST);
    if (u16at(forward + FORWARD_PROTOCOL) === protocol && those === ports) return n;
  }
  return -1;
}
