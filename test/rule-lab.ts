// Rules for tests, put into the plane's memory as control does: a cell each, by its fields.

import { MASQUERADE_COUNT, RULES_AT, RULES_BYTES } from '../src/base/limits.ts';
import { fill, i32at, put8, put16, puti32, putu16, u16at } from '../src/base/memory.ts';
import { FLOW_RULES_AT, FLOW_RULES_BYTES, RULE_CELL_COUNT, RULE_LINKS_AT } from '../src/base/rule-limits.ts';
import * as R from '../src/base/rule-record.ts';
import type { Plane } from '../tools/builds.ts';
import { address } from './packets.ts';

/** Names of links in these tests: 1 is the LAN's, 2 the WAN's, 3 means both. */
export const NAME_LAN = 1;
export const NAME_WAN = 2;
export const NAME_BOTH = 3;

export interface RuleFields {
  /** `address/bits`, or `!address/bits`. */
  source?: string | undefined;
  destination?: string | undefined;
  in?: number;
  out?: number;
  protocol?: number;
  /** First and last. */
  sourcePorts?: [number, number] | undefined;
  ports?: [number, number] | undefined;
  /** Mask and value of TCP's flags. */
  tcp?: [number, number];
  icmp?: number;
  states?: number | undefined;
  flags?: number;
  target?: number;
  argument?: number;
  value?: number;
  /** Each writes its fields into a cell whose kind is set. */
  operations?: { kind: number; not?: boolean; write?: (at: number) => void }[];
}

/** Makes the rules' memory empty, as the heap lends it, and all cells free. */
export function startRules(plane: Plane): void {
  fill(RULES_AT, 0, RULES_BYTES);
  fill(FLOW_RULES_AT, 0, MASQUERADE_COUNT * FLOW_RULES_BYTES);
  plane.rulesReset();
  plane.cellsAdd(1, RULE_CELL_COUNT - 1);
  puti32(RULE_LINKS_AT, (1 << NAME_LAN) | (1 << NAME_BOTH));
  puti32(RULE_LINKS_AT + 4, (1 << NAME_WAN) | (1 << NAME_BOTH));
}

/** An address with its length, and whether it is refused: where they stand in the cell. */
function putAddress(at: number, text: string): boolean {
  const isNot = text.startsWith('!');
  const [host = '', bits = '32'] = text.slice(isNot ? 1 : 0).split('/');
  const mask = bits === '0' ? 0 : -1 << (32 - Number(bits));
  puti32(at, address(host) & mask);
  puti32(at + 4, mask);
  return isNot;
}

/** Writes a rule into a cell; answers its number. */
export function makeRule(plane: Plane, fields: RuleFields): number {
  const rule = plane.cellTake();
  const at = R.cellAt(rule);
  let flags = fields.flags ?? 0;
  if (fields.source !== undefined && putAddress(at + R.RULE_SOURCE, fields.source))
    flags |= R.RULE_NOT_SOURCE;
  if (fields.destination !== undefined && putAddress(at + R.RULE_DESTINATION, fields.destination))
    flags |= R.RULE_NOT_DESTINATION;
  put8(at + R.RULE_IN, fields.in ?? 0);
  put8(at + R.RULE_OUT, fields.out ?? 0);
  put8(at + R.RULE_PROTOCOL, fields.protocol ?? 0);
  put8(at + R.RULE_TARGET, fields.target ?? R.TARGET_NONE);
  putu16(at + R.RULE_ARGUMENT, fields.argument ?? 0);
  puti32(at + R.RULE_VALUE, fields.value ?? 0);
  if (fields.ports !== undefined || fields.sourcePorts !== undefined) {
    flags |= R.RULE_HAS_PORTS;
    const put = (field: number, [first, last]: [number, number]) => {
      putu16(at + field, first);
      putu16(at + field + 2, last);
    };
    put(R.RULE_SOURCE_PORTS, fields.sourcePorts ?? [0, 65535]);
    put(R.RULE_DESTINATION_PORTS, fields.ports ?? [0, 65535]);
  }
  if (fields.tcp !== undefined) {
    flags |= R.RULE_HAS_TCP_FLAGS;
    put8(at + R.RULE_TCP_MASK, fields.tcp[0]);
    put8(at + R.RULE_TCP_VALUE, fields.tcp[1]);
  }
  if (fields.icmp !== undefined) {
    flags |= R.RULE_HAS_ICMP;
    put8(at + R.RULE_ICMP_TYPE, fields.icmp);
    put16(at + R.RULE_ICMP_CODES, 255);
  }
  if (fields.states !== undefined) {
    flags |= R.RULE_HAS_STATE;
    put8(at + R.RULE_STATES, fields.states);
  }
  putu16(at + R.RULE_FLAGS, flags);
  for (const { kind, not, write } of [...(fields.operations ?? [])].reverse()) {
    const operation = plane.cellTake();
    const there = R.cellAt(operation);
    put8(there + R.OPERATION_KIND, kind);
    put8(there + R.OPERATION_FLAGS, not === true ? R.OPERATION_NOT : 0);
    write?.(there);
    putu16(there + R.OPERATION_NEXT, u16at(at + R.RULE_OPERATIONS));
    putu16(at + R.RULE_OPERATIONS, operation);
  }
  return rule;
}

/** Puts a rule behind those of a chain; answers its cell. */
export function addRule(plane: Plane, chain: number, fields: RuleFields): number {
  const rule = makeRule(plane, fields);
  if (plane.ruleInsert(chain, 0xffff, rule) !== 1) throw new Error('There is no room for the rule');
  return rule;
}

/** Packets and bytes of a rule, or of a chain's policy, after all flows' counts have been folded. */
export function countsOf(plane: Plane, where: { rule: number } | { chain: number }): [number, number] {
  for (let from = 1; from !== 0; ) from = plane.rulesFold(from);
  const at = 'rule' in where ? R.cellAt(where.rule) : R.chainAt(where.chain);
  const whole = (field: number) => (i32at(at + field) >>> 0) + 2 ** 32 * (i32at(at + field + 4) >>> 0);
  return [whole(R.RULE_PACKETS), whole(R.RULE_BYTES)];
}
