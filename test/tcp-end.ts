// One end of a TCP connection on a wire that loses nothing, for tests that need an end in hand: it acknowledges all that
// comes, and has as many bytes on the way as the other side's window takes. Not here: TCP as it should be.

import * as packets from './packets.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
}

const SEGMENT = 1460;

export class TcpEnd {
  isOpen = false;
  isReset = false;
  /** Bytes that have come, and bytes of ours that the other side has acknowledged. */
  received = 0;
  acknowledged = 0;
  onData: (data: Uint8Array) => void = () => {};
  #remote: Place | undefined;
  #next = 1000;
  #expected = 0;
  #waiting: Uint8Array = new Uint8Array(0);
  #sent = 0;
  #window = 0;
  #last = performance.now();

  constructor(
    readonly local: Place,
    remote: Place | undefined,
    readonly put: (datagram: Uint8Array) => void,
  ) {
    this.#remote = remote;
  }

  /** Takes the first connection that comes. */
  static listening(local: Place, put: (datagram: Uint8Array) => void): TcpEnd {
    return new TcpEnd(local, undefined, put);
  }

  connect(): void {
    this.#say(packets.SYN, new Uint8Array(0), this.#next - 1);
  }

  send(data: Uint8Array): void {
    this.#waiting = packets.concat(this.#waiting, data);
    this.#pump();
  }

  reset(): void {
    this.#say(packets.RST | packets.ACK);
    this.isOpen = false;
  }

  /** Nothing has come for a while. */
  get isQuiet(): boolean {
    return performance.now() - this.#last > 200;
  }

  take(read: packets.Read): void {
    if (read.protocol !== packets.TCP || read.destinationPort !== this.local.port) return;
    if (
      this.#remote === undefined &&
      read.tcpFlags === packets.SYN &&
      read.destination === this.local.address
    )
      this.#remote = { address: read.source, port: read.sourcePort };
    if (read.sourcePort !== this.#remote?.port || read.destination !== this.local.address) return;
    this.#last = performance.now();
    if ((read.tcpFlags & packets.RST) !== 0) {
      this.isReset = true;
      this.isOpen = false;
      return;
    }
    if ((read.tcpFlags & packets.SYN) !== 0) {
      this.#expected = (read.sequence + 1) | 0;
      const isFirst = (read.tcpFlags & packets.ACK) === 0;
      this.#say(isFirst ? packets.SYN | packets.ACK : packets.ACK, new Uint8Array(0), isFirst ? 999 : 1000);
      this.isOpen = true;
    }
    this.#window = 2 * SEGMENT;
    this.#takeAcknowledgment((read.acknowledgment - this.#next) | 0);
    if (read.data.length > 0 && read.sequence === this.#expected) {
      this.#expected = (this.#expected + read.data.length) | 0;
      this.received += read.data.length;
      this.#say(packets.ACK, new Uint8Array(0), (this.#next + this.#sent) | 0);
      this.onData(read.data);
    }
    this.#pump();
  }

  #takeAcknowledgment(count: number): void {
    if (count <= 0 || count > this.#sent) return;
    this.#next = (this.#next + count) | 0;
    this.#sent -= count;
    this.#waiting = this.#waiting.slice(count);
    this.acknowledged += count;
  }

  #pump(): void {
    while (this.isOpen && this.#sent < this.#waiting.length && this.#sent < this.#window) {
      const data = this.#waiting.slice(this.#sent, Math.min(this.#sent + SEGMENT, this.#window));
      this.#say(packets.ACK | packets.PSH, data, (this.#next + this.#sent) | 0);
      this.#sent += data.length;
    }
  }

  #say(flags: number, data = new Uint8Array(0), sequence = (this.#next + this.#sent) | 0): void {
    if (this.#remote === undefined) return;
    const header = { sourcePort: this.local.port, destinationPort: this.#remote.port, flags, sequence };
    const ends = { source: this.local.address, destination: this.#remote.address, ttl: 64 };
    const acknowledgment = (flags & packets.ACK) === 0 ? 0 : this.#expected;
    this.put(packets.tcp(ends, { ...header, acknowledgment }, data));
  }
}
