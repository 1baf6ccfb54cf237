// TCP's maximum segment size, clamped to what fits the path through us: a host behind a smaller MTU that never
// hears ICMP 3/4 would wait for ever (RFC 2923, section 2.1). The option: RFC 793, 3.1; its value: RFC 6691.
//
//    kind 2 | length 4 | MSS

import { COUNT_MSS_CLAMPED, count } from '../../base/counters.ts';
import { get8, get16, i32at, put16 } from '../../base/memory.ts';
import { PACKET_L4 } from '../../base/packet.ts';
import { adjust16 } from '../../wire/checksum.ts';
import {
  TCP_CHECKSUM,
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

/**
 * Lowers the MSS of a segment whose SYN is set to `limit`. A segment without the option is left alone: its
 * peer takes 536, which fits. The header's length has been checked (src/wire/ipv4.ts).
 */
export function clampMss(packet: i32, limit: i32): void {
  const at: i32 = findMss(packet);
  if (at !== 0) lower(i32at(packet + PACKET_L4), at, limit);
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
