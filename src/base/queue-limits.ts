// Sizes of the queues that links with a rate have in place of one FIFO, with what happens at each. Their memory is lent by the heap, a
// page for two links (QUEUES_AT in limits.ts): boards whose links have no rate have none of it.

import { QUEUE_RECORD_BYTES, QUEUES_AT } from './limits.ts';

/** Flow queues of a link. While all are in use the next flow shares one, which is another each second. */
export const QUEUE_COUNT: i32 = 16;
export const QUEUE_BYTES: i32 = 48;
/**
 * Places of flows, in sets of four by a keyed hash: a fifth flow of a set shares a queue with one of them. A place has a part of the hash, the queue's
 * number and how many packets are there, and is nobody's when they are gone.
 */
export const QUEUE_SLOTS: i32 = 128;
export const QUEUE_SLOT_SET: i32 = 4;
/** By this shift of ticks, 1.3 s, who shares which queue is drawn anew. */
export const QUEUE_EPOCH_SHIFT: i32 = 7;
/**
 * Bytes that a flow may send as a new one, and those of a turn of an old one (RFC 8290, section 5.2.3: a small one lets short packets through). By
 * host, two such turns are about what a host has, in as many queues as it has.
 */
export const QUEUE_QUANTUM: i32 = 300;
/** Where packets are longer than this a turn of an old flow is one of them, as each packet would cost five turns otherwise, of 35 instructions. */
export const QUEUE_LONG_MTU: i32 = 600;
/**
 * Queues of a host, by host. Its further flows share one: more would be shorter turns each, and then either a host with many has more of the line
 * than one with few, or a choice takes more turns.
 */
export const QUEUE_HOST_MOST: i32 = 4;
/**
 * Turns in one choice: all queues with a full frame's debt, a quantum at a time, and all of them empty. Past it nothing is sent until the device
 * or the tick asks again.
 */
export const QUEUE_TURNS: i32 = QUEUE_COUNT * 8;
/**
 * Packets that one link may hold, in sixteenths of the board's buffers: 50 of 160, 30 of 96. Beyond it, as beyond the link's bytes, the fattest
 * queue loses its oldest packet.
 */
export const QUEUE_POOL_SHARE: i32 = 5;
/** While fewer buffers than POOL_RESERVE are free a link keeps so many: whoever puts one more in loses of its own link's fattest flow. */
export const QUEUE_LEAST_PACKETS: i32 = 8;
/** The link's bytes: what leaves in a second, but so many of its longest packets at least, and never more than the second. */
export const QUEUE_LEAST_FRAMES: i32 = 6;
export const QUEUE_MOST_BYTES: i32 = 32 * 1514;
/** Packets that are dropped to make room for one: one of 1,500 bytes takes the place of 53 of the shortest datagrams. */
export const QUEUE_TRIM_MOST: i32 = 64;
/** What more is dropped then, so that the next packets have room: packets, and the part of the bytes by a shift. */
export const QUEUE_SPARE: i32 = 3;
export const QUEUE_SPARE_SHIFT: i32 = 4;
/** Frames of the link itself (ARP, what no datagram is) that wait, before all others. One more is dropped. */
export const QUEUE_CONTROL_MOST: i32 = 8;
/** Acknowledgments without data that wait before the flows, a power of two. One more waits in its flow's queue. */
export const QUEUE_ACKS: i32 = 16;
/** Bytes of them that go before a packet of a flow has its turn; they have as many again as flows send. */
export const QUEUE_ACK_ROUND: i32 = 300;
/** Connections of which the last acknowledgment is remembered, by a hash, a power of two. Of one that is not, none is left out. */
export const QUEUE_ACKED: i32 = 16;
export const QUEUE_ACKED_BYTES: i32 = 8;
/** The longest acknowledgment without data: both headers, 12 bytes of a time stamp, 28 of what has been received selectively. */
export const QUEUE_ACK_BYTES: i32 = 80;
/** Hosts that have queues, with how many each. There are never more than queues. */
export const QUEUE_HOST_BYTES: i32 = 8;
/** CoDel's steps: the interval divided by the square root of 1 to so many. More drops in a row come no faster. */
export const QUEUE_STEPS: i32 = 32;
/** Packets that CoDel drops in one choice. */
export const QUEUE_CODEL_MOST: i32 = 4;

/** CoDel's times, in sixteenths of a tick: 20 ms, as a shaped link sends by the tick; 100 ms (RFC 8289, section 4.4); and 12.5 s. */
export const QUEUE_TARGET_LEAST: i32 = 2 * 16;
export const QUEUE_INTERVAL_LEAST: i32 = 10 * 16;
export const QUEUE_TARGET_MOST: i32 = 20000;
/** A shaper's credit for one byte: a tick brings the rate's bits a second, which are so much for a byte. */
export const QUEUE_BYTE_CREDIT: i32 = 800;
/** The least and most bits a second of a link with queues. Above the second a tick's bytes are more than what waits. */
export const QUEUE_RATE_LEAST: i32 = 300;
export const QUEUE_RATE_MOST: i32 = 30000000;
/** Below this rate TCP's segments are made small, unless it is set otherwise: 576 bytes are 72 ms on 64 kb/s, 1,500 are 188. */
export const QUEUE_SMALL_RATE: i32 = 64000;
export const QUEUE_SMALL_MSS: i32 = 536;

/** The record of a link's queues, in lent memory: there is one where IF_QUEUES says so. */
export function queueRecordAt(index: i32): i32 {
  return QUEUES_AT + index * QUEUE_RECORD_BYTES;
}
