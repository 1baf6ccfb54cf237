// The settings that links have in common, made in one place: MTU, and of links that no part cares for (a third card) address and
// role too. What is in force is read from the plane's tables, so that a control that was started again finds it there.
// Not here: the LAN's address (src/control/lan/lan.ts), the WAN's (src/control/wan/).

import { INTERFACE_INSIDE, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { INTERFACE_WAN, MTU_DEFAULT, NIC_COUNT } from '../../base/limits.ts';
import { formatPrefix, maskOf, type Prefix, parsePrefix } from './address.ts';
import { configure, mtuOf, prefixOf, refuseLink, setAddress, setMtu, sideOf } from './addresses.ts';
import { Refusal } from './console/command.ts';
import type { Context } from './context.ts';
import { interfaceName, linkTitle } from './facts.ts';
import type { Setting } from './setting.ts';

type Why = string | undefined;

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
    help: `the longest packet that ${link > INTERFACE_WAN ? name : `the ${linkTitle(link)}`} takes, 1500${otherwise} if nothing is set`,
    set: ([text = '']) =>
      check(link, 'MTU', text, /^\d{1,5}$/.test(text) ? mtu.set(Number(text)) : 'it is not a number'),
    unset: () => check(link, 'MTU', '', mtu.set(undefined)),
    lines: () => (mtu.byHand() === undefined ? [] : [`set ${name} mtu ${mtu.byHand()}`]),
  };
}

function addressSetting({ machine: { plane } }: Context, link: number): Setting {
  const name = interfaceName(link);
  return {
    words: `${name} address`,
    isDependent: true,
    arguments: 'ADDRESS/LENGTH:prefix',
    help: `the router's address on ${name}, the link of a further card`,
    set: ([text = '']) => {
      const prefix = parsePrefix(text);
      check(
        link,
        'address',
        text,
        typeof prefix === 'string' ? prefix : setAddress(plane, link, sideOf(link), prefix),
      );
    },
    unset: () => configure(plane, link, sideOf(link), 0, 0, mtuOf(link)),
    lines: () => {
      const own = prefixOf(link);
      return own === undefined ? [] : [`set ${name} address ${formatPrefix(own.address, own.length)}`];
    },
  };
}

const SIDES = ['inside', 'outside'];

function roleSetting({ machine: { plane } }: Context, link: number): Setting {
  const name = interfaceName(link);
  const become = (side: number): Why => {
    const own: Prefix | undefined = prefixOf(link);
    const why = own && refuseLink(link, side, own);
    if (why === undefined)
      configure(
        plane,
        link,
        side,
        own?.address ?? 0,
        own === undefined ? 0 : maskOf(own.length),
        mtuOf(link),
      );
    return why;
  };
  return {
    words: `${name} role`,
    isDependent: true,
    arguments: 'inside|outside',
    help: `whether ${name} is inside, masqueraded to the outside, or outside; inside if nothing is set`,
    set: ([text = '']) => {
      const side = SIDES.indexOf(text);
      check(link, 'role', text, side < 0 ? 'it is inside or outside' : become(side));
    },
    unset: () => check(link, 'role', 'inside', become(INTERFACE_INSIDE)),
    lines: () => (sideOf(link) === INTERFACE_OUTSIDE ? [`set ${name} role outside`] : []),
  };
}

/** All of the links of further cards, which no part has made its own. */
export function furtherLinks(context: Context): Setting[] {
  const links = Array.from({ length: NIC_COUNT - 1 - INTERFACE_WAN }, (_, i) => INTERFACE_WAN + 1 + i);
  return links.flatMap(link => [
    roleSetting(context, link),
    mtuSetting(context, link),
    addressSetting(context, link),
  ]);
}
