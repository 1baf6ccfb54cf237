// Names of interfaces in rules: each different one has a number and a place (RULE_NAMES_AT), and each link a word with a bit for every
// name that means it (RULE_LINKS_AT), so a rule's name is looked for once, when it is written.
//
// A link is meant by its own name, and by what scripts of the time call it, as elsewhere here (../core/link-names.ts): eth0 is the first
// link, the LAN, eth1 the WAN, and so on. Most scripts for two cards have it so; those that have it the other way round say
// `set alias eth0 wan` and `set alias eth1 lan`. A script for a dialled line names it ppp0 or ippp0: where no link is called so, that is
// the WAN. A name that ends in + means all links that are meant by a name which begins so. `lo` is no link here: no packet comes by it.

import { IF_STATE, INTERFACE_ABSENT, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_COUNT, INTERFACE_WAN } from '../../base/limits.ts';
import { get8, i32at, put8, puti32 } from '../../base/memory.ts';
import { CHAIN_COUNT, RULE_LINKS_AT, RULE_NAME_BYTES, RULE_NAME_COUNT } from '../../base/rule-limits.ts';
import { cellAt, NAME_MOST, nameAt, RULE_IN, RULE_OUT } from '../../base/rule-record.ts';
import { interfaceName } from '../core/facts.ts';
import { linkNamed } from '../core/link-names.ts';
import type { Machine } from '../core/machine.ts';
import { putText } from '../core/store/text.ts';
import { firstRule, nextRule } from './chains.ts';
import { isOpen } from './memory.ts';
import { NO_MEMORY, refuse } from './refuse.ts';

/** What `set alias` has said (settings.ts): names, and the links that they mean. */
export type Aliases = ReadonlyMap<string, number>;

const DIALLED = ['ppp0', 'ippp0'];

/** The text of a name's number. */
export function interfaceText(number: number): string {
  const at = nameAt(number);
  let text = '';
  for (let i = 0; i < NAME_MOST && get8(at + i) !== 0; i++) text += String.fromCharCode(get8(at + i));
  return text;
}

function isText(at: number, text: string): boolean {
  const { length } = text;
  for (let i = 0; i < length; i++) if (get8(at + i) !== text.charCodeAt(i)) return false;
  return length === NAME_MOST || get8(at + length) === 0;
}

/** The number of a name, which gets one if it has none yet; that of number `kept`, which a rule has that is in no chain yet, stays. */
export function interfaceNumber({ memory }: Machine, aliases: Aliases, text: string, kept = 0): number {
  let free = 0;
  for (let n = 1; n < RULE_NAME_COUNT; n++) {
    const at = nameAt(n);
    if (isText(at, text)) return n;
    if (free === 0 && get8(at) === 0) free = n;
  }
  if (free === 0) free = unusedName(kept);
  for (let i = 0; i < RULE_NAME_BYTES; i++) put8(nameAt(free) + i, 0);
  putText(memory, nameAt(free), text);
  relink(aliases);
  return free;
}

/** The bit of a name, 0 if no rule has it. */
export function nameBits(text: string): number {
  for (let n = 1; n < RULE_NAME_COUNT; n++) if (isText(nameAt(n), text)) return 1 << n;
  return 0;
}

/** A name that no rule has any more; a Refusal if there is none. */
function unusedName(kept: number): number {
  let used = 1 | (1 << kept);
  for (let chain = 1; chain < CHAIN_COUNT; chain++) {
    for (const isDraft of [false, true]) {
      for (let rule = firstRule(chain, isDraft); rule !== 0; rule = nextRule(rule))
        used |= (1 << get8(cellAt(rule) + RULE_IN)) | (1 << get8(cellAt(rule) + RULE_OUT));
    }
  }
  for (let n = 1; n < RULE_NAME_COUNT; n++) if ((used & (1 << n)) === 0) return n;
  return refuse(`${NO_MEMORY}: rules have ${RULE_NAME_COUNT - 1} different names of interfaces at most`);
}

/** All names that mean a link. */
function namesOf(aliases: Aliases, link: number): string[] {
  const names = [interfaceName(link), `eth${link}`];
  if (link === INTERFACE_WAN) {
    for (const name of DIALLED) {
      const own = linkNamed(name);
      if (own < 0 || i32at(interfaceAt(own) + IF_STATE) === INTERFACE_ABSENT) names.push(name);
    }
  }
  const meant = names.filter(name => !aliases.has(name));
  for (const [name, own] of aliases) if (own === link) meant.push(name);
  return meant;
}

/** The link that a name without + means; -1 if it means none. */
export function linkOfName(aliases: Aliases, name: string): number {
  for (let link = 0; link < INTERFACE_COUNT; link++) if (namesOf(aliases, link).includes(name)) return link;
  return -1;
}

/** Says anew which names mean which link: when one is added, and when an alias or a link has changed. */
export function relink(aliases: Aliases): void {
  if (!isOpen()) return;
  const texts: string[] = [];
  for (let n = 1; n < RULE_NAME_COUNT; n++) texts[n] = interfaceText(n);
  for (let link = 0; link < INTERFACE_COUNT; link++) {
    const names = namesOf(aliases, link);
    let mask = 0;
    for (let n = 1; n < RULE_NAME_COUNT; n++) {
      const text = texts[n] as string;
      if (text === '') continue;
      const stem = text.endsWith('+') ? text.slice(0, -1) : undefined;
      for (const name of names)
        if (stem === undefined ? name === text : name.startsWith(stem)) mask |= 1 << n;
    }
    puti32(RULE_LINKS_AT + 4 * link, mask);
  }
}
