// Damage to frames, by a seed: bits, lengths, and lies in fields, with the checksums put right again or not, so that
// what is behind the checksums is reached too.

import { FRAME_MAX } from '../../src/base/limits.ts';
import { checksum, ETHERNET, put16, put32, sealIp } from '../../src/control/debug/frames.ts';
import type { Random } from '../../src/control/debug/random.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../../src/wire/ipv4.ts';

const IP = ETHERNET;

/** The transport header, where the frame's own IHL says that it is. */
function transportAt(frame: Uint8Array): number {
  return IP + (((frame[IP] ?? 0) & 15) << 2);
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
  (random, frame) => set16(frame, IP + 2, edge(random)),
  (random, frame) => set16(frame, IP + 2, frame.length - IP + random.below(9) - 4),
  (random, frame) => set16(frame, IP + 6, edge(random)),
  (random, frame) =>
    set16(frame, IP + 6, pick(random, [0x2000, 0x4000, 0x8000, 0x1fff, 0x3fff, 1, 2, 185, 0x2001])),
  (random, frame) => set8(frame, IP + 8, pick(random, [0, 1, 2, 255])),
  (random, frame) => set8(frame, IP + 9, pick(random, [ICMP, TCP, UDP, 0, 2, 47, 255])),
  (random, frame) => {
    if (frame.length >= IP + 20) put32(frame, pick(random, [IP + 12, IP + 16]), pick(random, ADDRESSES));
  },
  (random, frame) => {
    // Options, whatever they are: the header takes them from the payload.
    set8(frame, IP, 0x46 + random.below(10));
    for (let i = 0; i < 8; i++)
      set8(frame, IP + 20 + i, pick(random, [0, 1, 7, 0x44, 0x83, 0x89, 2, 3, 40, 255]));
  },
];

const TRANSPORT_LIES: readonly Lie[] = [
  (random, frame) => set16(frame, transportAt(frame), edge(random)),
  (random, frame) => set16(frame, transportAt(frame) + 2, edge(random)),
  (random, frame) => set16(frame, transportAt(frame) + 4, edge(random)),
  (random, frame) => set8(frame, transportAt(frame) + 12, random.below(256)),
  (random, frame) => set8(frame, transportAt(frame) + 13, random.below(256)),
  (random, frame) => set8(frame, transportAt(frame), pick(random, [0, 3, 4, 5, 8, 11, 12, 13, 17, 255])),
  (random, frame) => set8(frame, transportAt(frame) + 1, random.below(16)),
  (random, frame) => {
    const at = transportAt(frame) + 20;
    set8(frame, at - 8, 0x50 | (random.below(11) << 4));
    for (let i = 0; i < 8; i++) set8(frame, at + i, pick(random, [0, 1, 2, 4, 3, 255, random.below(256)]));
  },
  (random, frame) => {
    // The datagram that an ICMP error quotes.
    const at = transportAt(frame) + 8;
    const kind = random.below(4);
    if (kind < 2) set8(frame, at, 0x40 | random.below(16));
    else if (kind < 3) set16(frame, at + 2 * random.below(10), edge(random));
    else set8(frame, at + 9, pick(random, [ICMP, TCP, UDP, 0, 47]));
  },
];

const FRAME_LIES: readonly Lie[] = [
  (random, frame) => set8(frame, random.below(12), random.next()),
  (random, frame) => set16(frame, 12, pick(random, [0x0800, 0x0806, 0x86dd, 0x8100, 0, 46, 1500])),
  (random, frame) => set16(frame, 14 + 2 * random.below(4), edge(random)),
  (random, frame) => {
    for (let n = random.below(4); n >= 0; n--) {
      const at = random.below(frame.length);
      frame[at] = (frame[at] as number) ^ (1 << random.below(8));
    }
  },
];

/** Puts the checksums right as far as the frame's own lengths allow it. */
function seal(frame: Uint8Array): void {
  if (frame.length < IP + 20) return;
  const at = transportAt(frame);
  const end = Math.min(frame.length, IP + (((frame[IP + 2] as number) << 8) | (frame[IP + 3] as number)));
  const protocol = frame[IP + 9] as number;
  const field =
    protocol === ICMP ? at + 2 : protocol === UDP ? at + 6 : protocol === TCP ? at + 16 : frame.length;
  if (at >= IP + 20 && field + 2 <= end) {
    put16(frame, field, 0);
    let start = 0;
    if (protocol !== ICMP) {
      start = protocol + end - at;
      for (let i = IP + 12; i < IP + 20; i += 2)
        start += ((frame[i] as number) << 8) | (frame[i + 1] as number);
    }
    put16(frame, field, checksum(frame, at, end, start));
  }
  sealIp(frame);
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
  frame.set(original.subarray(0, Math.min(frame.length, 14)));
  return frame;
}
