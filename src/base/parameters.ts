// Settings of the plane that control changes at run time: one i32 each, times in ticks.

import { PARAMETER_COUNT, PARAMETERS_AT, TICKS_PER_SECOND } from './limits.ts';
import { fill, i32at, puti32 } from './memory.ts';

/** PROFILE_RFC or PROFILE_CLASSIC. */
export const NAT_PROFILE: i32 = 0;
/** Which answers a mapping lets in, profile rfc: FILTER_ENDPOINT, FILTER_ADDRESS or FILTER_ADDRESS_PORT. */
export const NAT_FILTER: i32 = 1;
/** Clamp the MSS of TCP to the outgoing MTU: 1 or 0. */
export const MSS_CLAMP: i32 = 2;
/** Turn packets around for hosts that use our outside address: 1 or 0. */
export const HAIRPIN: i32 = 3;
/** Answer pings that come in from the WAN: 1 or 0. */
export const WAN_PING: i32 = 4;
/** Links whose sources are not asked whether the way back is theirs, a bit each: none where the user has not said so. */
export const ANY_SOURCE: i32 = 5;
/** Flows have equal parts of a slow line, and not hosts: 1 or 0 (src/plane/link/queue-flows.ts). */
export const QUEUE_BY_FLOW: i32 = 7;
// Profile rfc: RFC 4787, 5382, 5508, 7857.
/** The order is that of the table in src/control/masquerade/settings.ts. */
export const RFC_TCP_ESTABLISHED: i32 = 8;
export const RFC_TCP_OPENING: i32 = 9;
export const RFC_TCP_CLOSING: i32 = 10;
export const RFC_UDP: i32 = 11;
export const RFC_ICMP: i32 = 12;
// Profile classic: one for each state of the 2.2 table, in the table's order, then UDP and ICMP.
export const CLASSIC_STATES: i32 = 16;
export const CLASSIC_UDP: i32 = 26;
export const CLASSIC_ICMP: i32 = 27;
/** First and last port of profile classic, and of profile rfc where the inside port is taken. */
export const PORT_FIRST: i32 = 32;
export const PORT_LAST: i32 = 33;

export const PROFILE_RFC: i32 = 0;
export const PROFILE_CLASSIC: i32 = 1;
export const FILTER_ENDPOINT: i32 = 0;
export const FILTER_ADDRESS: i32 = 1;
export const FILTER_ADDRESS_PORT: i32 = 2;

/** RFC 5382 REQ-5: not less than 2 h 4 min. */
export const SECONDS_TCP_ESTABLISHED: i32 = 7440;
/** Closing ones, too: RFC 5382 REQ-5 and RFC 7857, section 2.1: not less than 4 min. */
export const SECONDS_TCP_OPENING: i32 = 240;
/** RFC 4787 REQ-5: not less than 2 min; REQ-5c advises 5. */
export const SECONDS_UDP: i32 = 300;
/** RFC 5508 REQ-2: not less than 1 min. */
export const SECONDS_ICMP: i32 = 60;

export function parameter(index: i32): i32 {
  return i32at(PARAMETERS_AT + 4 * index);
}

export function setParameter(index: i32, value: i32): void {
  puti32(PARAMETERS_AT + 4 * index, value);
}

/** Sets every parameter to its default; the classic ones in seconds as 2.2's table has them. */
export function resetParameters(): void {
  fill(PARAMETERS_AT, 0, 4 * PARAMETER_COUNT);
  setParameter(NAT_FILTER, FILTER_ADDRESS); // RFC 4787 REQ-8: address-dependent where strictness matters
  setParameter(MSS_CLAMP, 1);
  setParameter(HAIRPIN, 1);
  setSeconds(RFC_TCP_ESTABLISHED, SECONDS_TCP_ESTABLISHED);
  setSeconds(RFC_TCP_OPENING, SECONDS_TCP_OPENING);
  setSeconds(RFC_TCP_CLOSING, SECONDS_TCP_OPENING);
  setSeconds(RFC_UDP, SECONDS_UDP);
  setSeconds(RFC_ICMP, SECONDS_ICMP);
  // NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN
  setSeconds(CLASSIC_STATES + 0, 1800);
  setSeconds(CLASSIC_STATES + 1, 900);
  setSeconds(CLASSIC_STATES + 2, 120);
  setSeconds(CLASSIC_STATES + 3, 60);
  setSeconds(CLASSIC_STATES + 4, 120);
  setSeconds(CLASSIC_STATES + 5, 120);
  setSeconds(CLASSIC_STATES + 6, 10);
  setSeconds(CLASSIC_STATES + 7, 60);
  setSeconds(CLASSIC_STATES + 8, 30);
  setSeconds(CLASSIC_STATES + 9, 120);
  setSeconds(CLASSIC_UDP, 300);
  setSeconds(CLASSIC_ICMP, 60);
  setParameter(PORT_FIRST, 61000);
  setParameter(PORT_LAST, 65095);
}

function setSeconds(index: i32, seconds: i32): void {
  setParameter(index, seconds * TICKS_PER_SECOND);
}
