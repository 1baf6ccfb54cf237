// ARP for IPv4 on Ethernet: where a packet lies in its buffer, and the packets that we send.
// RFC 826; probes, announcements and the defence of an address: RFC 5227, sections 2.1, 2.3 and 2.4.
// Not here: the format (src/wire/arp.ts), what comes in (arp-input.ts), the table (neighbour.ts).

import {
  IF_ADDRESS,
  IF_LINK,
  IF_MAC,
  IF_STATE,
  INTERFACE_UP,
  interfaceAt,
  LINK_ETHERNET,
} from '../../base/interface.ts';
import { copy, fill, get16, get32, i32at, put32, puti32 } from '../../base/memory.ts';
import { LINK_PROBES } from '../../base/neighbour-record.ts';
import { FLAG_LOCAL, PACKET_FLAGS, PACKET_IP, PACKET_LENGTH, PACKET_OUT } from '../../base/packet.ts';
import { allocate } from '../../base/pool.ts';
import {
  ARP_BYTES,
  ARP_ETHERNET_IPV4,
  ARP_LENGTHS,
  ARP_SIX_AND_FOUR,
  ARP_REPLY as REPLY,
  ARP_REQUEST as REQUEST,
  ARP_SENDER as SENDER,
  ARP_SENDER_MAC as SENDER_MAC,
  ARP_TARGET as TARGET,
  ARP_TARGET_MAC as TARGET_MAC,
} from '../../wire/arp.ts';
import { ETHERTYPE_ARP, ethernetBroadcast, ethernetTo } from '../../wire/ethernet.ts';
import { transmit } from './transmit.ts';

/** Offset of the ARP packet in the buffer. */
export const ARP: i32 = PACKET_IP;
export const ARP_TYPES: i32 = ARP;
export const ARP_SIZES: i32 = ARP + ARP_LENGTHS;
export const ARP_SENDER_MAC: i32 = ARP + SENDER_MAC;
export const ARP_SENDER: i32 = ARP + SENDER;
export const ARP_TARGET_MAC: i32 = ARP + TARGET_MAC;
export const ARP_TARGET: i32 = ARP + TARGET;
/** The word at ARP_SIZES: lengths 6 and 4, then the operation. */
export const ARP_REQUEST: i32 = ARP_SIX_AND_FOUR | REQUEST;
export const ARP_REPLY: i32 = ARP_SIX_AND_FOUR | REPLY;

/**
 * What each interface probes for (0: nothing), whether somebody has it, and who.
 *
 *    0         4          8
 *    | address | answered | station address |
 */
const PROBES: i32 = LINK_PROBES;
const PROBE_BYTES: i32 = 16;
const PROBE_ANSWERED: i32 = 4;
const PROBE_MAC: i32 = 8;

/** Asks everybody on the link who has `target`. */
export function arpRequest(index: i32, target: i32): void {
  const packet: i32 = build(index, target);
  if (packet !== 0) {
    ethernetBroadcast(packet, interfaceAt(index), ETHERTYPE_ARP);
    transmit(packet, index);
  }
}

/** Asks the station itself, 6 bytes at `mac`, whether it still has `target` (RFC 1122, 2.3.2.1, case 2). */
export function arpPoll(index: i32, target: i32, mac: i32): void {
  const packet: i32 = build(index, target);
  if (packet !== 0) {
    ethernetTo(packet, interfaceAt(index), mac, ETHERTYPE_ARP);
    transmit(packet, index);
  }
}

/** Tells everybody on the link our address (gratuitous ARP): a request for it, from it. */
export function arpAnnounce(index: i32): void {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_STATE) === INTERFACE_UP) arpRequest(index, i32at(at + IF_ADDRESS));
}

/** The same of another address that we have there. */
export function arpAnnounceAs(index: i32, address: i32): void {
  const packet: i32 = build(index, address);
  if (packet === 0) return;
  put32(packet + ARP_SENDER, address);
  ethernetBroadcast(packet, interfaceAt(index), ETHERTYPE_ARP);
  transmit(packet, index);
}

/**
 * Asks whether anybody has an address that we may not use yet: the sender's address is 0 (RFC 5227, 2.1.1).
 * The interface need not be up. From the first probe for an address on, arpProbed() tells of an answer.
 */
export function arpProbe(index: i32, target: i32): void {
  const probe: i32 = PROBES + index * PROBE_BYTES;
  if (i32at(probe) !== target) {
    puti32(probe, target);
    puti32(probe + PROBE_ANSWERED, 0);
  }
  const packet: i32 = build(index, target);
  if (packet !== 0) {
    put32(packet + ARP_SENDER, 0);
    ethernetBroadcast(packet, interfaceAt(index), ETHERTYPE_ARP);
    transmit(packet, index);
  }
}

/** Who has the address that the interface probes for: address of the 6 bytes of its station address, or 0. */
export function arpProbed(index: i32): i32 {
  const probe: i32 = PROBES + index * PROBE_BYTES;
  return i32at(probe + PROBE_ANSWERED) !== 0 ? probe + PROBE_MAC : 0;
}

/** Probes no more. */
export function arpProbeEnd(index: i32): void {
  fill(PROBES + index * PROBE_BYTES, 0, PROBE_BYTES);
}

/**
 * Looks whether a checked ARP packet speaks of the address that the interface probes for: from whoever has it, or
 * the probe of another who is about to take it (RFC 5227, 2.1.1). Our own frames may come back.
 */
export function arpWatch(packet: i32, index: i32): void {
  const probe: i32 = PROBES + index * PROBE_BYTES;
  const target: i32 = i32at(probe);
  if (target === 0) return;
  const sender: i32 = get32(packet + ARP_SENDER);
  if (sender !== target) {
    if (sender !== 0 || get32(packet + ARP_TARGET) !== target) return;
    if (get32(packet + ARP_SIZES) !== ARP_REQUEST) return;
  }
  if (isOurMac(packet + ARP_SENDER_MAC, interfaceAt(index)) !== 0) return;
  copy(probe + PROBE_MAC, packet + ARP_SENDER_MAC, 6);
  puti32(probe + PROBE_ANSWERED, 1);
}

/** Whether the 6 bytes at `mac` are the interface's own address. */
export function isOurMac(mac: i32, at: i32): i32 {
  return get32(mac) === get32(at + IF_MAC) && get16(mac + 4) === get16(at + IF_MAC + 4) ? 1 : 0;
}

/** Turns an ARP packet into the reply to its sender: we have its target. */
export function arpAnswer(packet: i32, at: i32): void {
  const target: i32 = get32(packet + ARP_TARGET);
  copy(packet + ARP_TARGET_MAC, packet + ARP_SENDER_MAC, 10);
  copy(packet + ARP_SENDER_MAC, at + IF_MAC, 6);
  put32(packet + ARP_SENDER, target);
  put32(packet + ARP_SIZES, ARP_REPLY);
  puti32(packet + PACKET_LENGTH, ARP_BYTES);
}

/** A request for `target` from our address on the interface, without its Ethernet header; or 0, and always on a link without stations. */
function build(index: i32, target: i32): i32 {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_LINK) !== LINK_ETHERNET) return 0;
  const packet: i32 = allocate();
  if (packet === 0) return 0;
  put32(packet + ARP_TYPES, ARP_ETHERNET_IPV4);
  put32(packet + ARP_SIZES, ARP_REQUEST);
  copy(packet + ARP_SENDER_MAC, at + IF_MAC, 6);
  put32(packet + ARP_SENDER, i32at(at + IF_ADDRESS));
  fill(packet + ARP_TARGET_MAC, 0, 6);
  put32(packet + ARP_TARGET, target);
  puti32(packet + PACKET_LENGTH, ARP_BYTES);
  puti32(packet + PACKET_FLAGS, FLAG_LOCAL);
  puti32(packet + PACKET_OUT, index);
  return packet;
}
