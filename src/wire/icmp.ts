// ICMP (RFC 792): types and codes that we send or look at. A message's first eight bytes are type, code, checksum, and four
// that depend on the type. Not here: errors that are sent (src/plane/ip/icmp.ts) or translated (src/plane/flow/icmp-translate.ts).

export const ICMP_CHECKSUM: i32 = 2;
/** Of an echo and its like. */
export const ICMP_IDENTIFIER: i32 = 4;
export const ICMP_HEADER_BYTES: i32 = 8;

export const ICMP_ECHO_REPLY: i32 = 0;
export const ICMP_UNREACHABLE: i32 = 3;
export const ICMP_ECHO_REQUEST: i32 = 8;
export const ICMP_TIME_EXCEEDED: i32 = 11;
export const ICMP_PARAMETER_PROBLEM: i32 = 12;

/** Codes of ICMP_UNREACHABLE; the last is of RFC 1812, section 5.2.7.1. */
export const CODE_NET_UNREACHABLE: i32 = 0;
export const CODE_HOST_UNREACHABLE: i32 = 1;
export const CODE_PROTOCOL_UNREACHABLE: i32 = 2;
export const CODE_PORT_UNREACHABLE: i32 = 3;
export const CODE_FRAGMENTATION_NEEDED: i32 = 4;
export const CODE_PROHIBITED: i32 = 13;
