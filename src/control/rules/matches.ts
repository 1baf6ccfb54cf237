// What options of matches say, put where the match stands (builder.ts). Those with days and lists of their own: more-matches.ts.
// Not here: whether an option is there, may come twice or be inverted (line.ts).

import { get8, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import * as record from '../../base/rule-record.ts';
import type { Builder } from './builder.ts';
import { icmpTypes, serviceNamed, tosNamed } from './names.ts';
import { parseNumber } from './numbers.ts';
import * as extensions from './options.ts';
import { usage } from './refuse.ts';

/** Bits of TCP's flags in the order in which they are listed. */
export const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const TCP_ALL = 0x3f;
/** SYN of those that --syn looks at. */
export const SYN_MASK = 0x17;
export const SYN_VALUE = 2;
export const STATE_NAMES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'];
const PORT_MOST = 65535;
const TOS_NAME_MASK = 0x3f;

/** A value of an option, in the words that the tool has for one that is none. */
export function numberFor(
  extension: number,
  number: number,
  text: string,
  least: number,
  most: number,
): number {
  const value = parseNumber(text, most);
  if (!(value >= least)) badValue(extension, number, least, most);
  return value;
}

function badValue(extension: number, number: number, least: number, most: number): never {
  const name = extensions.extensionName(extension);
  return usage(
    `${name}: bad value for option "--${extensions.optionName(extension, number)}", or out of range (${least}-${most}).\r\n`,
  );
}

/** Two values with a colon between, each of which may be left out. */
export function rangeOf(extension: number, number: number, text: string): [number, number] {
  const colon = text.indexOf(':');
  const first = colon < 0 ? text : text.slice(0, colon);
  const last = colon < 0 ? text : text.slice(colon + 1);
  if (last.indexOf(':') >= 0) {
    const option = extensions.optionName(extension, number);
    usage(
      `${extensions.extensionName(extension)}: Too many components for option "--${option}" (max: 2)\r\n`,
    );
  }
  const from = first === '' ? 0 : parseNumber(first, PORT_MOST);
  const to = last === '' ? PORT_MOST : parseNumber(last, PORT_MOST);
  if (Number.isNaN(from) || Number.isNaN(to)) {
    const name = extensions.extensionName(extension);
    const option = extensions.optionName(extension, number);
    const near = Number.isNaN(from) ? text : last;
    usage(`${name}: bad value for option "--${option}" near "${near}", or out of range (0-65535).\r\n`);
  }
  return [from, to];
}

/** A port by its number or its service's name. */
export function portOf(text: string): number {
  const port = parseNumber(text, PORT_MOST);
  if (!Number.isNaN(port)) return port;
  return serviceNamed(text) ?? usage(`invalid port/service \`${text}' specified`);
}

/** Ports of -m tcp and udp, first and last. */
function ports(at: number, text: string): void {
  const colon = text.indexOf(':');
  const first = colon < 0 ? portOf(text) : colon === 0 ? 0 : portOf(text.slice(0, colon));
  const last = colon < 0 ? first : colon === text.length - 1 ? PORT_MOST : portOf(text.slice(colon + 1));
  if (first > last) usage('invalid portrange (min > max)');
  putu16(at, first);
  putu16(at + 2, last);
}

function flagsOf(text: string): number {
  let bits = 0;
  for (const word of text.toUpperCase().split(',')) {
    if (word === 'ALL') bits |= TCP_ALL;
    else if (word !== 'NONE' && word !== '') {
      const bit = TCP_FLAGS.indexOf(word);
      if (bit < 0) usage(`Unknown TCP flag \`${word}'`);
      bits |= 1 << bit;
    }
  }
  return bits;
}

function tcpFlags(b: Builder, at: number, mask: number, value: number, isNot: boolean): void {
  b.flag(at, record.RULE_HAS_TCP_FLAGS | (isNot ? record.RULE_NOT_TCP_FLAGS : 0));
  put8(at + record.RULE_TCP_MASK, mask);
  put8(at + record.RULE_TCP_VALUE, value);
}

/** @param more takes the next word of the line, for the second argument of --tcp-flags. */
function protocol(
  b: Builder,
  match: number,
  option: number,
  text: string,
  isNot: boolean,
  more: () => string,
): void {
  const at = b.places[match] as number;
  if (option === 1) {
    ports(at + record.RULE_SOURCE_PORTS, text);
    if (isNot) b.flag(at, record.RULE_NOT_SOURCE_PORTS);
  } else if (option === 2) {
    ports(at + record.RULE_DESTINATION_PORTS, text);
    if (isNot) b.flag(at, record.RULE_NOT_DESTINATION_PORTS);
  } else if (option === 3) tcpFlags(b, at, SYN_MASK, SYN_VALUE, isNot);
  else if (option === 4) tcpFlags(b, at, flagsOf(text), flagsOf(more()), isNot);
  else {
    const value = parseNumber(text, 255);
    if (!(value >= 1)) usage(`Bad TCP option "${text}"`);
    const place = b.tcpOption(match);
    put8(place + 4, value);
    if (isNot) b.not(place);
  }
}

/** A number, or two with a colon between, from its beginning; answers what is behind. */
function icmpNumber(text: string, into: number[]): string | undefined {
  let end = 0;
  while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) < 58) end++;
  const value = parseNumber(text.slice(0, end), 255);
  if (Number.isNaN(value)) return undefined;
  into[0] = value;
  into[1] = value;
  return text.slice(end);
}

function icmp(b: Builder, at: number, text: string, isNot: boolean): void {
  b.flag(at, record.RULE_HAS_ICMP | (isNot ? record.RULE_NOT_ICMP : 0));
  const small = text.toLowerCase();
  const [type, first, last] = icmpNamed(small, text) ?? icmpNumbered(text);
  put8(at + record.RULE_ICMP_TYPE, type);
  put8(at + record.RULE_ICMP_CODES, first);
  put8(at + record.RULE_ICMP_CODES + 1, last);
}

function icmpNamed(small: string, text: string): [number, number, number] | undefined {
  let found: [number, number, number] | undefined;
  let foundName = '';
  for (const { name, type, first, last } of icmpTypes()) {
    if (!name.toLowerCase().startsWith(small)) continue;
    if (found !== undefined) usage(`Ambiguous ICMP type \`${text}': \`${foundName}' or \`${name}'?`);
    found = [type, first, last];
    foundName = name;
  }
  return found;
}

function icmpNumbered(text: string): [number, number, number] {
  const pair = [0, 255];
  const rest = icmpNumber(text, pair) ?? usage(`Unknown ICMP type \`${text}'`);
  const type = pair[0] as number;
  if (rest === '') return [type, 0, 255];
  if (!rest.startsWith('/')) usage(`unknown character ${rest.charAt(0)}`);
  const behind = icmpNumber(rest.slice(1), pair) ?? usage(`Unknown ICMP code \`${text}'`);
  if (behind !== '') usage(`unknown character ${behind.charAt(0)}`);
  return [type, pair[0] as number, pair[1] as number];
}

/** States from a list; `state` knows the first five alone. */
function states(b: Builder, at: number, extension: number, text: string, isNot: boolean): void {
  const isState = extension === extensions.STATE;
  let bits = 0;
  for (const word of text.toUpperCase().split(',')) {
    const bit = STATE_NAMES.indexOf(word);
    if (bit < 0 || (isState && bit > 4)) {
      if (word !== '') usage(`Bad ${isState ? 'state' : 'ctstate'} "${isState ? text : word}"`);
      const option = isState ? 'state' : 'ctstate';
      usage(`"--${option}" requires a list of states with no spaces, e.g. ESTABLISHED,RELATED`);
    }
    bits |= 1 << bit;
  }
  b.flag(at, record.RULE_HAS_STATE | (isNot ? record.RULE_NOT_STATE : 0));
  put8(at + record.RULE_STATES, bits);
}

function multiport(b: Builder, at: number, option: number, text: string, isNot: boolean): void {
  put8(at + 4, option);
  let count = 0;
  let ranges = 0;
  for (const word of text.split(',')) {
    const colon = word.indexOf(':');
    const first = portOf(colon < 0 ? word : word.slice(0, colon));
    if (count + (colon < 0 ? 1 : 2) > 15) usage('too many ports specified');
    putu16(at + 8 + 2 * count, first);
    if (colon >= 0) {
      const last = portOf(word.slice(colon + 1));
      if (first >= last) usage('invalid portrange specified');
      ranges |= 1 << count++;
      putu16(at + 8 + 2 * count, last);
    }
    count++;
  }
  put8(at + 5, count);
  putu16(at + 6, ranges);
  if (isNot) b.not(at);
}

/** A value and, behind a slash, a mask of 32 bits. */
export function markOf(extension: number, option: number, text: string): [number, number] {
  const slash = text.indexOf('/');
  const value = parseNumber(slash < 0 ? text : text.slice(0, slash), 0xffffffff);
  const mask = slash < 0 ? 0xffffffff : parseNumber(text.slice(slash + 1), 0xffffffff);
  if (Number.isNaN(value) || Number.isNaN(mask))
    usage(
      `${extensions.extensionName(extension)}: bad integer value for option "--${extensions.optionName(extension, option)}", or out of range.\r\n`,
    );
  return [value, mask];
}

/** A TOS by its name, whose mask is that of the five bits, or by its number, with a mask behind a slash. */
export function tosOf(text: string): [number, number] {
  const slash = text.indexOf('/');
  const value = parseNumber(slash < 0 ? text : text.slice(0, slash), 255);
  if (!Number.isNaN(value)) {
    const mask = slash < 0 ? 255 : parseNumber(text.slice(slash + 1), 255);
    if (Number.isNaN(mask)) usage(`Illegal value: "${text}"`);
    return [value, mask];
  }
  return [tosNamed(text) ?? usage(`Symbolic name "${text}" is unknown`), TOS_NAME_MASK];
}

function station(at: number, text: string): void {
  const parts = text.split(':');
  for (let i = 0; i < 6; i++) {
    const part = parts[i] ?? '';
    const value = part.length <= 2 ? Number.parseInt(part, 16) : Number.NaN;
    if (parts.length !== 6 || Number.isNaN(value)) usage('Invalid MAC address specified.');
    put8(at + i, value);
  }
}

/** The options of a match that has one value: mark, connmark, length, tos, ttl, mac, tcpmss. */
export function simple(b: Builder, match: number, option: number, text: string, isNot: boolean): void {
  const at = b.places[match] as number;
  const extension = b.matches[match] as number;
  if (extension === extensions.MARK_MATCH || extension === extensions.CONNMARK_MATCH) {
    const [value, mask] = markOf(extension, option, text);
    puti32(at + 4, value);
    puti32(at + 8, mask);
  } else if (extension === extensions.LENGTH || extension === extensions.TCPMSS_MATCH) {
    const [first, last] = rangeOf(extension, option, text);
    if (extension === extensions.TCPMSS_MATCH && first > last) usage('tcpmss: invalid range given');
    putu16(at + 4, first);
    putu16(at + 6, last);
  } else if (extension === extensions.TOS_MATCH) {
    const [value, mask] = tosOf(text);
    put8(at + 4, value);
    put8(at + 5, mask);
  } else if (extension === extensions.TTL) {
    const kind = option === 1 ? record.TTL_BELOW : option === 2 ? record.TTL_ABOVE : record.TTL_IS;
    put8(at + 4, isNot ? record.TTL_NOT : kind);
    put8(at + 5, numberFor(extension, option, text, 0, 255));
    return;
  } else station(at + 4, text);
  if (isNot) b.not(at);
}

/** The options of those matches whose fields may stand in the rule's cell, and multiport; answers whether it is one of them. */
export function matchFields(
  b: Builder,
  match: number,
  option: number,
  text: string,
  isNot: boolean,
  more: () => string,
): boolean {
  const extension = b.matches[match] as number;
  const at = b.places[match] as number;
  if (extension <= extensions.UDP) protocol(b, match, option, text, isNot, more);
  else if (extension === extensions.ICMP) icmp(b, at, text, isNot);
  else if (extension === extensions.STATE) states(b, at, extension, text, isNot);
  else if (extension === extensions.CONNTRACK) {
    if (option !== 1) usage('conntrack: of its options --ctstate is the one that there is here');
    states(b, at, extension, text, isNot);
  } else if (extension === extensions.MULTIPORT) multiport(b, at, option, text, isNot);
  else return false;
  return true;
}

/** Whether a match asks for a set SYN and is not inverted: what TCPMSS needs. */
export function asksForSyn(at: number): boolean {
  const flags = u16at(at + record.RULE_FLAGS);
  if ((flags & record.RULE_HAS_TCP_FLAGS) === 0 || (flags & record.RULE_NOT_TCP_FLAGS) !== 0) return false;
  return (get8(at + record.RULE_TCP_VALUE) & SYN_VALUE) !== 0;
}
