// What a serial line receives (src/base/line-record.ts): bytes of the port's ring become frames, a piece of at most LINE_PIECE_BYTES at a time,
// each in a buffer of the pool. A datagram goes the way of any link's once the link is open; LCP's echoes are answered; all else
// that the peer says is control's, by the punt ring's class for it.
// Not here: sending (line-output.ts), framing (hdlc.ts, slip.ts), when a piece is due (src/plane/service.ts).

import { count, DROP_INTERFACE_DOWN, DROP_NO_BUFFER } from '../../base/counters.ts';
import {
  IF_NUMBER,
  IF_RX_BYTES,
  IF_RX_DROPPED,
  IF_RX_ERRORS,
  IF_RX_PACKETS,
  interfaceAt,
} from '../../base/interface.ts';
import { DATAGRAM_MAX } from '../../base/limits.ts';
import { LINE_PIECE_BYTES } from '../../base/line-limits.ts';
import {
  LINE_BATCH,
  LINE_CONTROL_FRAMES,
  LINE_ERRORS_SEEN,
  LINE_IN_MASK,
  LINE_IN_RING,
  LINE_IN_TAIL,
  LINE_KIND,
  LINE_LINK,
  LINE_NONE,
  LINE_OPEN,
  LINE_PPP,
  LINE_REFUSED,
  LINE_RX_ABORTS,
  LINE_RX_BUFFER,
  LINE_RX_FCS_ERRORS,
  LINE_RX_FRAME,
  LINE_RX_GIANTS,
  LINE_RX_HEADERS,
  LINE_RX_LENGTH,
  LINE_RX_OVERRUNS,
  LINE_RX_PROTOCOL,
  LINE_RX_RUNTS,
  LINE_VJ_IN,
  lineAt,
  lineCount,
  lineGive,
  lineWaiting,
} from '../../base/line-record.ts';
import { get8, i32at, puti32 } from '../../base/memory.ts';
import {
  FLAG_FRAME,
  HELD,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_LENGTH,
  PACKET_PORTS,
  PASS,
  PUNT,
} from '../../base/packet.ts';
import { allocate, release } from '../../base/pool.ts';
import {
  FCS_BYTES,
  HDLC_FLAG,
  PPP_IP,
  PPP_LCP,
  PPP_VJ_COMPRESSED,
  PPP_VJ_UNCOMPRESSED,
  SLIP_END,
} from '../../wire/ppp.ts';
import { hdlcReceive } from './hdlc.ts';
import { echoReply } from './lcp-echo.ts';
import { lineHead, lineQueue } from './line-output.ts';
import { slipReceive } from './slip.ts';
import { VJ_LENGTH, vjToss, vjUncompress, vjWhole } from './vj.ts';

/** The longest information, of which compression may make no more either, and its FCS. */
const ROOM: i32 = DATAGRAM_MAX + FCS_BYTES;

/** Whether bytes have come that a piece should take: a tick takes any. */
export function lineHasBytes(line: i32, isTick: i32): i32 {
  const waiting: i32 = lineWaiting(line);
  if (waiting === 0) return 0;
  if (isTick !== 0 || waiting >= i32at(line + LINE_BATCH)) return 1;
  const last: i32 = (i32at(i32at(line + LINE_IN_TAIL)) - 1) | 0;
  const byte: i32 = get8(i32at(line + LINE_IN_RING) + (last & i32at(line + LINE_IN_MASK)));
  return byte === (i32at(line + LINE_KIND) === LINE_PPP ? HDLC_FLAG : SLIP_END) ? 1 : 0;
}

/** Whether bytes wait for a further piece. */
export function lineIsWaiting(port: i32): i32 {
  return lineWaiting(lineAt(port)) !== 0 ? 1 : 0;
}

/** A piece of what has come: a packet with PACKET_IN and its length where a frame is whole now, a datagram or FLAG_FRAME; or 0. */
export function lineReceive(port: i32): i32 {
  const line: i32 = lineAt(port);
  // What was noted of a line that has been taken from its link since.
  if (i32at(line + LINE_KIND) === LINE_NONE) return 0;
  const overruns: i32 = i32at(line + LINE_RX_OVERRUNS);
  if (i32at(line + LINE_RX_BUFFER) === 0) {
    const buffer: i32 = allocate();
    if (buffer !== 0) lineGive(line, buffer + PACKET_IP, ROOM);
  }
  const isWhole: i32 =
    i32at(line + LINE_KIND) === LINE_PPP
      ? hdlcReceive(line, LINE_PIECE_BYTES)
      : slipReceive(line, LINE_PIECE_BYTES);
  if (i32at(line + LINE_RX_OVERRUNS) !== overruns) {
    count(DROP_NO_BUFFER);
    lineCount(interfaceAt(i32at(line + LINE_LINK)) + IF_RX_DROPPED);
  }
  return isWhole !== 0 ? whole(line) : 0;
}

/** The packet of a whole frame; 0 where compression makes nothing of it. */
function whole(line: i32): i32 {
  const packet: i32 = i32at(line + LINE_RX_FRAME) - PACKET_IP;
  const link: i32 = i32at(line + LINE_LINK);
  const at: i32 = interfaceAt(link);
  const state: i32 = i32at(line + LINE_VJ_IN);
  let bytes: i32 = i32at(line + LINE_RX_LENGTH);
  let protocol: i32 = i32at(line + LINE_RX_PROTOCOL);
  lineCount(at + IF_RX_PACKETS);
  puti32(at + IF_RX_BYTES, (i32at(at + IF_RX_BYTES) + bytes) | 0);
  noteErrors(line, at, state);
  if (state !== 0 && (protocol === PPP_VJ_COMPRESSED || protocol === PPP_VJ_UNCOMPRESSED)) {
    const isGood: i32 =
      protocol === PPP_VJ_COMPRESSED
        ? vjUncompress(state, packet + PACKET_IP, bytes, DATAGRAM_MAX)
        : vjWhole(state, i32at(line + LINE_RX_FRAME), bytes);
    if (isGood === 0) {
      lineCount(at + IF_RX_ERRORS);
      release(packet);
      return 0;
    }
    bytes = i32at(state + VJ_LENGTH);
    protocol = PPP_IP;
  }
  puti32(packet + PACKET_IN, link);
  puti32(packet + PACKET_LENGTH, bytes);
  puti32(packet + PACKET_PORTS, protocol);
  if (protocol !== PPP_IP) puti32(packet + PACKET_FLAGS, FLAG_FRAME);
  lineHead(packet, line, protocol);
  return packet;
}

/** Frames that were lost since the last one: whose headers they had is not known. */
function noteErrors(line: i32, at: i32, state: i32): void {
  const errors: i32 =
    (i32at(line + LINE_RX_FCS_ERRORS) +
      i32at(line + LINE_RX_ABORTS) +
      i32at(line + LINE_RX_RUNTS) +
      i32at(line + LINE_RX_GIANTS) +
      i32at(line + LINE_RX_HEADERS) +
      i32at(line + LINE_RX_OVERRUNS)) |
    0;
  const seen: i32 = i32at(line + LINE_ERRORS_SEEN);
  if (errors === seen) return;
  puti32(line + LINE_ERRORS_SEEN, errors);
  puti32(at + IF_RX_ERRORS, (i32at(at + IF_RX_ERRORS) + ((errors - seen) | 0)) | 0);
  if (state !== 0) vjToss(state);
}

/** What becomes of what came by a link on a serial port, whose record is `at`: PASS, a datagram; PUNT; or HELD, and it is taken. */
export function lineInput(packet: i32, at: i32): i32 {
  const line: i32 = lineAt(i32at(at + IF_NUMBER));
  if ((i32at(packet + PACKET_FLAGS) & FLAG_FRAME) === 0) {
    if (i32at(line + LINE_OPEN) !== 0) return PASS;
    count(DROP_INTERFACE_DOWN);
    lineCount(line + LINE_REFUSED);
    lineCount(at + IF_RX_DROPPED);
    release(packet);
    return HELD;
  }
  if (i32at(packet + PACKET_PORTS) === PPP_LCP) {
    const bytes: i32 = echoReply(line, packet + PACKET_IP, i32at(packet + PACKET_LENGTH));
    if (bytes !== 0) {
      puti32(packet + PACKET_LENGTH, bytes);
      lineQueue(line, packet);
      return HELD;
    }
  }
  lineCount(line + LINE_CONTROL_FRAMES);
  return PUNT;
}
