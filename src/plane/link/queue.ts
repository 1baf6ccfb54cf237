// What waits for a slow line, in place of one FIFO: a packet is put in, and whoever has room for one asks which is the next.
//
//    1  frames of the link itself (ARP, and what else is no datagram), at most QUEUE_CONTROL_MOST
//    2  acknowledgments without data, as long as they have not sent more than flows have (queue-acks.ts)
//    3  flows in turn (queue-flows.ts), each held to a delay (queue-codel.ts)
//
// The next packet stays where it is until it has been taken: whom the device refuses is chosen anew when there is room, so that
// nothing that has come in between waits for it. Bytes, packets, and a share of the pool are bounded: beyond them the fattest queue of
// this link loses its oldest packet. No other link loses anything.
//
// Not here: rate and memory (queue-set.ts), the device (transmit.ts).

import { NOW_AT } from '../../base/cells.ts';
import { count, DROP_TRANSMIT_FULL } from '../../base/counters.ts';
import { IF_QUEUE_LENGTH, IF_QUEUES, IF_TX_DROPPED } from '../../base/interface.ts';
import { POOL_RESERVE } from '../../base/limits.ts';
import { get8, i32at, puti32 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH, PACKET_NEXT } from '../../base/packet.ts';
import { poolFree, release } from '../../base/pool.ts';
import {
  QUEUE_ACK_ROUND,
  QUEUE_ACKS,
  QUEUE_BYTE_CREDIT,
  QUEUE_CONTROL_MOST,
  QUEUE_LEAST_PACKETS,
  QUEUE_SPARE,
  QUEUE_SPARE_SHIFT,
  QUEUE_TRIM_MOST,
} from '../../base/queue-limits.ts';
import {
  CHOSEN_ACK,
  CHOSEN_CONTROL,
  CHOSEN_FLOW,
  CHOSEN_NONE,
  Q_BYTES,
  Q_DEFICIT,
  Q_FIRST,
  Q_PACKETS,
  QUEUE_ACK_COUNT,
  QUEUE_ACK_CREDIT,
  QUEUE_ACK_HEAD,
  QUEUE_CHOSEN,
  QUEUE_CHOSEN_MARK,
  QUEUE_CHOSEN_QUEUE,
  QUEUE_CHOSEN_SINCE,
  QUEUE_CONTROL_COUNT,
  QUEUE_CONTROL_FIRST,
  QUEUE_CONTROL_LAST,
  QUEUE_CREDIT,
  QUEUE_DROPPED_LIMIT,
  QUEUE_FLAGS,
  QUEUE_HELD_BYTES,
  QUEUE_INTERFACE,
  QUEUE_LIMIT_BYTES,
  QUEUE_LIMIT_PACKETS,
  QUEUE_LONGEST,
  QUEUE_NEW_FIRST,
  QUEUE_OLD_FIRST,
  QUEUE_OVERHEAD,
  QUEUE_PACKETS,
  QUEUE_SENT,
  QUEUE_SHAPED,
  QUEUE_SLOTS_AT,
  QUEUED_MARK,
  QUEUED_SINCE,
  QUEUED_SLOT_SHIFT,
  SLOT_PACKET,
} from '../../base/queue-record.ts';
import { ackPlace, ackPut, isAck } from './queue-acks.ts';
import { dropFirst, unlinkFirst } from './queue-codel.ts';
import { fattest, flowNext, flowPut } from './queue-flows.ts';

/** Lets a packet wait, which has `mark` of QUEUED_*. Takes it, and perhaps drops it or another. */
export function queuePut(record: i32, packet: i32, mark: i32): void {
  puti32(packet + PACKET_NEXT, 0);
  puti32(packet + QUEUED_SINCE, i32at(NOW_AT));
  puti32(packet + QUEUED_MARK, mark);
  const packets: i32 = i32at(record + QUEUE_PACKETS) + 1;
  puti32(record + QUEUE_PACKETS, packets);
  puti32(record + QUEUE_HELD_BYTES, i32at(record + QUEUE_HELD_BYTES) + i32at(packet + PACKET_LENGTH));
  if (get8(packet + PACKET_IP) >> 4 !== 4) controlPut(record, packet);
  else if (isAck(packet) === 0 || ackPut(record, packet) === 0) flowPut(record, packet);
  const isLow: i32 = packets > QUEUE_LEAST_PACKETS && poolFree() < POOL_RESERVE ? 1 : 0;
  if ((isOver(record, 0) | isLow) !== 0) trim(record);
}

/** One of the link's own, whose order is kept. */
function controlPut(record: i32, packet: i32): void {
  const length: i32 = i32at(record + QUEUE_CONTROL_COUNT);
  if (length >= QUEUE_CONTROL_MOST) {
    const at: i32 = i32at(record + QUEUE_INTERFACE);
    puti32(at + IF_TX_DROPPED, (i32at(at + IF_TX_DROPPED) + 1) | 0);
    less(record, i32at(packet + PACKET_LENGTH));
    countLimit(record);
    release(packet);
    return;
  }
  if (length === 0) puti32(record + QUEUE_CONTROL_FIRST, packet);
  else puti32(i32at(record + QUEUE_CONTROL_LAST) + PACKET_NEXT, packet);
  puti32(record + QUEUE_CONTROL_LAST, packet);
  puti32(record + QUEUE_CONTROL_COUNT, length + 1);
}

/** A packet of so many bytes waits no more. */
function less(record: i32, bytes: i32): void {
  puti32(record + QUEUE_PACKETS, i32at(record + QUEUE_PACKETS) - 1);
  puti32(record + QUEUE_HELD_BYTES, i32at(record + QUEUE_HELD_BYTES) - bytes);
}

function countLimit(record: i32): void {
  count(DROP_TRANSMIT_FULL);
  puti32(record + QUEUE_DROPPED_LIMIT, (i32at(record + QUEUE_DROPPED_LIMIT) + 1) | 0);
}

/** @param spare packets that must have room beyond the limit, and as large a part of the bytes */
function isOver(record: i32, spare: i32): i32 {
  const bytes: i32 = i32at(record + QUEUE_LIMIT_BYTES);
  return i32at(record + QUEUE_PACKETS) + spare > i32at(record + QUEUE_LIMIT_PACKETS) ||
    i32at(record + QUEUE_HELD_BYTES) > (spare === 0 ? bytes : bytes - (bytes >> QUEUE_SPARE_SHIFT))
    ? 1
    : 0;
}

/**
 * Drops the oldest packets of the fattest queue until what waits is within the limits, and a little more, so that it is not looked for with each packet
 * (RFC 8290, section 4.1.2, drops half of it); or one, where the pool is low, so that no more are held.
 * What goes before all flows is not looked at: it is little, and bounded by itself.
 */
function trim(record: i32): void {
  let queue: i32 = 0;
  for (let dropped: i32 = 0; dropped < QUEUE_TRIM_MOST; dropped++) {
    if (queue === 0 || i32at(queue + Q_FIRST) === 0) queue = fattest(record);
    if (queue === 0) return;
    countLimit(record);
    dropFirst(record, queue);
    if (isOver(record, QUEUE_SPARE) === 0) return;
  }
}

/** Whether something may be sent: there is something, or a list to be tidied, and credit for it. */
export function queueMaySend(record: i32): i32 {
  if ((i32at(record + QUEUE_FLAGS) & QUEUE_SHAPED) !== 0 && i32at(record + QUEUE_CREDIT) <= 0) return 0;
  return (i32at(record + QUEUE_PACKETS) |
    i32at(record + QUEUE_NEW_FIRST) |
    i32at(record + QUEUE_OLD_FIRST)) !==
    0
    ? 1
    : 0;
}

/** Whether a link has something that may be sent now, in its FIFO or in queues. */
export function linkWaits(at: i32): i32 {
  if (i32at(at + IF_QUEUE_LENGTH) !== 0) return 1;
  return i32at(at + IF_QUEUES) !== 0 ? queueMaySend(i32at(at + IF_QUEUES)) : 0;
}

/** Whether a packet need not wait at all: none does, and there is credit. */
export function queuePasses(record: i32): i32 {
  if (
    (i32at(record + QUEUE_PACKETS) | i32at(record + QUEUE_NEW_FIRST) | i32at(record + QUEUE_OLD_FIRST)) !==
    0
  )
    return 0;
  return (i32at(record + QUEUE_FLAGS) & QUEUE_SHAPED) === 0 || i32at(record + QUEUE_CREDIT) > 0 ? 1 : 0;
}

/** One of so many bytes has passed without waiting. */
export function queuePassed(record: i32, bytes: i32): void {
  puti32(record + QUEUE_SENT, (i32at(record + QUEUE_SENT) + 1) | 0);
  pay(record, bytes);
}

/** What a packet's bytes take of a shaper's credit. */
function pay(record: i32, bytes: i32): void {
  if ((i32at(record + QUEUE_FLAGS) & QUEUE_SHAPED) === 0) return;
  const cost: i32 = (bytes + i32at(record + QUEUE_OVERHEAD)) * QUEUE_BYTE_CREDIT;
  puti32(record + QUEUE_CREDIT, i32at(record + QUEUE_CREDIT) - cost);
}

/** The packet that is to be sent next, which stays where it is until queueTaken(); 0 if there is none. */
export function queueNext(record: i32): i32 {
  let packet: i32 = i32at(record + QUEUE_CONTROL_COUNT) !== 0 ? i32at(record + QUEUE_CONTROL_FIRST) : 0;
  let chosen: i32 = CHOSEN_CONTROL;
  const acks: i32 = packet === 0 ? i32at(record + QUEUE_ACK_COUNT) : 0;
  if (packet === 0 && (acks === 0 || i32at(record + QUEUE_ACK_CREDIT) <= 0)) {
    packet = flowNext(record);
    chosen = CHOSEN_FLOW;
  }
  if (packet === 0 && acks !== 0) {
    // Where no flow waits they may use all that there is, and owe nothing for it.
    if (i32at(record + QUEUE_ACK_CREDIT) <= 0) puti32(record + QUEUE_ACK_CREDIT, QUEUE_ACK_ROUND);
    packet = i32at(ackPlace(record, i32at(record + QUEUE_ACK_HEAD)));
    chosen = CHOSEN_ACK;
  }
  if (packet === 0) chosen = CHOSEN_NONE;
  else note(record, packet);
  puti32(record + QUEUE_CHOSEN, chosen);
  return packet;
}

/** What is asked of the packet when the device has it, whose it is then. */
function note(record: i32, packet: i32): void {
  puti32(record + QUEUE_CHOSEN_SINCE, i32at(packet + QUEUED_SINCE));
  puti32(record + QUEUE_CHOSEN_MARK, i32at(packet + QUEUED_MARK));
}

/** The device has taken the packet that was chosen, of so many bytes, behind which was `next`. */
export function queueTaken(record: i32, next: i32, bytes: i32): void {
  const chosen: i32 = i32at(record + QUEUE_CHOSEN);
  if (chosen === CHOSEN_FLOW) {
    const queue: i32 = i32at(record + QUEUE_CHOSEN_QUEUE);
    unlinkFirst(record, queue, next, bytes, i32at(record + QUEUE_CHOSEN_MARK));
    puti32(queue + Q_DEFICIT, i32at(queue + Q_DEFICIT) - bytes);
    const credit: i32 = i32at(record + QUEUE_ACK_CREDIT) + bytes;
    puti32(record + QUEUE_ACK_CREDIT, credit > QUEUE_ACK_ROUND ? QUEUE_ACK_ROUND : credit);
  } else {
    less(record, bytes);
    if (chosen === CHOSEN_CONTROL) {
      puti32(record + QUEUE_CONTROL_FIRST, next);
      puti32(record + QUEUE_CONTROL_COUNT, i32at(record + QUEUE_CONTROL_COUNT) - 1);
    } else ackTaken(record, bytes);
  }
  const waited: i32 = (i32at(NOW_AT) - i32at(record + QUEUE_CHOSEN_SINCE)) | 0;
  if (waited > i32at(record + QUEUE_LONGEST)) puti32(record + QUEUE_LONGEST, waited);
  puti32(record + QUEUE_SENT, (i32at(record + QUEUE_SENT) + 1) | 0);
  pay(record, bytes);
}

function ackTaken(record: i32, bytes: i32): void {
  puti32(record + QUEUE_ACK_HEAD, (i32at(record + QUEUE_ACK_HEAD) + 1) & (QUEUE_ACKS - 1));
  puti32(record + QUEUE_ACK_COUNT, i32at(record + QUEUE_ACK_COUNT) - 1);
  puti32(record + QUEUE_ACK_CREDIT, i32at(record + QUEUE_ACK_CREDIT) - bytes);
}

/** The packet that was chosen has been cut: its front goes before it, and both together have so many bytes more. */
export function queueFront(record: i32, front: i32, grown: i32): void {
  const queue: i32 = i32at(record + QUEUE_CHOSEN_QUEUE);
  const rest: i32 = i32at(queue + Q_FIRST);
  puti32(front + QUEUED_SINCE, i32at(rest + QUEUED_SINCE));
  const mark: i32 = i32at(rest + QUEUED_MARK);
  const slot: i32 = record + QUEUE_SLOTS_AT + ((mark >> QUEUED_SLOT_SHIFT) << 2);
  puti32(slot, i32at(slot) + SLOT_PACKET);
  puti32(front + QUEUED_MARK, mark);
  puti32(front + PACKET_NEXT, rest);
  puti32(queue + Q_FIRST, front);
  puti32(queue + Q_PACKETS, i32at(queue + Q_PACKETS) + 1);
  puti32(queue + Q_BYTES, i32at(queue + Q_BYTES) + grown);
  puti32(record + QUEUE_PACKETS, i32at(record + QUEUE_PACKETS) + 1);
  puti32(record + QUEUE_HELD_BYTES, i32at(record + QUEUE_HELD_BYTES) + grown);
}

/** The packet that was chosen, a flow's, cannot be sent, for a reason that the caller counts. */
export function queueLose(record: i32): void {
  dropFirst(record, i32at(record + QUEUE_CHOSEN_QUEUE));
}

/** Takes any packet out: 0 if there is none. For whom the queues end. */
export function queueAny(record: i32): i32 {
  const packet: i32 = queueAnyOf(record);
  if (packet !== 0) queueTaken(record, i32at(packet + PACKET_NEXT), i32at(packet + PACKET_LENGTH));
  return packet;
}

function queueAnyOf(record: i32): i32 {
  if (i32at(record + QUEUE_CONTROL_COUNT) + i32at(record + QUEUE_ACK_COUNT) !== 0) {
    puti32(record + QUEUE_ACK_CREDIT, 1);
    return queueNext(record);
  }
  const queue: i32 = fattest(record);
  if (queue === 0) return 0;
  puti32(record + QUEUE_CHOSEN, CHOSEN_FLOW);
  puti32(record + QUEUE_CHOSEN_QUEUE, queue);
  note(record, i32at(queue + Q_FIRST));
  return i32at(queue + Q_FIRST);
}
