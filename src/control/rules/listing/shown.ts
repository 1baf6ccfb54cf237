// The listing by -L, to the byte as 1.8.9 has it but for the protocols: these have their names here with -n as well, as versions of the
// time had them. Hosts are never looked up, so -n changes names of ports, ICMP types, levels and TOS, and 0.0.0.0/0 into anywhere.
// Not here: matches (shown-matches.ts), who asks for it (overlay.ts).

import { get8, i32at, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { formatAddress } from '../../core/address.ts';
import { textFrom } from '../../core/store/text.ts';
import { chainName, isBuiltIn } from '../chains.ts';
import { policyName } from '../lines.ts';
import { interfaceText } from '../links.ts';
import { protocolName, tosName } from '../names.ts';
import { prefixLength } from '../numbers.ts';
import { LOG_LEVELS } from '../targets.ts';
import { matchesOf } from '../written.ts';
import { get64, hexByte, hexWord, maskText, natText, rejectName, targetOperation } from './saved.ts';
import { shownMatch } from './shown-matches.ts';

export interface Style {
  isNumeric: boolean;
  isVerbose: boolean;
  isExact: boolean;
  isNumbered: boolean;
}

const TARGET_NAMES = [
  ...['', 'ACCEPT', 'DROP', 'RETURN', '', '', 'REJECT', 'LOG', 'MASQUERADE'],
  ...['SNAT', 'DNAT', 'REDIRECT', 'NETMAP', 'TOS', 'MARK', 'CONNMARK', 'TCPMSS'],
];
const TOS_NAME_MASK = 0x3f;

/** A count in the largest unit that leaves five figures, each step rounded, as the original does. */
function scaled(value: number): string {
  if (value <= 99999) return String(value);
  let rest = value;
  for (const unit of ['K', 'M', 'G']) {
    rest = Math.floor((rest + 500) / 1000);
    if (rest <= 9999) return `${rest}${unit}`;
  }
  return `${Math.floor((rest + 500) / 1000)}T`;
}

function counts(at: number, { isExact }: Style): string {
  const packets = get64(at + record.RULE_PACKETS);
  const bytes = get64(at + record.RULE_BYTES);
  if (isExact) return `${String(packets).padStart(8)} ${String(bytes).padStart(8)} `;
  return `${column(packets)} ${column(bytes)} `;
}

/** Five wide; one with a unit has its letter in the fifth place. */
function column(value: number): string {
  return scaled(value).padStart(5);
}

/** A chain's title and the names of the columns. */
export function titleOf(chain: number, style: Style): string[] {
  const at = record.chainAt(chain);
  let title = `Chain ${chainName(chain)} `;
  if (isBuiltIn(chain)) {
    title += `(policy ${policyName(get8(at + record.CHAIN_POLICY))}`;
    if (style.isVerbose) {
      const packets = get64(at + record.CHAIN_PACKETS);
      const bytes = get64(at + record.CHAIN_BYTES_COUNT);
      const text = (value: number): string => (style.isExact ? String(value) : scaled(value));
      title += ` ${text(packets)} packets, ${text(bytes)} bytes`;
    }
    title += ')';
  } else title += `(${u16at(at + record.CHAIN_REFERENCES)} references)`;
  let head = style.isNumbered ? 'num  ' : '';
  if (style.isVerbose) head += style.isExact ? '    pkts      bytes ' : ' pkts bytes ';
  head += 'target     prot opt ';
  if (style.isVerbose) head += 'in     out     ';
  return [title, `${head}source               destination         `];
}

function address(at: number, mask: number, isNumeric: boolean): string {
  if (mask === 0 && !isNumeric) return 'anywhere';
  const text = formatAddress(at);
  return prefixLength(mask) === 32 ? text : text + maskText(mask);
}

function link(name: number, isNot: boolean, isNumeric: boolean): string {
  const text = name === 0 ? (isNumeric ? '*' : 'any') : interfaceText(name);
  return isNot ? `!${text}` : text;
}

function markText(name: string, value: number, mask: number): string {
  if (value === 0) return ` ${name} and ${hexWord(~mask)}`;
  if (value === mask) return ` ${name} or ${hexWord(value)}`;
  if (mask === 0) return ` ${name} xor ${hexWord(value)}`;
  if (mask === -1) return ` ${name} set ${hexWord(value)}`;
  return ` ${name} xset ${hexWord(value)}/${hexWord(mask)}`;
}

function connmark(operation: number): string {
  const flows = i32at(operation + 8);
  const packets = i32at(operation + 12);
  const kind = get8(operation + 4);
  if (kind === record.MARK_SET) return markText('CONNMARK', flows, packets);
  const isSave = kind === record.MARK_SAVE;
  const text = ` CONNMARK ${isSave ? 'save' : 'restore'}`;
  if (flows === packets) return flows === -1 ? text : `${text} mask ${hexWord(flows)}`;
  const [first, second] = isSave ? ['nfmask', 'ctmask'] : ['ctmask', 'nfmask'];
  const [one, other] = isSave ? [packets, flows] : [flows, packets];
  return `${text} ${first} ${hexWord(one)} ${second} ~${hexWord(other)}`;
}

function log(memory: Uint8Array, at: number, isNumeric: boolean): string {
  const level = get8(at + 4);
  const flags = get8(at + 5);
  let text = ' LOG';
  if (isNumeric) text += ` flags ${flags} level ${level}`;
  else {
    text += ` level ${LOG_LEVELS[level]}`;
    if ((flags & record.LOG_SEQUENCE) !== 0) text += ' tcp-sequence';
    if ((flags & record.LOG_TCP_OPTIONS) !== 0) text += ' tcp-options';
    if ((flags & record.LOG_IP_OPTIONS) !== 0) text += ' ip-options';
    if ((flags & record.LOG_UID) !== 0) text += ' uid';
    if ((flags & record.LOG_MAC) !== 0) text += ' macdecode';
  }
  const bytes = get8(at + 6);
  return bytes === 0 ? text : `${text} prefix "${textFrom(memory, at + 8, bytes)}"`;
}

function tos(value: number, mask: number, isNumeric: boolean): string {
  const whole = ` TOS set ${hexByte(value)}/${hexByte(mask)}`;
  if (isNumeric) return whole;
  const name = mask === TOS_NAME_MASK ? tosName(value) : undefined;
  // As the original has it, with two blanks before and none behind `set`.
  if (name !== undefined) return `  TOS set${name}`;
  if (value === 0) return ` TOS and ${hexByte(~mask & 255)}`;
  if (value === mask) return ` TOS or ${hexByte(value)}`;
  return mask === 0 ? ` TOS xor ${hexByte(value)}` : whole;
}

/** What a target says beside its name. */
function targetText(memory: Uint8Array, rule: number, isNumeric: boolean): string {
  const at = record.cellAt(rule);
  const kind = get8(at + record.RULE_TARGET);
  if (kind < record.TARGET_REJECT) return '';
  const argument = u16at(at + record.RULE_ARGUMENT);
  const value = i32at(at + record.RULE_VALUE);
  if (kind === record.TARGET_REJECT) return ` reject-with ${rejectName(argument)}`;
  if (kind === record.TARGET_TOS) return tos(value, argument, isNumeric);
  if (kind === record.TARGET_TCPMSS) return value === 0 ? ' TCPMSS clamp to PMTU' : ` TCPMSS set ${value}`;
  const operation = targetOperation(rule);
  if (kind === record.TARGET_LOG) return log(memory, operation, isNumeric);
  if (kind === record.TARGET_MASQUERADE) return natText(operation, 'masq ports: ', '');
  if (kind === record.TARGET_REDIRECT) return natText(operation, 'redir ports ', '');
  if (kind === record.TARGET_NETMAP)
    return ` to:${formatAddress(i32at(operation + 8))}${maskText(i32at(operation + 12))}`;
  if (kind === record.TARGET_MARK) return markText('MARK', i32at(operation + 8), i32at(operation + 12));
  return kind === record.TARGET_CONNMARK ? connmark(operation) : natText(operation, 'to:', '');
}

function nameOfTarget(at: number): string {
  const kind = get8(at + record.RULE_TARGET);
  const isLed = kind === record.TARGET_JUMP || kind === record.TARGET_GOTO;
  return isLed ? chainName(u16at(at + record.RULE_ARGUMENT)) : (TARGET_NAMES[kind] as string);
}

/** Protocol, with ! or a blank before it. */
function protocolText(at: number): string {
  const protocol = get8(at + record.RULE_PROTOCOL);
  const isNot = (u16at(at + record.RULE_FLAGS) & record.RULE_NOT_PROTOCOL) !== 0;
  return `${isNot ? '!' : ' '}${(protocol === 0 ? 'all' : protocolName(protocol)).padEnd(4)}`;
}

function fragmentText(flags: number): string {
  if ((flags & record.RULE_FRAGMENT) !== 0) return '-f';
  return (flags & record.RULE_NOT_FRAGMENT) !== 0 ? '!f' : '--';
}

/** What stands behind the addresses: [goto], matches and what the target says. */
function behindOf(memory: Uint8Array, rule: number, isNumeric: boolean): string {
  const at = record.cellAt(rule);
  let text = get8(at + record.RULE_TARGET) === record.TARGET_GOTO ? '[goto] ' : '';
  matchesOf(at, (match, written) => {
    text += shownMatch(memory, match, written, isNumeric);
  });
  return text + targetText(memory, rule, isNumeric);
}

/** What -v says of a rule that is added, or taken away. */
export function echoOf(memory: Uint8Array, rule: number): string {
  const at = record.cellAt(rule);
  const flags = u16at(at + record.RULE_FLAGS);
  const target = nameOfTarget(at);
  const from = address(i32at(at + record.RULE_SOURCE), i32at(at + record.RULE_SOURCE_MASK), true);
  const to = address(i32at(at + record.RULE_DESTINATION), i32at(at + record.RULE_DESTINATION_MASK), true);
  let text = `${target} ${protocolText(at).trimEnd()} opt ${fragmentText(flags)}`;
  text += ` in ${link(get8(at + record.RULE_IN), (flags & record.RULE_NOT_IN) !== 0, true)}`;
  text += ` out ${link(get8(at + record.RULE_OUT), (flags & record.RULE_NOT_OUT) !== 0, true)}`;
  text += ` ${(flags & record.RULE_NOT_SOURCE) !== 0 ? '!' : ' '}${from}`;
  text += ` ${(flags & record.RULE_NOT_DESTINATION) !== 0 ? '!' : ' '}-> ${to}  `;
  return text + behindOf(memory, rule, true);
}

/** A rule's row. */
export function rowOf(memory: Uint8Array, rule: number, number: number, style: Style): string {
  const at = record.cellAt(rule);
  const flags = u16at(at + record.RULE_FLAGS);
  const { isNumeric } = style;
  let row = style.isNumbered ? `${String(number).padEnd(4)} ` : '';
  if (style.isVerbose) row += counts(at, style);
  row += `${nameOfTarget(at).padEnd(9)} ${protocolText(at)} ${fragmentText(flags)} `;
  if (style.isVerbose) {
    row += ` ${link(get8(at + record.RULE_IN), (flags & record.RULE_NOT_IN) !== 0, isNumeric).padEnd(6)} `;
    row += `${link(get8(at + record.RULE_OUT), (flags & record.RULE_NOT_OUT) !== 0, isNumeric).padEnd(6)} `;
  }
  const source = address(i32at(at + record.RULE_SOURCE), i32at(at + record.RULE_SOURCE_MASK), isNumeric);
  row += `${(flags & record.RULE_NOT_SOURCE) !== 0 ? '!' : ' '}${source.padEnd(19)} `;
  const to = address(
    i32at(at + record.RULE_DESTINATION),
    i32at(at + record.RULE_DESTINATION_MASK),
    isNumeric,
  );
  row += `${(flags & record.RULE_NOT_DESTINATION) !== 0 ? '!' : ' '}${to.padEnd(19)} `;
  return row + behindOf(memory, rule, isNumeric);
}
