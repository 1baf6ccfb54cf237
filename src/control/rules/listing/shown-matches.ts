// Matches as -L shows them, each with a blank before it. Not here: as -S writes them (saved-matches.ts), the columns (shown.ts).

import { get8, i32at, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import { formatAddress, formatMac } from '../../core/address.ts';
import { STATE_NAMES } from '../matches.ts';
import { ADDRESS_TYPES, PACKET_TYPES } from '../more-matches.ts';
import { icmpTypes, serviceName, tosName } from '../names.ts';
import { prefixLength } from '../numbers.ts';
import * as how from '../written.ts';
import * as saved from './saved-matches.ts';

const word = (at: number): number => i32at(at) >>> 0;
const byteText = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;
const upperText = (value: number): string => `0x${value.toString(16).toUpperCase().padStart(2, '0')}`;
/** TOS by their names have this mask. */
const TOS_NAME_MASK = 0x3f;

function ports(name: string, at: number, isNot: boolean, isNumeric: boolean): string {
  const first = u16at(at);
  const last = u16at(at + 2);
  if (first === 0 && last === 65535 && !isNot) return '';
  const text = (port: number): string => (isNumeric ? String(port) : serviceName(port));
  const not = isNot ? '!' : '';
  return first === last ? ` ${name}:${not}${text(first)}` : ` ${name}s:${not}${text(first)}:${text(last)}`;
}

function transport(at: number, name: string, isNumeric: boolean): string {
  const flags = u16at(at + record.RULE_FLAGS);
  let text = ` ${name}`;
  text += ports(
    'spt',
    at + record.RULE_SOURCE_PORTS,
    (flags & record.RULE_NOT_SOURCE_PORTS) !== 0,
    isNumeric,
  );
  const isNotTo = (flags & record.RULE_NOT_DESTINATION_PORTS) !== 0;
  text += ports('dpt', at + record.RULE_DESTINATION_PORTS, isNotTo, isNumeric);
  const next =
    get8(at + record.OPERATION_KIND) === record.OPERATION_FIELDS ? u16at(at + record.OPERATION_NEXT) : 0;
  const option = next === 0 ? 0 : record.cellAt(next);
  if (option !== 0 && get8(option + record.OPERATION_KIND) === record.OPERATION_TCP_OPTION)
    text += ` option=${isNot(option) ? '!' : ''}${get8(option + 4)}`;
  if ((flags & record.RULE_HAS_TCP_FLAGS) === 0) return text;
  const not = (flags & record.RULE_NOT_TCP_FLAGS) !== 0 ? '!' : '';
  const pair = `${upperText(get8(at + record.RULE_TCP_MASK))}/${upperText(get8(at + record.RULE_TCP_VALUE))}`;
  return `${text} flags:${not}${pair}`;
}

function icmp(at: number, isNumeric: boolean): string {
  const not = (u16at(at + record.RULE_FLAGS) & record.RULE_NOT_ICMP) !== 0 ? '!' : '';
  const type = get8(at + record.RULE_ICMP_TYPE);
  const first = get8(at + record.RULE_ICMP_CODES);
  const last = get8(at + record.RULE_ICMP_CODES + 1);
  if (!isNumeric) {
    for (const own of icmpTypes())
      if (own.type === type && own.first === first && own.last === last) return ` icmp ${not}${own.name}`;
  }
  const text = ` icmp${not === '' ? '' : ' !'}type ${type}`;
  if (first === last) return `${text} code ${first}`;
  return first === 0 && last === 255 ? text : `${text} codes ${first}-${last}`;
}

function fields(at: number, written: number, isNumeric: boolean): string {
  if (written === how.WRITTEN_TCP) return transport(at, 'tcp', isNumeric);
  if (written === how.WRITTEN_UDP) return transport(at, 'udp', isNumeric);
  if (written === how.WRITTEN_ICMP) return icmp(at, isNumeric);
  const not = (u16at(at + record.RULE_FLAGS) & record.RULE_NOT_STATE) !== 0 ? ' !' : '';
  const states = saved.bitNames(get8(at + record.RULE_STATES), STATE_NAMES);
  return `${not} ${written === how.WRITTEN_STATE ? 'state' : 'ctstate'} ${states}`;
}

function isNot(at: number): boolean {
  return (get8(at + record.OPERATION_FLAGS) & record.OPERATION_NOT) !== 0;
}

function multiport(at: number, isNumeric: boolean): string {
  const list = isNumeric ? saved.multiportText(at) : namedPorts(at);
  return ` multiport ${saved.MULTIPORT_OPTIONS[get8(at + 4)]} ${isNot(at) ? ' !' : ''}${list}`;
}

function namedPorts(at: number): string {
  const ranges = u16at(at + 6);
  let text = '';
  for (let i = 0; i < get8(at + 5); i++) {
    if (i > 0) text += (ranges & (1 << (i - 1))) !== 0 ? ':' : ',';
    text += serviceName(u16at(at + 8 + 2 * i));
  }
  return text;
}

function tos(at: number, isNumeric: boolean): string {
  const value = get8(at + 4);
  const mask = get8(at + 5);
  const not = isNot(at) ? '!' : '';
  const name = isNumeric || mask !== TOS_NAME_MASK ? undefined : tosName(value);
  return name === undefined
    ? ` tos match${not}${byteText(value)}/${byteText(mask)}`
    : ` tos match${not} ${name}`;
}

const TTL_SIGNS = ['==', '!=', '<', '>'];

function iprange(at: number): string {
  const flags = get8(at + 4);
  const pair = (place: number): string => `${formatAddress(i32at(place))}-${formatAddress(i32at(place + 4))}`;
  let text = '';
  if ((flags & record.RANGE_SOURCE) !== 0)
    text += ` source IP range${(flags & record.RANGE_NOT_SOURCE) !== 0 ? ' !' : ''} ${pair(at + 8)}`;
  if ((flags & record.RANGE_DESTINATION) !== 0)
    text += ` destination IP range${(flags & record.RANGE_NOT_DESTINATION) !== 0 ? ' !' : ''} ${pair(at + 16)}`;
  return text;
}

function addrtype(at: number): string {
  const flags = get8(at + 8);
  let text = ' ADDRTYPE match';
  const types = (place: number): string => saved.bitNames(u16at(place), ADDRESS_TYPES);
  if (u16at(at + 4) !== 0)
    text += ` src-type ${(flags & record.ADDRTYPE_NOT_SOURCE) !== 0 ? '!' : ''}${types(at + 4)}`;
  if (u16at(at + 6) !== 0)
    text += ` dst-type ${(flags & record.ADDRTYPE_NOT_DESTINATION) !== 0 ? '!' : ''}${types(at + 6)}`;
  if ((flags & record.ADDRTYPE_LIMIT_IN) !== 0) text += ' limit-in';
  if ((flags & record.ADDRTYPE_LIMIT_OUT) !== 0) text += ' limit-out';
  return text;
}

function statistic(at: number): string {
  const not = isNot(at) ? ' !' : '';
  if (get8(at + 4) === 0) return ` statistic mode random${not} probability ${saved.probabilityText(at)}`;
  const packet = word(at + 12) === 0 ? '' : ` packet ${word(at + 12)}`;
  return ` statistic mode nth${not} every ${word(at + 8) + 1}${packet}`;
}

const ENDINGS = ['th', 'st', 'nd', 'rd', 'th', 'th', 'th', 'th', 'th', 'th'];

function time(at: number): string {
  let text = ' TIME';
  if (!saved.isWholeDay(at))
    text += ` from ${saved.clockText(i32at(at + 16))} to ${saved.clockText(i32at(at + 20))}`;
  if (get8(at + 4) !== 0xfe) text += ` on ${saved.weekdayText(get8(at + 4))}`;
  const days = i32at(at + 24);
  if (days !== ~1) {
    let list = '';
    for (let day = 1; day <= 31; day++) {
      if ((days & (1 << day)) === 0) continue;
      list += `${list === '' ? '' : ','}${day}${ENDINGS[day % 10]}`;
    }
    text += ` on ${list}`;
  }
  if (i32at(at + 8) !== 0) text += ` starting from ${saved.dateText(i32at(at + 8), ' ')}`;
  if (i32at(at + 12) !== saved.DATE_END) text += ` until date ${saved.dateText(i32at(at + 12), ' ')}`;
  const flags = get8(at + 5);
  if ((flags & record.TIME_LOCAL) === 0) text += ' UTC';
  if ((flags & record.TIME_CONTIGUOUS) !== 0) text += ' contiguous';
  return text;
}

function recent(memory: Uint8Array, at: number): string {
  const flags = get8(at + 4);
  let text = `${isNot(at) ? ' !' : ''} recent:`;
  if ((flags & record.RECENT_SET) !== 0) text += ' SET';
  if ((flags & record.RECENT_CHECK) !== 0) text += ' CHECK';
  if ((flags & record.RECENT_UPDATE) !== 0) text += ' UPDATE';
  if ((flags & record.RECENT_REMOVE) !== 0) text += ' REMOVE';
  if (i32at(at + 8) !== 0) text += ` seconds: ${word(at + 8)}`;
  if ((flags & record.RECENT_REAP) !== 0) text += ' reap';
  if (u16at(at + 6) !== 0) text += ` hit_count: ${u16at(at + 6)}`;
  if ((flags & record.RECENT_TTL) !== 0) text += ' TTL-Match';
  const side = (flags & record.RECENT_DESTINATION) !== 0 ? 'dest' : 'source';
  return `${text} name: ${saved.recentName(memory, at)} side: ${side} mask: ${formatAddress(i32at(at + 12))}`;
}

function connlimit(at: number): string {
  const flags = get8(at + 4);
  const side = (flags & record.CONNLIMIT_DESTINATION) !== 0 ? 'dst' : 'src';
  const sign = (flags & record.CONNLIMIT_ABOVE) !== 0 ? '>' : '<=';
  return ` #conn ${side}/${prefixLength(i32at(at + 12))} ${sign} ${word(at + 8)}`;
}

/** A match at its address; `written` is what of RULE_WRITTEN is meant, 0 of an operation. */
export function shownMatch(memory: Uint8Array, at: number, written: number, isNumeric: boolean): string {
  if (written !== 0) return fields(at, written, isNumeric);
  const kind = get8(at + record.OPERATION_KIND);
  if (kind >= record.OPERATION_LOG || how.isContinued(at)) return '';
  if (kind === record.OPERATION_FIELDS) return fields(at, u16at(at + record.RULE_WRITTEN), isNumeric);
  const not = isNot(at) ? '!' : '';
  switch (kind) {
    case record.OPERATION_MULTIPORT:
      return multiport(at, isNumeric);
    case record.OPERATION_LIMIT:
      return ` limit: avg ${saved.rateText(i32at(at + record.LIMIT_AVERAGE))} burst ${i32at(at + record.LIMIT_BURST)}`;
    case record.OPERATION_MARK:
      return ` mark match${not === '' ? '' : ' !'} ${saved.markText(at)}`;
    case record.OPERATION_CONNMARK:
      return ` connmark match ${not} ${saved.markText(at)}`;
    case record.OPERATION_LENGTH:
      return ` length ${not}${saved.rangeOfTwo(at + 4)}`;
    case record.OPERATION_TOS:
      return tos(at, isNumeric);
    case record.OPERATION_TTL:
      return ` TTL match TTL ${TTL_SIGNS[get8(at + 4)]} ${get8(at + 5)}`;
    case record.OPERATION_MAC:
      return ` MAC ${not === '' ? '' : '! '}${formatMac(memory.subarray(at + 4, at + 10))}`;
    case record.OPERATION_PKTTYPE:
      return ` PKTTYPE ${not}= ${PACKET_TYPES[get8(at + 4)]}`;
    case record.OPERATION_TCPMSS:
      return ` tcpmss match ${not}${saved.rangeOfTwo(at + 4)}`;
    case record.OPERATION_STATISTIC:
      return statistic(at);
    case record.OPERATION_RECENT:
      return recent(memory, at);
    case record.OPERATION_COMMENT:
      return ` /* ${saved.commentText(memory, at)} */`;
  }
  if (kind === record.OPERATION_IPRANGE) return iprange(at);
  if (kind === record.OPERATION_ADDRTYPE) return addrtype(at);
  return kind === record.OPERATION_TIME ? time(at) : connlimit(at);
}
