// Addresses of -s and -d: one network, or several with commas between, each with its mask. A list is as many rules.

import { parseDotted, parseMask } from './numbers.ts';
import { usage } from './refuse.ts';

/** Addresses that one list may have. */
const LIST_MOST = 32;
const LOCALHOST = 0x7f000001;

/** Networks, address and mask of each, the address without what the mask leaves out; 0.0.0.0/0 if nothing is said. */
export function parseNetworks(text: string | undefined): number[] {
  if (text === undefined) return [0, 0];
  const networks: number[] = [];
  for (const part of text.split(',')) {
    if (networks.length === 2 * LIST_MOST) usage(`there are ${LIST_MOST} addresses in a list at most`);
    parseNetwork(part, networks);
  }
  return networks;
}

function parseNetwork(text: string, into: number[]): void {
  const slash = text.lastIndexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const mask = slash < 0 ? -1 : parseMask(text.slice(slash + 1));
  if (Number.isNaN(mask)) usage(`invalid mask \`${text.slice(slash + 1)}' specified`);
  // With a mask of no bits the name does not matter: any/0 is how some scripts say it.
  let address = mask === 0 ? 0 : parseDotted(host, false);
  if (host === 'localhost') address = LOCALHOST;
  if (Number.isNaN(address)) usage(`host/network \`${host}' not found`);
  into.push(address & mask, mask);
}
