// Addresses that we have outside beside a link's own one: a single one that is ours, or a network that stands for one inside, address for
// address. Read by control too. Not here: what they do (src/plane/ip/aliases.ts).
//
//    0         4      8                    12
//    | address | mask | network inside, 0: ours | link |
//
// Those in use come first: ALIASES_SET_AT of them.

import { ALIAS_BYTES, ALIASES_AT } from './limits.ts';

export const ALIAS_ADDRESS: i32 = 0;
export const ALIAS_MASK: i32 = 4;
export const ALIAS_INSIDE: i32 = 8;
export const ALIAS_LINK: i32 = 12;

/** Address of alias number n, from 0. */
export function aliasAt(n: i32): i32 {
  return ALIASES_AT + n * ALIAS_BYTES;
}
