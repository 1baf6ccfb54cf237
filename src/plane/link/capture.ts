// Copies of the frames that come and go, for control to show: a ring of records, bounded, behind a filter. Off, it
// costs a frame one load and one comparison, where it is called; on, a copy of at most the snap length. When the ring
// is full the copy is not made and counted: a capture never delays a packet.
//
// A filter is a row of terms, all of which must hold. Fields are read from the frame alone, as nothing of it has been
// checked yet: what is cut short has none of the fields that it lacks. On a serial line PPP's protocol, and on SLIP's IP, stands for Ethernet's type.
// Not here: the records (src/base/capture-record.ts), what is typed and shown (src/control/tools/).

import {
  CAPTURE_DROPPED_AT,
  HEADER_ETHERNET,
  HEADER_NONE,
  HEADER_PPP,
  RECORD_CAPTURED,
  RECORD_DIRECTION,
  RECORD_HEADER,
  RECORD_INTERFACE,
  RECORD_LENGTH,
  RECORD_TICK,
  TERM_ADDRESS,
  TERM_DESTINATION,
  TERM_DIRECTION,
  TERM_ETHERTYPE,
  TERM_NOT,
  TERM_PROTOCOL,
  TERM_SOURCE,
} from '../../base/capture-record.ts';
import { NOW_AT } from '../../base/cells.ts';
import {
  DEVICE_SESSION,
  IF_DEVICE,
  IF_LINK,
  IF_NUMBER,
  interfaceAt,
  LINK_ETHERNET,
} from '../../base/interface.ts';
import {
  CAPTURE_AT,
  CAPTURE_BYTES,
  CAPTURE_RECORD_BYTES,
  CAPTURE_STATE_AT,
  CAPTURE_STATE_BYTES,
  CAPTURE_TERM_COUNT,
  FRAME_TAGGED_MAX,
} from '../../base/limits.ts';
import { LINE_KIND, LINE_PPP, lineAt } from '../../base/line-record.ts';
import { copy, fill, get8, get16, get32, i32at, put8, puti32, putu16 } from '../../base/memory.ts';
import { frameAt, frameBytes } from '../../base/packet.ts';
import { ARP_BYTES, ARP_SENDER, ARP_TARGET } from '../../wire/arp.ts';
import {
  ETHERNET_HEADER_BYTES,
  ETHERNET_TYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_TAG,
  TAG_BYTES,
} from '../../wire/ethernet.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  SOURCE_PORT,
} from '../../wire/ipv4.ts';
import { PPP_IP } from '../../wire/ppp.ts';

/** Interfaces that are captured, a bit each; 0 is off. */
export const CAPTURE_MASK_AT: i32 = CAPTURE_STATE_AT;
const SNAP_AT: i32 = CAPTURE_STATE_AT + 4;
/** Where the plane writes and control reads: offsets in the ring; it is empty when they are equal. */
const HEAD_AT: i32 = CAPTURE_STATE_AT + 8;
const TAIL_AT: i32 = CAPTURE_STATE_AT + 12;
/** Frames that the filter let pass, and those of them for which there was no room. */
export const CAPTURE_MATCHED_AT: i32 = CAPTURE_STATE_AT + 16;
const TERMS_AT: i32 = CAPTURE_STATE_AT + 24;
const FIRST_TERM_AT: i32 = CAPTURE_STATE_AT + 32;
/** Kind, value, mask. */
const TERM_BYTES: i32 = 12;

const TERM_KIND: i32 = 15;
/** Of a frame of PPP's as a capture has it. */
const POINT_HEADER_BYTES: i32 = 4;
const POINT_PROTOCOL: i32 = 2;

/** Off, with nothing in the ring. */
export function captureStop(): void {
  fill(CAPTURE_STATE_AT, 0, CAPTURE_STATE_BYTES);
}

/** Adds a term to the filter of a capture that has not started: 1, or 0 if there is no room. */
export function captureTerm(kind: i32, value: i32, mask: i32): i32 {
  const count: i32 = i32at(TERMS_AT);
  if (count >= CAPTURE_TERM_COUNT) return 0;
  const at: i32 = FIRST_TERM_AT + count * TERM_BYTES;
  puti32(at, kind);
  puti32(at + 4, value);
  puti32(at + 8, mask);
  puti32(TERMS_AT, count + 1);
  return 1;
}

/** Copies from now on what comes and goes by the interfaces of the mask, at most `snap` bytes of a frame. */
export function captureStart(mask: i32, snap: i32): void {
  puti32(SNAP_AT, snap < 1 || snap > FRAME_TAGGED_MAX ? FRAME_TAGGED_MAX : snap);
  puti32(CAPTURE_MASK_AT, mask);
}

/** Address of the oldest record, or 0. */
export function captureNext(): i32 {
  const tail: i32 = i32at(TAIL_AT);
  if (tail === i32at(HEAD_AT)) return 0;
  if (i32at(CAPTURE_AT + tail) !== 0) return CAPTURE_AT + tail;
  puti32(TAIL_AT, 0);
  return CAPTURE_AT; // the plane skips the end only to write a record at the start
}

/** Gives the oldest record's room back. */
export function captureDone(): void {
  const record: i32 = captureNext();
  if (record !== 0) puti32(TAIL_AT, record - CAPTURE_AT + i32at(record));
}

/** A frame comes or goes: for when CAPTURE_MASK_AT is not 0. */
export function capture(packet: i32, index: i32, direction: i32): void {
  if (((i32at(CAPTURE_MASK_AT) >> index) & 1) === 0) return;
  const frame: i32 = frameAt(packet);
  const length: i32 = frameBytes(packet);
  const header: i32 = captureHeader(index);
  const terms: i32 = i32at(TERMS_AT);
  for (let i: i32 = 0; i < CAPTURE_TERM_COUNT; i++) {
    if (i < terms && holds(FIRST_TERM_AT + i * TERM_BYTES, frame, length, direction, header) === 0) return;
  }
  puti32(CAPTURE_MATCHED_AT, (i32at(CAPTURE_MATCHED_AT) + 1) | 0);
  const snap: i32 = i32at(SNAP_AT);
  const captured: i32 = length < snap ? length : snap;
  const bytes: i32 = (CAPTURE_RECORD_BYTES + captured + 3) & ~3;
  const at: i32 = room(bytes);
  if (at < 0) {
    puti32(CAPTURE_DROPPED_AT, (i32at(CAPTURE_DROPPED_AT) + 1) | 0);
    return;
  }
  const record: i32 = CAPTURE_AT + at;
  puti32(record + RECORD_TICK, i32at(NOW_AT));
  putu16(record + RECORD_CAPTURED, captured);
  putu16(record + RECORD_LENGTH, length);
  put8(record + RECORD_INTERFACE, index);
  put8(record + RECORD_DIRECTION, direction);
  put8(record + RECORD_HEADER, header);
  copy(record + CAPTURE_RECORD_BYTES, frame, captured);
  puti32(record, bytes);
  puti32(HEAD_AT, at + bytes);
}

/** How the frames of a link begin, HEADER_*. */
export function captureHeader(index: i32): i32 {
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_LINK) === LINK_ETHERNET) return HEADER_ETHERNET;
  if (i32at(at + IF_DEVICE) === DEVICE_SESSION) return HEADER_PPP;
  return i32at(lineAt(i32at(at + IF_NUMBER)) + LINE_KIND) === LINE_PPP ? HEADER_PPP : HEADER_NONE;
}

/** Offset of room for a record, or -1. The head never meets the tail, which would look empty, nor the ring's end. */
function room(bytes: i32): i32 {
  const head: i32 = i32at(HEAD_AT);
  const tail: i32 = i32at(TAIL_AT);
  if (head < tail) return head + bytes < tail ? head : -1;
  if (head + bytes < CAPTURE_BYTES) return head;
  if (bytes >= tail) return -1;
  puti32(CAPTURE_AT + head, 0);
  return 0;
}

/** 1 if a term holds. */
function holds(term: i32, frame: i32, length: i32, direction: i32, header: i32): i32 {
  const kind: i32 = i32at(term);
  const value: i32 = i32at(term + 4);
  let is: i32 = 0;
  if ((kind & TERM_KIND) === TERM_DIRECTION) is = value === direction ? 1 : 0;
  else if (header === HEADER_NONE) is = datagramHolds(term, kind, value, frame, length);
  else if (header === HEADER_PPP)
    is =
      length >= POINT_HEADER_BYTES && get16(frame + POINT_PROTOCOL) === PPP_IP
        ? datagramHolds(term, kind, value, frame + POINT_HEADER_BYTES, length - POINT_HEADER_BYTES)
        : 0;
  else if (length >= ETHERNET_HEADER_BYTES + TAG_BYTES && get16(frame + ETHERNET_TYPE) === ETHERTYPE_TAG)
    // What is behind the tag counts; it lies as a frame's would that begins four bytes later.
    is = frameHolds(term, kind, value, frame + TAG_BYTES, length - TAG_BYTES);
  else if (length >= ETHERNET_HEADER_BYTES) is = frameHolds(term, kind, value, frame, length);
  return (kind & TERM_NOT) !== 0 ? 1 - is : is;
}

function frameHolds(term: i32, kind: i32, value: i32, frame: i32, length: i32): i32 {
  const type: i32 = get16(frame + ETHERNET_TYPE);
  const what: i32 = kind & TERM_KIND;
  if (what === TERM_ETHERTYPE) return type === value ? 1 : 0;
  const ip: i32 = frame + ETHERNET_HEADER_BYTES;
  const bytes: i32 = length - ETHERNET_HEADER_BYTES;
  if (type === ETHERTYPE_ARP && what === TERM_ADDRESS && bytes >= ARP_BYTES) {
    return either(kind, value, i32at(term + 8), get32(ip + ARP_SENDER), get32(ip + ARP_TARGET));
  }
  return type === ETHERTYPE_IPV4 ? datagramHolds(term, kind, value, ip, bytes) : 0;
}

/** The same of `bytes` of a datagram. */
function datagramHolds(term: i32, kind: i32, value: i32, ip: i32, bytes: i32): i32 {
  const what: i32 = kind & TERM_KIND;
  if (what === TERM_ETHERTYPE) return value === ETHERTYPE_IPV4 ? 1 : 0;
  if (bytes < IP_HEADER_BYTES) return 0;
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  if (what === TERM_PROTOCOL) return protocol === value ? 1 : 0;
  if (what === TERM_ADDRESS) {
    return either(kind, value, i32at(term + 8), get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION));
  }
  // Ports, which only a datagram's first fragment has.
  const headerBytes: i32 = headerBytesOf(ip);
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return 0;
  if ((get16(ip + IP_OFFSET) & IP_OFFSET_UNITS) !== 0 || bytes < headerBytes + 4) return 0;
  return either(
    kind,
    value,
    -1,
    get16(ip + headerBytes + SOURCE_PORT),
    get16(ip + headerBytes + DESTINATION_PORT),
  );
}

/** 1 if the source or the destination, whichever counts, is the value under the mask. */
function either(kind: i32, value: i32, mask: i32, source: i32, destination: i32): i32 {
  if ((kind & TERM_DESTINATION) === 0 && ((source ^ value) & mask) === 0) return 1;
  return (kind & TERM_SOURCE) === 0 && ((destination ^ value) & mask) === 0 ? 1 : 0;
}
