// DHCP options: their codes, and what they are called and look like.
// Names and forms come from the option table of the npm package `dhcp` (node-dhcp), checked and turned into
// option-table.ts by tools/dhcp-options.ts, which also says what was corrected. RFC 2132 unless said otherwise.
// Not here: options on the wire (message.ts).

import { parseAddress } from '../address.ts';
import { OPTION_TABLE } from './option-table.ts';

export const OPTION_SUBNET_MASK = 1;
export const OPTION_ROUTER = 3;
export const OPTION_DOMAIN_NAME_SERVER = 6;
export const OPTION_HOST_NAME = 12;
export const OPTION_DOMAIN_NAME = 15;
export const OPTION_INTERFACE_MTU = 26;
export const OPTION_BROADCAST_ADDRESS = 28;
export const OPTION_STATIC_ROUTE = 33;
export const OPTION_NTP_SERVERS = 42;
export const OPTION_REQUESTED_ADDRESS = 50;
export const OPTION_LEASE_TIME = 51;
export const OPTION_OVERLOAD = 52;
export const OPTION_MESSAGE_TYPE = 53;
export const OPTION_SERVER_IDENTIFIER = 54;
export const OPTION_PARAMETER_REQUEST_LIST = 55;
export const OPTION_MESSAGE = 56;
export const OPTION_MAXIMUM_MESSAGE_SIZE = 57;
export const OPTION_RENEWAL_TIME = 58;
export const OPTION_REBINDING_TIME = 59;
export const OPTION_VENDOR_CLASS = 60;
export const OPTION_CLIENT_IDENTIFIER = 61;
/** RFC 4702. */
export const OPTION_CLIENT_FQDN = 81;
/** RFC 3046. */
export const OPTION_RELAY_AGENT_INFORMATION = 82;
/** RFC 3442. */
export const OPTION_CLASSLESS_ROUTES = 121;
/** Microsoft's number for what RFC 3442 calls 121. */
export const OPTION_CLASSLESS_ROUTES_MICROSOFT = 249;

/** What an option's value looks like; the names are node-dhcp's. */
export type OptionType =
  | 'IP'
  | 'IPs'
  | 'UInt8'
  | 'UInt8s'
  | 'UInt16'
  | 'UInt16s'
  | 'UInt32'
  | 'Int32'
  | 'Bool'
  | 'ASCII';

export interface OptionInfo {
  name: string;
  type: OptionType;
}

/** Between these, codes belong to the site (RFC 3942): none is in the table, and a search would take 2 ms. */
const CODE_PUBLIC_MOST = 223;
const CODE_MICROSOFT = 249;

/** What is known of an option, or undefined. Searches the table's text: for the console, not for packets. */
export function optionInfo(code: number): OptionInfo | undefined {
  if (code > CODE_PUBLIC_MOST && code < CODE_MICROSOFT) return undefined;
  const key = `\n${code} `;
  const start = OPTION_TABLE.indexOf(key);
  if (start < 0) return undefined;
  const line = OPTION_TABLE.slice(start + key.length, OPTION_TABLE.indexOf('\n', start + 1));
  const space = line.indexOf(' ');
  return { type: line.slice(0, space) as OptionType, name: line.slice(space + 1) };
}

/** Whether a value of this type can have so many bytes. */
export function lengthFits(type: OptionType, length: number): boolean {
  switch (type) {
    case 'IP':
    case 'UInt32':
    case 'Int32':
      return length === 4;
    case 'IPs':
      return length > 0 && length % 4 === 0;
    case 'UInt8':
    case 'Bool':
      return length === 1;
    case 'UInt16':
      return length === 2;
    case 'UInt16s':
      return length > 0 && length % 2 === 0;
    default:
      return length > 0;
  }
}

/** How a question mark is listed: the key would ask for help where the line is pasted. */
export const QUESTION = '\\x3f';

/** The value that words of the console stand for, or why they are none. */
export function parseOption(type: OptionType, words: string[]): Uint8Array | string {
  if (type === 'ASCII') {
    const text = words.join(' ').replaceAll(QUESTION, '?');
    return Uint8Array.from(text, character => character.charCodeAt(0));
  }
  const width = widthOf(type);
  if (words.length * width > 255) return 'it is longer than 255 bytes';
  const bytes = new Uint8Array(words.length * width);
  let at = 0;
  const isAddress = type === 'IP' || type === 'IPs';
  const range = rangeOf(type);
  const first = 8 * width - 8;
  for (const word of words) {
    const value = isAddress ? parseAddress(word) : parseNumber(type, word, range);
    if (typeof value === 'string') return value;
    for (let shift = first; shift >= 0; shift -= 8) bytes[at++] = value >> shift;
  }
  return lengthFits(type, bytes.length) ? bytes : `it takes one value, not ${words.length}`;
}

function parseNumber(type: OptionType, word: string, range: readonly [number, number]): number | string {
  if (type === 'Bool' && (word === 'on' || word === 'off')) return word === 'on' ? 1 : 0;
  const number = Number(word);
  const isPlain = Number.isInteger(number) && String(number) === word;
  const isNumber = isPlain || /^(-?\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(word);
  const value = isNumber ? number : Number.NaN;
  if (value >= range[0] && value <= range[1]) return value | 0;
  return `${word} is not a number from ${range[0]} to ${range[1]}`;
}

function rangeOf(type: OptionType): [number, number] {
  if (type === 'Bool') return [0, 1];
  if (type === 'Int32') return [-0x80000000, 0x7fffffff];
  const width = widthOf(type);
  return [0, width === 1 ? 0xff : width === 2 ? 0xffff : 0xffffffff];
}

/** Bytes of one value. */
function widthOf(type: OptionType): number {
  if (type === 'UInt8' || type === 'UInt8s' || type === 'Bool' || type === 'ASCII') return 1;
  return type === 'UInt16' || type === 'UInt16s' ? 2 : 4;
}
