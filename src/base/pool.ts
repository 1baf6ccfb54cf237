// The packet buffers: a fixed number, linked in a free list. Who holds a packet releases it or hands it on. A small board has no
// memory for the first ones, which lie behind the places that its session table goes without (board/i486/pages.c).
// Not here: what is in a buffer (packet.ts); the limits of those who let packets wait (limits.ts).

import { BUFFERS_LESS_AT } from './cells.ts';
import { BUFFER_BYTES, BUFFER_COUNT, BUFFERS_AT, POOL_STATE_AT } from './limits.ts';
import { i32at, puti32 } from './memory.ts';
import {
  FLAG_CONTROL,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_KNOWN,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_NEXT,
  PACKET_NEXT_HOP,
  PACKET_OUT,
  PACKET_PORTS,
} from './packet.ts';

/** First free buffer, and how many are free. */
const POOL_HEAD: i32 = POOL_STATE_AT;
const POOL_FREE: i32 = POOL_STATE_AT + 4;

/** How many there are on this board: BUFFER_COUNT, or BUFFER_COUNT_SMALL. */
export function bufferCount(): i32 {
  return BUFFER_COUNT - i32at(BUFFERS_LESS_AT);
}

/** Frees every buffer. Whoever still holds one has lost it. */
export function resetPool(): void {
  const first: i32 = i32at(BUFFERS_LESS_AT);
  for (let i: i32 = first; i < BUFFER_COUNT; i++) {
    const packet: i32 = BUFFERS_AT + i * BUFFER_BYTES;
    puti32(packet + PACKET_NEXT, i + 1 < BUFFER_COUNT ? packet + BUFFER_BYTES : 0);
    puti32(packet + PACKET_FLAGS, 0);
  }
  puti32(POOL_HEAD, BUFFERS_AT + first * BUFFER_BYTES);
  puti32(POOL_FREE, BUFFER_COUNT - first);
}

/** A buffer with its metadata cleared, or 0. The frame's bytes are whatever they were. */
export function allocate(): i32 {
  const packet: i32 = i32at(POOL_HEAD);
  if (packet === 0) return 0;
  puti32(POOL_HEAD, i32at(packet + PACKET_NEXT));
  puti32(POOL_FREE, i32at(POOL_FREE) - 1);
  clear(packet);
  puti32(packet + PACKET_IN, -1);
  return packet;
}

/** A loop of one store a word takes three times as long. */
function clear(packet: i32): void {
  puti32(packet + PACKET_NEXT, 0);
  puti32(packet + PACKET_LENGTH, 0);
  puti32(packet + PACKET_OUT, 0);
  puti32(packet + PACKET_NEXT_HOP, 0);
  puti32(packet + PACKET_L4, 0);
  puti32(packet + PACKET_PORTS, 0);
  puti32(packet + PACKET_FLAGS, 0);
  puti32(packet + PACKET_FLOW, 0);
  puti32(packet + PACKET_CONTEXT, 0);
  puti32(packet + PACKET_KNOWN, 0);
}

/** Gives a buffer back. */
export function release(packet: i32): void {
  puti32(packet + PACKET_FLAGS, 0);
  puti32(packet + PACKET_NEXT, i32at(POOL_HEAD));
  puti32(POOL_HEAD, packet);
  puti32(POOL_FREE, i32at(POOL_FREE) + 1);
}

/** How many buffers are free. */
export function poolFree(): i32 {
  return i32at(POOL_FREE);
}

/** A buffer for control, or 0: marked, so that `reclaim` finds it when control dies with it. */
export function allocateForControl(): i32 {
  const packet: i32 = allocate();
  if (packet !== 0) puti32(packet + PACKET_FLAGS, FLAG_CONTROL);
  return packet;
}

/** Frees what control held when it was restarted. Answers how many buffers that were. */
export function reclaim(): i32 {
  let found: i32 = 0;
  for (let i: i32 = i32at(BUFFERS_LESS_AT); i < BUFFER_COUNT; i++) {
    const packet: i32 = BUFFERS_AT + i * BUFFER_BYTES;
    if ((i32at(packet + PACKET_FLAGS) & FLAG_CONTROL) !== 0) {
      release(packet);
      found++;
    }
  }
  return found;
}
