// What the options of targets say. Not here: where a target may stand (places.ts), what a match says (matches.ts).

import { get8, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import * as record from '../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { putText } from '../core/store/text.ts';
import type { Builder } from './builder.ts';
import { chainNamed, isBuiltIn } from './chains.ts';
import { PLAIN_TARGETS } from './line-checks.ts';
import { asksForSyn, markOf, numberFor, tosOf } from './matches.ts';
import { serviceNamed } from './names.ts';
import { parseDotted, parseMask, parseNumber } from './numbers.ts';
import * as extensions from './options.ts';
import { INVALID, refuse, usage } from './refuse.ts';

/** Names of what REJECT answers with, their other names, and the codes. */
export const REJECTS: readonly [string, string, number][] = [
  ['icmp-net-unreachable', 'net-unreach', record.REJECT_NET],
  ['icmp-host-unreachable', 'host-unreach', record.REJECT_HOST],
  ['icmp-proto-unreachable', 'proto-unreach', record.REJECT_PROTOCOL],
  ['icmp-port-unreachable', 'port-unreach', record.REJECT_PORT],
  ['icmp-net-prohibited', 'net-prohib', record.REJECT_NET_PROHIBITED],
  ['icmp-host-prohibited', 'host-prohib', record.REJECT_HOST_PROHIBITED],
  ['tcp-reset', 'tcp-rst', record.REJECT_RESET],
  ['icmp-admin-prohibited', 'admin-prohib', record.REJECT_ADMIN],
];
/** Of syslog, by number. */
export const LOG_LEVELS = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug'];
const LEVEL_WORDS: readonly [string, number][] = [
  ['warning', 4],
  ['panic', 0],
  ...LOG_LEVELS.map((name, level): [string, number] => [name, level]),
];
const LOG_WARNING = 4;
const LOG_PREFIX_MOST = 29;
const WORD_MOST = 0xffffffff;
const PROTOCOL_DCCP = 33;
const PROTOCOL_SCTP = 132;
const PROTOCOL_UDPLITE = 136;

const TARGETS: readonly number[] = [
  ...[record.TARGET_REJECT, record.TARGET_LOG, record.TARGET_MASQUERADE, record.TARGET_SNAT],
  ...[record.TARGET_DNAT, record.TARGET_REDIRECT, record.TARGET_NETMAP, record.TARGET_TOS],
  ...[record.TARGET_MARK, record.TARGET_CONNMARK, record.TARGET_TCPMSS],
];

/** Gives a rule its target, with what it says without options. */
export function setTarget(b: Builder, extension: number): void {
  b.target = extension;
  put8(b.at + record.RULE_TARGET, TARGETS[extension - extensions.REJECT] as number);
  if (extension === extensions.REJECT) putu16(b.at + record.RULE_ARGUMENT, record.REJECT_PORT);
  else if (extension === extensions.LOG) put8(b.targetOperation(record.OPERATION_LOG) + 4, LOG_WARNING);
}

/** A target without options, or a chain of the table. */
export function plainTarget(b: Builder, table: number, name: string, isGoto: boolean): void {
  const plain = isGoto ? -1 : PLAIN_TARGETS.indexOf(name);
  if (plain > 0) {
    put8(b.at + record.RULE_TARGET, plain);
    return;
  }
  const chain = chainNamed(table, name);
  if (chain === 0 && isGoto) usage(`goto '${name}' is not a chain`);
  if (chain === 0) usage(`Couldn't load target \`${name}':No such file or directory\r\n`);
  if (isBuiltIn(chain)) refuse(INVALID);
  put8(b.at + record.RULE_TARGET, isGoto ? record.TARGET_GOTO : record.TARGET_JUMP);
  putu16(b.at + record.RULE_ARGUMENT, chain);
}

function reject(b: Builder, text: string): void {
  const small = text.toLowerCase();
  const found = REJECTS.find(([name, other]) => name.startsWith(small) || other.startsWith(small));
  if (found === undefined) usage(`unknown reject type "${text}"`);
  else putu16(b.at + record.RULE_ARGUMENT, found[2]);
}

function levelOf(text: string): number {
  const number = parseNumber(text, 7);
  if (!Number.isNaN(number)) return number;
  // In any case and by their beginning, as up to 1.4: scripts of the time have `err` and `warn`.
  const small = text.toLowerCase();
  const found = small.length < 3 ? -1 : LEVEL_WORDS.findIndex(([name]) => name.startsWith(small));
  return found < 0 ? usage(`log level "${text}" unknown\r\n`) : (LEVEL_WORDS[found] as [string, number])[1];
}

const LOG_BITS = [
  0,
  0,
  0,
  record.LOG_SEQUENCE,
  record.LOG_TCP_OPTIONS,
  record.LOG_IP_OPTIONS,
  record.LOG_UID,
  record.LOG_MAC,
];

function log(b: Builder, option: number, text: string): void {
  const at = b.targetOperation(record.OPERATION_LOG);
  if (option === 1) put8(at + 4, levelOf(text));
  else if (option === 2) {
    if (text === '') usage('Argument must have a minimum length of 1 characters\r\n');
    const prefix = text.slice(0, LOG_PREFIX_MOST);
    put8(at + 6, prefix.length);
    putText(b.machine.memory, at + 8, prefix);
  } else put8(at + 5, get8(at + 5) | (LOG_BITS[option] as number));
}

function hasPorts(b: Builder): boolean {
  const protocol = get8(b.at + record.RULE_PROTOCOL);
  return [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_DCCP, PROTOCOL_ICMP].includes(protocol);
}

/** The number at a text's beginning, and what is behind. */
function leading(text: string): [number, string] {
  let end = 0;
  while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) < 58) end++;
  return [parseNumber(text.slice(0, end), 65535), text.slice(end)];
}

/** PORT, FIRST-LAST, or FIRST-LAST/BASE. */
function natPorts(b: Builder, text: string): void {
  if (!hasPorts(b)) usage('Need TCP, UDP, SCTP or DCCP with port specification');
  const at = b.targetOperation(record.OPERATION_ADDRESSES);
  let [first, rest] = leading(text);
  if (Number.isNaN(first)) {
    first = serviceNamed(text) ?? usage(`Port \`${text}' not valid`);
    rest = '';
  }
  let last = first;
  if (rest.startsWith(':')) usage('Invalid port:port syntax - use dash');
  if (rest !== '') {
    if (!rest.startsWith('-')) usage(`Garbage after port value: \`${rest}'`);
    const behind = rest.slice(1);
    [last, rest] = leading(behind);
    if (Number.isNaN(last)) usage(`Port \`${behind}' not valid`);
    if (last < first) usage(`Port range \`${behind}' funky`);
    if (rest !== '') {
      if (!rest.startsWith('/')) usage(`Garbage after port range: \`${rest}'`);
      shift(b, at, rest.slice(1));
    }
  }
  put8(at + 4, get8(at + 4) | record.ADDRESSES_PORTS);
  putu16(at + 16, first);
  putu16(at + 18, last);
}

function shift(b: Builder, at: number, text: string): void {
  const number = parseNumber(text, 65535);
  const base = number >= 1 ? number : (serviceNamed(text) ?? usage(`Port \`${text}' not valid`));
  if (b.target !== extensions.DNAT) usage('Shifted portmap ranges not supported with this kernel');
  put8(at + 4, get8(at + 4) | record.ADDRESSES_SHIFTED);
  putu16(at + 20, base);
}

function natAddresses(b: Builder, text: string): void {
  const at = b.targetOperation(record.OPERATION_ADDRESSES);
  const first = text.indexOf(':');
  // Two of them are no port's.
  const colon = text.indexOf(':', first + 1) < 0 ? first : -1;
  if (colon >= 0) natPorts(b, text.slice(colon + 1));
  if (colon === 0) return;
  const range = colon < 0 ? text : text.slice(0, colon);
  const dash = range.indexOf('-');
  const begin = dash < 0 ? range : range.slice(0, dash);
  const last = dash < 0 ? begin : range.slice(dash + 1);
  const from = parseDotted(begin, true);
  const to = parseDotted(last, true);
  if (Number.isNaN(from)) usage(`Bad IP address "${begin}"`);
  if (Number.isNaN(to)) usage(`Bad IP address "${last}"`);
  put8(at + 4, get8(at + 4) | record.ADDRESSES_ADDRESS);
  puti32(at + 8, from);
  puti32(at + 12, to);
}

const NAT_BITS = [
  0,
  0,
  0,
  record.ADDRESSES_RANDOM,
  record.ADDRESSES_FULLY_RANDOM,
  record.ADDRESSES_PERSISTENT,
];

function nat(b: Builder, option: number, text: string): void {
  if (option === 1) natPorts(b, text);
  else if (option === 2) natAddresses(b, text);
  else {
    const at = b.targetOperation(record.OPERATION_ADDRESSES);
    put8(at + 4, get8(at + 4) | (NAT_BITS[option] as number));
  }
}

function netmap(b: Builder, text: string): void {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const network = parseDotted(host, true);
  const mask = slash < 0 ? -1 : parseMask(text.slice(slash + 1));
  if (Number.isNaN(network)) usage(`host/network \`${host}' not found`);
  if (Number.isNaN(mask)) usage(`invalid mask \`${text.slice(slash + 1)}' specified`);
  const at = b.targetOperation(record.OPERATION_ADDRESSES);
  put8(at + 4, record.ADDRESSES_ADDRESS);
  puti32(at + 8, network & mask);
  puti32(at + 12, mask);
}

function tos(b: Builder, option: number, text: string): void {
  let value = 0;
  let mask = 0;
  if (option === 1) [value, mask] = tosOf(text);
  else {
    const bits = numberFor(extensions.TOS_TARGET, option, text, 0, 255);
    value = option === 2 ? 0 : bits;
    mask = option === 2 ? ~bits & 255 : option === 3 ? bits : 0;
  }
  puti32(b.at + record.RULE_VALUE, value);
  putu16(b.at + record.RULE_ARGUMENT, mask);
}

/** --set-xmark, --set-mark, --and-mark, --or-mark and --xmark as what is taken away and what is turned over. */
function mark(b: Builder, option: number, text: string): void {
  const at = b.targetOperation(record.OPERATION_MARK_SET);
  let value = 0;
  let mask = 0;
  if (option <= 2) {
    [value, mask] = markOf(b.target, option, text);
    if (option === 2) mask |= value;
  } else {
    const bits = numberFor(b.target, option, text, 0, WORD_MOST);
    value = option === 3 ? 0 : bits;
    mask = option === 3 ? ~bits : option === 4 ? bits : 0;
  }
  puti32(at + 8, value);
  puti32(at + 12, mask);
}

function connmark(b: Builder, option: number, text: string): void {
  if (option <= 5) {
    mark(b, option, text);
    return;
  }
  const at = b.targetOperation(record.OPERATION_MARK_SET);
  if (option <= 7) {
    put8(at + 4, option === 6 ? record.MARK_SAVE : record.MARK_RESTORE);
    // A mask may have been told before.
    if ((b.targetSeen & 0x500) === 0) puti32(at + 8, -1);
    if ((b.targetSeen & 0x600) === 0) puti32(at + 12, -1);
    return;
  }
  const value = numberFor(b.target, option, text, 0, WORD_MOST);
  if (option !== 9) puti32(at + 8, value);
  if (option !== 8) puti32(at + 12, value);
}

export function targetOption(b: Builder, option: number, text: string): void {
  const { target } = b;
  if (target === extensions.REJECT) reject(b, text);
  else if (target === extensions.LOG) log(b, option, text);
  else if (target <= extensions.REDIRECT) nat(b, option, text);
  else if (target === extensions.NETMAP) netmap(b, text);
  else if (target === extensions.TOS_TARGET) {
    if ((b.targetSeen & ~(1 << option)) !== 0) usage('TOS: Only one action may be used');
    tos(b, option, text);
  } else if (target === extensions.MARK_TARGET) mark(b, option, text);
  else if (target === extensions.CONNMARK_TARGET) connmark(b, option, text);
  // 0 is --clamp-mss-to-pmtu in the rule's cell, and no size that a segment could have.
  else if (option === 1) puti32(b.at + record.RULE_VALUE, numberFor(target, option, text, 1, 65535 - 20));
}

/** Whether the rule is for a protocol, and not for all others. */
function isFor(b: Builder, protocol: number): boolean {
  const isNot = (u16at(b.at + record.RULE_FLAGS) & record.RULE_NOT_PROTOCOL) !== 0;
  return !isNot && get8(b.at + record.RULE_PROTOCOL) === protocol;
}

/** Sees to it that a target was told what it needs, when the line has been read. */
export function endTarget(b: Builder): void {
  const { target, targetSeen } = b;
  if (target === 0) return;
  const missing = extensions.neededOf(target) & ~targetSeen;
  if (missing !== 0) {
    const option = extensions.optionName(target, 31 - Math.clz32(missing));
    usage(`${extensions.extensionName(target)}: option "--${option}" must be specified\r\n`);
  }
  if (target === extensions.TOS_TARGET && targetSeen === 0) usage('TOS: An action is required');
  if (target === extensions.MARK_TARGET && targetSeen === 0)
    usage('MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required');
  if (target === extensions.CONNMARK_TARGET && (targetSeen & 0xfe) === 0)
    usage('CONNMARK target: No operation specified');
  if (target === extensions.TCPMSS_TARGET && targetSeen === 0)
    usage('TCPMSS target: At least one parameter is required');
}

/** What the kernel would not take: a match or a target whose protocol the rule does not have. */
export function checkProtocols(b: Builder): void {
  for (let i = 0; i < b.matches.length; i++) {
    const extension = b.matches[i] as number;
    if (extension <= extensions.ICMP || extension === extensions.TCPMSS_MATCH) {
      const wanted =
        extension === extensions.UDP
          ? PROTOCOL_UDP
          : extension === extensions.ICMP
            ? PROTOCOL_ICMP
            : PROTOCOL_TCP;
      if (!isFor(b, wanted)) refuse(INVALID);
    }
  }
  const { target } = b;
  const isReset = target === extensions.REJECT && u16at(b.at + record.RULE_ARGUMENT) === record.REJECT_RESET;
  if (isReset && !isFor(b, PROTOCOL_TCP)) refuse(INVALID);
  if (target !== extensions.TCPMSS_TARGET) return;
  const asks = b.matches.some(
    (extension, i) => extension === extensions.TCP && asksForSyn(b.places[i] as number),
  );
  if (!asks || !isFor(b, PROTOCOL_TCP)) refuse(INVALID);
}

/** multiport is refused as soon as it is told of ports for another protocol. */
export function checkMultiport(b: Builder): void {
  const protocol = get8(b.at + record.RULE_PROTOCOL);
  const isNot = (u16at(b.at + record.RULE_FLAGS) & record.RULE_NOT_PROTOCOL) !== 0;
  if (protocol === 0) usage("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'");
  const all = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_UDPLITE, PROTOCOL_SCTP, PROTOCOL_DCCP];
  if (isNot || !all.includes(protocol)) usage('multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP');
}
