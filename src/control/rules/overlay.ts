// The overlay `rules`: what the commands and the saved lines of rules do. Not here: listings (listing/overlay.ts), what is always
// there (rules.ts).

import { type Beside, flat, type Job } from '../core/console/command.ts';
import { Change } from './change.ts';
import { Line } from './line.ts';
import { closeRules } from './memory.ts';
import { DIALECT_IPTABLES, ownerOf, refuseOthers } from './old/dialect.ts';
import { badArgument, VERSION } from './refuse.ts';
import type { Rules } from './rules.ts';
import { isQuoted, splitWords } from './words.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    rules: typeof import('./overlay.ts');
  }
}

export { beginLines, clearRules, endLines, takeLine } from './draft.ts';
export { relink } from './links.ts';
export { clearAll, restoreRules } from './restore.ts';

/** The words of a command as the console has split them; where some are quoted, those of the line as it was typed, which has all its blanks. */
function wordsOf({ context: { typed } }: Rules, words: readonly string[]): readonly string[] {
  const text = words.join(' ');
  if (!isQuoted(text)) return words;
  const line = typed?.().trim() ?? '';
  // A shell may have made others of it.
  const isOwn = flat(line) === `iptables ${text}`;
  const whole = isOwn ? line.slice('iptables '.length) : text;
  return splitWords(whole) ?? badArgument(text);
}

/** `iptables WORDS`, typed or by a script: what has blanks comes in quotes. */
export function runIptables(rules: Rules, words: readonly string[], beside?: Beside): Job | undefined {
  const { aliases, context, section } = rules;
  const { machine, output } = context;
  const line = new Line(machine, aliases, wordsOf(rules, words));
  try {
    line.read();
    const command = line.commands.charAt(0);
    if (command === 'V') output.line(`iptables ${VERSION}`);
    else if (command === 'h') output.line('See help iptables');
    else if (command === 'L' || command === 'S')
      return machine.overlay('rules/listing').listRules(rules, line, beside);
    else {
      if (command !== 'C') refuseOthers(DIALECT_IPTABLES, ownerOf());
      for (const text of new Change(context, section, line).run()) output.line(text);
    }
    return undefined;
  } finally {
    line.drop();
    closeRules(machine);
  }
}
