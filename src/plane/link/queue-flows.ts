// The queues of flows: which one a packet goes into, and whose turn it is. Deficit round robin with queues that have their first turn
// before all others (RFC 8290, section 4.1 and 4.2): who sends seldom is served at once, whoever fills the line waits for his like.
//
//    free --packet--> new --quantum used, or empty--> old --empty--> free
//
// A flow takes a free queue; while it has packets there, its place (QUEUE_SLOTS, by a keyed hash) leads to it. So up to 16
// flows share nothing, whatever their hash; the next ones share a queue that is drawn anew each second. By host, a host has four at most, gets another one
// only while as many are free as it has, and what it sends in a turn is divided by their number: who opens a thousand
// connections has as much as who has one, and the last queues are for hosts that have none. Its further flows share the last of its queues.
//
// Not here: how long a packet may wait (queue-codel.ts), what goes before all flows (queue.ts).

import { NOW_AT } from '../../base/cells.ts';
import { E_INSIDE } from '../../base/flow-record.ts';
import { IF_SIDE, INTERFACE_INSIDE } from '../../base/interface.ts';
import { get8, get32, i32at, multiply, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { PACKET_FLOW, PACKET_IP, PACKET_LENGTH, PACKET_NEXT, PACKET_PORTS } from '../../base/packet.ts';
import {
  QUEUE_BYTES,
  QUEUE_COUNT,
  QUEUE_EPOCH_SHIFT,
  QUEUE_HOST_BYTES,
  QUEUE_HOST_MOST,
  QUEUE_QUANTUM,
  QUEUE_SLOT_SET,
  QUEUE_SLOTS,
  QUEUE_TURNS,
} from '../../base/queue-limits.ts';
import {
  flowQueueAt,
  HOST_ADDRESS,
  HOST_LAST,
  HOST_QUEUES,
  Q_BYTES,
  Q_DEFICIT,
  Q_DROPPING,
  Q_FIRST,
  Q_HOST,
  Q_IDLE,
  Q_LAST,
  Q_NEW,
  Q_NEXT,
  Q_NUMBER,
  Q_OLD,
  Q_PACKETS,
  Q_STATE,
  QUEUE_BY_HOST,
  QUEUE_CHOSEN_QUEUE,
  QUEUE_FLAGS,
  QUEUE_FREE,
  QUEUE_FREE_COUNT,
  QUEUE_HOST_HINT,
  QUEUE_HOSTS_AT,
  QUEUE_INTERFACE,
  QUEUE_KEY,
  QUEUE_NEW_FIRST,
  QUEUE_NEW_LAST,
  QUEUE_OLD_FIRST,
  QUEUE_OLD_LAST,
  QUEUE_QUEUES,
  QUEUE_SLOTS_AT,
  QUEUE_TURN_BYTES,
  QUEUED_MARK,
  QUEUED_SLOT_SHIFT,
  SLOT_PACKET,
  SLOT_PACKETS,
} from '../../base/queue-record.ts';
import { IP_DESTINATION, IP_SOURCE } from '../../wire/ipv4.ts';
import { codelFirst } from './queue-codel.ts';

/** An odd number without pattern, by which a key is spread (2^32 by the golden ratio). */
const SPREAD: i32 = 0x9e3779b1 | 0;
/** Bits of the hash that choose a set; those above say whose a place is. */
const SET_SHIFT: i32 = 9;
const SET_MASK: i32 = QUEUE_SLOTS - QUEUE_SLOT_SET;

/** A keyed number of what belongs together; its upper bits are good. */
export function spread(record: i32, value: i32): i32 {
  return multiply(value ^ i32at(record + QUEUE_KEY), SPREAD);
}

/** Puts a datagram into its flow's queue. It is counted already. */
export function flowPut(record: i32, packet: i32): void {
  const flow: i32 = i32at(packet + PACKET_FLOW);
  const ip: i32 = packet + PACKET_IP;
  const value: i32 =
    flow !== 0
      ? flow >>> 1
      : i32at(ip + IP_SOURCE) ^ i32at(ip + IP_DESTINATION) ^ i32at(packet + PACKET_PORTS);
  const hash: i32 = spread(record, value);
  const slot: i32 = slotFor(record, hash);
  let place: i32 = i32at(slot);
  if ((place & SLOT_PACKETS) === 0) place = (hash & ~0xffff) | queueFor(record, packet, value);
  puti32(slot, place + SLOT_PACKET);
  const number: i32 = (slot - record - QUEUE_SLOTS_AT) >> 2;
  puti32(packet + QUEUED_MARK, i32at(packet + QUEUED_MARK) | (number << QUEUED_SLOT_SHIFT));
  const queue: i32 = flowQueueAt(record, place);
  if (i32at(queue + Q_FIRST) === 0) puti32(queue + Q_FIRST, packet);
  else puti32(i32at(queue + Q_LAST) + PACKET_NEXT, packet);
  puti32(queue + Q_LAST, packet);
  puti32(queue + Q_PACKETS, i32at(queue + Q_PACKETS) + 1);
  puti32(queue + Q_BYTES, i32at(queue + Q_BYTES) + i32at(packet + PACKET_LENGTH));
}

/** The place of a flow, by its hash: that in which it has packets, or a free one of its set, or the first where all are others'. */
function slotFor(record: i32, hash: i32): i32 {
  const set: i32 = record + QUEUE_SLOTS_AT + (((hash >>> SET_SHIFT) & SET_MASK) << 2);
  let found: i32 = set;
  for (let slot: i32 = set; slot < set + 4 * QUEUE_SLOT_SET; slot += 4) {
    const place: i32 = i32at(slot);
    if ((place & SLOT_PACKETS) === 0) found = slot;
    else if ((place ^ hash) >>> 16 === 0) return slot;
  }
  return found;
}

/** The number of the queue for a flow that has nothing in one: a free one that it has for itself, or one that it shares. */
function queueFor(record: i32, packet: i32, value: i32): i32 {
  const free: i32 = i32at(record + QUEUE_FREE_COUNT);
  let who: i32 = value;
  let host: i32 = 0;
  if ((i32at(record + QUEUE_FLAGS) & QUEUE_BY_HOST) !== 0) {
    who = hostOf(record, packet);
    host = hostFor(record, who);
    const last: i32 = host === 0 ? 0 : u16at(host + HOST_LAST);
    const queues: i32 = host === 0 ? 0 : u16at(host + HOST_QUEUES);
    if ((queues > free || queues === QUEUE_HOST_MOST) && isOf(record, last, host) !== 0) return last;
  }
  // All flows of a host share the same one.
  if (free === 0) return spread(record, who + (i32at(NOW_AT) >> QUEUE_EPOCH_SHIFT)) >>> 28;
  const number: i32 = get8(record + QUEUE_FREE + free - 1);
  puti32(record + QUEUE_FREE_COUNT, free - 1);
  open(record, number, host);
  return number;
}

/** Whether a queue is at work for a host: one that was, may be another's since. */
function isOf(record: i32, number: i32, host: i32): i32 {
  const queue: i32 = flowQueueAt(record, number);
  return u16at(queue + Q_STATE) !== Q_IDLE && i32at(queue + Q_HOST) === host ? 1 : 0;
}

/** A free queue begins: it has its first turn, for a host that has one more now. */
function open(record: i32, number: i32, host: i32): void {
  const queue: i32 = flowQueueAt(record, number);
  putu16(queue + Q_STATE, Q_NEW);
  putu16(queue + Q_DROPPING, 0);
  puti32(queue + Q_DEFICIT, QUEUE_QUANTUM);
  puti32(queue + Q_HOST, host);
  if (host !== 0) {
    putu16(host + HOST_QUEUES, u16at(host + HOST_QUEUES) + 1);
    putu16(host + HOST_LAST, number);
  }
  puti32(queue + Q_NEXT, 0);
  if (i32at(record + QUEUE_NEW_FIRST) === 0) puti32(record + QUEUE_NEW_FIRST, queue);
  else puti32(i32at(record + QUEUE_NEW_LAST) + Q_NEXT, queue);
  puti32(record + QUEUE_NEW_LAST, queue);
}

/** The inside host whose packet it is: of what leaves an outside link translated, its flow knows. */
function hostOf(record: i32, packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  if (i32at(i32at(record + QUEUE_INTERFACE) + IF_SIDE) === INTERFACE_INSIDE)
    return get32(ip + IP_DESTINATION);
  const flow: i32 = i32at(packet + PACKET_FLOW);
  // The other side of a flow that comes by an outside link is one that was begun there, and nothing of it is translated.
  return flow !== 0 && (flow & 1) === 0 ? i32at(flow + E_INSIDE) : get32(ip + IP_SOURCE);
}

/** The place of a host: its own, or a free one, of which there is one as long as a queue is free; else 0. */
function hostFor(record: i32, address: i32): i32 {
  const hint: i32 = i32at(record + QUEUE_HOST_HINT);
  if (hint !== 0 && i32at(hint + HOST_ADDRESS) === address && u16at(hint + HOST_QUEUES) !== 0) return hint;
  const first: i32 = record + QUEUE_HOSTS_AT;
  let free: i32 = 0;
  const end: i32 = first + QUEUE_COUNT * QUEUE_HOST_BYTES;
  for (let host: i32 = first; host < end; host += QUEUE_HOST_BYTES) {
    if (u16at(host + HOST_QUEUES) === 0) {
      free = host;
    } else if (i32at(host + HOST_ADDRESS) === address) {
      puti32(record + QUEUE_HOST_HINT, host);
      return host;
    }
  }
  puti32(record + QUEUE_HOST_HINT, free);
  if (free !== 0) puti32(free + HOST_ADDRESS, address);
  return free;
}

/** The packet whose turn it is among flows, which stays in its queue: 0 if there is none. */
export function flowNext(record: i32): i32 {
  for (let turns: i32 = 0; turns < QUEUE_TURNS; turns++) {
    const isNew: i32 = i32at(record + QUEUE_NEW_FIRST) !== 0 ? 1 : 0;
    const list: i32 = record + (isNew !== 0 ? QUEUE_NEW_FIRST : QUEUE_OLD_FIRST);
    const queue: i32 = i32at(list);
    if (queue === 0) return 0;
    const deficit: i32 = i32at(queue + Q_DEFICIT);
    if (deficit <= 0) {
      const next: i32 = i32at(queue + Q_NEXT);
      const quantum: i32 = quantumOf(record, i32at(queue + Q_HOST));
      // One that is alone has it at once: nobody is there to be waited for.
      puti32(queue + Q_DEFICIT, isNew === 0 && next === 0 ? quantum : deficit + quantum);
      if (isNew !== 0 || next !== 0) {
        puti32(list, next);
        putLast(record, queue);
      }
    } else {
      const packet: i32 = codelFirst(record, queue);
      if (packet !== 0) {
        puti32(record + QUEUE_CHOSEN_QUEUE, queue);
        return packet;
      }
      // A new one that is empty has a turn among the old ones first: else who sends one packet at a time would always go before them.
      takeFirst(list, queue);
      if (isNew !== 0 && i32at(record + QUEUE_OLD_FIRST) !== 0) putLast(record, queue);
      else close(record, queue);
    }
  }
  return 0;
}

/** What a queue of a host, or of none, may send in its next turn. */
function quantumOf(record: i32, host: i32): i32 {
  const quantum: i32 = i32at(record + QUEUE_TURN_BYTES);
  if (host === 0) return quantum;
  // Two such turns for a host, together, or nearly.
  const queues: i32 = u16at(host + HOST_QUEUES);
  if (queues === 1) return quantum << 1;
  if (queues === 2) return quantum;
  return queues === 3 ? quantum - (quantum >> 2) : quantum >> 1;
}

function takeFirst(list: i32, queue: i32): void {
  puti32(list, i32at(queue + Q_NEXT));
}

function putLast(record: i32, queue: i32): void {
  putu16(queue + Q_STATE, Q_OLD);
  puti32(queue + Q_NEXT, 0);
  if (i32at(record + QUEUE_OLD_FIRST) === 0) puti32(record + QUEUE_OLD_FIRST, queue);
  else puti32(i32at(record + QUEUE_OLD_LAST) + Q_NEXT, queue);
  puti32(record + QUEUE_OLD_LAST, queue);
}

/** An empty queue that has had its turn is free. */
function close(record: i32, queue: i32): void {
  putu16(queue + Q_STATE, Q_IDLE);
  const host: i32 = i32at(queue + Q_HOST);
  if (host !== 0) putu16(host + HOST_QUEUES, u16at(host + HOST_QUEUES) - 1);
  const free: i32 = i32at(record + QUEUE_FREE_COUNT);
  put8(record + QUEUE_FREE + free, u16at(queue + Q_NUMBER));
  puti32(record + QUEUE_FREE_COUNT, free + 1);
}

/** The queue with the most bytes, and by host that of the host with most: what limits are about. 0 if all are empty. */
export function fattest(record: i32): i32 {
  let found: i32 = 0;
  let most: i32 = 0;
  const end: i32 = record + QUEUE_QUEUES + QUEUE_COUNT * QUEUE_BYTES;
  const isByHost: i32 = i32at(record + QUEUE_FLAGS) & QUEUE_BY_HOST;
  for (let queue: i32 = record + QUEUE_QUEUES; queue < end; queue += QUEUE_BYTES) {
    let weight: i32 = i32at(queue + Q_BYTES);
    if (isByHost !== 0 && weight !== 0) {
      const host: i32 = i32at(queue + Q_HOST);
      if (host !== 0) weight = multiply(weight, u16at(host + HOST_QUEUES));
    }
    if (weight > most) {
      most = weight;
      found = queue;
    }
  }
  return found;
}
