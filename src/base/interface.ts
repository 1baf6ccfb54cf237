// The links: what the plane knows of each. Addresses are i32 in host order, as get32 reads them.
// A link is on a device, which is a thing of its own: a network card, a serial port, or another link that carries it. On which one
// stands in IF_DEVICE and IF_NUMBER; nothing may take a link's index for a card's number. On which side of the masquerade it is, is a
// setting too (IF_SIDE).
// Not here: the devices' drivers (hal/), which keep their own state in the device's block.

import { LINK_END_AT, LINKS_CHANGED_AT } from './cells.ts';
import {
  INTERFACE_BYTES,
  INTERFACE_COUNT,
  INTERFACES_AT,
  MTU_DEFAULT,
  TRANSMIT_AT_ONCE_WIDE,
} from './limits.ts';
import { copy, fill, i32at, puti32 } from './memory.ts';

/** INTERFACE_ABSENT, INTERFACE_DOWN or INTERFACE_UP. */
export const IF_STATE: i32 = 0;
/** INTERFACE_INSIDE or INTERFACE_OUTSIDE: on which side of the masquerade it lies. */
export const IF_SIDE: i32 = 4;
/** LINK_ETHERNET or LINK_POINT. */
export const IF_LINK: i32 = 8;
export const IF_ADDRESS: i32 = 12;
/** Network mask, and the network's number (address & mask). */
export const IF_MASK: i32 = 16;
export const IF_NETWORK: i32 = 20;
export const IF_MTU: i32 = 24;
/** Station address, 6 bytes as on the wire, which lie as they do in a frame: two on an even address, four on one of fours. */
export const IF_MAC: i32 = 30;
// Frames and bytes, free-running counters.
export const IF_RX_PACKETS: i32 = 36;
export const IF_RX_BYTES: i32 = 40;
export const IF_RX_ERRORS: i32 = 44;
export const IF_RX_DROPPED: i32 = 48;
export const IF_TX_PACKETS: i32 = 52;
export const IF_TX_BYTES: i32 = 56;
export const IF_TX_ERRORS: i32 = 60;
export const IF_TX_DROPPED: i32 = 64;
/** Queue of packets that wait for the card: first, last, how many. */
export const IF_QUEUE_HEAD: i32 = 68;
export const IF_QUEUE_TAIL: i32 = 72;
export const IF_QUEUE_LENGTH: i32 = 76;
/** Number of the VLAN in which it is, by a tag on each frame; 0: none, frames have no tag. */
export const IF_VLAN: i32 = 80;
/** DEVICE_*: what it is on, and which: number of the card, of the serial port, or of the link below. */
export const IF_DEVICE: i32 = 84;
export const IF_NUMBER: i32 = 88;
/** Of one that is absent: ABSENT_*, and of a missing card where it was plugged and its station address, 6 bytes. */
export const IF_ABSENT: i32 = 92;
export const IF_MISSING_PLACE: i32 = 96;
export const IF_MISSING_MAC: i32 = 100;
/** Bytes of the longest frame that its device takes in the piece of work in which the frame came, if it came by such a device. */
export const IF_AT_ONCE: i32 = 108;
/** Links that are sessions on this one, a bit each. */
export const IF_ABOVE: i32 = 112;
/** Address of the record of its queues (queue-record.ts), which it has in place of the one above, or 0. */
export const IF_QUEUES: i32 = 120;
/** The largest MSS of TCP by it, or 0: what its MTU says. */
export const IF_MSS: i32 = 124;

export const INTERFACE_ABSENT: i32 = 0;
export const INTERFACE_DOWN: i32 = 1;
export const INTERFACE_UP: i32 = 2;
export const INTERFACE_INSIDE: i32 = 0;
export const INTERFACE_OUTSIDE: i32 = 1;
export const LINK_ETHERNET: i32 = 0;
/** Exactly one is at the other end, and has no station address: no ARP. */
export const LINK_POINT: i32 = 1;

export const DEVICE_NONE: i32 = 0;
export const DEVICE_CARD: i32 = 1;
export const DEVICE_SERIAL: i32 = 2;
/** A PPPoE session on another link (src/plane/link/pppoe.ts): IF_NUMBER is its line's. */
export const DEVICE_SESSION: i32 = 3;

/** No device was found for it. */
export const ABSENT_NONE: i32 = 0;
/** It has a card, which does not answer. */
export const ABSENT_MISSING: i32 = 1;

/** Address of an interface's record. */
export function interfaceAt(index: i32): i32 {
  return INTERFACES_AT + index * INTERFACE_BYTES;
}

export function resetInterfaces(): void {
  fill(INTERFACES_AT, 0, INTERFACE_COUNT * INTERFACE_BYTES);
  for (let i: i32 = 0; i < INTERFACE_COUNT; i++) puti32(interfaceAt(i) + IF_MTU, MTU_DEFAULT);
  puti32(LINK_END_AT, 0);
  puti32(LINKS_CHANGED_AT, 1);
}

/** Gives a link its card: the number, and the station address (6 bytes at `mac` in plane memory). It stays down. */
export function bindCard(index: i32, card: i32, mac: i32): void {
  const at: i32 = interfaceAt(index);
  puti32(at + IF_LINK, LINK_ETHERNET);
  puti32(at + IF_DEVICE, DEVICE_CARD);
  puti32(at + IF_NUMBER, card);
  copy(at + IF_MAC, mac, 6);
  puti32(at + IF_STATE, INTERFACE_DOWN);
  puti32(LINKS_CHANGED_AT, 1);
  used(index);
}

/** Gives a link a serial port (src/plane/link/line.ts): there is one at the other end, who has no station address. It stays down. */
export function bindSerial(index: i32, port: i32): void {
  const at: i32 = interfaceAt(index);
  puti32(at + IF_LINK, LINK_POINT);
  puti32(at + IF_DEVICE, DEVICE_SERIAL);
  puti32(at + IF_NUMBER, port);
  fill(at + IF_MAC, 0, 6);
  puti32(at + IF_STATE, INTERFACE_DOWN);
  // A frame is only begun in the piece of work in which it comes.
  puti32(at + IF_AT_ONCE, TRANSMIT_AT_ONCE_WIDE);
  puti32(LINKS_CHANGED_AT, 1);
  used(index);
}

/** Gives a link a session on the link `below`, which goes by a line's number. It stays down. */
export function bindSession(index: i32, number: i32, below: i32): void {
  const at: i32 = interfaceAt(index);
  const under: i32 = interfaceAt(below);
  puti32(at + IF_LINK, LINK_POINT);
  puti32(at + IF_DEVICE, DEVICE_SESSION);
  puti32(at + IF_NUMBER, number);
  fill(at + IF_MAC, 0, 6);
  puti32(at + IF_STATE, INTERFACE_DOWN);
  puti32(at + IF_AT_ONCE, i32at(under + IF_AT_ONCE));
  puti32(under + IF_ABOVE, i32at(under + IF_ABOVE) | (1 << index));
  puti32(LINKS_CHANGED_AT, 1);
  used(index);
}

/** Takes its device from a link. */
export function unbind(index: i32): void {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_DEVICE) === DEVICE_SESSION) {
    for (let below: i32 = 0; below < INTERFACE_COUNT; below++) {
      const above: i32 = interfaceAt(below) + IF_ABOVE;
      puti32(above, i32at(above) & ~(1 << index));
    }
  }
  puti32(at + IF_DEVICE, DEVICE_NONE);
  puti32(at + IF_STATE, INTERFACE_ABSENT);
  puti32(LINKS_CHANGED_AT, 1);
}

/** Number of the card that a link is on, or -1. */
export function cardOf(index: i32): i32 {
  const at: i32 = interfaceAt(index);
  return i32at(at + IF_DEVICE) === DEVICE_CARD ? i32at(at + IF_NUMBER) : -1;
}

/** What goes over all links goes up to here alone: eight of which two are used cost no more than two. */
function used(index: i32): void {
  if (i32at(LINK_END_AT) <= index) puti32(LINK_END_AT, index + 1);
}

/** Sets side, address, mask and MTU, and brings the interface up; address 0 takes it down. */
export function configureInterface(index: i32, side: i32, address: i32, mask: i32, mtu: i32): void {
  const at: i32 = interfaceAt(index);
  puti32(at + IF_SIDE, side);
  puti32(at + IF_ADDRESS, address);
  puti32(at + IF_MASK, mask);
  puti32(at + IF_NETWORK, address & mask);
  puti32(at + IF_MTU, mtu);
  used(index);
  puti32(LINKS_CHANGED_AT, 1);
  if (i32at(at + IF_STATE) !== INTERFACE_ABSENT) {
    puti32(at + IF_STATE, address === 0 ? INTERFACE_DOWN : INTERFACE_UP);
  }
}
