// The punt ring: packets for control, in order. The plane puts at the tail, control takes at the head; both
// indices run freely. Control reads a packet in place and releases it. What comes from outside has not all of the
// places, so that a flood from there leaves the inside some.

import { PUNT_HEAD_AT, PUNT_TAIL_AT } from './cells.ts';
import { COUNT_PUNTED, count, DROP_PUNT_FULL } from './counters.ts';
import { IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from './interface.ts';
import { POOL_RESERVE, PUNT_OUTSIDE_LIMIT, PUNT_RING_AT, PUNT_RING_COUNT } from './limits.ts';
import { fill, i32at, puti32 } from './memory.ts';
import { FLAG_CONTROL, HELD, PACKET_FLAGS, PACKET_IN } from './packet.ts';
import { poolFree } from './pool.ts';

export function resetPunt(): void {
  fill(PUNT_RING_AT, 0, 4 * PUNT_RING_COUNT);
  puti32(PUNT_HEAD_AT, 0);
  puti32(PUNT_TAIL_AT, 0);
}

/** Puts a packet into the ring: HELD, or a drop if control is too far behind. */
export function punt(packet: i32): i32 {
  const tail: i32 = i32at(PUNT_TAIL_AT);
  const waiting: i32 = puntWaiting();
  if (waiting >= PUNT_RING_COUNT || poolFree() < POOL_RESERVE) return DROP_PUNT_FULL;
  if (waiting >= PUNT_OUTSIDE_LIMIT && isOutside(packet) !== 0 && outsideWaiting() >= PUNT_OUTSIDE_LIMIT) {
    return DROP_PUNT_FULL;
  }
  puti32(PUNT_RING_AT + 4 * (tail & (PUNT_RING_COUNT - 1)), packet);
  puti32(PUNT_TAIL_AT, (tail + 1) | 0);
  count(COUNT_PUNTED);
  return HELD;
}

function isOutside(packet: i32): i32 {
  return i32at(interfaceAt(i32at(packet + PACKET_IN)) + IF_SIDE) === INTERFACE_OUTSIDE ? 1 : 0;
}

/** How many packets from outside wait for control. */
function outsideWaiting(): i32 {
  const head: i32 = i32at(PUNT_HEAD_AT);
  const waiting: i32 = puntWaiting();
  let found: i32 = 0;
  for (let i: i32 = 0; i < PUNT_RING_COUNT; i++) {
    if (i < waiting) found += isOutside(i32at(PUNT_RING_AT + 4 * ((head + i) & (PUNT_RING_COUNT - 1))));
  }
  return found;
}

/** The oldest packet for control, or 0. It is control's from now on: marked, until it is released. */
export function puntTake(): i32 {
  const head: i32 = i32at(PUNT_HEAD_AT);
  if (head === i32at(PUNT_TAIL_AT)) return 0;
  const packet: i32 = i32at(PUNT_RING_AT + 4 * (head & (PUNT_RING_COUNT - 1)));
  puti32(PUNT_HEAD_AT, (head + 1) | 0);
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_CONTROL);
  return packet;
}

/** How many packets wait for control. */
export function puntWaiting(): i32 {
  return (i32at(PUNT_TAIL_AT) - i32at(PUNT_HEAD_AT)) | 0;
}
