// Where ipchains and ipfwadm ask: a packet that goes through the router crosses all three chains, and each is about one link.
//
//    input      as it came, by the link that it came in by
//    forward    by the link that it leaves by; not what the masquerade has let in
//    output     as it leaves, translated, by the link that it leaves by
//
// ipfwadm's accounting counts what input and output have let pass. The walk is the one of all rules (walk.ts): -i and -W are an interface's name in
// RULE_IN, whichever link the chain is about.
// Linux 2.0 and 2.2, their firewall. What each chain sees: IPCHAINS-HOWTO, section 4.1.

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { get32, i32at, puti32, u16at } from '../../base/memory.ts';
import { PACKET_IP, PACKET_L4, PASS } from '../../base/packet.ts';
import {
  CHAIN_ACCOUNT_IN,
  CHAIN_ACCOUNT_OUT,
  CHAIN_OLD_FORWARD,
  CHAIN_OLD_INPUT,
  CHAIN_OLD_OUTPUT,
  CHAIN_RULES,
  chainAt,
  TARGET_ACCEPT,
  TARGET_MASQUERADE,
  TARGET_REDIRECT,
  WALK_MASQUERADE,
  WALK_OPEN,
  WALK_POLICY,
} from '../../base/rule-record.ts';
import {
  OLD_ANSWER_AT,
  VIEW_DESTINATION,
  VIEW_IN,
  VIEW_OUT,
  VIEW_PORTS,
  VIEW_PROTOCOL,
  VIEW_SOURCE,
} from '../../base/rule-state.ts';
import { IP_DESTINATION, IP_SOURCE, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { refusal } from './refusal.ts';
import { walk } from './walk.ts';

export const HOOKS_OLD_IN: i32 = (1 << CHAIN_OLD_INPUT) | (1 << CHAIN_ACCOUNT_IN);
export const HOOKS_OLD_OUT: i32 = (1 << CHAIN_OLD_OUTPUT) | (1 << CHAIN_ACCOUNT_OUT);
export const HOOK_OLD_FORWARD: i32 = 1 << CHAIN_OLD_FORWARD;

/** RFC 2131, section 4.1. */
const DHCP_SERVER: i32 = 67;
const DHCP_CLIENT: i32 = 68;

/** Asks a chain and then its accounting: PASS, or the reason to drop. What a redirect says is in OLD_ANSWER_AT. */
function askOne(chain: i32, account: i32): i32 {
  const hooks: i32 = i32at(RULE_HOOKS_AT);
  if ((hooks & (1 << chain)) !== 0) {
    const answer: i32 = walk(chain);
    if (answer === TARGET_REDIRECT && chain === CHAIN_OLD_INPUT) puti32(OLD_ANSWER_AT, answer);
    else if (isAccepted(answer) === 0) return refusal(answer);
  }
  if ((hooks & (1 << account)) !== 0) walk(account);
  return PASS;
}

function isAccepted(answer: i32): i32 {
  return answer === TARGET_ACCEPT || answer === WALK_POLICY || answer === WALK_OPEN ? 1 : 0;
}

/** 1 of a host's that has no address yet. Its server of the time heard it beside the firewall, so a period script lets nobody of the LAN starve. */
function isAddressless(): i32 {
  return i32at(VIEW_SOURCE) === 0 &&
    i32at(VIEW_PROTOCOL) === PROTOCOL_UDP &&
    i32at(VIEW_PORTS) === ((DHCP_CLIENT << 16) | DHCP_SERVER)
    ? 1
    : 0;
}

/** The packet in the view as it came, before all else. */
export function askOldIn(): i32 {
  if (isAddressless() !== 0) return PASS;
  return askOne(CHAIN_OLD_INPUT, CHAIN_ACCOUNT_IN);
}

/** The packet in the view that is to be sent on: PASS, `house` where no rule has said it, or the reason to drop it. */
export function askOldForward(house: i32): i32 {
  const names: i32 = i32at(VIEW_IN);
  puti32(VIEW_IN, i32at(VIEW_OUT));
  const answer: i32 = walk(CHAIN_OLD_FORWARD);
  puti32(VIEW_IN, names);
  if (answer === TARGET_MASQUERADE || answer === WALK_MASQUERADE) {
    puti32(OLD_ANSWER_AT, TARGET_MASQUERADE);
    return PASS;
  }
  if (isAccepted(answer) === 0) return refusal(answer);
  if (u16at(chainAt(CHAIN_OLD_FORWARD) + CHAIN_RULES) !== 0) puti32(OLD_ANSWER_AT, TARGET_ACCEPT);
  return answer === WALK_POLICY ? house : PASS;
}

/** A packet as it leaves: as it stands if it `isTranslated`, else as the view has it. */
export function askOldOut(packet: i32, isTranslated: i32): i32 {
  const names: i32 = i32at(VIEW_IN);
  puti32(VIEW_IN, i32at(VIEW_OUT));
  if (isTranslated !== 0) {
    const ip: i32 = packet + PACKET_IP;
    const l4: i32 = i32at(packet + PACKET_L4);
    const protocol: i32 = i32at(VIEW_PROTOCOL);
    puti32(VIEW_SOURCE, get32(ip + IP_SOURCE));
    puti32(VIEW_DESTINATION, get32(ip + IP_DESTINATION));
    if (l4 !== 0 && (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP)) puti32(VIEW_PORTS, get32(l4));
  }
  const verdict: i32 = askOne(CHAIN_OLD_OUTPUT, CHAIN_ACCOUNT_OUT);
  puti32(VIEW_IN, names);
  return verdict;
}
