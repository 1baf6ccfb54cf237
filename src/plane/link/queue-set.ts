// How a link's queues begin and end, and what each tick brings them: the shaper's credit, a token bucket whose tokens are bits.
// A tick adds the rate's bits, a hundredth of a second's; what is sent is taken away, so that the credit may be below zero, and nothing
// goes until it is above. Unused credit is kept for one tick: more than that and one packet never leave at once.
//
// Not here: what waits (queue.ts).

import { LINK_END_AT, QUEUES_SET_AT, WORK_DRAIN_SHIFT } from '../../base/cells.ts';
import { random32 } from '../../base/entropy.ts';
import { IF_MSS, IF_MTU, IF_QUEUES, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_COUNT, QUEUE_RECORD_BYTES } from '../../base/limits.ts';
import { fill, i32at, multiply, put8, puti32, putu16 } from '../../base/memory.ts';
import { parameter, QUEUE_BY_FLOW, setParameter } from '../../base/parameters.ts';
import { bufferCount } from '../../base/pool.ts';
import { QUEUE_ACK_ROUND, QUEUE_COUNT, QUEUE_POOL_SHARE, queueRecordAt } from '../../base/queue-limits.ts';
import {
  flowQueueAt,
  Q_NUMBER,
  QUEUE_ACK_CREDIT,
  QUEUE_BY_HOST,
  QUEUE_CREDIT,
  QUEUE_FLAGS,
  QUEUE_FREE,
  QUEUE_FREE_COUNT,
  QUEUE_INTERFACE,
  QUEUE_KEY,
  QUEUE_LIMIT_PACKETS,
  QUEUE_MTU,
  QUEUE_OVERHEAD,
  QUEUE_RATE,
  QUEUE_SHAPED,
} from '../../base/queue-record.ts';
import { queueMaySend } from './queue.ts';
import { codelTune } from './queue-codel.ts';

/** Makes a link's queues, empty, or changes those that it has. */
export function queueBegin(index: i32, rate: i32, overhead: i32, isShaped: i32): void {
  const at: i32 = interfaceAt(index);
  const record: i32 = queueRecordAt(index);
  if (i32at(at + IF_QUEUES) === 0) {
    fill(record, 0, QUEUE_RECORD_BYTES);
    puti32(record + QUEUE_INTERFACE, at);
    puti32(record + QUEUE_KEY, random32());
    puti32(record + QUEUE_LIMIT_PACKETS, multiply(bufferCount(), QUEUE_POOL_SHARE) >> 4);
    puti32(record + QUEUE_ACK_CREDIT, QUEUE_ACK_ROUND);
    puti32(record + QUEUE_FREE_COUNT, QUEUE_COUNT);
    for (let number: i32 = 0; number < QUEUE_COUNT; number++) {
      put8(record + QUEUE_FREE + number, number);
      putu16(flowQueueAt(record, number) + Q_NUMBER, number);
    }
    puti32(at + IF_QUEUES, record);
    puti32(QUEUES_SET_AT, i32at(QUEUES_SET_AT) | (1 << index));
  }
  puti32(record + QUEUE_RATE, rate);
  puti32(record + QUEUE_OVERHEAD, overhead);
  const fair: i32 = parameter(QUEUE_BY_FLOW) !== 0 ? 0 : QUEUE_BY_HOST;
  puti32(record + QUEUE_FLAGS, isShaped !== 0 ? fair | QUEUE_SHAPED : fair);
  if (i32at(record + QUEUE_CREDIT) > rate) puti32(record + QUEUE_CREDIT, rate);
  codelTune(record);
}

/** A link has no queues any more; who ends them takes out what waits. */
export function queueEnd(index: i32): void {
  puti32(interfaceAt(index) + IF_QUEUES, 0);
  puti32(QUEUES_SET_AT, i32at(QUEUES_SET_AT) & ~(1 << index));
}

/** Whether flows have equal parts, and not hosts, from now on: on all links. */
export function queueFair(isByFlow: i32): void {
  setParameter(QUEUE_BY_FLOW, isByFlow);
  for (let index: i32 = 0; index < INTERFACE_COUNT; index++) {
    const record: i32 = i32at(interfaceAt(index) + IF_QUEUES);
    if (record !== 0)
      queueBegin(
        index,
        i32at(record + QUEUE_RATE),
        i32at(record + QUEUE_OVERHEAD),
        i32at(record + QUEUE_FLAGS) & QUEUE_SHAPED,
      );
  }
}

/** The largest MSS of TCP by a link, or 0 for what its MTU says. */
export function linkMss(index: i32, mss: i32): void {
  puti32(interfaceAt(index) + IF_MSS, mss);
}

/** Each tick, while a link has queues: what may be sent now. Answers the links that have something to send, as WORK_DRAIN has them. */
export function queueTick(): i32 {
  const set: i32 = i32at(QUEUES_SET_AT);
  const end: i32 = i32at(LINK_END_AT);
  let drains: i32 = 0;
  for (let index: i32 = 0; index < end; index++) {
    if (((set >> index) & 1) !== 0) {
      const record: i32 = queueRecordAt(index);
      if ((i32at(record + QUEUE_FLAGS) & QUEUE_SHAPED) !== 0) {
        const rate: i32 = i32at(record + QUEUE_RATE);
        const credit: i32 = i32at(record + QUEUE_CREDIT) + rate;
        puti32(record + QUEUE_CREDIT, credit > rate ? rate : credit);
      }
      if (i32at(record + QUEUE_MTU) !== i32at(interfaceAt(index) + IF_MTU)) codelTune(record);
      if (queueMaySend(record) !== 0) drains |= 1 << (index + WORK_DRAIN_SHIFT);
    }
  }
  return drains;
}
