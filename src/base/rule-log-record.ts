// The record of a packet that a rule has logged, from plane to control.
//
//    0      4       5       6              7    8    9     10     12     16       46     47    48                 64
//    | tick | level | flags | prefix bytes | in | out| ttl | rule | mark | prefix | kind | ... | Ethernet header | datagram |

import { RULE_LOG_AT, RULE_LOG_BYTES, RULE_LOG_COUNT } from './rule-limits.ts';

export const LOG_TICK: i32 = 0;
/** Level, LOG_* of src/base/rule-record.ts, and how long the prefix is (u8): as in the operation. */
export const LOG_LEVEL: i32 = 4;
export const LOG_FLAGS: i32 = 5;
export const LOG_PREFIX_BYTES: i32 = 6;
/** Links that it came in by and leaves by, 255 none (u8). */
export const LOG_IN: i32 = 7;
export const LOG_OUT: i32 = 8;
/** Time to live as the rules saw it (u8). */
export const LOG_TTL: i32 = 9;
/** The rule's cell (u16). It may be another's by now. */
export const LOG_RULE: i32 = 10;
export const LOG_MARK: i32 = 12;
export const LOG_PREFIX: i32 = 16;
export const LOG_PREFIX_MOST: i32 = 30;
/** OPERATION_LOG or OPERATION_DO_LOG (u8). */
export const LOG_KIND: i32 = 46;
export const LOG_ETHERNET: i32 = 48;
/** Its first bytes, up to the record's end. */
export const LOG_DATAGRAM: i32 = 64;

/** Address of record number n, which counts on. */
export function logAt(n: i32): i32 {
  return RULE_LOG_AT + (n & (RULE_LOG_COUNT - 1)) * RULE_LOG_BYTES;
}
