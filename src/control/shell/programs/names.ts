// What scripts call links: `set alias` first, then eth0 for the first link, and ppp0 for the WAN where no link is called so.

import { IF_STATE, INTERFACE_ABSENT, interfaceAt } from '../../../base/interface.ts';
import { INTERFACE_WAN } from '../../../base/limits.ts';
import { i32at } from '../../../base/memory.ts';
import { interfaceName } from '../../core/facts.ts';
import { linkNamed } from '../../core/link-names.ts';

/** Links of cards have names as eth0. */
const CARDS = 4;
const DIALLED = ['ppp0', 'ippp0'];

export class Links {
  constructor(private readonly aliases: ReadonlyMap<string, number>) {}

  /** The name of a link. */
  nameOf(link: number): string {
    for (const [name, own] of this.aliases) if (own === link) return name;
    const name = `eth${link}`;
    return link < CARDS && !this.aliases.has(name) ? name : interfaceName(link);
  }

  /** The link of a name, or -1. */
  linkOf(name: string): number {
    const alias = this.aliases.get(name);
    if (alias !== undefined) return alias;
    const link = linkNamed(name);
    const isThere = link >= 0 && i32at(interfaceAt(link) + IF_STATE) !== INTERFACE_ABSENT;
    return !isThere && DIALLED.includes(name) ? INTERFACE_WAN : link;
  }
}
