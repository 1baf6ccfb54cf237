// SLIP (RFC 1055) between rings of bytes and frames, and what CSLIP adds to a frame's first byte (RFC 1144, appendix A.2). The line's
// record and rings are those of PPP (src/base/line-record.ts), and a frame has PPP's protocol number, so that all behind it is the same.
// Not here: compression (vj.ts). There is no sum over a frame: what the line does to a byte, IP's and TCP's sums find.
//
// An END goes before each frame as well as behind it, so that noise is a frame of its own, which is thrown away. An escape before a byte that needs none is passed
// over, and the byte taken as it is.

import {
  LINE_CONTENT,
  LINE_END,
  LINE_HUNT,
  LINE_IDLE,
  LINE_IN_HEAD,
  LINE_IN_MASK,
  LINE_IN_RING,
  LINE_INFORMATION,
  LINE_OUT_MASK,
  LINE_OUT_RING,
  LINE_OUT_TAIL,
  LINE_RX_AT,
  LINE_RX_BUFFER,
  LINE_RX_BYTES,
  LINE_RX_FRAME,
  LINE_RX_FRAMES,
  LINE_RX_GIANTS,
  LINE_RX_HEADERS,
  LINE_RX_LENGTH,
  LINE_RX_OVERRUNS,
  LINE_RX_PROTOCOL,
  LINE_RX_ROOM,
  LINE_RX_RUNTS,
  LINE_RX_STATE,
  LINE_RX_TURN,
  LINE_START,
  LINE_TX_AT,
  LINE_TX_BYTES,
  LINE_TX_END,
  LINE_TX_FRAMES,
  LINE_TX_INFORMATION,
  LINE_TX_INFORMATION_END,
  LINE_TX_STATE,
  lineCount,
  lineFull,
  lineWaiting,
} from '../../base/line-record.ts';
import { get8, i32at, put8, puti32 } from '../../base/memory.ts';
import {
  CSLIP_COMPRESSED,
  CSLIP_IP,
  CSLIP_KIND,
  CSLIP_UNCOMPRESSED,
  PPP_IP,
  PPP_VJ_COMPRESSED,
  PPP_VJ_UNCOMPRESSED,
  SLIP_END,
  SLIP_ESCAPE,
  SLIP_ESCAPED_END,
  SLIP_ESCAPED_ESCAPE,
  VJ_LEAST_BYTES,
} from '../../wire/ppp.ts';

// --- receiving -------------------------------------------------------------------------------------------------

/**
 * Takes at most `most` bytes from the line's ring, and no byte behind a whole frame. Answers 1 with a frame, as hdlcReceive does.
 */
export function slipReceive(line: i32, most: i32): i32 {
  const ring: i32 = i32at(line + LINE_IN_RING);
  const mask: i32 = i32at(line + LINE_IN_MASK);
  let head: i32 = i32at(i32at(line + LINE_IN_HEAD));
  const waiting: i32 = lineWaiting(line);
  const stop: i32 = (head + (waiting < most ? waiting : most)) | 0;
  puti32(line + LINE_RX_FRAME, 0);
  while (head !== stop && i32at(line + LINE_RX_FRAME) === 0) {
    const state: i32 = i32at(line + LINE_RX_STATE);
    if (state === LINE_INFORMATION) {
      head = information(line, head, stop);
    } else if (get8(ring + (head & mask)) === SLIP_END) {
      puti32(line + LINE_RX_STATE, LINE_START);
      head = (head + 1) | 0;
    } else if (state === LINE_START) {
      enter(line);
    } else {
      head = (head + 1) | 0;
    }
  }
  puti32(i32at(line + LINE_IN_HEAD), head);
  return i32at(line + LINE_RX_FRAME) !== 0 ? 1 : 0;
}

/** A frame's first byte is there. */
function enter(line: i32): void {
  const buffer: i32 = i32at(line + LINE_RX_BUFFER);
  if (buffer === 0) {
    lineCount(line + LINE_RX_OVERRUNS);
    puti32(line + LINE_RX_STATE, LINE_HUNT);
    return;
  }
  puti32(line + LINE_RX_AT, buffer);
  puti32(line + LINE_RX_TURN, 0);
  puti32(line + LINE_RX_STATE, LINE_INFORMATION);
}

/** Takes bytes of a frame, up to its end or `stop`: the position behind the last. The loop of each byte. */
function information(line: i32, from: i32, stop: i32): i32 {
  const ring: i32 = i32at(line + LINE_IN_RING);
  const mask: i32 = i32at(line + LINE_IN_MASK);
  const limit: i32 = i32at(line + LINE_RX_BUFFER) + i32at(line + LINE_RX_ROOM);
  let turn: i32 = i32at(line + LINE_RX_TURN);
  let at: i32 = i32at(line + LINE_RX_AT);
  let head: i32 = from;
  let state: i32 = LINE_INFORMATION;
  while (head !== stop && state === LINE_INFORMATION) {
    let byte: i32 = get8(ring + (head & mask));
    head = (head + 1) | 0;
    if (byte === SLIP_END) {
      state = LINE_START;
    } else if (byte === SLIP_ESCAPE && turn === 0) {
      turn = 1;
    } else if (at < limit) {
      if (turn !== 0) {
        if (byte === SLIP_ESCAPED_END) byte = SLIP_END;
        else if (byte === SLIP_ESCAPED_ESCAPE) byte = SLIP_ESCAPE;
        turn = 0;
      }
      put8(at, byte);
      at++;
    } else {
      lineCount(line + LINE_RX_GIANTS);
      state = LINE_HUNT;
    }
  }
  puti32(line + LINE_RX_AT, at);
  puti32(line + LINE_RX_TURN, turn);
  puti32(line + LINE_RX_STATE, state);
  if (state === LINE_START) whole(line);
  return head;
}

/** The END behind a frame. */
function whole(line: i32): void {
  const buffer: i32 = i32at(line + LINE_RX_BUFFER);
  const length: i32 = i32at(line + LINE_RX_AT) - buffer;
  if (length < VJ_LEAST_BYTES) {
    lineCount(line + LINE_RX_RUNTS);
    return;
  }
  const protocol: i32 = kindOf(buffer);
  if (protocol === 0) {
    lineCount(line + LINE_RX_HEADERS);
    return;
  }
  lineCount(line + LINE_RX_FRAMES);
  puti32(line + LINE_RX_BYTES, (i32at(line + LINE_RX_BYTES) + length) | 0);
  puti32(line + LINE_RX_PROTOCOL, protocol);
  puti32(line + LINE_RX_LENGTH, length);
  puti32(line + LINE_RX_FRAME, buffer);
  puti32(line + LINE_RX_BUFFER, 0);
}

/** The protocol of the frame at `at` by its first byte, which is made a version of IP again; 0 for noise. */
function kindOf(at: i32): i32 {
  const first: i32 = get8(at);
  if ((first & CSLIP_COMPRESSED) !== 0) return PPP_VJ_COMPRESSED;
  if ((first & CSLIP_KIND) === CSLIP_IP) return PPP_IP;
  if ((first & CSLIP_KIND) !== CSLIP_UNCOMPRESSED) return 0;
  put8(at, first ^ CSLIP_UNCOMPRESSED ^ CSLIP_IP);
  return PPP_VJ_UNCOMPRESSED;
}

// --- sending ------------------------------------------------------------------------------------------------------

/**
 * Begins to send a frame of `bytes` at `at`, which must stay there until slipSend says that it has gone, and whose first byte gets the
 * mark of its kind. Answers 0 where another one is under way.
 */
export function slipStart(line: i32, protocol: i32, at: i32, bytes: i32): i32 {
  if (i32at(line + LINE_TX_STATE) !== LINE_IDLE) return 0;
  if (protocol === PPP_VJ_COMPRESSED) put8(at, get8(at) | CSLIP_COMPRESSED);
  else if (protocol === PPP_VJ_UNCOMPRESSED) put8(at, get8(at) | CSLIP_UNCOMPRESSED);
  puti32(line + LINE_TX_AT, at);
  puti32(line + LINE_TX_END, at + bytes);
  puti32(line + LINE_TX_INFORMATION, at);
  puti32(line + LINE_TX_INFORMATION_END, at + bytes);
  puti32(line + LINE_TX_STATE, LINE_CONTENT);
  const tail: i32 = i32at(i32at(line + LINE_OUT_TAIL));
  if (((lineFull(line) - tail) | 0) > 0) putEnd(line, tail);
  return 1;
}

/** Puts at most `most` bytes of the frame into the line's ring, and what room there is. Answers 1 if nothing of it is left. */
export function slipSend(line: i32, most: i32): i32 {
  if (i32at(line + LINE_TX_STATE) === LINE_IDLE) return 1;
  escaped(line, most);
  if (i32at(line + LINE_TX_AT) !== i32at(line + LINE_TX_END)) return 0;
  puti32(line + LINE_TX_STATE, LINE_END);
  const tail: i32 = i32at(i32at(line + LINE_OUT_TAIL));
  if (((lineFull(line) - tail) | 0) < 1) return 0;
  putEnd(line, tail);
  puti32(line + LINE_TX_STATE, LINE_IDLE);
  lineCount(line + LINE_TX_FRAMES);
  const bytes: i32 = i32at(line + LINE_TX_INFORMATION_END) - i32at(line + LINE_TX_INFORMATION);
  puti32(line + LINE_TX_BYTES, (i32at(line + LINE_TX_BYTES) + bytes) | 0);
  return 1;
}

function putEnd(line: i32, tail: i32): void {
  put8(i32at(line + LINE_OUT_RING) + (tail & i32at(line + LINE_OUT_MASK)), SLIP_END);
  puti32(i32at(line + LINE_OUT_TAIL), (tail + 1) | 0);
}

/** Puts bytes into the ring, escaped, while there is room for two. The loop of each byte. */
function escaped(line: i32, most: i32): void {
  const ring: i32 = i32at(line + LINE_OUT_RING);
  const mask: i32 = i32at(line + LINE_OUT_MASK);
  const last: i32 = (lineFull(line) - 1) | 0;
  let tail: i32 = i32at(i32at(line + LINE_OUT_TAIL));
  let at: i32 = i32at(line + LINE_TX_AT);
  let end: i32 = i32at(line + LINE_TX_END);
  if (end - at > most) end = at + most;
  while (at < end && ((last - tail) | 0) > 0) {
    let byte: i32 = get8(at);
    at++;
    if (byte === SLIP_END || byte === SLIP_ESCAPE) {
      put8(ring + (tail & mask), SLIP_ESCAPE);
      tail = (tail + 1) | 0;
      byte = byte === SLIP_END ? SLIP_ESCAPED_END : SLIP_ESCAPED_ESCAPE;
    }
    put8(ring + (tail & mask), byte);
    tail = (tail + 1) | 0;
  }
  puti32(line + LINE_TX_AT, at);
  puti32(i32at(line + LINE_OUT_TAIL), tail);
}
