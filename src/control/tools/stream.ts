// A capture as a file of libpcap's classic format, sent in lines that survive a serial console: docs/capture.md.
// The pcap format: https://wiki.wireshark.org/Development/LibpcapFileFormat; Base64: RFC 4648, section 4.

import { CAPTURE_RECORD_BYTES } from '../../base/limits.ts';
import { puti32 } from '../../base/memory.ts';
import { hex } from '../core/address.ts';
import type { Machine } from '../core/machine.ts';

/** The file's header: version 2.4, times in microseconds, at most 65,535 bytes a frame, Ethernet. */
export const HEADER_LINE = '!0000 1MOyoQIABAAAAAAAAAAAAP//AAABAAAA 11a1d7e1';
/** The headers by HEADER_*: of Ethernet, of PPP (link type 9), of bare IP (101). */
export const HEADER_LINES: readonly string[] = [
  HEADER_LINE,
  '!0000 1MOyoQIABAAAAAAAAAAAAP//AAAJAAAA d415ff0e',
  '!0000 1MOyoQIABAAAAAAAAAAAAP//AABlAAAA a5e5b7b5',
];
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Characters that become text at once: the arguments of one call. */
const CHUNK = 256;

/**
 * The line of one frame. Its record's head is overwritten with pcap's.
 * @param milliseconds when it was seen, since 1970, or since power-on when the time is not known
 */
export function recordLine(
  machine: Machine,
  sequence: number,
  record: number,
  milliseconds: number,
  captured: number,
  length: number,
): string {
  const seconds = Math.floor(milliseconds / 1000);
  puti32(record, seconds | 0);
  puti32(record + 4, Math.round((milliseconds - seconds * 1000) * 1000));
  puti32(record + 8, captured);
  puti32(record + 12, length);
  const bytes = CAPTURE_RECORD_BYTES + captured;
  const text = base64(machine.memory, record, bytes);
  return `!${hex(sequence & 0xffff, 4)} ${text} ${hex(machine.plane.crc32(0, record, bytes), 8)}`;
}

export function base64(memory: Uint8Array, at: number, bytes: number): string {
  const codes = new Uint8Array(Math.ceil(bytes / 3) * 4);
  let to = 0;
  for (let i = 0; i < bytes; i += 3) {
    const left = bytes - i;
    const first = memory[at + i] as number;
    const second = left > 1 ? (memory[at + i + 1] as number) : 0;
    const third = left > 2 ? (memory[at + i + 2] as number) : 0;
    codes[to++] = LETTERS.charCodeAt(first >> 2);
    codes[to++] = LETTERS.charCodeAt(((first & 3) << 4) | (second >> 4));
    codes[to++] = left > 1 ? LETTERS.charCodeAt(((second & 15) << 2) | (third >> 6)) : 61;
    codes[to++] = left > 2 ? LETTERS.charCodeAt(third & 63) : 61;
  }
  let text = '';
  for (let i = 0; i < codes.length; i += CHUNK) text += String.fromCharCode(...codes.subarray(i, i + CHUNK));
  return text;
}
