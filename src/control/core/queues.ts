// The queues of a link with a rate, for who sets one: a setting of the WAN, a serial link that has come up. Here: their memory, which the
// heap lends while they are there, a page for two links. Not here: what they do (src/plane/link/queue.ts).

import { IF_QUEUES, interfaceAt } from '../../base/interface.ts';
import { QUEUE_RECORD_BYTES, QUEUES_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  QUEUE_RATE_LEAST,
  QUEUE_RATE_MOST,
  QUEUE_SMALL_MSS,
  QUEUE_SMALL_RATE,
} from '../../base/queue-limits.ts';
import { SECTION_SPARE_BYTES } from './limits.ts';
import type { Machine } from './machine.ts';

const PAGE = 4096;
/** The other link whose queues are on the same page. */
const SHARED = PAGE / QUEUE_RECORD_BYTES - 1;

const pageOf = (link: number): number => QUEUES_AT + ((link * QUEUE_RECORD_BYTES) & ~(PAGE - 1));
const hasQueues = (link: number): boolean => i32at(interfaceAt(link) + IF_QUEUES) !== 0;

/**
 * Gives a link queues, or those that it has another rate. Answers why not, or undefined.
 * @param rate bits a second @param overhead bytes that are sent beside a datagram
 * @param isShaped the link is held to the rate; else its device is as slow
 * @param mss the largest of TCP's segments by it, 0 for what fits the MTU; if it is left out, 536 below 64 kb/s
 */
export function setQueues(
  { heapFree, lend, plane }: Machine,
  link: number,
  rate: number,
  overhead: number,
  isShaped: boolean,
  mss = rate < QUEUE_SMALL_RATE ? QUEUE_SMALL_MSS : 0,
): string | undefined {
  if (rate < QUEUE_RATE_LEAST || rate > QUEUE_RATE_MOST)
    return `a rate is ${QUEUE_RATE_LEAST} to ${QUEUE_RATE_MOST / 1000000}M bits a second`;
  const page = pageOf(link);
  if (!hasQueues(link)) {
    const isThere = hasQueues(link ^ SHARED);
    if (!isThere && (heapFree() < PAGE + SECTION_SPARE_BYTES || !lend(page, page + PAGE, page + PAGE)))
      return "control's heap has no room for its queues";
  }
  plane.queueSet(link, rate, overhead, isShaped ? 1 : 0);
  plane.linkMss(link, mss);
  return undefined;
}

/** A link has one FIFO again. */
export function unsetQueues({ lend, plane }: Machine, link: number): void {
  plane.linkMss(link, 0);
  if (!hasQueues(link)) return;
  plane.queueRemove(link);
  const page = pageOf(link);
  if (!hasQueues(link ^ SHARED)) lend(page, page, page + PAGE);
}
