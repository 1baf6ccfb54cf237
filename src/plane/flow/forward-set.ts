// Sets and takes back forwards of ports (forwards.ts). Control does, one at a time.
// Cost: a forward's ports are noted as taken by words of 32, 33 words at most.

import { FORWARDS_SET_AT, MARKS_SET_AT } from '../../base/cells.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_FIRST,
  FORWARD_FLAGS,
  FORWARD_INSIDE,
  FORWARD_LAST,
  FORWARD_LEFT,
  FORWARD_MARKED,
  FORWARD_MISSES,
  FORWARD_MOST,
  FORWARD_OUTSIDE,
  FORWARD_PROTOCOL,
  FORWARD_SECONDS,
  FORWARD_SERVER,
  FORWARD_SESSIONS,
  FORWARD_WEIGHT,
  forwardAt,
} from '../../base/forward-record.ts';
import { FORWARD_BYTES, FORWARD_COUNT, FORWARDS_AT } from '../../base/limits.ts';
import { copy, fill, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { notePorts } from '../local/sockets.ts';
import { isKept } from './forwards.ts';
import { noteRange } from './port-map.ts';
import { discharge, enrol, resetServers } from './servers.ts';

export function resetForwards(): void {
  resetServers();
  fill(FORWARDS_AT, 0, FORWARD_COUNT * FORWARD_BYTES);
  puti32(FORWARDS_SET_AT, 0);
  puti32(MARKS_SET_AT, 0);
}

/**
 * Forwards the ports from `ports` >>> 16 to `ports` & 0xffff of TCP or UDP to as many of a host inside, from `inside` on, beside the
 * hosts that have them already. `share`: the weight, and FORWARD_* << 16. `outside`: the address that they are of, 0 any; or a mark.
 * 0 if all places are taken.
 */
export function forwardSet(
  protocol: i32,
  ports: i32,
  inside: i32,
  address: i32,
  share: i32,
  outside: i32,
): i32 {
  const n: i32 = i32at(FORWARDS_SET_AT);
  if (n >= FORWARD_COUNT) return 0;
  puti32(FORWARDS_SET_AT, n + 1);
  const forward: i32 = forwardAt(n);
  putu16(forward + FORWARD_PROTOCOL, protocol);
  putu16(forward + FORWARD_FIRST, ports >>> 16);
  putu16(forward + FORWARD_LAST, ports);
  putu16(forward + FORWARD_INSIDE, inside);
  puti32(forward + FORWARD_ADDRESS, address);
  puti32(forward + FORWARD_SESSIONS, 0);
  putu16(forward + FORWARD_WEIGHT, share);
  putu16(forward + FORWARD_LEFT, share);
  putu16(forward + FORWARD_FLAGS, share >>> 16);
  put8(forward + FORWARD_SECONDS, 0);
  put8(forward + FORWARD_MISSES, 0);
  putu16(forward + FORWARD_SERVER, 0);
  putu16(forward + FORWARD_MOST, 0);
  puti32(forward + FORWARD_OUTSIDE, outside);
  if (protocol === FORWARD_MARKED) puti32(MARKS_SET_AT, i32at(MARKS_SET_AT) + 1);
  enrol(forward);
  forwardNote(n);
  return 1;
}

/** How often the host of forward number n is asked, in seconds, how many questions it may miss, and how many sessions it may have at a time. */
export function forwardLimit(n: i32, seconds: i32, misses: i32, most: i32): void {
  const forward: i32 = forwardAt(n);
  put8(forward + FORWARD_SECONDS, seconds);
  put8(forward + FORWARD_MISSES, misses);
  putu16(forward + FORWARD_MOST, most);
}

/** The host of forward number n has had its turn: the next follows. */
export function forwardPass(n: i32): void {
  putu16(forwardAt(n) + FORWARD_LEFT, 0);
}

/**
 * Takes forward number n back; the sessions that have begun by it stay. Its ports are free then, those of others that it
 * shared too: who calls it notes the others anew.
 */
export function forwardRemove(n: i32): void {
  const forward: i32 = forwardAt(n);
  const protocol: i32 = u16at(forward + FORWARD_PROTOCOL);
  const first: i32 = u16at(forward + FORWARD_FIRST);
  const end: i32 = u16at(forward + FORWARD_LAST);
  const last: i32 = i32at(FORWARDS_SET_AT) - 1;
  if (n > last) return;
  const kept: i32 = isKept(forward);
  discharge(forward);
  // The order stays as the lines were set.
  copy(forward, forward + FORWARD_BYTES, (last - n) * FORWARD_BYTES);
  fill(forwardAt(last), 0, FORWARD_BYTES);
  puti32(FORWARDS_SET_AT, last);
  if (protocol === FORWARD_MARKED) puti32(MARKS_SET_AT, i32at(MARKS_SET_AT) - 1);
  if (kept === 0) return;
  noteRange(protocol, first, end, 0);
  notePorts();
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
