// What a serial line sends (src/base/line-record.ts): a datagram or a frame of the link's own at a time, framed into the port's ring piece by
// piece. A frame is begun only while little waits in the ring, so that what is behind it waits in the link's queue (transmit.ts), which
// chooses, and not in the ring, which would be seconds of a slow line. Frames of the link's own, control's and answered echoes, go
// before all data: LINE_OWN_LIMIT of them.
// Not here: receiving (line-input.ts), framing (hdlc.ts, slip.ts), compression (vj.ts), when a piece is due (src/plane/service.ts).

import { serialStart } from '../../../hal/serial/ns16550.ts';
import { CAPTURE_OUT } from '../../base/capture-record.ts';
import { WORK_AT, WORK_DRAIN_SHIFT } from '../../base/cells.ts';
import { count, DROP_INTERFACE_DOWN } from '../../base/counters.ts';
import { IF_TX_BYTES, IF_TX_DROPPED, IF_TX_PACKETS, interfaceAt } from '../../base/interface.ts';
import { LINE_OWN_LIMIT, LINE_PIECE_BYTES } from '../../base/line-limits.ts';
import {
  LINE_AHEAD,
  LINE_IDLE,
  LINE_KIND,
  LINE_LINK,
  LINE_OPEN,
  LINE_OUT_HEAD,
  LINE_OUT_TAIL,
  LINE_OWN_COUNT,
  LINE_OWN_FIRST,
  LINE_OWN_LAST,
  LINE_OWN_LOST,
  LINE_PORT,
  LINE_PPP,
  LINE_REFUSED,
  LINE_SLIP,
  LINE_TX_PACKET,
  LINE_TX_STATE,
  LINE_VJ_OUT,
  lineAt,
  lineCount,
  lineFull,
} from '../../base/line-record.ts';
import { i32at, put8, put16, puti32, putu16 } from '../../base/memory.ts';
import { PACKET_HEADER, PACKET_IP, PACKET_LENGTH, PACKET_NEXT, PACKET_PORTS } from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import { HDLC_ADDRESS, HDLC_CONTROL, PPP_IP } from '../../wire/ppp.ts';
import { CAPTURE_MASK_AT, capture } from './capture.ts';
import { demandUse } from './demand-words.ts';
import { hdlcSend, hdlcStart } from './hdlc.ts';
import { linkWaits } from './queue.ts';
import { slipSend, slipStart } from './slip.ts';
import { VJ_AT, VJ_LENGTH, vjCompress } from './vj.ts';

/** What a frame of PPP's has before its information, as a capture shows it: address, control, protocol. */
const POINT_HEADER_BYTES: i32 = 4;
/** Two bytes, of which one may be the escape, are the least that a piece moves; a little more is worth one. */
const ROOM_LEAST: i32 = 64;

/** Bytes that wait for the port. */
function ahead(line: i32): i32 {
  return (i32at(i32at(line + LINE_OUT_TAIL)) - i32at(i32at(line + LINE_OUT_HEAD))) | 0;
}

/** Whether a port's line would take a datagram now. */
export function lineHasRoom(port: i32): i32 {
  const line: i32 = lineAt(port);
  if (i32at(line + LINE_TX_STATE) !== LINE_IDLE || i32at(line + LINE_OWN_COUNT) !== 0) return 0;
  return ahead(line) <= i32at(line + LINE_AHEAD) ? 1 : 0;
}

/** Begins to send a datagram: 1, and the packet is the line's; 0: there is no room now. Where the link is not open it is dropped. */
export function lineSend(port: i32, packet: i32): i32 {
  const line: i32 = lineAt(port);
  const at: i32 = interfaceAt(i32at(line + LINE_LINK));
  if (i32at(line + LINE_OPEN) === 0) {
    count(DROP_INTERFACE_DOWN);
    lineCount(line + LINE_REFUSED);
    lineCount(at + IF_TX_DROPPED);
    release(packet);
    return 1;
  }
  if (lineHasRoom(port) === 0) return 0;
  const bytes: i32 = i32at(packet + PACKET_LENGTH);
  lineCount(at + IF_TX_PACKETS);
  puti32(at + IF_TX_BYTES, (i32at(at + IF_TX_BYTES) + bytes) | 0);
  demandUse(packet, i32at(line + LINE_LINK));
  const state: i32 = i32at(line + LINE_VJ_OUT);
  if (state !== 0) {
    const protocol: i32 = vjCompress(state, packet + PACKET_IP, bytes);
    begin(line, packet, protocol, i32at(state + VJ_AT), i32at(state + VJ_LENGTH));
  } else {
    begin(line, packet, PPP_IP, packet + PACKET_IP, bytes);
  }
  lineDue(line);
  return 1;
}

function begin(line: i32, packet: i32, protocol: i32, at: i32, bytes: i32): void {
  puti32(line + LINE_TX_PACKET, packet);
  if (i32at(line + LINE_KIND) === LINE_PPP) hdlcStart(line, protocol, at, bytes);
  else slipStart(line, protocol, at, bytes);
}

/** What the link has for its device is a piece of work. */
function lineDue(line: i32): void {
  puti32(WORK_AT, i32at(WORK_AT) | (1 << (i32at(line + LINE_LINK) + WORK_DRAIN_SHIFT)));
}

/** A frame of the link's own, its protocol at PACKET_PORTS: behind others of them, before all data. Takes the packet: 1, or 0 and it is dropped. */
export function lineQueue(line: i32, packet: i32): i32 {
  const waiting: i32 = i32at(line + LINE_OWN_COUNT);
  if (waiting >= LINE_OWN_LIMIT) {
    lineCount(line + LINE_OWN_LOST);
    release(packet);
    return 0;
  }
  lineHead(packet, line, i32at(packet + PACKET_PORTS));
  if (i32at(CAPTURE_MASK_AT) !== 0) capture(packet, i32at(line + LINE_LINK), CAPTURE_OUT);
  puti32(packet + PACKET_NEXT, 0);
  if (waiting === 0) puti32(line + LINE_OWN_FIRST, packet);
  else puti32(i32at(line + LINE_OWN_LAST) + PACKET_NEXT, packet);
  puti32(line + LINE_OWN_LAST, packet);
  puti32(line + LINE_OWN_COUNT, waiting + 1);
  lineDue(line);
  return 1;
}

/** The header that stands before a packet, as a capture shows it: PPP's, or none. */
export function lineHead(packet: i32, line: i32, protocol: i32): void {
  if (i32at(line + LINE_KIND) === LINE_SLIP) {
    putu16(packet + PACKET_HEADER, 0);
    return;
  }
  const header: i32 = packet + PACKET_IP - POINT_HEADER_BYTES;
  put8(header, HDLC_ADDRESS);
  put8(header + 1, HDLC_CONTROL);
  put16(header + 2, protocol);
  putu16(packet + PACKET_HEADER, POINT_HEADER_BYTES);
}

/** The first of the frames of its own, which are one less; 0 if there is none. */
export function lineUnqueue(line: i32): i32 {
  const waiting: i32 = i32at(line + LINE_OWN_COUNT);
  if (waiting === 0) return 0;
  const packet: i32 = i32at(line + LINE_OWN_FIRST);
  puti32(line + LINE_OWN_FIRST, i32at(packet + PACKET_NEXT));
  puti32(line + LINE_OWN_COUNT, waiting - 1);
  return packet;
}

/** A piece of what is under way goes into the port's ring: 1 if more may go at once, else 0. */
export function lineMove(port: i32): i32 {
  const line: i32 = lineAt(port);
  if (i32at(line + LINE_TX_STATE) === LINE_IDLE) {
    if (ahead(line) > i32at(line + LINE_AHEAD)) return 0;
    const own: i32 = lineUnqueue(line);
    if (own === 0) return 0;
    begin(line, own, i32at(own + PACKET_PORTS), own + PACKET_IP, i32at(own + PACKET_LENGTH));
  }
  const isOver: i32 =
    i32at(line + LINE_KIND) === LINE_PPP
      ? hdlcSend(line, LINE_PIECE_BYTES)
      : slipSend(line, LINE_PIECE_BYTES);
  serialStart(i32at(line + LINE_PORT));
  if (isOver === 0) return hasRing(line);
  release(i32at(line + LINE_TX_PACKET));
  puti32(line + LINE_TX_PACKET, 0);
  return i32at(line + LINE_OWN_COUNT) !== 0 && ahead(line) <= i32at(line + LINE_AHEAD) ? 1 : 0;
}

function hasRing(line: i32): i32 {
  return ((lineFull(line) - i32at(i32at(line + LINE_OUT_TAIL))) | 0) >= ROOM_LEAST ? 1 : 0;
}

/** Whether the port has room for what its line has: a frame under way, one of its own, or what waits in the link's queue. */
export function lineWantsToSend(line: i32): i32 {
  if (i32at(line + LINE_TX_STATE) !== LINE_IDLE) return hasRing(line);
  if (ahead(line) > i32at(line + LINE_AHEAD)) return 0;
  if (i32at(line + LINE_OWN_COUNT) !== 0) return 1;
  return linkWaits(interfaceAt(i32at(line + LINE_LINK)));
}
