// Rules by chance, for the traffic of half of the seeds: cells are filled as control does it (src/control/rules/builder.ts), with matches and
// targets of all kinds, so that both engines walk them. No name of an interface is in them but the two that setRules() gives.
// Not here: whether they mean what they should (src/plane/filter/), the traffic (traffic.ts).

import { sessionLimit } from '../../base/flow-record.ts';
import { INTERFACE_LAN, INTERFACE_WAN } from '../../base/limits.ts';
import { fill, put8, put16, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  FLOW_RULES_AT,
  FLOW_RULES_BYTES,
  RECENT_AT,
  RULE_CELL_BYTES,
  RULE_CELL_COUNT,
  RULE_CELLS_AT,
  RULE_LINKS_AT,
  RULE_STATE_AT,
  RULES_END,
} from '../../base/rule-limits.ts';
import * as R from '../../base/rule-record.ts';
import type { Plane } from '../core/machine.ts';
import { LAN_NETWORK, lanHost, OPEN_PORT, SERVER_NETWORK, server, WAN_ADDRESS } from './hosts.ts';
import { createRandom, type Random } from './random.ts';

/** Of a seed: its traffic meets rules. */
export const SEED_RULES = 32;
const PAGE = 4096;
/** Cells for them: a page. */
const SOME_CELLS = PAGE / RULE_CELL_BYTES;
const RULES = 20;
const NAME_LAN = 1;
const NAME_WAN = 2;
const CHAINS = [
  R.CHAIN_FORWARD,
  R.CHAIN_FORWARD,
  R.CHAIN_INPUT,
  R.CHAIN_OUTPUT,
  R.CHAIN_MANGLE_PREROUTING,
  R.CHAIN_MANGLE_FORWARD,
  R.CHAIN_MANGLE_POSTROUTING,
  R.CHAIN_NAT_PREROUTING,
  R.CHAIN_NAT_POSTROUTING,
];

/** Puts 32-bit words into an operation from its fourth byte on. */
function words(at: number, ...values: number[]): void {
  for (const [i, value] of values.entries()) puti32(at + 4 + 4 * i, value);
}

/** Fills an operation of a kind by chance; its place is `at`. */
function someMatch(at: number, random: Random): void {
  const fills: [kind: number, run: () => void][] = [
    [R.OPERATION_MULTIPORT, () => words(at, 0x0002_0203 | 0, 53 | (1024 << 16), 9000)],
    [R.OPERATION_LIMIT, () => words(at, 1000, 5000, 5000, 0, 10)],
    [R.OPERATION_MARK, () => words(at, 1, 3)],
    [R.OPERATION_CONNMARK, () => words(at, 1, 1)],
    [R.OPERATION_LENGTH, () => words(at, 40 | (200 << 16))],
    [R.OPERATION_TTL, () => words(at, R.TTL_ABOVE | (20 << 8))],
    [R.OPERATION_TOS, () => words(at, 0xff00)],
    [R.OPERATION_IPRANGE, () => words(at, R.RANGE_SOURCE, LAN_NETWORK | 3, LAN_NETWORK | 90)],
    [R.OPERATION_ADDRTYPE, () => words(at, 1 << 2)],
    [R.OPERATION_PKTTYPE, () => words(at, 0)],
    [R.OPERATION_STATISTIC, () => words(at, 1, 2, 0, 0)],
    [
      R.OPERATION_RECENT,
      () => words(at, (random.below(2) === 0 ? R.RECENT_SET : R.RECENT_UPDATE) | 0x100, 60, -1),
    ],
    [R.OPERATION_CONNLIMIT, () => words(at, R.CONNLIMIT_ABOVE, 3, -1)],
    [R.OPERATION_TCPMSS, () => words(at, 500 | (1500 << 16))],
  ];
  const [kind, run] = fills[random.below(fills.length)] as (typeof fills)[number];
  run();
  put8(at + R.OPERATION_KIND, kind);
  put8(at + R.OPERATION_FLAGS, random.below(4) === 0 ? R.OPERATION_NOT : 0);
}

/** The operation behind all others that a target wants; its place is `at`. */
function targetFields(target: number, at: number, random: Random): void {
  const isMark = target === R.TARGET_MARK || target === R.TARGET_CONNMARK;
  put8(at + R.OPERATION_KIND, isMark ? R.OPERATION_MARK_SET : R.OPERATION_ADDRESSES);
  if (target === R.TARGET_LOG) put8(at + R.OPERATION_KIND, R.OPERATION_LOG);
  else if (isMark) words(at, target === R.TARGET_MARK ? R.MARK_SET : random.below(3), 1, 3);
  else if (target === R.TARGET_DNAT) {
    const to = random.below(2) === 0 ? lanHost(random) : server(random);
    words(at, R.ADDRESSES_ADDRESS | R.ADDRESSES_PORTS, to, to, 80 | (90 << 16));
  } else words(at, R.ADDRESSES_ADDRESS, WAN_ADDRESS, WAN_ADDRESS);
}

function targetOf(chain: number, random: Random): number {
  const pick = (...all: number[]): number => all[random.below(all.length)] as number;
  if (chain === R.CHAIN_NAT_PREROUTING) return pick(R.TARGET_DNAT, R.TARGET_RETURN, R.TARGET_ACCEPT);
  if (chain === R.CHAIN_NAT_POSTROUTING) return pick(R.TARGET_MASQUERADE, R.TARGET_SNAT);
  if (chain >= R.CHAIN_MANGLE_PREROUTING && chain < R.CHAIN_USER)
    return pick(R.TARGET_MARK, R.TARGET_CONNMARK, R.TARGET_TOS, R.TARGET_TCPMSS, R.TARGET_NONE);
  return pick(
    R.TARGET_ACCEPT,
    R.TARGET_ACCEPT,
    R.TARGET_DROP,
    R.TARGET_REJECT,
    R.TARGET_RETURN,
    R.TARGET_LOG,
  );
}

/** What a rule's own cell says. */
function someFields(at: number, random: Random): void {
  let flags = random.below(16) === 0 ? R.RULE_NOT_SOURCE : 0;
  const kind = random.below(6);
  if (random.below(3) === 0) {
    puti32(at + R.RULE_SOURCE, LAN_NETWORK);
    puti32(at + R.RULE_SOURCE_MASK, ~255);
  }
  if (random.below(4) === 0) {
    puti32(at + R.RULE_DESTINATION, SERVER_NETWORK);
    puti32(at + R.RULE_DESTINATION_MASK, ~127);
  }
  put8(at + R.RULE_IN, random.below(4) === 0 ? NAME_LAN : 0);
  put8(at + R.RULE_OUT, random.below(5) === 0 ? NAME_WAN : 0);
  put8(at + R.RULE_PROTOCOL, [0, 0, 6, 17, 1, 17][kind] as number);
  if (kind === 2 || kind === 3) {
    flags |= R.RULE_HAS_PORTS | (random.below(5) === 0 ? R.RULE_NOT_DESTINATION_PORTS : 0);
    puti32(at + R.RULE_SOURCE_PORTS, -65536);
    puti32(at + R.RULE_DESTINATION_PORTS, random.below(OPEN_PORT) | ((OPEN_PORT + random.below(9000)) << 16));
  }
  if (kind === 2 && random.below(2) === 0) {
    flags |= R.RULE_HAS_TCP_FLAGS;
    put16(at + R.RULE_TCP_MASK, 0x1702);
  }
  if (kind === 4) {
    flags |= R.RULE_HAS_ICMP;
    put8(at + R.RULE_ICMP_TYPE, 8);
    put16(at + R.RULE_ICMP_CODES, 255);
  }
  if (random.below(3) === 0) {
    flags |= R.RULE_HAS_STATE | (random.below(4) === 0 ? R.RULE_NOT_STATE : 0);
    put8(at + R.RULE_STATES, 1 + random.below(15));
  }
  putu16(at + R.RULE_FLAGS, flags);
}

/** Makes a rule and puts it behind those of a chain, as long as there are cells. */
function addRule(plane: Plane, chain: number, random: Random, jump = 0): void {
  const rule = plane.cellTake();
  if (rule === 0) return;
  const at = R.cellAt(rule);
  const target = jump !== 0 ? R.TARGET_JUMP : targetOf(chain, random);
  someFields(at, random);
  put8(at + R.RULE_TARGET, target);
  putu16(at + R.RULE_ARGUMENT, jump !== 0 ? jump : target === R.TARGET_REJECT ? random.below(4) : 0);
  puti32(at + R.RULE_VALUE, target === R.TARGET_TCPMSS ? 1000 : 0x10);
  const isFilled = target >= R.TARGET_LOG && target !== R.TARGET_TOS && target !== R.TARGET_TCPMSS;
  const last = isFilled && target !== R.TARGET_MASQUERADE ? plane.cellTake() : 0;
  if (last !== 0) targetFields(target, R.cellAt(last), random);
  const match = random.below(2) === 0 ? plane.cellTake() : 0;
  if (match !== 0) someMatch(R.cellAt(match), random);
  if (match !== 0) putu16(R.cellAt(match) + R.OPERATION_NEXT, last);
  putu16(at + R.RULE_OPERATIONS, match !== 0 ? match : last);
  if (plane.ruleInsert(chain, 0xffff, rule) === 0) plane.cellGive(rule);
}

/** The memory that these rules take, which is compared: pages of the board's. */
export function someRulesMemory(): [from: number, to: number, end: number][] {
  const flows = FLOW_RULES_AT + sessionLimit() * FLOW_RULES_BYTES;
  return [
    [RULE_STATE_AT, (flows + PAGE - 1) & ~(PAGE - 1), RULE_CELLS_AT],
    [RULE_CELLS_AT, RULE_CELLS_AT + PAGE, RULE_CELLS_AT + RULE_CELL_COUNT * RULE_CELL_BYTES],
    [RECENT_AT, RULES_END, RULES_END],
  ];
}

/** Sets rules by a seed, in memory that is there. */
export function setRules(plane: Plane, seed: number): void {
  const random = createRandom(seed ^ 0x5eed);
  for (const [from, to] of someRulesMemory()) fill(from, 0, to - from);
  plane.rulesReset();
  plane.cellsAdd(1, SOME_CELLS - 1);
  puti32(RULE_LINKS_AT + 4 * INTERFACE_LAN, 1 << NAME_LAN);
  puti32(RULE_LINKS_AT + 4 * INTERFACE_WAN, 1 << NAME_WAN);
  const user = plane.chainNew(R.TABLE_FILTER);
  for (let i = 0; i < RULES; i++) {
    const place = random.below(CHAINS.length + 2);
    if (place === 0) addRule(plane, R.CHAIN_FORWARD, random, user);
    else addRule(plane, place > CHAINS.length ? user : (CHAINS[place - 1] as number), random);
  }
  plane.chainPolicy(R.CHAIN_FORWARD, R.POLICY_ACCEPT);
  plane.chainPolicy(
    R.CHAIN_OUTPUT,
    u16at(R.chainAt(R.CHAIN_OUTPUT) + R.CHAIN_RULES) > 1 ? R.POLICY_DROP : R.POLICY_ACCEPT,
  );
}
