// Whether what a caller sends is PPP: a flag, and behind it the begin of a frame's header (RFC 1662, section 3.1), bare or escaped. Not here: frames
// (src/plane/link/hdlc.ts), to which the bytes from the flag on are given back.

import { HDLC_FLAG } from '../../wire/ppp.ts';

/** All stations, as it is and escaped; LCP's protocol where the header is left out. */
const FIRSTS = [0xff, 0x7d, 0xc0];

export class FrameStart {
  private hasFlag = false;

  /** A byte; whether it and the flag before it are the first two of a frame. */
  isFrame(byte: number): boolean {
    const isFrame = this.hasFlag && FIRSTS.includes(byte);
    this.hasFlag = byte === HDLC_FLAG;
    return isFrame;
  }
}
