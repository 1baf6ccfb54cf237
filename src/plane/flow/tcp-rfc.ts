// Profile rfc: what a TCP session's state is, from the segments that pass. RFC 7857, section 2, Figure 1
// ("Simplified Version of the TCP State Machine"), which is that of RFC 6146, section 3.5.2.2. The timers:
// RFC 5382, section 5, and RFC 7857, section 2.1; RST: RFC 7857, section 2.2.
//
// "Client" is the inside here, "server" the outside. Timers (flow-timeout.ts restarts them):
//
//    INIT_OUT, INIT_IN                RFC_TCP_OPENING       partially open
//    ESTABLISHED, CLIENT_FIN, SERVER_FIN   RFC_TCP_ESTABLISHED   data can flow, if only one way
//    BOTH_FIN, TRANS                  RFC_TCP_CLOSING       over, but stragglers may come
//
// Where the figure is silent, or we depart from it:
// - It has one INIT. As in RFC 6146 there are two, for the SYN that opens may come from either side; a SYN
//   from the other side, be it SYN,ACK or the bare SYN of a simultaneous open, establishes.
// - RST in INIT (connection refused) goes to TRANS, so that a refused session may be evicted before a
//   living one. The figure leaves it in INIT, with the same four minutes. RST after one side's FIN goes there
//   too: the connection is over, and two hours would be for nothing.
// - RST in BOTH_FIN changes nothing: from TRANS a late duplicate of data would bring two hours back.
// - SYN in BOTH_FIN or TRANS starts over: a host that reuses its port has begun a new connection (RFC 1122,
//   section 4.2.2.13), and the figure's way from TRANS straight to ESTABLISHED would give an unanswered SYN
//   two hours. From the inside it starts over in CLIENT_FIN and SERVER_FIN, too: a host that has vanished and come
//   back uses its ports again.
// - TRANS goes back to ESTABLISHED by "data pkt": a segment with data that is near (tcp-window.ts), of a session that
//   both sides have used. That undoes a forged RST, and lets a session whose beginning we missed (the router was
//   reset) live on. INIT_IN does, too: a forged SYN has made it of a living session.
// - Data beyond its sender's FIN undo the FIN, which was forged: BOTH_FIN becomes half-closed, a half-closed
//   session ESTABLISHED. Data sent again before it do not.
// - A half-closed session keeps the long timer: RFC 5382, section 5 calls a connection closing when both
//   sides have sent a FIN.
// Not here: whether an RST or FIN counts (tcp-window.ts), and when an idle session ends (flow-timeout.ts).

import { RFC_TCP_CLOSING, RFC_TCP_ESTABLISHED, RFC_TCP_OPENING } from '../../base/parameters.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../wire/tcp.ts';

export const RFC_CLOSED: i32 = 0;
/** The number is that of ESTABLISHED in tcp-classic.ts: the fast path asks for it without asking which. */
export const RFC_ESTABLISHED: i32 = 1;
/** The inside has sent SYN (RFC 6146: V6 INIT). */
export const RFC_INIT_OUT: i32 = 2;
/** The outside has sent SYN (V4 INIT). */
export const RFC_INIT_IN: i32 = 3;
export const RFC_CLIENT_FIN: i32 = 4;
export const RFC_SERVER_FIN: i32 = 5;
export const RFC_BOTH_FIN: i32 = 6;
export const RFC_TRANS: i32 = 7;

/** Direction of a segment. */
export const OUTBOUND: i32 = 0;
export const INBOUND: i32 = 1;

/** What a segment's data are: near where the session is, or even beyond all that its sender has sent. */
export const DATA_NEAR: i32 = 1;
export const DATA_FRESH: i32 = 2;

/** The state after a segment. `data`: DATA_* if it brings data and the session has been used by both sides, or 0. */
export function tcpRfcNext(state: i32, flags: i32, direction: i32, data: i32): i32 {
  if ((flags & TCP_RST) !== 0) return state === RFC_CLOSED || state === RFC_BOTH_FIN ? state : RFC_TRANS;
  if ((flags & TCP_SYN) !== 0) return afterSyn(state, flags, direction);
  if ((flags & TCP_FIN) !== 0) return afterFin(state, direction);
  // RFC 7857 knows no session without a SYN; one that the inside goes on with starts in TRANS.
  if (state === RFC_CLOSED) return RFC_TRANS;
  return data !== 0 ? afterData(state, direction, data) : state;
}

/** 1 if a SYN begins a connection in that state: a first one, or anew. */
export function tcpRfcBegins(state: i32, direction: i32): i32 {
  if (state === RFC_CLOSED || state === RFC_BOTH_FIN || state === RFC_TRANS || state === RFC_INIT_IN)
    return 1;
  return direction === OUTBOUND && (state === RFC_CLIENT_FIN || state === RFC_SERVER_FIN) ? 1 : 0;
}

function afterData(state: i32, direction: i32, data: i32): i32 {
  if (state === RFC_TRANS || state === RFC_INIT_IN) return RFC_ESTABLISHED;
  if (data !== DATA_FRESH) return state;
  if (state === RFC_BOTH_FIN) return direction === OUTBOUND ? RFC_SERVER_FIN : RFC_CLIENT_FIN;
  if (state === RFC_CLIENT_FIN && direction === OUTBOUND) return RFC_ESTABLISHED;
  return state === RFC_SERVER_FIN && direction !== OUTBOUND ? RFC_ESTABLISHED : state;
}

function afterSyn(state: i32, flags: i32, direction: i32): i32 {
  if (state === RFC_INIT_OUT && direction === INBOUND) return RFC_ESTABLISHED;
  if (state === RFC_INIT_IN) return direction === OUTBOUND ? RFC_ESTABLISHED : state;
  // A SYN,ACK answers a SYN that we have seen (synCounts() says so), in a session that was taken for a living one.
  const half: i32 = state === RFC_CLIENT_FIN || state === RFC_SERVER_FIN ? 1 : 0;
  if ((flags & TCP_ACK) !== 0 && state !== RFC_CLOSED && (direction === INBOUND || half !== 0)) {
    return RFC_ESTABLISHED;
  }
  if (tcpRfcBegins(state, direction) === 0) return state;
  return direction === OUTBOUND ? RFC_INIT_OUT : RFC_INIT_IN;
}

function afterFin(state: i32, direction: i32): i32 {
  if (state === RFC_CLOSED) return RFC_TRANS;
  if (state === RFC_ESTABLISHED) return direction === OUTBOUND ? RFC_CLIENT_FIN : RFC_SERVER_FIN;
  if (state === RFC_CLIENT_FIN && direction === INBOUND) return RFC_BOTH_FIN;
  if (state === RFC_SERVER_FIN && direction === OUTBOUND) return RFC_BOTH_FIN;
  return state;
}

/** The parameter that is the state's timer. */
export function tcpRfcTimer(state: i32): i32 {
  if (state === RFC_ESTABLISHED || state === RFC_CLIENT_FIN || state === RFC_SERVER_FIN) {
    return RFC_TCP_ESTABLISHED;
  }
  return state === RFC_INIT_OUT || state === RFC_INIT_IN ? RFC_TCP_OPENING : RFC_TCP_CLOSING;
}

/** Whether the connection is over: its entry may go when another needs the room. */
export function tcpRfcOver(state: i32): i32 {
  return state === RFC_CLOSED || state === RFC_BOTH_FIN || state === RFC_TRANS ? 1 : 0;
}

/** Whether it is not a connection yet: a SYN without its answer, whatever else has come. */
export function tcpRfcOpening(state: i32): i32 {
  return state === RFC_INIT_OUT || state === RFC_INIT_IN ? 1 : 0;
}
