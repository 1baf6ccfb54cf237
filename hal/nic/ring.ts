// A card that is no card: two queues of packets in memory. The sim board, tests and benchmarks stand on its
// other side, where ringPut() is the wire that brings a frame and ringTake() the wire that carries one away.
// The queues are linked by PACKET_NEXT and never longer than TRANSMIT_QUEUE_LIMIT.
// Not here: interrupts; the host side calls interrupt() of the card's line when it has put something.

import { IF_RX_BYTES, IF_RX_PACKETS, IF_TX_BYTES, IF_TX_PACKETS } from '../../src/base/interface.ts';
import { TRANSMIT_QUEUE_LIMIT } from '../../src/base/limits.ts';
import { i32at, put8, puti32 } from '../../src/base/memory.ts';
import { frameBytes, PACKET_IN, PACKET_NEXT } from '../../src/base/packet.ts';
import { add, cardAt, NIC_CHIP, NIC_LINK, NIC_MAC, NIC_RECEIVED, NIC_RECORD, NIC_SENT } from './card.ts';

// A queue is three words: first, last, how many.
const QUEUE_TAIL: i32 = 4;
const QUEUE_COUNT: i32 = 8;
const RX_QUEUE: i32 = NIC_CHIP;
const TX_QUEUE: i32 = NIC_CHIP + 12;
/** A frame was refused: the next service says NIC_SENT when there is room. */
const TX_REFUSED: i32 = NIC_CHIP + 24;

/** Sets the station address: locally administered, ended by `number`. */
export function ringProbe(index: i32, number: i32): i32 {
  const mac: i32 = cardAt(index) + NIC_MAC;
  put8(mac, 0x02);
  put8(mac + 1, 0x4d);
  put8(mac + 2, 0x42);
  put8(mac + 3, 0);
  put8(mac + 4, (number >> 8) & 0xff);
  put8(mac + 5, number & 0xff);
  return 1;
}

export function ringService(index: i32): i32 {
  const at: i32 = cardAt(index);
  let bits: i32 = 0;
  if (i32at(at + RX_QUEUE + QUEUE_COUNT) !== 0) bits = NIC_RECEIVED;
  if (i32at(at + TX_REFUSED) !== 0 && i32at(at + TX_QUEUE + QUEUE_COUNT) < TRANSMIT_QUEUE_LIMIT) {
    puti32(at + TX_REFUSED, 0);
    bits |= NIC_SENT;
  }
  return bits;
}

export function ringWaiting(index: i32): i32 {
  return i32at(cardAt(index) + RX_QUEUE + QUEUE_COUNT);
}

export function ringReceive(index: i32): i32 {
  const at: i32 = cardAt(index);
  const packet: i32 = unlink(at + RX_QUEUE);
  if (packet === 0) return 0;
  puti32(packet + PACKET_IN, i32at(at + NIC_LINK));
  const record: i32 = i32at(at + NIC_RECORD);
  add(record + IF_RX_PACKETS, 1);
  add(record + IF_RX_BYTES, frameBytes(packet));
  return packet;
}

export function ringSend(index: i32, packet: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + TX_QUEUE + QUEUE_COUNT) >= TRANSMIT_QUEUE_LIMIT) {
    puti32(at + TX_REFUSED, 1);
    return 0;
  }
  const record: i32 = i32at(at + NIC_RECORD);
  add(record + IF_TX_PACKETS, 1);
  add(record + IF_TX_BYTES, frameBytes(packet));
  link(at + TX_QUEUE, packet);
  return 1;
}

/**
 * Host side: hands over a frame that came by the wire, in a buffer (setFrame of packet.ts). Answers 1, or
 * 0 when the queue is full: then the buffer is still the caller's.
 */
export function ringPut(index: i32, packet: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + RX_QUEUE + QUEUE_COUNT) >= TRANSMIT_QUEUE_LIMIT) return 0;
  link(at + RX_QUEUE, packet);
  return 1;
}

/** Host side: the next frame for the wire, or 0. The caller releases the buffer. */
export function ringTake(index: i32): i32 {
  return unlink(cardAt(index) + TX_QUEUE);
}

/** Appends to a queue. */
function link(queue: i32, packet: i32): void {
  puti32(packet + PACKET_NEXT, 0);
  const tail: i32 = i32at(queue + QUEUE_TAIL);
  if (tail === 0) puti32(queue, packet);
  else puti32(tail + PACKET_NEXT, packet);
  puti32(queue + QUEUE_TAIL, packet);
  add(queue + QUEUE_COUNT, 1);
}

/** Takes the first of a queue, or answers 0. */
function unlink(queue: i32): i32 {
  const packet: i32 = i32at(queue);
  if (packet === 0) return 0;
  const next: i32 = i32at(packet + PACKET_NEXT);
  puti32(queue, next);
  if (next === 0) puti32(queue + QUEUE_TAIL, 0);
  puti32(packet + PACKET_NEXT, 0);
  add(queue + QUEUE_COUNT, -1);
  return packet;
}
