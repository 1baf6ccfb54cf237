// Damage to frames, by a seed: bits, lengths, and lies in fields, with the checksums put right again or not, so that
// what is behind the checksums is reached too.

import { FRAME_MAX } from '../../src/base/limits.ts';
import type { Random } from '../../src/control/debug/random.ts';
import { internetChecksum, sealIp, transportChecksum } from '../../src/wire/build.ts';
import { get16, get32, put16, put32 } from '../../src/wire/bytes.ts';
import {
  ETHERNET_TYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_TAG,
  ETHERNET_HEADER_BYTES as IP,
} from '../../src/wire/ethernet.ts';
import { ICMP_CHECKSUM, ICMP_CODE, ICMP_HEADER_BYTES } from '../../src/wire/icmp.ts';
import {
  DESTINATION_PORT,
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_LENGTH,
  IP_OFFSET,
  IP_OPTIONS,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../src/wire/ipv4.ts';
import { headerBytesOf } from '../../src/wire/read.ts';
import { TCP_CHECKSUM, TCP_FLAGS, TCP_LENGTH, TCP_OPTIONS } from '../../src/wire/tcp.ts';
import { UDP_CHECKSUM, UDP_LENGTH } from '../../src/wire/udp.ts';

/** The transport header, where the frame's own IHL says that it is. */
function transportAt(frame: Uint8Array): number {
  return IP + headerBytesOf(frame.subarray(IP));
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** A length, offset or port near what may be wrong. */
function edge(random: Random): number {
  return pick(random, [
    0,
    1,
    2,
    7,
    8,
    19,
    20,
    21,
    27,
    28,
    255,
    1480,
    1500,
    1514,
    0x7fff,
    0x8000,
    0xffff,
    random.next(),
  ]);
}

function set8(frame: Uint8Array, at: number, value: number): void {
  if (at < frame.length) frame[at] = value;
}

function set16(frame: Uint8Array, at: number, value: number): void {
  if (at + 2 <= frame.length) put16(frame, at, value);
}

const ADDRESSES = [
  0, -1, 0x7f000001, 0xe0000001, 0xc0a80001, 0xc0a800ff, 0xc0a80000, 0xcb007102, 0xcb007101, 0xf0000001,
];

type Lie = (random: Random, frame: Uint8Array) => void;

const IP_LIES: readonly Lie[] = [
  (random, frame) => set8(frame, IP, 0x40 | random.below(16)),
  (random, frame) => set8(frame, IP, random.below(256)),
  (random, frame) => set16(frame, IP + IP_LENGTH, edge(random)),
  (random, frame) => set16(frame, IP + IP_LENGTH, frame.length - IP + random.below(9) - 4),
  (random, frame) => set16(frame, IP + IP_OFFSET, edge(random)),
  (random, frame) =>
    set16(frame, IP + IP_OFFSET, pick(random, [0x2000, 0x4000, 0x8000, 0x1fff, 0x3fff, 1, 2, 185, 0x2001])),
  (random, frame) => set8(frame, IP + IP_TTL, pick(random, [0, 1, 2, 255])),
  (random, frame) => set8(frame, IP + IP_PROTOCOL, pick(random, [ICMP, TCP, UDP, 0, 2, 47, 255])),
  (random, frame) => {
    if (frame.length >= IP + IP_HEADER_BYTES)
      put32(frame, IP + pick(random, [IP_SOURCE, IP_DESTINATION]), pick(random, ADDRESSES));
  },
  (random, frame) => {
    // Options, whatever they are: the header takes them from the payload.
    set8(frame, IP, 0x46 + random.below(10));
    for (let i = 0; i < 8; i++)
      set8(frame, IP + IP_OPTIONS + i, pick(random, [0, 1, 7, 0x44, 0x83, 0x89, 2, 3, 40, 255]));
  },
];

const TRANSPORT_LIES: readonly Lie[] = [
  (random, frame) => set16(frame, transportAt(frame), edge(random)),
  (random, frame) => set16(frame, transportAt(frame) + DESTINATION_PORT, edge(random)),
  (random, frame) => set16(frame, transportAt(frame) + UDP_LENGTH, edge(random)),
  (random, frame) => set8(frame, transportAt(frame) + TCP_LENGTH, random.below(256)),
  (random, frame) => set8(frame, transportAt(frame) + TCP_FLAGS, random.below(256)),
  (random, frame) => set8(frame, transportAt(frame), pick(random, [0, 3, 4, 5, 8, 11, 12, 13, 17, 255])),
  (random, frame) => set8(frame, transportAt(frame) + ICMP_CODE, random.below(16)),
  (random, frame) => {
    const tcp = transportAt(frame);
    const at = tcp + TCP_OPTIONS;
    set8(frame, tcp + TCP_LENGTH, 0x50 | (random.below(11) << 4));
    for (let i = 0; i < 8; i++) set8(frame, at + i, pick(random, [0, 1, 2, 4, 3, 255, random.below(256)]));
  },
  (random, frame) => {
    // The datagram that an ICMP error quotes.
    const at = transportAt(frame) + ICMP_HEADER_BYTES;
    const kind = random.below(4);
    if (kind < 2) set8(frame, at, 0x40 | random.below(16));
    else if (kind < 3) set16(frame, at + 2 * random.below(10), edge(random));
    else set8(frame, at + IP_PROTOCOL, pick(random, [ICMP, TCP, UDP, 0, 47]));
  },
];

const FRAME_LIES: readonly Lie[] = [
  (random, frame) => set8(frame, random.below(12), random.next()),
  (random, frame) =>
    set16(
      frame,
      ETHERNET_TYPE,
      pick(random, [ETHERTYPE_IPV4, ETHERTYPE_ARP, 0x86dd, ETHERTYPE_TAG, 0, 46, 1500]),
    ),
  (random, frame) => set16(frame, IP + 2 * random.below(4), edge(random)),
  (random, frame) => {
    for (let n = random.below(4); n >= 0; n--) {
      const at = random.below(frame.length);
      frame[at] = (frame[at] as number) ^ (1 << random.below(8));
    }
  },
];

/** Puts the checksums right as far as the frame's own lengths allow it. */
function seal(frame: Uint8Array): void {
  if (frame.length < IP + IP_HEADER_BYTES) return;
  const at = transportAt(frame);
  const end = Math.min(frame.length, IP + get16(frame, IP + IP_LENGTH));
  const protocol = frame[IP + IP_PROTOCOL] as number;
  const field =
    at + ({ [ICMP]: ICMP_CHECKSUM, [UDP]: UDP_CHECKSUM, [TCP]: TCP_CHECKSUM }[protocol] ?? frame.length);
  if (at >= IP + IP_HEADER_BYTES && field + 2 <= end) {
    put16(frame, field, 0);
    const segment = frame.subarray(at, end);
    const ends = {
      source: get32(frame, IP + IP_SOURCE),
      destination: get32(frame, IP + IP_DESTINATION),
    };
    const sum = protocol === ICMP ? internetChecksum(segment) : transportChecksum(ends, protocol, segment);
    put16(frame, field, sum);
  }
  sealIp(frame, IP);
}

/** A damaged copy of a frame; never longer than a frame may be. */
export function mutate(random: Random, original: Uint8Array): Uint8Array {
  let frame = original.slice();
  for (let n = random.below(3); n >= 0 && frame.length > 0; n--) {
    const kind = random.below(10);
    if (kind < 4) pick(random, IP_LIES)(random, frame);
    else if (kind < 7) pick(random, TRANSPORT_LIES)(random, frame);
    else if (kind < 8) pick(random, FRAME_LIES)(random, frame);
    else if (kind < 9) frame = frame.slice(0, random.below(frame.length + 1));
    else {
      const longer = new Uint8Array(Math.min(FRAME_MAX, frame.length + random.below(100))).fill(
        random.below(256),
      );
      longer.set(frame);
      frame = longer;
    }
  }
  if (random.below(4) !== 0) seal(frame);
  return frame;
}

/** Bytes that were never a frame, behind a header that gets them in or not. */
export function noise(random: Random, original: Uint8Array): Uint8Array {
  const frame = new Uint8Array(random.below(4) === 0 ? random.below(FRAME_MAX + 1) : random.below(80));
  for (let i = 0; i < frame.length; i++) frame[i] = random.next();
  frame.set(original.subarray(0, Math.min(frame.length, IP)));
  return frame;
}
