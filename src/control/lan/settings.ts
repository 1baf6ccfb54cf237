// `set lan address` and `set lan mtu`. Not here: what moves with the LAN (lan.ts, overlay.ts).

import { INTERFACE_LAN } from '../../base/limits.ts';
import { formatPrefix, parsePrefix } from '../core/address.ts';
import { prefixOf } from '../core/addresses.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { mtuSetting } from '../core/link-settings.ts';
import type { Setting } from '../core/setting.ts';
import type { Lan } from './lan.ts';

export function lanSettings(context: Context, lan: Lan): Setting[] {
  return [
    mtuSetting(context, INTERFACE_LAN),
    {
      words: 'lan address',
      isDependent: true,
      arguments: 'ADDRESS/LENGTH:prefix=192.168.0.1/24 [move]',
      help: 'address of the router on the LAN; move takes DHCP range and reservations along | 192.168.0.1/24 move',
      set: ([text = '', word = '']) => {
        const prefix = parsePrefix(text);
        const why = typeof prefix === 'string' ? prefix : lan.set(prefix, word);
        if (why !== undefined) throw new Refusal(`Cannot set LAN address ${text}: ${why}`);
      },
      unsetArguments: '[move]',
      unset: ([word = '']) => {
        const why = lan.unset(word);
        if (why !== undefined) throw new Refusal(`Cannot unset LAN address: ${why}`);
      },
      unsetHelp: 'puts the LAN to 192.168.0.1/24, or elsewhere if the WAN has that | move',
      lines: () => {
        const own = prefixOf(INTERFACE_LAN);
        // Where it has moved by itself, and range or reservations with it, these need it at the next start.
        if (own === undefined || !(lan.isByHand() || lan.isMoved())) return [];
        return [`set lan address ${formatPrefix(own.address, own.length)}`];
      },
    },
  ];
}
