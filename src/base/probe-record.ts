// A made-up packet that the plane is asked about, and what it answers (src/plane/filter/probe.ts): in the memory of a line (RULE_TEXT_AT), for one
// call of control.
//
//    0        512      516           520     524        528    532  536     540     576       580     584  588    592   596      600
//    | met... | source | destination | ports | protocol | kind | in | state | bytes | verdict | where | to | port | out | source | met

import { RULE_TEXT_AT } from './rule-limits.ts';

/** What it met, in order: a rule's cell, or a chain's number and PROBE_POLICY (u16), PROBE_MOST at most. */
export const PROBE_MET_AT: i32 = RULE_TEXT_AT;
export const PROBE_MOST: i32 = 256;
export const PROBE_POLICY: i32 = 0x8000;
export const PROBE_SOURCE: i32 = RULE_TEXT_AT + 512;
export const PROBE_DESTINATION: i32 = RULE_TEXT_AT + 516;
/** As PACKET_PORTS has them. */
export const PROBE_PORTS: i32 = RULE_TEXT_AT + 520;
export const PROBE_PROTOCOL: i32 = RULE_TEXT_AT + 524;
/** TCP's flags, or ICMP's type << 8 | code. */
export const PROBE_KIND: i32 = RULE_TEXT_AT + 528;
/** The link that it comes in by, -1 of the router's own. */
export const PROBE_IN: i32 = RULE_TEXT_AT + 532;
/** STATE_BIT_*, or 0: as the flows say. */
export const PROBE_STATE: i32 = RULE_TEXT_AT + 536;
export const PROBE_BYTES: i32 = RULE_TEXT_AT + 540;
/** PASS or the reason to drop it. */
export const PROBE_VERDICT: i32 = RULE_TEXT_AT + 576;
export const PROBE_WHERE: i32 = RULE_TEXT_AT + 580;
/** It does not come to the rules; goes through us; is for us; is ours. */
export const PROBE_NOWHERE: i32 = 0;
export const PROBE_FORWARD: i32 = 1;
export const PROBE_INPUT: i32 = 2;
export const PROBE_OUTPUT: i32 = 3;
/** What nat's rules have made of its destination, 0 nothing. */
export const PROBE_TO: i32 = RULE_TEXT_AT + 584;
export const PROBE_TO_PORT: i32 = RULE_TEXT_AT + 588;
export const PROBE_OUT: i32 = RULE_TEXT_AT + 592;
/** By which source it leaves: 0 as it is, -1 the link's, or an address. */
export const PROBE_LEAVES: i32 = RULE_TEXT_AT + 596;
/** How many it met. */
export const PROBE_MET: i32 = RULE_TEXT_AT + 600;
