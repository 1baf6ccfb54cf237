// The packet handle: what every step of the plane gets, and what it answers.
//
// A handle is the address of a buffer from the pool (pool.ts); 0 is none. The buffer starts with metadata
// that the steps fill for each other; then, at PACKET_IP, a multiple of 64, the datagram, whichever link it came by. A link's
// header stands right before it, however long it is: between the driver and src/plane/link/ the packet is a frame, which begins
// PACKET_HEADER bytes earlier; to all that is between, it is a datagram.
//
//    0      4        8       12       16         20   24      28      30       32      36        40         64         1584
//    | next | length | in if | out if | next hop | L4 | ports | flags | header | flow  | context | headroom | datagram | scratch
//                                                                                      <- the link's header |
//
// There is room for 28 bytes of header: what is in the context's place is over when a link heads the packet. Ethernet has 14,
// a VLAN's tag 4, PPPoE 8.
//
// Verdicts: a step never calls the next one; it answers with a verdict and src/plane/ip/forward.ts goes on.

import { BUFFER_BYTES } from './limits.ts';
import { i32at, puti32, putu16, u16at } from './memory.ts';

/** Link in a queue or the free list; 0 ends it. */
export const PACKET_NEXT: i32 = 0;
/** Bytes from PACKET_IP on: of the datagram, without what pads a frame once IPv4 has been checked; below 0 in a frame that is too short. */
export const PACKET_LENGTH: i32 = 4;
/** Interface it came in by; -1 for a packet of our own. */
export const PACKET_IN: i32 = 8;
/** Interface it goes out by, after routing. */
export const PACKET_OUT: i32 = 12;
/** IPv4 address of the next hop, after routing. */
export const PACKET_NEXT_HOP: i32 = 16;
/** Address of the transport header; 0 in a fragment that is not the first. */
export const PACKET_L4: i32 = 20;
/** Source port << 16 | destination port, in fragments too. ICMP queries: the identifier in both halves. */
export const PACKET_PORTS: i32 = 24;
/** FLAG_*, 16 bits. */
export const PACKET_FLAGS: i32 = 28;
/** Bytes of the link's header that stands before PACKET_IP (u16): a frame has one, a datagram none that counts. */
export const PACKET_HEADER: i32 = 30;
/** The flow whose it is, and in bit 0 its side; or 0. */
export const PACKET_FLOW: i32 = 32;
/** Fragment context it belongs to (address), or 0 for a whole datagram. */
export const PACKET_CONTEXT: i32 = 36;
/** Free for the step that holds the packet, behind the longest frame: 16 bytes. */
export const PACKET_SCRATCH: i32 = BUFFER_BYTES - 16;
/** Of a packet on its way to the masquerade: what src/plane/flow/known-flow.ts found of its tuple: KNOWN_*, or a session and a side. */
export const PACKET_KNOWN: i32 = PACKET_SCRATCH;
/** Of a packet that rules are asked for: its mark, 0 at the beginning (src/plane/filter/hooks.ts). */
export const PACKET_MARK: i32 = PACKET_SCRATCH + 8;
/** Of a packet that begins a flow: the mark that rules have given that flow, if FLAG_FLOW_MARKED. */
export const PACKET_FLOW_MARK: i32 = PACKET_SCRATCH + 12;
/** Of a packet that waits for control, or is control's: its source at the punt ring (src/plane/local/punt.ts). */
export const PACKET_SOURCE: i32 = PACKET_SCRATCH;
/** Of such a packet: how much its station had asked crowded classes for lately (src/plane/link/station.ts). */
export const PACKET_ASKED: i32 = PACKET_SCRATCH + 4;
/** The datagram's first byte, and that of other things that a frame carries. */
export const PACKET_IP: i32 = 64;
/** Where a card puts an Ethernet frame: its 14 bytes of header end where the datagram begins. */
export const PACKET_FRAME: i32 = PACKET_IP - 14;
/** Of a packet that came by Ethernet: the station that sent it, 6 bytes. */
export const PACKET_STATION: i32 = PACKET_FRAME + 6;
/** Of one that control sends to a station and not by its route: which, 6 bytes. */
export const PACKET_TO_STATION: i32 = PACKET_FRAME;

/** Came in for an address of ours, by the Ethernet's group or broadcast address. */
export const FLAG_BROADCAST: i32 = 1;
/** Its source was rewritten on the way out (masqueraded). */
export const FLAG_SOURCE_TRANSLATED: i32 = 2;
/** Its destination was rewritten on the way in. */
export const FLAG_DESTINATION_TRANSLATED: i32 = 4;
/** Made by the router itself. */
export const FLAG_LOCAL: i32 = 8;
/** An ICMP error message (RFC 1122, 3.2.2): no error is ever sent about it. */
export const FLAG_ICMP_ERROR: i32 = 16;
/** Turned around inside for a host that used our outside address (hairpin). */
export const FLAG_HAIRPIN: i32 = 32;
/** In control's hands: found and freed when control is restarted (pool.ts). */
export const FLAG_CONTROL: i32 = 64;
/** A rule has been asked about it that may say something else of the next packet of its flow: no route is kept. */
export const FLAG_ASKED: i32 = 128;
/** Longer than its link carries: it is cut as it leaves the queue (src/plane/link/transmit.ts). */
export const FLAG_LONG: i32 = 256;
/** The rules before the routing have been asked: PACKET_MARK is what they have said. */
export const FLAG_MARKED: i32 = 512;
/** PACKET_FLOW_MARK is for the flow that it begins. */
export const FLAG_FLOW_MARKED: i32 = 1024;

/** No datagram, but a frame of a link's own, for control: PACKET_PORTS is its protocol, its information lies where a datagram does. */
export const FLAG_FRAME: i32 = 2048;

/** Go on with the next step. */
export const PASS: i32 = 0;
/** For control: src/plane/ip/forward.ts puts it into the punt ring. */
export const PUNT: i32 = 1;
/** The step has kept the buffer (waiting for ARP or a first fragment, or answered in place). */
export const HELD: i32 = 2;
/** For us and to be decided by src/plane/local/local.ts. */
export const LOCAL: i32 = 3;
/** No datagram, but for the link itself: ARP. Answered and taken in src/plane/link/. */
export const FOR_LINK: i32 = 4;
/** It came in a session on the link that it came by, and is the link's above now: PACKET_IN. */
export const FOR_ABOVE: i32 = 5;
/** Verdicts from here on are drops: the reason, an index into the counters (counters.ts). */
export const DROP_FIRST: i32 = 16;

/** A frame of so many bytes has been put at PACKET_FRAME. */
export function setFrame(packet: i32, bytes: i32): void {
  puti32(packet + PACKET_LENGTH, bytes - (PACKET_IP - PACKET_FRAME));
  putu16(packet + PACKET_HEADER, PACKET_IP - PACKET_FRAME);
}

/** Address of a frame's first byte. */
export function frameAt(packet: i32): i32 {
  return packet + PACKET_IP - u16at(packet + PACKET_HEADER);
}

/** Bytes of a frame. */
export function frameBytes(packet: i32): i32 {
  return i32at(packet + PACKET_LENGTH) + u16at(packet + PACKET_HEADER);
}
