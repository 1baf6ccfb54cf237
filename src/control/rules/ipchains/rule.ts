// A rule of ipchains as the kernel of 2.2 has it, and the same in the plane's cells. A rule that is read from its cells is as it was
// written, so listings, saved lines and /proc are made of it, and rules are compared by it.
//
// The kernel's numbers are used for flags, as /proc/net/ip_fwchains shows them. ICMP's types and codes stand where ports do.
// Not here: words (line.ts), listings (listing.ts).

import { get8, i32at, put8, puti32, putu16, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../wire/ipv4.ts';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../../../wire/tcp.ts';
import type { Machine } from '../../core/machine.ts';
import { chainName, chainNamed } from '../chains.ts';
import { type Aliases, interfaceNumber, interfaceText } from '../links.ts';
import { CellWriter, OLD_NUMBERS, OLD_OUTPUT, OLD_REDIRECT } from '../old/cells.ts';
import { fail } from './refuse.ts';

export const FLAG_LOG = 1;
export const FLAG_SYN = 2;
export const FLAG_FRAGMENT = 4;
export const FLAG_MARK_ABSOLUTE = 8;
export const FLAG_WILD = 0x10;
export const FLAG_OUTPUT = 0x20;

export const NOT_SOURCE = 1;
export const NOT_DESTINATION = 2;
export const NOT_PROTOCOL = 4;
export const NOT_SOURCE_PORTS = 8;
export const NOT_DESTINATION_PORTS = 0x10;
export const NOT_LINK = 0x20;
export const NOT_SYN = 0x40;
export const NOT_FRAGMENT = 0x80;

export const PORT_MOST = 0xffff;
/** A chain's and a target's name. */
export const LABEL_MOST = 8;
const CODE_MOST = 255;
const ICMP_ANY = 255;
const TYPES_MOST = 10;

export interface ChainsRule {
  source: number;
  sourceMask: number;
  destination: number;
  destinationMask: number;
  protocol: number;
  /** Of the source, first and last, and of the destination. */
  ports: [number, number, number, number];
  /** A link's name, '' any; with FLAG_WILD its + is there. */
  link: string;
  flags: number;
  inverse: number;
  /** The target, '' none. */
  label: string;
  redirect: number;
  mark: number;
  outputSize: number;
  tosAnd: number;
  tosXor: number;
}

export function emptyRule(): ChainsRule {
  return {
    ...{ source: 0, sourceMask: 0, destination: 0, destinationMask: 0, protocol: 0 },
    ports: [0, PORT_MOST, 0, PORT_MOST],
    ...{ link: '', flags: 0, inverse: 0, label: '', redirect: 0, mark: 0, outputSize: 0 },
    ...{ tosAnd: 0xff, tosXor: 0 },
  };
}

/** Targets that are no chains, with what they are in a cell. */
const TARGETS: readonly [string, number][] = [
  ['ACCEPT', record.TARGET_ACCEPT],
  ['DENY', record.TARGET_DROP],
  ['REJECT', record.TARGET_REJECT],
  ['MASQ', record.TARGET_MASQUERADE],
  ['REDIRECT', record.TARGET_REDIRECT],
  ['RETURN', record.TARGET_RETURN],
];

export const hasPorts = (protocol: number): boolean =>
  protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP || protocol === PROTOCOL_ICMP;
const isAll = (first: number, last: number): boolean => first === 0 && last === PORT_MOST;

/** The rule with source and destination exchanged, as the second of -b is. */
export function turned(rule: ChainsRule): ChainsRule {
  const isIcmp = rule.protocol === PROTOCOL_ICMP;
  const exchanged = (bits: number, one: number, other: number): number =>
    (bits & ~(one | other)) | ((bits & one) !== 0 ? other : 0) | ((bits & other) !== 0 ? one : 0);
  let inverse = exchanged(rule.inverse, NOT_SOURCE, NOT_DESTINATION);
  if (!isIcmp) inverse = exchanged(inverse, NOT_SOURCE_PORTS, NOT_DESTINATION_PORTS);
  const [a, b, c, d] = rule.ports;
  return {
    ...rule,
    source: rule.destination,
    sourceMask: rule.destinationMask,
    destination: rule.source,
    destinationMask: rule.sourceMask,
    inverse,
    ports: isIcmp ? rule.ports : [c, d, a, b],
  };
}

/** The target of a rule: TARGET_*, and the chain of a jump. A Refusal if there is none of the name. */
function targetOf(label: string): [target: number, argument: number] {
  if (label === '') return [record.TARGET_NONE, 0];
  for (const [name, target] of TARGETS)
    if (name === label) return [target, target === record.TARGET_REJECT ? record.REJECT_PORT : 0];
  const chain = chainNamed(record.TABLE_OLD, label);
  if (chain < record.CHAIN_USER) fail('No target by that name');
  return [record.TARGET_JUMP, chain];
}

/** Writes a rule into cells: its number. A Refusal gives them back. */
export function writeRule(machine: Machine, aliases: Aliases, rule: ChainsRule): number {
  const [target, argument] = targetOf(rule.label);
  const cells = new CellWriter(machine);
  try {
    const { at } = cells;
    const { inverse } = rule;
    cells.networks(rule.source, rule.sourceMask, rule.destination, rule.destinationMask);
    put8(at + record.RULE_PROTOCOL, rule.protocol);
    put8(at + record.RULE_TARGET, target);
    putu16(at + record.RULE_ARGUMENT, argument);
    if (rule.link !== '') put8(at + record.RULE_IN, interfaceNumber(machine, aliases, rule.link));
    if ((inverse & NOT_SOURCE) !== 0) cells.flag(record.RULE_NOT_SOURCE);
    if ((inverse & NOT_DESTINATION) !== 0) cells.flag(record.RULE_NOT_DESTINATION);
    if ((inverse & NOT_PROTOCOL) !== 0) cells.flag(record.RULE_NOT_PROTOCOL);
    if ((inverse & NOT_LINK) !== 0) cells.flag(record.RULE_NOT_IN);
    if ((rule.flags & FLAG_FRAGMENT) !== 0)
      cells.flag((inverse & NOT_FRAGMENT) !== 0 ? record.RULE_NOT_FRAGMENT : record.RULE_FRAGMENT);
    // 2.2's SYN is one without ACK and RST.
    if ((rule.flags & FLAG_SYN) !== 0)
      cells.tcpFlags(TCP_SYN | TCP_ACK | TCP_RST, TCP_SYN, (inverse & NOT_SYN) !== 0);
    if (rule.protocol === PROTOCOL_ICMP) writeIcmp(cells, rule);
    else writePorts(cells, rule);
    if ((rule.flags & FLAG_MARK_ABSOLUTE) !== 0 || rule.mark !== 0) {
      const mark = cells.operation(record.OPERATION_DO_MARK);
      put8(mark + 4, (rule.flags & FLAG_MARK_ABSOLUTE) !== 0 ? 0 : record.MARK_RELATIVE);
      puti32(mark + 8, rule.mark);
    }
    if ((rule.flags & FLAG_LOG) !== 0) cells.log();
    cells.tos(rule.tosAnd, rule.tosXor);
    writeOld(cells, rule);
    return cells.rule;
  } catch (error) {
    cells.drop();
    throw error;
  }
}

function writePorts(cells: CellWriter, { inverse, ports }: ChainsRule): void {
  const [sourceFirst, sourceLast, first, last] = ports;
  const nots = inverse & (NOT_SOURCE_PORTS | NOT_DESTINATION_PORTS);
  if (isAll(sourceFirst, sourceLast) && isAll(first, last) && nots === 0) return;
  cells.flag(record.RULE_HAS_PORTS);
  if ((inverse & NOT_SOURCE_PORTS) !== 0) cells.flag(record.RULE_NOT_SOURCE_PORTS);
  if ((inverse & NOT_DESTINATION_PORTS) !== 0) cells.flag(record.RULE_NOT_DESTINATION_PORTS);
  putu16(cells.at + record.RULE_SOURCE_PORTS, sourceFirst);
  putu16(cells.at + record.RULE_SOURCE_PORTS + 2, sourceLast);
  putu16(cells.at + record.RULE_DESTINATION_PORTS, first);
  putu16(cells.at + record.RULE_DESTINATION_PORTS + 2, last);
}

function putIcmp(at: number, flags: number, type: number, first: number, last: number): void {
  putu16(at + record.RULE_FLAGS, u16at(at + record.RULE_FLAGS) | record.RULE_HAS_ICMP | flags);
  put8(at + record.RULE_ICMP_TYPE, type);
  put8(at + record.RULE_ICMP_CODES, Math.min(first, CODE_MOST));
  put8(at + record.RULE_ICMP_CODES + 1, Math.min(last, CODE_MOST));
}

/** Types and codes. The plane asks for one type with a range of codes, or for a list of types; what is neither is refused. */
function writeIcmp(cells: CellWriter, { inverse, ports }: ChainsRule): void {
  const [first, last, codeFirst, codeLast] = ports;
  const isNotType = (inverse & NOT_SOURCE_PORTS) !== 0;
  const isNotCode = (inverse & NOT_DESTINATION_PORTS) !== 0;
  const areCodesAll = isAll(codeFirst, codeLast);
  if (isAll(first, last) && areCodesAll) {
    // What is not any type is none.
    if (isNotType || isNotCode) putIcmp(cells.at, record.RULE_NOT_ICMP, ICMP_ANY, 0, CODE_MOST);
    return;
  }
  if (first === last && first < ICMP_ANY) {
    const isOne = !isNotType && !isNotCode;
    if (isOne) putIcmp(cells.at, 0, first, codeFirst, codeLast);
    else if (areCodesAll && !isNotCode) putIcmp(cells.at, record.RULE_NOT_ICMP, first, 0, CODE_MOST);
    else if (!isNotType) {
      putIcmp(cells.at, 0, first, 0, CODE_MOST);
      const at = cells.operation(record.OPERATION_FIELDS);
      putIcmp(at, record.RULE_NOT_ICMP, first, codeFirst, codeLast);
    } else fail('codes of all types but one cannot be asked for here');
    return;
  }
  if (!areCodesAll || isNotCode) fail('codes of several types at once cannot be asked for here');
  if (last - first >= TYPES_MOST) fail(`there are ${TYPES_MOST} ICMP types in a range at most here`);
  const at = cells.operation(record.OPERATION_ICMP_TYPES);
  if (isNotType) put8(at + record.OPERATION_FLAGS, record.OPERATION_NOT);
  const count = Math.max(0, last - first + 1);
  put8(at + 5, count);
  for (let i = 0; i < count; i++) put8(at + 8 + i, Math.min(first + i, ICMP_ANY));
}

/** What no other field says. */
function writeOld(
  cells: CellWriter,
  { flags, inverse, label, outputSize, ports, protocol, redirect }: ChainsRule,
): void {
  const isAsked = inverse & (NOT_SOURCE_PORTS | NOT_DESTINATION_PORTS);
  const isIcmp =
    protocol === PROTOCOL_ICMP && !(isAll(ports[0], ports[1]) && isAll(ports[2], ports[3]) && isAsked === 0);
  if (label !== 'REDIRECT' && (flags & FLAG_OUTPUT) === 0 && !isIcmp) return;
  const at = cells.operation(record.OPERATION_OLD);
  putu16(at + 6, (flags & FLAG_OUTPUT) | ((inverse & (NOT_SOURCE_PORTS | NOT_DESTINATION_PORTS)) << 8));
  putu16(at + OLD_OUTPUT, outputSize);
  putu16(at + OLD_REDIRECT, redirect);
  if (protocol === PROTOCOL_ICMP)
    for (let i = 0; i < 4; i++) putu16(at + OLD_NUMBERS + 2 * i, ports[i] as number);
}

const NOTS: readonly [number, number][] = [
  [record.RULE_NOT_SOURCE, NOT_SOURCE],
  [record.RULE_NOT_DESTINATION, NOT_DESTINATION],
  [record.RULE_NOT_PROTOCOL, NOT_PROTOCOL],
  [record.RULE_NOT_IN, NOT_LINK],
  [record.RULE_NOT_SOURCE_PORTS, NOT_SOURCE_PORTS],
  [record.RULE_NOT_DESTINATION_PORTS, NOT_DESTINATION_PORTS],
  [record.RULE_NOT_TCP_FLAGS, NOT_SYN],
  [record.RULE_NOT_FRAGMENT, NOT_FRAGMENT],
];

/** A rule as it was written, from its cells. */
export function readRule(number: number): ChainsRule {
  const at = record.cellAt(number);
  const rule = emptyRule();
  const flags = u16at(at + record.RULE_FLAGS);
  rule.source = i32at(at + record.RULE_SOURCE);
  rule.sourceMask = i32at(at + record.RULE_SOURCE_MASK);
  rule.destination = i32at(at + record.RULE_DESTINATION);
  rule.destinationMask = i32at(at + record.RULE_DESTINATION_MASK);
  rule.protocol = get8(at + record.RULE_PROTOCOL);
  for (const [own, bit] of NOTS) if ((flags & own) !== 0) rule.inverse |= bit;
  const link = get8(at + record.RULE_IN);
  if (link !== 0) rule.link = interfaceText(link);
  if (rule.link.endsWith('+')) rule.flags |= FLAG_WILD;
  if ((flags & (record.RULE_FRAGMENT | record.RULE_NOT_FRAGMENT)) !== 0) rule.flags |= FLAG_FRAGMENT;
  if ((flags & record.RULE_HAS_TCP_FLAGS) !== 0) rule.flags |= FLAG_SYN;
  if ((flags & record.RULE_HAS_PORTS) !== 0) {
    for (let i = 0; i < 2; i++) {
      rule.ports[i] = u16at(at + record.RULE_SOURCE_PORTS + 2 * i);
      rule.ports[i + 2] = u16at(at + record.RULE_DESTINATION_PORTS + 2 * i);
    }
  }
  rule.label = labelOf(at);
  for (let cell = u16at(at + record.RULE_OPERATIONS); cell !== 0; ) {
    const operation = record.cellAt(cell);
    readOperation(rule, operation);
    cell = u16at(operation + record.OPERATION_NEXT);
  }
  return rule;
}

/** The name of a rule's target, '' if it has none. */
function labelOf(at: number): string {
  const own = get8(at + record.RULE_TARGET);
  if (own === record.TARGET_JUMP) return chainName(u16at(at + record.RULE_ARGUMENT));
  for (const [name, target] of TARGETS) if (target === own) return name;
  return '';
}

function readOperation(rule: ChainsRule, at: number): void {
  const kind = get8(at + record.OPERATION_KIND);
  if (kind === record.OPERATION_DO_LOG) rule.flags |= FLAG_LOG;
  else if (kind === record.OPERATION_DO_MARK) {
    rule.mark = i32at(at + 8);
    if (get8(at + 4) !== record.MARK_RELATIVE) rule.flags |= FLAG_MARK_ABSOLUTE;
  } else if (kind === record.OPERATION_DO_TOS) {
    rule.tosAnd = get8(at + 4);
    rule.tosXor = get8(at + 5);
  } else if (kind === record.OPERATION_OLD) {
    rule.flags |= u16at(at + 6) & FLAG_OUTPUT;
    rule.inverse |= u16at(at + 6) >> 8;
    rule.outputSize = u16at(at + OLD_OUTPUT);
    rule.redirect = u16at(at + OLD_REDIRECT);
    if (rule.protocol === PROTOCOL_ICMP)
      for (let i = 0; i < 4; i++) rule.ports[i] = u16at(at + OLD_NUMBERS + 2 * i);
  }
}
