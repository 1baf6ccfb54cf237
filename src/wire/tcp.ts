// The TCP header (RFC 9293, section 3.1). Not here: whether one is whole (ipv4.ts), what a segment means (src/plane/flow/).
//
//    0             2                  4          8                 12       13      14       16         18       20
//    | source port | destination port | sequence | acknowledgment  | length | flags | window | checksum | urgent | options

import { get8 } from '../base/memory.ts';

export const TCP_SEQUENCE: i32 = 4;
export const TCP_ACKNOWLEDGMENT: i32 = 8;
/** The header's length in words, in the upper four bits. */
export const TCP_LENGTH: i32 = 12;
export const TCP_FLAGS: i32 = 13;
export const TCP_WINDOW: i32 = 14;
export const TCP_CHECKSUM: i32 = 16;
export const TCP_URGENT: i32 = 18;
export const TCP_OPTIONS: i32 = 20;
/** Without options. */
export const TCP_HEADER_BYTES: i32 = 20;

/** Control bits, at TCP_FLAGS. */
export const TCP_FIN: i32 = 1;
export const TCP_SYN: i32 = 2;
export const TCP_RST: i32 = 4;
export const TCP_PSH: i32 = 8;
export const TCP_ACK: i32 = 16;
export const TCP_URG: i32 = 32;
/** FIN, SYN, RST and ACK: a segment in an established connection that has ACK alone of them changes no state. */
export const TCP_STATE_MASK: i32 = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;

/** Kinds of options, and the bytes of one that has a value (RFC 9293, section 3.1; RFC 7323, section 2.2). */
export const TCP_OPTION_END: i32 = 0;
export const TCP_OPTION_NONE: i32 = 1;
export const TCP_OPTION_MSS: i32 = 2;
export const TCP_MSS_BYTES: i32 = 4;

/** Bytes of the header at `tcp`, by its own word. */
export function tcpHeaderBytesOf(tcp: i32): i32 {
  return (get8(tcp + TCP_LENGTH) >> 4) << 2;
}
