// What the board tells of itself: `show interfaces`, `show arp`, `show routes`, `show counters`, `show memory`, `show version`,
// `show disk`; and the facts of its start, by name. Not here: what they show, which is an overlay (show/tables.ts).

import {
  FACT_RESTART_REASON,
  RESTART_EXCEPTION,
  RESTART_HANG,
  RESTART_STACK,
  RESTART_TRAP,
} from '../../../firmware/abi.ts';
import { BOOT_FACTS_AT } from '../../plane/cells.ts';
import { i32at } from '../../plane/memory.ts';
import type { Command } from '../console/command.ts';
import type { Context } from '../context.ts';

/** PIT counts in a second. */
export const COUNTS_PER_SECOND = 1193182;

export function interfaceName(index: number): string {
  return ['lan', 'wan'][index] ?? `if${index}`;
}

export function fact(index: number): number {
  return i32at(BOOT_FACTS_AT + 4 * index);
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

export function showCommands(context: Context): Command[] {
  const show = () => context.machine.overlay('show');
  return [
    {
      words: 'show interfaces',
      help: 'cards, addresses, frames and errors',
      run: () => show().showInterfaces(context),
    },
    { words: 'show arp', help: 'stations on both networks', run: () => show().showArp(context) },
    { words: 'show routes', help: 'where packets go', run: () => show().showRoutes(context) },
    {
      words: 'show counters',
      help: 'drops and events, those that are not 0',
      run: () => show().showCounters(context),
    },
    {
      words: 'show memory',
      help: 'memory, packet buffers and tables',
      run: () => show().showMemory(context),
    },
    {
      words: 'show version',
      help: 'version, engine, time since power-on',
      run: () => show().showVersion(context),
    },
    {
      words: 'show disk',
      help: 'the disk that settings and leases are saved on',
      run: () => show().showDisk(context),
    },
  ];
}
