// How ipchains 1.3.9 refuses: a fault of the line with where help is behind it, what the kernel says without. The texts are those of the
// genuine tool, by which scripts and people look for them; where this router cannot do what it could, it says so in the same form.

import { Refusal } from '../../core/console/command.ts';

export const VERSION = 'ipchains 1.3.9, 17-Mar-1999';
const TRY = "Try `ipchains -h' or 'ipchains --help' for more information.";
export const NO_CHAIN = 'No chain by that name';
export const NO_TARGET = 'No target by that name';
export const BAD_RULE = 'bad rule (does a matching rule exist in that chain?)';
export const BUSY = 'Device or resource busy';

/** The line says what cannot be. */
export function usage(text: string): never {
  throw new Refusal(`ipchains: ${text}\r\n${TRY}`);
}

/** The same where the original has one line feed too many. */
export function usageSpaced(text: string): never {
  throw new Refusal(`ipchains: ${text}\r\n\r\n${TRY}`);
}

/** Of a word that is no option: nothing but where help is. */
export function tryHelp(): never {
  throw new Refusal(TRY);
}

/** The line is right, and the rules are not such that it can be. */
export function fail(text: string): never {
  throw new Refusal(`ipchains: ${text}`);
}

/** What of a target's missing the kernel's makers may have left out. */
export function failTarget(label: string): never {
  if (label === 'MASQ') fail(`${NO_TARGET} (Maybe this kernel doesn't support masquerading?)`);
  if (label === 'REDIRECT') fail(`${NO_TARGET} (Maybe this kernel doesn't support transparent proxying?)`);
  fail(NO_TARGET);
}
