// Ethernet II: the 14 bytes before every packet.
// RFC 894 (IP over Ethernet). IEEE 802.3 frames with a length in the type's place are not for us.
// IEEE 802.1Q: a frame tagged for VLAN 0 says its priority alone and is one without a tag; other VLANs are not ours. An
// interface that is in a VLAN (IF_VLAN) hears that one alone, and all that it sends has its tag.
//
//    0             6             12     14                     0             6             12     14      16     18
//    | destination | source      | type | ...                  | destination | source      | 8100 | 0..   | type | ...

import { DROP_ETHERTYPE, DROP_FRAME_SHORT, DROP_NOT_FOR_US, DROP_VLAN } from '../base/counters.ts';
import { IF_MAC, IF_VLAN } from '../base/interface.ts';
import { copy, get8, get16, get32, i32at, put16, put32, puti32, putu16, u16at } from '../base/memory.ts';
import {
  FLAG_BROADCAST,
  FOR_LINK,
  PACKET_FLAGS,
  PACKET_FRAME,
  PACKET_HEADER,
  PACKET_IP,
  PACKET_LENGTH,
  PASS,
} from '../base/packet.ts';

export const ETHERNET_DESTINATION: i32 = 0;
export const ETHERNET_SOURCE: i32 = 6;
export const ETHERNET_TYPE: i32 = 12;
export const ETHERNET_HEADER_BYTES: i32 = 14;
export const ETHERTYPE_IPV4: i32 = 0x0800;
export const ETHERTYPE_ARP: i32 = 0x0806;
/** Of a tag, which stands before the type of what is in the frame. */
export const ETHERTYPE_TAG: i32 = 0x8100;
export const TAG_BYTES: i32 = 4;
/** Bits of the tag that are the VLAN's number. */
export const TAG_VLAN: i32 = 0x0fff;

const DESTINATION: i32 = PACKET_FRAME;
const SOURCE: i32 = PACKET_FRAME + ETHERNET_SOURCE;
const TYPE: i32 = PACKET_FRAME + ETHERNET_TYPE;

/** Is the frame for us? PASS: it carries a datagram; FOR_LINK: ARP; or the reason to drop it. `at` is the interface's record. */
export function ethernetInput(packet: i32, at: i32): i32 {
  if (i32at(packet + PACKET_LENGTH) < 0) return DROP_FRAME_SHORT;
  if (
    u16at(packet + DESTINATION) !== u16at(at + IF_MAC) ||
    i32at(packet + DESTINATION + 2) !== i32at(at + IF_MAC + 2)
  ) {
    if (get32(packet + DESTINATION) !== -1 || get16(packet + DESTINATION + 4) !== 0xffff)
      return DROP_NOT_FOR_US;
    puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_BROADCAST);
  }
  // A group address cannot send (IEEE 802.3): such a frame is forged.
  if ((get8(packet + SOURCE) & 1) !== 0) return DROP_NOT_FOR_US;
  const type: i32 = get16(packet + TYPE);
  const vlan: i32 = i32at(at + IF_VLAN);
  if (vlan === 0 && type === ETHERTYPE_IPV4) return PASS;
  if (type === ETHERTYPE_TAG) return untag(packet, vlan);
  return vlan === 0 ? carried(type) : DROP_VLAN;
}

/** What a frame of a type is. An 802.3 length stands in the type's place and is below all types. */
function carried(type: i32): i32 {
  if (type === ETHERTYPE_IPV4) return PASS;
  return type === ETHERTYPE_ARP ? FOR_LINK : DROP_ETHERTYPE;
}

/** Takes a tag for our VLAN off: what is behind it, or the reason to drop a frame that is not for us. */
function untag(packet: i32, vlan: i32): i32 {
  const bytes: i32 = i32at(packet + PACKET_LENGTH) - TAG_BYTES;
  if (bytes < 0) return DROP_FRAME_SHORT;
  if ((get16(packet + TYPE + 2) & TAG_VLAN) !== vlan) return vlan === 0 ? DROP_ETHERTYPE : DROP_VLAN;
  copy(packet + TYPE, packet + TYPE + TAG_BYTES, bytes + PACKET_IP - TYPE);
  puti32(packet + PACKET_LENGTH, bytes);
  return carried(get16(packet + TYPE));
}

/** Puts a frame into a VLAN: the tag stands before the type, and the addresses before it make room. */
export function ethernetTag(packet: i32, vlan: i32): void {
  copy(packet + DESTINATION - TAG_BYTES, packet + DESTINATION, TYPE - DESTINATION);
  put16(packet + TYPE - TAG_BYTES, ETHERTYPE_TAG);
  put16(packet + TYPE - TAG_BYTES + 2, vlan);
  putu16(packet + PACKET_HEADER, ETHERNET_HEADER_BYTES + TAG_BYTES);
}

/** Heads a datagram for a station: 12 bytes at `addresses`, its own and ours, which lie as they do in a frame. */
export function ethernetHead(packet: i32, addresses: i32): void {
  // So few bytes are copied faster without a call.
  putu16(packet + DESTINATION, u16at(addresses));
  puti32(packet + DESTINATION + 2, i32at(addresses + 2));
  puti32(packet + SOURCE, i32at(addresses + 6));
  putu16(packet + SOURCE + 4, u16at(addresses + 10));
  put16(packet + TYPE, ETHERTYPE_IPV4);
  putu16(packet + PACKET_HEADER, ETHERNET_HEADER_BYTES);
}

/** Heads a frame for one station, 6 bytes at `mac`. */
export function ethernetTo(packet: i32, at: i32, mac: i32, type: i32): void {
  copy(packet + DESTINATION, mac, 6);
  ethernetFrom(packet, at, type);
}

/** Heads a frame for everybody on the link. */
export function ethernetBroadcast(packet: i32, at: i32, type: i32): void {
  put32(packet + DESTINATION, -1);
  put16(packet + DESTINATION + 4, 0xffff);
  ethernetFrom(packet, at, type);
}

/** Fills in our own address and the type: the header is whole. */
export function ethernetFrom(packet: i32, at: i32, type: i32): void {
  put32(packet + SOURCE, get32(at + IF_MAC));
  put16(packet + SOURCE + 4, get16(at + IF_MAC + 4));
  put16(packet + TYPE, type);
  putu16(packet + PACKET_HEADER, ETHERNET_HEADER_BYTES);
}

/** Turns a frame around: back to the station that sent it. */
export function ethernetReply(packet: i32, at: i32): void {
  put32(packet + DESTINATION, get32(packet + SOURCE));
  put16(packet + DESTINATION + 4, get16(packet + SOURCE + 4));
  ethernetFrom(packet, at, get16(packet + TYPE));
}
