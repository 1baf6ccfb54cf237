// The settings that links have in common, made in one place: MTU, and of links that no part cares for (a third card) role and
// address too. What is in force is read from the plane's tables, so that a control that was started again finds it there.
// Not here: the LAN's address (src/control/lan/lan.ts), the WAN's (src/control/wan/).

import { INTERFACE_INSIDE } from '../../base/interface.ts';
import { INTERFACE_WAN, MTU_DEFAULT, NIC_COUNT } from '../../base/limits.ts';
import { formatPrefix, type Prefix, parsePrefix } from './address.ts';
import { configure, mtuOf, prefixOf, refuseLink, setAddress, setMtu, sideOf } from './addresses.ts';
import { Refusal } from './console/command.ts';
import type { Context } from './context.ts';
import { interfaceName, linkTitle } from './facts.ts';
import type { Setting } from './setting.ts';

type Why = string | undefined;

const NO_NUMBER = 'it is not a number';

function check(link: number, what: string, text: string, why: Why): void {
  if (why !== undefined) throw new Refusal(`Cannot set ${linkTitle(link)} ${what} ${text}: ${why}`);
}

/** A link's MTU: set by hand, or undefined where it is left to the link. */
interface Mtu {
  byHand(): number | undefined;
  /** Answers why not, or undefined. */
  set(mtu: number | undefined): Why;
}

/** The MTU of a link whose default nothing else gives. */
function ownMtu({ machine: { plane } }: Context, link: number): Mtu {
  return {
    byHand: () => (mtuOf(link) === MTU_DEFAULT ? undefined : mtuOf(link)),
    set: mtu => setMtu(plane, link, sideOf(link), mtu ?? MTU_DEFAULT),
  };
}

export function mtuSetting(
  context: Context,
  link: number,
  otherwise = '',
  mtu = ownMtu(context, link),
): Setting {
  const name = interfaceName(link);
  return {
    words: `${name} mtu`,
    arguments: 'SIZE:integer(68..1500,bytes)=1500',
    help: `the longest packet that the ${linkTitle(link)} takes, 1500${otherwise} if nothing is set | 1492`,
    set: ([text = '']) =>
      check(link, 'MTU', text, /^\d{1,5}$/.test(text) ? mtu.set(Number(text)) : NO_NUMBER),
    unset: () => check(link, 'MTU', '', mtu.set(undefined)),
    lines: () => (mtu.byHand() === undefined ? [] : [`set ${name} mtu ${mtu.byHand()}`]),
  };
}

const SIDES = ['inside', 'outside'];

/**
 * The links of further cards, which no part has made its own: role, address and MTU in one line, as few boards have one and each
 * setting costs all of them heap.
 */
export function furtherLinks({ machine: { plane } }: Context): Setting {
  const links = Array.from({ length: NIC_COUNT - 1 - INTERFACE_WAN }, (_, i) => INTERFACE_WAN + 1 + i);
  const names = links.map(interfaceName);
  const linkOf = (name: string): number => {
    if (!names.includes(name)) throw new Refusal(`Cannot set link ${name}: it is not ${names.join(' or ')}`);
    return links[names.indexOf(name)] as number;
  };
  return {
    words: 'link',
    isDependent: true,
    arguments: `${names.join('|')} ${SIDES.join('|')} ADDRESS/LENGTH:prefix [MTU:integer(68..1500,bytes)]`,
    help: "a further card's link: inside as the LAN or outside, its address, its MTU | if2 outside 10.7.0.1/24 1400",
    set: ([name = '', role = '', text = '', bytes = `${MTU_DEFAULT}`]) => {
      const link = linkOf(name);
      const side = SIDES.indexOf(role);
      check(link, 'role', role, side < 0 ? 'it is not inside or outside' : undefined);
      const prefix = parsePrefix(text);
      check(link, 'address', text, typeof prefix === 'string' ? prefix : refuseLink(link, side, prefix));
      check(
        link,
        'MTU',
        bytes,
        /^\d{1,5}$/.test(bytes) ? setMtu(plane, link, side, Number(bytes)) : NO_NUMBER,
      );
      setAddress(plane, link, side, prefix as Prefix);
    },
    unset: ([name = '']) => configure(plane, linkOf(name), INTERFACE_INSIDE, 0, 0, MTU_DEFAULT),
    unsetArguments: names.join('|'),
    unsetHelp: 'takes the link away | if2',
    lines: () =>
      links.flatMap(link => {
        const own = prefixOf(link);
        if (own === undefined) return [];
        const mtu = mtuOf(link) === MTU_DEFAULT ? '' : ` ${mtuOf(link)}`;
        const words = [interfaceName(link), SIDES[sideOf(link)], formatPrefix(own.address, own.length)];
        return [`set link ${words.join(' ')}${mtu}`];
      }),
  };
}
