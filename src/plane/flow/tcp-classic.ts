// Profile classic: what a TCP session's state is, by the table of Linux 2.2's masquerade.
//
// A segment is looked up by its direction and by the first that is set of RST, SYN, FIN, ACK; with none of
// them set the state becomes CLOSE. Each state has its own timer, parameters CLASSIC_STATES + state, and
// every segment restarts it, from either side. The state of a new session is NONE before its first segment.
//
// The table is written as 2.2 has it, a digit a state, in the order NO ES SS SR FW TW CL CW LA LI, five to a
// number. It lies in the plane's memory, because code in the portable subset has no array constants.

import { MASQUERADE_STATE_AT } from '../../base/limits.ts';
import { get8, put8 } from '../../base/memory.ts';
import { CLASSIC_STATES } from '../../base/parameters.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../wire/tcp.ts';

export const CLASSIC_NONE: i32 = 0;
/** The same number as RFC_ESTABLISHED, see there. */
export const CLASSIC_ESTABLISHED: i32 = 1;
export const CLASSIC_SYN_SENT: i32 = 2;
export const CLASSIC_SYN_RECV: i32 = 3;
export const CLASSIC_FIN_WAIT: i32 = 4;
export const CLASSIC_TIME_WAIT: i32 = 5;
export const CLASSIC_CLOSE: i32 = 6;
export const CLASSIC_CLOSE_WAIT: i32 = 7;
export const CLASSIC_LAST_ACK: i32 = 8;
export const CLASSIC_LISTEN: i32 = 9;
export const CLASSIC_STATE_COUNT: i32 = 10;

/** 8 rows of 10 bytes, in the second half of the masquerade's state block. */
const TABLE_AT: i32 = MASQUERADE_STATE_AT + 128;

export function resetTcpClassic(): void {
  // OUTBOUND: syn, fin, ack, rst.
  putRow(0, 0x21212, 0x22229);
  putRow(1, 0x54254, 0x56589);
  putRow(2, 0x11234, 0x56781);
  putRow(3, 0x66266, 0x56666);
  // INBOUND: syn, fin, ack, rst.
  putRow(4, 0x31133, 0x33333);
  putRow(5, 0x67255, 0x56789);
  putRow(6, 0x61234, 0x56769);
  putRow(7, 0x66636, 0x66689);
}

function putRow(row: i32, first: i32, second: i32): void {
  const at: i32 = TABLE_AT + CLASSIC_STATE_COUNT * row;
  for (let i: i32 = 0; i < 5; i++) {
    put8(at + i, (first >>> (16 - 4 * i)) & 15);
    put8(at + 5 + i, (second >>> (16 - 4 * i)) & 15);
  }
}

/** The state after a segment; `direction` is OUTBOUND (0) or INBOUND (1). */
export function tcpClassicNext(state: i32, flags: i32, direction: i32): i32 {
  let row: i32 = 4 * direction;
  if ((flags & TCP_RST) !== 0) row += 3;
  else if ((flags & TCP_SYN) !== 0) row += 0;
  else if ((flags & TCP_FIN) !== 0) row += 1;
  else if ((flags & TCP_ACK) !== 0) row += 2;
  else return CLASSIC_CLOSE;
  return get8(TABLE_AT + CLASSIC_STATE_COUNT * row + state);
}

/** The parameter that is the state's timer. */
export function tcpClassicTimer(state: i32): i32 {
  return CLASSIC_STATES + state;
}

/** Whether the connection is over: its entry may go when another needs the room. Half-closed ones may not. */
export function tcpClassicOver(state: i32): i32 {
  return state === CLASSIC_TIME_WAIT || state === CLASSIC_CLOSE || state === CLASSIC_LAST_ACK ? 1 : 0;
}

/** Whether it is not a connection yet. */
export function tcpClassicOpening(state: i32): i32 {
  return state === CLASSIC_NONE ||
    state === CLASSIC_SYN_SENT ||
    state === CLASSIC_SYN_RECV ||
    state === CLASSIC_LISTEN
    ? 1
    : 0;
}

/** 1 if a SYN begins a connection in that state: a first one, or anew. */
export function tcpClassicBegins(state: i32): i32 {
  return tcpClassicOpening(state) !== 0 || tcpClassicOver(state) !== 0 ? 1 : 0;
}
