// Compression of TCP/IP headers on slow lines (RFC 1144): a known connection's header of 40 bytes goes as 3 to 19, each as what differs
// from the one before. Each way has a state of its own, VJ_BYTES.
// Not here: that both sides agreed on it (src/control/ppp/), and how a kind is marked in a frame (a protocol's number, src/wire/ppp.ts; slip.ts).
//
// A state is 64 bytes and a slot for each connection: bytes of the header (0: free), when it was used, the header as it was last.
//
// What is received is proved in length before anything is believed of it, and a packet that is refused changes no header. Behind one that is
// refused or was damaged, packets that do not say their connection are thrown away until one does (section 4.1, "toss").

import { VJ_HEADER_MOST, VJ_SLOT_BYTES, VJ_SLOT_COUNT, VJ_STATE_BYTES } from '../../base/line-limits.ts';
import { copy, fill, get8, get16, get32, i32at, put8, put16, put32, puti32 } from '../../base/memory.ts';
import {
  headerBytesOf,
  IP_DESTINATION,
  IP_FRAGMENT,
  IP_HEADER_BYTES,
  IP_ID,
  IP_LENGTH,
  IP_OFFSET,
  IP_OPTIONS,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TTL,
  IP_VERSION,
  PROTOCOL_TCP,
  sealHeader,
} from '../../wire/ipv4.ts';
import {
  PPP_IP,
  PPP_VJ_COMPRESSED,
  PPP_VJ_UNCOMPRESSED,
  VJ_ACK,
  VJ_CONNECTION,
  VJ_ID,
  VJ_LEAST_BYTES,
  VJ_PUSH,
  VJ_SEQUENCE,
  VJ_SPECIAL_DATA,
  VJ_SPECIAL_ECHO,
  VJ_SPECIALS,
  VJ_URGENT,
  VJ_WINDOW,
} from '../../wire/ppp.ts';
import {
  TCP_ACK,
  TCP_ACKNOWLEDGMENT,
  TCP_CHECKSUM,
  TCP_FLAGS,
  TCP_HEADER_BYTES,
  TCP_LENGTH,
  TCP_OPTIONS,
  TCP_PSH,
  TCP_SEQUENCE,
  TCP_STATE_MASK,
  TCP_URG,
  TCP_URGENT,
  TCP_WINDOW,
  tcpHeaderBytesOf,
} from '../../wire/tcp.ts';

/** Slots in use, 1 to VJ_SLOT_COUNT; the last connection, or -1; whether its number may be left out; whether packets without one are thrown away. */
const SLOTS: i32 = 0;
const LAST: i32 = 4;
const MAY_OMIT: i32 = 8;
const TOSS: i32 = 12;
/** Counts packets, so that the slot that was silent longest is known. */
const CLOCK: i32 = 16;
/** Of the packet that a call has made: where it begins, and its bytes. */
export const VJ_AT: i32 = 20;
export const VJ_LENGTH: i32 = 24;
// Counters. Sent: packets of TCP connections, of those compressed. Received: compressed, with their header whole, refused, thrown away.
export const VJ_PACKETS: i32 = 28;
export const VJ_COMPRESSED: i32 = 32;
export const VJ_UNCOMPRESSED: i32 = 36;
export const VJ_ERRORS: i32 = 40;
export const VJ_TOSSED: i32 = 44;
/** Fields of a compressed header while they are found: 15 bytes at most. */
const FIELDS: i32 = 48;

// A slot.
const SLOT_HEADER_BYTES: i32 = 0;
const SLOT_USED: i32 = 4;
const SLOT_HEADER: i32 = 8;

/** No packet goes compressed that differs from the last in more. */
const NOT_COMPRESSED: i32 = -1;
/** The longest field: a zero, and two bytes. */
const LONG_FIELD: i32 = 3;

/** One way's state, as of a new link. @param slots how many the peer keeps @param mayOmit 1 where a connection's number may be left out */
export function vjReset(state: i32, slots: i32, mayOmit: i32): void {
  const kept: i32 = slots < 1 ? 1 : slots > VJ_SLOT_COUNT ? VJ_SLOT_COUNT : slots;
  fill(state, 0, VJ_STATE_BYTES + kept * VJ_SLOT_BYTES);
  puti32(state + SLOTS, kept);
  puti32(state + LAST, -1);
  puti32(state + MAY_OMIT, mayOmit);
  puti32(state + TOSS, 1);
}

/** A frame was lost or damaged: whose it was is not known. */
export function vjToss(state: i32): void {
  puti32(state + TOSS, 1);
}

function slotAt(state: i32, slot: i32): i32 {
  return state + VJ_STATE_BYTES + slot * VJ_SLOT_BYTES;
}

function count(counter: i32): void {
  puti32(counter, (i32at(counter) + 1) | 0);
}

// --- compressing ---------------------------------------------------------------------------------------------------

/**
 * Compresses a datagram of `bytes` at `ip`, whose header has been checked, in place. Answers the protocol under which it goes; where it begins
 * and its bytes are at VJ_AT and VJ_LENGTH.
 */
export function vjCompress(state: i32, ip: i32, bytes: i32): i32 {
  puti32(state + VJ_AT, ip);
  puti32(state + VJ_LENGTH, bytes);
  const headerBytes: i32 = compressible(ip, bytes);
  if (headerBytes === 0) return PPP_IP;
  count(state + VJ_PACKETS);
  const known: i32 = find(state, ip);
  const slot: i32 = known >= 0 ? known : oldest(state);
  const at: i32 = slotAt(state, slot);
  const clock: i32 = (i32at(state + CLOCK) + 1) | 0;
  puti32(state + CLOCK, clock);
  puti32(at + SLOT_USED, clock);
  let changes: i32 = NOT_COMPRESSED;
  if (known >= 0 && isAlike(at, ip, headerBytes) !== 0) changes = differences(state, at + SLOT_HEADER, ip);
  puti32(at + SLOT_HEADER_BYTES, headerBytes);
  copy(at + SLOT_HEADER, ip, headerBytes);
  if (changes === NOT_COMPRESSED) {
    put8(ip + IP_PROTOCOL, slot);
    puti32(state + LAST, slot);
    return PPP_VJ_UNCOMPRESSED;
  }
  write(state, slot, changes, ip, headerBytes);
  return PPP_VJ_COMPRESSED;
}

/** Bytes of both headers of a whole segment of an open connection; 0 for any other datagram. */
function compressible(ip: i32, bytes: i32): i32 {
  if (bytes < IP_HEADER_BYTES + TCP_HEADER_BYTES || get8(ip + IP_PROTOCOL) !== PROTOCOL_TCP) return 0;
  if ((get16(ip + IP_OFFSET) & IP_FRAGMENT) !== 0 || get16(ip + IP_LENGTH) !== bytes) return 0;
  const headerBytes: i32 = bothBytes(ip, bytes);
  if (headerBytes === 0) return 0;
  return (get8(ip + headerBytesOf(ip) + TCP_FLAGS) & TCP_STATE_MASK) === TCP_ACK ? headerBytes : 0;
}

/** Bytes of IP's and TCP's header at `ip`, of which `bytes` are there; 0 where they are not whole. */
function bothBytes(ip: i32, bytes: i32): i32 {
  if (bytes < IP_HEADER_BYTES + TCP_HEADER_BYTES || get8(ip + IP_VERSION) >>> 4 !== 4) return 0;
  const ipBytes: i32 = headerBytesOf(ip);
  if (ipBytes < IP_HEADER_BYTES || ipBytes + TCP_HEADER_BYTES > bytes) return 0;
  const tcpBytes: i32 = tcpHeaderBytesOf(ip + ipBytes);
  if (tcpBytes < TCP_HEADER_BYTES || ipBytes + tcpBytes > bytes) return 0;
  return ipBytes + tcpBytes;
}

/** The slot of the connection, or -1. */
function find(state: i32, ip: i32): i32 {
  const source: i32 = get32(ip + IP_SOURCE);
  const destination: i32 = get32(ip + IP_DESTINATION);
  const ports: i32 = get32(ip + headerBytesOf(ip));
  const last: i32 = i32at(state + LAST);
  if (last >= 0 && isOf(slotAt(state, last), source, destination, ports) !== 0) return last;
  const slots: i32 = i32at(state + SLOTS);
  for (let slot: i32 = 0; slot < VJ_SLOT_COUNT; slot++) {
    if (slot >= slots) return -1;
    if (isOf(slotAt(state, slot), source, destination, ports) !== 0) return slot;
  }
  return -1;
}

function isOf(at: i32, source: i32, destination: i32, ports: i32): i32 {
  if (i32at(at + SLOT_HEADER_BYTES) === 0) return 0;
  const ip: i32 = at + SLOT_HEADER;
  if (get32(ip + IP_DESTINATION) !== destination || get32(ip + IP_SOURCE) !== source) return 0;
  return get32(ip + headerBytesOf(ip)) === ports ? 1 : 0;
}

/** The slot that was used longest ago, a free one first. */
function oldest(state: i32): i32 {
  const clock: i32 = i32at(state + CLOCK);
  const slots: i32 = i32at(state + SLOTS);
  let best: i32 = 0;
  let bestAge: i32 = -1;
  for (let slot: i32 = 0; slot < VJ_SLOT_COUNT; slot++) {
    if (slot >= slots) return best;
    const at: i32 = slotAt(state, slot);
    if (i32at(at + SLOT_HEADER_BYTES) === 0) return slot;
    const age: i32 = (clock - i32at(at + SLOT_USED)) & 0x7fffffff;
    if (age > bestAge) {
      best = slot;
      bestAge = age;
    }
  }
  return best;
}

/** Whether all is as it was that a compressed header cannot say: also the flags that it has no bit for, such as those of ECN. */
function isAlike(at: i32, ip: i32, headerBytes: i32): i32 {
  if (i32at(at + SLOT_HEADER_BYTES) !== headerBytes) return 0;
  const old: i32 = at + SLOT_HEADER;
  const ipBytes: i32 = headerBytesOf(ip);
  if (get16(old + IP_VERSION) !== get16(ip + IP_VERSION) || get16(old + IP_OFFSET) !== get16(ip + IP_OFFSET))
    return 0;
  if (get8(old + IP_TTL) !== get8(ip + IP_TTL)) return 0;
  const flags: i32 = get16(old + ipBytes + TCP_LENGTH) ^ get16(ip + ipBytes + TCP_LENGTH);
  if ((flags & ~(TCP_PSH | TCP_URG)) !== 0) return 0;
  for (let n: i32 = IP_OPTIONS; n < ipBytes; n += 4) {
    if (get32(old + n) !== get32(ip + n)) return 0;
  }
  for (let n: i32 = ipBytes + TCP_OPTIONS; n < headerBytes; n += 4) {
    if (get32(old + n) !== get32(ip + n)) return 0;
  }
  return 1;
}

/** Puts what differs from the old header into FIELDS, and answers the first byte's bits; NOT_COMPRESSED where it cannot be said. */
function differences(state: i32, old: i32, ip: i32): i32 {
  const ipBytes: i32 = headerBytesOf(ip);
  const tcp: i32 = ip + ipBytes;
  const before: i32 = old + ipBytes;
  let at: i32 = state + FIELDS;
  let changes: i32 = 0;
  if ((get8(tcp + TCP_FLAGS) & TCP_URG) !== 0) {
    at = field(at, get16(tcp + TCP_URGENT));
    changes = VJ_URGENT;
  } else if (get16(tcp + TCP_URGENT) !== get16(before + TCP_URGENT)) {
    return NOT_COMPRESSED;
  }
  const window: i32 = (get16(tcp + TCP_WINDOW) - get16(before + TCP_WINDOW)) & 0xffff;
  if (window !== 0) {
    at = field(at, window);
    changes |= VJ_WINDOW;
  }
  const acknowledged: i32 = (get32(tcp + TCP_ACKNOWLEDGMENT) - get32(before + TCP_ACKNOWLEDGMENT)) | 0;
  const sent: i32 = (get32(tcp + TCP_SEQUENCE) - get32(before + TCP_SEQUENCE)) | 0;
  if (acknowledged >>> 16 !== 0 || sent >>> 16 !== 0) return NOT_COMPRESSED;
  if (acknowledged !== 0) {
    at = field(at, acknowledged);
    changes |= VJ_ACK;
  }
  if (sent !== 0) {
    at = field(at, sent);
    changes |= VJ_SEQUENCE;
  }
  const special: i32 = specialOf(changes, old, ip, acknowledged, sent);
  if (special === NOT_COMPRESSED) return NOT_COMPRESSED;
  if (special !== changes) {
    at = state + FIELDS;
    changes = special;
  }
  const identification: i32 = (get16(ip + IP_ID) - get16(old + IP_ID)) & 0xffff;
  if (identification !== 1) {
    at = field(at, identification);
    changes |= VJ_ID;
  }
  if ((get8(tcp + TCP_FLAGS) & TCP_PSH) !== 0) changes |= VJ_PUSH;
  puti32(state + VJ_LENGTH, at - state - FIELDS);
  return changes;
}

/** The set of fields under which these changes go. */
function specialOf(changes: i32, old: i32, ip: i32, acknowledged: i32, sent: i32): i32 {
  const data: i32 = get16(old + IP_LENGTH) - bothBytes(old, VJ_HEADER_MOST);
  // Nothing new: data behind an acknowledgment of the same numbers. Else it is sent again, as the peer may have missed it.
  if (changes === 0)
    return data === 0 && get16(ip + IP_LENGTH) !== get16(old + IP_LENGTH) ? 0 : NOT_COMPRESSED;
  // What would be read as one of the two that stand for others.
  if (changes === VJ_SPECIAL_ECHO || changes === VJ_SPECIAL_DATA) return NOT_COMPRESSED;
  if (changes === (VJ_SEQUENCE | VJ_ACK) && sent === acknowledged && sent === data) return VJ_SPECIAL_ECHO;
  if (changes === VJ_SEQUENCE && sent === data) return VJ_SPECIAL_DATA;
  return changes;
}

/** Writes a field of 16 bits: the place behind it. */
function field(at: i32, value: i32): i32 {
  if (value !== 0 && value < 256) {
    put8(at, value);
    return at + 1;
  }
  put8(at, 0);
  put16(at + 1, value);
  return at + LONG_FIELD;
}

/** Writes the compressed header right before the data. */
function write(state: i32, slot: i32, changes: i32, ip: i32, headerBytes: i32): void {
  const fields: i32 = i32at(state + VJ_LENGTH);
  const sum: i32 = get16(ip + headerBytesOf(ip) + TCP_CHECKSUM);
  const says: i32 = i32at(state + MAY_OMIT) === 0 || i32at(state + LAST) !== slot ? 1 : 0;
  const bytes: i32 = get16(ip + IP_LENGTH) - headerBytes;
  const from: i32 = ip + headerBytes - VJ_LEAST_BYTES - says - fields;
  put8(from, says !== 0 ? changes | VJ_CONNECTION : changes);
  if (says !== 0) put8(from + 1, slot);
  put16(from + 1 + says, sum);
  copy(from + VJ_LEAST_BYTES + says, state + FIELDS, fields);
  puti32(state + LAST, slot);
  puti32(state + VJ_AT, from);
  puti32(state + VJ_LENGTH, ip + headerBytes - from + bytes);
  count(state + VJ_COMPRESSED);
}

// --- uncompressing ---------------------------------------------------------------------------------------------------

/** Takes a packet that came with its header whole. Answers 1 if it is a datagram now, or 0: it is to be dropped. */
export function vjWhole(state: i32, at: i32, bytes: i32): i32 {
  const headerBytes: i32 = bothBytes(at, bytes);
  if (headerBytes === 0) return refuse(state);
  const slot: i32 = get8(at + IP_PROTOCOL);
  const length: i32 = get16(at + IP_LENGTH);
  if (slot >= i32at(state + SLOTS) || length < headerBytes || length > bytes) return refuse(state);
  put8(at + IP_PROTOCOL, PROTOCOL_TCP);
  puti32(slotAt(state, slot) + SLOT_HEADER_BYTES, headerBytes);
  copy(slotAt(state, slot) + SLOT_HEADER, at, headerBytes);
  puti32(state + LAST, slot);
  puti32(state + TOSS, 0);
  puti32(state + VJ_AT, at);
  puti32(state + VJ_LENGTH, bytes);
  count(state + VJ_UNCOMPRESSED);
  return 1;
}

/**
 * Makes a datagram again of a compressed packet of `bytes` at `at`, in place, where there is room for `room`. Answers 1, with VJ_AT and
 * VJ_LENGTH, or 0: it is to be dropped.
 */
export function vjUncompress(state: i32, at: i32, bytes: i32, room: i32): i32 {
  if (bytes < VJ_LEAST_BYTES) return refuse(state);
  const changes: i32 = get8(at);
  const says: i32 = (changes & VJ_CONNECTION) !== 0 ? 1 : 0;
  if (says === 0 && i32at(state + TOSS) !== 0) {
    count(state + VJ_TOSSED);
    return 0;
  }
  const slot: i32 = says !== 0 ? get8(at + 1) : i32at(state + LAST);
  if (slot < 0 || slot >= i32at(state + SLOTS)) return refuse(state);
  const place: i32 = slotAt(state, slot);
  const headerBytes: i32 = i32at(place + SLOT_HEADER_BYTES);
  const fields: i32 = at + VJ_LEAST_BYTES + says;
  const end: i32 = at + bytes;
  const data: i32 = fieldsEnd(changes, fields, end);
  if (headerBytes === 0 || data === 0 || headerBytes + end - data > room) return refuse(state);
  puti32(state + LAST, slot);
  puti32(state + TOSS, 0);
  const header: i32 = place + SLOT_HEADER;
  put16(header + headerBytesOf(header) + TCP_CHECKSUM, get16(fields - 2));
  apply(header, changes, fields, get16(header + IP_LENGTH) - headerBytes);
  put16(header + IP_LENGTH, headerBytes + end - data);
  sealHeader(header);
  copy(at + headerBytes, data, end - data);
  copy(at, header, headerBytes);
  puti32(state + VJ_AT, at);
  puti32(state + VJ_LENGTH, headerBytes + end - data);
  count(state + VJ_COMPRESSED);
  return 1;
}

function refuse(state: i32): i32 {
  count(state + VJ_ERRORS);
  puti32(state + TOSS, 1);
  return 0;
}

/** Where the data begin behind the fields that the first byte promises; 0 if these end behind `end`. */
function fieldsEnd(changes: i32, fields: i32, end: i32): i32 {
  const specials: i32 = changes & VJ_SPECIALS;
  let left: i32 = (changes & VJ_ID) !== 0 ? 1 : 0;
  if (specials !== VJ_SPECIAL_ECHO && specials !== VJ_SPECIAL_DATA) {
    left += (specials & 1) + ((specials >> 1) & 1) + ((specials >> 2) & 1) + (specials >> 3);
  }
  let at: i32 = fields;
  for (let n: i32 = 0; n < left; n++) {
    if (at >= end) return 0;
    at += fieldBytes(at);
  }
  return at <= end ? at : 0;
}

function fieldBytes(at: i32): i32 {
  return get8(at) === 0 ? LONG_FIELD : 1;
}

function fieldOf(at: i32): i32 {
  const first: i32 = get8(at);
  return first === 0 ? get16(at + 1) : first;
}

/** Brings a header on by a packet's fields; `data` are the bytes that the last packet carried. */
function apply(header: i32, changes: i32, fields: i32, data: i32): void {
  const tcp: i32 = header + headerBytesOf(header);
  const specials: i32 = changes & VJ_SPECIALS;
  let flags: i32 = get8(tcp + TCP_FLAGS) & ~(TCP_PSH | TCP_URG);
  let at: i32 = fields;
  let acknowledged: i32 = 0;
  let sent: i32 = 0;
  if (specials === VJ_SPECIAL_ECHO || specials === VJ_SPECIAL_DATA) {
    sent = data;
    if (specials === VJ_SPECIAL_ECHO) acknowledged = data;
  } else {
    if ((specials & VJ_URGENT) !== 0) {
      flags |= TCP_URG;
      put16(tcp + TCP_URGENT, fieldOf(at));
      at += fieldBytes(at);
    }
    if ((specials & VJ_WINDOW) !== 0) {
      put16(tcp + TCP_WINDOW, get16(tcp + TCP_WINDOW) + fieldOf(at));
      at += fieldBytes(at);
    }
    if ((specials & VJ_ACK) !== 0) {
      acknowledged = fieldOf(at);
      at += fieldBytes(at);
    }
    if ((specials & VJ_SEQUENCE) !== 0) {
      sent = fieldOf(at);
      at += fieldBytes(at);
    }
  }
  put32(tcp + TCP_ACKNOWLEDGMENT, (get32(tcp + TCP_ACKNOWLEDGMENT) + acknowledged) | 0);
  put32(tcp + TCP_SEQUENCE, (get32(tcp + TCP_SEQUENCE) + sent) | 0);
  put8(tcp + TCP_FLAGS, (changes & VJ_PUSH) !== 0 ? flags | TCP_PSH : flags);
  const identification: i32 = (changes & VJ_ID) !== 0 ? fieldOf(at) : 1;
  put16(header + IP_ID, get16(header + IP_ID) + identification);
}
