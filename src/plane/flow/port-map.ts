// Which ports of TCP and UDP are taken, by mappings of the masquerade or by the router itself: a bit each, so that a
// free one is found in bounded time however many are taken. A port of one outside address is taken on all of them.
//
//    0              8,192          16,384        16,640        16,896
//    | mappings     | router       | full, even  | full, odd   |
//
// The first two have a bit for each port. The others have a bit for each word of 32 ports: no port of that parity is
// free in it. A search looks at the word it starts in, at the bits of the words behind it, 32 a look, and at the one
// that has a free port: at most 66 looks, and 6 where the range has 4,096 ports.
// Behind both maps are the router's own identifiers of ICMP, a bit each; those of mappings have no ranges and are drawn.
// Not here: which range, and whose turn it is (masquerade-ports.ts).

import { IDENTIFIER_MAP_BYTES, PORT_MAP_BYTES, PORT_MAPS_AT } from '../../base/limits.ts';
import { fill, i32at, puti32 } from '../../base/memory.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';

/** Whose port it is: a mapping's, or the router's own, a kept forward's among them. */
export const PORT_MAPPED: i32 = 0;
export const PORT_OPEN: i32 = 8192;
const IDENTIFIERS_AT: i32 = PORT_MAPS_AT + 2 * PORT_MAP_BYTES;
const FULL_EVEN: i32 = 16384;
const FULL_ODD: i32 = 16640;

/** Which ports are wanted: even ones, odd ones or any. */
export const PARITY_EVEN: i32 = 0;
export const PARITY_ODD: i32 = 1;
export const PARITY_ANY: i32 = 2;

/** No port is free. */
export const NO_PORT: i32 = -1;

export function resetPortMaps(): void {
  fill(PORT_MAPS_AT, 0, 2 * PORT_MAP_BYTES + IDENTIFIER_MAP_BYTES);
}

/** Address of a protocol's map, or 0: it has none. */
function mapOf(protocol: i32): i32 {
  if (protocol === PROTOCOL_TCP) return PORT_MAPS_AT;
  return protocol === PROTOCOL_UDP ? PORT_MAPS_AT + PORT_MAP_BYTES : 0;
}

/** Notes that a port is taken (1) or free (0), as a mapping's (PORT_MAPPED) or the router's (PORT_OPEN). */
export function notePort(protocol: i32, port: i32, whose: i32, taken: i32): void {
  if (protocol === PROTOCOL_ICMP && whose === PORT_OPEN) noteBit(IDENTIFIERS_AT, port, taken);
  const map: i32 = mapOf(protocol);
  if (map === 0) return;
  noteBit(map + whose, port, taken);
  noteFull(map, port >> 5);
}

/** Notes whether a word of ports has free ones of each parity. */
function noteFull(map: i32, word: i32): void {
  const free: i32 = freeBits(map, word);
  noteBit(map + FULL_EVEN, word, (free & 0x55555555) === 0 ? 1 : 0);
  noteBit(map + FULL_ODD, word, (free & ~0x55555555) === 0 ? 1 : 0);
}

/** The same of all ports from first to last, as the router's: at most 2,048 words. */
export function noteRange(protocol: i32, first: i32, last: i32, taken: i32): void {
  const map: i32 = mapOf(protocol);
  if (map === 0) return;
  for (let word: i32 = first >> 5; word <= last >> 5; word++) {
    let mask: i32 = -1;
    if (word === first >> 5) mask &= -1 << (first & 31);
    if (word === last >> 5 && (last & 31) !== 31) mask &= (1 << ((last & 31) + 1)) - 1;
    const at: i32 = map + PORT_OPEN + 4 * word;
    puti32(at, taken !== 0 ? i32at(at) | mask : i32at(at) & ~mask);
    noteFull(map, word);
  }
}

/** Sets (1) or clears (0) bit number `n` of a row of words. */
function noteBit(row: i32, n: i32, value: i32): void {
  const at: i32 = row + 4 * (n >> 5);
  const bit: i32 = 1 << (n & 31);
  puti32(at, value !== 0 ? i32at(at) | bit : i32at(at) & ~bit);
}

/** Bit number `n` of a row. */
function bitOf(row: i32, n: i32): i32 {
  return (i32at(row + 4 * (n >> 5)) >> (n & 31)) & 1;
}

/** 1 if the router itself (PORT_OPEN) or a mapping (PORT_MAPPED) has the port. */
export function portNoted(protocol: i32, port: i32, whose: i32): i32 {
  if (protocol === PROTOCOL_ICMP && whose === PORT_OPEN) return bitOf(IDENTIFIERS_AT, port);
  const map: i32 = mapOf(protocol);
  return map === 0 ? 0 : bitOf(map + whose, port);
}

/** A free port from first to last, the next from `start` on and round, or NO_PORT. */
export function freePort(protocol: i32, first: i32, last: i32, parity: i32, start: i32): i32 {
  const map: i32 = mapOf(protocol);
  if (map === 0) return NO_PORT;
  const port: i32 = scan(map, start, last, parity);
  return port !== NO_PORT ? port : scan(map, first, start - 1, parity);
}

function scan(map: i32, from: i32, to: i32, parity: i32): i32 {
  if (from > to) return NO_PORT;
  const wanted: i32 = parity === PARITY_ANY ? -1 : parity === PARITY_EVEN ? 0x55555555 : ~0x55555555;
  const last: i32 = to >> 5;
  let word: i32 = from >> 5;
  let mask: i32 = wanted & (-1 << (from & 31));
  // The word of `from`, then the next one that has room: there the search ends.
  for (let turns: i32 = 2; turns !== 0; turns--) {
    if (word === last && (to & 31) !== 31) mask &= (1 << ((to & 31) + 1)) - 1;
    const bits: i32 = freeBits(map, word) & mask;
    if (bits !== 0) return (word << 5) + lowest(bits);
    word = word === last ? NO_PORT : roomyWord(map, word + 1, last, parity);
    if (word === NO_PORT) return NO_PORT;
    mask = wanted;
  }
  return NO_PORT;
}

/** The first word from `from` to `last` that has a free port of that parity, or NO_PORT. */
function roomyWord(map: i32, from: i32, last: i32, parity: i32): i32 {
  let mask: i32 = -1 << (from & 31);
  for (let i: i32 = from >> 5; i <= last >> 5; i++) {
    const even: i32 = parity === PARITY_ODD ? -1 : i32at(map + FULL_EVEN + 4 * i);
    const odd: i32 = parity === PARITY_EVEN ? -1 : i32at(map + FULL_ODD + 4 * i);
    const bits: i32 = ~(even & odd) & mask;
    if (bits !== 0) {
      const word: i32 = (i << 5) + lowest(bits);
      return word <= last ? word : NO_PORT;
    }
    mask = -1;
  }
  return NO_PORT;
}

function freeBits(map: i32, word: i32): i32 {
  return ~(i32at(map + PORT_MAPPED + 4 * word) | i32at(map + PORT_OPEN + 4 * word));
}

/** Number of the lowest bit that is set; one is. */
function lowest(bits: i32): i32 {
  let rest: i32 = bits;
  let n: i32 = 0;
  for (let half: i32 = 16; half !== 0; half >>= 1) {
    if ((rest & ((1 << half) - 1)) === 0) {
      n += half;
      rest = rest >>> half;
    }
  }
  return n;
}
