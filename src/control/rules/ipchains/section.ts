// The lines of ipchains that the configuration keeps, all or none: they are gathered in a draft beside what is in force (../draft.ts).
// Not here: a line by itself (change.ts).

import { get8, put8, putu16, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { CHAIN_DRAFT, CHAIN_DRAFT_POLICY, chainNamed, DRAFT_NAMED, isBuiltIn } from '../chains.ts';
import { draftChain } from '../draft.ts';
import { DRAFT_ORDER_AT } from '../old/chains.ts';
import type { OldRules } from '../old/rules.ts';
import { ChainsLine } from './line.ts';
import { POLICY_NAMES } from './listing.ts';
import { fail, NO_CHAIN, NO_TARGET } from './refuse.ts';
import { turned, writeRule } from './rule.ts';

function isDrafted(chain: number): boolean {
  return chain !== 0 && (get8(record.chainAt(chain) + CHAIN_DRAFT) & DRAFT_NAMED) !== 0;
}

/** Adds what the words of a line say to the draft; answers the line. `order` counts users' chains. */
export function draftWords(
  { aliases, context: { machine } }: OldRules,
  words: readonly string[],
  order: number,
): ChainsLine {
  const line = new ChainsLine(words);
  line.read();
  const name = line.chain ?? '';
  if (line.commands === 'N') {
    const chain = draftChain(machine, record.TABLE_OLD, name);
    putu16(record.chainAt(chain) + DRAFT_ORDER_AT, order);
    return line;
  }
  const chain = chainNamed(record.TABLE_OLD, name);
  if (!isDrafted(chain)) fail(NO_CHAIN);
  if (line.commands === 'P') {
    if (!isBuiltIn(chain)) fail(NO_CHAIN);
    put8(record.chainAt(chain) + CHAIN_DRAFT_POLICY, POLICY_NAMES.indexOf(line.policy, 1));
    return line;
  }
  if (line.commands !== 'A') fail('what is kept are lines with -A, -N and -P');
  const { rule } = line;
  for (const one of line.has('b') ? [rule, turned(rule)] : [rule]) {
    const cell = writeRule(machine, aliases, one);
    const at = record.cellAt(cell);
    if (
      get8(at + record.RULE_TARGET) === record.TARGET_JUMP &&
      !isDrafted(u16at(at + record.RULE_ARGUMENT))
    ) {
      machine.plane.cellGive(cell);
      fail(NO_TARGET);
    }
    machine.plane.draftAppend(chain, cell);
  }
  return line;
}
