// Help texts by their numbers. Not here: who gives them numbers, which is the build (image/help-texts.ts); run from its
// sources, control has the texts themselves.

import type { Help } from '../core/console/command.ts';

/** All of the firmware, one a line. */
declare const MASQBOX_HELP: string;

/** Between a text and the arguments of its example. */
const EXAMPLE = ' | ';

let texts: string[] | undefined;

export function helpText(help: Help): string {
  return whole(help).split(EXAMPLE)[0] as string;
}

/** The arguments of an example, if the text has them behind it. */
export function exampleIn(help: Help): string | undefined {
  return whole(help).split(EXAMPLE)[1];
}

function whole(help: Help): string {
  if (typeof help === 'string') return help;
  texts ??= MASQBOX_HELP.split('\n');
  return texts[help] as string;
}
