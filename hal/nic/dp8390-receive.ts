// Frames out of the DP8390's ring: the next one as a packet, in ordinary use and while the chip recovers.
// National Semiconductor DP8390D/NS32490D data sheet, July 1995, section 7.0.
// Not here: the chip's states (dp8390.ts), a frame's bytes (dp8390-frame.ts).

import { count, DROP_NO_BUFFER } from '../../src/base/counters.ts';
import { IF_RX_BYTES, IF_RX_DROPPED, IF_RX_ERRORS, IF_RX_PACKETS } from '../../src/base/interface.ts';
import { SKIP_FRAMES } from '../../src/base/limits.ts';
import { i32at, puti32 } from '../../src/base/memory.ts';
import { PACKET_IN, setFrame } from '../../src/base/packet.ts';
import { allocate, release } from '../../src/base/pool.ts';
import { add, cardAt, NIC_LINK, NIC_PORT, NIC_RECORD } from './card.ts';
import { dp8390Restart, endRecovery, goOnRestart, ringBad, waitStopped } from './dp8390.ts';
import { FRAME_BAD, RING_BAD, skipFrame, takeFrame } from './dp8390-frame.ts';
import * as R from './dp8390-registers.ts';

/** Whether frames up to where CURR was, a recovery or a restart are left for dp8390Receive(). */
export function dp8390Waiting(index: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + R.DP_NEXT) !== i32at(at + R.DP_CURRENT)) return 1;
  return (i32at(at + R.DP_RECOVER) | i32at(at + R.DP_RESTART)) !== 0 ? 1 : 0;
}

/** The next frame as a packet, or 0: then dp8390Waiting() says whether there may be more. */
export function dp8390Receive(index: i32): i32 {
  const at: i32 = cardAt(index);
  const busy: i32 = i32at(at + R.DP_STOPPED) | i32at(at + R.DP_RESTART) | i32at(at + R.DP_RECOVER);
  if (busy !== 0 && isReceiving(index, at) === 0) return 0;
  const packet: i32 = i32at(at + R.DP_RECOVER) !== 1 ? takeNext(index, at) : 0;
  return busy === 0 ? packet : receivedRecovering(index, at, packet);
}

/** Whether a chip that is stopped, recovers or is started anew may be asked for a frame; else goes on with that. */
function isReceiving(index: i32, at: i32): i32 {
  if (i32at(at + R.DP_STOPPED) !== 0) {
    waitStopped(index, at, i32at(at + NIC_PORT));
    return 0;
  }
  if (i32at(at + R.DP_RESTART) <= 0) return 1;
  goOnRestart(index);
  return 0;
}

/** Counts a frame of those that are taken while a chip recovers from an overrun, and ends that behind the last. */
function receivedRecovering(index: i32, at: i32, packet: i32): i32 {
  const recover: i32 = i32at(at + R.DP_RECOVER);
  // A ring that is out of order is started anew instead.
  if (recover === 0 || i32at(at + R.DP_RESTART) > 0) return packet;
  if (packet !== 0) {
    puti32(at + R.DP_RECOVER, recover - 1);
    return packet;
  }
  if (recover === 1 || i32at(at + R.DP_NEXT) === i32at(at + R.DP_CURRENT))
    endRecovery(index, at, i32at(at + NIC_PORT));
  return 0;
}

/** The ring's next frame as a packet, or 0: there is none, it was bad, or there is no buffer. */
function takeNext(index: i32, at: i32): i32 {
  const page: i32 = i32at(at + R.DP_NEXT);
  if (page === i32at(at + R.DP_CURRENT)) return 0;
  const packet: i32 = allocate();
  if (packet === 0) {
    skipFrames(index, at);
    return 0;
  }
  const length: i32 = takeFrame(at, i32at(at + NIC_PORT), page, packet);
  if (length <= 0) {
    release(packet);
    refuse(index, at, length, IF_RX_ERRORS);
    return 0;
  }
  setFrame(packet, length);
  puti32(packet + PACKET_IN, i32at(at + NIC_LINK));
  const record: i32 = i32at(at + NIC_RECORD);
  add(record + IF_RX_PACKETS, 1);
  add(record + IF_RX_BYTES, length);
  return packet;
}

/** Passes over frames for which there is no buffer, a few a piece. */
function skipFrames(index: i32, at: i32): void {
  const port: i32 = i32at(at + NIC_PORT);
  for (let frames: i32 = 0; frames < SKIP_FRAMES; frames++) {
    const page: i32 = i32at(at + R.DP_NEXT);
    if (page === i32at(at + R.DP_CURRENT)) return;
    const reason: i32 = skipFrame(at, port, page);
    if (reason === FRAME_BAD) count(DROP_NO_BUFFER);
    refuse(index, at, reason, IF_RX_DROPPED);
    if (reason !== FRAME_BAD) return;
  }
}

/** Counts a frame that is lost, and starts the chip anew whose ring or remote DMA is out of order. */
function refuse(index: i32, at: i32, reason: i32, counter: i32): void {
  if (reason === RING_BAD) {
    ringBad(index);
    return;
  }
  add(i32at(at + NIC_RECORD) + (reason === FRAME_BAD ? counter : IF_RX_DROPPED), 1);
  if (reason !== FRAME_BAD) dp8390Restart(index);
}
