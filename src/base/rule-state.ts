// Single values of the rules' memory, and the packet that is being asked (src/plane/filter/): what plane and control both read of it.

import { RULE_STATE_AT } from './rule-limits.ts';

/** First free cell, rules in chains, and rules that were taken out of a chain and may still be in flows' paths (u16). */
export const CELL_FREE_AT: i32 = RULE_STATE_AT;
export const RULES_USED_AT: i32 = RULE_STATE_AT + 2;
export const RULES_GONE_AT: i32 = RULE_STATE_AT + 4;
/** Places of paths in use, free-running up to PATH_COUNT (u16). */
export const PATHS_USED_AT: i32 = RULE_STATE_AT + 6;
/** Free cells (u16). */
export const CELLS_FREE_AT: i32 = RULE_STATE_AT + 8;
/** The flow whose counts are folded next while what is gone is given up (u16), or 0. */
export const SWEEP_AT: i32 = RULE_STATE_AT + 10;
/** Log records: the next to write, the next to read (u8 each, free-running), and how many there was no place for. */
export const LOG_WRITTEN_AT: i32 = RULE_STATE_AT + 12;
export const LOG_READ_AT: i32 = RULE_STATE_AT + 13;
export const LOG_LOST_AT: i32 = RULE_STATE_AT + 16;

/** The tick from which on control may be woken to write them. */
export const LOG_DUE_AT: i32 = RULE_STATE_AT + 28;
/** What nat's rules have said of a destination last: address, 0 nothing, and port, 0 the same. */
export const NAT_ADDRESS_AT: i32 = RULE_STATE_AT + 20;
export const NAT_PORT_AT: i32 = RULE_STATE_AT + 24;

// The packet that is being asked.
/** Which names mean the links it came in by and leaves by, a bit each; of none 0. */
export const VIEW_IN: i32 = RULE_STATE_AT + 32;
export const VIEW_OUT: i32 = RULE_STATE_AT + 36;
export const VIEW_SOURCE: i32 = RULE_STATE_AT + 40;
export const VIEW_DESTINATION: i32 = RULE_STATE_AT + 44;
/** As PACKET_PORTS has them. */
export const VIEW_PORTS: i32 = RULE_STATE_AT + 48;
export const VIEW_PROTOCOL: i32 = RULE_STATE_AT + 52;
/** TCP's flags, or ICMP's type << 8 | code; -1 where it is not known. */
export const VIEW_KIND: i32 = RULE_STATE_AT + 56;
/** STATE_BIT_*. */
export const VIEW_STATE: i32 = RULE_STATE_AT + 60;
export const VIEW_PACKET: i32 = RULE_STATE_AT + 64;
/** Of the datagram. */
export const VIEW_BYTES: i32 = RULE_STATE_AT + 68;
/** The flow and its side, or 0. */
export const VIEW_FLOW: i32 = RULE_STATE_AT + 72;
/** The path that its rules make, 0 at the beginning; -1 if none is kept. */
export const VIEW_PATH: i32 = RULE_STATE_AT + 76;
/** Time to live, as the rules see it. */
export const VIEW_TTL: i32 = RULE_STATE_AT + 80;
export const VIEW_MARK: i32 = RULE_STATE_AT + 84;
/** Links by number, -1 none. */
export const VIEW_IN_LINK: i32 = RULE_STATE_AT + 88;
export const VIEW_OUT_LINK: i32 = RULE_STATE_AT + 92;
/** The rule that has decided (its address), and what a rejected packet's sender is told: REJECT_*. */
export const VIEW_RULE: i32 = RULE_STATE_AT + 96;
export const REJECT_AT: i32 = RULE_STATE_AT + 100;
/** What ipchains' and ipfwadm's forward has said of the packet in the view: TARGET_MASQUERADE, TARGET_ACCEPT, or 0, nothing. */
export const OLD_ANSWER_AT: i32 = RULE_STATE_AT + 104;
/** What time it was at a tick, in seconds since 1970 (u32, 0: nobody knows), and what is to be added for the local time: control says it. */
export const WALL_SECONDS_AT: i32 = RULE_STATE_AT + 108;
export const WALL_TICK_AT: i32 = RULE_STATE_AT + 112;
export const WALL_ZONE_AT: i32 = RULE_STATE_AT + 116;
/** While a flow begins of whose source a rule has said something: its OPERATION_ADDRESSES (address); else 0. */
export const NAT_SOURCE_AT: i32 = RULE_STATE_AT + 124;
/** How many operations the packet in the view may still be asked for at this hook (OPERATION_WALK_LIMIT). */
export const OPERATIONS_LEFT_AT: i32 = RULE_STATE_AT + 120;
/** Which links there were when their names were looked at last, a bit each, and the tick of that: control's. */
export const LINKS_SEEN_AT: i32 = RULE_STATE_AT + 192;
export const LINKS_TICK_AT: i32 = RULE_STATE_AT + 196;
/** Chains to come back to: the rule that follows the jump, RULE_DEPTH of them (u16). */
export const RETURNS_AT: i32 = RULE_STATE_AT + 128;
