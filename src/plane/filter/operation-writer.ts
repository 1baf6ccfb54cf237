// Operations of a rule that is written as its saved line (rule-writer.ts), and targets that have one: limit, multiport, LOG, translations,
// and what REJECT answers. Where something else stands, control writes the rule. A number of putWords() is four letters.

import { copy, get8, i32at, multiply, put8, u16at } from '../../base/memory.ts';
import {
  ADDRESSES_ADDRESS,
  ADDRESSES_PORTS,
  LIMIT_AVERAGE,
  LIMIT_BURST,
  OPERATION_ADDRESSES,
  OPERATION_FLAGS,
  OPERATION_KIND,
  OPERATION_LIMIT,
  OPERATION_LOG,
  OPERATION_MULTIPORT,
  PORTS_DESTINATION,
  PORTS_SOURCE,
  REJECT_ADMIN,
  REJECT_HOST,
  REJECT_HOST_PROHIBITED,
  REJECT_NET,
  REJECT_NET_PROHIBITED,
  REJECT_PORT,
  REJECT_PROTOCOL,
  REJECT_RESET,
  TARGET_DNAT,
  TARGET_LOG,
  TARGET_MASQUERADE,
  TARGET_REDIRECT,
  TARGET_SNAT,
} from '../../base/rule-record.ts';
import { putAddress, putNumber, putWords } from './line-words.ts';
import { operationOf } from './rule-targets.ts';

const QUOTE: i32 = 34;
const APOSTROPHE: i32 = 39;
const COMMA: i32 = 44;
const DASH: i32 = 45;
const COLON: i32 = 58;
const BACKSLASH: i32 = 92;
const LOG_WARNING: i32 = 4;
const BURST_DEFAULT: i32 = 5;
const SECOND: i32 = 10000;

/** Where it ends: of a target's nothing is written here; 0 if it is control's. */
export function writeOperation(at: i32, to: i32): i32 {
  const kind: i32 = get8(at + OPERATION_KIND);
  if (kind >= OPERATION_LOG) return to;
  if (kind === OPERATION_MULTIPORT) return writeMultiport(at, to);
  return kind === OPERATION_LIMIT ? writeLimit(at, to) : 0;
}

function writeMultiport(at: i32, to: i32): i32 {
  const which: i32 = get8(at + 4);
  const entries: i32 = get8(at + 5);
  const ranges: i32 = u16at(at + 6);
  let p: i32 = putWords(to, 13, 0x202d6d20, 0x6d756c74, 0x69706f72, 0x74000000);
  if (get8(at + OPERATION_FLAGS) !== 0) p = putWords(p, 2, 0x20210000, 0, 0, 0);
  if (which === PORTS_SOURCE) p = putWords(p, 10, 0x202d2d73, 0x706f7274, 0x73200000, 0);
  else
    p =
      which === PORTS_DESTINATION
        ? putWords(p, 10, 0x202d2d64, 0x706f7274, 0x73200000, 0)
        : putWords(p, 9, 0x202d2d70, 0x6f727473, 0x20000000, 0);
  for (let i: i32 = 0; i < entries && i < 15; i++) {
    if (i > 0) {
      put8(p, (ranges & (1 << (i - 1))) !== 0 ? COLON : COMMA);
      p += 1;
    }
    p = putNumber(p, u16at(at + 8 + 2 * i));
  }
  return p;
}

/** An average in the largest unit that it can be told in. */
function writeLimit(at: i32, to: i32): i32 {
  const average: i32 = i32at(at + LIMIT_AVERAGE);
  const burst: i32 = i32at(at + LIMIT_BURST);
  if (average <= 0) return 0;
  let unit: i32 = multiply(SECOND, 86400);
  let i: i32 = 1;
  for (; i < 4; i++) {
    const next: i32 = multiply(SECOND, i === 1 ? 3600 : i === 2 ? 60 : 1);
    const count: i32 = (next / average) | 0;
    if (average > next || count < next - multiply(count, average)) break;
    unit = next;
  }
  let p: i32 = putNumber(
    putWords(putWords(to, 16, 0x202d6d20, 0x6c696d69, 0x74202d2d, 0x6c696d69), 2, 0x74200000, 0, 0, 0),
    (unit / average) | 0,
  );
  if (i === 1) p = putWords(p, 4, 0x2f646179, 0, 0, 0);
  else if (i === 2) p = putWords(p, 5, 0x2f686f75, 0x72000000, 0, 0);
  else p = i === 3 ? putWords(p, 4, 0x2f6d696e, 0, 0, 0) : putWords(p, 4, 0x2f736563, 0, 0, 0);
  return burst === BURST_DEFAULT
    ? p
    : putNumber(putWords(p, 15, 0x202d2d6c, 0x696d6974, 0x2d627572, 0x73742000), burst);
}

export function writeRejection(to: i32, code: i32): i32 {
  const p: i32 = putWords(to, 11, 0x202d6a20, 0x52454a45, 0x43542000, 0);
  const q: i32 = putWords(p, 14, 0x2d2d7265, 0x6a656374, 0x2d776974, 0x68200000);
  if (code === REJECT_PORT)
    return putWords(
      putWords(q, 10, 0x69636d70, 0x2d706f72, 0x742d0000, 0),
      11,
      0x756e7265,
      0x61636861,
      0x626c6500,
      0,
    );
  if (code === REJECT_RESET) return putWords(q, 9, 0x7463702d, 0x72657365, 0x74000000, 0);
  if (code === REJECT_HOST)
    return putWords(
      putWords(q, 10, 0x69636d70, 0x2d686f73, 0x742d0000, 0),
      11,
      0x756e7265,
      0x61636861,
      0x626c6500,
      0,
    );
  if (code === REJECT_NET)
    return putWords(
      putWords(q, 9, 0x69636d70, 0x2d6e6574, 0x2d000000, 0),
      11,
      0x756e7265,
      0x61636861,
      0x626c6500,
      0,
    );
  if (code === REJECT_PROTOCOL)
    return putWords(
      putWords(q, 11, 0x69636d70, 0x2d70726f, 0x746f2d00, 0),
      11,
      0x756e7265,
      0x61636861,
      0x626c6500,
      0,
    );
  if (code === REJECT_ADMIN)
    return putWords(
      putWords(q, 11, 0x69636d70, 0x2d61646d, 0x696e2d00, 0),
      10,
      0x70726f68,
      0x69626974,
      0x65640000,
      0,
    );
  if (code === REJECT_HOST_PROHIBITED)
    return putWords(
      putWords(q, 10, 0x69636d70, 0x2d686f73, 0x742d0000, 0),
      10,
      0x70726f68,
      0x69626974,
      0x65640000,
      0,
    );
  return code === REJECT_NET_PROHIBITED
    ? putWords(
        putWords(q, 9, 0x69636d70, 0x2d6e6574, 0x2d000000, 0),
        10,
        0x70726f68,
        0x69626974,
        0x65640000,
        0,
      )
    : 0;
}

/** LOG, and the targets that translate. */
export function writeTranslation(at: i32, target: i32, to: i32): i32 {
  if (target === TARGET_LOG)
    return writeLog(operationOf(at, OPERATION_LOG), putWords(to, 7, 0x202d6a20, 0x4c4f4700, 0, 0));
  const operation: i32 = operationOf(at, OPERATION_ADDRESSES);
  let p: i32 = 0;
  if (target === TARGET_MASQUERADE) p = putWords(to, 14, 0x202d6a20, 0x4d415351, 0x55455241, 0x44450000);
  else if (target === TARGET_SNAT) p = putWords(to, 8, 0x202d6a20, 0x534e4154, 0, 0);
  else if (target === TARGET_DNAT) p = putWords(to, 8, 0x202d6a20, 0x444e4154, 0, 0);
  else p = putWords(to, 12, 0x202d6a20, 0x52454449, 0x52454354, 0);
  const flags: i32 = operation === 0 ? 0 : get8(operation + 4);
  if (flags === 0) return operation === 0 ? p : 0;
  if ((flags & ~(ADDRESSES_ADDRESS | ADDRESSES_PORTS)) !== 0) return 0;
  if (target === TARGET_MASQUERADE || target === TARGET_REDIRECT) {
    if (flags !== ADDRESSES_PORTS) return 0;
    return writePorts(putWords(p, 12, 0x202d2d74, 0x6f2d706f, 0x72747320, 0), operation);
  }
  if ((flags & ADDRESSES_ADDRESS) === 0) return 0;
  p =
    target === TARGET_SNAT
      ? putWords(p, 13, 0x202d2d74, 0x6f2d736f, 0x75726365, 0x20000000)
      : putWords(putWords(p, 16, 0x202d2d74, 0x6f2d6465, 0x7374696e, 0x6174696f), 2, 0x6e200000, 0, 0, 0);
  return writeAddresses(p, operation, flags);
}

function writeAddresses(to: i32, operation: i32, flags: i32): i32 {
  let p: i32 = putAddress(to, i32at(operation + 8));
  if (i32at(operation + 8) !== i32at(operation + 12)) {
    put8(p, DASH);
    p = putAddress(p + 1, i32at(operation + 12));
  }
  if ((flags & ADDRESSES_PORTS) === 0) return p;
  put8(p, COLON);
  return writePorts(p + 1, operation);
}

function writePorts(to: i32, operation: i32): i32 {
  const p: i32 = putNumber(to, u16at(operation + 16));
  if (u16at(operation + 16) === u16at(operation + 18)) return p;
  put8(p, DASH);
  return putNumber(p + 1, u16at(operation + 18));
}

function writeLog(at: i32, to: i32): i32 {
  if (at === 0 || get8(at + 5) !== 0) return 0;
  const bytes: i32 = get8(at + 6);
  const level: i32 = get8(at + 4);
  let p: i32 = to;
  if (bytes !== 0) {
    let isPlain: i32 = 1;
    p = putWords(p, 14, 0x202d2d6c, 0x6f672d70, 0x72656669, 0x78200000);
    const start: i32 = p;
    for (let i: i32 = 0; i < bytes && i < 30; i++) {
      const c: i32 = get8(at + 8 + i);
      if (c === QUOTE || c === APOSTROPHE || c === BACKSLASH) return 0;
      if (isPlainLetter(c) === 0) isPlain = 0;
      put8(start + 1 + i, c);
    }
    p = start + 1 + bytes;
    if (isPlain !== 0) {
      copy(start, start + 1, bytes);
      p -= 1;
    } else {
      put8(start, QUOTE);
      put8(p, QUOTE);
      p += 1;
    }
  }
  return level === LOG_WARNING
    ? p
    : putNumber(putWords(p, 13, 0x202d2d6c, 0x6f672d6c, 0x6576656c, 0x20000000), level);
}

function isPlainLetter(c: i32): i32 {
  const small: i32 = c | 32;
  return (small >= 97 && small <= 122) || (c >= 48 && c <= 57) || c === DASH || c === 95 ? 1 : 0;
}
