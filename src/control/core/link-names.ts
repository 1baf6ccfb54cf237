// Links by the words for them: their names, and what scripts of the time call the first ones. Only what is loaded when it is
// wanted reads such words. Not here: the names themselves (facts.ts).

import { INTERFACE_COUNT } from '../../base/limits.ts';
import { interfaceName } from './facts.ts';

/** The link that a word names, or -1: `lan`, `ppp0`; `eth0` is the first link, and so on. */
export function linkNamed(word: string): number {
  for (let link = 0; link < INTERFACE_COUNT; link++)
    if (word === interfaceName(link) || word === `eth${link}`) return link;
  return -1;
}
