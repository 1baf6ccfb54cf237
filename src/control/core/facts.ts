// What the board knows of its start, by name: the facts that the floor hands over (src/base/abi.ts), the crash page's count of
// starts. And what interfaces are called. Not here: what is told of them (show/).

import {
  FACT_RESTART_REASON,
  FACT_SAFE,
  RESTART_EXCEPTION,
  RESTART_HANG,
  RESTART_STACK,
  RESTART_TRAP,
} from '../../base/abi.ts';
import { BOOT_FACTS_AT } from '../../base/cells.ts';
import { CRASH_AT_BOOT } from '../../base/crash-page.ts';
import { CRASH_AT, INTERFACE_WAN } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';

/** PIT counts in a second. */
export const COUNTS_PER_SECOND = 1193182;

/** What links are called: those of cards, then those of serial ports and of other links. */
const LINK_NAMES = ['lan', 'wan', 'if2', 'if3', 'ppp0', 'ppp1', 'sl0'];
export function interfaceName(index: number): string {
  return LINK_NAMES[index] ?? `if${index}`;
}

/** A link's name in a sentence. */
export function linkTitle(index: number): string {
  return index <= INTERFACE_WAN ? interfaceName(index).toUpperCase() : interfaceName(index);
}

export function fact(index: number): number {
  return i32at(BOOT_FACTS_AT + 4 * index);
}

/** The board has started too often in a row: the saved settings must not be applied, and stay untouched. */
export function isSafeMode(): boolean {
  return fact(FACT_SAFE) !== 0;
}

/** The starts of the board since power-on, this one included. */
export function bootNumber(): number {
  return i32at(CRASH_AT + CRASH_AT_BOOT);
}

export function restartReason(): string {
  const names: Record<number, string> = {
    [RESTART_EXCEPTION]: 'exception',
    [RESTART_TRAP]: 'trap',
    [RESTART_HANG]: 'hang',
    [RESTART_STACK]: 'stack',
  };
  return names[fact(FACT_RESTART_REASON)] ?? 'power-on';
}
