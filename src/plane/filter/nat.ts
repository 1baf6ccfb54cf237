// What nat's rules say of the first packet of a flow: to whom it goes (PREROUTING), by which source it leaves (POSTROUTING). Those that
// follow have their flow. Of a range of addresses each client gets one and the same, by a hash.
// Where POSTROUTING has rules they alone say what is masqueraded, as on Linux; without, the house does (policy.ts).
// Not here: the translation (src/plane/flow/).

import { PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import { random32 } from '../../base/entropy.ts';
import { IF_ADDRESS, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { get8, i32at, multiply, puti32, u16at } from '../../base/memory.ts';
import { FLAG_HAIRPIN, FLAG_MARKED, PACKET_FLAGS, PACKET_IN, PASS } from '../../base/packet.ts';
import { PROBE_STATE } from '../../base/probe-record.ts';
import { ROUTE_LINK, ROUTE_LOCAL, ROUTE_TYPE_SHIFT, TO_ROUTE } from '../../base/route-record.ts';
import { PORT_TRIES } from '../../base/rule-limits.ts';
import {
  ADDRESSES_ADDRESS,
  ADDRESSES_FULLY_RANDOM,
  ADDRESSES_PORTS,
  ADDRESSES_RANDOM,
  ADDRESSES_SHIFTED,
  CHAIN_NAT_OUTPUT,
  CHAIN_NAT_POSTROUTING,
  CHAIN_NAT_PREROUTING,
  CHAIN_RULES,
  chainAt,
  OPERATION_ADDRESSES,
  OPERATION_OLD,
  STATE_BIT_NEW,
  TARGET_DNAT,
  TARGET_MASQUERADE,
  TARGET_NETMAP,
  TARGET_REDIRECT,
  TARGET_SNAT,
} from '../../base/rule-record.ts';
import {
  NAT_ADDRESS_AT,
  NAT_PORT_AT,
  NAT_SOURCE_AT,
  OLD_ANSWER_AT,
  VIEW_DESTINATION,
  VIEW_IN,
  VIEW_IN_LINK,
  VIEW_PORTS,
  VIEW_PROTOCOL,
  VIEW_RULE,
  VIEW_SOURCE,
  VIEW_STATE,
} from '../../base/rule-state.ts';
import { findTuple, hash } from '../flow/flow-table.ts';
import { routeTo } from '../ip/route.ts';
import { askMark, HOOKS_BEFORE } from './hooks.ts';
import { HOOK_OLD_FORWARD } from './old-hooks.ts';
import { operationOf } from './rule-targets.ts';
import { look } from './view.ts';
import { walk } from './walk.ts';

/** A rule that says of its ports one of these is asked for the port. */
const ADDRESSES_PICKED: i32 = ADDRESSES_PORTS | ADDRESSES_RANDOM | ADDRESSES_FULLY_RANDOM;
/** Bits of hash(). */
const HASH_BITS: i32 = 12;
export const HOOK_SOURCE: i32 = 1 << CHAIN_NAT_POSTROUTING;
/** By which the router's own packets are asked about that begin a flow. */
export const HOOKS_OWN: i32 = HOOK_SOURCE | (1 << CHAIN_NAT_OUTPUT);
/** It leaves as it is; or by the address of the link. All else is an address. */
export const AS_IS: i32 = 0;
export const AS_LINK: i32 = -1;

/** 1 of a made-up packet that is said to begin no flow. */
function goesOn(): i32 {
  if (i32at(PROBE_AT) === 0 || i32at(PROBE_STATE) === 0) return 0;
  return (i32at(PROBE_STATE) & STATE_BIT_NEW) === 0 ? 1 : 0;
}

/** 1 if rules say what is masqueraded: those of ipchains and ipfwadm have said it by now. */
export function hasSourceRules(): i32 {
  if ((i32at(RULE_HOOKS_AT) & HOOK_OLD_FORWARD) !== 0) return i32at(OLD_ANSWER_AT) !== 0 ? 1 : 0;
  if ((i32at(RULE_HOOKS_AT) & HOOK_SOURCE) === 0 || goesOn() !== 0) return 0;
  return u16at(chainAt(CHAIN_NAT_POSTROUTING) + CHAIN_RULES) !== 0 ? 1 : 0;
}

/** By which address the packet in the view leaves that begins a flow: AS_LINK, AS_IS, or which. */
export function sourceByRules(): i32 {
  const old: i32 = i32at(OLD_ANSWER_AT);
  puti32(NAT_SOURCE_AT, 0);
  if (old !== 0) return old === TARGET_MASQUERADE ? AS_LINK : AS_IS;
  const names: i32 = i32at(VIEW_IN);
  puti32(VIEW_IN, 0);
  const answer: i32 = walk(CHAIN_NAT_POSTROUTING);
  puti32(VIEW_IN, names);
  if (answer !== TARGET_MASQUERADE && answer !== TARGET_SNAT && answer !== TARGET_NETMAP) return AS_IS;
  const addresses: i32 = operationOf(i32at(VIEW_RULE), OPERATION_ADDRESSES);
  if (addresses === 0) return AS_LINK;
  const said: i32 = get8(addresses + 4);
  // A rule that says 0.0.0.0 leaves it as it is, ports and all.
  const source: i32 =
    (said & ADDRESSES_ADDRESS) === 0 ? AS_LINK : chosen(addresses, answer, i32at(VIEW_SOURCE));
  if (source !== AS_IS && (said & ADDRESSES_PICKED) !== 0) puti32(NAT_SOURCE_AT, addresses);
  return source;
}

/**
 * The same of a packet whose flow is led to a host and its port: an address, or AS_IS. `isAsked`: it is in the view already, and is marked. What is turned
 * round on the inside has got its source.
 */
export function sourceTo(packet: i32, to: i32, port: i32, isAsked: i32): i32 {
  if ((i32at(RULE_HOOKS_AT) & HOOK_SOURCE) === 0 || hasSourceRules() === 0) return AS_IS;
  const link: i32 = i32at(routeTo(to) + TO_ROUTE) & ROUTE_LINK;
  const came: i32 = i32at(packet + PACKET_IN);
  const sides: i32 = i32at(interfaceAt(link) + IF_SIDE) & i32at(interfaceAt(came) + IF_SIDE);
  if (sides === INTERFACE_OUTSIDE || (i32at(packet + PACKET_FLAGS) & FLAG_HAIRPIN) !== 0) return AS_IS;
  if (isAsked === 0) {
    look(packet, came, link);
    puti32(VIEW_DESTINATION, to);
    puti32(VIEW_PORTS, (i32at(VIEW_PORTS) & ~0xffff) | port);
  }
  const source: i32 = sourceByRules();
  if (source !== AS_LINK) return source;
  const own: i32 = i32at(interfaceAt(link) + IF_ADDRESS);
  if (own === AS_IS) puti32(NAT_SOURCE_AT, 0);
  return own;
}

/** The address that an OPERATION_ADDRESSES gives for `address`, of a client's flow. */
function chosen(addresses: i32, target: i32, address: i32): i32 {
  const first: i32 = i32at(addresses + 8);
  const last: i32 = i32at(addresses + 12);
  if (target === TARGET_NETMAP) return (first & last) | (address & ~last);
  const more: i32 = (last - first) | 0;
  if (more <= 0) return first;
  return (first + spread(i32at(VIEW_SOURCE), more)) | 0;
}

/** A number from 0 to `most` for a client: the same each time. At most 65,535 are told apart. */
function spread(address: i32, most: i32): i32 {
  const among: i32 = most > 0xffff ? 0xffff : most;
  return multiply(hash(address, 0, 0, 0), among + 1) >>> HASH_BITS;
}

/** Whom a packet is for that a rule of ipchains or ipfwadm has redirected, which is in the view: the router, by the link it came in by. */
export function redirectedByRule(): void {
  const operation: i32 = operationOf(i32at(VIEW_RULE), OPERATION_OLD);
  const port: i32 = operation === 0 ? 0 : u16at(operation + 12);
  puti32(NAT_ADDRESS_AT, i32at(interfaceAt(i32at(VIEW_IN_LINK)) + IF_ADDRESS));
  puti32(NAT_PORT_AT, port === 0 ? i32at(VIEW_PORTS) & 0xffff : port);
}

/** 1 if an address that a rule has said is one of ours. */
export function isOurs(address: i32): i32 {
  return i32at(routeTo(address) + TO_ROUTE) >> ROUTE_TYPE_SHIFT === ROUTE_LOCAL ? 1 : 0;
}

/** 1 if rules may say to whom a flow goes. */
export function hasDestinationRules(): i32 {
  if ((i32at(RULE_HOOKS_AT) & (1 << CHAIN_NAT_PREROUTING)) === 0 || goesOn() !== 0) return 0;
  return u16at(chainAt(CHAIN_NAT_PREROUTING) + CHAIN_RULES) !== 0 ? 1 : 0;
}

/**
 * Which port of a rule's range a packet for `port` of `to` goes to: that one if it is in the range, and the first else; one that is drawn; or as far behind
 * the first as it is behind another. If the client has a flow with that one, the next, of PORT_TRIES at most.
 */
function portOf(addresses: i32, said: i32, to: i32, port: i32): i32 {
  const first: i32 = u16at(addresses + 16);
  const count: i32 = u16at(addresses + 18) - first + 1;
  let next: i32 = 0;
  if ((said & ADDRESSES_SHIFTED) !== 0) next = (port - u16at(addresses + 20)) & 0xffff;
  else if ((said & ADDRESSES_RANDOM) !== 0) next = random32() & 0xffff;
  else if (port >= first && port < first + count) {
    if (count === 1 || isUsed(to, port) === 0) return port;
  }
  for (let left: i32 = PORT_TRIES < count ? PORT_TRIES : count; left > 1; left--) {
    if (isUsed(to, first + (next % count)) === 0) break;
    next += 1;
  }
  return first + (next % count);
}

/** 1 if the client of the packet in the view has a flow with that port of `to`. */
function isUsed(to: i32, port: i32): i32 {
  const ports: i32 = (port << 16) | (i32at(VIEW_PORTS) >>> 16);
  return findTuple(to, i32at(VIEW_SOURCE), ports, i32at(VIEW_PROTOCOL)) !== 0 ? 1 : 0;
}

/**
 * Whom a packet is for that begins a flow and has come in by link number `came`: NAT_ADDRESS_AT and NAT_PORT_AT say it, and that is
 * answered: 1; or 0, as it stands; or the reason to drop it, as the rules that mark packets are asked first.
 */
export function destinationByRules(packet: i32, came: i32): i32 {
  if (hasDestinationRules() === 0) return 0;
  puti32(NAT_ADDRESS_AT, 0);
  if ((i32at(RULE_HOOKS_AT) & HOOKS_BEFORE) !== 0 && (i32at(packet + PACKET_FLAGS) & FLAG_MARKED) === 0) {
    const refused: i32 = askMark(packet, came);
    if (refused !== PASS) return refused;
  } else {
    look(packet, came, -1);
  }
  // What is of no flow and begins none is nobody's to lead.
  if ((i32at(VIEW_STATE) & STATE_BIT_NEW) === 0) return 0;
  return leadsTo(walk(CHAIN_NAT_PREROUTING), came);
}

/** The same of a packet of the router's own, which is in the view, would leave by link number `out`, and begins a flow. */
export function ownDestinationByRules(out: i32): i32 {
  if (u16at(chainAt(CHAIN_NAT_OUTPUT) + CHAIN_RULES) === 0 || goesOn() !== 0) return 0;
  return leadsTo(walk(CHAIN_NAT_OUTPUT), out);
}

/** What a rule's answer about the packet in the view means: NAT_ADDRESS_AT and NAT_PORT_AT, and 1; or 0. Of REDIRECT it is the router by that link. */
function leadsTo(answer: i32, link: i32): i32 {
  if (answer !== TARGET_DNAT && answer !== TARGET_REDIRECT && answer !== TARGET_NETMAP) return 0;
  const addresses: i32 = operationOf(i32at(VIEW_RULE), OPERATION_ADDRESSES);
  const said: i32 = addresses === 0 ? 0 : get8(addresses + 4);
  let to: i32 = i32at(VIEW_DESTINATION);
  if (answer === TARGET_REDIRECT) to = i32at(interfaceAt(link) + IF_ADDRESS);
  else if ((said & ADDRESSES_ADDRESS) !== 0) to = chosen(addresses, answer, to);
  let port: i32 = i32at(VIEW_PORTS) & 0xffff;
  if ((said & ADDRESSES_PORTS) !== 0) port = portOf(addresses, said, to, port);
  puti32(NAT_ADDRESS_AT, to);
  puti32(NAT_PORT_AT, port);
  return 1;
}
