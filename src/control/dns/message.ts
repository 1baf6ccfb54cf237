// DNS messages as bytes: one bounded walk over a query and one over an answer, which leave offsets and numbers
// in an object that is used again. Nothing is decoded that the forwarder does not need.
// RFC 1035, section 4; EDNS0: RFC 6891; TTLs: RFC 2181, section 8; negative answers: RFC 2308, section 5.
//
//    0    2       4         6         8         10        12
//    | ID | flags | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT | question | answer | authority | additional
//
// What a message costs: a name is walked by its own labels alone, at most 255 octets. Its pointers must lead backwards
// and are not followed, as nothing here needs what they lead to; so no byte is read twice, whatever is in it.
// Not here: what an answer may contain (rebind.ts), where it is kept (cache.ts).

import { DNS_ANSWER_RECORDS, DNS_HINTS, DNS_NEGATIVE_SECONDS, DNS_RECORDS } from '../core/limits.ts';
import { hintsLeft, isPrivate } from './rebind.ts';

export const HEADER_BYTES = 12;
/** RFC 1035, section 2.3.4. */
export const NAME_BYTES = 255;
export const OPT_BYTES = 11;
/** What a client takes that says nothing (RFC 1035, section 4.2.1). */
export const UDP_BYTES = 512;

export const TYPE_A = 1;
export const TYPE_NS = 2;
export const TYPE_SOA = 6;
export const TYPE_PTR = 12;
export const TYPE_AAAA = 28;
export const TYPE_OPT = 41;
const TYPE_SVCB = 64;
const TYPE_HTTPS = 65;
export const TYPE_ANY = 255;
export const CLASS_IN = 1;
/** SIG(0), and from TKEY on what signs or copies whole zones (RFC 2930, 8945, 5936). */
const TYPE_SIG = 24;
const TYPE_TKEY = 249;
const TYPE_IXFR = 251;
const TYPE_AXFR = 252;

export const FLAG_QR = 0x8000;
export const FLAG_AA = 0x0400;
export const FLAG_TC = 0x0200;
export const FLAG_RD = 0x0100;
export const FLAG_RA = 0x0080;
export const FLAG_CD = 0x0010;
export const OPCODE = 0x7800;
/** Flags that one question may have and another not: RD, Z, AD, CD. */
const KEY_FLAGS = 0x0170;
export const KEY_EDNS = 1;
/** The DO bit, as it lies in the third and fourth byte of OPT's TTL. */
const EDNS_DO = 0x8000;
const OPTION_COOKIE = 10;
/** Records behind a query's question: OPT, and TSIG or SIG(0) behind it. Answers and authority it has none. */
const QUERY_RECORDS = 2;

export const NOERROR = 0;
export const FORMERR = 1;
export const SERVFAIL = 2;
export const NXDOMAIN = 3;
export const NOTIMP = 4;
export const REFUSED = 5;

export function read16(data: Uint8Array, at: number): number {
  return ((data[at] as number) << 8) | (data[at + 1] as number);
}

export function write16(data: Uint8Array, at: number, value: number): void {
  data[at] = value >> 8;
  data[at + 1] = value;
}

export function read32(data: Uint8Array, at: number): number {
  return (read16(data, at) << 16) | read16(data, at + 2);
}

export function write32(data: Uint8Array, at: number, value: number): void {
  write16(data, at, value >>> 16);
  write16(data, at + 2, value);
}

/** The offset behind the name at `at`, or 0 if it is not a name: its labels are too long, or its pointer leads on. */
export function skipName(data: Uint8Array, bytes: number, at: number): number {
  const last = at + NAME_BYTES - 1;
  for (let i = at; i < bytes && i <= last; ) {
    const c = data[i] as number;
    if (c === 0) return i + 1;
    if (c < 64) {
      i += c + 1;
      continue;
    }
    if (c < 192 || i + 2 > bytes) return 0;
    const to = ((c & 63) << 8) | (data[i + 1] as number);
    return to >= HEADER_BYTES && to < at ? i + 2 : 0;
  }
  return 0;
}

/** Whether a type asks for a whole zone (RFC 5936, 1995), which is many messages and not a forwarder's to fetch. */
export function isTransfer(type: number): boolean {
  return type === TYPE_AXFR || type === TYPE_IXFR;
}

/** A question, and what a query asks besides. */
export class Query {
  id = 0;
  flags = 0;
  /** Behind the name, and behind type and class. */
  nameEnd = 0;
  questionEnd = 0;
  labels = 0;
  type = 0;
  class = 0;
  /** Of the name in either case, type, class and key; positive. */
  hash = 0;
  /** Of the name alone. */
  nameHash = 0;
  /** Flags, EDNS and DO: queries that differ in these get different answers. */
  key = 0;
  /** Offset of the OPT record, or 0. */
  optAt = 0;
  /** Bytes of the longest answer that the client takes by UDP. */
  size = UDP_BYTES;
  /** Nothing that this file does not know: it may be answered from the cache, and joined with others. */
  plain = false;
}

/** What becomes of a message that came as a query. */
export const QUERY = 0;
/** Not a query at all: silence, lest two servers talk for ever. */
export const NO_QUERY = 1;
/** A query that cannot be read: FORMERR. */
export const MALFORMED = 2;
/** No query of names but an update, a notification or the like (RFC 2136, 1996): NOTIMP. */
export const OTHER_OPCODE = 3;

/** Hashes `data` from one offset to another, letters in either case alike, so that nobody outside can foresee it. */
export type NameHash = (data: Uint8Array, from: number, end: number) => number;

/** Reads a query. What no query needs is refused by its header, before anything behind it is read. */
export function parseQuery(data: Uint8Array, query: Query, hashOf: NameHash): number {
  const bytes = data.length;
  if (bytes < HEADER_BYTES) return NO_QUERY;
  query.id = read16(data, 0);
  query.flags = read16(data, 2);
  if ((query.flags & FLAG_QR) !== 0) return NO_QUERY;
  if ((query.flags & OPCODE) !== 0) return OTHER_OPCODE;
  if (read16(data, 4) !== 1 || read32(data, 6) !== 0 || read16(data, 10) > QUERY_RECORDS) return MALFORMED;
  const last = HEADER_BYTES + NAME_BYTES - 1;
  let labels = 0;
  let at = HEADER_BYTES;
  for (;;) {
    if (at >= bytes || at > last) return MALFORMED;
    const c = data[at++] as number;
    if (c === 0) break;
    if (c > 63) return MALFORMED;
    labels++;
    at += c;
  }
  if (at + 4 > bytes) return MALFORMED;
  query.nameEnd = at;
  query.questionEnd = at + 4;
  query.labels = labels;
  query.type = read16(data, at);
  query.class = read16(data, at + 2);
  query.nameHash = hashOf(data, HEADER_BYTES, at) & 0x3fffffff;
  query.key = query.flags & KEY_FLAGS;
  query.optAt = 0;
  query.size = UDP_BYTES;
  query.plain = query.type < TYPE_TKEY || query.type === TYPE_ANY;
  if (!parseRest(data, bytes, query)) return MALFORMED;
  query.hash = (query.nameHash ^ (query.type << 4) ^ (query.class << 20) ^ query.key) & 0x3fffffff;
  return QUERY;
}

/** The records behind the question, QUERY_RECORDS at most. False if they are cut. */
function parseRest(data: Uint8Array, bytes: number, query: Query): boolean {
  let at = query.questionEnd;
  const count = read16(data, 10);
  if (count > 1) query.plain = false;
  for (let i = 0; i < count; i++) {
    const name = at;
    at = skipName(data, bytes, at);
    if (at === 0 || at + 10 > bytes) return false;
    const end = at + 10 + read16(data, at + 8);
    if (end > bytes) return false;
    if (read16(data, at) !== TYPE_OPT || at !== name + 1) {
      query.plain = false;
    } else {
      query.optAt = name;
      query.size = Math.max(UDP_BYTES, read16(data, at + 2));
      const flags = read16(data, at + 6);
      query.key |= KEY_EDNS | (flags & EDNS_DO);
      // An extended code, another version or another flag than DO is for the server to judge.
      if (read16(data, at + 4) !== 0 || (flags & ~EDNS_DO) !== 0) query.plain = false;
      if (!onlyCookie(data, at + 10, end)) query.plain = false;
    }
    at = end;
  }
  if (at !== bytes) query.plain = false;
  return true;
}

/** A cookie (RFC 7873) is about the way, not about the question; any other option may change the answer. */
function onlyCookie(data: Uint8Array, from: number, end: number): boolean {
  if (from === end) return true;
  return from + 4 <= end && read16(data, from) === OPTION_COOKIE && from + 4 + read16(data, from + 2) === end;
}

/** An answer, as parseAnswer() found it. */
export class Answer {
  flags = 0;
  /** Its question's end; it has exactly one question. */
  questionEnd = 0;
  answers = 0;
  /** Offsets of the TTLs, of all records but OPT. */
  readonly ttlAt = new Uint16Array(DNS_RECORDS);
  ttls = 0;
  /** Seconds that it may be kept; 0: not at all. */
  seconds = 0;
  optAt = 0;
  /** Offset behind the OPT record. */
  optEnd = 0;
  /** It has an address that no public name should have, such as our own one, which is given. */
  hasPrivate = false;
  own = 0;
}

/** A day: RFC 2181 allows 68 years, RFC 8767 suggests to keep to days. */
const SECONDS_MOST = 86400;
/** Three hours for what does not exist (RFC 2308, section 5). */
const NEGATIVE_SECONDS_MOST = 10800;

/** Reads an answer whole; false if it is malformed. */
export function parseAnswer(data: Uint8Array, bytes: number, answer: Answer): boolean {
  if (bytes < HEADER_BYTES || read16(data, 4) !== 1) return false;
  answer.flags = read16(data, 2);
  if ((answer.flags & FLAG_QR) === 0) return false;
  let at = skipName(data, bytes, HEADER_BYTES);
  if (at === 0 || at + 4 > bytes) return false;
  at += 4;
  answer.questionEnd = at;
  answer.answers = read16(data, 6);
  answer.ttls = 0;
  answer.optAt = 0;
  answer.optEnd = 0;
  answer.hasPrivate = false;
  const authority = answer.answers + read16(data, 8);
  const count = authority + read16(data, 10);
  if (count > DNS_ANSWER_RECORDS) return false;
  let ttl = SECONDS_MOST;
  let negative = -1;
  let keep = (answer.flags & FLAG_TC) === 0;
  let hints = DNS_HINTS;
  let addresses = 0;
  let zeros = 0;
  for (let i = 0; i < count; i++) {
    const name = at;
    at = skipName(data, bytes, at);
    if (at === 0 || at + 10 > bytes) return false;
    const type = read16(data, at);
    const length = read16(data, at + 8);
    const end = at + 10 + length;
    if (end > bytes) return false;
    if (type === TYPE_OPT) {
      answer.optAt = name;
      answer.optEnd = end;
    } else {
      // A TTL with the topmost bit is 0 (RFC 2181, section 8).
      ttl = Math.min(ttl, Math.max(0, read32(data, at + 4)));
      if (answer.ttls === DNS_RECORDS) keep = false;
      else answer.ttlAt[answer.ttls++] = at + 4;
      if (type === TYPE_A || type === TYPE_AAAA) {
        addresses++;
        if (isZero(data, at + 10, length)) zeros++;
        else if (isPrivate(data, at + 10, length, answer.own)) answer.hasPrivate = true;
      }
      if ((type === TYPE_SVCB || type === TYPE_HTTPS) && length > 2) {
        const target = skipName(data, end, at + 12);
        if (target > 0) hints = hintsLeft(data, target, end, answer.own, hints);
      }
      if (type === TYPE_SOA && i >= answer.answers && i < authority && length >= 22) {
        negative = Math.max(0, Math.min(read32(data, end - 4), NEGATIVE_SECONDS_MOST));
      }
      if (type === TYPE_SIG || (type >= TYPE_TKEY && type < TYPE_AXFR)) keep = false;
    }
    at = end;
  }
  // A filter's 0.0.0.0 stands alone; beside other addresses it is a way to the host that asks.
  if (hints < 0 || (zeros > 0 && zeros < addresses)) answer.hasPrivate = true;
  // Options that dropOptions() cannot cut off are for the one who asked alone.
  if (answer.optEnd !== bytes && answer.optEnd - answer.optAt > OPT_BYTES) keep = false;
  answer.seconds = keep && at === bytes ? secondsOf(answer, ttl, negative) : 0;
  return true;
}

/**
 * How long it may be kept: as its records say; what does not exist, as the SOA record says, also where an alias leads to
 * it. `negative` is -1 without a SOA record: then for a moment, where RFC 2308, section 5 would not keep it at all, as hosts
 * ask again and again for what a filter or a small server denies so.
 */
function secondsOf(answer: Answer, ttl: number, negative: number): number {
  const code = answer.flags & 15;
  if (code !== NOERROR && code !== NXDOMAIN) return 0;
  if (negative >= 0) return Math.min(ttl, negative);
  return code === NOERROR && answer.answers > 0 ? ttl : Math.min(ttl, DNS_NEGATIVE_SECONDS);
}

/** 0.0.0.0 or ::. */
function isZero(data: Uint8Array, at: number, bytes: number): boolean {
  for (let i = 0; i < bytes; i++) if (data[at + i] !== 0) return false;
  return bytes === 4 || bytes === 16;
}

/** What sameQuestion() answers besides 0: the letters' case differs, or nothing does. */
export const SAME = 1;
export const EXACT = 2;

/** Whether two messages ask the same: names in either case, type and class. Both questions have been read. */
export function sameQuestion(a: Uint8Array, aAt: number, b: Uint8Array, bytes: number): number {
  const name = bytes - 4;
  let same = EXACT;
  for (let i = 0; i < bytes; i++) {
    const x = a[aAt + i] as number;
    const y = b[HEADER_BYTES + i] as number;
    if (x === y) continue;
    // A length is at most 63 and no letter, so letters are compared with letters only.
    if (i >= name || (x ^ y) !== 32 || (x | 32) < 97 || (x | 32) > 122) return 0;
    same = SAME;
  }
  return same;
}

/** Characters of a name that people are shown: a line of the log has not room for more. */
const TEXT_MOST = 100;

/** The name at the front of a question as text, for people: odd bytes as \DDD (RFC 1035, section 5.1). */
export function nameText(data: Uint8Array, from: number, end: number): string {
  let text = '';
  for (let at = from; at < end; ) {
    const length = data[at] as number;
    if (length === 0 || length > 63) break;
    if (text.length > TEXT_MOST) return `${text}...`;
    if (text !== '') text += '.';
    for (let i = at + 1; i <= at + length && i < end; i++) {
      const c = data[i] as number;
      const isPlain = c > 32 && c < 127 && c !== 46 && c !== 92;
      text += isPlain ? String.fromCharCode(c) : `\\${String(c).padStart(3, '0')}`;
    }
    at += length + 1;
  }
  return text === '' ? '.' : text;
}

/** The labels of a name in lower case, or a string that says why it is none. */
export function labelsOf(text: string): string[] | string {
  const lower = text.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  const labels = name.split('.');
  const isPlain = /^[a-z0-9_.-]+$/.test(name);
  for (let i = 0; i < labels.length; i++) {
    const { length } = labels[i] as string;
    if (length === 0) return 'a part of it is empty';
    if (length > 63) return 'a part of it is longer than 63 characters';
    if (!isPlain) return 'a name has letters, digits, - and _';
  }
  // In wire form it has two bytes more.
  return name.length + 2 > NAME_BYTES ? 'it is longer than 253 characters' : labels;
}

/** A name in wire form, lower case, or a string that says why it is none. */
export function nameBytes(text: string): Uint8Array | string {
  const labels = labelsOf(text);
  if (typeof labels === 'string') return labels;
  // A length before each label instead of the dots between, and a 0.
  const bytes = new Uint8Array(labels.join('.').length + 2);
  let at = 0;
  for (const label of labels) {
    bytes[at++] = label.length;
    for (let i = 0; i < label.length; i++) bytes[at++] = label.charCodeAt(i);
  }
  return bytes;
}

/** Cuts the options off an OPT record that is the last record: they were for another client. The new length. */
export function dropOptions(data: Uint8Array, bytes: number, answer: Answer): number {
  if (answer.optAt === 0 || answer.optEnd !== bytes) return bytes;
  write16(data, answer.optAt + 9, 0);
  return answer.optAt + OPT_BYTES;
}

/** Writes an empty answer that asks the client to come by TCP. Its length. */
export function truncate(out: Uint8Array, data: Uint8Array, answer: Answer): number {
  const { questionEnd, optAt } = answer;
  out.set(data.subarray(0, questionEnd));
  write16(out, 2, answer.flags | FLAG_TC);
  write32(out, 6, 0);
  write16(out, 10, optAt === 0 ? 0 : 1);
  if (optAt === 0) return questionEnd;
  out.set(data.subarray(optAt, optAt + OPT_BYTES - 2), questionEnd);
  write16(out, questionEnd + OPT_BYTES - 2, 0);
  return questionEnd + OPT_BYTES;
}

/** Writes an answer without records to a query: its header, question and OPT. Answers its length. */
export function emptyAnswer(out: Uint8Array, data: Uint8Array, query: Query, code: number): number {
  out.set(data.subarray(0, query.questionEnd));
  write16(out, 2, FLAG_QR | FLAG_RA | (query.flags & (OPCODE | FLAG_RD | FLAG_CD)) | code);
  write32(out, 6, 0);
  write16(out, 10, 0);
  return query.questionEnd;
}

/** Adds an OPT record of ours to an answer to a query that had one (RFC 6891, section 6.1.1). The new length. */
export function addOpt(out: Uint8Array, bytes: number, query: Query, size: number): number {
  if (query.optAt === 0) return bytes;
  write16(out, 10, read16(out, 10) + 1);
  out.fill(0, bytes, bytes + OPT_BYTES);
  write16(out, bytes + 1, TYPE_OPT);
  write16(out, bytes + 3, size);
  write16(out, bytes + 7, query.key & EDNS_DO);
  return bytes + OPT_BYTES;
}
