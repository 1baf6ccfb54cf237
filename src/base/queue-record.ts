// The queues of a link with a rate: one record a link (queue-limits.ts), which the plane works with (src/plane/link/queue.ts) and control
// lists. Not here: what the numbers mean to it (queue-codel.ts, queue-flows.ts there).
//
//    0                    192                   960            1472    1536             1664    1728
//    | state and counters | 16 queues of flows | places of flows | acks | last ack numbers | steps | hosts   ... 2048

import { PACKET_SCRATCH } from './packet.ts';
import { QUEUE_BYTES, QUEUE_COUNT } from './queue-limits.ts';

/** Bits a second, QUEUE_*, and bytes that the link adds to a datagram. */
export const QUEUE_RATE: i32 = 0;
export const QUEUE_FLAGS: i32 = 4;
export const QUEUE_OVERHEAD: i32 = 8;
/** Of a shaped one: what may be sent now, in QUEUE_BYTE_CREDIT a byte; not above 0: nothing. */
export const QUEUE_CREDIT: i32 = 12;
/** All packets that wait, and their bytes; and what of both may. */
export const QUEUE_PACKETS: i32 = 16;
export const QUEUE_HELD_BYTES: i32 = 20;
export const QUEUE_LIMIT_PACKETS: i32 = 24;
export const QUEUE_LIMIT_BYTES: i32 = 28;
/** CoDel's target and interval in sixteenths of a tick, and the MTU that they are for. */
export const QUEUE_TARGET: i32 = 32;
export const QUEUE_INTERVAL: i32 = 36;
export const QUEUE_MTU: i32 = 40;
/** The hash's key. */
export const QUEUE_KEY: i32 = 44;
/** Queues that have their first turn, and those that have had it: first and last. */
export const QUEUE_NEW_FIRST: i32 = 48;
export const QUEUE_NEW_LAST: i32 = 52;
export const QUEUE_OLD_FIRST: i32 = 56;
export const QUEUE_OLD_LAST: i32 = 60;
/** How many queues are free; their numbers, a byte each. */
export const QUEUE_FREE_COUNT: i32 = 64;
export const QUEUE_FREE: i32 = 68;
/** Of what was chosen last: its QUEUED_MARK. */
export const QUEUE_CHOSEN_MARK: i32 = 84;
/** Frames of the link itself: first, last, how many. */
export const QUEUE_CONTROL_FIRST: i32 = 88;
export const QUEUE_CONTROL_LAST: i32 = 92;
export const QUEUE_CONTROL_COUNT: i32 = 96;
/** Acknowledgments: where the first is, how many, bytes that they may send before a flow has its turn. */
export const QUEUE_ACK_HEAD: i32 = 100;
export const QUEUE_ACK_COUNT: i32 = 104;
export const QUEUE_ACK_CREDIT: i32 = 108;
/** What was chosen last: CHOSEN_*, its queue, and since when it had waited. */
export const QUEUE_CHOSEN: i32 = 112;
export const QUEUE_CHOSEN_QUEUE: i32 = 116;
export const QUEUE_CHOSEN_SINCE: i32 = 120;
/** The link's record (interface.ts). */
export const QUEUE_INTERFACE: i32 = 124;
// Counters, free-running: sent; dropped by a limit and by CoDel; acknowledgments that a newer one has replaced; ticks of the longest wait.
export const QUEUE_SENT: i32 = 128;
export const QUEUE_DROPPED_LIMIT: i32 = 132;
export const QUEUE_DROPPED_DELAY: i32 = 136;
export const QUEUE_FILTERED: i32 = 140;
export const QUEUE_LONGEST: i32 = 144;
/** The host that was looked for last: its place, or 0. */
export const QUEUE_HOST_HINT: i32 = 152;
/** Bytes of an old flow's turn. */
export const QUEUE_TURN_BYTES: i32 = 148;

export const QUEUE_QUEUES: i32 = 192;
export const QUEUE_SLOTS_AT: i32 = 960;
export const QUEUE_ACKS_AT: i32 = 1472;
export const QUEUE_ACKED_AT: i32 = 1536;
export const QUEUE_STEPS_AT: i32 = 1664;
export const QUEUE_HOSTS_AT: i32 = 1728;
export const QUEUE_RECORD_END: i32 = 1856;

/** In QUEUE_FLAGS: what goes out is held to the rate; hosts have equal parts, and not flows. */
export const QUEUE_SHAPED: i32 = 1;
export const QUEUE_BY_HOST: i32 = 2;

export const CHOSEN_NONE: i32 = 0;
export const CHOSEN_CONTROL: i32 = 1;
export const CHOSEN_ACK: i32 = 2;
export const CHOSEN_FLOW: i32 = 3;

// A queue: packets, first, last, how many, bytes of them; bytes that it may still send in this turn; the next in its list;
// Q_IDLE and its like (u16).
export const Q_FIRST: i32 = 0;
export const Q_LAST: i32 = 4;
export const Q_PACKETS: i32 = 8;
export const Q_BYTES: i32 = 12;
export const Q_DEFICIT: i32 = 16;
export const Q_NEXT: i32 = 20;
export const Q_STATE: i32 = 24;
// CoDel's (RFC 8289, section 5): dropping, lastcount (u16 each).
export const Q_DROPPING: i32 = 28;
export const Q_LAST_COUNT: i32 = 30;
/** By host: its host's place, else 0. */
export const Q_HOST: i32 = 32;
// CoDel's first_above_time, or 0, and drop_next, in sixteenths of a tick; count, and the queue's number (u16 each).
export const Q_ABOVE: i32 = 36;
export const Q_DROP_NEXT: i32 = 40;
export const Q_COUNT: i32 = 44;
export const Q_NUMBER: i32 = 46;

export const Q_IDLE: i32 = 0;
export const Q_NEW: i32 = 1;
export const Q_OLD: i32 = 2;

// A host: its address, how many queues it has, and the number of the one that began last (u16 each).
export const HOST_ADDRESS: i32 = 0;
export const HOST_QUEUES: i32 = 4;
export const HOST_LAST: i32 = 6;

/** Of a packet that waits: since which tick, and QUEUED_* of it. */
export const QUEUED_SINCE: i32 = PACKET_SCRATCH;
export const QUEUED_MARK: i32 = PACKET_SCRATCH + 4;
/** It is as it leaves: tagged, and seen by who watches. */
export const QUEUED_READY: i32 = 1;
/** An acknowledgment that says more than the one before it did: a newer one may take its place. */
export const QUEUED_ADVANCES: i32 = 2;

/** From here on, of one that waits in a flow's queue: number of its place. */
export const QUEUED_SLOT_SHIFT: i32 = 8;
/** A place of flows: the number of the queue, above it how many packets of theirs are there, and in the upper half what of the hash says whose it is. */
export const SLOT_PACKET: i32 = 0x10;
export const SLOT_NUMBER: i32 = 0xf;
export const SLOT_PACKETS: i32 = 0xfff0;

/** Address of a queue. */
export function flowQueueAt(record: i32, number: i32): i32 {
  return record + QUEUE_QUEUES + (number & (QUEUE_COUNT - 1)) * QUEUE_BYTES;
}
