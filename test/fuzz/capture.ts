// Captures of real traffic, to be replayed: frames towards the router in a pcap file, with the station addresses
// of ring cards, and the console lines that feed them to a board.
// The format: draft-ietf-opsawg-pcap, section 4. Not here: how a capture is made (record.ts).

import { formatAddress } from '../../src/control/core/address.ts';
import { cardMac, LAN_NETWORK } from '../../src/control/debug/hosts.ts';
import type { Arrival } from '../../src/control/debug/traffic.ts';
import { ARP_SENDER } from '../../src/wire/arp.ts';
import { get16, get32 } from '../../src/wire/bytes.ts';
import { ETHERNET_HEADER_BYTES as ETHERNET } from '../../src/wire/ethernet.ts';

const MICROSECONDS_A_TICK = 10_000;
/** Hex digits in a console line: lines have at most 1,000 characters. */
const DIGITS = 960;
/** The outside address of the town (harness/town.ts), where captures are made. */
const WAN_ADDRESS = 0xcb00710a | 0;

export interface Replay {
  wanAddress: number;
  arrivals: Arrival[];
}

/** The interface by which a frame came: its destination says it, or the sender of an ARP broadcast. */
function cardOf(frame: Uint8Array): number {
  if (frame[0] === 2) return frame[5] === cardMac(1)[5] ? 1 : 0;
  return ((get32(frame, ETHERNET + ARP_SENDER) ^ LAN_NETWORK) & ~255) === 0 ? 0 : 1;
}

/** All frames of a pcap file with times in microseconds. */
export function readPcap(file: Uint8Array): { microseconds: number; frame: Uint8Array }[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, true) !== 0xa1b2c3d4) throw new Error('Cannot read the capture: it is no pcap file');
  const frames: { microseconds: number; frame: Uint8Array }[] = [];
  for (let at = 24; at < file.length; ) {
    const microseconds = view.getUint32(at, true) * 1_000_000 + view.getUint32(at + 4, true);
    const bytes = view.getUint32(at + 8, true);
    frames.push({ microseconds, frame: file.slice(at + 16, at + 16 + bytes) });
    at += 16 + bytes;
  }
  return frames;
}

export function readCapture(file: Uint8Array): Replay {
  let tick = 0;
  const arrivals = readPcap(file).map(({ microseconds, frame }) => {
    const now = Math.floor(microseconds / MICROSECONDS_A_TICK);
    const ticks = tick === 0 ? 0 : Math.max(0, now - tick);
    tick = now;
    return { ticks, sample: get16(frame, frame.length - 2), card: cardOf(frame), frame };
  });
  return { wanAddress: WAN_ADDRESS, arrivals };
}

/** What is typed to replay it; the last line starts it. */
export function captureCommands({ wanAddress, arrivals }: Replay): string[] {
  const lines = arrivals.flatMap(({ ticks, sample, card, frame }) => {
    const digits = Buffer.from(frame).toString('hex');
    const parts = digits.match(new RegExp(`.{1,${DIGITS}}`, 'g')) as string[];
    return parts.map((part, i) =>
      i === 0 ? `debug frame ${card} ${ticks} ${sample} ${part}` : `debug more ${part}`,
    );
  });
  return [...lines, `debug replay ${formatAddress(wanAddress)}`];
}
