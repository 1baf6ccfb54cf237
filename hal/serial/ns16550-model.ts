// A UART for tests: 16550A, 16550 with broken FIFOs, 16450 or 8250, with modem lines and line errors.
// Made from the data sheet's words (PC16550D, June 1995, section 8.0), with its own register numbers. What the
// driver must not do is written down in `violations`.

import type { BusModel, Device } from '../bus-model.ts';

export const OVERRUN = 2;
export const PARITY = 4;
export const FRAMING = 8;
export const BREAK = 0x10;

/** A modem's lines, as MSR has them. */
export const CTS = 0x10;
export const DSR = 0x20;
export const RI = 0x40;
export const DCD = 0x80;

export type UartKind = '16550A' | '16550' | '16450' | '8250';

export class UartModel implements Device {
  /** Bytes that have left by the wire. */
  readonly sent: number[] = [];
  readonly violations: string[] = [];
  absent = false;
  /** The interrupt of THRE is never raised, as in some clones when IER is written. */
  losesEmpty = false;
  /** MCR's loopback does nothing, as in some chips and emulators. */
  hasLoopback = true;
  /** A transmitter that is empty again at once, as QEMU's. */
  isInstant = false;
  /** The FIFO interrupts at its threshold only, as while bytes come without a pause. */
  waitsForThreshold = false;
  private readonly input: { byte: number; errors: number }[] = [];
  private readonly output: number[] = [];
  private ier = 0;
  private lcr = 0;
  private mcr = 0;
  private fcr = 0;
  private divisor = 12;
  private scratch = 0;
  private overrun = 0;
  private emptyPending = false;
  /** A modem's lines, and in the low bits which have changed since MSR was read: RI only where it fell. */
  private modem = CTS | DSR | DCD;

  constructor(
    private readonly bus: BusModel,
    port: number,
    readonly line: number,
    readonly kind: UartKind = '16550A',
  ) {
    bus.place(port, 8, this);
  }

  // --- the wire's side -----------------------------------------------------------------------------------

  /** A byte arrives, with errors. */
  receive(byte: number, errors = 0): void {
    if (this.input.length >= this.depth) this.overrun = OVERRUN;
    else this.input.push({ byte, errors });
    this.drive();
  }

  /** The transmitter gets through `count` bytes. */
  transmit(count = 16): void {
    if (this.output.length === 0) return;
    this.sent.push(...this.output.splice(0, count));
    if (this.output.length === 0 && !this.losesEmpty) this.emptyPending = true;
    this.drive();
  }

  setCts(up: boolean): void {
    this.setModem(CTS, up);
  }

  setModem(line: number, up: boolean): void {
    if (((this.modem & line) !== 0) !== up && (line !== RI || !up)) this.modem |= line >> 4;
    this.modem = up ? this.modem | line : this.modem & ~line;
    this.drive();
  }

  get dtr(): boolean {
    return (this.mcr & 1) !== 0;
  }

  get rts(): boolean {
    return (this.mcr & 2) !== 0;
  }

  get rate(): number {
    return 115200 / this.divisor;
  }

  /** Bytes in the transmitter. */
  get waiting(): number {
    return this.output.length;
  }

  private get depth(): number {
    return this.kind === '16550A' && (this.fcr & 1) !== 0 ? 16 : 1;
  }

  // --- the bus's side ----------------------------------------------------------------------------------------

  read(offset: number): number {
    if (this.absent) return 0xff;
    const value = this.readRegister(offset);
    this.drive();
    return value;
  }

  write(offset: number, value: number): void {
    if (this.absent) return;
    this.writeRegister(offset, value);
    this.drive();
  }

  private readRegister(offset: number): number {
    const latch = (this.lcr & 0x80) !== 0;
    if (offset === 0) return latch ? this.divisor & 0xff : (this.input.shift()?.byte ?? 0);
    if (offset === 1) return latch ? this.divisor >> 8 : this.ier;
    if (offset === 2) return this.identify();
    if (offset === 3) return this.lcr;
    if (offset === 4) return this.mcr;
    if (offset === 5) return this.lineStatus();
    if (offset === 6) return this.modemStatus();
    return this.kind === '8250' ? 0xff : this.scratch;
  }

  private writeRegister(offset: number, value: number): void {
    const latch = (this.lcr & 0x80) !== 0;
    if (offset === 0 && latch) this.divisor = (this.divisor & 0xff00) | value;
    else if (offset === 0) this.put(value);
    else if (offset === 1 && latch) this.divisor = (this.divisor & 0xff) | (value << 8);
    else if (offset === 1) this.enable(value & 0x0f);
    else if (offset === 2) this.setFifos(value);
    else if (offset === 3) this.lcr = value;
    else if (offset === 4) this.mcr = value & 0x1f;
    else if (offset === 7) this.scratch = value;
  }

  private put(value: number): void {
    if ((this.mcr & 0x10) !== 0) return;
    if (this.output.length >= this.depth) this.violations.push('THR written while full');
    else this.output.push(value);
    this.emptyPending = false;
    if (this.isInstant) this.transmit();
  }

  private enable(value: number): void {
    // THRE interrupts at once when it is let through while the transmitter is empty.
    const rises = (value & 2) !== 0 && (this.ier & 2) === 0;
    this.ier = value;
    if (rises && this.output.length === 0 && !this.losesEmpty) this.emptyPending = true;
  }

  private setFifos(value: number): void {
    this.fcr = this.kind === '16450' || this.kind === '8250' ? 0 : value;
    if ((value & 2) !== 0) this.input.length = 0;
    if ((value & 4) !== 0) this.output.length = 0;
  }

  private lineStatus(): number {
    const first = this.input[0];
    let value = this.overrun | (this.output.length === 0 ? 0x60 : 0);
    if (first !== undefined) {
      value |= 1 | first.errors;
      first.errors = 0;
    }
    this.overrun = 0;
    return value;
  }

  private modemStatus(): number {
    const status = this.modem;
    this.modem &= 0xf0;
    if ((this.mcr & 0x10) !== 0 && this.hasLoopback) {
      const m = this.mcr;
      return ((m & 2) << 3) | ((m & 1) << 5) | ((m & 4) << 4) | ((m & 8) << 4);
    }
    return status;
  }

  /** IIR: the most urgent cause; reading it forgets THRE's. */
  private identify(): number {
    const fifos = (this.fcr & 1) === 0 ? 0 : this.kind === '16550A' ? 0xc0 : 0x80;
    const cause = this.cause();
    if (cause === 2) this.emptyPending = false;
    return fifos | cause;
  }

  private cause(): number {
    const errors = (this.input[0]?.errors ?? 0) | this.overrun;
    if ((this.ier & 4) !== 0 && errors !== 0) return 6;
    // Where the FIFO does not wait for its threshold, the time-out would bring the same bytes.
    const threshold = [1, 4, 8, 14][this.fcr >> 6] as number;
    const least = this.waitsForThreshold && (this.fcr & 1) !== 0 ? threshold : 1;
    if ((this.ier & 1) !== 0 && this.input.length >= least) return this.input.length >= 14 ? 4 : 0x0c;
    if ((this.ier & 2) !== 0 && this.emptyPending) return 2;
    if ((this.ier & 8) !== 0 && (this.modem & 0x0f) !== 0) return 0;
    return 1;
  }

  private drive(): void {
    this.bus.pic.drive(this.line, this.cause() !== 1 && (this.mcr & 8) !== 0);
  }
}
