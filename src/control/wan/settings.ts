// The WAN's settings, `show wan`, and by hand what the DHCP client does by itself: `renew`, `release`.

import { INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { formatAddress, formatPrefix, type Prefix, parseAddress, parsePrefix } from '../core/address.ts';
import { gatewayOf, mtuOf, prefixOf, refuseGateway, refuseLink } from '../core/addresses.ts';
import { type Command, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { mtuSetting } from '../core/link-settings.ts';
import { QUESTION, type Setting } from '../core/setting.ts';
import type { Lease } from './lease.ts';
import { HOST_NAME_DEFAULT, type Wan } from './wan.ts';

/** A label of a host name (RFC 1123, section 2.1). */
const LABEL = /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i;

function check(what: string, text: string, why: string | undefined): void {
  if (why !== undefined) throw new Refusal(`Cannot set WAN ${what} ${text}: ${why}`);
}

/** Sets the address, and with it the gateway if one is given: both, or neither. */
function setAddress(context: Context, wan: Wan, text: string, gatewayText?: string): void {
  const prefix = parsePrefix(text);
  const why = typeof prefix === 'string' ? prefix : refuseLink(wan.link, INTERFACE_OUTSIDE, prefix);
  check('address', text, why);
  if (gatewayText !== undefined) {
    const gateway = parseAddress(gatewayText);
    const whyNot = typeof gateway === 'string' ? gateway : refuseGateway(wan.link, prefix as Prefix, gateway);
    check('gateway', gatewayText, whyNot);
  }
  const before = wan.mode === 'static' ? gatewayOf(wan.link) : undefined;
  check('address', text, wan.setAddress(prefix as Prefix));
  if (gatewayText !== undefined) setGateway(wan, gatewayText);
  else if (before !== undefined && gatewayOf(wan.link) === undefined && !context.registry.isRestoring) {
    context.output.line('The gateway was not in the new network and has been removed');
  }
}

export function wanSettings(context: Context, wan: Wan): Setting[] {
  const ofStatic = (words: string, value: () => string | undefined) => () => {
    const text = wan.mode === 'static' ? value() : undefined;
    return text === undefined ? [] : [`set wan ${words} ${text}`];
  };
  return [
    {
      words: 'wan dhcp',
      arguments: '',
      help: 'gets the WAN its address by DHCP, as if nothing were set',
      set: () => wan.setDhcp(),
      lines: () => [],
    },
    {
      words: 'wan none',
      arguments: '',
      help: 'gives the WAN no address',
      set: () => wan.setNone(),
      unset: () => wan.setDhcp(),
      unsetHelp: 'gets the WAN its address by DHCP again',
      lines: () => (wan.mode === 'none' ? ['set wan none'] : []),
    },
    {
      words: 'wan hostname',
      arguments: 'NAME:name=masqbox',
      help: "the router's name for the provider's DHCP server, masqbox if nothing is set | printer",
      set: ([text = '']) => {
        check(
          'hostname',
          text,
          LABEL.test(text) ? undefined : 'it is not letters, digits and hyphens, at most 63',
        );
        wan.identity.hostName = text;
      },
      unset: () => {
        wan.identity.hostName = HOST_NAME_DEFAULT;
      },
      lines: () =>
        wan.identity.hostName === HOST_NAME_DEFAULT ? [] : [`set wan hostname ${wan.identity.hostName}`],
    },
    {
      words: 'wan address',
      isDependent: true,
      arguments: 'ADDRESS/LENGTH:prefix',
      help: 'the address on the WAN, by which the LAN is masqueraded | 203.0.113.5/24',
      set: ([text = '']) => setAddress(context, wan, text),
      unset: () => wan.setDhcp(),
      unsetHelp: 'gets the WAN its address by DHCP again',
      lines: ofStatic('address', () => {
        const prefix = prefixOf(wan.link);
        return prefix === undefined ? undefined : formatPrefix(prefix.address, prefix.length);
      }),
    },
    {
      words: 'wan static',
      isDependent: true,
      arguments: 'ADDRESS/LENGTH:prefix [GATEWAY:address]',
      help: 'address and gateway of the WAN in one line | 203.0.113.5/24 203.0.113.1',
      set: ([text = '', gateway]) => setAddress(context, wan, text, gateway),
      lines: () => [],
    },
    ...mtuAndGateway(context, wan, ofStatic),
    ...rareSettings(context, wan),
  ];
}

/** What few set: words, the form of the argument, help. What they do is in the overlay `wan`. */
const RARE: readonly { words: string; form: string; help: string }[] = [
  {
    words: 'client-id',
    form: 'none|mac|ID:text...16=mac',
    help: "what the provider's DHCP server knows us by: nothing, the card, or a text | none",
  },
  {
    words: 'vendor-class',
    form: 'CLASS:text...16',
    help: "the vendor class that the provider's DHCP server is told | docsis3.0",
  },
  {
    words: 'mac',
    form: 'MAC:card',
    help: "the station address on the WAN, in place of the card's own | 00:11:22:33:44:55",
  },
  { words: 'vlan', form: 'VLAN:integer(1..4094)', help: 'the VLAN in which the provider is (802.1Q) | 7' },
  {
    words: 'modem',
    form: 'ADDRESS:address',
    help: "a modem's page: this address is on the WAN's own link | 192.168.100.1",
  },
];

function rareSettings(context: Context, wan: Wan): Setting[] {
  return RARE.map(({ words, form, help }) => {
    const set = (text: string): void => context.machine.overlay('wan').setRare(context, wan, words, text);
    return {
      words: `wan ${words}`,
      isDependent: words === 'modem',
      arguments: form,
      help,
      // A text may have blanks, and is listed as it can be pasted.
      set: words => set(words.join(' ').replaceAll('?', QUESTION)),
      unset: () => {
        if (wan.rare.has(words)) set('');
      },
      lines: () => (wan.rare.has(words) ? [`set wan ${words} ${wan.rare.get(words)}`] : []),
    };
  });
}

function setGateway(wan: Wan, text: string): void {
  const gateway = parseAddress(text);
  check('gateway', text, typeof gateway === 'string' ? gateway : wan.setGateway(gateway));
}

function mtuAndGateway(
  context: Context,
  wan: Wan,
  ofStatic: (words: string, value: () => string | undefined) => () => string[],
): Setting[] {
  return [
    mtuSetting(context, wan.link, " or the lease's", {
      byHand: () => wan.mtuByHand,
      set: mtu => wan.setMtu(mtu),
    }),
    {
      words: 'wan gateway',
      isDependent: true,
      arguments: 'ADDRESS:address',
      help: 'the next router on the WAN, of an address that is set | 203.0.113.1',
      set: ([text = '']) => setGateway(wan, text),
      unset: () => {
        const why = wan.setGateway(undefined);
        if (why !== undefined) throw new Refusal(`Cannot unset WAN gateway: ${why}`);
      },
      lines: ofStatic('gateway', () => {
        const gateway = gatewayOf(wan.link);
        return gateway === undefined ? undefined : formatAddress(gateway);
      }),
    },
  ];
}

function showWan({ output }: Context, wan: Wan): void {
  const row = (name: string, value: string) => output.line(`${name.padEnd(13)}${value}`);
  const list = (name: string, addresses: readonly number[]) => {
    if (addresses.length > 0) row(name, addresses.map(formatAddress).join(' '));
  };
  const prefix = prefixOf(wan.link);
  const gateway = gatewayOf(wan.link);
  row('mode', wan.mode === 'dhcp' ? `dhcp, ${wan.client.state}` : wan.mode);
  row('address', prefix === undefined ? 'none' : formatPrefix(prefix.address, prefix.length));
  row('gateway', gateway === undefined ? 'none' : formatAddress(gateway));
  row('MTU', String(mtuOf(wan.link)));
  list('DNS servers', wan.dnsServers());
  list('NTP servers', wan.ntpServers());
  if (wan.domain() !== '') row('domain', wan.domain());
  const { lease } = wan.client;
  if (wan.mode === 'dhcp' && lease !== undefined) row('lease', leaseText(lease, wan.client.ageSeconds));
}

function leaseText(lease: Lease, age: number): string {
  const from = `from ${formatAddress(lease.server)}`;
  if (lease.isForever) return `${from}, for ever`;
  return `${from}, ${lease.seconds} s, ${Math.max(0, lease.seconds - age)} s left`;
}

function refuseOther(action: string, wan: Wan): void {
  if (wan.mode === 'dhcp') return;
  throw new Refusal(`Cannot ${action}: the WAN has no address by DHCP, see set wan dhcp`);
}

export function wanCommands(context: Context, wan: Wan): Command[] {
  return [
    {
      words: 'show wan',
      help: "the WAN's address, gateway, servers and lease",
      run: () => {
        showWan(context, wan);
        return undefined;
      },
    },
    {
      words: 'renew',
      help: "asks for more time for the WAN's address, or for an address",
      run: () => {
        refuseOther('renew', wan);
        wan.renew();
        return undefined;
      },
    },
    {
      words: 'release',
      help: "gives the WAN's address back, until renew or a restart",
      run: () => {
        refuseOther('release', wan);
        wan.client.stop();
        return undefined;
      },
    },
  ];
}
