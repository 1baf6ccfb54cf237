// ICMP (RFC 792): types and codes that we send or look at. A message's first eight bytes are type, code, checksum, and four
// that depend on the type. Not here: errors that are sent (src/plane/ip/icmp.ts) or translated (src/plane/flow/icmp-translate.ts).

export const ICMP_TYPE: i32 = 0;
export const ICMP_CODE: i32 = 1;
export const ICMP_CHECKSUM: i32 = 2;
/** Of an echo and its like. */
export const ICMP_IDENTIFIER: i32 = 4;
export const ICMP_SEQUENCE: i32 = 6;
export const ICMP_HEADER_BYTES: i32 = 8;

export const ICMP_ECHO_REPLY: i32 = 0;
export const ICMP_UNREACHABLE: i32 = 3;
export const ICMP_SOURCE_QUENCH: i32 = 4;
export const ICMP_REDIRECT: i32 = 5;
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

/** Whether messages of a type are errors about a datagram that they quote, so that none is sent about them (RFC 1122, 3.2.2). */
export function icmpIsError(type: i32): i32 {
  if (type === ICMP_UNREACHABLE || type === ICMP_SOURCE_QUENCH || type === ICMP_REDIRECT) return 1;
  return type === ICMP_TIME_EXCEEDED || type === ICMP_PARAMETER_PROBLEM ? 1 : 0;
}
