// A line: what the plane knows of a serial link's framing, one record a link (LINE_BYTES). Rings of bytes on one side, frames on the other.
// Here: the record, which src/plane/link/hdlc.ts and slip.ts move, and how a line begins. Which rings and buffers are its own, addresses in
// the record say, so that framing knows no map. Not here: who gives it these (src/plane/link/line.ts).
//
// A ring has a power of two of bytes; its positions run freely and are masked when used, and lie in words of their own, as
// a port's driver has them (hal/serial/ns16550.ts). Who takes moves the head, who puts moves the tail.

import { LINES_AT } from './limits.ts';
import { LINE_BYTES } from './line-limits.ts';
import { fill, i32at, puti32 } from './memory.ts';

/** The ring that is taken from: its first byte, its bytes less one, and where its positions lie. */
export const LINE_IN_RING: i32 = 0;
export const LINE_IN_MASK: i32 = 4;
export const LINE_IN_HEAD: i32 = 8;
export const LINE_IN_TAIL: i32 = 12;
/** The ring that is put into. */
export const LINE_OUT_RING: i32 = 16;
export const LINE_OUT_MASK: i32 = 20;
export const LINE_OUT_HEAD: i32 = 24;
export const LINE_OUT_TAIL: i32 = 28;
/** The table of the FCS, FCS_TABLE_BYTES, which lines share. */
export const LINE_FCS_TABLE: i32 = 32;
/** Compression of TCP's headers each way (src/plane/link/vj.ts): addresses of its state, or 0. */
export const LINE_VJ_OUT: i32 = 36;
export const LINE_VJ_IN: i32 = 40;

/** What is being received: LINE_HUNT and its like; whether the last byte was the escape (then what it turns over). */
export const LINE_RX_STATE: i32 = 44;
export const LINE_RX_TURN: i32 = 48;
/** Where a frame's information is put, or 0 where nobody has given a buffer; the room there; and the next byte's place. */
export const LINE_RX_BUFFER: i32 = 52;
export const LINE_RX_ROOM: i32 = 56;
export const LINE_RX_AT: i32 = 60;
export const LINE_RX_FCS: i32 = 64;
/** Control characters that the peer escapes, so that one that comes bare is no byte of the peer's. */
export const LINE_RX_ACCM: i32 = 68;
/** Of the frame: its protocol. Of a whole one: where its information is, which is nobody's but who asks, and its bytes. */
export const LINE_RX_PROTOCOL: i32 = 72;
export const LINE_RX_FRAME: i32 = 76;
export const LINE_RX_LENGTH: i32 = 80;

/** What is being sent: 0, or LINE_HEADER and its like; next byte and end of that; the information, and its end. */
export const LINE_TX_STATE: i32 = 84;
export const LINE_TX_AT: i32 = 88;
export const LINE_TX_END: i32 = 92;
export const LINE_TX_INFORMATION: i32 = 96;
export const LINE_TX_INFORMATION_END: i32 = 100;
export const LINE_TX_FCS: i32 = 104;
/** Control characters that the peer wants escaped, and those that this frame has escaped. */
export const LINE_TX_ACCM: i32 = 108;
export const LINE_TX_ACCM_NOW: i32 = 112;
/** LINE_ACFC | LINE_PFC: what of a frame's header the peer lets us leave out. */
export const LINE_TX_LESS: i32 = 116;
/** Header or FCS while it is being sent: 4 bytes. */
export const LINE_TX_SCRATCH: i32 = 120;

// Counters, free-running. Received: good frames and the bytes of their information; by a wrong FCS, given up by the peer, too short,
// too long, with an address or a first byte of none that we know, and for which there was no buffer.
export const LINE_RX_FRAMES: i32 = 124;
export const LINE_RX_BYTES: i32 = 128;
export const LINE_RX_FCS_ERRORS: i32 = 132;
export const LINE_RX_ABORTS: i32 = 136;
export const LINE_RX_RUNTS: i32 = 140;
export const LINE_RX_GIANTS: i32 = 144;
export const LINE_RX_HEADERS: i32 = 148;
export const LINE_RX_OVERRUNS: i32 = 152;
export const LINE_TX_FRAMES: i32 = 156;
export const LINE_TX_BYTES: i32 = 160;
/** Echoes that were answered (src/plane/link/lcp-echo.ts): whether they are, as LCP is open; our magic number; how many there were. */
export const LINE_ECHOES: i32 = 164;
export const LINE_MAGIC: i32 = 168;
export const LINE_ECHOED: i32 = 172;

// A line on a port (src/plane/link/line.ts): LINE_PPP or LINE_SLIP, LINE_NONE where it frames nothing; its port's number and its link's.
export const LINE_KIND: i32 = 176;
export const LINE_PORT: i32 = 180;
export const LINE_LINK: i32 = 184;
/** Whether datagrams pass, both ways: control has agreed on it with the peer. What comes or is to go before is dropped, and counted here. */
export const LINE_OPEN: i32 = 188;
export const LINE_REFUSED: i32 = 192;
/** The packet whose frame is under way; frames of our own that go before all data: first, last, how many, and those that had no room. */
export const LINE_TX_PACKET: i32 = 196;
export const LINE_OWN_FIRST: i32 = 200;
export const LINE_OWN_LAST: i32 = 204;
export const LINE_OWN_COUNT: i32 = 208;
export const LINE_OWN_LOST: i32 = 212;
/** Bytes that may wait for the port when a frame is begun; bytes that have come when they are worth a look (by the rate). */
export const LINE_AHEAD: i32 = 216;
export const LINE_BATCH: i32 = 220;
/** Errors that were seen when a frame was last taken: where there are more, compression has missed a header. */
export const LINE_ERRORS_SEEN: i32 = 224;
/** Frames for control. */
export const LINE_CONTROL_FRAMES: i32 = 228;

/** Of an open line, for a control that is started again: the peer's address, or 0, and two name servers. */
export const LINE_PEER: i32 = 232;
export const LINE_DNS: i32 = 236;

/** A PPPoE session has no rings. In their place: the link below it, its number (0: there is none now), and the concentrator's station, 6 bytes. */
export const LINE_BELOW: i32 = LINE_IN_RING;
export const LINE_SESSION: i32 = LINE_IN_MASK;
export const LINE_STATION: i32 = LINE_IN_HEAD;

export const LINE_NONE: i32 = 0;
export const LINE_PPP: i32 = 1;
export const LINE_SLIP: i32 = 2;
/** PPP's frames, but on Ethernet: no rings, no framing. */
export const LINE_PPPOE: i32 = 3;

/** LINE_RX_STATE: waiting for the end of what is no frame; at the first byte of one; and so on through it. */
export const LINE_HUNT: i32 = 0;
export const LINE_START: i32 = 1;
export const LINE_ADDRESSED: i32 = 2;
export const LINE_PROTOCOL: i32 = 3;
export const LINE_PROTOCOL_LOW: i32 = 4;
export const LINE_INFORMATION: i32 = 5;

/** LINE_TX_STATE. */
export const LINE_IDLE: i32 = 0;
export const LINE_HEADER: i32 = 1;
export const LINE_CONTENT: i32 = 2;
export const LINE_FCS: i32 = 3;
export const LINE_END: i32 = 4;

export const LINE_ACFC: i32 = 1;
export const LINE_PFC: i32 = 2;

/** Address of the record of a port's line. */
export function lineAt(port: i32): i32 {
  return LINES_AT + port * LINE_BYTES;
}

/** A line between two rings, which `lineRing` names, with nothing received or sent; counters and settings are those of a new one. */
export function lineReset(line: i32, table: i32): void {
  fill(line, 0, LINE_BYTES);
  puti32(line + LINE_FCS_TABLE, table);
  puti32(line + LINE_RX_ACCM, -1);
  puti32(line + LINE_TX_ACCM, -1);
}

/** Names a ring, LINE_IN_RING's or LINE_OUT_RING's: where it lies, its bytes, a power of two, and where its head's and tail's words lie. */
export function lineRing(way: i32, ring: i32, bytes: i32, head: i32, tail: i32): void {
  puti32(way, ring);
  puti32(way + (LINE_IN_MASK - LINE_IN_RING), bytes - 1);
  puti32(way + (LINE_IN_HEAD - LINE_IN_RING), head);
  puti32(way + (LINE_IN_TAIL - LINE_IN_RING), tail);
}

/** Gives a line the place for its next frame. A whole frame takes it along, to who has asked for frames. */
export function lineGive(line: i32, buffer: i32, room: i32): void {
  puti32(line + LINE_RX_BUFFER, buffer);
  puti32(line + LINE_RX_ROOM, room);
}

/** Counts one, at a line's counter. */
export function lineCount(counter: i32): void {
  puti32(counter, (i32at(counter) + 1) | 0);
}

/** Bytes that wait in the ring that is taken from. */
export function lineWaiting(line: i32): i32 {
  return (i32at(i32at(line + LINE_IN_TAIL)) - i32at(i32at(line + LINE_IN_HEAD))) | 0;
}

/** The position behind the last byte that may be put now. */
export function lineFull(line: i32): i32 {
  return (i32at(i32at(line + LINE_OUT_HEAD)) + i32at(line + LINE_OUT_MASK) + 1) | 0;
}
