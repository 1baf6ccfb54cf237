// One frame out of the DP8390's ring: what its header must say, its bytes, and the pages given back behind it.
// DP8390D data sheet, July 1995, section 7.0 ("Removing packets from the ring").
// Not here: when a frame is taken, and what becomes of a ring that is out of order (dp8390.ts).

import { FRAME_MAX, FRAME_TAGGED_MAX } from '../../src/base/limits.ts';
import { get16, puti32, u16at } from '../../src/base/memory.ts';
import { PACKET_FRAME } from '../../src/base/packet.ts';
import { ETHERNET_TYPE, ETHERTYPE_TAG } from '../../src/wire/ethernet.ts';
import { out8 } from '../ports.ts';
import { FRAME_MIN, NIC_SCRATCH } from './card.ts';
import { remoteDone, remoteRead } from './dp8390-dma.ts';
import * as R from './dp8390-registers.ts';

/** Bytes of the first remote DMA of a frame: the chip's header and the shortest frame. */
const FIRST_BYTES: i32 = R.HEADER_BYTES + FRAME_MIN;
/** takeFrame(): a frame to be skipped; the ring is out of order; the remote DMA did not end. */
export const FRAME_BAD: i32 = 0;
export const RING_BAD: i32 = -1;
export const DMA_STUCK: i32 = -2;

/** Reads the frame at `page` into a packet: its length, or FRAME_BAD, RING_BAD, DMA_STUCK. */
export function takeFrame(at: i32, port: i32, page: i32, packet: i32): i32 {
  const header: i32 = packet + PACKET_FRAME - R.HEADER_BYTES;
  remoteRead(at, page << 8, header, FIRST_BYTES);
  const status: i32 = u16at(header);
  const next: i32 = status >>> 8;
  const length: i32 = u16at(header + 2) - R.CHECKSUM_BYTES;
  if (linked(page, next, length) === 0) return remoteDone(port) === 0 ? DMA_STUCK : RING_BAD;
  let good: i32 = (status & R.STATUS_ERRORS) === R.STATUS_PRX ? 1 : 0;
  if (length < FRAME_MIN || (length > FRAME_MAX && isTagged(packet + PACKET_FRAME, length) === 0)) good = 0;
  if (good !== 0 && length > FRAME_MIN) {
    out8(port + R.ISR, R.ISR_RDC);
    readRest(at, port, page, packet + PACKET_FRAME + FRAME_MIN, length - FRAME_MIN);
  }
  if (remoteDone(port) === 0) return DMA_STUCK;
  advance(at, port, next);
  return good === 0 ? FRAME_BAD : length;
}

/** 1 if a frame, its first bytes there, is so long because of a tag. */
export function isTagged(frame: i32, length: i32): i32 {
  return length <= FRAME_TAGGED_MAX && get16(frame + ETHERNET_TYPE) === ETHERTYPE_TAG ? 1 : 0;
}

/** Reads what follows a frame's first 60 bytes, in two pieces where the ring ends between. */
function readRest(at: i32, port: i32, page: i32, p: i32, length: i32): void {
  const from: i32 = (page << 8) + FIRST_BYTES;
  const bytes: i32 = (length + 1) & ~1;
  const room: i32 = (R.RING_STOP << 8) - from;
  if (bytes <= room) {
    remoteRead(at, from, p, bytes);
    return;
  }
  remoteRead(at, from, p, room);
  out8(port + R.ISR, R.ISR_RDC);
  remoteRead(at, R.RING_START << 8, p + room, bytes - room);
}

/** Passes over a frame for which there is no buffer: FRAME_BAD, RING_BAD or DMA_STUCK. */
export function skipFrame(at: i32, port: i32, page: i32): i32 {
  const header: i32 = at + NIC_SCRATCH;
  remoteRead(at, page << 8, header, R.HEADER_BYTES);
  if (remoteDone(port) === 0) return DMA_STUCK;
  const next: i32 = u16at(header) >>> 8;
  const length: i32 = u16at(header + 2) - R.CHECKSUM_BYTES;
  if (linked(page, next, length) === 0) return RING_BAD;
  advance(at, port, next);
  return FRAME_BAD;
}

/**
 * Whether a header's next page agrees with its length. Header, frame and checksum are rounded up to pages; where
 * the checksum alone would need another page, some chips take it and some do not.
 */
function linked(page: i32, next: i32, length: i32): i32 {
  const pages: i32 = ((length + R.HEADER_BYTES) >> 8) + 1;
  if (length < 0 || pages >= R.RING_PAGES) return 0;
  let expected: i32 = page + pages;
  if (expected >= R.RING_STOP) expected -= R.RING_PAGES;
  if (next === expected) return 1;
  expected += 1;
  if (expected === R.RING_STOP) expected = R.RING_START;
  return next === expected ? 1 : 0;
}

/** Gives the pages before `next` back to the chip. BNRY stays one page behind. */
function advance(at: i32, port: i32, next: i32): void {
  puti32(at + R.DP_NEXT, next);
  out8(port + R.BNRY, next === R.RING_START ? R.RING_STOP - 1 : next - 1);
}
