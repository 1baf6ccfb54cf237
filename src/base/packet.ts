// The packet handle: what every step of the plane gets, and what it answers.
//
// A handle is the address of a buffer from the pool (pool.ts); 0 is none. The buffer starts with metadata
// that the steps fill for each other, then the frame. The frame starts at 50 so that the IP header, 14 bytes
// on, lies on a multiple of 64.
//
//    0        4        8        12    14    16         20      24      28      32      36    40     50
//    | next   | length | in if  | out if    | next hop | L4    | ports | flags | entry | context | ... | frame
//
// Verdicts: a step never calls the next one; it answers with a verdict and src/plane/ip/forward.ts goes on.

/** Link in a queue or the free list; 0 ends it. */
export const PACKET_NEXT: i32 = 0;
/** Bytes of the frame, from its Ethernet header on, without padding once IPv4 has been checked. */
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
export const PACKET_FLAGS: i32 = 28;
/** Masquerade entry that translated it (index), or -1. */
export const PACKET_ENTRY: i32 = 32;
/** Fragment context it belongs to (address), or 0 for a whole datagram. */
export const PACKET_CONTEXT: i32 = 36;
/** Free for the step that holds the packet. */
export const PACKET_SCRATCH: i32 = 40;
/** Of a packet that waits for control, or is control's: its source at the punt ring (src/plane/local/punt.ts). */
export const PACKET_SOURCE: i32 = PACKET_SCRATCH;
/** Of such a packet: how much its station had asked crowded classes for lately (src/plane/link/station.ts). */
export const PACKET_ASKED: i32 = PACKET_SCRATCH + 4;
/** The frame's first byte. */
export const PACKET_FRAME: i32 = 50;
/** The IPv4 header, behind an Ethernet header. */
export const PACKET_IP: i32 = 64;

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

/** Longer than its link carries: it is cut as it leaves the queue (src/plane/link/transmit.ts). */
export const FLAG_LONG: i32 = 256;

/** Go on with the next step. */
export const PASS: i32 = 0;
/** For control: src/plane/ip/forward.ts puts it into the punt ring. */
export const PUNT: i32 = 1;
/** The step has kept the buffer (waiting for ARP or a first fragment, or answered in place). */
export const HELD: i32 = 2;
/** For us and to be decided by src/plane/local/local.ts. */
export const LOCAL: i32 = 3;
/** Verdicts from here on are drops: the reason, an index into the counters (counters.ts). */
export const DROP_FIRST: i32 = 16;
