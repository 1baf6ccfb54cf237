// The other end of a serial port for tests: bytes between the port's rings and the test, and frames of PPP and SLIP by the RFCs' words, not by the
// plane's code.

import {
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  SERIAL_TX_HEAD,
  SERIAL_TX_TAIL,
  serialAt,
} from '../../../hal/serial/ns16550.ts';
import type { Build } from '../../../tools/builds.ts';
import {
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
} from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';

export interface PointFrame {
  protocol: number;
  bytes: number[];
}

function fcsOf(bytes: readonly number[]): number {
  let fcs = 0xffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++)
      fcs = ((fcs ^ (byte >> bit)) & 1) !== 0 ? (fcs >> 1) ^ 0x8408 : fcs >> 1;
  }
  return fcs ^ 0xffff;
}

/** A frame as a peer sends it that escapes all control characters, with the long header. */
export function pppFrame(protocol: number, bytes: ArrayLike<number>): number[] {
  const plain = [0xff, 0x03, protocol >> 8, protocol & 0xff, ...Array.from(bytes)];
  const fcs = fcsOf(plain);
  const escaped = [...plain, fcs & 0xff, fcs >> 8].flatMap(byte =>
    byte < 0x20 || byte === 0x7d || byte === 0x7e ? [0x7d, byte ^ 0x20] : [byte],
  );
  return [0x7e, ...escaped, 0x7e];
}

/** Frames in what a line has sent, whichever form their headers have; an Error where one is damaged. */
export function pppFrames(bytes: readonly number[]): PointFrame[] {
  const frames: PointFrame[] = [];
  let plain: number[] = [];
  let turn = 0;
  for (const byte of bytes) {
    if (byte === 0x7e) {
      if (plain.length > 0) frames.push(pppRead(plain));
      plain = [];
    } else if (byte === 0x7d) {
      turn = 0x20;
    } else {
      plain.push(byte ^ turn);
      turn = 0;
    }
  }
  return frames;
}

function pppRead(plain: number[]): PointFrame {
  const body = plain.slice(0, -2);
  const fcs = fcsOf(body);
  if (plain.at(-2) !== (fcs & 0xff) || plain.at(-1) !== fcs >> 8)
    throw new Error(`damaged: ${Buffer.from(plain).toString('hex')}`);
  const at = body[0] === 0xff ? 2 : 0;
  const isShort = ((body[at] as number) & 1) !== 0;
  const protocol = isShort ? (body[at] as number) : ((body[at] as number) << 8) | (body[at + 1] as number);
  return { protocol, bytes: body.slice(at + (isShort ? 1 : 2)) };
}

export function slipFrame(bytes: ArrayLike<number>): number[] {
  const escaped = Array.from(bytes).flatMap(byte =>
    byte === 0xc0 ? [0xdb, 0xdc] : byte === 0xdb ? [0xdb, 0xdd] : [byte],
  );
  return [0xc0, ...escaped, 0xc0];
}

export function slipFrames(bytes: readonly number[]): number[][] {
  const frames: number[][] = [[]];
  for (let n = 0; n < bytes.length; n++) {
    const byte = bytes[n] as number;
    if (byte === 0xc0) frames.push([]);
    else if (byte === 0xdb) (frames.at(-1) as number[]).push(bytes[++n] === 0xdc ? 0xc0 : 0xdb);
    else (frames.at(-1) as number[]).push(byte);
  }
  return frames.filter(frame => frame.length > 0);
}

/** What is wired to a port without a chip. */
export class PortEnd {
  constructor(
    private readonly build: Build,
    readonly port: number,
  ) {}

  /** Puts bytes into the port's ring: how many there was room for. */
  put(bytes: ArrayLike<number>): number {
    this.build.use();
    const state = serialAt(this.port);
    const at = SERIAL_RECEIVE_AT + this.port * SERIAL_RECEIVE_BYTES;
    let tail = i32at(state + SERIAL_RX_TAIL);
    let n = 0;
    for (; n < bytes.length; n++) {
      if (((tail - i32at(state + SERIAL_RX_HEAD)) | 0) >= SERIAL_RECEIVE_BYTES) break;
      this.build.memory[at + (tail & (SERIAL_RECEIVE_BYTES - 1))] = bytes[n] as number;
      tail = (tail + 1) | 0;
    }
    puti32(state + SERIAL_RX_TAIL, tail);
    return n;
  }

  /** Bytes that wait for the wire. */
  get waiting(): number {
    this.build.use();
    const state = serialAt(this.port);
    return (i32at(state + SERIAL_TX_TAIL) - i32at(state + SERIAL_TX_HEAD)) | 0;
  }

  /** Takes what is to be sent, at most so many bytes. */
  take(most = SERIAL_TRANSMIT_BYTES): number[] {
    const count = Math.min(this.waiting, most);
    const state = serialAt(this.port);
    const head = i32at(state + SERIAL_TX_HEAD);
    const at = SERIAL_TRANSMIT_AT + this.port * SERIAL_TRANSMIT_BYTES;
    puti32(state + SERIAL_TX_HEAD, (head + count) | 0);
    return Array.from(
      { length: count },
      (_, n) => this.build.memory[at + ((head + n) & (SERIAL_TRANSMIT_BYTES - 1))] as number,
    );
  }
}
