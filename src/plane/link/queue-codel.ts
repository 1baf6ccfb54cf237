// CoDel: how long packets have waited in a queue says whether some must go (RFC 8289, section 5). A queue whose packets all waited
// longer than the target for an interval loses its first one, and then one each interval divided by the square root of their number,
// until they wait less. The target is the time of one and a half of the link's longest packets at least: on a slow line one packet
// alone takes longer than what is a standing queue elsewhere (section 4.4).
//
// Times are in sixteenths of a tick. The square roots are in a table of the record, which is made when the rate or the MTU changes.
// Not here: which queue has its turn (queue-flows.ts).

import { NOW_AT } from '../../base/cells.ts';
import { count, DROP_QUEUE_DELAY } from '../../base/counters.ts';
import { IF_MTU, IF_TX_DROPPED } from '../../base/interface.ts';
import { i32at, multiply, puti32, putu16, u16at } from '../../base/memory.ts';
import { PACKET_LENGTH, PACKET_NEXT } from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import {
  QUEUE_CODEL_MOST,
  QUEUE_INTERVAL_LEAST,
  QUEUE_LEAST_FRAMES,
  QUEUE_LONG_MTU,
  QUEUE_MOST_BYTES,
  QUEUE_QUANTUM,
  QUEUE_STEPS,
  QUEUE_TARGET_LEAST,
  QUEUE_TARGET_MOST,
} from '../../base/queue-limits.ts';
import {
  Q_ABOVE,
  Q_BYTES,
  Q_COUNT,
  Q_DROP_NEXT,
  Q_DROPPING,
  Q_FIRST,
  Q_LAST_COUNT,
  Q_PACKETS,
  QUEUE_DROPPED_DELAY,
  QUEUE_HELD_BYTES,
  QUEUE_INTERFACE,
  QUEUE_INTERVAL,
  QUEUE_LIMIT_BYTES,
  QUEUE_MTU,
  QUEUE_OVERHEAD,
  QUEUE_PACKETS,
  QUEUE_RATE,
  QUEUE_SLOTS_AT,
  QUEUE_STEPS_AT,
  QUEUE_TARGET,
  QUEUE_TURN_BYTES,
  QUEUED_MARK,
  QUEUED_SINCE,
  QUEUED_SLOT_SHIFT,
  SLOT_PACKET,
} from '../../base/queue-record.ts';

/** So many intervals after the last drop it is not forgotten how many there were (RFC 8289, section 5.4). */
const REMEMBERED_SHIFT: i32 = 4;
/** Bits of a byte times sixteenths of a tick in a second: bytes times this by the rate are the time of them. */
const BYTE_TIME: i32 = 12800;

/** The packet that a queue sends next, after those that have waited too long: 0 if none is left. It stays where it is. */
export function codelFirst(record: i32, queue: i32): i32 {
  const now: i32 = i32at(NOW_AT) << 4;
  let isLate: i32 = late(record, queue, now);
  if (u16at(queue + Q_DROPPING) !== 0) {
    if (isLate === 0) putu16(queue + Q_DROPPING, 0);
    for (let dropped: i32 = 0; dropped < QUEUE_CODEL_MOST; dropped++) {
      const next: i32 = i32at(queue + Q_DROP_NEXT);
      if (u16at(queue + Q_DROPPING) === 0 || ((now - next) | 0) < 0) return i32at(queue + Q_FIRST);
      dropLate(record, queue);
      const drops: i32 = more(u16at(queue + Q_COUNT));
      putu16(queue + Q_COUNT, drops);
      isLate = late(record, queue, now);
      if (isLate === 0) putu16(queue + Q_DROPPING, 0);
      else puti32(queue + Q_DROP_NEXT, (next + step(record, drops)) | 0);
    }
  } else if (isLate !== 0) {
    dropLate(record, queue);
    late(record, queue, now);
    begin(record, queue, now);
  }
  return i32at(queue + Q_FIRST);
}

/** Whether the first packet of a queue has waited longer than it may, and so have those of an interval before it. */
function late(record: i32, queue: i32, now: i32): i32 {
  const first: i32 = i32at(queue + Q_FIRST);
  if (first !== 0) {
    const waited: i32 = (now - (i32at(first + QUEUED_SINCE) << 4)) | 0;
    if (waited >= i32at(record + QUEUE_TARGET) && i32at(queue + Q_BYTES) > i32at(record + QUEUE_MTU)) {
      const above: i32 = i32at(queue + Q_ABOVE);
      if (above !== 0) return ((now - above) | 0) >= 0 ? 1 : 0;
      // 0 is none.
      puti32(queue + Q_ABOVE, (now + i32at(record + QUEUE_INTERVAL)) | 0 | 1);
      return 0;
    }
  }
  puti32(queue + Q_ABOVE, 0);
  return 0;
}

/** The first drop of a row: as fast as the last row ended, if that was not long ago. */
function begin(record: i32, queue: i32, now: i32): void {
  const drops: i32 = u16at(queue + Q_COUNT);
  const since: i32 = (now - i32at(queue + Q_DROP_NEXT)) | 0;
  const before: i32 = drops - u16at(queue + Q_LAST_COUNT);
  const isSoon: i32 = since >> REMEMBERED_SHIFT < i32at(record + QUEUE_INTERVAL) ? 1 : 0;
  const from: i32 = isSoon !== 0 && before > 1 ? before : 1;
  putu16(queue + Q_DROPPING, 1);
  putu16(queue + Q_COUNT, from);
  putu16(queue + Q_LAST_COUNT, from);
  puti32(queue + Q_DROP_NEXT, (now + step(record, from)) | 0);
}

function more(drops: i32): i32 {
  return drops < 0xffff ? drops + 1 : drops;
}

function step(record: i32, drops: i32): i32 {
  const n: i32 = drops > QUEUE_STEPS ? QUEUE_STEPS : drops;
  return u16at(record + QUEUE_STEPS_AT + 2 * (n - 1));
}

function dropLate(record: i32, queue: i32): void {
  count(DROP_QUEUE_DELAY);
  puti32(record + QUEUE_DROPPED_DELAY, (i32at(record + QUEUE_DROPPED_DELAY) + 1) | 0);
  dropFirst(record, queue);
}

/** Takes the first packet out of a queue that has one, and frees it. The caller counts why. */
export function dropFirst(record: i32, queue: i32): void {
  const at: i32 = i32at(record + QUEUE_INTERFACE);
  puti32(at + IF_TX_DROPPED, (i32at(at + IF_TX_DROPPED) + 1) | 0);
  const packet: i32 = i32at(queue + Q_FIRST);
  unlinkFirst(
    record,
    queue,
    i32at(packet + PACKET_NEXT),
    i32at(packet + PACKET_LENGTH),
    i32at(packet + QUEUED_MARK),
  );
  release(packet);
}

/** A queue's first packet, of so many bytes and with this mark, is gone, and this is its next one. */
export function unlinkFirst(record: i32, queue: i32, next: i32, bytes: i32, mark: i32): void {
  const slot: i32 = record + QUEUE_SLOTS_AT + ((mark >> QUEUED_SLOT_SHIFT) << 2);
  puti32(slot, i32at(slot) - SLOT_PACKET);
  puti32(queue + Q_FIRST, next);
  puti32(queue + Q_PACKETS, i32at(queue + Q_PACKETS) - 1);
  puti32(queue + Q_BYTES, i32at(queue + Q_BYTES) - bytes);
  puti32(record + QUEUE_PACKETS, i32at(record + QUEUE_PACKETS) - 1);
  puti32(record + QUEUE_HELD_BYTES, i32at(record + QUEUE_HELD_BYTES) - bytes);
}

/** Reckons times and limits anew: rate, overhead or MTU have changed. */
export function codelTune(record: i32): void {
  const mtu: i32 = i32at(i32at(record + QUEUE_INTERFACE) + IF_MTU);
  const rate: i32 = i32at(record + QUEUE_RATE);
  const time: i32 = (multiply(mtu + i32at(record + QUEUE_OVERHEAD), BYTE_TIME) / rate) | 0;
  let target: i32 = time + (time >> 1);
  if (target < QUEUE_TARGET_LEAST) target = QUEUE_TARGET_LEAST;
  if (target > QUEUE_TARGET_MOST) target = QUEUE_TARGET_MOST;
  let interval: i32 = 2 * target;
  if (interval < QUEUE_INTERVAL_LEAST) interval = QUEUE_INTERVAL_LEAST;
  puti32(record + QUEUE_MTU, mtu);
  puti32(record + QUEUE_TARGET, target);
  puti32(record + QUEUE_INTERVAL, interval);
  let bytes: i32 = rate >> 3;
  if (bytes < QUEUE_LEAST_FRAMES * mtu) bytes = QUEUE_LEAST_FRAMES * mtu;
  if (bytes > QUEUE_MOST_BYTES) bytes = QUEUE_MOST_BYTES;
  puti32(record + QUEUE_LIMIT_BYTES, bytes);
  puti32(record + QUEUE_TURN_BYTES, mtu > QUEUE_LONG_MTU ? mtu : QUEUE_QUANTUM);
  const square: i32 = multiply(interval, interval);
  for (let n: i32 = 1; n <= QUEUE_STEPS; n++)
    putu16(record + QUEUE_STEPS_AT + 2 * (n - 1), root((square / n) | 0));
}

/** The square root of a number below 2^31, rounded down: a bit at a time. */
function root(square: i32): i32 {
  let found: i32 = 0;
  for (let bit: i32 = 1 << 15; bit !== 0; bit >>= 1) {
    const tried: i32 = found | bit;
    if (tried <= 46340 && multiply(tried, tried) <= square) found = tried;
  }
  return found;
}
