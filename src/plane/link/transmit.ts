// The way out: the queue before a device that is busy, a card or a serial line, and the cutting of a datagram that is too long for a link.
// RFC 791, 3.2 (fragmentation). Not here: the card's driver (hal/nic/), the line (line-output.ts), virtual reassembly (src/plane/ip/fragment.ts).
// Not here either: the queues that a link with a rate has in place of this one (queue.ts).

import { nicSend } from '../../../hal/nic/nic.ts';
import { CAPTURE_OUT } from '../../base/capture-record.ts';
import { ENGINE_AT, ENGINE_NATIVE, WORK_AT, WORK_DRAIN_SHIFT } from '../../base/cells.ts';
import {
  COUNT_FRAGMENTED,
  count,
  DROP_INTERFACE_DOWN,
  DROP_NO_BUFFER,
  DROP_TRANSMIT_FULL,
} from '../../base/counters.ts';
import {
  DEVICE_CARD,
  DEVICE_SERIAL,
  DEVICE_SESSION,
  IF_AT_ONCE,
  IF_DEVICE,
  IF_LINK,
  IF_MTU,
  IF_NUMBER,
  IF_QUEUE_HEAD,
  IF_QUEUE_LENGTH,
  IF_QUEUE_TAIL,
  IF_QUEUES,
  IF_STATE,
  IF_TX_DROPPED,
  IF_VLAN,
  INTERFACE_ABSENT,
  interfaceAt,
  LINK_ETHERNET,
} from '../../base/interface.ts';
import { DRAIN_BYTES, DRAIN_FRAMES, TRANSMIT_AT_ONCE, TRANSMIT_QUEUE_LIMIT } from '../../base/limits.ts';
import { lineAt } from '../../base/line-record.ts';
import { copy, fill, get8, get16, i32at, put16, puti32, u16at } from '../../base/memory.ts';
import {
  FLAG_LOCAL,
  FLAG_LONG,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_HEADER,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_NEXT,
  PACKET_NEXT_HOP,
  PACKET_OUT,
  PACKET_PORTS,
} from '../../base/packet.ts';
import { allocate, release } from '../../base/pool.ts';
import { QUEUE_FLAGS, QUEUE_SHAPED, QUEUED_MARK, QUEUED_READY } from '../../base/queue-record.ts';
import { ETHERNET_HEADER_BYTES, ethernetTag } from '../../wire/ethernet.ts';
import {
  headerBytesOf,
  IP_LENGTH,
  IP_MORE_FRAGMENTS,
  IP_OFFSET,
  IP_OPTIONS,
  sealHeader,
} from '../../wire/ipv4.ts';
import { PPP_IP } from '../../wire/ppp.ts';
import { CAPTURE_MASK_AT, capture } from './capture.ts';
import { lineHasRoom, lineHead, lineMove, lineSend } from './line-output.ts';
import { pppoeMove, pppoeSend } from './pppoe-output.ts';
import {
  linkWaits,
  queueAny,
  queueFront,
  queueLose,
  queueMaySend,
  queueNext,
  queuePassed,
  queuePasses,
  queuePut,
  queueTaken,
} from './queue.ts';
import { queueBegin, queueEnd } from './queue-set.ts';

/**
 * Gives a whole frame to the device, or lets it wait. Takes the packet. One that has just been copied from a card, and takes
 * as long again to another, is the next piece of work: on an ISA bus each takes a third of a millisecond and more. The
 * interpreted engine works with interrupts on.
 */
export function transmit(packet: i32, index: i32): void {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_QUEUES) !== 0 && transmitQueued(packet, index, at) !== 0) return;
  if (isForLater(packet, index) !== 0) {
    queueLater(packet, index, at);
    return;
  }
  if ((i32at(at + IF_VLAN) | i32at(CAPTURE_MASK_AT)) !== 0) complete(packet, index, at);
  if (i32at(at + IF_QUEUE_LENGTH) === 0) {
    if (i32at(at + IF_STATE) === INTERFACE_ABSENT) {
      lose(packet, at, DROP_INTERFACE_DOWN);
      return;
    }
    if (deviceSend(at, packet) !== 0) return;
  }
  enqueue(packet, at);
}

/** Gives a frame to a link's device: 1, and it is the device's; 0: it has no room now, and will say when. */
function deviceSend(at: i32, packet: i32): i32 {
  const number: i32 = i32at(at + IF_NUMBER);
  const device: i32 = i32at(at + IF_DEVICE);
  if (device === DEVICE_CARD) return nicSend(number, packet);
  if (device === DEVICE_SERIAL) return lineSend(number, packet);
  if (device === DEVICE_SESSION) return pppoeSend(number, packet);
  lose(packet, at, DROP_INTERFACE_DOWN);
  return 1;
}

function isForLater(packet: i32, index: i32): i32 {
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  if ((flags & FLAG_LONG) !== 0) return 1;
  if (i32at(packet + PACKET_LENGTH) <= TRANSMIT_AT_ONCE || (flags & FLAG_LOCAL) !== 0) return 0;
  if (i32at(ENGINE_AT) !== ENGINE_NATIVE) return 0;
  const bytes: i32 = i32at(packet + PACKET_LENGTH);
  if (bytes > i32at(interfaceAt(index) + IF_AT_ONCE)) return 1;
  return bytes > i32at(interfaceAt(i32at(packet + PACKET_IN)) + IF_AT_ONCE) ? 1 : 0;
}

/** Lets a frame wait for a later piece of work: one of many at once, or one that is to be cut. Takes the packet. */
export function transmitLater(packet: i32, index: i32): void {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_QUEUES) === 0 || transmitQueued(packet, index, at) === 0) queueLater(packet, index, at);
}

function queueLater(packet: i32, index: i32, at: i32): void {
  if ((i32at(packet + PACKET_FLAGS) & FLAG_LONG) === 0) complete(packet, index, at);
  enqueue(packet, at);
  leaveDraining(index);
}

/**
 * A link with queues: 1 if the packet waits in them, or the device has it. 0 if nothing does, and it is the caller's, to go as by any link: one
 * that is held to its rate here has a device that is faster, so that nothing waits behind it.
 */
function transmitQueued(packet: i32, index: i32, at: i32): i32 {
  const queues: i32 = i32at(at + IF_QUEUES);
  if (i32at(at + IF_STATE) === INTERFACE_ABSENT) return 0;
  let mark: i32 = 0;
  if (queuePasses(queues) !== 0) {
    const length: i32 = i32at(packet + PACKET_LENGTH);
    if ((i32at(queues + QUEUE_FLAGS) & QUEUE_SHAPED) !== 0) {
      queuePassed(queues, length);
      return 0;
    }
    if (isForLater(packet, index) === 0) {
      complete(packet, index, at);
      if (deviceSend(at, packet) !== 0) {
        queuePassed(queues, length);
        return 1;
      }
      mark = QUEUED_READY;
    }
  }
  queuePut(queues, packet, mark);
  if (queueMaySend(queues) !== 0 && drainQueues(index, at, queues) !== 0) leaveDraining(index);
  return 1;
}

function leaveDraining(index: i32): void {
  puti32(WORK_AT, i32at(WORK_AT) | (1 << (index + WORK_DRAIN_SHIFT)));
}

/** What all frames get on their way out: the tag, and a copy for who watches. */
function complete(packet: i32, index: i32, at: i32): void {
  const vlan: i32 = i32at(at + IF_VLAN);
  if (vlan !== 0) ethernetTag(packet, vlan);
  if (i32at(CAPTURE_MASK_AT) === 0) return;
  if (i32at(at + IF_LINK) !== LINK_ETHERNET) lineHead(packet, lineAt(i32at(at + IF_NUMBER)), PPP_IP);
  capture(packet, index, CAPTURE_OUT);
}

function enqueue(packet: i32, at: i32): void {
  const length: i32 = i32at(at + IF_QUEUE_LENGTH);
  if (length >= TRANSMIT_QUEUE_LIMIT) {
    lose(packet, at, DROP_TRANSMIT_FULL);
    return;
  }
  puti32(packet + PACKET_NEXT, 0);
  if (length === 0) puti32(at + IF_QUEUE_HEAD, packet);
  else puti32(i32at(at + IF_QUEUE_TAIL) + PACKET_NEXT, packet);
  puti32(at + IF_QUEUE_TAIL, packet);
  puti32(at + IF_QUEUE_LENGTH, length + 1);
}

/**
 * Gives waiting frames to the device until it has no room or none is left: 0. Or 1: DRAIN_FRAMES or DRAIN_BYTES went, and more may; of a line,
 * a piece of the frame that is under way.
 */
export function drain(index: i32): i32 {
  const at: i32 = interfaceAt(index);
  const isLine: i32 = i32at(at + IF_DEVICE) === DEVICE_SERIAL ? 1 : 0;
  if (isLine !== 0) {
    if (lineMove(i32at(at + IF_NUMBER)) !== 0) return 1;
    if (lineHasRoom(i32at(at + IF_NUMBER)) === 0) return 0;
  } else if (i32at(at + IF_DEVICE) === DEVICE_SESSION && pppoeMove(i32at(at + IF_NUMBER)) === 0) {
    return 0;
  }
  if (i32at(at + IF_QUEUES) !== 0 && i32at(at + IF_QUEUE_LENGTH) === 0)
    return drainQueues(index, at, i32at(at + IF_QUEUES));
  let bytes: i32 = 0;
  for (let i: i32 = 0; i < DRAIN_FRAMES && bytes < DRAIN_BYTES; i++) {
    if (i32at(at + IF_QUEUE_LENGTH) === 0) return linkWaits(at);
    const head: i32 = i32at(at + IF_QUEUE_HEAD);
    const packet: i32 = (i32at(head + PACKET_FLAGS) & FLAG_LONG) !== 0 ? cutHead(head, index, at) : head;
    if (packet === 0) continue;
    const next: i32 = i32at(packet + PACKET_NEXT); // the driver uses the link, or frees the packet
    bytes += i32at(packet + PACKET_LENGTH) + ETHERNET_HEADER_BYTES;
    if (deviceSend(at, packet) === 0) {
      puti32(packet + PACKET_NEXT, next);
      return 0;
    }
    dequeue(at, next);
    if (isLine !== 0) return 1;
  }
  return linkWaits(at);
}

/** The same of a link with queues, behind what is in its FIFO. What the device refuses was not taken out: it is chosen anew when there is room. */
function drainQueues(index: i32, at: i32, queues: i32): i32 {
  let bytes: i32 = 0;
  for (let i: i32 = 0; i < DRAIN_FRAMES && bytes < DRAIN_BYTES; i++) {
    if (queueMaySend(queues) === 0) return 0;
    let packet: i32 = queueNext(queues);
    if (packet === 0) return 0;
    if ((i32at(packet + PACKET_FLAGS) & FLAG_LONG) !== 0) packet = cutQueued(packet, at, queues);
    if (packet === 0) continue;
    if ((i32at(packet + QUEUED_MARK) & QUEUED_READY) === 0) {
      complete(packet, index, at);
      puti32(packet + QUEUED_MARK, i32at(packet + QUEUED_MARK) | QUEUED_READY);
    }
    const next: i32 = i32at(packet + PACKET_NEXT); // the driver uses the link, or frees the packet
    const length: i32 = i32at(packet + PACKET_LENGTH);
    if (deviceSend(at, packet) === 0) {
      puti32(packet + PACKET_NEXT, next);
      return 0;
    }
    queueTaken(queues, next, length);
    if (i32at(at + IF_DEVICE) === DEVICE_SERIAL) return 1; // a piece of it is the next thing to do
    bytes += length + ETHERNET_HEADER_BYTES;
  }
  return queueMaySend(queues);
}

/** Of the chosen datagram, longer than its link carries: its first fragment, or itself if it fits. 0: there is no buffer, and it is lost. */
function cutQueued(packet: i32, at: i32, queues: i32): i32 {
  const mtu: i32 = i32at(at + IF_MTU);
  const before: i32 = i32at(packet + PACKET_LENGTH);
  let head: i32 = packet;
  if (before > mtu) {
    head = cutFragment(packet, mtu);
    if (head === 0) {
      count(DROP_NO_BUFFER);
      queueLose(queues);
      return 0;
    }
    queueFront(queues, head, i32at(head + PACKET_LENGTH) + i32at(packet + PACKET_LENGTH) - before);
  }
  puti32(head + PACKET_FLAGS, i32at(head + PACKET_FLAGS) & ~FLAG_LONG);
  return head;
}

/** Gives a link one FIFO again, in which is what has waited, as far as there is room. */
export function queueRemove(index: i32): void {
  const at: i32 = interfaceAt(index);
  const queues: i32 = i32at(at + IF_QUEUES);
  if (queues === 0) return;
  queueEnd(index);
  for (let packet: i32 = queueAny(queues); packet !== 0; packet = queueAny(queues)) {
    if (
      (i32at(packet + PACKET_FLAGS) & FLAG_LONG) === 0 &&
      (i32at(packet + QUEUED_MARK) & QUEUED_READY) === 0
    )
      complete(packet, index, at);
    enqueue(packet, at);
  }
  leaveDraining(index);
}

/**
 * Gives a link queues: `rate` in bits a second, to which it is held if `isShaped`, else its device is as slow; `overhead`: bytes that are sent beside a
 * datagram. Where it has them already they go on under the new rate. Their memory is lent (src/control/core/queues.ts). What waits in its FIFO waits
 * in them.
 */
export function queueSet(index: i32, rate: i32, overhead: i32, isShaped: i32): void {
  const at: i32 = interfaceAt(index);
  queueBegin(index, rate, overhead, isShaped);
  for (let length: i32 = i32at(at + IF_QUEUE_LENGTH); length > 0; length--) {
    const packet: i32 = i32at(at + IF_QUEUE_HEAD);
    dequeue(at, i32at(packet + PACKET_NEXT));
    const isReady: i32 = (i32at(packet + PACKET_FLAGS) & FLAG_LONG) === 0 ? QUEUED_READY : 0;
    queuePut(i32at(at + IF_QUEUES), packet, isReady);
  }
  leaveDraining(index);
}

/** Drops what waits for a link's device, which is taken from it. */
export function transmitNothing(index: i32): void {
  const at: i32 = interfaceAt(index);
  const queues: i32 = i32at(at + IF_QUEUES);
  if (queues !== 0) {
    for (let packet: i32 = queueAny(queues); packet !== 0; packet = queueAny(queues))
      lose(packet, at, DROP_INTERFACE_DOWN);
  }
  for (let n: i32 = 0; n < TRANSMIT_QUEUE_LIMIT; n++) {
    if (i32at(at + IF_QUEUE_LENGTH) === 0) return;
    const packet: i32 = i32at(at + IF_QUEUE_HEAD);
    dequeue(at, i32at(packet + PACKET_NEXT));
    lose(packet, at, DROP_INTERFACE_DOWN);
  }
}

function dequeue(at: i32, next: i32): void {
  puti32(at + IF_QUEUE_HEAD, next);
  puti32(at + IF_QUEUE_LENGTH, i32at(at + IF_QUEUE_LENGTH) - 1);
}

/**
 * The queue's head is a datagram longer than its link carries, or what is left of one: its first fragment is the head now,
 * or itself if it fits. 0: there is no buffer, and the rest of it is lost.
 */
function cutHead(packet: i32, index: i32, at: i32): i32 {
  const mtu: i32 = i32at(at + IF_MTU);
  let head: i32 = packet;
  if (i32at(packet + PACKET_LENGTH) > mtu) {
    head = cutFragment(packet, mtu);
    if (head === 0) {
      dequeue(at, i32at(packet + PACKET_NEXT));
      lose(packet, at, DROP_NO_BUFFER);
      return 0;
    }
    puti32(head + PACKET_NEXT, packet);
    puti32(at + IF_QUEUE_HEAD, head);
    puti32(at + IF_QUEUE_LENGTH, i32at(at + IF_QUEUE_LENGTH) + 1);
  }
  puti32(head + PACKET_FLAGS, i32at(head + PACKET_FLAGS) & ~FLAG_LONG);
  complete(head, index, at);
  return head;
}

function lose(packet: i32, at: i32, reason: i32): void {
  count(reason);
  puti32(at + IF_TX_DROPPED, (i32at(at + IF_TX_DROPPED) + 1) | 0);
  release(packet);
}

/**
 * Cuts the front off a datagram longer than the MTU: a new packet with the first bytes, a fragment ready to go.
 * The packet keeps the rest. 0 if there is no buffer. To be called until the rest fits.
 */
function cutFragment(packet: i32, mtu: i32): i32 {
  const front: i32 = allocate();
  if (front === 0) return 0;
  const ip: i32 = packet + PACKET_IP;
  const headerBytes: i32 = headerBytesOf(ip);
  const bytes: i32 = (mtu - headerBytes) & ~7;
  const word: i32 = get16(ip + IP_OFFSET);
  const rest: i32 = get16(ip + IP_LENGTH) - headerBytes - bytes;

  const to: i32 = front + PACKET_IP;
  copy(to, ip, headerBytes + bytes);
  put16(to + IP_LENGTH, headerBytes + bytes);
  put16(to + IP_OFFSET, word | IP_MORE_FRAGMENTS);
  sealHeader(to);
  puti32(front + PACKET_LENGTH, headerBytes + bytes);
  const linkBytes: i32 = u16at(packet + PACKET_HEADER);
  copy(to - linkBytes, ip - linkBytes, linkBytes);
  puti32(front + PACKET_IN, i32at(packet + PACKET_IN));
  puti32(front + PACKET_OUT, i32at(packet + PACKET_OUT));
  puti32(front + PACKET_NEXT_HOP, i32at(packet + PACKET_NEXT_HOP));
  puti32(front + PACKET_PORTS, i32at(packet + PACKET_PORTS));
  puti32(front + PACKET_FLAGS, i32at(packet + PACKET_FLAGS));
  puti32(front + PACKET_FLOW, i32at(packet + PACKET_FLOW));
  const l4: i32 = i32at(packet + PACKET_L4);
  puti32(front + PACKET_L4, l4 === 0 ? 0 : l4 - packet + front);

  blankOptions(ip + IP_OPTIONS, ip + headerBytes);
  copy(ip + headerBytes, ip + headerBytes + bytes, rest);
  put16(ip + IP_LENGTH, headerBytes + rest);
  put16(ip + IP_OFFSET, word + (bytes >> 3));
  sealHeader(ip);
  puti32(packet + PACKET_LENGTH, headerBytes + rest);
  puti32(packet + PACKET_L4, 0);
  count(COUNT_FRAGMENTED);
  return front;
}

/** Later fragments carry only the options whose copied flag (bit 7) is set: the others become NOPs. */
function blankOptions(from: i32, end: i32): void {
  let at: i32 = from;
  while (at < end) {
    const kind: i32 = get8(at);
    if (kind === 0) return;
    let bytes: i32 = 1;
    if (kind !== 1) bytes = get8(at + 1); // checked to be 2 at least, and inside (src/wire/ipv4.ts)
    if ((kind & 0x80) === 0) {
      fill(at, 1, bytes);
    }
    at += bytes;
  }
}
