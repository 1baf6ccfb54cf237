// Sizes of what rules need, with what happens at each, and the map of its memory, which the heap lends (RULES_AT in limits.ts): boards
// without rules have none of it.

import { INTERFACE_COUNT, MASQUERADE_COUNT, RULES_AT } from './limits.ts';

/**
 * Cells of rules and of what they say beside (rule-record.ts), in memory that the heap lends by the page, half as many on a small
 * board. Cell 0 is none. Who adds a rule for which there is none is told so, and what is in force stays.
 */
export const RULE_CELL_COUNT: i32 = 2048;
export const RULE_CELL_BYTES: i32 = 64;
/** Rules of all chains together, half of it on a small board; the other cells are for what they say beside. The same. */
export const RULE_COUNT: i32 = 1024;
/** Operations of one rule: one with more is refused. */
export const RULE_OPERATION_MOST: i32 = 32;
/** Chains, 17 of them built in; number 0 is none. `-N` is refused when all are in use. */
export const CHAIN_COUNT: i32 = 96;
export const CHAIN_BYTES: i32 = 64;
/** Different names of interfaces in rules, a bit each (RULE_LINKS_AT); number 0 is any. A rule with one more is refused. */
export const RULE_NAME_COUNT: i32 = 32;
export const RULE_NAME_BYTES: i32 = 16;
/** Chains that a packet is in at once: a rule by which more could be is refused when it is entered. */
export const RULE_DEPTH: i32 = 32;
/**
 * Rules that one packet is asked for at one hook. No chain without loops and shorter than RULE_COUNT comes to it but by jumps
 * from many rules to the same long chain: then the packet is dropped, and counted.
 */
export const RULE_WALK_LIMIT: i32 = 2048;
/**
 * The same of operations, of which no chain without jumps has more: a rule of 32 that many jumps lead to would be asked for half a second. One that looks
 * at all flows (connlimit) counts for as many as it costs, so that 32 of these are asked with a full table.
 */
export const OPERATION_WALK_LIMIT: i32 = 2048;
/** Ports of a rule's range that a new flow tries which no mapping has for itself: then it is refused. A try costs 250 operations. */
export const PORT_TRIES: i32 = 32;
/**
 * Paths through the rules that flows keep (src/plane/filter/paths.ts), a place for each rule of one, heads of their chains, and the longest. A flow for
 * whose path there is no place walks the rules with each packet.
 */
export const PATH_COUNT: i32 = 1024;
export const PATH_BYTES: i32 = 8;
export const PATH_HEADS: i32 = 512;
export const PATH_DEPTH: i32 = 32;
/**
 * Flows whose counts are folded in one piece, of a tick or of a call of control: 8,000 instructions. While the ticks give up what is gone,
 * at most 0.7 s, flows keep no path, and their packets are asked one by one.
 */
export const FOLD_FLOWS: i32 = 64;
/** Cells of rules that are gone that a tick makes free. */
export const FREE_CELLS: i32 = 64;
/** What a flow has beside its record while there are rules: paths, mark, counts that its rules have had (src/plane/filter/paths.ts). */
export const FLOW_RULES_BYTES: i32 = 32;
/** Packets that rules log and control has not written yet; what comes while all are taken is counted (src/plane/filter/rule-log.ts). */
export const RULE_LOG_COUNT: i32 = 32;
export const RULE_LOG_BYTES: i32 = 192;
/**
 * Addresses that `recent` remembers, of all its tables together, in sets of RECENT_SET, and stamps of one. Where all of a set are in use the one that was
 * seen longest ago is forgotten: who makes up many addresses makes others be forgotten sooner, as on Linux.
 */
export const RECENT_COUNT: i32 = 256;
export const RECENT_SET: i32 = 8;
export const RECENT_BYTES: i32 = 96;
export const RECENT_STAMPS: i32 = 20;
/**
 * A rule's line as the plane writes it (src/plane/filter/rule-writer.ts), with its line feed: 52 of table and chain, 100 of addresses, links and
 * protocol, 684 of matches, of which 400 are before the last one, 69 of a target. What would be longer is control's alone.
 */
export const RULE_LINE_MOST: i32 = 914;
/** Lines that are written one behind the other: behind so many bytes they are handed on. */
export const RULE_LINES_FILLED: i32 = 448;
/** What reading a line keeps meanwhile (src/plane/filter/line-words.ts). */
export const LINE_STATE_BYTES: i32 = 64;
/** Lines that are being read or written: those that are handed on and one more, and 16 bytes that a word takes beyond its end. */
export const RULE_TEXT_BYTES: i32 = (RULE_LINES_FILLED + RULE_LINE_MOST + 16 + LINE_STATE_BYTES + 63) & ~63;
/** The packet that is being asked, chains that it is in, and single values. */
export const RULE_STATE_BYTES: i32 = 256;

// --- the map -------------------------------------------------------------------------------------------------
/** The state, names and chains, and what flows have beside their records, are lent at once; the cells by the page, as they are wanted. */
export const RULE_STATE_AT: i32 = RULES_AT;
export const RULE_NAMES_AT: i32 = RULE_STATE_AT + RULE_STATE_BYTES;
/** Of each link, a bit for each name that means it. */
export const RULE_LINKS_AT: i32 = RULE_NAMES_AT + RULE_NAME_COUNT * RULE_NAME_BYTES;
export const CHAINS_AT: i32 = RULE_LINKS_AT + ((4 * INTERFACE_COUNT + 63) & ~63);
export const PATH_HEADS_AT: i32 = CHAINS_AT + CHAIN_COUNT * CHAIN_BYTES;
export const PATHS_AT: i32 = PATH_HEADS_AT + 2 * PATH_HEADS;
export const RULE_LOG_AT: i32 = PATHS_AT + PATH_COUNT * PATH_BYTES;
export const RULE_TEXT_AT: i32 = RULE_LOG_AT + RULE_LOG_COUNT * RULE_LOG_BYTES;
export const FLOW_RULES_AT: i32 = (RULE_TEXT_AT + RULE_TEXT_BYTES + 4095) & ~4095;
export const RULE_CELLS_AT: i32 = FLOW_RULES_AT + MASQUERADE_COUNT * FLOW_RULES_BYTES;
/** Lent when the first rule asks `recent`. */
export const RECENT_AT: i32 = RULE_CELLS_AT + RULE_CELL_COUNT * RULE_CELL_BYTES;
export const RULES_END: i32 = RECENT_AT + RECENT_COUNT * RECENT_BYTES;
