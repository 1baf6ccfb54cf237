// What the options of limit, iprange, addrtype, pkttype, statistic, time, recent, connlimit and comment say, and what each match must
// have been told when the line is read. Not here: the others (matches.ts).

import { NOW_AT } from '../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { CHAIN_COUNT } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import { putText } from '../core/store/text.ts';
import { type Builder, RECENT_NAME } from './builder.ts';
import { firstRule, nextRule } from './chains.ts';
import { numberFor } from './matches.ts';
import { parseDotted, parseNumber } from './numbers.ts';
import * as extensions from './options.ts';
import { INVALID, NO_MEMORY, refuse, usage } from './refuse.ts';

/** Types of addresses, in the order of their numbers in Linux. */
export const ADDRESS_TYPES =
  'UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT THROW NAT XRESOLVE'.split(
    ' ',
  );
export const PACKET_TYPES = ['unicast', 'broadcast', 'multicast'];
export const WEEKDAYS = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Ten thousandths of a second: what limit's averages are told in. */
export const LIMIT_SCALE = 10000;
const LIMIT_UNITS: readonly [string, number][] = [
  ['second', 1],
  ['minute', 60],
  ['hour', 3600],
  ['day', 86400],
];
const LIMIT_BURST_MOST = 10000;
const WORD_MOST = 0xffffffff;
/** Of a comment, in its first cell and in each of those that go on with it. */
const COMMENT_PIECE = 59;
const COMMENT_MOST = 255;
/** Names of recent's tables that there may be at once, and characters of one. */
const RECENT_TABLES = 16;
const RECENT_NAME_MOST = 46;
const DAYS_MOST = 31;

/** A rate as what one packet takes, in ten thousandths of a second. */
function rateOf(text: string): number {
  const slash = text.indexOf('/');
  const count = parseNumber(slash < 0 ? text : text.slice(0, slash), WORD_MOST);
  const unit = slash < 0 ? 's' : text.slice(slash + 1).toLowerCase();
  const found = LIMIT_UNITS.find(([name]) => unit !== '' && name.startsWith(unit));
  if (found === undefined || !(count > 0)) return usage(`bad rate "${text}"'`);
  const rate = Math.floor((found[1] * LIMIT_SCALE) / count);
  return rate === 0 ? usage(`Rate too fast "${text}"`) : rate;
}

function limit(at: number, option: number, text: string): void {
  if (option === 1) puti32(at + record.LIMIT_AVERAGE, rateOf(text));
  else puti32(at + record.LIMIT_BURST, numberFor(extensions.LIMIT, option, text, 0, LIMIT_BURST_MOST));
}

/**
 * Fills a bucket: a packet costs what its average says, in ten thousandths of a second, and a tick brings 100. Where the burst would be
 * more than a word has, both are told in ticks.
 */
export function fillBucket(at: number): void {
  const average = i32at(at + record.LIMIT_AVERAGE);
  const burst = i32at(at + record.LIMIT_BURST);
  const perTick = LIMIT_SCALE / TICKS_PER_SECOND;
  const isLarge = average * burst > 0x7fffffff;
  const cost = isLarge ? Math.round(average / perTick) : average;
  if (burst === 0 || cost * burst > 0x7fffffff) refuse('Numerical result out of range');
  puti32(at + record.LIMIT_COST, cost);
  puti32(at + record.LIMIT_MOST, cost * burst);
  puti32(at + record.LIMIT_LEFT, cost * burst);
  puti32(at + record.LIMIT_TICK, i32at(NOW_AT));
  puti32(at + record.LIMIT_REFILL, isLarge ? 1 : perTick);
}

function iprange(at: number, option: number, text: string, isNot: boolean): void {
  const dash = text.indexOf('-');
  const first = parseDotted(dash < 0 ? text : text.slice(0, dash), true);
  const last = dash < 0 ? first : parseDotted(text.slice(dash + 1), true);
  const name = option === 1 ? 'src-range' : 'dst-range';
  const bad = Number.isNaN(first) ? text.slice(0, dash < 0 ? undefined : dash) : text.slice(dash + 1);
  if (Number.isNaN(first) || Number.isNaN(last)) usage(`iprange: Bad value for "--${name}" option: "${bad}"`);
  const own = option === 1 ? record.RANGE_SOURCE : record.RANGE_DESTINATION;
  const not = option === 1 ? record.RANGE_NOT_SOURCE : record.RANGE_NOT_DESTINATION;
  put8(at + 4, get8(at + 4) | own | (isNot ? not : 0));
  puti32(at + (option === 1 ? 8 : 16), first);
  puti32(at + (option === 1 ? 12 : 20), last);
}

function addrtype(at: number, option: number, text: string, isNot: boolean): void {
  let flags = 0;
  if (option === 3) flags = record.ADDRTYPE_LIMIT_IN;
  else if (option === 4) flags = record.ADDRTYPE_LIMIT_OUT;
  else {
    let bits = 0;
    for (const word of text.toUpperCase().split(',')) {
      const type = word === '' ? -1 : ADDRESS_TYPES.findIndex(name => name.startsWith(word));
      if (type < 0) usage(`addrtype: bad type \`${text}'`);
      bits |= 1 << type;
    }
    putu16(at + (option === 1 ? 4 : 6), bits);
    if (isNot) flags = option === 1 ? record.ADDRTYPE_NOT_SOURCE : record.ADDRTYPE_NOT_DESTINATION;
  }
  put8(at + 8, get8(at + 8) | flags);
}

function statistic(b: Builder, match: number, option: number, text: string, isNot: boolean): void {
  const at = b.places[match] as number;
  if (option === 1) {
    if (text !== 'random' && text !== 'nth') usage(`Bad mode "${text}"`);
    put8(at + 4, text === 'nth' ? 1 : 0);
  } else if (option === 2) {
    const value = /^[0-9]*\.?[0-9]*(e-?[0-9]+)?$/i.test(text) && text !== '' ? Number(text) : Number.NaN;
    if (!(value >= 0 && value <= 1))
      usage('statistic: bad value for option "--probability", or out of range (0-1).\r\n');
    puti32(at + 8, Math.round(value * 0x80000000));
  } else if (option === 3) puti32(at + 8, numberFor(extensions.STATISTIC, option, text, 1, WORD_MOST) - 1);
  else puti32(at + 12, numberFor(extensions.STATISTIC, option, text, 0, WORD_MOST));
  if (isNot) b.not(at);
}

/** Numbers between marks from a text's beginning, as many as there are; undefined where something else stands. */
function numbersOf(text: string, marks: string): number[] | undefined {
  const numbers: number[] = [];
  let from = 0;
  for (let i = 0; ; i++) {
    let end = from;
    while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) < 58) end++;
    if (end === from) return undefined;
    numbers.push(Number(text.slice(from, end)));
    if (end === text.length) return numbers;
    if (i >= marks.length || text.charAt(end) !== marks.charAt(i)) return undefined;
    from = end + 1;
  }
}

function dateOf(text: string): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = numbersOf(text, '--T::') ?? [];
  if (year < 1970 || year > 2038 || month > 12 || day > DAYS_MOST || hour > 23 || minute > 59 || second > 59)
    usage(`Invalid date "${text}" specified. Should be YYYY[-MM[-DD[Thh[:mm[:ss]]]]]`);
  return Math.min(Date.UTC(year, month - 1, day, hour, minute, second) / 1000, 0x7fffffff);
}

function clockOf(text: string): number {
  const [hour = 24, minute = 60, second = 0] = numbersOf(text, '::') ?? [];
  if (hour > 23 || minute > 59 || second > 59)
    usage(`invalid time "${text}" specified, should be hh:mm[:ss] format and within the boundaries`);
  return 3600 * hour + 60 * minute + second;
}

function weekdaysOf(text: string): number {
  let bits = 0;
  for (const word of text.split(',')) {
    const number = parseNumber(word, 255);
    if (number === 0) usage('No, the week does NOT begin with Sunday.');
    const day = Number.isNaN(number)
      ? WEEKDAYS.findIndex(name => name !== '' && name.slice(0, 2) === word.slice(0, 2))
      : number;
    if (day < 1 || day > 7) usage(`${word} is not a valid day specifier`);
    bits |= 1 << day;
  }
  return bits;
}

function monthdaysOf(text: string): number {
  let bits = 0;
  for (const word of text.split(',')) {
    const day = parseNumber(word, DAYS_MOST);
    if (Number.isNaN(day)) usage(`${word} is not a valid day for --monthdays`);
    bits |= 1 << day;
  }
  return bits;
}

function time(at: number, option: number, text: string, isNot: boolean): void {
  if (option === 1) puti32(at + 8, dateOf(text));
  else if (option === 2) puti32(at + 12, dateOf(text));
  else if (option === 3) puti32(at + 16, clockOf(text));
  else if (option === 4) puti32(at + 20, clockOf(text));
  else if (option === 6) put8(at + 4, weekdaysOf(text) ^ (isNot ? 0xfe : 0));
  else if (option === 7) puti32(at + 24, monthdaysOf(text) ^ (isNot ? ~1 : 0));
  else if (option === 5) put8(at + 5, get8(at + 5) | record.TIME_CONTIGUOUS);
  else if (option === 8) put8(at + 5, get8(at + 5) | record.TIME_LOCAL);
}

const RECENT_BITS = [
  0,
  record.RECENT_SET,
  record.RECENT_CHECK,
  record.RECENT_UPDATE,
  record.RECENT_REMOVE,
  0,
  record.RECENT_REAP,
  0,
  record.RECENT_TTL,
  0,
  0,
  record.RECENT_DESTINATION,
];

function recent(b: Builder, match: number, option: number, text: string, isNot: boolean): void {
  const at = b.places[match] as number;
  if (option === 5) puti32(at + 8, numberFor(extensions.RECENT, option, text, 1, WORD_MOST));
  else if (option === 7) putu16(at + 6, numberFor(extensions.RECENT, option, text, 0, 65535));
  else if (option === 9) {
    if (text === '' || text.length > RECENT_NAME_MOST || text.includes('/') || text.startsWith('.'))
      refuse(INVALID);
    for (let i = RECENT_NAME; i < 64; i++) put8(at + i, 0);
    putText(b.machine.memory, at + RECENT_NAME, text);
  } else if (option === 12) {
    const mask = parseDotted(text, true);
    if (Number.isNaN(mask)) usage(`host/network \`${text}' not found`);
    puti32(at + 12, mask);
  } else if (option === 10) put8(at + 4, get8(at + 4) & ~record.RECENT_DESTINATION);
  else put8(at + 4, get8(at + 4) | (RECENT_BITS[option] as number));
  if (isNot) b.not(at);
}

function connlimit(b: Builder, match: number, option: number, text: string, isNot: boolean): void {
  const at = b.places[match] as number;
  if (option <= 2) {
    puti32(at + 8, numberFor(extensions.CONNLIMIT, option, text, 0, WORD_MOST));
    const isAbove = (option === 2) !== isNot;
    put8(at + 4, (get8(at + 4) & ~record.CONNLIMIT_ABOVE) | (isAbove ? record.CONNLIMIT_ABOVE : 0));
  } else if (option === 3) {
    const length = numberFor(extensions.CONNLIMIT, option, text, 0, 32);
    puti32(at + 12, length === 0 ? 0 : -1 << (32 - length));
  } else if (option === 5) put8(at + 4, get8(at + 4) | record.CONNLIMIT_DESTINATION);
}

function comment(b: Builder, match: number, text: string): void {
  let at = b.places[match] as number;
  const kept = text.slice(0, COMMENT_MOST);
  for (let from = 0; from === 0 || from < kept.length; from += COMMENT_PIECE) {
    if (from > 0) {
      at = b.operationBehind(at, record.OPERATION_COMMENT);
      put8(at + record.OPERATION_FLAGS, record.OPERATION_MORE);
    }
    const piece = kept.slice(from, from + COMMENT_PIECE);
    put8(at + 4, piece.length);
    putText(b.machine.memory, at + 5, piece);
  }
}

export function matchMore(b: Builder, match: number, option: number, text: string, isNot: boolean): void {
  const at = b.places[match] as number;
  const extension = b.matches[match] as number;
  if (extension === extensions.LIMIT) limit(at, option, text);
  else if (extension === extensions.IPRANGE) iprange(at, option, text, isNot);
  else if (extension === extensions.ADDRTYPE) addrtype(at, option, text, isNot);
  else if (extension === extensions.PKTTYPE) {
    const small = text.toLowerCase();
    const type = PACKET_TYPES.findIndex(name => name.startsWith(small));
    if (type < 0) usage(`Bad packet type '${text}'`);
    put8(at + 4, type);
    if (isNot) b.not(at);
  } else if (extension === extensions.STATISTIC) statistic(b, match, option, text, isNot);
  else if (extension === extensions.TIME) time(at, option, text, isNot);
  else if (extension === extensions.RECENT) recent(b, match, option, text, isNot);
  else if (extension === extensions.CONNLIMIT) connlimit(b, match, option, text, isNot);
  else comment(b, match, text);
}

function endStatistic(at: number, seen: number): void {
  const isNth = get8(at + 4) === 1;
  if (!isNth && (seen & 4) === 0) usage('--probability must be specified when using random mode');
  if (isNth && (seen & 0x18) === 0) usage('--every and --packet must be specified when using nth mode');
  if ((seen & 0x18) === 8) usage('statistic: option "--every" also requires "--packet".\r\n');
  if ((seen & 0x18) === 16) usage('statistic: option "--packet" also requires "--every".\r\n');
  if (!isNth) return;
  if (i32at(at + 12) >>> 0 > i32at(at + 8) >>> 0) usage('the --packet p must be 0 <= p <= n-1');
  puti32(at + 16, i32at(at + 8) - i32at(at + 12));
}

function endRecent(b: Builder, match: number): void {
  const at = b.places[match] as number;
  const seen = b.seen[match] as number;
  const operations = seen & 0x1e;
  if (operations === 0) usage("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'");
  if ((operations & (operations - 1)) !== 0) {
    const names: string[] = [];
    for (let i = 1; i <= 4; i++)
      if ((operations & (1 << i)) !== 0) names.push(extensions.optionName(extensions.RECENT, i));
    usage(`recent: option "--${names[0]}" cannot be used together with "--${names[1]}".\r\n`);
  }
  if ((seen & 0x100) !== 0 && (seen & 0x12) !== 0)
    usage(
      `recent: option "--rttl" cannot be used together with "--${(seen & 2) !== 0 ? 'set' : 'remove'}".\r\n`,
    );
  if ((seen & 0x40) !== 0 && (seen & 0x20) === 0)
    usage('recent: option "--reap" also requires "--seconds".\r\n');
  put8(at + 5, recentNumber(b, match, at));
}

function isSameName(a: number, b: number): boolean {
  for (let i = RECENT_NAME; i < 64; i++) {
    if (get8(a + i) !== get8(b + i)) return false;
    if (get8(a + i) === 0) return true;
  }
  return true;
}

/** The number of a table: that which another rule with its name has, else one that none has. */
function recentNumber(b: Builder, match: number, own: number): number {
  let used = 1;
  for (let i = 0; i < match; i++) {
    if (b.matches[i] !== extensions.RECENT) continue;
    const at = b.places[i] as number;
    if (isSameName(at, own)) return get8(at + 5);
    used |= 1 << get8(at + 5);
  }
  for (let chain = 1; chain < CHAIN_COUNT; chain++) {
    for (const isDraft of [false, true]) {
      for (let rule = firstRule(chain, isDraft); rule !== 0; rule = nextRule(rule)) {
        let cell = u16at(record.cellAt(rule) + record.RULE_OPERATIONS);
        while (cell !== 0) {
          const at = record.cellAt(cell);
          cell = u16at(at + record.OPERATION_NEXT);
          if (get8(at + record.OPERATION_KIND) !== record.OPERATION_RECENT) continue;
          if (isSameName(at, own)) return get8(at + 5);
          used |= 1 << get8(at + 5);
        }
      }
    }
  }
  for (let n = 1; n <= RECENT_TABLES; n++) if ((used & (1 << n)) === 0) return n;
  return refuse(`${NO_MEMORY}: there are ${RECENT_TABLES} tables of recent`);
}

/** Sees to it that a match was told what it needs, when the line has been read. */
export function endMatch(b: Builder, match: number): void {
  const extension = b.matches[match] as number;
  const at = b.places[match] as number;
  const seen = b.seen[match] as number;
  if (extension === extensions.STATISTIC) endStatistic(at, seen);
  const missing = extensions.neededOf(extension) & ~seen;
  if (missing !== 0) {
    const name = extensions.extensionName(extension);
    const option = extensions.optionName(extension, 31 - Math.clz32(missing));
    usage(`${name}: option "--${option}" must be specified\r\n`);
  }
  if (extension === extensions.LIMIT) fillBucket(at);
  else if (extension === extensions.RECENT) endRecent(b, match);
  else if (seen === 0 && extension > extensions.ICMP) endEmpty(extension);
  else if (extension === extensions.ADDRTYPE) endAddrtype(seen);
  else if (extension === extensions.CONNLIMIT) endConnlimit(seen);
  else if (extension === extensions.TIME && (seen & 0x20) !== 0 && i32at(at + 16) < i32at(at + 20))
    usage('time: --contiguous only makes sense when stoptime is smaller than starttime');
}

function endAddrtype(seen: number): void {
  if ((seen & 6) === 0) endEmpty(extensions.ADDRTYPE);
  if ((seen & 0x18) === 0x18)
    usage('addrtype: option "--limit-iface-in" cannot be used together with "--limit-iface-out".\r\n');
}

function endConnlimit(seen: number): void {
  if ((seen & 6) === 0) endEmpty(extensions.CONNLIMIT);
  if ((seen & 6) === 6)
    usage('connlimit: option "--connlimit-upto" cannot be used together with "--connlimit-above".\r\n');
  if ((seen & 0x30) === 0x30)
    usage('connlimit: option "--connlimit-saddr" cannot be used together with "--connlimit-daddr".\r\n');
}

/** A match without any of its options. */
function endEmpty(extension: number): void {
  if (extension === extensions.MULTIPORT) usage('multiport expection an option');
  if (extension === extensions.CONNTRACK) usage('conntrack: At least one option is required');
  if (extension === extensions.TTL)
    usage("TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt");
  if (extension === extensions.IPRANGE)
    usage("iprange match: You must specify `--src-range' or `--dst-range'");
  if (extension === extensions.ADDRTYPE) usage('addrtype: you must specify --src-type or --dst-type');
  if (extension === extensions.CONNLIMIT)
    usage('You must specify "--connlimit-above" or "--connlimit-upto".');
}
