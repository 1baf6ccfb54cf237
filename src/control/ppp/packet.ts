// Packets of PPP's control protocols and the options in them (RFC 1661, sections 5 and 6): read with every length proved, and written.
// Not here: what a code or an option means (automaton.ts, lcp.ts, ipcp.ts).

import { get16, put16 } from '../../wire/bytes.ts';
import { CP_CODE, CP_HEADER_BYTES, CP_IDENTIFIER, CP_LENGTH, OPTION_HEADER_BYTES } from '../../wire/ppp.ts';

export interface Packet {
  code: number;
  identifier: number;
  /** What is behind the header, without padding. */
  data: Uint8Array;
}

/** An option's type and its value. */
export interface Option {
  type: number;
  value: Uint8Array;
}

/** What a packet says; undefined for one that is shorter than it says, or than a header. */
export function readPacket(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < CP_HEADER_BYTES) return undefined;
  const length = get16(bytes, CP_LENGTH);
  if (length < CP_HEADER_BYTES || length > bytes.length) return undefined;
  return {
    code: bytes[CP_CODE] as number,
    identifier: bytes[CP_IDENTIFIER] as number,
    data: bytes.slice(CP_HEADER_BYTES, length),
  };
}

export function writePacket(code: number, identifier: number, data: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(CP_HEADER_BYTES + data.length);
  bytes[CP_CODE] = code;
  bytes[CP_IDENTIFIER] = identifier;
  put16(bytes, CP_LENGTH, bytes.length);
  bytes.set(data, CP_HEADER_BYTES);
  return bytes;
}

/** The options of a Configure packet; undefined where one does not end within it. */
export function readOptions(data: Uint8Array): Option[] | undefined {
  const options: Option[] = [];
  for (let at = 0; at < data.length; ) {
    const length = data[at + 1] ?? 0;
    if (length < OPTION_HEADER_BYTES || at + length > data.length) return undefined;
    options.push({ type: data[at] as number, value: data.slice(at + OPTION_HEADER_BYTES, at + length) });
    at += length;
  }
  return options;
}

export function writeOptions(options: readonly Option[]): Uint8Array {
  let length = 0;
  for (const { value } of options) length += OPTION_HEADER_BYTES + value.length;
  const data = new Uint8Array(length);
  let at = 0;
  for (const { type, value } of options) {
    data[at] = type;
    data[at + 1] = OPTION_HEADER_BYTES + value.length;
    data.set(value, at + OPTION_HEADER_BYTES);
    at += OPTION_HEADER_BYTES + value.length;
  }
  return data;
}

/** A value of two or four bytes. */
export function number16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

export function number32(value: number): Uint8Array {
  return Uint8Array.of(value >> 24, value >> 16, value >> 8, value);
}

/** Whether they are the same. It takes as long wherever they differ: how long it takes tells nothing about a password. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let differing = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) differing |= (a[i] as number) ^ (b[i] ?? 0);
  return differing === 0;
}

/** A text as bytes, of which there are no more than a length field of one byte can say. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.min(text.length, 255));
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Bytes as the name that they are, whatever it is written in. */
export function nameOf(bytes: Uint8Array): string {
  let name = '';
  for (const byte of bytes) name += String.fromCharCode(byte);
  return name;
}

/** Bytes as a text of one line: what is no printable character of ASCII is a question mark. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '?';
  return text;
}
