// The lines of `capture IF pcap` back into the file they are: docs/capture.md, "As a file".
// Every line proves itself by length and CRC. What does not is left out and counted, and so is what never came.

import { crc32 } from 'node:zlib';
import { HEADER_LINES } from '../../src/control/tools/stream.ts';

const LINE = /^!([0-9a-f]{4}) ([A-Za-z0-9+/]+=*) ([0-9a-f]{8})$/;
const END = /^!end (\d+) packets captured, (\d+) dropped$/;
const RECORD_HEAD_BYTES = 16;
const RECORD_AT_LENGTH = 8;
const SEQUENCES = 0x10000;

function decode(line: string): { sequence: number; bytes: Buffer } | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const bytes = Buffer.from(match[2] as string, 'base64');
  return crc32(bytes) === Number.parseInt(match[3] as string, 16)
    ? { sequence: Number.parseInt(match[1] as string, 16), bytes }
    : undefined;
}

/** The file's first bytes by the link's name: a file starts with them even if their line is lost. */
export function pcapHeader(link: string): Uint8Array {
  const kind = link.startsWith('ppp') ? 1 : link.startsWith('sl') ? 2 : 0;
  return (decode(HEADER_LINES[kind] as string) as { bytes: Buffer }).bytes;
}

export class PcapReader {
  /** Packets written to the file, and packets that the line has lost or damaged. */
  received = 0;
  lost = 0;
  /** What the board says at the end: what it sent, and what it had no time to send. */
  end: { sent: number; dropped: number } | undefined;
  /** Line 0000 is the header. */
  private expected = 1;

  /** Takes a row of the console. Answers a packet's bytes in the file, or undefined. */
  take(row: string): Uint8Array | undefined {
    if (!row.startsWith('!')) return undefined;
    const end = END.exec(row);
    if (end !== null) {
      this.end = { sent: Number(end[1]), dropped: Number(end[2]) };
      this.lost = Math.max(this.lost, this.end.sent - this.received);
      return undefined;
    }
    const line = decode(row);
    if (line === undefined) return undefined;
    const { sequence, bytes } = line;
    if (sequence === 0 && this.received + this.lost === 0) return undefined;
    this.lost += (sequence - this.expected) & (SEQUENCES - 1);
    this.expected = (sequence + 1) & (SEQUENCES - 1);
    if (
      bytes.length < RECORD_HEAD_BYTES ||
      bytes.length !== RECORD_HEAD_BYTES + bytes.readUInt32LE(RECORD_AT_LENGTH)
    ) {
      this.lost++;
      return undefined;
    }
    this.received++;
    return bytes;
  }
}
