// A rule of ipfwadm as the kernel of 2.0 has it, and the same in the plane's cells. What the kernel has in its flags and ports stands in an
// operation of each rule as well (../old/cells.ts), so a rule is listed, saved and compared as it was written.
//
// A departure: -k and -y without -P tcp ask for TCP here, where the kernel lets all other protocols match as well.
// Not here: words (line.ts), listings (listing.ts), accounting's order (account.ts).

import { get8, i32at, put8, puti32, putu16, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../wire/ipv4.ts';
import { TCP_ACK, TCP_SYN } from '../../../wire/tcp.ts';
import type { Machine } from '../../core/machine.ts';
import { type Aliases, interfaceNumber, interfaceText } from '../links.ts';
import {
  CellWriter,
  OLD_COUNTS,
  OLD_FLAGS,
  OLD_NUMBERS,
  OLD_ORDER,
  OLD_REDIRECT,
  operationOf,
} from '../old/cells.ts';
import { fail } from './refuse.ts';

export const KIND_TCP = 1;
export const KIND_UDP = 2;
export const KIND_ICMP = 3;
export const KIND = 3;
export const ACCEPT = 4;
export const SOURCE_RANGE = 8;
export const DESTINATION_RANGE = 0x10;
export const LOG = 0x20;
export const BOTH = 0x40;
export const SYN = 0x80;
export const REJECT = 0x100;
export const MASQUERADE = 0x200;
export const ACK = 0x400;
export const REDIRECT = 2048;
export const ACCOUNT_IN = 0x1000;
export const ACCOUNT_OUT = 0x2000;

/** Ports of both sides together. */
export const PORTS_MOST = 10;
const TYPES_MOST = 10;
const PROTOCOLS = [0, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP];

export interface FwadmRule {
  source: number;
  sourceMask: number;
  destination: number;
  destinationMask: number;
  flags: number;
  /** A range is the first two. */
  sourcePorts: number[];
  destinationPorts: number[];
  link: string;
  via: number;
  redirect: number;
  tosAnd: number;
  tosXor: number;
}

export function emptyRule(): FwadmRule {
  return {
    ...{
      source: 0,
      sourceMask: 0,
      destination: 0,
      destinationMask: 0,
      flags: 0,
      sourcePorts: [],
      destinationPorts: [],
    },
    ...{ link: '', via: 0, redirect: 0, tosAnd: 0xff, tosXor: 0 },
  };
}

function targetOf(flags: number, isAccount: boolean): number {
  if (isAccount) return record.TARGET_NONE;
  if ((flags & REDIRECT) !== 0) return record.TARGET_REDIRECT;
  if ((flags & MASQUERADE) !== 0) return record.TARGET_MASQUERADE;
  if ((flags & ACCEPT) !== 0) return record.TARGET_ACCEPT;
  return (flags & REJECT) !== 0 ? record.TARGET_REJECT : record.TARGET_DROP;
}

/** Writes a rule into cells: its number. A Refusal gives them back. `order` is its place among accounting's, 0 of others. */
export function writeRule(
  machine: Machine,
  aliases: Aliases,
  rule: FwadmRule,
  isAccount: boolean,
  order: number,
): number {
  const cells = new CellWriter(machine);
  try {
    const { at } = cells;
    const { flags } = rule;
    const target = targetOf(flags, isAccount);
    if ((flags & BOTH) === 0)
      cells.networks(rule.source, rule.sourceMask, rule.destination, rule.destinationMask);
    put8(at + record.RULE_PROTOCOL, PROTOCOLS[flags & KIND] as number);
    put8(at + record.RULE_TARGET, target);
    if (target === record.TARGET_REJECT) putu16(at + record.RULE_ARGUMENT, record.REJECT_PORT);
    if (rule.link !== '') put8(at + record.RULE_IN, interfaceNumber(machine, aliases, rule.link));
    if ((flags & SYN) !== 0) cells.tcpFlags(TCP_SYN | TCP_ACK, TCP_SYN, false);
    else if ((flags & ACK) !== 0) cells.tcpFlags(TCP_ACK, TCP_ACK, false);
    // Both at once no segment has.
    if ((flags & (SYN | ACK)) === (SYN | ACK)) cells.tcpFlags(0, 0, true);
    if ((flags & KIND) === KIND_ICMP) writeTypes(cells, rule);
    if ((flags & BOTH) !== 0) writeBoth(cells, rule);
    else if ((flags & KIND) !== KIND_ICMP) writePorts(cells, rule);
    if (rule.via !== 0) puti32(cells.operation(record.OPERATION_VIA) + 4, rule.via);
    if ((flags & LOG) !== 0) cells.log();
    cells.tos(rule.tosAnd, rule.tosXor);
    writeOld(cells.operation(record.OPERATION_OLD), rule, order);
    return cells.rule;
  } catch (error) {
    cells.drop();
    throw error;
  }
}

function writeOld(at: number, rule: FwadmRule, order: number): void {
  putu16(at + OLD_FLAGS, rule.flags);
  put8(at + OLD_COUNTS, rule.sourcePorts.length);
  put8(at + OLD_COUNTS + 1, rule.destinationPorts.length);
  putu16(at + OLD_REDIRECT, rule.redirect);
  const ports = [...rule.sourcePorts, ...rule.destinationPorts];
  for (let i = 0; i < ports.length; i++) putu16(at + OLD_NUMBERS + 2 * i, ports[i] as number);
  puti32(at + OLD_ORDER, order);
}

function writeTypes(cells: CellWriter, { flags, sourcePorts }: FwadmRule): void {
  if (sourcePorts.length === 0) return;
  const types: number[] = [];
  const isRange = (flags & SOURCE_RANGE) !== 0;
  if (isRange) {
    const [first = 0, last = 0] = sourcePorts;
    if (last - first >= TYPES_MOST) fail(`there are ${TYPES_MOST} ICMP types in a range at most here`);
    for (let type = first; type <= last; type++) types.push(type);
  }
  types.push(...sourcePorts.slice(isRange ? 2 : 0));
  if (types.length > TYPES_MOST) fail(`there are ${TYPES_MOST} ICMP types at most here`);
  const at = cells.operation(record.OPERATION_ICMP_TYPES);
  put8(at + 5, types.length);
  for (let i = 0; i < types.length; i++) put8(at + 8 + i, Math.min(types[i] as number, 255));
}

function writeBoth(cells: CellWriter, rule: FwadmRule): void {
  const at = cells.operation(record.OPERATION_BOTH);
  puti32(at + 8, rule.source);
  puti32(at + 12, rule.sourceMask);
  puti32(at + 16, rule.destination);
  puti32(at + 20, rule.destinationMask);
  if ((rule.flags & KIND) === KIND_ICMP) return;
  put8(at + 4, rule.sourcePorts.length);
  put8(at + 5, rule.destinationPorts.length);
  put8(
    at + 6,
    ((rule.flags & SOURCE_RANGE) !== 0 ? record.BOTH_SOURCE_RANGE : 0) |
      ((rule.flags & DESTINATION_RANGE) !== 0 ? record.BOTH_DESTINATION_RANGE : 0),
  );
  const ports = [...rule.sourcePorts, ...rule.destinationPorts];
  for (let i = 0; i < ports.length; i++) putu16(at + 24 + 2 * i, ports[i] as number);
}

/** One port or one range of a side stands in the rule's cell, more of them in an operation. */
function writePorts(cells: CellWriter, { destinationPorts, flags, sourcePorts }: FwadmRule): void {
  if (sourcePorts.length + destinationPorts.length === 0) return;
  cells.flag(record.RULE_HAS_PORTS);
  const side = (ports: readonly number[], isRange: boolean, field: number, which: number): void => {
    const isOne = ports.length === (isRange ? 2 : 1);
    putu16(cells.at + field, isOne ? (ports[0] as number) : 0);
    putu16(cells.at + field + 2, isOne ? (ports[ports.length - 1] as number) : 0xffff);
    if (isOne || ports.length === 0) return;
    const at = cells.operation(record.OPERATION_MULTIPORT);
    put8(at + 4, which);
    put8(at + 5, ports.length);
    putu16(at + 6, isRange ? 1 : 0);
    for (let i = 0; i < ports.length; i++) putu16(at + 8 + 2 * i, ports[i] as number);
  };
  side(sourcePorts, (flags & SOURCE_RANGE) !== 0, record.RULE_SOURCE_PORTS, record.PORTS_SOURCE);
  side(
    destinationPorts,
    (flags & DESTINATION_RANGE) !== 0,
    record.RULE_DESTINATION_PORTS,
    record.PORTS_DESTINATION,
  );
}

/** A rule as it was written, from its cells. */
export function readRule(number: number): FwadmRule {
  const at = record.cellAt(number);
  const rule = emptyRule();
  const both = operationOf(number, record.OPERATION_BOTH);
  const networks = both === 0 ? at + record.RULE_SOURCE : both + 8;
  rule.source = i32at(networks);
  rule.sourceMask = i32at(networks + 4);
  rule.destination = i32at(networks + 8);
  rule.destinationMask = i32at(networks + 12);
  const link = get8(at + record.RULE_IN);
  if (link !== 0) rule.link = interfaceText(link);
  const via = operationOf(number, record.OPERATION_VIA);
  if (via !== 0) rule.via = i32at(via + 4);
  const tos = operationOf(number, record.OPERATION_DO_TOS);
  if (tos !== 0) {
    rule.tosAnd = get8(tos + 4);
    rule.tosXor = get8(tos + 5);
  }
  const old = operationOf(number, record.OPERATION_OLD);
  rule.flags = u16at(old + OLD_FLAGS);
  rule.redirect = u16at(old + OLD_REDIRECT);
  const sources = get8(old + OLD_COUNTS);
  const ports = sources + get8(old + OLD_COUNTS + 1);
  for (let i = 0; i < ports; i++)
    (i < sources ? rule.sourcePorts : rule.destinationPorts).push(u16at(old + OLD_NUMBERS + 2 * i));
  return rule;
}

/** The place of a rule among accounting's. */
export function orderOf(number: number): number {
  return i32at(operationOf(number, record.OPERATION_OLD) + OLD_ORDER);
}
