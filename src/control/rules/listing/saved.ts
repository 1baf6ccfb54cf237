// A rule as `-S` and `iptables-save` of 1.8.9 write it: what stands behind `-A CHAIN`. Not here: its matches (saved-matches.ts), the
// listing by -L (shown.ts).

import { get8, i32at, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { formatAddress, hex } from '../../core/address.ts';
import { textFrom } from '../../core/store/text.ts';
import { chainName } from '../chains.ts';
import { interfaceText } from '../links.ts';
import { protocolName } from '../names.ts';
import { prefixLength } from '../numbers.ts';
import { REJECTS } from '../targets.ts';
import { quoted } from '../words.ts';
import { matchesOf } from '../written.ts';
import { savedMatch } from './saved-matches.ts';

/** A number of 64 bits, the lower word first. */
export function get64(at: number): number {
  return (i32at(at) >>> 0) + (i32at(at + 4) >>> 0) * 0x100000000;
}

/** A mask behind a slash: the length of its prefix, or its numbers. */
export function maskText(mask: number): string {
  const length = prefixLength(mask);
  return length >= 0 ? `/${length}` : `/${formatAddress(mask)}`;
}

function address(option: string, at: number, mask: number, isNot: boolean): string {
  if (at === 0 && mask === 0 && !isNot) return '';
  return `${isNot ? ' !' : ''} ${option} ${formatAddress(at)}${maskText(mask)}`;
}

function link(option: string, name: number, isNot: boolean): string {
  const text = name === 0 ? '' : interfaceText(name);
  // A name of nothing but + is in no listing of the original's.
  if (text === '' || text === '+') return '';
  return `${isNot ? ' !' : ''} ${option} ${text}`;
}

/** What a rule says, but for its target: addresses, links, protocol, then the matches as they were written. */
function conditions(memory: Uint8Array, rule: number): string {
  const at = record.cellAt(rule);
  const flags = u16at(at + record.RULE_FLAGS);
  let text = address(
    '-s',
    i32at(at + record.RULE_SOURCE),
    i32at(at + record.RULE_SOURCE_MASK),
    (flags & record.RULE_NOT_SOURCE) !== 0,
  );
  text += address(
    '-d',
    i32at(at + record.RULE_DESTINATION),
    i32at(at + record.RULE_DESTINATION_MASK),
    (flags & record.RULE_NOT_DESTINATION) !== 0,
  );
  text += link('-i', get8(at + record.RULE_IN), (flags & record.RULE_NOT_IN) !== 0);
  text += link('-o', get8(at + record.RULE_OUT), (flags & record.RULE_NOT_OUT) !== 0);
  const protocol = get8(at + record.RULE_PROTOCOL);
  if (protocol !== 0)
    text += `${(flags & record.RULE_NOT_PROTOCOL) !== 0 ? ' !' : ''} -p ${protocolName(protocol)}`;
  if ((flags & record.RULE_FRAGMENT) !== 0) text += ' -f';
  else if ((flags & record.RULE_NOT_FRAGMENT) !== 0) text += ' ! -f';
  matchesOf(at, (match, written) => {
    text += savedMatch(memory, match, written);
  });
  return text;
}

/** The operation of a rule's target, which is its last; its address. */
export function targetOperation(rule: number): number {
  let found = 0;
  for (let cell = u16at(record.cellAt(rule) + record.RULE_OPERATIONS); cell !== 0; ) {
    const at = record.cellAt(cell);
    if (get8(at + record.OPERATION_KIND) >= record.OPERATION_LOG) found = at;
    cell = u16at(at + record.OPERATION_NEXT);
  }
  return found;
}

function log(memory: Uint8Array, at: number): string {
  const level = get8(at + 4);
  const flags = get8(at + 5);
  const bytes = get8(at + 6);
  let text = bytes === 0 ? '' : ` --log-prefix ${quoted(textFrom(memory, at + 8, bytes))}`;
  if (level !== 4) text += ` --log-level ${level}`;
  if ((flags & record.LOG_SEQUENCE) !== 0) text += ' --log-tcp-sequence';
  if ((flags & record.LOG_TCP_OPTIONS) !== 0) text += ' --log-tcp-options';
  if ((flags & record.LOG_IP_OPTIONS) !== 0) text += ' --log-ip-options';
  if ((flags & record.LOG_UID) !== 0) text += ' --log-uid';
  if ((flags & record.LOG_MAC) !== 0) text += ' --log-macdecode';
  return text;
}

/** Addresses and ports of a translation: A-B:P-Q/R. */
export function rangeText(at: number): string {
  const flags = get8(at + 4);
  let text = '';
  if ((flags & record.ADDRESSES_ADDRESS) !== 0) {
    text = formatAddress(i32at(at + 8));
    if (i32at(at + 8) !== i32at(at + 12)) text += `-${formatAddress(i32at(at + 12))}`;
  }
  if ((flags & record.ADDRESSES_PORTS) !== 0) {
    text += `:${u16at(at + 16)}`;
    if (u16at(at + 16) !== u16at(at + 18)) text += `-${u16at(at + 18)}`;
    if ((flags & record.ADDRESSES_SHIFTED) !== 0) text += `/${u16at(at + 20)}`;
  }
  return text;
}

/** `option` and what the translation is to, and how it is chosen. */
export function natText(at: number, option: string, dashes: string): string {
  if (at === 0) return '';
  const flags = get8(at + 4);
  const range = rangeText(at);
  let text = '';
  if (range !== '')
    text = ` ${option}${range.startsWith(':') && option.includes('ports') ? range.slice(1) : range}`;
  if ((flags & record.ADDRESSES_RANDOM) !== 0) text += ` ${dashes}random`;
  if ((flags & record.ADDRESSES_FULLY_RANDOM) !== 0) text += ` ${dashes}random-fully`;
  if ((flags & record.ADDRESSES_PERSISTENT) !== 0) text += ` ${dashes}persistent`;
  return text;
}

export function hexByte(value: number): string {
  return `0x${hex(value, 2)}`;
}

export function hexWord(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

function connmark(at: number): string {
  const kind = get8(at + 4);
  const first = hexWord(i32at(at + 8));
  const second = hexWord(i32at(at + 12));
  if (kind === record.MARK_SET) return ` --set-xmark ${first}/${second}`;
  return ` --${kind === record.MARK_SAVE ? 'save' : 'restore'}-mark --nfmask ${second} --ctmask ${first}`;
}

export function rejectName(code: number): string {
  for (const [name, , own] of REJECTS) if (own === code) return name;
  return '';
}

/** A rule's target with its options. */
function target(memory: Uint8Array, rule: number): string {
  const at = record.cellAt(rule);
  const kind = get8(at + record.RULE_TARGET);
  const argument = u16at(at + record.RULE_ARGUMENT);
  if (kind <= record.TARGET_RETURN) return ['', ' -j ACCEPT', ' -j DROP', ' -j RETURN'][kind] as string;
  if (kind === record.TARGET_JUMP) return ` -j ${chainName(argument)}`;
  if (kind === record.TARGET_GOTO) return ` -g ${chainName(argument)}`;
  if (kind === record.TARGET_REJECT) return ` -j REJECT --reject-with ${rejectName(argument)}`;
  const value = i32at(at + record.RULE_VALUE);
  if (kind === record.TARGET_TOS) return ` -j TOS --set-tos ${hexByte(value)}/${hexByte(argument)}`;
  if (kind === record.TARGET_TCPMSS)
    return value === 0 ? ' -j TCPMSS --clamp-mss-to-pmtu' : ` -j TCPMSS --set-mss ${value}`;
  const operation = targetOperation(rule);
  if (kind === record.TARGET_LOG) return ` -j LOG${log(memory, operation)}`;
  if (kind === record.TARGET_MASQUERADE) return ` -j MASQUERADE${natText(operation, '--to-ports ', '--')}`;
  if (kind === record.TARGET_SNAT) return ` -j SNAT${natText(operation, '--to-source ', '--')}`;
  if (kind === record.TARGET_DNAT) return ` -j DNAT${natText(operation, '--to-destination ', '--')}`;
  if (kind === record.TARGET_REDIRECT) return ` -j REDIRECT${natText(operation, '--to-ports ', '--')}`;
  if (kind === record.TARGET_NETMAP)
    return ` -j NETMAP --to ${formatAddress(i32at(operation + 8))}${maskText(i32at(operation + 12))}`;
  if (kind === record.TARGET_MARK)
    return ` -j MARK --set-xmark ${hexWord(i32at(operation + 8))}/${hexWord(i32at(operation + 12))}`;
  return ` -j CONNMARK${connmark(operation)}`;
}

/** What stands behind `-A CHAIN`; with its counts before the target if they are wanted, as `-S -v` has them. */
export function savedRule(memory: Uint8Array, rule: number, isCounted = false): string {
  const at = record.cellAt(rule);
  const counts = isCounted ? ` -c ${get64(at + record.RULE_PACKETS)} ${get64(at + record.RULE_BYTES)}` : '';
  return conditions(memory, rule) + counts + target(memory, rule);
}
