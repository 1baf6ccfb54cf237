// Rules of ipfwadm as text: the listing by -l and the echo by -v of 2.3.0, and the line that the configuration keeps. Hosts are never looked
// up, so -n changes names of ports, and 0.0.0.0/0 into anywhere. Not here: who asks for it (overlay.ts).

import { formatAddress } from '../../core/address.ts';
import * as columns from '../old/columns.ts';
import * as own from './rule.ts';

export interface Style {
  isNumeric: boolean;
  isExtended: boolean;
  isExact: boolean;
  isAccount: boolean;
}

export const POLICY_NAMES = ['accept', 'accept', 'deny', 'reject', 'accept/masquerade', 'accept'];
const KINDS = ['all', 'tcp', 'udp', 'icmp'];

const isCounted = ({ isAccount, isExtended }: Style): boolean => isAccount || isExtended;

export function headOf(style: Style): string {
  let head = isCounted(style) ? columns.countHead(style.isExact) : '';
  head += style.isAccount ? 'dir prot ' : 'type  prot ';
  if (style.isExtended) head += `opt  ${style.isAccount ? '' : 'tosa tosx '}ifname  ifaddress       `;
  return `${head}${'source'.padEnd(20)} ${'destination'.padEnd(20)} ports`;
}

function typeOf(flags: number): string {
  if ((flags & own.REDIRECT) !== 0) return 'acc/r';
  if ((flags & own.MASQUERADE) !== 0) return 'acc/m';
  if ((flags & own.ACCEPT) !== 0) return 'acc';
  return (flags & own.REJECT) !== 0 ? 'rej' : 'deny';
}

function directionOf(flags: number): string {
  if ((flags & own.ACCOUNT_IN) !== 0) return 'in';
  return (flags & own.ACCOUNT_OUT) !== 0 ? 'out' : 'i/o';
}

function optionText(flags: number): string {
  const mark = (bit: number, letter: string): string => ((flags & bit) !== 0 ? letter : '-');
  return mark(own.BOTH, 'b') + mark(own.ACK, 'k') + mark(own.SYN, 'y') + mark(own.LOG, 'o');
}

function listText(
  ports: readonly number[],
  isRange: boolean,
  text: (port: number) => string,
  all: string,
): string {
  if (ports.length === 0) return all;
  let out = text(ports[0] as number);
  for (let i = 1; i < ports.length; i++)
    out += `${isRange && i === 1 ? ':' : ','}${text(ports[i] as number)}`;
  return out;
}

function portsText(
  { destinationPorts, flags, redirect, sourcePorts }: own.FwadmRule,
  isNumeric: boolean,
): string {
  const kind = flags & own.KIND;
  if (kind === 0) return ' n/a';
  const text = (port: number): string => columns.portText(port, !isNumeric && kind !== own.KIND_ICMP);
  const all = isNumeric ? '*' : 'any';
  const source = ` ${listText(sourcePorts, (flags & own.SOURCE_RANGE) !== 0, text, all)}`;
  if (kind === own.KIND_ICMP) return source;
  const ports = `${source} -> ${listText(destinationPorts, (flags & own.DESTINATION_RANGE) !== 0, text, all)}`;
  if ((flags & own.REDIRECT) === 0) return ports;
  return `${ports} => ${redirect === 0 ? all : text(redirect)}`;
}

/** A row of the listing, with what it has counted. */
export function rowOf(rule: own.FwadmRule, packets: number, bytes: number, style: Style): string {
  const { isNumeric } = style;
  const { flags } = rule;
  let row = isCounted(style) ? columns.countColumns(packets, bytes, style.isExact, false) : '';
  row += style.isAccount ? `${directionOf(flags).padEnd(3)} ` : `${typeOf(flags).padEnd(5)} `;
  row += (KINDS[flags & own.KIND] as string).padEnd(5);
  if (style.isExtended) {
    row += `${optionText(flags)} `;
    if (!style.isAccount) row += `${columns.hexByte(rule.tosAnd)} ${columns.hexByte(rule.tosXor)} `;
    row += `${(rule.link === '' ? (isNumeric ? '*' : 'any') : rule.link).padEnd(7)} `;
    row += `${(rule.via === 0 && !isNumeric ? 'any' : formatAddress(rule.via)).padEnd(15)} `;
  }
  row += `${columns.networkText(rule.source, rule.sourceMask, isNumeric).padEnd(20)} `;
  row += columns.networkText(rule.destination, rule.destinationMask, isNumeric).padEnd(20);
  return row + portsText(rule, isNumeric);
}

/** What -v says of a rule that is added or taken away; of -c's packet without type, options and type of service. */
export function echoOf(rule: own.FwadmRule, isAccount: boolean, isPacket = false): string {
  const { flags } = rule;
  let text = isPacket ? '' : `${isAccount ? directionOf(flags) : typeOf(flags)} `;
  text += `${KINDS[flags & own.KIND]} `;
  if (!isPacket)
    text += `opt ${optionText(flags)} tos ${columns.hexByte(rule.tosAnd)} ${columns.hexByte(rule.tosXor)} `;
  text += `via ${rule.link === '' ? '*' : rule.link} ${formatAddress(rule.via)}   `;
  text += `${columns.networkText(rule.source, rule.sourceMask, true)} -> `;
  return `${text}${columns.networkText(rule.destination, rule.destinationMask, true)}  ${portsText(rule, true)}`;
}

/** The line that the configuration keeps, behind `ipfwadm -F`; `-A` and the direction are accounting's. */
export function savedRule(rule: own.FwadmRule, isAccount: boolean): string {
  const { flags } = rule;
  let text = ' -a';
  if (!isAccount)
    text += ` ${(flags & own.ACCEPT) !== 0 ? 'accept' : (flags & own.REJECT) !== 0 ? 'reject' : 'deny'}`;
  const side = (
    option: string,
    address: number,
    mask: number,
    ports: readonly number[],
    isRange: boolean,
  ): string => {
    if (address === 0 && mask === 0 && ports.length === 0) return '';
    const list = listText(ports, isRange, String, '').replaceAll(',', ' ');
    return ` ${option} ${columns.networkWord(address, mask)}${list === '' ? '' : ` ${list}`}`;
  };
  if ((flags & own.KIND) !== 0) text += ` -P ${KINDS[flags & own.KIND]}`;
  text += side('-S', rule.source, rule.sourceMask, rule.sourcePorts, (flags & own.SOURCE_RANGE) !== 0);
  text += side(
    '-D',
    rule.destination,
    rule.destinationMask,
    rule.destinationPorts,
    (flags & own.DESTINATION_RANGE) !== 0,
  );
  if (rule.link !== '') text += ` -W ${rule.link}`;
  if (rule.via !== 0) text += ` -V ${formatAddress(rule.via)}`;
  const letter = (bit: number, option: string): string => ((flags & bit) !== 0 ? ` -${option}` : '');
  text += letter(own.BOTH, 'b') + letter(own.ACK, 'k') + letter(own.SYN, 'y') + letter(own.LOG, 'o');
  text += letter(own.MASQUERADE, 'm');
  if ((flags & own.REDIRECT) !== 0) text += rule.redirect === 0 ? ' -r' : ` -r ${rule.redirect}`;
  if (rule.tosAnd !== 0xff || rule.tosXor !== 0)
    text += ` -t ${columns.hexByte(rule.tosAnd)} ${columns.hexByte(rule.tosXor)}`;
  return text;
}

/** What the line of an accounting rule begins with. */
export function accountStart(flags: number): string {
  const direction = directionOf(flags);
  return `ipfwadm -A${direction === 'i/o' ? '' : ` ${direction}`}`;
}
