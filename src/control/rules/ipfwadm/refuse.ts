// How ipfwadm 2.3.0 refuses: a fault of the line with where help is behind it, what the kernel says without.

import { Refusal } from '../../core/console/command.ts';

export const VERSION = 'ipfwadm 2.3.0, 1996/07/30';

/** The line says what cannot be. */
export function usage(text: string): never {
  throw new Refusal(`ipfwadm: ${text}\r\nTry \`ipfwadm -h' for more information.`);
}

/** The line is right, and the rules are not such that it can be. */
export function fail(text = 'setsockopt failed: Invalid argument'): never {
  throw new Refusal(`ipfwadm: ${text}`);
}
