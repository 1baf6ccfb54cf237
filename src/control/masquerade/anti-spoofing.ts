// `set anti-spoofing LINK off`: sources that the way back says are forged come in by a link all the same, as with Linux's rp_filter 0. It is for a
// network that is reached by another way than it answers. What no source is, our own addresses among them, is dropped in any case.
// Not here: the check (src/plane/ip/source.ts).

import { INTERFACE_WAN, NIC_COUNT, PARAMETERS_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { ANY_SOURCE } from '../../base/parameters.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { WARNING } from '../core/log.ts';
import type { Setting } from '../core/setting.ts';

/** Links by which any source comes in, a bit each. */
const free = (): number => i32at(PARAMETERS_AT + 4 * ANY_SOURCE);

export function antiSpoofing({ log, machine: { plane }, registry }: Context): Setting {
  const names = Array.from({ length: NIC_COUNT }, (_, link) => interfaceName(link));
  const bitOf = (name: string): number => {
    if (!names.includes(name))
      throw new Refusal(`Cannot set anti-spoofing ${name}: it is none of ${names.join(', ')}`);
    return 1 << names.indexOf(name);
  };
  return {
    words: 'anti-spoofing',
    inPlane: true,
    arguments: `${names.join('|')} off`,
    help: 'lets forged sources in by a link, on trial first: confirm 5 behind it | wan off',
    set: ([name = '', word = '']) => {
      const bit = bitOf(name);
      if (word !== 'off') throw new Refusal(`Cannot set anti-spoofing ${name} ${word}: it is off, or unset`);
      if (!registry.isRestoring && !registry.isOnTrial()) {
        const who =
          bit >= 1 << INTERFACE_WAN
            ? 'anybody there can pass for a host inside'
            : 'a host there can pass for any other';
        throw new Refusal(
          `Cannot set anti-spoofing ${name} off: ${who}. Who means it says set anti-spoofing ${name} off confirm 5, and then confirm`,
        );
      }
      plane.anySource(free() | bit);
      log(WARNING, name, 'anti-spoofing is off: forged sources are let in');
    },
    unset: ([name = '']) => plane.anySource(free() & ~bitOf(name)),
    unsetArguments: names.join('|'),
    unsetHelp: 'forged sources are dropped again | wan',
    lines: () =>
      names.filter((_, link) => ((free() >> link) & 1) !== 0).map(name => `set anti-spoofing ${name} off`),
  };
}
