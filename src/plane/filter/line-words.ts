// A line of text in the plane's memory (RULE_TEXT_AT) as words, numbers and addresses, and text put there: for rules that are read and written
// by the hundred, as control needs a hundred times as long for a character. What is not simply what it says, as a number with a zero before
// it, is refused here and is control's (src/control/rules/line.ts).
//
//    RULE_TEXT_AT       the line
//    LINE_STATE_AT  0      4     8      12       16     20
//                   | next | end | word | bytes  | hash | what the reader has seen (rule-reader.ts)
//
// Not here: what a word means (rule-reader.ts, rule-writer.ts).

import { get8, i32at, multiply, put8, put32, puti32 } from '../../base/memory.ts';
import { LINE_STATE_BYTES, RULE_TEXT_AT, RULE_TEXT_BYTES } from '../../base/rule-limits.ts';

export const LINE_STATE_AT: i32 = RULE_TEXT_AT + RULE_TEXT_BYTES - LINE_STATE_BYTES;
const NEXT_AT: i32 = LINE_STATE_AT;
const END_AT: i32 = LINE_STATE_AT + 4;
export const WORD_AT: i32 = LINE_STATE_AT + 8;
export const WORD_BYTES_AT: i32 = LINE_STATE_AT + 12;
export const WORD_HASH_AT: i32 = LINE_STATE_AT + 16;
/** What no number, port or address answers. */
export const NO_NUMBER: i32 = -1;

const TAB: i32 = 9;
const BLANK: i32 = 32;
const QUOTE: i32 = 34;
const APOSTROPHE: i32 = 39;
const COMMA: i32 = 44;
const DOT: i32 = 46;
const SLASH: i32 = 47;
const ZERO: i32 = 48;
const COLON: i32 = 58;
const BACKSLASH: i32 = 92;
/** FNV-1a. */
const HASH_START: i32 = -2128831035;
const HASH_FACTOR: i32 = 16777619;

/** From here on words are those of the line from `at` to `end`. */
export function beginLine(at: i32, end: i32): void {
  puti32(NEXT_AT, at);
  puti32(END_AT, end);
}

/** The hash of a text. */
export function hashOf(at: i32, bytes: i32): i32 {
  let hash: i32 = HASH_START;
  for (let i: i32 = 0; i < bytes && i < RULE_TEXT_BYTES; i++)
    hash = multiply(hash ^ get8(at + i), HASH_FACTOR);
  return hash;
}

/** The next word, at WORD_AT: 1; 0 at the end, and -1 where it has quotes. */
export function nextWord(): i32 {
  const end: i32 = i32at(END_AT);
  let at: i32 = i32at(NEXT_AT);
  while (at < end && (get8(at) === BLANK || get8(at) === TAB)) at++;
  let hash: i32 = HASH_START;
  const start: i32 = at;
  for (; at < end; at++) {
    const c: i32 = get8(at);
    if (c === BLANK || c === TAB) break;
    if (c === QUOTE || c === APOSTROPHE || c === BACKSLASH) return -1;
    hash = multiply(hash ^ c, HASH_FACTOR);
  }
  puti32(WORD_AT, start);
  puti32(WORD_BYTES_AT, at - start);
  puti32(WORD_HASH_AT, hash);
  puti32(NEXT_AT, at);
  return at > start ? 1 : 0;
}

/** The next word, or what stands between the next two quotes: 1, or 0 where there is neither, or more than that. */
export function nextText(): i32 {
  const end: i32 = i32at(END_AT);
  let at: i32 = i32at(NEXT_AT);
  while (at < end && (get8(at) === BLANK || get8(at) === TAB)) at++;
  if (at >= end) return 0;
  if (get8(at) !== QUOTE) return nextWord() === 1 ? 1 : 0;
  at += 1;
  const start: i32 = at;
  while (at < end && get8(at) !== QUOTE) {
    if (get8(at) === BACKSLASH) return 0;
    at++;
  }
  if (at >= end || (at + 1 < end && get8(at + 1) !== BLANK)) return 0;
  puti32(WORD_AT, start);
  puti32(WORD_BYTES_AT, at - start);
  puti32(NEXT_AT, at + 1);
  return at > start ? 1 : 0;
}

/** The decimal number that is all of a text, 0 to `most`, without a zero before it; or NO_NUMBER. */
export function numberIn(at: i32, end: i32, most: i32): i32 {
  if (at >= end || end - at > 6 || (get8(at) === ZERO && end - at > 1)) return NO_NUMBER;
  let value: i32 = 0;
  for (let p: i32 = at; p < end; p++) {
    const digit: i32 = get8(p) - ZERO;
    if (digit < 0 || digit > 9) return NO_NUMBER;
    value = multiply(value, 10) + digit;
  }
  return value > most ? NO_NUMBER : value;
}

/** Where a character stands first in a text; its end if it is not there. */
export function find(at: i32, end: i32, wanted: i32): i32 {
  for (let p: i32 = at; p < end; p++) if (get8(p) === wanted) return p;
  return end;
}

/** Puts an address of four numbers to `to`: 1, or 0 if a text is none. */
export function addressIn(at: i32, end: i32, to: i32): i32 {
  let address: i32 = 0;
  let from: i32 = at;
  for (let part: i32 = 0; part < 4; part++) {
    const dot: i32 = part < 3 ? find(from, end, DOT) : end;
    const number: i32 = dot === end && part < 3 ? NO_NUMBER : numberIn(from, dot, 255);
    if (number < 0) return 0;
    address = (address << 8) | number;
    from = dot + 1;
  }
  puti32(to, address);
  return 1;
}

/** Puts the word as a network to `to`, address and mask: 1, or 0 if it is none, or a list. */
export function networkIn(to: i32): i32 {
  const at: i32 = i32at(WORD_AT);
  const end: i32 = at + i32at(WORD_BYTES_AT);
  const slash: i32 = find(at, end, SLASH);
  if (find(at, end, COMMA) !== end || addressIn(at, slash, to) === 0) return 0;
  let mask: i32 = -1;
  if (slash !== end) {
    const length: i32 = numberIn(slash + 1, end, 32);
    if (length < 0) {
      if (addressIn(slash + 1, end, to + 4) === 0) return 0;
      mask = i32at(to + 4);
    } else {
      mask = length === 0 ? 0 : -1 << (32 - length);
    }
  }
  puti32(to, i32at(to) & mask);
  puti32(to + 4, mask);
  return 1;
}

/** A text's two numbers with a colon between, or one that is both, as first | last << 16; NO_NUMBER if it is not such. Either may be left out. */
export function portsIn(at: i32, end: i32): i32 {
  const colon: i32 = find(at, end, COLON);
  const first: i32 = colon === at && colon !== end ? 0 : numberIn(at, colon, 65535);
  if (first < 0) return NO_NUMBER;
  let last: i32 = first;
  if (colon !== end) last = colon + 1 === end ? 65535 : numberIn(colon + 1, end, 65535);
  // 65535 alone would be NO_NUMBER, and is control's.
  return last < first ? NO_NUMBER : first | (last << 16);
}

// --- text that is written -----------------------------------------------------------------------------------------------

/** Puts up to 16 bytes, four in a number, most significant first; answers where they end. */
export function putWords(at: i32, bytes: i32, a: i32, b: i32, c: i32, d: i32): i32 {
  put32(at, a);
  if (bytes > 4) put32(at + 4, b);
  if (bytes > 8) put32(at + 8, c);
  if (bytes > 12) put32(at + 12, d);
  return at + bytes;
}

/** Puts a number from 0 up; answers where it ends. */
export function putNumber(at: i32, number: i32): i32 {
  let digits: i32 = 1;
  let rest: i32 = (number / 10) | 0;
  for (; rest !== 0; rest = (rest / 10) | 0) digits += 1;
  rest = number;
  for (let p: i32 = at + digits - 1; p >= at; p--) {
    const tenth: i32 = (rest / 10) | 0;
    put8(p, ZERO + rest - multiply(tenth, 10));
    rest = tenth;
  }
  return at + digits;
}

export function putAddress(at: i32, address: i32): i32 {
  let p: i32 = putNumber(at, address >>> 24);
  put8(p, DOT);
  p = putNumber(p + 1, (address >>> 16) & 255);
  put8(p, DOT);
  p = putNumber(p + 1, (address >>> 8) & 255);
  put8(p, DOT);
  return putNumber(p + 1, address & 255);
}

/** Puts the text at `from`, which a zero ends, or `most` bytes of it. */
export function putName(at: i32, from: i32, most: i32): i32 {
  for (let i: i32 = 0; i < most; i++) {
    const c: i32 = get8(from + i);
    if (c === 0) return at + i;
    put8(at + i, c);
  }
  return at + most;
}
