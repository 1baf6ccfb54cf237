// Records of captured frames, and the terms of a capture's filter. Read by control too.
// Not here: the ring and the filter themselves (src/plane/link/capture.ts).
//
//    a record   0       4      8          10       12          13          14       16
//               | bytes | tick | captured | length | interface | direction | header | frame ... | to a multiple of 4
//
//    0 bytes: the rest of the ring is not used, the next record is at its start.

import { CAPTURE_STATE_AT } from './limits.ts';

export const CAPTURE_DROPPED_AT: i32 = CAPTURE_STATE_AT + 20;

export const RECORD_TICK: i32 = 4;
export const RECORD_CAPTURED: i32 = 8;
export const RECORD_LENGTH: i32 = 10;
export const RECORD_INTERFACE: i32 = 12;
export const RECORD_DIRECTION: i32 = 13;
/** How a frame begins: HEADER_ETHERNET or, on a serial line, HEADER_PPP (address, control, protocol) or HEADER_NONE. */
export const RECORD_HEADER: i32 = 14;

export const HEADER_ETHERNET: i32 = 0;
export const HEADER_PPP: i32 = 1;
export const HEADER_NONE: i32 = 2;

export const CAPTURE_IN: i32 = 0;
export const CAPTURE_OUT: i32 = 1;

/** Kinds of terms. */
export const TERM_ETHERTYPE: i32 = 1;
export const TERM_PROTOCOL: i32 = 2;
/** Of IPv4 or ARP, under the mask. */
export const TERM_ADDRESS: i32 = 3;
export const TERM_PORT: i32 = 4;
export const TERM_DIRECTION: i32 = 5;

/** Added to a kind: it must not hold; only the source counts; only the destination. */
export const TERM_NOT: i32 = 16;
export const TERM_SOURCE: i32 = 32;
export const TERM_DESTINATION: i32 = 64;
