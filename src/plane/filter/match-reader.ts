// Matches of a rule that is being read (rule-reader.ts): tcp, udp, icmp, state, conntrack, limit, multiport.
// Not here: who knows the others (src/control/rules/matches.ts, more-matches.ts).

import { NOW_AT } from '../../base/cells.ts';
import { get8, i32at, multiply, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  cellAt,
  LIMIT_AVERAGE,
  LIMIT_BURST,
  LIMIT_COST,
  LIMIT_LEFT,
  LIMIT_MOST,
  LIMIT_REFILL,
  LIMIT_TICK,
  OPERATION_FLAGS,
  OPERATION_LIMIT,
  OPERATION_MULTIPORT,
  OPERATION_NOT,
  PORTS_DESTINATION,
  PORTS_EITHER,
  PORTS_SOURCE,
  RULE_DESTINATION_PORTS,
  RULE_FLAGS,
  RULE_HAS_ICMP,
  RULE_HAS_PORTS,
  RULE_HAS_STATE,
  RULE_HAS_TCP_FLAGS,
  RULE_ICMP_CODES,
  RULE_ICMP_TYPE,
  RULE_NOT_DESTINATION_PORTS,
  RULE_NOT_ICMP,
  RULE_NOT_PROTOCOL,
  RULE_NOT_SOURCE_PORTS,
  RULE_NOT_STATE,
  RULE_NOT_TCP_FLAGS,
  RULE_PROTOCOL,
  RULE_SOURCE_PORTS,
  RULE_STATES,
  RULE_TCP_MASK,
  RULE_TCP_VALUE,
  RULE_WRITTEN,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_RELATED,
  WRITTEN_CONNTRACK,
  WRITTEN_ICMP,
  WRITTEN_MATCH,
  WRITTEN_MATCH_SHIFT,
  WRITTEN_STATE,
  WRITTEN_STATE_FIRST,
  WRITTEN_STATE_SHIFT,
  WRITTEN_TCP,
  WRITTEN_UDP,
} from '../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import {
  find,
  hashOf,
  NO_NUMBER,
  nextWord,
  numberIn,
  portsIn,
  WORD_AT,
  WORD_BYTES_AT,
  WORD_HASH_AT,
} from './line-words.ts';
import {
  hasSeen,
  newOperation,
  READ_MATCH,
  READ_ORDERED,
  SEEN_BURST,
  SEEN_DESTINATION_PORTS,
  SEEN_FLAGS,
  SEEN_LIMIT,
  SEEN_MATCH,
  SEEN_MULTIPORT,
  SEEN_PORTS,
  SEEN_RATE,
  SEEN_SOURCE_PORTS,
  SEEN_STATE,
  SEEN_STATES,
  seeOnce,
} from './reading.ts';
import * as words from './rule-words.ts';

const COMMA: i32 = 44;
const COLON: i32 = 58;
const SLASH: i32 = 47;
/** The flags that --syn looks at, and the one that it wants. */
const SYN_MASK: i32 = 0x17;
const SYN_VALUE: i32 = 2;
const TCP_ALL: i32 = 0x3f;
/** An average of 3/hour, in ten thousandths of a second, and its burst. */
const LIMIT_DEFAULT: i32 = 12000000;
const BURST_DEFAULT: i32 = 5;
/** What a tick adds to a limit. */
const REFILL: i32 = 100;
const SECOND: i32 = 10000;
const LIST_MOST: i32 = 15;

/** `-m` or an option of a match: 1, or 0 if it is control's, or -1 if the word is none of these. */
export function readMatch(rule: i32, hash: i32, isNot: i32): i32 {
  const at: i32 = cellAt(rule);
  if (hash === words.WORD_MATCH) return isNot !== 0 || nextWord() !== 1 ? 0 : load(at, i32at(WORD_HASH_AT));
  if (hash === words.WORD_SPORT || hash === words.WORD_SOURCE_PORT)
    return portsOf(at, RULE_SOURCE_PORTS, SEEN_SOURCE_PORTS, isNot !== 0 ? RULE_NOT_SOURCE_PORTS : 0);
  if (hash === words.WORD_DPORT || hash === words.WORD_DESTINATION_PORT)
    return portsOf(
      at,
      RULE_DESTINATION_PORTS,
      SEEN_DESTINATION_PORTS,
      isNot !== 0 ? RULE_NOT_DESTINATION_PORTS : 0,
    );
  if (hash === words.WORD_SYN) return tcpFlags(at, SYN_MASK, SYN_VALUE, isNot);
  if (hash === words.WORD_TCP_FLAGS) {
    const mask: i32 = nextWord() === 1 ? flagsIn() : NO_NUMBER;
    const value: i32 = mask >= 0 && nextWord() === 1 ? flagsIn() : NO_NUMBER;
    return value < 0 ? 0 : tcpFlags(at, mask, value, isNot);
  }
  if (hash === words.WORD_ICMP_TYPE) return icmp(at, isNot);
  if (hash === words.WORD_STATE_OPTION) return states(at, WRITTEN_STATE, isNot);
  if (hash === words.WORD_CTSTATE) return states(at, WRITTEN_CONNTRACK, isNot);
  if (hash === words.WORD_LIMIT_OPTION) return isNot !== 0 ? 0 : rate();
  if (hash === words.WORD_BURST) return isNot !== 0 ? 0 : burst();
  if (hash === words.WORD_SPORTS) return multiport(PORTS_SOURCE, isNot);
  if (hash === words.WORD_DPORTS) return multiport(PORTS_DESTINATION, isNot);
  return hash === words.WORD_PORTS ? multiport(PORTS_EITHER, isNot) : -1;
}

/** `-m NAME`. What stands behind a limit would be asked before it in the cell, and is control's. */
function load(at: i32, name: i32): i32 {
  const protocol: i32 = get8(at + RULE_PROTOCOL);
  if (name === words.WORD_TCP) return protocol === PROTOCOL_TCP ? loadProtocol(at) : 0;
  if (name === words.WORD_UDP) return protocol === PROTOCOL_UDP ? loadProtocol(at) : 0;
  if (name === words.WORD_ICMP) return protocol === PROTOCOL_ICMP ? loadProtocol(at) : 0;
  if (name === words.WORD_STATE) return loadState(at, WRITTEN_STATE);
  if (name === words.WORD_CONNTRACK) return loadState(at, WRITTEN_CONNTRACK);
  if (name === words.WORD_LIMIT) {
    const operation: i32 = seeOnce(SEEN_LIMIT) === 0 ? 0 : newOperation(OPERATION_LIMIT);
    if (operation === 0) return 0;
    puti32(operation + LIMIT_AVERAGE, LIMIT_DEFAULT);
    puti32(operation + LIMIT_BURST, BURST_DEFAULT);
    return 1;
  }
  const hasPorts: i32 = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP ? 1 : 0;
  if (name !== words.WORD_MULTIPORT || hasPorts === 0 || isOther(at) !== 0) return 0;
  return seeOnce(SEEN_MULTIPORT) !== 0 && newOperation(OPERATION_MULTIPORT) !== 0 ? 1 : 0;
}

/** 1 if the rule is for all protocols but its own. */
function isOther(at: i32): i32 {
  return (u16at(at + RULE_FLAGS) & RULE_NOT_PROTOCOL) !== 0 ? 1 : 0;
}

/** The match of the rule's protocol, whose options may come without it. */
function loadProtocol(at: i32): i32 {
  if (isOther(at) !== 0 || hasSeen(SEEN_LIMIT) !== 0 || seeOnce(SEEN_MATCH) === 0) return 0;
  const protocol: i32 = get8(at + RULE_PROTOCOL);
  const own: i32 =
    protocol === PROTOCOL_TCP ? WRITTEN_TCP : protocol === PROTOCOL_UDP ? WRITTEN_UDP : WRITTEN_ICMP;
  const place: i32 = i32at(READ_ORDERED) << WRITTEN_MATCH_SHIFT;
  putu16(at + RULE_WRITTEN, u16at(at + RULE_WRITTEN) | own | place);
  if (protocol === PROTOCOL_ICMP) return 1;
  putu16(at + RULE_FLAGS, u16at(at + RULE_FLAGS) | RULE_HAS_PORTS);
  putu16(at + RULE_SOURCE_PORTS + 2, 0xffff);
  putu16(at + RULE_DESTINATION_PORTS + 2, 0xffff);
  return 1;
}

function loadState(at: i32, own: i32): i32 {
  if (hasSeen(SEEN_LIMIT) !== 0 || seeOnce(SEEN_STATE) === 0) return 0;
  const written: i32 = u16at(at + RULE_WRITTEN);
  const place: i32 = i32at(READ_ORDERED) << WRITTEN_STATE_SHIFT;
  const isFirst: i32 = (written & WRITTEN_MATCH) === 0 ? WRITTEN_STATE_FIRST : 0;
  putu16(at + RULE_WRITTEN, written | own | place | isFirst);
  return 1;
}

/** Sees to it that the match of TCP, or of UDP, is there for an option of it. */
function needsPorts(at: i32): i32 {
  const protocol: i32 = get8(at + RULE_PROTOCOL);
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return 0;
  return hasSeen(SEEN_MATCH) !== 0 ? 1 : loadProtocol(at);
}

function portsOf(at: i32, field: i32, seen: i32, not: i32): i32 {
  if (needsPorts(at) === 0 || seeOnce(seen) === 0 || nextWord() !== 1) return 0;
  const word: i32 = i32at(WORD_AT);
  const ports: i32 = portsIn(word, word + i32at(WORD_BYTES_AT));
  if (ports === NO_NUMBER) return 0;
  puti32(at + field, ports);
  putu16(at + RULE_FLAGS, u16at(at + RULE_FLAGS) | not);
  return 1;
}

function tcpFlags(at: i32, mask: i32, value: i32, isNot: i32): i32 {
  if (get8(at + RULE_PROTOCOL) !== PROTOCOL_TCP || needsPorts(at) === 0 || seeOnce(SEEN_FLAGS) === 0)
    return 0;
  put8(at + RULE_TCP_MASK, mask);
  put8(at + RULE_TCP_VALUE, value);
  const not: i32 = isNot !== 0 ? RULE_NOT_TCP_FLAGS : 0;
  putu16(at + RULE_FLAGS, u16at(at + RULE_FLAGS) | RULE_HAS_TCP_FLAGS | not);
  return 1;
}

/** TCP's flags from a list, which is the word; NO_NUMBER where one is not known. */
function flagsIn(): i32 {
  let at: i32 = i32at(WORD_AT);
  const end: i32 = at + i32at(WORD_BYTES_AT);
  let bits: i32 = 0;
  while (at < end) {
    const comma: i32 = find(at, end, COMMA);
    const hash: i32 = hashOf(at, comma - at);
    if (hash === words.WORD_FIN) bits |= 1;
    else if (hash === words.WORD_SYN_FLAG) bits |= 2;
    else if (hash === words.WORD_RST) bits |= 4;
    else if (hash === words.WORD_PSH) bits |= 8;
    else if (hash === words.WORD_ACK) bits |= 16;
    else if (hash === words.WORD_URG) bits |= 32;
    else if (hash === words.WORD_ALL_FLAGS) bits |= TCP_ALL;
    else if (hash !== words.WORD_NONE) return NO_NUMBER;
    at = comma + 1;
  }
  return bits;
}

function icmp(at: i32, isNot: i32): i32 {
  if (get8(at + RULE_PROTOCOL) !== PROTOCOL_ICMP || (u16at(at + RULE_FLAGS) & RULE_HAS_ICMP) !== 0) return 0;
  if (hasSeen(SEEN_MATCH) === 0 && loadProtocol(at) === 0) return 0;
  if (nextWord() !== 1) return 0;
  const word: i32 = i32at(WORD_AT);
  const end: i32 = word + i32at(WORD_BYTES_AT);
  const hash: i32 = i32at(WORD_HASH_AT);
  const slash: i32 = find(word, end, SLASH);
  let type: i32 = numberIn(word, slash, 255);
  const code: i32 = slash === end ? 0 : numberIn(slash + 1, end, 255);
  const last: i32 = slash === end ? 255 : code;
  if (hash === words.WORD_ECHO_REQUEST) type = 8;
  else if (hash === words.WORD_ECHO_REPLY) type = 0;
  else if (hash === words.WORD_UNREACHABLE) type = 3;
  else if (hash === words.WORD_TIME_EXCEEDED) type = 11;
  else if (hash === words.WORD_ANY) type = 255;
  if (type < 0 || code < 0) return 0;
  put8(at + RULE_ICMP_TYPE, type);
  put8(at + RULE_ICMP_CODES, code);
  put8(at + RULE_ICMP_CODES + 1, last);
  const not: i32 = isNot !== 0 ? RULE_NOT_ICMP : 0;
  putu16(at + RULE_FLAGS, u16at(at + RULE_FLAGS) | RULE_HAS_ICMP | not);
  return 1;
}

/** `--state`, `--ctstate` of the match that is loaded. */
function states(at: i32, own: i32, isNot: i32): i32 {
  if ((u16at(at + RULE_WRITTEN) & own) === 0 || seeOnce(SEEN_STATES) === 0 || nextWord() !== 1) return 0;
  let word: i32 = i32at(WORD_AT);
  const end: i32 = word + i32at(WORD_BYTES_AT);
  let bits: i32 = 0;
  while (word < end) {
    const comma: i32 = find(word, end, COMMA);
    const hash: i32 = hashOf(word, comma - word);
    if (hash === words.WORD_NEW) bits |= STATE_BIT_NEW;
    else if (hash === words.WORD_ESTABLISHED) bits |= STATE_BIT_ESTABLISHED;
    else if (hash === words.WORD_RELATED) bits |= STATE_BIT_RELATED;
    else if (hash === words.WORD_INVALID) bits |= STATE_BIT_INVALID;
    else return 0;
    if (comma + 1 === end) return 0;
    word = comma + 1;
  }
  put8(at + RULE_STATES, bits);
  const not: i32 = isNot !== 0 ? RULE_NOT_STATE : 0;
  putu16(at + RULE_FLAGS, u16at(at + RULE_FLAGS) | RULE_HAS_STATE | not);
  return 1;
}

/** `--limit N/UNIT`. */
function rate(): i32 {
  if (hasSeen(SEEN_LIMIT) === 0 || hasSeen(SEEN_MULTIPORT) !== 0) return 0;
  if (seeOnce(SEEN_RATE) === 0 || nextWord() !== 1) return 0;
  const word: i32 = i32at(WORD_AT);
  const end: i32 = word + i32at(WORD_BYTES_AT);
  const slash: i32 = find(word, end, SLASH);
  const number: i32 = numberIn(word, slash, SECOND);
  const unit: i32 = slash === end ? 0 : hashOf(slash + 1, end - slash - 1);
  let seconds: i32 = 0;
  if (unit === words.WORD_SEC || unit === words.WORD_SECOND || unit === words.WORD_SECOND_S) seconds = 1;
  else if (unit === words.WORD_MIN || unit === words.WORD_MINUTE || unit === words.WORD_MINUTE_M)
    seconds = 60;
  else if (unit === words.WORD_HOUR || unit === words.WORD_HOUR_H) seconds = 3600;
  else if (unit === words.WORD_DAY) seconds = 86400;
  if (number <= 0 || seconds === 0) return 0;
  puti32(i32at(READ_MATCH) + LIMIT_AVERAGE, (multiply(seconds, SECOND) / number) | 0);
  return 1;
}

function burst(): i32 {
  if (hasSeen(SEEN_LIMIT) === 0 || hasSeen(SEEN_MULTIPORT) !== 0) return 0;
  if (seeOnce(SEEN_BURST) === 0 || nextWord() !== 1) return 0;
  const word: i32 = i32at(WORD_AT);
  const number: i32 = numberIn(word, word + i32at(WORD_BYTES_AT), SECOND);
  if (number <= 0) return 0;
  puti32(i32at(READ_MATCH) + LIMIT_BURST, number);
  return 1;
}

function multiport(which: i32, isNot: i32): i32 {
  if (hasSeen(SEEN_MULTIPORT) === 0 || hasSeen(SEEN_LIMIT) !== 0) return 0;
  if (seeOnce(SEEN_PORTS) === 0 || nextWord() !== 1) return 0;
  const at: i32 = i32at(READ_MATCH);
  let word: i32 = i32at(WORD_AT);
  const end: i32 = word + i32at(WORD_BYTES_AT);
  let entries: i32 = 0;
  let ranges: i32 = 0;
  while (word < end) {
    const comma: i32 = find(word, end, COMMA);
    const colon: i32 = find(word, comma, COLON);
    const first: i32 = numberIn(word, colon, 65535);
    if (first < 0 || entries + (colon === comma ? 1 : 2) > LIST_MOST) return 0;
    putu16(at + 8 + 2 * entries, first);
    if (colon !== comma) {
      const last: i32 = numberIn(colon + 1, comma, 65535);
      if (last <= first) return 0;
      ranges |= 1 << entries;
      entries += 1;
      putu16(at + 8 + 2 * entries, last);
    }
    entries += 1;
    if (comma + 1 === end) return 0;
    word = comma + 1;
  }
  put8(at + 4, which);
  put8(at + 5, entries);
  putu16(at + 6, ranges);
  if (isNot !== 0) put8(at + OPERATION_FLAGS, OPERATION_NOT);
  return 1;
}

/** The line has been read: 1 if each match has been told what it needs, and 0 if that is control's to say. */
export function endMatches(rule: i32): i32 {
  const at: i32 = cellAt(rule);
  if (hasSeen(SEEN_STATE) !== 0 && hasSeen(SEEN_STATES) === 0) return 0;
  if (hasSeen(SEEN_MULTIPORT) !== 0 && hasSeen(SEEN_PORTS) === 0) return 0;
  if (
    (u16at(at + RULE_WRITTEN) & WRITTEN_MATCH) === WRITTEN_ICMP &&
    (u16at(at + RULE_FLAGS) & RULE_HAS_ICMP) === 0
  )
    return 0;
  return hasSeen(SEEN_LIMIT) !== 0 ? fillLimit(i32at(READ_MATCH)) : 1;
}

/** The bucket is full at first. What one word has no room for is control's. */
function fillLimit(at: i32): i32 {
  const average: i32 = i32at(at + LIMIT_AVERAGE);
  const number: i32 = i32at(at + LIMIT_BURST);
  if (average > ((0x7fffffff / number) | 0)) return 0;
  puti32(at + LIMIT_COST, average);
  puti32(at + LIMIT_MOST, multiply(average, number));
  puti32(at + LIMIT_LEFT, multiply(average, number));
  puti32(at + LIMIT_TICK, i32at(NOW_AT));
  puti32(at + LIMIT_REFILL, REFILL);
  return 1;
}
