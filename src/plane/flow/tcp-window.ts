// Where both sides of a TCP session are, so that a segment that ends it counts only if it is near: against blind RSTs
// and FINs (the idea of RFC 5961, at a translator), and so that true data can undo a forged one.
//
// For each side two numbers are kept: the last acknowledgment that it has sent, which is what it expects next
// (RCV.NXT of RFC 9293), and the highest sequence number that it has sent.
//
//    E_SEQUENCE  0             4              8            12
//                | inside: ack | inside: seq  | outside: ack | outside: seq |
//
// They are set by the handshake: the SYN,ACK must acknowledge the SYN. A session whose beginning we have missed takes
// them from the inside's first segment. From then on a segment is NEAR if its sequence number is a window at most
// from what the other side expects, and its acknowledgment a window at most from the last. Only such segments move
// the numbers, and no acknowledgment counts that is ahead of what was sent. A window is 65,535 shifted by the larger
// of the two scales of the handshake (RFC 7323; both must have offered one), or by 8 if that was not seen.
//
// An RST counts within 2 KiB of what is expected, or of what has been sent up to four segments ahead of it: a blind
// guess hits one time in a million, and one time in 400,000 after tens of thousands of forged segments of which one was
// near. An RST further ahead, behind data under way, is answered by a host that follows RFC 5961, and the RST that
// comes then counts. A FIN
// counts to 16 KiB behind what has been sent, for segments before it may have been lost on their way to us, and if its
// acknowledgment is near, too. What does not count is passed on all the same: the host knows better than we (a
// translator is no firewall), and a peer that has really gone answers the next segment with an RST that counts.
// Not here: the states (tcp-rfc.ts, tcp-classic.ts), timers (flow-timeout.ts).

import { E_ADDRESS, E_SEQUENCE } from '../../base/flow-record.ts';
import { get8, get32, i32at, put8, puti32 } from '../../base/memory.ts';
import {
  TCP_ACK,
  TCP_ACKNOWLEDGMENT,
  TCP_OPTION_END,
  TCP_OPTION_NONE,
  TCP_OPTIONS,
  TCP_SEQUENCE,
  tcpHeaderBytesOf,
} from '../../wire/tcp.ts';
import { OUTBOUND } from './tcp-rfc.ts';

/** Where a direction's two numbers stand in an entry, and together with the other's. */
export const OUT_SIDE: i32 = E_SEQUENCE;
export const IN_SIDE: i32 = E_SEQUENCE + 8;
const BOTH_SIDES: i32 = OUT_SIDE + IN_SIDE;
/** Of a side: its last acknowledgment is at 0, its highest sequence number here. */
const SEQ: i32 = 4;

// Low bits of E_ADDRESS: the window's shift, and whether the numbers are known.
const SCALE_MASK: i32 = 15;
const KNOWN: i32 = 16;
/** In a SYN: no scale offered. */
const NO_SCALE: i32 = 15;
const ASSUMED_SCALE: i32 = 8;
const LARGEST_SCALE: i32 = 14;
const OPTION_SCALE: i32 = 3;

/** How far an RST may be from what is expected or was sent: a segment, and some. */
const NEAR_BYTES: i32 = 2048;
/** How much under way an RST may be behind: four segments. More a forged segment may have made us believe. */
const RST_UNDER_WAY: i32 = 6144;
/** How far a FIN may be ahead of what was sent. */
const FIN_AHEAD: i32 = 16384;
/** An acknowledgment may be ahead of the highest sequence number that was sent by one datagram's data. */
const DATAGRAM: i32 = 65535;

/** Takes in a segment of a side: 1 if it is near, and then the numbers move. Its ACK is set. */
export function follow(e: i32, l4: i32, side: i32): i32 {
  const byte: i32 = get8(e + E_ADDRESS);
  if ((byte & KNOWN) === 0) return 0;
  const window: i32 = 0xffff << (byte & SCALE_MASK);
  const own: i32 = e + side;
  const other: i32 = e + BOTH_SIDES - side;
  const sequence: i32 = get32(l4 + TCP_SEQUENCE);
  const ahead: i32 = (sequence - i32at(other)) | 0;
  if (ahead > window || ahead < -window) return 0;
  const acknowledgment: i32 = get32(l4 + TCP_ACKNOWLEDGMENT);
  const acknowledged: i32 = (acknowledgment - i32at(own)) | 0;
  if (acknowledged > window || acknowledged < -window) return 0;
  // RFC 5961, section 5: nobody acknowledges what was never sent.
  if (((acknowledgment - i32at(other + SEQ)) | 0) > DATAGRAM) return 0;
  const beyond: i32 = (sequence - i32at(own + SEQ)) | 0;
  if (beyond > 0 || beyond < -window) puti32(own + SEQ, sequence);
  if (acknowledged > 0) puti32(own, acknowledgment);
  return 1;
}

/** 1 if the data that end at sequence number `end` go beyond all that the side has sent, its FIN included. */
export function isFresh(e: i32, side: i32, end: i32): i32 {
  return ((end - i32at(e + side + SEQ)) | 0) > 0 ? 1 : 0;
}

/** Notes that a side has sent up to sequence number `end`; its segment was near. */
export function noteEnd(e: i32, side: i32, end: i32): void {
  if (isFresh(e, side, end) !== 0) puti32(e + side + SEQ, end);
}

/** Takes the numbers of a session whose beginning was missed from a segment of the inside, if they are not known. */
export function pickUp(e: i32, l4: i32): void {
  if ((get8(e + E_ADDRESS) & KNOWN) !== 0) return;
  know(
    e,
    get32(l4 + TCP_ACKNOWLEDGMENT),
    get32(l4 + TCP_SEQUENCE),
    get32(l4 + TCP_SEQUENCE),
    (get32(l4 + TCP_ACKNOWLEDGMENT) - 1) | 0,
    ASSUMED_SCALE,
  );
}

function know(e: i32, outAck: i32, outSeq: i32, inAck: i32, inSeq: i32, scale: i32): void {
  puti32(e + OUT_SIDE, outAck);
  puti32(e + OUT_SIDE + SEQ, outSeq);
  puti32(e + IN_SIDE, inAck);
  puti32(e + IN_SIDE + SEQ, inSeq);
  put8(e + E_ADDRESS, (get8(e + E_ADDRESS) & ~(SCALE_MASK | KNOWN)) | KNOWN | scale);
}

/** 1 if an RST of a side counts. `opening`: the inside's SYN has not been answered, so it must be acknowledged. */
export function rstCounts(e: i32, l4: i32, control: i32, side: i32, opening: i32): i32 {
  if (side === IN_SIDE && opening !== 0) return (control & TCP_ACK) !== 0 ? acknowledgesSyn(e, l4) : 0;
  if ((get8(e + E_ADDRESS) & KNOWN) !== 0) return isNear(e, l4, side, RST_UNDER_WAY, NEAR_BYTES);
  if (side === OUT_SIDE) return 1;
  const beyond: i32 = (get32(l4 + TCP_SEQUENCE) - i32at(e + IN_SIDE + SEQ)) | 0;
  return beyond >= 0 && beyond <= NEAR_BYTES ? 1 : 0;
}

/** 1 if a FIN of a side counts, which is near by follow(). */
export function finCounts(e: i32, l4: i32, side: i32): i32 {
  return isNear(e, l4, side, 0xffff << (get8(e + E_ADDRESS) & SCALE_MASK), FIN_AHEAD);
}

/** 1 if a segment begins between what the other side expects and what this one has sent, `most` at most, or `ahead` further. */
function isNear(e: i32, l4: i32, side: i32, most: i32, ahead: i32): i32 {
  const expected: i32 = i32at(e + BOTH_SIDES - side);
  let sent: i32 = (i32at(e + side + SEQ) - expected) | 0;
  if (sent < 0) sent = 0;
  if (sent > most) sent = most;
  const at: i32 = (get32(l4 + TCP_SEQUENCE) - expected) | 0;
  return at >= -NEAR_BYTES && at <= sent + ahead ? 1 : 0;
}

/** 1 if an inbound segment's acknowledgment covers the inside's SYN, and no more than a segment behind it. */
function acknowledgesSyn(e: i32, l4: i32): i32 {
  const covered: i32 = (get32(l4 + TCP_ACKNOWLEDGMENT) - i32at(e + OUT_SIDE + SEQ)) | 0;
  return covered >= 1 && covered <= NEAR_BYTES ? 1 : 0;
}

/** Takes in a SYN: 1 if it counts. `restarts`: the state says that it begins the session anew. */
export function synCounts(e: i32, l4: i32, control: i32, direction: i32, restarts: i32): i32 {
  const byte: i32 = get8(e + E_ADDRESS);
  const known: i32 = byte & KNOWN;
  const sequence: i32 = get32(l4 + TCP_SEQUENCE);
  const offered: i32 = scaleOf(l4);
  const scale: i32 = agreed(offered, known !== 0 ? ASSUMED_SCALE : byte & SCALE_MASK);
  if ((control & TCP_ACK) !== 0) {
    const acknowledgment: i32 = get32(l4 + TCP_ACKNOWLEDGMENT);
    if (direction === OUTBOUND) {
      // It answers a SYN from outside.
      if (known === 0 || restarts !== 0)
        know(e, acknowledgment, sequence, (sequence + 1) | 0, (acknowledgment - 1) | 0, scale);
      return 1;
    }
    if (acknowledgesSyn(e, l4) === 0) return 0;
    know(e, (sequence + 1) | 0, (acknowledgment - 1) | 0, acknowledgment, sequence, scale);
    return 1;
  }
  if (direction === OUTBOUND) {
    puti32(e + OUT_SIDE + SEQ, sequence);
    if (known === 0 || restarts !== 0) put8(e + E_ADDRESS, (byte & ~(SCALE_MASK | KNOWN)) | offered);
    return 1;
  }
  // From outside, when numbers are known: it may be forged, so they stay until the inside answers it.
  if (known === 0) {
    puti32(e + IN_SIDE + SEQ, sequence);
    // It crosses the inside's (simultaneous open), or opens the session.
    if (restarts === 0) {
      const sent: i32 = i32at(e + OUT_SIDE + SEQ);
      know(e, (sequence + 1) | 0, sent, (sent + 1) | 0, sequence, scale);
    } else {
      put8(e + E_ADDRESS, (byte & ~SCALE_MASK) | offered);
    }
  }
  return 1;
}

/** The window's shift when one side has offered each: none unless both have. */
function agreed(offered: i32, before: i32): i32 {
  if (offered === NO_SCALE || before === NO_SCALE) return 0;
  return offered > before ? offered : before;
}

/** The window scale that a SYN offers, at most 14 (RFC 7323, section 2.3), or NO_SCALE. */
function scaleOf(l4: i32): i32 {
  const end: i32 = l4 + tcpHeaderBytesOf(l4);
  let at: i32 = l4 + TCP_OPTIONS;
  // Each turn takes a byte at least, and there are 40.
  while (at + 1 < end) {
    const kind: i32 = get8(at);
    if (kind === TCP_OPTION_END) return NO_SCALE;
    if (kind === TCP_OPTION_NONE) {
      at++;
    } else {
      const bytes: i32 = get8(at + 1);
      if (bytes < 2 || at + bytes > end) return NO_SCALE;
      if (kind === OPTION_SCALE && bytes === 3) {
        const scale: i32 = get8(at + 2);
        return scale > LARGEST_SCALE ? LARGEST_SCALE : scale;
      }
      at += bytes;
    }
  }
  return NO_SCALE;
}
