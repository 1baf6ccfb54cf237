// The rules: what passes, as the user has written it, in cells of memory that the heap lends when the first one is set
// (LENT_AT in limits.ts). The plane walks them (src/plane/filter/walk.ts), control writes and lists them
// (src/control/rules/). A cell is named by its number, from 1; 0 is none.
//
// A rule is one cell, and what its cell has no field for stands in a chain of operations, each a cell, in the order in which it was
// written. A rule applies to a packet if all that it says does: first what its cell says, then its operations, one after the
// other, up to the first that does not. So a limit takes no token of a packet that what was written before it refuses.
//
//    0      2            4    5     6          7        8        12     16           20     24      26
//    | next | operations | in | out | protocol | target | source | mask | destination | mask | flags | argument |
//    28               32                    36               38     39          41       42        44      48        56
//    | source ports   | destination ports   | TCP mask, value | type | two codes | states | written | value | packets | bytes |
//
// Chains have a record each. Those that are built in have fixed numbers: a packet meets them at the hooks; the others by a rule
// that jumps to them.
// Cost: a rule that does not apply, 20 to 50 instructions by what it is refused for.

import {
  CHAIN_BYTES,
  CHAINS_AT,
  RULE_CELL_BYTES,
  RULE_CELLS_AT,
  RULE_NAME_BYTES,
  RULE_NAMES_AT,
} from './rule-limits.ts';

/** How it was written (RULE_WRITTEN): see src/control/rules/written.ts. */
export const WRITTEN_MATCH: i32 = 7;
export const WRITTEN_TCP: i32 = 1;
export const WRITTEN_UDP: i32 = 2;
export const WRITTEN_ICMP: i32 = 3;
export const WRITTEN_STATES: i32 = 0x18;
export const WRITTEN_STATE: i32 = 8;
export const WRITTEN_CONNTRACK: i32 = 0x10;
export const WRITTEN_STATE_FIRST: i32 = 0x20;
export const WRITTEN_MATCH_SHIFT: i32 = 6;
export const WRITTEN_STATE_SHIFT: i32 = 10;
export const WRITTEN_PLACE_MOST: i32 = 15;

// --- a rule's cell -----------------------------------------------------------------------------------------------
/** The next rule of its chain, and its first operation (u16, cells). */
export const RULE_NEXT: i32 = 0;
export const RULE_OPERATIONS: i32 = 2;
/** Names of interfaces, by their number in the table of names, 0 any (u8). */
export const RULE_IN: i32 = 4;
export const RULE_OUT: i32 = 5;
/** IP protocol, 0 any (u8). */
export const RULE_PROTOCOL: i32 = 6;
/** TARGET_* (u8). */
export const RULE_TARGET: i32 = 7;
/** Addresses, already masked, and their masks. */
export const RULE_SOURCE: i32 = 8;
export const RULE_SOURCE_MASK: i32 = 12;
export const RULE_DESTINATION: i32 = 16;
export const RULE_DESTINATION_MASK: i32 = 20;
/** RULE_NOT_* and RULE_HAS_* (u16). */
export const RULE_FLAGS: i32 = 24;
/** Of a jump its chain, of REJECT the REJECT_* (u16). */
export const RULE_ARGUMENT: i32 = 26;
/** RULE_HAS_PORTS: first and last, of TCP, UDP and whatever has ports there (u16 each). */
export const RULE_SOURCE_PORTS: i32 = 28;
export const RULE_DESTINATION_PORTS: i32 = 32;
/** RULE_HAS_TCP_FLAGS: those that are looked at, and those of them that must be set (u8). */
export const RULE_TCP_MASK: i32 = 36;
export const RULE_TCP_VALUE: i32 = 37;
/** RULE_HAS_ICMP: the type, 255 any, and the first and last code (u8). */
export const RULE_ICMP_TYPE: i32 = 38;
export const RULE_ICMP_CODES: i32 = 39;
/** RULE_HAS_STATE: STATE_BIT_* that it applies to (u8). */
export const RULE_STATES: i32 = 41;
/** How it was written, for listings alone (u16): WRITTEN_*. The walk does not look at it. */
export const RULE_WRITTEN: i32 = 42;
/** Of a target that has one number. */
export const RULE_VALUE: i32 = 44;
/** What it has applied to, 64 bits each, the lower word first. */
export const RULE_PACKETS: i32 = 48;
export const RULE_BYTES: i32 = 56;

export const RULE_NOT_SOURCE: i32 = 1;
export const RULE_NOT_DESTINATION: i32 = 2;
export const RULE_NOT_IN: i32 = 4;
export const RULE_NOT_OUT: i32 = 8;
export const RULE_NOT_PROTOCOL: i32 = 0x10;
/** Applies to later fragments alone; to all but those. */
export const RULE_FRAGMENT: i32 = 0x20;
export const RULE_NOT_FRAGMENT: i32 = 0x40;
/** What follows is looked at if it is set. Packets whose transport header is not all there are dropped where one asks for it. */
export const RULE_HAS_PORTS: i32 = 0x80;
export const RULE_NOT_SOURCE_PORTS: i32 = 0x100;
export const RULE_NOT_DESTINATION_PORTS: i32 = 0x200;
export const RULE_HAS_TCP_FLAGS: i32 = 0x400;
export const RULE_NOT_TCP_FLAGS: i32 = 2048;
export const RULE_HAS_ICMP: i32 = 0x1000;
export const RULE_NOT_ICMP: i32 = 0x2000;
export const RULE_HAS_STATE: i32 = 0x4000;
export const RULE_NOT_STATE: i32 = 0x8000;

// --- targets -------------------------------------------------------------------------------------------------------
/** None: it counts, and the next rule follows. So do LOG, TOS, MARK, CONNMARK and TCPMSS; all others decide. */
export const TARGET_NONE: i32 = 0;
export const TARGET_ACCEPT: i32 = 1;
export const TARGET_DROP: i32 = 2;
export const TARGET_RETURN: i32 = 3;
export const TARGET_JUMP: i32 = 4;
export const TARGET_GOTO: i32 = 5;
/** RULE_ARGUMENT: REJECT_*. */
export const TARGET_REJECT: i32 = 6;
/** An operation OPERATION_LOG behind all others says how. */
export const TARGET_LOG: i32 = 7;
/** These five: an operation OPERATION_ADDRESSES behind all others, which MASQUERADE and REDIRECT need not have. */
export const TARGET_MASQUERADE: i32 = 8;
export const TARGET_SNAT: i32 = 9;
export const TARGET_DNAT: i32 = 10;
export const TARGET_REDIRECT: i32 = 11;
export const TARGET_NETMAP: i32 = 12;
/** RULE_VALUE: what is put, RULE_ARGUMENT: the bits that are taken away before (u8, exclusive or). */
export const TARGET_TOS: i32 = 13;
/** An operation OPERATION_MARK_SET behind all others. */
export const TARGET_MARK: i32 = 14;
export const TARGET_CONNMARK: i32 = 15;
/** RULE_VALUE: the segment size, 0 what the path has room for. */
export const TARGET_TCPMSS: i32 = 16;

// What a walk answers (src/plane/filter/walk.ts) where no rule's target does.
/** No rule has decided, and the policy lets the packet pass as far as the house does; or as Linux would. */
export const WALK_POLICY: i32 = 0x40;
export const WALK_OPEN: i32 = 0x41;
/** The policy refuses it; and the sender is told. */
export const WALK_DROP: i32 = 0x42;
export const WALK_REJECT: i32 = 0x43;
/** ipfwadm's forward: it passes, and is masqueraded. */
export const WALK_MASQUERADE: i32 = 0x44;
/** Packets went round, or too far: refused. */
export const WALK_LOOP: i32 = 0x45;

export const REJECT_NET: i32 = 0;
export const REJECT_HOST: i32 = 1;
export const REJECT_PROTOCOL: i32 = 2;
export const REJECT_PORT: i32 = 3;
export const REJECT_NET_PROHIBITED: i32 = 9;
export const REJECT_HOST_PROHIBITED: i32 = 10;
export const REJECT_ADMIN: i32 = 13;
/** Those above are codes of ICMP's unreachable. */
export const REJECT_RESET: i32 = 0x100;

// --- states ----------------------------------------------------------------------------------------------------------
export const STATE_BIT_INVALID: i32 = 1;
export const STATE_BIT_NEW: i32 = 2;
export const STATE_BIT_RELATED: i32 = 4;
export const STATE_BIT_ESTABLISHED: i32 = 8;
export const STATE_BIT_UNTRACKED: i32 = 0x10;
/** Of conntrack: the source, the destination of its flow is translated. */
export const STATE_BIT_SNAT: i32 = 0x20;
export const STATE_BIT_DNAT: i32 = 0x40;

// --- operations ------------------------------------------------------------------------------------------------------
/** The next one of its rule (u16), what it is and whether it applies to the others (u8): OPERATION_*, OPERATION_NOT. */
export const OPERATION_NEXT: i32 = 0;
export const OPERATION_KIND: i32 = 2;
export const OPERATION_FLAGS: i32 = 3;
export const OPERATION_NOT: i32 = 1;
/** Goes on with the text of the one before: of comments. */
export const OPERATION_MORE: i32 = 0x80;

/** The same fields as in a rule's cell at the same places, RULE_FLAGS to RULE_STATES, for what stands in another order. */
export const OPERATION_FIELDS: i32 = 1;
/** 4: PORTS_* (u8), 5: how many entries (u8), 6: a bit for each that begins a range (u16), 8: ports (u16), 15 at most. */
export const OPERATION_MULTIPORT: i32 = 2;
export const PORTS_SOURCE: i32 = 1;
export const PORTS_DESTINATION: i32 = 2;
export const PORTS_EITHER: i32 = 3;
/**
 * 4: what a packet costs, 8: what there may be at most, 12: what there is, 16: the tick when that was counted, 20: what a tick
 * adds; 24 and 28: average and burst as written, for listings. Whoever writes it fills what there is.
 */
export const OPERATION_LIMIT: i32 = 3;
export const LIMIT_COST: i32 = 4;
export const LIMIT_MOST: i32 = 8;
export const LIMIT_LEFT: i32 = 12;
export const LIMIT_TICK: i32 = 16;
export const LIMIT_REFILL: i32 = 20;
export const LIMIT_AVERAGE: i32 = 24;
export const LIMIT_BURST: i32 = 28;
/** 4: value, 8: mask: the packet's mark; its flow's. */
export const OPERATION_MARK: i32 = 4;
export const OPERATION_CONNMARK: i32 = 5;
/** 4: first, 6: last (u16). */
export const OPERATION_LENGTH: i32 = 6;
/** 4: TTL_* (u8), 5: value (u8). */
export const OPERATION_TTL: i32 = 7;
export const TTL_IS: i32 = 0;
export const TTL_NOT: i32 = 1;
export const TTL_BELOW: i32 = 2;
export const TTL_ABOVE: i32 = 3;
/** 4: value, 5: mask (u8). */
export const OPERATION_TOS: i32 = 8;
/** 4: the station, 6 bytes. */
export const OPERATION_MAC: i32 = 9;
/** 4: RANGE_* (u8), 8 and 12: first and last source, 16 and 20: destination. */
export const OPERATION_IPRANGE: i32 = 10;
export const RANGE_SOURCE: i32 = 1;
export const RANGE_DESTINATION: i32 = 2;
export const RANGE_NOT_SOURCE: i32 = 4;
export const RANGE_NOT_DESTINATION: i32 = 8;
/** 4 and 6: types of source and destination, a bit each as Linux's RTN_* count (u16), 0 any; 8: ADDRTYPE_* (u8). */
export const OPERATION_ADDRTYPE: i32 = 11;
export const ADDRTYPE_NOT_SOURCE: i32 = 1;
export const ADDRTYPE_NOT_DESTINATION: i32 = 2;
export const ADDRTYPE_LIMIT_IN: i32 = 4;
export const ADDRTYPE_LIMIT_OUT: i32 = 8;
/** 4: 0 for us, 1 broadcast, 2 multicast (u8). */
export const OPERATION_PKTTYPE: i32 = 12;
/** 4: 0 by chance, 1 each nth (u8); 8: of 2^31, or n - 1; 12: the packet it begins with; 16: packets since. */
export const OPERATION_STATISTIC: i32 = 13;
/** 4: weekdays, Monday is bit 1 (u8); 5: TIME_* (u8); 8 and 12: first and last second since 1970; 16 and 20: of the day; 24: days of the month, bits. */
export const OPERATION_TIME: i32 = 14;
export const TIME_LOCAL: i32 = 1;
export const TIME_CONTIGUOUS: i32 = 2;
/** 4: RECENT_* (u8), 5: table, from 1 (u8), 6: hit count (u16), 8: seconds, 12: mask, 16: the table's name, ended by a zero. */
export const OPERATION_RECENT: i32 = 15;
export const RECENT_CHECK: i32 = 1;
export const RECENT_SET: i32 = 2;
export const RECENT_UPDATE: i32 = 4;
export const RECENT_REMOVE: i32 = 8;
export const RECENT_TTL: i32 = 16;
export const RECENT_DESTINATION: i32 = 32;
export const RECENT_REAP: i32 = 64;
/** 4: CONNLIMIT_* (u8), 8: how many, 12: mask. */
export const OPERATION_CONNLIMIT: i32 = 16;
export const CONNLIMIT_ABOVE: i32 = 1;
export const CONNLIMIT_DESTINATION: i32 = 2;
/** 4: TCP option (u8). */
export const OPERATION_TCP_OPTION: i32 = 17;
/** 4: first, 6: last segment size that a SYN offers (u16). */
export const OPERATION_TCPMSS: i32 = 18;
/** 4: bytes of text here (u8), 5: text. Applies to all. */
export const OPERATION_COMMENT: i32 = 19;
/** What no packet can be asked, written for listings: 4: what (u8), as src/control/rules/ knows it. Applies to all. */
export const OPERATION_WRITTEN: i32 = 20;

// These four do something to a packet to which all that stands before them applies, and apply to all: of ipchains and ipfwadm, whose
// rules log, mark and change the type of service beside their target.
/** As OPERATION_LOG, without prefix and flags. */
export const OPERATION_DO_LOG: i32 = 21;
/** 4: MARK_RELATIVE (u8), 8: what is set, or added. */
export const OPERATION_DO_MARK: i32 = 22;
export const MARK_RELATIVE: i32 = 1;
/** 4: and, 5: exclusive or (u8). */
export const OPERATION_DO_TOS: i32 = 23;
/** What is written for listings alone: 6: OLD_* (u16), 8: bytes for userspace (u16), 12: port of a redirect (u16). */
export const OPERATION_OLD: i32 = 24;
/** ipfwadm: 5: how many (u8), 8: ICMP types (u8), 10 at most. */
export const OPERATION_ICMP_TYPES: i32 = 25;
/**
 * ipfwadm's -b: the packet as it is or turned round. 8 to 23: addresses and masks as in a rule, 4 and 5: how many ports of the source and of the
 * destination, 0 any, 6: BOTH_* (u8), 24: ports (u16), 10 at most together; the first two of a side are a range where BOTH_* says it.
 */
export const OPERATION_BOTH: i32 = 26;
export const BOTH_SOURCE_RANGE: i32 = 1;
export const BOTH_DESTINATION_RANGE: i32 = 2;
/** ipfwadm's -V: 4: the address of the interface. */
export const OPERATION_VIA: i32 = 27;

/** Of targets; the walk does not ask them. 4: level (u8), 5: LOG_* (u8), 6: bytes of prefix (u8), 8: prefix, 30 at most. */
export const OPERATION_LOG: i32 = 32;
export const LOG_SEQUENCE: i32 = 1;
export const LOG_TCP_OPTIONS: i32 = 2;
export const LOG_IP_OPTIONS: i32 = 4;
export const LOG_UID: i32 = 8;
export const LOG_MAC: i32 = 32;
/** 4: ADDRESSES_* (u8), 8 and 12: first and last address (of NETMAP network and mask), 16 and 18: first and last port (u16). */
export const OPERATION_ADDRESSES: i32 = 33;
export const ADDRESSES_ADDRESS: i32 = 1;
export const ADDRESSES_PORTS: i32 = 2;
export const ADDRESSES_RANDOM: i32 = 4;
export const ADDRESSES_PERSISTENT: i32 = 8;
export const ADDRESSES_FULLY_RANDOM: i32 = 16;
/** 20: the port that becomes the first one, those behind it the next ones (u16). */
export const ADDRESSES_SHIFTED: i32 = 32;
/**
 * 4: MARK_* (u8), 8: value, 12: mask. MARK_SET: the mark without the bits of the mask, exclusive-or the value. MARK_SAVE, RESTORE: the flow's
 * mark from the packet's, or that from it: 8 the flow's mask, 12 the packet's, which are the same unless both were given.
 */
export const OPERATION_MARK_SET: i32 = 34;
export const MARK_SET: i32 = 0;
export const MARK_SAVE: i32 = 1;
export const MARK_RESTORE: i32 = 2;
// --- chains ----------------------------------------------------------------------------------------------------------
/** Name, ended by a zero. */
export const CHAIN_NAME: i32 = 0;
export const CHAIN_NAME_BYTES: i32 = 32;
/**
 * While a table's draft is gathered: whether the chain is of it (DRAFT_*), and the policy that it is to have (u8). They lie in the
 * name's last two bytes, which no name has.
 */
export const CHAIN_DRAFT: i32 = 30;
export const CHAIN_DRAFT_POLICY: i32 = 31;
export const DRAFT_NAMED: i32 = 1;
/** There was none of this name before. */
export const DRAFT_NEW: i32 = 2;
/** First and last rule, how many, and how many rules lead here (u16). */
export const CHAIN_FIRST: i32 = 32;
export const CHAIN_LAST: i32 = 34;
export const CHAIN_RULES: i32 = 36;
export const CHAIN_REFERENCES: i32 = 38;
/** TABLE_*, 0 of a free record (u8); POLICY_* (u8). */
export const CHAIN_TABLE: i32 = 40;
export const CHAIN_POLICY: i32 = 41;
/** Rules that are to take the place of its own (ruleCommit in src/plane/filter/rule-table.ts), first, last, how many (u16). */
export const CHAIN_DRAFT_FIRST: i32 = 42;
export const CHAIN_DRAFT_LAST: i32 = 44;
export const CHAIN_DRAFT_RULES: i32 = 46;
/** What the policy has decided, or who came back from a user's chain: 64 bits each. */
export const CHAIN_PACKETS: i32 = 48;
export const CHAIN_BYTES_COUNT: i32 = 56;

export const TABLE_FILTER: i32 = 1;
export const TABLE_NAT: i32 = 2;
export const TABLE_MANGLE: i32 = 3;
/** ipchains' and ipfwadm's, and ipfwadm's accounting. */
export const TABLE_OLD: i32 = 4;
export const TABLE_ACCOUNT: i32 = 5;

/** As the house has it (src/plane/filter/policy.ts): nobody has set one. Listed as ACCEPT. */
export const POLICY_HOUSE: i32 = 0;
/** Accepted, where the house would not open what it keeps closed to strangers. */
export const POLICY_ACCEPT: i32 = 1;
export const POLICY_DROP: i32 = 2;
/** ipchains' and ipfwadm's. */
export const POLICY_REJECT: i32 = 3;
export const POLICY_MASQUERADE: i32 = 4;
/** As open as Linux: what comes from outside is accepted as well. By `confirm` alone. */
export const POLICY_OPEN: i32 = 5;

/** Numbers of the chains that are built in; those of users follow. */
export const CHAIN_INPUT: i32 = 1;
export const CHAIN_FORWARD: i32 = 2;
export const CHAIN_OUTPUT: i32 = 3;
export const CHAIN_NAT_PREROUTING: i32 = 4;
export const CHAIN_NAT_INPUT: i32 = 5;
export const CHAIN_NAT_OUTPUT: i32 = 6;
export const CHAIN_NAT_POSTROUTING: i32 = 7;
export const CHAIN_MANGLE_PREROUTING: i32 = 8;
export const CHAIN_MANGLE_INPUT: i32 = 9;
export const CHAIN_MANGLE_FORWARD: i32 = 10;
export const CHAIN_MANGLE_OUTPUT: i32 = 11;
export const CHAIN_MANGLE_POSTROUTING: i32 = 12;
export const CHAIN_OLD_INPUT: i32 = 13;
export const CHAIN_OLD_FORWARD: i32 = 14;
export const CHAIN_OLD_OUTPUT: i32 = 15;
export const CHAIN_ACCOUNT_IN: i32 = 16;
export const CHAIN_ACCOUNT_OUT: i32 = 17;
export const CHAIN_USER: i32 = 18;

/** Bytes of an interface's name, ended by a zero; one that ends in + is each that begins so. Name number 0 is any. */
export const NAME_MOST: i32 = RULE_NAME_BYTES - 1;

/** Address of cell number n, from 1. */
export function cellAt(n: i32): i32 {
  return RULE_CELLS_AT + n * RULE_CELL_BYTES;
}

/** Address of chain number n, from 1. */
export function chainAt(n: i32): i32 {
  return CHAINS_AT + n * CHAIN_BYTES;
}

/** Address of the text of an interface's name, from 1. */
export function nameAt(n: i32): i32 {
  return RULE_NAMES_AT + n * RULE_NAME_BYTES;
}
