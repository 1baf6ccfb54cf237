// Help texts out of control's heap: the sources have each where its command is, the firmware has numbers there, and the
// texts as one packed string in the overlay `schema`, which is who shows them. A string costs 20 bytes of heap beside its
// letters, there are two hundred, and most boards are never asked.
// Not here: what is done with them on the board (src/control/schema/help-texts.ts).

import { readFileSync } from 'node:fs';

/** A help text as a command or setting has it; what is put together when it is asked for stays as it is. */
const HELP = /\b(help|unsetHelp):\s*('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/g;

export interface HelpTexts {
  /** One a line, by number. */
  readonly text: string;
  /** A source with numbers in the texts' places. */
  numbered(source: string): string;
}

/** @param files all sources that may have some */
export function helpTexts(files: readonly string[]): HelpTexts {
  const numbers = new Map<string, number>();
  for (const file of files) {
    for (const [, , literal] of readFileSync(file, 'utf8').matchAll(HELP)) {
      const text = textOf(literal as string);
      if (!numbers.has(text)) numbers.set(text, numbers.size);
    }
  }
  return {
    text: [...numbers.keys()].join('\n'),
    numbered: source =>
      source.replace(HELP, (_, name: string, literal: string) => `${name}: ${numbers.get(textOf(literal))}`),
  };
}

function textOf(literal: string): string {
  return literal.slice(1, -1).replace(/\\(.)/g, '$1');
}
