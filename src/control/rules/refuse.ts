// How iptables 1.8.9 refuses: a fault of the line with its version before it and where help is behind it, what the kernel of the
// original would have said without either. The texts are those of the genuine tool, by which scripts and people look for them.

import { Refusal } from '../core/console/command.ts';

export const VERSION = 'v1.8.9 (legacy)';
const TRY = "Try `iptables -h' or 'iptables --help' for more information.";
/** What the kernel says of a rule that cannot be where it is put. */
export const INVALID = "Invalid argument. Run `dmesg' for more information";
export const NO_CHAIN = 'No chain/target/match by that name';
export const LOOP = 'Too many levels of symbolic links';
export const NO_MEMORY = 'Memory allocation problem';

/** The line says what cannot be. */
export function usage(text: string): never {
  throw new Refusal(`iptables ${VERSION}: ${text}\r\n${TRY}`);
}

/** The same of a word that is none, before which no version stands. */
export function badArgument(word: string): never {
  throw new Refusal(`Bad argument \`${word}'\r\n${TRY}`);
}

/** The line is right, and the rules are not such that it can be. */
export function refuse(text: string): never {
  throw new Refusal(`iptables: ${text}.`);
}

/** A refusal of which the whole text is given. */
export function refuseWhole(text: string): never {
  throw new Refusal(text);
}
