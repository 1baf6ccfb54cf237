// Values in the words of ipchains and ipfwadm, as C's library of the time reads them. All answer NaN for what is none.
// Not here: what is said of it (../ipchains/, ../ipfwadm/).

import { parseNumber } from '../numbers.ts';

const LOCALHOST = 0x7f000001;
const DIGITS = '0123456789abcdef';

/** A whole number with its sign, from `least` to `most`, to another base than ten if that is given. */
export function parseWhole(text: string, least: number, most: number, base = 10): number {
  const isNegative = text.startsWith('-');
  let i = isNegative || text.startsWith('+') ? 1 : 0;
  if (base === 16 && (text.startsWith('0x', i) || text.startsWith('0X', i)) && text.length > i + 2) i += 2;
  if (i === text.length) return Number.NaN;
  let value = 0;
  for (; i < text.length; i++) {
    const digit = DIGITS.indexOf(text.charAt(i).toLowerCase());
    if (digit < 0 || digit >= base) return Number.NaN;
    value = value * base + digit;
  }
  if (isNegative) value = -value;
  return value >= least && value <= most ? value : Number.NaN;
}

/** Four numbers with dots between. */
export function parseQuad(text: string): number {
  const parts = text.split('.');
  if (parts.length !== 4) return Number.NaN;
  let address = 0;
  for (const part of parts) address = (address << 8) | parseWhole(part, 0, 255);
  return parts.some(part => Number.isNaN(parseWhole(part, 0, 255))) ? Number.NaN : address;
}

/** One to three numbers, of which the last fills what is left: 127.1 is 127.0.0.1, and 10 is 0.0.0.10 (inet_aton). */
function parseShort(text: string): number {
  const parts = text.split('.');
  if (parts.length > 4) return Number.NaN;
  let address = 0;
  for (let i = 0; i < parts.length; i++) {
    const isLast = i === parts.length - 1;
    const most = isLast ? 2 ** (8 * (5 - parts.length)) - 1 : 255;
    const part = parseNumber(parts[i] as string, most);
    if (Number.isNaN(part)) return part;
    address |= isLast ? part : part << (24 - 8 * i);
  }
  return address;
}

/** A host's address. Names but this one are not known: there is nobody to ask while a rule is read. */
export function parseHost(text: string): number {
  if (text === 'localhost') return LOCALHOST;
  const address = parseQuad(text);
  return Number.isNaN(address) ? parseShort(text) : address;
}

/** A mask: four numbers, or how many bits it has. */
export function parseMask(text: string): number {
  const quad = parseQuad(text);
  if (!Number.isNaN(quad)) return quad;
  const bits = parseWhole(text, 0, 32);
  return bits === 0 ? 0 : Number.isNaN(bits) ? bits : -1 << (32 - bits);
}

/** An address and its mask, the address without what the mask leaves out. */
export interface Network {
  address: number;
  mask: number;
}

/** What both tools refuse of one; each has its own words for it. */
export interface NetworkRefusals {
  mask(text: string): never;
  host(text: string): never;
}

export function parseNetwork(text: string, refusals: NetworkRefusals): Network {
  const slash = text.lastIndexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const mask = slash < 0 ? -1 : parseMask(text.slice(slash + 1));
  if (Number.isNaN(mask)) refusals.mask(text.slice(slash + 1));
  // Without bits the name does not matter: any/0.
  const address = mask === 0 ? 0 : parseHost(host);
  if (Number.isNaN(address)) refusals.host(host);
  return { address: address & mask, mask };
}
