// The overlay `wan`: what few set of the WAN. Who we are for the provider's DHCP server (RFC 2132, 9.13 and 9.14), another
// station address, the VLAN (IEEE 802.1Q), and a modem on the link.
// Not here: the list of these settings (settings.ts), where their values are kept (wan.ts).

import { cardAt, NIC_MAC } from '../../../hal/nic/card.ts';
import { cardOf, IF_VLAN, interfaceAt } from '../../base/interface.ts';
import { get16, get32, puti32 } from '../../base/memory.ts';
import { parseAddress, refuseUnicast } from '../core/address.ts';
import { linkWith, prefixOf } from '../core/addresses.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { linkTitle } from '../core/facts.ts';
import type { Machine } from '../core/machine.ts';
import { QUESTION } from '../core/setting.ts';
import type { Wan } from './wan.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    wan: typeof import('./overlay.ts');
  }
}

const ID_BYTES = 255;
const VLAN_MOST = 4094;
const ONE_HOST = -1;

/** Sets one, or takes it back: ''. */
export function setRare(context: Context, wan: Wan, words: string, text: string): void {
  const { machine } = context;
  const refuse = (why: string | undefined): void => {
    if (why !== undefined) throw new Refusal(`Cannot set WAN ${words} ${text}: ${why}`);
  };
  const { identity } = wan;
  if (words === 'client-id') {
    const id = identifierOf(text);
    refuse(whyTooLong(id?.length ?? 0));
    wan.change(() => {
      identity.clientId = id;
    });
  } else if (words === 'vendor-class') {
    const vendorClass = plain(text);
    refuse(whyTooLong(vendorClass.length));
    wan.change(() => {
      identity.vendorClass = text === '' ? undefined : vendorClass;
    });
  } else if (words === 'mac') readdress(machine, wan, text, refuse);
  else if (words === 'vlan') {
    const vlan = text === '' ? 0 : Number(text);
    refuse(
      /^\d{0,4}$/.test(text) && vlan <= VLAN_MOST && text !== '0' ? undefined : `it is not 1 to ${VLAN_MOST}`,
    );
    wan.change(() => puti32(interfaceAt(wan.link) + IF_VLAN, vlan));
  } else modem(context, wan, text, refuse);
  if (text === '' || (words === 'client-id' && text === 'mac')) wan.rare.delete(words);
  else wan.rare.set(words, text);
}

/** Undefined is the station address; 01:02:.. are bytes, and all else is text. */
function identifierOf(text: string): Uint8Array | undefined {
  if (text === '' || text === 'mac') return undefined;
  if (text === 'none') return new Uint8Array(0);
  if (/^[\da-f]{2}(:[\da-f]{2})+$/i.test(text))
    return Uint8Array.from(text.split(':'), pair => Number.parseInt(pair, 16));
  return Uint8Array.from(plain(text), character => character.charCodeAt(0));
}

/** A text as it is sent: a question mark is listed as `\x3f`, and a blank that must stay may be written `\x20`. */
function plain(text: string): string {
  return text.replaceAll(QUESTION, '?').replaceAll('\\x20', ' ');
}

function whyTooLong(bytes: number): string | undefined {
  return bytes > ID_BYTES ? `it is longer than ${ID_BYTES} bytes` : undefined;
}

/** Another station address, or the card's own. */
function readdress(
  { plane }: Machine,
  wan: Wan,
  text: string,
  refuse: (why: string | undefined) => void,
): void {
  const pairs = text.split(':').map(pair => Number.parseInt(pair, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = pairs;
  if (text !== '') {
    const isMac = /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(text);
    refuse(isMac ? undefined : 'a station address is 00:11:22:33:44:55');
    refuse((a & 1) !== 0 ? 'it is the address of a group' : undefined);
    refuse(pairs.every(pair => pair === 0) ? 'no station has it' : undefined);
  }
  const card = cardOf(wan.link);
  if (card < 0) return; // nothing is there to be given one
  const own = cardAt(card) + NIC_MAC;
  const high = text === '' ? get32(own) : (a << 24) | (b << 16) | (c << 8) | d;
  const low = text === '' ? get16(own + 4) : (e << 8) | f;
  wan.change(() => plane.nicReaddress(card, high, low));
}

/** A route to one address on the WAN's link: the modem's page is reached by it, with the WAN's address as source. */
function modem(
  { machine: { plane } }: Context,
  wan: Wan,
  text: string,
  refuse: (why: string | undefined) => void,
): void {
  const before = parseAddress(wan.rare.get('modem') ?? '');
  const address = text === '' ? 0 : parseAddress(text);
  if (typeof address === 'string') refuse(address);
  else if (text !== '') {
    refuse(refuseUnicast(address));
    refuse(address === prefixOf(wan.link)?.address ? "it is the WAN's own address" : undefined);
    const other = linkWith([{ address, length: 32 }], wan.link);
    refuse(other >= 0 ? `it is in the ${linkTitle(other)}'s network` : undefined);
    // The plane has one route to a destination, and its gateway need not be in reach yet.
    const gateway = plane.routeGateway(address, ONE_HOST);
    const isSet = gateway !== -1 && gateway !== 0;
    refuse(isSet ? `there is a set route ${text}/32, see unset route` : undefined);
    const isAdded = plane.routeAdd(address, ONE_HOST, 0, wan.link) === 1;
    refuse(isAdded ? undefined : 'the table of routes is full');
  }
  if (typeof before === 'number' && before !== address) plane.routeRemove(before, ONE_HOST);
}
