// Targets of a rule that is being read (rule-reader.ts): chains, ACCEPT, DROP, RETURN, REJECT, LOG, and where a packet is translated to.
// Not here: who knows the others (src/control/rules/targets.ts).

import { copy, get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  ADDRESSES_ADDRESS,
  ADDRESSES_PORTS,
  CHAIN_USER,
  cellAt,
  OPERATION_ADDRESSES,
  OPERATION_KIND,
  OPERATION_LOG,
  REJECT_ADMIN,
  REJECT_HOST,
  REJECT_HOST_PROHIBITED,
  REJECT_NET,
  REJECT_NET_PROHIBITED,
  REJECT_PORT,
  REJECT_PROTOCOL,
  REJECT_RESET,
  RULE_ARGUMENT,
  RULE_FLAGS,
  RULE_NOT_PROTOCOL,
  RULE_PROTOCOL,
  RULE_TARGET,
  TABLE_NAT,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_LOG,
  TARGET_MASQUERADE,
  TARGET_REDIRECT,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_SNAT,
} from '../../base/rule-record.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import {
  addressIn,
  find,
  nextText,
  nextWord,
  numberIn,
  WORD_AT,
  WORD_BYTES_AT,
  WORD_HASH_AT,
} from './line-words.ts';
import {
  linkOperation,
  READ_DRAFT,
  READ_TABLE,
  READ_TARGET,
  SEEN_FIRST,
  SEEN_JUMP,
  SEEN_SECOND,
  seeOnce,
} from './reading.ts';
import { chainInWord } from './rule-reader-chains.ts';
import { cellTake } from './rule-table.ts';
import * as words from './rule-words.ts';

const COLON: i32 = 58;
const DASH: i32 = 45;
const LOG_WARNING: i32 = 4;
const PREFIX_MOST: i32 = 29;

/** `-j`, `-g` or an option of the target: 1, or 0 if it is control's. */
export function readTarget(rule: i32, hash: i32): i32 {
  const at: i32 = cellAt(rule);
  if (hash === words.WORD_JUMP || hash === words.WORD_GOTO) {
    if (seeOnce(SEEN_JUMP) === 0 || nextWord() !== 1) return 0;
    if (hash === words.WORD_GOTO) return lead(at, TARGET_GOTO);
    return targetNamed(at, i32at(WORD_HASH_AT));
  }
  const target: i32 = get8(at + RULE_TARGET);
  if (hash === words.WORD_REJECT_WITH)
    return target === TARGET_REJECT && seeOnce(SEEN_FIRST) !== 0 && nextWord() === 1 ? rejectWith(at) : 0;
  if (hash === words.WORD_LOG_PREFIX)
    return target === TARGET_LOG && seeOnce(SEEN_FIRST) !== 0 && nextText() !== 0 ? prefix() : 0;
  if (hash === words.WORD_LOG_LEVEL) {
    if (target !== TARGET_LOG || seeOnce(SEEN_SECOND) === 0 || nextWord() !== 1) return 0;
    const level: i32 = numberIn(i32at(WORD_AT), i32at(WORD_AT) + i32at(WORD_BYTES_AT), 7);
    if (level < 0) return 0;
    put8(cellAt(i32at(READ_TARGET)) + 4, level);
    return 1;
  }
  let isIt: i32 = 0;
  if (hash === words.WORD_TO_SOURCE) isIt = target === TARGET_SNAT ? 1 : 0;
  else if (hash === words.WORD_TO_DESTINATION || hash === words.WORD_TO)
    isIt = target === TARGET_DNAT ? 1 : 0;
  else if (hash === words.WORD_TO_PORTS)
    isIt = target === TARGET_REDIRECT || target === TARGET_MASQUERADE ? 1 : 0;
  if (isIt === 0 || seeOnce(SEEN_FIRST) === 0 || nextWord() !== 1) return 0;
  const word: i32 = i32at(WORD_AT);
  const end: i32 = word + i32at(WORD_BYTES_AT);
  return hash === words.WORD_TO_PORTS ? portsTo(at, word, end) : addressTo(at, word, end);
}

function targetNamed(at: i32, name: i32): i32 {
  const isNat: i32 = i32at(READ_TABLE) === TABLE_NAT ? 1 : 0;
  let target: i32 = 0;
  if (name === words.WORD_ACCEPT) target = TARGET_ACCEPT;
  else if (name === words.WORD_DROP) target = isNat === 0 ? TARGET_DROP : 0;
  else if (name === words.WORD_RETURN) target = TARGET_RETURN;
  else if (name === words.WORD_REJECT) target = TARGET_REJECT;
  else if (name === words.WORD_LOG) target = TARGET_LOG;
  else if (name === words.WORD_MASQUERADE) target = TARGET_MASQUERADE;
  else if (name === words.WORD_SNAT) target = TARGET_SNAT;
  else if (name === words.WORD_DNAT) target = TARGET_DNAT;
  else if (name === words.WORD_REDIRECT) target = TARGET_REDIRECT;
  else return lead(at, TARGET_JUMP);
  if (target === TARGET_REJECT) putu16(at + RULE_ARGUMENT, REJECT_PORT);
  put8(at + RULE_TARGET, target);
  if (target !== TARGET_LOG) return target !== 0 ? 1 : 0;
  const cell: i32 = operation(OPERATION_LOG);
  if (cell === 0) return 0;
  put8(cell + 4, LOG_WARNING);
  return 1;
}

/** To the chain whose name the word is. */
function lead(at: i32, target: i32): i32 {
  const chain: i32 = chainInWord(i32at(READ_TABLE), i32at(READ_DRAFT));
  if (chain < CHAIN_USER) return 0;
  put8(at + RULE_TARGET, target);
  putu16(at + RULE_ARGUMENT, chain);
  return 1;
}

/** The address of the target's own operation; 0 where no cell is free. */
function operation(kind: i32): i32 {
  let cell: i32 = i32at(READ_TARGET);
  if (cell === 0) {
    cell = cellTake();
    if (cell === 0) return 0;
    put8(cellAt(cell) + OPERATION_KIND, kind);
    puti32(READ_TARGET, cell);
  }
  return cellAt(cell);
}

/** The target's own operation stands behind all others. */
export function endTarget(): void {
  const cell: i32 = i32at(READ_TARGET);
  if (cell !== 0) linkOperation(cell);
}

/** 1 if a target that was read has been told what it needs, and its protocol is one that it may have. */
export function isTargetWhole(rule: i32): i32 {
  const at: i32 = cellAt(rule);
  const target: i32 = get8(at + RULE_TARGET);
  const isReset: i32 = target === TARGET_REJECT && u16at(at + RULE_ARGUMENT) === REJECT_RESET ? 1 : 0;
  if (isReset !== 0) return isFor(at, PROTOCOL_TCP);
  return (target === TARGET_SNAT || target === TARGET_DNAT) && i32at(READ_TARGET) === 0 ? 0 : 1;
}

function isFor(at: i32, protocol: i32): i32 {
  return get8(at + RULE_PROTOCOL) === protocol && (u16at(at + RULE_FLAGS) & RULE_NOT_PROTOCOL) === 0 ? 1 : 0;
}

function rejectWith(at: i32): i32 {
  const hash: i32 = i32at(WORD_HASH_AT);
  let code: i32 = -1;
  if (hash === words.WORD_REJECT_NET) code = REJECT_NET;
  else if (hash === words.WORD_REJECT_HOST) code = REJECT_HOST;
  else if (hash === words.WORD_REJECT_PORT) code = REJECT_PORT;
  else if (hash === words.WORD_REJECT_PROTOCOL) code = REJECT_PROTOCOL;
  else if (hash === words.WORD_REJECT_NET_PROHIBITED) code = REJECT_NET_PROHIBITED;
  else if (hash === words.WORD_REJECT_HOST_PROHIBITED) code = REJECT_HOST_PROHIBITED;
  else if (hash === words.WORD_REJECT_ADMIN) code = REJECT_ADMIN;
  else if (hash === words.WORD_REJECT_RESET) code = REJECT_RESET;
  if (code < 0) return 0;
  putu16(at + RULE_ARGUMENT, code);
  return 1;
}

function prefix(): i32 {
  const cell: i32 = operation(OPERATION_LOG);
  const bytes: i32 = i32at(WORD_BYTES_AT);
  const kept: i32 = bytes > PREFIX_MOST ? PREFIX_MOST : bytes;
  put8(cell + 6, kept);
  copy(cell + 8, i32at(WORD_AT), kept);
  return 1;
}

/** PORT or FIRST-LAST. */
function portsTo(at: i32, word: i32, end: i32): i32 {
  if (isFor(at, PROTOCOL_TCP) === 0 && isFor(at, PROTOCOL_UDP) === 0) return 0;
  const dash: i32 = find(word, end, DASH);
  const first: i32 = numberIn(word, dash, 65535);
  const last: i32 = dash === end ? first : numberIn(dash + 1, end, 65535);
  if (first < 0 || last < first) return 0;
  const cell: i32 = operation(OPERATION_ADDRESSES);
  if (cell === 0) return 0;
  put8(cell + 4, get8(cell + 4) | ADDRESSES_PORTS);
  putu16(cell + 16, first);
  putu16(cell + 18, last);
  return 1;
}

/** ADDRESS, FIRST-LAST, and either with :PORTS behind. */
function addressTo(at: i32, word: i32, end: i32): i32 {
  const colon: i32 = find(word, end, COLON);
  const dash: i32 = find(word, colon, DASH);
  const cell: i32 = operation(OPERATION_ADDRESSES);
  if (cell === 0 || addressIn(word, dash, cell + 8) === 0) return 0;
  if (dash === colon) puti32(cell + 12, i32at(cell + 8));
  else if (addressIn(dash + 1, colon, cell + 12) === 0) return 0;
  put8(cell + 4, get8(cell + 4) | ADDRESSES_ADDRESS);
  return colon === end ? 1 : portsTo(at, colon + 1, end);
}
