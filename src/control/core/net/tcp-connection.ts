// One TCP connection: RFC 9293; retransmission times: RFC 6298; blind attacks: RFC 5961. Small on purpose:
// at most two segments are on their way, what arrives out of order is dropped and sent again by the other
// side, what has arrived is handed on at once, so that nothing waits here but what is still to be sent.
//
//    SYN_SENT -> ESTABLISHED      ours closes first: FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT
//                                 theirs first: CLOSE_WAIT, LAST_ACK; both: CLOSING
//
// There is no SYN_RECEIVED: a connection of the other side is here from its third segment on (src/plane/local/tcp-local.ts).
//
// Timers:  retransmit   starts with what needs an acknowledgment; from 1 s or as measured, doubled each time;
//                       sends the oldest again, and gives up after RETRIES (SYN_RETRIES while opening)
//          idle         starts with the connection and each active(), and unless its user gave idleSeconds with
//                       each segment that says something new; ends the connection. In TIME_WAIT it is what is left
//                       of it: TIME_WAIT_TICKS
//
// Not here: which segment belongs to which connection (tcp.ts), segments as bytes (tcp-segment.ts).

import { TCP_WINDOW_BYTES, TICKS_PER_SECOND } from '../../../base/limits.ts';
import {
  TCP_ACK as ACK,
  TCP_FIN as FIN,
  TCP_PSH as PSH,
  TCP_RST as RST,
  TCP_SYN as SYN,
} from '../../../wire/tcp.ts';
import { since, type Timer } from '../clock.ts';
import { TCP_SEND_BYTES } from '../limits.ts';
import { type Ends, MSS_DEFAULT, type Segment } from './tcp-segment.ts';
import type { Below, Connection, End, State } from './tcp-types.ts';

export type { Below, Connection, End } from './tcp-types.ts';

/** What is on its way from us at most, as to us (TCP_WINDOW_BYTES). */
const SEGMENTS = 2;
/** First retransmission (RFC 6298, 2.1), the least as Linux has it (the RFC's 1 s stalls each loss), the most. */
const RTO_FIRST = TICKS_PER_SECOND;
const RTO_LEAST = (TICKS_PER_SECOND * 3) / 10;
const RTO_MOST = 16 * TICKS_PER_SECOND;
/** Some 40 s for data. For opening 1 + 2 + 4 s, where RFC 9293, section 3.8.3 has minutes: places are few. */
const RETRIES = 6;
const SYN_RETRIES = 2;
/** Far less than two MSL: eight connections are all there are, and sequence numbers start at random. */
const TIME_WAIT_TICKS = 5 * TICKS_PER_SECOND;
const IDLE_SECONDS = 30;

const nothing = (): void => {};
const STOPPED: Timer = { tick: 0, run: nothing };

export class TcpConnection implements Connection {
  state: State = 'CLOSED';
  onOpen: () => void = nothing;
  onData: (data: Uint8Array) => void = nothing;
  onSent: () => void = nothing;
  onEnd: () => void = () => this.close();
  onClose: (end: End) => void = nothing;
  isBusy = false;
  /** The tick from which its idle time counts. */
  activeAt: number;
  readonly local: number;
  readonly localPort: number;
  readonly remote: number;
  readonly remotePort: number;
  /** To be sent or acknowledged; begins at sndUna, or behind our SYN. */
  private waiting = new Uint8Array(0);
  private kept = new Uint8Array(0);
  private sndUna: number;
  private sndNxt: number;
  /** The highest that was ever sent: sndNxt goes back when something is sent again. */
  private sndMax: number;
  private sndWindow = 0;
  private sndWl1 = 0;
  private sndWl2 = 0;
  private rcvNxt = 0;
  private mss = MSS_DEFAULT;
  private finWanted = false;
  private ackDue = false;
  private retries = 0;
  private rto = RTO_FIRST;
  private smoothed = -1;
  private variation = 0;
  /** A segment is being timed (RFC 6298, section 3): its end and when it was sent. */
  private timed = false;
  private timedEnd = 0;
  private timedAt = 0;
  private retransmit: Timer | undefined;
  private readonly idleTicks: number;
  private readonly keepsItself: boolean;
  private idle: Timer;

  constructor(
    private readonly below: Below,
    ends: Ends,
    readonly index: number,
    readonly client: number,
    initialSequence: number,
    idleSeconds: number | undefined,
  ) {
    this.local = ends.local;
    this.localPort = ends.localPort;
    this.remote = ends.remote;
    this.remotePort = ends.remotePort;
    this.sndUna = initialSequence;
    this.sndNxt = initialSequence;
    this.sndMax = initialSequence;
    this.idleTicks = (idleSeconds ?? IDLE_SECONDS) * TICKS_PER_SECOND;
    this.keepsItself = idleSeconds === undefined;
    this.activeAt = below.clock.now();
    this.idle = below.clock.after(this.idleTicks, () => this.idled());
  }

  /** Begins to open it to the other side. */
  connect(): void {
    this.enter('SYN_SENT');
    this.sendSyn();
  }

  /** Begins with the segment that acknowledges our answer to the other side's SYN; receive() takes what is in it. */
  accept(segment: Segment, mss: number): void {
    this.sndUna = this.sndNxt = this.sndMax = segment.acknowledgment;
    this.rcvNxt = segment.sequence;
    this.mss = mss;
    this.setWindow(segment);
    this.enter('ESTABLISHED');
  }

  active(): void {
    if (this.state !== 'TIME_WAIT' && this.state !== 'CLOSED') this.restartIdle(this.idleTicks);
  }

  write(data: Uint8Array): boolean {
    const open = this.state === 'ESTABLISHED' || this.state === 'CLOSE_WAIT' || this.state === 'SYN_SENT';
    if (!open || this.finWanted || this.waiting.length + data.length > TCP_SEND_BYTES) return false;
    const joined = new Uint8Array(this.waiting.length + data.length);
    joined.set(this.waiting);
    joined.set(data, this.waiting.length);
    this.waiting = joined;
    this.output();
    return true;
  }

  get unsent(): number {
    return this.waiting.length;
  }

  get unread(): number {
    return this.kept.length;
  }

  keep(data: Uint8Array): void {
    this.kept = data.slice();
  }

  read(): void {
    const { kept } = this;
    if (kept.length === 0 || this.state === 'CLOSED') return;
    this.kept = new Uint8Array(0);
    this.onData(kept);
    // The other side may have been told that there is no room (RFC 9293, section 3.8.6.2.2).
    if (this.kept.length < kept.length && this.takesData()) this.send(this.sndNxt, ACK);
  }

  close(): void {
    if (this.state === 'SYN_SENT') {
      this.deleteTcb('closed');
      return;
    }
    if (this.finWanted || this.state === 'CLOSED') return;
    this.finWanted = true;
    this.output();
  }

  abort(): void {
    if (this.state === 'CLOSED') return;
    if (this.state !== 'SYN_SENT' && this.state !== 'TIME_WAIT') this.send(this.sndNxt, RST | ACK);
    this.deleteTcb('aborted');
  }

  /**
   * A router or the host says that nothing gets there, and quotes a segment's sequence number: believed while opening
   * only, and only about our SYN (RFC 5927, sections 4.1 and 5.2).
   */
  unreachable(sequence: number): void {
    if (this.state === 'SYN_SENT' && sequence === this.sndUna) this.deleteTcb('unreachable');
  }

  /** A segment has arrived for this connection. */
  receive(segment: Segment): void {
    if (this.state === 'SYN_SENT') this.receiveInSynSent(segment);
    else this.receiveOther(segment);
    if (this.state === 'CLOSED') return;
    this.output();
    if (this.ackDue) this.send(this.sndNxt, ACK);
  }

  /** RFC 9293, section 3.10.7.3. Both opening at once is not for us: the plain SYN is left unanswered. */
  private receiveInSynSent(segment: Segment): void {
    const { flags, acknowledgment } = segment;
    if ((flags & ACK) !== 0 && acknowledgment !== this.sndMax) {
      if ((flags & RST) === 0 && this.below.mayRepair())
        this.below.send(this, acknowledgment, 0, RST, 0, undefined);
      return;
    }
    if ((flags & RST) !== 0) {
      if ((flags & ACK) !== 0) this.deleteTcb('reset');
      return;
    }
    if ((flags & (SYN | ACK)) !== (SYN | ACK)) return;
    this.rcvNxt = (segment.sequence + 1) | 0;
    this.mss = segment.mss;
    this.acknowledged(acknowledgment);
    this.setWindow(segment);
    this.enter('ESTABLISHED');
    this.ackDue = true;
    this.onOpen();
  }

  /** RFC 9293, section 3.10.7.4. */
  private receiveOther(segment: Segment): void {
    const { flags, acknowledgment } = segment;
    if (!this.isAcceptable(segment)) {
      if ((flags & RST) === 0) this.repair();
      return;
    }
    if ((flags & RST) !== 0) {
      // Only the exact number ends the connection; a guess in the window is asked back (RFC 5961, section 3.2).
      if (segment.sequence === this.rcvNxt) this.deleteTcb('reset');
      else this.repair();
      return;
    }
    if ((flags & ACK) === 0 && (flags & SYN) === 0) return;
    if ((flags & SYN) !== 0 || !this.isKnown(acknowledgment)) {
      this.repair();
      return;
    }
    this.acknowledged(acknowledgment);
    this.updateWindow(segment);
    this.finAcknowledged();
    this.receiveData(segment);
  }

  /** Not of what was never sent, nor far too old (RFC 5961, section 5.2). */
  private isKnown(acknowledgment: number): boolean {
    return since(acknowledgment, this.sndMax) <= 0 && since(this.sndUna, acknowledgment) <= 0xffff;
  }

  /** RFC 9293, section 3.10.7.4, first check: some of it lies in the window. */
  private isAcceptable(segment: Segment): boolean {
    const bytes = segment.data.length + ((segment.flags & FIN) !== 0 ? 1 : 0);
    const first = since(segment.sequence, this.rcvNxt);
    if (bytes === 0) return first >= 0 && first < TCP_WINDOW_BYTES;
    return first < TCP_WINDOW_BYTES && first + bytes > 0;
  }

  /** Takes the bytes that come next, and the FIN behind them. */
  private receiveData(segment: Segment): void {
    const skip = since(this.rcvNxt, segment.sequence);
    const isFin = (segment.flags & FIN) !== 0;
    if (segment.data.length === 0 && !isFin) return;
    this.ackDue = true;
    if (skip < 0) return; // something before it is missing: the acknowledgment says what
    if (!this.takesData()) {
      if (this.state === 'TIME_WAIT') this.restartIdle(TIME_WAIT_TICKS);
      return;
    }
    if (this.keepsItself) this.restartIdle(this.idleTicks);
    const whole = segment.data.subarray(skip);
    // Beyond the window nothing is taken, nor a FIN behind it.
    const data = whole.subarray(0, this.window());
    const isLast = isFin && data.length === whole.length;
    this.rcvNxt = (this.rcvNxt + data.length + (isLast ? 1 : 0)) | 0;
    if (data.length > 0) this.handOn(data);
    if (!isLast || (this.state as State) === 'CLOSED') return;
    if (this.state === 'ESTABLISHED') {
      this.enter('CLOSE_WAIT');
      this.onEnd();
    } else if (this.state === 'FIN_WAIT_1') this.enter('CLOSING');
    else this.enter('TIME_WAIT');
  }

  private takesData(): boolean {
    return this.state === 'ESTABLISHED' || this.state === 'FIN_WAIT_1' || this.state === 'FIN_WAIT_2';
  }

  /** Bytes that the other side may send. */
  private window(): number {
    return TCP_WINDOW_BYTES - this.kept.length;
  }

  private handOn(data: Uint8Array): void {
    const { kept } = this;
    if (kept.length === 0) {
      this.onData(data);
      return;
    }
    const joined = new Uint8Array(kept.length + data.length);
    joined.set(kept);
    joined.set(data, kept.length);
    this.kept = new Uint8Array(0);
    this.onData(joined);
  }

  /** Our SYN, data or FIN has arrived up to there. */
  private acknowledged(acknowledgment: number): void {
    let count = since(acknowledgment, this.sndUna);
    if (count <= 0) {
      // A closed window that is still confirmed is no silence (RFC 9293, section 3.8.6.1).
      if (count === 0 && this.sndWindow === 0) this.retries = 0;
      return;
    }
    if (this.timed && since(acknowledgment, this.timedEnd) >= 0) this.measure();
    this.sndUna = acknowledgment;
    if (since(this.sndNxt, acknowledgment) < 0) this.sndNxt = acknowledgment;
    if (this.state === 'SYN_SENT') count--;
    this.waiting = this.waiting.slice(count); // a FIN counts one more than there is
    this.retries = 0;
    if (this.keepsItself) this.restartIdle(this.idleTicks);
    this.stopRetransmit();
    if (since(this.sndMax, this.sndUna) > 0) this.startRetransmit();
    this.onSent();
  }

  /** What follows when our FIN has arrived. */
  private finAcknowledged(): void {
    if (!this.isFinSent() || this.sndUna !== this.sndMax) return;
    if (this.state === 'FIN_WAIT_1') this.enter('FIN_WAIT_2');
    else if (this.state === 'CLOSING') this.enter('TIME_WAIT');
    else if (this.state === 'LAST_ACK') this.deleteTcb('closed');
  }

  private updateWindow(segment: Segment): void {
    const newer = since(segment.sequence, this.sndWl1);
    if (newer > 0 || (newer === 0 && since(segment.acknowledgment, this.sndWl2) >= 0))
      this.setWindow(segment);
  }

  private setWindow(segment: Segment): void {
    this.sndWindow = segment.window;
    this.sndWl1 = segment.sequence;
    this.sndWl2 = segment.acknowledgment;
  }

  /** Sends what the window allows, at most two segments, and the FIN behind the last byte. */
  private output(): void {
    if (this.state === 'SYN_SENT' || this.state === 'TIME_WAIT' || this.state === 'CLOSED') return;
    const window = Math.min(this.sndWindow, SEGMENTS * this.mss);
    for (let i = 0; i < SEGMENTS; i++) {
      const from = since(this.sndNxt, this.sndUna);
      const count = Math.min(this.mss, this.waiting.length - from, window - from);
      const isLast = from + Math.max(0, count) === this.waiting.length;
      const isFin = this.finWanted && isLast;
      if (count <= 0 && !isFin) break;
      this.transmit(from, Math.max(0, count), isLast, isFin);
      if (isFin) break;
    }
    // A closed window is asked about by the same timer.
    if (this.waiting.length > 0 && this.retransmit === undefined) this.startRetransmit();
  }

  private transmit(from: number, count: number, isLast: boolean, isFin: boolean): void {
    if (from > this.waiting.length) return; // the FIN is on its way
    const data = this.waiting.subarray(from, from + count);
    const flags = ACK | (isLast && count > 0 ? PSH : 0) | (isFin ? FIN : 0);
    const sequence = this.sndNxt;
    this.sndNxt = (sequence + count + (isFin ? 1 : 0)) | 0;
    if (since(this.sndNxt, this.sndMax) > 0) {
      this.sndMax = this.sndNxt;
      if (!this.timed) {
        this.timed = true;
        this.timedEnd = this.sndNxt;
        this.timedAt = this.below.clock.now();
      }
    }
    this.send(sequence, flags, data);
    if (this.retransmit === undefined) this.startRetransmit();
    if (isFin && this.state === 'ESTABLISHED') this.enter('FIN_WAIT_1');
    if (isFin && this.state === 'CLOSE_WAIT') this.enter('LAST_ACK');
  }

  private sendSyn(): void {
    this.below.send(this, this.sndUna, 0, SYN, TCP_WINDOW_BYTES);
    this.sndNxt = (this.sndUna + 1) | 0;
    this.sndMax = this.sndNxt;
    if (this.retransmit === undefined) this.startRetransmit();
  }

  private send(sequence: number, flags: number, data?: Uint8Array): void {
    this.ackDue = false;
    this.below.send(this, sequence, this.rcvNxt, flags, this.window(), data);
  }

  /** Tells the other side where we are: what it sent does not fit (RFC 5961's challenge ACK). */
  private repair(): void {
    if (this.below.mayRepair()) this.ackDue = true;
  }

  private startRetransmit(): void {
    this.retransmit = this.below.clock.after(this.rto, () => this.retransmitted());
  }

  private stopRetransmit(): void {
    if (this.retransmit !== undefined) this.below.clock.cancel(this.retransmit);
    this.retransmit = undefined;
  }

  private retransmitted(): void {
    this.retransmit = undefined;
    const isOpening = this.state === 'SYN_SENT';
    if (this.retries === (isOpening ? SYN_RETRIES : RETRIES)) {
      this.send(this.sndNxt, RST | ACK);
      this.deleteTcb('timeout');
      return;
    }
    this.retries++;
    this.rto = Math.min(RTO_MOST, this.rto * 2);
    this.timed = false; // Karn: an acknowledgment would not tell which of the two it is for
    if (isOpening) {
      this.sendSyn();
      return;
    }
    this.sndNxt = this.sndUna;
    const count = Math.min(this.mss, this.waiting.length, Math.max(1, this.sndWindow));
    const isLast = count === this.waiting.length;
    this.transmit(0, count, isLast, isLast && this.finWanted);
  }

  /** RFC 6298, section 2, in ticks. */
  private measure(): void {
    this.timed = false;
    const sample = Math.max(0, since(this.below.clock.now(), this.timedAt));
    if (this.smoothed < 0) {
      this.smoothed = sample;
      this.variation = sample / 2;
    } else {
      this.variation += (Math.abs(this.smoothed - sample) - this.variation) / 4;
      this.smoothed += (sample - this.smoothed) / 8;
    }
    const rto = Math.ceil(this.smoothed + Math.max(1, 4 * this.variation));
    this.rto = Math.min(RTO_MOST, Math.max(RTO_LEAST, rto));
  }

  private restartIdle(ticks: number): void {
    const { clock } = this.below;
    this.activeAt = clock.now();
    clock.cancel(this.idle);
    this.idle = clock.after(ticks, () => this.idled());
  }

  private idled(): void {
    if (this.state === 'TIME_WAIT') {
      this.deleteTcb('closed');
      return;
    }
    if (this.state !== 'SYN_SENT') this.send(this.sndNxt, RST | ACK);
    this.deleteTcb('timeout');
  }

  private isFinSent(): boolean {
    return this.state === 'FIN_WAIT_1' || this.state === 'CLOSING' || this.state === 'LAST_ACK';
  }

  private deleteTcb(end: End): void {
    const wasOver = this.state === 'TIME_WAIT';
    const { onClose } = this;
    this.enter('CLOSED');
    if (!wasOver) onClose(end);
  }

  /** The one place where the state changes; it starts and stops the timers that go with it. */
  private enter(state: State): void {
    this.state = state;
    if (state === 'TIME_WAIT') {
      this.stopRetransmit();
      this.restartIdle(TIME_WAIT_TICKS);
      this.onClose('closed');
    } else if (state === 'CLOSED') {
      this.stopRetransmit();
      this.below.clock.cancel(this.idle);
      this.waiting = new Uint8Array(0);
      this.kept = this.waiting;
      this.below.gone(this);
      // What holds the connection is no longer held by it: a ring of references waits for the collector.
      this.idle = STOPPED;
      this.onOpen = this.onEnd = this.onSent = nothing;
      this.onData = this.onClose = nothing;
    }
  }
}
