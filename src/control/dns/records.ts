// Resource records as text: the answers in a DNS message, as RFC 1035, section 5.1 writes them, and what is asked for
// by name. AAAA: RFC 3596, 5952; SRV: RFC 2782; SVCB and HTTPS: RFC 9460; CAA: RFC 8659; what is unknown: RFC 3597.
// A message is not believed: names and records end with it, and a pointer leads backwards only.
// Not here: the command (resolve.ts).

import { formatAddress, parseAddress } from '../core/address.ts';
import { HEADER_BYTES, NAME_BYTES, nameBytes, read16, read32, TYPE_PTR } from './message.ts';

const TYPES: Readonly<Record<string, number>> = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: TYPE_PTR, HINFO: 13, MX: 15, TXT: 16, AAAA: 28, LOC: 29, SRV: 33 },
  ...{
    NAPTR: 35,
    DNAME: 39,
    DS: 43,
    SSHFP: 44,
    DNSKEY: 48,
    TLSA: 52,
    SVCB: 64,
    HTTPS: 65,
    ANY: 255,
    CAA: 257,
  },
};
/** Names of SVCB's parameters by number, 0 on; those of other numbers are keyN (RFC 9460, section 14.3.2). */
const PARAMETERS = [
  ...['mandatory', 'alpn', 'no-default-alpn', 'port', 'ipv4hint', 'ech', 'ipv6hint', 'dohpath', 'ohttp'],
];
/** Pointers of a name: one behind each label, of which there are 127 at most. */
const HOPS_MOST = 127;
/** Bytes of unknown content that are shown. */
const HEX_MOST = 64;

/** The number of a type by its name or as TYPE65, or undefined. */
export function typeNumber(text: string): number | undefined {
  const name = text.toUpperCase();
  const number = /^TYPE(\d{1,5})$/.exec(name)?.[1];
  if (number === undefined) return Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  return Number(number) > 0 && Number(number) < 65536 ? Number(number) : undefined;
}

export function typeName(type: number): string {
  return Object.keys(TYPES).find(name => TYPES[name] === type) ?? `TYPE${type}`;
}

/** The name under which an address is looked up backwards, or undefined if the text is none. */
export function reverseOf(text: string): string | undefined {
  if (/^[0-9.]+$/.test(text))
    return typeof parseAddress(text) === 'number'
      ? `${text.split('.').reverse().join('.')}.in-addr.arpa`
      : undefined;
  const groups = text.includes(':') ? groupsOf(text) : undefined;
  const digits = groups?.map(group => group.toString(16).padStart(4, '0')).join('');
  return digits === undefined ? undefined : `${[...digits].reverse().join('.')}.ip6.arpa`;
}

/** The eight groups of an IPv6 address, or undefined. */
function groupsOf(text: string): number[] | undefined {
  const halves = text.split('::').map(half => (half === '' ? [] : half.split(':')));
  const [front = [], back = []] = halves;
  const missing = 8 - front.length - back.length;
  const isWhole = halves.length === 1 ? missing === 0 : halves.length === 2 && missing > 0;
  const all = [...front, ...new Array<string>(Math.max(0, missing)).fill('0'), ...back];
  if (!isWhole || !all.every(group => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.map(group => Number.parseInt(group, 16));
}

/**
 * A row for each record that answers: name, type, seconds to live, content. Then how many there were, or -1 if the message
 * is malformed. A row costs what its names do, HOPS_MOST pointers and NAME_BYTES octets each.
 */
export function* recordRows(data: Uint8Array): Generator<string, number, void> {
  let at = HEADER_BYTES;
  if (read16(data, 4) > 1) return -1;
  if (read16(data, 4) === 1) at = nameAt(data, at).end + 4;
  const count = read16(data, 6);
  for (let left = count; left > 0; left--) {
    const owner = nameAt(data, at);
    if (owner.end === 0 || owner.end + 10 > data.length) return -1;
    const type = read16(data, owner.end);
    const from = owner.end + 10;
    at = from + read16(data, owner.end + 8);
    if (at > data.length) return -1;
    const seconds = read32(data, owner.end + 4) >>> 0;
    yield `${owner.text}  ${typeName(type)}  ${contentText(data, type, from, at)}  (${seconds} s)`;
  }
  return count;
}

/** A name, its pointers followed, and the offset behind it; 0 if it is none. */
function nameAt(data: Uint8Array, from: number): { text: string; end: number } {
  let text = '';
  let end = 0;
  let at = from;
  // Each pointer must lead before all that was read, so that this ends.
  let first = from;
  let hops = 0;
  for (let bytes = 0; bytes <= NAME_BYTES; ) {
    const length = data[at] ?? 64;
    if (length === 0) return { text: text === '' ? '.' : text, end: end || at + 1 };
    if (length >= 192) {
      if (at + 1 >= data.length) break;
      end ||= at + 2;
      at = read16(data, at) & 0x3fff;
      if (at >= first || at < HEADER_BYTES || ++hops > HOPS_MOST) break;
      first = at;
      continue;
    }
    if (length > 63 || at + length >= data.length) break;
    text += (text === '' ? '' : '.') + escaped(data.subarray(at + 1, at + 1 + length), /[^!-~]|[.\\"]/);
    bytes += length + 1;
    at += length + 1;
  }
  return { text: '?', end: 0 };
}

/** Bytes as characters; those that the pattern finds as \DDD. */
function escaped(bytes: Uint8Array, odd: RegExp): string {
  let text = '';
  for (const byte of bytes) {
    const c = String.fromCharCode(byte);
    text += odd.test(c) ? `\\${String(byte).padStart(3, '0')}` : c;
  }
  return text;
}

/** What a record says; as RFC 3597 writes the unknown if it is that, or not what its type should be. */
function contentText(data: Uint8Array, type: number, from: number, end: number): string {
  const known = knownText(data, typeName(type), from, end);
  if (known !== undefined) return known;
  const bytes = data.subarray(from, Math.min(end, from + HEX_MOST));
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
  return `\\# ${end - from} ${hex}${end - from > HEX_MOST ? '...' : ''}`;
}

function knownText(data: Uint8Array, type: string, from: number, end: number): string | undefined {
  const length = end - from;
  const name = (at: number): string | undefined => {
    const found = nameAt(data, at);
    return found.end === 0 || found.end > end ? undefined : found.text;
  };
  const numbersAndName = (count: number): string | undefined => {
    const target = length < 2 * count + 1 ? undefined : name(from + 2 * count);
    if (target === undefined) return undefined;
    return [...Array.from({ length: count }, (_, i) => read16(data, from + 2 * i)), target].join(' ');
  };
  switch (type) {
    case 'A':
      return length === 4 ? formatAddress(read32(data, from)) : undefined;
    case 'AAAA':
      return length === 16 ? address6(data, from) : undefined;
    case 'NS':
    case 'CNAME':
    case 'DNAME':
    case 'PTR':
      return numbersAndName(0);
    case 'MX':
      return numbersAndName(1);
    case 'SRV':
      return numbersAndName(3);
    case 'SOA':
      return soaText(data, from, end);
    case 'TXT':
    case 'HINFO':
      return stringsText(data, from, end);
    case 'SVCB':
    case 'HTTPS':
      return serviceText(data, from, end);
    case 'CAA': {
      const tagEnd = from + 2 + (data[from + 1] ?? 0);
      if (length < 2 || tagEnd > end) return undefined;
      const plain = (bytes: Uint8Array): string => escaped(bytes, /[^ -~]|["\\]/);
      const [tag, value] = [plain(data.subarray(from + 2, tagEnd)), plain(data.subarray(tagEnd, end))];
      return `${data[from]} ${tag} "${value}"`;
    }
  }
  return undefined;
}

function soaText(data: Uint8Array, from: number, end: number): string | undefined {
  const primary = nameAt(data, from);
  const mailbox = nameAt(data, primary.end || end);
  if (primary.end === 0 || mailbox.end === 0 || mailbox.end + 20 !== end) return undefined;
  const numbers = [0, 4, 8, 12, 16].map(i => read32(data, mailbox.end + i) >>> 0);
  return [primary.text, mailbox.text, ...numbers].join(' ');
}

function stringsText(data: Uint8Array, from: number, end: number): string | undefined {
  const strings: string[] = [];
  for (let at = from; at < end; ) {
    const next = at + 1 + (data[at] as number);
    if (next > end) return undefined;
    strings.push(`"${escaped(data.subarray(at + 1, next), /[^ -~]|["\\]/)}"`);
    at = next;
  }
  return strings.join(' ');
}

function serviceText(data: Uint8Array, from: number, end: number): string | undefined {
  const target = nameAt(data, from + 2);
  if (end - from < 3 || target.end === 0 || target.end > end) return undefined;
  const parts = [String(read16(data, from)), target.text];
  for (let at = target.end; at < end; ) {
    const valueAt = at + 4;
    const valueEnd = valueAt + (valueAt <= end ? read16(data, at + 2) : end);
    if (valueEnd > end) return undefined;
    parts.push(parameterText(data, read16(data, at), valueAt, valueEnd));
    at = valueEnd;
  }
  return parts.join(' ');
}

function parameterText(data: Uint8Array, key: number, from: number, end: number): string {
  const name = PARAMETERS[key] ?? `key${key}`;
  const step = name === 'ipv4hint' ? 4 : name === 'ipv6hint' ? 16 : 0;
  const values: string[] = [];
  if (step > 0) {
    for (let at = from; at + step <= end; at += step)
      values.push(step === 4 ? formatAddress(read32(data, at)) : address6(data, at));
  } else if (name === 'alpn') {
    for (let at = from; at < end; at += 1 + (data[at] as number))
      values.push(
        escaped(data.subarray(at + 1, Math.min(end, at + 1 + (data[at] as number))), /[^!-~]|["\\]/),
      );
  } else if (name === 'port' && end - from === 2) values.push(String(read16(data, from)));
  else if (name === 'dohpath') values.push(escaped(data.subarray(from, end), /[^!-~]|["\\]/));
  else if (end > from) values.push(`${end - from} bytes`);
  return values.length === 0 ? name : `${name}=${values.join(',')}`;
}

/** As RFC 5952, section 4 writes it: the longest row of two or more groups of zeros, the first of several, is "::". */
function address6(data: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => read16(data, at + 2 * i));
  let from = 0;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let zeros = 0;
    while (i + zeros < 8 && groups[i + zeros] === 0) zeros++;
    if (zeros > length) {
      from = i;
      length = zeros;
    }
  }
  const text = (some: number[]): string => some.map(group => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`;
}

/** A name in wire form, or why it is none; the root is ".". */
export function wireOf(name: string): Uint8Array | string {
  return name === '.' ? new Uint8Array(1) : nameBytes(name);
}
