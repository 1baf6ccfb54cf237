// The queries of ICMP and their replies (RFC 792, RFC 950), which are what ICMP has of flows: of an identifier.

/** Bits of an ICMP flow's E_STATE: a reply must match a query that was sent. */
export const QUERY_ECHO: i32 = 1;
export const QUERY_TIMESTAMP: i32 = 2;
export const QUERY_MASK: i32 = 4;
export const QUERY_INFORMATION: i32 = 8;

/** The query that an ICMP type is, or 0: echo, timestamp, information, address mask (RFC 792, RFC 950). */
export function queryOf(type: i32): i32 {
  if (type === 15) return QUERY_INFORMATION;
  return type === 8 ? QUERY_ECHO : type === 13 ? QUERY_TIMESTAMP : type === 17 ? QUERY_MASK : 0;
}

/** The query that an ICMP type answers, or 0. */
export function queryOfReply(type: i32): i32 {
  if (type === 16) return QUERY_INFORMATION;
  return type === 0 ? QUERY_ECHO : type === 14 ? QUERY_TIMESTAMP : type === 18 ? QUERY_MASK : 0;
}
