// DHCP messages: one datagram taken apart, one built. RFC 2131, section 2 (the fixed part), RFC 2132 (options),
// RFC 3396 (an option in several pieces).
//
//     0    1      2     3     4    8     10     12      16      20      24      28      44     108   236     240
//    | op | htype | hlen | hops | xid | secs | flags | ciaddr | yiaddr | siaddr | giaddr | chaddr | sname | file | cookie | options
//
// Every length is checked once, by Reader.parse(); the lookups after it are plain reads. Nothing is copied but
// the pieces of split options, and no objects are made: client and server keep a Reader and a Writer each.
// Not here: what options are called and which form they have (options.ts), what messages mean (client.ts,
// server.ts).

import { OPTION_MESSAGE_TYPE, OPTION_OVERLOAD } from './options.ts';

export const BOOTREQUEST = 1;
export const BOOTREPLY = 2;
export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;
export const HTYPE_ETHERNET = 1;
/** Bit of `flags`: the client cannot take unicast before it has its address. */
export const FLAG_BROADCAST = 0x8000;

// Message types, RFC 2132, 9.6.
export const DISCOVER = 1;
export const OFFER = 2;
export const REQUEST = 3;
export const DECLINE = 4;
export const ACK = 5;
export const NAK = 6;
export const RELEASE = 7;
export const INFORM = 8;

const XID = 4;
const SECS = 8;
const FLAGS = 10;
const CIADDR = 12;
const YIADDR = 16;
const SIADDR = 20;
const GIADDR = 24;
const CHADDR = 28;
const SNAME = 44;
const FILE = 108;
const COOKIE = 236;
const OPTIONS = 240;
const CHADDR_BYTES = 16;
/** Of the field `file`. */
export const FILE_BYTES: number = COOKIE - FILE;
const MAGIC_COOKIE = 0x63825363;

const PAD = 0;
const END = 255;
const OVERLOAD_FILE = 1;
const OVERLOAD_SNAME = 2;

/** Room for the joined pieces of split options: what one datagram holds, twice over. */
const JOINED_BYTES = 3072;
/**
 * Options and pieces of options that are read of one message: none in use has half as many, and each costs control some
 * thousand instructions. A message with more is none for us; only its sender, who wants to be slow to read, suffers.
 */
export const MOST_PIECES = 128;
/** BOOTP's messages have 300 bytes (RFC 951), and old relays drop what is shorter. */
export const LEAST_BYTES = 300;
/** What everybody must take: 576 bytes of IP datagram (RFC 2131, 2), less the headers of IP and UDP. */
export const MESSAGE_BYTES = 548;
/** The most we build: an Ethernet frame's payload less the headers. */
const MOST_BYTES = 1472;

/** Whether it may be the answer to a client's message, by the fixed fields alone: a look before all options are read. */
export function isAnswer(data: Uint8Array, xid: number, mac: Uint8Array): boolean {
  if (data.length < OPTIONS || data[0] !== BOOTREPLY || data[1] !== HTYPE_ETHERNET || data[2] !== 6)
    return false;
  for (let i = 0; i < 4; i++) if (data[XID + i] !== ((xid >> (24 - 8 * i)) & 255)) return false;
  for (let i = 0; i < 6; i++) if (data[CHADDR + i] !== mac[i]) return false;
  return true;
}

/** Whether it says that a relay has passed it on, by the fixed fields alone. */
export function isRelayed(data: Uint8Array): boolean {
  if (data.length < OPTIONS) return false;
  for (let i = 0; i < 4; i++) if (data[GIADDR + i] !== 0) return true;
  return false;
}

/** A message that has come in. It is valid until the next parse(), or as long as the datagram is. */
export class Reader {
  private data: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.data.buffer);
  /** Where the value of each option starts and how long it is, -1 if absent; past the datagram: in `joined`. */
  private readonly starts = new Uint16Array(256);
  private readonly lengths = new Int16Array(256);
  /** Nothing before a message has an option in pieces: few do, and there are three readers. */
  private joined: Uint8Array = new Uint8Array(0);
  private joinedView = this.view;
  private joinedBytes = 0;
  /** Where the field of options ends: at its END, or behind the datagram. */
  end = 0;
  /** Options and pieces of them that were read, of one that is no message too: what it has cost. */
  pieces = 0;

  /** Takes a datagram apart; answers why it is no DHCP message, or undefined. */
  parse(data: Uint8Array): string | undefined {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.length);
    this.lengths.fill(-1);
    this.joinedBytes = 0;
    this.pieces = 0;
    this.end = data.length;
    if (data.length < OPTIONS) return 'it is short';
    // RFC 951 knows no options; its clients leave the field empty.
    const cookie = this.view.getInt32(COOKIE);
    if (cookie !== MAGIC_COOKIE && cookie !== 0) return 'its magic cookie is wrong';
    if (this.op !== BOOTREQUEST && this.op !== BOOTREPLY) return 'its op is unknown';
    if (this.hlen > CHADDR_BYTES) return 'its hlen is larger than chaddr';
    let fault = cookie === 0 ? undefined : this.walk(OPTIONS, data.length);
    if (fault !== undefined || !this.has(OPTION_OVERLOAD)) return fault;
    // `file` is read before `sname` (RFC 2131, 4.1), and neither can say that there is more.
    const overload = this.byte(OPTION_OVERLOAD);
    if (overload < OVERLOAD_FILE || overload > (OVERLOAD_FILE | OVERLOAD_SNAME)) {
      return 'its option overload is unknown';
    }
    if ((overload & OVERLOAD_FILE) !== 0) fault = this.walk(FILE, COOKIE);
    if (fault === undefined && (overload & OVERLOAD_SNAME) !== 0) fault = this.walk(SNAME, FILE);
    return fault;
  }

  get op(): number {
    return this.data[0] as number;
  }
  get htype(): number {
    return this.data[1] as number;
  }
  get hlen(): number {
    return this.data[2] as number;
  }
  get hops(): number {
    return this.data[3] as number;
  }
  get xid(): number {
    return this.view.getInt32(XID);
  }
  get secs(): number {
    return this.view.getUint16(SECS);
  }
  get flags(): number {
    return this.view.getUint16(FLAGS);
  }
  get ciaddr(): number {
    return this.view.getInt32(CIADDR);
  }
  get yiaddr(): number {
    return this.view.getInt32(YIADDR);
  }
  get siaddr(): number {
    return this.view.getInt32(SIADDR);
  }
  get giaddr(): number {
    return this.view.getInt32(GIADDR);
  }
  /** The client's hardware address, `hlen` bytes; a view of the datagram. */
  get chaddr(): Uint8Array {
    return this.data.subarray(CHADDR, CHADDR + this.hlen);
  }
  /** The message type, 0 if the option is missing, has another length than 1 or an unknown value. */
  get type(): number {
    const type = this.byte(OPTION_MESSAGE_TYPE);
    return type >= DISCOVER && type <= INFORM ? type : 0;
  }

  has(code: number): boolean {
    return (this.lengths[code] as number) >= 0;
  }

  /** Bytes of an option's value, -1 if it is absent. */
  lengthOf(code: number): number {
    return this.lengths[code] as number;
  }

  /** An option of one byte, 0 if it is absent or has another length. */
  byte(code: number): number {
    return this.lengths[code] === 1 ? (this.viewOf(code).getUint8(this.startOf(code)) as number) : 0;
  }

  /** An option of two bytes, 0 if it is absent or has another length. */
  half(code: number): number {
    return this.lengths[code] === 2 ? this.viewOf(code).getUint16(this.startOf(code)) : 0;
  }

  /** An option of four bytes, an address or a time as i32, 0 if it is absent or has another length. */
  word(code: number): number {
    return this.lengths[code] === 4 ? this.viewOf(code).getInt32(this.startOf(code)) : 0;
  }

  /** The addresses of an option that lists them; none if its length is no multiple of 4. */
  addresses(code: number): number[] {
    const length = this.lengths[code] as number;
    const list: number[] = [];
    if (length <= 0 || (length & 3) !== 0) return list;
    const view = this.viewOf(code);
    const start = this.startOf(code);
    for (let at = 0; at < length; at += 4) list.push(view.getInt32(start + at));
    return list;
  }

  /** An option's value, empty if it is absent; a view that is valid as long as the message is. */
  bytes(code: number): Uint8Array {
    const length = this.lengths[code] as number;
    const start = this.startOf(code);
    const from = (this.starts[code] as number) < this.data.length ? this.data : this.joined;
    return length < 0 ? from.subarray(0, 0) : from.subarray(start, start + length);
  }

  private viewOf(code: number): DataView {
    return (this.starts[code] as number) < this.data.length ? this.view : this.joinedView;
  }

  private startOf(code: number): number {
    const start = this.starts[code] as number;
    return start < this.data.length ? start : start - this.data.length;
  }

  /** Notes the options of one field. A field may do without END: many clients forget it. */
  private walk(from: number, end: number): string | undefined {
    const { data, starts, lengths } = this;
    let at = from;
    while (at < end) {
      const code = data[at++] as number;
      if (code === PAD) continue;
      if (code === END) {
        if (from === OPTIONS) this.end = at - 1;
        return undefined;
      }
      if (at === end) return 'an option has no length';
      if (++this.pieces > MOST_PIECES) return 'its options are in too many pieces';
      const length = data[at++] as number;
      if (at + length > end) return 'an option runs past its field';
      if ((lengths[code] as number) < 0) {
        starts[code] = at;
        lengths[code] = length;
      } else if (!this.join(code, at, length)) {
        return 'its options are in too many pieces';
      }
      at += length;
    }
    return undefined;
  }

  /** Appends a further piece of an option. The joined value is the last one in `joined`, or is moved there. */
  private join(code: number, at: number, length: number): boolean {
    if (this.joined.length === 0) {
      this.joined = new Uint8Array(JOINED_BYTES);
      this.joinedView = new DataView(this.joined.buffer);
    }
    const { data, joined, starts, lengths } = this;
    const before = lengths[code] as number;
    // In `joined` already, and nothing behind it. A value at the datagram's very end only looks like that.
    const start = starts[code] as number;
    const isLast = start >= data.length && start === data.length + this.joinedBytes - before && before > 0;
    if (this.joinedBytes + (isLast ? 0 : before) + length > JOINED_BYTES) return false;
    if (!isLast) {
      const value = this.bytes(code);
      joined.set(value, this.joinedBytes);
      starts[code] = data.length + this.joinedBytes;
      this.joinedBytes += before;
    }
    joined.set(data.subarray(at, at + length), this.joinedBytes);
    this.joinedBytes += length;
    lengths[code] = before + length;
    return true;
  }
}

/** A message that goes out: start(), the fixed fields, options in order, finish(). The buffer is reused. */
export class Writer {
  private readonly data = new Uint8Array(MOST_BYTES);
  private readonly view = new DataView(this.data.buffer);
  private at = OPTIONS;
  private limit = MESSAGE_BYTES;

  /** Begins a message of at most `limit` bytes; type 0 is BOOTP's. */
  start(op: number, xid: number, type: number, limit: number = MESSAGE_BYTES): void {
    this.data.fill(0);
    this.limit = Math.max(LEAST_BYTES, Math.min(limit, MOST_BYTES));
    this.data[0] = op;
    this.data[1] = HTYPE_ETHERNET;
    this.data[2] = 6;
    this.view.setInt32(XID, xid);
    this.view.setInt32(COOKIE, MAGIC_COOKIE);
    this.at = OPTIONS;
    if (type !== 0) this.byte(OPTION_MESSAGE_TYPE, type);
  }

  /** Room that was not to be used until now. */
  more(bytes: number): void {
    this.limit += bytes;
  }

  set htype(value: number) {
    this.data[1] = value;
  }
  set hops(value: number) {
    this.data[3] = value;
  }
  set secs(value: number) {
    this.view.setUint16(SECS, value);
  }
  set flags(value: number) {
    this.view.setUint16(FLAGS, value);
  }
  set ciaddr(value: number) {
    this.view.setInt32(CIADDR, value);
  }
  set yiaddr(value: number) {
    this.view.setInt32(YIADDR, value);
  }
  set siaddr(value: number) {
    this.view.setInt32(SIADDR, value);
  }
  set giaddr(value: number) {
    this.view.setInt32(GIADDR, value);
  }
  /** The file to boot, if the field holds it with a NUL behind it. */
  set file(name: string) {
    if (name.length >= FILE_BYTES) return;
    for (let i = 0; i < name.length; i++) this.data[FILE + i] = name.charCodeAt(i);
  }
  /** The client's hardware address, at most 16 bytes; sets hlen too. */
  set chaddr(value: Uint8Array) {
    this.data[2] = value.length;
    this.data.set(value, CHADDR);
  }

  // Options: false if there is no room, and nothing is written.

  byte(code: number, value: number): boolean {
    if (!this.begin(code, 1)) return false;
    this.data[this.at++] = value;
    return true;
  }

  half(code: number, value: number): boolean {
    if (!this.begin(code, 2)) return false;
    this.view.setUint16(this.at, value);
    this.at += 2;
    return true;
  }

  word(code: number, value: number): boolean {
    if (!this.begin(code, 4)) return false;
    this.view.setInt32(this.at, value);
    this.at += 4;
    return true;
  }

  addresses(code: number, list: readonly number[]): boolean {
    if (list.length === 0 || list.length > 63 || !this.begin(code, 4 * list.length)) return false;
    for (const address of list) {
      this.view.setInt32(this.at, address);
      this.at += 4;
    }
    return true;
  }

  /** Characters of text, one byte each. */
  text(code: number, text: string): boolean {
    if (text.length > 255 || !this.begin(code, text.length)) return false;
    for (let i = 0; i < text.length; i++) this.data[this.at++] = text.charCodeAt(i);
    return true;
  }

  /** A value of any length; past 255 bytes in pieces (RFC 3396). */
  bytes(code: number, value: Uint8Array): boolean {
    const pieces = Math.max(1, Math.ceil(value.length / 255));
    if (this.at + value.length + 2 * pieces + 1 > this.limit) return false;
    for (let from = 0, piece = 0; piece < pieces; piece++, from += 255) {
      const length = Math.min(255, value.length - from);
      this.begin(code, length);
      this.data.set(value.subarray(from, from + length), this.at);
      this.at += length;
    }
    return true;
  }

  /** Ends the message; the answer is a view of the buffer, valid until the next start(). */
  finish(): Uint8Array {
    this.data[this.at++] = END;
    return this.data.subarray(0, Math.max(this.at, LEAST_BYTES));
  }

  /** Code and length, if those, `length` bytes and END have room. */
  private begin(code: number, length: number): boolean {
    if (this.at + 2 + length + 1 > this.limit) return false;
    this.data[this.at++] = code;
    this.data[this.at++] = length;
    return true;
  }
}
