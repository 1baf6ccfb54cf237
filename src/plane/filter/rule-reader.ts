// A rule's line as iptables-save writes it, and most hand-written files have it, made a rule: what 300 lines of `iptables-restore` mostly are. Control
// reads all others, and all that are refused, as it has their words (src/control/rules/line.ts): what this reader takes becomes the same cells
// there, which a property looks at (src/control/rules/reader.test.ts).
//
//    -A CHAIN [!] -s -d -i -o -p, -m tcp udp icmp state conntrack limit multiport with plain numbers,
//    -j a chain, ACCEPT DROP RETURN REJECT LOG MASQUERADE SNAT DNAT REDIRECT
//
// Not here: words (line-words.ts), matches (match-reader.ts), targets (target-reader.ts), writing (rule-writer.ts).

import { i32at, put8, putu16, u16at } from '../../base/memory.ts';
import { LINE_STATE_BYTES, RULE_NAME_COUNT, RULE_TEXT_BYTES } from '../../base/rule-limits.ts';
import {
  CHAIN_INPUT,
  CHAIN_MANGLE_INPUT,
  CHAIN_MANGLE_OUTPUT,
  CHAIN_MANGLE_POSTROUTING,
  CHAIN_MANGLE_PREROUTING,
  CHAIN_NAT_INPUT,
  CHAIN_NAT_OUTPUT,
  CHAIN_NAT_POSTROUTING,
  CHAIN_NAT_PREROUTING,
  CHAIN_OUTPUT,
  cellAt,
  NAME_MOST,
  nameAt,
  RULE_DESTINATION,
  RULE_FLAGS,
  RULE_IN,
  RULE_NOT_DESTINATION,
  RULE_NOT_IN,
  RULE_NOT_OUT,
  RULE_NOT_PROTOCOL,
  RULE_NOT_SOURCE,
  RULE_OUT,
  RULE_PROTOCOL,
  RULE_SOURCE,
} from '../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { beginLine, networkIn, nextWord, WORD_BYTES_AT, WORD_HASH_AT } from './line-words.ts';
import { endMatches, readMatch } from './match-reader.ts';
import {
  beginReading,
  READ_CHAIN,
  SEEN_DESTINATION,
  SEEN_IN,
  SEEN_OUT,
  SEEN_PROTOCOL,
  SEEN_SOURCE,
  seeOnce,
} from './reading.ts';
import { chainInWord, isWord } from './rule-reader-chains.ts';
import { cellGive, cellTake, draftAppend } from './rule-table.ts';
import {
  WORD_ALL,
  WORD_APPEND,
  WORD_DESTINATION,
  WORD_ICMP,
  WORD_IN,
  WORD_NOT,
  WORD_OUT,
  WORD_PROTOCOL,
  WORD_SOURCE,
  WORD_TCP,
  WORD_TCP_LARGE,
  WORD_UDP,
  WORD_UDP_LARGE,
} from './rule-words.ts';
import { endTarget, isTargetWhole, readTarget } from './target-reader.ts';

/** Words that a line may have. */
const WORD_MOST: i32 = 128;

/**
 * Reads the line of so many bytes at `at` for a table: its rule and the chain that it is for, rule | chain << 16; 0 if it is control's to read. Of a draft the chains
 * alone are known that it has, and the rule is put behind those of its chain. Where no cell is free it is control's as well.
 */
export function ruleRead(at: i32, bytes: i32, table: i32, isDraft: i32): i32 {
  if (bytes >= RULE_TEXT_BYTES - LINE_STATE_BYTES) return 0;
  beginLine(at, at + bytes);
  if (nextWord() !== 1 || i32at(WORD_HASH_AT) !== WORD_APPEND || nextWord() !== 1) return 0;
  const chain: i32 = chainInWord(table, isDraft);
  const rule: i32 = chain === 0 ? 0 : cellTake();
  if (rule === 0) return 0;
  beginReading(rule, table, chain, isDraft);
  const isRead: i32 = readOptions(rule) !== 0 && endMatches(rule) !== 0 ? isTargetWhole(rule) : 0;
  endTarget();
  if (isRead === 0) {
    cellGive(rule);
    return 0;
  }
  if (isDraft !== 0) draftAppend(chain, rule);
  return rule | (chain << 16);
}

/** Reads all that is left of the line: 1, or 0 if it is control's. */
function readOptions(rule: i32): i32 {
  let isNot: i32 = 0;
  for (let left: i32 = WORD_MOST; left > 0; left--) {
    const more: i32 = nextWord();
    if (more !== 1) return more === 0 && isNot === 0 ? 1 : 0;
    const hash: i32 = i32at(WORD_HASH_AT);
    if (hash === WORD_NOT) {
      if (isNot !== 0) return 0;
      isNot = 1;
      continue;
    }
    let taken: i32 = readPlain(rule, hash, isNot);
    if (taken < 0) taken = readMatch(rule, hash, isNot);
    if (taken < 0) taken = isNot !== 0 ? 0 : readTarget(rule, hash);
    if (taken !== 1) return 0;
    isNot = 0;
  }
  return 0;
}

/** An option of addresses, links or the protocol: 1, or 0 if it is control's, or -1 if the word is none of these. */
function readPlain(rule: i32, hash: i32, isNot: i32): i32 {
  const at: i32 = cellAt(rule);
  let seen: i32 = 0;
  let not: i32 = 0;
  if (hash === WORD_SOURCE) {
    seen = SEEN_SOURCE;
    not = RULE_NOT_SOURCE;
  } else if (hash === WORD_DESTINATION) {
    seen = SEEN_DESTINATION;
    not = RULE_NOT_DESTINATION;
  } else if (hash === WORD_IN) {
    seen = SEEN_IN;
    not = RULE_NOT_IN;
  } else if (hash === WORD_OUT) {
    seen = SEEN_OUT;
    not = RULE_NOT_OUT;
  } else if (hash === WORD_PROTOCOL) {
    seen = SEEN_PROTOCOL;
    not = RULE_NOT_PROTOCOL;
  } else {
    return -1;
  }
  if (seeOnce(seen) === 0 || nextWord() !== 1 || i32at(WORD_HASH_AT) === WORD_NOT) return 0;
  if (isNot !== 0) putu16(at + RULE_FLAGS, u16at(at + RULE_FLAGS) | not);
  if (seen === SEEN_SOURCE) return networkIn(at + RULE_SOURCE);
  if (seen === SEEN_DESTINATION) return networkIn(at + RULE_DESTINATION);
  if (seen === SEEN_PROTOCOL) return protocolIn(at, isNot);
  return linkIn(at, seen);
}

function protocolIn(at: i32, isNot: i32): i32 {
  const hash: i32 = i32at(WORD_HASH_AT);
  let protocol: i32 = 0;
  if (hash === WORD_TCP || hash === WORD_TCP_LARGE) protocol = PROTOCOL_TCP;
  else if (hash === WORD_UDP || hash === WORD_UDP_LARGE) protocol = PROTOCOL_UDP;
  else if (hash === WORD_ICMP) protocol = PROTOCOL_ICMP;
  else if (hash !== WORD_ALL || isNot !== 0) return 0;
  put8(at + RULE_PROTOCOL, protocol);
  return 1;
}

/** The number of the name that is the word, which rules have had already. */
function linkIn(at: i32, seen: i32): i32 {
  const chain: i32 = i32at(READ_CHAIN);
  if (seen === SEEN_IN && hasNoIn(chain) !== 0) return 0;
  if (seen === SEEN_OUT && hasNoOut(chain) !== 0) return 0;
  const bytes: i32 = i32at(WORD_BYTES_AT);
  if (bytes >= NAME_MOST) return 0;
  for (let n: i32 = 1; n < RULE_NAME_COUNT; n++) {
    if (isWord(nameAt(n), bytes) === 0) continue;
    put8(at + (seen === SEEN_IN ? RULE_IN : RULE_OUT), n);
    return 1;
  }
  return 0;
}

function hasNoIn(chain: i32): i32 {
  return chain === CHAIN_OUTPUT ||
    chain === CHAIN_NAT_OUTPUT ||
    chain === CHAIN_NAT_POSTROUTING ||
    chain === CHAIN_MANGLE_OUTPUT ||
    chain === CHAIN_MANGLE_POSTROUTING
    ? 1
    : 0;
}

function hasNoOut(chain: i32): i32 {
  return chain === CHAIN_INPUT ||
    chain === CHAIN_NAT_PREROUTING ||
    chain === CHAIN_NAT_INPUT ||
    chain === CHAIN_MANGLE_PREROUTING ||
    chain === CHAIN_MANGLE_INPUT
    ? 1
    : 0;
}
