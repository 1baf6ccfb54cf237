// Captures in memory in the pcap format, Ethernet frames with microseconds, and where kept ones go.
// The format: draft-ietf-opsawg-pcap, sections 4 and 5. A capture is bounded: the oldest frames go first.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINKTYPE_ETHERNET = 1;
const SNAPLEN = 65_535;
/** Frames kept: some seconds at 10 Mb/s. */
const FRAME_LIMIT = 20_000;
/** Where captures of failed tests are kept; not under version control. */
export const CAPTURES = join(import.meta.dirname, '../../build/captures');

export class Capture {
  #frames: { milliseconds: number; bytes: Uint8Array }[] = [];
  /** Frames forgotten because the capture was full. */
  forgotten = 0;

  add(bytes: Uint8Array, milliseconds: number): void {
    this.#frames.push({ milliseconds, bytes: new Uint8Array(bytes) });
    if (this.#frames.length < 2 * FRAME_LIMIT) return;
    this.#frames = this.#frames.slice(FRAME_LIMIT);
    this.forgotten += FRAME_LIMIT;
  }

  get length(): number {
    return this.#frames.length;
  }

  toBytes(): Uint8Array {
    const header = Buffer.alloc(24);
    header.writeUInt32LE(MAGIC_MICROSECONDS, 0);
    header.writeUInt16LE(2, 4); // version 2.4
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(SNAPLEN, 16);
    header.writeUInt32LE(LINKTYPE_ETHERNET, 20);
    const parts: Uint8Array[] = [header];
    for (const { milliseconds, bytes } of this.#frames) {
      const record = Buffer.alloc(16);
      const microseconds = Math.round(milliseconds * 1000);
      record.writeUInt32LE(Math.floor(microseconds / 1_000_000), 0);
      record.writeUInt32LE(microseconds % 1_000_000, 4);
      record.writeUInt32LE(bytes.length, 8);
      record.writeUInt32LE(bytes.length, 12);
      parts.push(record, bytes);
    }
    return Buffer.concat(parts);
  }

  /** Writes the capture to build/captures and answers its path. */
  keep(name: string): string {
    mkdirSync(CAPTURES, { recursive: true });
    const path = join(CAPTURES, `${name.replace(/[^\w.-]+/g, '-')}.pcap`);
    writeFileSync(path, this.toBytes());
    return path;
  }
}
