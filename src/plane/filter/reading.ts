// What is known of the rule that is being read (rule-reader.ts): what has been seen, where its operations end. In memory, as the plane has
// no variables.

import { i32at, put8, puti32, putu16 } from '../../base/memory.ts';
import { cellAt, OPERATION_KIND, OPERATION_NEXT, RULE_OPERATIONS } from '../../base/rule-record.ts';
import { LINE_STATE_AT } from './line-words.ts';
import { cellTake } from './rule-table.ts';

const SEEN_AT: i32 = LINE_STATE_AT + 20;
/** Where the next operation is linked, and how many there are. */
const LINK_AT: i32 = LINE_STATE_AT + 24;
export const READ_ORDERED: i32 = LINE_STATE_AT + 28;
export const READ_TABLE: i32 = LINE_STATE_AT + 32;
export const READ_CHAIN: i32 = LINE_STATE_AT + 36;
export const READ_DRAFT: i32 = LINE_STATE_AT + 40;
/** The cell of the target's own operation, and the address of the one of the match that was loaded last. */
export const READ_TARGET: i32 = LINE_STATE_AT + 44;
export const READ_MATCH: i32 = LINE_STATE_AT + 48;

export const SEEN_SOURCE: i32 = 1;
export const SEEN_DESTINATION: i32 = 2;
export const SEEN_IN: i32 = 4;
export const SEEN_OUT: i32 = 8;
export const SEEN_PROTOCOL: i32 = 0x10;
export const SEEN_JUMP: i32 = 0x20;
/** The match of the protocol is loaded, and its options. */
export const SEEN_MATCH: i32 = 0x40;
export const SEEN_SOURCE_PORTS: i32 = 0x80;
export const SEEN_DESTINATION_PORTS: i32 = 0x100;
export const SEEN_FLAGS: i32 = 0x200;
export const SEEN_STATE: i32 = 0x400;
export const SEEN_STATES: i32 = 0x1000;
export const SEEN_LIMIT: i32 = 0x2000;
export const SEEN_RATE: i32 = 0x4000;
export const SEEN_BURST: i32 = 0x8000;
export const SEEN_MULTIPORT: i32 = 0x10000;
export const SEEN_PORTS: i32 = 0x20000;
/** Two options of the target. */
export const SEEN_FIRST: i32 = 0x40000;
export const SEEN_SECOND: i32 = 0x80000;

export function beginReading(rule: i32, table: i32, chain: i32, isDraft: i32): void {
  puti32(SEEN_AT, 0);
  puti32(LINK_AT, cellAt(rule) + RULE_OPERATIONS);
  puti32(READ_ORDERED, 0);
  puti32(READ_TABLE, table);
  puti32(READ_CHAIN, chain);
  puti32(READ_DRAFT, isDraft);
  puti32(READ_TARGET, 0);
  puti32(READ_MATCH, 0);
}

export function hasSeen(what: i32): i32 {
  return (i32at(SEEN_AT) & what) !== 0 ? 1 : 0;
}

/** 1 if it is seen for the first time, and from here on it has been. */
export function seeOnce(what: i32): i32 {
  if (hasSeen(what) !== 0) return 0;
  puti32(SEEN_AT, i32at(SEEN_AT) | what);
  return 1;
}

/** A new operation behind all others: its address; or 0 where no cell is free. */
export function newOperation(kind: i32): i32 {
  const cell: i32 = cellTake();
  if (cell === 0) return 0;
  const at: i32 = cellAt(cell);
  put8(at + OPERATION_KIND, kind);
  linkOperation(cell);
  puti32(READ_ORDERED, i32at(READ_ORDERED) + 1);
  puti32(READ_MATCH, at);
  return at;
}

export function linkOperation(cell: i32): void {
  putu16(i32at(LINK_AT), cell);
  puti32(LINK_AT, cellAt(cell) + OPERATION_NEXT);
}
