// The filter of `capture`, as typed: conditions that must all hold, each of which `not` turns round.
//
//    [not] host A | net A/N | port P      `src` or `dst` before it: only the source, only the destination
//    [not] arp | ip | icmp | tcp | udp | proto N | in | out
//
// Not here: how it is decided (src/plane/link/capture.ts).

import {
  CAPTURE_IN,
  CAPTURE_OUT,
  TERM_ADDRESS,
  TERM_DESTINATION,
  TERM_DIRECTION,
  TERM_ETHERTYPE,
  TERM_NOT,
  TERM_PORT,
  TERM_PROTOCOL,
  TERM_SOURCE,
} from '../../base/capture-record.ts';
import { CAPTURE_TERM_COUNT } from '../../base/limits.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../../wire/ethernet.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { maskOf, parseAddress, parsePrefix } from '../core/address.ts';

/** What the plane's captureTerm() takes. */
export interface Term {
  kind: number;
  value: number;
  mask: number;
}

/** Words that stand alone: kind and value. */
const PLAIN: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['arp', [TERM_ETHERTYPE, ETHERTYPE_ARP]],
  ['ip', [TERM_ETHERTYPE, ETHERTYPE_IPV4]],
  ['icmp', [TERM_PROTOCOL, PROTOCOL_ICMP]],
  ['tcp', [TERM_PROTOCOL, PROTOCOL_TCP]],
  ['udp', [TERM_PROTOCOL, PROTOCOL_UDP]],
  ['in', [TERM_DIRECTION, CAPTURE_IN]],
  ['out', [TERM_DIRECTION, CAPTURE_OUT]],
]);
/** Words that go before a condition. */
const FLAGS = new Map([
  ['not', TERM_NOT],
  ['src', TERM_SOURCE],
  ['dst', TERM_DESTINATION],
]);

/** The terms of a filter, or why there is none. */
export function parseFilter(words: readonly string[]): Term[] | string {
  const terms: Term[] = [];
  let flags = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const flag = FLAGS.get(word);
    if (flag !== undefined) {
      flags |= flag;
      continue;
    }
    if (word === 'and' && flags === 0) continue;
    const plain = PLAIN.get(word);
    const found =
      plain === undefined ? valued(word, words[++i]) : { kind: plain[0], value: plain[1], mask: 0 };
    if (typeof found === 'string') return found;
    const hasSides = found.kind === TERM_ADDRESS || found.kind === TERM_PORT;
    if ((flags & (TERM_SOURCE | TERM_DESTINATION)) !== 0 && !hasSides)
      return `src and dst go with host, net and port, not with ${word}`;
    terms.push({ ...found, kind: found.kind | flags });
    flags = 0;
  }
  if (flags !== 0) return `nothing follows ${words.at(-1)}`;
  return terms.length > CAPTURE_TERM_COUNT ? `a filter has ${CAPTURE_TERM_COUNT} conditions at most` : terms;
}

function valued(word: string, text: string | undefined): Term | string {
  if (!['host', 'net', 'port', 'proto'].includes(word)) return `${word} is no condition`;
  if (text === undefined) return `nothing follows ${word}`;
  if (word === 'host') {
    const value = parseAddress(text);
    return typeof value === 'string' ? value : { kind: TERM_ADDRESS, value, mask: -1 };
  }
  if (word === 'net') {
    const prefix = parsePrefix(text);
    if (typeof prefix === 'string') return prefix;
    return { kind: TERM_ADDRESS, value: prefix.address, mask: maskOf(prefix.length) };
  }
  const most = word === 'port' ? 65535 : 255;
  if (!/^\d{1,5}$/.test(text) || Number(text) > most) return `${text} is not 0 to ${most}`;
  return { kind: word === 'port' ? TERM_PORT : TERM_PROTOCOL, value: Number(text), mask: 0 };
}
