// Sets and takes back aliases (aliases.ts). Control does, one at a time.

import { ALIAS_ADDRESS, ALIAS_INSIDE, ALIAS_LINK, ALIAS_MASK, aliasAt } from '../../base/alias-record.ts';
import { ALIASES_SET_AT, HELD_AT } from '../../base/cells.ts';
import { IF_STATE, INTERFACE_UP, interfaceAt } from '../../base/interface.ts';
import { ALIAS_BYTES, ALIAS_COUNT, ALIASES_AT } from '../../base/limits.ts';
import { copy, fill, i32at, puti32 } from '../../base/memory.ts';
import { arpAnnounceAs } from '../link/arp.ts';
import { flushRoutes } from './route.ts';

export function resetAliases(): void {
  fill(ALIASES_AT, 0, ALIAS_COUNT * ALIAS_BYTES);
  puti32(ALIASES_SET_AT, 0);
}

/** Adds the addresses of a network, one of a single address too, on a link: for those of a network inside, or, 0, ours. 0 if all are in use. */
export function aliasSet(address: i32, mask: i32, inside: i32, link: i32): i32 {
  const n: i32 = i32at(ALIASES_SET_AT);
  if (n >= ALIAS_COUNT) return 0;
  const at: i32 = aliasAt(n);
  puti32(at + ALIAS_ADDRESS, address & mask);
  puti32(at + ALIAS_MASK, mask);
  puti32(at + ALIAS_INSIDE, inside & mask);
  puti32(at + ALIAS_LINK, link);
  puti32(ALIASES_SET_AT, n + 1);
  flushRoutes();
  if (mask === -1) announce(at);
  return 1;
}

/** Takes alias number n back. Who does ends its sessions (aliasEnd in src/plane/flow/flow-timeout.ts), which else end by their timers. */
export function aliasRemove(n: i32): void {
  const last: i32 = i32at(ALIASES_SET_AT) - 1;
  if (n > last) return;
  copy(aliasAt(n), aliasAt(n + 1), (last - n) * ALIAS_BYTES);
  fill(aliasAt(last), 0, ALIAS_BYTES);
  puti32(ALIASES_SET_AT, last);
  flushRoutes();
}

/** Tells a link, if it is up, of its single addresses; of networks nobody is told, who wants one of them asks. */
export function announceAliases(link: i32): void {
  const set: i32 = i32at(ALIASES_SET_AT);
  for (let n: i32 = 0; n < ALIAS_COUNT && n < set; n++) {
    const at: i32 = aliasAt(n);
    if (i32at(at + ALIAS_LINK) === link && i32at(at + ALIAS_MASK) === -1) announce(at);
  }
}

function announce(alias: i32): void {
  const link: i32 = i32at(alias + ALIAS_LINK);
  if (i32at(HELD_AT) === 0 && i32at(interfaceAt(link) + IF_STATE) === INTERFACE_UP)
    arpAnnounceAs(link, i32at(alias + ALIAS_ADDRESS));
}
