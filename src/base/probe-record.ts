// A made-up packet that the plane is asked about, and what it answers (src/plane/filter/probe.ts): in the memory of a line (RULE_TEXT_AT), for one
// call of control.
//
//    0        512                                          576                                            640
//    | met... | what is asked: the packet, and what of it | what is answered, and what is kept meanwhile | a flow's record |

import { RULE_TEXT_AT } from './rule-limits.ts';

/** What it met, in order (u16 each), PROBE_MOST at most: a rule's cell; a chain's number and PROBE_POLICY; PROBE_NOTE and what. */
export const PROBE_MET_AT: i32 = RULE_TEXT_AT;
export const PROBE_MOST: i32 = 256;
export const PROBE_POLICY: i32 = 0x8000;
export const PROBE_NOTE: i32 = 0x4000;
/** It is of a flow that there is; a mapping lets it in; it is of a host with an address of its own outside; a trigger. */
export const NOTE_FLOW: i32 = 0x4100;
export const NOTE_MAPPING: i32 = 0x4200;
export const NOTE_ONE_TO_ONE: i32 = 0x4300;
export const NOTE_TRIGGER: i32 = 0x4400;
/** And the number of the forward's place. */
export const NOTE_FORWARD: i32 = 0x4500;
export const NOTE_NUMBER: i32 = 0xff;

export const PROBE_SOURCE: i32 = RULE_TEXT_AT + 512;
export const PROBE_DESTINATION: i32 = RULE_TEXT_AT + 516;
/** As PACKET_PORTS has them; of ICMP the identifier. */
export const PROBE_PORTS: i32 = RULE_TEXT_AT + 520;
export const PROBE_PROTOCOL: i32 = RULE_TEXT_AT + 524;
/** TCP's flags, or ICMP's type << 8 | code. */
export const PROBE_KIND: i32 = RULE_TEXT_AT + 528;
/** The link that it comes in by, -1 of the router's own. */
export const PROBE_IN: i32 = RULE_TEXT_AT + 532;
/** STATE_BIT_*, or 0: as the flows say. */
export const PROBE_STATE: i32 = RULE_TEXT_AT + 536;
export const PROBE_BYTES: i32 = RULE_TEXT_AT + 540;
/** 1: as if the router listened to all ports. */
export const PROBE_HEARD: i32 = RULE_TEXT_AT + 544;
/** A chain's number: that one alone is asked, of a packet of an interface of these names (bits) and, if not 0, this address. Else 0. */
export const PROBE_CHAIN: i32 = RULE_TEXT_AT + 548;
export const PROBE_NAMES: i32 = RULE_TEXT_AT + 552;
export const PROBE_VIA: i32 = RULE_TEXT_AT + 556;

/** Of an ICMP error the packet that it is about, as its receiver has sent it: protocol, 0 where it is no error; ports as PACKET_PORTS has them. */
export const PROBE_ABOUT: i32 = RULE_TEXT_AT + 560;
export const PROBE_ABOUT_SOURCE: i32 = RULE_TEXT_AT + 564;
export const PROBE_ABOUT_DESTINATION: i32 = RULE_TEXT_AT + 568;
export const PROBE_ABOUT_PORTS: i32 = RULE_TEXT_AT + 572;

/**
 * PASS: it leaves; PUNT: a service of the router gets it; LOCAL: the router answers it; or the reason to drop it. Of a chain: the TARGET_* of
 * the rule that decides, or WALK_*.
 */
export const PROBE_VERDICT: i32 = RULE_TEXT_AT + 576;
/** Its ends as it is sent on, or comes to the router. */
export const PROBE_NOW_SOURCE: i32 = RULE_TEXT_AT + 580;
export const PROBE_NOW_DESTINATION: i32 = RULE_TEXT_AT + 584;
export const PROBE_NOW_PORTS: i32 = RULE_TEXT_AT + 588;
/** The link that it leaves by. */
export const PROBE_OUT: i32 = RULE_TEXT_AT + 592;
/** Not 0 if the answer is that nothing listens there. */
export const PROBE_CLOSED: i32 = RULE_TEXT_AT + 612;
/** How many it met. */
export const PROBE_MET: i32 = RULE_TEXT_AT + 596;
/** 1 if a rule has said its flow's mark, and that. */
export const PROBE_MARKED: i32 = RULE_TEXT_AT + 600;
export const PROBE_MARK: i32 = RULE_TEXT_AT + 604;
/** The flow that would make room for its, which stays. */
export const PROBE_GONE: i32 = RULE_TEXT_AT + 608;
/** Where `recent` would remember it by now, and by which address; 0 nowhere. */
export const PROBE_SET_TABLE: i32 = RULE_TEXT_AT + 616;
export const PROBE_SET_ADDRESS: i32 = RULE_TEXT_AT + 620;
/** In the place of the flow that it would begin: a record as the table's (flow-record.ts), which is in none. */
export const PROBE_FLOW: i32 = RULE_TEXT_AT + 640;
