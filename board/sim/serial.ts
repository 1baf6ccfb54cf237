// Serial ports of the sim board beside its console: chips as the driver's tests have them (hal/serial/ns16550-model.ts), with what is wired to each at the
// port's own rate, by the tick. So a modem or a peer of a test sees bytes, lines and time as on a board.
// Not here: what is wired there.

import { BusModel } from '../../hal/bus-model.ts';
import { UartModel } from '../../hal/serial/ns16550-model.ts';
import { TICKS_PER_SECOND } from '../../src/base/limits.ts';

/** Where COM1 to COM4 are, and their lines (board/isapc.ts). */
const PLACES: readonly (readonly [number, number])[] = [
  [0x3f8, 4],
  [0x2f8, 3],
  [0x3e8, 4],
  [0x2e8, 3],
];
/** Bits of a byte on the line: a start, eight, a stop. */
const BYTE_BITS = 10;
/** Bytes between two interrupts: half of a chip's FIFO. */
const CHUNK = 8;

/** What is wired to a port. */
export interface Wire {
  /** Bytes that the board has sent in a tick. */
  onBytes(bytes: Uint8Array): void;
}

export class SimPort {
  readonly uart: UartModel;
  /** Its first I/O port. */
  readonly base: number;
  wire: Wire | undefined;
  /** What the peer sends waits here for its time, and while RTS is down. */
  private waiting: number[] = [];
  /** Bits that the line still has time for. */
  private inBits = 0;
  private outBits = 0;
  private seen = 0;

  constructor(
    bus: BusModel,
    readonly index: number,
  ) {
    const [port, line] = PLACES[index] as readonly [number, number];
    this.base = port;
    this.uart = new UartModel(bus, port, line);
  }

  get line(): number {
    return this.uart.line;
  }

  /** The peer sends bytes. */
  write(bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i++) this.waiting.push(bytes[i] as number);
  }

  /** Bytes that the peer has sent and that have not come yet. */
  get pending(): number {
    return this.waiting.length;
  }

  /** A tick's bytes, both ways; `interrupt` is called whenever the chip may have raised its line. */
  advance(interrupt: () => void): void {
    const bits = this.uart.rate / TICKS_PER_SECOND;
    this.inBits = Math.min(this.inBits + bits, bits + CHUNK * BYTE_BITS);
    this.outBits = Math.min(this.outBits + bits, bits + CHUNK * BYTE_BITS);
    for (let isMore = true; isMore; ) {
      const came = this.receive();
      const went = this.send();
      interrupt();
      isMore = came + went > 0;
    }
    const sent = this.uart.sent.slice(this.seen);
    this.seen = this.uart.sent.length;
    if (sent.length > 0) this.wire?.onBytes(Uint8Array.from(sent));
  }

  private receive(): number {
    let count = 0;
    while (count < CHUNK && this.inBits >= BYTE_BITS && this.waiting.length > 0 && this.uart.rts) {
      this.inBits -= BYTE_BITS;
      this.uart.receive(this.waiting.shift() as number);
      count++;
    }
    return count;
  }

  private send(): number {
    const count = Math.min(this.uart.waiting, Math.floor(this.outBits / BYTE_BITS));
    this.outBits -= count * BYTE_BITS;
    if (count > 0) this.uart.transmit(count);
    return count;
  }
}

export class SimSerial {
  readonly bus = new BusModel();
  readonly ports: ReadonlyMap<number, SimPort>;

  /** @param indices which of COM1 (0) to COM4 (3) there are */
  constructor(indices: readonly number[]) {
    this.ports = new Map(indices.map(index => [index, new SimPort(this.bus, index)]));
  }

  /** Whether an I/O port is one of a chip's. */
  has(port: number): boolean {
    for (const { base } of this.ports.values()) if (port >= base && port < base + 8) return true;
    return false;
  }

  /** A tick of all ports. @param interrupt serves an interrupt line */
  advance(interrupt: (line: number) => void): void {
    for (const port of this.ports.values())
      port.advance(() => {
        if (this.bus.pic.take(port.line)) interrupt(port.line);
      });
  }
}
