// A link on a serial port: what control sets of one. From lineBind() on the port's bytes are frames, and what waits in its rings stays: behind a
// modem's CONNECT the peer's first frame is there already. Control agrees with the peer on how frames look (lineFraming, lineCompress)
// and lets datagrams pass (lineOpen); all of it lies in the line's record, so that an open link does not need control.
//
//    bytes, control's (serialRead) --lineBind--> frames, own ones alone --lineOpen(1)--> datagrams too
//                    ^------------------------------ lineUnbind --------------------------'
//
// Not here: who receives and sends (line-input.ts, line-output.ts), modems and what is agreed on (src/control/ppp/), the port's rate and
// its modem's lines (hal/serial/ns16550.ts).

import {
  SERIAL_DIVISOR,
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  SERIAL_TX_HEAD,
  SERIAL_TX_TAIL,
  serialAt,
} from '../../../hal/serial/ns16550.ts';
import { LINES_BOUND_AT } from '../../base/cells.ts';
import { bindSerial, DEVICE_NONE, IF_DEVICE, interfaceAt, unbind } from '../../base/interface.ts';
import {
  FCS_TABLE_AT,
  INTERFACE_COUNT,
  LINE_COUNT,
  LINE_TICK_BITS,
  SERIAL_COUNT,
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
  VJ_PAGE,
  VJ_PAGES_AT,
} from '../../base/limits.ts';
import {
  LINE_AHEAD_LEAST,
  LINE_BATCH_MOST,
  LINE_BYTES,
  LINE_OWN_LIMIT,
  VJ_BYTES,
  VJ_OUT_SLOTS,
} from '../../base/line-limits.ts';
import {
  LINE_AHEAD,
  LINE_BATCH,
  LINE_ECHOES,
  LINE_IN_RING,
  LINE_KIND,
  LINE_LINK,
  LINE_MAGIC,
  LINE_NONE,
  LINE_OPEN,
  LINE_OUT_RING,
  LINE_PORT,
  LINE_PPP,
  LINE_RX_ACCM,
  LINE_RX_BUFFER,
  LINE_SLIP,
  LINE_TX_ACCM,
  LINE_TX_LESS,
  LINE_TX_PACKET,
  LINE_VJ_IN,
  LINE_VJ_OUT,
  lineAt,
  lineReset,
  lineRing,
} from '../../base/line-record.ts';
import { fill, i32at, puti32 } from '../../base/memory.ts';
import { PACKET_FLAGS, PACKET_IP, PACKET_LENGTH, PACKET_PORTS } from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import { fcsTable, hdlcAbort } from './hdlc.ts';
import { lineQueue, lineUnqueue } from './line-output.ts';
import { transmitNothing } from './transmit.ts';
import { vjReset } from './vj.ts';

/** No port carries frames. */
export function resetLines(): void {
  for (let port: i32 = 0; port < LINE_COUNT; port++) fill(lineAt(port), 0, LINE_BYTES);
  puti32(LINES_BOUND_AT, 0);
}

/**
 * Makes a serial port the device of a link that has none, LINE_PPP or LINE_SLIP: 1, or 0 if either is taken. The link is down and the line not
 * open; frames look as before all negotiation.
 */
export function lineBind(link: i32, port: i32, kind: i32): i32 {
  if (link < 0 || link >= INTERFACE_COUNT || port < 0 || port >= SERIAL_COUNT) return 0;
  if (kind !== LINE_PPP && kind !== LINE_SLIP) return 0;
  const line: i32 = lineAt(port);
  const at: i32 = interfaceAt(link);
  if (i32at(line + LINE_KIND) !== LINE_NONE || i32at(at + IF_DEVICE) !== DEVICE_NONE) return 0;
  // A quarter of a millisecond; other lines may be at work with it, and see the same.
  if (i32at(LINES_BOUND_AT) === 0) fcsTable(FCS_TABLE_AT);
  lineReset(line, FCS_TABLE_AT);
  const state: i32 = serialAt(port);
  const received: i32 = SERIAL_RECEIVE_AT + port * SERIAL_RECEIVE_BYTES;
  const sent: i32 = SERIAL_TRANSMIT_AT + port * SERIAL_TRANSMIT_BYTES;
  lineRing(
    line + LINE_IN_RING,
    received,
    SERIAL_RECEIVE_BYTES,
    state + SERIAL_RX_HEAD,
    state + SERIAL_RX_TAIL,
  );
  lineRing(line + LINE_OUT_RING, sent, SERIAL_TRANSMIT_BYTES, state + SERIAL_TX_HEAD, state + SERIAL_TX_TAIL);
  puti32(line + LINE_KIND, kind);
  puti32(line + LINE_PORT, port);
  puti32(line + LINE_LINK, link);
  const divisor: i32 = i32at(state + SERIAL_DIVISOR);
  const bytes: i32 = (115200 / LINE_TICK_BITS / (divisor < 1 ? 1 : divisor)) | 0;
  const batch: i32 = bytes >> 2;
  puti32(line + LINE_AHEAD, LINE_AHEAD_LEAST + bytes);
  puti32(line + LINE_BATCH, batch < 1 ? 1 : batch > LINE_BATCH_MOST ? LINE_BATCH_MOST : batch);
  bindSerial(link, port);
  puti32(LINES_BOUND_AT, i32at(LINES_BOUND_AT) | (1 << port));
  return 1;
}

/** Takes a line from its link, a port's or a session's (pppoe.ts), and all that waited for it is dropped; a port's bytes are control's again, if it reads them. */
export function lineUnbind(port: i32): void {
  if (isBound(port) === 0) return;
  const line: i32 = lineAt(port);
  const link: i32 = i32at(line + LINE_LINK);
  if (i32at(line + LINE_KIND) === LINE_PPP) hdlcAbort(line);
  puti32(LINES_BOUND_AT, i32at(LINES_BOUND_AT) & ~(1 << port));
  if (i32at(line + LINE_TX_PACKET) !== 0) release(i32at(line + LINE_TX_PACKET));
  if (i32at(line + LINE_RX_BUFFER) !== 0) release(i32at(line + LINE_RX_BUFFER) - PACKET_IP);
  for (let n: i32 = 0; n < LINE_OWN_LIMIT; n++) {
    const packet: i32 = lineUnqueue(line);
    if (packet !== 0) release(packet);
  }
  // What is half a frame is none of a modem's commands. A session has no ring.
  if (port < SERIAL_COUNT) {
    const state: i32 = serialAt(port);
    puti32(state + SERIAL_TX_TAIL, i32at(state + SERIAL_TX_HEAD));
  }
  unbind(link);
  transmitNothing(link);
  fill(line, 0, LINE_BYTES);
}

function isBound(port: i32): i32 {
  return port >= 0 && port < LINE_COUNT ? (i32at(LINES_BOUND_AT) >> port) & 1 : 0;
}

/**
 * How frames look from now on: control characters that the peer wants escaped, those that it escapes, and LINE_ACFC | LINE_PFC, what of a
 * header it lets us leave out. As before all negotiation: -1, -1, 0.
 */
export function lineFraming(port: i32, sendAccm: i32, receiveAccm: i32, less: i32): void {
  if (isBound(port) === 0) return;
  const line: i32 = lineAt(port);
  puti32(line + LINE_TX_ACCM, sendAccm);
  puti32(line + LINE_RX_ACCM, receiveAccm);
  puti32(line + LINE_TX_LESS, less);
}

/**
 * Compression of TCP's headers from now on, anew: slots each way, 0 for none, and whether we may leave out a connection's number. The page
 * VJ_PAGES_AT + port * VJ_PAGE must have been lent, and stay while one of both is not 0.
 */
export function lineCompress(port: i32, sendSlots: i32, receiveSlots: i32, mayOmit: i32): void {
  if (isBound(port) === 0 || port >= SERIAL_COUNT) return;
  const line: i32 = lineAt(port);
  const received: i32 = VJ_PAGES_AT + port * VJ_PAGE;
  const sent: i32 = received + VJ_BYTES;
  if (receiveSlots > 0) vjReset(received, receiveSlots, 0);
  if (sendSlots > 0) vjReset(sent, sendSlots < VJ_OUT_SLOTS ? sendSlots : VJ_OUT_SLOTS, mayOmit);
  puti32(line + LINE_VJ_IN, receiveSlots > 0 ? received : 0);
  puti32(line + LINE_VJ_OUT, sendSlots > 0 ? sent : 0);
}

/** Whether the plane answers LCP's echoes, and our magic number in them. */
export function lineEchoes(port: i32, isOn: i32, magic: i32): void {
  if (isBound(port) === 0) return;
  puti32(lineAt(port) + LINE_ECHOES, isOn);
  puti32(lineAt(port) + LINE_MAGIC, magic);
}

/** Whether datagrams pass. */
export function lineOpen(port: i32, isOpen: i32): void {
  if (isBound(port) !== 0) puti32(lineAt(port) + LINE_OPEN, isOpen);
}

/**
 * Sends a frame of the link's own before all data: `bytes` of information at PACKET_IP of a packet that control has allocated. Takes the packet: 1,
 * or 0 and it is dropped, as LINE_OWN_LIMIT wait already or the line is none of PPP's.
 */
export function lineSendFrame(port: i32, protocol: i32, packet: i32, bytes: i32): i32 {
  puti32(packet + PACKET_FLAGS, 0);
  if (isBound(port) === 0 || i32at(lineAt(port) + LINE_KIND) === LINE_SLIP) {
    release(packet);
    return 0;
  }
  const line: i32 = lineAt(port);
  puti32(packet + PACKET_PORTS, protocol);
  puti32(packet + PACKET_LENGTH, bytes);
  return lineQueue(line, packet);
}
