// Receives one file by YMODEM, XMODEM-1K, XMODEM-CRC or XMODEM with its first checksum, whichever is sent: the first
// block's number tells. Forsberg's reference (modem.ts), sections 7 and 8.
//
//    phase first: asks until a block comes     data: acknowledges block by block
//          closing (YMODEM): asks for the next name; it is empty, or too much
//
//    asking, waiting --start of a block--> block --sound: event, accept()--> waiting
//                                            '--bad--> purging --silence: NAK--> waiting
//    any --CAN CAN, too many errors, cancel()--> draining --silence--> done
//
// Two CANs are the end where a block may begin. In a block, behind a damaged one, and while an event is dealt with, they
// may be contents: there they are if silence follows, or the backspaces that many a sender adds.
//
// One timer, set by each state:
//    asking    asks again each 3 s: at first for two minutes, 10 times for CRC, then 4 times for sums, and so on; at
//              the close 3 times, and without an answer the file is complete all the same
//    waiting   a block begins within 10 s, or a NAK asks for it again; PATIENCE errors in a row are the end
//    block     the next byte comes within 1 s
//    purging   0.3 s without a byte, after damage and after the first EOT; whatever still comes after 15 s is taken for noise
//    draining  1 s without a byte, at most 30 s: what a sender goes on to send must not be typed at the prompt
//
// An event is what the user must deal with before the sender may go on: accept() acknowledges it. Bytes that come
// meanwhile are dropped, for a sender waits. Not here: who writes the bytes down (../update/commands.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { since } from '../core/clock.ts';
import {
  ACK,
  ASK_CRC,
  BLOCK_HEAD,
  CAN,
  crc16,
  EOT,
  LONG_BLOCK,
  NAK,
  SHORT_BLOCK,
  SOH,
  STX,
  sum8,
} from './modem.ts';

const ASK_TICKS = 3 * TICKS_PER_SECOND;
const ASKS = 40;
const CRC_ASKS = 10;
const ASK_ROUND = 14;
const BLOCK_TICKS = 10 * TICKS_PER_SECOND;
const BYTE_TICKS = TICKS_PER_SECOND;
const PURGE_TICKS = (3 * TICKS_PER_SECOND) / 10;
const PURGE_MOST_TICKS = 15 * TICKS_PER_SECOND;
const DRAIN_TICKS = TICKS_PER_SECOND;
const DRAIN_MOST_TICKS = 30 * TICKS_PER_SECOND;
const CLOSE_ASKS = 3;
/** Errors in a row. */
export const PATIENCE = 10;
/** Characters of a file's name that are shown. */
const NAME_LIMIT = 64;
/** CANs in a row that end the transfer. */
const CANCELS = 2;
const CONTROL_C = 3;
const BACKSPACE = 8;
/** Enough to end a sender that has missed some, and the backspaces that take them from a person's screen. */
const CANCEL = '\x18'.repeat(8) + '\b'.repeat(8);

export type TransferEvent =
  /** YMODEM names a file; XMODEM tells nothing. */
  | { kind: 'file'; name: string; length: number | undefined }
  /** Valid until accept(). XMODEM fills up the last block. */
  | { kind: 'data'; bytes: Uint8Array }
  /** The file is complete. What cancel() is told now, the sender still hears. */
  | { kind: 'end' }
  /** The transfer is over. `why` is undefined if all went well. */
  | { kind: 'done'; why: string | undefined };

type Phase = 'first' | 'data' | 'closing';
type State = 'asking' | 'waiting' | 'block' | 'purging' | 'draining' | 'done';

export class Receiver {
  /** What waits for accept(). */
  event: TransferEvent | undefined;
  private phase: Phase = 'first';
  private state: State = 'asking';
  /** When the state's time is over, and when the state began. */
  private deadline: number;
  private began: number;
  private readonly block = new Uint8Array(BLOCK_HEAD + LONG_BLOCK + 2);
  private filled = 0;
  /** CRC of what the block has behind its head: while the line brings the rest, there is time for it. */
  private crc = 0;
  private wanted = 0;
  private asks = 0;
  private errors = 0;
  private withCrc = true;
  /** The next block's number, and how many blocks of data were taken. */
  private expected = 1;
  private blocks = 0;
  private isBatch = false;
  /** Bytes that the file still has, as far as block 0 told. */
  private left: number | undefined;
  private ended = false;
  /** CANs that came last. */
  private cancels = 0;
  private why: string | undefined;

  /** @param send writes characters 0 to 255 to the sender. */
  constructor(
    private readonly send: (text: string) => void,
    now: number,
  ) {
    this.began = now;
    this.deadline = now;
  }

  /** Whether a sender has been heard. */
  get isUnderWay(): boolean {
    return this.phase !== 'first';
  }

  /** Takes bytes that have come. */
  feed(bytes: Uint8Array, now: number): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.event !== undefined) this.countCancel(bytes[at++] as number);
      else if (this.state === 'block') at += this.fill(bytes, at, now);
      else this.take(bytes[at++] as number, now);
    }
  }

  /** Lets time pass. Answers the ticks until there is more to do. */
  work(now: number): number {
    if (this.event !== undefined || this.state === 'done') return BLOCK_TICKS;
    const left = -since(now, this.deadline);
    if (left > 0) return left;
    this.timeOut(now);
    return Math.max(0, -since(now, this.deadline));
  }

  /** The event has been dealt with: the sender may go on. */
  accept(now: number): void {
    const { event } = this;
    if (event === undefined || event.kind === 'done') return;
    this.event = undefined;
    if (event.kind !== 'end' && this.cancels >= CANCELS) {
      this.purge(now);
      return;
    }
    this.answer(ACK, now);
    if (event.kind === 'file') this.sendByte(ASK_CRC);
    if (event.kind !== 'end') return;
    this.phase = 'closing';
    this.asks = 0;
    if (this.isBatch) this.enter('asking', now, 0);
    else this.endTransfer();
  }

  /** Ends the transfer; the sender is told. `done` comes when the line is quiet. */
  cancel(why: string, now: number): void {
    if (this.state === 'done' || this.state === 'draining') return;
    this.event = undefined;
    this.why = why;
    this.send(CANCEL);
    this.enter('draining', now, DRAIN_TICKS);
  }

  private enter(state: State, now: number, ticks: number): void {
    if (this.state !== state) this.began = now;
    this.state = state;
    this.deadline = (now + ticks) | 0;
  }

  private sendByte(byte: number): void {
    this.send(String.fromCharCode(byte));
  }

  /** Acknowledges or refuses what came last, and waits for more. */
  private answer(byte: number, now: number): void {
    this.sendByte(byte);
    this.cancels = 0;
    this.enter('waiting', now, BLOCK_TICKS);
  }

  private endTransfer(): void {
    this.state = 'done';
    this.event = { kind: 'done', why: this.why };
  }

  /** Asks for a block again, unless that was in vain too often. */
  private complain(why: string, now: number): void {
    if (this.phase !== 'data') this.enter('asking', now, 0);
    else if (++this.errors >= PATIENCE) this.cancel(why, now);
    else this.answer(NAK, now);
  }

  private timeOut(now: number): void {
    if (this.state === 'asking') this.ask(now);
    else if (this.state === 'draining') this.endTransfer();
    else if (this.state === 'waiting') this.complain('the sender fell silent', now);
    else if (this.state === 'block' && this.cancelsInBlock() >= CANCELS) this.takeCancel(now);
    else if (this.state === 'purging' && this.cancels >= CANCELS) this.takeCancel(now);
    else this.complain('too many blocks were damaged', now);
  }

  /** CANs at the end of what has come of a block. */
  private cancelsInBlock(): number {
    let end = this.filled;
    while (end > 0 && this.block[end - 1] === BACKSPACE) end--;
    let start = end;
    while (start > 1 && this.block[start - 1] === CAN) start--;
    return end - start;
  }

  private countCancel(byte: number): void {
    if (byte === CAN) this.cancels++;
    else if (byte !== BACKSPACE) this.cancels = 0;
  }

  private ask(now: number): void {
    if (this.phase === 'closing' && this.asks === CLOSE_ASKS) {
      this.endTransfer();
      return;
    }
    if (this.asks === ASKS) {
      this.cancel('nothing was sent', now);
      return;
    }
    if (this.phase === 'first') this.withCrc = this.asks % ASK_ROUND < CRC_ASKS;
    this.asks++;
    this.sendByte(this.withCrc ? ASK_CRC : NAK);
    this.enter('asking', now, ASK_TICKS);
  }

  /** Takes a byte that is not of a block. */
  private take(byte: number, now: number): void {
    this.countCancel(byte);
    if (this.state === 'purging' || this.state === 'draining') {
      this.extend(now);
      this.ended = false;
      return;
    }
    if (this.cancels >= CANCELS) {
      this.takeCancel(now);
    } else if (byte === SOH || byte === STX) {
      this.block[0] = byte;
      this.filled = 1;
      this.crc = 0;
      this.wanted = BLOCK_HEAD + (byte === STX ? LONG_BLOCK : SHORT_BLOCK) + (this.withCrc ? 2 : 1);
      this.enter('block', now, BYTE_TICKS);
    } else if (this.phase === 'data') {
      if (byte === EOT && (this.left ?? 0) === 0) this.takeEnd(now);
      // The rest of a block whose start was lost: nothing in it means what it seems to.
      else if (byte !== CAN) this.purge(now);
    } else if (byte === EOT && this.phase === 'closing') {
      // Our acknowledgement was lost.
      this.sendByte(ACK);
      this.enter('asking', now, 0);
    } else if (byte === CONTROL_C && this.phase === 'first') {
      this.why = 'cancelled';
      this.enter('draining', now, PURGE_TICKS);
    }
  }

  private takeCancel(now: number): void {
    // After the end of the file it makes no difference any more.
    if (this.phase !== 'closing') this.why = 'the sender cancelled';
    this.enter('draining', now, DRAIN_TICKS);
  }

  private purge(now: number): void {
    this.ended = false;
    this.enter('purging', now, PURGE_TICKS);
  }

  /** Waits for silence, within reason. */
  private extend(now: number): void {
    const draining = this.state === 'draining';
    const most = draining ? DRAIN_MOST_TICKS : PURGE_MOST_TICKS;
    if (since(now, this.began) < most) this.deadline = (now + (draining ? DRAIN_TICKS : PURGE_TICKS)) | 0;
  }

  /** The first EOT may be noise, or the number of a block whose start was lost: if it is alone, it is NAKed. */
  private takeEnd(now: number): void {
    if (this.ended) {
      this.event = { kind: 'end' };
      return;
    }
    this.purge(now);
    this.ended = true;
  }

  /** Takes bytes of a block; answers how many. */
  private fill(bytes: Uint8Array, at: number, now: number): number {
    const count = Math.min(bytes.length - at, this.wanted - this.filled);
    this.block.set(bytes.subarray(at, at + count), this.filled);
    const from = Math.max(this.filled, BLOCK_HEAD);
    this.filled += count;
    if (this.withCrc) this.crc = crc16(this.block, from, this.filled, this.crc);
    if (this.filled < this.wanted) this.enter('block', now, BYTE_TICKS);
    else if (this.isSound()) this.takeBlock(now);
    else {
      this.cancels = this.cancelsInBlock();
      this.purge(now);
    }
    return count;
  }

  private isSound(): boolean {
    const { block, wanted, withCrc } = this;
    if ((block[1] as number) + (block[2] as number) !== 255) return false;
    if (withCrc) return this.crc === 0;
    return sum8(block, BLOCK_HEAD, wanted - 1) === block[wanted - 1];
  }

  /** A block that is whole: a new one, one whose acknowledgement was lost, or one too many. */
  private takeBlock(now: number): void {
    const number = this.block[1] as number;
    this.errors = 0;
    this.ended = false;
    if (this.phase === 'closing') this.takeNext(number, now);
    else if (this.phase === 'first' && number === 0) this.takeName();
    else if (number === this.expected) this.takeData();
    else if (this.phase === 'data' && number === ((this.expected - 1) & 0xff)) {
      this.answer(ACK, now);
      if (this.isBatch && this.blocks === 0) this.sendByte(ASK_CRC);
    } else this.cancel(`block ${number} came where ${this.expected} was due`, now);
  }

  private data(): Uint8Array {
    return this.block.subarray(BLOCK_HEAD, this.wanted - (this.withCrc ? 2 : 1));
  }

  /** Block 0: the name, NUL, the length in decimal, and more that does not matter here. */
  private takeName(): void {
    const [name = '', facts = ''] = String.fromCharCode(...this.data()).split('\0');
    this.phase = 'data';
    if (name === '') {
      this.why = 'the sender has no file';
      this.endTransfer();
      return;
    }
    const digits = /^\d{1,9}/.exec(facts);
    this.isBatch = true;
    this.left = digits === null ? undefined : Number(digits[0]);
    this.event = { kind: 'file', name: name.slice(0, NAME_LIMIT), length: this.left };
  }

  private takeData(): void {
    const data = this.data();
    this.phase = 'data';
    this.blocks++;
    this.expected = (this.expected + 1) & 0xff;
    const count = Math.min(data.length, this.left ?? data.length);
    if (this.left !== undefined) this.left -= count;
    this.event = { kind: 'data', bytes: data.subarray(0, count) };
  }

  /** The name of another file: the empty one ends the batch. */
  private takeNext(number: number, now: number): void {
    if (number === 0 && this.data()[0] !== 0) {
      this.send(CANCEL);
      this.enter('draining', now, DRAIN_TICKS);
      return;
    }
    this.sendByte(ACK);
    if (number === 0) this.endTransfer();
    else this.enter('asking', now, ASK_TICKS);
  }
}
