// Counters of the plane: one a reason to drop, then events. Their names for people are in
// src/control/core/counter-names.ts, in this order; counter-names.test.ts there compares the two.

import { COUNTER_COUNT, COUNTERS_AT } from './limits.ts';
import { fill, i32at, puti32 } from './memory.ts';

// Drops. A verdict is DROP_FIRST (16) or more; the counter's index is the verdict itself.
export const DROP_NO_BUFFER: i32 = 16;
export const DROP_FRAME_SHORT: i32 = 17;
export const DROP_NOT_FOR_US: i32 = 18;
export const DROP_ETHERTYPE: i32 = 19;
export const DROP_ARP_MALFORMED: i32 = 20;
export const DROP_IP_HEADER: i32 = 21;
export const DROP_IP_CHECKSUM: i32 = 22;
export const DROP_IP_LENGTH: i32 = 23;
export const DROP_IP_OPTIONS: i32 = 24;
export const DROP_SOURCE_ROUTE: i32 = 25;
export const DROP_TTL: i32 = 26;
export const DROP_MARTIAN_SOURCE: i32 = 27;
export const DROP_MARTIAN_DESTINATION: i32 = 28;
export const DROP_SPOOFED_FROM_WAN: i32 = 29;
export const DROP_FOREIGN_FROM_LAN: i32 = 30;
export const DROP_SAME_INTERFACE: i32 = 31;
export const DROP_NO_ROUTE: i32 = 32;
export const DROP_INTERFACE_DOWN: i32 = 33;
export const DROP_TRANSMIT_FULL: i32 = 34;
export const DROP_TRANSMIT_ERROR: i32 = 35;
export const DROP_ARP_QUEUE_FULL: i32 = 36;
export const DROP_ARP_FAILED: i32 = 37;
export const DROP_FRAGMENT_MALFORMED: i32 = 38;
export const DROP_FRAGMENT_OVERLAP: i32 = 39;
export const DROP_FRAGMENT_LIMIT: i32 = 40;
export const DROP_FRAGMENT_TIMEOUT: i32 = 41;
export const DROP_TOO_BIG: i32 = 42;
export const DROP_TRANSPORT_HEADER: i32 = 43;
export const DROP_ICMP_CHECKSUM: i32 = 44;
export const DROP_ICMP_MALFORMED: i32 = 45;
export const DROP_ICMP_UNMATCHED: i32 = 46;
export const DROP_ICMP_TYPE: i32 = 47;
export const DROP_UNSOLICITED: i32 = 48;
export const DROP_FILTERED: i32 = 49;
export const DROP_TABLE_FULL: i32 = 50;
export const DROP_HOST_SHARE: i32 = 51;
export const DROP_NO_PORT: i32 = 52;
export const DROP_TCP_STATE: i32 = 53;
export const DROP_PROTOCOL: i32 = 54;
export const DROP_PUNT_FULL: i32 = 55;
export const DROP_LOCAL_CLOSED: i32 = 56;
export const DROP_BROADCAST: i32 = 57;
export const DROP_VLAN: i32 = 58;
export const DROP_RULE: i32 = 59;
export const DROP_REJECTED: i32 = 60;
export const DROP_RULE_LOOP: i32 = 61;
export const DROP_QUEUE_DELAY: i32 = 62;
export const DROP_NO_CALL: i32 = 63;

// Events, from 72 on.
export const COUNT_ICMP_SENT: i32 = 72;
export const COUNT_ICMP_LIMITED: i32 = 73;
export const COUNT_ECHO_ANSWERED: i32 = 74;
export const COUNT_ARP_CONFLICT: i32 = 75;
export const COUNT_MASQUERADE_NEW: i32 = 76;
export const COUNT_MASQUERADE_EXPIRED: i32 = 77;
export const COUNT_EVICTED_UNANSWERED: i32 = 78;
export const COUNT_EVICTED_CLOSED: i32 = 79;
export const COUNT_EVICTED_SHARE: i32 = 80;
export const COUNT_MSS_CLAMPED: i32 = 81;
export const COUNT_FRAGMENTED: i32 = 82;
export const COUNT_RING_OVERRUN: i32 = 83;
export const COUNT_SERIAL_OVERRUN: i32 = 84;
export const COUNT_FORWARDED: i32 = 85;
export const COUNT_PUNTED: i32 = 86;
export const COUNT_CARD_RESET: i32 = 87;
export const COUNT_IDLE_INTERRUPT: i32 = 88;

export function resetCounters(): void {
  fill(COUNTERS_AT, 0, 4 * COUNTER_COUNT);
}

/** Adds one; wraps at 2^32. */
export function count(counter: i32): void {
  const p: i32 = COUNTERS_AT + 4 * counter;
  puti32(p, (i32at(p) + 1) | 0);
}
