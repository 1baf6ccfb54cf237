// Cells of a rule of ipchains or ipfwadm, which log, mark and change the type of service beside their target. What they have to say
// that no other field has stands in one operation, OPERATION_OLD:
//
//    4         6              8                 10          11               12              16                 36
//    | spare   | flags        | for userspace   | ports of the source | of the destination | redirect port | ten ports (u16) | order |
//
// Not here: what each dialect writes there (../ipchains/rule.ts, ../ipfwadm/rule.ts).

import { get8, put8, puti32, putu16, u16at } from '../../../base/memory.ts';
import { RULE_OPERATION_MOST } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import type { Machine } from '../../core/machine.ts';
import { takeCell } from '../memory.ts';

export const OLD_OUTPUT = 8;
export const OLD_FLAGS = 6;
export const OLD_COUNTS = 10;
export const OLD_REDIRECT = 12;
export const OLD_NUMBERS = 16;
export const OLD_ORDER = 36;

/** KERN_INFO. */
const LOG_LEVEL = 6;

/** A rule while its cells are written. If anything is refused, drop() gives them back. */
export class CellWriter {
  readonly rule: number;
  readonly at: number;
  private last = 0;
  private cells = 0;

  constructor(private readonly machine: Machine) {
    this.rule = takeCell(machine);
    this.at = record.cellAt(this.rule);
  }

  drop(): void {
    this.machine.plane.cellGive(this.rule);
  }

  flag(bits: number): void {
    putu16(this.at + record.RULE_FLAGS, u16at(this.at + record.RULE_FLAGS) | bits);
  }

  /** A new operation behind all others; answers its address. */
  operation(kind: number): number {
    if (this.cells === RULE_OPERATION_MOST) throw new Error('A rule has too many operations');
    this.cells++;
    const cell = takeCell(this.machine);
    putu16(this.last === 0 ? this.at + record.RULE_OPERATIONS : this.last + record.OPERATION_NEXT, cell);
    this.last = record.cellAt(cell);
    put8(this.last + record.OPERATION_KIND, kind);
    return this.last;
  }

  networks(source: number, sourceMask: number, destination: number, destinationMask: number): void {
    const { at } = this;
    puti32(at + record.RULE_SOURCE, source);
    puti32(at + record.RULE_SOURCE_MASK, sourceMask);
    puti32(at + record.RULE_DESTINATION, destination);
    puti32(at + record.RULE_DESTINATION_MASK, destinationMask);
  }

  tcpFlags(mask: number, value: number, isNot: boolean): void {
    this.flag(record.RULE_HAS_TCP_FLAGS | (isNot ? record.RULE_NOT_TCP_FLAGS : 0));
    put8(this.at + record.RULE_TCP_MASK, mask);
    put8(this.at + record.RULE_TCP_VALUE, value);
  }

  /** A matching packet is logged (../log/old-line.ts). */
  log(): void {
    put8(this.operation(record.OPERATION_DO_LOG) + 4, LOG_LEVEL);
  }

  tos(and: number, xor: number): void {
    if (and === 0xff && xor === 0) return;
    const at = this.operation(record.OPERATION_DO_TOS);
    put8(at + 4, and);
    put8(at + 5, xor);
  }
}

/** The first operation of a kind of a rule: its address, or 0. */
export function operationOf(rule: number, kind: number): number {
  for (let cell = u16at(record.cellAt(rule) + record.RULE_OPERATIONS); cell !== 0; ) {
    const at = record.cellAt(cell);
    if (get8(at + record.OPERATION_KIND) === kind) return at;
    cell = u16at(at + record.OPERATION_NEXT);
  }
  return 0;
}

const RULE_WORDS_FROM = record.RULE_IN;

/** Whether two rules' cells may say the same: what stands in their operations is not looked at. */
export function isAlike(first: number, second: number): boolean {
  const a = record.cellAt(first);
  const b = record.cellAt(second);
  for (let at = RULE_WORDS_FROM; at < record.RULE_PACKETS; at += 2)
    if (at !== record.RULE_WRITTEN && u16at(a + at) !== u16at(b + at)) return false;
  return true;
}
