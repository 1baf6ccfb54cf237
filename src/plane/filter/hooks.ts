// Where packets are asked, and what the answer makes of them: one function for each way that a packet can go. Without rules the steps of
// src/plane/ip/forward.ts and src/plane/local/ find a bit that is not set (RULE_HOOKS_AT), and nothing here runs.
//
//    through us    mangle PREROUTING, FORWARD; filter FORWARD; mangle POSTROUTING
//    to us         mangle PREROUTING, INPUT; filter INPUT
//    from us       mangle OUTPUT; filter OUTPUT; mangle POSTROUTING (nat's between them: src/plane/ip/output.ts)
//
// Those of ipchains and ipfwadm are old-hooks.ts; one dialect has rules at a time.
//
// nat's chains are asked for the first packet of a flow alone (nat.ts), PREROUTING behind mangle's. Rules of filter see a packet that goes through us as
// the inside does: with the destination that it leaves with, and the source that it came with.
// A policy that accepts lets pass what the house does: what comes from outside and no flow knows needs a rule that says ACCEPT, or
// POLICY_OPEN.
// Not here: the walk (walk.ts), the house's own policy (policy.ts).

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { interfaceAt } from '../../base/interface.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import {
  FLAG_ASKED,
  FLAG_DESTINATION_TRANSLATED,
  FLAG_MARKED,
  PACKET_FLAGS,
  PACKET_IN,
  PASS,
} from '../../base/packet.ts';
import { ROUTE_LINK, TO_ROUTE } from '../../base/route-record.ts';
import {
  CHAIN_FORWARD,
  CHAIN_INPUT,
  CHAIN_MANGLE_FORWARD,
  CHAIN_MANGLE_INPUT,
  CHAIN_MANGLE_OUTPUT,
  CHAIN_MANGLE_POSTROUTING,
  CHAIN_MANGLE_PREROUTING,
  CHAIN_OUTPUT,
  STATE_BIT_DNAT,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_RELATED,
  TARGET_ACCEPT,
  TARGET_REDIRECT,
  WALK_OPEN,
  WALK_POLICY,
} from '../../base/rule-record.ts';
import {
  OLD_ANSWER_AT,
  VIEW_DESTINATION,
  VIEW_FLOW,
  VIEW_IN,
  VIEW_OUT,
  VIEW_OUT_LINK,
  VIEW_PATH,
  VIEW_PORTS,
  VIEW_SOURCE,
  VIEW_STATE,
  VIEW_TTL,
} from '../../base/rule-state.ts';
import { routeTo } from '../ip/route.ts';
import {
  askOldForward,
  askOldIn,
  askOldOut,
  HOOK_OLD_FORWARD,
  HOOKS_OLD_IN,
  HOOKS_OLD_OUT,
} from './old-hooks.ts';
import { keepPath } from './paths.ts';
import { forwardPolicy } from './policy.ts';
import { refusal } from './refusal.ts';
import { look, lookAsCame, lookOut } from './view.ts';
import { walk } from './walk.ts';

/** Bits of RULE_HOOKS_AT by which a packet is asked that goes through us, is for us, or is ours. */
export const HOOKS_BEFORE: i32 = (1 << CHAIN_MANGLE_PREROUTING) | HOOKS_OLD_IN;
export const HOOKS_FORWARD: i32 =
  HOOKS_BEFORE |
  HOOK_OLD_FORWARD |
  HOOKS_OLD_OUT |
  (1 << CHAIN_FORWARD) |
  (1 << CHAIN_MANGLE_FORWARD) |
  (1 << CHAIN_MANGLE_POSTROUTING);
export const HOOKS_INPUT: i32 = HOOKS_BEFORE | (1 << CHAIN_INPUT) | (1 << CHAIN_MANGLE_INPUT);
export const HOOKS_OUTPUT: i32 =
  HOOKS_OLD_OUT | (1 << CHAIN_OUTPUT) | (1 << CHAIN_MANGLE_OUTPUT) | (1 << CHAIN_MANGLE_POSTROUTING);

/** Beside STATE_BIT_*: a packet that has been let in. */
export const LET_IN: i32 = 0x100;

/** Asks a chain, if its hook is set: PASS, or the reason to drop. `open`: what a policy that accepts means. */
function ask(chain: i32, open: i32): i32 {
  if ((i32at(RULE_HOOKS_AT) & (1 << chain)) === 0) return open;
  const answer: i32 = walk(chain);
  if (answer === TARGET_ACCEPT || answer === WALK_OPEN) return PASS;
  return answer === WALK_POLICY ? open : refusal(answer);
}

/** A packet that goes through us by link number `out`: PASS, or the reason to drop it. It may be translated already, and is not yet on its way out. */
export function askForward(packet: i32, out: i32): i32 {
  const came: i32 = i32at(packet + PACKET_IN);
  look(packet, came, out);
  const known: i32 = i32at(VIEW_STATE) & (STATE_BIT_ESTABLISHED | STATE_BIT_RELATED);
  const isLetIn: i32 = i32at(packet + PACKET_FLAGS) & FLAG_DESTINATION_TRANSLATED;
  // What has been let in is let in again while nobody has answered it.
  const house: i32 = (known | isLetIn) !== 0 ? PASS : forwardPolicy(interfaceAt(came));
  return askChains(packet, house, isLetIn !== 0 ? LET_IN : 0);
}

/**
 * The same of the first packet of a flow from outside, before there is one, for a host inside and its port: what is refused has pushed nobody out of
 * the table. `translation`: STATE_BIT_DNAT where a forward or a rule has given it the host.
 */
export function askStranger(packet: i32, inside: i32, port: i32, translation: i32): i32 {
  const to: i32 = i32at(routeTo(inside) + TO_ROUTE);
  look(packet, i32at(packet + PACKET_IN), to & ROUTE_LINK);
  puti32(VIEW_DESTINATION, inside);
  puti32(VIEW_PORTS, (i32at(VIEW_PORTS) & ~0xffff) | port);
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_ASKED);
  // A mapping or a forward lets it in, so the house does.
  return askChains(packet, PASS, LET_IN | translation);
}

/** The rules before the routing alone, of a packet for us that begins a flow: they are not asked again. PASS, or the reason to drop it. */
export function askMark(packet: i32, index: i32): i32 {
  look(packet, index, -1);
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_MARKED);
  return askBefore();
}

/** `house`: what it says where no rule does. `letIn`: LET_IN if the masquerade has given it a destination inside, and what that is to its state. */
export function askChains(packet: i32, house: i32, letIn: i32): i32 {
  const hooks: i32 = i32at(RULE_HOOKS_AT);
  if ((hooks & HOOKS_BEFORE) !== 0 && (i32at(packet + PACKET_FLAGS) & FLAG_MARKED) === 0) {
    const before: i32 = askBefore();
    if (before !== PASS || i32at(OLD_ANSWER_AT) === TARGET_REDIRECT) return before;
  }
  puti32(VIEW_STATE, i32at(VIEW_STATE) | (letIn & STATE_BIT_DNAT));
  puti32(VIEW_TTL, i32at(VIEW_TTL) - 1);
  let verdict: i32 = ask(CHAIN_MANGLE_FORWARD, PASS);
  if (verdict !== PASS) return verdict;
  if ((hooks & HOOK_OLD_FORWARD) === 0) verdict = ask(CHAIN_FORWARD, house);
  else if (letIn === 0) verdict = askOldForward(house);
  if (verdict === PASS && (hooks & (1 << CHAIN_MANGLE_POSTROUTING)) !== 0) {
    const names: i32 = i32at(VIEW_IN);
    puti32(VIEW_IN, 0);
    verdict = ask(CHAIN_MANGLE_POSTROUTING, PASS);
    puti32(VIEW_IN, names);
  }
  // What is not let in leaves translated, and is asked when it is.
  return verdict === PASS && letIn !== 0 && (hooks & HOOKS_OLD_OUT) !== 0 ? askOldOut(packet, 0) : verdict;
}

/** A packet that has passed askForward(), and that the masquerade has not let in, as it leaves: PASS, or the reason to drop it. */
export function askLeaving(packet: i32): i32 {
  return (i32at(RULE_HOOKS_AT) & HOOKS_OLD_OUT) === 0 ? PASS : askOldOut(packet, 1);
}

/** Before the routing: the packet as it came, and no link that it leaves by. */
function askBefore(): i32 {
  const destination: i32 = i32at(VIEW_DESTINATION);
  const source: i32 = i32at(VIEW_SOURCE);
  const ports: i32 = i32at(VIEW_PORTS);
  const names: i32 = i32at(VIEW_OUT);
  const link: i32 = i32at(VIEW_OUT_LINK);
  lookAsCame();
  puti32(VIEW_OUT, 0);
  puti32(VIEW_OUT_LINK, -1);
  let verdict: i32 = ask(CHAIN_MANGLE_PREROUTING, PASS);
  if (verdict === PASS && (i32at(RULE_HOOKS_AT) & HOOKS_OLD_IN) !== 0) verdict = askOldIn();
  puti32(VIEW_DESTINATION, destination);
  puti32(VIEW_SOURCE, source);
  puti32(VIEW_PORTS, ports);
  puti32(VIEW_OUT, names);
  puti32(VIEW_OUT_LINK, link);
  return verdict;
}

/** A packet for the router that came in by link number `index`: PASS, or the reason to drop it. The house is asked behind this. */
export function askInput(packet: i32, index: i32): i32 {
  look(packet, index, -1);
  const isAsked: i32 = i32at(packet + PACKET_FLAGS) & FLAG_MARKED;
  let verdict: i32 = (i32at(RULE_HOOKS_AT) & HOOKS_BEFORE) !== 0 && isAsked === 0 ? askBefore() : PASS;
  if (verdict === PASS) verdict = ask(CHAIN_MANGLE_INPUT, PASS);
  return verdict === PASS ? ask(CHAIN_INPUT, PASS) : verdict;
}

/** A packet of the router's own that leaves by link number `out`, before nat is asked to whom it goes: PASS, or the reason to drop it. */
export function askOutput(packet: i32, out: i32): i32 {
  look(packet, -1, out);
  return ask(CHAIN_MANGLE_OUTPUT, PASS);
}

/** The same behind that, with its destination in the view: it leaves by link number `out` now. */
export function askOutputTo(packet: i32, out: i32): i32 {
  let verdict: i32 = ask(CHAIN_OUTPUT, PASS);
  // As on Linux OUTPUT sees the link of the packet as it was made, and POSTROUTING that by which it leaves.
  if (out !== i32at(VIEW_OUT_LINK)) lookOut(out);
  if (verdict === PASS) verdict = ask(CHAIN_MANGLE_POSTROUTING, PASS);
  return verdict === PASS && (i32at(RULE_HOOKS_AT) & HOOKS_OLD_OUT) !== 0 ? askOldOut(packet, 0) : verdict;
}

/** The packet that has just been asked goes on: its flow keeps its path, or it is asked again with the next packet. */
export function keepAnswer(packet: i32): void {
  const path: i32 = i32at(VIEW_PATH);
  const flow: i32 = i32at(VIEW_FLOW);
  if (path >= 0 && flow !== 0) keepPath(flow & ~1, flow & 1, path);
  else puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | FLAG_ASKED);
}

/** What comes from outside, and no flow has let in: whether a rule may let it in, so that it goes on to be asked. */
export function strangerPolicy(at: i32): i32 {
  if ((i32at(RULE_HOOKS_AT) & ((1 << CHAIN_FORWARD) | HOOK_OLD_FORWARD)) !== 0) return PASS;
  return forwardPolicy(at);
}
