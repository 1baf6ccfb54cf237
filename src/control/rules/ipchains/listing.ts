// Rules of ipchains as text: the listing by -L and the echo by -v of 1.3.9, the line that the configuration keeps, and
// /proc/net/ip_fwchains of 2.2. Hosts are never looked up, so -n changes names of ports and ICMP types, and 0.0.0.0/0 into anywhere.
// Not here: who asks for it (overlay.ts).

import { get8, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { PROTOCOL_ICMP } from '../../../wire/ipv4.ts';
import { chainName, isBuiltIn } from '../chains.ts';
import { get64 } from '../listing/saved.ts';
import { icmpTypes, protocolName } from '../names.ts';
import * as columns from '../old/columns.ts';
import * as own from './rule.ts';

export interface Style {
  isNumeric: boolean;
  isVerbose: boolean;
  isExact: boolean;
  isNumbered: boolean;
}

export const POLICY_NAMES = ['ACCEPT', 'ACCEPT', 'DENY', 'REJECT', 'MASQ', 'ACCEPT'];

const nameOf = (protocol: number): string => (protocol === 0 ? 'all' : protocolName(protocol));

/** The title of a chain, without its first word's number of rules. */
export function titleOf(chain: number, { isVerbose }: Style): string {
  const at = record.chainAt(chain);
  const name = `Chain ${chainName(chain)}`;
  if (!isBuiltIn(chain)) return `${name} (${u16at(at + record.CHAIN_REFERENCES)} references):`;
  const policy = POLICY_NAMES[get8(at + record.CHAIN_POLICY)] as string;
  return `${name} (policy ${policy}${isVerbose ? countText(at) : ''}):`;
}

function countText(at: number): string {
  return `: ${get64(at + record.CHAIN_PACKETS)} packets, ${get64(at + record.CHAIN_BYTES_COUNT)} bytes`;
}

/** The title of a built-in chain where there is no memory for chains. */
export function emptyTitle(name: string, { isVerbose }: Style): string {
  return `Chain ${name} (policy ACCEPT${isVerbose ? ': 0 packets, 0 bytes' : ''}):`;
}

/** The names of the columns: over the first rule of a chain. */
export function headOf({ isExact, isNumbered, isVerbose }: Style): string {
  let head = isNumbered ? 'num  ' : '';
  if (isVerbose) head += columns.countHead(isExact);
  head += 'target     prot opt    ';
  if (isVerbose) head += 'tosa tosx  ifname     mark       outsize ';
  return `${head} ${'source'.padEnd(20)}  ${'destination'.padEnd(20)}  ports`;
}

function optionText({ flags, inverse }: own.ChainsRule): string {
  const mark = (bit: number, letter: string): string => ((flags & bit) !== 0 ? letter : '-');
  const not = (bit: number): string => ((inverse & bit) !== 0 ? '!' : '-');
  return (
    not(own.NOT_SYN) +
    mark(own.FLAG_SYN, 'y') +
    not(own.NOT_FRAGMENT) +
    mark(own.FLAG_FRAGMENT, 'f') +
    mark(own.FLAG_LOG, 'l') +
    mark(own.FLAG_OUTPUT, 'o')
  );
}

function protocolText({ inverse, protocol }: own.ChainsRule): string {
  return `${(inverse & own.NOT_PROTOCOL) !== 0 ? '!' : ' '}${nameOf(protocol)}`;
}

const linkText = (link: string, isNumeric: boolean): string =>
  link === '' || link === '+' ? (isNumeric ? '*' : 'any') : link;

/** A mark that is set, or added: then the original has its bits after the addition's sign, if there is one. */
const markText = (mark: number): string => `0x${(mark >>> 0).toString(16)}`;

function rangeText(first: number, last: number, protocol: number, isNumeric: boolean): string {
  if (first === 0 && last === own.PORT_MOST) return isNumeric ? '*' : 'any';
  const hasNames = !isNumeric && protocol !== PROTOCOL_ICMP;
  const text = columns.portText(first, hasNames);
  return first === last ? text : `${text}:${columns.portText(last, hasNames)}`;
}

/** The name of a range of types and codes, undefined if it has none. */
function icmpName({ ports }: own.ChainsRule): string | undefined {
  const [first, last, codeFirst, codeLast] = ports;
  const found = icmpTypes().find(
    ({ first: code, last: codes, name, type }) =>
      name !== 'any' &&
      type === first &&
      type === last &&
      code === codeFirst &&
      (codes === 255 ? own.PORT_MOST : codes) === codeLast,
  );
  return found?.name;
}

/** `isRow` has the port of a redirect behind an arrow; the echo has none. */
function portsText(rule: own.ChainsRule, isNumeric: boolean, isRow: boolean): string {
  const { inverse, label, ports, protocol, redirect } = rule;
  const nots = inverse & (own.NOT_SOURCE_PORTS | own.NOT_DESTINATION_PORTS);
  if (!own.hasPorts(protocol)) return '  n/a';
  if (protocol === PROTOCOL_ICMP && nots === 0 && !isNumeric) {
    const name = icmpName(rule);
    if (name !== undefined) return `  ${name}`;
  }
  const not = (bit: number): string => ((inverse & bit) !== 0 ? ' !' : '  ');
  let text = `${not(own.NOT_SOURCE_PORTS)}${rangeText(ports[0], ports[1], protocol, isNumeric)} -> `;
  text += `${not(own.NOT_DESTINATION_PORTS)}${rangeText(ports[2], ports[3], protocol, isNumeric)}`;
  if (label !== 'REDIRECT') return text;
  if (isRow) text += ' => ';
  if (redirect === 0) return `${text}${isNumeric ? ' *' : ' any'}`;
  return text + columns.portText(redirect, !isNumeric);
}

/** A row of the listing: the rule in a cell, at its place of the chain, counted from 1. */
export function rowOf(cell: number, place: number, style: Style): string {
  const { isExact, isNumbered, isNumeric, isVerbose } = style;
  const rule = own.readRule(cell);
  const { inverse } = rule;
  const at = record.cellAt(cell);
  let row = isNumbered ? `${String(place).padEnd(4)} ` : '';
  if (isVerbose)
    row += columns.countColumns(
      get64(at + record.RULE_PACKETS),
      get64(at + record.RULE_BYTES),
      isExact,
      true,
    );
  row += `${(rule.label === '' ? '-' : rule.label).padEnd(9)} ${protocolText(rule).padEnd(6)}${optionText(rule)} `;
  if (isVerbose) row += verboseColumns(rule, isNumeric);
  const source = columns.networkText(rule.source, rule.sourceMask, isNumeric);
  const destination = columns.networkText(rule.destination, rule.destinationMask, isNumeric);
  row += `${(inverse & own.NOT_SOURCE) !== 0 ? '!' : ' '}${source.padEnd(20)} `;
  row += `${(inverse & own.NOT_DESTINATION) !== 0 ? '!' : ''}${destination.padEnd(20)}`;
  return row + portsText(rule, isNumeric, true);
}

function verboseColumns(rule: own.ChainsRule, isNumeric: boolean): string {
  const { flags, inverse, mark, outputSize } = rule;
  let text = `${columns.hexByte(rule.tosAnd)} ${columns.hexByte(rule.tosXor)} `;
  text += `${(inverse & own.NOT_LINK) !== 0 ? '!' : ' '}${linkText(rule.link, isNumeric).padEnd(10)} `;
  const isMarked = (flags & own.FLAG_MARK_ABSOLUTE) !== 0 || mark !== 0;
  // Its column is two too wide where there is one.
  text += isMarked ? `${markText(mark).padEnd(12)} ` : ' '.repeat(11);
  const isSized = (flags & own.FLAG_OUTPUT) !== 0 && outputSize !== own.PORT_MOST;
  return `${text}${isSized ? String(outputSize).padEnd(7) : '       '} `;
}

/** What -v says of a rule that is added or taken away. */
export function echoOf(rule: own.ChainsRule): string {
  const { flags, inverse, mark, outputSize } = rule;
  let text = `${rule.label === '' ? '-' : rule.label} ${protocolText(rule)} opt    ${optionText(rule)} `;
  text += `tos ${columns.hexByte(rule.tosAnd)} ${columns.hexByte(rule.tosXor)} `;
  text += `${(inverse & own.NOT_LINK) !== 0 ? '!' : ' '}via ${linkText(rule.link, true)} `;
  if ((flags & own.FLAG_MARK_ABSOLUTE) !== 0 || mark !== 0) text += `mark ${markText(mark)} `;
  if ((flags & own.FLAG_OUTPUT) !== 0 && outputSize !== own.PORT_MOST) text += `outsize ${outputSize} `;
  text += `  ${(inverse & own.NOT_SOURCE) !== 0 ? '!' : ' '}`;
  text += `${columns.networkText(rule.source, rule.sourceMask, true)} -> `;
  text += `${(inverse & own.NOT_DESTINATION) !== 0 ? '!' : ''}`;
  text += `${columns.networkText(rule.destination, rule.destinationMask, true)}  `;
  return text + portsText(rule, true, false);
}

const rangeWord = (first: number, last: number): string =>
  first === last ? String(first) : `${first}:${last}`;

/** What stands behind `ipchains -A CHAIN` in the configuration; what need not be said is not. */
export function savedRule(rule: own.ChainsRule): string {
  const { flags, inverse, ports, protocol } = rule;
  const not = (bit: number): string => ((inverse & bit) !== 0 ? '! ' : '');
  const side = (
    option: string,
    place: 0 | 2,
    address: number,
    mask: number,
    bits: readonly [number, number],
  ): string => {
    const first = ports[place] as number;
    const last = ports[place + 1] as number;
    const isPorted = first !== 0 || last !== own.PORT_MOST || (inverse & bits[1]) !== 0;
    if (address === 0 && mask === 0 && !isPorted && (inverse & bits[0]) === 0) return '';
    const network = ` ${option} ${not(bits[0])}${columns.networkWord(address, mask)}`;
    return isPorted ? `${network} ${not(bits[1])}${rangeWord(first, last)}` : network;
  };
  let text = '';
  if (rule.link !== '') text += ` -i ${not(own.NOT_LINK)}${rule.link}`;
  if (protocol !== 0) text += ` -p ${not(own.NOT_PROTOCOL)}${nameOf(protocol)}`;
  text += side('-s', 0, rule.source, rule.sourceMask, [own.NOT_SOURCE, own.NOT_SOURCE_PORTS]);
  text += side('-d', 2, rule.destination, rule.destinationMask, [
    own.NOT_DESTINATION,
    own.NOT_DESTINATION_PORTS,
  ]);
  if ((flags & own.FLAG_SYN) !== 0) text += (inverse & own.NOT_SYN) !== 0 ? ' ! -y' : ' -y';
  if ((flags & own.FLAG_FRAGMENT) !== 0) text += (inverse & own.NOT_FRAGMENT) !== 0 ? ' ! -f' : ' -f';
  if (rule.label !== '') text += ` -j ${rule.label}`;
  if (rule.redirect !== 0) text += ` ${rule.redirect}`;
  if ((flags & own.FLAG_LOG) !== 0) text += ' -l';
  if ((flags & own.FLAG_OUTPUT) !== 0)
    text += rule.outputSize === own.PORT_MOST ? ' -o' : ` -o ${rule.outputSize}`;
  if ((flags & own.FLAG_MARK_ABSOLUTE) !== 0) text += ` -m ${rule.mark >>> 0}`;
  else if (rule.mark !== 0) text += ` -m ${rule.mark > 0 ? '+' : ''}${rule.mark}`;
  if (rule.tosAnd !== 0xff || rule.tosXor !== 0)
    text += ` -t ${columns.hexByte(rule.tosAnd)} ${columns.hexByte(rule.tosXor)}`;
  return text;
}
