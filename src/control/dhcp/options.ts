// DHCP options: their codes, what their values look like, and how people write them.
// The forms come from the option table of the npm package `dhcp` (node-dhcp), checked and turned into
// option-table.ts by tools/dhcp-options.ts, which also says what was corrected. RFC 2132 unless said otherwise.
// Not here: options on the wire (message.ts).

import { maskOf, parseAddress, parsePrefix } from '../core/address.ts';
import { QUESTION } from '../core/setting.ts';
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
export const OPTION_TFTP_SERVER_NAME = 66;
export const OPTION_BOOT_FILE_NAME = 67;
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
  | 'ASCII'
  | 'Domains'
  | 'Routes';

/** Between these, codes belong to the site (RFC 3942): none is in the table, and a search would take 2 ms. */
const CODE_PUBLIC_MOST = 223;
const CODE_MICROSOFT = 249;

/** The type of an option, or undefined. Searches the table's text: for the console, not for packets. */
export function optionType(code: number): OptionType | undefined {
  if (code > CODE_PUBLIC_MOST && code < CODE_MICROSOFT) return undefined;
  const key = `\n${code} `;
  const start = OPTION_TABLE.indexOf(key);
  if (start < 0) return undefined;
  return OPTION_TABLE.slice(start + key.length, OPTION_TABLE.indexOf('\n', start + 1)) as OptionType;
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

/** An option's length is one byte. */
const VALUE_BYTES = 255;
const TOO_LONG = `it is longer than ${VALUE_BYTES} bytes`;
const DOT = 46;

/**
 * The value that words of the console stand for, or why they are none. Where the type says no more than that there are
 * bytes, they may be numbers, addresses, hexadecimal digits with colons, or text.
 */
export function parseOption(type: OptionType, words: string[]): Uint8Array | string {
  if (type === 'ASCII') return textBytes(words);
  if (type === 'Domains') return domains(words);
  if (type === 'Routes' && words.every(word => word.includes('.') || word.includes('/')))
    return routes(words);
  const small = type === 'UInt8s' ? smallNumbers(words) : undefined;
  if (small !== undefined) return small;
  if (type === 'UInt8s' || type === 'Routes') {
    // One pattern for all words: each use of one costs as much as a hundred characters.
    const text = words.join(' ');
    if (/^[\d. ]+$/.test(text) && words.every(word => word.includes('.'))) return parseOption('IPs', words);
    if (/^([\da-f]{2}(:[\da-f]{2})+|0x([\da-f]{2}){2,})$/i.test(text))
      return hexBytes(text.replace(/^0x/i, '').replaceAll(':', ''));
    if (!/^(-?\d+|0x[\da-f]*)( (-?\d+|0x[\da-f]*))*$/i.test(text)) return textBytes(words);
  }
  const width = widthOf(type);
  if (words.length * width > VALUE_BYTES) return TOO_LONG;
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

/** The bytes of what is nothing but numbers of a byte, as most is: the patterns for all else take six times as long. */
function smallNumbers(words: string[]): Uint8Array | undefined {
  if (words.length > VALUE_BYTES) return undefined;
  const bytes = new Uint8Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const number = Number(words[i]);
    if (!(number >= 0 && number < 256 && String(number | 0) === words[i])) return undefined;
    bytes[i] = number;
  }
  return bytes;
}

function textBytes(words: string[]): Uint8Array {
  const text = words.join(' ').replaceAll(QUESTION, '?');
  // A function for each character would take three times as long: a slow board has a second of saved text.
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The bytes that an even number of hexadecimal digits stands for, four at a time: a number of each would take as long. */
export function hexBytes(digits: string): Uint8Array {
  const bytes = new Uint8Array(digits.length >> 1);
  for (let at = 0; at < bytes.length; at += 4) {
    const piece = digits.slice(2 * at, 2 * at + 8);
    const value = Number(`0x${piece}`);
    let shift = 4 * piece.length;
    for (let i = at; shift > 0; i++) {
      shift -= 8;
      bytes[i] = value >>> shift;
    }
  }
  return bytes;
}

/** Names as labels (RFC 1035, section 3.1), without pointers, which no client needs. */
function domains(words: string[]): Uint8Array | string {
  const bytes = new Uint8Array(VALUE_BYTES);
  let at = 0;
  for (const word of words) {
    const name = word.endsWith('.') ? word.slice(0, -1) : word;
    // A length before each label, and a zero behind the last.
    if (at + name.length + 2 > VALUE_BYTES) return TOO_LONG;
    if (!/^[\w-]{1,63}(\.[\w-]{1,63})*$/.test(name)) return `${word} is no domain name`;
    let label = at++;
    for (let i = 0; i < name.length; i++) {
      const character = name.charCodeAt(i);
      if (character === DOT) label = at++;
      else {
        bytes[at++] = character;
        bytes[label] = at - label - 1;
      }
    }
    at++;
  }
  return bytes.slice(0, at);
}

/** Networks with their gateways in turn: 10.0.0.0/8 192.168.0.2 (RFC 3442). */
function routes(words: string[]): Uint8Array | string {
  const bytes = new Uint8Array(9 * words.length);
  let at = 0;
  for (let i = 0; i < words.length; i += 2) {
    const prefix = parsePrefix(words[i] as string);
    const gateway = parseAddress(words[i + 1] ?? '');
    if (typeof prefix === 'string') return prefix;
    if (typeof gateway === 'string') return 'each network wants a gateway behind it';
    const { address, length } = prefix;
    const network = address & maskOf(length);
    bytes[at++] = length;
    for (let bits = 0; bits < length; bits += 8) bytes[at++] = network >>> (24 - bits);
    for (let shift = 24; shift >= 0; shift -= 8) bytes[at++] = gateway >>> shift;
  }
  return at <= VALUE_BYTES ? bytes.slice(0, at) : TOO_LONG;
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
  if (type === 'UInt16' || type === 'UInt16s') return 2;
  return type.startsWith('IP') || type.endsWith('32') ? 4 : 1;
}
