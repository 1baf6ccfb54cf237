// A rule while its line is read: a cell, and the operations that follow it, with the matches that were named so far and where each of
// them stands. It is in no chain yet, and given back whole if the line is refused.
//
// Ports, TCP flags, ICMP types and states stand in the rule's cell, where the plane looks first and needs the fewest instructions; the
// second match of a kind, and one behind a match that counts (limit, recent, statistic, connlimit), in an operation of its own.
// Not here: options (matches.ts, targets.ts), the order in which matches are listed (written.ts).

import { copy, fill, get8, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { RULE_CELL_BYTES, RULE_OPERATION_MOST } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import {
  cellAt,
  OPERATION_FLAGS,
  OPERATION_KIND,
  OPERATION_NEXT,
  RULE_FLAGS,
  RULE_OPERATIONS,
  RULE_WRITTEN,
} from '../../base/rule-record.ts';
import type { Machine } from '../core/machine.ts';
import { putText } from '../core/store/text.ts';
import type { Aliases } from './links.ts';
import { openRecent, openRules, takeCell } from './memory.ts';
import * as extensions from './options.ts';
import { NO_MEMORY, refuse } from './refuse.ts';
import {
  isContinued,
  WRITTEN_CONNTRACK,
  WRITTEN_MATCH,
  WRITTEN_MATCH_SHIFT,
  WRITTEN_PLACE_MOST,
  WRITTEN_STATE,
  WRITTEN_STATE_FIRST,
  WRITTEN_STATE_SHIFT,
  WRITTEN_STATES,
} from './written.ts';

/** What each match becomes; those of a protocol and of states are fields. */
const KINDS: readonly number[] = [
  ...[0, record.OPERATION_FIELDS, record.OPERATION_FIELDS, record.OPERATION_FIELDS, record.OPERATION_FIELDS],
  ...[record.OPERATION_FIELDS, record.OPERATION_MULTIPORT, record.OPERATION_LIMIT, record.OPERATION_MARK],
  ...[record.OPERATION_CONNMARK, record.OPERATION_LENGTH, record.OPERATION_TOS, record.OPERATION_TTL],
  ...[record.OPERATION_MAC, record.OPERATION_IPRANGE, record.OPERATION_ADDRTYPE, record.OPERATION_PKTTYPE],
  ...[record.OPERATION_STATISTIC, record.OPERATION_TIME, record.OPERATION_RECENT, record.OPERATION_CONNLIMIT],
  ...[record.OPERATION_COMMENT, record.OPERATION_TCPMSS],
];

/** Fields that an OPERATION_FIELDS has at the same places as a rule's cell. */
const FIELDS = RULE_FLAGS;
const FIELDS_BYTES = record.RULE_VALUE - RULE_FLAGS;
/** Recent's table, if none is named, and where its name stands. */
export const RECENT_NAME = 16;
const RECENT_DEFAULT = 'DEFAULT';
/** 3/hour, in ten thousandths of a second. */
const LIMIT_DEFAULT = 12000000;
const LIMIT_DEFAULT_BURST = 5;
const DAY_SECONDS = 86400;

const isCounting = (extension: number): boolean =>
  extension === extensions.LIMIT ||
  extension === extensions.RECENT ||
  extension === extensions.STATISTIC ||
  extension === extensions.CONNLIMIT;

export class Builder {
  /** The rule's cell, by number and address. */
  readonly rule: number;
  readonly at: number;
  /** Matches in their order, where each stands, and which of its options came, a bit each. */
  readonly matches: number[] = [];
  readonly places: number[] = [];
  readonly seen: number[] = [];
  /** The target's options; 0 if it has none. */
  target = 0;
  targetSeen = 0;
  private targetCell = 0;
  private last = 0;
  private cells = 0;
  /** Matches that stand in operations. */
  private ordered = 0;
  private isCounted = false;

  constructor(
    readonly machine: Machine,
    readonly aliases: Aliases,
  ) {
    openRules(machine);
    this.rule = takeCell(machine);
    this.at = cellAt(this.rule);
  }

  /** Gives all of it back. */
  drop(): void {
    this.linkTarget();
    this.machine.plane.cellGive(this.rule);
  }

  flag(at: number, bits: number): void {
    putu16(at + RULE_FLAGS, u16at(at + RULE_FLAGS) | bits);
  }

  /** Loads a match: what is written from here on by its options stands at its place. */
  load(extension: number): void {
    const at = this.placeOf(extension);
    this.matches.push(extension);
    this.places.push(at);
    this.seen.push(0);
    if (isCounting(extension)) this.isCounted = true;
    this.begin(extension, at);
  }

  private placeOf(extension: number): number {
    if (extension > extensions.CONNTRACK) return this.operation(KINDS[extension] as number);
    const isState = extension >= extensions.STATE;
    const written = u16at(this.at + RULE_WRITTEN);
    const own = isState ? (extension === extensions.STATE ? WRITTEN_STATE : WRITTEN_CONNTRACK) : extension;
    const isTaken = (written & (isState ? WRITTEN_STATES : WRITTEN_MATCH)) !== 0;
    if (isTaken || this.isCounted || this.ordered > WRITTEN_PLACE_MOST) {
      const at = this.operation(record.OPERATION_FIELDS);
      putu16(at + RULE_WRITTEN, own);
      return at;
    }
    const place = this.ordered << (isState ? WRITTEN_STATE_SHIFT : WRITTEN_MATCH_SHIFT);
    const isFirst = isState && (written & WRITTEN_MATCH) === 0 ? WRITTEN_STATE_FIRST : 0;
    putu16(this.at + RULE_WRITTEN, written | own | place | isFirst);
    return this.at;
  }

  /** What a match says without options. */
  private begin(extension: number, at: number): void {
    if (extension === extensions.TCP || extension === extensions.UDP) {
      this.flag(at, record.RULE_HAS_PORTS);
      putu16(at + record.RULE_SOURCE_PORTS + 2, 0xffff);
      putu16(at + record.RULE_DESTINATION_PORTS + 2, 0xffff);
    } else if (extension === extensions.LIMIT) {
      puti32(at + record.LIMIT_AVERAGE, LIMIT_DEFAULT);
      puti32(at + record.LIMIT_BURST, LIMIT_DEFAULT_BURST);
    } else if (extension === extensions.RECENT) {
      openRecent(this.machine);
      puti32(at + 12, -1);
      putText(this.machine.memory, at + RECENT_NAME, RECENT_DEFAULT);
    } else if (extension === extensions.CONNLIMIT) puti32(at + 12, -1);
    else if (extension === extensions.TIME) {
      put8(at + 4, 0xfe);
      puti32(at + 12, 0x7fffffff);
      puti32(at + 20, DAY_SECONDS - 1);
      puti32(at + 24, ~1);
    }
  }

  private take(kind: number): number {
    if (this.cells === RULE_OPERATION_MOST)
      refuse(`${NO_MEMORY}: a rule says ${RULE_OPERATION_MOST} things beside its addresses at most`);
    this.cells++;
    const cell = takeCell(this.machine);
    put8(cellAt(cell) + OPERATION_KIND, kind);
    return cell;
  }

  /** A new operation behind all others; answers its address. */
  operation(kind: number): number {
    const cell = this.take(kind);
    putu16(this.last === 0 ? this.at + RULE_OPERATIONS : this.last + OPERATION_NEXT, cell);
    this.last = cellAt(cell);
    this.ordered++;
    return this.last;
  }

  /** A new operation behind one that has its address, or before all if that is 0. */
  operationBehind(before: number, kind: number): number {
    const cell = this.take(kind);
    const at = cellAt(cell);
    const link = before === 0 ? this.at + RULE_OPERATIONS : before + OPERATION_NEXT;
    putu16(at + OPERATION_NEXT, u16at(link));
    putu16(link, cell);
    if (before === this.last) this.last = at;
    return at;
  }

  /** The target's own operation, which stands behind all others when the line has been read. */
  targetOperation(kind: number): number {
    if (this.targetCell === 0) this.targetCell = this.take(kind);
    return cellAt(this.targetCell);
  }

  get hasTargetOperation(): boolean {
    return this.targetCell !== 0;
  }

  linkTarget(): void {
    if (this.targetCell === 0) return;
    putu16(this.last === 0 ? this.at + RULE_OPERATIONS : this.last + OPERATION_NEXT, this.targetCell);
    this.last = cellAt(this.targetCell);
    this.targetCell = 0;
  }

  /** Where `--tcp-option` of a match stands: behind its fields, which for its sake leave the cell. */
  tcpOption(match: number): number {
    let at = this.places[match] as number;
    if (at === this.at) at = this.moveOut(match);
    return this.operationBehind(at, record.OPERATION_TCP_OPTION);
  }

  private moveOut(match: number): number {
    const written = u16at(this.at + RULE_WRITTEN);
    const place = (written >> WRITTEN_MATCH_SHIFT) & WRITTEN_PLACE_MOST;
    const at = this.operationBehind(this.lastOf(place), record.OPERATION_FIELDS);
    copy(at + FIELDS, this.at + FIELDS, FIELDS_BYTES);
    putu16(at + RULE_WRITTEN, written & WRITTEN_MATCH);
    const isState = record.RULE_HAS_STATE | record.RULE_NOT_STATE;
    const isRule =
      record.RULE_NOT_SOURCE |
      record.RULE_NOT_DESTINATION |
      record.RULE_NOT_IN |
      record.RULE_NOT_OUT |
      record.RULE_NOT_PROTOCOL |
      record.RULE_FRAGMENT |
      record.RULE_NOT_FRAGMENT;
    const flags = u16at(this.at + RULE_FLAGS);
    putu16(at + RULE_FLAGS, flags & ~(isState | isRule));
    put8(at + record.RULE_STATES, 0);
    putu16(at + record.RULE_ARGUMENT, 0);
    putu16(this.at + RULE_FLAGS, flags & (isState | isRule));
    fill(this.at + record.RULE_SOURCE_PORTS, 0, record.RULE_STATES - record.RULE_SOURCE_PORTS);
    this.ordered++;
    this.places[match] = at;
    let left = written & ~(WRITTEN_MATCH | (WRITTEN_PLACE_MOST << WRITTEN_MATCH_SHIFT));
    const statePlace = (written >> WRITTEN_STATE_SHIFT) & WRITTEN_PLACE_MOST;
    const isBehind = statePlace > place || (statePlace === place && (written & WRITTEN_STATE_FIRST) === 0);
    if ((written & WRITTEN_STATES) !== 0 && isBehind) left += 1 << WRITTEN_STATE_SHIFT;
    putu16(this.at + RULE_WRITTEN, left);
    return at;
  }

  /** The last operation of the first so many matches in operations; 0 of none. */
  private lastOf(count: number): number {
    let found = 0;
    let place = 0;
    for (let cell = u16at(this.at + RULE_OPERATIONS); cell !== 0; ) {
      const at = cellAt(cell);
      if (!isContinued(at)) place++;
      if (place > count) break;
      found = at;
      cell = u16at(at + OPERATION_NEXT);
    }
    return found;
  }

  not(at: number): void {
    put8(at + OPERATION_FLAGS, get8(at + OPERATION_FLAGS) | record.OPERATION_NOT);
  }
}

/** A copy of a rule with its operations, which is in no chain: for the next of several addresses, and for a draft. */
export function copyRule(machine: Machine, rule: number): number {
  const cell = takeCell(machine);
  try {
    copy(cellAt(cell), cellAt(rule), RULE_CELL_BYTES);
    putu16(cellAt(cell), 0);
    let link = cellAt(cell) + RULE_OPERATIONS;
    putu16(link, 0);
    for (let from = u16at(cellAt(rule) + RULE_OPERATIONS); from !== 0; from = u16at(cellAt(from))) {
      const next = takeCell(machine);
      copy(cellAt(next), cellAt(from), RULE_CELL_BYTES);
      putu16(cellAt(next), 0);
      putu16(link, next);
      link = cellAt(next);
    }
    return cell;
  } catch (error) {
    machine.plane.cellGive(cell);
    throw error;
  }
}
