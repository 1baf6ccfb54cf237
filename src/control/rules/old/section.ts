// Many lines of an old dialect at once: those of the configuration, and what a text of ipchains-restore has. They are gathered in drafts
// beside what is in force, and take its place in one step. Not here: what a line says (../ipchains/section.ts, ../ipfwadm/section.ts).

import { putu16, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { Refusal } from '../../core/console/command.ts';
import { isBuiltIn } from '../chains.ts';
import { beginDraft, commitDraft, dropDraft } from '../draft.ts';
import { closeRules, isOpen } from '../memory.ts';
import { DRAFT_ORDER_AT, ORDER_AT, oldChains } from './chains.ts';
import { hasIptables, markOwner, refuseOthers } from './dialect.ts';
import type { OldRules } from './rules.ts';

const TABLES = [record.TABLE_OLD, record.TABLE_ACCOUNT];

/** From here on lines are gathered. */
export function beginLines({ context: { machine } }: OldRules): void {
  for (const table of TABLES) beginDraft(machine, table, false);
}

/** What was gathered is in force, all of it, or forgotten; throws a Refusal, and then it is forgotten. */
export function endLines({ context: { machine } }: OldRules, dialect: number, isTaken: boolean): void {
  try {
    if (!isTaken) return;
    if (hasIptables()) refuseOthers(dialect, 1);
    for (const table of TABLES) commitDraft(machine, table);
    for (const chain of oldChains())
      if (!isBuiltIn(chain)) {
        const at = record.chainAt(chain);
        putu16(at + ORDER_AT, u16at(at + DRAFT_ORDER_AT));
      }
    markOwner(dialect);
  } finally {
    for (const table of TABLES) dropDraft(machine, table);
    closeRules(machine);
  }
}

/** As without rules of these dialects. */
export function clearLines({ context: { machine } }: OldRules): void {
  if (!isOpen()) return;
  for (const table of TABLES) {
    beginDraft(machine, table, false);
    commitDraft(machine, table);
  }
  closeRules(machine);
}

/** The first line of what a tool says of a line that it refuses. */
export function firstOf(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  throw new Refusal(error.message.split('\r\n').find(text => text !== '') ?? error.message);
}

/** The same with the name of the tool that was used, where what both have in common has iptables'. */
export function named(error: unknown, tool: string): unknown {
  if (!(error instanceof Refusal) || !error.message.startsWith('iptables: ')) return error;
  return new Refusal(`${tool}: ${error.message.slice('iptables: '.length).replace(/\.$/, '')}`);
}
