// A trigger: a host inside that has a session with a control port somewhere is sent what comes from there for some of our ports. Read by
// control too. Not here: what it does (src/plane/flow/triggers.ts).
//
//    0                  2              4          6       8      10      16
//    | control protocol | control port | protocol | first | last | flags | openings: session, host, remote, tick |
//
// Those in use come first: TRIGGERS_SET_AT of them.

import { TRIGGER_BYTES, TRIGGER_OPENING_BYTES, TRIGGERS_AT } from './limits.ts';

/** All u16. */
export const TRIGGER_BY_PROTOCOL: i32 = 0;
export const TRIGGER_BY_PORT: i32 = 2;
export const TRIGGER_PROTOCOL: i32 = 4;
export const TRIGGER_FIRST: i32 = 6;
export const TRIGGER_LAST: i32 = 8;
export const TRIGGER_FLAGS: i32 = 10;
/** It lets in as long as the control session is there, and not for TRIGGER_SECONDS after its last packet. */
export const TRIGGER_ALWAYS: i32 = 1;
/** Anybody may come, not only whom the host has asked. */
export const TRIGGER_ANYBODY: i32 = 2;

/** The control session's entry in the table of flows; the host, 0 in an opening that is none; whom it has asked; when. */
export const OPENING_SESSION: i32 = 0;
export const OPENING_HOST: i32 = 4;
export const OPENING_REMOTE: i32 = 8;
export const OPENING_TICK: i32 = 12;

/** Address of trigger number n, from 0. */
export function triggerAt(n: i32): i32 {
  return TRIGGERS_AT + n * TRIGGER_BYTES;
}

/** Address of opening number i of a trigger. */
export function openingAt(trigger: i32, i: i32): i32 {
  return trigger + 16 + i * TRIGGER_OPENING_BYTES;
}
