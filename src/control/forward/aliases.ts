// `set wan also` and `set nat one-to-one`: their lines, which are had whenever settings are saved. Not here: what they do (alias-words.ts, of the
// overlay), and what an alias is (src/plane/ip/aliases.ts).

import { ALIAS_ADDRESS, ALIAS_INSIDE, ALIAS_MASK, aliasAt } from '../../base/alias-record.ts';
import { ALIASES_SET_AT } from '../../base/cells.ts';
import { i32at } from '../../base/memory.ts';
import { formatAddress, formatPrefix } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import type { Setting } from '../core/setting.ts';

/** Numbers of those that are ours, or of those that stand for hosts inside. */
export function aliases(isInside: boolean): number[] {
  const found: number[] = [];
  for (let n = 0; n < i32at(ALIASES_SET_AT); n++)
    if ((i32at(aliasAt(n) + ALIAS_INSIDE) !== 0) === isInside) found.push(n);
  return found;
}

/** One that stands for hosts inside, as it is typed. */
export function oneToOneText(n: number): string {
  const at = aliasAt(n);
  const length = 32 - Math.round(Math.log2((~i32at(at + ALIAS_MASK) >>> 0) + 1));
  return `${formatPrefix(i32at(at + ALIAS_ADDRESS), length)} ${formatPrefix(i32at(at + ALIAS_INSIDE), length)}`;
}

export function aliasSettings({ machine }: Context): Setting[] {
  const actions = () => machine.overlay('forward');
  return [
    {
      words: 'wan also',
      inPlane: true,
      isDependent: true,
      arguments: 'ADDRESS:address...16',
      help: 'further addresses on the WAN, for forwards and rules | 203.0.113.18 203.0.113.19',
      set: args => actions().setAlso(machine.plane, args),
      unset: () => actions().setAlso(machine.plane, []),
      unsetHelp: 'the WAN has its own address alone',
      lines: () => {
        const all = aliases(false).map(n => formatAddress(i32at(aliasAt(n) + ALIAS_ADDRESS)));
        return all.length === 0 ? [] : [`set wan also ${all.join(' ')}`];
      },
    },
    {
      words: 'nat one-to-one',
      inPlane: true,
      isDependent: true,
      arguments: 'OUTSIDE/LENGTH:network INSIDE/LENGTH:network',
      help: 'addresses outside that stand for as many inside, both ways | 203.0.113.32/28 192.168.0.32/28',
      set: args => actions().setOneToOne(machine.plane, args),
      unset: args => actions().unsetOneToOne(machine.plane, args),
      unsetArguments: 'OUTSIDE/LENGTH:network',
      unsetHelp: 'they stand for nobody any more | 203.0.113.32/28',
      lines: () => aliases(true).map(n => `set nat one-to-one ${oneToOneText(n)}`),
    },
  ];
}
