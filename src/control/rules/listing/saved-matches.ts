// Matches as -S and iptables-save write them. Not here: their order (../written.ts), the rest of a rule (saved.ts).

import { get8, i32at, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { formatAddress, formatMac } from '../../core/address.ts';
import { textFrom } from '../../core/store/text.ts';
import { RECENT_NAME } from '../builder.ts';
import { STATE_NAMES, TCP_FLAGS } from '../matches.ts';
import { ADDRESS_TYPES, LIMIT_SCALE, PACKET_TYPES, WEEKDAYS } from '../more-matches.ts';
import { prefixLength } from '../numbers.ts';
import { quoted } from '../words.ts';
import * as how from '../written.ts';

const word = (at: number): number => i32at(at) >>> 0;
const notText = (isNot: boolean): string => (isNot ? ' !' : '');

/** Names of set bits, joined by commas. */
export function bitNames(bits: number, names: readonly string[]): string {
  let text = '';
  for (let i = 0; i < names.length; i++) {
    if ((bits & (1 << i)) === 0) continue;
    text += text === '' ? names[i] : `,${names[i]}`;
  }
  return text;
}

function ports(option: string, at: number, isNot: boolean): string {
  const first = u16at(at);
  const last = u16at(at + 2);
  if (first === 0 && last === 65535) return '';
  return `${notText(isNot)} --${option} ${first === last ? first : `${first}:${last}`}`;
}

function tcp(at: number): string {
  const flags = u16at(at + record.RULE_FLAGS);
  let text = ' -m tcp';
  text += ports('sport', at + record.RULE_SOURCE_PORTS, (flags & record.RULE_NOT_SOURCE_PORTS) !== 0);
  text += ports(
    'dport',
    at + record.RULE_DESTINATION_PORTS,
    (flags & record.RULE_NOT_DESTINATION_PORTS) !== 0,
  );
  const next =
    get8(at + record.OPERATION_KIND) === record.OPERATION_FIELDS ? u16at(at + record.OPERATION_NEXT) : 0;
  const option = next === 0 ? 0 : record.cellAt(next);
  if (option !== 0 && get8(option + record.OPERATION_KIND) === record.OPERATION_TCP_OPTION)
    text += `${notText((get8(option + record.OPERATION_FLAGS) & record.OPERATION_NOT) !== 0)} --tcp-option ${get8(option + 4)}`;
  if ((flags & record.RULE_HAS_TCP_FLAGS) !== 0) {
    const mask = bitNames(get8(at + record.RULE_TCP_MASK), TCP_FLAGS) || 'NONE';
    const value = bitNames(get8(at + record.RULE_TCP_VALUE), TCP_FLAGS) || 'NONE';
    text += `${notText((flags & record.RULE_NOT_TCP_FLAGS) !== 0)} --tcp-flags ${mask} ${value}`;
  }
  return text;
}

function udp(at: number): string {
  const flags = u16at(at + record.RULE_FLAGS);
  return (
    ' -m udp' +
    ports('sport', at + record.RULE_SOURCE_PORTS, (flags & record.RULE_NOT_SOURCE_PORTS) !== 0) +
    ports('dport', at + record.RULE_DESTINATION_PORTS, (flags & record.RULE_NOT_DESTINATION_PORTS) !== 0)
  );
}

function icmp(at: number): string {
  const isNot = (u16at(at + record.RULE_FLAGS) & record.RULE_NOT_ICMP) !== 0;
  const type = get8(at + record.RULE_ICMP_TYPE);
  const first = get8(at + record.RULE_ICMP_CODES);
  const last = get8(at + record.RULE_ICMP_CODES + 1);
  const code = first === 0 && last === 255 ? '' : `/${first}`;
  return ` -m icmp${notText(isNot)} --icmp-type ${type === 255 ? 'any' : `${type}${code}`}`;
}

/** A match whose fields stand in a rule's cell, or in an OPERATION_FIELDS: `written` says which it is. */
function fields(at: number, written: number): string {
  if (written === how.WRITTEN_TCP) return tcp(at);
  if (written === how.WRITTEN_UDP) return udp(at);
  if (written === how.WRITTEN_ICMP) return icmp(at);
  const isNot = notText((u16at(at + record.RULE_FLAGS) & record.RULE_NOT_STATE) !== 0);
  const states = bitNames(get8(at + record.RULE_STATES), STATE_NAMES);
  return written === how.WRITTEN_STATE
    ? ` -m state${isNot} --state ${states}`
    : ` -m conntrack${isNot} --ctstate ${states}`;
}

/** Ports of multiport, joined as they were written. */
export function multiportText(at: number): string {
  const count = get8(at + 5);
  const ranges = u16at(at + 6);
  let text = '';
  for (let i = 0; i < count; i++) {
    if (i > 0) text += (ranges & (1 << (i - 1))) !== 0 ? ':' : ',';
    text += u16at(at + 8 + 2 * i);
  }
  return text;
}

export const MULTIPORT_OPTIONS = ['', 'sports', 'dports', 'ports'];

/** An average in the largest unit that it can be told in. */
export function rateText(average: number): string {
  const units: readonly [string, number][] = [
    ['day', 86400 * LIMIT_SCALE],
    ['hour', 3600 * LIMIT_SCALE],
    ['min', 60 * LIMIT_SCALE],
    ['sec', LIMIT_SCALE],
  ];
  let i = 1;
  for (; i < units.length; i++) {
    const unit = (units[i] as [string, number])[1];
    if (average > unit || Math.floor(unit / average) < unit % average) break;
  }
  const [name, unit] = units[i - 1] as [string, number];
  return `${Math.floor(unit / average)}/${name}`;
}

export function markText(at: number): string {
  const mask = word(at + 8);
  return `0x${word(at + 4).toString(16)}${mask === 0xffffffff ? '' : `/0x${mask.toString(16)}`}`;
}

export function rangeOfTwo(at: number): string {
  return u16at(at) === u16at(at + 2) ? `${u16at(at)}` : `${u16at(at)}:${u16at(at + 2)}`;
}

const TTL_OPTIONS = ['ttl-eq', 'ttl-eq', 'ttl-lt', 'ttl-gt'];
const two = (value: number): string => String(value).padStart(2, '0');

export function clockText(seconds: number): string {
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

export function dateText(seconds: number, between: string): string {
  const date = new Date(seconds * 1000);
  const day = `${String(date.getUTCFullYear()).padStart(4, '0')}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day}${between}${clockText(seconds % 86400)}`;
}

export function weekdayText(bits: number): string {
  return bitNames(bits & 0xfe, WEEKDAYS);
}

export const isWholeDay = (at: number): boolean => i32at(at + 16) === 0 && i32at(at + 20) === 86399;
export const DATE_END = 0x7fffffff;

function time(at: number): string {
  let text = ' -m time';
  if (!isWholeDay(at))
    text += ` --timestart ${clockText(i32at(at + 16))} --timestop ${clockText(i32at(at + 20))}`;
  const days = i32at(at + 24);
  if (days !== ~1) {
    let list = '';
    for (let day = 1; day <= 31; day++) if ((days & (1 << day)) !== 0) list += list === '' ? day : `,${day}`;
    text += ` --monthdays ${list}`;
  }
  if (get8(at + 4) !== 0xfe) text += ` --weekdays ${weekdayText(get8(at + 4))}`;
  if (i32at(at + 8) !== 0) text += ` --datestart ${dateText(i32at(at + 8), 'T')}`;
  // The original writes the last date there is as well.
  if (i32at(at + 12) !== 0) text += ` --datestop ${dateText(i32at(at + 12), 'T')}`;
  const flags = get8(at + 5);
  if ((flags & record.TIME_LOCAL) !== 0) text += ' --kerneltz';
  if ((flags & record.TIME_CONTIGUOUS) !== 0) text += ' --contiguous';
  return text;
}

export function recentName(memory: Uint8Array, at: number): string {
  let bytes = 0;
  while (RECENT_NAME + bytes < 64 && get8(at + RECENT_NAME + bytes) !== 0) bytes++;
  return textFrom(memory, at + RECENT_NAME, bytes);
}

function recent(memory: Uint8Array, at: number, isNot: boolean): string {
  const flags = get8(at + 4);
  let text = ` -m recent${notText(isNot)}`;
  if ((flags & record.RECENT_SET) !== 0) text += ' --set';
  if ((flags & record.RECENT_CHECK) !== 0) text += ' --rcheck';
  if ((flags & record.RECENT_UPDATE) !== 0) text += ' --update';
  if ((flags & record.RECENT_REMOVE) !== 0) text += ' --remove';
  if (i32at(at + 8) !== 0) text += ` --seconds ${word(at + 8)}`;
  if ((flags & record.RECENT_REAP) !== 0) text += ' --reap';
  if (u16at(at + 6) !== 0) text += ` --hitcount ${u16at(at + 6)}`;
  if ((flags & record.RECENT_TTL) !== 0) text += ' --rttl';
  text += ` --name ${recentName(memory, at)} --mask ${formatAddress(i32at(at + 12))}`;
  return text + ((flags & record.RECENT_DESTINATION) !== 0 ? ' --rdest' : ' --rsource');
}

function addrtype(at: number): string {
  const flags = get8(at + 8);
  let text = ' -m addrtype';
  if (u16at(at + 4) !== 0)
    text += `${notText((flags & record.ADDRTYPE_NOT_SOURCE) !== 0)} --src-type ${bitNames(u16at(at + 4), ADDRESS_TYPES)}`;
  if (u16at(at + 6) !== 0)
    text += `${notText((flags & record.ADDRTYPE_NOT_DESTINATION) !== 0)} --dst-type ${bitNames(u16at(at + 6), ADDRESS_TYPES)}`;
  if ((flags & record.ADDRTYPE_LIMIT_IN) !== 0) text += ' --limit-iface-in';
  if ((flags & record.ADDRTYPE_LIMIT_OUT) !== 0) text += ' --limit-iface-out';
  return text;
}

function iprange(at: number): string {
  const flags = get8(at + 4);
  let text = ' -m iprange';
  const pair = (place: number): string => `${formatAddress(i32at(place))}-${formatAddress(i32at(place + 4))}`;
  if ((flags & record.RANGE_SOURCE) !== 0)
    text += `${notText((flags & record.RANGE_NOT_SOURCE) !== 0)} --src-range ${pair(at + 8)}`;
  if ((flags & record.RANGE_DESTINATION) !== 0)
    text += `${notText((flags & record.RANGE_NOT_DESTINATION) !== 0)} --dst-range ${pair(at + 16)}`;
  return text;
}

/** A comment, from its first cell on. */
export function commentText(memory: Uint8Array, first: number): string {
  let at = first;
  let text = textFrom(memory, at + 5, get8(at + 4));
  for (;;) {
    const next = u16at(at + record.OPERATION_NEXT);
    if (next === 0) return text;
    at = record.cellAt(next);
    if (!how.isContinued(at)) return text;
    text += textFrom(memory, at + 5, get8(at + 4));
  }
}

export function probabilityText(at: number): string {
  return (word(at + 8) / 0x80000000).toFixed(11);
}

function statistic(at: number, isNot: boolean): string {
  const not = notText(isNot);
  if (get8(at + 4) === 0) return ` -m statistic --mode random${not} --probability ${probabilityText(at)}`;
  return ` -m statistic --mode nth${not} --every ${word(at + 8) + 1} --packet ${word(at + 12)}`;
}

function limit(at: number): string {
  const burst = i32at(at + record.LIMIT_BURST);
  return ` -m limit --limit ${rateText(i32at(at + record.LIMIT_AVERAGE))}${burst === 5 ? '' : ` --limit-burst ${burst}`}`;
}

function connlimit(at: number): string {
  const flags = get8(at + 4);
  const kind = (flags & record.CONNLIMIT_ABOVE) !== 0 ? 'above' : 'upto';
  const side = (flags & record.CONNLIMIT_DESTINATION) !== 0 ? 'daddr' : 'saddr';
  const mask = prefixLength(i32at(at + 12));
  return ` -m connlimit --connlimit-${kind} ${word(at + 8)} --connlimit-mask ${mask} --connlimit-${side}`;
}

/** A match at its address; `written` says what of it is meant where it is a rule's cell, and is 0 of an operation. */
export function savedMatch(memory: Uint8Array, at: number, written: number): string {
  if (written !== 0) return fields(at, written);
  const kind = get8(at + record.OPERATION_KIND);
  if (kind >= record.OPERATION_LOG || how.isContinued(at)) return '';
  if (kind === record.OPERATION_FIELDS) return fields(at, u16at(at + record.RULE_WRITTEN));
  const isNot = (get8(at + record.OPERATION_FLAGS) & record.OPERATION_NOT) !== 0;
  const not = notText(isNot);
  switch (kind) {
    case record.OPERATION_MULTIPORT:
      return ` -m multiport${not} --${MULTIPORT_OPTIONS[get8(at + 4)]} ${multiportText(at)}`;
    case record.OPERATION_LIMIT:
      return limit(at);
    case record.OPERATION_MARK:
      return ` -m mark${not} --mark ${markText(at)}`;
    case record.OPERATION_CONNMARK:
      return ` -m connmark${not} --mark ${markText(at)}`;
    case record.OPERATION_LENGTH:
      return ` -m length${not} --length ${rangeOfTwo(at + 4)}`;
    case record.OPERATION_TOS:
      return ` -m tos${not} --tos 0x${hexTwo(get8(at + 4))}/0x${hexTwo(get8(at + 5))}`;
    case record.OPERATION_TTL: {
      const is = get8(at + 4);
      return ` -m ttl${notText(is === record.TTL_NOT)} --${TTL_OPTIONS[is]} ${get8(at + 5)}`;
    }
    case record.OPERATION_MAC:
      return ` -m mac${not} --mac-source ${formatMac(memory.subarray(at + 4, at + 10))}`;
    case record.OPERATION_PKTTYPE:
      return ` -m pkttype${not} --pkt-type ${PACKET_TYPES[get8(at + 4)]}`;
    case record.OPERATION_TCPMSS:
      return ` -m tcpmss${not} --mss ${rangeOfTwo(at + 4)}`;
    case record.OPERATION_STATISTIC:
      return statistic(at, isNot);
    case record.OPERATION_RECENT:
      return recent(memory, at, isNot);
    case record.OPERATION_COMMENT:
      return ` -m comment --comment ${quoted(commentText(memory, at))}`;
  }
  if (kind === record.OPERATION_IPRANGE) return iprange(at);
  if (kind === record.OPERATION_ADDRTYPE) return addrtype(at);
  if (kind === record.OPERATION_TIME) return time(at);
  return connlimit(at);
}

function hexTwo(value: number): string {
  return value.toString(16).padStart(2, '0');
}
