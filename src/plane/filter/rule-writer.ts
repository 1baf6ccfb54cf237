// A rule as its saved line: what the configuration keeps of it (src/control/rules/lines.ts), for those rules that rule-reader.ts reads. Control
// writes all others, and needs a hundred times as long (src/control/rules/listing/saved.ts): a property compares the two.
// A number of putWords() is four letters, as the plane has no texts.
// Not here: operations (operation-writer.ts).

import { get8, i32at, put8, u16at } from '../../base/memory.ts';
import {
  CHAIN_NAME_BYTES,
  cellAt,
  chainAt,
  NAME_MOST,
  nameAt,
  OPERATION_NEXT,
  RULE_ARGUMENT,
  RULE_DESTINATION,
  RULE_DESTINATION_MASK,
  RULE_DESTINATION_PORTS,
  RULE_FLAGS,
  RULE_FRAGMENT,
  RULE_HAS_ICMP,
  RULE_HAS_TCP_FLAGS,
  RULE_ICMP_CODES,
  RULE_ICMP_TYPE,
  RULE_IN,
  RULE_NOT_DESTINATION,
  RULE_NOT_DESTINATION_PORTS,
  RULE_NOT_FRAGMENT,
  RULE_NOT_ICMP,
  RULE_NOT_IN,
  RULE_NOT_OUT,
  RULE_NOT_PROTOCOL,
  RULE_NOT_SOURCE,
  RULE_NOT_SOURCE_PORTS,
  RULE_NOT_STATE,
  RULE_NOT_TCP_FLAGS,
  RULE_OPERATIONS,
  RULE_OUT,
  RULE_PROTOCOL,
  RULE_SOURCE,
  RULE_SOURCE_MASK,
  RULE_SOURCE_PORTS,
  RULE_STATES,
  RULE_TARGET,
  RULE_TCP_MASK,
  RULE_TCP_VALUE,
  RULE_WRITTEN,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_RELATED,
  TABLE_FILTER,
  TABLE_MANGLE,
  TABLE_NAT,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_LOG,
  TARGET_MASQUERADE,
  TARGET_NONE,
  TARGET_REDIRECT,
  TARGET_REJECT,
  TARGET_RETURN,
  WRITTEN_ICMP,
  WRITTEN_MATCH,
  WRITTEN_STATE,
  WRITTEN_STATE_FIRST,
  WRITTEN_STATES,
  WRITTEN_TCP,
} from '../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { putAddress, putName, putNumber, putWords } from './line-words.ts';
import { writeOperation, writeRejection, writeTranslation } from './operation-writer.ts';

const LINE_FEED: i32 = 10;
const BLANK: i32 = 32;
const SLASH: i32 = 47;
const COLON: i32 = 58;
const PLUS: i32 = 43;
const COMMA: i32 = 44;
/** Bytes of matches before the last one: a rule that says more is control's. One takes 114 at most, and what stands around them 400. */
const MATCHES_MOST: i32 = 400;

/** Writes the line of a chain's rule to `to`, with its line feed: where it ends, or 0 if it is control's. It has RULE_LINE_MOST bytes at most, by MATCHES_MOST. */
export function ruleWrite(rule: i32, table: i32, chain: i32, to: i32): i32 {
  const at: i32 = cellAt(rule);
  let p: i32 = putWords(to, 9, 0x69707461, 0x626c6573, 0x20000000, 0);
  if (table === TABLE_NAT) p = putWords(p, 7, 0x2d74206e, 0x61742000, 0, 0);
  else if (table === TABLE_MANGLE) p = putWords(p, 10, 0x2d74206d, 0x616e676c, 0x65200000, 0);
  else if (table !== TABLE_FILTER) return 0;
  p = putWords(p, 3, 0x2d412000, 0, 0, 0);
  p = putName(p, chainAt(chain), CHAIN_NAME_BYTES - 2);
  p = writePlain(at, p);
  if (p !== 0) p = writeMatches(at, p);
  if (p !== 0) p = writeTarget(at, p);
  if (p === 0) return 0;
  put8(p, LINE_FEED);
  return p + 1;
}

function not(p: i32, flags: i32, bit: i32): i32 {
  return (flags & bit) === 0 ? p : putWords(p, 2, 0x20210000, 0, 0, 0);
}

function writePlain(at: i32, to: i32): i32 {
  const flags: i32 = u16at(at + RULE_FLAGS);
  const protocol: i32 = get8(at + RULE_PROTOCOL);
  let p: i32 = to;
  if ((flags & (RULE_FRAGMENT | RULE_NOT_FRAGMENT)) !== 0) return 0;
  if (i32at(at + RULE_SOURCE_MASK) !== 0) {
    p = not(p, flags, RULE_NOT_SOURCE);
    p = writeNetwork(putWords(p, 4, 0x202d7320, 0, 0, 0), at + RULE_SOURCE);
  } else if ((flags & RULE_NOT_SOURCE) !== 0) return 0;
  if (i32at(at + RULE_DESTINATION_MASK) !== 0 && p !== 0) {
    p = not(p, flags, RULE_NOT_DESTINATION);
    p = writeNetwork(putWords(p, 4, 0x202d6420, 0, 0, 0), at + RULE_DESTINATION);
  } else if ((flags & RULE_NOT_DESTINATION) !== 0) return 0;
  if (p === 0) return 0;
  if (get8(at + RULE_IN) !== 0) {
    p = not(p, flags, RULE_NOT_IN);
    p = writeLink(putWords(p, 4, 0x202d6920, 0, 0, 0), get8(at + RULE_IN));
  }
  if (get8(at + RULE_OUT) !== 0 && p !== 0) {
    p = not(p, flags, RULE_NOT_OUT);
    p = writeLink(putWords(p, 4, 0x202d6f20, 0, 0, 0), get8(at + RULE_OUT));
  }
  if (p === 0 || protocol === 0) return p;
  p = not(p, flags, RULE_NOT_PROTOCOL);
  if (protocol === PROTOCOL_TCP) return putWords(p, 7, 0x202d7020, 0x74637000, 0, 0);
  if (protocol === PROTOCOL_UDP) return putWords(p, 7, 0x202d7020, 0x75647000, 0, 0);
  return protocol === PROTOCOL_ICMP ? putWords(p, 8, 0x202d7020, 0x69636d70, 0, 0) : 0;
}

/** An address and its mask, whose prefix must have a length. */
function writeNetwork(to: i32, at: i32): i32 {
  let mask: i32 = i32at(at + 4);
  let length: i32 = 0;
  for (let i: i32 = 0; i < 32 && mask < 0; i++) {
    mask = mask << 1;
    length += 1;
  }
  if (mask !== 0) return 0;
  const p: i32 = putAddress(to, i32at(at));
  put8(p, SLASH);
  return putNumber(p + 1, length);
}

function writeLink(to: i32, name: i32): i32 {
  const p: i32 = putName(to, nameAt(name), NAME_MOST);
  return p === to || (p === to + 1 && get8(to) === PLUS) ? 0 : p;
}

/** Matches in their order (RULE_WRITTEN): those of the cell stand where so many operations are before them. */
function writeMatches(at: i32, to: i32): i32 {
  const written: i32 = u16at(at + RULE_WRITTEN);
  const matchPlace: i32 = (written & WRITTEN_MATCH) === 0 ? -1 : (written >> 6) & 15;
  const statePlace: i32 = (written & WRITTEN_STATES) === 0 ? -1 : (written >> 10) & 15;
  const isFirst: i32 = (written & WRITTEN_STATE_FIRST) !== 0 ? 1 : 0;
  let p: i32 = to;
  let n: i32 = u16at(at + RULE_OPERATIONS);
  for (let place: i32 = 0; place < 32; place++) {
    if (place === statePlace && isFirst !== 0) p = writeStates(at, p);
    if (place === matchPlace) p = writeProtocol(at, p);
    if (place === statePlace && isFirst === 0) p = writeStates(at, p);
    if (p === 0 || n === 0) return p;
    if (p - to > MATCHES_MOST) return 0;
    const operation: i32 = cellAt(n);
    p = writeOperation(operation, p);
    if (p === 0) return 0;
    n = u16at(operation + OPERATION_NEXT);
  }
  return 0;
}

function writeStates(at: i32, to: i32): i32 {
  const states: i32 = get8(at + RULE_STATES);
  const isState: i32 = (u16at(at + RULE_WRITTEN) & WRITTEN_STATES) === WRITTEN_STATE ? 1 : 0;
  const known: i32 = STATE_BIT_INVALID | STATE_BIT_NEW | STATE_BIT_RELATED | STATE_BIT_ESTABLISHED;
  if (to === 0 || states === 0 || (states & ~known) !== 0) return 0;
  let p: i32 =
    isState !== 0
      ? putWords(to, 9, 0x202d6d20, 0x73746174, 0x65000000, 0)
      : putWords(to, 13, 0x202d6d20, 0x636f6e6e, 0x74726163, 0x6b000000);
  p = not(p, u16at(at + RULE_FLAGS), RULE_NOT_STATE);
  p =
    isState !== 0
      ? putWords(p, 8, 0x202d2d73, 0x74617465, 0, 0)
      : putWords(p, 10, 0x202d2d63, 0x74737461, 0x74650000, 0);
  let mark: i32 = BLANK;
  for (let bit: i32 = STATE_BIT_INVALID; bit <= STATE_BIT_ESTABLISHED; bit = bit << 1) {
    if ((states & bit) === 0) continue;
    put8(p, mark);
    mark = COMMA;
    p += 1;
    if (bit === STATE_BIT_INVALID) p = putWords(p, 7, 0x494e5641, 0x4c494400, 0, 0);
    else if (bit === STATE_BIT_NEW) p = putWords(p, 3, 0x4e455700, 0, 0, 0);
    else if (bit === STATE_BIT_RELATED) p = putWords(p, 7, 0x52454c41, 0x54454400, 0, 0);
    else p = putWords(p, 11, 0x45535441, 0x424c4953, 0x48454400, 0);
  }
  return p;
}

function writeProtocol(at: i32, to: i32): i32 {
  const own: i32 = u16at(at + RULE_WRITTEN) & WRITTEN_MATCH;
  const flags: i32 = u16at(at + RULE_FLAGS);
  if (to === 0) return 0;
  if (own === WRITTEN_ICMP) return writeIcmp(at, to, flags);
  let p: i32 =
    own === WRITTEN_TCP
      ? putWords(to, 7, 0x202d6d20, 0x74637000, 0, 0)
      : putWords(to, 7, 0x202d6d20, 0x75647000, 0, 0);
  const from: i32 = i32at(at + RULE_SOURCE_PORTS);
  const ports: i32 = i32at(at + RULE_DESTINATION_PORTS);
  // All ports are said by nothing.
  if (from !== -65536) {
    p = not(p, flags, RULE_NOT_SOURCE_PORTS);
    p = writePorts(putWords(p, 9, 0x202d2d73, 0x706f7274, 0x20000000, 0), from);
  }
  if (ports !== -65536) {
    p = not(p, flags, RULE_NOT_DESTINATION_PORTS);
    p = writePorts(putWords(p, 9, 0x202d2d64, 0x706f7274, 0x20000000, 0), ports);
  }
  if ((flags & RULE_HAS_TCP_FLAGS) === 0) return p;
  p = not(p, flags, RULE_NOT_TCP_FLAGS);
  p = writeFlags(putWords(p, 12, 0x202d2d74, 0x63702d66, 0x6c616773, 0), get8(at + RULE_TCP_MASK));
  return writeFlags(p, get8(at + RULE_TCP_VALUE));
}

function writePorts(to: i32, ports: i32): i32 {
  const last: i32 = ports >>> 16;
  const p: i32 = putNumber(to, ports & 0xffff);
  if (last === (ports & 0xffff)) return p;
  put8(p, COLON);
  return putNumber(p + 1, last);
}

function writeFlags(to: i32, bits: i32): i32 {
  if (bits === 0) return putWords(to, 5, 0x204e4f4e, 0x45000000, 0, 0);
  let p: i32 = to;
  let mark: i32 = BLANK;
  for (let bit: i32 = 1; bit <= 32; bit = bit << 1) {
    if ((bits & bit) === 0) continue;
    put8(p, mark);
    mark = COMMA;
    p += 1;
    if (bit === 1) p = putWords(p, 3, 0x46494e00, 0, 0, 0);
    else if (bit === 2) p = putWords(p, 3, 0x53594e00, 0, 0, 0);
    else if (bit === 4) p = putWords(p, 3, 0x52535400, 0, 0, 0);
    else if (bit === 8) p = putWords(p, 3, 0x50534800, 0, 0, 0);
    else if (bit === 16) p = putWords(p, 3, 0x41434b00, 0, 0, 0);
    else p = putWords(p, 3, 0x55524700, 0, 0, 0);
  }
  return p;
}

function writeIcmp(at: i32, to: i32, flags: i32): i32 {
  if ((flags & RULE_HAS_ICMP) === 0) return 0;
  let p: i32 = putWords(to, 8, 0x202d6d20, 0x69636d70, 0, 0);
  p = putWords(not(p, flags, RULE_NOT_ICMP), 13, 0x202d2d69, 0x636d702d, 0x74797065, 0x20000000);
  const type: i32 = get8(at + RULE_ICMP_TYPE);
  if (type === 255) return putWords(p, 3, 0x616e7900, 0, 0, 0);
  const code: i32 = get8(at + RULE_ICMP_CODES);
  p = putNumber(p, type);
  if (code === 0 && get8(at + RULE_ICMP_CODES + 1) === 255) return p;
  put8(p, SLASH);
  return putNumber(p + 1, code);
}

function writeTarget(at: i32, to: i32): i32 {
  const target: i32 = get8(at + RULE_TARGET);
  const argument: i32 = u16at(at + RULE_ARGUMENT);
  if (target === TARGET_NONE) return to;
  if (target === TARGET_ACCEPT) return putWords(to, 10, 0x202d6a20, 0x41434345, 0x50540000, 0);
  if (target === TARGET_DROP) return putWords(to, 8, 0x202d6a20, 0x44524f50, 0, 0);
  if (target === TARGET_RETURN) return putWords(to, 10, 0x202d6a20, 0x52455455, 0x524e0000, 0);
  if (target === TARGET_JUMP)
    return putName(putWords(to, 4, 0x202d6a20, 0, 0, 0), chainAt(argument), CHAIN_NAME_BYTES - 2);
  if (target === TARGET_GOTO)
    return putName(putWords(to, 4, 0x202d6720, 0, 0, 0), chainAt(argument), CHAIN_NAME_BYTES - 2);
  if (target === TARGET_REJECT) return writeRejection(to, argument);
  if (target === TARGET_LOG || (target >= TARGET_MASQUERADE && target <= TARGET_REDIRECT))
    return writeTranslation(at, target, to);
  return 0;
}
