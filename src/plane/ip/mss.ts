// TCP's maximum segment size, clamped to what fits the path through us: a host behind a smaller MTU that never
// hears ICMP 3/4 would wait for ever (RFC 2923, section 2.1). The option: RFC 793, 3.1; its value: RFC 6691.
//
//    kind 2 | length 4 | MSS
//
// A SYN without it can be given one, as Linux's TCPMSS does: in front of all other options, by which the datagram is 4 bytes longer.

import { COUNT_MSS_CLAMPED, count } from '../../base/counters.ts';
import { IF_MSS, IF_MTU } from '../../base/interface.ts';
import { copy, get8, get16, i32at, put8, put16, puti32 } from '../../base/memory.ts';
import { PACKET_CONTEXT, PACKET_IP, PACKET_L4, PACKET_LENGTH } from '../../base/packet.ts';
import { MSS_CLAMP, parameter } from '../../base/parameters.ts';
import { adjust16 } from '../../wire/checksum.ts';
import { IP_CHECKSUM, IP_LENGTH } from '../../wire/ipv4.ts';
import {
  TCP_CHECKSUM,
  TCP_LENGTH,
  TCP_MSS_BYTES,
  TCP_OPTION_END,
  TCP_OPTION_MSS,
  TCP_OPTION_NONE,
  TCP_OPTIONS,
  tcpHeaderBytesOf,
} from '../../wire/tcp.ts';

/** IP and TCP headers without options. */
export const MSS_HEADERS: i32 = 40;

const MSS_DEFAULT: i32 = 536;
/** TCP's longest header: its length is four bits of words. */
const TCP_HEADER_MOST: i32 = 60;

/**
 * Lowers the MSS of a segment whose SYN is set to `limit`. A segment without the option is left alone: its
 * peer takes 536, which fits. The header's length has been checked (src/wire/ipv4.ts).
 */
export function clampMss(packet: i32, limit: i32): void {
  const at: i32 = findMss(packet);
  if (at !== 0) lower(i32at(packet + PACKET_L4), at, limit);
}

/** The same, to what both links carry, or what is said of them that they want, unless MSS_CLAMP is off. */
export function clampMssBetween(packet: i32, came: i32, leaves: i32): void {
  if (parameter(MSS_CLAMP) === 0) return;
  const before: i32 = mssBy(came);
  const behind: i32 = mssBy(leaves);
  clampMss(packet, before < behind ? before : behind);
}

/** What a link carries, or less if that is said (src/control/core/queues.ts): on a slow one long segments hold all others up. */
function mssBy(at: i32): i32 {
  const fits: i32 = i32at(at + IF_MTU) - MSS_HEADERS;
  const said: i32 = i32at(at + IF_MSS);
  return said !== 0 && said < fits ? said : fits;
}

/**
 * The same of a segment that leaves by a link which carries `mtu` bytes; one without the option gets it, with no more than its peer would have taken
 * without: if it has no data, which would have to move, and is whole. 1 if it is TCP_MSS_BYTES longer.
 */
export function setMss(packet: i32, limit: i32, mtu: i32): i32 {
  const tcp: i32 = i32at(packet + PACKET_L4);
  const header: i32 = tcpHeaderBytesOf(tcp);
  const bytes: i32 = i32at(packet + PACKET_LENGTH);
  const at: i32 = findMss(packet);
  if (at !== 0) lower(tcp, at, limit);
  if (at !== 0 || header >= TCP_HEADER_MOST || i32at(packet + PACKET_CONTEXT) !== 0) return 0;
  const segment: i32 = packet + PACKET_IP + bytes - tcp;
  if (segment !== header || bytes + TCP_MSS_BYTES > mtu) return 0;
  const mss: i32 = limit < MSS_DEFAULT ? limit : MSS_DEFAULT;
  const options: i32 = tcp + TCP_OPTIONS;
  copy(options + TCP_MSS_BYTES, options, header - TCP_OPTIONS);
  put8(options, TCP_OPTION_MSS);
  put8(options + 1, TCP_MSS_BYTES);
  put16(options + 2, mss);
  // What has moved has moved by whole words, so it is summed as before.
  const word: i32 = get16(tcp + TCP_LENGTH);
  put16(tcp + TCP_LENGTH, word + 0x1000);
  adjust16(tcp + TCP_CHECKSUM, word, word + 0x1000);
  adjust16(tcp + TCP_CHECKSUM, segment, segment + TCP_MSS_BYTES);
  adjust16(tcp + TCP_CHECKSUM, 0, (TCP_OPTION_MSS << 8) | TCP_MSS_BYTES);
  adjust16(tcp + TCP_CHECKSUM, 0, mss);
  put16(packet + PACKET_IP + IP_LENGTH, bytes + TCP_MSS_BYTES);
  adjust16(packet + PACKET_IP + IP_CHECKSUM, bytes, bytes + TCP_MSS_BYTES);
  puti32(packet + PACKET_LENGTH, bytes + TCP_MSS_BYTES);
  return 1;
}

/** The MSS that a SYN tells, or what a host takes that does not say (RFC 9293, section 3.7.1). */
export function mssOf(packet: i32): i32 {
  const at: i32 = findMss(packet);
  return at !== 0 ? get16(at) : MSS_DEFAULT;
}

/** Where the option's value is, or 0. */
function findMss(packet: i32): i32 {
  const at: i32 = findTcpOption(packet, TCP_OPTION_MSS);
  return at !== 0 && get8(at + 1) === TCP_MSS_BYTES ? at + 2 : 0;
}

/** Where an option of a kind begins in a segment's header, which is whole; or 0. */
export function findTcpOption(packet: i32, wanted: i32): i32 {
  const tcp: i32 = i32at(packet + PACKET_L4);
  const end: i32 = tcp + tcpHeaderBytesOf(tcp);
  let at: i32 = tcp + TCP_OPTIONS;
  // Each turn takes a byte at least, and there are 40.
  while (at < end) {
    const kind: i32 = get8(at);
    if (kind === TCP_OPTION_END) return 0;
    if (kind === TCP_OPTION_NONE) {
      at++;
    } else {
      if (at + 1 >= end) return 0;
      const bytes: i32 = get8(at + 1);
      if (bytes < 2 || at + bytes > end) return 0;
      if (kind === wanted) return at;
      at += bytes;
    }
  }
  return 0;
}

function lower(tcp: i32, at: i32, limit: i32): void {
  const mss: i32 = get16(at);
  if (mss <= limit) return;
  put16(at, limit);
  // At an odd distance the value's bytes are in the other halves of the words that are summed.
  if (((at - tcp) & 1) === 0) adjust16(tcp + TCP_CHECKSUM, mss, limit);
  else adjust16(tcp + TCP_CHECKSUM, swap(mss), swap(limit));
  count(COUNT_MSS_CLAMPED);
}

function swap(value: i32): i32 {
  return ((value & 0xff) << 8) | (value >>> 8);
}
