// PPP in HDLC-like framing (RFC 1662) between rings of bytes and frames: escape, maps of control characters, FCS-16, shortened
// headers. The line's record is src/base/line-record.ts; the numbers are src/wire/ppp.ts.
// Not here: the port (hal/serial/), what a frame's information means, how much of it may be done at once: the caller says how many bytes.
//
// Received is one frame a call. Its header is read as it comes, so that its information begins at the buffer's first byte, however
// short the header is; a shortened header is read whether it was agreed on or not. Whatever comes, only the buffer's room is written.
//
//    HUNT --7e--> START --ff--> ADDRESSED --03--> PROTOCOL --even--> PROTOCOL_LOW --> INFORMATION --7e--> START, with a frame
//      ^                '-------- no ff ------------^   '-- odd: PFC ---------------------^    |
//      '--- too long, no buffer, an address of nobody's -----------------------------------------'
//
// Sent is one frame at a time, in as many calls as its caller likes.

import { FCS_TABLE_BYTES } from '../../base/line-limits.ts';
import {
  LINE_ACFC,
  LINE_ADDRESSED,
  LINE_CONTENT,
  LINE_END,
  LINE_FCS,
  LINE_FCS_TABLE,
  LINE_HEADER,
  LINE_HUNT,
  LINE_IDLE,
  LINE_IN_HEAD,
  LINE_IN_MASK,
  LINE_IN_RING,
  LINE_INFORMATION,
  LINE_OUT_HEAD,
  LINE_OUT_MASK,
  LINE_OUT_RING,
  LINE_OUT_TAIL,
  LINE_PFC,
  LINE_PROTOCOL,
  LINE_PROTOCOL_LOW,
  LINE_RX_ABORTS,
  LINE_RX_ACCM,
  LINE_RX_AT,
  LINE_RX_BUFFER,
  LINE_RX_BYTES,
  LINE_RX_FCS,
  LINE_RX_FCS_ERRORS,
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
  LINE_TX_ACCM,
  LINE_TX_ACCM_NOW,
  LINE_TX_AT,
  LINE_TX_BYTES,
  LINE_TX_END,
  LINE_TX_FCS,
  LINE_TX_FRAMES,
  LINE_TX_INFORMATION,
  LINE_TX_INFORMATION_END,
  LINE_TX_LESS,
  LINE_TX_SCRATCH,
  LINE_TX_STATE,
  lineCount,
  lineFull,
  lineWaiting,
} from '../../base/line-record.ts';
import { get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  ACCM_ALL,
  ACCM_END,
  FCS_BYTES,
  FCS_FIRST,
  FCS_GOOD,
  FCS_POLYNOMIAL,
  FCS_TURN,
  HDLC_ADDRESS,
  HDLC_CONTROL,
  HDLC_ESCAPE,
  HDLC_FLAG,
  HDLC_TURN,
  PPP_LCP,
  PPP_ONE_BYTE,
} from '../../wire/ppp.ts';

/** Makes the table of the FCS, FCS_TABLE_BYTES at `table` (RFC 1662, appendix C.1). */
export function fcsTable(table: i32): void {
  for (let i: i32 = 0; i < FCS_TABLE_BYTES >> 1; i++) {
    let value: i32 = i;
    for (let bit: i32 = 0; bit < 8; bit++)
      value = (value & 1) !== 0 ? (value >>> 1) ^ FCS_POLYNOMIAL : value >>> 1;
    putu16(table + (i << 1), value);
  }
}

// --- receiving -------------------------------------------------------------------------------------------------

/**
 * Takes at most `most` bytes from the line's ring, and no byte behind a whole good frame. Answers 1 with such a frame: LINE_RX_FRAME,
 * LINE_RX_LENGTH and LINE_RX_PROTOCOL say it, its buffer is the caller's, and the next frame needs another (lineGive).
 */
export function hdlcReceive(line: i32, most: i32): i32 {
  let head: i32 = i32at(i32at(line + LINE_IN_HEAD));
  const waiting: i32 = lineWaiting(line);
  const stop: i32 = (head + (waiting < most ? waiting : most)) | 0;
  const ring: i32 = i32at(line + LINE_IN_RING);
  const mask: i32 = i32at(line + LINE_IN_MASK);
  puti32(line + LINE_RX_FRAME, 0);
  while (head !== stop && i32at(line + LINE_RX_FRAME) === 0) {
    if (i32at(line + LINE_RX_STATE) === LINE_INFORMATION) {
      head = information(line, head, stop);
    } else {
      outside(line, get8(ring + (head & mask)));
      head = (head + 1) | 0;
    }
  }
  puti32(i32at(line + LINE_IN_HEAD), head);
  return i32at(line + LINE_RX_FRAME) !== 0 ? 1 : 0;
}

/**
 * Takes bytes of a frame's information, up to its end or `stop`: the position behind the last. The inner loop is that of each byte: what lies in a
 * row in the ring and has room in the buffer. It is 24 instructions of a 486; looked at for each byte, the ring's end, the room and whether
 * the last one was an escape made it 43, as there are too few registers.
 */
function information(line: i32, from: i32, stop: i32): i32 {
  const ring: i32 = i32at(line + LINE_IN_RING);
  const mask: i32 = i32at(line + LINE_IN_MASK);
  const accm: i32 = i32at(line + LINE_RX_ACCM);
  const table: i32 = i32at(line + LINE_FCS_TABLE);
  const limit: i32 = i32at(line + LINE_RX_BUFFER) + i32at(line + LINE_RX_ROOM);
  let turn: i32 = i32at(line + LINE_RX_TURN);
  let fcs: i32 = i32at(line + LINE_RX_FCS);
  let at: i32 = i32at(line + LINE_RX_AT);
  let head: i32 = from;
  let state: i32 = LINE_INFORMATION;
  while (head !== stop) {
    if (turn === 0) {
      const first: i32 = ring + (head & mask);
      let end: i32 = first + ((stop - head) | 0);
      if (end > ring + mask + 1) end = ring + mask + 1;
      if (end - first > limit - at) end = first + limit - at;
      let next: i32 = first;
      while (next < end) {
        let plain: i32 = get8(next);
        if (plain < ACCM_END) {
          if (((accm >>> plain) & 1) !== 0) break;
        } else if (plain === HDLC_ESCAPE) {
          // Both bytes at once, but for the seldom: the second is not there yet, an abort, or what the line has put in.
          if (next + 1 >= end) break;
          plain = get8(next + 1);
          if (plain < ACCM_END || plain === HDLC_FLAG) break;
          plain ^= HDLC_TURN;
          next++;
        } else if (plain === HDLC_FLAG) {
          break;
        }
        next++;
        fcs = u16at(table + (((fcs ^ plain) & 0xff) << 1)) ^ (fcs >>> 8);
        put8(at, plain);
        at++;
      }
      head = (head + next - first) | 0;
      if (head === stop) break;
    }
    const byte: i32 = get8(ring + (head & mask));
    head = (head + 1) | 0;
    if (byte === HDLC_FLAG) {
      state = LINE_START;
      break;
    }
    if (byte === HDLC_ESCAPE && turn === 0) {
      turn = HDLC_TURN;
    } else if (byte >= ACCM_END || ((accm >>> byte) & 1) === 0) {
      if (at >= limit) {
        state = LINE_HUNT;
        break;
      }
      const turned: i32 = byte ^ turn;
      turn = 0;
      fcs = u16at(table + (((fcs ^ turned) & 0xff) << 1)) ^ (fcs >>> 8);
      put8(at, turned);
      at++;
    }
  }
  puti32(line + LINE_RX_FCS, fcs);
  puti32(line + LINE_RX_AT, at);
  puti32(line + LINE_RX_TURN, turn);
  return ended(line, state, head);
}

/** What the last byte that was taken means for the frame. */
function ended(line: i32, state: i32, head: i32): i32 {
  if (state === LINE_START) {
    whole(line);
  } else if (state === LINE_HUNT) {
    lineCount(line + LINE_RX_GIANTS);
    hunt(line);
  }
  return head;
}

/** The flag behind a frame's information. */
function whole(line: i32): void {
  const buffer: i32 = i32at(line + LINE_RX_BUFFER);
  const length: i32 = i32at(line + LINE_RX_AT) - buffer - FCS_BYTES;
  if (i32at(line + LINE_RX_TURN) !== 0) {
    lineCount(line + LINE_RX_ABORTS);
  } else if (length < 0) {
    lineCount(line + LINE_RX_RUNTS);
  } else if (i32at(line + LINE_RX_FCS) !== FCS_GOOD) {
    lineCount(line + LINE_RX_FCS_ERRORS);
  } else {
    lineCount(line + LINE_RX_FRAMES);
    puti32(line + LINE_RX_BYTES, (i32at(line + LINE_RX_BYTES) + length) | 0);
    puti32(line + LINE_RX_LENGTH, length);
    puti32(line + LINE_RX_FRAME, buffer);
    puti32(line + LINE_RX_BUFFER, 0);
  }
  begin(line);
}

/** A frame may begin here. */
function begin(line: i32): void {
  puti32(line + LINE_RX_STATE, LINE_START);
  puti32(line + LINE_RX_TURN, 0);
  puti32(line + LINE_RX_FCS, FCS_FIRST);
}

/** What comes is passed over until the next flag. */
function hunt(line: i32): void {
  puti32(line + LINE_RX_STATE, LINE_HUNT);
  puti32(line + LINE_RX_TURN, 0);
}

/** A byte that is not of a frame's information. */
function outside(line: i32, byte: i32): void {
  const state: i32 = i32at(line + LINE_RX_STATE);
  const turn: i32 = i32at(line + LINE_RX_TURN);
  if (byte === HDLC_FLAG) {
    if (turn !== 0) lineCount(line + LINE_RX_ABORTS);
    else if (state > LINE_START) lineCount(line + LINE_RX_RUNTS);
    begin(line);
    return;
  }
  if (state === LINE_HUNT) return;
  if (byte === HDLC_ESCAPE && turn === 0) {
    puti32(line + LINE_RX_TURN, HDLC_TURN);
    return;
  }
  if (byte < ACCM_END && ((i32at(line + LINE_RX_ACCM) >>> byte) & 1) !== 0) return;
  const plain: i32 = byte ^ turn;
  const fcs: i32 = i32at(line + LINE_RX_FCS);
  puti32(line + LINE_RX_TURN, 0);
  puti32(
    line + LINE_RX_FCS,
    u16at(i32at(line + LINE_FCS_TABLE) + (((fcs ^ plain) & 0xff) << 1)) ^ (fcs >>> 8),
  );
  header(line, state, plain);
}

/** A byte of the header. No protocol's first byte is 0xff (RFC 1661, section 6.5), so that tells the long form. */
function header(line: i32, state: i32, byte: i32): void {
  if (state === LINE_START && byte === HDLC_ADDRESS) {
    puti32(line + LINE_RX_STATE, LINE_ADDRESSED);
  } else if (state === LINE_ADDRESSED) {
    if (byte === HDLC_CONTROL) {
      puti32(line + LINE_RX_STATE, LINE_PROTOCOL);
    } else {
      lineCount(line + LINE_RX_HEADERS);
      hunt(line);
    }
  } else if (state === LINE_PROTOCOL_LOW) {
    enter(line, i32at(line + LINE_RX_PROTOCOL) | byte);
  } else if ((byte & 1) !== 0) {
    enter(line, byte);
  } else {
    puti32(line + LINE_RX_PROTOCOL, byte << 8);
    puti32(line + LINE_RX_STATE, LINE_PROTOCOL_LOW);
  }
}

/** The header is over. */
function enter(line: i32, protocol: i32): void {
  const buffer: i32 = i32at(line + LINE_RX_BUFFER);
  if (buffer === 0) {
    lineCount(line + LINE_RX_OVERRUNS);
    hunt(line);
    return;
  }
  puti32(line + LINE_RX_PROTOCOL, protocol);
  puti32(line + LINE_RX_AT, buffer);
  puti32(line + LINE_RX_STATE, LINE_INFORMATION);
}

// --- sending ------------------------------------------------------------------------------------------------------

/**
 * Begins to send a frame with `bytes` of information at `at`, which must stay there until hdlcSend says that it has gone. Answers 0
 * where another one is under way. What LCP says goes out in the long form, with every control character escaped.
 */
export function hdlcStart(line: i32, protocol: i32, at: i32, bytes: i32): i32 {
  if (i32at(line + LINE_TX_STATE) !== LINE_IDLE) return 0;
  const less: i32 = protocol === PPP_LCP ? 0 : i32at(line + LINE_TX_LESS);
  const scratch: i32 = line + LINE_TX_SCRATCH;
  let end: i32 = scratch;
  if ((less & LINE_ACFC) === 0) {
    put8(end, HDLC_ADDRESS);
    put8(end + 1, HDLC_CONTROL);
    end += 2;
  }
  if ((less & LINE_PFC) === 0 || protocol >= PPP_ONE_BYTE) {
    put8(end, protocol >>> 8);
    end++;
  }
  put8(end, protocol);
  puti32(line + LINE_TX_AT, scratch);
  puti32(line + LINE_TX_END, end + 1);
  puti32(line + LINE_TX_INFORMATION, at);
  puti32(line + LINE_TX_INFORMATION_END, at + bytes);
  puti32(line + LINE_TX_FCS, FCS_FIRST);
  puti32(line + LINE_TX_ACCM_NOW, protocol === PPP_LCP ? ACCM_ALL : i32at(line + LINE_TX_ACCM));
  puti32(line + LINE_TX_STATE, LINE_HEADER);
  // Behind another frame its last flag is our first; on an idle line noise may have come since.
  const tail: i32 = i32at(i32at(line + LINE_OUT_TAIL));
  if (i32at(i32at(line + LINE_OUT_HEAD)) === tail) putFlag(line, tail);
  return 1;
}

/**
 * Puts what is being sent into the line's ring, at most `most` bytes of it in one part and what room there is. Answers 1 if nothing of it is left:
 * the information is free again.
 */
export function hdlcSend(line: i32, most: i32): i32 {
  // Header, information, FCS, flag.
  for (let parts: i32 = 0; parts < 4; parts++) {
    const state: i32 = i32at(line + LINE_TX_STATE);
    if (state === LINE_IDLE) return 1;
    if (state === LINE_END) {
      const tail: i32 = i32at(i32at(line + LINE_OUT_TAIL));
      if (((lineFull(line) - tail) | 0) < 1) return 0;
      putFlag(line, tail);
      puti32(line + LINE_TX_STATE, LINE_IDLE);
      lineCount(line + LINE_TX_FRAMES);
      const bytes: i32 = i32at(line + LINE_TX_INFORMATION_END) - i32at(line + LINE_TX_INFORMATION);
      puti32(line + LINE_TX_BYTES, (i32at(line + LINE_TX_BYTES) + bytes) | 0);
      return 1;
    }
    escaped(line, most);
    if (i32at(line + LINE_TX_AT) !== i32at(line + LINE_TX_END)) return 0;
    nextPart(line, state);
  }
  return 0;
}

/** Gives up what is being sent: the peer throws it away (RFC 1662, section 4.3). */
export function hdlcAbort(line: i32): void {
  if (i32at(line + LINE_TX_STATE) === LINE_IDLE) return;
  const tail: i32 = i32at(i32at(line + LINE_OUT_TAIL));
  puti32(line + LINE_TX_STATE, LINE_IDLE);
  if (((lineFull(line) - tail) | 0) < 2) return;
  put8(i32at(line + LINE_OUT_RING) + (tail & i32at(line + LINE_OUT_MASK)), HDLC_ESCAPE);
  putFlag(line, (tail + 1) | 0);
}

function putFlag(line: i32, tail: i32): void {
  put8(i32at(line + LINE_OUT_RING) + (tail & i32at(line + LINE_OUT_MASK)), HDLC_FLAG);
  puti32(i32at(line + LINE_OUT_TAIL), (tail + 1) | 0);
}

/** What follows a part that has gone. */
function nextPart(line: i32, state: i32): void {
  if (state === LINE_HEADER) {
    puti32(line + LINE_TX_AT, i32at(line + LINE_TX_INFORMATION));
    puti32(line + LINE_TX_END, i32at(line + LINE_TX_INFORMATION_END));
    puti32(line + LINE_TX_STATE, LINE_CONTENT);
  } else if (state === LINE_CONTENT) {
    const fcs: i32 = i32at(line + LINE_TX_FCS) ^ FCS_TURN;
    const scratch: i32 = line + LINE_TX_SCRATCH;
    put8(scratch, fcs);
    put8(scratch + 1, fcs >>> 8);
    puti32(line + LINE_TX_AT, scratch);
    puti32(line + LINE_TX_END, scratch + FCS_BYTES);
    puti32(line + LINE_TX_STATE, LINE_FCS);
  } else {
    puti32(line + LINE_TX_STATE, LINE_END);
  }
}

/** Puts at most `most` bytes of a part into the ring, escaped, while there is room for two. The loop of each byte. */
function escaped(line: i32, most: i32): void {
  const ring: i32 = i32at(line + LINE_OUT_RING);
  const mask: i32 = i32at(line + LINE_OUT_MASK);
  const accm: i32 = i32at(line + LINE_TX_ACCM_NOW);
  const table: i32 = i32at(line + LINE_FCS_TABLE);
  const last: i32 = (lineFull(line) - 1) | 0;
  let tail: i32 = i32at(i32at(line + LINE_OUT_TAIL));
  let fcs: i32 = i32at(line + LINE_TX_FCS);
  let at: i32 = i32at(line + LINE_TX_AT);
  let end: i32 = i32at(line + LINE_TX_END);
  if (end - at > most) end = at + most;
  while (at < end && ((last - tail) | 0) > 0) {
    let byte: i32 = get8(at);
    at++;
    fcs = u16at(table + (((fcs ^ byte) & 0xff) << 1)) ^ (fcs >>> 8);
    if (byte < ACCM_END ? ((accm >>> byte) & 1) !== 0 : byte === HDLC_FLAG || byte === HDLC_ESCAPE) {
      put8(ring + (tail & mask), HDLC_ESCAPE);
      tail = (tail + 1) | 0;
      byte ^= HDLC_TURN;
    }
    put8(ring + (tail & mask), byte);
    tail = (tail + 1) | 0;
  }
  puti32(line + LINE_TX_FCS, fcs);
  puti32(line + LINE_TX_AT, at);
  puti32(i32at(line + LINE_OUT_TAIL), tail);
}
