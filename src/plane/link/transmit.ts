// The way out: the queue before a device that is busy, a card or a serial line, and the cutting of a datagram that is too long for a link.
// RFC 791, 3.2 (fragmentation). Not here: the card's driver (hal/nic/), the line (line-output.ts), virtual reassembly (src/plane/ip/fragment.ts).

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

/**
 * Gives a whole frame to the device, or lets it wait. Takes the packet. One that has just been copied from a card, and takes
 * as long again to another, is the next piece of work: on an ISA bus each takes a third of a millisecond and more. The
 * interpreted engine works with interrupts on.
 */
export function transmit(packet: i32, index: i32): void {
  if (isForLater(packet, index) !== 0) {
    transmitLater(packet, index);
    return;
  }
  const at: i32 = interfaceAt(index);
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
  if (device === DEVICE_SERIAL) return lineSend(number, packet);
  return device === DEVICE_SESSION ? pppoeSend(number, packet) : nicSend(number, packet);
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
  if ((i32at(packet + PACKET_FLAGS) & FLAG_LONG) === 0) complete(packet, index, at);
  enqueue(packet, at);
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
  let bytes: i32 = 0;
  for (let i: i32 = 0; i < DRAIN_FRAMES && bytes < DRAIN_BYTES; i++) {
    const length: i32 = i32at(at + IF_QUEUE_LENGTH);
    if (length === 0) return 0;
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
  return i32at(at + IF_QUEUE_LENGTH) !== 0 ? 1 : 0;
}

/** Drops what waits for a link's device, which is taken from it. */
export function transmitNothing(index: i32): void {
  const at: i32 = interfaceAt(index);
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
